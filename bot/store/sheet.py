"""All escalations as rows of a table, streamed: however many there are, few are held at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.model import ENDS, Kind, Severity, Stage
from bot.store.scope import Scope
from bot.store.tables import Escalation, History, Issue, NewsItem, Person, Ticket, WriteBackRow
from bot.store.times import heard_by_customer, reached_by_issue, settled

AT_ONCE = 500
"""Rows that are fetched together."""

ANSWERS = ("works", "still_broken")


class SheetRow(NamedTuple):
    """One escalation. Times are UTC; None where it never was, or is not so any more."""

    id: str
    helpdesk: str | None
    ticket: str | None  # its number
    ticket_url: str
    issue_id: str
    project: str
    repository: str
    number: int | None
    issue_url: str
    title: str
    labels: str  # a JSON list
    kind: Kind
    severity: Severity
    stage: Stage
    agent: str  # Slack id
    agent_name: str | None
    flagged_at: datetime
    acknowledged_at: datetime | None
    fixed_at: datetime | None
    shipped_at: datetime | None
    declined_at: datetime | None
    told_at: float | None  # POSIX seconds, as Slack dates messages
    written_at: datetime | None
    confirmed: str | None  # what is known of it now, by the latest write-back that says; else the last word
    confirmed_at: datetime | None  # the customer's last word
    write_backs: str | None  # `news:state` of each, with a blank between them
    customer: str
    customer_email: str
    organisation: str
    plan: str
    language: str


def rows(session: Session, wanted: Scope) -> Iterator[SheetRow]:
    """The escalations, oldest first."""
    reached, heard = reached_by_issue(), heard_by_customer(*ENDS)
    owed, answered = _write_backs(), _answered()
    fixed, shipped = settled(reached)
    query = (
        sa.select(
            *(Escalation.id, Ticket.helpdesk, Ticket.number, Ticket.url),
            *(Issue.id, Issue.project, Issue.repository, Issue.number, Issue.url),
            *(Escalation.title, sa.cast(Issue.labels, sa.Text), Issue.kind, Issue.severity, Issue.stage),
            *(Escalation.agent, Person.name, Escalation.flagged_at),
            *(_when(at) for at in (reached.c.acknowledged, fixed, shipped)),
            _when(sa.case((Issue.stage == Stage.DECLINED, Issue.stage_since))),
            *(heard.c.told, heard.c.written, _confirmed(answered), answered.c.at, owed.c.states),
            *(Ticket.customer_name, Ticket.customer_email, Ticket.organisation, Ticket.plan, Ticket.language),
        )
        .select_from(Escalation)
        .join(Issue, Issue.id == Escalation.issue_id)
        .join(Ticket, Ticket.id == Escalation.ticket_id)
        .outerjoin(Person, Person.id == Escalation.agent)
        .outerjoin(reached, reached.c.issue_id == Issue.id)
        .outerjoin(heard, heard.c.escalation_id == Escalation.id)
        .outerjoin(owed, owed.c.escalation_id == Escalation.id)
        .outerjoin(answered, answered.c.escalation_id == Escalation.id)
        .where(*wanted.issues(), *wanted.escalations())
        .order_by(Escalation.flagged_at, Escalation.id)
    )
    for row in session.execute(query.execution_options(yield_per=AT_ONCE)):
        yield SheetRow._make(row)


def _when(column: sa.ColumnElement[datetime]) -> sa.ColumnElement[datetime]:
    return sa.type_coerce(column, Issue.stage_since.type)


def _write_backs() -> sa.Subquery:
    """The news and state of each write-back of an escalation, in one text."""
    kind, state = sa.cast(NewsItem.kind, sa.Text), sa.cast(WriteBackRow.state, sa.Text)
    states = sa.func.aggregate_strings(kind.concat(":").concat(state), " ")
    query = sa.select(WriteBackRow.escalation_id, states.label("states"))
    return query.join(NewsItem, NewsItem.id == WriteBackRow.news_id).group_by(WriteBackRow.escalation_id).subquery()


def _answered() -> sa.Subquery:
    """When the customer said last whether it works, and which of `ANSWERS` that was."""
    last = sa.func.max(History.at, type_=History.at.type)
    works, broken = (sa.func.max(History.at).filter(History.what == one) for one in ANSWERS)
    word = sa.case((sa.or_(broken.is_(None), works > broken), ANSWERS[0]), else_=ANSWERS[1])
    query = sa.select(History.escalation_id, last.label("at"), word.label("word")).where(History.what.in_(ANSWERS))
    return query.group_by(History.escalation_id).subquery()


def _confirmed(answered: sa.Subquery) -> sa.ColumnElement[str]:
    """By the latest write-back of an escalation whose customer's word counts."""
    now = (
        sa.select(sa.cast(WriteBackRow.confirmation, sa.Text))
        .where(WriteBackRow.escalation_id == Escalation.id, WriteBackRow.confirmation.is_not(None))
        .order_by(WriteBackRow.confirmed_at.desc())
        .limit(1)
    )
    return sa.func.coalesce(now.scalar_subquery(), answered.c.word)
