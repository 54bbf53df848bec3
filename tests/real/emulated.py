"""A GitHub that nobody of this project wrote: npm's `emulate`, and what developers do there.

Needs the folder in which `npm i --ignore-scripts emulate@0.12.2` and `npm i node@22` were run, as
PASSERELLE_EMULATE_DIR.
"""

from __future__ import annotations

import base64
import itertools
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.conftest import REPO

APP, INSTALLATION = 4242, 77
KEY = (
    rsa.generate_private_key(65537, 2048)
    .private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    .decode()
)
PERMISSIONS = {"issues": "write", "pull_requests": "read", "contents": "read", "metadata": "read"}
EVENTS = ["issues", "issue_comment", "pull_request", "release", "push", "create", "delete", "repository"]
SEED = {
    "tokens": {
        "ghp_owner": {"login": "acme", "scopes": ["repo"]},
        "ghp_bot": {"login": "passerelle-bot", "scopes": ["repo"]},
        "ghp_leo": {"login": "leo-dev", "scopes": ["repo"]},
    },
    "github": {
        "users": [{"login": "acme"}, {"login": "passerelle-bot"}, {"login": "leo-dev"}],
        "repos": [{"owner": "acme", "name": "shop", "private": True, "auto_init": True}],
        "apps": [
            {
                "app_id": APP,
                "slug": "passerelle",
                "name": "Passerelle",
                "private_key": KEY,
                "permissions": PERMISSIONS,
                "events": EVENTS,
                "installations": [{"installation_id": INSTALLATION, "account": "acme"}],
            }
        ],
    },
}


class Emulated:
    """The other GitHub, as its developers use it. What takes a branch returns the sha of its new commit."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx2.Client(base_url=f"{url}/repos/{REPO}", timeout=20)
        self._count = itertools.count(1)
        self._files: dict[str, tuple[str, str]] = {}  # by commit: the file that it made, and that file's own sha

    def call(self, method: str, path: str, token: str = "ghp_leo", **body: Any) -> Any:
        sent = {"json": body} if body else {}
        answer = self._http.request(method, path, headers={"Authorization": f"Bearer {token}"}, **sent)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text[:300]}"
        return answer.json() if answer.content else None

    def invite(self) -> None:
        for login in ("passerelle-bot", "leo-dev"):
            self.call("PUT", f"/collaborators/{login}", "ghp_owner", permission="push")

    def everything(self, path: str) -> list[dict[str, Any]]:
        """All pages of a list."""
        found: list[dict[str, Any]] = []
        for page in itertools.count(1):
            items = self.call("GET", f"{path}{'&' if '?' in path else '?'}per_page=100&page={page}")
            found += items
            if len(items) < 100:
                return found
        raise AssertionError

    # --- code -----------------------------------------------------------------------------------------------------

    def head(self, branch: str = "main") -> str:
        return str(self.call("GET", f"/git/ref/heads/{branch}")["object"]["sha"])

    def branch(self, name: str, sha: str = "") -> None:
        self.call("POST", "/git/refs", ref=f"refs/heads/{name}", sha=sha or self.head())

    def reset(self, branch: str, sha: str) -> None:
        """A push with force."""
        self.call("PATCH", f"/git/refs/heads/{branch}", sha=sha, force=True)

    def commit(self, branch: str, message: str) -> str:
        """A new file."""
        file = f"file-{next(self._count)}.txt"
        content = base64.b64encode(f"{message} in {file}".encode()).decode()
        made = self.call("PUT", f"/contents/{file}", message=message, content=content, branch=branch)
        self._files[made["commit"]["sha"]] = (file, made["content"]["sha"])
        return str(made["commit"]["sha"])

    def revert(self, branch: str, sha: str) -> str:
        """`git revert` of a commit made here."""
        subject = str(self.call("GET", f"/git/commits/{sha}")["message"]).partition("\n")[0]
        message = f'Revert "{subject}"\n\nThis reverts commit {sha}.'
        file, content = self._files[sha]
        made = self.call("DELETE", f"/contents/{file}", message=message, sha=content, branch=branch)
        return str(made["commit"]["sha"])

    def merge(
        self,
        title: str,
        body: str,
        method: str = "squash",
        *,
        base: str = "main",
        commits: Sequence[str] = ("Work on it",),
    ) -> tuple[int, str]:
        """A pull request, merged under the message that GitHub's page proposes; its number and the merge's sha."""
        name = f"work-{next(self._count)}"
        self.branch(name, self.head(base))
        own = [self.commit(name, message) for message in commits]
        number = int(self.call("POST", "/pulls", title=title, head=name, base=base, body=body)["number"])
        words = {"commit_title": f"{title} (#{number})"} if method == "squash" else {}
        sha = str(self.call("PUT", f"/pulls/{number}/merge", merge_method=method, **words)["sha"])
        self._files[sha] = self._files[own[-1]]
        return number, sha

    # --- issues and releases ----------------------------------------------------------------------------------------

    def comment(self, issue: int, text: str) -> None:
        self.call("POST", f"/issues/{issue}/comments", body=text)

    def close(self, issue: int) -> None:
        self.call("PATCH", f"/issues/{issue}", state="closed", state_reason="completed")

    def tag(self, name: str, branch: str = "main") -> str:
        sha = self.head(branch)
        self.call("POST", "/git/refs", ref=f"refs/tags/{name}", sha=sha)
        return sha

    def release(self, tag: str, branch: str = "main", **how: Any) -> int:
        """The tag first: this GitHub's releases make none. Returns the release's id."""
        self.tag(tag, branch)
        return int(self.call("POST", "/releases", tag_name=tag, name=tag, **how)["id"])

    def delete_release(self, release: int) -> None:
        self.call("DELETE", f"/releases/{release}")

    # --- webhooks ---------------------------------------------------------------------------------------------------

    def send_webhooks(self, url: str, secret: str) -> int:
        """A hook for all that the bot wants to hear; returns its id."""
        config = {"url": url, "content_type": "json", "secret": secret}
        return int(self.call("POST", "/hooks", "ghp_owner", events=EVENTS, config=config)["id"])

    def delivered(self, hook: int, event: str) -> list[dict[str, Any]]:
        """The hook's deliveries of an event, newest first, once there is one: it sends them after it answered."""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            listed = self.call("GET", f"/hooks/{hook}/deliveries?per_page=100", "ghp_owner")
            if found := [one for one in listed if one["event"] == event]:
                return found
        raise AssertionError(f"no {event} was delivered")


@contextmanager
def running(folder: Path) -> Iterator[Emulated]:
    """A fresh one, as its own process; its seed lies in `folder`."""
    home = os.environ.get("PASSERELLE_EMULATE_DIR")
    if not home:
        pytest.fail(
            "PASSERELLE_EMULATE_DIR is not set. Run `npm i --ignore-scripts emulate@0.12.2 && npm i node@22` in an "
            "empty folder and set it to that folder."
        )
    seed, modules = folder / "seed.yaml", Path(home) / "node_modules"
    seed.write_text(yaml.safe_dump(SEED))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [modules / ".bin" / "node", modules / "emulate" / "dist" / "index.js"]
    options = ["start", "--service", "github", "--seed", seed, "--port", str(port)]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout is not None
            said = list(itertools.takewhile(lambda line: "Ready" not in line, process.stdout))
            assert process.poll() is None, "".join(said)
            github = Emulated(f"http://localhost:{port}")
            github.invite()
            yield github
        finally:
            process.terminate()
