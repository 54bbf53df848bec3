"""What people arranged about who is on duty, and the issues of whoever has it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.store.queries import SETTLED
from bot.store.tables import Effect, EffectState, Issue
from bot.store.talk import Swap


def arranged(session: Session, project: str, after: date) -> Sequence[Swap]:
    """What is arranged for days from `after` on, in the order in which it was."""
    query = sa.select(Swap).where(Swap.project == project, Swap.last >= after)
    return session.scalars(query.order_by(Swap.at)).all()


def moment(session: Session, now: datetime) -> datetime:
    """Now, or just after what was arranged last: so that the order in which things were said is known."""
    last = session.scalar(sa.select(sa.func.max(Swap.at)))
    return now if last is None or last < now else last + timedelta(microseconds=1)


def latest(session: Session, by: str, after: date) -> Sequence[Swap]:
    """What this person arranged last, if it is not over: for one project, or for several at once."""
    newest = session.scalar(sa.select(sa.func.max(Swap.at)).where(Swap.by == by, Swap.last >= after))
    return session.scalars(sa.select(Swap).where(Swap.by == by, Swap.at == newest)).all() if newest else []


def open_issues(session: Session, project: str) -> Sequence[Issue]:
    """The issues of a project whose end has not come, oldest first."""
    query = sa.select(Issue).where(Issue.project == project, Issue.stage.not_in(SETTLED), Issue.joined.is_(None))
    return session.scalars(query.order_by(Issue.created_at)).all()


def assigned(session: Session, person: str, since: datetime, until: datetime) -> Sequence[Issue]:
    """The filed issues that somebody on duty got in that time, in their order."""
    query = sa.select(Issue).where(Issue.support_dev == person, Issue.number.is_not(None), Issue.joined.is_(None))
    query = query.where(Issue.created_at >= since, Issue.created_at < until)
    return session.scalars(query.order_by(Issue.created_at)).all()


def note(session: Session, effect_id: int, error: str) -> None:
    """Keep with an effect that is done why it could not do all it should."""
    session.get_one(Effect, effect_id).error = error


def refused(session: Session, kind: str) -> dict[str, str]:
    """The effects of a kind that could not do all they should, by key, with the reason."""
    query = sa.select(Effect.key, Effect.error).where(Effect.kind == kind, Effect.error != "")
    query = query.where(Effect.state == EffectState.DONE)
    return dict(session.execute(query).all())
