"""Reads a body piece by piece, and never holds more of it than the cap allows."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator

from aegis.model.errors import AnswerTooLarge, SourceRejected, SourceUnavailable

GZIP = 16 + zlib.MAX_WBITS
PIECE = 256 * 1024


async def read_body(
    pieces: AsyncIterator[bytes], encoding: str, most_bytes: int, where: str
) -> bytes:
    """The decoded body.

    Bytes are counted after decompression, and decompression stops at the cap: a small
    gzip file can hold gigabytes. AnswerTooLarge beyond `most_bytes`, SourceUnavailable for
    half a gzip stream, SourceRejected for an encoding that was not asked for.
    """
    if encoding in ("", "identity"):
        plain = bytearray()
        async for piece in pieces:
            _extend(plain, piece, most_bytes, where)
        return bytes(plain)
    if encoding not in ("gzip", "x-gzip"):
        raise SourceRejected(f"{where} answered in an encoding that was not asked for")
    return await _gunzip(pieces, most_bytes, where)


async def _gunzip(pieces: AsyncIterator[bytes], most_bytes: int, where: str) -> bytes:
    body = bytearray()
    inflate = zlib.decompressobj(GZIP)
    try:
        async for piece in pieces:
            waiting = piece
            while waiting and not inflate.eof:
                _extend(body, inflate.decompress(waiting, PIECE), most_bytes, where)
                waiting = inflate.unconsumed_tail
        _extend(body, inflate.flush(), most_bytes, where)
    except zlib.error:
        raise SourceUnavailable(f"{where} answered with broken gzip") from None
    if not inflate.eof:
        raise SourceUnavailable(f"{where} broke off in the middle of its answer")
    return bytes(body)


def _extend(body: bytearray, piece: bytes, most_bytes: int, where: str) -> None:
    if len(body) + len(piece) > most_bytes:
        limit = f"{most_bytes / 1024 / 1024:.3g} MiB"
        raise AnswerTooLarge(f"{where} answered with more than {limit}; it was cut off")
    body += piece
