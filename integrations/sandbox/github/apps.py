"""The GitHub stand-in's GitHub Apps: who they are, what they may do where, and the tokens of their installations."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import jwt
from jwt.algorithms import RSAAlgorithm

from integrations.sandbox.github.records import Repository
from integrations.sandbox.wire import Now

LIFE = timedelta(hours=1)  # "Installation tokens expire one hour from the time you create them"
LEVELS = ("read", "write", "admin")
EVENTS = (
    "issues", "issue_comment", "pull_request", "release", "push", "create", "delete", "deployment_status", "repository",
)  # fmt: skip
PERMISSIONS = {
    "issues": "write",
    "pull_requests": "read",
    "contents": "read",
    "deployments": "read",
    "metadata": "read",
}


@dataclass(slots=True)
class App:
    """A GitHub App with one installation. Tests change its fields to suspend, uninstall or restrict it."""

    id: str
    key: Any  # RSA, public
    slug: str
    installation: int
    permissions: dict[str, str]
    repositories: list[str] | None  # full names; None: all
    events: list[str] = field(default_factory=lambda: list(EVENTS))
    suspended: bool = False
    installed: bool = True
    tokens: dict[str, datetime] = field(default_factory=dict)  # and when each ends; `clear()` revokes them
    now: Now | None = None  # whose clock dates its tokens and judges its JWTs; None: the stand-in's

    @property
    def login(self) -> str:
        return f"{self.slug}[bot]"

    def has(self, repo: Repository) -> bool:
        names = None if self.repositories is None else {name.lower() for name in self.repositories}
        return names is None or repo.full_name.lower() in names

    def may(self, permission: str, level: str) -> bool:
        held = self.permissions.get(permission)
        return held is not None and LEVELS.index(held) >= LEVELS.index(level)


class BadJwt(Exception):
    """A JWT that GitHub refuses, with its status and its words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Apps:
    """All that are registered, found by their JWT or by a token of their installation."""

    def __init__(self, now: Now) -> None:
        self._now = now
        self._apps: dict[str, App] = {}

    def register(
        self,
        app_id: int | str,
        key: str,
        slug: str,
        installation_id: int,
        permissions: Mapping[str, str] = PERMISSIONS,
        repositories: Sequence[str] | None = None,
        now: Now | None = None,
    ) -> App:
        """An app, installed; `key` is PEM text, private or public."""
        read = RSAAlgorithm(RSAAlgorithm.SHA256).prepare_key(key)
        public = read.public_key() if hasattr(read, "public_key") else read
        names = None if repositories is None else list(repositories)
        app = App(str(app_id), public, slug, installation_id, dict(permissions), names, now=now)
        self._apps[app.id] = app
        return app

    def clock(self, app: App) -> datetime:
        return (app.now or self._now)()

    def of_jwt(self, text: str) -> App:
        """The app that signed it, as "Generating a JSON Web Token (JWT) for a GitHub App" asks; else BadJwt."""
        unread = BadJwt(401, "A JSON web token could not be decoded")
        try:
            claims = jwt.decode(text, options={"verify_signature": False})
        except jwt.PyJWTError:
            raise unread from None
        app = self._apps.get(str(claims.get("iss")))
        if app is None:
            raise BadJwt(404, "Integration not found")
        options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
        try:
            jwt.decode(text, app.key, algorithms=["RS256"], options=options)  # type: ignore[arg-type]
        except jwt.PyJWTError:
            raise unread from None
        self._in_time(claims, self.clock(app).timestamp())
        return app

    @staticmethod
    def _in_time(claims: Mapping[str, Any], now: float) -> None:
        issued, ends = claims.get("iat"), claims.get("exp")
        if not isinstance(issued, int) or issued > now:
            claim = "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
            raise BadJwt(401, claim)
        if not isinstance(ends, int) or ends <= now:
            claim = "'Expiration time' claim ('exp') must be a numeric value representing the future time at which"
            raise BadJwt(401, f"{claim} the assertion expires")
        if ends > now + 600:
            raise BadJwt(401, "'Expiration time' claim ('exp') is too far in the future")

    def mint(self, app: App) -> tuple[str, datetime]:
        """A token of its installation, and when it ends."""
        token, ends = f"ghs_{secrets.token_hex(18)}", self.clock(app).replace(microsecond=0) + LIFE
        app.tokens[token] = ends
        return token, ends

    def of_token(self, token: str) -> App | None:
        """The app whose installation's token this is, while it is good."""
        for app in self._apps.values():
            ends = app.tokens.get(token)
            if ends is not None and app.installed and self.clock(app) < ends:
                return app
        return None

    def all(self) -> list[App]:
        return list(self._apps.values())
