"""The issues that are known: ours, and those that the trackers have beside them. They are what a ticket may be the same
as, and what it can be attached to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from bot.bridge import duty
from bot.bridge.core import Bridge
from bot.configuration import Project
from bot.model import Kind, Severity, Stage
from bot.store import index, queries
from bot.store.tables import Escalation, Issue, WatchRow
from integrations.base import Listed, Listing

LIKELY = 5
"""How many are offered: among the first five stands the right one for seven of ten (`benchmarks/similar.py`)."""

_MIRROR = "mirror"
_ELSEWHERE = "known:"


def mirrored_until(session: Session, project: Project) -> datetime | None:
    """Up to when the tracker's issues are known here; None: nothing yet."""
    row = session.get(WatchRow, (project.key, _MIRROR))
    if row is None or row.state.get("repository") != project.repository:
        return None
    return datetime.fromisoformat(row.state["until"])


def keep(bridge: Bridge, session: Session, project: Project, listing: Listing) -> None:
    """Know what one list of the tracker told, and ask on where there is more. A confidential issue that is not ours is
    nothing for agents to see."""
    for listed in listing.issues:
        ours = next(iter(queries.issues_at(session, project.tracker, project.repository, listed.number)), None)
        if ours is not None or not listed.confidential:
            index.put(session, project.key, project.repository, listed, ours.id if ours else None)
        else:
            index.drop(session, project.key, project.repository, listed.number)
    if listing.reached is not None:
        state = {"repository": project.repository, "until": listing.reached.isoformat()}
        session.merge(WatchRow(project=project.key, resource=_MIRROR, state=state))
    if listing.more:
        bridge.mirror(session, project)


def filed(bridge: Bridge, session: Session, issue: Issue) -> None:
    """An issue of ours has its number: it can be found from now on."""
    since = issue.created_at  # before the tracker's own time: its first list, with the text, is newer
    listed = Listed(issue.number or 0, issue.url, issue.title, "", True, since, since)
    index.put(session, issue.project, issue.repository, listed, issue.id)


def pooled(session: Session, escalation: Escalation) -> None:
    """What was said with a ticket leads to its issue."""
    ticket = escalation.ticket
    words = "\n\n".join(part for part in (escalation.summary, ticket.subject, ticket.words) if part)
    index.pool(session, escalation.id, escalation.title, words)


def likely(bridge: Bridge, session: Session, title: str, text: str) -> Sequence[index.Found]:
    """The known issues that a ticket most likely speaks of, best first."""
    keys = [project.key for project in bridge.settings.projects]
    return index.find(session, title, text, keys, bridge.clock.now(), LIKELY)


def reference(found: index.Found) -> str:
    """How a form names a known issue: our own record's id, or where it stands."""
    return found.issue_id or f"{_ELSEWHERE}{found.project}:{found.number}"


def chosen(bridge: Bridge, session: Session, reference: str, kind: str, severity: str) -> Issue | None:
    """The issue that a form names, held until the transaction ends; one that we did not file is ours from now on.
    Raises UserError."""
    if not reference.startswith(_ELSEWHERE):
        return session.get(Issue, reference, with_for_update=True)
    key, _, number = reference.removeprefix(_ELSEWHERE).rpartition(":")
    project = bridge.project(key)
    known = index.at(session, key, project.repository, int(number) if number.isdigit() else 0)
    if known is None:
        return None
    there = queries.issues_at(session, project.tracker, project.repository, known.number)
    return there[0] if there else _adopted(bridge, session, project, known, kind, severity)


def _adopted(bridge: Bridge, session: Session, project: Project, known: index.Found, kind: str, severity: str) -> Issue:
    """Somebody else filed it: the next look tells how it stands, and what follows from that."""
    now = bridge.clock.now()
    issue = Issue(
        project=project.key,
        tracker=project.tracker,
        repository=project.repository,
        number=known.number,
        url=known.url,
        title=known.title,
        kind=Kind(kind or Kind.BUG),
        severity=Severity(severity or Severity.NORMAL),
        stage=Stage.FILED,
        stage_since=now,
        created_at=now,
        heard_until=now,  # what was said before was not said to us
        exposed=True,  # until a look tells
        channel=project.channel or bridge.settings.slack.channel,
        support_dev=duty.on_duty(bridge, session, project),
    )
    session.add(issue)
    session.flush()
    index.own(session, known, issue.id)
    bridge.record(session, "adopted", issue=issue)
    bridge.look_at(session, issue)
    return issue
