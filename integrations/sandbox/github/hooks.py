"""The GitHub stand-in's webhooks: signed as GitHub signs them, sent in order by one background thread, once each."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import queue
import threading
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx2

from integrations.http import trusted
from integrations.sandbox.wire import Now

TIMEOUT = 10.0  # seconds; "Best practices for using webhooks": answer 2xx within 10 s
HOOK_ID = 109948940
KEPT = timedelta(days=3)  # "Handling failed webhook deliveries": what was sent in the past three days can be sent again


@dataclass(slots=True)
class Delivery:
    """One webhook request. `status`: the receiver's answer; None before it was sent; 0 when there was no answer."""

    id: str
    event: str
    action: str | None
    body: bytes
    headers: dict[str, str]
    at: datetime
    status: int | None = None
    sent: int = 0  # how often it was sent
    repository_id: int = 0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sending of a delivery, or a held one's that failed; `status` is 502 where nobody answered."""

    id: int
    delivery: Delivery
    at: datetime
    redelivery: bool
    status: int

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class Webhooks:
    """Thread-safe. GitHub never sends a failed delivery again by itself; `redeliver` does, with the same id."""

    def __init__(self, secret: str, now: Now) -> None:
        self.secret = secret
        self.now = now
        self.url: str | None = None
        self.hold = False
        self.deliveries: list[Delivery] = []
        self.attempts: list[Attempt] = []  # oldest first
        self._ids = itertools.count(12_000_000_001)
        self._queue: queue.Queue[Delivery] = queue.Queue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def tell(self, event: str, body: dict[str, Any], repository_id: int) -> None:
        """Record a delivery and send it soon; with no address and no `hold` there is no hook, so nothing happens."""
        if self.url is None and not self.hold:
            return
        raw = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
        delivery = Delivery(str(uuid.uuid4()), event, body.get("action"), raw, {}, self.now())
        delivery.repository_id = repository_id
        signature = hmac.new(self.secret.encode(), raw, hashlib.sha256).hexdigest()
        delivery.headers = {
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/5a1db0e",
            "X-GitHub-Delivery": delivery.id,
            "X-GitHub-Event": event,
            "X-GitHub-Hook-ID": str(HOOK_ID),
            "X-GitHub-Hook-Installation-Target-ID": str(repository_id),
            "X-GitHub-Hook-Installation-Target-Type": "repository",
            "X-Hub-Signature-256": f"sha256={signature}",
        }
        self.deliveries.append(delivery)
        if self.hold:
            self._tried(delivery, 0)
        else:
            self._send_soon(delivery)

    def recent(self) -> list[Attempt]:
        """The attempts that can still be listed and repeated, newest first."""
        since = self.now() - KEPT
        return [attempt for attempt in reversed(list(self.attempts)) if attempt.at > since]

    def _tried(self, delivery: Delivery, status: int) -> None:
        again = any(attempt.delivery is delivery for attempt in list(self.attempts))
        self.attempts.append(Attempt(next(self._ids), delivery, self.now(), again, status or 502))

    def redeliver(self, delivery_id: str) -> None:
        """Send a recorded delivery (again), same id and body; LookupError when there is none."""
        for delivery in self.deliveries:
            if delivery.id == delivery_id:
                self._send_soon(delivery)
                return
        raise LookupError(f"no delivery {delivery_id}")

    def settled(self, timeout: float = 10.0) -> bool:
        """Wait until everything queued was sent and answered; False when that took longer than `timeout` seconds."""
        with self._queue.all_tasks_done:
            return self._queue.all_tasks_done.wait_for(lambda: not self._queue.unfinished_tasks, timeout)

    def _send_soon(self, delivery: Delivery) -> None:
        self._queue.put(delivery)
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="github-webhooks", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        with httpx2.Client(timeout=TIMEOUT, trust_env=False, verify=trusted()) as client:
            while True:
                delivery = self._queue.get()
                try:
                    delivery.sent += 1
                    if self.url is not None:
                        answer = client.post(self.url, content=delivery.body, headers=delivery.headers)
                        delivery.status = answer.status_code
                        self._tried(delivery, delivery.status)
                except httpx2.HTTPError:
                    delivery.status = 0
                    self._tried(delivery, 0)
                finally:
                    self._queue.task_done()
