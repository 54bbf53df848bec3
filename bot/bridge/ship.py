"""What follows when a look showed that fixes are out, or that they are not any more: the issue ships, or falls back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from bot import shipping
from bot.bridge import news
from bot.bridge.core import Bridge
from bot.configuration import Project
from bot.model import OWED, Happening, News, Stage
from bot.shipping import Head
from bot.store import queries
from bot.store.tables import UNDONE, Issue
from integrations.base import Fix

REVERTED, ROLLED_BACK, FAILED, DELETED, REOPENED = "reverted", "rolled_back", "failed", "deleted", "reopened"
"""Why what was out is out no more. `Issue.back` and the proof of such news hold it as `why`, with the `head` that
shows it, if one does."""


@dataclass(frozen=True, slots=True)
class Change:
    """How one issue was found to stand on one line (`key`): all of its fixes are out since `head`, or they are not."""

    issue: str
    shas: frozenset[str]  # of all its fixes that were known then
    key: str
    head: Head | None
    why: str = ""  # it is not out any more
    shown_by: Head | None = None
    copies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by a fix's sha, those that were found
    left_out: frozenset[str] = frozenset()  # shas: those of its fixes in whose place others are out


def fixes_of(issue: Issue) -> list[Fix]:
    return [shipping.from_record(record) for record in issue.fixes]


def by_repository(issue: Issue) -> dict[str, list[Fix]]:
    """An issue's fixes, by the repository in which their commits lie."""
    found: dict[str, tuple[str, list[Fix]]] = {}
    for fix in fixes_of(issue):
        name = fix.repository or issue.repository
        found.setdefault(name.casefold(), (name, []))[1].append(fix)
    return dict(found.values())


def counting(bridge: Bridge, issue: Issue, repository: str) -> Project | None:
    """The project that says what counts as shipped in a repository: the issue's own, or else the one that has it. None:
    the issue's project is no longer in the configuration, and no other has that repository."""
    projects = [one for one in bridge.settings.projects if one.tracker == issue.tracker]
    own = [one for one in projects if one.key == issue.project]
    there = [one for one in projects if one.repository.casefold() == repository.casefold()]
    return next(iter([one for one in own if one in there] or there or own), None)


def apply(bridge: Bridge, session: Session, issue_id: str, changes: Sequence[Change]) -> None:
    """Bring an issue in line with what was found. A look at other fixes than those known now is none."""
    issue = session.get_one(Issue, issue_id, with_for_update=True)
    looking = queries.effect(session, f"look:{issue.id}")
    if issue.stage is Stage.FIXED and looking is not None and looking.state in UNDONE:
        return  # the issue comes first, and asks for the proof again
    if issue.stage not in (Stage.FIXED, Stage.SHIPPED):
        return
    if any(change.shas != {fix.sha for fix in fixes_of(issue)} for change in changes):
        if issue.stage is Stage.FIXED:
            bridge.prove(session, issue)
        return
    before = (dict(issue.out), dict(issue.back))
    _note(issue, changes)
    out = _complete(bridge, issue)
    if issue.stage is Stage.FIXED and out:
        left_out = frozenset[str]().union(*(change.left_out for change in changes))
        issue.fixes = [record for record in issue.fixes if record["sha"] not in left_out]
        _ship(bridge, session, issue, out)
    elif issue.stage is Stage.SHIPPED and not out and before[0].keys() - issue.out.keys():
        take_back(bridge, session, issue, Happening.UNSHIPPED)
    elif before != (issue.out, issue.back):
        bridge.show(session, issue)


def _note(issue: Issue, changes: Iterable[Change]) -> None:
    out, fixes = dict(issue.out), {fix.sha: fix for fix in fixes_of(issue)}
    for change in changes:
        if change.head is not None:
            out[change.key] = shipping.head_record(change.head)
            left = [key for key in issue.back.get("keys", ()) if key != change.key]
            issue.back = {**issue.back, "keys": left} if left else {}
        else:
            out.pop(change.key, None)
            if change.why:
                keys = dict.fromkeys([*issue.back.get("keys", ()), change.key])
                issue.back = back(change.why, change.shown_by) | {"keys": list(keys)}
    copies = {sha: found for change in changes for sha, found in change.copies.items()}
    issue.out = out
    issue.fixes = [
        {**shipping.as_record(fix), **({"copies": list(copies[sha])} if copies.get(sha) else {})}
        for sha, fix in fixes.items()
    ]


def back(why: str, head: Head | None = None) -> dict[str, Any]:
    """Why something is not out any more, as a record."""
    return {"why": why, **({"head": shipping.head_record(head)} if head else {})}


def _complete(bridge: Bridge, issue: Issue) -> list[Head]:
    """The heads by which the issue counts as shipped, the latest last; [] while it does not."""
    heads: list[Head] = []
    for repository in by_repository(issue):
        project = counting(bridge, issue, repository)
        if project is None or not shipping.satisfied(project, repository, issue.out):
            return []
        keys = [shipping.key(repository, line) for line in shipping.lines(project)]
        heads += [shipping.head_from(issue.out[key]) for key in keys if key in issue.out]
    return sorted(heads, key=lambda head: (head.at is not None, head.at and head.at.timestamp()))


def _ship(bridge: Bridge, session: Session, issue: Issue, out: list[Head]) -> None:
    """It is proven: everybody on the issue hears it."""
    proof, issue.trouble = shipping.proof(fixes_of(issue), out), ""
    bridge.advance(session, issue, Happening.SHIPPED, proof=proof)
    _keep_current(bridge, session, issue)
    news.publish(bridge, session, issue, News.SHIPPED, _cause(issue, out[-1]), proof=proof)


def _keep_current(bridge: Bridge, session: Session, issue: Issue) -> None:
    """The card; and the customers' table where somebody has heard an end, as nobody else waits now who did not before:
    what ships or falls back together costs no calls to the tracker for each issue."""
    if any(row.state not in OWED for one in issue.escalations for row in one.write_backs):
        bridge.keep_current(session, issue)
    else:
        bridge.show(session, issue)


def vouched(bridge: Bridge, session: Session, issue: Issue, word: str, by: str, cause: str) -> bool:
    """Fixed without a commit: the proof is a Support Dev's word, with their name. False where it is settled."""
    devs = {dev.tracker.casefold(): dev.slack for dev in bridge.project(issue.project).support_devs}
    proof = {"word": word, "by": devs.get(by.casefold(), by)}
    bridge.advance(session, issue, Happening.FIXED, by)
    if not bridge.advance(session, issue, Happening.SHIPPED, proof=proof):
        return False
    issue.fixes, issue.said_fixes, issue.out, issue.back, issue.wanted = [], [], {}, {}, ""
    news.publish(bridge, session, issue, News.SHIPPED, cause, proof=proof, by=by)
    bridge.promise(
        session, "close", f"close:{issue.id}:{cause}", f"issue:{issue.id}", lane=bridge.lane(issue), issue=issue.id
    )
    bridge.keep_current(session, issue)
    return True


def _cause(issue: Issue, head: Head) -> str:
    """What the news of one release or deployment have in common, and what tells a second telling apart."""
    if head.line == shipping.RELEASES:
        return news.cause(issue, "release", issue.project, head.id)
    if head.line == shipping.BRANCH:
        return news.cause(issue, "merged", issue.fixes[-1]["sha"])
    return news.cause(issue, "deployment", issue.project, head.id)


def take_back(bridge: Bridge, session: Session, issue: Issue, happening: Happening) -> None:
    """What was told holds no more: it is held where nobody was written yet; who was, has to hear the truth."""
    told = [row for item in issue.news if item.stands and item.kind is News.SHIPPED for row in news.told(session, item)]
    if not bridge.advance(session, issue, happening, proof={"back": issue.back} if issue.back else None):
        return
    news.hold(bridge, session, issue)
    if told:
        news.correct(bridge, session, issue, told)
    _keep_current(bridge, session, issue)
