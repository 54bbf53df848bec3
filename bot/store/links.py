"""What is asked of the store to attach a ticket to an issue by name, and to take it off again."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.store.tables import Escalation, Hearing, History, Issue


def issues_by_number(session: Session, number: int, repository: str = "") -> Sequence[Issue]:
    """The issues of that number: in the repository or project of that name, else in all."""
    query = sa.select(Issue).where(Issue.number == number)
    named = sa.or_(sa.func.lower(Issue.repository) == repository.lower(), Issue.project == repository)
    return session.scalars(query.where(named) if repository else query).all()


def issues_by_address(session: Session, address: str) -> Sequence[Issue]:
    """The issues at that address; what a browser adds behind it does not count."""
    parts = urlsplit(address)
    bare = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
    return session.scalars(sa.select(Issue).where(Issue.url == bare)).all()


def successor(session: Session, issue: Issue) -> Issue:
    """The issue on which its customers wait now: itself, unless it is a duplicate."""
    while issue.joined is not None:
        issue = session.get_one(Issue, issue.joined)
    return issue


def taken_off(session: Session, ticket_id: str, issue_id: str) -> Escalation | None:
    """The escalation of this ticket that was taken off that issue."""
    query = sa.select(Escalation).where(Escalation.ticket_id == ticket_id, Escalation.issue_id == issue_id)
    return session.scalar(query.where(Escalation.taken_off.is_not(None)))


def first_on(session: Session, issue_id: str) -> str | None:
    """The id of the escalation for which an issue was filed, on it or not."""
    query = sa.select(Escalation.id).where(Escalation.issue_id == issue_id)
    return session.scalar(query.order_by(Escalation.flagged_at).limit(1))


def speaker(session: Session, issue: Issue) -> Escalation:
    """The escalation from whose ticket an issue is filed: the first on it, else the first there ever was."""
    return issue.escalations[0] if issue.escalations else session.get_one(Escalation, first_on(session, issue.id))


def unlinked(session: Session, escalation_id: str) -> int:
    """How often an escalation was taken off its issue."""
    session.flush()
    what = sa.and_(History.escalation_id == escalation_id, History.what == "unlinked")
    return session.scalar(sa.select(sa.func.count()).select_from(History).where(what)) or 0


def drop_hearings(session: Session, escalation_id: str, news_id: str) -> None:
    """Forget that anybody heard this news about that escalation."""
    session.execute(
        sa.delete(Hearing)
        .where(Hearing.escalation_id == escalation_id, Hearing.news_id == news_id)
        .execution_options(synchronize_session=False)
    )
