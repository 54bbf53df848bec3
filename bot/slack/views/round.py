"""The round: one direct message per agent and cause, a row per customer; and what became of a single write-back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.model import News, WriteBack
from bot.slack.views.facts import NewsLine, TicketFacts, headline
from bot.slack.views.parts import (
    MESSAGE_BLOCKS,
    MESSAGE_SIZE,
    Block,
    Bold,
    IssueName,
    Post,
    actions,
    bullets,
    button,
    excerpt,
    header,
    lines,
    one_line,
    plain,
    post,
    proof_line,
    size,
    small,
    ticket_link,
    words,
)
from bot.texts import Say

_ROOM_FOR_REST = 3_500  # of MESSAGE_SIZE, kept for the customers who get one line each
_ROOM_AT_END = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One customer in a round."""

    write_back_id: str
    facts: TicketFacts
    state: WriteBack = WriteBack.DUE
    reason: str = ""  # of a skip


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundIssue:
    news: NewsLine
    rows: tuple[Row, ...]
    owner: str = ""  # set for those who only follow: the agent who writes back


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Everything that one release, deployment or decline makes due for one agent."""

    issues: tuple[RoundIssue, ...]


def round_(say: Say, data: Round) -> Post:
    """The one message of a round: due customers first, in full as long as there is room, then one line each."""
    blocks: list[Block] = [header(_title(say, data))]
    text = [_title(say, data)]
    rest: list[tuple[RoundIssue, Row]] = []
    for issue in data.issues:
        if len(blocks) > MESSAGE_BLOCKS - 10 or size(blocks) > MESSAGE_SIZE - 2 * _ROOM_FOR_REST:
            rest += [(issue, row) for row in issue.rows]
            continue
        blocks.append(_news(say, issue, alone=len(data.issues) == 1))
        text += _news_text(say, issue, alone=len(data.issues) == 1)
        rest += _full_rows(say, issue, blocks, _words_each(data))
    blocks += _rest(say, rest, MESSAGE_SIZE - size(blocks) - _ROOM_AT_END)
    return post("\n".join(text + [_row_text(say, row) for issue in data.issues for row in issue.rows]), blocks)


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
    buttons = actions(
        button(say("It is there"), "mark_written", row.write_back_id, style="primary"),
        button(say("Write back again"), "write_back", row.write_back_id),
    )
    return post(plain(sentence) + "\n" + step, [lines(sentence, [step]), buttons])


def refused(say: Say, row: Row, why: str, reply: str) -> Post:
    """The helpdesk did not take the reply: why, and the agent's own words kept for copying."""
    sentence = say.pieces(
        "Your reply to {name} on {ticket} was not sent: {reason}",
        name=_name(say, row.facts),
        ticket=ticket_link(say, row.facts.ticket),
        reason=one_line(why, 500),
    )
    kept = say("Your words are kept here:")
    parts = [reply[start : start + 1_400] for start in range(0, min(len(reply), 4_200), 1_400)]
    quotes = [lines(quote=words(part)) for part in parts if words(part)]
    blocks = [lines(sentence, [kept] if quotes else []), *quotes]
    blocks.append(actions(button(say("Write back"), "write_back", row.write_back_id, style="primary")))
    return post(plain(sentence) + "\n" + words(reply, 1_200), blocks)


def _title(say: Say, data: Round) -> str:
    if len(data.issues) == 1:
        return headline(say, data.issues[0].news)
    versions = {issue.news.proof.version for issue in data.issues}
    n = len(data.issues)
    if versions != {""} and len(versions) == 1 and all(issue.news.news is News.SHIPPED for issue in data.issues):
        version = one_line(versions.pop(), 60)
        return say.many("{n} fix in {version}", "{n} fixes in {version}", n, version=version)
    return say.many("News about {n} issue", "News about {n} issues", n)


def _news_lines(say: Say, issue: RoundIssue, alone: bool) -> list[list[object]]:
    rows: list[list[object]] = [] if alone else [[Bold(headline(say, issue.news))]]
    rows.append([issue.news.issue.link])
    proof = proof_line(say, issue.news.proof)
    if proof:
        rows[-1] += [" · ", *proof]
    if issue.owner:
        rows.append([say("{agent} writes back; you follow.", agent=one_line(issue.owner, 80))])
    return rows


def _news(say: Say, issue: RoundIssue, alone: bool) -> Block:
    return lines(*_news_lines(say, issue, alone), quote=words(issue.news.reason, 800))


def _news_text(say: Say, issue: RoundIssue, alone: bool) -> list[str]:
    reason = [words(issue.news.reason, 400)] if issue.news.reason else []
    return [plain(line) for line in _news_lines(say, issue, alone)] + reason


def _words_each(data: Round) -> int:
    """How much of each customer's words there is room for."""
    customers = sum(len(issue.rows) for issue in data.issues)
    return 600 if customers <= 3 else 300 if customers <= 8 else 140


def _full_rows(say: Say, issue: RoundIssue, blocks: list[Block], limit: int) -> list[tuple[RoundIssue, Row]]:
    """Append customers while there is room; return those left over."""
    rows = sorted(issue.rows, key=lambda row: row.state is not WriteBack.DUE)
    for index, row in enumerate(rows):
        full = _customer(say, issue, row, limit)
        room = MESSAGE_SIZE - _ROOM_FOR_REST - _ROOM_AT_END
        if len(blocks) + len(full) > MESSAGE_BLOCKS - 2 or size([*blocks, *full]) > room:
            return [(issue, left) for left in rows[index:]]
        blocks += full
    return []


def _customer(say: Say, issue: RoundIssue, row: Row, limit: int) -> list[Block]:
    rows: list[list[object]] = [_row_line(say, row), [_state(say, row)]]
    blocks = [lines(*rows, quote=excerpt(row.facts.words, limit))]
    if row.state is WriteBack.DUE and not issue.owner:
        blocks.append(_buttons(say, row))
    return blocks


def _buttons(say: Say, row: Row) -> Block:
    return actions(
        button(say("Write back"), "write_back", row.write_back_id, style="primary"),
        button(say("Already written"), "mark_written", row.write_back_id),
        button(say("Skip"), "skip", row.write_back_id),
    )


def _row_line(say: Say, row: Row) -> list[object]:
    line: list[object] = [Bold(_name(say, row.facts)), " · ", ticket_link(say, row.facts.ticket)]
    if row.facts.language:
        line.append(f" · {one_line(say.language(row.facts.language), 40)}")
    if row.facts.waited is not None:
        line += [" · ", say("waited {duration}", duration=say.ago(row.facts.waited))]
    return line


def _name(say: Say, facts: TicketFacts) -> str:
    return one_line(facts.customer, 60) or say("the customer")


def _state(say: Say, row: Row) -> str:
    match row.state:
        case WriteBack.DUE:
            return ""
        case WriteBack.HELD:
            return say("On hold: the news no longer holds.")
        case WriteBack.SENDING:
            return say("Your reply is being sent.")
        case WriteBack.WRITTEN:
            return say("✓ Written.")
        case WriteBack.UNCERTAIN:
            return say("May or may not have gone out: look at the ticket.")
        case WriteBack.SKIPPED if row.reason:
            return say("Skipped: {reason}", reason=one_line(row.reason, 200))
        case WriteBack.SKIPPED:
            return say("Skipped.")


def _rest(say: Say, rest: Sequence[tuple[RoundIssue, Row]], room: int) -> list[Block]:
    """One line for each customer left over, as long as there is room, and where to see the others."""
    if not rest:
        return []
    shown: list[list[object]] = []
    for _, row in rest:
        state = _state(say, row)
        line = [*_row_line(say, row), *([" · ", state] if state else [])]
        if size([bullets([*shown, line])]) > room:
            break
        shown.append(line)
    blocks = [bullets(shown)] if shown else []
    left = len(rest) - len(shown)
    if left:
        more = say.many("And {n} more customer: /bug mine", "And {n} more customers: /bug mine", left)
    else:
        more = say("To write back to these: /bug mine")
    return [*blocks, small(more)]


def _row_text(say: Say, row: Row) -> str:
    state = _state(say, row)
    return plain(_row_line(say, row)) + (f" · {state}" if state else "")
