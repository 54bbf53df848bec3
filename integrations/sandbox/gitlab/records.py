"""What the GitLab stand-in keeps: groups, projects, issues, merge requests and what code ships by, as plain records."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from integrations.sandbox.github.history import History
from integrations.sandbox.gitlab.hooks import Hook

GUEST, PLANNER, REPORTER, DEVELOPER, MAINTAINER, OWNER = 10, 15, 20, 30, 40, 50  # "Roles and permissions"
VISIBILITIES = {"private": 0, "internal": 10, "public": 20}


@dataclass(frozen=True, slots=True)
class User:
    id: int
    username: str
    name: str

    @property
    def email(self) -> str:
        return f"{self.username}@example.com"


@dataclass(slots=True)
class Group:
    id: int
    path: str  # full
    visibility: str
    epics: int = 0  # the last epic's iid


@dataclass(slots=True)
class Label:
    id: int
    name: str
    color: str = "#6699cc"
    description: str | None = None


@dataclass(slots=True)
class Note:
    id: int
    by: str
    body: str
    created: datetime
    updated: datetime
    system: bool = False
    internal: bool = False


@dataclass(frozen=True, slots=True)
class StateEvent:
    """A line of "Resource state events": closed, reopened or merged, and by what."""

    id: int
    by: str
    at: datetime
    state: str
    commit: str | None = None
    merge_id: int | None = None


@dataclass(slots=True)
class Issue:
    id: int  # across all projects
    iid: int
    by: str
    title: str
    body: str | None
    created: datetime
    updated: datetime
    labels: list[Label] = field(default_factory=list)
    assignees: list[str] = field(default_factory=list)
    open: bool = True
    closed_at: datetime | None = None
    closed_by: str | None = None
    confidential: bool = False
    locked: bool = False
    due: date | None = None
    kind: str = "issue"
    notes: list[Note] = field(default_factory=list)
    events: list[StateEvent] = field(default_factory=list)
    moved_to: Issue | None = field(default=None, repr=False)
    duplicate_of: Issue | None = field(default=None, repr=False)
    links: list[Issue] = field(default_factory=list, repr=False)
    mentioned_by: list[int] = field(default_factory=list)  # ids of merge requests, oldest mention first
    promoted: bool = False

    @property
    def state(self) -> str:
        return "opened" if self.open else "closed"


@dataclass(slots=True)
class Merge:
    """A merge request. `commits`: the shas that it shows, oldest first; `landed`: what came to the target by it."""

    id: int
    iid: int
    by: str
    title: str
    body: str
    source: str
    target: str
    base_sha: str
    head_sha: str
    created: datetime
    updated: datetime
    state: str = "opened"
    commits: list[str] = field(default_factory=list)
    landed: list[str] = field(default_factory=list)
    merge_sha: str | None = None
    squash_sha: str | None = None
    picks: list[str] = field(default_factory=list)  # the commits that repeat it, picked by the button
    squash: bool = False
    merged_at: datetime | None = None
    merged_by: str | None = None
    closed_at: datetime | None = None
    closes: list[Issue] = field(default_factory=list, repr=False)  # what GitLab noted down when it was last opened
    notes: list[Note] = field(default_factory=list)
    events: list[StateEvent] = field(default_factory=list)
    draft: bool = False


@dataclass(slots=True)
class Release:
    id: int
    tag: str
    name: str
    body: str
    by: str
    created: datetime
    released: datetime
    sha: str  # the tag's commit when the release was made


@dataclass(slots=True)
class Environment:
    id: int
    name: str
    tier: str
    created: datetime
    updated: datetime
    state: str = "available"
    url: str | None = None

    @property
    def folder(self) -> str | None:
        """`review` of `review/some-branch`."""
        return self.name.partition("/")[0] if "/" in self.name else None


@dataclass(slots=True)
class Deployment:
    id: int
    iid: int
    environment: Environment
    ref: str
    tag: bool
    sha: str
    by: str
    status: str
    created: datetime
    updated: datetime
    job: int | None = None  # of the pipeline; None where it was made by the API
    pipeline: int | None = None
    finished: datetime | None = None
    merges: list[Merge] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that texts of its project refer to; `secret` is what its address cannot be guessed by."""

    id: int
    secret: str
    name: str
    content: bytes
    by: str

    @property
    def url(self) -> str:
        return f"/uploads/{self.secret}/{self.name}"

    @property
    def image(self) -> bool:
        return self.name.lower().endswith((".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tiff", ".ico", ".webp"))


@dataclass(slots=True)
class Project:
    id: int
    path: str  # full: "group/sub/project"
    visibility: str
    default_branch: str
    created: datetime
    updated: datetime
    issues_enabled: bool = True
    archived: bool = False
    merge_method: str = "merge"  # merge | rebase_merge | ff
    members: dict[str, int] = field(default_factory=dict)  # login → access level
    history: History = field(default_factory=History)
    issues: dict[int, Issue] = field(default_factory=dict)
    merges: dict[int, Merge] = field(default_factory=dict)
    labels: list[Label] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)
    environments: dict[str, Environment] = field(default_factory=dict)
    deployments: list[Deployment] = field(default_factory=list)  # oldest first
    hooks: list[Hook] = field(default_factory=list)
    uploads: list[Upload] = field(default_factory=list)  # oldest first
    protected_branches: set[str] = field(default_factory=set)
    protected_tags: set[str] = field(default_factory=set)  # names, or patterns with `*`
    issue_numbers: int = 0  # the last iids given; none is given twice
    merge_numbers: int = 0
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def group(self) -> str:
        return self.path.rpartition("/")[0]

    def level(self, login: str | None) -> int:
        """The access level that `login` has here; 0 for none. Case does not count."""
        name = self.member(login or "")
        return self.members[name] if name else 0

    def member(self, login: str) -> str | None:
        return next((known for known in self.members if known.lower() == login.lower()), None)

    def label(self, name: str) -> Label | None:
        return next((label for label in self.labels if label.name == name), None)
