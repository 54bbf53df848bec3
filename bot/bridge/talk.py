"""The talk between Support Dev and support: questions and answers, ways around a bug, and what is said on both sides.

A remark is made on one side and stands on the other: a reply in the card's thread becomes a comment in the issue when
somebody says so, what a Support Dev means for support becomes a message in the thread. Edits and deletions follow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy.orm import Session

from bot.bridge import news
from bot.bridge.core import Bridge, issue_of
from bot.model import ANSWERED, WAITING, News, Stage, UserError
from bot.store import queries, remarks
from bot.store.tables import Issue, NewsItem, new_id
from bot.store.talk import Remark, Side
from integrations.base import Comment

LIMIT = 3000
"""Characters of one remark: what Slack shows in one section."""

FOLLOWED = timedelta(days=7)
"""For how long an edit or a deletion in the tracker is looked for after something was said there."""


# --- questions and ways around ----------------------------------------------------------------------------------------


def ask(bridge: Bridge, issue_id: str, question: str, why: str, by: str) -> None:
    """A Support Dev asks the agents on the issue, from Slack. Raises UserError."""
    if not question.strip():
        raise UserError("Write the question.")
    text = "\n\n".join(part.strip() for part in (question, why) if part.strip())
    with bridge.store.write() as session:
        issue = issue_of(session, issue_id)
        ask_in(bridge, session, issue, text, by=by, cause=f"asked:slack:{new_id()}", commented=False)


def ask_in(
    bridge: Bridge, session: Session, issue: Issue, text: str, *, by: str, cause: str, commented: bool = True
) -> None:
    """`commented`: the question stands in the tracker already. Raises UserError where nobody waits any more."""
    _meanwhile(bridge, session, issue, News.QUESTION, cause, text, by=by, commented=commented)


def workaround(bridge: Bridge, issue_id: str, text: str, by: str) -> None:
    """A Support Dev tells a way around the bug, from Slack. Raises UserError."""
    if not text.strip():
        raise UserError("Write the way around it, so that customers can follow it.")
    with bridge.store.write() as session:
        issue = issue_of(session, issue_id)
        workaround_in(
            bridge, session, issue, text.strip(), by=by, cause=f"workaround:slack:{new_id()}", commented=False
        )


def workaround_in(
    bridge: Bridge, session: Session, issue: Issue, text: str, *, by: str, cause: str, commented: bool = True
) -> None:
    """It goes out at once as news; a newer one takes the place of the older. Raises UserError."""
    older = [item for item in issue.news if item.kind is News.WORKAROUND and item.stands]
    _meanwhile(bridge, session, issue, News.WORKAROUND, cause, text, by=by, commented=commented)
    for item in older:
        if item.cause != cause:
            item.stands = False
            news.settle(bridge, session, item)


def _meanwhile(
    bridge: Bridge, session: Session, issue: Issue, kind: News, cause: str, text: str, *, by: str, commented: bool
) -> None:
    """News of the meantime: it is heard beside whatever else stands, and the end makes it pointless."""
    if issue.stage not in WAITING or issue.stage is Stage.FILING:
        raise UserError("Nobody waits for this issue now. Reopen it in the tracker first.")
    if queries.news(session, issue.id, cause) is not None:
        return
    item = news.tell(bridge, session, issue, kind, cause, text=text[:LIMIT], by=by)
    bridge.record(session, {News.QUESTION: "asked"}.get(kind, kind.value), issue=issue, by=by)
    _to_thread(bridge, session, issue, f"thread:{item.id}", news=item.id)
    if not commented:
        _to_issue(bridge, session, issue, f"comment:{item.id}", news=item.id)
    bridge.keep_current(session, issue)


def open_question(issue: Issue) -> NewsItem | None:
    """The newest question that nobody answered yet."""
    asked = [item for item in issue.news if item.kind is News.QUESTION and item.stands]
    return asked[-1] if asked else None


def answer(bridge: Bridge, issue_id: str, text: str, by: str) -> None:
    """An agent answers the open question: in the issue and in the thread, with their name. Raises UserError."""
    if not text.strip():
        raise UserError("Write the answer.")
    with bridge.store.write() as session:
        issue = issue_of(session, issue_id)
        question = open_question(issue)
        if question is None:
            raise UserError("This question is answered or settled already. Nothing was sent.")
        remark = Remark(
            issue_id=issue.id,
            side=Side.THREAD,
            place=f"answer:{new_id()}",
            by=by,
            text=text.strip()[:LIMIT],
            answers=question.id,
            at=bridge.clock.now(),
        )
        session.add(remark)
        session.flush()
        question.stands = False
        for row in news.settle(bridge, session, question):
            row.reason = ANSWERED
        bridge.record(session, "answered", issue=issue, by=by)
        _to_issue(bridge, session, issue, f"comment:{remark.id}", remark=remark.id)
        _to_thread(bridge, session, issue, f"thread:{remark.id}", remark=remark.id)
        bridge.keep_current(session, issue)


# --- from the thread to the issue -------------------------------------------------------------------------------------


def relay(bridge: Bridge, issue_id: str, ts: str, text: str, by: str, *, synced: bool = False) -> bool:
    """Bring a reply of the card's thread, as Slack has it, to the issue; False when it is there already. `synced`:
    nobody said so, the project's configuration does. Raises UserError."""
    with bridge.store.write() as session:
        issue = issue_of(session, issue_id)
        if issue.number is None:
            raise UserError("This issue is not filed yet. Try again in a moment.")
        if remarks.at(session, issue.id, Side.THREAD, ts) is not None or not text.strip():
            return False
        said = text.strip()[:LIMIT]
        remark = Remark(
            issue_id=issue.id, side=Side.THREAD, place=ts, by=by, text=said, synced=synced, at=bridge.clock.now()
        )
        session.add(remark)
        session.flush()
        _to_issue(bridge, session, issue, f"comment:{remark.id}", remark=remark.id)
        return True


def reworded(bridge: Bridge, issue_id: str, ts: str, text: str) -> None:
    """A reply that was brought over was edited in Slack, or deleted (no text)."""
    with bridge.store.write() as session:
        remark = remarks.at(session, issue_id, Side.THREAD, ts)
        if remark is not None:
            _reword(bridge, session, remark, text.strip()[:LIMIT])


# --- from the issue to the thread -------------------------------------------------------------------------------------


def overhear(bridge: Bridge, session: Session, issue: Issue, comment: Comment, text: str) -> None:
    """Bring what a Support Dev says in the issue to the thread, once."""
    if not text.strip() or remarks.at(session, issue.id, Side.ISSUE, comment.id) is not None:
        return
    moved = remarks.same(session, issue.id, bridge.called(issue, comment.author), comment.at)
    if moved is not None:  # it came along with its issue, under another id
        moved.place = comment.id
        moved.tracker, moved.repository, moved.number = issue.tracker, issue.repository, issue.number or 0
        return
    remark = Remark(
        issue_id=issue.id,
        side=Side.ISSUE,
        place=comment.id,
        by=bridge.called(issue, comment.author),
        text=text.strip()[:LIMIT],
        tracker=issue.tracker,
        repository=issue.repository,
        number=issue.number or 0,
        at=comment.at,
    )
    session.add(remark)
    session.flush()
    _to_thread(bridge, session, issue, f"thread:{remark.id}", remark=remark.id)


def followed_since(bridge: Bridge, session: Session, issue_id: str) -> Sequence[Remark]:
    """What was brought from the issue lately, and may have been edited or deleted there."""
    return remarks.from_issue(session, issue_id, bridge.clock.now() - FOLLOWED)


def follow(bridge: Bridge, session: Session, issue: Issue, said: Mapping[str, str]) -> None:
    """What was brought to the thread shows what the comments say now: `said` by the comments' ids; one that is not
    among them was deleted."""
    here = (issue.tracker, issue.repository.casefold(), issue.number)
    for remark in followed_since(bridge, session, issue.id):
        if (remark.tracker, remark.repository.casefold(), remark.number) != here:
            continue  # it stands in the issue that was left
        _reword(bridge, session, remark, said.get(remark.place, "").strip()[:LIMIT])


# --- what they share --------------------------------------------------------------------------------------------------


def _reword(bridge: Bridge, session: Session, remark: Remark, text: str) -> None:
    if remark.gone or text == remark.text:
        return
    remark.gone = not text
    remark.text = text
    issue = session.get_one(Issue, remark.issue_id)
    subject, lane = f"talk:{issue.id}", bridge.lane(issue)
    if remark.side is Side.ISSUE:
        subject, lane = f"card:{issue.id}", f"slack:{issue.channel}"
    bridge.refresh(session, "reword", f"reword:{remark.id}", subject, lane=lane, remark=remark.id)


def _to_thread(bridge: Bridge, session: Session, issue: Issue, key: str, **what: str) -> None:
    lane = f"slack:{issue.channel}"
    bridge.promise(session, "thread", key, f"card:{issue.id}", lane=lane, issue=issue.id, **what)


def _to_issue(bridge: Bridge, session: Session, issue: Issue, key: str, **what: str) -> None:
    # A subject of its own: while an issue is filed anew elsewhere, its comments wait and hold nothing up.
    bridge.promise(session, "comment", key, f"talk:{issue.id}", lane=bridge.lane(issue), issue=issue.id, **what)
