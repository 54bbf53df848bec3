"""How fixes stand in the heads of one repository, found out in few questions to its tracker.

What a head has that the one before had not tells of all fixes that wait: one comparison, however many they are. What
that leaves open (a fix that came in earlier, half of one, a revert of something older) is asked by one more comparison,
from the oldest of the fixes in question.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from bot.changes import Graph, State
from bot.shipping import Head
from integrations.base import Commit, Fix, NotFound, Range, Tracker

PATCHES = 20
"""How many commits of the same title are compared by their patch in one go."""

MERGES = 10
"""Of how many reverted merges in one range it is asked what they brought."""

ALONE = 50
"""How many fixes are asked for one by one in one go: those of which nobody tells when they were merged."""


def verdict(fixes: Iterable[Fix], states: Mapping[str, State], said: Collection[str]) -> tuple[State, frozenset[str]]:
    """How an issue stands, and which of its fixes that leaves out: what was replaced, and what cannot be told where a
    Support Dev named (`said`: shas) what carries it now.

    IN: all others are. REVERTED: one of them is. UNKNOWN: of one it cannot be told. ABSENT: else.
    """
    found = {fix.sha: states.get(fix.sha, State.ABSENT) for fix in fixes}
    named = not found.keys().isdisjoint(said)
    out = {
        sha
        for sha, state in found.items()
        if state is State.REPLACED or (state is State.UNKNOWN and named and sha not in said)
    }
    left = {state for sha, state in found.items() if sha not in out}
    if left == {State.IN}:
        return State.IN, frozenset(out)
    return next((one for one in (State.REVERTED, State.UNKNOWN) if one in left), State.ABSENT), frozenset(out)


class Judge:
    """Answers for one look; what it learns of copies is kept in `fixes`, by their shas."""

    def __init__(self, tracker: Tracker, repository: str) -> None:
        self._tracker = tracker
        self._repository = repository
        self._patches = PATCHES
        self._ranges: dict[tuple[str, str], Range | None] = {}
        self.fixes: dict[str, Fix] = {}
        self._copy: dict[str, str] = {}

    def with_copies(self, head: Head, fixes: Iterable[Fix]) -> Head:
        """`head`, just looked into, with the commits that it has instead of these fixes."""
        found = {fix.sha: self._copy.get(fix.sha, "") for fix in fixes}
        return replace(head, copies={sha: copy for sha, copy in found.items() if copy})

    def states(
        self, head: str, base: str, waiting: Mapping[str, Sequence[Fix]], doubted: Collection[str] = ()
    ) -> dict[str, State]:
        """How each fix stands in `head`, by its sha; with `base` (a sha, or ""), all that came in after it at least.
        Raises NotFound when the tracker does not know `head`.

        `waiting`: fixes by issue. `doubted`: the issues of which it is not enough that nothing came in.
        """
        found = self._states(head, base, waiting, doubted)
        for some in waiting.values():
            others = [self.fixes[fix.sha] for fix in some if found[fix.sha] is State.IN]
            for fix in some:
                if others and found[fix.sha] is State.REVERTED and self._made_again(fix, others, head):
                    found[fix.sha] = State.REPLACED
        return found

    def _states(
        self, head: str, base: str, waiting: Mapping[str, Sequence[Fix]], doubted: Collection[str]
    ) -> dict[str, State]:
        graph = self._since(base, head) if base else None
        fixes = {fix.sha: self.fixes.setdefault(fix.sha, fix) for some in waiting.values() for fix in some}
        found = {sha: graph.state(fix) if graph else State.ABSENT for sha, fix in fixes.items()}
        open_: set[str] = set()  # asked for further back, where only what is still absent has its patch compared
        for issue, some in waiting.items():
            absent = [fix.sha for fix in some if found[fix.sha] is State.ABSENT]
            if issue in doubted or len(absent) < len(some):
                open_.update(absent)
        if graph is None:
            return found | self._each(list(fixes.values()), head)
        found |= {sha: self._state(graph, fix) for sha, fix in fixes.items() if sha not in open_}
        for some in waiting.values():
            absent = [fix.sha for fix in some if found[fix.sha] is State.ABSENT]
            part = len(absent) < len(some)
            open_.update(sha for sha in absent if part or graph.concerns(self.fixes[sha]))
        open_.update(sha for sha, state in found.items() if state is State.REVERTED)  # a copy of before may have stayed
        return found | self._each([self.fixes[sha] for sha in open_], head)

    def early(self, fix: Fix, head: str) -> bool:
        """Whether `head` has all that a merge brought, and not the merge: its branch was out before it was merged."""
        if not fix.parts or fix.sha in fix.parts:
            return False
        tip = replace(fix, sha=fix.parts[-1])
        since = self._range(tip.sha, head)
        if since is None or not (since.whole and since.holds_base):
            return False
        missing = self._range(head, fix.sha)
        whole = missing and missing.whole and {commit.sha for commit in missing.commits}.isdisjoint(fix.parts)
        return bool(whole) and self._graph(since.commits, [tip]).state(tip) is State.IN

    def lost(self, old: str, new: str) -> Graph | None:
        """What the head `old` has and `new`, which took its place, has not; None: that cannot be told."""
        forward = self._range(old, new)
        return Graph(self._repository, ()) if forward and forward.holds_base else self._since(new, old)

    def _since(self, base: str, head: str) -> Graph | None:
        found = self._range(base, head)
        return self._graph(found.commits) if found and found.whole else None

    def _graph(self, commits: Iterable[Commit], rooted: Iterable[Fix] = ()) -> Graph:
        """The graph; what a reverted merge had brought is asked for, as its own commits may lie before all of these."""
        graph = Graph(self._repository, commits, rooted)
        for merge, parent in graph.merges_reverted()[:MERGES]:
            if found := self._range(parent, merge):
                graph.brought(merge, found.commits)
        return graph

    def _range(self, base: str, head: str) -> Range | None:
        """What `head` has and `base` has not; None: one of them is gone. Asked once."""
        if (base, head) not in self._ranges:
            try:
                self._ranges[base, head] = self._tracker.between(self._repository, base, head)
            except NotFound:
                self._ranges[base, head] = None
        return self._ranges[base, head]

    def _made_again(self, fix: Fix, others: Sequence[Fix], head: str) -> bool:
        found = self._range(fix.sha, head)
        return bool(
            found
            and found.whole
            and self._graph(found.commits, [fix] if found.holds_base else []).made_again(self.fixes[fix.sha], others)
        )

    def _each(self, fixes: Sequence[Fix], head: str) -> dict[str, State]:
        """How these stand in `head`, wherever they came in."""
        dated = sorted(
            (fix for fix in fixes if fix.merged_at), key=lambda fix: (fix.merged_at or 0, fix.pull or 0, fix.sha)
        )
        undated = [fix for fix in fixes if not fix.merged_at]
        found: dict[str, State] = {}
        for fix in undated[:ALONE]:
            found |= self._from(fix, [fix], head)
        for _ in range(ALONE):
            if not dated:
                break
            first, *others = dated
            found |= self._from(first, dated, head)
            unknown = [fix for fix in others if found.get(fix.sha, State.UNKNOWN) is State.UNKNOWN]
            # A fix that was merged later cannot come before the first one; of those of the same second one may.
            ties = [fix for fix in others if fix.merged_at == first.merged_at and found.get(fix.sha) is State.ABSENT]
            dated = [*self._left(first, ties, head, outside=found.get(first.sha) is State.ABSENT), *unknown]
        return found | {fix.sha: State.UNKNOWN for fix in [*undated[ALONE:], *dated]}

    def _left(self, first: Fix, ties: Sequence[Fix], head: str, *, outside: bool) -> list[Fix]:
        """Those of `ties` that may lead to `head`, in an order as good as drawn by lot: the next one halves them.
        `outside`: `first` does not lead there, nor does then what it leads from and `head` has not."""
        left = self._there(ties, head)
        if left and outside and self._there([first], head):
            self._range(head, first.sha)
            left = self._there(left, head)
        return sorted(left, key=lambda fix: fix.sha)

    def _there(self, fixes: Sequence[Fix], head: str) -> list[Fix]:
        """Without those that are known to lie outside of what leads to `head`."""
        outside = {
            commit.sha
            for (base, _), found in self._ranges.items()
            if base == head and found
            for commit in found.commits
        }
        return [fix for fix in fixes if fix.sha not in outside]

    def _from(self, first: Fix, fixes: Iterable[Fix], head: str) -> dict[str, State]:
        """How `fixes`, none of which came before `first`, stand in `head`."""
        found = self._range(first.sha, head)
        if found is None:
            self._tracker.resolve(self._repository, head)  # NotFound: it is the head that is gone
        if found is None or not found.whole:
            return {first.sha: State.UNKNOWN}
        graph = self._graph(found.commits, [first] if found.holds_base else [])
        return {fix.sha: self._state(graph, fix) for fix in fixes}

    def _state(self, graph: Graph, fix: Fix) -> State:
        """The state in a graph; a commit with the fix's title is looked into where that may make a difference: when the
        fix is not there, or something was reverted."""
        state = graph.state(fix)
        if not fix.parts and (state is not State.IN or graph.reverts):
            for sha in graph.look_alikes(fix):
                if self._patches <= 0:
                    return State.UNKNOWN if state is State.ABSENT else state
                self._patches -= 1
                if self._tracker.same_change(self._repository, fix.sha, sha):
                    self.fixes[fix.sha] = fix = replace(fix, copies=(*fix.copies, sha))
                    state = graph.state(fix)
        if state is State.IN:
            self._copy[fix.sha] = graph.instead(fix)
        if state is not State.ABSENT:
            copies = dict.fromkeys([*fix.copies, *sorted(graph.copies(fix))])
            self.fixes[fix.sha] = replace(fix, copies=tuple(copies))
        return state
