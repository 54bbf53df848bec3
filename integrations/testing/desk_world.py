"""What the contract suite asks of a helpdesk's people, done to the neutral records behind a stand-in's wire."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from integrations.base import Helpdesk, TicketStatus
from integrations.sandbox.wire import Fault, Server, Wire
from integrations.testing.desk_records import Records
from integrations.testing.helpdesk_world import DeskTrouble, Said

REASON = "the reason of the service"
Handler = Callable[[Request], Awaitable[Response]]


def guarded(handler: Handler, key: str, header: str = "authorization") -> Handler:
    """The handler, for whoever sends that key in the header; all others are refused with HTTPException 401."""

    async def checked(asked: Request) -> Response:
        if asked.headers.get(header) != key:
            raise HTTPException(401, "Unauthorized")
        return await handler(asked)

    return checked


class StandIn(ABC):
    """One helpdesk over HTTP; served once and emptied for each test, since a new server takes longer than a test."""

    def __init__(self) -> None:
        self.records = Records()
        self.wire = Wire(self.app())
        self._server = Server(self.wire).start()
        self.url = self._server.url

    @abstractmethod
    def app(self) -> ASGIApp:
        """Its wire; asked for once."""

    def empty(self) -> None:
        self.records = Records()
        self.wire.calls.clear()
        self.wire.faults.clear()
        self.wire.answer = self.wire.spoil = None

    def stop(self) -> None:
        self._server.stop()


class DeskWorld(ABC):
    """The part of a `HelpdeskWorld` that is the same for each stand-in over `Records`."""

    writing = ("POST", "")  # method and path of what writes a note or a reply
    reading = "$^"  # paths that only read, although their method is not GET
    refusal: ClassVar[Mapping[str, Any]] = {}  # the body of a 422 that says `REASON`

    def __init__(self, desk: StandIn) -> None:
        self.desk = desk

    @property
    def records(self) -> Records:
        return self.desk.records

    @abstractmethod
    def helpdesk(self, token: str = ..., secret: str | None = ..., url: str = "") -> Helpdesk:
        """The adapter at the stand-in's address, with the token and the secret that it knows, or those given."""

    @abstractmethod
    def addresses(self, number: str) -> list[str]: ...

    @abstractmethod
    def imitate(self, number: str, key: str) -> None: ...

    @abstractmethod
    def delivery(self, number: str, at: datetime) -> tuple[dict[str, str], bytes]: ...

    def with_wrong_token(self) -> Helpdesk:
        return self.helpdesk(token="wrong")  # noqa: S106

    def without_secret(self) -> Helpdesk:
        return self.helpdesk(secret=None)

    def unreachable(self) -> Helpdesk:
        return self.helpdesk(url="http://127.0.0.1:9")

    # --- people -------------------------------------------------------------------------------------------------------

    def open_ticket(
        self, subject: str, body: str, *, html: bool = False, language: str = "", tags: Sequence[str] = ()
    ) -> str:
        return str(self.records.open(subject, body, html=html, language=language, tags=tags).number)

    def customer_writes(self, number: str, text: str) -> None:
        self.records.write(number, self.records.request(number).customer, text)

    def agent_writes(self, number: str, text: str, public: bool) -> None:
        self.records.write(number, self.records.ana, text, public=public)

    def close(self, number: str) -> None:
        self.records.set_status(number, "closed")

    def set_status(self, number: str, status: TicketStatus) -> None:
        self.records.set_status(number, status)

    def status(self, number: str) -> TicketStatus:
        return self.records.request(number).status

    def assign(self, number: str, email: str) -> None:
        self.records.assign(number, self.records.by_email(email))

    def merge(self, number: str, into: str) -> None:
        self.records.merge(number, into)

    def attach(self, number: str, name: str, content: bytes) -> None:
        customer = self.records.request(number).customer
        self.records.write(number, customer, "See here.", files=[self.records.file(name, content)])

    def delete(self, number: str) -> None:
        self.records.delete(number)

    def said(self, number: str) -> list[Said]:
        messages = self.records.request(number).messages
        return [Said(written.author.name, written.public, written.plain) for written in messages]

    def received(self, number: str) -> list[str]:
        return self.records.received(number)

    def tags(self, number: str) -> list[str]:
        return list(self.records.request(number).tags)

    # --- the wire -----------------------------------------------------------------------------------------------------

    def trouble(self, kind: DeskTrouble) -> None:
        method, path = self.writing
        faults = {
            "refused": Fault("refuse", method, path, 422, dict(self.refusal)),
            "failed": Fault("refuse", method, path, 502),
            "failed after": Fault("error_after", method, path, 502),
            "dropped": Fault("drop", method, path),
            "dropped after": Fault("drop_after", method, path),
            "limited": Fault("refuse", method, path, 429, headers={"Retry-After": "7"}),
        }
        self.desk.wire.faults.append(faults[kind])

    def trouble_reading(self, times: int) -> None:
        self.desk.wire.faults.append(Fault("drop", "GET", times=times))

    def answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.desk.wire.answer = Response(body, status, dict(headers))

    def spoil(self, how: Callable[[Any], Any] | None) -> None:
        self.desk.wire.spoil = how

    def writes(self) -> int:
        calls = [call for call in self.desk.wire.calls if call.method != "GET"]
        return len([call for call in calls if not re.search(self.reading, call.path)])
