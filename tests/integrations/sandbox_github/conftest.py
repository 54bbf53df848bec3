"""The sandbox's GitHub with one repository, two ways to call it, and an address for its webhooks."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from github import Auth, Github
from github.Repository import Repository
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from integrations.sandbox.github import GitHubStandIn
from integrations.sandbox.wire import Server

SHOP = "acme/shop"


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 9, 0, 0, 654321, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, **time: float) -> None:
        self.at += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def github(clock: Clock) -> Iterator[GitHubStandIn]:
    stand_in = GitHubStandIn(clock).start()
    stand_in.add_repo(SHOP, collaborators=["leo-dev"])
    yield stand_in
    stand_in.stop()


@pytest.fixture
def http(github: GitHubStandIn) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=github.url, headers={"Authorization": "Bearer ghp_sandbox"}) as client:
        yield client


@pytest.fixture
def shop(github: GitHubStandIn) -> Repository:
    client = Github(
        auth=Auth.Token("ghp_sandbox"), base_url=github.url, retry=None, seconds_between_requests=None,
        seconds_between_writes=None,
    )  # fmt: skip
    return client.get_repo(SHOP)


class Receiver:
    """An address for webhooks that keeps what it was sent, and can be made to wait."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.go_on = threading.Event()
        self.go_on.set()
        self.server = Server(Starlette(routes=[Route("/hook", self._take, methods=["POST"])])).start()
        self.url = f"{self.server.url}/hook"

    async def _take(self, request: Request) -> Response:
        body = await request.body()
        self.got.append((dict(request.headers), body))
        await asyncio.to_thread(self.go_on.wait, 10)
        return Response(status_code=204)

    @property
    def events(self) -> list[str]:
        return [f"{headers['x-github-event']}.{json.loads(body).get('action')}" for headers, body in self.got]


@pytest.fixture
def receiver(github: GitHubStandIn) -> Iterator[Receiver]:
    made = Receiver()
    github.webhook_url = made.url
    yield made
    made.go_on.set()
    made.server.stop()


def fixed(github: GitHubStandIn, method: Any = "squash", base: str = "main") -> tuple[int, int, str]:
    """An issue, and a merged pull request that fixes it: (issue, pull request, sha)."""
    issue = github.open_issue(SHOP, "passerelle-bot", "Basket empties itself")
    pull = github.open_pull(SHOP, "leo-dev", "Keep the basket", f"Fixes #{issue}", base)
    return issue, pull, github.merge_pull(SHOP, pull, "leo-dev", method)
