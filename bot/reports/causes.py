"""Bugs as causes to remove: which areas bring most tickets, what is planned, what came back, what was removed. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.model import Kind, Severity, Stage


class Dimension(StrEnum):
    """By what issues are put together to an area."""

    PROJECT = "project"
    COMPONENT = "component"
    LABEL = "label"


@dataclass(frozen=True, slots=True)
class Period:
    """A week, a month or another span. `whole` is False for the one that still runs: it is compared with nothing."""

    begins: datetime  # UTC
    ends: datetime  # UTC, exclusive
    whole: bool


@dataclass(frozen=True, slots=True)
class CauseIssue:
    """An issue as a line of the report; `number` is None, and `url` "", until the tracker has it."""

    id: str
    project: str  # its key
    title: str
    repository: str
    number: int | None
    url: str
    stage: Stage
    kind: Kind
    severity: Severity
    customers: int  # tickets on it: of an open issue those who wait, of a shipped one those whom it had hurt


@dataclass(frozen=True, slots=True)
class Quote:
    """A short excerpt of what a customer wrote, without personal data and the names of the issue's customers. For
    people who are signed in and for Slack; never for a public place."""

    words: str  # one line, at most `QUOTED` characters
    language: str  # BCP 47, "" when unknown
    issue_id: str


@dataclass(frozen=True, slots=True)
class Area:
    """What belongs together, and what it brings. An issue with two labels stands in two areas."""

    dimension: Dimension
    name: str  # a project's key, a label as written, or a component without its prefix
    tickets: tuple[int, ...]  # escalations flagged in each of `Causes.periods`
    now: int  # flagged in the last whole period
    before: int  # and in the one before it
    compared: bool  # False: there are no two whole periods, so `now` and `before` say nothing about a trend
    waiting: int  # customers who wait now, whenever they were flagged
    open_issues: int  # issues for which they wait
    plan: tuple[CauseIssue, ...]  # of those, most customers first, at most `PLANNED`
    quote: Quote | None  # of the first issue of the plan of which words are known

    @property
    def total(self) -> int:
        """Escalations flagged in all of the periods."""
        return sum(self.tickets)


@dataclass(frozen=True, slots=True)
class Offender:
    """An issue that came back: how often within the span that was asked for."""

    issue: CauseIssue
    reopened: int  # opened again in the tracker
    rolled_back: int  # its fix was out, and is not any more
    still_broken: int  # customers who said so after they were written to
    last_at: datetime

    @property
    def times(self) -> int:
        return self.reopened + self.rolled_back + self.still_broken


@dataclass(frozen=True, slots=True)
class Removed:
    """An issue that shipped within the span, and is shipped now."""

    issue: CauseIssue
    at: datetime


@dataclass(frozen=True, slots=True)
class Causes:
    """The whole report. Areas: of bugs alone, unless another kind was asked for; most tickets first, then most who
    wait; at most `AREAS` of each dimension, and `more` says how many were left out."""

    since: datetime  # what was asked for; the first period may begin before it
    until: datetime
    periods: tuple[Period, ...]  # oldest first
    bugs: tuple[int, ...]  # escalations flagged in each period, of kind bug
    tooling: Area  # all requests for support's own tooling, under the name ""
    projects: tuple[Area, ...]
    components: tuple[Area, ...]
    labels: tuple[Area, ...]  # without those of components, and those that Passerelle itself puts on every issue
    more: dict[Dimension, int]
    offenders: tuple[Offender, ...]  # most often first, at most `LISTED`
    offenders_count: int
    removed: tuple[Removed, ...]  # most customers first, at most `LISTED`
    removed_count: int  # issues
    removed_customers: int

    @property
    def empty(self) -> bool:
        """Whether there is nothing to tell: nobody waits, and nothing came, came back or went."""
        flagged = sum(self.bugs) + self.tooling.total
        waiting = self.tooling.waiting + sum(area.waiting for area in self.projects)
        return not (flagged or waiting or self.offenders_count or self.removed_count)


AREAS = 12
PLANNED = 5
LISTED = 10
QUOTED = 200
