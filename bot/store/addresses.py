"""Issues by the address that people copy from their browser."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.store.tables import Issue


def issue_at(session: Session, address: str) -> Issue | None:
    """The issue at this web address, however its letters are written; the one that stands in for it, if another does.
    GitLab shows issues under /-/work_items/ too."""
    wanted = address.rstrip("/").lower().replace("/-/work_items/", "/-/issues/")
    if not wanted:
        return None
    issue = session.scalar(sa.select(Issue).where(sa.func.lower(Issue.url) == wanted).limit(1))
    while issue is not None and issue.successor is not None:
        issue = issue.successor
    return issue
