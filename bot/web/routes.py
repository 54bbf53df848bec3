"""The web side: Slack's requests, webhooks, and whether we are well."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta

import structlog
from slack_bolt import App as Bolt, BoltRequest
from slack_sdk.signature import Clock as SignatureClock, SignatureVerifier
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.bridge import inbox
from bot.bridge.core import Bridge
from bot.clock import Clock
from bot.web.metrics import Metrics
from integrations.base import BadSignature, WebhookSource

log = structlog.get_logger()

LARGEST = 25 * 1024 * 1024
"""Bytes of a webhook's body: what GitHub sends at most."""

OVERDUE = timedelta(minutes=15)
"""An effect that is due for longer means that no worker is at work."""


class _Now(SignatureClock):
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock.now().timestamp()


def build(bridge: Bridge, bolt: Bolt, signing_secret: str, metrics: Metrics) -> Starlette:
    """The application. Without a signing secret there is no `/slack/events`."""
    web = _Web(bridge, bolt, signing_secret, metrics)
    routes = [
        Route("/webhooks/{name}", web.webhook, methods=["POST", "HEAD"]),
        Route("/healthz", web.healthz),
        Route("/readyz", web.readyz),
        Route("/metrics", metrics.scrape),
    ]
    if signing_secret:
        routes.append(Route("/slack/events", web.slack, methods=["POST"]))
    return Starlette(routes=routes, exception_handlers={Exception: _broke})


async def _broke(request: Request, error: Exception) -> Response:
    """A fault of our own: the sender comes again, and the log says where it happened."""
    log.error("web.failed", path=request.url.path.split("/")[1], exc_info=error)
    return PlainTextResponse("something broke here", 500)


class _Web:
    def __init__(self, bridge: Bridge, bolt: Bolt, signing_secret: str, metrics: Metrics) -> None:
        self._bridge = bridge
        self._metrics = metrics
        self._bolt = bolt
        self._verifier = SignatureVerifier(signing_secret, _Now(bridge.clock)) if signing_secret else None
        self._sources: Mapping[str, WebhookSource] = {**bridge.trackers, **bridge.helpdesks}

    async def slack(self, request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return PlainTextResponse("too large", 413)
        if not self._is_slacks(body, request):
            self._metrics.slack_refused()
            return PlainTextResponse("not signed by Slack, or too long ago", 401)
        with self._metrics.answering_slack("http"):
            return await self._dispatched(body, request)

    async def _dispatched(self, body: bytes, request: Request) -> Response:
        bolt_request = BoltRequest(body=body.decode(errors="replace"), headers=dict(request.headers))
        answer = await run_in_threadpool(self._bolt.dispatch, bolt_request)
        response = Response(answer.body, answer.status)
        for name, found in answer.headers.items():
            if name.lower() != "content-length":
                response.headers[name] = found[0]
        return response

    def _is_slacks(self, body: bytes, request: Request) -> bool:
        try:
            return self._verifier is not None and self._verifier.is_valid_request(body, dict(request.headers))
        except (ValueError, TypeError):  # a time or a signature that is none, a body that is no text
            return False

    async def webhook(self, request: Request) -> Response:
        name = request.path_params["name"]
        source = self._sources.get(name)
        if source is None:
            self._metrics.webhook_refused(None)
            return PlainTextResponse("no such webhook", 404)
        if request.method == "HEAD":  # Intercom tries an address so before it takes it ("Set up Webhooks")
            return Response()
        body = await _body(request)
        if body is None:
            return PlainTextResponse("too large", 413)
        headers = {key.lower(): value for key, value in request.headers.items()}
        try:
            sender_id = source.verify(headers, body, self._bridge.clock.now())
        except BadSignature:
            self._metrics.webhook_refused(name)
            return PlainTextResponse("not authentic", 401)
        with self._metrics.answering_webhook(name):
            return await self._stored(name, source, sender_id, headers, body)

    async def _stored(
        self, name: str, source: WebhookSource, sender_id: str, headers: Mapping[str, str], body: bytes
    ) -> Response:
        kept = {key: headers[key] for key in source.kept_headers if key in headers}
        body_hash = hashlib.sha256(body).hexdigest()
        try:
            await run_in_threadpool(inbox.store, self._bridge, name, sender_id, body_hash, kept, body)
        except SQLAlchemyError as error:
            log.error("webhook.not_stored", source=name, error=type(error).__name__)
            return PlainTextResponse("could not be stored, send it again", 503)
        return PlainTextResponse("stored", 202)

    async def healthz(self, _request: Request) -> Response:
        return JSONResponse({"ok": True})

    async def readyz(self, _request: Request) -> Response:
        try:
            report = await run_in_threadpool(inbox.readiness, self._bridge)
        except SQLAlchemyError as error:
            return JSONResponse({"ok": False, "database": type(error).__name__}, 503)
        age = report["oldest_undone_effect_seconds"]
        ok = not report["schema"] and age < OVERDUE.total_seconds()
        return JSONResponse({"ok": ok, **report}, 200 if ok else 503)


async def _body(request: Request) -> bytes | None:
    """The request's body, or None when it is larger than anything a service sends."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared) > LARGEST:
        return None
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST:
                return None
    except ClientDisconnect:
        return None
    return bytes(body)
