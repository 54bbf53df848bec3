"""Zendesk Support: tickets, internal notes, public replies, webhooks.

Set-up:
1. Make an account for Passerelle alone, with the role agent or admin and access to all tickets; a light agent cannot
   reply to customers. What this account writes counts as Passerelle's own.
2. Admin Center, Apps and integrations, APIs, Zendesk API: switch token access on and make an API token.
3. To be told of changes at once: Admin Center, Webhooks, make one to `<public address>/webhooks/<name>` that subscribes
   to the ticket events "Comment created" and "Status changed", and take its signing secret for `webhook_secret`.

Pages: "Ticket Comments", "Ticket Audits", "Creating and updating tickets", "Anatomy of a webhook request", "Verifying
webhook authenticity" (developer.zendesk.com).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

from integrations.base import (
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
    TicketTouched,
    Unauthorised,
    Unavailable,
)
from integrations.http import HttpClient, Params, dicts, header, is_fresh, moment, signed, text_of
from integrations.mail import reduced

_NUMBER = re.compile(r"#?([0-9]{1,18})")
_PATH = re.compile(
    r"(?:/agent)?/tickets/([0-9]{1,18})/?|/hc/(?:[a-z-]{2,8}/)?requests/([0-9]{1,18})/?"
    r"|/api/v2/(?:tickets|requests)/([0-9]{1,18})(?:\.json)?/?",
    re.IGNORECASE,
)
_SLACK_LINK = re.compile(r"<([^|>]+)(?:\|[^>]*)?>")
_SIGNATURE = "x-zendesk-webhook-signature"
_SIGNED_AT = "x-zendesk-webhook-signature-timestamp"
_INVOCATION = "x-zendesk-webhook-invocation-id"
_METADATA = "passerelle"  # our name in an audit's `metadata.custom`
_LIGHT_AGENT = 1  # role_type; a light agent's comments are always private
_PAGE = 100  # the most that one page holds


class Config(BaseModel):
    """One Zendesk account, as the configuration names it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["zendesk"]
    url: str
    email: str
    token: SecretStr
    webhook_secret: SecretStr | None = None
    plan_field: str | None = None  # key of an organization or user field, or id of a ticket field
    pace: float = 0.0

    @field_validator("url")
    @classmethod
    def _plain_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise ValueError("must look like https://acme.zendesk.com")
        return f"{parts.scheme}://{parts.netloc}"


class Zendesk:
    """The `Helpdesk` of one Zendesk account. `timeout` is in seconds, for each call; any thread may use it."""

    kept_headers: tuple[str, ...] = (_INVOCATION, _SIGNED_AT)

    def __init__(self, name: str, config: Config, timeout: float = 10.0) -> None:
        self.name = name
        self.lane = f"zendesk:{urlsplit(config.url).netloc}"
        self.pace = config.pace
        self._config = config
        self._http = HttpClient(
            name,
            config.url,
            auth=(f"{config.email}/token", config.token.get_secret_value()),
            timeout=timeout,
            reason=_reason,
            # Two updates of one ticket at the same moment: the page "Responses" asks to send the request again.
            undone=frozenset({409}),
        )
        self._me: int | None = None
        self._agents: dict[str, int] = {}

    def number_in(self, reference: str) -> str | None:
        """The ticket number that `4211`, `#4211` or an address of this helpdesk names; else None."""
        reference = reference.strip()
        link = _SLACK_LINK.fullmatch(reference)
        reference = link[1] if link else reference
        found = _NUMBER.fullmatch(reference)
        if found is None:
            try:
                parts = urlsplit(reference)
            except ValueError:
                return None
            here = urlsplit(self._config.url).netloc.lower()
            if parts.netloc.lower() not in ("", here) or parts.scheme not in ("", "http", "https"):
                return None
            found = _PATH.fullmatch(parts.path)
        number = str(int(next(filter(None, found.groups())))) if found else "0"
        return None if number == "0" else number

    # --- reading ------------------------------------------------------------------------------------------------------

    def ticket(self, number: str) -> Ticket:
        """The ticket with its conversation, oldest message first (at most 2,000 messages)."""
        path = self._path(number)
        answer = self._http.get(f"{path}.json", {"include": "users,organizations"})
        raw = self._object(answer, "ticket")
        if raw.get("status") == "deleted":
            raise NotFound(self.name, f"ticket {number} was deleted")
        people = {user.get("id"): user for user in dicts(answer, "users")}
        comments = []
        for page in self._http.pages(f"{path}/comments.json", {"page[size]": _PAGE, "include": "users"}, _following):
            comments += dicts(page, "comments")
            people |= {user.get("id"): user for user in dicts(page, "users")}
        organisations = {found.get("id"): found for found in dicts(answer, "organizations")}
        requester = people.get(raw.get("requester_id"), {})
        messages = [_message(comment, people, self._my_id(), raw.get("requester_id")) for comment in comments]
        return Ticket(
            number=number,
            url=f"{self._config.url}/agent/tickets/{number}",
            subject=text_of(raw.get("subject")),
            customer=self._customer(raw, requester, organisations.get(raw.get("organization_id"), {})),
            messages=tuple(sorted(messages, key=lambda message: message.at)),
            created_at=moment(raw.get("created_at")),
            updated_at=moment(raw.get("updated_at")),
            language=text_of(requester.get("locale")),
            status=raw["status"] if raw.get("status") in ("solved", "closed") else "open",
            tags=tuple(str(tag) for tag in raw.get("tags") or ()),
        )

    def _customer(
        self, ticket: Mapping[str, Any], requester: Mapping[str, Any], organisation: Mapping[str, Any]
    ) -> Customer:
        return Customer(
            id=str(ticket.get("requester_id") or ""),
            name=text_of(requester.get("name")),
            email=text_of(requester.get("email")),
            organisation=text_of(organisation.get("name")),
            plan=self._plan(ticket, requester, organisation),
        )

    def _plan(self, ticket: Mapping[str, Any], requester: Mapping[str, Any], organisation: Mapping[str, Any]) -> str:
        wanted = self._config.plan_field
        if not wanted:
            return ""
        values = [
            (organisation.get("organization_fields") or {}).get(wanted),
            (requester.get("user_fields") or {}).get(wanted),
            *(field.get("value") for field in dicts(ticket, "custom_fields") if str(field.get("id")) == wanted),
        ]
        return next((text_of(value) for value in values if value), "")

    def marked(self, number: str, key: str) -> str | None:
        """The id of the comment whose audit carries `key` in its custom metadata, newest audits looked at first.

        An end user has no way to set that metadata ("Ticket Audits"); audits of theirs are left out all the same.
        """
        me = self._my_id()
        params: Params = {"page[size]": _PAGE, "sort": "-created_at", "include": "users"}
        for page in self._http.pages(f"{self._path(number)}/audits.json", params, _following, most=100):
            staff = {user.get("id") for user in dicts(page, "users") if user.get("role") in ("agent", "admin")}
            for audit in dicts(page, "audits"):
                custom = (audit.get("metadata") or {}).get("custom") or {}
                if custom.get(_METADATA) != key:
                    continue
                author = audit.get("author_id")
                # A reply in an agent's name: the updater is our account, but the audit may bear the agent's id.
                in_our_name = author in staff and (audit.get("via") or {}).get("channel") == "api"
                written, _ = _comment_in(audit)
                if written and (author == me or in_our_name):
                    return written
        return None

    # --- writing ------------------------------------------------------------------------------------------------------

    def note(self, number: str, text: str, key: str) -> str:
        """Write an internal note and return its id. Zendesk makes comments public unless told otherwise."""
        return self._write(number, {"body": text, "public": False}, key)

    def reply(self, number: str, text: str, key: str, agent_email: str = "") -> str:
        """Send a public reply and return its id; as that agent when Zendesk knows them, else as our account.

        Raises Rejected when Zendesk kept the message private (our account may then not write to customers).
        """
        comment: dict[str, Any] = {"body": text, "public": True}
        agent = self._agent(agent_email)
        if agent is not None:
            comment["author_id"] = agent
        return self._write(number, comment, key)

    def _write(self, number: str, comment: Mapping[str, Any], key: str) -> str:
        if not str(comment["body"]).strip():
            raise Rejected(self.name, "an empty message cannot be sent: write something first")
        body = {"ticket": {"comment": comment, "metadata": {_METADATA: key}}}
        path = self._path(number)
        try:
            answer = self._http.send("PUT", f"{path}.json", body)
        except Rejected as error:
            raise self._closed(number) or error from None
        written, public = _comment_in(self._object(answer, "audit", maybe_done=True))
        if not written:
            raise Unavailable(self.name, f"it did not confirm what it wrote to ticket {number}")
        if comment["public"] and public is False:
            raise Rejected(
                self.name,
                f"the message on ticket {number} was kept as an internal note, the customer did not get it: "
                "give Passerelle's Zendesk account the right to make public comments",
            )
        return written

    def _closed(self, number: str) -> Rejected | None:
        # Asked of the ticket itself: the refusal's wording depends on the account's language.
        try:
            ticket = self._object(self._http.get(f"{self._path(number)}.json"), "ticket")
        except ServiceError:
            return None
        if ticket.get("status") != "closed":
            return None
        return Rejected(
            self.name,
            f"ticket {number} is closed and takes no more messages: create a follow-up in Zendesk and write there",
        )

    def tag(self, number: str, tag: str) -> None:
        """Add a tag to those that are there ("Tags": PUT adds, POST would replace)."""
        self._http.send("PUT", f"{self._path(number)}/tags.json", {"tags": [tag]})

    def _agent(self, email: str) -> int | None:
        email = email.strip().lower()
        if not email or email in self._agents:
            return self._agents.get(email)
        found = self._http.get("/api/v2/users/search.json", {"query": f'email:"{email}"'})
        for user in dicts(found, "users"):
            is_agent = user.get("role") in ("agent", "admin") and user.get("role_type") != _LIGHT_AGENT
            if is_agent and not user.get("suspended") and text_of(user.get("email")).lower() == email:
                self._agents[email] = int(user["id"])
                return self._agents[email]
        return None

    # --- webhooks -----------------------------------------------------------------------------------------------------

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
        """The invocation's id, or BadSignature: base64(HMAC-SHA256(timestamp + body)), at most five minutes old."""
        secret = self._config.webhook_secret
        if secret is None:
            raise BadSignature(self.name, "no webhook_secret is configured")
        stamp = header(headers, _SIGNED_AT)
        if not stamp or not is_fresh(stamp, now):
            raise BadSignature(self.name, "the signature's time is missing or more than five minutes off")
        message = stamp.encode("utf-8", "replace") + body
        if not signed(secret.get_secret_value(), message, header(headers, _SIGNATURE), "base64"):
            raise BadSignature(self.name, "the signature does not fit the content")
        return header(headers, _INVOCATION) or hashlib.sha256(message).hexdigest()

    def read(self, headers: Mapping[str, str], body: bytes) -> list[Event]:
        """The ticket that an event webhook (`zen:event-type:ticket.…`) or a trigger's own JSON names; else []."""
        try:
            payload = json.loads(body)
        except (ValueError, RecursionError):
            return []
        if not isinstance(payload, dict):
            return []
        if str(payload.get("type", "")).startswith("zen:event-type:ticket."):
            return _touched(_inside(payload, "detail"))
        return _touched(_inside(payload, "ticket")) or _touched(payload.get("ticket_id"))

    # --- checking -----------------------------------------------------------------------------------------------------

    def check(self) -> list[Finding]:
        """What would keep us from reading tickets and writing to them."""
        at = f"helpdesks.{self.name}"
        try:
            me = self._object(self._http.get("/api/v2/users/me.json"), "user")
        except Unauthorised as error:
            return [Finding(f"{at}.token", f"Zendesk refuses this email and token ({error.detail})", _MEND_SIGN_IN)]
        except ServiceError as error:
            mend = "compare `url` with the address in your browser when you work in Zendesk"
            return [Finding(f"{at}.url", f"{self._config.url} does not answer as Zendesk ({error.detail})", mend)]
        if me.get("id") is None:
            return [Finding(f"{at}.token", "Zendesk does not recognise this email and token", _MEND_SIGN_IN)]
        if me.get("role") not in ("agent", "admin"):
            return [Finding(f"{at}.email", f"{self._config.email} is not an agent in Zendesk", _MEND_ROLE)]
        if me.get("role_type") == _LIGHT_AGENT:
            return [Finding(f"{at}.email", f"{self._config.email} is a light agent and cannot reply", _MEND_ROLE)]
        return []

    def _my_id(self) -> int:
        if self._me is None:
            me = self._object(self._http.get("/api/v2/users/me.json"), "user").get("id")
            if me is None:  # what an anonymous caller gets, with 200
                raise Unauthorised(self.name, "it does not recognise our email and token")
            self._me = int(me)
        return self._me

    def _path(self, number: str) -> str:
        if not re.fullmatch(r"[0-9]{1,18}", number):
            raise NotFound(self.name, "a ticket's number is made of digits")
        return f"/api/v2/tickets/{number}"

    def _object(self, answer: Any, key: str, maybe_done: bool = False) -> dict[str, Any]:
        found = answer.get(key) if isinstance(answer, dict) else None
        if not isinstance(found, dict):
            raise Unavailable(self.name, f"its answer has no `{key}`; is `url` right?", maybe_done=maybe_done)
        return found


_MEND_SIGN_IN = (
    "make an API token in Admin Center, Apps and integrations, APIs; `email` is the account that it works for"
)
_MEND_ROLE = "give this account the role agent or admin in Admin Center, People, Team"


def _message(comment: Mapping[str, Any], people: Mapping[Any, Mapping[str, Any]], me: int, requester: Any) -> Message:
    author = comment.get("author_id")
    person = people.get(author, {})
    role: Literal["customer", "agent", "ours"] = "agent"
    if author == me:
        role = "ours"
    elif author == requester or person.get("role") == "end-user":
        role = "customer"
    plain = text_of(comment.get("plain_body")) or text_of(comment.get("body"))
    return Message(
        id=str(comment.get("id") or ""),
        author=text_of(person.get("name")),
        role=role,
        public=comment.get("public") is True,
        at=moment(comment.get("created_at")),
        text=reduced(text_of(comment.get("html_body")), plain),
        attachments=tuple(
            Attachment(
                text_of(attached.get("file_name")),
                text_of(attached.get("content_url")),
                text_of(attached.get("content_type")),
                attached["size"] if isinstance(attached.get("size"), int) else 0,
            )
            for attached in dicts(comment, "attachments")
        ),
    )


def _comment_in(audit: Mapping[str, Any]) -> tuple[str, bool | None]:
    """The id of the comment that an audit tells of ("" without one), and whether it is public."""
    for event in dicts(audit, "events"):
        if event.get("type") == "Comment":
            return str(event.get("id") or ""), event.get("public")
    return "", None


def _following(page: Any) -> Params | None:
    meta = page.get("meta") if isinstance(page, dict) else None
    if not isinstance(meta, dict) or not meta.get("has_more") or not meta.get("after_cursor"):
        return None
    return {"page[after]": str(meta["after_cursor"])}


def _touched(number: Any) -> list[Event]:
    if isinstance(number, bool) or not isinstance(number, int | str):
        return []
    return [TicketTouched(str(number))] if re.fullmatch(r"[1-9][0-9]{0,17}", str(number)) else []


def _inside(payload: Mapping[str, Any], key: str) -> Any:
    inner = payload.get(key)
    return inner.get("id") if isinstance(inner, dict) else None


def _reason(answer: Any) -> str:
    """Zendesk's own words: `details` per field, else the description, else the error ("Responses")."""
    if not isinstance(answer, dict):
        return ""
    details = answer.get("details")
    if isinstance(details, dict):
        told = [text_of(entry.get("description")) for field in details for entry in dicts(details, field)]
        if any(told):
            return "; ".join(filter(None, told))
    error = answer.get("error")
    if isinstance(error, dict):
        return text_of(error.get("message")) or text_of(error.get("title"))
    return text_of(answer.get("description")) or text_of(error)
