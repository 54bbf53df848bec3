"""After the write-back: the customer's next word, what the agent reads in it, and what follows from that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from bot.bridge import news
from bot.bridge.core import Bridge
from bot.model import Confirmation, Happening, News, Reply, UserError, WriteBack, confirm
from bot.store import answers, index
from bot.store.tables import Issue, WriteBackRow
from integrations.base import Message

ANSWER_LIMIT = 3000
"""Characters of a customer's answer that are kept: what Slack shows in one section."""

CLOCKS_APART = timedelta(seconds=3)
"""How much later than ours the helpdesk's clock may be."""


def begin(bridge: Bridge, row: WriteBackRow) -> None:
    """The customer was told that it is out: their next word is waited for, where it can be heard."""
    if row.news.kind is News.SHIPPED and row.escalation.ticket.helpdesk in bridge.helpdesks:
        row.confirmation, row.confirmed_at = Confirmation.WAITING, bridge.clock.now()


def hear(bridge: Bridge, session: Session, ticket_id: str, said: Sequence[Message]) -> None:
    """The first word of the customer after the last write-back is shown to its agent, once."""
    row = next(iter(answers.awaited(session, ticket_id)), None)
    if row is None:
        return
    found = next((message for message in _since(said, row) if message.role == "customer"), None)
    if found is None or not _take(bridge, row, Reply.ANSWER):
        return
    row.answer, row.answer_id = found.text[:ANSWER_LIMIT], found.id
    bridge.notify(session, "heard", f"heard:{row.id}:{found.id}", row.agent, write_back=row.id)


def _since(said: Sequence[Message], row: WriteBackRow) -> Sequence[Message]:
    """What was said after the reply; where that is not told by its id, after the time at which it was written."""
    place = next((index for index, message in enumerate(said) if message.id == row.reply_id), None)
    if place is not None:
        return said[place + 1 :]
    since = (row.done_at or row.due_at) - CLOCKS_APART
    return [message for message in said if message.at > since]


def works(bridge: Bridge, write_back_id: str, by: str) -> None:
    """The customer says that it works. Raises UserError."""
    with bridge.store.write() as session:
        row = _row(session, write_back_id)
        if not _take(bridge, row, Reply.WORKS):
            raise _refusal(row)
        row.answer = ""
        bridge.record(session, "works", escalation=row.escalation, by=by)
        bridge.keep_current(session, row.escalation.issue)


def opened(bridge: Bridge, session: Session, write_back_id: str) -> WriteBackRow:
    """The write-back whose customer says that it is still broken. Raises UserError."""
    row = _row(session, write_back_id)
    if row.confirmation is None or confirm(row.confirmation, Reply.STILL_BROKEN) is None:
        raise _refusal(row)
    return row


def still_broken(bridge: Bridge, write_back_id: str, text: str, by: str) -> None:
    """The customer says that it is still broken: the issue is opened again with their words, as far as the policy lets
    them, and whoever was not written to yet waits. Raises UserError."""
    if not text.strip():
        raise UserError("Say what is still broken, in the customer’s words or yours.")
    with bridge.store.write() as session:
        row = opened(bridge, session, write_back_id)
        _take(bridge, row, Reply.STILL_BROKEN)
        row.answer = text.strip()[:ANSWER_LIMIT]
        issue = row.escalation.issue
        bridge.record(session, "still_broken", escalation=row.escalation, by=by)
        if row.news.stands:
            news.hold(bridge, session, issue)
        key, lane = f"reopen:{row.id}", bridge.lane(issue)
        bridge.promise(session, "reopen", key, f"issue:{issue.id}", lane=lane, issue=issue.id, write_back=row.id, by=by)
        bridge.keep_current(session, issue)


def fall_silent(bridge: Bridge, session: Session) -> None:
    """Who has not answered for so long is not waited for any more. That is silence, and no word that it works."""
    before = bridge.clock.now() - timedelta(seconds=bridge.settings.write_backs.silent_after)
    for row in answers.waiting_since(session, before):
        if _take(bridge, row, Reply.SILENCE):
            bridge.record(session, "silent", escalation=row.escalation)


def _take(bridge: Bridge, row: WriteBackRow, reply: Reply) -> bool:
    after = confirm(row.confirmation, reply) if row.confirmation else None
    if after is None:
        return False
    row.confirmation, row.confirmed_at = after, bridge.clock.now()
    return True


def _row(session: Session, write_back_id: str) -> WriteBackRow:
    row = session.get(WriteBackRow, write_back_id, with_for_update=True)
    if row is None:
        raise UserError("That write-back is not known here any more.")
    return row


def _refusal(row: WriteBackRow) -> UserError:
    if row.confirmation is Confirmation.WORKS:
        return UserError("It is noted already that it works for this customer.")
    if row.confirmation is Confirmation.STILL_BROKEN:
        return UserError("It is noted already that it is still broken for this customer.")
    if row.state is not WriteBack.WRITTEN:
        return UserError("This customer was not written to yet.")
    return UserError("This was no news of a fix, so there is nothing to confirm.")


def reopened(bridge: Bridge, session: Session, issue: Issue, at: datetime) -> None:
    """The issue is open again in its tracker, on a customer's word; `at` by the tracker's clock. Who was told that it
    is out hears nothing new: whether it is broken for them as well, nobody knows yet."""
    issue.closed_seen, issue.wanted = False, ""
    if bridge.advance(session, issue, Happening.REOPENED):
        news.hold(bridge, session, issue)
        issue.reopened_at, issue.fixes, issue.said_fixes, issue.out, issue.back = at, [], [], {}, {}
        issue.note = ""
    index.stands(session, issue.id, is_open=True, closed_at=None)
    bridge.look_at(session, issue)
    bridge.keep_current(session, issue)
