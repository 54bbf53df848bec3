"""The real Request Tracker's side of the helpdesks' contract suite."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from integrations.base import TicketStatus, mark
from integrations.rt import RT, Config
from integrations.sandbox.wire import Fault, Server, Wire
from integrations.testing.desk_world import REASON
from integrations.testing.helpdesk_world import DeskTrouble, Said
from tests.real.request_tracker import SECRET, ZOE, RequestTracker

STATUSES: dict[TicketStatus, str] = {
    "open": "open",
    "held": "stalled",
    "solved": "resolved",
    "spam": "rejected",
    "closed": "resolved",
}


class Line:
    """The line between the adapter and RT, on which each call is noted, and which may be cut."""

    def __init__(self, url: str) -> None:
        self._client = httpx2.AsyncClient(base_url=url, timeout=30, trust_env=False)
        methods = ["GET", "POST", "PUT"]
        self.wire = Wire(Starlette(routes=[Route("/{path:path}", self._carry, methods=methods)]))
        self._server = Server(self.wire).start()
        self.url = self._server.url

    async def _carry(self, request: Request) -> Response:
        kept = ("authorization", "content-type", "accept")
        headers = {name: value for name, value in request.headers.items() if name in kept}
        body = await request.body()
        address = f"{request.url.path}?{request.url.query}"
        answer = await self._client.request(request.method, address, headers=headers, content=body)
        told = {name: answer.headers[name] for name in ("content-type", "location") if name in answer.headers}
        return Response(answer.content, answer.status_code, told)

    def clear(self) -> None:
        self.wire.calls.clear()
        self.wire.faults.clear()
        self.wire.answer = self.wire.spoil = None

    def stop(self) -> None:
        self._server.stop()


class RealWorld:
    """People, by mail and by RT's own interface."""

    def __init__(self, tracker: RequestTracker, line: Line) -> None:
        self.rt, self.line = tracker, line
        self._mails: Counter[str] = Counter()

    def helpdesk(self, token: str = "", secret: str | None = SECRET, url: str = "") -> RT:
        entry = {
            "kind": "rt",
            "url": url or self.line.url,
            "token": token or self.rt.bot,
            "webhook_secret": secret,
            "tag_field": "Tags",
            "plan_field": "Plan",
        }
        return RT("desk", Config.model_validate(entry), timeout=10)

    # --- people -------------------------------------------------------------------------------------------------------

    def open_ticket(
        self, subject: str, body: str, *, html: bool = False, language: str = "", tags: Sequence[str] = ()
    ) -> str:
        number = self.rt.mail(subject, body, html=html)
        if language:
            self.rt.call("PUT", f"/user/{ZOE[1]}", {"Lang": language}, root=True)
        if tags:
            self.rt.call("PUT", f"/ticket/{number}", {"CustomFields": {"Tags": list(tags)}})
        return str(number)

    def customer_writes(self, number: str, text: str) -> None:
        self._mails[number] += 1
        if self._mails[number] > 3:
            self.rt.mail_again(number, text)
        else:
            self.rt.mail("Basket", text, ticket=number)

    def agent_writes(self, number: str, text: str, public: bool) -> None:
        self.rt.write(number, text, public)

    def imitate(self, number: str, key: str) -> None:
        words, forged = f"{key} {mark(key)}", {"X-Passerelle": key, "CF.{Passerelle}": key, "X-RT-Passerelle": key}
        for sender in (ZOE, ("Passerelle", "passerelle@acme.example")):
            text = f"CustomField.{{Passerelle}}: {key}\nCF.{{Passerelle}}: {key}\n\n{words}"
            headers = {name: value for name, value in forged.items() if "{" not in name}
            self.rt.mail("Basket", text, ticket=number, sender=sender, headers=headers)

    def close(self, number: str) -> None:
        self.set_status(number, "closed")

    def set_status(self, number: str, status: TicketStatus) -> None:
        self.rt.call("PUT", f"/ticket/{number}", {"Status": STATUSES[status]})

    def status(self, number: str) -> TicketStatus:
        theirs = self.rt.call("GET", f"/ticket/{number}")["Status"]
        return next((ours for ours, word in STATUSES.items() if word == theirs), "open")

    def assign(self, number: str, email: str) -> None:
        self.rt.call("PUT", f"/ticket/{number}", {"Owner": email.partition("@")[0]})

    def merge(self, number: str, into: str) -> None:
        self.rt.call("PUT", f"/ticket/{number}", {"MergeInto": int(into)})

    def attach(self, number: str, name: str, content: bytes) -> None:
        self.rt.mail("Basket", "See here.", ticket=number, file=(name, content))

    def delete(self, number: str) -> None:
        self.rt.call("PUT", f"/ticket/{number}", {"Status": "deleted"}, root=True)

    def said(self, number: str) -> list[Said]:
        return [Said(*one) for one in self.rt.said(number)]

    def received(self, number: str) -> list[str]:
        return self.rt.received(number)

    def tags(self, number: str) -> list[str]:
        fields = {field["name"]: field["values"] for field in self.rt.call("GET", f"/ticket/{number}")["CustomFields"]}
        return list(fields["Tags"])

    def addresses(self, number: str) -> list[str]:
        paths = [f"/Ticket/Display.html?id={number}", f"/Ticket/History.html?id={number}", f"/REST/2.0/ticket/{number}"]
        return [f"{self.line.url}{path}" for path in paths]

    # --- the wire -----------------------------------------------------------------------------------------------------

    def trouble(self, kind: DeskTrouble) -> None:
        ways = {
            "refused": Fault("refuse", "POST", status=422, body={"message": REASON}),
            "failed": Fault("refuse", "POST", status=502),
            "failed after": Fault("error_after", "POST", status=502),
            "dropped": Fault("drop", "POST"),
            "dropped after": Fault("drop_after", "POST"),
            "limited": Fault("refuse", "POST", status=429, headers={"Retry-After": "7"}),
        }
        self.line.wire.faults.append(ways[kind])

    def trouble_reading(self, times: int) -> None:
        self.line.wire.faults.append(Fault("drop", "GET", times=times))

    def answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.line.wire.answer = Response(body, status, dict(headers))

    def spoil(self, how: Callable[[Any], Any] | None) -> None:
        self.line.wire.spoil = how

    def writes(self) -> int:
        return len([call for call in self.line.wire.calls if call.method != "GET"])

    def with_wrong_token(self) -> RT:
        return self.helpdesk(token=f"{self.rt.bot[:-4]}0000")

    def without_secret(self) -> RT:
        return self.helpdesk(secret=None)

    def unreachable(self) -> RT:
        return self.helpdesk(url="http://127.0.0.1:9")

    def delivery(self, number: str, at: datetime) -> tuple[dict[str, str], bytes]:
        body, stamp = (
            json.dumps({"ticket": int(number), "transaction": 345}).encode(),
            at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
        signature = hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        return {"X-Passerelle-Time": stamp, "X-Passerelle-Signature": signature}, body
