"""Pigeon keeps the helpdesks' contract."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar

import pytest
from passerelle_pigeon import Config, Pigeon
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request as Asked
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from integrations.testing.desk_records import Request, Written
from integrations.testing.desk_world import REASON, DeskWorld, Handler, StandIn, guarded
from integrations.testing.helpdesk import HelpdeskContract

TOKEN, SECRET = "pigeon-sandbox", "pigeon-secret"
ROLES = {"ours": "bot"}


class PigeonStandIn(StandIn):
    """What Pigeon's pages say, over HTTP, and nothing that they do not say."""

    def app(self) -> Starlette:
        table: list[tuple[str, str, Handler]] = [
            ("GET", "/api/me", self.me),
            ("GET", "/api/agents", self.agents),
            ("GET", "/api/changes", self.changes),
            ("GET", "/api/tickets", self.of_customer),
            ("GET", "/api/tickets/{number}", self.show),
            ("PATCH", "/api/tickets/{number}", self.change),
            ("POST", "/api/tickets/{number}/messages", self.write),
            ("POST", "/api/tickets/{number}/tags", self.tag),
            ("GET", "/files/{id}", self.file),
        ]
        routes = [Route(path, guarded(do, f"Bearer {TOKEN}"), methods=[method]) for method, path, do in table]
        return Starlette(routes=routes, exception_handlers={HTTPException: refused})

    def asked(self, asked: Asked) -> Request:
        try:
            return self.records.request(asked.path_params["number"])
        except LookupError:
            raise HTTPException(404, "no such ticket") from None

    async def me(self, asked: Asked) -> Response:
        return JSONResponse({"email": self.records.ours.email})

    async def agents(self, asked: Asked) -> Response:
        people = self.records.people.values()
        return JSONResponse({"agents": [{"email": one.email} for one in people if one.role == "agent"]})

    async def changes(self, asked: Asked) -> Response:
        """Here, a change's number is the second it happened in: the records let no two fall into one."""
        after = int(asked.query_params.get("after", 0))
        moved = [one for one in self.records.listed() if one.updated_at.timestamp() > after]
        newest = max((int(one.updated_at.timestamp()) for one in self.records.listed()), default=1)
        return JSONResponse({"changes": [{"ticket": str(one.number)} for one in moved], "cursor": max(newest, after)})

    async def of_customer(self, asked: Asked) -> Response:
        email = asked.query_params["customer"]
        found = [one for one in self.records.listed() if one.customer.email == email]
        return JSONResponse({"tickets": [self.shown(one) for one in found]})

    async def show(self, asked: Asked) -> Response:
        request = self.asked(asked)
        return JSONResponse(self.shown(request) | {"messages": [self.message(one) for one in request.messages]})

    async def change(self, asked: Asked) -> Response:
        statuses: dict[str, Any] = {"waiting": "held", "open": "open"}
        self.records.set_status(self.asked(asked).number, statuses[(await asked.json())["status"]])
        return JSONResponse(self.shown(self.asked(asked)))

    async def write(self, asked: Asked) -> Response:
        request, sent = self.asked(asked), await asked.json()
        agents = [one for one in self.records.people.values() if one.role == "agent" and one.email == sent.get("as")]
        author = agents[0] if agents else self.records.ours
        extra = {"mark": sent["mark"]}
        written = self.records.write(request.number, author, sent["text"], public=sent["public"], extra=extra)
        return JSONResponse(self.message(written), 201)

    async def tag(self, asked: Asked) -> Response:
        self.records.tag(self.asked(asked).number, [(await asked.json())["tag"]])
        return Response(status_code=204)

    async def file(self, asked: Asked) -> Response:
        file = self.records.attachment(asked.path_params["id"])
        return Response(file.content, media_type=file.content_type)

    def shown(self, request: Request) -> dict[str, Any]:
        person = request.customer
        return {
            "number": str(request.number),
            "subject": request.subject,
            "status": {"held": "waiting", "solved": "done", "closed": "done"}.get(request.status, "open"),
            "tags": request.tags,
            "assignee": request.assignee.email if request.assignee else None,
            "customer": {
                "id": person.id,
                "name": person.name,
                "email": person.email,
                "company": person.organisation,
                "plan": person.plan,
                "language": person.language,
            },
            "created": request.created_at.isoformat(),
            "updated": request.updated_at.isoformat(),
        }

    def message(self, written: Written) -> dict[str, Any]:
        by = written.author
        return {
            "id": written.id,
            "author": {"name": by.name, "email": by.email, "role": ROLES.get(by.role, by.role)},
            "public": written.public,
            "html": written.rich,
            "at": written.at.isoformat(),
            "mark": written.extra.get("mark"),
            "files": [
                {"name": file.name, "url": f"{self.url}/files/{file.id}", "type": file.content_type}
                for file in written.files
            ],
        }


def refused(asked: Asked, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return JSONResponse({"problem": str(getattr(error, "detail", "it failed"))}, status)


class PigeonWorld(DeskWorld):
    """The people's side of the stand-in; what is the same for every helpdesk is inherited."""

    refusal: ClassVar = {"problem": REASON}

    def helpdesk(self, token: str = TOKEN, secret: str | None = SECRET, url: str = "") -> Pigeon:
        entry = {"kind": "pigeon", "url": url or self.desk.url, "token": token, "webhook_secret": secret}
        return Pigeon("desk", Config.model_validate(entry), timeout=1)

    def addresses(self, number: str) -> list[str]:
        return [
            f"{self.desk.url}{path}" for path in (f"/inbox/{number}", f"/inbox/{number}/", f"/api/tickets/{number}")
        ]

    def imitate(self, number: str, key: str) -> None:
        self.records.write(number, self.records.zoe, f"mark: {key}", extra={"mark": key})

    def delivery(self, number: str, at: datetime) -> tuple[dict[str, str], bytes]:
        body, stamp = json.dumps({"ticket": {"number": number}}).encode(), at.isoformat()
        signature = hmac.new(SECRET.encode(), stamp.encode() + body, hashlib.sha256).hexdigest()
        return {"X-Pigeon-Delivery": f"d-{stamp}", "X-Pigeon-Time": stamp, "X-Pigeon-Signature": signature}, body


@pytest.fixture(scope="module")
def served() -> Iterator[PigeonStandIn]:
    desk = PigeonStandIn()
    yield desk
    desk.stop()


@pytest.fixture
def world(served: PigeonStandIn) -> PigeonWorld:
    served.empty()
    return PigeonWorld(served)


@pytest.fixture
def helpdesk(world: PigeonWorld) -> Pigeon:
    return world.helpdesk()


class TestPigeon(HelpdeskContract):
    """All that Passerelle relies on."""
