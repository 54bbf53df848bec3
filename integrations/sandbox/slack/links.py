"""Links in messages: which of them the app hears of, and what it shows under them (page "Unfurling links")."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

from integrations.sandbox.blocks import problems
from integrations.sandbox.slack.workspace import Json, SlackError, Workspace

_LINK = re.compile(r"<?(https?://[^\s|<>]+)")


def shared(workspace: Workspace, text: str) -> list[Json]:
    """The links of a text that are on one of the app's domains, or below it, each once."""
    found: dict[str, str] = {}
    for url in _LINK.findall(text):
        host = urlsplit(url).hostname or ""
        for domain in workspace.unfurl_domains:
            if host == domain or host.endswith(f".{domain}"):
                found[url] = domain
    return [{"url": url, "domain": domain} for url, domain in found.items()]


def unfurl(workspace: Workspace, args: Json) -> Json:
    """chat.unfurl: named by channel and ts, or by unfurl_id and source; doing it again replaces what stood there."""
    given = args.get("unfurls")
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            raise SlackError("cannot_parse_attachment") from None
    if not isinstance(given, dict) or not given:
        raise SlackError("missing_unfurls")
    message = _message(workspace, args)
    for url, shown in given.items():
        if url not in [link["url"] for link in shared(workspace, message["text"])]:
            raise SlackError("cannot_unfurl_url")
        if problems(shown.get("blocks", [])):
            raise SlackError("cannot_parse_attachment")
    kept = [one for one in message.get("attachments", []) if one["from_url"] not in given]
    message["attachments"] = [*kept, *({"from_url": url, **_whole(shown)} for url, shown in given.items())]
    return {}


def _whole(shown: Any) -> Json:
    return {"blocks": shown.get("blocks", [])}


def _message(workspace: Workspace, args: Json) -> Json:
    if args.get("unfurl_id") and args.get("source"):
        channel, _, ts = str(args["unfurl_id"]).partition("-")
    elif args.get("channel") and args.get("ts"):
        channel, ts = str(args["channel"]), str(args["ts"])
    else:
        raise SlackError("invalid_arguments")
    try:
        return workspace.message(channel, ts)
    except SlackError:
        raise SlackError("cannot_find_message") from None
