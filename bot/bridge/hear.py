"""Hearing what happened in a tracker. An event is only a hint: the bot looks at the issue as it stands, and converges.

So it makes no difference whether deliveries come late, doubled, out of order, or not at all and polling finds out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy.orm import Session

from bot import shipping
from bot.bridge import confirm, mending, moved, news, obey, ship, talk
from bot.bridge.core import Bridge
from bot.commands import parse, references, to_support
from bot.configuration import Project
from bot.model import Happening, Stage, UserError
from bot.store import answers, index, queries
from bot.store.tables import Issue
from integrations.base import (
    CodeTouched,
    Comment,
    Event,
    Fix,
    Gone,
    Issue as TrackerIssue,
    IssueTouched,
    NotFound,
    Place,
    Rejected,
    Tracker,
    Unauthorised,
)


@dataclass(frozen=True, slots=True)
class Seen:
    """An issue as its tracker showed it, and what was said there since the last look."""

    issue: TrackerIssue | None  # None: it is gone
    comments: tuple[Comment, ...]
    said: tuple[obey.Said, ...]
    fixes: tuple[Fix, ...]
    knew_closed: bool = True  # whether we knew it closed before we looked
    renamed: bool = False  # its repository has another name now
    number: int = 0  # the one that was looked at
    meant: Mapping[str, str] = field(default_factory=dict)  # by comment, what it says to support


def dispatch(bridge: Bridge, session: Session, source: str, events: Iterable[Event]) -> None:
    """Turn hints into promises to look."""
    for event in events:
        if isinstance(event, IssueTouched):
            for issue in _meant(session, source, event):
                bridge.look_at(session, issue)
        elif isinstance(event, CodeTouched):
            for project in _counted(bridge, session, source, event):
                bridge.examine(session, project)
        else:
            ticket = queries.ticket(session, source, event.number)
            if ticket is not None and answers.watched(session, ticket.id):
                bridge.look_at_ticket(session, ticket)


def _meant(session: Session, source: str, event: IssueTouched) -> Sequence[Issue]:
    """The issue at that place; else one of ours that was moved there; else those that wait for the pull request of that
    number, which was brought to another branch."""
    found = [] if event.pull else queries.issues_at(session, source, event.repository, event.number)
    if found:
        return found
    ours = [session.get(Issue, key.split(":")[1]) for key in event.marks if key.startswith("issue:")]
    there = [issue for issue in ours if issue is not None and issue.tracker == source and issue.number is not None]
    if there:
        return there
    here = event.repository.casefold()
    return [
        issue
        for issue in queries.fixed(session, source)
        if any(
            fix.pull == event.number and (fix.repository or issue.repository).casefold() == here
            for fix in ship.fixes_of(issue)
        )
    ]


def _counted(bridge: Bridge, session: Session, source: str, event: CodeTouched) -> list[Project]:
    """The projects that look at what was touched: those of that repository, else those that wait for fixes in it."""
    here = event.repository.casefold()
    projects = [one for one in bridge.settings.projects if one.tracker == source]
    found: list[Project | None] = [one for one in projects if one.repository.casefold() == here]
    if not found:
        found = [
            ship.counting(bridge, issue, name)
            for issue in bridge.counted(session, source)
            for name in ship.by_repository(issue)
            if name.casefold() == here
        ]
    distinct = {one.key: one for one in found if one is not None}
    return [one for one in distinct.values() if event.resource in shipping.resources(one)]


def look(bridge: Bridge, issue_id: str) -> Seen:
    """Ask the tracker how an issue stands. Raises ServiceErrors."""
    with bridge.store.read() as session:
        issue = session.get_one(Issue, issue_id)
        followed = talk.followed_since(bridge, session, issue_id)
    if issue.number is None:
        raise NotFound(issue.tracker, "the issue is not filed yet")
    tracker, project = bridge.tracker(issue), bridge.project(issue.project)
    try:
        facts = tracker.issue(issue.repository, issue.number)
    except Gone:
        return Seen(None, (), (), (), issue.closed_seen, number=issue.number)
    if facts.duplicate_of is not None and not _is_issue(tracker, facts.duplicate_of):
        facts = replace(facts, duplicate_of=None)
    where, number = facts.repository or issue.repository, facts.number
    since = min([issue.heard_until, *(remark.at for remark in followed)]) if issue.heard_until else None
    comments = tracker.comments(where, number, since)
    devs = {dev.tracker.lower() for dev in project.support_devs}
    theirs = [comment for comment in comments if not comment.ours and comment.author.lower() in devs]
    login = tracker.login() if theirs or followed else ""
    said = [
        obey.Said(comment, command, place=place)
        for comment in theirs
        for place, command in enumerate(parse(comment.text, login))
    ]
    meant = {one.id: to_support(one.text, login, whole=project.sync) for one in comments if not one.ours}
    named = [_resolve(bridge, issue, where, one) for one in said]
    renamed = (
        where != issue.repository and tracker.repository(issue.repository).full_name.casefold() == where.casefold()
    )
    fixes = tracker.fixes(where, number) if facts.open or facts.reason == "completed" else []
    return Seen(facts, tuple(theirs), tuple(named), tuple(fixes), issue.closed_seen, renamed, issue.number, meant)


def _is_issue(tracker: Tracker, place: Place) -> bool:
    """Whether an issue stands there that we may see: anybody can write "Duplicate of", and any number after it."""
    try:
        tracker.issue(place.repository, place.number)
    except (NotFound, Unauthorised):
        return False
    return True


def glance(bridge: Bridge, issue_id: str) -> bool:
    """Whether the tracker shows an issue otherwise than we know it: closed, open again, moved, gone, or with other
    labels. One question."""
    with bridge.store.read() as session:
        issue = session.get_one(Issue, issue_id)
    try:
        facts = bridge.tracker(issue).issue(issue.repository, issue.number or 0)
    except Gone:
        return issue.wanted != moved.GONE
    there = (facts.repository or issue.repository, facts.number) == (issue.repository, issue.number)
    return not there or facts.open is issue.closed_seen or list(facts.labels) != issue.labels


def unfit(error: NotFound | Rejected, reference: str, repository: str) -> UserError:
    """Why what somebody named as a fix cannot be taken."""
    if isinstance(error, NotFound) or not error.detail:
        return UserError(
            "There is no {reference} in {repository}, as far as I can see.", reference=reference, repository=repository
        )
    detail = error.detail[0].upper() + error.detail[1:].rstrip(".")
    return UserError("{detail}.", detail=detail)


def _resolve(bridge: Bridge, issue: Issue, where: str, said: obey.Said) -> obey.Said:
    """Look up what `fixed-by` names. One that cannot be had makes all of them none: half a fix proves nothing."""
    if said.command.name != "fixed-by" or not said.command.text:
        return said
    fixes = []
    for reference in references(said.command.text):
        try:
            fixes.append(bridge.tracker(issue).fix(where, reference))
        except (NotFound, Rejected) as error:
            problem = unfit(error, reference, where)
            return replace(said, problem=problem.message, names=problem.names)
    return replace(said, fixes=tuple(fixes))


def apply(bridge: Bridge, session: Session, issue_id: str, seen: Seen) -> None:
    """Bring our record of the issue in line with what was seen."""
    issue = session.get_one(Issue, issue_id, with_for_update=True)
    if issue.number != seen.number:  # it was filed again, or followed, while we looked
        if issue.number is not None:
            bridge.look_at(session, issue)
        return
    if issue.joined is not None and not moved.parted(bridge, session, issue, seen.issue):
        return
    if seen.issue is None:
        moved.gone(bridge, session, issue)
        return
    if seen.renamed:
        issue.repository, issue.url = seen.issue.repository, seen.issue.url
    if moved.followed(bridge, session, issue, seen.issue):
        return
    before, troubled = (issue.stage, issue.wanted, issue.title, str(issue.fixes)), issue.trouble
    issue.trouble, issue.title = "", seen.issue.title
    if issue.wanted == moved.GONE:  # it was hidden for a while
        issue.wanted = ""
    issue.labels = list(seen.issue.labels)
    index.stands(session, issue.id, is_open=seen.issue.open, closed_at=seen.issue.closed_at)
    _assigned(bridge, session, issue, seen.issue)
    exposed = seen.issue.confidential is False
    if exposed is not issue.exposed:  # what may stand in it is another thing now
        issue.exposed = exposed
        bridge.keep_current(session, issue)
    talk.follow(bridge, session, issue, seen.meant)
    for comment in seen.comments:
        talk.overhear(bridge, session, issue, comment, seen.meant.get(comment.id, ""))
    if seen.comments:
        bridge.advance(session, issue, Happening.ACKNOWLEDGED, by=seen.comments[0].author)
        issue.heard_until = max(comment.at for comment in seen.comments)
    if seen.issue.open:
        _open(bridge, session, issue, seen, seen.issue)
    for said in obey.unheard(session, issue, seen.said):
        obey.obey(bridge, session, issue, said)
        if issue.number != seen.number:  # it goes to another project, where it is looked at anew
            return
    if not seen.issue.open:
        _closed(bridge, session, issue, seen, seen.issue)
    if issue.stage is Stage.FIXED:
        bridge.prove(session, issue)
    if before != (issue.stage, issue.wanted, issue.title, str(issue.fixes)):
        bridge.keep_current(session, issue)
    elif troubled:
        bridge.show(session, issue)


def _assigned(bridge: Bridge, session: Session, issue: Issue, facts: TrackerIssue) -> None:
    """Who is assigned in the tracker has it here, too, if they are a Support Dev of the project."""
    there = sorted(login.lower() for login in facts.assignees)
    if there == issue.assigned:
        return
    issue.assigned = there
    devs = [dev.slack for dev in bridge.project(issue.project).support_devs if dev.tracker.lower() in there]
    if devs and issue.support_dev not in devs and not queries.undone(session, f"assign:{issue.id}"):
        issue.support_dev = devs[0]
        bridge.record(session, "handed", issue=issue, by=devs[0])
        bridge.show(session, issue)


def _open(bridge: Bridge, session: Session, issue: Issue, seen: Seen, facts: TrackerIssue) -> None:
    """An open issue: reopened, or mended on a branch whose merges close nothing."""
    if issue.closed_seen:
        if not seen.knew_closed:  # it was closed while we looked
            bridge.look_at(session, issue)
            return
        if queries.promised(session, "reopen", f"issue:{issue.id}"):  # by us, on a customer's word
            confirm.reopened(bridge, session, issue, facts.updated_at)
            return
        issue.closed_seen, issue.wanted = False, ""
        _fall_back(bridge, session, issue, facts)
    fixes = shipping.current(seen.fixes, issue.reopened_at)
    if fixes and issue.stage in (Stage.FILED, Stage.ACKNOWLEDGED, Stage.FIXED):
        mending.fixed(bridge, session, issue, [*fixes, *map(shipping.from_record, issue.said_fixes)])


def _fall_back(bridge: Bridge, session: Session, issue: Issue, facts: TrackerIssue) -> None:
    """What was the end is none any more. The tracker's own clock says since when, for fixes are dated by it too."""
    if issue.stage is Stage.SHIPPED:
        issue.back = ship.back(ship.REOPENED)
        ship.take_back(bridge, session, issue, Happening.REOPENED)
    elif bridge.advance(session, issue, Happening.REOPENED):
        news.hold(bridge, session, issue)
    else:
        return
    issue.reopened_at, issue.fixes, issue.said_fixes, issue.out = facts.updated_at, [], [], {}
    issue.note = ""


def _closed(bridge: Bridge, session: Session, issue: Issue, seen: Seen, facts: TrackerIssue) -> None:
    issue.closed_seen = True
    completed = facts.reason == "completed"
    said = [shipping.from_record(record) for record in issue.said_fixes]
    fixes = [*(shipping.current(seen.fixes, issue.reopened_at, undated=True) if completed else []), *said]
    if issue.stage is Stage.DECLINED and not seen.knew_closed:  # our closing failed, and somebody mended it after all
        fixes = shipping.current(fixes, issue.stage_since)
    if issue.stage is Stage.SHIPPED or (issue.stage is Stage.DECLINED and (seen.knew_closed or not fixes)):
        return  # the end was told: only a reopening, or a Support Dev's word, takes it back
    if fixes:
        mending.fixed(bridge, session, issue, fixes)
        return
    if not completed and issue.stage is Stage.FIXED:
        _fall_back(bridge, session, issue, facts)
    wanted = "fix" if completed else "reason"
    if issue.stage is not Stage.FIXED and issue.wanted != wanted:
        issue.wanted = wanted
        _ask(bridge, session, issue, wanted, facts)


def _ask(bridge: Bridge, session: Session, issue: Issue, wanted: str, facts: TrackerIssue) -> None:
    """The Support Dev owes a word: why it was declined, or which commit fixes it."""
    closed_at = facts.closed_at or bridge.clock.now()
    for dev in bridge.project(issue.project).support_devs:
        key = f"wanted:{wanted}:{issue.id}:{dev.slack}:{int(closed_at.timestamp())}"
        bridge.notify(session, f"{wanted}_wanted", key, dev.slack, issue=issue.id)
    bridge.record(session, f"{wanted}_wanted", issue=issue)
