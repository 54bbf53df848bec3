"""Proving that a fix is out: looked for when a fix is found, and when a release appears."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from bot import shipping
from bot.bridge import news
from bot.bridge.core import Bridge
from bot.configuration import Project
from bot.model import Happening, News, Stage
from bot.store import queries
from bot.store.tables import Issue, KnownRelease
from integrations.base import Fix, Release, Tracker


@dataclass(frozen=True, slots=True)
class Examined:
    """What a look at a project's releases showed: the issues that each release proves, and what was looked at."""

    releases: tuple[Release, ...]
    waiting: frozenset[str]
    proven: tuple[tuple[str, Release], ...]


def prove(bridge: Bridge, issue_id: str) -> Release | bool:
    """The first release that contains all fixes of an issue; for `shipped_when: merged`, True. False: not yet."""
    with bridge.store.read() as session:
        issue = session.get_one(Issue, issue_id)
    project, fixes = bridge.project(issue.project), _fixes(issue)
    if issue.stage is not Stage.FIXED or not fixes:
        return False
    if project.shipped_when == "merged":
        return True
    tracker = bridge.tracker(issue)
    releases = shipping.eligible(tracker.releases(issue.repository), project.prereleases)
    for release in shipping.candidates(releases, fixes):
        if all(tracker.contains(issue.repository, release.tag, fix.sha) for fix in fixes):
            return release
    return False


def examine(bridge: Bridge, project_key: str) -> Examined:
    """Compare each new release with the one before it, once for all waiting issues."""
    project = bridge.project(project_key)
    with bridge.store.read() as session:
        rows = queries.fixed(session, project_key)
        known = queries.known_releases(session, project_key)
    tracker = bridge.trackers[project.tracker]
    releases = shipping.eligible(tracker.releases(project.repository), project.prereleases)
    waiting = {issue.id: _fixes(issue) for issue in rows}
    proven: dict[str, Release] = {}
    if project.shipped_when == "released" and waiting:
        for release, before in shipping.newly_published(releases, known):
            left = {issue: fixes for issue, fixes in waiting.items() if issue not in proven}
            for issue_id in _contained(tracker, project, release, before, left):
                proven[issue_id] = release
    return Examined(tuple(releases), frozenset(waiting), tuple(proven.items()))


def _contained(
    tracker: Tracker, project: Project, release: Release, before: Release | None, waiting: dict[str, list[Fix]]
) -> list[str]:
    """The waiting issues whose fixes `release` contains, with one comparison where the tracker can make it."""
    commits = tracker.commits_between(project.repository, before.tag, release.tag) if before else None
    if commits is None:
        doubtful = {issue: [fix.sha for fix in fixes] for issue, fixes in waiting.items()}
    else:
        doubtful = shipping.touched(commits, waiting)
    return [
        issue
        for issue, missing in doubtful.items()
        if all(tracker.contains(project.repository, release.tag, sha) for sha in missing)
    ]


def apply_examined(bridge: Bridge, session: Session, project_key: str, examined: Examined) -> None:
    """Record the proofs; an issue that was fixed while we looked gets a look of its own."""
    for release in examined.releases:
        if session.get(KnownRelease, (project_key, release.id)) is None:
            session.add(
                KnownRelease(
                    project=project_key, release_id=release.id, tag=release.tag, published_at=release.published_at
                )
            )
    for issue_id, release in examined.proven:
        ship(bridge, session, issue_id, release)
    for issue in queries.fixed(session, project_key):
        if issue.id not in examined.waiting:
            bridge.prove(session, issue)


def ship(bridge: Bridge, session: Session, issue_id: str, release: Release | None) -> None:
    """It is proven: everybody on the issue hears it."""
    issue = session.get_one(Issue, issue_id, with_for_update=True)
    fixes = _fixes(issue)
    if not fixes:
        return
    proof = shipping.proof(fixes, release)
    if not bridge.advance(session, issue, Happening.SHIPPED, proof=proof):
        return
    cause = f"release:{issue.project}:{release.id}" if release else f"merged:{issue.project}:{fixes[-1].sha}"
    news.publish(bridge, session, issue, News.SHIPPED, cause, proof=proof)
    bridge.keep_current(session, issue)


def _fixes(issue: Issue) -> list[Fix]:
    return [shipping.from_record(record) for record in issue.fixes]
