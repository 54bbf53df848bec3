"""The write-back: the unit nobody may forget, from due to written."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from bot.bridge import news
from bot.bridge.core import Bridge
from bot.model import Step, UserError, WriteBack, step
from bot.store import queries
from bot.store.tables import WriteBackRow


def opened(bridge: Bridge, session: Session, write_back_id: str) -> WriteBackRow:
    """The write-back, when its reply can be written here. Raises UserError."""
    row = _row(session, write_back_id)
    if row.state not in (WriteBack.DUE, WriteBack.UNCERTAIN):
        raise _refusal(row.state)
    if row.escalation.ticket.helpdesk not in bridge.helpdesks:
        raise UserError("This ticket has no helpdesk here. Write to the customer, then press “Already written”.")
    return row


def send(bridge: Bridge, write_back_id: str, text: str, by: str) -> None:
    """Promise the agent's own words as a public reply on the ticket. Raises UserError."""
    words = text.strip()
    if not words:
        raise UserError("Write your reply first; an empty one is not sent.")
    with bridge.store.write() as session:
        row = opened(bridge, session, write_back_id)
        ticket = row.escalation.ticket
        if row.state is WriteBack.UNCERTAIN:
            _take(bridge, session, row, Step.REDO, by)
        _take(bridge, session, row, Step.SEND, by)
        row.text, row.reason, row.tries = words, "", row.tries + 1
        bridge.promise(
            session,
            "reply",
            f"reply:{row.id}:{row.tries}",
            f"ticket:{ticket.id}",
            lane=bridge.helpdesks[ticket.helpdesk or ""].lane,
            write_back=row.id,
            by=by,
        )


def mark_written(bridge: Bridge, write_back_id: str, by: str) -> None:
    """The agent wrote by another way. Raises UserError."""
    with bridge.store.write() as session:
        _take(bridge, session, _row(session, write_back_id), Step.MARK_WRITTEN, by)


def skip(bridge: Bridge, write_back_id: str, reason: str, by: str) -> None:
    """The agent decides not to write, for a reason. Raises UserError."""
    if not reason.strip():
        raise UserError("Say why this customer needs no answer.")
    with bridge.store.write() as session:
        row = _row(session, write_back_id)
        _take(bridge, session, row, Step.SKIP, by)
        row.reason = reason.strip()


def sent(bridge: Bridge, session: Session, write_back_id: str, by: str) -> None:
    """The helpdesk has the reply."""
    row = _row(session, write_back_id)
    _take(bridge, session, row, Step.SENT, by)
    row.text = ""


def not_sent(bridge: Bridge, session: Session, write_back_id: str, taken: Step, why: str, by: str) -> None:
    """The helpdesk refused the reply, or may have it: whoever wrote it hears which, with the words kept."""
    row = _row(session, write_back_id)
    _take(bridge, session, row, taken, by)
    row.reason = why
    template = "uncertain" if taken is Step.DOUBT else "refused"
    bridge.notify(session, template, f"{template}:{row.id}:{row.tries}", by, write_back=row.id, tries=row.tries)


def notice(bridge: Bridge, session: Session, ticket_id: str, replies: list[datetime]) -> None:
    """An agent answered in the helpdesk itself: a public reply later than the news marks its write-back written."""
    for row in queries.due_on_ticket(session, ticket_id):
        if any(at > row.due_at for at in replies):
            _take(bridge, session, row, Step.MARK_WRITTEN, row.agent)


def _row(session: Session, write_back_id: str) -> WriteBackRow:
    row = session.get(WriteBackRow, write_back_id, with_for_update=True)
    if row is None:
        raise UserError("That write-back is not known here any more.")
    return row


def _take(bridge: Bridge, session: Session, row: WriteBackRow, taken: Step, by: str) -> None:
    after = step(row.state, taken)
    if after is None:
        raise _refusal(row.state)
    row.state = after
    if after in (WriteBack.WRITTEN, WriteBack.SKIPPED):
        row.done_at = bridge.clock.now()
    what = {Step.MARK_WRITTEN: "written", Step.SENT: "written", Step.SKIP: "skipped", Step.DOUBT: "uncertain"}
    if taken in what:
        bridge.record(session, what[taken], escalation=row.escalation, by=by)
    news.refresh_round(bridge, session, row)
    bridge.keep_current(session, row.escalation.issue)


def _refusal(state: WriteBack) -> UserError:
    """Why a step cannot be taken from `state`, and what to do instead."""
    if state is WriteBack.HELD:
        return UserError("This news no longer holds, so the write-back waits. You will hear when it is due again.")
    if state is WriteBack.SENDING:
        return UserError("This reply is on its way already.")
    if state is WriteBack.UNCERTAIN:
        return UserError("Look at the ticket first: the last reply may have gone out.")
    if state is WriteBack.SKIPPED:
        return UserError("This write-back was skipped already.")
    return UserError("This customer was written back to already.")
