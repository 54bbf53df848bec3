"""When a digest is due: five cron fields, read as cron reads them, as an APScheduler trigger."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


def trigger(cron: str, timezone: str) -> CronTrigger:
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
    try:
        zone = ZoneInfo(timezone)
    except (KeyError, ValueError, OSError):
        raise ValueError("has a timezone that does not exist") from None
    weekdays = _weekdays(weekday)
    try:
        return CronTrigger(minute=minute, hour=hour, day=day, month=month, day_of_week=weekdays, timezone=zone)
    except (ValueError, AttributeError):  # AttributeError: APScheduler's own for some malformed fields
        raise ValueError("has a minute, hour, day or month that is none") from None


def _weekdays(field: str) -> str:
    if field == "*":
        return field
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
    return ",".join(_DAYS[each] for each in sorted(days))


def _weekday(text: str) -> int:
    if text in _DAYS:
        return _DAYS.index(text)
    if text.isdigit() and int(text) <= 7:
        return int(text)
    raise ValueError(f"has a weekday that is neither a name such as mon nor a number from 0 to 7: {text or 'nothing'}")
