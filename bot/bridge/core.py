"""What every use case stands on: the services by name, the transaction, and the promises that keep outside in step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from bot import outbox
from bot.clock import Clock
from bot.configuration import Configuration, Project
from bot.model import Happening, Stage, UserError, move
from bot.store import links, queries
from bot.store.database import Store
from bot.store.tables import Escalation, History, Issue, Person, Ticket
from bot.texts import zone
from integrations.base import Ability, Helpdesk, TakesFiles, Tracker


def issue_of(session: Session, issue_id: str) -> Issue:
    """The issue, held until the transaction ends. Raises UserError for one that another took the place of."""
    issue = session.get(Issue, issue_id, with_for_update=True)
    if issue is None:
        raise UserError("That issue is not known here any more.")
    if issue.joined is not None:
        raise UserError("That issue is a duplicate: decide about the one that took its place.")
    return issue


@dataclass(frozen=True, slots=True)
class Bridge:
    """The house's own state and the services it bridges. `look_up` asks Slack who somebody is."""

    store: Store
    clock: Clock
    settings: Configuration
    trackers: Mapping[str, Tracker]
    helpdesks: Mapping[str, Helpdesk]
    look_up: Callable[[str], Person]
    may_flag: Callable[[Person], bool]

    def project(self, key: str) -> Project:
        """The project of that key. Raises UserError when the configuration no longer has it."""
        for project in self.settings.projects:
            if project.key == key:
                return project
        raise UserError(
            "The project {key} is no longer in the configuration. Ask whoever operates Passerelle.", key=key
        )

    def called(self, issue: Issue, login: str) -> str:
        """The Slack id of the Support Dev who has that login in the tracker; else the login."""
        devs = self.project(issue.project).support_devs
        return next((dev.slack for dev in devs if dev.tracker.lower() == login.lower()), login)

    def tracker(self, issue: Issue) -> Tracker:
        if issue.tracker not in self.trackers:
            raise UserError("The tracker {name} is no longer in the configuration.", name=issue.tracker)
        return self.trackers[issue.tracker]

    def promise(self, session: Session, kind: str, key: str, subject: str, *, lane: str = "", **payload: Any) -> None:
        outbox.promise(session, self.clock, kind, key, subject, lane=lane, **payload)

    def refresh(self, session: Session, kind: str, key: str, subject: str, *, lane: str = "", **payload: Any) -> None:
        outbox.refresh(session, self.clock, kind, key, subject, lane=lane, **payload)

    def counted(self, session: Session, tracker: str) -> Sequence[Issue]:
        """The issues of a tracker whose fixes are watched, for as long as customers are known here."""
        since = self.clock.now() - timedelta(seconds=self.settings.retention.customer_context)
        return queries.counted(session, tracker, since)

    def record(
        self,
        session: Session,
        what: str,
        *,
        issue: Issue | None = None,
        escalation: Escalation | None = None,
        by: str = "",
        proof: dict[str, Any] | None = None,
    ) -> None:
        """Write a line of history."""
        session.add(
            History(
                issue_id=issue.id if issue else escalation.issue_id if escalation else None,
                escalation_id=escalation.id if escalation else None,
                at=self.clock.now(),
                what=what,
                by=by,
                proof=proof,
            )
        )

    def advance(
        self, session: Session, issue: Issue, happening: Happening, by: str = "", proof: dict[str, Any] | None = None
    ) -> bool:
        """Move the issue's stage; False when `happening` means nothing where it stands."""
        after = move(issue.stage, happening)
        if after is issue.stage:
            return False
        now, day = self.clock.now(), issue.promised_on
        if issue.stage is Stage.SHIPPED and day is not None and issue.stage_since.date() <= day < now.date():
            issue.promised_on, issue.promised_by = None, ""  # it was kept; nobody named a day for what comes now
        issue.stage, issue.stage_since = after, now
        what = {Happening.REOPENED: "reopened", Happening.UNSHIPPED: "taken_back"}.get(happening, after.value)
        self.record(session, what, issue=issue, by=by, proof=proof)
        return True

    def notify(self, session: Session, template: str, key: str, person: str, **payload: Any) -> None:
        """Promise one direct message, once per `key`."""
        self.promise(
            session, "notice", key, f"dm:{person}", lane=f"slack:{person}", template=template, person=person, **payload
        )

    def keep_current(self, session: Session, issue: Issue) -> None:
        """What stands outside for this issue, the card and the customers' table, is brought up to date."""
        self.show(session, issue)
        if issue.number is not None:
            self.refresh(
                session,
                "customers",
                f"customers:{issue.id}",
                f"issue:{issue.id}",
                lane=self.lane(issue),
                issue=issue.id,
            )

    def show(self, session: Session, issue: Issue) -> None:
        """The card alone: what only it shows has changed."""
        self.refresh(
            session, "card", f"card:{issue.id}", f"card:{issue.id}", lane=f"slack:{issue.channel}", issue=issue.id
        )

    def look_at(self, session: Session, issue: Issue) -> None:
        """Promise to ask the tracker how the issue stands."""
        self._ask(session, "look", issue)

    def glance_at(self, session: Session, issue: Issue) -> None:
        """Promise to ask the tracker whether anything happened to the issue of which we did not hear."""
        self._ask(session, "glance", issue)

    def look_at_ticket(self, session: Session, ticket: Ticket) -> None:
        """Promise to ask the helpdesk how a ticket stands and what was said there."""
        lane = self.helpdesks[ticket.helpdesk or ""].lane if ticket.helpdesk in self.helpdesks else ""
        key = f"ticket:{ticket.id}"
        self.refresh(session, "ticket", key, f"look:{key}", lane=lane, ticket=ticket.id)

    def hold(self, session: Session, ticket: Ticket) -> None:
        """Promise that the ticket stands on hold exactly while it waits for a developer, where that is wanted."""
        helpdesk = self.helpdesks.get(ticket.helpdesk or "")
        if self.settings.write_backs.hold and helpdesk is not None and Ability.HOLD in helpdesk.abilities:
            key = f"hold:{ticket.id}"
            self.refresh(session, "hold", key, f"ticket:{ticket.id}", lane=helpdesk.lane, ticket=ticket.id)

    def bring_files(self, session: Session, escalation: Escalation) -> None:
        """Promise that the issue shows what the customer sent, where policy and tracker may let it. On a subject of its
        own, so that a helpdesk which is away holds up nothing else of the issue's."""
        issue, times = escalation.issue, queries.refiled(session, escalation.issue_id)
        full = any(one.key == issue.project and one.privacy == "full" for one in self.settings.projects)
        if full and isinstance(self.trackers.get(issue.tracker), TakesFiles):
            key = f"files:{escalation.id}{f':{times}' if times else ''}"
            self.refresh(session, "files", key, key, lane=self.lane(issue), escalation=escalation.id)

    def watch(self, session: Session, name: str) -> None:
        """Promise to ask a helpdesk which tickets were touched."""
        key = f"watch:{name}"
        self.refresh(session, "watch", key, key, lane=self.helpdesks[name].lane, helpdesk=name)

    def prove(self, session: Session, issue: Issue) -> None:
        """Promise to ask the tracker whether the issue's fix is out."""
        self._ask(session, "prove", issue)

    def _ask(self, session: Session, kind: str, issue: Issue) -> None:
        self.refresh(session, kind, f"{kind}:{issue.id}", f"{kind}:{issue.id}", lane=self.lane(issue), issue=issue.id)

    def examine(self, session: Session, project: Project) -> None:
        """Promise to look at what is new on a project's lines."""
        key, lane = f"examine:{project.key}", self.trackers[project.tracker].lane
        self.refresh(session, "examine", key, key, lane=lane, project=project.key)

    def mirror(self, session: Session, project: Project) -> None:
        """Promise to learn which issues a project's tracker has."""
        key, lane = f"mirror:{project.key}", self.trackers[project.tracker].lane
        self.refresh(session, "mirror", key, key, lane=lane, project=project.key)

    def check(self, session: Session, project: Project) -> None:
        """Promise to ask a project's tracker whether the bot can do there what it must."""
        key, lane = f"check:{project.key}", self.trackers[project.tracker].lane
        self.refresh(session, "check", key, key, lane=lane, project=project.key)

    def poll(self, session: Session, project: Project, resource: str, repository: str) -> None:
        """Promise to ask a project's tracker what was touched of a repository's `resource`."""
        elsewhere = "" if repository.casefold() == project.repository.casefold() else f"@{repository}"
        key, lane = f"poll:{project.key}:{resource}{elsewhere}", self.trackers[project.tracker].lane
        self.refresh(
            session,
            "poll",
            key,
            key,
            lane=lane,
            project=project.key,
            resource=resource,
            repository=repository,
            watch=f"{resource}{elsewhere}",
        )

    def redeliver(self, session: Session, project: Project, public_url: str) -> None:
        """Promise to ask a project's tracker again for the webhook deliveries that did not arrive at `public_url`."""
        key, lane = f"redeliver:{project.tracker}/{project.key}", self.trackers[project.tracker].lane
        address = f"{public_url}/webhooks/{project.tracker}"
        self.refresh(session, "redeliver", key, key, lane=lane, project=project.key, address=address)

    def zone(self, session: Session, person: str) -> ZoneInfo:
        """The zone that somebody's Slack is set to; UTC where nobody knows."""
        known = session.get(Person, person)
        return zone(known.tz if known else "UTC")

    def lane(self, issue: Issue) -> str:
        tracker = self.trackers.get(issue.tracker)
        return tracker.lane if tracker else ""

    def announce(self, session: Session, escalation: Escalation, *, told: bool = False) -> None:
        """Once the issue has its number: the agent hears where the ticket went, unless they were `told`, and the ticket
        carries a note."""
        if escalation.issue.stage is Stage.FILING:
            return
        ticket, times = escalation.ticket, queries.refiled(session, escalation.issue_id)
        times += links.unlinked(session, escalation.id)
        again = f":{times}" if times else ""
        key = f"filed:{escalation.id}:{escalation.agent}{again}"
        if not told:
            self.notify(session, "filed", key, escalation.agent, escalation=escalation.id)
        if ticket.helpdesk and ticket.helpdesk in self.helpdesks:
            self.promise(
                session,
                "note",
                f"note:{escalation.id}{again}",
                f"ticket:{ticket.id}",
                lane=self.helpdesks[ticket.helpdesk].lane,
                escalation=escalation.id,
            )
            self.hold(session, ticket)
            self.bring_files(session, escalation)
