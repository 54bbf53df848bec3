"""Polling with conditional requests: a list's address never changes, so while nothing happens GitLab answers 304.

GitLab's own framework compares the whole answer; where a proxy takes the ETag away, the answer itself is compared, and
the poll costs the list. A 304 counts as a request all the same ("Rate limits"). Each watch remembers what it saw of the
newest minutes, so an item whose change the list shows late is still told.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.base import MARK, CodeTouched, Event, IssueTouched, Watch
from integrations.gitlab import answers, deliveries, shipments
from integrations.gitlab.answers import Json, path_of
from integrations.gitlab.wire import PAGE, PAGES_MAX, Wire

_Items = list[dict[str, Any]]
_Telling = Callable[[_Items], list[object]]  # what of a list matters to us
_PAGE = 50  # items; few change between two polls
_LAST: Mapping[str, object] = {"order_by": "id", "sort": "desc", "per_page": _PAGE}
_LAG = timedelta(minutes=2)  # how late a list may show a change: replicas lag
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)  # before GitLab
_TELLING = ("updated_at", "state", "user_notes_count", "title", "description", "labels", "assignees", "moved_to_id")


def poll(wire: Wire, repo: str, resource: str, watch: Watch) -> tuple[list[Event], Watch]:
    """What was touched since `watch`, by conditional requests while nothing was: one; two for issues."""
    if resource == "issues":
        return _issues(wire, repo, watch)
    kind, _, environment = resource.partition(":")
    if kind == "deployments":
        return _deployments(wire, repo, environment, watch)
    lists: dict[str, tuple[str, dict[str, object], _Telling]] = {
        "releases": (path_of(repo, "releases"), {"per_page": _PAGE}, lambda items: _published(items, wire.now())),
        "tags": (
            path_of(repo, "repository", "tags"),
            {"order_by": "updated", "sort": "desc", "per_page": PAGE},
            lambda items: [[item["name"], item["commit"]["id"]] for item in items],
        ),
        "branch": (  # the default one, whatever it is called
            path_of(repo, "repository", "commits"),
            {"per_page": 1},
            lambda items: [item["id"] for item in items[:1]],
        ),
    }
    path, query, telling = lists[kind]
    return _code(wire, repo, resource, path, query, telling, watch)


def _code(
    wire: Wire,
    repo: str,
    resource: str,
    path: str,
    query: Mapping[str, object],
    telling: _Telling,
    watch: Watch,
) -> tuple[list[Event], Watch]:
    """One event when what a list tells that matters to us is another than it was."""
    found, etag = wire.listed(path, query, watch.state.get("etag", ""))
    if found is None:
        return [], watch
    digest = wire.translated(lambda items: _digest(telling(items)), found)
    events: list[Event] = [] if watch.state.get("seen") in (None, digest) else [CodeTouched(repo, resource)]
    return events, Watch({**watch.state, "etag": etag, "seen": digest})


def _published(items: _Items, now: datetime) -> list[object]:
    """Links, evidence and releases to come are not news; that such a one's day has come is."""
    keys = ("tag_name", "name", "released_at")
    return [[item.get(key) for key in keys] for item in items if answers.is_out(item, now)]


# --- deployments ------------------------------------------------------------------------------------------------------


def _deployments(wire: Wire, repo: str, environment: str, watch: Watch) -> tuple[list[Event], Watch]:
    """Those of the environment of that name; while it has none, those of the environments of that tier."""
    if "tier" in watch.state:
        return _of_tier(wire, repo, environment, watch)
    path, resource = path_of(repo, "deployments"), f"deployments:{environment}"
    query = {**_LAST, "environment": environment}
    events, after = _code(wire, repo, resource, path, query, lambda items: _of([environment], items), watch)
    if after.state.get("seen") != _digest([]) or not shipments.tier(wire, repo, environment):
        return events, after
    _, after = _of_tier(wire, repo, environment, Watch())
    return [CodeTouched(repo, resource)] if watch.state else [], after


def _of_tier(wire: Wire, repo: str, environment: str, watch: Watch) -> tuple[list[Event], Watch]:
    """One list for all environments, since it can be narrowed to one name alone; when it is another than it was, which
    of them are of that tier is asked too: a new one may be, or one may have that very name now."""
    names: list[str] = []

    def telling(items: _Items) -> list[object]:
        names.extend(shipments.tier(wire, repo, environment))
        return _of(names, items)

    events, after = _code(wire, repo, f"deployments:{environment}", path_of(repo, "deployments"), _LAST, telling, watch)
    if after is watch:
        return [], watch
    if not names:
        return [CodeTouched(repo, f"deployments:{environment}")], Watch()
    return events, Watch({**after.state, "tier": ""})


def _of(names: list[str], items: _Items) -> list[object]:
    here = [item for item in items if (item.get("environment") or {}).get("name") in names]
    return [[item["id"], item["sha"], item["status"], item["updated_at"]] for item in here]


# --- issues and what merge requests fix -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Change:
    """What a list tells of one issue or merged merge request; `digest` differs when anything that matters does."""

    number: int
    at: datetime
    digest: str
    events: tuple[Event, ...]

    @classmethod
    def of_issue(cls, item: Json, repo: str) -> _Change:
        number = int(item["iid"])
        touched = IssueTouched(repo, number, tuple(MARK.findall(item.get("description") or "")))
        return cls(number, _time(item["updated_at"]), _digest([item.get(key) for key in _TELLING]), (touched,))

    @classmethod
    def of_merge(cls, item: Json, repo: str) -> _Change:
        told = _digest([item.get("title"), item.get("description")])
        return cls(int(item["iid"]), _time(item["updated_at"]), told, tuple(deliveries.named(repo, dict(item))))


def _issues(wire: Wire, repo: str, watch: Watch) -> tuple[list[Event], Watch]:
    """The issues changed, or fixed by what was merged, since `watch`, oldest change first."""
    touched, issues = _changed(wire, repo, "issues", {"state": "all", "scope": "all"}, _Change.of_issue, watch)
    fixed, merges = _changed(
        wire, repo, "merge_requests", {"state": "merged", "scope": "all", "view": "simple"}, _Change.of_merge, watch
    )
    if issues is watch.state and merges is watch.state:
        return [], watch
    kept = {key: value for key, value in issues.items() if key.startswith("issues.")}
    kept |= {key: value for key, value in merges.items() if key.startswith("merge_requests.")}
    return list(dict.fromkeys([*touched, *fixed])), Watch(kept)


def _changed(
    wire: Wire, repo: str, what: str, query: Mapping[str, object], of: Callable[[Json, str], _Change], watch: Watch
) -> tuple[list[Event], Mapping[str, str]]:
    """(events, the new state of that list, or the watch's own state while nothing changed).

    Newest first, because an item that changes while we page then moves to where we have been, not past us.
    """
    state = watch.state
    asked = {**query, "order_by": "updated_at", "sort": "desc", "per_page": _PAGE}
    path = path_of(repo, what)
    first, etag = wire.listed(path, asked, state.get(f"{what}.etag", ""))
    if first is None:
        return [], state
    home = _home(wire, repo, first)
    items = wire.translated(lambda found: [of(item, home) for item in found], first)
    since, page = state.get(f"{what}.since"), 2
    while since and len(items) == _PAGE * (page - 1) and items[-1].at >= _time(since) and page <= PAGES_MAX:
        more = wire.get(path, list, {**asked, "page": page})
        items += wire.translated(lambda found: [of(item, home) for item in found], more)
        page += 1
    events, told = _since(items, state.get(f"{what}.seen"), since)
    return events, {f"{what}.{key}": value for key, value in {"etag": etag, **told}.items()}


def _since(items: list[_Change], seen: str | None, since: str | None) -> tuple[list[Event], dict[str, str]]:
    known = json.loads(seen or "{}")
    border = _time(since or "")
    recent = {item.number: item for item in items if item.at >= border}
    touched = [
        event
        for item in sorted(recent.values(), key=lambda item: item.at)
        if since is not None and known.get(str(item.number)) != item.digest
        for event in item.events
    ]
    border = max([border, *(item.at - _LAG for item in recent.values())])
    kept = {str(item.number): item.digest for item in recent.values() if item.at >= border}
    return touched, {"since": border.isoformat(), "seen": json.dumps(kept)}


def _home(wire: Wire, repo: str, items: list[dict[str, Any]]) -> str:
    """The project's path as it is now, by the first item's page."""
    if not items:
        return repo
    home: str = wire.translated(lambda item: answers.place_in(item["web_url"], wire.config.url), items[0])
    wire.renamed(repo, home)
    return home


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text) if text else _BEGINNING


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
