"""A stand-in for Zammad: the part of its REST interface that the adapter uses, as its documentation and source have it.

What it keeps of the real one's traps: the id in an address is not the number, what a customer's token writes is public
and called a customer's, a merged ticket loses its articles, searches for words find nothing that is new, a pending
state needs a time, speaking for others needs a permission of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request as Asked
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from integrations.testing.desk_records import File, Person, Records, Request, Status, Written
from integrations.testing.desk_world import Handler, StandIn, guarded

TOKEN = "zammad-sandbox"
APART = 4_000  # how far a ticket's number is from its id
STATES = [("new", "new"), ("open", "open"), ("pending reminder", "pending reminder"), ("closed", "closed")]
STATES += [("merged", "merged"), ("removed", "removed"), ("pending close", "pending action")]
SHOWN: dict[Status, str] = {"open": "open", "held": "pending reminder", "solved": "closed", "closed": "closed"}
Row = dict[str, Any]


class Moved(Records):
    """Records in which a merge takes the articles along."""

    def merge(self, number: int | str, into: int | str) -> None:
        super().merge(number, into)
        source, target = self.request(number), self.request(into)
        target.messages += source.messages
        source.messages = [Written(self.new_id(), self.ana, True, "merged", False, self.now())]


def id_of(request: Request) -> int:
    return request.number - APART


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


class ZammadStandIn(StandIn):
    """Zammad as one account's token sees it."""

    agent = True  # what that account is
    speaks_for_others: int = 0  # the status that refuses the header `From`; 0: the token has `admin.user`

    def __init__(self) -> None:
        super().__init__()
        self.empty()

    def empty(self) -> None:
        super().empty()
        self.records = Moved()
        self.agent, self.speaks_for_others = True, 0
        self.attributes: dict[int, Row] = {}  # what administrators added, by the id of its owner

    def app(self) -> Starlette:
        table: list[tuple[str, str, Handler]] = [
            ("GET", "/users/me", self._me),
            ("GET", "/users/search", self._find_people),
            ("GET", "/users/{id:int}", self._show_person),
            ("GET", "/organizations/{id:int}", self._show_organisation),
            ("GET", "/ticket_states", self._list_states),
            ("GET", "/tickets/search", self._search),
            ("GET", "/tickets/{id:int}", self._show),
            ("PUT", "/tickets/{id:int}", self._change),
            ("GET", "/ticket_history/{id:int}", self._history),
            ("GET", "/ticket_articles/by_ticket/{id:int}", self._articles),
            ("POST", "/ticket_articles", self._write),
            ("GET", "/ticket_attachment/{id:int}/{article:int}/{file:int}", self._file),
            ("GET", "/tags", self._tags),
            ("POST", "/tags/add", self._tag),
        ]
        key = f"Token token={TOKEN}"
        routes = [Route(f"/api/v1{path}", guarded(do, key), methods=[method]) for method, path, do in table]
        return Starlette(routes=routes, exception_handlers={HTTPException: _refused})

    # --- people -------------------------------------------------------------------------------------------------------

    def _person(self, person: Person) -> Row:
        first, _, last = person.name.partition(" ")
        works = person.role == "agent" or (person.role == "ours" and self.agent)
        row: Row = {
            "id": person.id,
            "active": True,
            "login": person.email,
            "firstname": first,
            "lastname": last,
            "email": person.email,
            "organization_id": self._organisation_id(person),
            "preferences": {"locale": f"{person.language}-{person.language}"} if person.language else {},
            "role_ids": [2 if works else 3],
            "group_ids": {"1": ["full"]} if works else {},
            "organization": person.organisation or None,
            "roles": ["Agent" if works else "Customer"],
        }
        return row | self.attributes.get(person.id, {})

    def _organisation_id(self, person: Person) -> int | None:
        names = sorted({one.organisation for one in self.records.people.values() if one.organisation})
        return 50 + names.index(person.organisation) if person.organisation else None

    async def _me(self, asked: Asked) -> Response:
        return JSONResponse(self._person(self._writer(asked)))

    async def _find_people(self, asked: Asked) -> Response:
        """By parts of names and addresses, as a search does."""
        wanted = asked.query_params.get("query", "").lower()
        found = [one for one in self.records.people.values() if wanted in f"{one.name} {one.email}".lower()]
        return JSONResponse([self._person(one) for one in found])

    async def _show_person(self, asked: Asked) -> Response:
        found = self.records.people.get(asked.path_params["id"])
        if found is None:
            raise HTTPException(404, f"Couldn't find User with 'id'={asked.path_params['id']}")
        return JSONResponse(self._person(found))

    async def _show_organisation(self, asked: Asked) -> Response:
        for person in self.records.people.values():
            if self._organisation_id(person) == asked.path_params["id"]:
                return JSONResponse({"id": asked.path_params["id"], "name": person.organisation, "plan": person.plan})
        raise HTTPException(404, "Couldn't find Organization")

    # --- tickets ------------------------------------------------------------------------------------------------------

    def _asked(self, asked: Asked) -> Request:
        return self._by_id(asked.path_params["id"])

    def _by_id(self, ticket: Any) -> Request:
        try:
            return self.records.request(int(ticket) + APART)
        except (LookupError, ValueError, TypeError):
            raise HTTPException(404, f"Couldn't find Ticket with 'id'={ticket}") from None

    def _ticket(self, request: Request) -> Row:
        owner = request.assignee
        state = "merged" if request.merged_into else request.extra.get("state", SHOWN.get(request.status, "open"))
        row: Row = {
            "id": id_of(request),
            "group_id": 1,
            "state_id": [name for name, _ in STATES].index(state) + 1,
            "organization_id": self._organisation_id(request.customer),
            "number": str(request.number),
            "title": request.subject,
            "owner_id": owner.id if owner else 1,
            "customer_id": request.customer.id,
            "preferences": {},
            "pending_time": request.extra.get("pending_time"),
            "created_at": stamp(request.created_at),
            "updated_at": stamp(request.updated_at),
            "article_ids": [written.id for written in request.messages],
            "state": state,
            "owner": owner.email if owner else "-",
            "customer": request.customer.email,
        }
        return row | self.attributes.get(id_of(request), {})

    async def _list_states(self, asked: Asked) -> Response:
        rows = [
            {"id": at, "name": name, "state_type": kind, "active": True} for at, (name, kind) in enumerate(STATES, 1)
        ]
        return JSONResponse(rows)

    async def _show(self, asked: Asked) -> Response:
        return JSONResponse(self._ticket(self._asked(asked)))

    async def _search(self, asked: Asked) -> Response:
        """By conditions alone: the index of words lags, so here it never has anything."""
        query = asked.query_params
        conditions = re.findall(r"condition\[([a-z_.]+)\]\[operator\]", "\n".join(query))
        rows = [self._ticket(request) for request in self.records.listed()] if conditions else []
        for name in conditions:
            operator, value = query[f"condition[{name}][operator]"], query.get(f"condition[{name}][value]", "")
            rows = [row for row in rows if _fits(row, name, operator, value)]
        rows.sort(key=lambda row: row[query.get("sort_by", "updated_at")], reverse=query.get("order_by") == "desc")
        size = min(int(query.get("per_page", 50)), 200)
        start = (int(query.get("page", 1)) - 1) * size
        return JSONResponse(rows[start : start + size])

    async def _change(self, asked: Asked) -> Response:
        request, wanted = self._asked(asked), await asked.json()
        if wanted.get("state") not in [name for name, _ in STATES]:
            raise HTTPException(422, f"No lookup value found for 'state': {wanted.get('state')!r}")
        if wanted["state"].startswith("pending") and not wanted.get("pending_time"):
            raise HTTPException(422, "Missing required value for field 'pending_time'!")
        known: dict[str, Status] = {"open": "open", "pending reminder": "held", "closed": "solved"}
        self.records.set_status(request.number, known.get(wanted["state"], "open"))
        request.extra = {"pending_time": wanted.get("pending_time", "")}
        return JSONResponse(self._ticket(request))

    async def _history(self, asked: Asked) -> Response:
        request = self._asked(asked)
        rows: list[Row] = [{"id": 1, "o_id": id_of(request), "object": "Ticket", "type": "created"}]
        if request.merged_into:
            about = {"id_from": id_of(request), "id_to": request.merged_into - APART}
            rows.append({"id": 2, "o_id": id_of(request), "object": "Ticket", "type": "merged_into", **about})
        return JSONResponse({"history": rows, "assets": {}})

    # --- articles -----------------------------------------------------------------------------------------------------

    def _article(self, request: Request, written: Written) -> Row:
        author = written.author
        to = request.customer.email if written.public and author.role != "customer" else ""
        at, body, listed = f"/api/v1/ticket_attachment/{id_of(request)}/{written.id}", written.text, []
        for file in written.files:  # a picture in the text is shown there, and listed no more
            if written.html and f"cid:{file.name}" in body:
                body = body.replace(f"cid:{file.name}", f"{at}/{file.id}?view=inline")
            else:
                listed.append(_attached(file))
        return {
            "id": written.id,
            "ticket_id": id_of(request),
            "type": written.extra.get("type", "email" if written.public else "note"),
            "sender": written.extra.get("sender", "Customer" if author.role == "customer" else "Agent"),
            "from": written.extra.get("from", f"{author.name} <{author.email}>"),
            "to": written.extra.get("to", to),
            "cc": written.extra.get("cc"),
            "subject": written.extra.get("subject", request.subject),
            "body": body,
            "content_type": "text/html" if written.html else "text/plain",
            "internal": not written.public,
            "preferences": json.loads(written.extra.get("preferences", "{}")),
            "attachments": listed,
            "origin_by_id": None,
            "created_by_id": int(written.extra.get("created_by_id", author.id)),
            "created_by": author.email,
            "created_at": stamp(written.at),
            "updated_at": stamp(written.at),
        }

    async def _articles(self, asked: Asked) -> Response:
        request = self._asked(asked)
        return JSONResponse([self._article(request, written) for written in request.messages])

    async def _write(self, asked: Asked) -> Response:
        wanted = await asked.json()
        request = self._by_id(wanted.get("ticket_id"))
        if not wanted.get("body"):
            raise HTTPException(422, 'Need at least article: { body: "some text" }')
        written = self.write(request, self._writer(asked), wanted)
        return JSONResponse(self._article(request, written), 201)

    def _writer(self, asked: Asked) -> Person:
        named = asked.headers.get("from") or asked.headers.get("x-on-behalf-of")
        if not named:
            return self.records.ours
        if self.speaks_for_others:
            raise HTTPException(self.speaks_for_others, "Current user has no permission to use 'From'!")
        for person in self.records.people.values():
            if named in (str(person.id), person.email):
                return person
        raise HTTPException(403, f"No such user '{named}'")

    def write(self, request: Request, author: Person, wanted: Mapping[str, Any]) -> Written:
        """An article over the API; what a customer writes is public and theirs, whatever else it asks for."""
        customer = author.role == "customer" or (author is self.records.ours and not self.agent)
        extra = {key: str(wanted[key]) for key in ("type", "to", "subject") if wanted.get(key)}
        extra["preferences"] = json.dumps(wanted.get("preferences") or {})
        extra["sender"] = "Customer" if customer else str(wanted.get("sender", "Agent"))
        html = wanted.get("content_type") == "text/html"
        public = customer or wanted.get("internal") is False
        return self.records.write(request.number, author, wanted["body"], public=public, html=html, extra=extra)

    async def _file(self, asked: Asked) -> Response:
        request = self._asked(asked)
        for written in request.messages:
            for file in written.files:
                if (written.id, file.id) == (asked.path_params["article"], asked.path_params["file"]):
                    return Response(file.content, media_type=file.content_type)
        raise HTTPException(403, "The file does not belong to the specified article.")

    # --- tags ---------------------------------------------------------------------------------------------------------

    async def _tags(self, asked: Asked) -> Response:
        if not self.agent:
            raise HTTPException(403, "Not authorized")
        return JSONResponse({"tags": self._by_id(asked.query_params.get("o_id")).tags})

    async def _tag(self, asked: Asked) -> Response:
        wanted = await asked.json()
        self.records.tag(self._by_id(wanted.get("o_id")).number, [wanted["item"]])
        return JSONResponse(True, 201)


def _fits(row: Row, name: str, operator: str, value: str) -> bool:
    column = name.removeprefix("ticket.")
    if column not in row or operator not in ("is", "after (absolute)"):
        raise HTTPException(422, f"Invalid condition {name} {operator}")
    return bool(str(row[column]) == value if operator == "is" else str(row[column]) >= value)


def _attached(file: File) -> Row:
    kept = {"Content-Type": file.content_type, "Mime-Type": file.content_type}
    return {"id": file.id, "filename": file.name, "size": str(len(file.content)), "preferences": kept}


def _refused(asked: Asked, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return JSONResponse({"error": "Internal error"}, 500)
    return JSONResponse({"error": error.detail}, error.status_code)
