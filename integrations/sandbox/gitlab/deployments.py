"""The GitLab stand-in's releases, environments and deployments ("Releases API", "Environments", "Deployments API")."""

from __future__ import annotations

import re
from datetime import datetime

from integrations.sandbox.gitlab.doings_code import CodeDoings
from integrations.sandbox.gitlab.records import Deployment, Environment, Project, Release

STATUSES = ("created", "running", "success", "failed", "canceled", "skipped", "blocked")
ENDED = ("success", "failed", "canceled", "skipped")
TIERS = ("production", "staging", "testing", "development", "other")
_TIER_BY_NAME = (  # "Deployment tier of environments": the first that fits
    (r"dev|review|trunk", "development"),
    (r"test|tst|int|ac(ce|)pt|qa|qc|control|quality", "testing"),
    (r"st(a|)g|mod(e|)l|pre|demo|non", "staging"),
    (r"pr(o|)d|live", "production"),
)


class ShippingDoings(CodeDoings):
    # --- releases -----------------------------------------------------------------------------------------------------

    def publish_release(
        self,
        repo: str,
        tag: str,
        name: str = "",
        target: str = "",
        released_at: datetime | None = None,
        *,
        body: str = "",
        by: str | None = None,
    ) -> int:
        """A release of `tag`, which is made at `target` (the default branch) unless it exists. Returns its id.

        `released_at` in the future: an upcoming release; no webhook tells when its time has come.
        """
        with self.lock:
            project = self._project(repo)
            if any(release.tag == tag for release in project.releases):
                raise ValueError(f"{tag} is released")
            if tag not in project.history.tags:
                self._resolved(project, target or project.default_branch)
                self.tag(repo, tag, target or project.default_branch)
            now, who = self._now(), by or self.owner(project)
            sha = project.history.tags[tag]
            release = Release(self._id(), tag, name or tag, body, who, now, released_at or now, sha)
            project.releases.append(release)
            self._tell(project, "release_hooks", self.shapes.release_event(project, release, "create"))
            return release.id

    def edit_release(self, repo: str, tag: str, body: str | None = None, released_at: datetime | None = None) -> None:
        with self.lock:
            project, release = self._release(repo, tag)
            release.body = release.body if body is None else body
            release.released = released_at or release.released
            self._tell(project, "release_hooks", self.shapes.release_event(project, release, "update"))

    def delete_release(self, repo: str, tag: str) -> None:
        """Delete a release; its tag stays."""
        with self.lock:
            project, release = self._release(repo, tag)
            project.releases.remove(release)
            self._tell(project, "release_hooks", self.shapes.release_event(project, release, "delete"))

    def _release(self, repo: str, tag: str) -> tuple[Project, Release]:
        project = self._project(repo)
        for release in project.releases:
            if release.tag == tag:
                return project, release
        raise LookupError(f"{repo} has no release {tag}")

    # --- deployments --------------------------------------------------------------------------------------------------

    def deploy(
        self,
        repo: str,
        environment: str,
        ref: str = "",
        status: str = "success",
        tier: str = "",
        *,
        by: str | None = None,
        job: bool = True,
        sha: str = "",
    ) -> int:
        """A new deployment of `ref` (branch, tag or sha; the default branch) that comes to `status` at once. Returns
        its id.

        `job`: by a pipeline, else by the API. `sha`: another commit of that branch, as when an older pipeline runs
        again. A rollback is a deployment of an older commit.
        """
        with self.lock:
            project = self._project(repo)
            ref = ref or project.default_branch
            commit = self._resolved(project, sha or ref)
            known = ref in project.history.tags or ref in project.history.branches
            place, now = self._environment(project, environment, tier), self._now()
            made = Deployment(
                self._id(),
                len(project.deployments) + 1,
                place,
                ref if known else project.default_branch,
                ref in project.history.tags,
                commit.sha,
                by or self.owner(project),
                "created",
                now,
                now,
                self._id() if job else None,
                self._id() if job else None,
            )
            project.deployments.append(made)
            self.version += 1
            if status == "created":
                return made.id
            if status != "running":
                self.deployment_status(repo, made.id, "running")
            self.deployment_status(repo, made.id, status)
            return made.id

    def deployment_status(self, repo: str, deployment_id: int, status: str) -> None:
        """A deployment comes to that status, whatever it was before; a success links the merge requests it ships."""
        with self.lock:
            project = self._project(repo)
            deployment = self.find_deployment(project, deployment_id)
            if status not in STATUSES:
                raise ValueError(f"no status {status}")
            now = self._now()
            deployment.status, deployment.updated = status, now
            if status in ENDED:
                deployment.finished = now
            if status == "success":
                deployment.environment.state, deployment.environment.updated = "available", now
                self._link(project, deployment)
            self._tell(project, "deployment_hooks", self.shapes.deployment_event(project, deployment))
            if deployment.job and status in ENDED:
                self._tell(project, "pipeline_hooks", self.shapes.pipeline_event(project, deployment))

    def _link(self, project: Project, deployment: Deployment) -> None:
        """Merge requests whose merge or squash commit is new since the deployment before; with none before, all that
        were merged to the deployed branch. None for environments in folders ("Track newly included merge requests per
        deployment")."""
        if deployment.environment.folder:
            return
        there = [one for one in project.deployments if one.environment is deployment.environment]
        before = [one for one in there[: there.index(deployment)] if one.status == "success"]
        merged = [one for one in project.merges.values() if one.state == "merged"]
        if before:
            new = {one.sha for one in project.history.between(before[-1].sha, deployment.sha)}
            found = [one for one in merged if {one.merge_sha, one.squash_sha, *one.commits, *one.picks} & new]
        else:
            found = [one for one in merged if one.target == deployment.ref]
        linked = {one.id for other in there for one in other.merges}
        deployment.merges += [one for one in found if one.id not in linked]

    @staticmethod
    def find_deployment(project: Project, deployment_id: int) -> Deployment:
        for deployment in project.deployments:
            if deployment.id == deployment_id:
                return deployment
        raise LookupError(f"{project.path} has no deployment {deployment_id}")

    def current(self, project: Project, environment: Environment) -> Deployment | None:
        """`last_deployment`: the one that succeeded last."""
        found = [one for one in project.deployments if one.environment is environment and one.status == "success"]
        return max(found, key=lambda one: (one.finished or one.updated, one.id), default=None)

    def environment(self, repo: str, name: str, tier: str = "") -> None:
        """A new environment, without a deployment; where it exists, its tier is set."""
        with self.lock:
            self._environment(self._project(repo), name, tier)
            self.version += 1

    def stop_environment(self, repo: str, name: str) -> None:
        with self.lock:
            place = self._project(repo).environments.get(name)
            if place is None:
                raise LookupError(f"{repo} has no environment {name}")
            place.state, place.updated = "stopped", self._now()
            self.version += 1

    def _environment(self, project: Project, name: str, tier: str) -> Environment:
        if tier and tier not in TIERS:
            raise ValueError(f"no tier {tier}")
        place = project.environments.get(name)
        if place is None:
            now = self._now()
            place = Environment(self._id(), name, tier or guessed_tier(name), now, now)
            project.environments[name] = place
        elif tier:
            place.tier = tier
        return place


def guessed_tier(name: str) -> str:
    return next((tier for pattern, tier in _TIER_BY_NAME if re.search(pattern, name, re.IGNORECASE)), "other")
