"""The Home tab: shown when somebody opens it, and again after they chose or did something.

It is not kept current from afar: what others do stands there at the next opening, or when Refresh is pressed. So a
publication that fails is never repeated.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

import structlog
from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.bridge import rights
from bot.slack import home_page
from bot.slack.edges import Body, Edges, reference_number, value
from bot.slack.views.home import ALL, HomeState, home, home_refused
from integrations.base import ServiceError

log = structlog.get_logger()

REMEMBERED = 1000
"""How many people's tabs this process shows again by itself after they did something elsewhere in Slack."""

_FILTERS = {"home_project": "project", "home_stage": "stage", "home_severity": "severity", "home_kind": "kind"}


class Homes:
    """What people see and do in their Home tab."""

    def __init__(self, app: App, edges: Edges) -> None:
        self._edges = edges
        self._bridge = edges.bridge
        self._shown: OrderedDict[str, tuple[WebClient, HomeState]] = OrderedDict()
        self._lock = threading.Lock()
        edges.acted.append(self._acted)
        app.event("app_home_opened")(self._opened)
        for tab in ("home_mine", "home_queue", "home_team"):
            app.action(tab)(self._turned)
        for name in _FILTERS:
            app.action(name)(self._filtered)
        app.action("home_search")(self._searched)
        app.action("home_clear")(self._cleared)
        app.action("home_refresh")(self._refreshed)
        app.action("home_back")(self._paged)
        app.action("home_further")(self._paged)

    def _opened(self, event: Body, client: WebClient) -> None:
        if event.get("tab") == "home":
            state = HomeState.read((event.get("view") or {}).get("private_metadata", ""))
            self._edges.background(self._publish, client, event["user"], state)

    def _turned(self, body: Body, ack: Ack, client: WebClient) -> None:
        tab = value(body)
        self._changed(body, ack, client, lambda state: HomeState(tab=tab, turn=state.turn + 1))

    def _filtered(self, body: Body, ack: Ack, client: WebClient) -> None:
        action = body["actions"][0]
        chosen = str((action.get("selected_option") or {}).get("value") or ALL)
        name, wanted = _FILTERS[action["action_id"]], "" if chosen == ALL else chosen
        self._changed(body, ack, client, lambda state: state.chosen(name, wanted))

    def _searched(self, body: Body, ack: Ack, client: WebClient) -> None:
        typed = value(body)
        self._changed(body, ack, client, lambda state: state.chosen("search", typed))

    def _cleared(self, body: Body, ack: Ack, client: WebClient) -> None:
        self._changed(body, ack, client, HomeState.cleared)

    def _refreshed(self, body: Body, ack: Ack, client: WebClient) -> None:
        self._changed(body, ack, client, lambda state: state)

    def _paged(self, body: Body, ack: Ack, client: WebClient) -> None:
        wanted = value(body)
        self._changed(body, ack, client, lambda state: replace(state, page=int(wanted) if wanted.isdecimal() else 0))

    def _changed(self, body: Body, ack: Ack, client: WebClient, change: Callable[[HomeState], HomeState]) -> None:
        ack()
        state = HomeState.read((body.get("view") or {}).get("private_metadata", ""))
        self._edges.background(self._publish, client, body["user"]["id"], change(state))

    def _acted(self, person: str) -> None:
        """Somebody pressed or sent something, here or elsewhere: their tab, if they opened it lately, is shown anew."""
        with self._lock:
            known = self._shown.get(person)
        if known is not None:
            client, state = known
            self._edges.background(self._publish, client, person, state)

    def _publish(self, client: WebClient, person: str, state: HomeState) -> None:
        """Show one person their tab. Never repeated: it is shown again when they open it."""
        say = self._edges.say(person)
        try:
            roles = rights.roles(self._bridge, person)
            if roles.any:
                say, data = self._edges.say(person), home_page.page(self._bridge, person, roles, state)
                state, view = data.state, home(say, data)
            else:
                view = home_refused(say)
        except ServiceError:
            view = home_refused(say, say("Slack does not tell me who you are right now. Open this again in a minute."))
        except Exception:
            reference = reference_number()
            log.exception("home.failed", reference=reference, person=person)
            view = home_refused(say, say("Something broke here ({reference}). Open this again.", reference=reference))
        self._remember(client, person, state)
        try:
            client.views_publish(user_id=person, view=view)
        except (SlackApiError, OSError) as error:
            log.info("home.not_shown", error=type(error).__name__)

    def _remember(self, client: WebClient, person: str, state: HomeState) -> None:
        with self._lock:
            self._shown[person] = client, state
            self._shown.move_to_end(person)
            while len(self._shown) > REMEMBERED:
                self._shown.popitem(last=False)
