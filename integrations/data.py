"""What services tell and are told, as data; `integrations/base.py` has the roles that speak of it.

All times are timezone-aware UTC `datetime`s; text is plain text unless said otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


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
    email: str = ""  # the author's


TicketStatus = Literal["open", "held", "solved", "closed", "spam"]
"""held: waits for somebody else than the customer. closed: takes no more messages. spam: nobody is to be answered."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A customer's request as the helpdesk tells it, oldest message first."""

    number: str  # the one that people know it by, and under which it is kept
    url: str
    subject: str
    customer: Customer
    messages: tuple[Message, ...]
    created_at: datetime
    updated_at: datetime
    language: str = ""  # BCP 47, "" when unknown
    status: TicketStatus = "open"
    tags: tuple[str, ...] = ()
    assignee: str = ""  # the e-mail address of the agent in charge; "": nobody, or nobody knows
    fields: tuple[tuple[str, str], ...] = ()  # those that the configuration names, as (its name, value)


@dataclass(frozen=True, slots=True)
class TicketLine:
    """A ticket as a list shows it."""

    number: str
    url: str
    subject: str
    status: TicketStatus
    updated_at: datetime


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
    type: str = ""  # one of the tracker's issue types, "" for its default; one that it does not know is left out


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
    duplicate_of: Place | None = None  # the issue that takes its place, where the tracker tells
    locked: bool = False  # only few may comment on it
    confidential: bool | None = None  # for members of some standing alone; None: the tracker knows no such issues
    labels: tuple[str, ...] = ()  # their names as written, but for one that only says why it is closed


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
    carried: tuple[str, ...] = ()  # shas: the commits of its own branch that it stands for, as they were there


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


@dataclass(frozen=True, slots=True)
class Listed:
    """An issue as a list of the tracker shows it, for finding likely duplicates."""

    number: int
    url: str
    title: str
    text: str  # Markdown, without what it hides; at most 20,000 characters
    open: bool
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None
    confidential: bool = False  # for members alone


@dataclass(frozen=True, slots=True)
class Listing:
    issues: tuple[Listed, ...]  # by `updated_at`, oldest first
    more: bool  # there are later ones: ask on from `reached`
    reached: datetime | None = None  # all before it was looked at, so it goes on even where no issue was among that
