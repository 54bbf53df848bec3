"""Fixes, releases and comparisons in the sandbox's GitHub tell what a real history would."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from github.GithubException import GithubException
from github.Repository import Repository

from integrations.sandbox.github import GitHubStandIn
from tests.integrations.sandbox_github.conftest import SHOP, fixed


@pytest.mark.parametrize("method", ["squash", "merge", "rebase"])
def test_a_merged_fix_closes_its_issue_and_is_in_the_next_release(
    github: GitHubStandIn, shop: Repository, method: str
) -> None:
    """However it was merged, `merge_commit_sha` is in what is released after it, and not in what was before."""
    github.publish_release(SHOP, "v1")
    number, pull, sha = fixed(github, method)
    github.publish_release(SHOP, "v2")

    issue = shop.get_issue(number)
    assert (issue.state, issue.state_reason) == ("closed", "completed")
    assert [event.commit_id for event in issue.get_timeline() if event.event == "closed"] == [sha]
    assert (shop.get_pull(pull).merged, shop.get_pull(pull).merge_commit_sha) == (True, sha)
    assert shop.compare(sha, "v2").status == "identical"
    assert shop.compare(sha, "v1").status == "behind"
    assert sha in [commit.sha for commit in shop.compare("v1", "v2").commits]
    own = shop.get_pull(pull).get_commits()[0].sha
    assert shop.compare(own, "v2").status == ("ahead" if method == "merge" else "diverged")


def test_an_open_pull_request_shows_a_trial_merge_that_is_in_no_branch(github: GitHubStandIn, shop: Repository) -> None:
    """`merge_commit_sha` before merging proves nothing, as on GitHub."""
    pull = shop.get_pull(github.open_pull(SHOP, "leo-dev", "Tidy", ""))
    assert (pull.merged, pull.merged_at) == (False, None)
    assert shop.compare(pull.merge_commit_sha, "main").status == "behind"


def test_keywords_close_on_the_default_branch_only(github: GitHubStandIn) -> None:
    """A fix on another branch, a keyword in code, or another repository's number closes nothing; a pushed one does."""
    github.branch(SHOP, "release-1", "main")
    other, _, _ = fixed(github, base="release-1")
    assert github.issue(SHOP, other)["state"] == "open"
    github.commit(SHOP, "main", f"Quote `fixes #{other}`, resolves acme/till#{other}, prefixes #{other}")
    assert github.issue(SHOP, other)["state"] == "open"
    sha = github.commit(SHOP, "main", f"Resolves: acme/shop#{other}", by="leo-dev")
    closed = [event for event in github.issue(SHOP, other)["timeline"] if event["event"] == "closed"]
    assert [(event["commit_id"], event["actor"]["login"]) for event in closed] == [(sha, "leo-dev")]


CLOSERS = """query Closers($number: Int!) {
  repository(owner: "acme", name: "shop") { issue(number: $number) {
    stateReason
    closedByPullRequestsReferences(%s) {
      nodes { number title merged mergeCommit { oid url } baseRefName repository { nameWithOwner } }
    }
    timelineItems(itemTypes: [CLOSED_EVENT], last: 1) {
      nodes { ... on ClosedEvent { closer { __typename ... on PullRequest { number } ... on Commit { oid } } } }
    }
  } }
}"""


def test_graphql_tells_what_closed_an_issue(github: GitHubStandIn, http: httpx2.Client) -> None:
    """Merged pull requests show only when closed ones are asked for, and a page size must be named."""
    number, pull, sha = fixed(github)

    def ask(how: str, number: int = number) -> Any:
        return http.post("/graphql", json={"query": CLOSERS % how, "variables": {"number": number}}).json()

    issue = ask("first: 5, includeClosedPrs: true")["data"]["repository"]["issue"]
    (node,) = issue["closedByPullRequestsReferences"]["nodes"]
    assert (node["number"], node["merged"], node["mergeCommit"]["oid"], node["baseRefName"]) == (
        pull,
        True,
        sha,
        "main",
    )
    assert node["repository"] == {"nameWithOwner": SHOP}
    assert issue["stateReason"] == "COMPLETED"
    assert issue["timelineItems"]["nodes"] == [{"closer": {"__typename": "PullRequest", "number": pull}}]
    assert ask("first: 5")["data"]["repository"]["issue"]["closedByPullRequestsReferences"]["nodes"] == []
    assert "`first` or `last`" in ask("includeClosedPrs: true")["errors"][0]["message"]
    assert ask("first: 5", number=99)["errors"][0]["type"] == "NOT_FOUND"
    unknown = http.post("/graphql", json={"query": "{ repository(owner: acme, name: shop) { colour } }"}).json()
    assert "Field 'colour' doesn't exist" in unknown["errors"][0]["message"]
    assert httpx2.post(f"{github.url}/graphql", json={"query": CLOSERS}).status_code == 401


def test_releases_hide_drafts_and_latest_skips_pre_releases(github: GitHubStandIn, shop: Repository) -> None:
    """A draft shows in the list to who may push, has no tag, and turns into a release when published."""
    github.publish_release(SHOP, "v1", "Spring")
    github.commit(SHOP, "main", "More")
    github.publish_release(SHOP, "v2-rc", prerelease=True)
    github.publish_release(SHOP, "v3", draft=True)
    assert next((release.tag_name, release.draft) for release in shop.get_releases()) == ("v3", True)
    assert shop.get_latest_release().tag_name == "v1"
    assert [tag.name for tag in shop.get_tags()] == ["v2-rc", "v1"]
    with pytest.raises(GithubException) as missing:
        shop.get_release("v3")
    assert missing.value.status == 404
    github.set_permission(SHOP, "passerelle-bot", "triage")
    assert "v3" not in [release.tag_name for release in shop.get_releases()]
    github.publish_release(SHOP, "v3")
    assert shop.get_release("v3").draft is False
    assert shop.get_git_ref("tags/v3").object.sha == shop.get_branch("main").commit.sha
    github.delete_release(SHOP, "v3")
    assert ("v3" in [tag.name for tag in shop.get_tags()], len(github.releases(SHOP))) == (True, 2)


def test_a_long_comparison_comes_in_pages(github: GitHubStandIn, shop: Repository, http: httpx2.Client) -> None:
    """Without paging the newest 250 commits come, with it all, oldest first; an unknown end is 404."""
    github.tag(SHOP, "v1", "main")
    made = [github.commit(SHOP, "main", f"Step {number}") for number in range(260)]
    plain = http.get(f"/repos/{SHOP}/compare/v1...main").json()
    assert (plain["status"], plain["ahead_by"], plain["total_commits"]) == ("ahead", 260, 260)
    assert [commit["sha"] for commit in plain["commits"]] == made[10:]
    paged = shop.compare("v1", "main", comparison_commits_per_page=100)
    assert [commit.sha for commit in paged.commits] == made
    assert http.get(f"/repos/{SHOP}/compare/v0...main").status_code == 404
    assert http.get(f"/repos/{SHOP}/commits/{made[0][:9]}").json()["sha"] == made[0]
    assert http.get(f"/repos/{SHOP}/commits/{'0' * 40}").status_code == 422
