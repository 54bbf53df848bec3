"""What a tracker does not show us any more, or shows others alone, was not undone: nobody is told so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from integrations.sandbox.wire import Fault
from tests.conftest import REPO, House, said
from tests.test_deployed import deploy, on
from tests.test_fall_back import states
from tests.test_shipped import MINUTE, merge, merged, release
from tests.test_triage import comment

LIB = "acme/library"


def hide(house: House, path: str) -> Fault:
    """GitHub answers so for what a token may not see."""
    fault = Fault("refuse", path=path, status=404, body={"message": "Not Found"}, times=None)
    house.github.wire.faults.append(fault)
    return fault


@pytest.mark.parametrize("hidden", [f"^/repos/{REPO}", f"^/repos/{REPO}/commits"])
def test_a_branch_out_of_sight(make_house: Callable[..., House], hidden: str) -> None:
    """The token lost the repository, while pushes are still told of: what was merged there stays out."""
    house = make_house(merged)
    house.hear_webhooks()
    house.flag()
    merge(house)
    assert house.write_back() == {}
    told = len(house.told())
    fault = hide(house, hidden)
    house.github.commit(REPO, "main", "Another thing")
    house.settle()
    house.pass_time(minutes=20)
    assert states(house) == ["written"]
    house.github.wire.faults.remove(fault)
    house.github.commit(REPO, "main", "One more thing")
    house.pass_time(minutes=20)
    assert states(house) == ["written"]
    assert len(house.told()) == told


def test_an_environment_out_of_sight(make_house: Callable[..., House]) -> None:
    """The token may not read deployments any more: what runs stays out, and the card of what waits says what lacks."""
    house = make_house(on("production"))
    house.hear_webhooks()
    house.flag()
    house.flag("U0BEN", "4212", title="The wrong country")
    merge(house)
    deploy(house)
    hide(house, f"^/repos/{REPO}/deployments")
    merge(house, body="Fixes #2", title="Countries")
    deploy(house)
    house.pass_time(minutes=20)
    assert states(house) == ["due"]
    assert f"it shows us no deployments of {REPO}" in house.card()


def test_another_repository_out_of_sight(make_house: Callable[..., House]) -> None:
    """One fix lies where our token cannot look any more: what else waits ships all the same."""
    house = make_house()
    house.github.add_repo(LIB)
    house.flag()
    house.flag("U0BEN", "4212", title="The wrong country")
    number = house.github.open_pull(LIB, "leo-dev", "Round VAT per line", f"Fixes {REPO}#1")
    house.clock.advance(MINUTE)
    house.github.merge_pull(LIB, number, "leo-dev")
    house.poll()
    merge(house, body="Fixes #2")
    house.pass_time(minutes=5)
    house.poll()
    hide(house, f"^/repos/{LIB}")
    release(house, "v2.5.0")
    for _ in range(6):
        house.pass_time(minutes=1)
    assert "Fixed in v2.5.0" in house.told("U0BEN")[-1]
    assert [one for one in house.told() if "Fixed in" in one] == []
    assert f"The tracker refuses: it shows us no repository {LIB}." in said(house.slack.messages("C0SUPPORTDEV")[0])


def test_what_was_given_up_about_an_issue_is_asked_again(house: House) -> None:
    """GitHub could not compare what a Support Dev named with the release that has it: a day later it can, and it ships,
    without another release; the card says no more that GitHub refuses."""
    house.flag()
    sha = house.github.commit(REPO, "main", "Round VAT per line")
    house.github.publish_release(REPO, "v2.5.0")
    house.poll()
    house.github.wire.faults.append(Fault("refuse", "GET", "/compare/", 422, body={"message": "Too slow"}, times=None))
    comment(house, f"/fixed-by {sha}")
    for _ in range(5):
        house.pass_time(minutes=2)
    assert "The tracker refuses: Too slow." in house.card()
    house.github.wire.faults.clear()
    for _ in range(96):
        house.clock.advance(15 * MINUTE)
        house.bot.schedule.tick_glances()
    house.settle()
    assert "in v2.5.0" in house.told()[-1]
    assert "The tracker refuses" not in house.card()
