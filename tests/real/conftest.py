"""The house beside services that nobody of this project wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Change, House
from tests.real.emulated import Emulated, running


@pytest.fixture
def emulated(tmp_path: Path) -> Iterator[Emulated]:
    with running(tmp_path) as github:
        yield github


@pytest.fixture
def make_elsewhere(emulated: Emulated, make_house: Callable[..., House]) -> Callable[..., House]:
    """Builds a house with that GitHub as its tracker, at that GitHub's time; its configuration may be changed."""

    def make(change: Change | None = None) -> House:
        def use(config: dict[str, Any]) -> None:
            config["trackers"]["github"] |= {"url": emulated.url, "token": "ghp_bot"}
            if change:
                change(config)

        house = make_house(use)
        house.clock.advance(datetime.now(UTC) - house.clock.now())
        return house

    return make


@pytest.fixture
def elsewhere(make_elsewhere: Callable[..., House]) -> House:
    return make_elsewhere()
