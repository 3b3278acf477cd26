"""Part files: browser downloads and streamed HTTP bodies, before they are stored."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from database.processes import has_ended, signature

CHUNK = 1 << 20  # bytes read at once when a file is hashed

PDF, ZIP, XLSX, CSV, TEXT, HTML, JSON = (
    "application/pdf",
    "application/zip",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "text/csv",
    "text/plain",
    "text/html",
    "application/json",
)
UNKNOWN = "application/octet-stream"
PDF_START, PDF_WITHIN = b"%PDF-", 1024  # a PDF's header, and the first bytes in which it may begin
SNIFFED = 4096  # bytes at the beginning of a file that tell its type
# Behind other bytes, a header must be that of a file: a page may speak of PDFs.
PDF_BEHIND = re.compile(rb"%PDF-\d\.\d(?=[\r\n%\x80-\xff])")
EXTENSIONS = {PDF: ".pdf", ZIP: ".zip", XLSX: ".xlsx", CSV: ".csv", TEXT: ".csv", JSON: ".json"}


@dataclass(frozen=True, slots=True)
class PartFile:
    """A complete download in the spool. Its content is not checked yet, and it is not stored yet."""

    path: Path
    name: str  # the portal's suggested name, without folders
    media_type: str  # sniffed from the bytes, never taken from a header
    sha256: str
    size: int  # bytes

    @property
    def extension(self) -> str:
        """The extension of the file's media type, with its dot; of an unknown type that of the portal's name."""
        return EXTENSIONS.get(self.media_type) or Path(self.name).suffix or ".bin"


def sniff(head: bytes) -> str:
    """
    Return the media type of a file by its first bytes; workbooks differ from other ZIPs by their first members.

    >>> sniff(b"%PDF-1.7 ...")
    'application/pdf'
    >>> sniff(b"<!doctype html><title>Sign in</title>")
    'text/html'
    >>> sniff(b"date;used")
    'text/plain'
    """
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(PDF_START):
        return PDF
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return XLSX if b"[Content_Types].xml" in head[:SNIFFED] or b"xl/" in head[:SNIFFED] else ZIP
    if (behind := PDF_BEHIND.search(head, 0, PDF_WITHIN + 16)) and behind.start() < PDF_WITHIN:
        return PDF
    if start[:1] in (b"{", b"["):
        return JSON
    if start[:1] == b"<" and any(mark in start[:1024].lower() for mark in (b"<html", b"<!doctype html", b"<head")):
        return HTML
    return TEXT if head and encoding_of(head, is_sample=True) else UNKNOWN


def encoding_of(data: bytes, is_sample: bool = False) -> str | None:
    r"""
    Return how a text is encoded: utf-8-sig (which reads plain UTF-8 too), utf-16, utf-16-le, utf-16-be or cp1252; None for no text.

    is_sample: the data may end within a character. Windows-1252 must look like a text of a Latin language, with no
    sequence that is UTF-8, and UTF-16 must hold enough of ASCII: nearly all bytes have some meaning in both.

    >>> encoding_of("données".encode()), encoding_of("données".encode("cp1252")), encoding_of("a;b".encode("utf-16"))
    ('utf-8-sig', 'cp1252', 'utf-16')
    """
    if b"\x00" not in data[:CHUNK]:
        try:
            data.decode()
            return "utf-8-sig"
        except UnicodeDecodeError as error:
            if is_sample and error.start >= len(data) - 3 and error.reason == "unexpected end of data":
                return "utf-8-sig"
        return "cp1252" if _is_latin(data) else None
    zeros = [data[start::2].count(0) / max(1, len(data) // 2) for start in (0, 1)]
    kinds = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
    kind = kinds.get(data[:2]) or (
        "utf-16-le" if zeros[1] > 0.5 > zeros[0] else "utf-16-be" if zeros[0] > 0.5 else None
    )
    if kind is None:
        return None
    try:
        text = data[: len(data) // 2 * 2].decode(kind, "ignore" if is_sample else "strict")
    except UnicodeDecodeError:
        return None
    fits = len(data) % 2 == 0 or is_sample
    return kind if fits and not CONTROL.search(text) and sum(sign < "\x7f" for sign in text) * 10 > len(text) else None


CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")  # never in a text; \x0c (form feed) is allowed


def _is_latin(data: bytes) -> bool:
    high = data.translate(None, bytes(range(0x80)))
    if len(high) * 3 > len(data) or re.search(rb"[\x00-\x08\x0b\x0e-\x1f\x7f\x81\x8d\x8f\x90\x9d\xfe\xff]", data):
        return False
    return not re.search(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}", data)


def matches(media_type: str, declared: tuple[str, ...]) -> bool:
    """Return whether a sniffed type is one of the declared ones. CSV is sniffed as text, and a workbook is a ZIP."""
    same = {CSV: {TEXT, CSV}, TEXT: {TEXT, CSV, JSON}, XLSX: {XLSX, ZIP}, ZIP: {ZIP, XLSX}}
    return any(media_type in same.get(wanted, {wanted}) for wanted in declared)


class PartWriter:
    """
    Writes one part file, made by the first `write`, and hashes it while writing.

    It blocks: call it from a worker thread.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / f"{uuid.uuid4().hex}.part"
        self._file: BinaryIO | None = None
        self._hash = hashlib.sha256()
        self.size = 0
        self._head = b""

    def write(self, *pieces: bytes) -> None:
        """Append pieces of any size."""
        file = self._file = self._file or self._opened()
        for data in pieces:
            if len(self._head) < SNIFFED:
                self._head += data[: SNIFFED - len(self._head)]
            file.write(data)
            self._hash.update(data)
            self.size += len(data)

    def finish(self, name: str, *pieces: bytes) -> PartFile:
        """Append the last pieces, close the file and return its PartFile."""
        self.write(*pieces)
        self.close()
        return PartFile(self.path, base_name(name), sniff(self._head), self._hash.hexdigest(), self.size)

    def discard(self) -> None:
        """Close and delete the file."""
        if self._file is not None:
            self.close()
            self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file, if it was made."""
        if self._file is not None:
            self._file.close()

    def _opened(self) -> BinaryIO:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        try:
            descriptor = os.open(self.path, flags, 0o600)
        except FileNotFoundError:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self.path, flags, 0o600)
        return open(descriptor, "wb")


def describe(path: Path, name: str) -> PartFile:
    """Return the PartFile of a download that the browser wrote; reads it once, to hash it."""
    digest, size, head = hashlib.sha256(), 0, b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            head = head or chunk[:SNIFFED]
            digest.update(chunk)
            size += len(chunk)
    return PartFile(path, base_name(name), sniff(head), digest.hexdigest(), size)


UNSTORABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")  # control characters, and halves of characters


def base_name(name: str) -> str:
    r"""
    Return a portal's name of a file without folders, and without what no database or file system takes.

    >>> base_name("bills\\october\ud83d.pdf"), base_name("../../etc/x.pdf"), base_name("a/")
    ('october_.pdf', 'x.pdf', 'a')
    """
    return UNSTORABLE.sub("_", re.split(r"[/\\]", name.rstrip("/\\"))[-1])


def spool_name(crawl: str) -> str:
    """Return the name of a crawl's spool folder: crawl and process. Short, because socket paths below it are limited."""
    return f"{crawl[:8]}@{signature()}"


def sweep(root: Path) -> int:
    """Delete the spool folders of processes of this machine that have ended; return how many."""
    swept = 0
    for folder in root.glob("*@*"):
        if has_ended(folder.name.partition("@")[2]):
            # Errors are ignored: other processes may sweep too, and a killed crawl's browser may still write here.
            shutil.rmtree(folder, ignore_errors=True)
            swept += 1
    return swept
