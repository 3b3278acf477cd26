"""A control room with two clients, whose jobs wait for a person, and people of each role."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import delete, select

from database.access.roles import grant
from database.access.users import open_session
from database.engine import now
from database.families.accounts import NewAccount, add_account
from database.families.cycles import cycle_for
from database.models import (
    Account,
    AuditEntry,
    BillingCycle,
    BillingCycleFile,
    Carrier,
    CarrierPortalCredential,
    CarrierReport,
    Client,
    CodeRequest,
    LedgerEntry,
    Message,
    PoolUsage,
    Run,
    ScraperConfig,
    ScraperJob,
    StoredCredential,
    StoredFile,
    Workspace,
)
from database.models.assisted import AssistedSignIn
from database.models.codes import CodeKind, CodeRequestState
from database.models.jobs import ScraperJobStatus
from database.models.notices import Cause
from database.models.operators import Acceptance, Role
from database.models.prices import User
from database.upsert import ensure
from tests.project import CARRIERS
from tests.webhook.api.conftest import api, made, mail_server, twilio
from tests.webhook.pages.conftest import Visitor
from webhook.api.user_codes import limits_of

__all__ = ["api", "made", "mail_server", "twilio"]

NORTH, SOUTH = "North Ltd", "South Ltd"
OPERATOR, VIEWER = "olga@example.com", "vera@example.com"
PASSWORD, TOTP = "sesame-of-the-north", "JBSWY3DPEHPK3PXP"
MODELS = (
    *(Cause, PoolUsage, StoredFile),
    *(
        AssistedSignIn,
        Message,
        CodeRequest,
        LedgerEntry,
        Run,
        ScraperJob,
        ScraperConfig,
        BillingCycleFile,
        BillingCycle,
        Account,
    ),
    *(Workspace, CarrierPortalCredential, StoredCredential, CarrierReport, Client, Carrier, Acceptance, AuditEntry),
)


class House:
    """Clients with their jobs, and the people who look after them."""

    url = ""  # of its server, where a test has one

    def __init__(self, api):
        self.api, self.db = api, api.db

    def account(self, client: str, number: str, username: str) -> None:
        """Store a credential of Bell, and an account that it opens."""
        with self.db.transaction() as session:
            there = select(StoredCredential).where(StoredCredential.username == username)
            if session.scalars(there).first() is None:
                session.add(
                    CarrierPortalCredential(portal="bell", username=username, password=PASSWORD, totp_secret=TOTP)
                )
                session.flush()
            add_account(session, NewAccount(client, "Head office", "bell", number, username), CARRIERS)

    def job(self, number: str, username: str | None = None, month: int = 10, **fields) -> int:
        """Make a job of an account that is parked, or as the fields say; return its id."""
        with self.db.transaction() as session:
            account = session.scalars(select(Account).where(Account.number == number)).one()
            cycle, at = cycle_for(session, account, 2026, month), now(session)
            usual = {"status": ScraperJobStatus.PENDING, "outcome": "bad_credentials", "message": "The portal said no."}
            if fields.get("status", ScraperJobStatus.PENDING) is ScraperJobStatus.PENDING:
                usual |= {"parked_for": "owner", "parked_at": at, "parked_secret": "0" * 64}
            job = ScraperJob(
                portal="bell",
                report_type="pdf_invoice",
                identity=f"bell_pdf_invoice {number} 2026-{month:02d}",
                label=f"{number} 2026-{month:02d}",
                username=username,
                billing_cycle_id=cycle.id,
                created_at=at,
                **{**usual, **fields},
            )
            session.add(job)
            session.flush()
            return job.id

    def waits(self, username: str, job: int | None = None, receiver="+12015550100", **fields) -> int:
        """Let a sign-in wait for its code; return the id of its request."""
        with self.db.transaction() as session:
            at = now(session)
            run_id = None
            if job is not None:
                account = session.get_one(BillingCycle, session.get_one(ScraperJob, job).billing_cycle_id).account_id
                run = Run(
                    crawl="c", spider="bell_pdf_invoice", portal="bell", report_type="pdf_invoice", account_id=account
                )
                run.job_id, run.username, run.target = job, username, ""
                session.add(run)
                session.flush()
                run_id = run.id
            usual = {"login": "bell_self_serve", "senders": ["BELL"], "sender_group": f"BELL {username}"}
            usual |= {
                "pattern": r"\b(\d{6,8})\b",
                "kind": CodeKind.CODE,
                "state": CodeRequestState.OPEN,
                "run_id": run_id,
            }
            usual |= {"requested_at": at, "sent_at": at, "deadline": at + timedelta(minutes=5)}
            request = CodeRequest(username=username, receiver=receiver, **{**usual, **fields})
            session.add(request)
            session.flush()
            return request.id

    def member(self, email: str, role: Role | None, client: str = "") -> Visitor:
        """Return a user with a role, or of the price watch alone, signed in to pages and API."""
        visitor = Visitor(self.api)
        with self.db.transaction() as session:
            of = session.scalars(select(Client).where(Client.name == client)).one_or_none()
            user = ensure(session, User, {"email": email}) if role is None else grant(session, email, role, of)
            token = open_session(session, user, "Browser", limits_of(self.api.settings))
        visitor.client.set_cookie(self.api.settings.auth_cookie_name, token)
        visitor.open("/room/inbox" if role is not None else "/prices/account")
        return visitor

    def operator(self) -> Visitor:
        return self.member(OPERATOR, Role.OPERATOR)

    def one(self, model, **key):
        with self.db.transaction() as session:
            return session.scalars(select(model).filter_by(**key)).one()

    def all(self, model):
        with self.db.transaction() as session:
            return list(session.scalars(select(model)))

    def actions(self) -> list[tuple[str, str]]:
        """Return who did what, the oldest first."""
        with self.db.transaction() as session:
            return [(row.actor, row.action) for row in session.scalars(select(AuditEntry).order_by(AuditEntry.id))]

    def forget(self) -> None:
        with self.db.transaction() as session:
            for model in MODELS:
                session.execute(delete(model))


@pytest.fixture
def house(api):
    """Two clients, each with an account at Bell, and nothing to do yet."""
    house = House(api)
    house.forget()
    house.account(NORTH, "510000001", "north@example.com")
    house.account(SOUTH, "520000002", "south@example.com")
    yield house
    house.forget()


@pytest.fixture
def filled(house):
    """The same with something of every kind to do for each client; the ids of each."""
    done = {}
    for name, number, receiver in (("north", "510000001", "+12015557788"), ("south", "520000002", "+12015556655")):
        username = f"{name}@example.com"
        parked = house.job(number, username)
        gone = house.job(number, username, month=3, status=ScraperJobStatus.ERROR, outcome="no_longer_available")
        code = house.waits(username, parked, receiver=receiver)
        done[name] = SimpleNamespace(parked=parked, gone=gone, code=code, number=number, username=username)
    return SimpleNamespace(house=house, **done)
