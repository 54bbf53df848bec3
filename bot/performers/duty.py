"""Effects of being on duty: the user group, new issues, the hand-over, and a half-day for everyone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.orm import Session

from bot.bridge import duty
from bot.model import Stage
from bot.outbox import Job
from bot.performers.base import Base
from bot.slack import shown, views
from bot.slack.views import duty as pages
from bot.store import rota
from bot.store.tables import Issue
from bot.texts import Say
from integrations.base import NotFound, Rejected, Unauthorised

log = structlog.get_logger()

OVER = ""
"""Where nothing needs to be told any more."""


class Group(Base):
    """`group:{id}`: the Slack user group holds those who are on duty. What Slack does not allow stays undone, and
    `passerelle check` says so."""

    def perform(self, job: Job) -> str:
        group = job.payload["group"]
        with self.bridge.store.read() as session:
            wanted = duty.members(self.bridge, session, group)
        if not wanted:  # the configuration names it no more
            return ""
        try:
            if set(wanted) != self.chat.members(group):
                self.in_time(job)
                self.chat.set_members(group, wanted)
        except (Unauthorised, Rejected, NotFound) as error:
            log.warning("group.refused", group=group, error=type(error).__name__)
            return error.detail or type(error).__name__
        return ""

    def settle(self, session: Session, job: Job, result: str) -> None:
        rota.note(session, job.id, result)


class Yours(Base):
    """`yours:{person}:{minutes}`: whoever is on duty hears of new issues, those of a few minutes in one message, which
    is edited as they come."""

    def perform(self, job: Job) -> str:
        person, since = job.payload["person"], datetime.fromisoformat(job.payload["since"])
        self.people.meet(person)
        with self.bridge.store.read() as session:
            until = since + timedelta(seconds=duty.BURST)
            issues = rota.assigned(session, person, since, until)
            theirs = [one for one in issues if one.escalations and one.escalations[0].agent != person]
            found = _listed(theirs, self.bridge.clock.now())
            post = pages.yours(self.people.say(session, person), found)
        if not found:
            return OVER
        channel = self.chat.dm(person)
        there = self.chat.find(channel, job.key, since)
        self.in_time(job)
        if there is None:
            return self.chat.post(channel, post, job.key)
        self.chat.update(channel, there, post, job.key)
        return there


class Everyone(Base):
    """`everyone:{project}:{moment}`: the channel hears that all are on duty, unless it comes too late to be of use."""

    def look(self, job: Job) -> str | None:
        return self.chat.find(job.payload["channel"], job.key, job.since)

    def perform(self, job: Job) -> str:
        project, until = self.bridge.project(job.payload["project"]), datetime.fromisoformat(job.payload["until"])
        if self.bridge.clock.now() >= until:
            return OVER
        say = Say(self.bridge.settings.slack.language, str(project.rota().zone))
        with self.bridge.store.read() as session:
            known = duty.plan(self.bridge, session, project)
            people = dict.fromkeys([known.on_duty(self.bridge.clock.now()), *project.team])
            found = _left(self, session, project.key)
        post = pages.everyone(say, project.name, until, list(people), found)
        return self.chat.post(job.payload["channel"], post, job.key)


# --- notices ----------------------------------------------------------------------------------------------------------


def on_duty(self: Base, session: Session, say: Say, payload: Mapping[str, Any]) -> views.Post:
    """The hand-over: what whoever is on duty now finds."""
    return pages.on_duty(say, [_left(self, session, key) for key in payload["projects"]])


def arranged(self: Base, session: Session, say: Say, payload: Mapping[str, Any]) -> views.Post:
    """Somebody changed the days of the one who reads this."""
    project = self.bridge.project(payload["project"])
    own, shifts = payload["person"], []
    for first, last, after in payload["shifts"]:
        shift = pages.Shifted(
            project=project.name,
            first=date.fromisoformat(first),
            last=date.fromisoformat(last),
            before=self.people.name(session, own),
            after=self.people.name(session, after),
        )
        shifts.append((shift, after == own))
    return pages.arranged(say, self.people.name(session, payload["by"]), shifts)


def _left(self: Base, session: Session, key: str) -> pages.HandOver:
    """What there is to take over in a project: first what waits for an answer, then the oldest."""
    project, now = self.bridge.project(key), self.bridge.clock.now()
    issues = rota.open_issues(session, key)
    first = sorted(issues, key=lambda one: (not one.wanted, one.stage is Stage.FIXED, one.created_at))[: pages.LISTED]
    return pages.HandOver(
        project=project.name,
        until=duty.plan(self.bridge, session, project).stint(now).until,
        count=len(issues),
        oldest=now - issues[0].created_at if issues else None,
        untaken=sum(one.stage in (Stage.FILING, Stage.FILED) for one in issues),
        wanted=sum(bool(one.wanted) for one in issues),
        issues=_listed(first, now),
    )


def _listed(issues: Sequence[Issue], now: datetime) -> tuple[pages.Open, ...]:
    return tuple(
        pages.Open(
            issue=shown.issue_name(one),
            stage=one.stage,
            severity=one.severity,
            age=now - one.created_at,
            wanted=bool(one.wanted),
            waiting=len(shown.waiting(one)),
        )
        for one in issues
    )
