"""The effect ledger under any order of failures, crashes and waiting: in the end, each promise kept exactly once."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy.orm import Session

from bot import outbox
from bot.clock import FakeClock
from bot.outbox import Job, Outbox
from bot.store.tables import Effect
from integrations.base import ServiceError, Unavailable
from tests.box import LEASE, QUIET, START
from tests.conftest import new_store
from tests.test_shipping_random import FRESH

SUBJECTS = "abc"
LANDS_AFTER = QUIET * 5 / 6
"""How long after its call a late effect lands: always before the quiet period is over, but not long before."""

ENDS = ("done", "lost", "lost answer", "late", "refused", "limited", "fault before", "fault after", "killed before")
ENDS += ("killed after", "killed late")
LOOKS = ("works", "fails", "refused", "killed")


class Killed(BaseException):
    """The process dies here."""


class Shelf:
    """A service in memory: what landed there, and what is still on its way."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.landed: list[str] = []
        self._coming: list[tuple[Any, str]] = []
        self.end, self.look_ends = "done", "works"

    def arrive(self) -> None:
        due = [key for at, key in self._coming if at <= self.clock.now()]
        self._coming = [(at, key) for at, key in self._coming if at > self.clock.now()]
        self.landed += due

    def call(self, key: str) -> None:
        """One call, ending as it was told to."""
        end = self.end
        if end in ("done", "lost answer", "fault after", "killed after"):
            self.landed.append(key)
        if end == "late":
            self._coming.append((self.clock.now() + LANDS_AFTER, key))
        if end == "killed late":  # the call began when the lease was nearly over
            self._coming.append((self.clock.now() + LEASE + LANDS_AFTER, key))
        if end in ("lost", "lost answer", "late"):
            raise Unavailable("shelf", "no answer")
        if end == "refused":
            raise Unavailable("shelf", "cannot connect", maybe_done=False)
        if end == "limited":
            raise Unavailable("shelf", "rate limit", retry_after=7, maybe_done=False)
        if end.startswith("fault"):
            raise ValueError(end)
        if end.startswith("killed"):
            raise Killed

    def look(self, key: str) -> bool:
        if self.look_ends in ("fails", "refused"):
            raise Unavailable("shelf", "no answer", maybe_done=False)
        if self.look_ends == "killed":
            raise Killed
        self.arrive()
        return key in self.landed


class Placing:
    """Performs an effect by placing its key on the shelf; each settled key makes one that follows from it."""

    writes = True

    def __init__(self, shelf: Shelf, follow: Callable[[Session, str], None]) -> None:
        self._shelf, self._follow = shelf, follow
        self.settled: list[str] = []

    def look(self, job: Job) -> str | None:
        return job.key if self._shelf.look(job.key) else None

    def perform(self, job: Job) -> str:
        self._shelf.call(job.key)
        return job.key

    def settle(self, session: Session, job: Job, result: str) -> None:
        self.settled.append(job.key)
        self._follow(session, job.key)

    def give_up(self, session: Session, job: Job, error: Exception) -> None:
        raise AssertionError(f"{job.key} was given up: {error}")

    def stuck(self, session: Session, job: Job, error: ServiceError) -> None:
        pass


class Ledger(RuleBasedStateMachine):
    """Promises are made, calls end in any way, the process dies, time goes by; the model is the list of promises."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.clock = FakeClock(START)
        self.store = new_store(Path(self.folder.name) / "passerelle.db")
        self.shelf = Shelf(self.clock)
        self.placing = Placing(self.shelf, self._follow)
        self.promised: dict[str, list[str]] = {subject: [] for subject in SUBJECTS}
        self.faults = 0
        self.outbox = Outbox(self.store, self.clock, {"place": self.placing}, lease=LEASE, quiet=QUIET)

    def _follow(self, session: Session, key: str) -> None:
        if not key.endswith("'"):
            outbox.promise(session, self.clock, "place", f"{key}'", "follows", lane="lane")

    @rule(subject=st.sampled_from(SUBJECTS), again=st.booleans())
    def promise(self, subject: str, again: bool) -> None:
        known = self.promised[subject]
        key = known[-1] if again and known else f"{subject}{len(known)}"
        with self.store.write() as session:
            outbox.promise(session, self.clock, "place", key, subject, lane="lane" if subject == "a" else "")
        if key not in known:
            known.append(key)

    @rule(
        subject=st.sampled_from(SUBJECTS),
        end=st.sampled_from(ENDS),
        look=st.sampled_from(LOOKS),
        seconds=st.sampled_from([0, 10, 70]),
    )
    def work(self, subject: str, end: str, look: str, seconds: int) -> None:
        """One effect is claimed, its call ends in that way, and a moment later all is well for a while."""
        self.promise(subject, again=False)
        if end.startswith("fault"):  # a fault that stays is given up after a few tries; here it never stays
            self.faults += 1
            end = end if self.faults % 2 else "done"
        self.shelf.end, self.shelf.look_ends = end, look
        try:
            self.outbox.work_once()
        except Killed:
            pass
        finally:
            self.shelf.end, self.shelf.look_ends = "done", "works"
        if seconds:
            self.clock.advance(timedelta(seconds=seconds))
            self.work_well()

    def work_well(self) -> None:
        """All that is due is done, and done well."""
        while self.outbox.work_once():
            pass

    @rule(seconds=st.sampled_from([1, 5, 16, 31, 61, 91, 600]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    @invariant()
    def nothing_twice_and_all_in_order(self) -> None:
        if not hasattr(self, "shelf"):
            return
        self.shelf.arrive()
        landed = self.shelf.landed
        assert len(landed) == len(set(landed)), landed
        for subject, promised in self.promised.items():
            mine = [key for key in landed if key in promised]
            assert mine == promised[: len(mine)], subject

    def teardown(self) -> None:
        """The services are well again: everything that was promised comes to its end, once."""
        if not hasattr(self, "shelf"):
            return
        for _ in range(60):
            while self.outbox.work_once():
                pass
            self.clock.advance(timedelta(minutes=20))
        self.nothing_twice_and_all_in_order()
        keys = [key for promised in self.promised.values() for key in promised]
        expected = sorted([*keys, *(f"{key}'" for key in keys)])
        assert sorted(self.shelf.landed) == expected
        assert sorted(self.placing.settled) == expected
        with self.store.read() as session:
            assert set(session.scalars(sa.select(Effect.state))) <= {"done"}
        self.store.close()
        self.folder.cleanup()


Ledger.TestCase.settings = settings(max_examples=200 if FRESH else 25, stateful_step_count=30, deadline=None)
TestLedger = Ledger.TestCase
