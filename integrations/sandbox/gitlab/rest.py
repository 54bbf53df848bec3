"""The GitLab stand-in's front door: tokens and their scopes, rate limits, ETags, and who may see what."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from integrations.sandbox.gitlab.asked import Asked, Json, Refused, Reply, Token, form, missing, wrong
from integrations.sandbox.gitlab.hub import Hub
from integrations.sandbox.gitlab.records import GUEST, PLANNER, REPORTER, Issue, Project

Handler = Callable[[Asked], Reply]
PREFIX = "/api/v4/"
READS = ("GET", "HEAD")
MINUTE = timedelta(minutes=1)
TOO_MANY = {"error": "This endpoint has been requested too many times. Try again later."}


class Throttled(Exception):
    """Over the limit for all requests, which answers a plain text."""


class Window:
    """How often something was done in the last minute."""

    def __init__(self) -> None:
        self._times: deque[datetime] = deque()

    def take(self, now: datetime, most: int) -> bool:
        while self._times and now - self._times[0] >= MINUTE:
            self._times.popleft()
        if len(self._times) >= most:
            return False
        self._times.append(now)
        return True

    def wait(self, now: datetime) -> int:
        """Seconds until there is room again."""
        oldest = self._times[0] if self._times else now
        return max(math.ceil((oldest + MINUTE - now).total_seconds()), 1)

    def __len__(self) -> int:
        return len(self._times)


class Door:
    """Turns HTTP requests into `Asked` and `Reply` into HTTP; one request at a time under the hub's lock.

    The limits (None: none) may be set at any time. `requests_per_minute` counts answers of 304, too.
    """

    def __init__(self, hub: Hub, tokens: dict[str, Token]) -> None:
        self.hub = hub
        self.tokens = tokens
        self.requests_per_minute: int | None = None
        self.issues_per_minute: int | None = None
        self.notes_per_minute: int | None = None
        self.table: list[tuple[re.Pattern[str], str, dict[str, Handler]]] = []
        self._all = Window()
        self._windows: dict[str, Window] = {}

    def serve(self, addresses: Mapping[str, Mapping[str, Handler]]) -> None:
        """Answer those addresses below /api/v4, whose `:name`s are single encoded parts."""
        for pattern, handlers in addresses.items():
            regex = re.sub(r":(\w+)", r"(?P<\1>[^/]+)", pattern)
            self.table.append((re.compile(regex), pattern, dict(handlers)))

    async def endpoint(self, request: Request) -> Response:
        body = await request.body()
        return await run_in_threadpool(self._answer, request, body)

    def _answer(self, request: Request, body: bytes) -> Response:
        with self.hub.lock:
            try:
                self._admit()
                reply = self._reply(request, body)
            except Throttled:
                wait = self._all.wait(self.hub.now())
                return PlainTextResponse("Retry later\n", 429, self._limits() | {"Retry-After": str(wait)})
            except Refused as refused:
                reply = Reply(refused.body, refused.status, refused.headers)
        return self._respond(request, reply.after() if reply.after else reply)

    def _reply(self, request: Request, body: bytes) -> Reply:
        raw = request.scope["raw_path"].decode().removeprefix(PREFIX).rstrip("/")
        token = self._token(request)
        match, pattern, handlers = self._route(raw)
        method = "GET" if request.method == "HEAD" else request.method
        if method not in handlers:
            raise Refused(405, {"error": "405 Not Allowed"})
        self._in_scope(token, method, pattern)
        parts = {name: unquote(value) for name, value in match.groupdict().items()}
        address = f"{self.hub.shapes.url}{PREFIX}{raw}"
        query = parse_qsl(request.url.query, keep_blank_values=True)
        asked = Asked(method, address, parts, query, self._data(request, body), token, pattern)
        return handlers[method](asked)

    def _route(self, path: str) -> tuple[re.Match[str], str, dict[str, Handler]]:
        for regex, pattern, handlers in self.table:
            if match := regex.fullmatch(path):
                return match, pattern, handlers
        raise Refused(404, {"error": "404 Not Found"})

    # --- tokens and limits --------------------------------------------------------------------------------------------

    def _token(self, request: Request) -> Token | None:
        kind, _, bearer = request.headers.get("authorization", "").partition(" ")
        given = request.headers.get("private-token") or (bearer if kind.lower() == "bearer" else None)
        given = given or request.query_params.get("private_token")
        if not given:
            return None
        token = self.tokens.get(given)
        if token is None:
            raise Refused(401, "401 Unauthorized")
        for dead, why in (
            (token.revoked, "Token was revoked. You have to re-authorize from the user."),
            (token.expires_at and token.expires_at <= self.hub.now().date(), "Token is expired. You can either do "
             "re-authorization or token refresh."),
        ):  # fmt: skip
            if dead:
                raise Refused(401, {"error": "invalid_token", "error_description": why})
        return token

    @staticmethod
    def _in_scope(token: Token | None, method: str, pattern: str) -> None:
        """ "Personal access token scopes"; a token may always ask about itself."""
        if token is None or "api" in token.scopes or pattern == "personal_access_tokens/self":
            return
        if "read_api" in token.scopes and method == "GET":
            return
        if "read_user" in token.scopes and pattern in ("user", "users"):
            return
        why = "The request requires higher privileges than provided by the access token."
        needs = "api read_api" if method == "GET" else "api"
        raise Refused(403, {"error": "insufficient_scope", "error_description": why, "scope": needs})

    def _admit(self) -> None:
        if self.requests_per_minute is not None and not self._all.take(self.hub.now(), self.requests_per_minute):
            raise Throttled

    def limit(self, what: str, most: int | None) -> None:
        """Refuse what is over a limit of its own ("Rate limits on issue and epic creation", "… on note creation")."""
        window = self._windows.setdefault(what, Window())
        if most is not None and not window.take(self.hub.now(), most):
            raise Refused(429, {"message": TOO_MANY}, Retry_After="60")

    def _limits(self) -> dict[str, str]:
        """The headers of "Rate limits", where there is a limit at all."""
        if self.requests_per_minute is None:
            return {}
        now = self.hub.now()
        return {
            "RateLimit-Limit": str(self.requests_per_minute),
            "RateLimit-Name": "throttle_authenticated_api",
            "RateLimit-Observed": str(len(self._all)),
            "RateLimit-Remaining": str(max(self.requests_per_minute - len(self._all), 0)),
            "RateLimit-Reset": str(int(now.timestamp()) + self._all.wait(now)),
        }

    # --- bodies -------------------------------------------------------------------------------------------------------

    @staticmethod
    def _data(request: Request, body: bytes) -> Json:
        if not body:
            return {}
        if "json" in request.headers.get("content-type", ""):
            try:
                data = json.loads(body)
            except ValueError:
                raise wrong("Problems parsing JSON") from None
            if not isinstance(data, dict):
                raise wrong("The request body is invalid")
            return {name.removesuffix("[]"): value for name, value in data.items()}
        if "multipart/form-data" in request.headers.get("content-type", ""):
            return form(body, request.headers["content-type"])
        found: Json = {}
        for name, value in parse_qsl(body.decode(), keep_blank_values=True):
            if name.endswith("[]"):
                found.setdefault(name[:-2], []).append(value)
            else:
                found[name] = value
        return found

    def _respond(self, request: Request, reply: Reply) -> Response:
        """With a weak ETag over the body alone, as Rack makes one for each answer: two pages that show the same have
        the same, whatever their headers say."""
        body = b"" if reply.status == 204 else json.dumps(reply.content, ensure_ascii=False).encode()
        headers = reply.headers | self._limits()
        if request.method in READS and reply.status == 200:
            tag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
            headers |= {"ETag": tag, "Cache-Control": "max-age=0, private, must-revalidate"}
            if tag in re.findall(r'(?:W/)?"[^"]*"', request.headers.get("if-none-match", "")):
                return Response(b"", 304, headers)
        return Response(body, reply.status, headers, media_type="application/json" if body else None)

    # --- what the routes ask of a request -----------------------------------------------------------------------------

    def sees(self, token: Token | None, project: Project) -> bool:
        """Whether this token may know that the project exists."""
        if project.visibility == "public" or (token is not None and token.admin):
            return True
        if token is None:
            return False
        return project.visibility == "internal" or project.level(token.login) > 0

    def project(self, asked: Asked, level: int = 0) -> Project:
        """The project in the address, for who has `level` there; 404 where it may not be known of, 301 from a path that
        it had before."""
        wanted = asked.parts["id"]
        project = self.hub.find(wanted)
        old = None if project else self.hub.moved_from(wanted)
        here = project or old
        if here is None or not self.sees(asked.token, here):
            raise missing("Project")
        if old is not None:
            self._send_on(asked, old)
        if level and self.level(asked, here) < level:
            _ = asked.login
            raise Refused(403, "403 Forbidden")
        return here

    def _send_on(self, asked: Asked, project: Project) -> None:
        if asked.method != "GET":
            raise Refused(405, "Non GET methods are not allowed for moved projects")
        rest = re.sub(r"^.*?/projects/[^/]+", "", asked.address)
        query = "&".join(f"{name}={value}" for name, value in asked.query)
        address = f"{self.hub.shapes.api}/projects/{project.id}{rest}" + (f"?{query}" if query else "")
        raise Refused(301, f"This resource has been moved permanently to {address}", Location=address)

    @staticmethod
    def level(asked: Asked, project: Project) -> int:
        if asked.token is None:
            return 0
        return 50 if asked.token.admin else project.level(asked.token.login)

    def code(self, asked: Asked) -> Project:
        """The project, for who may read its repository: of a private one, reporters and more."""
        project = self.project(asked)
        if project.visibility == "private" and self.level(asked, project) < REPORTER:
            raise Refused(403, "403 Forbidden")
        return project

    def writable(self, asked: Asked, level: int) -> Project:
        """The same for a change, which an archived project refuses."""
        _ = asked.login
        project = self.project(asked, level)
        if project.archived:
            raise Refused(403, "403 Forbidden")
        return project

    def sees_issue(self, asked: Asked, project: Project, issue: Issue) -> bool:
        """Confidential ones: planners and more, who wrote it, and who is assigned ("Confidential issues")."""
        if not issue.confidential:
            return True
        login = asked.token.login if asked.token else ""
        return self.level(asked, project) >= PLANNER or login in (issue.by, *issue.assignees)

    def noted(self, asked: Asked) -> Project:
        """The project, for who may write issues and notes: of a private one, guests and more."""
        project = self.writable(asked, 0)
        if project.visibility == "private" and self.level(asked, project) < GUEST:
            raise Refused(403, "403 Forbidden")
        return project

    def issue(self, asked: Asked, project: Project) -> Issue:
        issue = project.issues.get(asked.iid())
        if issue is None or not project.issues_enabled or not self.sees_issue(asked, project, issue):
            raise missing()
        return issue
