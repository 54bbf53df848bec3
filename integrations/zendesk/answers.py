"""What Zendesk's API answers, in the contract's words; whatever is missing or of another type becomes empty. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from integrations.base import Attachment, Customer, Message, TicketLine, TicketStatus
from integrations.http import dicts, moment, text_of, texts, whole, within
from integrations.mail import reduced

Raw = Mapping[str, Any]

STAFF = ("agent", "admin")
DIRECT = ("any_channel", "facebook", "mobile_sdk", "sms", "twitter")  # channels on which a comment needs no mail
_LIGHT = (1, 3)  # role_type: light agents and contributors
METADATA = "passerelle"  # our name in an audit's `metadata.custom`
MERGED = "closed_by_merge"  # the tag that Zendesk gives a ticket which it closed so
_STATUSES: Mapping[str, TicketStatus] = {"hold": "held", "solved": "solved", "closed": "closed"}
_NAMED = re.compile(r"#([0-9]{1,18})\b")
_ADDRESS = re.compile(r"(https?://[^\s<>\"]*[^\s<>\".,:;!?'()\[\]])")


def by_id(entries: Iterable[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    return {whole(entry.get("id")): entry for entry in entries if whole(entry.get("id"))}


def is_light(agent: Raw) -> bool:
    """Whether an agent's comments are always private, by their role or by a right that was left out of it ("Users")."""
    return agent.get("role_type") in _LIGHT or agent.get("only_private_comments") is True


def status_of(ticket: Raw, requester: Raw) -> TicketStatus:
    """In our words. Who is suspended was called a sender of spam: mail to them goes nowhere."""
    if requester.get("suspended") is True:
        return "spam"
    return _STATUSES.get(text_of(ticket.get("status")), "open")


def line(ticket: Raw, url: str) -> TicketLine:
    number = str(whole(ticket.get("id")))
    return TicketLine(
        number,
        f"{url}/agent/tickets/{number}",
        text_of(ticket.get("subject")),
        status_of(ticket, {}),
        moment(ticket.get("updated_at")),
    )


def customer(ticket: Raw, requester: Raw, organisation: Raw, plan_field: str | None) -> Customer:
    return Customer(
        id=str(whole(ticket.get("requester_id")) or ""),
        name=text_of(requester.get("name")),
        email=text_of(requester.get("email")),
        organisation=text_of(organisation.get("name")),
        plan=field(plan_field, ticket, requester, organisation) if plan_field else "",
    )


def field(key: str, ticket: Raw, requester: Raw, organisation: Raw) -> str:
    """The value of an organization or user field by its key, or of a ticket field by its id; "" without one."""
    places: list[tuple[Raw, str]] = [
        (within(organisation, "organization_fields"), key),
        (within(requester, "user_fields"), key),
        *((one, "value") for one in dicts(ticket, "custom_fields") if text_of(one.get("id")) == key),
    ]
    values = (", ".join(texts(*place)) or text_of(place[0].get(place[1])) for place in places)
    return next(filter(None, values), "")


def message(comment: Raw, people: Mapping[int, Raw], me: int, requester: int) -> Message:
    author = whole(comment.get("author_id"))
    person = people.get(author, {})
    role: Literal["customer", "agent", "ours"] = "agent"
    if author == me:
        role = "ours"
    elif author and (author == requester or person.get("role") == "end-user"):
        role = "customer"
    # By nobody (Zendesk itself writes as -1) is nobody's answer: taken for an agent's, it would settle what is owed.
    is_answer = role != "agent" or person.get("role") in STAFF
    plain = text_of(comment.get("plain_body")) or text_of(comment.get("body"))
    return Message(
        id=text_of(comment.get("id")),
        author=text_of(person.get("name")),
        role=role,
        public=comment.get("public") is True and is_answer,
        at=moment(comment.get("created_at")),
        text=reduced(text_of(comment.get("html_body")), plain),
        attachments=tuple(
            Attachment(
                text_of(attached.get("file_name")),
                text_of(attached.get("content_url")),
                text_of(attached.get("content_type")),
                whole(attached.get("size")),
            )
            for attached in dicts(comment, "attachments")
        ),
        email=text_of(person.get("email")),
    )


def rich(text: str) -> str:
    """Plain text as HTML that reads the same: a comment's `body` is taken for Markdown ("Ticket Comments", Bodies), and
    what stands in braces for a placeholder ("Zendesk Support placeholders reference")."""
    parts = [html.escape(part) for part in _ADDRESS.split(text)]
    parts[1::2] = [f'<a href="{address}">{address}</a>' for address in parts[1::2]]
    return "".join(parts).replace("\n", "<br>").replace("{", "&#123;")


def comment_in(audit: Raw) -> tuple[str, bool | None]:
    """The id of the comment that an audit tells of ("" without one), and whether it is public."""
    for event in dicts(audit, "events"):
        if event.get("type") == "Comment":
            public = event.get("public")
            return text_of(event.get("id")), public if isinstance(public, bool) else None
    return "", None


def merged_into(ticket: Raw, audits: Iterable[Raw]) -> int:
    """The ticket that one closed by a merge went into, by its audits; 0 when they do not tell.

    The newest tells; of a ticket that was archived Zendesk tells all at once, in an order of its own ("Ticket Audits").
    A follow-up has its parent's tags, so of one the tag proves nothing, nor does a number in its last comment.
    """
    number, follows = whole(ticket.get("id")), within(ticket, "via", "source").get("rel") == "follow_up"
    for audit in sorted(audits, key=lambda one: (moment(one.get("created_at")), whole(one.get("id"))), reverse=True):
        source = within(audit, "via", "source")
        if source.get("rel") == "merge":
            ids = [whole(within(source, side).get("ticket_id")) for side in ("to", "from")]
            if any(one not in (0, number) for one in ids):
                return next(one for one in ids if one not in (0, number))
        comments = [event for event in dicts(audit, "events") if event.get("type") == "Comment"]
        if comments:  # the merge's own comment is the last that such a ticket can have
            named = [int(found) for found in _NAMED.findall(text_of(comments[0].get("body")))]
            return next((one for one in named if not follows and one not in (0, number)), 0)
    return 0


def is_page(content: bytes) -> bool:
    return content[:200].lstrip().lower().startswith((b"<!doctype html", b"<html"))


def reason(answer: Any) -> str:
    """Zendesk's own words: `details` per field, else the description, else the error ("Responses")."""
    if not isinstance(answer, dict):
        return ""
    details = within(answer, "details")
    told = [text_of(entry.get("description")) for key in details for entry in dicts(details, key)]
    if any(told):
        return "; ".join(filter(None, told))
    error = answer.get("error")
    if isinstance(error, dict):
        return text_of(error.get("message")) or text_of(error.get("title"))
    return text_of(answer.get("description")) or text_of(error)
