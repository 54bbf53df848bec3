"""The GitHub stand-in's deployments, their statuses and environments ("GitHub REST API", Deployments)."""

from __future__ import annotations

from typing import Any

from integrations.sandbox.github.core import Core
from integrations.sandbox.github.records import Deployment, DeploymentStatus, Environment, Repository

STATES = ("error", "failure", "inactive", "in_progress", "queued", "pending", "success")


class DeploymentDoings(Core):
    def deploy(
        self,
        full_name: str,
        environment: str,
        ref: str = "main",
        *,
        by: str | None = None,
        state: str | None = "success",
        production: bool | None = None,
        transient: bool = False,
        **more: Any,
    ) -> int:
        """A new deployment of `ref` with a first status (None: without one). Returns its id.

        `production`: None for GitHub's default, which is whether the environment is called "production".
        `more`: `task`, `payload`, `description`.
        """
        with self.lock:
            repo = self._repo(full_name)
            commit = repo.history.resolve(ref)
            if commit is None:
                raise LookupError(f"{full_name} has no {ref}")
            now, live = self._now(), environment == "production" if production is None else production
            who = by or repo.owner
            made = Deployment(
                self._id(), commit.sha, ref, environment, environment, who, now, now, live, transient, **more
            )
            repo.deployments.append(made)
            self._environment(repo, environment)
            shape = self.shapes.deployment(repo, made)
            self._tell(repo, "deployment", who, action="created", deployment=shape)
            if state is not None:
                self.deployment_status(full_name, made.id, state, by=who)
            return made.id

    def deployment_status(
        self,
        full_name: str,
        deployment_id: int,
        state: str,
        *,
        by: str | None = None,
        log_url: str = "",
        auto_inactive: bool = True,
        **more: str,
    ) -> None:
        """A new status. A success makes what ran there before inactive, except where "Deployments" makes an exception:
        transient and production environments. `more`: `description`, `environment_url`, `environment`."""
        with self.lock:
            repo = self._repo(full_name)
            deployment = self.find_deployment(repo, deployment_id)
            if state not in STATES:
                raise ValueError(f"no state {state}")
            deployment.environment = more.pop("environment", "") or deployment.environment
            self._environment(repo, deployment.environment)
            self._add_status(repo, deployment, state, by or repo.owner, log_url=log_url, **more)
            if state != "success" or not auto_inactive:
                return
            for other in repo.deployments[: repo.deployments.index(deployment)]:
                same = other.environment == deployment.environment and not other.transient and not other.production
                if same and other.statuses and other.statuses[-1].state == "success":
                    self._add_status(repo, other, "inactive", by or repo.owner)

    @staticmethod
    def find_deployment(repo: Repository, deployment_id: int) -> Deployment:
        for deployment in repo.deployments:
            if deployment.id == deployment_id:
                return deployment
        raise LookupError(f"{repo.full_name} has no deployment {deployment_id}")

    def _add_status(self, repo: Repository, deployment: Deployment, state: str, by: str, **more: str) -> None:
        at = self._now()
        status = DeploymentStatus(self._id(), state, by, at, deployment.environment, **more)
        deployment.statuses.append(status)
        deployment.updated = at
        shapes: Any = {
            "deployment_status": self.shapes.deployment_status(repo, deployment, status),
            "deployment": self.shapes.deployment(repo, deployment),
        }
        self._tell(repo, "deployment_status", by, action="created", **shapes)

    def _environment(self, repo: Repository, name: str) -> None:
        if name.lower() not in repo.environments:
            repo.environments[name.lower()] = Environment(self._id(), name, self._now())
