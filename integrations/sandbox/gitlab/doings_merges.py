"""The GitLab stand-in's doings with merge requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from integrations.sandbox.github.history import Commit, History
from integrations.sandbox.github.patches import Changes, combined
from integrations.sandbox.gitlab.core import NO_COMMIT
from integrations.sandbox.gitlab.doings_code import CodeDoings
from integrations.sandbox.gitlab.records import Issue, Merge, Project, StateEvent

Method = Literal["merge", "squash", "ff", "rebase", "squash-ff", "train"]


class MergeDoings(CodeDoings):
    def open_merge(
        self,
        repo: str,
        by: str,
        title: str,
        body: str = "",
        base: str = "",
        *,
        commits: Sequence[str] = (),
        head: str = "",
        draft: bool = False,
    ) -> int:
        """A merge request from a new branch with `commits` (their messages; by default one, the title), or from the
        branch `head` as it stands, to `base` (the default branch). Returns its iid."""
        with self.lock:
            project, start = self._branch(repo, base or self._project(repo).default_branch)
            if not head:
                head = f"change-{project.merge_numbers + 1}"
                project.history.branches[head] = start
                new = [project.history.commit(head, words, by, self._now()) for words in commits or [title]]
                self._tell_push(project, f"refs/heads/{head}", NO_COMMIT, new[-1].sha, new, by)
            return self._propose(project, by, title, body, base or project.default_branch, head, draft).iid

    def _propose(
        self, project: Project, by: str, title: str, body: str, base: str, head: str, draft: bool = False
    ) -> Merge:
        start, tip = project.history.branches[base], self._branch(project.path, head)[1]
        own = [commit.sha for commit in project.history.between(start, tip)]
        if not own:
            raise ValueError(f"no commits between {base} and {head}")
        project.merge_numbers += 1
        now = self._now()
        merge = Merge(self._id(), project.merge_numbers, by, title, body, head, base, start, tip, now, now)
        merge.commits, merge.draft = own, draft or title.startswith("Draft:")
        project.merges[merge.iid] = merge
        merge.closes = [issue for _, issue in self.closing(project, merge)]
        self._mention(project, merge, by, f"{title}\n{body}")
        self._tell_merge(project, merge, by, "open")
        return merge

    def edit_merge(self, repo: str, iid: int, by: str, title: str | None = None, body: str | None = None) -> None:
        """Another title or description; what an open one closes is noted down anew."""
        with self.lock:
            project, merge = self._merge(repo, iid)
            merge.title = merge.title if title is None else title
            merge.body = merge.body if body is None else body
            merge.updated = self._now()
            if merge.state == "opened":
                merge.closes = [issue for _, issue in self.closing(project, merge)]
            self._mention(project, merge, by, f"{merge.title}\n{merge.body}")
            self._tell_merge(project, merge, by, "update")

    def merge(self, repo: str, iid: int, by: str, method: Method = "merge") -> str:
        """Merge, and close what its words or its commits close; returns the sha that stands for it on the target.

        merge: a merge commit · squash: one commit, and a merge commit of it · ff, rebase: the commits themselves, put
        on top of the target first where they are not · squash-ff: one commit on top of the target · train: copies come
        to the target by a fast-forward merge train, and the merge request keeps showing the originals.
        """
        with self.lock:
            project, merge = self._merge(repo, iid)
            if merge.state != "opened" or merge.draft:
                raise ValueError(f"{repo}!{iid} cannot be merged")
            before = project.history.branches[merge.target]
            merge.head_sha = project.history.branches[merge.source]
            merge.commits = [one.sha for one in project.history.between(before, merge.head_sha)]
            if not merge.commits:
                raise ValueError(f"{repo}!{iid} has nothing to merge")
            closing = self.closing(project, merge)
            new = self._land(project, merge, by, method, closing)
            merge.landed = [one.sha for one in new]
            project.history.branches[merge.target] = new[-1].sha
            merge.state, merge.merged_by, merge.merged_at = "merged", by, self._now()
            merge.updated = merge.merged_at
            merge.events.append(StateEvent(self._id(), by, self._now(), "merged"))
            self._tell_merge(project, merge, by, "merge")
            for home, issue in closing:
                if issue.open:
                    self._close(home, issue, by, merge_id=merge.id)
            self._pushed(project, merge.target, before, new, by)
            return new[-1].sha

    def _land(
        self, project: Project, merge: Merge, by: str, method: Method, closing: Sequence[tuple[Project, Issue]]
    ) -> list[Commit]:
        """Write what comes to the target branch, oldest first."""
        history, now = project.history, self._now()
        tip, head = history.branches[merge.target], merge.head_sha
        together = brought(history, tip, head)
        merge.squash = method in ("squash", "squash-ff")
        if method in ("squash", "squash-ff"):
            shared = history.compare(tip, head)
            start = tip if method == "squash-ff" or shared is None else shared.merge_base.sha
            author = history.commits[head].author
            squashed = history.write((start,), merge.title, author, now, changes=together, committer=by)
            merge.squash_sha = squashed.sha
            if method == "squash-ff":
                return [squashed]
            made = history.write((tip, squashed.sha), self._words(project, merge, closing), by, now, changes=together)
            merge.merge_sha = made.sha
            return [squashed, made]
        own = [history.commits[sha] for sha in merge.commits]
        if method == "merge":
            made = history.write((tip, head), self._words(project, merge, closing), by, now, changes=together)
            merge.merge_sha = made.sha
            return [*own, made]
        if method != "train" and not history.between(head, tip):
            return own
        new: list[Commit] = []
        for commit in own:
            if len(commit.parents) < 2:
                new.append(history.copy(commit, new[-1].sha if new else tip, by, now))
        if method != "train":
            merge.head_sha, merge.commits = new[-1].sha, [one.sha for one in new]
            history.branches[merge.source] = merge.head_sha
        return new

    def _words(self, project: Project, merge: Merge, closing: Sequence[tuple[Project, Issue]]) -> str:
        """The default template of "Commit message templates"."""
        lines = [f"Merge branch '{merge.source}' into '{merge.target}'", "", merge.title, ""]
        if closing:
            lines += ["Closes " + " and ".join(self.reference(home, one, project) for home, one in closing), ""]
        return "\n".join([*lines, f"See merge request {project.path}!{merge.iid}"])

    def revert_merge(self, repo: str, iid: int, by: str, method: Method = "merge") -> str:
        """GitLab's Revert button, its merge request merged; ValueError where there is no such button, which is so for
        what came by fast-forward without a squash. Returns the sha on the target branch."""
        with self.lock:
            project, merge = self._merge(repo, iid)
            sha = merge.merge_sha or merge.squash_sha
            if sha is None:
                raise ValueError(f"{repo}!{iid} cannot be reverted by a button")
            commit = project.history.commits[sha]
            head = f"revert-{sha[:8]}"
            tip = project.history.branches[merge.target]
            undone = self._undo(project, commit, tip, by)
            project.history.branches[head] = undone.sha
            self._tell_push(project, f"refs/heads/{head}", NO_COMMIT, undone.sha, [undone], by)
            title, _, body = undone.message.partition("\n\n")
            made = self._propose(project, by, title, body, merge.target, head)
            return self.merge(repo, made.iid, by, method)

    def close_merge(self, repo: str, iid: int, by: str) -> None:
        """Close a merge request without merging it."""
        with self.lock:
            project, merge = self._merge(repo, iid)
            merge.state, merge.closed_at = "closed", self._now()
            merge.updated = merge.closed_at
            merge.events.append(StateEvent(self._id(), by, self._now(), "closed"))
            self._tell_merge(project, merge, by, "close")


def brought(history: History, tip: str, head: str) -> Changes:
    """What `head` changes that `tip` does not have yet."""
    own = combined(one.changes for one in history.between(tip, head) if len(one.parents) < 2)
    there = combined(one.changes for one in history.between(head, tip) if len(one.parents) < 2)
    return tuple(change for change in own if change not in there)
