"""PDFs from portals: whether a file is whole, and the texts on its first pages."""

from __future__ import annotations

import io
import mmap
import os
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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

PAGES, CHARACTERS = 6, 40_000  # of a document whose texts are read: what identifies it stands on the first pages
GAP = 1.0  # distance between characters, in heights of their line, from which they belong to different texts

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


@dataclass(frozen=True, slots=True)
class Text:
    """A run of characters of one line of a page, without larger gaps. In points from the page's left and foot."""

    text: str
    page: int  # from 0
    left: float
    bottom: float
    right: float
    top: float

    @property
    def height(self) -> float:
        """The height of its line."""
        return self.top - self.bottom

    @property
    def middle(self) -> float:
        """The middle of its line."""
        return (self.top + self.bottom) / 2


def texts_of(path: Path, pages: int = PAGES, characters: int = CHARACTERS) -> tuple[list[Text], bool]:
    """
    Return the texts of a PDF's first pages, each page's in the order in which they are drawn; and whether that is all of them.

    Blocks: call it from a worker thread. Raises ValueError for a document that is encrypted, broken, or holds images alone.
    """
    import pypdfium2

    with _one_at_a_time:
        try:
            document = pypdfium2.PdfDocument(path)
        except pypdfium2.PdfiumError as error:
            is_whole = error.err_code in [getattr(pypdfium2.raw, name) for name in WHOLE]
            raise ValueError("is encrypted" if is_whole else "cannot be opened") from None
    texts: list[Text] = []
    left = characters
    try:
        count = len(document)
        for number in range(min(count, pages)):
            with _one_at_a_time:
                page = list(_characters(pypdfium2, document, number, left))
            left -= len(page)
            texts += _runs(page, number)
    except pypdfium2.PdfiumError:
        raise ValueError("has a broken page") from None
    finally:
        with _one_at_a_time:
            document.close()
    if not texts:
        raise ValueError("holds no text")
    return texts, count <= pages and left > 0


Character = tuple[str, float, float, float, float]  # left, bottom, right, top


def _characters(pypdfium2: Any, document: Any, number: int, most: int) -> Iterator[Character]:
    """Yield a page's characters with their boxes, at most so many; those that PDFium adds have none and are left out."""
    raw = pypdfium2.raw
    page = document[number]
    drawn = page.get_textpage()
    try:
        box = raw.FS_RECTF()
        for place in range(min(drawn.count_chars(), most)):
            sign = raw.FPDFText_GetUnicode(drawn, place)
            if raw.FPDFText_IsGenerated(drawn, place) == 1 or not raw.FPDFText_GetLooseCharBox(drawn, place, box):
                continue
            if sign >= 32 and not 0xD800 <= sign < 0xE000:
                yield chr(sign), box.left, box.bottom, box.right, box.top
    finally:
        drawn.close()
        page.close()


def _runs(characters: list[Character], page: int) -> Iterator[Text]:
    """Yield the texts that characters make; a new one begins at another line, a large gap, and after several blanks."""
    run: list[Character] = []
    for each in characters:
        if run and not _continues(run[-1], each):
            yield from _run(run, page)
            run = []
        run.append(each)
        if each[0].isspace() and len(run) >= 3 and run[-2][0].isspace() and run[-3][0].isspace():
            yield from _run(run, page)
            run = []
    yield from _run(run, page)


def _continues(last: Character, each: Character) -> bool:
    height = max(last[4] - last[2], each[4] - each[2])
    apart = abs((last[2] + last[4]) - (each[2] + each[4])) / 2  # of the middles of their lines
    return apart < height / 3 and -height / 2 < each[1] - last[3] < GAP * height


def _run(run: list[Character], page: int) -> Iterator[Text]:
    """Yield a run as a text, with a blank where its characters stand apart; nothing for blanks alone."""
    said, last = "", None
    for sign, left, bottom, right, top in run:
        if last is not None and left - last > (top - bottom) / 6 and not sign.isspace():
            said += " "
        said += sign
        last = None if sign.isspace() else right
    if not (text := said.strip()):
        return
    drawn = [each for each in run if not each[0].isspace()]
    yield Text(
        text,
        page,
        min(each[1] for each in drawn),
        min(each[2] for each in drawn),
        max(each[3] for each in drawn),
        max(each[4] for each in drawn),
    )


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
