"""What a ticket may be the same as: shown in the modal while it is open, one click attaches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.model import Stage
from bot.slack.views.card import stage_words
from bot.slack.views.parts import Block, Bold, IssueName, Piece, button, cut, lines, one_line, one_row
from bot.texts import Say

PREFIX = "likely"
"""How the ids of these blocks begin, so that newer ones can take their place."""

_KEPT = ("type", "callback_id", "title", "submit", "close", "private_metadata", "notify_on_close", "blocks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Likely:
    """A known issue that the ticket may speak of. `stage` is None where nobody flagged it yet."""

    reference: str
    issue: IssueName
    stage: Stage | None = None
    open: bool = True
    waiting: int = 0
    version: str = ""  # in which it shipped


def likely(say: Say, found: Sequence[Likely]) -> list[Block]:
    """The blocks; none where nothing is alike."""
    if not found:
        return []
    head = lines([Bold(say("Known already?")), " ", say("One click attaches this ticket; nothing new is filed.")])
    rows = [one_row(_line(say, one), button(say("Attach"), "attach", one.reference)) for one in found]
    return [{**block, "block_id": f"{PREFIX}{n}"} for n, block in enumerate([head, *rows])]


def shown(view: Mapping[str, Any]) -> list[str]:
    """The references that a view offers."""
    found = [block.get("accessory") or {} for block in view["blocks"] if _ours(block)]
    return [str(one["value"]) for one in found if one.get("action_id") == "attach"]


def renewed(view: Mapping[str, Any], blocks: Sequence[Block]) -> dict[str, Any]:
    """The view as Slack told it, with these blocks instead of its old ones; what was typed stays, as the inputs do."""
    rest = [block for block in view["blocks"] if not _ours(block)]
    at = next((n for n, block in enumerate(rest) if block["type"] == "input"), len(rest))
    kept = {name: view[name] for name in _KEPT if view.get(name) is not None}
    return {**kept, "blocks": [*rest[:at], *blocks, *rest[at:]]}


def _ours(block: Mapping[str, Any]) -> bool:
    return str(block.get("block_id", "")).startswith(PREFIX)


def _line(say: Say, one: Likely) -> list[Piece]:
    where: list[Piece] = [one.issue.link] if one.issue.label else []
    return [Bold(cut(one_line(one.issue.title), 150)), "\n", *where, " · " if where else "", _how(say, one)]


def _how(say: Say, one: Likely) -> str:
    """How it stands, for somebody who has that customer before them."""
    if one.stage is Stage.SHIPPED and one.version:
        return say("Fixed in {version}. Is the customer on it?", version=one_line(one.version, 60))
    if one.stage is Stage.SHIPPED:
        return say("Fixed and live. Does the customer have it?")
    if one.stage is None:
        return say("Open in the tracker; no customer waits for it yet.") if one.open else say("Closed in the tracker.")
    _, stage = stage_words(say, one.stage)
    if one.waiting:
        return say.many("{stage}; {n} customer waits.", "{stage}; {n} customers wait.", one.waiting, stage=stage)
    return stage
