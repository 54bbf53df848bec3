"""After the write-back: the customer's next word, what the agent reads in it, and what follows from that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from bot.bridge import flag, news
from bot.bridge.core import Bridge
from bot.model import ENDS, SUPERSEDED, Confirmation, Happening, News, Reply, Step, UserError, WriteBack, confirm, step
from bot.store import answers, index
from bot.store.queries import SETTLED
from bot.store.tables import Escalation, Issue, WriteBackRow
from integrations.base import Message

ANSWER_LIMIT = 3000
"""Characters of a customer's answer that are kept: what Slack shows in one section."""

CLOCKS_APART = timedelta(seconds=3)
"""How much later than ours the helpdesk's clock may be."""


def begin(bridge: Bridge, row: WriteBackRow) -> None:
    """The customer was told that it is out: their next word is waited for, where it can be heard."""
    if row.news.kind is News.SHIPPED and row.escalation.ticket.helpdesk in bridge.helpdesks:
        row.confirmation, row.confirmed_at = Confirmation.WAITING, bridge.clock.now()
        row.answer, row.answer_id = "", ""


def hear(bridge: Bridge, session: Session, ticket_id: str, said: Sequence[Message]) -> None:
    """What the customer says after the last write-back is shown to whoever has them: each word once, until somebody
    says what it means."""
    for row in answers.awaited(session, ticket_id):
        found = [message for message in _since(said, row) if message.role == "customer"]
        if found and _take(bridge, row, Reply.ANSWER):
            row.answer = "\n\n".join(message.text for message in found)[:ANSWER_LIMIT]
            row.answer_id = found[-1].id
            tell(bridge, session, row)


def tell(bridge: Bridge, session: Session, row: WriteBackRow) -> None:
    """Whoever has the customer reads what they answered last, once."""
    bridge.notify(session, "heard", heard_key(row), row.escalation.agent, write_back=row.id)


def heard_key(row: WriteBackRow) -> str:
    """The key of the message that shows the customer's answer to whoever has them."""
    person = row.escalation.agent
    return f"heard:{row.id}:{row.answer_id}" + ("" if person == row.agent else f":{person}")


def _since(said: Sequence[Message], row: WriteBackRow) -> Sequence[Message]:
    """What was said after the customer's last word, else after the reply; where that is not told by its id, after the
    time at which it was heard or written."""
    last = row.answer_id or row.reply_id
    place = next((index for index, message in enumerate(said) if message.id == last), None)
    if place is not None:
        return said[place + 1 :]
    since = row.confirmed_at if row.answer_id else (row.done_at or row.due_at) - CLOCKS_APART
    return [message for message in said if since is None or message.at > since]


def works(bridge: Bridge, write_back_id: str, by: str) -> None:
    """The customer says that it works. Raises UserError."""
    with bridge.store.write() as session:
        row = _row(session, write_back_id)
        if not _take(bridge, row, Reply.WORKS):
            raise _refusal(row)
        bridge.record(session, "works", escalation=row.escalation, by=by)
        _show(bridge, session, row)
        bridge.keep_current(session, row.escalation.issue)


def opened(bridge: Bridge, session: Session, write_back_id: str) -> WriteBackRow:
    """The write-back whose customer says that it is still broken. Raises UserError."""
    row = _row(session, write_back_id)
    if row.confirmation is None or confirm(row.confirmation, Reply.STILL_BROKEN) is None:
        raise _refusal(row)
    return row


def still_broken(bridge: Bridge, write_back_id: str, text: str, by: str) -> None:
    """The customer says that it is still broken: the issue is opened again with their words, as far as the policy lets
    them, and whoever was not written to yet waits. Of a fix that was taken back since, it is only said there: another
    one may be on its way. Raises UserError."""
    if not text.strip():
        raise UserError("Say what is still broken, in the customer’s words or yours.")
    with bridge.store.write() as session:
        row = opened(bridge, session, write_back_id)
        _take(bridge, row, Reply.STILL_BROKEN)
        row.answer = text.strip()[:ANSWER_LIMIT]
        issue = row.escalation.issue
        bridge.record(session, "still_broken", escalation=row.escalation, by=by)
        known = not row.news.stands
        if not known:
            news.hold(bridge, session, issue)
        _say(bridge, session, f"reopen:{row.id}", issue, row, by, known=known)
        _show(bridge, session, row)
        bridge.keep_current(session, issue)


def _say(
    bridge: Bridge, session: Session, key: str, issue: Issue, row: WriteBackRow, by: str, *, known: bool, **more: bool
) -> None:
    subject, lane = f"issue:{issue.id}", bridge.lane(issue)
    payload = {"issue": issue.id, "write_back": row.id, "by": by, "known": known, **more}
    bridge.promise(session, "reopen", key, subject, lane=lane, **payload)


def go_on(bridge: Bridge, session: Session, row: WriteBackRow, summary: str, by: str) -> Issue:
    """What cannot be opened again goes on in a new issue: one for all customers who say so while that is open, and for
    all who were not written to yet. Their words are said there, as far as the policy lets them."""
    before = row.escalation.issue
    issue = answers.successor(session, before.id)
    if issue is not None and issue.stage in SETTLED:
        issue = None
    waiting = [one for one in before.escalations if one is not row.escalation and _release(bridge, session, one)]
    made = flag.again(bridge, session, row.escalation, issue, summary)
    if issue is None:
        bridge.record(session, "gone_on", issue=before, proof={"issue": made.issue_id})
    for escalation in waiting:
        flag.again(bridge, session, escalation, made.issue)
    _say(bridge, session, f"reopen:{row.id}:{made.issue_id}", made.issue, row, by, known=True, only=True)
    return made.issue


def _release(bridge: Bridge, session: Session, escalation: Escalation) -> bool:
    """Nothing is held any more of what was the end of an issue; whether anything was."""
    held = [row for row in escalation.write_backs if row.state is WriteBack.HELD and row.news.kind in ENDS]
    for row in held:
        row.state = step(step(row.state, Step.RELEASE) or row.state, Step.SKIP) or row.state
        row.reason, row.done_at = SUPERSEDED, bridge.clock.now()
        news.refresh_round(bridge, session, row)
    return bool(held)


def fall_silent(bridge: Bridge, session: Session) -> None:
    """Who has not answered for so long is not waited for any more. That is silence, and no word that it works."""
    before = bridge.clock.now() - timedelta(seconds=bridge.settings.write_backs.silent_after)
    for row in answers.waiting_since(session, before):
        if _take(bridge, row, Reply.SILENCE):
            bridge.record(session, "silent", escalation=row.escalation)


def _show(bridge: Bridge, session: Session, row: WriteBackRow) -> None:
    """The message that showed the customer's answer says what it meant."""
    if row.answer_id:
        key, person = f"confirmed:{row.id}", row.escalation.agent
        bridge.refresh(session, "confirmed", key, f"dm:{person}", lane=f"slack:{person}", write_back=row.id)


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
