"""What a digest names, and where: an issue stands where it matters most, and nowhere else. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

SHOWN = 3
"""How many issues a digest names under each heading."""

WEEKS = 6
"""How many weeks the picture shows, this one included."""


def placed(sections: Mapping[str, Callable[[int], Sequence[str]]], most: int = SHOWN) -> dict[str, list[str]]:
    """The ids that each section names, in the order of the sections: none twice. A section gives its first ids, as
    many as it is asked for."""
    found: dict[str, list[str]] = {}
    named: set[str] = set()
    for name, first in sections.items():
        found[name] = [one for one in first(most + len(named)) if one not in named][:most]
        named.update(found[name])
    return found


def weeks(now: datetime, zone: ZoneInfo, many: int = WEEKS) -> list[datetime]:
    """When each of the last weeks began by the clocks of `zone`, on its Monday; the last is this week. In UTC."""
    monday = now.astimezone(zone).date() - timedelta(days=now.astimezone(zone).weekday())
    days = [monday - timedelta(weeks=back) for back in reversed(range(many))]
    return [datetime.combine(day, time(), zone).astimezone(UTC) for day in days]
