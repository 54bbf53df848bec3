"""Overviews: the answers to `/bug help`, `/bug mine` and `/bug status`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.model import Stage
from bot.slack.views.card import stage_words
from bot.slack.views.facts import TicketFacts, happened
from bot.slack.views.parts import (
    MESSAGE_BLOCKS,
    MESSAGE_SIZE,
    Block,
    Bold,
    Code,
    IssueName,
    Link,
    Piece,
    Post,
    Proof,
    TicketName,
    bullets,
    button,
    header,
    lines,
    one_line,
    one_row,
    plain,
    post,
    proof_line,
    size,
    small,
    ticket_link,
    write_back_buttons,
)
from bot.texts import Say


@dataclass(frozen=True, slots=True, kw_only=True)
class MineLine:
    """One of an agent's escalations; `write_back_id` when a write-back is due."""

    issue: IssueName
    stage: Stage
    facts: TicketFacts
    write_back_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    at: datetime
    what: str  # the word that the history has for it
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One escalation: where it stands and what happened."""

    issue: IssueName
    stage: Stage
    ticket: TicketName
    agent: str
    waiting: int = 0
    proof: Proof = field(default_factory=Proof)
    history: tuple[HistoryLine, ...] = ()  # oldest first
    write_back_id: str = ""  # of the reader's own, when it is due


def mine(say: Say, escalations: Sequence[MineLine]) -> Post:
    """An agent's escalations, those that owe a customer an answer first."""
    if not escalations:
        empty = say("Nothing of yours waits. Flag a ticket with /bug and its number.")
        return post(empty, [lines([empty])])
    ordered = sorted(escalations, key=lambda line: not line.write_back_id)
    due = sum(1 for line in ordered if line.write_back_id)
    title = say.many("{n} customer to write back to", "{n} customers to write back to", due)
    title = title if due else say("Your escalations")
    blocks: list[Block] = [header(title)]
    text = [title]
    for index, line in enumerate(ordered):
        block = _mine(say, line)
        if len(blocks) >= MESSAGE_BLOCKS - 1 or size([*blocks, block]) > MESSAGE_SIZE - 300:
            blocks.append(small(_more(say, len(ordered) - index)))
            break
        blocks.append(block)
        text.append(plain(_mine_line(say, line)))
    return post("\n".join(text), blocks)


def status(say: Say, data: Status) -> Post:
    """One escalation and its history, the latest happenings when there are many."""
    symbol, stage = stage_words(say, data.stage)
    agent = one_line(data.agent, 80)
    carried = say.pieces("Carried from {ticket} by {agent}.", ticket=ticket_link(say, data.ticket), agent=agent)
    rows: list[list[Piece]] = [[f"{symbol} ", Bold(stage), " · ", data.issue.link], carried]
    rows.append([say.many("{n} customer waits.", "{n} customers wait.", data.waiting)] if data.waiting else [])
    rows.append(proof_line(say, data.proof))
    history = [_happened(say, line) for line in data.history[-15:]]
    title = one_line(data.issue.title)
    blocks = [header(title or say("No title")), lines(*rows), *([bullets(history)] if history else [])]
    if data.write_back_id:
        blocks.insert(2, write_back_buttons(say, data.write_back_id))
    return post("\n".join([title, *(plain(line) for line in [*rows, *history] if line)]), blocks)


def nothing_known(say: Say, reference: str) -> Post:
    """The answer to a status that was asked of nothing we know."""
    if reference:
        first = say("I know no ticket or issue {reference}.", reference=one_line(reference, 100))
    else:
        first = say("Say which ticket or issue: its number or its address.")
    then = say.pieces("{command} shows what of yours still waits.", command=Code("/bug mine"))
    row: list[Piece] = [first, " ", *then]
    return post(plain(row), [lines(row)])


def _happened(say: Say, line: HistoryLine) -> list[Piece]:
    moment, what = say.on(line.at), one_line(happened(say, line.what), 250)
    by = f" ({one_line(line.by, 60)})" if line.by else ""
    return [say("{moment}: {what}", moment=moment, what=what + by)]


def _mine(say: Say, line: MineLine) -> Block:
    accessory = button(say("Write back"), "write_back", line.write_back_id) if line.write_back_id else None
    return one_row(_mine_line(say, line), accessory)


def _mine_line(say: Say, line: MineLine) -> list[Piece]:
    symbol, stage = stage_words(say, line.stage)
    who = one_line(line.facts.customer, 60)
    pieces: list[Piece] = [f"{symbol} ", ticket_link(say, line.facts.ticket), f" · {who}" if who else ""]
    issue: Link = line.issue.link
    pieces += [" · ", issue, f" {one_line(line.issue.title, 60)} · {stage}"]
    if line.facts.waited is not None:
        pieces += [" · ", say("waiting for {duration}", duration=say.ago(line.facts.waited))]
    return pieces


def _more(say: Say, n: int) -> str:
    return say.many(
        "And {n} more. It moves up as you write back to these.",
        "And {n} more. They move up as you write back to these.",
        n,
    )
