"""Orders of events, crafted words and lost facts that must not bend the promises."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import yaml

from bot import changes
from bot.bridge import prove
from bot.changes import Graph, State
from bot.store.tables import Issue
from integrations.base import Commit, Fix
from integrations.sandbox.wire import Fault
from tests.conftest import REPO, House
from tests.test_deployed import deploy, good_news, on
from tests.test_fall_back import states
from tests.test_shipped import MINUTE, merge, release

LIB = "upstream/lib"


def fixed_in(house: House, person: str = "U0ANA") -> list[str]:
    return [one for one in house.told(person) if "Fixed in" in one]


def the_issue(house: House, number: int = 1) -> Issue:
    with house.bot.store.read() as session:
        return next(one for one in session.query(Issue) if one.number == number)


def name_the_fix(house: House, reference: str) -> None:
    house.press("U0LEO", "mark_fixed", "C0SUPPORTDEV")
    assert house.submit("U0LEO", reference=reference) == {}


# --- races


def test_rolled_back_before_the_deployment_was_examined(make_house: Callable[..., House]) -> None:
    """Named by the button, proven at once; rolled back before the next poll saw the deployment."""
    house = make_house(on("production"))
    house.flag()
    house.github.branch(REPO, "old", "main")
    deploy(house, ref="old")
    sha = house.github.commit(REPO, "main", "Round VAT per line")
    house.clock.advance(MINUTE)
    house.github.deploy(REPO, "production", "main")
    name_the_fix(house, sha[:10])
    assert len(good_news(house)) == 1
    deploy(house, ref="old")
    house.poll()
    assert "Fixed, not shipped yet" in house.card()


def test_a_proof_that_is_older_than_a_rollback(make_house: Callable[..., House]) -> None:
    """The look for proof began while production ran the fix, and ends after the rollback was heard."""
    house = make_house(on("production"))
    house.flag()
    house.github.branch(REPO, "old", "main")
    deploy(house, ref="old")
    sha = house.github.commit(REPO, "main", "Round VAT per line")
    name_the_fix(house, sha[:10])
    house.clock.advance(MINUTE)
    house.github.deploy(REPO, "production", "main")
    issue = the_issue(house)
    verdict = prove.prove(house.bot.bridge, issue.id)
    deploy(house, ref="old")
    with house.bot.store.write() as session:
        prove.apply(house.bot.bridge, session, issue.id, verdict)
    house.settle()
    house.poll()
    assert good_news(house) == []
    assert "Fixed, not shipped yet" in house.card()


def test_a_release_deleted_before_it_was_examined(house: House) -> None:
    """Proven by the button, and deleted before the next poll."""
    house.flag()
    house.github.branch(REPO, "old", "main")
    sha = house.github.commit(REPO, "main", "Round VAT per line")
    house.poll()
    house.clock.advance(MINUTE)
    house.github.publish_release(REPO, "v2.5.0")
    name_the_fix(house, sha[:10])
    assert len(fixed_in(house)) == 1
    house.github.delete_release(REPO, "v2.5.0")
    house.poll()
    release(house, "v2.4.1", target="old")
    assert "Fixed, not shipped yet" in house.card()


def test_a_look_that_is_given_up_does_not_swallow_the_proof(house: House) -> None:
    """The issue is asked first, the tracker refuses for a minute: what was found meanwhile is asked for again."""
    house.flag()
    merge(house)
    house.github.comment(REPO, 1, "leo-dev", "Good.")
    house.github.wire.faults.append(Fault("refuse", "GET", rf"/repos/{REPO}/issues/1/comments", status=422, times=12))
    release(house, "v2.5.0")
    for _ in range(30):
        house.pass_time(minutes=2)
    assert len(fixed_in(house)) == 1


def test_a_tracker_that_shows_nothing_for_a_minute(house: House) -> None:
    """Releases are refused while one is examined: later they are asked for again, without new events."""
    house.flag()
    merge(house)
    house.github.wire.faults.append(Fault("refuse", "GET", rf"/repos/{REPO}/compare/", status=422, times=40))
    release(house, "v2.5.0")
    for _ in range(8):
        house.pass_time(seconds=60)
    house.github.wire.faults.clear()
    for _ in range(30):
        house.pass_time(minutes=5)
    assert len(fixed_in(house)) == 1


def test_many_failing_deployments_hide_nothing(make_house: Callable[..., House]) -> None:
    """A pipeline that fails forty times leaves running what ran."""
    house = make_house(on("production"))
    house.flag()
    merge(house)
    deploy(house)
    assert house.write_back() == {}
    told = len(house.told())
    for _ in range(40):
        house.clock.advance(MINUTE)
        house.github.deploy(REPO, "production", "main", state="failure")
    house.poll()
    assert len(house.told()) == told
    assert "Shipped" in house.card()


def test_a_fix_in_a_repository_that_is_gone_holds_nobody_up(house: House) -> None:
    """One issue waits for a repository that was deleted; the others ship."""
    house.github.add_repo(LIB)
    house.flag("U0ANA", "4211")
    house.flag("U0BEN", "4212", title="The wrong country")
    sha = house.github.commit(LIB, "main", "Round VAT per line")
    house.github.comment(REPO, 1, "leo-dev", f"/fixed-by https://github.com/{LIB}/commit/{sha}")
    house.poll()
    assert "not shipped yet" in str(house.slack.messages("C0SUPPORTDEV"))
    house.github.delete_repo(LIB)
    merge(house, "Fixes #2")
    release(house, "v2.5.0")
    for _ in range(6):
        house.pass_time(minutes=3)
    assert len(fixed_in(house, "U0BEN")) == 1


# --- stuck


def test_reverted_on_one_environment_and_put_in_again(make_house: Callable[..., House]) -> None:
    """One environment saw the revert and another one the fix alone: put in again, it is out on both."""
    house = make_house(on("eu", "us"))
    house.flag()
    pull = merge(house)
    house.github.branch(REPO, "first", "main")
    reverted = house.github.revert_pull(REPO, pull, "leo-dev")
    deploy(house, "eu")
    deploy(house, "us", "first")
    house.github.revert(REPO, "main", reverted)
    deploy(house, "eu")
    deploy(house, "us")
    assert len(good_news(house)) == 1


def test_more_look_alikes_than_are_compared_at_once(house: House) -> None:
    """Twenty-five changes were picked to a branch without a word, and all ship with it."""
    house.github.branch(REPO, "1.x", "main")
    for n in range(25):
        house.flag("U0ANA", "4211", title=f"Bug {n}", **({"again": ["again"]} if n else {}))
        merge(house, f"Fixes #{house.github.issues(REPO)[0]['number']}", title=f"Mend {n}")
        sha = next(one for one in house.github.pulls(REPO) if one["title"] == f"Mend {n}")["merge_commit_sha"]
        house.github.cherry_pick(REPO, "1.x", sha, trailer=False)
    release(house, "v1.9", target="1.x")
    house.poll()
    with house.bot.store.read() as session:
        stages = [one.stage.value for one in session.query(Issue)]
    assert stages == ["shipped"] * 25


# --- duplicates and moves


def test_a_chain_of_duplicates(house: House) -> None:
    """2 → 3 → 4, then 1 → 2: everybody waits on 4."""
    for n, (person, ticket) in enumerate([("U0ANA", "4211"), ("U0BEN", "4212"), ("U0BEN", "4213"), ("U0BEN", "4214")]):
        house.flag(person, ticket, title=f"Bug {n}")
    house.github.close_as_duplicate(REPO, 2, "leo-dev", f"{REPO}#3")
    house.poll()
    house.github.close_as_duplicate(REPO, 3, "leo-dev", f"{REPO}#4")
    house.poll()
    house.github.close_as_duplicate(REPO, 1, "leo-dev", f"{REPO}#2")
    house.poll()
    merge(house, "Fixes #4")
    release(house, "v2.5.0")
    assert len(fixed_in(house, "U0ANA")) == 1


def test_duplicates_of_each_other(house: House) -> None:
    """The other one is not known here, and was closed as a duplicate of ours: the Support Dev is asked."""
    house.flag()
    other = house.github.open_issue(REPO, "leo-dev", "VAT again")
    house.github.close_as_duplicate(REPO, 1, "leo-dev", f"{REPO}#{other}")
    house.github.close_as_duplicate(REPO, other, "leo-dev", f"{REPO}#1")
    for _ in range(6):
        house.poll()
    assert any("reason" in one for one in house.told("U0LEO"))


def test_a_duplicate_of_an_issue_elsewhere_leaves_the_customers_at_home(house: House) -> None:
    """The same fault is known to a library's public tracker: no word of our customers goes there."""
    house.github.add_repo(LIB, private=False)
    known = house.github.open_issue(LIB, "stranger", "VAT")
    house.flag()
    house.github.close_as_duplicate(REPO, 1, "leo-dev", f"{LIB}#{known}")
    house.poll()
    assert house.github.issue(LIB, known)["comments"] == []


def test_a_stranger_says_what_it_duplicates(house: House) -> None:
    """Anybody can write "Duplicate of" under a public issue."""
    house.github.add_repo(LIB, private=False)
    known = house.github.open_issue(LIB, "stranger", "VAT")
    house.flag()
    house.github.comment(REPO, 1, "stranger", f"Duplicate of {LIB}#{known}")
    house.github.close_issue(REPO, 1, "leo-dev", "duplicate")
    house.poll()
    assert house.github.issue(LIB, known)["comments"] == []


def test_a_duplicate_of_a_pull_request(house: House) -> None:
    """A number that is no issue takes nobody's place: the Support Dev is asked."""
    house.flag()
    pull = house.github.open_pull(REPO, "leo-dev", "Another way", "")
    house.github.comment(REPO, 1, "leo-dev", f"Duplicate of #{pull}")
    house.github.close_issue(REPO, 1, "leo-dev", "duplicate")
    for _ in range(5):
        house.poll()
    assert any("reason" in one for one in house.told("U0LEO"))


def test_a_follower_of_a_duplicate_hears_what_stands(house: House) -> None:
    """The ticket is on both issues, and the other has shipped: who brought it to the duplicate hears so."""
    house.flag("U0ANA", "4211")
    house.look_up("U0BEN", "4211")
    house.submit("U0BEN", title="Another thing", again=["again"])
    merge(house, "Fixes #1")
    release(house, "v2.5.0")
    house.github.close_as_duplicate(REPO, 2, "leo-dev", f"{REPO}#1")
    house.poll()
    assert len(fixed_in(house, "U0BEN")) == 1


def test_what_a_customer_has_to_hear_outlives_a_duplicate(house: House) -> None:
    """Told that it is mended, then taken back, then a duplicate of what is open: the truth is still owed."""
    house.flag("U0BEN", "4212", title="The wrong country")
    house.flag("U0ANA", "4211")
    merge(house, "Fixes #2")
    release(house, "v2.5.0")
    assert house.write_back() == {}
    house.github.reopen_issue(REPO, 2, "leo-dev")
    house.poll()
    house.github.close_as_duplicate(REPO, 2, "leo-dev", f"{REPO}#1")
    house.poll()
    assert "due" in states(house)


def test_a_fixed_issue_that_is_a_duplicate_of_an_open_one(house: House) -> None:
    """What closed it first is not what mends the other."""
    house.flag()
    merge(house)
    other = house.github.open_issue(REPO, "leo-dev", "VAT is rounded per invoice")
    house.github.reopen_issue(REPO, 1, "leo-dev")
    house.github.close_as_duplicate(REPO, 1, "leo-dev", f"{REPO}#{other}")
    house.poll()
    release(house, "v2.5.0")
    assert fixed_in(house) == []


def test_attached_to_an_issue_that_has_just_become_a_duplicate(house: House) -> None:
    """Chosen in the modal while it was closed as a duplicate: the ticket waits where the others do."""
    house.flag("U0ANA", "4211")
    house.flag("U0ANA", "4213", title="The wrong country")
    house.look_up("U0BEN", "4212")
    known = house.slack.suggest(house.slack.views("U0BEN")[-1]["id"], "similar", "country")[0]["value"]
    house.github.close_as_duplicate(REPO, 2, "leo-dev", f"{REPO}#1")
    house.poll()
    house.submit("U0BEN", similar=known)
    merge(house, "Fixes #1")
    release(house, "v2.5.0")
    assert len(fixed_in(house, "U0BEN")) == 1


def two_products(config: dict[str, Any]) -> None:
    shop = config["projects"][0]
    config["projects"] = [{**shop, "tags": "shop-v*"}, {**shop, "key": "admin", "name": "Admin", "tags": "admin-v*"}]


def test_a_duplicate_stays_with_its_product(make_house: Callable[..., House]) -> None:
    """Two products in one repository: the other one's release is no proof."""
    house = make_house(two_products)
    house.flag(project="shop")
    other = house.github.open_issue(REPO, "leo-dev", "VAT is rounded per invoice")
    house.github.close_as_duplicate(REPO, 1, "leo-dev", f"{REPO}#{other}")
    house.poll()
    merge(house, f"Fixes #{other}")
    release(house, "admin-v1")
    assert fixed_in(house) == []


def test_a_named_fix_stays_where_it_is_when_its_issue_moves(make_house: Callable[..., House]) -> None:
    """A commit of the shop, named in an issue that is transferred afterwards."""

    def with_api(config: dict[str, Any]) -> None:
        config["projects"].append({**config["projects"][0], "key": "api", "name": "API", "repository": "acme/api"})

    house = make_house(with_api)
    house.github.add_repo("acme/api")
    house.flag(project="shop")
    sha = house.github.commit(REPO, "main", "Round VAT per line")
    house.github.comment(REPO, 1, "leo-dev", f"/fixed-by {sha[:10]}")
    house.poll()
    house.github.transfer_issue(REPO, 1, "acme/api", "leo-dev")
    house.poll()
    release(house, "v2.5.0")
    for _ in range(5):
        house.poll()
    assert len(fixed_in(house)) == 1


# --- words


def test_advice_to_revert_is_no_revert() -> None:
    """Only git's own sentence takes a change out."""
    sha = "a" * 40
    assert changes.taken_back(f"Flag for VAT\n\nIf this goes wrong, revert commit {sha}.") == set()
    assert changes.taken_back(f"Keep it\n\nWe do not revert commit {sha} after all.") == set()


def test_what_is_said_about_a_backport_is_none() -> None:
    """A line that begins like a backport's and goes on otherwise."""
    assert changes.copied("Notes\n\nBackport #12 was postponed") == set()
    assert changes.copied("Notes\n\nBackport of #12 is still missing") == set()


@pytest.mark.parametrize(
    "bomb", ["\n", "[]\n", " ", "a  ", "(#1)", "[a] ", "(backport ", "revert commit ", "Reverts ", 'Revert "']
)
def test_hostile_messages_take_time_in_proportion_to_their_length(bomb: str) -> None:
    """Whoever has a commit merged chooses its message."""

    def seconds(size: int) -> float:
        text, best = "a" + (bomb * size)[:size] + "b", float("inf")
        for _ in range(2):
            start = time.thread_time()
            for message in (text, text[1:], "\n" + text[1:]):
                changes.taken_back(message, REPO)
                changes.copied(message, REPO)
                changes.subject(message)
                changes.pull_of(message)
            best = min(best, time.thread_time() - start)
        return best

    assert seconds(16_000) < 8 * max(seconds(4_000), 0.002)


def test_a_duplicate_that_is_reopened(house: House) -> None:
    """It was none after all: its customers wait on their own issue again, and the release of the other is no news."""
    house.flag("U0ANA", "4211")
    house.flag("U0BEN", "4212", title="The wrong country")
    house.github.close_as_duplicate(REPO, 2, "leo-dev", f"{REPO}#1")
    house.poll()
    house.github.reopen_issue(REPO, 2, "leo-dev")
    house.poll()
    merge(house, "Fixes #1")
    release(house, "v2.5.0")
    assert fixed_in(house, "U0BEN") == []


def test_a_configuration_that_counts_other_tags_deletes_nothing(house: House) -> None:
    """What shipped by the old rule has shipped: no release was withdrawn."""
    house.github.branch(REPO, "old", "main")
    house.flag()
    merge(house)
    release(house, "v2.5.0")
    assert house.write_back() == {}
    house.stop_bot()
    path = house.folder / "passerelle.yaml"
    config = yaml.safe_load(path.read_text())
    config["projects"][0]["tags"] = "shop-v*"
    path.write_text(yaml.safe_dump(config))
    house.bot = house.start_bot()
    release(house, "shop-v3", target="old")
    assert states(house) == ["written"]


def test_a_pull_request_that_talks_of_another_is_no_backport(house: House) -> None:
    """Words about a backport bring no change to any branch."""
    house.flag()
    house.github.branch(REPO, "1.x", "main")
    number = merge(house)
    other = house.github.open_pull(REPO, "leo-dev", "Tidy up", f"This does not backport #{number}.", "1.x")
    house.clock.advance(MINUTE)
    house.github.merge_pull(REPO, other, "leo-dev")
    house.github.comment(REPO, 1, "leo-dev", "Good.")
    house.poll()
    release(house, "v1.9", target="1.x")
    assert fixed_in(house) == []


def test_a_long_row_of_reverts() -> None:
    """Each takes back the one before; however many they are, it can be told."""
    shas = [f"{n:040x}" for n in range(600)]
    row = [Commit(sha, (before,), f'Revert "x"\n\nThis reverts commit {before}.') for before, sha in pairwise(shas)]
    fix = Fix(shas[0], "", title="Fix")
    assert Graph(REPO, [Commit(shas[0], (), "Fix"), *row]).state(fix) is State.REVERTED
    assert Graph(REPO, [Commit(shas[0], (), "Fix"), *row[:-1]]).state(fix) is State.IN


def test_a_rollback_in_a_repository_that_nobody_configured(house: House) -> None:
    """Its releases are watched for as long as something shipped by them."""
    house.github.add_repo("acme/lib")
    house.flag()
    house.poll()
    number = house.github.open_pull("acme/lib", "leo-dev", "Round", f"Fixes {REPO}#1")
    house.clock.advance(MINUTE)
    house.github.merge_pull("acme/lib", number, "leo-dev")
    house.poll()
    house.clock.advance(MINUTE)
    house.github.publish_release("acme/lib", "v1")
    house.poll()
    house.poll()
    assert len(fixed_in(house)) == 1
    house.github.delete_release("acme/lib", "v1")
    for _ in range(5):
        house.poll()
    assert "Fixed, not shipped yet" in house.card()
