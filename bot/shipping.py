"""Which fixes a release contains. Pure over facts that a tracker gives; what is not proven is not shipped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from integrations.base import Fix, Release


def eligible(releases: Iterable[Release], prereleases: bool) -> list[Release]:
    """The releases that count for a project, oldest first."""
    return sorted(
        (one for one in releases if prereleases or not one.prerelease), key=lambda one: (one.published_at, one.id)
    )


def newly_published(
    releases: Sequence[Release], known: frozenset[str], waiting: Iterable[Sequence[Fix]]
) -> list[tuple[Release, Release | None]]:
    """Each release that may contain a waiting fix and was not examined yet, with the one before it (None for the
    first), oldest first. One published before the first of the fixes was merged contains none."""
    merged = [fix.merged_at for fixes in waiting for fix in fixes]
    dated = [at for at in merged if at is not None]
    first = min(dated) if dated and len(dated) == len(merged) else None
    pairs = zip(releases, [None, *releases], strict=False)
    return [
        (release, before)
        for release, before in pairs
        if release.id not in known and (first is None or release.published_at >= first)
    ]


def candidates(releases: Sequence[Release], fixes: Sequence[Fix], most: int = 20) -> list[Release]:
    """The releases that may contain all of `fixes`, oldest first: those published after the last was merged."""
    merged = [fix.merged_at for fix in fixes if fix.merged_at is not None]
    later = [one for one in releases if not merged or one.published_at >= max(merged)]
    return later[-most:]


def touched(commits: set[str] | None, waiting: Mapping[str, Sequence[Fix]]) -> dict[str, list[str]]:
    """The issues of which `commits` holds a fix, each with the shas that it does not hold. None: it is not known which
    commits there are, so each is asked for by itself."""
    result = {}
    for issue, fixes in waiting.items():
        missing = [fix.sha for fix in fixes if commits is None or fix.sha not in commits]
        if commits is None or len(missing) < len(fixes):
            result[issue] = missing
    return result


def current(fixes: Iterable[Fix], reopened_at: datetime | None) -> list[Fix]:
    """The fixes that still count: one merged before the issue was reopened did not hold."""
    return [fix for fix in fixes if reopened_at is None or (fix.merged_at is not None and fix.merged_at > reopened_at)]


def as_record(fix: Fix) -> dict[str, Any]:
    """A fix as JSON."""
    return {
        "sha": fix.sha,
        "url": fix.url,
        "pull": fix.pull,
        "pull_url": fix.pull_url,
        "title": fix.title,
        "branch": fix.branch,
        "merged_at": fix.merged_at.isoformat() if fix.merged_at else None,
    }


def from_record(record: Mapping[str, Any]) -> Fix:
    """The inverse of `as_record`."""
    merged_at = record.get("merged_at")
    return Fix(**{**record, "merged_at": datetime.fromisoformat(merged_at) if merged_at else None})


def proof(fixes: Sequence[Fix], release: Release | None) -> dict[str, Any]:
    """The facts that show a fix is out, as JSON: its commits and, where the policy asks for one, the release."""
    facts: dict[str, Any] = {"fixes": [as_record(fix) for fix in fixes]}
    if release is not None:
        facts["release"] = {
            "tag": release.tag,
            "name": release.name,
            "url": release.url,
            "published_at": release.published_at.isoformat(),
        }
    return facts
