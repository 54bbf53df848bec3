"""What moved in a Zendesk account since the last look, newest first, by the list of its tickets.

The list shows a change at once; the incremental export, made for copying, leaves out the last minute and takes ten
requests a minute ("Using the Incremental Export API"). Times have whole seconds: what stands at the second of the last
look is told in the next one again. More than one look reads is gone on with in the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from integrations.base import Event, TicketTouched, Unavailable, Watch
from integrations.http import HttpClient, dicts, moment, text_of, whole

_PATH = "/api/v2/tickets.json"
_PAGE = 100
_PAGES = 5  # in one look
_NEVER = datetime.fromtimestamp(0, UTC)


def look(http: HttpClient, watch: Watch) -> tuple[list[Event], Watch]:
    """The tickets updated since `watch`; one request where there are none."""
    if not watch.state.get("at"):
        newest = _tickets(http, http.get(_PATH, {"page[size]": 1, "sort": "-updated_at"}))
        return [], Watch({"at": _stamp(max((moment(one.get("updated_at")) for one in newest), default=_NEVER))})
    since, again = moment(watch.state["at"]), "again" in watch.state
    top, after = moment(watch.state.get("top", watch.state["at"])), watch.state.get("after", "")
    found: dict[str, Event] = {}
    for _ in range(_PAGES):
        cursor: Mapping[str, str | int] = {"page[after]": after} if after else {}
        page = http.get(_PATH, {"page[size]": _PAGE, "sort": "-updated_at", **cursor})
        reached = False
        for ticket in _tickets(http, page):
            at, number = moment(ticket.get("updated_at")), str(whole(ticket.get("id")))
            reached = _NEVER < at < since or (at == since and not again)
            if reached:
                break
            if number != "0":
                found[number] = TicketTouched(number)
            top = max(top, at)
        after = "" if reached else _following(http, page)
        if not after:
            return list(found.values()), _onward(watch, since, top)
    return list(found.values()), Watch({**watch.state, "top": _stamp(top), "after": after})


def _onward(watch: Watch, since: datetime, top: datetime) -> Watch:
    if top > since:
        return Watch({"at": _stamp(top), "again": "yes"})
    return Watch({"at": watch.state["at"]})


def _tickets(http: HttpClient, page: Any) -> list[dict[str, Any]]:
    if not isinstance(page, dict) or not isinstance(page.get("tickets"), list):
        raise Unavailable(http.service, "its answer has no `tickets`; is `url` right?", maybe_done=False)
    return dicts(page, "tickets")


def _following(http: HttpClient, page: Any) -> str:
    """The cursor of the next page, "" after the last; an answer that tells neither is no end."""
    meta = page.get("meta")
    if isinstance(meta, dict) and meta.get("has_more") is False:
        return ""
    cursor = text_of(meta.get("after_cursor")) if isinstance(meta, dict) else ""
    if not cursor:
        raise Unavailable(http.service, "its list of tickets does not tell how it goes on", maybe_done=False)
    return cursor


def _stamp(at: datetime) -> str:
    return at.isoformat()
