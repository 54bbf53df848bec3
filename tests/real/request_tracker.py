"""A Request Tracker 5 that nobody of this project wrote, as Debian has it, and what customers and agents do there.

Needs the packages that tests/real/rt/install.sh puts on a Debian 12. Each server has its own database (SQLite), and its
mails end in a folder.
"""

from __future__ import annotations

import email.policy
import os
import re
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from email.message import EmailMessage
from email.utils import formataddr, make_msgid
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from integrations.sandbox.wire import Server

HERE = Path(__file__).parent / "rt"
PAGE = Path(__file__).parents[2] / "docs" / "integrations" / "rt.md"
SERVER = "/usr/share/request-tracker5/libexec/rt-server"
SECRET = "a secret of the tests"
ZOE = ("Zoé Martin", "zoe@customer.example")


class RequestTracker:
    """One server. People write to it by mail, agents by its REST interface; `mails` is what it sent."""

    def __init__(self, url: str, folder: Path, tokens: Sequence[str], hooks: Hooks) -> None:
        self.url, self.hooks = url, hooks
        self._folder = folder
        self.bot, self._ana, self._root = tokens
        self._http = httpx2.Client(base_url=url, timeout=30, trust_env=False)

    def empty(self) -> None:
        """As it was before anybody wrote."""
        with closing(self._database("rt.db")) as live, closing(self._database("fresh.db")) as fresh:
            fresh.backup(live)
        for mail in (self._folder / "mails").iterdir():
            mail.unlink()
        self.hooks.got.clear()

    def _database(self, name: str) -> sqlite3.Connection:
        return sqlite3.connect(self._folder / name, timeout=20)

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(self._database("rt.db")) as database, database:
            return database.execute(sql, values).fetchall()

    def a_second_passes(self) -> None:
        """All that happened is a second longer ago."""
        later = ", ".join(f"{name} = datetime({name}, '-1 second')" for name in ("Created", "LastUpdated"))
        self.query(f"UPDATE Tickets SET {later}")
        self.query("UPDATE Transactions SET Created = datetime(Created, '-1 second')")

    def was_later(self, minutes: int) -> None:
        """What happened last happened so much later."""
        last = "id = (SELECT MAX(id) FROM Transactions WHERE Type = 'Correspond')"
        self.query(f"UPDATE Transactions SET Created = datetime(Created, '+{minutes} minutes') WHERE {last}")

    # --- what people do -----------------------------------------------------------------------------------------------

    def take(self, mail: bytes) -> int:
        """A mail comes in by RT's mail gateway; returns the ticket that it was written to."""
        self.a_second_passes()
        form = {
            "queue": (None, "General"),
            "action": (None, "correspond"),
            "SessionType": (None, "REST"),
            "message": ("", mail, "application/octet-stream"),
        }
        answer = self._http.post("/REST/1.0/NoAuth/mail-gateway", files=form)
        assert answer.text.startswith("ok"), answer.text
        [(number,)] = self.query(
            "SELECT ObjectId FROM Transactions WHERE ObjectType = 'RT::Ticket' AND Type IN ('Create', 'Correspond') "
            "ORDER BY id DESC LIMIT 1"
        )
        return int(number)

    def mail(
        self,
        subject: str,
        body: str,
        *,
        html: bool = False,
        ticket: int | str = "",
        sender: tuple[str, str] = ZOE,
        file: tuple[str, bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> int:
        """A customer writes; returns the ticket's number."""
        mail = EmailMessage()
        mail["From"], mail["To"] = formataddr(sender), "help@acme.example"
        mail["Subject"] = f"Re: [acme.example #{ticket}] {subject}" if ticket else subject
        mail["Message-ID"] = make_msgid(domain="customer.example")
        for name, value in (headers or {}).items():
            mail[name] = value
        mail.set_content(body, subtype="html" if html else "plain", cte="base64" if len(body) > 10_000 else None)
        if file:
            mail.add_attachment(file[1], maintype="image", subtype="png", filename=file[0])
        return self.take(bytes(mail))

    def mail_again(self, ticket: int | str, text: str) -> None:
        """Once more what the customer wrote last, with another text: hundreds of mails would take a minute."""
        now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        last = (
            "SELECT MAX(id) FROM Transactions WHERE ObjectType = 'RT::Ticket' AND Type = 'Correspond' AND ObjectId = ?"
        )
        with closing(self._database("rt.db")) as database, database:
            [(was,)] = database.execute(last, [ticket])
            made = _copy(database, "Transactions", f"id = {was}", Created=now)
            _copy(database, "Attachments", f"TransactionId = {was}", TransactionId=made, Content=text, Created=now)
            database.execute("UPDATE Tickets SET LastUpdated = ? WHERE id = ?", [now, ticket])

    def call(self, method: str, path: str, body: Any = None, *, root: bool = False, **params: str) -> Any:
        """A call of Ana's, or of the administrator's."""
        if method != "GET":
            self.a_second_passes()
        headers = {"Authorization": f"token {self._root if root else self._ana}", "Accept": "application/json"}
        sent = {"json": body} if body is not None else {}
        answer = self._http.request(method, f"/REST/2.0{path}", headers=headers, params=params, **sent)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text[:300]}"
        return answer.json()

    def write(self, number: int | str, text: str, public: bool = True) -> None:
        """Ana answers the customer, or comments."""
        body = {"Content": text, "ContentType": "text/plain"}
        self.call("POST", f"/ticket/{number}/{'correspond' if public else 'comment'}", body)

    # --- what people see ----------------------------------------------------------------------------------------------

    def said(self, number: int | str) -> list[tuple[str, bool, str]]:
        """Who wrote what, and whether customers may see it, as the administrator reads it."""
        told = {"fields": "Type,Creator", "fields[Creator]": "RealName"}
        turns = self._all(f"/ticket/{number}/history", **told)
        found = []
        for turn in turns:
            if turn["Type"] in ("Create", "Correspond", "Comment"):
                parts = self._all(f"/transaction/{turn['id']}/attachments", fields="ContentType,Content")
                text = next((part["Content"] for part in parts if part["ContentType"].startswith("text/")), "")
                found.append((turn["Creator"]["RealName"], turn["Type"] != "Comment", text.strip("\n")))
        return found

    def _all(self, path: str, **params: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for at in range(1, 100):
            items = self.call("GET", path, root=True, per_page="100", page=str(at), **params)["items"]
            found += items
            if len(items) < 100:
                break
        return found

    def mails(self, ticket: int | str = "") -> list[EmailMessage]:
        """What went out, about that ticket if one is named, without what RT sends to everybody who writes."""
        found = []
        for file in sorted((self._folder / "mails").iterdir(), key=lambda one: one.stat().st_mtime_ns):
            mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            assert isinstance(mail, EmailMessage)
            automatic = str(mail["Auto-Submitted"] or "").startswith("auto-")
            if not automatic and str(mail["X-RT-Ticket"]).endswith(f"#{ticket}" if ticket else ""):
                found.append(mail)
        return found

    def received(self, ticket: int | str = "", customer: str = ZOE[1]) -> list[str]:
        """What reached the customer, as their mail program shows it."""
        return [plain(mail) for mail in self.mails(ticket) if customer in str(mail["To"])]


def _copy(database: sqlite3.Connection, table: str, which: str, **other: object) -> int | None:
    """Insert a copy of one row, with some values other than they were; returns its id."""
    names = [row[1] for row in database.execute(f"PRAGMA table_info({table})") if row[1] != "id"]
    shown = ", ".join("?" if name in other else name for name in names)
    values = [other[name] for name in names if name in other]
    copy = f"INSERT INTO {table} ({', '.join(names)}) SELECT {shown} FROM {table} WHERE {which}"
    return database.execute(copy, values).lastrowid


def plain(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n").rstrip("\n")


class Hooks:
    """Where RT's scrip posts to: it keeps what it gets, and hands it on to `onward` if that is set."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.onward = ""
        self._server = Server(Starlette(routes=[Route("/hook", self._take, methods=["POST"])])).start()
        self.url = f"{self._server.url}/hook"

    async def _take(self, request: Request) -> Response:
        body = await request.body()
        self.got.append((dict(request.headers), body))
        if not self.onward:
            return Response(status_code=204)
        async with httpx2.AsyncClient(timeout=5, trust_env=False) as client:
            headers = {name: value for name, value in request.headers.items() if name.startswith("x-passerelle")}
            answer = await client.post(self.onward, content=body, headers=headers)
        return Response(status_code=answer.status_code)

    def stop(self) -> None:
        self._server.stop()


def scrip() -> str:
    """The code that the page tells people to paste."""
    return re.findall(r"^```perl\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)[-1]


@contextmanager
def running(folder: Path) -> Iterator[RequestTracker]:
    """A fresh one, as its own processes; all that it keeps lies in `folder`."""
    if not Path(SERVER).exists():
        pytest.fail("Request Tracker is not installed. Run tests/real/rt/install.sh as root, on Debian 12.")
    for name in ("mason", "sessions", "mails", "more"):
        (folder / name).mkdir()
    (folder / "sendmail").write_text(f'#!/bin/sh\nexec cat >"$(mktemp {folder}/mails/XXXXXXXX)"\n')
    (folder / "sendmail").chmod(0o755)
    (folder / "scrip").write_text(scrip(), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    hooks = Hooks()
    environment = {
        **os.environ,
        "RT_SITE_CONFIG": str(HERE / "RT_SiteConfig.pm"),
        "RT_SITE_CONFIG_DIR": str(folder / "more"),
        "RT_HOME": str(folder),
        "RT_PORT": str(port),
        "PASSERELLE_ADDRESS": hooks.url,
        "PASSERELLE_SECRET": SECRET,
    }
    made = ["rt-setup-database-5", "--action", "init", "--skip-create", "--dba", "root", "--dba-password", ""]
    subprocess.run(made, env=environment, check=True, capture_output=True, cwd=folder)
    seeded = subprocess.run(
        ["perl", HERE / "seed.pl", folder / "scrip"], env=environment, capture_output=True, text=True, cwd=folder
    )
    assert seeded.returncode == 0, seeded.stderr
    (folder / "fresh.db").write_bytes((folder / "rt.db").read_bytes())
    command = [SERVER, "--host", "127.0.0.1", "--port", str(port), "--server", "Starlet", "--workers", "2"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log, start_new_session=True)
    try:
        url = f"http://127.0.0.1:{port}"
        _await(url, process, folder / "log")
        yield RequestTracker(url, folder, seeded.stdout.split(), hooks)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=10)
        hooks.stop()


def _await(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx2.get(f"{url}/REST/2.0/rt", timeout=5, trust_env=False).status_code == 401:
                return
        except httpx2.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"RT did not start: {log.read_text()}")
