"""A small parser and executor of GraphQL queries: as much of the language as asks for fields."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from integrations.sandbox.github.shapes import Json

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\.\.\.|[A-Za-z_]\w*|-?\d+|[{}()\[\]:!$=]')
_IGNORED = re.compile(r"#[^\n]*")


class Mistake(Exception):
    """A query that GitHub would refuse."""


@dataclass(slots=True)
class Field:
    """One asked field; a name that starts with a capital is an inline fragment on that type."""

    name: str
    alias: str
    arguments: Json = field(default_factory=dict)
    fields: list[Field] = field(default_factory=list)


class Parser:
    def __init__(self, query: str, variables: Json) -> None:
        self.tokens = _TOKEN.findall(_IGNORED.sub("", query))
        self.variables = variables

    def next(self, wanted: str = "") -> str:
        if not self.tokens or (wanted and self.tokens[0] != wanted):
            raise Mistake(f"Expected {wanted or 'more'}, actual: {self.tokens[0] if self.tokens else '(end)'}")
        return str(self.tokens.pop(0))

    def at(self, token: str) -> bool:
        return bool(self.tokens) and self.tokens[0] == token

    def document(self) -> list[Field]:
        if self.at("mutation"):
            raise Mistake("The sandbox answers queries only")
        while not self.at("{"):  # the operation's name and its variables' types
            self.next()
        return self.selection()

    def selection(self) -> list[Field]:
        self.next("{")
        fields = []
        while not self.at("}"):
            if self.at("..."):
                self.next()
                self.next("on")
                kind = self.next()
                fields.append(Field(kind, kind, {}, self.selection()))
                continue
            alias = name = self.next()
            if self.at(":"):
                self.next()
                name = self.next()
            arguments = self.arguments() if self.at("(") else {}
            fields.append(Field(name, alias, arguments, self.selection() if self.at("{") else []))
        self.next("}")
        return fields

    def arguments(self) -> Json:
        self.next("(")
        found: Json = {}
        while not self.at(")"):
            name = self.next()
            self.next(":")
            found[name] = self.value()
        self.next(")")
        return found

    def value(self) -> Any:
        token = self.next()
        if token == "$":  # noqa: S105 (GraphQL's sign, no secret)
            return self.variables.get(self.next())
        if token == "[":  # noqa: S105
            items = []
            while not self.at("]"):
                items.append(self.value())
            self.next("]")
            return items
        if token.startswith('"'):
            return token[1:-1].replace('\\"', '"')
        constants = {"true": True, "false": False, "null": None}
        return constants.get(token, int(token) if re.fullmatch(r"-?\d+", token) else token)


def pick(thing: Json, asked: list[Field]) -> Json:
    """What was asked of `thing`; its callable members are fields with arguments."""
    kind: str = thing["__typename"]
    found: Json = {}
    for want in asked:
        if want.name[0].isupper():
            found |= pick(thing, want.fields) if want.name == kind else {}
            continue
        if want.name not in thing:
            raise Mistake(f"Field '{want.name}' doesn't exist on type '{kind}'")
        value = thing[want.name]
        if callable(value):
            value = value(**want.arguments)
        if isinstance(value, list):
            found[want.alias] = [pick(item, want.fields) if isinstance(item, dict) else item for item in value]
        else:
            found[want.alias] = pick(value, want.fields) if isinstance(value, dict) else value
    return found


def connection(name: str, items: list[Json], paging: Json) -> Json:
    """A page of `items`; who asks for more than their number must name a size ("Rate limits and query limits for the
    GraphQL API")."""
    first, last, start = paging.get("first"), paging.get("last"), int(paging.get("after") or 0)
    if (first or last or 1) > 100 or (first or last or 1) < 1:
        raise Mistake(f"Requesting {first or last} records on the `{name}` connection exceeds the `first` limit of 100")
    end = start + first if first else len(items)
    shown = items[start:end] if first else items[-(last or 0) :]

    def nodes() -> list[Json]:
        if first is None and last is None:
            raise Mistake(f"You must provide a `first` or `last` value to properly paginate the `{name}` connection.")
        return shown

    info = {"__typename": "PageInfo", "hasNextPage": end < len(items), "endCursor": str(end) if shown else None}
    return {"__typename": "Connection", "totalCount": len(items), "nodes": nodes, "pageInfo": info}
