"""`passerelle list` and `passerelle show`: escalations as an operator reads them, and as a script does."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.cells import cell_len, set_cell_size

from bot.configuration import Project
from bot.model import OWED, News, UserError, WriteBack
from bot.slack import shown, views
from bot.slack.views.parts import one_line, plain, proof_line
from bot.store import overview
from bot.store.database import Store
from bot.store.tables import Escalation, History, Issue
from bot.texts import Say

Names = Mapping[str, str]


def listed(escalations: Sequence[Escalation], names: Names) -> str:
    """One line for each escalation."""
    if not escalations:
        return "There are none."
    columns = {
        "ID": [one.id for one in escalations],
        "TICKET": [one.ticket.number or "–" for one in escalations],
        "ISSUE": [_issue_name(one.issue) for one in escalations],
        "STAGE": [one.issue.stage.value for one in escalations],
        "OWES": [_owes(one, names) for one in escalations],
        "TITLE": [one.title for one in escalations],
    }
    widths = [min(60, max(map(cell_len, [name, *cells]))) for name, cells in columns.items()]
    others = sum(widths[:-1]) + 2 * len(widths[:-1])
    widths[-1] = min(widths[-1], max(20, shutil.get_terminal_size().columns - others))  # the title gives way
    rows = [list(columns), *zip(*columns.values(), strict=True)]
    return "\n".join("  ".join(map(_fitted, row, widths)).rstrip() for row in rows)


def _fitted(cell: str, width: int) -> str:
    """The cell as wide as its column in a terminal, where some characters take two places and some none."""
    text = one_line(cell, 150)
    return set_cell_size(text, width) if cell_len(text) <= width else set_cell_size(text, width - 1) + "…"


def _issue_name(issue: Issue) -> str:
    return f"{issue.repository}#{issue.number}" if issue.number is not None else "not filed yet"


def _owes(escalation: Escalation, names: Names) -> str:
    """Who owes the customer an answer; "–" when nobody does now."""
    due = any(row.state in OWED - {WriteBack.HELD} for row in escalation.write_backs)
    return names.get(escalation.agent, escalation.agent).partition(" ")[0] if due else "–"


def as_json(escalation: Escalation) -> dict[str, Any]:
    """An escalation as scripts read it (see docs/reference.md). Times are ISO 8601 in UTC, people are Slack ids."""
    ticket, issue = escalation.ticket, escalation.issue
    return {
        "id": escalation.id,
        "ticket": {"id": ticket.number, "url": ticket.url, "helpdesk": ticket.helpdesk},
        "issue": {
            "id": issue.id,
            "project": issue.project,
            "number": issue.number,
            "url": issue.url,
            "stage": issue.stage.value,
        },
        "agent": escalation.agent,
        "kind": issue.kind.value,
        "severity": issue.severity.value,
        "title": escalation.title,
        "flagged_at": escalation.flagged_at.isoformat(),
        "write_backs": [
            {"id": row.id, "news": row.news.kind.value, "state": row.state.value}
            for row in sorted(escalation.write_backs, key=lambda row: row.due_at)
        ],
    }


def show(store: Store, projects: Sequence[Project], now: datetime, reference: str, *, for_programs: bool) -> str:
    """One escalation with its whole history: the one that filed the issue, when `reference` means several; the others
    are named. Raises UserError."""
    with store.read() as session:
        found = overview.meant(session, reference)
        if not found:
            raise UserError(
                "There is no escalation {reference} here. `passerelle list` shows all; an id, a ticket’s number or "
                "address, or an issue such as acme/shop#1 names one.",
                reference=one_line(reference, 100) or "without a name",
            )
        one = found[0]
        project = next((each for each in projects if each.key == one.issue.project), None)
        history = overview.history(session, one)
        others = overview.others(session, one)
        people = [one.agent, *(line.by for line in history), *(follower.person for follower in one.followers)]
        names = overview.names(session, [*people, *(other.agent for other in others)])
        if for_programs:
            lines = [_happening(line) for line in history]
            return json.dumps({**as_json(one), "history": lines, "others": [other.id for other in others]})
        return "\n".join(_page(one, history, others, lambda person: names.get(person, person), project, now))


def _happening(line: History) -> dict[str, Any]:
    proof = {"proof": line.proof} if line.proof else {}
    return {"at": line.at.isoformat(), "what": line.what, "by": line.by, **proof}


def _page(
    one: Escalation,
    history: Sequence[History],
    others: Sequence[Escalation],
    name: Callable[[str], str],
    project: Project | None,
    now: datetime,
) -> list[str]:
    say, ticket, issue = Say(), one.ticket, one.issue
    card = shown.card(issue, project, name, now)
    brought = next((line.by for line in history if line.what in BROUGHT and line.escalation_id == one.id), one.agent)
    facts = {
        "Id": one.id,
        "Ticket": f"{ticket.number or 'none'}  {ticket.url}".strip(),
        "Issue": f"{_issue_name(issue)}  {issue.url}".strip(),
        "Stage": views.stage_words(say, issue.stage)[1] + (f": {issue.trouble}" if issue.trouble else ""),
        "Next": views.waits(say, card),
        "Proof": plain(proof_line(say, card.proof)),
        "See": "  ".join(_addresses(card.proof)),
        "About": f"{issue.kind.value}, {issue.severity.value}, project {issue.project}",
        "Flagged": f"{_at(one.flagged_at)} by {name(brought)}",
        "Agent": name(one.agent) if any(line.what == "handed_over" for line in history) else "",
        "Followed by": ", ".join(name(follower.person) for follower in one.followers),
        "Write-backs": "; ".join(
            f"{_NEWS[row.news.kind]}: {row.state.value}" + (f" ({one_line(row.reason, 100)})" if row.reason else "")
            for row in sorted(one.write_backs, key=lambda row: (row.due_at, row.news.at))
        ),
    }
    rows = [f"{label:<12} {one_line(value, 300)}" for label, value in facts.items() if value]
    page = [one_line(one.title), *rows, "", "History (UTC)"]
    page += [_line(say, line, name) for line in history]
    if others:
        page += ["", "Also on this issue or for this ticket"]
        page += [f"{other.id}  ticket {other.ticket.number or '–'}  {_issue_name(other.issue)}" for other in others]
    return page


BROUGHT = ("flagged", "attached")
"""The words of the history for who carried a ticket; it may be another agent's since."""

_NEWS = {
    News.SHIPPED: "shipped",
    News.DECLINED: "declined",
    News.ROLLED_BACK: "taken back",
    News.QUESTION: "question",
    News.WORKAROUND: "workaround",
}


def _addresses(proof: views.Proof) -> list[str]:
    """Where what the proof names can be looked at."""
    places = [*proof.places, *([proof.back_by] if proof.back_by else [])]
    found = [proof.pull_url or proof.sha_url, proof.copy_url, proof.version_url, *(place.url for place in places)]
    return [address for address in dict.fromkeys(found) if address]


def _line(say: Say, line: History, name: Callable[[str], str]) -> str:
    by = f" ({one_line(name(line.by), 60)})" if line.by else ""
    proof = plain(proof_line(say, shown.proof(line.proof, name))) if line.proof else ""
    return f"{_at(line.at)}  {views.happened(say, line.what)}{by}{f': {proof}' if proof else ''}"


def _at(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"
