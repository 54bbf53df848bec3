"""Whose customers wait for somebody who may not be there, and what was handed over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.model import WriteBack
from bot.store.tables import Escalation, History, WriteBackRow

_OWED = (WriteBack.DUE, WriteBack.UNCERTAIN)


def owing(session: Session) -> Sequence[str]:
    """The agents, by Slack id, for whom write-backs are due."""
    query = sa.select(WriteBackRow.agent).join(Escalation, Escalation.id == WriteBackRow.escalation_id)
    query = query.where(WriteBackRow.state.in_(_OWED), Escalation.taken_off.is_(None)).distinct()
    return session.scalars(query.order_by(WriteBackRow.agent)).all()


def owed_by(session: Session, agent: str) -> Sequence[WriteBackRow]:
    """The write-backs that wait for this agent, oldest first."""
    query = (
        sa.select(WriteBackRow)
        .join(Escalation, Escalation.id == WriteBackRow.escalation_id)
        .where(WriteBackRow.agent == agent, WriteBackRow.state.in_(_OWED), Escalation.taken_off.is_(None))
        .order_by(WriteBackRow.due_at)
    )
    return session.scalars(query).all()


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
