"""The code of a project and what ships by it, done the same way on each tracker's stand-in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from integrations.base import Fix
from integrations.sandbox.github.history import History
from integrations.sandbox.wire import Call

DEV = "leo-dev"
Config = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Landed:
    """A pull or merge request that was merged."""

    number: int
    title: str
    base: str
    sha: str  # what stands for it on its target branch
    at: datetime
    own: tuple[str, ...]  # its commits, as they came
    parts: tuple[str, ...]  # the commits of which all must be there, where it is not one alone
    brought: tuple[str, ...]  # what a revert of it takes back, and a reset of the branch throws away


@dataclass(frozen=True, slots=True)
class Out:
    """A release that is listed."""

    tag: str
    sha: str
    at: datetime


class Hosting(Protocol):
    """A project on a tracker, which people use. A method of merging is 0 (squash), 1 (merge) or 2 (rebase) modulo 3;
    `how` chooses among what the tracker has of it."""

    name: str
    repo: str
    sign: str

    @property
    def history(self) -> History: ...
    @property
    def url(self) -> str: ...
    @property
    def calls(self) -> list[Call]: ...
    def begin(self) -> None:
        """The project anew, with one commit and nothing else."""
        ...

    def no_limits(self) -> None: ...
    def said(self, sha: str) -> str:
        """All that is said of a commit: its message, and where that is not all, what merge requests say."""
        ...

    def told(self, sha: str) -> str:
        """What the adapter tells of that."""
        ...

    # --- code
    def branch(self, name: str, start: str = "main") -> None: ...
    def commit(self, branch: str, message: str) -> str: ...
    def revert(self, branch: str, sha: str) -> str: ...
    def cherry_pick(self, branch: str, sha: str, trailer: bool) -> str: ...
    def join(self, base: str, head: str) -> None: ...
    def push_back(self, branch: str, to: str) -> None: ...
    def propose(
        self, title: str, base: str = "main", commits: Sequence[str] = (), head: str = "", fixes: int = 0
    ) -> int: ...
    def merge(self, number: int, method: int = 0, how: int = 0) -> Landed: ...
    def landed(self, number: int) -> Landed: ...
    def undo(self, number: int, method: int, how: int) -> int:
        """The button that reverts, its request merged; the number of this, if it can be reverted in turn, else 0."""
        ...

    def undone(self, number: int) -> str:
        """What a message says that reverts this."""
        ...

    def fix(self, number: int) -> Fix:
        """What the adapter tells of it."""
        ...

    # --- issues
    def open_issue(self, title: str) -> int: ...
    def close(self) -> None: ...
    def reopen(self) -> None: ...
    def is_open(self) -> bool: ...
    def was_reopened(self) -> bool: ...
    def name_fix(self, reference: str) -> None:
        """A Support Dev names what fixes issue 1."""
        ...

    # --- what ships
    def release(self, tag: str, branch: str = "main") -> None: ...
    def withhold(self, tag: str, branch: str) -> None:
        """A release that does not count yet."""
        ...

    def publish(self, tag: str, branch: str) -> None:
        """One that was withheld, where the tracker lets it choose now: of that branch."""
        ...

    def pre_release(self, tag: str, branch: str) -> None: ...
    def withdraw(self, tag: str) -> None: ...
    def releases(self) -> list[Out]:
        """Those that count, in the order in which they came out."""
        ...

    def deploy(self, environment: str, ref: str = "main", *, failed: bool = False) -> int: ...
    def fail(self, deployment: int) -> None: ...
