"""The long connection: where it is, who may open it, and how events come and are acknowledged."""

from __future__ import annotations

import asyncio
import base64
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request as Handshake
from websockets.http11 import Response

from tests.feishu_platform.answers import Refusal, only, success
from tests.feishu_platform.clock import PlatformClock
from tests.feishu_platform.events import header
from tests.feishu_platform.frames import CONTROL, DATA, Frame, decode
from tests.feishu_platform.wire import Answer, Request

ACK_WITHIN_S = 3.0
REDELIVERED_AFTER_S = (15.0, 300.0, 3600.0, 21600.0)
MOST_CONNECTIONS = 50
NO_CREDENTIAL = 1000040344
TOO_MANY_CONNECTIONS = 1000040350
AUTH_FAILED = 514
FORBIDDEN = 403
SERVICE = 33554678
LOG_ID = 2**40 + 7
TICK_S = 0.02
CALLBACK = "card.action.trigger"
NO_CALLBACK_ANSWER = 200340


@dataclass
class Sent:
    """One delivery of an event. `answer` is the payload that came back, None until then."""

    at: float
    connection: str
    message_id: str
    answer: dict[str, Any] | None = None
    frame: Frame | None = None

    @property
    def acknowledged(self) -> bool:
        return self.answer is not None and self.answer.get("code") == HTTPStatus.OK

    @property
    def data(self) -> Any:
        """What the handler answered; None where it answered nothing."""
        held = (self.answer or {}).get("data")
        return json.loads(base64.b64decode(held)) if held else None


@dataclass
class Delivery:
    """An event on its way. A callback is never redelivered; `over` once nothing more comes.

    `repeated` sends it a second time though the first was acknowledged: that happens too.
    `clicker_saw` is the error that someone who pressed a button was shown.
    """

    event: dict[str, Any]
    is_callback: bool
    fragments: int = 1
    repeated: bool = False
    when_over: Callable[[Delivery], None] = lambda _: None
    clicker_saw: int | None = None
    sent: list[Sent] = field(default_factory=list)
    over: bool = False

    @property
    def acknowledged(self) -> bool:
        return any(one.acknowledged for one in self.sent)


@dataclass
class Connections:
    """`refuse` is a code the discovery answers with; `handshake` (status, message, code) refuses
    the next connection; `deaf` answers no ping any more. `pings` counts those that came.
    `frame_type` is what data frames call themselves.
    """

    clock: PlatformClock
    app_id: str
    app_secret: str
    refuse: int | None = None
    handshake: tuple[int, str, int | None] | None = None
    deaf: bool = False
    pings: int = 0
    most: int = MOST_CONNECTIONS
    client_config: dict[str, int] = field(
        default_factory=lambda: {
            "ReconnectCount": -1,
            "ReconnectInterval": 120,
            "ReconnectNonce": 30,
            "PingInterval": 120,
        }
    )
    open: dict[str, ServerConnection] = field(default_factory=dict)
    deliveries: list[Delivery] = field(default_factory=list)
    port: int = 0
    frame_type: str = "event"
    _events: int = 0
    _tickets: set[str] = field(default_factory=set)
    _numbers: int = 0
    _working: set[asyncio.Task[None]] = field(default_factory=set)
    _loop: asyncio.AbstractEventLoop | None = None

    # --- discovery and handshake -------------------------------------------------------------

    def discover(self, request: Request) -> Answer:
        body = only(request.json(), {"AppID", "AppSecret"})
        if self.refuse is not None:
            raise Refusal(self.refuse, "refused", 200)
        if (body.get("AppID"), body.get("AppSecret")) != (self.app_id, self.app_secret):
            raise Refusal(NO_CREDENTIAL, "app_id or app_secret is invalid", 200)
        self._numbers += 1
        ticket = f"ticket-{self._numbers:04d}-secret"
        self._tickets.add(ticket)
        query = (
            f"device_id=device-{self._numbers}&access_key=key-{self._numbers:04d}-secret"
            f"&service_id={SERVICE}&ticket={ticket}"
        )
        url = f"ws://127.0.0.1:{self.port}/ws/v2?{query}"
        return success({"URL": url, "ClientConfig": self.client_config})

    async def listen(self) -> Server:
        self._loop = asyncio.get_running_loop()
        server = await serve(self._talk, "127.0.0.1", 0, process_request=self._admit)
        self.port = next(iter(server.sockets)).getsockname()[1]
        return server

    def _admit(self, _: ServerConnection, handshake: Handshake) -> Response | None:
        """None lets it in; else the reasons stand in the headers, as nobody reads the body."""
        ticket = parse_qs(urlsplit(handshake.path).query).get("ticket", [""])[0]
        if self.handshake is not None:
            refused, self.handshake = self.handshake, None
            return _refused(*refused)
        if ticket not in self._tickets:
            return _refused(AUTH_FAILED, "ticket is invalid", 1000040345)
        self._tickets.discard(ticket)
        if len(self.open) >= self.most:
            return _refused(AUTH_FAILED, "exceed the limit of connections", TOO_MANY_CONNECTIONS)
        return None

    async def _talk(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        query = parse_qs(urlsplit(connection.request.path).query)
        device = query["device_id"][0]
        self.open[device] = connection
        try:
            async for raw in connection:
                assert isinstance(raw, bytes), "a frame must be binary"
                await self._take(connection, decode(raw))
        except ConnectionClosed:
            pass
        finally:
            self.open.pop(device, None)

    async def _take(self, connection: ServerConnection, frame: Frame) -> None:
        if frame.method == CONTROL and frame.headers.get("type") == "ping":
            self.pings += 1
            if not self.deaf:
                config = json.dumps(self.client_config).encode()
                pong = replace(frame, headers={"type": "pong"}, payload=config)
                await connection.send(pong.encode())
        elif frame.method == DATA:
            for delivery in self.deliveries:
                for one in delivery.sent:
                    in_time = self.clock.now() - one.at <= ACK_WITHIN_S
                    if one.message_id == frame.headers["message_id"] and in_time:
                        one.answer, one.frame = json.loads(frame.payload), frame

    # --- events ------------------------------------------------------------------------------

    def push(
        self,
        kind: str,
        event: dict[str, Any],
        fragments: int = 1,
        repeated: bool = False,
        when_over: Callable[[Delivery], None] = lambda _: None,
    ) -> Delivery:
        """Deliver an event, or a callback where its kind is that of a card's button.

        From any thread. An event comes again until it is acknowledged.
        """
        is_callback = kind == CALLBACK
        body = {"schema": "2.0", "header": {"event_type": kind}, "event": event}
        delivery = Delivery(body, is_callback, fragments, repeated, when_over)
        self.deliveries.append(delivery)
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._start, delivery)
        return delivery

    def drop(self) -> None:
        """Every open connection breaks. From any thread."""
        assert self._loop is not None
        for connection in list(self.open.values()):
            self._loop.call_soon_threadsafe(connection.transport.abort)

    def _start(self, delivery: Delivery) -> None:
        task = asyncio.ensure_future(self._deliver(delivery))
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _deliver(self, delivery: Delivery) -> None:
        began = self.clock.now()
        waits = (0.0,) if delivery.is_callback else (0.0, *REDELIVERED_AFTER_S)
        for number, wait_s in enumerate(waits):
            await self._until(began + wait_s, delivery)
            if delivery.acknowledged:
                break
            began = self.clock.now()
            await self._send(delivery, number)
            await self._until(began + ACK_WITHIN_S, delivery)
        if delivery.repeated and delivery.acknowledged:
            await self._send(delivery, len(waits))
        if delivery.is_callback and not delivery.acknowledged:
            delivery.clicker_saw = NO_CALLBACK_ANSWER
        delivery.when_over(delivery)
        delivery.over = True

    async def _until(self, moment: float, delivery: Delivery) -> None:
        """The moment, on the platform's clock, or the acknowledgement before it."""
        while self.clock.now() < moment and not delivery.acknowledged:  # noqa: ASYNC110
            await asyncio.sleep(TICK_S)  # the clock may be moved from another thread

    async def _send(self, delivery: Delivery, number: int) -> None:
        """To one connection, whichever: every replica must be able to handle everything."""
        if not self.open:
            return
        device, connection = random.choice(sorted(self.open.items()))  # noqa: S311
        message_id = f"push-{self.deliveries.index(delivery)}-{number}"
        sent = Sent(self.clock.now(), device, message_id)
        delivery.sent.append(sent)
        kind = delivery.event["header"]["event_type"]
        self._events += 1  # a redelivery carries a fresh event_id
        head = header(kind, self._events, sent.at, self.app_id)
        payload = json.dumps(delivery.event | {"header": head}, ensure_ascii=False).encode()
        size = -(-len(payload) // delivery.fragments)
        for place in range(delivery.fragments):
            headers = {
                "type": self.frame_type,
                "message_id": message_id,
                "sum": str(delivery.fragments),
                "seq": str(place),
                "trace_id": f"trace-{message_id}",
                "timestamp": str(int(self.clock.now() * 1000)),
            }
            part = payload[place * size : (place + 1) * size]
            try:
                await connection.send(Frame(place, LOG_ID, SERVICE, DATA, headers, part).encode())
            except ConnectionClosed:
                return


def _refused(status: int, message: str, auth_code: int | None) -> Response:
    headers = Headers({"Handshake-Status": str(status), "Handshake-Msg": message})
    if auth_code is not None:
        headers["Handshake-Autherrcode"] = str(auth_code)
    headers["Content-Length"] = "0"
    return Response(HTTPStatus.FORBIDDEN.value, "Forbidden", headers)
