"""What a Support Dev decides about an issue, from Slack or from the tracker, with the same result."""

from __future__ import annotations

from sqlalchemy.orm import Session

from bot.bridge import moved, news, ship
from bot.bridge.core import Bridge
from bot.model import Happening, News, Stage, UserError
from bot.store import queries
from bot.store.tables import Issue, new_id

REASON_LIMIT = 3000
"""Characters: what Slack shows in one section."""


def acknowledge(bridge: Bridge, issue_id: str, by: str) -> None:
    """The Support Dev has seen it. Saying it again changes nothing. Raises UserError."""
    with bridge.store.write() as session:
        issue = _issue(session, issue_id)
        if issue.stage is Stage.FILING:
            raise UserError("This issue is not filed yet. Try again in a moment.")
        bridge.advance(session, issue, Happening.ACKNOWLEDGED, by=by)
        bridge.keep_current(session, issue)


def decline(bridge: Bridge, issue_id: str, reason: str, by: str) -> None:
    """The issue will not be mended, for a reason that customers can hear. Raises UserError."""
    if not reason.strip():
        raise UserError("Give the reason that customers will hear.")
    with bridge.store.write() as session:
        issue = _issue(session, issue_id)
        count = queries.declines(session, issue_id)
        if not decline_in(bridge, session, issue, reason.strip(), by=by, cause=f"declined:slack:{count}"):
            raise UserError("This issue is settled already, so it cannot be declined.")


def decline_in(
    bridge: Bridge, session: Session, issue: Issue, reason: str, *, by: str, cause: str, commented: bool = False
) -> bool:
    """Decline within the caller's transaction; False where the issue's stage does not allow it. `commented`: the
    reason stands in the tracker already."""
    if not bridge.advance(session, issue, Happening.DECLINED, by):
        return False
    issue.wanted = ""
    item = news.publish(bridge, session, issue, News.DECLINED, cause, text=reason[:REASON_LIMIT], by=by)
    if item is not None:
        bridge.promise(
            session,
            "decline",
            f"declined:{item.id}",
            f"issue:{issue.id}",
            lane=bridge.lane(issue),
            issue=issue.id,
            news=item.id,
            commented=commented,
        )
    bridge.keep_current(session, issue)
    return True


def mark_fixed(bridge: Bridge, issue_id: str, references_text: str, word: str, by: str) -> None:
    """A Support Dev names what fixes an issue, or says what was done without a commit. Raises UserError."""
    named, word = references_text.strip(), word.strip()
    if bool(named) == bool(word):
        raise UserError("Name a commit or pull request, or say what was done without one: one of the two.")
    with bridge.store.write() as session:
        issue = _issue(session, issue_id)
        if issue.stage is Stage.FILING:
            raise UserError("This issue is not filed yet. Try again in a moment.")
        if word:
            if not ship.vouched(bridge, session, issue, word[:REASON_LIMIT], by, f"word:slack:{new_id()}"):
                raise UserError("This issue is settled already. Reopen it in the tracker first.")
            return
        if issue.stage is Stage.SHIPPED:
            raise UserError("This issue is settled already. Reopen it in the tracker first.")
        key = f"named:{issue.id}:{new_id()}"
        lane = bridge.lane(issue)
        bridge.promise(session, "named", key, f"look:{issue.id}", lane=lane, issue=issue.id, named=named, by=by)


def carry(bridge: Bridge, issue_id: str, project_key: str, by: str) -> None:
    """The issue goes to another project, on this tracker or another. Raises UserError."""
    project = bridge.project(project_key)
    with bridge.store.write() as session:
        issue = _issue(session, issue_id)
        if issue.number is None:
            raise UserError("This issue is not filed yet. Try again in a moment.")
        if issue.stage in (Stage.SHIPPED, Stage.DECLINED):
            raise UserError("This issue is settled already. Reopen it in the tracker first.")
        if issue.project == project.key:
            raise UserError("It is in this project already.")
        moved.carry(bridge, session, issue, project, by)


def refile(bridge: Bridge, issue_id: str, by: str) -> None:
    """An issue that the tracker has lost is filed again. Pressing twice changes nothing. Raises UserError."""
    with bridge.store.write() as session:
        issue = _issue(session, issue_id)
        if issue.wanted == moved.GONE:
            moved.refile(bridge, session, issue, by)


def _issue(session: Session, issue_id: str) -> Issue:
    issue = session.get(Issue, issue_id, with_for_update=True)
    if issue is None:
        raise UserError("That issue is not known here any more.")
    if issue.joined is not None:
        raise UserError("That issue is a duplicate: decide about the one that took its place.")
    return issue
