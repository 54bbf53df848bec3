"""The draft: who is about to flag which ticket, and what the helpdesk says of it, before anything is filed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from bot.bridge.core import Bridge
from bot.configuration import Project
from bot.model import UserError
from bot.store import drafts as store, queries
from bot.store.tables import Draft, Escalation
from integrations.base import Helpdesk, NotFound, Rejected, ServiceError, Ticket as HelpdeskTicket, Unauthorised

WORDS_LIMIT = 20_000
"""Characters of a customer's words that are kept: what a person can read of a conversation."""

_MAIL = re.compile(r"[^\s@<>|,;/]+@[^\s@<>|,;/]+[.][^\s@<>|,;/]+")

KEPT = timedelta(days=1)
"""For how long somebody can go on with what they wrote and did not file."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What the modal can show. `problem` is a word of ours: "" | "unknown" | "forbidden" | "down" | "no_ticket"."""

    draft: Draft
    refused: bool
    problem: str
    helpdesk: str
    carried: tuple[Escalation, ...]
    settled: Escalation | None  # the newest whose issue is shipped or declined
    projects: tuple[Project, ...]
    public: frozenset[str]  # the keys of those whose repository everybody can read
    unseen: frozenset[str]  # and of those of which the tracker does not tell


def start(
    bridge: Bridge,
    person: str,
    *,
    channel: str = "",
    thread_ts: str = "",
    reference: str = "",
    typed: Mapping[str, Any] | None = None,
) -> Draft:
    """Remember what the person is about to flag. Where they began to write about that same ticket within a day, they
    go on with it; without helpdesks, with whatever they wrote last."""
    given, now = {name: value for name, value in (typed or {}).items() if value}, bridge.clock.now()
    ticket = _named(bridge, reference)
    with bridge.store.write() as session:
        known = None
        if "message" not in given and (ticket or not (bridge.helpdesks or given)):
            known = store.left(session, person, now - KEPT, ticket)
        if known is not None:
            known.typed, known.created_at = {**known.typed, **given}, now
            return known
        made = _draft(person, channel, thread_ts, reference, given, now)
        session.add(made)
    return made


def once(
    bridge: Bridge, key: str, person: str, *, channel: str = "", thread_ts: str = "", typed: Mapping[str, Any]
) -> Draft | None:
    """The draft that an event asks for, whose key tells it from all others; None when it was asked for before."""
    made = _draft(person, channel, thread_ts, "", dict(typed), bridge.clock.now())
    made.key = key
    with bridge.store.write() as session:
        return made if store.add_once(session, made) else None


def _draft(person: str, channel: str, thread_ts: str, reference: str, typed: dict[str, Any], now: datetime) -> Draft:
    return Draft(
        person=person,
        channel=channel,
        thread_ts=thread_ts,
        reference=reference,
        typed=typed,
        ticket=None,
        allowed=None,
        created_at=now,
    )


def describe(bridge: Bridge, draft_id: str, reference: str, thread_ts: str, typed: Mapping[str, Any]) -> None:
    """What is known of a message that was not read yet when its draft was made."""
    with bridge.store.write() as session:
        row = session.get_one(Draft, draft_id)
        row.reference, row.thread_ts, row.typed = reference, thread_ts, {**row.typed, **typed}


def keep(bridge: Bridge, draft_id: str, person: str, typed: Mapping[str, Any]) -> None:
    """Remember what the person has typed so far, so that it survives a closed modal; what is filed needs no keeping."""
    with bridge.store.write(wake=False) as session:
        row = session.get(Draft, draft_id, with_for_update=True)
        if row is None or row.person != person or row.escalation_id is not None:
            return
        together = {**_without_message(row.typed, typed), **typed}
        row.typed, row.kept_at = {name: value for name, value in together.items() if value}, bridge.clock.now()


def carry_files(bridge: Bridge, draft_id: str, files: Sequence[Mapping[str, str]]) -> None:
    """Remember the files that a flagged thread has, for the issue to name; none where they may not be named."""
    with bridge.store.write(wake=False) as session:
        row = session.get_one(Draft, draft_id)
        kept = {name: value for name, value in row.typed.items() if name != "files"}
        row.typed = {**kept, "files": [dict(one) for one in files]} if files else kept


def left(bridge: Bridge, person: str) -> Draft | None:
    """What the person began to write within a day and did not file, the newest."""
    with bridge.store.read() as session:
        return store.left(session, person, bridge.clock.now() - KEPT)


def take_up(bridge: Bridge, draft_id: str, person: str) -> Draft:
    """The draft that the person goes on with. Raises UserError when there is nothing to go on with."""
    with bridge.store.write() as session:
        row = session.get(Draft, draft_id)
        if row is None or row.person != person:
            raise UserError("This is too old. Flag the ticket with /bug and its number.")
        if row.escalation_id is not None:
            raise UserError("You have flagged this already. /bug mine shows how it stands.")
        row.created_at = bridge.clock.now()
        return row


def name_ticket(bridge: Bridge, draft_id: str, reference: str, typed: Mapping[str, Any]) -> str:
    """The person named another ticket in the modal, or for the first time; without a name, the same one is looked up
    again. Returns the reference."""
    with bridge.store.write() as session:
        draft = session.get_one(Draft, draft_id)
        draft.typed = {**_without_message(draft.typed, typed), **typed}
        draft.reference = reference.strip() or draft.reference
        draft.helpdesk, draft.number, draft.ticket = "", "", None
        return draft.reference


def _without_message(before: Mapping[str, Any], typed: Mapping[str, Any]) -> dict[str, Any]:
    """What was there before; a summary that the person has in hand holds the flagged message and its thread already."""
    return {name: value for name, value in before.items() if name != "message" or "summary" not in typed}


def draft(bridge: Bridge, draft_id: str) -> Draft:
    """The draft of that id. Raises UserError when it is gone."""
    with bridge.store.read() as session:
        found = session.get(Draft, draft_id)
    if found is None:
        raise UserError("This form is too old. Close it and flag the ticket again; nothing was filed.")
    return found


def fill(bridge: Bridge, draft_id: str) -> Filled:
    """Ask Slack who this is and the helpdesk what the ticket says, and remember both with the draft."""
    before = draft(bridge, draft_id)
    allowed = bridge.may_flag(bridge.look_up(before.person))
    found, problem = _fetch(bridge, before.reference) if allowed else (None, "")
    with bridge.store.write() as session:
        row = session.get_one(Draft, draft_id)
        row.allowed = allowed
        if found is not None:
            row.helpdesk, row.number, row.ticket = found
        carried = carried_by(session, row.helpdesk, row.number)
        settled = _settled(session, row.helpdesk, row.number)
    name = next(iter(bridge.helpdesks), "")
    public, unseen = _visible(bridge) if allowed else (frozenset(), frozenset())
    projects = bridge.settings.projects
    return Filled(row, not allowed, problem, row.helpdesk or name, carried, settled, projects, public, unseen)


def _fetch(bridge: Bridge, reference: str) -> tuple[tuple[str, str, dict[str, Any]] | None, str]:
    named = _named(bridge, reference) or _of_customer(bridge, reference)
    if named is None:
        return None, "unknown" if reference and bridge.helpdesks else "no_ticket"
    helpdesk, number = named
    try:
        ticket = bridge.helpdesks[helpdesk].ticket(number)
    except NotFound:
        return None, "unknown"
    except (Unauthorised, Rejected):
        return (helpdesk, number, {}), "forbidden"
    except ServiceError:
        return (helpdesk, number, {}), "down"
    return (helpdesk, ticket.number, as_columns(ticket)), ""


def _named(bridge: Bridge, reference: str) -> tuple[str, str] | None:
    """Which helpdesk and number the person means."""
    for name, helpdesk in bridge.helpdesks.items():
        number = helpdesk.number_in(reference) if reference else None
        if number is not None:
            return name, number
    return None


def is_mail(reference: str) -> bool:
    """Whether a customer's e-mail address stands in the place of a ticket."""
    return _MAIL.fullmatch(reference.strip()) is not None


def _of_customer(bridge: Bridge, address: str) -> tuple[str, str] | None:
    """The ticket of the customer with that address that moved last, one that is open before those that are done."""
    for name, helpdesk in bridge.helpdesks.items() if is_mail(address) else ():
        with suppress(ServiceError):
            lines = [one for one in helpdesk.tickets_of(address.strip()) if one.status != "spam"]
            if lines:
                return name, min(lines, key=lambda one: one.status in ("solved", "closed")).number
    return None


def known_as(bridge: Bridge, helpdesk: str, number: str) -> str:
    """The number that a ticket is kept under: of one that is not known here the helpdesk is asked, for it may have been
    merged into another, or an address may hold another id. Where the helpdesk cannot tell, it stays as it is."""
    with bridge.store.read() as session:
        if queries.ticket(session, helpdesk, number) is not None:
            return number
    try:
        return bridge.helpdesks[helpdesk].ticket(number).number
    except ServiceError:
        return number


def find_reference(helpdesks: Mapping[str, Helpdesk], text: str) -> str:
    """The first word of a message that names a ticket by its address, or ""."""
    for word in text.replace("|", " ").replace("<", " ").replace(">", " ").split():
        if "/" in word and any(helpdesk.number_in(word) for helpdesk in helpdesks.values()):
            return word
    return ""


def as_columns(ticket: HelpdeskTicket) -> dict[str, Any]:
    """A helpdesk's ticket as the columns of our own: what the customer wrote, and since when they wait."""
    theirs = [message for message in ticket.messages if message.role == "customer"]
    words = "\n\n".join(message.text.strip() for message in theirs if message.text.strip())
    names = [attachment.name for message in theirs for attachment in message.attachments]
    columns: dict[str, Any] = {
        "url": ticket.url,
        "subject": ticket.subject,
        "customer_name": ticket.customer.name,
        "customer_email": ticket.customer.email,
        "organisation": ticket.customer.organisation,
        "plan": ticket.customer.plan,
        "language": ticket.language,
        "words": words[:WORDS_LIMIT],
        "attachments": names[:50],
        "tags": list(ticket.tags)[:50],
        "fields": [[name, value[:200]] for name, value in ticket.fields[:20] if value],
        "assignee": ticket.assignee,
        "status": ticket.status,
        "waiting_since": (theirs[0].at if theirs else ticket.created_at).isoformat(),
    }
    return {name: _storable(value) for name, value in columns.items()}


def _storable(value: Any) -> Any:
    """Text that a database takes: half characters and NULs, which JSON can carry, are shown as what they are."""
    if isinstance(value, list):
        return [_storable(one) for one in value]
    return value.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def _visible(bridge: Bridge) -> tuple[frozenset[str], frozenset[str]]:
    """The projects whose repository everybody can read, and those of which the tracker does not tell now."""
    public, unseen = set(), set()
    for project in bridge.settings.projects:
        try:
            if bridge.trackers[project.tracker].repository(project.repository).public:
                public.add(project.key)
        except ServiceError:
            unseen.add(project.key)
    return frozenset(public), frozenset(unseen)


def carried_by(session: Session, helpdesk: str, number: str) -> tuple[Escalation, ...]:
    """The escalations of this ticket whose issue is not settled, oldest first."""
    found = queries.carried(session, helpdesk, number) if number else ()
    for escalation in found:
        _ = escalation.issue, escalation.ticket
    return tuple(found)


def _settled(session: Session, helpdesk: str, number: str) -> Escalation | None:
    ticket = queries.ticket(session, helpdesk, number) if number else None
    found = queries.on_ticket(session, ticket.id) if ticket else ()
    ended = [one for one in found if one.issue.stage in queries.SETTLED]
    newest = max(ended, key=lambda one: one.flagged_at, default=None)
    if newest:
        _ = newest.issue.news
    return newest
