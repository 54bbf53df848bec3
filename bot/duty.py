"""Who is on duty: turns that go round among a project's Support Devs, days off, and what people arranged. Pure.

A day of duty begins at the hand-over, in the project's own zone, and ends at the next one. Turns change on working days
alone: whoever has the last one keeps it over the days off that follow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from bot.cron import DAYS, weekdays
from bot.periods import written_day

FIRST_MONDAY = date(2026, 1, 5)
"""When the first Support Dev's first turn begins, unless the configuration says otherwise."""

AHEAD = 400
"""Days in which somebody else is looked for who is on duty next."""

BACK = 60
"""Days in which the beginning of a stint is looked for."""

_DAY = timedelta(days=1)
_MONDAY_FIRST = (*DAYS[1:], DAYS[0])


@dataclass(frozen=True, slots=True)
class Window:
    """A half-day on which everyone is on duty: on these weekdays (0 is Monday), or on one date."""

    start: time
    end: time
    days: frozenset[int] = frozenset()
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What people arranged for the days from `first` to `last`: `person` has the duty, or is away."""

    person: str
    first: date
    last: date
    away: bool = False


@dataclass(frozen=True, slots=True)
class Stint:
    """The time for which one person is on duty without a break; None where no end of it is in sight."""

    person: str
    since: datetime | None
    until: datetime | None
    then: str = ""  # who follows


@dataclass(frozen=True, kw_only=True)
class Rota:
    """Whose turn it is by the configuration. `people` are in the order of their turns, at least one."""

    people: tuple[str, ...]
    every: str = "none"  # none | daily | weekly
    starts: date = FIRST_MONDAY
    handover: time = time(9)
    zone: ZoneInfo
    days: frozenset[int] = frozenset(range(5))
    holidays: frozenset[date] = frozenset()
    everyone: tuple[Window, ...] = ()

    def working(self, day: date) -> bool:
        return day.weekday() in self.days and day not in self.holidays

    def turn(self, day: date) -> int:
        """The number of the turn that holds this day, from 0; before the first, it is the first's."""
        if self.every == "none" or day < self.starts:
            return 0
        past = (day - self.starts).days + 1
        if self.every == "daily":
            weeks, rest = divmod(past, 7)
            begun = sum((self.starts + index * _DAY).weekday() in self.days for index in range(rest))
            off = sum(self.starts <= one <= day for one in self._worked)
            return max(0, weeks * len(self.days) + begun - off - 1)
        block = (past - 1) // 7
        begun = any(self.working(self.starts + index * _DAY) for index in range(block * 7, past))
        return max(0, block + begun - sum(idle < block for idle in self._idle) - 1)

    def person(self, day: date) -> str:
        return self.people[self.turn(day) % len(self.people)]

    def span(self, day: date) -> tuple[date, date]:
        """The first and the last day of the turn that holds this day; without turns, the day alone."""
        if self.every == "none":
            return day, day
        number, first, last = self.turn(day), day, day
        while day - first < BACK * _DAY and self.turn(first - _DAY) == number and first > self.starts:
            first -= _DAY
        while last - day < BACK * _DAY and self.turn(last + _DAY) == number:
            last += _DAY
        return first, last

    @cached_property
    def _worked(self) -> list[date]:
        """The holidays on which people would work otherwise."""
        return [day for day in self.holidays if day.weekday() in self.days]

    @cached_property
    def _idle(self) -> list[int]:
        """The weeks since the start in which nobody works: they are nobody's turn."""
        weeks = [(day - self.starts).days // 7 for day in self._worked if day >= self.starts]
        return [week for week in set(weeks) if weeks.count(week) == len(self.days)]


@dataclass(frozen=True)
class Plan:
    """A rota with what people arranged, oldest first: what was said later counts."""

    rota: Rota
    changes: tuple[Change, ...] = ()
    half_days: tuple[Window, ...] = field(default=())

    def begins(self, day: date) -> datetime:
        """When the duty of this day begins, in UTC. A time that comes twice means the first, one that is left out the
        same span after the jump."""
        return datetime.combine(day, self.rota.handover, self.rota.zone).astimezone(UTC)

    def day(self, at: datetime) -> date:
        """The day of duty that a moment belongs to."""
        day = at.astimezone(self.rota.zone).date()
        while self.begins(day) > at:
            day -= _DAY
        return day

    def person(self, day: date) -> str:
        """Who is on duty on this day. Of somebody who is away, the next one who is not; if all are, it stays."""
        holder, away = self.rota.person(day), set()
        for change in self.changes:
            if change.first <= day <= change.last and change.person in self.rota.people:
                if change.away:
                    away.add(change.person)
                else:
                    holder = change.person
                    away.discard(holder)
        place, people = self.rota.people.index(holder), self.rota.people
        return next((one for one in (*people[place:], *people[:place]) if one not in away), holder)

    def on_duty(self, at: datetime) -> str:
        return self.person(self.day(at))

    def stint(self, at: datetime) -> Stint:
        """Who is on duty at a moment, since when, until when, and who then."""
        today = self.day(at)
        person = self.person(today)
        ahead = next((day for day in _days(today, AHEAD) if self.person(day) != person), None)
        back = next((day for day in _days(today, -BACK) if self.person(day) != person), None)
        return Stint(
            person,
            self.begins(back + _DAY) if back else None,
            self.begins(ahead) if ahead else None,
            self.person(ahead) if ahead else "",
        )

    def together(self, after: datetime, days: int) -> list[tuple[datetime, datetime]]:
        """The half-days on which everyone is on duty that are not over at that moment, in order, in UTC."""
        first = after.astimezone(self.rota.zone).date()
        spans = [span for day in (first, *_days(first, days)) for span in self._spans(day)]
        return [(start, end) for start, end in spans if end > after]

    def half_day(self, at: datetime) -> tuple[datetime, datetime] | None:
        """The half-day that a moment is in."""
        return next(((start, end) for start, end in self.together(at, 0) if start <= at), None)

    def _spans(self, day: date) -> list[tuple[datetime, datetime]]:
        usual = [one for one in self.rota.everyone if day.weekday() in one.days and day not in self.rota.holidays]
        dated = [one for one in (*self.rota.everyone, *self.half_days) if one.on == day]
        found: list[tuple[datetime, datetime]] = []
        for start, end in sorted((one.start, one.end) for one in (*usual, *dated)):
            begin, finish = (datetime.combine(day, each, self.rota.zone).astimezone(UTC) for each in (start, end))
            if found and begin <= found[-1][1]:
                found[-1] = found[-1][0], max(found[-1][1], finish)
            elif begin < finish:
                found.append((begin, finish))
        return found


@dataclass(frozen=True, slots=True)
class Shift:
    """From `first` to `last` somebody else is on duty than before."""

    first: date
    last: date
    before: str
    after: str


def shifts(before: Plan, after: Plan, first: date, last: date) -> list[Shift]:
    """What a new arrangement changes between two days, day after day of the same joined."""
    found: list[Shift] = []
    for day in (first, *_days(first, (last - first).days)):
        old, new = before.person(day), after.person(day)
        if old == new:
            continue
        if found and (found[-1].last + _DAY, found[-1].before, found[-1].after) == (day, old, new):
            found[-1] = Shift(found[-1].first, day, old, new)
        else:
            found.append(Shift(day, day, old, new))
    return found


def _days(day: date, count: int) -> Iterator[date]:
    """The days after this one, or before it where `count` is negative."""
    step = _DAY if count > 0 else -_DAY
    return (day + step * index for index in range(1, abs(count) + 1))


# --- as people write it -----------------------------------------------------------------------------------------------


def days(text: str) -> frozenset[int]:
    """Weekdays such as `mon-fri`, 0 for Monday. Raises ValueError, with a clause."""
    return frozenset(_MONDAY_FIRST.index(day) for day in weekdays(text).split(","))


def clock(text: str) -> time:
    """A time such as `09:00`. Raises ValueError, with a clause."""
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text.strip())
    if found is None:
        raise ValueError(f"holds `{text.strip()}`, which is no time" if text.strip() else "names no time")
    return time(int(found[1]), int(found[2]))


def hours(text: str) -> tuple[time, time]:
    """A span of one day such as `14:00-18:00`. Raises ValueError, with a clause."""
    first, dash, last = text.replace("–", "-").partition("-")
    if not dash:
        raise ValueError(f"holds `{text.strip()}`, which is no hours" if text.strip() else "names no hours")
    start, end = clock(first), clock(last)
    if start >= end:
        raise ValueError("ends before it begins")
    return start, end


def window(text: str) -> Window:
    """A half-day such as `thu 14:00-18:00` or `2026-06-04 09:00-13:00`. Raises ValueError, with a clause."""
    when, _, span = text.strip().partition(" ")
    start, end = hours(span)
    if re.fullmatch(r"\d{4}-\d\d-\d\d", when):
        return Window(start, end, on=written_day(when))
    return Window(start, end, days(when))
