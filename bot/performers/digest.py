"""Digests: an effect for each reader of each slot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.orm import Session

from bot.bridge.core import Bridge
from bot.configuration import Digest as Wanted
from bot.outbox import Job
from bot.performers.base import Base
from bot.slack import views
from bot.slack.chat import Chat
from bot.slack.digests import MAKERS, Edition, without_chart
from bot.slack.people import People
from bot.store import upkeep
from integrations.base import Rejected

log = structlog.get_logger()

LONG_AGO = timedelta(days=30)
"""How long a dead letter may have waited for its retry, and what its last try posted is still found."""

LEFT = "user_disabled"
"""Slack's word for somebody whose account was deactivated ("conversations.open")."""


@dataclass(frozen=True, slots=True)
class Told:
    """What became of an edition: where it stands, and as of when it tells; `ts` "" for one that nobody needs."""

    ts: str = ""
    at: datetime | None = None


class Digest(Base):
    """`digest:{name}:{slot}:{reader}`: posted once per slot and reader, unless it comes too late to be of use."""

    def __init__(self, bridge: Bridge, chat: Chat, people: People, posted: Callable[[str], None]) -> None:
        """`posted` is told the name of each digest that stands in Slack."""
        super().__init__(bridge, chat, people)
        self._charts, self._posted = True, posted

    def look(self, job: Job) -> Told | None:
        if "due" not in job.payload:  # of an older version
            return None
        found = self.chat.find(self._where(job), job.key, job.since - LONG_AGO)
        return Told(found, datetime.fromisoformat(job.payload["due"])) if found else None

    def perform(self, job: Job) -> Told:
        digest = self._wanted(job)
        now = self.bridge.clock.now()
        if digest is None or now >= datetime.fromisoformat(job.payload["until"]):
            return Told()
        person = str(job.payload["person"])
        self.people.meet(person)
        team = self.people.among(digest.team) if digest.team else None
        with self.bridge.store.read() as session:
            post = MAKERS[digest.about](session, self._edition(session, job, digest, person, team, now))
        if post is None:
            return Told()
        try:
            channel = self._where(job)
        except Rejected as error:
            if error.detail != LEFT:
                raise
            log.warning("digest.nobody_reads_it", digest=digest.name, person=person)
            return Told()
        self.in_time(job)
        return Told(self._post(job, channel, post), now)

    def settle(self, session: Session, job: Job, result: Told) -> None:
        if result.at is not None:
            upkeep.take(session, told(job.payload), result.at)
            self._posted(job.payload["digest"])

    def _post(self, job: Job, channel: str, post: views.Post) -> str:
        """Post it; once more without its chart where Slack does not take that, which is remembered."""
        bare = without_chart(post)
        if not self._charts or len(bare.blocks) == len(post.blocks):
            return self.chat.post(channel, bare, job.key)
        try:
            return self.chat.post(channel, post, job.key)
        except Rejected as error:
            if error.detail != "invalid_blocks":
                raise
        self.in_time(job)
        ts = self.chat.post(channel, bare, job.key)
        self._charts = False
        log.info("charts.refused")
        return ts

    def _wanted(self, job: Job) -> Wanted | None:
        """The digest as it is configured now; None when it is not any more."""
        name = job.payload.get("digest")
        return next((one for one in self.bridge.settings.digests if one.name == name and one.about in MAKERS), None)

    def _edition(
        self, session: Session, job: Job, digest: Wanted, person: str, team: frozenset[str] | None, now: datetime
    ) -> Edition:
        last = upkeep.slot_before(session, told(job.payload), now)
        language = digest.language or self.bridge.settings.slack.language
        return Edition(
            bridge=self.bridge,
            people=self.people,
            digest=digest,
            say=self.people.say(session, person, language=language, tz=digest.timezone),
            person=person,
            team=team,
            since=last or datetime.fromisoformat(job.payload["since"]),
            now=now,
            due=datetime.fromisoformat(job.payload["due"]),
            first=last is None,
        )

    def _where(self, job: Job) -> str:
        return str(job.payload["channel"]) or self.chat.dm(job.payload["person"])


def told(payload: Mapping[str, Any]) -> str:
    """The job under which the store keeps when a reader was told by a digest."""
    return f"told:{payload['digest']}:{payload['channel'] or payload['person']}"
