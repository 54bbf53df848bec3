"""Fifty customers of twelve agents wait for one issue: in the end each was written to exactly once, or skipped."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from bot.model import WriteBack
from bot.store.tables import Escalation, WriteBackRow
from tests.conftest import House, said

AGENTS = [f"U0AGENT{n:02}" for n in range(12)]
GONE, AWAY, MERGED, CLOSED = AGENTS[0], AGENTS[1:3], range(3), 10


@pytest.fixture
def crowd(house: House) -> tuple[House, list[str]]:
    """All of them wait for acme/shop#1, four or five customers an agent."""
    tickets = []
    for number, agent in enumerate(AGENTS):
        email = f"agent{number}@acme.example"
        house.slack.add_person(agent, f"agent{number}", f"Agent Number{number}", email)
        house.zendesk.add_agent(f"Agent Number{number}", email)
    for n in range(50):
        name, address = f"Customer Number{n}", f"customer{n}@customer.example"
        tickets.append(house.zendesk.open_ticket("VAT", f"Invoice {n} is wrong.", name, address))
    house.flag(AGENTS[0], tickets[0])
    for n, ticket in enumerate(tickets[1:], start=1):
        assert house.slack.command(AGENTS[n % 12], f"link {ticket} acme/shop#1", "C0SUPPORT").ok
    house.settle()
    return house, tickets


def due(house: House) -> list[WriteBackRow]:
    with house.bot.store.read() as session:
        query = sa.select(WriteBackRow).join(Escalation, Escalation.id == WriteBackRow.escalation_id)
        rows = session.scalars(query.where(WriteBackRow.state == WriteBack.DUE, Escalation.taken_off.is_(None)))
        return list(rows)


def rounds(house: House, agent: str) -> list[dict[str, Any]]:
    return [one for one in house.slack.dm(agent) if one["metadata"]["event_payload"]["key"].startswith("told:")]


def test_each_customer_is_written_to_once_or_skipped_with_a_reason(crowd: tuple[House, list[str]]) -> None:
    """One agent left, two are on leave, three tickets were merged into others, one is closed; replies are counted where
    the customers get them."""
    house, tickets = crowd
    house.mend()
    assert [len(rounds(house, agent)) for agent in AGENTS] == [1] * 12
    house.pass_time(minutes=3)
    for n in MERGED:  # a second ticket of somebody who has one already, of another agent
        house.zendesk.merge(tickets[20 + n], tickets[30 + n], "agent4@acme.example")
    house.zendesk.close(tickets[CLOSED])
    before = {str(one["number"]) for one in house.zendesk.tickets()}
    house.slack.leave(GONE)
    for agent in AWAY:
        house.slack.set_status(agent, ":palm_tree:")
    house.pass_time(hours=3)
    house.bot.schedule.tick_there()
    house.settle()
    offered = [one for one in house.slack.messages("C0SUPPORTDEV") if "take_over" in str(one.get("blocks"))]
    assert len(offered) == 3
    for one in offered:
        assert house.slack.press(AGENTS[5], "C0SUPPORTDEV", one["ts"], "take_over").ok
    house.settle()
    house.pass_time(minutes=2)
    left = due(house)
    assert {row.agent for row in left} == set(AGENTS[3:])
    assert len(left) == 47
    write(house)
    house.pass_time(minutes=2)
    with house.bot.store.read() as session:
        rows = session.scalars(sa.select(WriteBackRow)).all()
        states = [row.state for row in rows]
        assert sorted(set(states)) == ["skipped", "written"]
        assert all(row.reason for row in rows if row.state is WriteBack.SKIPPED)
    received = {number: len(house.replies(number)) for number in before}
    follow_ups = [str(one["number"]) for one in house.zendesk.tickets() if str(one["number"]) not in before]
    assert [len(house.replies(number)) for number in follow_ups] == [1]
    none = {tickets[20 + n] for n in MERGED} | {tickets[CLOSED], tickets[49]}
    assert {number for number in tickets if received[number] == 0} == none
    assert {received[number] for number in tickets} == {0, 1}


def write(house: House) -> None:
    """Each agent writes: to several at once where they can, the last customer is skipped."""
    last = max(due(house), key=lambda row: row.due_at.timestamp() * 0 + int(number(house, row)))
    for agent in AGENTS[3:]:
        message = rounds(house, agent)[-1]
        while mine := [row for row in due(house) if row.agent == agent and row.id != last.id]:
            own = [one for one in rounds(house, agent) if mine[0].id in str(one)] or [message]
            if (
                len(mine) > 1
                and "write_many" in str(own[-1]["blocks"])
                and several(house, agent, own[-1]["ts"], last.id)
            ):
                continue
            assert house.slack.press(agent, house.slack.dm_channel(agent), own[-1]["ts"], "write_back").ok
            house.bot.listeners.settle()
            assert house.submit(agent, reply="Your invoices are right again.") == {}
    for row in [row for row in due(house) if row.id == last.id]:
        own = [one for one in rounds(house, row.agent) if row.id in str(one)]
        assert house.slack.press(row.agent, house.slack.dm_channel(row.agent), own[-1]["ts"], "skip").ok
        assert house.submit(row.agent, reason="They left us last week.") == {}


def number(house: House, row: WriteBackRow) -> str:
    with house.bot.store.read() as session:
        return session.get_one(WriteBackRow, row.id).escalation.ticket.number or "0"


def several(house: House, agent: str, ts: str, but: str) -> bool:
    """Read each, tick each but one, and send; False where there are no two."""
    assert house.slack.press(agent, house.slack.dm_channel(agent), ts, "write_many").ok
    view = house.slack.views(agent)[-1]
    if view.get("callback_id") != "write_many":
        house.slack.close_view(view["id"])
        return False
    assert "Invoice" in said(view)
    ids = [one.partition(":")[0] for one in json.loads(view["private_metadata"])]
    assert house.submit(agent, reply="Hello.") == {"reply": "Tick each customer whom your reply fits."}
    ticked = {f"fits:{one}": [one] for one in ids if one != but}
    assert house.submit(agent, reply="Your invoices are right again.", **ticked) == {}
    return True


def test_a_round_of_fifty_is_read_in_pages(house: House) -> None:
    """One message, within Slack's limits; behind its button all of them, with what each wrote."""
    tickets = [
        house.zendesk.open_ticket("VAT", f"Invoice {n} is wrong.", f"Customer Number{n}", f"c{n}@customer.example")
        for n in range(50)
    ]
    house.flag("U0ANA", tickets[0])
    for ticket in tickets[1:]:
        assert house.slack.command("U0ANA", f"link {ticket} acme/shop#1", "C0SUPPORT").ok
    house.settle()
    house.mend()
    (message,) = rounds(house, "U0ANA")
    assert "See all 50 customers" in said(message)
    house.press("U0ANA", "crowd")
    seen: set[str] = set()
    for _ in range(4):
        view = house.slack.views("U0ANA")[-1]
        seen |= {one for one in tickets if f"ticket {one}" in said(view)}
        if "crowd_further" not in str(view):
            break
        assert house.slack.press_in_view(view["id"], "crowd_further").ok
    assert seen == set(tickets)
    first = house.slack.views("U0ANA")[-1]
    assert house.slack.press_in_view(first["id"], "write_back").ok
    house.bot.listeners.settle()
    assert house.submit(reply="Your invoice is right again.") == {}
    assert sum(len(house.replies(ticket)) for ticket in tickets) == 1
