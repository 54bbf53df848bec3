"""A stand-in for Zendesk Support on loopback: the API that the adapter uses, as strict as the real one, and webhooks.

Comments are public unless told otherwise, closed tickets refuse every update, custom metadata is taken from the ticket
object alone and read back in the audits. Pages: "Tickets", "Ticket Comments", "Ticket Audits", "Pagination",
"Responses", "Ticket events" (developer.zendesk.com).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import json
import queue
import threading
import uuid
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx2
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from integrations.http import trusted
from integrations.sandbox.wire import Now, Server, Wire, utc_now
from integrations.sandbox.zendesk_answers import body_of, invalid, page, refuse_closed, refused
from integrations.sandbox.zendesk_desk import Desk, Record

Handler = Callable[[Request], Awaitable[Response]]
_STATUSES = ("new", "open", "pending", "hold", "solved", "closed")
_MOST_METADATA = 1024  # bytes, "Setting metadata"
_HOOK_TIMEOUT = 12.0  # seconds


@dataclass(slots=True)
class Delivery:
    """One webhook request. `status` is the receiver's answer, None before it was sent, 0 when there was no answer."""

    id: str
    kind: str
    headers: dict[str, str]
    body: bytes
    at: datetime
    status: int | None = None


class ZendeskStandIn(Desk):
    """Zendesk as one account sees it. `webhook_url`: where webhooks go; while it is "", none are made."""

    def __init__(
        self,
        now: Now = utc_now,
        *,
        email: str = "bot@acme.example",
        token: str = "zd-sandbox",  # noqa: S107 (opens nothing but this stand-in)
        webhook_secret: str = "sandbox-zendesk-secret",  # noqa: S107
        first_number: int = 4211,
        requests_per_minute: int | None = None,
    ) -> None:
        super().__init__(now, email, first_number)
        self.email = email
        self.token = token
        self.webhook_secret = webhook_secret
        self.requests_per_minute = requests_per_minute
        self.on_hold = True  # whether the account has switched that status on
        self.webhook_url = ""
        self.deliveries: list[Delivery] = []
        self.app = Starlette(routes=self._routes(), exception_handlers={HTTPException: refused})
        self.wire = Wire(self.app, now)
        self._server: Server | None = None
        self._recent: deque[datetime] = deque()
        self._outgoing: queue.Queue[Delivery | None] = queue.Queue()

    def start(self, port: int = 0) -> ZendeskStandIn:
        """Serve on 127.0.0.1; `port` 0 takes a free one."""
        self._server = Server(self.wire, port).start()
        self.url = self._server.url
        threading.Thread(target=self._send_webhooks, daemon=True).start()
        return self

    def stop(self) -> None:
        if self._server is not None:
            self._outgoing.put(None)
            self._server.stop()
            self._server = None

    # --- webhooks -----------------------------------------------------------------------------------------------------

    def told(self, kind: str, number: int) -> None:
        if not self.webhook_url:
            return
        record = self.records[number]
        event = {
            "type": f"zen:event-type:ticket.{kind}",
            "id": str(uuid.uuid4()),
            "account_id": 22129848,
            "time": self.stamp(),
            "zen_event_version": "2022-06-20",
            "subject": f"zen:ticket:{number}",
            "detail": {
                "id": str(number),
                "subject": record["subject"],
                "status": record["status"].upper(),
                "requester_id": str(record["requester_id"]),
                "tags": record["tags"],
                "updated_at": record["updated_at"],
            },
            "event": {},
        }
        body = json.dumps(event).encode()
        delivery = Delivery(str(uuid.uuid4()), kind, {}, body, self.now())
        stamp = self.stamp()
        delivery.headers = {
            "content-type": "application/json; charset=utf-8",
            "user-agent": "Zendesk Webhook",
            "x-zendesk-account-id": "22129848",
            "x-zendesk-webhook-id": "01HSANDBOXWEBHOOK",
            "x-zendesk-webhook-invocation-id": delivery.id,
            "x-zendesk-webhook-signature": self.signature(stamp, body),
            "x-zendesk-webhook-signature-timestamp": stamp,
        }
        self.deliveries.append(delivery)
        self._outgoing.put(delivery)

    def signature(self, stamp: str, body: bytes) -> str:
        """base64(HMAC-SHA256(timestamp + body)), as "Verifying webhook authenticity" has it."""
        digest = hmac.new(self.webhook_secret.encode(), stamp.encode() + body, hashlib.sha256).digest()
        return base64.b64encode(digest).decode()

    def redeliver(self, delivery_id: str) -> None:
        """Send a recorded delivery again, same id and body."""
        self._outgoing.put(next(delivery for delivery in self.deliveries if delivery.id == delivery_id))

    def _send_webhooks(self) -> None:
        with httpx2.Client(timeout=_HOOK_TIMEOUT, trust_env=False, verify=trusted()) as client:
            while (delivery := self._outgoing.get()) is not None:
                try:
                    answer = client.post(self.webhook_url, content=delivery.body, headers=delivery.headers)
                    delivery.status = answer.status_code
                except (httpx2.RequestError, httpx2.InvalidURL):
                    delivery.status = 0
                with self.changed:
                    self.changed.notify_all()

    # --- the API ------------------------------------------------------------------------------------------------------

    def _routes(self) -> list[Route]:
        table: list[tuple[str, str, Handler]] = [
            ("GET", "/users/me", self._show_me),
            ("GET", "/users/search", self._search_users),
            ("GET", "/users/show_many", self._show_users),
            ("GET", "/users/{id:int}/tickets/requested", self._list_requested),
            ("GET", "/organizations/{id:int}", self._show_organisation),
            ("GET", "/tickets", self._list_tickets),
            ("POST", "/tickets", self._create_ticket),
            ("GET", "/tickets/{id:int}", self._show_ticket),
            ("PUT", "/tickets/{id:int}", self._update_ticket),
            ("GET", "/tickets/{id:int}/comments", self._list_comments),
            ("GET", "/tickets/{id:int}/audits", self._list_audits),
            ("PUT", "/tickets/{id:int}/tags", self._add_tags),
        ]
        routes = [
            Route(f"/api/v2{path}{ending}", self._guarded(handler), methods=[method])
            for method, path, handler in table
            for ending in (".json", "")
        ]
        return [
            *routes,
            Route("/agent/tickets/{id:int}", self._agents_page, methods=["GET"]),
            Route("/attachments/token/{id:int}/", self._guarded(self._send_on), methods=["GET"]),
            Route("/files/{id:int}", self._file, methods=["GET"]),
        ]

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: Request) -> Response:
            credentials = request.headers.get("authorization", "")
            expected = base64.b64encode(f"{self.email}/token:{self.token}".encode()).decode()
            if not credentials and request.url.path.startswith("/api/v2/users/me"):
                return JSONResponse({"user": {"id": None, "name": "Anonymous user", "role": "end-user"}})
            if not hmac.compare_digest(credentials.encode(), f"Basic {expected}".encode()):
                return JSONResponse({"error": "Couldn't authenticate you"}, 401)
            wait = self._over_the_limit()
            if wait is not None:
                body = {"error": "APIRateLimitExceeded", "description": "Number of allowed API requests exceeded"}
                return JSONResponse(body, 429, {"Retry-After": str(wait)})
            await request.body()  # read here, so that nothing is waited for while the lock is held
            with self.changed:
                return await handler(request)

        return guarded

    def _over_the_limit(self) -> int | None:
        if self.requests_per_minute is None:
            return None
        now = self.now()
        with self.changed:
            while self._recent and now - self._recent[0] >= timedelta(minutes=1):
                self._recent.popleft()
            if len(self._recent) >= self.requests_per_minute:
                return max(1, 60 - int((now - self._recent[0]).total_seconds()))
            self._recent.append(now)
            return None

    def _asked(self, request: Request) -> Record:
        try:
            return self.record(str(request.path_params["id"]))
        except LookupError:
            raise HTTPException(404) from None

    async def _show_me(self, request: Request) -> Response:
        return JSONResponse({"user": self.users[self.me]})

    async def _search_users(self, request: Request) -> Response:
        query = request.query_params.get("query", "")
        wanted = query.removeprefix("email:").strip('"').lower()
        found = [user for user in self.users.values() if wanted and wanted in user["email"].lower()]
        return JSONResponse({"users": found, "next_page": None, "previous_page": None, "count": len(found)})

    async def _show_users(self, request: Request) -> Response:
        ids = {int(part) for part in request.query_params.get("ids", "").split(",") if part.isdigit()}
        return JSONResponse({"users": [user for user in self.users.values() if user["id"] in ids]})

    async def _show_organisation(self, request: Request) -> Response:
        found = self.organisations.get(request.path_params["id"])
        if found is None:
            raise HTTPException(404)
        return JSONResponse({"organization": found})

    async def _show_ticket(self, request: Request) -> Response:
        record = self._asked(request)
        answer: Record = {"ticket": self._shown(record)}
        included = request.query_params.get("include", "").split(",")
        if "users" in included:
            ids = {record["requester_id"], record["submitter_id"], record["assignee_id"]}
            answer["users"] = [user for user in self.users.values() if user["id"] in ids]
        if "organizations" in included:
            answer["organizations"] = [
                found for found in self.organisations.values() if found["id"] == record["organization_id"]
            ]
        return JSONResponse(answer)

    async def _list_tickets(self, request: Request) -> Response:
        wanted = request.query_params.get("external_id")
        found = [record for record in self.records.values() if wanted in (None, record["external_id"])]
        return self._list(request, found)

    async def _list_requested(self, request: Request) -> Response:
        person = request.path_params["id"]
        if person not in self.users:
            raise HTTPException(404)
        return self._list(request, [record for record in self.records.values() if record["requester_id"] == person])

    def _list(self, request: Request, records: list[Record]) -> Response:
        shown = [self._shown(record) for record in records if record["status"] != "deleted"]
        return self._page(request, "tickets", shown, "requester_id")

    async def _list_comments(self, request: Request) -> Response:
        comments = self.comments(self._asked(request))
        if request.query_params.get("include_inline_images") != "true":
            comments = [
                one | {"attachments": [each for each in one["attachments"] if not each["inline"]]} for one in comments
            ]
        return self._page(request, "comments", comments)

    async def _list_audits(self, request: Request) -> Response:
        return self._page(request, "audits", self._asked(request)["audits"])

    async def _send_on(self, request: Request) -> Response:
        if request.path_params["id"] not in self.files:
            raise HTTPException(404)
        return RedirectResponse(f"/files/{request.path_params['id']}", 302)

    async def _file(self, request: Request) -> Response:
        content, content_type = self.files[request.path_params["id"]]
        return Response(content, media_type=content_type)

    async def _add_tags(self, request: Request) -> Response:
        record = self._asked(request)
        refuse_closed(record)
        tags = (await body_of(request)).get("tags")
        if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
            raise HTTPException(400, "tags must be a list of text")
        new = [tag for tag in dict.fromkeys(tags) if tag not in record["tags"]]
        if new:
            with self.changing():
                record["tags"] += new
            self.told("tags_changed", record["id"])
        return JSONResponse({"tags": record["tags"]})

    async def _create_ticket(self, request: Request) -> Response:
        wanted = (await body_of(request)).get("ticket")
        if not isinstance(wanted, dict) or not isinstance(wanted.get("comment"), dict):
            raise invalid("base", "Description: cannot be blank", "BlankValue")
        metadata = _metadata(wanted)
        author, public = self._author(wanted["comment"])
        if wanted.get("requester_id", self.me) not in self.users:
            raise invalid("requester", "Requester: is invalid")
        with self.changing():
            number, audit = self.follow(wanted, author, public, metadata)
        self.told("created", number)
        return JSONResponse({"ticket": self._shown(self.records[number]), "audit": audit}, 201)

    async def _update_ticket(self, request: Request) -> Response:
        record = self._asked(request)
        changes = (await body_of(request)).get("ticket")
        if not isinstance(changes, dict):
            raise HTTPException(400, "ticket is missing")
        refuse_closed(record)
        metadata = _metadata(changes)
        if changes.get("status", "open") not in (_STATUSES if self.on_hold else {*_STATUSES} - {"hold"}):
            raise invalid("status", f"Status: {changes['status']} is not included in the list")
        if changes.get("safe_update") and changes.get("updated_stamp") != record["updated_at"]:
            return JSONResponse({"error": "UpdateConflict", "description": "Safe Update prevented the update"}, 409)
        comment = changes.get("comment")
        if comment is not None:
            author, public = self._author(comment)
        with self.changing():
            record["status"] = changes.get("status", "open" if record["status"] == "new" else record["status"])
            if comment is None:
                audit = self.audit(record["id"], self.me, [], metadata, "api")
            else:
                text = comment.get("html_body") or comment["body"]
                rich = bool(comment.get("html_body"))
                audit = self.comment(record["id"], author, text, public=public, html=rich, by=self.me, custom=metadata)
        self.told("comment_added" if comment else "status_changed", record["id"])
        return JSONResponse({"ticket": self._shown(record), "audit": audit})

    def _author(self, comment: Any) -> tuple[int, bool]:
        """Who a new comment is by, and whether it is public; 422 for what Zendesk refuses."""
        if not isinstance(comment, dict):
            raise invalid("comment", "Comment: is invalid")
        text = comment.get("html_body") or comment.get("body")
        if not isinstance(text, str) or not text.strip():
            raise invalid("comment", "Comment: cannot be blank", "BlankValue")
        author = self.users.get(comment.get("author_id", self.me))
        if author is None:
            raise invalid("author", "Author: is invalid")
        public = comment.get("public", True)
        is_light = author["role_type"] == 1 or author["only_private_comments"]
        return author["id"], bool(public) and not is_light

    def _shown(self, record: Record) -> Record:
        shown = {key: value for key, value in record.items() if key != "audits"}
        comments = self.comments(record)
        return shown | {
            "url": f"{self.url}/api/v2/tickets/{record['id']}.json",
            "raw_subject": record["subject"],
            "description": comments[0]["body"],
            "is_public": any(comment["public"] for comment in comments),
            "via": record["via"] or comments[0]["via"],
        }

    def _page(self, request: Request, key: str, records: list[Record], people: str = "author_id") -> Response:
        answer = page(request, key, records)
        if "users" in request.query_params.get("include", "").split(","):
            authors = {record[people] for record in answer[key]}
            answer["users"] = [user for user in self.users.values() if user["id"] in authors]
        return JSONResponse(answer)

    async def _agents_page(self, request: Request) -> Response:
        ticket = self.ticket(str(self._asked(request)["id"]))
        said = "".join(
            f"<h2>{html.escape(comment['author'])}{'' if comment['public'] else ' (internal note)'}</h2>"
            f"<p style='white-space: pre-wrap'>{html.escape(comment['body'])}</p>"
            for comment in ticket["comments"]
        )
        title = html.escape(f"Ticket {ticket['number']}: {ticket['subject']}")
        return HTMLResponse(f"<!doctype html><meta charset=utf-8><title>{title}</title><h1>{title}</h1>{said}")


def _metadata(ticket: Record) -> Record:
    """The custom metadata that comes with a ticket or its update; 422 when it is none."""
    metadata = ticket.get("metadata") or {}
    if not isinstance(metadata, dict) or len(json.dumps(metadata)) > _MOST_METADATA:
        raise invalid("metadata", "Metadata: is not an object, or too long")
    return metadata
