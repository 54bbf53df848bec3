"""The flag modal: open at once, then filled in the background with what Slack and the helpdesk tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.model import UserError
from bot.slack import form, views
from bot.slack.edges import Body, Edges, reference_number, spoken
from bot.store.tables import Draft

log = structlog.get_logger()


class FlagModal:
    """Wherever flagging begins, this is what opens."""

    def __init__(self, edges: Edges) -> None:
        self._edges = edges
        self._bridge = edges.bridge
        self._people = edges.people

    def open(self, client: WebClient, body: Body, draft: Draft) -> None:
        """Open the modal at once, before any other call; then fill it."""
        say = self._edges.say(draft.person)
        looks = bool(draft.reference or not self._bridge.helpdesks)
        first = (
            views.flag_looking(say, draft.id, form.named(self._bridge, draft.reference))
            if looks
            else views.flag_ask_ticket(say, draft.id, left=form.left(self._bridge, draft))
        )
        view = client.views_open(trigger_id=body["trigger_id"], view=first)["view"]
        if looks:
            self.later(client, draft.id, draft.person, view)

    def turn(self, client: WebClient, view: Mapping[str, Any], draft: Draft) -> None:
        """Let a modal that is open go on with another draft."""
        say, ticket = self._edges.say(draft.person), form.named(self._bridge, draft.reference)
        looking = views.flag_looking(say, draft.id, ticket)
        self.later(client, draft.id, draft.person, client.views_update(view_id=view["id"], view=looking)["view"])

    def later(self, client: WebClient, draft_id: str, person: str, view: Mapping[str, Any]) -> None:
        self._edges.background(self._fill, client, draft_id, person, view["id"])

    def _fill(self, client: WebClient, draft_id: str, person: str, view_id: str) -> None:
        """Bring the facts into the modal. Never repeated: who closed it meanwhile does not want it."""
        try:
            shown = form.flag_form(self._bridge, self._people, draft_id)
        except UserError as error:
            shown = views.flag_refused(self._edges.say(person), spoken(self._edges.say(person), error))
        except Exception:
            reference = reference_number()
            log.exception("modal.fill_failed", reference=reference, draft=draft_id)
            say = self._edges.say(person)
            sentence = say("Something broke here ({reference}). Close this and try again.", reference=reference)
            shown = views.flag_refused(say, sentence)
        try:
            client.views_update(view_id=view_id, view=shown)
        except (SlackApiError, OSError) as error:
            log.info("modal.gone", draft=draft_id, error=type(error).__name__)
