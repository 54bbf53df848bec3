"""What every listener does alike: who may, what is answered, and what happens when it goes wrong."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

import structlog
from slack_bolt import Ack, BoltResponse
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.bridge.core import Bridge
from bot.model import UserError
from bot.slack import form, views
from bot.slack.people import People
from bot.store.tables import Person
from bot.texts import Say
from integrations.base import ServiceError

log = structlog.get_logger()

Body = dict[str, Any]

Answered = TypeVar("Answered")
Right = Callable[[Bridge, str, str], None]
Pressed = Callable[[str, str, Say], views.View | None]
"""From a button's value, the person and their `Say` to the modal to open, if any. May raise UserError."""

Opened = Callable[[str, dict[str, Any], Say], None]
"""What follows once a button's modal is open: from its value, the view as Slack opened it, and the person's `Say`."""

TOLD_IN = 2.0
"""Seconds that Slack gets to tell who somebody is; a trigger lives for three ("Handling user interaction")."""


class Edges:
    """Between Bolt and the bridge. What runs in the background runs on a small executor of this process."""

    def __init__(self, bridge: Bridge, people: People) -> None:
        self.bridge = bridge
        self.people = people
        self._executor = ThreadPoolExecutor(4, thread_name_prefix="fill")
        self._askers = ThreadPoolExecutor(4, thread_name_prefix="ask")
        self._running: set[Future[None]] = set()
        self.acted: list[Callable[[str], None]] = []  # told who did something that was committed

    def settle(self) -> None:
        """Wait until everything in the background is done."""
        wait(list(self._running), timeout=60)

    def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._askers.shutdown(wait=False, cancel_futures=True)

    def say(self, person: str) -> Say:
        with self.bridge.store.read() as session:
            return self.people.say(session, person)

    def met(self, person: str) -> Say:
        """Speaks to this person; who somebody new is, is asked meanwhile, for the history and the next time."""
        with self.bridge.store.read() as session:
            known, say = session.get(Person, person), self.people.say(session, person)
        if known is None:
            self.background(self.people.meet, person)
        return say

    def background(self, act: Callable[..., None], *given: Any) -> None:
        future = self._executor.submit(act, *given)
        self._running.add(future)
        future.add_done_callback(self._running.discard)

    def pressed(
        self, body: Body, ack: Ack, client: WebClient, right: Right, act: Pressed, then: Opened | None = None
    ) -> None:
        """A button: who may press it gets what it does, or the modal that it opens; all others a modal that says why
        not. Modals are opened before the acknowledgement, and never again; `then` happens after it, in the background.
        """
        person = body["user"]["id"]
        try:
            self.check(right, person, value(body))
            view = act(value(body), person, self.say(person))
        except UserError as error:
            say = self.say(person)
            self.tell(client, body, views.sentence(say, spoken(say, error)))
        else:
            if view is not None:
                above = (body.get("view") or {}).get("type") == "modal"  # a second one lies upon it
                show = client.views_push if above else client.views_open
                opened = show(trigger_id=body["trigger_id"], view=view)
                if then is not None:
                    self.background(then, value(body), opened["view"], self.say(person))
            else:
                self._committed(person)
        ack()

    def _committed(self, person: str) -> None:
        for told in self.acted:
            told(person)

    def tell(self, client: WebClient, body: Body, view: views.View) -> None:
        above = (body.get("view") or {}).get("type") == "modal"
        try:
            (client.views_push if above else client.views_open)(trigger_id=body["trigger_id"], view=view)
        except (SlackApiError, OSError) as error:
            log.info("sentence.not_shown", error=type(error).__name__)

    def submitted(self, body: Body, ack: Ack, field: str, right: Right, act: Callable[[str, str, str], None]) -> None:
        """Do what a modal asks for; its sentence stands under the input when it cannot be done."""
        person = body["user"]["id"]
        subject, text = body["view"]["private_metadata"], form.values(body["view"]).get(field, "")
        try:
            self.check(right, person, subject)
            act(subject, text, person)
        except UserError as error:
            ack(response_action="errors", errors={field: spoken(self.say(person), error)})
        else:
            self._committed(person)
            ack()

    def check(self, right: Callable[..., None], *given: str) -> None:
        """Raise UserError unless that is the person's right. Where Slack has to be asked who they are, it has a moment;
        after that nobody may anything, and the answer is there for the next try."""
        asked = self._askers.submit(right, self.bridge, *given)
        try:
            asked.result(TOLD_IN)
        except (TimeoutError, ServiceError) as error:
            log.info("rights.not_told", error=type(error).__name__)
            raise UserError("Slack did not tell me in time who you are. Try again in a moment.") from None

    def ask(
        self, question: Callable[[Bridge, str], Answered], person: str, *, within: float = TOLD_IN
    ) -> Answered | None:
        """What is to be known of a person, None when Slack does not tell it in so many seconds."""
        asked = self._askers.submit(question, self.bridge, person)
        try:
            return asked.result(within)
        except (TimeoutError, ServiceError) as error:
            log.info("person.not_told", error=type(error).__name__)
            return None

    def error(self, error: Exception, body: Body) -> BoltResponse:
        """A bug of ours, or Slack out of reach: logged with a reference that the person gets too."""
        person = body.get("user_id") or (body.get("user") or {}).get("id") or ""
        sentence = self.broken(self.say(person), error)
        if body.get("command"):
            return BoltResponse(status=200, body={"response_type": "ephemeral", "text": sentence})
        if body.get("type") == "view_submission":
            inputs = [block["block_id"] for block in body["view"]["blocks"] if block.get("type") == "input"]
            if inputs:
                return BoltResponse(status=200, body={"response_action": "errors", "errors": {inputs[0]: sentence}})
        return BoltResponse(status=500, body="")

    def broken(self, say: Say, error: Exception) -> str:
        if isinstance(error, SlackApiError | OSError):
            log.warning("slack.failed", error=type(error).__name__)
            return say("The form could not be opened. Nothing was filed; try again.")
        reference = reference_number()
        log.error("listener.failed", reference=reference, exc_info=error)
        return say(
            "Something broke here ({reference}). Nothing was filed or sent. Try again; if it stays broken, give that "
            "reference to whoever operates Passerelle.",
            reference=reference,
        )


def ephemeral(post: views.Post) -> dict[str, Any]:
    return {"response_type": "ephemeral", "text": post.text, "blocks": post.blocks}


_MARKED = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>")


def as_typed(text: str) -> str:
    """A command's text as it was typed: Slack marks people, channels and addresses in it (`should_escape`)."""

    def typed(found: re.Match[str]) -> str:
        target, label = found[1], found[2] or ""
        if target.startswith(("http:", "https:")):
            return target
        if target[0] in "@#" and not label.startswith(target[0]):
            return f"{target[0]}{label or target[1:]}"
        return label or target

    plain = _MARKED.sub(typed, text)
    return plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def value(body: Body) -> str:
    return str(body["actions"][0].get("value") or "")


def spoken(say: Say, error: UserError) -> str:
    return say(error.message, **error.names)


def reference_number() -> str:
    return f"P-{random.randrange(16**6):06x}"  # noqa: S311 (a name, not a secret)
