"""What performers share."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from bot.bridge.core import Bridge
from bot.outbox import Job
from bot.privacy import Policy, effective
from bot.slack.chat import Chat
from bot.slack.people import People
from bot.store.tables import Issue
from integrations.base import ServiceError, Unavailable


class Base:
    """A performer that finds nothing to look for and settles without consequence; the real ones say otherwise."""

    writes = True

    def __init__(self, bridge: Bridge, chat: Chat, people: People) -> None:
        self.bridge = bridge
        self.chat = chat
        self.people = people

    def look(self, job: Job) -> Any | None:
        return None

    def settle(self, session: Session, job: Job, result: Any) -> None:
        pass

    def give_up(self, session: Session, job: Job, error: Exception) -> None:
        pass

    def stuck(self, session: Session, job: Job, error: ServiceError) -> None:
        pass

    def in_time(self, job: Job) -> None:
        """Raise Unavailable when a call begun now could outlive the lease, and meet another worker's."""
        timeout = timedelta(seconds=self.bridge.settings.timing.timeout)
        if self.bridge.clock.now() + timeout > job.until:
            raise Unavailable("passerelle", "the services were too slow for one try", maybe_done=False)

    def policy(self, issue: Issue) -> Policy:
        """What may leave for this issue, by its repository's visibility at this moment. Raises ServiceErrors."""
        repository = self.bridge.tracker(issue).repository(issue.repository)
        return effective(Policy(self.bridge.project(issue.project).privacy), repository.public)
