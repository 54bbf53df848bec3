"""One Freshdesk account in the words of the contract: what is asked of its API, and what is written through it."""

from __future__ import annotations

import hashlib
import hmac
import html
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from integrations.base import (
    Ability,
    Attachment,
    BadSignature,
    Customer,
    Event,
    Finding,
    Message,
    NotFound,
    Rejected,
    ServiceError,
    Ticket,
    TicketLine,
    Unauthorised,
    Unavailable,
    Watch,
)
from integrations.freshdesk import answers, config, polling
from integrations.http import OR_UNREACHED, HttpClient, Params, dicts, header, moment, text_of, whole, within

_EMAIL = re.compile(r"[^\s\"*:<>@]+@[^\s\"*:<>@]+")
_SECRET = "x-passerelle-secret"  # noqa: S105 (a header's name)
_REGIONS = ("eu-central-1", "ap-south-1", "ap-southeast-2")  # beside the first, where accounts are kept
_STORES = ("s3.amazonaws.com", *(f"s3{dot}{region}.amazonaws.com" for region in _REGIONS for dot in ".-"))
_FILES = (".freshdesk.com", ".freshworks.com", *_STORES)
_PAGES = 50  # of one ticket's conversation


class Freshdesk:
    """The `Helpdesk` of one Freshdesk account. `timeout` is in seconds, for each call; any thread may use it."""

    kept_headers: tuple[str, ...] = ()
    abilities = frozenset(Ability) - {Ability.FOLLOWS_UP, Ability.MERGES, Ability.SIGNED, Ability.DATED}

    def __init__(self, name: str, config: config.Config, timeout: float = 10.0) -> None:
        self.name = name
        self.lane = f"freshdesk:{urlsplit(config.url).netloc}"
        self.pace = config.pace
        if not config.hold_status:
            self.abilities = self.abilities - {Ability.HOLD}
        self._config = config
        self._http = HttpClient(
            name,
            config.url,
            auth=(config.token.get_secret_value(), "X"),
            timeout=timeout,
            reason=answers.reason,
        )
        self._me = 0
        self._agents: dict[int, tuple[str, str]] = {}  # name and address by id

    def number_in(self, reference: str) -> str | None:
        """The ticket number that `4211`, `#4211` or an address of this account names; else None."""
        return config.number_in(reference, self._config.url, self._config.hosts)

    # --- reading ------------------------------------------------------------------------------------------------------

    def ticket(self, number: str) -> Ticket:
        """The ticket with its conversation, oldest message first (at most 5,000 messages)."""
        raw = self._raw(number)
        contact, company = self._detail("contacts", raw.get("requester_id")), within(raw, "company")
        requester = within(raw, "requester") or contact  # an archived ticket has neither with it
        if self._config.plan_field or self._config.fields or not company:
            company = {**company, **self._detail("companies", raw.get("company_id"))}
        writer = self._agent(whole(raw.get("responder_id"))) if answers.by_agent(raw) else answers.person(requester)
        messages = [answers.first(raw, writer)]
        reached = answers.addresses_of(requester, contact)
        messages += [self._message(one, raw, requester, reached) for one in self._conversation(number, raw)]
        named = ((name, answers.field(key, raw, contact, company)) for name, key in self._config.fields.items())
        return Ticket(
            number=str(whole(raw.get("id")) or number),
            url=f"{self._config.url}/a/tickets/{number}",
            subject=text_of(raw.get("subject")),
            customer=Customer(
                id=text_of(raw.get("requester_id")),
                name=text_of(requester.get("name")),
                email=text_of(requester.get("email")) or text_of(contact.get("email")),
                organisation=text_of(company.get("name")),
                plan=answers.field(self._config.plan_field, raw, contact, company),
            ),
            messages=tuple(sorted(messages, key=lambda message: message.at)),
            created_at=moment(raw.get("created_at")),
            updated_at=moment(raw.get("updated_at")),
            language=text_of(contact.get("language")),
            status=answers.status(raw, self._config.hold_status),
            tags=tuple(tag for tag in _list(raw.get("tags")) if isinstance(tag, str)),
            assignee=self._agent(whole(raw.get("responder_id")))[1],
            fields=tuple((name, value) for name, value in named if value),
        )

    def _raw(self, number: str) -> dict[str, Any]:
        """The ticket as Freshdesk tells it, also one that was archived for lying closed for 120 days."""
        params: Params = {"include": "requester,company"}
        try:
            raw = self._object(self._http.get(self._path(number), params), "ticket")
        except NotFound:
            raw = self._object(self._http.get(self._path(number, "archived/")), "ticket") | {"archived": True}
        if raw.get("deleted") is True:
            raise NotFound(self.name, f"ticket {number} was deleted")
        return raw

    def _conversation(self, number: str, raw: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        path = f"{self._path(number, 'archived/' if raw.get('archived') is True else '')}/conversations"
        for page in range(1, _PAGES + 1):
            answer = self._http.get(path, {"per_page": polling.PAGE, "page": page})
            yield from polling.objects(self._http, answer, "messages")
            if len(answer) < polling.PAGE:
                return

    def _detail(self, kind: str, id: Any) -> dict[str, Any]:
        """A contact or company; {} where there is none, as for an agent who asks, or none that we may see."""
        with suppress(NotFound, Unauthorised):
            return within({"found": self._http.get(f"/api/v2/{kind}/{whole(id)}")}, "found") if whole(id) else {}
        return {}

    def _agent(self, id: int) -> tuple[str, str]:
        """An agent's name and address; ("", "") for nobody, or where we may not see agents."""
        if id and id not in self._agents:
            with suppress(NotFound, Unauthorised):
                found = within({"agent": self._http.get(f"/api/v2/agents/{id}")}, "agent")
                person = within(found, "contact")
                if whole(found.get("id")) == id and text_of(person.get("email")):
                    self._agents[id] = (text_of(person.get("name")), text_of(person.get("email")))
        return self._agents.get(id, ("", ""))

    def _message(
        self, one: Mapping[str, Any], raw: Mapping[str, Any], requester: Mapping[str, Any], reached: set[str]
    ) -> Message:
        asker, author = whole(raw.get("requester_id")), whole(one.get("user_id"))
        role = answers.role(one, self._my_id(), asker)
        if role != "customer":
            return answers.message(one, role, self._agent(author), reached)
        by = answers.person(requester) if author == asker else answers.sender(one)
        return answers.message(one, role, by, reached)

    def tickets_of(self, email: str, most: int = 10) -> list[TicketLine]:
        """A customer's tickets by their e-mail address, the one that moved last first; archived ones are left out."""
        email = email.strip().lower()
        if not _EMAIL.fullmatch(email):
            return []
        for contact in polling.objects(self._http, self._http.get("/api/v2/contacts", {"email": email}), "contacts"):
            own = [contact.get("email"), *_list(contact.get("other_emails"))]
            if whole(contact.get("id")) and email in [text_of(one).lower() for one in own]:
                asked = {"requester_id": whole(contact["id"])}
                lines = polling.listed(self._http, asked, "desc", min(most, polling.PAGE))
                return [self._line(one) for one in lines if whole(one.get("id"))][:most]
        return []

    def _line(self, raw: Mapping[str, Any]) -> TicketLine:
        number = str(whole(raw.get("id")))
        url, subject = f"{self._config.url}/a/tickets/{number}", text_of(raw.get("subject"))
        return TicketLine(
            number, url, subject, answers.status(raw, self._config.hold_status), moment(raw.get("updated_at"))
        )

    def marked(self, number: str, key: str) -> str | None:
        """The id of the note or reply whose HTML carries the digest of `key`, if an agent's account wrote it."""
        me, mark = self._my_id(), answers.mark(key)
        for one in self._conversation(number, self._raw(number)):
            if mark in text_of(one.get("body")) and one.get("incoming") is False and whole(one.get("id")):
                author = whole(one.get("user_id"))
                if author == me or self._agent(author)[1]:  # a customer's account is no agent's, whatever it sends
                    return str(whole(one["id"]))
        return None

    def download(self, attachment: Attachment) -> bytes:
        """What an attachment holds, at most 10 MB; Freshdesk hands it out under signed addresses of its storage."""
        return self._http.download(attachment.url, also=_FILES)

    # --- writing ------------------------------------------------------------------------------------------------------

    def note(self, number: str, text: str, key: str) -> str:
        """Write a private note and return its id."""
        return self._write(number, "notes", {"private": True}, text, key)

    def reply(self, number: str, text: str, key: str, agent_email: str = "") -> str:
        """Send a public reply and return its id; as that agent when Freshdesk knows them, else as our account."""
        agent = self._agent_by(agent_email)
        return self._write(number, "reply", {"user_id": agent} if agent else {}, text, key)

    def _write(self, number: str, what: str, more: Mapping[str, Any], text: str, key: str) -> str:
        if not text.strip():
            raise Rejected(self.name, "an empty message cannot be sent: write something first")
        body = html.escape(text, quote=False).replace("\n", "<br>")
        answer = self._change(
            "POST", number, f"/{what}", {"body": f'<div class="{answers.mark(key)}">{body}</div>', **more}
        )
        written = whole(answer.get("id")) if isinstance(answer, dict) else 0
        if not written:
            raise Unavailable(self.name, f"it did not confirm what it wrote to ticket {number}")
        return str(written)

    def _change(self, method: Literal["POST", "PUT"], number: str, what: str, body: Mapping[str, Any]) -> Any:
        try:
            return self._http.send(method, f"{self._path(number)}{what}", body)
        except (NotFound, Rejected) as error:
            raise self._why(number) or error from None

    def _why(self, number: str) -> ServiceError | None:
        """Why a ticket takes no changes, from itself: Freshdesk only answers 404 or 405."""
        try:
            status = answers.status(self._raw(number), self._config.hold_status)
        except NotFound as error:
            return error
        except ServiceError:
            return None
        if status == "spam":
            return Rejected(self.name, f"ticket {number} is marked as spam: nobody is answered there")
        if status == "closed":
            mend = "Freshdesk archived it; write to the customer in a new ticket"
            return Rejected(self.name, f"ticket {number} is closed and takes no more messages: {mend}")
        return None

    def tag(self, number: str, tag: str) -> None:
        """Add a tag to those that are there; Freshdesk takes the whole list only."""
        tags = self._raw(number).get("tags")
        if not isinstance(tags, list):
            raise Unavailable(self.name, f"it does not tell the tags of ticket {number}", maybe_done=False)
        if tag not in tags:
            self._change("PUT", number, "", {"tags": [*tags, tag]})

    def hold(self, number: str, on: bool) -> None:
        """Give an open ticket the status `hold_status`, or one with that status the status open."""
        if self._config.hold_status is None:
            return
        before, after = (answers.OPEN, self._config.hold_status) if on else (self._config.hold_status, answers.OPEN)
        raw = self._raw(number)
        if raw.get("status") == before and answers.status(raw, self._config.hold_status) in ("open", "held"):
            self._change("PUT", number, "", {"status": after})

    def speaks_for(self, email: str) -> bool:
        """Whether a reply goes out in the name of the agent with that address."""
        return bool(self._agent_by(email))

    def _agent_by(self, email: str) -> int:
        email = email.strip().lower()
        if not _EMAIL.fullmatch(email):
            return 0
        with suppress(Unauthorised):  # our account may not see agents: then the reply is its own
            for agent in polling.objects(self._http, self._http.get("/api/v2/agents", {"email": email}), "agents"):
                same = text_of(within(agent, "contact").get("email")).lower() == email
                if same and agent.get("type") != "collaborator":
                    return whole(agent.get("id"))
        return 0

    # --- hearing of changes -------------------------------------------------------------------------------------------

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
        """An id of this very request, or BadSignature: the secret that the automation rule sends along is another.

        Two events of one ticket have the same content, so the id tells when it came: a request that is sent again
        makes us look at the ticket once more.
        """
        secret = self._config.webhook_secret
        if secret is None:
            raise BadSignature(self.name, "no webhook_secret is configured")
        given = header(headers, _SECRET).encode("utf-8", "replace")
        if not hmac.compare_digest(given, secret.get_secret_value().encode()):
            raise BadSignature(self.name, f"the header {_SECRET} is missing or does not hold webhook_secret")
        return hashlib.sha256(now.isoformat().encode() + b"\n" + body).hexdigest()

    def read(self, headers: Mapping[str, str], body: bytes) -> list[Event]:
        """The ticket that a rule's content names: our own form, or Freshdesk's simple one; else []."""
        return answers.touched(body)

    def poll(self, watch: Watch) -> tuple[list[Event], Watch]:
        """The tickets updated since `watch`, by one request where there are few; see `polling`."""
        return polling.look(self._http, watch)

    # --- checking -----------------------------------------------------------------------------------------------------

    def check(self) -> list[Finding]:
        """What would keep us from reading tickets, writing to them and holding them."""
        at, url = f"helpdesks.{self.name}", self._config.url
        try:
            me = self._object(self._http.get("/api/v2/agents/me"), "agent")
            fields = self._http.get("/api/v2/ticket_fields", {"type": "default_status"})
        except Unauthorised as error:
            mend = "copy the API key from the profile settings of the agent that Passerelle works as"
            return [Finding(f"{at}.token", f"Freshdesk refuses this API key ({error.detail})", mend)]
        except ServiceError as error:
            mend = (
                "take the address that ends in .freshdesk.com: the API does not answer at an address of your own"
                + OR_UNREACHED
            )
            return [Finding(f"{at}.url", f"{url} does not answer as Freshdesk ({error.detail})", mend)]
        found = []
        if me.get("ticket_scope") not in (None, 1):
            mend = "give this agent global access, so that Passerelle finds every ticket"
            found.append(Finding(f"{at}.token", "the agent of this API key does not see all tickets", mend))
        known = [status for field in dicts({"all": fields}, "all") for status in within(field, "choices")]
        if self._config.hold_status and known and str(self._config.hold_status) not in known:
            problem = f"Freshdesk knows no status {self._config.hold_status}"
            found.append(Finding(f"{at}.hold_status", problem, f"write one of {', '.join(known)}, or null"))
        return found

    def _my_id(self) -> int:
        if not self._me:
            me = whole(self._object(self._http.get("/api/v2/agents/me"), "agent").get("id"))
            if not me:
                raise Unavailable(self.name, "it does not tell who we are; is `url` right?", maybe_done=False)
            self._me = me
        return self._me

    def _path(self, number: str, kind: str = "") -> str:
        if not re.fullmatch(r"[0-9]{1,18}", number):
            raise NotFound(self.name, "a ticket's number is made of digits")
        return f"/api/v2/tickets/{kind}{number}"

    def _object(self, answer: Any, what: str) -> dict[str, Any]:
        if not isinstance(answer, dict):
            raise Unavailable(self.name, f"its answer is no {what}; is `url` right?", maybe_done=False)
        return answer


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
