"""What an app answers to a command, or posts to a response_url (page "Handling user interaction")."""

from __future__ import annotations

from typing import Any

from integrations.sandbox.slack.web_api import add_ephemeral, content, rewrite
from integrations.sandbox.slack.workspace import RESPONSE_USES, Json, ResponseUrl, SlackError, Workspace


def respond(workspace: Workspace, key: str, body: Any) -> None:
    """Does what was posted to a response_url: at most five times, within 30 minutes."""
    with workspace.change():
        target = workspace.response_urls.get(key)
        if target is None or workspace.now() > target.expires:
            raise SlackError("expired_url")
        if target.uses >= RESPONSE_USES:
            raise SlackError("used_url")
        if not isinstance(body, dict):
            raise SlackError("invalid_payload")
        said = content(workspace, body)
        original = _original(workspace, target)
        if body.get("delete_original") and original:
            _remove(workspace, target, original)
        elif body.get("replace_original") and original:
            rewrite(workspace, original, said)
        else:
            show(workspace, target.channel, target.user, body)
        target.uses += 1


def show(workspace: Workspace, channel: str, user: str, body: Json) -> None:
    """A new message: for one person unless `response_type` is `in_channel`."""
    said = content(workspace, body)
    if not said.get("text") and not said.get("blocks"):
        raise SlackError("no_text")
    if body.get("response_type") == "in_channel":
        if body.get("thread_ts"):
            said["thread_ts"] = body["thread_ts"]
        conversation = workspace.conversation(channel)
        workspace.add_message(conversation, workspace.identity.bot_user, {"text": "", **said})
    else:
        add_ephemeral(workspace, channel, user, said)


def _original(workspace: Workspace, target: ResponseUrl) -> Json | None:
    seen = [*workspace.conversation(target.channel).messages, *workspace.ephemerals.get(target.user, [])]
    return next((message for message in seen if target.ts and message["ts"] == target.ts), None)


def _remove(workspace: Workspace, target: ResponseUrl, original: Json) -> None:
    for messages in (workspace.conversation(target.channel).messages, workspace.ephemerals.get(target.user, [])):
        if original in messages:
            messages.remove(original)
