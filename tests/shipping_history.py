"""Random histories: steps as hypothesis draws them, taken in a repository of the GitHub stand-in as far as they can be.

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
from integrations.sandbox.github.hub import Hub
from tests.shipping_model import Mend, files, pull_of

REPO = "acme/shop"
DEV = "leo-dev"
BRANCHES = ("main", "1.x", "2.x")
METHODS: tuple[Any, ...] = ("squash", "merge", "rebase")

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
    """A repository in which steps are taken. `mends`: all that may fix something, with the branch it was made on."""

    def __init__(self, hub: Hub, clock: FakeClock) -> None:
        self.hub, self.clock = hub, clock
        repo = hub.find(REPO)
        assert repo is not None
        self.repo = repo
        self.pulls: list[int] = []
        self.mends: list[Mend] = []
        for name in ("1.x", "2.x"):
            hub.branch(REPO, name, "main")

    @property
    def history(self) -> History:
        return self.repo.history

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
            done = "".join(self.history.commits[sha].message for sha in there)
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
        number = self.hub.open_pull(REPO, DEV, f"Change {len(self.pulls)}", "", self.branch(step.a), commits=words)
        if link:
            self.hub.link_pull(REPO, number, link)
        self._merge(number, step.b)

    def commit(self, step: Step) -> None:
        sha = self.hub.commit(REPO, self.branch(step.a), f"Commit {len(self.history.commits)}")
        self._named(sha)

    def revert(self, step: Step) -> None:
        """`git revert` of one of a branch's newest commits."""
        branch = self.branch(step.a)
        if found := self.commits(branch, undo=True):
            self.hub.revert(REPO, branch, found[step.b % len(found)].sha)

    def unrevert(self, step: Step) -> None:
        """The same of what is a revert itself."""
        branch = self.branch(step.a)
        if found := [one for one in self.commits(branch, undo=True) if one.subject.startswith(("Revert", "Reapply"))]:
            self.hub.revert(REPO, branch, found[step.b % len(found)].sha)

    def revert_pull(self, step: Step) -> None:
        """GitHub's button; the revert is a pull request that can be reverted in turn."""
        if not self.pulls:
            return
        number = self.pulls[-1 - step.a % len(self.pulls)]
        pull = self.repo.issues[number].pull
        assert pull is not None
        there = {one.sha for one in self.commits(pull.base, undo=True)}
        said = (self.history.commits[sha].message for sha in self.history.reachable(self.history.branches[pull.base]))
        if not there.issuperset(pull.brought) or any(f"Reverts {REPO}#{number}" in message for message in said):
            return
        self.hub.revert_pull(REPO, number, DEV, METHODS[step.b % 3])
        made = max(self.repo.issues)
        if METHODS[step.b % 3] != "rebase":  # nothing names a pull request that was rebased, so nobody can revert it
            self.pulls.append(made)

    def pick(self, step: Step) -> None:
        branch = self.branch(step.a)
        if found := self.commits(branch, elsewhere=True) if step.c % 4 else self.commits(branch):
            source = found[step.b % len(found)]
            if self._of_part(source) and source.changes[0].undone:
                return  # on another branch nothing tells what that takes out
            sha = self.hub.cherry_pick(REPO, branch, source.sha, trailer=bool(step.c % 2))
            if not self._of_part(source):  # which is not known for one by itself
                self._named(sha, copied=True)

    def _of_part(self, commit: Commit) -> bool:
        """Whether it is about one commit of a pull request that came commit by commit."""
        pulls = [self.repo.issues[int(mend.pull[1:])].pull for mend in self.mends if mend.parts]
        parts = [self.history.commits[sha] for pull in pulls if pull for sha in pull.commits]
        return {one.id for one in commit.changes} in [{one.id for one in part.changes} for part in parts]

    def backport(self, step: Step) -> None:
        """A pull request that brings another's single commit to a further branch, and says so."""
        branch = self.branch(step.a)
        here = {one.sha for one in self.commits(branch, elsewhere=True)}
        single = [n for n in self.pulls if len(self.repo.issues[n].pull.brought) == 1]  # type: ignore[union-attr]
        found = [number for number in single if self.repo.issues[number].pull.merge_sha in here]  # type: ignore[union-attr]
        if not found:
            return
        number = found[-1 - step.b % len(found)]
        pull = self.repo.issues[number].pull
        assert pull is not None
        head = f"backport-{len(self.history.commits)}"
        self.hub.branch(REPO, head, branch)
        self.hub.cherry_pick(REPO, head, str(pull.merge_sha), trailer=bool(step.c % 2))
        title = f"{self.repo.issues[number].title} (backport #{number})"
        method = 0 if len(self.history.commits[str(pull.merge_sha)].parents) > 1 else 2 * (step.c // 2)
        self._merge(self.hub.open_pull(REPO, DEV, title, "", branch, head=head), method, copied=True)

    def join(self, step: Step) -> None:
        """One branch merged into another."""
        base, head = self.branch(step.a), self.branch(step.b)
        if self.history.between(self.history.branches[base], self.history.branches[head]):
            self.hub.merge_branch(REPO, base, head)

    def push_back(self, step: Step) -> None:
        """Rarely, the last commits of a branch are thrown away."""
        branch = self.branch(step.a)
        tip = self.history.branches[branch]
        brought = [pull.brought for one in self.repo.issues.values() if (pull := one.pull) and tip in pull.brought]
        first = brought[0][0] if brought else tip  # never to the middle of a pull request
        parents = self.history.commits[first].parents
        if step.b == 0 and parents:
            self.hub.force_push(REPO, branch, parents[0])

    def _named(self, sha: str, copied: bool = False) -> None:
        commit = self.history.commits[sha]
        self.mends.append(Mend(sha, commit.subject, pull_of(commit), copied=copied))

    def _merge(self, number: int, method: int, copied: bool = False) -> None:
        sha = self.hub.merge_pull(REPO, number, DEV, METHODS[method % 3])
        pull = self.repo.issues[number].pull
        assert pull is not None
        self.pulls.append(number)
        parts = tuple(pull.commits) if method % 3 == 1 else tuple(pull.brought) if len(pull.brought) > 1 else ()
        self.mends.append(Mend(sha, self.repo.issues[number].title, f"#{number}", parts, merged=True, copied=copied))
