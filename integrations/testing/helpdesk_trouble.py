"""The part of the helpdesks' contract suite in which the other side misbehaves; `helpdesk.py` has the rest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import Any, Literal, get_args

import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from integrations.base import (
    Ability,
    Attachment,
    Helpdesk,
    NotFound,
    Rejected,
    ServiceError,
    Ticket,
    TicketStatus,
    TicketTouched,
    Unauthorised,
    Unavailable,
    Watch,
)
from integrations.sandbox.wire import Server
from integrations.testing.helpdesk_world import DeskTrouble, HelpdeskWorld

Spoiling = Literal["missing", "null", "another type"]
Path = tuple[str | int, ...]
FIVE_MB = 5_000_000
HARMLESS = {"host", "connection", "accept", "accept-encoding", "user-agent", "content-type", "content-length"}
MOST_DETAIL = 1_000  # characters of the sentence that a person reads


class HelpdeskTrouble:
    """Refused, in doubt, limited, cut off, redirected for ever, and answered with what makes no sense."""

    # --- errors -------------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("trouble", ["failed", "failed after", "dropped", "dropped after"])
    @pytest.mark.parametrize("how", ["note", "reply", "reply as agent"])
    def test_a_doubtful_write_is_never_repeated(
        self, helpdesk: Helpdesk, world: HelpdeskWorld, trouble: DeskTrouble, how: str
    ) -> None:
        """After a 502 or a dropped line it may be done: one write on the wire, and looking tells which it was; where it
        cannot tell, it does not say that it is there."""
        number = world.open_ticket("Basket", "It is empty.")
        agent = ("ana@acme.example",) if how == "reply as agent" else ()
        world.trouble(trouble)
        with pytest.raises(Unavailable) as doubt:
            (helpdesk.note if how == "note" else helpdesk.reply)(number, "Done.", "k1", *agent)
        assert (doubt.value.maybe_done, world.writes()) == (True, 1)
        told = how == "note" or Ability.MARKS in helpdesk.abilities
        assert (helpdesk.marked(number, "k1") is not None) == (told and trouble.endswith("after"))

    def test_a_rate_limit_is_told_and_not_slept_through(self, helpdesk: Helpdesk, world: HelpdeskWorld) -> None:
        """The lane waits, not the thread: certainly not done, with the seconds that the service named."""
        number = world.open_ticket("Basket", "It is empty.")
        world.trouble("limited")
        with pytest.raises(Unavailable) as limit:
            helpdesk.reply(number, "Done.", "k1")
        assert (limit.value.retry_after, limit.value.maybe_done, world.writes()) == (7, False, 1)

    def test_a_refusal_is_told_in_the_services_own_words(self, helpdesk: Helpdesk, world: HelpdeskWorld) -> None:
        """A 422 with a reason is Rejected with that reason, at the first attempt."""
        number = world.open_ticket("Basket", "It is empty.")
        world.trouble("refused")
        with pytest.raises(Rejected, match="the reason of the service"):
            helpdesk.note(number, "Filed.", "k1")
        assert world.writes() == 1

    def test_a_read_gets_over_one_dropped_line(self, helpdesk: Helpdesk, world: HelpdeskWorld) -> None:
        """Reads change nothing, so one is repeated at once; for ever it is not."""
        number = world.open_ticket("Basket", "It is empty.")
        world.trouble_reading(1)
        assert helpdesk.ticket(number).subject == "Basket"
        world.trouble_reading(2)
        with pytest.raises(Unavailable) as failure:
            helpdesk.ticket(number)
        assert failure.value.maybe_done is False

    def test_nobody_listening_means_certainly_not_done(self, world: HelpdeskWorld) -> None:
        """A refused connection leaves no doubt."""
        with pytest.raises(Unavailable) as failure:
            world.unreachable().note("1", "Filed.", "k1")
        assert failure.value.maybe_done is False

    def test_a_wrong_token_is_unauthorised_and_found_by_check(self, world: HelpdeskWorld) -> None:
        """A person must mend it, and is told which setting."""
        number = world.open_ticket("Basket", "It is empty.")
        wrong = world.with_wrong_token()
        for call in (lambda: wrong.ticket(number), lambda: wrong.note(number, "Filed.", "k1")):
            with pytest.raises(Unauthorised):
                call()
        assert [finding.where.rsplit(".", 1)[-1] for finding in wrong.check()] == ["token"]

    def test_a_web_page_instead_of_data_is_unavailable(self, helpdesk: Helpdesk, world: HelpdeskWorld) -> None:
        """As when the address is a sign-in page: one clear sentence, and check names the address."""
        number = world.open_ticket("Basket", "It is empty.")
        world.answer(200, {"Content-Type": "text/html"}, b"<!doctype html><title>Sign in</title>")
        with pytest.raises(Unavailable, match="a web page instead of data"):
            helpdesk.ticket(number)
        assert [finding.where.rsplit(".", 1)[-1] for finding in helpdesk.check()] == ["url"]

    def test_check_finds_nothing_where_all_is_well(self, helpdesk: Helpdesk, world: HelpdeskWorld) -> None:
        """A webhook secret is not needed."""
        assert (helpdesk.check(), world.without_secret().check()) == ([], [])

    # --- answers of another kind --------------------------------------------------------------------------------------

    @pytest.mark.parametrize(
        ("status", "kind"),
        [(401, Unauthorised), (403, Unauthorised), (404, NotFound), (429, Unavailable), (500, Unavailable)],
    )
    def test_each_refusal_of_a_read_is_one_of_ours(
        self, helpdesk: Helpdesk, world: HelpdeskWorld, status: int, kind: type[ServiceError]
    ) -> None:
        """Whatever the body, with the time to wait where it is named, here as a date. What was not looked at is neither
        told to be missing nor to be unchanged."""
        number = world.open_ticket("Basket", "It is empty.")
        _, watch = helpdesk.poll(Watch())
        helpdesk.note(number, "Filed.", "k1")
        later = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
        for body in (b"", b"<html>no</html>", b'{"error": null}', b'{"errors": [{}], "message": 7}', b"[]"):
            world.answer(status, {"Retry-After": later}, body)
            with pytest.raises(kind) as refusal:
                helpdesk.ticket(number)
            assert len(refusal.value.detail) > 10
            if isinstance(refusal.value, Unavailable):
                assert refusal.value.maybe_done is False
                assert 20 < (refusal.value.retry_after or 0) <= 41
        for look in (lambda: helpdesk.marked(number, "k1"), lambda: helpdesk.poll(watch)):
            with pytest.raises(kind):
                look()

    def test_an_endless_redirect_is_told_as_one(self, helpdesk: Helpdesk, world: HelpdeskWorld) -> None:
        """A read gives up after a few rounds, a write does not follow at all; both soon."""
        number = world.open_ticket("Basket", "It is empty.")
        before = world.writes()
        world.answer(302, {"Location": "/again"}, b"")
        with pytest.raises(Unavailable, match="redirects in circles"):
            helpdesk.ticket(number)
        with pytest.raises(ServiceError):
            helpdesk.note(number, "Filed.", "k1")
        assert world.writes() <= before + 1
        assert [finding.where.rsplit(".", 1)[-1] for finding in helpdesk.check()] == ["url"]

    def test_our_credentials_stay_with_the_helpdesk(self, helpdesk: Helpdesk, world: HelpdeskWorld) -> None:
        """Neither a file elsewhere nor a redirect takes them along, in whatever header they ride."""
        number = world.open_ticket("Basket", "It is empty.")
        world.attach(number, "shot.png", b"\x89PNG")
        [file] = [each for said in helpdesk.ticket(number).messages for each in said.attachments]
        told: set[str] = set()

        async def elsewhere(scope: Scope, receive: Receive, send: Send) -> None:
            told.update(name.decode() for name, _ in scope["headers"])
            await Response(b"{}", media_type="application/json")(scope, receive, send)

        server = Server(elsewhere).start()
        try:
            with pytest.raises(ServiceError):
                helpdesk.download(Attachment("shot.png", f"{server.url}/shot.png"))
            world.answer(302, {"Location": f"{server.url}/again"}, b"")
            for call in (lambda: helpdesk.download(file), lambda: helpdesk.ticket(number)):
                with suppress(ServiceError):
                    call()
            with suppress(ServiceError):
                helpdesk.note(number, "Filed.", "k1")
        finally:
            server.stop()
        assert told <= HARMLESS

    @pytest.mark.parametrize("status", [200, 422, 500])
    def test_five_megabytes_of_anything_are_survived(
        self, helpdesk: Helpdesk, world: HelpdeskWorld, status: int
    ) -> None:
        """What a person reads of it stays a sentence."""
        number = world.open_ticket("Basket", "It is empty.")
        for body in (b'"' + b"x" * FIVE_MB + b'"', b'{"error": "' + b"x" * FIVE_MB + b'"}', b"x" * FIVE_MB):
            world.answer(status, {"Content-Type": "application/json"}, body)
            for call in (lambda: helpdesk.ticket(number), lambda: helpdesk.note(number, "Filed.", "k1")):
                with pytest.raises(ServiceError) as refusal:
                    call()
                assert 10 < len(refusal.value.detail) < MOST_DETAIL

    def test_a_message_of_five_megabytes_is_cut_or_refused(self, helpdesk: Helpdesk, world: HelpdeskWorld) -> None:
        """It does not keep the rest from working."""
        number = world.open_ticket("Log", "It says:\n" + "line é\n" * (FIVE_MB // 8))
        refusal = ""
        try:
            assert len(helpdesk.ticket(number).messages[0].text) < 20_100
        except Unavailable as error:
            refusal = error.detail
        assert not refusal or "more than 10 MB" in refusal or "no answer within" in refusal

    # --- data with holes in it ----------------------------------------------------------------------------------------

    @pytest.mark.parametrize("how", get_args(Spoiling))
    def test_a_field_that_is_not_as_it_should_be_when_reading(
        self, helpdesk: Helpdesk, world: HelpdeskWorld, how: Spoiling
    ) -> None:
        """Each field of each answer in turn: what comes back is whole, if perhaps empty, or one of our errors."""
        number = world.open_ticket("Basket", "It is empty.", language="fr", tags=["vip"])
        world.assign(number, "ana@acme.example")
        world.attach(number, "shot.png", b"\x89PNG")
        world.agent_writes(number, "Third one today.", public=False)
        _, watch = helpdesk.poll(Watch())
        world.customer_writes(number, "Still.")
        helpdesk.note(number, "Filed.", "k1")  # the last, for of a list the first and the last are spoilt
        private = {said.text for said in helpdesk.ticket(number).messages if not said.public}

        def ticket() -> None:
            told = helpdesk.ticket(number)
            assert_whole(told)
            assert not [said for said in told.messages if said.public and said.text in private]

        untold: dict[str, Watch] = {}  # where looks went on that did not tell of the ticket

        def touched() -> None:
            events, onward = helpdesk.poll(watch)
            assert all(isinstance(event, TicketTouched) and event.number for event in events)
            told = json.dumps(dict(onward.state), sort_keys=True)
            if TicketTouched(number) not in events:
                untold[told] = onward

        def lines() -> None:
            for line in helpdesk.tickets_of("zoe@customer.example"):
                assert_typed(line.number, line.url, line.subject)
                assert line.number != "" != line.url
                assert line.status in get_args(TicketStatus)
                assert line.updated_at.tzinfo is not None

        for call in (ticket, touched, lines, lambda: helpdesk.marked(number, "k1"), lambda: helpdesk.check()):
            for _ in each_spoilt(world, call, how):
                pass
        for onward in untold.values() if how != "missing" else []:  # an entry that is left out leaves no trace
            assert TicketTouched(number) in helpdesk.poll(onward)[0]

    @pytest.mark.parametrize("nonsense", [{}, [], None, "text", {"error": "sorry"}], ids=str)
    def test_a_look_that_makes_no_sense_misses_nothing(
        self, helpdesk: Helpdesk, world: HelpdeskWorld, nonsense: Any
    ) -> None:
        """It is an error, or the next look tells what this one could not."""
        _, watch = helpdesk.poll(Watch())
        number = world.open_ticket("Basket", "It is empty.")
        world.spoil(lambda answer: nonsense)
        with suppress(ServiceError):
            _, watch = helpdesk.poll(watch)
        world.spoil(None)
        assert TicketTouched(number) in helpdesk.poll(watch)[0]

    @pytest.mark.parametrize("how", get_args(Spoiling))
    def test_a_field_that_is_not_as_it_should_be_when_writing(
        self, helpdesk: Helpdesk, world: HelpdeskWorld, how: Spoiling
    ) -> None:
        """No answer makes what was written certainly not written; a note stays one, and nobody is impersonated."""
        number = world.open_ticket("Basket", "It is empty.")
        keys = (f"k{count}" for count in range(1, 10_000))

        def written() -> int:
            return len(world.said(number))

        def note() -> None:
            helpdesk.note(number, "Filed.", next(keys))

        def reply() -> None:
            helpdesk.reply(number, "Done.", next(keys), "ana@acme.example")

        for call in (note, reply):
            before = written()
            for refusal in each_spoilt(world, call, how):
                done, before = written() - before, written()
                assert done <= 1
                assert refusal is None or not done or (isinstance(refusal, Unavailable) and refusal.maybe_done)
            assert call is reply or world.received(number) == []
        assert [said.author for said in world.said(number)].count("Zoé Martin") == 1


def each_spoilt(world: HelpdeskWorld, call: Callable[[], object], how: Spoiling) -> Iterator[ServiceError | None]:
    """Make the call once for each field of the answers that it gets, each time with that one spoilt; yields the error
    that it ended with, each time."""
    answers: list[Any] = []

    def listen(answer: Any) -> Any:
        answers.append(answer)
        return answer

    world.spoil(listen)
    call()
    yield None
    for path in dict.fromkeys(path for answer in answers for path in fields(answer)):
        refusal = None
        world.spoil(partial(spoilt, path=path, how=how))
        try:
            call()
        except ServiceError as error:
            refusal = error
        finally:
            world.spoil(None)
        yield refusal


def fields(answer: Any, path: Path = ()) -> Iterator[Path]:
    """Where each value of a JSON stands; of a list, the first and the last entry's are looked at."""
    if path:
        yield path
    if isinstance(answer, dict):
        for key, value in answer.items():
            yield from fields(value, (*path, key))
    elif isinstance(answer, list) and answer:
        for at in {0, len(answer) - 1}:
            yield from fields(answer[at], (*path, at))


def spoilt(answer: Any, path: Path, how: Spoiling) -> Any:
    """A copy of the answer in which the value at `path`, if it has one, is not what it was."""
    if not path:
        return None if how == "null" else "text" if isinstance(answer, dict | list | int | None) else {"a": []}
    key = path[0]
    if isinstance(answer, dict) and key in answer:
        if len(path) == 1 and how == "missing":
            return {name: value for name, value in answer.items() if name != key}
        return answer | {key: spoilt(answer[key], path[1:], how)}
    if isinstance(answer, list) and isinstance(key, int) and key < len(answer):
        if len(path) == 1 and how == "missing":
            return [*answer[:key], *answer[key + 1 :]]
        return [*answer[:key], spoilt(answer[key], path[1:], how), *answer[key + 1 :]]
    return answer


def assert_whole(ticket: Ticket) -> None:
    """Every field has the type that it says, and what must be there is."""
    person = ticket.customer
    assert_typed(ticket.number, ticket.url, ticket.subject, ticket.language, ticket.assignee, *ticket.tags)
    assert_typed(person.id, person.name, person.email, person.organisation, person.plan)
    assert_typed(*(text for pair in ticket.fields for text in pair))
    assert ticket.number != "" != ticket.url
    assert ticket.status in get_args(TicketStatus)
    assert None not in (ticket.created_at.tzinfo, ticket.updated_at.tzinfo)
    for said in ticket.messages:
        assert_typed(said.id, said.author, said.text, said.email)
        assert said.role in ("customer", "agent", "ours")
        assert type(said.public) is bool
        assert said.at.tzinfo is not None
        for attachment in said.attachments:
            assert_typed(attachment.name, attachment.url, attachment.content_type)
            assert type(attachment.size) is int


def assert_typed(*texts: str) -> None:
    assert not [text for text in texts if type(text) is not str]
