"""Triage: what the Support Dev decides about an issue, from Slack or from the tracker, and who hears of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.conftest import REPO, House

MINUTE = timedelta(minutes=1)


def comment(house: House, text: str, by: str = "leo-dev", number: int = 1) -> int:
    """Somebody comments in the issue, and the bot hears of it."""
    house.clock.advance(MINUTE)
    written = house.github.comment(REPO, number, by, text)
    house.poll()
    return written


def bot_comments(house: House, number: int = 1) -> list[str]:
    """What the bot wrote in the issue, but for the customers' table."""
    comments = [one["body"] for one in house.issue(number)["comments"] if one["user"]["login"] == "passerelle-bot"]
    return [text for text in comments if "customers:" not in text]


# --- acknowledging


def test_the_button_says_that_somebody_took_it(house: House) -> None:
    """One press on the card; it says so, the agent's status does too, and nobody is disturbed."""
    house.flag()
    house.press("U0LEO", "acknowledge", "C0SUPPORTDEV")
    assert "In hand" in house.card()
    assert "Waits for a fix." in house.card()
    assert "acknowledge" not in str(house.slack.messages("C0SUPPORTDEV")[-1]["blocks"])
    assert len(house.told()) == 1


def test_a_support_devs_comment_says_it_too(house: House) -> None:
    """Who answers in the issue has seen it."""
    house.flag()
    comment(house, "I can reproduce this.")
    assert "In hand" in house.card()


def test_somebody_elses_comment_does_not(house: House) -> None:
    """A colleague's remark is no promise."""
    house.flag()
    comment(house, "Oh no.", by="somebody")
    assert "Waits for somebody to take it." in house.card()


# --- declining


def test_declining_from_slack_carries_the_reason_to_issue_and_agent(house: House) -> None:
    """The reason is asked for, stands in the issue, and is what the agent passes on."""
    house.flag()
    house.press("U0LEO", "decline", "C0SUPPORTDEV")
    assert "1 customer waits. Their agent will read this reason and write back." in house.modal("U0LEO")
    assert house.submit("U0LEO", reason="Belgium gets its own shop in May.") == {}

    issue = house.issue()
    assert (issue["state"], issue["state_reason"]) == ("closed", "not_planned")
    (said_there,) = bot_comments(house)
    assert "> Belgium gets its own shop in May." in said_there
    told = house.told()[-1]
    assert "Declined: VAT is wrong on invoices" in told
    assert "Belgium gets its own shop in May." in told
    assert "Camille Roux" in told
    assert "Declined" in house.card()
    assert house.write_back(reply="Bonjour Camille, pas avant mai.") == {}
    assert house.replies() == ["Bonjour Camille, pas avant mai."]


def test_a_command_in_the_issue_declines_it(house: House) -> None:
    """From the tracker with the same result; the bot repeats nothing there and closes the issue."""
    house.flag()
    comment(house, "Thanks for the report.\n\n/decline Belgium gets its own shop in May.\nUntil then, reload the page.")
    assert house.issue()["state_reason"] == "not_planned"
    assert "Belgium gets its own shop in May.\nUntil then, reload the page." in house.told()[-1]
    assert bot_comments(house) == []
    assert len(house.told()) == 2


def test_the_bots_name_is_as_good_as_a_slash(house: House) -> None:
    """`@passerelle-bot decline` means the same: a leading slash is another tracker's own."""
    house.flag()
    comment(house, "@passerelle-bot decline Not before May.")
    assert "Not before May." in house.told()[-1]


def test_a_decline_without_a_reason_is_answered_with_the_next_step(house: House) -> None:
    """Agents cannot pass on what nobody said."""
    house.flag()
    comment(house, "/decline")
    assert "Write the reason after `/decline`, so that agents can pass it on." in bot_comments(house)[-1]
    assert house.issue()["state"] == "open"
    assert len(house.told()) == 1


def test_declining_what_is_settled_says_so(house: House) -> None:
    """Two Support Devs, one modal each: the second one reads that it is settled."""
    house.flag()
    house.press("U0LEO", "decline", "C0SUPPORTDEV")
    house.press("U0MAYA", "decline", "C0SUPPORTDEV")
    assert house.submit("U0LEO", reason="Not before May.") == {}
    assert house.submit("U0MAYA", reason="Never.") == {
        "reason": "This issue is settled already, so it cannot be declined."
    }
    assert len(house.told()) == 2


# --- closed, and something is missing


def test_closed_as_not_planned_without_a_reason_asks_for_it_once(house: House) -> None:
    """The agent hears nothing until there is something to pass on."""
    house.flag()
    house.github.close_issue(REPO, 1, "leo-dev", "not_planned")
    house.poll()
    house.github.label(REPO, 1, "leo-dev", ["wontfix"])
    house.poll()
    (asked,) = house.told("U0LEO")
    assert "acme/shop#1 was closed as not planned, without a reason." in asked
    assert "1 customer waits to hear why." in asked
    assert len(house.told()) == 1

    house.press("U0LEO", "decline")
    assert house.submit("U0LEO", reason="Belgium gets its own shop in May.") == {}
    assert "Belgium gets its own shop in May." in house.told()[-1]
    assert len(house.told()) == 2


def test_the_reason_may_follow_in_the_issue(house: House) -> None:
    """Answered where it was closed, and the question is settled."""
    house.flag()
    house.github.close_issue(REPO, 1, "leo-dev", "not_planned")
    house.poll()
    comment(house, "/decline Not before May.")
    assert "Not before May." in house.told()[-1]
    assert len(house.told("U0LEO")) == 1


def test_closed_as_completed_without_a_fix_asks_for_the_commit(house: House) -> None:
    """Without a commit there is nothing to look for in a release; `/fixed-by` names it."""
    house.flag()
    sha = house.github.commit(REPO, "main", "Round VAT per line", "leo-dev")
    house.github.close_issue(REPO, 1, "leo-dev", "completed")
    house.poll()
    (asked,) = house.told("U0LEO")
    assert "acme/shop#1 was closed as completed, but no commit is known that fixed it." in asked

    comment(house, f"/fixed-by {sha[:8]}")
    assert "Fixed, not shipped yet" in house.card()
    house.github.publish_release(REPO, "v2.5.0")
    house.poll()
    assert "Fixed in v2.5.0" in house.told()[-1]


@pytest.mark.parametrize("named", ["#2", "2", "{url}"])
def test_a_fix_is_named_by_its_pull_request(house: House, named: str) -> None:
    """However a Support Dev writes it; the issue need not be closed."""
    house.flag()
    pull = house.github.open_pull(REPO, "leo-dev", "Round VAT per line")
    house.github.merge_pull(REPO, pull, "leo-dev")
    comment(house, "/fixed-by " + named.format(url=f"{house.github.url}/{REPO}/pull/{pull}"))
    assert f"merged in #{pull}" in house.card()


@pytest.mark.parametrize("named", ["", "deadbeef", "#1", "nonsense"])
def test_a_fix_that_cannot_be_found_is_answered(house: House, named: str) -> None:
    """The answer stands where it was asked, with an example."""
    house.flag()
    comment(house, f"/fixed-by {named}")
    assert "Write a commit, or a pull or merge request that is merged, after `/fixed-by`" in bot_comments(house)[-1]
    assert "In hand" in house.card()


# --- opened again


def test_opened_again_holds_what_was_not_written_yet(house: House) -> None:
    """The fix did not hold: no customer is told any more that it did, and a second fix is news of its own."""
    house.flag()
    house.mend()
    house.github.reopen_issue(REPO, 1, "leo-dev")
    house.poll()
    told = house.told()[-1]
    assert "On hold: the news no longer holds." in told
    assert "'action_id': 'write_back'" not in str(house.slack.dm("U0ANA")[-1]["blocks"])
    assert "In hand" in house.card()

    house.clock.advance(MINUTE)
    house.mend(release="v2.5.1")
    assert "Fixed in v2.5.1" in house.told()[-1]
    assert "'action_id': 'write_back'" in str(house.slack.dm("U0ANA")[-1]["blocks"])
    assert "Taken over by newer news." in house.told()[-2]
    assert house.write_back() == {}
    assert len(house.replies()) == 1


def test_a_reply_cannot_be_sent_for_news_that_no_longer_holds(house: House) -> None:
    """The page stood open while the issue was opened again: the words stay, and are not sent."""
    house.flag()
    house.mend()
    house.press("U0ANA", "write_back")
    house.github.reopen_issue(REPO, 1, "leo-dev")
    house.poll()
    assert house.submit(reply="Bonjour, c’est réparé.") == {
        "reply": "This news no longer holds, so the write-back waits. You will hear when it is due again."
    }
    assert house.replies() == []


# --- what is no command


def test_only_a_support_dev_is_heeded(house: House) -> None:
    """Anybody may comment; nobody else decides, and nobody is scolded."""
    house.flag()
    comment(house, "/decline I do not like it.", by="somebody")
    comment(house, "/decline I do not like it.", by="acme")
    assert house.issue()["state"] == "open"
    assert bot_comments(house) == []
    assert len(house.told()) == 1


@pytest.mark.parametrize(
    "text",
    [
        "> /decline because",
        "```\n/decline because\n```",
        "~~~\n/decline because\n~~~",
        "    /decline because",
        "One could /decline because of that.",
        "`/decline because`",
        "/declined because",
        "/decline-all because",
        "<!--\n/decline because\n-->",
    ],
)
def test_quotes_code_and_mentions_are_no_commands(house: House, text: str) -> None:
    """A command is the first word of a line that somebody wrote to be obeyed."""
    house.flag()
    comment(house, text)
    assert house.issue()["state"] == "open"
    assert len(house.told()) == 1


def test_the_bots_own_words_are_no_commands(make_house: Callable[..., House]) -> None:
    """Even where the bot works with a Support Dev's own account, what it writes is not obeyed."""

    def one_account(config: dict[str, Any]) -> None:
        config["projects"][0]["support_devs"] = [{"slack": "U0LEO", "tracker": "passerelle-bot"}]

    house = make_house(one_account)
    house.flag()
    comment(house, "/decline because", by="passerelle-bot")
    assert house.issue()["state"] == "open"


def test_an_edited_comment_is_not_obeyed_twice(house: House) -> None:
    """Mending a typing error after the decline does not decline again, nor does it after a reopening."""
    house.flag()
    written = comment(house, "/decline Not befor May.")
    house.clock.advance(MINUTE)
    house.github.edit_comment(REPO, written, "leo-dev", "/decline Not before May.")
    house.poll()
    assert len(house.told()) == 2

    house.github.reopen_issue(REPO, 1, "leo-dev")
    house.poll()
    house.clock.advance(MINUTE)
    house.github.edit_comment(REPO, written, "leo-dev", "/decline Not before June.")
    house.poll()
    assert house.issue()["state"] == "open"
    assert len(house.told()) == 2


def test_a_command_edited_into_a_comment_is_obeyed(house: House) -> None:
    """Who forgot the command may add it."""
    house.flag()
    written = comment(house, "Not before May.")
    house.clock.advance(MINUTE)
    house.github.edit_comment(REPO, written, "leo-dev", "/decline Not before May.")
    house.poll()
    assert "Not before May." in house.told()[-1]
