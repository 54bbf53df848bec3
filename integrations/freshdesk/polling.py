"""A Freshdesk account's tickets by their last change, and what moved since the last look.

Each look begins a minute earlier, for what came into the list late, and leaves out what it told already. Times have
whole seconds, so what stands at the newest one is told in the next look again.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.base import Event, TicketTouched, Unavailable, Watch
from integrations.http import HttpClient, Params, dicts, moment, whole

PAGE = 100  # the most that one page holds
_PAGES = 10  # in one look
_LATE = timedelta(seconds=60)  # that a change may take to stand in the list
_EVER = datetime.fromtimestamp(0, UTC)


def look(http: HttpClient, watch: Watch) -> tuple[list[Event], Watch]:
    """The tickets updated since `watch`; one request where there are few."""
    if not watch.state.get("at"):
        newest = [moment(one.get("updated_at")) for one in listed(http, {}, "desc", 1)]
        return [], Watch({"at": _stamp(max(newest, default=_EVER))})
    since = moment(watch.state["at"])
    told: dict[str, str] = json.loads(watch.state.get("told", "{}"))
    found = _touched(http, max(since - _LATE, _EVER))
    top = max([since, *map(moment, found.values())])
    again = _stamp(since) if "again" in watch.state else ""
    events = [TicketTouched(number) for number, at in found.items() if told.get(number) != at or at == again]
    kept = {number: at for number, at in {**told, **found}.items() if moment(at) >= top - _LATE}
    state = {"at": _stamp(top), "told": json.dumps(kept, sort_keys=True)}
    return list(events), Watch({**state, "again": "yes"} if top > since else state)


def _touched(http: HttpClient, since: datetime) -> dict[str, str]:
    """When each ticket was last changed, of those changed since; at most 1,000.

    Each page is asked for from where the last one ended: numbered pages shift while tickets change.
    """
    found: dict[str, str] = {}
    page = 1
    for _ in range(_PAGES):
        lines = listed(http, {"updated_since": _stamp(since)}, "asc", PAGE, page)
        found |= {str(whole(one.get("id"))): _stamp(moment(one.get("updated_at"))) for one in lines}
        if len(lines) < PAGE:
            break
        reached = max(moment(one.get("updated_at")) for one in lines)
        since, page = (reached, 1) if reached > since else (since, page + 1)
    found.pop("0", None)
    return found


def listed(http: HttpClient, asked: Params, order: str, most: int, page: int = 1) -> list[dict[str, Any]]:
    """Tickets by their last change. Without `updated_since`, the list ends 30 days ago ("List All Tickets")."""
    params = {"updated_since": _stamp(_EVER), "order_by": "updated_at", "order_type": order, **asked}
    return objects(http, http.get("/api/v2/tickets", {**params, "per_page": most, "page": page}), "tickets")


def objects(http: HttpClient, answer: Any, what: str) -> list[dict[str, Any]]:
    """The objects of an answer that is a list; Unavailable where it is none."""
    if not isinstance(answer, list):
        raise Unavailable(http.service, f"its answer is no list of {what}; is `url` right?", maybe_done=False)
    return dicts({what: answer}, what)


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
