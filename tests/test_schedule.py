"""The clock's work: each digest once, each poll once."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings, strategies as st
from sqlalchemy.orm import Session

from bot.app import Passerelle
from bot.configuration import Digest
from bot.model import Kind, Severity, Stage
from bot.scheduler import GRACE, latest
from bot.store.tables import Escalation, Issue, Row, Slot, Ticket
from integrations.sandbox.wire import Fault
from tests.conftest import House, shown

CHANNEL = "C0SUPPORT"
CRONS = ("0 9 * * *", "30 2 * * *", "30 1 * * *", "0 9 * * mon-fri", "*/20 * * * *", "0,30 1-3 * * *", "0 1-3 * * *")
ZONES = ("UTC", "Europe/Paris", "America/New_York")
HOLIDAYS = ["2026-03-03", "2026-03-29", "2026-10-25", "2026-11-01"]
READERS: dict[str, dict[str, Any]] = {
    "channel": {"channel": CHANNEL},
    "person": {"person": "U0MAYA"},
    "queue": {"about": "queue"},  # the Support Dev
    "off": {"channel": CHANNEL, "days": "tue-fri,sun", "holidays": HOLIDAYS},
}


def named(cron: str, zone: str, reader: str) -> dict[str, Any]:
    name = f"{reader}-{CRONS.index(cron)}-{ZONES.index(zone)}"
    return {"name": name, "cron": cron, "timezone": zone, **READERS[reader]}


def digest(cron: str = "0 9 * * *", timezone: str = "UTC", reader: str = "channel") -> Digest:
    return Digest.model_validate(named(cron, timezone, reader))


def many(config: dict[str, Any]) -> None:
    """Configure each digest of these tests."""
    config["digests"] = [named(cron, zone, reader) for cron in CRONS for zone in ZONES for reader in READERS]


class Crew:
    """Three processes' worth of the bot on one database, and where their digests go."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.clock = house.clock
        self.bots = [house.bot, *(Passerelle(house.bot.settings, self.clock) for _ in range(2))]
        self.places = [CHANNEL, *(house.slack.dm_channel(person) for person in ("U0MAYA", "U0LEO"))]

    def begin(self, at: datetime, *, idle: bool = False) -> None:
        """At that moment, a database with one issue that the Support Dev has to do; `idle`: with nothing."""
        with self.house.bot.store.write() as session:
            for table in reversed(Row.metadata.sorted_tables):
                session.execute(sa.delete(table))
        self.clock.advance(at - self.clock.now())
        with self.house.bot.store.write() as session:
            session.add(Slot(job="poll", due=at - timedelta(days=1)))  # it has been there for a while
        if not idle:
            with self.house.bot.store.write() as session:
                add(session, at)
        self._before = {place: len(self.house.slack.messages(place)) for place in self.places}

    def posted(self) -> list[str]:
        """The effect keys of the digests that people have, each place's in their order."""
        messages = [one for place in self.places for one in self.house.slack.messages(place)[self._before[place] :]]
        return [message["metadata"]["event_payload"]["key"] for message in messages]

    def work(self, bot: Passerelle) -> None:
        while bot.outbox.work_once():
            pass


def add(session: Session, at: datetime) -> None:
    """An issue with one customer."""
    issue = Issue(
        project="shop", tracker="github", repository="acme/shop", number=1, title="VAT", kind=Kind.BUG,
        severity=Severity.NORMAL, stage=Stage.FILED, stage_since=at, support_dev="U0LEO", channel="C0SUPPORTDEV",
        created_at=at,
    )  # fmt: skip
    ticket = Ticket(subject="VAT", customer_name="Camille", waiting_since=at)
    session.add(Escalation(ticket=ticket, issue=issue, agent="U0ANA", title="VAT", flagged_at=at))


@pytest.fixture(scope="module")
def crew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    crew = Crew(House(tmp_path_factory.mktemp("crew"), many))
    yield crew
    for bot in crew.bots[1:]:
        bot.close()
    crew.house.close()


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    return make_house(many)


def key(one: Digest, slot: datetime) -> str:
    return f"digest:{one.name}:{slot:%Y-%m-%dT%H:%M}:{one.channel or one.person or 'U0LEO'}"


# --- digests ----------------------------------------------------------------------------------------------------------

MOMENTS = st.sampled_from(
    [
        datetime(2026, 3, 2, 7, tzinfo=UTC),
        datetime(2026, 3, 28, 23, tzinfo=UTC),  # the night of spring in Paris
        datetime(2026, 10, 24, 22, tzinfo=UTC),  # of autumn
        datetime(2026, 3, 8, 4, tzinfo=UTC),  # in New York
        datetime(2026, 11, 1, 3, tzinfo=UTC),
    ]
)
DIGESTS = st.builds(
    digest,
    st.sampled_from(["30 2 * * *", "0 9 * * mon-fri", "*/20 * * * *", "0,30 1-3 * * *"]),
    st.sampled_from(["Europe/Paris", "America/New_York", "UTC"]),
    st.sampled_from([*READERS]),
)
MINUTES = st.one_of(st.integers(0, 25), st.sampled_from([-45, 60, 150, 400, 1500]))
STEPS = st.lists(st.tuples(st.integers(0, 2), MINUTES, st.sampled_from(["tick", "work", "both"])), max_size=14)


@settings(max_examples=40, deadline=None)
@given(one=DIGESTS, start=MOMENTS, steps=STEPS)
def test_a_digest_is_posted_once_for_its_slot_or_never(
    crew: Crew, one: Digest, start: datetime, steps: list[tuple[int, int, str]]
) -> None:
    """Whoever ticks, whenever, however the clock jumps: no slot twice, none after the next one is due, none after the
    grace; and while clocks go forward, whoever ticks and works when a slot is due has it posted."""
    crew.begin(start)
    jumps = []
    for who, minutes, act in steps:
        jumps.append(minutes)
        crew.clock.advance(timedelta(minutes=minutes))
        slot = latest(one, crew.clock.now(), GRACE)
        assert slot is None or one.falls_on(slot.date())
        before = crew.posted()
        if act != "work":
            crew.bots[who].schedule.tick_digest(one)
        if act != "tick":
            crew.work(crew.bots[who])
        new = crew.posted()[len(before) :]
        assert new in ([], [key(one, slot)] if slot else [])
        if slot and act == "both" and min(jumps) >= 0:
            assert key(one, slot) in crew.posted()
    assert len(set(crew.posted())) == len(crew.posted())


def test_workers_that_tick_at_the_same_instant_post_one(crew: Crew) -> None:
    """Three processes at nine o'clock sharp, twenty mornings long: one digest a morning."""
    for day in range(20):
        crew.begin(datetime(2026, 3, 2, 9, tzinfo=UTC) + timedelta(days=day))
        together = Barrier(3)

        def tick(bot: Passerelle, together: Barrier = together) -> None:
            together.wait(10)
            bot.schedule.tick_digest(digest())
            crew.work(bot)

        with ThreadPoolExecutor(3) as threads:
            list(threads.map(tick, crew.bots))
        assert len(crew.posted()) == 1


@pytest.mark.parametrize(
    ("zone", "evening", "cron", "shown_at"),
    [
        ("Europe/Paris", datetime(2026, 10, 24, 22, tzinfo=UTC), "30 2 * * *", ["02:30"]),
        ("America/New_York", datetime(2026, 11, 1, 3, tzinfo=UTC), "30 1 * * *", ["01:30"]),
        ("Europe/Paris", datetime(2026, 3, 28, 22, tzinfo=UTC), "30 2 * * *", ["03:30"]),
        ("America/New_York", datetime(2026, 3, 8, 4, tzinfo=UTC), "30 2 * * *", ["03:30"]),
        ("Europe/Paris", datetime(2026, 10, 24, 22, tzinfo=UTC), "0 1-3 * * *", ["01:00", "02:00", "03:00"]),
        ("Europe/Paris", datetime(2026, 3, 28, 22, tzinfo=UTC), "0 1-3 * * *", ["01:00", "03:00"]),
    ],
)
def test_the_night_when_clocks_change_has_each_slot_once(
    crew: Crew, zone: str, evening: datetime, cron: str, shown_at: list[str]
) -> None:
    """The hour that comes twice posts once; a time that is left out comes when it would have come."""
    crew.begin(evening)
    for bot in itertools.islice(itertools.cycle(crew.bots), 60):
        bot.schedule.tick_digest(digest(cron, zone))
        crew.work(bot)
        crew.clock.advance(timedelta(minutes=8))
    assert [re.findall(r"T(\d\d:\d\d):", one)[0] for one in crew.posted()] == shown_at


@pytest.mark.parametrize(
    ("zone", "begins", "days"),
    [
        ("Europe/Paris", datetime(2026, 3, 27, 5, tzinfo=UTC), ["27", "31"]),  # the clocks change on the holiday
        ("America/New_York", datetime(2026, 10, 30, 5, tzinfo=UTC), ["30", "03"]),
        ("UTC", datetime(2026, 3, 1, 5, tzinfo=UTC), ["01", "04", "05"]),
    ],
)
def test_days_off_and_holidays_have_no_digest(crew: Crew, zone: str, begins: datetime, days: list[str]) -> None:
    """A slot on a holiday, on a Monday or on a Saturday is none, and the next one is in time."""
    crew.begin(begins)
    for hour in range(24 * 5):
        bot = crew.bots[hour % 3]
        bot.schedule.tick_digest(digest(timezone=zone, reader="off"))
        crew.work(bot)
        crew.clock.advance(timedelta(hours=1))
    assert [re.findall(r"-(\d\d)T09:00:", one)[0] for one in crew.posted()] == days


def test_after_a_holiday_it_reaches_back_to_the_last_one(crew: Crew) -> None:
    """What came on the days without a digest is new in the next one."""
    crew.begin(datetime(2026, 3, 1, 9, tzinfo=UTC))  # a Sunday; Monday is off, Tuesday a holiday
    for _ in range(4):
        crew.bots[0].schedule.tick_digest(digest(reader="off"))
        crew.work(crew.bots[0])
        crew.clock.advance(timedelta(days=1))
    last = shown(crew.house.slack.messages(CHANNEL)[-1]).replace("\u202f", " ")
    assert len(crew.posted()) == 2
    assert "since Sunday, 9:00 AM" in last


def test_a_worker_that_dies_in_its_slot_leaves_the_digest_to_the_others(crew: Crew) -> None:
    """The first has taken the slot and ends, the second starts and ticks again: one post."""
    crew.begin(datetime(2026, 3, 2, 9, tzinfo=UTC))
    crew.bots[0].schedule.tick_digest(digest())
    crew.clock.advance(timedelta(minutes=2))
    again = Passerelle(crew.house.bot.settings, crew.clock)
    for bot in (again, crew.bots[1]):
        bot.schedule.tick_digests()
        crew.work(bot)
    again.close()
    assert crew.posted().count(key(digest(), datetime(2026, 3, 2, 9, tzinfo=UTC))) == 1


def test_in_the_minutes_after_a_jump_what_was_left_out_is_still_to_come() -> None:
    """Started at 03:10 in the night when 02:30 is left out: it comes at 03:30."""
    found = (
        digest("30 2 * * *", "Europe/Paris")
        .trigger()
        .get_next_fire_time(None, datetime(2026, 3, 29, 1, 10, tzinfo=UTC))
    )
    assert found == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


@settings(deadline=None)
@given(
    zone=st.sampled_from(["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]),
    cron=st.sampled_from(["30 2 * * *", "*/15 * * * *", "0 9 * * mon-fri", "15,45 0-3 1 * *"]),
    at=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(lambda found: found.replace(tzinfo=UTC)),
)
def test_fire_times_move_on_and_match_the_wall_clock(zone: str, cron: str, at: datetime) -> None:
    """Each fire time is later than the one before it, not before it was asked for, and none is left out."""
    trigger = Digest(name="m", channel=CHANNEL, cron=cron, timezone=zone).trigger()
    first = trigger.get_next_fire_time(None, at).astimezone(UTC)
    assert first >= at
    second = trigger.get_next_fire_time(first, at).astimezone(UTC)
    assert second > first
    assert trigger.get_next_fire_time(None, first + (second - first) / 2) == second


def test_a_slot_that_was_missed_is_taken_up_at_the_start(make_house: Callable[..., House]) -> None:
    """Nobody was running at nine; at eleven the process starts, and the digest comes."""
    house = make_house()
    house.stop_bot()
    config = house.folder / "passerelle.yaml"
    config.write_text(
        config.read_text().replace(
            "digests: []", f'digests: [{{name: m, channel: {CHANNEL}, cron: "0 9 * * *", timezone: UTC}}]'
        )
    )
    house.bot = house.start_bot()
    house.bot.schedule.tick_polls()  # the last that was done
    house.clock.advance(timedelta(hours=2))
    house.bot.schedule.start()

    def taken() -> bool:
        with house.bot.store.read() as session:
            return session.scalar(sa.select(Slot.due).where(Slot.job == "digest:m")) is not None

    with house.bot.store.committed:
        assert house.bot.store.committed.wait_for(taken, 10)
    house.bot.schedule.stop()
    house.settle()
    assert [one["metadata"]["event_payload"]["key"] for one in digests(house)] == [
        "digest:m:2026-03-02T09:00:C0SUPPORT"
    ]


def test_a_digest_beyond_the_grace_is_left_out(house: House) -> None:
    """At half past twelve nobody needs the digest of nine."""
    house.clock.advance(timedelta(hours=3, seconds=1))
    house.bot.schedule.tick_digest(digest())
    house.settle()
    assert digests(house) == []


def test_a_digest_that_slack_held_up_past_the_grace_is_left_out(house: House) -> None:
    """Slack was away all morning: the digest of nine does not arrive at two, and tomorrow's does."""
    outage = Fault("refuse", path="chat.postMessage", times=None)
    house.slack.wire.faults.append(outage)
    house.bot.schedule.tick_digest(digest())
    house.settle()
    house.pass_time(hours=5)
    house.slack.wire.faults.remove(outage)
    house.pass_time(hours=1)
    assert digests(house) == []
    house.clock.advance(timedelta(hours=18))
    house.bot.schedule.tick_digest(digest())
    house.settle()
    assert len(digests(house)) == 1


def digests(house: House) -> list[dict[str, Any]]:
    """The bot's own messages in the channel."""
    return [message for message in house.slack.messages(CHANNEL) if message.get("bot_id")]


def test_a_digest_that_would_never_come_is_refused() -> None:
    """The thirty-first of February is a slip of the pen, and is said to be one."""
    with pytest.raises(ValueError, match="names a day that never comes"):
        Digest(name="m", channel=CHANNEL, cron="0 9 31 2 *", timezone="UTC")
    assert Digest(name="m", channel=CHANNEL, cron="0 9 29 2 *", timezone="UTC").trigger()


# --- polls ------------------------------------------------------------------------------------------------------------


def test_many_workers_poll_once_an_interval(crew: Crew) -> None:
    """Three processes that tick all the time ask GitHub as often as one would."""
    crew.begin(datetime(2026, 3, 2, 9, tzinfo=UTC), idle=True)
    interval = crew.house.bot.settings.config.timing.poll
    wire = crew.house.github.wire
    before = len(wire.calls_to("GET", "/repos/acme/shop/issues"))
    for _ in range(4):
        for bot in [*crew.bots, *crew.bots]:
            bot.schedule.tick_polls()
            crew.work(bot)
            crew.clock.advance(timedelta(seconds=interval / 6))
    assert len(wire.calls_to("GET", "/repos/acme/shop/issues")) - before == 4


def test_nothing_is_late_that_was_due_before_passerelle_was_there(make_house: Callable[..., House]) -> None:
    """Installed at nine, it posts no digest of seven, whatever its first minute begins with; next day it does."""

    def change(config: dict[str, Any]) -> None:
        every = {"channel": CHANNEL, "timezone": "UTC"}
        config["digests"] = [
            {"name": "early", "cron": "30 6 * * 1", **every},
            {"name": "m", "cron": "0 7 * * *", **every},
        ]

    house = make_house(change)  # at nine
    schedule = house.bot.schedule
    for tick in (schedule.tick_forget, schedule.tick_checks, schedule.tick_glances, schedule.tick_polls):
        tick()
    schedule.tick_digests()
    house.settle()
    assert [one for one in house.slack.messages(CHANNEL) if one.get("bot_id")] == []
    house.pass_time(hours=22)
    house.bot.schedule.tick_digests()
    house.settle()
    assert len([one for one in house.slack.messages(CHANNEL) if one.get("bot_id")]) == 1


def test_nobody_is_kept_from_writing_while_all_that_waits_is_read(crew: Crew) -> None:
    """Whoever presses a button has three seconds; thousands of issues take longer than a transaction should."""
    crew.begin(datetime(2026, 3, 2, 9, tzinfo=UTC))
    store, locked = crew.house.bot.store, list[str]()

    def note(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "FROM issue" in statement and connection.get_execution_options().get("writes"):
            locked.append(statement)

    sa.event.listen(store.engine, "before_cursor_execute", note)
    try:
        crew.house.bot.schedule.tick_polls()
        crew.house.bot.schedule.tick_glances()
        crew.house.bot.schedule.tick_reminders()
    finally:
        sa.event.remove(store.engine, "before_cursor_execute", note)
    assert locked == []
