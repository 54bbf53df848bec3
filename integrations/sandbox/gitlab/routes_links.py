"""The GitLab stand-in's routes for what issues are linked to, what happened to them, and labels."""

from __future__ import annotations

from integrations.sandbox.gitlab.asked import Asked, Refused, Reply, invalid, missing
from integrations.sandbox.gitlab.hub import Hub
from integrations.sandbox.gitlab.records import GUEST, PLANNER, Issue, Project
from integrations.sandbox.gitlab.rest import Door, Handler

MOST_TITLE = 255  # characters


class LinkRoutes:
    def __init__(self, hub: Hub, door: Door) -> None:
        self.hub = hub
        self.door = door
        self.shapes = hub.shapes

    def table(self) -> dict[str, dict[str, Handler]]:
        issue = "projects/:id/issues/:iid"
        return {
            f"{issue}/links": {"GET": self.list_links, "POST": self.link},
            f"{issue}/closed_by": {"GET": self.closed_by},
            f"{issue}/related_merge_requests": {"GET": self.related},
            f"{issue}/resource_state_events": {"GET": self.state_events},
            "projects/:id/labels": {"GET": self.list_labels, "POST": self.make_label},
            "projects/:id/labels/:label": {"GET": self.show_label},
        }

    def _issue(self, asked: Asked) -> tuple[Project, Issue]:
        project = self.door.project(asked)
        return project, self.door.issue(asked, project)

    def list_links(self, asked: Asked) -> Reply:
        _, issue = self._issue(asked)
        shown = [
            (home, one) for one in issue.links if (home := self.hub.home(one)) and self.door.sees(asked.token, home)
        ]
        more = {"link_type": "relates_to"}
        return Reply([self.shapes.issue(home, one) | more | {"issue_link_id": one.id} for home, one in shown])

    def link(self, asked: Asked) -> Reply:
        project, issue = self._issue(asked)
        target = self.hub.find(asked.text("target_project_id", required=True) or "")
        other = target.issues.get((asked.numbers("target_issue_iid") or [0])[0]) if target else None
        if target is None or other is None or self.door.level(asked, target) < GUEST:
            raise missing()
        self.hub.link_issues(issue, other)
        ends = {"source_issue": self.shapes.issue(project, issue), "target_issue": self.shapes.issue(target, other)}
        return Reply(ends | {"link_type": "relates_to"}, 201)

    def closed_by(self, asked: Asked) -> Reply:
        """Merge requests of this very project that said they close it while they were open, in whatever state."""
        project, issue = self._issue(asked)
        found = [merge for merge in project.merges.values() if issue in merge.closes]
        return asked.page(found[::-1], lambda merge: self.shapes.merge(project, merge))

    def related(self, asked: Asked) -> Reply:
        """Merge requests, of other projects too, that mention the issue."""
        _, issue = self._issue(asked)
        everything = ((home, merge) for home in self.hub.projects() for merge in home.merges.values())
        found = {merge.id: (home, merge) for home, merge in everything if self.door.sees(asked.token, home)}
        shown = [found[one] for one in issue.mentioned_by if one in found]
        return asked.page(shown, lambda pair: self.shapes.merge(*pair))

    def state_events(self, asked: Asked) -> Reply:
        _, issue = self._issue(asked)
        return asked.page(issue.events, lambda event: self.shapes.state_event(issue, event))

    # --- labels -------------------------------------------------------------------------------------------------------

    def list_labels(self, asked: Asked) -> Reply:
        project = self.door.project(asked)
        search = str(asked.given.get("search", "")).lower()
        found = sorted((one for one in project.labels if search in one.name.lower()), key=lambda one: one.name)
        return asked.page(found, self.shapes.label)

    def make_label(self, asked: Asked) -> Reply:
        project = self.door.writable(asked, PLANNER)
        name, color = asked.text("name", required=True) or "", asked.text("color", required=True) or ""
        if project.label(name):
            raise Refused(409, "Label already exists")
        if "," in name or len(name) > MOST_TITLE:
            raise invalid("title", "is invalid")
        return Reply(self.shapes.label(self.hub.make_label(project, name, color, asked.text("description"))), 201)

    def show_label(self, asked: Asked) -> Reply:
        project = self.door.project(asked)
        wanted = asked.parts["label"]
        for label in project.labels:
            if wanted in (label.name, str(label.id)):
                return Reply(self.shapes.label(label))
        raise missing("Label")
