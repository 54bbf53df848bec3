"""Zendesk's side of the helpdesks' contract suite: the stand-in, as people see it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import SecretStr
from starlette.responses import Response

from integrations.base import TicketStatus, mark
from integrations.sandbox.wire import Fault, utc_now
from integrations.sandbox.zendesk import ZendeskStandIn
from integrations.testing.helpdesk_world import DeskTrouble, Said
from integrations.zendesk import Config, Zendesk

SECRET = "sandbox-zendesk-secret"
PLACES: dict[DeskTrouble, Fault] = {
    "refused": Fault("refuse", status=422, body={"details": {"base": [{"description": "the reason of the service"}]}}),
    "failed": Fault("refuse", status=502),
    "failed after": Fault("error_after", status=502),
    "dropped": Fault("drop"),
    "dropped after": Fault("drop_after"),
    "limited": Fault("refuse", status=429, headers={"Retry-After": "7"}),
}


class Moving:
    """A clock by which each thing that people do is a second after the last, as Zendesk tells whole seconds."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.ahead


class ZendeskWorld:
    """The sandbox's Zendesk as the contract suite sees it."""

    def __init__(self, desk: ZendeskStandIn) -> None:
        self.desk = desk

    def moved(self) -> None:
        if isinstance(self.desk.now, Moving):
            self.desk.now.ahead += timedelta(seconds=1)

    def helpdesk(self, token: str = "zd-sandbox", secret: str | None = SECRET, url: str = "") -> Zendesk:
        config = Config(
            kind="zendesk",
            url=url or self.desk.url,
            email="bot@acme.example",
            token=SecretStr(token),
            webhook_secret=SecretStr(secret) if secret else None,
            plan_field="plan",
            fields={"Tier": "tier", "Shop": "360001", "Topics": "360002"},
        )
        return Zendesk("desk", config, timeout=1)

    def open_ticket(
        self, subject: str, body: str, *, html: bool = False, language: str = "", tags: Sequence[str] = ()
    ) -> str:
        self.moved()
        who = ("Zoé Martin", "zoe@customer.example")
        return self.desk.open_ticket(subject, body, *who, language, "Globex", "gold", html=html, tags=tags)

    def customer_writes(self, number: str, text: str) -> None:
        self.moved()
        self.desk.customer_writes(number, text)

    def agent_writes(self, number: str, text: str, public: bool) -> None:
        self.moved()
        self.desk.agent_writes(number, "ana@acme.example", text, public)

    def imitate(self, number: str, key: str) -> None:
        customer = self.desk.record(number)["requester_id"]
        self.desk.comment(int(number), customer, f"{key} {mark(key)}", custom={"passerelle": key})

    def close(self, number: str) -> None:
        self.moved()
        self.desk.close(number)

    def delete(self, number: str) -> None:
        self.desk.delete(number)

    def set_status(self, number: str, status: TicketStatus) -> None:
        self.moved()
        if status == "spam":
            self.desk.suspend(number)
        else:
            self.desk.set_status(number, {"held": "hold"}.get(status, status))

    def status(self, number: str) -> TicketStatus:
        status = self.desk.ticket(number)["status"]
        return {"hold": "held", "solved": "solved", "closed": "closed"}.get(status, "open")  # type: ignore[return-value]

    def assign(self, number: str, email: str) -> None:
        self.moved()
        self.desk.assign(number, email)

    def merge(self, number: str, into: str) -> None:
        self.moved()
        self.desk.merge(number, into, "ana@acme.example")

    def attach(self, number: str, name: str, content: bytes) -> None:
        self.moved()
        self.desk.attach(number, name, content, "image/png")

    def said(self, number: str) -> list[Said]:
        comments = self.desk.ticket(number)["comments"]
        return [Said(comment["author"], comment["public"], comment["body"]) for comment in comments]

    def received(self, number: str) -> list[str]:
        return [reply["body"] for reply in self.desk.replies(number)]

    def tags(self, number: str) -> list[str]:
        return list(self.desk.ticket(number)["tags"])

    def addresses(self, number: str) -> list[str]:
        paths = [
            f"/agent/tickets/{number}",
            f"/tickets/{number}",
            f"/hc/requests/{number}",
            f"/hc/fr/requests/{number}",
        ]
        paths += [
            f"/hc/en-us/requests/{number}?page=2#c9",
            f"/api/v2/tickets/{number}.json",
            f"/agent/tickets/{number}/",
        ]
        return [f"{self.desk.url}{path}" for path in paths]

    def trouble(self, kind: DeskTrouble) -> None:
        fault = PLACES[kind]
        self.desk.wire.faults += [replace(fault, method="PUT"), replace(fault, method="POST")]

    def trouble_reading(self, times: int) -> None:
        self.desk.wire.faults.append(Fault("drop", "GET", times=times))

    def answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.desk.wire.answer = Response(body, status, dict(headers))

    def spoil(self, how: Callable[[Any], Any] | None) -> None:
        self.desk.wire.spoil = how

    def writes(self) -> int:
        return len([call for call in self.desk.wire.calls if call.method != "GET"])

    def with_wrong_token(self) -> Zendesk:
        return self.helpdesk(token="wrong")

    def without_secret(self) -> Zendesk:
        return self.helpdesk(secret=None)

    def unreachable(self) -> Zendesk:
        return self.helpdesk(url="http://127.0.0.1:9")

    def delivery(self, number: str, at: datetime) -> tuple[dict[str, str], bytes]:
        event = {
            "type": "zen:event-type:ticket.comment_added",
            "subject": f"zen:ticket:{number}",
            "detail": {"id": number, "status": "OPEN"},
            "event": {"comment": {"body": "Merci", "is_public": True}},
        }
        body, stamp = json.dumps(event).encode(), at.strftime("%Y-%m-%dT%H:%M:%SZ")
        headers = {
            "x-zendesk-webhook-invocation-id": f"8350{at.timestamp():.0f}",
            "x-zendesk-webhook-signature": self.desk.signature(stamp, body),
            "x-zendesk-webhook-signature-timestamp": stamp,
        }
        return headers, body
