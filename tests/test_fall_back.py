"""What was the end and is none any more, and proofs that do not hold for what is known by then: nobody hears them."""

from __future__ import annotations

from collections.abc import Callable

from integrations.sandbox.wire import Fault
from tests.conftest import REPO, House
from tests.test_shipped import merge, merged, release


def states(house: House) -> list[str]:
    """The states of all write-backs, in the order in which they became due."""
    with house.bot.store.read() as session:
        found = session.connection().exec_driver_sql("select state from write_back order by due_at, rowid")
        return [row[0] for row in found]


def decline_in_slack(house: House, reason: str = "It is meant to be so.") -> None:
    house.press("U0LEO", "decline", "C0SUPPORTDEV")
    assert house.submit("U0LEO", reason=reason) == {}


def test_declining_what_is_fixed_stays_declined(house: House) -> None:
    """A fix was merged, then the Support Dev decided against it: the next release brings no good news."""
    house.flag()
    merge(house)
    decline_in_slack(house)
    house.poll()
    assert "Declined" in house.card()
    release(house, "v2.5.0")
    assert [one for one in house.told() if "Fixed" in one] == []
    assert states(house) == ["due"]


def test_declining_in_the_closed_issue_stays_declined(house: House) -> None:
    """The same, said by a comment."""
    house.flag()
    merge(house)
    house.github.comment(REPO, 1, "leo-dev", "/decline It is meant to be so.")
    house.poll()
    release(house, "v2.5.0")
    assert "Declined" in house.card()
    assert [one for one in house.told() if "Fixed" in one] == []


def test_all_fixes_that_were_named_have_to_ship(house: House) -> None:
    """Two commits in one comment, in one command or in two: the release of the first alone is no proof."""
    house.flag()
    first = house.github.commit(REPO, "main", "Half of it")
    house.github.branch(REPO, "later", "main")
    second = house.github.commit(REPO, "later", "The other half")
    house.github.comment(REPO, 1, "leo-dev", f"/fixed-by {first[:10]}\n/fixed-by {second[:10]}")
    house.poll()
    release(house, "v2.5.0")
    assert len(house.told()) == 1
    release(house, "v2.6.0", target="later")
    assert "Fixed in v2.6.0" in house.told()[-1]


def test_several_fixes_in_one_command(house: House) -> None:
    """One that cannot be had makes all of them none, and the issue says so."""
    house.flag()
    first = house.github.commit(REPO, "main", "Half of it")
    house.github.comment(REPO, 1, "leo-dev", f"/fixed-by {first[:10]} 0123456789abcdef")
    house.poll()
    assert "Fixed, not" not in house.card()
    assert "0123456789abcdef" in house.issue()["comments"][-1]["body"]


def test_reopened_before_the_release_is_not_shipped(house: House) -> None:
    """The release is heard first, the reopening late: the issue itself is asked before anybody is told."""
    house.flag()
    merge(house)
    house.github.reopen_issue(REPO, 1, "leo-dev")
    house.github.wire.faults.append(Fault("refuse", "GET", rf"/repos/{REPO}/issues/1/comments", status=503, times=3))
    release(house, "v2.5.0")
    assert len(house.told()) == 1
    for _ in range(4):
        house.pass_time(minutes=2)
    assert len(house.told()) == 1
    assert "In hand" in house.card()


def test_closed_again_as_not_planned_is_not_fixed(house: House) -> None:
    """Fixed, then reopened and closed for another reason between two looks: the reason is asked for."""
    house.flag()
    merge(house)
    house.github.reopen_issue(REPO, 1, "leo-dev")
    house.github.close_issue(REPO, 1, "leo-dev", "not_planned")
    house.poll()
    release(house, "v2.5.0")
    assert len(house.told()) == 1
    assert "reason" in house.told("U0LEO")[-1]


def test_reopened_by_mistake_is_told_again(house: House) -> None:
    """Shipped, reopened, and said to be fixed by the same pull request: the write-back is due again, once."""
    house.flag()
    pull = merge(house)
    release(house, "v2.5.0")
    house.github.reopen_issue(REPO, 1, "leo-dev")
    house.poll()
    assert states(house) == ["held"]
    house.github.comment(REPO, 1, "leo-dev", f"/fixed-by #{pull}")
    house.poll()
    assert states(house) == ["skipped", "due"]
    assert "Fixed in v2.5.0" in house.told()[-1]
    assert house.write_back() == {}
    assert house.replies() == ["Hello, it is mended."]


def test_a_customer_who_heard_it_does_not_hear_it_twice(house: House) -> None:
    """Written back, then reopened by mistake: the same proof makes no second write-back due."""
    house.flag()
    pull = merge(house)
    release(house, "v2.5.0")
    assert house.write_back() == {}
    house.github.reopen_issue(REPO, 1, "leo-dev")
    house.poll()
    house.github.comment(REPO, 1, "leo-dev", f"/fixed-by #{pull}")
    house.poll()
    assert states(house) == ["written", "skipped"]  # the second: that it was taken back
    assert "Nobody waits any more" in house.card()


def test_newer_news_takes_the_place_of_the_older(house: House) -> None:
    """Declined, then fixed after all: one write-back is due, and who joins later hears the last word alone."""
    house.flag()
    decline_in_slack(house)
    house.poll()
    assert states(house) == ["due"]
    house.github.reopen_issue(REPO, 1, "leo-dev")
    house.poll()
    merge(house)
    release(house, "v2.5.0")
    assert states(house) == ["skipped", "due"]
    house.look_up("U0BEN", "4212")
    known = house.slack.suggest(house.slack.views("U0BEN")[-1]["id"], "similar", "VAT")[0]["value"]
    assert house.submit("U0BEN", title="VAT", similar=known) == {}
    assert [one for one in house.told("U0BEN") if "Declined" in one] == []
    assert states(house) == ["skipped", "due", "due"]


def test_a_reopening_and_a_decline_at_once(house: House) -> None:
    """Both between two looks: it is declined, everybody hears why, and nobody is asked again."""
    house.flag()
    merge(house)
    house.github.reopen_issue(REPO, 1, "leo-dev")
    house.github.comment(REPO, 1, "leo-dev", "/decline We take it out instead.")
    house.poll()
    assert "We take it out instead." in house.told()[-1]
    assert [one for one in house.told("U0LEO") if "in words for customers" not in one] == []
    assert states(house) == ["due"]
    assert house.issue()["state_reason"] == "not_planned"


def test_a_decline_that_comes_too_late_is_answered(house: House) -> None:
    """What has shipped cannot be declined; the issue says what to do."""
    house.flag()
    house.mend()
    house.github.comment(REPO, 1, "leo-dev", "/decline Never mind.")
    house.poll()
    assert "Reopen it first" in house.issue()["comments"][-1]["body"]


def test_merged_means_merged(make_house: Callable[..., House]) -> None:
    """Where merging is enough, a commit on a branch of its own is none, until it reaches the default branch."""
    house = make_house(merged)
    house.flag()
    house.github.branch(REPO, "try", "main")
    sha = house.github.commit(REPO, "try", "Perhaps")
    house.github.comment(REPO, 1, "leo-dev", f"/fixed-by {sha[:12]}")
    house.poll()
    assert len(house.told()) == 1
    repository = house.github.find(REPO)
    assert repository is not None
    repository.history.branches["main"] = sha
    house.poll()
    assert "Fixed and merged" in house.told()[-1]


def test_a_comparison_that_fails_once_is_made_again(house: House) -> None:
    """A replica that does not know the tag yet answers 404: the proof is asked for again, and nobody is forgotten."""
    house.flag()
    house.github.wire.faults.append(Fault("refuse", "GET", r"/compare/", status=404, times=3))
    house.github.publish_release(REPO, "v2.4.1")
    merge(house)
    release(house, "v2.5.0")
    for _ in range(4):
        house.pass_time(minutes=2)
    assert "Fixed in v2.5.0" in house.told()[-1]


def test_one_lost_commit_does_not_hold_up_the_others(house: House) -> None:
    """A fix that was pushed away since: its card says so, and the other issue ships."""
    house.flag()
    house.flag("U0BEN", "4213", title="The export stops")
    house.github.branch(REPO, "gone", "main")
    lost = house.github.commit(REPO, "gone", "Rewritten since")
    house.github.comment(REPO, 1, "leo-dev", f"/fixed-by {lost[:12]}")
    house.poll()
    merge(house, "Fixes #2", title="Page the export")
    house.github.wire.faults.append(Fault("refuse", "GET", rf"/compare/{lost}", status=404, times=None))
    house.github.wire.faults.append(Fault("refuse", "GET", r"/compare/v2.4.0", status=404, times=None))
    release(house, "v2.5.0")
    for _ in range(6):
        house.pass_time(minutes=5)
    assert "Fixed in v2.5.0: The export stops" in house.told("U0BEN")[-1]
    assert [one for one in house.told("U0ANA") if "Fixed" in one] == []
    cards = "\n".join(str(one["blocks"]) for one in house.slack.messages("C0SUPPORTDEV"))
    assert lost[:7] in cards


def test_a_first_release_compares_only_what_can_matter(house: House) -> None:
    """Thirty old releases cost nothing when the first fix waits."""
    for n in range(30):
        house.github.commit(REPO, "main", f"Work {n}")
        house.github.publish_release(REPO, f"v2.4.{n + 1}")
    house.flag()
    merge(house)
    before = len(house.github.wire.calls)
    release(house, "v2.5.0")
    asked = [one for one in house.github.wire.calls[before:] if "/compare/" in one.path]
    assert len(asked) <= 2
    assert "Fixed in v2.5.0" in house.told()[-1]


def test_who_joins_after_a_mistaken_reopening_hears_it_once(house: House) -> None:
    """The same release was told twice; a ticket attached afterwards owes one write-back, and nobody a second."""
    house.flag()
    pull = merge(house)
    release(house, "v2.5.0")
    assert house.write_back() == {}
    for _ in range(2):
        house.github.reopen_issue(REPO, 1, "leo-dev")
        house.poll()
        house.github.comment(REPO, 1, "leo-dev", f"/fixed-by #{pull}")
        house.poll()
    assert "Nobody waits any more" in house.card()
    house.look_up("U0BEN", "4212")
    known = house.slack.suggest(house.slack.views("U0BEN")[-1]["id"], "similar", "VAT")[0]["value"]
    assert house.submit("U0BEN", title="VAT", similar=known) == {}
    assert states(house) == ["written", "skipped", "due"]
    assert len([one for one in house.told("U0BEN") if "Fixed in" in one]) == 1


def test_a_decline_that_cannot_be_closed_stands_on_the_card(house: House) -> None:
    """The tracker refuses to close: the card says so; and a fix that is merged after all is heard."""
    house.flag()
    house.poll()
    house.github.wire.faults.append(Fault("refuse", "PATCH", r"/issues/1$", status=422, times=None))
    decline_in_slack(house)
    assert "refuses" in house.card()
    house.github.wire.faults.clear()
    merge(house)
    release(house, "v2.5.0")
    assert "Fixed in v2.5.0" in house.told()[-1]


def test_a_decline_that_was_taken_back_closes_nothing(house: House) -> None:
    """Its dead letter is retried after the issue was fixed: it stays closed as completed."""
    house.flag()
    house.poll()
    house.github.wire.faults.append(Fault("refuse", "PATCH", r"/issues/1$", status=422, times=None))
    decline_in_slack(house)
    house.github.wire.faults.clear()
    sha = house.github.commit(REPO, "main", "Mended after all")
    house.github.comment(REPO, 1, "leo-dev", f"/fixed-by {sha[:10]}")
    house.poll()
    house.retry_dead_letters()
    assert house.issue()["state"] == "open"
    assert "Fixed, not shipped yet" in house.card()


def test_a_lost_commit_makes_no_noise(house: House) -> None:
    """While nothing happens, the trouble on the card costs the tracker no writes."""
    house.flag()
    house.github.branch(REPO, "gone", "main")
    lost = house.github.commit(REPO, "gone", "Rewritten since")
    house.github.comment(REPO, 1, "leo-dev", f"/fixed-by {lost[:12]}")
    house.github.wire.faults.append(Fault("refuse", "GET", "/compare/", status=404, times=None))
    house.poll()
    release(house, "v2.5.0")
    for _ in range(5):
        house.pass_time(minutes=2)
    before = len(house.github.wire.calls_to("PATCH", ".*"))
    for _ in range(20):
        house.pass_time(minutes=2)
    assert len(house.github.wire.calls_to("PATCH", ".*")) == before


def test_a_fix_named_for_what_has_shipped_is_answered(house: House) -> None:
    """It changes nothing any more, and the issue says what to do."""
    house.flag()
    house.mend()
    sha = house.github.commit(REPO, "main", "One more thing")
    house.github.comment(REPO, 1, "leo-dev", f"/fixed-by {sha[:10]}")
    house.poll()
    assert "Reopen it first, then say it again" in house.issue()["comments"][-1]["body"]
