"""When a digest is due: five cron fields, read as cron reads them, as an APScheduler trigger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

_INSTANT = timedelta(microseconds=1)
_LONGEST_SHIFT = timedelta(hours=3)  # no zone moves its clocks by more
_A_LEAP_YEAR = datetime(2024, 1, 1, tzinfo=UTC)

DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


class WallClock(CronTrigger):  # type: ignore[misc]  # APScheduler is untyped
    """Fires when the clocks of `zone` show a matching time, each shown time once: the second 02:30 of the night when
    they go back is none; a 02:30 that they leave out comes when it would have come by the clock of before, at 03:30.

    APScheduler's own trigger, which counts in the zone itself, fires for ever at the hour that comes twice.
    """

    __slots__ = ("_zone",)

    def __init__(self, zone: ZoneInfo, **fields: Any) -> None:
        super().__init__(timezone=UTC, **fields)
        self._zone = zone

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """The first time after `previous_fire_time`, or else at or after `now`; in the zone."""
        after = previous_fire_time.astimezone(UTC) + _INSTANT if previous_fire_time else now.astimezone(UTC)
        # Right after a jump forward, what was left out is still to come by the clock of before.
        wall = min(self._shown(after), self._shown(after - _LONGEST_SHIFT) + _LONGEST_SHIFT)
        while (found := super().get_next_fire_time(None, wall)) is not None:
            at: datetime = found.replace(tzinfo=self._zone, fold=0).astimezone(UTC)
            if at >= after:
                return at.astimezone(self._zone)
            wall = found + _INSTANT
        return None

    def _shown(self, at: datetime) -> datetime:
        """What the clocks show at that moment, written as if it were UTC, where every time comes once."""
        return at.astimezone(self._zone).replace(tzinfo=UTC, fold=0)


def trigger(cron: str, timezone: str) -> WallClock:
    """The trigger for `minute hour day month weekday` in `timezone` (an IANA name).

    Weekdays are names or cron's numbers, where 0 and 7 are Sunday (APScheduler itself counts from Monday: its user
    guide, "cron trigger"). Raises ValueError, with a sentence, for what cannot be read.
    """
    fields = cron.split()
    if len(fields) != 5:
        raise ValueError("has to hold five fields: minute, hour, day, month, weekday")
    minute, hour, day, month, weekday = fields
    if "*" not in (day, weekday):
        # cron would take either, APScheduler both
        raise ValueError("names a day of the month and a weekday; one of the two has to be *")
    named = weekday if weekday == "*" else weekdays(weekday)
    try:
        found = WallClock(ZoneInfo(timezone), minute=minute, hour=hour, day=day, month=month, day_of_week=named)
    except (ValueError, AttributeError):  # AttributeError: APScheduler's own for some malformed fields
        raise ValueError("has a minute, hour, day or month that is none") from None
    if found.get_next_fire_time(None, _A_LEAP_YEAR) is None:
        raise ValueError("names a day that never comes")
    return found


def written(cron: str) -> str:
    """`cron`, if it can be read. Raises ValueError, with a sentence."""
    trigger(cron, "UTC")
    return cron


def weekdays(field: str) -> str:
    """The weekdays of a cron field by their names, such as "mon,tue". Raises ValueError, with a sentence."""
    days: set[int] = set()
    for item in field.lower().split(","):
        span, _, step = item.partition("/")
        first, dash, last = ("0", "-", "6") if span == "*" else span.partition("-")
        begin, end = _weekday(first), _weekday(last) if dash else _weekday(first)
        length = end - begin if end >= begin else end - begin + 7
        stride = int(step) if step.isdigit() else 0 if step else 1
        if stride < 1:
            raise ValueError(f"has a step after / that is no number above 0: {item}")
        days.update((begin + offset) % 7 for offset in range(0, length + 1, stride))
    return ",".join(DAYS[each] for each in sorted(days))


def _weekday(text: str) -> int:
    if text in DAYS:
        return DAYS.index(text)
    if text.isdigit() and int(text) <= 7:
        return int(text)
    raise ValueError(f"has a weekday that is neither a name such as mon nor a number from 0 to 7: {text or 'nothing'}")
