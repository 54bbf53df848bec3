"""What the contract suite of trackers needs of the other side: people who work there, and the wire."""

from __future__ import annotations

from datetime import date
from typing import Literal, Protocol

from integrations.base import Place, Tracker

Kind = Literal["issue", "comment", "edit", "fix", "release", "tag", "branch", "deployment"]
Trouble = Literal["refused", "failed", "failed after", "dropped", "dropped after", "limited"]


class World(Protocol):
    """The people's side of a tracker: one repository, private and empty, in which our account may write.

    `somebody` may write there and be assigned, and is not the account of ours; `stranger` may not be assigned.
    `known_type` is a type of issues there that is not the default.
    """

    repo: str
    somebody: str
    stranger: str
    known_type: str

    def open_issue(self, by: str, title: str, body: str = "") -> int: ...

    def body(self, number: int) -> str:
        """The issue's text as it is stored."""
        ...

    def shown(self, number: int) -> str:
        """The issue's text and its comments, one under another."""
        ...

    def due(self, number: int) -> date | None: ...

    def type(self, number: int) -> str:
        """The issue's type, "" where it has none."""
        ...

    def comment(self, by: str, number: int, text: str) -> None: ...

    def close(self, number: int, reason: Literal["completed", "not_planned"]) -> None: ...

    def reopen(self, number: int) -> None: ...

    def lock(self, number: int) -> None:
        """Only few may comment on it from now on."""
        ...

    def move_issue(self, number: int) -> Place:
        """Move the issue to another repository; returns where it is then."""
        ...

    def delete_issue(self, number: int) -> None: ...

    def close_as_duplicate(self, number: int, of: int) -> None: ...

    def propose_fix(self, number: int, to: str = "") -> str:
        """Open a pull request that says it closes the issue, to the default branch or to `to`.

        Returns what a person would call it, e.g. "#12".
        """
        ...

    def propose_backport(self, reference: str, to: str) -> str:
        """Open a pull request to branch `to` that says it is a backport of that one, and names no issue."""
        ...

    def propose_mention(self, number: int) -> str:
        """Open a pull request that mentions the issue and fixes it not."""
        ...

    def merge(self, reference: str) -> str:
        """Merge it; returns the sha that stands for it on its target branch."""
        ...

    def commit(self, branch: str = "") -> str:
        """Push a commit that has nothing to do with any issue (to the default branch); returns its sha."""
        ...

    def branch(self, name: str) -> None:
        """A new branch at the default branch's tip."""
        ...

    def cherry_pick(self, sha: str, branch: str) -> str:
        """The same change on another branch, pushed, without a word of where it came from; returns its sha."""
        ...

    def tag(self, name: str) -> None:
        """A tag without a release at the default branch's tip."""
        ...

    def publish_release(self, tag: str, draft: bool = False) -> None: ...

    def deploy(self, environment: str, ref: str, succeeded: bool = True) -> str:
        """Begin to deploy a sha, and succeed unless told; returns the deployment's id."""
        ...

    def deployment_ends(self, deployment: str, state: Literal["success", "failure"]) -> None:
        """A deployment comes to this now, whatever it came to before."""
        ...

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

    def delivery(self, of: Kind) -> tuple[dict[str, str], bytes]:
        """Headers and body of a webhook request as the service sends and signs it, about `repo` (and its issue 1).

        edit: a comment on issue 1 was edited · fix: a pull request that names issue 1 was merged ·
        deployment: to `production`.
        """
        ...
