"""Which issues stand in one repository: for whoever has to know when everybody can read it."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.store.tables import Issue


def issues_in(session: Session, tracker: str, repository: str) -> Sequence[Issue]:
    """The issues of a repository in the order in which they came, held until the transaction ends."""
    query = sa.select(Issue).where(Issue.tracker == tracker, Issue.repository == repository)
    return session.scalars(query.order_by(Issue.created_at, Issue.id).with_for_update()).all()
