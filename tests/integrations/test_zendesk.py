"""Zendesk keeps the helpdesks' contract, and its own traps are stepped around."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator

import httpx2
import pytest
from pydantic import SecretStr, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from integrations.base import Attachment, Rejected, TicketTouched, Unauthorised, Unavailable
from integrations.sandbox.wire import Fault, Server
from integrations.sandbox.zendesk import ZendeskStandIn
from integrations.testing.helpdesk import HelpdeskContract
from integrations.zendesk import Config, Zendesk
from tests.integrations.zendesk_world import Moving, ZendeskWorld


@pytest.fixture
def desk() -> Iterator[ZendeskStandIn]:
    desk = ZendeskStandIn(Moving()).start()
    desk.add_agent("Ana Moreau", "ana@acme.example")
    yield desk
    desk.stop()


@pytest.fixture
def world(desk: ZendeskStandIn) -> ZendeskWorld:
    return ZendeskWorld(desk)


@pytest.fixture
def helpdesk(world: ZendeskWorld) -> Zendesk:
    return world.helpdesk()


class TestContract(HelpdeskContract):
    """Zendesk keeps the contract."""


# --- Zendesk's own traps ----------------------------------------------------------------------------------------------


def test_a_light_agent_is_not_spoken_for(helpdesk: Zendesk, world: ZendeskWorld) -> None:
    """A light agent's comments are always private: the reply goes out in our own name and reaches the customer."""
    world.desk.users[world.desk.add_agent("Lou Light", "lou@acme.example")]["role_type"] = 1
    number = world.open_ticket("Basket", "It is empty.")
    helpdesk.reply(number, "Done.", "k1", "lou@acme.example")
    assert world.received(number) == ["Done."]


@pytest.mark.parametrize(("right", "value"), [("role_type", 1), ("only_private_comments", True)])
def test_an_agent_who_becomes_a_light_one_is_spoken_for_no_more(
    helpdesk: Zendesk, world: ZendeskWorld, right: str, value: object
) -> None:
    """Seats are given and taken while we run: what the customer is to get does not go out in a name that hides it."""
    number = world.open_ticket("Basket", "It is empty.")
    helpdesk.reply(number, "Soon.", "k1", "ana@acme.example")
    ana = world.desk.by_email("ana@acme.example")
    assert ana is not None
    ana[right] = value
    helpdesk.reply(number, "Done.", "k2", "ana@acme.example")
    assert world.received(number) == ["Soon.", "Done."]


def test_a_message_arrives_as_it_was_written(helpdesk: Zendesk, world: ZendeskWorld) -> None:
    """Zendesk would take it for Markdown, and fill placeholders: stars would be gone, and what stands in braces."""
    number = world.open_ticket("Basket", "It is empty.")
    text = '* the *basket* \n* my_cart_id "now" <https://shop.example/?a=1&b=_2_>\n\n1. See https://shop.example/7.'
    text += "\nWrite {{ticket.id}}, and {% if x %}."
    helpdesk.reply(number, text, "k1")
    assert world.received(number) == [text]
    rich = world.desk.record(number)["audits"][-1]["events"][0]["html_body"]
    assert '&lt;<a href="https://shop.example/?a=1&amp;b=_2_">' in rich
    assert '<a href="https://shop.example/7">https://shop.example/7</a>.' in rich
    world.close(number)
    assert world.received(helpdesk.follow_up(number, text, "k2").number) == [text]


@pytest.mark.parametrize("author", [-1, 99_999])
def test_what_nobody_wrote_is_nobodys_answer(helpdesk: Zendesk, world: ZendeskWorld, author: int) -> None:
    """Zendesk itself writes as -1; taken for an agent's word, it would settle what the customer is owed."""
    number = world.open_ticket("Basket", "It is empty.")
    world.agent_writes(number, "Thanks for waiting.", public=True)
    world.desk.record(number)["audits"][-1]["events"][0]["author_id"] = author
    assert [(said.role, said.public) for said in helpdesk.ticket(number).messages][1:] == [("agent", False)]


@pytest.mark.parametrize(("channel", "sent"), [("voice", False), ("native_messaging", False), ("facebook", True)])
def test_a_customer_without_an_address_is_not_called_written_to(
    helpdesk: Zendesk, world: ZendeskWorld, channel: str, sent: bool
) -> None:
    """Who called or sent a message gets no mail: the agent hears so. Some channels need none."""
    number = world.open_ticket("Basket", "It is empty.")
    record = world.desk.record(number)
    record["via"] = {"channel": channel}
    world.desk.users[record["requester_id"]]["email"] = ""
    if sent:
        helpdesk.reply(number, "Done.", "k1")
    else:
        with pytest.raises(Rejected, match="has no e-mail address in Zendesk"):
            helpdesk.reply(number, "Done.", "k1")
    helpdesk.note(number, "Filed.", "k2")
    world.close(number)
    with pytest.raises(Rejected, match="has no e-mail address in Zendesk"):
        helpdesk.follow_up(number, "Done.", "k3")
    assert world.writes() == 1 + sent


def test_a_reply_that_zendesk_kept_private_is_not_called_sent(helpdesk: Zendesk, world: ZendeskWorld) -> None:
    """When our own account is a light agent, the agent hears that the customer got nothing, and check says why."""
    number = world.open_ticket("Basket", "It is empty.")
    world.desk.users[world.desk.me]["role_type"] = 1
    with pytest.raises(Rejected, match="kept as an internal note"):
        helpdesk.reply(number, "Done.", "k1")
    assert [finding.where for finding in helpdesk.check()] == ["helpdesks.desk.email"]


def test_an_account_that_is_no_agent_is_found_by_check(helpdesk: Zendesk, world: ZendeskWorld) -> None:
    """An end user's token signs in, and yet cannot work."""
    world.desk.users[world.desk.me]["role"] = "end-user"
    assert [finding.where for finding in helpdesk.check()] == ["helpdesks.desk.email"]


def test_an_account_that_does_not_see_all_tickets_is_found_by_check(helpdesk: Zendesk, world: ZendeskWorld) -> None:
    """The tickets of others would be unknown, one by one."""
    world.desk.users[world.desk.me]["ticket_restriction"] = "assigned"
    assert [finding.where for finding in helpdesk.check()] == ["helpdesks.desk.email"]


@pytest.mark.parametrize(
    "address",
    [
        "acme.zendesk.com/agent/tickets/4211",
        "https://acme.zendesk.com/agent/tickets/4211/events",
        "https://acme.zendesk.com/requests/4211",
        "https://support.acme.example/hc/es-419/requests/4211",
        "https://Acme-Pro.zendesk.com/hc/en-us/requests/4211?page=2",
    ],
)
def test_a_ticket_is_named_by_what_browsers_brands_and_mails_show(address: str) -> None:
    """Brands and a domain of one's own stand in the configuration; other accounts' numbers are not ours."""
    entry = {"kind": "zendesk", "url": "https://acme.zendesk.com", "email": "b@acme.example", "token": "x"}
    desk = Zendesk("desk", Config.model_validate(entry | {"hosts": ["support.acme.example", "acme-pro.zendesk.com"]}))
    assert desk.number_in(address) == "4211"
    assert desk.number_in(address.replace("acme", "other").replace("Acme", "Other")) is None
    with pytest.raises(ValidationError, match="hosts alone"):
        Config.model_validate(entry | {"hosts": ["https://support.acme.example/hc"]})


def test_two_updates_at_one_moment_are_certainly_not_done(helpdesk: Zendesk, world: ZendeskWorld) -> None:
    """Zendesk's 409 asks to send the request again: that is the outbox's to do."""
    number = world.open_ticket("Basket", "It is empty.")
    world.desk.wire.faults.append(Fault("refuse", "PUT", status=409))
    with pytest.raises(Unavailable) as conflict:
        helpdesk.note(number, "Filed.", "k1")
    assert (conflict.value.maybe_done, world.writes()) == (False, 1)


def test_a_trigger_of_ones_own_json_names_its_ticket(helpdesk: Zendesk) -> None:
    """Older accounts send webhooks from triggers, whose JSON their administrators write."""
    bodies = [
        b'{"ticket": {"id": 4211}}',
        b'{"ticket": {"id": "4211"}}',
        b'{"ticket_id": "4211"}',
        b'{"ticket_id": 4211}',
    ]
    assert [helpdesk.read({}, body) for body in bodies] == [[TicketTouched("4211")]] * 4
    assert helpdesk.read({}, b'{"type": "zen:event-type:user.created", "detail": {"id": "7"}}') == []


def test_attachments_are_told_with_their_addresses(helpdesk: Zendesk, desk: ZendeskStandIn) -> None:
    """Screenshots are half of most reports."""
    shot = Attachment("pay.png", "https://acme.zendesk.example/attachments/1", "image/png", 2048)
    number = desk.open_ticket("Pay", "See here.", "Zoé", "zoe@customer.example", attachments=[shot])
    assert helpdesk.ticket(number).messages[0].attachments == (shot,)


def test_pictures_within_a_mail_are_attachments_too(helpdesk: Zendesk, desk: ZendeskStandIn) -> None:
    """Zendesk leaves them out unless asked for them; yet most screenshots are pasted."""
    shot = Attachment("image001.png", "https://acme.zendesk.example/attachments/1", "image/png", 20_480)
    number = desk.open_ticket("Pay", "See here.", "Zoé", "zoe@customer.example", attachments=[shot])
    desk.record(number)["audits"][0]["events"][0]["attachments"][0]["inline"] = True
    assert helpdesk.ticket(number).messages[0].attachments == (shot,)


@pytest.mark.parametrize("url", ["acme.zendesk.com", "ftp://acme.example", "https://", "https://me:pass@acme.example"])
def test_an_address_that_cannot_be_right_is_refused_at_once(url: str) -> None:
    """The configuration says so before anything is called."""
    with pytest.raises(ValidationError):
        Config(kind="zendesk", url=url, email="bot@acme.example", token=SecretStr("x"))


def test_a_misspelt_key_is_refused_and_a_path_is_dropped() -> None:
    """People paste the address that their browser shows."""
    entry = {"kind": "zendesk", "url": "https://acme.example/agent/", "email": "b@acme.example", "token": "x"}
    assert Config.model_validate(entry).url == "https://acme.example"
    with pytest.raises(ValidationError):
        Config.model_validate(entry | {"tokn": "y"})


ODD: list[object] = [
    None,
    [],
    {},
    {"ticket": None, "user": None},
    {"ticket": {"id": 1}, "user": {"id": None}},
    {"ticket": {"id": 1, "tags": None, "custom_fields": {}}, "comments": [{}, 3], "users": {}, "user": {"id": 7}},
]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_odd_answers_are_service_errors_or_empty_fields(odd: object) -> None:
    """Whatever JSON comes, nothing but the contract's errors leaves the adapter."""

    async def answer(request: Request) -> Response:
        return JSONResponse(odd)

    server = Server(Starlette(routes=[Route("/{rest:path}", answer, methods=["GET", "PUT"])])).start()
    helpdesk = ZendeskWorld(ZendeskStandIn()).helpdesk(url=server.url)
    calls = (lambda: helpdesk.ticket("1"), lambda: helpdesk.marked("1", "k"), lambda: helpdesk.note("1", "t", "k"))
    for call in calls:
        with contextlib.suppress(Unavailable, Unauthorised):
            call()
    server.stop()


# --- the stand-in -----------------------------------------------------------------------------------------------------


def put(desk: ZendeskStandIn, number: str, ticket: dict[str, object]) -> httpx2.Response:
    auth = ("bot@acme.example/token", "zd-sandbox")
    return httpx2.put(f"{desk.url}/api/v2/tickets/{number}.json", json={"ticket": ticket}, auth=auth)


def test_the_stand_in_makes_comments_public_unless_told_otherwise(desk: ZendeskStandIn, world: ZendeskWorld) -> None:
    """The trap is there to fall into, as on the real one; and metadata counts on the ticket alone."""
    number = world.open_ticket("Basket", "It is empty.")
    answer = put(desk, number, {"comment": {"body": "Hi", "metadata": {"passerelle": "k1"}}})
    assert (answer.status_code, answer.json()["audit"]["metadata"]["custom"]) == (200, {})
    assert world.received(number) == ["Hi"]


def test_the_stand_in_refuses_what_zendesk_refuses(desk: ZendeskStandIn, world: ZendeskWorld) -> None:
    """Empty comments, unknown authors, unknown statuses, metadata over a kilobyte, closed tickets."""
    number = world.open_ticket("Basket", "It is empty.")
    wrong: list[dict[str, object]] = [
        {"comment": {"body": ""}},
        {"comment": {"body": "x", "author_id": 5}},
        {"status": "done"},
        {"comment": {"body": "x"}, "metadata": {"k": "x" * 2000}},
    ]
    assert [put(desk, number, ticket).status_code for ticket in wrong] == [422] * 4
    desk.close(number)
    refusal = put(desk, number, {"comment": {"body": "x"}})
    assert refusal.json()["details"] == {
        "status": [{"description": "Status: closed prevents ticket update", "error": None}]
    }
    assert len(world.said(number)) == 1


def test_the_stand_in_limits_requests_by_the_minute(helpdesk: Zendesk, desk: ZendeskStandIn) -> None:
    """Over the limit it answers 429 and how long to wait."""
    desk.requests_per_minute = 2
    assert (helpdesk.check(), helpdesk.check()) == ([], [])
    with pytest.raises(Unavailable) as limit:
        helpdesk.ticket("4211")
    assert limit.value.retry_after is not None
    assert 50 <= limit.value.retry_after <= 60


def test_the_stand_ins_webhooks_are_authentic(helpdesk: Zendesk, desk: ZendeskStandIn, world: ZendeskWorld) -> None:
    """What it sends is what the adapter accepts; a delivery sent again has the same id."""
    got: list[tuple[dict[str, str], bytes]] = []

    async def hook(request: Request) -> Response:
        got.append((dict(request.headers), await request.body()))
        return Response(status_code=200)

    server = Server(Starlette(routes=[Route("/webhooks/desk", hook, methods=["POST"])])).start()
    desk.webhook_url = f"{server.url}/webhooks/desk"
    number = world.open_ticket("Basket", "It is empty.")
    desk.redeliver(desk.deliveries[0].id)
    with desk.changed:
        assert desk.changed.wait_for(lambda: len(got) == 2, timeout=10)
    server.stop()
    ids = [helpdesk.verify(headers, body, desk.now()) for headers, body in got]
    assert ids == [desk.deliveries[0].id] * 2
    assert helpdesk.read(*got[0]) == [TicketTouched(number)]


def test_tickets_are_loaded_from_json_lines(helpdesk: Zendesk, desk: ZendeskStandIn) -> None:
    """Each line is a ticket, with the customer's language."""
    line = {"subject": "Panier", "body": "Vide.", "customer": {"name": "Zoé", "email": "z@c.example"}, "language": "fr"}
    numbers = desk.load([json.dumps(line), "\n", json.dumps(line | {"subject": "Autre"})])
    assert [helpdesk.ticket(number).subject for number in numbers] == ["Panier", "Autre"]
    assert helpdesk.ticket(numbers[0]).language == "fr"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2: this is not JSON"),
        ("[]", "line 2: a ticket is an object"),
        ('{"subject": "s", "body": "b"}', "line 2: `customer` is missing"),
        ('{"subject": "s", "body": "b", "customer": {"name": "z"}}', "line 2: `customer.email` must be text"),
        ('{"subject": " ", "body": "b", "customer": {"name": "z", "email": "e"}}', "line 2: `subject` is empty"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_loaded(line: str, said: str) -> None:
    """The person who wrote the file finds the place at once."""
    desk = ZendeskStandIn()
    good = '{"subject": "s", "body": "b", "customer": {"name": "z", "email": "e@x.example"}}'
    with pytest.raises(ValueError, match=said):
        desk.load([good, line])
    assert desk.tickets() == []
