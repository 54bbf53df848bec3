"""What the contract suite of trackers asks about code that ships: fixes, ranges, releases, deployments, polling."""

from __future__ import annotations

import pytest

from integrations.base import CodeTouched, IssueTouched, NotFound, Rejected, Tracker, Watch
from integrations.testing.world import World

RESOURCES = ("issues", "releases", "tags", "branch", "deployments:production")
NOBODY = "0123456789" * 4  # a sha that no commit has


class ShippingContract:
    """What proof of shipping stands on, whatever the tracker."""

    # --- fixes ----------------------------------------------------------------------------------------------------

    def test_a_fix_counts_once_it_is_merged(self, tracker: Tracker, world: World) -> None:
        """Before, a person who names it is refused in words; after, it is what closed the issue."""
        number = world.open_issue(world.somebody, "Basket")
        named = world.propose_fix(number)
        with pytest.raises(Rejected, match="not merged yet"):
            tracker.fix(world.repo, named)
        assert tracker.fixes(world.repo, number) == []
        sha = world.merge(named)
        assert [fix.sha for fix in tracker.fixes(world.repo, number)] == [sha]
        assert {tracker.fix(world.repo, name).sha for name in (named, world.repo + named, sha, sha[:10])} == {sha}
        assert tracker.fix(world.repo, named) == tracker.fixes(world.repo, number)[0]

    def test_an_issue_closed_by_hand_has_no_fix(self, tracker: Tracker, world: World) -> None:
        """Closed is not fixed, and to be mentioned is neither."""
        number = world.open_issue(world.somebody, "Basket")
        world.merge(world.propose_mention(number))
        world.close(number, "completed")
        assert tracker.fixes(world.repo, number) == []

    def test_a_fix_on_another_branch_is_told(self, tracker: Tracker, world: World) -> None:
        """There, saying that it closes an issue closes nothing; it is a fix all the same."""
        world.branch("release/1.x")
        number = world.open_issue(world.somebody, "Basket")
        sha = world.merge(world.propose_fix(number, "release/1.x"))
        assert tracker.issue(world.repo, number).open
        [fix] = tracker.fixes(world.repo, number)
        assert (fix.sha, fix.branch, fix.repository) == (sha, "release/1.x", "")

    def test_a_backport_is_a_copy_and_no_second_fix(self, tracker: Tracker, world: World) -> None:
        """It proves the fix for its own branch; to wait for both would be to wait for ever."""
        world.branch("release/1.x")
        number = world.open_issue(world.somebody, "Basket")
        named = world.propose_fix(number)
        sha = world.merge(named)
        backport = world.propose_backport(named, "release/1.x")
        assert [(fix.sha, fix.copies) for fix in tracker.fixes(world.repo, number)] == [(sha, ())]
        copy = world.merge(backport)
        assert [(fix.sha, fix.copies) for fix in tracker.fixes(world.repo, number)] == [(sha, (copy,))]
        assert tracker.fix(world.repo, named).copies == (copy,)

    def test_an_unknown_fix_is_told_apart_from_nonsense(self, tracker: Tracker, world: World) -> None:
        """What nobody has is NotFound; a sentence is refused with what to write instead."""
        for name in ("deadbeefdeadbeef", "#4711", world.repo + "-gone#1", f"https://forge.example/{world.repo}/pull/9"):
            with pytest.raises(NotFound):
                tracker.fix(world.repo, name)
        with pytest.raises(Rejected):
            tracker.fix(world.repo, "the one from Tuesday")

    # --- commits --------------------------------------------------------------------------------------------------

    def test_a_ref_names_a_commit(self, tracker: Tracker, world: World) -> None:
        """Branches, with a slash too, tags and shas; what is unknown is NotFound."""
        first = world.commit()
        world.tag("v1")
        world.branch("release/1.x")
        second = world.commit("release/1.x")
        for ref, sha in (("tags/v1", first), ("heads/release/1.x", second), (first, first), (second[:10], second)):
            assert tracker.resolve(world.repo, ref) == sha
        for ref in ("heads/release/2.x", "tags/v2", NOBODY):
            with pytest.raises(NotFound):
                tracker.resolve(world.repo, ref)

    def test_a_range_is_what_head_has_and_base_has_not(self, tracker: Tracker, world: World) -> None:
        """The proof: what was merged between two releases, and that the newer one holds the older one."""
        base = world.commit()
        number = world.open_issue(world.somebody, "Basket")
        fix = world.merge(world.propose_fix(number))
        head = world.commit()
        found = tracker.between(world.repo, base, head)
        assert (found.base, found.head, found.holds_base, found.whole) == (base, head, True, True)
        shas = [commit.sha for commit in found.commits]
        assert shas[-1] == head
        assert fix in shas
        assert base not in shas
        told = {commit.sha: commit for commit in found.commits}[head]
        assert (told.parents, told.message, bool(told.author), bool(told.authored_at)) == (
            (fix,),
            "Tidy up",
            True,
            True,
        )

    def test_ends_that_do_not_follow_each_other(self, tracker: Tracker, world: World) -> None:
        """The same commit, an older one, and another branch's."""
        old = world.commit()
        world.branch("release/1.x")
        main, other = world.commit(), world.commit("release/1.x")
        for base, head, shas, holds in (
            (main, main, [], True),
            (main, old, [], False),
            (main, other, [other], False),
        ):
            found = tracker.between(world.repo, base, head)
            assert ([commit.sha for commit in found.commits], found.holds_base) == (shas, holds)
        for base, head in ((main, NOBODY), (NOBODY, main)):
            with pytest.raises(NotFound):
                tracker.between(world.repo, base, head)

    def test_a_long_range_is_read_to_its_end(self, tracker: Tracker, world: World) -> None:
        """A release with more commits than a page holds."""
        base = world.commit()
        shas = [world.commit() for _ in range(130)]
        found = tracker.between(world.repo, base, shas[-1])
        assert ([commit.sha for commit in found.commits], found.whole, found.holds_base) == (shas, True, True)

    def test_the_same_change_is_known_on_another_branch(self, tracker: Tracker, world: World) -> None:
        """A cherry-pick that says nothing of where it came from; another commit with the same message is another."""
        world.branch("release/1.x")
        world.commit()
        original = world.commit()
        copy = world.cherry_pick(original, "release/1.x")
        another = world.commit("release/1.x")
        assert tracker.same_change(world.repo, original, copy)
        assert not tracker.same_change(world.repo, original, another)
        assert not tracker.same_change(world.repo, original, NOBODY)

    # --- releases and deployments ---------------------------------------------------------------------------------

    def test_releases_are_the_published_ones_newest_first(self, tracker: Tracker, world: World) -> None:
        """A draft may still change its mind; a bare tag is told only where it counts."""
        for tag in ("v1", "v2"):
            world.publish_release(tag)
            world.commit()
        world.publish_release("v3", draft=True)
        world.tag("v4")
        assert [release.tag for release in tracker.releases(world.repo)] == ["v2", "v1"]

    def test_tags_without_a_release_follow_highest_first(self, tracker: Tracker, world: World) -> None:
        """As people count, not as letters sort, and a pre-release below what it leads to."""
        world.publish_release("v1.0.0")
        sha = world.commit()
        for tag in ("v1.9.0", "v1.10.0", "v1.10.0-rc.1"):
            world.tag(tag)
        found = tracker.releases(world.repo, bare_tags=True)
        assert [release.tag for release in found] == ["v1.0.0", "v1.10.0", "v1.10.0-rc.1", "v1.9.0"]
        assert [release.prerelease for release in found] == [False, False, True, False]
        bare = found[1]
        assert (bare.id, bare.sha, bare.published_at) == ("tag:v1.10.0", sha, None)
        assert "v1.10.0" in bare.url

    def test_what_runs_is_what_succeeded_last(self, tracker: Tracker, world: World) -> None:
        """Not what is on its way, nor what went elsewhere; a rollback brings the older one back."""
        one, two = world.commit(), world.commit()
        assert tracker.deployed(world.repo, "production") is None
        first = world.deploy("production", one)
        found = tracker.deployed(world.repo, "production")
        assert found
        assert (found.id, found.sha, found.environment) == (first, one, "production")
        assert found.url.startswith("http")
        second = world.deploy("production", two, succeeded=False)
        world.deploy("staging", two)
        assert tracker.deployed(world.repo, "production") == found
        world.deployment_ends(second, "success")
        running = tracker.deployed(world.repo, "production")
        assert running
        assert (running.id, running.sha, running.at >= found.at) == (second, two, True)
        world.deployment_ends(first, "success")
        assert [each and each.id for each in [tracker.deployed(world.repo, "production")]] == [first]

    @pytest.mark.parametrize("environment", ["production", "staging"])
    def test_a_deployment_that_fails_after_all_runs_no_more(
        self, tracker: Tracker, world: World, environment: str
    ) -> None:
        """Then what ran before counts, even where the tracker had switched that off."""
        one, two = world.commit(), world.commit()
        world.deploy(environment, one)
        second = world.deploy(environment, two)
        world.deployment_ends(second, "failure")
        found = tracker.deployed(world.repo, environment)
        assert found
        assert found.sha == one

    # --- polling --------------------------------------------------------------------------------------------------

    def test_a_quiet_poll_costs_one_304(self, tracker: Tracker, world: World) -> None:
        """An empty watch starts now with one request; while nothing happens each further one is a 304."""
        world.open_issue(world.somebody, "An older one")
        world.publish_release("v1")
        world.deploy("production", world.commit())
        for resource in RESOURCES:
            before = len(world.reads())
            events, watch = tracker.poll(world.repo, resource, Watch())
            assert (events, len(world.reads()) - before) == ([], 1)
            for _ in range(2):
                assert tracker.poll(world.repo, resource, watch) == ([], watch)
            assert world.reads()[before + 1 :] == [304, 304]

    def test_a_new_release_is_told_once(self, tracker: Tracker, world: World) -> None:
        """A draft is no news; its publication is."""
        _, watch = tracker.poll(world.repo, "releases", Watch())
        world.publish_release("v1", draft=True)
        events, watch = tracker.poll(world.repo, "releases", watch)
        assert events == []
        world.publish_release("v1")
        events, watch = tracker.poll(world.repo, "releases", watch)
        assert events == [CodeTouched(world.repo, "releases")]
        assert tracker.poll(world.repo, "releases", watch) == ([], watch)

    def test_what_code_ships_by_is_told_when_it_moves(self, tracker: Tracker, world: World) -> None:
        """A tag, the default branch, a deployment and its end; another branch and environment are not asked for."""
        watches = {resource: tracker.poll(world.repo, resource, Watch())[1] for resource in RESOURCES[2:]}

        def touched() -> list[str]:
            told = []
            for resource, watch in watches.items():
                events, watches[resource] = tracker.poll(world.repo, resource, watch)
                assert events in ([], [CodeTouched(world.repo, resource)])
                told += [resource] * len(events)
            return told

        world.branch("release/1.x")
        other = world.commit("release/1.x")
        world.deploy("staging", other)
        assert touched() == []
        sha = world.commit()
        assert touched() == ["branch"]
        world.tag("v1")
        assert touched() == ["tags"]
        world.deploy("production", sha)
        assert touched() == ["deployments:production"]
        assert touched() == []

    def test_a_merge_touches_the_issue_that_it_fixes(self, tracker: Tracker, world: World) -> None:
        """On a branch where it closes nothing, the issue itself does not change."""
        world.branch("release/1.x")
        number = world.open_issue(world.somebody, "Basket")
        named = world.propose_fix(number, "release/1.x")
        mention = world.propose_mention(number)
        _, watch = tracker.poll(world.repo, "issues", Watch())
        world.merge(mention)
        events, watch = tracker.poll(world.repo, "issues", watch)
        assert events == []
        world.merge(named)
        events, watch = tracker.poll(world.repo, "issues", watch)
        assert events == [IssueTouched(world.repo, number)]
        assert tracker.poll(world.repo, "issues", watch) == ([], watch)
