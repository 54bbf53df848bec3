"""One Zammad in the words of the contract: what is asked of its API, and what is written through it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from integrations.base import (
    Ability,
    Attachment,
    BadSignature,
    Event,
    Finding,
    NotFound,
    Rejected,
    ServiceError,
    Ticket,
    TicketLine,
    TicketTouched,
    Unauthorised,
    Unavailable,
    Watch,
)
from integrations.http import OR_UNREACHED, HttpClient, header, moment, signed, text_of, texts, whole, within
from integrations.zammad import answers, config, polling

_DELIVERY = "x-zammad-delivery"
_EMAIL = re.compile(r"[^\s\"*:()@]+@[^\s\"*:()@]+")
_DIGITS = re.compile(r"[0-9]{1,18}")
_HOPS = 5  # merges, one after the other
_MOST_PEOPLE = 40  # of one ticket, that are looked up


class Zammad:
    """The `Helpdesk` of one Zammad. `timeout` is in seconds, for each call; any thread may use it."""

    kept_headers: tuple[str, ...] = (_DELIVERY,)
    abilities = frozenset(Ability) - {Ability.CLOSES, Ability.FOLLOWS_UP, Ability.SPAM, Ability.DATED}

    def __init__(self, name: str, config: config.Config, timeout: float = 10.0) -> None:
        self.name = name
        self.lane = f"zammad:{urlsplit(config.url).netloc}"
        self.pace = config.pace
        self._config = config
        token = f"Token token={config.token.get_secret_value()}"
        self._http = HttpClient(
            name, config.url, headers={"Authorization": token}, timeout=timeout, reason=answers.reason
        )
        self._me = 0
        self._is_agent = False
        self._types: dict[str, str] = {}
        self._ids: dict[str, int] = {}

    def number_in(self, reference: str) -> str | None:
        """A number as people know it, or, from an address of this Zammad, "id-" and the id that it holds; else None."""
        return config.number_in(reference, self._config.url)

    # --- reading ------------------------------------------------------------------------------------------------------

    def ticket(self, number: str) -> Ticket:
        """The ticket with its conversation, oldest message first."""
        raw = self._surviving(number)
        ticket, asks, owner = whole(raw.get("id")), whole(raw.get("customer_id")), whole(raw.get("owner_id"))
        articles = answers.listed(self._http.get(f"/api/v1/ticket_articles/by_ticket/{ticket}", {"expand": "true"}))
        wanted = dict.fromkeys([asks, owner, *map(answers.author, articles)])
        people = {one: self._person(one) for one in list(wanted)[:_MOST_PEOPLE] if one not in (0, answers.NOBODY)}
        customer = people.get(asks, {})
        places = (raw, customer, self._organisation(raw))
        named = ((name, answers.field(key, *places)) for name, key in self._config.fields.items())
        plan = answers.field(self._config.plan_field, *places) if self._config.plan_field else ""
        tags = self._http.get("/api/v1/tags", {"object": "Ticket", "o_id": ticket})
        reached = answers.addresses_of(customer, asks, articles)
        messages = [answers.message(one, people, self._my_id(), asks, reached, self._config.url) for one in articles]
        return Ticket(
            number=text_of(raw.get("number")),
            url=f"{self._config.url}/#ticket/zoom/{ticket}",
            subject=text_of(raw.get("title")),
            customer=answers.customer(customer, plan),
            messages=tuple(sorted(messages, key=lambda message: message.at)),
            created_at=moment(raw.get("created_at")),
            updated_at=moment(raw.get("updated_at")),
            language=answers.language(customer),
            status=answers.status_of(raw, self._states(), self._config.hold_status),
            tags=texts(tags, "tags"),
            assignee=text_of(people.get(owner, {}).get("email")),
            fields=tuple((name, value) for name, value in named if value),
        )

    def _surviving(self, number: str) -> dict[str, Any]:
        """The ticket, or the one that it was merged into: its history tells which."""
        raw, seen = self._raw(number), set[int]()
        for _ in range(_HOPS):
            here = whole(raw.get("id"))
            if self._type(raw) != "merged" or here in seen:
                break
            seen.add(here)
            onward = answers.merged_into(self._http.get(f"/api/v1/ticket_history/{here}"), here)
            if not onward:
                break
            try:
                raw = self._by_id(onward)
            except NotFound:  # the one that took its place was deleted
                break
        return raw

    def _raw(self, number: str) -> dict[str, Any]:
        return self._by_id(config.id_in(number) or self._ids.get(number) or self._id_of(number))

    def _by_id(self, ticket: int) -> dict[str, Any]:
        raw = self._http.get(f"/api/v1/tickets/{ticket}", {"expand": "true"})
        number = text_of(raw.get("number")) if isinstance(raw, dict) else ""
        if not _DIGITS.fullmatch(number) or whole(raw.get("id")) != ticket:
            raise Unavailable(self.name, "its answer is no ticket; is `url` right?", maybe_done=False)
        self._ids[number] = ticket
        return dict(raw)

    def _id_of(self, number: str) -> int:
        """The id of the ticket with that number, by a condition: a search for words would find it in others' texts."""
        if not _DIGITS.fullmatch(number):
            raise NotFound(self.name, "a ticket's number is made of digits")
        for found in self._search({"ticket.number": number}, 1):
            if text_of(found.get("number")) == number and whole(found.get("id")):
                return whole(found.get("id"))
        raise NotFound(self.name, f"there is no ticket {number}, or it is hidden from us")

    def _search(self, condition: Mapping[str, str | int], most: int) -> list[dict[str, Any]]:
        params: dict[str, str | int] = {"expand": "true", "per_page": most, "sort_by": "updated_at", "order_by": "desc"}
        for key, value in condition.items():
            params |= {f"condition[{key}][operator]": "is", f"condition[{key}][value]": value}
        return answers.listed(self._http.get(polling.SEARCH, params))

    def _person(self, person: int) -> dict[str, Any]:
        try:
            return within({"it": self._http.get(f"/api/v1/users/{person}", {"expand": "true"})}, "it")
        except NotFound:
            return {}

    def _organisation(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """The customer's organisation, where an attribute of it may be wanted."""
        wanted, found = self._config.plan_field or self._config.fields, whole(raw.get("organization_id"))
        if not wanted or not found:
            return {}
        try:
            return within({"it": self._http.get(f"/api/v1/organizations/{found}")}, "it")
        except (NotFound, Unauthorised):
            return {}

    def tickets_of(self, email: str, most: int = 10) -> list[TicketLine]:
        """A customer's tickets, the one that moved last first; those merged into others left out."""
        person = self._by_email(email)
        customer = whole(person.get("id"))
        found = self._search({"ticket.customer_id": customer}, max(1, min(most + 10, 100))) if customer else []
        lines = [
            answers.line(raw, self._config.url, answers.status_of(raw, self._states(), self._config.hold_status))
            for raw in found
            if whole(raw.get("customer_id")) == customer and whole(raw.get("id")) and self._type(raw) != "merged"
        ]
        return [line for line in lines if _DIGITS.fullmatch(line.number)][:most]

    def _by_email(self, email: str) -> dict[str, Any]:
        email = email.strip().lower()
        if not _EMAIL.fullmatch(email):
            return {}
        found = answers.listed(self._http.get("/api/v1/users/search", {"query": email, "limit": 20, "expand": "true"}))
        return next((one for one in found if text_of(one.get("email")).lower() == email), {})

    def marked(self, number: str, key: str) -> str | None:
        """The id of the article whose preferences carry `key`. Zammad calls what a customer writes a customer's,
        whatever they send along."""
        ticket = whole(self._raw(number).get("id"))
        for article in answers.listed(
            self._http.get(f"/api/v1/ticket_articles/by_ticket/{ticket}", {"expand": "true"})
        ):
            if within(article, "preferences").get(answers.METADATA) == key and article.get("sender") == "Agent":
                return text_of(article.get("id")) or None
        return None

    def download(self, attachment: Attachment) -> bytes:
        """What an attachment holds; Zammad serves its files itself."""
        return self._http.download(attachment.url)

    def poll(self, watch: Watch) -> tuple[list[Event], Watch]:
        """The tickets touched since `watch`, oldest first."""
        return polling.look(self._http, watch)

    # --- writing ------------------------------------------------------------------------------------------------------

    def note(self, number: str, text: str, key: str) -> str:
        """Write an internal note and return its id. Of an account that is no agent, Zammad would make it public."""
        raw = self._raw(number)
        if not self._is_agent:
            self._http.get("/api/v1/tags", {"object": "Ticket", "o_id": whole(raw.get("id"))})  # for agents alone
            self._is_agent = True
        return self._write(raw, {"type": "note", "internal": True, "body": text}, key)

    def reply(self, number: str, text: str, key: str, agent_email: str = "") -> str:
        """Send a mail to the customer and return its id; in that agent's name where our token may, else in ours."""
        raw = self._raw(number)
        if self._type(raw) == "merged":
            raise Rejected(self.name, f"ticket {number} was merged into another: write there")
        to = text_of(self._person(whole(raw.get("customer_id"))).get("email"))
        if not to:
            raise Rejected(self.name, f"the customer of ticket {number} has no e-mail address in Zammad")
        article = {"type": "email", "internal": False, "to": to, "subject": text_of(raw.get("title")), "body": text}
        agent = self._agent(agent_email)
        if agent:
            try:
                return self._write(raw, article, key, _in_the_name_of(agent))
            except Unauthorised:  # certainly not written: the token lacks `admin.user`, or the agent this group
                pass
        return self._write(raw, article, key)

    def _write(
        self, raw: Mapping[str, Any], article: dict[str, Any], key: str, headers: Mapping[str, str] | None = None
    ) -> str:
        if not article["body"].strip():
            raise Rejected(self.name, "an empty message cannot be sent: write something first")
        about = {"ticket_id": raw["id"], "content_type": "text/plain", "preferences": {answers.METADATA: key}}
        sent = self._http.send("POST", "/api/v1/ticket_articles", article | about, headers=headers)
        made = text_of(sent.get("id")) if isinstance(sent, dict) else ""
        if not made:
            raise Unavailable(self.name, f"it did not confirm what it wrote to ticket {raw['number']}")
        return made

    def speaks_for(self, email: str) -> bool:
        """Whether a reply goes out in the name of the agent with that address, as far as our token may do so."""
        agent = self._agent(email)
        try:
            seen_as = self._http.get("/api/v1/users/me", headers=_in_the_name_of(agent)) if agent else None
        except Unauthorised:
            return False
        return agent > 0 and whole(within({"it": seen_as}, "it").get("id")) == agent

    def _agent(self, email: str) -> int:
        """The id of the agent of that address, 0 when there is none: nobody else is spoken for."""
        person = self._by_email(email)
        return whole(person.get("id")) if answers.is_agent(person) else 0

    def tag(self, number: str, tag: str) -> None:
        """Add a tag to those that are there."""
        ticket = whole(self._raw(number).get("id"))
        self._http.send("POST", "/api/v1/tags/add", {"item": tag, "object": "Ticket", "o_id": ticket})

    def hold(self, number: str, on: bool) -> None:
        """Give an open ticket the state for those that wait, or open one that has it."""
        raw, state = self._raw(number), self._config.hold_status
        name, types = text_of(raw.get("state")), self._states()
        change: dict[str, Any] = {}
        if on and state is not None and state in types and types.get(name) in ("new", "open") and name != state:
            change = {"state": state}
            if types[state].startswith("pending"):
                until = datetime.now(UTC) + timedelta(days=self._config.hold_days)
                change["pending_time"] = until.isoformat(timespec="seconds")
        elif not on and answers.status_of(raw, types, state) == "held":
            change = {"state": next((one for one, type_ in types.items() if type_ == "open" and one != state), "open")}
        if change:
            self._http.send("PUT", f"/api/v1/tickets/{whole(raw.get('id'))}", change)

    # --- webhooks -----------------------------------------------------------------------------------------------------

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
        """The delivery's id, or BadSignature: `X-Hub-Signature` is "sha1=" and the HMAC-SHA1 of the body."""
        secret = self._config.webhook_secret
        if secret is None:
            raise BadSignature(self.name, "no webhook_secret is configured")
        kind, _, given = header(headers, "x-hub-signature").partition("=")
        if kind != "sha1" or not signed(secret.get_secret_value(), body, given, algorithm="sha1"):
            raise BadSignature(self.name, "the signature does not fit the content")
        return header(headers, _DELIVERY) or hashlib.sha256(body).hexdigest()

    def read(self, headers: Mapping[str, str], body: bytes) -> list[Event]:
        """The ticket that Zammad's own payload names by its number; else []."""
        try:
            number = text_of(within(json.loads(body), "ticket").get("number"))
        except (ValueError, RecursionError):
            return []
        return [TicketTouched(number)] if _DIGITS.fullmatch(number) and int(number) else []

    # --- checking -----------------------------------------------------------------------------------------------------

    def check(self) -> list[Finding]:
        """What would keep us from reading tickets and writing to them."""
        at = f"helpdesks.{self.name}"
        try:
            me, states = self._http.get("/api/v1/users/me", {"expand": "true"}), self._states()
        except Unauthorised as error:
            return [Finding(f"{at}.token", f"Zammad refuses this token ({error.detail})", _MEND_ACCESS)]
        except ServiceError as error:
            mend = "compare `url` with the address in your browser when you work in Zammad" + OR_UNREACHED
            return [Finding(f"{at}.url", f"{self._config.url} does not answer as Zammad ({error.detail})", mend)]
        person = within({"it": me}, "it")
        if not answers.is_agent({"active": True, **person}):
            return [Finding(f"{at}.token", "the token's account works in no group of Zammad", _MEND_ROLE)]
        if self._config.hold_status not in (None, *states):
            wrong = f"Zammad has no state {self._config.hold_status}"
            return [Finding(f"{at}.hold_status", wrong, f"write one of: {', '.join(sorted(states))}")]
        return []

    def _my_id(self) -> int:
        self._me = self._me or whole(within({"it": self._http.get("/api/v1/users/me")}, "it").get("id"))
        if not self._me:
            raise Unavailable(self.name, "it does not tell who we are; is `url` right?", maybe_done=False)
        return self._me

    def _type(self, raw: Mapping[str, Any]) -> str:
        return self._states().get(text_of(raw.get("state")), "")

    def _states(self) -> dict[str, str]:
        self._types = self._types or answers.states(self._http.get("/api/v1/ticket_states", {"expand": "true"}))
        if not self._types:
            raise Unavailable(self.name, "it does not tell which states tickets have", maybe_done=False)
        return self._types


def _in_the_name_of(person: int) -> dict[str, str]:
    """By the header of today, and that of older versions."""
    return {"From": str(person), "X-On-Behalf-Of": str(person)}


_MEND_ACCESS = "make a token with the permission ticket.agent in the profile of Passerelle's account, Token Access"
_MEND_ROLE = "give this account the role Agent, and full access to the groups whose tickets are escalated"
