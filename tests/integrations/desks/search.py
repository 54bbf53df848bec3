"""A small reader of searches in TicketSQL: comparisons, AND, OR, parentheses; what it does not know is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<word>AND|OR)\b|(?P<paren>[()])|(?P<field>CF\.\{[^}]*\}|[A-Za-z][A-Za-z.]*)"
    r"|(?P<op>!=|>=|<=|=|>|<)|(?P<number>[0-9]+)|'(?P<text>(?:[^'\\]|\\.)*)')",
    re.DOTALL,
)


class BadQuery(Exception):
    """What RT answers with 400."""


def holds(query: str, values: Mapping[str, Any], names: Mapping[str, str]) -> bool:
    """Whether a record with these values fits; `names` stand for others. Text is compared without regard to case."""
    tokens, position = [], 0
    query = query.strip()
    while position < len(query):
        found = _TOKEN.match(query, position)
        if found is None or found.lastgroup is None:
            raise BadQuery(f"Incomplete query at {query[position:]}")
        tokens.append((found.lastgroup, found[found.lastgroup]))
        position = found.end()
    reader = _Reader(tokens, values, names)
    result = reader.alternatives()
    if reader.tokens:
        raise BadQuery("Incomplete query")
    return result


class _Reader:
    def __init__(self, tokens: list[tuple[str, str]], values: Mapping[str, Any], names: Mapping[str, str]) -> None:
        self.tokens, self._values, self._names = tokens, values, names

    def alternatives(self) -> bool:
        result = self._all()
        while self.tokens[:1] == [("word", "OR")]:
            self._take("word")
            result = self._all() or result
        return result

    def _all(self) -> bool:
        result = self._one()
        while self.tokens[:1] == [("word", "AND")]:
            self._take("word")
            result = self._one() and result
        return result

    def _one(self) -> bool:
        if self.tokens[:1] == [("paren", "(")]:
            self._take("paren")
            result = self.alternatives()
            self._take("paren")
            return result
        field, op = self._take("field"), self._take("op")
        if field not in self._values:
            raise BadQuery(f"Unknown field: {field}")
        return self._compared(self._values[field], op, self._take("number", "text"))

    def _compared(self, has: Any, op: str, wanted: str) -> bool:
        if isinstance(has, int):
            if not wanted.isdigit():
                raise BadQuery(f"{wanted} is no number")
            return {"=": has == int(wanted), ">": has > int(wanted), "!=": has != int(wanted)}[op]
        wanted = re.sub(r"\\(.)", r"\1", wanted)
        same = str(has).lower() == self._names.get(wanted, wanted).lower()
        return {"=": same, "!=": not same}[op]

    def _take(self, *kinds: str) -> str:
        if not self.tokens or self.tokens[0][0] not in kinds:
            raise BadQuery(f"Incomplete query: wanted {' or '.join(kinds)}")
        return self.tokens.pop(0)[1]
