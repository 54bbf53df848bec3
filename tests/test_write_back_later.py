"""What comes after a write-back, and meanwhile: later words and news, hand-over, what was taken back and stays so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from bot.bridge import write_back
from bot.store import overview
from bot.store.tables import Escalation, WriteBackRow
from integrations.sandbox.wire import Fault
from tests.conftest import REPO, House, said
from tests.gitlab_shop import DEV, SHOP, Shop
from tests.hosting.gitlab import OnGitLab
from tests.test_confirm import REPLY, STILL, answer, attach
from tests.test_handing import look, offers
from tests.test_talk import ask
from tests.test_write_back_edges import broken, shipped, states, written


def heard(house: House, person: str = "U0ANA") -> list[str]:
    """The messages that showed this person what a customer said."""
    return [one for one in house.told(person) if "after you wrote that it is out" in one]


# --- the customer's later words ---------------------------------------------------------------------------------------


def test_a_later_word_is_shown_while_nobody_said_what_it_means(house: House) -> None:
    """The first was "I will try", and left as it is; weeks later it is broken."""
    written(house)
    answer(house, "Merci, j’essaierai.")
    house.pass_time(days=20)
    answer(house, STILL)
    assert [STILL in one for one in heard(house)] == [False, True]
    broken(house)
    assert house.issue()["state"] == "open"
    answer(house, "Toujours pas.")
    assert len(heard(house)) == 2


def test_words_between_two_looks_are_shown_together(house: House) -> None:
    """Thanks in one mail, and in the next that it is broken."""
    written(house)
    house.zendesk.customer_writes("4211", "Merci !")
    answer(house, STILL)
    (told,) = heard(house)
    assert "Merci !" in told
    assert STILL in told


def test_a_word_after_newer_news_is_about_that(house: House) -> None:
    """Written that it is out, then that it is out no more: what the customer says then is no word on the fix."""
    written(house)
    house.github.delete_release(REPO, "v2.5.0")
    for _ in range(3):
        house.poll()
    assert "should hear what has changed" in house.told()[-1]
    assert house.write_back(reply="Nous avons dû le retirer.") == {}
    house.pass_time(minutes=3)
    answer(house, "Merci de me prévenir.")
    assert heard(house) == []


# --- what was taken back ----------------------------------------------------------------------------------------------


def test_the_truth_is_owed_though_the_issue_was_opened_again(house: House) -> None:
    """Camille was told that it is out; it is taken back, and Léo opens the issue: she still has to hear that."""
    written(house)
    house.github.delete_release(REPO, "v2.5.0")
    for _ in range(3):
        house.poll()
    assert states(house) == [("U0ANA", "written"), ("U0ANA", "due")]
    house.github.reopen_issue(REPO, 1, "leo-dev")
    house.poll()
    assert states(house) == [("U0ANA", "written"), ("U0ANA", "due")]
    assert house.write_back(reply="Nous avons dû le retirer.") == {}
    assert house.replies() == [REPLY, "Nous avons dû le retirer."]


def test_a_reply_found_after_still_broken_takes_nothing_back(house: House) -> None:
    """Ben's reply went out, and its answer was lost; meanwhile it is broken for Ana's customer. It is out all the same:
    Ben's customer is not told otherwise."""
    written(house, ("U0BEN", "4212"))
    answer(house, STILL)
    house.zendesk.wire.faults.append(Fault("drop_after", "PUT", "/api/v2/tickets/4212.json"))
    house.press("U0BEN", "write_back")
    view = house.slack.views("U0BEN")[-1]
    assert house.slack.submit(view["id"], {"reply": REPLY}).ok
    broken(house)
    for _ in range(3):
        house.pass_time(minutes=2)
    assert house.replies("4212") == [REPLY]
    assert not any("should hear what has changed" in one for one in house.told("U0BEN"))
    assert ("U0BEN", "written") in states(house)
    house.mend(release="v2.6.0")
    assert "Fixed in v2.6.0" in house.told("U0BEN")[-1]


def test_whoever_said_it_is_broken_hears_it_again(house: House) -> None:
    """Léo says that the same fix does mend it: Camille waits for a word on that."""
    written(house)
    answer(house, STILL)
    broken(house)
    house.pass_time(minutes=1)
    house.github.comment(REPO, 1, "leo-dev", "/fixed-by #2")
    house.poll()
    assert states(house) == [("U0ANA", "written"), ("U0ANA", "due")]
    assert house.write_back(reply="Videz le cache, s’il vous plaît.") == {}


def test_tags_with_an_at_sign_are_releases_of_their_own(make_house: Callable[..., House]) -> None:
    """`web@2.5.0` was told and written; what did not hold ships in `web@2.6.0`, and that is other news."""

    def change(config: dict[str, Any]) -> None:
        OnGitLab.configure(config)

    made = Shop(make_house(change))
    made.merge()
    made.release("web@2.5.0")
    assert made.house.write_back(reply=REPLY) == {}
    made.gitlab.reopen_issue(SHOP, 1, DEV)
    made.house.poll()
    made.merge()
    made.release("web@2.6.0")
    assert "Fixed in web@2.6.0" in made.news()[-1]


def busy(house: House) -> Fault:
    """The helpdesk is too busy for a while."""
    return Fault("refuse", "PUT", "/api/v2/tickets/4211.json", status=429, headers={"Retry-After": "600"})


def test_a_question_that_was_answered_while_it_was_on_its_way_is_over(house: House) -> None:
    """Ana asks Camille, the helpdesk is busy, and Ben knows the answer: nobody waits for anything."""
    house.flag()
    attach(house, "U0BEN", "4212")
    ask(house)
    house.zendesk.wire.faults.append(busy(house))
    assert house.write_back(reply="Pour quel pays ?") == {}
    house.press("U0BEN", "answer")
    assert house.submit("U0BEN", text="It is for Belgium.") == {}
    house.pass_time(minutes=16)
    assert house.replies() == []
    assert set(states(house)) == {("U0ANA", "skipped"), ("U0BEN", "skipped")}


def test_a_reply_on_a_duplicate_is_over_where_the_ticket_waits_elsewhere(house: House) -> None:
    """Camille's ticket is on both issues: what was said of the first is told by the second."""
    house.flag()
    house.look_up()
    assert house.submit(again=["again"], title="The cart forgets the address") == {}
    house.press("U0LEO", "workaround", "C0SUPPORTDEV")
    assert house.submit("U0LEO", text="Empty the cart.") == {}
    house.zendesk.wire.faults.append(busy(house))
    assert house.write_back(reply="Videz le panier.") == {}
    house.github.close_as_duplicate(REPO, 2, "leo-dev", f"{REPO}#1")
    house.poll()
    house.pass_time(minutes=16)
    assert house.replies() == []
    assert states(house) == [("U0ANA", "skipped")]


def test_an_older_reply_that_is_retried_leaves_the_newer_alone(house: House) -> None:
    """The first was refused, the second waits for the helpdesk when an operator retries the first."""
    shipped(house)
    house.zendesk.wire.faults.append(Fault("refuse", "PUT", "/api/v2/tickets/4211.json", status=422))
    assert house.write_back(reply=REPLY) == {}
    assert "was not sent" in house.told()[-1]
    house.zendesk.wire.faults.append(busy(house))
    assert house.write_back(reply=REPLY) == {}
    house.retry_dead_letters()
    house.pass_time(minutes=16)
    house.pass_time(minutes=16)
    assert house.replies() == [REPLY]
    assert states(house) == [("U0ANA", "written")]


# --- follow-ups -------------------------------------------------------------------------------------------------------


def followed_up(house: House) -> str:
    """The ticket was closed, and Ana's reply opened a follow-up; its number."""
    shipped(house)
    house.zendesk.close("4211")
    assert house.write_back(reply=REPLY) == {}
    house.pass_time(minutes=3)
    follow_up = max((str(one["number"]) for one in house.zendesk.tickets()), key=int)
    assert house.replies(follow_up) == [REPLY]
    return follow_up


def test_the_conversation_goes_on_in_the_follow_up(house: House) -> None:
    """Later news is written there, and opens no second follow-up."""
    follow_up = followed_up(house)
    answer(house, STILL, follow_up)
    broken(house)
    house.pass_time(minutes=1)
    house.mend(release="v2.6.0")
    count = len(house.zendesk.tickets())
    assert house.write_back(reply="C’est réparé pour de bon.") == {}
    assert house.replies(follow_up) == [REPLY, "C’est réparé pour de bon."]
    assert len(house.zendesk.tickets()) == count


def test_an_answer_by_hand_in_the_follow_up_is_noticed(house: House) -> None:
    """Of later news; Ana's own first reply is none."""
    follow_up = followed_up(house)
    house.github.reopen_issue(REPO, 1, "leo-dev")
    house.poll()
    house.pass_time(minutes=3)
    house.zendesk.agent_writes(follow_up, "ana@acme.example", "Il est retiré, hélas.")
    house.pass_time(minutes=3)
    assert states(house) == [("U0ANA", "written"), ("U0ANA", "written")]


def test_a_ticket_with_a_follow_up_is_known_by_both_numbers(house: House) -> None:
    """It keeps the one by which it was flagged; whichever of them Ben links, it is the same customer."""
    follow_up = followed_up(house)
    for number in ("4211", follow_up):
        assert house.slack.command("U0BEN", f"link {number} acme/shop#1", "C0SUPPORT").ok
        house.settle()
    with house.bot.store.read() as session:
        assert [one.ticket.number for one in session.scalars(sa.select(Escalation))] == ["4211"]
        for number in ("4211", follow_up):
            assert len(overview.meant(session, number)) == 1


def test_a_late_word_in_a_follow_up_is_heard(house: House) -> None:
    """Two weeks of silence, and then it is broken after all."""
    follow_up = followed_up(house)
    house.pass_time(days=15)
    house.bot.schedule.tick_silence()
    answer(house, STILL, follow_up)
    assert len(heard(house)) == 1


def test_a_follow_up_that_was_flagged_at_once_is_the_same_customers(house: House) -> None:
    """Ben flags it before the bot knows that it opened it: one escalation is left, and nothing is written twice."""
    shipped(house)
    house.zendesk.close("4211")
    house.zendesk.wire.faults.append(Fault("drop_after", "POST", "/api/v2/tickets.json"))
    assert house.write_back(reply=REPLY) == {}
    follow_up = max((str(one["number"]) for one in house.zendesk.tickets()), key=int)
    assert house.slack.command("U0BEN", f"link {follow_up} acme/shop#1", "C0SUPPORT").ok
    house.settle()
    assert len(states(house)) == 2
    for _ in range(3):
        house.pass_time(minutes=2)
    assert house.replies(follow_up) == [REPLY]
    assert [state for _, state in states(house)] == ["written"]


def test_what_was_answered_before_a_merge_goes_along(house: House) -> None:
    """Camille told Ana that it is still broken, then that ticket went into Ben's: he reads it, and can say so."""
    written(house, ("U0BEN", "4212"))
    answer(house, STILL)
    house.zendesk.merge("4211", "4212", "ben@acme.example")
    house.pass_time(minutes=3)
    assert len(heard(house, "U0BEN")) == 1
    broken(house, "U0BEN")
    assert house.issue()["state"] == "open"


def test_still_broken_of_a_deleted_issue_is_a_new_one(house: House) -> None:
    """The tracker has it no more, and somebody still waits."""
    written(house)
    house.github.delete_issue(REPO, 1, "leo-dev")
    house.poll()
    answer(house, STILL)
    broken(house)
    assert house.issue(3)["state"] == "open"
    assert "Still broken after" in house.issue(3)["body"]


# --- handed over ------------------------------------------------------------------------------------------------------


def test_what_is_un_marked_after_a_hand_over_is_whoever_has_the_customer_now(house: House) -> None:
    """A colleague's answer was taken for it, the customer went to Ben, and Ana says late that it was no answer."""
    shipped(house)
    house.zendesk.agent_writes("4211", "ana@acme.example", "Votre adresse est changée.")
    house.pass_time(minutes=2)
    answer(house, "Merci !")
    house.zendesk.assign("4211", "ben@acme.example")
    house.pass_time(minutes=2)
    house.slack.set_status("U0ANA", ":palm_tree:")
    look(house)
    house.press("U0ANA", "unmark")
    assert states(house) == [("U0BEN", "due")]
    assert house.write_back("U0BEN", REPLY) == {}
    assert house.replies()[-1] == REPLY


def test_whoever_tried_just_now_keeps_the_customer(make_house: Callable[..., House]) -> None:
    """Ana wrote on the third day, and the customer wrote at the same time: hers to look at, not the channel's."""

    def change(config: dict[str, Any]) -> None:
        config["write_backs"] = {"hand_over_after": "1d"}

    house = shipped(make_house(change))
    house.pass_time(days=1, hours=-1)
    house.press("U0ANA", "write_back")
    house.modal()
    house.pass_time(minutes=2)
    house.zendesk.customer_writes("4211", "Et le panier ?")
    assert house.submit(reply=REPLY) == {}
    assert "waits: this was said there" in house.told()[-1]
    look(house)
    assert offers(house) == []


def test_an_offer_is_made_again_to_whom_it_came_back(house: House) -> None:
    """Ben took the customer, gave them back to Ana, and she leaves for good."""
    shipped(house)
    house.slack.set_status("U0ANA", ":palm_tree:")
    look(house)
    house.press("U0BEN", "take_over", channel="C0SUPPORTDEV")
    house.press("U0BEN", "hand_over")
    assert house.submit("U0BEN", to="U0ANA") == {}
    house.slack.set_status("U0ANA", ":palm_tree:")
    look(house)
    assert len(offers(house)) == 1


def test_whoever_takes_their_own_customer_reads_that_they_have_them(house: House) -> None:
    """Ana is back before anybody took them."""
    shipped(house)
    house.press("U0ANA", "hand_over")
    assert house.submit() == {}
    house.press("U0ANA", "take_over", channel="C0SUPPORTDEV")
    assert "You have them" in said(house.slack.views("U0ANA")[-1])


def test_the_history_says_to_whom_it_was_handed_over(house: House) -> None:
    """Ana gave Camille to Ben, and the line does not read as if Ben did."""
    shipped(house)
    house.press("U0ANA", "hand_over")
    assert house.submit(to="U0BEN") == {}
    house.slack.command("U0ANA", "status 4211", "C0SUPPORT")
    assert "In the hands of another agent (Ben Okafor)" in house.whispered()


# --- several at once --------------------------------------------------------------------------------------------------


def test_what_keeps_one_of_several_stands_at_that_one(house: House) -> None:
    """A colleague wrote to one of them meanwhile: nothing goes out, and Ana reads whom to untick."""
    house.flag()
    for ticket in ("4212", "4213"):
        attach(house, "U0ANA", ticket)
    house.mend()
    house.press("U0ANA", "write_many")
    with house.bot.store.read() as session:
        first, second, third = session.scalars(sa.select(WriteBackRow.id).order_by(WriteBackRow.due_at)).all()
    write_back.mark_written(house.bot.bridge, second, "U0BEN")
    ticked: dict[str, Any] = {f"fits:{one}": [one] for one in (first, second, third)}
    refused = house.submit(reply=REPLY, **ticked)
    assert list(refused) == [f"fits:{second}"]
    assert house.replies("4211") == []
