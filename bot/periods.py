"""The periods into which a span of time falls: weeks and months by a zone's clocks, or the span as a whole. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

MOST = 120
"""How many periods a span falls into at most: of a longer one, the last ones."""


class By(StrEnum):
    """How long a period is. `SPAN`: as long as the span asked for, with one more before it to compare with."""

    WEEK = "week"  # from Monday on
    MONTH = "month"
    SPAN = "span"


def edges(since: datetime, until: datetime, by: By, zone: ZoneInfo) -> tuple[datetime, ...]:
    """Where the periods between two moments begin, and after them where the last one ends; in UTC.

    The first period begins at or before `since`; the last one ends at or after `until`.
    """
    if by is By.SPAN:
        return (since - (until - since), since, until)
    first, last = _begin(since.astimezone(zone).date(), by), until
    found = list(_from(first, last, by, zone))
    return tuple(found[-MOST - 1 :])


def _begin(day: date, by: By) -> date:
    return day - timedelta(days=day.weekday()) if by is By.WEEK else day.replace(day=1)


def _from(day: date, until: datetime, by: By, zone: ZoneInfo) -> Iterator[datetime]:
    """The periods' beginnings from that day on, up to the first that is not before `until`."""
    step = timedelta(days=7 if by is By.WEEK else 31)
    while True:
        at = datetime.combine(day, time(), zone).astimezone(UTC)
        yield at
        if at >= until:
            return
        day = _begin(day + step, by)


def written_day(text: str) -> date:
    """A day written as `2026-11-01`. Raises ValueError, with a clause."""
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text.strip()):
            return date.fromisoformat(text.strip())
    except ValueError:
        pass
    raise ValueError(f"holds `{text.strip()}`, which is no day" if text.strip() else "names no day")
