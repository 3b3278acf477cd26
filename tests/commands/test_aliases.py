"""The names that settings had in the programs before Latchkey: each works, is told once, and never by its value."""

from __future__ import annotations

import pytest

from commands.doctor import CHECKS, diagnose
from database import aliases
from database.engine import Database
from database.jobs.settings import QueueSettings
from database.migrate import check, create_if_empty
from database.settings import database_settings
from jobs.settings import MailSettings, WorkerSettings
from pipelines.settings import PipelineSettings
from scrapers.core.settings import crawl_settings
from tests.project import TEST_KEY
from tests.webhook.conftest import GATEWAY_TOKEN, READER_TOKEN
from webhook.settings import PriceWatchSettings, webhook_settings

# What the seeds call them, a value as they give it, the setting it is here, and what that reads.
SEEDS = {
    "DATABASE_URL": ("sqlite:///canary.db", "DATABASE_URL", lambda: database_settings().database_url),
    "DB_AUTO_CREATE": ("true", "DB_AUTO_CREATE", lambda: database_settings().db_auto_create),
    "ENCRYPTION_KEY": (TEST_KEY, "ENCRYPTION_KEYS", lambda: database_settings().encryption_keys),
    "HEADLESS": ("false", "HEADLESS", lambda: crawl_settings().headless),
    "BROWSER_TYPE": ("firefox", "BROWSER", lambda: crawl_settings().browser),
    "NAS_PORT": ("1445", "NAS_PORT", lambda: PipelineSettings.current().nas_port),
    "NAS_USERNAME": ("canary", "SMB_USERNAME", lambda: PipelineSettings.current().smb_username),
    "NAS_PASSWORD": ("canary-password", "SMB_PASSWORD", lambda: PipelineSettings.current().smb_password),
    "S3_BUCKET": ("canary-bucket", "FILES_S3", lambda: PipelineSettings.current().files_s3),
    "SMTP_ADDRESS": ("canary.example", "SMTP_ADDRESS", lambda: MailSettings.current().smtp_address),
    "EMAIL_ADDRESS": ("canary@example.com", "EMAIL_ADDRESS", lambda: MailSettings.current().email_address),
    "EMAIL_PASSWORD": ("canary-password", "EMAIL_PASSWORD", lambda: MailSettings.current().email_password),
    "WORKER_SLEEP_SECONDS": ("17", "WORKER_POLL", lambda: WorkerSettings.current().worker_poll),
    "WORKER_RUN_ONCE": ("true", "WORKER_RUN_ONCE", lambda: WorkerSettings.current().worker_run_once),
    "AUTH_DEV_MODE": ("true", "AUTH_DEV_MODE", lambda: PriceWatchSettings.current().auth_dev_mode),
    "TWILIO_ACCOUNT_SID": ("ACcanary", "TWILIO_ACCOUNT_SID", lambda: PriceWatchSettings.current().twilio_account_sid),
    "TWILIO_AUTH_TOKEN": ("canary-twilio", "TWILIO_AUTH_TOKEN", lambda: webhook_settings().twilio_auth_token),
    "TWILIO_FROM_NUMBER": ("+15550100", "TWILIO_FROM_NUMBER", lambda: PriceWatchSettings.current().twilio_from_number),
    "TWILIO_MESSAGING_SERVICE_SID": (
        "MGcanary",
        "TWILIO_MESSAGING_SERVICE_SID",
        lambda: PriceWatchSettings.current().twilio_messaging_service_sid,
    ),
}


@pytest.mark.parametrize("alias", SEEDS)
def test_an_alias_is_read_and_told_once_by_name(alias, monkeypatch):
    value, name, read = SEEDS[alias]
    before, told = read(), []
    from tests.conftest import _forget_settings

    monkeypatch.setenv(alias, value)
    _forget_settings()
    assert read() != before
    aliases.tell_by(told.append)
    read()
    assert told == [f"{alias} is read as LATCHKEY_{name}."]
    QueueSettings.load()
    assert len(told) == 1


@pytest.mark.parametrize("alias", SEEDS)
def test_a_name_of_ours_wins_and_nothing_is_told(alias, monkeypatch):
    value, name, read = SEEDS[alias]
    monkeypatch.setenv(f"LATCHKEY_{name}", value)
    meant = str(read())
    from tests.conftest import _forget_settings

    _forget_settings()
    monkeypatch.setenv(alias, "+15550199" if value.startswith("+") else "1")
    told = []
    aliases.tell_by(told.append)
    assert (str(read()), told) == (meant, [])


def test_the_parts_of_a_share_are_told_each_by_its_name(monkeypatch):
    for name, value in {"NAS_SERVER": "nas.example", "NAS_SHARE": "canary"}.items():
        monkeypatch.setenv(name, value)
    told = []
    aliases.tell_by(told.append)
    assert PipelineSettings.current().address_of("NAS") == "smb://nas.example/canary"
    assert told == ["NAS_SERVER is read as LATCHKEY_NAS_SERVER.", "NAS_SHARE is read as LATCHKEY_NAS_SHARE."]


def test_the_doctor_lists_those_in_use(monkeypatch):
    assert told_by_doctor() == "No setting is given under another program's name."
    monkeypatch.setenv("SMTP_ADDRESS", "canary.example")
    monkeypatch.setenv("HEADLESS", "true")
    assert told_by_doctor() == (
        "Read under other names: HEADLESS as LATCHKEY_HEADLESS, SMTP_ADDRESS as LATCHKEY_SMTP_ADDRESS."
    )


def told_by_doctor() -> str:
    """Return the sentence about aliases."""
    found = diagnose("aliases", CHECKS["aliases"])
    assert found["ok"]
    return found["says"]


def test_a_worker_makes_the_tables_of_an_empty_database_and_tells_what_it_reads(project, tmp_path):
    """As the price checker is started: by its own names alone."""
    url = f"sqlite:///{tmp_path / 'canary.db'}"
    env = {"DATABASE_URL": url, "DB_AUTO_CREATE": "true", "WORKER_RUN_ONCE": "true", "SMTP_ADDRESS": "mail.example"}
    said = project(tmp_path).scrapy("worker", env=env)
    assert said.returncode == 0, said.stderr
    for alias in env:
        assert said.stderr.count(f" {alias} is read as LATCHKEY_") == 1, said.stderr
    assert "canary" not in said.stderr
    assert "mail.example" not in said.stderr
    db = Database(url)
    check(db)
    db.engine.dispose()
    again = project(tmp_path).scrapy("worker", env=env)
    assert "its tables are made" in said.stderr
    assert "its tables are made" not in again.stderr


def test_tables_are_made_in_an_empty_database_only(database_url):
    """One that has any of ours is left to `scrapy db upgrade`."""
    db = Database(database_url)
    with db.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE something_else (id INTEGER)")
    assert create_if_empty(db)
    check(db)
    assert not create_if_empty(db)
    with db.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM alembic_version")
    assert not create_if_empty(db)
    db.engine.dispose()


def test_serve_tells_aliases_and_that_codes_are_shown(project, tmp_path, wait_for):
    ready = tmp_path / "ready.json"
    tokens = {"LATCHKEY_WEBHOOK_TOKEN": GATEWAY_TOKEN, "LATCHKEY_CODE_READER_TOKEN": READER_TOKEN}
    seeds = {"DB_AUTO_CREATE": "true", "AUTH_DEV_MODE": "true", "TWILIO_AUTH_TOKEN": "canary-twilio"}
    process = project(tmp_path, **tokens, **seeds).start("serve", "--port", "0", "--ready-file", str(ready))
    wait_for(lambda: ready.exists() or process.poll() is not None)
    process.terminate()
    _, said = process.communicate(timeout=60)
    for alias in seeds:
        assert said.count(f" {alias} is read as LATCHKEY_") == 1, said
    assert "AUTH_DEV_MODE is on: who asks from this machine gets the codes of any user in the answer" in said
    assert "its tables are made" in said
    assert "canary" not in said


def test_a_service_for_others_is_refused_development_mode(project, tmp_path):
    tokens = {"LATCHKEY_WEBHOOK_TOKEN": GATEWAY_TOKEN, "LATCHKEY_CODE_READER_TOKEN": READER_TOKEN}
    env = {**tokens, "DB_AUTO_CREATE": "true", "AUTH_DEV_MODE": "true"}
    said = project(tmp_path).scrapy("serve", "--host", "0.0.0.0", "--port", "0", env=env)
    assert said.returncode == 1
    assert "AUTH_DEV_MODE is on, and LATCHKEY_WEBHOOK_HOST is not this machine alone" in said.stderr
