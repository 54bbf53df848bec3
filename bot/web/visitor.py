"""Who looks at the dashboard: somebody who signed in and may, or whoever sits at this machine."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from babel import negotiate_locale
from starlette.requests import Request
from starlette.responses import Response

from bot.bridge import rights
from bot.bridge.core import Bridge
from bot.configuration import Configuration
from bot.settings import Environment
from bot.slack.people import People
from bot.store import upkeep
from bot.texts import Say
from bot.web.sealing import Seal

COOKIE = "passerelle_session"
LASTING = timedelta(hours=12)
"""How long somebody stays signed in."""

HERE = "on this machine"
"""Who did something where nobody signs in."""

_FORWARDED = ("forwarded", "via")
_PROXIES = "x-"
"""How the headers begin that proxies add, under many names, and that no browser sends when somebody opens a page."""
_OLD = "1.0"
"""The HTTP that proxies speak unless they are told otherwise, and that no browser does."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who may look. `person` is a Slack id, "" for whoever sits at this machine."""

    person: str
    name: str
    say: Say
    zone: str
    may_mend: bool  # retry and drop dead letters
    session: str

    @property
    def known_as(self) -> str:
        return self.person or HERE


class SignedOut(Exception):
    """Nobody is signed in; `ended`: somebody was."""

    def __init__(self, ended: bool) -> None:
        super().__init__()
        self.ended = ended


class NotAllowed(Exception):
    """Somebody signed in who may not look, or does not any more."""

    def __init__(self, visitor: Visitor) -> None:
        super().__init__()
        self.visitor = visitor


class Hidden(Exception):
    """There is no dashboard for this request."""


class Door:
    """Lets in who may look."""

    def __init__(self, bridge: Bridge, people: People, seal: Seal, environment: Environment) -> None:
        self._bridge, self._people, self._seal = bridge, people, seal
        web = bridge.settings.web
        address = urlsplit(web.public_url) if web else None
        self.guarded = web is not None and web.sign_in is not None
        self._public = not all(_loopback(_host(one)) for one in _callers(bridge.settings, environment))
        self._secure = address is not None and address.scheme == "https"
        self.root = address.path.rstrip("/") if address and self.guarded else ""
        self._ours = web.public_url if web and self.guarded else ""

    def visitor(self, request: Request) -> Visitor:
        """Who looks. Raises Hidden, SignedOut, NotAllowed, ServiceErrors."""
        record = self._record(request)
        if not self.guarded:
            if not self.open_to(request):
                raise Hidden
            session = str(record["session"]) if record else secrets.token_hex(8)
            return Visitor("", "", self.stranger(request), "UTC", True, session)
        if record is None or not self._seal.lasts(record):
            raise SignedOut(ended=bool(request.cookies.get(COOKIE)))
        return self.known(str(record["person"]), str(record["session"]))

    def session(self, request: Request) -> str:
        """The session that the browser keeps, whoever has it and whatever they may; "" without one."""
        record = self._record(request)
        return str(record["session"]) if record else ""

    def _record(self, request: Request) -> dict[str, Any] | None:
        sealed = request.cookies.get(COOKIE, "")
        return self._seal.open("session", sealed) if sealed else None

    def known(self, person: str, session: str) -> Visitor:
        """This person, if they may look. Raises SignedOut, NotAllowed, ServiceErrors."""
        roles = rights.roles(self._bridge, person)
        with self._bridge.store.read() as reading:
            if upkeep.slot_taken(reading, signed_out(session)):
                raise SignedOut(ended=True)
            say = self._people.say(reading, person)
            name = self._people.name(reading, person)
            zone = self._bridge.zone(reading, person).key
        visitor = Visitor(person, name, say, zone, roles.leads or bool(roles.decides), session)
        if not roles.any:
            raise NotAllowed(visitor)
        return visitor

    def open_to(self, request: Request) -> bool:
        """Whether a request certainly comes from this very machine: through a proxy, everybody would look so."""
        server, client = request.scope.get("server"), request.scope.get("client")
        called = _host(f"//{request.headers.get('host', '')}")
        names = [str(server[0]) if server else "", str(client[0]) if client else "", called]
        old = request.scope.get("http_version") == _OLD
        passed_on = old or any(name in _FORWARDED or name.startswith(_PROXIES) for name in request.headers)
        return not self._public and not passed_on and all(map(_loopback, names))

    def stranger(self, request: Request) -> Say:
        """Speaks to somebody whom we do not know: as their browser asks, else as configured."""
        asked = [one.split(";")[0].strip() for one in request.headers.get("accept-language", "").split(",")][:10]
        found = negotiate_locale(asked, ["fr", "en"], sep="-")
        return Say(found or self._bridge.settings.slack.language)

    def admit(self, response: Response, person: str, session: str = "") -> None:
        """Let somebody stay signed in."""
        record = {"person": person, "session": session or secrets.token_hex(8)}
        self.keep(response, COOKIE, self._seal.close("session", record, LASTING), LASTING)

    def leave(self, response: Response, session: str) -> None:
        """End a session: also for who has a copy of the cookie."""
        with self._bridge.store.write() as writing:
            upkeep.take(writing, signed_out(session), self._bridge.clock.now())
        self.keep(response, COOKIE, "", LASTING)

    def keep(self, response: Response, name: str, value: str, lasting: timedelta) -> None:
        """Put a cookie into the browser, or with "" take it out."""
        age = int(lasting.total_seconds()) if value else 0
        path = self.root or "/"
        response.set_cookie(name, value, max_age=age, path=path, secure=self._secure, httponly=True, samesite="lax")

    def sent_here(self, request: Request, form: Mapping[str, str], visitor: Visitor) -> bool:
        """Whether a form was sent from a page of ours, by the one to whom it was shown."""
        ours = self._ours or f"{request.url.scheme}://{request.headers.get('host', '')}"
        return request.headers.get("origin") == _origin(ours) and self.shown_in(form, visitor.session)

    def shown_in(self, form: Mapping[str, str], session: str) -> bool:
        """Whether a form carries what only the pages of this session do."""
        return self._seal.same(form.get("token", ""), session)

    def token(self, visitor: Visitor) -> str:
        """What the forms of this visitor's pages carry."""
        return self._seal.token(visitor.session)


def signed_out(session: str) -> str:
    """The slot that is taken when a session was ended."""
    return f"signed_out:{session}"


def _callers(settings: Configuration, environment: Environment) -> Iterator[str]:
    """The addresses of those who are told to call us, and our own. One that is not on this machine comes through
    something that stands in front of us, and that nobody may see in a request: nginx adds no header by itself."""
    if settings.web:
        yield settings.web.public_url
    if environment.slack_signing_secret and not environment.slack_app_token:
        yield environment.slack_api_url
    for one in (*settings.trackers.values(), *settings.helpdesks.values()):
        if any(value for name, value in one.config if name.endswith("_secret")):
            yield str(getattr(one.config, "url", ""))


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _origin(address: str) -> str:
    """An address's origin as browsers write it: in small letters, without the port that goes without saying."""
    parts = urlsplit(address)
    usual = {"http": ":80", "https": ":443"}.get(parts.scheme, ":")
    return f"{parts.scheme}://{parts.netloc.lower().removesuffix(usual)}"


def _loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
