"""Flagging: from a draft to exactly one escalation, filed, attached or joined."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from bot import privacy, similar
from bot.bridge import duty, known as known_issues, news, taken_off
from bot.bridge.core import Bridge
from bot.bridge.drafts import WORDS_LIMIT, carried_by
from bot.model import Kind, Severity, Stage, UserError
from bot.store import drafts, queries
from bot.store.tables import Draft, Escalation, Follower, Issue, Ticket

TITLE_LIMIT = 150
"""Characters. GitHub takes 256; beyond 150 nobody reads it, and Slack's own lists cut it."""

_ADDRESS = re.compile(r"<?(https?://[^\s|<>]+)")


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


def submit(bridge: Bridge, draft_id: str, fields: Fields, *, told: bool = False) -> Escalation:
    """Make the escalation that the draft stands for: a new issue, one more customer on a known issue, or following
    what a colleague already carried. Pressing submit twice makes one. `told`: the person reads at once what became of
    it, so no message says it again. Raises FieldError, UserError."""
    with bridge.store.write() as session:
        draft = session.get(Draft, draft_id, with_for_update=True)
        if draft is None:
            raise UserError("This form is too old. Close it and flag the ticket again; nothing was filed.")
        if draft.escalation_id is not None:
            return session.get_one(Escalation, draft.escalation_id)
        if draft.allowed is not True:
            raise UserError("Slack does not let you flag tickets here. Ask your lead to add you.")
        known = _chosen(bridge, session, fields)
        escalation = _joined(bridge, session, draft, fields, known, told) or _made(
            bridge, session, draft, fields, known, told
        )
        draft.escalation_id = escalation.id
        drafts.let_go(session, draft)
        return escalation


def _chosen(bridge: Bridge, session: Session, fields: Fields) -> Issue | None:
    """The issue that was chosen in the form, or the one that took its place since. Raises FieldError."""
    if not fields.similar:
        return None
    known = known_issues.chosen(bridge, session, fields.similar, fields.kind, fields.severity)
    while known is not None and known.joined is not None:
        known = session.get(Issue, known.joined, with_for_update=True)
    if known is None:
        raise FieldError("similar", "That issue is not known here any more. Choose another, or leave this empty.")
    return known


def _joined(
    bridge: Bridge, session: Session, draft: Draft, fields: Fields, known: Issue | None, told: bool
) -> Escalation | None:
    """The ticket is carried already, and nobody asked for a second issue."""
    if known is not None:
        chosen = queries.escalation_of(session, draft.helpdesk, draft.number, known.id)
    else:
        chosen = None if fields.again else next(iter(carried_by(session, draft.helpdesk, draft.number)), None)
    return _follow(bridge, session, draft, chosen, told) if chosen else None


def _follow(bridge: Bridge, session: Session, draft: Draft, escalation: Escalation, told: bool) -> Escalation:
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
    if not told:
        bridge.notify(session, "joined", f"joined:{draft.id}", draft.person, escalation=escalation.id)
    return escalation


def _made(
    bridge: Bridge, session: Session, draft: Draft, fields: Fields, known: Issue | None, told: bool
) -> Escalation:
    title = _title(fields.title, known)
    ticket = _ticket(bridge, session, draft, fields)
    if draft.number and not draft.ticket:
        bridge.refresh(session, "facts", f"facts:{ticket.id}", f"facts:{ticket.id}", ticket=ticket.id)
    issue = known or _issue(bridge, session, fields, title)
    summary = fields.summary.strip()
    escalation = taken_off.put_back(session, ticket.id, issue.id, draft.person, title, summary) or Escalation(
        ticket=ticket,
        issue=issue,
        agent=draft.person,
        title=title,
        summary=summary,
        files=list(draft.typed.get("files") or ()),
        flagged_at=bridge.clock.now(),
    )
    session.add(escalation)
    session.flush()
    session.refresh(issue, ["escalations"])
    known_issues.pooled(session, escalation)
    bridge.record(session, "attached" if known else "flagged", escalation=escalation, by=draft.person)
    if known is None:
        bridge.promise(
            session, "issue", f"issue:{issue.id}", f"issue:{issue.id}", lane=bridge.lane(issue), issue=issue.id
        )
    else:
        bridge.announce(session, escalation, told=told)
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


def again(
    bridge: Bridge, session: Session, escalation: Escalation, known: Issue | None, summary: str = ""
) -> Escalation:
    """The same ticket on the issue `known`, or on a new one, for what an older issue did not mend; whoever followed,
    follows."""
    before, ticket, agent, title = escalation.issue, escalation.ticket, escalation.agent, escalation.title
    there = next((one for one in known.escalations if one.ticket_id == ticket.id), None) if known else None
    if there is not None:
        return there
    fields = Fields(project=before.project, kind=before.kind.value, severity=before.severity.value)
    issue = known or _issue(bridge, session, fields, before.title)
    made = taken_off.put_back(session, ticket.id, issue.id, agent, title, summary) or Escalation(
        ticket=ticket,
        issue=issue,
        agent=agent,
        title=title,
        summary=summary,
        files=[],
        flagged_at=bridge.clock.now(),
    )
    session.add(made)
    session.flush()
    for one in escalation.followers:
        if session.get(Follower, (made.id, one.person)) is None:
            session.add(Follower(escalation_id=made.id, person=one.person, since=bridge.clock.now()))
    session.flush()
    session.refresh(issue, ["escalations"])
    session.refresh(made, ["followers"])
    known_issues.pooled(session, made)
    bridge.record(session, "attached" if known else "flagged", escalation=made, by=made.agent)
    if known is None:
        key = f"issue:{issue.id}"
        bridge.promise(session, "issue", key, key, lane=bridge.lane(issue), issue=issue.id)
    else:
        bridge.announce(session, made)
        news.owe_standing(bridge, session, made)
    bridge.keep_current(session, issue)
    return made


def learn(bridge: Bridge, session: Session, ticket_id: str, columns: Mapping[str, Any]) -> None:
    """The helpdesk tells late what it could not tell when the ticket was flagged."""
    ticket = session.get_one(Ticket, ticket_id)
    for name, value in columns.items():
        setattr(ticket, name, datetime.fromisoformat(value) if name == "waiting_since" else value)
    for escalation in queries.on_ticket(session, ticket_id):
        known_issues.pooled(session, escalation)
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
        support_dev=duty.on_duty(bridge, session, project),
    )
    session.add(issue)
    session.flush()
    return issue


def suggest(bridge: Bridge, typed: str) -> list[similar.Candidate]:
    """The stored issues that a typed word may mean, best first: for the modal's select, from our own store."""
    with bridge.store.read() as session:
        rows = queries.candidates(session)
    candidates = [
        similar.Candidate(id, str(number), title, stage not in (Stage.SHIPPED, Stage.DECLINED), since)
        for id, number, title, stage, since in rows
    ]
    return similar.rank(typed, candidates, bridge.clock.now())
