"""What Prometheus reads: how much there is of what, as the store has it, and what this process has done so far.

No label comes from outside: each is a configured name or a word of ours. Nothing here is about a customer.
"""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from bot import shipping
from bot.bridge.core import Bridge
from bot.model import Stage, WriteBack
from bot.outbox import Job
from bot.store import gauges, queries
from bot.store.tables import EffectState
from integrations.base import Helpdesk, Tracker
from integrations.meter import METER

ACK = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0)
"""Seconds. Slack waits three for an answer, and a webhook's sender should have its within one."""


class Metrics:
    """The metrics of one process."""

    def __init__(self, bridge: Bridge) -> None:
        # one more series for each, which no alert asks for
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self._slack = Histogram(
            "passerelle_slack_ack_duration_seconds",
            "How long Slack waited for the answer to a command, an interaction or an event.",
            ("transport",),
            buckets=ACK,
            registry=self._registry,
        )
        self._webhooks = Histogram(
            "passerelle_webhook_ack_duration_seconds",
            "How long the sender of an authentic webhook waited for the answer.",
            ("source",),
            buckets=ACK,
            registry=self._registry,
        )
        self._refused = self._counter("webhooks_refused", "Webhooks that were not authentic.", "source")
        self._unknown = self._counter("webhooks_unknown", "Webhooks under a name that is not configured.")
        self._unsigned = self._counter("slack_requests_refused", "Requests that Slack did not sign, or too long ago.")
        self._ended = self._counter("effects_tried", "Tries of promised calls, by how they ended.", "kind", "outcome")
        self._digests = self._counter("digests_posted", "Digests that were posted.", "digest")
        for name in (*bridge.trackers, *bridge.helpdesks):
            self._webhooks.labels(name)
            self._refused.labels(name)
        for digest in bridge.settings.digests:
            self._digests.labels(digest.name)
        ProcessCollector(registry=self._registry)
        self._registry.register(_Collector(bridge))

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(f"passerelle_{name}", what, labels, registry=self._registry)

    # --- what is told to it

    @contextmanager
    def answering_slack(self, transport: str) -> Iterator[None]:
        """Slack waits meanwhile; `transport` is http or socket."""
        began = time.perf_counter()
        yield
        self._slack.labels(transport).observe(time.perf_counter() - began)

    def slack_refused(self) -> None:
        self._unsigned.inc()

    @contextmanager
    def answering_webhook(self, source: str) -> Iterator[None]:
        """The sender of an authentic webhook waits meanwhile."""
        began = time.perf_counter()
        yield
        self._webhooks.labels(source).observe(time.perf_counter() - began)

    def webhook_refused(self, source: str | None) -> None:
        """A webhook was not authentic; None: there is no such source."""
        (self._refused.labels(source) if source is not None else self._unknown).inc()

    def tried(self, job: Job, outcome: str) -> None:
        """An effect was tried: it is done, comes again, or was given_up."""
        self._ended.labels(job.kind, outcome).inc()

    def posted(self, digest: str) -> None:
        """A digest stands in Slack."""
        self._digests.labels(digest).inc()

    # --- what is read

    async def scrape(self, request: Request) -> Response:
        """GET /metrics"""
        encode, kind = choose_encoder(request.headers.get("accept", ""))
        return Response(await run_in_threadpool(encode, self._registry), headers={"content-type": kind})


class _Collector:
    """What the store has, looked up at each scrape; while it cannot be asked, `passerelle_up` is 0 and the rest of
    it is absent."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def describe(self) -> list[Metric]:
        """Nothing: registering must not ask the store."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield from METER.collect()
        up = GaugeMetricFamily("passerelle_up", "Whether the database can be worked with: 1, or 0.")
        try:
            with self._bridge.store.read() as session:
                found = list(self._stored(session, self._bridge.clock.now()))
        except SQLAlchemyError:
            found = []
        up.add_metric([], 1 if found else 0)
        yield up
        yield from found

    def _stored(self, session: Session, now: datetime) -> Iterator[Metric]:
        yield from self._work(session, now)
        yield from self._promised(session, now)
        yield from self._heard(session, now)

    def _work(self, session: Session, now: datetime) -> Iterator[Metric]:
        issues = {(one.key, stage): 0 for one in self._bridge.settings.projects for stage in Stage}
        yield _gauge("issues", "Issues.", ("project", "stage"), issues | gauges.issues(session))
        states = {(state,): 0 for state in WriteBack}
        states |= {(state,): n for state, n in gauges.write_backs(session).items()}
        yield _gauge("write_backs", "Write-backs, by their state.", ("state",), states)
        oldest = _age(gauges.oldest_due(session), now)
        yield _gauge("write_back_oldest_due_seconds", "Age of the oldest write-back that is due.", (), {(): oldest})

    def _promised(self, session: Session, now: datetime) -> Iterator[Metric]:
        effects = gauges.effects(session)
        yield _gauge("effects", "Promised calls that are not over.", ("kind", "state"), effects)
        dead = sum(n for (_, state), n in effects.items() if state is EffectState.DEAD)
        yield _gauge("dead_letters", "Promised calls that were given up and wait for a person.", (), {(): dead})
        oldest = _age(queries.oldest_due(session, now), now)
        text = "How long the promised call that is due for longest has been due."
        yield _gauge("effect_oldest_undone_seconds", text, (), {(): oldest})
        services: list[Tracker | Helpdesk] = [*self._bridge.trackers.values(), *self._bridge.helpdesks.values()]
        names = {one.lane: one.name for one in services}
        closed = Tally({(name,): 0 for name in (*names.values(), "slack")})
        closed.update((names.get(lane, "slack"),) for lane in gauges.closed_lanes(session, now))
        yield _gauge("lanes_closed", "Lanes that a rate limit or a pace keeps closed.", ("service",), closed)

    def _heard(self, session: Session, now: datetime) -> Iterator[Metric]:
        sources = (*self._bridge.trackers, *self._bridge.helpdesks)
        kept = {(source, state): 0 for source in sources for state in ("read", "unread")}
        last: dict[tuple[str, ...], float] = {}
        for source, n, read, at in gauges.deliveries(session):
            kept |= {(source, "read"): read, (source, "unread"): n - read}
            last[(source,)] = at.timestamp()
        yield _gauge("deliveries", "Webhook deliveries that are kept.", ("source", "state"), kept)
        text = "When the last authentic delivery came, in seconds since 1970."
        yield _gauge("delivery_last_timestamp_seconds", text, ("source",), last)
        looks = {
            f"poll:{project.key}:{resource}": (project.key, resource)
            for project in self._bridge.settings.projects
            for resource in shipping.resources(project)
        }
        ages = {looks[key]: _age(at, now) for key, at in gauges.performed(session, looks).items()}
        text = "Since when a tracker was not asked what was touched."
        yield _gauge("reconciliation_age_seconds", text, ("project", "resource"), ages)


def _gauge(name: str, text: str, labels: tuple[str, ...], values: Mapping[Any, float]) -> Metric:
    family = GaugeMetricFamily(f"passerelle_{name}", text, labels=labels)
    for given, value in sorted(values.items()):
        family.add_metric([str(one) for one in given], value)
    return family


def _age(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0
