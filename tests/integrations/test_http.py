"""The helpdesks' HTTP client: what each bad answer becomes, and that a write goes out once."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import hmac
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from integrations.base import NotFound, Rejected, ServiceError, Unauthorised, Unavailable
from integrations.http import HttpClient, is_fresh, retry_after, signed
from integrations.sandbox.wire import Fault, Server, Wire

NOW = datetime(2026, 11, 2, 10, 14, tzinfo=UTC)


async def _status(request: Request) -> Response:
    status = int(request.path_params["status"])
    return JSONResponse({"why": "because"}, status, {"Retry-After": "3"})


async def _echo(request: Request) -> Response:
    page = int(request.query_params.get("page", 1))
    return JSONResponse({"page": page, "auth": request.headers.get("authorization", "")})


async def _big(request: Request) -> Response:
    return Response(gzip.compress(b" " * 20_000_000), headers={"Content-Encoding": "gzip"})


async def _drip(request: Request) -> Response:
    async def drops() -> AsyncIterator[bytes]:
        for _ in range(100):
            await asyncio.sleep(0.05)
            yield b" "

    return StreamingResponse(drops())


async def _circle(request: Request) -> Response:
    return RedirectResponse("/circle")


async def _moved(request: Request) -> Response:
    return RedirectResponse("/echo", 302)


async def _html(request: Request) -> Response:
    return PlainTextResponse("<html>Sign in</html>", media_type="text/html")


def _why(answer: Any) -> str:
    return str(answer["why"])


@pytest.fixture
def wire() -> Wire:
    every = ["GET", "POST", "PUT"]
    places: list[tuple[str, Callable[[Request], Any]]] = [
        ("/status/{status}", _status),
        ("/echo", _echo),
        ("/big", _big),
        ("/circle", _circle),
        ("/moved", _moved),
        ("/html", _html),
    ]
    return Wire(Starlette(routes=[Route(path, endpoint, methods=every) for path, endpoint in places]))


@pytest.fixture
def client(wire: Wire) -> Iterator[HttpClient]:
    server = Server(wire).start()
    client = HttpClient("desk", server.url, auth=("me", "secret"), timeout=0.5, reason=_why)
    yield client
    client.close()
    server.stop()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Rejected),
        (401, Unauthorised),
        (403, Unauthorised),
        (404, NotFound),
        (409, Rejected),
        (410, NotFound),
        (413, Rejected),
        (422, Rejected),
        (429, Unavailable),
        (500, Unavailable),
        (503, Unavailable),
    ],
)
def test_each_refusal_is_one_of_the_contracts_errors(client: HttpClient, status: int, kind: type[ServiceError]) -> None:
    """With the service's own reason, and the seconds to wait where it named them."""
    with pytest.raises(ServiceError) as refusal:
        client.send("POST", f"/status/{status}", {})
    assert type(refusal.value) is kind
    if isinstance(refusal.value, Unavailable):
        assert (refusal.value.retry_after, refusal.value.maybe_done) == (3, status != 429)
    else:
        assert refusal.value.detail == "because"


def test_a_failed_read_has_certainly_done_nothing(client: HttpClient, wire: Wire) -> None:
    """A 5xx leaves no doubt about a read, and is not tried again at once."""
    with pytest.raises(Unavailable) as failure:
        client.get("/status/500")
    assert (failure.value.maybe_done, len(wire.calls)) == (False, 1)


@pytest.mark.parametrize("how", ["drop", "drop_after"])
def test_a_dropped_line_is_tried_again_for_reads_alone(client: HttpClient, wire: Wire, how: Any) -> None:
    """A read comes through at its second attempt; a write is in doubt after its only one."""
    wire.faults.append(Fault(how))
    assert client.get("/echo")["page"] == 1
    wire.faults.append(Fault(how))
    with pytest.raises(Unavailable) as doubt:
        client.send("PUT", "/echo", {})
    assert doubt.value.maybe_done
    assert [call.method for call in wire.calls] == ["GET", "GET", "PUT"]


def test_a_late_answer_is_unavailable_and_a_late_write_in_doubt(client: HttpClient, wire: Wire) -> None:
    """After the time-out nobody knows whether a write was done."""
    wire.faults.append(Fault("late", seconds=1, times=2))
    for call, doubt in ((lambda: client.get("/echo"), False), (lambda: client.send("PUT", "/echo"), True)):
        with pytest.raises(Unavailable, match=r"no answer within 0\.5 s") as late:
            call()
        assert late.value.maybe_done is doubt


def test_an_answer_that_drips_is_given_up() -> None:
    """Each byte comes in time, the whole does not: the thread is not held for long."""
    server = Server(Starlette(routes=[Route("/drip", _drip)])).start()
    started = time.monotonic()
    with pytest.raises(Unavailable, match=r"more than 0\.5 s"):
        HttpClient("desk", server.url, timeout=0.5).get("/drip")
    assert time.monotonic() - started < 2
    server.stop()


def test_an_answer_without_end_is_given_up(client: HttpClient) -> None:
    """Twenty megabytes, packed into twenty kilobytes, are not taken in."""
    with pytest.raises(Unavailable, match="more than 10 MB"):
        client.get("/big")


def test_nobody_there_is_certainly_not_done() -> None:
    """Refused connections and unknown hosts leave no doubt about a write."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        with pytest.raises(Unavailable) as refused:
            HttpClient("desk", f"http://127.0.0.1:{taken.getsockname()[1]}").send("PUT", "/x", {})
    assert not refused.value.maybe_done


def test_redirects_are_few_for_reads_and_none_for_writes(client: HttpClient, wire: Wire) -> None:
    """A 302 would turn a write into a read that looks like success."""
    assert client.get("/moved")["page"] == 1
    with pytest.raises(Unavailable, match="in circles"):
        client.get("/circle")
    with pytest.raises(Rejected, match="another address"):
        client.send("PUT", "/moved", {})
    assert [call.method for call in wire.calls].count("PUT") == 1
    assert len(wire.calls) < 10


def test_our_credentials_do_not_follow_a_redirect_to_another_host(client: HttpClient, wire: Wire) -> None:
    """Whoever answers there does not learn them."""
    other = Server(Starlette(routes=[Route("/echo", _echo)])).start()
    wire.faults.append(Fault("refuse", status=302, headers={"Location": f"{other.url}/echo"}))
    assert client.get("/echo") == {"page": 1, "auth": ""}
    other.stop()


def test_a_key_in_a_header_of_its_own_does_not_follow_either(wire: Wire) -> None:
    """Many services want theirs in another one than `Authorization`; within their own host it goes along."""
    keys: list[str | None] = []

    async def noted(request: Request) -> Response:
        keys.append(request.headers.get("x-api-key"))
        return JSONResponse({})

    other = Server(Starlette(routes=[Route("/noted", noted)])).start()
    there = RedirectResponse(f"{other.url}/noted")
    wire.app = Starlette(routes=[Route("/here", lambda _: RedirectResponse("/noted")), Route("/noted", noted)])
    own = Server(wire).start()
    client = HttpClient("desk", own.url, headers={"X-Api-Key": "k"})
    client.get("/here")
    wire.answer = there
    client.get("/here")
    own.stop()
    other.stop()
    assert keys == ["k", None]


def test_a_web_page_is_no_data(client: HttpClient) -> None:
    """A sign-in page answered with 200 is not taken for success; a write behind it is in doubt."""
    with pytest.raises(Unavailable, match="a web page instead of data") as page:
        client.send("PUT", "/html", {})
    assert page.value.maybe_done


def test_pages_are_followed_and_bounded(client: HttpClient, wire: Wire) -> None:
    """As long as one names the next, and no longer than asked for."""

    def following(page: Any) -> dict[str, int] | None:
        return {"page": page["page"] + 1} if page["page"] < 3 else None

    assert [page["page"] for page in client.pages("/echo", {"a": 1}, following)] == [1, 2, 3]
    assert len(list(client.pages("/echo", {}, lambda page: {"page": 1}, most=4))) == 4
    assert wire.calls[1].query == "a=1&page=2"


def test_threads_share_one_client(client: HttpClient) -> None:
    """Each gets its own answer."""
    barrier = threading.Barrier(8)

    def ask(page: int) -> int:
        barrier.wait(5)
        return int(client.get("/echo", {"page": page})["page"])

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(1, 9))) == list(range(1, 9))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "-7"}, 0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Mon, 02 Nov 2026 10:15:00 GMT", "date": "Mon, 02 Nov 2026 10:14:00 GMT"}, 60),
        ({"retry-after": "Mon, 02 Nov 2026 10:13:00 GMT", "date": "Mon, 02 Nov 2026 10:14:00 GMT"}, 0),
        ({"retry-after": "Mon, 02 Nov 2026 10:15:00 GMT", "date": "today"}, None),
    ],
)
def test_retry_after_is_read_in_both_forms(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds, or a date held against the service's own clock; nonsense is no wait."""
    assert retry_after(headers) == seconds


@given(st.binary(), st.text(), st.text())
def test_a_signature_is_right_or_wrong_and_never_an_error(message: bytes, secret: str, guess: str) -> None:
    """Whatever a stranger puts into the header."""
    secret = secret.encode("utf-8", "ignore").decode()
    right = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
    assert signed(secret, message, right)
    assert signed(secret, message, guess) == (guess == right)


@pytest.mark.parametrize("stamp", ["", "now", "2026-11-02T10:14:00", "2026-11-02T10:20:01Z", "9" * 9999])
def test_a_time_that_is_no_time_is_not_fresh(stamp: str) -> None:
    """Neither nonsense, nor a time without its zone, nor one too far off."""
    assert not is_fresh(stamp, NOW)
    assert is_fresh("2026-11-02T11:18:00+01:00", NOW)
    assert is_fresh((NOW - timedelta(seconds=300)).isoformat(), NOW)


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def far() -> Iterator[list[str]]:
    """What another host heard as credentials; its address stands first."""
    heard: list[str] = []

    async def file(request: Request) -> Response:
        heard.append(request.headers.get("authorization", "none"))
        return Response(b"far")

    server = Server(Starlette(routes=[Route("/file", file)])).start()
    heard.append(server.url)
    yield heard
    server.stop()


def test_a_file_is_had_with_our_credentials_from_the_services_own_host_alone(
    client: HttpClient, wire: Wire, far: list[str]
) -> None:
    """An address elsewhere is refused, and one that is not safe is not followed to, either."""
    base = str(client._client.base_url).rstrip("/")
    assert b"Basic" in client.download(f"{base}/echo")
    assert b"Basic" in client.download(f"{base}/moved")
    elsewhere = [f"{far[0]}/file", base.replace("//", "//me:secret@") + "/echo", "/echo", "", "file:///etc/hosts"]
    for address in [*elsewhere, f"{base}.example/echo", "https://cdn.example.evil.test/a", "https://[", "https://a b/"]:
        with pytest.raises(Rejected):
            client.download(address, also=(".cdn.example", "files.example"))
    wire.answer = RedirectResponse(f"{far[0]}/file")
    with pytest.raises(Rejected, match="not safe"):
        client.download(f"{base}/echo")
    assert far[1:] == []


def test_a_file_that_never_ends_circles_or_fails_is_told_as_such(client: HttpClient, wire: Wire) -> None:
    """In one sentence each."""
    base = str(client._client.base_url).rstrip("/")
    for path, kind, told in (
        ("/big", Rejected, "larger than 10 MB"),
        ("/circle", Unavailable, "circles"),
        ("/status/404", NotFound, "because"),
        ("/status/503", Unavailable, "failed"),
    ):
        with pytest.raises(kind, match=told):
            client.download(f"{base}{path}")
    wire.faults.append(Fault("drop"))
    assert client.download(f"{base}/echo")


def test_a_signature_can_be_of_the_older_kind() -> None:
    """HMAC-SHA1, as some services still sign."""
    right = hmac.new(b"s", b"body", "sha1").hexdigest()
    assert signed("s", b"body", right, algorithm="sha1")
    assert not signed("s", b"body", right)
    assert not signed("s", b"body!", right, algorithm="sha1")
