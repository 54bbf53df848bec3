"""What every stand-in shares: whole requests only."""

import socket

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from integrations.sandbox.wire import Server, Wire

HALF = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 20\r\n\r\nonly a half"
WHOLE = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n\r\nwhole"


def test_half_a_request_is_neither_handled_nor_noted() -> None:
    """Its sender died while sending: no service acts on that, and a ledger that held it would be wrong."""
    handled: list[bytes] = []

    async def handle(request: Request) -> Response:
        handled.append(await request.body())
        return Response("done")

    wire = Wire(Starlette(routes=[Route("/", handle, methods=["POST"])]))
    server = Server(wire).start()
    try:
        for sent in (HALF, WHOLE):
            with socket.create_connection(("127.0.0.1", server.port), timeout=5) as line:
                line.sendall(sent)
                line.shutdown(socket.SHUT_WR)
                line.recv(1000)
    finally:
        server.stop()
    assert handled == [b"whole"]
    assert [call.body for call in wire.calls] == [b"whole"]
