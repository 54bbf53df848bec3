"""What GitHub's JSON means in the words of `integrations/base.py`. Pure: no clock, no network.

A KeyError, TypeError or ValueError from here says that an answer has another form than GitHub documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urlsplit

from integrations.base import MARK, Commit, Issue, IssueRef, Listed, Release, Repository, mark
from integrations.wording import shown

Json = Mapping[str, Any]

_BODY_MAX = 65_536  # characters


def path_of(repo: str, *parts: object) -> str:
    return "/".join(["/repos", quote(repo), *(quote(str(part), safe="") for part in parts)])


def page_of(url: str, repo: str) -> str:
    """The repository's page for people, by the API's address ("Getting started with the REST API")."""
    parts = urlsplit(url.rstrip("/"))
    return f"{parts.scheme}://{parts.netloc.removeprefix('api.')}{parts.path.removesuffix('/api/v3')}/{quote(repo)}"


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
        labels=tuple(filter(None, (_label(one) for one in item.get("labels") or ()))),
        repository=place_of(item["html_url"]),
        locked=bool(item.get("locked")),
    )


def _label(item: Json | str) -> str:
    """A label's name; of old ones GitHub may give nothing else ("Get an issue": `oneOf` string or object)."""
    return item if isinstance(item, str) else item.get("name") or ""


def listed(item: Json) -> tuple[datetime, Listed | None]:
    """When an item of the list of issues was updated, and the issue that it is: pull requests are listed among them."""
    updated = datetime.fromisoformat(item["updated_at"])
    if "pull_request" in item:
        return updated, None
    return updated, Listed(
        number=int(item["number"]),
        url=item["html_url"],
        title=item["title"],
        text=shown(item.get("body") or ""),
        open=item["state"] == "open",
        created_at=datetime.fromisoformat(item["created_at"]),
        updated_at=updated,
        closed_at=_when(item.get("closed_at")),
    )


def releases(items: list[dict[str, Any]], shas: Mapping[str, str] = MappingProxyType({})) -> list[Release]:
    """The published ones, newest first; `shas` are those of the tags that were listed."""
    found = [
        (datetime.fromisoformat(item["published_at"]), item)
        for item in items
        if not item.get("draft") and item.get("published_at")
    ]
    return [
        Release(
            id=str(item["id"]),
            tag=item["tag_name"],
            name=item.get("name") or item["tag_name"],
            url=item["html_url"],
            published_at=at,
            prerelease=bool(item.get("prerelease")),
            sha=shas.get(item["tag_name"], ""),
        )
        for at, item in sorted(found, key=lambda pair: pair[0], reverse=True)
    ]


def commit(item: Json) -> Commit:
    """A commit of a list, a comparison or its own page."""
    told = item["commit"]
    author = told.get("author") or {}
    parents = tuple(str(parent["sha"]) for parent in item.get("parents") or ())
    return Commit(item["sha"], parents, told["message"], author.get("email") or "", _when(author.get("date")))


def place_of(url: str) -> str:
    """ "owner/name" of a page's address: an issue's, a pull request's or a commit's."""
    return "/".join(url.rstrip("/").split("/")[-4:-2])


def _when(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
