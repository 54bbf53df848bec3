"""Taking a ticket off an issue on which it should not wait, and putting it back. Nothing owed goes silently."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from bot.bridge import news
from bot.bridge.core import Bridge
from bot.model import TAKEN_OFF, Stage, Step, UserError, WriteBack, step
from bot.store import links, queries
from bot.store.tables import Escalation


@dataclass(frozen=True, slots=True)
class TakenOff:
    """What taking a ticket off its issue did."""

    escalation: Escalation
    excused: int  # write-backs that are not owed any more
    told: bool  # the customer was written to about this issue
    quoted: bool  # the issue's own text was made from this ticket
    left: tuple[Escalation, ...]  # where the ticket still waits
    informed: tuple[str, ...]  # who is told, by Slack id


def take_off(bridge: Bridge, escalation_id: str, by: str) -> TakenOff:
    """The ticket waits on that issue no more; its history stays. Raises UserError."""
    with bridge.store.write() as session:
        escalation = session.get(Escalation, escalation_id, with_for_update=True)
        if escalation is None or escalation.taken_off is not None:
            raise UserError("This ticket was taken off that issue already.")
        issue, states = escalation.issue, {row.state for row in escalation.write_backs}
        if issue.stage is Stage.FILING:
            raise UserError("This issue is not filed yet. Try again in a moment.")
        if WriteBack.SENDING in states:
            raise UserError("A reply to this customer is on its way. Try again in a moment.")
        if WriteBack.UNCERTAIN in states:
            raise UserError(
                "The last reply to this customer may or may not have gone out. Look at the ticket, say which in my "
                "message about it, then try again."
            )
        quoted = links.first_on(session, issue.id) == escalation.id
        excused = _excuse(bridge, session, escalation)
        escalation.taken_off = bridge.clock.now()
        bridge.record(session, "unlinked", escalation=escalation, by=by)
        bridge.hold(session, escalation.ticket)
        session.flush()
        session.refresh(issue, ["escalations"])
        bridge.keep_current(session, issue)
        people = [escalation.agent, *(one.person for one in escalation.followers)]
        informed = [person for person in dict.fromkeys(people) if person != by]
        times = links.unlinked(session, escalation.id)
        for person in informed:
            key = f"unlinked:{escalation.id}:{person}:{times}"
            bridge.notify(session, "unlinked", key, person, escalation=escalation.id, by=by, excused=excused)
        left = queries.carried(session, escalation.ticket.helpdesk or "", escalation.ticket.number or "")
        for one in left:
            _ = one.issue
        return TakenOff(escalation, excused, WriteBack.WRITTEN in states, quoted, tuple(left), tuple(informed))


def _excuse(bridge: Bridge, session: Session, escalation: Escalation) -> int:
    """What was owed to this customer for the issue is not owed any more, for a reason that is kept."""
    excused = 0
    for row in escalation.write_backs:
        state = step(row.state, Step.RELEASE) or row.state
        after = step(state, Step.SKIP)
        if after is not None:
            row.state, row.reason, row.done_at = after, TAKEN_OFF, bridge.clock.now()
            bridge.record(session, "skipped", escalation=escalation)
            news.refresh_round(bridge, session, row)
            excused += 1
    return excused


def put_back(
    session: Session, ticket_id: str, issue_id: str, agent: str, title: str, summary: str = ""
) -> Escalation | None:
    """The escalation of a ticket that had been taken off this issue, on it again and its new agent's: what it was
    excused from can become due anew. None where there is no such escalation."""
    escalation = links.taken_off(session, ticket_id, issue_id)
    if escalation is None:
        return None
    for row in list(escalation.write_backs):
        if row.state is WriteBack.SKIPPED and row.reason == TAKEN_OFF:
            links.drop_hearings(session, escalation.id, row.news_id)
            session.delete(row)
    escalation.taken_off, escalation.came_from = None, None
    escalation.agent, escalation.title = agent, title
    if summary:
        escalation.summary = summary
    session.flush()
    session.refresh(escalation, ["write_backs"])
    return escalation
