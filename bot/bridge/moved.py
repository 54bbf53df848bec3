"""An issue that is not where it was: moved to another repository, closed as a duplicate, or gone.

Its customers wait on, so its escalations follow, and their agents are told once."""

from __future__ import annotations

from sqlalchemy.orm import Session

from bot.bridge import news
from bot.bridge.core import Bridge
from bot.model import Stage
from bot.store import queries
from bot.store.tables import Escalation, Follower, Issue
from integrations.base import Issue as TrackerIssue

GONE = "gone"
"""What is wanted of a Support Dev when the tracker has lost the issue: a decision."""


def gone(bridge: Bridge, session: Session, issue: Issue) -> None:
    """The tracker has it no more. Its customers wait all the same: the Support Devs and the leads are asked, once."""
    if issue.wanted == GONE or issue.stage in (Stage.SHIPPED, Stage.DECLINED):
        return
    issue.wanted = GONE
    bridge.record(session, "gone", issue=issue)
    devs = [dev.slack for dev in bridge.project(issue.project).support_devs]
    for person in dict.fromkeys([*devs, *bridge.settings.slack.leads]):
        bridge.notify(session, "gone", f"gone:{issue.id}:{issue.number}:{person}", person, issue=issue.id)
    bridge.show(session, issue)


def refile(bridge: Bridge, session: Session, issue: Issue, by: str) -> None:
    """File an issue again that the tracker has lost; its customers stay on it."""
    issue.number, issue.url, issue.table_comment, issue.wanted, issue.trouble = None, "", "", "", ""
    issue.stage, issue.stage_since = Stage.FILING, bridge.clock.now()
    issue.fixes, issue.said_fixes, issue.out, issue.back = [], [], {}, {}
    issue.closed_seen, issue.heard_until = False, None
    project = bridge.project(issue.project)
    issue.tracker, issue.repository, issue.created_at = project.tracker, project.repository, bridge.clock.now()
    bridge.record(session, "refiled", issue=issue, by=by)
    key = f"issue:{issue.id}:{queries.refiled(session, issue.id)}"
    bridge.promise(session, "issue", key, f"issue:{issue.id}", lane=bridge.lane(issue), issue=issue.id)
    bridge.show(session, issue)


def followed(bridge: Bridge, session: Session, issue: Issue, facts: TrackerIssue) -> bool:
    """Follow the issue to where it stands now; True when another issue of ours stands there, or takes its place."""
    repository = facts.repository or issue.repository
    if (repository.casefold(), facts.number) != (issue.repository.casefold(), issue.number):
        there = queries.issues_at(session, issue.tracker, repository, facts.number)
        if there:
            _join(bridge, session, issue, there[0])
            return True
        _follow(bridge, session, issue, repository, facts.number, facts.url)
    place = facts.duplicate_of
    if facts.open or place is None or issue.stage in (Stage.SHIPPED, Stage.DECLINED):
        return False
    there = queries.issues_at(session, issue.tracker, place.repository, place.number)
    other = there[0] if there else None
    if other is not None and other.joined is not None:
        other = session.get_one(Issue, other.joined)
    if other is None:
        _follow(bridge, session, issue, place.repository, place.number, "")
        issue.closed_seen, issue.heard_until, issue.table_comment = False, None, ""
        bridge.look_at(session, issue)
        bridge.keep_current(session, issue)
        return True
    if other.id == issue.id:
        return False
    _join(bridge, session, issue, other)
    return True


def _follow(bridge: Bridge, session: Session, issue: Issue, repository: str, number: int, url: str) -> None:
    """The same record stands for an issue elsewhere from here on; of a project that is configured, that is its own."""
    for project in bridge.settings.projects:
        if project.tracker == issue.tracker and project.repository.casefold() == repository.casefold():
            issue.project = project.key
    issue.repository, issue.number, issue.url, issue.public = repository, number, url or _sibling(issue, number), None
    bridge.record(session, "moved", issue=issue)
    _tell(bridge, session, issue, list(issue.escalations))
    bridge.keep_current(session, issue)


def _sibling(issue: Issue, number: int) -> str:
    """A guess at an issue's address until it is looked at, which follows at once."""
    return f"{issue.url.rpartition('/')[0]}/{number}" if issue.url else ""


def _join(bridge: Bridge, session: Session, issue: Issue, other: Issue) -> None:
    """Everybody who waits on `issue` waits on `other` from here on, and hears the news that stands there."""
    joining = list(issue.escalations)
    news.overtake(bridge, session, issue)
    for escalation in joining:
        twin = next((one for one in other.escalations if one.ticket_id == escalation.ticket_id), None)
        if twin is None:
            escalation.issue_id = other.id
        else:
            _fold(bridge, session, escalation, twin)
    issue.joined, issue.wanted, issue.trouble = other.id, "", ""
    session.flush()
    session.refresh(issue, ["escalations"])
    session.refresh(other, ["escalations"])
    bridge.record(session, "duplicate", issue=issue)
    moved = [one for one in other.escalations if one in joining]
    _tell(bridge, session, other, moved, duplicate=True)
    for escalation in moved:
        news.owe_standing(bridge, session, escalation)
    bridge.show(session, issue)
    bridge.keep_current(session, other)


def _fold(bridge: Bridge, session: Session, escalation: Escalation, twin: Escalation) -> None:
    """The ticket is on both issues: whoever brought it here follows there."""
    people = {escalation.agent, *(one.person for one in escalation.followers)}
    known = {twin.agent, *(one.person for one in twin.followers)}
    for person in people - known:
        session.add(Follower(escalation_id=twin.id, person=person, since=bridge.clock.now()))


def _tell(
    bridge: Bridge, session: Session, issue: Issue, escalations: list[Escalation], *, duplicate: bool = False
) -> None:
    """Each agent hears once where their tickets are now."""
    for person in dict.fromkeys(one.agent for one in escalations):
        theirs = [one.id for one in escalations if one.agent == person]
        key = f"moved:{issue.id}:{issue.repository}:{issue.number}:{person}"
        bridge.notify(session, "moved", key, person, issue=issue.id, escalations=theirs, duplicate=duplicate)
