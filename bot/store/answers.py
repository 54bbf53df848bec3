"""Which customers' words after a write-back are waited for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.model import OWED, WAITING, Confirmation, WriteBack
from bot.store.queries import SETTLED
from bot.store.tables import Escalation, History, Issue, NewsItem, WriteBackRow

_OPEN = (Confirmation.WAITING, Confirmation.SILENT, Confirmation.ANSWERED)


def awaited(session: Session, ticket_id: str) -> list[WriteBackRow]:
    """Of each escalation of a ticket the write-back of the latest news that was written, if nobody said what its
    customer's answer means."""
    query = (
        sa.select(WriteBackRow)
        .join(Escalation, Escalation.id == WriteBackRow.escalation_id)
        .join(NewsItem, NewsItem.id == WriteBackRow.news_id)
        .where(Escalation.ticket_id == ticket_id, Escalation.taken_off.is_(None))
        .where(WriteBackRow.state == WriteBack.WRITTEN)
        .order_by(NewsItem.at)
    )
    latest = {row.escalation_id: row for row in session.scalars(query)}
    return [row for row in latest.values() if row.confirmation in _OPEN]


def waits(session: Session, ticket_id: str) -> bool:
    """Whether a ticket waits for a developer: an issue of it is under way, and nothing is to be written meanwhile."""
    here = sa.select(Escalation.id).where(Escalation.ticket_id == ticket_id, Escalation.taken_off.is_(None))
    under_way = here.join(Issue, Issue.id == Escalation.issue_id).where(Issue.stage.in_(WAITING))
    due = here.join(WriteBackRow, WriteBackRow.escalation_id == Escalation.id).where(
        WriteBackRow.state.in_((WriteBack.DUE, WriteBack.SENDING, WriteBack.UNCERTAIN))
    )
    return session.scalar(under_way.limit(1)) is not None and session.scalar(due.limit(1)) is None


def replies(session: Session, ticket_id: str) -> set[str]:
    """The ids of the replies on a ticket that went out from here."""
    query = sa.select(WriteBackRow.reply_id).join(Escalation, Escalation.id == WriteBackRow.escalation_id)
    return {one for one in session.scalars(query.where(Escalation.ticket_id == ticket_id)) if one}


def successor(session: Session, issue_id: str) -> Issue | None:
    """The issue that went on with what this one did not mend, or the one that took the place of that."""
    query = sa.select(History).where(History.issue_id == issue_id, History.what == "gone_on")
    found = session.scalar(query.order_by(History.id.desc()).limit(1))
    issue = session.get(Issue, found.proof["issue"], with_for_update=True) if found and found.proof else None
    while issue is not None and issue.joined is not None:
        issue = session.get(Issue, issue.joined, with_for_update=True)
    return issue


def waiting_since(session: Session, before: datetime) -> Sequence[WriteBackRow]:
    """The write-backs whose customer has been waited for since before that time."""
    query = sa.select(WriteBackRow).where(
        WriteBackRow.confirmation == Confirmation.WAITING, WriteBackRow.confirmed_at < before
    )
    return session.scalars(query.limit(500)).all()


def watched(session: Session, ticket_id: str) -> bool:
    """Whether what happens on a ticket matters: its issue is not settled, something is owed or waited for, or nobody
    said what the customer's answer means."""
    here = sa.select(Escalation.id).where(Escalation.ticket_id == ticket_id, Escalation.taken_off.is_(None))
    unsettled = here.join(Issue, Issue.id == Escalation.issue_id).where(Issue.stage.not_in(SETTLED))
    open_ = here.join(WriteBackRow, WriteBackRow.escalation_id == Escalation.id).where(
        sa.or_(WriteBackRow.state.in_(OWED), WriteBackRow.confirmation.in_(_OPEN))
    )
    return any(session.scalar(query.limit(1)) is not None for query in (unsettled, open_))
