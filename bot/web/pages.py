"""What each page shows: from the address and the store to the words of its template."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from bot.bridge.core import Bridge
from bot.configuration import Project
from bot.model import Kind, News, Severity, Stage, UserError, WriteBack
from bot.slack import shown, views
from bot.slack.views.facts import kind_word, severity_word
from bot.slack.views.parts import Proof, TicketName
from bot.store import board, home, overview
from bot.store.scope import Scope
from bot.store.tables import Issue, NewsItem
from bot.web.asked import Asked, Paging, Refused
from bot.web.visitor import Visitor

ROWS = 50
"""How many rows a page of a list has."""

CUSTOMERS, LINES = 25, 50
"""How many customers and lines of history a page of an issue has."""

WORDS = 6
"""How many words of a search count."""

STAGES = (Stage.FILED, Stage.ACKNOWLEDGED, Stage.FIXED, Stage.SHIPPED, Stage.DECLINED)
"""The stages that somebody can choose."""

AGENTS = 20
"""How many agents the summary of write-backs names."""

Facts = dict[str, Any]
Name = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Look:
    """One look at one page."""

    bridge: Bridge
    session: Session
    visitor: Visitor
    asked: Asked

    def names(self, people: list[str]) -> Name:
        """How we call these people."""
        known = overview.names(self.session, people) if any(people) else {}
        return lambda person: known.get(person, person)


def scope(asked: Asked, projects: Iterable[str]) -> Scope:
    """The issues that an address asks for, as a digest's link may: any of several. Raises Refused."""
    return Scope(
        projects=asked.several("project", projects),
        severities=tuple(map(Severity, asked.several("severity", Severity))),
        kinds=tuple(map(Kind, asked.several("kind", Kind))),
        stages=tuple(map(Stage, asked.several("stage", Stage))),
    )


# --- queue ------------------------------------------------------------------------------------------------------------


def queue(look: Look) -> Facts:
    """The issues for which customers wait, as the Home tab orders them."""
    asked, now, say = look.asked, look.bridge.clock.now(), look.visitor.say
    projects = {project.key: project.name for project in look.bridge.settings.projects}
    words, of = asked.text("words"), scope(asked, projects)
    chosen = {"project": of.projects, "stage": of.stages, "severity": of.severities, "kind": of.kinds}
    wanted = home.Wanted(
        projects=of.projects,
        stages=of.stages,
        severities=of.severities,
        kinds=of.kinds,
        words=tuple(words.split()[:WORDS]),
    )
    page = asked.page()
    rows, total = home.queue(look.session, wanted, now, ROWS, (page - 1) * ROWS)
    if not rows and page > 1:
        _, total = home.queue(look.session, wanted, now, 1, 0)
    return {
        "rows": rows,
        "paging": Paging(page, ROWS, total).held(),
        "projects": projects,
        "chosen": {name: ",".join(values) for name, values in chosen.items()},
        "narrowed": bool(words or any(chosen.values())),
        "name": look.names([row.support_dev for row in rows]),
        "stages": [(one, views.stage_words(say, one)[1]) for one in STAGES],
        "severities": [(one, severity_word(say, one)) for one in Severity],
        "kinds": [(one, kind_word(say, one)) for one in Kind],
    }


# --- write-backs ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Debt:
    """What one agent owes."""

    agent: str
    counts: dict[WriteBack, int]
    since: Any

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def write_backs(look: Look) -> Facts:
    """Who owes customers an answer, and which."""
    asked = look.asked
    state, agent = asked.word("state", WriteBack), asked.text("agent")
    debts: dict[str, Debt] = {}
    for share in board.shares(look.session):
        debt = debts.setdefault(share.agent, Debt(share.agent, {}, share.since))
        debt.counts[share.state] = share.count
        debt.since = min(debt.since, share.since)
    chosen = [debts[agent]] if agent in debts else [] if agent else list(debts.values())
    total = sum(debt.counts.get(state, 0) if state else debt.total for debt in chosen)
    paging = Paging(asked.page(), ROWS, total).held()
    rows = board.owed(look.session, agent, state, ROWS, (paging.page - 1) * ROWS) if total else []
    listed = sorted(debts.values(), key=lambda debt: (debt.since, debt.agent))
    return {
        "rows": rows,
        "paging": paging,
        "debts": listed[:AGENTS],
        "left": len(listed) - len(listed[:AGENTS]),
        "agent": agent,
        "state": state,
        "counts": {one: sum(debt.counts.get(one, 0) for debt in listed) for one in WriteBack},
        "name": look.names([*(row.agent for row in rows), *(debt.agent for debt in listed[:AGENTS]), agent]),
        "ticket": ticket_name,
    }


def ticket_name(row: board.Owed | board.Customer) -> TicketName:
    helpdesk = (row.helpdesk or "").replace("_", " ").title()
    return TicketName(number=row.ticket_number or "", url=row.ticket_url, helpdesk=helpdesk)


# --- one issue --------------------------------------------------------------------------------------------------------


def issue(look: Look, issue_id: str) -> Facts:
    """One issue's whole history. Raises Refused."""
    session, asked = look.session, look.asked
    found = session.get(Issue, issue_id) if issue_id.isascii() and issue_id.isalnum() else None
    if found is None:
        raise Refused(404, UserError("There is no such issue here. Look for it in the queue, by its number."))
    crowd = board.crowd(session, issue_id)
    customers = Paging(asked.page("customers"), CUSTOMERS, crowd.customers, "customers").held()
    page = asked.page()
    happened, total = board.history(session, issue_id, LINES, (page - 1) * LINES)
    rows = board.customers(session, issue_id, CUSTOMERS, (customers.page - 1) * CUSTOMERS)
    answers: dict[str, list[board.Answer]] = {}
    for answer in board.answers(session, [row.escalation_id for row in rows]):
        answers.setdefault(answer.escalation_id, []).append(answer)
    news = board.news(session, issue_id)
    project = next((one for one in look.bridge.settings.projects if one.key == found.project), None)
    people = [found.support_dev, found.promised_by, *(row.agent for row in rows), *(line.by for line in happened)]
    proofs = [*(line.proof or {} for line in happened), *(item.proof for item in news)]
    name = look.names([*people, *(item.by for item in news), *(str(proof.get("by") or "") for proof in proofs)])
    card = _card(found, crowd, news, project, name, look)
    return {
        "issue": found,
        "card": card,
        "crowd": crowd,
        "project": project.name if project else found.project,
        "successor": found.successor,
        "replaced": board.replaced(session, issue_id),
        "news": [(item, shown.proof(item.proof, name)) for item in news],
        "customers": rows,
        "customers_paging": customers,
        "answers": answers,
        "happened": [(line, shown.proof(line.proof, name) if line.proof else Proof()) for line in happened],
        "paging": Paging(page, LINES, total).held(),
        "name": name,
        "ticket": ticket_name,
    }


def _card(
    found: Issue,
    crowd: board.Crowd,
    news: Any,
    project: Project | None,
    name: Name,
    look: Look,
) -> views.Card:
    """The issue as its card in Slack has it, without reading each of its customers."""
    ends = [item for item in news if item.stands and item.kind in (News.SHIPPED, News.DECLINED)]
    asked: list[NewsItem] = [item for item in news if item.stands and item.kind is News.QUESTION]
    facts: Mapping[str, Any] = {"fixes": found.fixes, "out": list(found.out.values()), "back": found.back}
    if ends and found.stage is Stage.SHIPPED:
        facts = ends[0].proof
    places = {head["name"] for head in found.out.values()}
    return views.Card(
        issue_id=found.id,
        issue=shown.issue_name(found),
        stage=found.stage,
        kind=found.kind,
        severity=found.severity,
        waiting=crowd.waiting,
        longest=look.bridge.clock.now() - crowd.since if crowd.since else None,
        waits_for=tuple(one for one in project.environment if one not in places) if project else (),
        shipped_when=project.shipped_when if project else "released",
        proof=shown.proof(facts, name),
        reason=ends[0].text if ends and found.stage is Stage.DECLINED else "",
        who=name(found.support_dev) if found.support_dev else "",
        stuck=found.trouble,
        wanted=found.wanted,
        any_place=project is not None and project.environments_needed == "any",
        promised=found.promised_on,
        question=asked[0].text if asked else "",
    )
