"""The sandbox's GitHub tells what happened, signed and in order, and holds up under threads and faults."""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from github.Repository import Repository

from integrations.sandbox.github import GitHubStandIn
from integrations.sandbox.wire import Fault
from tests.integrations.sandbox_github.conftest import SHOP, Receiver


def test_webhooks_are_signed_and_come_in_order(github: GitHubStandIn, shop: Repository, receiver: Receiver) -> None:
    """What the API and people do is told once each, in order, signed over the very bytes."""
    issue = shop.create_issue("Basket", labels=["bug"])
    issue.create_comment("Waiting: 1").edit("Waiting: 2")
    pull = github.open_pull(SHOP, "leo-dev", "Keep it", f"Closes #{issue.number}")
    github.merge_pull(SHOP, pull, "leo-dev")
    github.publish_release(SHOP, "v1")
    assert github.webhooks_settled()

    told = [event for event in receiver.events if not event.startswith("push.")]
    assert told == [
        "issues.opened", "issues.labeled", "issue_comment.created", "issue_comment.edited", "pull_request.opened",
        "pull_request.closed", "issues.closed", "create.None", "release.published", "release.created",
        "release.released",
    ]  # fmt: skip
    for headers, body in receiver.got:
        expected = hmac.new(b"sandbox-webhook-secret", body, hashlib.sha256).hexdigest()
        assert headers["x-hub-signature-256"] == f"sha256={expected}"
    bodies = {event: json.loads(body) for event, (_, body) in zip(receiver.events, receiver.got, strict=True)}
    assert bodies["issues.closed"]["issue"]["state_reason"] == "completed"
    assert bodies["issues.closed"]["sender"]["login"] == "leo-dev"
    assert bodies["issue_comment.edited"]["changes"] == {"body": {"from": "Waiting: 1"}}
    assert bodies["pull_request.closed"]["pull_request"]["merged"] is True
    assert bodies["release.published"]["repository"]["full_name"] == SHOP
    assert {delivery.status for delivery in github.deliveries} == {204}
    assert len({headers["x-github-delivery"] for headers, _ in receiver.got}) == len(receiver.got)


def test_held_webhooks_go_out_in_any_order_and_twice(github: GitHubStandIn, receiver: Receiver) -> None:
    """Held deliveries are recorded, not sent; `redeliver` sends one as often as asked, under its own id."""
    github.hold_webhooks = True
    number = github.open_issue(SHOP, "leo-dev", "Basket")
    github.close_issue(SHOP, number, "leo-dev", "duplicate")
    opened, closed = github.deliveries
    assert (receiver.got, opened.status) == ([], None)
    for delivery in (closed, opened, closed):
        github.redeliver(delivery.id)
    assert github.webhooks_settled()
    assert receiver.events == ["issues.closed", "issues.opened", "issues.closed"]
    assert [headers["x-github-delivery"] for headers, _ in receiver.got] == [closed.id, opened.id, closed.id]


def test_a_slow_or_absent_receiver_never_holds_up_the_api(
    github: GitHubStandIn, http: httpx2.Client, receiver: Receiver
) -> None:
    """While a webhook waits for its answer, the API goes on; a receiver that is gone is noted, and not asked again."""
    receiver.go_on.clear()
    for _ in range(3):
        assert http.post(f"/repos/{SHOP}/issues", json={"title": "x"}).status_code == 201
    assert len(receiver.got) <= 1
    receiver.go_on.set()
    assert github.webhooks_settled()
    receiver.server.stop()
    github.open_issue(SHOP, "leo-dev", "Nobody listens")
    assert github.webhooks_settled()
    assert [delivery.status for delivery in github.deliveries] == [204, 204, 204, 0]
    assert github.deliveries[-1].sent == 1


def test_many_at_once_lose_nothing(github: GitHubStandIn, http: httpx2.Client) -> None:
    """Issues written from eight threads, over HTTP and by people, each get a number of their own."""

    def file(number: int) -> int:
        if number % 2:
            return github.open_issue(SHOP, "leo-dev", f"Bug {number}")
        return int(http.post(f"/repos/{SHOP}/issues", json={"title": f"Bug {number}"}).json()["number"])

    before, interval = github.version, sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(file, range(80)))
    sys.setswitchinterval(interval)
    assert sorted(numbers) == list(range(1, 81))
    assert github.version >= before + 80


def test_work_done_behind_a_dropped_line_is_found_again(github: GitHubStandIn, http: httpx2.Client) -> None:
    """The wire's faults apply: the line is cut after the issue was made, and a restart forgets nothing."""
    github.wire.faults.append(Fault("drop_after", "POST", "/issues$"))
    with pytest.raises(httpx2.TransportError):
        http.post(f"/repos/{SHOP}/issues", json={"title": "Made all the same"})
    github.stop()
    github.start()
    answer = httpx2.get(f"{github.url}/repos/{SHOP}/issues", headers={"Authorization": "token ghp_sandbox"})
    assert [issue["title"] for issue in answer.json()] == ["Made all the same"]


def test_addresses_lead_to_pages_that_show_text_as_text(github: GitHubStandIn) -> None:
    """An issue's `html_url` opens in a browser; markup in customers' words stays words, marks stay hidden."""
    number = github.open_issue(SHOP, "passerelle-bot", "<b>Basket</b>", "<img src=x>\n<!-- passerelle:k -->")
    page = httpx2.get(github.issue(SHOP, number)["html_url"])
    assert page.status_code == 200
    assert "&lt;b&gt;Basket&lt;/b&gt;" in page.text
    assert "<img" not in page.text
    assert "passerelle:k" not in page.text
    github.publish_release(SHOP, "v1")
    assert httpx2.get(github.releases(SHOP)[0]["html_url"]).status_code == 200
    assert httpx2.get(f"{github.url}/acme/shop/issues/99").status_code == 404
