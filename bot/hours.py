"""When people work, and how much of a span of time that is. Pure.

A working day is as long as the clocks of its zone make it, also on the day on which they change.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from bot import duty

AHEAD = 3660
"""Days in which a working day is looked for; a configuration without one is refused."""

FIRST = 2020
"""The year from which working time is counted; nothing that is stored is older."""

UNIVERSAL = ZoneInfo("UTC")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """An amount of working time: so many working days and, beside them, so many seconds."""

    days: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True)
class _Year:
    """The working days of one year: when each begins and ends (POSIX seconds), and what was worked before it since
    `FIRST`."""

    begins: list[float]
    ends: list[float]
    before: list[float]
    whole: float  # seconds worked until its end

    def worked(self, at: float) -> float | None:
        """Seconds worked until then; None before its first working day."""
        place = bisect_right(self.begins, at) - 1
        return self.before[place] + min(at, self.ends[place]) - self.begins[place] if place >= 0 else None


@dataclass(frozen=True)
class Hours:
    """People work from `start` to `end` on these weekdays (0 is Monday), by the clocks of `zone`."""

    start: time = time(9)
    end: time = time(18)
    days: frozenset[int] = frozenset(range(5))
    zone: ZoneInfo = UNIVERSAL
    holidays: frozenset[date] = frozenset()
    _years: dict[int, _Year] = field(default_factory=dict, repr=False, compare=False)

    def works(self, day: date) -> bool:
        """Whether that day, in the zone, is a working day."""
        return day.weekday() in self.days and day not in self.holidays

    def at(self, moment: datetime) -> bool:
        """Whether people are at work at that moment."""
        begin, end = self._day(moment.astimezone(self.zone).date())
        return begin <= moment < end

    def opens(self, moment: datetime) -> datetime:
        """That moment, if people are at work then; else when they are next. In UTC."""
        begin, _ = next((begin, end) for begin, end in self._from(moment) if end > moment)
        return max(begin, moment.astimezone(UTC))

    def tomorrow(self, moment: datetime) -> datetime:
        """When the first working day after the day of that moment begins. In UTC."""
        midnight = datetime.combine(moment.astimezone(self.zone).date() + _DAY, time(), self.zone)
        return self.opens(midnight)

    def after(self, moment: datetime, span: Span) -> datetime:
        """When so much working time has gone by since that moment. In UTC."""
        left = span.days * self._length + span.seconds
        for begin, end in self._from(moment):
            first = max(begin, moment)
            if (there := (end - first).total_seconds()) >= left:
                return (first + timedelta(seconds=left)).astimezone(UTC)
            left -= max(0.0, there)
        raise ValueError("nobody works in these hours")

    def between(self, first: datetime, last: datetime) -> timedelta:
        """How much working time lies between two moments; none where `last` is not after `first`."""
        return timedelta(seconds=max(0.0, self._worked(last) - self._worked(first)))

    @property
    def _length(self) -> float:
        """Seconds of a working day on which the clocks do not change."""
        return float((self.end.hour - self.start.hour) * 3600 + (self.end.minute - self.start.minute) * 60)

    def _day(self, day: date) -> tuple[datetime, datetime]:
        """When work begins and ends on a day, in UTC; at once where nobody works."""
        begin = datetime.combine(day, self.start, self.zone).astimezone(UTC)
        return begin, datetime.combine(day, self.end, self.zone).astimezone(UTC) if self.works(day) else begin

    def _from(self, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The working days from the one that holds this moment on."""
        first = moment.astimezone(self.zone).date()
        days = (first + _DAY * number for number in range(AHEAD))
        return (self._day(day) for day in days if self.works(day))

    def _worked(self, moment: datetime) -> float:
        """Seconds worked since `FIRST` until then. The year on the wall may be another than in UTC."""
        at, here = moment.timestamp(), moment.year
        found = (self._year(year).worked(at) for year in (here + 1, here, here - 1))
        return next((worked for worked in found if worked is not None), 0.0)

    def _year(self, number: int) -> _Year:
        if number not in self._years:
            whole = self._year(number - 1).whole if number > FIRST else 0.0
            first = date(number, 1, 1)
            days = (first + _DAY * index for index in range((date(number + 1, 1, 1) - first).days))
            spans = [self._day(day) for day in days if self.works(day)]
            sums = [*accumulate(((end - begin).total_seconds() for begin, end in spans), initial=whole)]
            begins, ends = [begin.timestamp() for begin, _ in spans], [end.timestamp() for _, end in spans]
            self._years[number] = _Year(begins, ends, sums[:-1], sums[-1])
        return self._years[number]


def working(text: str) -> tuple[frozenset[int], time, time]:
    """Working hours such as `mon-fri 09:00-18:00`. Raises ValueError, with a clause."""
    days, _, hours = text.strip().partition(" ")
    if days and not hours:
        raise ValueError(f"holds `{days}`, which is not days and hours")
    start, end = duty.hours(hours)
    return duty.days(days), start, end


def span(text: str) -> Span:
    """An amount of working time such as `4h`, `90m` or `1d`, a working day. Raises ValueError, with a clause."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(m|h|d)", text.strip())
    if found is None or float(found[1]) == 0:
        raise ValueError("is not an amount of working time")
    number = float(found[1])
    return Span(days=number) if found[2] == "d" else Span(seconds=number * {"m": 60.0, "h": 3600.0}[found[2]])
