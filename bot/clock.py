"""Time as the house tells it: one object that tests can hold still."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """The time, as an aware UTC datetime."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FakeClock(Clock):
    """A clock that stands still until it is told to move."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        self._now += by
