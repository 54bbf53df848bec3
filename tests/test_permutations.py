"""Webhooks lost, doubled, late and shuffled: what the bot knows in the end is what it would know in order."""

from __future__ import annotations

import copy
import dataclasses
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings, strategies as st

from bot.store.tables import Effect, Escalation, Hearing, Issue, NewsItem, Round, WriteBackRow
from integrations.sandbox.github import Delivery
from tests.conftest import REPO, House
from tests.test_shipping_random import FRESH

EXAMPLES = 100 if FRESH else 12
MINUTE = timedelta(minutes=1)


class Story:
    """A house with five tickets on four issues, which can be brought back to that moment, and what happens then."""

    def __init__(self, folder: Path) -> None:
        self.house = House(folder)
        self.github = self.house.github
        self._file = folder / "passerelle.db"
        self._flag()
        self._moment = self.house.clock.now()
        self._repository = copy.deepcopy(self.github.find(REPO))
        self.house.bot.store.close()
        shutil.copy(self._file, folder / "saved.db")
        self._web = httpx2.Client(trust_env=False)

    def _flag(self) -> None:
        house = self.house
        numbers = [ticket["number"] for ticket in house.zendesk.tickets()][:5]
        for at, number in enumerate(numbers[:4]):
            house.flag(("U0ANA", "U0BEN")[at % 2], number, title=f"Trouble {at + 1}")
        house.poll()
        self._attach(numbers[4])
        house.poll()

    def _attach(self, number: str) -> None:
        house = self.house
        assert house.slack.command("U0BEN", number, "C0SUPPORT").ok
        house.bot.listeners.settle()
        view = house.slack.views("U0BEN")[-1]
        chosen = house.slack.suggest(view["id"], "similar", "#1")[0]["value"]
        assert house.slack.submit(view["id"], {"title": "The same", "similar": chosen}).ok
        house.settle()

    def begin_again(self) -> None:
        """Back to the moment after flagging: the database, the repository and the clock."""
        self.house.bot.store.close()
        for left in ("-wal", "-shm"):
            Path(f"{self._file}{left}").unlink(missing_ok=True)
        shutil.copy(self._file.with_name("saved.db"), self._file)
        live = self.github.find(REPO)
        assert live is not None
        saved = copy.deepcopy(self._repository)
        assert saved is not None
        for field in dataclasses.fields(saved):
            setattr(live, field.name, getattr(saved, field.name))
        self.house.clock.advance(self._moment - self.house.clock.now())

    def acts(self) -> Sequence[Callable[[], None]]:
        """What people do at GitHub, in four acts."""
        return (self._first, self._release, self._reopen, self._second_release)

    def _first(self) -> None:
        self.github.comment(REPO, 1, "leo-dev", "I am looking at this.")
        self.github.comment(REPO, 2, "leo-dev", "/decline The law asks for it.")
        self.github.comment(REPO, 2, "acme", "/decline I am nobody here.")
        self.github.close_issue(REPO, 3, "leo-dev", "not_planned")
        self._mend(1, "Fixes #1")
        self.github.edit_issue(REPO, 4, "leo-dev", {"title": "Trouble 4, said better"})

    def _release(self) -> None:
        self.github.publish_release(REPO, "v2.5.0")
        self.github.comment(REPO, 3, "leo-dev", "/decline Too few need it.")
        self._mend(4, "Closes #4")

    def _reopen(self) -> None:
        self.github.reopen_issue(REPO, 1, "leo-dev")
        self.github.comment(REPO, 1, "leo-dev", "It is still there.")
        self.github.reopen_issue(REPO, 2, "leo-dev")

    def _second_release(self) -> None:
        self._mend(1, "Really fixes #1")
        self.github.publish_release(REPO, "v2.6.0-rc1", prerelease=True)
        self.github.publish_release(REPO, "v2.6.0")

    def _mend(self, number: int, words: str) -> None:
        pull = self.github.open_pull(REPO, "leo-dev", f"Mend {number}", words)
        self.github.merge_pull(REPO, pull, "leo-dev")

    def play(self, heard: Callable[[list[Delivery], list[Delivery]], list[Delivery | None]]) -> dict[str, Any]:
        """Play all acts; after each, `heard` chooses from its deliveries and the earlier ones what comes in which order
        (None: the bot works meanwhile). Then the bot polls. Returns what it knows in the end."""
        self.begin_again()
        self.github.hold_webhooks = True
        earlier: list[Delivery] = []
        for act in self.acts():
            self.house.clock.advance(MINUTE)
            before = len(self.github.deliveries)
            act()
            new = self.github.deliveries[before:]
            self.house.clock.advance(MINUTE)
            for delivery in heard(new, earlier):
                if delivery is None:
                    self.house.settle()
                else:
                    self._post(delivery)
            earlier += new
            self.house.poll()
        return self._known()

    def _post(self, delivery: Delivery) -> None:
        url = f"{self.house.server.url}/webhooks/github"
        assert self._web.post(url, content=delivery.body, headers=delivery.headers).status_code == 202

    def _known(self) -> dict[str, Any]:
        """The rows without their random ids and times."""
        with self.house.bot.store.read() as session:
            issues = session.scalars(sa.select(Issue)).all()
            news = session.scalars(sa.select(NewsItem)).all()
            return {
                "issues": sorted(
                    (one.number, one.stage.value, one.wanted, one.title, len(one.fixes), one.trouble, one.closed_seen)
                    for one in issues
                ),
                "news": sorted((*_about(one), one.text, one.by, one.stands) for one in news),
                "write-backs": sorted(
                    (*_about(one.news), one.escalation.ticket.number, one.agent, one.state.value)
                    for one in session.scalars(sa.select(WriteBackRow))
                ),
                "hearings": sorted(
                    (*_about(one.news), one.escalation.ticket.number, one.person)
                    for one in session.scalars(sa.select(Hearing))
                ),
                "escalations": session.scalar(sa.select(sa.func.count(Escalation.id))),
            }

    def told_once(self) -> None:
        """Each round became one message, with all of its hearings; nothing is left undone."""
        with self.house.bot.store.read() as session:
            rounds = session.scalars(sa.select(Round)).all()
            told = Counter(session.scalars(sa.select(Effect.key).where(Effect.kind == "told", Effect.state == "done")))
            assert told == Counter(f"told:{one.id}:{one.agent}" for one in rounds)
            assert all(hearing.person == one.agent for one in rounds for hearing in one.hearings)
            states = set(session.scalars(sa.select(Effect.state).where(Effect.kind != "poll")))
            assert states == {"done"}

    def close(self) -> None:
        self._web.close()
        self.house.close()


def _about(news: NewsItem) -> tuple[int, str, str]:
    """Issue, kind, and the release or nothing: what a piece of news is, without ids of this run."""
    return news.issue.number or 0, news.kind.value, "".join(head["name"] for head in news.proof.get("out", ()))


def in_order(new: list[Delivery], _earlier: list[Delivery]) -> list[Delivery | None]:
    """Each as it happened, the bot working after each."""
    return [step for delivery in new for step in (delivery, None)]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    made = Story(tmp_path_factory.mktemp("story"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def expected(story: Story) -> dict[str, Any]:
    """What the bot knows when all comes in order."""
    return story.play(in_order)


def test_in_order_it_knows_what_happened(story: Story, expected: dict[str, Any]) -> None:
    """The measure itself: two declined with their reasons and one of them taken back, one shipped twice, one late."""
    story.play(in_order)
    story.told_once()
    assert [(number, stage) for number, stage, *_ in expected["issues"]] == [
        (1, "shipped"),
        (2, "acknowledged"),
        (3, "declined"),
        (4, "shipped"),
    ]
    assert [(number, kind, tag, stands) for number, kind, tag, *_, stands in expected["news"]] == [
        (1, "shipped", "v2.5.0", False),
        (1, "shipped", "v2.6.0", True),
        (2, "declined", "", False),
        (3, "declined", "", True),
        (4, "shipped", "v2.6.0", True),
    ]
    assert len(expected["write-backs"]) == 7


def test_without_any_webhook_polling_finds_out_the_same(story: Story, expected: dict[str, Any]) -> None:
    """Everything lost: the reconciler heals it."""
    assert story.play(lambda _new, _earlier: []) == expected
    story.told_once()


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chance=st.randoms(use_true_random=False), lost=st.sampled_from([0.0, 0.2, 0.6]), doubled=st.integers(0, 4))
def test_in_any_order_doubled_late_or_lost_it_knows_the_same(
    story: Story, expected: dict[str, Any], chance: random.Random, lost: float, doubled: int
) -> None:
    """Any permutation of any part of the deliveries, some again, some an act late, work going on between any two."""
    late: list[Delivery] = []

    def shuffled(new: list[Delivery], earlier: list[Delivery]) -> list[Delivery | None]:
        nonlocal late
        held = [one for one in new if chance.random() < 0.2]
        now = [one for one in new if one not in held and chance.random() >= lost]
        again = [chance.choice([*earlier, *new]) for _ in range(doubled)]
        steps: list[Delivery | None] = [*now, *late, *again, *([None] * chance.randint(0, 4))]
        chance.shuffle(steps)
        late = held
        return steps

    assert story.play(shuffled) == expected
    story.told_once()
