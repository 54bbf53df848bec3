"""The GitLab stand-in's webhooks: sent in order by one background thread, once each, and switched off when they fail.

Sources: "Webhooks" (headers, signing token), "Webhook events", "Auto-disabled webhooks", "Project webhooks API".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import queue
import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx2

from integrations.http import trusted
from integrations.sandbox.wire import Now

TIMEOUT = 10.0  # seconds
KEPT = timedelta(days=7)  # "Get a list of project webhook events": of the past 7 days
FAILURES = 4  # in a row: switched off for a while
FAILURES_FOR_GOOD = 40  # in a row: until somebody sends a test
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(days=1)
REDACTED = "[REDACTED]"

TRIGGERS = {  # trigger → what `X-Gitlab-Event` says, and the flag of the hook that asks for it
    "push_hooks": ("Push Hook", "push_events"),
    "tag_push_hooks": ("Tag Push Hook", "tag_push_events"),
    "issue_hooks": ("Issue Hook", "issues_events"),
    "confidential_issue_hooks": ("Confidential Issue Hook", "confidential_issues_events"),
    "note_hooks": ("Note Hook", "note_events"),
    "confidential_note_hooks": ("Confidential Note Hook", "confidential_note_events"),
    "merge_request_hooks": ("Merge Request Hook", "merge_requests_events"),
    "pipeline_hooks": ("Pipeline Hook", "pipeline_events"),
    "deployment_hooks": ("Deployment Hook", "deployment_events"),
    "release_hooks": ("Release Hook", "releases_events"),
}
FLAGS = (*(flag for _, flag in TRIGGERS.values()), "job_events", "wiki_page_events", "feature_flag_events")


@dataclass(slots=True)
class Hook:
    """A project's webhook. `failures`: in a row; `disabled_until` is when it is tried again."""

    id: int
    url: str
    created: datetime
    token: str | None = None
    signing_token: str | None = None
    flags: dict[str, bool] = field(default_factory=dict)
    branch_filter: str = ""
    ssl: bool = True
    name: str | None = None
    description: str | None = None
    ours: bool = False  # made by the stand-in's `webhook_url`
    failures: int = 0
    pause: timedelta = FIRST_PAUSE
    disabled_until: datetime | None = None

    def status(self, now: datetime) -> str:
        """`alert_status` of the API."""
        if self.failures >= FAILURES_FOR_GOOD:
            return "disabled"
        return "temporarily_disabled" if self.disabled_until and self.disabled_until > now else "executable"

    def failed(self, now: datetime) -> None:
        self.failures += 1
        if FAILURES <= self.failures < FAILURES_FOR_GOOD:
            self.disabled_until = now + self.pause
            self.pause = min(self.pause * 2, LONGEST_PAUSE)

    def succeeded(self) -> None:
        self.failures, self.pause, self.disabled_until = 0, FIRST_PAUSE, None


@dataclass(slots=True)
class Delivery:
    """One webhook request; `id` is its Idempotency-Key. `status`: the receiver's answer; None before it was sent;
    0 when there was no answer. `headers` are those of the last sending."""

    id: str
    event: str
    trigger: str
    action: str | None
    body: bytes
    headers: dict[str, str]
    at: datetime
    hook: Hook
    project_id: int
    status: int | None = None
    sent: int = 0  # how often it was sent

    @property
    def data(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sending of a delivery, as the API lists it; `status` is 0 where nobody answered, or it was held."""

    id: int
    delivery: Delivery
    at: datetime
    status: int
    headers: dict[str, str]


class Webhooks:
    """Thread-safe. GitLab never sends a failed delivery again by itself; `resend` does, with the same key."""

    def __init__(self, now: Now) -> None:
        self.now = now
        self.instance = ""
        self.hold = False
        self.deliveries: list[Delivery] = []
        self.attempts: list[Attempt] = []  # oldest first
        self._ids = itertools.count(501)
        self._queue: queue.Queue[Delivery] = queue.Queue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def tell(self, hooks: Sequence[Hook], project_id: int, trigger: str, body: dict[str, Any]) -> None:
        """Record a delivery for each hook that asks for `trigger`, and send it soon; what a hook that is switched off
        would have got is lost for good."""
        for hook in hooks:
            if hook.flags.get(TRIGGERS[trigger][1]) and hook.status(self.now()) == "executable":
                delivery = self.made(hook, project_id, trigger, body)
                if self.hold:
                    self._tried(delivery, 0)
                else:
                    self._send_soon(delivery)

    def made(self, hook: Hook, project_id: int, trigger: str, body: dict[str, Any]) -> Delivery:
        raw = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
        attributes = body.get("object_attributes") or {}
        action = body.get("action") or attributes.get("action") or body.get("status") or attributes.get("status")
        event = TRIGGERS[trigger][0]
        delivery = Delivery(str(uuid.uuid4()), event, trigger, action, raw, {}, self.now(), hook, project_id)
        delivery.headers = self._headers(delivery)
        self.deliveries.append(delivery)
        return delivery

    def _headers(self, delivery: Delivery) -> dict[str, str]:
        """The key stays the same for all sendings; the hook's uuid, the time and with it the signature do not."""
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "GitLab/18.4.1-ee",
            "Idempotency-Key": delivery.id,
            "X-Gitlab-Event": delivery.event,
            "X-Gitlab-Webhook-UUID": str(uuid.uuid4()),
            "X-Gitlab-Instance": self.instance,
            "X-Gitlab-Event-UUID": str(uuid.uuid4()),
        }
        if delivery.hook.token:
            headers["X-Gitlab-Token"] = delivery.hook.token
        if delivery.hook.signing_token:
            stamp = str(int(self.now().timestamp()))
            signed = f"{delivery.id}.{stamp}.".encode() + delivery.body
            key = base64.b64decode(delivery.hook.signing_token.removeprefix("whsec_"))
            digest = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
            headers |= {"webhook-id": delivery.id, "webhook-timestamp": stamp, "webhook-signature": f"v1,{digest}"}
        return headers

    def recent(self, hook: Hook) -> list[Attempt]:
        """What the API still lists of a hook, newest first."""
        since = self.now() - KEPT
        return [one for one in reversed(list(self.attempts)) if one.delivery.hook is hook and one.at > since]

    def _tried(self, delivery: Delivery, status: int) -> None:
        self.attempts.append(Attempt(next(self._ids), delivery, self.now(), status, dict(delivery.headers)))

    def redeliver(self, delivery_id: str) -> None:
        """Send a recorded delivery (again), same key and body; LookupError when there is none."""
        for delivery in self.deliveries:
            if delivery.id == delivery_id:
                self._send_soon(delivery)
                return
        raise LookupError(f"no delivery {delivery_id}")

    def send_now(self, delivery: Delivery, test: bool = False) -> int:
        """Send at once, whether or not the hook is switched off; the receiver's status, 0 for none.

        A test that succeeds switches the hook on again ("Auto-disabled webhooks").
        """
        with httpx2.Client(timeout=TIMEOUT, trust_env=False, verify=trusted()) as client:
            self._send(client, delivery, counts=False)
        if test and 200 <= (delivery.status or 0) < 300:
            delivery.hook.succeeded()
        return delivery.status or 0

    def settled(self, timeout: float = 10.0) -> bool:
        """Wait until everything queued was sent and answered; False when that took longer than `timeout` seconds."""
        with self._queue.all_tasks_done:
            return self._queue.all_tasks_done.wait_for(lambda: not self._queue.unfinished_tasks, timeout)

    def _send_soon(self, delivery: Delivery) -> None:
        self._queue.put(delivery)
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="gitlab-webhooks", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        with httpx2.Client(timeout=TIMEOUT, trust_env=False, verify=trusted()) as client:
            while True:
                delivery = self._queue.get()
                try:
                    if delivery.sent or delivery.hook.status(self.now()) == "executable":
                        self._send(client, delivery)
                finally:
                    self._queue.task_done()

    def _send(self, client: httpx2.Client, delivery: Delivery, counts: bool = True) -> None:
        if delivery.sent:
            delivery.headers = self._headers(delivery)
        delivery.sent += 1
        try:
            answer = client.post(delivery.hook.url, content=delivery.body, headers=delivery.headers)
            delivery.status = answer.status_code
        except httpx2.HTTPError:
            delivery.status = 0
        self._tried(delivery, delivery.status)
        if 200 <= delivery.status < 400:
            delivery.hook.succeeded()
        elif counts:
            delivery.hook.failed(self.now())
