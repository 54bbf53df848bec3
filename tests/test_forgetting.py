"""Retention: what is old and done with is forgotten, and nothing that anybody still owes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings, strategies as st

from bot.model import OWED, WAITING, News, Stage, WriteBack
from bot.store.tables import (
    Delivery,
    Draft,
    Effect,
    EffectState,
    Escalation,
    Issue,
    NewsItem,
    Slot,
    Ticket,
    WriteBackRow,
)
from tests.conftest import House
from tests.test_schedule import Crew

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
KEPT = 180
"""Days that the configuration keeps customers' words."""


@pytest.fixture(scope="module")
def crew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    crew = Crew(House(tmp_path_factory.mktemp("crew")))
    yield crew
    for bot in crew.bots[1:]:
        bot.close()
    crew.house.close()


WRITE_BACKS = st.lists(st.tuples(st.sampled_from(list(WriteBack)), st.integers(0, 400)), max_size=3)
ESCALATIONS = st.lists(
    st.tuples(st.sampled_from(list(Stage)), st.integers(0, 400), WRITE_BACKS), min_size=1, max_size=2
)


def days_ago(days: int) -> datetime:
    return NOW - timedelta(days=days)


def issue_at(stage: Stage, since: datetime) -> Issue:
    return Issue(
        **{"project": "shop", "tracker": "github", "repository": "acme/shop", "number": None, "title": "It breaks"},
        **{"kind": "bug", "severity": "normal", "stage": stage, "stage_since": since, "created_at": since},
        **{"channel": "C0SUPPORTDEV", "heard_until": None, "reopened_at": None},
    )


def carry(ticket: Ticket, stage: Stage, since: datetime, write_backs: list[tuple[WriteBack, int]]) -> Issue:
    """An issue with one escalation of `ticket`, and what is owed for it."""
    issue = issue_at(stage, since)
    escalation = Escalation(
        ticket=ticket, issue=issue, agent="U0ANA", title="It breaks", summary="She wrote: argh", flagged_at=since
    )
    for number, (state, days) in enumerate(write_backs):
        done = None if state in OWED else days_ago(days)
        news = NewsItem(issue=issue, kind=News.SHIPPED, cause=str(number), at=since)
        escalation.write_backs.append(
            WriteBackRow(news=news, agent="U0ANA", state=state, due_at=since, done_at=done, text="Dear Marie")
        )
    return issue


@settings(max_examples=60, deadline=None)
@given(tickets=st.lists(ESCALATIONS, min_size=1, max_size=5))
def test_nothing_that_is_owed_is_forgotten_and_all_else_is(crew: Crew, tickets: list[list[Any]]) -> None:
    """A customer's words stay while anybody owes them anything, and for the time that the configuration says after
    that; then their name, address and words are gone."""
    crew.begin(NOW, idle=True)
    owed: dict[str, bool] = {}
    with crew.bots[0].store.write() as session:
        for escalations in tickets:
            ticket = Ticket(helpdesk=None, number=None, waiting_since=days_ago(400))
            ticket.customer_name, ticket.customer_email, ticket.words = "Marie Curie", "marie@example.com", "argh"
            session.add_all(carry(ticket, stage, days_ago(days), rows) for stage, days, rows in escalations)
            session.flush()
            owed[ticket.id] = any(
                stage in WAITING or days <= KEPT or any(state in OWED or ago <= KEPT for state, ago in rows)
                for stage, days, rows in escalations
            )
    crew.bots[1].schedule.tick_forget()
    with crew.bots[2].store.read() as session:
        for ticket in session.scalars(sa.select(Ticket)):
            kept = ("Marie Curie", "marie@example.com", "argh") if owed[ticket.id] else ("", "", "")
            assert (ticket.customer_name, ticket.customer_email, ticket.words) == kept
        for escalation in session.scalars(sa.select(Escalation)):
            assert bool(escalation.summary) is owed[escalation.ticket_id]
            assert all(bool(row.text) is owed[escalation.ticket_id] for row in escalation.write_backs)


def test_old_deliveries_and_drafts_go_and_unread_ones_stay(crew: Crew) -> None:
    """What was read long ago is dropped with the effect that read it; what nobody has read yet is not."""
    crew.begin(NOW, idle=True)
    ages = {"old": 31, "young": 29, "unread": 99}
    with crew.bots[0].store.write() as session:
        for name, days in ages.items():
            at, read_at = days_ago(days), None if name == "unread" else days_ago(days)
            session.add(
                Delivery(
                    source="github",
                    sender_id=name,
                    body_hash=name,
                    headers={},
                    body=b"",
                    received_at=at,
                    read_at=read_at,
                )
            )
            state = EffectState.READY if name == "unread" else EffectState.DONE
            session.add(
                Effect(key=name, kind="delivery", subject=name, state=state, next_at=at, since=at, done_at=read_at)
            )
        for days in (1, 8):
            draft = Draft(person="U0ANA", ticket=None, allowed=None, escalation_id=None, created_at=days_ago(days))
            session.add(draft)
    crew.bots[0].schedule.tick_forget()
    with crew.bots[0].store.read() as session:
        assert set(session.scalars(sa.select(Delivery.sender_id))) == {"young", "unread"}
        assert set(session.scalars(sa.select(Effect.key))) == {"young", "unread"}
        assert list(session.scalars(sa.select(Draft.created_at))) == [days_ago(1)]


def test_forgetting_is_done_once_a_day(crew: Crew) -> None:
    """Every process asks every hour; one a day does the work, and old slots do not pile up."""
    crew.begin(NOW, idle=True)
    for _ in range(96):
        for bot in crew.bots:
            bot.schedule.tick_forget()
            bot.schedule.tick_polls()
        crew.clock.advance(timedelta(hours=1))
    with crew.bots[0].store.read() as session:
        forget = session.scalars(sa.select(Slot.due).where(Slot.job == "forget").order_by(Slot.due)).all()
        polls = session.scalar(sa.select(sa.func.count()).where(Slot.job == "poll")) or 0
    assert [slot.day for slot in forget] == [3, 4, 5]
    assert polls < 72
