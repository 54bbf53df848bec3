"""What Freshdesk's answers and webhooks mean in the words of the contract. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from email.utils import parseaddr
from typing import Any, Literal

from integrations.base import Attachment, Event, Message, TicketStatus, TicketTouched
from integrations.http import dicts, moment, text_of, texts, whole, within
from integrations.mail import addresses_in, pictures, reduced

OPEN, SOLVED, CLOSED = 2, 4, 5
_OUTBOUND = 10  # the source of a ticket that an agent began by writing to the customer
_REPLY, _FORWARDED = 0, 8  # sources of messages; the latter went to others than the customer ("Conversations")
_PICTURE = re.compile(r"https://[a-z]{0,9}attachment\.freshdesk\.com/inline/attachment\?.+")

Person = tuple[str, str]
"""A name and an address; either may be empty."""


def mark(key: str) -> str:
    """The class by which what we wrote is found again: the key itself is nothing for a customer's mail."""
    return f"passerelle-{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def status(raw: Mapping[str, Any], held: int | None) -> TicketStatus:
    """How a ticket stands, where `held` is the status of one that waits for a developer."""
    if raw.get("spam") is True:
        return "spam"
    if raw.get("archived") is True:
        return "closed"
    if raw.get("status") in (SOLVED, CLOSED):
        return "solved"
    return "held" if held and raw.get("status") == held else "open"


def role(one: Mapping[str, Any], me: int, requester: int) -> Literal["customer", "agent", "ours"]:
    """Whose a message is; one that does not say that it came from inside is a customer's."""
    author = whole(one.get("user_id"))
    if author == me:
        return "ours"
    return "agent" if one.get("incoming") is False and author != requester else "customer"


def by_agent(raw: Mapping[str, Any]) -> bool:
    """Whether an agent wrote a ticket's first message."""
    return raw.get("source") == _OUTBOUND


def first(raw: Mapping[str, Any], author: Person) -> Message:
    """The message that a ticket began with, which is the ticket's own description."""
    return Message(
        id="description",
        author=author[0],
        role="agent" if by_agent(raw) else "customer",
        public=True,
        at=moment(raw.get("created_at")),
        text=reduced(text_of(raw.get("description")), text_of(raw.get("description_text"))),
        attachments=_attachments(raw, text_of(raw.get("description"))),
        email=author[1],
    )


def addresses_of(requester: Mapping[str, Any], contact: Mapping[str, Any]) -> set[str]:
    """Where a customer can be reached."""
    return addresses_in([person(requester)[1], person(contact)[1], *texts(contact, "other_emails")])


def _answers(one: Mapping[str, Any], addresses: set[str]) -> bool:
    """Whether what an agent wrote went to the customer: they also forward tickets, and change to whom a reply goes."""
    if one.get("source") == _FORWARDED or not whole(one.get("user_id")):
        return False
    sent_to = addresses_in([*texts(one, "to_emails"), *texts(one, "cc_emails"), *texts(one, "bcc_emails")])
    return one.get("source") != _REPLY or not (addresses and sent_to) or not addresses.isdisjoint(sent_to)


def message(
    one: Mapping[str, Any], role: Literal["customer", "agent", "ours"], author: Person, addresses: set[str]
) -> Message:
    """A reply or note, where `addresses` are the customer's. What does not say that it is public is not; nor is what
    went to somebody else, or is by nobody: taken for an agent's answer, it would settle what a customer is owed."""
    return Message(
        id=text_of(one.get("id")),
        author=author[0],
        role=role,
        public=one.get("private") is False and (role != "agent" or _answers(one, addresses)),
        at=moment(one.get("created_at")),
        text=reduced(text_of(one.get("body")), text_of(one.get("body_text"))),
        attachments=_attachments(one, text_of(one.get("body"))),
        email=author[1],
    )


def sender(one: Mapping[str, Any]) -> Person:
    """Who a mail came from, as its header says: somebody in copy is no requester."""
    return parseaddr(text_of(one.get("from_email")))


def person(raw: Mapping[str, Any]) -> Person:
    return text_of(raw.get("name")), text_of(raw.get("email"))


def field(key: str | None, ticket: Mapping[str, Any], contact: Mapping[str, Any], company: Mapping[str, Any]) -> str:
    """The first value that a custom field of that key has, of the company, the contact, the ticket."""
    values = [within(record, "custom_fields").get(key) for record in (company, contact, ticket)] if key else []
    return next((text_of(value) for value in values if text_of(value)), "")


def touched(body: bytes) -> list[Event]:
    """The ticket that a rule's content names: in our own form, or in Freshdesk's simple one; else []."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        return []
    given = payload if isinstance(payload, dict) else {}
    number = whole(given.get("ticket_id")) or whole(within(given, "freshdesk_webhook").get("ticket_id"))
    return [TicketTouched(str(number))] if 0 < number < 10**18 else []


def reason(answer: Any) -> str:
    """Freshdesk's own words: each field's message, else the message or the description ("Errors")."""
    errors = [one for one in dicts(answer, "errors") if isinstance(one.get("message"), str)]
    found = answer if isinstance(answer, dict) else {}
    words = (found.get(name) for name in ("message", "description"))
    told = "; ".join(f"{text_of(one.get('field'))}: {one['message']}".removeprefix(": ") for one in errors)
    return told or next((text for text in words if isinstance(text, str)), "")


def _attachments(raw: Mapping[str, Any], html: str) -> tuple[Attachment, ...]:
    """What was attached, and the pictures in the text: Freshdesk does not list those."""
    shown = (Attachment(name, address) for address, name in pictures(html) if _PICTURE.fullmatch(address))
    attached = (
        Attachment(
            text_of(one.get("name")),
            text_of(one.get("attachment_url")),
            text_of(one.get("content_type")),
            whole(one.get("size")),
        )
        for one in dicts(raw, "attachments")
    )
    return (*attached, *shown)
