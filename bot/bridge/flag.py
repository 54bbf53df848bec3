"""Flagging: from what a person typed to exactly one escalation, filed, attached or joined."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from bot import privacy, similar
from bot.bridge import news
from bot.bridge.core import Bridge
from bot.configuration import Project
from bot.model import Kind, Severity, Stage, UserError
from bot.store import queries
from bot.store.tables import Draft, Escalation, Follower, Issue, Ticket
from integrations.base import Helpdesk, NotFound, Rejected, ServiceError, Unauthorised
from integrations.base import Ticket as HelpdeskTicket

TITLE_LIMIT = 150
"""Characters. GitHub takes 256; beyond 150 nobody reads it, and Slack's own lists cut it."""

WORDS_LIMIT = 20_000
"""Characters of a customer's words that are kept: what a person can read of a conversation."""

_ADDRESS = re.compile(r"<?(https?://[^\s|<>]+)")


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


@dataclass(frozen=True, slots=True)
class Fields:
    """What the person typed; empty where they left it."""

    ticket: str = ""
    title: str = ""
    summary: str = ""
    kind: str = ""
    severity: str = ""
    project: str = ""
    similar: str = ""
    words: str = ""
    customer: str = ""
    again: bool = False


class FieldError(UserError):
    """A field that cannot stay as it is: `field` is its name."""

    def __init__(self, field: str, message: str, **names: object) -> None:
        super().__init__(message, **names)
        self.field = field


def start(
    bridge: Bridge,
    person: str,
    *,
    channel: str = "",
    thread_ts: str = "",
    reference: str = "",
    typed: Mapping[str, Any] | None = None,
) -> Draft:
    """Remember what the person is about to flag."""
    draft = Draft(
        person=person,
        channel=channel,
        thread_ts=thread_ts,
        reference=reference,
        typed=dict(typed or {}),
        ticket=None,
        allowed=None,
        created_at=bridge.clock.now(),
    )
    with bridge.store.write() as session:
        session.add(draft)
    return draft


def name_ticket(bridge: Bridge, draft_id: str, reference: str, typed: Mapping[str, Any]) -> str:
    """The person named another ticket in the modal, or for the first time; without a name, the same one is looked up
    again. Returns the reference."""
    with bridge.store.write() as session:
        draft = session.get_one(Draft, draft_id)
        kept = {name: value for name, value in draft.typed.items() if name != "message" or "summary" not in typed}
        draft.reference, draft.typed = reference.strip() or draft.reference, {**kept, **typed}
        draft.helpdesk, draft.number, draft.ticket = "", "", None
        return draft.reference


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
    named = _named(bridge, reference)
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
    return (helpdesk, number, as_columns(ticket)), ""


def _named(bridge: Bridge, reference: str) -> tuple[str, str] | None:
    """Which helpdesk and number the person means."""
    for name, helpdesk in bridge.helpdesks.items():
        number = helpdesk.number_in(reference) if reference else None
        if number is not None:
            return name, number
    return None


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


def submit(bridge: Bridge, draft_id: str, fields: Fields) -> Escalation:
    """Make the escalation that the draft stands for: a new issue, one more customer on a known issue, or following
    what a colleague already carried. Pressing submit twice makes one. Raises FieldError, UserError."""
    with bridge.store.write() as session:
        draft = session.get(Draft, draft_id, with_for_update=True)
        if draft is None:
            raise UserError("This form is too old. Close it and flag the ticket again; nothing was filed.")
        if draft.escalation_id is not None:
            return session.get_one(Escalation, draft.escalation_id)
        if draft.allowed is not True:
            raise UserError("Slack does not let you flag tickets here. Ask your lead to add you.")
        escalation = _joined(bridge, session, draft, fields) or _made(bridge, session, draft, fields)
        draft.escalation_id = escalation.id
        return escalation


def _joined(bridge: Bridge, session: Session, draft: Draft, fields: Fields) -> Escalation | None:
    """The ticket is carried already, and nobody asked for a second issue."""
    if fields.similar:
        chosen = queries.escalation_of(session, draft.helpdesk, draft.number, fields.similar)
    else:
        chosen = None if fields.again else next(iter(carried_by(session, draft.helpdesk, draft.number)), None)
    return _follow(bridge, session, draft, chosen) if chosen else None


def _follow(bridge: Bridge, session: Session, draft: Draft, escalation: Escalation) -> Escalation:
    if escalation.agent != draft.person and session.get(Follower, (escalation.id, draft.person)) is None:
        session.add(Follower(escalation_id=escalation.id, person=draft.person, since=bridge.clock.now()))
        session.flush()
        bridge.record(session, "followed", escalation=escalation, by=draft.person)
        bridge.notify(
            session,
            "follower",
            f"follower:{escalation.id}:{draft.person}",
            escalation.agent,
            escalation=escalation.id,
            by=draft.person,
        )
        news.owe_standing(bridge, session, escalation)
        bridge.keep_current(session, escalation.issue)
    bridge.notify(session, "joined", f"joined:{draft.id}", draft.person, escalation=escalation.id)
    return escalation


def _made(bridge: Bridge, session: Session, draft: Draft, fields: Fields) -> Escalation:
    known = session.get(Issue, fields.similar, with_for_update=True) if fields.similar else None
    if fields.similar and known is None:
        raise FieldError("similar", "That issue is not known here any more. Choose another, or leave this empty.")
    title = _title(fields.title, known)
    ticket = _ticket(bridge, session, draft, fields)
    if draft.number and not draft.ticket:
        bridge.refresh(session, "facts", f"facts:{ticket.id}", f"facts:{ticket.id}", ticket=ticket.id)
    issue = known or _issue(bridge, session, fields, title)
    escalation = Escalation(
        ticket=ticket,
        issue=issue,
        agent=draft.person,
        title=title,
        summary=fields.summary.strip(),
        flagged_at=bridge.clock.now(),
    )
    session.add(escalation)
    session.flush()
    bridge.record(session, "attached" if known else "flagged", escalation=escalation, by=draft.person)
    if known is None:
        bridge.promise(
            session, "issue", f"issue:{issue.id}", f"issue:{issue.id}", lane=bridge.lane(issue), issue=issue.id
        )
    else:
        bridge.announce(session, escalation)
        news.owe_standing(bridge, session, escalation)
    bridge.keep_current(session, issue)
    return escalation


def _title(typed: str, known: Issue | None) -> str:
    title = " ".join(typed.split())
    if not title and known is not None:
        return known.title
    if not title:
        raise FieldError("title", "Say in one line what goes wrong.")
    if len(title) > TITLE_LIMIT:
        raise FieldError(
            "title",
            "This title has {n} characters; {limit} fit. Put the rest into “What goes wrong”.",
            n=len(title),
            limit=TITLE_LIMIT,
        )
    return title


def _ticket(bridge: Bridge, session: Session, draft: Draft, fields: Fields) -> Ticket:
    """The ticket's row, with what the helpdesk said of it or, failing that, what the person pasted."""
    known = queries.ticket(session, draft.helpdesk, draft.number) if draft.number else None
    columns: dict[str, Any] = dict(draft.ticket or {})
    since = columns.pop("waiting_since", None)
    if not columns and (known is None or not known.words):
        columns = _pasted(draft, fields)
    if not draft.number and not columns.get("words"):
        raise FieldError("words", "Paste what the customer wrote, so that the Support Dev can understand it.")
    if known is not None:
        for name, value in columns.items():
            setattr(known, name, value)
        return known
    ticket = Ticket(
        helpdesk=draft.helpdesk or None,
        number=draft.number or None,
        waiting_since=datetime.fromisoformat(since) if since else bridge.clock.now(),
        **columns,
    )
    session.add(ticket)
    session.flush()
    return ticket


def learn(bridge: Bridge, session: Session, ticket_id: str, columns: Mapping[str, Any]) -> None:
    """The helpdesk tells late what it could not tell when the ticket was flagged."""
    ticket = session.get_one(Ticket, ticket_id)
    for name, value in columns.items():
        setattr(ticket, name, datetime.fromisoformat(value) if name == "waiting_since" else value)
    for escalation in queries.on_ticket(session, ticket_id):
        bridge.keep_current(session, escalation.issue)


def _pasted(draft: Draft, fields: Fields) -> dict[str, Any]:
    """A ticket's columns from what the person typed; the address they named it by is its link."""
    address = _ADDRESS.match((fields.ticket or draft.reference).strip())
    customer = fields.customer.strip()
    return {
        "url": privacy.bare_address(address[1]) if address else "",
        "words": fields.words.strip()[:WORDS_LIMIT],
        "customer_name": "" if "@" in customer else customer,
        "customer_email": customer if "@" in customer else "",
    }


def _issue(bridge: Bridge, session: Session, fields: Fields, title: str) -> Issue:
    projects = bridge.settings.projects
    project = bridge.project(fields.project) if fields.project else projects[0]
    now = bridge.clock.now()
    issue = Issue(
        project=project.key,
        tracker=project.tracker,
        repository=project.repository,
        number=None,
        title=title,
        kind=Kind(fields.kind or Kind.BUG),
        severity=Severity(fields.severity or Severity.NORMAL),
        stage=Stage.FILING,
        stage_since=now,
        created_at=now,
        heard_until=None,
        channel=project.channel or bridge.settings.slack.channel,
        support_dev=project.support_devs[0].slack if project.support_devs else "",
    )
    session.add(issue)
    session.flush()
    return issue


def suggest(bridge: Bridge, typed: str) -> list[Issue]:
    """The stored issues that a typed word may mean, best first: for the modal's select, from our own store."""
    with bridge.store.read() as session:
        recent = queries.filed(session)
    by_id = {issue.id: issue for issue in recent}
    candidates = [
        similar.Candidate(
            issue.id,
            str(issue.number or ""),
            issue.title,
            issue.stage not in (Stage.SHIPPED, Stage.DECLINED),
            issue.stage_since,
        )
        for issue in recent
    ]
    return [by_id[one.id] for one in similar.rank(typed, candidates, bridge.clock.now())]
