"""The GitLab stand-in's plain pages, so that a `web_url` leads somewhere in a browser; they ask for no sign-in."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from integrations.sandbox.gitlab.hub import Hub
from integrations.sandbox.gitlab.records import Project

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ max-width: 46rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; color: #333238 }}
article {{ border: 1px solid #dcdcde; border-radius: .5rem; padding: .5rem 1rem; margin: 1rem 0 }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; margin: .5rem 0 }} small {{ color: #626168 }}
</style></head><body><small>{where}</small><h1>{title}</h1>{body}</body></html>"""
_FILE = re.compile(r"/-/project/(?P<id>\d+)(?P<rest>/uploads/.+)")
_ADDRESS = re.compile(r"/(?P<path>.+?)/-/(?P<kind>issues|merge_requests|releases|commit)/(?P<name>.+)")


def _card(head: str, text: str | None) -> str:
    seen = re.sub(r"<!--.*?-->", "", text or "", flags=re.DOTALL).strip()
    return f"<article><small>{escape(head)}</small><pre>{escape(seen)}</pre></article>"


class Pages:
    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def answer(self, request: Request) -> Response:
        if file := _FILE.fullmatch(request.url.path):
            return self._file(file["id"], file["rest"])
        address = _ADDRESS.fullmatch(request.url.path)
        if address is None:
            return self._missing("")
        kinds: dict[str, Callable[[Project, str], Response | None]] = {
            "issues": self._issue,
            "merge_requests": self._merge,
            "releases": self._release,
            "commit": self._commit,
        }
        with self.hub.lock:
            project = self.hub.find(address["path"]) or self.hub.moved_from(address["path"])
            page = kinds[address["kind"]](project, unquote(address["name"])) if project else None
        return page or self._missing(address["path"])

    def _issue(self, project: Project, name: str) -> Response | None:
        issue = project.issues.get(int(name)) if name.isdigit() else None
        if issue is None:
            return None
        home = self.hub.home(issue.moved_to) if issue.moved_to else None
        if home and issue.moved_to:
            return RedirectResponse(self.hub.shapes.issue_url(home, issue.moved_to), 302)
        cards = [_card(f"{issue.by} · {issue.created:%Y-%m-%d %H:%M}", issue.body)]
        for note in issue.notes:
            kind = " · internal note" if note.internal else ""
            cards.append(_card(f"{note.by} · {note.created:%Y-%m-%d %H:%M}{kind}", note.body))
        words = [issue.state, "confidential" if issue.confidential else "", *(one.name for one in issue.labels)]
        facts = f"<p>{escape(' · '.join(filter(None, words)))}</p>"
        return self._page(project.path, f"{issue.title} #{issue.iid}", facts + "".join(cards))

    def _merge(self, project: Project, name: str) -> Response | None:
        merge = project.merges.get(int(name)) if name.isdigit() else None
        if merge is None:
            return None
        facts = f"<p>{escape(merge.state)} · {escape(merge.source)} → {escape(merge.target)}</p>"
        card = _card(f"{merge.by} · {merge.created:%Y-%m-%d %H:%M}", merge.body)
        return self._page(project.path, f"{merge.title} !{merge.iid}", facts + card)

    def _release(self, project: Project, name: str) -> Response | None:
        for release in project.releases:
            if release.tag == name:
                card = _card(f"{release.by} · {release.released:%Y-%m-%d %H:%M}", release.body)
                return self._page(project.path, release.name, card)
        return None

    def _commit(self, project: Project, name: str) -> Response | None:
        commit = project.history.commits.get(name)
        if commit is None:
            return None
        card = _card(f"{commit.author} · {commit.at:%Y-%m-%d %H:%M}", commit.message)
        return self._page(project.path, f"Commit {name[:8]}", card)

    def _file(self, project_id: str, rest: str) -> Response:
        """To who has not signed in: images of any project, other files of public ones ("User file uploads")."""
        with self.hub.lock:
            project = self.hub.find(project_id)
            found = next((one for one in project.uploads if one.url == rest), None) if project else None
            shown = project is not None and found is not None and (found.image or project.visibility == "public")
        return Response(found.content) if found and shown else self._missing("")

    @staticmethod
    def _page(where: str, title: str, body: str, status: int = 200) -> HTMLResponse:
        return HTMLResponse(_PAGE.format(where=escape(where), title=escape(title), body=body), status)

    def _missing(self, where: str) -> HTMLResponse:
        return self._page(where, "Page not found", "<p>There is no such page here.</p>", 404)
