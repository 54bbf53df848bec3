"""What becomes of a Zendesk ticket: merged, held, closed and followed up; and how it is told without webhooks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from integrations.base import Rejected, TicketTouched, Unavailable, Watch
from integrations.sandbox.zendesk import ZendeskStandIn
from integrations.zendesk import Zendesk
from tests.integrations.zendesk_world import Moving, ZendeskWorld


@pytest.fixture
def desk() -> Iterator[ZendeskStandIn]:
    desk = ZendeskStandIn(Moving()).start()
    desk.add_agent("Ana Moreau", "ana@acme.example")
    yield desk
    desk.stop()


@pytest.fixture
def world(desk: ZendeskStandIn) -> ZendeskWorld:
    return ZendeskWorld(desk)


@pytest.fixture
def helpdesk(world: ZendeskWorld) -> Zendesk:
    return world.helpdesk()


# --- merged, held, followed up ----------------------------------------------------------------------------------------


def test_merges_are_followed_to_the_last_ticket(helpdesk: Zendesk, world: ZendeskWorld) -> None:
    """Also where the audit names no ticket and only the merge's own sentence does; never in a circle."""
    first, second, third = (world.open_ticket(f"Basket {n}", "Empty.") for n in range(3))
    world.merge(first, second)
    world.merge(second, third)
    assert helpdesk.ticket(first).number == third
    world.desk.record(first)["audits"][-1]["via"] = {"channel": "web", "source": {"from": {}, "to": {}, "rel": None}}
    assert helpdesk.ticket(first).number == third
    for event in world.desk.record(second)["audits"][-1]["events"]:
        event["body"] = "Fusionné."
    assert helpdesk.ticket(second).number == third
    world.merge(third, first)
    assert helpdesk.ticket(first).number in (first, third)
    assert helpdesk.ticket(first).status == "closed"


def test_a_merge_is_found_in_whatever_order_the_history_is_told(helpdesk: Zendesk, world: ZendeskWorld) -> None:
    """Of a ticket that was archived it is told oldest first: what the customer once wrote is no sign of where to go."""
    first, second, third = (world.open_ticket(f"Basket {n}", "As in #4213.") for n in range(3))
    world.merge(first, second)
    world.spoil(lambda answer: answer | {"audits": answer["audits"][::-1]} if "audits" in answer else answer)
    assert (third, helpdesk.ticket(first).number) == ("4213", second)
    world.desk.record(first)["audits"][-1]["via"] = {"channel": "web", "source": {"from": {}, "to": {}, "rel": None}}
    assert helpdesk.ticket(first).number == second


def test_a_ticket_that_only_looks_merged_stays_itself(helpdesk: Zendesk, world: ZendeskWorld) -> None:
    """A follow-up has its parent's tags; and what took its place may be deleted."""
    first, second = world.open_ticket("Basket", "Empty."), world.open_ticket("Pay", "Grey.")
    world.merge(first, second)
    made = helpdesk.follow_up(first, f"As in #{second}.", "k1")
    assert world.tags(made.number) == ["closed_by_merge"]
    world.close(made.number)
    assert helpdesk.ticket(made.number).number == made.number
    world.delete(second)
    assert helpdesk.ticket(first).number == first


def test_hold_is_left_alone_where_the_account_has_none(helpdesk: Zendesk, world: ZendeskWorld) -> None:
    """On-hold is a status that an administrator switches on."""
    number = world.open_ticket("Basket", "Empty.")
    world.desk.on_hold = False
    helpdesk.hold(number, True)
    assert world.status(number) == "open"


def test_hold_yields_to_whoever_changes_the_ticket_at_the_same_moment(helpdesk: Zendesk, world: ZendeskWorld) -> None:
    """It is certainly not done, so that it can be looked at again."""
    number = world.open_ticket("Basket", "Empty.")
    world.spoil(lambda answer: answer | {"ticket": {**answer.get("ticket", {}), "updated_at": "2026-01-01T00:00:00Z"}})
    with pytest.raises(Unavailable) as conflict:
        helpdesk.hold(number, True)
    assert (conflict.value.maybe_done, world.status(number)) == (False, "open")


def test_an_open_ticket_gets_no_follow_up(helpdesk: Zendesk, world: ZendeskWorld) -> None:
    """Zendesk would make an unrelated ticket of it; nothing empty is sent, either."""
    number = world.open_ticket("Basket", "Empty.")
    with pytest.raises(Rejected, match="is not closed"):
        helpdesk.follow_up(number, "Done.", "k1")
    world.close(number)
    with pytest.raises(Rejected, match="empty"):
        helpdesk.follow_up(number, " ", "k1")
    assert world.writes() == 0


def test_a_follow_up_refers_to_its_ticket_and_is_by_the_agent(helpdesk: Zendesk, world: ZendeskWorld) -> None:
    """The same subject, the same customer; and what follows it is an ordinary ticket."""
    number = world.open_ticket("Basket", "Empty.")
    world.close(number)
    made = helpdesk.follow_up(number, "Done.", "k1", "ana@acme.example")
    record = world.desk.record(made.number)
    assert record["via"]["source"] == {
        "from": {"ticket_id": int(number), "subject": "Basket"},
        "to": {},
        "rel": "follow_up",
    }
    assert [(said.role, said.author) for said in helpdesk.ticket(made.number).messages] == [("agent", "Ana Moreau")]
    assert helpdesk.marked(made.number, "k1") is not None


def test_a_page_to_sign_in_with_is_not_taken_for_a_file(helpdesk: Zendesk, world: ZendeskWorld) -> None:
    """What a brand's address sends us to where attachments are private: the issue would show it as a screenshot."""
    number = world.open_ticket("Basket", "Empty.")
    world.attach(number, "pay.png", b"\x89PNG")
    [shot] = helpdesk.ticket(number).messages[-1].attachments
    page = b"\n<!DOCTYPE html><title>Sign in</title>"
    world.answer(200, {"Content-Type": "text/html"}, page)
    with pytest.raises(Rejected, match="sign in"):
        helpdesk.download(shot)
    assert helpdesk.download(replace(shot, content_type="text/html")) == page


def test_fields_of_ticket_customer_and_organisation_are_told(helpdesk: Zendesk, world: ZendeskWorld) -> None:
    """Those that the configuration names, in its words, where they have a value."""
    number = world.open_ticket("Basket", "Empty.")
    record = world.desk.record(number)
    world.desk.users[record["requester_id"]]["user_fields"] = {"tier": 2}
    record["custom_fields"] = [{"id": 360001, "value": None}, {"id": 360002, "value": ["pay", "basket"]}]
    assert helpdesk.ticket(number).fields == (("Tier", "2"), ("Topics", "pay, basket"))


def test_the_last_word_of_a_very_long_ticket_is_read(helpdesk: Zendesk, world: ZendeskWorld) -> None:
    """A ticket can have 5,000 comments; the last are those that tell whether a customer was answered."""
    number = world.open_ticket("Basket", "Empty.")
    customer = world.desk.record(number)["requester_id"]
    for at in range(2_010):
        world.desk.comment(int(number), customer, f"{at}")
    assert helpdesk.ticket(number).messages[-1].text == "2009"


def test_more_than_one_look_can_read_is_read_in_the_next_ones(helpdesk: Zendesk, world: ZendeskWorld) -> None:
    """After a long outage: all of them, and also what moved while they were read."""
    old = world.open_ticket("Basket", "Empty.")
    _, watch = helpdesk.poll(Watch())
    opened = {world.open_ticket(f"Ticket {n}", "Empty.") for n in range(620)}
    events, watch = helpdesk.poll(watch)
    world.customer_writes(old, "Still.")
    told, looks = {*events}, 0
    while events:
        events, watch = helpdesk.poll(watch)
        told, looks = told | {*events}, looks + 1
    assert {TicketTouched(number) for number in {*opened, old}} <= told
    assert looks < 5
    assert helpdesk.poll(watch) == ([], watch)


def test_two_changes_within_one_second_are_both_told(helpdesk: Zendesk, world: ZendeskWorld) -> None:
    """The second one after we looked: a ticket may be told twice, but is not missed."""
    one, other = world.open_ticket("Basket", "Empty."), world.open_ticket("Pay", "Grey.")
    _, watch = helpdesk.poll(Watch())
    world.customer_writes(one, "Still.")
    _, watch = helpdesk.poll(watch)
    world.desk.customer_writes(other, "Still.")
    world.desk.record(other)["updated_at"] = world.desk.record(one)["updated_at"]
    events, _ = helpdesk.poll(watch)
    assert TicketTouched(other) in events


def test_a_second_address_of_another_customer_finds_nothing(helpdesk: Zendesk, world: ZendeskWorld) -> None:
    """Zendesk's search finds parts of addresses."""
    world.open_ticket("Basket", "Empty.")
    assert helpdesk.tickets_of("zoe@customer.exampl") == []
