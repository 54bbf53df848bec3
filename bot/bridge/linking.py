"""`/bug link` and `/bug unlink`: from what a person typed to a ticket and an issue that the store knows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.bridge import drafts, flag
from bot.bridge.core import Bridge
from bot.model import UserError
from bot.store import links, queries
from bot.store.tables import Draft, Escalation, Issue

_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Linked:
    """A ticket on an issue. `follows`: a colleague had brought it there; `already`: oneself had."""

    escalation: Escalation
    follows: bool
    already: bool
    others: tuple[Escalation, ...]  # on which other issues the ticket waits


def link(bridge: Bridge, person: str, ticket: str, issue: str) -> Linked:
    """Attach a ticket to an issue that is known here. Whoever may flag may do so: who asks has checked. Raises
    UserError."""
    helpdesk, number = _ticket(bridge, ticket)
    chosen = _issue(bridge, issue)
    with bridge.store.write() as session:
        known = queries.escalation_of(session, helpdesk, number, chosen.id)
        draft = Draft(
            person=person,
            reference=ticket,
            helpdesk=helpdesk,
            number=number,
            ticket=None,
            allowed=True,
            created_at=bridge.clock.now(),
        )
        session.add(draft)
    made = flag.submit(bridge, draft.id, flag.Fields(ticket=ticket, similar=chosen.id), told=True)
    with bridge.store.read() as session:
        escalation = session.get_one(Escalation, made.id)
        others = [one for one in queries.carried(session, helpdesk, number) if one.id != escalation.id]
        for one in [escalation, *others]:
            _ = one.issue, one.ticket
    own = escalation.agent == person
    return Linked(escalation, known is not None and not own, known is not None and own, tuple(others))


def linked(bridge: Bridge, ticket: str, issue: str = "") -> str:
    """The id of the escalation of this ticket: the one to `issue`, or the only one there is. Raises UserError."""
    helpdesk, number = _ticket(bridge, ticket)
    with bridge.store.read() as session:
        row = queries.ticket(session, helpdesk, number)
        found = [one for one in queries.on_ticket(session, row.id) if one.issue.joined is None] if row else []
        found.sort(key=lambda one: (one.issue.repository, one.issue.number or 0))
        labels = {one.id: name(one.issue) for one in found}
    if issue:
        wanted = _issue(bridge, issue)
        found = [one for one in found if one.issue_id == wanted.id]
    if not found:
        raise UserError("Ticket {number} waits on no such issue here. See /bug mine.", number=number)
    if len(found) > 1:
        raise UserError(
            "Ticket {number} is on several issues: {issues}. Say which: /bug unlink {number} {example}",
            number=number,
            issues=", ".join(labels.values()),
            example=labels[found[0].id],
        )
    return found[0].id


def name(issue: Issue) -> str:
    """An issue as people type it."""
    return f"{issue.repository}#{issue.number}" if issue.number is not None else issue.title


def _ticket(bridge: Bridge, reference: str) -> tuple[str, str]:
    for helpdesk, one in bridge.helpdesks.items():
        number = one.number_in(reference)
        if number is not None:
            return helpdesk, drafts.known_as(bridge, helpdesk, number)
    raise UserError(
        "{reference} is no ticket that a helpdesk here knows. Name it by its number or its address.",
        reference=reference[:100],
    )


def _issue(bridge: Bridge, reference: str) -> Issue:
    """The one issue that is meant, or the one that took its place."""
    with bridge.store.read() as session:
        if "://" in reference:
            found: Sequence[Issue] = links.issues_by_address(session, reference.strip("<>").split("|")[0])
        else:
            repository, _, number = reference.rpartition("#")
            known = _NUMBER.fullmatch(number)
            found = links.issues_by_number(session, int(number), repository) if known else []
        chosen = {links.successor(session, one).id: links.successor(session, one) for one in found}
    if not chosen:
        raise UserError(
            "No issue {reference} is known here. Name one that somebody flagged, such as acme/shop#12, or its address.",
            reference=reference[:100],
        )
    if len(chosen) > 1:
        raise UserError(
            "{reference} can mean several issues: {issues}. Write one of them in full.",
            reference=reference[:100],
            issues=", ".join(name(one) for one in chosen.values()),
        )
    return next(iter(chosen.values()))
