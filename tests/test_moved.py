"""An issue that is not where it was: its escalations follow, and each agent is told once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from integrations.sandbox.wire import Fault
from tests.conftest import REPO, House
from tests.test_shipped import MINUTE, merge, release

API = "acme/api"


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    """A shop, and an API of the same house beside it."""

    def with_api(config: dict[str, Any]) -> None:
        config["projects"].append({**config["projects"][0], "key": "api", "name": "API", "repository": API})

    house = make_house(with_api)
    house.github.add_repo(API)
    return house


def told_of(house: House, words: str, person: str = "U0ANA") -> int:
    return len([one for one in house.told(person) if words in one])


def mend_api(house: House, number: int) -> None:
    pull = house.github.open_pull(API, "leo-dev", "Round VAT per line", f"Fixes #{number}")
    house.clock.advance(MINUTE)
    house.github.merge_pull(API, pull, "leo-dev")
    house.poll()
    house.clock.advance(MINUTE)
    house.github.publish_release(API, "api-7")
    house.poll()


def test_transferred_to_another_repository(house: House) -> None:
    """The agent hears where it is; what fixes it there ships it there; the table of customers is not written twice."""
    house.flag(project="shop")
    house.poll()
    number = house.github.transfer_issue(REPO, 1, API, "leo-dev")
    house.poll()
    house.poll()
    assert told_of(house, f"What you flagged is followed in {API}#{number} now.") == 1
    assert f"{API}#{number}" in house.card()
    mend_api(house, number)
    assert "Fixed in api-7" in house.told()[-1]
    comments = [one["body"] for one in house.github.issue(API, number)["comments"]]
    assert len([one for one in comments if "passerelle:customers" in one]) == 1


def test_closed_as_a_duplicate_of_one_that_is_known(house: House) -> None:
    """Both agents' customers wait on one issue from here on; one message each when it ships."""
    house.flag("U0ANA", "4211", project="shop")
    house.flag("U0BEN", "4212", title="The wrong country", project="shop")
    house.github.close_as_duplicate(REPO, 2, "leo-dev", f"{REPO}#1")
    house.poll()
    house.poll()
    assert told_of(house, f"What you flagged is a duplicate: it is followed in {REPO}#1 now.", "U0BEN") == 1
    cards = "\n".join(str(one["blocks"]) for one in house.slack.messages("C0SUPPORTDEV"))
    assert "A duplicate: its customers wait on" in cards
    merge(house)
    release(house, "v2.5.0")
    assert told_of(house, "Fixed in v2.5.0", "U0BEN") == 1
    assert told_of(house, "Fixed in v2.5.0", "U0ANA") == 1
    assert [one for one in house.told("U0LEO") if "in words for customers" not in one] == []


def test_a_duplicate_of_what_has_shipped_is_told_at_once(house: House) -> None:
    """The news stands already."""
    house.flag("U0ANA", "4211", project="shop")
    house.mend()
    house.flag("U0BEN", "4212", title="The wrong country", project="shop")
    number = house.github.issues(REPO)[0]["number"]
    house.github.close_as_duplicate(REPO, number, "leo-dev", f"{REPO}#1")
    house.poll()
    assert told_of(house, "Fixed in v2.5.0", "U0BEN") == 1


def test_a_duplicate_of_one_that_nobody_flagged(house: House) -> None:
    """The customers wait on that issue, and it gets their table."""
    house.flag(project="shop")
    known = house.github.open_issue(REPO, "leo-dev", "VAT is rounded per invoice")
    house.github.close_as_duplicate(REPO, 1, "leo-dev", f"{REPO}#{known}")
    house.poll()
    assert told_of(house, f"What you flagged is followed in {REPO}#{known} now.") == 1
    assert "4211" in house.github.issue(REPO, known)["comments"][-1]["body"]
    merge(house, f"Fixes #{known}")
    release(house, "v2.5.0")
    assert told_of(house, "Fixed in v2.5.0") == 1


def test_the_same_ticket_on_both(house: House) -> None:
    """Flagged twice on purpose, and both turn out to be one: the customer is written to once."""
    house.flag("U0ANA", "4211", project="shop")
    house.look_up("U0BEN", "4211")
    house.submit("U0BEN", title="Another thing", again=["again"], project="shop")
    assert len(house.github.issues(REPO)) == 2
    house.github.close_as_duplicate(REPO, 2, "leo-dev", f"{REPO}#1")
    house.poll()
    merge(house)
    release(house, "v2.5.0")
    assert told_of(house, "Fixed in v2.5.0", "U0ANA") == 1
    assert told_of(house, "Fixed in v2.5.0", "U0BEN") == 1
    with house.bot.store.read() as session:
        assert session.connection().exec_driver_sql("select count(*) from write_back").scalar() == 1


@pytest.mark.parametrize("how", ["deleted", "discussion", "discussion, gone"])
def test_gone_from_the_tracker(house: House, how: str) -> None:
    """Its customers wait all the same: Support Dev and lead decide; filed again, it goes its way."""
    house.flag(project="shop")
    if how == "deleted":
        house.github.delete_issue(REPO, 1, "leo-dev")
    else:
        house.github.convert_to_discussion(REPO, 1, "leo-dev", gone=how.endswith("gone"))
    house.poll()
    for _ in range(3):
        house.pass_time(minutes=5)
    assert told_of(house, "is gone from the tracker", "U0LEO") == 1
    assert "1 customer still waits" in house.told("U0LEO")[-1]
    house.press("U0LEO", "refile")
    issue = house.github.issues(REPO)[0]
    assert issue["state"] == "open"
    assert f"Filed as {REPO}#{issue['number']}" in house.told()[-1]
    assert f"{REPO}#{issue['number']}" in house.card()
    merge(house, f"Fixes #{issue['number']}")
    release(house, "v2.5.0")
    assert told_of(house, "Fixed in v2.5.0") == 1


def test_gone_for_a_while(house: House) -> None:
    """Hidden by a mistake and seen again: the card says how it stands, and nobody files it a second time."""
    house.flag(project="shop")
    house.poll()
    hidden = Fault("refuse", "GET", r"/repos/acme/shop/issues/1$", status=404, times=None)
    house.github.wire.faults.append(hidden)
    house.github.comment(REPO, 1, "leo-dev", "I look into it.")
    house.poll()
    assert "Gone from the tracker" in house.card()
    house.github.wire.faults.remove(hidden)
    house.github.comment(REPO, 1, "leo-dev", "There it is.")
    house.poll()
    assert "Gone from the tracker" not in house.card()
    assert "File it again" not in house.card()


def test_gone_and_declined(house: House) -> None:
    """The reason reaches the agent, though no issue can be closed."""
    house.flag(project="shop")
    house.github.delete_issue(REPO, 1, "leo-dev")
    house.poll()
    house.press("U0LEO", "decline")
    assert house.submit("U0LEO", reason="It belongs to the payment provider.") == {}
    assert "It belongs to the payment provider." in house.told()[-1]


def test_a_renamed_repository(house: House) -> None:
    """The old name in the configuration goes on working."""
    house.flag(project="shop")
    house.github.rename_repo(REPO, "acme/store")
    house.poll()
    pull = house.github.open_pull("acme/store", "leo-dev", "Round VAT", "Fixes #1")
    house.clock.advance(MINUTE)
    house.github.merge_pull("acme/store", pull, "leo-dev")
    house.poll()
    assert "Fixed, not shipped yet" in house.card()
    house.clock.advance(MINUTE)
    house.github.publish_release("acme/store", "v2.5.0")
    house.poll()
    house.poll()
    assert told_of(house, "Fixed in v2.5.0") == 1


def test_what_nobody_told_of_is_found_within_a_day(house: House) -> None:
    """Deleted, with its webhook lost: no list shows that, so each issue that waits is looked at once a day."""
    house.flag(project="shop")
    house.poll()
    house.github.delete_issue(REPO, 1, "leo-dev")
    house.poll()
    assert told_of(house, "is gone from the tracker", "U0LEO") == 0
    asked = len(house.github.wire.calls_to("GET", r"/repos/acme/shop/issues/1$"))
    for _ in range(24 * 4):
        house.clock.advance(15 * MINUTE)
        house.bot.schedule.tick_glances()
    house.settle()
    assert told_of(house, "is gone from the tracker", "U0LEO") == 1
    assert len(house.github.wire.calls_to("GET", r"/repos/acme/shop/issues/1$")) - asked <= 3
