"""Hearing what happened in a tracker. An event is only a hint: the bot looks at the issue as it stands, and converges.

So it makes no difference whether deliveries come late, doubled, out of order, or not at all and polling finds out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from bot import shipping
from bot.bridge import news
from bot.bridge.core import Bridge
from bot.bridge.triage import decline_in
from bot.commands import Command, parse
from bot.model import Happening, Stage
from bot.store import queries
from bot.store.tables import HeardComment, Issue
from integrations.base import Comment, Event, Fix, IssueTouched, NotFound, Rejected, ReleasesTouched
from integrations.base import Issue as TrackerIssue


@dataclass(frozen=True, slots=True)
class Said:
    """One command of a Support Dev; for `fixed-by`, the fix that it names or the sentence why there is none."""

    comment: Comment
    command: Command
    fix: Fix | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """An issue as its tracker showed it, and what was said there since the last look."""

    issue: TrackerIssue
    comments: tuple[Comment, ...]
    said: tuple[Said, ...]
    fixes: tuple[Fix, ...]


def dispatch(bridge: Bridge, session: Session, source: str, events: Iterable[Event]) -> None:
    """Turn hints into promises to look."""
    for event in events:
        if isinstance(event, IssueTouched):
            for issue in queries.issues_at(session, source, event.repository, event.number):
                bridge.look_at(session, issue)
        elif isinstance(event, ReleasesTouched):
            for project in bridge.settings.projects:
                if project.tracker == source and project.repository.lower() == event.repository.lower():
                    bridge.watch(session, "releases", project)
        else:
            ticket = queries.ticket(session, source, event.number)
            if ticket is not None and queries.due_on_ticket(session, ticket.id):
                bridge.refresh(session, "ticket", f"ticket:{ticket.id}", f"look:ticket:{ticket.id}", ticket=ticket.id)


def look(bridge: Bridge, issue_id: str) -> Seen:
    """Ask the tracker how an issue stands. Raises ServiceErrors."""
    with bridge.store.read() as session:
        issue = session.get_one(Issue, issue_id)
    if issue.number is None:
        raise NotFound(issue.tracker, "the issue is not filed yet")
    tracker, project = bridge.tracker(issue), bridge.project(issue.project)
    facts = tracker.issue(issue.repository, issue.number)
    comments = tracker.comments(issue.repository, issue.number, issue.heard_until)
    devs = {dev.tracker.lower() for dev in project.support_devs}
    theirs = [comment for comment in comments if not comment.ours and comment.author.lower() in devs]
    login = tracker.login() if theirs else ""
    said = [Said(comment, command) for comment in theirs for command in parse(comment.text, login)]
    named = [_resolve(bridge, issue, one) for one in said]
    closed_by: list[Fix] = []
    if not facts.open and facts.reason == "completed":
        closed_by = tracker.fixes(issue.repository, issue.number)
    return Seen(facts, tuple(theirs), tuple(named), tuple(closed_by))


def _resolve(bridge: Bridge, issue: Issue, said: Said) -> Said:
    if said.command.name != "fixed-by" or not said.command.text:
        return said
    reference = said.command.text.split()[0]
    try:
        return Said(said.comment, said.command, bridge.tracker(issue).fix(issue.repository, reference))
    except (NotFound, Rejected) as error:
        return Said(said.comment, said.command, problem=error.detail or f"{reference} is not known here")


def apply(bridge: Bridge, session: Session, issue_id: str, seen: Seen) -> None:
    """Bring our record of the issue in line with what was seen."""
    issue = session.get_one(Issue, issue_id, with_for_update=True)
    before = (issue.stage, issue.wanted, issue.title, issue.trouble, str(issue.fixes))
    issue.trouble, issue.title = "", seen.issue.title
    if seen.comments:
        bridge.advance(session, issue, Happening.ACKNOWLEDGED, by=seen.comments[0].author)
        issue.heard_until = max(comment.at for comment in seen.comments)
    for said in seen.said:
        _obey(bridge, session, issue, said)
    if seen.issue.open:
        _open(bridge, session, issue)
    else:
        _closed(bridge, session, issue, seen)
    if before != (issue.stage, issue.wanted, issue.title, issue.trouble, str(issue.fixes)):
        bridge.keep_current(session, issue)


def _obey(bridge: Bridge, session: Session, issue: Issue, said: Said) -> None:
    if session.get(HeardComment, (issue.id, said.comment.id)) is not None:
        return
    session.add(HeardComment(issue_id=issue.id, comment_id=said.comment.id))
    session.flush()
    text, by = said.command.text, said.comment.author
    if said.command.name == "decline" and text:
        decline_in(bridge, session, issue, text, by=by, cause=f"declined:{said.comment.id}", commented=True)
    elif said.fix is not None:
        issue.said_fixes = [*issue.said_fixes, shipping.as_record(said.fix)]
        _fixed(bridge, session, issue, [*map(shipping.from_record, issue.said_fixes)], by)
    else:
        bridge.promise(
            session,
            "hint",
            f"hint:{issue.id}:{said.comment.id}",
            f"issue:{issue.id}",
            lane=bridge.lane(issue),
            issue=issue.id,
            command=said.command.name,
            problem=said.problem,
        )


def _open(bridge: Bridge, session: Session, issue: Issue) -> None:
    if not issue.closed_seen:
        return
    issue.closed_seen, issue.wanted = False, ""
    if bridge.advance(session, issue, Happening.REOPENED):
        issue.reopened_at, issue.fixes, issue.said_fixes = bridge.clock.now(), [], []
        news.hold(bridge, session, issue)


def _closed(bridge: Bridge, session: Session, issue: Issue, seen: Seen) -> None:
    issue.closed_seen = True
    said = [shipping.from_record(record) for record in issue.said_fixes]
    fixes = [*shipping.current(seen.fixes, issue.reopened_at), *said]
    if seen.issue.reason == "completed" and fixes:
        _fixed(bridge, session, issue, fixes)
    elif issue.stage in (Stage.FILED, Stage.ACKNOWLEDGED):
        wanted = "fix" if seen.issue.reason == "completed" else "reason"
        if issue.wanted != wanted:
            issue.wanted = wanted
            _ask(bridge, session, issue, wanted, seen)


def _ask(bridge: Bridge, session: Session, issue: Issue, wanted: str, seen: Seen) -> None:
    """The Support Dev owes a word: why it was declined, or which commit fixes it."""
    closed_at = seen.issue.closed_at or bridge.clock.now()
    for dev in bridge.project(issue.project).support_devs:
        key = f"wanted:{wanted}:{issue.id}:{dev.slack}:{int(closed_at.timestamp())}"
        bridge.notify(session, f"{wanted}_wanted", key, dev.slack, issue=issue.id)
    bridge.record(session, f"{wanted}_wanted", issue=issue)


def _fixed(bridge: Bridge, session: Session, issue: Issue, fixes: list[Fix], by: str = "") -> None:
    distinct = list({fix.sha: fix for fix in fixes}.values())
    records = [shipping.as_record(fix) for fix in distinct]
    moved = bridge.advance(session, issue, Happening.FIXED, by, shipping.proof(distinct, None))
    if moved or (issue.stage is Stage.FIXED and issue.fixes != records):
        issue.fixes, issue.wanted = records, ""
        bridge.prove(session, issue)
