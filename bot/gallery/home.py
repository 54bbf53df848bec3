"""The Home tab: an agent's, a Support Dev's and a lead's, full, empty, narrowed and on a later page."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.gallery.contents import Contents
from bot.gallery.sample import Made, show
from bot.model import Kind, News, Severity, Stage
from bot.slack.views import Proof, home as tab
from bot.slack.views.home import MINE, QUEUE, ROWS, TEAM, Home, HomeCustomer, HomeIssue, HomeState, HomeTeam
from bot.texts import Say

_ALL = (MINE, QUEUE, TEAM)


def samples(say: Say, of: Contents) -> Made:
    projects = (("shop", of.project), ("app", of.other_project))
    mine = _mine(of)
    yield "An agent’s", show(tab.home, say, mine)
    yield "An agent’s, nothing waits", show(tab.home, say, Home(state=HomeState(tab=MINE), tabs=(MINE,)))
    later = replace(mine, state=HomeState(tab=MINE, page=1), due=(), total=3 * ROWS)
    yield "An agent’s, a later page", show(tab.home, say, later)
    queue = replace(_queue(of), tabs=_ALL, projects=projects)
    yield "A Support Dev’s queue", show(tab.home, say, queue)
    narrowed = HomeState(tab=QUEUE, project="shop", stage=Stage.FILED, severity="high", search=of.title[:100], turn=1)
    yield "The queue, narrowed", show(tab.home, say, replace(queue, state=narrowed))
    yield "The queue, nothing fits", show(tab.home, say, replace(queue, state=narrowed, queue=(), total=0))
    yield "The queue, empty", show(tab.home, say, replace(queue, queue=(), total=0))
    team = HomeTeam(
        waiting=of.many * 20,
        due=of.many,
        due_by_agent=tuple((agent, n + 1) for n, agent in enumerate(of.agents[:8])),
        untriaged=((of.issue, of.waited), (of.other, timedelta(hours=30))),
    )
    whole = replace(mine, state=HomeState(tab=TEAM), tabs=_ALL, projects=projects, team=team)
    yield "A lead’s", show(tab.home, say, whole)
    quiet = Home(state=HomeState(tab=TEAM), tabs=_ALL, projects=projects, team=HomeTeam())
    yield "A lead’s, nothing waits", show(tab.home, say, quiet)
    yield "For a stranger", show(tab.home_refused, say)
    yield "When it cannot be shown", show(tab.home_refused, say, of.sentence)


def _customer(of: Contents, n: int) -> HomeCustomer:
    facts = of.facts(n)
    return HomeCustomer(
        ticket=facts.ticket,
        issue=of.issue if n % 2 else of.other,
        customer=facts.customer,
        language=facts.language,
        waited=facts.waited,
    )


def _mine(of: Contents) -> Home:
    shipped, live = of.news(), of.news(proof=of.deployed)
    declined = of.news(News.DECLINED, Proof(), of.reason)
    due = (
        replace(_customer(of, 0), write_back_id="w0", news=shipped),
        replace(_customer(of, 1), write_back_id="w1", news=declined, owner=of.agents[0]),
        replace(_customer(of, 2), write_back_id="w2", news=live, doubtful=True),
    )
    stages = (Stage.FILED, Stage.ACKNOWLEDGED, Stage.FIXED)
    waiting = tuple(replace(_customer(of, n + 3), stage=stages[n // 3]) for n in range(9))
    return Home(
        state=HomeState(tab=MINE),
        tabs=(MINE,),
        due=due,
        due_count=of.many,
        waiting=waiting,
        counts=dict.fromkeys(stages, of.many),
        total=len(due) + len(waiting),
    )


def _queue(of: Contents) -> Home:
    stages = (Stage.FILED, Stage.ACKNOWLEDGED, Stage.FIXED, Stage.SHIPPED)
    rows = tuple(
        HomeIssue(
            id=f"i{n}",
            issue=of.issue if n % 2 else of.other,
            stage=stages[n % 4],
            kind=Kind.TOOLING if n == 1 else Kind.BUG,
            severity=list(Severity)[n % 4],
            customers=of.many - n,
            age=of.waited,
            support_dev=of.support_dev if n % 2 else "",
        )
        for n in range(min(of.many + 1, ROWS))
    )
    return Home(state=HomeState(tab=QUEUE), tabs=_ALL, queue=rows, total=max(of.many * 20, len(rows)))
