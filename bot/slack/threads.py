"""The card's thread: what is answered there, and what goes from there to the issue."""

from __future__ import annotations

from functools import partial

import structlog
from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.bridge import rights, talk
from bot.model import UserError
from bot.privacy import Policy
from bot.slack import form, views
from bot.slack.edges import Body, Edges, spoken, value
from bot.store import queries, upkeep
from bot.store.tables import Issue
from integrations.base import ServiceError

log = structlog.get_logger()

_IGNORED = frozenset({"bot_message", "message_replied", "channel_join", "channel_leave"})


class Threads:
    """What people say in the thread of a card, and the modal in which an agent answers."""

    def __init__(self, app: App, edges: Edges) -> None:
        self._edges = edges
        self._bridge = edges.bridge
        app.event("message")(self._said)
        app.action("to_issue")(self._to_issue)
        app.shortcut("to_issue")(self._shortcut)
        app.action("answer")(self._answer_opened)
        app.view("answer")(self._answer_submitted)

    def _answer_opened(self, body: Body, ack: Ack, client: WebClient) -> None:
        self._edges.pressed(body, ack, client, rights.talk, lambda issue, _, say: form.answer(self._bridge, say, issue))

    def _answer_submitted(self, body: Body, ack: Ack) -> None:
        self._edges.submitted(body, ack, "text", rights.talk, partial(talk.answer, self._bridge))

    # --- replies in the thread ----------------------------------------------------------------------------------------

    def _said(self, body: Body, ack: Ack, client: WebClient) -> None:
        """A message, an edit or a deletion in a channel: of concern in the thread of a card alone. It is acknowledged
        once it is kept, so that Slack tells it again if it could not be."""
        event = body["event"]
        kind = event.get("subtype", "")
        if kind in ("message_changed", "message_deleted"):
            self._changed(event, deleted=kind == "message_deleted")
        elif kind not in _IGNORED and not event.get("bot_id") and event.get("user"):
            self._replied(client, event)
        ack()

    def _changed(self, event: Body, *, deleted: bool) -> None:
        before = event.get("previous_message") or {}
        now = event.get("message") or {}
        thread, ts = str(before.get("thread_ts") or now.get("thread_ts") or ""), str(before.get("ts") or "")
        issue = self._issue_of(event.get("channel", ""), thread)
        gone = deleted or now.get("subtype") == "tombstone"
        if issue is not None and ts and ts != thread and not before.get("bot_id"):
            text = "" if gone else str(now.get("text") or "")
            talk.reworded(self._bridge, issue.id, ts, text)

    def _replied(self, client: WebClient, event: Body) -> None:
        thread, ts = str(event.get("thread_ts") or ""), str(event.get("ts") or "")
        if not thread or thread == ts:
            return
        issue = self._issue_of(event.get("channel", ""), thread)
        if issue is None or issue.number is None:
            return
        if self._synced(issue):
            self._relay(issue.id, ts, str(event.get("text") or ""), event["user"])
        else:
            self._edges.background(self._offer, client, issue, event["channel"], thread, ts, event["user"])

    def _synced(self, issue: Issue) -> bool:
        """Whether replies go over by themselves: never to where everybody can read, or where the link alone goes."""
        project = self._bridge.project(issue.project)
        return project.sync and issue.public is False and Policy(project.privacy) is not Policy.LINK_ONLY

    def _relay(self, issue_id: str, ts: str, text: str, person: str) -> None:
        """Raises ServiceErrors, for Slack to tell it again."""
        try:
            rights.talk(self._bridge, person, issue_id)
            talk.relay(self._bridge, issue_id, ts, text, person, synced=True)
        except UserError as error:  # a guest's words stay in the thread
            log.info("thread.not_relayed", issue=issue_id, error=type(error).__name__)

    def _offer(self, client: WebClient, issue: Issue, channel: str, thread: str, ts: str, person: str) -> None:
        """Once for each person and issue: from the second reply on they know the message's menu."""
        with self._bridge.store.write() as session:
            if not upkeep.take(session, f"offer:{issue.id}:{person}", issue.created_at):
                return
        say = self._edges.met(person)
        post = views.offer(say, f"{issue.id}:{ts}", public=bool(issue.public))
        try:
            client.chat_postEphemeral(
                channel=channel, user=person, thread_ts=thread, text=post.text, blocks=post.blocks
            )
        except (SlackApiError, OSError) as error:
            log.info("offer.not_shown", error=type(error).__name__)

    def _to_issue(self, body: Body, ack: Ack, client: WebClient) -> None:
        issue_id, _, ts = value(body).partition(":")
        channel = (body.get("channel") or {}).get("id", "")
        self._bring(body, ack, client, channel, issue_id, ts)

    def _shortcut(self, body: Body, ack: Ack, client: WebClient) -> None:
        message = body.get("message") or {}
        channel, ts = (body.get("channel") or {}).get("id", ""), str(message.get("ts") or "")
        issue = self._issue_of(channel, str(message.get("thread_ts") or ""))
        if issue is None or issue.card_ts == ts:
            person = body["user"]["id"]
            say = self._edges.say(person)
            sentence = say("This works on replies in the thread of an issue's card.")
            self._edges.tell(client, body, views.sentence(say, sentence))
            ack()
            return
        self._bring(body, ack, client, channel, issue.id, ts)

    def _bring(self, body: Body, ack: Ack, client: WebClient, channel: str, issue_id: str, ts: str) -> None:
        person = body["user"]["id"]
        say = self._edges.say(person)
        try:
            self._edges.check(rights.talk, person, issue_id)
            with self._bridge.store.read() as session:
                issue = session.get(Issue, issue_id)
            said = self._read(channel, issue.card_ts if issue else "", ts)
            talk.relay(self._bridge, issue_id, ts, said[1], said[0])
            sentence = say("It is on its way to the issue. What is edited or deleted here follows there.")
        except UserError as error:
            sentence = spoken(say, error)
        self._edges.tell(client, body, views.sentence(say, sentence))
        ack()

    def _read(self, channel: str, thread: str, ts: str) -> tuple[str, str]:
        """Who said what there, as Slack has it now. Raises UserError."""
        try:
            found = next(iter(self._edges.people.reply(channel, thread, ts)), None)
        except ServiceError:
            raise UserError("Slack does not show me that reply right now. Try again in a moment.") from None
        if found is None:
            raise UserError("That reply is not there any more.")
        return found

    def _issue_of(self, channel: str, thread: str) -> Issue | None:
        if not channel or not thread:
            return None
        with self._bridge.store.read() as session:
            return queries.issue_of_card(session, channel, thread)
