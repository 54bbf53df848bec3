"""Which changes a head of code has, and has not lost again: pure over commits that a tracker lists.

A change is there when a commit that makes it is an ancestor of the head. A copy on another branch makes it too: a
cherry-pick or a backport that says so, or a commit with the same patch. It is lost when a commit that reverts it comes
after it, unless that revert was reverted in turn. What messages say follows `git cherry-pick -x` and `git revert`
("git-cherry-pick", "git-revert") and the pages of the trackers that write such messages themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum

from integrations.base import Commit, Fix


class State(StrEnum):
    """How a fix stands in a head."""

    IN = "in"
    REVERTED = "reverted"  # it came in and was taken out again
    REPLACED = "replaced"  # the same, and another fix of the same issue came after that
    ABSENT = "absent"
    UNKNOWN = "unknown"  # it cannot be told: a commit is gone, or too many lie between


_SHA = r"[0-9a-f]{7,40}"
_BEFORE = r"(?:\[[^]\n]{0,60}\]\s{0,4}){0,4}(?:\w{1,20}(?:\([^)\n]{0,60}\))?!?:\s{0,4})?"  # "[hotfix] fix(shop): "
_THIS_REVERTS = r"(?:This (?:(?:PR|pull request|merge request|commit|change) )?)?reverts"  # begins a line
_REVERTS = re.compile(  # git's own sentence, not advice: "if it breaks, revert commit …"
    rf"(?:\b[Tt]his (?:commit )?reverts|^[ \t]*Revert(?:s|ing)?)\s{{1,4}}commits?\s{{1,4}}"
    rf"({_SHA}(?:(?:,|\s+and|,\s+and)\s+{_SHA})*)",
    re.MULTILINE,
)
_REVERTS_PULL = re.compile(
    rf"^[ \t]*{_THIS_REVERTS} (?:merge request |pull request |PR )?(\S*)([#!])(\d+)", re.IGNORECASE | re.MULTILINE
)
_REVERTS_BY_TITLE = re.compile(  # in somebody's own words: "Revert #12: the basket is empty", "Reverts 3f2a91c"
    rf"(?:Merge pull request [^\n]{{1,300}}\n\n)?{_BEFORE}revert(?:s|ed|ing)?:?[ \t]{{1,4}}"
    r"(?:(?:PR|pull request|merge request|commit)[ \t]{1,4})?"
    rf"(?:(?P<sha>{_SHA})\b|(?P<where>[\w./-]{{0,200}})(?P<sign>[#!])(?P<number>\d{{1,9}})\b)",
    re.IGNORECASE,
)
_REVERT = re.compile(rf"{_BEFORE}revert", re.IGNORECASE)
_PICKED = re.compile(rf"\(cherry picked from commit ({_SHA})\)", re.IGNORECASE)
_PICKS_END = re.compile(rf"(?:{_PICKED.pattern}\s*)+\Z", re.IGNORECASE)
_PORT = r"(?:back-?port|cherry-?\s?pick)(?:ed|s|ing)?(?:\s+(?:of|from|for))?(?:\s+(?:PR|pull request|merge request))?"
_PORTS = re.compile(  # what follows the number must not go on as a sentence: "Backport #12 was postponed"
    rf"(?:^(?:\[[^\]\n]*\][ \t]*)*|\(){_PORT}:?\s+(\S*)([#!/])(\d+)\b"
    r"(?=[ \t]*(?:$|[][:;,.()-]|(?:in|on)?to\b|on\b|from\b))",
    re.IGNORECASE | re.MULTILINE,
)
_REVERTS_MERGE = re.compile(r"This reverts commit ([0-9a-f]{40}), reversing\s+changes made to ([0-9a-f]{40})")
_QUOTED = re.compile(r'^(?:Revert|Reapply) "(.*)"', re.MULTILINE)
_STANDS_FOR = re.compile(r"^Merge pull request #(\d+) |\(#(\d+)\)\s*$|See merge request \S*!(\d+)")


def pull_name(number: int, sign: str = "#") -> str:
    """How a pull request is named among shas; `sign` is "!" for a merge request, where "#" names issues."""
    return f"{sign}{number}"


def sign_of(url: str) -> str:
    """The sign that goes before the number of the pull or merge request at that address."""
    return "!" if "/merge_requests/" in url else "#"


def taken_back(message: str, repository: str = "") -> set[str]:
    """What a message says that it reverts: shas, maybe short, and pull requests of this repository."""
    named = {sha.lower() for found in _REVERTS.finditer(message) for sha in re.findall(_SHA, found[1], re.IGNORECASE)}
    if titled := _REVERTS_BY_TITLE.match(message):
        by_number = _near([(titled["where"], titled["sign"], titled["number"])] if titled["number"] else [], repository)
        named |= {titled["sha"].lower()} if titled["sha"] else by_number
    return named | _pulls(_REVERTS_PULL, message, repository)


def copied(message: str, repository: str = "") -> set[str]:
    """What a message says that it repeats: shas, maybe short, and pull requests of this repository."""
    picked = {found[1].lower() for found in _PICKED.finditer(message)}
    return picked | _pulls(_PORTS, _QUOTED.sub("", message), repository)  # a revert of a backport is none


def repeated_alone(message: str) -> set[str]:
    """The one commit that a cherry-pick repeats, by all names that it had on its way; none for several in one."""
    at_the_end = _PICKS_END.search(message)
    found = {sha.lower() for sha in _PICKED.findall(at_the_end[0])} if at_the_end else set()
    return found if len(_PICKED.findall(message)) == len(found) else set()


def _pulls(pattern: re.Pattern[str], message: str, repository: str) -> set[str]:
    """The pull requests that are named without a repository, or with this one's name or address."""
    return _near([(match[1], match[2], match[3]) for match in pattern.finditer(message)], repository)


def _near(found: Iterable[tuple[str, str, str]], repository: str) -> set[str]:
    here = repository.casefold()
    near = ("", here, here.rpartition("/")[2])
    return {
        pull_name(int(number), sign_of(f"{where}/") if sign == "/" else sign)
        for where, sign, number in found
        if where.casefold() in near
        or (here and re.search(rf"/{re.escape(here)}/(?:pull|-/merge_requests)$", where.casefold()))
    }


def pull_of(message: str) -> str:
    """The pull request that a commit stands for by its message, as among shas; "" for none."""
    if message.startswith('Reapply "'):  # what follows is of the revert that it takes back
        return ""
    found = _STANDS_FOR.search(message.partition("\n")[0]) or _STANDS_FOR.search(message)
    if found is None:
        return ""
    return pull_name(int(found[3]), "!") if found[3] else pull_name(int(found[1] or found[2]))


def subject(text: str) -> str:
    """A message's first line without the numbers that a squash or a backport puts behind it, to compare titles."""
    return re.sub(r"(\s*\((?:[\w -]+ )?[#!]\d+\))+$", "", text.partition("\n")[0].strip()[:500]).casefold()


def _title_reverted(message: str) -> str:
    """The title of what is reverted, to compare: a "Reapply" is of a "Revert"."""
    found = _QUOTED.match(message)
    return "" if found is None else subject(f'Revert "{found[1]}"' if message.startswith("Reapply") else found[1])


def _root(fix: Fix) -> list[Commit]:
    """A fix that is there, with all its parts; of their messages no more is known than its title."""
    parts = [sha for sha in fix.parts if sha != fix.sha]
    return [Commit(fix.sha, tuple(parts), fix.title), *(Commit(sha, (), "") for sha in parts)]


class Graph:
    """The commits of a repository between two points, with what their messages say of one another.

    `rooted` are fixes that are known to be there, before all others of the graph that lead to them.
    """

    def __init__(self, repository: str, commits: Iterable[Commit], rooted: Iterable[Fix] = ()) -> None:
        self._repository = repository
        self.commits: Mapping[str, Commit] = {commit.sha: commit for commit in commits} | {
            commit.sha: commit for fix in rooted for commit in _root(fix)
        }
        self._copies: dict[str, list[str]] = {}
        self._origins: dict[str, set[str]] = {}
        self._short: list[tuple[str, str]] = []
        self._stands_for: dict[str, set[str]] = {}
        self._reverts: dict[str, set[str]] = {}
        self._subjects: dict[str, list[str]] = {}
        self._ancestors: dict[str, frozenset[str]] = {}
        self._holds: dict[str, bool] = {}
        for commit in self.commits.values():
            self._read(commit)
        self._older = any(map(self._takes_back_older, self._reverts))
        self._targets = {sha: self._meant(named) for sha, named in self._reverts.items()}

    def _read(self, commit: Commit) -> None:
        self._origins[commit.sha] = copied(commit.message, self._repository)
        for name in self._origins[commit.sha]:
            self._copies.setdefault(name, []).append(commit.sha)
            if name[:1] not in ("#", "!") and len(name) < 40:
                self._short.append((name, commit.sha))
        back = taken_back(commit.message, self._repository)
        quoted = _QUOTED.match(commit.message)
        if quoted and commit.message.startswith("Revert"):  # its title tells what that stood for, or repeated
            back |= {pull_of(quoted[1]), *copied(quoted[1], self._repository)} - {""}
        if back:
            self._reverts[commit.sha] = back
        if pull := pull_of(commit.message):
            self._stands_for.setdefault(pull, set()).add(commit.sha)
        self._subjects.setdefault(subject(commit.message), []).append(commit.sha)

    def merges_reverted(self) -> list[tuple[str, str]]:
        """The merges that are reverted here, each with the parent that the revert went back to, as git names both."""
        found = (_REVERTS_MERGE.search(self.commits[sha].message) for sha in self._reverts)
        return [(merge[1], merge[2]) for merge in found if merge]

    def brought(self, merge: str, commits: Sequence[Commit]) -> None:
        """Tell what a merge brought: reverting it takes all of that out, wherever the merge itself stands."""
        for sha, named in self._reverts.items():
            if merge in named:
                for commit in commits:
                    self._targets[sha] |= {commit.sha, *copied(commit.message, self._repository)}
                    self._older = self._older or bool(taken_back(commit.message, self._repository))

    @property
    def reverts(self) -> bool:
        """Whether anything was reverted here."""
        return bool(self._reverts)

    def state(self, fix: Fix) -> State:
        """How a fix stands, as far as these commits show; ABSENT also when it came in before them."""
        whole, parts = self._whole(fix), [self._and_copies({part}) for part in fix.parts]
        family = whole.union(*parts)
        said = copied(fix.title, self._repository)
        if any(self._alive(sha, self._kin(family | said)) for sha in whole):
            return State.IN
        if parts and all(any(self._alive(sha, self._kin(whole | part | said)) for sha in part) for part in parts):
            return State.IN
        return State.REVERTED if self._here(family) and self._against(family | said) else State.ABSENT

    def made_again(self, fix: Fix, others: Iterable[Fix]) -> bool:
        """Whether one of `others`, which are here, came after all that takes `fix` back, or with it; what has the title
        of a revert brings nothing else."""
        family = self._whole(fix).union(*(self._and_copies({part}) for part in fix.parts))
        kin = self._kin(family | copied(fix.title, self._repository))
        back = {sha for sha in self._reverts if self._names(sha, kin) and self._stands(sha)}
        anew = [sha for one in others if not _REVERT.match(one.title) for sha in self._whole(one)]
        return bool(back) and any(back <= self._before(sha) for sha in anew if sha in self.commits)

    def concerns(self, fix: Fix) -> bool:
        """Whether anything here is about the fix: a part of it, or a revert that holds and names it or a copy; or that
        takes back an older revert, of whatever that was; or something older, where a copy of one part is not known."""
        family = self._whole(fix).union(*(self._and_copies({part}) for part in fix.parts))
        said = copied(fix.title, self._repository)
        if self._here(family) or self._against(family | said) or self._older:
            return True
        return bool(fix.parts) and not set().union(*self._reverts.values()) <= self.commits.keys()

    def _takes_back_older(self, revert: str) -> bool:
        title = _title_reverted(self.commits[revert].message)
        return title.startswith(('revert "', 'reapply "')) and not self._reverts[revert] <= self.commits.keys()

    def _here(self, family: set[str]) -> bool:
        return any(sha in self.commits for sha in family)

    def _against(self, family: set[str]) -> bool:
        kin = self._kin(family)
        return any(self._names(sha, kin) and self._stands(sha) for sha in self._reverts)

    def copies(self, fix: Fix) -> set[str]:
        """The commits here that repeat the whole fix elsewhere."""
        return {sha for sha in self._whole(fix) if sha in self.commits and sha != fix.sha}

    def instead(self, fix: Fix) -> str:
        """The commit that makes the change here when the fix itself does not; "" where it does, or several do."""
        if fix.sha in self.commits:
            return ""
        return min((sha for sha in self.copies(fix) if self._alive(sha, self._kin(self._whole(fix)))), default="")

    def look_alikes(self, fix: Fix) -> list[str]:
        """Commits that have the fix's title and do not say what they are; what is reverted under that title, too."""
        if not fix.title:
            return []
        title, known = subject(fix.title), self._whole(fix) | set(fix.parts)
        reverted = [
            name
            for sha, names in self._reverts.items()
            if title == _title_reverted(self.commits[sha].message)
            for name in sorted(names)
            if name[:1] not in ("#", "!")
        ]
        return [sha for sha in dict.fromkeys([*self._subjects.get(title, ()), *reverted]) if sha not in known]

    def _whole(self, fix: Fix) -> set[str]:
        """All names of the commits that make the whole change: itself, its pull request, what repeats them. Of a
        change that came commit by commit, `sha` is only the last: all come with it, but not with a copy of it."""
        named = {*fix.copies, *(set() if fix.sha in fix.parts else {fix.sha})}
        if pull := pull_name(fix.pull, sign_of(fix.pull_url)) if fix.pull is not None else pull_of(fix.title):
            named.add(pull)
        return {fix.sha, *self._and_copies(named)}

    def _and_copies(self, named: set[str]) -> set[str]:
        found, new = set(named), list(named)
        while new:
            name = new.pop()
            more = self._copies.get(name, []) + [sha for short, sha in self._short if name.startswith(short)]
            new += [sha for sha in more if sha not in found]
            found.update(more)
        return found

    def _kin(self, family: set[str]) -> set[str]:
        """All that makes the same change, what they repeat included: a revert may name any of them."""
        found, more = set[str](), family
        while more - found:
            found = found | more
            more = self._and_copies(found.union(*(self._origins.get(sha, ()) for sha in found)))
        return found

    def _alive(self, sha: str, family: set[str]) -> bool:
        """Whether a commit is here and no revert of its change, that holds, comes after it."""
        return sha in self.commits and not any(
            sha != revert and sha in self._before(revert) and self._names(revert, family) and self._stands(revert)
            for revert in self._reverts
        )

    def _stands(self, revert: str) -> bool:
        """Whether a revert was not reverted in turn. What reverts a commit comes after it, so the last are settled
        first."""
        if not self._holds:
            for sha in sorted(self._reverts, key=lambda sha: len(self._before(sha)), reverse=True):
                originals = repeated_alone(self.commits[sha].message)
                self._holds[sha] = self._alive(sha, self._and_copies({sha, *originals}))
        return self._holds[revert]

    def _names(self, revert: str, family: set[str]) -> bool:
        targets = self._targets[revert]
        return not targets.isdisjoint(family) or any(
            len(name) < 40 and any(sha.startswith(name) for sha in family)
            for name in self._reverts[revert]
            if name[:1] not in ("#", "!")
        )

    def _meant(self, named: set[str]) -> set[str]:
        """What a revert takes out: what it names and, of a merge, all that this brought."""
        found = set(named)
        for name in named:
            for sha in self._stands_for.get(name, {name}):
                if len(sha) < 40 and sha[:1] not in ("#", "!"):
                    sha = next((one for one in self.commits if one.startswith(name)), sha)
                if sha in self.commits:
                    found.update(self._brought(sha))
        return found

    def _brought(self, sha: str) -> Iterator[str]:
        parents = self.commits[sha].parents
        yield sha
        if len(parents) > 1:
            yield from self._before(sha) - (self._before(parents[0]) if parents[0] in self.commits else frozenset())

    def _before(self, sha: str) -> frozenset[str]:
        """A commit and its ancestors, as far as they are here."""
        if sha not in self._ancestors:
            seen: set[str] = set()
            ahead = [sha]
            while ahead:
                here = ahead.pop()
                if here in self.commits and here not in seen:
                    seen.add(here)
                    ahead.extend(self.commits[here].parents)
            self._ancestors[sha] = frozenset(seen)
        return self._ancestors[sha]
