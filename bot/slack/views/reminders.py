"""Reminders: what waits, for how long and who waits for it, with the button for the next step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.privacy import plain as escape
from bot.slack.views.parts import (
    MESSAGE_BLOCKS,
    MESSAGE_SIZE,
    TEXT_SIZE,
    Block,
    Bold,
    IssueName,
    Piece,
    Post,
    actions,
    button,
    cut,
    excerpt,
    header,
    lines,
    one_line,
    open_button,
    plain,
    post,
    size,
    small,
    web,
)
from bot.slack.views.round import Round, round_, unclear_buttons
from bot.texts import Say

LISTED = 20
"""How many things one message names."""

SNOOZE = "snooze"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """Something that waits for somebody."""

    what: str  # triage | answer | promise | write_back
    subject: str  # what its button stands for: the issue's id, or the write-back's
    issue_id: str
    issue: IssueName
    age: timedelta  # for how long
    waiting: int = 0  # customers who have not heard the end; of a write-back, whom nobody wrote to
    unclear: int = 0  # of a write-back, customers whose reply may or may not have gone out; they are not in `waiting`
    unclear_for: timedelta = timedelta()
    by: str = ""  # the name of who asked; of who named the day, where that is not the reader
    text: str = ""  # the question
    day: date | None = None  # that was named
    customer: str = ""  # of a write-back
    reminded: tuple[str, ...] = ()  # for a lead, the names of those who heard of it
    later: tuple[str, ...] = ()  # who are still to hear of it, as they put it off
    gone: tuple[str, ...] = ()  # who cannot be reached in Slack


def untaken(say: Say, data: Waits) -> Post:
    """To the Support Dev: nobody acknowledged the issue yet."""
    return _single(say, data, [_own(say, data), [_customers(say, data)]], _step(say, data))


def unanswered(say: Say, data: Waits) -> Post:
    """To an agent: a Support Dev's question that nobody answered."""
    sentence = say.pieces(
        "{name} asked about {issue} {duration} ago, and nobody has answered yet:",
        issue=data.issue.link,
        duration=say.ago(data.age),
        name=one_line(data.by, 80),
    )
    return _single(say, data, [sentence], _step(say, data), excerpt(data.text, 600))


def overdue(say: Say, data: Waits) -> Post:
    """To the Support Dev: the day that they named, or one before them, is over, and it has not shipped."""
    sentence = say.pieces(
        "You named {day} for {issue}. It has not shipped; agents would like to know more.",
        day=say.day(data.day) if data.day else "",
        issue=data.issue.link,
    )
    return _single(
        say, data, [_reported(say, data) if data.by else sentence, [_customers(say, data)]], _step(say, data)
    )


def unwritten(say: Say, data: Waits, rows: Round) -> Post:
    """To an agent: their customers who have not heard of it yet, each with the buttons of the round."""
    sentence = say.many(
        "You have known this for {duration}; {n} customer has not heard it yet.",
        "You have known this for {duration}; {n} customers have not heard it yet.",
        data.waiting,
        duration=say.ago(data.age),
    )
    said = [sentence] if data.waiting else []
    said += [_unclear(say, data), _look(say, data)] if data.unclear else []
    return _rows(say, data, said, rows)


def several(say: Say, items: Sequence[Waits], count: int) -> Post:
    """To one person: more than they should hear one by one. `items` are the first of so many."""
    rows = [(_own(say, one), [*_steps(say, one), snooze_button(say, one.issue_id)]) for one in items]
    return _list(say, say.many("{n} thing waits for you", "{n} things wait for you", count), items, rows, count)


def late(say: Say, items: Sequence[Waits], count: int = 1) -> Post:
    """To a lead: what its people were reminded of, and what waits still. `items` are the first of so many."""
    if count == 1:
        quote = excerpt(items[0].text, 600)
        return _single(say, items[0], [_reported(say, items[0]), [_told(say, items[0])]], _step(say, items[0]), quote)
    rows = [([*_reported(say, one), " ", _told(say, one)], [snooze_button(say, one.issue_id)]) for one in items]
    return _list(say, say.many("{n} thing waits", "{n} things wait", count), items, rows, count)


def unwritten_by(say: Say, data: Waits, rows: Round) -> Post:
    """To a lead: customers whom their agent has not written to, each with the buttons of the round."""
    return _rows(say, data, [*_owed(say, data), _told(say, data)], rows)


def snoozed(say: Say, issue: IssueName, until: datetime) -> Post:
    """To whoever wants to hear it later: when."""
    sentence = say.pieces("I remind you of {issue} again: {moment}.", issue=issue.link, moment=say.on(until))
    return post(plain(sentence), [lines(sentence)])


def put_off(say: Say, text: str, blocks: Sequence[Block], block_id: str, until: datetime) -> Post:
    """A reminder as it stands, whose button was pressed: in its place stands when it comes again. `text` is mrkdwn."""
    shown: list[Block] = []
    again = say("I remind you again: {moment}.", moment=say.on(until))
    for block in blocks:
        if block.get("block_id") != block_id:
            shown.append(block)
            continue
        kept = {name: part for name, part in block.items() if name != "accessory"}
        if "elements" in block:
            kept["elements"] = [one for one in block["elements"] if one.get("action_id") != SNOOZE]
        shown += [kept] if kept.get("elements") != [] else []
        shown.append(small(again))
    return Post(f"{text}\n{again}", shown[:MESSAGE_BLOCKS])


def snooze_button(say: Say, issue_id: str) -> Block:
    return button(say("Remind me later"), "snooze", issue_id)


def _customers(say: Say, data: Waits) -> str:
    return say.many("{n} customer waits.", "{n} customers wait.", data.waiting) if data.waiting else ""


def _steps(say: Say, data: Waits) -> list[Block]:
    """The buttons of one thing of several."""
    return unclear_buttons(say, data.subject) if data.unclear else [_step(say, data)]


def _step(say: Say, data: Waits) -> Block:
    """The button of what is to be done."""
    label, action = {
        "triage": (say("Acknowledge"), "acknowledge"),
        "answer": (say("Answer"), "answer"),
        "promise": (say("Name another day"), "change"),
        "write_back": (say("Write back"), "write_back"),
    }[data.what]
    return button(label, action, data.subject if data.what == "write_back" else data.issue_id, style="primary")


def _own(say: Say, data: Waits) -> list[Piece]:
    issue, duration = data.issue.link, say.ago(data.age)
    match data.what:
        case "triage":
            return say.pieces(
                "{issue} was filed {duration} ago, and nobody has taken it yet.",
                issue=data.issue.link,
                duration=say.ago(data.age),
            )
        case "answer":
            return say.pieces(
                "{name} asked about {issue} {duration} ago: {question}",
                issue=data.issue.link,
                duration=say.ago(data.age),
                name=one_line(data.by, 80),
                question=one_line(data.text, 200),
            )
        case "promise" if data.by:
            return _reported(say, data)
        case "promise":
            day = say.day(data.day) if data.day else ""
            return say.pieces("You named {day} for {issue}. It has not shipped.", day=day, issue=issue)
        case _:
            name = one_line(data.customer, 60) or say("the customer")
            if data.unclear:
                return say.pieces(
                    "It has been unclear for {duration} whether the reply to {name} about {issue} went out.",
                    name=name,
                    issue=issue,
                    duration=say.ago(data.unclear_for),
                )
            return say.pieces(
                "{name} has not heard the news of {issue} yet; you have known it for {duration}.",
                name=name,
                issue=issue,
                duration=duration,
            )


def _reported(say: Say, data: Waits) -> list[Piece]:
    match data.what:
        case "triage":
            return say.pieces(
                "{issue} was filed {duration} ago, and nobody has taken it yet.",
                issue=data.issue.link,
                duration=say.ago(data.age),
            )
        case "answer":
            name = one_line(data.by, 80)
            return say.pieces(
                "{name} asked about {issue} {duration} ago, and nobody has answered yet.",
                issue=data.issue.link,
                duration=say.ago(data.age),
                name=name,
            )
        case "promise":
            return say.pieces(
                "{day} was named for {issue} by {names}. It has not shipped.",
                day=say.day(data.day) if data.day else "",
                names=one_line(data.by, 60),
                issue=data.issue.link,
            )
        case _:
            return say.pieces("{issue}: {sentence}", issue=data.issue.link, sentence=" ".join(_owed(say, data)))


def _owed(say: Say, data: Waits) -> list[str]:
    """What a lead reads of write-backs."""
    said = [_unheard(say, data)] if data.waiting else []
    return said + ([_unclear(say, data)] if data.unclear else [])


def _unclear(say: Say, data: Waits) -> str:
    return say.many(
        "It has been unclear for {duration} whether the reply to {n} customer went out.",
        "It has been unclear for {duration} whether the replies to {n} customers went out.",
        data.unclear,
        duration=say.ago(data.unclear_for),
    )


def _look(say: Say, data: Waits) -> str:
    if data.unclear == 1:
        return say("Look at the ticket. If the reply is there, mark it written; if not, write back again.")
    return say("Look at each ticket. If the reply is there, mark it written; if not, write back again.")


def _unheard(say: Say, data: Waits) -> str:
    return say.many(
        "{n} customer has not heard the news yet, which is {duration} old.",
        "{n} customers have not heard the news yet, which is {duration} old.",
        data.waiting,
        duration=say.ago(data.age),
    )


def _told(say: Say, data: Waits) -> str:
    """Who heard of it, and who did not."""
    reminded, later, gone = (
        say.listed([one_line(name, 60) for name in names[:5]]) for names in (data.reminded, data.later, data.gone)
    )
    said = [say("I have reminded {names}.", names=reminded)] if reminded else []
    said += [say("{names} will hear of it again later.", names=later)] if later else []
    return " ".join([*said, *([say("I cannot reach {names} in Slack.", names=gone)] if gone else [])])


def _single(say: Say, data: Waits, rows: list[list[Piece]], step: Block, quote: str = "") -> Post:
    buttons = [step, snooze_button(say, data.issue_id)]
    if web(data.issue.url):
        buttons.append(open_button(say("Open issue"), data.issue.url))
    title: list[Piece] = [Bold(one_line(data.issue.title) or say("No title"))]
    said = [*filter(None, map(plain, [title, *rows])), *([quote] if quote else [])]
    return post("\n".join(said), [lines(title, *rows, quote=quote), actions(*buttons)])


def _rows(say: Say, data: Waits, said: Sequence[str], rows: Round) -> Post:
    """A round as it stands, with what is to be said of it under its headline."""
    told = round_(say, rows)
    start, end = [told.blocks[0], lines(*([one] for one in said))], actions(snooze_button(say, data.issue_id))
    rest = told.blocks[1 : MESSAGE_BLOCKS - len(start)]
    while size([*start, *rest, end]) > MESSAGE_SIZE:
        rest.pop()
    title, _, more = told.text.partition("\n")
    return Post(cut(f"{title}\n{escape(' '.join(said))}\n{more}", TEXT_SIZE), [*start, *rest, end])


def _list(
    say: Say, title: str, items: Sequence[Waits], rows: Sequence[tuple[list[Piece], list[Block]]], count: int
) -> Post:
    blocks, text, listed = [header(title)], [title], 0
    for data, (row, buttons) in zip(items, rows, strict=True):
        name = one_line(data.issue.title, 100) or say("No title")
        shown = [lines([Bold(name)], row), actions(*buttons)]
        if size([*blocks, *shown]) > MESSAGE_SIZE - 500:
            break
        blocks += shown
        text.append(f"{name}: {plain(row)}")
        listed += 1
    if listed < count:
        blocks.append(small(say.many("And {n} more.", "And {n} more.", count - listed)))
    return post("\n".join(text), blocks)
