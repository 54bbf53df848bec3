"""The Home tab: what waits for this person, with the buttons to act on it. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from bot.model import Kind, Severity, Stage
from bot.slack.views.card import stage_words
from bot.slack.views.facts import NewsLine, counted, headline, kind_word, severity_word
from bot.slack.views.parts import (
    VIEW_BLOCKS,
    Block,
    Bold,
    IssueName,
    Piece,
    TicketName,
    actions,
    bullets,
    button,
    cut,
    excerpt,
    filled,
    header,
    lines,
    one_line,
    proof_line,
    small,
    ticket_link,
    write_back_buttons,
)
from bot.texts import Say

MINE, QUEUE, TEAM = "mine", "queue", "team"
ROWS = 12
"""How many rows a page has."""

ALL = "all"
"""The value of the option that narrows nothing."""

SEARCH_SIZE = 100
_STAGES = (Stage.FILED, Stage.ACKNOWLEDGED, Stage.FIXED, Stage.SHIPPED, Stage.DECLINED)
_OFFERED = {"stage": {*Stage}, "severity": {*Severity}, "kind": {*Kind}}


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeState:
    """What a person chose to see; it travels with the view. Empty is everything."""

    tab: str = ""
    project: str = ""
    stage: str = ""
    severity: str = ""
    kind: str = ""
    search: str = ""
    page: int = 0
    turn: int = 0  # rises when the filters are cleared: Slack keeps what stands in an input of the same name

    @property
    def narrowed(self) -> bool:
        return bool(self.project or self.stage or self.severity or self.kind or self.search)

    @property
    def metadata(self) -> str:
        return json.dumps({name: value for name, value in asdict(self).items() if value}, ensure_ascii=False)

    @classmethod
    def read(cls, metadata: str) -> HomeState:
        """The state that a view carries; what is none is the beginning."""
        try:
            found = json.loads(metadata or "{}")
            if not isinstance(found, dict):
                return cls()
            words = {name: str(found.get(name) or "") for name in ("tab", "project", "stage", "severity", "kind")}
            numbers = {name: max(0, min(int(found.get(name) or 0), 100_000)) for name in ("page", "turn")}
        except (ValueError, TypeError):
            return cls()
        for name, offered in _OFFERED.items():
            words[name] = words[name] if words[name] in offered else ""
        return cls(**words, **numbers, search=one_line(str(found.get("search") or ""), SEARCH_SIZE))  # type: ignore[arg-type]

    def chosen(self, name: str, value: str) -> HomeState:
        """The state after somebody chose something: its first page."""
        return HomeState.read(json.dumps({**asdict(self), "page": 0, name: value}))

    def cleared(self) -> HomeState:
        return HomeState(tab=self.tab, turn=self.turn + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeCustomer:
    """A customer who waits, or who is to be written to: then `write_back_id` is set."""

    ticket: TicketName
    issue: IssueName
    customer: str = ""
    language: str = ""
    waited: timedelta | None = None
    stage: Stage = Stage.FILED
    write_back_id: str = ""
    doubtful: bool = False  # the last reply may have gone out
    news: NewsLine | None = None
    owner: str = ""  # the agent who writes back, where that is not the reader


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeIssue:
    id: str
    issue: IssueName
    stage: Stage
    kind: Kind = Kind.BUG
    severity: Severity = Severity.NORMAL
    customers: int = 0
    age: timedelta = timedelta()
    support_dev: str = ""  # name


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeTeam:
    """A lead's figures."""

    waiting: int = 0
    due: int = 0
    due_by_agent: tuple[tuple[str, int], ...] = ()
    untriaged: tuple[tuple[IssueName, timedelta], ...] = ()  # oldest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """One page of the tab that `state` names."""

    state: HomeState
    tabs: tuple[str, ...]
    projects: tuple[tuple[str, str], ...] = ()  # (key, name)
    due: tuple[HomeCustomer, ...] = ()
    due_count: int = 0
    waiting: tuple[HomeCustomer, ...] = ()
    counts: dict[Stage, int] = field(default_factory=dict)  # of all customers who wait, by stage
    queue: tuple[HomeIssue, ...] = ()
    team: HomeTeam | None = None
    total: int = 0  # rows on all pages


def home(say: Say, data: Home) -> dict[str, Any]:
    """The tab as it is now."""
    blocks = [_tabs(say, data), *_filters(say, data)]
    match data.state.tab:
        case "mine":
            blocks += _due(say, data) + _waiting(say, data)
        case "queue":
            blocks += _queue(say, data)
        case _:
            blocks += _team(say, data) + _due(say, data)
    if not data.total:
        blocks.append(lines([_nothing(say, data)]))
    return _home([*blocks, *_paging(say, data)], data.state)


def home_refused(say: Say, sentence: str = "") -> dict[str, Any]:
    """For guests and strangers, and for who cannot be shown anything now: one sentence."""
    text = sentence or say(
        "I carry support tickets to developers, for the support team here. Ask your lead to add you."
    )
    return _home([lines([text])], HomeState())


def _home(blocks: Sequence[Block], state: HomeState) -> dict[str, Any]:
    shown = filled(blocks)[:VIEW_BLOCKS]
    return {"type": "home", "callback_id": "home", "private_metadata": state.metadata, "blocks": shown}


# --- what is chosen ---------------------------------------------------------------------------------------------------


def _tabs(say: Say, data: Home) -> Block:
    here = data.state.tab
    known = {
        MINE: button(say("My customers"), "home_mine", MINE, style="primary" if here == MINE else ""),
        QUEUE: button(say("Queue"), "home_queue", QUEUE, style="primary" if here == QUEUE else ""),
        TEAM: button(say("Team"), "home_team", TEAM, style="primary" if here == TEAM else ""),
    }
    tabs = [known[tab] for tab in data.tabs] if len(data.tabs) > 1 else []
    return actions(*tabs, button(say("Refresh"), "home_refresh", "now"))


def _filters(say: Say, data: Home) -> list[Block]:
    state = data.state
    selects = [
        choice(
            say("All stages"), "home_stage", [(stage, stage_words(say, stage)[1]) for stage in _STAGES], state.stage
        ),
        choice(
            say("Any severity"), "home_severity", [(one, severity_word(say, one)) for one in Severity], state.severity
        ),
        choice(say("Any kind"), "home_kind", [(kind, kind_word(say, kind)) for kind in Kind], state.kind),
    ]
    if len(data.projects) > 1:
        selects.insert(0, choice(say("All projects"), "home_project", data.projects[:99], state.project))
    if state.narrowed:
        selects.append(button(say("Clear"), "home_clear", "all"))
    search = {
        "type": "input",
        "block_id": f"home_search:{state.turn}",
        "dispatch_action": True,
        "optional": True,
        "label": {"type": "plain_text", "text": say("Words of the title, or a number"), "emoji": False},
        "element": search_input("home_search", state.search),
    }
    return [search, {**actions(*selects), "block_id": f"home_filters:{state.turn}"}]


def choice(every: str, action: str, offered: Sequence[tuple[str, str]], chosen: str) -> Block:
    """A select that tells at once what was chosen; its first option narrows nothing."""
    faces = [(ALL, every), *((str(value), name) for value, name in offered)]
    options = [
        {"text": {"type": "plain_text", "text": one_line(name, 75) or "…", "emoji": False}, "value": value}
        for value, name in faces
    ]
    initial = next((option for option in options if option["value"] == chosen), options[0])
    return {"type": "static_select", "action_id": action, "options": options, "initial_option": initial}


def search_input(action: str, typed: str) -> Block:
    """A line that tells what was typed when Enter is pressed."""
    return {
        "type": "plain_text_input",
        "action_id": action,
        "max_length": SEARCH_SIZE,
        "dispatch_action_config": {"trigger_actions_on": ["on_enter_pressed"]},
        **({"initial_value": cut(typed, SEARCH_SIZE)} if typed else {}),
    }


def _paging(say: Say, data: Home) -> list[Block]:
    if data.total <= ROWS:
        return []
    first = data.state.page * ROWS + 1
    last = min(first + ROWS - 1, data.total)
    where = say(
        "{first} to {last} of {total}",
        first=say.number(first),
        last=say.number(last),
        total=say.number(data.total),
    )
    buttons = [button(say("Back"), "home_back", str(data.state.page - 1))] if data.state.page else []
    if last < data.total:
        buttons.append(button(say("Further"), "home_further", str(data.state.page + 1)))
    return [small(where), actions(*buttons)]


def _nothing(say: Say, data: Home) -> str:
    if data.state.narrowed:
        return say("Nothing fits. Clear the filters to see all.")
    match data.state.tab:
        case "mine":
            return say("Nothing of yours waits. Flag a ticket with /bug and its number.")
        case "queue":
            return say("No customer waits for an issue. The queue is empty.")
        case _:
            return say("No write-back is due: every customer has heard.")


# --- what waits -------------------------------------------------------------------------------------------------------


def _due(say: Say, data: Home) -> list[Block]:
    if not data.due:
        return []
    n = data.due_count
    blocks = [header(say.many("{n} customer to write back to", "{n} customers to write back to", n))]
    for row in data.due:
        blocks.append(lines(*_due_lines(say, row), quote=excerpt(row.news.reason, 200) if row.news else ""))
        blocks.append(_doubt_buttons(say, row) if row.doubtful else write_back_buttons(say, row.write_back_id))
    return blocks


def _due_lines(say: Say, row: HomeCustomer) -> list[list[Piece]]:
    rows = [_who(say, row)]
    if row.news is not None:
        proof = proof_line(say, row.news.proof)
        rows += [[headline(say, row.news)], [row.issue.link, *([" · ", *proof] if proof else [])]]
    if row.owner:
        rows.append([say("{agent} owes this.", agent=one_line(row.owner, 80))])
    if row.doubtful:
        rows.append([say("May or may not have gone out: look at the ticket.")])
    return rows


def _doubt_buttons(say: Say, row: HomeCustomer) -> Block:
    return actions(
        button(say("It is there"), "mark_written", row.write_back_id, style="primary"),
        button(say("Write back again"), "write_back", row.write_back_id),
        button(say("Skip"), "skip", row.write_back_id),
    )


def _who(say: Say, row: HomeCustomer) -> list[Piece]:
    line: list[Piece] = [Bold(one_line(row.customer, 60) or say("the customer")), " · ", ticket_link(say, row.ticket)]
    if row.language:
        line.append(f" · {one_line(say.language(row.language), 40)}")
    if row.waited is not None:
        line += [" · ", say("waiting for {duration}", duration=say.ago(row.waited))]
    return line


def _waiting(say: Say, data: Home) -> list[Block]:
    """Customers by stage, one list under each stage's name."""
    blocks: list[Block] = []
    for stage in dict.fromkeys(row.stage for row in data.waiting):
        symbol, word = stage_words(say, stage)
        n = data.counts.get(stage, 0)
        blocks.append(lines([f"{symbol} ", Bold(word), " · ", say.many("{n} customer", "{n} customers", n)]))
        rows = [row for row in data.waiting if row.stage is stage]
        blocks.append(bullets([*_who(say, row), " · ", row.issue.link, f" {_title(row.issue)}"] for row in rows))
    return blocks


def _title(issue: IssueName) -> str:
    return one_line(issue.title, 80) if issue.label else ""


def _queue(say: Say, data: Home) -> list[Block]:
    if not data.queue:
        return []
    blocks = [header(say.many("{n} issue in the queue", "{n} issues in the queue", data.total))]
    for row in data.queue:
        symbol, word = stage_words(say, row.stage)
        where = row.issue.link
        title: list[Piece] = [where, " ", Bold(_title(row.issue))]
        facts = [f"{symbol} {word}", severity_word(say, row.severity)]
        if row.kind is not Kind.BUG:
            facts.append(kind_word(say, row.kind))
        facts.append(say.many("{n} customer", "{n} customers", row.customers))
        facts.append(say.ago(row.age))
        if row.support_dev:
            facts.append(one_line(row.support_dev, 60))
        blocks.append(lines(title, [" · ".join(facts)]))
        buttons = _decide(say, row)
        if buttons:
            blocks.append(actions(*buttons))
    return blocks


def _decide(say: Say, row: HomeIssue) -> list[Block]:
    """The buttons that fit the stage; the others are on the card."""
    buttons = [button(say("Acknowledge"), "acknowledge", row.id, style="primary")] if row.stage is Stage.FILED else []
    if row.stage in (Stage.FILED, Stage.ACKNOWLEDGED, Stage.FIXED):
        buttons.append(button(say("Fixed by…"), "mark_fixed", row.id))
        buttons.append(button(say("Decline"), "decline", row.id))
    return buttons


def _team(say: Say, data: Home) -> list[Block]:
    team = data.team
    if team is None:
        return []
    waits = say.many("{n} customer waits for an end.", "{n} customers wait for an end.", team.waiting)
    owed = say.many("{n} write-back is due.", "{n} write-backs are due.", team.due)
    blocks = [lines([Bold(waits)], [Bold(owed)])]
    if team.due_by_agent:
        blocks += [
            lines([say("Write-backs due")]),
            bullets([[counted(say, agent, n)] for agent, n in team.due_by_agent]),
        ]
    if team.untriaged:
        rows: list[list[Piece]] = [[issue.link, f" {_title(issue)} · {say.ago(age)}"] for issue, age in team.untriaged]
        blocks += [lines([say("Waiting longest for somebody to take them")]), bullets(rows)]
    return blocks
