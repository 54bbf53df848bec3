"""The Home tab within Slack's limits, whatever people wrote, on a full page of each of its lists."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from bot.model import Kind, News, Severity, Stage
from bot.slack import views
from bot.slack.views.home import (
    MINE,
    QUEUE,
    ROWS,
    TEAM,
    Home,
    HomeCustomer,
    HomeIssue,
    HomeState,
    HomeTeam,
    home,
    home_refused,
)
from integrations.sandbox.blocks import problems
from tests.test_views import HOSTILE, SAY


def full(text: str, tab: str, state: HomeState) -> Home:
    """Every row, select and figure there can be, with `text` wherever others decide what stands there."""
    issue = views.IssueName(title=text, label=text, url="https://github.example/acme/shop/issues/12?" + "&" * 350)
    proof = views.Proof(sha="3f2a91c" * 5, pull=7, version=text, version_url="https://x.example", word=text, by=text)
    ticket = views.TicketName(number=text[:5_000] or "4211", url="https://acme.example/tickets/1", helpdesk=text)
    rows = tuple(
        HomeCustomer(
            ticket=ticket,
            issue=issue,
            customer=text,
            language=text[:50_000] or "fr",
            waited=timedelta(days=3),
            stage=[*Stage][n % 6],
            write_back_id=f"w{n}",
            doubtful=n % 2 == 0,
            news=views.NewsLine(news=[*News][n % 5], issue=issue, reason=text, proof=proof),
            owner=text,
        )
        for n in range(ROWS)
    )
    queue = tuple(
        HomeIssue(
            id=f"i{n}",
            issue=issue,
            stage=[*Stage][n % 6],
            kind=Kind.TOOLING,
            severity=Severity.CRITICAL,
            customers=10_000,
            age=timedelta(days=900),
            support_dev=text,
        )
        for n in range(ROWS)
    )
    team = HomeTeam(
        waiting=10_000, due=9_999, due_by_agent=((text, 7),) * 10, untriaged=((issue, timedelta(days=900)),) * 3
    )
    return Home(
        state=state,
        tabs=(MINE, QUEUE, TEAM),
        projects=tuple((f"p{n}", text) for n in range(150)),
        due=rows,
        due_count=9_999,
        waiting=rows,
        counts=dict.fromkeys(Stage, 1_000),
        queue=queue,
        team=team,
        total=10_000,
    )


@pytest.mark.parametrize("tab", [MINE, QUEUE, TEAM])
@pytest.mark.parametrize("name", HOSTILE)
def test_full_pages_are_within_the_limits(name: str, tab: str) -> None:
    """Slack would take them, and nobody's words are markup."""
    text = HOSTILE[name]
    state = HomeState(tab=tab, project="p3", search="x" * 100, page=40, turn=9)
    view = home(SAY, full(text, tab, state))
    assert problems(view) == []
    assert '"mrkdwn"' not in json.dumps(view)
    assert problems(home_refused(SAY)) == []


def test_the_state_comes_back_as_it_went() -> None:
    """What a view carries is what was chosen."""
    state = HomeState(tab=QUEUE, project="shop", stage="filed", severity="low", kind="bug", search="é “x”", page=3)
    assert HomeState.read(state.metadata) == state
    assert HomeState.read(state.chosen("search", "a" * 5_000).metadata).page == 0
    assert len(state.chosen("search", '"' * 5_000).metadata) < 3_000


def test_no_button_of_a_row_is_lost_on_a_full_page() -> None:
    """Twelve customers have their buttons, and the page can be turned."""
    blocks = str(home(SAY, full("x", MINE, HomeState(tab=MINE, page=1)))["blocks"])
    assert blocks.count("'action_id': 'write_back'") == ROWS
    assert "'home_back'" in blocks
    assert "'home_further'" in blocks
