"""People: who may flag, what the others read, what a person asks with `/bug`, and in which language they are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from integrations.sandbox.wire import Fault
from tests.conftest import REPO, House

MEMBERS_ONLY = "Only members of the support team can flag tickets here. Ask your lead to add you."
SUPPORT = "C0SUPPORT"


def allowing(*agents: str) -> Callable[[dict[str, Any]], None]:
    def change(config: dict[str, Any]) -> None:
        config["slack"]["agents"] = list(agents)

    return change


# --- who may flag


def test_every_full_member_may_flag_by_default(house: House) -> None:
    """Nobody has to be listed."""
    house.flag("U0LEO")
    assert house.issue()["title"] == "VAT is wrong on invoices"


def outsiders(house: House) -> None:
    house.slack.add_person("U0STRANGER", "sam", "Sam Stranger", "sam@other.example", stranger=True)
    house.slack.add_person("U0GONE", "gil", "Gil Gone", "gil@acme.example", deleted=True)


@pytest.mark.parametrize("person", ["U0GUEST", "U0STRANGER", "U0GONE"])
def test_guests_strangers_and_the_deactivated_may_not(house: House, person: str) -> None:
    """They read why and what to do; the helpdesk is not even asked."""
    outsiders(house)
    asked = len(house.zendesk.wire.calls)
    assert MEMBERS_ONLY in house.look_up(person)
    view = house.slack.views(person)[-1]
    assert view["submit"] is None
    assert [block for block in view["blocks"] if block["type"] == "input"] == []
    assert len(house.zendesk.wire.calls) == asked
    assert house.github.issues(REPO) == []


@pytest.mark.parametrize("agents", ["S0AGENTS", "C0CARE", "U0ANA"])
def test_agents_are_a_user_group_a_channel_or_people(make_house: Callable[..., House], agents: str) -> None:
    """Whoever is in it may flag; a colleague outside may not, however full a member."""
    house = make_house(allowing(agents))
    house.slack.add_usergroup("S0AGENTS", "agents", ["U0ANA"])
    house.slack.add_channel("C0CARE", "care", ["U0ANA"])
    assert MEMBERS_ONLY in house.look_up("U0BEN")
    house.flag("U0ANA")
    assert len(house.github.issues(REPO)) == 1


def test_a_guest_in_the_agents_channel_is_still_a_guest(make_house: Callable[..., House]) -> None:
    """Being listed does not open what is for members."""
    house = make_house(allowing("U0GUEST", "C0SUPPORT"))
    assert MEMBERS_ONLY in house.look_up("U0GUEST")


def test_somebody_new_in_the_group_may_flag_within_minutes(make_house: Callable[..., House]) -> None:
    """The group is asked again, not remembered for ever."""
    house = make_house(allowing("S0AGENTS"))
    house.slack.add_usergroup("S0AGENTS", "agents", ["U0ANA"])
    assert MEMBERS_ONLY in house.look_up("U0BEN")
    house.slack.add_usergroup("S0AGENTS", "agents", ["U0ANA", "U0BEN"])
    house.pass_time(minutes=6)
    house.flag("U0BEN")


def test_while_slack_does_not_say_who_somebody_is_nothing_is_lost(house: House) -> None:
    """Slack's own trouble: a sentence, a button to try again, and the title that was typed is still there."""
    house.slack.wire.faults.append(Fault("refuse", path="users.info", times=1))
    modal = house.look_up(text="4211 VAT is wrong in Belgium")
    assert "Slack does not tell me who you are right now" in modal
    assert "Try again in a minute." in modal

    assert house.submit() == {}
    assert "Camille Roux" in house.modal()
    assert house.submit() == {}
    assert house.issue()["title"] == "VAT is wrong in Belgium"


# --- /bug help, mine, status


def answer(house: House, text: str, person: str = "U0ANA") -> str:
    """What `/bug …` answers in the time that Slack gives."""
    assert house.slack.command(person, text, SUPPORT).ok
    house.bot.listeners.settle()
    return house.whispered(person)


def test_help_says_what_one_can_type(house: House) -> None:
    """One screen, with examples."""
    page = answer(house, "help")
    assert "I carry a ticket to an issue, and tell you when the fix has shipped, so that you can write back." in page
    for line in ("/bug 4211 flags a ticket", "/bug mine your escalations", "/bug status 4211 where a ticket"):
        assert line in page


def test_bug_alone_asks_for_the_ticket(house: House) -> None:
    """The most forgetful way to flag."""
    house.slack.command("U0ANA", "", SUPPORT)
    assert house.submit(ticket="4211") == {}
    assert house.submit(title="VAT is wrong") == {}
    assert house.issue()["title"] == "VAT is wrong"


def test_mine_lists_what_waits_and_whom_one_owes(house: House) -> None:
    """First the customers to write back to, with the button; nobody else's."""
    assert "Nothing of yours waits. Flag a ticket with /bug and its number." in answer(house, "mine")
    house.flag("U0ANA", "4211")
    house.flag("U0ANA", "4213", title="The export stops")
    house.flag("U0BEN", "4212", title="The wrong country")
    house.mend(2)
    mine = answer(house, "mine")
    assert "1 customer to write back to" in mine
    assert mine.index("ticket 4213") < mine.index("ticket 4211")
    assert "4212" not in mine

    last = house.slack.ephemerals("U0ANA")[-1]
    assert house.slack.press("U0ANA", SUPPORT, last["ts"], "write_back").ok
    assert house.submit(reply="Hello Priya, it is mended.") == {}
    assert house.replies("4213") == ["Hello Priya, it is mended."]


@pytest.mark.parametrize("reference", ["4211", "#4211", "acme/shop#1", "#1", "1", "{ticket}"])
def test_status_tells_where_it_stands_and_what_happened(house: House, reference: str) -> None:
    """By the ticket's number or address, or the issue's number."""
    house.flag()
    status = answer(house, "status " + reference.format(ticket=f"{house.zendesk.url}/agent/tickets/4211"), "U0BEN")
    assert "VAT is wrong on invoices" in status
    assert "Filed · acme/shop#1" in status
    assert "Carried from ticket 4211 by Ana Moreau." in status
    assert "Flagged (Ana Moreau)" in status


@pytest.mark.parametrize("reference", ["9999", "acme/app#1", "nonsense", "<!channel>", "9" * 400, "#²", "4211 4212"])
def test_status_of_nothing_known(house: House, reference: str) -> None:
    """Nonsense gets the next step, and calls nobody."""
    told = answer(house, f"status {reference}")
    assert "I know no ticket or issue" in told
    assert "/bug mine shows what of yours still waits." in told
    assert "<!channel>" not in house.slack.ephemerals("U0ANA")[-1]["text"]


def test_status_of_nothing_asks_of_what(house: House) -> None:
    """Half a command is answered, too."""
    assert "Say which ticket or issue: its number or its address." in answer(house, "status")


@pytest.mark.parametrize("text", ["hepl", "🐛", "-1", "4211a"])
def test_nonsense_opens_the_form_with_a_sentence(house: House, text: str) -> None:
    """What is no ticket may be a typing error: the form says so and takes the right number."""
    assert "Zendesk has no such ticket. Correct the number, or paste" in house.look_up(text=text)
    assert house.submit(ticket="4211", title="VAT is wrong") == {}
    assert house.submit() == {}
    assert len(house.notes("4211")) == 1


@pytest.mark.parametrize("text", ["please help me", "'; drop table issue"])
def test_several_words_without_a_ticket_are_asked_for_one(house: House, text: str) -> None:
    """They are kept as the title."""
    assert "Its number or its address" in house.look_up(text=text)
    assert house.submit(ticket="4211") == {}
    assert house.submit() == {}
    assert house.issue()["title"] == text
    assert len(house.notes("4211")) == 1


# --- languages


def test_times_and_customers_languages_are_told_in_the_readers_words(house: House) -> None:
    """Ana reads English, in her own time zone."""
    house.flag()
    assert "10:00" in answer(house, "status 4211")
    house.mend()
    assert "French" in house.told()[-1]


def test_a_forged_or_stale_request_is_refused(house: House) -> None:
    """Not signed, signed with another secret, or signed long ago: nothing opens, nothing is stored."""
    secret = house.slack.workspace.identity.signing_secret
    house.slack.delivery.signing_clock = lambda: house.clock.now().replace(year=2025)
    assert house.slack.command("U0ANA", "4211", SUPPORT).status == 401
    house.slack.delivery.signing_clock = house.clock.now
    assert house.slack.command("U0ANA", "mine", SUPPORT).ok
    assert secret not in house.whispered()
    assert house.slack.views("U0ANA") == []
