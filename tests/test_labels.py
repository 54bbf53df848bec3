"""An issue's labels, as the tracker shows them: what the report on causes puts issues together by."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from bot.store.tables import Issue
from tests.conftest import REPO, House
from tests.hosting.gitlab import OnGitLab


def labels(house: House) -> list[str]:
    """What is known here of the only issue's labels."""
    with house.bot.store.read() as session:
        return sorted(session.scalars(sa.select(Issue.labels)).one())


def test_labels_follow_the_tracker(house: House) -> None:
    """They are given, changed and taken off there; each look brings them."""
    house.flag()
    house.github.label(REPO, 1, "leo-dev", ["component:vat", "needs design"])
    house.poll()
    assert labels(house) == ["component:vat", "from-support", "needs design"]
    house.github.edit_issue(REPO, 1, "leo-dev", {"labels": ["area/invoices"]})
    house.poll()
    assert labels(house) == ["area/invoices"]
    house.mend()
    assert labels(house) == ["area/invoices"]


def test_labels_are_told_by_webhook(house: House) -> None:
    """Without waiting for the next poll."""
    house.hear_webhooks()
    house.flag()
    house.github.label(REPO, 1, "leo-dev", ["component:vat"])
    house.settle()
    assert labels(house) == ["component:vat", "from-support"]


def test_labels_on_gitlab(make_house: Callable[..., House]) -> None:
    """Scoped ones, too; the label that says that an issue was not planned is none."""

    def change(config: dict[str, Any]) -> None:
        OnGitLab.configure(config)

    house = make_house(change)
    hosting = OnGitLab(house.gitlab)
    hosting.begin()
    house.flag()
    number = house.gitlab.issues(hosting.repo)[-1]["iid"]
    given = {"add_labels": ["component::vat", "not planned"]}
    house.gitlab.edit_issue(hosting.repo, number, "leo-dev", given)
    house.poll()
    assert labels(house) == ["component::vat", "from-support"]


def test_a_change_that_nobody_told_of_is_found_within_a_day(house: House) -> None:
    """The list was read before, or the issue was known before labels were: one question a day finds them."""
    house.flag()
    house.poll()
    with house.bot.store.write() as session:
        session.scalars(sa.select(Issue)).one().labels = []
    for _ in range(24 * 4):
        house.clock.advance(timedelta(minutes=15))
        house.bot.schedule.tick_glances()
    house.settle()
    assert labels(house) == ["from-support"]
