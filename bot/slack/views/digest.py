"""The digest of what is unresolved. Pure.

A digest is read on a phone: few lines under each heading, and the count in the heading. What its picture shows stands
in words too. The chart's shape and limits: Slack's "Data visualization block".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from bot.model import Kind, Severity, Stage
from bot.slack.views.card import stage_words
from bot.slack.views.facts import kind_word, severity_word
from bot.slack.views.parts import (
    MESSAGE_SIZE,
    Block,
    Bold,
    IssueName,
    Piece,
    Post,
    actions,
    bullets,
    button,
    cut,
    header,
    lines,
    one_line,
    open_button,
    plain,
    post,
    size,
    small,
)
from bot.texts import Say

EVERYTHING = "-"
"""In a button, in place of a digest's name: nothing is left out."""

LATE = timedelta(minutes=15)
"""From when on a digest says that it should have been there before."""

CHART_NAME = 20  # characters of a series or a category
TITLE = 50
PROJECTS = 5  # that are named


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestLine:
    """An open issue."""

    id: str = ""
    issue: IssueName
    stage: Stage = Stage.FILED
    severity: Severity = Severity.NORMAL
    age: timedelta = timedelta()  # since the first of its customers was flagged
    customers: int = 0
    promised: date | None = None
    overdue: bool = False
    due_today: bool = False
    new: bool = False
    back: str = ""  # how it came back: reopened, taken_back, parted


@dataclass(frozen=True, slots=True)
class Gone:
    """An issue that left the list; `other` is the one that took its place."""

    issue: IssueName
    stage: Stage
    other: IssueName | None = None


@dataclass(frozen=True, slots=True)
class Owing:
    agent: str
    customers: int
    age: timedelta  # of the oldest


@dataclass(frozen=True, slots=True)
class Week:
    """How many issues came and how many were settled in the week of that Monday."""

    monday: date
    new: int
    settled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """What a digest is about; empty is everything."""

    projects: tuple[str, ...] = ()  # their names
    severities: tuple[Severity, ...] = ()
    kinds: tuple[Kind, ...] = ()
    stages: tuple[Stage, ...] = ()
    team: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What is unresolved. `named` by section: promised, new, crowded, oldest, fixed; the counts may be larger."""

    list: str = EVERYTHING  # what its button opens
    dashboard: str = ""
    narrowed: Narrowed = Narrowed()
    since: datetime
    due: datetime | None = None  # when it should have been there
    now: datetime
    open: int = 0
    customers: int = 0
    promised_count: int = 0
    overdue_count: int = 0
    came_count: int = 0  # also what left the list again
    new_count: int = 0
    again_count: int = 0
    fixed_count: int = 0
    fixed_customers: int = 0
    named: Mapping[str, tuple[DigestLine, ...]] = field(default_factory=dict)
    owed_count: int = 0
    owed: tuple[Owing, ...] = ()
    left_counts: Mapping[str, int] = field(default_factory=dict)  # shipped, declined, joined
    left: tuple[Gone, ...] = ()
    weeks: tuple[Week, ...] = ()


Rows = list[list[Piece]]


# --- what is unresolved -----------------------------------------------------------------------------------------------


def digest(say: Say, data: Digest) -> Post:
    """The scheduled summary; one line when there is nothing to do."""
    parts = _unresolved(say, data)
    opening = [*late(say, data.due, data.now), *narrowed_to(say, data.narrowed)]
    if not (data.open or data.owed_count or any(data.left_counts.values())):
        warm = say("Nothing waits today: no open escalations, and every customer has heard.")
        return post("\n".join([warm, *map(plain, opening)]), [lines([warm]), *quiet_lines(opening)])
    title = say.many("{n} open issue", "{n} open issues", data.open)
    rows: Rows = [[_since(say, data)]]
    picture = [_chart(say, data.weeks)] if _drawn(data.weeks) else []
    flow = [small(_flow(say, data.weeks))] if _drawn(data.weeks) else []
    top = [header(title), *quiet_lines(opening), lines(*rows), *picture, *flow]
    text = [title, *map(plain, opening), *map(plain, rows), *([_flow(say, data.weeks)] if flow else [])]
    return fitting(text, top, parts, onward(say, data.list, data.dashboard, data.open))


def fitting(text: list[str], top: Sequence[Block], parts: list[tuple[str, Rows]], end: Sequence[Block]) -> Post:
    """All of it, within Slack's size: where it is too much, the longest part loses its last lines."""
    text = [*text, *(line for name, rows in parts for line in (name, *("• " + plain(row) for row in rows)))]
    while True:
        blocks = [*top, *(_part(name, rows) for name, rows in parts), *end]
        longest = max((rows for _, rows in parts), key=len, default=[])
        if size(blocks) <= MESSAGE_SIZE or not longest:
            return post("\n".join(text), blocks)
        longest.pop()


def _part(name: str, rows: Rows) -> Block:
    items = bullets(rows)["elements"] if rows else []
    return {"type": "rich_text", "elements": [*lines([Bold(name)])["elements"], *items]}


def _unresolved(say: Say, data: Digest) -> list[tuple[str, Rows]]:
    """The parts with something in them: what is late, what is new, what hurts, and what is nearly done."""

    def named(section: str) -> Rows:
        return [line_of(say, line, staged=section != "fixed") for line in data.named.get(section, ())]

    found: list[tuple[str, Rows, int]] = [
        (_promised(say, data), named("promised"), data.promised_count),
        (_new(say, data), named("new"), data.new_count + data.again_count),
        (say("Most customers waiting"), named("crowded"), len(data.named.get("crowded", ()))),
        (say("Waiting longest"), named("oldest"), len(data.named.get("oldest", ()))),
        (_fixed(say, data), named("fixed"), data.fixed_count),
        (_owed(say, data), [_owing(say, one) for one in data.owed], data.owed_count),
        (_gone(say, data.left_counts), [_went(say, one) for one in data.left], sum(data.left_counts.values())),
    ]
    return [(name, rows) for name, rows, n in found if n]


def _promised(say: Say, data: Digest) -> str:
    n = say("Promised: {n}", n=say.number(data.promised_count))
    over = say.many("{n} overdue", "{n} overdue", data.overdue_count)
    return f"{n} · {over}" if data.overdue_count else n


def _new(say: Say, data: Digest) -> str:
    n = say("New: {n}", n=say.number(data.new_count))
    again = say.many("{n} came back", "{n} came back", data.again_count)
    return f"{n} · {again}" if data.again_count else n


def _fixed(say: Say, data: Digest) -> str:
    n = say("Fixed, not shipped yet: {n}", n=say.number(data.fixed_count))
    waits = say.many("{n} customer", "{n} customers", data.fixed_customers)
    return f"{n} · {waits}"


def _owed(say: Say, data: Digest) -> str:
    return say("To write back to: {n}", n=say.many("{n} customer", "{n} customers", data.owed_count))


def _gone(say: Say, numbers: Mapping[str, int]) -> str:
    """What left the list: "2 shipped, 1 declined"."""
    said = {
        "shipped": say.many("{n} shipped", "{n} shipped", numbers.get("shipped", 0)),
        "declined": say.many("{n} declined", "{n} declined", numbers.get("declined", 0)),
        "joined": say.many("{n} the same as another", "{n} the same as others", numbers.get("joined", 0)),
    }
    return say("Off the list: {what}", what=say.listed([word for name, word in said.items() if numbers.get(name)]))


def line_of(say: Say, line: DigestLine, *, staged: bool = True) -> list[Piece]:
    """An issue with what says most about it: "acme/shop#12 VAT is wrong · promised for Monday · 3 customers"."""
    facts: list[str] = []
    if line.promised is not None:
        facts.append(promise(say, line))
    if line.severity in (Severity.CRITICAL, Severity.HIGH):
        facts.append(severity_word(say, line.severity))
    if line.back:
        facts.append(back(say, line.back))
    if line.customers:
        facts.append(say.many("{n} customer", "{n} customers", line.customers))
    facts.append(say.ago(line.age))
    if staged:
        facts.append(stage_words(say, line.stage)[1])
    return [*issue_of(line.issue), f" · {' · '.join(facts)}"]


def back(say: Say, how: str) -> str:
    """How an issue came back."""
    return say("no longer live") if how == "taken_back" else say("opened again")


def promise(say: Say, line: DigestLine) -> str:
    if line.promised is None:
        return ""
    if line.due_today:
        return say("promised for today")
    day = say.short_day(line.promised)
    return say("overdue: promised for {day}", day=day) if line.overdue else say("promised for {day}", day=day)


def issue_of(issue: IssueName) -> list[Piece]:
    return [issue.link, f" {one_line(issue.title, TITLE)}" if issue.label else ""]


def _owing(say: Say, one: Owing) -> list[Piece]:
    who, n = one_line(one.agent, 60), say.number(one.customers)
    return [say("{name}: {n}, the first for {duration}", name=who, n=n, duration=say.ago(one.age))]


def _went(say: Say, one: Gone) -> list[Piece]:
    if one.other is not None:
        return [*issue_of(one.issue), " · ", *say.pieces("the same as {issue}", issue=one.other.link)]
    return [*issue_of(one.issue), f" · {stage_words(say, one.stage)[1]}"]


# --- what stands around -----------------------------------------------------------------------------------------------


def late(say: Say, due: datetime | None, now: datetime) -> Rows:
    if due is None or now - due < LATE:
        return []
    return [[say("It was due at {time}, and could not be posted then.", time=say.clock(due))]]


def narrowed_to(say: Say, narrowed: Narrowed) -> Rows:
    """What the digest is about, where that is not everything."""
    said = [one_line(name, 60) for name in narrowed.projects[:PROJECTS]]
    if (left := len(narrowed.projects) - PROJECTS) > 0:
        said.append(say.many("{n} other", "{n} others", left))
    said += [kind_word(say, kind) for kind in narrowed.kinds]
    said += [severity_word(say, severity) for severity in narrowed.severities]
    said += [stage_words(say, stage)[1] for stage in narrowed.stages]
    if narrowed.team:
        said.append(say("one team’s tickets"))
    return [[say("Only: {what}", what=" · ".join(said))]] if said else []


def quiet_lines(rows: Rows) -> list[Block]:
    return [small(plain(row)) for row in rows]


def _since(say: Say, data: Digest) -> str:
    waits = say.many("{n} customer waits.", "{n} customers wait.", data.customers)
    went, at = sum(data.left_counts.values()), moment(say, data.since, data.now)
    said = [say.many("{n} issue came", "{n} issues came", data.came_count)]
    said += [say.many("{n} came back", "{n} came back", data.again_count)] if data.again_count else []
    said.append(say.many("{n} left the list", "{n} left the list", went))
    change = say("Since {moment}, {what}.", moment=at, what=say.listed(said))
    if not (data.came_count or data.again_count or went):
        change = say("Nothing came and nothing left since {moment}.", moment=at)
    return f"{waits} {change}"


def moment(say: Say, at: datetime, now: datetime) -> str:
    """A moment of the last days by its weekday, an earlier one by its date."""
    return say.lately(at) if now - at < timedelta(days=6) else say.on(at)


def onward(say: Say, name: str, dashboard: str, open_issues: int) -> list[Block]:
    buttons = [button(say("The whole list"), "digest_list", name)] if open_issues else []
    if dashboard:
        buttons.append(open_button(say("Open the dashboard"), dashboard))
    return [actions(*buttons)] if buttons else []


def _drawn(weeks: Sequence[Week]) -> bool:
    return len(weeks) > 1


def _flow(say: Say, weeks: Sequence[Week]) -> str:
    """The picture in words."""
    said = [
        say(
            "{day}: {new}/{settled}",
            day=say.short_date(one.monday),
            new=say.number(one.new),
            settled=say.number(one.settled),
        )
        for one in weeks
    ]
    return say("New/settled by week: {weeks}", weeks=" · ".join(said))


def _chart(say: Say, weeks: Sequence[Week]) -> Block:
    """How many issues came and how many were settled: two bars for each week."""
    names = [cut(say.short_date(one.monday), CHART_NAME) for one in weeks]
    series = [
        (cut(say("New"), CHART_NAME), [one.new for one in weeks]),
        (cut(say("Settled"), CHART_NAME), [one.settled for one in weeks]),
    ]
    return {
        "type": "data_visualization",
        "title": cut(say("New and settled issues by week"), 50),
        "chart": {
            "type": "bar",
            "series": [
                {"name": name, "data": [{"label": one, "value": n} for one, n in zip(names, values, strict=True)]}
                for name, values in series
            ],
            "axis_config": {"categories": names},
        },
    }
