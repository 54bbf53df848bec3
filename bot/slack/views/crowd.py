"""A round of many customers: all of them in pages, and one reply to several, each read and confirmed. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bot.model import WriteBack
from bot.slack.views.facts import NewsLine, about, headline
from bot.slack.views.modal import View, labelled, modal, typed
from bot.slack.views.parts import (
    Block,
    Bold,
    actions,
    button,
    excerpt,
    header,
    lines,
    one_line,
    proof_line,
    small,
    words,
    write_back_buttons,
)
from bot.slack.views.round import RoundIssue, Row, customer_line, state_words
from bot.texts import Say

PAGE = 15
"""How many customers stand on a page of the list."""

TOGETHER = 8
"""How many customers can be written to at once: as many as somebody reads."""


def crowd(say: Say, round_id: str, page: int, issues: Sequence[RoundIssue]) -> View:
    """All customers of a round, those due first, with what each wrote."""
    rows = [(issue, row) for issue in issues for row in issue.rows]
    rows.sort(key=lambda one: one[1].state is not WriteBack.DUE)
    page = max(0, min(page, (len(rows) - 1) // PAGE))
    due = sum(row.state is WriteBack.DUE for _, row in rows)
    title = say.many("{n} customer to write back to", "{n} customers to write back to", due)
    blocks: list[Block] = [header(title)]
    for issue, row in rows[page * PAGE : (page + 1) * PAGE]:
        state = state_words(say, row)
        blocks.append(
            lines(
                customer_line(say, row),
                [headline(say, issue.news)] if len(issues) > 1 else [],
                [state] if state else [],
                quote=excerpt(row.facts.words, 240),
            )
        )
        if row.state is WriteBack.DUE and not issue.owner:
            blocks.append(write_back_buttons(say, row.write_back_id))
    turns = []
    if page:
        turns.append(button(say("Back"), "crowd_back", f"{round_id}:{page - 1}"))
    if (page + 1) * PAGE < len(rows):
        turns.append(button(say("Further"), "crowd_further", f"{round_id}:{page + 1}"))
    if turns:
        pages = say("Page {page} of {pages}", page=page + 1, pages=(len(rows) - 1) // PAGE + 1)
        blocks += [small(pages), actions(*turns)]
    return modal(say, "", say("Write back"), round_id, blocks)


def write_many(say: Say, pages: Sequence[str], news: NewsLine, rows: Sequence[Row], reply: str = "") -> View:
    """One blank page for several customers of the same news: each one’s facts, and a box to tick for each whom the
    reply fits. `pages`: what `write_back.send` needs of each row."""
    blocks = [
        lines([Bold(headline(say, news))], proof_line(say, news.proof), quote=words(news.reason, 800)),
        lines([say("Read each one. Your reply goes only to those you tick, each on their own ticket.")]),
    ]
    if news.note:
        blocks.append(lines([say("What was mended, in the Support Dev’s words:")], quote=words(news.note, 1_000)))
    for row in rows[:TOGETHER]:
        blocks.append(lines(*about(say, row.facts), quote=excerpt(row.facts.words, 700)))
        name = one_line(row.facts.customer, 40) or say("the customer")
        fits = {"text": _face(say("My reply fits {name}", name=name)), "value": row.write_back_id}
        boxes = {"type": "checkboxes", "action_id": f"fits:{row.write_back_id}", "options": [fits]}
        label = say("Ticket {number}", number=one_line(row.facts.ticket.number, 40))
        blocks.append(labelled(label, f"fits:{row.write_back_id}", boxes, optional=True))
    blocks.append(typed(say("Your reply"), "reply", long=True, initial=reply))
    return modal(
        say, "write_many", say("Write to several"), json.dumps(list(pages[:TOGETHER])), blocks, submit=say("Send")
    )


def _face(text: str) -> Block:
    return {"type": "plain_text", "text": one_line(text, 75), "emoji": False}
