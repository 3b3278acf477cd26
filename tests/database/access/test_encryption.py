"""Encryption at rest: nothing clear in the database, several keys, a key file that only its owner reads."""

from __future__ import annotations

import base64
import gzip
import json
import os
import subprocess
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text

from database.access.encryption import KeyRing, UnreadableSecret, key_ring, read_keys, write_private
from database.access.ledger import Ledger
from database.access.sessions import Sessions
from database.models import StoredCredential
from database.settings import SettingsError, database_settings

CANARIES = ["canary-password-1!", "CANARYTOTPSECRET", "canary-cookie-é"]


def use_keys(monkeypatch, *keys):
    monkeypatch.setenv("LATCHKEY_ENCRYPTION_KEYS", ",".join(keys))
    database_settings.cache_clear()
    key_ring.cache_clear()


def forms(secret: str) -> list[bytes]:
    """A secret as it might lie around."""
    raw = secret.encode()
    return [
        raw,
        secret.encode("utf-16-le"),
        base64.b64encode(raw).rstrip(b"="),
        raw.hex().encode(),
        json.dumps(secret).strip('"').encode(),
        gzip.compress(raw, mtime=0)[10:-8],
    ]


def everything(store, tmp_path) -> bytes:
    """All bytes that the database keeps."""
    if store.dialect == "sqlite":
        files = [path for path in tmp_path.iterdir() if path.name.startswith("test.db")]
        assert {path.name for path in files} >= {"test.db", "test.db-wal"}
        return b"".join(path.read_bytes() for path in files)
    rows: list[str] = []
    with store.transaction() as session:
        for table in session.execute(
            text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        ).scalars():
            rows += session.execute(text(f'SELECT "{table}"::text FROM "{table}"')).scalars()
    return "\n".join(rows).encode()


def test_nothing_secret_is_clear_in_the_database(store, tmp_path):
    password, totp, cookie = CANARIES
    with store.transaction() as session:
        session.add(StoredCredential(portal="bell", username="ok@example.com", password=password, totp_secret=totp))
    sessions = Sessions(store)
    sessions.save("bell", "ok@example.com", {"cookies": [cookie]}, "Browser/1", "Ann")
    Ledger(store).begin("bell", "ok@example.com", password + totp)
    with store.transaction() as session:
        credential = session.query(StoredCredential).one()
        assert (credential.password, credential.totp_secret) == (password, totp)
        assert repr(credential) == f"<StoredCredential {credential.id}>"
    saved = sessions.load("bell", "ok@example.com")
    assert saved is not None
    assert saved.state == {"cookies": [cookie]}

    kept = everything(store, tmp_path)
    assert b"ok@example.com" in kept  # the search would find something
    assert [form for secret in CANARIES for form in forms(secret) if form in kept] == []


def test_an_error_quotes_no_value(store):
    from sqlalchemy.exc import IntegrityError

    for turn in range(2):
        credential = StoredCredential(
            portal="bell", username="ok@example.com", password="canary-password", nickname="canary-nick"
        )
        if turn == 0:
            with store.transaction() as session:
                session.add(credential)
            continue
        with pytest.raises(IntegrityError) as caught, store.transaction() as session:
            session.add(credential)
        assert "canary" not in str(caught.value)


def test_the_newest_key_encrypts_and_all_decrypt():
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    token = KeyRing((old,)).encrypt("text")
    both = KeyRing((new, old))
    assert both.decrypt(token) == "text"
    assert KeyRing((new,)).decrypt(both.encrypt("text")) == "text"
    assert KeyRing((new,)).decrypt(both.rotate(token)) == "text"
    for act in (KeyRing((new,)).decrypt, KeyRing((new,)).rotate):
        with pytest.raises(UnreadableSecret, match="LATCHKEY_ENCRYPTION_KEYS"):
            act(token)
    assert both.fingerprints("text") == [*KeyRing((new,)).fingerprints("text"), *KeyRing((old,)).fingerprints("text")]


def test_a_row_under_a_lost_key_says_so(store, monkeypatch):
    with store.transaction() as session:
        session.add(StoredCredential(portal="bell", username="ok@example.com", password="x"))
    use_keys(monkeypatch, Fernet.generate_key().decode())
    with pytest.raises(UnreadableSecret), store.transaction() as session:
        session.query(StoredCredential).one()


def test_no_key_and_a_bad_key_are_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv("LATCHKEY_DATA_DIR", str(tmp_path))
    use_keys(monkeypatch)
    with pytest.raises(SettingsError, match=r"^LATCHKEY_ENCRYPTION_KEYS is not set: run `scrapy generate-key --save`"):
        key_ring()
    use_keys(monkeypatch, "canary-bad-key")
    with pytest.raises(SettingsError, match="LATCHKEY_ENCRYPTION_KEYS holds a malformed key") as caught:
        key_ring()
    assert "canary" not in str(caught.value)


def test_the_key_file_is_read_when_the_environment_has_none(monkeypatch, tmp_path):
    monkeypatch.setenv("LATCHKEY_DATA_DIR", str(tmp_path))
    keys = [Fernet.generate_key().decode() for _ in range(2)]
    write_private(tmp_path / "encryption.keys", "\n".join(keys) + "\n\n")
    use_keys(monkeypatch)
    assert key_ring().decrypt(KeyRing((keys[1],)).encrypt("text")) == "text"
    assert read_keys(tmp_path / "none") == ()


def test_a_key_file_that_others_can_read_is_refused(tmp_path):
    path = tmp_path / "encryption.keys"
    write_private(path, Fernet.generate_key().decode())
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(SettingsError, match="chmod 600"):
        read_keys(path)
    with pytest.raises(FileExistsError):
        write_private(path, "another")


def test_the_database_file_is_its_owners(tmp_path, monkeypatch):
    from database.engine import Database

    before = os.umask(0o022)
    try:
        db = Database(f"sqlite:///{tmp_path / 'new' / 'test.db'}")
        with db.engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE t (x)")
            modes = {path.name: path.stat().st_mode & 0o777 for path in Path(tmp_path / "new").iterdir()}
    finally:
        os.umask(before)
    assert modes == {"test.db": 0o600, "test.db-wal": 0o600, "test.db-shm": 0o600}
    db.engine.dispose()


def test_generate_key_prints_or_saves(project, tmp_path):
    here = project(tmp_path)
    none: dict[str, str | None] = {"LATCHKEY_ENCRYPTION_KEYS": None}

    def generate(*options: str) -> subprocess.CompletedProcess[str]:
        return here.scrapy("generate-key", *options, env=none)

    printed = generate()
    assert (printed.returncode, printed.stderr) == (0, "")
    KeyRing((printed.stdout.strip(),))

    saved = generate("--save")
    path = here.data / "encryption.keys"
    assert (saved.returncode, saved.stderr) == (0, "")
    assert path.stat().st_mode & 0o777 == 0o600
    (key,) = read_keys(path)
    KeyRing((key,))
    assert key not in saved.stdout

    again = generate("--save")
    assert (again.returncode, len(again.stderr.splitlines())) == (1, 1)
    assert "was left alone" in again.stderr
    assert read_keys(path) == (key,)
    assert generate("more").returncode == 2
