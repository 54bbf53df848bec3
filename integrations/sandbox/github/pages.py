"""The GitHub stand-in's plain pages, so that an `html_url` leads somewhere in a browser; they ask for no sign-in."""

from __future__ import annotations

import re
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from integrations.sandbox.github.hub import Hub
from integrations.sandbox.github.shapes import Json

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ max-width: 46rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; color: #1f2328 }}
article {{ border: 1px solid #d0d7de; border-radius: .5rem; padding: .5rem 1rem; margin: 1rem 0 }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; margin: .5rem 0 }} small {{ color: #59636e }}
</style></head><body><small>{where}</small><h1>{title}</h1>{body}</body></html>"""


def _card(head: str, text: str | None) -> str:
    seen = re.sub(r"<!--.*?-->", "", text or "", flags=re.DOTALL).strip()
    return f"<article><small>{escape(head)}</small><pre>{escape(seen)}</pre></article>"


class Pages:
    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def table(self) -> list[Route]:
        base = "/{owner}/{repo}"
        return [
            Route(base + "/issues/{number:int}", self.thread),
            Route(base + "/pull/{number:int}", self.thread),
            Route(base + "/releases/tag/{tag:path}", self.release),
            Route(base + "/commit/{sha}", self.commit),
        ]

    def thread(self, request: Request) -> Response:
        name = self._name(request)
        if address := self._moved(name, request.path_params["number"]):
            return RedirectResponse(address, 301)
        try:
            issue: Json = self.hub.issue(name, request.path_params["number"])
        except LookupError:
            return self._missing(name)
        cards = [_card(f"{issue['user']['login']} · {issue['created_at']}", issue["body"])]
        cards += [
            _card(f"{comment['user']['login']} · {comment['created_at']}", comment["body"])
            for comment in issue["comments"]
        ]
        state = " · ".join(filter(None, [issue["state"], issue["state_reason"]]))
        labels = ", ".join(label["name"] for label in issue["labels"])
        facts = f"<p>{escape(state)}{' · ' + escape(labels) if labels else ''}</p>"
        return self._page(name, f"{issue['title']} #{issue['number']}", facts + "".join(cards))

    def _moved(self, name: str, number: int) -> str:
        """Where a thread stands now, if it or its repository has moved; else ""."""
        with self.hub.lock:
            repo = self.hub.find(name) or self.hub.moved_to(name)
            issue = (repo.moved.get(number) or repo.issues.get(number)) if repo else None
            home = self.hub.home(issue) if issue else None
            if issue is None or home is None or (home.full_name, issue.number) == (name, number):
                return ""
            return self.hub.shapes.issue_url(home, issue)

    def release(self, request: Request) -> HTMLResponse:
        name, tag = self._name(request), request.path_params["tag"]
        try:
            found = [release for release in self.hub.releases(name) if release["html_url"].endswith(f"/tag/{tag}")]
        except LookupError:
            found = []
        if not found:
            return self._missing(name)
        published = f"{found[0]['author']['login']} · {found[0]['published_at'] or 'draft'}"
        return self._page(name, found[0]["name"] or tag, _card(published, found[0]["body"]))

    def commit(self, request: Request) -> HTMLResponse:
        name, sha = self._name(request), request.path_params["sha"]
        with self.hub.lock:
            repo = self.hub.find(name)
            found = repo.history.commits.get(sha) if repo else None
        if found is None:
            return self._missing(name)
        return self._page(
            name, f"Commit {sha[:10]}", _card(f"{found.author} · {found.at:%Y-%m-%d %H:%M}", found.message)
        )

    @staticmethod
    def _name(request: Request) -> str:
        return f"{request.path_params['owner']}/{request.path_params['repo']}"

    @staticmethod
    def _page(where: str, title: str, body: str, status: int = 200) -> HTMLResponse:
        return HTMLResponse(_PAGE.format(where=escape(where), title=escape(title), body=body), status)

    def _missing(self, where: str) -> HTMLResponse:
        return self._page(where, "Not found", "<p>There is no such page here.</p>", 404)
