"""A second opinion on what a head contains: what `docs/shipping.md` says, over the whole history, with plain sets.

It shares nothing with the bot: it sees all commits at once, knows what each one does to the files, and starts anew for
every head. Slow, short, and to be read beside that page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from integrations.sandbox.github.history import Commit, History

IN, REVERTED, ABSENT = "in", "reverted", "absent"

_REVERTS = re.compile(r"This reverts commit ([0-9a-f]{40})")
_REVERTS_PULL = re.compile(r"^(?:Reverts acme/shop|This reverts merge request )([#!]\d+)", re.MULTILINE)
_QUOTED = re.compile(r'^Revert "(.*)"')
_PICKED = re.compile(r"\(cherry picked from commit ([0-9a-f]{40})\)")
_PORTED = re.compile(r"\(backport ([#!]\d+)\)")
_PULL = re.compile(r"^Merge pull request (#\d+) |\((#\d+)\)$")
_MERGE = re.compile(r"^See merge request acme/apps/shop(!\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Mend:
    """What fixes an issue: a commit, or a merged pull request (`pull`: "#5", on GitLab "!5"), maybe of several commits
    (`parts`)."""

    sha: str
    title: str
    pull: str = ""
    parts: tuple[str, ...] = ()
    merged: bool = False  # it is known as a pull request, and when it was merged
    copied: bool = False  # from another branch


class Model:
    """All that is known of a history now; `said`: all that is said of a commit, by default its message."""

    def __init__(self, history: History, said: Callable[[str], str] | None = None) -> None:
        said = said or (lambda sha: history.commits[sha].message)
        self.commits = dict(history.commits)
        self.before: dict[str, set[str]] = {}
        for sha, commit in self.commits.items():  # parents stand before their children
            self.before[sha] = {sha}.union(*(self.before[parent] for parent in commit.parents))
        self.copies: dict[str, set[str]] = {}  # by what they repeat
        self.takes: dict[str, set[str]] = {}  # by the revert
        self.alike: dict[tuple[object, ...], set[str]] = {}  # by title and patch
        for sha, commit in self.commits.items():
            subject, message = commit.subject, said(sha)
            for name in {*_PICKED.findall(message), *_ported(message)}:
                self.copies.setdefault(name, set()).add(sha)
            named = {*_REVERTS.findall(message), *_REVERTS_PULL.findall(message)}
            if named:
                self.takes[sha] = named.union(*map(_ported, _QUOTED.findall(subject)))
            if commit.changes:
                self.alike.setdefault((_title(subject), commit.changes), set()).add(sha)
        self.pulls: dict[str, set[str]] = {}  # the commits that stand for a pull request
        for sha in self.commits:
            if name := pull_of(said(sha)):
                self.pulls.setdefault(name, set()).add(sha)

    def together(self, head: str, mends: Sequence[Mend]) -> str:
        """Whether `head` contains all that mends an issue; what was taken back does not count where another one came
        after that."""
        states = {mend: self.state(head, mend) for mend in mends}
        there = [mend for mend, state in states.items() if state == IN and not mend.title.startswith("Revert")]
        left = {
            state
            for mend, state in states.items()
            if state != REVERTED or not any(self._after(head, one, mend) for one in there)
        }
        return IN if left == {IN} else REVERTED if REVERTED in left else ABSENT

    def _after(self, head: str, one: Mend, mend: Mend) -> bool:
        here, (_, kin) = self.before[head], self._names(mend)
        against = self._against(kin, self._standing(here))
        return any(set(against) <= self.before[sha] for sha in self._names(one)[0] & here)

    def _names(self, mend: Mend) -> tuple[set[str], set[str]]:
        """What makes the whole change, and all that makes it or a part of it."""
        alike = set() if mend.parts else self.alike.get((_title(mend.title), self.commits[mend.sha].changes), set())
        whole = self._makers({mend.sha, *filter(None, [mend.pull])} | alike)
        parts = [self._makers({part}) for part in mend.parts]
        return whole, self._kin(whole.union(*parts) | set(_ported(mend.title)))

    def state(self, head: str, mend: Mend) -> str:
        """Whether `head` contains it."""
        here = self.before[head]
        standing = self._standing(here)
        alike = set() if mend.parts else self.alike.get((_title(mend.title), self.commits[mend.sha].changes), set())
        last = {mend.sha} & set(mend.parts)  # who repeats this alone repeats the end of it, not the whole
        names = {mend.sha, *filter(None, [mend.pull])} | (alike - self.before[mend.sha])  # not what it came from
        whole = last | self._makers(names - last) - (self.before[mend.sha] - {mend.sha})
        parts = [self._makers({part}) for part in mend.parts]
        everything = whole.union(*parts)
        said = set(_ported(mend.title))
        kin = self._kin(everything | alike | said)
        if self._alive(here, whole, kin, standing):
            return IN
        if parts and all(self._alive(here, part, self._kin(whole | part | said), standing) for part in parts):
            return IN
        return REVERTED if everything & here and self._against(kin, standing) else ABSENT

    def _standing(self, here: set[str]) -> set[str]:
        """The reverts that hold, found from the newest to the oldest: only a later one takes one out."""
        standing: set[str] = set()
        for sha in [sha for sha in reversed(self.commits) if sha in here and sha in self.takes]:
            if self._alive(here, {sha}, self._kin({sha}, pulls=False), standing):
                standing.add(sha)
        return standing

    def _alive(self, here: set[str], makers: Iterable[str], change: set[str], standing: set[str]) -> bool:
        """Whether one of `makers` is there and no standing revert of the change comes after it."""
        against = self._against(change, standing)
        return any(
            sha in here and not any(sha in self.before[revert] - {revert} for revert in against) for sha in makers
        )

    def _against(self, change: set[str], standing: set[str]) -> list[str]:
        return [revert for revert in standing if self._takes(revert) & change]

    def _makers(self, names: set[str]) -> set[str]:
        """Those, and all that say that they repeat one of them."""
        found: set[str] = set()
        new = list(names)
        while new:
            name = new.pop()
            found.add(name)
            new += self.copies.get(name, set()) - found
        return found

    def _takes(self, revert: str) -> set[str]:
        """What a revert takes out: what it names, and all that a merge among this brought."""
        found = set(self.takes[revert])
        found = found.union(*(self.pulls.get(name, set()) for name in found))
        for commit in [self.commits[name] for name in found if name in self.commits]:
            if len(commit.parents) > 1:
                found |= self.before[commit.sha] - self.before[commit.parents[0]]
        return found

    def _kin(self, names: set[str], pulls: bool = True) -> set[str]:
        """All that makes the same change, whichever repeats which; `pulls`: what stands for the same pull request."""
        found: set[str] = set()
        more = set(names)
        while more - found:
            found |= more
            more = self._makers(found) | {name for name, copies in self.copies.items() if copies & found}
            if pulls:
                more |= {name for name, shas in self.pulls.items() if shas & found}
                more = more.union(*(self.pulls.get(name, set()) for name in found))
        return found


def files(history: History, sha: str) -> set[str]:
    """What the files hold at a commit: the ids of the changes that are done and not undone."""
    chain: list[Commit] = []
    while sha:
        chain.append(history.commits[sha])
        sha = next(iter(chain[-1].parents), "")
    held: set[str] = set()
    for change in (change for commit in reversed(chain) for change in commit.changes):
        (held.discard if change.undone else held.add)(change.id)
    return held


def _ported(text: str) -> list[str]:
    """The pull requests that a message says it brings to another branch; a quoted title says nothing."""
    return _PORTED.findall(re.sub(r'^(?:Revert|Reapply) ".*"', "", text, flags=re.MULTILINE))


def _title(subject: str) -> str:
    return re.sub(r"( \((backport )?[#!]\d+\))+$", "", subject)


def pull_of(message: str) -> str:
    """What GitHub puts into the subject of a squash or a merge, and GitLab at the end of a merge's message; it stands
    at the end of a "Reapply" by chance."""
    subject = message.partition("\n")[0]
    found = None if subject.startswith("Reapply") else _PULL.search(subject)
    if found:
        return found[1] or found[2]
    named = _MERGE.search(message)
    return named[1] if named else ""
