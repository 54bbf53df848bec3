"""One Zendesk account in the words of the contract: what is asked of its API, and what is written through it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
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
from integrations.http import OR_UNREACHED, HttpClient, Params, dicts, moment, text_of, texts, whole, within
from integrations.zendesk import answers, config, deliveries, polling

_EMAIL = re.compile(r"[^\s\"*:@]+@[^\s\"*:@]+")
_PAGE = 100  # the most that one page holds
_PAGES = 50  # a ticket has 5,000 comments at most ("Ticket Comments")
_HOPS = 5  # merges, one after the other
_FILES = (".zendesk.com", ".zdusercontent.com")  # where Zendesk keeps what was attached


class Zendesk:
    """The `Helpdesk` of one Zendesk account. `timeout` is in seconds, for each call; any thread may use it."""

    kept_headers: tuple[str, ...] = (deliveries.INVOCATION, deliveries.SIGNED_AT)
    abilities = frozenset(Ability)

    def __init__(self, name: str, config: config.Config, timeout: float = 10.0) -> None:
        self.name = name
        self.lane = f"zendesk:{urlsplit(config.url).netloc}"
        self.pace = config.pace
        self._config = config
        self._http = HttpClient(
            name,
            config.url,
            auth=(f"{config.email}/token", config.token.get_secret_value()),
            timeout=timeout,
            reason=answers.reason,
            # Two updates of one ticket at the same moment: the page "Responses" asks to send the request again.
            undone=frozenset({409}),
        )
        self._me = 0

    def number_in(self, reference: str) -> str | None:
        """The ticket number that `4211`, `#4211` or an address of this helpdesk names; else None."""
        return config.number_in(reference, self._config.url, self._config.hosts)

    # --- reading ------------------------------------------------------------------------------------------------------

    def ticket(self, number: str) -> Ticket:
        """The ticket with its conversation, oldest message first."""
        raw, answer = self._surviving(number)
        number = str(whole(raw.get("id")) or number)
        people = answers.by_id(dicts(answer, "users"))
        comments: list[dict[str, Any]] = []
        params: Params = {"page[size]": _PAGE, "include": "users", "include_inline_images": "true"}
        for page in self._http.pages(f"{self._path(number)}/comments.json", params, _following, _PAGES):
            comments += dicts(page, "comments")
            people |= answers.by_id(dicts(page, "users"))
        asks = whole(raw.get("requester_id"))
        requester = people.get(asks, {})
        organisation = answers.by_id(dicts(answer, "organizations")).get(whole(raw.get("organization_id")), {})
        messages = [answers.message(comment, people, self._my_id(), asks) for comment in comments]
        named = ((name, answers.field(key, raw, requester, organisation)) for name, key in self._config.fields.items())
        return Ticket(
            number=number,
            url=f"{self._config.url}/agent/tickets/{number}",
            subject=text_of(raw.get("subject")),
            customer=answers.customer(raw, requester, organisation, self._config.plan_field),
            messages=tuple(sorted(messages, key=lambda message: message.at)),
            created_at=moment(raw.get("created_at")),
            updated_at=moment(raw.get("updated_at")),
            language=text_of(requester.get("locale")),
            status=answers.status_of(raw, requester),
            tags=texts(raw, "tags"),
            assignee=text_of(people.get(whole(raw.get("assignee_id")), {}).get("email")),
            fields=tuple((name, value) for name, value in named if value),
        )

    def _surviving(self, number: str) -> tuple[dict[str, Any], Any]:
        """The ticket, or the one that it was merged into, and the answer that holds it."""
        raw, answer = self._raw(number)
        seen = {number}
        for _ in range(_HOPS):
            if raw.get("status") != "closed" or answers.MERGED not in texts(raw, "tags"):
                break
            params: Params = {"page[size]": _PAGE, "sort": "-created_at"}
            onward = str(
                answers.merged_into(raw, dicts(self._http.get(f"{self._path(number)}/audits.json", params), "audits"))
            )
            if onward == "0" or onward in seen:
                break
            try:
                raw, answer = self._raw(onward)
            except NotFound:  # the one that took its place was deleted, or the number meant something else
                break
            seen.add(onward)
            number = onward
        return raw, answer

    def _raw(self, number: str) -> tuple[dict[str, Any], Any]:
        answer = self._http.get(f"{self._path(number)}.json", {"include": "users,organizations"})
        raw = self._object(answer, "ticket")
        if raw.get("status") == "deleted":
            raise NotFound(self.name, f"ticket {number} was deleted")
        return raw, answer

    def tickets_of(self, email: str, most: int = 10) -> list[TicketLine]:
        """The tickets that the person of that address asked for ("List Tickets"), the one that moved last first."""
        person = next(self._people(email), None)
        if person is None:
            return []
        path = f"/api/v2/users/{whole(person.get('id'))}/tickets/requested.json"
        found = self._http.get(path, {"page[size]": max(1, min(most, _PAGE)), "sort": "-updated_at"})
        lines = [answers.line(ticket, self._config.url) for ticket in dicts(found, "tickets")]
        return [line for line in lines if line.number != "0"][:most]

    def _people(self, email: str) -> Iterator[dict[str, Any]]:
        """Whose address this is. The search finds parts of addresses, too."""
        email = email.strip().lower()
        if not _EMAIL.fullmatch(email):
            return
        found = self._http.get("/api/v2/users/search.json", {"query": f'email:"{email}"'})
        for user in dicts(found, "users"):
            if text_of(user.get("email")).lower() == email and whole(user.get("id")):
                yield user

    def marked(self, number: str, key: str) -> str | None:
        """The id of the comment whose audit carries `key` in its custom metadata, newest audits looked at first.

        An end user has no way to set that metadata ("Ticket Audits"); audits of theirs are left out all the same.
        """
        me = self._my_id()
        params: Params = {"page[size]": _PAGE, "sort": "-created_at", "include": "users"}
        for page in self._http.pages(f"{self._path(number)}/audits.json", params, _following, most=100):
            people = answers.by_id(dicts(page, "users"))
            for audit in dicts(page, "audits"):
                if within(audit, "metadata", "custom").get(answers.METADATA) != key:
                    continue
                author = whole(audit.get("author_id"))
                # A reply in an agent's name: the updater is our account, but the audit may bear the agent's id.
                is_staff = people.get(author, {}).get("role") in answers.STAFF
                written, _ = answers.comment_in(audit)
                if written and (author == me or (is_staff and within(audit, "via").get("channel") == "api")):
                    return written
        return None

    def download(self, attachment: Attachment) -> bytes:
        """What an attachment holds; it stands with Zendesk, which may send on to where it keeps its files."""
        content = self._http.download(attachment.url, also=_FILES)
        if answers.is_page(content) and "html" not in attachment.content_type:
            raise Rejected(self.name, "it shows a page to sign in with in place of the file")
        return content

    def poll(self, watch: Watch) -> tuple[list[Event], Watch]:
        """The tickets touched since `watch`, newest first."""
        return polling.look(self._http, watch)

    # --- writing ------------------------------------------------------------------------------------------------------

    def note(self, number: str, text: str, key: str) -> str:
        """Write an internal note and return its id. Zendesk makes comments public unless told otherwise."""
        return self._write(number, text, {"public": False}, key)

    def reply(self, number: str, text: str, key: str, agent_email: str = "") -> str:
        """Send a public reply and return its id; as that agent when Zendesk knows them, else as our account.

        Raises Rejected when Zendesk kept the message private (our account may then not write to customers).
        """
        raw, answer = self._raw(number)
        if within(raw, "via").get("channel") not in answers.DIRECT:
            self._refuse_without_mail(number, raw, answer)
        return self._write(number, text, {"public": True, **self._author(agent_email)}, key)

    def _refuse_without_mail(self, number: str, raw: Mapping[str, Any], answer: Any) -> None:
        asks = answers.by_id(dicts(answer, "users")).get(whole(raw.get("requester_id")))
        if asks is not None and not text_of(asks.get("email")):
            raise Rejected(
                self.name, f"the customer of ticket {number} has no e-mail address in Zendesk and would not get it"
            )

    def _write(self, number: str, text: str, how: Mapping[str, Any], key: str) -> str:
        if not text.strip():
            raise Rejected(self.name, _EMPTY)
        body = {"ticket": {"comment": {"html_body": answers.rich(text), **how}, "metadata": {answers.METADATA: key}}}
        path = self._path(number)
        try:
            answer = self._http.send("PUT", f"{path}.json", body)
        except Rejected as error:
            raise self._closed(number) or error from None
        written, public = answers.comment_in(self._object(answer, "audit", maybe_done=True))
        if not written:
            raise Unavailable(self.name, f"it did not confirm what it wrote to ticket {number}")
        if how["public"] and public is False:
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

    def hold(self, number: str, on: bool) -> None:
        """Put an open ticket on hold, or open one that is; unless somebody else changes it at the same moment
        ("Protecting against ticket update collisions")."""
        raw, _ = self._raw(number)
        if raw.get("status") not in (("new", "open", "pending") if on else ("hold",)):
            return
        change = {"status": "hold" if on else "open", "updated_stamp": raw.get("updated_at"), "safe_update": True}
        try:
            self._http.send("PUT", f"{self._path(number)}.json", {"ticket": change})
        except Rejected:
            if not on:
                raise
            # "On-hold" is a status that an account has to switch on; without it, the ticket stays as it is.

    def follow_up(self, number: str, text: str, key: str, agent_email: str = "") -> TicketLine:
        """Answer the customer of a closed ticket in a follow-up of it, which carries `key` as its external id."""
        if not text.strip():
            raise Rejected(self.name, _EMPTY)
        raw, answer = self._raw(number)
        if raw.get("status") != "closed":
            raise Rejected(self.name, f"ticket {number} is not closed: write the reply there")
        self._refuse_without_mail(number, raw, answer)
        asks = whole(raw.get("requester_id"))
        if not asks:
            raise Unavailable(self.name, f"it does not tell who asked for ticket {number}", maybe_done=False)
        made = {
            "via_followup_source_id": int(number),
            "external_id": key,
            "requester_id": asks,
            "subject": text_of(raw.get("subject")) or f"Re: #{number}",
            "comment": {"html_body": answers.rich(text), "public": True, **self._author(agent_email)},
            "metadata": {answers.METADATA: key},
        }
        sent = self._http.send("POST", "/api/v2/tickets.json", {"ticket": made}, headers={"Idempotency-Key": key})
        line = answers.line(self._object(sent, "ticket", maybe_done=True), self._config.url)
        if line.number == "0":
            raise Unavailable(self.name, f"it did not confirm the follow-up of ticket {number}")
        return line

    def marked_follow_up(self, key: str) -> TicketLine | None:
        """The ticket whose external id is `key`, which only agents and the API can set."""
        found = self._http.get("/api/v2/tickets.json", {"external_id": key})
        for ticket in dicts(found, "tickets"):
            if key and ticket.get("external_id") == key and whole(ticket.get("id")):
                return answers.line(ticket, self._config.url)
        return None

    def speaks_for(self, email: str) -> bool:
        """Whether a reply goes out in the name of the agent with that address."""
        return bool(self._author(email))

    def _author(self, email: str) -> dict[str, int]:
        """Whom a comment is by: the agent of that address, if Zendesk has them and they may write to customers."""
        for user in self._people(email):
            if user.get("role") in answers.STAFF and not answers.is_light(user) and not user.get("suspended"):
                return {"author_id": whole(user.get("id"))}
        return {}

    # --- webhooks -----------------------------------------------------------------------------------------------------

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
        """The invocation's id, or BadSignature."""
        return deliveries.verified(self.name, self._config.webhook_secret, headers, body, now)

    def read(self, headers: Mapping[str, str], body: bytes) -> list[Event]:
        """The ticket that the delivery names; else []."""
        return deliveries.events(body)

    # --- checking -----------------------------------------------------------------------------------------------------

    def check(self) -> list[Finding]:
        """What would keep us from reading tickets and writing to them."""
        at = f"helpdesks.{self.name}"
        try:
            me = self._object(self._http.get("/api/v2/users/me.json"), "user")
        except Unauthorised as error:
            return [Finding(f"{at}.token", f"Zendesk refuses this email and token ({error.detail})", _MEND_SIGN_IN)]
        except ServiceError as error:
            mend = "compare `url` with the address in your browser when you work in Zendesk" + OR_UNREACHED
            return [Finding(f"{at}.url", f"{self._config.url} does not answer as Zendesk ({error.detail})", mend)]
        if me.get("id") is None:
            return [Finding(f"{at}.token", "Zendesk does not recognise this email and token", _MEND_SIGN_IN)]
        if me.get("role") not in answers.STAFF:
            return [Finding(f"{at}.email", f"{self._config.email} is not an agent in Zendesk", _MEND_ROLE)]
        if answers.is_light(me):
            return [Finding(f"{at}.email", f"{self._config.email} is a light agent and cannot reply", _MEND_ROLE)]
        if me.get("ticket_restriction") is not None:
            return [Finding(f"{at}.email", f"{self._config.email} does not see all tickets", _MEND_ACCESS)]
        return []

    def _my_id(self) -> int:
        if not self._me:
            self._me = whole(self._object(self._http.get("/api/v2/users/me.json"), "user").get("id"))
        if not self._me:  # what an anonymous caller gets, with 200
            raise Unauthorised(self.name, "it does not recognise our email and token")
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
_MEND_ACCESS = "give this account access to all tickets in Admin Center, People, Team"
_EMPTY = "an empty message cannot be sent: write something first"


def _following(page: Any) -> Params | None:
    meta = within(page, "meta")
    cursor = text_of(meta.get("after_cursor"))
    return {"page[after]": cursor} if cursor and meta.get("has_more") else None
