"""GitHub as a tracker: the roles of `integrations/base.py`, one method each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Literal

from integrations.base import (
    MARK,
    Comment,
    Deployment,
    Event,
    Finding,
    Fix,
    Gone,
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
    Watch,
)
from integrations.github import answers, code, deliveries, duplicates, fixes, health, polling, redelivery, shipments
from integrations.github.answers import marked, path_of, utc
from integrations.github.config import Config
from integrations.github.tokens import Now
from integrations.github.wire import PAGE, Wire, utc_now
from integrations.listing import gathered

_TITLE_MAX = 256  # characters
_SKEW = timedelta(minutes=2)  # how far our clock may be ahead of GitHub's


class GitHub:
    """GitHub as a tracker. Safe to share between threads; `timeout` is in seconds, rounded up to whole ones."""

    kept_headers: tuple[str, ...] = ("x-github-event", "x-github-delivery", "content-type")

    def __init__(self, name: str, config: Config, timeout: float = 10.0, now: Now = utc_now) -> None:
        self.name = name
        self.lane = f"github:{name}"
        self.pace = config.pace
        self._secret = config.webhook_secret
        self._wire = Wire(name, config, max(1, math.ceil(timeout)), now)
        self._login = ""

    # --- issues ---------------------------------------------------------------------------------------------------

    def login(self) -> str:
        """The login of the account whose token we use, or of the GitHub App; asked once."""
        if not self._login:
            self._login = self._wire.login()
        return self._login

    def command(self, name: str) -> str:
        """`/name`: nothing on GitHub takes it."""
        return f"/{name}"

    def repository(self, repo: str) -> Repository:
        """The repository as it is now; one whose visibility GitHub does not tell counts as public."""
        found = self._wire.get(path_of(repo), answers.repository)
        if found.full_name.casefold() != repo.casefold():
            self._wire.renamed(repo, found.full_name)
        return found

    def assignable(self, repo: str, logins: tuple[str, ...]) -> tuple[str, ...]:
        """Those of `logins` whom GitHub can assign in `repo`; it refuses an issue with any other."""
        return tuple(login for login in logins if self._assignable(repo, login))

    def create_issue(self, repo: str, draft: IssueDraft, key: str) -> IssueRef:
        """File an issue; GitHub makes unknown labels itself. Title ≤ 256, body ≤ 65,536 characters, cut if need be.

        A type is its organisation's ("Create an issue"). One that GitHub refuses is left out, by a second call: the
        refusal has certainly done nothing.
        """
        path = path_of(repo, "issues")
        body = {"title": draft.title[:_TITLE_MAX], "body": marked(draft.body, key), "labels": list(draft.labels)}
        body["assignees"] = list(draft.assignees)
        if draft.type:
            try:
                return self._wire.write("POST", path, body | {"type": draft.type}, answers.issue_ref)
            except Rejected:
                pass
        return self._wire.write("POST", path, body, answers.issue_ref)

    def marked_issue(self, repo: str, key: str, since: datetime) -> IssueRef | None:
        """The oldest issue of our own, changed at or after `since`, that carries `key`."""
        query = {"creator": self.login(), "state": "all", "since": utc(since - _SKEW), "sort": "created"}
        found = [
            answers.issue_ref(item)
            for item in self._wire.pages(path_of(repo, "issues"), query)
            if "pull_request" not in item and self._ours(item) and answers.carries(item, key)
        ]
        return min(found, key=lambda ref: ref.number, default=None)

    def issue(self, repo: str, number: int) -> Issue:
        """The issue as it is now, followed to where it was moved ("Get an issue": 301; deleted 410, or 404).

        A pull request's number is NotFound. One that is hidden from us where it was moved to is Gone, too.
        """
        issue, body = self._issue(repo, number)
        if issue.reason != "duplicate":
            return issue
        return replace(issue, duplicate_of=duplicates.canonical(self._wire, issue, body))

    def _issue(self, repo: str, number: int) -> tuple[Issue, str]:
        """The issue without what it is a duplicate of, and its text."""
        try:
            item = self._wire.get(path_of(repo, "issues", number), dict)
        except NotFound as missing:
            if "deleted" not in missing.detail.casefold():
                self._wire.get(f"{path_of(repo, 'issues')}?per_page=1", list)  # raises where we see no issue at all
            raise Gone(self.name, f"{repo}#{number} was deleted, or is no issue any more") from missing
        if "pull_request" in item:
            raise NotFound(self.name, f"#{number} is a pull request, not an issue")
        issue = self._wire.translated(answers.issue, item)
        if item.get("locked") and self._is_discussion(repo, number):
            raise Gone(self.name, f"{repo}#{number} is a discussion now")
        return issue, item.get("body") or ""

    def listing(self, repo: str, since: datetime | None, most: int = 100) -> Listing:
        """The issues updated at `since` or later, oldest update first; about `most`, see `Tracker`."""
        query = {"state": "all", "sort": "updated", "direction": "asc", "per_page": str(max(1, min(most, PAGE)))}
        pages = self._wire.linked(path_of(repo, "issues"), query | ({"since": utc(since)} if since else {}))
        return gathered(pages, lambda item: self._wire.translated(answers.listed, item), since, most)

    def _is_discussion(self, repo: str, number: int) -> bool:
        """Whether it was converted: then GitHub keeps the issue, locked ("Issue event types")."""
        timeline = self._wire.pages(path_of(repo, "issues", number, "timeline"), missing_ok=True)
        return any(event.get("event") == "converted_to_discussion" for event in timeline)

    def comments(self, repo: str, number: int, since: datetime | None = None) -> list[Comment]:
        """The issue's comments, oldest first; with `since`, those written or edited from then on."""
        query = {"since": utc(since)} if since else {}
        items = list(self._wire.pages(path_of(repo, "issues", number, "comments"), query))
        return self._wire.translated(lambda found: [self._comment(item) for item in found], items)

    def comment(self, repo: str, number: int, text: str, key: str) -> Comment:
        """Write a comment that carries `key`; text above 65,536 characters is cut."""
        path = path_of(repo, "issues", number, "comments")
        self.login()  # before the write: afterwards a failing look-up would hide that it was done
        return self._wire.write("POST", path, {"body": marked(text, key)}, self._comment)

    def marked_comment(self, repo: str, number: int, key: str) -> Comment | None:
        """The comment of our own that carries `key`."""
        found = self.comments(repo, number)
        return next((comment for comment in found if comment.ours and key in MARK.findall(comment.text)), None)

    def keep(self, repo: str, number: int, text: str, key: str, known: str = "") -> str:
        """Keep `text` in a comment of our own, so that nobody's edits of the issue's text are lost."""
        if known:
            try:
                self.edit_comment(repo, number, known, text, key)
                return known
            except NotFound:  # somebody deleted it, or it moved with its issue
                pass
        found = self.marked_comment(repo, number, key)
        if found is None:
            return self.comment(repo, number, text, key).id
        self.edit_comment(repo, number, found.id, text, key)
        return found.id

    def edit_comment(self, repo: str, number: int, comment: str, text: str, key: str) -> None:
        """Replace the text of our own comment of that id; above 65,536 characters it is cut. NotFound: it is gone."""
        path = path_of(repo, "issues", "comments", comment)
        self._wire.write("PATCH", path, {"body": marked(text, key)}, dict)

    def delete_comment(self, repo: str, number: int, comment: str) -> None:
        """Delete our own comment of that id; one that is gone already is well. NotFound: so is the repository."""
        try:
            self._wire.ask("DELETE", path_of(repo, "issues", "comments", comment), write=True)
        except NotFound:
            self.repository(repo)

    def close(self, repo: str, number: int, reason: Literal["completed", "not_planned"]) -> None:
        """Close the issue with that reason; one that is closed already keeps being closed."""
        self._wire.write("PATCH", path_of(repo, "issues", number), {"state": "closed", "state_reason": reason}, dict)

    def reopen(self, repo: str, number: int) -> None:
        """Open the issue again ("Update an issue": the reason is then `reopened`)."""
        self._wire.write("PATCH", path_of(repo, "issues", number), {"state": "open"}, dict)

    def close_as_duplicate(self, repo: str, number: int, of: Place) -> None:
        """Close the issue as a duplicate of the one at `of`; one that is closed already is only said to be one."""
        issue, body = self._issue(repo, number)
        duplicates.close(self._wire, issue, body, of)

    def assign(self, repo: str, number: int, logins: tuple[str, ...]) -> None:
        """Make these the issue's assignees, in place of others. Rejected: one of them cannot be assigned there."""
        self._wire.write("PATCH", path_of(repo, "issues", number), {"assignees": list(logins)}, dict)

    def due(self, repo: str, number: int, on: date | None) -> None:
        """Nothing: GitHub's issues have no due date."""

    def _ours(self, item: Mapping[str, Any]) -> bool:
        author = item.get("user") or {}
        return str(author.get("login", "")).casefold() == self.login().casefold()

    def _comment(self, item: Mapping[str, Any]) -> Comment:
        author = str((item.get("user") or {}).get("login", ""))  # None once the account was deleted
        at = datetime.fromisoformat(item["created_at"])
        return Comment(str(item["id"]), author, item["body"] or "", at, item["html_url"], self._ours(item))

    def _assignable(self, repo: str, login: str) -> bool:
        try:
            self._wire.get(path_of(repo, "assignees", login), bool)
        except NotFound:
            return False
        return True

    # --- what ships -----------------------------------------------------------------------------------------------

    def fixes(self, repo: str, number: int) -> list[Fix]:
        """The merged pull requests that fix the issue, oldest merge first, then the commits that closed it."""
        return fixes.fixes(self._wire, repo, number)

    def fix(self, repo: str, reference: str) -> Fix:
        """The fix that a person named. Rejected: not a reference, or not merged yet."""
        return fixes.fix(self._wire, repo, reference)

    def resolve(self, repo: str, ref: str) -> str:
        """The full sha of the commit that `heads/<branch>`, `tags/<tag>` or a sha names."""
        return code.resolve(self._wire, repo, ref)

    def between(self, repo: str, base: str, head: str) -> Range:
        """What `head` has and `base` has not, oldest first, at most 10,000 commits."""
        return code.between(self._wire, repo, base, head)

    def same_change(self, repo: str, one: str, other: str) -> bool:
        """Whether two commits make the same patch; False where GitHub does not show one of them."""
        return code.same_change(self._wire, repo, one, other)

    def releases(self, repo: str, bare_tags: bool = False) -> list[Release]:
        """The newest published releases (at most 100), newest first; then, if asked, tags that have none."""
        return shipments.releases(self._wire, repo, bare_tags)

    def deployed(self, repo: str, environment: str) -> Deployment | None:
        """What runs on that environment, by the statuses of its deployments; None: nothing."""
        return shipments.deployed(self._wire, repo, environment)

    def redeliver(self, repo: str, address: str, since: datetime) -> int:
        """Ask for the webhook deliveries to `address` again that failed since; how many. 0 where our token may not."""
        return redelivery.redeliver(self._wire, repo, address, since)

    # --- webhooks -------------------------------------------------------------------------------------------------

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
        """The delivery's id, or BadSignature; GitHub signs no time."""
        return deliveries.verified(self.name, self._secret, headers, body)

    def read(self, headers: Mapping[str, str], body: bytes) -> list[Event]:
        """What was touched: issues, by a merged pull request too, and releases, tags, branch, deployments."""
        return deliveries.read(headers, body)

    # --- polling and health ---------------------------------------------------------------------------------------

    def poll(self, repo: str, resource: str, watch: Watch) -> tuple[list[Event], Watch]:
        """What was touched since `watch`; GitHub counts no request that answers 304."""
        return polling.poll(self._wire, repo, resource, watch)

    def check(self, repo: str, resources: Sequence[str] = ()) -> list[Finding]:
        """What would keep the bot from working in `repo`, asked with reads alone."""
        return health.findings(self._wire, repo, any(one.startswith("deployments:") for one in resources))
