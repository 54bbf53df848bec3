"""What people write on GitLab: issues that a change fixes, merge requests that it copies, how they name a fix. Pure.

Closing words are GitLab's own default pattern ("Default closing pattern"); only prose counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from integrations.base import Place
from integrations.wording import REPEATED, REVERT, copying, prose, same

_PATH = r"[\w.-]+(?:/[\w.-]+)*"
_ISSUE = (
    rf"(?:(?P<at>{_PATH})?#|https?://[^\s/]+/(?P<url>{_PATH}?)/(?:-/)?(?:issues|work_items)/)(?P<number>\d{{1,9}})\b"
)
_MERGE = rf"(?:(?P<at>{_PATH})?!|https?://[^\s/]+/(?P<url>{_PATH}?)/(?:-/)?merge_requests/)(?P<number>\d{{1,9}})\b"
_BEFORE = r"(?<![\w/&#!.-])"
_ANY_ISSUE = re.compile(_BEFORE + _ISSUE, re.IGNORECASE)
_ANY_MERGE = re.compile(_BEFORE + _MERGE, re.IGNORECASE)
_ONE = re.sub(r"\?P<\w+>", "?:", _ISSUE)
_CLOSING = re.compile(
    r"(?<![\w-])(?:clos(?:e[sd]?|ing)|fix(?:e[sd]|ing)?|resolv(?:e[sd]?|ing)|implement(?:s|ed|ing)?):? +"
    rf"(?P<list>(?:issues? +)?{_ONE}(?:(?: *,? +and +| *, *| +)(?:issues? +)?{_ONE})*)",
    re.IGNORECASE,
)


def closing(title: str, body: str, repo: str) -> list[Place]:
    """The issues that a merge request or commit of `repo` names with a closing word.

    A revert's title repeats another's, so it says nothing; its body may, as to take a change back can be the fix.
    """
    own = "" if REVERT.match(title) else title
    said = [match["list"] for match in _CLOSING.finditer(f"{prose(own)}\n{prose(body)}")]
    return [place for text in said for place in _places(_ANY_ISSUE.finditer(text), repo)]


def only_repeats(title: str, body: str, repo: str, place: Place) -> bool:
    """Whether it is a revert that names the issue in the title of what it takes back, and nowhere else."""
    if not REVERT.match(title) or any(same(found, place) for found in closing("", body, repo)):
        return False
    return any(same(found, place) for found in closing("", title, repo))


def copied(title: str, body: str, repo: str) -> list[Place]:
    """The merge requests of which one in `repo` says that it brings them to another branch. What a revert repeats of
    another's title says nothing: it takes away what that brought."""
    return _places(_ANY_MERGE.finditer(copying(REPEATED.sub("", title), prose(body))), repo)


def mentioned_in(note: str, repo: str) -> list[Place]:
    """The merge requests that a system note of one in `repo` says it is mentioned in."""
    return _places(_ANY_MERGE.finditer(note), repo) if note.lower().startswith("mentioned in merge request") else []


def moved_to(note: str, repo: str) -> Place | None:
    """Where a system note of an issue in `repo` says that it was moved to."""
    found = _places(_ANY_ISSUE.finditer(note), repo) if note.lower().startswith("moved to ") else []
    return found[0] if found else None


def _places(found: Iterable[re.Match[str]], repo: str) -> list[Place]:
    places = (Place(_full(match["url"] or match["at"] or repo, repo), int(match["number"])) for match in found)
    return list(dict.fromkeys(places))


def _full(path: str, repo: str) -> str:
    """A project of the same namespace is named by its last part alone ("GitLab-specific references")."""
    return path if "/" in path else f"{repo.rpartition('/')[0]}/{path}"


_MERGE_PAGE = re.compile(
    r"https?://[^/\s]+/(?P<repo>[^\s]+?)/(?:-/)?merge_requests/(?P<number>\d{1,12})(?:[/?#]\S*)?", re.IGNORECASE
)
_COMMIT_PAGE = re.compile(
    r"https?://[^/\s]+/(?P<repo>[^\s]+?)/(?:-/)?commit/(?P<sha>[0-9a-f]{7,40})(?:[./?#]\S*)?", re.IGNORECASE
)
_NUMBER = re.compile(rf"(?:(?P<repo>{_PATH})?(?P<sign>[!#])(?P<number>\d{{1,12}})|(?P<bare>\d{{1,6}}))")
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)


class NoFix(LookupError):
    """What a person named cannot be a fix; the sentence says why."""


def reference(text: str, repo: str) -> tuple[str, int, str] | None:
    """(project, merge request's number, "") or (project, 0, sha) of what a person wrote, None for a sentence; a bare
    number of 7 or more digits is a sha. NoFix: an issue, or an address of something else."""
    if address := _COMMIT_PAGE.fullmatch(text):
        return address["repo"], 0, address["sha"].lower()
    if address := _MERGE_PAGE.fullmatch(text):
        return address["repo"], int(address["number"]), ""
    if named := _NUMBER.fullmatch(text):
        if named["sign"] == "#":
            raise NoFix(f"{text} is an issue; a merge request is written !{named['number']}")
        return _full(named["repo"] or repo, repo), int(named["number"] or named["bare"]), ""
    if _ADDRESS.fullmatch(text):
        raise NoFix("that address is no merge request and no commit")
    if re.fullmatch(r"[0-9a-f]{7,40}", text, re.IGNORECASE):
        return repo, 0, text.lower()
    return None
