"""What a Support Dev says in an issue's comment: `/decline reason`, or `@the-bot decline reason`. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

NAMES = (
    "decline",
    "fixed-by",
    "fixed-without-commit",
    "ask",
    "workaround",
    "tell",
    "promise",
    "severity",
    "carry",
    "note-to-customer",
)

_HIDDEN = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_FENCE = re.compile(r"^\s{0,3}(```|~~~)")


@dataclass(frozen=True, slots=True)
class Command:
    name: str
    text: str


def parse(comment: str, login: str) -> list[Command]:
    """The commands in a comment, in order. A command is the first word of a line; its text goes on until the next
    command or the comment's end. Quoted lines, fenced code and what Markdown hides are not commands."""
    name = re.escape(login.removesuffix("[bot]"))  # people call an app by its name alone
    start = re.compile(
        rf"^(?:/|@{name}(?:\[bot\])?\s+/?)({'|'.join(NAMES)})(?![\w-])[ \t]*:?[ \t]*(.*)$", re.IGNORECASE
    )
    found: list[tuple[str, list[str]]] = []
    fenced = False
    for line in _HIDDEN.sub("", comment).replace("\r\n", "\n").split("\n"):
        if _FENCE.match(line):
            fenced = not fenced
        match = None if fenced else start.match(line)
        if match:
            found.append((match[1].lower(), [match[2]]))
        elif found:
            found[-1][1].append(line)
    return [Command(name, "\n".join(lines).strip()) for name, lines in found]


def to_support(comment: str, login: str, *, whole: bool) -> str:
    """What a comment says to support: the text of its `tell`; else, if `whole`, all of it, unless it is commands."""
    found = parse(comment, login)
    told = "\n\n".join(command.text for command in found if command.name == "tell")
    return told if found or not whole else _HIDDEN.sub("", comment).strip()


_REFERENCE = re.compile(r"(?:[\w.-]+(?:/[\w.-]+)+)?[#!]\d{1,10}|\d{1,10}|[0-9a-fA-F]{7,40}|https?://\S+")


def references(text: str, most: int = 10) -> list[str]:
    """The commits and pull requests that `/fixed-by` names: the leading words of its line that look like one, or the
    first word as it stands, so that the tracker can say what is wrong with it."""
    words = text.partition("\n")[0].replace(",", " ").split()
    other = next((place for place, word in enumerate(words) if not _REFERENCE.fullmatch(word)), len(words))
    return words[: max(1, min(other, most))]
