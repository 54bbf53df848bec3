"""Running a process: the worker, Slack and the web side, until somebody says stop."""

from __future__ import annotations

import signal
import socket
import threading
from types import FrameType

import structlog
import uvicorn

from bot.app import Passerelle
from bot.model import UserError

log = structlog.get_logger()


def serve(bot: Passerelle, *, host: str = "0.0.0.0", port: int) -> None:  # noqa: S104 (hosting platforms route to it)
    """Work and serve until SIGTERM or SIGINT; then finish what is being performed. Raises UserError when the port is
    taken."""
    listener = _listen(host, port)
    server = uvicorn.Server(uvicorn.Config(bot.web, log_level="critical", lifespan="off", access_log=False))
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()
        server.should_exit = True

    thread = threading.Thread(target=server.run, args=([listener],), name="web", daemon=True)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    thread.start()
    bot.start_work()
    bot.connect()
    log.info("passerelle.running", port=listener.getsockname()[1])
    stopping.wait()
    log.info("passerelle.stopping")
    thread.join(10)
    bot.stop_work()
    bot.close()


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise UserError(
            "Port {port} cannot be used ({why}). Stop what uses it, or set PORT to another above 1023.",
            port=port,
            why=error.strerror,
        ) from error
    return listener
