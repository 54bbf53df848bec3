"""Asks GitHub for webhook deliveries that failed, as it never repeats one by itself.

"Handling failed webhook deliveries": what was sent in the past three days can be asked for. A repeated delivery has its
own id (guid) again, so one that came after all changes nothing.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from integrations.base import NotFound, Rejected, Unauthorised
from integrations.github.answers import path_of
from integrations.github.wire import PAGE, Wire

_PAGES_MAX = 10
_REPEATED_MAX = 50
_TRIES_MAX = 5  # an address that never answers is not asked for ever
_NEXT = re.compile(r'<([^>]*)>;\s*rel="next"')


def redeliver(wire: Wire, repo: str, address: str, since: datetime) -> int:
    """Ask again for the deliveries to `address` since then of which every attempt failed; how many, at most 50.

    The hook is the app's own, else a repository's. 0 where our token may not, or there is no such hook.
    """
    asked = 0
    try:
        hook, as_app = _hook(wire, repo, address)
        for delivery in _failed(wire, repo, hook, as_app, since) if hook else ():
            wire.ask("POST", f"{hook}/deliveries/{delivery}/attempts", write=True, as_app=as_app)
            asked += 1
    except (NotFound, Unauthorised, Rejected):
        pass
    return asked


def _hook(wire: Wire, repo: str, address: str) -> tuple[str, bool]:
    """(the hook's path, whether it is the app's own); ("", …) when none calls that address."""
    if wire.app:
        try:
            if _calls(wire.get("/app/hook/config", dict, as_app=True), address):
                return "/app/hook", True
        except NotFound:  # the app has none
            pass
    hooks = wire.pages(path_of(repo, "hooks"), limit=1)
    found = [hook["id"] for hook in hooks if _calls(hook.get("config") or {}, address)]
    return (path_of(repo, "hooks", found[0]), False) if found else ("", False)


def _calls(config: Mapping[str, Any], address: str) -> bool:
    return str(config.get("url", "")).rstrip("/") == address.rstrip("/")


def _failed(wire: Wire, repo: str, hook: str, as_app: bool, since: datetime) -> list[int]:
    """The ids of one failed attempt of each delivery that never arrived, oldest first."""
    failed = [each for each in _deliveries(wire, hook, as_app, since, "failure") if not each.arrived]
    if as_app and failed:  # an app's list tells of all its repositories
        here = wire.get(path_of(repo), lambda found: int(found["id"]))
        failed = [each for each in failed if each.repository in (None, here)]
    if not failed:
        return []
    arrived = {each.guid for each in _deliveries(wire, hook, as_app, since, "success") if each.arrived}
    tries = Counter(each.guid for each in failed)
    lost = [each for each in reversed(failed) if each.guid not in arrived and tries[each.guid] < _TRIES_MAX]
    return list({each.guid: each.id for each in lost}.values())[:_REPEATED_MAX]


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One entry of "List deliveries for a repository webhook"."""

    id: int
    guid: str
    at: datetime
    arrived: bool
    repository: int | None

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> _Attempt:
        at, status = datetime.fromisoformat(item["delivered_at"]), int(item["status_code"] or 0)
        return cls(int(item["id"]), str(item["guid"]), at, 200 <= status < 300, item.get("repository_id"))


def _deliveries(wire: Wire, hook: str, as_app: bool, since: datetime, status: str) -> Iterator[_Attempt]:
    """The attempts since then, newest first; an older server that knows no `status` lists them all."""
    query = {"per_page": str(PAGE), "status": status}
    for _ in range(_PAGES_MAX):
        path = f"{hook}/deliveries?{urlencode(query)}"
        _, headers, text = wire.ask("GET", path, write=False, as_app=as_app)
        items = wire.translated(lambda body: [_Attempt.of(item) for item in json.loads(body)], text)
        yield from (item for item in items if item.at >= since)
        following = _NEXT.search(str(headers.get("link", "")))
        cursor = parse_qs(urlsplit(following[1]).query).get("cursor") if following else None
        if not cursor or not items or items[-1].at < since:
            return
        query["cursor"] = cursor[0]
