"""Many issues that wait to ship: as rows that the bot itself would have, over the stand-in's real history."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from bot import shipping
from bot.bridge import examine
from bot.model import Kind, Severity, Stage
from bot.store.tables import Escalation, Issue, Lane, Ticket
from integrations.base import Fix
from integrations.sandbox.wire import Call
from tests.conftest import REPO, House

AGENTS = ("U0ANA", "U0BEN")


def issues(house: House, count: int) -> list[int]:
    """So many issues, filed by the bot's account."""
    return [house.github.open_issue(REPO, "passerelle-bot", f"Bug {number}") for number in range(count)]


def pull(house: House, number: int, base: str = "main") -> int:
    """A pull request that fixes this issue."""
    return house.github.open_pull(REPO, "leo-dev", f"Mend bug {number}", f"Fixes #{number}", base)


def merge(house: House, number: int) -> Fix:
    """Merge a pull request; returns what the adapter would tell of it."""
    sha, page = house.github.merge_pull(REPO, number, "leo-dev"), f"{house.github.url}/{REPO}"
    found = house.github.find(REPO).issues[number]  # type: ignore[union-attr]  # it is there
    base, at = found.pull.base, found.pull.merged_at  # type: ignore[union-attr]
    return Fix(sha, f"{page}/commit/{sha}", number, f"{page}/pull/{number}", found.title, base, at)


def wait(house: House, numbers: Sequence[int], fixes: Callable[[int], Sequence[Fix]]) -> None:
    """Each of these issues is fixed by what `fixes` gives for its place in the list, and has one customer who waits."""
    now = house.clock.now()
    with house.bot.store.write() as session:
        for place, number in enumerate(numbers):
            title = f"Bug {number}"
            issue = Issue(
                project="shop",
                tracker="github",
                repository=REPO,
                number=number,
                url=f"{house.github.url}/{REPO}/issues/{number}",
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


def calls(house: House, happens: Callable[[], object]) -> list[Call]:
    """What GitHub is asked because of that."""
    before = len(house.github.wire.calls)
    happens()
    return house.github.wire.calls[before:]


PAGE = 100
"""Commits on a page of a comparison."""

SECOND = timedelta(seconds=1)


def asked(calls: Iterable[Call]) -> tuple[int, dict[str, int]]:
    """How many pages of comparisons were read, and what else was asked how often."""
    names: Counter[str] = Counter()
    for call in calls:
        what = call.path.removeprefix(f"/repos/{REPO}/")
        what = re.sub(r"^commits/tags/.*", "commits/tag", re.sub(r"\d+", "n", what))
        names["compare" if what.startswith("compare") else what if "/" in what else f"{what} {call.status}"] += 1
    return names.pop("compare", 0), dict(names)


def pages(commits: int) -> int:
    return max(1, -(-commits // PAGE))


class Town:
    """A house in which so many issues wait. Cards are held back, as by Slack's rate limit, when they are many."""

    def __init__(self, house: House, count: int) -> None:
        self.house, self.github, self.count = house, house.github, count
        self.numbers = issues(house, count)
        if count > 100:
            with house.bot.store.write() as session:
                session.add(Lane(name="slack:C0SUPPORTDEV", open_at=house.clock.now() + timedelta(days=1)))

    def merge(self, apart: timedelta = SECOND, backwards: bool = False, base: str = "main") -> list[Fix]:
        """A pull request for each issue, merged one after the other; returns the fixes by issue.

        `backwards`: the last one that was opened is merged first.
        """
        if backwards:
            opened = [pull(self.house, number, base) for number in self.numbers]
            return [self._merge(number, apart) for number in reversed(opened)][::-1]
        return [self._merge(pull(self.house, number, base), apart) for number in self.numbers]

    def _merge(self, number: int, apart: timedelta) -> Fix:
        made = merge(self.house, number)
        self.house.clock.advance(apart)
        return made

    def wait(self, *fixes: Sequence[Fix]) -> None:
        """The bot has seen all that is there, and each issue waits for its fix of each list."""
        self.house.poll()
        self.house.poll()
        wait(self.house, self.numbers, lambda place: [some[place] for some in fixes])

    def publish(self, tag: str, target: str = "main") -> None:
        self.house.clock.advance(SECOND)
        self.github.publish_release(REPO, tag, target=target)

    def deploy(self, ref: str = "main") -> None:
        self.house.clock.advance(SECOND)
        self.github.deploy(REPO, "production", ref)

    def hear(self) -> list[Call]:
        """What GitHub is asked by one poll and all that follows from it."""
        return calls(self.house, self.house.poll)

    def are(self, stage: Stage) -> bool:
        """Whether all issues are there."""
        with self.house.bot.store.read() as session:
            found = session.execute(sa.select(Issue.stage, sa.func.count()).group_by(Issue.stage)).all()
        return [tuple(row) for row in found] == [(stage, self.count)]

    def messages(self) -> list[int]:
        """How many messages each agent has."""
        return [len(self.house.told(agent)) for agent in AGENTS[: self.count]]

    def no_release_yet(self) -> None:
        for release in self.github.releases(REPO):
            self.github.delete_release(REPO, release["tag_name"])

    def look(self) -> tuple[int, int, int]:
        """One look at what is new: how many pages of comparisons it reads; how many issues ship by it, or fall back."""
        found: list[examine.Examined] = []
        made = calls(self.house, lambda: found.append(examine.examine(self.house.bot.bridge, "shop")))
        last = [changes[-1] for changes in found[0].changes.values()]
        compared, others = asked(made)
        assert sum(others.values()) <= 4, others
        assert len(found[0].waiting) == self.count, "an issue would be asked for by itself"
        return compared, sum(one.head is not None for one in last), sum(one.head is None for one in last)


def continuously(config: dict[str, Any]) -> None:
    config["projects"][0].update(shipped_when="deployed", environment="production")
