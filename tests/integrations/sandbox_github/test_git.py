"""What people do with git in the sandbox's GitHub reads over HTTP as git and GitHub would tell it."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import httpx2
import pytest
from github.Repository import Repository

from integrations.sandbox.github import GitHubStandIn
from integrations.sandbox.github.history import History
from tests.integrations.sandbox_github.conftest import SHOP, Clock, Receiver, fixed


def hunks(http: httpx2.Client, sha: str) -> list[str]:
    """The changed lines of a commit's diff, without where they stand and what the files hash to."""
    text = http.get(f"/repos/{SHOP}/commits/{sha}", headers={"Accept": "application/vnd.github.diff"}).text
    return [line for line in text.splitlines() if not re.match(r"index |@@ ", line)]


def swapped(lines: list[str]) -> list[str]:
    """The same lines, taken back."""
    kept = [line for line in lines if re.match(r"[-+](?![-+])", line)]
    return sorted({"-": "+", "+": "-"}[line[0]] + line[1:] for line in kept)


def commit(http: httpx2.Client, ref: str) -> Any:
    return http.get(f"/repos/{SHOP}/commits/{ref}").json()


@pytest.mark.parametrize("trailer", [True, False])
def test_a_cherry_pick_repeats_the_patch_and_keeps_the_author(
    github: GitHubStandIn, http: httpx2.Client, clock: Clock, trailer: bool
) -> None:
    """Author, authored date and changed lines are the original's; sha, committer, date and line numbers are not."""
    github.branch(SHOP, "release-1", "main")
    original = github.commit(SHOP, "main", "Keep the basket\n\nIt emptied itself.", by="leo-dev")
    clock.pass_(hours=3)
    copy = github.cherry_pick(SHOP, "release-1", original, trailer=trailer)

    one, other = commit(http, original), commit(http, copy)
    assert one["commit"]["author"] == other["commit"]["author"]
    assert other["commit"]["author"]["email"] == "leo-dev@example.com"
    assert (one["commit"]["committer"]["date"], other["commit"]["committer"]["date"]) == (
        "2026-03-02T09:00:00Z",
        "2026-03-02T12:00:00Z",
    )
    assert (one["committer"]["login"], other["committer"]["login"]) == ("leo-dev", "acme")
    added = other["commit"]["message"].removeprefix(one["commit"]["message"])
    assert added == (f"\n\n(cherry picked from commit {original})" if trailer else "")
    assert hunks(http, original) == hunks(http, copy)
    diff = {"Accept": "application/vnd.github.diff"}
    texts = [http.get(f"/repos/{SHOP}/commits/{sha}", headers=diff).text for sha in (original, copy)]
    assert texts[0] != texts[1]
    assert http.get(f"/repos/{SHOP}/compare/{original}...release-1").json()["status"] == "diverged"


def test_a_revert_takes_the_lines_back_and_a_second_one_brings_them_again(
    github: GitHubStandIn, http: httpx2.Client
) -> None:
    """Its message is git's; the revert of a revert is a "Reapply" with the first patch."""
    fix = github.commit(SHOP, "main", "Keep the basket", by="leo-dev")
    undone = github.revert(SHOP, "main", fix)
    again = github.revert(SHOP, "main", undone)
    assert commit(http, undone)["commit"]["message"] == f'Revert "Keep the basket"\n\nThis reverts commit {fix}.'
    assert commit(http, again)["commit"]["message"] == f'Reapply "Keep the basket"\n\nThis reverts commit {undone}.'
    changed = sorted(line for line in hunks(http, fix) if re.match(r"[-+](?![-+])", line))
    assert swapped(hunks(http, undone)) == changed != sorted(hunks(http, undone))
    assert hunks(http, again) == hunks(http, fix)


def test_the_revert_of_a_merge_names_its_first_parent(github: GitHubStandIn, http: httpx2.Client) -> None:
    """`git revert -m 1` undoes all that the merge brought."""
    github.branch(SHOP, "wip", "main")
    parts = [github.commit(SHOP, "wip", words, by="leo-dev") for words in ("One", "Two")]
    before = github.commit(SHOP, "main", "Meanwhile")
    merge = github.merge_branch(SHOP, "main", "wip", by="leo-dev")
    undone = github.revert(SHOP, "main", merge)

    told = commit(http, merge)
    assert [parent["sha"] for parent in told["parents"]] == [before, parts[1]]
    assert told["commit"]["message"] == "Merge branch 'wip'"
    words = f"This reverts commit {merge}, reversing\nchanges made to {before}."
    assert commit(http, undone)["commit"]["message"] == f"Revert \"Merge branch 'wip'\"\n\n{words}"
    both = [line for part in parts for line in hunks(http, part) if re.match(r"[-+](?![-+])", line)]
    assert swapped(hunks(http, undone)) == sorted(both)
    with pytest.raises(ValueError, match="has all of"):
        github.merge_branch(SHOP, "main", "wip")


def test_a_squash_has_the_patches_of_all_its_commits(github: GitHubStandIn, http: httpx2.Client) -> None:
    """What one of them did and another undid is in neither; the author is who opened the pull request."""
    pull = github.open_pull(SHOP, "leo-dev", "Keep the basket", commits=["One", "Two"])
    (head,) = [one["head"]["ref"] for one in github.pulls(SHOP)]
    slip = github.commit(SHOP, head, "A slip", by="leo-dev")
    github.revert(SHOP, head, slip, by="leo-dev")
    own = http.get(f"/repos/{SHOP}/pulls/{pull}/commits").json()
    assert [one["commit"]["message"].split("\n")[0] for one in own] == ["One", "Two", "A slip", 'Revert "A slip"']
    sha = github.merge_pull(SHOP, pull, "maya", "squash")
    assert sorted(hunks(http, sha)) == sorted(hunks(http, own[0]["sha"]) + hunks(http, own[1]["sha"]))
    assert (commit(http, sha)["author"]["login"], commit(http, sha)["committer"]["login"]) == ("leo-dev", "web-flow")


def test_a_rebase_merge_copies_each_commit(github: GitHubStandIn, http: httpx2.Client, clock: Clock) -> None:
    """Same patches, authors and authored dates, new shas; each copy leads to its pull request."""
    pull = github.open_pull(SHOP, "leo-dev", "Keep the basket", commits=["One", "Two"])
    own = [one["sha"] for one in http.get(f"/repos/{SHOP}/pulls/{pull}/commits").json()]
    clock.pass_(hours=1)
    tip = github.merge_pull(SHOP, pull, "maya", "rebase")
    copies = [one["sha"] for one in http.get(f"/repos/{SHOP}/commits?sha=main").json()[:2]][::-1]
    assert copies[1] == tip
    assert not set(copies) & set(own)
    for original, copy in zip(own, copies, strict=True):
        assert hunks(http, original) == hunks(http, copy)
        assert commit(http, original)["commit"]["author"] == commit(http, copy)["commit"]["author"]
        assert [one["number"] for one in http.get(f"/repos/{SHOP}/commits/{copy}/pulls").json()] == [pull]


@pytest.mark.parametrize("method", ["squash", "merge", "rebase"])
def test_the_revert_button_takes_back_a_whole_pull_request(
    github: GitHubStandIn, shop: Repository, http: httpx2.Client, method: Any
) -> None:
    """It opens a pull request that says what it reverts; merged, the base branch is as if the fix had never been."""
    github.tag(SHOP, "before", "main")
    pull = github.open_pull(SHOP, "leo-dev", "Keep the basket", commits=["One", "Two"])
    merged = github.merge_pull(SHOP, pull, "leo-dev", method)
    sha = github.revert_pull(SHOP, pull, "maya", method)
    made = shop.get_pull(pull + 1)
    assert (made.title, made.body, made.merged) == ('Revert "Keep the basket"', f"Reverts {SHOP}#{pull}", True)
    assert made.merge_commit_sha == sha == shop.get_branch("main").commit.sha
    said = [one.commit.message for one in made.get_commits()]
    assert f"This reverts commit {merged}" in said[0]
    assert len(said) == (2 if method == "rebase" else 1)
    assert http.get(f"/repos/{SHOP}/compare/before...main").json()["files"] == []


def test_a_ref_is_found_in_each_of_its_spellings(github: GitHubStandIn, http: httpx2.Client) -> None:
    """`heads/…`, `tags/…` and shas name a commit, and the media type `sha` answers with that alone."""
    github.branch(SHOP, "release/1.x", "main")
    sha = github.commit(SHOP, "release/1.x", "On a branch")
    github.tag(SHOP, "shop/v1", sha)
    alone = {"Accept": "application/vnd.github.sha"}
    for ref in ("heads/release/1.x", "tags/shop/v1", sha, sha[:10]):
        assert http.get(f"/repos/{SHOP}/commits/{ref}", headers=alone).text == sha
    first = http.get(f"/repos/{SHOP}/commits/heads/main", headers=alone)
    assert first.headers["content-type"].startswith("application/vnd.github.sha")
    again = http.get(f"/repos/{SHOP}/commits/heads/main", headers=alone | {"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    github.commit(SHOP, "main", "More")
    again = http.get(f"/repos/{SHOP}/commits/heads/main", headers=alone | {"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 200
    assert http.get(f"/repos/{SHOP}/commits/heads/none", headers=alone).status_code == 422
    mail = http.get(f"/repos/{SHOP}/commits/{sha}", headers={"Accept": "application/vnd.github.patch"}).text
    assert mail.startswith(f"From {sha} ")
    assert "Subject: [PATCH] On a branch" in mail
    assert all(line in mail for line in hunks(http, sha))


def test_a_force_push_leaves_commits_that_no_branch_has(
    github: GitHubStandIn, http: httpx2.Client, receiver: Receiver
) -> None:
    """They can still be asked for; the webhook says it was forced."""
    start = commit(http, "main")["sha"]
    lost = github.commit(SHOP, "main", "Lost")
    github.force_push(SHOP, "main", start)
    assert commit(http, "heads/main")["sha"] == start
    assert http.get(f"/repos/{SHOP}/compare/{lost}...main").json()["status"] == "behind"
    assert github.webhooks_settled()
    told = json.loads(receiver.got[-1][1])
    assert (told["forced"], told["before"], told["after"], told["commits"]) == (True, lost, start, [])


def test_tags_are_made_moved_and_deleted(github: GitHubStandIn, http: httpx2.Client, receiver: Receiver) -> None:
    """An annotated tag is an object of its own that leads to its commit; a tag that goes makes its release a draft."""
    first, second = commit(http, "main")["sha"], github.commit(SHOP, "main", "Next")
    github.tag(SHOP, "v1", first, annotation="The first")
    target = http.get(f"/repos/{SHOP}/git/ref/tags/v1").json()["object"]
    assert (target["type"], target["sha"] != first) == ("tag", True)
    tag = http.get(f"/repos/{SHOP}/git/tags/{target['sha']}").json()
    assert (tag["tag"], tag["message"], tag["object"]["sha"]) == ("v1", "The first", first)
    assert [one["commit"]["sha"] for one in http.get(f"/repos/{SHOP}/tags").json()] == [first]
    github.move_tag(SHOP, "v1", second)
    assert commit(http, "tags/v1")["sha"] == second
    github.publish_release(SHOP, "v1")
    github.delete_tag(SHOP, "v1")
    assert (http.get(f"/repos/{SHOP}/tags").json(), github.releases(SHOP)[0]["draft"]) == ([], True)
    with pytest.raises(LookupError):
        github.move_tag(SHOP, "v1", first)

    assert github.webhooks_settled()
    told = [(headers["x-github-event"], json.loads(body)) for headers, body in receiver.got]
    tags = [(event, body) for event, body in told if body.get("ref", "").removeprefix("refs/tags/") == "v1"]
    assert [event for event, _ in tags] == ["create", "push", "push", "delete", "push"]
    pushes = [(body["created"], body["forced"], body["deleted"]) for event, body in tags if event == "push"]
    assert pushes == [(True, False, False), (False, True, False), (False, False, True)]
    assert told[-1][1]["action"] == "unpublished"


def test_a_renamed_default_branch_is_followed(github: GitHubStandIn, http: httpx2.Client, receiver: Receiver) -> None:
    """The repository tells its new name, and "Get a branch" redirects from the old one."""
    github.rename_branch(SHOP, "main", "trunk")
    assert http.get(f"/repos/{SHOP}").json()["default_branch"] == "trunk"
    answer = http.get(f"/repos/{SHOP}/branches/main")
    assert answer.status_code == 301
    assert http.get(answer.headers["location"]).json()["name"] == "trunk"
    assert github.webhooks_settled()
    assert json.loads(receiver.got[-1][1])["changes"] == {"default_branch": {"from": "main"}}


def test_a_comparison_pages_as_documented(github: GitHubStandIn, http: httpx2.Client) -> None:
    """At most 100 a page, 30 unless told, files on the first page alone; unrelated histories are 404."""
    github.tag(SHOP, "v1", "main")
    made = [github.commit(SHOP, "main", f"Step {number}") for number in range(205)]
    pages = [http.get(f"/repos/{SHOP}/compare/v1...main?per_page=250&page={page}").json() for page in (1, 2, 3)]
    assert [one["sha"] for page in pages for one in page["commits"]] == made
    assert [len(page["commits"]) for page in pages] == [100, 100, 5]
    assert [len(page["files"]) for page in pages] == [205, 0, 0]
    assert len(http.get(f"/repos/{SHOP}/compare/v1...main?page=1").json()["commits"]) == 30


@pytest.mark.parametrize("seed", range(20))
def test_random_histories_compare_as_their_ancestors_say(seed: int, clock: Clock) -> None:
    """What each end has alone, and the newest that both have, as the plain sets of ancestors tell."""
    choose, history = random.Random(seed), History()
    shas: list[str] = []
    for number in range(40):
        parents = choose.sample(shas, min(len(shas), choose.choice([0, 1, 1, 1, 1, 2, 2])))
        shas.append(history.write(tuple(parents), f"{number}", "acme", clock()).sha)
    for base, head in (choose.choices(shas, k=2) for _ in range(60)):
        old, new = history.reachable(base), history.reachable(head)
        shared = [sha for sha in shas if sha in old & new]
        found = history.compare(base, head)
        if found is None:
            assert not shared
            continue
        assert [one.sha for one in found.ahead] == [sha for sha in shas if sha in new - old]
        assert (found.behind, found.merge_base.sha) == (len(old - new), shared[-1])


def test_fixes_read_over_graphql(github: GitHubStandIn, http: httpx2.Client) -> None:
    """A merge commit tells its parents, a pull request its commits; only who asks for nodes must name a size."""
    number, pull, sha = fixed(github, "merge")
    query = """{ repository(owner: "acme", name: "shop") { issue(number: %d) {
      closedByPullRequestsReferences(first: 10, includeClosedPrs: true) { nodes {
        number title url merged mergedAt baseRefName repository { nameWithOwner }
        mergeCommit { oid message authoredDate author { email } parents { totalCount } }
        commits(first: 100) { totalCount nodes { commit { oid message authoredDate } } } } } } } }"""
    answer = http.post("/graphql", json={"query": query % number}).json()
    (node,) = answer["data"]["repository"]["issue"]["closedByPullRequestsReferences"]["nodes"]
    assert (node["number"], node["mergeCommit"]["oid"], node["mergeCommit"]["parents"]) == (
        pull,
        sha,
        {"totalCount": 2},
    )
    assert node["commits"]["totalCount"] == 1
    assert node["commits"]["nodes"][0]["commit"]["message"] == "Keep the basket"
