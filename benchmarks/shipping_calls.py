"""One release costs GitHub's API the same, however many issues wait for it; asked issue by issue, it would not.

Run it from the checkout's root, with what the tests need: `python -m benchmarks.shipping_calls`. Stand-ins on loopback,
real HTTP, calls counted by the receiver. The reference is one comparison for each waiting issue, in the same run.
"""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from time import perf_counter

import structlog

from tests.conftest import House
from tests.crowd import REPO, Town, calls

CROWDS = (1, 100, 1000)


def measured(count: int, folder: Path) -> tuple[int, float, int, float]:
    """Calls and seconds for a release with the fixes of so many issues: ours, then the reference's."""
    house = House(folder)
    try:
        house.github.requests_per_hour = 1_000_000  # GitHub's 5,000 would end the reference early
        town = Town(house, count)
        fixes = town.merge()
        town.wait(fixes)
        town.publish("v3.0.0")
        began = perf_counter()
        ours = len(town.hear())
        took = perf_counter() - began
        if town.messages() != [1, 1][:count]:
            raise SystemExit(f"{count} issues: not every agent has one message")
        tracker = house.bot.bridge.trackers["github"]
        head = tracker.resolve(REPO, "tags/v3.0.0")
        began = perf_counter()
        held = [False]
        theirs = len(
            calls(house, lambda: held.extend(tracker.between(REPO, fix.sha, head).holds_base for fix in fixes))
        )
        if sum(held) != count:
            raise SystemExit(f"{count} issues: the reference finds {sum(held)}")
        return ours, took, theirs, perf_counter() - began
    finally:
        house.close()


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    logging.disable(logging.WARNING)
    print(f"{'waiting':>8} {'calls':>6} {'seconds':>8}   {'one by one':>10} {'seconds':>8}")  # noqa: T201
    for count in CROWDS:
        with tempfile.TemporaryDirectory() as folder:
            ours, took, theirs, other = measured(count, Path(folder))
        print(f"{count:>8} {ours:>6} {took:>8.1f}   {theirs:>10} {other:>8.1f}")  # noqa: T201


if __name__ == "__main__":
    main()
