"""Shipped: agents hear it when the proof exists, and not before. Merged is not released, and closed is neither."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.conftest import REPO, House

MINUTE = timedelta(minutes=1)


def merge(house: House, body: str = "Fixes #1", base: str = "main", title: str = "Round VAT per line") -> int:
    """The Support Dev merges a pull request, and the bot hears of it."""
    pull = house.github.open_pull(REPO, "leo-dev", title, body, base)
    house.clock.advance(MINUTE)
    house.github.merge_pull(REPO, pull, "leo-dev")
    house.poll()
    return pull


def release(house: House, tag: str, **how: Any) -> None:
    house.clock.advance(MINUTE)
    house.github.publish_release(REPO, tag, **how)
    house.poll()


def merged(config: dict[str, Any]) -> None:
    config["projects"][0]["shipped_when"] = "merged"


# --- when it counts


def test_released_means_that_a_release_contains_the_fix(house: House) -> None:
    """Merged: the card says what it waits for, and the agent hears nothing. Released: with version and proof."""
    house.flag()
    pull = merge(house)
    assert "Fixed, not shipped yet" in house.card()
    assert "Waits for a release that contains " in house.card()
    assert len(house.told()) == 1

    release(house, "v2.5.0")
    told = house.told()[-1]
    assert "Fixed in v2.5.0: VAT is wrong on invoices" in told
    sha = house.github.pulls(REPO)[0]["merge_commit_sha"]
    assert f"merged in #{pull} ({sha[:7]}) · in v2.5.0" in told
    assert "Camille Roux · ticket 4211 · French · waited 2 days" in told
    assert "Depuis lundi, quand je change l’adresse de livraison" in told
    assert f"{house.github.url}/{REPO}/releases/tag/v2.5.0" in str(house.slack.dm("U0ANA")[-1]["blocks"])


def test_merged_is_enough_where_the_project_says_so(make_house: Callable[..., House]) -> None:
    """A project that is live as soon as it is merged waits for no release."""
    house = make_house(merged)
    house.flag()
    merge(house)
    assert "Fixed and merged: VAT is wrong on invoices" in house.told()[-1]
    assert "Shipped" in house.card()


def test_a_release_without_the_fix_tells_nobody(house: House) -> None:
    """A release of another branch, cut before the fix."""
    house.flag()
    house.github.branch(REPO, "stable", "main")
    merge(house)
    house.github.commit(REPO, "stable", "Another thing")
    release(house, "v2.4.1", target="stable")
    assert len(house.told()) == 1
    release(house, "v2.5.0")
    assert "Fixed in v2.5.0" in house.told()[-1]


def test_drafts_and_pre_releases_are_no_releases(house: House) -> None:
    """Nobody uses them; the customer has not got the fix."""
    house.flag()
    merge(house)
    release(house, "v2.5.0", draft=True)
    release(house, "v2.5.0-rc.1", prerelease=True)
    assert len(house.told()) == 1
    assert "Fixed, not shipped yet" in house.card()
    release(house, "v2.5.0")
    assert "Fixed in v2.5.0:" in house.told()[-1]


def test_a_pre_release_counts_where_the_project_says_so(make_house: Callable[..., House]) -> None:
    """Some give every pre-release to their customers."""

    def early(config: dict[str, Any]) -> None:
        config["projects"][0]["prereleases"] = True

    house = make_house(early)
    house.flag()
    merge(house)
    release(house, "v2.5.0-rc.1", prerelease=True)
    assert "Fixed in v2.5.0-rc.1:" in house.told()[-1]


def test_a_release_that_came_before_the_issue_was_closed_is_found(house: House) -> None:
    """Merged without a keyword, released, and only then linked: the proof lies in the past, and not in any release."""
    house.flag()
    house.github.branch(REPO, "stable", "main")
    pull = merge(house, body="")
    release(house, "v2.4.1", target="stable")
    release(house, "v2.5.0")
    release(house, "v2.6.0")
    assert len(house.told()) == 1

    house.clock.advance(MINUTE)
    house.github.comment(REPO, 1, "leo-dev", f"/fixed-by #{pull}")
    house.poll()
    assert "Fixed in v2.5.0:" in house.told()[-1]


def test_closed_by_hand_ships_nothing(house: House) -> None:
    """No commit, no proof: the Support Dev is asked, and no release tells anybody anything."""
    house.flag()
    house.github.close_issue(REPO, 1, "leo-dev", "completed")
    house.poll()
    release(house, "v2.5.0")
    assert len(house.told()) == 1
    assert "no commit is known that fixed it" in house.told("U0LEO")[-1]


def test_a_fix_on_another_branch_waits_for_its_way_into_a_release(house: House) -> None:
    """A merge to a branch that closes nothing by itself, named by hand: only a release of that branch ships it."""
    house.flag()
    house.github.branch(REPO, "next", "main")
    pull = merge(house, base="next")
    house.github.comment(REPO, 1, "leo-dev", f"/fixed-by #{pull}")
    house.poll()
    release(house, "v2.5.0")
    assert len(house.told()) == 1
    release(house, "v3.0.0", target="next")
    assert "Fixed in v3.0.0:" in house.told()[-1]


def test_all_fixes_of_an_issue_must_be_out(house: House) -> None:
    """Two pull requests close one issue; half a fix is none."""
    house.flag()
    house.github.branch(REPO, "stable", "main")
    merge(house, base="stable", title="Round on stable", body="")
    merge(house)
    house.github.comment(REPO, 1, "leo-dev", "/fixed-by #2")
    house.poll()
    release(house, "v2.4.1", target="stable")
    assert len(house.told()) == 1


# --- who hears, and how often


def test_two_issues_in_one_release_are_one_message(house: House) -> None:
    """Each agent hears once what is theirs, however much was in the release."""
    house.flag("U0ANA", "4211")
    house.flag("U0ANA", "4213", title="The export stops after 1,000 rows")
    house.flag("U0BEN", "4212", title="The wrong country")
    merge(house, body="Fixes #1, fixes #2, fixes #3")
    before = {person: len(house.told(person)) for person in ("U0ANA", "U0BEN")}
    release(house, "v2.5.0")

    told = house.told("U0ANA")[-1]
    assert "2 fixes in v2.5.0" in told
    assert "Camille Roux" in told
    assert "Priya Nair" in told
    assert "Jonas" not in told
    assert "Fixed in v2.5.0: The wrong country" in house.told("U0BEN")[-1]
    assert {person: len(house.told(person)) - count for person, count in before.items()} == {"U0ANA": 1, "U0BEN": 1}


def test_the_same_release_told_three_times_is_one_message(house: House) -> None:
    """Webhooks that come again and polls that see it again change nothing."""
    house.hear_webhooks()
    house.flag()
    merge(house)
    release(house, "v2.5.0")
    for delivery in house.github.deliveries:
        if delivery.event == "release":
            house.github.redeliver(delivery.id)
    house.settle()
    house.poll()
    assert len(house.told()) == 2


def test_a_later_release_with_the_same_fix_is_no_news(house: House) -> None:
    """It shipped once; every release from then on contains it."""
    house.flag()
    house.mend()
    house.write_back()
    release(house, "v2.6.0")
    release(house, "v2.7.0")
    assert len(house.told()) == 2


def test_each_customer_stands_in_the_message_in_their_own_words(house: House) -> None:
    """The agent writes to a person, not to a number: language, wait and words are there."""
    house.flag("U0ANA", "4211")
    house.look_up("U0ANA", "4212")
    view = house.slack.views("U0ANA")[-1]
    (known,) = house.slack.suggest(view["id"], "similar", "")
    house.submit("U0ANA", similar=known["value"])
    house.mend()
    told = house.told()[-1]
    assert "Camille Roux · ticket 4211 · French" in told
    assert "Depuis lundi, quand je change l’adresse de livraison" in told
    assert "Jonas Lindqvist · ticket 4212 · English" in told
    assert "since this week our shop charges Danish VAT" in told


def test_a_tracker_that_is_away_delays_the_news_and_loses_none(house: House) -> None:
    """GitHub is down while the release appears; the news comes when it is back."""
    house.flag()
    merge(house)
    house.github.stop()
    for _ in range(5):
        house.poll()
    port = int(house.github.url.rsplit(":", 1)[1])
    house.github.publish_release(REPO, "v2.5.0")
    house.github.start(port)
    house.pass_time(minutes=20)
    assert "Fixed in v2.5.0:" in house.told()[-1]
    assert len(house.told()) == 2
