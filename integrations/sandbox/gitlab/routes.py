"""The GitLab stand-in's addresses: which request is answered by what; people, tokens, projects and webhooks here."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from integrations.sandbox.gitlab.asked import Asked, Refused, Reply, missing, wrong
from integrations.sandbox.gitlab.hooks import FLAGS, TRIGGERS, Attempt, Delivery, Hook
from integrations.sandbox.gitlab.hub import Hub
from integrations.sandbox.gitlab.pages import Pages
from integrations.sandbox.gitlab.records import MAINTAINER, Project
from integrations.sandbox.gitlab.rest import Door
from integrations.sandbox.gitlab.routes_code import CodeRoutes
from integrations.sandbox.gitlab.routes_files import FileRoutes
from integrations.sandbox.gitlab.routes_issues import IssueRoutes
from integrations.sandbox.gitlab.routes_links import LinkRoutes
from integrations.sandbox.gitlab.routes_notes import NoteRoutes
from integrations.sandbox.gitlab.routes_shipping import ShippingRoutes

VERSION = {"version": "18.4.1-ee", "revision": "5a1db0e", "enterprise": True}
RESENDS = 5  # a minute, for each webhook
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


class Routes:
    def __init__(self, hub: Hub, door: Door) -> None:
        self.hub = hub
        self.door = door
        self.shapes = hub.shapes
        self.pages = Pages(hub)

    def table(self) -> list[Route]:
        """One route for everything: Starlette would decode `%2F`, by which GitLab tells paths from parts."""
        hook = "projects/:id/hooks/:hook"
        self.door.serve(
            {
                "version": {"GET": self.version},
                "user": {"GET": self.user},
                "users": {"GET": self.users},
                "personal_access_tokens/self": {"GET": self.token},
                "groups/:id": {"GET": self.group},
                "projects/:id": {"GET": self.project},
                "projects/:id/members/all": {"GET": self.members},
                "projects/:id/members/all/:user": {"GET": self.member},
                "projects/:id/hooks": {"GET": self.list_hooks, "POST": self.add_hook},
                hook: {"GET": self.show_hook, "PUT": self.edit_hook, "DELETE": self.delete_hook},
                f"{hook}/events": {"GET": self.hook_events},
                f"{hook}/events/:event/resend": {"POST": self.resend},
                f"{hook}/test/:trigger": {"POST": self.test_hook},
            }
        )
        for routes in (IssueRoutes, NoteRoutes, FileRoutes, LinkRoutes, CodeRoutes, ShippingRoutes):
            self.door.serve(routes(self.hub, self.door).table())
        return [Route("/{rest:path}", self._either, methods=METHODS)]

    @staticmethod
    def version(asked: Asked) -> Reply:
        _ = asked.login
        return Reply(VERSION)

    async def _either(self, request: Request) -> Response:
        if request.url.path.startswith("/api/v4/"):
            return await self.door.endpoint(request)
        return self.pages.answer(request)

    # --- people, groups, projects -------------------------------------------------------------------------------------

    def user(self, asked: Asked) -> Reply:
        user = self.hub.user(asked.login)
        bot = user.username.startswith(("project_", "group_"))
        return Reply({**(self.shapes.person(user.username) or {}), "email": user.email, "bot": bot, "is_admin": False})

    def users(self, asked: Asked) -> Reply:
        """By `username`, case-insensitively; who was never named does not exist."""
        _ = asked.login
        user = self.hub.known_user(str(asked.given.get("username", "")))
        return asked.page([user.username] if user else [], self.shapes.person)

    def token(self, asked: Asked) -> Reply:
        _, token = asked.login, asked.token
        if token is None:
            raise Refused(401, "401 Unauthorized")
        facts = {"id": 4, "name": token.name, "revoked": False, "created_at": "2026-01-05T08:00:00.000Z"}
        facts |= {"description": None, "scopes": list(token.scopes), "user_id": self.hub.user(token.login).id}
        ends = token.expires_at.isoformat() if token.expires_at else None
        return Reply(facts | {"last_used_at": None, "active": True, "expires_at": ends})

    def group(self, asked: Asked) -> Reply:
        """ "Get a single group": a private one is seen by who is in one of its projects."""
        group = self.hub.group(asked.parts["id"])
        if group is None:
            raise missing("Group")
        within = [one for one in self.hub.projects() if f"{one.group}/".startswith(f"{group.path}/")]
        member = asked.token is not None and any(one.level(asked.token.login) for one in within)
        visible = group.visibility == "public" or (group.visibility == "internal" and asked.token is not None)
        if not member and not visible:
            raise missing("Group")
        return Reply(self.shapes.group(group))

    def project(self, asked: Asked) -> Reply:
        return Reply(self.shapes.project(self.door.project(asked), asked.token.login if asked.token else None))

    def members(self, asked: Asked) -> Reply:
        project = self.door.project(asked)
        query, ids = str(asked.given.get("query", "")).lower(), asked.numbers("user_ids")
        found = [
            (login, level)
            for login, level in project.members.items()
            if query in login.lower() and (ids is None or self.hub.user(login).id in ids)
        ]
        return asked.page(found, lambda pair: self.shapes.member(*pair))

    def member(self, asked: Asked) -> Reply:
        project, user = self.door.project(asked), self.hub.user_of(asked.iid("user"))
        if user is None or not project.level(user.username):
            raise missing()
        return Reply(self.shapes.member(user.username, project.level(user.username)))

    # --- webhooks -----------------------------------------------------------------------------------------------------

    def _hook(self, asked: Asked) -> tuple[Project, Hook]:
        project = self.door.project(asked, MAINTAINER)
        for hook in project.hooks:
            if hook.id == asked.iid("hook"):
                return project, hook
        raise missing()

    def list_hooks(self, asked: Asked) -> Reply:
        project = self.door.project(asked, MAINTAINER)
        return asked.page(project.hooks, lambda hook: self.shapes.hook(hook, project))

    def show_hook(self, asked: Asked) -> Reply:
        project, hook = self._hook(asked)
        return Reply(self.shapes.hook(hook, project))

    def add_hook(self, asked: Asked) -> Reply:
        """A hook hears of pushes, and of what else is asked for."""
        project = self.door.writable(asked, MAINTAINER)
        hook = self.hub.new_hook(asked.text("url", required=True) or "")
        self._set(asked, hook)
        project.hooks.append(hook)
        self.hub.version += 1
        return Reply(self.shapes.hook(hook, project), 201)

    def edit_hook(self, asked: Asked) -> Reply:
        """Editing switches nothing on again that failed; a test that succeeds does."""
        project, hook = self._hook(asked)
        hook.url = asked.text("url") or hook.url
        self._set(asked, hook)
        self.hub.version += 1
        return Reply(self.shapes.hook(hook, project))

    @staticmethod
    def _set(asked: Asked, hook: Hook) -> None:
        if not hook.url.startswith(("http://", "https://")):
            raise Refused(422, {"error": "Invalid url given"})
        for name in FLAGS:
            if (flag := asked.flag(name)) is not None:
                hook.flags[name] = flag
        hook.token = asked.text("token") or hook.token
        hook.signing_token = asked.text("signing_token") or hook.signing_token
        hook.name, hook.description = asked.text("name") or hook.name, asked.text("description") or hook.description
        if (ssl := asked.flag("enable_ssl_verification")) is not None:
            hook.ssl = ssl

    def delete_hook(self, asked: Asked) -> Reply:
        project, hook = self._hook(asked)
        project.hooks.remove(hook)
        self.hub.version += 1
        return Reply(None, 204)

    def hook_events(self, asked: Asked) -> Reply:
        _, hook = self._hook(asked)
        status = str(asked.given.get("status", ""))
        found = [one for one in self.hub.hooks.recent(hook) if _in_category(one, status)]
        return asked.page(found, self.shapes.attempt)

    def resend(self, asked: Asked) -> Reply:
        _, hook = self._hook(asked)
        self.door.limit(f"resend {hook.id} {asked.login}", RESENDS)
        found = next((one for one in self.hub.hooks.recent(hook) if one.id == asked.iid("event")), None)
        if found is None:
            raise missing()
        if hook.status(self.hub.now()) != "executable":
            raise Refused(422, "Hook disabled")
        delivery = found.delivery
        return Reply(None, after=lambda: self._resent(delivery))

    def _resent(self, delivery: Delivery) -> Reply:
        status = self.hub.hooks.send_now(delivery)
        return Reply({"response_status": status}, 201) if status else Reply({"message": "Timeout"}, 422)

    def test_hook(self, asked: Asked) -> Reply:
        """ "Trigger a test project webhook": sends something made up, and a 2xx switches the hook on again."""
        project, hook = self._hook(asked)
        flags = {flag: trigger for trigger, (_, flag) in TRIGGERS.items()}
        trigger = flags.get(asked.parts["trigger"])
        if trigger is None:
            raise wrong("trigger does not have a valid value")
        tip = project.history.branches[project.default_branch]
        commit = project.history.commits[tip]
        ref = f"refs/heads/{project.default_branch}"
        body = self.shapes.push_event(project, ref, tip, tip, [commit], 1, asked.login)
        delivery = self.hub.hooks.made(hook, project.id, trigger, body)
        return Reply(None, after=lambda: self._tested(delivery))

    def _tested(self, delivery: Delivery) -> Reply:
        status = self.hub.hooks.send_now(delivery, test=True)
        if not 200 <= status < 300:
            return Reply({"message": f"Hook executed successfully but returned HTTP {status}"}, 422)
        return Reply({"message": "201 Created"}, 201)


def _in_category(attempt: Attempt, wanted: str) -> bool:
    """ "successful", "client_failure", "server_failure", a status, or nothing."""
    ends = {"successful": 2, "client_failure": 4, "server_failure": 5}
    if wanted in ends:
        return attempt.status // 100 == ends[wanted]
    return wanted in ("", str(attempt.status))
