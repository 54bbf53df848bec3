"""Many issues that wait to ship: as rows that the bot itself would have, over the stand-in's real history."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot import shipping
from bot.bridge import examine
from bot.model import Kind, Severity, Stage
from bot.store.tables import Escalation, Issue, Lane, Ticket
from integrations.base import Fix
from integrations.sandbox.wire import Call
from tests.conftest import House
from tests.hosting import Hosting
from tests.hosting.github import OnGitHub
from tests.hosting.gitlab import OnGitLab

AGENTS = ("U0ANA", "U0BEN")
Build = Callable[..., House]
trackers = pytest.mark.parametrize("tracker", ["github", "gitlab"])


def crowded(make_house: Build, tracker: str, count: int, **project: Any) -> Town:
    """A house whose project is on that tracker and configured so, in which so many issues wait."""

    def change(config: dict[str, Any]) -> None:
        config["projects"][0].update(project)
        if tracker == "gitlab":
            OnGitLab.configure(config)

    house = make_house(change)
    if tracker == "github":
        return Town(house, OnGitHub(house.github), count)
    hosting = OnGitLab(house.gitlab)
    hosting.begin()
    return Town(house, hosting, count)


def wait(house: House, hosting: Hosting, numbers: Sequence[int], fixes: Callable[[int], Sequence[Fix]]) -> None:
    """Each of these issues is fixed by what `fixes` gives for its place in the list, and has one customer who waits."""
    now = house.clock.now()
    with house.bot.store.write() as session:
        for place, number in enumerate(numbers):
            title = f"Bug {number}"
            issue = Issue(
                project="shop",
                tracker=hosting.name,
                repository=hosting.repo,
                number=number,
                url=f"{hosting.url}/issues/{number}",
                title=title,
                kind=Kind.BUG,
                severity=Severity.NORMAL,
                stage=Stage.FIXED,
                stage_since=now,
                fixes=[shipping.as_record(fix) for fix in fixes(place)],
                closed_seen=True,
                channel="C0SUPPORTDEV",
                created_at=now,
            )
            ticket = Ticket(subject=title, customer_name=f"Customer {number}", waiting_since=now)
            agent = AGENTS[place % len(AGENTS)]
            session.add(Escalation(ticket=ticket, issue=issue, agent=agent, title=title, flagged_at=now))


def calls(hosting: Hosting, happens: Callable[[], object]) -> list[Call]:
    """What the tracker is asked because of that."""
    before = len(hosting.calls)
    happens()
    return hosting.calls[before:]


PAGE = 100
"""Commits on a page of a comparison."""

SECOND = timedelta(seconds=1)


def asked(calls: Iterable[Call]) -> tuple[int, dict[str, int]]:
    """How many pages of comparisons were read, and what else was asked how often."""
    names = Counter(_named(call) for call in calls)
    return names.pop("compare", 0), dict(names)


def _named(call: Call) -> str:
    what = re.sub(
        r"^/(?:repos/acme/shop|api/v4/projects/acme(?:%2F|/)apps(?:%2F|/)shop)/(?:repository/)?", "", call.path
    )
    what = re.sub(r"^(commits/)?tags/.*", "commits/tag", re.sub(r"\d+", "n", what))
    if what.startswith("compare") or re.search(r"ref_name=\w+\.\.", call.query):
        return "compare"
    return what if "/" in what or what == "merge_base" else f"{what} {call.status}"


def pages(commits: int) -> int:
    return max(1, -(-commits // PAGE))


class Town:
    """A house in which so many issues wait. Cards are held back, as by Slack's rate limit, when they are many."""

    def __init__(self, house: House, hosting: Hosting, count: int) -> None:
        self.house, self.hosting, self.count = house, hosting, count
        self.numbers = [hosting.open_issue(f"Bug {number}") for number in range(count)]
        if count > 100:
            with house.bot.store.write() as session:
                session.add(Lane(name="slack:C0SUPPORTDEV", open_at=house.clock.now() + timedelta(days=1)))

    def merge(self, apart: timedelta = SECOND, backwards: bool = False, base: str = "main") -> list[Fix]:
        """A pull request for each issue, merged one after the other; returns the fixes by issue.

        `backwards`: the last one that was opened is merged first.
        """
        if backwards:
            opened = [self._propose(number, base) for number in self.numbers]
            return [self._merge(number, apart) for number in reversed(opened)][::-1]
        return [self._merge(self._propose(number, base), apart) for number in self.numbers]

    def _propose(self, number: int, base: str) -> int:
        return self.hosting.propose(f"Mend bug {number}", base, fixes=number)

    def _merge(self, number: int, apart: timedelta) -> Fix:
        self.hosting.merge(number)
        self.house.clock.advance(apart)
        return self.hosting.fix(number)

    def wait(self, *fixes: Sequence[Fix]) -> None:
        """The bot has seen all that is there, and each issue waits for its fix of each list."""
        self.house.poll()
        self.house.poll()
        wait(self.house, self.hosting, self.numbers, lambda place: [some[place] for some in fixes])

    def publish(self, tag: str, target: str = "main") -> None:
        self.house.clock.advance(SECOND)
        self.hosting.release(tag, target)

    def deploy(self, ref: str = "main") -> None:
        self.house.clock.advance(SECOND)
        self.hosting.deploy("production", ref)

    def hear(self) -> list[Call]:
        """What the tracker is asked by one poll and all that follows from it."""
        return calls(self.hosting, self.house.poll)

    def are(self, stage: Stage) -> bool:
        """Whether all issues are there."""
        with self.house.bot.store.read() as session:
            found = session.execute(sa.select(Issue.stage, sa.func.count()).group_by(Issue.stage)).all()
        return [tuple(row) for row in found] == [(stage, self.count)]

    def messages(self) -> list[int]:
        """How many messages each agent has."""
        return [len(self.house.told(agent)) for agent in AGENTS[: self.count]]

    def no_release_yet(self) -> None:
        for release in self.hosting.releases():
            self.hosting.withdraw(release.tag)

    def look(self) -> tuple[int, int, int]:
        """One look at what is new: how many pages of comparisons it reads; how many issues ship by it, or fall back."""
        found: list[examine.Examined] = []
        made = calls(self.hosting, lambda: found.append(examine.examine(self.house.bot.bridge, "shop")))
        last = [changes[-1] for changes in found[0].changes.values()]
        compared, others = asked(made)
        assert others.pop("merge_base", 0) <= max(compared, 1), "more than one for each comparison that finds nothing"
        assert sum(others.values()) <= 4, others
        assert len(found[0].waiting) == self.count, "an issue would be asked for by itself"
        return compared, sum(one.head is not None for one in last), sum(one.head is None for one in last)


CONTINUOUSLY: dict[str, Any] = {"shipped_when": "deployed", "environment": "production"}
