"""Deployments in the sandbox's GitHub: made, told of and changed as "Deployments" says."""

from __future__ import annotations

import json

import httpx2
import pytest
from github.GithubException import GithubException
from github.Repository import Repository

from integrations.sandbox.github import GitHubStandIn
from tests.integrations.sandbox_github.conftest import SHOP, Clock, Receiver

DEPLOYMENTS = f"/repos/{SHOP}/deployments"


def test_a_deployment_made_over_the_api_is_told_with_its_statuses(
    shop: Repository, http: httpx2.Client, clock: Clock
) -> None:
    """Statuses come newest first, and a new one touches the deployment's `updated_at`, not its `created_at`."""
    made = shop.create_deployment("main", environment="staging", description="Weekly", auto_merge=False)
    assert (made.sha, made.environment, made.production_environment) == (
        shop.get_branch("main").commit.sha,
        "staging",
        False,
    )
    clock.pass_(minutes=2)
    made.create_status("in_progress")
    clock.pass_(minutes=3)
    made.create_status("success", environment_url="https://staging.example.com", target_url="https://ci.example.com/7")
    assert [status.state for status in shop.get_deployment(made.id).get_statuses()] == ["success", "in_progress"]
    told = http.get(f"{DEPLOYMENTS}/{made.id}").json()
    assert (told["created_at"], told["updated_at"]) == ("2026-03-02T09:00:00Z", "2026-03-02T09:05:00Z")
    latest = http.get(f"{DEPLOYMENTS}/{made.id}/statuses?per_page=1").json()
    assert [(one["state"], one["log_url"], one["target_url"]) for one in latest] == [
        ("success", "https://ci.example.com/7", "https://ci.example.com/7")
    ]
    assert made.get_status(latest[0]["id"]).state == "success"
    with pytest.raises(GithubException) as refused:
        shop.create_deployment("no-such-branch", auto_merge=False)
    assert refused.value.status == 422
    assert http.post(f"{DEPLOYMENTS}/{made.id}/statuses", json={"state": "done"}).status_code == 422
    assert http.get(f"{DEPLOYMENTS}/1/statuses").status_code == 404


def test_the_list_is_filtered_paged_and_free_while_unchanged(
    github: GitHubStandIn, http: httpx2.Client, clock: Clock
) -> None:
    """Newest first; another environment's deployment leaves a filtered list's ETag alone, a status does not."""
    sha = github.commit(SHOP, "main", "Fix")
    made = [github.deploy(SHOP, "eu" if number % 2 else "us", sha) for number in range(50)]
    github.deploy(SHOP, "eu", "main", task="deploy:migrations")
    first = http.get(f"{DEPLOYMENTS}?environment=us&per_page=20")
    assert [one["id"] for one in first.json()] == made[::2][:4:-1]
    assert 'rel="next"' in first.headers["Link"]
    assert len(http.get(f"{DEPLOYMENTS}?environment=us&per_page=20&page=2").json()) == 5
    assert len(http.get(f"{DEPLOYMENTS}?ref=main").json()) == 1
    assert len(http.get(f"{DEPLOYMENTS}?sha={sha}&task=deploy&per_page=100").json()) == 50
    known = {"If-None-Match": first.headers["ETag"]}
    github.deploy(SHOP, "eu", "main")
    assert http.get(f"{DEPLOYMENTS}?environment=us&per_page=20", headers=known).status_code == 304
    clock.pass_(minutes=1)
    github.deployment_status(SHOP, made[48], "failure")
    assert http.get(f"{DEPLOYMENTS}?environment=us&per_page=20", headers=known).status_code == 200


def test_a_success_makes_what_ran_before_inactive_but_not_in_production(
    github: GitHubStandIn, http: httpx2.Client
) -> None:
    """Only successes there before, neither transient nor production ones, and only unless told otherwise."""

    def state(deployment: int) -> str:
        return str(http.get(f"{DEPLOYMENTS}/{deployment}/statuses").json()[0]["state"])

    old, failed = github.deploy(SHOP, "staging"), github.deploy(SHOP, "staging", state="failure")
    preview = github.deploy(SHOP, "staging", transient=True)
    other, live = github.deploy(SHOP, "qa"), github.deploy(SHOP, "production")
    assert state(old) == "inactive"
    kept = github.deploy(SHOP, "staging", state="pending")
    github.deployment_status(SHOP, kept, "success", auto_inactive=False)
    new = github.deploy(SHOP, "production")
    github.deploy(SHOP, "qa", state="failure")
    assert [state(one) for one in (failed, preview, other, live, new)] == ["failure", *["success"] * 4]
    github.deploy(SHOP, "staging")
    assert [state(one) for one in (preview, kept)] == ["success", "inactive"]
    assert [one["name"] for one in http.get(f"/repos/{SHOP}/environments").json()["environments"]] == [
        "production",
        "qa",
        "staging",
    ]


def test_webhooks_tell_of_deployments_and_their_statuses(github: GitHubStandIn, receiver: Receiver) -> None:
    """Their bodies have the shape of GitHub's published examples; the deployment is touched by then."""
    made = github.deploy(SHOP, "production", by="leo-dev", state=None)
    github.deployment_status(SHOP, made, "failure")
    assert github.webhooks_settled()
    assert receiver.events == ["deployment.created", "deployment_status.created"]
    first, second = (json.loads(body) for _, body in receiver.got)
    assert (first["deployment"]["id"], first["sender"]["login"]) == (made, "leo-dev")
    status, deployment = second["deployment_status"], second["deployment"]
    assert (status["state"], status["environment"], status["deployment_url"]) == (
        "failure",
        "production",
        deployment["url"],
    )
    assert deployment["updated_at"] == status["created_at"]
    with pytest.raises(LookupError):
        github.deployment_status(SHOP, made + 999, "success")
    with pytest.raises(ValueError, match="no state"):
        github.deployment_status(SHOP, made, "done")
