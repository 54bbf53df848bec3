"""What stands in the Zendesk stand-in: people, organisations, tickets, and what customers and agents do to them."""

from __future__ import annotations

import html as markup
import itertools
import json
import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from integrations.base import Attachment
from integrations.sandbox.wire import Now

FIRST_ID = 361_000_000_001
FIRST_COMMENT = 1_900_000_000_001

Record = dict[str, Any]


class Desk:
    """The helpdesk's content; any thread may call it. Numbers are strings, as people type them.

    `version` grows with each change, and `changed` is notified; a number or person that is not there is a LookupError.
    """

    def __init__(self, now: Now, email: str, first_number: int) -> None:
        self.now = now
        self.url = ""  # where it is served
        self.version = 0
        self.changed = threading.Condition(threading.RLock())
        self.users: dict[int, Record] = {}
        self.organisations: dict[int, Record] = {}
        self.records: dict[int, Record] = {}
        self.files: dict[int, tuple[bytes, str]] = {}
        self._ids = itertools.count(FIRST_ID)
        self._comment_ids = itertools.count(FIRST_COMMENT)
        self._numbers = itertools.count(first_number)
        self.me = self._user("Passerelle", email, "admin")

    def told(self, kind: str, number: int) -> None:
        """What the world outside hears of a change; the stand-in sends webhooks from here."""

    @contextmanager
    def changing(self) -> Iterator[None]:
        with self.changed:
            yield
            self.version += 1
            self.changed.notify_all()

    def stamp(self) -> str:
        return self.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    # --- what people do -----------------------------------------------------------------------------------------------

    def add_agent(self, name: str, email: str) -> int:
        with self.changing():
            return self._user(name, email, "agent")

    def open_ticket(
        self,
        subject: str,
        body: str,
        customer_name: str,
        customer_email: str,
        language: str = "",
        organisation: str = "",
        plan: str = "",
        html: bool = False,
        attachments: Sequence[Attachment] = (),
        tags: Sequence[str] = (),
    ) -> str:
        """A customer's mail becomes a ticket; returns its number."""
        with self.changing():
            customer = self._user(customer_name, customer_email, "end-user")
            person = self.users[customer]
            person["locale"] = language or person["locale"]
            if organisation:
                person["organization_id"] = self._organisation(organisation, plan)
            elif plan:
                person["user_fields"]["plan"] = plan
            number = next(self._numbers)
            self._record(number, subject, customer, tags)
            self.comment(number, customer, body, html=html, attachments=attachments)
        self.told("created", number)
        return str(number)

    def customer_writes(self, number: str, text: str) -> str:
        """The customer answers by mail; a solved ticket opens again. To a closed one, the answer is a new ticket."""
        record = self.record(number)
        person = self.users[record["requester_id"]]
        if record["status"] == "closed":
            return self.open_ticket(f"Re: {record['subject']}", text, person["name"], person["email"])
        with self.changing():
            self.comment(int(number), person["id"], text)
            record["status"] = "open"
        self.told("comment_added", int(number))
        return number

    def agent_writes(self, number: str, agent_email: str, text: str, public: bool = True) -> None:
        agent = self.by_email(agent_email)
        if agent is None or agent["role"] == "end-user":
            raise LookupError(f"no agent has the address {agent_email}")
        with self.changing():
            self.comment(int(number), agent["id"], text, public=public)
            if public:
                self.record(number)["status"] = "pending"
        self.told("comment_added", int(number))

    def close(self, number: str) -> None:
        with self.changing():
            self.record(number)["status"] = "closed"
        self.told("status_changed", int(number))

    def delete(self, number: str) -> None:
        with self.changing():
            self.record(number)["status"] = "deleted"
        self.told("soft_deleted", int(number))

    def set_status(self, number: str, status: str) -> None:
        with self.changing():
            self.record(number).update(status=status, updated_at=self.stamp())
        self.told("status_changed", int(number))

    def suspend(self, number: str) -> None:
        """An agent marks the ticket as spam, which suspends its requester."""
        with self.changing():
            self.users[self.record(number)["requester_id"]]["suspended"] = True
        self.told("status_changed", int(number))

    def assign(self, number: str, agent_email: str) -> None:
        agent = self.by_email(agent_email)
        with self.changing():
            self.record(number).update(assignee_id=agent["id"] if agent else None, updated_at=self.stamp())
        self.told("agent_assignment_changed", int(number))

    def attach(self, number: str, name: str, content: bytes, content_type: str) -> None:
        """The customer sends a file by mail."""
        with self.changing():
            self.files[kept := next(self._ids)] = (content, content_type)
            attached = Attachment(
                name, f"{self.url}/attachments/token/{kept}/?name={quote(name)}", content_type, len(content)
            )
            self.comment(int(number), self.record(number)["requester_id"], "See there.", attachments=[attached])
        self.told("comment_added", int(number))

    def merge(self, number: str, into: str, by: str) -> None:
        """The agent of that address merges one ticket into another: it is closed, and both say so."""
        source, target, agent = self.record(number), self.record(into), self.by_email(by)
        author = agent["id"] if agent else self.me
        with self.changing():
            for here, other, said in (
                (source, target, f'This request was closed and merged into request #{into} "{target["subject"]}".'),
                (target, source, f'Request #{number} "{source["subject"]}" was closed and merged into this request.'),
            ):
                audit = self.comment(here["id"], author, said, public=False)
                told = {"ticket_id": other["id"], "subject": other["subject"]}
                audit["via"] = {"channel": "web", "source": {"from": told, "to": {}, "rel": "merge"}}
            source.update(status="closed", tags=[*source["tags"], "closed_by_merge"])
        self.told("merged", int(number))

    def follow(
        self, wanted: Mapping[str, Any], author: int, public: bool, custom: Mapping[str, Any]
    ) -> tuple[int, Record]:
        """A ticket made over the API; a follow-up, with its parent's tags, where it names a closed one."""
        parent = self.records.get(wanted.get("via_followup_source_id") or 0)
        follows = parent is not None and parent["status"] == "closed"
        number, subject = next(self._numbers), wanted.get("subject") or (parent or {}).get("subject", "")
        tags = wanted.get("tags") or (parent["tags"] if parent and follows else ())
        record = self._record(number, subject, wanted.get("requester_id", self.me), tags)
        record["external_id"] = wanted.get("external_id")
        if parent and follows:
            told = {"ticket_id": parent["id"], "subject": parent["subject"]}
            record["via"] = {"channel": "web", "source": {"from": told, "to": {}, "rel": "follow_up"}}
        text = wanted["comment"].get("html_body") or wanted["comment"]["body"]
        rich = bool(wanted["comment"].get("html_body"))
        return number, self.comment(number, author, text, public=public, html=rich, by=self.me, custom=custom)

    def load(self, lines: Iterable[str]) -> list[str]:
        """Open a ticket for each JSON line; returns their numbers, or raises ValueError naming the first wrong line."""
        wanted = [_parsed(at, line) for at, line in enumerate(lines, 1) if line.strip()]
        if not wanted:
            raise ValueError("there is none in it")
        return [self.open_ticket(**ticket) for ticket in wanted]

    # --- what people see ----------------------------------------------------------------------------------------------

    def tickets(self) -> list[Record]:
        with self.changed:
            return [
                self.ticket(str(number)) for number, record in self.records.items() if record["status"] != "deleted"
            ]

    def ticket(self, number: str) -> Record:
        """A ticket as JSON values: number, subject, status, customer, language, tags, comments, oldest first."""
        with self.changed:
            record = self.record(number)
            person = self.users[record["requester_id"]]
            organisation = self.organisations.get(record["organization_id"], {})
            plan = organisation.get("organization_fields", {}).get("plan") or person["user_fields"].get("plan", "")
            return {
                "number": number,
                "subject": record["subject"],
                "status": record["status"],
                "customer": {
                    "name": person["name"],
                    "email": person["email"],
                    "organisation": organisation.get("name", ""),
                    "plan": plan,
                },
                "language": person["locale"],
                "tags": list(record["tags"]),
                "comments": [self._seen(record, comment) for comment in self.comments(record)],
            }

    def replies(self, number: str) -> list[Record]:
        """The public messages that reached the ticket's customer by mail."""
        return [seen for seen in self.ticket(number)["comments"] if seen["public"] and seen["role"] != "customer"]

    def _seen(self, record: Record, comment: Record) -> Record:
        author = self.users[comment["author_id"]]
        is_customer = author["id"] == record["requester_id"] or author["role"] == "end-user"
        return {
            "author": author["name"],
            "role": "ours" if author["id"] == self.me else "customer" if is_customer else "agent",
            "public": comment["public"],
            "body": comment["plain_body"],
            "at": comment["created_at"],
        }

    # --- records ------------------------------------------------------------------------------------------------------

    def record(self, number: str) -> Record:
        found = self.records.get(int(number)) if number.isascii() and number.isdigit() else None
        if found is None or found["status"] == "deleted":
            raise LookupError(f"there is no ticket {number}")
        return found

    def comments(self, record: Record) -> list[Record]:
        return [
            event | {"created_at": audit["created_at"], "audit_id": audit["id"], "via": audit["via"]}
            for audit in record["audits"]
            for event in audit["events"]
            if event["type"] == "Comment"
        ]

    def by_email(self, email: str) -> Record | None:
        return next((user for user in self.users.values() if user["email"].lower() == email.lower()), None)

    def comment(
        self,
        number: int,
        author: int,
        text: str,
        *,
        public: bool = True,
        html: bool = False,
        attachments: Sequence[Attachment] = (),
        by: int | None = None,
        custom: Mapping[str, Any] | None = None,
    ) -> Record:
        """Add a comment and return its audit; `by` is the account that sends it for the author, over the API, where
        what is no HTML is read as Markdown, and placeholders are filled, with nothing here."""
        rich = text if html else markup.escape(text, quote=False).replace("\n", "<br>")
        rich = re.sub(r"\{\{.*?\}\}", "", rich) if by else rich
        if by and not html:
            rich = re.sub(r"(\*\*|\*|_)(\S[^<>]*?)\1", r"<em>\2</em>", rich)
        plain = markup.unescape(re.sub(r"<[^>]+>", "", rich.replace("<br>", "\n")))
        event = {
            "id": next(self._comment_ids),
            "type": "Comment",
            "author_id": author,
            "body": plain,
            "html_body": f'<div class="zd-comment" dir="auto">{rich}</div>',
            "plain_body": plain,
            "public": public,
            "attachments": [_attached(next(self._ids), attachment) for attachment in attachments],
        }
        return self.audit(number, by or author, [event], custom, "api" if by else "email")

    def audit(
        self, number: int, author: int, events: list[Record], custom: Mapping[str, Any] | None, channel: str
    ) -> Record:
        record = self.records[number]
        audit = {
            "id": next(self._comment_ids),
            "ticket_id": number,
            "created_at": self.stamp(),
            "author_id": author,
            "metadata": {"system": {}, "custom": dict(custom or {})},
            "via": {"channel": channel},
            "events": events,
        }
        record["audits"].append(audit)
        record["updated_at"] = audit["created_at"]
        return audit

    def _record(self, number: int, subject: str, customer: int, tags: Iterable[str]) -> Record:
        record = self.records[number] = {
            "id": number,
            "external_id": None,
            "subject": subject,
            "status": "new",
            "requester_id": customer,
            "submitter_id": customer,
            "assignee_id": None,
            "organization_id": self.users[customer]["organization_id"],
            "tags": list(tags),
            "custom_fields": [],
            "via": None,
            "created_at": self.stamp(),
            "updated_at": self.stamp(),
            "audits": [],
        }
        return record

    def _user(self, name: str, email: str, role: str) -> int:
        known = self.by_email(email) if email else None
        if known is not None:
            return int(known["id"])
        user: Record = {
            "id": next(self._ids),
            "name": name,
            "email": email,
            "role": role,
            "role_type": {"admin": 4, "agent": 0}.get(role),
            "only_private_comments": False,
            "ticket_restriction": None,
            "locale": "",
            "organization_id": None,
            "user_fields": {},
            "suspended": False,
            "active": True,
        }
        self.users[user["id"]] = user
        return int(user["id"])

    def _organisation(self, name: str, plan: str) -> int:
        for known in self.organisations.values():
            if known["name"] == name:
                known["organization_fields"]["plan"] = plan or known["organization_fields"]["plan"]
                return int(known["id"])
        made: Record = {"id": next(self._ids), "name": name, "organization_fields": {"plan": plan}}
        self.organisations[made["id"]] = made
        return int(made["id"])


def _attached(number: int, attachment: Attachment) -> Record:
    return {
        "id": number,
        "file_name": attachment.name,
        "content_url": attachment.url,
        "content_type": attachment.content_type,
        "size": attachment.size,
        "inline": False,
    }


def _parsed(at: int, line: str) -> dict[str, Any]:
    """The arguments of `open_ticket` in one JSON line."""
    try:
        ticket = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"line {at}: this is not JSON ({error})") from None
    if not isinstance(ticket, dict):
        raise ValueError(f"line {at}: a ticket is an object with subject, body and customer")
    customer = ticket.get("customer")
    if not isinstance(customer, dict):
        raise ValueError(f'line {at}: `customer` is missing; it looks like {{"name": "…", "email": "…"}}')
    values = {
        "subject": ticket.get("subject"),
        "body": ticket.get("body"),
        "customer_name": customer.get("name"),
        "customer_email": customer.get("email"),
        "language": ticket.get("language") or "",
    }
    for name, value in values.items():
        told = name.replace("customer_", "customer.")
        if not isinstance(value, str):
            raise ValueError(f"line {at}: `{told}` must be text")
        if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
            raise ValueError(f"line {at}: `{told}` holds half a character (a lone surrogate)")
        if not value.strip() and name != "language":
            raise ValueError(f"line {at}: `{told}` is empty")
    return values
