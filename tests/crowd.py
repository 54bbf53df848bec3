"""Many issues that wait to ship: as rows that the bot itself would have, over the stand-in's real history."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot import shipping
from bot.model import Kind, Severity, Stage
from bot.store.tables import Escalation, Issue, Ticket
from integrations.base import Fix
from integrations.sandbox.wire import Call
from tests.conftest import REPO, House

AGENTS = ("U0ANA", "U0BEN")


def issues(house: House, count: int) -> list[int]:
    """So many issues, filed by the bot's account."""
    return [house.github.open_issue(REPO, "passerelle-bot", f"Bug {number}") for number in range(count)]


def pulls(house: House, numbers: Sequence[int], base: str = "main") -> list[int]:
    """A pull request for each of these issues."""
    open_pull = house.github.open_pull
    return [open_pull(REPO, "leo-dev", f"Mend bug {number}", f"Fixes #{number}", base) for number in numbers]


def merge(house: House, number: int) -> Fix:
    """Merge a pull request; returns what the adapter would tell of it."""
    sha, page = house.github.merge_pull(REPO, number, "leo-dev"), f"{house.github.url}/{REPO}"
    pull = house.github.find(REPO).issues[number]  # type: ignore[union-attr]  # it is there
    return Fix(
        sha,
        f"{page}/commit/{sha}",
        number,
        f"{page}/pull/{number}",
        pull.title,
        pull.pull.base,
        pull.pull.merged_at,  # type: ignore[union-attr]
    )


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
