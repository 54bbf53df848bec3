"""What ships, and what does not any more, against a GitHub that nobody of this project wrote: npm's `emulate`.

It has no deployments, no GraphQL, no ETags and no repeated deliveries: there the bot has to do with less.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from bot.check import check
from bot.outbox import READ_TRIES
from bot.scheduler import REDELIVERY
from bot.store.tables import UNDONE, Effect, EffectState
from tests.conftest import REPO, Change, House
from tests.real.emulated import APP, INSTALLATION, KEY, Emulated
from tests.test_fall_back import states
from tests.test_shipped import merged

pytestmark = pytest.mark.node

MakeHouse = Callable[..., House]
SECRET = "sandbox-webhook-secret"


def project(**options: Any) -> Change:
    return lambda config: config["projects"][0].update(options)


def good_news(house: House) -> list[str]:
    return [one for one in house.told() if "Fixed in" in one or "Fixed and merged" in one or "Live on" in one]


def troubles(house: House, *given: EffectState) -> list[str]:
    """What the bot did not get done."""
    with house.bot.store.read() as session:
        wanted = Effect.state.in_(given or (*UNDONE, EffectState.DEAD))
        return [f"{one.key}: {one.error}" for one in session.scalars(sa.select(Effect).where(wanted))]


# --- releases


@pytest.mark.parametrize("method", ["squash", "merge", "rebase"])
def test_each_way_to_merge(emulated: Emulated, elsewhere: House, method: str) -> None:
    """A pull request of two commits ships by the release that contains it, and by no earlier one of another branch."""
    house = elsewhere
    emulated.release("v1.0.0")
    house.flag()
    emulated.branch("stable")
    pull, sha = emulated.merge("Round VAT per line", "Fixes #1", method, commits=["Round", "Round more"])
    house.poll()
    assert "Waits for a release that contains " in house.card()
    emulated.commit("stable", "Another thing")
    emulated.release("v1.0.1", "stable")
    emulated.release("v1.1.0-rc.1", prerelease=True)
    house.poll()
    assert good_news(house) == []
    emulated.release("v1.1.0")
    house.poll()
    (told,) = good_news(house)
    assert "Fixed in v1.1.0: VAT is wrong on invoices" in told
    assert f"merged in #{pull} ({sha[:7]}) · in v1.1.0" in told
    assert troubles(house) == []


def test_a_cherry_pick_ships_on_its_branch(emulated: Emulated, elsewhere: House) -> None:
    """The commit says what it repeats; one of the same title that does not is none, as no patch can be compared."""
    house = elsewhere
    emulated.branch("stable")
    emulated.release("v1.0.0", "stable")
    house.flag()
    _, sha = emulated.merge("Round VAT per line", "Fixes #1")
    house.poll()
    emulated.commit("stable", "Round VAT per line")
    emulated.release("v1.0.1", "stable")
    house.poll()
    assert good_news(house) == []
    emulated.commit("stable", f"Round VAT per line\n\n(cherry picked from commit {sha})")
    emulated.release("v1.0.2", "stable")
    house.poll()
    assert "Fixed in v1.0.2" in good_news(house)[-1]
    assert troubles(house) == []


@pytest.mark.parametrize("method", ["squash", "merge"])
def test_reverted_in_a_later_release(emulated: Emulated, elsewhere: House, method: str) -> None:
    """Who wrote to the customer hears it once, and owes the truth; what nobody wrote is held."""
    house = elsewhere
    emulated.release("v1.0.0")
    house.flag("U0ANA", "4211")
    house.flag("U0BEN", "4212", title="The wrong country")
    emulated.release("v1.0.1")
    _, sha = emulated.merge("Round VAT per line", "Fixes #1, fixes #2", method)
    house.poll()
    emulated.release("v1.1.0")
    house.poll()
    assert house.write_back("U0ANA") == {}
    emulated.revert("main", sha)
    house.poll()
    assert states(house) == ["written", "due"]
    for tag in ("v1.2.0", "v1.3.0"):
        emulated.release(tag)
        house.poll()
    assert [one for one in house.told("U0ANA") if "Taken out again in v1.3.0" in one] == []
    assert len([one for one in house.told("U0ANA") if "Taken out again in v1.2.0" in one]) == 1
    assert states(house) == ["written", "held", "due"]
    assert troubles(house) == []


def test_a_deleted_release(emulated: Emulated, elsewhere: House) -> None:
    """Held until another release contains the fix."""
    house = elsewhere
    house.flag()
    emulated.merge("Round VAT per line", "Fixes #1")
    house.poll()
    made = emulated.release("v1.1.0")
    house.poll()
    assert states(house) == ["due"]
    emulated.delete_release(made)
    house.poll()
    assert states(house) == ["held"]
    assert "v1.1.0 was withdrawn" in house.card()
    emulated.release("v1.1.1")
    house.poll()
    assert "Fixed in v1.1.1" in good_news(house)[-1]


def test_tags_without_a_release(emulated: Emulated, make_elsewhere: MakeHouse) -> None:
    """This GitHub lists annotated tags alone, with the tag's own sha as the commit's: a ref of that name leads on."""
    house = make_elsewhere(project(bare_tags=True))
    house.flag()
    emulated.merge("Round VAT per line", "Fixes #1")
    emulated.tag("v1.0.9")
    house.poll()
    assert good_news(house) == []
    tag = emulated.call("POST", "/git/tags", tag="v1.1.0", message="Now", object=emulated.head(), type="commit")
    emulated.tag(tag["sha"])
    house.poll()
    assert "Fixed in v1.1.0" in good_news(house)[-1]
    assert troubles(house) == []


# --- a branch


def test_a_branch_that_was_reset(emulated: Emulated, make_elsewhere: MakeHouse) -> None:
    """Merged is enough here, until somebody pushes the merge away; put back, it is out again."""
    house = make_elsewhere(merged)
    house.flag()
    before = emulated.head()
    emulated.merge("Round VAT per line", "Fixes #1")
    after = emulated.head()
    house.poll()
    assert "Fixed and merged" in good_news(house)[-1]
    emulated.reset("main", before)
    house.poll()
    assert states(house) == ["held"]
    assert "Fixed, not shipped yet" in house.card()
    emulated.reset("main", after)
    house.poll()
    assert "Shipped" in house.card()
    assert states(house)[-1] == "due"
    assert troubles(house) == []


# --- what a person names


def test_named_in_the_issue(emulated: Emulated, elsewhere: House) -> None:
    """Closed by hand the Support Dev is asked; a commit by its short sha is an answer, what nobody knows is none."""
    house = elsewhere
    house.flag()
    sha = emulated.commit("main", "Round VAT per line")
    emulated.close(1)
    house.poll()
    assert "no commit is known that fixed it" in house.told("U0LEO")[-1]
    emulated.comment(1, "/fixed-by 0123456789")
    house.poll()
    said = [one["body"] for one in emulated.everything("/issues/1/comments")]
    assert "Write a commit, or a pull or merge request that is merged, after `/fixed-by`" in said[-1]
    emulated.comment(1, f"/fixed-by {sha[:9]}")
    house.poll()
    assert f"Waits for a release that contains {sha[:7]}" in house.card()
    emulated.release("v1.1.0")
    house.poll()
    assert "Fixed in v1.1.0" in good_news(house)[-1]
    assert troubles(house) == []


# --- ways in


def test_as_a_github_app(emulated: Emulated, make_elsewhere: MakeHouse) -> None:
    """No account of its own: the app is the author, and its installation's token does all that is needed."""

    def app(config: dict[str, Any]) -> None:
        del config["trackers"]["github"]["token"]
        config["trackers"]["github"] |= {"app_id": APP, "private_key": KEY, "installation_id": INSTALLATION}

    house = make_elsewhere(app)
    tracker = house.bot.bridge.trackers["github"]
    assert tracker.check(REPO) == []
    house.flag()
    issue = emulated.call("GET", "/issues/1")
    assert issue["user"]["login"] == tracker.login() == "passerelle[bot]"
    emulated.merge("Round VAT per line", "Fixes #1")
    house.poll()
    emulated.release("v1.1.0")
    house.poll()
    assert "Fixed in v1.1.0" in good_news(house)[-1]
    assert house.write_back() == {}
    (table,) = emulated.everything("/issues/1/comments")
    assert table["user"]["login"] == "passerelle[bot]"
    assert troubles(house) == []


def test_webhooks_are_heard(emulated: Emulated, elsewhere: House) -> None:
    """Signed as GitHub signs, each leads to a look; nobody polls. Signed otherwise it is turned away."""
    house = elsewhere
    house.flag()
    address = f"{house.server.url}/webhooks/github"
    hook, other = emulated.send_webhooks(address, SECRET), emulated.send_webhooks(address, "another secret")
    emulated.merge("Round VAT per line", "Fixes #1")
    assert emulated.delivered(hook, "pull_request")[0]["status_code"] == 202
    assert emulated.delivered(other, "pull_request")[0]["status_code"] == 401
    house.settle()
    assert "Waits for a release that contains " in house.card()
    emulated.release("v1.1.0")
    assert emulated.delivered(hook, "release")[0]["status_code"] == 202
    house.settle()
    assert "Fixed in v1.1.0" in good_news(house)[-1]


# --- what it lacks


def test_deliveries_that_cannot_be_asked_for_again(emulated: Emulated, make_elsewhere: MakeHouse) -> None:
    """It tells which deliveries failed, and sends none again: the bot takes that for an answer."""
    nowhere = "http://127.0.0.1:9"
    house = make_elsewhere(lambda config: config.update(web={"public_url": nowhere}))
    emulated.call("PUT", "/collaborators/passerelle-bot", "ghp_owner", permission="admin")
    hook = emulated.send_webhooks(f"{nowhere}/webhooks/github", SECRET)
    emulated.commit("main", "Something")
    assert emulated.delivered(hook, "push")[0]["status_code"] is None
    house.pass_time(seconds=REDELIVERY)
    house.bot.schedule.tick_redeliveries()
    house.settle()
    assert troubles(house) == []


def test_without_deployments(emulated: Emulated, make_elsewhere: MakeHouse) -> None:
    """A project that ships by them hears from `check` and on the card what is missing; all else goes on, unhurried."""
    house = make_elsewhere(project(shipped_when="deployed", environment="production"))
    missing = f"it shows us no deployments of {REPO}"
    (found,) = check(house.bot.settings, house.bot.bridge.trackers, {})
    assert found.where.startswith("trackers.github")
    assert "deployments" in found.problem
    house.flag()
    emulated.merge("Round VAT per line", "Fixes #1")
    for _ in range(12):
        house.poll()
    assert "Fixed, not shipped yet" in house.card()
    assert f"The tracker refuses: {missing}." in house.card()
    assert good_news(house) == []
    assert {key.partition(":")[0] for key in troubles(house)} == {"poll", "prove"}
    with house.bot.store.read() as session:
        assert max(session.scalars(sa.select(Effect.attempts))) <= READ_TRIES
    emulated.comment(1, "/fixed-without-commit It is live, I looked.")
    house.poll()
    assert "Shipped" in house.card()
