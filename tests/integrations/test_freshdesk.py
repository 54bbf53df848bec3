"""Freshdesk keeps the helpdesks' contract, and its own traps are stepped around."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import httpx2
import pytest
from pydantic import SecretStr, ValidationError

from integrations.base import Attachment, Rejected, TicketTouched, Unavailable, Watch
from integrations.freshdesk import Config, Freshdesk
from integrations.testing.desk_world import REASON, DeskWorld
from integrations.testing.helpdesk import HelpdeskContract
from tests.integrations.desks.freshdesk import KEY, FreshdeskStandIn

SECRET = "sandbox-freshdesk-secret"
NOW = datetime(2026, 11, 2, 10, 14, tzinfo=UTC)


class FreshdeskWorld(DeskWorld):
    """The stand-in's Freshdesk as the contract suite sees it."""

    desk: FreshdeskStandIn
    refusal: ClassVar = {"description": "Validation failed", "errors": [{"field": "body", "message": REASON}]}

    def helpdesk(self, token: str = KEY, secret: str | None = SECRET, url: str = "", **more: Any) -> Freshdesk:
        given = {"plan_field": "plan", "webhook_secret": SecretStr(secret) if secret else None, **more}
        config = Config(kind="freshdesk", url=url or self.desk.url, token=SecretStr(token), **given)
        return Freshdesk("desk", config, timeout=1)

    def addresses(self, number: str) -> list[str]:
        paths = ["/a/tickets/{}", "/a/tickets/{}?note=9", "/helpdesk/tickets/{}", "/helpdesk/tickets/archived/{}"]
        paths += [
            "/support/tickets/{}",
            "/en/support/tickets/{}",
            "/pt-BR/support/tickets/{}/",
            "/a/tickets/{}/edit",
            "/api/v2/tickets/{}",
        ]
        return [f"{self.desk.url}{path.format(number)}" for path in paths]

    def imitate(self, number: str, key: str) -> None:
        ours = Freshdesk("desk", Config(kind="freshdesk", url=self.desk.url, token=SecretStr(KEY)), timeout=1)
        other = str(self.records.open("Other", "Else.").number)
        ours.note(other, "Filed.", key)
        marked = self.records.request(other).messages[-1].text
        zoe = self.records.request(number).customer
        self.records.write(number, zoe, f"<blockquote>{marked}</blockquote>", html=True)
        self.records.write(number, zoe, marked, html=True, extra={"incoming": "false"})

    def delivery(self, number: str, at: datetime) -> tuple[dict[str, str], bytes]:
        headers = {"X-Passerelle-Secret": SECRET, "Content-Type": "application/json"}
        return headers, json.dumps({"ticket_id": number}).encode()


@pytest.fixture(scope="module")
def served() -> Iterator[FreshdeskStandIn]:
    desk = FreshdeskStandIn()
    yield desk
    desk.stop()


@pytest.fixture
def world(served: FreshdeskStandIn) -> FreshdeskWorld:
    served.empty()
    return FreshdeskWorld(served)


@pytest.fixture
def helpdesk(world: FreshdeskWorld) -> Freshdesk:
    return world.helpdesk()


class TestContract(HelpdeskContract):
    """Freshdesk keeps the contract."""


# --- Freshdesk's own traps --------------------------------------------------------------------------------------------


def test_a_closed_ticket_still_takes_messages_until_it_is_archived(helpdesk: Freshdesk, world: FreshdeskWorld) -> None:
    """Closed is only solved there; after 120 days it is archived, and then nobody can write any more."""
    number = world.open_ticket("Basket", "It is empty.")
    world.records.request(number).extra["archived"] = "not yet"
    world.close(number)
    assert helpdesk.ticket(number).status == "solved"
    helpdesk.reply(number, "Done.", "k1")
    assert world.received(number) == ["Done."]


def test_an_archived_ticket_tells_its_customer_too(world: FreshdeskWorld) -> None:
    """Without what is asked for along with a ticket: there are the contact and the company."""
    number = world.open_ticket("Basket", "It is empty.")
    world.close(number)
    ticket = world.helpdesk(plan_field=None).ticket(number)
    assert (ticket.customer.name, ticket.customer.organisation) == ("Zoé Martin", "Globex")
    assert (ticket.messages[0].author, ticket.messages[0].email) == ("Zoé Martin", "zoe@customer.example")


def test_nobody_is_answered_where_a_ticket_is_spam(helpdesk: Freshdesk, world: FreshdeskWorld) -> None:
    """Freshdesk only says that the method is not allowed; the agent hears why."""
    number = world.open_ticket("Win", "A prize.")
    world.set_status(number, "spam")
    for write in (helpdesk.note, helpdesk.reply):
        with pytest.raises(Rejected, match=f"ticket {number} is marked as spam"):
            write(number, "Hello.", "k1")


def test_a_mark_that_freshdesk_drops_is_not_made_up(helpdesk: Freshdesk, world: FreshdeskWorld) -> None:
    """Then a reply in doubt is the agent's to look after: what cannot be told is not there."""
    world.desk.keeps_classes = False
    number = world.open_ticket("Basket", "It is empty.")
    helpdesk.reply(number, "Done.", "k1")
    assert helpdesk.marked(number, "k1") is None


def test_without_the_right_to_see_agents_replies_are_our_own(helpdesk: Freshdesk, world: FreshdeskWorld) -> None:
    """The customer gets the answer all the same, and what we wrote as ourselves is found again."""
    world.desk.may_see_agents = False
    number = world.open_ticket("Basket", "It is empty.")
    written = helpdesk.reply(number, "Done.", "k1", "ana@acme.example")
    assert [said.author for said in world.said(number)] == ["Zoé Martin", "Passerelle"]
    assert helpdesk.marked(number, "k1") == written


def test_a_reply_as_an_agent_whom_we_may_not_see_any_more_is_in_doubt(
    helpdesk: Freshdesk, world: FreshdeskWorld
) -> None:
    """Its author could be anybody, so its mark does not count."""
    number = world.open_ticket("Basket", "It is empty.")
    helpdesk.reply(number, "Done.", "k1", "ana@acme.example")
    world.desk.may_see_agents = False
    assert world.helpdesk().marked(number, "k1") is None


def test_a_mark_that_an_agent_quotes_by_mail_does_not_count(helpdesk: Freshdesk, world: FreshdeskWorld) -> None:
    """What came from outside is nothing that we wrote, whoever sent it."""
    number, other = world.open_ticket("Basket", "It is empty."), world.open_ticket("Pay", "Grey.")
    helpdesk.reply(other, "Done.", "k1")
    quoted = world.records.request(other).messages[-1].text
    world.records.write(number, world.records.ana, f"See: {quoted}", html=True, extra={"incoming": "true"})
    assert helpdesk.marked(number, "k1") is None


def test_tags_that_are_not_told_are_not_overwritten(helpdesk: Freshdesk, world: FreshdeskWorld) -> None:
    """Freshdesk takes the whole list, so without knowing it nothing is written."""
    number = world.open_ticket("Basket", "It is empty.", tags=["vip"])
    world.spoil(lambda answer: answer | {"tags": None} if "tags" in answer else answer)
    with pytest.raises(Unavailable):
        helpdesk.tag(number, "passerelle")
    assert (world.tags(number), world.writes()) == (["vip"], 0)


def test_somebody_in_copy_is_a_customer_by_their_own_name(helpdesk: Freshdesk, world: FreshdeskWorld) -> None:
    """Who asked is one person, who writes may be another."""
    number = world.open_ticket("Basket", "It is empty.")
    noor = world.records.person("Noor Haddad", "noor@customer.example", "customer")
    world.records.write(number, noor, "For me, too.")
    said = helpdesk.ticket(number).messages[-1]
    assert (said.author, said.email, said.role) == ("Noor Haddad", "noor@customer.example", "customer")


def test_what_freshdesk_found_to_be_quoted_is_left_out(helpdesk: Freshdesk, world: FreshdeskWorld) -> None:
    """It keeps the history of a mail in an element of its own; a text that is nothing but history stays."""
    number = world.open_ticket("Basket", "It is empty.")
    quoted = '<div class="freshdesk_quote"><blockquote class="freshdesk_quote">Hello Zoé</blockquote></div>'
    world.records.write(number, world.records.zoe, f"<div>Still empty.</div>{quoted}", html=True)
    world.records.write(number, world.records.zoe, quoted, html=True)
    assert [said.text for said in helpdesk.ticket(number).messages[1:]] == ["Still empty.", "Hello Zoé"]


def test_a_ticket_that_an_agent_began_has_the_agents_first_words(helpdesk: Freshdesk, world: FreshdeskWorld) -> None:
    """An outbound mail is no customer's complaint."""
    number = str(world.records.open("Your order", "It is late.", by=world.records.ana).number)
    world.assign(number, "ana@acme.example")
    first = helpdesk.ticket(number).messages[0]
    assert (first.role, first.author) == ("agent", "Ana Moreau")


def test_what_nobody_wrote_is_nobodys_answer(helpdesk: Freshdesk, world: FreshdeskWorld) -> None:
    """Taken for an agent's word, it would settle what the customer is owed."""
    number = world.open_ticket("Basket", "It is empty.")
    world.agent_writes(number, "Thanks for waiting.", public=True)
    world.spoil(lambda answer: [one | {"user_id": None} for one in answer] if isinstance(answer, list) else answer)
    assert [(said.role, said.public) for said in helpdesk.ticket(number).messages[1:]] == [("agent", False)]


def test_the_last_word_of_a_very_long_ticket_is_read(helpdesk: Freshdesk, world: FreshdeskWorld) -> None:
    """It may be the answer that everybody waits for."""
    number = world.open_ticket("Basket", "It is empty.")
    for at in range(2_010):
        world.customer_writes(number, f"And {at}?")
    assert helpdesk.ticket(number).messages[-1].text == "And 2009?"


def test_a_ticket_is_found_by_the_address_of_a_portal(world: FreshdeskWorld) -> None:
    """What a customer pastes is at the host where they read it."""
    helpdesk = world.helpdesk(hosts=("Help.acme.example",))
    assert helpdesk.number_in("https://help.acme.example/en/support/tickets/4211") == "4211"
    assert helpdesk.number_in("https://help.elsewhere.example/support/tickets/4211") is None
    with pytest.raises(ValidationError, match="hosts alone"):
        world.helpdesk(hosts=("https://help.acme.example",))


def test_what_was_forwarded_to_somebody_else_is_no_answer(helpdesk: Freshdesk, world: FreshdeskWorld) -> None:
    """The customer has heard nothing, whether or not it is called private."""
    number = world.open_ticket("Basket", "It is empty.")
    world.records.write(number, world.records.ana, "Is it known?", extra={"source": "8"})
    assert [said.public for said in helpdesk.ticket(number).messages] == [True, False]


def test_a_reply_to_somebody_else_alone_is_no_answer(helpdesk: Freshdesk, world: FreshdeskWorld) -> None:
    """An agent can change to whom a reply goes; of a public note, that list names the agents who are told of it."""
    number, wrote = world.open_ticket("Basket", "It is empty."), world.records.write
    for to in ("help@supplier.example", '"Zoé" <ZOE@customer.example>', "help@supplier.example, zoe@customer.example"):
        wrote(number, world.records.ana, "Is it known?", extra={"to": to})
    wrote(number, world.records.ana, "It is.", extra={"to": "ben@acme.example", "source": "2"})
    assert [said.public for said in helpdesk.ticket(number).messages] == [True, False, True, True, True]


def test_a_picture_in_the_text_is_an_attachment(helpdesk: Freshdesk, world: FreshdeskWorld) -> None:
    """Freshdesk does not list a screenshot that was pasted; one that stands elsewhere is not fetched."""
    shown, elsewhere = "https://eucattachment.freshdesk.com/inline/attachment?token=a.b", "https://x.example/a.png"
    html = f'<p>See:</p><img src="{shown}&amp;x=1" data-id="7"><img src="{elsewhere}">'
    number = world.open_ticket("Basket", html, html=True)
    world.records.write(number, world.records.zoe, html, html=True)
    found = [said.attachments for said in helpdesk.ticket(number).messages]
    assert found == [(Attachment("picture-1.png", f"{shown}&x=1"),)] * 2


@pytest.mark.parametrize("host", ["s3.ap-south-1", "s3-ap-southeast-2", "s3.eu-central-1", "s3"])
def test_files_stand_where_the_account_is_kept(helpdesk: Freshdesk, host: str) -> None:
    """India and Australia as well. (What is wrong with the rest is seen once the host is let through.)"""
    with pytest.raises(Rejected, match="not a valid one"):
        helpdesk.download(Attachment("a.png", f"https://{host}.amazonaws.com:port/cdn.freshdesk.com/a.png"))


def test_an_apostrophe_in_an_address_is_nothing_odd(helpdesk: Freshdesk, world: FreshdeskWorld) -> None:
    """Of an agent, who is spoken for; of a customer, whose tickets are found."""
    world.records.zoe.email, world.records.ana.email = "z.o'neil@customer.example", "a.o'brien@acme.example"
    number = world.open_ticket("Basket", "It is empty.")
    assert helpdesk.speaks_for("a.o'brien@acme.example")
    assert [line.number for line in helpdesk.tickets_of("z.o'neil@customer.example")] == [number]


def test_fields_named_in_the_configuration_are_told(world: FreshdeskWorld) -> None:
    """Of the company, the contact or the ticket; one that nobody has is left out."""
    number = world.open_ticket("Basket", "It is empty.")
    named = world.helpdesk(fields={"Seats": "seats", "Reference": "cf_reference", "Nothing": "cf_none"})
    assert named.ticket(number).fields == (("Seats", "12"), ("Reference", "A-7"))


def test_a_status_to_hold_with_is_checked_and_may_be_none(world: FreshdeskWorld) -> None:
    """A number that Freshdesk does not know is found, with those that it knows; without one, nothing is held."""
    [finding] = world.helpdesk(hold_status=9).check()
    assert (finding.where, "2, 3, 4, 5, 6, 7" in finding.mend) == ("helpdesks.desk.hold_status", True)
    number = world.open_ticket("Basket", "It is empty.")
    world.helpdesk(hold_status=None).hold(number, True)
    assert (world.status(number), world.writes()) == ("open", 0)


def test_a_ticket_older_than_thirty_days_is_found_by_mail(helpdesk: Freshdesk, world: FreshdeskWorld) -> None:
    """Freshdesk's list ends there unless it is asked for more."""
    number = world.open_ticket("Basket", "It is empty.")
    request = world.records.request(number)
    request.created_at = request.updated_at = datetime.now(UTC) - timedelta(days=90)
    assert [line.number for line in helpdesk.tickets_of("zoe@customer.example")] == [number]


def test_changes_within_one_second_are_all_told(helpdesk: Freshdesk, world: FreshdeskWorld) -> None:
    """Times have whole seconds: what changed again in the second of the last look is told in the next."""
    number = world.open_ticket("Basket", "It is empty.")
    _, watch = helpdesk.poll(Watch())
    world.customer_writes(number, "Still.")
    _, watch = helpdesk.poll(watch)
    world.records.step = timedelta(0)
    world.customer_writes(number, "And again.")
    events, _ = helpdesk.poll(watch)
    assert TicketTouched(number) in events


def test_a_change_that_reaches_the_list_late_is_told(helpdesk: Freshdesk, world: FreshdeskWorld) -> None:
    """Up to a minute after newer ones were told."""
    slow, quick = world.open_ticket("Basket", "It is empty."), world.open_ticket("Pay", "Grey.")
    _, watch = helpdesk.poll(Watch())
    world.customer_writes(slow, "Still.")
    changed = world.records.request(slow)
    changed.deleted = True  # not in the list yet
    world.customer_writes(quick, "Still.")
    _, watch = helpdesk.poll(watch)
    changed.deleted = False
    events, _ = helpdesk.poll(watch)
    assert TicketTouched(slow) in events


def test_a_hundred_tickets_of_one_second_do_not_stop_the_looks(helpdesk: Freshdesk, world: FreshdeskWorld) -> None:
    """A bulk update gives more tickets one time than a page holds."""
    _, watch = helpdesk.poll(Watch())
    world.records.step = timedelta(0)
    opened = {world.open_ticket(f"Ticket {n}", "Empty.") for n in range(130)}
    events, _ = helpdesk.poll(watch)
    assert {event.number for event in events if isinstance(event, TicketTouched)} >= opened


@pytest.mark.parametrize("apart", [0, 0.01])
def test_more_tickets_than_one_look_reads_are_told_by_the_next(
    helpdesk: Freshdesk, world: FreshdeskWorld, apart: float
) -> None:
    """A rule that goes through all tickets changes more of them in a minute than a look reads; and what came after."""
    first = world.open_ticket("Basket", "It is empty.")
    _, watch = helpdesk.poll(Watch())
    begun = datetime.now(UTC).replace(microsecond=0)
    for at in range(1_300):
        opened = world.records.open(f"Ticket {at}", "Empty.")
        opened.updated_at = begun + timedelta(seconds=1 + int(at * apart))
    world.records.request(first).updated_at = begun + timedelta(seconds=30)
    told: set[str] = set()
    for _ in range(3):
        events, watch = helpdesk.poll(watch)
        told |= {event.number for event in events if isinstance(event, TicketTouched)}
    assert len(told) == 1_301


def test_each_request_of_a_rule_is_a_delivery_of_its_own(helpdesk: Freshdesk, world: FreshdeskWorld) -> None:
    """Two events of one ticket have the same content: neither may be taken for the other sent again."""
    headers, body = world.delivery("4211", NOW)
    assert helpdesk.verify(headers, body, NOW) != helpdesk.verify(headers, body, NOW + timedelta(seconds=9))
    assert helpdesk.kept_headers == ()  # the secret is not stored


@pytest.mark.parametrize("body", [b'{"ticket_id": 4211}', b'{"freshdesk_webhook": {"ticket_id": 4211, "x": null}}'])
def test_a_rules_simple_content_names_its_ticket(helpdesk: Freshdesk, body: bytes) -> None:
    """Freshdesk wraps what is chosen from its list."""
    assert helpdesk.read({}, body) == [TicketTouched("4211")]


def test_the_rate_limit_tells_how_long_to_wait(helpdesk: Freshdesk, world: FreshdeskWorld) -> None:
    """With an empty body, as Freshdesk sends it."""
    number = world.open_ticket("Basket", "It is empty.")
    world.desk.left = 0
    with pytest.raises(Unavailable) as limit:
        helpdesk.ticket(number)
    assert (limit.value.retry_after, limit.value.maybe_done) == (34, False)


@pytest.mark.parametrize(
    "wrong", [{"url": "acme.freshdesk.com"}, {"tokn": "x"}, {"hold_status": 4}, {"hold_status": 2}, {"token": None}]
)
def test_what_cannot_be_right_is_refused_at_once(wrong: dict[str, object]) -> None:
    """The configuration says so before anything is called."""
    entry = {"kind": "freshdesk", "url": "https://acme.freshdesk.com/a/tickets", "token": "x"}
    assert Config.model_validate(entry).url == "https://acme.freshdesk.com"
    with pytest.raises(ValidationError):
        Config.model_validate(entry | wrong)


# --- the stand-in -----------------------------------------------------------------------------------------------------


def test_the_stand_in_refuses_what_freshdesk_refuses(world: FreshdeskWorld) -> None:
    """Unknown fields and parameters, unknown statuses, too large pages, authors who are no agents."""
    number, auth = world.open_ticket("Basket", "It is empty."), (KEY, "X")
    ticket = f"{world.desk.url}/api/v2/tickets/{number}"
    answers = [
        httpx2.put(ticket, json={"state": 3}, auth=auth),
        httpx2.put(ticket, json={"status": 12}, auth=auth),
        httpx2.post(f"{ticket}/notes", json={"text": "x"}, auth=auth),
        httpx2.post(f"{ticket}/reply", json={"body": "x", "user_id": world.records.zoe.id}, auth=auth),
        httpx2.get(f"{world.desk.url}/api/v2/tickets", params={"per_page": 101}, auth=auth),
        httpx2.get(f"{world.desk.url}/api/v2/contacts", params={"mail": "x"}, auth=auth),
    ]
    assert [answer.status_code for answer in answers] == [400] * 6
    assert answers[0].json()["errors"][0]["code"] == "invalid_field"
    assert len(world.said(number)) == 1
