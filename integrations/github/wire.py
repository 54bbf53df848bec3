"""One call to GitHub: its answer, or one `ServiceError` that says what happened.

PyGithub's own objects follow the addresses that the server names and refuse another spelling of its host (localhost
against 127.0.0.1, a proxy's name), and its lists leave `since` in local time: so calls go through its requester, by
path, and every answer passes here.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests
from github import Auth, Github
from github.Requester import Requester
from urllib3.exceptions import ConnectTimeoutError, HTTPError, MaxRetryError, NewConnectionError
from urllib3.util import Retry

from integrations.base import NotFound, Rejected, ServiceError, Unauthorised, Unavailable
from integrations.github.config import Config
from integrations.github.tokens import App, InstallationTokens, Minted, Now
from integrations.meter import METER

S = TypeVar("S")
T = TypeVar("T")
Answer = tuple[int, Mapping[str, Any], str]

PAGE = 100  # GitHub's largest page
PAGES_MAX = 100
_NEXT = re.compile(r'<([^>]*)>;\s*rel="next"')
_REPOSITORY = re.compile(r"^/repos/([^/?]+/[^/?]+)")
_LIMITED = ("rate limit", "please retry your request again later", "wait a few minutes")
_LIMITED_FOR = 60.0  # seconds, when GitHub names none ("Rate limits for the REST API": at least one minute)


class _Bearer(Auth.Auth):
    """What PyGithub puts into a call's header, and masks in its log."""

    token_type = "Bearer"  # noqa: S105 (the header's word, no secret)

    def __init__(self, token: Callable[[], str]) -> None:
        self._token = token

    @property
    def token(self) -> str:
        return self._token()


def utc_now() -> datetime:
    return datetime.now(UTC)


class Wire:
    """Calls with a time-out; reads are repeated twice on a 5xx or a dropped line, writes never.

    The retry is urllib3's plain one: PyGithub's sleeps through rate limits, in the thread, and repeats writes.
    `app` is set when we work as a GitHub App; its calls carry a token of its installation, or `as_app` its own JWT.
    """

    def __init__(self, name: str, config: Config, timeout: int, now: Now = utc_now) -> None:
        self.name = name
        self.config = config
        self.app: App | None = None
        if config.app_id and config.private_key and config.installation_id:
            self.app = App(config.app_id, config.private_key, config.installation_id)
        self._tokens = InstallationTokens(self._mint, now) if self.app else None
        self._now = now
        self._timeout = timeout
        self._names: dict[str, str] = {}  # a renamed repository's old name → its new one
        self.reverts: dict[
            tuple[str, str], str
        ] = {}  # by repository and sha, all that a commit says that it takes back
        self._local = threading.local()  # a PyGithub client shares one connection, so each thread has its own

    def login(self) -> str:
        """The login of the account that we write as: the token's, or the app's own, `<slug>[bot]`."""
        if self.app:
            return self.get("/app", lambda app: f"{app['slug']}[bot]", as_app=True)
        return self.get("/user", lambda user: str(user["login"]))

    def _requester(self) -> Requester:
        if not hasattr(self._local, "client"):
            local = self._local
            local.client = Github(
                auth=_Bearer(lambda: str(local.bearer)),
                base_url=self.config.url.rstrip("/"),
                timeout=self._timeout,
                user_agent="passerelle",
                retry=Retry(
                    total=2,
                    connect=0,
                    other=0,
                    allowed_methods={"GET", "HEAD"},
                    status_forcelist=(500, 502, 504),
                    backoff_factor=0.1,
                    respect_retry_after_header=False,
                    raise_on_status=False,
                ),
                seconds_between_requests=None,
                seconds_between_writes=None,
            )
        requester: Requester = self._local.client.requester
        return requester

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        *,
        write: bool,
        as_app: bool = False,
    ) -> Answer:
        """Make the call; an answer below 400 comes back, all else is raised. `write`: it may change something.

        An installation's token that GitHub refuses (revoked, or ended) is replaced once: a 401 has done nothing.
        """
        path = _REPOSITORY.sub(lambda match: f"/repos/{self.name_of(match[1])}", path)
        bearer = self._bearer(as_app)
        with METER.call(self.name, write=write) as told:
            answer = self._send(bearer, method, path, body, headers, write)
            if answer[0] == 401 and self._tokens and not as_app:
                self._tokens.drop(bearer)
                bearer = self._tokens.get()
                answer = self._send(bearer, method, path, body, headers, write)
            if answer[0] in (307, 308) and "location" in answer[1]:  # a renamed repository: nothing was done yet
                answer = self._send(bearer, method, self._path_in(answer[1]["location"]), body, headers, write)
            told(answer[1])
            return self._judged(answer, path if as_app else "", write)

    def name_of(self, repo: str) -> str:
        return self._names.get(repo.casefold(), repo)

    def renamed(self, old: str, new: str) -> None:
        """Ask of `new` what is asked of repository `old`: when GitHub sends us on, PyGithub drops a list's query."""
        self._names[old.casefold()] = new

    def _path_in(self, location: str) -> str:
        """The path below the API's address, whatever host it names: our token stays where it belongs."""
        there = urlsplit(location)
        path = there.path.removeprefix(urlsplit(self.config.url).path.rstrip("/"))
        return f"{path}?{there.query}" if there.query else path

    def _bearer(self, as_app: bool) -> str:
        if self._tokens and self.app:
            return self.app.jwt(self._now()) if as_app else self._tokens.get()
        return self.config.token.get_secret_value() if self.config.token else ""

    def _mint(self) -> Minted:
        """A new token of the installation ("Create an installation access token for an app")."""
        installation = self.config.installation_id
        answer = self.ask("POST", f"/app/installations/{installation}/access_tokens", write=False, as_app=True)
        return self._decoded(
            answer, lambda found: Minted(found["token"], datetime.fromisoformat(found["expires_at"])), write=False
        )

    def _send(
        self, bearer: str, method: str, path: str, body: object, headers: Mapping[str, str] | None, write: bool
    ) -> Answer:
        self._local.bearer = bearer
        try:
            return self._requester().requestJson(method, path, None, dict(headers or {}), body)
        except requests.exceptions.RequestException as error:
            raise self._no_answer(error, write) from error
        except (HTTPError, OSError) as error:
            raise Unavailable(self.name, "the line dropped", maybe_done=write) from error
        except RuntimeError as error:  # PyGithub's word for a redirection to another host or scheme
            raise Rejected(self.name, "the server sends us to another address; check the url") from error

    def _judged(self, answer: Answer, asked_as_app: str, write: bool) -> Answer:
        status, found, text = answer
        if status >= 400:
            message = _message(_json(text))
            refused = self.app and asked_as_app and self.app.refusal(self.name, asked_as_app, status, message)
            raise refused or self._refusal(status, found, message, write)
        if status >= 300 and status != 304:
            raise Rejected(self.name, "the repository has moved; put its new name in the configuration")
        return answer

    def get(self, path: str, translate: Callable[[Any], T], *, as_app: bool = False) -> T:
        return self._decoded(self.ask("GET", path, write=False, as_app=as_app), translate, write=False)

    def write(self, method: str, path: str, body: Mapping[str, Any], translate: Callable[[Any], T]) -> T:
        return self._decoded(self.ask(method, path, body, write=True), translate, write=True)

    def pages(
        self, path: str, query: Mapping[str, str] | None = None, *, limit: int = PAGES_MAX, missing_ok: bool = False
    ) -> Iterator[dict[str, Any]]:
        """The items of a list, page after page while pages are full, at most `limit` of them."""
        first: object = None
        for page in range(1, limit + 1):
            asked = {**(query or {}), "per_page": str(PAGE), "page": str(page)}
            try:
                items = self.get(f"{path}?{urlencode(asked)}", _items)
            except NotFound:
                if missing_ok:
                    return
                raise
            if items and items[0] == first:  # a look-alike that knows no pages
                return
            yield from items
            if len(items) < PAGE:
                return
            first = items[0]

    def linked(self, path: str, query: Mapping[str, str]) -> Iterator[tuple[list[dict[str, Any]], bool]]:
        """A list's pages, each with whether there is another: where the one before says, for GitHub refuses the high
        numbers of a long list ("Using pagination in the REST API")."""
        asked = dict(query)
        for _ in range(PAGES_MAX):
            answer = self.ask("GET", f"{path}?{urlencode(asked)}", write=False)
            following = _NEXT.search(str(answer[1].get("link", "")))
            yield self._decoded(answer, _items, write=False), following is not None
            if following is None:
                return
            asked |= dict(parse_qsl(urlsplit(following[1]).query))

    def graphql(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any] | None:
        """The answer's `data`; None when this server has no GraphQL, or an older one that lacks a field."""
        sent = {"query": query, "variables": variables}
        try:
            answer = self.ask("POST", self._requester().graphql_url, sent, write=False)
        except (NotFound, Rejected):
            return None
        found = self._decoded(answer, dict, write=False)
        kinds = {error.get("type") for error in found.get("errors") or ()}
        if "NOT_FOUND" in kinds:
            raise NotFound(self.name, "GitHub knows no such issue")
        if "RATE_LIMITED" in kinds:
            raise Unavailable(self.name, "rate limit", retry_after=_LIMITED_FOR, maybe_done=False, limited=True)
        told = kinds <= {"FORBIDDEN"} and isinstance(
            found.get("data"), dict
        )  # of another organisation: null in its place
        return found["data"] if told else None

    def translated(self, translate: Callable[[S], T], found: S, *, write: bool = False) -> T:
        """`translate(found)`, where an answer of another form than GitHub documents is Unavailable."""
        try:
            return translate(found)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise Unavailable(self.name, "the answer has an unexpected form", maybe_done=write) from error

    def _decoded(self, answer: Answer, translate: Callable[[Any], T], *, write: bool) -> T:
        return self.translated(lambda text: translate(json.loads(text) if text else None), answer[2], write=write)

    def _no_answer(self, error: requests.exceptions.RequestException, write: bool) -> Unavailable:
        cause = error.args[0] if error.args else None
        reason = cause.reason if isinstance(cause, MaxRetryError) else cause
        if isinstance(reason, (NewConnectionError, ConnectTimeoutError)):
            return Unavailable(self.name, "cannot connect", maybe_done=False)
        detail = "no answer in time" if isinstance(error, requests.exceptions.Timeout) else "the line dropped"
        return Unavailable(self.name, detail, maybe_done=write)

    def _refusal(self, status: int, headers: Mapping[str, Any], message: str, write: bool) -> ServiceError:
        message = message or f"status {status}"
        if status == 429 or (status == 403 and _limited(headers, message)):
            return Unavailable(self.name, "rate limit", retry_after=_wait(headers), maybe_done=False, limited=True)
        if status == 501:
            return Rejected(self.name, f"this server does not do that: {message}")
        if status >= 500 or status == 408:
            return Unavailable(self.name, f"status {status}", retry_after=_seconds(headers), maybe_done=write)
        if status == 401:
            return Unauthorised(self.name, f"the token is not accepted: {message}")
        if status == 403 and "archived" in message.casefold():
            return Rejected(self.name, message)
        if status == 403:
            wanted = headers.get("x-accepted-github-permissions") or headers.get("x-accepted-oauth-scopes")
            if "not accessible by integration" in message.casefold():
                message = "the GitHub App has no permission for this"
            return Unauthorised(self.name, f"{message} (wanted: {wanted})" if wanted else message)
        if status == 404 or (status == 410 and "deleted" in message.casefold()):
            return NotFound(self.name, message)
        return Rejected(self.name, message)


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _items(found: Any) -> list[dict[str, Any]]:
    return [dict(item) for item in found]


def _message(body: object) -> str:
    """GitHub's own reason in one sentence, without the values that were sent ("Troubleshooting the REST API")."""
    if not isinstance(body, dict):
        return ""
    errors = body.get("errors")
    told = []
    for error in errors if isinstance(errors, list) else [errors]:
        if isinstance(error, str):
            told.append(error)
        elif isinstance(error, dict):
            told.append(str(error.get("message") or f"{error.get('field')} is {error.get('code')}"))
    message = str(body.get("message") or "")
    return f"{message}: {', '.join(told)}" if told else message


def _limited(headers: Mapping[str, Any], message: str) -> bool:
    spent = headers.get("x-ratelimit-remaining") == "0" or "retry-after" in headers
    return spent or any(sign in message.casefold() for sign in _LIMITED)


def _seconds(headers: Mapping[str, Any]) -> float | None:
    try:
        return max(0.0, float(headers["retry-after"]))
    except (KeyError, ValueError):
        return None


def _wait(headers: Mapping[str, Any]) -> float:
    """Seconds until the limit is over: Retry-After, else x-ratelimit-reset when the allowance is spent, else 60."""
    named = _seconds(headers)
    if named is not None:
        return named
    try:
        reset = float(headers["x-ratelimit-reset"])
    except (KeyError, ValueError):
        return _LIMITED_FOR
    return max(1.0, reset - time.time()) if headers.get("x-ratelimit-remaining") == "0" else _LIMITED_FOR
