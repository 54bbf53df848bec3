"""Effects on a ticket: the internal note, the agent's reply, and noticing that somebody answered."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from bot import issue_text
from bot.bridge import drafts, flag, hear, tickets, write_back
from bot.model import Step, WriteBack
from bot.outbox import Job, Uncertain, maybe_done
from bot.performers.base import Base
from bot.slack import shown
from bot.store import answers
from bot.store.tables import Escalation, Person, Ticket, WatchRow, WriteBackRow
from bot.texts import Say
from integrations.base import (
    Event,
    FollowsUp,
    Helpdesk,
    NotFound,
    Rejected,
    ServiceError,
    SpeaksFor,
    TicketLine,
    Unauthorised,
    Watch,
)

TAG = "passerelle"
"""The tag by which a helpdesk's views find the tickets that wait for an issue."""

TELL_AFTER = 3
"""Tries after which the agent hears that their reply takes longer."""


class Note(Base):
    """`note:{escalation}`: the ticket carries an internal note with the issue's link, and a tag."""

    def look(self, job: Job) -> str | None:
        helpdesk, ticket, _ = self._read(job)
        return helpdesk.marked(ticket.place, job.key)

    def perform(self, job: Job) -> str:
        helpdesk, ticket, text = self._read(job)
        with suppress(Rejected, Unauthorised):  # a tag may be a right of its own; the note says why it fails
            helpdesk.tag(ticket.place, TAG)
        self.in_time(job)
        return helpdesk.note(ticket.place, text, job.key)

    def give_up(self, session: Session, job: Job, error: Exception) -> None:
        escalation = session.get_one(Escalation, job.payload["escalation"])
        key, agent = f"unnoted:{escalation.id}:{int(job.since.timestamp())}", escalation.agent
        self.bridge.notify(session, "unnoted", key, agent, escalation=escalation.id, why=said(error))

    def stuck(self, session: Session, job: Job, error: ServiceError) -> None:
        if job.attempts >= TELL_AFTER:  # replies on this ticket stand behind the note
            escalation = session.get_one(Escalation, job.payload["escalation"])
            write_back.delayed(self.bridge, session, escalation.ticket_id, said(error))

    def _read(self, job: Job) -> tuple[Helpdesk, Ticket, str]:
        with self.bridge.store.read() as session:
            escalation = session.get_one(Escalation, job.payload["escalation"])
            ticket, issue = escalation.ticket, shown.issue_name(escalation.issue)
            agent = self.people.name(session, escalation.agent)
        say = Say(self.bridge.settings.slack.language)
        text = issue_text.ticket_note(say, issue.title, issue.label, issue.url, agent)
        return self.bridge.helpdesks[ticket.helpdesk or ""], ticket, text


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a reply: `what` is sent, stale, taken_back, changed, merged or spam."""

    what: str
    id: str = ""
    follow_up: TicketLine | None = None  # the ticket that it opened
    found: tickets.Seen | None = None


class Reply(Base):
    """`reply:{write-back}:{try}`: the agent's words, as a public reply. Never repeated on doubt, and not sent where the
    news was taken back while the reply waited, or where something was said on the ticket that its agent has not seen.
    """

    def look(self, job: Job) -> Outcome | None:
        with self.bridge.store.read() as session:
            row = session.get_one(WriteBackRow, job.payload["write_back"])
            ticket = row.escalation.ticket
        helpdesk = self.bridge.helpdesks[ticket.helpdesk or ""]
        if isinstance(helpdesk, FollowsUp) and (made := helpdesk.marked_follow_up(job.key)):
            return Outcome("sent", follow_up=made)
        found = helpdesk.marked(ticket.place, job.key)
        if found is None:
            raise Uncertain("the helpdesk did not say clearly whether it has the reply")
        return Outcome("sent", found)

    def perform(self, job: Job) -> Outcome:
        with self.bridge.store.read() as session:
            row = session.get_one(WriteBackRow, job.payload["write_back"])
            ticket, text, stands = row.escalation.ticket, row.text, row.news.stands
            agent = session.get(Person, job.payload["by"])
            ours = answers.replies(session, ticket.id)
        if row.state is not WriteBack.SENDING or not _latest(job, row):
            return Outcome("stale")
        if not stands:
            return Outcome("taken_back")
        helpdesk, number = self.bridge.helpdesks[ticket.helpdesk or ""], ticket.place
        found = helpdesk.ticket(number)
        if found.number != number:
            return Outcome("merged", found=tickets.seen(found))
        if found.status == "spam":
            return Outcome("spam")
        seen = datetime.fromisoformat(job.payload["seen"])
        theirs = [one for one in found.messages if one.public and one.role != "ours" and one.id not in ours]
        if any(one.at > seen for one in theirs):
            return Outcome("changed", found=tickets.seen(found))
        email, name = (agent.email, agent.name) if agent else ("", "")
        if not _speaks(helpdesk, email) and name and name not in text:
            text = f"{text}\n\n{name}"
        self.in_time(job)
        if found.status == "closed" and isinstance(helpdesk, FollowsUp):
            return Outcome("sent", follow_up=helpdesk.follow_up(number, text, job.key, email))
        return Outcome("sent", helpdesk.reply(number, text, job.key, email))

    def settle(self, session: Session, job: Job, result: Outcome) -> None:
        row_id, by = job.payload["write_back"], job.payload["by"]
        row = session.get_one(WriteBackRow, row_id)
        if row.state not in (WriteBack.SENDING, WriteBack.UNCERTAIN) or not _latest(job, row):
            return  # settled another way while this try was a dead letter
        if result.what == "sent":
            made = result.follow_up
            write_back.sent(self.bridge, session, row_id, result.id, by, follow_up=made is not None)
            if made is not None:
                tickets.follow(self.bridge, session, row.escalation.ticket, made)
        elif result.what != "stale":
            why, template = self._why(session, row, result.what), "changed" if result.what == "changed" else ""
            write_back.not_sent(self.bridge, session, row_id, Step.REFUSED, why, by, template)
            if result.found is not None:
                tickets.apply(self.bridge, session, row.escalation.ticket_id, result.found)

    def _why(self, session: Session, row: WriteBackRow, what: str) -> str:
        say = self.people.say(session, row.escalation.agent)
        if what == "merged":
            return say("the ticket was merged into another one. Look at that one first")
        if what == "spam":
            return say("the ticket is marked as spam in the helpdesk")
        if what == "changed":
            return say("something was said on the ticket since you opened the page")
        return say("the news was taken back before it could go out")

    def stuck(self, session: Session, job: Job, error: ServiceError) -> None:
        if job.attempts >= TELL_AFTER:
            row = session.get_one(WriteBackRow, job.payload["write_back"])
            write_back.delayed(self.bridge, session, row.escalation.ticket_id, said(error))

    def give_up(self, session: Session, job: Job, error: Exception) -> None:
        row = session.get_one(WriteBackRow, job.payload["write_back"])
        if row.state is not WriteBack.SENDING or not _latest(job, row):
            return
        taken = Step.DOUBT if job.doubtful or maybe_done(error) else Step.REFUSED
        write_back.not_sent(self.bridge, session, row.id, taken, said(error), job.payload["by"])


def _latest(job: Job, row: WriteBackRow) -> bool:
    """Whether this is the last reply that was tried."""
    return job.key.endswith(f":{row.tries}")


def _speaks(helpdesk: Helpdesk, email: str) -> bool:
    """Whether the customer reads the agent's name above the reply anyway."""
    return isinstance(helpdesk, SpeaksFor) and helpdesk.speaks_for(email)


def said(error: Exception) -> str:
    """What the helpdesk said, as a clause for a person."""
    return error.detail if isinstance(error, ServiceError) and error.detail else str(error)


class LearnTicket(Base):
    """`facts:{ticket}`: what the helpdesk could not tell when the ticket was flagged is asked again."""

    writes = False

    def perform(self, job: Job) -> tuple[dict[str, Any], tickets.Seen]:
        with self.bridge.store.read() as session:
            ticket = session.get_one(Ticket, job.payload["ticket"])
        found = self.bridge.helpdesks[ticket.helpdesk or ""].ticket(ticket.place)
        return drafts.as_columns(found), tickets.seen(found)

    def settle(self, session: Session, job: Job, result: tuple[dict[str, Any], tickets.Seen]) -> None:
        columns, seen = result
        flag.learn(self.bridge, session, job.payload["ticket"], columns)
        tickets.apply(self.bridge, session, job.payload["ticket"], seen)


class LookAtTicket(Base):
    """`ticket:{id}`: how a ticket stands in its helpdesk, and what customer and agents said there."""

    writes = False

    def perform(self, job: Job) -> tickets.Seen | None:
        with self.bridge.store.read() as session:
            ticket = session.get_one(Ticket, job.payload["ticket"])
        helpdesk = self.bridge.helpdesks.get(ticket.helpdesk or "")
        if helpdesk is None:
            return None
        try:
            return tickets.seen(helpdesk.ticket(ticket.place))
        except NotFound:
            return None

    def settle(self, session: Session, job: Job, result: tickets.Seen | None) -> None:
        if result is None:
            session.get_one(Ticket, job.payload["ticket"]).status = "deleted"
        else:
            tickets.apply(self.bridge, session, job.payload["ticket"], result)


class Hold(Base):
    """`hold:{ticket}`: the ticket stands on hold exactly while it waits for a developer."""

    def perform(self, job: Job) -> bool:
        with self.bridge.store.read() as session:
            ticket = session.get_one(Ticket, job.payload["ticket"])
            on = answers.waits(session, ticket.id)
        with suppress(NotFound, Rejected, Unauthorised):  # it is gone, or the account may not: no agent's concern
            self.bridge.helpdesks[ticket.helpdesk or ""].hold(ticket.place, on)
        return on


class WatchHelpdesk(Base):
    """`watch:{helpdesk}`: which tickets were touched since the last time, for what no webhook told."""

    writes = False
    _project = ""  # a helpdesk is no project's own

    def perform(self, job: Job) -> tuple[list[Event], Watch]:
        name = job.payload["helpdesk"]
        with self.bridge.store.read() as session:
            row = session.get(WatchRow, (self._project, f"tickets:{name}"))
        return self.bridge.helpdesks[name].poll(Watch(row.state if row else {}))

    def settle(self, session: Session, job: Job, result: tuple[list[Event], Watch]) -> None:
        events, watch = result
        name = job.payload["helpdesk"]
        row = session.get(WatchRow, (self._project, f"tickets:{name}"))
        if row is None:
            session.add(WatchRow(project=self._project, resource=f"tickets:{name}", state=dict(watch.state)))
        elif row.state != dict(watch.state):
            row.state = dict(watch.state)
        hear.dispatch(self.bridge, session, name, events)
