"""Issues and tickets by the address that people copy from their browser."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.store.tables import Issue, Ticket


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


def ticket_at(session: Session, helpdesk: str, address: str) -> Ticket | None:
    """The ticket of that helpdesk whose own address this is."""
    return session.scalars(sa.select(Ticket).where(Ticket.helpdesk == helpdesk, Ticket.url == address).limit(1)).first()
