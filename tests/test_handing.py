"""Handing over: a customer is never left with an agent who is gone, away or silent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from integrations.sandbox.wire import Fault
from tests.conftest import House, said

REPLY = "Bonjour Camille, c’est réparé. Bonne journée, Ben"


def shipped(house: House) -> House:
    """Ana owes Camille an answer, on a Monday morning."""
    house.flag()
    house.mend()
    house.pass_time(minutes=3)
    return house


def look(house: House) -> None:
    """The scheduler's next look at whether agents are there, three hours later."""
    house.pass_time(hours=3)
    house.bot.schedule.tick_there()
    house.settle()


def offers(house: House) -> list[str]:
    return [said(one) for one in house.slack.messages("C0SUPPORTDEV") if "take_over" in str(one.get("blocks"))]


def test_an_agent_gives_a_customer_to_a_colleague(house: House) -> None:
    """Ben has the message with the buttons and writes; Ana follows, and reads who does it."""
    shipped(house)
    house.press("U0ANA", "hand_over")
    assert house.submit(to="U0BEN") == {}
    told = "\n".join(house.told("U0BEN"))
    assert "ticket 4211 is yours now; Ana Moreau had it." in told
    assert "Fixed in v2.5.0" in told
    assert "Ben Okafor writes back; you follow." in "\n".join(house.told("U0ANA"))
    assert house.write_back("U0BEN", REPLY) == {}
    assert house.replies() == [REPLY]


def test_who_may_not_write_back_is_not_given_a_customer(house: House) -> None:
    """A guest cannot."""
    shipped(house)
    house.press("U0ANA", "hand_over")
    assert "cannot write back here" in house.submit(to="U0GUEST")["to"]


def test_nobody_in_particular_means_the_channel(house: House) -> None:
    """It reads no customer's name; whoever presses has it, and a second press comes too late."""
    shipped(house)
    house.press("U0ANA", "hand_over")
    assert house.submit() == {}
    (offer,) = offers(house)
    assert "Ana Moreau" in offer
    assert "ticket 4211" in offer
    assert "Camille" not in offer
    house.press("U0BEN", "take_over", channel="C0SUPPORTDEV")
    assert offers(house) == []
    assert house.write_back("U0BEN", REPLY) == {}
    assert house.replies() == [REPLY]


@pytest.mark.parametrize("why", ["gone", "away"])
def test_whoever_has_the_ticket_gets_the_customer_of_an_agent_who_is_not_there(house: House, why: str) -> None:
    """The helpdesk says that Ben has it now: he hears it, without anybody's doing."""
    shipped(house)
    house.zendesk.assign("4211", "ben@acme.example")
    house.pass_time(minutes=2)
    if why == "gone":
        house.slack.leave("U0ANA")
    else:
        house.slack.set_status("U0ANA", ":palm_tree:")
    look(house)
    assert "ticket 4211 is yours now; Ana Moreau had it." in "\n".join(house.told("U0BEN"))
    assert house.write_back("U0BEN", REPLY) == {}
    assert house.replies() == [REPLY]


def test_a_ticket_of_nobody_is_offered_once(house: House) -> None:
    """However often the bot looks."""
    shipped(house)
    house.slack.set_status("U0ANA", ":palm_tree:")
    for _ in range(2):
        look(house)
    assert len(offers(house)) == 1


def test_a_channel_that_cannot_be_asked_is_no_end(house: House) -> None:
    """The bot was put out of it: the lead is asked, once, and takes them; the channel, when it is let in again."""
    shipped(house)
    house.look_up("U0ANA", "4212")
    [issue] = house.slack.suggest(house.slack.views("U0ANA")[-1]["id"], "similar", "VAT")
    assert house.submit("U0ANA", similar=issue["value"]) == {}
    members = house.slack.workspace.conversations["C0SUPPORTDEV"].members
    members.remove("U0PASS")
    house.slack.leave("U0ANA")
    for _ in range(2):
        look(house)
    [told] = [text for text in house.told("U0MAYA") if "I could not ask this in its channel" in text]
    assert "Ana Moreau cannot write back now, and 2 customers wait for an answer." in told
    members.append("U0PASS")
    house.pass_time(hours=15)  # Tuesday morning
    for _ in range(2):
        look(house)
    assert len(offers(house)) == 1
    house.press("U0MAYA", "take_over")
    assert house.write_back("U0MAYA", REPLY) == {}


def test_who_has_the_ticket_may_stay_unknown(house: House) -> None:
    """The app was made before it asked for people's addresses: the channel is asked all the same."""
    shipped(house)
    house.zendesk.assign("4211", "ben@acme.example")
    house.pass_time(minutes=2)
    house.slack.leave("U0ANA")
    refused = {"ok": False, "error": "missing_scope"}
    house.slack.wire.faults.append(Fault("refuse", "", "users.lookupByEmail", 200, refused, times=None))
    look(house)
    assert len(offers(house)) == 1


def test_news_that_slack_took_from_nobody_is_told_when_it_does(house: House) -> None:
    """The token was revoked on Monday and is a good one on Friday: Ana hears what shipped then, once, and nobody reads
    that she cannot be reached. What she wrote meanwhile is not told any more."""
    house.flag()
    house.flag("U0ANA", "4212", title="The wrong country")
    refused = {"ok": False, "error": "token_revoked"}
    house.slack.wire.faults.append(Fault("refuse", "POST", "/api/", 200, refused, times=None))
    house.mend(1)
    house.mend(2, "v2.6.0")
    house.pass_time(minutes=3)
    house.zendesk.agent_writes("4212", "ana@acme.example", "Hello, it is mended.")
    for _ in range(12):
        house.pass_time(hours=8)
    house.slack.wire.faults.clear()
    for _ in range(2):
        look(house)
    assert len([text for text in house.told() if "Fixed in v2.5.0" in text]) == 1
    assert not [text for text in house.told() if "Fixed in v2.6.0" in text]
    assert "cannot reach" not in "\n".join(house.told("U0MAYA"))
    assert house.write_back() == {}


def test_a_status_that_means_something_else_changes_nothing(house: House) -> None:
    """Lunch is no leave."""
    shipped(house)
    house.slack.set_status("U0ANA", ":pizza:")
    look(house)
    assert offers(house) == []


def test_silence_is_handed_over_after_so_much_working_time(make_house: Callable[..., House]) -> None:
    """Two working days, where that is configured; not before, and never at night."""

    def change(config: dict[str, Any]) -> None:
        config["write_backs"] = {"hand_over_after": "2d"}

    house = shipped(make_house(change))
    house.pass_time(days=1)
    look(house)
    assert offers(house) == []
    house.pass_time(days=1, hours=10)  # Wednesday night
    house.bot.schedule.tick_there()
    house.settle()
    assert offers(house) == []
    house.pass_time(hours=12)  # Thursday morning
    house.bot.schedule.tick_there()
    house.settle()
    assert len(offers(house)) == 1


def test_what_a_customer_answered_goes_along(house: House) -> None:
    """Ana wrote and left; what Camille answered her, Ben reads who has the ticket now."""
    shipped(house)
    assert house.write_back("U0ANA", REPLY) == {}
    house.pass_time(minutes=3)
    house.zendesk.customer_writes("4211", "Merci !")
    house.pass_time(minutes=2)
    assert "Merci !" in "\n".join(house.told("U0ANA"))
    house.zendesk.assign("4211", "ben@acme.example")
    house.pass_time(minutes=2)
    house.slack.leave("U0ANA")
    look(house)
    assert "Merci !" in "\n".join(house.told("U0BEN"))
