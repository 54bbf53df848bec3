"""Random histories through the whole house: after each poll an issue stands where the model says, and its agent heard
that once, when it became so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings, strategies as st

from bot.model import Stage
from bot.store.tables import Issue, Row
from tests.conftest import House
from tests.hosting import Hosting
from tests.hosting.github import OnGitHub
from tests.hosting.gitlab import OnGitLab
from tests.shipping_history import Play, Step, steps
from tests.shipping_model import IN, REVERTED, Mend, Model
from tests.test_shipping_random import FRESH

ENVIRONMENTS = ("production-eu", "production-us")
POLICIES: dict[str, dict[str, Any]] = {
    "merged": {"shipped_when": "merged"},
    "released": {"shipped_when": "released"},
    "deployed to all": {"shipped_when": "deployed", "environment": list(ENVIRONMENTS), "environments_needed": "all"},
    "deployed to any": {"shipped_when": "deployed", "environment": list(ENVIRONMENTS), "environments_needed": "any"},
}
CORRECTION = "should hear what has changed"
OUT = {
    "merged": (),
    "released": ("release", "release", "release", "withdraw"),
    "deployed": ("deploy", "deploy", "deploy", "fail"),
}
KINDS = ("pick", "revert", "unrevert", "revert_pull", "backport", "join", "push_back", "wait", "change", "fix")
KINDS += ("fixed_by", "close", "reopen", "write_back", "poll", "poll")


@dataclass
class Story:
    """One issue in a house, and what the model thinks of it."""

    house: House
    policy: dict[str, Any]
    play: Play
    fixes: list[Mend] = field(default_factory=list)
    drafts: list[str] = field(default_factory=list)
    tags: int = 0
    running: dict[str, list[tuple[int, str]]] = field(
        default_factory=dict
    )  # by environment: what succeeded, oldest first
    shipped: bool = False
    written: bool = False  # the customer was told
    heard: int = 0

    @property
    def hosting(self) -> Hosting:
        return self.play.hosting

    # --- what happens -------------------------------------------------------------------------------------------------

    def take(self, step: Step) -> None:
        doing: Callable[[Step], None] | None = getattr(self, step.kind, None)
        if doing:
            doing(step)
        else:
            self.play.take(step)

    def fix(self, step: Step) -> None:
        """A pull request that is linked to the issue; after a reopening, one that closes it again."""
        if self.shipped:
            return
        self.play.change(step if not self.hosting.was_reopened() else Step("fix", 0, step.b, step.c), link=1)
        self.fixes.append(self.play.mends[-1])
        self.poll(step)

    def fixed_by(self, step: Step) -> None:
        """A Support Dev names what was merged or pushed before."""
        if self.shipped or not self.play.mends:
            return
        mend = self.play.mends[-1 - step.a % len(self.play.mends)]
        if mend.copied or mend in self.fixes:
            return
        self.hosting.name_fix(mend.pull if mend.merged else mend.sha)
        self.fixes.append(mend)
        self.poll(step)

    def close(self, step: Step) -> None:
        if self.hosting.is_open():
            self.hosting.close()
        self.poll(step)

    def reopen(self, step: Step) -> None:
        if not self.hosting.is_open() and step.a < 3:
            self.poll(step)
            self.house.clock.advance(timedelta(seconds=1))
            self.hosting.reopen()
            self.fixes.clear()
            self.poll(step)

    def release(self, step: Step) -> None:
        """Mostly a full release; now and then one that does not count, or not before it is published later."""
        self.tags += 1
        tag, branch, kind = f"v0.{self.tags}.{step.c}", self.play.branch(step.a), step.b % 6
        if kind == 5 and self.drafts:
            self.hosting.publish(self.drafts.pop(), branch)
        elif kind == 4:
            self.hosting.withhold(tag, branch)
            self.drafts.append(tag)
        elif kind == 3:
            self.hosting.pre_release(tag, branch)
        else:
            self.hosting.release(tag, branch)

    def withdraw(self, step: Step) -> None:
        """A release is deleted; not one that took a fix back, after which the bot waits for the next one."""
        found, model = self.hosting.releases(), self.play.model()
        gone = found[step.a % len(found)] if found else None
        if step.b % 2 and gone and all(model.state(gone.sha, one) != REVERTED for one in self.fixes):
            self.hosting.withdraw(gone.tag)

    def deploy(self, step: Step) -> None:
        """What a branch is or was at; now and then it fails at once."""
        name = ENVIRONMENTS[step.c % 2]
        sha = self.play.history.branches[self.play.branch(step.a)]
        for _ in range(step.b // 3):
            sha = next(iter(self.play.history.commits[sha].parents), sha)
        failed = step.c > 6
        made = self.hosting.deploy(name, sha, failed=failed)
        if not failed:
            self.running.setdefault(name, []).append((made, sha))

    def fail(self, step: Step) -> None:
        """What runs on an environment fails after it had succeeded."""
        if running := self.running.get(ENVIRONMENTS[step.c % 2]):
            self.hosting.fail(running.pop()[0])

    def write_back(self, step: Step) -> None:
        if self.shipped and not self.written:
            assert self.house.write_back() == {}
            self.written = True
            self.heard = len(self.house.told())

    def poll(self, step: Step) -> None:
        self.house.poll()
        was, self.shipped = self.shipped, self.expected() is Stage.SHIPPED
        assert self.stage() is self.expected()
        new = self.house.told()[self.heard :]
        self.heard += len(new)
        if self.shipped and not was and not self.written:
            assert len(new) == 1
            assert CORRECTION not in new[0]
        elif was and not self.shipped and self.written:
            assert len(new) == 1
            assert CORRECTION in new[0]
        elif not self.written:
            assert new == []

    # --- what is so ---------------------------------------------------------------------------------------------------

    def stage(self) -> Stage:
        with self.house.bot.store.read() as session:
            stage = session.scalars(sa.select(Issue)).one().stage
            return Stage.FILED if stage is Stage.ACKNOWLEDGED else stage

    def expected(self) -> Stage:
        if not self.fixes:
            return Stage.FILED
        model = self.play.model()
        match self.policy["shipped_when"]:
            case "merged":
                out = self._holds(model, self.play.history.branches["main"])
            case "released":
                out = self._released(model)
            case _:
                there = [
                    bool(running) and self._holds(model, running[-1][1])
                    for running in (self.running.get(name, []) for name in ENVIRONMENTS)
                ]
                out = any(there) if self.policy["environments_needed"] == "any" else all(there)
        return Stage.SHIPPED if out else Stage.FIXED

    def _holds(self, model: Model, head: str) -> bool:
        return model.together(head, self.fixes) == IN

    def _released(self, model: Model) -> bool:
        """From the first release to the last: one with all the fixes ships them, a revert takes them back."""
        out = False
        for release in self.hosting.releases():
            if model.together(release.sha, self.fixes) == REVERTED:
                out = False
            out = out or self._holds(model, release.sha)
        return out


Build = Callable[[str, str], tuple[House, Hosting]]


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Build]:
    """One house for each policy and tracker; for each example it is emptied and its project made anew."""
    found: dict[tuple[str, str], House] = {}

    def built(policy: str, tracker: str) -> tuple[House, Hosting]:
        def change(config: dict[str, Any]) -> None:
            config["projects"][0].update(POLICIES[policy])
            if tracker == "gitlab":
                OnGitLab.configure(config)

        if (policy, tracker) not in found:
            found[policy, tracker] = House(tmp_path_factory.mktemp("house"), change)
        house = found[policy, tracker]
        return house, OnGitLab(house.gitlab) if tracker == "gitlab" else OnGitHub(house.github)

    yield built
    for one in found.values():
        one.close()


def begin(house: House, hosting: Hosting, policy: str) -> Story:
    """An empty house, a new project, one escalation."""
    with house.bot.store.write() as session:
        for table in reversed(Row.metadata.sorted_tables):
            session.execute(table.delete())
    hosting.begin()
    play = Play(hosting, house.clock)
    house.flag()
    house.poll()
    return Story(house, POLICIES[policy], play, heard=len(house.told()))


def lived(build: Build, policy: str, tracker: str, data: st.DataObject) -> None:
    kinds = KINDS + OUT[str(POLICIES[policy]["shipped_when"])] * 2
    taken = [Step("fix", *data.draw(st.tuples(*[st.integers(0, 8)] * 3))), *data.draw(steps(kinds, 12))]
    story = begin(*build(policy, tracker), policy)
    for step in taken:
        story.take(step)
    story.poll(Step("poll"))


STORIES = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=not FRESH)
FEWER = settings(STORIES, max_examples=8)


@pytest.mark.parametrize("policy", POLICIES)
@STORIES
@given(data=st.data())
def test_an_issue_stands_where_the_graph_says(build: Build, policy: str, data: st.DataObject) -> None:
    """Whatever happens between two polls."""
    lived(build, policy, "github", data)


@pytest.mark.parametrize("policy", POLICIES)
@FEWER
@given(data=st.data())
def test_an_issue_stands_where_the_graph_says_on_gitlab(build: Build, policy: str, data: st.DataObject) -> None:
    """The same, by merge requests of every kind, dates to come, and pipelines that run again."""
    lived(build, policy, "gitlab", data)
