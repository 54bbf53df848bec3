"""Whose customers wait for somebody who may not be there, and what was handed over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.model import Confirmation, WriteBack
from bot.store.tables import Effect, EffectState, Escalation, Hearing, History, WriteBackRow

_OWED = (WriteBack.DUE, WriteBack.UNCERTAIN)


def owing(session: Session, since: datetime) -> Sequence[str]:
    """The agents, by Slack id, for whom write-backs are due, or whose customers answered since then."""
    query = sa.select(WriteBackRow.agent).join(Escalation, Escalation.id == WriteBackRow.escalation_id)
    query = query.where(WriteBackRow.state.in_(_OWED), Escalation.taken_off.is_(None))
    heard = sa.select(Escalation.agent).join(WriteBackRow, Escalation.id == WriteBackRow.escalation_id)
    heard = heard.where(_answered(since), Escalation.taken_off.is_(None))
    return sorted({*session.scalars(query.distinct()), *session.scalars(heard.distinct())})


def _answered(since: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(WriteBackRow.confirmation == Confirmation.ANSWERED, WriteBackRow.confirmed_at >= since)


def answered_to(session: Session, agent: str, since: datetime) -> Sequence[WriteBackRow]:
    """The write-backs of this agent's customers who answered since then, where nobody said what it means."""
    query = sa.select(WriteBackRow).join(Escalation, Escalation.id == WriteBackRow.escalation_id)
    return session.scalars(
        query.where(Escalation.agent == agent, _answered(since), Escalation.taken_off.is_(None))
    ).all()


def offered(session: Session, agent: str) -> dict[str, datetime]:
    """The write-backs of an agent that the channel was asked for, or is to be, and since when: what was given up is
    asked again."""
    query = sa.select(Effect.payload, Effect.since).where(
        Effect.subject == f"offer:{agent}", Effect.state != EffectState.DEAD
    )
    return {
        row: at
        for payload, at in session.execute(query.order_by(Effect.since))
        for row in payload.get("write_backs") or ()
    }


def owed_by(session: Session, agent: str) -> Sequence[WriteBackRow]:
    """The write-backs that wait for this agent, oldest first."""
    query = (
        sa.select(WriteBackRow)
        .join(Escalation, Escalation.id == WriteBackRow.escalation_id)
        .where(WriteBackRow.agent == agent, WriteBackRow.state.in_(_OWED), Escalation.taken_off.is_(None))
        .order_by(WriteBackRow.due_at)
    )
    return session.scalars(query).all()


def untold(session: Session, agent: str) -> Sequence[str]:
    """The keys of the messages about what an agent owes that were given up."""
    here = sa.and_(WriteBackRow.escalation_id == Hearing.escalation_id, WriteBackRow.news_id == Hearing.news_id)
    owed = sa.select(sa.literal("told:") + Hearing.round_id + f":{agent}").join(WriteBackRow, here)
    owed = owed.where(Hearing.person == agent, WriteBackRow.agent == agent, WriteBackRow.state.in_(_OWED))
    query = sa.select(Effect.key).where(Effect.subject == f"dm:{agent}", Effect.state == EffectState.DEAD)
    return session.scalars(query.where(Effect.key.in_(owed))).all()


def times(session: Session, escalation_id: str) -> int:
    """How often an escalation was handed over."""
    session.flush()
    query = sa.select(sa.func.count()).where(History.escalation_id == escalation_id, History.what == "handed_over")
    return session.scalar(query) or 0


def since(session: Session, escalation_id: str) -> datetime | None:
    """When an escalation was handed over last."""
    query = sa.select(sa.func.max(History.at)).where(
        History.escalation_id == escalation_id, History.what == "handed_over"
    )
    return session.scalar(query)
