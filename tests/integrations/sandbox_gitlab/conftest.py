"""The sandbox's GitLab with one project, two ways to call it, and an address for its webhooks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import gitlab as client
import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from integrations.sandbox.gitlab import GitLabStandIn
from integrations.sandbox.wire import Server

SHOP = "acme/shop-app"
AT = "/projects/acme%2Fshop-app"


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
def gitlab(clock: Clock) -> Iterator[GitLabStandIn]:
    stand_in = GitLabStandIn(clock).start()
    stand_in.add_project(SHOP, members={"leo-dev": 30})
    yield stand_in
    stand_in.stop()


@pytest.fixture
def http(gitlab: GitLabStandIn) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=f"{gitlab.url}/api/v4", headers={"PRIVATE-TOKEN": "glpat-sandbox"}) as made:
        yield made


@pytest.fixture
def shop(gitlab: GitLabStandIn) -> Any:
    """The project, as python-gitlab sees it."""
    return client.Gitlab(gitlab.url, private_token="glpat-sandbox", timeout=10).projects.get(SHOP)


class Receiver:
    """An address for webhooks that keeps what it was sent, answers `status`, and can be made to wait."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = 204
        self.go_on = threading.Event()
        self.go_on.set()
        self.server = Server(Starlette(routes=[Route("/hook", self._take, methods=["POST"])])).start()
        self.url = f"{self.server.url}/hook"

    async def _take(self, request: Request) -> Response:
        body = await request.body()
        self.got.append((dict(request.headers), body))
        await asyncio.to_thread(self.go_on.wait, 10)
        return Response(status_code=self.status)

    @property
    def events(self) -> list[str]:
        return [headers["x-gitlab-event"] for headers, _ in self.got]


@pytest.fixture
def receiver(gitlab: GitLabStandIn) -> Iterator[Receiver]:
    made = Receiver()
    gitlab.webhook_url = made.url
    yield made
    made.go_on.set()
    made.server.stop()


def fixed(gitlab: GitLabStandIn, method: Any = "merge", base: str = "") -> tuple[int, int, str]:
    """An issue, and a merged merge request that closes it: (issue, merge request, sha)."""
    issue = gitlab.open_issue(SHOP, "passerelle-bot", "Basket empties itself")
    made = gitlab.open_merge(SHOP, "leo-dev", "Keep the basket", f"Closes #{issue}", base, commits=["One", "Two"])
    return issue, made, gitlab.merge(SHOP, made, "leo-dev", method)
