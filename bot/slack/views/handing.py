"""Handing over: the page, the offer in the channel, and what the new agent hears. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bot.slack.views.facts import TicketFacts, about
from bot.slack.views.modal import View, labelled, modal
from bot.slack.views.parts import (
    IssueName,
    Piece,
    Post,
    TicketName,
    actions,
    bullets,
    button,
    lines,
    one_line,
    plain,
    post,
    ticket_link,
)
from bot.texts import Say

LISTED = 10
"""How many customers the channel reads; the button takes them all."""


def hand_over(say: Say, write_back_id: str, facts: TicketFacts) -> View:
    """Asks who writes back to this customer."""
    select = {"type": "users_select", "action_id": "to"}
    field = labelled(say("Who writes back"), "to", select, optional=True)
    hint = say("Leave it empty, and the channel is asked who takes it.")
    return modal(
        say, "hand_over", say("Hand over"), write_back_id, [lines(*about(say, facts)), field, lines([hint])],
        submit=say("Hand over"),
    )  # fmt: skip


def offer(
    say: Say,
    agent: str,
    by: str,
    customers: Sequence[tuple[TicketName, IssueName]],
    whose: str,
    escalations: Sequence[str],
) -> Post:
    """To the channel: somebody else has to write to these customers of `agent`, whose id is `whose`. It names no
    customer."""
    n = len(customers)
    name = one_line(agent, 80)
    if by:
        first = say.many(
            "{by} asks who writes to {n} customer of {agent}.", "{by} asks who writes to {n} customers of {agent}.", n,
            by=one_line(by, 80), agent=name,
        )  # fmt: skip
    else:
        first = say.many(
            "{agent} cannot write back now, and {n} customer waits for an answer.",
            "{agent} cannot write back now, and {n} customers wait for an answer.",
            n,
            agent=name,
        )
    rows = [[ticket_link(say, ticket), " · ", *_issue(issue)] for ticket, issue in customers[:LISTED]]
    if n > LISTED:
        rows.append([say.many("And {n} more.", "And {n} more.", n - LISTED)])
    taken = f"{whose}:{','.join(escalations)}"
    take = button(say.many("I take it", "I take them", n), "take_over", taken, style="primary")
    return post("\n".join([first, *map(plain, rows)]), [lines([first]), bullets(rows), actions(take)])


def unoffered(say: Say, offer: Post) -> Post:
    """To a lead: an offer that the channel could not be given."""
    first = say("I could not ask this in its channel, so I ask you.")
    return post(f"{first}\n{offer.text}", [lines([first]), *offer.blocks])


def taken(say: Say, who: str, n: int) -> Post:
    """What the channel reads once somebody took them."""
    name = one_line(who, 80)
    text = say.many("{name} writes to {n} customer.", "{name} writes to {n} customers.", n, name=name)
    return post(text, [lines([text])])


def handed_over(say: Say, ticket: TicketName, issue: IssueName, before: str, by: str, *, due: bool) -> Post:
    """To the new agent: this customer is theirs now."""
    name = one_line(before, 80)
    first = say.pieces("{ticket} is yours now; {name} had it.", ticket=ticket_link(say, ticket), name=name)
    if by and by != before:
        first = say.pieces(
            "{ticket} is yours now, {by} says; {name} had it.",
            ticket=ticket_link(say, ticket),
            by=one_line(by, 80),
            name=name,
        )
    then = say("You hear the news of it from now on.")
    if due:
        then = say("The customer waits for an answer: it stands in my message about the news.")
    return post("\n".join([plain(first), plain(_issue(issue)), then]), [lines(first, _issue(issue), [then])])


def _issue(issue: IssueName) -> list[Piece]:
    return [issue.link, f" {one_line(issue.title, 100)}"]
