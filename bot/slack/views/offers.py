"""What the bot says of a message that could be an issue, and what stands under a link to one: nothing of customers."""

from __future__ import annotations

from bot.slack.views.card import Card, stage_words, waits
from bot.slack.views.parts import (
    Block,
    Bold,
    Piece,
    Post,
    TicketName,
    actions,
    button,
    lines,
    one_line,
    one_row,
    post,
    small,
)
from bot.texts import Say


def flag_offer(say: Say, draft_id: str, ticket: TicketName) -> Post:
    """To one person alone: the message that they marked can be flagged."""
    number = one_line(ticket.number, 40)
    text = say("Shall I carry this to an issue? You see it before anything is filed.")
    if number:
        text = say(
            "Shall I carry ticket {number} to an issue? You see it before anything is filed.",
            number=number,
        )
    return post(text, [lines([text]), actions(button(say("Flag this"), "flag_this", draft_id, style="primary"))])


def flag_not_yours(say: Say) -> Post:
    """To somebody who asked, and may not flag."""
    text = say("Only members of the support team can flag tickets here. Ask your lead to add you.")
    return post(text, [lines([text])])


def preview(say: Say, data: Card, title: str) -> list[Block]:
    """Under a link to an issue, or to a ticket that it stands for: how it stands. `title` is free of customers' names;
    "" shows none."""
    symbol, stage = stage_words(say, data.stage)
    first: list[Piece] = [f"{symbol} ", Bold(stage)]
    if data.issue.label:
        first += [" · ", data.issue.link]
    if title := one_line(title):
        first += [" ", title]
    rows = [say.many("{n} customer waits.", "{n} customers wait.", data.waiting)] if data.waiting else []
    rows += filter(None, [waits(say, data)])
    return [one_row(first), *([small(" ".join(rows))] if rows else [])]
