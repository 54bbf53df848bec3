"""One call to GitLab: its answer, or one `ServiceError` that says what happened.

Calls go through python-gitlab's `http_request`, by path: its objects page, retry and sleep in ways of their own (it
has no default time-out, waits through a 429 in the thread, and repeats writes when told to retry).
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import requests
from gitlab import Gitlab
from gitlab.exceptions import GitlabError, RedirectError
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, HTTPError, MaxRetryError, NewConnectionError
from urllib3.util import Retry

from integrations.base import NotFound, Rejected, ServiceError, Unauthorised, Unavailable
from integrations.gitlab.config import Config
from integrations.meter import METER

S = TypeVar("S")
T = TypeVar("T")
Now = Callable[[], datetime]
Query = Mapping[str, object]
File = tuple[str, bytes, str]  # name, content, content type

PAGE = 100  # GitLab's largest page
PAGES_MAX = 100
_PROJECT = re.compile(r"^/projects/([^/]+)")
_NEXT = re.compile(r'<([^>]*)>;\s*rel="next"')
_LIMITED_FOR = 60.0  # seconds, when GitLab names none: its limits count by the minute ("Rate limits")
_MESSAGE_MAX = 300  # characters


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


class _Session(requests.Session):
    """Our token stays with GitLab when it sends a call on to another host; requests knows `Authorization` alone."""

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        super().rebuild_auth(prepared_request, response)
        if self.should_strip_auth(str(response.request.url), str(prepared_request.url)):
            prepared_request.headers.pop("PRIVATE-TOKEN", None)


def utc_now() -> datetime:
    return datetime.now(UTC)


class Wire:
    """Calls with a time-out; reads are repeated twice on a 5xx or a dropped line, writes never."""

    def __init__(self, name: str, config: Config, timeout: float, now: Now = utc_now) -> None:
        self.name = name
        self.config = config
        self.now = now
        self._timeout = timeout
        self._names: dict[str, str] = {}  # a renamed project's old path → its new one
        self._local = threading.local()  # a session is not safe to share, so each thread has its own

    def _client(self) -> Gitlab:
        if not hasattr(self._local, "client"):
            local, session = self._local, _Session()
            session.hooks["response"].append(lambda answer, **_: setattr(local, "answer", answer))
            adapter = HTTPAdapter(
                max_retries=Retry(
                    total=2,
                    connect=0,
                    other=0,
                    allowed_methods={"GET"},
                    status_forcelist=(500, 502, 504),
                    backoff_factor=0.1,
                    respect_retry_after_header=False,
                    raise_on_status=False,
                )
            )
            session.mount("https://", adapter)
            session.mount("http://", adapter)
            local.client = Gitlab(
                self.config.url,
                private_token=self.config.token.get_secret_value(),
                timeout=self._timeout,
                user_agent="passerelle",
                session=session,
            )
        client: Gitlab = self._local.client
        return client

    # --- projects' names ------------------------------------------------------------------------------------------

    def name_of(self, repo: str) -> str:
        return self._names.get(repo.casefold(), repo)

    def renamed(self, old: str, new: str) -> None:
        """Ask of `new` what is asked of project `old`: GitLab sends reads on and refuses writes."""
        if old.casefold() != new.casefold():
            self._names[old.casefold()] = new

    # --- calls ----------------------------------------------------------------------------------------------------

    def ask(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        file: File | None = None,
    ) -> Answer:
        """Make the call; an answer below 400 comes back, all else is raised. All but GET may change something."""
        named = _PROJECT.sub(lambda match: f"/projects/{quote(self.name_of(unquote(match[1])), safe='')}", path)
        write = method != "GET"
        with METER.call(self.name, write=write) as told:
            answer = self._send(method, named, query, body, headers, file)
            if write and _moved(answer) and (home := self._home(path)):  # nothing was done yet
                answer = self._send(method, _PROJECT.sub(home, path), query, body, headers, file)
            told(answer.headers)
            return self._judged(answer, write)

    def _home(self, path: str) -> str:
        """The beginning of a path below a project that has another name now; "" when it has not."""
        match = _PROJECT.match(path)
        if match is None:
            return ""
        new = self.get(match[0], lambda found: str(found["path_with_namespace"]))
        self.renamed(unquote(match[1]), new)
        return f"/projects/{quote(new, safe='')}"

    def _send(
        self,
        method: str,
        path: str,
        query: Query | None,
        body: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None,
        file: File | None,
    ) -> Answer:
        write, client = method != "GET", self._client()
        self._local.answer = None
        try:
            found = client.http_request(
                method.lower(),
                path,
                query_data=dict(query or {}),
                post_data=dict(body) if body is not None else None,
                files={"file": file} if file else None,
                obey_rate_limit=False,
                retry_transient_errors=False,
                extra_headers=dict(headers or {}),
            )
        except RedirectError:
            return Answer(405, {}, b'{"message": "moved projects"}') if write else Answer(310, {}, b"")
        except GitlabError as error:
            found = self._local.answer
            if found is None:
                raise Unavailable(self.name, "the answer cannot be read", maybe_done=write) from error
        except requests.exceptions.RequestException as error:
            raise self._no_answer(error, write) from error
        except (HTTPError, OSError) as error:
            raise Unavailable(self.name, "the line dropped", maybe_done=write) from error
        return Answer(found.status_code, found.headers, found.content)

    def _judged(self, answer: Answer, write: bool) -> Answer:
        if answer.status >= 400:
            raise self._refusal(answer, write)
        if answer.status >= 300 and answer.status != 304:
            raise Rejected(self.name, "the server sends us to another address; check the url")
        return answer

    def get(self, path: str, translate: Callable[[Any], T], query: Query | None = None) -> T:
        return self._decoded(self.ask("GET", path, query), translate, write=False)

    def write(self, method: str, path: str, body: Mapping[str, Any], translate: Callable[[Any], T]) -> T:
        return self._decoded(self.ask(method, path, None, body), translate, write=True)

    def upload(self, path: str, file: File, translate: Callable[[Any], T]) -> T:
        """Send a file, as a form does."""
        return self._decoded(self.ask("POST", path, file=file), translate, write=True)

    def pages(
        self, path: str, query: Query | None = None, *, limit: int = PAGES_MAX, keyset: bool = False
    ) -> Iterator[dict[str, Any]]:
        """The items of a list, page after page, at most `limit` of them."""
        for items, _ in self.linked(path, {**(query or {}), "per_page": PAGE}, limit=limit, keyset=keyset):
            yield from items

    def linked(
        self, path: str, query: Query, *, limit: int = PAGES_MAX, keyset: bool = False
    ) -> Iterator[tuple[list[dict[str, Any]], bool]]:
        """A list's pages, at most `limit`, each where the one before says, and with whether there is another.

        `keyset`: ask for pages that begin after an item, not at a number; versions that cannot answer 405
        ("Keyset-based pagination").
        """
        asked: dict[str, object] = dict(query)
        for page in range(1, limit + 1):
            try:
                answer = self.ask("GET", path, asked | ({"pagination": "keyset"} if keyset else {}))
            except Rejected:
                if not keyset or page > 1:
                    raise
                keyset = False
                answer = self.ask("GET", path, asked)
            items = self._decoded(answer, _items, write=False)
            following = _NEXT.search(str(answer.headers.get("link", "")))
            last = not following and (keyset or len(items) < int(str(asked["per_page"])) or "link" in answer.headers)
            yield items, not last
            if last:
                return
            asked |= dict(parse_qsl(urlsplit(following[1]).query)) if following else {"page": page + 1}

    def listed(self, path: str, query: Query, etag: str = "") -> tuple[list[dict[str, Any]] | None, str]:
        """(the first page of a list, its ETag), or (None, …) when it is what it was."""
        answer = self.ask("GET", path, query, headers={"If-None-Match": etag} if etag else {})
        if answer.status == 304:
            return None, etag
        return self._decoded(answer, _items, write=False), str(answer.headers.get("etag", ""))

    def translated(self, translate: Callable[[S], T], found: S, *, write: bool = False) -> T:
        """`translate(found)`, where an answer of another form than GitLab documents is Unavailable."""
        try:
            return translate(found)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise Unavailable(self.name, "the answer has an unexpected form", maybe_done=write) from error

    def _decoded(self, answer: Answer, translate: Callable[[Any], T], *, write: bool) -> T:
        return self.translated(
            lambda text: translate(json.loads(text) if text.strip() else None), answer.body, write=write
        )

    # --- errors ---------------------------------------------------------------------------------------------------

    def _no_answer(self, error: requests.exceptions.RequestException, write: bool) -> ServiceError:
        cause = error.args[0] if error.args else None
        reason = cause.reason if isinstance(cause, MaxRetryError) else cause
        if isinstance(reason, (NewConnectionError, ConnectTimeoutError)):
            return Unavailable(self.name, "cannot connect", maybe_done=False)
        if isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema)):
            return Rejected(self.name, "the url is no web address")
        detail = "no answer in time" if isinstance(error, requests.exceptions.Timeout) else "the line dropped"
        return Unavailable(self.name, detail, maybe_done=write)

    def _refusal(self, answer: Answer, write: bool) -> ServiceError:
        status, message = answer.status, _message(answer.body) or f"status {answer.status}"
        if status == 429:
            return Unavailable(
                self.name, "rate limit", retry_after=_wait(answer.headers), maybe_done=False, limited=True
            )
        if status >= 500 or status == 408:
            after = _seconds(answer.headers)
            return Unavailable(self.name, f"status {status}", retry_after=after, maybe_done=write)
        if status == 401:
            return Unauthorised(self.name, f"the token is not accepted: {message}")
        if status == 403:
            return Unauthorised(self.name, message)
        if status in (404, 410):
            return NotFound(self.name, message)
        return Rejected(self.name, message)


def _moved(answer: Answer) -> bool:
    """A write to a project's old path: 405 "Non GET methods are not allowed for moved projects"."""
    return answer.status == 405 and b"moved project" in answer.body


def _items(found: Any) -> list[dict[str, Any]]:
    if not isinstance(found, list):
        raise TypeError(type(found))
    return [dict(item) for item in found]


def _message(body: bytes) -> str:
    """GitLab's own reason in one sentence ("REST API troubleshooting": `message` or `error`, text or by field)."""
    try:
        found = json.loads(body)
    except ValueError:
        return ""
    if not isinstance(found, dict):
        return ""
    told = found.get("message") or found.get("error_description") or found.get("error") or ""
    scopes = found.get("scope")
    return _said(told)[:_MESSAGE_MAX] + (f" (wanted: {scopes})" if isinstance(scopes, str) and scopes else "")


def _said(told: object) -> str:
    if isinstance(told, dict):
        return ", ".join(f"{'' if key == 'base' else f'{key} '}{_said(value)}" for key, value in told.items())
    if isinstance(told, list):
        return ", ".join(_said(each) for each in told)
    return str(told)


def _seconds(headers: Mapping[str, str]) -> float | None:
    try:
        return max(0.0, float(headers["retry-after"]))
    except (KeyError, ValueError):
        return None


def _wait(headers: Mapping[str, str]) -> float:
    """Seconds until the limit is over: Retry-After, else RateLimit-Reset, else 60 ("Rate limit headers")."""
    named = _seconds(headers)
    if named is not None:
        return named
    try:
        return max(1.0, float(headers["ratelimit-reset"]) - time.time())
    except (KeyError, ValueError):
        return _LIMITED_FOR
