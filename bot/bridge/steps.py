"""A workflow's step flags a ticket: nobody looks at a modal, so what is missing ends the step with a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.bridge import drafts, flag
from bot.bridge.core import Bridge
from bot.model import UserError
from bot.store import drafts as store
from bot.store.tables import Draft, Escalation


def ask(bridge: Bridge, execution: str, inputs: Mapping[str, Any]) -> None:
    """Promise to do what the step asks for; one execution is done once, however often it is heard of."""
    given = {name: str(inputs.get(name) or "").strip() for name in ("ticket", "title", "summary", "person", "project")}
    key = f"step:{execution}"
    draft = Draft(
        key=key,
        person=given["person"],
        reference=given["ticket"],
        typed={name: given[name] for name in ("title", "summary", "project")},
        ticket=None,
        allowed=None,
        created_at=bridge.clock.now(),
    )
    with bridge.store.write() as session:
        if store.add_once(session, draft):
            bridge.promise(session, "step", key, key, draft=draft.id, execution=execution)


def carry_out(bridge: Bridge, draft_id: str) -> Escalation:
    """Flag what the step asks for, under all the guards that a person's modal has. Doing it again changes nothing.
    Raises UserError with the sentence that the workflow's people read, and ServiceErrors."""
    filled = drafts.fill(bridge, draft_id)
    draft, helpdesk = filled.draft, filled.helpdesk.replace("_", " ").title()
    if filled.refused:
        raise UserError("The person of this step may not flag tickets. Choose somebody of the support team.")
    if bridge.helpdesks and not draft.number:
        raise UserError("{helpdesk} has no ticket “{reference}”.", helpdesk=helpdesk, reference=draft.reference)
    title, summary, project = (str(draft.typed.get(name) or "") for name in ("title", "summary", "project"))
    words = "" if bridge.helpdesks else summary
    fields = flag.Fields(ticket=draft.reference, title=title, summary=summary, project=project, words=words)
    return flag.submit(bridge, draft_id, fields)
