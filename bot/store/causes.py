"""The rows behind the report on causes: few statements, however many escalations there are."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.areas import Dimension, Named, areas
from bot.model import WAITING, Kind, Severity, Stage
from bot.periods import By, edges
from bot.store.scope import Scope
from bot.store.tables import Escalation, History, Issue, Ticket

AREAS = 12
"""How many areas of each dimension the report names."""

PLANNED = 5
"""How many issues it names for each of them."""

LISTED = 10
"""How many issues it names that came back, and that were removed."""

EXCERPT = 500
"""Characters of a customer's words that are read; an excerpt is made of them."""

CAME_BACK = ("reopened", "taken_back", "still_broken")
"""The words of history that say so."""

UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class CauseIssue:
    """An issue as a line of the report; `number` is None, and `url` "", until the tracker has it."""

    id: str
    project: str  # its key
    title: str
    repository: str
    number: int | None
    url: str
    stage: Stage
    kind: Kind
    severity: Severity
    customers: int  # tickets on it: of an open issue those who wait, of a shipped one those whom it had hurt


@dataclass(slots=True)
class AreaRow:
    """What an area brings: tickets in each period, who waits, and the open issues with most of them."""

    named: Named
    tickets: list[int]
    waiting: int = 0
    open_issues: int = 0
    plan: list[str] = field(default_factory=list)  # ids, most customers first


@dataclass(frozen=True, slots=True)
class WordsRow:
    """What the first customer of an issue wrote, and the names of all its customers, which must not be shown."""

    words: str
    language: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OffenderRow:
    issue: str
    times: Mapping[str, int]  # by the word of history
    last_at: datetime


@dataclass(frozen=True, slots=True)
class CauseRows:
    since: datetime
    until: datetime
    edges: tuple[datetime, ...]
    bugs: AreaRow
    tooling: AreaRow
    areas: tuple[AreaRow, ...]  # most tickets first
    more: Mapping[Dimension, int]  # areas that are not among these
    issues: Mapping[str, CauseIssue]
    words: Mapping[str, WordsRow]  # by issue
    offenders: tuple[OffenderRow, ...]
    offenders_count: int
    removed: tuple[tuple[str, datetime], ...]  # issues and when they shipped
    removed_count: int
    removed_customers: int


def load(
    session: Session,
    wanted: Scope,
    since: datetime,
    until: datetime,
    *,
    by: By = By.WEEK,
    zone: ZoneInfo = UTC,
    own: Mapping[str, Collection[str]] | None = None,
) -> CauseRows:
    """What happened from `since` until before `until`, by period; `own` are the labels that Passerelle itself puts on a
    project's issues, by the project's key."""
    bounds = edges(since, until, by, zone)
    counted = _Counted(wanted, len(bounds) - 1, own or {})
    for project, labels, kind, period, tickets in _flagged(session, wanted, bounds, until):
        counted.flagged(project, labels, kind, period, tickets)
    for issue, project, labels, kind, customers in _open(session, wanted):
        counted.open(issue, project, labels, kind, customers)
    top, more = counted.top()
    offenders, offenders_count = _offenders(session, wanted, since, until)
    removed, removed_count, hurt = _removed(session, wanted, since, until)
    planned = {issue for area in (*top, counted.tooling) for issue in area.plan}
    ids = planned | {one.issue for one in offenders} | {issue for issue, _ in removed}
    return CauseRows(
        since=since,
        until=until,
        edges=bounds,
        bugs=counted.bugs,
        tooling=counted.tooling,
        areas=tuple(top),
        more=more,
        issues=_issues(session, wanted, ids),
        words=_words(session, wanted, planned),
        offenders=offenders,
        offenders_count=offenders_count,
        removed=removed,
        removed_count=removed_count,
        removed_customers=hurt,
    )


class _Counted:
    """What the grouped rows add up to, by area."""

    def __init__(self, wanted: Scope, periods: int, own: Mapping[str, Collection[str]]) -> None:
        self.kinds = wanted.kinds or (Kind.BUG,)
        self.own, self.periods = own, periods
        self.bugs, self.tooling = self._area(Named(Dimension.LABEL, "")), self._area(Named(Dimension.LABEL, ""))
        self.found: dict[tuple[Dimension, str], AreaRow] = {}
        self._known: dict[tuple[str, str], list[Named]] = {}

    def flagged(self, project: str, labels: str, kind: Kind, period: int, tickets: int) -> None:
        for area in self._areas(project, labels, kind):
            area.tickets[period] += tickets

    def open(self, issue: str, project: str, labels: str, kind: Kind, customers: int) -> None:
        for area in self._areas(project, labels, kind):
            area.waiting += customers
            area.open_issues += 1
            if len(area.plan) < PLANNED:  # they come with most customers first
                area.plan.append(issue)

    def top(self) -> tuple[list[AreaRow], dict[Dimension, int]]:
        """The areas that bring most tickets, and how many are left out of each dimension."""
        order = sorted(self.found.values(), key=lambda one: (-sum(one.tickets), -one.waiting, one.named.name))
        kept, more = list[AreaRow](), dict[Dimension, int]()
        for dimension in Dimension:
            there = [one for one in order if one.named.dimension is dimension]
            kept += there[:AREAS]
            more[dimension] = len(there) - len(there[:AREAS])
        return kept, more

    def _areas(self, project: str, labels: str, kind: Kind) -> Iterator[AreaRow]:
        yield self.tooling if kind is Kind.TOOLING else self.bugs
        if kind not in self.kinds:
            return
        if (project, labels) not in self._known:
            self._known[project, labels] = areas(project, json.loads(labels or "[]"), self.own.get(project, ()))
        for named in self._known[project, labels]:
            area = self.found.get(named.key)
            if area is None:
                area = self.found[named.key] = self._area(named)
            elif named.name < area.named.name:
                area.named = named  # of several spellings always the same
            yield area

    def _area(self, named: Named) -> AreaRow:
        return AreaRow(named, [0] * self.periods)


# --- statements -------------------------------------------------------------------------------------------------------

_LABELS = sa.cast(Issue.labels, sa.Text)  # as text, it can be grouped by on every database


def _flagged(session: Session, wanted: Scope, bounds: Sequence[datetime], until: datetime) -> Iterable[Any]:
    """Escalations by project, labels, kind and the period in which they were flagged."""
    period = _period(Escalation.flagged_at, bounds, 0, len(bounds) - 1)
    keys = (Issue.project, _LABELS, Issue.kind, period)
    query = (
        sa.select(*keys, sa.func.count())
        .select_from(Escalation)
        .join(Issue, Issue.id == Escalation.issue_id)
        .where(Escalation.flagged_at >= bounds[0], Escalation.flagged_at < until)
        .where(*wanted.issues(), *wanted.escalations())
        .group_by(*(sa.literal_column(str(place + 1)) for place in range(len(keys))))
    )
    return session.execute(query)


def _period(column: Any, bounds: Sequence[datetime], first: int, last: int) -> sa.ColumnElement[int]:
    """Which of the periods a time is in, of which it is known to be in one; found by halves."""
    if last - first <= 1:
        return sa.literal_column(str(first), sa.Integer)
    middle = (first + last) // 2
    return sa.case(
        (column < bounds[middle], _period(column, bounds, first, middle)),
        else_=_period(column, bounds, middle, last),
    )


def _customers(wanted: Scope) -> sa.Select[Any]:
    """Issues with how many customers are on each."""
    return (
        sa.select(Issue.id)
        .select_from(Issue)
        .join(Escalation, Escalation.issue_id == Issue.id)
        .where(*wanted.issues(), *wanted.escalations())
        .group_by(Issue.id)
    )


def _open(session: Session, wanted: Scope) -> Iterable[Any]:
    """The issues for which customers wait, most customers first."""
    waiting = sa.func.count()
    query = _customers(wanted).where(Issue.stage.in_(WAITING)).order_by(waiting.desc(), Issue.id)
    return session.execute(query.add_columns(Issue.project, _LABELS, Issue.kind, waiting))


def _offenders(
    session: Session, wanted: Scope, since: datetime, until: datetime
) -> tuple[tuple[OffenderRow, ...], int]:
    """The issues that came back most often, and how many did at all. Only of those that tickets are on."""
    customers = sa.func.count(History.escalation_id.distinct())  # who says so again is one customer
    query = (
        sa.select(
            Issue.id,
            History.what,
            sa.case((History.what == "still_broken", customers), else_=sa.func.count()),
            sa.func.max(History.at, type_=History.at.type),
        )
        .join(Issue, Issue.id == History.issue_id)
        .where(History.what.in_(CAME_BACK), History.at >= since, History.at < until, *wanted.issues())
        .where(sa.exists().where(Escalation.issue_id == Issue.id, *wanted.escalations()))
        .group_by(Issue.id, History.what)
    )
    times: dict[str, Counter[str]] = {}
    last: dict[str, datetime] = {}
    for issue, what, number, at in session.execute(query):
        times.setdefault(issue, Counter())[what] += number
        last[issue] = max(at, last.get(issue, at))
    order = sorted(times, key=lambda issue: (-times[issue].total(), -last[issue].timestamp(), issue))
    return tuple(OffenderRow(issue, times[issue], last[issue]) for issue in order[:LISTED]), len(order)


def _removed(
    session: Session, wanted: Scope, since: datetime, until: datetime
) -> tuple[tuple[tuple[str, datetime], ...], int, int]:
    """The issues that shipped and had hurt most customers; how many shipped at all, and how many customers they had."""
    hurt = sa.func.count()
    query = (
        _customers(wanted)
        .where(Issue.stage == Stage.SHIPPED, Issue.stage_since >= since, Issue.stage_since < until)
        .add_columns(Issue.stage_since, sa.func.count().over(), sa.func.sum(hurt).over())
        .order_by(hurt.desc(), Issue.stage_since.desc(), Issue.id)
        .limit(LISTED)
    )
    rows = session.execute(query).all()
    return tuple((row[0], row[1]) for row in rows), rows[0][2] if rows else 0, int(rows[0][3]) if rows else 0


def _issues(session: Session, wanted: Scope, ids: Iterable[str]) -> dict[str, CauseIssue]:
    columns = (
        *(Issue.id, Issue.project, Issue.title, Issue.repository, Issue.number, Issue.url),
        *(Issue.stage, Issue.kind, Issue.severity),
    )
    theirs = sa.and_(Escalation.issue_id == Issue.id, *wanted.escalations())
    customers = sa.select(sa.func.count()).where(theirs).scalar_subquery()
    rows = session.execute(sa.select(*columns, customers).where(Issue.id.in_(sorted(ids))))
    return {row[0]: CauseIssue(*row) for row in rows}


def _words(session: Session, wanted: Scope, ids: Iterable[str]) -> dict[str, WordsRow]:
    """What was said first on each of these issues, as far as words are kept."""
    place = sa.func.row_number().over(partition_by=Escalation.issue_id, order_by=(Escalation.flagged_at, Escalation.id))
    theirs = (Escalation.issue_id.in_(sorted(ids)), *wanted.escalations())
    first = (
        sa.select(
            Escalation.issue_id, sa.func.substr(Ticket.words, 1, EXCERPT).label("words"), Ticket.language,
            place.label("place"),
        )
        .join(Ticket, Ticket.id == Escalation.ticket_id)
        .where(*theirs, Ticket.words != "")
        .subquery()
    )  # fmt: skip
    said = session.execute(sa.select(first.c.issue_id, first.c.words, first.c.language).where(first.c.place == 1)).all()
    names = _names(session, [issue for issue, _, _ in said])
    return {issue: WordsRow(_whole(words), language, tuple(names.get(issue, ()))) for issue, words, language in said}


def _whole(words: str) -> str:
    """What was read of a text, without the word at which it was cut: half an address is none that a redaction finds."""
    return words if len(words) < EXCERPT else words.rstrip().rpartition(" ")[0]


def _names(session: Session, ids: Iterable[str]) -> dict[str, set[str]]:
    """The names, addresses and organisations of all customers that ever were on these issues."""
    query = (
        sa.select(Escalation.issue_id, Ticket.customer_name, Ticket.customer_email, Ticket.organisation)
        .join(Ticket, Ticket.id == Escalation.ticket_id)
        .where(Escalation.issue_id.in_(sorted(ids)))
    )
    found: dict[str, set[str]] = {}
    for issue, *names in session.execute(query):
        found.setdefault(issue, set()).update(name for name in names if name)
    return found
