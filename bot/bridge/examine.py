"""Looking at what is new on a project's lines: which fixes that wait came out, and which that were out are not now.

One look costs what is new, not what waits: a list of heads, and a comparison of each new one with the one before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from bot import shipping
from bot.bridge import ship
from bot.bridge.core import Bridge
from bot.bridge.judge import Judge, verdict
from bot.bridge.prove import RELEASES_AT_ONCE, resolved, standing
from bot.bridge.ship import Change
from bot.changes import Graph, State
from bot.configuration import Project
from bot.shipping import Head
from bot.store import queries
from bot.store.tables import EffectState, Issue, KnownHead
from integrations.base import Fix, IssueTouched, NotFound, Rejected, Release, Tracker, Unauthorised, Unavailable, Watch

TAG_LAG = timedelta(minutes=10)
"""How long a tracker may know a release and not its tag: its replicas lag."""


@dataclass(slots=True)
class Candidate:
    """An issue whose fixes lie, in part at least, in one repository. `out`: where they are out, as far as we know."""

    id: str
    fixes: list[Fix]  # those in this repository
    shas: frozenset[str]  # of all its fixes
    said: frozenset[str]  # of those that a Support Dev named
    out: dict[str, Head]
    back: bool  # it was taken back once
    back_by: str  # the head's id that showed so, if one did
    place: tuple[str, str, int]  # the issue's project, repository and number


@dataclass(slots=True)
class Examined:
    """What a look at a project's lines showed."""

    heads: dict[str, list[Head]] = field(default_factory=dict)  # by place: all that are known from here on
    changes: dict[str, list[Change]] = field(default_factory=dict)  # by issue
    waiting: set[str] = field(default_factory=set)  # the issues that were considered
    unheard: set[str] = field(default_factory=set)  # those that changed in the tracker, so they are looked at first
    more: bool = False


def examine(bridge: Bridge, project_key: str) -> Examined:
    """Look at each line of a project, in each repository where a fix lies that it counts."""
    project = bridge.project(project_key)
    with bridge.store.read() as session:
        found = _candidates(bridge, session, project)
        known: dict[str, list[KnownHead]] = {}
        for row in queries.known_heads(session, project.key):
            known.setdefault(row.place, []).append(row)
        watches = {row.project: row.state for row in queries.watches(session, "issues")}
    tracker = bridge.trackers[project.tracker]
    examined = Examined(waiting={one.id for some in found.values() for one in some})
    for repository, candidates in found.items():
        look = _Look(tracker, project, repository, candidates, examined, bridge.clock.now())
        try:
            for line in shipping.lines(project):
                place = shipping.key(repository, line)
                look.line(line, place, [_head(line, row) for row in known.get(place, ())])
        except (NotFound, Rejected, Unauthorised):  # one that we may not see must not hold up the project's own
            if repository.casefold() == project.repository.casefold():
                raise
            examined.waiting -= {one.id for one in candidates}  # each is asked for by itself, and its card says why
    _unheard(bridge, tracker, found, watches, examined)
    return examined


def _head(line: str, row: KnownHead) -> Head:
    return Head(line, row.ident, row.name, row.sha, row.url, row.at, row.prerelease)


def _candidates(bridge: Bridge, session: Session, project: Project) -> dict[str, list[Candidate]]:
    """The issues that wait or shipped lately, by the repositories that this project counts for them; its own is always
    among these."""
    found: dict[str, tuple[str, list[Candidate]]] = {project.repository.casefold(): (project.repository, [])}
    for issue in bridge.counted(session, project.tracker):
        for repository, fixes in ship.by_repository(issue).items():
            if ship.counting(bridge, issue, repository) == project:
                spelt = found.setdefault(repository.casefold(), (repository, []))
                spelt[1].append(_candidate(issue, fixes))
    return dict(found.values())


def _candidate(issue: Issue, fixes: list[Fix]) -> Candidate:
    out = {key: shipping.head_from(record) for key, record in issue.out.items()}
    shas = frozenset(fix.sha for fix in ship.fixes_of(issue))
    by = str((issue.back.get("head") or {}).get("id", ""))
    place = (issue.project, issue.repository, issue.number or 0)
    said = frozenset(record["sha"] for record in issue.said_fixes)
    return Candidate(issue.id, fixes, shas, said, out, bool(issue.back), by, place)


class _Look:
    """A look at one repository; what it finds goes to `examined`."""

    def __init__(
        self,
        tracker: Tracker,
        project: Project,
        repository: str,
        candidates: list[Candidate],
        examined: Examined,
        now: datetime,
    ) -> None:
        self._tracker = tracker
        self._now = now
        self._project = project
        self._repository = repository
        self._candidates = candidates
        self._examined = examined
        self._judge = Judge(tracker, repository)

    def line(self, line: str, place: str, known: list[Head]) -> None:
        if line == shipping.RELEASES:
            self._releases(place, known)
        else:
            self._standing(line, place, known[-1] if known else None)

    # --- releases -------------------------------------------------------------------------------------------------

    def _releases(self, place: str, known: list[Head]) -> None:
        told = self._tracker.releases(self._repository, self._project.bare_tags)
        listed = shipping.eligible(told, self._project)
        shas = {head.id: head.sha for head in known}
        heads = {one.id: shipping.released(one, one.sha or shas.get(one.id, "")) for one in listed}
        new = self._new(listed, known)
        left = {release.id for release, _ in new[RELEASES_AT_ONCE:]}
        late = set()
        for release, before in new[:RELEASES_AT_ONCE]:
            head = self._resolve(heads, release)
            base = self._resolve(heads, before) if before else None
            if head is not None:
                self._compare(head, base.sha if base else "", place)
                continue
            late.add(release.id)
            if release.published_at and release.published_at > self._now - TAG_LAG:
                raise Unavailable(self._project.tracker, f"it does not know the tag of {release.tag} yet")
        oldest = told[-1].published_at if len(told) >= 100 else None  # what is older may only have left the list
        outs = [one.out[place] for one in self._candidates if place in one.out]  # maybe proven before this look
        there = {one.id for one in told if not one.prerelease}  # maybe not counted any more, which deletes nothing
        early = {one.id for one in told if one.prerelease}
        gone = {
            head.id
            for head in [*known, *outs]
            if head.id not in heads
            and head.id not in there
            and not (head.id in early and head.prerelease)
            and (oldest is None or (head.at and head.at >= oldest))
        }
        self._deleted(gone, place, [heads[one.id] for one in reversed(listed)])
        self._examined.more = self._examined.more or bool(left and len(late) < RELEASES_AT_ONCE)
        self._examined.heads[place] = [head for id, head in heads.items() if id not in left | late] + [
            head for head in known if head.id not in heads and head.id not in gone
        ]

    def _new(self, listed: Sequence[Release], known: Iterable[Head]) -> list[tuple[Release, Release | None]]:
        """The releases to look into, oldest first, each with the one before it; [] when nothing can come of it."""
        seen = {(head.id, head.sha) for head in known}
        ids = {id for id, _ in seen}
        fixes = [fix for one in self._candidates for fix in one.fixes]
        matter = {one.id for one in shipping.after(listed, fixes, len(listed))} if fixes else set()
        return [
            (release, before)
            for release, before in zip(listed, [None, *listed], strict=False)
            if release.id in matter
            and (release.id not in ids or (release.sha and not seen & {(release.id, ""), (release.id, release.sha)}))
        ]

    def _resolve(self, heads: dict[str, Head], release: Release) -> Head | None:
        """The release's head with its sha, asked for when it is needed; None: its tag is gone."""
        head = heads[release.id]
        if not head.sha:
            sha = resolved(self._tracker, self._repository, f"tags/{release.tag}")
            heads[release.id] = head = shipping.released(release, sha)
        return head if head.sha else None

    def _deleted(self, gone: set[str], place: str, left: Sequence[Head]) -> None:
        """Releases were deleted: what only they contained is out no more, and what only they took out is out again.
        `left`: the others, newest first."""
        orphans = [one for one in self._candidates if (one.out[place].id if place in one.out else one.back_by) in gone]
        for head in left[:RELEASES_AT_ONCE] if orphans else ():
            sha = head.sha or resolved(self._tracker, self._repository, f"tags/{head.name}")
            states = self._states(sha, "", orphans) if sha else {}
            verdicts = [(one, *verdict(one.fixes, states, one.said)) for one in orphans]
            for one, state, left_out in verdicts:
                if state is State.IN:
                    self._change(one, place, replace(head, sha=sha), left_out=left_out)
                elif state is State.REVERTED:
                    self._change(one, place, None, ship.REVERTED, head)
            orphans = [one for one, state, _ in verdicts if state not in (State.IN, State.REVERTED)]
        for one in orphans:
            if place in one.out:
                self._change(one, place, None, ship.DELETED, one.out[place])

    # --- branches and environments ----------------------------------------------------------------------------------

    def _standing(self, line: str, place: str, old: Head | None) -> None:
        """A new head took the place of the old one: what came, and what went."""
        new = standing(self._tracker, self._repository, line)
        if new is None and line == shipping.BRANCH:  # empty, or just renamed: nothing can be told
            return
        self._examined.heads[place] = [new] if new else []
        there = [one for one in self._candidates if place in one.out]
        newer = {one.id for one in there if new and old and _missed(one.out[place], old, new)}
        if new is None or (old is not None and old.sha == new.sha and not newer):
            for one in self._candidates if new is None else ():
                if place in one.out:
                    self._change(one, place, None, ship.FAILED, one.out[place])
            return
        lost: Graph | None = None
        if old and there:
            lost = self._judge.lost(old.sha, new.sha)
        gone = {
            one.id for one in there if lost is None or any(lost.state(fix) is not State.ABSENT for fix in one.fixes)
        }
        self._compare(new, old.sha if old else "", place, gone | newer)

    # --- what both do -------------------------------------------------------------------------------------------------

    def _compare(self, head: Head, base: str, place: str, doubted: Iterable[str] = ()) -> None:
        """Tell of each issue what the head shows that is new; `doubted` are out, and may not be any more."""
        doubt = {*doubted, *(one.id for one in self._candidates if one.back and place not in one.out)}
        states = self._states(head.sha, base, self._candidates, doubt)
        for one in self._candidates:
            state, left_out = verdict(one.fixes, states, one.said)
            if state is State.IN and place not in one.out:
                self._change(one, place, head, left_out=left_out)
            elif state is State.REVERTED:
                self._change(one, place, None, ship.REVERTED, head)
            elif place in one.out and one.id in doubt and state is State.ABSENT:
                self._change(one, place, None, ship.ROLLED_BACK, head)
            elif state is State.UNKNOWN and place not in one.out:
                self._examined.waiting.discard(one.id)  # it is asked for by itself, more than once

    def _states(
        self, head: str, base: str, candidates: Iterable[Candidate], doubted: Iterable[str] = ()
    ) -> Mapping[str, State]:
        try:
            return self._judge.states(head, base, {one.id: one.fixes for one in candidates}, set(doubted))
        except NotFound:  # a head that the tracker does not know contains nothing
            return {}

    def _change(
        self,
        one: Candidate,
        place: str,
        head: Head | None,
        why: str = "",
        by: Head | None = None,
        left_out: frozenset[str] = frozenset(),
    ) -> None:
        copies = {fix.sha: self._judge.fixes[fix.sha].copies for fix in one.fixes if fix.sha in self._judge.fixes}
        head = self._judge.with_copies(head, one.fixes) if head else None
        self._examined.changes.setdefault(one.id, []).append(
            Change(one.id, one.shas, place, head, why, by, copies if head else {}, left_out)
        )
        if head is None:
            one.out.pop(place, None)
        else:
            one.out[place] = head
        one.back = one.back or head is None


def _missed(out: Head, old: Head, new: Head) -> bool:
    """Whether something was out by a head that came and went between two looks."""
    return out.at is not None and old.at is not None and out.at > old.at and out.sha != new.sha


def _unheard(
    bridge: Bridge,
    tracker: Tracker,
    found: Mapping[str, Sequence[Candidate]],
    watches: Mapping[str, Mapping[str, str]],
    examined: Examined,
) -> None:
    """Which of the issues that are about to ship changed since the last poll: one request for each repository of
    issues, however many ship."""
    shipping_now = {id for id, changes in examined.changes.items() if any(change.head for change in changes)}
    ready = [one for some in found.values() for one in some if one.id in shipping_now]
    for key, repository in {one.place[:2] for one in ready}:
        here = [one for one in ready if one.place[:2] == (key, repository)]
        try:
            events, _ = tracker.poll(repository, "issues", Watch(watches.get(key, {})))
        except (NotFound, Rejected, Unauthorised):  # each is looked at by itself, and its card says why it cannot be
            examined.unheard |= {one.id for one in here}
            continue
        touched = {event.number for event in events if isinstance(event, IssueTouched)}
        examined.unheard |= {one.id for one in here if one.place[2] in touched}


def apply(bridge: Bridge, session: Session, project_key: str, examined: Examined) -> None:
    """Record what is known now, and settle each issue; one that was fixed while we looked gets a look of its own."""
    _remember(session, project_key, examined.heads)
    for issue_id, changes in examined.changes.items():
        if issue_id in examined.unheard:
            bridge.look_at(session, session.get_one(Issue, issue_id))
        else:
            ship.apply(bridge, session, issue_id, changes)
    project = bridge.project(project_key)
    for issue in queries.fixed(session, project.tracker):
        effect = queries.effect(session, f"prove:{issue.id}")
        dead = effect is not None and effect.state is EffectState.DEAD
        counted = any(ship.counting(bridge, issue, name) == project for name in ship.by_repository(issue))
        if counted and (issue.id not in examined.waiting or dead):
            bridge.prove(session, issue)
    if examined.more:
        bridge.examine(session, project)


def _remember(session: Session, project: str, heads: Mapping[str, Sequence[Head]]) -> None:
    for place, found in heads.items():
        rows = {row.ident: row for row in queries.known_heads(session, project) if row.place == place}
        for head in found:
            row = rows.pop(head.id, None)
            if row is None:
                row = KnownHead(project=project, place=place, ident=head.id)
                session.add(row)
            row.name, row.sha, row.url, row.at, row.prerelease = head.name, head.sha, head.url, head.at, head.prerelease
        for row in rows.values():
            session.delete(row)
