"""Intercom keeps the helpdesks' contract, and its own traps are stepped around."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import httpx2
import pytest
from pydantic import SecretStr, ValidationError

from integrations.base import Attachment, BadSignature, Rejected, TicketTouched, Unavailable, Watch
from integrations.intercom import Config, Intercom
from integrations.sandbox.wire import Fault
from integrations.testing.desk_world import REASON, DeskWorld
from integrations.testing.helpdesk import HelpdeskContract
from tests.integrations.desks.intercom import TOKEN, WORKSPACE, IntercomStandIn

SECRET = "sandbox-intercom-secret"
NOW = datetime(2026, 11, 2, 10, 14, tzinfo=UTC)


class IntercomWorld(DeskWorld):
    """The stand-in's Intercom as the contract suite sees it."""

    desk: IntercomStandIn
    writing = ("POST", "/reply$")
    reading = "/search$"
    refusal: ClassVar = {"type": "error.list", "errors": [{"code": "parameter_invalid", "message": REASON}]}

    def helpdesk(self, token: str = TOKEN, secret: str | None = SECRET, url: str = "", **more: Any) -> Intercom:
        given = {"plan_field": "plan", "webhook_secret": SecretStr(secret) if secret else None, **more}
        config = Config(kind="intercom", url=url or self.desk.url, token=SecretStr(token), **given)
        return Intercom("desk", config, timeout=1)

    def addresses(self, number: str) -> list[str]:
        paths = ["inbox/{}/inbox/conversation/{}", "inbox/{}/inbox/shared/all/conversation/{}?view=List"]
        paths += ["inbox/{}/conversation/{}", "apps/{}/inbox/inbox/all/conversations/{}", "apps/{}/conversations/{}/"]
        return [f"{self.desk.url}/a/{path.format(WORKSPACE, number)}" for path in paths]

    def imitate(self, number: str, key: str) -> None:
        other = str(self.records.open("Other", "Else.").number)
        self.helpdesk().note(other, "Filed.", key)
        marked = self.records.request(other).messages[-1].text
        self.records.write(number, self.records.zoe, marked, html=True)
        self.records.write(number, self.records.zoe, marked, html=True, extra={"part_type": "note"})

    def merge(self, number: str, into: str) -> None:
        """Both say that it happened, and neither with which other one."""
        super().merge(number, into)
        for place, kind in ((into, "merged_primary_conversation"), (number, "merged_secondary_conversation")):
            self.records.write(place, self.records.ours, "", extra={"part_type": kind, "by": "bot"})

    def delivery(self, number: str, at: datetime) -> tuple[dict[str, str], bytes]:
        return signed(notification(number, "conversation.user.replied") | {"id": f"notif_{at.timestamp():.0f}"})


def notification(number: str, topic: str, **item: object) -> dict[str, object]:
    data = {"type": "notification_event_data", "item": {"type": "conversation", "id": number, **item}}
    about = {"type": "notification_event", "app_id": WORKSPACE, "topic": topic, "data": data}
    return about | {"id": "notif_78c122d0-23ba-11e4-9464-79b01267cc2e", "delivery_attempts": 1}


def signed(payload: dict[str, object]) -> tuple[dict[str, str], bytes]:
    body = json.dumps(payload).encode()
    digest = hmac.new(SECRET.encode(), body, hashlib.sha1).hexdigest()
    return {"X-Hub-Signature": f"sha1={digest}", "Content-Type": "application/json"}, body


@pytest.fixture(scope="module")
def served() -> Iterator[IntercomStandIn]:
    desk = IntercomStandIn()
    yield desk
    desk.stop()


@pytest.fixture
def world(served: IntercomStandIn) -> IntercomWorld:
    served.empty()
    return IntercomWorld(served)


@pytest.fixture
def helpdesk(world: IntercomWorld) -> Intercom:
    return world.helpdesk()


class TestContract(HelpdeskContract):
    """Intercom keeps the contract."""


# --- Intercom's own traps ---------------------------------------------------------------------------------------------


def test_a_notes_mark_is_a_link_and_a_reply_has_none(helpdesk: Intercom, world: IntercomWorld) -> None:
    """Of HTML Intercom keeps only what it shows: agents may see a linked word, customers may not."""
    number = world.open_ticket("Basket", "It is empty.")
    helpdesk.note(number, "Filed as acme/shop#7:\nhttps://github.com/acme/shop/issues/7", "k1")
    helpdesk.reply(number, "Done, Zoé.", "k2")
    note, reply = [written.text for written in world.records.request(number).messages[1:]]
    assert f"conversation/{number}#passerelle-" in note
    assert "https://github.com/acme/shop/issues/7</p>" in note  # an address is left for Intercom to link
    assert reply == "<p>Done, Zoé.</p>"


def test_an_address_at_the_beginning_of_a_note_stays_one(helpdesk: Intercom, world: IntercomWorld) -> None:
    """The first other word is what leads to the conversation."""
    number = world.open_ticket("Basket", "It is empty.")
    helpdesk.note(number, "https://shop.example/7 was filed.", "k1")
    assert world.records.request(number).messages[1].text.startswith("<p>https://shop.example/7 <a ")


@pytest.mark.parametrize("text", ["https://shop.example/1 https://shop.example/2", "…", "<b>", "  two words"])
def test_any_note_can_carry_its_mark(helpdesk: Intercom, world: IntercomWorld, text: str) -> None:
    """Addresses alone, one sign, markup: the words stay as they are."""
    number = world.open_ticket("Basket", "It is empty.")
    written = helpdesk.note(number, text, "k1")
    assert helpdesk.marked(number, "k1") == written
    assert world.said(number)[1].text == text


def test_what_a_bot_said_is_nobodys_answer(helpdesk: Intercom, world: IntercomWorld) -> None:
    """Taken for an agent's, it would settle what a customer is owed."""
    number = world.open_ticket("Basket", "It is empty.")
    world.records.write(number, world.records.ana, "Have you tried again?", extra={"by": "bot"})
    said = helpdesk.ticket(number).messages[-1]
    assert (said.role, said.public) == ("agent", False)


def test_what_goes_out_in_a_teams_name_is_nobodys_answer(helpdesk: Intercom, world: IntercomWorld) -> None:
    """Bots send on behalf of teams, and no person is one."""
    number = world.open_ticket("Basket", "It is empty.")
    world.records.write(number, world.records.ana, "We are back at nine.", extra={"by": "team"})
    said = helpdesk.ticket(number).messages[-1]
    assert (said.role, said.public) == ("agent", False)


def test_pictures_in_the_text_are_attachments_too(helpdesk: Intercom, world: IntercomWorld) -> None:
    """A screenshot from the Messenger stands in the text alone; what tells that a mail was read does not count."""
    number = world.open_ticket("Basket", "It is empty.")
    world.attach(number, "pay.png", b"\x89PNG pay")
    [file] = [each for said in helpdesk.ticket(number).messages for each in said.attachments]
    shown = f'<div class="intercom-container"><img src="{file.url.replace("&", "&amp;")}"></div>'
    world.records.write(number, world.records.zoe, f'{shown}<img src="https://track.example/1.gif">', html=True)
    said = helpdesk.ticket(number).messages[-1]
    assert (said.text, [each.url for each in said.attachments]) == ("", [file.url])
    assert helpdesk.download(said.attachments[0]) == b"\x89PNG pay"


def test_a_conversation_merged_who_knows_where_takes_no_reply(helpdesk: Intercom, world: IntercomWorld) -> None:
    """Two others took one in at that moment: nobody is written to on a guess, nor where the customer looks no more."""
    number, other, third = (world.open_ticket(f"Basket {n}", "Empty.") for n in range(3))
    world.merge(number, other)
    world.records.step = timedelta(0)
    world.records.write(third, world.records.ours, "", extra={"part_type": "merged_primary_conversation", "by": "bot"})
    ticket = helpdesk.ticket(number)
    assert (ticket.number, ticket.status) == (number, "closed")
    with pytest.raises(Rejected, match="was merged into another"):
        helpdesk.reply(number, "Done.", "k1")
    assert world.writes() == 0


@pytest.mark.parametrize("path", ["/i/o/../../me", "/i/o/%2E%2e/%2e%2e/me", "/i/o/1/..%2f..%2f..%2fme", "/me", "["])
def test_a_customers_picture_leads_nowhere_else(helpdesk: Intercom, world: IntercomWorld, path: str) -> None:
    """Its address is written by whoever wrote the mail: our token does not fetch for them what the API tells."""
    number = world.open_ticket("Basket", f'<p>See.</p><img src="{world.desk.url}{path}">', html=True)
    assert helpdesk.ticket(number).messages[0].attachments == ()


@pytest.mark.parametrize(
    "host",
    [
        "downloads.intercomcdn.com",
        "downloads.au.intercomcdn.com",
        "downloads.intercomcdn.eu",
        "acme.intercom-attachments-7.com",
        "intercom-attachments-1.com",
    ],
)
def test_each_of_intercoms_stores_is_asked_for_its_files(
    helpdesk: Intercom, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """There it is only that the line is down; a stranger's host is not asked at all."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(Unavailable, match="cannot be reached"):
        helpdesk.download(Attachment("pay.png", f"https://{host}/i/o/1/pay.png?expires=1"))


def test_what_was_redacted_is_said_no_more(helpdesk: Intercom, world: IntercomWorld) -> None:
    """Intercom writes that it was deleted in its place; nobody said that, neither in a chat's first words."""
    number = world.open_ticket("", "<i>This message was deleted</i>", html=True)
    world.records.request(number).messages[0].extra["redacted"] = "yes"
    world.records.write(
        number, world.records.zoe, "<p><i>This message was deleted</i></p>", html=True, extra={"redacted": "yes"}
    )
    ticket = helpdesk.ticket(number)
    assert (ticket.subject, [said.text for said in ticket.messages]) == ("", [""])


def test_a_customers_word_that_opens_a_conversation_again_is_read(helpdesk: Intercom, world: IntercomWorld) -> None:
    """It is a part of the type "open" then, with a text like any other."""
    number = world.open_ticket("Basket", "It is empty.")
    world.records.write(number, world.records.zoe, "Still broken.", extra={"part_type": "open"})
    said = helpdesk.ticket(number).messages[-1]
    assert (said.role, said.public, said.text) == ("customer", True, "Still broken.")


@pytest.mark.parametrize("kind", ["assignment", "note_and_reopen", "something_new"])
def test_a_part_that_is_not_known_to_be_shown_is_internal(helpdesk: Intercom, world: IntercomWorld, kind: str) -> None:
    """What agents said among themselves must never count as said to the customer."""
    number = world.open_ticket("Basket", "It is empty.")
    world.records.write(number, world.records.ana, "Yours?", extra={"part_type": kind})
    assert helpdesk.ticket(number).messages[-1].public is False


def test_a_chat_without_a_subject_goes_by_its_first_words(helpdesk: Intercom, world: IntercomWorld) -> None:
    """Cut at 80 characters."""
    number = world.open_ticket("", "The basket is empty again, " + "and again " * 20)
    subject = helpdesk.ticket(number).subject
    assert (subject[:26], subject[-1], len(subject) <= 80) == ("The basket is empty again,", "…", True)


def test_a_teammate_without_a_seat_is_not_spoken_for(helpdesk: Intercom, world: IntercomWorld) -> None:
    """Our own must have one: check says so."""
    number = world.open_ticket("Basket", "It is empty.")
    world.desk.seatless = [world.records.ana, world.records.ours]
    helpdesk.reply(number, "Done.", "k1", "ana@acme.example")
    assert world.said(number)[1].author == "Passerelle"
    [finding] = helpdesk.check()
    assert (finding.where, "Inbox seat" in finding.mend) == ("helpdesks.desk.token", True)


def test_an_app_that_may_not_read_conversations_is_found_by_check(helpdesk: Intercom, world: IntercomWorld) -> None:
    """Permissions are chosen one by one: its token signs in, and yet every ticket would be refused."""
    world.desk.wire.faults.append(Fault("refuse", "POST", "/search$", status=403))
    [finding] = helpdesk.check()
    assert (finding.where, "read conversations" in finding.mend) == ("helpdesks.desk.token", True)


def test_all_contacts_of_one_address_are_looked_at(helpdesk: Intercom, world: IntercomWorld) -> None:
    """A lead who signed up is two contacts with the same address until somebody merges them."""
    first = world.open_ticket("Basket", "Empty.")
    lead = world.records.person("Zoé", "zoe@customer.example", "customer")
    second = str(world.records.open("Pay", "Grey.", customer=lead).number)
    assert [line.number for line in helpdesk.tickets_of("zoe@customer.example")] == [second, first]


@pytest.mark.parametrize("status", [403, 404])
def test_a_customer_whose_contact_cannot_be_read_still_has_a_name(
    helpdesk: Intercom, world: IntercomWorld, status: int
) -> None:
    """Merged, deleted, or not for us to see: what is not known is not taken out of an issue, either."""
    number = world.open_ticket("Basket", "It is empty. Zoé Martin")
    world.desk.wire.faults.append(Fault("refuse", "GET", "/contacts/", status=status))
    person = helpdesk.ticket(number).customer
    assert (person.name, person.email) == ("Zoé Martin", "zoe@customer.example")


def test_an_apostrophe_belongs_to_an_address(helpdesk: Intercom, world: IntercomWorld) -> None:
    """Of customers and of agents: nobody is unknown for being called O'Brien."""
    fay = world.records.person("Fay O'Brien", "fay.o'brien@customer.example", "customer")
    number = str(world.records.open("Basket", "Empty.", customer=fay).number)
    assert [line.number for line in helpdesk.tickets_of("fay.o'brien@customer.example")] == [number]
    world.records.person("Tim O'Brien", "tim.o'brien@acme.example", "agent")
    assert helpdesk.speaks_for("tim.o'brien@acme.example")


def test_fields_named_in_the_configuration_are_told(world: IntercomWorld) -> None:
    """Attributes of the company, the contact or the conversation; one that nobody has is left out."""
    number = world.open_ticket("Basket", "It is empty.")
    named = world.helpdesk(fields={"Seats": "seats", "Reference": "reference", "Nothing": "none"})
    assert named.ticket(number).fields == (("Seats", "12"), ("Reference", "A-7"))


def test_a_very_long_conversation_keeps_its_first_word(helpdesk: Intercom, world: IntercomWorld) -> None:
    """Intercom tells the newest 500 parts, and the message that began it."""
    number = world.open_ticket("Basket", "It is empty.")
    for at in range(510):
        world.customer_writes(number, f"{at}")
    texts = [said.text for said in helpdesk.ticket(number).messages]
    assert (texts[0], texts[1], texts[-1], len(texts)) == ("It is empty.", "10", "509", 501)


def test_changes_within_one_second_are_all_told(helpdesk: Intercom, world: IntercomWorld) -> None:
    """Times have whole seconds: what changed again in the second of the last look is told in the next."""
    number = world.open_ticket("Basket", "It is empty.")
    _, watch = helpdesk.poll(Watch())
    world.customer_writes(number, "Still.")
    _, watch = helpdesk.poll(watch)
    world.records.step = timedelta(0)
    world.customer_writes(number, "And again.")
    events, _ = helpdesk.poll(watch)
    assert TicketTouched(number) in events


def test_a_search_that_was_cut_off_is_asked_again(helpdesk: Intercom, world: IntercomWorld) -> None:
    """It changes nothing, though it is a POST; what then fails is certainly not done."""
    number = world.open_ticket("Basket", "It is empty.")
    world.desk.wire.faults.append(Fault("drop", "POST", "/search$"))
    assert [line.number for line in helpdesk.tickets_of("zoe@customer.example")] == [number]
    world.desk.wire.faults.append(Fault("drop", "POST", "/search$", times=2))
    with pytest.raises(Unavailable) as failure:
        helpdesk.poll(Watch())
    assert failure.value.maybe_done is False


def test_the_rate_limit_tells_when_it_ends(helpdesk: Intercom, world: IntercomWorld) -> None:
    """As a Unix time in a header of its own."""
    number = world.open_ticket("Basket", "It is empty.")
    world.desk.left = 0
    with pytest.raises(Unavailable) as limit:
        helpdesk.ticket(number)
    assert 5 < (limit.value.retry_after or 0) <= 10


@pytest.mark.parametrize(
    "topic", ["conversation.admin.replied", "conversation.deleted", "conversation_part.tag.created"]
)
def test_each_topic_of_conversations_is_heard(helpdesk: Intercom, topic: str) -> None:
    """What it means is read from the conversation itself."""
    assert helpdesk.read({}, json.dumps(notification("4211", topic)).encode()) == [TicketTouched("4211")]


@pytest.mark.parametrize(
    ("topic", "item"), [("contact.created", {}), ("ping", {}), ("conversation.x", {"type": "ping"}), ("", {})]
)
def test_other_topics_mean_nothing(helpdesk: Intercom, topic: str, item: dict[str, object]) -> None:
    """The ping with which Intercom tries the address, contacts, companies."""
    assert helpdesk.read({}, json.dumps(notification("4211", topic, **item)).encode()) == []


def test_a_signature_of_another_kind_is_none(helpdesk: Intercom) -> None:
    """It says with what it was made."""
    headers, body = signed(notification("4211", "conversation.user.replied"))
    for kind in ("", "sha256="):
        with pytest.raises(BadSignature):
            helpdesk.verify({"X-Hub-Signature": headers["X-Hub-Signature"].replace("sha1=", kind)}, body, NOW)


def test_a_notification_sent_again_has_the_same_id(helpdesk: Intercom) -> None:
    """Though its count of attempts differs, and so does its signature."""
    once = notification("4211", "conversation.user.replied")
    ids = [helpdesk.verify(*signed(once | {"delivery_attempts": count}), NOW) for count in (1, 2)]
    assert ids == ["notif_78c122d0-23ba-11e4-9464-79b01267cc2e"] * 2


@pytest.mark.parametrize(
    ("api", "people"),
    [
        ("https://api.intercom.io", "https://app.intercom.com"),
        ("https://api.eu.intercom.io", "https://app.eu.intercom.com"),
        ("https://api.au.intercom.io", "https://app.au.intercom.com"),
    ],
)
def test_each_region_has_its_own_inbox(api: str, people: str) -> None:
    """The API stands at another address than the one that people paste, and other regions' are not ours."""
    helpdesk = Intercom("desk", Config(kind="intercom", url=api, token=SecretStr("x")))
    assert helpdesk.number_in(f"{people}/a/inbox/ws1acme/inbox/conversation/4211") == "4211"
    assert helpdesk.number_in("https://app.us.intercom.com/a/inbox/ws1acme/inbox/conversation/4211") is None


@pytest.mark.parametrize("wrong", [{"url": "api.intercom.io"}, {"tokn": "x"}, {"hold_days": 0}, {"token": None}])
def test_what_cannot_be_right_is_refused_at_once(wrong: dict[str, object]) -> None:
    """The configuration says so before anything is called."""
    entry = {"kind": "intercom", "token": "x"}
    assert Config.model_validate(entry).url == "https://api.intercom.io"
    with pytest.raises(ValidationError):
        Config.model_validate(entry | wrong)


# --- the stand-in -----------------------------------------------------------------------------------------------------


def test_the_stand_in_refuses_what_intercom_refuses(world: IntercomWorld) -> None:
    """Unknown parameters, customers as admins, empty bodies, a snooze in the past, a foreign token."""
    number, key = world.open_ticket("Basket", "It is empty."), {"Authorization": f"Bearer {TOKEN}"}
    talk, me = f"{world.desk.url}/conversations/{number}", str(world.records.ours.id)
    reply = {"message_type": "comment", "type": "admin", "admin_id": me, "body": "x"}
    answers = [
        httpx2.post(f"{talk}/reply", json=reply | {"external_id": "k1"}, headers=key),
        httpx2.post(f"{talk}/reply", json=reply | {"body": " "}, headers=key),
        httpx2.post(f"{talk}/reply", json=reply | {"admin_id": str(world.records.zoe.id)}, headers=key),
        httpx2.post(f"{talk}/parts", json={"message_type": "snoozed", "admin_id": me, "snoozed_until": 1}, headers=key),
        httpx2.get(talk, headers={"Authorization": "Bearer other"}),
    ]
    assert [answer.status_code for answer in answers] == [400, 400, 404, 400, 401]
    assert {answer.json()["type"] for answer in answers} == {"error.list"}
    assert len(world.said(number)) == 1
