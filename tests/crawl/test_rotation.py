"""A new encryption key while crawls run: nothing unreadable, nothing lost, the old key useless afterwards."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet, InvalidToken

from database.access.encryption import read_keys, write_private
from tests.project import TEST_KEY, wait_for

DOCUMENTS = 40
COLUMNS = (
    ("credentials", "password"),
    ("credentials", "totp_secret"),
    ("sessions", "state"),
    ("messages", "text"),
    ("fingerprint_keys", "value"),
)


def tokens(crawls):
    return [
        row[0]
        for table, column in COLUMNS
        for row in crawls.rows(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL")
    ]


def reads(key, token):
    try:
        Fernet(key).decrypt(token.encode())
    except InvalidToken:
        return False
    return True


@pytest.mark.timeout(300)
@pytest.mark.matrix
@pytest.mark.parametrize("crowd", [2, 4])
def test_crawls_go_on_while_the_key_changes(crawls, plain, crowd):
    """Each signs in again and again, and saves its session each time."""
    keys = crawls.project.data / "encryption.keys"
    write_private(keys, f"{TEST_KEY}\n")
    environment = crawls.project.environment
    environment.update(LATCHKEY_ENCRYPTION_KEYS="", LATCHKEY_SIGN_IN_BUDGET="100", LATCHKEY_REQUESTS_IN_FLIGHT="2")
    users = [f"ok+{letter}+expires-8@example.com" for letter in "abcd"[:crowd]]
    for user in users:
        crawls.give("plain", user)
    crawls.give("plain", "wrong-password@example.com", "open-sesame")
    refused = crawls.run("plain_documents", "credential=wrong-password@example.com")
    assert refused.returncode == 5, refused.stderr

    # So slow that they are all at work for 45 s, or until told otherwise.
    plain.configure(documents=DOCUMENTS, latency_ms=2000)
    processes = [crawls.start("plain_documents", f"credential={user}") for user in users]
    stored = "SELECT count(DISTINCT username) FROM plain_documents"
    wait_for(lambda: crawls.value(stored) == crowd, seconds=120)
    said = []
    for act in ("add", "rotate", "retire"):
        done = crawls.project.scrapy("keys", act)
        assert done.returncode == 0, (act, done.stdout, done.stderr)
        said.append(done.stdout)
    still_running = [process.poll() is None for process in processes]
    plain.configure(latency_ms=0)
    ends = [process.communicate(timeout=120) for process in processes]

    assert [process.returncode for process in processes] == [0] * crowd, ends
    assert all(still_running), "the crawls were over too soon to prove anything"
    assert crawls.outcomes[1:] == ["success"] * crowd
    assert crawls.value("SELECT count(*) FROM plain_documents") == crowd * DOCUMENTS
    assert crawls.value("SELECT min(sign_ins) FROM runs WHERE outcome = 'success'") > 3
    (new,) = read_keys(keys)
    assert new != TEST_KEY
    every = tokens(crawls)
    assert len(every) >= 2 * crowd + 2
    assert [token for token in every if not reads(new, token) or reads(TEST_KEY, token)] == []
    told = "".join(said) + "".join(out + err for out, err in ends)
    assert new not in told
    assert TEST_KEY not in told

    # What was blocked stays blocked.
    before = plain.counters()["submissions"]
    assert crawls.run("plain_documents", "credential=wrong-password@example.com").returncode == 5
    assert crawls.outcomes[-1] == "credential_blocked"
    assert plain.counters()["submissions"] == before
