"""An issue that is not where it was: moved to another repository, closed as a duplicate, or gone.

Its customers wait on, so its escalations follow, and their agents are told once."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from bot.bridge import duty, news, taken_off
from bot.bridge.core import Bridge
from bot.configuration import Project
from bot.model import MEANWHILE, Happening, News, Stage
from bot.store import index, queries
from bot.store.tables import Escalation, Follower, Issue
from integrations.base import Issue as TrackerIssue, Place

GONE = "gone"
"""What is wanted of a Support Dev when the tracker has lost the issue: a decision."""


def _unknown(session: Session, issue: Issue) -> None:
    """Where it stood, nothing can be attached to any more."""
    if issue.number is not None:
        index.drop(session, issue.project, issue.repository, issue.number)


def gone(bridge: Bridge, session: Session, issue: Issue) -> None:
    """The tracker has it no more. Its customers wait all the same: the Support Devs and the leads are asked, once."""
    if issue.wanted == GONE or issue.stage in (Stage.SHIPPED, Stage.DECLINED):
        return
    issue.wanted = GONE
    _unknown(session, issue)
    bridge.record(session, "gone", issue=issue)
    devs = [dev.slack for dev in bridge.project(issue.project).support_devs]
    for person in dict.fromkeys([*devs, *bridge.settings.slack.leads]):
        bridge.notify(session, "gone", f"gone:{issue.id}:{issue.number}:{person}", person, issue=issue.id)
    bridge.show(session, issue)


def carry(bridge: Bridge, session: Session, issue: Issue, project: Project, by: str) -> None:
    """File an issue in another project, whatever its tracker; the old one is closed with a pointer to it, and everybody
    who waits stays on it."""
    old = {
        "tracker": issue.tracker,
        "repository": issue.repository,
        "number": issue.number,
        "table": issue.table_comment,
    }
    issue.project, issue.public, issue.reopened_at = project.key, None, None
    news.overtake(bridge, session, issue, but={*MEANWHILE, News.ROLLED_BACK})
    refile(bridge, session, issue, by, what="carried", old=old)


def refile(
    bridge: Bridge,
    session: Session,
    issue: Issue,
    by: str,
    *,
    what: str = "refiled",
    old: dict[str, Any] | None = None,
) -> None:
    """File an issue again, that the tracker has lost or that goes to another project; its customers stay on it. `old`:
    where it was."""
    issue.number, issue.url, issue.table_comment, issue.wanted, issue.trouble = None, "", "", "", ""
    issue.stage, issue.stage_since = Stage.FILING, bridge.clock.now()
    issue.fixes, issue.said_fixes, issue.out, issue.back = [], [], {}, {}
    issue.closed_seen, issue.heard_until = False, None
    project = bridge.project(issue.project)
    issue.tracker, issue.repository, issue.created_at = project.tracker, project.repository, bridge.clock.now()
    if issue.support_dev not in (dev.slack for dev in project.support_devs):
        duty.assign(bridge, session, issue)
    bridge.record(session, what, issue=issue, by=by)
    session.flush()
    key = f"issue:{issue.id}:{queries.refiled(session, issue.id)}"
    bridge.promise(session, "issue", key, f"issue:{issue.id}", lane=bridge.lane(issue), issue=issue.id, old=old)
    bridge.show(session, issue)


def followed(bridge: Bridge, session: Session, issue: Issue, facts: TrackerIssue) -> bool:
    """Follow the issue to where it stands now; True when another issue of ours stands there, or takes its place."""
    repository = facts.repository or issue.repository
    if (repository.casefold(), facts.number) != (issue.repository.casefold(), issue.number):
        known = _known(session, issue.tracker, Place(repository, facts.number))
        if known is not None and known.id != issue.id:
            _join(bridge, session, issue, known)
            return True
        _follow(bridge, session, issue, repository, facts.number, facts.url)
    place = facts.duplicate_of
    if facts.open or place is None or issue.stage in (Stage.SHIPPED, Stage.DECLINED):
        return False
    other = _known(session, issue.tracker, place)
    if other is None and not _may_follow(bridge, session, issue, place):
        return False
    if other is None:
        _follow(bridge, session, issue, place.repository, place.number, "")
        bridge.advance(session, issue, Happening.REOPENED)
        issue.fixes, issue.said_fixes, issue.out, issue.back, issue.wanted = [], [], {}, {}, ""
        issue.closed_seen, issue.heard_until, issue.table_comment = False, bridge.clock.now(), ""
        bridge.look_at(session, issue)
        bridge.keep_current(session, issue)
        return True
    if other.id == issue.id:
        return False
    _join(bridge, session, issue, other)
    return True


def _known(session: Session, tracker: str, place: Place) -> Issue | None:
    """Our record of the issue at `place`, or of the one that took its place."""
    found = next(iter(queries.issues_at(session, tracker, place.repository, place.number)), None)
    while found is not None and found.joined is not None:
        found = session.get_one(Issue, found.joined)
    return found


def _may_follow(bridge: Bridge, session: Session, issue: Issue, place: Place) -> bool:
    """Whether customers may wait on an issue that nobody flagged: in a repository of ours, and not once more on one
    where they did already, for two may be duplicates of each other."""
    ours = [one.repository for one in bridge.settings.projects if one.tracker == issue.tracker] + [issue.repository]
    key = f"moved:{issue.id}:{place.repository}:{place.number}:"
    been = any(queries.effect(session, f"{key}{one.agent}") for one in issue.escalations)
    return place.repository.casefold() in [one.casefold() for one in ours] and not been


def _follow(bridge: Bridge, session: Session, issue: Issue, repository: str, number: int, url: str) -> None:
    """The same record stands for an issue elsewhere from here on; of a project that is configured, that is its own."""
    here = [one for one in bridge.settings.projects if one.tracker == issue.tracker]
    fitting = [one.key for one in here if one.repository.casefold() == repository.casefold()]
    if fitting and issue.project not in fitting:
        issue.project = fitting[0]
    issue.fixes, issue.said_fixes = (  # a fix stays where it was made
        [{"repository": issue.repository, **record} for record in records]
        for records in (issue.fixes, issue.said_fixes)
    )
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
    news.overtake(bridge, session, issue, but=(News.ROLLED_BACK,))
    twins = []
    for escalation in joining:
        there = (one for one in other.escalations if one.ticket_id == escalation.ticket_id)
        gone = (escalation.ticket_id, other.id, escalation.agent, escalation.title)
        twin = next(there, None) or taken_off.put_back(session, *gone)
        if twin is None:
            escalation.issue_id, escalation.came_from = other.id, issue.id
        else:
            twins.append(twin)
            _fold(bridge, session, escalation, twin)
    issue.joined, issue.wanted, issue.trouble = other.id, "", ""
    session.flush()
    session.refresh(issue, ["escalations"])
    session.refresh(other, ["escalations"])
    for twin in twins:
        session.refresh(twin, ["followers"])
    bridge.record(session, "duplicate", issue=issue)
    moved = [one for one in other.escalations if one in joining]
    _tell(bridge, session, other, moved, duplicate=True)
    for escalation in [*moved, *twins]:
        news.owe_standing(bridge, session, escalation)
    bridge.show(session, issue)
    bridge.keep_current(session, other)


def parted(bridge: Bridge, session: Session, issue: Issue, facts: TrackerIssue | None) -> bool:
    """An issue that was no duplicate after all is open again: those who came from it wait on it once more, and owe
    nothing for the other. False while it is a duplicate."""
    if facts is None or not facts.open or issue.joined is None:
        return False
    other = session.get_one(Issue, issue.joined)
    back = [one for one in other.escalations if one.came_from == issue.id]
    for escalation in back:
        news.excuse(bridge, session, escalation)
        escalation.issue_id, escalation.came_from = issue.id, None
    issue.joined, issue.closed_seen = None, False
    session.flush()
    session.refresh(issue, ["escalations"])
    session.refresh(other, ["escalations"])
    bridge.record(session, "parted", issue=issue)
    _tell(bridge, session, issue, back, again=queries.parted(session, issue.id))
    bridge.keep_current(session, issue)
    bridge.keep_current(session, other)
    return True


def _fold(bridge: Bridge, session: Session, escalation: Escalation, twin: Escalation) -> None:
    """The ticket is on both issues: whoever brought it here follows there."""
    people = {escalation.agent, *(one.person for one in escalation.followers)}
    known = {twin.agent, *(one.person for one in twin.followers)}
    for person in people - known:
        session.add(Follower(escalation_id=twin.id, person=person, since=bridge.clock.now()))


def _tell(
    bridge: Bridge,
    session: Session,
    issue: Issue,
    escalations: list[Escalation],
    *,
    duplicate: bool = False,
    again: int = 0,
) -> None:
    """Each agent hears once where their tickets are now."""
    for person in dict.fromkeys(one.agent for one in escalations):
        theirs = [one.id for one in escalations if one.agent == person]
        key = f"moved:{issue.id}:{issue.repository}:{issue.number}:{person}{f':{again}' if again else ''}"
        bridge.notify(session, "moved", key, person, issue=issue.id, escalations=theirs, duplicate=duplicate)
