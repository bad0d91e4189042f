"""The frames of the long connection: protobuf (proto2), written by hand from its field numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

CONTROL = 0
DATA = 1

_SEQ_ID, _LOG_ID, _SERVICE, _METHOD, _HEADERS, _PAYLOAD = 1, 2, 3, 4, 5, 8
_REQUIRED = {_SEQ_ID, _LOG_ID, _SERVICE, _METHOD}
_VARINT, _BYTES = 0, 2


@dataclass(frozen=True)
class Frame:
    """`method` is CONTROL or DATA."""

    seq_id: int
    log_id: int
    service: int
    method: int
    headers: dict[str, str] = field(default_factory=dict)
    payload: bytes = b""

    def encode(self) -> bytes:
        numbers = {
            _SEQ_ID: self.seq_id,
            _LOG_ID: self.log_id,
            _SERVICE: self.service,
            _METHOD: self.method,
        }
        parts = [_key(number, _VARINT) + _varint(value) for number, value in numbers.items()]
        for name, value in self.headers.items():
            pair = _bytes(1, name.encode()) + _bytes(2, value.encode())
            parts.append(_bytes(_HEADERS, pair))
        if self.payload:
            parts.append(_bytes(_PAYLOAD, self.payload))
        return b"".join(parts)


def decode(data: bytes) -> Frame:
    """ValueError where a field is missing that a frame must have."""
    numbers: dict[int, int] = {}
    headers: dict[str, str] = {}
    payload = b""
    for number, value in _fields(data):
        if isinstance(value, int):
            numbers[number] = value
        elif number == _HEADERS:
            pair = {at: part for at, part in _fields(value) if isinstance(part, bytes)}
            headers[pair[1].decode()] = pair[2].decode()
        elif number == _PAYLOAD:
            payload = value
    missing = _REQUIRED - set(numbers)
    if missing:
        raise ValueError(f"a frame without the fields {sorted(missing)}")
    return Frame(
        numbers[_SEQ_ID],
        numbers[_LOG_ID],
        numbers[_SERVICE],
        numbers[_METHOD],
        headers,
        payload,
    )


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(data):
        key, at = _read_varint(data, at)
        number, wire = key >> 3, key & 7
        value, at = _read_varint(data, at)
        if wire == _VARINT:
            yield number, value
        elif wire == _BYTES:
            if at + value > len(data):
                raise ValueError("a frame that ends too early")
            yield number, data[at : at + value]
            at += value
        else:
            raise ValueError(f"wire type {wire}")


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data):
            raise ValueError("a frame that ends too early")
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _key(number: int, wire: int) -> bytes:
    return _varint(number << 3 | wire)


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def _bytes(number: int, value: bytes) -> bytes:
    return _key(number, _BYTES) + _varint(len(value)) + value
