"""`/bug duty`: who is on duty, and what people arrange about it. Only the store is asked."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from bot import duty as turns
from bot.bridge import duty, rights
from bot.bridge.core import Bridge
from bot.configuration import Project
from bot.model import UserError
from bot.slack import views
from bot.slack.edges import Edges, ephemeral, spoken
from bot.slack.views import duty as pages
from bot.slack.views.parts import Person as Mention
from bot.store.tables import Person
from bot.texts import Say

AHEAD = 35
"""Days for which half-days are shown."""

MOST = 2
"""How many of them, for each project."""

_FROM = {"from", "on", "du", "le"}
_TO = {"to", "until", "au"}
_PERSON = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")

Arrange = Callable[[Bridge, str], list[duty.Done]]


def meant(text: str) -> bool:
    """Whether what was typed is about being on duty, and no title that begins with that word."""
    word, *rest = text.split(maxsplit=2) or [""]
    asks = not rest or rest[0].casefold() in ("me", "off", "everyone", "undo") or rest[0].startswith(("@", "<@"))
    return word.casefold() == "duty" and asks


def answer(edges: Edges, person: str, text: str, command: str = "/bug") -> dict[str, Any]:
    """What `/bug duty …` says to whoever typed it, after doing what it asks for."""
    say = edges.met(person)
    try:
        edges.check(rights.see, person)
        arrange = _asked(edges, text)
        done = arrange(edges.bridge, person) if arrange else []
    except UserError as error:
        sentence = spoken(say, error)
        return {"response_type": "ephemeral", "text": sentence}
    return ephemeral(_page(edges, say, person, done, command))


# --- what is asked ----------------------------------------------------------------------------------------------------


def _asked(edges: Edges, text: str) -> Arrange | None:
    """What was typed asks for; None: only to see who has it. Raises UserError."""
    words = text.split()[1:]
    if not words:
        return None
    word, rest = words[0].casefold(), words[1:]
    if word == "undo" and not rest:
        return duty.undo
    if word == "off":
        days, key = _days(rest)
        return lambda bridge, by: duty.away(bridge, by, days, key)
    if word == "everyone":
        return _everyone(rest)
    if word == "me" or words[0].startswith(("<@", "@")):
        given = None if word == "me" else _person(edges, words[0])
        days, key = _days(rest)
        return lambda bridge, by: duty.take(bridge, by, given or by, days, key)
    raise _unread()


def _unread() -> UserError:
    return UserError(
        "I did not understand that. Write `/bug duty`, `/bug duty @name`, `/bug duty @name from 2026-12-24 to "
        "2026-12-28`, `/bug duty off 2026-12-24`, `/bug duty everyone 2026-06-04 14:00-18:00` or `/bug duty undo`; a "
        "project’s key may follow."
    )


def _days(words: list[str]) -> tuple[duty.Days, str]:
    """The days, and the project's key, in what was typed. Raises UserError."""
    first: date | None = None
    last: date | None = None
    opens, key, to = False, "", False
    for word in words:
        low = word.casefold()
        if low in _FROM:
            opens = True
        elif low in _TO:
            to = True
        elif _DATE.fullmatch(word) and (to or first is not None) and last is None:
            last = _date(word)
        elif _DATE.fullmatch(word) and first is None:
            first = _date(word)
        elif not key and re.fullmatch(r"[a-z0-9][a-z0-9_-]*", low):
            key = low
        else:
            raise _unread()
    if (opens and first is None) or (to and last is None):
        raise _unread()
    return duty.Days(first, last, open=opens), key


def _date(word: str) -> date:
    try:
        return date.fromisoformat(word)
    except ValueError:
        raise UserError("There is no day {day}.", day=word) from None


def _everyone(words: list[str]) -> Arrange:
    if len(words) not in (2, 3) or not _DATE.fullmatch(words[0]):
        raise _unread()
    day, key = _date(words[0]), words[2] if len(words) == 3 else ""
    try:
        start, end = turns.hours(words[1])
    except ValueError:
        raise UserError("Write the hours as in 14:00-18:00.") from None
    return lambda bridge, by: duty.together(bridge, by, day, start, end, key)


def _person(edges: Edges, word: str) -> str:
    """Who is meant: as Slack writes it or, where it sends bare words, a Support Dev by name or login."""
    if found := _PERSON.fullmatch(word):
        return found[1]
    wanted = word.removeprefix("@").casefold()
    with edges.bridge.store.read() as session:
        for project in edges.bridge.settings.projects:
            for dev in project.support_devs:
                names = edges.people.name(session, dev.slack).casefold()
                if wanted in (dev.slack.casefold(), dev.tracker.casefold(), names, names.partition(" ")[0]):
                    return dev.slack
    raise UserError("I know no Support Dev {name}. Choose them from Slack’s list while you type the name.", name=word)


# --- what is answered -------------------------------------------------------------------------------------------------


def _page(edges: Edges, say: Say, person: str, done: list[duty.Done], command: str) -> views.Post:
    bridge, now = edges.bridge, edges.bridge.clock.now()
    plans: list[pages.OnDuty] = []
    with bridge.store.read() as session:
        notes = _notes(edges, session, say, done)
        for project in bridge.settings.projects:
            known = duty.plan(bridge, session, project)
            stint = known.stint(now)
            plans.append(
                pages.OnDuty(
                    project=project.name,
                    person=_who(edges, session, stint.person),
                    until=stint.until,
                    then=_who(edges, session, stint.then) if stint.then else "",
                    together=tuple(known.together(now, AHEAD)[:MOST]),
                )
            )
    return pages.duty(say, plans, notes, command if not done and _arranges(bridge, person) else "")


def _arranges(bridge: Bridge, person: str) -> bool:
    devs = {dev.slack for project in bridge.settings.projects for dev in project.support_devs}
    return person in devs | {*bridge.settings.slack.leads}


def _notes(edges: Edges, session: Session, say: Say, done: list[duty.Done]) -> list[str]:
    """What was arranged, in sentences."""
    notes: list[str] = []
    for one in done:
        if one.hours:
            start, _, end = one.hours.partition("-")
            notes.append(pages.everyone_planned(say, one.project.name, one.first, start, end))
        for shift in one.shifts:
            notes.append(pages.shifted(say, _shifted(edges, session, one.project, shift)))
    if done and not notes:
        notes.append(say("Noted. Nobody’s turn changes by it."))
    return notes


def _shifted(edges: Edges, session: Session, project: Project, shift: turns.Shift) -> pages.Shifted:
    return pages.Shifted(
        project=project.name,
        first=shift.first,
        last=shift.last,
        before=edges.people.name(session, shift.before),
        after=edges.people.name(session, shift.after),
    )


def _who(edges: Edges, session: Session, person: str) -> pages.Who:
    """Their name; who is not known yet is shown by Slack, and known the next time."""
    if session.get(Person, person) is None:
        edges.background(edges.people.meet, person)
        return Mention(person)
    return edges.people.name(session, person)
