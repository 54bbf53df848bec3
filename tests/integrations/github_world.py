"""The sandbox's GitHub as the contract suite of trackers sees it."""

from __future__ import annotations

import socket
from typing import Literal

from pydantic import SecretStr

from integrations.base import Tracker
from integrations.github import Config, GitHub
from integrations.sandbox.github import GitHubStandIn
from integrations.sandbox.wire import Fault
from integrations.testing.world import Trouble

REPO = "acme/shop"
SECRET = "sandbox-webhook-secret"
WRITES = ("POST", "PATCH", "PUT", "DELETE")


class GitHubWorld:
    """The sandbox's GitHub as the contract suite sees it."""

    repo = REPO
    somebody = "leo-dev"
    stranger = "nora-elsewhere"

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

    def comment(self, by: str, number: int, text: str) -> None:
        self.hub.comment(REPO, number, by, text)

    def close(self, number: int, reason: Literal["completed", "not_planned"]) -> None:
        self.hub.close_issue(REPO, number, self.somebody, reason)

    def propose_fix(self, number: int) -> str:
        return f"#{self.hub.open_pull(REPO, self.somebody, 'Keep the basket', f'Fixes #{number}')}"

    def merge(self, reference: str) -> str:
        return self.hub.merge_pull(REPO, int(reference.lstrip("#")), self.somebody)

    def commit(self) -> str:
        return self.hub.commit(REPO, "main", "Tidy up")

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

    def delivery(self, of: Literal["issue", "comment", "release"]) -> tuple[dict[str, str], bytes]:
        self.hub.hooks.hold = True
        repo = self.hub.find(REPO)
        if repo and not repo.issues:
            self.open_issue(self.somebody, "Basket")
        if of == "comment":
            self.comment(self.somebody, 1, "Seen")
        if of == "release":
            self.publish_release(f"v{len(self.hub.hooks.deliveries)}")
        event = {"issue": "issues", "comment": "issue_comment", "release": "release"}[of]
        found = [delivery for delivery in self.hub.hooks.deliveries if delivery.event == event]
        return dict(found[-1].headers), found[-1].body
