"""Bodies that a server compresses although it was asked not to: decoded while they stream, in pieces of a bounded size."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Any, Protocol

from scrapy.exceptions import ResponseDataLossError

from scrapers.core.outcomes import BadFile
from scrapers.reading.archive import LARGEST_RATIO, LARGEST_UNPACKED

PIECE = 1 << 18  # bytes that are decoded at once
SMALL = 100_000  # bytes of a body up to which its ratio is not looked at
IDENTITY = ("", "identity")


class Decoder(Protocol):
    """Decodes one content coding."""

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield what the data decodes to; raise ValueError for data that is not in this coding."""
        ...

    @property
    def is_complete(self) -> bool:
        """Whether the end of the coded data has come."""
        ...


class Zlib:
    """gzip (also of several members) and deflate (with and without zlib's frame)."""

    def __init__(self, *windows: int) -> None:
        self._windows = windows  # the first one that fits
        self._state: Any = None

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield what the data decodes to."""
        is_full = False  # more of what was given may come out
        while data or is_full:
            if self._state is None or (self._state.eof and self._windows[0] > zlib.MAX_WBITS and data[:1] == b"\x1f"):
                self._state = self._started(data)
            elif self._state.eof:
                return  # padding, which gzip ignores too
            try:
                piece = self._state.decompress(data, PIECE)
            except zlib.error as error:
                raise ValueError(str(error)) from None
            data = self._state.unused_data if self._state.eof else self._state.unconsumed_tail
            is_full = len(piece) == PIECE and not self._state.eof
            if piece:
                yield piece

    def _started(self, data: bytes) -> Any:
        for window in self._windows:
            try:
                zlib.decompressobj(window).decompress(data, 1)
            except zlib.error:
                continue
            return zlib.decompressobj(window)
        raise ValueError("not compressed")

    @property
    def is_complete(self) -> bool:
        """Whether the last member has ended."""
        return self._state is not None and self._state.eof


class Brotli:
    """br."""

    def __init__(self) -> None:
        import brotli

        self._state, self._error = brotli.Decompressor(), brotli.error

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield what the data decodes to."""
        if self._state.is_finished():
            return  # padding
        try:
            piece = self._state.process(data, output_buffer_limit=PIECE)
            while piece:
                yield piece
                if self._state.is_finished():
                    return
                piece = self._state.process(b"", output_buffer_limit=PIECE)
        except self._error as error:
            raise ValueError(str(error)) from None

    @property
    def is_complete(self) -> bool:
        """Whether the stream has ended."""
        return bool(self._state.is_finished())


def decoders_of(header: str) -> list[Decoder] | None:
    """
    Return the decoders for a Content-Encoding, in the order in which they are applied; None where one is not known.

    >>> decoders_of("identity"), [type(each).__name__ for each in decoders_of("br, gzip")], decoders_of("dcb")
    ([], ['Zlib', 'Brotli'], None)
    """
    found: list[Decoder] = []
    for name in reversed([name.strip().lower() for name in header.split(",")]):
        if name in ("gzip", "x-gzip"):
            found.append(Zlib(zlib.MAX_WBITS | 16))
        elif name == "deflate":
            found.append(Zlib(zlib.MAX_WBITS, -zlib.MAX_WBITS))
        elif name == "br":
            found.append(Brotli())
        elif name not in IDENTITY:
            return None
    return found


async def decoded(chunks: AsyncIterator[bytes], header: str) -> AsyncIterator[bytes]:
    """
    Yield the decoded body of *chunks*; the body itself where it is not coded as *header* says, or in an unknown coding.

    Raises ResponseDataLossError for a body that is damaged or ends too early, and BadFile for one that becomes far larger
    than it should.
    """
    came = made = 0
    decoders: list[Decoder] | None = None
    async for chunk in chunks:
        if decoders is None:
            decoders = (decoders_of(header) if _is_coded(chunk, header) else None) or []
        came += len(chunk)
        try:
            for piece in _through(chunk, decoders):
                made += len(piece)
                if made > LARGEST_UNPACKED or made > LARGEST_RATIO * max(came, SMALL):
                    raise BadFile("The compressed body unpacks to far more than it should.")
                yield piece
        except ValueError as error:
            raise ResponseDataLossError(f"the compressed body is damaged: {error}") from None
    if not all(each.is_complete for each in decoders or ()):
        raise ResponseDataLossError("the compressed body has no end")


def _is_coded(first: bytes, header: str) -> bool:
    """Return whether a body begins as one in the codings of a Content-Encoding does."""
    decoders = decoders_of(header)
    if decoders is None:
        return False
    try:
        next(_through(first, decoders), b"")
    except ValueError:
        return False
    return True


def _through(data: bytes, decoders: list[Decoder]) -> Iterator[bytes]:
    if not decoders:
        yield data
        return
    for piece in decoders[0].decode(data):
        yield from _through(piece, decoders[1:])
