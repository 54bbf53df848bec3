"""What fixes, and what ships, by GitLab: beyond what every tracker has to tell."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from integrations.base import CodeTouched, NotFound, Place, Rejected, Watch
from integrations.gitlab import Config, GitLab, code, wording
from integrations.sandbox.gitlab import GitLabStandIn
from integrations.sandbox.wire import Fault, Server
from tests.integrations.gitlab_world import REPO, SIGNING, GitLabWorld, StillClock

OTHER = "acme/warehouse"


@pytest.fixture
def hub() -> Iterator[GitLabStandIn]:
    hub = GitLabStandIn(now=StillClock(), signing_secret=SIGNING).start()
    for path in (REPO, OTHER):
        hub.add_project(path, members={"leo-dev": 30})
    yield hub
    hub.stop()


@pytest.fixture
def world(hub: GitLabStandIn) -> GitLabWorld:
    return GitLabWorld(hub)


@pytest.fixture
def tracker(world: GitLabWorld) -> GitLab:
    return world.tracker()


# --- fixes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["merge", "squash", "ff", "rebase", "squash-ff", "train"])
def test_each_way_to_merge(hub: GitLabStandIn, world: GitLabWorld, tracker: GitLab, method: Any) -> None:
    """The fix is what stands on the target branch, with the commits of which all must be there."""
    number = hub.open_issue(REPO, "leo-dev", "Basket")
    merge = hub.open_merge(REPO, "leo-dev", "Keep it", f"Closes #{number}", commits=["One", "Two"])
    before = tracker.resolve(REPO, "heads/main")
    if method in ("rebase", "squash-ff", "train"):
        before = world.commit()
    sha = hub.merge(REPO, merge, "leo-dev", method)
    world.commit()
    [fix] = tracker.fixes(REPO, number)
    there = {commit.sha: commit.message for commit in tracker.between(REPO, before, sha).commits}
    assert (fix.sha, fix.branch, fix.pull) == (sha, "main", merge)
    titles = {"squash": ["Keep it"], "squash-ff": []}.get(method, ["One", "Two"])
    assert [there[part].partition("\n")[0] for part in fix.parts] == titles
    assert fix == tracker.fix(REPO, f"!{merge}")
    assert fix.url.endswith(f"/acme/shop-app/-/commit/{sha}")


def test_a_commit_that_closes_the_issue(hub: GitLabStandIn, tracker: GitLab) -> None:
    """Pushed to the default branch, without a merge request."""
    number = hub.open_issue(REPO, "leo-dev", "Basket")
    sha = hub.commit(REPO, "main", f"Keep the basket\n\nFixes #{number}", "leo-dev")
    [fix] = tracker.fixes(REPO, number)
    assert (fix.sha, fix.pull, fix.title, fix.repository) == (sha, None, "Keep the basket", "")
    assert tracker.fix(REPO, fix.url) == fix


def test_a_merge_request_whose_commits_close_the_issue(hub: GitLabStandIn, tracker: GitLab) -> None:
    """Its own text says nothing; it is one fix, not two."""
    number = hub.open_issue(REPO, "leo-dev", "Basket")
    merge = hub.open_merge(REPO, "leo-dev", "Keep it", commits=[f"Fixes #{number}"])
    sha = hub.merge(REPO, merge, "leo-dev")
    assert [(fix.sha, fix.pull) for fix in tracker.fixes(REPO, number)] == [(sha, merge)]


def test_a_fix_in_another_project(hub: GitLabStandIn, tracker: GitLab) -> None:
    """Its commit stands there; GitLab lists it as related."""
    number = hub.open_issue(REPO, "leo-dev", "Basket")
    merge = hub.open_merge(OTHER, "leo-dev", "Keep it", f"Closes {REPO}#{number}")
    sha = hub.merge(OTHER, merge, "leo-dev")
    [fix] = tracker.fixes(REPO, number)
    assert (fix.sha, fix.repository, fix.pull) == (sha, OTHER, merge)
    for name in (f"{OTHER}!{merge}", f"warehouse!{merge}", fix.pull_url, fix.url):
        assert tracker.fix(REPO, name).repository == OTHER


@pytest.mark.parametrize(("visibility", "counts"), [("private", True), ("public", False)])
def test_a_strangers_merge_request_fixes_no_public_issue(
    hub: GitLabStandIn, tracker: GitLab, visibility: str, counts: bool
) -> None:
    """Anybody can name it from a project of their own, and merge there."""
    hub.set_visibility(REPO, visibility)
    hub.add_project("stranger/thing", visibility="public")
    number = hub.open_issue(REPO, "leo-dev", "Basket")
    hub.branch("stranger/thing", "side", "main")
    merge = hub.open_merge("stranger/thing", "root", "Keep it", f"Closes {REPO}#{number}", "side")
    hub.merge("stranger/thing", merge, "root")
    assert bool(tracker.fixes(REPO, number)) == counts


def test_a_revert_that_repeats_the_words_is_no_fix(hub: GitLabStandIn, tracker: GitLab) -> None:
    """GitLab's button makes `Revert "Closes #1 …"`, which would close it, too."""
    number = hub.open_issue(REPO, "leo-dev", "Basket")
    first = hub.open_merge(REPO, "leo-dev", f"Closes #{number}: keep it")
    sha = hub.merge(REPO, first, "leo-dev")
    second = hub.open_merge(
        REPO, "leo-dev", f'Revert "Closes #{number}: keep it"', f"This reverts merge request !{first}"
    )
    hub.merge(REPO, second, "leo-dev")
    assert [fix.sha for fix in tracker.fixes(REPO, number)] == [sha]


def test_an_issue_is_no_fix(hub: GitLabStandIn, tracker: GitLab) -> None:
    """On GitLab `#1` and `!1` are two things; to take one for the other would prove the wrong thing."""
    number = hub.open_issue(REPO, "leo-dev", "Basket")
    hub.merge(REPO, hub.open_merge(REPO, "leo-dev", "Something else"), "leo-dev")
    with pytest.raises(NotFound, match=f"is an issue; a merge request is written !{number}"):
        tracker.fix(REPO, f"#{number}")


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ("Closes #1", [Place(REPO, 1)]),
        ("Fixing issues #1, #2 and acme/api#3.", [Place(REPO, 1), Place(REPO, 2), Place("acme/api", 3)]),
        ("implements: api#4", [Place("acme/api", 4)]),
        ("Resolved https://git.example.com/a/b/c/-/issues/5 #6", [Place("a/b/c", 5), Place(REPO, 6)]),
        ("closes https://git.example.com/a/b/-/work_items/7", [Place("a/b", 7)]),
        ("Closes !1", []),
        ("See #1", []),
        ("`Closes #1`", []),
        ("> Closes #1", []),
        ("<!-- Closes #1 -->", []),
        ("```\nCloses #1\n```", []),
        ("Closes #1 but not yet #2", [Place(REPO, 1)]),
    ],
)
def test_closing_words_are_gitlabs(body: str, places: list[Place]) -> None:
    """Its default pattern: more words than GitHub's, several issues after one, in prose alone."""
    assert wording.closing("Keep it", body, REPO) == places


@pytest.mark.parametrize("body", ["Closes #1 " * 20_000, "closes " + "a/" * 50_000, "#" * 100_000, "closes " * 50_000])
def test_long_texts_are_read_in_time(body: str) -> None:
    """No text makes a pattern take for ever."""
    wording.closing(body, body, REPO)
    wording.copied(body, body, REPO)
    wording.moved_to(f"moved to {body}", REPO)


# --- ranges and changes -----------------------------------------------------------------------------------------------


def test_histories_without_a_common_beginning_share_nothing(hub: GitLabStandIn, tracker: GitLab) -> None:
    """As after an import: all of head's commits, oldest first."""
    project = hub.find(REPO)
    assert project
    first, second = (project.history.commit("imported", title, "leo-dev", hub.now()).sha for title in ("One", "Two"))
    found = tracker.between(REPO, tracker.resolve(REPO, "heads/main"), second)
    assert ([commit.sha for commit in found.commits], found.holds_base, found.whole) == ([first, second], False, True)


def test_a_range_over_merges_is_exact(hub: GitLabStandIn, world: GitLabWorld, tracker: GitLab) -> None:
    """A branch that was merged in both directions has nothing twice and nothing of the base."""
    world.branch("side")
    one = world.commit("side")
    two = world.commit()
    hub.merge_branch(REPO, "side", "main")
    three = world.commit("side")
    merged = hub.merge_branch(REPO, "main", "side")
    found = tracker.between(REPO, two, merged)
    assert found.holds_base
    assert {one, three, merged} <= {commit.sha for commit in found.commits}
    assert two not in {commit.sha for commit in found.commits}


def test_a_range_costs_its_pages_alone(hub: GitLabStandIn, world: GitLabWorld, tracker: GitLab) -> None:
    """What holds its base is told by the commits themselves."""
    base = world.commit()
    for _ in range(120):
        head = world.commit()
    before = len(hub.wire.calls)
    assert tracker.between(REPO, base, head).holds_base
    assert len(hub.wire.calls) - before == 2


DIFF = {
    "old_path": "basket.py",
    "new_path": "basket.py",
    "a_mode": "100644",
    "b_mode": "100644",
    "new_file": False,
    "renamed_file": False,
    "deleted_file": False,
    "diff": "@@ -10,3 +10,3 @@ def empty():\n keep\n-old\n+new\n",
}


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"diff": "@@ -90,3 +94,3 @@ def full():\n keep\n-old\n+  new \n"}, True),
        ({"diff": "@@ -10,3 +10,3 @@ def empty():\n keep\n-old\n+newer\n"}, False),
        ({"diff": "@@ -10,3 +10,3 @@ def empty():\n kept\n-old\n+new\n"}, False),
        ({"new_path": "till.py", "old_path": "till.py"}, False),
        ({"b_mode": "100755"}, False),
    ],
)
def test_a_patch_is_known_wherever_its_lines_stand(change: dict[str, Any], same: bool) -> None:
    """Positions and blanks aside; files, modes and context count."""
    assert (code.patch_id([DIFF]) == code.patch_id([DIFF | change])) == same
    assert code.patch_id([DIFF, DIFF | {"new_path": "a.py"}]) == code.patch_id([DIFF | {"new_path": "a.py"}, DIFF])


@pytest.mark.parametrize(
    "change",
    [
        {"too_large": True},
        {"collapsed": True, "diff": ""},
        {"diff": "Binary files a/b.png and b/b.png differ\n"},
        {"diff": ""},
        {"diff": "", "new_file": True, "a_mode": "0"},
    ],
)
def test_what_gitlab_does_not_show_proves_nothing(change: dict[str, Any]) -> None:
    """Two large changes would else look like one."""
    assert code.patch_id([DIFF, DIFF | change]) == ""
    assert code.patch_id([]) == ""


# --- releases ---------------------------------------------------------------------------------------------------------


def test_a_release_to_come_is_not_out_before_its_day(hub: GitLabStandIn, world: GitLabWorld, tracker: GitLab) -> None:
    """Nothing tells of the day but the list; until then its tag is not a bare one either."""
    world.publish_release("v1.0.0")
    _, watch = tracker.poll(REPO, "releases", Watch())
    hub.publish_release(REPO, "v2.0.0-rc.1", released_at=hub.now() + timedelta(days=1))
    assert tracker.poll(REPO, "releases", watch)[0] == []
    assert [release.tag for release in tracker.releases(REPO, bare_tags=True)] == ["v1.0.0"]
    later = GitLab("gitlab", tracker._config, now=lambda: hub.now() + timedelta(days=2))
    hub.edit_release(REPO, "v2.0.0-rc.1", released_at=hub.now())
    assert later.poll(REPO, "releases", watch)[0] == [CodeTouched(REPO, "releases")]
    found = later.releases(REPO)
    assert [(release.tag, release.prerelease) for release in found] == [("v2.0.0-rc.1", True), ("v1.0.0", False)]
    assert found[0].sha == tracker.resolve(REPO, "tags/v2.0.0-rc.1")


def test_an_annotated_tag_is_its_commit(hub: GitLabStandIn, tracker: GitLab) -> None:
    """The tag has a sha of its own, which no branch holds."""
    sha = hub.commit(REPO, "main", "Tidy up")
    hub.tag(REPO, "v1", "main", annotation="The first")
    assert tracker.resolve(REPO, "tags/v1") == sha
    assert [release.sha for release in tracker.releases(REPO, bare_tags=True)] == [sha]


# --- deployments ------------------------------------------------------------------------------------------------------


def test_a_rollback_is_a_new_deployment_of_an_older_commit(
    hub: GitLabStandIn, world: GitLabWorld, tracker: GitLab
) -> None:
    """What went wrong, waits or was skipped on the way is passed over."""
    one, two = world.commit(), world.commit()
    hub.deploy(REPO, "production", one)
    hub.deploy(REPO, "production", two)
    for status in ("failed", "canceled", "skipped", "blocked", "running", "created"):
        hub.deploy(REPO, "production", one, status)
    assert [each and each.sha for each in [tracker.deployed(REPO, "production")]] == [two]
    back = hub.deploy(REPO, "production", sha=one)
    found = tracker.deployed(REPO, "production")
    assert found
    assert (found.id, found.sha) == (str(back), one)


@pytest.mark.parametrize("job", [True, False])
def test_what_finishes_last_runs(hub: GitLabStandIn, world: GitLabWorld, tracker: GitLab, job: bool) -> None:
    """Two at once: the one that began first may end last, by a job or by the API."""
    one, two = world.commit(), world.commit()
    first = hub.deploy(REPO, "production", one, "running", job=job)
    hub.deploy(REPO, "production", two, job=job)
    assert [each and each.sha for each in [tracker.deployed(REPO, "production")]] == [two]
    hub.deployment_status(REPO, first, "success")
    assert [each and each.sha for each in [tracker.deployed(REPO, "production")]] == [one]


def test_a_tier_stands_for_its_environments(hub: GitLabStandIn, world: GitLabWorld, tracker: GitLab) -> None:
    """The one that was deployed longest ago counts, and none while one of them has nothing; a stopped one is none."""
    one, two = world.commit(), world.commit()
    hub.deploy(REPO, "eu/shop", one, tier="production")
    hub.environment(REPO, "us/shop", tier="production")
    assert tracker.deployed(REPO, "production") is None
    hub.deploy(REPO, "us/shop", two)
    found = tracker.deployed(REPO, "production")
    assert found
    assert (found.environment, found.sha) == ("eu/shop", one)
    hub.deploy(REPO, "eu/shop", two)
    assert [each and each.sha for each in [tracker.deployed(REPO, "production")]] == [two]
    hub.deploy(REPO, "asia/shop", one, tier="production")
    hub.deploy(REPO, "eu/shop", two)
    hub.deploy(REPO, "us/shop", two)
    hub.stop_environment(REPO, "asia/shop")
    assert [each and each.sha for each in [tracker.deployed(REPO, "production")]] == [two]
    hub.deploy(REPO, "production", one)
    found = tracker.deployed(REPO, "production")
    assert found
    assert (found.environment, found.sha) == ("production", one)


def test_a_tier_is_polled(hub: GitLabStandIn, world: GitLabWorld, tracker: GitLab) -> None:
    """From the first deployment of one of its environments on."""
    _, watch = tracker.poll(REPO, "deployments:production", Watch())
    assert tracker.poll(REPO, "deployments:production", watch) == ([], watch)
    told = []
    for environment in ("eu/shop", "review/1", "eu/shop"):
        hub.deploy(REPO, environment, tier="production" if environment == "eu/shop" else "development")
        events, watch = tracker.poll(REPO, "deployments:production", watch)
        told.append(events)
        assert tracker.poll(REPO, "deployments:production", watch) == ([], watch)
    touched = [CodeTouched(REPO, "deployments:production")]
    assert told == [touched, [], touched]


def test_deployments_that_are_hidden_are_not_none(hub: GitLabStandIn, tracker: GitLab) -> None:
    """To take a refusal for "nothing runs there" would undo what shipped."""
    hub.deploy(REPO, "production")
    hub.wire.faults.append(Fault("refuse", "GET", "/deployments$", status=404, times=None))
    with pytest.raises(Rejected):
        tracker.deployed(REPO, "production")


# --- polling ----------------------------------------------------------------------------------------------------------


def test_a_server_without_etags_is_compared_by_what_it_says() -> None:
    """A proxy may take them away: then each poll costs the list, and tells nothing twice."""
    tips = ["1" * 40]

    async def answer(asked: Request) -> Response:
        assert "if-none-match" not in asked.headers
        return JSONResponse([{"id": tips[-1]}])

    server = Server(Starlette(routes=[Route("/{rest:path}", answer)])).start()
    tracker = GitLab("gitlab", Config(url=server.url, token=SecretStr("x")), timeout=1)
    _, watch = tracker.poll(REPO, "branch", Watch())
    assert tracker.poll(REPO, "branch", watch) == ([], watch)
    tips.append("2" * 40)
    events, watch = tracker.poll(REPO, "branch", watch)
    assert events == [CodeTouched(REPO, "branch")]
    assert tracker.poll(REPO, "branch", watch) == ([], watch)
    server.stop()
