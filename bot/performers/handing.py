"""Effects of handing over: whether an agent is there, and the offer in the channel."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from bot.bridge import handing, remind
from bot.model import WriteBack
from bot.outbox import Job
from bot.performers.base import Base
from bot.slack import shown, views
from bot.slack.views import handing as pages
from bot.store import handed
from bot.store.tables import Escalation, WriteBackRow
from bot.texts import Say
from integrations.base import NotFound, Rejected, Unauthorised

LONG_AGO = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class There:
    """Which of an agent's escalations somebody else has to take, and who has their tickets, by address."""

    escalations: tuple[str, ...] = ()
    takers: dict[str, str] = field(default_factory=dict)
    away: bool = False


class LookForAgent(Base):
    """`there:{agent}:{part of a day}`: whether an agent whom customers wait for left, is on leave, or does nothing."""

    writes = False

    def perform(self, job: Job) -> There:
        agent = job.payload["agent"]
        away = self._away(agent)
        with self.bridge.store.read() as session:
            rows = [row for row in handed.owed_by(session, agent) if away or self._forgotten(row)]
            if away:
                rows += handed.answered_to(session, agent, handing.answered_since(self.bridge))
            found = {row.escalation_id: row.escalation.ticket.assignee.casefold() for row in rows}
        return There(tuple(found), self._takers({address for address in found.values() if address}), away)

    def _away(self, agent: str) -> bool:
        try:
            record = self.chat.person(agent)
        except NotFound:
            return True
        profile = record.get("profile") or {}
        emoji, until = str(profile.get("status_emoji") or "").strip(":"), profile.get("status_expiration") or 0
        over = bool(until) and until < self.bridge.clock.now().timestamp()
        return bool(record.get("deleted")) or (emoji in self.bridge.settings.write_backs.away and not over)

    def _forgotten(self, row: WriteBackRow) -> bool:
        """Whether nothing was done about it for as long as configured."""
        after = self.bridge.settings.write_backs.hand_over_after
        if after is None:
            return False
        return remind.hours(self.bridge, None).after(row.again_at or row.due_at, after) <= self.bridge.clock.now()

    def _takers(self, addresses: set[str]) -> dict[str, str]:
        found = {}
        for address in sorted(addresses):
            with suppress(NotFound, Rejected, Unauthorised):  # whose address it is may be a right of its own
                person = self.chat.person_at(address)
                if person and self.bridge.may_flag(self.people.look_up(person)):
                    found[address] = person
        return found

    def settle(self, session: Session, job: Job, result: There) -> None:
        agent = job.payload["agent"]
        rows = [session.get(Escalation, one, with_for_update=True) for one in result.escalations]
        theirs = [one for one in rows if one is not None and one.agent == agent and handing.movable(one)]
        handing.pass_on(self.bridge, session, agent, theirs, result.takers)
        for key in () if result.away else handed.untold(session, agent):  # Slack may take it now
            self.bridge.refresh(session, "told", key, f"dm:{agent}")


class Offer(Base):
    """`offer:{agent}:…`: the channel is asked who writes to these customers."""

    def look(self, job: Job) -> str | None:
        return self.chat.find(job.payload["channel"], job.key, job.since - LONG_AGO)

    def perform(self, job: Job) -> str:
        for person in (job.payload["agent"], job.payload["by"]):
            self.people.meet(person)
        with self.bridge.store.read() as session:
            post = _offer(self, session, Say(self.bridge.settings.slack.language), job.payload)
        if post is None:
            return ""
        self.in_time(job)
        return self.chat.post(job.payload["channel"], post, job.key)

    def give_up(self, session: Session, job: Job, error: Exception) -> None:
        """Somebody has to know of these customers: the leads, or else the Support Devs."""
        project = session.get_one(Escalation, job.payload["escalations"][0]).issue.project
        for person in self.bridge.settings.slack.leads or [d.slack for d in self.bridge.project(project).support_devs]:
            self.bridge.notify(session, "unoffered", f"un{job.key}:{person}", person, offer=dict(job.payload))


def _offer(self: Base, session: Session, say: Say, payload: Mapping[str, Any]) -> views.Post | None:
    """Who writes to these customers? None when nobody has to any more."""
    agent, by = payload["agent"], payload["by"]
    found = [session.get_one(Escalation, one) for one in payload["escalations"]]
    left = [one for one in found if one.agent == agent and handing.movable(one)]
    lines = [(shown.ticket_name(one.ticket), shown.issue_name(one.issue)) for one in left]
    asker = self.people.name(session, by) if by and by != agent else ""
    ids = [one.id for one in left]
    return pages.offer(say, self.people.name(session, agent), asker, lines, agent, ids) if left else None


# --- notices ----------------------------------------------------------------------------------------------------------


def unoffered(self: Base, session: Session, say: Say, payload: Mapping[str, Any]) -> views.Post | None:
    """The channel could not be asked."""
    post = _offer(self, session, say, payload["offer"])
    return pages.unoffered(say, post) if post else None


def handed_over(self: Base, session: Session, say: Say, payload: Mapping[str, Any]) -> views.Post:
    """A customer is yours now."""
    one = session.get_one(Escalation, payload["escalation"])
    before = self.people.name(session, payload["before"])
    by = payload["by"] and self.people.name(session, payload["by"])
    due = any(row.state is WriteBack.DUE for row in one.write_backs)
    return pages.handed_over(say, shown.ticket_name(one.ticket), shown.issue_name(one.issue), before, by, due=due)
