"""How the calls to services go: how many, how they end, how long they take, and how many more a service allows.

The counts are of this process, since it began; whoever publishes them reads `METER`. Labels are configured names and
words of ours: nothing that a service or a customer wrote becomes one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics_core import Metric

from integrations.base import NotFound, Rejected, Unauthorised, Unavailable

OUTCOMES = ("ok", "not_found", "refused", "unauthorised", "limited", "unavailable", "fault")
SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

_REMAINING = ("x-ratelimit-remaining", "ratelimit-remaining", "x-rate-limit-remaining")
"""GitHub's, Intercom's and Freshdesk's; GitLab's and Zendesk's; Zendesk's older one."""

_RESOURCES = {"core", "search", "graphql"}
"""GitHub's limits that we use ("Rate limits for the REST API": x-ratelimit-resource)."""


class Meter:
    """Counts calls; any thread may. A call that a client library repeats by itself counts once."""

    def __init__(self) -> None:
        self._calls = Counter(
            "passerelle_api_calls",
            "Calls to services, by what they would do (read or write) and how they ended.",
            ("service", "method", "outcome"),
            registry=None,
        )
        self._seconds = Histogram(
            "passerelle_api_call_duration_seconds",
            "How long calls to services took.",
            ("service", "method"),
            buckets=SECONDS,
            registry=None,
        )
        self._remaining = Gauge(
            "passerelle_api_limit_remaining",
            "How many more calls a service allows for now, as its last answer told.",
            ("service", "resource"),
            registry=None,
        )

    @contextmanager
    def call(self, service: str, *, write: bool) -> Iterator[Callable[[Mapping[str, object]], None]]:
        """One call to the service of that configured name; what it gives is told the answer's headers."""
        method, outcome, began = "write" if write else "read", "fault", time.perf_counter()
        try:
            yield lambda headers: self._told(service, headers)
            outcome = "ok"
        except Exception as error:
            outcome = ending(error)
            raise
        finally:
            self.count(service, method, outcome, time.perf_counter() - began)

    def count(self, service: str, method: str, outcome: str, seconds: float) -> None:
        """One call that is over: `method` is read or write, `outcome` one of OUTCOMES."""
        self._calls.labels(service, method, outcome).inc()
        self._seconds.labels(service, method).observe(seconds)

    def _told(self, service: str, headers: Mapping[str, object]) -> None:
        told = next((str(headers[name]) for name in _REMAINING if name in headers), "")
        if told.isascii() and told.isdigit() and len(told) < 10:
            resource = str(headers.get("x-ratelimit-resource", "all"))
            known = resource if resource == "all" or resource in _RESOURCES else "other"
            self._remaining.labels(service, known).set(int(told))

    def collect(self) -> Iterator[Metric]:
        """What Prometheus reads."""
        for one in (self._calls, self._seconds, self._remaining):
            yield from one.collect()


def ending(error: Exception) -> str:
    """The word for how a call ended that raised."""
    if isinstance(error, Unavailable):
        return "limited" if error.limited else "unavailable"
    if isinstance(error, NotFound):
        return "not_found"
    if isinstance(error, Unauthorised):
        return "unauthorised"
    return "refused" if isinstance(error, Rejected) else "fault"


METER = Meter()
"""This process's."""
