"""The GitLab stand-in's doings with git: commits, branches and tags, pushed as people push them."""

from __future__ import annotations

from integrations.sandbox.github.history import Commit
from integrations.sandbox.github.patches import inverse
from integrations.sandbox.gitlab.core import NO_COMMIT, Core
from integrations.sandbox.gitlab.records import Merge, Project
from integrations.sandbox.gitlab.references import closed_in


class CodeDoings(Core):
    """What is done on somebody's machine, or by a button, and pushed. `by`: a login, by default the owner's."""

    def commit(self, repo: str, branch: str, message: str, by: str | None = None) -> str:
        """Push one commit to `branch`; on the default branch, closing patterns in `message` work. Returns its sha."""
        with self.lock:
            project, before = self._branch(repo, branch)
            made = project.history.commit(branch, message, by or self.owner(project), self._now())
            self._pushed(project, branch, before, [made], made.author)
            return made.sha

    def revert(self, repo: str, branch: str, sha: str, by: str | None = None) -> str:
        """`git revert` of a commit, or of a merge to its first parent (`-m 1`), pushed. Returns its sha."""
        with self.lock:
            project, before = self._branch(repo, branch)
            undone = project.history.undo(self._resolved(project, sha), before, by or self.owner(project), self._now())
            return self._push_one(project, branch, before, undone)

    def revert_by_button(self, repo: str, branch: str, sha: str, by: str | None = None) -> str:
        """GitLab's own Revert button, without a merge request: it names the merge request where one brought the commit
        ("Revert and undo changes"). Returns the revert's sha."""
        with self.lock:
            project, before = self._branch(repo, branch)
            made = self._undo(project, self._resolved(project, sha), before, by or self.owner(project))
            return self._push_one(project, branch, before, made)

    def _undo(self, project: Project, commit: Commit, onto: str, by: str) -> Commit:
        merge = self._brought_by(project, commit.sha)
        what = f"merge request !{merge.iid}" if merge else f"commit {commit.sha}"
        message = f'Revert "{commit.subject}"\n\nThis reverts {what}'
        return project.history.write((onto,), message, by, self._now(), changes=inverse(commit.changes))

    @staticmethod
    def _brought_by(project: Project, sha: str) -> Merge | None:
        """The merge request whose merge or squash commit that is."""
        return next((one for one in project.merges.values() if sha in (one.merge_sha, one.squash_sha)), None)

    def cherry_pick(self, repo: str, branch: str, sha: str, by: str | None = None, trailer: bool = True) -> str:
        """Cherry-pick onto `branch`, pushed. `trailer`: by GitLab's button, which names the original in the message and
        notes it on the merge request that brought it ("Cherry-pick changes"); else by hand, without a word."""
        with self.lock:
            project, before = self._branch(repo, branch)
            original = self._resolved(project, sha)
            message = original.message
            if trailer:
                gap = "\n" if message.rpartition("\n")[2].startswith("(cherry picked from commit ") else "\n\n"
                message += f"{gap}(cherry picked from commit {original.sha})"
            who = by or self.owner(project)
            made = project.history.copy(original, before, who, self._now(), message)
            merge = self._brought_by(project, original.sha)
            if trailer and merge:
                link = f"[`{branch}`](/{project.path}/-/tree/{branch})"
                self._system_note(merge, who, f"picked the changes into the branch {link} with commit {made.sha}")
                merge.picks.append(made.sha)
            return self._push_one(project, branch, before, made)

    def merge_branch(self, repo: str, base: str, head: str, by: str | None = None) -> str:
        """`git merge --no-ff` of `head` (branch, tag or sha) into branch `base`, pushed. Returns the merge's sha."""
        with self.lock:
            project, before = self._branch(repo, base)
            who, tip = by or self.owner(project), self._resolved(project, head).sha
            message = f"Merge branch '{head}'" + ("" if base in ("main", "master") else f" into {base}")
            new = project.history.merge(base, tip, "merge", message, who, self._now(), committer=who)
            if not new:
                raise ValueError(f"{base} has all of {head} already")
            self._pushed(project, base, before, new, who)
            return new[-1].sha

    def force_push(self, repo: str, branch: str, to: str) -> None:
        """Point a branch somewhere else, whatever it loses by that."""
        with self.lock:
            project, before = self._branch(repo, branch)
            after = self._resolved(project, to).sha
            project.history.branches[branch] = after
            self._pushed(project, branch, before, project.history.between(before, after), self.owner(project))

    def _push_one(self, project: Project, branch: str, before: str, made: Commit) -> str:
        project.history.branches[branch] = made.sha
        self._pushed(project, branch, before, [made], made.committer)
        return made.sha

    def _branch(self, repo: str, branch: str) -> tuple[Project, str]:
        """The project, and where the branch stands."""
        project = self._project(repo)
        if branch not in project.history.branches:
            raise LookupError(f"{repo} has no branch {branch}")
        return project, project.history.branches[branch]

    @staticmethod
    def _resolved(project: Project, ref: str) -> Commit:
        commit = project.history.resolve(ref)
        if commit is None:
            raise LookupError(f"{project.path} has no commit {ref}")
        return commit

    def _pushed(self, project: Project, branch: str, before: str, new: list[Commit], by: str) -> None:
        """Tell of a push, let open merge requests grow, and on the default branch let the commits' words close."""
        after = project.history.branches[branch]
        self._tell_push(project, f"refs/heads/{branch}", before, after, new, by)
        for merge in list(project.merges.values()):
            if merge.state == "opened" and merge.source == branch:
                merge.head_sha, merge.updated = after, self._now()
                base = project.history.branches.get(merge.target, merge.base_sha)
                merge.commits = [commit.sha for commit in project.history.between(base, after)]
                merge.closes = [issue for _, issue in self.closing(project, merge)]
                self._tell_merge(project, merge, by, "update", oldrev=before)
        for commit in new:
            self._mention(project, commit, by, commit.message)
            if branch == project.default_branch:
                for home, issue in self.named(project, closed_in(commit.message)):
                    if issue.open:
                        self._close(home, issue, by, commit=commit.sha)

    # --- branches and tags --------------------------------------------------------------------------------------------

    def branch(self, repo: str, name: str, start: str) -> None:
        """A new branch at `start` (branch, tag or sha)."""
        with self.lock:
            project = self._project(repo)
            commit = project.history.resolve(start)
            if commit is None or name in project.history.branches:
                raise ValueError(f"cannot start {name} at {start}")
            project.history.branches[name] = commit.sha
            self._tell_push(project, f"refs/heads/{name}", NO_COMMIT, commit.sha, [], self.owner(project))

    def delete_branch(self, repo: str, name: str) -> None:
        with self.lock:
            project, before = self._branch(repo, name)
            if name == project.default_branch:
                raise ValueError(f"{name} is the default branch")
            del project.history.branches[name]
            self._tell_push(project, f"refs/heads/{name}", before, NO_COMMIT, [], self.owner(project))

    def rename_branch(self, repo: str, old: str, new: str) -> None:
        """GitLab has no button for it: a new branch, made the default one where the old was, which is then deleted.
        Open merge requests that aimed at it aim at the new one, by hand."""
        with self.lock:
            project, before = self._branch(repo, old)
            self.branch(repo, new, before)
            if project.default_branch == old:
                project.default_branch = new
                project.protected_branches.add(new)
            for merge in project.merges.values():
                if merge.state == "opened" and merge.target == old:
                    merge.target = new
            project.protected_branches.discard(old)
            self.delete_branch(repo, old)

    def tag(self, repo: str, name: str, target: str, annotation: str | None = None) -> None:
        """A new tag at `target` (branch, tag or sha), without a release; annotated, if an `annotation` is given."""
        with self.lock:
            project = self._project(repo)
            commit = project.history.resolve(target)
            if commit is None or name in project.history.tags:
                raise ValueError(f"cannot tag {target} as {name}")
            by = self.owner(project)
            project.history.put_tag(name, commit.sha, annotation, by, self._now())
            self._tell_push(project, f"refs/tags/{name}", NO_COMMIT, project.history.tip(name), [commit], by)

    def move_tag(self, repo: str, tag: str, to: str) -> None:
        """`git tag --force` and `git push --force`: the same tag names another commit; a release keeps the old."""
        with self.lock:
            project, before = self._tag(repo, tag)
            old, by = project.history.annotated.get(tag), self.owner(project)
            commit = self._resolved(project, to)
            project.history.put_tag(tag, commit.sha, old.message if old else None, by, self._now())
            self._tell_push(project, f"refs/tags/{tag}", before, project.history.tip(tag), [commit], by)

    def delete_tag(self, repo: str, tag: str, pushed: bool = False) -> None:
        """Delete a tag, with its release where it is done in GitLab; one that is `pushed` leaves the release."""
        with self.lock:
            project, before = self._tag(repo, tag)
            del project.history.tags[tag]
            project.history.annotated.pop(tag, None)
            if not pushed:
                project.releases = [release for release in project.releases if release.tag != tag]
            self._tell_push(project, f"refs/tags/{tag}", before, NO_COMMIT, [], self.owner(project))

    def protect_tags(self, repo: str, pattern: str) -> None:
        """Only maintainers may make tags of that name (`*` for anything) from now on."""
        with self.lock:
            self._project(repo).protected_tags.add(pattern)
            self.version += 1

    def _tag(self, repo: str, tag: str) -> tuple[Project, str]:
        """The project, and what the tag's ref points to."""
        project = self._project(repo)
        if tag not in project.history.tags:
            raise LookupError(f"{repo} has no tag {tag}")
        return project, project.history.tip(tag)
