"""What people write in texts on any tracker: which part of it is prose, what says that it copies or reverts. Pure."""

from __future__ import annotations

import re

from integrations.base import Place

COPYING = re.compile(r"\b(?:(?:back|forward)[ -]?port|cherry[ -]?pick)(?:s|ed|ing)?\b", re.IGNORECASE)
REVERT = re.compile(r'\s*revert(?:s|ed)?[ :]+"', re.IGNORECASE)  # of a title that repeats another's
REPEATED = re.compile(r'^\s*(?:revert(?:s|ed)?|reapply)[ :]+".*"', re.IGNORECASE)  # what it repeats of it
_NOT_PROSE = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|^ {0,3}(?P<fence>```+|~~~+)[^\n]*(?:\n.*?(?:^ {0,3}(?P=fence)|\Z)|\Z)"
    r"|`[^`\n]+`"
    r"|^ {0,3}>[^\n]*",
    re.DOTALL | re.MULTILINE,
)


def prose(text: str) -> str:
    """`text` without code, HTML comments and quoted lines."""
    return _NOT_PROSE.sub(" ", text)


def same(one: Place, other: Place) -> bool:
    return one.number == other.number and one.repository.casefold() == other.repository.casefold()
