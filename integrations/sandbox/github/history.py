"""The commit graph of the GitHub stand-in: commits, branches and tags as git keeps them, without files. Pure."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Commit:
    sha: str
    parents: tuple[str, ...]
    message: str
    author: str  # a login
    at: datetime


@dataclass(frozen=True, slots=True)
class Comparison:
    """`ahead`: reachable from head and not from base, oldest first. `behind`: how many it is the other way round."""

    base: Commit
    merge_base: Commit
    ahead: list[Commit]
    behind: int

    @property
    def status(self) -> Literal["ahead", "behind", "diverged", "identical"]:
        if self.ahead and self.behind:
            return "diverged"
        if self.ahead:
            return "ahead"
        return "behind" if self.behind else "identical"


@dataclass(slots=True)
class History:
    """`commits` is in the order of writing, so parents always stand before their children."""

    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def write(self, parents: tuple[str, ...], message: str, author: str, at: datetime) -> Commit:
        """A new commit; two with the same content still differ, as they would by their files."""
        text = f"{len(self.commits)}\0{parents}\0{message}\0{author}\0{at.isoformat()}"
        sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        self.commits[sha] = Commit(sha, parents, message, author, at)
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
        if re.fullmatch(r"[0-9a-f]{4,40}", ref):
            found = [commit for sha, commit in self.commits.items() if sha.startswith(ref)]
            return found[0] if len(found) == 1 else None
        return None

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
        wanted = self.reachable(head) - self.reachable(base)
        return [commit for commit in self.commits.values() if commit.sha in wanted]

    def compare(self, base: str, head: str) -> Comparison | None:
        """How `head` stands to `base` (both shas); None when they share no ancestor."""
        shared = self.reachable(base) & self.reachable(head)
        common = [commit for commit in self.commits.values() if commit.sha in shared]
        if not common:
            return None
        behind = len(self.between(head, base))
        return Comparison(self.commits[base], common[-1], self.between(base, head), behind)

    def merge(self, base: str, head: str, method: str, message: str, author: str, at: datetime) -> list[Commit]:
        """Bring branch `head` into branch `base`; returns the commits that are new on `base`, oldest first.

        squash: one new commit · rebase: copies with new shas · merge: head's own commits and one with two parents.
        """
        tip = self.branches[base]
        own = self.between(tip, self.branches[head])
        if method == "squash":
            new = [self.write((tip,), message, author, at)]
        elif method == "rebase":
            new = []
            for commit in own:
                tip = self.write((tip,), commit.message, commit.author, at).sha
                new.append(self.commits[tip])
        else:
            new = [*own, self.write((tip, self.branches[head]), message, author, at)]
        if new:
            self.branches[base] = new[-1].sha
        return new
