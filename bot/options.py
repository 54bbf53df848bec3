"""The small types of the configuration: what a value may look like, and the sentence for one that does not. Pure.

Durations are seconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, time
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field

from bot import cron, duty, hours, periods
from bot.reading import wrong


def _shape(pattern: str, problem: str, mend: str) -> AfterValidator:
    def hold(value: str) -> str:
        if re.fullmatch(pattern, value) is None:
            raise wrong(problem, mend)
        return value

    return AfterValidator(hold)


_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def _seconds(value: Any) -> float:
    if isinstance(value, float):
        return value
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)", value.strip()) if isinstance(value, str) else None
    if found is None or float(found[1]) == 0:
        raise wrong("is not a duration", "Write a number and its unit: 250ms, 10s, 5m, 4h or 30d.")
    return float(found[1]) * _UNITS[found[2]]


def web_address(value: str) -> str:
    """`value` without a slash at its end, if it is https, or http on this machine alone; else what is wrong."""
    parts = urlsplit(value)
    loopback = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and loopback)):
        raise wrong("is not a safe address", "Write the whole address, starting with https://.")
    return value.rstrip("/")


_T = TypeVar("_T")


def _read(parse: Callable[[str], _T], mend: str) -> BeforeValidator:
    """What `parse` makes of the text; its ValueError, a clause, becomes a finding."""

    def hold(value: Any) -> Any:
        if isinstance(value, int | float):  # YAML reads 10:30 as a number
            raise wrong("is read as a number", mend)
        try:
            return parse(value) if isinstance(value, str) else value
        except ValueError as error:
            raise wrong(str(error), mend) from None

    return BeforeValidator(hold)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"holds `{name}`, a time zone that does not exist") from None


Duration = Annotated[float, BeforeValidator(_seconds)]
_IANA = "Write an IANA name, such as Europe/Paris."
Zone = Annotated[ZoneInfo, _read(_zone, _IANA)]
ZoneName = Annotated[str, _read(lambda name: _zone(name).key, _IANA)]
Clock = Annotated[time, _read(duty.clock, 'Write hours and minutes between quotes, such as "09:00".')]
Day = Annotated[date, _read(periods.written_day, "Write a day as 2026-11-01.")]
Weekdays = Annotated[frozenset[int], _read(duty.days, "Write days such as mon-fri, or mon,wed,fri.")]
WorkingHours = Annotated[
    tuple[frozenset[int], time, time], _read(hours.working, 'Write days and hours: "mon-fri 09:00-18:00".')
]
WorkingTime = Annotated[
    hours.Span, _read(hours.span, "Write a number and its unit: 30m, 4h, or 2d, which are two working days.")
]
HalfDay = Annotated[
    duty.Window,
    _read(duty.window, 'Write a weekday or a date, and hours: "thu 14:00-18:00" or "2026-06-04 09:00-13:00".'),
]
Cron = Annotated[
    str, _read(cron.written, 'Write minute, hour, day, month and weekday, between quotes: "0 9 * * mon-fri".')
]
Address = Annotated[str, AfterValidator(web_address)]
_COPY = "Copy it from Slack: open its details; the id stands at the very end."
Channel = Annotated[str, _shape(r"[CG][A-Z0-9]{2,}", "is not a Slack channel's id (they start with C or G)", _COPY)]
Person = Annotated[
    str,
    _shape(
        r"[UW][A-Z0-9]{2,}",
        "is not a Slack member's id (they start with U or W)",
        "Copy it from Slack: open the profile, ⋮, Copy member ID.",
    ),
]
Agents = Annotated[
    str,
    _shape(
        r"[SCGUW][A-Z0-9]{2,}",
        "is not the id of a user group (S…), a channel (C…) or a member (U…)",
        "Copy the id from Slack; names and @handles do not work here.",
    ),
]
Group = Annotated[
    str,
    _shape(
        r"S[A-Z0-9]{2,}",
        "is not a user group's id (they start with S)",
        "Copy it from Slack: People, User groups, ⋮, Copy group ID.",
    ),
]
Name = Annotated[
    str,
    _shape(
        r"[a-z0-9][a-z0-9_-]{0,39}",
        "is not a short name",
        "Use at most 40 small letters, digits, - and _; it becomes part of addresses.",
    ),
]
Repo = Annotated[
    str,
    _shape(
        r"[^/\s:]+(/[^/\s:]+)+", "is not a repository's name", "Write owner/name, without https:// and without .git."
    ),
]
Login = Annotated[str, _shape(r"[^@\s]+", "is not a login", "Write the login alone, without @.")]
Emoji = Annotated[
    str, _shape(r"[a-z0-9_+'-]{1,100}", "is not an emoji's name", "Write its name alone, without colons: bug")
]
Label = Annotated[str, Field(min_length=1, max_length=50)]
Environment = Annotated[str, Field(min_length=1, max_length=255)]


def several(value: Any) -> Any:
    """One name, or a list of them."""
    return (value,) if isinstance(value, str) else value


def distinct(field: str) -> AfterValidator:
    """No two of the items have the same `field`; "": no two are the same."""

    def hold(items: tuple[Any, ...]) -> tuple[Any, ...]:
        names = [getattr(item, field) if field else item for item in items]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise wrong(f"holds {f'the {field} ' if field else ''}`{twice[0]}` twice", "Give each one of its own.")
        return items

    return AfterValidator(hold)
