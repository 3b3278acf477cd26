"""`scrapy forget`: what belongs to a client, credential or user goes from database, store and data folder; the rest stays."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table, func, select, update

from database.access.leases import Leases, holder
from database.access.ledger import BAD_CREDENTIALS
from database.engine import Database
from database.forgetting import kept, ownership
from database.forgetting.links import owned_by
from database.forgetting.owners import Owner, Portal, find_client
from database.jobs.recipients import put
from database.models import (
    Account,
    Breaker,
    Client,
    FileStatus,
    Lease,
    LedgerEntry,
    Run,
    RunState,
    Schedule,
    ScraperConfig,
    StoredFile,
    all_tables,
)
from database.models.audit import AuditEntry
from database.models.base import utc_now
from database.models.operators import Grant
from database.models.prices import AuthSession, User, WatchlistItem
from database.processes import signature
from database.settings import database_settings
from pipelines.erasing import Forgetting
from pipelines.settings import PipelineSettings
from pipelines.stores import store_of
from scrapers.core.spool import describe
from tests.companies import Company, dump, files_of, is_ours, traces
from tests.project import ROOT
from tests.s3 import object_server
from tests.samba import file_server


@pytest.fixture
def house(store, monkeypatch, tmp_path):
    monkeypatch.setenv("LATCHKEY_DATA_DIR", str(tmp_path))
    database_settings.cache_clear()
    return store


@pytest.fixture
def companies(house, tmp_path):
    """Two clients with three files each; one content lies at a place that both name."""
    made = [Company(house, tmp_path, "Acme", "ana", 1), Company(house, tmp_path, "Zeta Ltd", "zoe", 2)]
    for each in made:
        for month in (8, 9, 10):
            each.put("invoice.pdf", month=month)
    first, other = made
    same = other.put("common.pdf", b"common")
    with house.transaction() as session:
        row = session.get_one(StoredFile, same)
        values = {name: getattr(row, name) for name in ("portal", "report_type", "path", "store", "sha256", "size")}
        session.add(StoredFile(spider="bell_pdf_invoice", target_key=f"{first.number}/2026-10", key="common.pdf",
                               account_id=first.account_id, status=FileStatus.READY, **values))  # fmt: skip
        put(session, "house@latchkey.example", "mail", utc_now(), actors=["developer"], digest=True)
        at = {"cron": "0 6 * * *", "time_zone": "UTC", "seen_until": utc_now(), "spiders": ["bell_pdf_invoice"]}
        session.add(Schedule(name="of acme", client="Acme", **at))
        session.add(Schedule(name="one", accounts=[first.number], **at))
        session.add(Schedule(name="both", accounts=[first.number, other.number], **at))
        session.add(Breaker(portal="bell", usernames=["ana", "zoe"], changed_at=utc_now()))
    for each in made:
        each.be_told()
    return made


def of_acme(company: Company) -> tuple[str, ...]:
    """Return what must stand nowhere any more: names, numbers and addresses of a client whose user is ana."""
    number = company.number
    return (
        "Acme",
        "'ana'",
        " ana'",
        " ana ",
        "-of-ana",
        f"'{number}'",
        f"{number}/",
        f" {number} ",
        f"account {company.account_id}'",
    )


TOLD = (
    "notice_addresses",
    "notice_causes",
    "notice_cases",
    "notice_deliveries",
    "grants",
    "passkeys",
    "acceptances",
    "audit",
    "code_requests",
    "users",
)


# --- What belongs to whom ---------------------------------------------------------------------------------------------


def test_every_table_belongs_to_somebody_or_is_kept_for_a_reason():
    """A new table needs a foreign key that says whose its rows are, a rule in links.py, or a reason in kept.py."""
    assert [name for name in kept.without_rule() if is_ours(name)] == []
    named = {**kept.KEPT, **kept.NAMELESS}
    assert set(named) <= set(all_tables().tables)
    assert set(named) & set().union(*kept.reached().values()) == set()
    assert all(len(reason) > 10 for reason in named.values())


def copied(*more: str) -> MetaData:
    """Return a copy of our metadata with a table `more`, which has these foreign keys."""
    metadata = MetaData()
    for table in all_tables().sorted_tables:
        table.to_metadata(metadata)
    columns = [Column(key.replace(".", "_"), ForeignKey(key, ondelete="CASCADE")) for key in more]
    Table("more", metadata, Column("id", Integer, primary_key=True), *columns)
    return metadata


def test_a_table_without_an_owner_is_found(monkeypatch):
    monkeypatch.setattr(kept, "all_tables", copied)
    assert "more" in kept.without_rule()


@pytest.mark.parametrize(
    ("key", "kind"), [("accounts.id", "client"), ("sources.id", "user"), ("tenants.id", "credential")]
)
def test_a_new_table_that_says_whose_it_is_goes_without_further_words(monkeypatch, key, kind):
    monkeypatch.setattr(ownership, "all_tables", lambda: copied(key))
    assert "more" in kept.reached()[kind]


def test_what_is_found_by_a_row_goes_before_it():
    """Foreign keys that forbid it, or are emptied, or names by which more is found: none is broken by the order."""
    of = owned_by(Owner("client", "x", client_id=1))
    order = [table.name for table in of.order()]
    for name in order:
        assert all(order.index(name) < order.index(other) for other in of.held(name).needs if other in order), name
    assert order[-1] == "clients"


# --- A client ---------------------------------------------------------------------------------------------------------


def test_a_dry_run_deletes_nothing_and_says_what_would_go(companies, house, tmp_path, command):
    before = dump(house), files_of(tmp_path)
    said = command("forget", "--client", "Acme")
    assert (said.code, dump(house), files_of(tmp_path)) == (0, *before), said.err
    shown = dict(line.rsplit("  ", 1)[0].rsplit(None, 1) for line in said.out.splitlines() if line.startswith("rows: "))
    assert shown["rows: files"] == "4"
    assert "Kept: 1 sign-in attempts" in said.out
    assert "Kept: 1 files that another owner has too" in said.out
    assert said.out.splitlines()[-1] == "Nothing was erased of client Acme: --yes does it."


def test_a_client_goes_and_the_others_stay(companies, house, tmp_path, command):
    first, other = companies
    others = {name: content for name, content in files_of(tmp_path).items() if f"bell/{first.account_id}/" not in name}
    told = json.loads(command("forget", "--client", "Acme", "--json").out)
    before = dump(house)
    said = command("forget", "--client", "Acme", "--yes", "--json")
    assert said.code == 0, said.err
    done = json.loads(said.out)
    assert (done["kinds"], done["bytes"]) == (told["kinds"], told["bytes"])  # as the dry run has said
    assert done["kinds"]["stored files"] == 3
    assert done["kinds"]["evidence bundles"] == 2
    assert traces(house, tmp_path, *of_acme(first)) == []
    left = dump(house)
    rows = {name: (len(before[name]), len(left[name])) for name in TOLD}
    assert rows == {
        "notice_addresses": (3, 2),  # the house's own stays
        "notice_causes": (3, 2),  # both have met the portal's change
        "notice_cases": (4, 2),
        "notice_deliveries": (3, 2),
        **dict.fromkeys(("grants", "passkeys", "acceptances", "code_requests", "users"), (2, 1)),
        "audit": (
            len(before["audit"]),
            len(before["audit"]) + 2,
        ),  # with this forgetting, and the schedule that is changed
    }
    for name in TOLD:  # those that name the other client are as they were
        assert [row for row in left[name] if "zoe" in row or "Zeta" in row or other.number in row] == [
            row for row in before[name] if "zoe" in row or "Zeta" in row or other.number in row
        ]
    assert not (tmp_path / "files" / "bell" / str(first.account_id)).exists()
    files = files_of(tmp_path)
    assert files == {name: content for name, content in others.items() if name in files}
    assert {name for name in others if name not in files} == {
        *(f"evidence/{first.run_id}-{code}.zip" for code in ("bad_file", "incomplete")), "logs/claim-Acme.log"
    }  # fmt: skip
    with house.transaction() as session:
        assert session.scalars(select(Client.name)).all() == ["Zeta Ltd"]
        assert session.scalars(select(StoredFile.key).order_by(StoredFile.id)).all() == ["invoice.pdf"] * 3 + [
            "common.pdf"
        ]
        assert session.scalars(select(Schedule.accounts).where(Schedule.name == "both")).one() == [other.number]
        assert session.scalar(select(func.count()).select_from(Schedule)) == 1
        assert session.scalars(select(Breaker.usernames)).one() == ["zoe"]
        # The ledger's counts stay, without a name.
        entries = session.execute(
            select(LedgerEntry.username, LedgerEntry.result, LedgerEntry.secret_fingerprint)
        ).all()
        assert sorted((row.username, row.result, bool(row.secret_fingerprint)) for row in entries) == [
            ("", BAD_CREDENTIALS, False), ("zoe", BAD_CREDENTIALS, True)
        ]  # fmt: skip
    again = command("forget", "--client", "Acme", "--yes")
    assert (again.code, again.out) == (2, "")
    assert "there is no client 'Acme'" in again.err


def test_a_credential_goes_and_what_its_client_s_accounts_need_stays(companies, house, tmp_path, command):
    """Its own causes go; the case of the account and the accepted period are the client's."""
    before = dump(house)
    said = command("forget", "--credential", "bell", "--username", "ana", "--yes")
    assert said.code == 0, said.err
    assert "rows of the audit, who did what and when" in said.out
    assert traces(house, tmp_path, "'ana'", "bell ana", "user ana") == []
    left = dump(house)
    assert {name: len(before[name]) - len(left[name]) for name in TOLD} == {
        **dict.fromkeys(("notice_causes", "notice_cases", "notice_deliveries", "code_requests"), 1),
        **dict.fromkeys(("notice_addresses", "grants", "passkeys", "acceptances", "users"), 0),
        "audit": -1,  # this forgetting
    }
    for name in TOLD:
        assert [row for row in left[name] if "zoe" in row] == [row for row in before[name] if "zoe" in row]


def test_a_viewer_who_has_more_than_the_client_stays_without_the_role(companies, house, command):
    with house.transaction() as session:
        user = session.scalars(select(User).where(User.email == "viewer-of-ana@acme.example")).one()
        session.add(
            WatchlistItem(
                user_id=user.id, product_url="https://shop.example/1", portal="shop", product_key="1", threshold=1
            )
        )
        session.add(AuthSession(user_id=user.id, token_hash="x", expires_at=utc_now() + timedelta(days=1)))
    assert command("forget", "--client", "Acme", "--yes").code == 0
    with house.transaction() as session:
        assert session.get(Grant, user.id) is None
        assert session.scalars(select(AuthSession.revoked_at)).one() is not None
        granted = select(AuditEntry).where(AuditEntry.action == "user.granted").order_by(AuditEntry.id)
        rows = [(row.subject, row.detail) for row in session.scalars(granted)]
    assert rows == [(user.email, None), ("viewer-of-zoe@acme.example", {"role": "client_viewer", "client": "Zeta Ltd"})]


def test_the_forgetting_itself_is_written_down_without_the_name(companies, house, command):
    before = sum(len(rows) for name, rows in dump(house).items())
    assert command("forget", "--client", "Acme", "--yes").code == 0
    with house.transaction() as session:
        row = session.scalars(select(AuditEntry).where(AuditEntry.action == "client.forgotten")).one()
    assert (row.subject, list(row.detail)) == ("", ["rows"])
    assert 20 < row.detail["rows"] < before


class Killed(BaseException):
    """Stands for a kill: nothing of ours runs after it."""


@contextmanager
def dying(db: Database, monkeypatch: pytest.MonkeyPatch, at: int) -> Any:
    """Let the process die at the *at*-th instant: before or after the commit of a transaction, or around a file's deletion."""
    instants = iter(range(1, 1_000_000))
    real, seen = db.transaction, SimpleNamespace(dead=False)

    def instant() -> None:
        if next(instants) >= at:
            seen.dead = True
            raise Killed

    @contextmanager
    def transaction() -> Any:
        with real() as session:
            yield session
            instant()
        instant()

    unlink = Path.unlink

    def gone(path: Path, missing_ok: bool = False) -> None:
        instant()
        unlink(path, missing_ok=missing_ok)
        instant()

    with monkeypatch.context() as patch:
        patch.setattr(db, "transaction", transaction)
        patch.setattr(Path, "unlink", gone)
        yield seen


@pytest.mark.parametrize(
    "step",
    [7, pytest.param(1, marks=[pytest.mark.matrix, pytest.mark.figures])],
    ids=["every-7th-instant", "every-instant"],
)
def test_it_may_be_killed_at_any_instant_and_run_again(companies, house, tmp_path, monkeypatch, step):
    """Here one killed run follows the other on the same data, each dying later than the last, until one comes to its end."""
    first, _ = companies
    others = {name for name in files_of(tmp_path) if name.startswith(f"files/bell/{companies[1].account_id}/")}
    with house.transaction() as session:
        owner = find_client(session, "Acme", {"bell": Portal("carriers", ())})
    for at in range(1, 1000, step):
        with dying(house, monkeypatch, at) as seen, suppress(Killed):
            Forgetting(house, owner, PipelineSettings.load()).erase()
        if not seen.dead:
            break
        with house.transaction() as session:  # what is left names every byte that is left
            paths = set(session.scalars(select(StoredFile.path)))
            is_there = session.get(Client, first.client_id) is not None
        # The client's own row goes last: by it the rest is found again.
        assert is_there or traces(house, tmp_path, *of_acme(first)) == []
        assert {name.removeprefix("files/") for name in files_of(tmp_path) if name.startswith("files/")} <= paths
    assert not seen.dead
    assert traces(house, tmp_path, *of_acme(first)) == []
    assert {name for name in files_of(tmp_path) if name.startswith("files/")} == others


# What the process of a test runs: it kills itself before the n-th file is deleted.
DIES = """
import os, signal, sys
from itertools import count
from pipelines.stores.base import AnyStore
limit, numbers, remove = int(sys.argv.pop()), count(1), AnyStore.remove
def dying(self, path):
    if next(numbers) > limit:
        os.kill(os.getpid(), signal.SIGKILL)
    return remove(self, path)
AnyStore.remove = dying
from scrapy.cmdline import execute
execute(["scrapy", *sys.argv[1:]])
"""


def test_a_process_that_is_killed_half_way_is_followed_by_one_that_ends_it(
    companies, house, tmp_path, project, command
):
    first, _ = companies
    for number in range(27):
        first.put(f"{number}.pdf", month=11)
    here = project(tmp_path, LATCHKEY_DATABASE_URL=house.engine.url.render_as_string(hide_password=False))
    environment = here.env({"LATCHKEY_DATA_DIR": str(tmp_path)})
    argv = [sys.executable, "-c", DIES, "forget", "--client", "Acme", "--yes", "15"]
    done = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    folder = tmp_path / "files" / "bell" / str(first.account_id)
    assert 0 < len([*folder.rglob("*.pdf")]) < 30
    said = command("forget", "--client", "Acme", "--yes")
    assert said.code == 0, said.err
    assert traces(house, tmp_path, "Acme", "'ana'", f"'{first.number}'") == []
    assert not folder.exists()
    assert len([*(tmp_path / "files").rglob("*.pdf")]) == 4


# --- Refusals ---------------------------------------------------------------------------------------------------------


def test_a_session_in_use_is_refused_by_name_until_its_runs_have_ended(companies, house, tmp_path, command):
    first, _ = companies
    crawl = str(uuid.uuid4())
    Leases(house).acquire("run:bell:ana", holder(crawl), 600)
    before = dump(house)
    said = command("forget", "--client", "Acme", "--yes")
    assert (said.code, said.out, dump(house)) == (2, "", before)
    assert said.err.startswith("client Acme: The session bell:ana is in use until ")
    with house.transaction() as session:
        run = Run(
            crawl=crawl, spider="bell_daily_usage", portal="bell", report_type="daily_usage", username="ana",
            account_id=first.account_id, state=RunState.RUNNING, host="here", process=signature(),
        )  # fmt: skip
        session.add(run)
    said = command("forget", "--client", "Acme", "--yes")
    assert said.code == 2
    assert f"bell_daily_usage works for it (run {run.id} on here)" in said.err
    with house.transaction() as session:
        session.get_one(Run, run.id).state = RunState.FINISHED
    assert command("forget", "--client", "Acme", "--yes").code == 0
    assert traces(house, tmp_path, "Acme", "'ana'", "bell:ana") == []


def test_a_credential_that_others_need_is_refused(companies, house, command):
    first, other = companies
    with house.transaction() as session:
        mine = session.scalars(select(ScraperConfig).where(ScraperConfig.account_id == first.account_id)).one()
        session.execute(
            update(ScraperConfig)
            .where(ScraperConfig.account_id == other.account_id)
            .values(credential_id=mine.credential_id)
        )
    said = command("forget", "--client", "Acme", "--yes")
    assert (said.code, said.out) == (2, "")
    assert f"bell ana opens account {other.number} of client Zeta Ltd too" in said.err


@pytest.mark.parametrize(
    ("argv", "named"),
    [
        (("--client", "Nobody"), "there is no client 'Nobody'"),
        (("--credential", "nothing"), "there is no portal 'nothing'"),
        (("--credential", "bell"), "bell has 2 credentials"),
        (("--credential", "trucktech"), "--username"),
        (("--user", "a@b.example"), "there is no user"),
        (("--client", "Acme", "--username", "ana"), "--username is for --credential"),
        ((), "say whose"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_not_there_is_refused_by_name(companies, command, argv, named):
    said = command("forget", *argv)
    assert said.code == 2
    assert named in said.err


AWAY = "smb://127.0.0.1:1/share/files"  # nobody listens there


def test_a_store_that_is_away_leaves_the_rows_that_name_what_is_in_it(companies, house, tmp_path, command, monkeypatch):
    with house.transaction() as session:
        session.execute(update(StoredFile).where(StoredFile.account_id == companies[0].account_id).values(store=AWAY))
    said = command("forget", "--client", "Acme", "--yes")
    assert (said.code, said.out) == (2, "")
    assert f"{AWAY} does not answer" in said.err
    assert "goes when this is run again" in said.err
    with house.transaction() as session:
        assert session.scalar(select(func.count()).select_from(StoredFile).where(StoredFile.store == AWAY)) == 4
        assert session.scalar(select(func.count()).select_from(Account)) == 2
        # Nothing is kept from crawls that are still wanted.
        held = select(Lease.name).where(Lease.holder != "", Lease.expires_at > utc_now() + timedelta(seconds=5))
        assert session.scalars(held).all() == []


# --- At size ----------------------------------------------------------------------------------------------------------


@contextmanager
def served(kind: str, folder: Path) -> Any:
    """Give the settings of a store of a kind, and a look at the names of what is in it."""
    if kind == "folder":
        place = folder / "store"
        yield {"LATCHKEY_FILES": str(place)}, lambda: [str(path.relative_to(place)) for path in place.rglob("*")]
    elif kind == "smb":
        with file_server(folder / "samba") as server:
            yield (
                server.settings("of/house"),
                lambda: [
                    str(path.relative_to(server.files / "of/house")) for path in (server.files / "of/house").rglob("*")
                ],
            )
    else:
        with object_server() as server:
            listed = server.client.get_paginator("list_objects_v2")
            yield (
                server.settings("house"),
                lambda: [
                    each["Key"] for page in listed.paginate(Bucket="invoices") for each in page.get("Contents", ())
                ],
            )


@pytest.mark.figures
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("kind", ["folder", pytest.param("smb", marks=pytest.mark.smb), "s3"])
def test_two_thousand_files_are_forgotten_in_spite_of_a_kill_half_way(
    companies, house, tmp_path, project, command, monkeypatch, kind
):
    """0 rows, 0 bytes, 0 bundles are left of the client, and everything of the others."""
    first, other = companies
    with served(kind, tmp_path) as (settings, look):
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        store = store_of(PipelineSettings.load())

        def put(company: Company, number: int) -> dict[str, Any]:
            part = tmp_path / f"{company.account_id}-{number}.part"
            part.write_bytes(f"%PDF-1.4 {company.name} {number}".encode())
            found = describe(part, f"{number}.pdf")
            path = store.place(found, f"bell/{company.number}/{number % 24}/{number}.pdf")
            part.unlink(missing_ok=True)
            return {
                "spider": "bell_pdf_invoice", "portal": "bell", "report_type": "pdf_invoice", "key": str(number),
                "account_id": company.account_id, "target_key": f"{company.number}/x", "path": path,
                "store": store.address, "sha256": found.sha256, "size": found.size, "status": FileStatus.READY,
            }  # fmt: skip

        with ThreadPoolExecutor(8) as pool:
            rows = [
                *pool.map(lambda number: put(first, number), range(2000)),
                *(put(other, number) for number in range(5)),
            ]
        with house.transaction() as session:
            session.add_all([StoredFile(**row) for row in rows])
        here = project(tmp_path, LATCHKEY_DATABASE_URL=house.engine.url.render_as_string(hide_password=False))
        environment = here.env({"LATCHKEY_DATA_DIR": str(tmp_path), **settings})
        argv = [sys.executable, "-c", DIES, "forget", "--client", "Acme", "--yes", "1000"]
        done = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == -signal.SIGKILL, done.stderr
        half = [name for name in look() if f"bell/{first.number}/" in name and name.endswith(".pdf")]
        assert 900 < len(half) < 1100
        said = command("forget", "--client", "Acme", "--yes")
        assert said.code == 0, said.err
        assert [name for name in look() if f"bell/{first.number}" in name] == []
        assert len([name for name in look() if f"bell/{other.number}/" in name and name.endswith(".pdf")]) == 5
        assert traces(house, tmp_path / "evidence", "Acme", "'ana'", f"'{first.number}'") == []
        with house.transaction() as session:
            assert session.scalar(select(func.count()).select_from(StoredFile)) == 9
