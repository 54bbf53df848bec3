"""GitLab as a tracker: the roles of `integrations/base.py`, one method each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from mimetypes import guess_type
from typing import Any, Literal

from integrations.base import (
    MARK,
    Comment,
    Deployment,
    Event,
    Finding,
    Fix,
    Issue,
    IssueDraft,
    IssueRef,
    Listing,
    NotFound,
    Place,
    Range,
    Rejected,
    Release,
    Repository,
    ServiceError,
    Unauthorised,
    Watch,
)
from integrations.gitlab import answers, code, deliveries, fixes, health, hooks, moves, polling, shipments, table
from integrations.gitlab.answers import marked, page_of, path_of, utc
from integrations.gitlab.config import Config
from integrations.gitlab.wire import PAGE, Now, Wire, utc_now
from integrations.listing import gathered

_TITLE_MAX = 255  # characters
_SKEW = timedelta(minutes=2)  # how far our clock may be ahead of GitLab's
_DESCRIPTION = "description"  # what `keep` returns: the table has one place
_TYPES = ("issue", "incident", "task")  # ("Issues API": `issue_type`; test cases are no issues of ours)
_MEMBER = 10  # the least role ("Members API": Guest is 10)


class GitLab:
    """GitLab as a tracker. Safe to share between threads; `timeout` is in seconds."""

    kept_headers: tuple[str, ...] = (
        "x-gitlab-event",
        "x-gitlab-event-uuid",
        "idempotency-key",
        "webhook-id",
        "content-type",
    )

    def __init__(self, name: str, config: Config, timeout: float = 10.0, now: Now = utc_now) -> None:
        self.name = name
        self.lane = f"gitlab:{name}"
        self.pace = config.pace
        self._config = config
        self._wire = Wire(name, config, timeout, now)
        self._login = ""

    # --- issues ---------------------------------------------------------------------------------------------------

    def login(self) -> str:
        """The login of the account whose token we use (of a project's or group's token: its bot user); asked once."""
        if not self._login:
            self._login = self._wire.get("/user", lambda user: str(user["username"]))
        return self._login

    def command(self, name: str) -> str:
        """`@login name`: a slash at a line's beginning is GitLab's own."""
        return f"@{self.login()} {name}"

    def repository(self, repo: str) -> Repository:
        """The project as it is now; one whose visibility GitLab does not tell counts as public."""
        found = self._wire.get(path_of(repo), answers.repository)
        self._wire.renamed(repo, found.full_name)
        return found

    def assignable(self, repo: str, logins: tuple[str, ...]) -> tuple[str, ...]:
        """Those of `logins` that are members of the project or its groups; GitLab silently drops any other."""
        return tuple(login for login in logins if self._is_member(repo, login))

    def create_issue(self, repo: str, draft: IssueDraft, key: str) -> IssueRef:
        """File an issue; GitLab makes unknown labels itself. Title ≤ 255, text ≤ 1,048,576 characters, cut if need be.

        With several assignees GitLab Free takes the first. A type is issue, incident or task, and left out otherwise.
        Rejected: issues are switched off, or it is archived.
        """
        people = [self._id(login) for login in draft.assignees]
        body: dict[str, Any] = {
            "title": draft.title[:_TITLE_MAX],
            "description": marked(draft.body, key, answers.ISSUE_MAX),
            "confidential": draft.confidential,
        }
        if draft.labels:
            body["labels"] = ",".join(draft.labels)
        if draft.type.casefold() in _TYPES:
            body["issue_type"] = draft.type.casefold()
        if people:
            body["assignee_ids"] = [person for person in people if person]
        try:
            return self._wire.write("POST", path_of(repo, "issues"), body, answers.issue_ref)
        except (Unauthorised, NotFound) as refused:
            raise self._why(repo, refused) from refused

    def marked_issue(self, repo: str, key: str, since: datetime) -> IssueRef | None:
        """The oldest issue of our own, changed at or after `since`, that carries `key`."""
        query = {"author_username": self.login(), "scope": "all", "state": "all", "updated_after": utc(since - _SKEW)}
        query |= {"order_by": "created_at", "sort": "asc"}
        found = [
            self._wire.translated(answers.issue_ref, item)
            for item in self._wire.pages(path_of(repo, "issues"), query, keyset=True)
            if self._ours(item) and answers.carries(item, key)
        ]
        return min(found, key=lambda ref: ref.number, default=None)

    def issue(self, repo: str, number: int) -> Issue:
        """The issue as it is now, followed to where it was moved; closed for good as an epic it is Gone."""
        return moves.followed(self._wire, repo, number)

    def listing(self, repo: str, since: datetime | None, most: int = 100) -> Listing:
        """The issues updated at `since` or later, confidential ones too, oldest update first; about `most`, see
        `Tracker`."""
        query = {"scope": "all", "state": "all", "order_by": "updated_at", "sort": "asc"}
        query |= {"per_page": str(max(1, min(most, PAGE)))} | ({"updated_after": utc(since)} if since else {})
        pages = self._wire.linked(path_of(repo, "issues"), query, keyset=True)
        return gathered(pages, lambda item: self._wire.translated(answers.listed, item), since, most)

    def comments(self, repo: str, number: int, since: datetime | None = None) -> list[Comment]:
        """The issue's comments, oldest first, without GitLab's own notes; with `since`, those touched from then on."""
        query = {"sort": "desc", "order_by": "updated_at", "activity_filter": "only_comments"}
        found: list[Comment] = []
        for item in self._wire.pages(path_of(repo, "issues", number, "notes"), query):
            if since and self._wire.translated(lambda note: datetime.fromisoformat(note["updated_at"]), item) < since:
                break
            if not item.get("system"):
                found.append(self._wire.translated(lambda note: self._comment(repo, number, note), item))
        return sorted(found, key=lambda comment: (comment.at, int(comment.id)))

    def comment(self, repo: str, number: int, text: str, key: str) -> Comment:
        """Write an internal note, which members alone see, that carries `key`; cut above 1,000,000 characters."""
        path = path_of(repo, "issues", number, "notes")
        self.login()  # before the write: afterwards a failing look-up would hide that it was done
        body = {"body": marked(text, key, answers.NOTE_MAX), "internal": True}
        return self._wire.write("POST", path, body, lambda note: self._comment(repo, number, note))

    def marked_comment(self, repo: str, number: int, key: str) -> Comment | None:
        """The comment of our own that carries `key`."""
        found = self.comments(repo, number)
        return next((comment for comment in found if comment.ours and key in MARK.findall(comment.text)), None)

    def attach(self, repo: str, name: str, content: bytes) -> str:
        """Keep a file with the project ("Markdown uploads API"), not with an issue: of a private project images are
        shown to whoever has the link, unless its settings ask for a sign-in, other files to its members."""
        kind = guess_type(name)[0] or "application/octet-stream"
        return self._wire.upload(path_of(repo, "uploads"), (name, content, kind), lambda made: _text(made["markdown"]))

    def edit_comment(self, repo: str, number: int, comment: str, text: str, key: str) -> None:
        """Replace the text of our own note of that id; above 1,000,000 characters it is cut. NotFound: it is gone."""
        path = path_of(repo, "issues", number, "notes", comment)
        self._wire.write("PUT", path, {"body": marked(text, key, answers.NOTE_MAX)}, dict)

    def delete_comment(self, repo: str, number: int, comment: str) -> None:
        """Delete our own note of that id; one that is gone already is well. NotFound: so is the project."""
        try:
            self._wire.ask("DELETE", path_of(repo, "issues", number, "notes", comment))
        except NotFound:
            self.repository(repo)

    def keep(self, repo: str, number: int, text: str, key: str, known: str = "") -> str:
        """Keep `text` in the issue's description, between lines of our own, written right after it was read.

        GitLab cannot be told to refuse a write over somebody's newer text, so whoever saves in that instant is undone.
        """
        path = path_of(repo, "issues", number)
        before = self._wire.get(path, lambda item: str(item["description"] or ""))
        after = table.replaced(before, text, key)
        if after != before:
            self._wire.write("PUT", path, {"description": after}, dict)
        return _DESCRIPTION

    def close(self, repo: str, number: int, reason: Literal["completed", "not_planned"]) -> None:
        """Close the issue; that it was not planned is said by a label, which comes off when it is completed."""
        label = self._config.not_planned_label
        change = {"add_labels": label} if reason == "not_planned" else {"remove_labels": label}
        self._wire.write("PUT", path_of(repo, "issues", number), {"state_event": "close", **change}, dict)

    def reopen(self, repo: str, number: int) -> None:
        """Open the issue again, if it is closed: GitLab refuses the event where it means nothing. The label that says
        that it was not planned comes off."""
        label = self._config.not_planned_label
        if not self.issue(repo, number).open:
            change = {"state_event": "reopen", "remove_labels": label}
            self._wire.write("PUT", path_of(repo, "issues", number), change, dict)

    def close_as_duplicate(self, repo: str, number: int, of: Place) -> None:
        """Close the issue as a duplicate of the one at `of`, as `/duplicate` does. Rejected: GitLab did not."""
        moves.close_as_duplicate(self._wire, repo, number, of)

    def assign(self, repo: str, number: int, logins: tuple[str, ...]) -> None:
        """Make these the issue's assignees, in place of others; of several GitLab Free takes the first."""
        people = [person for login in logins if (person := self._id(login))]
        if logins and not people:
            raise Rejected(self.name, f"GitLab knows no account {' or '.join(logins)}")
        self._wire.write("PUT", path_of(repo, "issues", number), {"assignee_ids": people or [0]}, dict)

    def due(self, repo: str, number: int, on: date | None) -> None:
        """Set or take off the issue's due date."""
        due = {"due_date": on.isoformat() if on else ""}
        self._wire.write("PUT", path_of(repo, "issues", number), due, dict)

    def _ours(self, item: Mapping[str, Any]) -> bool:
        author = item.get("author") or {}
        return str(author.get("username", "")).casefold() == self.login().casefold()

    def _comment(self, repo: str, number: int, item: Mapping[str, Any]) -> Comment:
        author = str((item.get("author") or {}).get("username", ""))
        url = f"{page_of(self._config.url, self._wire.name_of(repo), 'issues', number)}#note_{item['id']}"
        at = datetime.fromisoformat(item["created_at"])
        return Comment(str(item["id"]), author, item["body"] or "", at, url, self._ours(item))

    def _id(self, login: str) -> int:
        """The account's number, 0 when GitLab shows no such account ("List users": an exact, case-insensitive name)."""
        found = self._wire.get("/users", lambda users: [int(user["id"]) for user in users], {"username": login})
        return found[0] if found else 0

    def _is_member(self, repo: str, login: str) -> bool:
        person = self._id(login)
        try:
            path = path_of(repo, "members", "all", person)
            return bool(person) and self._wire.get(path, lambda member: int(member["access_level"])) >= _MEMBER
        except NotFound:
            return False

    def _why(self, repo: str, refused: ServiceError) -> ServiceError:
        """The reason behind a 403 or 404 on filing, where the project itself tells it."""
        try:
            there = self.repository(repo)
        except ServiceError:
            return refused
        if there.archived:
            return Rejected(self.name, f"the project {there.full_name} is archived")
        if not there.issues_enabled:
            return Rejected(self.name, f"issues are switched off in {there.full_name}")
        return refused

    # --- what ships -----------------------------------------------------------------------------------------------

    def fixes(self, repo: str, number: int) -> list[Fix]:
        """The merged merge requests that fix the issue, oldest merge first, then the commits that closed it."""
        return fixes.fixes(self._wire, repo, number)

    def fix(self, repo: str, reference: str) -> Fix:
        """The fix that a person named: `!12`, `group/project!12`, a sha, an address. Rejected: not merged yet."""
        return fixes.fix(self._wire, repo, reference)

    def resolve(self, repo: str, ref: str) -> str:
        """The full sha of the commit that `heads/<branch>`, `tags/<tag>` or a sha names."""
        return code.resolve(self._wire, repo, ref)

    def between(self, repo: str, base: str, head: str) -> Range:
        """What `head` has and `base` has not, oldest first, at most 10,000 commits."""
        return code.between(self._wire, repo, base, head)

    def same_change(self, repo: str, one: str, other: str) -> bool:
        """Whether two commits make the same patch; False where GitLab does not show one of them whole."""
        return code.same_change(self._wire, repo, one, other)

    def releases(self, repo: str, bare_tags: bool = False) -> list[Release]:
        """The newest published releases (at most 100), newest first; then, if asked, tags that have none.

        One whose date is still to come is not published, and its tag is not a bare one.
        """
        return shipments.releases(self._wire, repo, bare_tags)

    def deployed(self, repo: str, environment: str) -> Deployment | None:
        """What runs on the environment of that name, else on those of that tier; None: nothing."""
        return shipments.deployed(self._wire, repo, environment)

    def redeliver(self, repo: str, address: str, since: datetime) -> int:
        """Ask for the webhook deliveries to `address` again that failed since, at most 5 a call; how many."""
        return hooks.redeliver(self._wire, repo, address, since)

    # --- webhooks -------------------------------------------------------------------------------------------------

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
        """The delivery's id, or BadSignature: by its signature, which holds for five minutes, else by its token."""
        return deliveries.verified(self.name, self._config, headers, body, now)

    def read(self, headers: Mapping[str, str], body: bytes) -> list[Event]:
        """What was touched: issues, by a merged merge request too, and releases, tags, branch, deployments."""
        return deliveries.read(body)

    # --- polling and health ---------------------------------------------------------------------------------------

    def poll(self, repo: str, resource: str, watch: Watch) -> tuple[list[Event], Watch]:
        """What was touched since `watch`: one conditional request, for issues two (merge requests are apart)."""
        return polling.poll(self._wire, repo, resource, watch)

    def check(self, repo: str, resources: Sequence[str] = ()) -> list[Finding]:
        """What would keep the bot from working in `repo`, where it polls `resources`, asked with reads alone."""
        return health.findings(self._wire, repo, resources)

    def mend_hook(self, repo: str, address: str) -> str:
        """Add the webhook that calls `address`, or switch it on again and complete it; a sentence on what was done."""
        return hooks.mend(self._wire, repo, address)


def _text(found: object) -> str:
    if not isinstance(found, str) or not found:
        raise TypeError(type(found))
    return found
