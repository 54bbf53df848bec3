"""The contract suite of helpdesks: subclass `HelpdeskContract`, give it a `helpdesk` and a `world`, run it with pytest.

class TestDesk(HelpdeskContract):
    @pytest.fixture
    def world(self): ...      # a fresh `HelpdeskWorld` for each test
    @pytest.fixture
    def helpdesk(self, world): ...   # the adapter, pointed at that world, with a time-out of one second
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from integrations.base import Ability, BadSignature, Helpdesk, NotFound, Rejected, SpeaksFor, TicketTouched, mark
from integrations.testing.helpdesk_life import HelpdeskLife
from integrations.testing.helpdesk_trouble import HelpdeskTrouble
from integrations.testing.helpdesk_world import HelpdeskWorld

NOW = datetime(2026, 11, 2, 10, 14, tzinfo=UTC)
UNKNOWN = "99999999"
STRANGE = (
    b"",
    b"\xff\xfe",
    b"null",
    b"[]",
    b"7",
    b'"text"',
    b"{}",
    b"[" * 100_000,
    b"9" * 10_000,
    b'{"ticket": null, "ticket_id": {}}',
    b'{"ticket": {"id": true}}',
    b'{"ticket": {"id": "../users/1"}, "ticket_id": -4}',
    b'{"type": [], "detail": 3}',
)


class HelpdeskContract(HelpdeskLife, HelpdeskTrouble):
    """What the bot relies on, whatever the helpdesk; what not every one can do is told by its `abilities`."""

    # --- addresses ----------------------------------------------------------------------------------------------------

    def test_a_ticket_is_found_by_every_form_of_its_address(self, helpdesk: Helpdesk, world: HelpdeskWorld) -> None:
        """A number, #number, and each address that a browser or Slack gives name the same ticket."""
        number = world.open_ticket("Basket", "It is empty.")
        forms = [number, f"#{number}", f" {number} ", *world.addresses(number)]
        forms += [f"<{address}|the ticket>" for address in world.addresses(number)]
        forms += [address.partition("://")[2] for address in world.addresses(number)]
        found = {form: helpdesk.ticket(helpdesk.number_in(form) or "").number for form in forms}
        assert found == dict.fromkeys(forms, number)
        assert helpdesk.number_in(number) == number
        assert helpdesk.ticket(number).url in world.addresses(number)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "#",
            "basket",
            "0",
            "-1",
            "４２",
            "4211 4212",
            "1" * 400,
            "https://[",
            "https://elsewhere.example/tickets/1",
        ],
    )
    def test_what_names_no_ticket_here_is_none(self, helpdesk: Helpdesk, text: str) -> None:
        """Words, foreign addresses and broken ones name nothing."""
        assert helpdesk.number_in(text) is None

    # --- reading ------------------------------------------------------------------------------------------------------

    def test_a_ticket_is_told_with_its_customer_and_conversation(
        self, helpdesk: Helpdesk, world: HelpdeskWorld
    ) -> None:
        """Who asks, in which language, and who said what, publicly or not, in order."""
        number = world.open_ticket("Panier vide", "Mon panier est vide.", language="fr", tags=["vip"])
        world.agent_writes(number, "Je regarde.", public=True)
        world.agent_writes(number, "Third one today.", public=False)
        world.customer_writes(number, "Merci.")
        helpdesk.note(number, "Filed.", "k1")
        ticket = helpdesk.ticket(number)
        person, can = ticket.customer, helpdesk.abilities
        assert (ticket.subject, ticket.status) == ("Panier vide", "open")
        assert ticket.language == ("fr" if Ability.LANGUAGE in can else "")
        assert ticket.tags == (("vip",) if Ability.TAGS in can else ())
        assert (person.name, person.email) == ("Zoé Martin", "zoe@customer.example")
        assert person.organisation == "Globex"
        assert person.plan == ("gold" if Ability.PLAN in can else "")
        assert ticket.messages[1].email == "ana@acme.example"
        assert [(said.role, said.public, said.text) for said in ticket.messages] == [
            ("customer", True, "Mon panier est vide."),
            ("agent", True, "Je regarde."),
            ("agent", False, "Third one today."),
            ("customer", True, "Merci."),
            ("ours", False, "Filed."),
        ]
        assert len({said.id for said in ticket.messages} - {""}) == 5

    def test_times_are_those_at_which_it_happened(self, helpdesk: Helpdesk, world: HelpdeskWorld) -> None:
        """In UTC. An answer counts by its time: an hour off, and a promise is taken for kept."""
        number = world.open_ticket("Basket", "It is empty.")
        world.customer_writes(number, "Still.")
        world.agent_writes(number, "It is mended.", public=True)
        ticket, [line] = helpdesk.ticket(number), helpdesk.tickets_of("zoe@customer.example")
        told = [ticket.created_at, *(said.at for said in ticket.messages), ticket.updated_at, line.updated_at]
        assert {at.utcoffset() for at in told} == {timedelta(0)}
        assert told == sorted(told)
        assert [at for at in told if abs(at - datetime.now(UTC)) > timedelta(minutes=2)] == []

    def test_markup_and_quoted_mail_are_reduced_to_the_customers_words(
        self, helpdesk: Helpdesk, world: HelpdeskWorld
    ) -> None:
        """Neither HTML, nor styles, nor what was quoted, nor the signature reaches an issue."""
        number = world.open_ticket(
            "Pay",
            "<style>p {color: red}</style><p>The <b>Pay</b> button<br>does nothing &amp; stays grey.</p>"
            "<blockquote type='cite'><p>Dear customer</p></blockquote>",
            html=True,
        )
        world.customer_writes(
            number, "Encore cassé.\n\nLe lun. 2 nov. 2026 à 10:14, Acme <help@acme.example> a écrit :\n> Bonjour\n> Zoé"
        )
        texts = [said.text for said in helpdesk.ticket(number).messages]
        assert texts == ["The Pay button\ndoes nothing & stays grey.", "Encore cassé."]

    def test_a_conversation_of_200_kb_is_read_and_long_messages_are_cut_openly(
        self, helpdesk: Helpdesk, world: HelpdeskWorld
    ) -> None:
        """No message is lost, none is longer than some 20,000 characters, and a cut one says so."""
        number = world.open_ticket("Log", "line é\n" * 10_000)
        for at in range(130):
            world.customer_writes(number, f"{at}: " + "word " * 200)
        messages = helpdesk.ticket(number).messages
        assert [said.text.split(":")[0] for said in messages[1:]] == [str(at) for at in range(130)]
        assert len(messages[0].text) < 20_100
        assert messages[0].text.endswith("more characters stand in the ticket]")

    def test_an_unknown_and_a_deleted_ticket_are_not_found(self, helpdesk: Helpdesk, world: HelpdeskWorld) -> None:
        """Both are the same to us, for reading and for writing."""
        number = world.open_ticket("Basket", "It is empty.")
        world.delete(number)
        for gone in (number, UNKNOWN, "../users/me"):
            with pytest.raises(NotFound):
                helpdesk.ticket(gone)
            for write in (helpdesk.note, helpdesk.reply):
                with pytest.raises(NotFound):
                    write(gone, "Done.", "k1")

    # --- writing ------------------------------------------------------------------------------------------------------

    def test_a_note_never_reaches_the_customer(self, helpdesk: Helpdesk, world: HelpdeskWorld) -> None:
        """It stands in the ticket, internal, once."""
        number = world.open_ticket("Basket", "It is empty.")
        helpdesk.note(number, "Filed as #7 <b>& more</b>.", "k1")
        assert [(said.public, said.text) for said in world.said(number)[1:]] == [(False, "Filed as #7 <b>& more</b>.")]
        assert world.received(number) == []

    def test_a_reply_reaches_the_customer_once_in_the_agents_name(
        self, helpdesk: Helpdesk, world: HelpdeskWorld
    ) -> None:
        """One write, one public message, by the agent who wrote it; text is kept as it was written."""
        number = world.open_ticket("Basket", "It is empty.")
        text = "Bonjour Zoé,\n\nc'est réparé. 🎉 <3\nAna"
        helpdesk.reply(number, text, "k1", "ana@acme.example")
        assert (world.received(number), world.writes()) == ([text], 1)
        assert (world.said(number)[1].author == "Ana Moreau") == (Ability.AS_AGENT in helpdesk.abilities)

    @pytest.mark.parametrize("email", ["", "nobody@acme.example", "zoe@customer.example", 'a" or "b'])
    def test_a_reply_of_somebody_unknown_goes_out_in_our_own_name(
        self, helpdesk: Helpdesk, world: HelpdeskWorld, email: str
    ) -> None:
        """Who is no agent in the helpdesk cannot be spoken for, least of all the customer."""
        number = world.open_ticket("Basket", "It is empty.")
        assert isinstance(helpdesk, SpeaksFor) == (Ability.AS_AGENT in helpdesk.abilities)
        if isinstance(helpdesk, SpeaksFor):
            assert (helpdesk.speaks_for("ana@acme.example"), helpdesk.speaks_for(email)) == (True, False)
        helpdesk.reply(number, "Done.", "k1", email)
        assert [said.role for said in helpdesk.ticket(number).messages] == ["customer", "ours"]

    def test_an_empty_message_is_rejected(self, helpdesk: Helpdesk, world: HelpdeskWorld) -> None:
        """Nothing is said with nothing in it."""
        number = world.open_ticket("Basket", "It is empty.")
        with pytest.raises(Rejected):
            helpdesk.reply(number, " \n", "k1")
        assert len(world.said(number)) == 1

    def test_a_closed_ticket_says_that_it_takes_no_more(self, helpdesk: Helpdesk, world: HelpdeskWorld) -> None:
        """A sentence with the ticket's number, for notes and replies; and reading still works."""
        number = world.open_ticket("Basket", "It is empty.")
        world.close(number)
        if Ability.CLOSES not in helpdesk.abilities:
            helpdesk.reply(number, "Done.", "k1")
            assert world.received(number) == ["Done."]
            return
        for write in (helpdesk.note, helpdesk.reply):
            with pytest.raises(Rejected, match=f"ticket {number} is closed and takes no more messages: "):
                write(number, "Too late.", "k1")
        assert helpdesk.ticket(number).status == "closed"
        assert len(world.said(number)) == 1

    def test_a_tag_is_added_to_those_there(self, helpdesk: Helpdesk, world: HelpdeskWorld) -> None:
        """Adding it again changes nothing; other tags stay."""
        number = world.open_ticket("Basket", "It is empty.", tags=["vip"])
        helpdesk.tag(number, "escalated")
        helpdesk.tag(number, "escalated")
        assert sorted(world.tags(number)) == (["escalated", "vip"] if Ability.TAGS in helpdesk.abilities else [])

    # --- marks --------------------------------------------------------------------------------------------------------

    def test_what_we_wrote_is_found_by_its_key(self, helpdesk: Helpdesk, world: HelpdeskWorld) -> None:
        """Notes and replies alike, the agent's name notwithstanding, under their own key alone."""
        number = world.open_ticket("Basket", "It is empty.")
        other = world.open_ticket("Other", "Else.")
        note = helpdesk.note(number, "Filed.", "k1")
        reply = helpdesk.reply(number, "Done.", "k2", "ana@acme.example")
        assert note != reply
        known = reply if Ability.MARKS in helpdesk.abilities else None
        assert [helpdesk.marked(number, key) for key in ("k1", "k2", "k", "k3")] == [note, known, None, None]
        assert helpdesk.marked(other, "k1") is None
        assert {note, reply} <= {said.id for said in helpdesk.ticket(number).messages}

    def test_an_old_mark_is_found_in_a_long_ticket(self, helpdesk: Helpdesk, world: HelpdeskWorld) -> None:
        """However much was said since."""
        number = world.open_ticket("Basket", "It is empty.")
        note = helpdesk.note(number, "Filed.", "k1")
        for at in range(220):
            world.customer_writes(number, f"And {at}?")
        assert helpdesk.marked(number, "k1") == note

    def test_a_customers_look_alike_does_not_count(self, helpdesk: Helpdesk, world: HelpdeskWorld) -> None:
        """Only what our own account wrote is found."""
        number = world.open_ticket("Basket", f"k1 {mark('k1')}")
        world.imitate(number, "k1")
        assert helpdesk.marked(number, "k1") is None

    def test_the_key_is_not_shown_to_the_customer(self, helpdesk: Helpdesk, world: HelpdeskWorld) -> None:
        """Marks ride beside the text, not in it."""
        number = world.open_ticket("Basket", "It is empty.")
        helpdesk.reply(number, "Done.", "secret-key-7")
        assert "secret-key-7" not in "".join(world.received(number))

    # --- webhooks -----------------------------------------------------------------------------------------------------

    def test_a_signed_delivery_names_its_ticket(self, helpdesk: Helpdesk, world: HelpdeskWorld) -> None:
        """It has an id, the same each time, and is read from the headers that are kept, whatever their case."""
        headers, body = world.delivery("4211", NOW)
        first = helpdesk.verify(headers, body, NOW)
        again = helpdesk.verify({name.upper(): value for name, value in headers.items()}, body, NOW)
        kept = {name: value for name, value in headers.items() if name.lower() in helpdesk.kept_headers}
        assert first == again != ""
        assert helpdesk.read(kept, body) == [TicketTouched("4211")]

    def test_two_deliveries_about_one_ticket_are_told_apart(self, helpdesk: Helpdesk, world: HelpdeskWorld) -> None:
        """What has the id and the content of one that came before is dropped: the customer may have written twice."""
        moments = (NOW, NOW + timedelta(seconds=9))
        assert len({helpdesk.verify(*world.delivery("4211", at), at) for at in moments}) == 2

    def test_a_delivery_that_its_sender_did_not_sign_is_refused(self, helpdesk: Helpdesk, world: HelpdeskWorld) -> None:
        """Changed content, missing headers, other scripts in them, or no secret of ours: never authentic."""
        headers, body = world.delivery("4211", NOW)
        signed = Ability.SIGNED in helpdesk.abilities
        forged = [({}, body), *([(headers, body + b" "), (headers, b"")] if signed else [])]
        carriers = [name for name in headers if ("signature" if signed else "secret") in name.lower()]
        assert carriers
        assert signed or not {name.lower() for name in carriers} & set(helpdesk.kept_headers)
        forged += [({**headers, name: forgery}, body) for name in carriers for forgery in ("é", "")]
        for given, content in forged:
            with pytest.raises(BadSignature):
                helpdesk.verify(given, content, NOW)
        with pytest.raises(BadSignature):
            world.without_secret().verify(headers, body, NOW)

    @pytest.mark.parametrize("minutes", [-6, 6])
    def test_a_stale_delivery_is_refused(self, helpdesk: Helpdesk, world: HelpdeskWorld, minutes: int) -> None:
        """More than five minutes off, either way, it may be a replay."""
        headers, body = world.delivery("4211", NOW + timedelta(minutes=minutes))
        if Ability.DATED not in helpdesk.abilities:  # it can only mean that we look at the ticket once more
            assert helpdesk.verify(headers, body, NOW)
            return
        with pytest.raises(BadSignature):
            helpdesk.verify(headers, body, NOW)

    @pytest.mark.parametrize("body", STRANGE, ids=range(len(STRANGE)))
    def test_strange_content_means_nothing(self, helpdesk: Helpdesk, world: HelpdeskWorld, body: bytes) -> None:
        """Authentic or not, what cannot be understood is no event and no error."""
        headers, _ = world.delivery("4211", NOW)
        assert helpdesk.read(headers, body) == []
        assert helpdesk.read({}, json.dumps({"type": "x", "detail": {"id": "1"}}).encode()) == []
