"""Queries on what is said on both sides of an issue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.store.talk import Remark, Side


def at(session: Session, issue_id: str, side: Side, place: str) -> Remark | None:
    """What was said there."""
    query = sa.select(Remark).where(Remark.issue_id == issue_id, Remark.side == side, Remark.place == place)
    return session.scalar(query)


def same(session: Session, issue_id: str, by: str, at: datetime) -> Remark | None:
    """What that person said in the issue at that moment, wherever it stood then."""
    query = sa.select(Remark).where(
        Remark.issue_id == issue_id, Remark.side == Side.ISSUE, Remark.by == by, Remark.at == at
    )
    return session.scalar(query.limit(1))


def from_issue(session: Session, issue_id: str, since: datetime) -> Sequence[Remark]:
    """What was brought from the issue to the thread since then and still stands there, oldest first."""
    query = sa.select(Remark).where(
        Remark.issue_id == issue_id, Remark.side == Side.ISSUE, Remark.gone.is_(False), Remark.at >= since
    )
    return session.scalars(query.order_by(Remark.at)).all()


def blank(session: Session, issues: sa.Select[Any]) -> None:
    """Keep nothing of what was said about these issues; where it stands is kept."""
    session.execute(sa.update(Remark).where(Remark.issue_id.in_(issues)).values(text="", gone=True))
