"""What people write in texts on any tracker: which part of it is prose, what says that it copies or reverts. Pure."""

from __future__ import annotations

import re

from integrations.base import Place

_COPY = r"(?:(?:back|forward)[ -]?port|cherry[ -]?pick)(?:s|ed|ing)?"
_COPIES = (
    re.compile(  # "Backport of #12 to 2.x.", "(cherry-pick !12)", "This is an automatic backport of pull request #12"
        rf"(?:^[ \t>*#-]{{0,20}}(?:\[[^\]\n]{{0,100}}\][ \t]{{0,4}}){{0,4}}"
        rf"(?:this (?:is |(?:(?:pull|merge) request|PR|MR) )?(?:an? )?)?(?:automatic |automated |manual )?|\(){_COPY}\b"
        r"[^\n.]{0,80}?(?:https?://\S{1,150}?)?[#!/]\d{1,12}\b"
        r"(?=[ \t]{0,4}(?:$|[][:;,.()`-]|(?:in|on)?to\b|on\b|from\b|done\b|by\b|as merged\b))",
        re.IGNORECASE | re.MULTILINE,
    )
)
_COPIES_BELOW = re.compile(rf"\b(?:will|does) {_COPY} the following\b[^\n]{{0,200}}:", re.IGNORECASE)
REVERT = re.compile(r'\s*revert(?:s|ed)?[ :]+"', re.IGNORECASE)  # of a title that repeats another's
REPEATED = re.compile(r'^\s*(?:revert(?:s|ed)?|reapply)[ :]+".*"', re.IGNORECASE)  # what it repeats of it
BEFORE = r"(?:\[[^]\n]{0,60}\]\s{0,4}){0,4}(?:\w{1,20}(?:\([^)\n]{0,60}\))?!?:\s{0,4})?"  # "[hotfix] fix(shop): "
REVERTING = re.compile(rf"{BEFORE}(?:revert|reapply)", re.IGNORECASE)  # a title that says so
_HIDDEN = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
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


def shown(text: str, most: int = 20_000) -> str:
    """What of a Markdown text people see, at most so many characters: HTML comments are left out."""
    return _HIDDEN.sub("", text[: 4 * most]).strip()[:most]


_TITLED = re.compile(rf"^\[?{_COPY}\b", re.IGNORECASE)  # "[Backport 2.x] …"
_NAMED_LAST = re.compile(r"\([#!]\d{1,12}\)\s*$")
_NAMED_ALONE = re.compile(
    r"^(?:[-*] )?(?:from|of|original(?: PR| pull request| merge request)?)?:?\s{0,4}\S*[#!/]\d{1,12}$", re.IGNORECASE
)


def copying(title: str, text: str) -> str:
    """What of a pull request's title and prose says that it brings another to a branch, line by line: a sentence that
    begins so, a bracket that does, the list below "This will backport the following commits …:"; and under a title that
    begins so, the number at its end, or a line with nothing but a name."""
    found, listed, titled = [match[0] for match in _COPIES.finditer(title)], False, _TITLED.match(title)
    found += [match[0] for match in _NAMED_LAST.finditer(title) if titled]
    for line in text.splitlines():
        if titled and _NAMED_ALONE.match(line.strip()):
            found.append(line)
        if _COPIES_BELOW.search(line):
            listed = True
        elif listed and re.match(r"\s{0,8}[-*] ", line):
            found.append(line)
        else:
            listed = listed and not line.strip()
            found += [match[0] for match in _COPIES.finditer(line)]
    return "\n".join(found)


def same(one: Place, other: Place) -> bool:
    return one.number == other.number and one.repository.casefold() == other.repository.casefold()
