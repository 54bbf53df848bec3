"""A Freshdesk account's tickets by their last change, and what moved since the last look."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from integrations import polling
from integrations.base import Event, Unavailable, Watch
from integrations.http import HttpClient, Params, dicts, moment, whole

PAGE = 100  # the most that one page holds
_STEPS = 10  # pages in one look, but for those that go on within one second
_MOST = 300  # pages that Freshdesk counts ("Pagination")
_LATE = timedelta(seconds=60)  # that a change may take to stand in the list


def look(http: HttpClient, watch: Watch) -> tuple[list[Event], Watch]:
    """The tickets updated since `watch`; one request where there are few."""

    def newest() -> datetime:
        return max((_updated(one) for one in listed(http, {}, "desc", 1)), default=polling.EVER)

    return polling.look(watch, newest, lambda since: _changed(http, since), _LATE)


def _changed(http: HttpClient, since: datetime) -> tuple[dict[str, datetime], bool]:
    """When each ticket was last changed, of those changed since, and whether there are more; about 1,000.

    Each page is asked for from where the last one ended: numbered pages shift while tickets change.
    """
    found: dict[str, datetime] = {}
    page, steps, more = 1, 0, True
    while more and steps < _STEPS and page <= _MOST:
        lines = listed(http, {"updated_since": _stamp(since)}, "asc", PAGE, page)
        found |= {str(whole(one.get("id"))): _updated(one) for one in lines}
        more = len(lines) >= PAGE
        reached = max(map(_updated, lines), default=since)
        since, page, steps = (reached, 1, steps + 1) if reached > since else (since, page + 1, steps)
    found.pop("0", None)
    return found, more


def listed(http: HttpClient, asked: Params, order: str, most: int, page: int = 1) -> list[dict[str, Any]]:
    """Tickets by their last change. Without `updated_since`, the list ends 30 days ago ("List All Tickets")."""
    params = {"updated_since": _stamp(polling.EVER), "order_by": "updated_at", "order_type": order, **asked}
    return objects(http, http.get("/api/v2/tickets", {**params, "per_page": most, "page": page}), "tickets")


def objects(http: HttpClient, answer: Any, what: str) -> list[dict[str, Any]]:
    """The objects of an answer that is a list; Unavailable where it is none."""
    if not isinstance(answer, list):
        raise Unavailable(http.service, f"its answer is no list of {what}; is `url` right?", maybe_done=False)
    return dicts({what: answer}, what)


def _updated(raw: dict[str, Any]) -> datetime:
    return moment(raw.get("updated_at"))


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
