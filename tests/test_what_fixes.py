"""What fixes an issue: found without anybody's help where that is possible, else said by a Support Dev."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pytest
import yaml

from tests.conftest import REPO, House
from tests.test_shipped import MINUTE, merge, release

API = "acme/api"


def good_news(house: House, person: str = "U0ANA") -> list[str]:
    return [one for one in house.told(person) if "Fixed in" in one]


def pull(
    house: House, method: Literal["squash", "merge", "rebase"], commits: tuple[str, ...], base: str = "main"
) -> str:
    """A pull request of several commits that closes the issue; returns the sha on its base branch."""
    number = house.github.open_pull(REPO, "leo-dev", "Round VAT", "Fixes #1", base, commits=commits)
    house.clock.advance(MINUTE)
    sha = house.github.merge_pull(REPO, number, "leo-dev", method)
    house.poll()
    return sha


@pytest.mark.parametrize("method", ["squash", "merge", "rebase"])
def test_each_way_to_merge(house: House, method: Literal["squash", "merge", "rebase"]) -> None:
    """Three commits, merged in any way: the release of the branch contains them."""
    house.flag()
    house.github.branch(REPO, "before", "main")
    pull(house, method, ("Find the rate", "Round the line", "Test it"))
    release(house, "v2.4.1", target="before")
    assert good_news(house) == []
    release(house, "v2.5.0")
    assert len(good_news(house)) == 1


def test_a_commit_that_closes_the_issue(house: House) -> None:
    """Pushed straight to the default branch."""
    house.flag()
    house.github.commit(REPO, "main", "Round VAT per line\n\nFixes #1")
    house.poll()
    release(house, "v2.5.0")
    assert len(good_news(house)) == 1


def test_linked_in_the_development_panel(house: House) -> None:
    """No word in the pull request names the issue."""
    house.flag()
    number = house.github.open_pull(REPO, "leo-dev", "Round VAT per line")
    house.github.link_pull(REPO, number, 1)
    house.clock.advance(MINUTE)
    house.github.merge_pull(REPO, number, "leo-dev")
    house.poll()
    release(house, "v2.5.0")
    assert len(good_news(house)) == 1


def test_merged_to_another_branch_than_the_default(house: House) -> None:
    """Closing keywords are silent there, so the issue stays open; the release of that branch ships it all the same."""
    house.flag()
    house.github.branch(REPO, "release/2.x", "main")
    merge(house, base="release/2.x")
    assert house.issue()["state"] == "open"
    assert "Fixed, not shipped yet" in house.card()
    release(house, "v2.5.0")
    assert good_news(house) == []
    release(house, "v2.4.1", target="release/2.x")
    assert "Fixed in v2.4.1" in good_news(house)[-1]


def test_a_mention_is_no_fix(house: House) -> None:
    """Nor are the notes of a release that name the issue."""
    house.flag()
    merge(house, body="Part of #1, see also #1")
    release(house, "v2.5.0", body="Fixes #1: VAT")
    assert good_news(house) == []
    assert "Fixed, not" not in house.card()


def test_a_fix_in_another_repository(make_house: Callable[..., House]) -> None:
    """The issue lives in the shop, the mistake in the API: the API's own releases ship it."""

    def with_api(config: dict[str, Any]) -> None:
        shop = config["projects"][0]
        config["projects"].append({**shop, "key": "api", "name": "API", "repository": API})

    house = make_house(with_api)
    house.github.add_repo(API)
    house.flag(project="shop")
    number = house.github.open_pull(API, "leo-dev", "Round VAT per line", f"Fixes {REPO}#1")
    house.clock.advance(MINUTE)
    house.github.merge_pull(API, number, "leo-dev")
    house.poll()
    assert "Fixed, not shipped yet" in house.card()
    release(house, "v2.5.0")
    assert good_news(house) == []
    house.clock.advance(MINUTE)
    house.github.publish_release(API, "api-7")
    house.poll()
    assert "Fixed in api-7" in good_news(house)[-1]


def test_a_fix_in_a_repository_that_nobody_configured(house: House) -> None:
    """A library of the same house: it is watched while somebody waits for it, by the shop's own rules."""
    house.github.add_repo(API)
    house.flag()
    number = house.github.open_pull(API, "leo-dev", "Round VAT per line", f"Fixes {REPO}#1")
    house.clock.advance(MINUTE)
    house.github.merge_pull(API, number, "leo-dev")
    house.poll()
    house.poll()
    house.clock.advance(MINUTE)
    house.github.publish_release(API, "api-7")
    house.poll()
    assert "Fixed in api-7" in good_news(house)[-1]


# --- copies


@pytest.mark.parametrize("trailer", [True, False], ids=["cherry-pick -x", "the same patch"])
def test_a_cherry_pick_ships_on_its_branch(house: House, trailer: bool) -> None:
    """Mended on main, copied to the stable branch: the patch release is the first that has it."""
    house.flag()
    house.github.branch(REPO, "stable", "main")
    sha = pull(house, "squash", ())
    house.github.cherry_pick(REPO, "stable", sha, trailer=trailer)
    release(house, "v2.4.1", target="stable")
    assert "Fixed in v2.4.1" in good_news(house)[-1]


def test_a_title_alone_is_no_copy(house: House) -> None:
    """Another change under the same name proves nothing."""
    house.flag()
    house.github.branch(REPO, "stable", "main")
    merge(house)
    house.github.commit(REPO, "stable", "Round VAT per line")
    release(house, "v2.4.1", target="stable")
    assert good_news(house) == []


def test_a_backport_pull_request(house: House) -> None:
    """It names the pull request that it brings to another branch."""
    house.flag()
    house.github.branch(REPO, "stable", "main")
    number = merge(house)
    house.clock.advance(MINUTE)
    back = house.github.open_pull(REPO, "leo-dev", f"Round VAT per line (backport #{number})", "", "stable")
    house.github.merge_pull(REPO, back, "leo-dev")
    release(house, "v2.4.1", target="stable")
    assert "Fixed in v2.4.1" in good_news(house)[-1]


def test_half_of_a_pull_request_is_no_copy(house: House) -> None:
    """Two commits, merged one by one, and one of them picked: the rest is missing."""
    house.flag()
    house.github.branch(REPO, "stable", "main")
    sha = pull(house, "rebase", ("Find the rate", "Round the line"))
    house.github.cherry_pick(REPO, "stable", sha)
    release(house, "v2.4.1", target="stable")
    assert good_news(house) == []
    first = house.github.find(REPO).history.commits[sha].parents[0]  # type: ignore[union-attr]
    house.github.cherry_pick(REPO, "stable", first)
    release(house, "v2.4.2", target="stable")
    assert "Fixed in v2.4.2" in good_news(house)[-1]


def test_a_copy_that_was_reverted_on_its_branch(house: House) -> None:
    """The stable branch does not have it any more; main does."""
    house.flag()
    house.github.branch(REPO, "stable", "main")
    sha = pull(house, "squash", ())
    copy = house.github.cherry_pick(REPO, "stable", sha)
    house.github.revert(REPO, "stable", copy)
    release(house, "v2.4.1", target="stable")
    assert good_news(house) == []
    release(house, "v2.5.0")
    assert "Fixed in v2.5.0" in good_news(house)[-1]


# --- said by a person


def test_named_by_the_button(house: House) -> None:
    """“Fixed by…” on the card, with a pull request and a commit."""
    house.flag()
    number = merge(house, body="")
    sha = house.github.commit(REPO, "main", "The rest of it")
    house.press("U0LEO", "mark_fixed", "C0SUPPORTDEV")
    assert house.submit("U0LEO", reference=f"#{number} {sha[:10]}") == {}
    assert "Fixed, not shipped yet" in house.card()
    assert f"merged in #{number}" not in house.card()
    assert f"commit {sha[:7]} + #{number}" in house.card()
    release(house, "v2.5.0")
    assert len(good_news(house)) == 1


def test_a_name_that_nobody_knows_is_answered(house: House) -> None:
    """The Support Dev hears why, and can try again from there."""
    house.flag()
    house.press("U0LEO", "mark_fixed", "C0SUPPORTDEV")
    assert house.submit("U0LEO", reference="0123456789abcdef") == {}
    assert "I could not take that as the fix of acme/shop#1" in house.told("U0LEO")[-1]
    house.press("U0LEO", "mark_fixed")
    assert "one of the two" in house.submit("U0LEO")["reference"]


def test_fixed_without_a_commit(house: House) -> None:
    """The proof is the Support Dev's word, with their name; the agent hears at once."""
    house.flag()
    house.press("U0LEO", "mark_fixed", "C0SUPPORTDEV")
    assert house.submit("U0LEO", text="The Belgian rate was wrong in the settings.") == {}
    told = house.told()[-1]
    assert "Fixed: VAT is wrong on invoices" in told
    assert "Léo Martin says: The Belgian rate was wrong in the settings." in told
    assert "Shipped" in house.card()
    assert house.issue()["state_reason"] == "completed"
    house.write_back()
    assert "Nobody waits any more" in house.card()


def test_fixed_without_a_commit_in_a_comment(house: House) -> None:
    """The same, said in the issue; without words it is answered there."""
    house.flag()
    house.github.comment(REPO, 1, "leo-dev", "/fixed-without-commit")
    house.poll()
    assert "Write what was done" in house.issue()["comments"][-1]["body"]
    house.github.comment(REPO, 1, "leo-dev", "/fixed-without-commit The rate is right now.")
    house.poll()
    assert "Léo Martin says: The rate is right now." in house.told()[-1]


# --- releases of every kind


def test_tags_without_a_release(make_house: Callable[..., House]) -> None:
    """Where the project says that tags are enough; a release candidate's is not."""

    def bare(config: dict[str, Any]) -> None:
        config["projects"][0]["bare_tags"] = True

    house = make_house(bare)
    house.flag()
    merge(house)
    house.github.tag(REPO, "v2.5.0-rc.1", "main")
    house.poll()
    assert good_news(house) == []
    house.github.tag(REPO, "v2.5.0", "main", annotation="VAT")
    house.poll()
    assert "Fixed in v2.5.0" in good_news(house)[-1]


def test_tags_do_not_count_by_themselves(house: House) -> None:
    """A tag is a release only where the project says so."""
    house.flag()
    merge(house)
    house.github.tag(REPO, "v2.5.0", "main")
    house.poll()
    assert good_news(house) == []


def test_several_products_in_one_repository(make_house: Callable[..., House]) -> None:
    """Only the releases whose tags are the project's count."""

    def prefixed(config: dict[str, Any]) -> None:
        config["projects"][0]["tags"] = "shop-v*"

    house = make_house(prefixed)
    house.flag()
    merge(house)
    release(house, "admin-v7.0.0")
    assert good_news(house) == []
    release(house, "shop-v2.5.0")
    assert "Fixed in shop-v2.5.0" in good_news(house)[-1]


def test_a_project_that_is_no_longer_configured_holds_nobody_up(make_house: Callable[..., House]) -> None:
    """Its issue waits; the other project's ships."""

    def with_api(config: dict[str, Any]) -> None:
        shop = config["projects"][0]
        config["projects"].append({**shop, "key": "api", "name": "API", "repository": API})

    house = make_house(with_api)
    house.github.add_repo(API)
    house.flag(project="shop")
    house.flag("U0BEN", "4212", title="The wrong country", project="api")
    merge(house)
    pull = house.github.open_pull(API, "leo-dev", "Choose the country", "Fixes #1")
    house.github.merge_pull(API, pull, "leo-dev")
    house.poll()
    house.stop_bot()
    file = house.folder / "passerelle.yaml"
    config = yaml.safe_load(file.read_text())
    config["projects"].pop()
    file.write_text(yaml.safe_dump(config))
    house.bot = house.start_bot()
    house.poll()
    release(house, "v2.5.0")
    assert len(good_news(house)) == 1
    assert good_news(house, "U0BEN") == []
