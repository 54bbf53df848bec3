"""What people do in Slack: parse, ask the bridge, answer. Everything is committed before it is acknowledged."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any

import structlog
from slack_bolt import Ack, App, BoltResponse
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.bridge import drafts, flag, rights, triage, write_back
from bot.bridge.core import Bridge
from bot.model import UserError
from bot.slack import form, views
from bot.slack.people import People
from bot.store.tables import Person
from bot.texts import Say
from integrations.base import ServiceError

log = structlog.get_logger()

Body = dict[str, Any]

Right = Callable[[Bridge, str, str], None]
Pressed = Callable[[str, str, Say], views.View | None]
"""From a button's value, the person and their `Say` to the modal to open, if any. May raise UserError."""

TOLD_IN = 2.0
"""Seconds that Slack gets to tell who somebody is; a trigger lives for three ("Handling user interaction")."""


class Listeners:
    """Registers everything on a Bolt app. `fills` run on a small executor of this process; a modal that could not be
    filled says so."""

    def __init__(self, app: App, bridge: Bridge, people: People) -> None:
        self._bridge = bridge
        self._people = people
        self._executor = ThreadPoolExecutor(4, thread_name_prefix="fill")
        self._askers = ThreadPoolExecutor(4, thread_name_prefix="ask")
        self._fills: set[Future[None]] = set()
        app.command("/bug")(self._command)
        app.shortcut("flag")(self._shortcut)
        app.shortcut("flag_message")(self._message_shortcut)
        app.view("flag")(self._flag_submitted)
        app.options("similar")(self._similar)
        app.action("acknowledge")(self._acknowledge)
        app.action("decline")(self._decline_opened)
        app.view("decline")(self._decline_submitted)
        app.action("mark_fixed")(self._mark_fixed_opened)
        app.view("mark_fixed")(self._mark_fixed_submitted)
        app.action("refile")(self._refile)
        app.action("carry")(self._carry_opened)
        app.view("carry")(self._carry_submitted)
        app.action("write_back")(self._write_back_opened)
        app.view("write_back")(self._write_back_submitted)
        app.action("mark_written")(self._mark_written)
        app.action("open")(lambda ack: ack())
        app.action("skip")(self._skip_opened)
        app.view("skip")(self._skip_submitted)
        app.error(self._error)

    def settle(self) -> None:
        """Wait until every modal that is being filled is filled."""
        wait(list(self._fills), timeout=60)

    def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._askers.shutdown(wait=False, cancel_futures=True)

    def _say(self, person: str) -> Say:
        with self._bridge.store.read() as session:
            return self._people.say(session, person)

    def _met(self, person: str) -> Say:
        """Speaks to this person; who somebody new is, is asked meanwhile, for the history and the next time."""
        with self._bridge.store.read() as session:
            known, say = session.get(Person, person), self._people.say(session, person)
        if known is None:
            self._background(self._people.meet, person)
        return say

    def _background(self, act: Callable[..., None], *given: Any) -> None:
        future = self._executor.submit(act, *given)
        self._fills.add(future)
        future.add_done_callback(self._fills.discard)

    # --- flagging -----------------------------------------------------------------------------------------------------

    def _command(self, body: Body, ack: Ack, client: WebClient) -> None:
        person, text = body["user_id"], str(body.get("text") or "").strip()
        word, _, rest = text.partition(" ")
        if word.lower() in ("", "help") and not rest:
            if not word:
                self._open(client, body, person, channel=body.get("channel_id", ""))
                ack()
                return
            ack(**_ephemeral(views.help_(self._met(person), str(body.get("command") or "/bug"))))
        elif word.lower() == "mine" and not rest:
            ack(**_ephemeral(form.mine(self._bridge, self._met(person), person)))
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
            self._check(rights.see, person)
        except UserError as error:
            return {"response_type": "ephemeral", "text": _sentence(self._say(person), error)}
        return _ephemeral(form.status(self._bridge, self._people, self._say(person), person, reference))

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
        say = self._say(person)
        first = (
            views.flag_looking(say, made.id, form.named(self._bridge, reference))
            if reference or not self._bridge.helpdesks
            else views.flag_ask_ticket(say, made.id)
        )
        view = client.views_open(trigger_id=body["trigger_id"], view=first)["view"]
        if reference or not self._bridge.helpdesks:
            self._later(client, made.id, person, view)

    def _later(self, client: WebClient, draft_id: str, person: str, view: Mapping[str, Any]) -> None:
        self._background(self._fill, client, draft_id, person, view["id"])

    def _fill(self, client: WebClient, draft_id: str, person: str, view_id: str) -> None:
        """Bring the facts into the modal. Never repeated: who closed it meanwhile does not want it."""
        try:
            shown = form.flag_form(self._bridge, self._people, draft_id)
        except UserError as error:
            shown = views.flag_refused(self._say(person), _sentence(self._say(person), error))
        except Exception:
            reference = _reference()
            log.exception("modal.fill_failed", reference=reference, draft=draft_id)
            sentence = self._say(person)(
                "Something broke here ({reference}). Close this and try again.", reference=reference
            )
            shown = views.flag_refused(self._say(person), sentence)
        try:
            client.views_update(view_id=view_id, view=shown)
        except (SlackApiError, OSError) as error:
            log.info("modal.gone", draft=draft_id, error=type(error).__name__)

    def _flag_submitted(self, body: Body, ack: Ack, client: WebClient) -> None:
        person, view = body["user"]["id"], body["view"]
        say, draft_id, values = self._say(person), view["private_metadata"], form.values(view)
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
            ack(response_action="errors", errors={form.shown_field(view, error.field): _sentence(say, error)})
        except UserError as error:
            ack(response_action="errors", errors={form.shown_field(view, "title"): _sentence(say, error)})
        else:
            ack()

    def _similar(self, payload: Body, ack: Ack) -> None:
        ack(options=form.similar(self._bridge, str(payload.get("value") or "")))

    # --- triage -------------------------------------------------------------------------------------------------------

    def _acknowledge(self, body: Body, ack: Ack, client: WebClient) -> None:
        self._pressed(
            body, ack, client, rights.decide, lambda issue, by, _: triage.acknowledge(self._bridge, issue, by)
        )

    def _decline_opened(self, body: Body, ack: Ack, client: WebClient) -> None:
        self._pressed(body, ack, client, rights.decide, lambda issue, _, say: form.decline(self._bridge, say, issue))

    def _decline_submitted(self, body: Body, ack: Ack) -> None:
        self._submitted(body, ack, "reason", rights.decide, partial(triage.decline, self._bridge))

    def _mark_fixed_opened(self, body: Body, ack: Ack, client: WebClient) -> None:
        self._pressed(body, ack, client, rights.decide, lambda issue, _, say: form.mark_fixed(self._bridge, say, issue))

    def _mark_fixed_submitted(self, body: Body, ack: Ack) -> None:
        word = form.values(body["view"]).get("text", "")
        self._submitted(
            body,
            ack,
            "reference",
            rights.decide,
            lambda issue, named, by: triage.mark_fixed(self._bridge, issue, named, word, by),
        )

    def _carry_opened(self, body: Body, ack: Ack, client: WebClient) -> None:
        self._pressed(body, ack, client, rights.decide, lambda issue, _, say: form.carry(self._bridge, say, issue))

    def _carry_submitted(self, body: Body, ack: Ack) -> None:
        self._submitted(body, ack, "project", rights.decide, partial(triage.carry, self._bridge))

    def _refile(self, body: Body, ack: Ack, client: WebClient) -> None:
        self._pressed(body, ack, client, rights.decide, lambda issue, by, _: triage.refile(self._bridge, issue, by))

    # --- writing back -------------------------------------------------------------------------------------------------

    def _write_back_opened(self, body: Body, ack: Ack, client: WebClient) -> None:
        self._pressed(body, ack, client, rights.answer, lambda row, _, say: form.write_back(self._bridge, say, row))

    def _write_back_submitted(self, body: Body, ack: Ack) -> None:
        self._submitted(
            body,
            ack,
            "reply",
            lambda bridge, by, page: rights.answer(bridge, by, form.page(page)[0]),
            lambda page, text, by: write_back.send(self._bridge, *form.page(page), text, by),
        )

    def _mark_written(self, body: Body, ack: Ack, client: WebClient) -> None:
        self._pressed(
            body, ack, client, rights.answer, lambda row, by, _: write_back.mark_written(self._bridge, row, by)
        )

    def _skip_opened(self, body: Body, ack: Ack, client: WebClient) -> None:
        self._pressed(body, ack, client, rights.answer, lambda row, _, say: form.skip(self._bridge, say, row))

    def _skip_submitted(self, body: Body, ack: Ack) -> None:
        self._submitted(body, ack, "reason", rights.answer, partial(write_back.skip, self._bridge))

    # --- edges --------------------------------------------------------------------------------------------------------

    def _pressed(self, body: Body, ack: Ack, client: WebClient, right: Right, act: Pressed) -> None:
        """A button: who may press it gets what it does, or the modal that it opens; all others a modal that says why
        not. Modals are opened before the acknowledgement, and never again."""
        person = body["user"]["id"]
        try:
            self._check(right, person, _value(body))
            view = act(_value(body), person, self._say(person))
        except UserError as error:
            say = self._say(person)
            self._tell(client, body, views.sentence(say, _sentence(say, error)))
        else:
            if view is not None:
                client.views_open(trigger_id=body["trigger_id"], view=view)
        ack()

    def _tell(self, client: WebClient, body: Body, view: views.View) -> None:
        try:
            client.views_open(trigger_id=body["trigger_id"], view=view)
        except (SlackApiError, OSError) as error:
            log.info("sentence.not_shown", error=type(error).__name__)

    def _submitted(self, body: Body, ack: Ack, field: str, right: Right, act: Callable[[str, str, str], None]) -> None:
        """Do what a modal asks for; its sentence stands under the input when it cannot be done."""
        person = body["user"]["id"]
        subject, text = body["view"]["private_metadata"], form.values(body["view"]).get(field, "")
        try:
            self._check(right, person, subject)
            act(subject, text, person)
        except UserError as error:
            ack(response_action="errors", errors={field: _sentence(self._say(person), error)})
        else:
            ack()

    def _check(self, right: Callable[..., None], *given: str) -> None:
        """Raise UserError unless that is the person's right. Where Slack has to be asked who they are, it has a moment;
        after that nobody may anything, and the answer is there for the next try."""
        asked = self._askers.submit(right, self._bridge, *given)
        try:
            asked.result(TOLD_IN)
        except (TimeoutError, ServiceError) as error:
            log.info("rights.not_told", error=type(error).__name__)
            raise UserError("Slack did not tell me in time who you are. Try again in a moment.") from None

    def _error(self, error: Exception, body: Body) -> BoltResponse:
        """A bug of ours, or Slack out of reach: logged with a reference that the person gets too."""
        person = body.get("user_id") or (body.get("user") or {}).get("id") or ""
        sentence = self._broken(self._say(person), error)
        if body.get("command"):
            return BoltResponse(status=200, body={"response_type": "ephemeral", "text": sentence})
        if body.get("type") == "view_submission":
            inputs = [block["block_id"] for block in body["view"]["blocks"] if block.get("type") == "input"]
            if inputs:
                return BoltResponse(status=200, body={"response_action": "errors", "errors": {inputs[0]: sentence}})
        return BoltResponse(status=500, body="")

    def _broken(self, say: Say, error: Exception) -> str:
        if isinstance(error, SlackApiError | OSError):
            log.warning("slack.failed", error=type(error).__name__)
            return say("The form could not be opened. Nothing was filed; try again.")
        reference = _reference()
        log.error("listener.failed", reference=reference, exc_info=error)
        return say(
            "Something broke here ({reference}). Nothing was filed or sent. Try again; if it stays broken, give that "
            "reference to whoever operates Passerelle.",
            reference=reference,
        )


def _ephemeral(post: views.Post) -> dict[str, Any]:
    return {"response_type": "ephemeral", "text": post.text, "blocks": post.blocks}


def _value(body: Body) -> str:
    return str(body["actions"][0].get("value") or "")


def _sentence(say: Say, error: UserError) -> str:
    return say(error.message, **error.names)


def _reference() -> str:
    return f"P-{random.randrange(16**6):06x}"  # noqa: S311 (a name, not a secret)
