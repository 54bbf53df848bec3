"""Links to issues and tickets: under a message that has one stands how it is with it, from our own store alone."""

from __future__ import annotations

from dataclasses import replace

import structlog
from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from sqlalchemy.orm import Session

from bot import privacy
from bot.slack import shown, views
from bot.slack.edges import Body, Edges
from bot.store import addresses, queries
from bot.store.tables import Issue
from bot.texts import Say

log = structlog.get_logger()

MOST = 5
"""How many links of one message are shown."""


class Links:
    """What stands under links. The same for everybody who reads it, and so without customers' names and words."""

    def __init__(self, app: App, edges: Edges) -> None:
        self._edges = edges
        self._bridge = edges.bridge
        self._people = edges.people
        app.event("link_shared")(self._shared)

    def _shared(self, body: Body, event: Body, ack: Ack, client: WebClient) -> None:
        if not body.get("is_ext_shared_channel"):  # people of other organisations read there
            self._edges.background(self._unfurl, client, event)
        ack()

    def _unfurl(self, client: WebClient, event: Body) -> None:
        shared = [str(link["url"]) for link in event.get("links") or ()]
        found = {address: blocks for address in shared[:MOST] if (blocks := self._preview(address))}
        if not found:
            return
        where = {"unfurl_id": event.get("unfurl_id"), "source": event.get("source")}
        if not all(where.values()):
            where = {"channel": event["channel"], "ts": event["message_ts"]}
        try:
            client.chat_unfurl(unfurls={address: {"blocks": blocks} for address, blocks in found.items()}, **where)
        except (SlackApiError, OSError) as error:
            log.info("link.not_shown", error=type(error).__name__)

    def _preview(self, address: str) -> list[dict[str, object]]:
        """What is known of an address; [] for nothing."""
        address = address.replace("&amp;", "&")
        with self._bridge.store.read() as session:
            issue = addresses.issue_at(session, privacy.bare_address(address)) or self._carried(session, address)
            if issue is None:
                return []
            project = next((one for one in self._bridge.settings.projects if one.key == issue.project), None)
            card = shown.card(issue, project, lambda _: "", self._bridge.clock.now())
            names = queries.customers(session, issue.id)
        # Of whom nobody knows the name any more, it cannot be taken out.
        title = privacy.redact(issue.title, names).text if names else ""
        card = replace(card, question="")  # the Support Dev's words may name a customer
        return views.preview(Say(self._bridge.settings.slack.language), card, title)

    def _carried(self, session: Session, address: str) -> Issue | None:
        """The issue that a ticket's address stands for: the one it was carried to last."""
        for name, helpdesk in self._bridge.helpdesks.items():
            number = helpdesk.number_in(address) or ""
            ticket = queries.ticket(session, name, number) if number else None
            if ticket is None and number and not number.isdigit():  # an id of its own stands in such an address
                ticket = addresses.ticket_at(session, name, address)
            if ticket is not None:
                on = queries.on_ticket(session, ticket.id)
                newest = max(on, key=lambda one: one.flagged_at, default=None)
                return newest.issue if newest else None
        return None
