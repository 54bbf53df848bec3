"""What texts in GitLab mention, and what they say they close ("GitLab Flavored Markdown", "Issue closing pattern").

Code and HTML comments are not read for closing; a project is named by its full path, or by its last part within one
group, or by nothing in its own.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple


class Reference(NamedTuple):
    path: str  # of the project as written: "", "shop-app" or "acme/shop-app"
    iid: int


_PATH = r"[\w.-]+(?:/[\w.-]+)*"
_ISSUE = rf"(?:(?P<{{0}}>{_PATH})?#|https?://[^\s/]+/(?P<{{0}}_url>{_PATH})/-/(?:issues|work_items)/)(?P<{{0}}_n>\d+)\b"
_ONE = re.compile(r"(?<![\w&/#-])" + _ISSUE.replace("{0}", "a"))
_MERGE = re.compile(
    rf"(?<![\w&/!-])(?:(?P<a>{_PATH})?!|https?://[^\s/]+/(?P<a_url>{_PATH})/-/merge_requests/)(?P<a_n>\d+)\b"
)
_BARE = re.sub(r"\?P<\w+>", "?:", _ISSUE.replace("{0}", "x"))
_CLOSING = re.compile(
    r"\b(?:clos(?:e[sd]?|ing)|fix(?:e[sd]|ing)?|resolv(?:e[sd]?|ing)|implement(?:s|ed|ing)?):? +"
    rf"((?:(?:issues? +)?{_BARE}(?: *,? +and +| *, *| +(?=[\w.#/-]*#\d|https?:))?)+)",
    re.IGNORECASE,
)
_NOT_PROSE = re.compile(r"```.*?```|`[^`\n]*`|<!--.*?-->", re.DOTALL)


def _found(pattern: re.Pattern[str], text: str) -> tuple[Reference, ...]:
    found = (Reference(one["a"] or one["a_url"] or "", int(one["a_n"])) for one in pattern.finditer(text))
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=100_000)
def issues_in(text: str) -> tuple[Reference, ...]:
    return _found(_ONE, _NOT_PROSE.sub(" ", text))


@lru_cache(maxsize=100_000)
def merges_in(text: str) -> tuple[Reference, ...]:
    return _found(_MERGE, _NOT_PROSE.sub(" ", text))


@lru_cache(maxsize=100_000)
def closed_in(text: str) -> tuple[Reference, ...]:
    """As the default pattern reads them: several after one verb, with commas and "and" between."""
    lists = (one[1] for one in _CLOSING.finditer(_NOT_PROSE.sub(" ", text)))
    return tuple(dict.fromkeys(one for many in lists for one in _found(_ONE, many)))
