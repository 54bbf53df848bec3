"""How long things take: the report against a slow computation of the same, one customer at a time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings, strategies as st

from bot.hours import Hours
from bot.model import Kind, Stage
from bot.reports.times import Distribution, Milestone, Times, Unit, distribution, times
from bot.store.scope import Scope
from bot.store.times import load
from tests.histories import AGENTS, BEGIN, Case, Customer, cases, moments, stored

PARIS = Hours(time(9), time(18), frozenset(range(5)), ZoneInfo("Europe/Paris"), frozenset({date(2026, 1, 6)}))
HOUR = timedelta(hours=1)


def report(
    all_cases: Sequence[Case], since: datetime = BEGIN, until: datetime = BEGIN + timedelta(days=200), **scope: object
) -> Times:
    with stored(all_cases) as session:
        return times(load(session, Scope(**scope), since, until), PARIS)  # type: ignore[arg-type]


def step(found: Times, first: Milestone, last: Milestone) -> tuple[Unit, Distribution, Distribution]:
    one = next(one for one in (*found.steps, *found.whole) if (one.first, one.last) == (first, last))
    return one.unit, one.clock, one.working


# --- the slow computation ---------------------------------------------------------------------------------------------


def lasted(case: Case, one: Customer | None, first: Milestone, last: Milestone) -> tuple[datetime, datetime] | None:
    """When that step began and ended for that customer, or for the issue itself."""
    happened = {word: sorted(at for what, at in case.happened if what == word) for word, _ in case.happened}
    reached: dict[Milestone, datetime | None] = {}
    reached[Milestone.ACKNOWLEDGED] = min(happened.get("acknowledged", []), default=None)
    if case.stage in (Stage.FIXED, Stage.SHIPPED):
        reached[Milestone.FIXED] = max(happened.get("fixed", []), default=None)
    if case.stage is Stage.SHIPPED:
        reached[Milestone.SHIPPED] = max(happened.get("shipped", []), default=None)
    if one is not None:
        reached |= {Milestone.FLAGGED: one.flagged, Milestone.TOLD: one.told, Milestone.WRITTEN: one.written}
        reached[Milestone.CONFIRMED] = max((at for _, at in one.said), default=None)
        if last is Milestone.TOLD and (reached.get(Milestone.SHIPPED) or one.flagged) < one.flagged:
            return None
    begin, end = reached.get(first), reached.get(last)
    return (begin, end) if begin and end and begin <= end else None


def worked(begin: datetime, end: datetime) -> float:
    return PARIS.between(begin, end).total_seconds()


def of(percent: int, durations: Sequence[float]) -> float:
    """The smallest that so many percent do not exceed, by trying each."""
    return next(
        (
            one
            for one in sorted(durations)
            if 100 * sum(other <= one for other in durations) >= percent * len(durations)
        ),
        0.0,
    )


def alike(found: Distribution, durations: Iterable[float]) -> None:
    expected = sorted(durations)
    assert found.n == len(expected) == sum(one.n for one in found.buckets)
    assert [found.p50, found.p75, found.p90] == [of(percent, expected) for percent in (50, 75, 90)]
    assert found.longest == max(expected, default=0.0)
    under = 0.0
    for bucket in found.buckets:
        assert bucket.n == sum(under <= one < bucket.under for one in expected), bucket.name
        under = bucket.under


@settings(max_examples=40, deadline=None)
@given(st.lists(cases, max_size=8), moments, moments, st.sampled_from([None, AGENTS[0]]))
def test_the_report_is_what_a_slow_computation_finds(
    all_cases: list[Case], one: datetime, other: datetime, agent: str | None
) -> None:
    """Each step, of issues and of customers, in clock time and in working time, within any span and for any team."""
    since, until = sorted((one, other))
    found = report(all_cases, since, until, agents=frozenset({agent}) if agent else None)
    for entry in (*found.steps, *found.whole):
        spans = []
        for case in all_cases:
            theirs = [each for each in case.live if agent in (None, each.agent)]
            known = [] if case.joined or not theirs else theirs if entry.unit is Unit.CUSTOMERS else [None]
            spans += [span for each in known if (span := lasted(case, each, entry.first, entry.last))]
        spans = [(begin, end) for begin, end in spans if since <= end < until]
        alike(entry.clock, ((end - begin).total_seconds() for begin, end in spans))
        alike(entry.working, (worked(begin, end) for begin, end in spans))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1e7)), st.lists(st.floats(1, 1e6), max_size=4))
def test_a_distribution_counts_each_once(durations: list[float], ends: list[float]) -> None:
    """Whatever the buckets are."""
    bounds = [*((str(end), end) for end in sorted(ends)), ("more", math.inf)]
    alike(distribution(durations, bounds), durations)


# --- by hand ----------------------------------------------------------------------------------------------------------


def at(day: int, hour: int) -> datetime:
    """An hour by the clocks of Paris in January 2026, of which the 5th is a Monday and the 6th a holiday."""
    return datetime(2026, 1, day, hour, tzinfo=PARIS.zone)


def case(*customers: Customer, stage: Stage = Stage.SHIPPED, **happened: datetime) -> Case:
    return Case("shop", (), Kind.BUG, stage, BEGIN, tuple(happened.items()), customers)


def customer(flagged: datetime, told: datetime | None = None, written: datetime | None = None) -> Customer:
    return Customer(flagged, "U0ANA", gone=False, told=told, written=written, said=())


def test_a_night_and_a_holiday_are_no_working_time() -> None:
    """Flagged on Monday at five, shipped on Wednesday at ten, and Tuesday is a holiday: two hours of work."""
    found = report([case(customer(at(5, 17)), shipped=at(7, 10))])
    _, clock, working = step(found, Milestone.FLAGGED, Milestone.SHIPPED)
    assert (clock.p50, working.p50) == (41 * 3600.0, 2 * 3600.0)
    assert [one.name for one in clock.buckets if one.n] == ["3d"]
    assert [one.name for one in working.buckets if one.n] == ["4h"]


def test_who_came_later_did_not_wait_for_what_was_over() -> None:
    """A ticket that joins an acknowledged issue, and one that joins a shipped one, count in no step before."""
    found = report([case(customer(at(7, 9)), customer(at(5, 9)), acknowledged=at(6, 9), shipped=at(6, 12))])
    assert step(found, Milestone.FLAGGED, Milestone.ACKNOWLEDGED)[1].n == 1
    assert step(found, Milestone.FLAGGED, Milestone.SHIPPED)[1].n == 1


def test_after_a_fall_back_the_last_fix_counts() -> None:
    """It was out, and taken back; until it is out again nothing has shipped, and then from the fix that holds."""
    happened = {"acknowledged": at(5, 9), "fixed": at(8, 9), "shipped": at(9, 9)}
    open_again = Case("shop", (), Kind.BUG, Stage.ACKNOWLEDGED, BEGIN, tuple(happened.items()), (customer(at(5, 8)),))
    assert step(report([open_again]), Milestone.FLAGGED, Milestone.SHIPPED)[1].n == 0
    again = (*happened.items(), ("fixed", at(12, 9)), ("shipped", at(12, 19)))
    mended = Case("shop", (), Kind.BUG, Stage.SHIPPED, BEGIN, again, (customer(at(5, 8)),) * 3)
    unit, clock, _ = step(report([mended]), Milestone.FIXED, Milestone.SHIPPED)
    assert (unit, clock.n, clock.p50) == (Unit.ISSUES, 1, 10 * 3600.0)
    unit, clock, _ = step(report([mended]), Milestone.FLAGGED, Milestone.SHIPPED)
    assert (unit, clock.n, clock.p50) == (Unit.CUSTOMERS, 3, (at(12, 19) - at(5, 8)).total_seconds())


def test_nothing_is_known_of_nothing() -> None:
    """An empty report has all its steps and says that it is empty."""
    found = report([])
    assert found.empty
    assert [one.clock.n for one in found.steps] == [0] * 6
    assert not report([case(customer(at(5, 8)), acknowledged=at(5, 9))]).empty
