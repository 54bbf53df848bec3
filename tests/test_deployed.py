"""Deployed: out means that the environment runs it, on all that are needed, until something else runs there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import REPO, Change, House
from tests.test_fall_back import states
from tests.test_shipped import MINUTE, merge


def on(*environments: str, needed: str = "all") -> Change:
    """A project that is live when it runs on these environments."""

    def change(config: dict[str, Any]) -> None:
        config["projects"][0] |= {
            "shipped_when": "deployed",
            "environment": list(environments) if len(environments) > 1 else environments[0],
            "environments_needed": needed,
        }

    return change


def deploy(house: House, environment: str = "production", ref: str = "main", **how: Any) -> int:
    """A deployment, and the bot hears of it."""
    house.clock.advance(MINUTE)
    made = house.github.deploy(REPO, environment, ref, **how)
    house.poll()
    return made


def status(house: House, deployment: int, state: str) -> None:
    house.clock.advance(MINUTE)
    house.github.deployment_status(REPO, deployment, state)
    house.poll()


def good_news(house: House, person: str = "U0ANA") -> list[str]:
    return [one for one in house.told(person) if "Live on" in one]


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    """A shop that is live when production runs it."""
    return make_house(on("production"))


def test_a_fix_is_out_when_the_environment_runs_it(house: House) -> None:
    """Merged, deployed to staging, deployed to production: only the last is news, with its proof and since when."""
    house.flag()
    pull = merge(house)
    assert "Waits for a deployment to production that contains" in house.card()
    deploy(house, "staging")
    assert good_news(house) == []
    deploy(house)
    told = good_news(house)[-1]
    sha = house.github.pulls(REPO)[0]["merge_commit_sha"]
    assert "Live on production: VAT is wrong on invoices" in told
    assert f"merged in #{pull} ({sha[:7]}) · on production" in told
    assert "Shipped" in house.card()


def test_webhooks_tell_at_once(house: House) -> None:
    """No poll is needed when the deployment's status is heard."""
    house.hear_webhooks()
    house.flag()
    merge(house)
    house.clock.advance(MINUTE)
    house.github.deploy(REPO, "production")
    house.settle()
    assert len(good_news(house)) == 1


def test_a_deployment_under_way_is_none(house: House) -> None:
    """Queued, in progress, failed: nothing is out. Then it succeeds."""
    house.flag()
    merge(house)
    made = deploy(house, state=None)
    for state in ("queued", "in_progress"):
        status(house, made, state)
    failed = deploy(house, state="failure")
    assert good_news(house) == []
    assert failed != made
    status(house, made, "success")
    assert len(good_news(house)) == 1


def test_a_deployment_of_another_branch_is_none(house: House) -> None:
    """Production runs a hot fix that was cut before the fix."""
    house.flag()
    house.github.branch(REPO, "hotfix", "main")
    merge(house)
    house.github.commit(REPO, "hotfix", "Another thing")
    deploy(house, ref="hotfix")
    assert good_news(house) == []


def test_all_environments_are_needed(make_house: Callable[..., House]) -> None:
    """Two regions: the card says which one is missing, and the news waits for it."""
    house = make_house(on("production-eu", "production-us"))
    house.flag()
    merge(house)
    deploy(house, "production-eu")
    assert good_news(house) == []
    assert "Waits for a deployment to production-us" in house.card()
    assert "on production-eu since" in house.card()
    deploy(house, "production-us")
    assert "Live on production-eu and production-us" in good_news(house)[-1]
    assert len(good_news(house)) == 1


def test_any_environment_may_be_enough(make_house: Callable[..., House]) -> None:
    """The first region counts; the second is no news, and leaving one of them changes nothing."""
    house = make_house(on("production-eu", "production-us", needed="any"))
    house.flag()
    house.github.branch(REPO, "old", "main")
    merge(house)
    deploy(house, "production-us")
    assert "Live on production-us" in good_news(house)[-1]
    deploy(house, "production-eu")
    deploy(house, "production-us", "old")
    assert len(good_news(house)) == 1
    assert "Shipped" in house.card()
    deploy(house, "production-eu", "old")
    assert "Fixed, not shipped yet" in house.card()


def test_rolled_back_before_anybody_wrote(house: House) -> None:
    """An older commit runs again: the write-back is held, and due again when the fix is back."""
    house.flag()
    house.github.branch(REPO, "before", "main")
    merge(house)
    deploy(house)
    assert states(house) == ["due"]
    deploy(house, ref="before")
    assert states(house) == ["held"]
    assert "Fixed, not shipped yet" in house.card()
    assert "no longer on production" in house.card()
    assert len(house.told()) == 2  # nobody is called for what they have not written yet
    deploy(house)
    assert states(house) == ["skipped", "due"]
    assert len(good_news(house)) == 2


def test_rolled_back_after_the_customer_heard(house: House) -> None:
    """The agent hears it once, plainly, and owes the customer the truth; then the good news again."""
    house.flag()
    house.github.branch(REPO, "before", "main")
    merge(house)
    deploy(house)
    assert house.write_back() == {}
    deploy(house, ref="before")
    told = house.told()[-1]
    assert "No longer live on production: VAT is wrong on invoices" in told
    assert "This customer was told that it is out, and should hear what has changed." in told
    assert states(house) == ["written", "due"]
    house.poll()
    deploy(house, ref="before")
    assert len(house.told()) == 3
    assert house.write_back(reply="It is back, sadly.") == {}
    deploy(house)
    assert states(house) == ["written", "written", "due"]
    assert "Live on production" in house.told()[-1]


def test_a_deployment_that_fails_after_success(house: House) -> None:
    """It was out and is not; what ran before runs now."""
    house.flag()
    deploy(house)
    merge(house)
    made = deploy(house)
    assert len(good_news(house)) == 1
    status(house, made, "failure")
    assert states(house) == ["held"]
    assert "Fixed, not shipped yet" in house.card()


def test_an_older_deployment_made_current_again(house: House) -> None:
    """Some tools roll back by telling of success once more."""
    house.flag()
    old = deploy(house)
    merge(house)
    deploy(house)
    assert len(good_news(house)) == 1
    status(house, old, "success")
    assert states(house) == ["held"]


def test_the_bot_was_down_during_the_deployment(house: House) -> None:
    """And all webhooks were lost: it is told when the bot is back."""
    house.flag()
    merge(house)
    house.stop_bot()
    house.clock.advance(MINUTE)
    house.github.deploy(REPO, "production")
    house.bot = house.start_bot()
    house.poll()
    assert len(good_news(house)) == 1


def test_a_fix_that_is_named_after_its_deployment(house: House) -> None:
    """Deployed in the morning, linked in the afternoon."""
    house.flag()
    sha = house.github.commit(REPO, "main", "Round VAT per line")
    deploy(house)
    house.github.comment(REPO, 1, "leo-dev", f"/fixed-by {sha[:9]}")
    house.poll()
    assert len(good_news(house)) == 1


def test_a_revert_that_is_deployed_takes_it_back(house: House) -> None:
    """Production moves on, and the fix is not in it any more."""
    house.flag()
    pull = merge(house)
    deploy(house)
    house.github.revert_pull(REPO, pull, "leo-dev")
    house.poll()
    assert states(house) == ["due"]  # reverted, but still running
    deploy(house)
    assert states(house) == ["held"]
    assert "reverted on production" in house.card()
