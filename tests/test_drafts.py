"""Drafts: what somebody typed into the form survives it, for a day."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import REPO, House, said

CHOICE = "You had begun to write about ticket 4211: “VAT stays French”."


def begin(house: House, *, with_values: bool = True, **typed: str) -> None:
    """Open the form for ticket 4211, type, and close it. Slack does not say whether what was typed then comes along."""
    house.look_up()
    view = house.slack.views("U0ANA")[-1]
    for name, words in (typed or {"title": "VAT stays French", "summary": "In the cart."}).items():
        assert house.slack.type(view["id"], name, words).ok
    assert house.slack.close_view(view["id"], with_values=with_values).ok


def initial(house: House, person: str = "U0ANA") -> dict[str, Any]:
    """What stands in the inputs of the form that this person has open."""
    house.bot.listeners.settle()
    blocks = house.slack.views(person)[-1]["blocks"]
    return {b["block_id"]: b["element"].get("initial_value", "") for b in blocks if b["type"] == "input"}


@pytest.mark.parametrize("with_values", [True, False])
def test_the_same_ticket_opens_with_what_was_typed(house: House, with_values: bool) -> None:
    """The form was closed by accident: nothing is lost, and nothing was filed."""
    begin(house, with_values=with_values)
    assert house.github.issues(REPO) == []
    house.look_up()
    assert initial(house)["title"] == "VAT stays French"
    assert initial(house)["summary"] == "In the cart."
    assert house.submit() == {}
    assert house.issue()["title"] == "VAT stays French"


def test_a_form_that_was_never_closed_survives_too(house: House) -> None:
    """The laptop died: what was typed until then is there."""
    house.look_up()
    house.slack.type(house.slack.views("U0ANA")[-1]["id"], "title", "VAT stays French")
    house.look_up()
    assert initial(house)["title"] == "VAT stays French"


def test_choices_survive_with_the_words(house: House) -> None:
    """A severity that was chosen is not chosen again."""
    house.look_up()
    view = house.slack.views("U0ANA")[-1]
    assert house.slack.submit(view["id"], {"severity": "high", "kind": "tooling"}).body["response_action"] == "errors"
    house.slack.close_view(view["id"])
    house.look_up()
    assert house.submit(title="VAT is wrong") == {}
    assert "Support tooling · High" in house.card()


def test_the_command_alone_offers_to_go_on(house: House) -> None:
    """`/bug` asks for a ticket, and says what was begun; one press opens it."""
    begin(house)
    house.slack.command("U0ANA", "", "C0SUPPORT")
    assert CHOICE in house.modal()
    assert house.slack.press_in_view(house.slack.views("U0ANA")[-1]["id"], "go_on").ok
    assert "Papeterie Nord" in house.modal()
    assert initial(house)["title"] == "VAT stays French"
    assert house.submit() == {}
    assert len(house.notes("4211")) == 1


def test_another_ticket_is_another_matter(house: House) -> None:
    """What was begun about 4211 is not put into a form for 4212."""
    begin(house)
    house.look_up(text="4212")
    assert initial(house) == {"title": "", "summary": "", "kind": "", "severity": ""}


def test_a_form_in_which_nothing_was_typed_leaves_nothing(house: House) -> None:
    """Looking is not writing: nobody is reminded of it."""
    house.look_up(text="4211 VAT is wrong")
    house.slack.close_view(house.slack.views("U0ANA")[-1]["id"])
    house.slack.command("U0ANA", "", "C0SUPPORT")
    assert "You had begun" not in house.modal()


def test_what_was_emptied_stays_empty(house: House) -> None:
    """Taking words out is typing too."""
    begin(house)
    begin(house, summary="")
    house.look_up()
    assert initial(house)["title"] == "VAT stays French"
    assert initial(house)["summary"] == ""


def test_what_was_filed_is_not_offered_again(house: House) -> None:
    """Nor what else was begun about that ticket."""
    begin(house)
    house.flag(title="VAT is wrong")
    house.slack.command("U0ANA", "", "C0SUPPORT")
    assert "You had begun" not in house.modal()


def test_it_is_nobody_elses(house: House) -> None:
    """Ben does not read what Ana began."""
    begin(house)
    house.look_up("U0BEN")
    assert initial(house, "U0BEN")["title"] == ""
    house.slack.command("U0BEN", "", "C0SUPPORT")
    assert "You had begun" not in house.modal("U0BEN")


def test_a_day_later_it_is_gone(house: House) -> None:
    """The ticket has gone on meanwhile, and so has the agent."""
    begin(house)
    house.pass_time(hours=25)
    house.slack.command("U0ANA", "", "C0SUPPORT")
    assert "You had begun" not in house.modal()


def test_a_flagged_message_keeps_what_was_made_of_it(house: House) -> None:
    """The words of the thread that were edited in the form are not fetched over again; its files still go along."""
    ts = house.slack.say("U0BEN", "C0SUPPORT", f"{house.zendesk.url}/agent/tickets/4211", files=("cart.png",))
    house.slack.message_shortcut("U0ANA", "C0SUPPORT", ts, "flag_message")
    house.bot.listeners.settle()
    view = house.slack.views("U0ANA")[-1]
    house.slack.type(view["id"], "summary", "Only in Belgium.")
    house.slack.close_view(view["id"])
    assert "cart.png" in house.look_up()
    assert initial(house)["summary"] == "Only in Belgium."
    house.submit(title="VAT is wrong")
    assert house.issue()["body"].startswith("Only in Belgium.\n")
    assert "[cart.png](" in house.issue()["body"]


def test_files_do_not_come_back_where_everybody_can_read(house: House) -> None:
    """The repository was made public since the form was closed: its files are not spoken of any more."""
    ts = house.slack.say("U0BEN", "C0SUPPORT", f"{house.zendesk.url}/agent/tickets/4211", files=("cart.png",))
    house.slack.message_shortcut("U0ANA", "C0SUPPORT", ts, "flag_message")
    assert "cart.png" in house.modal()
    view = house.slack.views("U0ANA")[-1]
    house.slack.type(view["id"], "summary", "Only in Belgium.")
    house.slack.close_view(view["id"])
    house.github.set_visibility(REPO, private=False)
    assert "cart.png" not in house.look_up()


def test_without_a_helpdesk_the_form_opens_as_it_was_left(make_house: Any) -> None:
    """There is no ticket to name: what was written last is there."""
    house = make_house(lambda config: config.pop("helpdesks"))
    house.slack.command("U0ANA", "", "C0SUPPORT")
    house.bot.listeners.settle()
    view = house.slack.views("U0ANA")[-1]
    house.slack.type(view["id"], "words", "The total is wrong.")
    house.slack.close_view(view["id"], with_values=False)
    house.slack.command("U0ANA", "", "C0SUPPORT")
    assert initial(house)["words"] == "The total is wrong."
    assert "You had begun" not in said(house.slack.views("U0ANA")[-1])
