"""Flagging a ticket, and asking how it stands: the command, the shortcuts, the modal."""

from __future__ import annotations

from typing import Any

import structlog
from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.bridge import drafts, flag, rights
from bot.model import UserError
from bot.slack import duties, form, subcommands, views
from bot.slack.edges import Body, Edges, as_typed, ephemeral, spoken, value
from bot.slack.opening import FlagModal

log = structlog.get_logger()


class Flagging:
    """What agents do to flag tickets."""

    def __init__(self, app: App, edges: Edges) -> None:
        self._edges = edges
        self._bridge = edges.bridge
        self._people = edges.people
        self._modal = FlagModal(edges)
        app.command("/bug")(self._command)
        app.shortcut("flag")(self._shortcut)
        app.shortcut("flag_message")(self._message_shortcut)
        app.view("flag")(self._flag_submitted)
        app.view_closed("flag")(self._left_open)
        for typed in ("title", "summary", "words"):
            app.block_action(typed)(self._left_open)
        app.action("go_on")(self._go_on)
        app.action("attach")(self._attach)
        app.options("similar")(self._similar)

    def _command(self, body: Body, ack: Ack, client: WebClient) -> None:
        person, raw = body["user_id"], str(body.get("text") or "").strip()
        text = as_typed(raw)
        word, _, rest = text.partition(" ")
        if not word:
            self._open(client, body, person, channel=body.get("channel_id", ""))
            ack()
        elif subcommands.meant(self._edges, text):
            ack(**ephemeral(subcommands.answer(self._edges, person, text, str(body.get("command") or "/bug"))))
        elif word.lower() == "mine" and not rest:
            ack(**ephemeral(form.mine(self._bridge, self._edges.met(person), person)))
        elif duties.meant(raw):
            ack(**duties.answer(self._edges, person, raw, str(body.get("command") or "/bug")))
        elif word.lower() == "status":
            ack(**self._status(person, rest.strip()))
        else:
            if not rest or form.is_reference(self._bridge, word):
                typed = {"reference": word, "typed": {"title": rest}}
            else:  # a title, and the ticket is still to be named
                typed = {"typed": {"title": text}}
            self._open(client, body, person, channel=body.get("channel_id", ""), **typed)
            ack()

    def _status(self, person: str, reference: str) -> dict[str, Any]:
        try:
            self._edges.check(rights.see, person)
        except UserError as error:
            return {"response_type": "ephemeral", "text": spoken(self._edges.say(person), error)}
        return ephemeral(form.status(self._bridge, self._people, self._edges.say(person), person, reference))

    def _shortcut(self, body: Body, ack: Ack, client: WebClient) -> None:
        self._open(client, body, body["user"]["id"])
        ack()

    def _message_shortcut(self, body: Body, ack: Ack, client: WebClient) -> None:
        message = body.get("message") or {}
        text = str(message.get("text") or "")
        reference = drafts.find_reference(self._bridge.helpdesks, text)
        self._open(
            client,
            body,
            body["user"]["id"],
            channel=(body.get("channel") or {}).get("id", ""),
            thread_ts=str(message.get("thread_ts") or message.get("ts") or ""),
            reference=reference,
            typed={"summary": text, "message": str(message.get("ts") or "")},
        )
        ack()

    def _open(self, client: WebClient, body: Body, person: str, **draft: Any) -> None:
        self._modal.open(client, body, drafts.start(self._bridge, person, **draft))

    def _go_on(self, body: Body, ack: Ack, client: WebClient) -> None:
        """They go on with what they began to write earlier, in the modal that asks for a ticket."""
        person = body["user"]["id"]
        try:
            self._modal.turn(client, body["view"], drafts.take_up(self._bridge, value(body), person))
        except UserError as error:
            say = self._edges.say(person)
            client.views_update(view_id=body["view"]["id"], view=views.flag_refused(say, spoken(say, error)))
        ack()

    def _attach(self, body: Body, ack: Ack, client: WebClient) -> None:
        """One click in the modal: the ticket joins an issue that is known."""
        person, view = body["user"]["id"], body["view"]
        say, fields = self._edges.say(person), form.values(view)
        given = {name: fields[name] for name in fields if name in flag.Fields.__dataclass_fields__}
        try:
            flag.submit(self._bridge, view["private_metadata"], flag.Fields(**{**given, "similar": value(body)}))
            shown = views.sentence(say, say("Attached. You hear the news, and nothing new was filed."))
        except UserError as error:
            shown = views.flag_refused(say, spoken(say, error), view["private_metadata"])
        client.views_update(view_id=view["id"], view=shown)
        ack()

    def _suggest(self, client: WebClient, view: Body, person: str) -> None:
        """Show what it may be the same as by what is typed so far. Dropped where the modal moved on meanwhile."""
        draft, say = drafts.draft(self._bridge, view["private_metadata"]), self._edges.say(person)
        if draft.ticket is None and not form.values(view).get("title"):
            return
        blocks = form.likely(self._bridge, draft, say, form.values(view))
        renewed = views.renewed(view, blocks)
        if views.offered(renewed) == views.offered(view):
            return
        try:
            client.views_update(view_id=view["id"], hash=view["hash"], view=renewed)
        except (SlackApiError, OSError) as error:
            log.info("likely.not_shown", error=type(error).__name__)

    def _left_open(self, body: Body, ack: Ack, client: WebClient) -> None:
        """What stands in a modal is kept: as it is typed, and once more when it is closed. (Slack does not document
        whether a closed view still tells its values.)"""
        if written := form.written(body["view"]):
            drafts.keep(self._bridge, body["view"]["private_metadata"], body["user"]["id"], written)
            if body["type"] == "block_actions" and "again" not in form.values(body["view"]):
                self._edges.background(self._suggest, client, body["view"], body["user"]["id"])
        ack()

    def _flag_submitted(self, body: Body, ack: Ack, client: WebClient) -> None:
        person, view = body["user"]["id"], body["view"]
        say, draft_id, values = self._edges.say(person), view["private_metadata"], form.values(view)
        fields = flag.Fields(**{name: values[name] for name in values if name in flag.Fields.__dataclass_fields__})
        try:
            if form.wants_look_up(self._bridge, draft_id, fields.ticket):
                reference = drafts.name_ticket(self._bridge, draft_id, fields.ticket, form.typed(values))
                looking = views.flag_looking(say, draft_id, form.named(self._bridge, reference))
                ack(response_action="update", view=looking)
                self._modal.later(client, draft_id, person, view)
                return
            flag.submit(self._bridge, draft_id, fields)
        except flag.FieldError as error:
            ack(response_action="errors", errors={form.shown_field(view, error.field): spoken(say, error)})
        except UserError as error:
            ack(response_action="errors", errors={form.shown_field(view, "title"): spoken(say, error)})
        else:
            ack()

    def _similar(self, payload: Body, ack: Ack) -> None:
        ack(options=form.similar(self._bridge, str(payload.get("value") or "")))
