"""The customers' table in an issue's description, between two lines of our own. Pure."""

from __future__ import annotations

import re

from integrations.base import mark
from integrations.gitlab.answers import ISSUE_MAX, cut

_END = "<!-- /passerelle -->"


def replaced(description: str, text: str, key: str) -> str:
    """`description` in which the block of `key` holds `text`: in its old place, else at the end; all else as it is.

    A block whose last line somebody deleted ends where its first line does, so that no word of theirs is lost.
    """
    begin = mark(key)
    room = ISSUE_MAX - len(_without(description, begin)) - len(begin) - len(_END) - len("\n\n\n\n\n\n")
    block = f"{begin}\n\n{cut(text.strip(), max(room, 100))}\n\n{_END}"
    found = _block(begin).search(description)
    if found is None:
        return f"{description.rstrip()}\n\n{block}".lstrip()
    rest = _without(description[found.end() :], begin)
    return f"{description[: found.start()]}{block}{rest}"


def _without(description: str, begin: str) -> str:
    return _block(begin).sub("", description)


def _block(begin: str) -> re.Pattern[str]:
    inner = r"(?:(?!<!-- /?passerelle).)*?"
    return re.compile(f"{re.escape(begin)}(?:{inner}{re.escape(_END)})?", re.DOTALL)
