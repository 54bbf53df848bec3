"""Sign in with Slack: OpenID Connect's code flow, bound to one browser, for people of one workspace.

Addresses and claims: Slack's "Sign in with Slack" and "openid.connect.token method". Slack's own provider is at
https://slack.com; another one stands beside the Web API whose address is configured.
"""

from __future__ import annotations

import http.client
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import jwt
import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.clock import Clock
from bot.configuration import SignIn
from bot.model import UserError
from bot.web.sealing import Seal
from integrations.base import ServiceError

log = structlog.get_logger()

BACK = "/sign-in/back"
"""Where Slack sends people back to, under our public address."""

PATIENCE = timedelta(minutes=10)
"""How long somebody may take at Slack."""

SKEW = 60.0
"""Seconds by which Slack's clock may differ from ours."""

_PERSON = "https://slack.com/user_id"
_TEAMS = ("https://slack.com/team_id", "https://slack.com/enterprise_id")
"""A person's workspace, and its organisation: an app that is installed for all of that has the organisation's id."""


@dataclass(frozen=True, slots=True)
class Begun:
    """Where to send the browser, and what it keeps meanwhile."""

    address: str
    kept: str


class Slack:
    """Signs people in. `team` tells the workspace that is ours, and may raise ServiceErrors."""

    def __init__(
        self,
        config: SignIn,
        seal: Seal,
        clock: Clock,
        team: Callable[[], str],
        *,
        public_url: str,
        api_url: str,
        timeout: float,
    ) -> None:
        self._config, self._seal, self._clock, self._team = config, seal, clock, team
        self._back = public_url + BACK
        parts = urlsplit(api_url)
        self._issuer = f"{parts.scheme}://{parts.netloc}"
        self._client = WebClient(base_url=api_url, timeout=int(max(1, timeout)), retry_handlers=[])
        self._keys = jwt.PyJWKClient(f"{self._issuer}/openid/connect/keys", timeout=max(1, timeout), lifespan=3600)

    def begin(self, to: str) -> Begun:
        """Send somebody to Slack, who wanted to see the path `to`. Raises ServiceErrors."""
        record = {"state": secrets.token_urlsafe(24), "nonce": secrets.token_urlsafe(24), "to": inside(to)}
        asked = {
            "response_type": "code",
            "scope": "openid",
            "client_id": self._config.client_id,
            "redirect_uri": self._back,
            "state": record["state"],
            "nonce": record["nonce"],
        }
        if (team := self._team()).startswith("T"):  # an organisation's id names no workspace to sign in to
            asked["team"] = team
        address = f"{self._issuer}/openid/connect/authorize?{urlencode(asked)}"
        return Begun(address, self._seal.close("sign-in", record, PATIENCE))

    def end(self, answer: Mapping[str, str], kept: str) -> tuple[str, str]:
        """Who came back from Slack, by Slack id, and the path that they wanted to see. Raises UserError."""
        record = self._seal.open("sign-in", kept)
        if record is None:
            raise UserError("This browser did not begin this sign-in, or ended it already. Begin again.")
        if not self._seal.lasts(record):
            raise UserError("The sign-in took too long. Begin again.")
        if not secrets.compare_digest(answer.get("state", "").encode(), str(record["state"]).encode()):
            raise UserError("What came back does not belong to this sign-in. Begin again.")
        if answer.get("error"):
            raise UserError("You did not allow the sign-in in Slack. Begin again, and choose Allow.")
        claims = self._claims(self._exchange(answer.get("code", "")), str(record["nonce"]))
        if self._our_team() not in [claims.get(team) for team in _TEAMS]:
            raise UserError("You signed in to another workspace. Choose the one that Passerelle is installed in.")
        return str(claims.get(_PERSON) or claims.get("sub") or ""), inside(str(record["to"]))

    def _our_team(self) -> str:
        try:
            return self._team()
        except ServiceError as error:
            raise _silent(error) from error

    def _exchange(self, code: str) -> str:
        """The id token that a code is worth."""
        try:
            answer = self._client.openid_connect_token(
                client_id=self._config.client_id,
                client_secret=self._config.client_secret.get_secret_value(),
                code=code,
                redirect_uri=self._back,
                grant_type="authorization_code",
            )
        except SlackApiError as error:
            data = getattr(error.response, "data", None)
            reason = str(data.get("error", "")) if isinstance(data, dict) else ""
            if not reason or reason in ("internal_error", "fatal_error", "service_unavailable", "ratelimited"):
                raise _silent(error) from error
            log.warning("sign_in.refused", reason=reason[:60])
            raise UserError("Slack did not confirm the sign-in: {reason}. Begin again.", reason=reason[:60]) from error
        except (OSError, http.client.HTTPException, SlackClientError) as error:
            raise _silent(error) from error
        return str(answer.get("id_token") or "")

    def _claims(self, token: str, nonce: str) -> dict[str, Any]:
        """What Slack signed about the person, for us, now, and for this very sign-in."""
        try:
            key = self._keys.get_signing_key_from_jwt(token)
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,
                ["RS256"],
                audience=self._config.client_id,
                issuer=self._issuer,
                # our own clock tells the time, below
                options={"require": ["exp", "iss", "aud", "sub"], "verify_exp": False, "verify_iat": False},
            )
        except (jwt.PyJWKClientConnectionError, jwt.PyJWKSetError, OSError, ValueError) as error:  # no keys to be had
            raise _silent(error) from error
        except jwt.PyJWTError as error:
            log.warning("sign_in.not_authentic", reason=type(error).__name__)
            raise UserError("What Slack sent is not signed as it must be. Begin again.") from error
        late = self._clock.now().timestamp() - SKEW > float(claims["exp"])
        if late or not secrets.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            log.warning("sign_in.not_authentic", reason="late" if late else "nonce")
            raise UserError("What Slack sent is not for this sign-in. Begin again.")
        return claims


def _silent(error: Exception) -> UserError:
    log.warning("sign_in.no_answer", error=type(error).__name__)
    return UserError("Slack does not answer now. Begin again in a minute.")


def inside(path: str) -> str:
    """The path if it leads to a page of our own, else the first page."""
    try:
        parts = urlsplit(path)
    except ValueError:
        return "/"
    plain = path.isascii() and path.isprintable() and "\\" not in path and len(path) <= 500
    return path if plain and path.startswith("/") and not (parts.netloc or path.startswith("//")) else "/"
