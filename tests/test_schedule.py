"""The clock's work: each digest once, each poll once, and nothing forgotten that is still owed."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.app import Passerelle
from bot.configuration import Digest
from bot.model import OWED, WAITING, News, Stage, WriteBack
from bot.scheduler import GRACE, latest
from bot.store.tables import (
    Delivery,
    Draft,
    Effect,
    EffectState,
    Escalation,
    Issue,
    NewsItem,
    Row,
    Slot,
    Ticket,
    WriteBackRow,
)
from integrations.sandbox.wire import Fault
from tests.conftest import House, shown

CHANNEL = "C0SUPPORT"


def digest(cron: str = "0 9 * * *", timezone: str = "UTC", name: str = "morning") -> Digest:
    return Digest(name=name, channel=CHANNEL, cron=cron, timezone=timezone)


class Crew:
    """Three processes' worth of the bot on one database, and the channel that their digests go to."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.clock = house.clock
        self.bots = [house.bot, *(Passerelle(house.bot.settings, self.clock) for _ in range(2))]

    def begin(self, at: datetime) -> None:
        """An empty database, at that moment."""
        with self.house.bot.store.write() as session:
            for table in reversed(Row.metadata.sorted_tables):
                session.execute(sa.delete(table))
        self.clock.advance(at - self.clock.now())
        self._before = len(self.house.slack.messages(CHANNEL))

    def posted(self) -> list[str]:
        """The effect keys of the digests in the channel, in their order."""
        messages = self.house.slack.messages(CHANNEL)[self._before :]
        return [message["metadata"]["event_payload"]["key"] for message in messages]

    def work(self, bot: Passerelle) -> None:
        while bot.outbox.work_once():
            pass


@pytest.fixture(scope="module")
def crew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    crew = Crew(House(tmp_path_factory.mktemp("crew")))
    yield crew
    for bot in crew.bots[1:]:
        bot.close()
    crew.house.close()


def key(one: Digest, slot: datetime) -> str:
    return f"digest:{one.name}:{slot:%Y-%m-%dT%H:%M}:{one.channel}"


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
        slot = latest(one.trigger(), crew.clock.now(), GRACE)
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


@settings(deadline=None)
@given(
    zone=st.sampled_from(["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]),
    cron=st.sampled_from(["30 2 * * *", "*/15 * * * *", "0 9 * * mon-fri", "15,45 0-3 1 * *"]),
    at=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(lambda found: found.replace(tzinfo=UTC)),
)
def test_fire_times_move_on_and_match_the_wall_clock(zone: str, cron: str, at: datetime) -> None:
    """Each fire time is later than the one before it, not before it was asked for, and none is left out."""
    trigger = digest(cron, zone).trigger()
    first = trigger.get_next_fire_time(None, at).astimezone(UTC)
    assert first >= at
    second = trigger.get_next_fire_time(first, at).astimezone(UTC)
    assert second > first
    assert trigger.get_next_fire_time(None, first + (second - first) / 2) == second


def test_a_slot_that_was_missed_is_taken_up_at_the_start(house: House) -> None:
    """Nobody was running at nine; at eleven the process starts, and the digest comes."""
    house.stop_bot()
    config = house.folder / "passerelle.yaml"
    config.write_text(
        config.read_text().replace(
            "digests: []", f'digests: [{{name: m, channel: {CHANNEL}, cron: "0 9 * * *", timezone: UTC}}]'
        )
    )
    house.bot = house.start_bot()
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


def test_the_digest_says_what_waits_and_who_owes_an_answer(house: House) -> None:
    """What is new since the last one, what waits longest, what most customers wait for, and who has to write back."""
    house.flag("U0ANA", "4211", title="VAT is wrong on invoices")
    house.clock.advance(timedelta(days=1))
    morning(house)
    attach(house, "U0BEN", "4212", "VAT")
    house.flag("U0BEN", "4213", title="The export is empty")
    house.flag("U0ANA", "4214", title="Search finds nothing")
    house.mend(3)
    house.clock.advance(timedelta(days=1))

    text = morning(house)
    new, oldest, most, due = re.split(r"Waiting longest|Most customers waiting|Write-backs due", text)[:4]
    assert "1 new issue" in new
    assert "The export is empty" in new
    assert "VAT is wrong" not in new
    assert oldest.index("VAT is wrong on invoices") < oldest.index("The export is empty")
    assert "VAT is wrong on invoices" in most
    assert "2 customers" in most
    assert "The export is empty" not in most
    assert "Ana Moreau: 1" in due
    assert "Search finds nothing" not in text


def test_an_empty_digest_is_one_warm_line(house: House) -> None:
    """Nothing to do is worth saying, shortly."""
    text = morning(house)
    assert "every customer has heard" in text
    assert "Waiting longest" not in text


def morning(house: House) -> str:
    house.bot.schedule.tick_digest(digest())
    house.settle()
    return shown(digests(house)[-1])


def attach(house: House, person: str, ticket: str, word: str) -> None:
    """Flag a ticket, and choose the issue that `word` finds."""
    assert house.slack.command(person, ticket, CHANNEL).ok
    house.bot.listeners.settle()
    view = house.slack.views(person)[-1]
    [option] = house.slack.suggest(view["id"], "similar", word)
    assert house.slack.submit(view["id"], {"title": "The same", "similar": option["value"]}).ok
    house.settle()


def test_a_digest_that_would_never_come_is_refused() -> None:
    """The thirty-first of February is a slip of the pen, and is said to be one."""
    with pytest.raises(ValueError, match="names a day that never comes"):
        digest("0 9 31 2 *")
    assert digest("0 9 29 2 *").trigger()


# --- polls ------------------------------------------------------------------------------------------------------------


def test_many_workers_poll_once_an_interval(crew: Crew) -> None:
    """Three processes that tick all the time ask GitHub as often as one would."""
    crew.begin(datetime(2026, 3, 2, 9, tzinfo=UTC))
    interval = crew.house.bot.settings.config.timing.poll
    wire = crew.house.github.wire
    before = len(wire.calls_to("GET", "/repos/acme/shop/issues"))
    for _ in range(4):
        for bot in [*crew.bots, *crew.bots]:
            bot.schedule.tick_polls()
            crew.work(bot)
            crew.clock.advance(timedelta(seconds=interval / 6))
    assert len(wire.calls_to("GET", "/repos/acme/shop/issues")) - before == 4


# --- forgetting -------------------------------------------------------------------------------------------------------

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
KEPT = 180
"""Days that the configuration keeps customers' words."""

WRITE_BACKS = st.lists(st.tuples(st.sampled_from(list(WriteBack)), st.integers(0, 400)), max_size=3)
ESCALATIONS = st.lists(
    st.tuples(st.sampled_from(list(Stage)), st.integers(0, 400), WRITE_BACKS), min_size=1, max_size=2
)


def days_ago(days: int) -> datetime:
    return NOW - timedelta(days=days)


def issue_at(stage: Stage, since: datetime) -> Issue:
    return Issue(
        **{"project": "shop", "tracker": "github", "repository": "acme/shop", "number": None, "title": "It breaks"},
        **{"kind": "bug", "severity": "normal", "stage": stage, "stage_since": since, "created_at": since},
        **{"channel": "C0SUPPORTDEV", "heard_until": None, "reopened_at": None},
    )


def carry(ticket: Ticket, stage: Stage, since: datetime, write_backs: list[tuple[WriteBack, int]]) -> Issue:
    """An issue with one escalation of `ticket`, and what is owed for it."""
    issue = issue_at(stage, since)
    escalation = Escalation(
        ticket=ticket, issue=issue, agent="U0ANA", title="It breaks", summary="She wrote: argh", flagged_at=since
    )
    for number, (state, days) in enumerate(write_backs):
        done = None if state in OWED else days_ago(days)
        news = NewsItem(issue=issue, kind=News.SHIPPED, cause=str(number), at=since)
        escalation.write_backs.append(
            WriteBackRow(news=news, agent="U0ANA", state=state, due_at=since, done_at=done, text="Dear Marie")
        )
    return issue


@settings(max_examples=60, deadline=None)
@given(tickets=st.lists(ESCALATIONS, min_size=1, max_size=5))
def test_nothing_that_is_owed_is_forgotten_and_all_else_is(crew: Crew, tickets: list[list[Any]]) -> None:
    """A customer's words stay while anybody owes them anything, and for the time that the configuration says after
    that; then their name, address and words are gone."""
    crew.begin(NOW)
    owed: dict[str, bool] = {}
    with crew.bots[0].store.write() as session:
        for escalations in tickets:
            ticket = Ticket(helpdesk=None, number=None, waiting_since=days_ago(400))
            ticket.customer_name, ticket.customer_email, ticket.words = "Marie Curie", "marie@example.com", "argh"
            session.add_all(carry(ticket, stage, days_ago(days), rows) for stage, days, rows in escalations)
            session.flush()
            owed[ticket.id] = any(
                stage in WAITING or days <= KEPT or any(state in OWED or ago <= KEPT for state, ago in rows)
                for stage, days, rows in escalations
            )
    crew.bots[1].schedule.tick_forget()
    with crew.bots[2].store.read() as session:
        for ticket in session.scalars(sa.select(Ticket)):
            kept = ("Marie Curie", "marie@example.com", "argh") if owed[ticket.id] else ("", "", "")
            assert (ticket.customer_name, ticket.customer_email, ticket.words) == kept
        for escalation in session.scalars(sa.select(Escalation)):
            assert bool(escalation.summary) is owed[escalation.ticket_id]
            assert all(bool(row.text) is owed[escalation.ticket_id] for row in escalation.write_backs)


def test_old_deliveries_and_drafts_go_and_unread_ones_stay(crew: Crew) -> None:
    """What was read long ago is dropped with the effect that read it; what nobody has read yet is not."""
    crew.begin(NOW)
    ages = {"old": 31, "young": 29, "unread": 99}
    with crew.bots[0].store.write() as session:
        for name, days in ages.items():
            at, read_at = days_ago(days), None if name == "unread" else days_ago(days)
            session.add(
                Delivery(
                    source="github",
                    sender_id=name,
                    body_hash=name,
                    headers={},
                    body=b"",
                    received_at=at,
                    read_at=read_at,
                )
            )
            state = EffectState.READY if name == "unread" else EffectState.DONE
            session.add(
                Effect(key=name, kind="delivery", subject=name, state=state, next_at=at, since=at, done_at=read_at)
            )
        for days in (1, 8):
            draft = Draft(person="U0ANA", ticket=None, allowed=None, escalation_id=None, created_at=days_ago(days))
            session.add(draft)
    crew.bots[0].schedule.tick_forget()
    with crew.bots[0].store.read() as session:
        assert set(session.scalars(sa.select(Delivery.sender_id))) == {"young", "unread"}
        assert set(session.scalars(sa.select(Effect.key))) == {"young", "unread"}
        assert list(session.scalars(sa.select(Draft.created_at))) == [days_ago(1)]


def test_forgetting_is_done_once_a_day(crew: Crew) -> None:
    """Every process asks every hour; one a day does the work, and old slots do not pile up."""
    crew.begin(NOW)
    for _ in range(96):
        for bot in crew.bots:
            bot.schedule.tick_forget()
            bot.schedule.tick_polls()
        crew.clock.advance(timedelta(hours=1))
    with crew.bots[0].store.read() as session:
        forget = session.scalars(sa.select(Slot.due).where(Slot.job == "forget").order_by(Slot.due)).all()
        polls = session.scalar(sa.select(sa.func.count()).where(Slot.job == "poll")) or 0
    assert [slot.day for slot in forget] == [3, 4, 5]
    assert polls < 72
