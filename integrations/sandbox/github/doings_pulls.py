"""The GitHub stand-in's doings with pull requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from integrations.sandbox.github.core import NO_COMMIT
from integrations.sandbox.github.doings_code import CodeDoings
from integrations.sandbox.github.records import Issue, Pull, Repository

Method = Literal["squash", "merge", "rebase"]


class PullDoings(CodeDoings):
    def open_pull(
        self,
        full_name: str,
        by: str,
        title: str,
        body: str = "",
        base: str = "main",
        *,
        commits: Sequence[str] = (),
        head: str = "",
    ) -> int:
        """A pull request from a new branch with `commits` (their messages; by default one, the title), or from the
        branch `head` as it stands. Returns its number."""
        with self.lock:
            repo, start = self._branch(full_name, base)
            if not head:
                head = f"patch-{repo.numbers + 1}"
                repo.history.branches[head] = start
                new = [repo.history.commit(head, words, by, self._now()) for words in commits or [title]]
                self._tell_push(repo, f"refs/heads/{head}", NO_COMMIT, new[-1].sha, new, by)
            return self._propose(repo, by, title, body, base, head).number

    def _propose(self, repo: Repository, by: str, title: str, body: str, base: str, head: str) -> Issue:
        start, tip = repo.history.branches[base], self._branch(repo.full_name, head)[1]
        own = [commit.sha for commit in repo.history.between(start, tip)]
        if not own:
            raise ValueError(f"no commits between {base} and {head}")
        test = repo.history.write((start, tip), f"Merge {tip} into {start}", by, self._now())
        issue = self._new_issue(repo, by, title, body, Pull(base, head, start, tip, test.sha, commits=own))
        shape = self.shapes.pull(repo, issue)
        self._tell(repo, "pull_request", by, action="opened", number=issue.number, pull_request=shape)
        return issue

    def merge_pull(self, full_name: str, number: int, by: str, method: Method = "squash") -> str:
        """Merge, and close what its words, its links or its commits close.

        Returns the sha that stands for it on the base branch. Squashed commits keep title and description as message,
        or the title alone, two of the settings in "Configuring commit squashing": `squash_with`.
        """
        with self.lock:
            repo, issue = self._issue(full_name, number)
            pull = issue.pull
            if pull is None or not issue.open:
                raise ValueError(f"{full_name}#{number} cannot be merged")
            before = repo.history.branches[pull.base]
            words = issue.body or "" if repo.squash_message == "PR_BODY" else ""
            message = f"{issue.title} (#{number})\n\n{words}"
            if method == "merge":
                message = f"Merge pull request #{number} from {repo.owner}/{pull.head}\n\n{issue.title}"
            pull.head_sha = repo.history.branches[pull.head]
            author = issue.by if method == "squash" else by
            new = repo.history.merge(pull.base, pull.head_sha, method, message.strip(), author, self._now())
            if not new:
                raise ValueError(f"{full_name}#{number} has nothing to merge")
            pull.merge_sha = new[-1].sha
            pull.brought = [one.sha for one in new] if method == "rebase" else [pull.merge_sha]
            pull.merged_at, pull.merged_by = self._now(), by
            self._note(issue, "merged", by, commit_id=pull.merge_sha)
            self._close(repo, issue, by, None, None)
            for home, other in self.closes(repo, issue) if pull.base == repo.default_branch else ():
                if other.open:
                    self._close(home, other, by, "completed", pull.merge_sha, repo)
            self._pushed(repo, pull.base, before, new, by)
            return pull.merge_sha

    def squash_with(self, full_name: str, words: Literal["PR_BODY", "BLANK"]) -> None:
        """What squashed commits say below their title ("Update a repository": `squash_merge_commit_message`)."""
        with self.lock:
            self._repo(full_name).squash_message = words

    def revert_pull(self, full_name: str, number: int, by: str, method: Method = "squash") -> str:
        """GitHub's Revert button, its pull request merged. Returns the sha on the base branch."""
        with self.lock:
            repo, issue = self._issue(full_name, number)
            pull = issue.pull
            if pull is None or pull.merge_sha is None:
                raise ValueError(f"{full_name}#{number} is not merged")
            head = f"revert-{number}-{pull.head}"
            repo.history.branches[head] = repo.history.branches[pull.base]
            for sha in reversed(pull.brought):
                tip = repo.history.undo(repo.history.commits[sha], repo.history.branches[head], by, self._now())
                repo.history.branches[head] = tip.sha
            made = self._propose(
                repo, by, f'Revert "{issue.title}"', f"Reverts {repo.full_name}#{number}", pull.base, head
            )
            return self.merge_pull(full_name, made.number, by, method)

    def link_pull(self, full_name: str, number: int, issue: int | str) -> None:
        """Link an issue (a number, or "owner/name#n") to a pull request in its Development panel."""
        with self.lock:
            repo, pull = self._issue(full_name, number)
            if pull.pull is None:
                raise ValueError(f"{full_name}#{number} is no pull request")
            name, _, digits = str(issue).rpartition("#")
            _, target = self._issue(name or full_name, int(digits))
            pull.pull.linked.append(target)
            self._note(target, "connected", repo.owner)

    def close_pull(self, full_name: str, number: int, by: str) -> None:
        """Close a pull request without merging it."""
        with self.lock:
            self._close(*self._issue(full_name, number), by, None, None)
