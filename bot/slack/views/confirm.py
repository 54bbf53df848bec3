"""After the write-back: what the customer says then, and what came between. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bot.model import Confirmation
from bot.slack.views.facts import NewsLine, TicketFacts, about, headline
from bot.slack.views.modal import View, modal, typed
from bot.slack.views.parts import (
    Bold,
    Code,
    IssueName,
    Piece,
    Post,
    actions,
    button,
    excerpt,
    lines,
    one_line,
    plain,
    post,
    ticket_link,
    words,
)
from bot.slack.views.reply import Said, since
from bot.texts import Say


def heard(
    say: Say,
    write_back_id: str,
    facts: TicketFacts,
    news: NewsLine,
    answer: str,
    state: Confirmation = Confirmation.ANSWERED,
) -> Post:
    """The customer's next word after the write-back, and the two things it may mean; or which one it did."""
    first = say.pieces(
        "{name} answered on {ticket}, after you wrote that it is out:",
        name=Bold(_name(say, facts)),
        ticket=ticket_link(say, facts.ticket),
    )
    about_what: list[Piece] = [headline(say, news)]
    ask = say("Does it work for them? If they say nothing about it, leave this as it is.")
    buttons = [
        button(say("It works"), "works", write_back_id, style="primary"),
        button(say("Still broken"), "still_broken", write_back_id),
    ]
    if state is Confirmation.WORKS:
        ask, buttons = say("✓ It works for them."), buttons[1:]
    elif state is Confirmation.STILL_BROKEN:
        ask, buttons = say("It is still broken for them. The Support Dev has heard it."), []
    blocks = [
        lines(first, quote=excerpt(answer, 1_500)),
        lines(about_what, [ask]),
        *([actions(*buttons)] if buttons else []),
    ]
    return post("\n".join([plain(first), words(answer, 800), ask]), blocks)


def still_broken(say: Say, write_back_id: str, facts: TicketFacts, news: NewsLine, answer: str) -> View:
    """Asks what is still broken, the customer's own words written in already."""
    blocks = [
        lines([Bold(headline(say, news))]),
        lines(*about(say, facts)),
        typed(
            say("What is still broken"),
            "text",
            long=True,
            initial=answer,
            hint=say(
                "This opens the issue again, with these words as far as the project’s rules let them leave the "
                "helpdesk. Whoever was not written to yet waits."
            ),
        ),
    ]
    return modal(say, "still_broken", say("Still broken"), write_back_id, blocks, submit=say("Open it again"))


def broken(say: Say, issue: IssueName, by: str, waiting: int) -> Post:
    """To the Support Dev: the fix did not help a customer."""
    first = say.pieces(
        "{issue} is still broken for a customer, {name} says. It is open again, with what they wrote.",
        issue=issue.link,
        name=one_line(by, 80),
    )
    row = [one_line(issue.title)]
    left = say.many("{n} customer waits.", "{n} customers wait.", waiting)
    return post("\n".join([plain(first), *row, left]), [lines(first, row, [left])])


def broken_again(say: Say, issue: IssueName, before: IssueName, by: str) -> Post:
    """The same, where the issue could not be opened again."""
    first = say.pieces(
        "{before} is still broken for a customer, {name} says. It cannot be opened again, so there is a new issue that "
        "refers to it: {issue}",
        before=before.link,
        name=one_line(by, 80),
        issue=issue.link,
    )
    return post(plain(first), [lines(first)])


def unopened(say: Say, issue: IssueName, by: str) -> Post:
    """To whoever said so, and the Support Dev: the tracker did not open the issue again."""
    first = say.pieces(
        "{issue} is still broken for a customer, {name} says, but it could not be opened again in the tracker.",
        issue=issue.link,
        name=one_line(by, 80),
    )
    row = [one_line(issue.title)]
    then = say("Open it there. Until then, customers who were not written to yet wait.")
    return post("\n".join([plain(first), *row, then]), [lines(first, row, [then])])


def note_wanted(say: Say, issue_id: str, issue: IssueName, waiting: int, command: str) -> Post:
    """To the Support Dev: what was mended, in words for customers, is missing."""
    first = say.pieces("{issue} is fixed. What was mended, in words for customers?", issue=issue.link)
    row: list[Piece] = [one_line(issue.title)]
    why = say.many(
        "{n} customer hears of it when it is out, from an agent who has only your words to go by.",
        "{n} customers hear of it when it is out, from agents who have only your words to go by.",
        waiting,
    )
    how = say.pieces("A sentence or two will do, here or in the issue with {command}.", command=Code(command))
    buttons = actions(button(say("For customers…"), "note_to_customer", issue_id, style="primary"))
    return post("\n".join([plain(first), plain(row), why, plain(how)]), [lines(first, row, [why, " ", *how]), buttons])


def note_to_customer(say: Say, issue_id: str, issue: IssueName, note: str) -> View:
    """Asks for words for customers."""
    field = typed(
        say("What was mended, in words for customers"),
        "text",
        long=True,
        initial=note,
        hint=say(
            "Agents read it beside their blank page. Say what customers see differently now, without names of code."
        ),
    )
    blocks = [lines(issue_line(issue)), field]
    return modal(say, "note_to_customer", say("For customers"), issue_id, blocks, submit=say("Keep"))


def issue_line(issue: IssueName) -> list[Piece]:
    return [issue.link, f" {one_line(issue.title)}"]


def changed(
    say: Say, write_back_id: str, facts: TicketFacts, said: Sequence[Said], reply: str, *, taken: bool = False
) -> Post:
    """A reply that did not go out, because its agent had not seen what was said before it; their own words are kept.
    `taken`: what was said counts as the answer."""
    first = say.pieces(
        "Your reply to {name} on {ticket} waits: this was said there since you opened the page.",
        name=Bold(_name(say, facts)),
        ticket=ticket_link(say, facts.ticket),
    )
    if taken:
        kept = say("I took that for the answer. If it was about something else, say so, and write back. Your words:")
        buttons = [button(say("Not about this"), "unmark", write_back_id)]
    else:
        kept = say("Your words are kept. Send them as they are, or change them:")
        buttons = [
            button(say("Write back"), "write_back", write_back_id, style="primary"),
            button(say("Already written"), "mark_written", write_back_id),
        ]
    blocks = [lines(first), *since(say, said, heading=False), lines([kept], quote=words(reply)), actions(*buttons)]
    told = [f"{one.who}: {one_line(one.text, 300)}" for one in said]
    return post("\n".join([plain(first), *told, kept, words(reply, 800)]), blocks)


def _name(say: Say, facts: TicketFacts) -> str:
    return one_line(facts.customer, 60) or say("the customer")
