"""A ticket's conversation: its transactions, and what their attachments hold, in few requests however long it is."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import quote

from integrations.base import Message, NotFound
from integrations.http import HttpClient, moment, text_of, whole, within
from integrations.mail import reduced
from integrations.rt import answers
from integrations.rt.config import Config
from integrations.rt.lists import PAGE, page, rows

Raw = Mapping[str, Any]

_FILES_MOST = 4_000_000  # bytes of one part that is read as a message
_AT_ONCE = (40, 2_000_000)  # parts and bytes that one request asks for
_MOST_LOOKED_UP = 30  # people, for one ticket
_BYTES = "application/octet-stream"
_ORIGINAL = re.compile(r"^X-RT-Original-Content-Type: *(text/(?:plain|html))", re.MULTILINE | re.IGNORECASE)
_MESSAGES = (answers.CREATE, answers.REPLY, answers.NOTE)


class People:
    """Who is who in one RT: ourselves, its agents, and all others. Any thread may ask."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http
        self._me = ""
        self._agents: set[str] = set()

    def me(self, tickets: Iterable[int]) -> str:
        """Our own user's name, if we ever wrote to one of these tickets. RT tells it in no other way."""
        if not self._me:
            query = f"ObjectType = 'RT::Ticket' AND ({either(tickets)}) AND Creator = '__CurrentUser__'"
            found = page(self._http, "/transactions", {"query": query, "fields": "Creator", "per_page": 1})
            self._me = text_of(within(found[0], "Creator").get("id")) if found else ""
        return self._me

    def agents(self, names: Iterable[str]) -> set[str]:
        """Those who are privileged, as RT says; who is not known for one is none."""
        unknown = [name for name in dict.fromkeys(names) if name and name not in self._agents]
        for name in unknown[:_MOST_LOOKED_UP]:
            try:
                found = self._http.get(f"/user/{quote(name, safe='@')}")
            except NotFound:
                continue
            if whole(within({"user": found}, "user").get("Privileged")) == 1:
                self._agents.add(name)
        return set(self._agents)


def read(http: HttpClient, config: Config, people: People, number: str, customers: set[str]) -> list[Message]:
    """The messages of a ticket and of those merged into it, oldest first."""
    told = {"fields": "Type,Creator,Created,ObjectId", "fields[Creator]": "RealName,EmailAddress"}
    history = list(rows(http, f"/ticket/{number}/history", told))
    turns = [turn for turn in history if turn.get("Type") in _MESSAGES and whole(turn.get("id"))]
    parts: defaultdict[int, list[Raw]] = defaultdict(list)
    listed = {"fields": "ContentType,Filename,TransactionId,ContentLength"}
    for part in _retyped(http, list(rows(http, f"/ticket/{number}/attachments", listed))):
        parts[whole(part.get("TransactionId"))].append(part)
    texts = _contents(http, [part for turn in turns for part in _said(parts[whole(turn["id"])])])
    me = people.me([int(number), *answers.numbers(history, "ObjectId")])
    others = {_who(turn) for turn in turns} - customers - {me}
    agents = people.agents(sorted(others))

    def message(turn: Raw) -> Message:
        name = _who(turn)
        role: Literal["customer", "agent", "ours"] = "agent" if name in agents - customers else "customer"
        creator, own = within(turn, "Creator"), parts[whole(turn["id"])]
        return Message(
            id=str(whole(turn["id"])),
            author=text_of(creator.get("RealName")) or name,
            role="ours" if name and name == me else role,
            public=turn["Type"] != answers.NOTE,
            at=moment(turn.get("Created")),
            text=_text(_said(own), texts),
            attachments=tuple(answers.file(config, part) for part in own if _is_file(part)),
            email=text_of(creator.get("EmailAddress")),
        )

    return sorted(map(message, turns), key=lambda said: (said.at, int(said.id)))


def either(tickets: Iterable[int]) -> str:
    return " OR ".join(f"TicketId = {number}" for number in dict.fromkeys(tickets))


def _who(turn: Raw) -> str:
    return text_of(within(turn, "Creator").get("id"))


def _kind(part: Raw) -> str:
    return text_of(part.get("ContentType")).lower()


def _is_file(part: Raw) -> bool:
    kind = _kind(part)
    if not whole(part.get("id")) or kind.startswith(("multipart/", "message/")):
        return False
    return bool(text_of(part.get("Filename"))) or (kind != "" and not kind.startswith("text/"))


def _said(parts: Iterable[Raw]) -> list[Raw]:
    """The parts that hold the words of the message: where the mail has them in two forms, its HTML, and else all of
    them. What stands in a message that was attached is somebody else's."""
    found: list[Raw] = []
    twice = False
    for part in sorted(parts, key=lambda one: whole(one.get("id"))):
        kind = _kind(part)
        if kind.startswith("message/"):
            break
        twice = twice or kind == "multipart/alternative"
        if kind in ("text/html", "text/plain") and not text_of(part.get("Filename")) and whole(part.get("id")):
            found.append(part)
    rich = [part for part in found if _kind(part) == "text/html"]
    return rich if twice and rich else found


def _text(parts: list[Raw], texts: Mapping[int, str]) -> str:
    if any(whole(part.get("ContentLength")) > _FILES_MOST for part in parts):
        return "[This message is too long to be shown here; it stands in the ticket]"
    words = [(_kind(part) == "text/html", texts.get(whole(part.get("id")), "")) for part in parts]
    if all(is_html for is_html, _ in words):
        return reduced("\n".join(text for _, text in words))
    return reduced("", "\n".join(reduced(text) if is_html else text for is_html, text in words))


def _retyped(http: HttpClient, parts: list[dict[str, Any]]) -> list[Raw]:
    """The parts, with words again called a text: what came in a charset that RT does not know, it calls bytes."""
    doubtful = [part for part in parts if _kind(part) == _BYTES and not text_of(part.get("Filename"))]
    headers = _asked(http, doubtful, "Headers")
    found: list[Raw] = []
    for part in parts:
        was = _ORIGINAL.search(headers.get(whole(part.get("id")), "")) if part in doubtful else None
        found.append({**part, "ContentType": was[1].lower()} if was else part)
    return found


def _contents(http: HttpClient, parts: Iterable[Raw]) -> dict[int, str]:
    """What these parts hold, by their ids; RT has made their text Unicode."""
    return {number: text for some in _portions(parts) for number, text in _asked(http, some, "Content").items()}


def _asked(http: HttpClient, parts: Sequence[Raw], field: str) -> dict[int, str]:
    """One field of some attachments, by their ids; at most a page of them."""
    if not parts:
        return {}
    query = json.dumps([{"field": "id", "value": str(whole(part.get("id")))} for part in parts[:PAGE]])
    found = page(http, "/attachments", {"query": query, "fields": field})
    return {whole(part.get("id")): text_of(part.get(field)) for part in found}


def _portions(parts: Iterable[Raw]) -> Iterator[list[Raw]]:
    some: list[Raw] = []
    size = 0
    for part in parts:
        length = whole(part.get("ContentLength"))
        if length > _FILES_MOST:
            continue
        if some and (len(some) == _AT_ONCE[0] or size + length > _AT_ONCE[1]):
            yield some
            some, size = [], 0
        some.append(part)
        size += length
    if some:
        yield some
