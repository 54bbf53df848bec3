"""GitHub as a tracker: the roles of `integrations/base.py`, one method each."""

from __future__ import annotations

import hashlib
import hmac
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import quote, urlencode

from integrations.base import (
    MARK,
    BadSignature,
    Comment,
    Event,
    Finding,
    Fix,
    Issue,
    IssueDraft,
    IssueRef,
    IssueTouched,
    NotFound,
    Rejected,
    Release,
    ReleasesTouched,
    Repository,
    Watch,
)
from integrations.github import answers, health, polling
from integrations.github.answers import marked, path_of, utc
from integrations.github.config import Config
from integrations.github.tokens import Now
from integrations.github.wire import PAGE, PAGES_MAX, Wire, utc_now

_TITLE_MAX = 256  # characters
_COMMITS_MAX = 5_000
_SKEW = timedelta(minutes=2)  # how far our clock may be ahead of GitHub's

_CLOSING_PULLS = """
query($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    url
    issue(number: $number) {
      closedByPullRequestsReferences(last: 20, includeClosedPrs: true) {
        nodes { number title url merged mergedAt baseRefName mergeCommit { oid } }
      }
    }
  }
}
"""


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

    def repository(self, repo: str) -> Repository:
        """The repository as it is now; one whose visibility GitHub does not tell counts as public."""
        return self._wire.get(path_of(repo), answers.repository)

    def assignable(self, repo: str, logins: tuple[str, ...]) -> tuple[str, ...]:
        """Those of `logins` whom GitHub can assign in `repo`; it refuses an issue with any other."""
        return tuple(login for login in logins if self._assignable(repo, login))

    def create_issue(self, repo: str, draft: IssueDraft, key: str) -> IssueRef:
        """File an issue; GitHub makes unknown labels itself. Title ≤ 256, body ≤ 65,536 characters, cut if need be."""
        body = {"title": draft.title[:_TITLE_MAX], "body": marked(draft.body, key), "labels": list(draft.labels)}
        return self._wire.write(
            "POST", path_of(repo, "issues"), body | {"assignees": list(draft.assignees)}, answers.issue_ref
        )

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
        """The issue as it is now. A deleted one, or a pull request's number, is NotFound."""
        item = self._wire.get(path_of(repo, "issues", number), dict)
        if "pull_request" in item:
            raise NotFound(self.name, f"#{number} is a pull request, not an issue")
        return self._wire.translated(answers.issue, item)

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

    def edit_comment(self, repo: str, number: int, comment_id: str, text: str, key: str) -> None:
        """Replace the comment's text; its mark stays."""
        path = path_of(repo, "issues", "comments", comment_id)
        self._wire.write("PATCH", path, {"body": marked(text, key)}, dict)

    def close(self, repo: str, number: int, reason: Literal["completed", "not_planned"]) -> None:
        """Close the issue with that reason; one that is closed already keeps being closed."""
        self._wire.write("PATCH", path_of(repo, "issues", number), {"state": "closed", "state_reason": reason}, dict)

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

    # --- fixes and releases ---------------------------------------------------------------------------------------

    def fixes(self, repo: str, number: int) -> list[Fix]:
        """The merged pull requests of this repository and the commits that closed the issue, oldest first.

        From GraphQL `closedByPullRequestsReferences`, where there is one, and the timeline's `closed` events; else
        from merged pull requests that name the issue with a closing keyword ("Linking a pull request to an issue").
        """
        timeline = list(self._wire.pages(path_of(repo, "issues", number, "timeline"), missing_ok=True))
        pulls = self._closing_pulls(repo, number)
        if pulls is None:
            pulls = self._pulls_with_keyword(repo, number, timeline)
        known = {fix.sha for fix in pulls}
        closers = [str(event["commit_id"]) for event in timeline if answers.closed_here(event, repo)]
        commits = [fix for sha in dict.fromkeys(closers[-20:]) if sha not in known for fix in self._commit(repo, sha)]
        return sorted(pulls, key=lambda fix: fix.merged_at or datetime.min.replace(tzinfo=UTC)) + commits

    def _commit(self, repo: str, sha: str) -> list[Fix]:
        try:
            return [self.fix(repo, sha)]
        except NotFound:  # pushed away since
            return []

    def _closing_pulls(self, repo: str, number: int) -> list[Fix] | None:
        owner, _, name = repo.partition("/")
        found = self._wire.graphql(_CLOSING_PULLS, {"owner": owner, "name": name, "number": number})
        return None if found is None else self._wire.translated(answers.closing_pulls, found)

    def _pulls_with_keyword(self, repo: str, number: int, timeline: list[dict[str, Any]]) -> list[Fix]:
        numbers = self._wire.translated(lambda events: answers.crossing(events, repo, number), timeline)
        pulls: list[dict[str, Any]] = [self._wire.get(path_of(repo, "pulls", found), dict) for found in numbers]
        if not pulls:
            query = {"state": "closed", "sort": "updated", "direction": "desc"}
            recent = self._wire.pages(path_of(repo, "pulls"), query, limit=1)
            pulls = [item for item in recent if answers.closes(item, repo, number)]
        merged = {int(item["number"]): item for item in pulls if item.get("merged_at")}
        return self._wire.translated(lambda items: [answers.pull_fix(item) for item in items], list(merged.values()))

    def fix(self, repo: str, reference: str) -> Fix:
        """The fix that a person named. Rejected: not a reference, of another repository, or not merged yet."""
        number, sha = answers.reference(self.name, repo, reference.strip())
        if number:
            pull = self._wire.get(path_of(repo, "pulls", number), dict)
            if not pull.get("merged_at"):
                raise Rejected(self.name, f"pull request #{number} is not merged yet")
            return self._wire.translated(answers.pull_fix, pull)
        try:
            commit = self._wire.get(path_of(repo, "commits", sha), answers.commit_fix)
        except Rejected as refusal:  # 422 "No commit found for SHA"
            raise NotFound(self.name, f"there is no commit {sha} in {repo}") from refusal
        if not commit.sha.startswith(sha):  # a branch or tag that looks like a sha
            raise NotFound(self.name, f"there is no commit {sha} in {repo}")
        return commit

    def releases(self, repo: str) -> list[Release]:
        """The newest published releases (at most 100), newest first; drafts are left out."""
        items = list(self._wire.pages(path_of(repo, "releases"), limit=1))
        return self._wire.translated(answers.releases, items)

    def commits_between(self, repo: str, base: str, head: str) -> set[str] | None:
        """Full shas in `head` and not in `base`; None above 5,000 commits or when GitHub cannot compare the two."""
        shas: set[str] = set()
        for page in range(1, PAGES_MAX + 1):
            try:
                found = self._compare(repo, base, head, per_page=PAGE, page=page)
            except NotFound:
                return None
            total, commits = int(found["total_commits"]), found["commits"]
            shas.update(str(commit["sha"]) for commit in commits)
            if total > _COMMITS_MAX:
                return None
            if len(shas) >= total:
                return shas
            if not commits:
                break
        return None

    def contains(self, repo: str, head: str, sha: str) -> bool:
        """Whether `sha` is `head` or an ancestor of it; NotFound when GitHub knows one of them not."""
        try:
            status = self._compare(repo, sha, head, per_page=1)["status"]
        except NotFound as missing:
            if "No common ancestor" in missing.detail:
                return False
            raise
        return status in ("ahead", "identical")

    def _compare(self, repo: str, base: str, head: str, **query: int) -> dict[str, Any]:
        return self._wire.get(
            f"{path_of(repo, 'compare')}/{quote(base)}...{quote(head)}?{urlencode(query)}", answers.comparison
        )

    # --- webhooks ---------------------------------------------------------------------------------------------------

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
        """Check X-Hub-Signature-256 and return X-GitHub-Delivery ("Validating webhook deliveries")."""
        found = {key.lower(): value for key, value in headers.items()}
        if self._secret is None or not self._secret.get_secret_value():
            raise BadSignature(self.name, "no webhook_secret is configured")
        digest = hmac.new(self._secret.get_secret_value().encode(), body, hashlib.sha256).hexdigest()
        given = found.get("x-hub-signature-256", "")
        if not hmac.compare_digest(f"sha256={digest}".encode(), given.encode(errors="replace")):
            raise BadSignature(self.name, "the signature is missing or wrong")
        delivery = found.get("x-github-delivery", "")
        if not delivery:
            raise BadSignature(self.name, "X-GitHub-Delivery is missing")
        return delivery

    def read(self, headers: Mapping[str, str], body: bytes) -> list[Event]:
        """Issues, their comments and releases; a merged pull request shows in the issues that it closes."""
        event = {key.lower(): value for key, value in headers.items()}.get("x-github-event", "")
        payload = answers.payload(body)
        repo = answers.member(answers.member(payload, "repository"), "full_name")
        if not isinstance(repo, str) or not re.fullmatch(r"[^/\s]+/[^/\s]+", repo):
            return []
        if event == "release":
            return [ReleasesTouched(repo)]
        issue = answers.member(payload, "issue")
        number = answers.member(issue, "number")
        if event not in ("issues", "issue_comment") or type(number) is not int or number < 1:
            return []
        return [] if answers.member(issue, "pull_request") else [IssueTouched(repo, number)]

    # --- polling and health ---------------------------------------------------------------------------------------

    def resources(self) -> tuple[str, ...]:
        return ("issues", "releases")

    def poll(self, repo: str, resource: str, watch: Watch) -> tuple[list[Event], Watch]:
        """Issues (not pull requests) and releases touched since `watch`; GitHub counts no request that answers 304."""
        if resource == "issues":
            return polling.issues(self._wire, repo, watch)
        return polling.releases(self._wire, repo, watch)

    def check(self, repo: str) -> list[Finding]:
        """What would keep the bot from working in `repo`, asked with reads alone."""
        return health.findings(self._wire, repo)
