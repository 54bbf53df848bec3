"""Reminders under several workers, outages, restarts and any order of things: once each, and never outside of hours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import given, settings, strategies as st

from bot.app import Passerelle
from bot.bridge import remind
from bot.hours import Hours
from bot.model import Kind, News, Severity, Stage, WriteBack
from bot.store.tables import Effect, Escalation, Issue, NewsItem, Row, Ticket, WriteBackRow
from integrations.sandbox.wire import Fault
from tests.conftest import House
from tests.test_shipping_random import FRESH

ISSUES = ("a1", "b2")
PEOPLE = ("U0LEO", "U0ANA", "U0BEN", "U0MAYA")
HOLIDAY = date(2026, 3, 5)
RULES = {
    "triage_after": "2h",
    "answer_after": "1h",
    "write_back_after": "90m",
    "lead_after": "2h",
    "working_hours": "mon-fri 09:00-17:00",
    "timezone": "Europe/Paris",
    "holidays": [HOLIDAY.isoformat()],
}


OPEN = (WriteBack.DUE, WriteBack.UNCERTAIN)
HOURS = Hours(time(9), time(17), frozenset(range(5)), ZoneInfo("Europe/Paris"), frozenset({HOLIDAY}))


class Crew:
    """Three processes' worth of the bot on one database, and two issues that things happen to."""

    def __init__(self, folder: Path) -> None:
        self.house = House(folder, lambda config: config.update(reminders=RULES))
        self.clock = self.house.clock
        self.bots = [self.house.bot, *(Passerelle(self.house.bot.settings, self.clock) for _ in range(2))]

    def begin(self, at: datetime, zones: tuple[str, ...] = ("UTC",) * 4) -> None:
        """Two issues are filed at that moment, each for a customer of Ana's and one of Ben's, and nothing else was."""
        self.clock.advance(at - self.clock.now())
        for person, zone in zip(PEOPLE, zones, strict=True):
            self.house.slack.workspace.people[person]["tz"] = zone
        with self.house.bot.store.write() as session:
            for table in reversed(Row.metadata.sorted_tables):
                session.execute(sa.delete(table))
        self.house.slack.wire.faults.clear()
        self._before = {person: len(self.house.slack.dm(person)) for person in PEOPLE}
        with self.house.bot.store.write() as session:
            for number, id in enumerate(ISSUES):
                self._file(session, number, id, at)

    def _file(self, session: Any, number: int, id: str, at: datetime) -> None:
        facts = {"kind": Kind.BUG, "severity": Severity.NORMAL, "stage": Stage.FILED, "stage_since": at}
        place = {"project": "shop", "tracker": "github", "repository": "acme/shop", "number": number + 900}
        session.add(Issue(id=id, title=id, support_dev="U0LEO", channel="C0X", created_at=at, **facts, **place))
        session.flush()
        for agent in ("U0ANA", "U0BEN"):
            ticket = Ticket(id=f"{id}{agent}", helpdesk=None, number=None, waiting_since=at)
            session.add(ticket)
            session.flush()
            carried = {"ticket_id": ticket.id, "issue_id": id, "agent": agent, "title": id, "flagged_at": at}
            session.add(Escalation(id=f"e{id}{agent}", **carried))

    def happen(self, what: str, id: str) -> None:
        """Something is done about an issue, as it is recorded."""
        with self.house.bot.store.write() as session:
            issue, now = session.get_one(Issue, id), self.clock.now()
            if what == "taken" and issue.stage is Stage.FILED:
                issue.stage, issue.stage_since = Stage.ACKNOWLEDGED, now
            elif what == "filed":
                issue.stage, issue.stage_since = Stage.FILED, now
            elif what == "promised":
                issue.promised_on, issue.promised_by = now.date() + timedelta(days=1), "U0LEO"
            elif what in ("asked", "fixed"):
                kind = News.QUESTION if what == "asked" else News.SHIPPED
                news = NewsItem(issue_id=id, kind=kind, cause=f"{what}{now}", text="?", by="U0LEO", at=now)
                session.add(news)
                session.flush()
                for one in issue.escalations if what == "fixed" else ():
                    session.add(WriteBackRow(escalation_id=one.id, news_id=news.id, agent=one.agent, due_at=now))
            elif what == "answered":
                for news in issue.news:
                    news.stands = False
            elif what in ("written", "doubted", "handed"):
                for row in (row for one in issue.escalations[:1] for row in one.write_backs if row.state in OPEN):
                    if what == "handed":
                        row.agent, row.again_at = "U0BEN" if row.agent == "U0ANA" else "U0ANA", now
                    else:
                        row.state = WriteBack.WRITTEN if what == "written" else WriteBack.UNCERTAIN
                        row.again_at = now if what == "doubted" else row.again_at

    def owed(self) -> list[tuple[str, str, datetime]]:
        """The write-backs that wait for their agent: how their steps are called, for whom, since when."""
        with self.house.bot.store.read() as session:
            rows = session.scalars(sa.select(WriteBackRow).where(WriteBackRow.state.in_(OPEN))).all()
            found = [(row.id, row.agent, row.again_at or row.due_at) for row in rows]
        return [(f"write_back:{id}:{since.isoformat()}", agent, since) for id, agent, since in found]

    def work(self, bot: Passerelle) -> None:
        while bot.outbox.work_once():
            pass

    def heard(self) -> list[tuple[str, str, str, str]]:
        """Each step that somebody read: what it was of, which step, and who read it. Of write-backs, those alone that
        the message still has, where it has room for all of them."""
        with self.house.bot.store.read() as session:
            promised = {one.key: one.payload for one in session.scalars(sa.select(Effect))}
        return [
            (f"{what}:{id}:{since}", step, person, issue)
            for person in PEOPLE
            for message in self.house.slack.dm(person)[self._before[person] :]
            for step, what, id, since, issue, _ in promised[message["metadata"]["event_payload"]["key"]]["things"]
            if (what, step[:3]) != ("write_back", "own") or id in str(message["blocks"]) or "more." in message["text"]
        ]


@pytest.fixture(scope="module")
def crew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    crew = Crew(tmp_path_factory.mktemp("reminding"))
    yield crew
    for bot in crew.bots[1:]:
        bot.close()
    crew.house.close()


MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
REVOKED = {"ok": False, "error": "token_revoked"}


def test_workers_that_tick_at_the_same_instant_remind_once(crew: Crew) -> None:
    """Three processes, ten times over: one message each for Léo, whichever of them was first."""
    for _ in range(10):
        crew.begin(MONDAY)
        crew.clock.advance(timedelta(hours=3))
        together = Barrier(3)

        def tick(bot: Passerelle, together: Barrier = together) -> None:
            together.wait(10)
            bot.schedule.tick_reminders()
            crew.work(bot)

        with ThreadPoolExecutor(3) as threads:
            list(threads.map(tick, crew.bots))
        assert Counter(crew.heard()).most_common(1)[0][1] == 1
        assert len(crew.heard()) == 2


def test_a_process_that_dies_after_promising_loses_nothing(crew: Crew) -> None:
    """The next one performs what was promised; a post whose answer was lost is found, not repeated."""
    crew.begin(MONDAY)
    crew.clock.advance(timedelta(hours=3))
    crew.bots[0].schedule.tick_reminders()
    crew.house.slack.wire.faults.append(Fault("drop_after", "POST", "chat.postMessage"))
    for minutes in (0, 1, 2, 30):
        crew.clock.advance(timedelta(minutes=minutes))
        crew.bots[1].schedule.tick_reminders()
        crew.work(crew.bots[1])
    assert len(crew.heard()) == len(set(crew.heard())) == 2


def test_what_could_not_be_posted_by_day_is_not_posted_at_night(crew: Crew) -> None:
    """Slack is away over the end of the day: it comes in the morning, once."""
    crew.begin(MONDAY)
    crew.clock.advance(timedelta(hours=8, minutes=30))
    crew.house.slack.wire.faults.append(Fault("refuse", "POST", "chat.postMessage", 503, times=None))
    crew.bots[0].schedule.tick_reminders()
    crew.work(crew.bots[0])
    crew.clock.advance(timedelta(hours=4))
    crew.house.slack.wire.faults.clear()
    for _ in range(40):
        crew.bots[0].schedule.tick_reminders()
        crew.work(crew.bots[0])
        assert not crew.heard() or crew.clock.now().hour == 9
        crew.clock.advance(timedelta(minutes=20))
    assert len(crew.heard()) == len(set(crew.heard())) == 2


ZONES = st.sampled_from(
    ["UTC", "Europe/Paris", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "Asia/Kolkata"]
)
STARTS = st.sampled_from([MONDAY, MONDAY + timedelta(days=4), datetime(2026, 3, 27, 9, tzinfo=UTC)])
OF_ISSUES = st.sampled_from(["taken", "filed", "promised", "asked", "answered", "snoozed", "revoked", "back", ""])
OF_WRITE_BACKS = st.sampled_from(["fixed", "fixed", "written", "doubted", "handed"])
STEPS = st.lists(
    st.tuples(
        st.sampled_from([5, 30, 61, 90, 130, 400, 1500, 4000]),
        st.integers(0, 2),
        st.sampled_from(["tick", "work", "both", "both"]),
        OF_ISSUES | OF_WRITE_BACKS,
        st.sampled_from(ISSUES),
        st.sampled_from(PEOPLE),
    ),
    min_size=4,
    max_size=16,
)


def multiple(since: datetime, now: datetime) -> int:
    """How many times `write_back_after` is over at that moment, as a power of two; 0 before the first."""
    whole, found = HOURS.between(since, now) // timedelta(minutes=90), 0
    while 2**found <= whole:
        found += 1
    return 2**found // 2


def steps_of(heard: list[tuple[str, str, str, str]], thing: str, person: str) -> list[int]:
    """In which steps somebody heard of what waits for them, in their order."""
    mine = [step for of, step, reader, _ in heard if (of, reader) == (thing, person) and step.startswith("own")]
    return [int(step.removeprefix("own") or 1) for step in mine]


def at_work(zone: str, moment: datetime) -> bool:
    there = moment.astimezone(ZoneInfo(zone))
    return there.weekday() < 5 and there.date() != HOLIDAY and time(9) <= there.time() < time(17)


@settings(max_examples=200 if FRESH else 20, deadline=None)
@given(start=STARTS, zones=st.tuples(ZONES, ZONES, ZONES, ZONES), steps=STEPS)
def test_each_step_is_heard_once_and_in_the_readers_hours(
    crew: Crew, start: datetime, zones: tuple[str, ...], steps: list[tuple[int, int, str, str, str, str]]
) -> None:
    """Whatever happens, whoever ticks and works: nobody hears the same step twice but for having asked to hear it
    later, and nobody hears anything while they are not at work. Of what they owe, they hear the latest step alone, not
    before its time; and none that came while they were at work is missing in the end."""
    crew.begin(start, zones)
    later: Counter[tuple[str, str]] = Counter()
    heard: Counter[tuple[str, str, str, str]] = Counter()
    there = dict(zip(PEOPLE, zones, strict=True))
    for minutes, who, act, doing, issue, person in steps:
        crew.clock.advance(timedelta(minutes=minutes))
        if doing == "snoozed":
            remind.snooze(crew.bots[who].bridge, issue, person)
            later[person, issue] += 1
        elif doing == "revoked":
            crew.house.slack.wire.faults.append(Fault("refuse", "POST", status=200, body=REVOKED, times=None))
        elif doing == "back":
            crew.house.slack.wire.faults.clear()
        else:
            crew.happen(doing, issue)
        before = heard
        if act != "work":
            crew.bots[who].schedule.tick_reminders()
        if act != "tick":
            crew.work(crew.bots[who])
        heard = Counter(crew.heard())
        new = heard - before
        for thing, _, reader, issue in new:
            assert at_work(there[reader], crew.clock.now())
            if thing.startswith("write_back"):
                since = datetime.fromisoformat(thing.split(":", 2)[2])
                said = steps_of([*new], thing, reader)
                assert all(step <= multiple(since, crew.clock.now()) for step in said)
                assert len(said) <= 1 + later[reader, issue]
    for (thing, _, reader, issue), times in heard.items():
        assert times <= 1 + later[reader, issue]
        if not later[reader, issue]:
            said = steps_of([*heard.elements()], thing, reader)
            assert said == sorted(set(said))
    whole_day(crew, there)


def whole_day(crew: Crew, there: dict[str, str]) -> None:
    """A week later, once nobody has put anything off any more: each hears of all that they owe, as of this day."""
    crew.house.slack.wire.faults.clear()
    crew.clock.advance(timedelta(days=7))
    while crew.clock.now().weekday() != 1:
        crew.clock.advance(timedelta(days=1))
    due: dict[tuple[str, str], int] = {}
    for person in PEOPLE:
        crew.bots[0].people.look_up(person)
    for _ in range(8):
        crew.bots[0].schedule.tick_reminders()
        crew.work(crew.bots[0])
        for thing, agent, since in crew.owed():
            if at_work(there[agent], crew.clock.now()):
                due[thing, agent] = multiple(since, crew.clock.now())
        crew.clock.advance(timedelta(hours=3))
    heard = crew.heard()
    for (thing, agent), step in due.items():
        assert steps_of(heard, thing, agent)[-1:] == [step]
