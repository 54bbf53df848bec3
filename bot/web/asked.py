"""What an address asks a page for; what means nothing is said to be so. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlencode

from bot.model import UserError

LONGEST = 100
"""Characters of what somebody searches for."""

LAST = 100_000
"""The highest number that a page may have."""

_Words = TypeVar("_Words", bound=StrEnum)


class Refused(Exception):
    """A request that gets a sentence instead of its page. `status` is HTTP's."""

    def __init__(self, status: int, error: UserError) -> None:
        super().__init__(str(error))
        self.status, self.error = status, error


@dataclass(frozen=True, slots=True)
class Asked:
    """An address: its path, and what stands behind the question mark; what is empty is as if it was not there."""

    path: str
    given: Mapping[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Words that somebody typed. Raises Refused."""
        found = " ".join("".join(c if c.isprintable() else " " for c in self.given.get(name, "")).split())
        if len(found) > LONGEST:
            raise Refused(400, UserError("That is too long to search for. Give at most {n} characters.", n=LONGEST))
        return found

    def word(self, name: str, words: type[_Words]) -> _Words | None:
        """One of a few words; None where nothing was chosen. Raises Refused."""
        found = self.given.get(name, "")
        if not found:
            return None
        if found not in {*words}:
            raise Refused(400, _unknown(name, found))
        return words(found)

    def several(self, name: str, offered: Iterable[str]) -> tuple[str, ...]:
        """Any of those, named with commas between them. Raises Refused."""
        found = tuple(dict.fromkeys(part for part in self.given.get(name, "").split(",") if part))
        known = set(offered)
        for one in found:
            if one not in known:
                raise Refused(400, _unknown(name, one))
        return found

    def page(self, name: str = "page") -> int:
        """The number of a page, from 1 on. Raises Refused."""
        found = self.given.get(name) or "1"
        if not (found.isascii() and found.isdigit() and len(found) < 8 and 1 <= int(found) <= LAST):
            error = UserError("There is no page “{page}”. Begin at the first one.", page=found[:LONGEST])
            raise Refused(400, error)
        return int(found)

    def address(self, root: str, **changes: object) -> str:
        """The same address with that changed; "" takes something out."""
        given = {**self.given, **{name: str(value) for name, value in changes.items()}}
        query = urlencode({name: value for name, value in given.items() if value})
        return f"{root}{self.path}?{query}" if query else f"{root}{self.path}"


def _unknown(name: str, found: str) -> UserError:
    return UserError("“{value}” is nothing to choose under “{name}”.", value=found[:LONGEST], name=name)


@dataclass(frozen=True, slots=True)
class Paging:
    """Which rows of a longer list a page shows."""

    page: int
    size: int
    total: int
    name: str = "page"

    @property
    def first(self) -> int:
        return (self.page - 1) * self.size + 1

    @property
    def last(self) -> int:
        return min(self.page * self.size, self.total)

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))

    def held(self) -> Paging:
        """Itself, if there is such a page. Raises Refused."""
        if self.page > self.pages:
            error = UserError("There is no page {page}: the last one is {last}.", page=self.page, last=self.pages)
            raise Refused(404, error)
        return self
