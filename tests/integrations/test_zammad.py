"""Zammad keeps the helpdesks' contract, and its own traps are stepped around."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar

import pytest
from pydantic import SecretStr, ValidationError

from integrations.base import Ability, NotFound, Rejected, TicketTouched, Unauthorised, Watch, mark
from integrations.sandbox.wire import Fault
from integrations.testing.desk_records import Person
from integrations.testing.desk_world import REASON, DeskWorld
from integrations.testing.helpdesk import HelpdeskContract
from integrations.zammad import Config, Zammad
from tests.integrations.desks.zammad import TOKEN, ZammadStandIn, id_of

SECRET = "sandbox-zammad-secret"


class ZammadWorld(DeskWorld):
    """The stand-in as the contract suite sees it."""

    refusal: ClassVar = {"error": "Validation failed", "error_human": REASON}
    desk: ZammadStandIn

    def helpdesk(self, token: str = TOKEN, secret: str | None = SECRET, url: str = "", **more: object) -> Zammad:
        entry = {
            "kind": "zammad",
            "url": url or self.desk.url,
            "token": SecretStr(token),
            "webhook_secret": secret,
            "plan_field": "plan",
        }
        return Zammad("desk", Config.model_validate(entry | more), timeout=1)

    def imitate(self, number: str, key: str) -> None:
        """By the API, with all that they may send along."""
        request = self.records.request(number)
        wanted = {"body": f"{key} {mark(key)}", "sender": "Agent", "preferences": {"passerelle": key}, "internal": True}
        self.desk.write(request, request.customer, wanted)

    def addresses(self, number: str) -> list[str]:
        ticket = id_of(self.records.request(number))
        paths = [
            f"/#ticket/zoom/{ticket}",
            f"/#ticket/zoom/{ticket}/900004",
            f"/#ticket/zoom/{ticket}/nav/true",
            f"/#ticket/zoom/number/{number}",
            f"/index.html#ticket/zoom/{ticket}",
            f"/desktop/tickets/{ticket}",
            f"/mobile/tickets/{ticket}/information",
            f"/api/v1/tickets/{ticket}",
        ]
        return [f"{self.desk.url}{path}" for path in paths]

    def delivery(self, number: str, at: datetime) -> tuple[dict[str, str], bytes]:
        body = json.dumps({"ticket": {"id": int(number) - 4000, "number": number}, "article": {"id": 5}}).encode()
        signature = hmac.new(SECRET.encode(), body, hashlib.sha1).hexdigest()
        headers = {
            "X-Zammad-Trigger": "Passerelle",
            "X-Zammad-Delivery": f"8a1f-{at.timestamp():.0f}",
            "X-Hub-Signature": f"sha1={signature}",
        }
        return headers, body


@pytest.fixture(scope="module")
def served() -> Iterator[ZammadStandIn]:
    desk = ZammadStandIn()
    yield desk
    desk.stop()


@pytest.fixture
def desk(served: ZammadStandIn) -> ZammadStandIn:
    served.empty()
    return served


@pytest.fixture
def world(desk: ZammadStandIn) -> ZammadWorld:
    return ZammadWorld(desk)


@pytest.fixture
def helpdesk(world: ZammadWorld) -> Zammad:
    return world.helpdesk()


class TestContract(HelpdeskContract):
    """Zammad keeps the contract."""


# --- Zammad's own traps -----------------------------------------------------------------------------------------------


def test_the_id_in_an_address_is_no_number(helpdesk: Zammad, world: ZammadWorld) -> None:
    """Somebody who types what stands in the address means a ticket of that number, and there is none."""
    number = world.open_ticket("Basket", "Empty.")
    ticket = id_of(world.records.request(number))
    assert helpdesk.number_in(f"{world.desk.url}/#ticket/zoom/{ticket}") == f"id-{ticket}"
    assert helpdesk.number_in(f"[Ticket#{number}]") == number
    assert helpdesk.number_in("https://elsewhere.example/#ticket/zoom/211") is None
    with pytest.raises(NotFound, match=f"no ticket {ticket}"):
        helpdesk.ticket(str(ticket))


def test_a_customers_token_writes_no_note(helpdesk: Zammad, world: ZammadWorld) -> None:
    """Zammad would show it to the customer; so nothing is written, and check says why."""
    number = world.open_ticket("Basket", "Empty.")
    world.desk.agent = False
    with pytest.raises(Unauthorised):
        helpdesk.note(number, "Filed.", "k1")
    assert world.writes() == 0
    assert [finding.where for finding in helpdesk.check()] == ["helpdesks.desk.token"]


@pytest.mark.parametrize("status", [401, 403])
def test_without_the_permission_a_reply_goes_out_in_our_own_name(
    helpdesk: Zammad, world: ZammadWorld, status: int
) -> None:
    """Once: that it may not speak for others is certain, so nothing was sent."""
    number = world.open_ticket("Basket", "Empty.")
    world.desk.speaks_for_others = status
    assert not helpdesk.speaks_for("ana@acme.example")  # so the words of the reply name her
    helpdesk.reply(number, "Done.", "k1", "ana@acme.example")
    assert world.received(number) == ["Done."]
    assert world.said(number)[-1].author == "Passerelle"


def test_an_agent_who_leaves_is_spoken_for_no_more(helpdesk: Zammad, world: ZammadWorld) -> None:
    """People come and go while we run."""
    number = world.open_ticket("Basket", "Empty.")
    helpdesk.reply(number, "Soon.", "k1", "ana@acme.example")
    world.desk.attributes[world.records.ana.id] = {"active": False}
    helpdesk.reply(number, "Done.", "k2", "ana@acme.example")
    assert [said.author for said in world.said(number)[1:]] == ["Ana Moreau", "Passerelle"]
    assert not helpdesk.speaks_for("ana@acme.example")


@pytest.mark.parametrize("sender", ["", "Robot"])
def test_what_nobody_is_named_for_is_no_agents_word(helpdesk: Zammad, world: ZammadWorld, sender: str) -> None:
    """Taken for one, it would settle what the customer is owed."""
    number = world.open_ticket("Basket", "Empty.")
    world.records.write(number, world.records.ana, "Thanks for waiting.", extra={"sender": sender})
    assert helpdesk.ticket(number).messages[1].role == "ours"


def test_a_customer_without_an_address_cannot_be_reached(helpdesk: Zammad, world: ZammadWorld) -> None:
    """Zammad would take the mail, and never send it."""
    number = world.open_ticket("Basket", "Empty.")
    world.records.zoe.email = ""
    with pytest.raises(Rejected, match="no e-mail address"):
        helpdesk.reply(number, "Done.", "k1")
    assert world.writes() == 0


def test_a_merged_ticket_takes_no_reply(helpdesk: Zammad, world: ZammadWorld) -> None:
    """Its customer reads the other one; what was marked there before is found in that."""
    number, other = world.open_ticket("Basket", "Empty."), world.open_ticket("Basket again", "Still.")
    note = helpdesk.note(number, "Filed.", "k1")
    world.merge(number, other)
    with pytest.raises(Rejected, match="was merged into another"):
        helpdesk.reply(number, "Done.", "k2")
    assert helpdesk.marked(helpdesk.ticket(number).number, "k1") == note
    assert [line.number for line in helpdesk.tickets_of("zoe@customer.example")] == [other]


def test_what_a_trigger_sends_is_no_agents_word(helpdesk: Zammad, world: ZammadWorld) -> None:
    """An automatic answer must not count as the write-back."""
    number = world.open_ticket("Basket", "Empty.")
    world.records.write(number, world.records.ana, "We have your message.", extra={"sender": "System"})
    assert [said.role for said in helpdesk.ticket(number).messages] == ["customer", "ours"]


def test_a_mail_from_the_ticket_to_somebody_else_is_no_answer(helpdesk: Zammad, world: ZammadWorld) -> None:
    """An agent asks a supplier, and the customer has heard nothing: only what went to them is public."""
    number, wrote = world.open_ticket("Basket", "Empty."), world.records.write
    wrote(number, world.records.zoe, "Still.", extra={"from": "Zoé <zoe@home.example>"})
    for to in ("Supplier <help@supplier.example>", "Martin, Zoé <ZOE@customer.example>", "zoe@home.example"):
        wrote(number, world.records.ana, "Is it known?", extra={"to": to, "sender": "Agent"})
    wrote(number, world.records.ana, "Fyi.", extra={"to": "help@supplier.example", "cc": "zoe@customer.example"})
    assert [said.public for said in helpdesk.ticket(number).messages] == [True, True, False, True, True, True]


def test_a_mail_that_could_not_be_delivered_is_no_answer(helpdesk: Zammad, world: ZammadWorld) -> None:
    """Zammad says so of the article, and tries again; the customer has heard nothing so far."""
    number = world.open_ticket("Basket", "Empty.")
    for status in ("fail", "success"):
        told = {"preferences": json.dumps({"delivery_status": status, "delivery_retry": 1})}
        world.records.write(number, world.records.ana, "It is mended.", extra=told)
    assert [said.public for said in helpdesk.ticket(number).messages] == [True, False, True]


def test_a_picture_in_the_text_is_an_attachment(helpdesk: Zammad, world: ZammadWorld) -> None:
    """Zammad leaves a pasted screenshot out of its list; what was quoted, or stands elsewhere, is not theirs."""
    number, shot = world.open_ticket("Basket", "Empty."), world.records.file("image.png", b"\x89PNG")
    elsewhere = '<img src="https://elsewhere.example/a.png"><img src="/api/v1/ticket_attachment/1/2/3">'
    quoted = f'<blockquote type="cite"><img src="/api/v1/ticket_attachment/{number}/1/2"></blockquote>'
    again = "<p>From: Acme &lt;help@acme.example&gt;<br>Sent: Monday<br>To: Zoé</p><img src='cid:image.png'>"
    html = f'<p>See:</p><img src="cid:image.png" alt="écran.jpg">{elsewhere}{quoted}{again}'
    world.records.write(number, world.records.zoe, html, html=True, files=[shot])
    [picture] = helpdesk.ticket(number).messages[1].attachments
    assert (picture.name, helpdesk.download(picture)) == ("écran.jpg", b"\x89PNG")


def test_a_reply_is_a_mail_with_the_tickets_subject(helpdesk: Zammad, world: ZammadWorld) -> None:
    """To the customer's address, as plain text."""
    number = world.open_ticket("Basket", "Empty.")
    helpdesk.reply(number, "Done.", "k1")
    sent = world.records.request(number).messages[-1].extra
    assert {key: sent[key] for key in ("type", "to", "subject")} == {
        "type": "email",
        "to": "zoe@customer.example",
        "subject": "Basket",
    }


def test_holding_asks_for_a_reminder_and_leaves_a_state_of_ones_own(helpdesk: Zammad, world: ZammadWorld) -> None:
    """A pending state needs a time; one that Zammad does not have is found by check, and tickets stay as they are."""
    number = world.open_ticket("Basket", "Empty.")
    helpdesk.hold(number, True)
    assert world.records.request(number).extra["pending_time"] > datetime.now().isoformat()
    other = world.helpdesk(hold_status="waits for development")
    assert [finding.where for finding in other.check()] == ["helpdesks.desk.hold_status"]
    second = world.open_ticket("Pay", "Grey.")
    other.hold(second, True)
    assert world.status(second) == "open"


def test_attributes_of_ticket_customer_and_organisation_are_told(world: ZammadWorld) -> None:
    """Those that the configuration names; choices from elsewhere by their label."""
    number = world.open_ticket("Basket", "Empty.")
    world.desk.attributes[id_of(world.records.request(number))] = {
        "shop": {"value": "7", "label": "Paris"},
        "none": None,
    }
    world.desk.attributes[world.records.zoe.id] = {"tier": ["gold", "old"]}
    helpdesk = world.helpdesk(fields={"Shop": "shop", "Tier": "tier", "Plan": "plan", "None": "none"})
    assert helpdesk.ticket(number).fields == (("Shop", "Paris"), ("Tier", "gold, old"), ("Plan", "gold"))


def test_a_change_that_shows_late_is_told_all_the_same(helpdesk: Zammad, world: ZammadWorld) -> None:
    """A younger one was there before it."""
    late, other = world.open_ticket("Basket", "Empty."), world.open_ticket("Pay", "Grey.")
    _, watch = helpdesk.poll(Watch())
    _, watch = helpdesk.poll(watch)
    changed = world.records.touch(late).updated_at
    world.records.request(late).updated_at = world.records.request(other).updated_at
    world.customer_writes(other, "Still.")
    events, watch = helpdesk.poll(watch)
    assert TicketTouched(other) in events
    world.records.request(late).updated_at = changed
    events, watch = helpdesk.poll(watch)
    assert events == [TicketTouched(late)]
    assert helpdesk.poll(watch) == ([], watch)


def test_a_person_who_was_deleted_leaves_their_words(helpdesk: Zammad, world: ZammadWorld) -> None:
    """By the name that stands on the message."""
    number = world.open_ticket("Basket", "Empty.")
    world.records.write(number, Person(77, "Bob Gone", "bob@acme.example", "agent"), "I look.")
    assert helpdesk.ticket(number).messages[1].author == "Bob Gone <bob@acme.example>"


@pytest.mark.parametrize("url", ["support.acme.example", "ftp://acme.example", "https://me:pass@acme.example"])
def test_an_address_that_cannot_be_right_is_refused_at_once(url: str) -> None:
    """The configuration says so before anything is called."""
    with pytest.raises(ValidationError):
        Config(kind="zammad", url=url, token=SecretStr("x"))


def test_a_permission_that_is_lacking_is_told_in_zammads_words(helpdesk: Zammad, world: ZammadWorld) -> None:
    """As for a group that the account does not see."""
    number = world.open_ticket("Basket", "Empty.")
    world.desk.wire.faults.append(Fault("refuse", "GET", "/tickets/", 403, {"error": "Not authorized (group)"}))
    with pytest.raises(Unauthorised, match="group"):
        helpdesk.ticket(number)
    assert Ability.FOLLOWS_UP not in helpdesk.abilities
