"""What commits change, as the GitHub stand-in keeps it: a patch is made of changes, and a copy makes the same ones."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One hunk in a file of its own; `undone` takes it back."""

    id: str
    undone: bool = False

    def diff(self, sha: str) -> str:
        """As `git diff` shows it in commit `sha`: what stands around it differs from branch to branch, the hunk not."""
        place = int(sha[:4], 16) % 900 + 1
        was, now = (f"before {self.id}", f"after {self.id}")[:: -1 if self.undone else 1]
        path = f"src/{self.id}.txt"
        return (
            f"diff --git a/{path} b/{path}\nindex {_hash(sha, was)[:7]}..{_hash(sha, now)[:7]} 100644\n"
            f"--- a/{path}\n+++ b/{path}\n@@ -{place},3 +{place},3 @@ part {place // 100}\n"
            f" above {self.id}\n-{was}\n+{now}\n below {self.id}\n"
        )


Changes = tuple[Change, ...]


def combined(parts: Iterable[Changes]) -> Changes:
    """What all of them change together: what is done and then undone is no change."""
    found: dict[str, Change] = {}
    for change in (change for part in parts for change in part):
        before = found.pop(change.id, None)
        if before is None or before.undone == change.undone:
            found[change.id] = change
    return tuple(sorted(found.values()))


def inverse(changes: Changes) -> Changes:
    return tuple(replace(change, undone=not change.undone) for change in changes)


def diff(changes: Changes, sha: str) -> str:
    return "".join(change.diff(sha) for change in changes)


def _hash(*parts: str) -> str:
    return hashlib.sha1("\0".join(parts).encode(), usedforsecurity=False).hexdigest()
