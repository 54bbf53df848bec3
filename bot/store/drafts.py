"""Drafts as they are looked for: by what asked for them, and those that somebody left half-written."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.store.tables import Draft


def add_once(session: Session, draft: Draft) -> bool:
    """Whether this draft is the first of its key: then it is stored."""
    if session.scalar(sa.select(Draft.id).where(Draft.key == draft.key)) is not None:
        return False
    try:
        with session.begin_nested():
            session.add(draft)
    except IntegrityError:
        return False
    return True


def left(session: Session, person: str, since: datetime, ticket: tuple[str, str] | None = None) -> Draft | None:
    """What a person began to write since then and did not file: for `ticket` (helpdesk, number), or the newest."""
    query = sa.select(Draft).where(Draft.person == person, Draft.kept_at >= since, Draft.escalation_id.is_(None))
    if ticket is not None:
        query = query.where(Draft.helpdesk == ticket[0], Draft.number == ticket[1])
    return session.scalar(query.order_by(Draft.kept_at.desc()).limit(1))


def let_go(session: Session, draft: Draft) -> None:
    """What else this person had begun to write about the draft's ticket needs no going on with."""
    if draft.number:
        theirs = sa.update(Draft).where(Draft.person == draft.person, Draft.id != draft.id)
        session.execute(
            theirs.where(Draft.helpdesk == draft.helpdesk, Draft.number == draft.number).values(kept_at=None)
        )
