"""The write-back: the unit nobody may forget, from due to written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from bot.bridge import confirm, flag, news
from bot.bridge.core import Bridge
from bot.model import ANSWERED, MEANWHILE, SUPERSEDED, Confirmation, News, Step, UserError, WriteBack, step
from bot.store import queries
from bot.store.tables import WriteBackRow


@dataclass(frozen=True, slots=True)
class Answer:
    """A public message of an agent on a ticket; `at` is the helpdesk's time."""

    id: str
    at: datetime


def opened(bridge: Bridge, session: Session, write_back_id: str) -> WriteBackRow:
    """The write-back, when its reply can be written here. Raises UserError."""
    row = _row(session, write_back_id)
    if row.state not in (WriteBack.DUE, WriteBack.UNCERTAIN):
        raise _refusal(row.state)
    if row.escalation.ticket.helpdesk not in bridge.helpdesks:
        raise UserError("This ticket has no helpdesk here. Write to the customer, then press “Already written”.")
    if not row.news.stands:
        raise UserError(
            "This news no longer holds. Look at the ticket: if your reply is there, press “It is there”; if it is not, "
            "there is nothing to write until you hear newer news."
        )
    return row


Page = tuple[str, int, str]
"""What a page knew: the write-back, how many replies were tried before it was opened, and until when it showed the
ticket (ISO 8601; "": it did not)."""


def send(bridge: Bridge, write_back_id: str, tries: int, seen: str, text: str, by: str) -> None:
    """Promise the agent's own words as a public reply on the ticket. Raises UserError."""
    send_all(bridge, [(write_back_id, tries, seen)], text, by)


def send_all(bridge: Bridge, pages: Sequence[Page], text: str, by: str) -> None:
    """The same for several customers, to all of them or, where one of them cannot be written to, to none. Raises
    UserError; where it is about one of them, a FieldError with that write-back."""
    words = text.strip()
    if not words:
        raise UserError("Write your reply first; an empty one is not sent.")
    with bridge.store.write() as session:
        for page in pages:
            try:
                _send(bridge, session, page, words, by)
            except UserError as error:
                raise flag.FieldError(page[0], error.message, **error.names) from None


def _send(bridge: Bridge, session: Session, page: Page, words: str, by: str) -> None:
    write_back_id, tries, seen = page
    row = opened(bridge, session, write_back_id)
    if row.tries != tries:
        raise UserError(
            "Another reply was tried after this page was opened. Look at the ticket first; if it needs yours, copy "
            "your words and press “Write back” again."
        )
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
        seen=seen or row.due_at.isoformat(),
    )


def mark_written(bridge: Bridge, write_back_id: str, by: str) -> None:
    """The agent wrote by another way. Raises UserError."""
    with bridge.store.write() as session:
        row = _row(session, write_back_id)
        doubtful = row.state is WriteBack.UNCERTAIN
        _take(bridge, session, row, Step.MARK_WRITTEN, by)
        if doubtful:
            _look_again(bridge, session, row)


def skip(bridge: Bridge, write_back_id: str, reason: str, by: str) -> None:
    """The agent decides not to write, for a reason. Raises UserError."""
    if not reason.strip():
        raise UserError("Say why this customer needs no answer.")
    with bridge.store.write() as session:
        row = _row(session, write_back_id)
        doubtful = row.state is WriteBack.UNCERTAIN
        _take(bridge, session, row, Step.SKIP, by)
        row.reason = reason.strip()
        if doubtful:
            _look_again(bridge, session, row)


def _look_again(bridge: Bridge, session: Session, row: WriteBackRow) -> None:
    """What happened to the ticket while a reply was in doubt waited for that: it may have gone into another one."""
    if row.escalation.ticket.helpdesk in bridge.helpdesks:
        bridge.look_at_ticket(session, row.escalation.ticket)


def unmark(bridge: Bridge, write_back_id: str, by: str) -> None:
    """What was taken for the answer was about something else. Raises UserError."""
    with bridge.store.write() as session:
        row = _row(session, write_back_id)
        if not row.noticed:
            raise UserError("This was not noticed in the helpdesk: somebody said so, or sent it from here.")
        if row.escalation.taken_off is not None:
            raise UserError("This ticket was taken off that issue already.")
        _take(bridge, session, row, Step.UNMARK, by)
        row.unmarked = [*row.unmarked, row.reply_id or ""]
        row.reply_id, row.noticed, row.done_at = None, False, None
        row.confirmation, row.confirmed_at = None, None
        if row.agent != row.escalation.agent:  # handed over meanwhile
            row.agent = row.escalation.agent
            news.hear(bridge, session, row.agent, row.escalation, row.news)
            news.refresh_round(bridge, session, row)
        if not row.news.stands:
            _hold(bridge, session, row, by)


def sent(
    bridge: Bridge, session: Session, write_back_id: str, reply_id: str, by: str, *, follow_up: bool = False
) -> None:
    """The helpdesk has the reply, by that id; `follow_up`: in a ticket that it opened."""
    row = _row(session, write_back_id)
    _take(bridge, session, row, Step.SENT, by)
    row.text, row.reply_id = "", reply_id or None
    if follow_up:
        bridge.record(session, "follow_up", escalation=row.escalation, by=by)
    bridge.look_at_ticket(session, row.escalation.ticket)


def not_sent(
    bridge: Bridge, session: Session, write_back_id: str, taken: Step, why: str, by: str, template: str = ""
) -> None:
    """The helpdesk refused the reply, or may have it: whoever wrote it hears which, with the words kept."""
    row = _row(session, write_back_id)
    _take(bridge, session, row, taken, by)
    row.reason = why
    if taken is Step.REFUSED and not row.news.stands:
        _hold(bridge, session, row, by)
    template = template or ("uncertain" if taken is Step.DOUBT else "refused")
    key = f"{template}:{row.id}:{row.tries}"
    bridge.notify(session, template, key, by, write_back=row.id, tries=row.tries, why=why)


def _hold(bridge: Bridge, session: Session, row: WriteBackRow, by: str) -> None:
    """The news was taken back while the reply was on its way; where nothing more comes of it, or newer news takes its
    place, that is the end."""
    _take(bridge, session, row, Step.HOLD, by)
    settled = _settled(row)
    if settled or row.news.kind in MEANWHILE or row.escalation.issue.joined:
        _take(bridge, session, row, Step.RELEASE, by)
        row.state, row.done_at = WriteBack.SKIPPED, bridge.clock.now()
        row.reason = ANSWERED if row.news.kind is News.QUESTION and not settled else SUPERSEDED


def _settled(row: WriteBackRow) -> bool:
    """Whether news of the end stands."""
    return any(item.stands and item.kind in (News.SHIPPED, News.DECLINED) for item in row.escalation.issue.news)


def _doubted(session: Session, row: WriteBackRow) -> bool:
    """Whether nothing was taken back: a customer said of this news that it is still broken, and that is all."""
    if any(item.stands and item.kind is News.ROLLED_BACK for item in row.escalation.issue.news):
        return False
    return any(one.confirmation is Confirmation.STILL_BROKEN for one in news.told(session, row.news))


def delayed(bridge: Bridge, session: Session, ticket_id: str, why: str) -> None:
    """Replies on this ticket take longer: whoever wrote one hears so, once. `why` is a clause."""
    for escalation in queries.on_ticket(session, ticket_id):
        for row in escalation.write_backs:
            promised = queries.effect(session, f"reply:{row.id}:{row.tries}")
            if row.state is WriteBack.SENDING and promised is not None:
                key = f"delayed:{row.id}:{row.tries}"
                bridge.notify(session, "delayed", key, promised.payload["by"], write_back=row.id, why=why)


def notice(bridge: Bridge, session: Session, ticket_id: str, replies: Sequence[Answer]) -> None:
    """An agent answered in the helpdesk itself: that marks the one write-back that is due on the ticket written.

    It must be clear what was answered. So nothing is marked while several are due or a reply of ours is on its way,
    by a reply of ours to other news (it bears the agent's name), nor by what may have settled another write-back."""
    rows = [row for escalation in queries.on_ticket(session, ticket_id) for row in escalation.write_backs]
    due = [row for row in rows if row.state is WriteBack.DUE or (row.state is WriteBack.UNCERTAIN and row.news.stands)]
    if len(due) != 1 or any(row.state is WriteBack.SENDING for row in rows):
        return
    since = max([due[0].due_at, *(row.done_at for row in rows if row.done_at)]) + confirm.CLOCKS_APART
    known = {row.reply_id for row in rows} | set(due[0].unmarked)
    answer = next((one for one in replies if one.at >= since and one.id not in known), None)
    if answer is not None:
        due[0].noticed, due[0].reply_id = due[0].state is WriteBack.DUE, answer.id
        _take(bridge, session, due[0], Step.MARK_WRITTEN, due[0].agent)


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
    if after in (WriteBack.DUE, WriteBack.UNCERTAIN):
        row.again_at = bridge.clock.now()
    if after in (WriteBack.WRITTEN, WriteBack.SKIPPED):
        row.done_at = bridge.clock.now()
    if after is WriteBack.WRITTEN:
        confirm.begin(bridge, row)
    if (
        after is WriteBack.WRITTEN
        and row.news.kind is News.SHIPPED
        and not _settled(row)
        and not _doubted(session, row)
    ):
        news.correct(bridge, session, row.escalation.issue, [row])  # it was taken back while the reply was on its way
    what = {
        Step.MARK_WRITTEN: "written",
        Step.SENT: "written",
        Step.SKIP: "skipped",
        Step.DOUBT: "uncertain",
        Step.UNMARK: "unmarked",
    }
    if taken in what:
        bridge.record(session, what[taken], escalation=row.escalation, by=by)
    bridge.hold(session, row.escalation.ticket)
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
