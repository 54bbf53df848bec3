"""What every stand-in shares: a real HTTP server on loopback, a ledger of the calls it got, and faults on demand."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import uvicorn
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Now = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Call:
    """One request that a stand-in received. `status` is None when the line was dropped before an answer."""

    method: str
    path: str
    query: str
    status: int | None
    body: bytes
    at: datetime


@dataclass(slots=True)
class Fault:
    """What to do to a matching request, `times` times (None: for ever), each with `probability`.

    refuse: answer `status` without doing the work · late: wait `seconds`, then do it · drop: cut the line without
    doing it · drop_after: do it, then cut the line · error_after: do it, then answer `status`.
    """

    how: Literal["refuse", "late", "drop", "drop_after", "error_after"]
    method: str = ""  # "" is any
    path: str = ""  # a regular expression, searched in the path; "" is any
    status: int = 503
    body: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    times: int | None = 1
    probability: float = 1.0


class Wire:
    """ASGI middleware that keeps the ledger and applies the faults. Thread-safe; the random source can be seeded."""

    def __init__(self, app: ASGIApp, now: Now = utc_now, seed: int = 0) -> None:
        self.app = app
        self.now = now
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self.answer: Response | None = None  # given to every request in place of the app's
        self.spoil: Callable[[Any], Any] | None = None  # what becomes of each JSON that is answered
        self._random = random.Random(seed)  # noqa: S311 (repeatable faults, no secrets)
        self._lock = threading.Lock()

    def calls_to(self, method: str, path: str) -> list[Call]:
        """The calls whose method is `method` and whose path matches the regular expression `path` whole."""
        return [call for call in self.calls if call.method == method and re.fullmatch(path, call.path)]

    def _fault_for(self, method: str, path: str) -> Fault | None:
        with self._lock:
            for fault in self.faults:
                if fault.times == 0 or (fault.method and fault.method != method):
                    continue
                if not re.search(fault.path, path) or self._random.random() >= fault.probability:
                    continue
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = await _read(receive)
        if body is None:
            return
        noted = False

        def note(status: int | None) -> None:
            """Once per request, and before the sender can know its end: who has an answer finds it in the ledger."""
            nonlocal noted
            if not noted:
                query = scope["query_string"].decode()
                self.calls.append(Call(scope["method"], scope["path"], query, status, body, self.now()))
            noted = True

        async def replay() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def recording(message: Message) -> None:
            if message["type"] == "http.response.start":
                note(message["status"])
            await send(message)

        async def swallow(message: Message) -> None:
            pass

        fault = self._fault_for(scope["method"], scope["path"])
        try:
            if fault is None or fault.how == "late":
                await asyncio.sleep(fault.seconds if fault else 0)
                spoilt = recording if self.spoil is None else _spoilt(recording, self.spoil)
                await (self.answer or self.app)(scope, replay, spoilt)
                return
            if fault.how in ("drop_after", "error_after"):
                await self.app(scope, replay, swallow)
            if fault.how in ("drop", "drop_after"):
                note(None)
                receive.__self__.transport.abort()  # type: ignore[attr-defined]  # uvicorn's request cycle
                return
            await JSONResponse(fault.body, fault.status, fault.headers)(scope, replay, recording)
        finally:
            note(None)


def _spoilt(send: Send, spoil: Callable[[Any], Any]) -> Send:
    """A `send` that lets nothing out before it is whole, and JSON only as `spoil` leaves it."""
    start: Message = {}
    content = bytearray()

    async def held(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
            return
        content.extend(message.get("body", b""))
        if message.get("more_body"):
            return
        body = bytes(content)
        with contextlib.suppress(ValueError):
            body = json.dumps(spoil(json.loads(body))).encode()
        headers = [pair for pair in start["headers"] if pair[0] != b"content-length"]
        await send({**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
        await send({"type": "http.response.body", "body": body})

    return held


async def _read(receive: Receive) -> bytes | None:
    """The whole body, or None if the sender died while sending: no service acts on half a request."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


class _Uvicorn(uvicorn.Server):
    """Is there, and gone, as soon as it is told to: uvicorn itself looks every 100 ms, and waits as long for its
    connections to close."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        await super().startup(sockets)
        self.up.set()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):  # renews the date that answers carry
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), 1.0)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=0.1)

    def end(self) -> None:
        self.should_exit = True
        if self.up.is_set():
            with suppress(RuntimeError):  # its loop is closed already
                self._loop.call_soon_threadsafe(self._over.set)


class Server:
    """An ASGI app served on 127.0.0.1 by a thread of its own; `port` 0 takes a free one."""

    def __init__(self, app: ASGIApp, port: int = 0) -> None:
        # asyncio turns Nagle's delay off (40 ms an answer) only where the protocol is named
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        config = uvicorn.Config(app, log_config=None, log_level="critical", lifespan="off", timeout_keep_alive=60)
        self._server = _Uvicorn(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)

    def start(self) -> Server:
        self._thread.start()
        if not self._server.up.wait(10):
            raise RuntimeError(f"the server on {self.url} did not start within 10 s")
        return self

    def stop(self) -> None:
        self._server.end()
        self._thread.join(timeout=5)
        self._socket.close()
