"""One Intercom workspace in the words of the contract: what is asked of its API, and what is written through it."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from integrations import polling
from integrations.base import (
    Ability,
    Attachment,
    BadSignature,
    Customer,
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
from integrations.http import OR_UNREACHED, HttpClient, dicts, header, signed, text_of, whole, within
from integrations.intercom import answers, config

_VERSION = "2.14"
_EMAIL = re.compile(r"[^\s\"*:<>@]+@[^\s\"*:<>@]+")
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
_SIGNATURE = "x-hub-signature"
# Where Intercom keeps files ("Using Intercom with Content Security Policy", and the examples of the API).
_FILES = (
    *(".intercomcdn.com", ".intercomcdn.eu", ".intercomusercontent.com"),
    *(".intercom-attachments.com", ".intercom-attachments.eu"),
    *(f"{dot}intercom-attachments-{n}.com" for n in range(1, 10) for dot in ("", ".")),
)
_PAGE = 150  # the most that one page of a search holds
_PAGES = 10  # in one look
_HOPS = 5  # merges, one after the other
_CANDIDATES = 20  # conversations of a contact that another one may have been merged into
_LATE = timedelta(seconds=120)  # that a change may take to be found by a search
_DAY = 86_400  # seconds


class Intercom:
    """The `Helpdesk` of one Intercom workspace. `timeout` is in seconds, for each call; any thread may use it."""

    kept_headers: tuple[str, ...] = ()
    abilities = frozenset(
        {Ability.AS_AGENT, Ability.HOLD, Ability.MERGES, Ability.SIGNED, Ability.TAGS, Ability.LANGUAGE, Ability.PLAN}
    )

    def __init__(self, name: str, config: config.Config, timeout: float = 10.0) -> None:
        self.name = name
        self.lane = f"intercom:{urlsplit(config.url).netloc}"
        self.pace = config.pace
        self._config = config
        self._http = HttpClient(
            name,
            config.url,
            headers={"Authorization": f"Bearer {config.token.get_secret_value()}", "Intercom-Version": _VERSION},
            timeout=timeout,
            reason=answers.reason,
        )
        self._own = ("", "")  # our teammate's id, and the workspace's

    def number_in(self, reference: str) -> str | None:
        """The conversation that `4211`, `#4211` or an address of the Inbox names; else None."""
        return config.number_in(reference, self._config.url)

    # --- reading ------------------------------------------------------------------------------------------------------

    def ticket(self, number: str) -> Ticket:
        """The conversation with its parts, oldest first (Intercom tells the newest 500)."""
        raw = self._surviving(self._raw(number))
        number, (me, _) = str(whole(raw.get("id")) or number), self._me()
        people = dicts(within(raw, "contacts"), "contacts")
        contact = self._detail("contacts", people[0].get("id")) if people else {}
        asks = answers.asks(raw)
        companies = dicts(within(contact, "companies"), "data")
        company = self._detail("companies", companies[0].get("id")) if companies else {}
        assignee = self._detail("admins", raw.get("admin_assignee_id") or None)
        named = ((name, answers.field(key, raw, contact, company)) for name, key in self._config.fields.items())
        return Ticket(
            number=number,
            url=self._url(number),
            subject=answers.subject(raw),
            customer=Customer(
                id=text_of(contact.get("id")),
                name=text_of(contact.get("name")) or text_of(asks.get("name")),
                email=text_of(contact.get("email")) or text_of(asks.get("email")),
                organisation=text_of(company.get("name")),
                plan=answers.field(self._config.plan_field, raw, contact, company),
            ),
            messages=answers.messages(raw, me),
            created_at=answers.moment(raw.get("created_at")),
            updated_at=answers.moment(raw.get("updated_at")),
            language=answers.language(contact),
            status=answers.status(raw),
            tags=tuple(text_of(tag.get("name")) for tag in _tags(raw) if text_of(tag.get("name"))),
            assignee=text_of(assignee.get("email")),
            fields=tuple((name, value) for name, value in named if value),
        )

    def _surviving(self, raw: dict[str, Any]) -> dict[str, Any]:
        """The conversation, or the one that it was merged into, where there is no doubt about that: both say when it
        was, and neither with which other, so that is looked for among its contacts' own."""
        seen = {text_of(raw.get("id"))}
        for _ in range(_HOPS):
            if (at := answers.merged_at(raw)) is None:
                break
            ids = [one["id"] for one in dicts(within(raw, "contacts"), "contacts") if text_of(one.get("id"))]
            query = {"field": "contact_ids", "operator": "IN", "value": ids[:15]}
            lines, _ = self._search(query, "descending", _CANDIDATES) if ids else ([], "")
            later = {str(whole(one.get("id"))) for one in lines if _updated(one) >= at - answers.SAME} - seen
            found = (self._detail("conversations", number) for number in later - {"0"})
            onward = [one for one in found if answers.took_in(one, at)]
            if len(onward) != 1:
                break
            [raw] = onward
            seen.add(text_of(raw.get("id")))
        return raw

    def _raw(self, number: str) -> dict[str, Any]:
        return self._object(self._http.get(self._path(number)), "conversation")

    def _detail(self, kind: str, id: Any) -> dict[str, Any]:
        """A contact, company, admin or other conversation; {} where there is none, or none that our token may see."""
        if not _ID.fullmatch(text_of(id)):
            return {}
        with suppress(NotFound, Unauthorised):
            return within({"found": self._http.get(f"/{kind}/{id}")}, "found")
        return {}

    def _url(self, number: str) -> str:
        return f"{config.inbox(self._config.url)}/a/inbox/{self._me()[1]}/inbox/conversation/{number}"

    def tickets_of(self, email: str, most: int = 10) -> list[TicketLine]:
        """The conversations of all contacts that have this address, the one that moved last first."""
        email = email.strip().lower()
        if not _EMAIL.fullmatch(email):
            return []
        asked = {"query": {"field": "email", "operator": "=", "value": email}}
        contacts = self._listed(self._http.ask("/contacts/search", asked), "data")
        ids = [one["id"] for one in contacts if text_of(one.get("email")).lower() == email and text_of(one.get("id"))]
        if not ids:
            return []
        query = {"field": "contact_ids", "operator": "IN", "value": ids[:15]}
        lines, _ = self._search(query, "descending", min(most, _PAGE))
        return [self._line(raw) for raw in sorted(lines, key=_updated, reverse=True) if whole(raw.get("id"))][:most]

    def _line(self, raw: Mapping[str, Any]) -> TicketLine:
        number = str(whole(raw.get("id")))
        return TicketLine(number, self._url(number), answers.subject(raw), answers.status(raw), _updated(raw))

    def _search(
        self, query: Mapping[str, Any], order: str, most: int, after: str = ""
    ) -> tuple[list[dict[str, Any]], str]:
        """Conversations by their last change, and where the next page begins; "" after the last."""
        page = {"per_page": most, **({"starting_after": after} if after else {})}
        asked = {"query": query, "sort": {"field": "updated_at", "order": order}, "pagination": page}
        answer = self._http.ask("/conversations/search", asked)
        return self._listed(answer, "conversations"), text_of(within(answer, "pages", "next").get("starting_after"))

    def marked(self, number: str, key: str) -> str | None:
        """The id of the note that carries `key`. Of a reply nothing can be told."""
        return answers.marked(self._raw(number), key, self._me()[0])

    def download(self, attachment: Attachment) -> bytes:
        """What an attachment holds, at most 10 MB; Intercom hands it out under signed addresses of its storage."""
        return self._http.download(attachment.url, also=_FILES)

    # --- writing ------------------------------------------------------------------------------------------------------

    def note(self, number: str, text: str, key: str) -> str:
        """Write a note and return its id."""
        self._path(number)
        body = answers.paragraph(text, self._url(number) + answers.mark(key))
        return self._write(number, "note", text, body, self._me()[0])

    def reply(self, number: str, text: str, key: str, agent_email: str = "") -> str:
        """Reply to the customer and return the part's id; as that teammate when Intercom has them, else as our own."""
        if answers.merged_at(self._raw(number)) is not None:
            raise Rejected(self.name, f"ticket {number} was merged into another: write there")
        return self._write(number, "comment", text, answers.paragraph(text), self._admin(agent_email) or self._me()[0])

    def _write(self, number: str, kind: str, text: str, body: str, admin: str) -> str:
        if not text.strip():
            raise Rejected(self.name, "an empty message cannot be sent: write something first")
        message = {"message_type": kind, "type": "admin", "admin_id": admin, "body": body}
        part = answers.written(self._http.send("POST", f"{self._path(number)}/reply", message), kind, admin)
        if not part:
            raise Unavailable(self.name, f"it did not confirm what it wrote to ticket {number}")
        return part

    def tag(self, number: str, tag: str) -> None:
        """Add a tag, made where Intercom has none of that name."""
        if tag in [tag.get("name") for tag in _tags(self._raw(number))]:
            return
        made = text_of(within({"tag": self._http.send("POST", "/tags", {"name": tag})}, "tag").get("id"))
        if not made:
            raise Unavailable(self.name, "it did not tell the tag's id")
        self._http.send("POST", f"{self._path(number)}/tags", {"id": made, "admin_id": self._me()[0]})

    def hold(self, number: str, on: bool) -> None:
        """Snooze an open conversation for `hold_days`, or open a snoozed one; the customer's next word opens it."""
        if self._raw(number).get("state") != ("open" if on else "snoozed"):
            return
        body: dict[str, Any] = {"message_type": "snoozed" if on else "open", "admin_id": self._me()[0]}
        if on:
            body["snoozed_until"] = int(time.time()) + self._config.hold_days * _DAY
        self._http.send("POST", f"{self._path(number)}/parts", body)

    def speaks_for(self, email: str) -> bool:
        """Whether a reply goes out in the name of the agent with that address."""
        return bool(self._admin(email))

    def _admin(self, email: str) -> str:
        email = email.strip().lower()
        if _EMAIL.fullmatch(email):
            with suppress(Unauthorised):  # our token may not see admins: then the reply is our own
                for admin in self._listed(self._http.get("/admins"), "admins"):
                    answers_customers = admin.get("type") == "admin" and admin.get("has_inbox_seat") is True
                    if answers_customers and text_of(admin.get("email")).lower() == email:
                        return text_of(admin.get("id"))
        return ""

    # --- hearing of changes -------------------------------------------------------------------------------------------

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
        """The notification's id, or BadSignature: "sha1=" and the HMAC-SHA1 of the body under the client secret."""
        secret = self._config.webhook_secret
        if secret is None:
            raise BadSignature(self.name, "no webhook_secret is configured")
        kind, _, given = header(headers, _SIGNATURE).partition("=")
        if kind != "sha1" or not signed(secret.get_secret_value(), body, given, algorithm="sha1"):
            raise BadSignature(self.name, "the signature is missing or does not fit the content")
        return text_of(answers.notification(body).get("id")) or hashlib.sha256(body).hexdigest()

    def read(self, headers: Mapping[str, str], body: bytes) -> list[Event]:
        """The conversation that a notification is about; else []."""
        return answers.touched(body)

    def poll(self, watch: Watch) -> tuple[list[Event], Watch]:
        """The conversations updated since `watch`, by a search: one request where there are few."""
        return polling.look(watch, self._newest, self._changed, _LATE)

    def _newest(self) -> datetime:
        lines, _ = self._search({"field": "updated_at", "operator": ">", "value": 0}, "descending", 1)
        return max(map(_updated, lines), default=polling.EVER)

    def _changed(self, since: datetime) -> tuple[dict[str, datetime], bool]:
        # One second earlier: whether ">" means "or equal" depends on the page that one reads.
        query = {"field": "updated_at", "operator": ">", "value": max(int(since.timestamp()) - 1, 0)}
        found: dict[str, datetime] = {}
        after = ""
        for _ in range(_PAGES):
            lines, after = self._search(query, "ascending", _PAGE, after)
            found |= {str(whole(raw.get("id"))): _updated(raw) for raw in lines}
            if not after:
                break
        found.pop("0", None)
        return found, bool(after)

    # --- checking -----------------------------------------------------------------------------------------------------

    def check(self) -> list[Finding]:
        """What would keep us from reading conversations and writing to them."""
        at = f"helpdesks.{self.name}"
        try:
            me = self._object(self._http.get("/me"), "admin")
        except Unauthorised as error:
            mend = "copy the access token from the app's page Authentication in the Developer Hub"
            return [Finding(f"{at}.token", f"Intercom refuses this token ({error.detail})", mend)]
        except ServiceError as error:
            mend = (
                "write the API's address of your region: api.intercom.io, api.eu.intercom.io or api.au.intercom.io"
                + OR_UNREACHED
            )
            return [Finding(f"{at}.url", f"{self._config.url} does not answer as Intercom ({error.detail})", mend)]
        if me.get("has_inbox_seat") is False:
            mend = "give that teammate an Inbox seat"
            return [Finding(f"{at}.token", "the teammate of this token has no Inbox seat and cannot reply", mend)]
        try:
            self._newest()
        except Unauthorised as error:
            mend = "let the app read conversations: its page Authentication in the Developer Hub, Permissions"
            return [Finding(f"{at}.token", f"this token does not open conversations ({error.detail})", mend)]
        except ServiceError as error:
            return [Finding(f"{at}.url", f"conversations cannot be read ({error.detail})", "try again in a while")]
        return []

    def _me(self) -> tuple[str, str]:
        """The ids of our teammate and of the workspace."""
        if not self._own[0]:
            me = self._object(self._http.get("/me"), "admin")
            own = (text_of(me.get("id")), text_of(within(me, "app").get("id_code")))
            if not all(map(_ID.fullmatch, own)):
                raise Unavailable(self.name, "it does not tell who we are; is `url` right?", maybe_done=False)
            self._own = own
        return self._own

    def _path(self, number: str) -> str:
        if not re.fullmatch(r"[0-9]{1,18}", number):
            raise NotFound(self.name, "a ticket's number is made of digits")
        return f"/conversations/{number}"

    def _object(self, answer: Any, what: Literal["admin", "conversation"]) -> dict[str, Any]:
        if not isinstance(answer, dict) or answer.get("type", what) != what:
            raise Unavailable(self.name, f"its answer is no {what}; is `url` right?", maybe_done=False)
        return answer

    def _listed(self, answer: Any, key: str) -> list[dict[str, Any]]:
        if not isinstance(answer, dict) or not isinstance(answer.get(key), list):
            raise Unavailable(self.name, f"its answer has no `{key}`; is `url` right?", maybe_done=False)
        return dicts(answer, key)


def _tags(raw: Mapping[str, Any]) -> list[dict[str, Any]]:
    return dicts(within(raw, "tags"), "tags")


def _updated(raw: Mapping[str, Any]) -> datetime:
    return answers.moment(raw.get("updated_at"))
