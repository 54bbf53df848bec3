"""Between the modals and the bridge: what a view shows of the store, and what a submitted view says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from bot import privacy
from bot.bridge import drafts, flag, known, talk
from bot.bridge.core import Bridge
from bot.configuration import Project
from bot.model import WriteBack
from bot.reasons import clause
from bot.slack import shown, views
from bot.slack.people import People
from bot.store import index, queries
from bot.store.tables import Draft, Escalation, Issue, Ticket, WriteBackRow
from bot.texts import Say
from integrations.base import ServiceError

LINK_ALONE = {privacy.Policy.LINK_ONLY, privacy.Policy.PUBLIC}

KEPT = {"title", "summary", "words", "customer", "kind", "severity", "project"}
"""The inputs of the flag modal that survive it."""

OPTIONS = 100
"""As many as Slack takes in one select."""

_NUMBER = re.compile(r"[0-9]{1,9}")


def named(bridge: Bridge, reference: str) -> views.TicketName:
    """The ticket as far as its reference says."""
    for name, helpdesk in bridge.helpdesks.items():
        number = helpdesk.number_in(reference)
        if number is not None:
            return views.TicketName(number=number, helpdesk=name.replace("_", " ").title())
    return views.TicketName()


def is_reference(bridge: Bridge, word: str) -> bool:
    """Whether a word can name a ticket: as a helpdesk reads it, or as a number or an address that none knows."""
    named_here = bool(named(bridge, word).number) or drafts.is_mail(word)
    return not bridge.helpdesks or named_here or "/" in word or word.lstrip("#").isdigit()


def values(view: Mapping[str, Any]) -> dict[str, Any]:
    """What a person typed, by field: text, the chosen option's value, or whether a box is ticked."""
    found: dict[str, Any] = {}
    for block_id, actions in ((view.get("state") or {}).get("values") or {}).items():
        for state in actions.values():
            if state["type"] == "checkboxes":
                found[block_id] = bool(state.get("selected_options"))
            elif "selected_user" in state:
                found[block_id] = state["selected_user"] or ""
            elif "selected_date" in state:
                found[block_id] = state["selected_date"] or ""
            elif "selected_option" in state:
                found[block_id] = (state["selected_option"] or {}).get("value", "")
            else:
                found[block_id] = state.get("value") or ""
    return found


def written(view: Mapping[str, Any]) -> dict[str, Any]:
    """What is worth keeping of a modal that is not submitted: {} while nothing differs from what it came with."""
    found = {name: value for name, value in values(view).items() if isinstance(value, str) and name in KEPT}
    came = {block["block_id"]: _initial(block["element"]) for block in view["blocks"] if block.get("type") == "input"}
    return found if any(value != came.get(name, "") for name, value in found.items()) else {}


def changed(view: Mapping[str, Any]) -> dict[str, Any]:
    """What stands otherwise in a modal than it came: only that was meant by whoever submits it."""
    came = {block["block_id"]: _initial(block["element"]) for block in view["blocks"] if block.get("type") == "input"}
    return {name: value for name, value in values(view).items() if value != came.get(name, "")}


def _initial(element: Mapping[str, Any]) -> str:
    return str(
        element.get("initial_value")
        or element.get("initial_date")
        or (element.get("initial_option") or {}).get("value")
        or ""
    )


def typed(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept while another ticket is looked up."""
    return {name: value for name, value in fields.items() if name != "ticket" and isinstance(value, str) and value}


def shown_field(view: Mapping[str, Any], field: str) -> str:
    """The input under which a sentence about `field` can stand: its own, or the first there is."""
    inputs = [block["block_id"] for block in view["blocks"] if block.get("type") == "input"]
    return field if field in inputs or not inputs else inputs[0]


def wants_look_up(bridge: Bridge, draft_id: str, reference: str) -> bool:
    """Whether something is still to be asked: who this is, or what a ticket says that the draft does not stand for."""
    draft, reference = drafts.draft(bridge, draft_id), reference.strip()
    if draft.allowed is None:
        return True
    if not reference or reference == draft.reference or not bridge.helpdesks:
        return False
    return named(bridge, reference).number != draft.number or not draft.number


def left(bridge: Bridge, draft: Draft) -> views.Left | None:
    """What the draft's person can go on with instead of naming a ticket."""
    found = drafts.left(bridge, draft.person)
    if found is None or found.id == draft.id or draft.typed.get("message"):
        return None
    number = found.number or named(bridge, found.reference).number
    return views.Left(draft_id=found.id, number=number, title=str(found.typed.get("title") or ""))


def flag_form(bridge: Bridge, people: People, draft_id: str) -> views.View:
    """The filled modal, after asking Slack and the helpdesk."""
    try:
        filled = drafts.fill(bridge, draft_id)
    except ServiceError as error:
        with bridge.store.read() as session:
            say = people.say(session, drafts.draft(bridge, draft_id).person)
        sentence = say(
            "Slack does not tell me who you are right now ({why}). Try again in a minute.",
            why=clause(say, error.detail),
        )
        return views.flag_refused(say, sentence, draft_id)
    draft = filled.draft
    policies = _policies(filled)
    kept = bool(filled.unseen or policies & LINK_ALONE)
    given, files = _given(people, draft, link_alone=kept) if not filled.refused else ({}, [])
    drafts.carry_files(bridge, draft_id, files)
    with bridge.store.read() as session:
        say = people.say(session, draft.person)
        if filled.refused:
            return views.flag_refused(
                say, say("Only members of the support team can flag tickets here. Ask your lead to add you.")
            )
        ticket = _as_ticket(draft.ticket, draft.helpdesk, draft.number) if draft.ticket else None
        first = filled.carried[0] if filled.carried else None
        filed = queries.filed(session, most=1) or index.holds(session)
        by = people.name(session, first.agent) if first else ""
    data = views.FlagForm(
        facts=shown.ticket_facts(ticket, bridge.clock.now()) if ticket else None,
        note=_note(say, filled),
        link_only=policies <= LINK_ALONE,
        public=tuple(one.name for one in filled.projects if one.key in filled.public),
        redacted=_preview(ticket, given, _policy(filled, filled.projects[0])),
        already=views.Already(issue=shown.issue_name(first.issue), by=by, own=first.agent == draft.person)
        if first
        else None,
        before=shown.before(filled.settled) if filled.settled and not first else None,
        projects=tuple((one.key, one.name) for one in filled.projects),
        similar=bool(filed) and first is None,
        files=tuple(one["name"] for one in files),
        initial={**given, "ticket": draft.reference},
    )
    view = views.flag_form(say, draft_id, data)
    return views.renewed(view, likely(bridge, draft, say, given)) if first is None else view


def likely(bridge: Bridge, draft: Draft, say: Say, given: Mapping[str, Any]) -> list[views.Block]:
    """What the draft's ticket may be the same as, by what stands in the form and what the customer wrote."""
    ticket = draft.ticket or {}
    title = str(given.get("title") or "") or str(ticket.get("subject") or "")
    parts = [str(given.get("summary") or ""), str(given.get("words") or ""), str(ticket.get("subject") or "")]
    text = "\n\n".join([*parts, str(ticket.get("words") or "")])
    with bridge.store.read() as session:
        found = known.likely(bridge, session, title, text)
        return views.likely(say, [_likely(session, one) for one in found])


def _likely(session: Session, found: index.Found) -> views.Likely:
    ours = session.get(Issue, found.issue_id) if found.issue_id else None
    if ours is None:
        label = f"{found.repository}#{found.number}"
        name = views.IssueName(title=found.title, label=label, url=found.url)
        return views.Likely(reference=known.reference(found), issue=name, open=found.open)
    return views.Likely(
        reference=ours.id,
        issue=shown.issue_name(ours),
        stage=ours.stage,
        waiting=len(shown.waiting(ours)),
        version=shown.version(ours),
    )


def _policy(filled: drafts.Filled, project: Project) -> privacy.Policy:
    return privacy.effective(privacy.Policy(project.privacy), project.key in filled.public)


def _policies(filled: drafts.Filled) -> set[privacy.Policy]:
    return {_policy(filled, project) for project in filled.projects}


def _given(people: People, draft: Draft, *, link_alone: bool) -> tuple[dict[str, str], list[dict[str, str]]]:
    """What the person gave before, and the files that go along by name; a message that they flagged comes with its
    thread and its address. `link_alone`: only with its address, as the issue may go where the link alone goes;
    colleagues did not write it for that."""
    given = {name: value for name, value in draft.typed.items() if isinstance(value, str)}
    files = [] if link_alone else list(draft.typed.get("files") or ())
    message = given.pop("message", "")
    if message and link_alone:
        given["summary"] = people.permalink(draft.channel, message)
    elif message:
        around, files = people.conversation(draft.channel, message, draft.thread_ts or message)
        given["summary"] = f"{people.in_words(given.get('summary', ''))}\n\n{around}".strip()
    return given, files


def _as_ticket(columns: Mapping[str, Any], helpdesk: str, number: str) -> Ticket:
    since = datetime.fromisoformat(columns["waiting_since"])
    return Ticket(**{**columns, "waiting_since": since, "helpdesk": helpdesk, "number": number})


def _note(say: Say, filled: drafts.Filled) -> str:
    helpdesk = filled.helpdesk.replace("_", " ").title()
    if filled.problem == "down":
        return say(
            "{helpdesk} does not answer. Paste what the customer wrote; the ticket is linked all the same.",
            helpdesk=helpdesk,
        )
    if filled.problem == "unknown":
        return say(
            "{helpdesk} has no such ticket. Correct the number, or paste what the customer wrote.", helpdesk=helpdesk
        )
    if filled.problem == "forbidden":
        return say("{helpdesk} does not let me read this ticket. Paste what the customer wrote.", helpdesk=helpdesk)
    return ""


def _preview(ticket: Ticket | None, given: Mapping[str, str], policy: privacy.Policy) -> dict[str, int]:
    """What will be left out, by kind, so that the agent knows before anything is sent."""
    texts = [given.get("title", ""), given.get("summary", "")]
    names = [ticket.customer_name, ticket.customer_email] if ticket else []
    if ticket and policy not in LINK_ALONE:
        texts += [ticket.subject, ticket.words]
    everything = "\n".join(texts)
    if policy is privacy.Policy.FULL:
        return privacy.without_secrets(everything).counts
    return privacy.redact(everything, names).counts


def similar(bridge: Bridge, typed_text: str) -> list[dict[str, Any]]:
    """The options of the modal's select."""
    found = [(issue.id, issue.number, issue.title) for issue in flag.suggest(bridge, typed_text)]
    if typed_text.strip():
        with bridge.store.read() as session:
            more = known.likely(bridge, session, typed_text, "")
        found = found[: OPTIONS - len(more)]
        found += [(known.reference(one), str(one.number), one.title) for one in more if one.issue_id is None]
    return [{"text": {"type": "plain_text", "text": _label(number, title)}, "value": id} for id, number, title in found]


def _label(number: str, title: str) -> str:
    label = f"#{number} {title}"
    return label if len(label) <= 75 else label[:74] + "…"


def decline(bridge: Bridge, say: Say, issue_id: str) -> views.View | None:
    with bridge.store.read() as session:
        issue = session.get(Issue, issue_id)
        if issue is None:
            return None
        full = bridge.project(issue.project).privacy == "full"
        return views.decline(say, issue.id, issue.title, len(issue.escalations), full=full)


def carry(bridge: Bridge, say: Say, issue_id: str) -> views.View | None:
    with bridge.store.read() as session:
        issue = session.get(Issue, issue_id)
        if issue is None:
            return None
        others = [(one.key, one.name) for one in bridge.settings.projects if one.key != issue.project]
        return views.carry(say, issue.id, issue.title, others) if others else None


def mark_fixed(bridge: Bridge, say: Say, issue_id: str) -> views.View | None:
    with bridge.store.read() as session:
        issue = session.get(Issue, issue_id)
        return views.mark_fixed(say, issue.id, issue.title) if issue else None


def ask(bridge: Bridge, say: Say, issue_id: str) -> views.View | None:
    with bridge.store.read() as session:
        issue = session.get(Issue, issue_id)
        if issue is None:
            return None
        return views.ask(say, issue.id, issue.title, len({one.agent for one in shown.waiting(issue)}))


def workaround(bridge: Bridge, say: Say, issue_id: str) -> views.View | None:
    with bridge.store.read() as session:
        issue = session.get(Issue, issue_id)
        return views.workaround(say, issue.id, issue.title, len(shown.waiting(issue))) if issue else None


def answer(bridge: Bridge, say: Say, issue_id: str) -> views.View | None:
    with bridge.store.read() as session:
        issue = session.get(Issue, issue_id)
        question = talk.open_question(issue) if issue else None
        if issue is None or question is None:
            return views.sentence(say, say("This question is answered or settled already."))
        return views.answer(say, issue.id, issue.title, question.text, public=bool(issue.public))


def change(bridge: Bridge, people: People, say: Say, issue_id: str) -> views.View | None:
    with bridge.store.read() as session:
        issue = session.get(Issue, issue_id)
        if issue is None:
            return None
        devs = bridge.project(issue.project).support_devs
        data = views.Change(
            title=issue.title,
            support_devs=[(dev.slack, people.name(session, dev.slack)) for dev in devs],
            support_dev=issue.support_dev,
            severity=issue.severity,
            promised=issue.promised_on,
            similar=len(queries.filed(session, most=2)) > 1,
        )
        return views.change(say, issue.id, data)


def skip(bridge: Bridge, say: Say, write_back_id: str) -> views.View | None:
    with bridge.store.read() as session:
        row = session.get(WriteBackRow, write_back_id)
        return views.skip(say, row.id, shown.ticket_facts(row.escalation.ticket, bridge.clock.now())) if row else None


def mine(bridge: Bridge, say: Say, person: str) -> views.Post:
    """A person's own escalations that are not settled, and their write-backs due."""
    with bridge.store.read() as session:
        rows = queries.escalations_of(session, person)
        lines = [
            views.MineLine(
                issue=shown.issue_name(one.issue),
                stage=one.issue.stage,
                facts=shown.ticket_facts(one.ticket, bridge.clock.now()),
                write_back_id=_own_due(one, person),
            )
            for one in rows
            if not shown.heard(one)
        ]
        return views.mine(say, lines)


def _own_due(escalation: Escalation, person: str) -> str:
    """The id of the write-back that this person owes here, or ""."""
    due = [row.id for row in escalation.write_backs if row.state is WriteBack.DUE]
    return due[0] if due and escalation.agent == person else ""


def status(bridge: Bridge, people: People, say: Say, person: str, reference: str) -> views.Post:
    """How one ticket or issue stands."""
    number = named(bridge, reference).number
    repository, _, wanted = reference.rpartition("#")
    with bridge.store.read() as session:
        found = queries.escalation_named(
            session, number, int(wanted) if _NUMBER.fullmatch(wanted) else None, repository
        )
        if found is None:
            return views.nothing_known(say, reference)
        history = queries.history(session, found.issue_id)
        issue = found.issue
        return views.status(
            say,
            views.Status(
                issue=shown.issue_name(issue),
                stage=issue.stage,
                ticket=shown.ticket_name(found.ticket),
                agent=people.name(session, found.agent),
                waiting=len(shown.waiting(issue)),
                write_back_id=_own_due(found, person),
                proof=shown.card(issue, None, lambda who: people.name(session, who), bridge.clock.now()).proof,
                history=tuple(
                    views.HistoryLine(at=line.at, what=line.what, by=people.name(session, line.by)) for line in history
                ),
            ),
        )
