"""What Intercom's answers and webhooks mean in the words of the contract. Pure."""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from integrations.base import Attachment, Event, Message, TicketStatus, TicketTouched
from integrations.http import dicts, text_of, whole, within
from integrations.mail import pictures, reduced

_SHOWN = frozenset({"comment", "open", "close", "quick_reply"})  # the part types whose text the customer gets
SAME = timedelta(seconds=2)  # between what the two conversations of a merge say
_STAFF = frozenset({"admin", "team", "bot"})
_CUSTOMERS = frozenset({"user", "lead", "contact"})
# An uploaded picture's path; the address stands in what a stranger wrote, so nothing in it may lead up from there.
_STORED = re.compile(r"(?!.*%2[ef])/i/o(?:/[\w+~%-][\w.,+~%@()!-]*)+", re.IGNORECASE)
_WORD = re.compile(r"(?<!\S)(?!\S*://)\S+")
_TOPIC = re.compile(r"conversation(?:_part)?\.")


def moment(value: Any) -> datetime:
    """A Unix time as Intercom has them; the year 1970 when it is none."""
    try:
        return datetime.fromtimestamp(whole(value), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)


def status(raw: Mapping[str, Any]) -> TicketStatus:
    """How a conversation stands; a closed one opens again by the next word in it, but for one that was merged."""
    state = raw.get("state")
    if merged_at(raw) is not None:
        return "closed"
    return "held" if state == "snoozed" else "solved" if state == "closed" else "open"


def merged_at(raw: Mapping[str, Any]) -> datetime | None:
    """When a conversation was merged into another one, if it was ("Merging conversations and tickets")."""
    return max(_times(raw, "merged_secondary_conversation"), default=None)


def took_in(raw: Mapping[str, Any], at: datetime) -> bool:
    """Whether another one was merged into this conversation then."""
    return any(abs(one - at) <= SAME for one in _times(raw, "merged_primary_conversation"))


def _times(raw: Mapping[str, Any], kind: str) -> list[datetime]:
    parts = dicts(within(raw, "conversation_parts"), "conversation_parts")
    return [moment(part.get("created_at")) for part in parts if part.get("part_type") == kind]


def subject(raw: Mapping[str, Any]) -> str:
    """Its title, else the subject of the mail that began it, else the first words: a chat has none."""
    source = within(raw, "source")
    named = reduced(text_of(raw.get("title"))) or reduced(text_of(source.get("subject")))
    words = (named or reduced(_body(source))).split("\n")[0]
    return words if named or len(words) <= 80 else f"{words[:79].rstrip()}…"


def messages(raw: Mapping[str, Any], me: str) -> tuple[Message, ...]:
    """What was said, oldest first; events without a word (assigned, tagged …) are left out."""
    source = within(raw, "source")
    first = _message({**source, "created_at": raw.get("created_at"), "part_type": "comment"}, me)
    parts = [part for part in dicts(within(raw, "conversation_parts"), "conversation_parts") if _says_something(part)]
    return tuple(sorted([first, *(_message(part, me) for part in parts)], key=lambda message: message.at))


def _says_something(part: Mapping[str, Any]) -> bool:
    return bool(_body(part) or dicts(part, "attachments"))


def _body(part: Mapping[str, Any]) -> str:
    """Its HTML; nothing of what was redacted, in whose place Intercom says that it was."""
    return "" if part.get("redacted") is True else text_of(part.get("body"))


def _message(part: Mapping[str, Any], me: str) -> Message:
    author = within(part, "author")
    kind = text_of(author.get("type"))
    role: Literal["customer", "agent", "ours"] = "agent" if kind in _STAFF else "customer"
    if kind == "admin" and text_of(author.get("id")) == me:
        role = "ours"
    return Message(
        id=text_of(part.get("id")),
        author=text_of(author.get("name")),
        role=role,
        # What a bot said is nobody's answer: taken for an agent's, it would settle what a customer is owed. Bots speak
        # for teams, too; a person is an admin.
        public=text_of(part.get("part_type")) in _SHOWN
        and kind not in ("bot", "team")
        and author.get("from_ai_agent") is not True,
        at=moment(part.get("created_at")),
        text=reduced(_body(part)),
        attachments=tuple(_attachments(part)),
        email=text_of(author.get("email")),
    )


def asks(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The first customer who said something, as a conversation itself tells of them; {} when it was none yet."""
    parts = [within(raw, "source"), *dicts(within(raw, "conversation_parts"), "conversation_parts")]
    authors = [within(part, "author") for part in parts]
    return next((author for author in authors if text_of(author.get("type")) in _CUSTOMERS), {})


def _attachments(part: Mapping[str, Any]) -> Iterator[Attachment]:
    """The files, and the pictures in the text, which Intercom leaves out of its list."""
    for one in dicts(part, "attachments"):
        name, kind = text_of(one.get("name")), text_of(one.get("content_type"))
        yield Attachment(name, text_of(one.get("url")), kind, whole(one.get("filesize")))
    for address, name in pictures(_body(part)):
        if _STORED.fullmatch(_path(address)):
            yield Attachment(name, address)


def _path(address: str) -> str:
    try:
        return urlsplit(address).path
    except ValueError:
        return ""


def field(key: str | None, raw: Mapping[str, Any], contact: Mapping[str, Any], company: Mapping[str, Any]) -> str:
    """The first value that an attribute of that name has, of the company, the contact, the conversation."""
    values = [within(record, "custom_attributes").get(key) for record in (company, contact, raw)] if key else []
    values += [within(company, "plan").get("name")] if key == "plan" else []
    return next((text_of(value) for value in values if text_of(value)), "")


def language(contact: Mapping[str, Any]) -> str:
    return text_of(contact.get("language_override")) or text_of(contact.get("browser_language"))


# --- what we write ----------------------------------------------------------------------------------------------------


def mark(key: str) -> str:
    return f"#passerelle-{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def paragraph(text: str, link: str = "") -> str:
    """Plain text as HTML that reads the same; its first word, or the first that is no address, leads to `link`."""
    word = _WORD.search(text) or re.search(r"\S+", text)
    if not link or word is None:
        return f"<p>{_escaped(text)}</p>"
    before, linked, after = (_escaped(one) for one in (text[: word.start()], word[0], text[word.end() :]))
    return f'<p>{before}<a href="{html.escape(link)}">{linked}</a>{after}</p>'


def _escaped(text: str) -> str:
    return html.escape(text, quote=False).replace("\n", "<br>")


def written(answer: Any, kind: str, admin: str) -> str:
    """The newest message of that kind by that admin, of the conversation that a write answers with; "" without one.

    What opens a closed conversation again is a part of the type "open", though it has a text like any other.
    """
    parts = dicts(within({"raw": answer}, "raw", "conversation_parts"), "conversation_parts")
    kinds = ("note", "note_and_reopen") if kind == "note" else ("comment", "open")
    own = [part for part in parts if part.get("part_type") in kinds and _by(part, admin) and text_of(part.get("body"))]
    newest = max(own, key=lambda part: (moment(part.get("created_at")), whole(part.get("id"))), default={})
    return text_of(newest.get("id"))


def marked(raw: Mapping[str, Any], key: str, me: str) -> str | None:
    """The note of ours whose link ends in the digest of `key`."""
    for part in dicts(within(raw, "conversation_parts"), "conversation_parts"):
        is_note = part.get("part_type") == "note" and _by(part, me)
        if is_note and f'{mark(key)}"' in text_of(part.get("body")) and text_of(part.get("id")):
            return text_of(part["id"])
    return None


def _by(part: Mapping[str, Any], admin: str) -> bool:
    author = within(part, "author")
    return author.get("type") == "admin" and text_of(author.get("id")) == admin


# --- what comes in ----------------------------------------------------------------------------------------------------


def notification(body: bytes) -> dict[str, Any]:
    """A webhook's content; {} for what is none."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return payload if isinstance(payload, dict) else {}


def touched(body: bytes) -> list[Event]:
    """The conversation that a topic is about ("Webhook models"); else []."""
    payload = notification(body)
    item = within(payload, "data", "item")
    of_conversation = _TOPIC.match(text_of(payload.get("topic"))) and item.get("type", "conversation") == "conversation"
    number = whole(item.get("id")) if of_conversation else 0
    return [TicketTouched(str(number))] if 0 < number < 10**18 else []


def reason(answer: Any) -> str:
    """Intercom's own words, of each error ("Errors")."""
    told = [one.get("message") or one.get("code") for one in dicts(answer, "errors")]
    return "; ".join(text for text in told if isinstance(text, str))
