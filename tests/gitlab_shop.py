"""A house whose project is on GitLab, and what its developers do there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.conftest import House
from tests.hosting.gitlab import OnGitLab

SHOP = OnGitLab.repo
DEV = "leo-dev"
MINUTE = timedelta(minutes=1)


class Shop:
    """A house whose project is on GitLab, with one flagged ticket. The bot hears of what is done by its next look."""

    def __init__(self, house: House) -> None:
        self.house, self.gitlab = house, house.gitlab
        OnGitLab(house.gitlab).begin()
        self.gitlab.branch(SHOP, "before", "main")
        house.flag()
        house.poll()

    def merge(
        self,
        body: str = "Closes #1",
        base: str = "main",
        method: Any = "merge",
        title: str = "Round VAT per line",
        **more: Any,
    ) -> int:
        return self.merged(self.gitlab.open_merge(SHOP, DEV, title, body, base, **more), method)

    def merged(self, iid: int, method: Any = "merge") -> int:
        self.house.clock.advance(MINUTE)
        self.gitlab.merge(SHOP, iid, DEV, method)
        self.house.poll()
        return iid

    def revert(self, iid: int, method: Any = "merge") -> int:
        """By GitLab's button; the number of the merge request that takes it back."""
        self.house.clock.advance(MINUTE)
        self.gitlab.revert_merge(SHOP, iid, DEV, method)
        return int(self.gitlab.merges(SHOP)[0]["iid"])

    def release(self, tag: str, **how: Any) -> None:
        self.house.clock.advance(MINUTE)
        self.gitlab.publish_release(SHOP, tag, **how)
        self.house.poll()

    def deploy(self, environment: str = "production", ref: str = "main", status: str = "success", **how: Any) -> int:
        self.house.clock.advance(MINUTE)
        made = self.gitlab.deploy(SHOP, environment, ref, status, **how)
        self.house.poll()
        return made

    def news(self) -> list[str]:
        return [one for one in self.house.told() if one.startswith(("Fixed in", "Live on", "Fixed and merged"))]

    @property
    def card(self) -> str:
        return self.house.card()
