"""For random histories, "shipped" holds exactly when an independent model over the commit graph says so."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings

from bot.bridge.judge import Judge
from bot.changes import Graph as Commits, State
from bot.clock import FakeClock
from integrations.base import Commit, Fix, NotFound, Range, Tracker
from integrations.sandbox.github.hub import Hub as GitHub
from integrations.sandbox.gitlab.hub import Hub as GitLab
from tests.hosting import Hosting
from tests.hosting.github import OnGitHub
from tests.hosting.gitlab import OnGitLab
from tests.shipping_history import CODE, Mend, Play, Step, steps
from tests.shipping_model import IN, REVERTED

FRESH = bool(os.environ.get("PASSERELLE_FRESH_HISTORIES"))
"""Whether other histories are drawn at each run; else they are the same, so that a build can be repeated."""

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Graph:
    """What a tracker tells of commits, straight from the stand-in's history: all of `Tracker` that a judge needs."""

    def __init__(self, hosting: Hosting) -> None:
        self.history, self.told = hosting.history, hosting.told

    def resolve(self, repo: str, ref: str) -> str:
        found = self.history.resolve(ref)
        if found is None:
            raise NotFound("github", ref)
        return found.sha

    def between(self, repo: str, base: str, head: str) -> Range:
        base, head = self.resolve(repo, base), self.resolve(repo, head)
        ahead = self.history.between(base, head)
        commits = tuple(Commit(one.sha, one.parents, self.told(one.sha), one.author, one.authored) for one in ahead)
        return Range(base, head, commits, holds_base=base in self.history.reachable(head))

    def same_change(self, repo: str, one: str, other: str) -> bool:
        changes = [self.history.commits[sha].changes for sha in (one, other)]
        return bool(changes[0]) and changes[0] == changes[1]


def fix_of(play: Play, mend: Mend) -> Fix:
    """As the adapter tells of a pull request, or of a commit that a person named."""
    return play.hosting.fix(int(mend.pull[1:])) if mend.merged else Fix(mend.sha, "", title=mend.title)


def on(name: str, clock: FakeClock) -> Hosting:
    """A tracker without a wire."""
    if name == "github":
        return OnGitHub(GitHub(clock.now, "", "passerelle-bot"))
    return OnGitLab(GitLab(clock.now, None, None, "passerelle-bot"))


def played(taken: Iterable[Step], name: str) -> tuple[Play, list[tuple[str, str]]]:
    """The project after these steps, and every head that a branch had: (branch, sha)."""
    clock = FakeClock(START)
    hosting = on(name, clock)
    hosting.begin()
    play = Play(hosting, clock)
    heads: list[tuple[str, str]] = []
    for step in taken:
        play.take(step)
        heads += [(name, play.history.branches[name]) for name in ("main", "1.x", "2.x")]
    return play, list(dict.fromkeys(heads))


trackers = pytest.mark.parametrize("name", ["github", "gitlab"])
HISTORIES = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), derandomize=not FRESH)


@trackers
@HISTORIES
@given(steps(CODE, 14))
def test_a_head_contains_what_the_graph_says(name: str, taken: list[Step]) -> None:
    """Every head of every branch, asked about every change that was made, from nothing."""
    play, heads = played(taken, name)
    model = play.model()
    fixes = {mend.sha: fix_of(play, mend) for mend in play.mends}
    tracker: Tracker = Graph(play.hosting)  # type: ignore[assignment]
    for branch, head in heads:
        asked = [mend for mend in play.mends if head not in model.before[mend.sha] - {mend.sha}]
        together = [{mend.sha: [fixes[mend.sha]] for mend in asked if not mend.copied}]
        alone = [{mend.sha: [fixes[mend.sha]]} for mend in asked if mend.copied]
        told: dict[str, str] = {}
        for waiting in [*together, *alone]:
            told |= {
                sha: state.value for sha, state in Judge(tracker, play.hosting.repo).states(head, "", waiting).items()
            }
        assert told == {mend.sha: model.state(head, mend) for mend in asked}, (branch, head)


@trackers
@HISTORIES
@given(steps(CODE, 14))
def test_what_is_new_tells_what_changed(name: str, taken: list[Step]) -> None:
    """Each head of a branch, compared with the one before it alone: what came in, and what went, is not missed."""
    play, heads = played(taken, name)
    model = play.model()
    tracker: Tracker = Graph(play.hosting)  # type: ignore[assignment]
    for (branch, old), (other, new) in pairwise(sorted(heads, key=lambda head: head[0])):
        asked = [one for one in play.mends if new not in model.before[one.sha] - {one.sha} and not one.copied]
        for mend in asked if branch == other else ():
            fix, judge, was = fix_of(play, mend), Judge(tracker, play.hosting.repo), model.state(old, mend)
            judge.states(old, "", {"": [fix]})  # by which copies it is out there, is remembered
            fix = judge.fixes[fix.sha]
            lost = judge.lost(old, new) if was == IN else Commits("", ())
            gone = lost is None or lost.state(fix) is not State.ABSENT
            doubted = {""} if gone or was == REVERTED else set()  # what was taken out may be put in by taking that back
            told = judge.states(new, old, {"": [fix]}, doubted)[fix.sha]
            unchanged = told is State.ABSENT and not doubted
            assert (was == IN if unchanged else told is State.IN) is (model.state(new, mend) == IN), (old, new, mend)


def test_where_they_are_known_to_differ_the_bot_is_late() -> None:
    """A change picked twice around its revert, and a merge that is reverted: the bot waits where the model would tell.
    What it never does is to tell where the model would wait."""
    kinds = (("change", 1, 0, 0), ("pick", 0, 0, 1), ("revert_pull", 0, 0, 0), ("pick", 0, 0, 1), ("change", 0, 0, 0))
    more = (("join", 3, 0, 0), ("pick", 3, 0, 0), ("join", 0, 1, 0), ("revert", 0, 1, 0))
    play, heads = played((Step(*one) for one in (*kinds, *more)), "github")
    model = play.model()
    tracker: Tracker = Graph(play.hosting)  # type: ignore[assignment]
    for _, head in heads:
        for mend in play.mends:
            if head in model.before[mend.sha] - {mend.sha}:
                continue
            told = Judge(tracker, play.hosting.repo).states(head, "", {"": [fix_of(play, mend)]})[mend.sha]
            assert told is not State.IN or model.state(head, mend) == IN, (head, mend)
