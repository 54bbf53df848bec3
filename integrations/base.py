"""The contract between the bot and the services it bridges: roles, their data, their events and their errors.

An adapter is one file. It knows one vendor's wire and nothing of Slack, escalations or the store; vendor keys never
leave it. What keeps adapters alike is the contract suite in `integrations/testing.py`.

All times are timezone-aware UTC `datetime`s. All durations are seconds. Text is plain text unless said otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Literal, Protocol, runtime_checkable

from integrations.data import (
    Attachment as Attachment,
    Comment as Comment,
    Commit as Commit,
    Customer as Customer,
    Deployment as Deployment,
    Fix as Fix,
    Issue as Issue,
    IssueDraft as IssueDraft,
    IssueRef as IssueRef,
    Listed as Listed,
    Listing as Listing,
    Message as Message,
    Place as Place,
    Range as Range,
    Release as Release,
    Repository as Repository,
    Ticket as Ticket,
    TicketLine as TicketLine,
    TicketStatus as TicketStatus,
)
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

# --- events: hints that something changed; the bot looks again before it acts ---------------------------------------


@dataclass(frozen=True, slots=True)
class IssueTouched:
    repository: str
    number: int
    marks: tuple[str, ...] = field(default=(), compare=False)  # the keys that its text carries, if it was told
    pull: bool = False  # of a merge request, where these are numbered apart: it was brought to another branch


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

    def command(self, name: str) -> str:
        """How a person writes our command `name` in a comment."""
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

    def edit_comment(self, repo: str, number: int, comment: str, text: str, key: str) -> None:
        """Replace the text of our own comment of that id. NotFound: it is gone."""
        ...

    def delete_comment(self, repo: str, number: int, comment: str) -> None:
        """Delete our own comment of that id; one that is gone already is well."""
        ...

    def close(self, repo: str, number: int, reason: Literal["completed", "not_planned"]) -> None: ...

    def reopen(self, repo: str, number: int) -> None:
        """Open a closed issue again; one that is open stays so."""
        ...

    def close_as_duplicate(self, repo: str, number: int, of: Place) -> None:
        """Close the issue as a duplicate of the one at `of`, on the same tracker; doing so again changes nothing."""
        ...

    def assign(self, repo: str, number: int, logins: tuple[str, ...]) -> None:
        """Make these the issue's assignees, in place of others; of those that `assignable` let through."""
        ...

    def due(self, repo: str, number: int, on: date | None) -> None:
        """Set or take off the issue's due date, where the tracker knows such; else nothing happens."""
        ...

    def listing(self, repo: str, since: datetime | None, most: int = 100) -> Listing:
        """The issues (never pull requests) updated at `since` or later, oldest update first; None: all there are.

        About `most` of them, more where so many were updated within the second of `since`: whoever asks on from
        `reached` always gets further, and misses none.
        """
        ...

    def fixes(self, repo: str, number: int) -> list[Fix]:
        """The merged pull requests and commits that fix the issue, as far as the tracker tells: those that closed it,
        and those that say so and were merged to another branch, or in another repository. Of one that was opened again
        those since then alone."""
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


@runtime_checkable
class TakesFiles(Protocol):
    """A tracker that keeps files which its issues and comments show."""

    def attach(self, repo: str, name: str, content: bytes) -> str:
        """Keep a file of that name, which is harmless in Markdown; returns the Markdown that shows it. By one call,
        and what it keeps carries no mark: made again, it is kept twice. Rejected: too large."""
        ...


class Ability(StrEnum):
    """What not every helpdesk can do. `docs/integrations/README.md` has the same as a table."""

    AS_AGENT = "as_agent"  # a reply goes out in the agent's own name
    HOLD = "hold"  # a ticket can be put on hold
    CLOSES = "closes"  # a closed ticket takes no more messages
    FOLLOWS_UP = "follows_up"  # and then a follow-up can be made: see `FollowsUp`
    MERGES = "merges"  # one ticket can be merged into another
    SPAM = "spam"  # a ticket can be marked as spam
    SIGNED = "signed"  # a webhook's signature covers its content; without it, a secret goes along
    DATED = "dated"  # a webhook's signature covers when it was sent
    MARKS = "marks"  # a reply carries its key unseen; without it, only a person can tell whether one in doubt was sent
    TAGS = "tags"  # tickets have tags
    LANGUAGE = "language"  # it tells the customer's language
    PLAN = "plan"  # it has a place for the customer's plan, named by `plan_field`


class Helpdesk(WebhookSource, Protocol):
    """Where tickets live. Each method makes bounded calls with a time-out, and raises only `ServiceError`s.

    `number` is what `number_in` gave, or `Ticket.number`; `NotFound` for what names no ticket, also a deleted one.
    """

    lane: str
    pace: float
    abilities: frozenset[Ability]

    def number_in(self, reference: str) -> str | None:
        """What `ticket` takes, from a bare number, `#123`, or an address of this helpdesk; else None. Pure.

        Where an address holds another id than the number that people know, it may be that id in a form of its own;
        `Ticket.number` is then the number.
        """
        ...

    def ticket(self, number: str) -> Ticket:
        """The ticket; of one that was merged into another, that other one, with its own number."""
        ...

    def tickets_of(self, email: str, most: int = 10) -> list[TicketLine]:
        """A customer's tickets by their e-mail address, the one that moved last first; [] for somebody unknown."""
        ...

    def note(self, number: str, text: str, key: str) -> str:
        """Write an internal note (never visible to the customer); returns its id."""
        ...

    def reply(self, number: str, text: str, key: str, agent_email: str = "") -> str:
        """Send a public reply to the customer, as that agent where the API allows; returns its id.

        The text is plain and arrives as it was written. Rejected, saying so: the ticket takes no more messages, or the
        customer cannot be reached.
        """
        ...

    def marked(self, number: str, key: str) -> str | None:
        """The id of the note or reply that carries `key`, if it is there; without `Ability.MARKS`, of a note alone."""
        ...

    def tag(self, number: str, tag: str) -> None:
        """Add a tag; adding it again changes nothing, nor does it where tickets have none."""
        ...

    def hold(self, number: str, on: bool) -> None:
        """Put an open ticket on hold while it waits for a developer, or open one that is on hold; others stay as they
        are, and so does all where the helpdesk knows no such state."""
        ...

    def download(self, attachment: Attachment) -> bytes:
        """What an attachment of a ticket holds, at most 10 MB. Our credentials go to the helpdesk's own host alone.
        Rejected: an address elsewhere, or too large."""
        ...

    def poll(self, watch: Watch) -> tuple[list[Event], Watch]:
        """The tickets touched since `watch`, by one request where none were (then `watch` comes back equal). An empty
        Watch starts now: it reports nothing and remembers where to go on. A ticket may be told twice, none is missed.
        """
        ...

    def check(self) -> list[Finding]: ...


@runtime_checkable
class FollowsUp(Protocol):
    """A helpdesk whose closed tickets take no more messages, but can have a follow-up."""

    def follow_up(self, number: str, text: str, key: str, agent_email: str = "") -> TicketLine:
        """Answer the customer of a closed ticket in a new one that refers to it, by one call."""
        ...

    def marked_follow_up(self, key: str) -> TicketLine | None:
        """The follow-up that carries `key`, if it is there."""
        ...


@runtime_checkable
class SpeaksFor(Protocol):
    """A helpdesk that replies in the name of agents, and tells of whom."""

    def speaks_for(self, email: str) -> bool:
        """Whether a reply goes out in the name of the agent with that address; else it is in our account's own."""
        ...
