"""What moved in a Zammad since the last look, by a search with a condition, which asks the database itself.

A change can become visible a little after one that is younger, so each look begins a while before the end of the last
one, and remembers what it told of that while.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.base import Event, TicketTouched, Unavailable, Watch
from integrations.http import HttpClient, moment, text_of
from integrations.zammad.answers import listed

SEARCH = "/api/v1/tickets/search"
_PAGE = 200  # the most that one page holds
_PAGES = 10  # in one look
_WHILE = timedelta(seconds=30)
_NEVER = datetime.fromtimestamp(0, UTC)


def look(http: HttpClient, watch: Watch) -> tuple[list[Event], Watch]:
    """The tickets updated since `watch`, oldest first; one request where there are none."""
    if not watch.state.get("at"):
        newest = _page(http, {"sort_by": "updated_at", "order_by": "desc", "per_page": 1, **_after(_NEVER)})
        at = max((moment(one.get("updated_at")) for one in newest), default=_NEVER)
        return [], Watch({"at": at.isoformat(), "told": json.dumps(sorted(_shown(one) for one in newest))})
    top, told = moment(watch.state["at"]), _told(watch)
    since = _after(top - _WHILE if watch.state.get("more") != "yes" else top)
    found: dict[str, Event] = {}
    lately: dict[str, datetime] = {}
    more = True
    for page in range(1, _PAGES + 1):
        tickets = _page(http, {"sort_by": "updated_at", "order_by": "asc", "per_page": _PAGE, "page": page, **since})
        for ticket in tickets:
            at, number = moment(ticket.get("updated_at")), text_of(ticket.get("number"))
            if number and _shown(ticket) not in told:
                found[number] = TicketTouched(number)
            lately[_shown(ticket)] = at
            top = max(top, at)
        more = len(tickets) >= _PAGE
        if not more:
            break
    kept = json.dumps(sorted(shown for shown, at in lately.items() if at > top - _WHILE))
    onward = Watch({"at": top.isoformat(), "told": kept, **({"more": "yes"} if more else {})})
    return list(found.values()), onward if found or more or watch.state.get("more") else watch


def _after(at: datetime) -> dict[str, str | int]:
    stamp = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    return {
        "condition[ticket.updated_at][operator]": "after (absolute)",
        "condition[ticket.updated_at][value]": stamp,
        "expand": "true",
    }


def _page(http: HttpClient, params: dict[str, str | int]) -> list[dict[str, Any]]:
    answer = http.get(SEARCH, params)
    if not isinstance(answer, list):
        raise Unavailable(http.service, "its answer is no list of tickets; is `url` right?", maybe_done=False)
    return listed(answer)


def _shown(ticket: dict[str, Any]) -> str:
    return f"{text_of(ticket.get('number'))} {text_of(ticket.get('updated_at'))}"


def _told(watch: Watch) -> set[str]:
    try:
        return {text_of(one) for one in json.loads(watch.state.get("told", "[]"))}
    except (ValueError, TypeError):
        return set()
