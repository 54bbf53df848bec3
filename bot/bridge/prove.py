"""Proving that a fix is out: looked for when a fix is found, and when a release appears."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from bot import shipping
from bot.bridge import news
from bot.bridge.core import Bridge
from bot.configuration import Project
from bot.model import Happening, News, Stage
from bot.store import queries
from bot.store.tables import UNDONE, EffectState, Issue, KnownRelease, WatchRow
from integrations.base import Fix, IssueTouched, NotFound, Release, Tracker, Watch
from integrations.base import Issue as TrackerIssue

RELEASES_AT_ONCE = 20
"""How many releases are compared in one go, so that it ends well within a lease; the rest follows at once."""


@dataclass(frozen=True, slots=True)
class Proven:
    """These commits, and they are all that we knew of, are out: in `release`, or where merging is enough, merged."""

    issue: str
    shas: frozenset[str]
    release: Release | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look for one issue's proof showed. `unheard`: the issue itself changed, so it is looked at first."""

    proven: Proven | None = None
    unheard: bool = False


@dataclass(frozen=True, slots=True)
class Examined:
    """What a look at a project's releases showed."""

    releases: tuple[Release, ...] = ()  # looked at, or too old to matter
    waiting: frozenset[str] = frozenset()
    proven: tuple[Proven, ...] = ()
    unheard: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()  # issues with a fix that the tracker does not know any more
    more: bool = False


def prove(bridge: Bridge, issue_id: str) -> Verdict:
    """Look for the first release that contains all fixes of an issue; where merging is enough, the default branch."""
    with bridge.store.read() as session:
        issue = session.get_one(Issue, issue_id)
    project, tracker, fixes = bridge.project(issue.project), bridge.tracker(issue), _fixes(issue)
    if issue.stage is not Stage.FIXED or not fixes:
        return Verdict()
    if _unheard(issue, tracker.issue(issue.repository, issue.number or 0)):
        return Verdict(unheard=True)
    shas = frozenset(fix.sha for fix in fixes)
    if project.shipped_when == "merged":
        branch = tracker.repository(issue.repository).default_branch
        merged = all(tracker.contains(issue.repository, branch, sha) for sha in shas)
        return Verdict(Proven(issue.id, shas, None) if merged else None)
    releases = shipping.eligible(tracker.releases(issue.repository), project.prereleases)
    for release in shipping.candidates(releases, fixes):
        if all(tracker.contains(issue.repository, release.tag, sha) for sha in shas):
            return Verdict(Proven(issue.id, shas, release))
    return Verdict()


def _unheard(issue: Issue, facts: TrackerIssue) -> bool:
    """Whether the tracker shows the issue otherwise than we know it: reopened, or closed for another reason."""
    if facts.open:
        return issue.closed_seen
    return not issue.closed_seen or (facts.reason != "completed" and not issue.said_fixes)


def apply_verdict(bridge: Bridge, session: Session, issue_id: str, verdict: Verdict) -> None:
    if verdict.unheard:
        bridge.look_at(session, session.get_one(Issue, issue_id))
    elif verdict.proven is not None:
        ship(bridge, session, verdict.proven)


def examine(bridge: Bridge, project_key: str) -> Examined:
    """Compare each new release with the one before it, once for all waiting issues."""
    project = bridge.project(project_key)
    with bridge.store.read() as session:
        rows = {row.id: row for row in queries.fixed(session, project_key) if row.repository == project.repository}
        known = queries.known_releases(session, project_key)
        watch = session.get(WatchRow, (project_key, "issues"))
    tracker = bridge.trackers[project.tracker]
    releases = shipping.eligible(tracker.releases(project.repository), project.prereleases)
    waiting = {row.id: _fixes(row) for row in rows.values()}
    if project.shipped_when != "released" or not waiting:
        return Examined(tuple(releases), frozenset(waiting))
    new = shipping.newly_published(releases, known, waiting.values())
    proven, unknown = _proven(tracker, project, new[:RELEASES_AT_ONCE], waiting)
    touched = _touched(tracker, project, watch) if proven else frozenset()
    left = {release.id for release, _ in new[RELEASES_AT_ONCE:]}
    return Examined(
        tuple(release for release in releases if release.id not in left),
        frozenset(waiting),
        tuple(one for one in proven if rows[one.issue].number not in touched),
        frozenset(one.issue for one in proven if rows[one.issue].number in touched),
        unknown,
        more=bool(left),
    )


def _proven(
    tracker: Tracker,
    project: Project,
    new: Sequence[tuple[Release, Release | None]],
    waiting: Mapping[str, Sequence[Fix]],
) -> tuple[list[Proven], frozenset[str]]:
    """The issues that these releases prove, and those with a commit that the tracker does not know any more."""
    proven: dict[str, Proven] = {}
    unknown: set[str] = set()
    for release, before in new:
        left = {issue: fixes for issue, fixes in waiting.items() if issue not in proven}
        commits = tracker.commits_between(project.repository, before.tag, release.tag) if before else None
        for issue, missing in shipping.touched(commits, left).items():
            try:
                if all(tracker.contains(project.repository, release.tag, sha) for sha in missing):
                    proven[issue] = Proven(issue, frozenset(fix.sha for fix in waiting[issue]), release)
            except NotFound:
                unknown.add(issue)
    return list(proven.values()), frozenset(unknown - proven.keys())


def _touched(tracker: Tracker, project: Project, watch: WatchRow | None) -> frozenset[int]:
    """The issues that changed since the last poll: one request, however many issues a release proves."""
    events, _ = tracker.poll(project.repository, "issues", Watch(watch.state if watch else {}))
    return frozenset(event.number for event in events if isinstance(event, IssueTouched))


def apply_examined(bridge: Bridge, session: Session, project_key: str, examined: Examined) -> None:
    """Record the proofs; an issue that was fixed while we looked gets a look of its own."""
    for release in examined.releases:
        if session.get(KnownRelease, (project_key, release.id)) is None:
            session.add(
                KnownRelease(
                    project=project_key, release_id=release.id, tag=release.tag, published_at=release.published_at
                )
            )
    for proven in examined.proven:
        ship(bridge, session, proven)
    for issue_id in examined.unheard:
        bridge.look_at(session, session.get_one(Issue, issue_id))
    for issue in queries.fixed(session, project_key):
        effect = queries.effect(session, f"prove:{issue.id}")
        if issue.id not in examined.waiting or (effect is not None and effect.state is EffectState.DEAD):
            bridge.prove(session, issue)
    if examined.more:
        bridge.watch(session, "releases", bridge.project(project_key))


def ship(bridge: Bridge, session: Session, proven: Proven) -> None:
    """It is proven: everybody on the issue hears it. A proof of other fixes than those known now is none, and while
    the issue is still to be looked at, that comes first."""
    issue = session.get_one(Issue, proven.issue, with_for_update=True)
    looking = queries.effect(session, f"look:{issue.id}")
    if issue.stage is not Stage.FIXED or (looking is not None and looking.state in UNDONE):
        return  # the look asks for the proof again
    fixes = _fixes(issue)
    if proven.shas != {fix.sha for fix in fixes}:
        bridge.prove(session, issue)
        return
    proof = shipping.proof(fixes, proven.release)
    bridge.advance(session, issue, Happening.SHIPPED, proof=proof)
    what = f"release:{issue.project}:{proven.release.id}" if proven.release else f"merged:{fixes[-1].sha}"
    again = f"@{int(issue.reopened_at.timestamp())}" if issue.reopened_at else ""
    news.publish(bridge, session, issue, News.SHIPPED, what + again, proof=proof)
    bridge.keep_current(session, issue)


def _fixes(issue: Issue) -> list[Fix]:
    return [shipping.from_record(record) for record in issue.fixes]
