"""What RT answers, in the contract's words; whatever is missing or of another type becomes empty. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from integrations.base import Attachment, Customer, Event, TicketLine, TicketTouched
from integrations.http import dicts, moment, text_of, whole
from integrations.rt.config import Config

Raw = Mapping[str, Any]

CREATE, REPLY, NOTE = "Create", "Correspond", "Comment"  # the transactions that are messages
_ATTACHMENT = re.compile(r"/Ticket/Attachment/[0-9]{1,18}/([0-9]{1,18})/.*", re.DOTALL)


def quoted(text: str) -> str:
    """A value as a search takes it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def address(config: Config, number: str) -> str:
    return f"{config.url}/Ticket/Display.html?id={number}"


def custom(record: Raw, name: str) -> tuple[str, ...]:
    """The values of a record's custom field."""
    for field in dicts(record, "CustomFields"):
        if field.get("name") == name and isinstance(field.get("values"), list):
            return tuple(text for text in map(text_of, field["values"]) if text)
    return ()


def either(name: str, ticket: Raw, customer: Raw) -> str:
    """The value of a custom field of the ticket, else of the customer."""
    return ", ".join(custom(ticket, name) or custom(customer, name))


def customer_of(config: Config, ticket: Raw, requestor: Raw) -> Customer:
    return Customer(
        id=text_of(requestor.get("id")),
        name=text_of(requestor.get("RealName")),
        email=text_of(requestor.get("EmailAddress")),
        organisation=text_of(requestor.get("Organization")),
        plan=either(config.plan_field, ticket, requestor) if config.plan_field else "",
    )


def fields_of(config: Config, ticket: Raw, requestor: Raw) -> tuple[tuple[str, str], ...]:
    found = ((ours, either(theirs, ticket, requestor)) for ours, theirs in config.fields.items())
    return tuple((ours, value) for ours, value in found if value)


def line(config: Config, ticket: Raw) -> TicketLine | None:
    number = whole(ticket.get("id"))
    if not number:
        return None
    return TicketLine(
        str(number),
        address(config, str(number)),
        text_of(ticket.get("Subject")),
        config.status(text_of(ticket.get("Status"))),
        moment(ticket.get("LastUpdated")),
    )


def file(config: Config, part: Raw) -> Attachment:
    """An attachment, at the address where a person who is signed in can read it."""
    number, kind = whole(part.get("id")), text_of(part.get("ContentType"))
    name = text_of(part.get("Filename")) or f"attachment-{number}"
    place = f"{config.url}/Ticket/Attachment/{whole(part.get('TransactionId'))}/{number}"
    return Attachment(name, f"{place}/{quote(name, safe='')}", kind, whole(part.get("ContentLength")))


def attachment_in(config: Config, url: str) -> str:
    """The id of the attachment that `file` gave this address to; "" for any other."""
    found = _ATTACHMENT.fullmatch(url.removeprefix(config.url)) if url.startswith(f"{config.url}/") else None
    return found[1] if found else ""


def numbers(items: Iterable[Raw], key: str) -> list[int]:
    """The different numbers under `key`, in order."""
    return [number for number in dict.fromkeys(whole(item.get(key)) for item in items) if number]


def touched(number: Any) -> list[Event]:
    if isinstance(number, bool) or not isinstance(number, int | str):
        return []
    return [TicketTouched(str(number))] if re.fullmatch(r"[1-9][0-9]{0,17}", str(number)) else []


def reason(answer: Any) -> str:
    """RT's own words."""
    words = answer.get("message") if isinstance(answer, dict) else ""
    return words if isinstance(words, str) else ""
