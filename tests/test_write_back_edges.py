"""The write-back at its edges: nothing is forgotten, taken twice, or told to whom it does not concern."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.bridge import moved, write_back
from bot.model import WriteBack
from bot.store import upkeep
from bot.store.tables import Effect, Escalation, Issue, Ticket, WriteBackRow
from integrations.sandbox.wire import Fault
from tests.conftest import REPO, House
from tests.test_confirm import REPLY, STILL, answer, attach
from tests.test_gitlab_loop import PROJECT, GitLabHouse, build, clock_time, gitlab
from tests.test_handing import look, offers

__all__ = ["build", "clock_time", "gitlab"]


def shipped(house: House, *others: tuple[str, str]) -> House:
    """Ana owes Camille an answer, and each of `others` the customer of their ticket."""
    house.flag()
    for person, ticket in others:
        attach(house, person, ticket)
    house.mend()
    house.pass_time(minutes=3)
    return house


def written(house: House, *others: tuple[str, str]) -> House:
    """The same, and Ana has written."""
    shipped(house, *others)
    assert house.write_back(reply=REPLY) == {}
    house.pass_time(minutes=3)
    return house


def broken(house: House, person: str = "U0ANA") -> None:
    """The agent reads in the customer's newest word that it is still broken."""
    house.press(person, "still_broken")
    assert house.submit(person, text=STILL) == {}


def states(house: House) -> list[tuple[str, str]]:
    """Agent and state of what is owed to customers who wait on an issue."""
    with house.bot.store.read() as session:
        query = sa.select(WriteBackRow).join(Escalation, Escalation.id == WriteBackRow.escalation_id)
        rows = session.scalars(query.where(Escalation.taken_off.is_(None)).order_by(WriteBackRow.due_at))
        return [(row.agent, row.state.value) for row in rows]


# --- still broken -----------------------------------------------------------------------------------------------------


def test_whoever_waits_goes_along_to_the_new_issue(house: House) -> None:
    """The old one is locked and never ships again: Ben's customer, not written to yet, hears what becomes of the new
    one."""
    written(house, ("U0BEN", "4212"))
    house.github.lock_issue(REPO, 1, "leo-dev")
    answer(house, STILL)
    broken(house)
    assert ("U0BEN", "held") not in states(house)
    house.pass_time(minutes=1)
    house.mend(3, release="v2.6.0")
    assert "Fixed in v2.6.0" in house.told("U0BEN")[-1]
    assert ("U0BEN", "due") in states(house)


def test_two_customers_for_whom_it_is_broken_share_one_new_issue(house: House) -> None:
    """Two agents say so of an issue that is locked: one new issue, with both tickets on it."""
    written(house, ("U0BEN", "4212"))
    assert house.write_back("U0BEN", REPLY) == {}
    house.pass_time(minutes=3)
    house.github.lock_issue(REPO, 1, "leo-dev")
    answer(house, STILL)
    answer(house, STILL, "4212")
    broken(house)
    broken(house, "U0BEN")
    with house.bot.store.read() as session:
        new = session.scalars(sa.select(Issue).where(Issue.number != 1)).all()
        assert [len(one.escalations) for one in new] == [2]


def test_a_word_about_an_older_fix_does_not_undo_a_newer_one(house: House) -> None:
    """It was reopened and mended again before Ana says so: the second fix still counts, and ships."""
    written(house)
    answer(house, STILL)
    house.github.reopen_issue(REPO, 1, "leo-dev")
    house.poll()
    house.pass_time(minutes=2)
    house.mend(release="")
    broken(house)
    assert house.issue()["state"] == "closed"
    assert any("Still broken for a customer" in one["body"] for one in house.issue()["comments"])
    house.github.publish_release(REPO, "v2.6.0")
    house.poll()
    assert "Fixed in v2.6.0" in house.told()[-1]


def test_whoever_said_so_hears_when_the_issue_cannot_be_opened(house: House) -> None:
    """The tracker never answers: after days Ana hears it, for what is held would wait for ever."""
    written(house)
    answer(house, STILL)
    house.github.wire.faults.append(Fault("refuse", method="PATCH", path="/repos/acme/shop/issues/1$", times=None))
    broken(house)
    for _ in range(30):
        house.pass_time(hours=3)
    assert "could not be opened again" in "\n".join(house.told())


def test_the_customers_words_do_not_go_along_to_a_public_repository(make_house: Callable[..., House]) -> None:
    """The new issue was filed for few to read; then it is carried to a project that everybody reads."""

    def change(config: dict[str, Any]) -> None:
        config["projects"].append({**config["projects"][0], "key": "open", "name": "Open", "repository": "acme/open"})

    house = make_house(change)
    house.github.add_repo("acme/open", private=False)
    written(house)
    house.github.lock_issue(REPO, 1, "leo-dev")
    answer(house, STILL)
    broken(house)
    with house.bot.store.read() as session:
        summaries = list(session.scalars(sa.select(Escalation.summary)))
    assert not any("toujours fausse" in one for one in summaries)
    assert "toujours fausse" in str(house.issue(3))


# --- merged -----------------------------------------------------------------------------------------------------------


def test_the_answer_after_a_merge_is_heard(house: House) -> None:
    """Ana wrote, then her ticket went into Ben's: what the customer says there is an answer to her."""
    written(house, ("U0BEN", "4212"))
    house.zendesk.merge("4211", "4212", "ben@acme.example")
    house.pass_time(minutes=3)
    answer(house, STILL, "4212")
    told = "\n".join([*house.told("U0ANA"), *house.told("U0BEN")])
    assert "after you wrote that it is out" in told


def test_what_was_noticed_before_a_merge_can_be_un_marked(house: House) -> None:
    """An answer about something else was taken for it, and the ticket went into another: it is due again there."""
    shipped(house, ("U0BEN", "4212"))
    house.zendesk.agent_writes("4211", "ana@acme.example", "Votre adresse est changée.")
    house.pass_time(minutes=3)
    house.zendesk.merge("4211", "4212", "ben@acme.example")
    house.pass_time(minutes=3)
    assert states(house) == [("U0BEN", "written")]
    house.press("U0BEN", "unmark")
    assert states(house) == [("U0BEN", "due")]
    assert house.write_back("U0BEN", REPLY) == {}
    assert house.replies("4212") == [REPLY]


def test_a_ticket_that_was_taken_off_takes_in_one_that_waits(house: House) -> None:
    """4212 was on the issue and taken off; then 4211 goes into it, and its customer waits there."""
    house.flag()
    attach(house, "U0BEN", "4212")
    assert house.slack.command("U0BEN", "unlink 4212 acme/shop#1", "C0SUPPORT").ok
    house.settle()
    house.mend()
    house.pass_time(minutes=3)
    house.zendesk.merge("4211", "4212", "ben@acme.example")
    house.pass_time(minutes=3)
    assert [state for _, state in states(house)] == ["due"]
    assert house.write_back(reply=REPLY) == {}
    assert house.replies("4212") == [REPLY]


def test_a_doubtful_reply_that_arrived_before_a_merge_is_the_only_one(house: House) -> None:
    """Ana says that it is there; the ticket it went into owes nothing then."""
    shipped(house, ("U0BEN", "4212"))
    house.zendesk.wire.faults.append(Fault("drop", method="PUT", path="/api/v2/tickets/4211.json"))
    assert house.write_back(reply=REPLY) == {}
    house.pass_time(minutes=2)
    assert ("U0ANA", "uncertain") in states(house)
    house.zendesk.merge("4211", "4212", "ben@acme.example")
    house.pass_time(minutes=3)
    house.press("U0ANA", "mark_written")
    house.pass_time(minutes=3)
    assert states(house) == [("U0BEN", "written")]


# --- noticed ----------------------------------------------------------------------------------------------------------


def test_what_is_un_marked_after_it_was_taken_back_waits(house: House) -> None:
    """The fix is none any more: nobody is reminded of news that does not hold."""
    shipped(house)
    house.zendesk.agent_writes("4211", "ana@acme.example", "Votre adresse est changée.")
    house.pass_time(minutes=3)
    house.github.reopen_issue(REPO, 1, "leo-dev")
    house.poll()
    with house.bot.store.read() as session:
        (row,) = session.scalars(sa.select(WriteBackRow).where(WriteBackRow.noticed)).all()
    told = [one for one in house.slack.dm("U0ANA") if f"'{row.id}'" in str(one) and "'unmark'" in str(one)]
    assert house.slack.press("U0ANA", house.slack.dm_channel("U0ANA"), told[0]["ts"], "unmark").ok
    house.settle()
    assert ("U0ANA", "held") in states(house)


@pytest.mark.parametrize("status", [404, 503])
def test_a_refused_reply_is_told_while_the_helpdesk_is_away(house: House, status: int) -> None:
    """It did not go out because something was said; that the helpdesk fails right after keeps nobody from hearing."""
    shipped(house)
    house.press("U0ANA", "write_back")
    house.modal()
    house.clock.advance(house.bot.outbox._quiet)
    house.zendesk.customer_writes("4211", "Et le panier ?")
    view = house.slack.views("U0ANA")[-1]
    assert house.slack.submit(view["id"], {"reply": REPLY}).ok
    while "changed" not in [one.payload.get("template") for one in promised(house, "notice")]:
        assert house.bot.outbox.work_once()
    house.zendesk.wire.faults.append(Fault("refuse", path="/api/v2/tickets", status=status, times=None))
    house.pass_time(minutes=3)
    assert any("waits" in one and REPLY in one for one in house.told())


def promised(house: House, kind: str) -> list[Any]:
    with house.bot.store.read() as session:
        return list(session.scalars(sa.select(Effect).where(Effect.kind == kind)))


def test_the_answer_to_a_follow_up_is_heard(house: House) -> None:
    """The ticket was closed, so the reply opened another one, and the customer answers there."""
    shipped(house)
    house.zendesk.close("4211")
    assert house.write_back(reply=REPLY) == {}
    house.pass_time(minutes=3)
    follow_up = max((one["number"] for one in house.zendesk.tickets()), key=int)
    assert house.replies(str(follow_up)) == [REPLY]
    answer(house, STILL, str(follow_up))
    assert "after you wrote that it is out" in house.told()[-1]
    assert STILL in house.told()[-1]


# --- handed over ------------------------------------------------------------------------------------------------------


def test_two_who_take_a_customer_at_once_do_not_take_them_from_each_other(house: House) -> None:
    """The second press comes before the message says so."""
    shipped(house)
    house.press("U0ANA", "hand_over")
    assert house.submit() == {}
    (offer,) = [one for one in house.slack.messages("C0SUPPORTDEV") if "take_over" in str(one.get("blocks"))]
    house.slack.wire.faults.append(Fault("refuse", path="chat.update", times=None))
    assert house.slack.press("U0BEN", "C0SUPPORTDEV", offer["ts"], "take_over").ok
    house.bot.listeners.settle()
    assert house.slack.press("U0LEO", "C0SUPPORTDEV", offer["ts"], "take_over").ok
    house.bot.listeners.settle()
    assert [agent for agent, _ in states(house)] == ["U0BEN"]


def test_each_customer_of_somebody_who_is_away_is_offered(house: House) -> None:
    """One of six was written to, then another falls due: as many as before, and not the same. Each is offered once."""
    tickets = [house.zendesk.open_ticket("VAT", "Wrong.", f"C{n}", f"c{n}@customer.example") for n in range(9)]
    house.flag("U0ANA", tickets[0])
    for ticket in tickets[1:6]:
        assert house.slack.command("U0ANA", f"link {ticket} acme/shop#1", "C0SUPPORT").ok
    house.settle()
    house.mend()
    house.slack.set_status("U0ANA", ":palm_tree:")
    look(house)
    for ticket in tickets[6:]:
        with house.bot.store.read() as session:
            due = session.scalars(sa.select(WriteBackRow).where(WriteBackRow.state == WriteBack.DUE)).all()
        write_back.mark_written(house.bot.bridge, max(due, key=lambda row: row.due_at).id, "U0ANA")
        assert house.slack.command("U0ANA", f"link {ticket} acme/shop#1", "C0SUPPORT").ok
        house.settle()
        house.pass_time(hours=21)
        look(house)
    assert [sum(f"ticket {one}" in offer for offer in offers(house)) for one in tickets] == [1] * 9


def test_a_doubtful_reply_of_somebody_who_left_is_looked_at_by_whoever_takes_it(house: House) -> None:
    """Ben hears that it may have gone out, with the buttons to say which."""
    shipped(house)
    house.zendesk.wire.faults.append(Fault("drop", method="PUT", path="/api/v2/tickets/4211.json"))
    assert house.write_back(reply=REPLY) == {}
    house.pass_time(minutes=2)
    house.zendesk.assign("4211", "ben@acme.example")
    house.pass_time(minutes=2)
    house.slack.leave("U0ANA")
    look(house)
    told = "\n".join(house.told("U0BEN"))
    assert "may" in told
    house.press("U0BEN", "mark_written")
    assert states(house) == [("U0BEN", "written")]


def test_the_answer_to_somebody_who_left_reaches_whoever_has_the_ticket(house: House) -> None:
    """Ana wrote and left; the customer says that it is still broken, and Ben reads it."""
    written(house)
    house.zendesk.assign("4211", "ben@acme.example")
    house.slack.leave("U0ANA")
    answer(house, STILL)
    look(house)
    assert STILL in "\n".join(house.told("U0BEN"))
    broken(house, "U0BEN")
    assert house.issue()["state"] == "open"


# --- at the worst moment ----------------------------------------------------------------------------------------------


def test_a_worker_that_dies_after_the_issue_was_opened_changes_nothing(house: House) -> None:
    """Open in the tracker, and nothing noted here; polling hears of it first: one comment, nobody has to take anything
    back, and the next fix is told."""
    written(house, ("U0BEN", "4212"))
    answer(house, STILL)
    house.github.wire.faults.append(Fault("error_after", method="PATCH", path="/repos/acme/shop/issues/1$"))
    house.github.wire.faults.append(Fault("refuse", method="PATCH", path="/repos/acme/shop/issues/1$", times=3))
    broken(house)
    assert house.issue()["state"] == "open"
    house.poll()
    for _ in range(8):
        house.pass_time(minutes=2)
    assert sum("Still broken for a customer" in one["body"] for one in house.issue()["comments"]) == 1
    assert not any("should hear what has changed" in one for one in house.told())
    house.mend(release="v2.6.0")
    assert "Fixed in v2.6.0" in house.told("U0BEN")[-1]
    assert "Fixed in v2.6.0" in house.told("U0ANA")[-1]


def test_another_release_while_the_tracker_is_away_tells_nobody(house: House) -> None:
    """Ana said that it is still broken, the tracker is away, and a release without a new fix comes out meanwhile."""
    written(house, ("U0BEN", "4212"))
    answer(house, STILL)
    house.github.wire.faults.append(Fault("refuse", method="POST", path="/repos/acme/shop/issues/1/", times=4))
    broken(house)
    before = len(house.told("U0BEN"))
    house.github.publish_release(REPO, "v2.6.0")
    for _ in range(20):
        house.pass_time(minutes=2)
    assert house.issue()["state"] == "open"
    assert len(house.told("U0BEN")) == before
    assert ("U0BEN", "held") in states(house)


def test_an_answer_by_a_slow_clock_is_seen_before_the_reply_goes_out(house: House) -> None:
    """The helpdesk's clock is a minute behind ours; what is said after the page was filled is dated before that."""
    house.zendesk.now = lambda: house.clock.now() - timedelta(minutes=1)
    shipped(house)
    house.pass_time(minutes=10)
    house.zendesk.customer_writes("4211", "Des nouvelles ?")
    house.pass_time(minutes=10)
    house.press("U0ANA", "write_back")
    house.modal()
    house.clock.advance(timedelta(seconds=5))
    house.zendesk.customer_writes("4211", "Et le panier ?")
    assert house.submit(reply=REPLY) == {}
    assert house.replies() == []


def test_what_a_ticket_held_that_went_into_another_is_forgotten(house: House) -> None:
    """Nothing waits on it any more, so nothing keeps its customer's words."""
    house.flag()
    house.flag("U0BEN", "4212", title="The basket is empty")
    house.pass_time(minutes=3)
    house.zendesk.merge("4211", "4212", "ben@acme.example")
    house.pass_time(minutes=3)
    house.pass_time(days=400)
    with house.bot.store.write() as session:
        upkeep.forget_customers(session, house.clock.now() - timedelta(days=180))
    with house.bot.store.read() as session:
        kept = {one.number: one.words for one in session.scalars(sa.select(Ticket))}
    assert kept["4211"] == ""
    assert kept["4212"] != ""


def test_still_broken_where_it_was_carried_to_another_project_meanwhile(make_house: Callable[..., House]) -> None:
    """The tracker was away when Ana said so, and the issue goes elsewhere: it is filed there, and has her words."""

    def change(config: dict[str, Any]) -> None:
        config["projects"].append({**config["projects"][0], "key": "other", "repository": "acme/other"})

    house = make_house(change)
    house.github.add_repo("acme/other")
    written(house)
    answer(house, STILL)
    house.github.wire.faults.append(Fault("refuse", method="POST", path="/repos/acme/shop/issues/1/", times=1))
    broken(house)
    bridge = house.bot.bridge
    with bridge.store.write() as session:
        issue = session.scalars(sa.select(Issue)).one()
        moved.carry(bridge, session, issue, bridge.project("other"), "U0LEO")
    for _ in range(5):
        house.pass_time(minutes=2)
    there = house.github.issue("acme/other", 1)
    assert there["state"] == "open"
    assert any("toujours fausse" in one["body"] for one in there["comments"])


def test_still_broken_on_gitlab(build: Callable[..., GitLabHouse]) -> None:
    """The issue is open again with the customer's words, and the next merge request counts."""
    made = build()
    house = made.house
    house.flag()
    house.poll()
    made.mend()
    made.release("v2.5.0")
    house.pass_time(minutes=3)
    assert house.write_back(reply=REPLY) == {}
    house.pass_time(minutes=3)
    answer(house, STILL)
    broken(house)
    assert made.gitlab.issue(PROJECT, 1)["state"] == "opened"
    assert "toujours fausse" in str(made.gitlab.issue(PROJECT, 1))
    house.pass_time(minutes=1)
    made.mend()
    made.release("v2.6.0")
    assert "Fixed in v2.6.0" in house.told()[-1]


def test_a_guest_takes_nobodys_customer(house: House) -> None:
    """They see the channel, and the button; pressing it changes nothing."""
    shipped(house)
    house.press("U0ANA", "hand_over")
    assert house.submit() == {}
    house.press("U0GUEST", "take_over", channel="C0SUPPORTDEV")
    assert states(house) == [("U0ANA", "due")]
    assert len(offers(house)) == 1
