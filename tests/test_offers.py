"""Marking a message: an emoji or a mention, and the bot offers to flag it, to that person alone and once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from integrations.sandbox.wire import Fault
from tests.conftest import REPO, House, said

SUPPORT = "C0SUPPORT"
BOT = "<@U0PASS>"
MEMBERS_ONLY = "Only members of the support team can flag tickets here. Ask your lead to add you."


def offers(house: House, person: str = "U0ANA") -> list[str]:
    """What this person alone was shown, oldest first."""
    house.bot.listeners.settle()
    return [said(message) for message in house.slack.ephemerals(person)]


def press(house: House, person: str = "U0ANA") -> str:
    """Press the newest offer's button, and read the modal once it is filled."""
    house.bot.listeners.settle()
    offer = house.slack.ephemerals(person)[-1]
    assert house.slack.press(person, offer["channel"], offer["ts"], "flag_this").ok
    return house.modal(person)


def test_an_emoji_on_a_message_is_answered_with_an_offer(house: House) -> None:
    """One button, which opens the form with the message, its thread and the ticket that it names."""
    ticket = f"{house.zendesk.url}/agent/tickets/4212"
    ts = house.slack.say("U0BEN", SUPPORT, f"Wrong VAT again: <{ticket}>")
    house.slack.say("U0LEO", SUPPORT, "Only after the address changes.", thread_ts=ts)
    house.slack.react("U0ANA", SUPPORT, ts, "bug")

    (offer,) = offers(house)
    assert "Shall I carry ticket 4212 to an issue? You see it before anything is filed." in offer
    assert house.slack.ephemerals("U0ANA")[0]["thread_ts"] == ts
    assert "Wrong VAT after changing the delivery country" in press(house)

    assert house.submit(title="VAT is wrong") == {}
    assert "Wrong VAT again: " in house.issue()["body"]
    assert "Léo Martin: Only after the address changes." in house.issue()["body"]
    assert len(house.notes("4212")) == 1


def test_a_reply_in_a_thread_can_be_marked_too(house: House) -> None:
    """The reply is what is flagged, in the thread that it stands in."""
    ts = house.slack.say("U0BEN", SUPPORT, "Anything strange today?")
    reply = house.slack.say("U0LEO", SUPPORT, "Invoices show the wrong VAT.", thread_ts=ts)
    house.slack.react("U0ANA", SUPPORT, reply, "bug")
    offers(house)
    assert house.slack.ephemerals("U0ANA")[0]["thread_ts"] == ts
    press(house)
    house.submit(ticket="4211")
    assert house.submit(title="VAT is wrong") == {}
    assert house.issue()["body"].startswith("Invoices show the wrong VAT.")
    assert "Ben Okafor: Anything strange today?" in house.issue()["body"]


def test_only_the_configured_emoji_counts(make_house: Callable[..., House]) -> None:
    """Another one means something else, a skin tone nothing; without the option none is looked at."""

    def change(config: dict[str, Any]) -> None:
        config["slack"]["reaction"] = "raised_hand"

    house = make_house(change)
    ts = house.slack.say("U0BEN", SUPPORT, "Invoices show the wrong VAT.")
    house.slack.react("U0ANA", SUPPORT, ts, "bug")
    assert offers(house) == []
    house.slack.react("U0ANA", SUPPORT, ts, "raised_hand::skin-tone-3")
    assert len(offers(house)) == 1


def test_without_the_option_no_reaction_is_looked_at(make_house: Callable[..., House]) -> None:
    """The feature is on if and only if its key stands in the configuration."""
    house = make_house(lambda config: config["slack"].pop("reaction"))
    ts = house.slack.say("U0BEN", SUPPORT, "Invoices show the wrong VAT.")
    answer = house.slack.react("U0ANA", SUPPORT, ts, "bug")
    assert answer is not None
    assert answer.ok
    assert offers(house) == []


def test_each_person_is_offered_a_message_once(house: House) -> None:
    """Twice by one is once; two people are two offers, and nobody sees the other's."""
    ts = house.slack.say("U0LEO", SUPPORT, "Invoices show the wrong VAT.")
    for person in ("U0ANA", "U0ANA", "U0BEN"):
        house.slack.react(person, SUPPORT, ts, "bug")
    assert len(offers(house, "U0ANA")) == 1
    assert len(offers(house, "U0BEN")) == 1


@pytest.mark.parametrize("retry", [1, 2, 3])
def test_a_repeated_event_offers_nothing_again(house: House, retry: int) -> None:
    """Slack sends an event again when it heard no answer in time."""
    mention = {"type": "app_mention", "user": "U0ANA", "text": f"{BOT} 4211", "channel": SUPPORT}
    mention |= {"ts": house.slack.say("U0ANA", SUPPORT, "4211"), "event_ts": "1.0"}
    for again in (0, retry):
        assert house.slack.event(mention, event_id="Ev1", retry=again).ok
    assert len(offers(house)) == 1


def test_slack_hears_of_the_event_even_when_the_offer_cannot_be_shown(house: House) -> None:
    """Nobody waits for it: it is tried once, and nothing else breaks."""
    ts = house.slack.say("U0BEN", SUPPORT, "Invoices show the wrong VAT.")
    house.slack.wire.faults.append(Fault("refuse", path="postEphemeral"))
    answer = house.slack.react("U0ANA", SUPPORT, ts, "bug")
    assert answer is not None
    assert answer.ok
    assert offers(house) == []


def test_a_mention_in_a_thread_flags_the_thread(house: House) -> None:
    """ "@passerelle this is a bug", in whatever language: the message above is meant."""
    ts = house.slack.say("U0BEN", SUPPORT, "Invoices show the wrong VAT.")
    house.slack.say("U0ANA", SUPPORT, f"{BOT} c’est un bug", thread_ts=ts)
    assert "Shall I carry this to an issue?" in offers(house)[-1]
    press(house)
    house.submit(ticket="4211")
    assert house.submit(title="VAT is wrong") == {}
    assert house.issue()["body"].startswith("Invoices show the wrong VAT.")


def test_a_mention_can_say_it_all(house: House) -> None:
    """The ticket first, then the title: nothing is left to type."""
    house.slack.say("U0ANA", SUPPORT, f"{BOT} 4211 VAT is wrong &amp; late")
    assert "Shall I carry ticket 4211 to an issue?" in offers(house)[-1]
    press(house)
    assert house.submit() == {}
    assert house.issue()["title"] == "VAT is wrong & late"


def test_a_mention_without_a_ticket_is_the_summary(house: House) -> None:
    """What was written to the bot is kept while the ticket is asked for."""
    house.slack.say("U0ANA", SUPPORT, f"{BOT} invoices show the wrong VAT")
    press(house)
    house.submit(ticket="4211")
    assert house.submit(title="VAT is wrong") == {}
    assert house.issue()["body"].startswith("invoices show the wrong VAT")


def test_who_may_not_flag_hears_so_when_they_ask(house: House) -> None:
    """A mention is a question, and gets an answer; an emoji may mean anything, and gets none."""
    ts = house.slack.say("U0GUEST", SUPPORT, f"{BOT} this is a bug")
    assert offers(house, "U0GUEST") == [MEMBERS_ONLY + "\n" + MEMBERS_ONLY]
    house.slack.react("U0GUEST", SUPPORT, ts, "bug")
    assert len(offers(house, "U0GUEST")) == 1


def test_bots_are_not_answered(house: House) -> None:
    """Neither our own words nor another bot's: two machines could talk for ever."""
    house.flag()
    card = house.slack.messages("C0SUPPORTDEV")[-1]
    house.slack.react("U0LEO", "C0SUPPORTDEV", card["ts"], "bug")
    house.slack.react("U0PASS", SUPPORT, house.slack.say("U0ANA", SUPPORT, "Hello"), "bug")
    mention = {"type": "app_mention", "text": f"{BOT} this is a bug", "channel": SUPPORT, "ts": "7.0"}
    for own in ({"user": "U0PASS"}, {"user": "U0BOT", "bot_id": "B0BOT"}, {"bot_id": "B0BOT"}):
        assert house.slack.event({**mention, **own, "event_ts": "7.0"}).ok
    house.bot.listeners.settle()
    assert [offers(house, person) for person in ("U0LEO", "U0PASS", "U0BOT")] == [[], [], []]


def test_an_offer_that_was_taken_says_so(house: House) -> None:
    """The button stays where it was; pressing it again files nothing."""
    house.slack.say("U0ANA", SUPPORT, f"{BOT} 4211 VAT is wrong")
    press(house)
    house.submit()
    assert "You have flagged this already. /bug mine shows how it stands." in press(house)
    assert len(house.github.issues(REPO)) == 1


def test_events_come_over_a_socket_as_well(house: House) -> None:
    """Without a public address Slack's events arrive on the bot's own connection."""
    house.slack.events_url = None
    house.bot.connect()
    with house.slack.changed:
        assert house.slack.changed.wait_for(lambda: house.slack.connections, 10)
    ts = house.slack.say("U0ANA", SUPPORT, f"{BOT} 4211 VAT is wrong")
    house.slack.react("U0BEN", SUPPORT, ts, "bug")
    assert len(offers(house, "U0ANA")) == 1
    assert len(offers(house, "U0BEN")) == 1
    inputs = {"ticket": "4211", "title": "VAT is wrong", "person": "U0ANA"}
    execution = house.slack.run_step("flag_ticket", inputs)
    house.settle()
    assert house.slack.execution(execution)["state"] == "completed"


# --- what is attached in the thread


def flag_with_screenshots(house: House) -> dict[str, Any]:
    ts = house.slack.say("U0BEN", SUPPORT, f"{house.zendesk.url}/agent/tickets/4211", files=("cart.png",))
    house.slack.say("U0ANA", SUPPORT, "And mine.", thread_ts=ts, files=("invoice | 2.png", "console.log"))
    assert house.slack.message_shortcut("U0ANA", SUPPORT, ts, "flag_message").ok
    house.bot.listeners.settle()
    view = house.slack.views("U0ANA")[-1]
    assert house.submit(title="VAT is wrong") == {}
    return view


def test_files_of_the_thread_go_along_as_links(house: House) -> None:
    """They stay in Slack, where only its members can open them; the issue says which there are, and where."""
    view = flag_with_screenshots(house)
    assert "3 files from the Slack thread are named in the issue, and stay in Slack: cart.png" in said(view)
    body = house.issue()["body"]
    assert "| Files in Slack | [cart.png](https://acme.slack.example/archives/C0SUPPORT/p" in body
    assert r"[invoice \| 2.png](https://acme.slack.example/archives/C0SUPPORT/p" in body
    assert "[console.log]" in body


def test_files_are_not_named_where_everybody_can_read(house: House) -> None:
    """A public repository learns nothing of them."""
    house.github.set_visibility(REPO, private=False)
    view = flag_with_screenshots(house)
    assert "cart.png" not in said(view)
    assert "cart.png" not in house.issue()["body"]


def test_files_are_not_named_in_what_is_made_public_while_the_form_is_open(house: House) -> None:
    """What counts is who can read when the issue is written."""
    ts = house.slack.say("U0BEN", SUPPORT, f"{house.zendesk.url}/agent/tickets/4211", files=("cart.png",))
    house.slack.message_shortcut("U0ANA", SUPPORT, ts, "flag_message")
    assert "cart.png" in house.modal()
    house.github.set_visibility(REPO, private=False)
    assert house.submit(title="VAT is wrong", summary="It is wrong.") == {}
    assert "cart.png" not in str(house.issue())


def test_files_are_left_out_when_the_policy_is_the_link_alone(make_house: Callable[..., House]) -> None:
    """Nobody put them there for that project to see."""

    def change(config: dict[str, Any]) -> None:
        config["projects"][0]["privacy"] = "link_only"

    house = make_house(change)
    flag_with_screenshots(house)
    assert "cart.png" not in str(house.issue())


def test_files_of_a_ticket_that_joins_stand_with_it(house: House) -> None:
    """The issue's own text is the Support Dev's; the table has them."""
    house.flag(text="4212")
    ts = house.slack.say("U0BEN", SUPPORT, f"{house.zendesk.url}/agent/tickets/4211", files=("cart.png",))
    house.slack.message_shortcut("U0ANA", SUPPORT, ts, "flag_message")
    house.bot.listeners.settle()
    view = house.slack.views("U0ANA")[-1]
    (option,) = house.slack.suggest(view["id"], "similar", "VAT")
    assert house.submit(similar=option["value"]) == {}
    assert "[cart.png](" in house.issue()["comments"][0]["body"]
