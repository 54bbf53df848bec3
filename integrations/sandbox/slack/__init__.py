"""A stand-in for Slack: Web API, Socket Mode and signed requests over the real wire, and the people who use it."""

from __future__ import annotations

import copy
import json
import threading
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

from integrations.sandbox.slack import openid, views as modals, web_api
from integrations.sandbox.slack.delivery import Answer, Delivery
from integrations.sandbox.slack.person import People
from integrations.sandbox.slack.responses import respond
from integrations.sandbox.slack.workspace import SCOPES, Conversation, Identity, Json, SlackError, Workspace
from integrations.sandbox.wire import Now, Server, Wire, utc_now

__all__ = ["SCOPES", "Answer", "SlackError", "SlackStandIn"]

SUBSCRIBED = ("message", "app_mention", "app_home_opened", "reaction_added", "link_shared", "function_executed")

_JSON_ARGUMENTS = ("blocks", "view", "metadata", "attachments")


class SlackStandIn(People):
    """One workspace with one app in it.

    `posts_per_second` per channel after a burst of `burst` (None: no limit). `patience`: real seconds that Slack waits
    for an answer. `scopes`: what the bot's token may do. `subscribed`: the event types that the app hears of.
    `now` rules all but the signature's time-stamp, which is held against the receiver's own clock: `signing_clock`.
    """

    def __init__(
        self,
        now: Now = utc_now,
        *,
        bot_token: str = "xoxb-sandbox",  # noqa: S107 (the sandbox's own)
        app_token: str = "xapp-sandbox",  # noqa: S107 (the sandbox's own)
        signing_secret: str = "sandbox-signing-secret",  # noqa: S107 (the sandbox's own)
        team_id: str = "T0ACME",
        scopes: tuple[str, ...] = SCOPES,
        subscribed: tuple[str, ...] = SUBSCRIBED,
        posts_per_second: float | None = 1.0,
        burst: int = 3,
        patience: float = 3.0,
        signing_clock: Now = utc_now,
    ) -> None:
        identity = Identity(bot_token, app_token, signing_secret, team_id, scopes=scopes)
        self.workspace = Workspace(identity, now, posts_per_second, burst)
        self.delivery = Delivery(self.workspace, signing_clock, patience)
        self.subscribed = subscribed
        self.openid = openid.OpenId(self.workspace, lambda: self.base_url)
        routes = [
            *self.openid.routes(),
            Route("/api/{method}", self._api, methods=["GET", "POST"]),
            Route("/response/{key:path}", self._response, methods=["POST"]),
            WebSocketRoute("/link/", self.delivery.link),
        ]
        self.app = self.wire = Wire(Starlette(routes=routes), now)
        self._server: Server | None = None
        self.add_person(identity.bot_user, identity.bot_name, "Passerelle", "")
        self.workspace.people[identity.bot_user] |= {"is_bot": True}

    # --- the server

    def start(self, port: int = 0) -> SlackStandIn:
        """Serves on 127.0.0.1; port 0 takes a free one."""
        self._server = Server(self.app, port).start()
        return self

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()

    @property
    def base_url(self) -> str:
        if self._server is None:
            raise RuntimeError("the Slack stand-in was not started")
        return self._server.url

    @property
    def api_url(self) -> str:
        """What `SLACK_API_URL` is for this workspace."""
        return f"{self.base_url}/api/"

    @property
    def events_url(self) -> str | None:
        """Where signed requests go while no Socket Mode link is up."""
        return self.delivery.events_url

    @events_url.setter
    def events_url(self, url: str | None) -> None:
        self.delivery.events_url = url

    @property
    def connections(self) -> int:
        """How many Socket Mode links are up."""
        return len(self.delivery.links)

    async def _api(self, request: Request) -> Response:
        method, headers = request.path_params["method"], {}
        try:
            args = await _arguments(request)
            bearer = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
            token = bearer or str(args.pop("token", ""))
            if method in openid.METHODS:
                known = self.openid.call(method, args, token, request.headers.get("authorization", ""))
                return JSONResponse({"ok": True, **known})
            if method == "apps.connections.open":
                host = self.base_url.removeprefix("http://")
                return JSONResponse({"ok": True, **self.delivery.connections_open(token, host)})
            if token == self.workspace.identity.bot_token:
                headers["x-oauth-scopes"] = ",".join(self.workspace.identity.scopes)
            return JSONResponse({"ok": True, **web_api.call(self.workspace, method, args, token)}, headers=headers)
        except SlackError as error:
            refusal = {"ok": False, "error": error.code, **error.more}
            if "retry_after" in error.more:
                headers["Retry-After"] = str(refusal.pop("retry_after"))
            return JSONResponse(refusal, 429 if error.code == "ratelimited" else 200, headers)

    async def _response(self, request: Request) -> Response:
        try:
            respond(self.workspace, request.path_params["key"], json.loads(await request.body()))
        except ValueError:
            return PlainTextResponse("invalid_payload", 400)
        except SlackError as error:
            gone = error.code in ("expired_url", "used_url")
            return JSONResponse({"ok": False, "error": error.code, **error.more}, 404 if gone else 400)
        return PlainTextResponse("ok")

    # --- who and what is there

    def add_person(
        self,
        id: str,
        name: str,
        real_name: str,
        email: str,
        locale: str = "en-US",
        tz: str = "Europe/Paris",
        *,
        guest: bool = False,
        stranger: bool = False,
        deleted: bool = False,
    ) -> None:
        """A member; `guest` is restricted to some channels, `stranger` is of another organisation."""
        profile = {"real_name": real_name, "display_name": name, **({"email": email} if email else {})}
        with self.workspace.change():
            self.workspace.people[id] = {
                **{"id": id, "name": name, "real_name": real_name, "profile": profile, "locale": locale, "tz": tz},
                "team_id": "T0OTHER" if stranger else self.workspace.identity.team_id,
                **{"deleted": deleted, "is_bot": False, "is_app_user": False, "is_admin": False, "is_owner": False},
                **{"is_restricted": guest, "is_ultra_restricted": False, "is_stranger": stranger},
            }

    def leave(self, person: str) -> None:
        """An admin deactivates somebody's account."""
        with self.workspace.change():
            self.workspace.people[person]["deleted"] = True

    def set_status(self, person: str, emoji: str) -> None:
        """Somebody sets their status, such as ":palm_tree:"; "" clears it."""
        with self.workspace.change():
            self.workspace.people[person]["profile"] |= {"status_emoji": emoji, "status_expiration": 0}

    def add_channel(self, id: str, name: str, members: list[str], *, with_bot: bool = True) -> None:
        """A public channel; the bot was invited unless `with_bot` is False."""
        bot = [self.workspace.identity.bot_user] if with_bot else []
        with self.workspace.change():
            self.workspace.conversations[id] = Conversation(id, name, list(dict.fromkeys([*members, *bot])))

    def unfurl(self, *domains: str) -> None:
        """From here on the app hears of links on these domains."""
        with self.workspace.change():
            self.workspace.unfurl_domains = domains

    def add_usergroup(self, id: str, handle: str, users: list[str], *, locked: bool = False) -> None:
        """A user group; `locked`: only the workspace's admins may change it."""
        group = {"id": id, "team_id": self.workspace.identity.team_id, "is_usergroup": True, "handle": handle}
        with self.workspace.change():
            self.workspace.usergroups[id] = group | {
                **{"name": handle, "users": list(users), "user_count": len(users), "date_delete": 0}
            }
            if locked:
                self.workspace.locked_groups.add(id)

    # --- signing in with Slack, without a browser

    def sign_in(self, user: str, address: str) -> str:
        """A person follows `address`, where an app sent them, and agrees; returns where Slack sends their browser.

        `openid` has the switches for what may go wrong. Raises SlackError when Slack would show an error instead.
        """
        return self.openid.consent(user, address)

    # --- what is to be seen; all of it copies

    def usergroup(self, id: str) -> list[str]:
        """Who is in a user group."""
        with self.workspace.changed:
            return list(self.workspace.usergroups[id]["users"])

    @property
    def version(self) -> int:
        """Rises with every change."""
        return self.workspace.version

    @property
    def changed(self) -> threading.Condition:
        """Notified at every change; holds the workspace's lock."""
        return self.workspace.changed

    def messages(self, channel: str) -> list[Json]:
        """The messages of a conversation, replies included, oldest first."""
        with self.changed:
            return copy.deepcopy(self.workspace.conversation(channel).messages)

    def dm_channel(self, user: str) -> str:
        """The id of the bot's direct messages with a person."""
        with self.changed:  # no news: nobody sees an empty conversation
            return self.workspace.dm(user).id

    def dm(self, user: str) -> list[Json]:
        """The messages of the bot's direct messages with a person, oldest first."""
        return self.messages(self.dm_channel(user))

    def ephemerals(self, user: str) -> list[Json]:
        """What only this person was shown, oldest first; each with its `channel`."""
        with self.changed:
            return copy.deepcopy(self.workspace.ephemerals.get(user, []))

    def views(self, user: str) -> list[Json]:
        """The modals a person has open, top last, each with `errors`: block_id → sentence ("" is the whole view)."""
        with self.changed:
            return [view.shown() for view in self.workspace.stacks.get(user, [])]

    def view(self, view_id: str) -> Json:
        """One open modal or home tab. Raises SlackError("not_found")."""
        with self.changed:
            return modals.find(self.workspace, view_id).shown()


async def _arguments(request: Request) -> Json:
    """A call's arguments, from the address, a form or JSON; JSON inside a form is read too."""
    args: Json = dict(request.query_params)
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            body: Any = json.loads(await request.body() or b"{}")
        except ValueError:
            raise SlackError("invalid_json") from None
        args |= body if isinstance(body, dict) else {}
    elif request.method == "POST":
        # Starlette reads forms only where python-multipart is installed; Slack's own client sends no multipart here.
        args |= dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
    for name in _JSON_ARGUMENTS:
        if isinstance(args.get(name), str):
            try:
                args[name] = json.loads(args[name])
            except ValueError:
                raise SlackError("invalid_blocks_format" if name == "blocks" else "invalid_arguments") from None
    return args
