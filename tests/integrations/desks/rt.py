"""A stand-in for Request Tracker 5: its REST interface as version 5.0.3 answers it to a user who is no superuser.

Held against the real server by tests/real/test_rt.py. What it keeps of the real one's traps: refused updates are 200
with a sentence, custom fields that are not known are left out without a word, a deleted ticket takes messages, counts
are null, an attachment's `Parent` breaks the answer, values are compared without regard to case.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request as Asked
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from integrations.testing.desk_records import File, Person, Records, Request, Status, Written
from integrations.testing.desk_world import Handler, StandIn, guarded
from tests.integrations.desks.search import BadQuery, holds

TOKEN = "rt-sandbox"
MARKS = "Passerelle"
UNREADABLE = "charset"  # in a message's `extra`: it came in a charset that RT does not know
STATUSES: dict[Status, str] = {
    "open": "open",
    "held": "stalled",
    "solved": "resolved",
    "spam": "rejected",
    "closed": "resolved",
}
ALSO = "also"  # in a message's `extra`: HTML that follows its text within the mail
ROOT = 7_000_000  # added to a message's id: the row that holds its parts together
Row = dict[str, Any]


@dataclass(slots=True)
class Turn:
    """A transaction."""

    id: int
    ticket: Request
    type: str
    creator: Person
    at: datetime
    written: Written | None = None


class Ledger(Records):
    """Records of which each change is a transaction."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self.swallowed: list[str] = []  # what was written to a deleted ticket
        super().__init__()

    def open(self, subject: str, body: str, **how: Any) -> Request:
        made = super().open(subject, body, **how)
        self._turn(made, "Create", made.messages[0])
        return made

    def write(self, number: int | str, author: Person, text: str, **how: Any) -> Written:
        made = super().write(number, author, text, **how)
        self._turn(self.request(number), "Correspond" if made.public else "Comment", made)
        return made

    def touch(self, number: int | str) -> Request:
        request = super().touch(number)
        self.turns.append(Turn(self.new_id(), request, "Set", self.ana, request.updated_at))
        return request

    def _turn(self, request: Request, type_: str, written: Written) -> None:
        self.turns.append(Turn(written.id, request, type_, written.author, written.at, written))


def login(person: Person) -> str:
    """What RT calls people: customers, whom it met by mail, by their address."""
    return person.email if person.role == "customer" else person.email.partition("@")[0]


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


class RTStandIn(StandIn):
    """RT as the user `bot` sees it."""

    records: Ledger

    def __init__(self) -> None:
        super().__init__()
        self.empty()

    def empty(self) -> None:
        super().empty()
        self.records = Ledger()
        self.fields = {MARKS: "RT::Queue-RT::Ticket-RT::Transaction", "Tags": "RT::Queue-RT::Ticket"}
        self.lacking: set[str] = set()  # links that this user does not get
        self.hidden: set[int] = set()  # transactions that it may not see: left out of a page, once that was cut
        self.keeps = True  # whether this user may set custom fields of transactions
        self.bound = False  # whether the lifecycle lets nobody set a status
        self.nobody = False  # whether tickets have no requestor

    def app(self) -> Starlette:
        table: list[tuple[str, str, Handler]] = [
            ("GET", "/rt", self._version),
            ("GET", "/queues/all", self._queues),
            ("GET", "/customfields", self._custom_fields),
            ("GET", "/ticket/{id:int}", self._ticket),
            ("PUT", "/ticket/{id:int}", self._update),
            ("POST", "/ticket/{id:int}/{how}", self._message),
            ("GET", "/ticket/{id:int}/history", self._history),
            ("GET", "/ticket/{id:int}/attachments", self._attachments_of),
            ("GET", "/attachments", self._attachments),
            ("GET", "/attachment/{id:int}", self._attachment),
            ("GET", "/transaction/{id:int}", self._transaction),
            ("GET", "/transactions", self._transactions),
            ("GET", "/tickets", self._tickets),
            ("GET", "/user/{name}", self._user),
        ]
        routes = [
            Route(f"/REST/2.0{path}", guarded(do, f"token {TOKEN}"), methods=[method]) for method, path, do in table
        ]
        return Starlette(routes=routes, exception_handlers={HTTPException: _refused})

    # --- who and what there is ----------------------------------------------------------------------------------------

    async def _version(self, asked: Asked) -> Response:
        return JSONResponse({"Version": "5.0.3"})

    async def _queues(self, asked: Asked) -> Response:
        return self._list(asked, [{"id": "1", "type": "queue"}], counted=True)

    async def _custom_fields(self, asked: Asked) -> Response:
        rows = [
            {"id": str(at), "Name": name, "LookupType": of, "Disabled": "0"}
            for at, (name, of) in enumerate(self.fields.items(), 1)
        ]
        return self._list(asked, self._limited(asked, rows))

    async def _user(self, asked: Asked) -> Response:
        for person in self.records.people.values():
            if login(person) == asked.path_params["name"]:
                shown = {"Name": login(person), "RealName": person.name, "EmailAddress": person.email}
                return JSONResponse({**shown, "Privileged": int(person.role != "customer")})
        raise HTTPException(404, "Not Found")

    # --- tickets ------------------------------------------------------------------------------------------------------

    def _effective(self, request: Request) -> Request:
        while request.merged_into is not None:
            request = self.records.requests[request.merged_into]
        return request

    def _asked(self, asked: Asked) -> Request:
        found = self.records.requests.get(asked.path_params["id"])
        if found is None:
            raise HTTPException(404, "Not Found")
        return self._effective(found)

    def _status(self, request: Request) -> str:
        if request.deleted:
            return "deleted"
        is_new = request.status == "open" and len(request.messages) == 1 and "opened" not in request.extra
        return "new" if is_new else STATUSES[request.status]

    async def _ticket(self, asked: Asked) -> Response:
        request = self._asked(asked)
        wanted = asked.query_params.get("fields[Owner]", "")
        shown = self._row(request)
        owner = {"id": login(request.assignee) if request.assignee else "Nobody", "type": "user"}
        if "EmailAddress" in wanted.split(","):
            owner["EmailAddress"] = request.assignee.email if request.assignee else ""
        links = [{"ref": ref} for ref in ("history", "correspond", "comment") if ref not in self.lacking]
        requestors = [] if self.nobody else [{"id": login(request.customer), "type": "user"}]
        return JSONResponse({**shown, "Owner": owner, "Requestor": requestors, "_hyperlinks": links})

    def _row(self, request: Request) -> Row:
        return {
            "id": request.number,
            "Type": "ticket",
            "EffectiveId": {"id": str(request.number), "type": "ticket"},
            "Subject": request.subject,
            "Status": self._status(request),
            "Created": stamp(request.created_at),
            "LastUpdated": stamp(request.updated_at),
            "CustomFields": [{"id": "2", "name": "Tags", "type": "customfield", "values": request.tags}],
        }

    async def _update(self, asked: Asked) -> Response:
        request, changes = self._asked(asked), await _json(asked)
        said = []
        if "Status" in changes and changes["Status"] != self._status(request):
            ours = next((ours for ours, theirs in STATUSES.items() if theirs == changes["Status"]), None)
            if ours is None or self.bound:
                said.append(
                    f"Ticket {request.number}: Status '{changes['Status']}' isn't a valid status for this ticket."
                )
            else:
                self.records.set_status(request.number, ours)
                request.extra["opened"] = "yes"
                said.append(f"Ticket {request.number}: Status changed")
        for name, values in (changes.get("CustomFields") or {}).items():
            if name in self.fields:
                self.records.touch(request.number).tags[:] = values
                said.append(f"{values[-1]} added as a value for {name}")
        return JSONResponse(said)

    async def _message(self, asked: Asked) -> Response:
        how, body = asked.path_params["how"], await _json(asked)
        request = self.records.requests.get(asked.path_params["id"])
        if how not in ("comment", "correspond"):
            raise HTTPException(404, "Not Found")
        if body.get("Content") and not body.get("ContentType"):
            raise HTTPException(400, "ContentType is a required field for application/json")
        if request is None:
            raise HTTPException(400, "Message could not be recorded")
        given = body.get("TxnCustomFields") or {}
        known = {name: value for name, value in given.items() if name in self.fields}
        said = ["Comments added" if how == "comment" else "Correspondence added"]
        said += ["Custom fields updated"] if known else []  # also where that was denied
        said += [f"Unable to load transaction custom field: {name}" for name in given if name not in known]
        if request.deleted:
            self.records.swallowed.append(body.get("Content", ""))
            return JSONResponse(said, 201, {"Location": "/REST/2.0/transaction/1"})
        number, ours = self._effective(request).number, self.records.ours
        made = self.records.write(
            number, ours, body.get("Content", ""), public=how == "correspond", extra=known if self.keeps else {}
        )
        return JSONResponse(said, 201, {"Location": f"/REST/2.0/transaction/{made.id}"})

    async def _tickets(self, asked: Asked) -> Response:
        rows = []
        for request in self.records.listed():
            if request.merged_into is None:
                person = request.customer
                row = self._row(request) | {"id": str(request.number), "Requestor": [self._requestor(person)]}
                rows.append(
                    (row, {"Requestor.EmailAddress": person.email, "Status": row["Status"], "id": request.number})
                )
        found = [row for row, values in rows if self._matches(asked, values)]
        keys = asked.query_params.getlist("orderby")
        for key, order in reversed(list(zip(keys, asked.query_params.getlist("order"), strict=True))):
            found.sort(key=lambda row: int(row[key]) if key == "id" else row[key], reverse=order == "DESC")
        return self._list(asked, found, counted=True)

    def _requestor(self, person: Person) -> Row:
        plan = {"id": "4", "name": "Plan", "type": "customfield", "values": [person.plan] if person.plan else []}
        return {
            "id": login(person),
            "type": "user",
            "RealName": person.name,
            "EmailAddress": person.email,
            "Organization": person.organisation,
            "Lang": person.language,
            "CustomFields": [plan],
        }

    # --- conversations ------------------------------------------------------------------------------------------------

    async def _history(self, asked: Asked) -> Response:
        request = self.records.requests.get(asked.path_params["id"])
        turns = [turn for turn in self.records.turns if request and self._effective(turn.ticket) is self._asked(asked)]
        return self._list(asked, [self._turn(turn) for turn in turns])

    async def _transactions(self, asked: Asked) -> Response:
        newest_first = asked.query_params.get("order") == "DESC"
        turns = sorted(self.records.turns, key=lambda turn: turn.id, reverse=newest_first)
        rows = []
        for turn in turns:
            values = {
                "id": turn.id,
                "ObjectType": "RT::Ticket",
                "TicketId": turn.ticket.number,
                "Type": turn.type,
                "Creator": login(turn.creator),
            }
            extra = turn.written.extra if turn.written else {}
            marks = {f"CF.{{{name}}}": extra.get(name, "") for name in self.fields}
            if self._matches(asked, values | marks):
                rows.append(self._turn(turn))
        return self._list(asked, rows)

    async def _transaction(self, asked: Asked) -> Response:
        for turn in self.records.turns:
            if turn.id == asked.path_params["id"]:
                return JSONResponse(self._turn(turn))
        raise HTTPException(404, "Not Found")

    def _turn(self, turn: Turn) -> Row:
        mark = turn.written.extra.get(MARKS) if turn.written else None
        creator = {"RealName": turn.creator.name, "EmailAddress": turn.creator.email}
        return {
            "id": str(turn.id),
            "type": "transaction",
            "Type": turn.type,
            "ObjectId": str(turn.ticket.number),
            "Created": stamp(turn.at),
            "Creator": {"id": login(turn.creator), "type": "user", **creator},
            "CustomFields": [{"id": "1", "name": MARKS, "values": [mark] if mark else []}],
        }

    def _parts(self, written: Written) -> Iterable[Row]:
        kind = "text/html" if written.html else "text/plain"
        if UNREADABLE in written.extra:
            yield {
                **self._part(written, written.id, "application/octet-stream", written.text.encode()),
                "Headers": f"Subject: x\nX-RT-Original-Content-Type: {kind}\nX-RT-Interface: Email",
            }
            return
        if written.files or ALSO in written.extra:
            yield self._part(written, ROOT + written.id, "multipart/mixed", b"")
        yield self._part(written, written.id, kind, written.text.encode())
        for file in written.files:
            yield self._part(written, file.id, file.content_type, file.content, file)
        if ALSO in written.extra:
            yield self._part(written, ROOT + 1 + written.id, "text/html", written.extra[ALSO].encode())

    def _part(self, written: Written, id_: int, kind: str, content: bytes, file: File | None = None) -> Row:
        return {
            "id": str(id_),
            "type": "attachment",
            "TransactionId": str(written.id),
            "ContentType": kind,
            "Filename": file.name if file else "",
            "ContentLength": str(len(content)),
            "Content": content.decode("utf-8", "replace"),
        }

    async def _attachments_of(self, asked: Asked) -> Response:
        request = self._asked(asked)
        turns = [turn for turn in self.records.turns if turn.written and self._effective(turn.ticket) is request]
        return self._list(asked, [part for turn in turns if turn.written for part in self._parts(turn.written)])

    async def _attachments(self, asked: Asked) -> Response:
        turns = [turn for turn in self.records.turns if turn.written]
        rows = [part for turn in turns if turn.written for part in self._parts(turn.written)]
        return self._list(asked, self._limited(asked, rows))

    async def _attachment(self, asked: Asked) -> Response:
        try:
            file = self.records.attachment(asked.path_params["id"])
        except LookupError:
            raise HTTPException(404, "Not Found") from None
        content = base64.encodebytes(file.content).decode()
        return JSONResponse(
            {"id": file.id, "Filename": file.name, "ContentType": file.content_type, "Content": content}
        )

    # --- lists --------------------------------------------------------------------------------------------------------

    def _matches(self, asked: Asked, values: Mapping[str, Any]) -> bool:
        try:
            return holds(asked.query_params.get("query", ""), values, {"__CurrentUser__": login(self.records.ours)})
        except BadQuery as error:
            raise HTTPException(400, str(error)) from None

    def _limited(self, asked: Asked, rows: list[Row]) -> list[Row]:
        """Those that fit a query in JSON: values of one field are alternatives."""
        wanted: dict[str, set[str]] = {}
        for limit in json.loads(asked.query_params.get("query", "[]")):
            wanted.setdefault(limit["field"], set()).add(limit["value"])
        return [row for row in rows if all(row[name] in values for name, values in wanted.items())]

    def _list(self, asked: Asked, rows: list[Row], counted: bool = False) -> Response:
        size = int(asked.query_params.get("per_page", "20"))
        at = int(asked.query_params.get("page", "1"))
        names = [name for name in asked.query_params.get("fields", "").split(",") if name]
        if "Parent" in names:
            raise HTTPException(500, "")
        some = [row for row in rows[(at - 1) * size : at * size] if int(row["id"]) not in self.hidden]
        items = [{name: row.get(name, "") for name in ("id", "type", *names)} for row in some]
        total = len(rows) if counted else None
        return JSONResponse({"items": items, "count": len(items), "page": at, "per_page": size, "total": total})


async def _json(asked: Asked) -> Row:
    try:
        body = json.loads(await asked.body())
    except ValueError:
        body = None
    if not isinstance(body, dict) or not re.match("application/json", asked.headers.get("content-type", "")):
        raise HTTPException(400, "JSON object must be a HASH")
    return body


def _refused(asked: Asked, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"message": error.detail}, error.status_code) if error.detail else Response(b"", 500)
