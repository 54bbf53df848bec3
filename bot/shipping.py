"""When a fix counts as shipped: by what a project says that counts, and what is out. Pure over facts.

What counts lies on lines: the project's releases, its default branch, or an environment. A line has heads: releases
add up, while on a branch or an environment each head takes the place of the one before. What is not proven is not
shipped.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, Protocol

from integrations.base import Deployment, Fix, Release

RELEASES = "releases"
BRANCH = "branch"
_ENVIRONMENT = "deployments:"


class Counts(Protocol):
    """What a project says that counts as shipped."""

    @property
    def shipped_when(self) -> str: ...

    @property
    def prereleases(self) -> bool: ...

    @property
    def tags(self) -> str: ...

    @property
    def bare_tags(self) -> bool: ...

    @property
    def environment(self) -> Sequence[str]: ...

    @property
    def environments_needed(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Head:
    """A commit that is out: by a release, as a branch's tip, or on an environment since `at`."""

    line: str
    id: str
    name: str
    sha: str  # "" while nobody asked
    url: str = ""
    at: datetime | None = None  # None: nobody tells
    prerelease: bool = False
    copies: Mapping[str, str] = field(default_factory=dict)  # of fixes that are not there themselves, what repeats them


def environment(name: str) -> str:
    """The line of an environment."""
    return _ENVIRONMENT + name


def environment_of(line: str) -> str:
    """The name of the environment that a line is; "" for another line."""
    return line.removeprefix(_ENVIRONMENT) if line.startswith(_ENVIRONMENT) else ""


def lines(project: Counts) -> tuple[str, ...]:
    """The lines that count for a project; each is a resource to watch in its tracker, too."""
    match project.shipped_when:
        case "merged":
            return (BRANCH,)
        case "released":
            return (RELEASES,)
        case _:
            return tuple(environment(name) for name in project.environment)


def resources(project: Counts) -> tuple[str, ...]:
    """What to watch in the project's tracker, so that nothing that counts is missed."""
    return ("issues", *lines(project), *(("tags",) if project.bare_tags else ()))


def key(repository: str, line: str) -> str:
    """How a line of a repository is named in an issue's record."""
    return f"{repository.casefold()} {line}"


def satisfied(project: Counts, repository: str, out: Collection[str]) -> bool:
    """Whether a fix that is out on these keys counts as shipped where `project` says what counts in `repository`."""
    there = [key(repository, line) in out for line in lines(project)]
    return any(there) if project.environments_needed == "any" else all(there)


def eligible(releases: Iterable[Release], project: Counts) -> list[Release]:
    """The releases that count for a project, oldest first; tags without a date before all others, lowest first."""
    counted = [one for one in releases if _counts(one, project)]
    bare = [one for one in reversed(counted) if one.published_at is None]
    dated = [(one.published_at, one.id, one) for one in counted if one.published_at is not None]
    return bare + [one for *_, one in sorted(dated, key=lambda item: item[:2])]


def _counts(release: Release, project: Counts) -> bool:
    return (project.prereleases or not release.prerelease) and fnmatchcase(release.tag, project.tags)


def after(releases: Sequence[Release], fixes: Iterable[Fix], most: int) -> list[Release]:
    """The releases that may contain one of `fixes`, oldest first: none that came out before the first was merged, but
    the last of these, as it may have been made of the branch that was merged then."""
    fixes = list(fixes)
    dated = [fix.merged_at for fix in fixes if fix.merged_at is not None]
    first = min(dated) if dated and len(dated) == len(fixes) else None
    later = [one for one in releases if first is None or one.published_at is None or one.published_at >= first]
    merges = any(fix.parts and fix.sha not in fix.parts for fix in fixes)
    before = [one for one in releases if one not in later][-1:] if merges else []
    return [*before, *later][-most:]


def released(release: Release, sha: str) -> Head:
    return Head(RELEASES, release.id, release.tag, sha, release.url, release.published_at, release.prerelease)


def deployed(deployment: Deployment) -> Head:
    line = environment(deployment.environment)
    return Head(line, deployment.id, deployment.environment, deployment.sha, deployment.url, deployment.at)


def current(fixes: Iterable[Fix], reopened_at: datetime | None, *, undated: bool = False) -> list[Fix]:
    """The fixes that still count: one merged before the issue was reopened did not hold; `undated`: one of which
    nobody tells when it was merged did."""
    return [fix for fix in fixes if reopened_at is None or (fix.merged_at > reopened_at if fix.merged_at else undated)]


# --- records ----------------------------------------------------------------------------------------------------------


def as_record(fix: Fix) -> dict[str, Any]:
    """A fix as JSON; what is empty is left out."""
    record = asdict(fix) | {"merged_at": fix.merged_at.isoformat() if fix.merged_at else None}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in record.items() if value}


def from_record(record: Mapping[str, Any]) -> Fix:
    """The inverse of `as_record`."""
    merged_at = record.get("merged_at")
    read: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in record.items()}
    return Fix(**{"url": "", **read, "merged_at": datetime.fromisoformat(merged_at) if merged_at else None})


def head_record(head: Head) -> dict[str, Any]:
    """A head as JSON."""
    record = asdict(head) | {"at": head.at.isoformat() if head.at else None}
    return {name: value for name, value in record.items() if value or name not in ("copies", "prerelease")}


def head_from(record: Mapping[str, Any]) -> Head:
    """The inverse of `head_record`."""
    return Head(**{**record, "at": datetime.fromisoformat(record["at"]) if record.get("at") else None})


def proof(fixes: Sequence[Fix], out: Iterable[Head] = ()) -> dict[str, Any]:
    """The facts that show a fix is out, as JSON: its commits, and the heads that contain them."""
    heads = [head_record(head) for head in out]
    return {"fixes": [as_record(fix) for fix in fixes], **({"out": heads} if heads else {})}
