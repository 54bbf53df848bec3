"""What a browser keeps for us: sealed cookies that nobody else can make, change, or keep beyond their time."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any

import jwt

from bot.clock import Clock

_HOW = "HS256"


class Seal:
    """Seals small records with keys made of one secret; each purpose has its own, so that none stands for another."""

    def __init__(self, secret: str, clock: Clock) -> None:
        self._secret = secret.encode()
        self._clock = clock

    def close(self, purpose: str, record: dict[str, Any], lasting: timedelta) -> str:
        """The record as text that a cookie can hold."""
        until = self._clock.now() + lasting
        return jwt.encode({**record, "until": until.timestamp()}, self._key(purpose), _HOW)

    def open(self, purpose: str, sealed: str) -> dict[str, Any] | None:
        """The record, or None when it was not sealed here for this purpose."""
        try:
            return dict(jwt.decode(sealed, self._key(purpose), [_HOW]))
        except jwt.InvalidTokenError:
            return None

    def lasts(self, record: dict[str, Any]) -> bool:
        """Whether the record's time is not over."""
        return datetime.fromtimestamp(record["until"], tz=self._clock.now().tzinfo) > self._clock.now()

    def token(self, session: str) -> str:
        """What a form of that session carries, so that no other site can send it."""
        return hmac.new(self._key("form"), session.encode(), hashlib.sha256).hexdigest()

    def same(self, given: str, session: str) -> bool:
        """Whether a form came from a page of that session."""
        return hmac.compare_digest(given.encode(), self.token(session).encode())

    def _key(self, purpose: str) -> bytes:
        return hmac.new(self._secret, f"passerelle {purpose}".encode(), hashlib.sha256).digest()
