"""One release costs a tracker's API the same, however many issues wait for it; asked issue by issue, it would not.

Run it from the checkout's root, with what the tests need: `python -m benchmarks.shipping_calls`. Stand-ins on loopback,
real HTTP, calls counted by the receiver. The reference is one comparison for each waiting issue, in the same run.
"""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from time import perf_counter

import structlog

from tests.conftest import Change, House
from tests.crowd import calls, crowded

CROWDS = (1, 100, 1000)


def measured(tracker: str, count: int, folder: Path) -> tuple[int, float, int, float]:
    """Calls and seconds for a release with the fixes of so many issues: ours, then the reference's."""
    houses: list[House] = []

    def make(change: Change) -> House:
        houses.append(House(folder, change))
        return houses[-1]

    try:
        town = crowded(make, tracker, count)
        house = houses[-1]
        town.hosting.no_limits()  # GitHub's 5,000 an hour would end the reference early
        fixes = town.merge()
        town.wait(fixes)
        town.publish("v3.0.0")
        began = perf_counter()
        ours = len(town.hear())
        took = perf_counter() - began
        if town.messages() != [1, 1][:count]:
            raise SystemExit(f"{count} issues: not every agent has one message")
        adapter, repo = house.bot.bridge.trackers[tracker], town.hosting.repo
        head = adapter.resolve(repo, "tags/v3.0.0")
        began = perf_counter()
        held = [False]
        one_by_one = (adapter.between(repo, fix.sha, head).holds_base for fix in fixes)
        theirs = len(calls(town.hosting, lambda: held.extend(one_by_one)))
        if sum(held) != count:
            raise SystemExit(f"{count} issues: the reference finds {sum(held)}")
        return ours, took, theirs, perf_counter() - began
    finally:
        for each in houses:
            each.close()


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    logging.disable(logging.WARNING)
    print(f"{'':>8} {'waiting':>8} {'calls':>6} {'seconds':>8}   {'one by one':>10} {'seconds':>8}")  # noqa: T201
    for tracker in ("github", "gitlab"):
        for count in CROWDS:
            with tempfile.TemporaryDirectory() as folder:
                ours, took, theirs, other = measured(tracker, count, Path(folder))
            print(f"{tracker:>8} {count:>8} {ours:>6} {took:>8.1f}   {theirs:>10} {other:>8.1f}")  # noqa: T201


if __name__ == "__main__":
    main()
