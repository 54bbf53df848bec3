"""Writing back: the agent's own words reach the customer once, or the agent knows exactly why not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from integrations.sandbox.wire import Fault
from tests.conftest import REPO, House, said

REPLY = "Bonjour Camille, c’est réparé. Bonne journée, Ana"
SENDING = "/api/v2/tickets/4211.json"


@pytest.fixture
def shipped(house: House) -> House:
    """Ana's customer waits for her word: the fix is in v2.5.0."""
    house.hear_webhooks()
    house.flag()
    house.mend()
    return house


def buttons(house: House, person: str = "U0ANA") -> list[str]:
    """The buttons of the newest message."""
    blocks = house.slack.dm(person)[-1].get("blocks", [])
    return [one["text"]["text"] for block in blocks for one in block.get("elements", []) if one["type"] == "button"]


def later(house: House) -> None:
    """Time enough for whatever was doubtful to be looked at."""
    for _ in range(3):
        house.pass_time(minutes=2)


# --- as it should be


def test_a_blank_page_beside_the_facts(shipped: House) -> None:
    """No script: the news, the proof, the customer and their words stand there; the reply is the agent's."""
    shipped.press("U0ANA", "write_back")
    page = shipped.modal()
    for fact in ("Fixed in v2.5.0: VAT is wrong on invoices", "Camille Roux", "Writes in French", "Depuis lundi"):
        assert fact in page
    assert "This goes to Camille Roux as a public reply on ticket 4211, in your words." in page
    (field,) = [block for block in shipped.slack.views("U0ANA")[-1]["blocks"] if block["type"] == "input"]
    assert "initial_value" not in field["element"]


def test_the_reply_goes_out_in_the_agents_name(shipped: House) -> None:
    """The customer reads Ana's words from Ana; the message shows that it is done."""
    assert shipped.write_back(reply=REPLY) == {}
    (reply,) = shipped.zendesk.replies("4211")
    assert (reply["author"], reply["body"]) == ("Ana Moreau", REPLY)
    assert "✓ Written." in shipped.told()[-1]
    assert buttons(shipped) == []
    assert "Nobody waits any more." in shipped.card()
    assert "No customer waits for this issue." in shipped.issue()["comments"][0]["body"]


def test_an_empty_reply_is_not_sent(shipped: House) -> None:
    """Blanks are no answer."""
    assert shipped.write_back(reply=" \n ") == {"reply": "Write your reply first; an empty one is not sent."}
    assert shipped.replies() == []


def test_already_written_closes_it(shipped: House) -> None:
    """A phone call counts."""
    shipped.press("U0ANA", "mark_written")
    assert "✓ Written." in shipped.told()[-1]
    assert shipped.replies() == []
    assert "Nobody waits any more." in shipped.card()


def test_skipping_asks_for_a_reason(shipped: House) -> None:
    """Nobody is forgotten: whoever is not written to has a reason beside their name."""
    shipped.press("U0ANA", "skip")
    assert shipped.submit(reason="  ") == {"reason": "Say why this customer needs no answer."}
    assert shipped.submit(reason="Camille left us last week.") == {}
    assert "Skipped: Camille left us last week." in shipped.told()[-1]
    assert shipped.replies() == []


def test_written_in_the_helpdesk_by_hand_is_noticed(shipped: House) -> None:
    """Many agents answer where the ticket is; nothing more is asked of them."""
    shipped.pass_time(minutes=3)
    shipped.zendesk.agent_writes("4211", "ana@acme.example", "Une note pour nous", public=False)
    shipped.hear_helpdesk()
    assert "Write back" in buttons(shipped)

    shipped.zendesk.agent_writes("4211", "ana@acme.example", REPLY)
    shipped.hear_helpdesk()
    assert "✓ Written, as I saw in the helpdesk." in shipped.told()[-1]
    assert shipped.replies() == [REPLY]


def test_what_was_answered_before_the_news_does_not_count(house: House) -> None:
    """A first answer, “we are looking into it”, is not the news."""
    house.hear_webhooks()
    house.flag()
    house.pass_time(minutes=3)
    house.zendesk.agent_writes("4211", "ana@acme.example", "Nous regardons.")
    house.hear_helpdesk()
    house.pass_time(minutes=3)
    house.mend()
    house.zendesk.customer_writes("4211", "Merci !")
    house.hear_helpdesk()
    assert "Write back" in buttons(house)


@pytest.fixture
def twice(house: House) -> House:
    """Camille's ticket stands on two issues, and one release mends both."""
    house.hear_webhooks()
    house.flag()
    house.look_up()
    assert house.submit(again=["again"], title="The cart forgets the address") == {}
    house.mend(1, release="")
    house.mend(2)
    assert len(due(house)) == 2
    house.pass_time(minutes=3)
    return house


def due(house: House) -> list[str]:
    """Which write-backs Ana's newest round has buttons for."""
    rounds = [one for one in house.slack.dm("U0ANA") if one["metadata"]["event_payload"]["key"].startswith("told:")]
    blocks = [block for block in rounds[-1]["blocks"] if block["type"] == "actions"]
    return [one["value"] for block in blocks for one in block["elements"] if one["action_id"] == "write_back"]


def test_a_reply_about_one_issue_leaves_the_other_due(twice: House) -> None:
    """The helpdesk shows the bot's own reply in Ana's name; it is no answer to anything else."""
    assert twice.write_back(reply=REPLY) == {}
    twice.hear_helpdesk()
    twice.pass_time(minutes=3)
    twice.zendesk.customer_writes("4211", "Merci !")
    twice.hear_helpdesk()
    assert len(due(twice)) == 1

    twice.zendesk.agent_writes("4211", "ana@acme.example", "Et le panier aussi.")
    twice.hear_helpdesk()
    assert due(twice) == []


def test_an_answer_by_hand_does_not_say_which_of_two_it_was(twice: House) -> None:
    """Both stay due until the agent says so; marking one does not mark the other by the same answer."""
    twice.zendesk.agent_writes("4211", "ana@acme.example", REPLY)
    twice.hear_helpdesk()
    assert len(due(twice)) == 2
    twice.press("U0ANA", "mark_written")
    twice.zendesk.customer_writes("4211", "Merci !")
    twice.hear_helpdesk()
    assert len(due(twice)) == 1


def test_an_answer_of_the_news_very_moment_does_not_count(shipped: House) -> None:
    """The helpdesk's clock may be ahead of ours: what was written before the news seems to come after it."""
    shipped.clock.advance(timedelta(seconds=2))
    shipped.zendesk.agent_writes("4211", "ana@acme.example", "Nous regardons.")
    shipped.hear_helpdesk()
    assert "Write back" in buttons(shipped)


def test_a_quick_answer_counts(shipped: House) -> None:
    """Whoever answers in the helpdesk a few seconds after the news has answered."""
    shipped.clock.advance(timedelta(seconds=8))
    shipped.zendesk.agent_writes("4211", "ana@acme.example", REPLY)
    shipped.hear_helpdesk()
    assert "Write back" not in buttons(shipped)


# --- twice


def test_pressing_send_twice_sends_once(shipped: House) -> None:
    """A double click, or the same page in two tabs, at the same moment."""
    shipped.press("U0ANA", "write_back")
    view = shipped.slack.views("U0ANA")[-1]["id"]
    clicks = [
        threading.Thread(target=shipped.slack.submit, args=(view, {"reply": REPLY}), daemon=True) for _ in range(2)
    ]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    shipped.settle()
    assert shipped.replies() == [REPLY]


def test_a_second_page_says_that_it_is_done(shipped: House) -> None:
    """What stood open while the first was sent is not sent after it."""
    shipped.press("U0ANA", "write_back")
    with shipped.slack.workspace.change():
        second = shipped.slack.workspace.stacks["U0ANA"][-1]
    assert shipped.submit(reply=REPLY) == {}
    shipped.slack.workspace.stacks["U0ANA"] = [second]
    assert shipped.submit(reply="Encore une fois.") == {"reply": "This customer was written back to already."}
    assert shipped.replies() == [REPLY]


def test_an_old_button_says_that_it_is_done(shipped: House) -> None:
    """The list of `/bug mine` stays where it was typed; its buttons age."""
    shipped.slack.command("U0ANA", "mine", "C0SUPPORT")
    old = shipped.slack.ephemerals("U0ANA")[-1]
    assert shipped.write_back(reply=REPLY) == {}
    assert shipped.slack.press("U0ANA", "C0SUPPORT", old["ts"], "write_back").ok
    assert shipped.modal() == "This customer was written back to already."
    assert shipped.slack.views("U0ANA")[-1]["submit"] is None


# --- refused


def test_a_closed_ticket_gets_a_follow_up(shipped: House) -> None:
    """The page says so before anything is sent; the customer reads the agent's words in a new ticket, once."""
    shipped.zendesk.close("4211")
    before = {one["number"] for one in shipped.zendesk.tickets()}
    shipped.press("U0ANA", "write_back")
    assert "This ticket is closed: your reply opens a follow-up" in said(shipped.slack.views("U0ANA")[-1])
    assert shipped.submit(reply=REPLY) == {}
    assert "✓ Written." in shipped.told()[-1]
    assert shipped.replies() == []
    later(shipped)
    (followed,) = {one["number"] for one in shipped.zendesk.tickets()} - before
    assert shipped.replies(str(followed)) == [REPLY]


def test_a_helpdesk_that_is_down_gets_the_reply_when_it_is_back(shipped: House) -> None:
    """Nothing left our side, so there is no doubt: the reply waits, and the message says that it is on its way."""
    port = int(shipped.zendesk.url.rsplit(":", 1)[1])
    shipped.zendesk.stop()
    assert shipped.write_back(reply=REPLY) == {}
    assert "Your reply is being sent." in shipped.told()[-1]
    shipped.zendesk.start(port)
    shipped.pass_time(minutes=20)
    assert shipped.replies() == [REPLY]
    assert "✓ Written." in shipped.told()[-1]


def test_a_reply_that_takes_longer_says_so_once(shipped: House) -> None:
    """Three tries in vain: the agent reads why and that nothing is asked of them, and nothing more until it is done."""
    port = int(shipped.zendesk.url.rsplit(":", 1)[1])
    shipped.zendesk.stop()
    before = len(shipped.told())
    assert shipped.write_back(reply=REPLY) == {}
    for _ in range(12):
        shipped.pass_time(minutes=10)
    (told,) = shipped.told()[before:]
    assert "Your reply to Camille Roux on ticket 4211 is still on its way: " in told
    assert "I keep trying, and it will not go out twice." in told
    shipped.zendesk.start(port)
    shipped.pass_time(minutes=20)
    assert shipped.replies() == [REPLY]
    assert len(shipped.told()) == before + 1


def test_a_reply_behind_a_note_that_waits_says_so_too(house: House) -> None:
    """What happens on one ticket happens in order; the agent hears why their reply does."""
    house.zendesk.wire.faults.append(Fault("refuse", "PUT", SENDING, status=403, times=None))
    house.flag()
    house.mend()
    before = len(house.told())
    assert house.write_back(reply=REPLY) == {}
    for _ in range(6):
        house.pass_time(minutes=16)
    (told,) = house.told()[before:]
    assert "Your reply to Camille Roux on ticket 4211 is still on its way: " in told
    house.zendesk.wire.faults.clear()
    house.pass_time(minutes=20)
    assert house.replies() == [REPLY]


def test_a_tag_that_the_helpdesk_refuses_holds_nothing_back(house: House) -> None:
    """Tagging may be another right than writing: note and reply go out without it."""
    house.zendesk.wire.faults.append(Fault("refuse", "PUT", "/tags.json", status=403, times=None))
    house.flag()
    assert len(house.notes()) == 1
    house.mend()
    assert house.write_back(reply=REPLY) == {}
    assert house.replies() == [REPLY]


# --- doubtful


@pytest.mark.parametrize("how", ["drop_after", "error_after"])
def test_a_reply_that_went_out_unconfirmed_is_found(shipped: House, how: str) -> None:
    """The line broke after the helpdesk had it: looked for, found, written. Nothing is sent again."""
    shipped.zendesk.wire.faults.append(Fault(how, "PUT", SENDING))  # type: ignore[arg-type]
    assert shipped.write_back(reply=REPLY) == {}
    later(shipped)
    assert shipped.replies() == [REPLY]
    assert "✓ Written." in shipped.told()[-1]


@pytest.mark.parametrize("how", ["drop", "refuse"])
def test_a_reply_that_cannot_be_found_is_the_agents_to_look_at(shipped: House, how: str) -> None:
    """Never sent twice on doubt: the agent looks, and sends it again in one step with the words still there."""
    shipped.zendesk.wire.faults.append(Fault(how, "PUT", SENDING, status=502))  # type: ignore[arg-type]
    assert shipped.write_back(reply=REPLY) == {}
    later(shipped)
    told = shipped.told()[-1]
    assert "The helpdesk did not answer clearly, so your reply to Camille Roux on ticket 4211" in told
    assert "Look at the ticket. If the reply is there, mark it written; if not, write back again." in told
    assert buttons(shipped) == ["It is there", "Write back again", "Skip"]
    assert "May or may not have gone out: look at the ticket." in shipped.told()[-2]
    assert shipped.replies() == []

    shipped.press("U0ANA", "write_back")
    assert shipped.submit() == {}
    assert shipped.replies() == [REPLY]
    assert "✓ Written." in shipped.told()[-2]


def test_a_page_from_before_the_doubt_sends_nothing(shipped: House) -> None:
    """Two pages stood open; the reply of the first may have gone out: whoever sends the second looks first."""
    shipped.press("U0ANA", "write_back")
    with shipped.slack.workspace.change():
        second = shipped.slack.workspace.stacks["U0ANA"][-1]
    shipped.zendesk.wire.faults.append(Fault("drop", "PUT", SENDING))
    assert shipped.submit(reply=REPLY) == {}
    later(shipped)
    shipped.slack.workspace.stacks["U0ANA"] = [second]
    refused = shipped.submit(reply="Encore une fois.")
    assert "Another reply was tried after this page was opened. Look at the ticket first" in refused["reply"]
    assert shipped.replies() == []
    shipped.slack.workspace.stacks["U0ANA"] = []

    shipped.press("U0ANA", "write_back")
    assert shipped.submit() == {}
    assert shipped.replies() == [REPLY]


def too_late(house: House, happens: Callable[[], None]) -> None:
    """Ana's reply waits for the helpdesk, and meanwhile the fix is taken back: the customer does not hear of it."""
    busy = Fault("refuse", "PUT", SENDING, status=429, headers={"Retry-After": "600"})
    house.zendesk.wire.faults.append(busy)
    assert house.write_back(reply=REPLY) == {}
    happens()
    house.pass_time(minutes=16)
    assert house.replies() == []
    assert "on ticket 4211 was not sent: the news was taken back before it could go out" in house.told()[-1]


def reopen(house: House) -> None:
    house.github.reopen_issue(REPO, 1, "leo-dev")
    house.poll()


def test_a_reply_whose_news_fell_is_not_sent(shipped: House) -> None:
    """The words are kept, and the write-back waits for news that holds."""
    too_late(shipped, lambda: reopen(shipped))
    assert "On hold: the news no longer holds." in "\n".join(shipped.told())
    shipped.press("U0ANA", "write_back")
    assert "This news no longer holds, so the write-back waits." in shipped.modal()
    assert f"Your words are kept here:\n{REPLY}" in shipped.told()[-1]


def test_a_reply_whose_news_was_replaced_is_pointless(shipped: House) -> None:
    """One answer is due, for what holds now."""

    def again() -> None:
        reopen(shipped)
        shipped.pass_time(minutes=1)
        shipped.mend(release="v2.5.1")

    too_late(shipped, again)
    everything = "\n".join(str(one.get("blocks")) for one in shipped.slack.dm("U0ANA")[:-1])
    assert everything.count("'action_id': 'write_back'") == 1
    assert "On hold" not in "\n".join(shipped.told())


def test_doubtful_news_that_fell_is_not_written_again(shipped: House) -> None:
    """The customer must not hear now that it is mended; if the reply is there, the agent can say so."""
    shipped.zendesk.wire.faults.append(Fault("drop", "PUT", SENDING))
    shipped.write_back(reply=REPLY)
    later(shipped)
    reopen(shipped)
    shipped.press("U0ANA", "write_back")
    assert "This news no longer holds. Look at the ticket" in shipped.modal()
    shipped.press("U0ANA", "mark_written")
    assert "✓ Written." in "\n".join(shipped.told())
    assert "should hear what has changed" in shipped.told()[-1]
    assert shipped.replies() == []


def test_the_agent_may_say_that_it_is_there(shipped: House) -> None:
    """They looked; that settles it."""
    shipped.zendesk.wire.faults.append(Fault("drop", "PUT", SENDING))
    shipped.write_back(reply=REPLY)
    later(shipped)
    shipped.press("U0ANA", "mark_written")
    assert "✓ Written." in shipped.told()[-2]
    assert "Nobody waits any more." in shipped.card()
    shipped.press("U0ANA", "mark_written")
    assert shipped.modal() == "This customer was written back to already."


def test_a_doubtful_one_answered_by_hand_is_noticed(shipped: House) -> None:
    """The agent looked, found nothing, and answered right there."""
    shipped.zendesk.wire.faults.append(Fault("drop", "PUT", SENDING))
    shipped.write_back(reply=REPLY)
    later(shipped)
    shipped.zendesk.agent_writes("4211", "ana@acme.example", REPLY)
    shipped.hear_helpdesk()
    assert "✓ Written." in shipped.told()[-2]
    assert shipped.replies() == [REPLY]


def test_a_late_answer_is_looked_for_and_not_repeated(make_house: Callable[..., House]) -> None:
    """The helpdesk works longer than we wait: the reply is there in the end, once, and found."""

    def impatient(config: dict[str, Any]) -> None:
        config["timing"]["timeout"] = "1s"

    house = make_house(impatient)
    house.flag()
    house.mend()
    house.zendesk.wire.faults.append(Fault("late", "PUT", SENDING, seconds=1.5))
    assert house.write_back(reply=REPLY) == {}
    assert "Your reply is being sent." in house.told()[-1]
    with house.zendesk.changed:
        assert house.zendesk.changed.wait_for(house.replies, 10)
    later(house)
    assert house.replies() == [REPLY]
    assert "✓ Written." in house.told()[-1]


# --- somebody else


def test_a_lead_writes_for_an_agent_who_cannot_be_reached(house: House) -> None:
    """Ana has left: the lead gets her customers, writes as herself, and the history says who did."""
    house.flag()
    with house.slack.workspace.change():
        house.slack.workspace.people["U0ANA"]["deleted"] = True
    house.mend()
    house.pass_time(hours=80)
    assert "I cannot reach Ana Moreau in Slack, and 1 customer waits for news." in house.told("U0MAYA")[-1]
    assert house.write_back("U0MAYA", REPLY) == {}
    assert house.replies() == [f"{REPLY}\n\nMaya Lindgren"]  # Zendesk knows no agent of her address
    house.slack.command("U0MAYA", "status 4211", "C0SUPPORT")
    assert "Customer written to (Maya Lindgren)" in house.whispered("U0MAYA")


def test_an_agent_whom_the_helpdesk_does_not_know_is_named_in_the_reply(shipped: House) -> None:
    """It goes out in the bot's name, so the customer reads at its end who wrote."""
    shipped.slack.add_person("U0NEW", "new", "Nora Newell", "nora@acme.example")
    shipped.press("U0ANA", "hand_over")
    assert shipped.submit(to="U0NEW") == {}
    assert shipped.write_back("U0NEW", "Bonjour, c’est réparé.") == {}
    assert shipped.replies() == ["Bonjour, c’est réparé.\n\nNora Newell"]
