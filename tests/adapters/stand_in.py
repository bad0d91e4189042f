"""A backend on this machine that says what a test tells it to, and remembers what it was asked."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qsl, unquote, urlsplit

GIVE_UP_S = 30.0


@dataclass(frozen=True)
class Seen:
    """A request as it came over the wire; `raw_path` is still quoted, without the query."""

    method: str
    raw_path: str
    parameters: tuple[tuple[str, str], ...]
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return unquote(self.raw_path)

    def one(self, name: str, otherwise: str = "") -> str:
        return dict(self.parameters).get(name, otherwise)


@dataclass(frozen=True)
class Reply:
    """`length` lies about the size of the body; `hang` leaves the connection open after it."""

    status: int = 200
    body: bytes | Iterable[bytes] = b"{}"
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    length: int | None = None
    hang: bool = False


@dataclass
class StandIn:
    """`seen` grows while the server runs."""

    answer: Callable[[Seen], Reply]
    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    most_at_once: int = 0
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _over: threading.Event = field(default_factory=threading.Event)

    def take(self, seen: Seen) -> Reply:
        with self._lock:
            self.seen.append(seen)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        return self.answer(seen)

    def done(self) -> None:
        with self._lock:
            self._now -= 1

    def hang(self) -> None:
        self._over.wait(GIVE_UP_S)

    def let_go(self) -> None:
        self._over.set()


class _Handler(BaseHTTPRequestHandler):
    stand_in: ClassVar[StandIn]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Silent: `seen` tells it all."""

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        given = tuple(parse_qsl(parts.query, keep_blank_values=True))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.stand_in.take(Seen(self.command, parts.path, given, headers, body))
        try:
            with suppress(ConnectionError):
                self._send(reply)
        finally:
            self.stand_in.done()

    def _send(self, reply: Reply) -> None:
        pieces = [reply.body] if isinstance(reply.body, bytes) else reply.body
        self.send_response_only(reply.status)
        if "Date" not in dict(reply.headers):
            self.send_header("Date", self.date_time_string())
        self.send_header("Content-Type", reply.content_type)
        for name, value in reply.headers:
            self.send_header(name, value)
        if isinstance(reply.body, bytes):
            size = len(reply.body) if reply.length is None else reply.length
            self.send_header("Content-Length", str(size))
        else:
            self.send_header("Connection", "close")
        self.end_headers()
        for piece in pieces:
            self.wfile.write(piece)
        self.wfile.flush()
        if reply.hang:
            self.stand_in.hang()
        if reply.length is not None or reply.hang or not isinstance(reply.body, bytes):
            self.close_connection = True


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Silent: clients that break off are part of the tests."""


@contextmanager
def standing_in(
    answer: Callable[[Seen], Reply], tls: ssl.SSLContext | None = None
) -> Iterator[StandIn]:
    """A server on a free port of this machine for as long as the block runs."""
    stand_in = StandIn(answer)
    handler = type("Handler", (_Handler,), {"stand_in": stand_in})
    server = _Server(("127.0.0.1", 0), handler)
    if tls is not None:
        # The handshake is made by the thread of the connection, so that a bad one stops nobody.
        server.socket = tls.wrap_socket(server.socket, True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    scheme = "http" if tls is None else "https"
    stand_in.url = f"{scheme}://127.0.0.1:{server.server_address[1]}"
    try:
        yield stand_in
    finally:
        stand_in.let_go()
        server.shutdown()
        server.server_close()
        thread.join(GIVE_UP_S)


def closed_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
