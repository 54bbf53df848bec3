"""What moved in RT since the last look, by the numbers of its transactions.

They grow, tell apart what happened within one second, and know no time zones. But the one with the smaller number may
be seen later, since RT writes a mail's transaction down only once its scrips are done: what happened in the last minute
is looked at again, and told once. Comments are left out, since what we may not see would leave holes in a page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from integrations.base import Event, TicketTouched, Unavailable, Watch
from integrations.http import HttpClient, moment, whole
from integrations.rt.lists import PAGE, page

_SETTLED = timedelta(seconds=60)
_MOST_TOLD = 1_000  # of the last minute, that are kept
_PAGES = 20  # in one look
_UNTOLD = ("Comment", "CommentEmailRecord", "EmailRecord", "CustomField")
_ALL = " AND ".join(["ObjectType = 'RT::Ticket'", *(f"Type != '{kind}'" for kind in _UNTOLD)])
_NEVER = datetime.fromtimestamp(0, UTC)


def look(http: HttpClient, watch: Watch) -> tuple[list[Event], Watch]:
    """The tickets that something happened to since `watch`, comments aside; one request where nothing did."""
    if "after" not in watch.state:
        newest = _transactions(http, {"query": _ALL, "orderby": "id", "order": "DESC"})
        floor = min(newest) - 1 if len(newest) == PAGE else 0
        return [], Watch(_state(floor, newest))
    after = whole(watch.state["after"])
    told = {whole(number) for number in watch.state.get("told", "").split(",")}
    found: dict[int, tuple[int, datetime]] = {}
    reached = after
    for _ in range(_PAGES):
        query = f"{_ALL} AND id > {reached}"
        some = _transactions(http, {"query": query, "orderby": "id", "order": "ASC"})
        found |= some
        reached = max(some, default=reached)
        if len(some) < PAGE:
            break
    events: list[Event] = [TicketTouched(str(ticket)) for ticket in _tickets(found, told)]
    return events, Watch(_state(after, found)) if found else watch


def _tickets(found: Mapping[int, tuple[int, datetime]], told: set[int]) -> Iterable[int]:
    return dict.fromkeys(ticket for number, (ticket, _) in found.items() if number not in told)


def _state(after: int, found: Mapping[int, tuple[int, datetime]]) -> dict[str, str]:
    newest = max((at for _, at in found.values()), default=_NEVER)
    settled = [number for number, (_, at) in found.items() if _NEVER < at <= newest - _SETTLED]
    after = max([after, *settled, *sorted(found)[:-_MOST_TOLD][-1:]])
    return {"after": str(after), "told": ",".join(str(number) for number in sorted(found) if number > after)}


def _transactions(http: HttpClient, params: Mapping[str, str]) -> dict[int, tuple[int, datetime]]:
    found: dict[int, tuple[int, datetime]] = {}
    for item in page(http, "/transactions", {**params, "fields": "ObjectId,Created"}):
        number, ticket = whole(item.get("id")), whole(item.get("ObjectId"))
        if not number or not ticket:
            raise Unavailable(http.service, "its list of transactions does not tell of which tickets", maybe_done=False)
        found[number] = (ticket, moment(item.get("Created")))
    return found
