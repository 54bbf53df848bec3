"""The digest of causes: which areas hurt customers most, what is planned, what came back, what was removed. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.model import Kind
from bot.slack.views.digest import Narrowed, Rows, fitting, issue_of, late, moment, narrowed_to, quiet_lines
from bot.slack.views.parts import IssueName, Piece, Post, actions, header, lines, one_line, open_button, plain, post
from bot.texts import Say

NAME = 60
"""Characters of an area's name."""


@dataclass(frozen=True, slots=True)
class CauseLine:
    issue: IssueName
    customers: int


@dataclass(frozen=True, slots=True)
class AreaLine:
    """What belongs together. `name` "": everything."""

    name: str
    tickets: int  # since the last digest
    before: int  # in as much time before
    waiting: int
    plan: tuple[CauseLine, ...] = ()
    planned: int = 0  # open issues, of which `plan` are some
    quote: str = ""  # a customer's own words, that name nobody


@dataclass(frozen=True, slots=True)
class OffenderLine:
    issue: IssueName
    reopened: int
    rolled_back: int
    still_broken: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CausesDigest:
    """All of it; lists best first, and the counts may be larger than they are."""

    dashboard: str = ""
    narrowed: Narrowed
    since: datetime
    due: datetime | None = None
    now: datetime
    bugs: AreaLine
    tooling: AreaLine
    areas: tuple[AreaLine, ...] = ()
    offenders: tuple[OffenderLine, ...] = ()
    offenders_count: int = 0
    removed: tuple[CauseLine, ...] = ()
    removed_count: int = 0
    removed_customers: int = 0

    @property
    def empty(self) -> bool:
        counts = (self.bugs, self.tooling)
        came = any(one.tickets or one.waiting for one in counts)
        return not (came or self.offenders_count or self.removed_count)


def causes(say: Say, data: CausesDigest) -> Post:
    """The summary for the lead; one line where there is nothing to remove."""
    at = moment(say, data.since, data.now)
    opening = [*late(say, data.due, data.now), *narrowed_to(say, data.narrowed)]
    if data.empty:
        warm = say("A calm time: since {moment} no bug brought a ticket, and nobody waits for one.", moment=at)
        return post("\n".join([warm, *map(plain, opening)]), [lines([warm]), *quiet_lines(opening)])
    title = say("What hurts customers most")
    kinds = data.narrowed.kinds
    rows: Rows = [[_bugs(say, data.bugs, at)]] if not kinds or Kind.BUG in kinds else []
    parts = [(_heading(say, area), _inside(say, area)) for area in data.areas]
    if data.tooling.tickets or data.tooling.waiting:
        parts.append((_heading(say, data.tooling), _inside(say, data.tooling)))
    if data.offenders_count:
        name = say.many("Came back: {n} issue", "Came back: {n} issues", data.offenders_count)
        parts.append((name, [_came_back(say, one) for one in data.offenders]))
    if data.removed_count:
        parts.append((_removed(say, data), [_planned(say, one) for one in data.removed]))
    top = [header(title), *quiet_lines(opening), lines(*rows)]
    end = [actions(open_button(say("Open the dashboard"), data.dashboard))] if data.dashboard else []
    return fitting([title, *map(plain, opening), *map(plain, rows)], top, parts, end)


def _bugs(say: Say, bugs: AreaLine, at: str) -> str:
    came = say.many("Bugs brought {n} ticket", "Bugs brought {n} tickets", bugs.tickets)
    change = say("{came} since {moment}: {trend}.", came=came, moment=at, trend=_trend(say, bugs))
    return f"{change} {say.many('{n} customer waits.', '{n} customers wait.', bugs.waiting)}"


def _trend(say: Say, area: AreaLine) -> str:
    """Against as much time before."""
    more = area.tickets - area.before
    if more > 0:
        return say.many("{n} more than before", "{n} more than before", more)
    if more < 0:
        return say.many("{n} fewer than before", "{n} fewer than before", -more)
    return say("as many as before")


def _heading(say: Say, area: AreaLine) -> str:
    tickets = say.many("{n} ticket", "{n} tickets", area.tickets)
    waits = say.many("{n} customer waits", "{n} customers wait", area.waiting)
    name = one_line(area.name, NAME) or say("Tooling for support")
    return say("{area}: {tickets}, {trend} · {waits}", area=name, tickets=tickets, trend=_trend(say, area), waits=waits)


def _inside(say: Say, area: AreaLine) -> Rows:
    """What a customer said, and the issues that remove the cause."""
    said: Rows = [[say("“{words}”", words=one_line(area.quote, 220))]] if area.quote else []
    rows = [*said, *(_planned(say, one) for one in area.plan)]
    left = area.planned - len(area.plan)
    return [*rows, [say.many("and {n} more issue", "and {n} more issues", left)]] if left > 0 else rows


def _planned(say: Say, one: CauseLine) -> list[Piece]:
    return [*issue_of(one.issue), f" · {say.many('{n} customer', '{n} customers', one.customers)}"]


def _came_back(say: Say, one: OffenderLine) -> list[Piece]:
    said = (
        say.many("opened again {n} time", "opened again {n} times", one.reopened) if one.reopened else "",
        say.many("rolled back {n} time", "rolled back {n} times", one.rolled_back) if one.rolled_back else "",
        say.many("still broken for {n} customer", "still broken for {n} customers", one.still_broken)
        if one.still_broken
        else "",
    )
    return [*issue_of(one.issue), f" · {', '.join(filter(None, said))}"]


def _removed(say: Say, data: CausesDigest) -> str:
    issues = say.many("Removed: {n} issue", "Removed: {n} issues", data.removed_count)
    hurt = say.many("{n} customer was hurt by it", "{n} customers were hurt by it", data.removed_customers)
    return f"{issues} · {hurt}"
