"""Handing a customer over to a colleague, and taking one."""

from __future__ import annotations

import structlog
from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.bridge import handing, rights
from bot.bridge.core import Bridge
from bot.slack import form, shown, views
from bot.slack.edges import Body, Edges
from bot.slack.views import handing as pages
from bot.store.tables import WriteBackRow
from bot.texts import Say

log = structlog.get_logger()


class Handing:
    """`hand_over` on a write-back, `take_over` in the channel."""

    def __init__(self, app: App, edges: Edges) -> None:
        self._edges = edges
        self._bridge = edges.bridge
        app.action("hand_over")(self._opened)
        app.view("hand_over")(self._submitted)
        app.action("take_over")(self._taken)

    def _opened(self, body: Body, ack: Ack, client: WebClient) -> None:
        self._edges.pressed(body, ack, client, rights.answer, lambda row, _, say: self._page(row, say))

    def _page(self, write_back_id: str, say: Say) -> views.View:
        with self._bridge.store.read() as session:
            row = session.get_one(WriteBackRow, write_back_id)
            facts = shown.ticket_facts(row.escalation.ticket, self._bridge.clock.now())
            return pages.hand_over(say, row.id, facts)

    def _submitted(self, body: Body, ack: Ack) -> None:
        to = form.values(body["view"]).get("to", "")
        self._edges.submitted(
            body,
            ack,
            "to",
            rights.answer,
            lambda row, _, by: handing.hand_over(self._bridge, row, to, by),
        )

    def _taken(self, body: Body, ack: Ack, client: WebClient) -> None:
        def take(offered: str, by: str, _: Say) -> None:
            agent, _colon, escalations = offered.partition(":")
            n = handing.take(self._bridge, agent, escalations.split(","), by)
            self._edges.background(self._shown, client, body, by, n)

        self._edges.pressed(body, ack, client, _may_take, take)

    def _shown(self, client: WebClient, body: Body, by: str, n: int) -> None:
        """The offer says who took it. It is kept already, so this is tried once."""
        self._edges.people.meet(by)
        with self._bridge.store.read() as session:
            name = self._edges.people.name(session, by)
        post = pages.taken(Say(self._bridge.settings.slack.language), name, n)
        try:
            client.chat_update(
                channel=body["channel"]["id"], ts=body["message"]["ts"], text=post.text, blocks=post.blocks
            )
        except (SlackApiError, OSError) as error:
            log.info("offer.not_shown", error=type(error).__name__)


def _may_take(bridge: Bridge, person: str, _: str) -> None:
    rights.flag(bridge, person)
