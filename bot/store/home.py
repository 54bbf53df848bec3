"""What the Home tab lists: write-backs due, customers waiting, the queue, the team. A page costs a few queries, however
much there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.model import OWED, WAITING, Kind, News, Severity, Stage, WriteBack
from bot.store.queries import SETTLED, numbered
from bot.store.tables import Escalation, Issue, NewsItem, Ticket, WriteBackRow

ACTIONABLE = (WriteBack.DUE, WriteBack.UNCERTAIN)
"""The states in which a write-back waits for its agent."""

STAGES = (Stage.FIXED, Stage.ACKNOWLEDGED, Stage.FILED, Stage.FILING)
"""In which order customers waiting are listed: nearest to the end first."""


FACTORS = {Severity.CRITICAL: 8, Severity.HIGH: 4, Severity.NORMAL: 2, Severity.LOW: 1}
"""What a customer and a day count in the queue, by the issue's severity."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person wants to see; empty is everything."""

    projects: tuple[str, ...] = ()
    stage: Stage | None = None
    severity: Severity | None = None
    kind: Kind | None = None
    words: tuple[str, ...] = ()  # each must be in the title, or be the ticket's or the issue's number
    stages: tuple[Stage, ...] = ()  # one of these; and so on
    severities: tuple[Severity, ...] = ()
    kinds: tuple[Kind, ...] = ()


@dataclass(frozen=True, slots=True)
class Due:
    """A write-back that waits for its agent."""

    id: str
    state: WriteBack
    agent: str
    news: News
    reason: str  # the news's own words
    proof: dict[str, Any]
    ticket_number: str | None
    ticket_url: str
    helpdesk: str | None
    customer: str
    language: str
    waiting_since: datetime
    title: str
    repository: str
    issue_number: int | None
    issue_url: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A customer whose issue is not settled."""

    stage: Stage
    ticket_number: str | None
    ticket_url: str
    helpdesk: str | None
    customer: str
    language: str
    waiting_since: datetime
    title: str
    repository: str
    issue_number: int | None
    issue_url: str


@dataclass(frozen=True, slots=True)
class Queued:
    """An issue with those who wait for it."""

    id: str
    stage: Stage
    kind: Kind
    severity: Severity
    support_dev: str
    title: str
    repository: str
    number: int | None
    url: str
    customers: int
    since: datetime  # when the first of them was flagged


_OURS = (Issue.joined.is_(None), Escalation.taken_off.is_(None))
_CUSTOMER = sa.case((Ticket.customer_name != "", Ticket.customer_name), else_=Ticket.customer_email)
_TICKET = (Ticket.number, Ticket.url, Ticket.helpdesk, _CUSTOMER, Ticket.language, Ticket.waiting_since)
_ISSUE = (Issue.title, Issue.repository, Issue.number, Issue.url)


def _narrowed(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    """What holds of an issue that is wanted, but for the words."""
    found: list[sa.ColumnElement[bool]] = []
    several: tuple[tuple[Any, tuple[Any, ...]], ...] = (
        (Issue.project, wanted.projects),
        (Issue.stage, wanted.stages),
        (Issue.severity, wanted.severities),
        (Issue.kind, wanted.kinds),
    )
    found += [column.in_(values) for column, values in several if values]
    for column, value in ((Issue.stage, wanted.stage), (Issue.severity, wanted.severity), (Issue.kind, wanted.kind)):
        if value is not None:
            found.append(column == value)
    return found


def _said(word: str, ticket: sa.ColumnElement[bool] | None) -> sa.ColumnElement[bool]:
    """Whether a word is in an issue's title, or a number names it or (`ticket`) who waits for it."""
    found: list[sa.ColumnElement[bool]] = [Issue.title.icontains(word, autoescape=True)]
    number = word.lstrip("#")
    if number.isascii() and number.isdigit() and len(number) < 10:
        found.append(Issue.number == int(number))
    if ticket is not None:
        found.append(ticket)
    return sa.or_(*found)


def _by_customer(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    return [*_narrowed(wanted), *(_said(word, numbered(word.lstrip("#"))) for word in wanted.words)]


def _by_issue(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    found = _narrowed(wanted)
    for word in wanted.words:
        here = sa.select(Escalation.issue_id).join(Ticket).where(numbered(word.lstrip("#")))
        found.append(_said(word, Issue.id.in_(here.where(Escalation.taken_off.is_(None)))))
    return found


# --- write-backs ------------------------------------------------------------------------------------------------------


def _due(agent: str, wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    mine = [WriteBackRow.agent == agent] if agent else []
    return [WriteBackRow.state.in_(ACTIONABLE), Escalation.taken_off.is_(None), *mine, *_by_customer(wanted)]


def _from_write_backs(*columns: Any) -> sa.Select[Any]:
    return (
        sa.select(*columns)
        .select_from(WriteBackRow)
        .join(Escalation, Escalation.id == WriteBackRow.escalation_id)
        .join(Ticket, Ticket.id == Escalation.ticket_id)
        .join(Issue, Issue.id == Escalation.issue_id)
    )


def due_count(session: Session, agent: str, wanted: Wanted) -> int:
    """How many write-backs wait for this agent; "": for anybody."""
    return session.scalar(_from_write_backs(sa.func.count()).where(*_due(agent, wanted))) or 0


def due(session: Session, agent: str, wanted: Wanted, most: int, skipped: int) -> Sequence[Due]:
    """Write-backs that wait for this agent ("": for anybody), those of who waits longest first."""
    query = (
        _from_write_backs(
            WriteBackRow.id,
            WriteBackRow.state,
            WriteBackRow.agent,
            NewsItem.kind,
            NewsItem.text,
            NewsItem.proof,
            *_TICKET,
            *_ISSUE,
        )
        .join(NewsItem, NewsItem.id == WriteBackRow.news_id)
        .where(*_due(agent, wanted))
        .order_by(Ticket.waiting_since, WriteBackRow.id)
    )
    return [Due(*row) for row in session.execute(query.limit(most).offset(skipped))]


# --- customers waiting ------------------------------------------------------------------------------------------------


def _waits(agent: str, wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    return [Escalation.agent == agent, Issue.stage.in_(WAITING), *_OURS, *_by_customer(wanted)]


def _from_escalations(*columns: Any) -> sa.Select[Any]:
    return (
        sa.select(*columns)
        .select_from(Escalation)
        .join(Ticket, Ticket.id == Escalation.ticket_id)
        .join(Issue, Issue.id == Escalation.issue_id)
    )


def waiting_counts(session: Session, agent: str, wanted: Wanted) -> dict[Stage, int]:
    """How many customers of this agent wait, by the stage of their issue."""
    query = _from_escalations(Issue.stage, sa.func.count()).where(*_waits(agent, wanted)).group_by(Issue.stage)
    return {row[0]: row[1] for row in session.execute(query)}


def waiting(session: Session, agent: str, wanted: Wanted, most: int, skipped: int) -> Sequence[Waiting]:
    """The customers of this agent who wait, by stage, those who wait longest first."""
    order = sa.case({stage: place for place, stage in enumerate(STAGES)}, value=Issue.stage)
    query = (
        _from_escalations(Issue.stage, *_TICKET, *_ISSUE)
        .where(*_waits(agent, wanted))
        .order_by(order, Ticket.waiting_since, Escalation.id)
    )
    return [Waiting(*row) for row in session.execute(query.limit(most).offset(skipped))]


# --- the queue --------------------------------------------------------------------------------------------------------


def queue(session: Session, wanted: Wanted, now: datetime, most: int, skipped: int) -> tuple[Sequence[Queued], int]:
    """The issues for which customers wait, by `weight`; and how many there are. Of a settled stage, those whose
    customers were not all written to."""
    crowd = _crowd(wanted)
    query = (
        sa.select(
            Issue.id,
            Issue.stage,
            Issue.kind,
            Issue.severity,
            Issue.support_dev,
            *_ISSUE,
            crowd.c.customers,
            crowd.c.since,
            sa.func.count().over(),
        )
        .join(crowd, crowd.c.issue_id == Issue.id)
        .where(Issue.joined.is_(None), *_by_issue(wanted))
        .order_by(weight(crowd, now).desc(), Issue.id)
    )
    if wanted.stage is None and not wanted.stages:
        query = query.where(Issue.stage.in_(WAITING))
    rows = session.execute(query.limit(most).offset(skipped)).all()
    return [Queued(*row[:-1]) for row in rows], rows[0][-1] if rows else 0


def weight(crowd: sa.Subquery, now: datetime) -> sa.ColumnElement[Any]:
    """How much an issue weighs: its customers, times its severity's factor, times how long the first of them waits.
    `crowd` has `customers` and `since`."""
    age = sa.extract("epoch", sa.bindparam("now", now, Issue.created_at.type)) - sa.extract("epoch", crowd.c.since)
    return crowd.c.customers * sa.case(FACTORS, value=Issue.severity) * age


def _crowd(wanted: Wanted) -> sa.Subquery:
    """How many customers wait for each issue, and since when the first."""
    query = sa.select(
        Escalation.issue_id,
        sa.func.count().label("customers"),
        sa.func.min(Escalation.flagged_at, type_=Escalation.flagged_at.type).label("since"),
    ).where(Escalation.taken_off.is_(None))
    if {wanted.stage, *wanted.stages} & {*SETTLED}:
        owed = sa.select(WriteBackRow.escalation_id).where(WriteBackRow.state.in_(OWED))
        open_ = sa.select(Issue.id).where(Issue.stage.in_(WAITING))
        query = query.where(sa.or_(Escalation.id.in_(owed), Escalation.issue_id.in_(open_)))
    return query.group_by(Escalation.issue_id).subquery()


# --- the team ---------------------------------------------------------------------------------------------------------


def team_waiting(session: Session, wanted: Wanted) -> int:
    """How many customers wait for an end."""
    query = _from_escalations(sa.func.count()).where(Issue.stage.in_(WAITING), *_OURS, *_by_customer(wanted))
    return session.scalar(query) or 0


def due_by_agent(session: Session, wanted: Wanted) -> Sequence[tuple[str, int]]:
    """Agents by Slack id with the write-backs that wait for them, most first."""
    owing = sa.func.count()
    query = _from_write_backs(WriteBackRow.agent, owing).where(*_due("", wanted)).group_by(WriteBackRow.agent)
    return [(agent, n) for agent, n in session.execute(query.order_by(owing.desc(), WriteBackRow.agent))]


def oldest_untriaged(
    session: Session, wanted: Wanted, most: int = 3
) -> Sequence[tuple[str, str, int | None, str, datetime]]:
    """The issues that nobody took yet, oldest first: title, repository, number, address, since when."""
    query = (
        sa.select(*_ISSUE, Issue.stage_since)
        .where(Issue.stage == Stage.FILED, Issue.joined.is_(None), *_by_issue(wanted))
        .order_by(Issue.stage_since)
        .limit(most)
    )
    return [(title, repository, number, url, at) for title, repository, number, url, at in session.execute(query)]
