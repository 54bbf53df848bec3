"""The GitHub stand-in's front door: tokens, rate limits, ETags, paging and errors as GitHub does them."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from integrations.sandbox.github.apps import App, Apps, BadJwt
from integrations.sandbox.github.hub import Hub
from integrations.sandbox.github.records import Repository
from integrations.sandbox.github.shapes import Json

WRITES = ("POST", "PATCH", "PUT", "DELETE")
PER_HOUR = 5000
DOCS = "https://docs.github.com/rest"


class Refused(Exception):
    """An answer that is an error; `errors` are the field errors of a 422."""

    def __init__(self, status: int, message: str, errors: list[Json] | None = None, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.body: Json = {"message": message, "documentation_url": DOCS, "status": str(status)}
        if errors is not None:
            self.body["errors"] = errors
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def invalid(resource: str, name: str, code: str, message: str = "", **more: Any) -> Refused:
    """A 422 about one field, as in "Client errors"."""
    error = {"resource": resource, "field": name, "code": code, **more}
    return Refused(422, "Validation Failed", [error | ({"message": message} if message else {})])


def missing() -> Refused:
    return Refused(404, "Not Found")


@dataclass(frozen=True, slots=True)
class Token:
    """A classic personal access token; or, with an `app`, its installation's token, or (`jwt`) the app itself."""

    login: str
    scopes: tuple[str, ...] = ("repo",)
    app: App | None = None
    jwt: bool = False


_NEEDS = (  # what of a repository → the permission by which an installation may see or change it
    (r"/(issues|labels|assignees)(/|$)", "issues"),
    (r"/pulls(/|$)", "pull_requests"),
    (r"/deployments(/|$)", "deployments"),
    (r"/hooks(/|$)", "repository_hooks"),
    (r"/(commits|releases|tags|git|branches|compare|contents)(/|$)", "contents"),
)
_ANYBODY = ("/graphql", "/meta", "/rate_limit")


@dataclass(frozen=True, slots=True)
class Reply:
    content: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Asked:
    """One request, read: `parts` are the address's variables, `data` the JSON body."""

    method: str
    path: str
    query: Mapping[str, str]
    parts: Mapping[str, str]
    data: Any
    token: Token | None
    url: str

    @property
    def login(self) -> str:
        if self.token is None:
            raise Refused(401, "Requires authentication")
        return self.token.login

    @property
    def fields(self) -> Json:
        if not isinstance(self.data, dict):
            raise Refused(422, "Invalid request.\n\nFor 'links/0/schema', the body is not an object.")
        return self.data

    def may(self, repo: Repository, level: str) -> bool:
        """Whether the asking account has that level there; an installation's permissions were looked at before."""
        if self.token is None:
            return False
        return self.token.app is not None or repo.may(self.token.login, level)

    def number(self, name: str, default: int, most: int) -> int:
        value = self.query.get(name, "")
        return min(max(int(value), 1), most) if value.isdigit() else default

    def choice(self, name: str, *allowed: str) -> str:
        """A query parameter that is one of `allowed`; the first is its default."""
        value = self.query.get(name, allowed[0])
        if value not in allowed:
            raise invalid("Search", name, "invalid")
        return value

    def time(self, name: str) -> datetime | None:
        value = self.query.get(name)
        if not value:
            return None
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            raise invalid("Search", name, "invalid") from None
        return at if at.tzinfo else at.replace(tzinfo=UTC)

    def page(self, items: list[Any], show: Callable[[Any], Any], default: int = 30, most: int = 100) -> Reply:
        """One page of `items` with its Link header ("Using pagination in the REST API")."""
        size, page = self.number("per_page", default, most), self.number("page", 1, 1_000_000)
        last = max(math.ceil(len(items) / size), 1)
        goals = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
        if page >= last:
            goals = {rel: min(goal, last) for rel, goal in goals.items() if rel in ("prev", "first")}
        if page == 1:
            goals = {rel: goal for rel, goal in goals.items() if rel in ("next", "last")}
        links = [
            f'<{self.url}{self.path}?{urlencode({**self.query, "page": goal})}>; rel="{rel}"'
            for rel, goal in goals.items()
        ]
        shown = [show(item) for item in items[(page - 1) * size : page * size]]
        return Reply(shown, headers={"Link": ", ".join(links)} if links else {})


class Door:
    """Turns HTTP requests into `Asked` and `Reply` into HTTP; one request at a time under the hub's lock.

    `writes_per_minute` (None: any number) and `requests_per_hour` may be set at any time.
    """

    def __init__(self, hub: Hub, tokens: dict[str, Token]) -> None:
        self.hub = hub
        self.tokens = tokens
        self.apps = Apps(hub.now)
        self.writes_per_minute: int | None = None
        self.requests_per_hour = PER_HOUR
        self._writes: deque[datetime] = deque()
        self._used = 0
        self._reset: datetime | None = None

    def endpoint(self, handlers: dict[str, Callable[[Asked], Reply]]) -> Callable[[Request], Any]:
        """A Starlette endpoint that answers each of `handlers`' methods."""

        async def answer(request: Request) -> Response:
            body = await request.body()
            return await run_in_threadpool(self._answer, request, handlers.get(request.method), body)

        return answer

    def limits(self) -> Json:
        reset = int((self._reset or self.hub.now() + timedelta(hours=1)).timestamp())
        left = max(self.requests_per_hour - self._used, 0)
        return {"limit": self.requests_per_hour, "remaining": left, "reset": reset, "used": self._used}

    def _answer(self, request: Request, handler: Callable[[Asked], Reply] | None, body: bytes) -> Response:
        with self.hub.lock:
            headers: dict[str, str] = {}
            try:
                token = self._token(request)
                if token is not None and token.app is None:
                    headers["X-OAuth-Scopes"] = ", ".join(token.scopes)
                if handler is None:
                    raise missing()
                self._admit(request)
                data = self._json(body) if request.method in WRITES else {}
                path = quote(request.url.path, safe="/:@!$&'()*+,;=~%")
                query = request.query_params
                reply = handler(
                    Asked(request.method, path, query, request.path_params, data, token, self.hub.shapes.url)
                )
            except Refused as refused:
                reply = Reply(refused.body, refused.status, refused.headers)
            return self._respond(request, reply, headers | reply.headers)

    def _token(self, request: Request) -> Token | None:
        if not request.headers.get("user-agent"):
            raise Refused(403, "Request forbidden by administrative rules. Please make sure it has a User-Agent header")
        given = request.headers.get("authorization")
        if given is None:
            return None
        kind, _, secret = given.partition(" ")
        secret = secret.strip()
        if kind.lower() == "bearer" and secret.count(".") == 2:
            return self._app(request.url.path, secret)
        if kind.lower() in ("token", "bearer") and secret in self.tokens:
            return self.tokens[secret]
        app = self.apps.of_token(secret) if kind.lower() in ("token", "bearer") else None
        if app is None:
            raise Refused(401, "Bad credentials")
        self._permit(app, request)
        return Token(app.login, (), app)

    def _app(self, path: str, secret: str) -> Token:
        """The app that signed this JWT, which is good for the app's own addresses alone."""
        try:
            app = self.apps.of_jwt(secret)
        except BadJwt as bad:
            raise Refused(bad.status, str(bad)) from None
        if not re.fullmatch(r"/app(/.*)?|/repos/[^/]+/[^/]+/installation", path):
            raise Refused(403, "Resource not accessible by integration")
        return Token(app.login, (), app, jwt=True)

    @staticmethod
    def _permit(app: App, request: Request) -> None:
        """Refuse what the installation may not ("Permissions required for GitHub Apps")."""
        if app.suspended:
            raise Refused(403, "This installation has been suspended")
        path = request.url.path
        if path in _ANYBODY or path.startswith("/app"):
            return
        repo = re.match(r"/repos/[^/]+/[^/]+|/repositories/\d+", path)
        if repo is None:
            raise Refused(403, "Resource not accessible by integration")
        rest = path[repo.end() :]
        needed = next((name for pattern, name in _NEEDS if re.match(pattern, rest)), "metadata")
        level = "write" if request.method in WRITES else "read"
        if not app.may(needed, level):
            raise Refused(
                403, "Resource not accessible by integration", X_Accepted_GitHub_Permissions=f"{needed}={level}"
            )

    def _admit(self, request: Request) -> None:
        """Refuse what is over a limit ("Rate limits for the REST API")."""
        now = self.hub.now()
        if self._reset is None or now >= self._reset:
            self._used, self._reset = 0, now + timedelta(hours=1)
        if request.url.path in ("/rate_limit", "/meta"):
            return
        if self._used >= self.requests_per_hour:
            raise Refused(403, "API rate limit exceeded for your account.")
        self._used += 1
        if request.method not in WRITES or request.url.path == "/graphql" or self.writes_per_minute is None:
            return
        while self._writes and now - self._writes[0] >= timedelta(minutes=1):
            self._writes.popleft()
        if len(self._writes) >= self.writes_per_minute:
            oldest = self._writes[0] if self._writes else now
            wait = max(math.ceil((oldest + timedelta(minutes=1) - now).total_seconds()), 1)
            text = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
            raise Refused(403, text, Retry_After=str(wait))
        self._writes.append(now)

    @staticmethod
    def _json(body: bytes) -> Any:
        try:
            return json.loads(body) if body else {}
        except ValueError:
            raise Refused(400, "Problems parsing JSON") from None

    def _respond(self, request: Request, reply: Reply, headers: dict[str, str]) -> Response:
        body = b"" if reply.status == 204 else json.dumps(reply.content, ensure_ascii=False).encode()
        if request.method == "GET" and reply.status == 200:
            tag = hashlib.sha256(body + headers.get("Link", "").encode()).hexdigest()
            headers["ETag"] = f'W/"{tag}"'
            headers["Cache-Control"] = "private, max-age=60, s-maxage=60"
            known = re.findall(r'"([^"]*)"', request.headers.get("if-none-match", ""))
            if tag in known:
                self._used -= 1  # "Use conditional requests": a 304 does not count
                reply, body = Reply(None, 304), b""
        limits = self.limits()
        headers |= {f"X-RateLimit-{name.title()}": str(value) for name, value in limits.items()}
        headers |= {"X-RateLimit-Resource": "core", "X-GitHub-Media-Type": "github.v3; format=json"}
        kind = "application/json; charset=utf-8" if body else None
        return Response(body, reply.status, headers, media_type=kind)

    # --- what the routes ask of a request -----------------------------------------------------------------------------

    def repository(self, asked: Asked) -> Repository:
        """The repository in the address; 404 when there is none, or none that this token may know of."""
        repo = self.hub.find(f"{asked.parts['owner']}/{asked.parts['repo']}")
        if repo is None or not self.sees(asked.token, repo):
            raise missing()
        return repo

    @staticmethod
    def sees(token: Token | None, repo: Repository) -> bool:
        """Whether this token may know that the repository exists."""
        if token is not None and token.app is not None and token.app.has(repo):
            return True
        if not repo.private:
            return True
        return token is not None and "repo" in token.scopes and repo.may(token.login, "pull")

    def writable(self, asked: Asked, level: str = "") -> Repository:
        """The same, for a change that needs `level` ("": whoever sees it)."""
        repo = self.repository(asked)
        _ = asked.login  # 401 without one
        app = asked.token.app if asked.token else None
        if app and not app.has(repo):
            raise Refused(403, "Resource not accessible by integration")
        if asked.token and not app and not {"repo", "public_repo"} & set(asked.token.scopes):
            raise missing()
        if repo.archived:
            raise Refused(403, "Repository was archived so is read-only.")
        if level and not asked.may(repo, level):
            raise Refused(403, "Must have admin rights to Repository.")
        return repo
