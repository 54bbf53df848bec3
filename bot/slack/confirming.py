"""Words around the write-back: the Support Dev's for customers, and the customer's own after it."""

from __future__ import annotations

from functools import partial

from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.bridge import confirm, noting, rights
from bot.slack import shown, views
from bot.slack.edges import Body, Edges
from bot.slack.views import confirm as pages
from bot.store.tables import Issue
from bot.texts import Say


class Confirming:
    """`works` and `still_broken`, on the message that shows the customer's answer; `note_to_customer`."""

    def __init__(self, app: App, edges: Edges) -> None:
        self._edges = edges
        self._bridge = edges.bridge
        app.action("works")(self._works)
        app.action("still_broken")(self._opened)
        app.view("still_broken")(self._submitted)
        app.action("note_to_customer")(self._note_opened)
        app.view("note_to_customer")(self._note_submitted)

    def _works(self, body: Body, ack: Ack, client: WebClient) -> None:
        self._edges.pressed(body, ack, client, rights.answer, lambda row, by, _: confirm.works(self._bridge, row, by))

    def _opened(self, body: Body, ack: Ack, client: WebClient) -> None:
        self._edges.pressed(body, ack, client, rights.answer, lambda row, _, say: self._page(row, say))

    def _page(self, write_back_id: str, say: Say) -> views.View:
        with self._bridge.store.read() as session:
            row = confirm.opened(self._bridge, session, write_back_id)
            facts = shown.ticket_facts(row.escalation.ticket, self._bridge.clock.now())
            return pages.still_broken(say, row.id, facts, shown.news_line(row.news), row.answer)

    def _submitted(self, body: Body, ack: Ack) -> None:
        self._edges.submitted(body, ack, "text", rights.answer, partial(confirm.still_broken, self._bridge))

    def _note_opened(self, body: Body, ack: Ack, client: WebClient) -> None:
        self._edges.pressed(body, ack, client, rights.decide, lambda issue, _, say: self._note_page(issue, say))

    def _note_page(self, issue_id: str, say: Say) -> views.View:
        with self._bridge.store.read() as session:
            issue = session.get_one(Issue, issue_id)
            return pages.note_to_customer(say, issue.id, shown.issue_name(issue), issue.note)

    def _note_submitted(self, body: Body, ack: Ack) -> None:
        self._edges.submitted(body, ack, "text", rights.decide, partial(noting.note, self._bridge))
