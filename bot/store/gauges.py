"""How much there is of what, for Prometheus: each figure is one statement that an index answers."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.model import Stage, WriteBack
from bot.store.tables import Delivery, Effect, EffectState, Issue, Lane, WriteBackRow

NOT_OVER = (EffectState.READY, EffectState.SENDING, EffectState.DOUBT, EffectState.DEAD)


def issues(session: Session) -> dict[tuple[str, Stage], int]:
    """How many issues there are by project and stage; those that another took the place of count no more."""
    query = sa.select(Issue.project, Issue.stage, sa.func.count()).where(Issue.joined.is_(None))
    return {(project, stage): n for project, stage, n in session.execute(query.group_by(Issue.project, Issue.stage))}


def write_backs(session: Session) -> dict[WriteBack, int]:
    """How many write-backs there are in each state."""
    query = sa.select(WriteBackRow.state, sa.func.count().label("n")).group_by(WriteBackRow.state)
    return {row.state: row.n for row in session.execute(query)}


def oldest_due(session: Session) -> datetime | None:
    """Since when the write-back that is due for longest has been due."""
    return session.scalar(sa.select(sa.func.min(WriteBackRow.due_at)).where(WriteBackRow.state == WriteBack.DUE))


def effects(session: Session) -> dict[tuple[str, EffectState], int]:
    """How many effects are not over, by kind and state."""
    query = sa.select(Effect.kind, Effect.state, sa.func.count()).where(Effect.state.in_(NOT_OVER))
    return {(kind, state): n for kind, state, n in session.execute(query.group_by(Effect.kind, Effect.state))}


def deliveries(session: Session) -> list[tuple[str, int, int, datetime]]:
    """Of each source that sent something: how many deliveries are kept, how many of them are read, when the last
    came."""
    last = sa.func.max(Delivery.received_at, type_=Delivery.received_at.type)
    query = sa.select(Delivery.source, sa.func.count(), sa.func.count(Delivery.read_at), last)
    return [(source, n, read, at) for source, n, read, at in session.execute(query.group_by(Delivery.source))]


def closed_lanes(session: Session, now: datetime) -> list[str]:
    """The lanes that let nothing through now."""
    return list(session.scalars(sa.select(Lane.name).where(Lane.open_at > now)))


def performed(session: Session, keys: Collection[str]) -> dict[str, datetime]:
    """When each of these effects was done last; of one that waits to be done again, since when."""
    query = sa.select(Effect.key, Effect.done_at, Effect.since).where(Effect.key.in_(keys))
    return {key: done_at or since for key, done_at, since in session.execute(query)}
