"""Bugs as causes to remove: which areas bring most tickets, what is planned, what came back, what was removed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from bot import privacy
from bot.areas import Dimension as Dimension
from bot.store.causes import (
    AREAS as AREAS,
    LISTED as LISTED,
    PLANNED as PLANNED,
    AreaRow,
    CauseIssue as CauseIssue,
    CauseRows,
    WordsRow,
)


@dataclass(frozen=True, slots=True)
class Period:
    """A week, a month or another span. `whole` is False for the one that still runs: it is compared with nothing."""

    begins: datetime  # UTC
    ends: datetime  # UTC, exclusive
    whole: bool


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
    bugs_waiting: int  # customers who wait for one now
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
        waiting = self.tooling.waiting + self.bugs_waiting
        return not (flagged or waiting or self.offenders_count or self.removed_count)


QUOTED = 200
"""Characters of a customer's own words."""


def causes(rows: CauseRows) -> Causes:
    """The report over what `bot.store.causes.load` gave."""
    periods = _periods(rows)
    quotes = _quotes(rows)
    made = [_area(rows, area, periods, quotes) for area in rows.areas]
    of = {dimension: tuple(one for one in made if one.dimension is dimension) for dimension in Dimension}
    return Causes(
        since=rows.since,
        until=rows.until,
        periods=periods,
        bugs=tuple(rows.bugs.tickets),
        bugs_waiting=rows.bugs.waiting,
        tooling=_area(rows, rows.tooling, periods, quotes),
        projects=of[Dimension.PROJECT],
        components=of[Dimension.COMPONENT],
        labels=of[Dimension.LABEL],
        more=dict(rows.more),
        offenders=tuple(
            Offender(
                issue=rows.issues[one.issue],
                reopened=one.times.get("reopened", 0),
                rolled_back=one.times.get("taken_back", 0),
                still_broken=one.times.get("still_broken", 0),
                last_at=one.last_at,
            )
            for one in rows.offenders
        ),
        offenders_count=rows.offenders_count,
        removed=tuple(Removed(rows.issues[issue], at) for issue, at in rows.removed),
        removed_count=rows.removed_count,
        removed_customers=rows.removed_customers,
    )


def _periods(rows: CauseRows) -> tuple[Period, ...]:
    pairs = pairwise(rows.edges)
    return tuple(Period(begins, ends, ends <= rows.until) for begins, ends in pairs)


def _quotes(rows: CauseRows) -> dict[str, Quote]:
    """What is quoted of each issue that is the first of an area's plan of which words are known."""
    plans = [[issue for issue in area.plan if issue in rows.words] for area in (*rows.areas, rows.tooling)]
    made = {issue: _quote(issue, rows.words[issue]) for issue in dict.fromkeys(plan[0] for plan in plans if plan)}
    return {issue: quote for issue, quote in made.items() if quote.words}


def _area(rows: CauseRows, area: AreaRow, periods: tuple[Period, ...], quotes: Mapping[str, Quote]) -> Area:
    whole = [number for number, period in zip(area.tickets, periods, strict=True) if period.whole]
    return Area(
        dimension=area.named.dimension,
        name=area.named.name,
        tickets=tuple(area.tickets),
        now=whole[-1] if whole else 0,
        before=whole[-2] if len(whole) > 1 else 0,
        compared=len(whole) > 1,
        waiting=area.waiting,
        open_issues=area.open_issues,
        plan=tuple(rows.issues[issue] for issue in area.plan),
        quote=next((quotes[issue] for issue in area.plan if issue in quotes), None),
    )


def _quote(issue: str, said: WordsRow) -> Quote:
    """An excerpt that names nobody. It is cut after the redaction: half an address is none that is found."""
    return Quote(privacy.excerpt(privacy.redact(said.words, said.names).text, QUOTED), said.language, issue)
