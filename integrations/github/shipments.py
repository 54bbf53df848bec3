"""What ships by GitHub: its releases, the tags without one, and what its deployments put on an environment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from integrations.base import Deployment, NotFound, Rejected, Release
from integrations.github import answers
from integrations.github.answers import Json, path_of
from integrations.github.wire import PAGE, Wire
from integrations.versions import height, is_prerelease as is_prerelease

_PAGES = 3
_STATUSES_MOST = 30  # deployments whose statuses are asked for
_DECISIVE = ("success", "failure", "error", "inactive")


def releases(wire: Wire, repo: str, bare_tags: bool) -> list[Release]:
    """The newest published releases, newest first, at most 100; then, if asked, tags without one, highest first.

    GitHub lists them by the dates of their commits, drafts among them: so of a long list three pages are read. A
    draft's tag is no bare one: it waits for being published. Of the tags the first 300 that GitHub lists count.
    """
    items = list(wire.pages(path_of(repo, "releases"), limit=_PAGES))
    if not bare_tags:
        return wire.translated(answers.releases, items)[:PAGE]
    listed = list(wire.pages(path_of(repo, "tags"), limit=_PAGES))
    shas = wire.translated(lambda tags: {str(tag["name"]): str(tag["commit"]["sha"]) for tag in tags}, listed)
    published = wire.translated(lambda found: answers.releases(found, shas), items)[:PAGE]
    taken = {item.get("tag_name") for item in items}
    page = answers.page_of(wire.config.url, repo)
    bare = [_bare(page, tag, sha) for tag, sha in shas.items() if tag not in taken]
    return published + sorted(bare, key=lambda release: height(release.tag), reverse=True)


def _bare(page: str, tag: str, sha: str) -> Release:
    url = f"{page}/releases/tag/{quote(tag)}"
    return Release(f"tag:{tag}", tag, tag, url, None, is_prerelease(tag), sha)


# --- deployments ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Success:
    """A deployment that succeeded; `state` is what it came to since."""

    at: datetime
    id: int
    state: str
    status: Json
    deployment: Json


def deployed(wire: Wire, repo: str, environment: str) -> Deployment | None:
    """What runs on `environment`: of the deployments that succeeded and have not failed since, the latest success.

    One that was only switched off (inactive) counts when nothing else does: GitHub does that to all earlier ones when
    a deployment succeeds, and never takes it back when that one fails later ("Inactive deployments").
    Rejected: it shows us none, as our token may not read them, or the server keeps none.
    """
    query = urlencode({"environment": environment, "per_page": PAGE})
    try:
        items = wire.get(f"{path_of(repo, 'deployments')}?{query}", list)
    except NotFound as missing:  # to take it for "nothing runs there" would undo what shipped
        raise Rejected(wire.name, f"it shows us no deployments of {repo}") from missing
    listed = wire.translated(lambda found: _newest_first(found, environment), items)
    best: _Success | None = None
    for count, item in enumerate(listed):
        if best and count >= _STATUSES_MOST:
            break
        if best and best.state == "success" and _changed(item) < best.at:
            break
        found = _success(wire, repo, item)
        if found and (best is None or _rank(found) > _rank(best)):
            best = found
    if best is None and len(items) == PAGE:
        raise Rejected(wire.name, f"none of the last {PAGE} deployments to {environment} succeeded")
    return wire.translated(lambda success: _deployment(wire, repo, environment, success), best) if best else None


def _newest_first(items: list[dict[str, Any]], environment: str) -> list[dict[str, Any]]:
    here = [item for item in items if item["environment"].casefold() == environment.casefold()]
    return sorted(here, key=lambda item: (_changed(item), item["id"]), reverse=True)


def _changed(item: Json) -> datetime:
    return datetime.fromisoformat(item["updated_at"])


def _rank(success: _Success) -> tuple[bool, datetime, int]:
    return success.state == "success", success.at, success.id


def _success(wire: Wire, repo: str, item: Json) -> _Success | None:
    """Its latest success, unless it failed since."""
    path = f"{path_of(repo, 'deployments', item['id'], 'statuses')}?per_page={PAGE}"
    told = wire.get(path, lambda found: sorted(found, key=lambda status: (status["created_at"], status["id"])))
    decisive = [status for status in told if status["state"] in _DECISIVE]
    states = [status["state"] for status in decisive]
    newest = len(states) - 1 - states[::-1].index("success") if "success" in states else -1
    if newest < 0 or {"failure", "error"} & set(states[newest:]):
        return None
    last = decisive[newest]
    at = wire.translated(datetime.fromisoformat, last["created_at"])
    return _Success(at, int(last["id"]), states[-1], last, item)


def _deployment(wire: Wire, repo: str, environment: str, success: _Success) -> Deployment:
    status, item = success.status, success.deployment
    told = (status.get(key) for key in ("log_url", "target_url", "environment_url"))
    page = f"{answers.page_of(wire.config.url, repo)}/deployments/{quote(environment, safe='')}"
    url = next((url for url in told if url and str(url).startswith(("http://", "https://"))), page)
    return Deployment(str(item["id"]), environment, item["sha"], url, success.at)
