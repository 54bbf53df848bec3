"""The rows behind digests: what is open, what is promised, what left, and who owes whom an answer. Each question is one
statement that counts in the database, and fetches only as much as is shown."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from bot.model import OWED, WAITING, Kind, News, Severity, Stage, WriteBack
from bot.store.home import STAGES, weight
from bot.store.queries import SETTLED
from bot.store.tables import Escalation, Follower, History, Issue, NewsItem, WriteBackRow

BACK = ("reopened", "taken_back", "parted")
"""What the history says of an issue that was settled, or fixed, or the same as another, and is not any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which issues count; empty is all of them."""

    projects: tuple[str, ...] = ()
    severities: tuple[Severity, ...] = ()
    kinds: tuple[Kind, ...] = ()
    stages: tuple[Stage, ...] = ()
    team: frozenset[str] | None = None  # one of these agents flagged a ticket on it
    own: str = ""  # in this Support Dev's hands
    on_duty: tuple[str, ...] = ()  # of these projects, also what is in nobody's hands
    others: tuple[str, ...] = ()  # the other Support Devs: what they have is in somebody's

    @property
    def open(self) -> tuple[Stage, ...]:
        """The stages in which an issue counts as open."""
        return tuple(stage for stage in STAGES if not self.stages or stage in self.stages)


@dataclass(frozen=True, slots=True)
class Counted:
    """What there is of the open issues at one stage."""

    issues: int
    customers: int
    new: int
    again: int
    promised: int
    overdue: int


@dataclass(frozen=True, slots=True)
class OpenIssue:
    """An issue whose end customers wait for; `number` is None until the tracker has it."""

    id: str
    title: str
    repository: str
    number: int | None
    url: str
    stage: Stage
    severity: Severity
    created_at: datetime
    promised_on: date | None
    support_dev: str
    customers: int
    waiting_since: datetime  # when the first of them was flagged
    new: bool  # it came since then
    back: str | None  # which of `BACK` happened last since then


@dataclass(frozen=True, slots=True)
class Left:
    """An issue that is not on the list any more: settled, or another took its place."""

    title: str
    repository: str
    number: int | None
    url: str
    stage: Stage
    at: datetime
    other_title: str = ""
    other_repository: str = ""
    other_number: int | None = None
    other_url: str = ""


@dataclass(frozen=True, slots=True)
class Owed:
    """An agent with the customers to write back to, and since when the first of them waits for it."""

    agent: str
    customers: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that nobody answered, and an agent who was asked."""

    issue: str
    title: str
    repository: str
    number: int | None
    url: str
    at: datetime
    agent: str


_LIVE = Escalation.taken_off.is_(None)
_NAME = (Issue.title, Issue.repository, Issue.number, Issue.url)


def _within(scope: Scope, stages: Collection[Stage] = ()) -> list[sa.ColumnElement[bool]]:
    """What holds of an issue that counts; `stages` in place of those of the scope."""
    found: list[sa.ColumnElement[bool]] = []
    for column, wanted in (
        (Issue.project, scope.projects),
        (Issue.severity, scope.severities),
        (Issue.kind, scope.kinds),
        (Issue.stage, stages or scope.stages),
    ):
        if wanted:
            found.append(column.in_(wanted))
    if scope.team is not None:
        found.append(_flagged(scope.team))
    if scope.own:
        free = sa.and_(Issue.project.in_(scope.on_duty), Issue.support_dev.not_in(scope.others))
        found.append(sa.or_(Issue.support_dev == scope.own, free))
    return found


def _flagged(team: frozenset[str]) -> sa.ColumnElement[bool]:
    """One of them flagged a ticket on it, or one that came with an issue that joined it."""
    theirs = sa.select(Escalation.issue_id).where(Escalation.agent.in_(team), _LIVE)
    followed = sa.select(Escalation.issue_id).join(Follower).where(Follower.person.in_(team), _LIVE)
    before = sa.select(Escalation.came_from).where(Escalation.agent.in_(team), Escalation.came_from.is_not(None))
    return sa.or_(Issue.id.in_(theirs.union(followed)), Issue.id.in_(before))


def _carried() -> sa.ColumnElement[bool]:
    """Customers are on it."""
    return sa.exists().where(Escalation.issue_id == Issue.id, _LIVE).correlate(Issue)


def _open(scope: Scope) -> list[sa.ColumnElement[bool]]:
    return [Issue.joined.is_(None), *_within(scope, scope.open or WAITING), *([] if scope.open else [sa.false()])]


def _came(scope: Scope, since: datetime) -> sa.ColumnElement[bool]:
    """It came since then. What was carried to another project before is new to that project's own list alone."""
    before = sa.exists().where(History.issue_id == Issue.id, History.at <= since).correlate(Issue)
    return sa.and_(Issue.created_at > since, *([] if scope.projects else [~before]))


def _back(since: datetime) -> sa.ColumnElement[bool]:
    """It came back since then, by our own clock: the tracker's says when it was opened again, not when we heard."""
    return Issue.id.in_(sa.select(History.issue_id).where(History.at > since, History.what.in_(BACK)))


def _crowd() -> sa.Subquery:
    """How many customers wait for each issue, and since when the first."""
    return (
        sa.select(
            Escalation.issue_id,
            sa.func.count().label("customers"),
            sa.func.min(Escalation.flagged_at, type_=Escalation.flagged_at.type).label("since"),
        )
        .where(_LIVE)
        .group_by(Escalation.issue_id)
        .subquery()
    )


# --- what is open -----------------------------------------------------------------------------------------------------


def counts(session: Session, scope: Scope, since: datetime, today: date) -> dict[Stage, Counted]:
    """What there is at each stage; new is what came since then, overdue what was promised for before today."""
    crowd = _crowd()

    def number(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0)

    query = (
        sa.select(
            Issue.stage,
            sa.func.count(),
            sa.func.sum(crowd.c.customers),
            number(_came(scope, since)),
            number(sa.and_(~_came(scope, since), _back(since))),
            number(Issue.promised_on.is_not(None)),
            number(Issue.promised_on < today),
        )
        .join(crowd, crowd.c.issue_id == Issue.id)
        .where(*_open(scope))
        .group_by(Issue.stage)
    )
    return {stage: Counted(*(int(n) for n in row)) for stage, *row in session.execute(query)}


def promised(session: Session, scope: Scope, most: int) -> list[str]:
    """The ids of what was promised for a day, the earliest first."""
    return _first(session, scope, [Issue.promised_on, Issue.created_at], most, Issue.promised_on.is_not(None))


def new(session: Session, scope: Scope, since: datetime, most: int) -> list[str]:
    """The ids of what came since then or came back, the gravest first, the latest of those."""
    rank = sa.case({severity: place for place, severity in enumerate(Severity)}, value=Issue.severity)
    came = sa.or_(_came(scope, since), _back(since))
    return _first(session, scope, [rank, Issue.created_at.desc()], most, came)


def oldest(session: Session, scope: Scope, most: int) -> list[str]:
    """The ids of what customers wait for longest, and is not fixed."""
    crowd = _crowd()
    query = sa.select(Issue.id).join(crowd, crowd.c.issue_id == Issue.id)
    query = query.where(*_open(scope), Issue.stage != Stage.FIXED)
    return list(session.scalars(query.order_by(crowd.c.since, Issue.id).limit(most)))


def _first(
    session: Session, scope: Scope, order: Sequence[Any], most: int, *conditions: sa.ColumnElement[bool]
) -> list[str]:
    query = sa.select(Issue.id).where(*_open(scope), _carried(), *conditions)
    return list(session.scalars(query.order_by(*order, Issue.id).limit(most)))


def crowded(session: Session, scope: Scope, most: int, *, fixed: bool) -> list[str]:
    """The ids of what most customers wait for: of what is `fixed`, or of what is not and hurts more than one."""
    crowd = _crowd()
    at = Issue.stage == Stage.FIXED if fixed else sa.and_(Issue.stage != Stage.FIXED, crowd.c.customers > 1)
    query = sa.select(Issue.id).join(crowd, crowd.c.issue_id == Issue.id).where(*_open(scope), at)
    return list(session.scalars(query.order_by(crowd.c.customers.desc(), Issue.created_at, Issue.id).limit(most)))


def queue(
    session: Session, scope: Scope, now: datetime, most: int, skipped: int = 0, *, staged: bool = False
) -> list[str]:
    """The ids of what is open in the order that helps, as the Home tab has it: by customers, severity and age.
    `staged`: stage by stage, nearest to the end first."""
    crowd = _crowd()
    stage = sa.case({stage: place for place, stage in enumerate(STAGES)}, value=Issue.stage)
    query = sa.select(Issue.id).join(crowd, crowd.c.issue_id == Issue.id).where(*_open(scope))
    query = query.order_by(*([stage] if staged else []), weight(crowd, now).desc(), Issue.id)
    return list(session.scalars(query.limit(most).offset(skipped)))


def named(session: Session, scope: Scope, ids: Collection[str], since: datetime) -> dict[str, OpenIssue]:
    """The issues of these few ids; `since` is when the last digest was."""
    theirs = (Escalation.issue_id == Issue.id, _LIVE)
    customers = sa.select(sa.func.count()).where(*theirs).scalar_subquery()
    first = sa.select(sa.func.min(Escalation.flagged_at, type_=Escalation.flagged_at.type)).where(*theirs)
    back = sa.select(History.what).where(History.issue_id == Issue.id, History.at > since, History.what.in_(BACK))
    columns: list[Any] = [
        *(Issue.id, *_NAME, Issue.stage, Issue.severity, Issue.created_at, Issue.promised_on, Issue.support_dev),
        *(customers, sa.func.coalesce(first.scalar_subquery(), Issue.created_at), _came(scope, since)),
        back.order_by(History.at.desc(), History.id.desc()).limit(1).scalar_subquery(),
    ]
    query = sa.select(*columns).where(Issue.id.in_(ids))
    return {row[0]: OpenIssue(*row) for row in session.execute(query)} if ids else {}


# --- what happened ----------------------------------------------------------------------------------------------------


def left(session: Session, scope: Scope, since: datetime, most: int) -> tuple[dict[str, int], int, Sequence[Left]]:
    """What left the list since then: how many were shipped, declined or joined another; how many of all these had come
    since then, too; and the latest of them."""
    settled = [Issue.joined.is_(None), Issue.stage_since > since, *_within(scope, SETTLED), _carried()]
    fresh = sa.func.sum(sa.case((_came(scope, since), 1), else_=0))
    found = session.execute(sa.select(Issue.stage, sa.func.count(), fresh).where(*settled).group_by(Issue.stage)).all()
    numbers, came = {stage.value: n for stage, n, _ in found}, sum(int(n) for _, _, n in found)
    other = aliased(Issue)
    joined = (
        sa.select(*_NAME, Issue.stage, sa.func.max(History.at, type_=History.at.type).label("left_at"))
        .add_columns(other.title, other.repository, other.number, other.url)
        .join(History, History.issue_id == Issue.id)
        .join(other, other.id == Issue.joined)
        .where(History.what == "duplicate", History.at > since, *_within(scope, (*WAITING, *SETTLED)))
        .group_by(Issue.id, other.id)
    )
    whole = joined.add_columns(_came(scope, since).label("came")).subquery()
    query = sa.select(sa.func.count(), sa.func.count().filter(whole.c.came)).select_from(whole)
    here, new_here = session.execute(query).one()
    if here:
        numbers["joined"] = here
    latest = sa.select(*_NAME, Issue.stage, Issue.stage_since).where(*settled).order_by(Issue.stage_since.desc())
    rows = [Left(*row) for row in session.execute(latest.limit(most))]
    if here:
        rows += [Left(*row) for row in session.execute(joined.order_by(sa.desc("left_at")).limit(most))]
    return numbers, came + new_here, sorted(rows, key=lambda one: one.at, reverse=True)[:most]


def write_backs_due(session: Session, scope: Scope, most: int) -> tuple[int, Sequence[Owed]]:
    """How many customers are to be written to, and by whom: agents by Slack id, most first. What is held is not due."""
    owing = sa.func.count(WriteBackRow.escalation_id.distinct())  # a question and a workaround are one customer's
    first = sa.func.min(WriteBackRow.due_at, type_=WriteBackRow.due_at.type)
    query = (
        sa.select(WriteBackRow.agent, owing, first, sa.func.sum(owing).over())
        .join(Escalation, Escalation.id == WriteBackRow.escalation_id)
        .join(Issue, Issue.id == Escalation.issue_id)
        .where(WriteBackRow.state.in_(OWED - {WriteBack.HELD}), _LIVE, *_within(scope))
        .group_by(WriteBackRow.agent)
        .order_by(owing.desc(), WriteBackRow.agent)
    )
    if scope.team is not None:
        query = query.where(WriteBackRow.agent.in_(scope.team))
    rows = session.execute(query.limit(most)).all()
    return int(rows[0][3]) if rows else 0, [Owed(agent, n, at) for agent, n, at, _ in rows]


def weeks(session: Session, scope: Scope, begins: Sequence[datetime]) -> list[tuple[int, int]]:
    """How many issues came and how many were settled in each of the weeks that begin then; the last one goes on."""
    spans = list(zip(begins, [*begins[1:], None], strict=True))

    def per_week(at: Any, *conditions: sa.ColumnElement[bool]) -> list[int]:
        inside = [sa.and_(at >= begin, *([at < end] if end else [])) for begin, end in spans]
        columns = [sa.func.coalesce(sa.func.sum(sa.case((one, 1), else_=0)), 0) for one in inside]
        query = sa.select(*columns).where(Issue.joined.is_(None), at >= begins[0], _carried(), *conditions)
        return [int(n) for n in session.execute(query).one()]

    came = per_week(Issue.created_at, *_within(scope, (*WAITING, *SETTLED)))
    went = per_week(Issue.stage_since, *_within(scope, SETTLED))
    return list(zip(came, went, strict=True))


# --- what a Support Dev waits for -------------------------------------------------------------------------------------


def happened(session: Session, scope: Scope, since: datetime, most: int) -> dict[str, tuple[str, str]]:
    """The open issues whose question was answered since then, or that were opened again: by their ids, what happened
    last and by whom."""
    query = (
        sa.select(History.issue_id, History.what, History.by)
        .join(Issue, Issue.id == History.issue_id)
        .where(History.at > since, History.what.in_(("answered", *BACK)), *_open(scope), _carried())
        .order_by(History.at.desc(), History.id.desc())
        .limit(most)
    )
    return {str(issue): (what, by) for issue, what, by in reversed(session.execute(query).all())}


def answered(session: Session, scope: Scope, since: datetime) -> int:
    """How many questions about open issues were answered since then."""
    query = sa.select(sa.func.count()).select_from(History).join(Issue, Issue.id == History.issue_id)
    query = query.where(History.at > since, History.what == "answered", *_open(scope), _carried())
    return session.scalar(query) or 0


def asked(session: Session, scope: Scope, most: int) -> tuple[int, Sequence[Asked]]:
    """How many open issues have a question that nobody answered yet, and the oldest `most` of them: a row for each
    agent who was asked."""
    open_ones = (
        sa.select(NewsItem.issue_id, sa.func.min(NewsItem.at, type_=NewsItem.at.type).label("at"))
        .join(Issue, Issue.id == NewsItem.issue_id)
        .where(NewsItem.kind == News.QUESTION, NewsItem.stands.is_(True), *_open(scope), _carried())
        .group_by(NewsItem.issue_id)
    )
    whole = open_ones.subquery()
    number = session.scalar(sa.select(sa.func.count()).select_from(whole)) or 0
    first = open_ones.order_by(sa.literal_column("at"), NewsItem.issue_id).limit(most).subquery()
    query = (
        sa.select(Issue.id, *_NAME, first.c.at, Escalation.agent)
        .join(first, first.c.issue_id == Issue.id)
        .join(Escalation, sa.and_(Escalation.issue_id == Issue.id, _LIVE))
        .distinct()
        .order_by(first.c.at, Issue.id, Escalation.agent)
    )
    return number, [Asked(*row) for row in session.execute(query)] if number else []
