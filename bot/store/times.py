"""The rows behind the report on times: three statements, and two numbers for each step that anybody took."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.model import Confirmation, News, Stage, WriteBack
from bot.store.scope import Scope
from bot.store.tables import Escalation, Hearing, History, Issue, NewsItem, Round, WriteBackRow

AT_ONCE = 5_000
"""Rows that are fetched together."""


class Milestone(StrEnum):
    """What a ticket comes by on its way, in this order."""

    FLAGGED = "flagged"
    ACKNOWLEDGED = "acknowledged"  # the first time
    FIXED = "fixed"  # this and the next: the last time before the stage at which the issue is now
    SHIPPED = "shipped"
    TOLD = "told"  # the agent
    WRITTEN = "written"  # to the customer
    CONFIRMED = "confirmed"  # or denied: the customer's own word


Way = tuple[Milestone, Milestone]

OF_CUSTOMERS: tuple[Way, ...] = (
    (Milestone.FLAGGED, Milestone.ACKNOWLEDGED),
    (Milestone.SHIPPED, Milestone.TOLD),
    (Milestone.TOLD, Milestone.WRITTEN),
    (Milestone.FLAGGED, Milestone.SHIPPED),
    (Milestone.FLAGGED, Milestone.WRITTEN),
)
"""What each escalation takes for itself."""

OF_ISSUES: tuple[Way, ...] = (
    (Milestone.ACKNOWLEDGED, Milestone.FIXED),
    (Milestone.FIXED, Milestone.SHIPPED),
)
"""What all customers of an issue share: it counts once."""


OF_ANSWERS: tuple[Way, ...] = ((Milestone.WRITTEN, Milestone.CONFIRMED),)
"""What each customer's word after a write-back took; also after one whose news stands no more because of that word."""


@dataclass(frozen=True, slots=True)
class Taken:
    """When a step began and when it ended, each time that it was taken; POSIX seconds."""

    begins: array[float] = field(default_factory=lambda: array("d"))
    ends: array[float] = field(default_factory=lambda: array("d"))


@dataclass(frozen=True, slots=True)
class TimeRows:
    since: datetime
    until: datetime
    taken: Mapping[Way, Taken]


def load(session: Session, wanted: Scope, since: datetime, until: datetime) -> TimeRows:
    """The steps that ended from `since` until before `until`. What was over before a customer came cost that
    customer no time, and is left out: also from when it shipped until the agent was told."""
    taken = {way: Taken() for way in (*OF_CUSTOMERS, *OF_ISSUES, *OF_ANSWERS)}
    first, last = since.timestamp(), until.timestamp()
    reached = reached_by_issue()
    for query, ways in (
        (_issues(wanted, since, reached), OF_ISSUES),
        (_customers(wanted, since, reached), OF_CUSTOMERS),
        (_answers(wanted, since), OF_ANSWERS),
    ):
        names = [column["name"] for column in query.column_descriptions]
        places = [(names.index(way[0].value), names.index(way[1].value), taken[way]) for way in ways]
        for row in session.execute(query.execution_options(yield_per=AT_ONCE)):
            for at, until_at, step in places:
                begin, end = row[at], row[until_at]
                if begin is not None and end is not None and begin <= end and first <= end < last:
                    step.begins.append(begin)
                    step.ends.append(end)
    return TimeRows(since, until, taken)


def reached_by_issue() -> sa.Subquery:
    """When each issue was acknowledged first, and fixed and shipped last."""
    words = (Milestone.ACKNOWLEDGED, Milestone.FIXED, Milestone.SHIPPED)
    when = {word: sa.case((History.what == word.value, History.at)) for word in words}
    ends = {Milestone.ACKNOWLEDGED: sa.func.min}
    return (
        sa.select(
            History.issue_id,
            *(ends.get(word, sa.func.max)(at, type_=History.at.type).label(word.value) for word, at in when.items()),
        )
        .where(History.what.in_([word.value for word in words]))
        .group_by(History.issue_id)
        .subquery()
    )


def _epoch(column: Any, name: Milestone) -> sa.ColumnElement[Any]:
    return sa.extract("epoch", column).label(name.value)


def settled(reached: sa.Subquery) -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    """When an issue was fixed and shipped, as far as that holds at the stage at which it is now."""
    mended = sa.case((Issue.stage.in_([Stage.FIXED, Stage.SHIPPED]), reached.c.fixed))
    return mended, sa.case((Issue.stage == Stage.SHIPPED, reached.c.shipped))


def _issues(wanted: Scope, since: datetime, reached: sa.Subquery) -> sa.Select[Any]:
    mended, shipped = settled(reached)
    return (
        sa.select(
            _epoch(reached.c.acknowledged, Milestone.ACKNOWLEDGED),
            _epoch(mended, Milestone.FIXED),
            _epoch(shipped, Milestone.SHIPPED),
        )
        .select_from(reached)
        .join(Issue, Issue.id == reached.c.issue_id)
        .where(*wanted.issues(), sa.or_(reached.c.fixed >= since, reached.c.shipped >= since))
        .where(sa.exists().where(Escalation.issue_id == Issue.id, *wanted.escalations()))
    )


def _customers(wanted: Scope, since: datetime, reached: sa.Subquery) -> sa.Select[Any]:
    _, shipped = settled(reached)
    for_them = sa.case((reached.c.shipped >= Escalation.flagged_at, shipped))
    heard = heard_by_customer(News.SHIPPED)
    ends = (reached.c.acknowledged, reached.c.shipped, heard.c.written)
    return (
        sa.select(
            _epoch(Escalation.flagged_at, Milestone.FLAGGED),
            _epoch(reached.c.acknowledged, Milestone.ACKNOWLEDGED),
            _epoch(for_them, Milestone.SHIPPED),
            heard.c.told.label(Milestone.TOLD.value),
            _epoch(heard.c.written, Milestone.WRITTEN),
        )
        .select_from(Escalation)
        .join(Issue, Issue.id == Escalation.issue_id)
        .outerjoin(reached, reached.c.issue_id == Issue.id)
        .outerjoin(heard, heard.c.escalation_id == Escalation.id)
        .where(*wanted.issues(), *wanted.escalations())
        .where(sa.or_(heard.c.told >= since.timestamp(), *(end >= since for end in ends)))
    )


def heard_by_customer(*kinds: News) -> sa.Subquery:
    """When an escalation's agent was told of news of these kinds, as Slack dated the message, and when the customer was
    written to; of news that still stand. Who took it over later was told later: that is no delay in telling."""
    told = sa.func.min(sa.cast(Round.ts, sa.Float)).label("told")
    first = sa.select(Hearing.escalation_id, Hearing.news_id, told).join(Round, Round.id == Hearing.round_id)
    first_told = first.where(Round.ts != "").group_by(Hearing.escalation_id, Hearing.news_id).subquery()
    theirs = sa.and_(
        first_told.c.escalation_id == WriteBackRow.escalation_id, first_told.c.news_id == WriteBackRow.news_id
    )
    written = sa.case((WriteBackRow.state == WriteBack.WRITTEN, WriteBackRow.done_at))
    return (
        sa.select(
            WriteBackRow.escalation_id,
            sa.func.max(first_told.c.told).label("told"),
            sa.func.max(written, type_=WriteBackRow.done_at.type).label("written"),
        )
        .join(NewsItem, NewsItem.id == WriteBackRow.news_id)
        .outerjoin(first_told, theirs)
        .where(NewsItem.kind.in_(kinds), NewsItem.stands)
        .group_by(WriteBackRow.escalation_id)
        .subquery()
    )


def _answers(wanted: Scope, since: datetime) -> sa.Select[Any]:
    said = (Confirmation.WORKS, Confirmation.STILL_BROKEN)
    return (
        sa.select(
            _epoch(WriteBackRow.done_at, Milestone.WRITTEN),
            _epoch(WriteBackRow.confirmed_at, Milestone.CONFIRMED),
        )
        .join(NewsItem, NewsItem.id == WriteBackRow.news_id)
        .join(Escalation, Escalation.id == WriteBackRow.escalation_id)
        .join(Issue, Issue.id == Escalation.issue_id)
        .where(NewsItem.kind == News.SHIPPED, WriteBackRow.confirmation.in_(said), WriteBackRow.confirmed_at >= since)
        .where(*wanted.issues(), *wanted.escalations())
    )
