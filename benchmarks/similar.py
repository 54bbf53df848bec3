"""How often the issue that a ticket belongs to is among the first named, how fast, and with how much memory.

Run it from the checkout's root: `python -m benchmarks.similar --sets <folder>`; the folder (or the environment's
PASSERELLE_DUPLICATE_SETS) holds `<set>-corpus.jsonl.xz`, one issue a line by time (`id, n, title, body, created,
closed?, cluster?`), and `<set>-queries.jsonl.xz` (`id, n, dups, split`). A query is a later duplicate's own title and
body; one of its `dups` among the first k is a hit.

Played in the order of time, through the real store: when a query is asked, the index knows what was known by then, no
more. An issue is open until the day it was closed; a duplicate becomes a ticket on its issue on the day when somebody
closed it as one. The reference, on the same rows, is what one would write first: count the title's words by `LIKE`.
"""

from __future__ import annotations

import argparse
import json
import lzma
import multiprocessing
import os
import re
import resource
import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from time import perf_counter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.model import Kind, Severity
from bot.store import index
from bot.store.database import Store
from bot.store.indexed import KnownIssue
from bot.store.tables import Escalation, Issue, Ticket
from integrations.base import Listed

PROJECT, REPOSITORY = "shop", "acme/shop"
FIRST = (1, 5, 10)
Entry = dict[str, Any]


def lines(path: Path) -> list[Entry]:
    with lzma.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def listed(entry: Entry, number: int, closed: datetime | None = None) -> Listed:
    came = time(entry["created"])
    return Listed(number, "", entry["title"], entry["body"], closed is None, came, closed or came, closed)


@dataclass
class Replay:
    """One tracker's history, told to the index as it happened."""

    session: Session
    corpus: list[Entry]

    def __post_init__(self) -> None:
        self.by_id = {entry["id"]: entry for entry in self.corpus}
        self.ends = sorted((time(entry["closed"]), entry["n"], entry) for entry in self.corpus if "closed" in entry)
        self.known = self.ended = 0

    def until(self, query: Entry) -> datetime:
        """Tell all that came before this query, and all that was closed by then."""
        now = time(self.by_id[query["id"]]["created"])
        while self.corpus[self.known]["n"] < query["n"]:
            entry = self.corpus[self.known]
            index.put(self.session, PROJECT, REPOSITORY, listed(entry, entry["n"]))
            self.known += 1
        while self.ended < len(self.ends) and self.ends[self.ended][0] <= now:
            at, number, entry = self.ends[self.ended]
            if number < query["n"]:
                self.close(entry, at)
            self.ended += 1
        self.session.expunge_all()
        return now

    def close(self, entry: Entry, at: datetime) -> None:
        original = self.by_id.get(entry.get("cluster", ""))
        if original is None or original["n"] >= entry["n"]:
            index.put(self.session, PROJECT, REPOSITORY, listed(entry, entry["n"], at))
            return
        index.drop(self.session, PROJECT, REPOSITORY, entry["n"])
        escalation = attach(self.session, original["n"], time(entry["created"]), entry["title"])
        index.pool(self.session, escalation.id, entry["title"], entry["body"])


def attach(session: Session, number: int, at: datetime, title: str) -> Escalation:
    """A ticket on that issue, which becomes ours by it."""
    known = session.scalars(sa.select(KnownIssue).where(KnownIssue.number == number)).one()
    if known.issue_id is None:
        issue = Issue(
            project=PROJECT, tracker="github", repository=REPOSITORY, number=number, title=known.title, kind=Kind.BUG
        )
        issue.severity, issue.stage_since, issue.created_at, issue.channel = Severity.NORMAL, at, at, ""
        session.add(issue)
        session.flush()
        known.issue_id = issue.id
    ticket = Ticket(waiting_since=at)
    session.add(ticket)
    session.flush()
    escalation = Escalation(ticket_id=ticket.id, issue_id=known.issue_id, agent="", title=title, flagged_at=at)
    session.add(escalation)
    session.flush()
    return escalation


def by_like(session: Session, title: str) -> list[int]:
    """The reference: issues whose titles hold most of these words, new before old."""
    words = sorted({word.lower() for word in re.findall(r"\w{3,}", title)})[:20]
    if not words:
        return []
    shared = sum((sa.case((KnownIssue.title.icontains(word), 1), else_=0) for word in words), sa.literal(0))
    query = sa.select(KnownIssue.number).order_by(shared.desc(), KnownIssue.id.desc()).limit(max(FIRST))
    return list(session.scalars(query))


def recall(folder: Path, name: str, url: str, splits: tuple[str, ...], reference: bool) -> Iterator[str]:
    """Play one set, and tell the shares of its queries that were hit."""
    corpus, queries = lines(folder / f"{name}-corpus.jsonl.xz"), lines(folder / f"{name}-queries.jsonl.xz")
    numbers = {entry["id"]: entry["n"] for entry in corpus}
    hits = {(split, way): [0, 0, 0] for split in splits for way in ("index", "LIKE")}
    store = Store(url)
    store.migrate()
    with store.write() as session:
        replay = Replay(session, corpus)
        for query in sorted(queries, key=lambda one: int(one["n"])):
            now, asked = replay.until(query), replay.by_id[query["id"]]
            if query["split"] not in splits:
                continue
            found = index.find(session, asked["title"], asked["body"], [PROJECT], now, max(FIRST))
            ways = {"index": [one.number for one in found]}
            if reference:
                ways["LIKE"] = by_like(session, asked["title"])
            good = {numbers[one] for one in query["dups"]}
            for way, named in ways.items():
                for at, first in enumerate(FIRST):
                    hits[query["split"], way][at] += bool(good & set(named[:first]))
    store.close()
    for (split, way), counts in hits.items():
        total = sum(query["split"] == split for query in queries)
        if way == "index" or reference:
            yield f"{name:<12}{split:<6}{way:<7}" + "".join(f"{count / total:>7.3f}" for count in counts)


def grown(store: Store, entries: list[Entry], size: int) -> float:
    """Fill the store with that many issues; seconds for each."""
    store.migrate()
    began = perf_counter()
    numbered = enumerate(islice(cycle(entries), size), 1)
    while batch := list(islice(numbered, 200)):
        with store.write(wake=False) as session:
            for number, entry in batch:
                index.put(session, PROJECT, REPOSITORY, listed(entry, number))
    return (perf_counter() - began) / size


def resident() -> float:
    """The megabytes that this process holds, on Linux; elsewhere the most that it ever held."""
    pages = Path("/proc/self/statm")
    if pages.exists():
        return int(pages.read_text().split()[1]) * resource.getpagesize() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def timed(url: str, asked: list[tuple[str, str]]) -> tuple[list[float], float]:
    """Seconds for each question, and the megabytes by which this process grew."""
    store = Store(url)
    now = datetime.now(UTC)
    with store.read() as session:
        session.execute(sa.text("SELECT 1"))
    before = resident()
    took = []
    for title, text in asked:
        began = perf_counter()
        with store.read() as session:
            index.find(session, title, text, [PROJECT], now)
        took.append(perf_counter() - began)
    grew = resident() - before
    store.close()
    return took, grew


def speed(folder: Path, names: list[str], sizes: list[int], base: str) -> Iterator[str]:
    """Fill the index to each size, and tell what a question takes in a process of its own."""
    entries = [entry for name in names for entry in lines(folder / f"{name}-corpus.jsonl.xz")]
    asked = [(entry["title"], entry["body"]) for entry in entries[:: max(1, len(entries) // 300)]]
    for size in sizes:
        with tempfile.TemporaryDirectory() as place:
            url = base or f"sqlite:///{place}/index.db"
            store = Store(url)
            each = grown(store, entries, size)
            store.close()
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                took, grew = pool.apply(timed, (url, asked))
            disk = sum(file.stat().st_size for file in Path(place).iterdir()) / 2**20
        cuts = statistics.quantiles(took, n=20)
        p50, p95 = cuts[9] * 1000, cuts[18] * 1000
        yield f"{size:>8}{p50:>8.0f}{p95:>8.0f}{max(took) * 1000:>8.0f}{each * 1000:>10.1f}{grew:>10.0f}{disk:>10.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Recall and speed of likely duplicates")
    parser.add_argument("--sets", type=Path, default=os.environ.get("PASSERELLE_DUPLICATE_SETS"))
    parser.add_argument("--splits", default="dev,test")
    parser.add_argument("--sizes", default="5000,20000,100000", help="issues; empty: leave the speed out")
    parser.add_argument("--no-reference", action="store_true")
    parser.add_argument("--database", default="", help="an empty one; default: SQLite in a temporary folder")
    given = parser.parse_args()
    if given.sets is None:
        parser.error("name the folder of the duplicate sets: --sets, or PASSERELLE_DUPLICATE_SETS")
    names = sorted(path.name.removesuffix("-corpus.jsonl.xz") for path in given.sets.glob("*-corpus.jsonl.xz"))
    if given.splits:
        print(f"{'set':<12}{'split':<6}{'way':<7}" + "".join(f"{f'@{first}':>7}" for first in FIRST))  # noqa: T201
    for name in names if given.splits else []:
        with tempfile.TemporaryDirectory() as place:
            url = given.database or f"sqlite:///{place}/index.db"
            for line in recall(given.sets, name, url, tuple(given.splits.split(",")), not given.no_reference):
                print(line, flush=True)  # noqa: T201
    if given.sizes:
        heads = ("p50 ms", "p95 ms", "max ms", "put ms", "+MB RAM", "MB disk")
        print(f"{'issues':>8}" + "".join(f"{head:>{10 if at > 2 else 8}}" for at, head in enumerate(heads)))  # noqa: T201
        for line in speed(given.sets, names, [int(size) for size in given.sizes.split(",")], given.database):
            print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
