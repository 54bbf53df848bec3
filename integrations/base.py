"""The contract between the bot and the services it bridges: roles, their data, their events and their errors.

An adapter is one file. It knows one vendor's wire and nothing of Slack, escalations or the store; vendor keys never
leave it. What keeps adapters alike is the contract suite in `integrations/testing.py`.

All times are timezone-aware UTC `datetime`s. All durations are seconds. Text is plain text unless said otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

from integrations.errors import (
    MARK as MARK,
    BadSignature as BadSignature,
    Gone as Gone,
    NotFound as NotFound,
    Rejected as Rejected,
    ServiceError as ServiceError,
    Unauthorised as Unauthorised,
    Unavailable as Unavailable,
    mark as mark,
)

# --- data -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Customer:
    """The person a ticket is for. Every field but `id` may be empty."""

    id: str
    name: str = ""
    email: str = ""
    organisation: str = ""
    plan: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    url: str
    content_type: str = ""
    size: int = 0  # bytes


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a ticket's conversation, reduced to text: HTML, quoted history and signatures' markup removed."""

    id: str
    author: str
    role: Literal["customer", "agent", "ours"]  # ours: written by the account Passerelle works with
    public: bool
    at: datetime
    text: str
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Ticket:
    """A customer's request as the helpdesk tells it, oldest message first."""

    number: str
    url: str
    subject: str
    customer: Customer
    messages: tuple[Message, ...]
    created_at: datetime
    updated_at: datetime
    language: str = ""  # BCP 47, "" when unknown
    status: Literal["open", "solved", "closed"] = "open"  # closed: takes no more messages
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Repository:
    full_name: str  # as the tracker spells it now
    url: str
    public: bool
    issues_enabled: bool
    archived: bool = False
    default_branch: str = "HEAD"


@dataclass(frozen=True, slots=True)
class IssueDraft:
    title: str
    body: str  # the tracker's Markdown, already made harmless
    labels: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()  # of those that `assignable` let through
    confidential: bool = False  # for members alone, where the tracker knows such issues


@dataclass(frozen=True, slots=True)
class IssueRef:
    number: int
    url: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where an issue stands."""

    repository: str  # "owner/name"
    number: int


@dataclass(frozen=True, slots=True)
class Issue:
    number: int
    url: str
    title: str
    open: bool
    reason: Literal["completed", "not_planned", "duplicate"] | None  # why it is closed; None while open
    updated_at: datetime
    closed_at: datetime | None = None
    assignees: tuple[str, ...] = ()
    repository: str = ""  # where it stands now, which is another than was asked for once it was moved
    reopened: bool = False  # open again, after somebody had closed it
    duplicate_of: Place | None = None  # the issue that takes its place, where the tracker tells


@dataclass(frozen=True, slots=True)
class Comment:
    id: str
    author: str  # the login
    text: str
    at: datetime
    url: str
    ours: bool  # written by the account whose token we use


@dataclass(frozen=True, slots=True)
class Fix:
    """A commit that repairs an issue: on the branch it was merged to (squash and rebase included), as it is there."""

    sha: str
    url: str
    pull: int | None = None
    pull_url: str = ""
    title: str = ""
    branch: str = ""
    merged_at: datetime | None = None
    repository: str = ""  # "owner/name" of its commit; "" for the issue's own
    parts: tuple[
        str, ...
    ] = ()  # shas: the commits that a rebase or a merge of several brought, `sha` may be one of them
    copies: tuple[str, ...] = ()  # shas: commits known to repeat the whole change on another branch


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit as git has it."""

    sha: str
    parents: tuple[str, ...]  # shas, the branch that it was made on first
    message: str
    author: str = ""  # the address of who wrote the change, which a copy keeps
    authored_at: datetime | None = None  # when it was written, which a copy keeps, too


@dataclass(frozen=True, slots=True)
class Range:
    """What `head` has and `base` has not."""

    base: str  # full shas
    head: str
    commits: tuple[Commit, ...]
    holds_base: bool  # base is head, or an ancestor of it
    whole: bool = True  # False: there are more commits than the tracker lists


@dataclass(frozen=True, slots=True)
class Release:
    """A published release, or a tag that has none. Drafts are never told of."""

    id: str  # of a bare tag: "tag:" and its name
    tag: str
    name: str
    url: str
    published_at: datetime | None  # of a bare tag None: git does not tell when it was pushed
    prerelease: bool = False
    sha: str = ""  # the tag's commit, where the list tells; else ask `resolve`


@dataclass(frozen=True, slots=True)
class Deployment:
    """A commit that runs on an environment, since `at`."""

    id: str
    environment: str
    sha: str
    url: str  # for people: its log, or the environment's own page
    at: datetime


# --- events: hints that something changed; the bot looks again before it acts ---------------------------------------


@dataclass(frozen=True, slots=True)
class IssueTouched:
    repository: str
    number: int
    marks: tuple[str, ...] = field(default=(), compare=False)  # the keys that its text carries, if it was told


@dataclass(frozen=True, slots=True)
class CodeTouched:
    """Something that code ships by came, went or moved: `resource` is one that `Tracker.poll` knows."""

    repository: str
    resource: str


@dataclass(frozen=True, slots=True)
class TicketTouched:
    number: str


Event = IssueTouched | CodeTouched | TicketTouched


@dataclass(frozen=True, slots=True)
class Watch:
    """Where polling one resource of one repository stands; opaque to all but the adapter, kept by the bot as JSON."""

    state: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something `passerelle check` found: `where` names the setting, `mend` is the next step."""

    where: str
    problem: str
    mend: str
    hook: bool = False  # `passerelle check --mend` can do it: see `MendsHooks`


# --- roles ------------------------------------------------------------------------------------------------------------


class WebhookSource(Protocol):
    """A service that calls us. All methods are pure: no clock, no network, no store."""

    name: str
    kept_headers: tuple[str, ...]  # lower case; what is stored beside a delivery

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
        """Return the sender's id of this delivery, or raise BadSignature. No secret configured: BadSignature."""
        ...

    def read(self, headers: Mapping[str, str], body: bytes) -> list[Event]:
        """What an authentic delivery means to us; [] for what does not concern us. Never raises on strange content."""
        ...


class Tracker(WebhookSource, Protocol):
    """Where issues live. Each method makes bounded calls with a time-out, and raises only `ServiceError`s.

    `repo` is "owner/name". Methods that take a `key` put `mark(key)` into what they write; the `marked_…` methods find
    that again by listing (search indexes lag), and count only what our own account wrote.
    """

    lane: str  # what its rate limit applies to; one per token
    pace: float  # seconds to keep between two writes in that lane

    def login(self) -> str:
        """The login of the account we work with."""
        ...

    def repository(self, repo: str) -> Repository: ...

    def assignable(self, repo: str, logins: tuple[str, ...]) -> tuple[str, ...]:
        """Those of `logins` to whom issues of `repo` can be assigned."""
        ...

    def create_issue(self, repo: str, draft: IssueDraft, key: str) -> IssueRef:
        """File an issue, by one call."""
        ...

    def marked_issue(self, repo: str, key: str, since: datetime) -> IssueRef | None: ...

    def issue(self, repo: str, number: int) -> Issue:
        """The issue, followed to where it was moved. Gone: it was deleted, or is no issue any more."""
        ...

    def comments(self, repo: str, number: int, since: datetime | None = None) -> list[Comment]: ...

    def comment(self, repo: str, number: int, text: str, key: str) -> Comment: ...

    def marked_comment(self, repo: str, number: int, key: str) -> Comment | None: ...

    def keep(self, repo: str, number: int, text: str, key: str, known: str = "") -> str:
        """Keep `text` current in the issue: what carries `key` is replaced, or written where it is not there yet, and
        doing so again changes nothing. Returns what to hand in as `known` the next time, so that it need not be looked
        for."""
        ...

    def close(self, repo: str, number: int, reason: Literal["completed", "not_planned"]) -> None: ...

    def fixes(self, repo: str, number: int) -> list[Fix]:
        """The merged pull requests and commits that fix the issue, as far as the tracker tells: those that closed it,
        and those that say so and were merged to another branch, or in another repository."""
        ...

    def fix(self, repo: str, reference: str) -> Fix:
        """What a person named: a commit sha (7+ hex digits), `#12`, `12`, `owner/name#12`, or an address."""
        ...

    def resolve(self, repo: str, ref: str) -> str:
        """The full sha of the commit that `ref` names: `heads/<branch>`, `tags/<tag>` or a sha."""
        ...

    def between(self, repo: str, base: str, head: str) -> Range:
        """What `head` has and `base` has not (shas). NotFound: the tracker knows one of them no more.

        Two histories without a common beginning share nothing: all of head's commits, and base is not held.
        """
        ...

    def same_change(self, repo: str, one: str, other: str) -> bool:
        """Whether two commits (shas) make the same patch, wherever its lines stand."""
        ...

    def releases(self, repo: str, bare_tags: bool = False) -> list[Release]:
        """The newest published releases (at most 100), newest first; then, if asked, the tags that have no release,
        highest version first."""
        ...

    def deployed(self, repo: str, environment: str) -> Deployment | None:
        """What runs on that environment: the deployment that succeeded last and has not failed since. None: nothing."""
        ...

    def redeliver(self, repo: str, address: str, since: datetime) -> int:
        """Ask for the webhook deliveries to `address` again that failed since; how many. 0 where our token may not."""
        ...

    def poll(self, repo: str, resource: str, watch: Watch) -> tuple[list[Event], Watch]:
        """What was touched since `watch`: one conditional request when nothing was (then `watch` comes back equal).

        `resource`: "issues" (with the issues that a merged pull request fixes), "releases", "tags", "branch" (the
        default one), or "deployments:<environment>". An empty Watch starts now: it reports nothing and remembers where
        to go on.
        """
        ...

    def check(self, repo: str, resources: Sequence[str] = ()) -> list[Finding]:
        """What would keep the bot from working in `repo`, where it polls `resources`; [] when all is well."""
        ...


@runtime_checkable
class MendsHooks(Protocol):
    """A tracker that can look after the webhook which calls us, where its token may."""

    def mend_hook(self, repo: str, address: str) -> str:
        """Add the webhook that calls `address`, or complete it and switch it on again; what was done, in words."""
        ...


class Helpdesk(WebhookSource, Protocol):
    """Where tickets live. Each method makes bounded calls with a time-out, and raises only `ServiceError`s."""

    lane: str
    pace: float

    def number_in(self, reference: str) -> str | None:
        """The ticket number that a bare number, `#123`, or an address of this helpdesk names; else None. Pure."""
        ...

    def ticket(self, number: str) -> Ticket: ...

    def note(self, number: str, text: str, key: str) -> str:
        """Write an internal note (never visible to the customer); returns its id."""
        ...

    def reply(self, number: str, text: str, key: str, agent_email: str = "") -> str:
        """Send a public reply to the customer, as that agent where the API allows; returns its id."""
        ...

    def marked(self, number: str, key: str) -> str | None:
        """The id of the note or reply that carries `key`, if it is there."""
        ...

    def tag(self, number: str, tag: str) -> None:
        """Add a tag; adding it again changes nothing."""
        ...

    def check(self) -> list[Finding]: ...
