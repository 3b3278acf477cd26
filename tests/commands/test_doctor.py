"""`scrapy doctor`: every problem is found, and named with its cure."""

from __future__ import annotations

import ast
import http.server
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet

from database import migrate
from database.access.encryption import key_ring
from database.engine import Database, database
from database.models import Run, StoredCredential
from database.settings import database_settings
from tests.dovecot import mail, mail_server
from tests.project import ROOT


@pytest.fixture
def sound(database_url, encryption_key, monkeypatch, tmp_path, free_port) -> Database:
    """Give the database of a sound installation."""
    monkeypatch.setenv("LATCHKEY_DATABASE_URL", database_url)
    monkeypatch.setenv("LATCHKEY_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("LATCHKEY_WEBHOOK_PORT", str(free_port()))
    forget()
    migrate.upgrade(database())
    return database()


def forget() -> None:
    """Forget the settings that were read before a test changed the environment."""
    from middlewares.settings import mailbox_settings
    from pipelines.settings import pipeline_settings
    from scrapers.core.settings import crawl_settings
    from webhook.settings import webhook_settings

    rooms = (pipeline_settings, crawl_settings, webhook_settings, mailbox_settings)
    for remembered in (database_settings, database, key_ring, *rooms):
        remembered.cache_clear()


def problems(*names):
    """Run the checks of these names, and give what is wrong."""
    from commands.doctor import CHECKS, diagnose

    return {name: said["says"] for name in names if not (said := diagnose(name, CHECKS[name]))["ok"]}


@pytest.mark.browser
def test_a_sound_installation_has_no_problem(sound, command):
    said = command("doctor", "--json")
    assert [one for one in json.loads(said.out) if not one["ok"]] == []
    assert said.code == 0


def test_every_setting_is_listed_without_a_secret(sound, command):
    rows = {row["variable"]: row for row in json.loads(command("doctor", "--settings", "--json").out)}
    assert rows["LATCHKEY_SIGN_IN_BUDGET"]["default"] == "6"
    assert sound.engine.url.database not in str(rows)


def known_to_the_code() -> set[str]:
    """Return every variable that a settings class declares or that stands for a login's address, as their text says it."""
    found = set()
    for path in [ROOT / "database" / "settings.py", *ROOT.glob("*/settings.py"), *ROOT.glob("scrapers/**/settings.py")]:
        for node in ast.parse(path.read_text()).body:
            if not isinstance(node, ast.ClassDef) or not ast.unparse(node.bases[0]).endswith("Settings"):
                continue
            fields = {each.target.id: each.value for each in node.body if isinstance(each, ast.AnnAssign)}
            portal = fields.pop("portal", None)
            prefix = f"{ast.literal_eval(portal).upper()}_" if portal else "LATCHKEY_"
            for name, value in fields.items():
                if isinstance(value, ast.Call) and ast.unparse(value.func) == "Field":
                    aliases = re.findall(r"'([A-Z][A-Z0-9_]+)'", ast.unparse(value))
                    found |= set(aliases) if "AliasChoices" in ast.unparse(value) else {f"{prefix}{name}".upper()}
    return found


def listed(project, tmp_path, *words, **env):
    said = project(tmp_path).scrapy("doctor", "--settings", "--json", *words, env=env)
    assert said.returncode == 0, said.stderr
    return {name: row for row in json.loads(said.stdout) for name in row["variable"].split(" or ")}


def test_every_setting_that_the_code_and_the_readme_know_is_listed(project, tmp_path):
    rows = listed(project, tmp_path)
    known = known_to_the_code()
    assert {"LATCHKEY_DATA_DIR", "HEADLESS", "LATCHKEY_WEBHOOK_PORT", "BELL_HEADER_WAIT", "IEC_FACTOR"} <= known
    assert known <= set(rows)
    assert {"BELL_SELF_SERVE_URL", "BELL_ENTERPRISE_CENTRE_URL", "TRUCKTECH_URL", "IEC_OKTA_URL"} <= set(rows)
    section = (ROOT / "README.md").read_text().partition("\n## Settings\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"`([A-Z][A-Z0-9]*_[A-Z0-9_]+)`", section)) <= set(rows)
    assert all(row["meaning"] for row in rows.values())


def test_a_setting_is_listed_with_value_default_and_source(project, tmp_path):
    rows = listed(
        project,
        tmp_path,
        *("-s", "BELL_HEADER_WAIT=3"),
        LATCHKEY_PAGE_WAIT="7",
        HEADLESS="false",
        DATABASE_URL="postgresql://owner:hunter-2@db.example/x",
        LATCHKEY_WEBHOOK_TOKEN="hunter-2-hunter-2",
    )

    def told(name):
        return rows[name]["value"], rows[name]["default"], rows[name]["source"]

    assert told("BELL_HEADER_WAIT") == ("3", "60.0", "-s")
    assert told("LATCHKEY_PAGE_WAIT") == ("7", "30.0", "environment")
    assert told("LATCHKEY_HEADLESS") == ("false", "True", "environment: HEADLESS")
    assert told("LATCHKEY_BUSY_WAIT") == ("600.0", "600.0", "default")
    assert told("LATCHKEY_DATABASE_URL") == ("***", "", "environment: DATABASE_URL")
    assert told("LATCHKEY_WEBHOOK_TOKEN") == ("***", "", "environment")
    assert rows["LATCHKEY_ENCRYPTION_KEYS"]["value"] == "***"
    assert "hunter-2" not in str(rows)


def test_a_misspelt_setting_of_a_portal_is_found(project, tmp_path):
    said = project(tmp_path).scrapy("doctor", env={"BELL_HEADER_WIAT": "3"})
    assert said.returncode == 1
    assert "PROBLEM  portals" in said.stdout
    assert "BELL_HEADER_WAIT?" in said.stdout


def test_a_misspelt_setting_is_named(sound, monkeypatch):
    monkeypatch.setenv("LATCHKEY_SIGN_IN_BUDGE", "3")
    assert "LATCHKEY_SIGN_IN_BUDGET?" in problems("settings")["settings"]


def test_a_malformed_setting_is_named_without_its_value(sound, monkeypatch):
    monkeypatch.setenv("LATCHKEY_SIGN_IN_BUDGET", "s3cret")
    said = problems("settings")["settings"]
    assert "LATCHKEY_SIGN_IN_BUDGET" in said
    assert "s3cret" not in said


def test_a_key_that_cannot_read_what_is_stored_is_found(sound, monkeypatch):
    with sound.transaction() as session:
        session.add(StoredCredential(portal="meadow", username="owner", password="p"))
    assert problems("key") == {}
    monkeypatch.setenv("LATCHKEY_ENCRYPTION_KEYS", Fernet.generate_key().decode())
    forget()
    assert "LATCHKEY_ENCRYPTION_KEYS" in problems("key")["key"]


def test_a_missing_key_is_found(sound, monkeypatch):
    monkeypatch.delenv("LATCHKEY_ENCRYPTION_KEYS")
    forget()
    assert "scrapy generate-key" in problems("key")["key"]


def test_an_old_schema_is_found(sound):
    migrate.downgrade(sound, "base")
    assert "scrapy db upgrade" in problems("database")["database"]


def test_a_clock_that_is_behind_what_was_written_is_found(sound):
    with sound.transaction() as session:
        about = {"crawl": "-", "spider": "s", "portal": "p", "report_type": "r", "host": "", "pid": 1}
        session.add(Run(**about, started_at=datetime.now(UTC) + timedelta(days=2)))
    assert "in the future" in problems("clock")["clock"]


def test_a_store_that_is_no_folder_is_found(sound, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LATCHKEY_FILES", str(tmp_path / "file"))
    forget()
    assert "LATCHKEY_FILES" in problems("store")["store"]


@pytest.mark.parametrize("kind", ["smb", "s3"])
def test_a_store_that_does_not_answer_is_found_and_no_secret_told(sound, monkeypatch, free_port, kind):
    port = free_port()
    for name, value in {
        "LATCHKEY_FILES": "s3://invoices" if kind == "s3" else f"smb://127.0.0.1:{port}/files",
        "LATCHKEY_S3_ENDPOINT": f"http://127.0.0.1:{port}",
        "LATCHKEY_S3_ACCESS_KEY": "key",
        "LATCHKEY_S3_SECRET_KEY": "hunter-2",
        "LATCHKEY_SMB_PASSWORD": "hunter-2",
    }.items():
        monkeypatch.setenv(name, value)
    forget()
    said = problems("store")["store"]
    assert "does not answer" in said
    assert "hunter-2" not in said


def test_a_store_with_too_little_space_is_found(sound, monkeypatch):
    monkeypatch.setenv("LATCHKEY_FILES_FREE", str(10**18))
    forget()
    assert "LATCHKEY_FILES_FREE" in problems("store")["store"]


def test_a_browser_that_does_not_start_is_found(sound, monkeypatch):
    monkeypatch.setenv("LATCHKEY_BROWSER_PATH", "/bin/false")
    forget()
    assert "LATCHKEY_BROWSER_PATH" in problems("browser")["browser"]


def test_a_webhook_that_is_needed_and_does_not_answer_is_found(sound):
    assert problems("webhook") == {}
    with sound.transaction() as session:
        session.add(StoredCredential(portal="meadow", username="owner", password="p", receiver="+15555550100"))
    assert "scrapy serve" in problems("webhook")["webhook"]


def test_a_webhook_is_not_needed_for_a_mailbox_that_we_read(sound, monkeypatch):
    for name, value in (("ADDRESS", "codes@example.org"), ("HOST", "mail.example.org"), ("PASSWORD", "p")):
        monkeypatch.setenv(f"LATCHKEY_MAILBOX_{name}", value)
    forget()
    with sound.transaction() as session:
        session.add(StoredCredential(portal="meadow", username="owner", password="p", receiver="codes@example.org"))
    assert problems("webhook") == {}
    with sound.transaction() as session:
        session.add(
            StoredCredential(
                portal="meadow", username="other", password="p", receiver="+15555550100, codes@example.org"
            )
        )
    assert "1 credentials" in problems("webhook")["webhook"]


def test_a_mailbox_that_does_not_answer_is_found(sound, monkeypatch, free_port):
    assert problems("mailbox") == {}
    for name, value in (("ADDRESS", "codes@example.org"), ("HOST", "127.0.0.1"), ("PORT", str(free_port()))):
        monkeypatch.setenv(f"LATCHKEY_MAILBOX_{name}", value)
    forget()
    assert "LATCHKEY_MAILBOX_PASSWORD" in problems("mailbox")["mailbox"]
    monkeypatch.setenv("LATCHKEY_MAILBOX_PASSWORD", "never-shown")
    forget()
    said = problems("mailbox")["mailbox"]
    assert "LATCHKEY_MAILBOX_HOST" in said
    assert "never-shown" not in said


def test_who_is_not_told_is_said_and_is_no_problem(sound, command):
    from commands.doctor import CHECKS, diagnose

    def said():
        one = diagnose("notify", CHECKS["notify"])
        assert one["ok"]
        return one["says"]

    assert said() == "No notification address is set (scrapy notify add ADDRESS)."
    command("notify", "add", "ops@example.com", "--for", "operator")
    assert said() == "No notification address is set for owner or developer (scrapy notify add ADDRESS --for owner)."
    command("notify", "add", "all@example.com")
    assert said() == "owner, operator, developer are told when they must act."
    migrate.downgrade(sound, "base")
    assert said() == "The database was not asked."


@pytest.mark.imap
def test_a_mailbox_is_looked_at_and_left_as_it_is(sound, monkeypatch):
    from commands.doctor import CHECKS, diagnose

    with mail_server() as server:
        server.mailbox("codes@example.org")
        server.deliver("codes@example.org", mail("a@example.com", "codes@example.org", "A mail", "with a text"))
        before = server.contents("codes@example.org")
        for name, value in server.settings("codes@example.org").items():
            monkeypatch.setenv(name, value)
        forget()
        assert "1 mails" in diagnose("mailbox", CHECKS["mailbox"])["says"]
        assert server.contents("codes@example.org") == before
        monkeypatch.setenv("LATCHKEY_MAILBOX_PASSWORD", "wrong")
        forget()
        assert "LATCHKEY_MAILBOX_PASSWORD" in problems("mailbox")["mailbox"]


@contextmanager
def somebody_else(port: int) -> Iterator[None]:
    """Let a server that is not ours listen on a port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, *args):
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_another_server_on_our_port_is_found(sound):
    from webhook.settings import webhook_settings

    with somebody_else(webhook_settings().webhook_port):
        assert "LATCHKEY_WEBHOOK_PORT" in problems("webhook")["webhook"]


def test_a_database_that_is_away_is_one_sentence(encryption_key, monkeypatch, free_port):
    monkeypatch.setenv("LATCHKEY_DATABASE_URL", f"postgresql://owner:hunter-2@127.0.0.1:{free_port()}/none")
    forget()
    said = problems("database", "clock")
    assert "does not answer" in said["database"]
    assert "hunter-2" not in said["database"]
    assert "clock" not in said
