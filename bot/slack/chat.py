"""Slack's Web API as the bot uses it: every answer is a value or one of the contract's errors; nothing is repeated."""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from urllib.error import URLError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.slack.views import Post
from integrations.base import NotFound, Rejected, ServiceError, Unauthorised, Unavailable
from integrations.meter import METER, ending

EVENT_TYPE = "passerelle"
HISTORY_PAGES = 10
"""How many pages of 200 messages are searched for our own mark; a look starts at the promise, so few are needed."""

SKEW = 3600.0
"""Seconds by which our clock may be ahead of Slack's, and a look still finds what we posted."""

_T = TypeVar("_T")

_TOKEN = {
    "invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "missing_scope",
    "no_permission", "not_allowed_token_type", "ekm_access_denied", "org_login_required",
}  # fmt: skip
_AWAY = {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"}
_GONE = {"channel_not_found", "user_not_found", "message_not_found", "thread_not_found", "view_not_found", "not_found",
    "users_not_found",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """A message; `files` are the names of what is attached to it, which stays in Slack."""

    ts: str
    person: str
    text: str
    thread_ts: str = ""
    files: tuple[str, ...] = ()


_READS = re.compile(r"[.](test|info|list|history|replies|members|getPermalink)$")


class Client(WebClient):
    """Slack's client, whose calls are counted."""

    def api_call(self, api_method: str, **given: Any) -> Any:
        method, outcome, began = "read" if _READS.search(api_method) else "write", "unavailable", time.perf_counter()
        try:
            answer = super().api_call(api_method, **given)
            outcome = "ok"
            return answer
        except SlackApiError as error:
            outcome = ending(_as_error(error))
            raise
        finally:
            METER.count("slack", method, outcome, time.perf_counter() - began)


class Chat:
    """One Slack workspace. `timeout` is in seconds."""

    def __init__(self, token: str, api_url: str, timeout: float = 10.0) -> None:
        self.client = Client(token=token, base_url=api_url, timeout=int(max(1, timeout)), retry_handlers=[])
        self._team = ""

    def post(self, channel: str, post: Post, key: str, thread_ts: str = "") -> str:
        """Post a message that carries effect `key`; returns its ts."""
        answer = _call(
            lambda: self.client.chat_postMessage(
                channel=channel,
                text=post.text,
                blocks=post.blocks,
                thread_ts=thread_ts or None,
                metadata={"event_type": EVENT_TYPE, "event_payload": {"key": key}},
                unfurl_links=False,
                unfurl_media=False,
            )
        )
        return str(answer["ts"])

    def update(self, channel: str, ts: str, post: Post, key: str) -> None:
        """Put a message into a new state."""
        _call(
            lambda: self.client.chat_update(
                channel=channel,
                ts=ts,
                text=post.text,
                blocks=post.blocks,
                metadata={"event_type": EVENT_TYPE, "event_payload": {"key": key}},
            )
        )

    def find(self, channel: str, key: str, since: datetime) -> str | None:
        """The ts of the message of ours that carries `key`, among those since then."""
        cursor: str | None = None
        oldest = f"{since.timestamp() - SKEW:.6f}"
        for _ in range(HISTORY_PAGES):
            answer = _call(
                lambda at=cursor: self.client.conversations_history(  # type: ignore[misc]
                    channel=channel, oldest=oldest, limit=200, cursor=at, include_all_metadata=True
                )
            )
            for message in answer["messages"]:
                if _carries(message, key):
                    return str(message["ts"])
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return None
        return None

    def dm(self, person: str) -> str:
        """The channel of our direct messages with a person. Asked each time: Slack tells here that somebody left."""
        answer = _call(lambda: self.client.conversations_open(users=person))
        return str(answer["channel"]["id"])

    def person(self, person: str) -> dict[str, Any]:
        """Slack's own record of a person, with their locale."""
        answer = _call(lambda: self.client.users_info(user=person, include_locale=True))
        return dict(answer["user"])

    def person_at(self, address: str) -> str:
        """The Slack id of whoever has that e-mail address; "" for nobody here."""
        try:
            answer = _call(lambda: self.client.users_lookupByEmail(email=address))
        except NotFound:
            return ""
        return str(answer["user"]["id"])

    def members(self, group: str) -> set[str]:
        """Who is in a user group (S…) or a channel (C…, G…); a person's id stands for itself."""
        if group.startswith("S"):
            answer = _call(lambda: self.client.usergroups_users_list(usergroup=group))
            return set(answer["users"])
        if group.startswith(("U", "W")):
            return {group}
        found: set[str] = set()
        cursor: str | None = None
        while True:
            page = _call(lambda at=cursor: self.client.conversations_members(channel=group, limit=200, cursor=at))  # type: ignore[misc]
            found.update(page["members"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return found

    def set_members(self, group: str, people: Sequence[str]) -> None:
        """Let a user group (S…) hold these people, at least one, and nobody else."""
        _call(lambda: self.client.usergroups_users_update(usergroup=group, users=list(people)))

    def permalink(self, channel: str, ts: str) -> str:
        """The address of a message."""
        return str(_call(lambda: self.client.chat_getPermalink(channel=channel, message_ts=ts))["permalink"])

    def thread(self, channel: str, ts: str, most: int = 30, oldest: str = "") -> list[tuple[str, str, str]]:
        """Who wrote what when in a thread, oldest first: (ts, person, text), from `oldest` on. The bot must be in the
        channel."""
        since: dict[str, Any] = {"oldest": oldest, "inclusive": True} if oldest else {}
        answer = _call(lambda: self.client.conversations_replies(channel=channel, ts=ts, limit=most, **since))
        return [(str(one["ts"]), str(one.get("user", "")), str(one.get("text", ""))) for one in answer["messages"]]

    def find_reply(self, channel: str, thread_ts: str, key: str) -> str | None:
        """The ts of the message of ours in a thread that carries `key`."""
        cursor: str | None = None
        for _ in range(HISTORY_PAGES):
            answer = _call(
                lambda at=cursor: self.client.conversations_replies(  # type: ignore[misc]
                    channel=channel, ts=thread_ts, limit=200, cursor=at, include_all_metadata=True
                )
            )
            found = next((one for one in answer["messages"] if _carries(one, key)), None)
            if found is not None:
                return str(found["ts"])
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return None
        return None

    def delete(self, channel: str, ts: str) -> None:
        """Delete a message of ours; one that is gone already is well."""
        with suppress(NotFound):
            _call(lambda: self.client.chat_delete(channel=channel, ts=ts))

    def said(self, channel: str, ts: str, most: int = 30) -> list[Said]:
        """The messages of a thread with what is attached to them, oldest first; of a reply's `ts`, that reply. The bot
        must be in the channel."""
        answer = _call(lambda: self.client.conversations_replies(channel=channel, ts=ts, limit=most))
        return [_said(one) for one in answer["messages"]]

    def complete(self, execution: str, outputs: dict[str, str]) -> None:
        """A workflow's step is done, and the workflow goes on."""
        _end(lambda: self.client.functions_completeSuccess(function_execution_id=execution, outputs=outputs))

    def fail(self, execution: str, sentence: str) -> None:
        """A workflow's step cannot be done, and the workflow's people read why."""
        _end(lambda: self.client.functions_completeError(function_execution_id=execution, error=sentence))

    def team(self) -> str:
        """The id of the workspace that the token belongs to; asked once."""
        self._team = self._team or str(_call(self.client.auth_test)["team_id"])
        return self._team


def _carries(message: Mapping[str, Any], key: str) -> bool:
    """Whether a message is ours and carries that effect's key."""
    metadata = message.get("metadata") or {}
    ours = metadata.get("event_type") == EVENT_TYPE and message.get("bot_id")
    return bool(ours and (metadata.get("event_payload") or {}).get("key") == key)


def _said(message: dict[str, Any]) -> Said:
    files = [str(one.get("name") or one.get("title") or one.get("id") or "") for one in message.get("files") or ()]
    return Said(
        ts=str(message["ts"]),
        person=str(message.get("user", "")),
        text=str(message.get("text", "")),
        thread_ts=str(message.get("thread_ts", "")),
        files=tuple(filter(None, files)),
    )


def _end(call: Callable[[], Any]) -> None:
    """End a workflow's step; nothing is lost when it has ended already."""
    try:
        _call(call)
    except Rejected as error:
        if error.detail not in ("execution_not_in_running_state", "function_execution_not_found"):
            raise


def _call(call: Callable[[], _T]) -> _T:
    try:
        return call()
    except SlackApiError as error:
        raise _as_error(error) from error
    except ConnectionRefusedError as error:
        raise Unavailable("slack", "nobody answers at its address", maybe_done=False) from error
    except URLError as error:
        refused = isinstance(error.reason, ConnectionRefusedError)
        raise Unavailable("slack", "the line broke", maybe_done=not refused) from error
    except (OSError, http.client.HTTPException, SlackClientError) as error:
        raise Unavailable("slack", f"no answer ({type(error).__name__})") from error


def _as_error(error: SlackApiError) -> ServiceError:
    response: Any = error.response
    status = getattr(response, "status_code", 0)
    data = getattr(response, "data", None)
    code = str(data.get("error", "")) if isinstance(data, dict) else ""
    if status == 429 or code in ("ratelimited", "rate_limited"):
        wait = _retry_after(response)
        return Unavailable("slack", "rate limit", retry_after=wait, maybe_done=False, limited=True)
    if code in _TOKEN:
        return Unauthorised("slack", f"the bot token is refused ({code})")
    if code in _GONE:
        return NotFound("slack", code)
    if not code or status >= 500 or code in _AWAY:
        return Unavailable("slack", f"answered {status}")
    return Rejected("slack", code)


def _retry_after(response: Any) -> float:
    headers = {str(name).lower(): value for name, value in dict(getattr(response, "headers", {})).items()}
    value = headers.get("retry-after", "1")
    try:
        return float(value[0] if isinstance(value, list) else value)
    except ValueError:
        return 1.0
