"""The loop, as its people live it: flag, issue, shipped, told, written back."""

from __future__ import annotations

from tests.conftest import REPO, House, shown


def test_a_ticket_is_flagged_fixed_shipped_and_written_back(house: House) -> None:
    """From `/bug 4211` to the customer's mailbox, nothing is retold and nobody is forgotten."""
    house.flag()
    issue = house.issue()
    assert issue["title"] == "VAT is wrong on invoices"
    assert "filed" in shown(house.slack.dm("U0ANA")[-1]).lower()
    assert "acme/shop#1" in shown(house.slack.messages("C0SUPPORTDEV")[-1])

    house.mend(release="")
    assert len(house.slack.dm("U0ANA")) == 1
    house.github.publish_release(REPO, "v2.5.0")
    house.poll()

    told = house.slack.dm("U0ANA")[-1]
    assert "v2.5.0" in shown(told)
    assert house.slack.press("U0ANA", house.slack.dm_channel("U0ANA"), told["ts"], "write_back").ok
    view = house.slack.views("U0ANA")[-1]
    assert house.slack.submit(view["id"], {"reply": "Hello, it is mended."}).ok
    house.settle()

    assert [one["body"] for one in house.zendesk.replies("4211")] == ["Hello, it is mended."]
    assert len(house.slack.dm("U0ANA")) == 2
