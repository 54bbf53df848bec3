"""The page on which an agent writes back: facts, and a blank page. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bot.slack.views.facts import NewsLine, TicketFacts, about, headline
from bot.slack.views.modal import View, modal, typed
from bot.slack.views.parts import Block, Bold, Piece, excerpt, lines, one_line, proof_line, small, words
from bot.texts import Say


@dataclass(frozen=True, slots=True)
class Said:
    """A public message on a ticket."""

    who: str
    text: str
    customer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteBackForm:
    """What stands beside the blank page: one customer, and one piece of news."""

    facts: TicketFacts
    news: NewsLine
    reply: str = ""  # the agent's own kept words
    promised: date | None = None  # the day that customers may have been told
    said: tuple[Said, ...] = ()  # since the ticket was flagged, oldest first
    follow_up: bool = False  # the ticket is closed: the reply opens a new one


def write_back(say: Say, page: str, form: WriteBackForm) -> View:
    """A blank page beside the facts; the words are the agent's."""
    news: list[list[Piece]] = [[Bold(headline(say, form.news))], proof_line(say, form.news.proof)]
    if form.promised is not None:
        news.append([say("The day that was named: not before {day}.", day=say.day(form.promised))])
    blocks: list[Block] = [lines(*news, quote=words(form.news.reason, 1_000))]
    if form.news.note:
        told = say("What was mended, in the Support Dev’s words:")
        blocks.append(lines([told], quote=words(form.news.note, 1_500)))
    blocks.append(lines(*about(say, form.facts), quote=excerpt(form.facts.words, 1_500)))
    blocks += since(say, form.said)
    blocks.append(typed(say("Your reply"), "reply", long=True, initial=form.reply))
    if form.follow_up:
        blocks.append(small(say("This ticket is closed: your reply opens a follow-up, a new ticket of this customer.")))
    blocks.append(small(_goes_to(say, form.facts)))
    return modal(say, "write_back", say("Write back"), page, blocks, submit=say("Send"))


def since(say: Say, said: Sequence[Said], *, heading: bool = True) -> list[Block]:
    """The conversation since the ticket was flagged: what the agent would say again, or what has changed."""
    blocks = [lines(_by(say, one), quote=excerpt(one.text, 500)) for one in said]
    title = [lines([Bold(say("Said since it was flagged"))])] if blocks and heading else []
    return [*title, *blocks]


def _by(say: Say, one: Said) -> list[Piece]:
    name = one_line(one.who, 60) or (say("the customer") if one.customer else say("support"))
    return [say("{name} wrote:", name=name)]


def _goes_to(say: Say, facts: TicketFacts) -> str:
    number = one_line(facts.ticket.number, 40)
    if not facts.customer:
        return say("This goes out as a public reply on ticket {number}, in your words.", number=number)
    return say(
        "This goes to {name} as a public reply on ticket {number}, in your words.",
        name=one_line(facts.customer, 80),
        number=number,
    )
