"""One Slack workspace in memory: people, conversations, messages, views, and what is only valid for a while."""

from __future__ import annotations

import copy
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from integrations.sandbox.blocks import elements
from integrations.sandbox.wire import Now

Json = dict[str, Any]

SCOPES = (
    *("commands", "chat:write", "im:write", "im:read", "im:history", "channels:read", "channels:history"),
    *("groups:read", "groups:history", "users:read", "users:read.email", "usergroups:read", "usergroups:write"),
    *("app_mentions:read", "reactions:read", "links:read", "links:write"),
)
TRIGGER_LIFE = timedelta(seconds=3)
RESPONSE_LIFE = timedelta(minutes=30)
RESPONSE_USES = 5


class SlackError(Exception):
    """The Web API answers `ok: false` with this code; `more` stands beside it in the answer."""

    def __init__(self, code: str, **more: Any) -> None:
        super().__init__(code)
        self.code = code
        self.more = more


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the workspace and its one app are."""

    bot_token: str
    app_token: str
    signing_secret: str
    team_id: str
    team_name: str = "Acme"
    team_domain: str = "acme"
    bot_user: str = "U0PASS"
    bot_id: str = "B0PASS"
    bot_name: str = "passerelle"
    app_id: str = "A0PASS"
    scopes: tuple[str, ...] = SCOPES
    token: str = "sandbox-verification-token"  # noqa: S105 (the deprecated field that payloads still carry)


@dataclass(slots=True)
class Conversation:
    id: str
    name: str
    members: list[str]
    dm_with: str = ""
    messages: list[Json] = field(default_factory=list)  # oldest first, replies included


@dataclass(slots=True)
class View:
    """A view in somebody's hands. `typed` is what Slack calls its state: block_id → action_id → value."""

    user: str
    data: Json
    typed: dict[str, dict[str, Json]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    suggested: dict[str, list[Json]] = field(default_factory=dict)

    def payload(self) -> Json:
        """The view as Slack sends and returns it."""
        return copy.deepcopy({**self.data, "state": {"values": self.typed}})

    def shown(self) -> Json:
        """The view as its person sees it, with the errors of the last submission."""
        return {**self.payload(), "errors": dict(self.errors)}


@dataclass(slots=True)
class Trigger:
    user: str
    expires: datetime
    view_id: str = ""
    used: bool = False


@dataclass(slots=True)
class ResponseUrl:
    user: str
    channel: str
    expires: datetime
    ts: str = ""  # the message that was pressed
    uses: int = 0


class Workspace:
    """All state behind one lock. Every change raises `version` and wakes who waits on `changed`."""

    def __init__(self, identity: Identity, now: Now, posts_per_second: float | None, burst: int) -> None:
        self.identity = identity
        self.now = now
        self.changed = threading.Condition(threading.RLock())
        self.version = 0
        self.people: dict[str, Json] = {}
        self.conversations: dict[str, Conversation] = {}
        self.usergroups: dict[str, Json] = {}
        self.locked_groups: set[str] = set()  # that only the workspace's admins may change
        self.ephemerals: dict[str, list[Json]] = {}
        self.stacks: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.unfurl_domains: tuple[str, ...] = ()
        self.executions: dict[str, Json] = {}
        self.charts = True  # whether messages may have them: not every workspace got them at once
        self.posts_per_second, self.burst = posts_per_second, burst
        self._budgets: dict[str, tuple[float, datetime]] = {}
        self._numbers = count(1)
        self._last_ts = 0

    @contextmanager
    def change(self) -> Iterator[None]:
        """Holds the lock; those who wait for news are told at the end."""
        with self.changed:
            yield
            self.version += 1
            self.changed.notify_all()

    def number(self) -> int:
        return next(self._numbers)

    def ts(self) -> str:
        """A message's id: seconds with six decimals, never the same twice."""
        with self.changed:
            self._last_ts = max(self._last_ts + 1, int(self.now().timestamp() * 1_000_000))
            return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    # --- people and conversations

    def person(self, user: str) -> Json:
        if user not in self.people:
            raise SlackError("user_not_found")
        return self.people[user]

    def dm(self, user: str) -> Conversation:
        """The bot's direct messages with a person, opened when there is none yet."""
        bot = self.identity.bot_user
        if self.person(user)["deleted"]:
            raise SlackError("user_disabled")
        if user == bot:
            raise SlackError("cannot_dm_bot")
        return self.conversations.setdefault(
            f"D{user[1:]}", Conversation(f"D{user[1:]}", "directmessage", [bot, user], dm_with=user)
        )

    def conversation(self, channel: str) -> Conversation:
        """The conversation of this id, whether or not the bot is in it."""
        if channel not in self.conversations:
            raise SlackError("channel_not_found")
        return self.conversations[channel]

    def joined(self, channel: str) -> Conversation:
        """The conversation, in which the bot must be."""
        found = self.conversation(channel)
        if self.identity.bot_user not in found.members:
            raise SlackError("not_in_channel")
        return found

    def message(self, channel: str, ts: str) -> Json:
        for message in self.conversation(channel).messages:
            if message["ts"] == ts:
                return message
        raise SlackError("message_not_found")

    def add_message(self, conversation: Conversation, user: str, content: Json) -> Json:
        """Puts a message of `user` into a conversation and keeps its thread's counts."""
        message: Json = {"type": "message", "user": user, "ts": self.ts(), "team": self.identity.team_id}
        if user == self.identity.bot_user:
            message |= {"bot_id": self.identity.bot_id, "app_id": self.identity.app_id}
        message |= content
        if "blocks" in message:
            message["blocks"] = self.with_ids(message["blocks"])
        if parent_ts := message.get("thread_ts"):
            parent = next((m for m in conversation.messages if m["ts"] == parent_ts), None)
            if parent is None:
                raise SlackError("thread_not_found")
            parent |= {"thread_ts": parent_ts, "latest_reply": message["ts"]}
            parent["reply_count"] = parent.get("reply_count", 0) + 1
            message["parent_user_id"] = parent["user"]
        conversation.messages.append(message)
        return message

    def with_ids(self, blocks: list[Json]) -> list[Json]:
        """The blocks with the ids that Slack gives to those that came without."""
        given = copy.deepcopy(blocks)
        for block in given:
            block.setdefault("block_id", f"b{self.number():04x}")
        for _, element in elements(given):
            element.setdefault("action_id", f"a{self.number():04x}")
        return given

    def wait_to_post(self, channel: str) -> int:
        """0 when one more post fits into the channel's rate, else the seconds until it does (page "Rate limits")."""
        if self.posts_per_second is None:
            return 0
        now = self.now()
        left, since = self._budgets.get(channel, (float(self.burst), now))
        left = min(float(self.burst), left + (now - since).total_seconds() * self.posts_per_second)
        if left < 1:
            self._budgets[channel] = (left, now)
            return max(1, math.ceil((1 - left) / self.posts_per_second))
        self._budgets[channel] = (left - 1, now)
        return 0

    # --- what is valid for a while

    def new_trigger(self, user: str, view_id: str = "") -> str:
        trigger = f"{self.number()}.{self.identity.team_id}.{user}"
        self.triggers[trigger] = Trigger(user, self.now() + TRIGGER_LIFE, view_id)
        return trigger

    def use_trigger(self, trigger_id: str) -> Trigger:
        """Takes a trigger: once, within three seconds (page "views.open")."""
        trigger = self.triggers.get(trigger_id)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if self.now() > trigger.expires:
            raise SlackError("expired_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        trigger.used = True
        return trigger

    def new_response_url(self, user: str, channel: str, ts: str = "") -> str:
        """The path of a response_url: five uses in 30 minutes (page "Handling user interaction")."""
        key = f"{self.identity.team_id}/{self.number():08x}"
        self.response_urls[key] = ResponseUrl(user, channel, self.now() + RESPONSE_LIFE, ts)
        return f"/response/{key}"
