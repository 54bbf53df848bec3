"""The sandbox's GitLab tells what happened, signed and in order; a hook that fails is switched off."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import httpx2
import pytest

from integrations.sandbox.gitlab import SIGNING_SECRET, GitLabStandIn
from integrations.sandbox.wire import Fault
from tests.integrations.sandbox_gitlab.conftest import AT, SHOP, Clock, Receiver, fixed


def test_webhooks_are_signed_and_come_in_order(gitlab: GitLabStandIn, receiver: Receiver) -> None:
    """What people do is told once each, in order, with the plain token and signed over id, time and body."""
    fixed(gitlab)
    gitlab.publish_release(SHOP, "v1")
    gitlab.deploy(SHOP, "production")
    assert gitlab.webhooks_settled()
    assert receiver.events == [
        "Issue Hook", "Push Hook", "Merge Request Hook", "Merge Request Hook", "Issue Hook", "Push Hook",
        "Tag Push Hook", "Release Hook", "Deployment Hook", "Deployment Hook", "Pipeline Hook",
    ]  # fmt: skip
    key = base64.b64decode(SIGNING_SECRET.removeprefix("whsec_"))
    for headers, body in receiver.got:
        assert headers["x-gitlab-token"] == "sandbox-gitlab-secret"
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{expected}"
        assert headers["webhook-id"] == headers["idempotency-key"]
    bodies = [json.loads(body) for _, body in receiver.got]
    actions = [
        body["object_attributes"]["action"] for body in bodies if body["object_kind"] in ("issue", "merge_request")
    ]
    assert actions == ["open", "open", "merge", "close"]
    assert bodies[3]["object_attributes"]["merge_commit_sha"] == bodies[5]["after"]
    assert (bodies[7]["tag"], bodies[7]["action"]) == ("v1", "create")
    assert [body["status"] for body in bodies[8:10]] == ["running", "success"]
    assert bodies[10]["builds"][0]["environment"]["deployment_tier"] == "production"
    assert len({headers["idempotency-key"] for headers, _ in receiver.got}) == len(receiver.got)


def test_what_is_confidential_is_told_by_other_events(gitlab: GitLabStandIn, receiver: Receiver) -> None:
    """Confidential issues, their notes, and internal notes: a hook has to ask for these by flags of their own."""
    gitlab.open_issue(SHOP, "leo-dev", "Hidden", confidential=True)
    gitlab.comment(SHOP, 1, "leo-dev", "Seen")
    gitlab.open_issue(SHOP, "leo-dev", "Plain")
    gitlab.comment(SHOP, 2, "leo-dev", "Between us", internal=True)
    gitlab.comment(SHOP, 2, "leo-dev", "Seen")
    assert gitlab.webhooks_settled()
    assert receiver.events == [
        "Confidential Issue Hook", "Confidential Note Hook", "Issue Hook", "Confidential Note Hook", "Note Hook",
    ]  # fmt: skip
    kinds = [(json.loads(body)["object_kind"], json.loads(body)["event_type"]) for _, body in receiver.got]
    assert kinds[:2] == [("issue", "confidential_issue"), ("note", "confidential_note")]


def test_a_push_tells_no_more_than_twenty_commits(gitlab: GitLabStandIn, receiver: Receiver) -> None:
    """How many there were, it tells."""
    gitlab.branch(SHOP, "long", "main")
    for number in range(25):
        gitlab.commit(SHOP, "long", f"Step {number}")
    gitlab.merge_branch(SHOP, "main", "long")
    assert gitlab.webhooks_settled()
    told = json.loads(receiver.got[-1][1])
    assert (len(told["commits"]), told["total_commits_count"], told["ref"]) == (20, 26, "refs/heads/main")
    assert told["commits"][-1]["id"] == told["after"] == told["checkout_sha"]


def test_held_webhooks_go_out_in_any_order_and_twice(gitlab: GitLabStandIn, receiver: Receiver) -> None:
    """Held deliveries are recorded, not sent; `redeliver` sends one as often as asked, under its own key."""
    gitlab.hold_webhooks = True
    gitlab.close_issue(SHOP, gitlab.open_issue(SHOP, "leo-dev", "Basket"), "leo-dev")
    opened, closed = gitlab.deliveries
    assert (receiver.got, opened.status) == ([], None)
    for delivery in (closed, opened, closed):
        gitlab.redeliver(delivery.id)
    assert gitlab.webhooks_settled()
    keys = [headers["idempotency-key"] for headers, _ in receiver.got]
    assert keys == [closed.id, opened.id, closed.id]
    assert len({headers["x-gitlab-webhook-uuid"] for headers, _ in receiver.got}) == 3


def test_a_hook_that_fails_four_times_is_switched_off_for_a_while(
    gitlab: GitLabStandIn, http: httpx2.Client, receiver: Receiver, clock: Clock
) -> None:
    """What happens meanwhile is never told; then once more, and the pause doubles; forty failures end it for good."""
    receiver.status = 500
    (hook,) = http.get(f"{AT}/hooks").json()

    def touch(times: int) -> tuple[str, int]:
        for _ in range(times):
            gitlab.commit(SHOP, "main", "Step")
            assert gitlab.webhooks_settled()
        return http.get(f"{AT}/hooks/{hook['id']}").json()["alert_status"], len(receiver.got)

    assert touch(3) == ("executable", 3)
    assert touch(3) == ("temporarily_disabled", 4)
    clock.pass_(minutes=1)
    assert touch(2) == ("temporarily_disabled", 5)
    clock.pass_(minutes=1)
    assert touch(1) == ("temporarily_disabled", 5)
    for _ in range(40):
        clock.pass_(days=1)
        status = touch(1)[0]
    assert (status, len(receiver.got)) == ("disabled", 40)
    receiver.status = 204
    clock.pass_(days=30)
    assert touch(1) == ("disabled", 40)
    assert http.post(f"{AT}/hooks/{hook['id']}/test/push_events").status_code == 201
    assert touch(1) == ("executable", 42)


def test_hooks_are_made_listed_and_asked_again_over_the_api(
    gitlab: GitLabStandIn, http: httpx2.Client, receiver: Receiver, clock: Clock
) -> None:
    """A new hook hears of pushes alone; its events can be resent, five a minute, with the same key."""
    gitlab.webhook_url = None
    made = http.post(f"{AT}/hooks", json={"url": receiver.url, "token": "s3cret", "issues_events": True}).json()
    assert (made["push_events"], made["issues_events"], made["note_events"]) == (True, True, False)
    assert "token" not in made
    receiver.status = 503
    gitlab.open_issue(SHOP, "leo-dev", "Basket")
    gitlab.comment(SHOP, 1, "leo-dev", "Unheard")
    assert gitlab.webhooks_settled()
    events = f"{AT}/hooks/{made['id']}/events"
    (event,) = http.get(f"{events}?status=server_failure").json()
    assert (event["trigger"], event["response_status"]) == ("issue_hooks", "503")
    assert event["request_headers"]["X-Gitlab-Token"] == "[REDACTED]"
    assert http.get(f"{events}?status=successful").json() == []
    receiver.status = 200
    again = http.post(f"{events}/{event['id']}/resend")
    assert (again.status_code, again.json()) == (201, {"response_status": 200})
    assert receiver.got[0][0]["idempotency-key"] == receiver.got[1][0]["idempotency-key"]
    assert receiver.got[1][0]["x-gitlab-token"] == "s3cret"
    statuses = [http.post(f"{events}/{event['id']}/resend").status_code for _ in range(5)]
    assert statuses == [201] * 4 + [429]
    clock.pass_(days=8)
    assert http.get(events).json() == []
    changed = http.put(f"{AT}/hooks/{made['id']}", json={"url": receiver.url, "note_events": True}).json()
    assert changed["note_events"]
    assert http.delete(f"{AT}/hooks/{made['id']}").status_code == 204
    assert http.get(f"{AT}/hooks").json() == []


def test_a_slow_or_absent_receiver_never_holds_up_the_api(
    gitlab: GitLabStandIn, http: httpx2.Client, receiver: Receiver
) -> None:
    """While a webhook waits for its answer, the API goes on; a receiver that is gone is noted, and not asked again."""
    receiver.go_on.clear()
    for _ in range(3):
        assert http.post(f"{AT}/issues", json={"title": "x"}).status_code == 201
    assert len(receiver.got) <= 1
    receiver.go_on.set()
    assert gitlab.webhooks_settled()
    receiver.server.stop()
    gitlab.open_issue(SHOP, "leo-dev", "Nobody listens")
    assert gitlab.webhooks_settled()
    assert [delivery.status for delivery in gitlab.deliveries] == [204, 204, 204, 0]
    assert gitlab.deliveries[-1].sent == 1


def test_work_done_behind_a_dropped_line_is_found_again(gitlab: GitLabStandIn, http: httpx2.Client) -> None:
    """The wire's faults apply: the line is cut after the issue was made, and a restart forgets nothing."""
    gitlab.wire.faults.append(Fault("drop_after", "POST", "/issues$"))
    with pytest.raises(httpx2.TransportError):
        http.post(f"{AT}/issues", json={"title": "Made all the same"})
    gitlab.stop()
    gitlab.start()
    answer = httpx2.get(f"{gitlab.url}/api/v4{AT}/issues", headers={"Authorization": "Bearer glpat-sandbox"})
    assert [issue["title"] for issue in answer.json()] == ["Made all the same"]
