"""Polling with conditional requests: a list's address never changes, so while nothing happens GitHub answers 304.

Each watch remembers what it saw of the newest minutes, so an item whose change the list shows late is still told.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from integrations.base import Event, IssueTouched, ReleasesTouched, Watch
from integrations.github.answers import path_of
from integrations.github.wire import PAGES_MAX, Wire

_PAGE = 50  # items; few change between two polls
_LAG = timedelta(minutes=2)  # how late a list may show a change: GitHub's replicas lag
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)  # before GitHub
_TELLING = ("updated_at", "state", "state_reason", "comments", "title", "body", "labels", "assignees")


def issues(wire: Wire, repo: str, watch: Watch) -> tuple[list[Event], Watch]:
    """The issues changed since `watch`, oldest change first.

    Newest first, because an item that changes while we page then moves to where we have been, not past us.
    """
    query = {"state": "all", "sort": "updated", "direction": "desc", "per_page": str(_PAGE)}
    first, etag = _listed(wire, f"{path_of(repo, 'issues')}?{urlencode(query)}", watch.state.get("etag", ""))
    if first is None:
        return [], watch
    since = watch.state.get("since")
    items = wire.translated(lambda found: [_Change.of(item) for item in found], first)
    page = 2
    while since and len(items) == _PAGE * (page - 1) and items[-1].at >= _time(since) and page <= PAGES_MAX:
        more = wire.get(f"{path_of(repo, 'issues')}?{urlencode(query | {'page': page})}", list)
        items += wire.translated(lambda found: [_Change.of(item) for item in found], more)
        page += 1
    return _changes(repo, items, watch, etag)


@dataclass(frozen=True, slots=True)
class _Change:
    """What a list tells of one issue or pull request; `digest` differs when anything that matters to us does."""

    number: int
    at: datetime
    pull: bool
    digest: str

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> _Change:
        digest = _digest([item.get(key) for key in _TELLING])
        return cls(int(item["number"]), _time(item["updated_at"]), "pull_request" in item, digest)


def _changes(repo: str, items: list[_Change], watch: Watch, etag: str) -> tuple[list[Event], Watch]:
    known = json.loads(watch.state.get("seen", "{}"))
    since = _time(watch.state.get("since", ""))
    recent = {item.number: item for item in items if item.at >= since}
    touched: list[Event] = [
        IssueTouched(repo, item.number)
        for item in sorted(recent.values(), key=lambda item: item.at)
        if watch.state and not item.pull and known.get(str(item.number)) != item.digest
    ]
    border = max([since, *(item.at - _LAG for item in recent.values())])
    seen = {str(item.number): item.digest for item in recent.values() if item.at >= border}
    return touched, Watch({"etag": etag, "since": border.isoformat(), "seen": json.dumps(seen)})


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text) if text else _BEGINNING


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
