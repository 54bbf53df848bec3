"""What people do in Slack: parse, ask the bridge, answer. Everything is committed before it is acknowledged."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import structlog
from slack_bolt import Ack, App, BoltResponse
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.bridge import flag, triage, write_back
from bot.bridge.core import Bridge
from bot.model import UserError
from bot.slack import form, views
from bot.slack.people import People
from bot.store.tables import Issue, Person, WriteBackRow
from bot.texts import Say

log = structlog.get_logger()

Body = dict[str, Any]


class Listeners:
    """Registers everything on a Bolt app. `fills` run on a small executor of this process; a modal that could not be
    filled says so."""

    def __init__(self, app: App, bridge: Bridge, people: People) -> None:
        self._bridge = bridge
        self._people = people
        self._executor = ThreadPoolExecutor(4, thread_name_prefix="fill")
        self._fills: set[Future[None]] = set()
        app.command("/bug")(self._command)
        app.shortcut("flag")(self._shortcut)
        app.shortcut("flag_message")(self._message_shortcut)
        app.view("flag")(self._flag_submitted)
        app.options("similar")(self._similar)
        app.action("acknowledge")(self._acknowledge)
        app.action("decline")(self._decline_opened)
        app.view("decline")(self._decline_submitted)
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
            ack(**_ephemeral(form.status(self._bridge, self._people, self._met(person), person, rest.strip())))
        else:
            self._open(client, body, person, channel=body.get("channel_id", ""), reference=word, typed={"title": rest})
            ack()

    def _shortcut(self, body: Body, ack: Ack, client: WebClient) -> None:
        self._open(client, body, body["user"]["id"])
        ack()

    def _message_shortcut(self, body: Body, ack: Ack, client: WebClient) -> None:
        message = body.get("message") or {}
        text = str(message.get("text") or "")
        reference = flag.find_reference(self._bridge.helpdesks, text)
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
        made = flag.start(self._bridge, person, **draft)
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
                reference = flag.name_ticket(self._bridge, draft_id, fields.ticket, form.typed(values))
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
        self._answering(body, client, lambda: triage.acknowledge(self._bridge, _value(body), body["user"]["id"]))
        ack()

    def _decline_opened(self, body: Body, ack: Ack, client: WebClient) -> None:
        say = self._met(body["user"]["id"])
        with self._bridge.store.read() as session:
            issue = session.get(Issue, _value(body))
            waiting = len(issue.escalations) if issue else 0
        if issue is not None:
            view = views.decline(say, issue.id, issue.title, waiting)
            client.views_open(trigger_id=body["trigger_id"], view=view)
        ack()

    def _decline_submitted(self, body: Body, ack: Ack) -> None:
        issue_id, reason = body["view"]["private_metadata"], form.values(body["view"]).get("reason", "")
        self._submitting(body, ack, "reason", lambda by: triage.decline(self._bridge, issue_id, reason, by))

    # --- writing back -------------------------------------------------------------------------------------------------

    def _write_back_opened(self, body: Body, ack: Ack, client: WebClient) -> None:
        say = self._met(body["user"]["id"])
        try:
            with self._bridge.store.read() as session:
                row = write_back.opened(self._bridge, session, _value(body))
                view = form.write_back(say, row, self._bridge.clock.now())
        except UserError as error:
            self._whisper(client, body, _sentence(say, error))
        else:
            client.views_open(trigger_id=body["trigger_id"], view=view)
        ack()

    def _write_back_submitted(self, body: Body, ack: Ack) -> None:
        row_id, text = body["view"]["private_metadata"], form.values(body["view"]).get("reply", "")
        self._submitting(body, ack, "reply", lambda by: write_back.send(self._bridge, row_id, text, by))

    def _mark_written(self, body: Body, ack: Ack, client: WebClient) -> None:
        self._answering(body, client, lambda: write_back.mark_written(self._bridge, _value(body), body["user"]["id"]))
        ack()

    def _skip_opened(self, body: Body, ack: Ack, client: WebClient) -> None:
        say = self._met(body["user"]["id"])
        with self._bridge.store.read() as session:
            row = session.get(WriteBackRow, _value(body))
            view = form.skip(say, row, self._bridge.clock.now()) if row else None
        if view is not None:
            client.views_open(trigger_id=body["trigger_id"], view=view)
        ack()

    def _skip_submitted(self, body: Body, ack: Ack) -> None:
        row_id, reason = body["view"]["private_metadata"], form.values(body["view"]).get("reason", "")
        self._submitting(body, ack, "reason", lambda by: write_back.skip(self._bridge, row_id, reason, by))

    # --- edges --------------------------------------------------------------------------------------------------------

    def _submitting(self, body: Body, ack: Ack, field: str, act: Callable[[str], None]) -> None:
        """Do what a modal asks for; its sentence stands under the input when it cannot be done."""
        person, say = body["user"]["id"], self._met(body["user"]["id"])
        try:
            act(person)
        except UserError as error:
            ack(response_action="errors", errors={field: _sentence(say, error)})
        else:
            ack()

    def _answering(self, body: Body, client: WebClient, act: Callable[[], None]) -> None:
        say = self._met(body["user"]["id"])
        try:
            act()
        except UserError as error:
            self._whisper(client, body, _sentence(say, error))

    def _whisper(self, client: WebClient, body: Body, sentence: str) -> None:
        channel = (body.get("channel") or {}).get("id") or (body.get("container") or {}).get("channel_id")
        if channel:
            client.chat_postEphemeral(channel=channel, user=body["user"]["id"], text=sentence)

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
