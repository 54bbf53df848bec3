"""The GitLab stand-in's routes for releases, environments and deployments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from integrations.sandbox.gitlab.asked import Asked, Json, Refused, Reply, missing, wrong
from integrations.sandbox.gitlab.deployments import STATUSES
from integrations.sandbox.gitlab.hub import Hub
from integrations.sandbox.gitlab.records import DEVELOPER, Deployment, Environment, Project
from integrations.sandbox.gitlab.rest import Door, Handler


class ShippingRoutes:
    def __init__(self, hub: Hub, door: Door) -> None:
        self.hub = hub
        self.door = door
        self.shapes = hub.shapes

    def table(self) -> dict[str, dict[str, Handler]]:
        deployment = "projects/:id/deployments/:iid"
        return {
            "projects/:id/releases": {"GET": self.list_releases, "POST": self.release},
            "projects/:id/releases/:tag": {"GET": self.show_release},
            "projects/:id/environments": {"GET": self.list_environments},
            "projects/:id/environments/:iid": {"GET": self.show_environment},
            "projects/:id/deployments": {"GET": self.list_deployments, "POST": self.deploy},
            deployment: {"GET": self.show_deployment, "PUT": self.update_deployment},
            f"{deployment}/merge_requests": {"GET": self.deployed_merges},
        }

    # --- releases -----------------------------------------------------------------------------------------------------

    def list_releases(self, asked: Asked) -> Reply:
        """Upcoming ones, too, and by `released_at` those first."""
        project = self.door.project(asked)
        by = asked.choice("order_by", "released_at", "created_at").removesuffix("_at")
        descending = asked.choice("sort", "desc", "asc") == "desc"
        found = [one for one in project.releases if asked.within("updated", one.created)]
        found.sort(key=lambda release: (getattr(release, by), release.id), reverse=descending)
        return asked.page(found, lambda release: self._shown(asked, project, release))

    def _shown(self, asked: Asked, project: Project, release: Any) -> Json:
        """Who may not read the code of a private project is not told the commit."""
        shape = self.shapes.release(project, release)
        if project.visibility == "private" and self.door.level(asked, project) < 20:
            shape = {key: value for key, value in shape.items() if key not in ("commit", "commit_path", "tag_path")}
        return shape

    def show_release(self, asked: Asked) -> Reply:
        project = self.door.project(asked)
        for release in project.releases:
            if release.tag == asked.parts["tag"]:
                return Reply(self._shown(asked, project, release))
        raise missing()

    def release(self, asked: Asked) -> Reply:
        project = self.door.writable(asked, DEVELOPER)
        tag, ref = asked.text("tag_name", required=True) or "", asked.text("ref") or ""
        if any(release.tag == tag for release in project.releases):
            raise Refused(409, "Release already exists")
        if tag not in project.history.tags and project.history.resolve(ref) is None:
            raise Refused(422, "Ref is not specified" if not ref else f"Target {ref} is invalid")
        name, body = asked.text("name") or "", asked.text("description") or ""
        self.hub.publish_release(project.path, tag, name, ref, asked.time("released_at"), body=body, by=asked.login)
        return Reply(self.shapes.release(project, project.releases[-1]), 201)

    # --- environments -------------------------------------------------------------------------------------------------

    def list_environments(self, asked: Asked) -> Reply:
        project, given = self.door.code(asked), asked.given
        if "name" in given and "search" in given:
            raise wrong("name, search are mutually exclusive")
        state = asked.choice("states", "", "available", "stopping", "stopped")
        search = str(given.get("search", ""))
        if "search" in given and len(search) < 3:
            raise Refused(400, "400 Bad request - Search query is less than 3 characters")
        found = [
            place
            for place in project.environments.values()
            if state in ("", place.state) and given.get("name", place.name) == place.name and search in place.name
        ]
        return asked.page(sorted(found, key=lambda one: one.name), lambda one: self.shapes.environment(project, one))

    def _environment(self, asked: Asked) -> tuple[Project, Environment]:
        project = self.door.code(asked)
        found = (place for place in project.environments.values() if place.id == asked.iid())
        place = next(found, None)
        if place is None:
            raise missing()
        return project, place

    def show_environment(self, asked: Asked) -> Reply:
        project, place = self._environment(asked)
        current = self.hub.current(project, place)
        last = self.shapes.deployment(project, current) if current else None
        return Reply(self.shapes.environment(project, place) | {"last_deployment": last})

    # --- deployments --------------------------------------------------------------------------------------------------

    def list_deployments(self, asked: Asked) -> Reply:
        """Oldest first unless told; filtering and sorting by `finished_at` go together, and only for successes."""
        project, given = self.door.code(asked), asked.given
        status = asked.choice("status", "", *STATUSES)
        order = asked.choice("order_by", "id", "iid", "created_at", "updated_at", "finished_at", "ref")
        by_end = "finished_after" in given or "finished_before" in given
        if by_end != (order == "finished_at"):
            raise Refused(400, "400 Bad request - `finished_at` filter and `finished_at` sorting must be paired")
        if by_end and status != "success":
            raise Refused(400, "400 Bad request - `finished_at` filter must be combined with `success` status filter.")
        found = [
            one
            for one in project.deployments
            if given.get("environment", one.environment.name) == one.environment.name
            and status in ("", one.status)
            and asked.within("updated", one.updated)
            and (not by_end or asked.within("finished", one.finished or one.created))
        ]
        keys: dict[str, Callable[[Deployment], Any]] = {
            "created_at": lambda one: (one.created, one.id),
            "updated_at": lambda one: (one.updated, one.id),
            "finished_at": lambda one: (one.finished or one.created, one.id),
            "ref": lambda one: (one.ref, one.id),
        }
        key = keys.get(order, lambda one: one.id)
        found.sort(key=key, reverse=asked.choice("sort", "asc", "desc") == "desc")
        return asked.page(found, lambda one: self.shapes.deployment(project, one))

    def _deployment(self, asked: Asked) -> tuple[Project, Deployment]:
        project = self.door.code(asked)
        try:
            return project, self.hub.find_deployment(project, asked.iid())
        except LookupError:
            raise missing("Deployment") from None

    def show_deployment(self, asked: Asked) -> Reply:
        return Reply(self.shapes.deployment(*self._deployment(asked)))

    def deploy(self, asked: Asked) -> Reply:
        project = self.door.writable(asked, DEVELOPER)
        place, sha, ref = (asked.text(name, required=True) or "" for name in ("environment", "sha", "ref"))
        status = asked.choice("status", "", "running", "success", "failed", "canceled")
        if not status:
            raise wrong("status is missing")
        try:
            made = self.hub.deploy(project.path, place, ref, status, by=asked.login, job=False, sha=sha)
        except LookupError:
            raise Refused(400, {"message": {"ref": ["The branch or tag does not exist"]}}) from None
        return Reply(self.shapes.deployment(project, self.hub.find_deployment(project, made)), 201)

    def update_deployment(self, asked: Asked) -> Reply:
        self.door.writable(asked, DEVELOPER)
        project, deployment = self._deployment(asked)
        status = asked.choice("status", "", "running", "success", "failed", "canceled")
        if deployment.job or not status:
            raise Refused(403, "403 Forbidden") if status else wrong("status is missing")
        self.hub.deployment_status(project.path, deployment.id, status)
        return Reply(self.shapes.deployment(project, deployment))

    def deployed_merges(self, asked: Asked) -> Reply:
        project, deployment = self._deployment(asked)
        return asked.page(deployment.merges[::-1], lambda merge: self.shapes.merge(project, merge))
