"""What the dashboard asks the store beyond the Home tab's questions. A page costs a few queries; each list ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.model import ENDS, OWED, Confirmation, News, WriteBack
from bot.store.tables import Escalation, History, Issue, NewsItem, Ticket, WriteBackRow

MOST = 200
"""How many rows a list without pages has."""

_CUSTOMER = sa.case((Ticket.customer_name != "", Ticket.customer_name), else_=Ticket.customer_email)

# --- write-backs ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Owed:
    """A write-back that is not done."""

    state: WriteBack
    agent: str
    reason: str  # why the helpdesk refused the last try
    news: News
    ticket_number: str | None
    ticket_url: str
    helpdesk: str | None
    customer: str
    language: str
    waiting_since: datetime
    issue_id: str
    title: str
    repository: str
    issue_number: int | None


@dataclass(frozen=True, slots=True)
class Share:
    """How many write-backs of an agent are in one state, and since when the first of their customers waits."""

    agent: str
    state: WriteBack
    count: int
    since: datetime


def shares(session: Session) -> Sequence[Share]:
    """What each agent owes, by state."""
    since = sa.func.min(Ticket.waiting_since, type_=Ticket.waiting_since.type)
    query = _owed(WriteBackRow.agent, WriteBackRow.state, sa.func.count(), since)
    return [Share(*row) for row in session.execute(query.group_by(WriteBackRow.agent, WriteBackRow.state))]


def owed(session: Session, agent: str, state: WriteBack | None, most: int, skipped: int) -> Sequence[Owed]:
    """The write-backs that are not done, of who waits longest first; "" and None are everybody's and every state."""
    query = _owed(
        WriteBackRow.state,
        WriteBackRow.agent,
        WriteBackRow.reason,
        NewsItem.kind,
        Ticket.number,
        Ticket.url,
        Ticket.helpdesk,
        _CUSTOMER,
        Ticket.language,
        Ticket.waiting_since,
        Issue.id,
        Issue.title,
        Issue.repository,
        Issue.number,
    )
    query = query.join(NewsItem, NewsItem.id == WriteBackRow.news_id).join(Issue, Issue.id == Escalation.issue_id)
    if agent:
        query = query.where(WriteBackRow.agent == agent)
    if state is not None:
        query = query.where(WriteBackRow.state == state)
    query = query.order_by(Ticket.waiting_since, WriteBackRow.id).limit(most).offset(skipped)
    return [Owed(*row) for row in session.execute(query)]


def _owed(*columns: Any) -> sa.Select[Any]:
    return (
        sa.select(*columns)
        .select_from(WriteBackRow)
        .join(Escalation, Escalation.id == WriteBackRow.escalation_id)
        .join(Ticket, Ticket.id == Escalation.ticket_id)
        .where(WriteBackRow.state.in_(OWED), Escalation.taken_off.is_(None))
    )


# --- one issue --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many customers an issue has; how many of them have not heard its end, and since when the first waits."""

    customers: int
    waiting: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Customer:
    """One ticket on an issue."""

    escalation_id: str
    agent: str
    ticket_number: str | None
    ticket_url: str
    helpdesk: str | None
    customer: str
    organisation: str
    language: str
    waiting_since: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one piece of news for one customer."""

    escalation_id: str
    news: News
    state: WriteBack
    reason: str
    at: datetime  # done, or due since then
    confirmation: Confirmation | None  # the customer's own word
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Happening:
    """A line of an issue's history; the ticket's number where it is about one."""

    at: datetime
    what: str
    by: str
    proof: dict[str, Any] | None
    ticket_number: str | None


def crowd(session: Session, issue_id: str) -> Crowd:
    """Who waits for an issue."""
    owes = sa.case((WriteBackRow.state.in_(OWED), 1), else_=0)
    ended = (
        sa.select(WriteBackRow.escalation_id, sa.func.max(owes).label("owes"))
        .join(NewsItem, NewsItem.id == WriteBackRow.news_id)
        .where(NewsItem.issue_id == issue_id, NewsItem.stands, NewsItem.kind.in_(ENDS))
        .group_by(WriteBackRow.escalation_id)
        .subquery()
    )
    waits = sa.or_(ended.c.owes.is_(None), ended.c.owes == 1)
    query = (
        sa.select(
            sa.func.count(),
            sa.func.coalesce(sa.func.sum(sa.case((waits, 1), else_=0)), 0),
            sa.func.min(sa.case((waits, Ticket.waiting_since)), type_=Ticket.waiting_since.type),
        )
        .select_from(Escalation)
        .join(Ticket, Ticket.id == Escalation.ticket_id)
        .outerjoin(ended, ended.c.escalation_id == Escalation.id)
        .where(Escalation.issue_id == issue_id, Escalation.taken_off.is_(None))
    )
    return Crowd(*session.execute(query).one())


def customers(session: Session, issue_id: str, most: int, skipped: int) -> Sequence[Customer]:
    """The tickets on an issue, those that wait longest first."""
    query = (
        sa.select(
            Escalation.id,
            Escalation.agent,
            Ticket.number,
            Ticket.url,
            Ticket.helpdesk,
            _CUSTOMER,
            Ticket.organisation,
            Ticket.language,
            Ticket.waiting_since,
        )
        .join(Ticket, Ticket.id == Escalation.ticket_id)
        .where(Escalation.issue_id == issue_id, Escalation.taken_off.is_(None))
        .order_by(Ticket.waiting_since, Escalation.id)
    )
    return [Customer(*row) for row in session.execute(query.limit(most).offset(skipped))]


def answers(session: Session, escalations: Iterable[str]) -> Sequence[Answer]:
    """The write-backs of these escalations, oldest first."""
    at = sa.func.coalesce(WriteBackRow.done_at, WriteBackRow.due_at, type_=WriteBackRow.due_at.type)
    heard = (WriteBackRow.confirmation, WriteBackRow.confirmed_at)
    query = (
        sa.select(WriteBackRow.escalation_id, NewsItem.kind, WriteBackRow.state, WriteBackRow.reason, at, *heard)
        .join(NewsItem, NewsItem.id == WriteBackRow.news_id)
        .where(WriteBackRow.escalation_id.in_(list(escalations)))
        .order_by(NewsItem.at, WriteBackRow.id)
    )
    return [Answer(*row) for row in session.execute(query)]


def news(session: Session, issue_id: str, most: int = MOST) -> Sequence[NewsItem]:
    """What customers should hear of an issue, newest first."""
    query = sa.select(NewsItem).where(NewsItem.issue_id == issue_id).order_by(NewsItem.at.desc(), NewsItem.id)
    return session.scalars(query.limit(most)).all()


def history(session: Session, issue_id: str, most: int, skipped: int) -> tuple[Sequence[Happening], int]:
    """What happened to an issue and to those that it took the place of, newest first; and how much there is."""
    joined = sa.select(Issue.id).where(Issue.joined == issue_id)
    here = sa.or_(History.issue_id == issue_id, History.issue_id.in_(joined))
    query = (
        sa.select(History.at, History.what, History.by, History.proof, Ticket.number)
        .outerjoin(Escalation, Escalation.id == History.escalation_id)
        .outerjoin(Ticket, Ticket.id == Escalation.ticket_id)
        .where(here)
        .order_by(History.at.desc(), History.id.desc())
    )
    total = session.scalar(sa.select(sa.func.count()).where(here)) or 0
    return [Happening(*row) for row in session.execute(query.limit(most).offset(skipped))], total


def replaced(session: Session, issue_id: str) -> Sequence[Issue]:
    """The issues that this one took the place of."""
    return session.scalars(sa.select(Issue).where(Issue.joined == issue_id).order_by(Issue.number).limit(MOST)).all()
