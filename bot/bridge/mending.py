"""What is known to fix an issue: found in the tracker, or named by a Support Dev."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from bot import shipping
from bot.bridge import news, noting
from bot.bridge.core import Bridge
from bot.model import Happening, Stage
from bot.store.tables import Issue
from integrations.base import Fix


def named(bridge: Bridge, session: Session, issue: Issue, fixes: Iterable[Fix], by: str) -> None:
    """A Support Dev names fixes, beside those named before."""
    issue.said_fixes = [*issue.said_fixes, *map(shipping.as_record, fixes)]
    fixed(bridge, session, issue, [*map(shipping.from_record, issue.said_fixes)], by)


def fixed(bridge: Bridge, session: Session, issue: Issue, fixes: list[Fix], by: str = "") -> None:
    distinct = list({fix.sha: fix for fix in _outermost(list(fixes))}.values())
    if issue.stage is Stage.DECLINED:
        news.hold(bridge, session, issue)
    if bridge.advance(session, issue, Happening.FIXED, by, shipping.proof(distinct)):
        noting.want(bridge, session, issue)
    if issue.stage is Stage.FIXED:
        if {fix.sha for fix in distinct} != {record["sha"] for record in issue.fixes}:
            issue.out, issue.back = {}, {}
        issue.fixes, issue.wanted = [shipping.as_record(_known(issue, fix)) for fix in distinct], ""


def _outermost(fixes: Sequence[Fix]) -> list[Fix]:
    """Without those that another one carries: their branch was squashed into the next, and they lie nowhere else."""
    carried = {(fix.repository, sha) for fix in fixes for sha in fix.carried if sha != fix.sha}
    return [replace(fix, carried=()) for fix in fixes if (fix.repository, fix.sha) not in carried]


def _known(issue: Issue, fix: Fix) -> Fix:
    """The fix, with the copies of it that we have found ourselves."""
    found = [one["copies"] for one in issue.fixes if one["sha"] == fix.sha and "copies" in one]
    return replace(fix, copies=tuple(dict.fromkeys([*fix.copies, *(found[0] if found else ())])))
