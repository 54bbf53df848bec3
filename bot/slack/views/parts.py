"""What all views are made of: lines whose untrusted words cannot become markup, and blocks within Slack's limits.

A line is a list of pieces: strings, and the few marks below. It is shown as `rich_text`, where words are only words;
or, where Slack takes nothing else (a section with a button, the notification's text), as mrkdwn with `& < >` escaped.
Limits: Slack's "Reference: blocks", and for a whole message what slackapi/bolt-js#2509 and #2867 measured.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from bot.changes import sign_of
from bot.privacy import plain as escape
from bot.texts import Say

Block = dict[str, Any]

MESSAGE_BLOCKS = 50
MESSAGE_SIZE = 12_500  # of a message's blocks as JSON, in UTF-16 units; Slack was seen to refuse from about 13,200
TEXT_SIZE = 3_000
VIEW_BLOCKS = 100
PRIVATE_METADATA = 3_000
URL_SIZE = 400  # a longer address would take the room of what people must read
_BIDI = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_PERSON = re.compile(r"[UW][A-Z0-9]{2,20}")
_MOMENT = "{date_short_pretty} {time}"  # "Formatting text for app surfaces": in the reader's own zone


@dataclass(frozen=True, slots=True)
class Post:
    """A message for Slack: `blocks`, and a plain `text` that says everything important where blocks are not shown."""

    text: str
    blocks: list[Block]


@dataclass(frozen=True, slots=True)
class Link:
    text: str
    url: str = ""  # without an http(s) address only the text is shown


@dataclass(frozen=True, slots=True)
class Bold:
    text: str


@dataclass(frozen=True, slots=True)
class Code:
    text: str


@dataclass(frozen=True, slots=True)
class Person:
    """A Slack user, who is notified by being named."""

    id: str


@dataclass(frozen=True, slots=True)
class When:
    """A moment; Slack shows it in each reader's own zone."""

    at: datetime
    text: str  # the same in words, where Slack does not show it


Piece = str | Link | Bold | Code | Person | When
"""What a line is made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueName:
    title: str
    label: str = ""  # "acme/shop#12"; "" while it has no number yet
    url: str = ""

    @property
    def link(self) -> Link:
        return Link(one_line(self.label or self.title, 100), self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketName:
    number: str = ""  # "" when the agent pasted the customer's words without a ticket
    url: str = ""
    helpdesk: str = ""  # as people call it: "Zendesk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """A release, a branch or an environment."""

    name: str
    url: str = ""
    since: datetime | None = None  # of an environment
    environment: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Where a fix is: its commit, the pull request that brought it, and what contains it; or what took it back."""

    sha: str = ""
    sha_url: str = ""
    pull: int | None = None
    pull_url: str = ""
    copy: str = ""  # the commit that repeats it where it is out
    copy_url: str = ""
    others: tuple[Link, ...] = ()  # the other fixes of the same issue
    version: str = ""
    version_url: str = ""
    places: tuple[Where, ...] = ()  # the environments that it runs on
    word: str = ""  # instead of all that: what a Support Dev says was done
    by: str = ""  # their name
    back: str = ""  # why it is out no more: reverted | rolled_back | failed | deleted | reopened
    back_by: Where | None = None  # what shows that


# --- text -------------------------------------------------------------------------------------------------------------


def units(text: str) -> int:
    """The length of `text` in UTF-16 units, the longest way that Slack could count it."""
    return len(text.encode("utf-16-le", "replace")) // 2


def cut(text: str, limit: int) -> str:
    """The text, or as much of it as fits in `limit` UTF-16 units with an ellipsis at its end."""
    raw = text.encode("utf-16-le", "replace")
    if len(raw) <= limit * 2:
        return text
    return raw[: (limit - 1) * 2].decode("utf-16-le", "ignore").rstrip("\u200d ") + "…"


def words(text: str, limit: int = TEXT_SIZE) -> str:
    """Untrusted text without control characters and direction overrides, its lines kept, at most `limit` long."""
    clean = text[: limit * 4].replace("\r\n", "\n").replace("\r", "\n")
    return cut("".join(c for c in clean if c == "\n" or _shown(c)).strip(), limit)


def one_line(text: str, limit: int = 150) -> str:
    """Untrusted text on a single line, at most `limit` long."""
    clean = "".join(c if _shown(c) else " " for c in text[: limit * 4])
    return cut(" ".join(clean.split()), limit)


def excerpt(text: str, limit: int) -> str:
    """The beginning of what somebody wrote, blank lines left out, so that a quote stays small."""
    lines = (" ".join(line.split()) for line in words(text, limit * 2).splitlines())
    return cut("\n".join(line for line in lines if line), limit)


def _shown(char: str) -> bool:
    return char not in _BIDI and unicodedata.category(char) not in ("Cc", "Cs")


def web(url: str) -> str:
    """The address if a browser may follow it (http or https, not overlong), else ""."""
    if units(url) > URL_SIZE or any(c.isspace() or c in '<>|"\\' for c in url):
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.netloc else ""


# --- lines ------------------------------------------------------------------------------------------------------------


def plain(pieces: Iterable[Piece]) -> str:
    """A line as bare words; who is called by it is not."""
    said = "".join(_text(piece) for piece in pieces if not isinstance(piece, Person))
    return said.lstrip(", ").strip()  # the comma after who was called


def mrkdwn(pieces: Iterable[Piece]) -> str:
    """A line as Slack's mrkdwn, untrusted words escaped."""
    return "".join(_mrkdwn(piece) for piece in pieces)


def _text(piece: Piece) -> str:
    if isinstance(piece, Person):
        return piece.id
    return piece.text if isinstance(piece, Link | Bold | Code | When) else str(piece)


def _mrkdwn(piece: Piece) -> str:
    if isinstance(piece, Person) and _PERSON.fullmatch(piece.id):
        return f"<@{piece.id}>"
    if isinstance(piece, When):
        return f"<!date^{int(piece.at.timestamp())}^{_MOMENT}|{escape(piece.text)}>"
    if isinstance(piece, Link) and piece.text and web(piece.url):
        return f"<{piece.url.replace('&', '&amp;')}|{escape(piece.text)}>"
    if isinstance(piece, Bold) and piece.text.strip() and not set(piece.text) & set("*\n"):
        return f"*{escape(piece.text.strip())}*"
    return escape(_text(piece))


def _element(piece: Piece) -> Block:
    if isinstance(piece, Person) and _PERSON.fullmatch(piece.id):
        return {"type": "user", "user_id": piece.id}
    if isinstance(piece, When):
        return {"type": "date", "timestamp": int(piece.at.timestamp()), "format": _MOMENT, "fallback": piece.text}
    if isinstance(piece, Link) and web(piece.url):
        return {"type": "link", "url": piece.url, "text": piece.text}
    text = cut(_text(piece), TEXT_SIZE)
    style = {"bold": True} if isinstance(piece, Bold) else {"code": True} if isinstance(piece, Code) else None
    return {"type": "text", "text": text, **({"style": style} if style else {})}


def _elements(pieces: Sequence[Piece]) -> list[Block]:
    return [_element(piece) for piece in pieces if _text(piece)]


# --- blocks -----------------------------------------------------------------------------------------------------------


def header(text: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": one_line(text) or "…", "emoji": False}}


def small(text: str) -> Block:
    """One quiet line."""
    return {"type": "context", "elements": [{"type": "plain_text", "text": one_line(text, 1_900), "emoji": False}]}


def lines(*rows: Sequence[Piece], quote: str = "") -> Block:
    """Lines one under another, and under them what somebody wrote, set apart as a quote."""
    body: list[Piece] = []
    for row in rows:
        if any(_text(piece) for piece in row):
            body += ["\n", *row] if body else row
    elements: list[Block] = []
    if body:
        elements.append({"type": "rich_text_section", "elements": _elements(body)})
    if quote:
        elements.append({"type": "rich_text_quote", "elements": [{"type": "text", "text": quote}]})
    return {"type": "rich_text", "elements": elements}


def bullets(rows: Iterable[Sequence[Piece]]) -> Block:
    items = [{"type": "rich_text_section", "elements": _elements(row)} for row in rows]
    return {"type": "rich_text", "elements": [{"type": "rich_text_list", "style": "bullet", "elements": items}]}


def button(label: str, action: str, value: str, *, style: str = "") -> Block:
    """A button; `style` is "primary", "danger" or nothing."""
    face = {"type": "plain_text", "text": cut(label, 75), "emoji": False}
    return {"type": "button", "action_id": action, "value": value, "text": face, **({"style": style} if style else {})}


def open_button(label: str, url: str) -> Block:
    face = {"type": "plain_text", "text": cut(label, 75), "emoji": False}
    return {"type": "button", "action_id": "open", "text": face, "url": url}


def actions(*buttons: Block) -> Block:
    return {"type": "actions", "elements": list(buttons)}


def one_row(pieces: Sequence[Piece], accessory: Block | None = None) -> Block:
    """One line with a button at its end."""
    line = mrkdwn(pieces)
    if units(line) > TEXT_SIZE:  # an address full of what must be escaped
        line = escape(cut(plain(pieces), TEXT_SIZE // 5))
    text = {"type": "mrkdwn", "text": line, "verbatim": True}
    return {"type": "section", "text": text, **({"accessory": accessory} if accessory else {})}


def size(blocks: Sequence[Block]) -> int:
    """How much of MESSAGE_SIZE these blocks take."""
    return units(json.dumps(blocks, ensure_ascii=False))


def post(text: str, blocks: Sequence[Block]) -> Post:
    """A message; `text` is bare words and is escaped here. What passes Slack's size is left out from the end."""
    kept = filled(blocks)[:MESSAGE_BLOCKS]
    while size(kept) > MESSAGE_SIZE:
        kept.pop()
    return Post(cut(escape(cut(text, 2_000)), TEXT_SIZE), kept)


def filled(blocks: Iterable[Block]) -> list[Block]:
    """The blocks that have something to show."""
    return [block for block in blocks if block.get("elements") != []]


def write_back_buttons(say: Say, write_back_id: str) -> Block:
    return actions(
        button(say("Write back"), "write_back", write_back_id, style="primary"),
        button(say("Already written"), "mark_written", write_back_id),
        button(say("Skip"), "skip", write_back_id),
        button(say("Hand over"), "hand_over", write_back_id),
    )


# --- sentences that several views share -------------------------------------------------------------------------------


def ticket_link(say: Say, ticket: TicketName) -> Link:
    """The ticket as people name it, linked."""
    if not ticket.number:
        return Link(say("the pasted ticket"), ticket.url)
    return Link(say("ticket {number}", number=one_line(ticket.number, 40)), ticket.url)


def proof_line(say: Say, proof: Proof) -> list[Piece]:
    """ "merged in #412 (3f2a91c) · in v2.18.0 · on production since 14:02", each part linked; [] when nothing is
    known."""
    parts = [_merged(say, proof)]
    if proof.copy:
        parts.append(say.pieces("copied as {commit}", commit=Link(proof.copy[:7], proof.copy_url)))
    if proof.version:
        parts.append(say.pieces("in {version}", version=Link(one_line(proof.version, 60), proof.version_url)))
    parts += [_running(say, place) for place in proof.places]
    if proof.word:
        name = one_line(proof.by, 60)
        parts.append([say("{name} says: {word}", name=name, word=one_line(proof.word, 300))])
    if proof.back:
        parts.append(taken_back(say, proof))
    line: list[Piece] = []
    for part in filter(None, parts):
        line += [" · ", *part] if line else part
    return line


def _merged(say: Say, proof: Proof) -> list[Piece]:
    line = _merge(say, proof)
    for other in proof.others[:3] if line else ():
        line += [" + ", other]
    left = len(proof.others) - 3
    return [*line, " + ", say.many("{n} other", "{n} others", left)] if line and left > 0 else line


def _merge(say: Say, proof: Proof) -> list[Piece]:
    sha, pull = Link(proof.sha[:7], proof.sha_url), f"{sign_of(proof.pull_url)}{proof.pull}"
    if proof.pull is not None and proof.sha:
        return say.pieces("merged in {pull} ({commit})", pull=Link(pull, proof.pull_url), commit=sha)
    if proof.pull is not None:
        return say.pieces("merged in {pull}", pull=Link(pull, proof.pull_url))
    return say.pieces("commit {commit}", commit=sha) if proof.sha else []


def _running(say: Say, place: Where) -> list[Piece]:
    name = Link(one_line(place.name, 60), place.url)
    if place.since is None:
        return say.pieces("on {environment}", environment=name)
    moment = When(place.since, say.on(place.since))
    return say.pieces("on {environment} since {moment}", environment=name, moment=moment)


def taken_back(say: Say, proof: Proof) -> list[Piece]:
    """Why something is out no more, as a clause."""
    where = proof.back_by or Where(name="")
    name = Link(one_line(where.name, 60), where.url)
    match proof.back:
        case "reverted" if where.environment:
            return say.pieces("reverted on {environment}", environment=name)
        case "reverted" if where.name:
            return say.pieces("reverted in {version}", version=name)
        case "reverted":
            return [say("reverted")]
        case "rolled_back" | "failed" if where.name:
            return say.pieces("no longer on {environment}", environment=name)
        case "deleted" if where.name:
            return say.pieces("{version} was withdrawn", version=name)
        case "reopened":
            return [say("opened again")]
        case _:
            return [say("no longer live")]
