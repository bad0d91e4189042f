"""CardKit: cards that are written while people look at them."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from typing import Any

from tests.feishu_platform.answers import BAD_FIELD, Refusal, bad_card, only, success, text_field
from tests.feishu_platform.cards import check_card
from tests.feishu_platform.chats import Memory
from tests.feishu_platform.clock import PlatformClock
from tests.feishu_platform.limits import Limits
from tests.feishu_platform.wire import Answer, Request

STREAM_S = 600.0
WAITS_FOR_CLICK = 200810
STREAM_TIMED_OUT = 200850
TOO_LONG = 200860
NOT_STREAMING = 300309
OUT_OF_ORDER = 300317
NO_ELEMENT = 300313
NO_CARD = 300000
SENT_ALREADY = 300302
LARGEST_CARD = 30 * 1024


@dataclass
class Card:
    """`texts` are all contents each element ever had. `streams_since` None: it does not."""

    card_id: str
    value: dict[str, Any]
    sequence: int = 0
    sent: bool = False
    streams_since: float | None = None
    waits_for_click: bool = False
    texts: dict[str, list[str]] = field(default_factory=dict)


class CardKit:
    """A card is made, sent once, streamed to, closed, and replaced as a whole."""

    def __init__(self, memory: Memory, clock: PlatformClock, limits: Limits) -> None:
        self._memory = memory
        self._clock = clock
        self._limits = limits
        self._numbers = itertools.count(1)
        self.cards: dict[str, Card] = {}

    def create(self, request: Request) -> Answer:
        body = only(request.json(), {"type", "data"})
        value = self._card_json(body)
        card = Card(f"71{next(self._numbers):010d}", value)
        self._set_streaming(card, value.get("config", {}).get("streaming_mode", False))
        self.cards[card.card_id] = card
        return success({"card_id": card.card_id})

    def content(self, request: Request, card_id: str, element_id: str) -> Answer:
        body = only(request.json(), {"content", "sequence", "uuid"})
        card = self._next(card_id, body)
        if card.streams_since is None:
            raise Refusal(NOT_STREAMING, "streaming mode is closed")
        if element_id not in json.dumps(card.value):
            raise Refusal(NO_ELEMENT, "no such element")
        text = text_field(body, "content")
        if len(text.encode()) > LARGEST_CARD:
            raise Refusal(TOO_LONG, "card content is too long")
        card.sequence = body["sequence"]
        card.texts.setdefault(element_id, []).append(text)
        return success({})

    def settings(self, request: Request, card_id: str) -> Answer:
        body = only(request.json(), {"settings", "sequence", "uuid"})
        card = self._next(card_id, body)
        settings = only(json.loads(text_field(body, "settings")), {"config", "card_link"})
        config = only(settings.get("config", {}), {"streaming_mode", "summary", "update_multi"})
        card.sequence = body["sequence"]
        if "streaming_mode" in config:
            self._set_streaming(card, config["streaming_mode"])
        return success({})

    def replace(self, request: Request, card_id: str) -> Answer:
        body = only(request.json(), {"card", "sequence", "uuid"})
        card = self._next(card_id, body, whole=True)
        value = self._card_json(only(body.get("card"), {"type", "data"}, "card."))
        card.value, card.sequence = value, body["sequence"]
        return success({})

    def use(self, card_id: str) -> None:
        """It is sent: once."""
        card = self.cards.get(card_id)
        if card is None:
            raise bad_card(NO_CARD, "card_id does not exist")
        if card.sent:
            raise bad_card(SENT_ALREADY, "the card was sent already")
        card.sent = True

    def _card_json(self, body: dict[str, Any]) -> dict[str, Any]:
        if body.get("type") != "card_json":
            raise Refusal(BAD_FIELD, "field validation failed: type")
        data = text_field(body, "data")
        if len(data.encode()) > LARGEST_CARD:
            raise Refusal(TOO_LONG, "card content is too long")
        value = json.loads(data)
        check_card(value, set(self._memory.images))
        return dict(value)

    def _next(self, card_id: str, body: dict[str, Any], whole: bool = False) -> Card:
        card = self.cards.get(card_id)
        if card is None:
            raise Refusal(NO_CARD, "no such card")
        self._limits.card(card_id)
        if card.waits_for_click:
            raise Refusal(WAITS_FOR_CLICK, "the card is interacting")
        sequence = body.get("sequence")
        if not isinstance(sequence, int) or sequence <= card.sequence:
            raise Refusal(OUT_OF_ORDER, "sequence number compare failed")
        since = card.streams_since
        if since is not None and self._clock.now() - since > STREAM_S:
            card.streams_since = None
            if not whole:
                raise Refusal(STREAM_TIMED_OUT, "card streaming timeout")
        return card

    def _set_streaming(self, card: Card, streaming: object) -> None:
        card.streams_since = self._clock.now() if streaming is True else None
