"""How the GitHub stand-in sends on what was asked of a name that has moved ("Best practices…: Follow redirects")."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlencode

from integrations.sandbox.github.hub import Hub
from integrations.sandbox.github.records import Repository
from integrations.sandbox.github.rest import Asked, Door, Refused, Reply, missing

Handler = Callable[[Asked], Reply]
BY_NAME, BY_ID = "/repos/{owner}/{repo}", "/repositories/{repository:int}"


def moved(asked: Asked, repo: Repository, rest: str, status: int = 301) -> Refused:
    """The answer that what was asked for is at `rest` of `repo` now; GitHub names repositories by their ids there."""
    query = f"?{urlencode(dict(asked.query))}" if asked.query else ""
    url = f"{asked.url}/repositories/{repo.id}{rest}{query}"
    refused = Refused(status, "Moved Permanently" if status == 301 else "Temporary Redirect", Location=url)
    refused.body["url"] = url
    return refused


class Redirects:
    """Makes the handlers of a repository's addresses follow it: by its old name, and by its id."""

    def __init__(self, hub: Hub, door: Door) -> None:
        self.hub = hub
        self.door = door

    def following(self, addresses: dict[str, dict[str, Handler]]) -> dict[str, dict[str, Handler]]:
        """`addresses`, where those of repositories redirect from old names, and exist under ids, too."""
        found = {}
        for path, handlers in addresses.items():
            if not path.startswith(BY_NAME):
                found[path] = handlers
                continue
            found[path] = {method: self._by_name(handler) for method, handler in handlers.items()}
            found[BY_ID + path.removeprefix(BY_NAME)] = {
                method: self._by_id(handler) for method, handler in handlers.items()
            }
        return found

    def _by_name(self, handler: Handler) -> Handler:
        def answer(asked: Asked) -> Reply:
            repo = self.hub.moved_to(f"{asked.parts['owner']}/{asked.parts['repo']}")
            if repo is None or not self.door.sees(asked.token, repo):
                return handler(asked)
            rest = re.sub(r"^/repos/[^/]+/[^/]+", "", asked.path)
            raise moved(asked, repo, rest, 301 if asked.method == "GET" else 307)

        return answer

    def _by_id(self, handler: Handler) -> Handler:
        def answer(asked: Asked) -> Reply:
            wanted = int(asked.parts["repository"])
            repo = next((repo for repo in self.hub.repositories() if repo.id == wanted), None)
            if repo is None:
                raise missing()
            owner, name = repo.full_name.split("/")
            asked.parts = {**asked.parts, "owner": owner, "repo": name}
            return handler(asked)

        return answer
