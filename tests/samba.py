"""A real SMB server for the tests: Samba, as a child of the test, with a folder, port and user of its own."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.project import free_port, wait_for

NEEDED = "Samba (Debian: samba)"
PASSWORD = "share-password-for-tests"
SHARE = "files"

CONFIGURATION = """
[global]
server role = standalone server
interfaces = 127.0.0.1
bind interfaces only = yes
smb ports = {port}
disable netbios = yes
server min protocol = SMB3
passdb backend = tdbsam:{folder}/private/passdb.tdb
private dir = {folder}/private
lock directory = {folder}/run
state directory = {folder}/run
cache directory = {folder}/run
pid directory = {folder}/run
ncalrpc dir = {folder}/run/ncalrpc
log file = {folder}/run/log
load printers = no
printcap name = /dev/null
disable spoolss = yes

[{share}]
path = {folder}/share
read only = no
"""


@cache
def program() -> str | None:
    """Return the server's program; None where there is none."""
    return shutil.which("smbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@dataclass
class FileServer:
    """A share of our own; it can be stopped and started again in mid-run."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        for name in ("private", "run", "share"):
            (self.folder / name).mkdir(parents=True)
        self.configuration.write_text(CONFIGURATION.format(folder=self.folder, port=self.port, share=SHARE))
        # The user must be one of this machine, whoever runs the tests; the password is the share's own.
        pdbedit = Path(program() or "").resolve().parents[1] / "bin" / "pdbedit"
        command = [str(pdbedit), "-s", str(self.configuration), "-a", "-t", "-u", getpass.getuser()]
        subprocess.run(command, input=f"{PASSWORD}\n{PASSWORD}\n".encode(), check=True, capture_output=True)

    @property
    def configuration(self) -> Path:
        return self.folder / "smb.conf"

    @property
    def files(self) -> Path:
        """The folder whose files the share shows."""
        return self.folder / "share"

    def address(self, folder: str = "") -> str:
        return f"smb://127.0.0.1:{self.port}/{SHARE}/{folder}".rstrip("/")

    def settings(self, folder: str = "") -> dict[str, str]:
        """Return the environment with which Latchkey stores its files here."""
        return {
            "LATCHKEY_FILES": self.address(folder),
            "LATCHKEY_SMB_USERNAME": getpass.getuser(),
            "LATCHKEY_SMB_PASSWORD": PASSWORD,
        }

    def start(self) -> None:
        command = [str(program()), "--foreground", "--no-process-group", "--configfile", str(self.configuration)]
        with (self.folder / "run" / "said").open("ab") as said:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        wait_for(self.answers, seconds=20)

    def answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def children(self) -> list[int]:
        """Return the processes of the server's connections."""
        assert self.process is not None
        return [
            int(pid) for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        ]

    def stop(self) -> None:
        """End it at once, with every connection."""
        if self.process is None:
            return
        for pid in self.children():
            with suppress(ProcessLookupError):  # it may have ended by itself since we looked
                os.kill(pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        self.process = None
        # Its children die after it, and hold its port until then.
        wait_for(lambda: not self.answers(), seconds=20)


@contextmanager
def file_server(folder: Path) -> Iterator[FileServer]:
    """Give a share in a folder of its own."""
    server = FileServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
