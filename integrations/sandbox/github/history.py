"""The commit graph of the GitHub stand-in: commits, branches and tags as git keeps them, without files. Pure."""

from __future__ import annotations

import hashlib
import heapq
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from integrations.sandbox.github.patches import Change, Changes, combined, inverse

WEB = "web-flow"  # the account that commits what is merged by GitHub's own buttons
NOREPLY = "noreply@github.com"
REMEMBERED = 64  # comparisons


@dataclass(frozen=True, slots=True)
class Commit:
    """`author` and `authored` are kept by a copy; `committer` and `at` tell of the copying."""

    sha: str
    parents: tuple[str, ...]
    message: str
    author: str  # a login
    at: datetime  # when it was committed
    authored: datetime
    committer: str
    changes: Changes = ()

    @property
    def subject(self) -> str:
        return self.message.partition("\n")[0]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`ahead`: reachable from head and not from base, oldest first. `behind`: how many it is the other way round."""

    base: Commit
    head: Commit
    merge_base: Commit
    ahead: list[Commit]
    behind: int
    changes: Changes  # from the merge base to head

    @property
    def status(self) -> Literal["ahead", "behind", "diverged", "identical"]:
        if self.ahead and self.behind:
            return "diverged"
        if self.ahead:
            return "ahead"
        return "behind" if self.behind else "identical"


@dataclass(frozen=True, slots=True)
class TagObject:
    """An annotated tag."""

    sha: str
    name: str
    target: str  # the commit's sha
    message: str
    by: str
    at: datetime


@dataclass(slots=True)
class History:
    """`commits` is in the order of writing, so parents always stand before their children."""

    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    annotated: dict[str, TagObject] = field(default_factory=dict)  # of those tags that are objects of their own
    _position: dict[str, int] = field(default_factory=dict)  # in `commits`
    _compared: dict[tuple[str, str], Comparison | None] = field(default_factory=dict)

    def write(
        self,
        parents: tuple[str, ...],
        message: str,
        author: str,
        at: datetime,
        *,
        changes: Changes | None = None,
        authored: datetime | None = None,
        committer: str = "",
    ) -> Commit:
        """A new commit; two with the same content still differ, as they would by their files.

        `changes`: what it does to its first parent; by default one thing that no other commit does.
        """
        text = f"{len(self.commits)}\0{parents}\0{message}\0{author}\0{at.isoformat()}"
        sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        own = (Change(sha[:12]),) if changes is None else changes
        self._position[sha] = len(self.commits)
        self.commits[sha] = Commit(sha, parents, message, author, at, authored or at, committer or author, own)
        return self.commits[sha]

    def commit(self, branch: str, message: str, author: str, at: datetime) -> Commit:
        """A commit on top of `branch`, which is created when it does not exist (an orphan, as in a new repository)."""
        head = self.branches.get(branch)
        made = self.write((head,) if head else (), message, author, at)
        self.branches[branch] = made.sha
        return made

    def resolve(self, ref: str) -> Commit | None:
        """The commit that a branch, tag, `heads/…`, `tags/…`, full sha or unambiguous start of a sha names."""
        short = re.sub(r"^refs/", "", ref)
        for names, prefix in ((self.branches, "heads/"), (self.tags, "tags/")):
            sha = names.get(ref) or (names.get(short.removeprefix(prefix)) if short.startswith(prefix) else None)
            if sha:
                return self.commits[sha]
        if ref in self.commits:
            return self.commits[ref]
        if re.fullmatch(r"[0-9a-f]{4,39}", ref):
            found = [commit for sha, commit in self.commits.items() if sha.startswith(ref)]
            return found[0] if len(found) == 1 else None
        return None

    def peel(self, sha: str) -> Commit | None:
        """The commit that `sha` is, or that the annotated tag `sha` stands for."""
        found = self.commits.get(sha)
        if found is None:
            targets = (tag.target for tag in self.annotated.values() if tag.sha == sha)
            found = self.commits.get(next(targets, ""))
        return found

    def tip(self, tag: str) -> str:
        """What the ref of `tag` points to: its own object, or the commit."""
        return self.annotated[tag].sha if tag in self.annotated else self.tags[tag]

    def put_tag(self, name: str, commit: str, message: str | None, by: str, at: datetime) -> None:
        """Point tag `name` at `commit`; with a `message` it is annotated."""
        self.tags[name] = commit
        self.annotated.pop(name, None)
        if message is not None:
            text = f"tag\0{name}\0{commit}\0{message}\0{at.isoformat()}"
            sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
            self.annotated[name] = TagObject(sha, name, commit, message, by, at)

    def reachable(self, sha: str) -> set[str]:
        """`sha` and all its ancestors."""
        seen: set[str] = set()
        ahead = [sha]
        while ahead:
            here = ahead.pop()
            if here not in seen:
                seen.add(here)
                ahead.extend(self.commits[here].parents)
        return seen

    def log(self, sha: str) -> list[Commit]:
        """`sha` and all its ancestors, newest first."""
        within = self.reachable(sha)
        return [commit for commit in reversed(self.commits.values()) if commit.sha in within]

    def between(self, base: str, head: str) -> list[Commit]:
        """What is reachable from `head` and not from `base`, oldest first."""
        return self._sides(base, head)[1]

    def compare(self, base: str, head: str) -> Comparison | None:
        """How `head` stands to `base` (both shas); None when they share no ancestor. Remembered: it never changes."""
        if (base, head) not in self._compared:
            if len(self._compared) >= REMEMBERED:
                self._compared.clear()
            self._compared[base, head] = self._comparison(base, head)
        return self._compared[base, head]

    def _comparison(self, base: str, head: str) -> Comparison | None:
        behind, ahead, shared = self._sides(base, head)
        if shared is None:
            return None
        changes = combined(commit.changes for commit in ahead if len(commit.parents) < 2)
        return Comparison(self.commits[base], self.commits[head], self.commits[shared], ahead, len(behind), changes)

    def _sides(self, base: str, head: str) -> tuple[list[Commit], list[Commit], str | None]:
        """What base has alone, what head has alone (oldest first), and the newest commit that both have.

        Walks from both towards the oldest, and only to where all that is left is shared: a commit comes after all its
        descendants, so by then it is known which of the two it is reachable from.
        """
        base_only, head_only, both = 1, 2, 3
        sides = {base: both} if base == head else {base: base_only, head: head_only}
        waiting = [(-self._position[sha], sha) for sha in sides]
        heapq.heapify(waiting)
        alone = sum(side != both for side in sides.values())  # of those that wait
        found: dict[int, list[Commit]] = {base_only: [], head_only: [], both: []}
        while alone:
            commit = self.commits[heapq.heappop(waiting)[1]]
            side = sides[commit.sha]
            found[side].append(commit)
            alone -= side != both
            for parent in commit.parents:
                before = sides.get(parent, 0)
                after = sides[parent] = before | side
                alone += (after != both) - (before in (base_only, head_only))
                if not before:
                    heapq.heappush(waiting, (-self._position[parent], parent))
        shared = found[both][0].sha if found[both] else waiting[0][1] if waiting else None
        return found[base_only][::-1], found[head_only][::-1], shared

    def merge(
        self, base: str, head: str, method: str, message: str, author: str, at: datetime, committer: str = WEB
    ) -> list[Commit]:
        """Bring `head` (a sha) into branch `base`; returns the commits that are new on `base`, oldest first.

        squash: one new commit · rebase: copies with new shas · merge: head's own commits and one with two parents.
        """
        tip = self.branches[base]
        own = self.between(tip, head)
        if not own:
            return []
        single = [commit for commit in own if len(commit.parents) < 2]
        there = combined(commit.changes for commit in self.between(head, tip) if len(commit.parents) < 2)
        together = tuple(change for change in combined(one.changes for one in single) if change not in there)
        if method == "squash":
            new = [self.write((tip,), message, author, at, changes=together, committer=committer)]
        elif method == "rebase":
            new = []
            for commit in single:
                tip = self.copy(commit, tip, committer, at).sha
                new.append(self.commits[tip])
        else:
            merged = self.write((tip, head), message, author, at, changes=together, committer=committer)
            new = [*own, merged]
        if new:
            self.branches[base] = new[-1].sha
        return new

    def copy(self, commit: Commit, onto: str, committer: str, at: datetime, message: str = "") -> Commit:
        """The same change by the same author on top of `onto`, as cherry-picks and rebases make it."""
        return self.write(
            (onto,),
            message or commit.message,
            commit.author,
            at,
            changes=commit.changes,
            authored=commit.authored,
            committer=committer,
        )

    def undo(self, commit: Commit, onto: str, by: str, at: datetime) -> Commit:
        """What `git revert` writes on top of `onto`; of a merge, what it brought to its first parent is undone."""
        subject = commit.subject
        title = f'Revert "{subject}"'
        if subject.startswith('Revert "') and not subject.startswith('Revert "Revert "'):
            title = 'Reapply "' + subject.removeprefix('Revert "')
        words = f"This reverts commit {commit.sha}"
        if len(commit.parents) > 1:
            words += f", reversing\nchanges made to {commit.parents[0]}"
        return self.write((onto,), f"{title}\n\n{words}.", by, at, changes=inverse(commit.changes))
