"""The GitHub stand-in's routes for deployments and environments ("GitHub REST API", Deployments)."""

from __future__ import annotations

from typing import Any

from integrations.sandbox.github.deployments import STATES
from integrations.sandbox.github.hub import Hub
from integrations.sandbox.github.records import Deployment, Repository
from integrations.sandbox.github.rest import Asked, Door, Refused, Reply, invalid, missing

MOST_DESCRIPTION = 140  # characters
FILTERS = ("environment", "ref", "sha", "task")


class DeploymentRoutes:
    def __init__(self, hub: Hub, door: Door) -> None:
        self.hub = hub
        self.door = door
        self.shapes = hub.shapes

    def list_deployments(self, asked: Asked) -> Reply:
        """ "List deployments": newest first; a filter that is empty or "none" asks for nothing."""
        repo = self.door.repository(asked)
        wanted = {name: value for name in FILTERS if (value := asked.query.get(name, "none")) not in ("", "none")}
        found = [
            deployment
            for deployment in reversed(repo.deployments)
            if all(getattr(deployment, name) == value for name, value in wanted.items())
        ]
        return asked.page(found, lambda deployment: self.shapes.deployment(repo, deployment))

    def _deployment(self, repo: Repository, asked: Asked) -> Deployment:
        try:
            return self.hub.find_deployment(repo, int(asked.parts["id"]))
        except LookupError:
            raise missing() from None

    def show_deployment(self, asked: Asked) -> Reply:
        repo = self.door.repository(asked)
        return Reply(self.shapes.deployment(repo, self._deployment(repo, asked)))

    def deploy(self, asked: Asked) -> Reply:
        """ "Create a deployment"; checks and merges (`required_contexts`, `auto_merge`) are not played."""
        repo, data = self.door.writable(asked, "push"), asked.fields
        ref = data.get("ref")
        if not isinstance(ref, str):
            raise invalid("Deployment", "ref", "missing_field")
        if repo.history.resolve(ref) is None:
            raise Refused(422, f"No ref found for: {ref}")
        given: dict[str, Any] = {key: data[key] for key in ("task", "payload", "description") if data.get(key)}
        made = self.hub.deploy(
            repo.full_name,
            data.get("environment") or "production",
            ref,
            by=asked.login,
            state=None,
            production=data.get("production_environment"),
            transient=bool(data.get("transient_environment")),
            **given,
        )
        shape = self.shapes.deployment(repo, self.hub.find_deployment(repo, made))
        return Reply(shape, 201, {"Location": shape["url"]})

    def list_statuses(self, asked: Asked) -> Reply:
        repo = self.door.repository(asked)
        deployment = self._deployment(repo, asked)
        newest = list(reversed(deployment.statuses))
        return asked.page(newest, lambda status: self.shapes.deployment_status(repo, deployment, status))

    def show_status(self, asked: Asked) -> Reply:
        repo = self.door.repository(asked)
        deployment = self._deployment(repo, asked)
        for status in deployment.statuses:
            if status.id == int(asked.parts["status"]):
                return Reply(self.shapes.deployment_status(repo, deployment, status))
        raise missing()

    def add_status(self, asked: Asked) -> Reply:
        """ "Create a deployment status"; `target_url` is the old name of `log_url`."""
        repo, data = self.door.writable(asked, "push"), asked.fields
        deployment = self._deployment(repo, asked)
        state = data.get("state")
        if state not in STATES:
            raise invalid("DeploymentStatus", "state", "missing_field" if state is None else "invalid")
        if len(data.get("description") or "") > MOST_DESCRIPTION:
            raise invalid("DeploymentStatus", "description", "custom", "description is too long")
        given = {key: data[key] for key in ("description", "environment_url", "environment") if data.get(key)}
        self.hub.deployment_status(
            repo.full_name,
            deployment.id,
            state,
            by=asked.login,
            log_url=data.get("log_url") or data.get("target_url") or "",
            auto_inactive=data.get("auto_inactive") is not False,
            **given,
        )
        shape = self.shapes.deployment_status(repo, deployment, deployment.statuses[-1])
        return Reply(shape, 201, {"Location": shape["url"]})

    def list_environments(self, asked: Asked) -> Reply:
        repo = self.door.repository(asked)
        names = sorted(repo.environments)
        page = asked.page(names, lambda name: self.shapes.environment(repo, repo.environments[name]))
        return Reply({"total_count": len(names), "environments": page.content}, headers=page.headers)

    def show_environment(self, asked: Asked) -> Reply:
        repo = self.door.repository(asked)
        found = repo.environments.get(asked.parts["name"].lower())
        if found is None:
            raise missing()
        return Reply(self.shapes.environment(repo, found))
