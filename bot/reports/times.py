"""How long things take, as distributions: from the flag to the customer's own word. Pure.

A step is measured where both its ends are known, and counts in the span in which it ended. All durations are seconds.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import accumulate

from bot.hours import Hours
from bot.store.times import OF_ISSUES, Milestone as Milestone, Taken, TimeRows, Way


class Unit(StrEnum):
    """What is counted."""

    CUSTOMERS = "customers"  # each escalation for itself
    ISSUES = "issues"  # a step of the issue's own, which all its customers share


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many took less than `under` seconds, and not less than the bucket before.

    `name` is the same in clock time and in working time, where a day is a working day as long as the hours make it, a
    week has their days and a month four weeks and two days: `1h`, `4h`, `1d`, `3d`, `1w`, `2w`, `1mo`, and `more`.
    """

    name: str
    under: float  # seconds; infinite for the last
    n: int


@dataclass(frozen=True, slots=True)
class Distribution:
    """Durations in seconds. A percentile is the smallest one that at least so many percent do not exceed; all are 0.0
    where `n` is 0."""

    n: int
    p50: float
    p75: float
    p90: float
    longest: float
    buckets: tuple[Bucket, ...]  # shortest first, always all of them


@dataclass(frozen=True, slots=True)
class StepTimes:
    """How long it took from one milestone to another."""

    first: Milestone
    last: Milestone
    unit: Unit
    clock: Distribution
    working: Distribution  # of the same steps, in working time


@dataclass(frozen=True, slots=True)
class Times:
    """The whole report. `steps` are flagged → acknowledged, acknowledged → fixed and so on to confirmed: always six,
    also those with n = 0; the last one is worth showing only where it has any. `whole` are the two long ways: flagged →
    shipped and flagged → written."""

    since: datetime
    until: datetime
    steps: tuple[StepTimes, ...]
    whole: tuple[StepTimes, ...]

    @property
    def empty(self) -> bool:
        return not any(step.clock.n for step in (*self.steps, *self.whole))


STEPS: tuple[Way, ...] = tuple(zip(Milestone, [*Milestone][1:], strict=False))
WHOLE: tuple[Way, ...] = ((Milestone.FLAGGED, Milestone.SHIPPED), (Milestone.FLAGGED, Milestone.WRITTEN))
DAY, HOUR = 86400.0, 3600.0


def times(rows: TimeRows, hours: Hours) -> Times:
    """The report over what `bot.store.times.load` gave; `hours` say what working time is."""
    work = _Work(rows, hours)
    steps, whole = ([_step(rows, way, work) for way in ways] for ways in (STEPS, WHOLE))
    return Times(rows.since, rows.until, tuple(steps), tuple(whole))


def _step(rows: TimeRows, way: Way, work: _Work) -> StepTimes:
    taken = rows.taken[way]
    clock = [end - begin for begin, end in zip(taken.begins, taken.ends, strict=True)]
    unit = Unit.ISSUES if way in OF_ISSUES else Unit.CUSTOMERS
    return StepTimes(*way, unit, distribution(clock, _bounds(DAY, 7)), distribution(work.spent(taken), work.bounds))


def _bounds(day: float, week: int) -> tuple[tuple[str, float], ...]:
    """The buckets' names and ends, where a day has so many seconds and a week so many days."""
    ends = {
        **{"1h": HOUR, "4h": 4 * HOUR, "1d": day, "3d": 3 * day, "1w": week * day, "2w": 2 * week * day},
        **{"1mo": 30 / 7 * week * day, "more": float("inf")},
    }
    return tuple(zip(ends, accumulate(ends.values(), max), strict=True))  # a day may be shorter than four hours


def _length(hours: Hours) -> float:
    """Seconds of a working day on which the clocks do not change."""
    return (hours.end.hour - hours.start.hour) * HOUR + (hours.end.minute - hours.start.minute) * 60.0


def distribution(seconds: Sequence[float], bounds: Sequence[tuple[str, float]]) -> Distribution:
    """How these durations are distributed over buckets that end at `bounds`."""
    order = sorted(seconds)
    until = [0, *(bisect_left(order, end) for _, end in bounds)]
    buckets = (
        Bucket(name, end, upto - before) for (name, end), before, upto in zip(bounds, until, until[1:], strict=False)
    )
    return Distribution(
        n=len(order),
        p50=_percentile(order, 50),
        p75=_percentile(order, 75),
        p90=_percentile(order, 90),
        longest=order[-1] if order else 0.0,
        buckets=tuple(buckets),
    )


def _percentile(order: Sequence[float], percent: int) -> float:
    """The smallest that at least so many percent do not exceed."""
    return order[-(-percent * len(order) // 100) - 1] if order else 0.0


class _Work:
    """Working time between moments. `Hours` answers for one pair; here are many, so the working days that they span are
    laid out once."""

    def __init__(self, rows: TimeRows, hours: Hours) -> None:
        self.bounds = _bounds(_length(hours), len(hours.days))
        self.begins, self.ends, self.before = [0.0], [0.0], [0.0]
        firsts = [min(taken.begins) for taken in rows.taken.values() if taken.begins]
        if not firsts:
            return
        day, last = datetime.fromtimestamp(min(firsts), hours.zone).date(), rows.until.astimezone(hours.zone).date()
        while day <= last:
            if hours.works(day):
                begin, end = (datetime.combine(day, at, hours.zone) for at in (hours.start, hours.end))
                self.before.append(self.before[-1] + self.ends[-1] - self.begins[-1])
                self.begins.append(begin.timestamp())
                self.ends.append(end.timestamp())
            day += timedelta(days=1)

    def spent(self, taken: Taken) -> list[float]:
        """Seconds worked while each of these steps was taken."""
        return [end - begin for begin, end in zip(self._until(taken.begins), self._until(taken.ends), strict=True)]

    def _until(self, moments: Iterable[float]) -> list[float]:
        """Seconds worked before each of these moments."""
        begins, ends, before, found = self.begins, self.ends, self.before, []
        for at in moments:
            place = bisect_right(begins, at) - 1
            end = ends[place]
            found.append(before[place] + (at if at < end else end) - begins[place])
        return found
