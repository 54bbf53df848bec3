"""Effects on a ticket: the internal note, the agent's reply, and noticing that somebody answered."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from sqlalchemy.orm import Session

from bot import issue_text
from bot.bridge import drafts, flag, write_back
from bot.model import Step, WriteBack
from bot.outbox import Job, Uncertain, maybe_done
from bot.performers.base import Base
from bot.slack import shown
from bot.store.tables import Escalation, Ticket, WriteBackRow
from bot.texts import Say
from integrations.base import Helpdesk, NotFound, Rejected, ServiceError, Unauthorised

TAG = "passerelle"
"""The tag by which a helpdesk's views find the tickets that wait for an issue."""

STALE = ""
"""Nothing to send any more: the write-back went another way meanwhile."""


TELL_AFTER = 3
"""Tries after which the agent hears that their reply takes longer."""


class Note(Base):
    """`note:{escalation}`: the ticket carries an internal note with the issue's link, and a tag."""

    def look(self, job: Job) -> str | None:
        helpdesk, ticket, _ = self._read(job)
        return helpdesk.marked(ticket.number or "", job.key)

    def perform(self, job: Job) -> str:
        helpdesk, ticket, text = self._read(job)
        with suppress(Rejected, Unauthorised):  # a tag may be a right of its own; the note says why it fails
            helpdesk.tag(ticket.number or "", TAG)
        self.in_time(job)
        return helpdesk.note(ticket.number or "", text, job.key)

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


class Reply(Base):
    """`reply:{write-back}:{try}`: the agent's words, as a public reply. Never repeated on doubt, and not sent where the
    news was taken back while the reply waited."""

    def look(self, job: Job) -> str | None:
        with self.bridge.store.read() as session:
            row = session.get_one(WriteBackRow, job.payload["write_back"])
            ticket = row.escalation.ticket
        found = self.bridge.helpdesks[ticket.helpdesk or ""].marked(ticket.number or "", job.key)
        if found is None:
            raise Uncertain("the helpdesk did not say clearly whether it has the reply")
        return found

    def perform(self, job: Job) -> str | None:
        with self.bridge.store.read() as session:
            row = session.get_one(WriteBackRow, job.payload["write_back"])
            ticket, text, stands = row.escalation.ticket, row.text, row.news.stands
            agent = self.people.email(session, job.payload["by"])
        if row.state is not WriteBack.SENDING or not job.key.endswith(f":{row.tries}"):
            return STALE
        if not stands:
            return None
        return self.bridge.helpdesks[ticket.helpdesk or ""].reply(ticket.number or "", text, job.key, agent)

    def settle(self, session: Session, job: Job, result: str | None) -> None:
        row_id, by = job.payload["write_back"], job.payload["by"]
        row = session.get_one(WriteBackRow, row_id)
        if row.state not in (WriteBack.SENDING, WriteBack.UNCERTAIN) or not job.key.endswith(f":{row.tries}"):
            return  # settled another way while this try was a dead letter
        if result is None:
            say = self.people.say(session, row.escalation.agent)
            why = say("the news was taken back before it could go out")
            write_back.not_sent(self.bridge, session, row_id, Step.REFUSED, why, by)
        elif result != STALE:
            write_back.sent(self.bridge, session, row_id, result, by)

    def stuck(self, session: Session, job: Job, error: ServiceError) -> None:
        if job.attempts >= TELL_AFTER:
            row = session.get_one(WriteBackRow, job.payload["write_back"])
            write_back.delayed(self.bridge, session, row.escalation.ticket_id, said(error))

    def give_up(self, session: Session, job: Job, error: Exception) -> None:
        row = session.get_one(WriteBackRow, job.payload["write_back"])
        if row.state is not WriteBack.SENDING:
            return
        taken = Step.DOUBT if job.doubtful or maybe_done(error) else Step.REFUSED
        write_back.not_sent(self.bridge, session, row.id, taken, said(error), job.payload["by"])


def said(error: Exception) -> str:
    """What the helpdesk said, as a clause for a person."""
    return error.detail if isinstance(error, ServiceError) and error.detail else str(error)


class LearnTicket(Base):
    """`facts:{ticket}`: what the helpdesk could not tell when the ticket was flagged is asked again."""

    writes = False

    def perform(self, job: Job) -> dict[str, Any]:
        with self.bridge.store.read() as session:
            ticket = session.get_one(Ticket, job.payload["ticket"])
        return drafts.as_columns(self.bridge.helpdesks[ticket.helpdesk or ""].ticket(ticket.number or ""))

    def settle(self, session: Session, job: Job, result: dict[str, Any]) -> None:
        flag.learn(self.bridge, session, job.payload["ticket"], result)


class LookAtTicket(Base):
    """`ticket:{id}`: has an agent answered the customer in the helpdesk itself?"""

    writes = False

    def perform(self, job: Job) -> list[write_back.Answer]:
        with self.bridge.store.read() as session:
            ticket = session.get_one(Ticket, job.payload["ticket"])
        try:
            found = self.bridge.helpdesks[ticket.helpdesk or ""].ticket(ticket.number or "")
        except NotFound:
            return []
        theirs = [message for message in found.messages if message.public and message.role == "agent"]
        return [write_back.Answer(message.id, message.at) for message in theirs]

    def settle(self, session: Session, job: Job, result: list[write_back.Answer]) -> None:
        write_back.notice(self.bridge, session, job.payload["ticket"], result)
