"""What stand-in helpdesks keep, whatever their wire: people, tickets, messages and files, under times that move on.

A stand-in holds one `Records` and shows it in its vendor's words. Nothing here knows a vendor, HTTP or an adapter.
"""

from __future__ import annotations

import html as markup
import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

Role = Literal["customer", "agent", "ours"]
Status = Literal["open", "held", "solved", "closed", "spam"]


@dataclass(slots=True)
class Person:
    id: int
    name: str
    email: str
    role: Role
    organisation: str = ""
    plan: str = ""
    language: str = ""  # BCP 47


@dataclass(slots=True)
class File:
    id: int
    name: str
    content: bytes
    content_type: str = "image/png"


@dataclass(slots=True)
class Written:
    """One message of a ticket. `text` is what its author wrote: markup where `html` says so, else plain."""

    id: int
    author: Person
    public: bool
    text: str
    html: bool
    at: datetime
    files: tuple[File, ...] = ()
    extra: dict[str, str] = field(default_factory=dict)  # what this vendor keeps beside it: marks, channels

    @property
    def plain(self) -> str:
        """What a person reads."""
        return seen(self.text) if self.html else self.text

    @property
    def rich(self) -> str:
        """The same as HTML."""
        return self.text if self.html else markup.escape(self.text, quote=False).replace("\n", "<br>")


@dataclass(slots=True)
class Request:
    """A customer's request: what becomes a `Ticket` in our words."""

    number: int
    subject: str
    customer: Person
    created_at: datetime
    updated_at: datetime
    messages: list[Written] = field(default_factory=list)
    status: Status = "open"
    tags: list[str] = field(default_factory=list)
    assignee: Person | None = None
    merged_into: int | None = None
    deleted: bool = False
    extra: dict[str, str] = field(default_factory=dict)


class Records:
    """One helpdesk's content: Zoé Martin of Globex asks, Ana Moreau answers, `ours` is the account of Passerelle.

    A number or address that is not there is a LookupError. Each change happens at least `step` after the one before:
    set it to nothing to let many fall into one second.
    """

    def __init__(self, first_number: int = 4211, first_id: int = 900_001) -> None:
        self.step = timedelta(seconds=1)
        self._at = datetime.now(UTC).replace(microsecond=0)
        self._numbers = itertools.count(first_number)
        self._ids = itertools.count(first_id)
        self.people: dict[int, Person] = {}
        self.requests: dict[int, Request] = {}
        self.ours = self.person("Passerelle", "bot@acme.example", "ours")
        self.ana = self.person("Ana Moreau", "ana@acme.example", "agent")
        self.zoe = self.person("Zoé Martin", "zoe@customer.example", "customer", "Globex", "gold")

    def now(self) -> datetime:
        """The time of the next change: whole seconds, later than any before by `step`."""
        self._at = max(datetime.now(UTC).replace(microsecond=0), self._at + self.step)
        return self._at

    def new_id(self) -> int:
        return next(self._ids)

    # --- people -------------------------------------------------------------------------------------------------------

    def person(self, name: str, email: str, role: Role, organisation: str = "", plan: str = "") -> Person:
        made = Person(next(self._ids), name, email, role, organisation, plan)
        self.people[made.id] = made
        return made

    def by_email(self, email: str) -> Person:
        for person in self.people.values():
            if email and person.email.lower() == email.lower():
                return person
        raise LookupError(f"nobody has the address {email}")

    # --- what people do -----------------------------------------------------------------------------------------------

    def open(
        self,
        subject: str,
        body: str,
        *,
        html: bool = False,
        language: str = "",
        tags: Sequence[str] = (),
        customer: Person | None = None,
        by: Person | None = None,
        files: Iterable[File] = (),
    ) -> Request:
        """A ticket for the customer (Zoé), whose first message is theirs, or that of whoever opened it for them."""
        customer = customer or self.zoe
        customer.language = language or customer.language
        at = self.now()
        made = Request(next(self._numbers), subject, customer, at, at, tags=list(tags))
        self.requests[made.number] = made
        made.messages.append(Written(next(self._ids), by or customer, True, body, html, at, tuple(files)))
        return made

    def write(
        self,
        number: int | str,
        author: Person,
        text: str,
        *,
        public: bool = True,
        html: bool = False,
        files: Iterable[File] = (),
        extra: dict[str, str] | None = None,
    ) -> Written:
        """Add a message; a customer's opens a solved or held ticket again, as it does everywhere."""
        request = self.request(number)
        made = Written(next(self._ids), author, public, text, html, self.now(), tuple(files), dict(extra or {}))
        request.messages.append(made)
        request.updated_at = made.at
        if author.role == "customer" and request.status in ("solved", "held"):
            request.status = "open"
        return made

    def file(self, name: str, content: bytes, content_type: str = "image/png") -> File:
        return File(next(self._ids), name, content, content_type)

    def set_status(self, number: int | str, status: Status) -> None:
        self.touch(number).status = status

    def assign(self, number: int | str, person: Person | None) -> None:
        self.touch(number).assignee = person

    def tag(self, number: int | str, tags: Iterable[str]) -> None:
        request = self.touch(number)
        request.tags = list(dict.fromkeys([*request.tags, *tags]))

    def merge(self, number: int | str, into: int | str) -> None:
        """The one goes into the other, and is closed."""
        request = self.touch(number)
        request.merged_into, request.status = self.touch(into).number, "closed"

    def delete(self, number: int | str) -> None:
        self.touch(number).deleted = True

    def touch(self, number: int | str) -> Request:
        """The ticket, changed now."""
        request = self.request(number)
        request.updated_at = self.now()
        return request

    # --- what people see ----------------------------------------------------------------------------------------------

    def request(self, number: int | str, deleted: bool = False) -> Request:
        """The ticket of that number; a deleted one only where it is asked for."""
        found = self.requests.get(int(number)) if str(number).isascii() and str(number).isdigit() else None
        if found is None or (found.deleted and not deleted):
            raise LookupError(f"there is no ticket {number}")
        return found

    def listed(self) -> list[Request]:
        """All that were not deleted, the one that moved last first."""
        found = [request for request in self.requests.values() if not request.deleted]
        return sorted(found, key=lambda request: (request.updated_at, request.number), reverse=True)

    def message(self, id: int | str) -> tuple[Request, Written]:
        for request in self.requests.values():
            for written in request.messages:
                if str(written.id) == str(id):
                    return request, written
        raise LookupError(f"there is no message {id}")

    def attachment(self, id: int | str) -> File:
        for request in self.requests.values():
            for file in itertools.chain.from_iterable(written.files for written in request.messages):
                if str(file.id) == str(id):
                    return file
        raise LookupError(f"there is no file {id}")

    def received(self, number: int | str) -> list[str]:
        """What reached the customer."""
        messages = self.request(number).messages
        return [written.plain for written in messages if written.public and written.author.role != "customer"]


_HIDDEN = re.compile(r"<!--.*?(?:-->|\Z)|<(style|script|head)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_BREAK = re.compile(r"<br\s*/?>|</p>\s*<p[^>]*>|</div>\s*<div[^>]*>", re.IGNORECASE)


def seen(html: str) -> str:
    """What a customer's mail program shows of that HTML."""
    shown = _BREAK.sub(lambda found: "\n\n" if "p" in found[0].lower() else "\n", _HIDDEN.sub("", html))
    return markup.unescape(re.sub(r"</?[a-z][^>]*>", "", shown, flags=re.IGNORECASE)).strip("\n")
