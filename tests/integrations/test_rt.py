"""Request Tracker keeps the helpdesks' contract, and its own traps are stepped around.

The stand-in's wire is held against a real server in tests/real/test_rt.py.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import ClassVar

import httpx2
import pytest
from pydantic import SecretStr, ValidationError

from integrations.base import NotFound, Rejected, TicketTouched, Unauthorised, Watch, mark
from integrations.rt import RT, Config
from integrations.testing.desk_world import REASON, DeskWorld
from integrations.testing.helpdesk import HelpdeskContract
from tests.integrations.desks.rt import ALSO, MARKS, TOKEN, UNREADABLE, RTStandIn

SECRET = "sandbox-rt-secret"


class RTWorld(DeskWorld):
    """The stand-in as the contract suite sees it."""

    refusal: ClassVar = {"message": REASON}
    desk: RTStandIn

    def helpdesk(self, token: str = TOKEN, secret: str | None = SECRET, url: str = "", **more: object) -> RT:
        entry = {
            "kind": "rt",
            "url": url or self.desk.url,
            "token": SecretStr(token),
            "webhook_secret": secret,
            "tag_field": "Tags",
            "plan_field": "Plan",
            "fields": {"Plan": "Plan", "Labels": "Tags", "Other": "Nope"},
        }
        return RT("desk", Config.model_validate(entry | more), timeout=1)

    def imitate(self, number: str, key: str) -> None:
        """In their own name, and by a mail that claims to come from our address: RT believes it."""
        customer = self.records.request(number).customer
        for author in (customer, self.records.ours):
            self.records.write(number, author, f"{key} {mark(key)}\nX-Passerelle: {key}")

    def addresses(self, number: str) -> list[str]:
        paths = [
            f"/Ticket/Display.html?id={number}",
            f"/Ticket/Update.html?Action=Respond&id={number}",
            f"/Ticket/Display.html?id={number}#txn-345",
            f"/SelfService/Display.html?id={number}",
            f"/m/ticket/show?id={number}",
            f"/REST/2.0/ticket/{number}",
            f"/Ticket/{number}",
        ]
        return [f"{self.desk.url}{path}" for path in paths]

    def delivery(self, number: str, at: datetime) -> tuple[dict[str, str], bytes]:
        body = json.dumps({"ticket": int(number), "transaction": 345, "type": "Correspond"}).encode()
        stamp = at.strftime("%Y-%m-%dT%H:%M:%SZ")
        signature = hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        return {"X-Passerelle-Time": stamp, "X-Passerelle-Signature": signature}, body


@pytest.fixture(scope="module")
def served() -> Iterator[RTStandIn]:
    desk = RTStandIn()
    yield desk
    desk.stop()


@pytest.fixture
def desk(served: RTStandIn) -> RTStandIn:
    served.empty()
    return served


@pytest.fixture
def world(desk: RTStandIn) -> RTWorld:
    return RTWorld(desk)


@pytest.fixture
def helpdesk(world: RTWorld) -> RT:
    return world.helpdesk()


class TestContract(HelpdeskContract):
    """Request Tracker keeps the contract."""


# --- Request Tracker's own traps --------------------------------------------------------------------------------------


def test_a_key_is_one_to_the_letter(helpdesk: RT, world: RTWorld) -> None:
    """RT compares without regard to case, and quotation marks end a value in its searches."""
    number = world.open_ticket("Basket", "Empty.")
    odd = "it's \\' OR id > 0"
    helpdesk.note(number, "Filed.", "Key")
    written = helpdesk.note(number, "Filed again.", odd)
    assert (helpdesk.marked(number, "KEY"), helpdesk.marked(number, odd)) == (None, written)


def test_a_key_counts_on_what_we_wrote_alone(helpdesk: RT, world: RTWorld) -> None:
    """Whoever may set our custom field by hand, too."""
    number = world.open_ticket("Basket", "Empty.")
    world.records.write(number, world.records.ana, "Filed.", public=False, extra={MARKS: "k1"})
    assert helpdesk.marked(number, "k1") is None


def test_what_was_said_before_a_merge_is_read_and_found_after_it(helpdesk: RT, world: RTWorld) -> None:
    """Both conversations are one, and our keys stay ours; what is written then goes to the one that is left."""
    number, other = world.open_ticket("Basket", "Empty."), world.open_ticket("Basket again", "Still empty.")
    note, reply = helpdesk.note(number, "Filed.", "k1"), helpdesk.reply(number, "We look at it.", "k2")
    world.merge(number, other)
    texts = [said.text for said in helpdesk.ticket(number).messages]
    assert texts == ["Empty.", "Still empty.", "Filed.", "We look at it."]
    for where in (number, other):
        assert (helpdesk.marked(where, "k1"), helpdesk.marked(where, "k2")) == (note, reply)
    helpdesk.reply(number, "Mended.", "k3")
    assert world.received(other) == ["Mended."]


def test_nothing_is_written_that_could_not_be_found_again(desk: RTStandIn, world: RTWorld) -> None:
    """RT would leave a key out without a word where the custom field is missing; once it is there, all is well."""
    number = world.open_ticket("Basket", "Empty.")
    marks = desk.fields.pop(MARKS)
    helpdesk = world.helpdesk()
    with pytest.raises(Unauthorised, match="nothing was written"):
        helpdesk.reply(number, "Done.", "k1")
    assert (world.received(number), world.writes()) == ([], 0)
    assert [finding.where for finding in helpdesk.check()] == ["helpdesks.desk.mark_field"]
    desk.fields[MARKS] = marks
    helpdesk.reply(number, "Done.", "k1")
    assert (world.received(number), helpdesk.check()) == (["Done."], [])


def test_no_reply_is_sent_whose_key_would_be_lost(helpdesk: RT, desk: RTStandIn, world: RTWorld) -> None:
    """RT says that it set the field, and did not: the first message tells; once a note has its key, all is well."""
    number = world.open_ticket("Basket", "Empty.")
    desk.keeps = False
    helpdesk.note(number, "Filed.", "k1")
    with pytest.raises(Unauthorised, match="RT does not let us set 'Passerelle'"):
        helpdesk.reply(number, "Done.", "k2")
    assert world.received(number) == []
    desk.keeps = True
    with pytest.raises(Unauthorised):
        helpdesk.reply(number, "Done.", "k2")
    helpdesk.note(number, "Filed.", "k1")
    helpdesk.reply(number, "Done.", "k2")
    assert world.received(number) == ["Done."]


def test_check_names_what_is_missing(desk: RTStandIn, world: RTWorld) -> None:
    """The field for tags, and the rights, as far as RT's links to its newest ticket tell them."""
    world.open_ticket("Basket", "Empty.")
    desk.lacking = {"correspond"}
    found = world.helpdesk(tag_field="Labels").check()
    assert [finding.where.rsplit(".", 1)[-1] for finding in found] == ["tag_field", "token"]
    assert "lacks ReplyToTicket on" in found[1].problem


def test_a_deleted_ticket_is_not_written_to(helpdesk: RT, desk: RTStandIn, world: RTWorld) -> None:
    """RT itself would take the message, and send it."""
    number = world.open_ticket("Basket", "Empty.")
    world.delete(number)
    for write in (helpdesk.note, helpdesk.reply):
        with pytest.raises(NotFound):
            write(number, "Done.", "k1")
    assert (desk.records.swallowed, world.writes()) == ([], 0)


def test_a_reply_that_would_reach_nobody_is_not_sent(helpdesk: RT, desk: RTStandIn, world: RTWorld) -> None:
    """A ticket without a requestor has nobody whom RT would write to; a note it can have."""
    number = world.open_ticket("Basket", "Empty.")
    desk.nobody = True
    with pytest.raises(Rejected, match=f"ticket {number} has no requestor"):
        helpdesk.reply(number, "Done.", "k1")
    assert helpdesk.note(number, "Filed.", "k1")


def test_a_status_that_rt_does_not_allow_is_told_in_its_words(helpdesk: RT, desk: RTStandIn, world: RTWorld) -> None:
    """It answers 200 all the same."""
    number = world.open_ticket("Basket", "Empty.")
    desk.bound = True
    with pytest.raises(Rejected, match="Status 'stalled' isn't a valid status"):
        helpdesk.hold(number, True)


def test_statuses_mean_what_the_configuration_says(world: RTWorld) -> None:
    """Where a lifecycle has others, or none for held; one that is not named is open."""
    number = world.open_ticket("Basket", "Empty.")
    world.set_status(number, "spam")
    named = world.helpdesk(statuses={"open": "open", "rejected": "closed"})
    assert named.ticket(number).status == "closed"
    world.set_status(number, "open")
    named.hold(number, True)
    assert (world.status(number), world.writes()) == ("open", 0)


def test_without_a_field_for_tags_there_are_none(world: RTWorld) -> None:
    """RT has none of its own."""
    number = world.open_ticket("Basket", "Empty.", tags=["vip"])
    plain = world.helpdesk(tag_field=None)
    plain.tag(number, "passerelle")
    assert (plain.ticket(number).tags, world.tags(number)) == ((), ["vip"])


def test_configured_fields_are_told(helpdesk: RT, world: RTWorld) -> None:
    """Of the ticket or of the customer; one that is empty or unknown is left out."""
    number = world.open_ticket("Basket", "Empty.", tags=["vip", "gift"])
    assert helpdesk.ticket(number).fields == (("Plan", "gold"), ("Labels", "vip, gift"))


def test_a_mail_in_a_charset_that_rt_does_not_know_is_read(helpdesk: RT, world: RTWorld) -> None:
    """RT keeps its words as bytes of no kind, and what they were in a header of its own."""
    number = world.open_ticket("Basket", "Empty.")
    customer = world.records.request(number).customer
    world.records.write(number, customer, "The total is wrong.", extra={UNREADABLE: "x-unknown"})
    said = helpdesk.ticket(number).messages[1]
    assert (said.text, said.attachments) == ("The total is wrong.", ())


def test_words_and_a_footer_in_html_are_one_text(helpdesk: RT, world: RTWorld) -> None:
    """Telephones send a picture so, between the words and a line of their own: the words are not to be lost."""
    number = world.open_ticket("Basket", "Empty.")
    customer = world.records.request(number).customer
    world.records.write(number, customer, "The total is wrong.", extra={ALSO: "<p>Sent from my phone</p>"})
    assert helpdesk.ticket(number).messages[1].text == "The total is wrong.\nSent from my phone"


def test_a_page_with_gaps_is_not_the_last(helpdesk: RT, desk: RTStandIn, world: RTWorld) -> None:
    """RT leaves out what we may not see once a page was cut; all the rest is read."""
    number = world.open_ticket("Basket", "Empty.")
    for at in range(150):
        world.agent_writes(number, f"{at}", public=True)
    desk.hidden = {turn.id for turn in desk.records.turns[10:60]}
    assert len(helpdesk.ticket(number).messages) == 101


def test_somebody_in_copy_is_no_agent(helpdesk: RT, world: RTWorld) -> None:
    """Who is neither privileged nor the requestor counts among the customers: their words are no answer of ours."""
    number = world.open_ticket("Basket", "Empty.")
    friend = world.records.person("Max Weber", "max@customer.example", "customer")
    world.records.write(number, friend, "For me too.")
    world.agent_writes(number, "We look at it.", public=True)
    assert [said.role for said in helpdesk.ticket(number).messages] == ["customer", "customer", "agent"]


# --- polling ----------------------------------------------------------------------------------------------------------


def test_what_happens_within_one_second_is_told_apart(helpdesk: RT, desk: RTStandIn, world: RTWorld) -> None:
    """However often one looks in it."""
    desk.records.step = timedelta(0)
    number = world.open_ticket("Basket", "Empty.")
    _, watch = helpdesk.poll(Watch())
    for at in range(3):
        world.customer_writes(number, f"And {at}?")
        events, watch = helpdesk.poll(watch)
        assert events == [TicketTouched(number)]
    assert helpdesk.poll(watch) == ([], watch)


def test_what_was_seen_late_is_told(helpdesk: RT, desk: RTStandIn, world: RTWorld) -> None:
    """A transaction with the smaller number may be committed after one with a greater."""
    slow, quick = world.open_ticket("Slow", "Empty."), world.open_ticket("Quick", "Empty.")
    _, watch = helpdesk.poll(Watch())
    world.customer_writes(slow, "Still.")
    late = desk.records.turns.pop()
    world.customer_writes(quick, "Still.")
    events, watch = helpdesk.poll(watch)
    assert events == [TicketTouched(quick)]
    desk.records.turns.append(late)
    events, watch = helpdesk.poll(watch)
    assert (events, helpdesk.poll(watch)) == ([TicketTouched(slow)], ([], watch))


def test_a_quiet_look_is_one_request_and_remembers_little(helpdesk: RT, desk: RTStandIn, world: RTWorld) -> None:
    """What is older than a minute than the newest is not kept in mind."""
    desk.records.step = timedelta(seconds=20)
    number = world.open_ticket("Basket", "Empty.")
    for at in range(50):
        world.customer_writes(number, f"And {at}?")
    _, watch = helpdesk.poll(Watch())
    before = len(desk.wire.calls)
    helpdesk.poll(watch)
    assert len(desk.wire.calls) == before + 1
    assert len(watch.state["told"].split(",")) < 5


# --- addresses and files ----------------------------------------------------------------------------------------------


def test_rt_below_a_path_has_its_addresses_there(world: RTWorld) -> None:
    """Many run it at /rt."""
    helpdesk = world.helpdesk(url="https://support.acme.example/rt/index.html")
    inside = "https://support.acme.example/rt/Ticket/Display.html?id=12"
    outside = [
        "https://support.acme.example/Ticket/Display.html?id=12",
        "https://support.acme.example/rt/Ticket/Display.html",
        "https://support.acme.example/rt/Ticket/Display.html?id=12x",
        "https://support.acme.example/rt/Search/Results.html?id=12",
        "https://support.acme.example/rtx/Ticket/Display.html?id=12",
    ]
    assert helpdesk.number_in(inside) == "12"
    assert [helpdesk.number_in(address) for address in outside] == [None] * 5


@pytest.mark.parametrize(
    "url", ["rt.acme.example", "ftp://rt.acme.example", "https://", "https://me:pass@acme.example"]
)
def test_an_address_that_cannot_be_right_is_refused_at_once(url: str) -> None:
    """The configuration says so before anything is called."""
    with pytest.raises(ValidationError):
        Config(kind="rt", url=url, token=SecretStr("x"))


@pytest.mark.parametrize("field", ["a}b", "it's", 'say "x"', "", "back\\slash"])
def test_a_field_that_cannot_stand_in_a_search_is_refused_at_once(field: str) -> None:
    """Its name goes into RT's query."""
    with pytest.raises(ValidationError):
        Config(kind="rt", url="https://rt.acme.example", token=SecretStr("x"), mark_field=field)


def test_a_file_that_is_too_large_is_not_asked_for(helpdesk: RT, desk: RTStandIn, world: RTWorld) -> None:
    """Its interface gives files as base64 in one piece."""
    number = world.open_ticket("Basket", "Empty.")
    world.attach(number, "film.png", b"x" * 7_100_000)
    [film] = helpdesk.ticket(number).messages[1].attachments
    before = len(desk.wire.calls)
    with pytest.raises(Rejected, match="7 MB"):
        helpdesk.download(film)
    assert len(desk.wire.calls) == before


# --- the stand-in -----------------------------------------------------------------------------------------------------


def test_the_stand_in_refuses_searches_that_rt_refuses(desk: RTStandIn) -> None:
    """400 for what it does not know, as the real one."""
    RTWorld(desk).open_ticket("Basket", "Empty.")
    headers = {"Authorization": f"token {TOKEN}"}
    asked = [
        httpx2.get(f"{desk.url}/REST/2.0/transactions", params={"query": query}, headers=headers).status_code
        for query in ("bogus = 3", "id >", "TicketId = 'x' OR", "ObjectType = 'RT::Ticket' AND id > 0")
    ]
    assert asked == [400, 400, 400, 200]
