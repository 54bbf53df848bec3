"""What the GitHub stand-in keeps: repositories, issues, pull requests and releases, as plain records."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from integrations.sandbox.github.history import History

LEVELS = ("pull", "triage", "push", "maintain", "admin")

_REFERENCE = r"(?:(?P<repo>[\w.-]+/[\w.-]+)?#|https?://[^\s/]+/(?P<url>[\w.-]+/[\w.-]+)/(?:issues|pull)/)(?P<n>\d+)\b"
_CLOSING = re.compile(r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)\b:?[ \t]+" + _REFERENCE, re.IGNORECASE)
_MENTION = re.compile(r"(?<![\w/&#-])" + _REFERENCE)
_NOT_PROSE = re.compile(r"```.*?```|`[^`\n]*`|<!--.*?-->", re.DOTALL)


@dataclass(slots=True)
class Label:
    id: int
    name: str
    color: str = "ededed"
    description: str | None = None


@dataclass(slots=True)
class Comment:
    id: int
    by: str
    body: str
    created: datetime
    updated: datetime


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of an issue's timeline; what `facts` holds depends on the event."""

    id: int
    event: str
    by: str
    at: datetime
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Pull:
    """What a pull request has beside being an issue."""

    base: str
    head: str
    base_sha: str
    head_sha: str
    test_sha: str  # GitHub shows its trial merge as `merge_commit_sha` until the real one exists
    merge_sha: str | None = None
    merged_at: datetime | None = None
    merged_by: str | None = None
    commits: list[str] = field(default_factory=list)
    brought: list[str] = field(default_factory=list)  # the shas on the base branch to take back when it is reverted
    linked: list[Issue] = field(default_factory=list)  # by hand, in the Development panel


@dataclass(slots=True)
class Issue:
    id: int
    number: int
    by: str
    title: str
    body: str | None
    created: datetime
    updated: datetime
    labels: list[Label] = field(default_factory=list)
    assignees: list[str] = field(default_factory=list)
    open: bool = True
    reason: str | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    comments: list[Comment] = field(default_factory=list)
    timeline: list[Happening] = field(default_factory=list)
    pull: Pull | None = None
    locked: bool = False
    type: str | None = None
    duplicate_of: Issue | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class DeploymentStatus:
    id: int
    state: str
    by: str
    at: datetime
    environment: str
    description: str = ""
    log_url: str = ""
    environment_url: str = ""


@dataclass(slots=True)
class Deployment:
    id: int
    sha: str
    ref: str
    environment: str
    original_environment: str
    by: str
    created: datetime
    updated: datetime
    production: bool
    transient: bool
    task: str = "deploy"
    description: str | None = None
    payload: Any = field(default_factory=dict)
    statuses: list[DeploymentStatus] = field(default_factory=list)  # oldest first


@dataclass(frozen=True, slots=True)
class Environment:
    id: int
    name: str
    created: datetime


@dataclass(slots=True)
class Release:
    id: int
    tag: str
    name: str
    body: str
    target: str
    by: str
    created: datetime  # the tagged commit's date, as on GitHub
    published: datetime | None
    draft: bool
    prerelease: bool


@dataclass(slots=True)
class Repository:
    id: int
    full_name: str
    private: bool
    has_issues: bool
    default_branch: str
    created: datetime
    archived: bool = False
    squash_message: str = "PR_BODY"  # or BLANK: the pull request's title alone
    levels: dict[str, str] = field(default_factory=dict)  # login → what they may do
    history: History = field(default_factory=History)
    issues: dict[int, Issue] = field(default_factory=dict)  # pull requests are issues too
    labels: list[Label] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)  # oldest first
    environments: dict[str, Environment] = field(default_factory=dict)  # by name in lower case
    moved: dict[int, Issue] = field(default_factory=dict)  # by the number they had here
    renamed: dict[str, str] = field(default_factory=dict)  # branches: old name → new name
    numbers: int = 0  # the last number given; a deleted issue's is never given again

    def may(self, login: str | None, level: str) -> bool:
        """Whether `login` has at least `level` here."""
        has = self.levels.get(self.member(login or "") or "")
        return has is not None and LEVELS.index(has) >= LEVELS.index(level)

    def member(self, login: str) -> str | None:
        """The login as it is spelt, when it is one that may be assigned here; case does not count."""
        return next((known for known in self.levels if known.lower() == login.lower()), None)

    def label(self, name: str) -> Label | None:
        return next((label for label in self.labels if label.name.lower() == name.lower()), None)

    @property
    def owner(self) -> str:
        return self.full_name.split("/")[0]


@lru_cache(maxsize=100_000)
def references(text: str, closing: bool = False) -> tuple[tuple[str, int], ...]:
    """The issues that `text` mentions, or says that it closes: ("owner/name" or "" for its own repository, number).

    Code is not read.
    """
    prose = _NOT_PROSE.sub(" ", text)
    found = (_CLOSING if closing else _MENTION).finditer(prose)
    return tuple(dict.fromkeys((match["repo"] or match["url"] or "", int(match["n"])) for match in found))
