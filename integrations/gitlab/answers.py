"""What GitLab's JSON means in the words of `integrations/base.py`. Pure: no network; times are handed in.

A KeyError, TypeError or ValueError from here says that an answer has another form than GitLab documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

from integrations.base import MARK, Commit, Issue, IssueRef, Listed, Release, Repository, mark
from integrations.versions import is_prerelease
from integrations.wording import shown

Json = Mapping[str, Any]

ISSUE_MAX = 1_048_576  # characters ("Issues API")
NOTE_MAX = 1_000_000  # characters ("Notes API")


def path_of(repo: str, *parts: object) -> str:
    return "/".join(["/projects", quote(repo, safe=""), *(quote(str(part), safe="") for part in parts)])


def page_of(url: str, repo: str, *parts: object) -> str:
    """The project's page for people, or one below it."""
    below = "".join(f"/{quote(str(part), safe='')}" for part in ("-", *parts)) if parts else ""
    return f"{url}/{quote(repo)}{below}"


def utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def when(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def marked(text: str, key: str, most: int) -> str:
    """`text` with its mark as the last line, cut so that both fit; a code fence left open is closed."""
    tail = f"\n\n{mark(key)}"
    return cut(text, most - len(tail)) + tail


def cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    kept = text[: most - len("\n```\n\n…")]
    fence = "\n```" if kept.count("```") % 2 else ""
    return f"{kept}{fence}\n\n…"


def carries(item: Json, key: str) -> bool:
    return key in MARK.findall(item.get("description") or "")


def repository(item: Json) -> Repository:
    """An internal project is for everybody who has an account: on gitlab.com that is everybody."""
    visibility, url = item.get("visibility"), item["web_url"]
    everybody = urlsplit(url).hostname == "gitlab.com"
    return Repository(
        full_name=item["path_with_namespace"],
        url=url,
        public=visibility != "private" and (visibility != "internal" or everybody),
        issues_enabled=has_issues(item),
        archived=bool(item.get("archived", False)),
        default_branch=item.get("default_branch") or "HEAD",
    )


def has_issues(item: Json) -> bool:
    return item.get("issues_access_level") != "disabled" and bool(item.get("issues_enabled", True))


def issue_ref(item: Json) -> IssueRef:
    return IssueRef(int(item["iid"]), item["web_url"])


def issue(item: Json, not_planned: str) -> Issue:
    """`not_planned` is the label that says so: GitLab keeps no reason ("Issues API": there is no `state_reason`)."""
    opened = item["state"] == "opened"
    labels = [str(label) for label in item.get("labels") or ()]
    others = tuple(label for label in labels if label.casefold() != not_planned.casefold())
    return Issue(
        number=int(item["iid"]),
        url=item["web_url"],
        title=item["title"],
        open=opened,
        reason=None if opened else "not_planned" if len(others) < len(labels) else "completed",
        updated_at=datetime.fromisoformat(item["updated_at"]),
        closed_at=when(item.get("closed_at")),
        assignees=tuple(person["username"] for person in item.get("assignees") or ()),
        labels=others,
        repository=home_of(item, "#"),
        confidential=bool(item.get("confidential")),
        locked=bool(item.get("discussion_locked")),
    )


def listed(item: Json) -> tuple[datetime, Listed]:
    """When an issue of the list was updated, and the issue."""
    updated = datetime.fromisoformat(item["updated_at"]).astimezone(UTC)
    return updated, Listed(
        number=int(item["iid"]),
        url=item["web_url"],
        title=item["title"],
        text=shown(item.get("description") or ""),
        open=item["state"] == "opened",
        created_at=datetime.fromisoformat(item["created_at"]).astimezone(UTC),
        updated_at=updated,
        closed_at=when(item.get("closed_at")),
        confidential=bool(item.get("confidential")),
    )


def home_of(item: Json, sign: str) -> str:
    """The full path of an issue's (`#`) or merge request's (`!`) project, by its full reference."""
    repo, found, _ = str(item["references"]["full"]).rpartition(sign)
    if not found or "/" not in repo:
        raise ValueError("no full reference")
    return repo


def place_in(url: str, base: str) -> str:
    """The full path in a page's address: what stands before `/-/`, below the address of GitLab itself."""
    return below(urlsplit(url).path.partition("/-/")[0].strip("/"), base)


def below(path: str, base: str) -> str:
    """`path` without that of GitLab's own address, which may end in one ("Relative URL")."""
    root = urlsplit(base).path.strip("/")
    return path.removeprefix(f"{root}/") if root else path


def commit(item: Json) -> Commit:
    parents = tuple(str(sha) for sha in item.get("parent_ids") or ())
    return Commit(item["id"], parents, item["message"], item.get("author_email") or "", when(item.get("authored_date")))


def is_out(item: Json, now: datetime) -> bool:
    """Whether a release is published: one with a date to come is not ("Releases": upcoming)."""
    at = when(item.get("released_at"))
    return item.get("upcoming_release") is not True and at is not None and at <= now


def releases(items: list[dict[str, Any]], now: datetime, page: str) -> list[Release]:
    """The published ones, newest first; whether one is a pre-release only its tag can say."""
    out = [item for item in items if item.get("tag_name") and is_out(item, now)]
    return [
        Release(
            id=item["tag_name"],
            tag=item["tag_name"],
            name=item.get("name") or item["tag_name"],
            url=(item.get("_links") or {}).get("self") or f"{page}/releases/{quote(item['tag_name'], safe='')}",
            published_at=when(item["released_at"]),
            prerelease=is_prerelease(item["tag_name"]),
            sha=(item.get("commit") or {}).get("id") or "",
        )
        for item in sorted(out, key=lambda item: datetime.fromisoformat(item["released_at"]), reverse=True)
    ]
