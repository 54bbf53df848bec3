"""Bridges Pigeon, a small helpdesk that was invented for this example, to Passerelle.

Set-up: make an agent for Passerelle alone, and an API key in its profile. For webhooks: Settings, Webhook, a secret.

Pages: "Tickets", "Messages", "Changes", "Signatures" (pigeon.example/developers).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

from integrations import addresses
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
    TicketStatus,
    TicketTouched,
    Unauthorised,
    Unavailable,
    Watch,
)
from integrations.http import HttpClient, dicts, header, is_fresh, moment, signed, text_of, texts, whole, within
from integrations.mail import reduced
from integrations.registry import Adapter

_PATH = re.compile(r"/inbox/([0-9]{1,18})/?|/api/tickets/([0-9]{1,18})")
_STATUSES: Mapping[str, TicketStatus] = {"waiting": "held", "done": "solved"}


class Config(BaseModel):
    """One Pigeon account, as the configuration names it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["pigeon"]
    url: str
    token: SecretStr
    webhook_secret: SecretStr | None = None
    pace: float = 0.0

    @field_validator("url")
    @classmethod
    def _plain_address(cls, url: str) -> str:
        return addresses.origin(url, "https://acme.pigeon.example")


class Pigeon:
    """The `Helpdesk` of one Pigeon account."""

    kept_headers: tuple[str, ...] = ("x-pigeon-delivery",)
    abilities = frozenset(
        {Ability.AS_AGENT, Ability.HOLD, Ability.SIGNED, Ability.DATED, Ability.MARKS}
        | {Ability.TAGS, Ability.LANGUAGE, Ability.PLAN}
    )

    def __init__(self, name: str, config: Config, timeout: float = 10.0) -> None:
        self.name = name
        self.lane = f"pigeon:{config.url}"
        self.pace = config.pace
        self._config = config
        authorization = f"Bearer {config.token.get_secret_value()}"
        self._http = HttpClient(
            name, config.url, headers={"Authorization": authorization}, timeout=timeout, reason=_reason
        )

    def number_in(self, reference: str) -> str | None:
        return addresses.number_in(reference, self._config.url.partition("://")[2], _PATH)

    # --- reading

    def ticket(self, number: str) -> Ticket:
        raw = self._get(self._path(number), "number")
        person, messages = within(raw, "customer"), dicts(raw, "messages")
        return Ticket(
            number=number,
            url=self._url(number),
            subject=text_of(raw.get("subject")),
            customer=Customer(*(text_of(person.get(key)) for key in ("id", "name", "email", "company", "plan"))),
            messages=tuple(self._message(message) for message in messages),
            created_at=moment(raw.get("created")),
            updated_at=moment(raw.get("updated")),
            language=text_of(person.get("language")),
            status=_status(raw),
            tags=texts(raw, "tags"),
            assignee=text_of(raw.get("assignee")),
        )

    def _message(self, raw: Mapping[str, Any]) -> Message:
        by = within(raw, "author")
        role: Literal["customer", "agent", "ours"] = "agent"
        if by.get("role") == "customer":
            role = "customer"
        elif by.get("role") == "bot":
            role = "ours"
        return Message(
            id=text_of(raw.get("id")),
            author=text_of(by.get("name")),
            role=role,
            public=raw.get("public") is True,  # what is not clearly public is treated as internal
            at=moment(raw.get("at")),
            text=reduced(text_of(raw.get("html"))),
            attachments=tuple(_attachment(file) for file in dicts(raw, "files")),
            email=text_of(by.get("email")),
        )

    def tickets_of(self, email: str, most: int = 10) -> list[TicketLine]:
        if not email.strip():
            return []
        found = dicts(self._http.get("/api/tickets", {"customer": email.strip().lower()}), "tickets")
        lines = [
            TicketLine(number, self._url(number), text_of(raw.get("subject")), _status(raw), moment(raw.get("updated")))
            for raw in found
            if (number := text_of(raw.get("number"))).isdigit()
        ]
        return lines[:most]

    def marked(self, number: str, key: str) -> str | None:
        for message in dicts(self._get(self._path(number), "number"), "messages"):
            # A customer's message has no mark, whatever they send along ("Messages").
            if message.get("mark") == key and within(message, "author").get("role") != "customer":
                return text_of(message.get("id")) or None
        return None

    def download(self, attachment: Attachment) -> bytes:
        return self._http.download(attachment.url)

    def poll(self, watch: Watch) -> tuple[list[Event], Watch]:
        """ "Changes" numbers each change, so that none can hide behind another."""
        known = watch.state.get("cursor")
        answer = self._get("/api/changes" if known is None else f"/api/changes?after={known}", "cursor")
        onward = Watch({"cursor": str(whole(answer.get("cursor")))})
        if known is None:
            return [], onward
        changes, numbers = answer.get("changes"), [whole(one.get("ticket")) for one in dicts(answer, "changes")]
        # Whoever goes on from here never hears of these changes again: none of them may be guessed at.
        if not isinstance(changes, list) or len(changes) != len(numbers) or 0 in numbers:
            raise Unavailable(self.name, "its answer does not tell what changed", maybe_done=False)
        if whole(answer.get("cursor")) < whole(known):
            raise Unavailable(self.name, "its count of changes went backwards", maybe_done=False)
        return [TicketTouched(str(number)) for number in dict.fromkeys(numbers)], onward

    # --- writing

    def note(self, number: str, text: str, key: str) -> str:
        return self._write(number, {"text": text, "public": False, "mark": key})

    def reply(self, number: str, text: str, key: str, agent_email: str = "") -> str:
        # Pigeon falls back to our own name by itself, when no agent has that address ("Messages").
        return self._write(number, {"text": text, "public": True, "mark": key, "as": agent_email.strip().lower()})

    def speaks_for(self, email: str) -> bool:
        """Else the bot names the agent at the end of the words."""
        agents = dicts(self._http.get("/api/agents"), "agents")
        return email.strip().lower() in {text_of(agent.get("email")).lower() for agent in agents} - {""}

    def _write(self, number: str, message: Mapping[str, Any]) -> str:
        if not message["text"].strip():
            raise Rejected(self.name, "an empty message cannot be sent: write something first")
        written = self._http.send("POST", f"{self._path(number)}/messages", message)
        if not text_of(within({"it": written}, "it").get("id")):
            raise Unavailable(self.name, f"it did not confirm what it wrote to ticket {number}")
        return text_of(written["id"])

    def tag(self, number: str, tag: str) -> None:
        self._http.send("POST", f"{self._path(number)}/tags", {"tag": tag})

    def hold(self, number: str, on: bool) -> None:
        now = self._get(self._path(number), "number").get("status")
        if now == ("open" if on else "waiting"):
            self._http.send("PATCH", self._path(number), {"status": "waiting" if on else "open"})

    # --- webhooks

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
        secret, stamp = self._config.webhook_secret, header(headers, "x-pigeon-time")
        if secret is None:
            raise BadSignature(self.name, "no webhook_secret is configured")
        if not is_fresh(stamp, now):
            raise BadSignature(self.name, "the signature's time is missing or more than five minutes off")
        if not signed(secret.get_secret_value(), stamp.encode() + body, header(headers, "x-pigeon-signature")):
            raise BadSignature(self.name, "the signature does not fit the content")
        return header(headers, "x-pigeon-delivery")

    def read(self, headers: Mapping[str, str], body: bytes) -> list[Event]:
        try:
            number = within(json.loads(body), "ticket").get("number")
        except (ValueError, RecursionError):
            return []
        return [TicketTouched(number)] if isinstance(number, str) and re.fullmatch(r"[1-9][0-9]{0,17}", number) else []

    # --- checking

    def check(self) -> list[Finding]:
        at = f"helpdesks.{self.name}"
        try:
            self._get("/api/me", "email")
        except Unauthorised:
            return [Finding(f"{at}.token", "Pigeon refuses this key", "make a new API key in Passerelle's profile")]
        except ServiceError as error:
            problem = f"{self._config.url} does not answer as Pigeon ({error.detail})"
            return [Finding(f"{at}.url", problem, "compare `url` with the address in your browser")]
        return []

    # --- private

    def _get(self, path: str, must: str) -> dict[str, Any]:
        """An object that has the field `must`; one without it is not what we asked for."""
        answer = self._http.get(path)
        if not isinstance(answer, dict) or not text_of(answer.get(must)):
            raise Unavailable(self.name, f"its answer has no `{must}`; is `url` right?", maybe_done=False)
        return answer

    def _path(self, number: str) -> str:
        if not re.fullmatch(r"[0-9]{1,18}", number):
            raise NotFound(self.name, "a ticket's number is made of digits")
        return f"/api/tickets/{number}"

    def _url(self, number: str) -> str:
        return f"{self._config.url}/inbox/{number}"


def _status(raw: Mapping[str, Any]) -> TicketStatus:
    return _STATUSES.get(text_of(raw.get("status")), "open")


def _attachment(file: Mapping[str, Any]) -> Attachment:
    name, url, kind = (text_of(file.get(key)) for key in ("name", "url", "type"))
    return Attachment(name, url, kind, whole(file.get("size")))


def _reason(answer: Any) -> str:
    """Pigeon's own words, for people to read."""
    return text_of(within(answer).get("problem"))


ADAPTER = Adapter(Config, Pigeon)
