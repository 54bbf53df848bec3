"""Flagging a ticket, and asking how it stands: the command, the shortcuts, the modal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.bridge import drafts, flag, rights
from bot.model import UserError
from bot.slack import duties, form, subcommands, views
from bot.slack.edges import Body, Edges, as_typed, ephemeral, reference_number, spoken

log = structlog.get_logger()


class Flagging:
    """What agents do to flag tickets."""

    def __init__(self, app: App, edges: Edges) -> None:
        self._edges = edges
        self._bridge = edges.bridge
        self._people = edges.people
        app.command("/bug")(self._command)
        app.shortcut("flag")(self._shortcut)
        app.shortcut("flag_message")(self._message_shortcut)
        app.view("flag")(self._flag_submitted)
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
        """Open the modal at once, before any other call; then fill it."""
        reference = draft.get("reference", "")
        made = drafts.start(self._bridge, person, **draft)
        say = self._edges.say(person)
        first = (
            views.flag_looking(say, made.id, form.named(self._bridge, reference))
            if reference or not self._bridge.helpdesks
            else views.flag_ask_ticket(say, made.id)
        )
        view = client.views_open(trigger_id=body["trigger_id"], view=first)["view"]
        if reference or not self._bridge.helpdesks:
            self._later(client, made.id, person, view)

    def _later(self, client: WebClient, draft_id: str, person: str, view: Mapping[str, Any]) -> None:
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
            sentence = self._edges.say(person)(
                "Something broke here ({reference}). Close this and try again.", reference=reference
            )
            shown = views.flag_refused(self._edges.say(person), sentence)
        try:
            client.views_update(view_id=view_id, view=shown)
        except (SlackApiError, OSError) as error:
            log.info("modal.gone", draft=draft_id, error=type(error).__name__)

    def _flag_submitted(self, body: Body, ack: Ack, client: WebClient) -> None:
        person, view = body["user"]["id"], body["view"]
        say, draft_id, values = self._edges.say(person), view["private_metadata"], form.values(view)
        fields = flag.Fields(**{name: values[name] for name in values if name in flag.Fields.__dataclass_fields__})
        try:
            if form.wants_look_up(self._bridge, draft_id, fields.ticket):
                reference = drafts.name_ticket(self._bridge, draft_id, fields.ticket, form.typed(values))
                looking = views.flag_looking(say, draft_id, form.named(self._bridge, reference))
                ack(response_action="update", view=looking)
                self._later(client, draft_id, person, view)
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
