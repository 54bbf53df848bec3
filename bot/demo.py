"""The demo: the sandbox's four services on loopback, and the real bot against them, on data that is thrown away."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from bot import settings
from bot.app import Passerelle
from bot.gallery import gallery
from bot.model import UserError
from integrations import registry
from integrations.sandbox.wire import Server
from integrations.sandbox.world import Sandbox

CONNECT_TIMEOUT = 20.0
"""Seconds for Socket Mode to connect on a slow machine."""


@contextmanager
def play(tickets: Path | None = None, port: int = 0) -> Iterator[tuple[Sandbox, Passerelle]]:
    """The sandbox and the bot, connected and working; both are gone at the end. The environment's own tokens,
    database and configuration are not looked at. Raises UserError."""
    try:
        sandbox = Sandbox(tickets=tickets, port=port, gallery=gallery)
    except UnicodeDecodeError as error:
        raise UserError("The tickets are not UTF-8 text. Save the file as UTF-8.") from error
    except (ValueError, OSError) as error:
        raise UserError("The tickets cannot be read: {why}", why=error) from error
    try:
        sandbox.start()
    except OSError as error:
        raise UserError(
            "Port {port} cannot be used ({why}). Choose another: passerelle demo --port 8001",
            port=port,
            why=error.strerror,
        ) from error
    with tempfile.TemporaryDirectory(prefix="passerelle-demo-") as folder:
        bot = _bot(sandbox, Path(folder))
        web = Server(bot.web).start()
        sandbox.send_webhooks_to(web.url)
        bot.start_work()
        bot.connect()
        try:
            _wait_for_slack(sandbox)
            yield sandbox, bot
        finally:
            bot.stop_work()
            bot.close()
            web.stop()
            sandbox.stop()


def _bot(sandbox: Sandbox, folder: Path) -> Passerelle:
    environ = {**sandbox.environment(), "DATABASE_URL": f"sqlite:///{folder}/demo.db"}
    loaded = settings.load(files("config") / "demo.yaml", environ, registry.tracker_config, registry.helpdesk_config)
    bot = Passerelle(loaded)
    bot.store.migrate()
    return bot


def _wait_for_slack(sandbox: Sandbox) -> None:
    tick = threading.Event()
    for _ in range(int(CONNECT_TIMEOUT / 0.02)):
        if sandbox.slack.connections:
            return
        tick.wait(0.02)
    raise UserError("The bot could not connect to the sandbox's Slack within {n} seconds.", n=int(CONNECT_TIMEOUT))
