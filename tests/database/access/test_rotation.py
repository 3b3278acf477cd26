"""Rotation: every encrypted value under the newest key, whoever writes meanwhile; blocks outlive the key they were made under."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from database.access import rotation
from database.access.encryption import KeyRing, UnreadableSecret, key_ring, read_keys, replace_keys, write_private
from database.access.fingerprints import fingerprints, own_key
from database.access.ledger import BAD_CREDENTIALS, Ledger, Refusal
from database.access.rotation import KeysInUse, count, encrypted_columns, renew_fingerprints, retire, rotate
from database.models import FingerprintKey, LedgerEntry, Message, StoredCredential, StoredSession
from database.settings import database_settings

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def new_key():
    return Fernet.generate_key().decode()


@pytest.fixture
def key_file(store, monkeypatch, tmp_path):
    """A database whose keys are in a file, as they are when nobody sets them."""
    monkeypatch.delenv("LATCHKEY_ENCRYPTION_KEYS")
    monkeypatch.setenv("LATCHKEY_DATA_DIR", str(tmp_path))
    database_settings.cache_clear()
    key_ring.cache_clear()
    write_private(tmp_path / "encryption.keys", f"{new_key()}\n")
    return tmp_path / "encryption.keys"


def add_key(path):
    keys = (new_key(), *read_keys(path))
    replace_keys(path, keys)
    return keys


def fill(store, number=450):
    with store.transaction() as session:
        for n in range(number):
            session.add(
                StoredCredential(
                    portal="bell",
                    username=f"user-{n}",
                    password=f"password {n}",
                    totp_secret=f"totp {n}" if n % 3 else None,
                    changed_at=LONG_AGO,
                )
            )
        session.add(StoredSession(login="bell", username="ok", version=1, state='{"cookies": []}'))
        session.add(StoredSession(login="bell", username="gone", version=1, state=None))
        session.add(
            Message(receiver="+15550100", sender="1", sender_raw="1", text="123456 is your code", received_at=LONG_AGO)
        )
        fingerprints(session, "anything")


def tokens(store):
    """Every token as it is stored, by column."""
    with store.transaction() as session:
        return {
            str(column): list(
                session.scalars(text(f"SELECT {column.name} FROM {column.table.name} WHERE {column.name} IS NOT NULL"))
            )
            for column in encrypted_columns()
        }


def readable(key, token):
    try:
        Fernet(key).decrypt(token.encode())
    except InvalidToken:
        return False
    return True


def test_every_encrypted_column_is_known():
    known = {str(column) for column in encrypted_columns()}
    assert known >= {
        "credentials.password",
        "credentials.totp_secret",
        "sessions.state",
        "messages.text",
        "code_requests.typed",
        "notice_addresses.address",
        "fingerprint_keys.value",
    }


def test_everything_comes_under_the_newest_key_and_the_old_one_is_useless(store, key_file):
    (old,) = read_keys(key_file)
    fill(store)
    assert rotate(store)[0] == 0  # one key: there is nothing to do
    new, _ = add_key(key_file)
    told = []

    brought, census = rotate(store, lambda column, values: told.append((column, values)))

    assert brought == 450 + 300 + 1 + 1 + 1
    assert dict(told)["credentials.password"] == 450
    assert (census.older, census.under(0), census.unreadable) == (0, brought, [])
    every = [token for column in tokens(store).values() for token in column]
    assert len(every) == brought
    assert all(readable(new, token) and not readable(old, token) for token in every)
    with store.transaction() as session:
        for n, credential in enumerate(session.scalars(select(StoredCredential).order_by(StoredCredential.id))):
            assert (credential.password, credential.changed_at) == (f"password {n}", LONG_AGO)
            assert credential.totp_secret == (f"totp {n}" if n % 3 else None)
    before = tokens(store)
    assert rotate(store)[0] == 0
    assert tokens(store) == before
    assert retire(store, key_file)[0] == 1
    assert read_keys(key_file) == (new,)
    assert retire(store, key_file)[0] == 0


def test_it_goes_on_where_it_was_stopped(store, key_file, monkeypatch):
    fill(store, 50)
    add_key(key_file)
    monkeypatch.setattr(rotation, "BATCH", 20)
    seen = 0

    def stop(db, ring, column, batch, whole=rotation._rotate_batch):
        nonlocal seen
        seen += 1
        if seen == 3:
            raise KeyboardInterrupt
        return whole(db, ring, column, batch)

    with monkeypatch.context() as patch:
        patch.setattr(rotation, "_rotate_batch", stop)
        with pytest.raises(KeyboardInterrupt):
            rotate(store)
    assert 0 < count(store).under(0) < count(store).older
    with pytest.raises(KeysInUse, match="scrapy keys rotate"):
        retire(store, key_file)
    rotate(store)
    assert count(store).older == 0


def test_what_others_write_meanwhile_stays_as_they_wrote_it(store, key_file, monkeypatch):
    fill(store, 60)
    old = key_ring()
    add_key(key_file)
    monkeypatch.setattr(rotation, "BATCH", 5)
    stop, written, errors = threading.Event(), {}, []

    def write():
        try:
            turn = 0
            while not stop.is_set():
                turn += 1
                name, value = f"user-{turn % 60}", f"changed {turn}"
                with store.transaction() as session:
                    session.execute(
                        update(StoredCredential).where(StoredCredential.username == name).values(password=value)
                    )
                written[name] = value
        except Exception as error:
            errors.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(3):
            rotate(store)
            add_key(key_file)
    finally:
        stop.set()
        writer.join()
    _, census = rotate(store)
    assert errors == []
    assert len(written) > 5
    assert (census.older, census.unreadable) == (0, [])
    assert old.names == key_ring().names  # one ring per process, and it has followed the file
    with store.transaction() as session:
        for credential in session.scalars(select(StoredCredential)):
            number = credential.username.removeprefix("user-")
            assert credential.password == written.get(credential.username, f"password {number}")


def test_a_value_that_changes_between_look_and_write_is_not_overwritten(store, key_file):
    fill(store, 1)
    add_key(key_file)
    column = next(column for column in encrypted_columns() if str(column) == "credentials.password")
    (batch,) = rotation._batches(store, column)
    with store.transaction() as session:
        session.execute(update(StoredCredential).values(password="changed"))
    assert rotation._rotate_batch(store, key_ring(), column, batch) == 0
    with store.transaction() as session:
        assert session.scalars(select(StoredCredential.password)).one() == "changed"


def test_a_process_that_runs_follows_the_key_file(key_file, store):
    """What a crawl of before the rotation can read and writes, at each step of it."""
    old = read_keys(key_file)[0]
    crawl, other = KeyRing((), key_file), KeyRing((), key_file)
    token = crawl.encrypt("text")
    new = add_key(key_file)[0]
    assert readable(new, other.encrypt("text"))
    assert crawl.decrypt(other.encrypt("text")) == "text"  # it has read the file again
    assert readable(new, crawl.encrypt("text"))
    assert crawl.decrypt(token) == "text"
    replace_keys(key_file, (new,))
    assert not readable(old, crawl.encrypt("text"))
    assert other.decrypt(token) == "text"  # what it has is as good as before, until it reads the file again
    other.encrypt("text")
    with pytest.raises(UnreadableSecret):
        other.decrypt(token)
    key_file.write_text("canary-nonsense\n")  # nobody who runs is stopped by that
    assert readable(new, crawl.encrypt("text"))
    key_file.unlink()
    assert crawl.decrypt(crawl.encrypt("text")) == "text"
    assert key_file.parent.joinpath("encryption.keys").exists() is False


def test_an_unreadable_value_says_where_it_is_and_nothing_of_what_it_is(store, key_file):
    fill(store, 3)
    lost = KeyRing((new_key(),)).encrypt("canary")
    with store.transaction() as session:
        session.execute(text("UPDATE credentials SET password = :token WHERE username = 'user-1'"), {"token": lost})
        row = session.scalars(select(StoredCredential.id).where(StoredCredential.username == "user-1")).one()
    with (
        pytest.raises(UnreadableSecret, match=r"value in credentials\.password is under a key") as caught,
        store.transaction() as session,
    ):
        session.scalars(select(StoredCredential)).all()
    add_key(key_file)
    _, census = rotate(store)
    assert census.unreadable == [f"credentials.password of row {row}"]
    assert census.older == 0
    assert lost not in str(caught.value) + str(census)
    with store.transaction() as session:
        assert session.scalar(text("SELECT password FROM credentials WHERE username = 'user-1'")) == lost


def test_a_block_holds_after_the_old_key_has_gone(store, key_file):
    ledger = Ledger(store)
    ledger.finish(ledger.begin("bell", "ok", "wrong"), BAD_CREDENTIALS)
    add_key(key_file)
    with pytest.raises(Refusal, match="refused this password before"):
        ledger.check("bell", "ok", "wrong")
    rotate(store)
    retire(store, key_file)
    with pytest.raises(Refusal, match="refused this password before"):
        ledger.check("bell", "ok", "wrong")
    ledger.check("bell", "ok", "another")


def test_a_block_of_an_earlier_version_holds_too_where_the_secret_is_known(store, key_file):
    ledger = Ledger(store)
    for username in ("known", "unknown"):
        number = ledger.begin("bell", username, "wrong")
        ledger.finish(number, BAD_CREDENTIALS)
        legacy = key_ring().fingerprints(f"bell\0{username}\0wrong")[0]
        with store.transaction() as session:
            session.execute(update(LedgerEntry).where(LedgerEntry.id == number).values(secret_fingerprint=legacy))
    for username in ("known", "unknown"):  # as long as the old key is there
        with pytest.raises(Refusal):
            ledger.check("bell", username, "wrong")
    add_key(key_file)
    with store.transaction() as session:
        assert renew_fingerprints(session, [("bell", "known", "wrong"), ("bell", "unknown", "other")]) == 1
    rotate(store)
    retire(store, key_file)
    key_ring.cache_clear()  # as the next process finds it
    with pytest.raises(Refusal):
        ledger.check("bell", "known", "wrong")
    ledger.check("bell", "unknown", "wrong")


def test_the_fingerprint_key_is_made_once(store, key_file):
    keys, start = [], threading.Barrier(6)

    def make():
        start.wait()
        with store.transaction() as session:
            keys.append(own_key(session))

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 6
    assert len(set(keys)) == 1
    with store.transaction() as session:
        assert len(session.scalars(select(FingerprintKey)).all()) == 1


def test_a_fingerprint_key_that_was_rolled_back_is_forgotten(store, key_file):
    with Session(store.engine) as session:
        lost = own_key(session)
        session.rollback()
    with store.transaction() as session:
        kept = own_key(session)
    assert kept != lost
    with store.transaction() as session:
        assert own_key(session) == kept
