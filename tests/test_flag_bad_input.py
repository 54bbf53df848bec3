"""Flagging when something is wrong: each time one clear sentence with the next step, nothing lost, nothing doubled."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from integrations.sandbox.wire import Fault
from tests.conftest import REPO, House, said

DOWN = Fault("refuse", path="/api/v2/", status=503, times=None)
TITLE = "VAT is wrong on invoices"


# --- the ticket


def test_an_unknown_ticket_can_be_corrected(house: House) -> None:
    """The number stands in the form, beside the sentence that it is none."""
    modal = house.look_up(text="99999")
    assert "Zendesk has no such ticket. Correct the number, or paste what the customer wrote." in modal
    assert house.submit(ticket="4211", title=TITLE) == {}
    assert "Camille Roux" in house.modal()
    assert house.submit() == {}
    assert house.issue()["title"] == TITLE


def test_an_unknown_ticket_needs_the_customers_words(house: House) -> None:
    """Without a ticket and without words the Support Dev would have nothing to go by."""
    house.look_up(text="99999")
    assert house.submit(title=TITLE) == {
        "words": "Paste what the customer wrote, so that the Support Dev can understand it."
    }
    assert house.submit(title=TITLE, words="The invoice says 20 %.", customer="camille@example.com") == {}
    assert "> The invoice says 20 %." in house.issue()["body"]
    assert house.zendesk.wire.calls_to("PUT", ".*") == []


def test_a_ticket_that_the_bot_may_not_read_is_linked_all_the_same(house: House) -> None:
    """A restricted group in the helpdesk: the agent can read it, the bot cannot."""
    house.zendesk.wire.faults.append(Fault("refuse", path="/tickets/4211", status=403, times=None))
    assert "Zendesk does not let me read this ticket. Paste what the customer wrote." in house.look_up()
    assert house.submit(title=TITLE, words="The invoice says 20 %.") == {}
    assert "Filed as acme/shop#1 for ticket 4211." in house.told()[-1]


def test_while_the_helpdesk_is_down_words_are_pasted_and_the_note_follows(house: House) -> None:
    """Flagging does not wait for the helpdesk; what it knows is filled in when it is back."""
    house.zendesk.wire.faults.append(DOWN)
    address = f"{house.zendesk.url}/agent/tickets/4211"
    modal = house.look_up(text=address)
    assert "Zendesk does not answer. Paste what the customer wrote; the ticket is linked all the same." in modal
    assert house.submit(title=TITLE, words="Le total est faux.", customer="Camille Roux") == {}
    assert f"[Zendesk 4211]({address})" in house.issue()["body"]
    assert "> Le total est faux." in house.issue()["body"]
    assert "Filed as acme/shop#1 for ticket 4211." in house.told()[-1]
    assert house.notes() == []

    house.zendesk.wire.faults.clear()
    house.pass_time(minutes=20)
    assert len(house.notes()) == 1
    assert "| Pro | French |" in house.issue()["comments"][0]["body"]
    assert len(house.github.issues(REPO)) == 1


def test_a_ticket_that_turns_out_not_to_exist_is_told(house: House) -> None:
    """Typed while the helpdesk was down, and wrong: the agent hears what it means."""
    house.zendesk.wire.faults.append(DOWN)
    house.look_up(text="99999")
    assert house.submit(title=TITLE, words="The invoice says 20 %.") == {}
    house.zendesk.wire.faults.clear()
    house.pass_time(minutes=20)
    assert "acme/shop#1 stands, but I could leave no note on ticket 99999" in house.told()[-1]


def test_a_closed_ticket_takes_no_note_and_the_agent_hears_why(house: House) -> None:
    """The issue stands all the same."""
    house.zendesk.close("4211")
    house.flag()
    assert "I could leave no note on ticket 4211: ticket 4211 is closed and takes no more messages" in house.told()[-1]
    assert len(house.github.issues(REPO)) == 1


def test_a_huge_conversation_is_cut_and_filed(house: House) -> None:
    """200 kB of mail: the modal opens, the issue holds the beginning."""
    number = house.zendesk.open_ticket("Long story", "The total is wrong. " * 10_000, "Jo Long", "jo@example.com")
    assert "Long story" in house.look_up(text=number)
    assert house.submit(title=TITLE) == {}
    body = house.issue()["body"]
    assert "The total is wrong." in body
    assert len(body) < 65_536
    house.mend()
    assert house.write_back() == {}
    assert house.replies(number) == ["Hello, it is mended."]


def test_html_mail_is_read_as_text(house: House) -> None:
    """Markup, styles and scripts of a mail are not what the customer said."""
    mail = (
        "<html><head><style>p {color: red}</style></head><body>"
        "<p>The <b>total</b> is wrong.</p><script>steal()</script>"
        '<img src="https://track.example/beacon.gif"><blockquote>Earlier mail</blockquote></body></html>'
    )
    number = house.zendesk.open_ticket("HTML", mail, "Jo Long", "jo@example.com", html=True)
    modal = house.look_up(text=number)
    assert "The total is wrong." in modal
    house.submit(title=TITLE)
    for seen in (modal, house.issue()["body"]):
        assert not [trace for trace in ("color: red", "steal()", "<b>", "beacon") if trace in seen]


# --- the title


@pytest.mark.parametrize(
    ("title", "sentence"),
    [
        ("   ", "Say in one line what goes wrong."),
        ("long " * 60, "This title has 299 characters; 150 fit. Put the rest into “What goes wrong”."),
    ],
)
def test_a_title_is_one_line_that_people_can_read(house: House, title: str, sentence: str) -> None:
    """The sentence stands under the title, and the form stays open with what was typed."""
    house.look_up()
    assert house.submit(title=title, summary="Every Monday.") == {"title": sentence}
    assert house.submit(title=TITLE) == {}
    assert house.issue()["body"].startswith("Every Monday.")


@pytest.mark.parametrize(
    "title", ['The "total" isn\'t <right> & it’s late', "🧾 TVA à 20 % 🇧🇪", "المجموع خاطئ في الفاتورة"]
)
def test_a_title_keeps_its_letters(house: House, title: str) -> None:
    """Quotes, emoji and right-to-left text arrive as they were written, in the tracker and in Slack."""
    house.look_up()
    assert house.submit(title=title) == {}
    assert house.issue()["title"] == title
    assert house.slack.messages("C0SUPPORTDEV")[-1]["blocks"][0]["text"]["text"] == title


# --- twice


def test_one_agent_flags_the_same_ticket_twice(house: House) -> None:
    """Nothing is filed twice, and the agent hears that it stands already."""
    house.flag()
    assert house.look_up() is not None
    assert house.submit() == {}
    assert "You already carried ticket 4211 to acme/shop#1. Nothing was filed twice." in house.told()[-1]
    assert len(house.github.issues(REPO)) == 1


def test_submitting_the_same_form_twice_files_once(house: House) -> None:
    """Slack may show a form a little longer than it should."""
    house.look_up()
    view = house.slack.views("U0ANA")[-1]
    values = {"title": TITLE}
    with house.slack.workspace.change():
        kept = house.slack.workspace.stacks["U0ANA"][-1]
    assert house.slack.submit(view["id"], values).ok
    house.slack.workspace.stacks["U0ANA"] = [kept]
    assert house.slack.submit(view["id"], values).ok
    house.settle()
    assert len(house.github.issues(REPO)) == 1
    assert len(house.told()) == 1


def test_two_agents_flag_the_same_ticket_at_the_same_moment(house: House) -> None:
    """Both forms were filled before either was submitted: one issue, one owner, one follower, both told."""
    people = ("U0ANA", "U0BEN")
    for person in people:
        house.look_up(person)
    views = {person: house.slack.views(person)[-1]["id"] for person in people}
    threads = [
        threading.Thread(target=house.slack.submit, args=(views[person], {"title": TITLE}), daemon=True)
        for person in people
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    house.settle()

    assert len(house.github.issues(REPO)) == 1
    told = [house.told(person) for person in people]
    assert sorted("You follow it and hear the news" in "".join(one) for one in told) == [False, True]
    assert sorted("You still write back." in "".join(one) for one in told) == [False, True]


# --- the tracker


def unreadable(house: House) -> None:
    house.github.set_permission(REPO, "passerelle-bot", None)


def readable(house: House) -> None:
    house.github.set_permission(REPO, "passerelle-bot", "push")


BROKEN: list[tuple[str, Callable[[House], None], Callable[[House], None]]] = [
    ("acme/shop is not to be seen in the tracker any more", unreadable, readable),
    (
        "The tracker refuses: Issues are disabled for this repo.",
        lambda h: h.github.set_issues_enabled(REPO, False),
        lambda h: h.github.set_issues_enabled(REPO, True),
    ),
    (
        "The tracker refuses: Repository was archived so is read-only.",
        lambda h: h.github.set_archived(REPO, True),
        lambda h: h.github.set_archived(REPO, False),
    ),
]


@pytest.mark.parametrize(("what", "breaks", "mends"), BROKEN, ids=["unseen", "issues off", "archived"])
def test_a_repository_that_takes_no_issue(
    house: House, what: str, breaks: Callable[[House], None], mends: Callable[[House], None]
) -> None:
    """The agent and the lead hear why and what helps; once it is mended, one `outbox retry` files the issue."""
    breaks(house)
    house.flag()
    (told,) = house.told()
    assert "No issue yet for ticket 4211: " in told
    assert what in told
    assert "Nothing is lost. Whoever operates Passerelle can mend the cause and run `passerelle outbox retry " in told
    assert house.told("U0MAYA") == house.told()
    assert what in house.card()

    mends(house)
    house.retry_dead_letters()
    assert "Filed as acme/shop#1 for ticket 4211." in house.told()[-1]
    assert "Waits for somebody to take it." in house.card()
    assert what not in house.card()
    assert len(house.github.issues(REPO)) == 1
    assert len(house.slack.messages("C0SUPPORTDEV")) == 1


def test_a_wrong_token_is_waited_for(house: House) -> None:
    """A token that is being renewed needs no retry by hand: the agent hears after a while, then it is filed."""
    (token,) = house.github.tokens
    account = house.github.tokens.pop(token)
    house.flag()
    for _ in range(3):
        house.pass_time(minutes=2)
    (told,) = house.told()
    assert "Nothing is lost, and nothing is asked of you: I keep trying and tell you when it is filed." in told
    assert "token" in told

    house.github.tokens[token] = account
    house.pass_time(minutes=20)
    assert "Filed as acme/shop#1" in house.told()[-1]
    assert "token" not in house.card()


# --- Slack


def test_a_modal_closed_meanwhile_is_left_alone(house: House) -> None:
    """Who closed the form while it was filled does not want it; nothing breaks, and the next one works."""
    house.zendesk.wire.faults.append(Fault("late", path="/tickets/4211", seconds=0.3))
    house.slack.command("U0ANA", "4211", "C0SUPPORT")
    house.slack.close_view(house.slack.views("U0ANA")[-1]["id"])
    house.bot.listeners.settle()
    assert house.slack.views("U0ANA") == []
    house.flag()
    assert len(house.github.issues(REPO)) == 1


def test_a_trigger_that_expired_is_told(house: House) -> None:
    """A command that reached us too late opens nothing; the person reads so and types it again."""
    house.slack.wire.faults.append(
        Fault("refuse", path="views.open", status=200, body={"ok": False, "error": "expired_trigger_id"})
    )
    assert house.slack.command("U0ANA", "4211", "C0SUPPORT").ok
    assert "The form could not be opened. Nothing was filed; try again." in house.slack.ephemerals("U0ANA")[-1]["text"]
    assert house.slack.views("U0ANA") == []
    house.flag()


def test_a_modal_that_could_not_be_filled_files_nothing(house: House) -> None:
    """`views.update` is never repeated; the person closes the form and flags again."""
    house.slack.wire.faults.append(Fault("refuse", path="views.update", status=500))
    house.slack.command("U0ANA", "4211", "C0SUPPORT")
    assert "Looking up ticket 4211 in Zendesk…" in house.modal()
    assert len(house.slack.wire.calls_to("POST", "/api/views.update")) == 1
    house.flag()
    assert len(house.github.issues(REPO)) == 1


def test_an_old_form_says_so(house: House) -> None:
    """A form that stood open for weeks is not filed from what the helpdesk said then."""
    house.look_up()
    house.clock.advance(timedelta(days=9))
    house.bot.schedule.tick_forget()
    assert house.submit(title=TITLE) == {
        "title": "This form is too old. Close it and flag the ticket again; nothing was filed."
    }


# --- configurations


def no_helpdesk(config: dict[str, Any]) -> None:
    config["helpdesks"] = {}


def test_without_a_helpdesk_the_customers_words_are_pasted(make_house: Callable[..., House]) -> None:
    """An address of the ticket is kept as its link; the write-back is the agent's own way."""
    house = make_house(no_helpdesk)
    house.look_up(text="https://mail.example/t/77 VAT is wrong")
    assert house.submit(words="The invoice says 20 %.", customer="Jo Long") == {}
    assert "> The invoice says 20 %." in house.issue()["body"]
    assert "https://mail.example/t/77" in house.issue()["body"]

    house.mend()
    house.press("U0ANA", "write_back")
    assert house.modal() == "This ticket has no helpdesk here. Write to the customer, then press “Already written”."
    house.press("U0ANA", "mark_written")
    assert "✓ Written." in house.told()[-1]


def test_without_a_helpdesk_the_ticket_may_be_named_in_the_form(make_house: Callable[..., House]) -> None:
    """The shortcut opens the form at once; a link typed there is kept, and nothing is looked up."""
    house = make_house(no_helpdesk)
    house.slack.shortcut("U0ANA", "flag")
    house.modal()
    values = {"ticket": "https://mail.example/t/77", "title": TITLE, "words": "The invoice says 20 %."}
    assert house.submit(**values) == {}
    assert "https://mail.example/t/77" in house.issue()["body"]


def two_projects(config: dict[str, Any]) -> None:
    shop = config["projects"][0]
    config["projects"].append({**shop, "key": "app", "name": "App", "repository": "acme/app", "channel": "C0SUPPORT"})


def test_with_several_projects_the_agent_chooses(make_house: Callable[..., House]) -> None:
    """The issue goes to the chosen repository, its card to that project's channel."""
    house = make_house(two_projects)
    house.github.add_repo("acme/app", private=False, collaborators=["leo-dev"])
    modal = house.look_up()
    assert (
        "Public repository: App. There, only your title, your summary and the ticket's link will be carried." in modal
    )
    assert house.submit(title=TITLE, project="app") == {}
    assert house.github.issue("acme/app", 1)["title"] == TITLE
    assert "Camille" not in house.github.issue("acme/app", 1)["body"]
    assert "acme/app#1" in said(house.slack.messages("C0SUPPORT")[-1])
    assert house.github.issues(REPO) == []


def test_a_sentence_instead_of_a_ticket_becomes_the_title(house: House) -> None:
    """`/bug login fails` names no ticket: it is asked for, and the words are kept as the title."""
    modal = house.look_up("U0ANA", "login fails for everyone")
    assert "Its number or its address" in str(house.slack.views("U0ANA")[-1]["blocks"])
    assert "no such ticket" not in modal
    assert house.submit("U0ANA", ticket="4211") == {}
    house.modal()
    assert house.submit("U0ANA") == {}
    assert house.issue()["title"] == "login fails for everyone"


def test_ones_own_ticket_again_says_so(house: House) -> None:
    """Who flags a ticket twice reads that it is carried already, and by whom they will hear."""
    house.flag()
    assert "You carried this ticket to acme/shop#1 already" in house.look_up()


def test_a_nul_in_a_ticket_is_carried(house: House) -> None:
    """What JSON can hold and a database cannot does not keep the rest from its way."""
    number = house.zendesk.open_ticket("A nul \0 here", "It fails \0.", "Pat", "pat@example.com")
    house.flag("U0ANA", str(number))
    assert "It fails" in house.issue()["body"]
    assert "A nul \ufffd here" in house.issue()["body"]
