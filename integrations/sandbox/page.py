"""The demo page's server: its files, what it shows (`/state`), and what a person does on it (`/act`).

It answers a loopback address only, and takes deeds only from its own page: no other site that is open in the same
browser can read it or act on it.
"""

from __future__ import annotations

import asyncio
import html
import json
import re
import time
from collections.abc import Callable
from importlib import resources
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from integrations.sandbox import panes
from integrations.sandbox.panes import Json
from integrations.sandbox.panes_gitlab import NOT_PLANNED, earlier
from integrations.sandbox.slack import Answer, SlackError
from integrations.sandbox.story import BOT, DEVELOPER, ENVIRONMENT, PEOPLE, PROJECT, REPOSITORY, World

_POLL = 20.0  # seconds that /state waits for a change
_LOOK = 0.1  # seconds between two looks at the version
_MOST = 200_000  # bytes of a deed
_KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
Gallery = Callable[[str], list[Json]]
"""All that a bot can say, in a language: samples as `bot.gallery` makes them."""

_SILENT = "Passerelle did not answer. Is the bot still running?"


def application(world: World, gallery: Gallery | None = None) -> ASGIApp:
    """The ASGI app of one world's page."""
    page = Page(world, gallery)
    routes = [
        Route("/state", page.state),
        Route("/act", page.act, methods=["POST"]),
        Route("/gallery", page.gallery),
        Route("/samples", page.samples),
        Route("/", page.file),
        Route("/{name}", page.file),
    ]
    return _OwnPageOnly(Starlette(routes=routes))


class _OwnPageOnly:
    """Refuses what does not come from the page itself: a foreign Host (DNS rebinding), a foreign site's POST."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            request = Request(scope)
            host = request.headers.get("host", "")
            origin = request.headers.get("origin")
            foreign = origin is not None and urlsplit(origin).netloc != host
            bare = request.method == "POST" and "x-passerelle-demo" not in request.headers
            if urlsplit(f"//{host}").hostname not in _LOOPBACK or foreign or bare:
                await PlainTextResponse("This page answers only itself.\n", 403)(scope, receive, send)
                return
        await self.app(scope, receive, send)


class Page:
    def __init__(self, world: World, gallery: Gallery | None = None) -> None:
        self.world = world
        self.made = gallery
        self.files = resources.files("integrations.sandbox") / "page"
        self.deeds = Deeds(world)

    async def file(self, request: Request) -> Response:
        return self._file(request.path_params.get("name", "index.html"))

    def _file(self, name: str) -> Response:
        ending = re.search(r"^\w+(\.\w+)$", name)
        found = self.files / name
        if ending is None or ending[1] not in _KINDS or not found.is_file():
            return PlainTextResponse("There is no such page.\n", 404)
        return Response(found.read_bytes(), headers=_HEADERS, media_type=_KINDS[ending[1]])

    async def gallery(self, request: Request) -> Response:
        return self._file("gallery.html" if self.made else "")

    async def samples(self, request: Request) -> Response:
        """What the gallery shows in the asked language."""
        if self.made is None:
            return self._file("")
        language = request.query_params.get("language", "en")
        return JSONResponse(await run_in_threadpool(self.made, language), headers=_HEADERS)

    async def state(self, request: Request) -> Response:
        """The whole state as soon as it is no longer `since`; 204 when it stayed the same for 20 s."""
        since, until = request.query_params.get("since", ""), time.monotonic() + _POLL
        while since == self.world.version:
            if time.monotonic() > until:
                return Response(status_code=204, headers=_HEADERS)
            await asyncio.sleep(_LOOK)
        return JSONResponse(await run_in_threadpool(panes.state, self.world), headers=_HEADERS)

    async def act(self, request: Request) -> Response:
        """Does what a person did; `{"ok": false, "error": …}` says to them why it could not be."""
        body = await request.body()
        try:
            asked = json.loads(body) if len(body) <= _MOST else None
        except ValueError:
            asked = None
        if not isinstance(asked, dict):
            return JSONResponse({"ok": False, "error": "This is not something a person can do here."}, 400, _HEADERS)
        return JSONResponse(await run_in_threadpool(self.deeds.do, asked), headers=_HEADERS)


class Deeds:
    """What a person can do on the page, by pane and action."""

    def __init__(self, world: World) -> None:
        self.slack, self.zendesk = world.slack, world.zendesk
        self.github, self.gitlab = world.github, world.gitlab
        self.panes: dict[str, dict[str, Callable[[Json], Json | None]]] = {
            "chat": {
                "say": self.say,
                "shortcut": lambda a: self._heard(self.slack.shortcut(a["user"], a["callback_id"])),
                "message_shortcut": lambda a: self._heard(
                    self.slack.message_shortcut(a["user"], a["channel"], a["ts"], a["callback_id"])
                ),
                "press": lambda a: self._heard(
                    self.slack.press(a["user"], a["channel"], a["ts"], a["action_id"], a.get("value"))
                ),
                "press_in_view": lambda a: self._heard(
                    self.slack.press_in_view(a["view_id"], a["action_id"], a.get("value"))
                ),
                "type": lambda a: self._heard(self.slack.type(a["view_id"], a["block_id"], a["typed"])),
                "submit": self.submit,
                "close": lambda a: self._heard(self.slack.close_view(a["view_id"])),
                "suggest": lambda a: {"options": self.slack.suggest(a["view_id"], a["action_id"], a["typed"])},
            },
            "github": {
                "comment": self.comment,
                "fix": self.fix,
                "not_planned": self.not_planned,
                "reopen": self.reopen,
                "release": self.release,
            },
            "gitlab": {
                "comment": self.gitlab_comment,
                "fix": self.gitlab_fix,
                "close": self.gitlab_close,
                "not_planned": self.gitlab_not_planned,
                "reopen": self.gitlab_reopen,
                "deploy": self.deploy,
                "roll_back": self.roll_back,
            },
            "helpdesk": {
                "customer": self.customer,
                "agent": self.reply,
            },
        }

    def do(self, asked: Json) -> Json:
        """Does it, and tells how it went; what no person could have done is an error with a sentence."""
        deed = self.panes.get(str(asked.get("pane")), {}).get(str(asked.get("action")))
        if deed is None:
            return {"ok": False, "error": "This is not something a person can do here."}
        try:
            return {"ok": True} | (deed(asked) or {})
        except SlackError as error:
            return {"ok": False, "error": f"The chat refused: {error.code.replace('_', ' ')}."}
        except (LookupError, ValueError, TypeError) as error:
            return {"ok": False, "error": f"That cannot be done: {error}."}

    def _heard(self, answer: Answer) -> Json:
        return {} if answer.ok else {"ok": False, "error": _SILENT}

    # --- chat

    def say(self, asked: Json) -> Json | None:
        user, channel, text = asked["user"], asked["channel"], str(asked["text"]).strip()
        if not text.startswith("/"):
            self.slack.say(user, channel, _as_sent(text), asked.get("thread_ts"))
            return None
        command, _, rest = text.partition(" ")
        if command != "/bug":
            return {"ok": False, "error": f"{command} is not a command here. Try /bug and a ticket's number."}
        self.slack.command(user, rest.strip(), channel)  # what went wrong is shown in the conversation
        return None

    def submit(self, asked: Json) -> Json | None:
        self.slack.submit(asked["view_id"], asked.get("values") or {})  # errors stand in the view
        return None

    # --- GitHub

    def comment(self, asked: Json) -> None:
        self.github.comment(REPOSITORY, asked["number"], DEVELOPER.login, asked["text"])

    def not_planned(self, asked: Json) -> None:
        self.github.close_issue(REPOSITORY, asked["number"], DEVELOPER.login, "not_planned")

    def reopen(self, asked: Json) -> None:
        self.github.reopen_issue(REPOSITORY, asked["number"], DEVELOPER.login)

    def fix(self, asked: Json) -> None:
        """A pull request that says it fixes the issue, merged."""
        number = asked["number"]
        title = self.github.issue(REPOSITORY, number)["title"]
        pull = self.github.open_pull(REPOSITORY, DEVELOPER.login, f"Mend: {title}", f"Fixes #{number}")
        self.github.merge_pull(REPOSITORY, pull, DEVELOPER.login)

    def release(self, asked: Json) -> Json | None:
        tag = str(asked["tag"])
        if not re.fullmatch(r"[A-Za-z0-9][\w.+-]{0,60}", tag):
            return {"ok": False, "error": "A release needs a tag such as v2.4.1."}
        self.github.publish_release(REPOSITORY, tag)
        return None

    # --- GitLab

    def gitlab_comment(self, asked: Json) -> None:
        self.gitlab.comment(PROJECT, asked["number"], DEVELOPER.login, asked["text"])

    def gitlab_close(self, asked: Json) -> None:
        self.gitlab.close_issue(PROJECT, asked["number"], DEVELOPER.login)

    def gitlab_not_planned(self, asked: Json) -> None:
        self.gitlab.edit_issue(PROJECT, asked["number"], DEVELOPER.login, {"add_labels": [NOT_PLANNED]})
        self.gitlab_close(asked)

    def gitlab_reopen(self, asked: Json) -> None:
        self.gitlab.edit_issue(PROJECT, asked["number"], DEVELOPER.login, {"remove_labels": [NOT_PLANNED]})
        self.gitlab.reopen_issue(PROJECT, asked["number"], DEVELOPER.login)

    def gitlab_fix(self, asked: Json) -> None:
        """A merge request that says it closes the issue, merged."""
        number = asked["number"]
        title = self.gitlab.issue(PROJECT, number)["title"]
        merge = self.gitlab.open_merge(PROJECT, DEVELOPER.login, f"Mend: {title}", f"Closes #{number}")
        self.gitlab.merge(PROJECT, merge, DEVELOPER.login)

    def deploy(self, asked: Json) -> None:
        self.gitlab.deploy(PROJECT, ENVIRONMENT, by=DEVELOPER.login)

    def roll_back(self, asked: Json) -> Json | None:
        project = self.gitlab.find(PROJECT)
        with self.gitlab.lock:
            before = earlier(project) if project else None
            if before is None:
                return {"ok": False, "error": "Nothing older was deployed that one could go back to."}
            self.gitlab.deploy(PROJECT, ENVIRONMENT, sha=before.sha, by=DEVELOPER.login)
        return None

    # --- helpdesk

    def customer(self, asked: Json) -> None:
        self.zendesk.customer_writes(asked["number"], asked["text"])

    def reply(self, asked: Json) -> None:
        email = next(person.email for person in PEOPLE if person.id == asked["agent"])
        self.zendesk.agent_writes(asked["number"], email, asked["text"])


def _as_sent(text: str) -> str:
    """A typed message as the chat sends it: the three escapes, and mentions of people by their first name."""
    escaped = html.escape(text, quote=False)
    for person in (*PEOPLE, BOT):
        escaped = re.sub(rf"@{re.escape(person.short)}\b", f"<@{person.id}>", escaped, flags=re.IGNORECASE)
    return escaped
