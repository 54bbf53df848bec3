"""The GitHub stand-in's routes for apps and for webhooks' deliveries ("GitHub Apps", "Repository webhooks")."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from integrations.sandbox.github.apps import App
from integrations.sandbox.github.hooks import HOOK_ID, Attempt
from integrations.sandbox.github.hub import Hub
from integrations.sandbox.github.records import Repository
from integrations.sandbox.github.rest import Asked, Door, Refused, Reply, missing
from integrations.sandbox.github.shapes import Json, iso

Handler = Callable[[Asked], Reply]
REPO = "/repos/{owner}/{repo}"


class AppRoutes:
    def __init__(self, hub: Hub, door: Door) -> None:
        self.hub = hub
        self.door = door
        self.shapes = hub.shapes

    def table(self) -> dict[str, dict[str, Handler]]:
        installation = "/app/installations/{id:int}"
        hook = REPO + "/hooks/{hook:int}"
        return {
            "/app": {"GET": self.show_app},
            "/app/hook/config": {"GET": self.app_hook},
            "/app/hook/deliveries": {"GET": self.app_deliveries},
            "/app/hook/deliveries/{delivery:int}/attempts": {"POST": self.repeat_app_delivery},
            installation: {"GET": self.show_installation},
            installation + "/access_tokens": {"POST": self.mint},
            REPO + "/installation": {"GET": self.repository_installation},
            REPO + "/hooks": {"GET": self.list_hooks},
            hook + "/deliveries": {"GET": self.list_deliveries},
            hook + "/deliveries/{delivery:int}/attempts": {"POST": self.repeat_delivery},
        }

    # --- apps ---------------------------------------------------------------------------------------------------------

    @staticmethod
    def _app(asked: Asked) -> App:
        if asked.token is None or asked.token.app is None or not asked.token.jwt:
            raise Refused(401, "A JSON web token could not be decoded")
        return asked.token.app

    def show_app(self, asked: Asked) -> Reply:
        app = self._app(asked)
        shape: Json = {
            "id": int(app.id) if app.id.isdigit() else 1,
            "slug": app.slug,
            "name": app.slug.title(),
            "owner": self.shapes.user(self.hub.member),
            "html_url": f"{asked.url}/apps/{app.slug}",
            "permissions": app.permissions,
            "events": app.events,
            "installations_count": int(app.installed),
        }
        return Reply(shape)

    def _installation(self, app: App) -> Json:
        api = f"{self.shapes.url}/app/installations/{app.installation}"
        return {
            "id": app.installation,
            "app_slug": app.slug,
            "access_tokens_url": f"{api}/access_tokens",
            "html_url": f"{self.shapes.url}/settings/installations/{app.installation}",
            "repository_selection": "all" if app.repositories is None else "selected",
            "permissions": app.permissions,
            "events": app.events,
            "suspended_at": iso(self.door.apps.clock(app)) if app.suspended else None,
        }

    def _installed(self, asked: Asked) -> App:
        app = self._app(asked)
        if not app.installed or int(asked.parts["id"]) != app.installation:
            raise missing()
        return app

    def show_installation(self, asked: Asked) -> Reply:
        return Reply(self._installation(self._installed(asked)))

    def mint(self, asked: Asked) -> Reply:
        """ "Create an installation access token for an app"."""
        app = self._installed(asked)
        if app.suspended:
            raise Refused(403, "This installation has been suspended")
        token, ends = self.door.apps.mint(app)
        selection = "all" if app.repositories is None else "selected"
        shape = {"token": token, "expires_at": iso(ends), "permissions": app.permissions}
        return Reply({**shape, "repository_selection": selection}, 201)

    def repository_installation(self, asked: Asked) -> Reply:
        app = self._app(asked)
        repo = self.hub.find(f"{asked.parts['owner']}/{asked.parts['repo']}")
        if repo is None or not app.installed or not app.has(repo):
            raise missing()
        return Reply(self._installation(app))

    # --- webhooks -----------------------------------------------------------------------------------------------------

    def _config(self) -> Json:
        return {"content_type": "json", "insecure_ssl": "0", "secret": "********", "url": self.hub.hooks.url or ""}

    def app_hook(self, asked: Asked) -> Reply:
        self._app(asked)
        return Reply(self._config())

    def app_deliveries(self, asked: Asked) -> Reply:
        app = self._app(asked)
        return self._page(asked, self.hub.hooks.recent(), app.installation)

    def repeat_app_delivery(self, asked: Asked) -> Reply:
        self._app(asked)
        return self._repeat(asked, self.hub.hooks.recent())

    def _admin(self, asked: Asked) -> Repository:
        """The repository, for who may see its webhooks: its admins, and apps with that permission; 404 for others."""
        repo = self.door.repository(asked)
        may = asked.may(repo, "admin")
        if "hook" in asked.parts and int(asked.parts["hook"]) != HOOK_ID:
            raise missing()
        if not may:
            raise missing()
        return repo

    def list_hooks(self, asked: Asked) -> Reply:
        repo = self._admin(asked)
        api = f"{asked.url}/repos/{repo.full_name}/hooks/{HOOK_ID}"
        hook: Json = {
            "type": "Repository",
            "id": HOOK_ID,
            "name": "web",
            "active": True,
            "events": ["*"],
            "config": self._config(),
            "url": api,
            "deliveries_url": f"{api}/deliveries",
        }
        return asked.page([hook] if self.hub.hooks.url else [], dict)

    def list_deliveries(self, asked: Asked) -> Reply:
        return self._page(asked, self._of(self._admin(asked)), None)

    def repeat_delivery(self, asked: Asked) -> Reply:
        return self._repeat(asked, self._of(self._admin(asked)))

    def _of(self, repo: Repository) -> list[Attempt]:
        return [each for each in self.hub.hooks.recent() if each.delivery.repository_id == repo.id]

    def _page(self, asked: Asked, attempts: list[Attempt], installation: int | None) -> Reply:
        """Newest first; `cursor` is the first of the page ("List deliveries for a repository webhook")."""
        status = asked.query.get("status")
        if status not in (None, "success", "failure"):
            raise Refused(422, "Validation Failed")
        found = [each for each in attempts if status is None or each.ok == (status == "success")]
        cursor = asked.query.get("cursor")
        if cursor:
            if not cursor.removeprefix("v1_").isdigit():
                raise Refused(400, "Invalid cursor")
            found = [each for each in found if each.id <= int(cursor.removeprefix("v1_"))]
        size = asked.number("per_page", 30, 100)
        shown = [self._delivery(each, installation) for each in found[:size]]
        if len(found) <= size:
            return Reply(shown)
        query = urlencode({**asked.query, "cursor": f"v1_{found[size].id}"})
        return Reply(shown, headers={"Link": f'<{asked.url}{asked.path}?{query}>; rel="next"'})

    @staticmethod
    def _delivery(attempt: Attempt, installation: int | None) -> dict[str, Any]:
        words = (
            "OK" if attempt.ok else "failed to connect to host" if attempt.status == 502 else "Invalid HTTP Response"
        )
        return {
            "id": attempt.id,
            "guid": attempt.delivery.id,
            "delivered_at": iso(attempt.at),
            "redelivery": attempt.redelivery,
            "duration": 0.03,
            "status": words,
            "status_code": attempt.status,
            "event": attempt.delivery.event,
            "action": attempt.delivery.action,
            "installation_id": installation,
            "repository_id": attempt.delivery.repository_id,
            "throttled_at": None,
        }

    def _repeat(self, asked: Asked, attempts: list[Attempt]) -> Reply:
        found = next((each for each in attempts if each.id == int(asked.parts["delivery"])), None)
        if found is None:
            raise missing()
        self.hub.hooks.redeliver(found.delivery.id)
        return Reply({}, 202)
