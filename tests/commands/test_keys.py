"""`scrapy keys`: the steps of a rotation, each with what comes next."""

from __future__ import annotations

import json

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text

from database.access.credentials import Credential as Known
from database.access.encryption import KeyRing, key_ring, read_keys, replace_keys, write_private
from database.access.ledger import BAD_CREDENTIALS, Ledger
from database.models import LedgerEntry, Run, StoredCredential
from database.settings import database_settings
from scrapers.logins.base import Login
from scrapers.logins.form import FormLogin


@pytest.fixture
def key_file(store, monkeypatch, tmp_path):
    monkeypatch.delenv("LATCHKEY_ENCRYPTION_KEYS")
    monkeypatch.setenv("LATCHKEY_DATA_DIR", str(tmp_path))
    database_settings.cache_clear()
    key_ring.cache_clear()
    write_private(tmp_path / "encryption.keys", f"{Fernet.generate_key().decode()}\n")
    with store.transaction() as session:
        session.add_all(
            StoredCredential(portal="meadow", username=f"user-{n}", password=f"canary {n}", totp_secret="canary")
            for n in range(3)
        )
    return tmp_path / "encryption.keys"


def test_a_rotation_step_by_step(store, key_file, command):
    assert command("keys", "rotate").out.endswith("There is one key: no other one has to go.\n")
    assert command("keys", "retire").out == "There is one key: no other one has to go.\n"
    added = command("keys", "add")
    assert (added.code, len(read_keys(key_file))) == (0, 2)
    assert "Next: `scrapy keys rotate`." in added.out
    assert key_file.stat().st_mode & 0o777 == 0o600

    early = command("keys", "retire")
    assert (early.code, early.err) == (1, "6 values are still under older keys: run `scrapy keys rotate`.\n")
    listed = json.loads(command("keys", "list", "--json").out)
    assert [(row["column"], row["values"]) for row in listed["keys"] if row["use"] == "decrypts"] == [
        ("credentials.password", 3),
        ("credentials.totp_secret", 3),
    ]
    rotated = command("keys", "rotate")
    assert rotated.code == 0, rotated.err
    assert rotated.out.splitlines()[:2] == ["credentials.password: 3", "credentials.totp_secret: 3"]
    assert rotated.out.endswith("Nothing is under the older keys: `scrapy keys retire` takes them away.\n")
    listed = json.loads(command("keys", "list", "--json").out)
    assert [(row["use"], row["values"]) for row in listed["keys"]] == [
        ("encrypts and decrypts", 3),
        ("encrypts and decrypts", 3),
        ("may go", 0),
    ]
    newest = read_keys(key_file)[0]
    assert "1 old keys were taken out" in command("keys", "retire").out
    assert read_keys(key_file) == (newest,)
    with store.transaction() as session:
        assert session.query(StoredCredential).first().password == "canary 0"


def test_unreadable_rows_are_named_and_their_content_is_not(store, key_file, command):
    lost = KeyRing((Fernet.generate_key().decode(),)).encrypt("canary")
    with store.transaction() as session:
        session.execute(text("UPDATE credentials SET totp_secret = :lost WHERE username = 'user-2'"), {"lost": lost})
        row = session.scalar(text("SELECT id FROM credentials WHERE username = 'user-2'"))
    for act in ("list", "rotate", "retire"):
        said = command("keys", act)
        assert said.code == 1
        assert f"unreadable: credentials.totp_secret of row {row}\n" in said.out
        assert said.err.startswith("1 values are under a key that is not there:")
        assert "canary" not in said.out + said.err
        assert lost not in said.out + said.err
    listed = json.loads(command("keys", "list", "--json").out)
    assert listed["unreadable"] == [f"credentials.totp_secret of row {row}"]


def test_what_is_lost_for_good_can_be_forgotten(store, key_file, command):
    ledger = Ledger(store)
    ledger.finish(ledger.begin("meadow", "user-0", "wrong"), BAD_CREDENTIALS)
    command("notify", "add", "ops@example.com")
    assert command("keys", "forget").out == "Every value can be read.\n"
    replace_keys(key_file, (Fernet.generate_key().decode(),))  # the old key is lost
    key_ring.cache_clear()
    store.engine.dispose()
    said = command("keys", "forget")
    assert said.code == 1
    assert sorted(said.out.splitlines()[:3]) == [
        "credentials.totp_secret: 3 forgotten",
        "fingerprint_keys.value: 1 forgotten",
        "notice_addresses.address: 1 forgotten",
    ]
    assert "blocked no more" in said.out
    assert "scrapy notify add ADDRESS" in said.out
    assert command("notify", "add", "ops@example.com").out.startswith("Added: address ")
    assert len(json.loads(command("notify", "list", "--json").out)) == 1
    assert said.err.startswith("3 values are under a key that is not there")  # passwords: stored anew, or removed
    with store.transaction() as session:
        session.execute(text("DELETE FROM credentials"))
    assert command("keys", "forget").out == "Every value can be read.\n"


def test_keys_in_the_environment_are_the_operators_own(store, monkeypatch, command):
    old, new = (Fernet.generate_key().decode() for _ in range(2))

    def use(*keys):
        monkeypatch.setenv("LATCHKEY_ENCRYPTION_KEYS", ",".join(keys))
        database_settings.cache_clear()
        key_ring.cache_clear()

    use(old)
    with store.transaction() as session:
        session.add(StoredCredential(portal="meadow", username="u", password="p"))
    for act in ("add", "retire"):
        said = command("keys", act)
        assert (said.code, len(said.err.splitlines())) == (1, 1)
        assert "LATCHKEY_ENCRYPTION_KEYS" in said.err
    use(new, old)
    with store.transaction() as session:
        about = {
            "crawl": "0",
            "spider": "s",
            "portal": "meadow",
            "report_type": "r",
            "host": "another machine",
            "pid": 1,
        }
        session.add(Run(**about))
    assert "1 runs may still write with the keys that they began with" in command("keys", "rotate").out
    with store.transaction() as session:
        session.query(Run).delete()
    assert "take them out of LATCHKEY_ENCRYPTION_KEYS" in command("keys", "rotate").out
    use(new)
    with store.transaction() as session:
        assert session.query(StoredCredential).one().password == "p"


@pytest.mark.parametrize("kept", ["database", "environment"])
def test_an_earlier_versions_blocks_are_kept_for_credentials_that_are_known(
    store, key_file, command, monkeypatch, kept
):
    if kept == "environment":
        monkeypatch.setenv("MEADOW_USERNAME", "user-9")
        monkeypatch.setenv("MEADOW_PASSWORD", "canary 9")
        username, secret = "user-9", Known("meadow", "user-9", "canary 9").secret
    else:
        username, secret = "user-1", Known("meadow", "user-1", "canary 1", "canary").secret
    facts = {"portal": "meadow", "name": "meadow_self_serve", "url": "https://meadow.example.com/owners"}
    monkeypatch.setattr(Login, "registry", {**Login.registry})
    type("MeadowSelfServe", (FormLogin,), facts)  # a second login of the portal, for this test
    ledger = Ledger(store)
    number = ledger.begin("meadow_self_serve", username, secret)
    ledger.finish(number, BAD_CREDENTIALS)
    legacy = key_ring().fingerprints(f"meadow_self_serve\0{username}\0{secret}")[0]
    with store.transaction() as session:
        session.query(LedgerEntry).update({"secret_fingerprint": legacy})
    command("keys", "add")
    assert "1 fingerprints of sign-in attempts hold without an old key now." in command("keys", "rotate").out
    assert command("keys", "retire").code == 0
    with pytest.raises(Exception, match="refused this password before"):
        ledger.check("meadow_self_serve", username, secret)
