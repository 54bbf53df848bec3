"""What each kind of effect does when it is not known whether its call took effect."""

from __future__ import annotations

import json

from integrations.sandbox.wire import Fault
from tests.conftest import REPO, House, shown

PERHAPS = "may or may not have gone out"


def tell_ana(house: House) -> None:
    """A ticket of Ana's is flagged, fixed and shipped, and she has heard it."""
    house.flag()
    house.mend()


def write_back(house: House, text: str = "Hello, it is mended.") -> None:
    told = next(one for one in reversed(house.slack.dm("U0ANA")) if '"write_back"' in json.dumps(one))
    assert house.slack.press("U0ANA", house.slack.dm_channel("U0ANA"), told["ts"], "write_back").ok
    assert house.slack.submit(house.slack.views("U0ANA")[-1]["id"], {"reply": text}).ok
    house.settle()


def test_a_reply_that_nobody_can_look_for_is_uncertain_not_refused(house: House) -> None:
    """The line was cut and the ticket is hidden since: the customer may have the reply, and the agent hears so."""
    tell_ana(house)
    house.zendesk.wire.faults.append(Fault("drop_after", "PUT", r"/tickets/4211\.json"))
    house.zendesk.wire.faults.append(Fault("refuse", "GET", r"/tickets/4211/audits", status=404, times=None))
    write_back(house)
    house.pass_time(minutes=5)
    assert PERHAPS in shown(house.slack.dm("U0ANA")[-1])
    assert len(house.zendesk.replies("4211")) == 1


def test_a_reply_is_never_repeated_on_doubt(house: House) -> None:
    """The helpdesk failed before or after its work: found, it is written; not found, the agent is asked."""
    tell_ana(house)
    house.zendesk.wire.faults.append(Fault("refuse", "PUT", r"/tickets/4211\.json", status=502))
    write_back(house)
    house.pass_time(minutes=5)
    assert PERHAPS in shown(house.slack.dm("U0ANA")[-1])
    assert len(house.zendesk.wire.calls_to("PUT", r"/api/v2/tickets/4211\.json")) == 2  # the note, and one try

    house.zendesk.wire.faults.append(Fault("error_after", "PUT", r"/tickets/4211\.json", status=502))
    write_back(house, "Hello again, it is mended.")
    house.pass_time(minutes=5)
    assert [one["body"] for one in house.zendesk.replies("4211")] == ["Hello again, it is mended."]


def test_a_declines_reason_is_commented_once_though_closing_is_refused(house: House) -> None:
    """The comment is there, the closing meets a rate limit: only the closing is done again."""
    house.flag()
    house.github.wire.faults.append(Fault("refuse", "PATCH", rf"/repos/{REPO}/issues/1$", status=429, times=2))
    card = house.slack.messages("C0SUPPORTDEV")[-1]
    assert house.slack.press("U0LEO", "C0SUPPORTDEV", card["ts"], "decline").ok
    assert house.slack.submit(house.slack.views("U0LEO")[-1]["id"], {"reason": "The law asks for it."}).ok
    house.settle()
    for _ in range(3):
        house.pass_time(minutes=5)
    issue = house.issue()
    assert (issue["state"], issue["state_reason"]) == ("closed", "not_planned")
    assert sum("The law asks for it." in one["body"] for one in issue["comments"]) == 1


def test_the_card_and_the_table_stand_once_though_their_first_call_fails_after_the_work(house: House) -> None:
    """Found by their marks, they are edited from then on."""
    house.slack.wire.faults.append(Fault("error_after", "POST", "chat.postMessage", status=503, times=2))
    house.github.wire.faults.append(Fault("drop_after", "POST", r"/issues/1/comments"))
    house.slack.wire.faults.append(Fault("refuse", "POST", "conversations.history", status=503, times=2))
    house.flag()
    house.pass_time(minutes=5)
    house.pass_time(minutes=5)
    assert len(house.slack.messages("C0SUPPORTDEV")) == 1
    assert len(house.slack.dm("U0ANA")) == 1
    assert sum("passerelle:customers:" in one["body"] for one in house.issue()["comments"]) == 1
