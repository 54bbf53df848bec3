"""Releases, environments and deployments in the sandbox's GitLab."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx2
import pytest

from integrations.sandbox.gitlab import GitLabStandIn
from integrations.sandbox.gitlab.deployments import guessed_tier
from tests.integrations.sandbox_gitlab.conftest import AT, SHOP, Clock, fixed


def test_a_release_with_a_date_to_come_is_upcoming_until_then(
    gitlab: GitLabStandIn, http: httpx2.Client, clock: Clock
) -> None:
    """It stands first in the list, and its own answer changes when the time has come, without anybody's doing."""
    gitlab.publish_release(SHOP, "v1", "One")
    gitlab.publish_release(SHOP, "v2", released_at=clock() + timedelta(days=2))
    listed = http.get(f"{AT}/releases")
    assert [(one["tag_name"], one["name"], one["upcoming_release"]) for one in listed.json()] == [
        ("v2", "v2", True),
        ("v1", "One", False),
    ]
    clock.pass_(days=3)
    again = http.get(f"{AT}/releases", headers={"If-None-Match": listed.headers["etag"]})
    assert (again.status_code, again.json()[0]["upcoming_release"]) == (200, False)
    gitlab.delete_release(SHOP, "v2")
    assert http.get(f"{AT}/releases/v2").status_code == 404
    assert http.get(f"{AT}/repository/tags/v2").status_code == 200
    made = http.post(f"{AT}/releases", json={"tag_name": "v3", "ref": "main", "description": "Notes"})
    assert (made.status_code, made.json()["author"]["username"]) == (201, "passerelle-bot")
    assert http.post(f"{AT}/releases", json={"tag_name": "v3"}).status_code == 409


def test_deployments_are_listed_as_asked(gitlab: GitLabStandIn, http: httpx2.Client, clock: Clock) -> None:
    """Oldest first unless told; by environment, status and time of change."""
    for number, place in enumerate(["staging", "production", "production"]):
        clock.pass_(minutes=1)
        gitlab.deploy(SHOP, place, status="failed" if number == 1 else "success")
    first, second, third = (one["id"] for one in http.get(f"{AT}/deployments").json())
    assert first < second < third
    newest = f"{AT}/deployments?environment=production&status=success&order_by=id&sort=desc&per_page=1"
    found = http.get(newest)
    assert [one["id"] for one in found.json()] == [third]
    clock.pass_(minutes=1)
    gitlab.deployment_status(SHOP, first, "failed")
    changed = {"updated_after": clock().isoformat(), "order_by": "updated_at", "sort": "desc"}
    assert [one["id"] for one in http.get(f"{AT}/deployments", params=changed).json()] == [first]
    assert http.get(newest, headers={"If-None-Match": found.headers["etag"]}).status_code == 304
    assert http.get(f"{AT}/deployments?finished_after=2026-01-01T00:00:00Z").status_code == 400
    assert http.get(f"{AT}/deployments?status=odd").status_code == 400


def test_an_environment_tells_its_tier_and_what_runs_there(
    gitlab: GitLabStandIn, http: httpx2.Client, clock: Clock
) -> None:
    """The deployment that succeeded last: a rollback is one of an older commit, a failure is none."""
    old = gitlab.commit(SHOP, "main", "Old")
    first = gitlab.deploy(SHOP, "live/eu", "main", tier="production")
    clock.pass_(minutes=1)
    gitlab.commit(SHOP, "main", "New")
    second = gitlab.deploy(SHOP, "live/eu")
    place = http.get(f"{AT}/environments", params={"name": "live/eu"}).json()[0]
    assert (place["tier"], place["state"]) == ("production", "available")

    def runs() -> tuple[int, str]:
        last = http.get(f"{AT}/environments/{place['id']}").json()["last_deployment"]
        return last["id"], last["sha"]

    assert runs()[0] == second
    clock.pass_(minutes=1)
    third = gitlab.deploy(SHOP, "live/eu", sha=old)
    assert runs() == (third, old)
    gitlab.deployment_status(SHOP, third, "failed")
    assert runs()[0] == second != first
    gitlab.stop_environment(SHOP, "live/eu")
    assert http.get(f"{AT}/environments?states=available").json() == []


@pytest.mark.parametrize(
    ("name", "tier"),
    [("production", "production"), ("prod-eu", "production"), ("Live", "production"), ("pre-prod", "staging"),
     ("review/x", "development"), ("qa", "testing"), ("eu-west", "other")],
)  # fmt: skip
def test_a_tier_is_guessed_from_the_name(name: str, tier: str) -> None:
    """As "Deployment tier of environments" says."""
    assert guessed_tier(name) == tier


def test_a_deployment_lists_the_merge_requests_that_it_ships_first(gitlab: GitLabStandIn, http: httpx2.Client) -> None:
    """New since the one before; the first lists all that were merged to its branch, whether or not it contains them."""
    start = gitlab.commit(SHOP, "main", "Start")
    _, first, _ = fixed(gitlab, "squash")

    def listed(deployment: int) -> list[int]:
        return [one["iid"] for one in http.get(f"{AT}/deployments/{deployment}/merge_requests").json()]

    assert listed(gitlab.deploy(SHOP, "production", sha=start)) == [first]
    _, second, _ = fixed(gitlab, "ff")
    assert listed(gitlab.deploy(SHOP, "production")) == [second]
    assert listed(gitlab.deploy(SHOP, "production")) == []
    assert listed(gitlab.deploy(SHOP, "review/one")) == []


def test_a_deployment_by_the_api(gitlab: GitLabStandIn, shop: Any, http: httpx2.Client) -> None:
    """It has no job, and its status can be set; a pipeline's cannot."""
    sha = http.get(f"{AT}/repository/branches/main").json()["commit"]["id"]
    facts = {"environment": "production", "sha": sha, "ref": "main", "tag": False, "status": "running"}
    made = shop.deployments.create(facts)
    assert (made.deployable, made.status, made.user["username"]) == (None, "running", "passerelle-bot")
    made.status = "success"
    made.save()
    assert shop.deployments.get(made.id).status == "success"
    by_pipeline = gitlab.deploy(SHOP, "production")
    assert http.put(f"{AT}/deployments/{by_pipeline}", json={"status": "failed"}).status_code == 403
    shown = http.get(f"{AT}/deployments/{by_pipeline}").json()
    assert (shown["deployable"]["pipeline"]["sha"], shown["ref"]) == (sha, "main")
