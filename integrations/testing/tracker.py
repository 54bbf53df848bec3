"""The contract suite of trackers: subclass `TrackerContract`, give it a `tracker` and a `world`, run it with pytest.

class TestForge(TrackerContract):
    @pytest.fixture
    def world(self): ...      # a fresh `World` for each test
    @pytest.fixture
    def tracker(self, world): ...   # the adapter, pointed at that world, with a time-out of one second
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from integrations.base import (
    BadSignature,
    CodeTouched,
    Event,
    Gone,
    IssueDraft,
    IssueTouched,
    NotFound,
    Place,
    Rejected,
    Tracker,
    Unauthorised,
    Unavailable,
    Watch,
    mark,
)
from integrations.testing.shipping import ShippingContract
from integrations.testing.triage import TriageContract
from integrations.testing.world import Kind, Trouble, World

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
KINDS: tuple[Kind, ...] = ("issue", "comment", "edit", "fix", "release", "tag", "branch", "deployment")
STRANGE = (
    b"",
    b"\xff\xfe",
    b"null",
    b"[]",
    b"7",
    b'"text"',
    b"{}",
    b"[" * 100_000,
    b"9" * 10_000,
    b"payload=%",
    b'{"repository": null, "issue": 3}',
    b'{"repository": {"full_name": 7}, "issue": {"number": "x"}}',
    b'{"repository": {"full_name": "acme/shop"}, "issue": {"number": true}}',
    b'{"repository": {"full_name": "no slash"}, "issue": {"number": 1}}',
    b'{"object_kind": [], "project": [], "object_attributes": 1}',
)


class TrackerContract(ShippingContract, TriageContract):
    """What the bot relies on, whatever the tracker."""

    # --- marks ----------------------------------------------------------------------------------------------------

    def test_an_issue_is_found_again_by_its_key(self, tracker: Tracker, world: World) -> None:
        """What was filed under a key is found under that key alone."""
        world.open_issue(world.somebody, "An older one")
        made = tracker.create_issue(world.repo, IssueDraft("Basket is empty", "It was full.", ("from-support",)), "k1")
        assert tracker.marked_issue(world.repo, "k1", LONG_AGO) == made
        assert tracker.marked_issue(world.repo, "k2", LONG_AGO) is None
        assert world.body(made.number) == f"It was full.\n\n{mark('k1')}"

    def test_an_issue_has_its_labels(self, tracker: Tracker, world: World) -> None:
        """As they are written; why an issue is closed is none of them, whatever a tracker makes of it."""
        labels = ("area/checkout", "Needs design", "from-support")
        made = tracker.create_issue(world.repo, IssueDraft("Basket", "…", labels), "k1")
        assert sorted(tracker.issue(world.repo, made.number).labels) == sorted(labels)
        world.close(made.number, "not_planned")
        assert sorted(tracker.issue(world.repo, made.number).labels) == sorted(labels)
        assert tracker.issue(world.repo, world.open_issue(world.somebody, "Mine")).labels == ()

    def test_a_closed_issue_is_found_again(self, tracker: Tracker, world: World) -> None:
        """Somebody may close an issue before we look for it."""
        made = tracker.create_issue(world.repo, IssueDraft("Basket", "…"), "k1")
        world.close(made.number, "not_planned")
        assert tracker.marked_issue(world.repo, "k1", LONG_AGO) == made

    def test_a_look_alike_issue_does_not_count(self, tracker: Tracker, world: World) -> None:
        """A mark in an issue that somebody else opened is nothing."""
        world.open_issue(world.somebody, "Mine", f"Look: {mark('k1')}")
        assert tracker.marked_issue(world.repo, "k1", LONG_AGO) is None

    def test_a_look_alike_comment_does_not_count(self, tracker: Tracker, world: World) -> None:
        """Only a comment of our own is found by its key, and is told apart as ours."""
        number = world.open_issue(world.somebody, "Basket")
        world.comment(world.somebody, number, f"Look: {mark('k1')}")
        assert tracker.marked_comment(world.repo, number, "k1") is None
        made = tracker.comment(world.repo, number, "Waiting: 2", "k1")
        assert tracker.marked_comment(world.repo, number, "k1") == made
        found = [(comment.author, comment.ours) for comment in tracker.comments(world.repo, number)]
        assert found == [(world.somebody, False), (tracker.login(), True)]

    def test_what_is_kept_current_stands_there_once(self, tracker: Tracker, world: World) -> None:
        """The table of waiting customers is written many times, also by who forgot where it is."""
        number = world.open_issue(world.somebody, "Basket", "It was full.")
        known = tracker.keep(world.repo, number, "Waiting: 2", "k1")
        for text, handed_in in (("Waiting: 3", known), ("Waiting: 4", ""), ("Waiting: 5", known)):
            assert tracker.keep(world.repo, number, text, "k1", handed_in) == known
        shown = world.shown(number)
        assert "It was full." in shown
        assert "Waiting: 5" in shown
        assert shown.count("Waiting:") == shown.count(mark("k1")) == 1

    def test_text_too_long_is_cut_and_keeps_its_mark(self, tracker: Tracker, world: World) -> None:
        """Neither a 300-character title nor a text of two million characters keeps an issue from being filed."""
        made = tracker.create_issue(world.repo, IssueDraft("T" * 300, "é" * 2_000_000), "k1")
        assert tracker.marked_issue(world.repo, "k1", LONG_AGO) == made

    def test_who_cannot_be_assigned_is_left_out(self, tracker: Tracker, world: World) -> None:
        """A Support Dev without access does not keep the issue from being filed."""
        assignees = tracker.assignable(world.repo, (world.stranger, world.somebody))
        draft = IssueDraft("Basket", "…", assignees=assignees)
        made = tracker.create_issue(world.repo, draft, "k1")
        assert tracker.issue(world.repo, made.number).assignees == (world.somebody,)

    # --- issues ---------------------------------------------------------------------------------------------------

    def test_an_issue_tells_whether_and_why_it_is_closed(self, tracker: Tracker, world: World) -> None:
        """Open, closed by a person, closed by us."""
        first, second = (world.open_issue(world.somebody, title) for title in ("One", "Two"))
        assert (tracker.issue(world.repo, first).open, tracker.issue(world.repo, first).reason) == (True, None)
        world.close(first, "not_planned")
        tracker.close(world.repo, second, "completed")
        told = [tracker.issue(world.repo, number) for number in (first, second)]
        assert [(issue.open, issue.reason, issue.closed_at is None) for issue in told] == [
            (False, "not_planned", False),
            (False, "completed", False),
        ]

    def test_what_fixed_an_issue_before_it_was_opened_again_did_not(self, tracker: Tracker, world: World) -> None:
        """It counts until then, and no more."""
        number = world.open_issue(world.somebody, "Basket")
        sha = world.merge(world.propose_fix(number))
        assert [fix.sha for fix in tracker.fixes(world.repo, number)] == [sha]
        world.reopen(number)
        assert tracker.fixes(world.repo, number) == []

    def test_a_moved_issue_is_followed(self, tracker: Tracker, world: World) -> None:
        """Asked by its old place, it tells its new one."""
        number = world.open_issue(world.somebody, "Basket")
        assert tracker.issue(world.repo, number).repository == world.repo
        place = world.move_issue(number)
        found = tracker.issue(world.repo, number)
        assert (found.repository, found.number, found.title) == (place.repository, place.number, "Basket")

    def test_a_deleted_issue_is_gone(self, tracker: Tracker, world: World) -> None:
        """Told apart from a repository that we do not see."""
        number = world.open_issue(world.somebody, "Basket")
        world.delete_issue(number)
        with pytest.raises(Gone):
            tracker.issue(world.repo, number)
        with pytest.raises(NotFound) as hidden:
            tracker.issue(world.repo + "-gone", number)
        assert not isinstance(hidden.value, Gone)

    def test_a_duplicate_names_what_takes_its_place(self, tracker: Tracker, world: World) -> None:
        """Its tickets follow the other issue."""
        first, second = (world.open_issue(world.somebody, title) for title in ("One", "Two"))
        world.close_as_duplicate(second, of=first)
        found = tracker.issue(world.repo, second)
        assert (found.reason, found.duplicate_of) == ("duplicate", Place(world.repo, first))
        assert tracker.issue(world.repo, first).duplicate_of is None

    def test_the_repository_is_told_as_it_is_now(self, tracker: Tracker, world: World) -> None:
        """Visibility and whether issues are switched on are asked each time."""
        before = tracker.repository(world.repo)
        world.switch_issues_off()
        after = tracker.repository(world.repo)
        assert (before.full_name, before.public, before.issues_enabled) == (world.repo, False, True)
        assert not after.issues_enabled

    # --- errors ---------------------------------------------------------------------------------------------------

    def test_a_wrong_token_is_unauthorised(self, world: World) -> None:
        """A person must mend it, so it is told apart from an outage; `check` says the same in words."""
        stranger = world.with_wrong_token()
        with pytest.raises(Unauthorised):
            stranger.login()
        assert [bool(finding.mend) for finding in stranger.check(world.repo)] == [True]

    def test_what_does_not_exist_is_not_found(self, tracker: Tracker, world: World) -> None:
        """An unknown repository and an unknown issue are NotFound; `check` names the former."""
        missing = world.repo + "-gone"
        with pytest.raises(NotFound):
            tracker.repository(missing)
        with pytest.raises(NotFound):
            tracker.issue(world.repo, 4711)
        assert [missing in finding.where for finding in tracker.check(missing)] == [True]

    def test_issues_switched_off_is_a_refusal_with_a_reason(self, tracker: Tracker, world: World) -> None:
        """Repeating cannot help, and the reason is worth showing."""
        world.switch_issues_off()
        with pytest.raises(Rejected) as refusal:
            tracker.create_issue(world.repo, IssueDraft("Basket", "…"), "k1")
        assert refusal.value.reason
        assert [bool(finding.mend) for finding in tracker.check(world.repo)] == [True]

    def test_all_well_means_no_findings(self, tracker: Tracker, world: World) -> None:
        """`check` is silent about a repository in which the bot can work."""
        assert tracker.check(world.repo) == []

    def test_a_refused_write_is_made_once(self, tracker: Tracker, world: World) -> None:
        """A refusal is not asked for twice."""
        world.trouble("refused")
        with pytest.raises(Rejected):
            tracker.create_issue(world.repo, IssueDraft("Basket", "…"), "k1")
        assert world.writes() == 1

    def test_a_rate_limit_is_told_and_not_slept_through(self, tracker: Tracker, world: World) -> None:
        """The lane waits, not the thread: certainly not done, with the seconds that the service named."""
        world.trouble("limited")
        with pytest.raises(Unavailable) as limit:
            tracker.create_issue(world.repo, IssueDraft("Basket", "…"), "k1")
        assert (limit.value.retry_after, limit.value.maybe_done, world.writes()) == (7, False, 1)

    @pytest.mark.parametrize("trouble", ["failed", "failed after", "dropped", "dropped after"])
    def test_a_doubtful_write_is_never_repeated(self, tracker: Tracker, world: World, trouble: Trouble) -> None:
        """After a 502 or a dropped line it may be done: one write on the wire, and looking tells which it was."""
        world.trouble(trouble)
        with pytest.raises(Unavailable) as doubt:
            tracker.create_issue(world.repo, IssueDraft("Basket", "…"), "k1")
        assert (doubt.value.maybe_done, world.writes()) == (True, 1)
        assert (tracker.marked_issue(world.repo, "k1", LONG_AGO) is not None) == trouble.endswith("after")

    @pytest.mark.parametrize("trouble", ["failed after", "dropped after"])
    def test_a_doubtful_comment_is_found_and_not_repeated(
        self, tracker: Tracker, world: World, trouble: Trouble
    ) -> None:
        """Comments keep the same promise as issues."""
        number = world.open_issue(world.somebody, "Basket")
        tracker.login()
        world.trouble(trouble)
        with pytest.raises(Unavailable):
            tracker.comment(world.repo, number, "Waiting: 2", "k1")
        assert world.writes() == 1
        assert tracker.marked_comment(world.repo, number, "k1") is not None

    def test_a_read_gets_over_a_passing_failure(self, tracker: Tracker, world: World) -> None:
        """Reads change nothing, so one is repeated at once; for ever it is not."""
        world.trouble_reading(1)
        assert tracker.repository(world.repo).full_name == world.repo
        world.trouble_reading(50)
        with pytest.raises(Unavailable) as failure:
            tracker.repository(world.repo)
        assert failure.value.maybe_done is False
        assert len(world.reads()) < 10

    def test_nobody_listening_means_certainly_not_done(self, world: World) -> None:
        """A refused connection leaves no doubt."""
        with pytest.raises(Unavailable) as failure:
            world.unreachable().create_issue(world.repo, IssueDraft("Basket", "…"), "k1")
        assert failure.value.maybe_done is False

    # --- polling --------------------------------------------------------------------------------------------------

    def test_what_is_touched_is_told_once(self, tracker: Tracker, world: World) -> None:
        """New, commented, closed: each is told at the next poll and not again, even within one second."""
        old = world.open_issue(world.somebody, "An older one")
        _, watch = tracker.poll(world.repo, "issues", Watch())
        new = world.open_issue(world.somebody, "A new one")
        events, watch = tracker.poll(world.repo, "issues", watch)
        assert events == [IssueTouched(world.repo, new)]
        world.comment(world.somebody, old, "/ask which browser?")
        events, watch = tracker.poll(world.repo, "issues", watch)
        assert events == [IssueTouched(world.repo, old)]
        world.close(new, "completed")
        events, watch = tracker.poll(world.repo, "issues", watch)
        assert events == [IssueTouched(world.repo, new)]
        assert tracker.poll(world.repo, "issues", watch) == ([], watch)

    def test_many_touched_at_once_are_all_told(self, tracker: Tracker, world: World) -> None:
        """More than one page, as after a night without us."""
        _, watch = tracker.poll(world.repo, "issues", Watch())
        made = {world.open_issue(world.somebody, f"Number {count}") for count in range(130)}
        events, watch = tracker.poll(world.repo, "issues", watch)
        assert sorted(event.number for event in events if isinstance(event, IssueTouched)) == sorted(made)
        assert tracker.poll(world.repo, "issues", watch) == ([], watch)

    # --- webhooks -------------------------------------------------------------------------------------------------

    def test_an_authentic_delivery_is_accepted_and_understood(self, tracker: Tracker, world: World) -> None:
        """Its id is stable, and headers are found in any spelling; what we keep of them is enough to read it."""
        meant: dict[Kind, Event] = {
            "issue": IssueTouched(world.repo, 1),
            "comment": IssueTouched(world.repo, 1),
            "edit": IssueTouched(world.repo, 1),
            "fix": IssueTouched(world.repo, 1),
            "release": CodeTouched(world.repo, "releases"),
            "tag": CodeTouched(world.repo, "tags"),
            "branch": CodeTouched(world.repo, "branch"),
            "deployment": CodeTouched(world.repo, "deployments:production"),
        }
        for of in KINDS:
            headers, body = world.delivery(of)
            lower = {key.lower(): value for key, value in headers.items()}
            kept = {key: lower[key] for key in tracker.kept_headers if key in lower}
            assert tracker.verify(headers, body, NOW) == tracker.verify(lower, body, NOW) != ""
            assert tracker.read(kept, body) == [meant[of]]

    def test_a_forged_delivery_is_refused(self, tracker: Tracker, world: World) -> None:
        """A changed body, a missing header, a header that is no signature: all the same."""
        headers, body = world.delivery("issue")
        with pytest.raises(BadSignature):
            tracker.verify(headers, body + b" ", NOW)
        with pytest.raises(BadSignature):
            tracker.verify({}, body, NOW)
        for name in headers:
            if "signature" in name.lower() or "token" in name.lower():
                for value in ("", "sha256=", "sha256=é", headers[name][:-1]):
                    with pytest.raises(BadSignature):
                        tracker.verify(headers | {name: value}, body, NOW)

    def test_without_a_secret_nothing_is_authentic(self, world: World) -> None:
        """Fail closed: an operator who configured no secret gets no webhooks."""
        headers, body = world.delivery("issue")
        with pytest.raises(BadSignature):
            world.without_secret().verify(headers, body, NOW)

    @pytest.mark.parametrize("body", STRANGE, ids=range(len(STRANGE)))
    def test_strange_content_means_nothing_to_us(self, tracker: Tracker, world: World, body: bytes) -> None:
        """An authentic delivery that cannot be read is [] and never an exception."""
        for of in KINDS:
            headers, _ = world.delivery(of)
            assert tracker.read(headers, body) in ([], [CodeTouched("acme/shop", "releases")])
        assert tracker.read({}, json.dumps({"action": "opened"}).encode()) == []
