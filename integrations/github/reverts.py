"""What commits take back, where their messages alone do not tell.

A squash may keep but the title of its pull request ("Configuring commit squashing"), so that a revert names nothing;
and GitHub's button names a pull request, which its commit on another branch does not know by that number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from integrations.base import Commit, NotFound, Rejected, Unauthorised
from integrations.github import wording
from integrations.github.answers import Json, path_of
from integrations.github.wire import Wire
from integrations.wording import BEFORE, REVERTING, prose

_MOST = 30  # commits of which more is asked, the newest
_KNOWN_MOST = 1_000
_THIS_REVERTS = r"(?:This (?:(?:PR|pull request|merge request|commit|change) )?)?reverts"  # begins a line
_SAYS_COMMIT = re.compile(r"\breverts?\s{1,4}(?:commits?\s{1,4})?[0-9a-f]{7,40}\b", re.IGNORECASE)
_PULL = r"(?:pull request |PR )?(?P<repo>[\w.-]+/[\w.-]+)?#(?P<number>\d{1,9})\b"
_SAYS_PULL = re.compile(
    rf"(?:\A{BEFORE}revert(?:s|ed|ing)?:?|^[ \t]*{_THIS_REVERTS})[ \t]{{1,4}}{_PULL}", re.IGNORECASE | re.MULTILINE
)
_OWN = re.compile(r"\(#(\d{1,9})\)$")
_STANDS_FOR = re.compile(r"^Merge pull request #(\d{1,9}) |\(#(\d{1,9})\)$")


def told(wire: Wire, repo: str, commits: tuple[Commit, ...]) -> tuple[Commit, ...]:
    """`commits`; the messages of reverts say which commits they take back, as git's would.

    Nothing is asked of a revert that names a commit, or a pull request that one of `commits` stands for.
    """
    there = {int(found[1] or found[2]) for one in commits if (found := _STANDS_FOR.search(_subject(one)))}
    asked = [one for one in commits if REVERTING.match(one.message) and _is_open(one, repo, there)][-_MOST:]
    if len(wire.reverts) > _KNOWN_MOST:
        wire.reverts.clear()
    for one in asked:
        if (repo, one.sha) not in wire.reverts:
            wire.reverts[repo, one.sha] = _completed(wire, repo, one)
    return tuple(replace(one, message=wire.reverts.get((repo, one.sha), one.message)) for one in commits)


def _subject(commit: Commit) -> str:
    return commit.message.partition("\n")[0].strip()


def _is_open(commit: Commit, repo: str, there: set[int]) -> bool:
    named = _named(commit.message, repo)
    return not named <= there if named else not _SAYS_COMMIT.search(commit.message)


def _named(text: str, repo: str) -> set[int]:
    here = ("", repo.casefold())
    found = _SAYS_PULL.finditer(text)
    return {int(match["number"]) for match in found if (match["repo"] or "").casefold() in here}


def _completed(wire: Wire, repo: str, commit: Commit) -> str:
    said, named = [], _named(commit.message, repo)
    if not named and (own := _OWN.search(_subject(commit))):
        said = _description(wire, repo, int(own[1]))
        named = set().union(*(_named(text, repo) for text in said))
    for number in sorted(named):
        said += [f"This reverts {what}." for what in _brought(wire, repo, number)]
    title, _, rest = commit.message.partition("\n")  # whose end names what a cherry-pick repeats
    return "\n\n".join([title, *said, rest.strip()])


def _description(wire: Wire, repo: str, number: int) -> list[str]:
    """What a pull request says that it takes back; where its text says nothing, what its commits say."""
    try:
        text = wire.get(path_of(repo, "pulls", number), lambda pull: prose(pull.get("body") or ""))
        if _named(text, repo) or _SAYS_COMMIT.search(text):
            return [text]
        items = list(wire.pages(path_of(repo, "pulls", number, "commits"), limit=1))
    except _UNSEEN:
        return []
    return wire.translated(lambda found: [str(item["commit"]["message"]) for item in found], items)


def _brought(wire: Wire, repo: str, number: int) -> Iterable[str]:
    """The commit that a pull request became, and the pull requests that it repeats on another branch."""
    try:
        return wire.get(path_of(repo, "pulls", number), lambda pull: _names(pull, repo))
    except _UNSEEN:
        return []


def _names(pull: Json, repo: str) -> list[str]:
    copied = wording.copied(pull["title"], pull.get("body") or "", repo)
    shas = [f"commit {pull['merge_commit_sha']}"] if pull.get("merged_at") else []
    return shas + [f"#{one.number}" for one in copied if one.repository.casefold() == repo.casefold()]


_UNSEEN = (NotFound, Unauthorised, Rejected)
