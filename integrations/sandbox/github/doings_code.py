"""The GitHub stand-in's doings with git: commits, branches and tags, pushed as people push them."""

from __future__ import annotations

from integrations.sandbox.github.core import NO_COMMIT, Core
from integrations.sandbox.github.history import Commit
from integrations.sandbox.github.records import Repository


class CodeDoings(Core):
    """What is done on somebody's machine and pushed. `by`: a login, by default the repository's owner."""

    def commit(self, full_name: str, branch: str, message: str, by: str | None = None) -> str:
        """Push one commit to `branch`; on the default branch, closing keywords in `message` work. Returns its sha."""
        with self.lock:
            repo, before = self._branch(full_name, branch)
            made = repo.history.commit(branch, message, by or repo.owner, self._now())
            self._pushed(repo, branch, before, [made], made.author)
            return made.sha

    def revert(self, full_name: str, branch: str, sha: str, by: str | None = None) -> str:
        """`git revert` of a commit, or of a merge to its first parent (`-m 1`), pushed. Returns its sha."""
        with self.lock:
            repo, before = self._branch(full_name, branch)
            undone = repo.history.undo(self._resolved(repo, sha), before, by or repo.owner, self._now())
            return self._push_one(repo, branch, before, undone)

    def cherry_pick(self, full_name: str, branch: str, sha: str, by: str | None = None, trailer: bool = True) -> str:
        """`git cherry-pick` onto `branch`, pushed; `trailer`: with `-x`, which names the original in the message."""
        with self.lock:
            repo, before = self._branch(full_name, branch)
            original = self._resolved(repo, sha)
            message = original.message
            if trailer:
                gap = "\n" if message.rpartition("\n")[2].startswith("(cherry picked from commit ") else "\n\n"
                message += f"{gap}(cherry picked from commit {original.sha})"
            made = repo.history.copy(original, before, by or repo.owner, self._now(), message)
            return self._push_one(repo, branch, before, made)

    def merge_branch(self, full_name: str, base: str, head: str, by: str | None = None) -> str:
        """`git merge --no-ff` of `head` (branch, tag or sha) into branch `base`, pushed. Returns the merge's sha."""
        with self.lock:
            repo, before = self._branch(full_name, base)
            who, tip = by or repo.owner, self._resolved(repo, head).sha
            message = f"Merge branch '{head}'" + ("" if base in ("main", "master") else f" into {base}")
            new = repo.history.merge(base, tip, "merge", message, who, self._now(), committer=who)
            if not new:
                raise ValueError(f"{base} has all of {head} already")
            self._pushed(repo, base, before, new, who)
            return new[-1].sha

    def force_push(self, full_name: str, branch: str, to: str) -> None:
        """Point a branch somewhere else, whatever it loses by that."""
        with self.lock:
            repo, before = self._branch(full_name, branch)
            after = self._resolved(repo, to).sha
            repo.history.branches[branch] = after
            self._pushed(repo, branch, before, repo.history.between(before, after), repo.owner, forced=True)

    def _push_one(self, repo: Repository, branch: str, before: str, made: Commit) -> str:
        repo.history.branches[branch] = made.sha
        self._pushed(repo, branch, before, [made], made.committer)
        return made.sha

    def _branch(self, full_name: str, branch: str) -> tuple[Repository, str]:
        """The repository, and where the branch stands."""
        repo = self._repo(full_name)
        if branch not in repo.history.branches:
            raise LookupError(f"{full_name} has no branch {branch}")
        return repo, repo.history.branches[branch]

    @staticmethod
    def _resolved(repo: Repository, ref: str) -> Commit:
        commit = repo.history.resolve(ref)
        if commit is None:
            raise LookupError(f"{repo.full_name} has no commit {ref}")
        return commit

    def _pushed(
        self, repo: Repository, branch: str, before: str, new: list[Commit], by: str, forced: bool = False
    ) -> None:
        """Tell of a push, let the commits' words close issues on the default branch, and open pull requests grow."""
        after = repo.history.branches[branch]
        self._tell_push(repo, f"refs/heads/{branch}", before, after, new, by, forced)
        for issue in list(repo.issues.values()):
            if issue.pull and issue.open and issue.pull.head == branch:
                issue.pull.head_sha = after
                base = repo.history.branches.get(issue.pull.base, issue.pull.base_sha)
                issue.pull.commits = [commit.sha for commit in repo.history.between(base, after)]
                self._tell_issue(repo, issue, by, "synchronize", before=before, after=after)
        if branch != repo.default_branch:
            return
        for commit in new:
            for _, issue in self.named_in(repo, commit.message):
                self._note(issue, "referenced", by, commit_id=commit.sha, commit_repo=repo)
            for home, issue in self.named_in(repo, commit.message, closing=True):
                if issue.open and issue.pull is None:
                    self._close(home, issue, by, "completed", commit.sha, repo)

    # --- branches and tags --------------------------------------------------------------------------------------------

    def branch(self, full_name: str, name: str, start: str) -> None:
        """A new branch at `start` (branch, tag or sha)."""
        with self.lock:
            repo = self._repo(full_name)
            commit = repo.history.resolve(start)
            if commit is None or name in repo.history.branches:
                raise ValueError(f"cannot start {name} at {start}")
            repo.history.branches[name] = commit.sha
            self._tell_push(repo, f"refs/heads/{name}", NO_COMMIT, commit.sha, [], commit.author)

    def rename_branch(self, full_name: str, old: str, new: str) -> None:
        """As with the button: pull requests follow, and so does being the default branch."""
        with self.lock:
            repo, _ = self._branch(full_name, old)
            if new in repo.history.branches:
                raise ValueError(f"{full_name} has a branch {new}")
            repo.history.branches[new] = repo.history.branches.pop(old)
            repo.renamed[old] = new
            for issue in repo.issues.values():
                if issue.pull and issue.open and issue.pull.base == old:
                    issue.pull.base = new
            self.version += 1
            if repo.default_branch == old:
                repo.default_branch = new
                changes = {"default_branch": {"from": old}}
                self._tell(repo, "repository", repo.owner, action="edited", changes=changes)

    def tag(self, full_name: str, name: str, target: str, annotation: str | None = None) -> None:
        """A new tag at `target` (branch, tag or sha), without a release; annotated, if an `annotation` is given."""
        with self.lock:
            repo = self._repo(full_name)
            commit = repo.history.resolve(target)
            if commit is None or name in repo.history.tags:
                raise ValueError(f"cannot tag {target} as {name}")
            repo.history.put_tag(name, commit.sha, annotation, repo.owner, self._now())
            tip = repo.history.tip(name)
            self._tell_push(repo, f"refs/tags/{name}", NO_COMMIT, tip, [], repo.owner)

    def move_tag(self, full_name: str, tag: str, to: str) -> None:
        """`git tag --force` and `git push --force`: the same tag names another commit."""
        with self.lock:
            repo, before = self._tag(full_name, tag)
            old = repo.history.annotated.get(tag)
            sha = self._resolved(repo, to).sha
            repo.history.put_tag(tag, sha, old.message if old else None, repo.owner, self._now())
            self._tell_push(repo, f"refs/tags/{tag}", before, repo.history.tip(tag), [], repo.owner, forced=True)

    def delete_tag(self, full_name: str, tag: str) -> None:
        """Delete a tag; a release that it had turns into a draft, as on GitHub."""
        with self.lock:
            repo, before = self._tag(full_name, tag)
            del repo.history.tags[tag]
            repo.history.annotated.pop(tag, None)
            self._tell_push(repo, f"refs/tags/{tag}", before, NO_COMMIT, [], repo.owner)
            for release in repo.releases:
                if release.tag == tag and not release.draft:
                    release.draft, release.published = True, None
                    shape = self.shapes.release(repo, release)
                    self._tell(repo, "release", repo.owner, action="unpublished", release=shape)

    def _tag(self, full_name: str, tag: str) -> tuple[Repository, str]:
        """The repository, and what the tag's ref points to."""
        repo = self._repo(full_name)
        if tag not in repo.history.tags:
            raise LookupError(f"{full_name} has no tag {tag}")
        return repo, repo.history.tip(tag)
