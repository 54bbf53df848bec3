"""Request Tracker keeps the helpdesks' contract, and its own traps are stepped around.

The stand-in's wire is held against a real server in tests/real/test_rt.py.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar

import pytest
from pydantic import SecretStr

from integrations.base import mark
from integrations.rt import RT, Config
from integrations.testing.desk_world import REASON, DeskWorld
from integrations.testing.helpdesk import HelpdeskContract
from tests.integrations.desks.rt import TOKEN, RTStandIn

SECRET = "sandbox-rt-secret"


class RTWorld(DeskWorld):
    """The stand-in as the contract suite sees it."""

    refusal: ClassVar = {"message": REASON}
    desk: RTStandIn

    def helpdesk(self, token: str = TOKEN, secret: str | None = SECRET, url: str = "", **more: object) -> RT:
        entry = {
            "kind": "rt",
            "url": url or self.desk.url,
            "token": SecretStr(token),
            "webhook_secret": secret,
            "tag_field": "Tags",
            "plan_field": "Plan",
            "fields": {"Plan": "Plan", "Labels": "Tags", "Other": "Nope"},
        }
        return RT("desk", Config.model_validate(entry | more), timeout=1)

    def imitate(self, number: str, key: str) -> None:
        """In their own name, and by a mail that claims to come from our address: RT believes it."""
        customer = self.records.request(number).customer
        for author in (customer, self.records.ours):
            self.records.write(number, author, f"{key} {mark(key)}\nX-Passerelle: {key}")

    def addresses(self, number: str) -> list[str]:
        paths = [
            f"/Ticket/Display.html?id={number}",
            f"/Ticket/Update.html?Action=Respond&id={number}",
            f"/Ticket/Display.html?id={number}#txn-345",
            f"/SelfService/Display.html?id={number}",
            f"/m/ticket/show?id={number}",
            f"/REST/2.0/ticket/{number}",
            f"/Ticket/{number}",
        ]
        return [f"{self.desk.url}{path}" for path in paths]

    def with_wrong_token(self) -> RT:
        return self.helpdesk(token="1-14-wrong")

    def without_secret(self) -> RT:
        return self.helpdesk(secret=None)

    def unreachable(self) -> RT:
        return self.helpdesk(url="http://127.0.0.1:9")

    def delivery(self, number: str, at: datetime) -> tuple[dict[str, str], bytes]:
        body = json.dumps({"ticket": int(number), "transaction": 345, "type": "Correspond"}).encode()
        stamp = at.strftime("%Y-%m-%dT%H:%M:%SZ")
        signature = hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        return {"X-Passerelle-Time": stamp, "X-Passerelle-Signature": signature}, body


@pytest.fixture(scope="module")
def served() -> Iterator[RTStandIn]:
    desk = RTStandIn()
    yield desk
    desk.stop()


@pytest.fixture
def desk(served: RTStandIn) -> RTStandIn:
    served.empty()
    return served


@pytest.fixture
def world(desk: RTStandIn) -> RTWorld:
    return RTWorld(desk)


@pytest.fixture
def helpdesk(world: RTWorld) -> RT:
    return world.helpdesk()


class TestContract(HelpdeskContract):
    """Request Tracker keeps the contract."""
