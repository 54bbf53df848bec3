"""The effect ledger: what is promised happens, once, in order, whatever the other side or this process does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy.orm import Session

from bot import outbox
from bot.clock import Clock
from bot.model import UserError
from bot.outbox import BUG_TRIES, PATIENCE, Job, Outbox
from bot.worker import Worker
from integrations.base import Rejected, Unavailable
from integrations.sandbox.wire import Fault
from tests.box import LEASE, QUIET, TIMEOUT, Letter, Office


class Killed(BaseException):
    """The process dies here: nothing after this line happens."""


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.close()


def die(_job: Job) -> None:
    raise Killed


# --- order ------------------------------------------------------------------------------------------------------------


def test_letters_on_one_subject_go_in_order_and_others_do_not_wait(office: Office) -> None:
    """While the first of a subject waits to be tried again, its followers wait and other subjects do not."""
    office.box.fails("refuse", "a1", status=429)
    office.promise("a1", "a2", "b1")
    office.work()
    assert office.box.kept == ["b1"]
    office.pass_time(minutes=1)
    assert office.box.kept == ["b1", "a1", "a2"]


def test_what_a_newer_version_promised_waits_for_it(office: Office) -> None:
    """After going back to this one, all else goes on; nothing is given up."""
    with office.store.write() as session:
        outbox.promise(session, office.clock, "telegram", "t1", "t")
    office.promise("a1")
    office.work()
    office.pass_time(days=4)
    assert (office.state("t1"), office.box.kept) == ("ready", ["a1"])


def test_a_dead_letter_holds_back_nothing_but_what_needs_its_result(office: Office) -> None:
    """What was refused for good waits for a person; its successors go, what would follow from it does not exist."""

    def follow(session: Session, job: Job) -> None:
        outbox.promise(session, office.clock, "letter", f"{job.key}-follows", "x")

    office.letter.after = lambda session, job: follow(session, job) if job.key == "a1" else None
    office.box.fails("refuse", "a1", status=422, body={})
    office.promise("a1", "a2")
    office.work()
    assert (office.state("a1"), office.box.kept) == ("dead", ["a2"])
    assert office.letter.given_up == [("a1", Rejected)]
    assert "422" in office.effect("a1").error

    with office.store.write() as session:
        outbox.retry(session, office.clock, office.effect("a1").id)
    office.work()
    assert office.box.kept == ["a2", "a1", "a1-follows"]


# --- ambiguous ends ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["error_after", "drop_after", "late"])
def test_what_took_effect_is_found_and_not_repeated(office: Office, how: str) -> None:
    """A 5xx after the work, a line cut after it, an answer too late: after the quiet period, look; it is there."""
    office.box.fails(how, "a1", seconds=TIMEOUT * 1.5)
    office.promise("a1")
    office.work()
    assert office.state("a1") == "doubt"
    assert office.box.wait_for(1, 5)
    office.pass_time(seconds=QUIET.total_seconds() - 1)
    assert office.box.calls("GET") == 0
    office.pass_time(seconds=1)
    assert (office.state("a1"), office.box.kept, office.box.calls("POST")) == ("done", ["a1"], 1)
    assert office.letter.settled == ["a1"]


@pytest.mark.parametrize("how", ["refuse", "drop"])
def test_what_did_not_take_effect_is_repeated_after_a_look(office: Office, how: str) -> None:
    """A 5xx or a cut line says nothing of the work: look after the quiet period, find nothing, do it."""
    office.box.fails(how, "a1", status=503)
    office.promise("a1")
    office.work()
    office.pass_time(seconds=QUIET.total_seconds() - 1)
    assert (office.box.calls("GET"), office.box.calls("POST")) == (0, 1)
    office.pass_time(seconds=1)
    assert (office.state("a1"), office.box.kept) == ("done", ["a1"])
    assert (office.box.calls("GET"), office.box.calls("POST")) == (1, 2)


@pytest.mark.parametrize("look", [{"how": "refuse", "status": 503}, {"how": "refuse", "status": 429}, {"how": "drop"}])
def test_a_look_that_fails_leaves_the_doubt(office: Office, look: dict[str, Any]) -> None:
    """A look is a read, so its own failure is harmless; what it was to clear up is not cleared up by that."""
    office.box.fails("error_after", "a1")
    office.box.fails(**look, method="GET", times=4)
    office.promise("a1")
    office.work()
    for _ in range(6):
        office.pass_time(minutes=2)
    assert (office.state("a1"), office.box.kept) == ("done", ["a1"])


def test_a_refusal_before_the_work_is_repeated_without_a_look(office: Office) -> None:
    """429 and a refused connection certainly did nothing: no quiet period, no look."""
    office.box.fails("refuse", "a1", status=429)
    nobody = Letter("http://127.0.0.1:9")
    alone = office.worker(nobody)
    office.promise("a1", "b1")
    assert office.outbox.work_once()
    assert alone.work_once()
    assert nobody.stuck_at == [1]
    office.pass_time(seconds=5)
    assert sorted(office.box.kept) == ["a1", "b1"]
    assert office.box.calls("GET") == 0


def test_retry_after_holds_its_lane_and_nothing_else(office: Office) -> None:
    """A 429 closes the lane for as long as it says; the one thread goes on with other lanes meanwhile."""
    office.box.fails("refuse", "a1", status=429, headers={"Retry-After": "90"})
    office.promise("a1", "b1", lane="slow")
    office.promise("c1", lane="free")
    office.work()
    assert office.box.kept == ["c1"]
    office.pass_time(seconds=89)
    assert office.box.kept == ["c1"]
    office.pass_time(seconds=1)
    assert sorted(office.box.kept) == ["a1", "b1", "c1"]


# --- crashes and leases -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["before", "during"])
def test_a_killed_worker_is_followed_by_one_who_looks(office: Office, moment: str) -> None:
    """The claim is held for lease and quiet period; then another worker looks, and repeats only what is not there."""
    setattr(office.letter, moment, die)
    office.promise("a1", "a2")
    with pytest.raises(Killed):
        office.work()
    setattr(office.letter, moment, lambda _job: None)
    office.pass_time(seconds=(LEASE + QUIET).total_seconds() - 1)
    assert office.box.calls("GET") == 0
    assert "a2" not in office.box.kept
    office.pass_time(seconds=1)
    assert office.box.calls("GET") == 1
    assert office.box.kept == ["a1", "a2"]


@pytest.mark.parametrize("fails", [False, True])
def test_a_worker_whose_lease_lapsed_settles_nothing(office: Office, fails: bool) -> None:
    """Its result, good or bad, comes too late: the effect belongs to whoever took it over."""
    second = Letter(office.box.server.url)
    other = office.worker(second)

    def hang(_job: Job) -> None:
        office.clock.advance(LEASE + QUIET)
        assert other.work_once()
        if fails:
            raise Unavailable("box", "no answer")

    office.letter.during = hang
    office.promise("a1")
    assert office.outbox.work_once()
    assert (second.settled, office.letter.settled) == (["a1"], [])
    assert (office.state("a1"), office.box.kept) == ("done", ["a1"])
    assert office.letter.stuck_at == []


def test_many_threads_make_each_call_once_and_in_order(office: Office) -> None:
    """Eight threads on one store, by the real clock: nothing twice, each subject in its order, all of it at once."""
    clock = Clock()
    work = Outbox(office.store, clock, {"letter": office.letter}, lease=LEASE, quiet=QUIET)
    worker = Worker(office.store, work, 8)
    worker.start()
    with office.store.write() as session:
        outbox.promise(session, clock, "letter", "z", "z")
    assert office.box.wait_for(1, 1.0), "a committed effect starts within a second"
    with office.store.write() as session:
        for n in range(10):
            for subject in "abcdefghij":
                outbox.promise(session, clock, "letter", f"{subject}{n}", subject)
    assert office.box.wait_for(101, 30)
    worker.stop()
    assert len(office.box.kept) == len(set(office.box.kept)) == 101
    for subject in "abcdefghij":
        assert [key for key in office.box.kept if key[0] == subject] == [f"{subject}{n}" for n in range(10)]


# --- promising --------------------------------------------------------------------------------------------------------


def test_idle_workers_let_each_other_rest(office: Office) -> None:
    """With nothing to do, looking for work is no news to the other threads."""
    worker = Worker(office.store, office.outbox, threads=4)
    worker.start()
    try:
        with office.store.committed:
            assert not office.store.committed.wait(1.5)
    finally:
        worker.stop()


def test_a_promise_is_made_once_and_for_all(office: Office) -> None:
    """The same key again changes nothing, before it is done and after."""
    office.promise("a1", "a1")
    office.promise("a1")
    office.work()
    office.promise("a1")
    office.work()
    assert office.box.kept == ["a1"]


def test_a_refresh_during_the_call_makes_one_more(office: Office) -> None:
    """Whatever changed while the call was under way may not be in it, so there is exactly one more."""

    def change_twice(job: Job) -> None:
        if len(office.box.kept) == 1:
            office.refresh(job.key)
            office.refresh(job.key)

    office.letter.during = change_twice
    office.refresh("a1")
    office.refresh("a1")
    office.work()
    assert office.box.kept == ["a1", "a1"]
    office.refresh("a1")
    office.work()
    assert len(office.box.kept) == 3


@pytest.mark.parametrize("leave", ["dead", "dropped"])
def test_a_refresh_of_what_was_given_up_looks_first(office: Office, leave: str) -> None:
    """The last try may have taken effect before it was given up; keeping something current must not double it."""
    office.box.fails("error_after", "a1")
    office.refresh("a1")
    if leave == "dead":
        office.clock.advance(PATIENCE + timedelta(seconds=1))
    office.work()
    if leave == "dropped":
        with office.store.write() as session:
            outbox.drop(session, office.clock, office.effect("a1").id)
    assert office.state("a1") == leave
    office.refresh("a1")
    office.work()
    assert (office.state("a1"), office.box.kept) == ("done", ["a1"])


# --- giving up --------------------------------------------------------------------------------------------------------


def test_a_service_may_be_away_for_three_days(office: Office) -> None:
    """Until then it is tried again and again; afterwards a person decides, and a retry looks first."""
    office.box.fails("error_after", "a1", times=1)
    office.box.fails("refuse", method="", status=503, times=None)
    office.promise("a1")
    office.work()
    for _ in range(71):
        office.pass_time(hours=1)
    assert office.state("a1") == "doubt"
    assert len(office.letter.stuck_at) > 70
    office.pass_time(hours=1, seconds=1)
    assert (office.state("a1"), office.letter.given_up) == ("dead", [("a1", Unavailable)])

    office.box.wire.faults.clear()
    office.pass_time(days=1)
    assert office.state("a1") == "dead"
    with office.store.write() as session:
        outbox.retry(session, office.clock, office.effect("a1").id)
    office.work()
    assert (office.state("a1"), office.box.kept) == ("done", ["a1"])


def test_a_dropped_letter_is_never_sent(office: Office) -> None:
    """A person decided that it is not needed: it is not sent, and those after it are."""
    office.box.fails("refuse", "a1", status=429)
    office.promise("a1", "a2")
    office.work()
    with office.store.write() as session:
        outbox.drop(session, office.clock, office.effect("a1").id)
    office.pass_time(days=1)
    assert office.box.kept == ["a2"]


def test_what_cannot_be_retried_or_dropped_is_said(office: Office) -> None:
    """An id that is not there, and an effect that is done, each get a sentence."""
    office.promise("a1")
    office.work()
    done = office.effect("a1").id
    for act in (outbox.retry, outbox.drop):
        for effect_id in (done, 999):
            with office.store.write() as session, pytest.raises(UserError, match=str(effect_id)):
                act(session, office.clock, effect_id)


def test_our_own_fault_is_logged_and_loses_nothing(office: Office) -> None:
    """A bug is logged with a reference that stands with the effect too; mended, the effect is looked for and done."""

    def broken(_job: Job) -> None:
        raise ValueError("a customer's words")

    office.letter.during = broken
    office.promise("a1", "b1")
    with structlog.testing.capture_logs() as logged:
        office.work()
    reference = next(line["reference"] for line in logged if line["event"] == "effect.bug" and line["key"] == "a1")
    assert reference in office.effect("a1").error
    assert "customer" not in office.effect("a1").error
    office.letter.during = lambda _job: None
    office.pass_time(minutes=1)
    assert office.state("a1") == "done"
    assert sorted(office.box.kept) == ["a1", "b1"]


def test_a_fault_that_stays_is_left_for_a_person(office: Office) -> None:
    """After a few tries it is a dead letter; the program mended and the letter retried, it goes."""

    def broken(_job: Job) -> None:
        raise ValueError

    office.letter.before = broken
    office.promise("a1")
    office.work()
    for _ in range(BUG_TRIES):
        office.pass_time(hours=1)
    assert (office.state("a1"), office.box.kept) == ("dead", [])
    assert len(office.letter.given_up) == 1
    office.letter.before = lambda _job: None
    with office.store.write() as session:
        outbox.retry(session, office.clock, office.effect("a1").id)
    office.work()
    assert office.box.kept == ["a1"]


def test_a_fault_after_an_outage_is_tried_again(office: Office) -> None:
    """The service was away for hours; that the database was busy just when it answered is no reason to give up."""
    office.box.fails("refuse", "a1", status=503, times=None)
    office.promise("a1")
    for _ in range(BUG_TRIES + 2):
        office.pass_time(minutes=20)
    office.box.wire.faults.clear()
    busy = iter([True])

    def break_down(_session: Session, _job: Job) -> None:
        if next(busy, False):
            raise RuntimeError("the database is locked")

    office.letter.after = break_down
    office.pass_time(minutes=20)
    assert office.state("a1") == "doubt"
    office.pass_time(minutes=20)
    assert (office.state("a1"), office.box.kept) == ("done", ["a1"])


def test_a_fault_while_settling_costs_a_try_and_not_the_worker(office: Office) -> None:
    """What follows from a call cannot be recorded: it is found at the next try, and in the end left for a person."""

    def break_down(_session: Session, _job: Job) -> None:
        raise RuntimeError("the rows do not fit")

    office.letter.after = break_down
    office.promise("a1")
    for _ in range(BUG_TRIES + 1):
        office.pass_time(hours=1)
    assert office.state("a1") == "dead"
    assert office.box.kept == ["a1"]
    office.letter.after = lambda _session, _job: None
    office.promise("b1")
    office.work()
    assert office.state("b1") == "done"


def test_a_fault_while_telling_leaves_a_dead_letter_all_the_same(office: Office) -> None:
    """Whoever should hear that it was given up cannot be told: the letter is still there for a person."""

    def break_down(_session: Session, _job: Job, _error: Exception) -> None:
        raise RuntimeError("nobody to tell")

    office.letter.give_up = break_down  # type: ignore[method-assign]
    office.box.wire.faults.append(Fault("refuse", "POST", status=422))
    office.promise("a1")
    office.work()
    assert office.state("a1") == "dead"


def test_a_service_that_asks_to_come_at_once_is_not_hammered(office: Office) -> None:
    """`Retry-After: 0` for a day: the tries stay countable, and their number breaks nothing."""
    office.box.wire.faults.append(Fault("refuse", "POST", status=429, headers={"Retry-After": "0"}, times=None))
    office.promise("a1")
    for _ in range(20):
        office.pass_time(seconds=0.4)
    assert office.box.calls("POST") <= 9
