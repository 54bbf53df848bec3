"""One request to the GitLab stand-in, read, and its answers: parameters, paging and errors as GitLab's API has them."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

Json = dict[str, Any]


class Refused(Exception):
    """An answer that is an error; a text is said as `message`."""

    def __init__(self, status: int, body: str | Json, **headers: str) -> None:
        super().__init__(str(body))
        self.status = status
        self.body: Any = {"message": body} if isinstance(body, str) else body
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def missing(what: str = "") -> Refused:
    return Refused(404, f"404 {what} Not Found" if what else "404 Not found")


def wrong(text: str) -> Refused:
    """What the API's own check of parameters refuses, e.g. "title is missing"."""
    return Refused(400, {"error": text})


def invalid(name: str, *problems: str) -> Refused:
    """What a record's own rules refuse."""
    return Refused(400, {"message": {name: list(problems)}})


@dataclass(frozen=True, slots=True)
class Sent:
    """A file in a form."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Token:
    """A personal, project or group access token. The day it expires on is one on which it works no more."""

    login: str
    scopes: tuple[str, ...] = ("api",)
    expires_at: date | None = None
    revoked: bool = False
    admin: bool = False
    name: str = "passerelle"


@dataclass(frozen=True, slots=True)
class Reply:
    """`after` makes the answer itself, once nothing is locked any more."""

    content: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    after: Callable[[], Reply] | None = None


@dataclass(slots=True)
class Asked:
    """`parts` are the address's variables, `query` and `data` the parameters as sent; lists without their `[]`."""

    method: str
    address: str  # with the path still encoded, without query
    parts: Mapping[str, str]
    query: Sequence[tuple[str, str]]
    data: Json
    token: Token | None
    pattern: str = ""

    @property
    def given(self) -> Json:
        """All parameters; what the body says wins."""
        found: Json = {}
        for name, value in self.query:
            if name.endswith("[]"):
                found.setdefault(name[:-2], []).append(value)
            else:
                found[name] = value
        return found | self.data

    @property
    def login(self) -> str:
        if self.token is None:
            raise Refused(401, "401 Unauthorized")
        return self.token.login

    def iid(self, name: str = "iid") -> int:
        if not self.parts[name].isdigit():
            raise wrong(f"{name} is invalid")
        return int(self.parts[name])

    def text(self, name: str, required: bool = False) -> str | None:
        value = self.given.get(name)
        if value is None:
            if required:
                raise wrong(f"{name} is missing")
            return None
        if not isinstance(value, str):
            raise wrong(f"{name} is invalid")
        if required and not value.strip():
            raise wrong(f"{name} is empty")
        return value

    def flag(self, name: str) -> bool | None:
        value = self.given.get(name)
        if value in (None, ""):
            return None
        known = {"true": True, "1": True, "false": False, "0": False}
        if str(value).lower() not in known:
            raise wrong(f"{name} is invalid")
        return known[str(value).lower()]

    def number(self, name: str, default: int, most: int) -> int:
        value = str(self.given.get(name, ""))
        return min(max(int(value), 1), most) if value.isdigit() else default

    def choice(self, name: str, default: str, *others: str) -> str:
        value = self.given.get(name) or default
        if value not in (default, *others):
            raise wrong(f"{name} does not have a valid value")
        return str(value)

    def names(self, name: str) -> list[str] | None:
        """A list, or a text with commas."""
        value = self.given.get(name)
        if value is None:
            return None
        many = value if isinstance(value, list) else str(value).split(",")
        return [str(one).strip() for one in many if str(one).strip()]

    def numbers(self, name: str) -> list[int] | None:
        names = self.names(name)
        if names is not None and not all(one.lstrip("-").isdigit() for one in names):
            raise wrong(f"{name} is invalid")
        return None if names is None else [int(one) for one in names]

    def time(self, name: str) -> datetime | None:
        value = self.given.get(name)
        if not value:
            return None
        try:
            at = datetime.fromisoformat(str(value))
        except ValueError:
            raise wrong(f"{name} is invalid") from None
        return at if at.tzinfo else at.replace(tzinfo=UTC)

    def within(self, name: str, at: datetime) -> bool:
        """Whether `at` lies within `<name>_after` and `<name>_before`, as far as they are given."""
        after, before = self.time(f"{name}_after"), self.time(f"{name}_before")
        return (after is None or at >= after) and (before is None or at <= before)

    def page(self, items: Sequence[Any], show: Callable[[Any], Any], totals: bool = True) -> Reply:
        """One page of `items` ("Offset-based pagination"); commits are listed without totals."""
        size, page = self.number("per_page", 20, 100), self.number("page", 1, 1_000_000)
        last = max(math.ceil(len(items) / size), 1)
        goals = {"prev": page - 1 if page > 1 else 0, "next": page + 1 if page < last else 0, "first": 1}
        if totals:
            goals["last"] = last
        links = [f'<{self._link(page=goal, per_page=size)}>; rel="{rel}"' for rel, goal in goals.items() if goal]
        headers = {
            "X-Page": str(page),
            "X-Per-Page": str(size),
            "X-Prev-Page": str(goals["prev"] or ""),
            "X-Next-Page": str(goals["next"] or ""),
            "Link": ", ".join(links),
        }
        if totals:
            headers |= {"X-Total": str(len(items)), "X-Total-Pages": str(last)}
        return Reply([show(item) for item in items[(page - 1) * size : page * size]], headers=headers)

    def _link(self, **more: Any) -> str:
        kept = [(name, value) for name, value in self.query if name not in more]
        return f"{self.address}?{urlencode([*kept, *more.items()])}"

    def keyset(
        self, items: Sequence[Any], show: Callable[[Any], Any], key: Callable[[Any], list[Any]], descending: bool
    ) -> Reply:
        """One page of sorted `items` ("Keyset-based pagination"): the Link header leads on, absent at the end."""
        size, cursor = self.number("per_page", 20, 100), self.given.get("cursor")
        if cursor:
            try:
                after = json.loads(base64.urlsafe_b64decode(str(cursor)))
            except ValueError:
                raise wrong("cursor is invalid") from None
            items = [item for item in items if (key(item) < after if descending else key(item) > after)]
        headers = {}
        if len(items) > size:
            mark = base64.urlsafe_b64encode(json.dumps(key(items[size - 1])).encode()).decode()
            headers["Link"] = f'<{self._link(cursor=mark)}>; rel="next"'
        return Reply([show(item) for item in items[:size]], headers=headers)


def form(body: bytes, content_type: str) -> Json:
    """The fields of a `multipart/form-data` body (RFC 7578), files as `Sent`."""
    boundary = re.search(r'boundary="?([^";]+)', content_type)
    if boundary is None:
        raise wrong("The request body is invalid")
    found: Json = {}
    for part in body.split(b"--" + boundary[1].encode())[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        named = dict(re.findall(r'[ ;](name|filename)="([^"]*)"', head.decode()))
        content = content.removesuffix(b"\r\n")
        found[named.get("name", "")] = Sent(named["filename"], content) if "filename" in named else content.decode()
    return found
