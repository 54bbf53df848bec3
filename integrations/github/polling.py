"""Polling with conditional requests: a list's address never changes, so while nothing happens GitHub answers 304.

Each watch remembers what it saw of the newest minutes, so an item whose change the list shows late is still told.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from integrations.base import Event, IssueTouched, ReleasesTouched, Watch
from integrations.github.answers import path_of, utc
from integrations.github.wire import PAGES_MAX, Wire

_PAGE = 50  # items; few change between two polls
_LAG = timedelta(minutes=2)  # how late a list may show a change: GitHub's replicas lag
_TELLING = ("updated_at", "state", "state_reason", "comments", "title", "body", "labels", "assignees")


def issues(wire: Wire, repo: str, watch: Watch) -> tuple[list[Event], Watch]:
    """The issues changed since `watch`, oldest change first.

    Newest first, because an item that changes while we page then moves to where we have been, not past us.
    """
    query = {"state": "all", "sort": "updated", "direction": "desc", "per_page": str(_PAGE)}
    first, etag = _listed(wire, f"{path_of(repo, 'issues')}?{urlencode(query)}", watch.state.get("etag", ""))
    if first is None:
        return [], watch
    old = json.loads(watch.state.get("seen", "{}"))
    since = watch.state.get("since")
    items = first
    for page in range(2, PAGES_MAX + 1):
        if since is None or len(items) < _PAGE * (page - 1) or items[-1].get("updated_at", "") < since:
            break
        items = items + wire.get(f"{path_of(repo, 'issues')}?{urlencode(query | {'page': page})}", list)
    return wire.translated(lambda found: _changes(repo, found, old, since, etag), items)


def _changes(
    repo: str, items: list[Mapping[str, Any]], old: Mapping[str, str], since: str | None, etag: str
) -> tuple[list[Event], Watch]:
    recent = [item for item in items if since is None or item["updated_at"] >= since]
    digests = {str(item["number"]): _digest({key: item.get(key) for key in _TELLING}) for item in recent}
    touched: list[Event] = [
        IssueTouched(repo, int(item["number"]))
        for item in reversed(recent)
        if since is not None
        and "pull_request" not in item
        and digests[str(item["number"])] != old.get(str(item["number"]))
    ]
    newest = max((item["updated_at"] for item in recent), default="")
    border = utc(datetime.fromisoformat(newest) - _LAG) if newest else since or ""
    seen = {str(item["number"]): digests[str(item["number"])] for item in recent if item["updated_at"] >= border}
    return list(dict.fromkeys(touched)), Watch({"etag": etag, "since": border, "seen": json.dumps(seen)})


def releases(wire: Wire, repo: str, watch: Watch) -> tuple[list[Event], Watch]:
    """One event when a published release came, went or changed; download counts and drafts are not news."""
    found, etag = _listed(wire, f"{path_of(repo, 'releases')}?per_page={_PAGE}", watch.state.get("etag", ""))
    if found is None:
        return [], watch
    digest = wire.translated(_published, found)
    old = watch.state.get("seen")
    events: list[Event] = [] if old in (None, digest) else [ReleasesTouched(repo)]
    return events, Watch({"etag": etag, "seen": digest})


def _published(items: list[Mapping[str, Any]]) -> str:
    keys = ("id", "tag_name", "name", "prerelease", "published_at")
    return _digest([[item.get(key) for key in keys] for item in items if not item.get("draft")])


def _listed(wire: Wire, path: str, etag: str) -> tuple[list[Any] | None, str]:
    """(items, their ETag), or (None, …) when nothing changed."""
    status, headers, text = wire.ask("GET", path, headers={"If-None-Match": etag} if etag else {}, write=False)
    if status == 304:
        return None, etag
    return wire.translated(lambda body: list(json.loads(body)), text), str(headers.get("etag", ""))


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
