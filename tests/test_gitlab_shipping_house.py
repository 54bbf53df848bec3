"""What shipped means on GitLab, case by case, through Slack and GitLab's own wire (`docs/shipping.md`)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from integrations.sandbox.gitlab import GitLabStandIn
from integrations.sandbox.wire import Fault
from tests.conftest import House
from tests.gitlab_shop import DEV, MINUTE, SHOP, Shop
from tests.hosting.gitlab import OnGitLab
from tests.test_fall_back import states

DEPLOYED = {"shipped_when": "deployed", "environment": "production"}

Build = Callable[..., Shop]


@pytest.fixture
def shop(make_house: Callable[..., House]) -> Build:
    def made(**project: Any) -> Shop:
        def change(config: dict[str, Any]) -> None:
            OnGitLab.configure(config)
            config["projects"][0] |= project

        return Shop(make_house(change))

    return made


# --- what fixes -------------------------------------------------------------------------------------------------------


def test_gitlab_a_commit_that_closes_the_issue(shop: Build) -> None:
    """Pushed to the default branch, without a merge request."""
    made = shop()
    made.gitlab.commit(SHOP, "main", "Round VAT\n\nCloses #1", DEV)
    made.house.poll()
    assert "Fixed, not shipped yet" in made.card
    made.release("v2.5.0")
    assert "Fixed in v2.5.0" in made.news()[-1]


def test_gitlab_merged_to_another_branch_than_the_default(shop: Build) -> None:
    """Its words close nothing there: fixed, though the issue is open, and shipped by that branch."""
    made = shop()
    made.gitlab.branch(SHOP, "2.x", "main")
    made.merge(base="2.x", method="squash")
    assert made.gitlab.issue(SHOP, 1)["state"] == "opened"
    assert "Fixed, not shipped yet" in made.card
    made.release("v3.0.0")
    assert made.news() == []
    made.release("v2.5.1", target="2.x")
    assert "Fixed in v2.5.1" in made.news()[-1]


def test_gitlab_a_fix_in_another_project(shop: Build) -> None:
    """It ships by that project's releases."""
    made = shop()
    other = "acme/apps/api"
    made.gitlab.add_project(other, members={DEV: 40})
    iid = made.gitlab.open_merge(other, DEV, "Round VAT", f"Closes {SHOP}#1")
    made.house.clock.advance(MINUTE)
    made.gitlab.merge(other, iid, DEV)
    made.house.poll()
    made.release("v2.5.0")
    assert made.news() == []
    made.house.clock.advance(MINUTE)
    made.gitlab.publish_release(other, "v7.0.0")
    made.house.poll()
    assert "Fixed in v7.0.0" in made.news()[-1]


def test_gitlab_two_fixes_must_be_out(shop: Build) -> None:
    """One of them is on another branch yet."""
    made = shop()
    made.gitlab.branch(SHOP, "next", "main")
    made.merge()
    made.merge(base="next", title="And in the totals")
    made.release("v2.5.0")
    assert made.news() == []
    made.gitlab.merge_branch(SHOP, "main", "next")
    made.release("v2.6.0")
    assert "Fixed in v2.6.0" in made.news()[-1]


def test_gitlab_a_mention_is_no_fix(shop: Build) -> None:
    """Nor is an issue that was closed by hand."""
    made = shop()
    made.merge(body="See #1")
    made.gitlab.close_issue(SHOP, 1, DEV)
    made.house.poll()
    made.release("v2.5.0", body="Mends #1")
    assert made.news() == []


# --- when it counts ---------------------------------------------------------------------------------------------------


def test_gitlab_merged_is_enough(shop: Build) -> None:
    """Where the project says so; and not any more when the branch was reset."""
    made = shop(shipped_when="merged")
    made.merge(method="squash")
    assert "Fixed and merged" in made.news()[-1]
    made.gitlab.force_push(SHOP, "main", "before")
    made.house.poll()
    assert states(made.house) == ["held"]


@pytest.mark.parametrize("pre_releases", [True, False])
def test_gitlab_a_pre_release_is_known_by_its_tag(shop: Build, pre_releases: bool) -> None:
    """GitLab has no mark for one."""
    made = shop(prereleases=pre_releases)
    made.merge()
    made.release("v2.5.0-rc.1")
    assert len(made.news()) == pre_releases


@pytest.mark.parametrize("annotation", [None, "VAT"])
def test_gitlab_tags_without_a_release(shop: Build, annotation: str | None) -> None:
    """Protected ones, too, where the project says that tags are enough; one of a release to come is none."""
    made = shop(bare_tags=True)
    made.gitlab.protect_tags(SHOP, "v*")
    made.merge()
    made.release("v2.5.0", released_at=made.house.clock.now() + timedelta(days=9))
    assert made.news() == []
    made.gitlab.tag(SHOP, "v2.5.1", "main", annotation)
    made.house.poll()
    assert "Fixed in v2.5.1" in made.news()[-1]


def test_gitlab_several_products_in_one_project(shop: Build) -> None:
    """Only tags of the pattern count."""
    made = shop(tags="shop-v*")
    made.merge()
    made.release("admin-v7.0.0")
    assert made.news() == []
    made.release("shop-v2.5.0")
    assert "Fixed in shop-v2.5.0" in made.news()[-1]


def test_gitlab_a_deployment_under_way_is_none(shop: Build) -> None:
    """Waiting for an approval, or ended without a success."""
    made = shop(**DEPLOYED)
    made.merge()
    for status in ("created", "running", "blocked", "failed", "canceled", "skipped"):
        made.deploy(status=status)
    assert made.news() == []
    made.gitlab.deployment_status(SHOP, made.deploy(status="running"), "success")
    made.house.poll()
    assert "Live on production" in made.news()[-1]


def test_gitlab_an_environment_by_its_tier(shop: Build) -> None:
    """Live when the last environment of the tier has it; review apps are of another tier."""
    made = shop(**DEPLOYED)
    for name in ("eu/shop", "us/shop"):
        made.deploy(name, "before", tier="production")
    made.merge()
    made.deploy("review/vat", tier="development")
    made.deploy("eu/shop")
    assert made.news() == []
    made.deploy("us/shop")
    assert len(made.news()) == 1
    assert "Live on" in made.news()[0]
    made.deploy("eu/shop", "before")
    assert states(made.house) == ["held"]


@pytest.mark.parametrize(("needed", "news"), [("all", [0, 1]), ("any", [1, 1])])
def test_gitlab_several_environments(shop: Build, needed: str, news: list[int]) -> None:
    """All of them, or any."""
    made = shop(shipped_when="deployed", environment=["eu", "us"], environments_needed=needed)
    made.merge()
    found = []
    for name in ("us", "eu"):
        made.deploy(name)
        found.append(len(made.news()))
    assert found == news


def test_gitlab_webhooks_tell_at_once(shop: Build) -> None:
    """A merge request, then a deployment, without a look at the lists."""
    made = shop(**DEPLOYED)
    made.house.hear_webhooks()
    made.gitlab.merge(SHOP, made.gitlab.open_merge(SHOP, DEV, "Round VAT", "Closes #1"), DEV)
    made.house.settle()
    assert "Fixed, not shipped yet" in made.card
    made.house.clock.advance(MINUTE)
    made.gitlab.deploy(SHOP, "production")
    made.house.settle()
    assert "Live on production" in made.news()[-1]


# --- copies and reverts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trailer", [True, False])
def test_gitlab_a_cherry_pick_of_a_merge(shop: Build, trailer: bool) -> None:
    """The button picks the merge commit; by hand, the squashed commit is picked."""
    made = shop()
    made.gitlab.branch(SHOP, "stable", "main")
    made.merge(method="merge" if trailer else "squash-ff")
    made.gitlab.cherry_pick(SHOP, "stable", "main", trailer=trailer)
    made.release("v2.4.1", target="stable")
    assert "Fixed in v2.4.1" in made.news()[-1]


def test_gitlab_a_backport_merge_request(shop: Build) -> None:
    """It says what it brings to the branch."""
    made = shop()
    made.gitlab.branch(SHOP, "stable", "main")
    first = made.merge()
    made.merge(f"Backport of !{first}.", "stable", "squash", "[Backport stable] Round VAT per line")
    made.release("v2.4.1", target="stable")
    assert "Fixed in v2.4.1" in made.news()[-1]


def test_gitlab_half_of_a_merge_request_is_no_copy(shop: Build) -> None:
    """One of its two commits was picked."""
    made = shop()
    made.gitlab.branch(SHOP, "stable", "main")
    made.merge(method="ff", commits=["Round", "And sum"])
    made.gitlab.cherry_pick(SHOP, "stable", "main")
    made.release("v2.4.1", target="stable")
    assert made.news() == []


@pytest.mark.parametrize(
    ("fixed_by", "way"), [("merge", "merge"), ("merge", "squash-ff"), ("squash", "squash"), ("squash-ff", "rebase")]
)
def test_gitlab_reverted_by_the_button(shop: Build, fixed_by: str, way: str) -> None:
    """However fix and revert were merged: a squash keeps but the title of the revert, which names nothing."""
    made = shop()
    first = made.merge(method=fixed_by)
    made.release("v2.5.0")
    assert states(made.house) == ["due"]
    back = made.revert(first, way)
    made.release("v2.6.0")
    assert states(made.house) == ["held"]
    assert "reverted in v2.6.0" in made.card
    if way in ("merge", "squash", "squash-ff"):
        made.revert(back, way)
        made.release("v2.7.0")
        assert "Fixed in v2.7.0" in made.news()[-1]


def test_gitlab_fix_and_revert_in_one_release(shop: Build) -> None:
    """Nobody hears anything."""
    made = shop()
    made.revert(made.merge(method="squash-ff"), "squash-ff")
    made.release("v2.5.0")
    assert made.news() == []
    assert "reverted in v2.5.0" in made.card


@pytest.mark.parametrize("title", ["revert: round VAT per line", "[hotfix] Revert the rounding", "Revert !{first}"])
def test_gitlab_a_revert_in_somebodys_own_words(shop: Build, title: str) -> None:
    """The squash keeps but that title; what it takes back stands in its description."""
    made = shop()
    first = made.merge()
    made.merge(f"This reverts merge request !{first}", method="squash-ff", title=title.format(first=first))
    made.release("v2.5.0")
    assert made.news() == []


def test_gitlab_a_squashed_revert_picked_to_the_release_branch(shop: Build) -> None:
    """The copy names the commit that it repeats, and only the merge request of this tells what was taken back."""
    made = shop()
    first = made.merge()
    made.gitlab.branch(SHOP, "stable", "main")
    made.release("v2.4.0", target="stable")
    made.revert(first, "squash-ff")
    made.gitlab.cherry_pick(SHOP, "stable", "main")
    made.release("v2.4.1", target="stable")
    assert states(made.house) == ["held"]


def test_gitlab_a_backport_that_was_reverted(shop: Build) -> None:
    """The button names the backport's own merge request, and no commit that stands in the release tells its number."""
    made = shop()
    made.gitlab.branch(SHOP, "stable", "main")
    first = made.merge()
    second = made.merge(f"Backport of !{first}.", "stable", "squash-ff", "[Backport stable] Round VAT per line")
    made.release("v2.4.1", target="stable")
    assert states(made.house) == ["due"]
    made.revert(second)
    made.release("v2.4.2", target="stable")
    assert states(made.house) == ["held"]


# --- out no more ------------------------------------------------------------------------------------------------------


def test_gitlab_an_older_pipeline_runs_again(shop: Build) -> None:
    """A rollback is a new deployment of the older commit; who was told hears it once, and the next one ships anew."""
    made = shop(**DEPLOYED)
    older = made.gitlab.commit(SHOP, "main", "The state of things")
    made.deploy()
    made.merge()
    made.deploy()
    assert made.house.write_back() == {}
    made.deploy(sha=older)
    assert "No longer live on production" in made.house.told()[-1]
    assert states(made.house) == ["written", "due"]
    assert made.house.write_back(reply="It is back, sadly.") == {}
    made.deploy()
    assert "Live on production" in made.news()[-1]
    assert len(made.news()) == 2


def test_gitlab_a_deployment_that_fails_after_success(shop: Build) -> None:
    """As by the API: held."""
    made = shop(**DEPLOYED)
    made.deploy(ref="before")
    made.merge()
    one = made.deploy(job=False)
    made.gitlab.deployment_status(SHOP, one, "failed")
    made.house.poll()
    assert states(made.house) == ["held"]


def test_gitlab_a_deleted_release(shop: Build) -> None:
    """Its tag stays, and ships nothing; the next one does."""
    made = shop()
    made.merge()
    made.release("v2.5.0")
    made.gitlab.delete_release(SHOP, "v2.5.0")
    made.house.poll()
    assert states(made.house) == ["held"]
    assert "v2.5.0 was withdrawn" in made.card
    made.release("v2.5.1")
    assert "Fixed in v2.5.1" in made.news()[-1]


def test_gitlab_a_release_that_is_put_off(shop: Build) -> None:
    """Its date is moved to a day to come: it is not out."""
    made = shop()
    made.merge()
    made.release("v2.5.0")
    made.gitlab.edit_release(SHOP, "v2.5.0", released_at=made.house.clock.now() + timedelta(days=1))
    made.house.poll()
    assert states(made.house) == ["held"]
    made.house.clock.advance(timedelta(days=1))
    made.house.poll()
    assert len(made.news()) == 2


def test_gitlab_reopened_after_the_customer_heard(shop: Build) -> None:
    """The agent hears it once; a fix that is merged then counts, and the old one does not."""
    made = shop()
    made.merge()
    made.release("v2.5.0")
    assert made.house.write_back() == {}
    made.house.clock.advance(MINUTE)
    made.gitlab.reopen_issue(SHOP, 1, DEV)
    made.house.poll()
    made.release("v2.6.0")
    assert [one for one in made.house.told() if "Not fixed after all" in one] == [made.house.told()[-1]]
    made.merge(title="Round VAT, really")
    made.release("v2.7.0")
    assert "Fixed in v2.7.0" in made.news()[-1]


def test_gitlab_deployments_out_of_sight(shop: Build) -> None:
    """To take a refusal for "nothing runs there" would take news back."""
    made = shop(**DEPLOYED)
    made.merge()
    made.deploy()
    gitlab: GitLabStandIn = made.gitlab
    gitlab.wire.faults.append(Fault("refuse", "GET", "/deployments$", status=404, times=None))
    made.house.poll()
    made.house.poll()
    assert states(made.house) == ["due"]
