"""PDFs from portals: whether a file is whole."""

from __future__ import annotations

import io
import mmap
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from scrapers.core.outcomes import BadFile
from scrapers.core.spool import PDF_START, PDF_WITHIN

END = b"%%EOF"
SMALL = 1 << 20  # bytes of a file that is read into memory: that takes fewer turns with the event loop's thread
SEARCHED = 1024  # bytes after the end mark up to which PDFium still finds the table of objects by itself
FILLING = re.compile(rb"[^\x00\t\n\x0c\r\x1a \xff]")  # anything but padding
# How a further revision begins (an object's number, or a table), and what one holds.
REVISION = re.compile(rb"\d|xref|xr?e?\Z")
OBJECTS = re.compile(rb"\d\s+obj\b|\bendobj\b|\bendstream\b|\bstartxref\b")
LINEARIZED = re.compile(rb"<<[^>]*/Linearized\b[^>]*>>")
LENGTH = re.compile(rb"/L\s+(\d+)")
WHOLE = ("FPDF_ERR_PASSWORD", "FPDF_ERR_SECURITY")  # errors of documents that are whole, but encrypted

_one_at_a_time = threading.Lock()  # PDFium may be called by one thread at a time


def check_pdf(path: Path) -> None:
    """
    Raise BadFile for a PDF that was cut short, also in a later revision, or that PDFium cannot open.

    Bytes before the header and padding after the end mark are allowed. An encrypted document counts as whole.
    """
    with path.open("rb", buffering=0) as file:
        if os.fstat(file.fileno()).st_size <= SMALL:
            _check(data := file.read(), lambda end: data[:end] if end else data)
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            _check(mapped, lambda end: _Part(file, end) if end else path)


def _check(data: bytes | mmap.mmap, up_to: Callable[[int | None], Any]) -> None:
    """Check the bytes of a PDF; *up_to* returns what PDFium opens: all of it, or so many of its first bytes."""
    end = data.rfind(END)
    if end < 0:
        raise BadFile("The PDF has no end: it was cut short.")
    end += len(END)
    if (rest := FILLING.search(data, end)) is not None and (
        REVISION.match(data[rest.start() : rest.start() + 64]) or OBJECTS.search(data, rest.start())
    ):
        raise BadFile("The PDF was cut short in its last revision.")
    head = data[: 2 * PDF_WITHIN]
    start = head.find(PDF_START)
    stated = LENGTH.search(first[0]) if (first := LINEARIZED.search(head)) else None
    if stated is not None and len(data) - start < int(stated[1]):
        raise BadFile("The PDF was cut short: it states a greater length.")
    _open(up_to(end if len(data) - end > SEARCHED else None))


def _open(document: Any) -> None:
    """Open a document: a path, its bytes or a file; raise BadFile when that fails."""
    import pypdfium2

    with _one_at_a_time:
        try:
            pypdfium2.PdfDocument(document).close()
        except pypdfium2.PdfiumError as error:
            if error.err_code not in [getattr(pypdfium2.raw, name) for name in WHOLE]:
                raise BadFile("The PDF is broken: it cannot be opened.") from None


class _Part(io.RawIOBase):
    """The first bytes of a file, which it does not close."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        super().__init__()
        self._file, self._size = file, size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._file.tell(), io.SEEK_END: self._size}[whence]
        return self._file.seek(start + offset)

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        found = self._file.read(max(0, min(len(view), self._size - self._file.tell())))
        view[: len(found)] = found
        return len(found)
