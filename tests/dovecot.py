"""A real IMAP server for the tests: Dovecot, as a child of the test, with a folder, ports and certificate of its own."""

from __future__ import annotations

import hashlib
import ipaddress
import mailbox
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from functools import cache
from pathlib import Path

from tests.project import free_port, wait_for

PASSWORD = 'mailbox-password"\\ for tests'
VERSION = "2.3"  # its configuration is not that of 2.4
NEEDED = f"Dovecot {VERSION} (Debian: dovecot-imapd)"

CONFIGURATION = """
base_dir = {run}
state_dir = {run}
log_path = {folder}/dovecot.log
protocols = imap
listen = 127.0.0.1
default_login_user = {user}
default_internal_user = {user}
default_internal_group = {group}
ssl = yes
ssl_cert = <{folder}/server.pem
ssl_key = <{folder}/server.key
disable_plaintext_auth = no
auth_failure_delay = 0
first_valid_uid = 1
mail_location = maildir:{folder}/mail/%u:INDEX={folder}/index/%u:CONTROL={folder}/control/%u
passdb {{
  driver = passwd-file
  args = username_format=%u {folder}/users/%u
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home/%u
}}
service anvil {{
  chroot =
  # Without this, who was refused has to wait longer each time.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {plain_port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
"""


@cache
def program() -> str | None:
    """Return the server's program; None where there is none that we can run."""
    found = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if not found:
        return None
    said = subprocess.run([found, "--version"], check=False, capture_output=True, text=True)
    return found if said.stdout.startswith(f"{VERSION}.") else None


@dataclass
class MailServer:
    """A running server. Mailboxes are made by `mailbox` and delivered to as a mail server does: into a Maildir."""

    folder: Path
    plain_port: int
    tls_port: int
    begun: int = 0  # of the log
    changes: int = 1  # of passwords

    @property
    def ca_file(self) -> Path:
        return self.folder / "server.pem"

    def maildir(self, name: str) -> Path:
        return self.folder / "mail" / name

    def mailbox(self, name: str, password: str = PASSWORD) -> Path:
        """Make a mailbox and return its Maildir."""
        for place in (self.maildir(name), *(self.maildir(name) / part for part in ("cur", "new", "tmp"))):
            place.mkdir(mode=0o700)
            give_away(place)
        self.set_password(name, password)
        return self.maildir(name)

    def set_password(self, name: str, password: str) -> None:
        """Set a mailbox's password; the server looks whether a file has changed once a second, by the file's time."""
        file = self.folder / "users" / name
        # Backslash and quote mean nothing in this file; a colon would.
        file.write_text(f"{name}:{{PLAIN}}{password}\n")
        os.utime(file, (self.changes, self.changes))
        self.changes += 1

    def deliver(self, name: str, message: EmailMessage, age: float = 0, flags: str = "") -> None:
        """Deliver a message that came *age* seconds ago; with flags (`S` is seen) it was looked at before."""
        stored = mailbox.MaildirMessage(message)
        stored.set_date(time.time() - age)
        if flags:
            stored.set_subdir("cur")
            stored.set_flags(flags)
        mailbox.Maildir(self.maildir(name)).add(stored)

    def contents(self, name: str) -> dict[str, str]:
        """Return a hash by name of everything in a mailbox: flags are part of a Maildir's names."""
        root = self.maildir(name)
        return {
            str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
            for path in root.rglob("*")
        }

    def forget(self) -> None:
        """Remove every mailbox, and have `log` begin here."""
        for name in ("mail", "index", "control"):
            for place in (self.folder / name).iterdir():
                shutil.rmtree(place)
        self.begun += len(self.log())

    def log(self) -> str:
        return (self.folder / "dovecot.log").read_text()[self.begun :]

    def settings(self, *addresses: str, name: str = "", security: str = "tls") -> dict[str, str]:
        """Return the environment with which Latchkey reads a mailbox; *name* is the first address without another."""
        return {
            "LATCHKEY_MAILBOX_ADDRESS": ",".join(addresses),
            "LATCHKEY_MAILBOX_HOST": "127.0.0.1",
            "LATCHKEY_MAILBOX_PORT": str(self.tls_port if security == "tls" else self.plain_port),
            "LATCHKEY_MAILBOX_USER": name or addresses[0],
            "LATCHKEY_MAILBOX_PASSWORD": PASSWORD,
            "LATCHKEY_MAILBOX_SECURITY": security,
            "LATCHKEY_MAILBOX_CA_FILE": str(self.ca_file),
            "LATCHKEY_MAILBOX_POLL": "0.2",
        }


def mail(sender: str, receiver: str, subject: str, text: str = "", html: str = "", dated: float = 0) -> EmailMessage:
    """Return a mail that says to have been written *dated* seconds ago."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, receiver, subject
    message["Date"] = format_datetime(datetime.now(UTC) - timedelta(seconds=dated))
    message["Message-ID"] = make_msgid(domain="example.com")
    if text:
        message.set_content(text)
    if html and text:
        message.add_alternative(html, subtype="html")
    elif html:
        message.set_content(html, subtype="html")
    return message


def give_away(path: Path) -> None:
    """As root, give a path to the user as whom the server runs."""
    if os.geteuid() == 0:
        shutil.chown(path, *runner())


@cache
def runner() -> tuple[str, str]:
    """Return user and group of the server: ours, or for root the nobody that every system has."""
    import grp
    import pwd

    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    return user.pw_name, grp.getgrgid(user.pw_gid).gr_name


def certificate(folder: Path) -> None:
    """Make a key and a certificate for this machine that signs itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Mail server of the tests")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "server.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.key").write_bytes(private)


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """Run a mail server until the end of the context; its folder is short-named, because sockets' paths must be."""
    found = program()
    assert found is not None, f"The tests marked imap need {NEEDED}."
    folder = Path(tempfile.mkdtemp(prefix="latchkey-imap-"))
    try:
        folder.chmod(0o755)
        certificate(folder)
        for name in ("run", "mail", "index", "control", "home", "users"):
            (folder / name).mkdir()
            give_away(folder / name)
        give_away(folder)
        give_away(folder / "server.key")
        server = MailServer(folder, free_port(), free_port())
        process = _start(found, server)
        try:
            yield server
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(path: str, server: MailServer) -> subprocess.Popen[bytes]:
    import grp
    import pwd

    user, group = runner()
    values = {
        "folder": server.folder,
        "run": server.folder / "run",
        "user": user,
        "group": group,
        "uid": pwd.getpwnam(user).pw_uid,
        "gid": grp.getgrnam(group).gr_gid,
        "plain_port": server.plain_port,
        "tls_port": server.tls_port,
    }
    configuration = server.folder / "dovecot.conf"
    configuration.write_text(CONFIGURATION.format(**values))
    options = {"user": user, "group": group, "extra_groups": []} if os.geteuid() == 0 else {}
    process = subprocess.Popen(
        [path, "-F", "-c", str(configuration)],
        env={"PATH": os.environ.get("PATH", "")},
        stdout=subprocess.DEVNULL,
        stderr=(server.folder / "stderr").open("wb"),
        **options,  # type: ignore[call-overload]
    )

    def listens() -> bool:
        if process.poll() is not None:
            raise AssertionError(
                (server.folder / "stderr").read_text()
                + (server.log() if (server.folder / "dovecot.log").exists() else "")
            )
        return (server.folder / "dovecot.log").exists() and "starting up" in server.log()

    wait_for(listens)
    return process
