"""What happens to a ticket in its helpdesk: answered, taken by somebody else, merged, closed, called spam."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from bot.bridge import confirm, news, taken_off, write_back
from bot.bridge.core import Bridge
from bot.model import MERGED, Confirmation, Step, WriteBack, step
from bot.store import queries
from bot.store.tables import Escalation, Follower, Ticket, WriteBackRow
from integrations.base import Message, Ticket as HelpdeskTicket, TicketLine


@dataclass(frozen=True, slots=True)
class Seen:
    """A ticket as its helpdesk showed it: how it stands, and its public conversation, oldest first."""

    number: str
    url: str
    status: str
    assignee: str
    said: tuple[Message, ...]


def seen(found: HelpdeskTicket) -> Seen:
    said = tuple(message for message in found.messages if message.public)
    return Seen(found.number, found.url, found.status, found.assignee, said)


def apply(bridge: Bridge, session: Session, ticket_id: str, found: Seen) -> None:
    """Bring our record in line with what was seen, and hear what was said since."""
    ticket = session.get_one(Ticket, ticket_id, with_for_update=True)
    if found.number != ticket.place:
        ticket = _merged(bridge, session, ticket, found)
    ticket.status, ticket.assignee = found.status, found.assignee
    said = [write_back.Answer(one.id, one.at) for one in found.said if one.role == "agent"]
    write_back.notice(bridge, session, ticket.id, said)
    confirm.hear(bridge, session, ticket.id, found.said)


def follow(bridge: Bridge, session: Session, ticket: Ticket, made: TicketLine) -> None:
    """A closed ticket has a follow-up: what comes is said and written there."""
    apply(bridge, session, ticket.id, Seen(made.number, made.url, made.status, ticket.assignee, ()))


def _merged(bridge: Bridge, session: Session, ticket: Ticket, found: Seen) -> Ticket:
    """The ticket went into another one: its customers are answered there. Where that one waits on the same issue, one
    answer is for both, and whoever flagged the one that is gone follows."""
    other = queries.ticket(session, ticket.helpdesk or "", found.number)
    if other is None:
        ticket.goes_on_as, ticket.url = found.number, found.url
        return ticket
    for escalation in queries.on_ticket(session, ticket.id):
        if any(row.state in (WriteBack.SENDING, WriteBack.UNCERTAIN) for row in escalation.write_backs):
            continue  # once that is settled, the ticket is looked at again
        there = queries.escalation_of(session, ticket.helpdesk or "", found.number, escalation.issue_id)
        if there is None:  # it may have been on the issue once
            gone = (escalation.agent, escalation.title, escalation.summary)
            there = taken_off.put_back(session, other.id, escalation.issue_id, *gone)
            if there is not None:
                news.owe_standing(bridge, session, there)
                session.flush()
                session.refresh(there, ["write_backs"])
        if there is None:
            escalation.ticket = other
        else:
            _into(bridge, session, escalation, there)
        bridge.record(session, "ticket_merged", escalation=escalation)
        bridge.keep_current(session, escalation.issue)
    session.flush()
    return other


def _into(bridge: Bridge, session: Session, escalation: Escalation, there: Escalation) -> None:
    """Of two escalations of one customer to one issue: nothing is owed twice, also where one was answered before, and
    what only the one owed is owed by the other."""
    twins = {row.news_id: row for row in there.write_backs}
    for row in escalation.write_backs:
        if row.state is WriteBack.WRITTEN and row.news_id in twins:
            _answered(bridge, session, twins[row.news_id], row)
        elif row.state is WriteBack.DUE and row.news_id not in twins:
            news.owe(bridge, session, there, row.news)
    _excuse(bridge, session, escalation.write_backs)
    escalation.taken_off = bridge.clock.now()
    for person in {escalation.agent, *(one.person for one in escalation.followers)} - {there.agent}:
        if session.get(Follower, (there.id, person)) is None:
            session.add(Follower(escalation_id=there.id, person=person, since=bridge.clock.now()))
    session.flush()


def _answered(bridge: Bridge, session: Session, twin: WriteBackRow, row: WriteBackRow) -> None:
    """What was written on the one ticket counts on the other, where the customer's next word is waited for."""
    after = step(step(twin.state, Step.RELEASE) or twin.state, Step.MARK_WRITTEN)
    if after is None:
        return
    twin.state, twin.done_at, twin.noticed, twin.reply_id = after, row.done_at, row.noticed, row.reply_id
    twin.unmarked = [*twin.unmarked, *row.unmarked]
    twin.confirmation, twin.confirmed_at = row.confirmation, row.confirmed_at
    twin.answer, twin.answer_id = row.answer, row.answer_id
    row.confirmation, row.answer = None, ""
    news.refresh_round(bridge, session, twin)
    if twin.confirmation is Confirmation.ANSWERED:
        confirm.tell(bridge, session, twin)


def _excuse(bridge: Bridge, session: Session, rows: Sequence[WriteBackRow]) -> None:
    for row in rows:
        after = step(step(row.state, Step.RELEASE) or row.state, Step.SKIP)
        if after is not None:
            row.state, row.reason, row.done_at = after, MERGED, bridge.clock.now()
            news.refresh_round(bridge, session, row)
