"""Merge requests, commits, branches and tags in the sandbox's GitLab."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from integrations.sandbox.gitlab import GitLabStandIn
from integrations.sandbox.gitlab.references import closed_in, issues_in, merges_in
from tests.integrations.sandbox_gitlab.conftest import AT, SHOP, fixed

GIT = f"{AT}/repository"


def titles(http: httpx2.Client, ref: str = "main") -> list[str]:
    return [one["title"] for one in http.get(f"{GIT}/commits", params={"ref_name": ref}).json()]


@pytest.mark.parametrize(
    ("method", "merged", "squashed", "brought"),
    [
        ("merge", True, False, ["Merge branch 'change-1' into 'main'", "Two", "One"]),
        ("squash", True, True, ["Merge branch 'change-1' into 'main'", "Keep the basket"]),
        ("squash-ff", False, True, ["Keep the basket"]),
        ("ff", False, False, ["Two", "One"]),
        ("rebase", False, False, ["Two", "One"]),
        ("train", False, False, ["Two", "One"]),
    ],
)
def test_each_way_to_merge_leaves_its_shas(
    gitlab: GitLabStandIn, http: httpx2.Client, method: str, merged: bool, squashed: bool, brought: list[str]
) -> None:
    """A merge commit, a squash commit, both or none; the issue closes by the merge request each time."""
    issue, iid, sha = fixed(gitlab, method)
    merge = http.get(f"{AT}/merge_requests/{iid}").json()
    assert (merge["state"], merge["merge_commit_sha"] == sha) == ("merged", merged)
    assert (merge["squash_commit_sha"] is not None, merge["squash"]) == (squashed, squashed)
    assert titles(http) == [*brought, "Initial commit"]
    assert http.get(f"{GIT}/branches/main").json()["commit"]["id"] == sha
    assert [one["title"] for one in http.get(f"{AT}/merge_requests/{iid}/commits").json()] == ["Two", "One"]
    (event,) = http.get(f"{AT}/issues/{issue}/resource_state_events").json()
    assert (event["state"], event["source_merge_request_id"], event["source_commit"]) == ("closed", merge["id"], None)
    assert (merge["sha"] == sha) == (method in ("ff", "rebase"))


def test_a_fast_forward_of_what_lags_behind_is_rebased_first(gitlab: GitLabStandIn, http: httpx2.Client) -> None:
    """The merge request shows the copies then; by a train it shows the originals, which never came there."""
    shown = {}
    for method in ("ff", "train"):
        iid = gitlab.open_merge(SHOP, "leo-dev", f"By {method}")
        first = gitlab.merges(SHOP)[0]["sha"]
        gitlab.commit(SHOP, "main", "Meanwhile")
        sha = gitlab.merge(SHOP, iid, "leo-dev", method)
        shown[method] = (first != sha, gitlab.merges(SHOP)[0]["sha"] == sha)
    assert shown == {"ff": (True, True), "train": (True, False)}


def test_the_words_of_a_merge_commit(gitlab: GitLabStandIn, http: httpx2.Client) -> None:
    """The default template: branches, title, what it closes, and where it comes from."""
    gitlab.add_project("acme/lib")
    gitlab.open_issue("acme/lib", "leo-dev", "There")
    gitlab.open_issue(SHOP, "leo-dev", "Here")
    iid = gitlab.open_merge(SHOP, "leo-dev", "Keep it", "Fixes #1 and lib#1")
    sha = gitlab.merge(SHOP, iid, "leo-dev")
    assert http.get(f"{GIT}/commits/{sha}").json()["message"] == (
        f"Merge branch 'change-1' into 'main'\n\nKeep it\n\nCloses #1 and lib#1\n\nSee merge request {SHOP}!1"
    )
    assert gitlab.issue("acme/lib", 1)["state"] == "closed"


def test_what_closes_is_told_from_both_sides(gitlab: GitLabStandIn, http: httpx2.Client) -> None:
    """`closed_by` knows merge requests of the same project only, even when others closed it; `related` knows all."""
    gitlab.add_project("acme/lib")
    gitlab.open_issue(SHOP, "leo-dev", "Bug")
    here = gitlab.open_merge(SHOP, "leo-dev", "Here", "Closes #1")
    gitlab.open_merge(SHOP, "leo-dev", "Only a word", "Next to #1")
    there = gitlab.open_merge("acme/lib", "leo-dev", "There", f"Closes {SHOP}#1")
    gitlab.merge("acme/lib", there, "leo-dev")
    assert gitlab.issue(SHOP, 1)["state"] == "closed"
    assert [one["title"] for one in http.get(f"{AT}/issues/1/closed_by").json()] == ["Here"]
    related = http.get(f"{AT}/issues/1/related_merge_requests").json()
    assert [one["title"] for one in related] == ["Here", "Only a word", "There"]
    assert [one["iid"] for one in http.get(f"{AT}/merge_requests/{here}/closes_issues").json()] == [1]
    notes = [note["body"] for note in gitlab.issue(SHOP, 1)["notes"]]
    assert "mentioned in merge request lib!1" in notes


def test_only_the_default_branch_closes(gitlab: GitLabStandIn, http: httpx2.Client) -> None:
    """Merged elsewhere, or reverted: the issue is left as it is. A commit closes it, and the event names it."""
    gitlab.branch(SHOP, "release/1.x", "main")
    issue, _, _ = fixed(gitlab, base="release/1.x")
    assert gitlab.issue(SHOP, issue)["state"] == "opened"
    assert http.get(f"{AT}/issues/{issue}/closed_by").json() == []
    sha = gitlab.commit(SHOP, "main", f"Keep it\n\nResolves: #{issue}")
    assert gitlab.issue(SHOP, issue)["state_events"][-1]["source_commit"] == sha


def test_reverts_name_what_they_take_back(gitlab: GitLabStandIn, http: httpx2.Client) -> None:
    """By the button a merge request, by hand a commit; what came fast-forward has no button."""
    _, merge, sha = fixed(gitlab)
    reverted = gitlab.revert_merge(SHOP, merge, "leo-dev", "squash-ff")
    assert http.get(f"{GIT}/commits/{reverted}").json()["title"] == "Revert \"Merge branch 'change-1' into 'main'\""
    message = http.get(f"{GIT}/commits/{gitlab.revert_by_button(SHOP, 'main', sha)}").json()["message"]
    assert message.endswith("\n\nThis reverts merge request !1")
    by_hand = http.get(f"{GIT}/commits/{gitlab.revert(SHOP, 'main', sha)}").json()["message"]
    assert f"This reverts commit {sha}, reversing" in by_hand
    _, other, _ = fixed(gitlab, "ff")
    with pytest.raises(ValueError, match="button"):
        gitlab.revert_merge(SHOP, other, "leo-dev")


def test_a_pick_by_the_button_says_so_and_one_by_hand_not(gitlab: GitLabStandIn, http: httpx2.Client) -> None:
    """The message names the original, and the merge request notes the copy; both make the same patch."""
    gitlab.branch(SHOP, "release/1.x", "main")
    _, merge, sha = fixed(gitlab, "squash-ff")
    picked = gitlab.cherry_pick(SHOP, "release/1.x", sha)
    assert http.get(f"{GIT}/commits/{picked}").json()["message"].endswith(f"(cherry picked from commit {sha})")
    notes = [note["body"] for note in http.get(f"{AT}/merge_requests/{merge}/notes").json()]
    assert f"with commit {picked}" in notes[0]
    by_hand = gitlab.cherry_pick(SHOP, "main", picked, trailer=False)
    patches = {http.get(f"{GIT}/commits/{one}/diff").json()[0]["diff"].partition("\n")[2] for one in (sha, by_hand)}
    assert len(patches) == 1
    refs = http.get(f"{GIT}/commits/{sha}/refs?type=branch").json()
    assert refs == [{"type": "branch", "name": "main"}]


def test_a_comparison_tells_all_that_one_end_has_alone(gitlab: GitLabStandIn, http: httpx2.Client) -> None:
    """Oldest first and without pages, whichever way it is asked; unknown ends are 404."""
    gitlab.tag(SHOP, "v1", "main")
    made = [gitlab.commit(SHOP, "main", f"Step {number}") for number in range(120)]
    for straight in ("true", "false"):
        shape = http.get(f"{GIT}/compare", params={"from": "v1", "to": "main", "straight": straight}).json()
        assert [one["id"] for one in shape["commits"]] == made
    assert shape["commit"]["id"] == made[-1]
    back = http.get(f"{GIT}/compare?from=main&to=v1").json()
    assert (back["commits"], back["commit"]) == ([], None)
    assert http.get(f"{GIT}/compare?from=none&to=main").json() == {"message": "404 Ref Not Found"}
    base = http.get(f"{GIT}/merge_base", params={"refs[]": ["main", "v1"]}).json()
    assert base["id"] == http.get(f"{GIT}/tags/v1").json()["commit"]["id"]
    assert http.get(f"{GIT}/merge_base", params={"refs[]": ["main", "none"]}).status_code == 400


def test_tags_move_and_their_releases_do_not(gitlab: GitLabStandIn, http: httpx2.Client) -> None:
    """A release keeps its commit when the tag is moved, and goes when the tag is deleted in GitLab."""
    first = gitlab.commit(SHOP, "main", "First")
    gitlab.tag(SHOP, "v1.9", first, "Nine")
    gitlab.publish_release(SHOP, "v1.9")
    second = gitlab.commit(SHOP, "main", "Second")
    gitlab.move_tag(SHOP, "v1.9", second)
    tag = http.get(f"{GIT}/tags/v1.9").json()
    assert (tag["commit"]["id"], tag["message"], tag["target"] == second) == (second, "Nine", False)
    assert http.get(f"{AT}/releases/v1.9").json()["commit"]["id"] == first
    gitlab.tag(SHOP, "v1.10", "main")
    names = [one["name"] for one in http.get(f"{GIT}/tags?order_by=version&sort=desc").json()]
    assert names == ["v1.10", "v1.9"]
    gitlab.protect_tags(SHOP, "v*")
    assert [one["name"] for one in http.get(f"{AT}/protected_tags").json()] == ["v*"]
    assert http.get(f"{GIT}/tags/v1.10").json()["protected"]
    gitlab.delete_tag(SHOP, "v1.9", pushed=True)
    assert [one["tag_name"] for one in gitlab.releases(SHOP)] == ["v1.9"]
    gitlab.publish_release(SHOP, "v1.10")
    gitlab.delete_tag(SHOP, "v1.10")
    assert [one["tag_name"] for one in gitlab.releases(SHOP)] == ["v1.9"]


def test_branches_are_forced_renamed_and_merged(gitlab: GitLabStandIn, shop: Any, http: httpx2.Client) -> None:
    """A forced branch loses commits that can still be asked for; a new default branch is told by the project."""
    start = http.get(f"{GIT}/branches/main").json()["commit"]["id"]
    lost = gitlab.commit(SHOP, "main", "Lost")
    gitlab.force_push(SHOP, "main", start)
    assert titles(http) == ["Initial commit"]
    assert http.get(f"{GIT}/commits/{lost}").json()["title"] == "Lost"
    assert http.get(f"{GIT}/commits/{lost}/refs").json() == []
    gitlab.branch(SHOP, "feature/a", "main")
    gitlab.commit(SHOP, "feature/a", "On a branch")
    gitlab.merge_branch(SHOP, "main", "feature/a")
    assert titles(http)[:2] == ["Merge branch 'feature/a'", "On a branch"]
    gitlab.rename_branch(SHOP, "main", "trunk")
    assert http.get(AT).json()["default_branch"] == "trunk"
    assert http.get(f"{GIT}/branches/main").json() == {"message": "404 Branch Not Found"}
    assert shop.branches.get("feature/a").merged


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        ("Closes #4, #6, and acme/lib#7", [("", 4), ("", 6), ("acme/lib", 7)]),
        ("fixed issue #3", [("", 3)]),
        ("Implements: #9", [("", 9)]),
        ("resolve https://gitlab.example.com/a/b/-/issues/4", [("a/b", 4)]),
        ("see #12, `Closes #3` <!-- Closes #5 -->", []),
        ("encloses #9, closes !4", []),
    ],
)
def test_the_closing_pattern(text: str, closed: list[tuple[str, int]]) -> None:
    """GitLab's default one: lists after one verb count, code does not."""
    assert [tuple(one) for one in closed_in(text)] == closed


def test_references_to_issues_and_merge_requests_differ_by_their_mark() -> None:
    """`#` and `!`, each with a path or without."""
    text = "Backport of !12 and lib!3, next to acme/lib#4"
    assert [tuple(one) for one in merges_in(text)] == [("", 12), ("lib", 3)]
    assert [tuple(one) for one in issues_in(text)] == [("acme/lib", 4)]
