"""A message that could be an issue: somebody marks it with an emoji, or mentions the bot beside it, and is offered to
flag it. Neither comes with a trigger, so a button does."""

from __future__ import annotations

import re

import structlog
from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.bridge import drafts
from bot.model import UserError
from bot.slack import form, views
from bot.slack.edges import Body, Edges, spoken, value
from bot.slack.opening import FlagModal
from bot.slack.people import as_words
from bot.store.tables import Draft
from integrations.base import ServiceError

log = structlog.get_logger()


class Offers:
    """What is answered to a reaction and to a mention: each once for a message and a person, to that person alone."""

    def __init__(self, app: App, edges: Edges) -> None:
        self._edges = edges
        self._bridge = edges.bridge
        self._people = edges.people
        self._modal = FlagModal(edges)
        app.event("reaction_added")(self._reaction)
        app.event("app_mention")(self._mention)
        app.action("flag_this")(self._flag_this)

    def _reaction(self, body: Body, event: Body, ack: Ack, client: WebClient) -> None:
        item, wanted = event.get("item") or {}, self._bridge.settings.slack.reaction
        ours = _ourselves(body)
        emoji = str(event.get("reaction") or "").partition("::")[0]  # without its skin tone
        if emoji == wanted and item.get("type") == "message" and ours not in (event["user"], event.get("item_user")):
            self._offer(client, event["user"], item["channel"], item["ts"], typed={"message": item["ts"]})
        ack()

    def _mention(self, body: Body, event: Body, ack: Ack, client: WebClient) -> None:
        person, ts = str(event.get("user") or ""), event["ts"]
        if person and not event.get("bot_id") and person != _ourselves(body):
            thread = event.get("thread_ts") or ""
            text = re.sub(rf"<@{_ourselves(body) or '[UW][A-Z0-9]+'}(\|[^>]*)?>", " ", str(event.get("text") or ""))
            typed = {"message": thread or ts, "mention": " ".join(text.split())}
            self._offer(client, person, event["channel"], ts, thread_ts=thread, typed=typed)
        ack()

    def _offer(
        self, client: WebClient, person: str, channel: str, ts: str, *, typed: dict[str, str], thread_ts: str = ""
    ) -> None:
        """Committed before Slack hears that its event arrived; what follows is made in the background, once."""
        key = f"offer:{channel}:{ts}:{person}"
        draft = drafts.once(self._bridge, key, person, channel=channel, thread_ts=thread_ts, typed=typed)
        if draft is not None:
            self._edges.background(self._show, client, draft)

    def _show(self, client: WebClient, draft: Draft) -> None:
        """Who may flag is offered to; who may not hears so when they asked for it in words."""
        try:
            allowed = self._bridge.may_flag(self._bridge.look_up(draft.person))
        except ServiceError as error:
            log.info("offer.not_shown", draft=draft.id, error=type(error).__name__)
            return
        say = self._edges.say(draft.person)
        if allowed:
            reference, thread = self._read(draft)
            self._whisper(client, draft, thread, views.flag_offer(say, draft.id, form.named(self._bridge, reference)))
        elif "mention" in draft.typed:
            self._whisper(client, draft, draft.thread_ts, views.flag_not_yours(say))

    def _read(self, draft: Draft) -> tuple[str, str]:
        """What the marked message says, and the ticket and title that it or the mention names; returns the ticket's
        reference and the thread. A ticket's number counts where it comes first, its address anywhere."""
        said = self._people.said(draft.channel, draft.thread_ts or draft.typed["message"])
        first = said[0] if said else None
        thread = draft.thread_ts or (first.thread_ts if first else "")
        mention = str(draft.typed.get("mention", ""))
        word, _, rest = mention.partition(" ")
        reference, typed = "", {"summary": first.text if first else ""}
        address = drafts.find_reference(self._bridge.helpdesks, word)
        if address or form.named(self._bridge, word).number:
            reference, typed["title"] = address or word, as_words(rest)
        texts = [mention, *(one.text for one in said)]
        found = (drafts.find_reference(self._bridge.helpdesks, text) for text in texts)
        reference = reference or next(filter(None, found), "")
        if mention and not draft.thread_ts:  # the mention is the message
            typed["summary"] = "" if typed.get("title") else mention
        drafts.describe(self._bridge, draft.id, reference, thread, typed)
        return reference, thread

    def _whisper(self, client: WebClient, draft: Draft, thread: str, post: views.Post) -> None:
        """Shown to one person, where they are. Nobody waits for it: it is tried once."""
        try:
            client.chat_postEphemeral(
                channel=draft.channel, user=draft.person, text=post.text, blocks=post.blocks, thread_ts=thread or None
            )
        except (SlackApiError, OSError) as error:
            log.info("offer.not_shown", draft=draft.id, error=type(error).__name__)

    def _flag_this(self, body: Body, ack: Ack, client: WebClient) -> None:
        person = body["user"]["id"]
        try:
            draft = drafts.take_up(self._bridge, value(body), person)
        except UserError as error:
            say = self._edges.say(person)
            self._edges.tell(client, body, views.sentence(say, spoken(say, error)))
        else:
            self._modal.open(client, body, draft)
        ack()


def _ourselves(body: Body) -> str:
    """The bot's own user, for whom Slack delivers the event."""
    told: list[Body] = body.get("authorizations") or [{}]
    return str(told[0].get("user_id") or "")
