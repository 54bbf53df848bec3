"""The sandbox's GitLab as the contract suite of trackers sees it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from pydantic import SecretStr

from integrations.base import Place, Tracker
from integrations.gitlab import Config, GitLab
from integrations.sandbox.gitlab import SIGNING_SECRET, GitLabStandIn
from integrations.sandbox.wire import Fault
from integrations.testing.world import Kind, Trouble

REPO = "acme/shop-app"
TOKEN = "glpat-sandbox"
SECRET = "sandbox-gitlab-secret"
SIGNING = SIGNING_SECRET
WRITES = ("POST", "PATCH", "PUT", "DELETE")
LABEL = "not planned"  # what the adapter's configuration calls it by default


class GitLabWorld:
    """The sandbox's GitLab as the contract suite sees it."""

    repo = REPO
    somebody = "leo-dev"
    stranger = "nora-elsewhere"
    known_type = "incident"

    def __init__(self, hub: GitLabStandIn) -> None:
        self.hub = hub

    def tracker(
        self, token: str = TOKEN, secret: str | None = SECRET, url: str = "", signing: str | None = SIGNING
    ) -> GitLab:
        config = Config(
            url=url or self.hub.url,
            token=SecretStr(token),
            webhook_secret=SecretStr(secret) if secret else None,
            signing_secret=SecretStr(signing) if signing else None,
        )
        return GitLab("gitlab", config, timeout=1, now=self.hub.now)

    @staticmethod
    def reader() -> GitLab:
        """An adapter that knows both secrets and nobody to call."""
        config = Config(token=SecretStr("x"), webhook_secret=SecretStr(SECRET), signing_secret=SecretStr(SIGNING))
        return GitLab("gitlab", config)

    def open_issue(self, by: str, title: str, body: str = "") -> int:
        return self.hub.open_issue(REPO, by, title, body)

    def body(self, number: int) -> str:
        return str(self.hub.issue(REPO, number)["description"] or "")

    def shown(self, number: int) -> str:
        issue = self.hub.issue(REPO, number)
        return "\n".join([issue["description"] or "", *(note["body"] for note in issue["notes"])])

    def kept(self, markdown: str) -> bytes | None:
        url = markdown.partition("](")[2].removesuffix(")")
        return next((one.content for one in self.hub.uploads(REPO) if one.url == url), None)

    def due(self, number: int) -> date | None:
        due = self.hub.issue(REPO, number)["due_date"]
        return date.fromisoformat(due) if due else None

    def type(self, number: int) -> str:
        return str(self.hub.issue(REPO, number)["issue_type"])

    def comment(self, by: str, number: int, text: str) -> None:
        self.hub.comment(REPO, number, by, text)

    def edit(self) -> None:
        """Somebody writes on issue 1, and puts it right."""
        made = self.hub.comment(REPO, 1, self.somebody, "Sene")
        self.hub.edit_note(REPO, 1, made, self.somebody, "Seen")

    def close(self, number: int, reason: Literal["completed", "not_planned"]) -> None:
        """GitLab keeps no reason: people say it by a label, on the same page."""
        if reason == "not_planned":
            self.hub.edit_issue(REPO, number, self.somebody, {"add_labels": [LABEL]})
        self.hub.close_issue(REPO, number, self.somebody)

    def reopen(self, number: int) -> None:
        self.hub.reopen_issue(REPO, number, self.somebody)

    def lock(self, number: int) -> None:
        self.hub.edit_issue(REPO, number, self.somebody, {"discussion_locked": True})

    def move_issue(self, number: int) -> Place:
        other = "acme/warehouse"
        self.hub.add_project(other)
        return Place(other, self.hub.move_issue(REPO, number, other, self.somebody))

    def delete_issue(self, number: int) -> None:
        self.hub.delete_issue(REPO, number, self.somebody)

    def close_as_duplicate(self, number: int, of: int) -> None:
        self.hub.close_as_duplicate(REPO, number, self.somebody, f"#{of}")

    def propose_fix(self, number: int, to: str = "") -> str:
        return self.propose("Keep the basket", f"Closes #{number}", to)

    def propose_backport(self, reference: str, to: str) -> str:
        return self.propose(f"[Backport {to}] Keep the basket", f"Backport of {reference}.", to)

    def propose_mention(self, number: int) -> str:
        return self.propose("Tidy the basket", f"Next to #{number}.\n\nNot yet: `Closes #{number}`")

    def propose(self, title: str, body: str, to: str = "") -> str:
        return f"!{self.hub.open_merge(REPO, self.somebody, title, body, to)}"

    def merge(self, reference: str) -> str:
        return self.hub.merge(REPO, int(reference.lstrip("!")), self.somebody)

    def commit(self, branch: str = "") -> str:
        return self.hub.commit(REPO, branch or "main", "Tidy up")

    def branch(self, name: str) -> None:
        self.hub.branch(REPO, name, "main")

    def cherry_pick(self, sha: str, branch: str) -> str:
        return self.hub.cherry_pick(REPO, branch, sha, trailer=False)

    def tag(self, name: str) -> None:
        self.hub.tag(REPO, name, "main")

    def deploy(self, environment: str, ref: str, succeeded: bool = True) -> str:
        return str(self.hub.deploy(REPO, environment, ref, "success" if succeeded else "running"))

    def deployment_ends(self, deployment: str, state: Literal["success", "failure"]) -> None:
        self.hub.deployment_status(REPO, int(deployment), "failed" if state == "failure" else state)

    def publish_release(self, tag: str, draft: bool = False) -> None:
        """GitLab knows no drafts: what is not out yet has a date to come."""
        if any(release["tag_name"] == tag for release in self.hub.releases(REPO)):
            self.hub.edit_release(REPO, tag, released_at=self.hub.now())
        else:
            self.hub.publish_release(REPO, tag, released_at=self.hub.now() + timedelta(days=7) if draft else None)

    def switch_issues_off(self) -> None:
        self.hub.set_issues_enabled(REPO, False)

    def trouble(self, kind: Trouble) -> None:
        fault = {
            "refused": Fault("refuse", "POST", status=400, body={"message": {"title": ["can't be blank"]}}),
            "failed": Fault("refuse", "POST", status=502),
            "failed after": Fault("error_after", "POST", status=502),
            "dropped": Fault("drop", "POST"),
            "dropped after": Fault("drop_after", "POST"),
            "limited": Fault("refuse", "POST", status=429, headers={"Retry-After": "7"}),
        }[kind]
        self.hub.wire.faults.append(fault)

    def trouble_reading(self, times: int) -> None:
        self.hub.wire.faults.append(Fault("refuse", "GET", status=502, times=times))

    def writes(self) -> int:
        return len([call for call in self.hub.wire.calls if call.method in WRITES])

    def reads(self) -> list[int | None]:
        return [call.status for call in self.hub.wire.calls if call.method == "GET"]

    def with_wrong_token(self) -> Tracker:
        return self.tracker(token="glpat-wrong")

    def without_secret(self) -> Tracker:
        return self.tracker(secret=None, signing=None)

    def unreachable(self) -> Tracker:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # taken and not listening, then free
            return self.tracker(url=f"http://127.0.0.1:{taken.getsockname()[1]}")

    def delivery(self, of: Kind) -> tuple[dict[str, str], bytes]:
        self.hub.hold_webhooks = True
        if not self.hub.issues(REPO):
            self.open_issue(self.somebody, "Basket")
        name = f"v{len(self.hub.deliveries)}"
        doings: dict[Kind, tuple[str, Callable[[], object]]] = {
            "issue": ("Issue Hook", lambda: None),
            "comment": ("Note Hook", lambda: self.comment(self.somebody, 1, "Seen")),
            "edit": ("Note Hook", self.edit),
            "fix": ("Merge Request Hook", lambda: self.merge(self.propose_fix(1))),
            "release": ("Release Hook", lambda: self.publish_release(name)),
            "tag": ("Tag Push Hook", lambda: self.tag(name)),
            "branch": ("Push Hook", self.commit),
            "deployment": ("Deployment Hook", lambda: self.deploy("production", "main")),
        }
        event, do = doings[of]
        do()
        found = [delivery for delivery in self.hub.deliveries if delivery.event == event]
        return dict(found[-1].headers), found[-1].body


class StillClock:
    """Begins at the time at which the contract suite checks signatures, and goes on as time does."""

    def __init__(self) -> None:
        self._offset = datetime(2026, 1, 1, tzinfo=UTC) - datetime.now(UTC)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._offset
