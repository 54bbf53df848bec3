"""A stand-in for Freshdesk's API v2: its paths, paging, error bodies and rate-limit headers over the neutral records.

Pages: developers.freshdesk.com/api, the same that `integrations/freshdesk` names.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request as Asked
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from integrations.testing.desk_records import File, Person, Request, Written
from integrations.testing.desk_world import Handler, StandIn

KEY = "fd-sandbox"
STATUSES = {"open": 2, "held": 7, "solved": 4, "closed": 5, "spam": 2}
MANY = 1_000_000
COMPANY = 70_000_000  # ids of companies begin here
Json = dict[str, Any]
T = TypeVar("T")


class FreshdeskStandIn(StandIn):
    """Bodies are HTML as Freshdesk keeps it: comments and scripts are dropped. Closed
    tickets are archived ones, unless `extra["archived"]` says "not yet"."""

    def __init__(self) -> None:
        self.left = MANY  # requests in this minute
        self.may_see_agents = True
        self.keeps_classes = True
        super().__init__()

    def empty(self) -> None:
        super().empty()
        self.left, self.may_see_agents, self.keeps_classes = MANY, True, True

    def app(self) -> ASGIApp:
        table: list[tuple[str, str, Handler]] = [
            ("GET", "/agents/me", self._me),
            ("GET", "/agents/{id:int}", self._agent),
            ("GET", "/agents", self._agents),
            ("GET", "/contacts/{id:int}", self._contact),
            ("GET", "/contacts", self._contacts),
            ("GET", "/companies/{id:int}", self._company),
            ("GET", "/ticket_fields", self._fields),
            ("GET", "/tickets", self._tickets),
            ("GET", "/tickets/archived/{number:int}", self._archived),
            ("GET", "/tickets/archived/{number:int}/conversations", self._archived_conversations),
            ("GET", "/tickets/{number:int}", self._ticket),
            ("GET", "/tickets/{number:int}/conversations", self._conversations),
            ("PUT", "/tickets/{number:int}", self._update),
            ("POST", "/tickets/{number:int}/notes", self._note),
            ("POST", "/tickets/{number:int}/reply", self._reply),
        ]
        routes = [Route(f"/api/v2{path}", self._guarded(handler), methods=[how]) for how, path, handler in table]
        routes.append(Route("/data/helpdesk/attachments/production/{id:int}/original/{name}", self._file))
        return Starlette(routes=routes, exception_handlers={HTTPException: _refused})

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: Asked) -> Response:
            expected = "Basic " + base64.b64encode(f"{KEY}:X".encode()).decode()
            if request.headers.get("authorization") != expected:
                text = "You have to be logged in to perform this action."
                return JSONResponse({"code": "invalid_credentials", "message": text}, 401)
            if self.left <= 0:
                return Response(status_code=429, headers={"Retry-After": "34"})
            self.left -= 1
            answer = await handler(request)
            answer.headers["X-RateLimit-Total"] = str(MANY)
            answer.headers["X-RateLimit-Remaining"] = str(self.left)
            return answer

        return guarded

    # --- people -------------------------------------------------------------------------------------------------------

    async def _me(self, request: Asked) -> Response:
        return JSONResponse(_agent(self.records.ours))

    def _staff(self) -> list[Person]:
        if not self.may_see_agents:
            raise HTTPException(403, "You are not authorized to perform this action.")
        return [person for person in self.records.people.values() if person.role != "customer"]

    async def _agent(self, request: Asked) -> Response:
        for person in self._staff():
            if person.id == request.path_params["id"]:
                return JSONResponse(_agent(person))
        raise HTTPException(404)

    async def _agents(self, request: Asked) -> Response:
        email = _asked(request, "email", "state", "per_page", "page").get("email")
        if email is not None and not re.fullmatch(r"[^\s\"@]+@[^\s\"@]+", email):
            raise _invalid("email", "It should be a valid email address.", "invalid_value")
        return JSONResponse([_agent(one) for one in self._staff() if email in (None, one.email)])

    def _customers(self) -> list[Person]:
        return [person for person in self.records.people.values() if person.role == "customer"]

    async def _contact(self, request: Asked) -> Response:
        for person in self._customers():
            if person.id == request.path_params["id"]:
                return JSONResponse(_contact(person))
        raise HTTPException(404)

    async def _contacts(self, request: Asked) -> Response:
        email = _asked(request, "email", "phone", "per_page", "page").get("email")
        if email is not None and not re.fullmatch(r"[^\s\"@]+@[^\s\"@]+", email):
            raise _invalid("email", "It should be a valid email address.", "invalid_value")
        return JSONResponse([_contact(one) for one in self._customers() if email in (None, one.email)])

    async def _company(self, request: Asked) -> Response:
        for person in self._customers():
            if COMPANY + person.id == request.path_params["id"]:
                plan = {"plan": person.plan, "seats": 12}
                return JSONResponse(
                    {"id": COMPANY + person.id, "name": person.organisation, "domains": [], "custom_fields": plan}
                )
        raise HTTPException(404)

    async def _fields(self, request: Asked) -> Response:
        _asked(request, "type")
        choices = {"2": ["Open", "Being Processed"], "3": ["Pending", "Awaiting your Reply"], "4": ["Resolved", "…"]}
        choices |= {"5": ["Closed", "…"], "6": ["Waiting on Customer", "…"], "7": ["Waiting on Third Party", "…"]}
        return JSONResponse([{"id": 5, "name": "status", "type": "default_status", "choices": choices}])

    # --- tickets ------------------------------------------------------------------------------------------------------

    def _request(self, request: Asked, archived: bool = False) -> Request:
        try:
            found = self.records.request(request.path_params["number"], deleted=True)
        except LookupError:
            raise HTTPException(404) from None
        if _is_archived(found) != archived:
            raise HTTPException(404)
        return found

    async def _ticket(self, request: Asked) -> Response:
        return JSONResponse(self._shown(self._request(request), _asked(request, "include").get("include", "")))

    async def _archived(self, request: Asked) -> Response:
        return JSONResponse(self._shown(self._request(request, archived=True), "") | {"archived": True})

    def _shown(self, found: Request, include: str) -> Json:
        person, first = found.customer, found.messages[0]
        shown: Json = {
            "cc_emails": [],
            "spam": found.status == "spam",
            "priority": 1,
            "source": 1 if first.author.role == "customer" else 10,
            "status": STATUSES[found.status],
            "id": found.number,
            "subject": found.subject,
            "requester_id": person.id,
            "responder_id": found.assignee.id if found.assignee else None,
            "company_id": COMPANY + person.id if person.organisation else None,
            "type": "Question",
            "description": f"<div>{first.rich}</div>",
            "description_text": first.plain,
            "custom_fields": {"cf_reference": "A-7"},
            "tags": found.tags,
            "created_at": _stamp(found.created_at),
            "updated_at": _stamp(found.updated_at),
            "attachments": [self._attachment(file) for file in first.files],
        }
        if found.deleted:
            shown["deleted"] = True
        if "requester" in include.split(","):
            shown["requester"] = {"id": person.id, "name": person.name, "email": person.email, "phone": None}
        if "company" in include.split(","):
            shown["company"] = {"id": COMPANY + person.id, "name": person.organisation} if person.organisation else {}
        return shown

    async def _tickets(self, request: Asked) -> Response:
        names = ("requester_id", "email", "updated_since", "order_by", "order_type", "per_page", "page", "include")
        asked = _asked(request, *names)
        if not 1 <= int(asked.get("per_page", "30")) <= 100:
            raise _invalid("per_page", "It should be a Positive Integer less than or equal to 100", "invalid_value")
        found = [one for one in self.records.listed() if one.status != "spam" and not _is_archived(one)]
        if "updated_since" in asked:
            since = datetime.fromisoformat(asked["updated_since"])
            found = [one for one in found if one.updated_at >= since]
        else:
            found = [one for one in found if one.created_at >= datetime.now(UTC) - timedelta(days=30)]
        if "requester_id" in asked:
            found = [one for one in found if one.customer.id == int(asked["requester_id"])]
        if asked.get("order_by") != "updated_at":
            found.sort(key=lambda one: one.created_at, reverse=True)
        if asked.get("order_type") == "asc":
            found.reverse()
        return self._page(request, found, lambda one: self._shown(one, asked.get("include", "")))

    def _page(self, request: Asked, rows: list[T], shown_as: Callable[[T], Json]) -> Response:
        size, page = int(request.query_params.get("per_page", "30")), int(request.query_params.get("page", "1"))
        shown, more = list(map(shown_as, rows[(page - 1) * size : page * size])), len(rows) > page * size
        onward = f'<{request.url.include_query_params(page=page + 1)}>; rel="next"'
        return JSONResponse(shown, headers={"Link": onward} if more else {})

    async def _conversations(self, request: Asked) -> Response:
        return self._talk(request, self._request(request))

    async def _archived_conversations(self, request: Asked) -> Response:
        return self._talk(request, self._request(request, archived=True))

    def _talk(self, request: Asked, found: Request) -> Response:
        _asked(request, "per_page", "page")
        return self._page(request, found.messages[1:], lambda one: self._conversation(found, one))

    def _conversation(self, found: Request, one: Written) -> Json:
        return {
            "body": f"<div>{one.rich}</div>",
            "body_text": one.plain,
            "id": one.id,
            "incoming": one.extra.get("incoming", str(one.author.role == "customer").lower()) == "true",
            "private": not one.public,
            "user_id": one.author.id,
            "support_email": None,
            "source": int(one.extra.get("source", 0 if one.public else 2)),
            "ticket_id": found.number,
            "from_email": f'"{one.author.name}" <{one.author.email}>',
            "to_emails": one.extra["to"].split(", ") if "to" in one.extra else [],
            "cc_emails": [],
            "attachments": [self._attachment(file) for file in one.files],
            "created_at": _stamp(one.at),
            "updated_at": _stamp(one.at),
        }

    def _attachment(self, file: File) -> Json:
        return {
            "id": file.id,
            "name": file.name,
            "content_type": file.content_type,
            "size": len(file.content),
            "attachment_url": f"{self.url}/data/helpdesk/attachments/production/{file.id}/original/{file.name}",
        }

    async def _file(self, request: Asked) -> Response:
        file = self.records.attachment(request.path_params["id"])
        return Response(file.content, media_type=file.content_type)

    # --- writing ------------------------------------------------------------------------------------------------------

    async def _update(self, request: Asked) -> Response:
        found = self._changeable(request)
        asked = await _json(request, "status", "tags", "priority", "type", "custom_fields", "responder_id")
        words = {number: word for word, number in STATUSES.items() if word not in ("spam", "closed")}
        if "status" in asked and asked["status"] not in words:
            raise _invalid("status", "It should be one of these values: '2,3,4,5,6,7'", "invalid_value")
        if "tags" in asked:
            if not isinstance(asked["tags"], list) or not all(isinstance(tag, str) for tag in asked["tags"]):
                raise _invalid("tags", "Value set is of type String. It should be a/an Array", "datatype_mismatch")
            self.records.touch(found.number).tags = asked["tags"]
        if "status" in asked:
            self.records.set_status(found.number, words[asked["status"]])  # type: ignore[arg-type]
        return JSONResponse(self._shown(found, ""))

    async def _note(self, request: Asked) -> Response:
        found = self._changeable(request)
        asked = await _json(request, "body", "private", "user_id", "incoming", "notify_emails")
        written = self._written(found, asked, public=asked.get("private", True) is False)
        return JSONResponse(self._conversation(found, written), 201)

    async def _reply(self, request: Asked) -> Response:
        found = self._changeable(request)
        asked = await _json(request, "body", "user_id", "from_email", "cc_emails", "bcc_emails")
        shown = self._conversation(found, self._written(found, asked, public=True))
        for absent in ("private", "incoming", "source"):  # a reply's own answer has none of them
            del shown[absent]
        return JSONResponse(shown | {"replied_to": [found.customer.email]}, 201)

    def _written(self, found: Request, asked: Json, public: bool) -> Written:
        if not isinstance(asked.get("body"), str) or not asked["body"]:
            raise _invalid("body", "It should not be blank as this is a mandatory field", "missing_field")
        author = self.records.people.get(asked.get("user_id", self.records.ours.id))
        if author is None or author.role == "customer":
            raise _invalid("user_id", "There is no agent matching the given user_id", "invalid_value")
        body = re.sub(r"<!--.*?-->|<script.*?</script>", "", asked["body"], flags=re.DOTALL)
        body = body if self.keeps_classes else re.sub(r" class=.[^\"]*.", "", body)
        return self.records.write(found.number, author, body, public=public, html=True)

    def _changeable(self, request: Asked) -> Request:
        found = self._request(request)
        if found.deleted or found.status == "spam":
            raise HTTPException(405)
        return found


def _is_archived(found: Request) -> bool:
    return found.status == "closed" and found.extra.get("archived") != "not yet"


def _agent(person: Person) -> Json:
    contact = {"active": True, "name": person.name, "email": person.email, "language": "en", "time_zone": "Paris"}
    return {"id": person.id, "ticket_scope": 1, "type": "support_agent", "occasional": False, "contact": contact}


def _contact(person: Person) -> Json:
    return {
        "id": person.id,
        "active": True,
        "name": person.name,
        "email": person.email,
        "other_emails": [],
        "language": person.language or "en",
        "company_id": COMPANY + person.id if person.organisation else None,
        "custom_fields": {"department": None},
    }


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _asked(request: Asked, *known: str) -> dict[str, str]:
    for name in request.query_params:
        if name not in known:
            raise _invalid(name, "Unexpected/invalid field in request", "invalid_field")
    return dict(request.query_params)


async def _json(request: Asked, *known: str) -> Json:
    body = json.loads(await request.body())
    for name in body:
        if name not in known:
            raise _invalid(name, "Unexpected/invalid field in request", "invalid_field")
    return dict(body)


def _invalid(field: str, message: str, code: str) -> HTTPException:
    return HTTPException(400, json.dumps({"field": field, "message": message, "code": code}))


def _refused(request: Asked, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 400:
        return JSONResponse({"description": "Validation failed", "errors": [json.loads(error.detail)]}, 400)
    if error.status_code == 403:
        return JSONResponse({"code": "access_denied", "message": error.detail}, 403)
    return Response(status_code=error.status_code)
