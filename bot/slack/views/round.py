"""The round: one direct message per agent and cause, a row per customer; and what became of a single write-back."""

from __future__ import annotations

from dataclasses import dataclass

from bot.model import ANSWERED, MERGED, SUPERSEDED, TAKEN_OFF, News, WriteBack
from bot.slack.views.facts import NewsLine, TicketFacts, headline
from bot.slack.views.parts import (
    MESSAGE_BLOCKS,
    MESSAGE_SIZE,
    Block,
    Bold,
    IssueName,
    Piece,
    Post,
    actions,
    button,
    excerpt,
    header,
    lines,
    one_line,
    one_row,
    plain,
    post,
    proof_line,
    size,
    ticket_link,
    words,
    write_back_buttons,
)
from bot.texts import Say

_FULL_ROWS = 10  # more customers due than this get a row each, their words in the modal
_ROOM_AT_END = 500  # of MESSAGE_SIZE
_OPEN = (WriteBack.DUE, WriteBack.UNCERTAIN)  # they wait for the agent, so have buttons


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One customer in a round."""

    write_back_id: str
    facts: TicketFacts
    state: WriteBack = WriteBack.DUE
    reason: str = ""  # of a skip
    noticed: bool = False  # an answer in the helpdesk was taken for it


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundIssue:
    news: NewsLine
    rows: tuple[Row, ...]
    owner: str = ""  # set for those who only follow: the agent who writes back


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Everything that one release, deployment or decline makes due for one agent."""

    issues: tuple[RoundIssue, ...]
    id: str = ""


def round_(say: Say, data: Round) -> Post:
    """The one message of a round: those still due first, with words and buttons; many of them take one row each."""
    alone = len(_all_news(data)) == 1
    due = sum(row.state is WriteBack.DUE for issue in data.issues for row in issue.rows)
    blocks: list[Block] = [header(_title(say, data))]
    text = [_title(say, data)]
    left = 0
    for issue in data.issues:
        news = _news_lines(say, issue, alone)
        text += [plain(line) for line in news] + ([words(issue.news.reason, 400)] if issue.news.reason else [])
        text += [_row_text(say, row) for row in issue.rows]
        start = [lines(*news, quote=words(issue.news.reason, 800))]
        if issue.news.answer_id:
            start.append(actions(button(say("Answer"), "answer", issue.news.answer_id, style="primary")))
        if not _room(blocks, start):
            left += len(issue.rows)
            continue
        blocks += start
        left += _customers(say, issue, blocks, due)
    return post("\n".join(text), blocks + _end(say, data, due, left))


def uncertain(say: Say, row: Row, issue: IssueName) -> Post:
    """The helpdesk did not answer clearly: the agent looks, and says which it was."""
    sentence = say.pieces(
        "The helpdesk did not answer clearly, so your reply to {name} on {ticket} about {issue} may or may not have "
        "gone out.",
        name=_name(say, row.facts),
        ticket=ticket_link(say, row.facts.ticket),
        issue=issue.link,
    )
    step = say("Look at the ticket. If the reply is there, mark it written; if not, write back again.")
    buttons = unclear_buttons(say, row.write_back_id)
    return post(plain(sentence) + "\n" + step, [lines(sentence, [step]), actions(*buttons)])


def unclear_buttons(say: Say, write_back_id: str) -> list[Block]:
    """Of a reply that may or may not have gone out."""
    return [
        button(say("It is there"), "mark_written", write_back_id, style="primary"),
        button(say("Write back again"), "write_back", write_back_id),
        button(say("Skip"), "skip", write_back_id),
    ]


def refused(say: Say, row: Row, why: str, reply: str) -> Post:
    """The helpdesk did not take the reply: why, and the agent's own words kept for copying."""
    sentence = say.pieces(
        "Your reply to {name} on {ticket} was not sent: {reason}",
        name=_name(say, row.facts),
        ticket=ticket_link(say, row.facts.ticket),
        reason=one_line(why, 500),
    )
    kept = [say("Your words are kept here:")] if reply.strip() else []
    blocks = [lines(sentence, kept, quote=words(reply))]
    blocks.append(actions(button(say("Write back"), "write_back", row.write_back_id, style="primary")))
    return post(plain(sentence) + "\n" + words(reply, 1_200), blocks)


def delayed(say: Say, row: Row, why: str) -> Post:
    """The reply waits for the helpdesk: why, a clause, and that nothing is asked of the agent."""
    sentence = say.pieces(
        "Your reply to {name} on {ticket} is still on its way: {reason}",
        name=_name(say, row.facts),
        ticket=ticket_link(say, row.facts.ticket),
        reason=one_line(why, 500),
    )
    step = say("I keep trying, and it will not go out twice. You hear from me again only if it cannot be sent.")
    return post(plain(sentence) + "\n" + step, [lines(sentence, [step])])


def _title(say: Say, data: Round) -> str:
    items = _all_news(data)
    if len(items) == 1:
        return headline(say, items[0])
    versions = {item.proof.version for item in items}
    n = len(items)
    if versions != {""} and len(versions) == 1 and all(item.news is News.SHIPPED for item in items):
        version = one_line(versions.pop(), 60)
        return say.many("{n} fix in {version}", "{n} fixes in {version}", n, version=version)
    places = {tuple(place.name for place in item.proof.places) for item in items}
    if len(places) == 1 and places != {()} and all(item.news is News.SHIPPED for item in items):
        names = say.listed([one_line(name, 60) for name in places.pop()])
        return say.many("{n} fix live on {environments}", "{n} fixes live on {environments}", n, environments=names)
    if all(item.news is News.ROLLED_BACK for item in items):
        return say.many("{n} fix is out no more", "{n} fixes are out no more", n)
    return say.many("News about {n} issue", "News about {n} issues", n)


def _all_news(data: Round) -> list[NewsLine]:
    """Each piece of news once: an agent's own customers and those they follow may wait for the same one."""
    return list(dict.fromkeys(issue.news for issue in data.issues))


def _news_lines(say: Say, issue: RoundIssue, alone: bool) -> list[list[Piece]]:
    rows: list[list[Piece]] = [] if alone else [[Bold(headline(say, issue.news))]]
    rows.append([issue.news.issue.link])
    proof = proof_line(say, issue.news.proof)
    if proof:
        rows[-1] += [" · ", *proof]
    if issue.news.by and issue.news.news is News.QUESTION:
        name = one_line(issue.news.by, 80)
        rows.append([say("{name} asks. Answer if you know it, or ask your customer first:", name=name)])
    elif issue.news.by:
        rows.append([say("{name} says:", name=one_line(issue.news.by, 80))])
    if issue.news.note:
        rows.append([say("What was mended: {note}", note=one_line(issue.news.note, 500))])
    if issue.news.news is News.ROLLED_BACK:
        rows.append(
            [
                say.many(
                    "This customer was told that it is out, and should hear what has changed.",
                    "These customers were told that it is out, and should hear what has changed.",
                    len(issue.rows),
                ),
                " ",
                say("I tell you when it is out again."),
            ]
        )
    if issue.owner:
        rows.append([say("{agent} writes back; you follow.", agent=one_line(issue.owner, 80))])
    return rows


def _customers(say: Say, issue: RoundIssue, blocks: list[Block], due: int) -> int:
    """Append an issue's customers while there is room, those due first; returns how many are left out."""
    rows = sorted(issue.rows, key=lambda row: _OPEN.index(row.state) if row.state in _OPEN else len(_OPEN))
    for index, row in enumerate(rows):
        full = row.state in _OPEN and due <= _FULL_ROWS
        shapes = [_full(say, issue, row, 600 if due <= 3 else 240)] if full else []
        shape = next((shape for shape in [*shapes, [_compact(say, issue, row)]] if _room(blocks, shape)), None)
        if shape is None:
            return len(rows) - index
        blocks += shape
    return 0


def _room(blocks: list[Block], more: list[Block]) -> bool:
    together = [*blocks, *more]
    return len(together) < MESSAGE_BLOCKS and size(together) < MESSAGE_SIZE - _ROOM_AT_END


def _full(say: Say, issue: RoundIssue, row: Row, limit: int) -> list[Block]:
    customer = lines(customer_line(say, row), [state_words(say, row)], quote=excerpt(row.facts.words, limit))
    if issue.owner:
        return [customer]
    if row.state is WriteBack.UNCERTAIN:
        buttons = [*unclear_buttons(say, row.write_back_id), button(say("Hand over"), "hand_over", row.write_back_id)]
        return [customer, actions(*buttons)]
    return [customer, write_back_buttons(say, row.write_back_id)]


def _compact(say: Say, issue: RoundIssue, row: Row) -> Block:
    more = state_words(say, row) or one_line(row.facts.words, 60)
    can_write = row.state in _OPEN and not issue.owner
    act = button(say("Write back"), "write_back", row.write_back_id) if can_write else None
    if row.noticed and row.state is WriteBack.WRITTEN and not issue.owner:
        act = button(say("Not about this"), "unmark", row.write_back_id)
    return one_row([*customer_line(say, row), *(["\n", more] if more else [])], act)


def _end(say: Say, data: Round, due: int, left: int) -> list[Block]:
    """How to see those who are left out, and to write to several at once."""
    own = [row for issue in data.issues if not issue.owner for row in issue.rows]
    buttons = []
    if left or (due > _FULL_ROWS and own):
        n = sum(len(issue.rows) for issue in data.issues)
        buttons.append(button(say.many("See {n} customer", "See all {n} customers", n), "crowd", data.id))
    if max((_due(issue) for issue in data.issues if not issue.owner), default=0) > 1:
        buttons.append(button(say("Write to several…"), "write_many", data.id))
    return [actions(*buttons)] if buttons and data.id else []


def _due(issue: RoundIssue) -> int:
    return sum(row.state is WriteBack.DUE for row in issue.rows)


def customer_line(say: Say, row: Row) -> list[Piece]:
    line: list[Piece] = [Bold(_name(say, row.facts)), " · ", ticket_link(say, row.facts.ticket)]
    if row.facts.language:
        line.append(f" · {one_line(say.language(row.facts.language), 40)}")
    if row.facts.waited is not None:
        line += [" · ", say("waited {duration}", duration=say.ago(row.facts.waited))]
    return line


def _name(say: Say, facts: TicketFacts) -> str:
    return one_line(facts.customer, 60) or say("the customer")


def state_words(say: Say, row: Row) -> str:
    match row.state:
        case WriteBack.DUE:
            return ""
        case WriteBack.HELD:
            return say("On hold: the news no longer holds. Nothing to write now; I tell you when it does again.")
        case WriteBack.SENDING:
            return say("Your reply is being sent.")
        case WriteBack.WRITTEN if row.noticed:
            return say("✓ Written, as I saw in the helpdesk.")
        case WriteBack.WRITTEN:
            return say("✓ Written.")
        case WriteBack.UNCERTAIN:
            return say("May or may not have gone out: look at the ticket.")
        case WriteBack.SKIPPED if row.reason == ANSWERED:
            return say("The question is answered.")
        case WriteBack.SKIPPED if row.reason == SUPERSEDED:
            return say("Taken over by newer news.")
        case WriteBack.SKIPPED if row.reason == MERGED:
            return say("Merged into another ticket, which is answered.")
        case WriteBack.SKIPPED if row.reason == TAKEN_OFF:
            return say("Taken off the issue.")
        case WriteBack.SKIPPED if row.reason:
            return say("Skipped: {reason}", reason=one_line(row.reason, 200))
        case WriteBack.SKIPPED:
            return say("Skipped.")


def _row_text(say: Say, row: Row) -> str:
    state = state_words(say, row)
    return plain(customer_line(say, row)) + (f" · {state}" if state else "")
