"""How long things take, as distributions: from the flag to the customer's own word. Pure.

A step is measured where both its ends are known, and counts in the span in which it ended. All durations are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Milestone(StrEnum):
    """What a ticket comes by on its way, in this order."""

    FLAGGED = "flagged"
    ACKNOWLEDGED = "acknowledged"  # the first time
    FIXED = "fixed"  # this and the next: the last time before the stage at which the issue is now
    SHIPPED = "shipped"
    TOLD = "told"  # the agent
    WRITTEN = "written"  # to the customer
    CONFIRMED = "confirmed"  # or denied: the customer's own word


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
    """The whole report. `steps` are flagged → acknowledged, acknowledged → fixed and so on to confirmed: always all six,
    also those with n = 0; the last one is worth showing only where it has any. `whole` are the two long ways: flagged →
    shipped and flagged → written."""

    since: datetime
    until: datetime
    steps: tuple[StepTimes, ...]
    whole: tuple[StepTimes, ...]

    @property
    def empty(self) -> bool:
        return not any(step.clock.n for step in (*self.steps, *self.whole))
