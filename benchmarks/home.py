"""The Home tab at ten thousand escalations: what building it costs, beside its own queries run bare.

Run it from the checkout's root, with what the tests need: `python -m benchmarks.home`. On SQLite in a file; the
reference is the same statements with the same values, sent by Python's own driver and fetched, in the same run.
"""

from __future__ import annotations

import random
import sqlite3
import statistics
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import sqlalchemy as sa
import structlog

from bot.bridge.rights import Roles
from bot.model import Kind, News, Severity, Stage, WriteBack
from bot.slack import home_page
from bot.slack.views.home import HomeState, home
from bot.store.tables import Escalation, Issue, NewsItem, Person, Ticket, WriteBackRow
from bot.texts import Say
from tests.conftest import House

ESCALATIONS, ISSUES, AGENTS = 10_000, 3_000, 20
TIMES = 30
LEAD = Roles(flags=True, decides=("shop",), leads=True)

VIEWS: dict[str, tuple[str, Roles, HomeState]] = {
    "agent": ("U0AGENT0", Roles(flags=True), HomeState(tab="mine")),
    "agent, last page": ("U0AGENT0", Roles(flags=True), HomeState(tab="mine", page=10_000)),
    "agent, search": ("U0AGENT0", Roles(flags=True), HomeState(tab="mine", search="export 12")),
    "Support Dev": ("U0LEO", Roles(decides=("shop",)), HomeState(tab="queue")),
    "Support Dev, page 50": ("U0LEO", Roles(decides=("shop",)), HomeState(tab="queue", page=49)),
    "Support Dev, search": ("U0LEO", Roles(decides=("shop",)), HomeState(tab="queue", search="export 12")),
    "lead": ("U0MAYA", LEAD, HomeState(tab="team")),
    "lead, shipped, critical": ("U0MAYA", LEAD, HomeState(tab="team", stage="shipped", severity="critical")),
}


def fill(house: House) -> None:
    """Rows as the bot itself would have them: a third of the issues settled, with write-backs in all states."""
    chance, now = random.Random(5), house.clock.now()  # noqa: S311 (the same rows at each run)
    words = ("export", "invoice", "voucher", "login", "search", "payment", "upload", "mail", "slow", "blank")
    stages = [*Stage, Stage.FILED, Stage.ACKNOWLEDGED, Stage.FILED]
    with house.bot.store.write() as session:
        for number in range(AGENTS):
            session.add(Person(id=f"U0AGENT{number}", name=f"Agent {number}", member=True, fetched_at=now))
        issues, news = [], {}
        for number in range(ISSUES):
            stage = chance.choice(stages)
            since = now - timedelta(minutes=chance.randrange(400_000))
            issue = Issue(
                **{"project": "shop", "tracker": "github", "repository": "acme/shop", "channel": "C0SUPPORTDEV"},
                **{"number": None if stage is Stage.FILING else number, "support_dev": f"U0AGENT{number % 3}"},
                **{"title": f"The {chance.choice(words)} of the {chance.choice(words)} fails", "stage": stage},
                **{"kind": chance.choice([*Kind]), "severity": chance.choice([*Severity])},
                **{"stage_since": since, "created_at": since, "heard_until": None},
            )
            session.add(issue)
            issues.append(issue)
        session.flush()
        for issue in issues:
            if issue.stage in (Stage.SHIPPED, Stage.DECLINED):
                proof = {"fixes": [{"sha": "3f2a91c" * 5, "pull": 7, "url": "https://x.example/c", "pull_url": ""}]}
                kind = News.SHIPPED if issue.stage is Stage.SHIPPED else News.DECLINED
                news[issue.id] = NewsItem(issue_id=issue.id, kind=kind, cause="c", proof=proof, at=now)
                session.add(news[issue.id])
        session.flush()
        states = [*WriteBack, *[WriteBack.WRITTEN] * 6]
        for number in range(ESCALATIONS):
            issue, agent = issues[min(chance.randrange(ISSUES), chance.randrange(ISSUES))], number % AGENTS
            ticket = Ticket(
                **{"helpdesk": "zendesk", "number": str(20_000 + number), "customer_name": f"Customer {number}"},
                **{"words": "It stays white. " * 60, "language": chance.choice(["en", "fr"])},
                waiting_since=now - timedelta(minutes=chance.randrange(400_000)),
            )
            one = Escalation(
                **{"ticket": ticket, "issue_id": issue.id, "agent": f"U0AGENT{agent}", "title": issue.title},
                flagged_at=ticket.waiting_since,
            )
            session.add(one)
            session.flush()
            if issue.id in news:
                row = {"escalation_id": one.id, "news_id": news[issue.id].id, "agent": one.agent}
                session.add(WriteBackRow(**row, state=chance.choice(states), due_at=now))


def timed(act: Callable[[], Any]) -> float:
    """The median of milliseconds."""
    found = []
    for _ in range(TIMES):
        began = perf_counter()
        act()
        found.append((perf_counter() - began) * 1000)
    return statistics.median(found)


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder))
        try:
            fill(house)
            print(f"{'the Home tab of':<24} {'ms':>7} {'queries':>8} {'bare ms':>8} {'ratio':>6}")  # noqa: T201
            for name, (person, roles, state) in VIEWS.items():
                measure(house, name, person, roles, state)
        finally:
            house.close()


def measure(house: House, name: str, person: str, roles: Roles, state: HomeState) -> None:
    bridge, sent = house.bot.bridge, []

    def build() -> None:
        home(Say(), home_page.page(bridge, person, roles, state))

    def note(_connection: Any, _cursor: Any, statement: str, given: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            sent.append((statement, given))

    sa.event.listen(house.bot.store.engine, "before_cursor_execute", note)
    build()
    sa.event.remove(house.bot.store.engine, "before_cursor_execute", note)
    bare = sqlite3.connect(str(house.bot.store.engine.url.database))

    def again() -> None:
        for statement, given in sent:
            bare.execute(statement, given).fetchall()

    ours, theirs = timed(build), timed(again)
    bare.close()
    print(f"{name:<24} {ours:>7.1f} {len(sent):>8} {theirs:>8.1f} {ours / theirs:>6.1f}")  # noqa: T201


if __name__ == "__main__":
    main()
