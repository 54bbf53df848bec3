"""Looks at a tracker, which change nothing there: how an issue stands, what is out, what was touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from bot import shipping
from bot.bridge import examine, hear, known, mending, prove
from bot.commands import references
from bot.model import Stage, UserError
from bot.outbox import Job
from bot.performers.base import Base
from bot.performers.tracker import why
from bot.slack import shown
from bot.store import queries
from bot.store.tables import Delivery, EffectState, Issue, WatchRow
from bot.texts import Say
from integrations.base import Event, Finding, Fix, Listing, NotFound, Rejected, Watch


class Reading(Base):
    """What is asked of a tracker about one issue; what cannot be had stands on its card."""

    writes = False

    def trouble(self, session: Session, issue: Issue, error: Exception) -> None:
        issue.trouble = why(Say(self.bridge.settings.slack.language), error, shown.issue_name(issue).label)
        self.bridge.show(session, issue)

    def unknown(self, session: Session, issue: Issue, sha: str) -> None:
        """Of one of its fixes nothing can be told: what is missing, and how to give it."""
        say = Say(self.bridge.settings.slack.language)
        issue.trouble = say(
            "I cannot tell whether {commit} is out: the tracker does not know it any more, or too much lies after it. "
            "Name the commit that carries the fix now by “Fixed by…”, or by /fixed-by in the issue.",
            commit=sha[:7],
        )
        self.bridge.show(session, issue)


class LookAtIssue(Reading):
    """`look:{issue}`: ask the tracker how the issue stands, and follow."""

    def perform(self, job: Job) -> hear.Seen:
        return hear.look(self.bridge, job.payload["issue"])

    def settle(self, session: Session, job: Job, result: hear.Seen) -> None:
        hear.apply(self.bridge, session, job.payload["issue"], result)

    def give_up(self, session: Session, job: Job, error: Exception) -> None:
        issue = session.get_one(Issue, job.payload["issue"])
        self.trouble(session, issue, error)
        if issue.stage is Stage.FIXED:  # a proof that was found meanwhile waited for this look
            self.bridge.prove(session, issue)


class Glance(Reading):
    """`glance:{issue}`: whether something happened to an issue of which nobody told."""

    def perform(self, job: Job) -> bool:
        return hear.glance(self.bridge, job.payload["issue"])

    def settle(self, session: Session, job: Job, result: bool) -> None:
        issue = session.get_one(Issue, job.payload["issue"])
        asked = [queries.effect(session, f"{kind}:{issue.id}") for kind in ("look", "prove")]
        if result or any(one is not None and one.state is EffectState.DEAD for one in asked):  # it answers again
            self.bridge.look_at(session, issue)


class FixNamed(Reading):
    """`named:{issue}:{id}`: look up what a Support Dev named in Slack as the fix."""

    def perform(self, job: Job) -> tuple[list[Fix], UserError | None]:
        with self.bridge.store.read() as session:
            issue = session.get_one(Issue, job.payload["issue"])
        found = []
        for reference in references(job.payload["named"]):
            try:
                found.append(self.bridge.tracker(issue).fix(issue.repository, reference))
            except (NotFound, Rejected) as error:
                return [], hear.unfit(error, reference, issue.repository)
        return found, None

    def settle(self, session: Session, job: Job, result: tuple[list[Fix], UserError | None]) -> None:
        issue, by = session.get_one(Issue, job.payload["issue"], with_for_update=True), job.payload["by"]
        fixes, problem = result
        if problem or issue.stage is Stage.SHIPPED:
            problem = problem or UserError("It is settled already.")
            self._refuse(session, job, issue, problem.message, problem.names)
            return
        mending.named(self.bridge, session, issue, fixes, by)
        self.bridge.prove(session, issue)
        self.bridge.keep_current(session, issue)

    def give_up(self, session: Session, job: Job, error: Exception) -> None:
        issue = session.get_one(Issue, job.payload["issue"])
        say = self.people.say(session, job.payload["by"])
        self._refuse(session, job, issue, why(say, error, issue.repository), {})

    def _refuse(self, session: Session, job: Job, issue: Issue, problem: str, names: Mapping[str, object]) -> None:
        given = {name: str(value) for name, value in names.items()}
        key, by = f"un{job.key}", job.payload["by"]
        self.bridge.notify(session, "unnamed", key, by, issue=issue.id, problem=problem, names=given)


class Prove(Reading):
    """`prove:{issue}`: is the fix of this issue out already?"""

    def perform(self, job: Job) -> prove.Verdict:
        return prove.prove(self.bridge, job.payload["issue"])

    def settle(self, session: Session, job: Job, result: prove.Verdict) -> None:
        prove.apply(self.bridge, session, job.payload["issue"], result)

    def give_up(self, session: Session, job: Job, error: Exception) -> None:
        issue = session.get_one(Issue, job.payload["issue"])
        if isinstance(error, NotFound) and error.detail in {record["sha"] for record in issue.fixes}:
            self.unknown(session, issue, error.detail)
        else:
            self.trouble(session, issue, error)


class Examine(Reading):
    """`examine:{project}`: what came out since the last look, and what is out no more?"""

    def perform(self, job: Job) -> examine.Examined:
        return examine.examine(self.bridge, job.payload["project"])

    def settle(self, session: Session, job: Job, result: examine.Examined) -> None:
        examine.apply(self.bridge, session, job.payload["project"], result)


class Poll(Base):
    """`poll:{project}:{resource}`: what was touched since the last time, by one conditional request."""

    writes = False

    def perform(self, job: Job) -> tuple[list[Event], Watch]:
        project = self.bridge.project(job.payload["project"])
        with self.bridge.store.read() as session:
            row = session.get(WatchRow, (project.key, job.payload["watch"]))
        watch = Watch(row.state if row else {})
        return self.bridge.trackers[project.tracker].poll(job.payload["repository"], job.payload["resource"], watch)

    def settle(self, session: Session, job: Job, result: tuple[list[Event], Watch]) -> None:
        events, watch = result
        project = self.bridge.project(job.payload["project"])
        row = session.get(WatchRow, (project.key, job.payload["watch"]))
        if row is None:
            session.add(WatchRow(project=project.key, resource=job.payload["watch"], state=dict(watch.state)))
            self._begin(session, job)
        elif row.state != dict(watch.state):
            row.state = dict(watch.state)
        hear.dispatch(self.bridge, session, project.tracker, events)
        examining = queries.effect(session, f"examine:{project.key}")
        if examining is not None and examining.state is EffectState.DEAD:  # the tracker answers again
            self.bridge.examine(session, project)

    def _begin(self, session: Session, job: Job) -> None:
        """The watch begins now: what happened before is found by looking once."""
        project = self.bridge.project(job.payload["project"])
        if job.payload["resource"] != "issues":
            self.bridge.examine(session, project)
            return
        for issue in queries.unsettled(session, project.key):
            self.bridge.look_at(session, issue)


class Mirror(Base):
    """`mirror:{project}`: which issues the tracker has, those that changed since the last time; one list each time."""

    writes = False

    def perform(self, job: Job) -> Listing:
        project = self.bridge.project(job.payload["project"])
        with self.bridge.store.read() as session:
            since = known.mirrored_until(session, project)
        return self.bridge.trackers[project.tracker].listing(project.repository, since)

    def settle(self, session: Session, job: Job, result: Listing) -> None:
        known.keep(self.bridge, session, self.bridge.project(job.payload["project"]), result)


DELIVERIES_KEPT = timedelta(days=3)
"""How long a tracker keeps what it sent ("Handling failed webhook deliveries")."""

REDELIVERY_LAG = timedelta(minutes=5)
"""How late a delivery may be listed as failed."""


class Redeliver(Base):
    """`redeliver:{tracker}/{project}`: ask for the webhook deliveries again that did not arrive here.

    How far back it looks moves on once nothing was left to ask for: what is asked for may fail again.
    """

    writes = False
    _watch = "deliveries"

    def perform(self, job: Job) -> tuple[int, datetime]:
        project = self.bridge.project(job.payload["project"])
        now = self.bridge.clock.now()
        with self.bridge.store.read() as session:
            row = session.get(WatchRow, (project.key, self._watch))
        since = datetime.fromisoformat(row.state["since"]) if row else now - DELIVERIES_KEPT
        tracker = self.bridge.trackers[project.tracker]
        return tracker.redeliver(project.repository, job.payload["address"], since), now - REDELIVERY_LAG

    def settle(self, session: Session, job: Job, result: tuple[int, datetime]) -> None:
        asked, until = result
        if not asked:
            session.merge(
                WatchRow(project=job.payload["project"], resource=self._watch, state={"since": until.isoformat()})
            )


class Check(Base):
    """`check:{project}`: whether the bot can do in a tracker what it must. What is found on two days running (a token
    near its end, a permission taken away, a hook that was stopped) the leads hear, or else the Support Devs, once a
    week."""

    writes = False
    _watch = "findings"

    def perform(self, job: Job) -> list[Finding]:
        project = self.bridge.project(job.payload["project"])
        return self.bridge.trackers[project.tracker].check(project.repository, shipping.resources(project))

    def settle(self, session: Session, job: Job, result: list[Finding]) -> None:
        project = self.bridge.project(job.payload["project"])
        row = session.get(WatchRow, (project.key, self._watch))
        before = set(row.state["where"]) if row else set()
        session.merge(
            WatchRow(project=project.key, resource=self._watch, state={"where": [one.where for one in result]})
        )
        year, week, _ = self.bridge.clock.now().isocalendar()
        people = self.bridge.settings.slack.leads or [dev.slack for dev in project.support_devs]
        for one in result:
            for person in people if one.where in before else ():
                key = f"finding:{project.key}:{one.where}:{year}-{week}:{person}"
                self.bridge.notify(session, "finding", key, person, project=project.name, **asdict(one))


class ReadDelivery(Base):
    """`delivery:{id}`: read a stored webhook delivery, however late."""

    writes = False

    def perform(self, job: Job) -> tuple[str, Sequence[Event]]:
        with self.bridge.store.read() as session:
            delivery = session.get_one(Delivery, job.payload["delivery"])
        sources = {**self.bridge.trackers, **self.bridge.helpdesks}
        source = sources.get(delivery.source)
        return delivery.source, source.read(delivery.headers, delivery.body) if source else []

    def settle(self, session: Session, job: Job, result: tuple[str, Sequence[Event]]) -> None:
        source, events = result
        hear.dispatch(self.bridge, session, source, events)
        session.get_one(Delivery, job.payload["delivery"]).read_at = self.bridge.clock.now()
