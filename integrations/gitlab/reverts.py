"""What commits take back or repeat, where their messages alone do not tell.

GitLab's button names a merge request ("This reverts merge request !12"), and by default a merge or a squash keeps but
the title of its merge request ("Commit message templates"), so that a revert or a backport may name nothing at all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from integrations.base import Commit, Place
from integrations.gitlab import merges, wording
from integrations.gitlab.answers import path_of
from integrations.gitlab.merges import UNSEEN, Merge
from integrations.gitlab.wire import Wire
from integrations.wording import REVERTING

_MOST = 30  # commits of which more is asked, the newest
_SAYS_COMMIT = re.compile(r"^[ \t]*(?:This )?reverts commit ([0-9a-f]{40})\b", re.IGNORECASE | re.MULTILINE)
_SAYS_MERGE = re.compile(
    r"^[ \t]*(?:This )?reverts (?:merge request )?(?P<path>[\w./-]*)!(?P<number>\d{1,9})\b",
    re.IGNORECASE | re.MULTILINE,
)
_PICKED = re.compile(r"\(cherry picked from commit ([0-9a-f]{40})\)", re.IGNORECASE)
_PORT = re.compile(r"^\[?(?:back[ -]?port|cherry[ -]?pick)\w*\b", re.IGNORECASE | re.MULTILINE)
_STANDS_FOR = re.compile(r"^See merge request \S*!(\d+)$", re.MULTILINE)


def told(wire: Wire, repo: str, commits: tuple[Commit, ...]) -> tuple[Commit, ...]:
    """`commits`, oldest first; the messages of reverts say all the commits that they take back, as git would, and those
    of backports which merge request they repeat.

    Nothing is asked of a revert that names one of `commits`, or a merge request whose merge commit is among them.
    """
    merged = {int(found[1]) for one in commits if len(one.parents) > 1 for found in _STANDS_FOR.finditer(one.message)}
    known = {one.sha for one in commits}
    asked = [one for one in commits if _is_port(one, repo) or _is_open(one, known, merged)][-_MOST:]
    told = {one.sha: replace(one, message=_completed(wire, repo, one)) for one in asked}
    return tuple(told.get(one.sha, one) for one in commits)


def _is_port(commit: Commit, repo: str) -> bool:
    title, _, rest = commit.message.partition("\n")
    if not _PORT.search(commit.message) or _PICKED.search(commit.message) or REVERTING.match(title):
        return False
    return not wording.copied(title, rest, repo)


def _is_open(commit: Commit, known: set[str], merged: set[int]) -> bool:
    numbers = {int(found["number"]) for found in _SAYS_MERGE.finditer(commit.message)}
    shas = set(_SAYS_COMMIT.findall(commit.message))
    if numbers or shas:
        return not (numbers <= merged and shas <= known)
    return bool(REVERTING.match(commit.message))


def _completed(wire: Wire, repo: str, commit: Commit) -> str:
    if _is_port(commit, repo):
        copied = {number for one in _became(wire, repo, [commit.sha]) for _, number in one.copies_at_home()}
        return "\n\n".join([commit.message, *(f"Backport of !{number}" for number in sorted(copied))])
    texts, shas = [commit.message], list(_SAYS_COMMIT.findall(commit.message))
    if not shas and not _SAYS_MERGE.search(commit.message):
        texts += [one.body for one in _became(wire, repo, [commit.sha, *_PICKED.findall(commit.message)])]
    taken = [*_originals(wire, repo, shas), *_brought(wire, repo, "\n".join(texts))]
    return "\n\n".join([*texts, *(f"This reverts {what}." for what in dict.fromkeys(taken))])


def _became(wire: Wire, repo: str, shas: Sequence[str]) -> list[Merge]:
    """The merge request that became the first of `shas`, which is its merge or squash commit."""
    for sha in shas:
        path = path_of(repo, "repository", "commits", sha, "merge_requests")
        try:
            items = list(wire.pages(path, limit=1))
        except UNSEEN:
            continue
        listed = wire.translated(lambda found: [merges.merge(item) for item in found], items)
        if found := [one for one in listed if one and sha in one.shas()]:
            return found
    return []


def _originals(wire: Wire, repo: str, shas: Sequence[str]) -> list[str]:
    """What those of `shas` repeat that are cherry-picks."""
    found: list[str] = []
    for sha in shas:
        try:
            message = wire.get(path_of(repo, "repository", "commits", sha), lambda item: str(item["message"]))
        except UNSEEN:
            continue
        found += [f"commit {original}" for original in _PICKED.findall(message)]
    return found


def _brought(wire: Wire, repo: str, text: str) -> list[str]:
    """What the merge requests brought that `text` says are taken back, and the merge requests that they repeat."""
    found_in = _SAYS_MERGE.finditer(text)
    named = [(match["path"] if "/" in match["path"] else repo, int(match["number"])) for match in found_in]
    here = [Place(path, number) for path, number in named if path.casefold() == repo.casefold()]
    found: list[str] = []
    for merge in merges.seen(wire, dict.fromkeys(here)):
        found += [f"commit {sha}" for sha in merges.all_shas(wire, merge)]
        found += [f"merge request !{number}" for _, number in merge.copies_at_home()]
    return found
