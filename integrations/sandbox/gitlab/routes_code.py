"""The GitLab stand-in's routes for merge requests, commits, comparisons, branches and tags."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from integrations.sandbox.github.history import Commit
from integrations.sandbox.gitlab.asked import Asked, Refused, Reply, missing, wrong
from integrations.sandbox.gitlab.hub import Hub
from integrations.sandbox.gitlab.records import Merge, Project
from integrations.sandbox.gitlab.rest import Door, Handler
from integrations.sandbox.gitlab.routes_notes import sorted_notes

MOST_FILES = 1000  # "Diff limits"


class CodeRoutes:
    def __init__(self, hub: Hub, door: Door) -> None:
        self.hub = hub
        self.door = door
        self.shapes = hub.shapes

    def table(self) -> dict[str, dict[str, Handler]]:
        merge, git = "projects/:id/merge_requests/:iid", "projects/:id/repository"
        return {
            "projects/:id/merge_requests": {"GET": self.list_merges},
            merge: {"GET": self.show_merge},
            f"{merge}/commits": {"GET": self.merge_commits},
            f"{merge}/closes_issues": {"GET": self.closes_issues},
            f"{merge}/notes": {"GET": self.merge_notes},
            f"{merge}/resource_state_events": {"GET": self.merge_events},
            f"{git}/commits": {"GET": self.list_commits},
            f"{git}/commits/:sha": {"GET": self.show_commit},
            f"{git}/commits/:sha/diff": {"GET": self.commit_diff},
            f"{git}/commits/:sha/refs": {"GET": self.commit_refs},
            f"{git}/commits/:sha/merge_requests": {"GET": self.commit_merges},
            f"{git}/compare": {"GET": self.compare},
            f"{git}/merge_base": {"GET": self.merge_base},
            f"{git}/tags": {"GET": self.list_tags},
            f"{git}/tags/:name": {"GET": self.show_tag},
            f"{git}/branches": {"GET": self.list_branches},
            f"{git}/branches/:name": {"GET": self.show_branch},
            "projects/:id/protected_tags": {"GET": self.protected_tags},
        }

    # --- merge requests -----------------------------------------------------------------------------------------------

    def _merge(self, asked: Asked) -> tuple[Project, Merge]:
        project = self.door.code(asked)
        merge = project.merges.get(asked.iid())
        if merge is None:
            raise missing()
        return project, merge

    def list_merges(self, asked: Asked) -> Reply:
        project, given = self.door.code(asked), asked.given
        state = asked.choice("state", "all", "opened", "closed", "merged", "locked")
        order = asked.choice("order_by", "created_at", "updated_at", "merged_at", "title")
        found = [
            merge
            for merge in project.merges.values()
            if state in ("all", merge.state)
            and asked.within("updated", merge.updated)
            and asked.within("created", merge.created)
            and ("merged_after" not in given or (merge.merged_at and asked.within("merged", merge.merged_at)))
            and merge.iid in (asked.numbers("iids") or [merge.iid])
            and given.get("target_branch", merge.target) == merge.target
            and given.get("source_branch", merge.source) == merge.source
            and str(given.get("author_username", merge.by)) == merge.by
            and str(given.get("search", "")).lower() in f"{merge.title}\n{merge.body}".lower()
        ]
        keys: dict[str, Callable[[Merge], Any]] = {
            "created_at": lambda merge: (merge.created, merge.id),
            "updated_at": lambda merge: (merge.updated, merge.id),
            "merged_at": lambda merge: (merge.merged_at or merge.created, merge.id),
            "title": lambda merge: (merge.title, merge.id),
        }
        found.sort(key=keys[order], reverse=asked.choice("sort", "desc", "asc") == "desc")
        return asked.page(found, lambda merge: self.shapes.merge(project, merge))

    def show_merge(self, asked: Asked) -> Reply:
        return Reply(self.shapes.whole_merge(*self._merge(asked)))

    def merge_commits(self, asked: Asked) -> Reply:
        project, merge = self._merge(asked)
        commits = [project.history.commits[sha] for sha in reversed(merge.commits)]
        return asked.page(commits, lambda commit: self.shapes.commit(project, commit))

    def closes_issues(self, asked: Asked) -> Reply:
        """Issues of projects that this token may not see are left out."""
        project, merge = self._merge(asked)
        found = [pair for pair in self.hub.closing(project, merge) if self._sees(asked, *pair)]
        return asked.page(found, lambda pair: self.shapes.issue(*pair))

    def _sees(self, asked: Asked, project: Project, issue: Any) -> bool:
        return self.door.sees(asked.token, project) and self.door.sees_issue(asked, project, issue)

    def merge_notes(self, asked: Asked) -> Reply:
        project, merge = self._merge(asked)
        return asked.page(sorted_notes(asked, merge.notes), lambda note: self.shapes.note(project, merge, note))

    def merge_events(self, asked: Asked) -> Reply:
        _, merge = self._merge(asked)
        return asked.page(merge.events, lambda event: self.shapes.state_event(merge, event))

    # --- commits ------------------------------------------------------------------------------------------------------

    def _commit(self, asked: Asked) -> tuple[Project, Commit]:
        project = self.door.code(asked)
        commit = project.history.resolve(asked.parts["sha"])
        if commit is None:
            raise missing("Commit")
        return project, commit

    def list_commits(self, asked: Asked) -> Reply:
        """Newest first, without totals; `ref_name` may be a range ("a..b"); one that is not known lists nothing."""
        project = self.door.code(asked)
        history = project.history
        base, dots, head = str(asked.given.get("ref_name") or project.default_branch).rpartition("..")
        start, before = history.resolve(head), history.resolve(base) if dots else None
        commits = history.log(start.sha) if start else []
        if dots:
            commits = history.between(before.sha, start.sha)[::-1] if start and before else []
        if asked.flag("all"):
            commits = list(reversed(history.commits.values()))
        if asked.flag("first_parent") and start:
            commits = _first_parents(project, start)
        since, until = asked.time("since"), asked.time("until")
        found = [one for one in commits if (not since or one.at >= since) and (not until or one.at <= until)]
        return asked.page(found, lambda commit: self.shapes.commit(project, commit), totals=False)

    def show_commit(self, asked: Asked) -> Reply:
        return Reply(self.shapes.whole_commit(*self._commit(asked)))

    def commit_diff(self, asked: Asked) -> Reply:
        _, commit = self._commit(asked)
        return asked.page(self.shapes.diffs(commit.changes, commit.sha), lambda shape: shape)

    def commit_refs(self, asked: Asked) -> Reply:
        """The branches and tags that contain the commit."""
        project, commit = self._commit(asked)
        kind = asked.choice("type", "all", "branch", "tag")
        kinds = {"branch": project.history.branches, "tag": project.history.tags}
        found = [
            {"type": one, "name": name}
            for one, names in kinds.items()
            for name, tip in sorted(names.items())
            if kind in ("all", one) and not project.history.between(tip, commit.sha)
        ]
        return asked.page(found, lambda shape: shape)

    def commit_merges(self, asked: Asked) -> Reply:
        """ "List merge requests associated with a commit": those that show it, and those it merged."""
        project, commit = self._commit(asked)
        found = [
            merge
            for merge in project.merges.values()
            if commit.sha in (*merge.commits, merge.merge_sha, merge.squash_sha)
        ]
        return asked.page(found[::-1], lambda merge: self.shapes.merge(project, merge))

    def _ends(self, project: Project, asked: Asked) -> tuple[Commit, Commit]:
        names = [asked.text(name, required=True) or "" for name in ("from", "to")]
        ends = [project.history.resolve(name) for name in names]
        if ends[0] is None or ends[1] is None:
            raise missing("Ref")
        return ends[0], ends[1]

    def compare(self, asked: Asked) -> Reply:
        """All commits that `to` has and `from` has not, oldest first, in one answer; `straight` is for the diffs."""
        project = self.door.code(asked)
        base, head = self._ends(project, asked)
        compared = project.history.compare(base.sha, head.sha)
        commits = compared.ahead if compared else project.history.between(base.sha, head.sha)
        diffs = self.shapes.diffs(compared.changes[:MOST_FILES], head.sha) if compared else []
        shape = {
            "commit": self.shapes.commit(project, commits[-1]) if commits else None,
            "commits": [self.shapes.commit(project, commit) for commit in commits],
            "diffs": diffs,
            "compare_timeout": False,
            "compare_same_ref": base is head,
            "web_url": f"{self.shapes.web(project)}/-/compare/{base.sha}...{head.sha}",
        }
        return Reply(shape)

    def merge_base(self, asked: Asked) -> Reply:
        project, refs = self.door.code(asked), asked.given.get("refs")
        if not isinstance(refs, list) or len(refs) < 2:
            raise wrong("Provide at least 2 refs" if refs else "refs is missing")
        commits = []
        for ref in refs:
            commit = project.history.resolve(str(ref))
            if commit is None:
                raise Refused(400, f"400 Bad request - Could not find ref: {ref}")
            commits.append(commit)
        shared = commits[0]
        for commit in commits[1:]:
            found = project.history.compare(shared.sha, commit.sha)
            if found is None:
                raise missing("Merge Base")
            shared = found.merge_base
        return Reply(self.shapes.commit(project, shared))

    # --- branches and tags --------------------------------------------------------------------------------------------

    def list_tags(self, asked: Asked) -> Reply:
        project = self.door.code(asked)
        order = asked.choice("order_by", "updated", "name", "version")
        descending = asked.choice("sort", "desc", "asc") == "desc"
        names = [name for name in project.history.tags if _matches(str(asked.given.get("search", "")), name)]

        def key(name: str) -> list[Any]:
            if order == "version":
                return [[int(one) if one.isdigit() else -1 for one in re.findall(r"\d+|[a-z]+", name.lower())], name]
            at = project.history.commits[project.history.tags[name]].at
            return [at.isoformat() if order == "updated" else "", name]

        names.sort(key=key, reverse=descending)
        if asked.given.get("pagination") == "keyset":
            return asked.keyset(names, lambda name: self.shapes.tag(project, name), key, descending)
        return asked.page(names, lambda name: self.shapes.tag(project, name))

    def show_tag(self, asked: Asked) -> Reply:
        project = self.door.code(asked)
        if asked.parts["name"] not in project.history.tags:
            raise missing("Tag")
        return Reply(self.shapes.tag(project, asked.parts["name"]))

    def list_branches(self, asked: Asked) -> Reply:
        project = self.door.code(asked)
        search = str(asked.given.get("search", ""))
        names = sorted(name for name in project.history.branches if _matches(search, name))
        return asked.page(names, lambda name: self.shapes.branch(project, name))

    def show_branch(self, asked: Asked) -> Reply:
        project = self.door.code(asked)
        if asked.parts["name"] not in project.history.branches:
            raise missing("Branch")
        return Reply(self.shapes.branch(project, asked.parts["name"]))

    def protected_tags(self, asked: Asked) -> Reply:
        project = self.door.project(asked, 40)
        levels = [{"id": 1, "access_level": 40, "access_level_description": "Maintainers"}]
        return asked.page(sorted(project.protected_tags), lambda name: {"name": name, "create_access_levels": levels})


def _first_parents(project: Project, start: Commit) -> list[Commit]:
    found = [start]
    while found[-1].parents:
        found.append(project.history.commits[found[-1].parents[0]])
    return found


def _matches(search: str, name: str) -> bool:
    """ "^v" for a beginning, "v$" for an end, anything else for a part."""
    if search.startswith("^"):
        return name.startswith(search[1:])
    return name.endswith(search[:-1]) if search.endswith("$") else search in name
