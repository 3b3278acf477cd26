"""`scrapy notify`: addresses, what became of a test message, and the digest; no address is shown whole."""

from __future__ import annotations

import json
import re
import shlex

import pytest

from database.families.accounts import NewAccount, add_account
from database.models import Run, RunState
from database.models.base import utc_now
from database.models.notices import NoticeAddress
from sandbox.mailserver import MailServer, serving
from tests.jobs.test_alerts import PASSWORD, mail_environment
from tests.project import CARRIERS, ROOT
from tests.webhook.api.servers import JsonReceiver

SECRET = "token-of-the-receiver"
PAGE = (ROOT / "docs" / "notifications.md").read_text()


@pytest.fixture
def servers(monkeypatch):
    """Give a mail server, with its settings, and a receiver of JSON."""
    with serving(MailServer(PASSWORD)) as mails, serving(JsonReceiver()) as web:
        for name, value in mail_environment(mails).items():
            monkeypatch.setenv(name, value)
        yield mails, web


@pytest.fixture
def acme(store):
    with store.transaction() as session:
        add_account(session, NewAccount("Acme", "Main", "bell", "501234567"), CARRIERS)


def failed_run(store, outcome="bad_credentials", actor="owner"):
    with store.transaction() as session:
        about = {"crawl": "1", "spider": "bell_pdf_invoice", "portal": "bell", "report_type": "pdf_invoice"}
        session.add(
            Run(**about, username="ana@example.com", target="501234567 2026-10", state=RunState.FINISHED,
                outcome=outcome, actor=actor, finished_at=utc_now())
        )  # fmt: skip


def test_each_address_says_what_happened_and_shows_no_secret(store, command, servers, acme):
    mails, web = servers
    hook = f"json://user:{SECRET}@127.0.0.1:{web.server_port}/{SECRET}"
    assert command("notify", "test").err == "There is no such address: add one with `scrapy notify add ADDRESS`.\n"
    added = command("notify", "add", "ops@example.com", "--for", "operator")
    assert (added.code, added.out) == (
        0,
        "Added: address 1, o…@example.com, is told what concerns operator and gets the digest. Try it: scrapy notify test\n",
    )
    said = command("notify", "add", "-", "--client", "Acme", "--no-digest", input=f"{hook}\n")
    assert said.out.startswith("Added: address 2, json://…, is told what concerns owner, operator, developer of Acme. ")
    assert command("notify", "add", "ops@example.com").out.startswith("Changed: address 1, ")
    done = command("notify", "test")
    assert (done.code, done.out) == (0, "1  o…@example.com: sent\n2  json://…  Acme: sent\n")
    assert [mail["To"] for mail in mails.mails] == ["ops@example.com"]
    assert "It gets the digest." in mails.mails[0].get_content()
    assert web.bodies[0]["title"] == "[Latchkey] Test message"
    web.status, mails.refuses = 500, True
    done = command("notify", "test")
    assert (done.code, done.out.splitlines()) == (
        1,
        [
            "1  o…@example.com: not sent: The mail server did not take a mail (SMTPRecipientsRefused).",
            "2  json://…  Acme: not sent: The service json was not reached, or did not take the message.",
        ],
    )
    assert command("notify", "test", "--client", "Acme").out.startswith("2  ")
    listed = command("notify", "list", "--json")
    assert [row["address"] for row in json.loads(listed.out)] == ["o…@example.com", "json://…"]
    assert not any(SECRET in each.out + each.err for each in (said, done, listed))
    assert command("notify", "remove", "2").out == "Address 2 is told nothing more.\n"
    assert command("notify", "remove", "2").err == "There is no address 2; `scrapy notify list` shows them.\n"


def test_every_change_of_an_address_is_audited_without_its_secret(store, command, acme):
    hook = f"json://user:{SECRET}@hooks.example.com/{SECRET}"
    command("notify", "add", hook, "--client", "Acme", "--for", "owner", "--no-digest")
    command("notify", "add", "ops@example.com")
    command("notify", "add", "ops@example.com", "--for", "operator")
    command("notify", "remove", "1")
    command("notify", "remove", "1")  # there is none any more
    rows = json.loads(command("audit", "--what", "address", "--json").out)
    everybody = ["developer", "operator", "owner"]
    assert [(row["what"], row["to_what"], row["detail"]) for row in reversed(rows)] == [
        ("address.added", "1 json://…", {"for": ["owner"], "digest": False, "client": "Acme"}),
        ("address.added", "2 o…@example.com", {"for": everybody, "digest": True}),
        ("address.changed", "2 o…@example.com", {"for": ["operator"], "digest": True}),
        ("address.removed", "1 json://…", None),
    ]
    assert SECRET not in str(rows)


def test_what_is_wrong_is_named(store, command, monkeypatch):
    nobody = "--client: There is no client 'Nobody'; `scrapy accounts list` shows them."
    unknown = "ADDRESS: it is no mail address. It is no address that Apprise knows."
    for argv, name, value, code, said in (
        ("add nothing://secret", "", "", 2, unknown),
        ("add secret", "", "", 2, unknown),
        ("add a@example.com --client Nobody", "", "", 2, nobody),
        ("digest --print --client Nobody", "", "", 2, nobody),
        ("send", "QUIET", "22-07", 1, "LATCHKEY_NOTIFY_QUIET: a time of day looks like 06:00"),
        ("send", "TIME_ZONE", "Mars", 1, "LATCHKEY_NOTIFY_TIME_ZONE: it is no time zone, as Europe/Zurich"),
        ("test", "DIGEST_AT", "7", 1, "LATCHKEY_NOTIFY_DIGEST_AT: a time of day looks like 06:00"),
        ("digest --print", "REPEAT", "0", 1, "LATCHKEY_NOTIFY_REPEAT: Input should be greater than or equal to 1"),
    ):
        with monkeypatch.context() as patch:
            if name:
                patch.setenv(f"LATCHKEY_NOTIFY_{name}", value)
            done = command("notify", *shlex.split(argv))
        assert (done.code, done.err) == (code, f"{said}\n")


def test_without_a_mail_server_the_settings_are_named(store, command):
    command("notify", "add", "ops@example.com")
    done = command("notify", "test")
    assert done.out == (
        "1  o…@example.com: not sent: mail is not set up (LATCHKEY_SMTP_ADDRESS, LATCHKEY_EMAIL_ADDRESS).\n"
    )
    assert done.code == 1


def test_an_address_is_stored_encrypted(store, command):
    command("notify", "add", f"json://hooks.example.com/{SECRET}")
    with store.engine.connect() as connection:
        row = connection.exec_driver_sql("SELECT address, fingerprint FROM notice_addresses").one()
    assert not any(SECRET in value for value in row)
    with store.transaction() as session:
        assert SECRET not in repr(session.get_one(NoticeAddress, 1))


def test_the_commands_of_the_page_are_typed(store, command, servers, acme):
    """Its settings are those of the page; its addresses lead to servers on this machine."""
    mails, web = servers
    failed_run(store)
    said = {}
    block = "\n".join(re.findall(r"^```sh\n(.*?)^```$", PAGE, re.M | re.S))
    for line in filter(None, (re.sub(r"\s+#\s.*", "", line).strip() for line in block.splitlines())):
        if line.startswith("export "):
            continue
        words = shlex.split(line.replace("jsons://hooks.example.com/acme", f"json://127.0.0.1:{web.server_port}/acme"))
        assert words[:2] == ["scrapy", "notify"]
        said[line] = command(*words[1:])
        assert said[line].code == 0, (line, said[line])
    assert {line.split()[2] for line in said} == {"add", "list", "remove", "causes", "test", "digest", "send"}
    told = [mail["Subject"] for mail in mails.mails]
    assert "[Latchkey] bell: bad credentials of ana@example.com" in [" ".join(each.split()) for each in told]
    assert any("wait for a person" in each for each in told)
    assert "bell_pdf_invoice …4567 2026-10" in said["scrapy notify causes"].out
    printed = said["scrapy notify digest --client Acme --since 7d --print"].out
    assert "Missing invoices\n" in printed
    assert "501234567" not in " ".join(each.out for each in said.values())
