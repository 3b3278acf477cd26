"""A client with one of everything that crawls leave, and a look at what is left of it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from database.access.ledger import BAD_CREDENTIALS, Ledger
from database.access.roles import grant
from database.access.sessions import Sessions
from database.actors import current_actor
from database.engine import Database
from database.jobs.causes import Failed, failed
from database.jobs.notices import plan
from database.jobs.recipients import put
from database.models import (
    Account,
    CarrierPortalCredential,
    Client,
    CodeKind,
    CodeRequest,
    CodeRequestState,
    Message,
    Note,
    Run,
    RunState,
    ScraperConfig,
    ScraperJob,
    ScraperJobStatus,
    StoredFile,
    Upload,
    UploadState,
    UsageRecord,
    Version,
    Watermark,
    all_tables,
)
from database.models.audit import record
from database.models.base import Base, utc_now
from database.models.operators import Acceptance, Passkey, Role
from database.models.prices import User
from tests.far_side import Shelf


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

    def be_told(self) -> None:
        """Let its runs fail so that its own address is told, and one of all clients; make one of everything that people do about it."""
        at = utc_now()
        with self.db.transaction() as session:
            client = session.get_one(Client, self.client_id)
            put(
                session, f"{self.username}@acme.example", "mail", at, actors=["owner"], digest=True, client_id=client.id
            )
            facts = {"portal": "bell", "spider": "bell_pdf_invoice", "at": at, "target": f"{self.number} 2026-10"}
            whose = {"username": self.username, "account_id": self.account_id, "run": self.run_id}
            for outcome, actor in (("bad_credentials", "owner"), ("portal_changed", "developer")):
                failed(session, Failed(outcome=outcome, actor=actor, **facts, **whose), at)
            accept(session, "bell_pdf_invoice", f"{self.number}/2026-09")
            viewer = grant(session, f"viewer-of-{self.username}@acme.example", Role.CLIENT_VIEWER, client)
            session.add(passkey(viewer, self.username))
            record(session, "cycle.opened", f"bell {self.number} 2026-09")
            record(session, "code.used", f"bell {self.username}", {"run": self.run_id})
            record(session, "credential.unblocked", self.username, {"logins": ["bell"]})
            request = CodeRequest(
                login="bell", username=self.username, receiver=f"+{self.number}", senders=[], sender_group="", pattern="x",
                kind=CodeKind.CODE, requested_at=at, deadline=at, state=CodeRequestState.OPEN, typed="123456",
            )  # fmt: skip
            session.add(request)
            session.flush()
            plan(session, at, timedelta(days=1))

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


def accept(session: Session, spider: str, key: str) -> None:
    """Accept that there is nothing to fetch for a target, as the control room does."""
    label = f"{spider} {key.replace('/', ' ')}"
    session.add(
        Acceptance(identity=f"{spider} {key}", label=label, outcome="not_published", actor=current_actor().name)
    )
    record(session, "period.accepted", label, {"outcome": "not_published"})


def passkey(user: User, name: str) -> Passkey:
    """Return a passkey of a user who has a role."""
    return Passkey(user_id=user.id, name=f"key of {name}", credential_id=f"id-of-{name}", public_key="x", sign_count=0)


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
