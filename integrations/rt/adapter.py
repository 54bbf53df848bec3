"""One Request Tracker in the words of the contract: what is asked of its interface, and what is written through it."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from integrations.base import (
    Ability,
    Attachment,
    Event,
    Finding,
    NotFound,
    Rejected,
    ServiceError,
    Ticket,
    TicketLine,
    Unauthorised,
    Unavailable,
    Watch,
)
from integrations.http import OR_UNREACHED, HttpClient, Params, dicts, moment, text_of, whole, within
from integrations.rt import answers, config, conversation, deliveries, polling
from integrations.rt.lists import page

_TICKETS, _TRANSACTIONS = "RT::Queue-RT::Ticket", "RT::Queue-RT::Ticket-RT::Transaction"  # what a custom field is for
_LARGEST = 7_000_000  # bytes of a file: written in base64, ten million
_TOO_LARGE = "the file is too large to be read through RT's interface (7 MB)"
_MADE = re.compile(r".*/transaction/([0-9]{1,18})/?")
_NEEDED = {"correspond": "ReplyToTicket", "comment": "CommentOnTicket"}  # links of a ticket, and the rights behind them


class RT:
    """The `Helpdesk` of one Request Tracker. `timeout` is in seconds, for each call; any thread may use it."""

    kept_headers: tuple[str, ...] = (deliveries.SIGNED_AT,)
    abilities = frozenset(
        {
            Ability.HOLD,
            Ability.MERGES,
            Ability.SPAM,
            Ability.DATED,
            Ability.MARKS,
            Ability.SIGNED,
            Ability.TAGS,
            Ability.LANGUAGE,
            Ability.PLAN,
        }
    )

    def __init__(self, name: str, config: config.Config, timeout: float = 10.0) -> None:
        self.name = name
        parts = urlsplit(config.url)
        self.lane = f"rt:{parts.netloc}{parts.path}"
        self.pace = config.pace
        self._config = config
        self._http = HttpClient(
            name,
            f"{config.url}/REST/2.0",
            headers={"Authorization": f"token {config.token.get_secret_value()}"},
            timeout=timeout,
            reason=answers.reason,
        )
        self._people = conversation.People(self._http)
        self._can_mark = False
        self._keeps: bool | None = None  # the keys of what we write, as far as was seen

    def number_in(self, reference: str) -> str | None:
        """The ticket number that `123`, `#123` or an address of this RT names; else None."""
        return config.number_in(reference, self._config.url)

    # --- reading ------------------------------------------------------------------------------------------------------

    def ticket(self, number: str) -> Ticket:
        """The ticket with its conversation, oldest message first, with what was said on those merged into it."""
        raw = self._raw(number)
        number = str(whole(raw["id"]))
        asking = self._requestors(number, raw)
        asks: Mapping[str, Any] = next((one for one in asking if text_of(one.get("EmailAddress"))), (asking or [{}])[0])
        names = {name for name in (text_of(one.get("id")) for one in asking) if name}
        return Ticket(
            number=number,
            url=answers.address(self._config, number),
            subject=text_of(raw.get("Subject")),
            customer=answers.customer_of(self._config, raw, asks),
            messages=tuple(conversation.read(self._http, self._config, self._people, number, names)),
            created_at=moment(raw.get("Created")),
            updated_at=moment(raw.get("LastUpdated")),
            language=text_of(asks.get("Lang")).replace("_", "-"),
            status=self._config.status(text_of(raw.get("Status"))),
            tags=answers.custom(raw, self._config.tag_field) if self._config.tag_field else (),
            assignee=text_of(within(raw, "Owner").get("EmailAddress")),
            fields=answers.fields_of(self._config, raw, asks),
        )

    def _raw(self, number: str) -> dict[str, Any]:
        """The ticket, or the one that it was merged into: RT follows that itself. A deleted one is not there."""
        if not re.fullmatch(r"[0-9]{1,18}", number):
            raise NotFound(self.name, "a ticket's number is made of digits")
        raw = self._http.get(f"/ticket/{number}", {"fields[Owner]": "EmailAddress"})
        if not isinstance(raw, dict) or not whole(raw.get("id")):
            raise Unavailable(self.name, "its answer is no ticket; is `url` right?", maybe_done=False)
        if raw.get("Status") == "deleted":
            raise NotFound(self.name, f"ticket {number} was deleted")
        return raw

    def _requestors(self, number: str, raw: Mapping[str, Any]) -> list[dict[str, Any]]:
        # A ticket by itself tells their names alone; /user/ would tell the rest to an administrator of users only.
        told = "EmailAddress,RealName,Organization,Lang,CustomFields"
        query = {"query": f"id = {number}", "fields": "Requestor", "fields[Requestor]": told}
        found = page(self._http, "/tickets", query)
        return dicts(found[0], "Requestor") if found else dicts(raw, "Requestor")

    def tickets_of(self, email: str, most: int = 10) -> list[TicketLine]:
        """The tickets that the person of that address asked for, the one that moved last first."""
        if "@" not in email:
            return []
        query: Params = {
            "query": f"Requestor.EmailAddress = {answers.quoted(email.strip())}",
            "fields": "Subject,Status,LastUpdated",
            "orderby": "LastUpdated",
            "order": "DESC",
            "per_page": max(1, min(most, 100)),
        }
        lines = [answers.line(self._config, ticket) for ticket in page(self._http, "/tickets", query)]
        return [line for line in lines if line is not None][:most]

    def marked(self, number: str, key: str) -> str | None:
        """The id of the message that carries `key` in our custom field of transactions; only our own are looked at.

        RT compares without regard to case; and what we wrote may stand in a ticket that was merged into this one since.
        """
        value = f"CF.{{{self._config.mark_field}}} = {answers.quoted(key)}"
        query = f"ObjectType = 'RT::Ticket' AND Creator = '__CurrentUser__' AND {value}"
        wanted = {"query": query, "fields": "ObjectId,CustomFields"}
        asked = number if number.isdigit() else ""
        for item in page(self._http, "/transactions", wanted):
            where, written = whole(item.get("ObjectId")), whole(item.get("id"))
            if not where or not written or key not in answers.custom(item, self._config.mark_field):
                continue
            if str(where) == asked or self._raw(str(where))["id"] == self._raw(number)["id"]:
                return str(written)
        return None

    def download(self, attachment: Attachment) -> bytes:
        """What an attachment holds; a text as UTF-8, however it came."""
        number = answers.attachment_in(self._config, attachment.url)
        if not number:
            raise Rejected(self.name, "the file stands at another address than RT's own, so it was not read")
        if attachment.size > _LARGEST:
            raise Rejected(self.name, _TOO_LARGE)
        try:
            found = self._http.get(f"/attachment/{number}")
        except Unavailable as error:
            raise Rejected(self.name, _TOO_LARGE) if "more than 10 MB" in error.detail else error from None
        content = found.get("Content") if isinstance(found, dict) else None
        if not isinstance(content, str):
            raise Unavailable(self.name, "its answer does not hold the file", maybe_done=False)
        try:
            return base64.b64decode(content)
        except (binascii.Error, ValueError):
            raise Unavailable(self.name, "its answer does not hold the file", maybe_done=False) from None

    # --- writing ------------------------------------------------------------------------------------------------------

    def note(self, number: str, text: str, key: str) -> str:
        """Write a comment, which its customer does not see, and return its id."""
        return self._write(number, "comment", text, key)

    def reply(self, number: str, text: str, key: str, agent_email: str = "") -> str:
        """Send a reply in our own user's name, for RT knows no other way, and return its id.

        Rejected where the ticket has no requestor, whom alone RT would write to.
        """
        return self._write(number, "correspond", text, key)

    def _write(self, number: str, how: Literal["comment", "correspond"], text: str, key: str) -> str:
        if not text.strip():
            raise Rejected(self.name, "an empty message cannot be sent: write something first")
        raw = self._raw(number)  # RT would take a message on a deleted ticket
        if how == "correspond" and raw.get("Requestor") == []:
            raise Rejected(self.name, f"ticket {number} has no requestor, so a reply would reach nobody: add one in RT")
        self._require_mark(how)
        body = {"Content": text, "ContentType": "text/plain", "TxnCustomFields": {self._config.mark_field: key}}
        _, place = self._http.create(f"/ticket/{whole(raw['id'])}/{how}", body)
        made = _MADE.fullmatch(place)
        if made is None:
            raise Unavailable(self.name, f"it did not confirm what it wrote to ticket {number}")
        if not self._keeps:
            self._keeps = self._kept(made[1], key)
        return made[1]

    def _require_mark(self, how: str) -> None:
        """Unauthorised where what we write could not be found again: RT takes a message whose custom field it does not
        know or lets us not set, and leaves the field out; in the latter case it even says that it was set."""
        name = self._config.mark_field
        if not self._can_mark and not self._knows(name, _TRANSACTIONS):
            raise Unauthorised(self.name, f"nothing was written, since the custom field {name!r} is missing: {_MARK}")
        self._can_mark = True
        if how == "correspond" and self._keeps is False:  # a comment may try: the right may be granted by now
            raise Unauthorised(self.name, f"nothing was sent, since RT does not let us set {name!r}: {_MARK}")

    def _kept(self, written: str, key: str) -> bool | None:
        try:
            found = self._http.get(f"/transaction/{written}")
        except ServiceError:  # what was written stays written
            return self._keeps
        return key in answers.custom(found, self._config.mark_field) if isinstance(found, dict) else self._keeps

    def _knows(self, field: str, of: str) -> bool:
        query = json.dumps([{"field": "Name", "value": field}, {"field": "LookupType", "value": of}])
        found = page(self._http, "/customfields", {"query": query, "fields": "Name,LookupType,Disabled"})
        fields = [(one.get("Name"), one.get("LookupType"), whole(one.get("Disabled"))) for one in found]
        return (field, of, 0) in fields

    def tag(self, number: str, tag: str) -> None:
        """Add a value to the ticket's custom field for tags, if one is configured."""
        field = self._config.tag_field
        if not field:
            return
        raw = self._raw(number)
        there = answers.custom(raw, field)
        if tag not in there:
            self._http.send("PUT", f"/ticket/{whole(raw['id'])}", {"CustomFields": {field: [*there, tag]}})

    def hold(self, number: str, on: bool) -> None:
        """Set the status that means held, or open again; Rejected with RT's words where it does not allow that."""
        raw = self._raw(number)
        wanted = self._config.theirs("held" if on else "open")
        if not wanted or self._config.status(text_of(raw.get("Status"))) != ("open" if on else "held"):
            return
        said = self._http.send("PUT", f"/ticket/{whole(raw['id'])}", {"Status": wanted})
        if self._raw(number).get("Status") != wanted:
            words = "; ".join(map(text_of, said)) if isinstance(said, list) else ""
            raise Rejected(self.name, words or f"ticket {number} cannot be set to {wanted}")

    # --- webhooks and polling -----------------------------------------------------------------------------------------

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
        """An id of the delivery, or BadSignature: see `deliveries`."""
        secret = self._config.webhook_secret
        return deliveries.verify(self.name, secret.get_secret_value() if secret else None, headers, body, now)

    def read(self, headers: Mapping[str, str], body: bytes) -> list[Event]:
        """The ticket that the scrip names; else []."""
        return deliveries.read(body)

    def poll(self, watch: Watch) -> tuple[list[Event], Watch]:
        """The tickets that something but a comment happened to: see `polling`."""
        return polling.look(self._http, watch)

    # --- checking -----------------------------------------------------------------------------------------------------

    def check(self) -> list[Finding]:
        """What would keep us from reading tickets and writing to them, as far as RT tells."""
        at = f"helpdesks.{self.name}"
        try:
            version = text_of(within({"rt": self._http.get("/rt")}, "rt").get("Version"))
            if not version:
                raise Unavailable(self.name, "it names no version")
            return [*self._fields_missing(at), *self._rights_missing(at)]
        except Unauthorised as error:
            return [Finding(f"{at}.token", f"Request Tracker refuses this token ({error.detail})", _MEND_TOKEN)]
        except ServiceError as error:
            mend = (
                "compare `url` with the address in your browser when you work in Request Tracker, version 5 or newer"
                + OR_UNREACHED
            )
            return [Finding(f"{at}.url", f"{self._config.url} does not answer as RT ({error.detail})", mend)]

    def _fields_missing(self, at: str) -> list[Finding]:
        found = []
        if not self._knows(self._config.mark_field, _TRANSACTIONS):
            problem = f"RT shows us no custom field {self._config.mark_field!r} of tickets' transactions"
            found.append(Finding(f"{at}.mark_field", problem, _MARK))
        if self._config.tag_field and not self._knows(self._config.tag_field, _TICKETS):
            problem = f"RT shows us no custom field {self._config.tag_field!r} of tickets"
            found.append(Finding(f"{at}.tag_field", problem, "make it in RT, or grant SeeCustomField on it"))
        return found

    def _rights_missing(self, at: str) -> list[Finding]:
        """By the newest ticket that we see: RT names no rights, but links what can be done to it."""
        if not page(self._http, "/queues/all", {"per_page": 1}):
            return [Finding(f"{at}.token", "this user sees no queue", _MEND_RIGHTS)]
        newest = page(self._http, "/tickets", {"query": "id > 0", "orderby": "id", "order": "DESC", "per_page": 1})
        if not newest or not whole(newest[0].get("id")):
            return []
        raw = self._http.get(f"/ticket/{whole(newest[0].get('id'))}")
        links = {text_of(link.get("ref")) for link in dicts(raw, "_hyperlinks")}
        missing = [right for link, right in _NEEDED.items() if link not in links]
        if not missing:
            return []
        return [Finding(f"{at}.token", f"this user lacks {' and '.join(missing)} on some queue", _MEND_RIGHTS)]


_MARK = (
    "in RT, make it under Admin, Custom Fields (enter one value, for ticket transactions), apply it to all queues, and "
    "grant Passerelle's user SeeCustomField and ModifyCustomField on it"
)
_MEND_TOKEN = "sign in to RT as Passerelle's user and make a token under Settings, Auth Tokens"  # noqa: S105
_MEND_RIGHTS = (
    "grant Passerelle's user SeeQueue, ShowTicket, ShowTicketComments, CommentOnTicket, ReplyToTicket and ModifyTicket"
)
