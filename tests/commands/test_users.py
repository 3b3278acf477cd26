"""`scrapy users` and `scrapy audit`: roles, links, and what is written down; every command of docs/control-room.md is typed."""

from __future__ import annotations

import json
import re
import shlex

import pytest
from sqlalchemy import select

from database.access.ledger import Ledger
from database.actors import Actor, acting, current_actor
from database.engine import now
from database.families.accounts import NewAccount, add_account
from database.jobs.schedules import named, put
from database.models import AuditEntry, StoredCredential
from database.models.audit import record
from database.models.operators import Grant, Role
from database.models.prices import AuthCode
from tests.project import CARRIERS, ROOT
from tests.test_docs import typed

PAGE = (ROOT / "docs" / "control-room.md").read_text()
OLGA = "olga@example.com"


@pytest.fixture
def north(store):
    """A client with an account."""
    with store.transaction() as session:
        add_account(session, NewAccount("North Ltd", "Head office", "bell", "510000001", None), CARRIERS)
    return store


def audit(command, *options):
    return json.loads(command("audit", *options, "--json").out)


def test_the_commands_of_the_page(north, command):
    lines = [line for line in typed(PAGE) if line.startswith(("scrapy users", "scrapy audit"))]
    assert len(lines) >= 8
    said = {}
    for line in lines:
        words = shlex.split(line)[1:]
        done = command(*words)
        assert (done.code, done.err) == (0, ""), line
        said[line] = done.out
    assert "vera@example.com" in said["scrapy users list"]
    assert "client_viewer  North Ltd" in said["scrapy users list"]
    assert "credential.used" not in said["scrapy audit"]
    assert "user.removed" in said["scrapy audit"]


def test_a_link_is_printed_and_only_its_hash_kept(store, command, monkeypatch):
    first = command("users", "add", "Olga@Example.com", "--operator").out
    assert first.startswith("olga@example.com is an operator.\n")
    (token,) = re.findall(r"^http://127\.0\.0\.1:8000/room/link#(\S{43})$", first, re.M)
    again = command("users", "link", OLGA).out
    assert token not in again
    with store.transaction() as session:
        stored = session.scalars(select(AuthCode)).all()
        assert not any(token in row.code_hash for row in stored)
        assert [row.consumed_at is not None for row in stored] == [True, False]
    assert token not in command("audit").out


def test_an_operator_without_a_mail_address(store, command):
    assert command("users", "add", "--operator").out.startswith("operator@localhost is an operator.\n")
    assert "/room/link#" in command("users", "link").out
    assert command("users", "add", "--viewer").code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "no address", "--operator"), "email: 'no address' is no mail address."),
        (("add", OLGA, "--client", "Nobody"), "--client: there is no client 'Nobody'; `scrapy accounts list` shows them."),
        (("link", OLGA), f"{OLGA} has no role: give one with `scrapy users add`."),
        (("remove", OLGA), f"{OLGA} has no role; `scrapy users list` shows all."),
    ],
    ids=["address", "client", "link", "remove"],
)  # fmt: skip
def test_what_is_refused(store, command, words, said):
    done = command("users", *words)
    assert done.err.strip() == said
    assert done.code in (1, 2)


def test_a_role_is_changed_and_taken_away(north, command):
    command("users", "add", OLGA, "--operator")
    command("users", "add", OLGA, "--client", "North Ltd")
    with north.transaction() as session:
        grant = session.scalars(select(Grant)).one()
        assert (grant.role, grant.client_id is not None) == (Role.CLIENT_VIEWER, True)
    assert command("users", "remove", OLGA).code == 0
    assert json.loads(command("users", "list", "--json").out) == []
    rows = audit(command, "--what", "user")
    assert [row["what"] for row in rows] == [
        "user.removed", "user.link_made", "user.granted", "user.link_made", "user.granted"
    ]  # fmt: skip


def test_changes_and_uses_of_secrets_are_written_down_without_the_secret(north, command):
    given = ("add", "meadow", "--username", "owner", "--stdin")
    command("credentials", *given, input="orchard-gate-7731\n")
    command("credentials", *given, input="another-gate-7731\n")
    attempt = Ledger(north).begin("meadow", "owner", "another-gate-7731", run_id=None)
    Ledger(north).finish(attempt, "signed_in")
    command("credentials", "unblock", "meadow")
    command("credentials", "remove", "meadow")
    rows = audit(command)
    assert [(row["what"], row["to_what"]) for row in reversed(rows) if row["what"].startswith("credential")] == [
        ("credential.added", "meadow owner"),
        ("credential.changed", "meadow owner"),
        ("credential.used", "meadow owner"),
        ("credential.unblocked", "owner"),
        ("credential.removed", "meadow owner"),
    ]
    changed = next(row for row in rows if row["what"] == "credential.changed")
    assert changed["detail"] == {"columns": ["password"]}
    assert "gate-7731" not in json.dumps(rows)
    assert {row["who"] for row in rows} == {current_actor().name}
    assert {row["what"] for row in rows} >= {"client.added", "workspace.added", "account.added"}


def test_a_schedule_that_only_comes_due_is_no_change(store):
    fields = {"spiders": ["acme_usage"], "accounts": ["ana"], "cron": "0 6 * * *", "time_zone": "UTC"}
    with store.transaction() as session:
        put(session, "nightly", fields, now(session))
    with store.transaction() as session:
        named(session, "nightly").seen_until = now(session)
    with store.transaction() as session:
        named(session, "nightly").paused = True
    with store.transaction() as session:
        rows = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        assert [(row.action, row.subject, row.detail) for row in rows] == [
            ("schedule.added", "nightly", None),
            ("schedule.changed", "nightly", {"columns": ["paused"]}),
        ]


def test_a_change_that_is_taken_back_leaves_no_row(store):
    def fail():
        with store.transaction() as session:
            session.add(StoredCredential(portal="meadow", username="owner", password="x"))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with store.transaction() as session:
        assert session.scalars(select(AuditEntry)).all() == []


def test_who_acts_is_told_by_the_block(store):
    with store.transaction() as session, acting(Actor("ana@example.com", "web", "203.0.113.7")):
        record(session, "test.done", "something\x00 odd")
    with store.transaction() as session:
        row = session.scalars(select(AuditEntry)).one()
        assert (row.actor, row.via, row.address, "\x00" in row.subject) == (
            "ana@example.com",
            "web",
            "203.0.113.7",
            False,
        )
    assert current_actor().via.startswith("scrapy")


def test_the_audit_is_filtered(store, command):
    for number in range(3):
        with store.transaction() as session, acting(Actor(f"user-{number}", "web", "")):
            record(session, "code.used" if number else "codex.used", f"login 50%_{number}")
    assert [row["who"] for row in audit(command, "--what", "code")] == ["user-2", "user-1"]
    assert [row["who"] for row in audit(command, "--subject", "%_1")] == ["user-1"]
    assert [row["who"] for row in audit(command, "--who", "user-0")] == ["user-0"]
    assert len(audit(command, "--limit", "1")) == 1
    assert command("audit", "--limit", "0").code == 2
