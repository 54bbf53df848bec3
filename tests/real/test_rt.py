"""Request Tracker, the real one: the helpdesks' contract, and whole tickets carried there and back."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest

from integrations.base import TicketTouched, Unauthorised, Watch
from integrations.rt import RT
from integrations.testing.helpdesk import HelpdeskContract
from tests.conftest import House
from tests.real.request_tracker import SECRET, ZOE, RequestTracker, running
from tests.real.rt_world import Line, RealWorld

pytestmark = pytest.mark.server

PICTURE = b"\x89PNG\r\n" + bytes(range(256)) * 40


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RequestTracker, Line]]:
    with running(tmp_path_factory.mktemp("rt")) as tracker:
        line = Line(tracker.url)
        yield tracker, line
        line.stop()


@pytest.fixture
def world(served: tuple[RequestTracker, Line]) -> RealWorld:
    tracker, line = served
    tracker.empty()
    tracker.hooks.onward = ""
    line.clear()
    return RealWorld(tracker, line)


@pytest.fixture
def helpdesk(world: RealWorld) -> RT:
    return world.helpdesk()


class TestContract(HelpdeskContract):
    """The real server keeps the contract with this adapter, as its stand-in does.

    Left to the stand-in: each field of each answer spoilt in turn, which is thousands of calls and asks nothing of RT;
    a mail of 10 MB; and 230 tickets by mail, in whose place stands `test_more_than_a_page_is_polled`.
    """

    test_a_field_that_is_not_as_it_should_be_when_reading: ClassVar[None] = None  # type: ignore[assignment]
    test_a_field_that_is_not_as_it_should_be_when_writing: ClassVar[None] = None  # type: ignore[assignment]
    test_a_file_of_more_than_ten_megabytes_is_not_read: ClassVar[None] = None  # type: ignore[assignment]
    test_many_touched_at_once_are_all_told: ClassVar[None] = None  # type: ignore[assignment]


# --- the adapter's own ------------------------------------------------------------------------------------------------


def test_more_than_a_page_is_polled(helpdesk: RT, world: RealWorld) -> None:
    """Some 260 transactions after one look: the ticket that moved last is told as well as the first."""
    talk, other = world.open_ticket("Talk", "Empty."), world.open_ticket("Other", "Empty.")
    _, watch = helpdesk.poll(Watch())
    world.customer_writes(other, "Still.")
    for at in range(260):
        world.customer_writes(talk, f"And {at}?")
    last = world.open_ticket("Last", "Empty.")
    events, watch = helpdesk.poll(watch)
    assert set(events) == {TicketTouched(number) for number in (talk, other, last)}
    assert helpdesk.poll(watch) == ([], watch)


def test_what_was_said_before_a_merge_is_read_and_found_after_it(helpdesk: RT, world: RealWorld) -> None:
    """Both conversations are one, and our keys stay ours."""
    number, other = world.open_ticket("Basket", "Empty."), world.open_ticket("Basket again", "Still empty.")
    note, reply = helpdesk.note(number, "Filed.", "k1"), helpdesk.reply(number, "We look at it.", "k2")
    world.merge(number, other)
    texts = [said.text for said in helpdesk.ticket(number).messages]
    assert texts == ["Empty.", "Still empty.", "Filed.", "We look at it."]
    for where in (number, other):
        assert (helpdesk.marked(where, "k1"), helpdesk.marked(where, "k2")) == (note, reply)
    written = helpdesk.reply(number, "Mended.", "k3")
    assert world.received(other)[-1:] == ["Mended."]
    assert helpdesk.marked(other, "k3") == written


def test_a_key_is_one_to_the_letter(helpdesk: RT, world: RealWorld) -> None:
    """RT compares without regard to case, and quotation marks end a value in its searches."""
    number = world.open_ticket("Basket", "Empty.")
    odd = "it's \\' OR id > 0"
    helpdesk.note(number, "Filed.", "Key")
    written = helpdesk.note(number, "Filed again.", odd)
    assert (helpdesk.marked(number, "KEY"), helpdesk.marked(number, odd)) == (None, written)


def test_nothing_is_written_that_could_not_be_found_again(world: RealWorld) -> None:
    """Where RT shows us no such custom field it would leave the key out without a word."""
    number = world.open_ticket("Basket", "Empty.")
    world.rt.query("UPDATE CustomFields SET Disabled = 1 WHERE Name = 'Passerelle'")
    helpdesk = world.helpdesk()
    with pytest.raises(Unauthorised, match="nothing was written"):
        helpdesk.reply(number, "Done.", "k1")
    assert world.received(number) == []
    assert [finding.where for finding in helpdesk.check()] == ["helpdesks.desk.mark_field"]


def test_no_reply_is_sent_whose_key_would_be_lost(world: RealWorld) -> None:
    """Without the right to set the field RT says that it did; the first message shows that it did not."""
    number = world.open_ticket("Basket", "Empty.")
    world.rt.query("DELETE FROM ACL WHERE RightName = 'ModifyCustomField'")
    helpdesk = world.helpdesk()
    helpdesk.note(number, "Filed.", "k1")
    with pytest.raises(Unauthorised, match="RT does not let us set 'Passerelle'"):
        helpdesk.reply(number, "Done.", "k2")
    assert world.received(number) == []


def test_the_scrip_of_the_page_calls_us(helpdesk: RT, world: RealWorld) -> None:
    """What RT posts is authentic, names the ticket, and says nothing of what was written."""
    number = world.open_ticket("Basket", "My card is 4111.")
    world.agent_writes(number, "We look at it.", public=True)
    world.customer_writes(number, "Thanks.")
    got = world.rt.hooks.got
    assert len(got) >= 3
    now = datetime.now(UTC)
    assert len({helpdesk.verify(headers, body, now) for headers, body in got}) == len(got)
    assert {event for headers, body in got for event in helpdesk.read(headers, body)} == {TicketTouched(number)}
    assert not [body for _, body in got if b"4111" in body or b"Thanks" in body]


# --- odd mails --------------------------------------------------------------------------------------------------------

HEAD = b"From: Zoe <zoe@customer.example>\r\nTo: help@acme.example\r\nMIME-Version: 1.0\r\n"


def odd(subject: bytes, kind: bytes, body: bytes, encoding: bytes = b"8bit") -> bytes:
    told = b"Content-Type: " + kind + b"\r\nContent-Transfer-Encoding: " + encoding + b"\r\n"
    return HEAD + b"Subject: " + subject + b"\r\n" + told + b"\r\n" + body + b"\r\n"


def subject(text: str, charset: str) -> bytes:
    return b"=?" + charset.encode() + b"?B?" + base64.b64encode(text.encode(charset)) + b"?="


HISTORY = (
    "<html><head><style>p {color: red}</style></head><body><p>La page <b>Payer</b><br>reste grise &amp; vide.</p>"
    '<div class="gmail_quote"><div>Le lun. 2 nov. 2026 à 10:14, Acme a écrit :</div><blockquote>Bonjour Zoé'
    "</blockquote></div></body></html>"
)
ODD: dict[str, tuple[bytes, str, str]] = {
    "Japanese in ISO-2022-JP": (
        odd(
            subject("カートが空です", "iso-2022-jp"),
            b"text/plain; charset=ISO-2022-JP",
            "カートが空です。".encode("iso-2022-jp"),
            b"7bit",
        ),
        "カートが空です",
        "カートが空です。",
    ),
    "Latin 1, quoted-printable": (
        odd(
            b"=?ISO-8859-1?Q?Facture_erron=E9e?=",
            b"text/plain; charset=iso-8859-1",
            b"La facture est fauss=E9e =E0 la fin, tr=E8s=\r\n longue.",
            b"quoted-printable",
        ),
        "Facture erronée",
        "La facture est faussée à la fin, très longue.",
    ),
    "UTF-8, subject in base64": (
        odd(subject("Panier vidé 🎉", "utf-8"), b"text/plain; charset=utf-8", "Ça ne va pas. 🎉".encode()),
        "Panier vidé 🎉",
        "Ça ne va pas. 🎉",
    ),
    "a charset that does not exist": (
        odd(b"Broken charset", b"text/plain; charset=x-unknown-99", b"The total is wrong."),
        "Broken charset",
        "The total is wrong.",
    ),
    "HTML alone, with history": (
        odd(b"Pay", b"text/html; charset=utf-8", HISTORY.encode()),
        "Pay",
        "La page Payer\nreste grise & vide.",
    ),
    "no subject, no type": (HEAD + b"\r\nThe basket is empty.\r\n", "", "The basket is empty."),
}


@pytest.mark.parametrize("name", list(ODD))
def test_an_odd_mail_is_read_as_it_was_meant(helpdesk: RT, world: RealWorld, name: str) -> None:
    """Whatever the mail program made of it."""
    mail, title, text = ODD[name]
    ticket = helpdesk.ticket(str(world.rt.take(mail)))
    assert (ticket.subject in (title, "(No subject)"), [said.text for said in ticket.messages]) == (True, [text])
    assert ticket.customer.email == ZOE[1]


def test_bytes_that_are_no_text_keep_nobody_from_reading(helpdesk: RT, world: RealWorld) -> None:
    """A mail that says UTF-8 and is not, with a zero in it, is read as far as it goes; so are those after it."""
    broken = odd(b"Broken bytes \xff\xfe", b"text/plain; charset=utf-8", b"Before \xff\xfe\x80 after \x00.")
    number = str(world.rt.take(broken))
    world.customer_writes(number, "Still.")
    first, second = helpdesk.ticket(number).messages
    assert ("Before" in first.text, "after" in first.text, second.text) == (True, True, "Still.")


def test_a_forwarded_mails_words_are_not_the_customers(helpdesk: RT, world: RealWorld) -> None:
    """What is attached as a message stays out of the text; files in it are listed."""
    inner = b"From: x@example.com\r\nSubject: inner\r\nContent-Type: text/plain\r\n\r\nInner words.\r\n"
    body = (
        b"--b\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + inner + b"\r\n"
        b'--b\r\nContent-Type: image/png; name="shot.png"\r\nContent-Disposition: attachment; filename="shot.png"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.b64encode(PICTURE) + b"\r\n--b--\r\n"
    )
    number = str(world.rt.take(odd(b"Fwd", b'multipart/mixed; boundary="b"', body, b"7bit")))
    [said] = helpdesk.ticket(number).messages
    assert said.text == "See below."
    [shot] = [each for each in said.attachments if each.name == "shot.png"]
    assert helpdesk.download(shot) == PICTURE


def test_words_and_a_footer_in_html_are_one_text(helpdesk: RT, world: RealWorld) -> None:
    """Telephones send a picture so, between the words and a line of their own."""
    body = (
        b"--b\r\nContent-Type: text/plain\r\n\r\nThe total is wrong.\r\n"
        b"--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.b64encode(PICTURE)
        + b"\r\n"
        b"--b\r\nContent-Type: text/html\r\n\r\n<p>Sent from my phone</p>\r\n--b--\r\n"
    )
    number = str(world.rt.take(odd(b"Pay", b'multipart/mixed; boundary="b"', body, b"7bit")))
    [said] = helpdesk.ticket(number).messages
    assert (" ".join(said.text.split()), len(said.attachments)) == ("The total is wrong. Sent from my phone", 1)


# --- the whole bot ----------------------------------------------------------------------------------------------------


@pytest.fixture
def house(make_house: Callable[..., House], world: RealWorld) -> House:
    """A house whose helpdesk is that RT, at RT's time, called by its scrip."""

    def use(config: dict[str, Any]) -> None:
        entry = {"kind": "rt", "url": world.line.url, "token": world.rt.bot, "webhook_secret": SECRET}
        config["helpdesks"] = {"rt": {**entry, "plan_field": "Plan", "tag_field": "Tags"}}
        config["projects"][0]["privacy"] = "full"

    house = make_house(use)
    house.clock.advance(datetime.now(UTC) - house.clock.now())
    world.rt.hooks.onward = f"{house.server.url}/webhooks/rt"
    return house


def test_odd_tickets_are_carried_there_and_back(house: House, world: RealWorld) -> None:
    """Flagged, filed, fixed, shipped and written back: each customer gets one mail, as the agent wrote it."""
    numbers = [str(world.rt.take(mail)) for mail, _, _ in ODD.values()]
    world.attach(numbers[0], "écran.png", PICTURE)
    for at, number in enumerate(numbers):
        house.flag("U0ANA", number, title=f"Trouble {at}")
    texts = [text for _, _, text in ODD.values()]
    for at, text in enumerate(texts, 1):
        assert text.splitlines()[0] in house.issue(at)["body"]
        house.mend(at, release="")
    assert "écran.png" in house.issue(1)["body"]
    for at, number in enumerate(numbers, 1):
        notes = [said for _, public, said in world.rt.said(number) if not public]
        assert [f"/issues/{at}" in note for note in notes] == [True]
        assert world.tags(number) == ["passerelle"]
    assert world.rt.received() == []

    house.github.publish_release("acme/shop", "v2.5.0")
    house.poll()
    sent = []
    for _ in numbers:
        house.press("U0ANA", "write_back")
        [number] = set(re.findall(r"Display\.html\?id=(\d+)", str(house.slack.views("U0ANA")[-1]["blocks"])))
        sent.append((number, f"Bonjour,\n\nc’est réparé ({number}). 🎉 <3 & 日本\nAna"))
        assert house.submit(reply=sent[-1][1]) == {}
    assert sorted(number for number, _ in sent) == sorted(numbers)
    for number, text in sent:
        [got] = world.rt.received(number)
        assert text in got
    assert len(world.rt.mails()) == len(numbers)


def test_a_reply_in_rt_is_noticed_by_its_scrip(house: House, world: RealWorld) -> None:
    """Nobody presses anything: Ana answers in RT, RT calls, and her write-back is written."""
    number = world.open_ticket("Basket", "It is empty.")
    house.flag("U0ANA", number, title="Empty basket")
    house.mend(1)
    assert "Write back" in str(house.slack.dm("U0ANA")[-1])
    world.agent_writes(number, "It is mended.", public=True)
    world.rt.was_later(minutes=2)  # than the news, for which the house's time leapt
    house.settle()
    assert "✓ Written" in house.told()[-1]
    assert world.rt.received(number) == ["It is mended."]
