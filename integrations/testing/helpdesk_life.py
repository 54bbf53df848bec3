"""The part of the helpdesks' contract suite that follows a ticket through its life; `helpdesk.py` has the rest."""

from __future__ import annotations

import pytest

from integrations.base import (
    Ability,
    Attachment,
    FollowsUp,
    Helpdesk,
    NotFound,
    Rejected,
    TicketStatus,
    TicketTouched,
    Unavailable,
    Watch,
)
from integrations.testing.helpdesk_world import HelpdeskWorld

PICTURE = b"\x89PNG\r\n" + bytes(range(256)) * 40


class HelpdeskLife:
    """Found by mail, handed over, held, merged, closed, followed up, called spam; and heard of without a webhook."""

    # --- finding ------------------------------------------------------------------------------------------------------

    def test_a_customers_tickets_are_found_by_their_mail(self, helpdesk: Helpdesk, world: HelpdeskWorld) -> None:
        """The one that moved last first, whatever the address's case; nobody else's."""
        first, second = world.open_ticket("Basket", "Empty."), world.open_ticket("Pay", "Grey.")
        world.customer_writes(first, "Still.")
        found = helpdesk.tickets_of("Zoe@Customer.example")
        assert [(one.number, one.subject) for one in found] == [(first, "Basket"), (second, "Pay")]
        assert all(one.url in world.addresses(one.number) for one in found)
        assert len(helpdesk.tickets_of("zoe@customer.example", most=1)) == 1

    @pytest.mark.parametrize("email", ["", "nobody@customer.example", "ana@acme.example", 'zoe" OR "', "zoe@*", "*"])
    def test_nobody_known_has_no_tickets(self, helpdesk: Helpdesk, world: HelpdeskWorld, email: str) -> None:
        """Least of all by a clever address."""
        world.open_ticket("Basket", "Empty.")
        assert helpdesk.tickets_of(email) == []

    def test_the_agent_in_charge_is_told(self, helpdesk: Helpdesk, world: HelpdeskWorld) -> None:
        """By their address; nobody, where nobody is."""
        number = world.open_ticket("Basket", "Empty.")
        assert helpdesk.ticket(number).assignee == ""
        world.assign(number, "ana@acme.example")
        assert helpdesk.ticket(number).assignee == "ana@acme.example"

    # --- states -------------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("status", ["solved", "held", "spam"])
    def test_a_ticket_tells_how_it_stands(self, helpdesk: Helpdesk, world: HelpdeskWorld, status: TicketStatus) -> None:
        """In our words, where the helpdesk has such a state."""
        needed = {"held": Ability.HOLD, "spam": Ability.SPAM}.get(status)
        number = world.open_ticket("Basket", "Empty.")
        if needed is None or needed in helpdesk.abilities:
            world.set_status(number, status)
            assert helpdesk.ticket(number).status == status

    def test_a_waiting_ticket_is_held_and_opened_again(self, helpdesk: Helpdesk, world: HelpdeskWorld) -> None:
        """Twice is as good as once; what an agent solved meanwhile stays solved."""
        number = world.open_ticket("Basket", "Empty.")
        held = "held" if Ability.HOLD in helpdesk.abilities else "open"
        for on, status in ((True, held), (True, held), (False, "open"), (False, "open")):
            helpdesk.hold(number, on)
            assert world.status(number) == status
        world.set_status(number, "solved")
        for on in (True, False):
            helpdesk.hold(number, on)
            assert world.status(number) == "solved"
        assert world.received(number) == []

    def test_a_merged_ticket_is_the_one_that_took_its_place(self, helpdesk: Helpdesk, world: HelpdeskWorld) -> None:
        """Whoever asks for the one reads the other, with its own number."""
        number, other = world.open_ticket("Basket", "Empty."), world.open_ticket("Basket again", "Still empty.")
        if Ability.MERGES not in helpdesk.abilities:
            return
        world.merge(number, other)
        found = helpdesk.ticket(number)
        assert (found.number, found.subject) == (other, "Basket again")

    # --- follow-ups ---------------------------------------------------------------------------------------------------

    def test_a_closed_ticket_can_have_one_follow_up(self, helpdesk: Helpdesk, world: HelpdeskWorld) -> None:
        """A new ticket of the same customer, with the agent's words, found again by its key and by no other."""
        assert isinstance(helpdesk, FollowsUp) == (Ability.FOLLOWS_UP in helpdesk.abilities)
        if not isinstance(helpdesk, FollowsUp):
            return
        number = world.open_ticket("Basket", "Empty.")
        world.close(number)
        assert helpdesk.marked_follow_up("k1") is None
        made = helpdesk.follow_up(number, "Bonjour Zoé,\n\nréparé. <3", "k1", "ana@acme.example")
        assert made.number != number
        assert (world.received(made.number), world.received(number)) == (["Bonjour Zoé,\n\nréparé. <3"], [])
        found = helpdesk.marked_follow_up("k1")
        assert found is not None
        assert (found.number, helpdesk.marked_follow_up("k")) == (made.number, None)
        assert helpdesk.ticket(made.number).customer.email == "zoe@customer.example"

    def test_a_doubtful_follow_up_is_never_repeated(self, helpdesk: Helpdesk, world: HelpdeskWorld) -> None:
        """One write on the wire, and looking tells whether it was done."""
        if not isinstance(helpdesk, FollowsUp):
            return
        number = world.open_ticket("Basket", "Empty.")
        world.close(number)
        world.trouble("failed after")
        with pytest.raises(Unavailable) as doubt:
            helpdesk.follow_up(number, "Done.", "k1")
        assert (doubt.value.maybe_done, world.writes()) == (True, 1)
        assert helpdesk.marked_follow_up("k1") is not None

    # --- attachments --------------------------------------------------------------------------------------------------

    def test_an_attachment_is_listed_and_can_be_had(self, helpdesk: Helpdesk, world: HelpdeskWorld) -> None:
        """Its name, its kind, its size, and what it holds, byte for byte."""
        number = world.open_ticket("Basket", "Empty.")
        world.attach(number, "écran.png", PICTURE)
        [attachment] = [each for said in helpdesk.ticket(number).messages for each in said.attachments]
        assert (attachment.name, attachment.content_type) == ("écran.png", "image/png")
        assert attachment.size in (0, len(PICTURE))
        assert helpdesk.download(attachment) == PICTURE

    def test_a_file_of_more_than_ten_megabytes_is_not_read(self, helpdesk: Helpdesk, world: HelpdeskWorld) -> None:
        """It is named in the issue instead, and nobody's memory is filled."""
        number = world.open_ticket("Basket", "Empty.")
        world.attach(number, "film.png", bytes(10_000_001))
        [attachment] = [each for said in helpdesk.ticket(number).messages for each in said.attachments]
        with pytest.raises(Rejected, match="large"):
            helpdesk.download(attachment)

    @pytest.mark.parametrize(
        "url", ["https://elsewhere.example/a.png", "file:///etc/passwd", "//elsewhere.example/a", "", "http://[", "a b"]
    )
    def test_nothing_is_fetched_from_elsewhere(self, helpdesk: Helpdesk, url: str) -> None:
        """An address that a customer could have put there is not followed, and never with our credentials."""
        with pytest.raises((Rejected, NotFound)):
            helpdesk.download(Attachment("a.png", url))

    # --- polling ------------------------------------------------------------------------------------------------------

    def test_what_was_touched_is_told_without_a_webhook(self, helpdesk: Helpdesk, world: HelpdeskWorld) -> None:
        """From the first look on: what customers and agents write, and new tickets; nothing where nothing happened."""
        old = world.open_ticket("Basket", "Empty.")
        events, watch = helpdesk.poll(Watch())
        assert events == []
        world.customer_writes(old, "Still.")
        new = world.open_ticket("Pay", "Grey.")
        events, watch = helpdesk.poll(watch)
        assert {TicketTouched(old), TicketTouched(new)} <= set(events)
        _, watch = helpdesk.poll(watch)
        events, again = helpdesk.poll(watch)
        assert (events, again) == ([], watch)
        world.agent_writes(old, "It is mended.", public=True)
        events, _ = helpdesk.poll(watch)
        assert TicketTouched(old) in events

    def test_many_touched_at_once_are_all_told(self, helpdesk: Helpdesk, world: HelpdeskWorld) -> None:
        """After an outage, over as many looks as it takes."""
        _, watch = helpdesk.poll(Watch())
        opened = {world.open_ticket(f"Ticket {n}", "Empty.") for n in range(230)}
        told: set[str] = set()
        for _ in range(8):
            events, watch = helpdesk.poll(watch)
            told |= {event.number for event in events if isinstance(event, TicketTouched)}
        assert told >= opened
