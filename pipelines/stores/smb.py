"""The file store on an SMB share: a NAS, a Windows or Samba server that is not mounted here."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import unquote, urlsplit

import smbclient
from smbprotocol.exceptions import SMBException
from smbprotocol.header import NtStatus

from pipelines.stores.base import INCOMING, AnyStore, is_left, moving_name, quieten
from scrapers.core.outcomes import StoreAway, StoreFull
from scrapers.core.spool import CHUNK

if TYPE_CHECKING:
    from pipelines.settings import PipelineSettings
    from scrapers.core.spool import PartFile

CONNECT_WAIT = 10  # seconds for a connection
SILENCE = 120.0  # seconds without an answer after which the server counts as away: smbprotocol would wait for ever
MISSING = (NtStatus.STATUS_OBJECT_NAME_NOT_FOUND, NtStatus.STATUS_OBJECT_PATH_NOT_FOUND)
EXISTS = (NtStatus.STATUS_OBJECT_NAME_COLLISION,)
REFUSED = (NtStatus.STATUS_LOGON_FAILURE, NtStatus.STATUS_ACCESS_DENIED)
SHARED = "rwd"  # others may open a file that we read or look at


class Watch:
    """A timer that calls *cut* when `moved` was not called for SILENCE seconds."""

    def __init__(self, cut: Callable[[], None]) -> None:
        self._cut = cut
        self._last = time.monotonic()
        self._ended = threading.Event()
        threading.Thread(target=self._look_on, daemon=True).start()

    def moved(self) -> None:
        """Start the SILENCE seconds again."""
        self._last = time.monotonic()

    def end(self) -> None:
        """Stop the timer."""
        self._ended.set()

    def _look_on(self) -> None:
        while not self._ended.wait(self._last + SILENCE - time.monotonic()):
            if time.monotonic() >= self._last + SILENCE:
                self._cut()
                self.moved()


class SmbStore(AnyStore):
    """
    A folder of a share. A file is uploaded to `.incoming`, flushed, and renamed; a rename never replaces another file.

    Spoken with smbprotocol's own client: fsspec's wrapper of it knows neither flush nor free space, and does not give the
    credentials again when a connection has to be made anew.
    """

    failures = (OSError, SMBException, ValueError)  # smbprotocol says ValueError where it cannot connect

    def __init__(self, address: str, settings: PipelineSettings) -> None:
        super().__init__(address, settings.files_free)
        quieten("smbprotocol", "smbclient", "spnego")
        url = urlsplit(address)
        path = unquote(url.path).strip("/")
        self.share = rf"\\{url.hostname}\{path.partition('/')[0]}"
        self.root = rf"\\{url.hostname}\{path}".replace("/", "\\")
        self._options: dict[str, Any] = {
            "username": settings.smb_username or None,
            "password": settings.smb_password.get_secret_value() or None,
            "port": url.port or 445,
            "connection_timeout": CONNECT_WAIT,
            "connection_cache": {},
        }
        self._host = url.hostname or ""
        self._folders: set[str] = set()  # that are known to be there
        self._connecting = threading.Lock()
        self._of_thread = threading.local()

    def place(self, part: PartFile, path: str) -> str:
        """Bring a part file to its place; over a new connection where the old one has ended meanwhile."""
        try:
            return super().place(part, path)
        except StoreFull:
            raise
        except StoreAway:
            with self._connecting:
                self._options["connection_cache"] = {}
                self._folders = set()
            return super().place(part, path)

    def _bring(self, part: PartFile, moving: str) -> None:
        place = self._at(f"{INCOMING}/{moving}")
        with part.path.open("rb") as source, self._opened(place, "xb") as target:
            while chunk := source.read(CHUNK):
                target.write(chunk)
                self._moved()
            target.flush()  # the server answers once it is on its disk
        if (written := self._stat(place)) != part.size:
            raise OSError(f"{written} of {part.size} bytes were written")

    def _show(self, moving: str, path: str, part: PartFile) -> None:
        place, target = self._at(f"{INCOMING}/{moving}"), self._at(path)
        try:
            smbclient.rename(place, target, **self._options)
        except OSError as error:
            if getattr(error, "ntstatus", None) in EXISTS:
                raise FileExistsError(path) from error
            raise

    def _drop(self, moving: str) -> None:
        self._remove(self._at(f"{INCOMING}/{moving}"))

    def _open(self, path: str) -> BinaryIO:
        file: BinaryIO = self._opened(self._at(path), "rb")
        return file

    def _size(self, path: str) -> int | None:
        return self._stat(rf"{self.root}\{path}".replace("/", "\\"))

    def _delete(self, path: str) -> None:
        self._remove(rf"{self.root}\{path}".replace("/", "\\"))

    def _drop_folder(self, folder: str) -> bool:
        place = rf"{self.root}\{folder}".replace("/", "\\")
        self._connect()
        self._folders.discard(place)
        try:
            smbclient.rmdir(place, **self._options)
        except OSError as error:
            status = getattr(error, "ntstatus", None)
            if status not in (*MISSING, NtStatus.STATUS_DIRECTORY_NOT_EMPTY):
                raise
            return status in MISSING
        return True

    def _free(self) -> int | None:
        self._at("x")
        return int(smbclient.stat_volume(self.root, **self._options).caller_available_size)

    def _try(self) -> None:
        probe = self._at(f"{INCOMING}/{moving_name()}")
        with self._opened(probe, "xb") as file:
            file.write(b"latchkey")
        self._remove(probe)

    def _sweep(self) -> None:
        folder = self._at(INCOMING, is_folder=True)
        for name in smbclient.listdir(folder, search_pattern="*@*", **self._options):
            if is_left(name):
                self._remove(rf"{folder}\{name}")

    @contextmanager
    def _named_failures(self) -> Iterator[None]:
        watch = self._of_thread.watch = Watch(self._cut)
        try:
            with super()._named_failures():
                yield
        finally:
            watch.end()

    def _moved(self) -> None:
        self._of_thread.watch.moved()

    def _cut(self) -> None:
        """Close every connection, so that calls waiting for an answer raise an error."""
        for connection in list(self._options["connection_cache"].values()):
            # Its own close() waits for a send that may never end.
            with suppress(OSError):
                connection.transport._sock.shutdown(socket.SHUT_RDWR)

    def _at(self, path: str, *, is_folder: bool = False) -> str:
        """Return the server's name for a path, after making its folder if need be."""
        self._connect()
        whole = rf"{self.root}\{path}".replace("/", "\\")
        folder = whole if is_folder else whole.rpartition("\\")[0]
        if folder not in self._folders:
            smbclient.stat(self.share, **self._options)  # makedirs never ends where there is no such share
            if folder != self.share:
                smbclient.makedirs(folder, exist_ok=True, **self._options)
            self._folders.add(folder)
        return whole

    def _connect(self) -> None:
        """Make the one connection, before several threads make one each."""
        with self._connecting:
            smbclient.register_session(self._host, **self._options)

    def _opened(self, place: str, mode: str) -> Any:
        self._connect()
        return smbclient.open_file(place, mode=mode, buffering=CHUNK, share_access=SHARED[:1], **self._options)

    def _stat(self, place: str) -> int | None:
        self._connect()
        try:
            return int(smbclient.stat(place, **self._options).st_size)
        except OSError as error:
            if getattr(error, "ntstatus", None) in MISSING:
                return None
            raise

    def _remove(self, place: str) -> None:
        try:
            smbclient.remove(place, **self._options)
        except OSError as error:
            if getattr(error, "ntstatus", None) not in MISSING:
                raise

    def _explain(self, error: Exception) -> str:
        status = getattr(error, "ntstatus", getattr(error, "status", None))
        if status in REFUSED:
            return (
                f"{self.address} refused us: check LATCHKEY_SMB_USERNAME, LATCHKEY_SMB_PASSWORD and the user's rights."
            )
        if status in (NtStatus.STATUS_NOT_FOUND, NtStatus.STATUS_BAD_NETWORK_NAME):
            return f"{self.address}: the server has no such share; set LATCHKEY_FILES to one that it has."
        if isinstance(error, ValueError):
            return f"{self.address} does not answer: check LATCHKEY_FILES, the network and the server."
        return f"{self.address} failed ({type(error).__name__}): check LATCHKEY_FILES and the server."
