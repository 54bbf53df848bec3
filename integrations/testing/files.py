"""The contract suite of trackers that take files: subclass `FilesContract` beside `TrackerContract`."""

from __future__ import annotations

from typing import Protocol

import pytest

from integrations.base import NotFound, Rejected, TakesFiles, Tracker, Unauthorised, Unavailable
from integrations.testing.world import Trouble, World

PICTURE = b"\x89PNG\r\n\x1a\n--x\r\n" + bytes(range(256)) * 40


class FilesWorld(World, Protocol):
    """A `World` that says what became of a file."""

    def kept(self, markdown: str) -> bytes | None:
        """What the file holds to which this Markdown leads, None where it leads to none."""
        ...


class FilesContract:
    """What the bot relies on where a tracker takes files."""

    @pytest.mark.parametrize("name", ["facture.pdf", "écran_du_12-03.png", "log", "a.b.c.tar.gz"])
    def test_a_file_is_kept_as_it_is(self, tracker: Tracker, world: FilesWorld, name: str) -> None:
        """Byte for byte, and a comment can show it."""
        assert isinstance(tracker, TakesFiles)
        shown = tracker.attach(world.repo, name, PICTURE)
        number = world.open_issue(world.somebody, "Basket")
        tracker.comment(world.repo, number, f"See there:\n\n{shown}", "k1")
        assert shown in world.shown(number)
        assert "\n" not in shown
        assert world.kept(shown) == PICTURE

    def test_files_of_one_name_are_told_apart(self, tracker: Tracker, world: FilesWorld) -> None:
        """Every telephone calls its first picture the same."""
        assert isinstance(tracker, TakesFiles)
        found = [tracker.attach(world.repo, "image.png", content) for content in (b"one", b"two", b"")]
        assert [world.kept(one) for one in found] == [b"one", b"two", b""]

    def test_a_file_for_nowhere_is_not_found(self, tracker: Tracker, world: FilesWorld) -> None:
        """As an issue for nowhere."""
        assert isinstance(tracker, TakesFiles)
        with pytest.raises(NotFound):
            tracker.attach(world.repo + "-gone", "image.png", PICTURE)

    def test_no_file_goes_with_a_wrong_token(self, world: FilesWorld) -> None:
        """A person must mend that."""
        stranger = world.with_wrong_token()
        assert isinstance(stranger, TakesFiles)
        with pytest.raises(Unauthorised):
            stranger.attach(world.repo, "image.png", PICTURE)

    def test_a_refused_file_is_sent_once(self, tracker: Tracker, world: FilesWorld) -> None:
        """Asking again cannot help."""
        assert isinstance(tracker, TakesFiles)
        world.trouble("refused")
        with pytest.raises(Rejected):
            tracker.attach(world.repo, "image.png", PICTURE)
        assert world.writes() == 1

    @pytest.mark.parametrize("trouble", ["failed", "failed after", "dropped", "dropped after", "limited"])
    def test_a_doubtful_file_is_sent_once(self, tracker: Tracker, world: FilesWorld, trouble: Trouble) -> None:
        """It may be kept, and nobody can look: whoever asked decides. A rate limit leaves no doubt."""
        assert isinstance(tracker, TakesFiles)
        world.trouble(trouble)
        with pytest.raises(Unavailable) as doubt:
            tracker.attach(world.repo, "image.png", PICTURE)
        assert (doubt.value.maybe_done, world.writes()) == (trouble != "limited", 1)
