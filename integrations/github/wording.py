"""What people write in texts: issues that a change fixes, pull requests that it copies, what an issue duplicates. Pure.

Only prose counts: code, HTML comments and quoted lines are left out ("Linking a pull request to an issue").
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from integrations.base import Place
from integrations.wording import REPEATED, REVERT, copying, prose, same as same

_PLACE = (
    r"(?:(?P<at>[\w.-]+/[\w.-]+)?#|GH-|https?://[^\s/]+/(?P<url>[\w.-]+/[\w.-]+)/(?:issues|pull)/)(?P<number>\d{1,9})\b"
)
_ANY = re.compile(r"(?<![\w/&#.-])" + _PLACE, re.IGNORECASE)
_CLOSING = re.compile(r"(?<![\w-])(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?[ \t]+" + _PLACE, re.IGNORECASE)
_DUPLICATE = re.compile(r"^[^\w\n]*duplicate of:?[ \t]+" + _PLACE, re.IGNORECASE | re.MULTILINE)


def closing(title: str, body: str, repo: str) -> list[Place]:
    """The issues that a pull request or commit of `repo` names with a closing keyword.

    A revert's title repeats another's, so it says nothing; its body may, as to take a change back can be the fix.
    """
    own = "" if REVERT.match(title) else title
    return _places(_CLOSING.finditer(f"{prose(own)}\n{prose(body)}"), repo)


def only_repeats(title: str, body: str, repo: str, place: Place) -> bool:
    """Whether it is a revert that names the issue in the title of what it takes back, and nowhere else."""
    if not REVERT.match(title) or any(same(found, place) for found in closing("", body, repo)):
        return False
    return any(same(found, place) for found in closing("", title, repo))


def copied(title: str, body: str, repo: str) -> list[Place]:
    """The pull requests of which one in `repo` says that it brings them to another branch. What a revert repeats of
    another's title says nothing: it takes away what that brought."""
    return _places(_ANY.finditer(copying(REPEATED.sub("", title), prose(body))), repo)


def duplicated(texts: Iterable[str], repo: str) -> Place | None:
    """The issue that takes this one's place, by the first of `texts` with a line "Duplicate of …"."""
    for text in texts:
        if found := _DUPLICATE.search(prose(text)):
            return _places([found], repo)[0]
    return None


def _places(found: Iterable[re.Match[str]], repo: str) -> list[Place]:
    places = (Place(match["at"] or match["url"] or repo, int(match["number"])) for match in found)
    return list(dict.fromkeys(places))


_PULL = re.compile(r"https?://[^/\s]+/(?P<repo>[^/\s]+/[^/\s]+)/pull/(?P<number>\d{1,12})(?:[/?#]\S*)?")
_COMMIT = re.compile(
    r"https?://[^/\s]+/(?P<repo>[^/\s]+/[^/\s]+)/(?:pull/\d+/)?commits?/(?P<sha>[0-9a-f]{7,40})(?:[./?#]\S*)?", re.I
)
_NUMBER = re.compile(r"(?:(?P<repo>[\w.-]+/[\w.-]+)?#(?P<number>\d{1,12})|(?P<bare>\d{1,6}))")


def reference(text: str, repo: str) -> tuple[str, int, str] | None:
    """(repository, pull request's number, "") or (repository, 0, sha) of what a person wrote; a bare number of 7 or
    more digits is a sha."""
    if address := _COMMIT.fullmatch(text):
        return address["repo"], 0, address["sha"].lower()
    if address := _PULL.fullmatch(text):
        return address["repo"], int(address["number"]), ""
    if named := _NUMBER.fullmatch(text):
        return named["repo"] or repo, int(named["number"] or named["bare"]), ""
    if re.fullmatch(r"[0-9a-f]{7,40}", text, re.IGNORECASE):
        return repo, 0, text.lower()
    return None
