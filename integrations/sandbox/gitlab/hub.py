"""The GitLab stand-in's doings, all in one: what people and the API do, and what tests read back."""

from __future__ import annotations

from integrations.sandbox.gitlab.deployments import ShippingDoings
from integrations.sandbox.gitlab.doings_merges import MergeDoings
from integrations.sandbox.gitlab.moves import MoveDoings
from integrations.sandbox.gitlab.records import Upload
from integrations.sandbox.gitlab.shapes import Shapes
from integrations.sandbox.gitlab.shapes_base import Json
from integrations.sandbox.wire import Now


class Hub(MergeDoings, ShippingDoings, MoveDoings):
    """Projects and all that is in them. Callable from any thread; every method is one change, or none.

    `repo` is a project's full path. Raises LookupError for what does not exist, ValueError for what GitLab would
    refuse.
    """

    shapes: Shapes

    def __init__(self, now: Now, webhook_secret: str | None, signing_secret: str | None, bot: str) -> None:
        super().__init__(now, webhook_secret, signing_secret, bot)
        self.shapes = Shapes(self)

    # --- reading ------------------------------------------------------------------------------------------------------

    def issues(self, repo: str) -> list[Json]:
        """All issues, newest first, as the API shows them."""
        with self.lock:
            project = self._project(repo)
            return [self.shapes.issue(project, issue) for issue in reversed(project.issues.values())]

    def issue(self, repo: str, iid: int) -> Json:
        """One issue as the API shows it, with its `notes` (oldest first) and `state_events`."""
        with self.lock:
            project, issue = self._issue(repo, iid)
            notes = [self.shapes.note(project, issue, note) for note in issue.notes]
            events = [self.shapes.state_event(issue, event) for event in issue.events]
            return {**self.shapes.issue(project, issue), "notes": notes, "state_events": events}

    def uploads(self, repo: str) -> list[Upload]:
        """All files that were uploaded to the project, oldest first."""
        with self.lock:
            return list(self._project(repo).uploads)

    def merges(self, repo: str) -> list[Json]:
        """All merge requests, newest first, as the API shows them."""
        with self.lock:
            project = self._project(repo)
            return [self.shapes.merge(project, merge) for merge in reversed(project.merges.values())]

    def releases(self, repo: str) -> list[Json]:
        """All releases, upcoming ones too, newest first, as the API shows them."""
        with self.lock:
            project = self._project(repo)
            return [self.shapes.release(project, release) for release in reversed(project.releases)]
