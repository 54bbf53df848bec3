"""Who is on duty, what that one hears, and what the channel hears when everyone is. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.model import Severity, Stage
from bot.slack.views.card import stage_words
from bot.slack.views.facts import severity_word
from bot.slack.views.parts import (
    Bold,
    Code,
    IssueName,
    Person,
    Piece,
    Post,
    When,
    bullets,
    lines,
    one_line,
    plain,
    post,
    small,
)
from bot.texts import Say

LISTED = 10
"""How many issues one message names."""

Who = str | Person
"""Somebody by their name or, where we do not know it, as Slack shows them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDuty:
    """Who is on duty for a project, and what is planned."""

    project: str  # its name
    person: Who
    until: datetime | None = None
    then: Who = ""
    together: tuple[tuple[datetime, datetime], ...] = ()  # the next half-days for everyone


@dataclass(frozen=True, slots=True, kw_only=True)
class Shifted:
    """Somebody else is on duty on these days."""

    project: str
    first: date
    last: date
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """An issue that whoever is on duty finds."""

    issue: IssueName
    stage: Stage
    severity: Severity
    age: timedelta
    wanted: bool = False  # it waits for an answer of the Support Dev
    waiting: int = 0  # customers


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """What there is to take over in a project."""

    project: str
    until: datetime | None
    count: int = 0
    oldest: timedelta | None = None
    untaken: int = 0
    wanted: int = 0
    issues: tuple[Open, ...] = ()  # the first of them


def duty(say: Say, turns: Sequence[OnDuty], notes: Sequence[str] = (), command: str = "") -> Post:
    """Each project's turn. `notes`: what was arranged just now. `command`: for who may arrange something, its name."""
    told = [[note] for note in notes]
    rows: list[list[Piece]] = []
    for turn in turns:
        rows.append(_turn(say, turn))
        rows += [_together(say, turn.project, start, end) for start, end in turn.together]
    blocks = [lines(*told)] if told else []
    blocks.append(bullets(rows))
    text = [*notes, *(plain(row) for row in rows)]
    if command:
        how: list[list[Piece]] = [
            [Code(f"{command} duty me"), " ", say("you take over for the rest of this turn, or name somebody instead")],
            [Code(f"{command} duty off 2026-12-24 to 2026-12-28"), " ", say("you are away; the next one takes it")],
            [Code(f"{command} duty everyone 2026-06-04 14:00-18:00"), " ", say("a half-day for everyone")],
            [Code(f"{command} duty undo"), " ", say("takes back what you arranged last")],
        ]
        blocks.append(bullets(how))
    return post("\n".join(text), blocks)


def _turn(say: Say, turn: OnDuty) -> list[Piece]:
    project = Bold(one_line(turn.project, 80))
    if turn.until is None:
        return say.pieces("{name} is on duty for {project}.", name=_who(turn.person), project=project)
    return say.pieces(
        "{name} is on duty for {project} until {moment}, then {next}.",
        name=_who(turn.person),
        project=project,
        moment=When(turn.until, say.on(turn.until)),
        next=_who(turn.then),
    )


def _together(say: Say, project: str, start: datetime, end: datetime) -> list[Piece]:
    return say.pieces(
        "Everyone on Support for {project} from {start} to {end}.",
        project=Bold(one_line(project, 80)),
        start=When(start, say.on(start)),
        end=When(end, say.on(end)),
    )


def _who(who: Who) -> Who:
    return one_line(who, 80) if isinstance(who, str) else who


def shifted(say: Say, shift: Shifted) -> str:
    """What changed, to whoever changed it."""
    name, other, project = one_line(shift.after, 80), one_line(shift.before, 80), one_line(shift.project, 80)
    first, last = say.day(shift.first), say.day(shift.last)
    if first == last:
        return say(
            "{name} is on duty for {project} instead of {other}: {day}.",
            name=name,
            project=project,
            other=other,
            day=first,
        )
    return say(
        "{name} is on duty for {project} instead of {other}: from {first} to {last}.",
        name=name,
        project=project,
        other=other,
        first=first,
        last=last,
    )


def everyone_planned(say: Say, project: str, day: date, start: str, end: str) -> str:
    """To whoever planned it."""
    return say(
        "Everyone is on Support for {project} from {start} to {end}: {day}. The channel hears it when it begins.",
        project=one_line(project, 80),
        start=start,
        end=end,
        day=say.day(day),
    )


def arranged(say: Say, by: str, shifts: Sequence[tuple[Shifted, bool]]) -> Post:
    """To somebody whose days changed: those they have now (True), those that somebody else has (False)."""
    rows: list[list[Piece]] = [[say("{name} changed who is on duty.", name=one_line(by, 80))]]
    rows += [[_yours(say, shift) if mine else shifted(say, shift)] for shift, mine in shifts[:LISTED]]
    left = len(shifts) - LISTED
    if left > 0:
        rows.append([say.many("And {n} more change.", "And {n} more changes.", left)])
    return post("\n".join(plain(row) for row in rows), [lines(*rows)])


def _yours(say: Say, shift: Shifted) -> str:
    project = one_line(shift.project, 80)
    if shift.first == shift.last:
        return say("You are on duty for {project}: {day}.", project=project, day=say.day(shift.first))
    first, last = say.day(shift.first), say.day(shift.last)
    return say("You are on duty for {project}: from {first} to {last}.", project=project, first=first, last=last)


def on_duty(say: Say, projects: Sequence[HandOver]) -> Post:
    """To whoever is on duty from now on: what is open."""
    blocks, text = [], []
    for one in projects:
        rows = [_begins(say, one), *_found(say, one)]
        items = [_open(say, issue) for issue in one.issues[:LISTED]]
        blocks.append(lines(*rows))
        if items:
            blocks.append(bullets(items))
        text += [plain(row) for row in (*rows, *items)]
    return post("\n".join(text), blocks)


def _begins(say: Say, one: HandOver) -> list[Piece]:
    project = Bold(one_line(one.project, 80))
    if one.until is None:
        return say.pieces("You are on duty for {project}.", project=project)
    moment = When(one.until, say.on(one.until))
    return say.pieces("You are on duty for {project} until {moment}.", project=project, moment=moment)


def _found(say: Say, one: HandOver) -> list[list[Piece]]:
    if not one.count or one.oldest is None:
        return [[say("No issue is open.")]]
    age = say.ago(one.oldest)
    found = [
        say.many(
            "{n} issue is open, for {duration}.", "{n} issues are open, the oldest for {duration}.", one.count,
            duration=age,
        )
    ]  # fmt: skip
    if one.untaken:
        found.append(say.many("{n} is not acknowledged yet.", "{n} are not acknowledged yet.", one.untaken))
    if one.wanted:
        found.append(say.many("{n} waits for your answer.", "{n} wait for your answer.", one.wanted))
    return [[" ".join(found)]]


def _open(say: Say, one: Open) -> list[Piece]:
    symbol, stage = stage_words(say, one.stage)
    pieces: list[Piece] = [f"{symbol} ", one.issue.link, f" {one_line(one.issue.title, 80)} · {stage} · "]
    pieces.append(severity_word(say, one.severity))
    if one.wanted:
        pieces += [" · ", Bold(say("waits for your answer"))]
    if one.waiting:
        pieces += [" · ", say.many("{n} customer waits", "{n} customers wait", one.waiting)]
    return [*pieces, " · ", say.ago(one.age)]


def yours(say: Say, issues: Sequence[Open]) -> Post:
    """To whoever is on duty: new issues, those of a few minutes in one message."""
    n = len(issues)
    first = say.many("A new issue is yours: you are on duty.", "{n} new issues are yours: you are on duty.", n)
    items = [_open(say, issue) for issue in issues[-LISTED:]]
    blocks = [lines([Bold(first)]), bullets(items)]
    if n > LISTED:
        more = say.many("And {n} before that.", "And {n} before those.", n - LISTED)
        blocks.append(small(more))
    return post("\n".join([first, *map(plain, items)]), blocks)


def everyone(say: Say, project: str, until: datetime, people: Sequence[str], found: HandOver) -> Post:
    """To the channel: all of these are on duty now. `people` are Slack ids, who are called by it."""
    called: list[Piece] = [piece for id in people for piece in (Person(id), " ")]
    rows: list[list[Piece]] = [
        say.pieces(
            "Everyone on Support for {project} until {moment}.",
            project=Bold(one_line(project, 80)),
            moment=When(until, say.on(until)),
        ),
        called,
        *_found(say, found),
    ]
    items = [_open(say, issue) for issue in found.issues[:LISTED]]
    blocks = [lines(*rows), *([bullets(items)] if items else [])]
    return post("\n".join(plain(row) for row in (*rows, *items) if plain(row)), blocks)
