"""One HTTP client for helpdesks: time-outs, errors in the contract's words, paging, webhook signatures.

A write is sent exactly once, whatever happens to it: only the outbox may decide to repeat one. A read is tried a second
time when the line was dropped. Nothing of a request or an answer is logged.
"""

from __future__ import annotations

import base64
import hmac
import json
import math
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, Literal
from urllib.parse import urljoin, urlsplit

import httpx2

from integrations.base import NotFound, Rejected, ServiceError, Unauthorised, Unavailable
from integrations.meter import METER

MAX_BODY = 10_000_000  # bytes of one answer, unpacked
MAX_REDIRECTS = 3
MAX_REASON = 500  # characters
OR_UNREACHED = "; if that is so, see that this machine reaches it, and try again in a few minutes"

_NEVER_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.LocalProtocolError,
    httpx2.UnsupportedProtocol,
    httpx2.TooManyRedirects,
)
_DROPPED = (httpx2.NetworkError, httpx2.RemoteProtocolError)

Params = Mapping[str, str | int]


@cache
def trusted() -> ssl.SSLContext:
    """The authorities that this machine trusts, read once: that takes longer than a call."""
    return httpx2.create_ssl_context()


class HttpClient:
    """Calls one helpdesk's JSON API; any number of threads may share it. Raises only `ServiceError`s.

    `timeout` is in seconds, for each phase of a call and for reading its whole answer. `reason` takes the service's own
    explanation out of an error's JSON. `undone` lists statuses, besides 429, by which this service says that it did
    nothing and the same call may succeed later.
    """

    def __init__(
        self,
        service: str,
        url: str,
        *,
        auth: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 10.0,
        reason: Callable[[Any], str] = lambda _: "",
        undone: frozenset[int] = frozenset(),
    ) -> None:
        self.service = service
        self._reason = reason
        self._undone = undone
        self._timeout = timeout
        base = httpx2.URL(url)
        self._own = (base.scheme, base.host, base.port)
        self._credentials = ("authorization", *(headers or {}))
        self._client = httpx2.Client(
            base_url=url,
            auth=auth,
            headers={"Accept": "application/json", "User-Agent": "Passerelle", **(headers or {})},
            timeout=timeout,
            max_redirects=MAX_REDIRECTS,
            verify=trusted(),
            event_hooks={"request": [self._only_to_our_own]},
        )

    def _only_to_our_own(self, request: httpx2.Request) -> None:
        """A read that is sent on elsewhere, but for the same host's https, goes there without our credentials."""
        safe = ("https", self._own[1], None)
        if (request.url.scheme, request.url.host, request.url.port) not in (self._own, safe):
            for name in self._credentials:
                request.headers.pop(name, None)

    def close(self) -> None:
        self._client.close()

    def get(self, path: str, params: Params | None = None, headers: Mapping[str, str] | None = None) -> Any:
        """The JSON at `path`; tried once more when the line was dropped."""
        try:
            return self._call("GET", path, params, headers=headers, write=False)
        except _Dropped:
            return self._call("GET", path, params, headers=headers, write=False)

    def ask(self, path: str, body: Any) -> Any:
        """What a search answers whose question goes out as a POST: a read all the same."""
        try:
            return self._call("POST", path, body=body, write=False)
        except _Dropped:
            return self._call("POST", path, body=body, write=False)

    def send(
        self,
        method: Literal["POST", "PUT", "PATCH", "DELETE"],
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Any:
        """What a write answers: its JSON, or None for an empty answer. Sent once, never repeated or redirected.

        `body` goes out as JSON; `content`, in its place, as it is (its `Content-Type` then stands in `headers`).
        """
        return self._call(method, path, body=body, headers=headers, content=content)

    def create(self, path: str, body: Any) -> tuple[Any, str]:
        """What a POST answers, and the address (`Location`) that it names for what it made, "" without one."""
        place: list[str] = []
        answer = self._call("POST", path, body=body, place=place)
        return answer, place[0]

    def download(self, url: str, also: tuple[str, ...] = ()) -> bytes:
        """What stands at an address of this service, at most 10 MB, followed over at most three redirects.

        `also` names other hosts that the service keeps its files on (".cdn.example" for all below it). Only the
        service's own host gets our credentials; where it sends us on, none go along. Rejected: an address elsewhere,
        or too large. Tried once more when the line was dropped.
        """
        self._refuse_elsewhere(url, also)
        try:
            return self._file(url)
        except _Dropped:
            return self._file(url)

    def _refuse_elsewhere(self, url: str, also: tuple[str, ...]) -> None:
        try:
            parts, host = urlsplit(url), (urlsplit(url).hostname or "").lower()
        except ValueError:
            raise Rejected(self.service, "the file's address is not a valid one") from None
        named = any(host == name or (name.startswith(".") and host.endswith(name)) for name in also)
        if not (self._is_own(url) or (parts.scheme == "https" and named)):
            why = "the file stands at another address than the helpdesk's own, so it was not read"
            raise Rejected(self.service, why)

    def _is_own(self, url: str) -> bool:
        try:
            given = httpx2.URL(url)
        except httpx2.InvalidURL:
            return False
        return (given.scheme, given.host, given.port) == self._own and not given.userinfo

    def _file(self, url: str) -> bytes:
        with METER.call(self.service, write=False):
            return self._followed(url)

    def _followed(self, url: str) -> bytes:
        for _ in range(1 + MAX_REDIRECTS):
            try:
                if self._is_own(url):
                    found = self._client.stream("GET", url, headers={"Accept": "*/*"}, follow_redirects=False)
                else:
                    found = httpx2.stream(
                        "GET", url, headers={"User-Agent": "Passerelle"}, timeout=self._timeout, verify=trusted()
                    )
                with found as answer:
                    sent_on = answer.headers.get("location", "") if answer.is_redirect else ""
                    content = b"" if sent_on else self._small(answer)
            except httpx2.RequestError as error:
                raise self._unreachable(error, False) from error
            except (httpx2.InvalidURL, ValueError) as error:
                raise Rejected(self.service, "the file's address is not a valid one") from error
            if not sent_on:
                if answer.is_success:
                    return content
                raise self._refusal(answer, content, False)
            url = self._next(url, sent_on)
        raise Unavailable(self.service, "it redirects in circles; is `url` right?", maybe_done=False)

    def _small(self, answer: httpx2.Response) -> bytes:
        length = answer.headers.get("content-length", "")
        if length.isascii() and length.isdigit() and int(length) > MAX_BODY:
            raise Rejected(self.service, "the file is larger than 10 MB")
        return self._content(answer, False, Rejected(self.service, "the file is larger than 10 MB"))

    def _next(self, url: str, location: str) -> str:
        onward = urljoin(url, location)
        if not self._is_own(onward) and urlsplit(onward).scheme != "https":
            raise Rejected(self.service, "the file stands at an address that is not safe, so it was not read")
        return onward

    def pages(
        self, path: str, params: Params, following: Callable[[Any], Params | None], most: int = 20
    ) -> Iterator[Any]:
        """Each page at `path`, at most `most`; `following` reads from one the parameters that fetch the next."""
        more: Params | None = {}
        for _ in range(most):
            if more is None:
                return
            page = self.get(path, {**params, **more})
            yield page
            more = following(page)

    def _call(
        self,
        method: str,
        path: str,
        params: Params | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        place: list[str] | None = None,
        write: bool = True,
    ) -> Any:
        given: dict[str, Any] = {"params": params, "json": body, "headers": headers, "content": content}
        with METER.call(self.service, write=write) as told:
            try:
                with self._client.stream(method, path, follow_redirects=not write, **given) as answer:
                    told(answer.headers)
                    content = self._content(answer, write)
            except httpx2.RequestError as error:
                raise self._unreachable(error, write) from error
            except httpx2.InvalidURL as error:
                raise Rejected(self.service, f"the address is not a valid one: {error}") from error
            if answer.is_success:
                if place is not None:
                    place.append(answer.headers.get("location", ""))
                return self._json(answer, content, write)
            raise self._refusal(answer, content, write)

    def _content(self, answer: httpx2.Response, write: bool, too_large: ServiceError | None = None) -> bytes:
        content = bytearray()
        deadline = time.monotonic() + self._timeout
        for chunk in answer.iter_bytes():
            content += chunk
            if len(content) > MAX_BODY:
                raise too_large or Unavailable(self.service, "it answered with more than 10 MB", maybe_done=write)
            if time.monotonic() > deadline:
                raise Unavailable(
                    self.service, f"it took more than {self._timeout:g} s to send its answer", maybe_done=write
                )
        return bytes(content)

    def _json(self, answer: httpx2.Response, content: bytes, write: bool) -> Any:
        if not content.strip():
            return None
        try:
            return json.loads(content)
        except (ValueError, RecursionError):
            what = "a web page" if _is_html(answer, content) else "something else"
            told = f"it answered with {what} instead of data; is `url` the helpdesk's own address?"
            raise Unavailable(self.service, told, maybe_done=write) from None

    def _unreachable(self, error: httpx2.RequestError, write: bool) -> ServiceError:
        maybe_done = write and not isinstance(error, _NEVER_SENT)
        if isinstance(error, httpx2.TimeoutException):
            return Unavailable(self.service, f"no answer within {self._timeout:g} s", maybe_done=maybe_done)
        if isinstance(error, httpx2.TooManyRedirects):
            return Unavailable(self.service, "it redirects in circles; is `url` right?", maybe_done=False)
        if isinstance(error, _DROPPED) and not isinstance(error, httpx2.ConnectError):
            return _Dropped(self.service, "the line was dropped before an answer came", maybe_done=maybe_done)
        return Unavailable(self.service, f"it cannot be reached ({type(error).__name__})", maybe_done=maybe_done)

    def _refusal(self, answer: httpx2.Response, content: bytes, write: bool) -> ServiceError:
        status, reason = answer.status_code, self._explanation(content)
        if status == 429 or status in self._undone:
            detail = "too many requests" if status == 429 else reason or f"it is busy (HTTP {status})"
            after = retry_after(answer.headers)
            after = _until_reset(answer.headers) if after is None else after
            return Unavailable(self.service, detail, retry_after=after, maybe_done=False, limited=status == 429)
        if status in (401, 403):
            return Unauthorised(self.service, reason or f"it refuses our credentials (HTTP {status})")
        if status in (404, 410):
            return NotFound(self.service, reason or "it does not exist, or is hidden from us")
        if status >= 500 or status == 408:
            return Unavailable(
                self.service,
                f"it failed (HTTP {status})",
                retry_after=retry_after(answer.headers),
                maybe_done=write,
            )
        if 300 <= status < 400:
            return Rejected(self.service, "it sends us to another address; is `url` the helpdesk's present one?")
        return Rejected(self.service, reason or f"it refuses (HTTP {status})")

    def _explanation(self, content: bytes) -> str:
        try:
            return self._reason(json.loads(content))[:MAX_REASON]
        except (ValueError, RecursionError):
            return ""


class _Dropped(Unavailable):
    """The line was cut while we waited for an answer."""


def _is_html(answer: httpx2.Response, content: bytes) -> bool:
    return "html" in answer.headers.get("content-type", "") or content.lstrip()[:1] == b"<"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from `Retry-After` as seconds or as an HTTP date (RFC 9110, 10.2.3); None when not told."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    with suppress(ValueError):
        seconds = float(value)
        return max(0.0, seconds) if math.isfinite(seconds) else None
    try:
        when = parsedate_to_datetime(value)
        since = parsedate_to_datetime(headers["date"]) if "date" in headers else datetime.now(UTC)
        return max(0.0, (when - since).total_seconds())
    except (ValueError, TypeError):
        return None


def _until_reset(headers: Mapping[str, str]) -> float | None:
    """Seconds to the time (Unix) that Intercom and others tell instead ("Rate Limiting": X-RateLimit-Reset)."""
    reset = headers.get("x-ratelimit-reset", "")
    return max(0.0, int(reset) - time.time()) if reset.isascii() and reset.isdigit() and len(reset) == 10 else None


def header(headers: Mapping[str, str], name: str) -> str:
    """The value of a header, whatever the case of its name; "" when it is absent."""
    return next((value for key, value in headers.items() if key.lower() == name.lower()), "")


def signed(
    secret: str,
    message: bytes,
    given: str,
    encoding: Literal["hex", "base64"] = "hex",
    algorithm: Literal["sha256", "sha1"] = "sha256",
) -> bool:
    """Whether `given` is the HMAC of `message` under `secret`, compared in constant time."""
    digest = hmac.new(secret.encode(), message, algorithm).digest()
    expected = digest.hex().encode() if encoding == "hex" else base64.b64encode(digest)
    return hmac.compare_digest(expected, given.encode("utf-8", "replace"))


def is_fresh(stamp: str, now: datetime, within: float = 300.0) -> bool:
    """Whether an ISO 8601 time with its zone is at most `within` seconds away from `now`, either way."""
    try:
        return abs((datetime.fromisoformat(stamp) - now).total_seconds()) <= within
    except (ValueError, TypeError):
        return False


# --- reading JSON that may be anything -------------------------------------------------------------------------------


def dicts(answer: Any, key: str) -> list[dict[str, Any]]:
    """The objects listed under `key`; [] when there is no such list."""
    found = answer.get(key) if isinstance(answer, Mapping) else None
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def within(answer: Any, *keys: str) -> dict[str, Any]:
    """The object under `keys`, one inside the other; {} when there is none."""
    for key in keys:
        answer = answer.get(key) if isinstance(answer, Mapping) else None
    return answer if isinstance(answer, dict) else {}


def text_of(value: Any) -> str:
    """A JSON value as text; "" for null, and for what is a list or an object."""
    return value if isinstance(value, str) else "" if value is None or isinstance(value, list | dict) else str(value)


def texts(answer: Any, key: str) -> tuple[str, ...]:
    """The texts listed under `key`; () when there is no such list."""
    found = answer.get(key) if isinstance(answer, Mapping) else None
    return tuple(text_of(one) for one in found if text_of(one)) if isinstance(found, list) else ()


def whole(value: Any) -> int:
    """A JSON value as a whole number, also when it is written as text; 0 when it is none."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def moment(value: Any) -> datetime:
    """An ISO 8601 time in UTC, which is meant where no zone is named; the year 1970 when it is none."""
    try:
        told = datetime.fromisoformat(value)
        return told.replace(tzinfo=told.tzinfo or UTC).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return datetime.fromtimestamp(0, UTC)
