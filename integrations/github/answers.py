"""What GitHub's JSON means in the words of `integrations/base.py`. Pure: no clock, no network.

A KeyError, TypeError or ValueError from here says that an answer has another form than GitHub documents.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, quote

from integrations.base import MARK, Fix, Issue, IssueRef, Rejected, Release, Repository, mark

Json = Mapping[str, Any]

_BODY_MAX = 65_536  # characters


def path_of(repo: str, *parts: object) -> str:
    return "/".join(["/repos", quote(repo), *(quote(str(part), safe="") for part in parts)])


def utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def marked(text: str, key: str) -> str:
    """`text` with its mark as the last line, cut so that both fit; a code fence left open is closed."""
    tail = f"\n\n{mark(key)}"
    if len(text) + len(tail) <= _BODY_MAX:
        return text + tail
    cut = text[: _BODY_MAX - len(tail) - len("\n```\n\n…")]
    fence = "\n```" if cut.count("```") % 2 else ""
    return f"{cut}{fence}\n\n…{tail}"


def carries(item: Json, key: str) -> bool:
    return key in MARK.findall(item.get("body") or "")


def repository(item: Json) -> Repository:
    return Repository(
        full_name=item["full_name"],
        url=item["html_url"],
        public=item.get("private") is not True,
        issues_enabled=bool(item.get("has_issues", True)),
        archived=bool(item.get("archived", False)),
        default_branch=item.get("default_branch") or "HEAD",
    )


def issue_ref(item: Json) -> IssueRef:
    return IssueRef(int(item["number"]), item["html_url"])


def issue(item: Json) -> Issue:
    opened = item["state"] == "open"
    reason = item.get("state_reason")
    return Issue(
        number=int(item["number"]),
        url=item["html_url"],
        title=item["title"],
        open=opened,
        reason=None if opened else reason if reason in ("not_planned", "duplicate") else "completed",
        updated_at=datetime.fromisoformat(item["updated_at"]),
        closed_at=_when(item.get("closed_at")),
        assignees=tuple(person["login"] for person in item.get("assignees") or ()),
    )


def releases(items: list[dict[str, Any]]) -> list[Release]:
    found = [
        Release(
            id=str(item["id"]),
            tag=item["tag_name"],
            name=item.get("name") or item["tag_name"],
            url=item["html_url"],
            published_at=datetime.fromisoformat(item["published_at"]),
            prerelease=bool(item.get("prerelease")),
        )
        for item in items
        if not item.get("draft") and item.get("published_at")
    ]
    return sorted(found, key=lambda release: release.published_at, reverse=True)


def comparison(item: Json) -> dict[str, Any]:
    return {"status": item["status"], "total_commits": item["total_commits"], "commits": item["commits"]}


# --- fixes ------------------------------------------------------------------------------------------------------------


def commit_fix(item: Json) -> Fix:
    return Fix(sha=item["sha"], url=item["html_url"], title=item["commit"]["message"].partition("\n")[0])


def pull_fix(item: Json) -> Fix:
    """A merged pull request, from REST; `merge_commit_sha` is what squash and rebase left on the branch, too."""
    sha = item["merge_commit_sha"]
    return _pull_fix(sha, int(item["number"]), item["html_url"], item["title"], item["base"]["ref"], item["merged_at"])


def closing_pulls(found: Json) -> list[Fix]:
    """The merged pull requests of the issue's own repository, from GraphQL; elsewhere their commits prove nothing."""
    here = found["repository"]
    nodes = here["issue"]["closedByPullRequestsReferences"]["nodes"]
    merged = [pull for pull in nodes if pull and pull["merged"] and pull.get("mergeCommit")]
    return [
        _pull_fix(
            pull["mergeCommit"]["oid"],
            int(pull["number"]),
            pull["url"],
            pull["title"],
            pull["baseRefName"],
            pull["mergedAt"],
        )
        for pull in merged
        if pull["url"].startswith(f"{here['url']}/pull/")
    ]


def _pull_fix(sha: str, number: int, url: str, title: str, branch: str, merged_at: str) -> Fix:
    commit_url = f"{url.rpartition('/pull/')[0]}/commit/{sha}"
    return Fix(sha, commit_url, number, url, title, branch, datetime.fromisoformat(merged_at))


def closed_here(event: Json, repo: str) -> bool:
    """Whether a timeline event closed the issue by a commit of this repository (another's commit proves nothing)."""
    if event.get("event") != "closed" or not event.get("commit_id"):
        return False
    return f"/repos/{repo}/".casefold() in str(event.get("commit_url") or f"/repos/{repo}/").casefold()


def crossing(timeline: list[dict[str, Any]], repo: str, number: int) -> list[int]:
    """The pull requests of `repo` that name the issue with a closing keyword, from its timeline."""
    sources = [(event.get("source") or {}).get("issue") or {} for event in timeline]
    here = f"/{repo}/pull/".casefold()
    return [
        int(item["number"])
        for item in sources
        if "pull_request" in item and here in str(item.get("html_url")).casefold() and closes(item, repo, number)
    ]


def closes(item: Json, repo: str, number: int) -> bool:
    """Whether title or body hold a closing keyword for this issue ("Linking a pull request to an issue")."""
    where = rf"(?:{re.escape(repo)})?#|https?://\S+/{re.escape(repo)}/issues/"
    keyword = rf"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+(?:{where}){number}\b"
    return bool(re.search(keyword, f"{item.get('title') or ''}\n{item.get('body') or ''}", re.IGNORECASE))


_PULL = re.compile(r"https?://[^/\s]+/(?P<repo>[^/\s]+/[^/\s]+)/pull/(?P<number>\d+)\S*")
_COMMIT = re.compile(r"https?://[^/\s]+/(?P<repo>[^/\s]+/[^/\s]+)/commit/(?P<sha>[0-9a-f]{7,40})\S*", re.IGNORECASE)


def reference(service: str, repo: str, text: str) -> tuple[int, str]:
    """(pull request's number, "") or (0, sha) of what a person wrote; a bare number of 7+ digits is a sha."""
    address = _PULL.fullmatch(text) or _COMMIT.fullmatch(text)
    if address and address["repo"].casefold() != repo.casefold():
        raise Rejected(service, f"that address is in {address['repo']}, the issue in {repo}")
    if address:
        parts = address.groupdict()
        return int(parts.get("number") or 0), (parts.get("sha") or "").lower()
    if re.fullmatch(r"#\d{1,12}|\d{1,6}", text):
        return int(text.lstrip("#")), ""
    if re.fullmatch(r"[0-9a-f]{7,40}", text, re.IGNORECASE):
        return 0, text.lower()
    raise Rejected(service, "name a commit (7 or more characters of its sha) or a pull request (#12 or its address)")


def _when(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


# --- webhooks ---------------------------------------------------------------------------------------------------------


def payload(body: bytes) -> object:
    """A delivery's JSON, sent plainly or as the form field `payload`; None when it cannot be read."""
    try:
        if body.startswith(b"payload="):
            body = parse_qs(body.decode(), max_num_fields=10)["payload"][0].encode()
        return json.loads(body)
    except (ValueError, KeyError, RecursionError):
        return None


def member(found: object, key: str) -> Any:
    return found.get(key) if isinstance(found, dict) else None
