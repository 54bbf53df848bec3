"""Random histories: steps as hypothesis draws them, taken in a project of a tracker's stand-in as far as they can be.

A step is a kind and a few small numbers, each read modulo what there is, so that any list of steps can be played, and
a shorter one too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from bot.clock import FakeClock
from integrations.sandbox.github.history import Commit, History
from tests.hosting import Hosting
from tests.shipping_model import Mend, Model, files, pull_of

BRANCHES = ("main", "1.x", "2.x")

CODE = ("change", "change", "commit", "pick", "pick", "revert", "revert", "unrevert", "revert_pull", "backport", "join")
CODE += ("push_back", "wait")


@dataclass(frozen=True, slots=True)
class Step:
    kind: str
    a: int = 0
    b: int = 0
    c: int = 0

    def __repr__(self) -> str:
        return f"{self.kind}({self.a}, {self.b}, {self.c})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


def steps(kinds: tuple[str, ...], most: int) -> st.SearchStrategy[list[Step]]:
    number = st.integers(0, 8)
    return st.lists(st.builds(Step, st.sampled_from(kinds), number, number, number), min_size=4, max_size=most)


class Play:
    """A project in which steps are taken. `mends`: all that may fix something, with the branch it was made on."""

    def __init__(self, hosting: Hosting, clock: FakeClock) -> None:
        self.hosting, self.clock = hosting, clock
        self.pulls: list[int] = []
        self.mends: list[Mend] = []
        for name in ("1.x", "2.x"):
            hosting.branch(name)

    @property
    def history(self) -> History:
        return self.hosting.history

    def model(self) -> Model:
        return Model(self.history, self.hosting.said)

    def take(self, step: Step) -> None:
        doing: Callable[[Step], None] = getattr(self, step.kind)
        doing(step)

    def branch(self, number: int) -> str:
        return ("main", "1.x", "main", "2.x")[number % 4]

    def commits(self, branch: str, elsewhere: bool = False, undo: bool = False) -> list[Commit]:
        """Those of a branch, newest first, or those of the others that it has not; and of these the ones that change
        its files when they are copied (or undone) there: git makes no empty commit of the others."""
        there = self.history.reachable(self.history.branches[branch])
        all_ = set().union(*(self.history.reachable(self.history.branches[name]) for name in BRANCHES))
        held = files(self.history, self.history.branches[branch])
        found = [self.history.commits[sha] for sha in (all_ - there if elsewhere else there)]
        if undo:  # who takes something back twice has put it there again by a commit that is to be taken back instead
            done = "".join(self.hosting.said(sha) for sha in there)
            found = [one for one in found if f"This reverts commit {one.sha}" not in done]
        return [one for one in self._newest(found) if one.parents and self._applies(one, held, undo)]

    def _newest(self, commits: list[Commit]) -> list[Commit]:
        order = list(self.history.commits)
        return sorted(commits, key=lambda one: -order.index(one.sha))

    @staticmethod
    def _applies(commit: Commit, held: set[str], undo: bool) -> bool:
        return bool(commit.changes) and all(
            (change.id in held) is (change.undone is not undo) for change in commit.changes
        )

    # --- what developers do -----------------------------------------------------------------------------------------

    def wait(self, step: Step) -> None:
        self.clock.advance(timedelta(seconds=step.a))

    def change(self, step: Step, link: int = 0) -> None:
        """A pull request of one to three commits, merged; `link`: the issue that it fixes."""
        words = (
            [f"Change {len(self.pulls)}"]
            if step.c % 3 == 0
            else [f"Part {len(self.pulls)}.{number}" for number in range(step.c % 3 + 1)]
        )
        number = self.hosting.propose(f"Change {len(self.pulls)}", self.branch(step.a), words, fixes=link)
        self._merge(number, step.b, step.c)

    def commit(self, step: Step) -> None:
        sha = self.hosting.commit(self.branch(step.a), f"Commit {len(self.history.commits)}")
        self._named(sha)

    def revert(self, step: Step) -> None:
        """`git revert` of one of a branch's newest commits."""
        branch = self.branch(step.a)
        if found := self.commits(branch, undo=True):
            self.hosting.revert(branch, found[step.b % len(found)].sha)

    def unrevert(self, step: Step) -> None:
        """The same of what is a revert itself."""
        branch = self.branch(step.a)
        if found := [one for one in self.commits(branch, undo=True) if one.subject.startswith(("Revert", "Reapply"))]:
            self.hosting.revert(branch, found[step.b % len(found)].sha)

    def revert_pull(self, step: Step) -> None:
        """The tracker's button; the revert is a pull request that can be reverted in turn."""
        if not self.pulls:
            return
        pull = self.hosting.landed(self.pulls[-1 - step.a % len(self.pulls)])
        there = {one.sha for one in self.commits(pull.base, undo=True)}
        said = (self.hosting.said(sha) for sha in self.history.reachable(self.history.branches[pull.base]))
        if not there.issuperset(pull.brought) or any(self.hosting.undone(pull.number) in text for text in said):
            return
        if made := self.hosting.undo(pull.number, step.b, step.c):
            self.pulls.append(made)

    def pick(self, step: Step) -> None:
        branch = self.branch(step.a)
        if found := self.commits(branch, elsewhere=True) if step.c % 4 else self.commits(branch):
            source = found[step.b % len(found)]
            if self._of_part(source) and source.changes[0].undone:
                return  # on another branch nothing tells what that takes out
            if not step.c % 2 and "everts" in self.hosting.said(source.sha) and "everts" not in source.message:
                return  # nor where a squash lost what it takes out, and the copy what it is one of
            sha = self.hosting.cherry_pick(branch, source.sha, bool(step.c % 2))
            if not self._of_part(source):  # which is not known for one by itself
                self._named(sha, copied=True)

    def _of_part(self, commit: Commit) -> bool:
        """Whether it is about one commit of a pull request that came commit by commit."""
        pulls = [self.hosting.landed(int(mend.pull[1:])) for mend in self.mends if mend.parts]
        parts = [self.history.commits[sha] for pull in pulls for sha in pull.own]
        return {one.id for one in commit.changes} in [{one.id for one in part.changes} for part in parts]

    def backport(self, step: Step) -> None:
        """A pull request that brings another's single commit to a further branch, and says so."""
        branch = self.branch(step.a)
        here = {one.sha for one in self.commits(branch, elsewhere=True)}
        single = [found for number in self.pulls if len((found := self.hosting.landed(number)).brought) == 1]
        found = [pull for pull in single if pull.sha in here]
        if not found:
            return
        pull = found[-1 - step.b % len(found)]
        head = f"backport-{len(self.history.commits)}"
        self.hosting.branch(head, branch)
        self.hosting.cherry_pick(head, pull.sha, bool(step.c % 2))
        title = f"{pull.title} (backport {self.hosting.sign}{pull.number})"
        method = 0 if len(self.history.commits[pull.sha].parents) > 1 else 2 * (step.c // 2)
        self._merge(self.hosting.propose(title, branch, head=head), method, step.b, copied=True)

    def join(self, step: Step) -> None:
        """One branch merged into another."""
        base, head = self.branch(step.a), self.branch(step.b)
        if self.history.between(self.history.branches[base], self.history.branches[head]):
            self.hosting.join(base, head)

    def push_back(self, step: Step) -> None:
        """Rarely, the last commits of a branch are thrown away."""
        branch = self.branch(step.a)
        tip = self.history.branches[branch]
        brought = [pull.brought for pull in map(self.hosting.landed, self.pulls) if tip in pull.brought]
        first = brought[0][0] if brought else tip  # never to the middle of a pull request
        parents = self.history.commits[first].parents
        if step.b == 0 and parents:
            self.hosting.push_back(branch, parents[0])

    def _named(self, sha: str, copied: bool = False) -> None:
        subject = self.history.commits[sha].subject
        self.mends.append(Mend(sha, subject, pull_of(subject), copied=copied))

    def _merge(self, number: int, method: int, how: int, copied: bool = False) -> None:
        found = self.hosting.merge(number, method, how)
        self.pulls.append(number)
        pull = f"{self.hosting.sign}{number}"
        if not copied or not found.parts:  # which is known by what it repeats
            self.mends.append(Mend(found.sha, found.title, pull, found.parts, merged=True, copied=copied))
