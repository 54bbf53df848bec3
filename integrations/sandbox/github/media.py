"""Commits as plain text, for who accepts `application/vnd.github.sha`, `.diff` or `.patch` ("Media types")."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from integrations.sandbox.github.history import Commit
from integrations.sandbox.github.patches import diff
from integrations.sandbox.github.shapes import Shapes

Endpoint = Callable[[Request], Awaitable[Response]]
_ASKED = re.compile(r"application/vnd\.github(?:\.v3)?\.(\w+)")


def by_media(usual: Endpoint, texts: dict[str, Endpoint]) -> Endpoint:
    """Answers by the endpoint of the asked media type; those of `texts` answer with one JSON string, sent as text."""

    async def answer(request: Request) -> Response:
        match = _ASKED.search(request.headers.get("accept", ""))
        kind = match[1] if match else ""
        if kind not in texts:
            return await usual(request)
        whole = await texts[kind](request)
        if whole.status_code != 200:
            return whole
        headers = {name: value for name, value in whole.headers.items() if not name.startswith("content-")}
        headers["X-GitHub-Media-Type"] = f"github.v3; param={kind}"
        text = json.loads(bytes(whole.body))
        return Response(text, 200, headers, media_type=f"application/vnd.github.{kind}; charset=utf-8")

    return answer


def mail(shapes: Shapes, commit: Commit) -> str:
    """A commit as `git format-patch` writes it."""
    who = shapes.person(commit.author)
    subject, _, rest = commit.message.partition("\n")
    at = f"{commit.authored:%a, %d %b %Y %H:%M:%S +0000}"
    head = f"From {commit.sha} Mon Sep 17 00:00:00 2001\nFrom: {who['name']} <{who['email']}>\nDate: {at}\n"
    return f"{head}Subject: [PATCH] {subject}\n{rest}\n---\n\n{diff(commit.changes, commit.sha)}-- \n2.43.0\n"
