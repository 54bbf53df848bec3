"""The dashboard: read-only pages for those who may see them, and what can be done about dead letters."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.bridge.core import Bridge
from bot.model import UserError
from bot.settings import Environment
from bot.slack.people import People
from bot.texts import Say
from bot.web import health, pages, reports, sign_in
from bot.web.asked import Asked, Refused
from bot.web.pages import Facts, Look
from bot.web.paper import FILES, HEADERS, Paper
from bot.web.sealing import Seal
from bot.web.visitor import Door, Hidden, NotAllowed, SignedOut, Visitor
from integrations.base import ServiceError

log = structlog.get_logger()

LARGEST = 10_000
"""Bytes of a form."""

SIGNING_IN = "passerelle_sign_in"
"""The cookie that binds a sign-in to its browser."""

Make = Callable[[Look], Facts]


class Dashboard:
    """The routes of all pages. `team` tells which workspace is ours."""

    def __init__(self, bridge: Bridge, people: People, team: Callable[[], str], environment: Environment) -> None:
        web = bridge.settings.web
        config = web.sign_in if web else None
        # Without sign-in nothing outlives the process: the seal's only work is to tell its own forms.
        secret = config.client_secret.get_secret_value() if config else secrets.token_hex(32)
        seal = Seal(secret, bridge.clock)
        self._bridge, self._paper = bridge, Paper()
        self._door = Door(bridge, people, seal, environment)
        self._slack: sign_in.Slack | None = None
        if web and config:
            address, api, timeout = web.public_url, environment.slack_api_url, bridge.settings.timing.timeout
            self._slack = sign_in.Slack(
                config, seal, bridge.clock, team, public_url=address, api_url=api, timeout=timeout
            )

    def routes(self) -> list[Route]:
        shown: dict[str, tuple[str, Make]] = {
            "/": ("queue.html", pages.queue),
            "/write-backs": ("write_backs.html", pages.write_backs),
            "/causes": ("causes.html", reports.causes),
            "/times": ("times.html", reports.times),
            "/health": ("health.html", health.health),
        }
        return [
            *(Route(path, self._page(template, make)) for path, (template, make) in shown.items()),
            Route("/issues/{id}", self._issue),
            Route("/causes.csv", self._csv),
            Route("/dead-letters/{id}", self._mend, methods=["POST"]),
            Route("/sign-in", self._sign_in),
            Route("/sign-in/start", self._start),
            Route(sign_in.BACK, self._back),
            Route("/sign-out", self._sign_out, methods=["POST"]),
            *(Route(f"/{name}", self._file) for name in FILES),
        ]

    # --- pages

    def _page(self, template: str, make: Make) -> Callable[[Request], Response]:
        def show(request: Request) -> Response:
            return self._guarded(request, lambda visitor: self._show(request, visitor, template, make))

        return show

    def _issue(self, request: Request) -> Response:
        issue_id = str(request.path_params["id"])
        show: Make = lambda look: pages.issue(look, issue_id)  # noqa: E731
        return self._guarded(request, lambda visitor: self._show(request, visitor, "issue.html", show))

    def _csv(self, request: Request) -> Response:
        def show(visitor: Visitor) -> Response:
            with self._bridge.store.read() as session:
                text = reports.as_csv(Look(self._bridge, session, visitor, _asked(request)))
            headers = {**HEADERS, "Content-Disposition": 'attachment; filename="causes.csv"'}
            return Response(text, headers=headers, media_type="text/csv; charset=utf-8")

        return self._guarded(request, show)

    def _show(self, request: Request, visitor: Visitor, template: str, make: Make) -> Response:
        asked = _asked(request)
        with self._bridge.store.read() as session:
            facts = make(Look(self._bridge, session, visitor, asked))
            sends = template == "health.html"
            response = self._paper.page(template, visitor.say, self._frame(visitor, asked) | facts, sends=sends)
        if not self._door.guarded and sends:
            self._door.admit(response, "", visitor.session)  # the forms belong to this browser
        return response

    def _frame(self, visitor: Visitor, asked: Asked) -> Facts:
        """What stands around every page."""
        return {
            "visitor": visitor,
            "asked": asked,
            "root": self._door.root,
            "guarded": self._door.guarded,
            "token": self._door.token(visitor),
            "now": self._bridge.clock.now(),
        }

    def _guarded(self, request: Request, act: Callable[[Visitor], Response]) -> Response:
        """What `act` answers to somebody who may look; else why they do not see it."""
        say, visitor = self._door.stranger(request), None
        try:
            visitor = self._door.visitor(request)
            say = visitor.say
            return act(visitor)
        except Hidden:
            return PlainTextResponse("Not Found", 404)
        except SignedOut as out:
            asked = {"to": sign_in.inside(_asked(request).address("")) if request.method in ("GET", "HEAD") else "/"}
            query = urlencode({**asked, **({"ended": "1"} if out.ended else {})})
            return RedirectResponse(f"{self._door.root}/sign-in?{query}", 303)
        except NotAllowed as refused:
            return self._not_allowed(refused.visitor)
        except Refused as refused:
            return self._sorry(say, refused.status, say.repeat(refused.error.message, refused.error.names), visitor)
        except ServiceError as error:
            log.warning("dashboard.no_answer", error=type(error).__name__)
            sentence = say("Slack does not answer, so nobody can say who you are. Try again in a minute.")
            return self._sorry(say, 503, sentence)
        except SQLAlchemyError as error:
            log.error("dashboard.no_store", error=type(error).__name__)
            return self._sorry(say, 503, say("The database does not answer. Try again in a minute."))

    def _sorry(
        self, say: Say, status: int, sentence: str, visitor: Visitor | None = None, *, again: str = ""
    ) -> Response:
        """A page that is one sentence, and a way on."""
        facts = {"visitor": visitor, "root": self._door.root, "guarded": self._door.guarded}
        facts |= {"token": self._door.token(visitor) if visitor else "", "sentence": sentence, "again": again}
        return self._paper.page("sorry.html", say, facts, status)

    def _not_allowed(self, visitor: Visitor) -> Response:
        sentence = visitor.say(
            "The dashboard is for members of the support team, Support Devs and leads. Ask your lead to add you."
        )
        return self._sorry(visitor.say, 403, sentence, visitor)

    def _file(self, request: Request) -> Response:
        if not (self._door.guarded or self._door.open_to(request)):
            return PlainTextResponse("Not Found", 404)
        return self._paper.file(request.url.path.rpartition("/")[2])

    # --- dead letters

    async def _mend(self, request: Request) -> Response:
        form = await _form(request)
        return await run_in_threadpool(self._guarded, request, lambda visitor: self._mended(request, visitor, form))

    def _mended(self, request: Request, visitor: Visitor, form: Mapping[str, str]) -> Response:
        if not self._door.sent_here(request, form, visitor):
            raise Refused(403, UserError("This form is not from this page, or too old. Open the page again."))
        health.mend(self._bridge, visitor, str(request.path_params["id"]), form.get("act", ""))
        return RedirectResponse(f"{self._door.root}/health#dead-letters", 303)

    # --- signing in and out

    def _sign_in(self, request: Request) -> Response:
        if self._slack is None:
            return PlainTextResponse("Not Found", 404)
        asked = _asked(request).given
        to = urlencode({"to": sign_in.inside(asked.get("to", "/"))})
        facts = {"visitor": None, "root": self._door.root, "guarded": True, "to": to, "ended": "ended" in asked}
        return self._paper.page("sign_in.html", self._door.stranger(request), facts)

    def _start(self, request: Request) -> Response:
        if self._slack is None:
            return PlainTextResponse("Not Found", 404)
        say = self._door.stranger(request)
        try:
            begun = self._slack.begin(_asked(request).given.get("to", "/"))
        except ServiceError as error:
            log.warning("sign_in.no_answer", error=type(error).__name__)
            return self._sorry(say, 503, say("Slack does not answer now. Begin again in a minute."), again="/sign-in")
        response = RedirectResponse(begun.address, 303, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
        self._door.keep(response, SIGNING_IN, begun.kept, sign_in.PATIENCE)
        return response

    def _back(self, request: Request) -> Response:
        if self._slack is None:
            return PlainTextResponse("Not Found", 404)
        say = self._door.stranger(request)
        try:
            person, to = self._slack.end(_asked(request).given, request.cookies.get(SIGNING_IN, ""))
            visitor = self._door.known(person, secrets.token_hex(8))
        except UserError as error:
            response = self._sorry(say, 403, say.repeat(error.message, error.names), again="/sign-in")
        except NotAllowed as refused:
            log.warning("sign_in.not_allowed", person=refused.visitor.person)
            response = self._not_allowed(refused.visitor)
        except (ServiceError, SQLAlchemyError) as error:
            log.warning("sign_in.no_answer", error=type(error).__name__)
            response = self._sorry(
                say, 503, say("It cannot be found out now who you are. Begin again in a minute."), again="/sign-in"
            )
        else:
            log.info("sign_in.done", person=person)
            headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
            response = RedirectResponse(f"{self._door.root}{to}", 303, headers)
            self._door.admit(response, person, visitor.session)
        self._door.keep(response, SIGNING_IN, "", timedelta())
        return response

    async def _sign_out(self, request: Request) -> Response:
        form = await _form(request)
        return await run_in_threadpool(self._signed_out, request, form)

    def _signed_out(self, request: Request, form: Mapping[str, str]) -> Response:
        """End the browser's session: also of who may not look any more, and while Slack cannot say who it is."""
        if self._slack is None:
            return PlainTextResponse("Not Found", 404)
        say, session = self._door.stranger(request), self._door.session(request)
        response = RedirectResponse(f"{self._door.root}/sign-in", 303)
        if session and not self._door.shown_in(form, session):
            return self._sorry(say, 403, say("This form is not from this page, or too old. Open the page again."))
        try:
            if session:
                self._door.leave(response, session)
        except SQLAlchemyError as error:
            log.error("dashboard.no_store", error=type(error).__name__)
            return self._sorry(say, 503, say("The database does not answer. Try again in a minute."))
        return response


def _asked(request: Request) -> Asked:
    """What is asked for; a name that stands there several times has all its values, with commas between them."""
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        given[name] = f"{given[name]},{value}" if name in given else value
    return Asked(request.url.path, given)


async def _form(request: Request) -> dict[str, Any]:
    """The fields of a form; {} for what is none, or larger than ours."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST:
                return {}
    except ClientDisconnect:
        return {}
    try:
        return dict(parse_qsl(body.decode("ascii"), max_num_fields=20))
    except ValueError:
        return {}
