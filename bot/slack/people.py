"""Who somebody in Slack is: asked when needed, remembered for an hour."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from bot.clock import Clock
from bot.slack.chat import Chat, Said
from bot.store.database import Store
from bot.store.tables import Person
from bot.texts import Say
from integrations.base import NotFound, ServiceError

REMEMBERED = timedelta(hours=1)
GROUPS_REMEMBERED = timedelta(minutes=5)
FILES = 10
"""How many files of a thread an issue names."""

_LINK = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>")


def as_words(text: str) -> str:
    """A Slack message's text as a person reads it: links by their label, entities as characters."""
    plain = _LINK.sub(lambda match: match[2] or match[1], text)
    return plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _teams(record: Mapping[str, Any]) -> set[str]:
    """The workspaces that a person is of. Somebody of another organisation in a shared channel is no "stranger" to
    Slack ("User object"): only their workspace tells. A person of an Enterprise organisation is of several; an app that
    is installed for all of it has the organisation's id for a workspace's."""
    organisation = record.get("enterprise_user") or {}
    return {record.get("team_id", ""), organisation.get("enterprise_id", ""), *(organisation.get("teams") or ())}


class People:
    """The people of the workspace; `agents` are the user groups, channels and people who may flag (None: members)."""

    def __init__(self, chat: Chat, store: Store, clock: Clock, agents: Sequence[str] | None, language: str) -> None:
        self._chat = chat
        self._store = store
        self._clock = clock
        self._agents = agents
        self._language = language
        self._groups: dict[str, tuple[datetime, set[str]]] = {}
        self._lock = threading.Lock()

    def look_up(self, person: str) -> Person:
        """Who this is. Somebody whom Slack does not know is no member. Raises ServiceErrors."""
        now = self._clock.now()
        with self._store.read() as session:
            known = session.get(Person, person)
        if known is not None and now - known.fetched_at < REMEMBERED:
            return known
        found = self._ask(person, now)
        with self._store.write() as session:
            session.merge(found)
        return found

    def meet(self, person: str) -> None:
        """Know somebody's name and language, as far as Slack tells now; else they go by their id."""
        if re.fullmatch(r"[UW][A-Z0-9]+", person):
            with suppress(ServiceError):
                self.look_up(person)

    def _ask(self, person: str, now: datetime) -> Person:
        try:
            record = self._chat.person(person)
        except NotFound:
            return Person(id=person, name=person, member=False, fetched_at=now)
        profile = record.get("profile") or {}
        elsewhere = self._chat.team() not in _teams(record)
        outside = ("deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger")
        return Person(
            id=person,
            name=profile.get("real_name") or record.get("real_name") or record.get("name") or person,
            email=profile.get("email") or "",
            locale=record.get("locale") or "",
            tz=record.get("tz") or "UTC",
            member=not elsewhere and not any(record.get(flag) for flag in outside),
            fetched_at=now,
        )

    def may_flag(self, person: Person) -> bool:
        """Whether this person may flag tickets: never guests, strangers or the deactivated."""
        if not person.member:
            return False
        return self._agents is None or any(person.id in self._members(group) for group in self._agents)

    def _members(self, group: str) -> set[str]:
        now = self._clock.now()
        with self._lock:
            known = self._groups.get(group)
        if known is None or now - known[0] > GROUPS_REMEMBERED:
            known = now, self._chat.members(group)
            with self._lock:
                self._groups[group] = known
        return known[1]

    def among(self, groups: Sequence[str]) -> frozenset[str]:
        """Who is in any of these user groups and channels, or stands there. Raises ServiceErrors."""
        return frozenset(person for group in groups for person in self._members(group))

    def say(self, session: Session, person: str, *, language: str = "", tz: str = "") -> Say:
        """Speaks to this person: in their Slack language, where it is one of ours, else in `language` or the configured
        one; at the times of `tz`, else of their own zone."""
        known, other = session.get(Person, person) if person else None, language or self._language
        if known is None:
            return Say(other, tz or "UTC")
        ours = known.locale.split("-")[0] in ("en", "fr")
        return Say(known.locale if ours else other, tz or known.tz)

    def name(self, session: Session, person: str) -> str:
        """How we call somebody."""
        known = session.get(Person, person)
        return known.name if known else person

    def conversation(self, channel: str, ts: str, thread_ts: str) -> tuple[str, list[dict[str, str]]]:
        """What was said around a message, for an issue's summary: its thread, and its address; and the files there, by
        name, each with the address of its message. As far as Slack lets us see it: nothing for a channel that we are
        not in."""
        parts: list[str] = []
        files: list[dict[str, str]] = []
        for one in self.said(channel, thread_ts):
            if one.text and one.ts != ts:
                parts.append(f"{self._called(one.person)}: {self.in_words(one.text)}")
            if one.files and len(files) < FILES and (address := self.permalink(channel, one.ts)):
                files += [{"name": name, "url": address} for name in one.files]
        address = self.permalink(channel, ts)
        return "\n".join([*parts, address] if address else parts), files[:FILES]

    def said(self, channel: str, ts: str) -> list[Said]:
        """The thread that begins with that message, or a reply alone; [] where Slack does not let us see it."""
        with suppress(ServiceError):
            return self._chat.said(channel, ts)
        return []

    def reply(self, channel: str, thread_ts: str, ts: str) -> list[tuple[str, str]]:
        """Who said what in that reply of a thread, as Slack has it; [] when it is gone. Raises ServiceErrors."""
        found = [one for one in self._chat.thread(channel, thread_ts, 200, oldest=ts) if one[0] == ts]
        return [(person, text) for _, person, text in found if text]

    def permalink(self, channel: str, ts: str) -> str:
        """A message's address, "" when Slack does not tell it."""
        with suppress(ServiceError):
            return self._chat.permalink(channel, ts)
        return ""

    def in_words(self, text: str) -> str:
        """A Slack message's text as a person reads it, people by their names."""
        return as_words(re.sub(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>", lambda found: f"@{self._called(found[1])}", text))

    def _called(self, person: str) -> str:
        try:
            return self.look_up(person).name
        except ServiceError:
            return person

    def email(self, session: Session, person: str) -> str:
        """Somebody's address, "" when Slack does not tell."""
        known = session.get(Person, person)
        return known.email if known else ""
