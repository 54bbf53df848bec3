"""What waits for somebody, which steps of reminding were taken, and who wants to hear of an issue later."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from bot.model import WAITING, News, Stage, WriteBack
from bot.store.queries import SETTLED
from bot.store.tables import Effect, Escalation, History, Issue, NewsItem, Person, WriteBackRow
from bot.store.talk import Nudge, Snooze

TRIAGE, ANSWER, PROMISE, WRITE_BACK = "triage", "answer", "promise", "write_back"
OWN, LEADS, OVER = "own", "leads", "over"


def own(times: int) -> str:
    """The step in which whoever it waits for hears of it, after so many times the time they have."""
    return OWN if times == 1 else f"{OWN}{times}"


def times(step: str) -> int:
    """The reverse; 0 for another step."""
    return int(step.removeprefix(OWN) or 1) if step.startswith(OWN) else 0


OPEN = (WriteBack.DUE, WriteBack.UNCERTAIN)
"""The states in which a write-back waits for its agent."""

_AT_ONCE = 500

# --- what waits -------------------------------------------------------------------------------------------------------


def untaken(session: Session, projects: Collection[str], before: datetime) -> Sequence[sa.Row[str, str, str, datetime]]:
    """The issues filed before that time which nobody acknowledged: id, project, Support Dev, since when."""
    query = sa.select(Issue.id, Issue.project, Issue.support_dev, Issue.stage_since).where(
        Issue.stage == Stage.FILED,
        Issue.stage_since <= before,
        Issue.joined.is_(None),
        Issue.project.in_(projects),
        ~_over(TRIAGE, Issue.id, Issue.stage_since),
    )
    return session.execute(query).all()


def unanswered(
    session: Session, projects: Collection[str], before: datetime
) -> Sequence[sa.Row[str, str, datetime, str, datetime]]:
    """The open questions from before that time: id, issue, since when; and each agent, since when they are on it."""
    theirs = sa.func.coalesce(WriteBackRow.again_at, Escalation.flagged_at, type_=Escalation.flagged_at.type)
    joined = sa.func.min(theirs, type_=theirs.type)
    query = (
        sa.select(NewsItem.id, NewsItem.issue_id, NewsItem.at, Escalation.agent, joined)
        .join(Issue, Issue.id == NewsItem.issue_id)
        .join(Escalation, Escalation.issue_id == Issue.id)
        .outerjoin(
            WriteBackRow,
            sa.and_(WriteBackRow.escalation_id == Escalation.id, WriteBackRow.news_id == NewsItem.id),
        )
        .where(
            NewsItem.kind == News.QUESTION,
            NewsItem.stands,
            NewsItem.at <= before,
            Issue.stage.in_(WAITING),
            Issue.joined.is_(None),
            Issue.project.in_(projects),
            Escalation.taken_off.is_(None),
            ~_over(ANSWER, NewsItem.id, NewsItem.at, theirs),  # who came after that was not asked yet
        )
        .group_by(NewsItem.id, NewsItem.issue_id, NewsItem.at, Escalation.agent)
    )
    return session.execute(query).all()


def overdue(
    session: Session, projects: Collection[str], before: date
) -> Sequence[sa.Row[str, str, str, str, date | None]]:
    """The issues that wait for their end, of which a day before that one was named: id, project, Support Dev, who named
    it, the day."""
    query = sa.select(Issue.id, Issue.project, Issue.support_dev, Issue.promised_by, Issue.promised_on).where(
        Issue.promised_on < before,
        Issue.stage.not_in(SETTLED),
        Issue.joined.is_(None),
        Issue.project.in_(projects),
    )
    return session.execute(query).all()


def owed(
    session: Session, before: datetime, now: datetime, *, questions: bool
) -> Sequence[sa.Row[str, datetime, str, str]]:
    """The write-backs that wait for their agent since before that time, and of which something may be to be heard now:
    id, since when, agent, issue. `questions`: also those that ask the customer. Whatever the configuration has become,
    an agent can write back."""
    since = sa.func.coalesce(WriteBackRow.again_at, WriteBackRow.due_at, type_=WriteBackRow.due_at.type)
    query = (
        sa.select(WriteBackRow.id, since, WriteBackRow.agent, Escalation.issue_id)
        .join(Escalation, Escalation.id == WriteBackRow.escalation_id)
        .join(Issue, Issue.id == Escalation.issue_id)
        .join(NewsItem, NewsItem.id == WriteBackRow.news_id)
        .where(
            sa.true() if questions else NewsItem.kind != News.QUESTION,
            WriteBackRow.state.in_(OPEN),
            WriteBackRow.due_at <= before,
            since <= before,
            Escalation.taken_off.is_(None),
            Issue.joined.is_(None),
            ~_over(WRITE_BACK, WriteBackRow.id, since, now),
        )
        .order_by(WriteBackRow.due_at, WriteBackRow.id)
    )
    return session.execute(query).all()


def handed(session: Session, issues: Collection[str]) -> set[tuple[str, str]]:
    """Which of these issues were given to whom by name, or taken by them."""
    query = sa.select(History.issue_id, History.by).where(History.what == "handed")
    rows = [row for some in _parts(issues) for row in session.execute(query.where(History.issue_id.in_(some)))]
    return {(str(issue), by) for issue, by in rows}


def _over(
    what: str,
    subject: InstrumentedAttribute[str],
    since: sa.ColumnElement[datetime] | InstrumentedAttribute[datetime],
    until: datetime | sa.ColumnElement[datetime] | None = None,
) -> sa.ColumnElement[bool]:
    """Whether nothing more is to come; with `until`: not until then."""
    same = (Nudge.what == what, Nudge.subject == subject, Nudge.since == since, Nudge.step == OVER)
    return sa.exists().where(*same, sa.true() if until is None else Nudge.at > until)


# --- the steps --------------------------------------------------------------------------------------------------------


def steps(session: Session, issues: Collection[str]) -> list[Nudge]:
    """The steps taken for these issues."""
    found: list[Nudge] = []
    for some in _parts(issues):
        found += session.scalars(sa.select(Nudge).where(Nudge.issue_id.in_(some)))
    return found


def promised_after(session: Session, person: str, effect: int) -> set[tuple[str, str, datetime]]:
    """Which things later reminders than that effect bring up with somebody: what, subject, since."""
    query = sa.select(Effect.payload).where(Effect.subject == f"dm:{person}", Effect.kind == "reminder")
    payloads = session.scalars(query.where(Effect.id > effect))
    rows = [row for payload in payloads for row in payload["things"]]
    return {(what, subject, datetime.fromisoformat(since)) for _, what, subject, since, *_ in rows}


def take(session: Session, new: Sequence[Nudge], again: Sequence[Nudge]) -> None:
    """These steps are taken: for the first time, or once more. Of two transactions that take the same one, the second
    fails as a whole."""
    session.add_all(new)
    for step in again:
        step.again = False
    session.flush()


def once_more(session: Session, issue_id: str, person: str, what: Collection[tuple[str, str]] = ()) -> None:
    """Who heard of an issue hears it again: of `what` (with its subject), or of all."""
    theirs = sa.update(Nudge).where(Nudge.issue_id == issue_id, Nudge.person == person)
    if what:
        theirs = theirs.where(sa.tuple_(Nudge.what, Nudge.subject).in_(what))
    session.execute(theirs.values(again=True))
    session.execute(sa.delete(Nudge).where(Nudge.issue_id == issue_id, Nudge.step == OVER))


# --- later ------------------------------------------------------------------------------------------------------------


def snooze(session: Session, person: str, issue_id: str, until: datetime) -> None:
    """Somebody hears nothing of an issue until then; what they heard already, they hear again after that."""
    session.merge(Snooze(person=person, issue_id=issue_id, until=until))
    once_more(session, issue_id, person)


def snoozed(session: Session, now: datetime) -> set[tuple[str, str]]:
    """Who wants to hear nothing of which issue now."""
    query = sa.select(Snooze.person, Snooze.issue_id).where(Snooze.until > now)
    return {(person, issue) for person, issue in session.execute(query)}


def people(session: Session, ids: Collection[str]) -> dict[str, Person]:
    """Those of them whom Slack told about."""
    found = [session.scalars(sa.select(Person).where(Person.id.in_(some))).all() for some in _parts(ids)]
    return {person.id: person for some in found for person in some}


def _parts(ids: Collection[str]) -> Iterator[list[str]]:
    """As many as one statement takes."""
    whole = list(ids)
    return (whole[at : at + _AT_ONCE] for at in range(0, len(whole), _AT_ONCE))
