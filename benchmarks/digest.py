"""Digests, the dashboard's pages and the tables at 1,000, 10,000 and 100,000 escalations, beside their own queries.

Run it from the checkout's root, with what the tests need: `python -m benchmarks.digest`, other sizes as arguments. On
SQLite in a file. The reference is the same statements with the same values, sent by Python's own driver and fetched, in
the same run. Exit code 1, with the reason, where something takes more than `TIMES` as long as that (beside `FIXED`,
which rendering costs whatever the size), or grows faster than the number of escalations.
"""

from __future__ import annotations

import io
import sqlite3
import statistics
import sys
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import process_time
from typing import Any

import httpx2
import sqlalchemy as sa
import structlog

from benchmarks.year import fill
from bot import exporting
from bot.configuration import Digest
from bot.slack.digests import MAKERS
from bot.slack.summary import Edition
from bot.store.scope import Scope
from bot.texts import Say
from tests.conftest import House

SIZES = (1_000, 10_000, 100_000)
RUNS = 5
TIMES = 3.0
OF_TABLES = 5.0
"""The same for tables of all escalations, where each of thirty cells of a line is made a text."""

FIXED = 60.0
"""Milliseconds: building statements and blocks, a page's template and its answer over HTTP, and the personal data taken
out of at most 37 quotes."""

SLACK = 1.5
"""How much faster than the escalations the time may grow, for a machine that does other things."""

PAGES = ("/", "/write-backs", "/issues/i0000001", "/causes", "/causes?by=month", "/causes.csv", "/times",
         "/times?days=365", "/health", "/metrics")  # fmt: skip


@dataclass(frozen=True)
class Measured:
    ours: float  # milliseconds of processor time, the median
    bare: float  # the same queries by the driver alone
    queries: int
    peak: float  # MB of Python's own that it held at once


def subjects(house: House) -> dict[str, Callable[[], Any]]:
    """What is measured, by name."""
    store, bridge = house.bot.store, house.bot.bridge
    client = httpx2.Client(base_url=house.server.url, trust_env=False, timeout=120)

    def edition(about: str, **of: Any) -> Callable[[], Any]:
        now = house.clock.now()
        wanted = {"name": "it", "about": about, "cron": "0 9 * * mon", "timezone": "UTC", "channel": "C0SUPPORT"}
        one = Edition(
            **{"bridge": bridge, "people": house.bot.people, "digest": Digest.model_validate(wanted), "say": Say()},
            **{"since": now - timedelta(days=7), "now": now, **of},
        )

        def make() -> None:
            with store.read() as session:
                MAKERS[about](session, one)

        return make

    def page(path: str) -> Callable[[], Any]:
        def get() -> None:
            assert client.get(path).status_code == 200, path

        return get

    def export(table: str) -> Callable[[], Any]:
        asked, now = exporting.Asked(house.bot.settings.config), house.clock.now()

        def write() -> None:
            with store.read() as session:
                rows = asked.escalations(session, Scope(), customers=True)
                if table == "times":
                    rows = asked.took(session, Scope(), now - timedelta(days=366), now)
                exporting.write(_Nowhere(), rows)

        return write

    return {
        **{f"digest: {about}": edition(about) for about in ("unresolved", "causes")},
        "digest: queue": edition("queue", person="U0LEO"),
        **{path: page(path) for path in PAGES},
        "export --csv": export("escalations"),
        "export --times, all": export("times"),
    }


class _Nowhere(io.RawIOBase):
    """Where a table is written to that nobody keeps."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return len(data)


@contextmanager
def noted(house: House) -> Iterator[list[tuple[str, Any]]]:
    """The queries that are sent meanwhile, with their values."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, given: Any, *_: Any) -> None:
        if statement.startswith(("SELECT", "WITH")):
            sent.append((statement, given))

    engine = house.bot.store.engine
    sa.event.listen(engine, "before_cursor_execute", note)
    yield sent
    sa.event.remove(engine, "before_cursor_execute", note)


def median(act: Callable[[], Any]) -> float:
    """Milliseconds of this process alone, whatever else the machine does; the web side is in it."""
    found = []
    for _ in range(RUNS):
        began = process_time()
        act()
        found.append((process_time() - began) * 1000)
    return statistics.median(found)


def measure(house: House, act: Callable[[], Any]) -> Measured:
    act()  # what is made once, such as a statement's text, is made
    with noted(house) as sent:
        act()
    with sqlite3.connect(str(house.bot.store.engine.url.database)) as bare:

        def again() -> None:
            for statement, given in sent:
                for _ in bare.execute(statement, given):
                    pass

        theirs = median(again)
    ours = median(act)
    tracemalloc.start()
    act()
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return Measured(ours, theirs, len(sent), peak)


def town(size: int) -> dict[str, Measured]:
    """Everything at one size."""
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder))
        try:
            fill(house.bot.store, size, house.clock.now())
            return {name: measure(house, act) for name, act in subjects(house).items()}
        finally:
            house.close()


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    sizes = [int(given) for given in sys.argv[1:]] or [*SIZES]
    found: dict[int, dict[str, Measured]] = {}
    head = f"{'':<22}{'ms':>9}{'bare ms':>9}{'ratio':>7}{'queries':>9}{'peak MB':>9}{'growth':>8}"
    wrong = []
    for place, size in enumerate(sizes):
        found[size] = town(size)
        print(f"\n{size:,} escalations\n{head}")  # noqa: T201
        for name, one in found[size].items():
            before = found[sizes[place - 1]][name].ours if place else 0.0
            growth = f"{one.ours / before:>7.1f}x" if place else ""
            ratio = one.ours / max(one.bare, 0.1)
            line = f"{name:<22}{one.ours:>9.1f}{one.bare:>9.1f}{ratio:>7.1f}{one.queries:>9}{one.peak:>9.1f}{growth}"
            print(line)  # noqa: T201
            most = OF_TABLES if name.startswith("export") else TIMES
            if one.ours > most * one.bare + FIXED:
                wrong.append(f"{name} at {size:,}: {one.ours:.0f} ms, its queries {one.bare:.0f} ms")
            if place and one.ours > max(before * size / sizes[place - 1] * SLACK, FIXED):
                wrong.append(f"{name} grows {one.ours / before:.1f} times from {sizes[place - 1]:,} to {size:,}")
    if wrong:
        sys.exit("\n".join(["", "Slower than promised:", *wrong]))


if __name__ == "__main__":
    main()
