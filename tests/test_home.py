"""The Home tab: what waits for an agent, a Support Dev and a lead, and what they do there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from integrations.sandbox.wire import Fault
from tests.conftest import REPO, House, said

SUPPORT = "C0SUPPORT"


def open_home(house: House, person: str = "U0ANA") -> str:
    """Open the tab, and read it once it is shown."""
    house.slack.open_home(person)
    return seen(house, person)


def view(house: House, person: str = "U0ANA") -> dict[str, Any]:
    house.bot.listeners.settle()
    return dict(house.slack.workspace.homes[person].shown())


def seen(house: House, person: str = "U0ANA") -> str:
    """What the tab says now."""
    return said(view(house, person))


def press(house: House, action: str, value: Any = None, person: str = "U0ANA", index: int = 0) -> str:
    """Press or choose something in the tab; returns what it says then."""
    assert house.slack.press_in_view(view(house, person)["id"], action, value, index).ok
    house.settle()
    return seen(house, person)


def actions(house: House, person: str = "U0ANA") -> set[str]:
    """The buttons that the tab offers."""
    found = set()
    for block in view(house, person)["blocks"]:
        found |= {one["action_id"] for one in block.get("elements", []) if "action_id" in one}
    return found


# --- an agent


def test_an_agent_sees_whom_to_write_to_first(house: House) -> None:
    """Write-backs with language, wait and proof, then the others by stage; nobody else's."""
    house.flag("U0ANA", "4211")
    house.flag("U0ANA", "4213", title="The export stops")
    house.flag("U0BEN", "4212", title="The wrong country")
    house.mend(2)
    home = open_home(house)
    assert "1 customer to write back to" in home
    assert "Priya" in home
    assert "Fixed in v2.5.0: The export stops" in home
    assert "merged in #" in home
    assert home.index("ticket 4213") < home.index("Filed · 1 customer") < home.index("ticket 4211")
    assert "French · waiting for" in home
    assert "4212" not in home


def test_written_back_from_home_it_is_off_the_list(house: House) -> None:
    """The modal's answer brings the tab up to date by itself."""
    house.flag()
    house.mend()
    open_home(house)
    press(house, "write_back")
    assert house.submit(reply="Bonjour, c’est réparé.") == {}
    assert house.replies() == ["Bonjour, c’est réparé."]
    assert "Nothing of yours waits. Flag a ticket with /bug and its number." in seen(house)


def test_written_elsewhere_takes_one_press(house: House) -> None:
    """The button in the row; and one pressed in the message brings the tab up to date too."""
    house.flag("U0ANA", "4211")
    house.flag("U0ANA", "4212", title="The wrong country")
    house.mend(1)
    house.mend(2, "v2.6.0")
    assert "2 customers to write back to" in open_home(house)
    assert "1 customer to write back to" in press(house, "mark_written")
    house.press("U0ANA", "mark_written")
    assert "Nothing of yours waits" in seen(house)


def test_a_reply_in_doubt_says_so(house: House) -> None:
    """The row asks to look, as the message does."""
    house.flag()
    house.mend()
    house.zendesk.wire.faults.append(Fault("drop_after", "PUT", r"/tickets/4211\.json"))
    house.zendesk.wire.faults.append(Fault("refuse", "GET", r"/tickets/4211/audits", status=404, times=None))
    house.write_back()
    house.pass_time(minutes=10)
    home = open_home(house)
    assert "May or may not have gone out: look at the ticket." in home
    assert "It is there" in home


# --- a Support Dev


def test_the_queue_is_ordered_by_customers_and_age(house: House) -> None:
    """More customers, or older, comes first; each with stage, severity and who has it."""
    house.flag("U0ANA", "4211")
    house.pass_time(days=1)
    house.flag("U0ANA", "4212", title="The wrong country", severity="high")
    house.pass_time(hours=13)
    home = open_home(house, "U0LEO")
    assert "2 issues in the queue" in home
    assert home.index("VAT is wrong") < home.index("The wrong country")
    assert "○ Filed · High · 1 customer · 13 hours · Léo Martin" in home
    house.slack.command("U0BEN", "link 4213 #2", SUPPORT)
    house.slack.command("U0BEN", "link 4214 #2", SUPPORT)
    house.settle()
    home = press(house, "home_refresh", person="U0LEO")
    assert home.index("The wrong country") < home.index("VAT is wrong")
    assert "3 customers" in home


def test_a_customer_is_not_named_in_the_queue(house: House) -> None:
    """Developers read numbers there; words and names stay with support."""
    house.flag()
    home = open_home(house, "U0LEO")
    assert "VAT is wrong" in home
    assert "Camille" not in home


def test_acknowledged_from_home(house: House) -> None:
    """The row, the card and the tab agree at once; the other buttons open their modals."""
    house.flag()
    open_home(house, "U0LEO")
    assert "◐ In hand" in press(house, "acknowledge", person="U0LEO")
    assert "In hand" in house.card()
    assert "acknowledge" not in actions(house, "U0LEO")
    press(house, "decline", person="U0LEO")
    assert house.submit("U0LEO", reason="Not before May.") == {}
    assert "The queue is empty." in seen(house, "U0LEO")


# --- a lead


def test_a_lead_sees_the_team(house: House) -> None:
    """How many wait, who owes how much, what nobody took; then the write-backs themselves."""
    house.flag("U0ANA", "4211")
    house.flag("U0BEN", "4212", title="The wrong country")
    house.mend(1)
    home = open_home(house, "U0MAYA")
    assert "1 customer waits for an end." in home
    assert "1 write-back is due." in home
    assert "Ana Moreau: 1" in home
    assert f"{REPO}#2 The wrong country" in home
    assert "Ana Moreau owes this." in home
    assert "Camille Roux" in home


def test_one_person_may_be_several(house: House) -> None:
    """Buttons turn from one list to the other; an agent who is nothing else has none."""
    house.flag("U0MAYA", "4211")
    open_home(house, "U0MAYA")
    assert {"home_mine", "home_queue", "home_team"} <= actions(house, "U0MAYA")
    assert "ticket 4211" in press(house, "home_mine", person="U0MAYA")
    assert "1 issue in the queue" in press(house, "home_queue", person="U0MAYA")
    open_home(house)
    assert not {"home_mine", "home_queue", "home_team"} & actions(house)


# --- finding


@pytest.fixture
def crowd(make_house: Callable[..., House]) -> House:
    """Thirty tickets of one agent on two issues, of two projects."""
    house = make_house(gitlab=True)
    house.flag("U0ANA", "4211", project="shop")
    house.flag("U0ANA", "4212", title="The app is slow", project="app", severity="low", kind="tooling")
    for number in range(5000, 5030):
        house.slack.command("U0ANA", f"link {number} acme/shop#1", SUPPORT)
    house.settle()
    return house


def test_pages(crowd: House) -> None:
    """A dozen rows at a time, forth and back."""
    assert "1 to 12 of 32" in open_home(crowd)
    assert "13 to 24 of 32" in press(crowd, "home_further")
    assert "25 to 32 of 32" in press(crowd, "home_further")
    assert "home_further" not in actions(crowd)
    assert "13 to 24 of 32" in press(crowd, "home_back")
    assert "13 to 24 of 32" in open_home(crowd), "who comes back finds the page again"


def test_filters(crowd: House) -> None:
    """Project, stage, severity and kind; cleared, all is there again, and the selects say so."""
    open_home(crowd)
    for action, value in (("home_project", "app"), ("home_severity", "low"), ("home_kind", "tooling")):
        home = press(crowd, action, value)
        assert "ticket 4212" in home
        assert "ticket 4211" not in home
        assert "1 to 12 of 32" in press(crowd, "home_clear")
    assert "Nothing fits. Clear the filters to see all." in press(crowd, "home_stage", "shipped")
    assert "1 to 12 of 32" in press(crowd, "home_stage", "all")


def test_search(crowd: House) -> None:
    """Words of the title, a ticket's number, an issue's number; in the queue too."""
    open_home(crowd)
    home = press(crowd, "home_search", "SLOW app")
    assert "ticket 4212" in home
    assert "ticket 4211" not in home
    home = press(crowd, "home_search", "5017")
    assert "ticket 5017" in home
    assert "ticket 5018" not in home
    assert "Nothing fits." in press(crowd, "home_search", "100%_\\' OR 1=1")
    assert "1 to 12 of 32" in press(crowd, "home_search", "")
    open_home(crowd, "U0LEO")
    home = press(crowd, "home_search", "5017", "U0LEO")
    assert "VAT is wrong" in home
    assert "slow" not in home


# --- who sees nothing


@pytest.mark.parametrize("person", ["U0GUEST", "U0STRANGER"])
def test_guests_and_strangers_read_one_sentence(house: House, person: str) -> None:
    """Not a word of any customer, also when they press what a tab of theirs never had."""
    house.slack.add_person("U0STRANGER", "sam", "Sam Stranger", "", stranger=True)
    house.flag()
    home = open_home(house, person)
    assert home == "I carry support tickets to developers, for the support team here. Ask your lead to add you."


def test_the_messages_tab_is_not_the_home(house: House) -> None:
    """Slack says which tab was opened."""
    house.slack.event({"type": "app_home_opened", "user": "U0ANA", "channel": "D0ANA", "tab": "messages"})
    house.bot.listeners.settle()
    assert "U0ANA" not in house.slack.workspace.homes


def test_what_fails_is_not_repeated(house: House) -> None:
    """The event is acknowledged whatever Slack says; the next opening shows the tab."""
    house.slack.wire.faults.append(Fault("refuse", "POST", "views.publish"))
    assert house.slack.event({"type": "app_home_opened", "user": "U0ANA", "channel": "D0ANA", "tab": "home"}).ok
    house.bot.listeners.settle()
    assert "U0ANA" not in house.slack.workspace.homes
    assert "Nothing of yours waits" in open_home(house)


def test_nonsense_in_a_view_is_the_beginning(house: House) -> None:
    """What a view carries is never trusted: nonsense in it is the beginning."""
    house.flag()
    for metadata in ("", "[]", "{", '{"page": "x"}', '{"stage": "gone", "page": -3, "tab": "team", "project": "?"}'):
        shown = {"private_metadata": metadata}
        event = {"type": "app_home_opened", "user": "U0ANA", "channel": "D0ANA", "tab": "home", "view": shown}
        assert house.slack.event(event).ok
        assert "ticket 4211" in seen(house)
