"""What can go wrong with a service, and the marks by which our own objects are found again.

Part of the contract: all of it is had from `integrations.base`."""

from __future__ import annotations

import re


class ServiceError(Exception):
    """A service did not do what was asked. `service` is its configured name, `detail` a sentence without secrets."""

    def __init__(self, service: str, detail: str = "") -> None:
        super().__init__(f"{service}: {detail}" if detail else service)
        self.service = service
        self.detail = detail


class NotFound(ServiceError):
    """The thing does not exist, or is hidden from us (GitHub answers 404 for a revoked permission too)."""


class Gone(NotFound):
    """It was there and is no more: deleted, or made into something else (an issue into a discussion)."""


class Rejected(ServiceError):
    """The service understood and refuses; repeating the same call cannot help. `reason` is its own explanation."""

    @property
    def reason(self) -> str:
        return self.detail


class Unauthorised(ServiceError):
    """Our token is wrong, expired or lacks a permission; a person must mend it, then the same call may succeed."""


class Unavailable(ServiceError):
    """No usable answer: rate limit, time-out, dropped line, 5xx.

    `retry_after` is in seconds when the service named it. `maybe_done` is True when the call may have taken effect
    (time-out, dropped line, 5xx) and False when it certainly did not (429, connection refused). `limited`: a rate limit
    held the call back.
    """

    def __init__(
        self,
        service: str,
        detail: str = "",
        *,
        retry_after: float | None = None,
        maybe_done: bool = True,
        limited: bool = False,
    ) -> None:
        super().__init__(service, detail)
        self.limited = limited
        self.retry_after = retry_after
        self.maybe_done = maybe_done


class BadSignature(ServiceError):
    """A webhook request that its sender did not sign, or signed too long ago."""


# --- marks ------------------------------------------------------------------------------------------------------------


def mark(key: str) -> str:
    """The hidden line by which an object that carries effect `key` is found again in a tracker."""
    return f"<!-- passerelle:{key} -->"


MARK = re.compile(r"<!--\s*passerelle:([^\s>]+)\s*-->")
