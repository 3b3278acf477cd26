"""Malformed input of every kind: one sentence that names what is wrong and what to do, and nothing is lost."""

from __future__ import annotations

import json
import socket

import pytest
from cryptography.fernet import Fernet

INVOICE = "bell_pdf_invoice"
KEYS, URL = "LATCHKEY_ENCRYPTION_KEYS", "LATCHKEY_DATABASE_URL"
# What is typed after `scrapy crawl`, what is in the environment: the exit code, and words of the sentence.
CASES = {
    "unknown argument": (f"{INVOICE} -a colour=red", {}, 2, ("-a colour", "it knows", "account")),
    "month 13": (f"{INVOICE} -a cycle=2026-13", {}, 2, ("-a cycle", "2026-10")),
    "unknown account": (f"{INVOICE} -a account=999", {}, 2, ("-a account=999", "scrapy accounts list")),
    "unknown job": (f"{INVOICE} -a job=99", {}, 2, ("-a job=99",)),
    "job that is no number": (f"{INVOICE} -a job=ninety", {}, 2, ("-a job",)),
    "neither yes nor no": (f"{INVOICE} -a again=perhaps", {}, 2, ("-a again",)),
    "past month of daily usage": ("bell_daily_usage -a cycle=2020-01", {}, 2, ("-a cycle=2020-01", "present cycle")),
    "unknown spider": ("bell_nothing", {}, 2, ("bell_nothing", "scrapy list")),
    "no spider": ("", {}, 2, ("scrapy list",)),
    "no key": (INVOICE, {KEYS: None}, 2, (KEYS, "scrapy generate-key")),
    "bad key": (INVOICE, {KEYS: "abc"}, 2, (KEYS, "scrapy generate-key")),
    "lost key": (INVOICE, {KEYS: Fernet.generate_key().decode()}, 2, (KEYS, "add the old key")),
    "unknown variable": (INVOICE, {"LATCHKEY_SIGNIN_BUDGET": "3"}, 1, ("_SIGNIN_BUDGET", "LATCHKEY_SIGN_IN_BUDGET")),
    "malformed wait": (INVOICE, {"LATCHKEY_PAGE_WAIT": "soon"}, 1, ("LATCHKEY_PAGE_WAIT", "number")),
    "malformed path": (INVOICE, {"LATCHKEY_FILES_PATH": "{colour}/{name}"}, 2, ("LATCHKEY_FILES_PATH", "portal")),
    "malformed wait of a portal": ("bell_ereports", {"BELL_HEADER_WAIT": "soon"}, 2, ("BELL_HEADER_WAIT", "number")),
    "database away": (INVOICE, {URL: "postgresql://somebody:hush-hush@127.0.0.1:1/none"}, 4, (URL, "server")),
    "impossible folder": (INVOICE, {URL: "sqlite:////proc/none/x.db"}, 2, (URL, "LATCHKEY_DATA_DIR")),
    "no database": (INVOICE, {URL: "nonsense"}, 2, (URL,)),
}
# The rest of them ask the same of the same code.
SAMPLE = ("unknown argument", "month 13", "unknown account", "lost key", "malformed wait", "database away")


def one_sentence(done, *words: str) -> None:
    """What was said is one line with these words, on standard error, without a traceback or a secret."""
    said = done.stderr.strip()
    assert said.count("\n") == 0, said
    assert all(word in said for word in words), said
    assert "Traceback" not in said
    assert "hush-hush" not in said
    assert done.stdout.strip() == ""


@pytest.mark.parametrize(
    "case", [pytest.param(name, marks=() if name in SAMPLE else pytest.mark.matrix) for name in CASES]
)
def test_malformed_input_ends_in_one_sentence(crawls, case):
    typed, environment, code, words = CASES[case]
    crawls.give_bell("ok@example.com")

    done = crawls.project.scrapy("crawl", *typed.split(), env=environment)

    assert done.returncode == code, done.stderr
    one_sentence(done, *words)
    untouched(crawls)


def untouched(crawls) -> None:
    """What was there is there still, and nothing has been added: no run, no cycle, no attempt, no file."""
    for table, rows in {"credentials": 1, "accounts": 1, "runs": 0, "attempts": 0, "billing_cycles": 0}.items():
        assert crawls.value(f"SELECT count(*) FROM {table}") == rows, table
    assert {path.name.partition("-")[0] for path in crawls.project.data.iterdir()} == {"latchkey.db"}


def test_a_database_without_tables_is_named_with_its_cure(crawls, tmp_path):
    crawls.give_bell("ok@example.com")

    done = crawls.project.scrapy("crawl", INVOICE, env={URL: f"sqlite:///{tmp_path / 'empty.db'}"})

    assert done.returncode == 4
    one_sentence(done, "scrapy db upgrade")
    untouched(crawls)


@pytest.mark.parametrize(
    ("mode", "content", "words"),
    [
        (0o644, {"username": "ok", "password": "hush-hush"}, ("can be read by others", "chmod 600")),
        pytest.param(0o600, {"username": "ok"}, ("username and password",), marks=pytest.mark.matrix),
        pytest.param(0o600, "hush-hush", ("username and password",), marks=pytest.mark.matrix),
    ],
)
def test_a_credentials_file_that_cannot_be_used_is_named(crawls, tmp_path, mode, content, words):
    path = tmp_path / "credentials.json"
    path.write_text(json.dumps(content))
    path.chmod(mode)

    done = crawls.run("plain_documents", LATCHKEY_CREDENTIALS_FILE=str(path))

    assert done.returncode == 2, done.stderr
    one_sentence(done, str(path), *words)
    assert crawls.value("SELECT count(*) FROM runs") == 0


@pytest.fixture
def taken_port():
    """A port on which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_webhook_whose_port_is_taken_says_so(crawls, taken_port):
    token = {"LATCHKEY_WEBHOOK_TOKEN": "hush-hush-hush-hush"}

    done = crawls.project.scrapy("serve", "--port", str(taken_port), env=token)

    assert done.returncode == 1
    one_sentence(done, str(taken_port), "--port")


def test_a_sandbox_whose_port_is_taken_says_so(crawls, taken_port, tmp_path):
    state = tmp_path / "sandbox"
    state.mkdir()
    addresses = {"plain": {"host": "127.0.0.1", "port": taken_port}}
    (state / "addresses.json").write_text(json.dumps(addresses))

    done = crawls.project.scrapy("sandbox", "--state", str(state), "--portals", "plain")

    assert done.returncode == 1
    one_sentence(done, str(taken_port), "end what listens there")
