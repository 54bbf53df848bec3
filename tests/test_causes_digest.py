"""The digest of causes, through the stand-ins: what its channel reads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa

from bot.store.tables import Ticket
from tests.conftest import REPO, House
from tests.test_digest import CHANNEL, configured, digest, morning, plain, posted

CAUSES = {"about": "causes", "channel": CHANNEL, "cron": "0 9 * * mon", "timezone": "UTC"}
Make = Callable[..., House]


def week(house: House, days: int = 7) -> str:
    """A week goes by, and the digest is read."""
    house.clock.advance(timedelta(days=days))
    morning(house)
    return digest(house)


def test_nothing_to_remove_is_one_warm_line(make_house: Make) -> None:
    """No headings over nothing."""
    house = make_house(configured(CAUSES))
    said = week(house)
    assert said.startswith("A calm time: since")
    assert len(said.splitlines()) == 1
    assert len(posted(house)[-1]["blocks"]) == 1


def test_what_hurts_most_with_the_issues_as_the_plan(make_house: Make) -> None:
    """By component, in a customer's words, against the week before; the label that everything has is none."""
    house = make_house(configured(CAUSES))
    morning(house)
    house.clock.advance(timedelta(days=4))
    house.flag()
    house.github.label(REPO, 1, "leo-dev", ["component:vat"])
    house.poll()
    first = week(house, 3)
    assert "Bugs brought 1 ticket since" in first
    assert "1 more than before. 1 customer waits." in first
    assert "vat: 1 ticket, 1 more than before · 1 customer waits" in first
    assert "acme/shop#1 VAT is wrong on invoices · 1 customer" in first
    assert "from-support" not in first
    second = week(house)
    assert "vat: 0 tickets, 1 fewer than before · 1 customer waits" in second


def test_a_quote_names_nobody(make_house: Make) -> None:
    """It stands in a channel: the customer's words, without their name, address and organisation."""
    house = make_house(configured(CAUSES))
    house.flag()
    with house.bot.store.read() as session:
        ticket = session.scalars(sa.select(Ticket)).one()
        private = [ticket.customer_name, ticket.customer_email, *ticket.customer_name.split()]
    house.poll()
    said = week(house)
    quote = next(line for line in said.splitlines() if line.startswith("“"))
    assert len(quote) > 20
    assert len(private) > 3
    assert [name for name in private if name in said] == []
    assert "@" not in quote


def test_what_came_back_and_what_was_removed(make_house: Make) -> None:
    """A fix that was taken back, and one that holds; and tooling beside bugs."""
    house = make_house(configured(CAUSES))
    house.flag()
    house.flag("U0BEN", "4212", title="Search for refunds", kind="tooling")
    house.mend()
    said = week(house)
    assert "Removed: 1 issue · 1 customer was hurt by it" in said
    assert "Tooling for support: 1 ticket, 1 more than before · 1 customer waits" in said
    assert "Came back" not in said
    house.github.reopen_issue(REPO, 1, "leo-dev")
    house.poll()
    said = week(house)
    assert "Came back: 1 issue" in said
    assert "VAT is wrong on invoices · opened again 1 time" in said
    assert "Removed" not in said


def test_in_french(make_house: Make) -> None:
    """A channel's language by the digest's own."""
    house = make_house(configured({**CAUSES, "language": "fr"}))
    house.flag()
    house.poll()
    said = week(house)
    assert "Ce qui gêne le plus les clients" in said
    assert "Web shop : 1 ticket, 1 de plus qu’avant · 1 client attend" in said
    assert "before" not in said


def test_a_digest_of_one_project_tells_of_it_alone(make_house: Make) -> None:
    """By its filters; and says that it is not everything."""
    house = make_house(configured({**CAUSES, "kinds": ["tooling"]}))
    house.flag()
    house.flag("U0BEN", "4212", title="Search for refunds", kind="tooling")
    said = week(house)
    assert "Only:" in plain(posted(house)[-1])
    assert "VAT is wrong" not in said
    assert "Search for refunds" in said
    assert "Bugs brought" not in said


def test_who_waits_for_a_bug_does_not_wait_for_tooling(make_house: Make) -> None:
    """Also in a digest that names both kinds: bugs are counted apart, whatever its areas hold."""
    house = make_house(configured({**CAUSES, "kinds": ["bug", "tooling"]}))
    house.flag()
    house.flag("U0BEN", "4212", title="Search for refunds", kind="tooling")
    said = week(house)
    assert "Bugs brought 1 ticket since" in said
    assert "more than before. 1 customer waits." in said
