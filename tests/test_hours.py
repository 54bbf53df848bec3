"""Working time: what counts, also on the days on which clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from bot.hours import Hours, Span, span, working

PARIS = ZoneInfo("Europe/Paris")
OFFICE = Hours(zone=PARIS, holidays=frozenset({date(2026, 5, 1)}))
NIGHTS = Hours(start=time(1), end=time(5), days=frozenset(range(7)), zone=PARIS)

MOMENTS = st.datetimes(datetime(2024, 12, 20), datetime(2027, 1, 10)).map(lambda at: at.replace(tzinfo=UTC))
HOURS = st.sampled_from([OFFICE, NIGHTS, Hours(zone=ZoneInfo("America/New_York"), days=frozenset({1, 5}))])


def paris(*when: int) -> datetime:
    return datetime(*when, tzinfo=PARIS)  # type: ignore[misc, arg-type]


def minutes_at_work(hours: Hours, first: datetime, last: datetime) -> int:
    """The same, counted on the clock of the wall minute by minute."""
    found, at = 0, first
    while at < last:
        there = at.astimezone(hours.zone)
        found += hours.works(there.date()) and hours.start <= there.time().replace(fold=0) < hours.end
        at += timedelta(minutes=1)
    return found


@pytest.mark.parametrize(
    ("first", "last", "worked"),
    [
        (paris(2026, 3, 6, 17), paris(2026, 3, 9, 10), timedelta(hours=2)),  # over a weekend
        (paris(2026, 4, 30, 17), paris(2026, 5, 4, 10), timedelta(hours=2)),  # and the first of May
        (paris(2026, 3, 27, 9), paris(2026, 3, 30, 18), timedelta(hours=18)),  # clocks went forward on Sunday
        (paris(2026, 3, 3, 20), paris(2026, 3, 4, 8), timedelta()),
        (paris(2025, 12, 31, 17), paris(2026, 1, 1, 10), timedelta(hours=2)),
        (paris(2026, 3, 4), paris(2026, 3, 3), timedelta()),
    ],
)
def test_only_hours_at_work_count(first: datetime, last: datetime, worked: timedelta) -> None:
    """Evenings, weekends and holidays are no working time."""
    assert OFFICE.between(first, last) == worked


def test_a_night_is_as_long_as_its_clocks_make_it() -> None:
    """From one to five are three hours in the night of spring, and five in that of autumn."""
    assert NIGHTS.between(paris(2026, 3, 29), paris(2026, 3, 29, 12)) == timedelta(hours=3)
    assert NIGHTS.between(paris(2026, 10, 25), paris(2026, 10, 25, 12)) == timedelta(hours=5)


@given(HOURS, MOMENTS, st.integers(0, 2_000))
def test_working_time_is_what_the_wall_clock_counts(hours: Hours, first: datetime, minutes: int) -> None:
    """Any span, counted minute by minute, gives the same."""
    first = first.replace(second=0, microsecond=0)
    last = first + timedelta(minutes=minutes)
    assert hours.between(first, last) == timedelta(minutes=minutes_at_work(hours, first, last))


@given(HOURS, MOMENTS, st.floats(1, 200_000))
def test_so_much_working_time_later_is_so_much_working_time_after(hours: Hours, at: datetime, seconds: float) -> None:
    """`after` and `between` agree, and a moment that `after` gives is no later than it must be."""
    then = hours.after(at, Span(seconds=seconds))
    assert abs(hours.between(at, then).total_seconds() - seconds) < 0.01
    assert hours.between(at, then - timedelta(seconds=1)).total_seconds() < seconds


@given(HOURS, MOMENTS)
def test_the_next_moment_at_work_is_one(hours: Hours, at: datetime) -> None:
    """Nobody is nudged outside their hours, nor later than they are there."""
    opens = hours.opens(at)
    assert hours.at(opens)
    assert hours.between(at, opens) == timedelta()
    assert hours.tomorrow(at).astimezone(hours.zone).date() > at.astimezone(hours.zone).date()


def test_a_day_is_a_working_day() -> None:
    """`1d` after Friday noon is Monday noon; `4h` are hours."""
    friday = paris(2026, 3, 6, 12)
    assert OFFICE.after(friday, span("1d")) == paris(2026, 3, 9, 12)
    assert OFFICE.after(friday, span("4h")) == paris(2026, 3, 6, 16)
    assert OFFICE.after(friday, span("90m")) == paris(2026, 3, 6, 13, 30)


def test_hours_are_read_as_people_write_them() -> None:
    """Weekdays, a space, and from when to when."""
    assert working("mon-fri 09:00-18:00") == (frozenset(range(5)), time(9), time(18))


@pytest.mark.parametrize("text", ["", "0h", "1 week", "-1d", "4", "h"])
def test_what_is_no_amount_of_working_time_is_refused(text: str) -> None:
    """With a clause that a finding can carry."""
    with pytest.raises(ValueError, match="is not an amount of working time"):
        span(text)
