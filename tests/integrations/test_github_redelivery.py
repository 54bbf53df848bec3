"""Webhook deliveries that failed are asked for again, by a token that may and by an app, and by nobody else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from integrations.base import Unavailable
from integrations.github import Config
from integrations.github.redelivery import redeliver
from integrations.github.wire import Wire
from integrations.sandbox.github import GitHubStandIn, Token
from integrations.sandbox.wire import Fault, Server

REPO = "acme/shop"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PEM = (
    rsa.generate_private_key(65537, 2048)
    .private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    .decode()
)


class Place:
    """GitHub, and the address that it calls; `status` is what that answers."""

    def __init__(self) -> None:
        self.at = START
        self.hub = GitHubStandIn(lambda: self.at).start()
        self.hub.add_repo(REPO)
        self.hub.tokens["ghp_admin"] = Token("acme")
        self.hub.register_app(4242, PEM, "passerelle", 77)
        self.got: list[tuple[str, str]] = []
        self.status = 204
        self.server = Server(Starlette(routes=[Route("/webhooks/github", self._take, methods=["POST"])])).start()
        self.address = f"{self.server.url}/webhooks/github"
        self.hub.webhook_url = self.address

    async def _take(self, request: Request) -> Response:
        title = json.loads(await request.body())["issue"]["title"]
        self.got.append((request.headers["x-github-delivery"], title))
        return Response(status_code=self.status)

    def happens(self, *titles: str, status: int = 204) -> None:
        """Issues are opened, a minute apart, while the address answers with `status`."""
        self.status = status
        for title in titles:
            self.at += timedelta(minutes=1)
            self.hub.open_issue(REPO, "leo-dev", title)
            assert self.hub.webhooks_settled()
        self.status = 204

    def lost(self, *titles: str) -> None:
        """The same, while the address cannot be reached."""
        self.hub.hold_webhooks = True
        self.happens(*titles)
        self.hub.hold_webhooks = False

    def wire(self, token: str = "ghp_admin") -> Wire:
        return Wire("github", Config(url=self.hub.url, token=SecretStr(token)), 2)

    def app(self) -> Wire:
        key = SecretStr(PEM)
        config = Config(url=self.hub.url, app_id="4242", private_key=key, installation_id=77)
        return Wire("github", config, 2, lambda: self.at)

    def again(self, wire: Wire | None = None, since: datetime = START, address: str = "") -> int:
        count = redeliver(wire or self.wire(), REPO, address or self.address, since)
        assert self.hub.webhooks_settled()
        return count

    @property
    def heard(self) -> list[str]:
        return [title for _, title in self.got]


@pytest.fixture
def place() -> Iterator[Place]:
    place = Place()
    yield place
    place.hub.stop()
    place.server.stop()


@pytest.mark.parametrize("how", ["token", "app"])
def test_what_failed_comes_again_once(place: Place, how: str) -> None:
    """Refused or lost, oldest first and under its own id; what had arrived does not come twice."""
    place.happens("arrived")
    place.happens("refused", status=503)
    place.lost("lost")
    wire = place.app() if how == "app" else place.wire()
    assert place.again(wire) == 2
    assert place.heard == ["arrived", "refused", "refused", "lost"]
    ids = {title: id for id, title in place.got[:2]}
    assert place.got[2] == (ids["refused"], "refused")
    assert place.again(wire) == 0
    assert len(place.got) == 4


def test_a_receiver_that_is_down_is_found_by_its_closed_port(place: Place) -> None:
    """Nobody listened, then somebody does, at the same address."""
    port = place.server.port
    place.server.stop()
    place.happens("nobody listens")
    place.server = Server(Starlette(routes=[Route("/webhooks/github", place._take, methods=["POST"])]), port).start()
    assert (place.again(), place.heard) == (1, ["nobody listens"])


def test_what_is_older_is_left(place: Place) -> None:
    """Only what failed since then is asked for; GitHub itself forgets after three days."""
    place.lost("old", "new")
    assert place.again(since=START + timedelta(minutes=1, seconds=30)) == 1
    assert place.heard == ["new"]
    place.at += timedelta(days=4)
    assert place.again() == 0


def test_many_pages_and_at_most_fifty(place: Place) -> None:
    """The cursor is followed to the oldest; the rest comes with the next call."""
    place.lost(*(f"Bug {number}" for number in range(120)))
    assert place.again() == 50
    assert place.heard == [f"Bug {number}" for number in range(50)]
    assert [place.again(), place.again(), place.again()] == [50, 20, 0]
    assert len(set(place.got)) == len(place.got) == 120
    place.at += timedelta(hours=1)
    place.lost("late")
    place.hub.wire.calls.clear()
    assert place.again(since=place.at - timedelta(minutes=5)) == 1
    assert len(place.hub.wire.calls_to("GET", ".*/deliveries")) == 2  # failed, then arrived: no page further back


def test_nothing_failed_costs_two_calls(place: Place) -> None:
    """The hook, and its failures; what arrived is not listed."""
    place.happens(*(f"Bug {number}" for number in range(5)))
    place.hub.wire.calls.clear()
    assert place.again() == 0
    assert [call.path.rpartition("/")[2] for call in place.hub.wire.calls] == ["hooks", "deliveries"]


def test_an_address_that_never_answers_is_given_up(place: Place) -> None:
    """After five attempts polling has long found what it told."""
    place.happens("never", status=500)
    counts = []
    for _ in range(6):
        place.status = 500
        counts.append(place.again())
    assert counts == [1, 1, 1, 1, 0, 0]


@pytest.mark.parametrize("token", ["ghp_sandbox", "ghp_wrong"])
def test_who_may_not_asks_for_nothing(place: Place, token: str) -> None:
    """Webhooks are for a repository's admins; the bot's account rarely is one, and that is no error."""
    place.lost("lost")
    assert place.again(place.wire(token)) == 0


def test_another_hook_is_not_ours(place: Place) -> None:
    """Only the deliveries to our own address are asked for, whichever way we came in."""
    place.lost("lost")
    for wire in (place.wire(), place.app()):
        assert place.again(wire, address="https://elsewhere.example.com/webhooks/github") == 0
    assert place.got == []


def test_an_app_asks_for_this_repository_alone(place: Place) -> None:
    """Its one webhook tells of all repositories; another project asks for its own."""
    place.hub.add_repo("acme/other")
    place.lost("here")
    place.hub.hold_webhooks = True
    place.hub.open_issue("acme/other", "leo-dev", "there")
    place.hub.hold_webhooks = False
    assert (place.again(place.app()), place.heard) == (1, ["here"])


def test_an_outage_is_told(place: Place) -> None:
    """That GitHub is down is not the same as nothing to ask for."""
    place.hub.wire.faults.append(Fault("refuse", "GET", "/deliveries", 502, times=None))
    with pytest.raises(Unavailable):
        place.again()
