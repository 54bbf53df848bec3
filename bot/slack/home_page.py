"""From the store to what the Home tab shows: one page for one person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from bot.bridge.core import Bridge
from bot.bridge.rights import Roles
from bot.configuration import Project
from bot.model import Kind, Severity, Stage, WriteBack
from bot.slack import shown, views
from bot.slack.views.home import MINE, QUEUE, ROWS, TEAM, Home, HomeCustomer, HomeIssue, HomeState, HomeTeam
from bot.store import home, overview

WORDS = 6
"""How many words of a search count."""

AGENTS = 10
"""How many agents the team's figures name."""


def tabs(roles: Roles) -> tuple[str, ...]:
    """What somebody can look at."""
    queue = bool(roles.decides) or roles.leads
    return tuple(tab for tab, may in ((MINE, roles.flags), (QUEUE, queue), (TEAM, roles.leads)) if may)


def page(bridge: Bridge, person: str, roles: Roles, state: HomeState) -> Home:
    """The page that `state` names, as far as this person may see it."""
    offered = tabs(roles)
    tab = state.tab if state.tab in offered else offered[-1]
    projects = _projects(bridge, roles, tab)
    known = state.project in [project.key for project in projects]
    state = replace(state, tab=tab, project=state.project if known else "")
    with bridge.store.read() as session:
        match tab:
            case "mine":
                found = _mine(bridge, session, person, state)
            case "queue":
                found = _queue(bridge, session, projects, state)
            case _:
                found = _team(bridge, session, state)
    return replace(found, tabs=offered, projects=tuple((project.key, project.name) for project in projects))


def _projects(bridge: Bridge, roles: Roles, tab: str) -> list[Project]:
    everything = roles.leads or tab != QUEUE
    return [project for project in bridge.settings.projects if everything or project.key in roles.decides]


def _wanted(state: HomeState, projects: Sequence[Project] = ()) -> home.Wanted:
    return home.Wanted(
        projects=(state.project,) if state.project else tuple(project.key for project in projects),
        stage=Stage(state.stage) if state.stage else None,
        severity=Severity(state.severity) if state.severity else None,
        kind=Kind(state.kind) if state.kind else None,
        words=tuple(state.search.split()[:WORDS]),
    )


def _there(state: HomeState, total: int) -> HomeState:
    """The page that is asked for, or the last there is."""
    return replace(state, page=min(state.page, max(0, (total - 1) // ROWS)))


def _mine(bridge: Bridge, session: Session, person: str, state: HomeState) -> Home:
    """First who is to be written to, then who waits."""
    wanted = _wanted(state)
    due_count, counts = home.due_count(session, person, wanted), home.waiting_counts(session, person, wanted)
    total = due_count + sum(counts.values())
    state = _there(state, total)
    skipped = state.page * ROWS
    due = home.due(session, person, wanted, ROWS, skipped) if skipped < due_count else ()
    room = ROWS - len(due)
    waiting = home.waiting(session, person, wanted, room, max(0, skipped - due_count)) if room else ()
    return Home(
        state=state,
        tabs=(),
        due=_to_write(bridge, session, due),
        due_count=due_count,
        waiting=tuple(_waiting(bridge, row) for row in waiting),
        counts=counts,
        total=total,
    )


def _queue(bridge: Bridge, session: Session, projects: Sequence[Project], state: HomeState) -> Home:
    wanted, now = _wanted(state, projects), bridge.clock.now()
    rows, total = home.queue(session, wanted, now, ROWS, state.page * ROWS)
    if not rows and state.page:
        state = replace(state, page=0)
        rows, total = home.queue(session, wanted, now, ROWS, 0)
    names = overview.names(session, [row.support_dev for row in rows])
    issues = tuple(
        HomeIssue(
            id=row.id,
            issue=_issue(row.title, row.repository, row.number, row.url),
            stage=row.stage,
            kind=row.kind,
            severity=row.severity,
            customers=row.customers,
            age=now - row.since,
            support_dev=names.get(row.support_dev, row.support_dev),
        )
        for row in rows
    )
    return Home(state=state, tabs=(), queue=issues, total=total)


def _team(bridge: Bridge, session: Session, state: HomeState) -> Home:
    wanted, now = _wanted(state), bridge.clock.now()
    by_agent = home.due_by_agent(session, wanted)
    total = sum(n for _, n in by_agent)
    state = _there(state, total)
    names = overview.names(session, [agent for agent, _ in by_agent[:AGENTS]])
    team = HomeTeam(
        waiting=home.team_waiting(session, wanted),
        due=total,
        due_by_agent=tuple((names.get(agent, agent), n) for agent, n in by_agent[:AGENTS]),
        untriaged=tuple(
            (_issue(title, repository, number, url), now - since)
            for title, repository, number, url, since in home.oldest_untriaged(session, wanted)
        ),
    )
    due = home.due(session, "", wanted, ROWS, state.page * ROWS)
    rows = _to_write(bridge, session, due, owned=True)
    return Home(state=state, tabs=(), team=team, due=rows, due_count=total, total=total)


def _to_write(
    bridge: Bridge, session: Session, rows: Sequence[home.Due], *, owned: bool = False
) -> tuple[HomeCustomer, ...]:
    vouching = [str(row.proof.get("by") or "") for row in rows]
    names = overview.names(session, [*vouching, *(row.agent for row in rows if owned)]) if rows else {}
    return tuple(
        HomeCustomer(
            ticket=_ticket(row),
            issue=_issue(row.title, row.repository, row.issue_number, row.issue_url),
            customer=row.customer,
            language=row.language,
            waited=bridge.clock.now() - row.waiting_since,
            write_back_id=row.id,
            doubtful=row.state is WriteBack.UNCERTAIN,
            news=views.NewsLine(
                news=row.news,
                issue=_issue(row.title, row.repository, row.issue_number, row.issue_url),
                reason=row.reason,
                proof=shown.proof(row.proof, lambda who: names.get(who, who)),
            ),
            owner=names.get(row.agent, row.agent) if owned else "",
        )
        for row in rows
    )


def _waiting(bridge: Bridge, row: home.Waiting) -> HomeCustomer:
    return HomeCustomer(
        ticket=_ticket(row),
        issue=_issue(row.title, row.repository, row.issue_number, row.issue_url),
        customer=row.customer,
        language=row.language,
        waited=bridge.clock.now() - row.waiting_since,
        stage=row.stage,
    )


def _ticket(row: home.Due | home.Waiting) -> views.TicketName:
    helpdesk = (row.helpdesk or "").replace("_", " ").title()
    return views.TicketName(number=row.ticket_number or "", url=row.ticket_url, helpdesk=helpdesk)


def _issue(title: str, repository: str, number: int | None, url: str) -> views.IssueName:
    return views.IssueName(title=title, label=f"{repository}#{number}" if number is not None else "", url=url)
