"""A ticket is kept under the number that people know it by, whatever number or address was typed."""

from __future__ import annotations

from datetime import timedelta

from integrations.sandbox.wire import Fault
from tests.conftest import REPO, House
from tests.test_subcommands import ask, table


def merge(house: House, number: str = "4211", into: str = "4212") -> None:
    house.zendesk.merge(number, into, "ana@acme.example")


def test_a_merged_ticket_is_carried_under_its_surviving_number(house: House) -> None:
    """The issue names the ticket whose customer will be answered, and that one gets the note."""
    merge(house)
    house.flag(text="4211")
    assert f"[Zendesk 4212]({house.zendesk.url}/agent/tickets/4212)" in house.issue()["body"]
    assert any("Carried to acme/shop#1" in note for note in house.notes("4212"))
    assert not any("Carried" in note for note in house.notes("4211"))


def test_a_merged_ticket_is_known_as_the_one_that_is_carried_already(house: House) -> None:
    """Whoever types the old number learns that it waits on an issue, and no second one is made."""
    house.flag(text="4212")
    merge(house)
    house.flag("U0BEN", text="4211")
    assert len(house.github.issues(REPO)) == 1
    assert any("4212" in text for text in house.told("U0BEN"))


def test_a_merged_ticket_is_let_go_of_by_its_old_number(house: House) -> None:
    """`/bug unlink` understands the number that the person remembers."""
    house.flag(text="4212")
    merge(house)
    assert "Ticket 4212 is off acme/shop#1." in ask(house, "unlink 4211")


def test_a_ticket_flagged_while_the_helpdesk_is_down_is_found_out_later(house: House) -> None:
    """When it is back, the ticket goes on under the number that survived."""
    merge(house)
    house.zendesk.wire.faults.append(Fault("refuse", path="/tickets/4211", times=3))
    house.flag(text="4211")
    house.pass_time(hours=1)
    assert any("Carried to acme/shop#1" in note for note in house.notes("4212"))
    assert "4212" in table(house)


def test_a_customers_address_finds_their_ticket(house: House) -> None:
    """The one that moved last, an open one before those that are done; somebody unknown has none."""
    customer = house.zendesk.ticket("4211")["customer"]
    newer = house.zendesk.open_ticket("Cart", "It forgets.", customer["name"], customer["email"])
    house.clock.advance(timedelta(minutes=1))
    assert f"icket {newer}" in house.look_up(text=customer["email"])
    house.zendesk.set_status(newer, "solved")
    assert "icket 4211" in house.look_up(text=customer["email"])
    assert "Zendesk has no such ticket." in house.look_up(text="nobody@customer.example")
