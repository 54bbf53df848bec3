"""How Slack reaches the app: over a Socket Mode link when there is one, else by a signed request (pages "Using Socket
Mode", "Verifying requests from Slack")."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlencode
from uuid import uuid4

import httpx2
from starlette.websockets import WebSocket, WebSocketDisconnect

from integrations.http import trusted
from integrations.sandbox.slack.workspace import Json, SlackError, Workspace
from integrations.sandbox.wire import Now

Kind = Literal["slash_commands", "interactive", "events_api"]

MOST_LINKS = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """What the app answered to one delivery. `late`: not within Slack's limit; then, or when nobody could be reached,
    `status` is 0. Over a socket an acknowledgement is status 200."""

    status: int
    body: Any  # a dict, or a str
    late: bool

    @property
    def ok(self) -> bool:
        return self.status == 200 and not self.late


@dataclass(eq=False, slots=True)
class _Link:
    socket: WebSocket
    loop: asyncio.AbstractEventLoop

    def send(self, message: Json) -> None:
        asyncio.run_coroutine_threadsafe(self.socket.send_text(json.dumps(message)), self.loop)


class Delivery:
    """Hands payloads to the app and waits for its answer, `patience` seconds at most. Callable from any thread."""

    def __init__(self, workspace: Workspace, signing_clock: Now, patience: float) -> None:
        self.workspace = workspace
        self.signing_clock = signing_clock
        self.patience = patience
        self.events_url: str | None = None
        self.links: list[_Link] = []
        self._tickets: set[str] = set()
        self._waiting: dict[str, Future[Any]] = {}
        self._turn = 0
        unpooled = httpx2.Limits(max_keepalive_connections=0)  # the app may restart between two deliveries
        self._http = httpx2.Client(timeout=patience, trust_env=False, limits=unpooled, verify=trusted())

    # --- Socket Mode

    def connections_open(self, token: str, host: str) -> Json:
        """The answer to apps.connections.open: an address that is good for one connection."""
        me = self.workspace.identity
        if token != me.app_token:
            known = token == me.bot_token
            raise SlackError("not_allowed_token_type" if known else "invalid_auth" if token else "not_authed")
        ticket = uuid4().hex
        self._tickets.add(ticket)
        return {"url": f"ws://{host}/link/?ticket={ticket}&app_id={me.app_id}"}

    async def link(self, socket: WebSocket) -> None:
        """One Socket Mode connection, from hello to its end."""
        ticket = socket.query_params.get("ticket", "")
        if ticket not in self._tickets:
            await socket.close(4003)
            return
        self._tickets.discard(ticket)
        await socket.accept()
        if len(self.links) >= MOST_LINKS:
            await socket.send_text(json.dumps({"type": "disconnect", "reason": "too_many_websockets"}))
            await socket.close()
            return
        link = _Link(socket, asyncio.get_running_loop())
        await socket.send_text(json.dumps(self._hello()))
        with self.workspace.change():
            self.links.append(link)
        try:
            while True:
                self._heard(await socket.receive_text())
        except WebSocketDisconnect:
            pass
        finally:
            with self.workspace.change():
                self.links.remove(link)

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.links) + 1,
            "debug_info": {"host": "applink-sandbox", "build_number": 1, "approximate_connection_time": 18060},
            "connection_info": {"app_id": self.workspace.identity.app_id},
        }

    def _heard(self, text: str) -> None:
        try:
            message = json.loads(text)
        except ValueError:
            return
        waiting = self._waiting.pop(message.get("envelope_id", ""), None) if isinstance(message, dict) else None
        if waiting is not None:
            waiting.set_result(message.get("payload") or "")

    def disconnect(self, reason: str = "refresh_requested") -> None:
        """Ends every link as Slack does now and then; the app is expected to connect again."""
        for link in list(self.links):
            link.send({"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-sandbox"}})
            asyncio.run_coroutine_threadsafe(link.socket.close(), link.loop)

    # --- one delivery

    def deliver(self, kind: Kind, payload: Json, retry: int = 0) -> Answer:
        """Hands over one payload; `retry` counts how often it was tried before (events only)."""
        with self.workspace.changed:
            self._turn += 1
            link = self.links[self._turn % len(self.links)] if self.links else None
        if link:
            return self._over_socket(link, kind, payload, retry)
        if self.events_url:
            return self._over_http(self.events_url, kind, payload, retry)
        return Answer(0, "no app is connected", late=False)

    def _over_socket(self, link: _Link, kind: Kind, payload: Json, retry: int) -> Answer:
        envelope: Json = {"envelope_id": str(uuid4()), "type": kind, "payload": payload}
        envelope["accepts_response_payload"] = kind != "events_api"
        if kind == "events_api":
            envelope |= {"retry_attempt": retry, "retry_reason": "timeout" if retry else ""}
        waiting: Future[Any] = Future()
        self._waiting[envelope["envelope_id"]] = waiting
        link.send(envelope)
        try:
            return Answer(200, waiting.result(self.patience), late=False)
        except TimeoutError:
            self._waiting.pop(envelope["envelope_id"], None)
            return Answer(0, "", late=True)

    def _over_http(self, url: str, kind: Kind, payload: Json, retry: int) -> Answer:
        if kind == "events_api":
            body, content_type = json.dumps(payload), "application/json"
        else:
            form = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
            body, content_type = urlencode(form), "application/x-www-form-urlencoded"
        headers = {"Content-Type": content_type, **self.signed(body)}
        if retry:
            headers |= {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": "http_timeout"}
        try:
            response = self._http.post(url, content=body.encode(), headers=headers)
        except httpx2.TimeoutException:
            return Answer(0, "", late=True)
        except httpx2.TransportError as error:
            return Answer(0, type(error).__name__, late=False)
        if response.headers.get("content-type", "").startswith("application/json") and response.content:
            return Answer(response.status_code, response.json(), late=False)
        return Answer(response.status_code, response.text, late=False)

    def signed(self, body: str) -> dict[str, str]:
        """The headers that prove a request to be Slack's."""
        stamp = str(int(self.signing_clock().timestamp()))
        secret = self.workspace.identity.signing_secret.encode()
        digest = hmac.new(secret, f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}
