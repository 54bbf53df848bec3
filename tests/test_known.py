"""What a ticket may be the same as: shown while the modal is open, also what others filed; one click attaches."""

from __future__ import annotations

from typing import Any

from bot.slack.views.likely import shown
from integrations.sandbox.gitlab import GitLabStandIn
from integrations.sandbox.wire import Fault
from tests.conftest import REPO, House

VOUCHER = "TypeError: voucher is undefined at checkout.js:88 when a voucher is used twice"


def mirror(house: House) -> None:
    """The next look at what the trackers have."""
    house.pass_time(minutes=5)
    house.bot.schedule.tick_mirror()
    house.settle()


def offered(house: House, person: str = "U0BEN") -> list[str]:
    """The titles that the open modal offers, best first."""
    view = house.slack.views(person)[-1]
    rows = [one for one in view["blocks"] if str(one.get("block_id", "")).startswith("likely")][1:]
    return [str(one) for one in rows]


def attach(house: House, person: str = "U0BEN", index: int = 0) -> None:
    """One click on what is offered."""
    view = house.slack.views(person)[-1]
    assert house.slack.press_in_view(view["id"], "attach", index=index).ok
    house.settle()


def test_a_likely_duplicate_stands_in_the_modal(house: House) -> None:
    """By the customer's own words, before anything is typed; it says how many wait."""
    house.flag()
    modal = house.look_up("U0BEN", "4212")
    assert "Known already?" in modal
    assert "VAT is wrong on invoices" in modal
    assert "Filed; 1 customer waits." in modal


def test_one_click_attaches(house: House) -> None:
    """Nothing new is filed, and the news comes to both."""
    house.flag()
    house.look_up("U0BEN", "4212")
    attach(house)
    assert "Attached. You hear the news, and nothing new was filed." in house.modal("U0BEN")
    assert len(house.github.issues(REPO)) == 1
    assert "2 customers wait" in house.card()
    house.mend()
    assert "Fixed in v2.5.0" in house.told("U0BEN")[-1]


def test_what_shipped_lately_is_offered_with_its_version(house: House) -> None:
    """The customer may only need the new version."""
    house.flag()
    house.mend()
    assert "Fixed in v2.5.0. Is the customer on it?" in house.look_up("U0BEN", "4212")


def test_what_others_filed_is_found(house: House) -> None:
    """Also an issue that nobody flagged: attaching makes it ours, with everything that follows."""
    house.github.open_issue(REPO, "leo-dev", "VAT is rounded twice on invoices to Denmark", "The VAT line is wrong.")
    house.github.open_issue(REPO, "leo-dev", "Upgrade the linter", "It is old.")
    mirror(house)
    modal = house.look_up("U0BEN", "4212")
    assert "VAT is rounded twice on invoices to Denmark" in modal
    assert "Open in the tracker; no customer waits for it yet." in modal
    attach(house)
    assert len(house.github.issues(REPO)) == 2
    assert "acme/shop#1" in house.card()
    assert "1 customer waits" in house.card()
    assert "Attached" in house.told("U0BEN")[-1]
    house.mend(1)
    assert "Fixed in v2.5.0" in house.told("U0BEN")[-1]


def test_what_others_fixed_long_ago_is_told_at_once(house: House) -> None:
    """Attaching to a closed issue: its proof is looked for, and the agent hears where it is out."""
    house.github.open_issue(REPO, "leo-dev", "VAT is rounded twice on invoices to Denmark", "The VAT line is wrong.")
    pull = house.github.open_pull(REPO, "leo-dev", "Round VAT per line", "Fixes #1")
    house.github.merge_pull(REPO, pull, "leo-dev")
    house.poll()
    house.github.publish_release(REPO, "v2.5.0")
    mirror(house)
    house.look_up("U0BEN", "4212")
    attach(house)
    house.poll()
    assert "Fixed in v2.5.0" in house.told("U0BEN")[-1]


def test_two_who_attach_to_the_same_share_it(house: House) -> None:
    """The second finds it as ours."""
    house.github.open_issue(REPO, "leo-dev", "VAT is rounded twice on invoices", "The VAT line is wrong.")
    mirror(house)
    house.look_up("U0ANA", "4211 VAT rounded twice")
    house.look_up("U0BEN", "4212")
    attach(house, "U0ANA")
    attach(house, "U0BEN")
    assert len(house.cards()) == 1
    assert "2 customers wait" in house.card()


def test_suggestions_follow_what_is_typed(house: House) -> None:
    """The title says more than the ticket; what was typed stays."""
    house.github.open_issue(REPO, "leo-dev", "Vouchers fail", VOUCHER)
    mirror(house)
    house.look_up("U0BEN", "4212")
    view = house.slack.views("U0BEN")[-1]
    house.slack.type(view["id"], "title", "TypeError: voucher is undefined")
    house.bot.listeners.settle()
    after = house.slack.views("U0BEN")[-1]
    assert "Vouchers fail" in offered(house)[0]
    assert house.slack.view(after["id"])["state"]["values"]["title"]["title"]["value"] == (
        "TypeError: voucher is undefined"
    )


def test_the_select_finds_what_others_filed(house: House) -> None:
    """Typing in "Known already" looks through the tracker's issues, too."""
    house.flag()
    house.github.open_issue(REPO, "leo-dev", "Vouchers fail", VOUCHER)
    mirror(house)
    house.look_up("U0BEN", "4212")
    view = house.slack.views("U0BEN")[-1]
    options = house.slack.suggest(view["id"], "similar", "voucher")
    assert [one["text"]["text"] for one in options] == ["#2 Vouchers fail"]
    assert house.submit("U0BEN", similar=options[0]["value"]) == {}
    assert "acme/shop#2" in str(house.cards()[-1])


def test_mirroring_asks_for_what_changed_alone(house: House) -> None:
    """One list each time; a closed issue is known to be closed."""
    for number in range(3):
        house.github.open_issue(REPO, "leo-dev", f"Vouchers fail {number}", VOUCHER)
    mirror(house)
    house.github.close_issue(REPO, 2, "leo-dev")
    before = len(house.github.wire.calls)
    mirror(house)
    lists = [one for one in house.github.wire.calls[before:] if "since=" in one.query and "sort=updated" in one.query]
    assert len([one for one in lists if "direction=asc" in one.query]) == 1
    house.slack.command("U0BEN", "4212 vouchers fail", "C0SUPPORT")
    assert "Closed in the tracker." in house.modal("U0BEN")


def test_a_tracker_that_is_away_is_asked_again(house: House) -> None:
    """Nothing is missed by an outage."""
    house.github.open_issue(REPO, "leo-dev", "Vouchers fail", VOUCHER)
    house.github.wire.faults.append(Fault("refuse", "GET", r"/issues$", status=503, times=2))
    mirror(house)
    house.pass_time(minutes=10)
    house.slack.command("U0BEN", "4212 vouchers fail", "C0SUPPORT")
    assert "Vouchers fail" in house.modal("U0BEN")


def test_confidential_issues_of_others_are_no_ones_business(make_house: Any) -> None:
    """On GitLab: members' secrets do not show up in support's Slack."""
    house: House = make_house(gitlab=True)
    hub: GitLabStandIn = house.gitlab
    hub.open_issue("acme/shop-app", "leo-dev", "Vouchers leak", VOUCHER, confidential=True)
    hub.open_issue("acme/shop-app", "leo-dev", "Vouchers fail", VOUCHER)
    mirror(house)
    house.slack.command("U0BEN", "4212 vouchers", "C0SUPPORT")
    modal = house.modal("U0BEN")
    assert "Vouchers fail" in modal
    assert "Vouchers leak" not in modal
    assert shown(house.slack.views("U0BEN")[-1])[0].startswith("known:app:")
