"""The corner of GitHub's GraphQL API that tells which pull request closed an issue: a small parser and executor."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from integrations.sandbox.github.records import Happening, Issue, Repository
from integrations.sandbox.github.shapes import Json, Shapes, iso

Find = Callable[[str, str], Repository | None]

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\.\.\.|[A-Za-z_]\w*|-?\d+|[{}()\[\]:!$=]')
_IGNORED = re.compile(r"#[^\n]*")


class Mistake(Exception):
    """A query that GitHub would refuse."""


@dataclass(slots=True)
class Field:
    """One asked field; a name that starts with a capital is an inline fragment on that type."""

    name: str
    alias: str
    arguments: Json = field(default_factory=dict)
    fields: list[Field] = field(default_factory=list)


class _Parser:
    def __init__(self, query: str, variables: Json) -> None:
        self.tokens = _TOKEN.findall(_IGNORED.sub("", query))
        self.variables = variables

    def next(self, wanted: str = "") -> str:
        if not self.tokens or (wanted and self.tokens[0] != wanted):
            raise Mistake(f"Expected {wanted or 'more'}, actual: {self.tokens[0] if self.tokens else '(end)'}")
        return str(self.tokens.pop(0))

    def at(self, token: str) -> bool:
        return bool(self.tokens) and self.tokens[0] == token

    def document(self) -> list[Field]:
        if self.at("mutation"):
            raise Mistake("The sandbox answers queries only")
        while not self.at("{"):  # the operation's name and its variables' types
            self.next()
        return self.selection()

    def selection(self) -> list[Field]:
        self.next("{")
        fields = []
        while not self.at("}"):
            if self.at("..."):
                self.next()
                self.next("on")
                kind = self.next()
                fields.append(Field(kind, kind, {}, self.selection()))
                continue
            alias = name = self.next()
            if self.at(":"):
                self.next()
                name = self.next()
            arguments = self.arguments() if self.at("(") else {}
            fields.append(Field(name, alias, arguments, self.selection() if self.at("{") else []))
        self.next("}")
        return fields

    def arguments(self) -> Json:
        self.next("(")
        found: Json = {}
        while not self.at(")"):
            name = self.next()
            self.next(":")
            found[name] = self.value()
        self.next(")")
        return found

    def value(self) -> Any:
        token = self.next()
        if token == "$":  # noqa: S105 (GraphQL's sign, no secret)
            return self.variables.get(self.next())
        if token == "[":  # noqa: S105
            items = []
            while not self.at("]"):
                items.append(self.value())
            self.next("]")
            return items
        if token.startswith('"'):
            return token[1:-1].replace('\\"', '"')
        constants = {"true": True, "false": False, "null": None}
        return constants.get(token, int(token) if re.fullmatch(r"-?\d+", token) else token)


def answer(shapes: Shapes, find: Find, data: Any) -> Json:
    """The whole JSON answer to one GraphQL request; mistakes come as `errors`, with status 200, as on GitHub."""
    try:
        parser = _Parser(str(data["query"]), data.get("variables") or {})
        asked = parser.document()
    except (Mistake, KeyError, TypeError) as mistake:
        return {"errors": [{"type": "PARSE_ERROR", "message": f"Parse error: {mistake}"}]}
    world = _World(shapes, find)
    root: Json = {"__typename": "Query", "repository": world.repository, "viewer": None}
    try:
        result = _pick(root, asked)
    except Mistake as mistake:
        return {"errors": [{"message": str(mistake)}]}
    return {"data": result, **({"errors": world.errors} if world.errors else {})}


def _pick(thing: Json, asked: list[Field]) -> Json:
    """What was asked of `thing`; its callable members are fields with arguments."""
    kind: str = thing["__typename"]
    found: Json = {}
    for want in asked:
        if want.name[0].isupper():
            found |= _pick(thing, want.fields) if want.name == kind else {}
            continue
        if want.name not in thing:
            raise Mistake(f"Field '{want.name}' doesn't exist on type '{kind}'")
        value = thing[want.name]
        if callable(value):
            value = value(**want.arguments)
        if isinstance(value, list):
            found[want.alias] = [_pick(item, want.fields) if isinstance(item, dict) else item for item in value]
        else:
            found[want.alias] = _pick(value, want.fields) if isinstance(value, dict) else value
    return found


class _World:
    """Records as GraphQL types."""

    def __init__(self, shapes: Shapes, find: Find) -> None:
        self.shapes = shapes
        self.find = find
        self.errors: list[Json] = []

    def _unresolved(self, what: str, path: list[str]) -> None:
        self.errors.append({"type": "NOT_FOUND", "path": path, "message": f"Could not resolve to {what}."})

    def repository(self, owner: str, name: str, **_: Any) -> Json | None:
        repo = self.find(owner, name)
        if repo is None:
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
        def closers(includeClosedPrs: bool = False, **paging: Any) -> Json:
            pulls = [
                other
                for other in repo.issues.values()
                if issue.number in repo.closes(other) and (other.open or includeClosedPrs)
            ]
            return _connection("closedByPullRequestsReferences", [self._pull(repo, pull) for pull in pulls], paging)

        def timeline(itemTypes: list[str] | None = None, **paging: Any) -> Json:
            events = [event for event in issue.timeline if event.event == "closed"]
            wanted = events if itemTypes is None or "CLOSED_EVENT" in itemTypes else []
            return _connection("timelineItems", [self._closed(repo, event) for event in wanted], paging)

        reason = issue.reason.upper() if issue.reason else None
        shape = self._thread(repo, issue, "OPEN" if issue.open else "CLOSED")
        return {
            **shape,
            "stateReason": reason,
            "closedByPullRequestsReferences": closers,
            "timelineItems": timeline,
        }

    def _pull(self, repo: Repository, issue: Issue) -> Json:
        pull = issue.pull
        if pull is None:
            raise LookupError(issue.number)
        state = "OPEN" if issue.open else "MERGED" if pull.merged_at else "CLOSED"
        return {
            **self._thread(repo, issue, state),
            "merged": pull.merged_at is not None,
            "mergedAt": iso(pull.merged_at),
            "mergeCommit": self._commit(repo, pull.merge_sha),
            "baseRefName": pull.base,
            "headRefName": pull.head,
        }

    def _commit(self, repo: Repository, sha: str | None) -> Json | None:
        if sha is None:
            return None
        commit, page = repo.history.commits[sha], f"{self.shapes.url}/{repo.full_name}/commit/{sha}"
        headline = commit.message.partition("\n")[0]
        facts = {"oid": sha, "url": page, "message": commit.message, "messageHeadline": headline}
        return {"__typename": "Commit", **facts, "committedDate": iso(commit.at)}

    def _closed(self, repo: Repository, event: Happening) -> Json:
        sha, reason = event.facts.get("commit_id"), event.facts.get("state_reason")
        merged = [issue for issue in repo.issues.values() if issue.pull and sha and issue.pull.merge_sha == sha]
        closer = self._pull(repo, merged[0]) if merged else self._commit(repo, sha)
        facts = {"createdAt": iso(event.at), "stateReason": reason.upper() if reason else None}
        return {"__typename": "ClosedEvent", **facts, "closer": closer}


def _connection(name: str, items: list[Json], paging: Json) -> Json:
    """A page of `items`; GitHub insists on a size ("Rate limits and query limits for the GraphQL API")."""
    first, last = paging.get("first"), paging.get("last")
    if first is None and last is None:
        raise Mistake(f"You must provide a `first` or `last` value to properly paginate the `{name}` connection.")
    if not 1 <= (first or last or 0) <= 100:
        raise Mistake(f"Requesting {first or last} records on the `{name}` connection exceeds the `first` limit of 100")
    shown = items[:first] if first else items[-(last or 0) :]
    info = {"__typename": "PageInfo", "hasNextPage": len(shown) < len(items) and bool(first), "endCursor": None}
    return {"__typename": "Connection", "totalCount": len(items), "nodes": shown, "pageInfo": info}
