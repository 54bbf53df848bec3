"""Proving that a fix is out, one issue at a time: looked for when a fix is found, or what was known changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from bot import shipping
from bot.bridge import ship
from bot.bridge.core import Bridge
from bot.bridge.judge import Judge, verdict
from bot.bridge.ship import Change
from bot.changes import State
from bot.configuration import Project
from bot.model import Stage
from bot.shipping import Head
from bot.store import queries
from bot.store.tables import Issue
from integrations.base import Fix, Issue as TrackerIssue, NotFound, Rejected, Tracker

RELEASES_AT_ONCE = 20
"""How many releases are looked into in one go, so that it ends well within a lease."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look for one issue's proof showed. `unheard`: the issue itself changed, so it is looked at first."""

    changes: tuple[Change, ...] = ()
    unheard: bool = False
    known: Mapping[str, str] = field(default_factory=dict)  # the heads that were examined when the look began


def prove(bridge: Bridge, issue_id: str) -> Verdict:
    """Look on every line that counts whether it holds all fixes of an issue. Raises NotFound, with the fix's sha, when
    nothing can be told of one: the tracker does not know it, or too many commits lie after it."""
    with bridge.store.read() as session:
        issue = session.get_one(Issue, issue_id)
        known = {(row.place, row.ident): row.sha for row in queries.known_heads(session, issue.project)}
        heads = queries.standing_heads(session)
    if issue.stage is not Stage.FIXED or not issue.fixes:
        return Verdict()
    tracker = bridge.tracker(issue)
    if _unheard(issue, tracker.issue(issue.repository, issue.number or 0)):
        return Verdict(unheard=True)
    shas = frozenset(fix.sha for fix in ship.fixes_of(issue))
    changes: list[Change] = []
    for repository, fixes in ship.by_repository(issue).items():
        project = ship.counting(bridge, issue, repository) or bridge.project(issue.project)
        said = frozenset(record["sha"] for record in issue.said_fixes)
        look = _Look(tracker, repository, project, fixes, said, known)
        for line in shipping.lines(look.project):
            head, shown_by = look.on(line)
            why = ship.REVERTED if shown_by else ""
            copies = {fix.sha: fix.copies for fix in look.judge.fixes.values()}
            key, left_out = shipping.key(repository, line), frozenset(look.left_out)
            changes.append(Change(issue.id, shas, key, head, why, shown_by, copies, left_out))
        if look.unknown:
            raise NotFound(issue.tracker, look.unknown)
    return Verdict(tuple(changes), known=heads)


class _Look:
    """A look at the lines of one repository, for the fixes that lie there."""

    def __init__(
        self,
        tracker: Tracker,
        repository: str,
        project: Project,
        fixes: Sequence[Fix],
        said: frozenset[str],
        known: dict[tuple[str, str], str],
    ) -> None:
        self.project = project
        self.judge = Judge(tracker, repository)
        self.unknown = ""
        self.left_out: set[str] = set()
        self._said = said
        self._tracker = tracker
        self._repository = repository
        self._fixes = fixes
        self._known = known

    def on(self, line: str) -> tuple[Head | None, Head | None]:
        """The head by which the fixes are out on a line, if they are; and the one that shows them reverted."""
        out: Head | None = None
        back: Head | None = None
        for head in self._heads(line):
            try:
                states = self.judge.states(head.sha, "", {"": self._fixes})
            except NotFound:  # a head that is gone contains nothing
                continue
            for fix in self._fixes:
                if states[fix.sha] is State.ABSENT and self.judge.early(fix, head.sha):
                    states[fix.sha] = State.IN
            state, left_out = verdict(self._fixes, states, self._said)
            if state is State.REVERTED:
                out, back = None, head
            elif state is State.IN:
                out, back = out or self.judge.with_copies(head, self._fixes), None
                self.left_out |= left_out
            untold = (sha for sha, one in states.items() if one is State.UNKNOWN and sha not in left_out)
            self.unknown = next(untold, self.unknown)
        return out, back

    def _heads(self, line: str) -> list[Head]:
        try:
            if line == shipping.RELEASES:
                return releases(self._tracker, self.project, self._repository, self._fixes, self._known)
            head = standing(self._tracker, self._repository, line)
        except NotFound as missing:  # the issue is there, so its card must not say that it is gone
            raise Rejected(missing.service, f"it shows us no repository {self._repository}") from missing
        return [head] if head else []


def releases(
    tracker: Tracker, project: Project, repository: str, fixes: Sequence[Fix], known: dict[tuple[str, str], str]
) -> list[Head]:
    """The releases that may contain all of `fixes`, oldest first."""
    listed = shipping.eligible(tracker.releases(repository, project.bare_tags), project)
    dated = [fix for fix in fixes if fix.merged_at]
    last = [max(dated, key=lambda fix: fix.merged_at or 0)] if len(dated) == len(fixes) else fixes
    place = shipping.key(repository, shipping.RELEASES)
    heads = []
    for release in shipping.after(listed, last, RELEASES_AT_ONCE):
        sha = release.sha or known.get((place, release.id)) or resolved(tracker, repository, f"tags/{release.tag}")
        if sha:
            heads.append(shipping.released(release, sha))
    return heads


def standing(tracker: Tracker, repository: str, line: str) -> Head | None:
    """What a branch or an environment holds now. Raises NotFound when we see no such repository: that is no answer."""
    if line == shipping.BRANCH:
        branch = tracker.repository(repository).default_branch
        sha = resolved(tracker, repository, f"heads/{branch}")
        return Head(line, sha, branch, sha) if sha else None
    deployment = tracker.deployed(repository, shipping.environment_of(line))
    return shipping.deployed(deployment) if deployment else None


def resolved(tracker: Tracker, repository: str, ref: str) -> str:
    """The sha of a ref; "" when it is gone."""
    try:
        return tracker.resolve(repository, ref)
    except NotFound:
        return ""


def _unheard(issue: Issue, facts: TrackerIssue) -> bool:
    """Whether the tracker shows the issue otherwise than we know it: reopened, or closed for another reason."""
    if facts.open:
        return issue.closed_seen
    return not issue.closed_seen or (facts.reason != "completed" and not issue.said_fixes)


def apply(bridge: Bridge, session: Session, issue_id: str, verdict: Verdict) -> None:
    """Settle what a look for one issue's proof showed."""
    now = queries.standing_heads(session)
    if verdict.unheard:
        bridge.look_at(session, session.get_one(Issue, issue_id))
    elif any(verdict.known.get(one.key) != now.get(one.key) for one in verdict.changes):
        bridge.prove(session, session.get_one(Issue, issue_id))  # something else was out before this look ended
    elif verdict.changes:
        ship.apply(bridge, session, issue_id, verdict.changes)
