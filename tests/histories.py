"""Random histories of issues and their customers, in words and as the rows that the bot would have of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st
from sqlalchemy.orm import Session

from bot.model import Confirmation, Kind, News, Severity, Stage, WriteBack
from bot.store.database import Store
from bot.store.tables import Escalation, Hearing, History, Issue, NewsItem, Round, Row, Ticket, WriteBackRow

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
PROJECTS = ("shop", "app")
LABELS = ("from-support", "component:vat", "area/VAT", "Module::ledger", "slow", "SLOW", "component:")
AGENTS = ("U0ANA", "U0BEN")
WORDS = ("acknowledged", "fixed", "shipped", "reopened", "taken_back", "handed")


@dataclass(frozen=True)
class Customer:
    flagged: datetime
    agent: str
    gone: bool  # the ticket was taken off the issue
    told: datetime | None  # of what stands, if that is that it shipped
    written: datetime | None
    said: tuple[tuple[str, datetime], ...]  # works, still_broken
    words: str = "It stays white."


@dataclass(frozen=True)
class Case:
    """An issue; `joined`: another took its place."""

    project: str
    labels: tuple[str, ...]
    kind: Kind
    stage: Stage
    since: datetime  # at that stage
    happened: tuple[tuple[str, datetime], ...]
    customers: tuple[Customer, ...]
    joined: bool = False

    @property
    def live(self) -> list[Customer]:
        return [one for one in self.customers if not one.gone]


moments = st.integers(0, 90 * 24 * 60).map(lambda minutes: BEGIN + timedelta(minutes=minutes))
said = st.lists(st.tuples(st.sampled_from(["works", "still_broken"]), moments), max_size=2).map(tuple)
customers = st.builds(
    Customer,
    flagged=moments,
    agent=st.sampled_from(AGENTS),
    gone=st.sampled_from([False, False, False, True]),
    told=st.none() | moments,
    written=st.none() | moments,
    said=said,
)
cases = st.builds(
    Case,
    project=st.sampled_from(PROJECTS),
    labels=st.lists(st.sampled_from(LABELS), max_size=4, unique=True).map(tuple),
    kind=st.sampled_from([Kind.BUG, Kind.BUG, Kind.TOOLING]),
    stage=st.sampled_from([*Stage, Stage.SHIPPED, Stage.SHIPPED]),
    since=moments,
    happened=st.lists(st.tuples(st.sampled_from(WORDS), moments), max_size=6).map(tuple),
    customers=st.lists(customers, max_size=5).map(tuple),
    joined=st.sampled_from([False, False, False, False, True]),
)


@contextmanager
def stored(given: Sequence[Case]) -> Iterator[Session]:
    """The cases in a store of their own; an issue's id is `i` and its place."""
    store = Store("sqlite://")
    Row.metadata.create_all(store.engine)
    with store.write() as session:
        for place, case in enumerate(given):
            _keep(session, f"i{place}", case)
    with store.read() as session:
        yield session
    store.close()


def _keep(session: Session, ident: str, case: Case) -> None:
    session.add(
        Issue(
            **{"id": ident, "project": case.project, "tracker": "github", "repository": "acme/shop", "number": None},
            **{"title": f"Bug {ident}", "kind": case.kind, "severity": Severity.NORMAL, "stage": case.stage},
            **{"stage_since": case.since, "labels": list(case.labels), "channel": "C0", "created_at": BEGIN},
        )
    )
    session.flush()
    if case.joined:
        session.get_one(Issue, ident).joined = ident
    session.add_all(History(issue_id=ident, at=at, what=what) for what, at in case.happened)
    session.add(NewsItem(id=f"{ident}old", issue_id=ident, kind=News.SHIPPED, cause="o", stands=False, at=BEGIN))
    session.add(NewsItem(id=f"{ident}new", issue_id=ident, kind=News.SHIPPED, cause="n", at=case.since))
    session.flush()
    for place, one in enumerate(case.customers):
        _keep_customer(session, ident, f"{ident}e{place}", one)


def _keep_customer(session: Session, issue: str, ident: str, one: Customer) -> None:
    ticket = Ticket(words=one.words, customer_name=f"Nell {ident}", waiting_since=one.flagged)
    off = one.flagged if one.gone else None
    row = {"id": ident, "issue_id": issue, "agent": one.agent, "title": "t", "flagged_at": one.flagged}
    session.add(Escalation(ticket=ticket, taken_off=off, **row))
    session.flush()
    for news, when in (("old", BEGIN), ("new", one.told)):  # what was told of the old is told of no more
        ts = f"{when.timestamp():.6f}" if when else ""
        session.add(Round(id=f"{ident}{news}", cause=news, agent=one.agent, created_at=BEGIN, ts=ts))
        session.flush()
        heard = {"person": one.agent, "escalation_id": ident, "news_id": f"{issue}{news}", "round_id": f"{ident}{news}"}
        session.add(Hearing(**heard, at=BEGIN))
        done = one.written if news == "new" else BEGIN
        state = WriteBack.WRITTEN if done else WriteBack.DUE
        owed = {"escalation_id": ident, "news_id": f"{issue}{news}", "agent": one.agent, "state": state}
        row = WriteBackRow(**owed, due_at=BEGIN, done_at=done)
        if news == "new" and one.said:
            word, row.confirmed_at = max(one.said, key=lambda said: said[1])
            row.confirmation = Confirmation(word)
        session.add(row)
    session.add_all(History(issue_id=issue, escalation_id=ident, at=at, what=what) for what, at in one.said)
