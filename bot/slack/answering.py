"""Writing back to customers from Slack: buttons and their modals."""

from __future__ import annotations

from functools import partial

from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.bridge import rights, write_back
from bot.slack import form, reply_page
from bot.slack.edges import Body, Edges


class Answering:
    """What agents do to write back."""

    def __init__(self, app: App, edges: Edges) -> None:
        self._edges = edges
        self._bridge = edges.bridge
        app.action("write_back")(self._write_back_opened)
        app.view("write_back")(self._write_back_submitted)
        app.action("mark_written")(self._mark_written)
        app.action("unmark")(self._unmark)
        app.action("skip")(self._skip_opened)
        app.view("skip")(self._skip_submitted)

    def _write_back_opened(self, body: Body, ack: Ack, client: WebClient) -> None:
        self._edges.pressed(
            body,
            ack,
            client,
            rights.answer,
            lambda row, _, say: reply_page.first(self._bridge, say, row),
            lambda row, view, say: reply_page.fill(self._bridge, client, say, view["id"], row),
        )

    def _write_back_submitted(self, body: Body, ack: Ack) -> None:
        self._edges.submitted(
            body,
            ack,
            "reply",
            lambda bridge, by, page: rights.answer(bridge, by, reply_page.page(page)[0]),
            lambda page, text, by: write_back.send(self._bridge, *reply_page.page(page), text, by),
        )

    def _mark_written(self, body: Body, ack: Ack, client: WebClient) -> None:
        self._edges.pressed(
            body, ack, client, rights.answer, lambda row, by, _: write_back.mark_written(self._bridge, row, by)
        )

    def _unmark(self, body: Body, ack: Ack, client: WebClient) -> None:
        self._edges.pressed(
            body, ack, client, rights.answer, lambda row, by, _: write_back.unmark(self._bridge, row, by)
        )

    def _skip_opened(self, body: Body, ack: Ack, client: WebClient) -> None:
        self._edges.pressed(body, ack, client, rights.answer, lambda row, _, say: form.skip(self._bridge, say, row))

    def _skip_submitted(self, body: Body, ack: Ack) -> None:
        self._edges.submitted(body, ack, "reason", rights.answer, partial(write_back.skip, self._bridge))
