"""The GitLab stand-in's route for files that issues and notes show ("Markdown uploads API")."""

from __future__ import annotations

import re

from integrations.sandbox.gitlab.asked import Asked, Refused, Reply, Sent, wrong
from integrations.sandbox.gitlab.hub import Hub
from integrations.sandbox.gitlab.rest import Door, Handler

MOST_FILE = 100 * 1024 * 1024  # bytes, "Maximum attachment size"


class FileRoutes:
    def __init__(self, hub: Hub, door: Door) -> None:
        self.hub = hub
        self.door = door

    def table(self) -> dict[str, dict[str, Handler]]:
        return {"projects/:id/uploads": {"POST": self.upload}}

    def upload(self, asked: Asked) -> Reply:
        project = self.door.noted(asked)
        sent = asked.given.get("file")
        if not isinstance(sent, Sent):
            raise wrong("file is missing" if sent is None else "file is invalid")
        if len(sent.content) > MOST_FILE:
            raise Refused(413, "413 Request Entity Too Large")
        name = re.sub(r"[^\w.+-]", "_", sent.name.rpartition("/")[2])
        made = self.hub.upload(project.path, asked.login, name, sent.content)
        alt = made.name.rpartition(".")[0] if made.image else made.name
        return Reply(
            {
                "id": made.id,
                "alt": alt,
                "url": made.url,
                "full_path": f"/-/project/{project.id}{made.url}",
                "markdown": f"{'!' if made.image else ''}[{alt}]({made.url})",
            },
            201,
        )
