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
from bot.store.visibility import issues_in
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
        public = self.bridge.tracker(issue).repository(issue.repository).public
        if public is not issue.public:
            self._seen(issue, public)
        policy = effective(Policy(self.bridge.project(issue.project).privacy), public)
        # Of an issue that is not confidential, where such are known, more people read than need to.
        return Policy.LINK_ONLY if issue.exposed and policy in (Policy.REDACTED, Policy.FULL) else policy

    def _seen(self, issue: Issue, public: bool) -> None:
        """Remember how the repository stands. When everybody can read now what was filed for few, the leads hear so, or
        else the Support Devs: once for all of its issues."""
        with self.bridge.store.write() as session:
            issues = issues_in(session, issue.tracker, issue.repository)
            bared = [one.id for one in issues if public and one.public is False and one.number is not None]
            for one in issues:
                if one.public is not None or one.id == issue.id:
                    one.public = public
            devs = [dev.slack for dev in self.bridge.project(issue.project).support_devs]
            for person in self.bridge.settings.slack.leads or devs if bared else ():
                key = f"bared:{bared[0]}:{person}:{int(self.bridge.clock.now().timestamp())}"
                self.bridge.notify(session, "bared", key, person, issues=bared)
