"""Effects in a tracker: filing the issue, keeping the customers' table, declining."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session

from bot import issue_text, privacy
from bot.bridge import duty, known
from bot.model import Happening, Stage
from bot.outbox import Job
from bot.performers.base import Base
from bot.reasons import clause
from bot.slack import shown
from bot.store import links, queries
from bot.store.tables import Escalation, Issue, NewsItem, Ticket
from bot.texts import Say
from integrations.base import (
    IssueDraft,
    IssueRef,
    NotFound,
    ServiceError,
    Unauthorised,
    Unavailable,
)

TELL_AFTER = 3
"""Tries after which the agent hears that filing takes longer."""


def facts_of(ticket: Ticket, escalation: Escalation) -> privacy.Facts:
    """All that is known, before any policy."""
    return privacy.Facts(
        ticket_number=ticket.number or "",
        ticket_url=ticket.url,
        helpdesk=shown.ticket_name(ticket).helpdesk,
        subject=ticket.subject,
        customer_name=ticket.customer_name,
        customer_email=ticket.customer_email,
        organisation=ticket.organisation,
        plan=ticket.plan,
        fields=tuple((name, value) for name, value in ticket.fields),
        language=ticket.language,
        words=ticket.words,
        attachments=tuple(ticket.attachments),
        tags=tuple(ticket.tags),
        agent_title=escalation.title,
        agent_summary=escalation.summary,
        files=tuple((one["name"], one["url"]) for one in escalation.files),
    )


class FileIssue(Base):
    """`issue:{id}`: file the issue, once."""

    def look(self, job: Job) -> IssueRef | None:
        issue = self._where(job)
        since = issue.created_at - timedelta(hours=1)
        return self.bridge.tracker(issue).marked_issue(issue.repository, job.key, since)

    def _where(self, job: Job) -> Issue:
        """The issue, to be filed where its project says now: a mended configuration is what a retry needs."""
        with self.bridge.store.write() as session:
            issue = session.get_one(Issue, job.payload["issue"], with_for_update=True)
            project = self.bridge.project(issue.project)
            if issue.number is None:
                issue.tracker, issue.repository = project.tracker, project.repository
        return issue

    def perform(self, job: Job) -> IssueRef:
        issue = self._where(job)
        with self.bridge.store.read() as session:
            issue = session.get_one(Issue, issue.id)
            first = links.speaker(session, issue)
            facts = facts_of(first.ticket, first)
            agent = self.people.name(session, first.agent)
        policy = self.policy(issue)
        say = Say(self.bridge.settings.slack.language)
        facts = issue_text.facts_worded(say, privacy.leaving(facts, policy))
        agent = privacy.agent_leaving(agent, policy)
        project, tracker = self.bridge.project(issue.project), self.bridge.tracker(issue)
        logins = tracker.assignable(issue.repository, duty.login(project, issue.support_dev))
        draft = IssueDraft(
            title=issue_text.issue_title(facts.agent_title),
            body=issue_text.issue_body(
                say, facts, agent=agent, kind=issue.kind, severity=issue.severity, command=tracker.command
            ),
            type=project.issue_types.get(issue.kind.value, ""),
            labels=project.labels,
            assignees=logins,
            confidential=policy in (privacy.Policy.REDACTED, privacy.Policy.FULL),
        )
        with self.bridge.store.write() as session:  # whoever is another at the next look, somebody else assigned
            session.get_one(Issue, issue.id).assigned = sorted(login.lower() for login in logins)
        self.in_time(job)
        return tracker.create_issue(issue.repository, draft, job.key)

    def settle(self, session: Session, job: Job, result: IssueRef) -> None:
        issue = session.get_one(Issue, job.payload["issue"], with_for_update=True)
        issue.number, issue.url, issue.trouble = result.number, result.url, ""
        self.bridge.advance(session, issue, Happening.FILED)
        known.filed(self.bridge, session, issue)
        self.bridge.keep_current(session, issue)
        for escalation in issue.escalations:
            self.bridge.announce(session, escalation)
        duty.tell(self.bridge, session, issue)
        if old := job.payload.get("old"):
            tracker = self.bridge.trackers.get(old["tracker"])
            key = f"pointer:{issue.id}:{old['tracker']}:{old['repository']}:{old['number']}"
            lane = tracker.lane if tracker else ""
            self.bridge.promise(session, "pointer", key, f"{key}", lane=lane, issue=issue.id, old=old)

    def give_up(self, session: Session, job: Job, error: Exception) -> None:
        self._tell(session, job, error, "dead")

    def stuck(self, session: Session, job: Job, error: ServiceError) -> None:
        if job.attempts == TELL_AFTER:
            self._tell(session, job, error, "slow")

    def _tell(self, session: Session, job: Job, error: Exception, state: str) -> None:
        issue = session.get_one(Issue, job.payload["issue"], with_for_update=True)
        issue.trouble = why(Say(self.bridge.settings.slack.language), error, issue.repository)
        self.bridge.keep_current(session, issue)
        agents = {escalation.agent for escalation in issue.escalations}
        for person in agents | set(self.bridge.settings.slack.leads if state == "dead" else ()):
            key = f"unfiled:{issue.id}:{person}:{state}:{int(job.since.timestamp())}"
            reason = why(self.people.say(session, person), error, issue.repository)
            self.bridge.notify(session, "unfiled", key, person, issue=issue.id, state=state, effect=job.id, why=reason)


def why(say: Say, error: Exception, what: str) -> str:
    """The reason of a failure at `what`, as a sentence for a person, without secrets."""
    detail = clause(say, error.detail.rstrip(".")) if isinstance(error, ServiceError) else ""
    if isinstance(error, NotFound):
        return say(
            "{what} is not to be seen in the tracker any more: it is gone or renamed, or our token may not read it.",
            what=what,
        )
    if isinstance(error, Unauthorised):
        return say("The tracker refuses our token ({detail}).", detail=detail or what)
    if isinstance(error, Unavailable):
        return say("The tracker does not answer ({detail}).", detail=detail or what)
    return say("The tracker refuses: {detail}.", detail=detail or str(error))


class CustomersTable(Base):
    """`customers:{issue}`: the customers who wait, kept current in the issue. It is replaced as a whole, so after doubt
    it is simply written again."""

    def perform(self, job: Job) -> str:
        with self.bridge.store.read() as session:
            issue = session.get_one(Issue, job.payload["issue"])
        text = self._text(issue.id, self.policy(issue))
        self.in_time(job)
        tracker, number = self.bridge.tracker(issue), issue.number or 0
        return tracker.keep(issue.repository, number, text, job.key, issue.table_comment)

    def _text(self, issue_id: str, policy: privacy.Policy) -> str:
        with self.bridge.store.read() as session:
            issue = session.get_one(Issue, issue_id)
            first = "" if queries.adopted(session, issue.id) else links.first_on(session, issue.id)
            rows = [self._row(session, one, policy, in_text=one.id == first) for one in shown.waiting(issue)]
        return issue_text.customers_table(Say(self.bridge.settings.slack.language), rows, now=self.bridge.clock.now())

    def _row(
        self, session: Session, escalation: Escalation, policy: privacy.Policy, *, in_text: bool
    ) -> issue_text.Waiting:
        """`in_text`: the issue's own text has what was said with this ticket."""
        say = Say(self.bridge.settings.slack.language)
        facts = issue_text.facts_worded(say, privacy.leaving(facts_of(escalation.ticket, escalation), policy))
        return issue_text.Waiting(
            ticket_number=facts.ticket_number,
            ticket_url=facts.ticket_url,
            customer=facts.customer_name,
            organisation=facts.organisation,
            plan=facts.plan,
            language=facts.language,
            since=escalation.ticket.waiting_since,
            agent=privacy.agent_leaving(self.people.name(session, escalation.agent), policy),
            summary="" if in_text else facts.agent_summary,
            words="" if in_text else facts.words,
            files=() if in_text else facts.files,
        )

    def settle(self, session: Session, job: Job, result: str) -> None:
        session.get_one(Issue, job.payload["issue"]).table_comment = result


class Pointer(Base):
    """`pointer:{issue}:{place}`: the issue that was left says where it went instead of who waits, and is closed."""

    def perform(self, job: Job) -> bool:
        with self.bridge.store.read() as session:
            issue = session.get_one(Issue, job.payload["issue"])
        old = job.payload["old"]
        tracker = self.bridge.trackers[old["tracker"]]
        say = Say(self.bridge.settings.slack.language)
        text = say("Carried to another project.")
        if not tracker.repository(old["repository"]).public:  # what the other is called is nobody else's business
            name = shown.issue_name(issue)
            text = say("Carried to {issue}, where its customers wait: {url}", issue=name.label, url=name.url)
        self.in_time(job)
        tracker.keep(old["repository"], old["number"], text, f"customers:{issue.id}", old["table"])
        tracker.close(old["repository"], old["number"], "not_planned")
        return True


class Decline(Base):
    """`declined:{news}`: the reason stands in the issue, and the issue is closed as not planned."""

    def look(self, job: Job) -> bool | None:
        issue, _, _ = self._read(job)
        if self._taken_back(job):
            return False
        tracker, number = self.bridge.tracker(issue), issue.number or 0
        if not job.payload["commented"] and tracker.marked_comment(issue.repository, number, job.key) is None:
            return None
        tracker.close(issue.repository, number, "not_planned")
        return True

    def perform(self, job: Job) -> bool:
        issue, reason, by = self._read(job)
        if self._taken_back(job):
            return False
        tracker, number = self.bridge.tracker(issue), issue.number or 0
        # A refused closing leaves the comment behind, so a second try has to look for it.
        there = job.attempts > 1 and tracker.marked_comment(issue.repository, number, job.key) is not None
        if not job.payload["commented"] and not there:
            say, policy = Say(self.bridge.settings.slack.language), self.policy(issue)
            reason = issue_text.worded(say, privacy.reason_leaving(reason, self._customers(issue), policy))
            text = issue_text.decline_comment(say, privacy.agent_leaving(by, policy), reason)
            self.in_time(job)
            tracker.comment(issue.repository, number, text, job.key)
        tracker.close(issue.repository, number, "not_planned")
        return True

    def settle(self, session: Session, job: Job, result: bool) -> None:
        if result:
            session.get_one(Issue, job.payload["issue"], with_for_update=True).closed_seen = True

    def give_up(self, session: Session, job: Job, error: Exception) -> None:
        issue = session.get_one(Issue, job.payload["issue"], with_for_update=True)
        issue.trouble = why(Say(self.bridge.settings.slack.language), error, shown.issue_name(issue).label)
        self.bridge.show(session, issue)

    def _taken_back(self, job: Job) -> bool:
        """Whether the issue went another way since it was declined."""
        with self.bridge.store.read() as session:
            return not session.get_one(NewsItem, job.payload["news"]).stands

    def _customers(self, issue: Issue) -> list[str]:
        with self.bridge.store.read() as session:
            return queries.customers(session, issue.id)

    def _read(self, job: Job) -> tuple[Issue, str, str]:
        with self.bridge.store.read() as session:
            news = session.get_one(NewsItem, job.payload["news"])
            issue = news.issue
        return issue, news.text, news.by if job.payload["commented"] else self.people.look_up(news.by).name


class Close(Base):
    """`close:{issue}:{cause}`: what was fixed without a commit is closed in the tracker, too."""

    def perform(self, job: Job) -> bool:
        with self.bridge.store.read() as session:
            issue = session.get_one(Issue, job.payload["issue"])
        if issue.stage is not Stage.SHIPPED:
            return False
        self.in_time(job)
        self.bridge.tracker(issue).close(issue.repository, issue.number or 0, "completed")
        return True

    def settle(self, session: Session, job: Job, result: bool) -> None:
        if result:
            session.get_one(Issue, job.payload["issue"], with_for_update=True).closed_seen = True


class Hint(Base):
    """`hint:{issue}:{comment}`: a command that could not be obeyed is answered in the issue, with the next step."""

    def look(self, job: Job) -> bool | None:
        issue = self._issue(job)
        found = self.bridge.tracker(issue).marked_comment(issue.repository, issue.number or 0, job.key)
        return True if found else None

    def perform(self, job: Job) -> bool:
        issue = self._issue(job)
        say = Say(self.bridge.settings.slack.language)
        command, names = job.payload["command"], job.payload.get("names") or {}
        problem = str(job.payload["problem"])
        at = self.bridge.tracker(issue).command
        text = say("Write the reason after `{command}`, so that agents can pass it on.", command=at("decline"))
        if command == "fixed-by":
            text = say(
                "Write a commit, or a pull or merge request that is merged, after `{command}`, such as `{command} "
                "3f2a91c`. If there is none, write `{without}` and what was done.",
                command=at("fixed-by"),
                without=at("fixed-without-commit"),
            )
        elif command == "fixed-without-commit":
            text = say("Write what was done after `{command}`, so that agents can pass it on.", command=at(command))
        elif command != "decline":
            text = say("Write what you want to say after `{command}`.", command=at(command))
        if problem:
            harmless = {name: privacy.harmless(clause(say, value)) for name, value in names.items()}
            sentence = say.repeat(problem, harmless) if names else privacy.harmless(say.repeat(problem, {}))
            text = sentence if job.payload.get("whole") else f"{sentence} {text}"
        self.bridge.tracker(issue).comment(issue.repository, issue.number or 0, text, job.key)
        return True

    def _issue(self, job: Job) -> Issue:
        with self.bridge.store.read() as session:
            return session.get_one(Issue, job.payload["issue"])
