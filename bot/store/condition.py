"""How the house itself is: webhooks, promised calls, lanes, looks at the trackers, and what happened by the clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.store.board import MOST
from bot.store.tables import UNDONE, Delivery, Effect, EffectState, Lane, Slot

LOOKS = ("poll", "mirror", "examine", "watch")
"""The kinds of effects that ask a tracker or a helpdesk what is new."""

JOBS = ("poll", "redeliver", "glances", "mirror", "reminders", "checks", "forget")
"""What the scheduler does beside digests; other slots are told by the things that they are about."""


@dataclass(frozen=True, slots=True)
class Post:
    """The deliveries of one source."""

    source: str
    count: int
    read: int
    last: datetime

    @property
    def unread(self) -> int:
        return self.count - self.read


@dataclass(frozen=True, slots=True)
class Pile:
    """Effects of one kind in one state; `since` is when the first was promised."""

    kind: str
    state: EffectState
    count: int
    since: datetime


def deliveries(session: Session) -> Sequence[Post]:
    """What came from each source, as far as it is kept."""
    last = sa.func.max(Delivery.received_at, type_=Delivery.received_at.type)
    query = sa.select(Delivery.source, sa.func.count(), sa.func.count(Delivery.read_at), last)
    return [Post(*row) for row in session.execute(query.group_by(Delivery.source).order_by(Delivery.source))]


def piles(session: Session) -> Sequence[Pile]:
    """What is not done, by kind and state: on its way, in doubt, given up."""
    since = sa.func.min(Effect.since, type_=Effect.since.type)
    query = (
        sa.select(Effect.kind, Effect.state, sa.func.count(), since)
        .where(Effect.state.in_([*UNDONE, EffectState.DEAD]))
        .group_by(Effect.kind, Effect.state)
        .order_by(Effect.kind, Effect.state)
    )
    return [Pile(*row) for row in session.execute(query)]


def finished(session: Session) -> dict[EffectState, int]:
    """How many effects are over, as far as they are kept."""
    states = (EffectState.DONE, EffectState.DROPPED)
    query = sa.select(Effect.state, sa.func.count()).where(Effect.state.in_(states)).group_by(Effect.state)
    return {row[0]: row[1] for row in session.execute(query)}


def dead(session: Session, most: int, skipped: int) -> Sequence[Effect]:
    """Dead letters, newest first."""
    query = sa.select(Effect).where(Effect.state == EffectState.DEAD).order_by(Effect.id.desc())
    return session.scalars(query.limit(most).offset(skipped)).all()


def closed(session: Session, now: datetime) -> Sequence[Lane]:
    """The lanes that let nothing through now, in the order in which they open."""
    return session.scalars(sa.select(Lane).where(Lane.open_at > now).order_by(Lane.open_at).limit(MOST)).all()


def looks(session: Session) -> Sequence[Effect]:
    """What keeps us in step with trackers and helpdesks, by project and resource."""
    of = [sa.and_(Effect.key >= f"{kind}:", Effect.key < f"{kind};") for kind in LOOKS]
    return session.scalars(sa.select(Effect).where(sa.or_(*of)).order_by(Effect.key).limit(MOST)).all()


def slots(session: Session) -> Sequence[tuple[str, datetime]]:
    """The last time at which each scheduled job was done, latest first."""
    last = sa.func.max(Slot.due, type_=Slot.due.type)
    scheduled = sa.or_(Slot.job.in_(JOBS), sa.and_(Slot.job >= "digest:", Slot.job < "digest;"))
    query = sa.select(Slot.job, last).where(scheduled).group_by(Slot.job).order_by(last.desc(), Slot.job).limit(MOST)
    return [(job, due) for job, due in session.execute(query)]
