"""Hearing of an issue later: the button on reminders and on the card."""

from __future__ import annotations

from datetime import datetime

import structlog
from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.bridge import remind, rights
from bot.slack import shown
from bot.slack.edges import Body, Edges
from bot.slack.views import reminders as pages
from bot.store.tables import Issue
from bot.texts import Say

log = structlog.get_logger()


class Snoozing:
    """What people do about reminders."""

    def __init__(self, app: App, edges: Edges) -> None:
        self._edges = edges
        self._bridge = edges.bridge
        app.action("snooze")(self._snooze)

    def _snooze(self, body: Body, ack: Ack, client: WebClient) -> None:
        def snooze(issue: str, by: str, say: Say) -> None:
            until = remind.snooze(self._bridge, issue, by)
            self._edges.background(self._confirm, client, body, issue, say, until)

        self._edges.pressed(body, ack, client, rights.talk, snooze)

    def _confirm(self, client: WebClient, body: Body, issue: str, say: Say, until: datetime) -> None:
        """The reminder says when it comes again; of a card, which all see, that is said to this person alone. It is
        kept already, so this is tried once."""
        channel, message = body["channel"]["id"], body.get("message") or {}
        try:
            if channel.startswith("D"):
                pressed = str(body["actions"][0].get("block_id"))
                put_off = pages.put_off(say, message.get("text", ""), message.get("blocks") or [], pressed, until)
                client.chat_update(channel=channel, ts=message["ts"], text=put_off.text, blocks=put_off.blocks)
                return
            with self._bridge.store.read() as session:
                post = pages.snoozed(say, shown.issue_name(session.get_one(Issue, issue)), until)
            client.chat_postEphemeral(channel=channel, user=body["user"]["id"], text=post.text, blocks=post.blocks)
        except (SlackApiError, OSError) as error:
            log.info("snooze.not_shown", error=type(error).__name__)
