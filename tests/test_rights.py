"""Who may do what: whom a button obeys, what all others read, and that nobody is let in while Slack does not tell."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest

from bot.slack import views
from integrations.sandbox.wire import Fault
from tests.conftest import House
from tests.test_people import allowing, outsiders

DEV = "C0SUPPORTDEV"
DECIDE = "Only the Support Devs of Web shop and the leads decide about its issues. Ask one of them: Léo Martin, Maya"
ANSWER = "Only those who may flag tickets here write back to customers. Ask one of them: Ana Moreau, Maya Lindgren."
OUTSIDERS = ["U0GUEST", "U0STRANGER", "U0GONE", "U0PARTNER"]


@pytest.fixture
def open_house(house: House) -> House:
    """Guests, strangers and somebody of a partner's workspace are about; Slack calls the last no stranger."""
    outsiders(house)
    house.slack.add_person("U0PARTNER", "pat", "Pat Partner", "pat@partner.example", stranger=True)
    with house.slack.workspace.change():
        house.slack.workspace.people["U0PARTNER"]["is_stranger"] = False
    return house


def forward(house: House, person: str, action: str) -> None:
    """Somebody presses a button that was meant for Ana, in a copy of her message that stands in a channel."""
    message = next(one for one in reversed(house.slack.dm("U0ANA")) if action in str(one.get("blocks")))
    copy = house.bot.chat.post("C0SUPPORT", views.Post(message["text"], message["blocks"]), "copy")
    assert house.slack.press(person, "C0SUPPORT", copy, action).ok
    house.settle()


@pytest.mark.parametrize("person", ["U0BEN", "U0ANA", *OUTSIDERS])
@pytest.mark.parametrize("action", ["acknowledge", "decline"])
def test_others_than_support_devs_and_leads_decide_nothing(open_house: House, person: str, action: str) -> None:
    """They see the card, and read whom to ask."""
    open_house.flag()
    open_house.press(person, action, DEV)
    assert DECIDE in open_house.modal(person)
    assert [block for block in open_house.slack.views(person)[-1]["blocks"] if block["type"] == "input"] == []
    assert "Waits for somebody to take it." in open_house.card()
    assert open_house.issue()["state"] == "open"


def test_a_lead_may_decide(house: House) -> None:
    """While the Support Dev is away."""
    house.flag()
    house.press("U0MAYA", "acknowledge", DEV)
    assert "In hand" in house.card()
    house.press("U0MAYA", "decline", DEV)
    assert house.submit("U0MAYA", reason="Not before May.") == {}
    assert "Not before May." in house.told()[-1]


def test_a_support_dev_who_became_a_guest_meanwhile_declines_nothing(house: House) -> None:
    """The page was open; what counts is who they are when they send it."""
    house.flag()
    house.press("U0LEO", "decline", DEV)
    with house.slack.workspace.change():
        house.slack.workspace.people["U0LEO"]["is_restricted"] = True
    house.pass_time(hours=2)
    assert DECIDE in house.submit("U0LEO", reason="Not before May.")["reason"]
    assert house.issue()["state"] == "open"


@pytest.mark.parametrize("person", OUTSIDERS)
@pytest.mark.parametrize("action", ["write_back", "mark_written", "skip"])
def test_outsiders_write_to_no_customer(open_house: House, person: str, action: str) -> None:
    """Nor do they say that it is done."""
    open_house.flag()
    open_house.mend()
    forward(open_house, person, action)
    assert ANSWER in open_house.modal(person)
    assert "'action_id': 'write_back'" in str(open_house.slack.dm("U0ANA")[-1]["blocks"])


def test_a_colleague_may_write_for_the_agent(house: House) -> None:
    """Ana is ill; Ben may flag tickets, so he may answer them."""
    house.flag()
    house.mend()
    forward(house, "U0BEN", "write_back")
    assert house.submit("U0BEN", reply="Bonjour Camille, c’est réparé.") == {}
    assert house.replies() == ["Bonjour Camille, c’est réparé."]


def test_a_colleague_outside_the_agents_may_not(make_house: Callable[..., House]) -> None:
    """Where the configuration names the agents, a full member alone is none; the agent and the lead are."""
    house = make_house(allowing("U0ANA"))
    house.flag()
    house.mend()
    for action in ("write_back", "skip", "mark_written"):
        forward(house, "U0BEN", action)
        assert ANSWER in house.modal("U0BEN")
    forward(house, "U0MAYA", "mark_written")
    assert "✓ Written." in house.told()[-1]


@pytest.mark.parametrize("person", OUTSIDERS)
def test_outsiders_ask_for_no_status(open_house: House, person: str) -> None:
    """A ticket's title, agent and history are the house's own."""
    open_house.flag()
    open_house.slack.command(person, "status 4211", "C0SUPPORT")
    told = open_house.whispered(person)
    assert "Only members of the support team, Support Devs and leads can ask how a ticket stands." in told
    assert "VAT" not in told


def test_support_devs_and_leads_ask_for_a_status_though_they_flag_nothing(make_house: Callable[..., House]) -> None:
    """They are no agents, and need to know all the same."""
    house = make_house(allowing("U0ANA"))
    house.flag()
    for person, knows in {"U0LEO": True, "U0MAYA": True, "U0BEN": False}.items():
        house.slack.command(person, "status 4211", "C0SUPPORT")
        assert ("VAT is wrong on invoices" in house.whispered(person)) is knows


@pytest.mark.parametrize("how", [{"how": "refuse", "status": 500}, {"how": "late", "seconds": 3.0}])
def test_while_slack_does_not_tell_who_somebody_is_nothing_happens(house: House, how: dict[str, Any]) -> None:
    """One sentence in time, and the next press works."""
    house.flag()
    house.slack.wire.faults.append(Fault(path="users.info", times=1, **how))
    began = monotonic()
    assert house.slack.press("U0MAYA", DEV, house.cards(DEV)[-1]["ts"], "acknowledge").ok
    assert monotonic() - began < 3  # a trigger lives no longer
    assert house.modal("U0MAYA") == "Slack did not tell me in time who you are. Try again in a moment."
    assert "Waits for somebody to take it." in house.card()
    house.bot.people.meet("U0MAYA")
    house.press("U0MAYA", "acknowledge", DEV)
    assert "In hand" in house.card()


def test_nobody_is_asked_for_twice_within_the_hour(house: House) -> None:
    """The modal opens without another call before it."""
    house.flag()
    house.press("U0LEO", "acknowledge", DEV)
    asked = len(house.slack.wire.calls)
    house.press("U0LEO", "decline", DEV)
    assert [call.path.rpartition("/")[2] for call in house.slack.wire.calls[asked:]] == ["views.open"]
