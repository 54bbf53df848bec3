"""What the contract suite of trackers asks about talk and triage: comments, assignees, duplicates, lists."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from integrations.base import IssueDraft, Listed, NotFound, Place, Rejected, Tracker, mark
from integrations.testing.world import World

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class TriageContract:
    """What agents and Support Devs do from Slack, whatever the tracker."""

    # --- comments -------------------------------------------------------------------------------------------------

    def test_a_comment_is_edited_in_place(self, tracker: Tracker, world: World) -> None:
        """It keeps its id and its mark, and nobody else's words change; the same again changes nothing."""
        number = world.open_issue(world.somebody, "Basket")
        world.comment(world.somebody, number, "Which browser?")
        made = tracker.comment(world.repo, number, "Firefox", "k1")
        for _ in range(2):
            tracker.edit_comment(world.repo, number, made.id, "Firefox 140", "k1")
        found = [(one.text, one.ours) for one in tracker.comments(world.repo, number)]
        assert found == [("Which browser?", False), (f"Firefox 140\n\n{mark('k1')}", True)]
        again = tracker.marked_comment(world.repo, number, "k1")
        assert again is not None
        assert (again.id, again.at, again.url) == (made.id, made.at, made.url)

    def test_an_edit_too_long_is_cut_and_keeps_its_mark(self, tracker: Tracker, world: World) -> None:
        """As a new comment is."""
        number = world.open_issue(world.somebody, "Basket")
        made = tracker.comment(world.repo, number, "Firefox", "k1")
        tracker.edit_comment(world.repo, number, made.id, "é" * 2_000_000, "k1")
        found = tracker.marked_comment(world.repo, number, "k1")
        assert found is not None
        assert (found.id, found.text.startswith("ééé")) == (made.id, True)

    def test_a_deleted_comment_is_gone_and_stays_gone(self, tracker: Tracker, world: World) -> None:
        """To delete it again is well, to edit it is not; the others stay."""
        number = world.open_issue(world.somebody, "Basket")
        first, second = (tracker.comment(world.repo, number, text, text.lower()) for text in ("One", "Two"))
        for _ in range(2):
            tracker.delete_comment(world.repo, number, first.id)
        assert [one.id for one in tracker.comments(world.repo, number)] == [second.id]
        with pytest.raises(NotFound):
            tracker.edit_comment(world.repo, number, first.id, "One", "one")

    def test_a_comment_that_is_hidden_is_not_deleted(self, tracker: Tracker, world: World) -> None:
        """Where we see no repository, nothing was deleted."""
        with pytest.raises(NotFound):
            tracker.delete_comment(world.repo + "-gone", 1, "4711")

    # --- issues ---------------------------------------------------------------------------------------------------

    def test_assignees_are_replaced(self, tracker: Tracker, world: World) -> None:
        """Handed to somebody, to them again, to us, to nobody."""
        number = world.open_issue(world.somebody, "Basket")
        for people in ((world.somebody,), (world.somebody,), (tracker.login(),), ()):
            tracker.assign(world.repo, number, people)
            assert tracker.issue(world.repo, number).assignees == people
        with pytest.raises(NotFound):
            tracker.assign(world.repo, 4711, (world.somebody,))

    def test_a_due_date_is_set_and_taken_off(self, tracker: Tracker, world: World) -> None:
        """Where the tracker knows such; elsewhere nothing happens."""
        number = world.open_issue(world.somebody, "Basket")
        told = []
        for on in (date(2026, 12, 3), date(2026, 12, 4), date(2026, 12, 4), None, None):
            tracker.due(world.repo, number, on)
            told.append(world.due(number))
        due = [date(2026, 12, 3), date(2026, 12, 4), date(2026, 12, 4), None, None]
        assert told in (due, [None] * 5)
        assert tracker.issue(world.repo, number).open

    def test_an_issue_has_the_type_that_was_asked_for(self, tracker: Tracker, world: World) -> None:
        """One that the tracker does not know keeps no issue from being filed, once."""
        ours = tracker.create_issue(world.repo, IssueDraft("One", "…", type=world.known_type), "k1")
        default = tracker.create_issue(world.repo, IssueDraft("Two", "…"), "k2")
        unknown = tracker.create_issue(world.repo, IssueDraft("Three", "…", type="no such type"), "k3")
        assert world.type(ours.number) == world.known_type
        assert world.type(unknown.number) == world.type(default.number) != world.known_type
        assert tracker.marked_issue(world.repo, "k3", LONG_AGO) == unknown
        assert len(tracker.listing(world.repo, None).issues) == 3

    # --- duplicates -----------------------------------------------------------------------------------------------

    def test_an_issue_is_closed_as_a_duplicate(self, tracker: Tracker, world: World) -> None:
        """It names the other one, which stays open; doing so again writes nothing."""
        first, second = (world.open_issue(world.somebody, title) for title in ("One", "Two"))
        tracker.close_as_duplicate(world.repo, second, Place(world.repo, first))
        found = tracker.issue(world.repo, second)
        assert (found.open, found.reason, found.duplicate_of) == (False, "duplicate", Place(world.repo, first))
        assert tracker.issue(world.repo, first).open
        before = world.writes(), world.shown(second)
        tracker.close_as_duplicate(world.repo, second, Place(world.repo, first))
        assert (world.writes(), world.shown(second)) == before

    def test_a_duplicate_may_be_of_an_issue_that_moved(self, tracker: Tracker, world: World) -> None:
        """It is found where it stands now, in another repository."""
        first, second = (world.open_issue(world.somebody, title) for title in ("One", "Two"))
        place = world.move_issue(first)
        for _ in range(2):
            tracker.close_as_duplicate(world.repo, second, Place(world.repo, first))
        assert tracker.issue(world.repo, second).duplicate_of == place

    def test_a_closed_issue_may_be_a_duplicate_too(self, tracker: Tracker, world: World) -> None:
        """It stays closed, says of which, and says it once."""
        first, second = (world.open_issue(world.somebody, title) for title in ("One", "Two"))
        world.close(second, "not_planned")
        tracker.close_as_duplicate(world.repo, second, Place(world.repo, first))
        before = world.writes()
        tracker.close_as_duplicate(world.repo, second, Place(world.repo, first))
        assert world.writes() == before
        assert not tracker.issue(world.repo, second).open

    def test_a_duplicate_of_nothing_is_refused(self, tracker: Tracker, world: World) -> None:
        """An issue that nobody has is NotFound, and to name itself is refused; it stays open."""
        number = world.open_issue(world.somebody, "One")
        with pytest.raises(NotFound):
            tracker.close_as_duplicate(world.repo, number, Place(world.repo, 4711))
        with pytest.raises(Rejected):
            tracker.close_as_duplicate(world.repo, number, Place(world.repo, number))
        assert (tracker.issue(world.repo, number).open, world.writes()) == (True, 0)

    def test_a_closed_issue_is_opened_again(self, tracker: Tracker, world: World) -> None:
        """Twice is as good as once; nothing is told of why it was closed once it is open."""
        number = world.open_issue(world.somebody, "One")
        world.close(number, "not_planned")
        for _ in range(2):
            tracker.reopen(world.repo, number)
            found = tracker.issue(world.repo, number)
            assert (found.open, found.reason) == (True, None)
        with pytest.raises(NotFound):
            tracker.reopen(world.repo, 4711)

    def test_a_locked_issue_says_so(self, tracker: Tracker, world: World) -> None:
        """Nobody is sent to comment where few may."""
        number = world.open_issue(world.somebody, "One")
        assert not tracker.issue(world.repo, number).locked
        world.lock(number)
        assert tracker.issue(world.repo, number).locked

    # --- lists ----------------------------------------------------------------------------------------------------

    def test_issues_are_listed_as_people_see_them(self, tracker: Tracker, world: World) -> None:
        """Ours and others', open and closed, without what their text hides and without pull requests."""
        one = world.open_issue(world.somebody, "One", "It was full.\n\n<!-- of a form -->\n\n`Error 12`")
        ours = tracker.create_issue(world.repo, IssueDraft("Two", "é" * 30_000, confidential=True), "k1")
        world.propose_mention(one)
        world.close(one, "completed")
        listing = tracker.listing(world.repo, None)
        found = {issue.number: issue for issue in listing.issues}
        assert (sorted(found), listing.more) == ([one, ours.number], False)
        assert (found[one].title, found[one].open, found[one].closed_at is None) == ("One", False, False)
        assert "It was full." in found[one].text
        assert "`Error 12`" in found[one].text
        assert "of a form" not in found[one].text
        assert (found[ours.number].url, found[ours.number].open, found[ours.number].closed_at) == (ours.url, True, None)
        assert (found[ours.number].text[:3], len(found[ours.number].text)) == ("ééé", 20_000)
        assert all(issue.created_at <= issue.updated_at for issue in listing.issues)

    @pytest.mark.parametrize("most", [100, 7, 250])
    def test_no_issue_is_missed_however_many_share_a_second(self, tracker: Tracker, world: World, most: int) -> None:
        """Over pages, among pull requests, in the order of their updates, and without turning in circles."""
        made = []
        for count in range(130):
            made.append(world.open_issue(world.somebody, f"Number {count}"))
            if count % 10 == 0:
                world.propose_mention(made[0])
        assert sorted(everything(tracker, world.repo, most)) == made

    def test_a_list_goes_on_from_where_it_was(self, tracker: Tracker, world: World) -> None:
        """What was touched since is there, and a time to come has nothing."""
        old, new = (world.open_issue(world.somebody, title) for title in ("One", "Two"))
        first = tracker.listing(world.repo, None)
        assert first.reached == first.issues[-1].updated_at
        world.comment(world.somebody, old, "Me too")
        again = tracker.listing(world.repo, first.reached)
        assert {old} <= {issue.number for issue in again.issues} <= {old, new}
        assert again.reached is not None
        later = again.reached + timedelta(hours=1)
        assert tracker.listing(world.repo, later).issues == ()
        with pytest.raises(NotFound):
            tracker.listing(world.repo + "-gone", None)


def everything(tracker: Tracker, repo: str, most: int) -> dict[int, Listed]:
    """All issues, asked for as the bot does: on and on from what was reached."""
    found: dict[int, Listed] = {}
    since = None
    for _ in range(100):
        listing = tracker.listing(repo, since, most)
        times = [issue.updated_at for issue in listing.issues]
        assert times == sorted(times)
        found |= {issue.number: issue for issue in listing.issues}
        since = listing.reached
        if not listing.more:
            return found
    raise AssertionError("it turns in circles")
