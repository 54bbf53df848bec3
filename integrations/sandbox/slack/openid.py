"""Sign in with Slack: who a person is, said by OpenID Connect (page "Sign in with Slack", and its methods' pages)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from html import escape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from integrations.sandbox.slack.workspace import Json, SlackError, Workspace

CLIENT_ID = "1111111111.2222222222"
CLIENT_SECRET = "sandbox-client-secret"  # noqa: S105 (the sandbox's own)
CODE_LIFE = timedelta(minutes=10)
TOKEN_LIFE = timedelta(minutes=5)
METHODS = ("openid.connect.token", "openid.connect.userInfo")

_SCOPES = ("openid", "email", "profile")
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sign in to {team}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
body {{ max-width: 26rem; margin: 3rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; color: #1d1c1d }}
button {{ display: block; width: 100%; margin: .5rem 0; padding: .6rem 1rem; font: inherit; text-align: left;
  background: #fff; border: 1px solid #86868b; border-radius: .5rem; cursor: pointer }}
small {{ color: #616061 }}</style></head><body><h1>{title}</h1>{body}</body></html>"""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an app asked for when it sent a person here."""

    redirect_uri: str
    scopes: tuple[str, ...]
    state: str
    nonce: str
    challenge: str  # PKCE's, by S256; "": none was given


@dataclass(frozen=True, slots=True)
class Grant:
    """A person's consent, for the app to fetch."""

    user: str
    asked: Asked
    expires: datetime


class OpenId:
    """The workspace as an OpenID provider. The issuer is the stand-in's own address, as Slack's is https://slack.com.

    For tests: `refusal` is the error that every exchange of a code answers ("": none); `claims` replace those of the
    id tokens to come (`nonce`, `aud`, `iss`, `exp`, `https://slack.com/team_id`, …), where None leaves one out;
    `forging` signs with a key that is not among the published ones, under the name of one that is.
    """

    def __init__(self, workspace: Workspace, base_url: Callable[[], str]) -> None:
        self.workspace = workspace
        self._base_url = base_url
        self.refusal = ""
        self.claims: Json = {}
        self.forging = False
        self._grants: dict[str, Grant] = {}
        self._tokens: dict[str, Grant] = {}
        self._making_keys = threading.Lock()

    @property
    def issuer(self) -> str:
        return self._base_url()

    def routes(self) -> list[Route]:
        return [
            Route("/openid/connect/authorize", self._page, methods=["GET"]),
            Route("/openid/connect/authorize", self._chosen, methods=["POST"]),
            Route("/openid/connect/keys", self._keys, methods=["GET"]),
            Route("/.well-known/openid-configuration", self._configuration, methods=["GET"]),
        ]

    # --- what people do

    def consent(self, user: str, address: str) -> str:
        """A person follows `address` to Slack and agrees; returns where Slack sends their browser with the code.

        Raises SlackError when Slack would show an error instead: the address is wrong, or the person is gone.
        """
        asked = self._asked(dict(parse_qsl(urlsplit(address).query)))
        if self.workspace.person(user)["deleted"]:
            raise SlackError("account_inactive")
        code = f"{CLIENT_ID.partition('.')[0]}.{secrets.token_hex(16)}"
        with self.workspace.changed:
            self._grants[code] = Grant(user, asked, self.workspace.now() + CODE_LIFE)
        return _with(asked.redirect_uri, {"code": code, "state": asked.state})

    def decline(self, address: str) -> str:
        """A person follows `address` and does not agree; returns where Slack sends their browser."""
        asked = self._asked(dict(parse_qsl(urlsplit(address).query)))
        return _with(asked.redirect_uri, {"error": "access_denied", "state": asked.state})

    def _asked(self, args: Json) -> Asked:
        scopes = tuple(str(args.get("scope", "")).replace(",", " ").split())
        if args.get("client_id") != CLIENT_ID:
            raise SlackError("invalid_client_id")
        if args.get("response_type") != "code":
            raise SlackError("invalid_response_type")
        if "openid" not in scopes or not set(scopes) <= set(_SCOPES):
            raise SlackError("invalid_scope")
        redirect_uri = urlsplit(str(args.get("redirect_uri", "")))
        if redirect_uri.scheme not in ("http", "https") or not redirect_uri.netloc or redirect_uri.fragment:
            raise SlackError("bad_redirect_uri")
        if args.get("code_challenge") and args.get("code_challenge_method") != "S256":
            raise SlackError("invalid_code_challenge_method")
        rest = [str(args.get(name) or "") for name in ("state", "nonce", "code_challenge")]
        return Asked(redirect_uri.geturl(), scopes, *rest)

    # --- the pages

    async def _page(self, request: Request) -> Response:
        """The people of the workspace, to be one of them: the real Slack knows who sits there."""
        try:
            self._asked(dict(request.query_params))
        except SlackError as error:
            return self._wrong(error)
        with self.workspace.changed:
            people = [one for one in self.workspace.people.values() if not one["is_bot"] and not one["deleted"]]
        buttons = "".join(f'<button name="user" value="{one["id"]}">{escape(_named(one))}</button>' for one in people)
        body = f'<form method="post"><p>Who are you?</p>{buttons}<button name="user" value="">Cancel</button></form>'
        return self._html(f"Sign in to {self.workspace.identity.team_name}", body)

    async def _chosen(self, request: Request) -> Response:
        user = dict(parse_qsl((await request.body()).decode())).get("user", "")
        address = str(request.url)
        try:
            return RedirectResponse(self.consent(user, address) if user else self.decline(address), 302)
        except SlackError as error:
            return self._wrong(error)

    def _wrong(self, error: SlackError) -> Response:
        return self._html("Something went wrong when authorising this app", f"<p>{escape(error.code)}</p>", 400)

    def _html(self, title: str, body: str, status: int = 200) -> Response:
        team = escape(self.workspace.identity.team_name)
        return HTMLResponse(_PAGE.format(team=team, title=escape(title), body=body), status)

    async def _keys(self, _request: Request) -> Response:
        return JSONResponse({"keys": [self._published()]})

    async def _configuration(self, _request: Request) -> Response:
        here = self.issuer
        return JSONResponse(
            {
                "issuer": here,
                "authorization_endpoint": f"{here}/openid/connect/authorize",
                "token_endpoint": f"{here}/api/openid.connect.token",
                "userinfo_endpoint": f"{here}/api/openid.connect.userInfo",
                "jwks_uri": f"{here}/openid/connect/keys",
                "scopes_supported": list(_SCOPES),
                "response_types_supported": ["code"],
                "response_modes_supported": ["form_post"],
                "grant_types_supported": ["authorization_code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "claims_supported": ["sub", "auth_time", "iss"],
                "claims_parameter_supported": False,
                "request_parameter_supported": False,
                "request_uri_parameter_supported": True,
                "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            }
        )

    # --- the methods

    def call(self, method: str, args: Json, token: str, authorization: str) -> Json:
        """The answer's body; `token` is the bearer's or the argument's. Raises SlackError for `ok: false`."""
        with self.workspace.changed:
            return self._exchange(args, authorization) if method == METHODS[0] else self._user_info(token)

    def _exchange(self, args: Json, authorization: str) -> Json:
        """openid.connect.token"""
        client_id, client_secret = _basic(authorization) or (args.get("client_id"), args.get("client_secret"))
        if client_id != CLIENT_ID:
            raise SlackError("invalid_client_id")
        if client_secret != CLIENT_SECRET:
            raise SlackError("bad_client_secret")
        if args.get("grant_type", "authorization_code") != "authorization_code":
            raise SlackError("invalid_grant_type")
        grant = self._grants.pop(str(args.get("code") or ""), None)
        if self.refusal:
            raise SlackError(self.refusal)
        if grant is None or self.workspace.now() > grant.expires:
            raise SlackError("invalid_code")
        if args.get("redirect_uri") != grant.asked.redirect_uri:
            raise SlackError("bad_redirect_uri")
        if grant.asked.challenge and _s256(str(args.get("code_verifier") or "")) != grant.asked.challenge:
            raise SlackError("invalid_code_verifier")
        token = f"xoxp-sandbox-{secrets.token_hex(12)}"
        self._tokens[token] = grant
        return {"access_token": token, "token_type": "Bearer", "id_token": self._id_token(grant, token)}

    def _user_info(self, token: str) -> Json:
        """openid.connect.userInfo"""
        if not token:
            raise SlackError("not_authed")
        if token not in self._tokens:
            raise SlackError("invalid_auth")
        grant = self._tokens[token]
        me = self.workspace.identity
        team = {"https://slack.com/team_name": me.team_name, "https://slack.com/team_domain": me.team_domain}
        return self._who(grant) | team

    def _who(self, grant: Grant) -> Json:
        person = self.workspace.person(grant.user)
        ids = {"https://slack.com/user_id": person["id"], "https://slack.com/team_id": person["team_id"]}
        said: Json = {"sub": person["id"], **ids}
        if "email" in grant.asked.scopes and (email := person["profile"].get("email")):
            said |= {"email": email, "email_verified": True, "date_email_verified": 1622128723}
        if "profile" in grant.asked.scopes:
            first, _, last = person["real_name"].partition(" ")
            said |= {"name": person["real_name"], "given_name": first, "family_name": last}
            said |= {"locale": person["locale"], "picture": f"{self.issuer}/avatars/{person['id']}.png"}
        return said

    def _id_token(self, grant: Grant, token: str) -> str:
        now = int(self.workspace.now().timestamp())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "auth_time": now, "at_hash": _at_hash(token)}
        claims |= {"exp": now + int(TOKEN_LIFE.total_seconds()), **self._who(grant)}
        claims |= {"nonce": grant.asked.nonce} if grant.asked.nonce else {}
        signed = {name: value for name, value in (claims | self.claims).items() if value is not None}
        key = self._another_key if self.forging else self._key
        return jwt.encode(signed, key, "RS256", {"kid": self._published()["kid"]})

    # --- keys, made when first asked for: that takes a while

    @cached_property
    def _key(self) -> RSAPrivateKey:
        return generate_private_key(65537, 2048)

    @cached_property
    def _another_key(self) -> RSAPrivateKey:
        return generate_private_key(65537, 2048)

    def _published(self) -> Json:
        with self._making_keys:
            key = self._key
        public: Json = json.loads(RSAAlgorithm.to_jwk(key.public_key()))
        kid = hashlib.sha256(public["n"].encode()).hexdigest()[:43]
        return {"kty": "RSA", "e": public["e"], "n": public["n"], "alg": "RS256", "kid": kid, "use": "sig"}


def _named(person: Json) -> str:
    """A person as the page lists them, and what keeps some of them out of much."""
    if person["is_stranger"]:
        return f"{person['real_name']} (of another workspace)"
    return f"{person['real_name']} (guest)" if person["is_restricted"] else str(person["real_name"])


def _with(address: str, args: dict[str, str]) -> str:
    return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(args)}"


def _basic(authorization: str) -> list[Any] | None:
    """Id and secret of a Basic authorisation; None without one."""
    if not authorization.lower().startswith("basic "):
        return None
    try:
        given = base64.b64decode(authorization[6:], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        given = ""
    return list(given.partition(":")[::2])


def _s256(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def _at_hash(token: str) -> str:
    """The left half of the access token's hash (OpenID Connect Core, 3.1.3.6)."""
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()[:16]).decode().rstrip("=")
