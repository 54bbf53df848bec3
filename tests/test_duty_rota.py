"""Whose turn it is: every moment has exactly one person, nobody is skipped, and what people arranged counts."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings, strategies as st

from bot import duty
from bot.duty import Change, Plan, Rota, Shift, Window, shifts

PARIS = ZoneInfo("Europe/Paris")
DAY = timedelta(days=1)
MONDAY = date(2026, 3, 2)
THREE = ("U0LEO", "U0ZOE", "U0SAM")


def rota(**given: Any) -> Rota:
    return Rota(**{"people": THREE, "every": "weekly", "zone": PARIS, "starts": MONDAY, **given})


def plan(*changes: Change, **given: Any) -> Plan:
    return Plan(rota(**given), changes)


def at(text: str, zone: ZoneInfo = PARIS) -> datetime:
    """A moment by the clocks of a zone."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


# --- by the rota alone


def test_without_turns_it_is_the_first_one() -> None:
    """Always, and nobody follows."""
    stint = plan(every="none").stint(at("2026-03-04T12:00"))
    assert (stint.person, stint.since, stint.until, stint.then) == ("U0LEO", None, None, "")


def test_weekly_turns_change_at_the_hand_over() -> None:
    """On the weekday of the start, at the hour, and not before; the weekend belongs to the week before."""
    weekly = plan()
    assert weekly.on_duty(at("2026-03-09T08:59")) == "U0LEO"
    assert weekly.on_duty(at("2026-03-09T09:00")) == "U0ZOE"
    stint = weekly.stint(at("2026-03-15T12:00"))
    assert (stint.person, stint.then) == ("U0ZOE", "U0SAM")
    assert (stint.since, stint.until) == (at("2026-03-09T09:00"), at("2026-03-16T09:00"))


def test_daily_turns_pass_over_days_off_and_over_nobody() -> None:
    """Friday's person keeps the weekend, and Monday is the next one's; so it is with a holiday."""
    daily = plan(every="daily", holidays=frozenset({date(2026, 3, 10)}))
    turns = [daily.person(MONDAY + index * DAY) for index in range(10)]
    leo, zoe, sam = THREE
    assert turns == [leo, zoe, sam, leo, zoe, zoe, zoe, sam, sam, leo]


def test_a_week_without_a_working_day_is_nobodys_turn() -> None:
    """The holidays between the years cost nobody a turn."""
    off = frozenset(MONDAY + timedelta(days=7 + index) for index in range(5))
    weekly = plan(holidays=off)
    assert [weekly.person(MONDAY + week * 7 * DAY) for week in range(4)] == ["U0LEO", "U0LEO", "U0ZOE", "U0SAM"]


def test_a_holiday_at_the_turn_moves_the_hand_over() -> None:
    """On a working day somebody is there to take over."""
    weekly = plan(holidays=frozenset({date(2026, 3, 9)}))
    assert weekly.on_duty(at("2026-03-09T12:00")) == "U0LEO"
    assert weekly.stint(at("2026-03-09T12:00")).until == at("2026-03-10T09:00")


@pytest.mark.parametrize(
    ("handover", "day", "begins"),
    [
        (time(9), "2026-03-29", "2026-03-29T07:00+00:00"),
        (time(2, 30), "2026-03-29", "2026-03-29T01:30+00:00"),  # 02:30 is left out: at 03:30 by the new clock
        (time(2, 30), "2026-10-25", "2026-10-25T00:30+00:00"),  # 02:30 comes twice: the first
        (time(9), "2026-10-25", "2026-10-25T08:00+00:00"),
    ],
)
def test_the_hand_over_goes_by_the_clock_on_the_wall(handover: time, day: str, begins: str) -> None:
    """In the nights of spring and autumn too."""
    known = plan(handover=handover)
    begin = known.begins(date.fromisoformat(day))
    assert begin == datetime.fromisoformat(begins)
    assert known.day(begin) == date.fromisoformat(day)
    assert known.day(begin - timedelta(seconds=1)) == date.fromisoformat(day) - DAY


# --- what people arranged


def test_who_takes_over_has_it_for_those_days() -> None:
    """And the rota goes on as if nothing had been."""
    known = plan(Change("U0SAM", date(2026, 3, 4), date(2026, 3, 5)))
    assert [known.person(MONDAY + index * DAY) for index in range(5)] == ["U0LEO", "U0LEO", "U0SAM", "U0SAM", "U0LEO"]


def test_who_is_away_is_replaced_by_the_next_who_is_not() -> None:
    """Whatever the order in which they say so; when all are away, it stays."""
    span = (date(2026, 3, 4), date(2026, 3, 4))
    leo, zoe, sam = (Change(person, *span, away=True) for person in THREE)
    assert plan(leo).person(span[0]) == "U0ZOE"
    assert plan(zoe, leo).person(span[0]) == plan(leo, zoe).person(span[0]) == "U0SAM"
    assert plan(leo, zoe, sam).person(span[0]) == "U0LEO"


def test_who_takes_it_after_being_away_has_it() -> None:
    """What was said later counts."""
    span = (date(2026, 3, 4), date(2026, 3, 4))
    gone, back = Change("U0LEO", *span, away=True), Change("U0LEO", *span)
    assert plan(gone, back).person(span[0]) == "U0LEO"
    assert plan(back, gone).person(span[0]) == "U0ZOE"


def test_somebody_who_left_the_rota_is_not_on_duty() -> None:
    """What was arranged for them falls away."""
    assert plan(Change("U0GONE", MONDAY, MONDAY)).person(MONDAY) == "U0LEO"


def test_what_an_arrangement_changes_is_told_in_spans() -> None:
    """Day after day of the same makes one."""
    after = plan(Change("U0LEO", date(2026, 3, 5), date(2026, 3, 10), away=True))
    assert shifts(plan(), after, date(2026, 3, 5), date(2026, 3, 10)) == [
        Shift(date(2026, 3, 5), date(2026, 3, 8), "U0LEO", "U0ZOE")
    ]


# --- half-days for everyone


def test_half_days_by_weekday_and_by_date() -> None:
    """In order, joined where they meet, and none of the weekly ones on a holiday."""
    known = Plan(
        rota(everyone=(duty.window("thu 14:00-18:00"),), holidays=frozenset({date(2026, 3, 12)})),
        half_days=(duty.window("2026-03-06 09:00-13:00"), duty.window("2026-03-06 12:00-14:00")),
    )
    assert known.together(at("2026-03-05T15:00"), 20) == [
        (at("2026-03-05T14:00"), at("2026-03-05T18:00")),
        (at("2026-03-06T09:00"), at("2026-03-06T14:00")),
        (at("2026-03-19T14:00"), at("2026-03-19T18:00")),
    ]
    assert known.half_day(at("2026-03-05T17:59")) is not None
    assert known.half_day(at("2026-03-05T18:00")) is None


@pytest.mark.parametrize("text", ["thu", "thu 14:00", "thu 18:00-14:00", "2026-13-01 09:00-10:00", "x 09:00-10:00", ""])
def test_what_is_no_half_day(text: str) -> None:
    """It is said, not guessed."""
    with pytest.raises(ValueError):
        duty.window(text)


# --- whatever the rota

ZONES = st.sampled_from(["Europe/Paris", "America/New_York", "UTC", "Pacific/Apia", "Australia/Lord_Howe"])
DATES = st.dates(date(2026, 1, 1), date(2027, 6, 30))
ROTAS = st.builds(
    Rota,
    people=st.integers(1, 4).map(lambda n: ("U0LEO", "U0ZOE", "U0SAM", "U0MIA")[:n]),
    every=st.sampled_from(["none", "daily", "weekly"]),
    starts=DATES,
    handover=st.times().map(lambda one: one.replace(second=0, microsecond=0)),
    zone=ZONES.map(ZoneInfo),
    days=st.frozensets(st.integers(0, 6), min_size=1),
    holidays=st.frozensets(DATES, max_size=30),
)
SPANS = st.tuples(DATES, st.integers(0, 20)).map(lambda one: (one[0], one[0] + timedelta(days=one[1])))
CHANGES = st.builds(
    lambda person, span, away: Change(person, *span, away=away),
    st.sampled_from(["U0LEO", "U0ZOE", "U0SAM", "U0GONE"]),
    SPANS,
    st.booleans(),
)
PLANS = st.builds(Plan, ROTAS, st.lists(CHANGES, max_size=6).map(tuple))
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 6, 30), timezones=st.just(UTC))


@settings(max_examples=150, deadline=None)
@given(PLANS, MOMENTS)
def test_every_moment_has_one_person_of_the_rota(known: Plan, moment: datetime) -> None:
    """And the stint that holds it begins before it, ends after it, and goes to somebody else."""
    stint = known.stint(moment)
    assert stint.person == known.on_duty(moment)
    assert stint.person in known.rota.people
    assert stint.since is None or stint.since <= moment
    if stint.since:
        assert known.on_duty(stint.since) == stint.person
        assert known.on_duty(stint.since - timedelta(microseconds=1)) != stint.person
    if stint.until:
        assert stint.until > moment
        assert known.on_duty(stint.until) == stint.then != stint.person
        assert known.on_duty(stint.until - timedelta(microseconds=1)) == stint.person


@settings(max_examples=150, deadline=None)
@given(PLANS, MOMENTS)
def test_a_moment_lies_in_its_day(known: Plan, moment: datetime) -> None:
    """Days of duty leave no gap and do not overlap, also where the clocks jump or a date is left out."""
    day = known.day(moment)
    assert known.begins(day) <= moment < max(known.begins(day + DAY), known.begins(day + 2 * DAY))


@settings(max_examples=150, deadline=None)
@given(PLANS, CHANGES.filter(lambda one: not one.away))
def test_what_was_arranged_last_wins(known: Plan, change: Change) -> None:
    """For each of its days, and for no other."""
    after = Plan(known.rota, (*known.changes, change))
    for index in range(-2, 24):
        day = change.first + index * DAY
        taken = change.first <= day <= change.last and change.person in known.rota.people
        assert after.person(day) == (change.person if taken else known.person(day))


@settings(max_examples=150, deadline=None)
@given(ROTAS.filter(lambda one: one.every == "daily"))
def test_daily_turns_skip_nobody(one: Rota) -> None:
    """From one working day to the next it is the next one's turn, whatever lies between; days off change nothing."""
    day, place = one.starts, -1
    for _ in range(60):
        if one.working(day):
            place += 1
        assert one.person(day) == one.people[max(0, place) % len(one.people)]
        day += DAY


@settings(max_examples=150, deadline=None)
@given(ROTAS.filter(lambda one: one.every == "weekly"))
def test_weekly_turns_skip_nobody(one: Rota) -> None:
    """Each week that has a working day is one person's turn, in their order."""
    worked = 0
    for week in range(20):
        days = [one.starts + timedelta(days=week * 7 + index) for index in range(7)]
        working = [day for day in days if one.working(day)]
        for day in working:
            assert one.person(day) == one.people[worked % len(one.people)]
        worked += bool(working)


def test_a_window_reads_as_it_is_written() -> None:
    """Weekdays and dates, hours of one day."""
    assert duty.window("mon-fri 09:00-12:30") == Window(time(9), time(12, 30), frozenset(range(5)))
    assert duty.window("2026-06-04 14:00–18:00") == Window(time(14), time(18), on=date(2026, 6, 4))
