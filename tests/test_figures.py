"""The numbers of a digest against a slow count over random histories, one row at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from bot.model import OWED, WAITING, Kind, News, Severity, Stage, WriteBack
from bot.reports.digest import weeks
from bot.store import figures
from bot.store.database import Store
from bot.store.figures import Scope
from bot.store.queries import SETTLED
from bot.store.tables import Escalation, Follower, History, Issue, NewsItem, Row, Ticket, WriteBackRow

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
SINCE = BEGIN + timedelta(days=20)
NOW = BEGIN + timedelta(days=40)
AGENTS = ("U0ANA", "U0BEN", "U0MAYA")
DEVS = ("U0LEO", "U0NOA", "")
WORDS = ("reopened", "taken_back", "parted", "answered", "fixed", "duplicate")


@dataclass(frozen=True)
class Customer:
    flagged: datetime
    agent: str
    follower: str
    gone: bool
    owed: tuple[tuple[News, WriteBack, datetime], ...]


@dataclass(frozen=True)
class Case:
    """An issue; `joined` is the place of the one that took its place."""

    project: str
    severity: Severity
    kind: Kind
    stage: Stage
    created: datetime
    since: datetime
    dev: str
    promised: date | None
    happened: tuple[tuple[str, datetime], ...]
    customers: tuple[Customer, ...]
    joined: int | None

    @property
    def live(self) -> list[Customer]:
        return [one for one in self.customers if not one.gone]

    def came(self, wanted: Scope) -> bool:
        """What is known for longer came from another project, which is no news to who looks at all of them."""
        before = any(at <= SINCE for _, at in self.happened)
        return self.created > SINCE and (bool(wanted.projects) or not before)

    @property
    def back(self) -> bool:
        return any(what in figures.BACK and at > SINCE for what, at in self.happened)


def case(dice: Random, place: int) -> Case:
    """Anything that can be in the store, also what no sequence of doings leads to."""

    def moment() -> datetime:
        return BEGIN + timedelta(minutes=dice.randrange(40 * 24 * 60))

    def customer() -> Customer:
        kinds = dice.sample([News.QUESTION, News.WORKAROUND, News.SHIPPED], dice.randrange(4))
        owed = tuple((kind, dice.choice(list(WriteBack)), moment()) for kind in kinds)
        return Customer(moment(), dice.choice(AGENTS), dice.choice(["", *AGENTS]), dice.random() < 0.3, owed)

    return Case(
        project=dice.choice(["shop", "app"]),
        severity=dice.choice(list(Severity)),
        kind=dice.choice(list(Kind)),
        stage=dice.choice(list(Stage)),
        created=moment(),
        since=moment(),
        dev=dice.choice(DEVS),
        promised=dice.choice([None, date(2026, 4, 5) + timedelta(days=dice.randrange(10))]),
        happened=tuple((dice.choice(WORDS), moment()) for _ in range(dice.randrange(4))),
        customers=tuple(customer() for _ in range(dice.randrange(5))),
        joined=dice.randrange(place) if place and dice.random() < 0.2 else None,
    )


def scope(dice: Random) -> Scope:
    return Scope(
        projects=dice.choice([(), ("shop",)]),
        severities=dice.choice([(), (Severity.HIGH, Severity.CRITICAL)]),
        kinds=dice.choice([(), (Kind.BUG,)]),
        team=dice.choice([None, frozenset({"U0ANA"})]),
        own=dice.choice(["", "U0LEO"]),
        on_duty=("shop",),
        others=("U0NOA",),
    )


@contextmanager
def stored(given: Sequence[Case]) -> Iterator[Session]:
    """The cases in a store of their own; an issue's id is `i` and its place."""
    store = Store("sqlite://")
    Row.metadata.create_all(store.engine)
    with store.write() as session:
        for place, one in enumerate(given):
            _keep(session, f"i{place}", one)
    with store.read() as session:
        yield session
    store.close()


def _keep(session: Session, ident: str, case: Case) -> None:
    columns: dict[str, Any] = {
        "project": case.project,
        "severity": case.severity,
        "kind": case.kind,
        "stage": case.stage,
    }
    columns |= {"stage_since": case.since, "created_at": case.created, "support_dev": case.dev}
    columns |= {"promised_on": case.promised, "tracker": "github", "repository": "acme/shop", "channel": "C0"}
    columns |= {"joined": None if case.joined is None else f"i{case.joined}"}
    session.add(Issue(id=ident, number=None, title=f"Bug {ident}", **columns))
    session.flush()
    session.add_all(History(issue_id=ident, at=at, what=what) for what, at in case.happened)
    news = {kind: NewsItem(issue_id=ident, kind=kind, cause=kind.value, at=case.since) for kind in News}
    session.add_all(news.values())
    session.flush()
    for one in case.customers:
        off = NOW if one.gone else None
        row = Escalation(issue_id=ident, agent=one.agent, title="t", flagged_at=one.flagged, taken_off=off)
        row.ticket = Ticket(waiting_since=one.flagged)
        session.add(row)
        session.flush()
        if one.follower and one.follower != one.agent:
            session.add(Follower(escalation_id=row.id, person=one.follower, since=one.flagged))
        for kind, state, due in one.owed:
            carried = {"escalation_id": row.id, "news_id": news[kind].id, "agent": one.agent}
            session.add(WriteBackRow(**carried, state=state, due_at=due))


# --- the slow count ---------------------------------------------------------------------------------------------------


def within(case: Case, wanted: Scope) -> bool:
    theirs = {person for one in case.live for person in (one.agent, one.follower)}
    free = case.project in wanted.on_duty and case.dev not in wanted.others
    return (
        (not wanted.projects or case.project in wanted.projects)
        and (not wanted.severities or case.severity in wanted.severities)
        and (not wanted.kinds or case.kind in wanted.kinds)
        and (wanted.team is None or bool(theirs & wanted.team))
        and (not wanted.own or case.dev == wanted.own or free)
    )


@pytest.mark.parametrize("seed", range(4))
def test_the_numbers_are_what_a_slow_count_finds(seed: int) -> None:
    """What is open, new, back, promised, crowded, old, fixed, off the list and owed, for whomever it is counted."""
    dice = Random(seed)
    cases = [case(dice, place) for place in range(40)]
    with stored(cases) as session:
        for wanted in (Scope(), *(scope(dice) for _ in range(4))):
            _counted(session, cases, wanted)


def _counted(session: Session, cases: Sequence[Case], wanted: Scope) -> None:
    meant = {f"i{place}": case for place, case in enumerate(cases) if within(case, wanted)}
    there = {ident: case for ident, case in meant.items() if case.joined is None and case.live}
    is_open = {ident: case for ident, case in there.items() if case.stage in WAITING}
    _open(session, wanted, is_open, date(2026, 4, 10))
    _listed(session, wanted, is_open)
    _gone(session, wanted, meant, there)
    _owed(session, wanted, meant)
    _weeks(session, wanted, there)


def _open(session: Session, wanted: Scope, is_open: dict[str, Case], today: date) -> None:
    found = figures.counts(session, wanted, SINCE, today)
    for stage in WAITING:
        theirs = [case for case in is_open.values() if case.stage is stage]
        new = [case for case in theirs if case.came(wanted)]
        days = [case.promised for case in theirs if case.promised]
        expected = (
            *(len(theirs), sum(len(case.live) for case in theirs), len(new)),
            sum(case.back for case in theirs if not case.came(wanted)),
            *(len(days), sum(day < today for day in days)),
        )
        one = found.get(stage)
        shown = (one.issues, one.customers, one.new, one.again, one.promised, one.overdue) if one else (0,) * 6
        assert shown == expected
    answers = [at for case in is_open.values() for what, at in case.happened if what == "answered"]
    assert figures.answered(session, wanted, SINCE) == sum(at > SINCE for at in answers)


def _listed(session: Session, wanted: Scope, is_open: dict[str, Case]) -> None:
    """Each list has whom it should, the first of them first."""
    first = {ident: min(one.flagged for one in case.live) for ident, case in is_open.items()}
    unfixed = [ident for ident, case in is_open.items() if case.stage is not Stage.FIXED]
    rank = list(Severity).index
    new = [ident for ident, case in is_open.items() if case.came(wanted) or case.back]
    listed = figures.new(session, wanted, SINCE, 99)
    assert sorted(listed) == sorted(new)
    assert [is_open[one].severity for one in listed] == sorted((is_open[one].severity for one in new), key=rank)
    assert [first[one] for one in figures.oldest(session, wanted, 99)] == sorted(first[one] for one in unfixed)
    crowded = [len(is_open[one].live) for one in figures.crowded(session, wanted, 99, fixed=False)]
    assert crowded == sorted((n for one in unfixed if (n := len(is_open[one].live)) > 1), reverse=True)
    fixed = [len(is_open[one].live) for one in figures.crowded(session, wanted, 99, fixed=True)]
    assert fixed == sorted((len(case.live) for case in is_open.values() if case.stage is Stage.FIXED), reverse=True)
    days = [is_open[one].promised for one in figures.promised(session, wanted, 99)]
    assert days == sorted(case.promised for case in is_open.values() if case.promised)
    assert sorted(figures.queue(session, wanted, NOW, 99)) == sorted(is_open)
    lines = figures.named(session, wanted, list(is_open), SINCE)
    for ident, case in is_open.items():
        back = [(at, place, what) for place, (what, at) in enumerate(case.happened) if what in figures.BACK]
        last = max(((at, place, what) for at, place, what in back if at > SINCE), default=(None, None, None))[2]
        line = lines[ident]
        shown = (line.customers, line.waiting_since, line.new, line.back)
        assert shown == (len(case.live), first[ident], case.came(wanted), last)


def _gone(session: Session, wanted: Scope, meant: dict[str, Case], there: dict[str, Case]) -> None:
    settled = [case for case in there.values() if case.stage in SETTLED and case.since > SINCE]
    joined = [
        case
        for case in meant.values()
        if case.joined is not None and any(what == "duplicate" and at > SINCE for what, at in case.happened)
    ]
    numbers, came, rows = figures.left(session, wanted, SINCE, 3)
    expected = Counter(case.stage.value for case in settled) + Counter({"joined": len(joined)})
    assert Counter(numbers) == expected
    assert came == sum(case.came(wanted) for case in [*settled, *joined])
    assert len(rows) == min(3, expected.total())
    moments = [case.since for case in settled]
    moments += [max(at for what, at in case.happened if what == "duplicate") for case in joined]
    assert [one.at for one in rows] == sorted(moments, reverse=True)[:3]


def _owed(session: Session, wanted: Scope, meant: dict[str, Case]) -> None:
    waits: Counter[str] = Counter()
    since: dict[str, datetime] = {}
    for one in (one for case in meant.values() for one in case.live):
        due = [at for _, state, at in one.owed if state in OWED and state is not WriteBack.HELD]
        if due and (wanted.team is None or one.agent in wanted.team):
            waits[one.agent] += 1
            since[one.agent] = min(*due, since.get(one.agent, NOW))
    number, agents = figures.write_backs_due(session, wanted, 99)
    assert number == waits.total()
    assert {one.agent: (one.customers, one.since) for one in agents} == {
        agent: (n, since[agent]) for agent, n in waits.items()
    }


def _weeks(session: Session, wanted: Scope, there: dict[str, Case]) -> None:
    """By the clocks of Paris, which change on the 29th of March."""
    paris = ZoneInfo("Europe/Paris")

    def week(at: datetime) -> tuple[int, int]:
        return at.astimezone(paris).isocalendar()[:2]

    begins = weeks(NOW, paris)
    came = Counter(week(case.created) for case in there.values())
    went = Counter(week(case.since) for case in there.values() if case.stage in SETTLED)
    named = [week(begin) for begin in begins]
    assert figures.weeks(session, wanted, begins) == [(came[one], went[one]) for one in named]
