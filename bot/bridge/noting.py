"""What was mended, in words that customers understand: asked of the Support Dev, shown to the agents who write back."""

from __future__ import annotations

from sqlalchemy.orm import Session

from bot.bridge import news
from bot.bridge.core import Bridge, issue_of
from bot.model import News, Stage, UserError
from bot.store import queries
from bot.store.tables import Issue

NOTE_LIMIT = 1500
"""Characters: what an agent reads beside the blank page."""


def want(bridge: Bridge, session: Session, issue: Issue) -> None:
    """It is fixed: who mended it is asked for words for customers, once for each time that it is fixed."""
    if issue.note or not issue.escalations or issue.stage is not Stage.FIXED:
        return
    dev = issue.support_dev or bridge.project(issue.project).support_devs[0].slack
    key = f"note_wanted:{issue.id}:{int(issue.stage_since.timestamp())}"
    bridge.notify(session, "note_wanted", key, dev, issue=issue.id)


def note(bridge: Bridge, issue_id: str, text: str, by: str) -> None:
    """The Support Dev's words for customers; saying others replaces them. Raises UserError."""
    with bridge.store.write() as session:
        note_in(bridge, session, issue_of(session, issue_id), text, by)


def note_in(bridge: Bridge, session: Session, issue: Issue, text: str, by: str) -> None:
    """The same within the caller's transaction. Raises UserError."""
    words = text.strip()
    if not words:
        raise UserError("Say in a sentence or two what was mended, so that a customer understands it.")
    if words[:NOTE_LIMIT] == issue.note:
        return
    issue.note, issue.note_by = words[:NOTE_LIMIT], by
    bridge.record(session, "noted", issue=issue, by=by)
    for item in issue.news:
        if item.stands and item.kind is News.SHIPPED:
            for row in queries.write_backs_of(session, item.id):
                news.refresh_round(bridge, session, row)
    bridge.show(session, issue)
