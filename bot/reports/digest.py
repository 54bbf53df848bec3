"""The numbers behind a digest, over the store's rows. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.store.figures import OpenIssue

SHOWN = 5
"""How many issues a digest names under each heading."""


@dataclass(frozen=True, slots=True)
class Digest:
    """What is unresolved; each tuple best first."""

    new: tuple[OpenIssue, ...]
    new_count: int
    oldest: tuple[OpenIssue, ...]
    most_waiting: tuple[OpenIssue, ...]
    due: tuple[tuple[str, int], ...]  # agents by Slack id, write-backs due


def digest(issues: Sequence[OpenIssue], due: Sequence[tuple[str, int]], since: datetime) -> Digest:
    """The digest of `issues`, oldest first; `new` is what was flagged since then, latest first."""
    new = [issue for issue in reversed(issues) if issue.created_at >= since]
    several = [issue for issue in issues if issue.waiting > 1]
    most = sorted(several, key=lambda issue: -issue.waiting)
    return Digest(tuple(new[:SHOWN]), len(new), tuple(issues[:SHOWN]), tuple(most[:SHOWN]), tuple(due))
