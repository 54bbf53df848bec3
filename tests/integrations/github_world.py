"""The sandbox's GitHub as the contract suite of trackers sees it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import date
from typing import Literal

from pydantic import SecretStr

from integrations.base import Place, Tracker
from integrations.github import Config, GitHub
from integrations.sandbox.github import GitHubStandIn
from integrations.sandbox.wire import Fault
from integrations.testing.world import Kind, Trouble

REPO = "acme/shop"
SECRET = "sandbox-webhook-secret"
WRITES = ("POST", "PATCH", "PUT", "DELETE")


class GitHubWorld:
    """The sandbox's GitHub as the contract suite sees it."""

    repo = REPO
    somebody = "leo-dev"
    stranger = "nora-elsewhere"
    known_type = "Bug"

    def __init__(self, hub: GitHubStandIn) -> None:
        self.hub = hub

    def tracker(self, token: str = "ghp_sandbox", secret: str | None = SECRET, url: str = "") -> GitHub:
        webhook_secret = SecretStr(secret) if secret else None
        config = Config(url=url or self.hub.url, token=SecretStr(token), webhook_secret=webhook_secret)
        return GitHub("github", config, timeout=1)

    def open_issue(self, by: str, title: str, body: str = "") -> int:
        return self.hub.open_issue(REPO, by, title, body)

    def body(self, number: int) -> str:
        repo = self.hub.find(REPO)
        return (repo.issues[number].body or "") if repo else ""

    def shown(self, number: int) -> str:
        issue = self.hub.issue(REPO, number)
        return "\n".join([issue["body"] or "", *(comment["body"] for comment in issue["comments"])])

    def due(self, number: int) -> date | None:
        return None

    def type(self, number: int) -> str:
        return str((self.hub.issue(REPO, number)["type"] or {}).get("name", ""))

    def comment(self, by: str, number: int, text: str) -> None:
        self.hub.comment(REPO, number, by, text)

    def edit(self) -> None:
        """Somebody writes on issue 1, and puts it right."""
        made = self.hub.comment(REPO, 1, self.somebody, "Sene")
        self.hub.edit_comment(REPO, made, self.somebody, "Seen")

    def close(self, number: int, reason: Literal["completed", "not_planned"]) -> None:
        self.hub.close_issue(REPO, number, self.somebody, reason)

    def reopen(self, number: int) -> None:
        self.hub.reopen_issue(REPO, number, self.somebody)

    def lock(self, number: int) -> None:
        self.hub.lock_issue(REPO, number, self.somebody)

    def move_issue(self, number: int) -> Place:
        other = "acme/warehouse"
        self.hub.add_repo(other)
        return Place(other, self.hub.transfer_issue(REPO, number, other, self.somebody))

    def delete_issue(self, number: int) -> None:
        self.hub.delete_issue(REPO, number, self.somebody)

    def close_as_duplicate(self, number: int, of: int) -> None:
        self.hub.close_as_duplicate(REPO, number, self.somebody, f"#{of}")

    def propose_fix(self, number: int, to: str = "") -> str:
        return self.propose("Keep the basket", f"Fixes #{number}", to)

    def propose_backport(self, reference: str, to: str) -> str:
        return self.propose(f"[Backport {to}] Keep the basket", f"Backport of {reference}.", to)

    def propose_mention(self, number: int) -> str:
        return self.propose("Tidy the basket", f"Next to #{number}.\n\nNot yet: `Fixes #{number}`")

    def propose(self, title: str, body: str, to: str = "") -> str:
        return f"#{self.hub.open_pull(REPO, self.somebody, title, body, to or 'main')}"

    def merge(self, reference: str) -> str:
        return self.hub.merge_pull(REPO, int(reference.lstrip("#")), self.somebody)

    def commit(self, branch: str = "") -> str:
        return self.hub.commit(REPO, branch or "main", "Tidy up")

    def branch(self, name: str) -> None:
        self.hub.branch(REPO, name, "main")

    def cherry_pick(self, sha: str, branch: str) -> str:
        return self.hub.cherry_pick(REPO, branch, sha, trailer=False)

    def tag(self, name: str) -> None:
        self.hub.tag(REPO, name, "main")

    def deploy(self, environment: str, ref: str, succeeded: bool = True) -> str:
        return str(self.hub.deploy(REPO, environment, ref, state="success" if succeeded else "in_progress"))

    def deployment_ends(self, deployment: str, state: Literal["success", "failure"]) -> None:
        self.hub.deployment_status(REPO, int(deployment), state)

    def publish_release(self, tag: str, draft: bool = False) -> None:
        self.hub.publish_release(REPO, tag, draft=draft)

    def switch_issues_off(self) -> None:
        self.hub.set_issues_enabled(REPO, False)

    def trouble(self, kind: Trouble) -> None:
        validation = {"message": "Validation Failed", "errors": [{"field": "title", "code": "custom"}]}
        limit = {"message": "You have exceeded a secondary rate limit."}
        fault = {
            "refused": Fault("refuse", "POST", status=422, body=validation),
            "failed": Fault("refuse", "POST", status=502),
            "failed after": Fault("error_after", "POST", status=502),
            "dropped": Fault("drop", "POST"),
            "dropped after": Fault("drop_after", "POST"),
            "limited": Fault("refuse", "POST", status=403, body=limit, headers={"Retry-After": "7"}),
        }[kind]
        self.hub.wire.faults.append(fault)

    def trouble_reading(self, times: int) -> None:
        self.hub.wire.faults.append(Fault("refuse", "GET", status=502, times=times))

    def writes(self) -> int:
        return len([call for call in self.hub.wire.calls if call.method in WRITES and call.path != "/graphql"])

    def reads(self) -> list[int | None]:
        return [call.status for call in self.hub.wire.calls if call.method == "GET"]

    def with_wrong_token(self) -> Tracker:
        return self.tracker(token="ghp_wrong")

    def without_secret(self) -> Tracker:
        return self.tracker(secret=None)

    def unreachable(self) -> Tracker:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # taken and not listening, then free
            return self.tracker(url=f"http://127.0.0.1:{taken.getsockname()[1]}")

    def delivery(self, of: Kind) -> tuple[dict[str, str], bytes]:
        self.hub.hooks.hold = True
        repo = self.hub.find(REPO)
        if repo and not repo.issues:
            self.open_issue(self.somebody, "Basket")
        name = f"v{len(self.hub.hooks.deliveries)}"
        doings: dict[Kind, tuple[str, Callable[[], object]]] = {
            "issue": ("issues", lambda: None),
            "comment": ("issue_comment", lambda: self.comment(self.somebody, 1, "Seen")),
            "edit": ("issue_comment", self.edit),
            "fix": ("pull_request", lambda: self.merge(self.propose_fix(1))),
            "release": ("release", lambda: self.publish_release(name)),
            "tag": ("push", lambda: self.tag(name)),
            "branch": ("push", self.commit),
            "deployment": ("deployment_status", lambda: self.deploy("production", "main")),
        }
        event, do = doings[of]
        do()
        found = [delivery for delivery in self.hub.hooks.deliveries if delivery.event == event]
        return dict(found[-1].headers), found[-1].body
