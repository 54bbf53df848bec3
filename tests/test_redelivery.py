"""Webhook deliveries that failed are asked for again, where the bot has an address and its token may."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bot.scheduler import REDELIVERY
from bot.store.tables import Effect, EffectState
from integrations.sandbox.github.hooks import HOOK_ID
from integrations.sandbox.wire import Call, Fault, Server
from tests.conftest import REPO, House

FIVE_MINUTES = REDELIVERY + 1
HOOK = f"/repos/{REPO}/hooks"


class Reachable:
    """A house whose bot others call at one address; while it is down, the proxy before it answers. Nobody polls."""

    def __init__(self, make_house: Callable[..., House], *, admin: bool = True) -> None:
        self.up = True
        self.proxy = Server(self).start()
        self.house = make_house(self._reachable)
        self.github = self.house.github
        if admin:
            self.github.set_permission(REPO, "passerelle-bot", "admin")
        self.house.world.send_webhooks_to(self.proxy.url)

    def _reachable(self, config: dict[str, Any]) -> None:
        config["web"] = {"public_url": self.proxy.url}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The proxy."""
        answer = self.house.bot.web if self.up else Response(status_code=502)
        await answer(scope, receive, send)

    def misses(self, *happenings: Callable[[], object]) -> None:
        """What happens while the bot is down."""
        self.up = False
        for happens in happenings:
            happens()
        assert self.github.webhooks_settled()
        self.up = True

    def release(self) -> None:
        self.github.publish_release(REPO, "v2.5.0")

    def tick(self, seconds: float = FIVE_MINUTES) -> list[Call]:
        """Some time later the bot looks for what did not arrive; returns its calls about that."""
        self.house.clock.advance(timedelta(seconds=seconds))
        before = len(self.github.wire.calls)
        self.house.bot.schedule.tick_redeliveries()
        self.house.settle()
        return [call for call in self.github.wire.calls[before:] if call.path.startswith(HOOK)]

    def asked(self) -> int:
        return len(self.github.wire.calls_to("POST", f"{HOOK}/.*/attempts"))

    def fix(self) -> None:
        """A flagged ticket's fix is merged, and the bot hears of it."""
        self.house.flag()
        pull = self.github.open_pull(REPO, "leo-dev", "Round VAT per line", "Fixes #1")
        self.github.merge_pull(REPO, pull, "leo-dev")
        self.house.settle()


@pytest.fixture
def reach(make_house: Callable[..., House]) -> Iterator[Callable[..., Reachable]]:
    """Builds a reachable house."""
    places: list[Reachable] = []

    def build(*, admin: bool = True) -> Reachable:
        places.append(Reachable(make_house, admin=admin))
        return places[-1]

    yield build
    for place in places:
        place.proxy.stop()


@pytest.fixture
def place(reach: Callable[..., Reachable]) -> Reachable:
    return reach()


def test_what_failed_while_the_bot_was_down_comes_again_and_is_heard_once(place: Reachable) -> None:
    """A release appears while nobody answers; the delivery comes when the bot asks, and not a second time."""
    place.fix()
    place.misses(place.release)
    assert len(place.house.told()) == 1

    place.tick()
    assert "Fixed in v2.5.0:" in place.house.told()[-1]
    asked = place.asked()
    lost = {delivery.id for delivery in place.github.deliveries if delivery.sent > 1}
    assert len(lost) == asked > 0
    for _ in range(3):
        place.tick()
    assert place.asked() == asked
    assert len(place.house.told()) == 2


def test_a_bot_that_was_away_for_a_day_asks_for_all(place: Reachable) -> None:
    """It looks back to where it had last found nothing to ask for, fifty deliveries at a time."""
    place.fix()
    place.tick()
    place.misses(*(partial(place.github.comment, REPO, 1, "leo-dev", f"Thought {number}") for number in range(60)))
    place.house.clock.advance(timedelta(days=1))
    place.tick()
    assert place.asked() == 50
    place.tick()
    place.tick()
    assert place.asked() == 60
    assert {delivery.status for delivery in place.github.deliveries} == {202}


def test_what_fails_again_is_asked_for_again(place: Reachable) -> None:
    """The bot asks, and cannot be reached from outside even then."""
    place.fix()
    place.misses(place.release, place.tick)
    assert len(place.house.told()) == 1
    place.tick()
    assert "Fixed in v2.5.0:" in place.house.told()[-1]


def test_it_asks_once_in_five_minutes_and_costs_two_calls(place: Reachable) -> None:
    """The hook and its failures, however many deliveries arrived."""
    place.fix()
    assert [call.path for call in place.tick()] == [HOOK, f"{HOOK}/{HOOK_ID}/deliveries"]
    assert place.tick(seconds=1) == []


def test_a_token_that_may_not_makes_no_noise(reach: Callable[..., Reachable]) -> None:
    """Only a repository's admins see its hooks: one question, no answer, and nobody is bothered."""
    place = reach(admin=False)
    place.fix()
    cards, told = place.house.card(), place.house.told()
    for _ in range(3):
        assert [(call.path, call.status) for call in place.tick()] == [(HOOK, 404)]
    assert (place.house.card(), place.house.told()) == (cards, told)
    with place.house.bot.store.read() as session:
        effect = session.scalars(sa.select(Effect).where(Effect.kind == "redeliver")).one()
    assert (effect.state, effect.error) == (EffectState.DONE, "")


def test_an_outage_is_waited_out(place: Reachable) -> None:
    """GitHub does not answer this time; the next time it does."""
    place.fix()
    place.misses(place.release)
    place.github.wire.faults.append(Fault("refuse", "GET", "/hooks", 503, times=1))
    place.tick()
    assert len(place.house.told()) == 1
    place.tick()
    assert "Fixed in v2.5.0:" in place.house.told()[-1]


def test_without_an_address_nothing_is_asked(house: House) -> None:
    """Nobody can call a bot that has no public address."""
    house.github.set_permission(REPO, "passerelle-bot", "admin")
    before = len(house.github.wire.calls)
    house.bot.schedule.tick_redeliveries()
    house.settle()
    assert house.github.wire.calls[before:] == []
