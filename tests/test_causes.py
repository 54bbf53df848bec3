"""Which areas bring most tickets: the report against a slow computation, and what it shows of customers' words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings, strategies as st

from bot.areas import Dimension, Named, areas
from bot.model import WAITING, Kind, Stage
from bot.periods import By, edges
from bot.reports.causes import Area, Causes, causes
from bot.store.causes import load
from bot.store.scope import Scope
from tests.histories import AGENTS, BEGIN, Case, Customer, cases, moments, stored

OWN = {"shop": ("from-support",)}
PARIS = ZoneInfo("Europe/Paris")
END = BEGIN + timedelta(days=91)
WEEK = timedelta(days=7)


def report(given: Sequence[Case], since: datetime = BEGIN, until: datetime = END, by: By = By.WEEK) -> Causes:
    with stored(given) as session:
        return causes(load(session, Scope(), since, until, by=by, zone=PARIS, own=OWN))


# --- the slow computation ---------------------------------------------------------------------------------------------


def belongs(case: Case) -> set[tuple[Dimension, str]]:
    found = {(Dimension.PROJECT, case.project)}
    for label in case.labels:
        name = label.lower()
        if name == "from-support" and case.project == "shop":
            continue
        if name in ("component:vat", "area/vat"):
            found.add((Dimension.COMPONENT, "vat"))
        elif name == "module::ledger":
            found.add((Dimension.COMPONENT, "ledger"))
        else:
            found.add((Dimension.LABEL, name))
    return found


def flagged(case: Case, begins: datetime, ends: datetime, until: datetime) -> int:
    return sum(begins <= one.flagged < min(ends, until) for one in case.live)


def back(case: Case, since: datetime, until: datetime) -> Mapping[str, int]:
    words = {"reopened": "reopened", "taken_back": "rolled_back"}
    found = {
        name: sum(what == word and since <= at < until for what, at in case.happened) for word, name in words.items()
    }
    said = [[what == "still_broken" and since <= at < until for what, at in one.said] for one in case.customers]
    return {**found, "still_broken": sum(map(any, said))}  # customers, however often each says so


@settings(max_examples=50, deadline=None)
@given(st.lists(cases, max_size=8), moments, moments, st.sampled_from([By.WEEK, By.MONTH, By.SPAN]))
def test_the_report_is_what_a_slow_computation_finds(
    given_cases: list[Case], one: datetime, other: datetime, by: By
) -> None:
    """Tickets by period, who waits, what came back and what was removed, whatever happened and whatever is asked."""
    since, until = sorted((one, other + WEEK))
    found = report(given_cases, since, until, by)
    there = [case for case in given_cases if not case.joined]
    bugs = [case for case in there if case.kind is Kind.BUG]
    assert found.bugs == tuple(
        sum(flagged(case, period.begins, period.ends, until) for case in bugs) for period in found.periods
    )
    for area in (*found.projects, *found.components, *found.labels, found.tooling):
        theirs = [case for case in bugs if (area.dimension, area.name.lower()) in belongs(case)]
        if area is found.tooling:
            theirs = [case for case in there if case.kind is Kind.TOOLING]
        waiting = [len(case.live) for case in theirs if case.stage in WAITING and case.live]
        assert area.tickets == tuple(
            sum(flagged(case, period.begins, period.ends, until) for case in theirs) for period in found.periods
        )
        assert (area.waiting, area.open_issues) == (sum(waiting), len(waiting))
        assert [issue.customers for issue in area.plan] == sorted(waiting, reverse=True)[:5]
    named = {(area.dimension, area.name.lower()) for area in (*found.projects, *found.components, *found.labels)}
    first = found.periods[0].begins if found.periods else since
    assert named == {
        name
        for case in bugs
        if (case.stage in WAITING and case.live) or flagged(case, first, until, until)
        for name in belongs(case)
    }
    told = {f"i{place}": back(case, since, until) for place, case in enumerate(given_cases) if case in there}
    came_back = {
        ident: times for ident, times in told.items() if any(times.values()) and given_cases[int(ident[1:])].live
    }
    assert found.offenders_count == len(came_back)
    assert {one.issue.id: one.times for one in found.offenders} == {
        ident: sum(times.values()) for ident, times in came_back.items()
    }
    removed = [one for one in there if one.stage is Stage.SHIPPED and since <= one.since < until and one.live]
    assert (found.removed_count, found.removed_customers) == (len(removed), sum(len(one.live) for one in removed))


# --- by hand ----------------------------------------------------------------------------------------------------------


def customer(words: str = "It stays white.", days: float = 0) -> Customer:
    return Customer(BEGIN + timedelta(days=days), AGENTS[0], gone=False, told=None, written=None, said=(), words=words)


def case(*customers: Customer, labels: tuple[str, ...] = (), stage: Stage = Stage.FILED) -> Case:
    return Case("shop", labels, Kind.BUG, stage, BEGIN, (), customers)


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("component:vat", Named(Dimension.COMPONENT, "vat")),
        ("Component: VAT rates", Named(Dimension.COMPONENT, "VAT rates")),
        ("area/vat", Named(Dimension.COMPONENT, "vat")),
        ("module::vat", Named(Dimension.COMPONENT, "vat")),
        ("area::vat::rates", Named(Dimension.COMPONENT, "vat::rates")),
        ("component:", Named(Dimension.LABEL, "component:")),
        ("components", Named(Dimension.LABEL, "components")),
        ("priority::high", Named(Dimension.LABEL, "priority::high")),
    ],
)
def test_which_labels_name_a_component(label: str, expected: Named) -> None:
    """`component`, `area` or `module`, then a colon, two, or a slash."""
    assert areas("shop", [label, "From-Support"], ["from-support"]) == [Named(Dimension.PROJECT, "shop"), expected]


def component(found: Causes, name: str) -> Area:
    return next(area for area in found.components if area.name == name)


def test_a_trend_compares_whole_weeks() -> None:
    """Three tickets last week and one the week before; what this week has brought so far is compared with nothing."""
    until = datetime(2026, 1, 22, 12, tzinfo=PARIS)  # a Thursday
    on = [customer(days=day) for day in (5, 12, 13, 14, 20)]
    area = component(report([case(*on, labels=("area/vat",))], until=until), "vat")
    assert (area.before, area.now, area.tickets[-1], area.compared) == (1, 3, 1, True)
    assert not component(report([case(*on, labels=("area/vat",))], BEGIN, BEGIN + WEEK), "vat").now


def test_a_span_is_compared_with_the_one_before() -> None:
    """As a digest does: what came since the last one, and in as many days before that."""
    since = BEGIN + WEEK
    on = [customer(days=day) for day in (1, 8, 9)]
    area = component(report([case(*on, labels=("area/vat",))], since, since + WEEK, By.SPAN), "vat")
    assert (area.tickets, area.before, area.now) == ((1, 2), 1, 2)


def test_weeks_begin_on_monday_by_the_clocks_of_the_zone() -> None:
    """Also across the change of the clocks."""
    found = edges(datetime(2026, 3, 25, tzinfo=PARIS), datetime(2026, 4, 7, tzinfo=PARIS), By.WEEK, PARIS)
    assert [one.astimezone(PARIS).isoformat() for one in found] == [
        "2026-03-23T00:00:00+01:00",
        "2026-03-30T00:00:00+02:00",
        "2026-04-06T00:00:00+02:00",
        "2026-04-13T00:00:00+02:00",
    ]


def test_a_quote_names_nobody() -> None:
    """The customer's own words, without addresses, numbers, and the names of all who are on the issue."""
    first = customer(
        "Hello, Nell i0e1 said to write to ana@shop.example or call +33 6 12 34 56 78. The total is wrong."
    )
    quote = component(report([case(first, customer(days=1), labels=("area/vat",))]), "vat").quote
    assert quote is not None
    assert "The total is wrong" in quote.words
    for private in ("Nell", "ana@shop.example", "12 34"):
        assert private not in quote.words


def test_a_quote_is_cut_between_words_after_the_redaction() -> None:
    """Half an address at the end of what is read, or of what is shown, is never seen."""
    for before in range(150, 520, 7):
        words = "a" * (before // 2) + " " + "b" * (before - before // 2) + " someone.long@mail.shop.example and so on"
        quote = component(report([case(customer(words), labels=("area/vat",))]), "vat").quote
        assert quote is not None
        assert "someone" not in quote.words
        assert len(quote.words) <= 200


def test_where_reading_ends_no_address_is_halved() -> None:
    """What was taken out makes room for what stands far behind, where only the beginning of a text was read."""
    address = "someone.who.has.a.very.long.address.indeed@mail.shop.example "
    for blanks in range(0, len(address), 5):
        words = " " * blanks + "x" + address * 20
        quote = component(report([case(customer(words), labels=("area/vat",))]), "vat").quote
        assert quote is not None
        assert "someone" not in quote.words


def test_words_that_are_not_kept_are_not_quoted() -> None:
    """After the retention's time, or of who is forgotten, the next issue of the plan speaks; or nobody."""
    silent, speaking = case(*[customer("")] * 3, labels=("area/vat",)), case(customer("So slow."), labels=("area/vat",))
    quote = component(report([silent, speaking]), "vat").quote
    assert quote is not None
    assert (quote.words, quote.issue_id) == ("So slow.", "i1")
    assert component(report([silent]), "vat").quote is None


def test_nothing_is_known_of_nothing() -> None:
    """Empty is what has nobody waiting, and nothing that came, came back or went."""
    assert report([]).empty
    assert not report([case(customer())]).empty
    settled = replace(case(customer(days=-30), stage=Stage.DECLINED), since=BEGIN)
    assert report([settled]).empty
