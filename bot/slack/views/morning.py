"""A Support Dev's morning, and the whole list behind a digest. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.model import Severity, Stage
from bot.slack.views.card import stage_words
from bot.slack.views.digest import (
    EVERYTHING,
    DigestLine,
    Narrowed,
    Rows,
    back,
    fitting,
    issue_of,
    late,
    line_of,
    moment,
    narrowed_to,
    onward,
    promise,
    quiet_lines,
)
from bot.slack.views.facts import severity_word
from bot.slack.views.modal import View, modal
from bot.slack.views.parts import (
    Block,
    Bold,
    IssueName,
    Piece,
    Post,
    actions,
    bullets,
    button,
    header,
    lines,
    one_line,
    one_row,
    plain,
    post,
    small,
)
from bot.texts import Say

ROWS = 20
"""How many issues a page of the whole list has."""

NAMED = 3
"""How many agents are named who were asked the same."""


@dataclass(frozen=True, slots=True)
class Queued:
    """An issue of the queue, and what happened to it since the last time: answered, or how it came back."""

    line: DigestLine
    what: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A question that nobody answered yet."""

    issue: IssueName
    agents: tuple[str, ...]
    age: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A Support Dev's morning."""

    list: str = EVERYTHING
    dashboard: str = ""
    narrowed: Narrowed = field(default_factory=Narrowed)
    since: datetime
    due: datetime | None = None
    now: datetime
    own: bool = True  # the reader's; else everybody's
    open: int = 0
    customers: int = 0
    new: int = 0
    answered: int = 0
    again: int = 0
    gone: Mapping[str, int] = field(default_factory=dict)
    first: tuple[Queued, ...] = ()
    beside: tuple[Queued, ...] = ()  # not among the first, but something happened to them or is due
    asked_count: int = 0
    asked: tuple[Waiting, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A page of the whole list."""

    list: str = EVERYTHING
    page: int = 0
    total: int = 0
    counts: Mapping[Stage, int] = field(default_factory=dict)
    lines: tuple[DigestLine, ...] = ()


# --- the morning ------------------------------------------------------------------------------------------------------


def queue(say: Say, data: Queue) -> Post:
    """What a Support Dev finds in the morning; one line when there is nothing to do."""
    opening = [*late(say, data.due, data.now), *narrowed_to(say, data.narrowed)]
    if not data.open:
        warm = say("Your queue is empty: no customer waits for you.")
        warm = warm if data.own else say("No customer waits for an issue. The queue is empty.")
        gone = [_since(say, data)] if any(data.gone.values()) else []
        rows: Rows = [[" ".join([warm, *gone])]]
        return post("\n".join(map(plain, [*rows, *opening])), [lines(*rows), *quiet_lines(opening)])
    title = say.many("Your queue: {n} issue", "Your queue: {n} issues", data.open)
    title = title if data.own else say.many("{n} issue in the queue", "{n} issues in the queue", data.open)
    waits = say.many("{n} customer waits.", "{n} customers wait.", data.customers)
    rows = [[f"{waits} {_since(say, data)}"]]
    first = [(one, _queued(say, one)) for one in data.first]
    blocks = [header(title), *quiet_lines(opening), lines(*rows)]
    blocks += [one_row(row, _acknowledge(say, one.line)) for one, row in first]
    text = [title, *map(plain, opening), *map(plain, rows), *("• " + plain(row) for _, row in first)]
    parts = [
        (say("Also changed or due"), [_queued(say, one) for one in data.beside]),
        (
            say("Waiting for an answer: {n}", n=say.number(data.asked_count)),
            [_asked(say, one) for one in data.asked],
        ),
    ]
    return fitting(text, blocks, [part for part in parts if part[1]], onward(say, data.list, data.dashboard, data.open))


def _since(say: Say, data: Queue) -> str:
    """What changed since the last time, in one sentence."""
    said = [
        (data.new, say.many("{n} new", "{n} new", data.new)),
        (data.answered, say.many("{n} question answered", "{n} questions answered", data.answered)),
        (data.again, say.many("{n} came back", "{n} came back", data.again)),
        (
            data.gone.get("shipped", 0),
            say.many("{n} shipped", "{n} shipped", data.gone.get("shipped", 0)),
        ),
        (
            data.gone.get("declined", 0),
            say.many("{n} declined", "{n} declined", data.gone.get("declined", 0)),
        ),
        (
            data.gone.get("joined", 0),
            say.many("{n} the same as another", "{n} the same as others", data.gone.get("joined", 0)),
        ),
    ]
    changes = [words for n, words in said if n]
    at = moment(say, data.since, data.now)
    if not changes:
        return say("Nothing changed since {moment}.", moment=at)
    return say("Since {moment}: {what}.", moment=at, what=say.listed(changes))


def _queued(say: Say, one: Queued) -> list[Piece]:
    """An issue, what happened to it first."""
    line, facts = one.line, list[str]()
    if one.what == "answered":
        facts.append(say("answered by {name}", name=one_line(one.by, 60)) if one.by else say("answered"))
    elif one.what:
        facts.append(back(say, one.what))
    elif line.new:
        facts.append(say("new"))
    if line.promised is not None:
        facts.append(promise(say, line))
    if line.severity is not Severity.NORMAL:
        facts.append(severity_word(say, line.severity))
    facts.append(say.many("{n} customer", "{n} customers", line.customers))
    facts += [say.ago(line.age), stage_words(say, line.stage)[1]]
    return [*issue_of(line.issue), f" · {' · '.join(facts)}"]


def _acknowledge(say: Say, line: DigestLine) -> Block | None:
    """Where nobody took it yet."""
    return button(say("Acknowledge"), "acknowledge", line.id) if line.stage is Stage.FILED else None


def _asked(say: Say, one: Waiting) -> list[Piece]:
    names = [one_line(name, 60) for name in one.agents]
    if len(names) > NAMED:
        left = len(names) - NAMED
        names = [*names[:NAMED], say.many("{n} other", "{n} others", left)]
    who = say("from {names}, for {duration}", names=say.listed(names), duration=say.ago(one.age))
    return [*issue_of(one.issue), f" · {who}"]


# --- the whole list ---------------------------------------------------------------------------------------------------


def whole(say: Say, data: Whole) -> View:
    """A page of all that is open, stage by stage."""
    blocks: list[Block] = []
    for stage in dict.fromkeys(line.stage for line in data.lines):
        symbol, word = stage_words(say, stage)
        blocks.append(lines([f"{symbol} ", Bold(word), f" · {say.number(data.counts.get(stage, 0))}"]))
        blocks.append(bullets(line_of(say, line, staged=False) for line in data.lines if line.stage is stage))
    if not blocks:
        blocks.append(lines([say("Nothing is open any more.")]))
    metadata = json.dumps({"list": data.list, "page": data.page})
    return modal(say, "", say("The whole list"), metadata, [*blocks, *_paging(say, data)])


def _paging(say: Say, data: Whole) -> list[Block]:
    if data.total <= ROWS:
        return []
    first = data.page * ROWS + 1
    last = min(first + ROWS - 1, data.total)
    where = say(
        "{first} to {last} of {total}",
        first=say.number(first),
        last=say.number(last),
        total=say.number(data.total),
    )
    buttons = [button(say("Back"), "digest_back", str(data.page - 1))] if data.page else []
    if last < data.total:
        buttons.append(button(say("Further"), "digest_further", str(data.page + 1)))
    return [small(where), actions(*buttons)]
