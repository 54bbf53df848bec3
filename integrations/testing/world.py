"""What the contract suite of trackers needs of the other side: people who work there, and the wire."""

from __future__ import annotations

from typing import Literal, Protocol

from integrations.base import Tracker

Trouble = Literal["refused", "failed", "failed after", "dropped", "dropped after", "limited"]


class World(Protocol):
    """The people's side of a tracker: one repository, private and empty, in which our account may write.

    `somebody` may write there and be assigned, and is not the account of ours; `stranger` may not be assigned.
    """

    repo: str
    somebody: str
    stranger: str

    def open_issue(self, by: str, title: str, body: str = "") -> int: ...

    def body(self, number: int) -> str:
        """The issue's text as it is stored."""
        ...

    def comment(self, by: str, number: int, text: str) -> None: ...

    def close(self, number: int, reason: Literal["completed", "not_planned"]) -> None: ...

    def propose_fix(self, number: int) -> str:
        """Open a pull request that will close the issue; returns what a person would call it, e.g. "#12"."""
        ...

    def merge(self, reference: str) -> str:
        """Merge it; returns the sha that stands for it on the default branch."""
        ...

    def commit(self) -> str:
        """Push a commit that has nothing to do with any issue; returns its sha."""
        ...

    def publish_release(self, tag: str, draft: bool = False) -> None: ...

    def switch_issues_off(self) -> None: ...

    def trouble(self, kind: Trouble) -> None:
        """What happens to the next write, once: `after` means that the work is done first; limited: for 7 seconds."""
        ...

    def trouble_reading(self, times: int) -> None:
        """The next so many reads are answered with a 502."""
        ...

    def writes(self) -> int:
        """How many writes have reached the wire, whatever became of them."""
        ...

    def reads(self) -> list[int | None]:
        """The statuses of the reads that have reached the wire."""
        ...

    def with_wrong_token(self) -> Tracker: ...

    def without_secret(self) -> Tracker: ...

    def unreachable(self) -> Tracker:
        """An adapter whose address nobody listens on."""
        ...

    def delivery(self, of: Literal["issue", "comment", "release"]) -> tuple[dict[str, str], bytes]:
        """Headers and body of a webhook request as the service sends and signs it, about `repo` (and its issue 1)."""
        ...
