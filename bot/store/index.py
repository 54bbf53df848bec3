"""The full-text index: every issue that the trackers have, and the words of the tickets on them, in plain SQL.

No database's own search is used, so that SQLite and PostgreSQL find the same. Nothing is counted in advance: a row that
many transactions would have to change is one that they would wait for.

All functions work in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from bot.similar import scoring
from bot.similar.terms import storable
from bot.store.indexed import KnownIssue, KnownTerm, TicketTerm
from bot.store.tables import Escalation, Issue
from integrations.base import Listed

CANDIDATES = 200  # issues whose times are looked at
COUNTED = 2000  # rows of one term that are counted, or a fifth of all issues: what more of them have tells little


_SHOWN = tuple(column for column in KnownIssue.__table__.columns if column.name != "terms")


@dataclass(frozen=True, slots=True)
class Found:
    """A known issue that may be what a ticket speaks of."""

    project: str
    repository: str
    number: int
    url: str
    title: str
    open: bool
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    issue_id: str | None  # ours, where we have one
    score: float  # compares the issues of one answer; never a probability


# --- known issues -----------------------------------------------------------------------------------------------------


def put(session: Session, project: str, repository: str, seen: Listed, issue_id: str | None = None) -> bool:
    """Keep an issue as its tracker tells it, and whether that changed anything; what is older than we know is ignored.

    `issue_id` is our own record of it; None leaves the one that we know. An issue of ours stands in one place: whatever
    was known of it elsewhere is that no more. A transaction that puts several puts them by number: PostgreSQL ends one
    of two that wait for each other.
    """
    known = _held(session, project, repository, seen)
    if known is None:
        return False
    known.url, known.title, known.open = seen.url, storable(seen.title), seen.open
    known.updated_at, known.closed_at = seen.updated_at, seen.closed_at
    if issue_id is not None and known.issue_id != issue_id:
        elsewhere = sa.update(KnownIssue).where(KnownIssue.issue_id == issue_id, KnownIssue.id != known.id)
        session.execute(elsewhere.values(issue_id=None))
        known.issue_id = issue_id
    _retell(session, known, scoring.issue_weights(seen.title, seen.text))
    changed = session.is_modified(known)
    session.flush()
    return changed


def drop(session: Session, project: str, repository: str, number: int) -> None:
    """Know an issue no more: it is gone, or a duplicate of another."""
    known = _known(session, project, repository, number)
    if known is not None:
        _retell(session, known, {})
        session.delete(known)
        session.flush()


def _known(session: Session, project: str, repository: str, number: int) -> KnownIssue | None:
    """That issue, held until the transaction ends."""
    query = sa.select(KnownIssue).where(*_at(project, repository, number))
    return session.scalar(query.with_for_update())


def _at(project: str, repository: str, number: int) -> tuple[sa.ColumnElement[bool], ...]:
    return KnownIssue.project == project, KnownIssue.repository == repository, KnownIssue.number == number


def _held(session: Session, project: str, repository: str, seen: Listed) -> KnownIssue | None:
    """The row to keep that issue in, held until the transaction ends; None: it holds what is newer."""
    known = _known(session, project, repository, seen.number)
    if known is None:
        known = KnownIssue(project=project, repository=repository, number=seen.number, title="", open=seen.open)
        known.created_at, known.updated_at, known.terms = seen.created_at, seen.updated_at, {}
        try:
            with session.begin_nested():
                session.add(known)
        except IntegrityError:  # another transaction was first; it has ended
            known = _known(session, project, repository, seen.number)
    return known if known is not None and known.updated_at <= seen.updated_at else None


def _retell(session: Session, known: KnownIssue, weights: dict[str, float]) -> None:
    """Make the index hold these terms of an issue, touching only what is different."""
    old = known.terms
    if gone := [term for term in old if weights.get(term) != old[term]]:
        session.execute(sa.delete(KnownTerm).where(KnownTerm.known_id == known.id, KnownTerm.term.in_(gone)))
    if fresh := [(term, weight) for term, weight in weights.items() if old.get(term) != weight]:
        rows = [{"term": term, "known_id": known.id, "weight": weight} for term, weight in sorted(fresh)]
        session.execute(sa.insert(KnownTerm), rows)
    if gone or fresh:
        known.terms = weights


def stands(session: Session, issue_id: str, *, is_open: bool, closed_at: datetime | None) -> None:
    """Know at once whether an issue of ours is open, before the next list tells."""
    values = {"open": is_open, "closed_at": closed_at}
    session.execute(sa.update(KnownIssue).where(KnownIssue.issue_id == issue_id).values(**values))


def holds(session: Session) -> bool:
    """Whether any issue is known."""
    return session.scalar(sa.select(KnownIssue.id).limit(1)) is not None


def own(session: Session, known: Found, issue_id: str) -> None:
    """That known issue is ours from now on, as this record; whatever was that before is not any more."""
    session.execute(sa.update(KnownIssue).where(KnownIssue.issue_id == issue_id).values(issue_id=None))
    there = _at(known.project, known.repository, known.number)
    session.execute(sa.update(KnownIssue).where(*there).values(issue_id=issue_id))


def at(session: Session, project: str, repository: str, number: int) -> Found | None:
    """The known issue that stands there; its score is 0."""
    row = session.execute(sa.select(*_SHOWN).where(*_at(project, repository, number))).one_or_none()
    return None if row is None else _found(row, 0.0)


# --- tickets ----------------------------------------------------------------------------------------------------------


def pool(session: Session, escalation_id: str, title: str, text: str) -> None:
    """Let a ticket's text lead to the issue that its escalation is on, wherever that one moves."""
    erase(session, [escalation_id])
    weights = scoring.ticket_weights(title, text)
    rows = [{"term": term, "escalation_id": escalation_id, "weight": weights[term]} for term in sorted(weights)]
    if rows:
        session.execute(sa.insert(TicketTerm), rows)


def erase(session: Session, escalations: Collection[str] | sa.Select[str]) -> None:
    """Leave no term of these tickets' texts."""
    session.execute(sa.delete(TicketTerm).where(TicketTerm.escalation_id.in_(escalations)))


# --- finding ----------------------------------------------------------------------------------------------------------


def find(
    session: Session, title: str, text: str, projects: Collection[str], now: datetime, most: int = 5
) -> list[Found]:
    """The known issues of these projects that a ticket with that title and text most likely speaks of, best first.

    There is always something alike: that an issue is named does not say that it is the same.
    """
    per_project = sa.select(KnownIssue.project, sa.func.count()).group_by(KnownIssue.project)
    sizes = _pairs(session, per_project)
    total = sum(sizes.get(project, 0) for project in set(projects))
    wanted = scoring.asked(title, text)
    if not total or not wanted:
        return []
    worth = scoring.telling(wanted, _counts(session, wanted, max(COUNTED, total // 5)), total)
    if not worth:
        return []
    among = None if set(sizes) <= set(projects) else projects
    alike = _pairs(session, _alike(worth, among))
    found = [_weighed(row, alike, now) for row in session.execute(_told(alike))]
    return sorted(found, key=lambda one: (-one.score, -one.number))[:most]


def _counts(session: Session, wanted: Mapping[str, float], most: int) -> dict[str, int]:
    """How many issues and tickets have each term, counted up to `most`."""
    query = sa.values(sa.column("term", sa.String), name="query").data([(term,) for term in wanted]).cte()

    def counted(table: type[KnownTerm | TicketTerm]) -> sa.ScalarSelect[int]:
        rows = sa.select(sa.literal(1)).where(table.term == query.c.term).limit(most).correlate(query).subquery()
        return sa.select(sa.func.count()).select_from(rows).scalar_subquery()

    return _pairs(session, sa.select(query.c.term, counted(KnownTerm) + counted(TicketTerm)))


def _alike(worth: Mapping[str, float], projects: Collection[str] | None) -> sa.Select[int, float]:
    """The issues whose words are most like these, of all projects when None, and how much."""
    query = sa.values(sa.column("term", sa.String), sa.column("worth", sa.Double), name="query")
    asked = query.data(list(worth.items())).cte()
    own = sa.select(
        KnownTerm.known_id.label("id"),
        (asked.c.worth * _bent(KnownTerm.weight)).label("part"),
        asked.c.worth.label("had"),
    )
    own = own.join(asked, asked.c.term == KnownTerm.term)
    on = aliased(Escalation)
    crowd = sa.select(sa.func.count()).where(on.issue_id == KnownIssue.issue_id, on.taken_off.is_(None))
    pooled = (
        sa.select(
            KnownIssue.id,
            asked.c.term,
            asked.c.worth,
            sa.func.sum(TicketTerm.weight).label("weight"),
            crowd.scalar_subquery().label("tickets"),
        )
        .select_from(asked)
        .join(TicketTerm, TicketTerm.term == asked.c.term)
        .join(Escalation, sa.and_(Escalation.id == TicketTerm.escalation_id, Escalation.taken_off.is_(None)))
        .join(KnownIssue, KnownIssue.issue_id == Escalation.issue_id)
        .group_by(KnownIssue.id, KnownIssue.issue_id, asked.c.term, asked.c.worth)
        .subquery()
    )
    there = sa.func.coalesce(KnownTerm.weight, 0.0)
    each = pooled.c.weight / (1 + scoring.CROWD * (pooled.c.tickets - 1))
    more = _bent(there + each) - _bent(there)  # what the tickets add to the issue's own share
    new = sa.case((KnownTerm.weight.is_(None), pooled.c.worth), else_=0.0)
    tickets = sa.select(pooled.c.id, (pooled.c.worth * more).label("part"), new.label("had")).outerjoin(
        KnownTerm, sa.and_(KnownTerm.term == pooled.c.term, KnownTerm.known_id == pooled.c.id)
    )
    parts = sa.union_all(own, tickets).subquery()
    covered = sa.func.sum(parts.c.had) / sum(worth.values())
    likeness = sa.func.sum(parts.c.part) * (1 + scoring.COVER * covered)
    best = sa.select(parts.c.id, likeness).group_by(parts.c.id).order_by(likeness.desc(), parts.c.id.desc())
    if projects is not None:
        best = best.where(parts.c.id.in_(sa.select(KnownIssue.id).where(KnownIssue.project.in_(projects))))
    return best.limit(CANDIDATES)


def _bent(weight: sa.SQLColumnExpression[float]) -> sa.ColumnElement[float]:
    """What a term counts: each further mention less than the one before, and never more than 1."""
    return weight / (weight + scoring.BEND)


def _pairs(session: Session, query: sa.Select[*tuple[Any, ...]]) -> dict[Any, Any]:
    return {row[0]: row[1] for row in session.execute(query)}


def _told(ids: Collection[int]) -> sa.Select[Any]:
    """These issues, unless another took their place, and when a ticket last came to each."""
    came = sa.select(sa.func.max(Escalation.flagged_at)).where(
        Escalation.issue_id == KnownIssue.issue_id, Escalation.taken_off.is_(None)
    )
    query = sa.select(*_SHOWN, came.scalar_subquery().label("came"))
    query = query.outerjoin(Issue, Issue.id == KnownIssue.issue_id)
    return query.where(KnownIssue.id.in_(ids), Issue.joined.is_(None))


def _weighed(row: sa.Row[Any], alike: Mapping[int, float], now: datetime) -> Found:
    touched = max(time for time in (row.created_at, row.closed_at, row.came) if time is not None)
    times = scoring.Times(touched, None if row.open else row.closed_at or row.updated_at)
    return _found(row, alike[row.id] * scoring.favour(times, now))


def _found(row: sa.Row[Any], score: float) -> Found:
    told = row._mapping
    return Found(score=score, **{name: told[name] for name in Found.__dataclass_fields__ if name != "score"})
