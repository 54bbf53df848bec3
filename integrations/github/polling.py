"""Polling with conditional requests: a list's address never changes, so while nothing happens GitHub answers 304.

Each watch remembers what it saw of the newest minutes, so an item whose change the list shows late is still told.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from integrations.base import MARK, CodeTouched, Event, IssueTouched, Rejected, Watch
from integrations.github import deliveries
from integrations.github.answers import Json, path_of, place_of
from integrations.github.wire import PAGE, PAGES_MAX, Wire

_PAGE = 50  # items; few change between two polls
_LAG = timedelta(minutes=2)  # how late a list may show a change: GitHub's replicas lag
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)  # before GitHub
_TELLING = ("updated_at", "state", "state_reason", "comments", "title", "body", "labels", "assignees")


def poll(wire: Wire, repo: str, resource: str, watch: Watch) -> tuple[list[Event], Watch]:
    """What was touched since `watch`, by one conditional request while nothing was."""
    if resource == "issues":
        return _issues(wire, repo, watch)
    kind, _, environment = resource.partition(":")
    path, telling = {
        "releases": (f"{path_of(repo, 'releases')}?per_page={_PAGE}", _published),
        "tags": (f"{path_of(repo, 'tags')}?per_page={PAGE}", _tags),
        "branch": (f"{path_of(repo, 'commits')}?per_page=1", _tip),  # of the default branch, whatever it is called
        "deployments": (
            f"{path_of(repo, 'deployments')}?{urlencode({'environment': environment, 'per_page': _PAGE})}",
            _deployments,
        ),
    }[kind]
    return _code(wire, repo, resource, path, telling, watch)


def _code(
    wire: Wire, repo: str, resource: str, path: str, telling: Callable[[list[Json]], list[object]], watch: Watch
) -> tuple[list[Event], Watch]:
    """One event when what a list tells that matters to us is another than it was."""
    found, etag = _listed(wire, path, watch.state.get("etag", ""))
    if found is None:
        return [], watch
    digest = wire.translated(lambda items: _digest(telling(items)), found)
    events: list[Event] = [] if watch.state.get("seen") in (None, digest) else [CodeTouched(repo, resource)]
    return events, Watch({"etag": etag, "seen": digest})


def _published(items: list[Json]) -> list[object]:
    """Download counts and drafts are not news."""
    keys = ("id", "tag_name", "name", "prerelease", "published_at")
    return [[item.get(key) for key in keys] for item in items if not item.get("draft")]


def _tags(items: list[Json]) -> list[object]:
    return [[item["name"], item["commit"]["sha"]] for item in items]


def _tip(items: list[Json]) -> list[object]:
    return [item["sha"] for item in items[:1]]


def _deployments(items: list[Json]) -> list[object]:
    return [[item["id"], item["sha"], item["updated_at"]] for item in items]


def _issues(wire: Wire, repo: str, watch: Watch) -> tuple[list[Event], Watch]:
    """The issues changed, or fixed by what was merged, since `watch`, oldest change first.

    Newest first, because an item that changes while we page then moves to where we have been, not past us.
    """
    query = {"state": "all", "sort": "updated", "direction": "desc", "per_page": str(_PAGE)}
    first, etag = _listed(wire, f"{path_of(repo, 'issues')}?{urlencode(query)}", watch.state.get("etag", ""))
    if first is None:
        return [], watch
    name = wire.translated(lambda found: place_of(found[0]["html_url"]) if found else repo, first)
    if name.casefold() != wire.name_of(repo).casefold():  # it was renamed, and what we got is not what we asked for
        wire.renamed(repo, name)
        return _issues(wire, repo, watch)
    since = watch.state.get("since")
    items = wire.translated(lambda found: [_Change.of(item, name) for item in found], first)
    page = 2
    while since and len(items) == _PAGE * (page - 1) and items[-1].at >= _time(since) and page <= PAGES_MAX:
        more = wire.get(f"{path_of(repo, 'issues')}?{urlencode(query | {'page': page})}", list)
        items += wire.translated(lambda found: [_Change.of(item, name) for item in found], more)
        page += 1
    return _changes(items, watch, etag)


@dataclass(frozen=True, slots=True)
class _Change:
    """What a list tells of one issue or pull request; `digest` differs when anything that matters to us does.

    `events`: the issue itself; of a merged pull request what it says that it fixes; of another none.
    """

    number: int
    at: datetime
    digest: str
    events: tuple[Event, ...]

    @classmethod
    def of(cls, item: Mapping[str, Any], repo: str) -> _Change:
        number, at, pull = int(item["number"]), _time(item["updated_at"]), item.get("pull_request")
        if pull is None:
            touched = IssueTouched(repo, number, tuple(MARK.findall(item.get("body") or "")))
            return cls(number, at, _digest([item.get(key) for key in _TELLING]), (touched,))
        merged = pull.get("merged_at")
        digest = _digest([merged, item.get("title"), item.get("body")])
        return cls(number, at, digest, tuple(deliveries.named(repo, item)) if merged else ())


def _changes(items: list[_Change], watch: Watch, etag: str) -> tuple[list[Event], Watch]:
    known = json.loads(watch.state.get("seen", "{}"))
    since = _time(watch.state.get("since", ""))
    recent = {item.number: item for item in items if item.at >= since}
    touched = [
        event
        for item in sorted(recent.values(), key=lambda item: item.at)
        if watch.state and known.get(str(item.number)) != item.digest
        for event in item.events
    ]
    border = max([since, *(item.at - _LAG for item in recent.values())])
    seen = {str(item.number): item.digest for item in recent.values() if item.at >= border}
    return list(dict.fromkeys(touched)), Watch({"etag": etag, "since": border.isoformat(), "seen": json.dumps(seen)})


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text) if text else _BEGINNING


def _listed(wire: Wire, path: str, etag: str) -> tuple[list[Any] | None, str]:
    """(items, their ETag), or (None, …) when nothing changed."""
    try:
        status, headers, text = wire.ask("GET", path, headers={"If-None-Match": etag} if etag else {}, write=False)
    except Rejected as refusal:
        if "empty" in refusal.detail.casefold():  # 409 "Git Repository is empty": it has no commits yet
            return [], ""
        raise
    if status == 304:
        return None, etag
    return wire.translated(lambda body: list(json.loads(body)), text), str(headers.get("etag", ""))


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
