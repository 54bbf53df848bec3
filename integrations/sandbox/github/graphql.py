"""The corner of GitHub's GraphQL API that tells which pull request closed an issue, and of which it is a duplicate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from integrations.sandbox.github.graphql_language import Mistake, Parser, connection, pick
from integrations.sandbox.github.hub import Hub
from integrations.sandbox.github.records import Happening, Issue, Repository
from integrations.sandbox.github.shapes import Json, iso

Sees = Callable[[Repository], bool]


def answer(hub: Hub, sees: Sees, data: Any) -> Json:
    """The whole JSON answer to one GraphQL request; mistakes come as `errors`, with status 200, as on GitHub.

    `sees`: whether who asks may know of a repository.
    """
    try:
        parser = Parser(str(data["query"]), data.get("variables") or {})
        asked = parser.document()
    except (Mistake, KeyError, TypeError) as mistake:
        return {"errors": [{"type": "PARSE_ERROR", "message": f"Parse error: {mistake}"}]}
    world = _World(hub, sees)
    root: Json = {"__typename": "Query", "repository": world.repository, "viewer": None}
    try:
        result = pick(root, asked)
    except Mistake as mistake:
        return {"errors": [{"message": str(mistake)}]}
    return {"data": result, **({"errors": world.errors} if world.errors else {})}


class _World:
    """Records as GraphQL types."""

    def __init__(self, hub: Hub, sees: Sees) -> None:
        self.hub = hub
        self.sees = sees
        self.shapes = hub.shapes
        self.errors: list[Json] = []

    def _unresolved(self, what: str, path: list[str]) -> None:
        self.errors.append({"type": "NOT_FOUND", "path": path, "message": f"Could not resolve to {what}."})

    def repository(self, owner: str, name: str, **_: Any) -> Json | None:
        repo = self.hub.find(f"{owner}/{name}") or self.hub.moved_to(
            f"{owner}/{name}"
        )  # `followRenames` is the default
        if repo is None or not self.sees(repo):
            self._unresolved(f"a Repository with the name '{owner}/{name}'", ["repository"])
            return None

        def issue(number: int) -> Json | None:
            found = repo.issues.get(number)
            if found is None or found.pull:
                self._unresolved(f"an Issue with the number of {number}", ["repository", "issue"])
                return None
            return self._issue(repo, found)

        def pull(number: int) -> Json | None:
            found = repo.issues.get(number)
            if found is None or found.pull is None:
                self._unresolved(f"a PullRequest with the number of {number}", ["repository", "pullRequest"])
                return None
            return self._pull(repo, found)

        return {**self._facts(repo), "issue": issue, "pullRequest": pull}

    def _facts(self, repo: Repository) -> Json:
        page = f"{self.shapes.url}/{repo.full_name}"
        facts = {"nameWithOwner": repo.full_name, "isPrivate": repo.private, "url": page}
        return {"__typename": "Repository", **facts}

    def _thread(self, repo: Repository, issue: Issue, state: str) -> Json:
        return {
            "__typename": "PullRequest" if issue.pull else "Issue",
            "number": issue.number,
            "title": issue.title,
            "body": issue.body or "",
            "url": self.shapes.issue_url(repo, issue),
            "state": state,
            "closed": not issue.open,
            "closedAt": iso(issue.closed_at),
            "repository": self._facts(repo),
        }

    def _issue(self, repo: Repository, issue: Issue) -> Json:
        def closers(includeClosedPrs: bool = False, userLinkedOnly: bool = False, **paging: Any) -> Json:
            pulls = [
                self._pull(home, pull)
                for home, pull in self.hub.closers(issue)
                if (pull.open or includeClosedPrs)
                and self.sees(home)
                and (not userLinkedOnly or (pull.pull and issue in pull.pull.linked))
            ]
            return connection("closedByPullRequestsReferences", pulls, paging)

        def timeline(itemTypes: list[str] | str | None = None, **paging: Any) -> Json:
            wanted = [itemTypes] if isinstance(itemTypes, str) else itemTypes
            kinds = {name for name, (kind, _) in _EVENTS.items() if wanted is None or kind in wanted}
            events = [event for event in issue.timeline if event.event in kinds]
            items = [_EVENTS[event.event][1](self, repo, issue, event) for event in events]
            return connection("timelineItems", items, paging)

        reason = issue.reason.upper() if issue.reason else None
        shape = self._thread(repo, issue, "OPEN" if issue.open else "CLOSED")
        return {
            **shape,
            "stateReason": reason,
            "duplicateOf": lambda: self._seen(issue.duplicate_of),
            "closedByPullRequestsReferences": closers,
            "timelineItems": timeline,
        }

    def _pull(self, repo: Repository, issue: Issue) -> Json:
        pull = issue.pull
        if pull is None:
            raise LookupError(issue.number)

        def commits(**paging: Any) -> Json:
            items = [
                {"__typename": "PullRequestCommit", "commit": commit}
                for sha in pull.commits
                if (commit := self._commit(repo, sha))
            ]
            return connection("commits", items, paging)

        state = "OPEN" if issue.open else "MERGED" if pull.merged_at else "CLOSED"
        return {
            **self._thread(repo, issue, state),
            "merged": pull.merged_at is not None,
            "mergedAt": iso(pull.merged_at),
            "commits": commits,
            "mergeCommit": self._commit(repo, pull.merge_sha),
            "baseRefName": pull.base,
            "headRefName": pull.head,
        }

    def _seen(self, issue: Issue | None) -> Json | None:
        """An issue or pull request in whatever repository, when it may be known of."""
        repo = self.hub.home(issue) if issue else None
        if issue is None or repo is None or not self.sees(repo):
            return None
        return self._pull(repo, issue) if issue.pull else self._issue(repo, issue)

    def _commit(self, repo: Repository, sha: str | None) -> Json | None:
        commit = repo.history.commits.get(sha or "")
        if commit is None:
            return None

        def parents(**paging: Any) -> Json:
            items = [one for parent in commit.parents if (one := self._commit(repo, parent))]
            return connection("parents", items, paging)

        return {
            "__typename": "Commit",
            "oid": commit.sha,
            "url": f"{self.shapes.url}/{repo.full_name}/commit/{commit.sha}",
            "message": commit.message,
            "messageHeadline": commit.subject,
            "author": {"__typename": "GitActor", **self.shapes.person(commit.author, commit.authored)},
            "authoredDate": iso(commit.authored),
            "committedDate": iso(commit.at),
            "parents": parents,
            "repository": self._facts(repo),
        }

    def _closed(self, _: Repository, issue: Issue, event: Happening) -> Json:
        sha, reason, home = (event.facts.get(key) for key in ("commit_id", "state_reason", "commit_repo"))
        pulls = home.issues.values() if home and sha else ()
        merged = [one for one in pulls if one.pull and one.pull.merge_sha == sha]
        closer = None
        if home and self.sees(home):
            closer = self._pull(home, merged[0]) if merged else self._commit(home, sha)
        facts = {"createdAt": iso(event.at), "stateReason": reason.upper() if reason else None}
        original = issue.duplicate_of if reason == "duplicate" else None
        return {
            "__typename": "ClosedEvent",
            **facts,
            "closer": closer,
            "duplicateOf": lambda: self._seen(original),
        }

    def _duplicate(self, repo: Repository, _: Issue, event: Happening) -> Json:
        original = event.facts["canonical"]
        return {
            "__typename": "MarkedAsDuplicateEvent",
            "createdAt": iso(event.at),
            "isCrossRepository": self.hub.home(original) is not repo,
            "canonical": lambda: self._seen(original),
        }

    @staticmethod
    def _converted(repo: Repository, _: Issue, event: Happening) -> Json:
        number = event.facts["discussion"]
        discussion = {"__typename": "Discussion", "number": number}
        return {"__typename": "ConvertedToDiscussionEvent", "createdAt": iso(event.at), "discussion": discussion}


_EVENTS: dict[str, tuple[str, Callable[[_World, Repository, Issue, Happening], Json]]] = {
    "closed": ("CLOSED_EVENT", _World._closed),
    "marked_as_duplicate": ("MARKED_AS_DUPLICATE_EVENT", _World._duplicate),
    "converted_to_discussion": (
        "CONVERTED_TO_DISCUSSION_EVENT",
        lambda world, repo, issue, event: world._converted(repo, issue, event),
    ),
}
