"""Effects of a customer's word after the write-back: the issue is open again, or a new one refers to it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from bot import issue_text, privacy
from bot.bridge import confirm
from bot.model import Confirmation, WriteBack
from bot.outbox import Job
from bot.performers.base import Base
from bot.privacy import Policy
from bot.slack import reply_page, shown, views
from bot.slack.views import confirm as pages
from bot.store import queries
from bot.store.tables import Issue, WriteBackRow
from bot.texts import Say
from integrations.base import Issue as TrackerIssue, NotFound, Rejected, ServiceError, Unavailable

LONG_AGO = timedelta(days=60)
"""How old a message may be that says what a customer's answer meant."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What became of the issue."""

    at: datetime | None = None  # it is open again since then
    lost: bool = False  # it cannot be opened: a new one goes on
    later: bool = False  # it is being filed in another project


class Reopen(Base):
    """`reopen:{write-back}`: the issue has the customer's new words, as far as policy lets them, and is open again;
    unless they are about a fix that was taken back before (`known`), or the issue was filed for them (`only`). What was
    done already is not done again, so it can be repeated at any point."""

    def look(self, job: Job) -> Opened | None:
        return None

    def perform(self, job: Job) -> Opened:
        with self.bridge.store.read() as session:
            issue = session.get_one(Issue, job.payload["issue"])
            row = session.get_one(WriteBackRow, job.payload["write_back"])
            customers = queries.customers(session, issue.id)
            filing = queries.promised(session, "issue", f"issue:{issue.id}")
        if issue.number is None and filing:
            return Opened(later=True)
        if issue.number is None:
            raise Unavailable(issue.tracker, "the issue is being filed in another project", maybe_done=False)
        tracker, policy = self.bridge.tracker(issue), self.policy(issue)
        told = row.answer if policy in (Policy.REDACTED, Policy.FULL) else ""
        told = privacy.reason_leaving(told, customers, policy)
        say = Say(self.bridge.settings.slack.language)
        words = issue_text.worded(say, told)
        try:
            found = tracker.issue(issue.repository, issue.number)
            if self._lost(found) and not job.payload.get("only"):
                return Opened(lost=True)
            if tracker.marked_comment(issue.repository, issue.number, job.key) is None:
                self.in_time(job)
                text = issue_text.broken_comment(say, words)
                tracker.comment(issue.repository, issue.number, text, job.key)
            if job.payload.get("known"):
                return Opened()
            if not found.open:
                tracker.reopen(issue.repository, issue.number)
                found = tracker.issue(issue.repository, issue.number)
        except (NotFound, Rejected):
            return Opened(lost=not job.payload.get("only"))
        return Opened(found.updated_at)

    def _lost(self, found: TrackerIssue) -> bool:
        """Nobody would look there any more."""
        within = timedelta(seconds=self.bridge.settings.write_backs.reopen_within)
        long_closed = not found.open and found.closed_at is not None
        return found.locked or bool(
            long_closed and found.closed_at and found.closed_at < self.bridge.clock.now() - within
        )

    def settle(self, session: Session, job: Job, result: Opened) -> None:
        issue = session.get_one(Issue, job.payload["issue"], with_for_update=True)
        row, by = session.get_one(WriteBackRow, job.payload["write_back"]), job.payload["by"]
        named = issue
        if result.later:  # this stands before it on the same subject
            self.bridge.promise(session, "reopen", f"{job.key}+", f"issue:{issue.id}", **job.payload)
            return
        if result.lost:
            say = Say(self.bridge.settings.slack.language)
            summary = issue_text.broken_summary(say, shown.issue_name(issue).label, "")
            named = confirm.go_on(self.bridge, session, row, summary, by)
        elif result.at is not None:
            confirm.reopened(self.bridge, session, issue, result.at)
        else:
            return
        dev = issue.support_dev or self.bridge.project(issue.project).support_devs[0].slack
        key = f"broken:{row.id}:{dev}"
        self.bridge.notify(session, "broken", key, dev, issue=named.id, before=issue.id, by=by)

    def give_up(self, session: Session, job: Job, error: Exception) -> None:
        """What was held waits for the issue: whoever said so hears that it is not open, and who can open it."""
        issue, by = session.get_one(Issue, job.payload["issue"]), job.payload["by"]
        for person in dict.fromkeys([by, issue.support_dev or by]):
            key = f"unopened:{job.key}:{person}:{int(job.since.timestamp())}"
            self.bridge.notify(session, "unopened", key, person, issue=issue.id, by=by)


class Confirmed(Base):
    """`confirmed:{write-back}`: the message that showed the customer's answer says what its agent read in it."""

    def perform(self, job: Job) -> bool:
        with self.bridge.store.read() as session:
            row = session.get_one(WriteBackRow, job.payload["write_back"])
            person, key = row.escalation.agent, confirm.heard_key(row)
            post = _heard(self, self.people.say(session, person), row)
        channel = self.chat.dm(person)
        there = self.chat.find(channel, key, job.since - LONG_AGO)
        if there is not None:
            self.chat.update(channel, there, post, key)
        return there is not None


def _heard(self: Base, say: Say, row: WriteBackRow) -> views.Post:
    facts = shown.ticket_facts(row.escalation.ticket, self.bridge.clock.now())
    state = row.confirmation or Confirmation.ANSWERED
    return pages.heard(say, row.id, facts, shown.news_line(row.news), row.answer, state)


# --- notices ----------------------------------------------------------------------------------------------------------


def heard(self: Base, session: Session, say: Say, payload: Mapping[str, Any]) -> views.Post:
    """The customer answered after they were written to."""
    return _heard(self, say, session.get_one(WriteBackRow, payload["write_back"]))


def broken(self: Base, session: Session, say: Say, payload: Mapping[str, Any]) -> views.Post:
    """The fix did not help a customer."""
    issue, before = (session.get_one(Issue, payload[name]) for name in ("issue", "before"))
    by = self.people.name(session, payload["by"])
    if issue is not before:
        return pages.broken_again(say, shown.issue_name(issue), shown.issue_name(before), by)
    return pages.broken(say, shown.issue_name(issue), by, len(shown.waiting(issue)))


def unopened(self: Base, session: Session, say: Say, payload: Mapping[str, Any]) -> views.Post:
    """The issue could not be opened again."""
    issue = session.get_one(Issue, payload["issue"])
    return pages.unopened(say, shown.issue_name(issue), self.people.name(session, payload["by"]))


def changed(self: Base, session: Session, say: Say, payload: Mapping[str, Any]) -> views.Post:
    """Something was said on the ticket before the reply could go out."""
    row = session.get_one(WriteBackRow, payload["write_back"])
    ticket = row.escalation.ticket
    said: tuple[views.Said, ...] = ()
    with suppress(ServiceError):  # that the reply did not go out is to be heard all the same
        found = self.bridge.helpdesks[ticket.helpdesk or ""].ticket(ticket.place)
        said = reply_page.said(found, row.escalation.flagged_at)[-3:]
    facts = shown.ticket_facts(ticket, self.bridge.clock.now())
    return pages.changed(say, row.id, facts, said, row.text, taken=row.state is WriteBack.WRITTEN)


def note_wanted(self: Base, session: Session, say: Say, payload: Mapping[str, Any]) -> views.Post:
    """It is fixed, and nobody has said for customers what was mended."""
    issue = session.get_one(Issue, payload["issue"])
    command = self.bridge.tracker(issue).command("note-to-customer")
    return pages.note_wanted(say, issue.id, shown.issue_name(issue), len(shown.waiting(issue)), command)
