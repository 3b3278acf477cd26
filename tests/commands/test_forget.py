"""`scrapy forget`: what belongs to a client, credential or user goes from database, store and data folder; the rest stays."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import ForeignKey, Integer, MetaData, Table, Column, func, select

from database.access.leases import Leases, holder
from database.access.ledger import BAD_CREDENTIALS, Ledger
from database.access.sessions import Sessions
from database.engine import Database
from database.families.accounts import client_for
from database.forgetting import kept, ownership
from database.forgetting.links import owned_by
from database.forgetting.owners import Owner
from database.models import (
    Account,
    Breaker,
    CarrierPortalCredential,
    Client,
    FileStatus,
    LedgerEntry,
    Message,
    Note,
    Run,
    RunState,
    Schedule,
    ScraperConfig,
    ScraperJob,
    ScraperJobStatus,
    StoredCredential,
    StoredFile,
    Upload,
    UploadState,
    UsageRecord,
    Version,
    Watermark,
    all_tables,
)
from database.models.base import Base, utc_now
from database.models.electricity import ElectricityContract, ElectricityDevice, ElectricityInvoice
from database.models.fleet import Tenant, Vehicle
from database.models.prices import PriceCheckRun, Rendering, User, WatchlistItem
from database.models.readings import MeterReading
from database.models.telegram import AccessLevel, Source, TelegramSession
from database.settings import database_settings
from pipelines.erasing import Forgetting
from pipelines.settings import PipelineSettings
from tests.far_side import Shelf
from tests.project import ROOT, wait_for
from tests.s3 import object_server
from tests.samba import file_server

ALIVE = "crawl-of-a-test"


@pytest.fixture
def house(store, monkeypatch, tmp_path):
    monkeypatch.setenv("LATCHKEY_DATA_DIR", str(tmp_path))
    database_settings.cache_clear()
    return store


class Company(Shelf):
    """A client with an account, a credential, and one of everything that crawls leave."""

    def __init__(self, db: Database, data: Path, name: str, username: str, number: int) -> None:
        super().__init__(db, data / "files", name)
        self.data, self.name, self.username = data, name, username
        at = utc_now()
        with db.transaction() as session:
            account = session.get_one(Account, self.account_id)
            self.number = account.number
            credential = CarrierPortalCredential(
                portal="bell", username=username, password="x", receiver=f"+1555010{number}", client_id=self.client_id
            )
            session.add(credential)
            session.flush()
            config = ScraperConfig(account_id=account.id, credential_id=credential.id, carrier_id=account.carrier_id)
            session.add(config)
            session.flush()
            job = ScraperJob(
                portal="bell", report_type="pdf_invoice", scraper_config_id=config.id, username=username,
                label=f"{account.number} 2026-10", claim=f"claim-{name}", status=ScraperJobStatus.SUCCESS,
            )  # fmt: skip
            session.add(job)
            session.flush()
            run = Run(
                crawl=f"crawl-{name}", spider="bell_pdf_invoice", portal="bell", report_type="pdf_invoice", job_id=job.id,
                account_id=account.id, username=username, target=f"{account.number} 2026-10", state=RunState.FINISHED,
            )  # fmt: skip
            session.add(run)
            session.flush()
            run.bundle = str(self._bytes(f"evidence/{run.id}-bad_file.zip"))
            self._bytes(f"evidence/{run.id}-incomplete.zip")  # of a run that was killed before it was written down
            self._bytes(f"logs/claim-{name}.log")
            self.run_id = run.id
            for kind in (Note, Watermark):
                known = {"spider": "bell_pdf_invoice", "target_key": f"{account.number}/2026-10", "name": "x"}
                session.add(kind(**known, **({"reached": at} if kind is Watermark else {"value": name})))
            session.add(Message(receiver=f"+1555010{number}", sender="bell", sender_raw="bell", received_at=at))
        Sessions(db).save("bell", username, {"cookies": []}, "agent", name)
        ledger = Ledger(db)
        ledger.finish(ledger.begin("bell", username, "x", self.run_id), BAD_CREDENTIALS)

    def _bytes(self, path: str) -> Path:
        (self.data / path).parent.mkdir(exist_ok=True)
        (self.data / path).write_bytes(b"x")
        return self.data / path

    def put(self, name: str, content: bytes | None = None, *, kind: str = "pdf", month: int = 10) -> int:
        """Store a file with a row that was read from it, an earlier version of that row, and an upload."""
        file = super().put(name, content, kind=kind, month=month)
        with self.db.transaction() as session:
            cycle = session.get_one(StoredFile, file).billing_cycle_id
            day = f"2026-{month:02d}-01"
            row = {"billing_cycle_id": cycle, "row": file, "account_number": self.number}
            session.add(UsageRecord(day=utc_now().date(), file_id=file, run_id=self.run_id, **row))
            session.add(
                Version(
                    table_name="usage_records", key=json.dumps({**row, "day": day}), number=1, row={**row, "day": day},
                    replaced_at=utc_now(),
                )
            )  # fmt: skip
            session.add(
                Upload(
                    file_id=file, sha256="0" * 64, endpoint="https://far.example", state=UploadState.STORED,
                    client_id=self.client_id,
                )
            )  # fmt: skip
        return file


def dump(db: Database) -> dict[str, list[str]]:
    """Return every row of every table as text."""
    with db.transaction() as session:
        return {
            table.name: sorted(str(dict(row)) for row in session.execute(select(table)).mappings())
            for table in Base.metadata.sorted_tables
            if table.name in all_tables().tables and is_ours(table.name)
        }


def is_ours(table: str) -> bool:
    """Tell whether a table is of the product: portals of the tests have some, too."""
    return any(
        getattr(each.local_table, "name", "") == table and each.class_.__module__.startswith("database.")
        for each in Base.registry.mappers
    )


def files_of(data: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(data)): path.read_bytes()
        for part in ("files", "evidence", "logs", "spool")
        for path in (data / part).rglob("*")
        if path.is_file()
    }


def traces(db: Database, data: Path, *marks: str) -> list[str]:
    """Return where one of the marks still stands: in a row, or in the name of a file or folder."""
    rows = [f"{name}: {row}" for name, found in dump(db).items() for row in found if any(mark in row for mark in marks)]
    return rows + [str(path) for path in data.rglob("*") if any(mark in path.name for mark in marks)]


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
        at = {"cron": "0 6 * * *", "time_zone": "UTC", "seen_until": utc_now(), "spiders": ["bell_pdf_invoice"]}
        session.add(Schedule(name="of acme", client="Acme", **at))
        session.add(Schedule(name="one", accounts=[first.number], **at))
        session.add(Schedule(name="both", accounts=[first.number, other.number], **at))
        session.add(Breaker(portal="bell", usernames=["ana", "zoe"], changed_at=utc_now()))
    return made


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
    said = command("forget", "--client", "Acme", "--yes", "--json")
    assert said.code == 0, said.err
    done = json.loads(said.out)
    assert (done["kinds"], done["bytes"]) == (told["kinds"], told["bytes"])  # as the dry run has said
    assert done["kinds"]["stored files"] == 3
    assert done["kinds"]["evidence bundles"] == 2
    assert traces(house, tmp_path, "Acme", "'ana'", f"'{first.number}'", f"{first.number}/") == []
    assert not (tmp_path / "files" / "bell" / str(first.account_id)).exists()
    left = files_of(tmp_path)
    assert left == {name: content for name, content in others.items() if name in left}
    assert {name for name in others if name not in left} == {
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
    "step", [7, pytest.param(1, marks=pytest.mark.matrix)], ids=["every-7th-instant", "every-instant"]
)
def test_it_may_be_killed_at_any_instant_and_run_again(companies, house, tmp_path, monkeypatch, step):
    """Here one killed run follows the other on the same data, each dying later than the last, until one comes to its end."""
    first, _ = companies
    others = {name for name in files_of(tmp_path) if name.startswith(f"files/bell/{companies[1].account_id}/")}
    owner = Owner("client", "client Acme", client_id=first.client_id, names=("Acme",))
    with house.transaction() as session:
        from database.forgetting.owners import Portal, find_client

        owner = find_client(session, "Acme", {"bell": Portal("carriers", ())})
    for at in range(1, 1000, step):
        with dying(house, monkeypatch, at) as seen:
            try:
                Forgetting(house, owner, PipelineSettings.load()).erase()
            except Killed:
                pass
        if not seen.dead:
            break
        with house.transaction() as session:  # what is left names every byte that is left
            paths = set(session.scalars(select(StoredFile.path)))
        assert {name.removeprefix("files/") for name in files_of(tmp_path) if name.startswith("files/")} <= paths
    assert not seen.dead
    assert traces(house, tmp_path, "Acme", "'ana'", f"'{first.number}'") == []
    assert {name for name in files_of(tmp_path) if name.startswith("files/")} == others


# What the process of a test runs: it kills itself before the n-th file is deleted.
DIES = """
import os, signal, sys
from pipelines.stores.base import AnyStore
n, delete = 0, AnyStore.remove
def remove(self, path):
    global n
    n += 1
    if n > int(sys.argv.pop()):
        os.kill(os.getpid(), signal.SIGKILL)
    sys.argv.append(limit)
    return delete(self, path)
limit = sys.argv[-1]
AnyStore.remove = remove
from scrapy.cmdline import execute
execute(["scrapy", *sys.argv[1:-1]])
"""


def test_a_process_that_is_killed_half_way_is_followed_by_one_that_ends_it(
    companies, house, tmp_path, project, command
):
    first, other = companies
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
