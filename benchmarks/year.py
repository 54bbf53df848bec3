"""A year of a support team's work as rows that the bot itself would have: issues with their customers and histories."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.model import Confirmation, Kind, News, Severity, Stage, WriteBack
from bot.store.database import Store
from bot.store.tables import (
    Escalation,
    Hearing,
    History,
    Issue,
    NewsItem,
    Person,
    Round,
    Row,
    Ticket,
    WriteBackRow,
)

AGENTS = 20
MOST = 40
"""Customers of one issue."""

YEAR = timedelta(days=365)
PROJECTS = ("shop", "app", "billing")
WORDS = ("export", "invoice", "voucher", "login", "search", "payment", "upload", "mail", "slow", "blank", "cart")
LABELS = (
    *(f"component:{name}" for name in ("checkout", "search", "accounts", "mail", "exports", "import", "api")),
    *("area/mobile", "area/print", "module::ledger"),
    *("regression", "data loss", "slow", "accessibility", "customer: gold", "needs design", "flaky", "security"),
)
BACK = ("reopened", "taken_back")
SAID = "It stays white after I press the button, and I wrote to you about it from {name}@example.com last week. " * 3


@dataclass
class _Rows:
    """Rows of all tables, written a few thousand at a time."""

    session: sa.Connection
    waiting: dict[type[Row], list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, table: type[Row], **values: Any) -> None:
        self.waiting.setdefault(table, []).append(values)

    def flush(self) -> None:
        for table in (Person, Ticket, Issue, Escalation, NewsItem, Round, Hearing, WriteBackRow, History):
            if rows := self.waiting.pop(table, []):
                self.session.execute(sa.insert(table), rows)


def fill(store: Store, escalations: int, now: datetime, seed: int = 5) -> None:
    """So many escalations of the year before `now`: the same rows at each run."""
    chance = random.Random(seed)  # noqa: S311
    with store.write() as session:
        rows = _Rows(session.connection())
        for number in range(AGENTS):
            rows.add(Person, id=f"U0AGENT{number}", name=f"Agent {number}", member=True, fetched_at=now)
        made = number = 0
        while made < escalations:
            crowd = min(MOST, escalations - made, max(1, int(chance.paretovariate(1.1))))
            _issue(rows, chance, number, made, crowd, now)
            made, number = made + crowd, number + 1
            if number % 500 == 0:
                rows.flush()
        rows.flush()


def _issue(rows: _Rows, chance: random.Random, number: int, first: int, crowd: int, now: datetime) -> None:
    """An issue, the customers from the ticket `first` on who have it, and how far it came."""
    ident, created = f"i{number:07}", now - chance.random() * YEAR
    labels = ["from-support", *chance.sample(LABELS, chance.choice((0, 1, 1, 2, 3)))]
    happened = list(_happened(chance, created, now))
    stage, since = happened[-1] if happened else (Stage.FILED, created)
    title = f"The {chance.choice(WORDS)} of the {chance.choice(WORDS)} fails"
    rows.add(
        Issue,
        **{"id": ident, "project": chance.choice(PROJECTS), "tracker": "github", "repository": "acme/shop"},
        **{"number": number + 1, "url": f"https://github.example/acme/shop/issues/{number + 1}", "title": title},
        **{"kind": Kind.TOOLING if chance.random() < 0.1 else Kind.BUG, "severity": chance.choice([*Severity])},
        **{"stage": stage, "stage_since": since, "labels": labels, "channel": "C0SUPPORTDEV", "created_at": created},
        support_dev=f"U0AGENT{number % 3}",
    )
    for reached, at in happened:
        rows.add(History, issue_id=ident, escalation_id=None, at=at, what=reached.value, by="")
        if reached is Stage.FIXED and chance.random() < 0.1:
            rows.add(History, issue_id=ident, escalation_id=None, at=at, what=chance.choice(BACK), by="")
    news = f"n{number:07}" if stage in (Stage.SHIPPED, Stage.DECLINED) else ""
    if news:
        kind = News.SHIPPED if stage is Stage.SHIPPED else News.DECLINED
        rows.add(NewsItem, id=news, issue_id=ident, kind=kind, cause=f"release:{number}", at=since)
        for agent in range(min(AGENTS, crowd)):
            told = {"id": f"r{number:07}-{agent}", "cause": f"release:{number}", "agent": f"U0AGENT{agent}"}
            at = since + timedelta(seconds=chance.randrange(1, 60))
            rows.add(Round, **told, created_at=since, sealed_at=at, channel="D0", ts=f"{at.timestamp():.6f}")
    for place in range(crowd):
        flagged = created + chance.random() ** 3 * (min(now, created + timedelta(days=40)) - created)
        flagged = created if place == 0 else flagged
        _escalation(rows, chance, ident, news, number, first + place, place, flagged, max(since, flagged), title)


def _happened(chance: random.Random, at: datetime, now: datetime) -> Iterable[tuple[Stage, datetime]]:
    """The stages that an issue came to, until now. Most ship; one in ten is declined, some fall back."""
    for stage, days in ((Stage.ACKNOWLEDGED, 1.0), (Stage.FIXED, 12.0), (Stage.SHIPPED, 4.0)):
        at += timedelta(days=chance.lognormvariate(0, 1) * days)
        if at >= now:
            return
        if stage is Stage.FIXED and chance.random() < 0.1:
            yield Stage.DECLINED, at
            return
        yield stage, at


def _escalation(
    rows: _Rows,
    chance: random.Random,
    issue: str,
    news: str,
    number: int,
    ticket: int,
    place: int,
    flagged: datetime,
    due: datetime,
    title: str,
) -> None:
    ident, agent = f"e{ticket:07}", f"U0AGENT{place % AGENTS}"
    rows.add(
        Ticket,
        **{"id": f"t{ticket:07}", "helpdesk": "zendesk", "number": str(20_000 + ticket), "subject": title},
        **{"customer_name": f"Customer {ticket}", "customer_email": f"customer{ticket}@example.com"},
        **{"words": SAID.format(name=f"customer{ticket}"), "language": chance.choice(["en", "fr"])},
        **{"url": f"https://acme.zendesk.example/agent/tickets/{20_000 + ticket}", "waiting_since": flagged},
    )
    rows.add(
        Escalation,
        **{"id": ident, "ticket_id": f"t{ticket:07}", "issue_id": issue, "agent": agent, "title": title},
        flagged_at=flagged,
    )
    line = {"issue_id": issue, "escalation_id": ident}
    rows.add(History, **line, at=flagged, what="attached" if place else "flagged", by=agent)
    if not news:
        return
    state = chance.choice([WriteBack.DUE, WriteBack.SKIPPED, *[WriteBack.WRITTEN] * 8])
    done = due + timedelta(days=chance.lognormvariate(-1, 1)) if state is not WriteBack.DUE else None
    said = chance.choice([None] * 8 + [Confirmation.WORKS, Confirmation.STILL_BROKEN]) if done else None
    answered = done + timedelta(days=chance.random() * 3) if done else None
    rows.add(
        WriteBackRow,
        **{"id": f"w{ticket:07}", "escalation_id": ident, "news_id": news, "agent": agent, "state": state},
        **{"due_at": due, "done_at": done, "confirmation": said, "confirmed_at": answered},
    )
    round_id = f"r{number:07}-{place % AGENTS}"
    rows.add(Hearing, person=agent, escalation_id=ident, news_id=news, round_id=round_id, at=due)
    rows.add(History, **line, at=due, what="told", by=agent)
    if state is WriteBack.WRITTEN and done:
        rows.add(History, **line, at=done, what="written", by=agent)
        if said:
            rows.add(History, **line, at=answered, what=said.value, by=agent)
