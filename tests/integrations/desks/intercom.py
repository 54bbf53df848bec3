"""A stand-in for Intercom's REST API 2.14: its objects, searches, cursors and errors over the neutral records.

Pages: developers.intercom.com, the same that `integrations/intercom` names.
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request as Asked
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from integrations.testing.desk_records import File, Person, Request, Written
from integrations.testing.desk_world import StandIn

TOKEN = "ic-sandbox"
WORKSPACE = "ws1acme"
MOST_PARTS = 500
STATES = {"open": "open", "held": "snoozed", "solved": "closed", "closed": "closed", "spam": "open"}
MANY = 1_000_000
Handler = Callable[[Asked], Awaitable[Response]]
Json = dict[str, Any]


class IntercomStandIn(StandIn):
    """Of HTML it keeps what it can show: no attribute but a link's address, no comments, no scripts."""

    def __init__(self) -> None:
        self.left = MANY  # requests in this window
        self.seatless: list[Person] = []
        self.tags: dict[str, str] = {}
        super().__init__()

    def empty(self) -> None:
        super().empty()
        self.left, self.seatless, self.tags = MANY, [], {}

    def app(self) -> ASGIApp:
        table: list[tuple[str, str, Handler]] = [
            ("GET", "/me", self._me),
            ("GET", "/admins", self._admins),
            ("GET", "/admins/{id:int}", self._admin),
            ("GET", "/contacts/{id}", self._contact),
            ("POST", "/contacts/search", self._find_contacts),
            ("GET", "/companies/{id}", self._company),
            ("POST", "/conversations/search", self._find),
            ("GET", "/conversations/{number:int}", self._conversation),
            ("POST", "/conversations/{number:int}/reply", self._reply),
            ("POST", "/conversations/{number:int}/parts", self._manage),
            ("POST", "/conversations/{number:int}/tags", self._attach_tag),
            ("POST", "/tags", self._make_tag),
        ]
        routes = [Route(path, self._guarded(handler), methods=[method]) for method, path, handler in table]
        routes.append(Route("/i/o/{id:int}/{name}", self._file))
        return Starlette(routes=routes, exception_handlers={HTTPException: _refused})

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: Asked) -> Response:
            limits = {"X-RateLimit-Limit": str(MANY), "X-RateLimit-Reset": str(int(time.time()) + 10)}
            if request.headers.get("authorization") != f"Bearer {TOKEN}":
                return _errors(401, "unauthorized", "Access Token Invalid")
            if self.left <= 0:
                refusal = _errors(429, "rate_limit_exceeded", "Exceeded rate limit of 1000 in 10_seconds")
                refusal.headers.update(limits)
                return refusal
            self.left -= 1
            answer = await handler(request)
            answer.headers.update(limits)
            return answer

        return guarded

    # --- people -------------------------------------------------------------------------------------------------------

    async def _me(self, request: Asked) -> Response:
        app = {"type": "app", "id_code": WORKSPACE, "name": "Acme", "region": "EU"}
        return JSONResponse(self._staff(self.records.ours) | {"email_verified": True, "app": app})

    def _staff(self, person: Person) -> Json:
        seat = person not in self.seatless
        return {
            "type": "admin",
            "id": str(person.id),
            "name": person.name,
            "email": person.email,
            "has_inbox_seat": seat,
        }

    async def _admins(self, request: Asked) -> Response:
        staff = [person for person in self.records.people.values() if person.role != "customer"]
        return JSONResponse({"type": "admin.list", "admins": [self._staff(person) for person in staff]})

    async def _admin(self, request: Asked) -> Response:
        person = self.records.people.get(request.path_params["id"])
        if person is None or person.role == "customer":
            raise _missing("Admin not found")
        return JSONResponse(self._staff(person))

    def _customers(self) -> list[Person]:
        return [person for person in self.records.people.values() if person.role == "customer"]

    async def _contact(self, request: Asked) -> Response:
        for person in self._customers():
            if contact_id(person) == request.path_params["id"]:
                return JSONResponse(_contact(person))
        raise _missing("User Not Found")

    async def _find_contacts(self, request: Asked) -> Response:
        query = (await _json(request, "query", "sort", "pagination"))["query"]
        if query.get("field") != "email" or query.get("operator") != "=" or not isinstance(query.get("value"), str):
            raise _invalid("the stand-in searches contacts by email alone")
        found = [_contact(person) for person in self._customers() if person.email == query["value"].lower()]
        pages = {"type": "pages", "page": 1, "per_page": 50, "total_pages": 1}
        return JSONResponse({"type": "list", "data": found, "total_count": len(found), "pages": pages})

    async def _company(self, request: Asked) -> Response:
        for person in self._customers():
            if company_id(person) == request.path_params["id"]:
                found: Json = {"type": "company", "id": company_id(person), "name": person.organisation}
                found["plan"] = {"type": "plan", "id": "269315", "name": person.plan}
                return JSONResponse(found | {"company_id": "6", "custom_attributes": {"seats": 12}})
        raise _missing("Company Not Found")

    # --- conversations ------------------------------------------------------------------------------------------------

    def _request(self, request: Asked) -> Request:
        try:
            return self.records.request(request.path_params["number"])
        except LookupError:
            raise _missing("Conversation not found") from None

    async def _conversation(self, request: Asked) -> Response:
        return JSONResponse(self._shown(self._request(request), parts=True))

    def _shown(self, found: Request, parts: bool) -> Json:
        first, state = found.messages[0], STATES[found.status]
        shown: Json = {
            "type": "conversation",
            "id": str(found.number),
            "title": None,
            "created_at": int(found.created_at.timestamp()),
            "updated_at": int(found.updated_at.timestamp()),
            "snoozed_until": int(time.time()) + 9 if state == "snoozed" else None,
            "source": {
                "type": "email",
                "id": str(first.id),
                "delivered_as": "customer_initiated",
                "subject": f"<p>{found.subject}</p>",
                "body": first.rich if first.html else f"<p>{first.rich}</p>",
                "author": _author(first.author),
                "attachments": [self._attachment(file) for file in first.files],
                "redacted": bool(first.extra.get("redacted")),
            },
            "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": contact_id(found.customer)}]},
            "admin_assignee_id": found.assignee.id if found.assignee else None,
            "open": state == "open",
            "state": state,
            "tags": {
                "type": "tag.list",
                "tags": [{"type": "tag", "id": self._tag_id(tag), "name": tag} for tag in found.tags],
            },
            "custom_attributes": {"reference": "A-7"},
        }
        if parts:
            told = [self._part(one) for one in found.messages[1:]][-MOST_PARTS:]
            if found.assignee:
                told.append(_assigned(found))
            shown["conversation_parts"] = {"type": "conversation_part.list", "conversation_parts": told}
            shown["conversation_parts"]["total_count"] = len(found.messages) - 1
        return shown

    def _part(self, one: Written) -> Json:
        return {
            "type": "conversation_part",
            "id": str(one.id),
            "part_type": one.extra.get("part_type", "comment" if one.public else "note"),
            "body": (one.rich if one.html else f"<p>{one.rich}</p>") if one.text else None,
            "created_at": int(one.at.timestamp()),
            "updated_at": int(one.at.timestamp()),
            "author": _author(one.author) | ({"type": one.extra["by"]} if "by" in one.extra else {}),
            "attachments": [self._attachment(file) for file in one.files],
            "external_id": None,
            "redacted": bool(one.extra.get("redacted")),
        }

    def _attachment(self, file: File) -> Json:
        url = f"{self.url}/i/o/{file.id}/{file.name}?expires=1764000000&signature=ab"
        size = len(file.content)
        return {"type": "upload", "name": file.name, "url": url, "content_type": file.content_type, "filesize": size}

    async def _file(self, request: Asked) -> Response:
        file = self.records.attachment(request.path_params["id"])
        return Response(file.content, media_type=file.content_type)

    async def _find(self, request: Asked) -> Response:
        asked = await _json(request, "query", "sort", "pagination")
        query, page = asked["query"], asked.get("pagination", {})
        found = [one for one in self.records.listed() if _fits(one, query)]
        sort = asked.get("sort", {"field": "updated_at", "order": "descending"})
        if sort.get("field") != "updated_at" or not 1 <= page.get("per_page", 20) <= 150:
            raise _invalid("pagination or sort is not valid")
        if sort.get("order") == "ascending":
            found.reverse()
        size = page.get("per_page", 20)
        start = int(base64.b64decode(page["starting_after"])) if "starting_after" in page else 0
        pages: Json = {"type": "pages", "page": start // size + 1, "per_page": size}
        pages["total_pages"] = -(-len(found) // size)
        if len(found) > start + size:
            cursor = base64.b64encode(str(start + size).encode()).decode()
            pages["next"] = {"page": start // size + 2, "starting_after": cursor}
        shown = [self._shown(one, parts=False) for one in found[start : start + size]]
        return JSONResponse(
            {"type": "conversation.list", "pages": pages, "total_count": len(found), "conversations": shown}
        )

    # --- writing ------------------------------------------------------------------------------------------------------

    async def _reply(self, request: Asked) -> Response:
        found = self._request(request)
        known = ("message_type", "type", "admin_id", "body", "created_at", "attachment_urls", "attachment_files")
        asked = await _json(request, *known)
        if asked.get("message_type") not in ("comment", "note") or asked.get("type") != "admin":
            raise _invalid("message_type or type is not valid")
        if not isinstance(asked.get("body"), str) or not asked["body"].strip():
            raise _invalid("body is required")
        author, public = self._author(asked), asked["message_type"] == "comment"
        opens = {"part_type": "open"} if public and STATES[found.status] == "closed" else {}
        self.records.write(found.number, author, kept(asked["body"]), public=public, html=True, extra=opens)
        return JSONResponse(self._shown(found, parts=True))

    def _author(self, asked: Json) -> Person:
        person = self.records.people.get(int(asked["admin_id"])) if str(asked.get("admin_id", "")).isdigit() else None
        if person is None or person.role == "customer":
            raise _missing("Admin not found")
        return person

    async def _manage(self, request: Asked) -> Response:
        found = self._request(request)
        asked = await _json(request, "message_type", "type", "admin_id", "snoozed_until", "body")
        self._author(asked)
        if asked.get("message_type") == "snoozed" and isinstance(asked.get("snoozed_until"), int):
            if asked["snoozed_until"] <= time.time():
                raise _invalid("snoozed_until must be in the future")
            self.records.set_status(found.number, "held")
        elif asked.get("message_type") in ("open", "close"):
            self.records.set_status(found.number, "open" if asked["message_type"] == "open" else "solved")
        else:
            raise _invalid("message_type is not valid")
        return JSONResponse(self._shown(found, parts=True))

    def _tag_id(self, name: str) -> str:
        return self.tags.setdefault(name, str(len(self.tags) + 100))

    async def _make_tag(self, request: Asked) -> Response:
        asked = await _json(request, "name", "id")
        if not isinstance(asked.get("name"), str):
            raise _invalid("name is required")
        return JSONResponse({"type": "tag", "id": self._tag_id(asked["name"]), "name": asked["name"]})

    async def _attach_tag(self, request: Asked) -> Response:
        found = self._request(request)
        asked = await _json(request, "id", "admin_id")
        self._author(asked)
        for name, id in self.tags.items():
            if id == str(asked.get("id")):
                self.records.tag(found.number, [name])
                return JSONResponse({"type": "tag", "id": id, "name": name})
        raise _missing("Resource Not Found")


def contact_id(person: Person) -> str:
    return f"{person.id:024x}"


def company_id(person: Person) -> str:
    return f"c{person.id:023x}"


def _contact(person: Person) -> Json:
    companies = [{"type": "company", "id": company_id(person)}] if person.organisation else []
    return {
        "type": "contact",
        "id": contact_id(person),
        "role": "user",
        "name": person.name,
        "email": person.email,
        "language_override": person.language or None,
        "browser_language": "",
        "custom_attributes": {},
        "companies": {"type": "list", "data": companies, "total_count": len(companies), "has_more": False},
    }


def _author(person: Person) -> Json:
    kind, id = ("user", contact_id(person)) if person.role == "customer" else ("admin", str(person.id))
    return {"type": kind, "id": id, "name": person.name, "email": person.email}


def _assigned(found: Request) -> Json:
    """What an event looks like among the parts: it says nothing."""
    assert found.assignee is not None
    part = {"type": "conversation_part", "id": "1", "part_type": "assignment", "body": None, "attachments": []}
    return part | {"created_at": int(found.created_at.timestamp()), "author": _author(found.assignee)}


def _fits(found: Request, query: Json) -> bool:
    field, operator, value = query.get("field"), query.get("operator"), query.get("value")
    if field == "updated_at" and operator == ">" and isinstance(value, int):
        return int(found.updated_at.timestamp()) > value
    if field == "contact_ids" and operator == "IN" and isinstance(value, list):
        return contact_id(found.customer) in value
    raise _invalid(f"the stand-in does not search for {field} {operator}")


def kept(body: str) -> str:
    """What Intercom keeps of HTML: tags without attributes, but a link's address."""
    body = re.sub(r"<!--.*?-->|<script.*?</script>", "", body, flags=re.DOTALL)

    def bare(tag: re.Match[str]) -> str:
        link = re.search(r'\shref="[^"]*"', tag[2]) if tag[1] == "a" else None
        return f"<{tag[1]}{link[0] if link else ''}>"

    return re.sub(r"<([a-z0-9]+)((?:\s[^<>]*)?)>", bare, body)


async def _json(request: Asked, *known: str) -> Json:
    body = json.loads(await request.body())
    for name in body:
        if name not in known:
            raise _invalid(f"{name} is not a known parameter")
    return dict(body)


def _invalid(message: str) -> HTTPException:
    return HTTPException(400, json.dumps(["parameter_invalid", message]))


def _missing(message: str) -> HTTPException:
    return HTTPException(404, json.dumps(["not_found", message]))


def _refused(request: Asked, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    try:
        code, message = json.loads(error.detail)
    except ValueError:
        code, message = "not_found", "The requested resource could not be found"
    return _errors(error.status_code, code, message)


def _errors(status: int, code: str, message: str) -> Response:
    body = {"type": "error.list", "request_id": "b68959e4-6328-400d-83e2-827cba498b2d"}
    return JSONResponse(body | {"errors": [{"code": code, "message": message}]}, status)
