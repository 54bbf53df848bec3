"""The pages' paper: templates, and the words and marks that they share."""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from bot.model import Kind, News, Severity, Stage, WriteBack
from bot.slack import views
from bot.slack.views.facts import kind_word, severity_word
from bot.slack.views.parts import Bold, Code, Link, When, one_line, proof_line, ticket_link, web, words
from bot.store.tables import EffectState
from bot.texts import Say
from bot.web.wording import confirmed, kind, looked, slot, step, told, why

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
FILES = {"style.css": "text/css", "mark.svg": "image/svg+xml"}


class Paper:
    """Makes pages of templates. Whatever is put in is text: only templates hold markup."""

    def __init__(self) -> None:
        folder = resources.files("bot.web") / "templates"
        self._files = {name: (folder / name).read_bytes() for name in FILES}
        self._mark = hashlib.sha256(self._files["style.css"]).hexdigest()[:8]
        self._templates = Environment(
            loader=PackageLoader("bot.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._templates.globals.update(
            {
                "Kind": Kind,
                "News": News,
                "Severity": Severity,
                "Stage": Stage,
                "WriteBack": WriteBack,
                "EffectState": EffectState,
                "views": views,
                "kind_word": kind_word,
                "severity_word": severity_word,
                "proof_line": proof_line,
                "ticket_link": ticket_link,
                "kind": kind,
                "looked": looked,
                "slot": slot,
                "step": step,
                "told": told,
                "confirmed": confirmed,
                "why": why,
            }
        )
        self._templates.filters.update({"one_line": one_line, "words": words, "web": web})
        self._templates.tests.update(
            {
                "link": lambda piece: isinstance(piece, Link),
                "bold": lambda piece: isinstance(piece, Bold | Code),
                "moment": lambda piece: isinstance(piece, When),
            }
        )

    def page(self, name: str, say: Say, facts: dict[str, Any], status: int = 200, *, sends: bool = False) -> Response:
        """The page of that template; `sends`: its forms do something, so they must tell where they come from."""
        speaking = {"say": say, "many": say.many, "pieces": say.pieces, "mark": self._mark}
        body = self._templates.get_template(name).render({**facts, **speaking})
        # Under "no-referrer" a browser would send a form's Origin as "null" (Fetch, "append a request Origin header").
        return HTMLResponse(body, status, HEADERS | ({"Referrer-Policy": "same-origin"} if sends else {}))

    def file(self, name: str) -> Response:
        """A file of the pages."""
        headers = HEADERS | {"Cache-Control": "private, max-age=86400"}
        return Response(self._files[name], headers=headers, media_type=FILES[name])
