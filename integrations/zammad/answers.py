"""What Zammad's API answers, in the contract's words; whatever is missing or of another type becomes empty. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from integrations.base import Attachment, Customer, Message, TicketLine, TicketStatus
from integrations.http import dicts, moment, text_of, whole, within
from integrations.mail import addresses_in, pictures, reduced

Raw = Mapping[str, Any]

METADATA = "passerelle"  # our name in an article's `preferences`
NOBODY = 1  # the id of the system's own user, which owns what nobody does
_STATUSES: Mapping[str, TicketStatus] = {
    "pending reminder": "held",
    "closed": "solved",  # an agent's message is taken all the same
    "removed": "solved",
    "merged": "closed",
}


def listed(answer: Any) -> list[dict[str, Any]]:
    """The objects of an answer that is a list."""
    return dicts({"all": answer}, "all")


def states(answer: Any) -> dict[str, str]:
    """The type of each state by its name ("States")."""
    return {
        text_of(one.get("name")): text_of(one.get("state_type")) or text_of(one.get("name")) for one in listed(answer)
    }


def status_of(ticket: Raw, types: Mapping[str, str], hold_status: str | None) -> TicketStatus:
    name = text_of(ticket.get("state"))
    return "held" if name and name == hold_status else _STATUSES.get(types.get(name, name), "open")


def line(ticket: Raw, url: str, status: TicketStatus) -> TicketLine:
    return TicketLine(
        text_of(ticket.get("number")),
        f"{url}/#ticket/zoom/{whole(ticket.get('id'))}",
        text_of(ticket.get("title")),
        status,
        moment(ticket.get("updated_at")),
    )


def name_of(person: Raw) -> str:
    names = (text_of(person.get(key)).strip() for key in ("firstname", "lastname"))
    return " ".join(filter(None, names))


def is_agent(person: Raw) -> bool:
    """Who works in a group is no customer; roles have whatever names an administrator gave them."""
    return person.get("active") is True and bool(within(person, "group_ids") or within(person, "groups"))


def customer(person: Raw, plan: str) -> Customer:
    email, organisation = text_of(person.get("email")), text_of(person.get("organization"))
    return Customer(text_of(person.get("id")), name_of(person), email, organisation, plan)


def language(person: Raw) -> str:
    """BCP 47, from Zammad's "fr-fr": a region that says no more than the language is left out."""
    language, _, region = text_of(within(person, "preferences").get("locale")).partition("-")
    return f"{language}-{region.upper()}" if region and region != language else language


def field(key: str, *records: Raw) -> str:
    """The first value of that attribute, lists and choices with a label as text."""
    for record in records:
        value = record.get(key)
        values = value if isinstance(value, list) else [value]
        shown = [text_of(one.get("label")) if isinstance(one, dict) else text_of(one) for one in values]
        if any(shown):
            return ", ".join(filter(None, shown))
    return ""


def author(article: Raw) -> int:
    """Whom an article is by: who wrote it, or for whom it was written down."""
    return whole(article.get("origin_by_id")) or whole(article.get("created_by_id"))


def addresses_of(customer: Raw, requester: int, articles: Iterable[Raw]) -> set[str]:
    """Where a customer can be reached: at the address that Zammad knows, and at those they wrote from."""
    theirs = (one for one in articles if author(one) == requester and one.get("sender") == "Customer")
    wrote = [text_of(one.get("from")) for one in theirs]
    return addresses_in([text_of(customer.get("email")), *wrote])


def _reached(article: Raw, addresses: set[str]) -> bool:
    """Whether the customer can have read it. Agents also send mails from a ticket to others alone, as a supplier, and
    a mail may not be delivered."""
    if text_of(article.get("type")) != "email" or text_of(article.get("sender")) == "Customer":
        return True
    if within(article, "preferences").get("delivery_status") == "fail":
        return False
    return not addresses.isdisjoint(addresses_in(text_of(article.get(key)) for key in ("to", "cc")))


def message(article: Raw, people: Mapping[int, Raw], me: int, requester: int, addresses: set[str], url: str) -> Message:
    """One article; what is not clearly for the customer to read is internal."""
    by, sender = author(article), text_of(article.get("sender"))
    person = people.get(by, {})
    role: Literal["customer", "agent", "ours"] = "agent"
    if sender == "Customer" or (not sender and by == requester):
        role = "customer"
    # What triggers send ("System") is no agent's word, as little as ours is.
    elif whole(article.get("created_by_id")) == me or sender != "Agent":
        role = "ours"
    body, is_html = text_of(article.get("body")), "html" in text_of(article.get("content_type"))
    return Message(
        id=text_of(article.get("id")),
        author=name_of(person) or text_of(article.get("from")),
        role=role,
        public=article.get("internal") is False and _reached(article, addresses),
        at=moment(article.get("created_at")),
        text=reduced(body) if is_html else reduced("", body),
        attachments=tuple(attachments(article, url)),
        email=text_of(person.get("email")),
    )


def attachments(article: Raw, url: str) -> Iterable[Attachment]:
    """Those that the author attached, and the pictures in the text, which Zammad leaves out of its list; the HTML of a
    mail is kept as one, too, and is not theirs."""
    path = f"/api/v1/ticket_attachment/{whole(article.get('ticket_id'))}/{whole(article.get('id'))}"
    at = f"{url}{path}"
    for file in dicts(article, "attachments"):
        about = within(file, "preferences")
        if whole(file.get("id")) and not about.get("original-format"):
            kind = text_of(about.get("Mime-Type")) or text_of(about.get("Content-Type"))
            name, size = text_of(file.get("filename")), whole(file.get("size"))
            yield Attachment(name, f"{at}/{whole(file.get('id'))}", kind.partition(";")[0], size)
    own = re.compile(rf"(?:{re.escape(url)})?{path}/([0-9]{{1,18}})(?:\?.*)?")
    for address, name in pictures(text_of(article.get("body"))):
        if shown := own.fullmatch(address):
            yield Attachment(name, f"{at}/{shown[1]}")


def merged_into(history: Any, ticket: int) -> int:
    """The id of the ticket that one was merged into, by its history; 0 when that does not tell."""
    for entry in reversed(dicts(history, "history")):
        if entry.get("type") == "merged_into" and whole(entry.get("id_to")) != ticket:
            return whole(entry.get("id_to"))
    return 0


def reason(answer: Any) -> str:
    """Zammad's own words, the ones meant for people where it has such."""
    return text_of(within(answer).get("error_human")) or text_of(within(answer).get("error"))
