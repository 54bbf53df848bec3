"""What operators ask the store: which escalations there are, one of them with its history, and what is not done yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from bot.model import Stage
from bot.store.queries import numbered
from bot.store.tables import UNDONE, Effect, EffectState, Escalation, History, Issue, Person, Ticket, WriteBackRow

_WHOLE = (
    joinedload(Escalation.ticket),
    joinedload(Escalation.issue),
    selectinload(Escalation.followers),
    selectinload(Escalation.write_backs).joinedload(WriteBackRow.news),
)


def escalations(session: Session, stage: Stage | None = None, project: str = "") -> Sequence[Escalation]:
    """Those not taken off their issue, oldest first; only those whose issue is at `stage`, only those of `project`."""
    query = sa.select(Escalation).join(Issue).options(*_WHOLE).order_by(Escalation.flagged_at, Escalation.id)
    query = query.where(Issue.joined.is_(None), Escalation.taken_off.is_(None))
    if stage is not None:
        query = query.where(Issue.stage == stage)
    if project:
        query = query.where(Issue.project == project)
    return session.scalars(query).all()


def projects(session: Session) -> list[str]:
    """The keys of the projects that have issues here."""
    return list(session.scalars(sa.select(Issue.project).distinct().order_by(Issue.project)))


def meant(session: Session, reference: str) -> Sequence[Escalation]:
    """The escalations that `reference` may mean, oldest first: an escalation's id, its ticket's number or address, its
    issue's id, number (`acme/shop#1`, `#1`) or address. What names tickets goes before what names issues."""
    for condition in _conditions(reference.strip()):
        query = sa.select(Escalation).join(Ticket).join(Issue).options(*_WHOLE).where(condition)
        found = session.scalars(query.order_by(Escalation.flagged_at, Escalation.id)).all()
        if found:
            return found
    return []


def _conditions(reference: str) -> Iterable[sa.ColumnElement[bool]]:
    if "://" in reference:
        address = urlsplit(reference)
        bare = f"{address.scheme}://{address.netloc}{address.path.rstrip('/')}"
        last = bare.rsplit("/", 1)[-1]
        yield Ticket.url == bare
        yield Issue.url == bare
        # A helpdesk shows one ticket at several addresses; its host and the number at the end are the same in all.
        yield sa.and_(numbered(last), Ticket.url.startswith(f"{address.scheme}://{address.netloc}/", autoescape=True))
        return
    repository, _, number = reference.rpartition("#")
    if not repository:
        yield Escalation.id == reference
        if not reference.startswith("#"):
            yield numbered(number)
        yield Issue.id == reference
    if number.isascii() and number.isdigit() and len(number) < 10:
        issue = Issue.number == int(number)
        named = sa.or_(sa.func.lower(Issue.repository) == repository.lower(), Issue.project == repository)
        yield sa.and_(issue, named) if repository else issue
        yield numbered(number) if not repository else sa.false()


def history(session: Session, escalation: Escalation) -> Sequence[History]:
    """What happened to it and to its issue, oldest first; not what happened to others on that issue."""
    own = sa.or_(History.escalation_id == escalation.id, History.escalation_id.is_(None))
    # An issue that another took the place of is a part of the story of those who waited on it.
    issues = sa.select(History.issue_id).where(History.escalation_id == escalation.id)
    there = sa.or_(History.issue_id == escalation.issue_id, History.issue_id.in_(issues))
    return session.scalars(sa.select(History).where(there, own).order_by(History.at, History.id)).all()


def others(session: Session, escalation: Escalation) -> Sequence[Escalation]:
    """The other tickets on the same issue, and the other issues of the same ticket, oldest first."""
    same = sa.or_(Escalation.issue_id == escalation.issue_id, Escalation.ticket_id == escalation.ticket_id)
    query = sa.select(Escalation).options(*_WHOLE).where(same, Escalation.id != escalation.id)
    return session.scalars(query.order_by(Escalation.flagged_at, Escalation.id)).all()


def names(session: Session, people: Iterable[str]) -> dict[str, str]:
    """What we call these people of the workspace, by Slack id; whom we never looked up is left out."""
    query = sa.select(Person.id, Person.name).where(Person.id.in_(set(people)))
    return {person: name for person, name in session.execute(query) if name}


def effects(session: Session) -> list[Effect]:
    """What is not done yet, dead letters first."""
    query = sa.select(Effect).where(Effect.state.in_([*UNDONE, EffectState.DEAD])).order_by(Effect.id)
    return sorted(session.scalars(query), key=lambda effect: effect.state is not EffectState.DEAD)


def write_backs(session: Session) -> dict[str, int]:
    """How many write-backs there are in each state that occurs."""
    query = sa.select(WriteBackRow.state, sa.func.count()).group_by(WriteBackRow.state)
    return {state.value: n for state, n in session.execute(query)}
