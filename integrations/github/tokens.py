"""How a GitHub App proves who it is: JWTs that its key signs, and the installation's tokens that they buy.

PyGithub's own `AppInstallationAuth` has no lock, refreshes 20 s before the end and never after a 401.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import jwt
from pydantic import SecretStr

from integrations.base import Unauthorised, Unavailable

Now = Callable[[], datetime]

_BACK = timedelta(minutes=2)  # "Generating a JSON Web Token": an `iat` in the past, as clocks differ
_AHEAD = timedelta(minutes=6)  # and an `exp` at most ten minutes ahead by GitHub's clock
_EARLY = timedelta(minutes=5)
_LAST = timedelta(seconds=30)


class AppRefused(Unauthorised):
    """GitHub does not let the app in: `key` is the option that is wrong, `mend` the next step."""

    def __init__(self, service: str, detail: str, key: str, mend: str) -> None:
        super().__init__(service, detail)
        self.key = key
        self.mend = mend


@dataclass(frozen=True, slots=True)
class App:
    """A GitHub App, installed somewhere; `id` may be its client id."""

    id: str
    key: SecretStr
    installation: int

    def jwt(self, at: datetime) -> str:
        """What proves for some minutes that we are the app ("Generating a JSON Web Token for a GitHub App")."""
        claims = {"iat": int((at - _BACK).timestamp()), "exp": int((at + _AHEAD).timestamp()), "iss": self.id}
        return jwt.encode(claims, self.key.get_secret_value(), algorithm="RS256")

    def refusal(self, service: str, path: str, status: int, message: str) -> AppRefused | None:
        """What an answer to the app itself means; None for what concerns neither its key nor its installation."""
        if status == 401 and ("('iat')" in message or "('exp')" in message):
            return AppRefused(
                service, "GitHub's clock and ours differ by minutes", "app_id", "Set this machine's clock."
            )
        if status == 401:
            mend = "Make a new private key in the app's settings, and see that it is this app's."
            return AppRefused(service, "the private key is not the GitHub App's", "private_key", mend)
        if status == 404 and "integration" in message.casefold():
            mend = "Copy the App ID from the app's settings page."
            return AppRefused(service, f"GitHub knows no app {self.id}", "app_id", mend)
        if status == 404 and path.startswith("/app/installations/"):
            mend = "Install the app, and copy the number at the end of the installation's address."
            return AppRefused(service, f"the app has no installation {self.installation}", "installation_id", mend)
        if status == 403 and "suspended" in message.casefold():
            return AppRefused(service, "the app's installation is suspended", "installation_id", UNSUSPEND)
        return None


UNSUSPEND = "An owner of the account lets it work again: Settings, GitHub Apps, Configure, Unsuspend."


@dataclass(frozen=True, slots=True)
class Minted:
    token: str
    ends: datetime

    def __repr__(self) -> str:  # never the token
        return f"Minted(ends={self.ends.isoformat()})"


class InstallationTokens:
    """The installation's token, shared by all threads: made when first asked for, and anew five minutes before it ends.

    One hour is what GitHub gives ("Generating an installation access token"). `mint` raises ServiceErrors.
    """

    def __init__(self, mint: Callable[[], Minted], now: Now) -> None:
        self._mint = mint
        self._now = now
        self._held: Minted | None = None
        self._lock = threading.Lock()

    def get(self) -> str:
        """A token that GitHub accepts as far as we know; while GitHub cannot make a new one, the old one to its end."""
        held = self._held
        if held is not None and self._now() < held.ends - _EARLY:
            return held.token
        with self._lock:
            if self._held is not None and self._held is not held:  # another thread was faster
                return self._held.token
            try:
                self._held = self._mint()
            except Unavailable:
                if self._held is None or self._now() >= self._held.ends - _LAST:
                    raise
            return self._held.token

    def drop(self, token: str) -> None:
        """Forget that token, which GitHub does not accept any more."""
        with self._lock:
            if self._held is not None and self._held.token == token:
                self._held = None
