"""Every route of the control room as every role: who is let in, and that nobody sees another client's data or a secret."""

from __future__ import annotations

import re
from datetime import date

import pytest
from sqlalchemy import select

from database.engine import now
from database.models import Account, FileStatus, PoolUsage, Run, RunState, StoredFile
from database.models.operators import Role
from tests.webhook.conftest import GATEWAY_TOKEN, READER_TOKEN
from tests.webhook.pages.conftest import Visitor
from tests.webhook.room.conftest import NORTH, OPERATOR, PASSWORD, SOUTH, TOTP, VIEWER

NOBODY, USER, OWN, OTHER, ALL, OPERATES = "nobody", "user", "own client", "other client", "viewer", "operator"
EVERYBODY = (NOBODY, USER, OWN, OTHER, ALL, OPERATES)
SIGNED_IN = EVERYBODY[1:]
SEES, SEES_ALL, CHANGES, PROGRAMS = (OWN, OTHER, ALL, OPERATES), (ALL, OPERATES), (OPERATES,), ()
# Who is let in where. A new route of the control room has to be named here.
TABLE = {
    ("GET", "/room"): EVERYBODY,
    ("GET", "/room/sign-in"): EVERYBODY,
    ("POST", "/room/sign-in"): EVERYBODY,
    ("POST", "/room/sign-in/code"): EVERYBODY,
    ("POST", "/room/sign-in/passkey/options"): EVERYBODY,
    ("POST", "/room/sign-in/passkey"): EVERYBODY,
    ("GET", "/room/link"): EVERYBODY,
    ("POST", "/room/link"): EVERYBODY,
    ("POST", "/room/sign-out"): EVERYBODY,
    ("GET", "/room/inbox"): SEES,
    ("POST", "/room/inbox/codes/<request>"): CHANGES,
    ("POST", "/room/inbox/jobs/<job>/secret"): CHANGES,
    ("POST", "/room/inbox/jobs/<job>/unblock"): CHANGES,
    ("POST", "/room/inbox/jobs/<job>/finish"): CHANGES,
    ("POST", "/room/inbox/jobs/<job>/accept"): CHANGES,
    ("POST", "/room/inbox/jobs/<job>/run-again"): CHANGES,
    ("GET", "/room/finishing/<sign_in>"): CHANGES,
    ("GET", "/room/finishing/<sign_in>/picture"): CHANGES,
    ("POST", "/room/finishing/<sign_in>/acts"): CHANGES,
    ("POST", "/room/finishing/<sign_in>/cancel"): CHANGES,
    ("GET", "/room/audit"): SEES_ALL,
    ("GET", "/room/passkeys"): SEES,
    ("POST", "/room/passkeys/options"): SEES,
    ("POST", "/room/passkeys"): SEES,
    ("POST", "/room/passkeys/<passkey>/remove"): SEES,
    ("GET", "/room/missing"): SEES,
    ("GET", "/room/missing.csv"): SEES,
    ("GET", "/room/missing/accounts/<account>"): SEES,
    ("GET", "/room/missing/<kind>"): SEES_ALL,
    ("GET", "/room/runs"): SEES,
    ("GET", "/room/runs/live"): SEES,
    ("GET", "/room/runs/<run>"): SEES,
    ("GET", "/room/runs/<run>/screenshot"): SEES,
    ("GET", "/room/runs/<run>/page.txt"): SEES,
    ("GET", "/room/runs/<run>/source.txt"): SEES,
    ("GET", "/room/runs/<run>/bundle.zip"): SEES,
    ("GET", "/room/files"): SEES,
    ("GET", "/room/files/<file>/content"): SEES,
    ("GET", "/room/charts"): SEES,
    ("GET", "/room/charts/runs"): SEES,
    ("GET", "/room/charts/runs.csv"): SEES,
    ("GET", "/room/charts/invoices"): SEES,
    ("GET", "/room/charts/invoices.csv"): SEES,
    ("GET", "/room/charts/usage"): SEES,
    ("GET", "/room/charts/usage.csv"): SEES,
    ("GET", "/room/charts/meters"): SEES_ALL,
    ("GET", "/room/charts/meters.csv"): SEES_ALL,
    ("GET", "/room/charts/faults"): SEES_ALL,
    ("GET", "/room/charts/faults.csv"): SEES_ALL,
    ("GET", "/room/charts/prices"): SEES_ALL,
    ("GET", "/room/charts/prices.csv"): SEES_ALL,
    ("POST", "/api/v1/sign-in/start"): EVERYBODY,
    ("POST", "/api/v1/sign-in/verify"): EVERYBODY,
    ("GET", "/api/v1/who"): SIGNED_IN,
    ("GET", "/api/v1/inbox"): SEES,
    ("GET", "/api/v1/audit"): SEES_ALL,
    ("GET", "/api/v1/users"): CHANGES,
    ("POST", "/api/v1/inbox/codes/<request>"): CHANGES,
    ("PUT", "/api/v1/inbox/jobs/<job>/secret"): CHANGES,
    ("POST", "/api/v1/inbox/jobs/<job>/unblock"): CHANGES,
    ("POST", "/api/v1/inbox/jobs/<job>/accept"): CHANGES,
    ("POST", "/api/v1/inbox/jobs/<job>/run-again"): CHANGES,
    ("GET", "/api/v1/missing"): SEES,
    ("GET", "/api/v1/missing/csv"): SEES,
    ("GET", "/api/v1/missing/fleets"): SEES_ALL,
    ("GET", "/api/v1/missing/meters"): SEES_ALL,
    ("GET", "/api/v1/missing/shops"): SEES_ALL,
    ("GET", "/api/v1/missing/channels"): SEES_ALL,
    ("GET", "/api/v1/missing/freshness"): SEES,
    ("GET", "/api/v1/runs"): SEES,
    ("GET", "/api/v1/runs/<run>"): SEES,
    ("GET", "/api/v1/files"): SEES,
    ("GET", "/api/v1/files/<file>"): SEES,
    ("GET", "/api/v1/files/<file>/content"): SEES,
    ("GET", "/api/v1/records"): SEES,
    ("GET", "/api/v1/records/<type>"): SEES,
    ("GET", "/api/v1/charts/health"): SEES,
    ("GET", "/api/v1/charts/runs"): SEES,
    ("GET", "/api/v1/charts/runs/csv"): SEES,
    ("GET", "/api/v1/charts/invoices"): SEES,
    ("GET", "/api/v1/charts/invoices/csv"): SEES,
    ("GET", "/api/v1/charts/usage"): SEES,
    ("GET", "/api/v1/charts/usage/csv"): SEES,
    ("GET", "/api/v1/charts/meters"): SEES_ALL,
    ("GET", "/api/v1/charts/meters/csv"): SEES_ALL,
    ("GET", "/api/v1/charts/faults"): SEES_ALL,
    ("GET", "/api/v1/charts/faults/csv"): SEES_ALL,
    ("GET", "/api/v1/charts/prices"): SEES_ALL,
    ("GET", "/api/v1/charts/prices/csv"): SEES_ALL,
    ("GET", "/api/v1/charts/products"): SEES_ALL,
    ("GET", "/metrics"): PROGRAMS,
}
# By the word before it, what a part of an address stands for.
PARTS = {"codes": "request", "jobs": "job", "passkeys": "passkey", "missing": "kind", "accounts": "account"}
PARTS |= {"runs": "run", "files": "file", "records": "type", "finishing": "sign_in"}
# What lists the data of every client that the caller may see.
LISTS = ("inbox", "missing", "missing.csv", "missing/csv", "v1/runs", "room/runs", "room/files", "v1/files", "<type>")
NEW, CODE = "another-secret-of-the-north", "377537"
BODY = {"email": "nobody@example.com", "code": CODE, "password": NEW}


def rules(api):
    """Return method and path of each route of the control room, as the table has them."""
    for rule in api.app.url_map.iter_rules():
        if rule.rule.startswith(("/room", "/api", "/metrics")):
            path = re.sub(r"(\w+)/<[^>]*>", lambda part: f"{part[1]}/<{PARTS[part[1]]}>", rule.rule)
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                yield method, path


def people(house, role):
    """Return a visitor of a role; of the viewers of one client, who sees North and who sees South."""
    if role == NOBODY:
        visitor = Visitor(house.api)
        visitor.open("/room/sign-in")
        return visitor
    if role == USER:
        return house.member("paul@example.com", None)
    of = {OPERATES: (OPERATOR, Role.OPERATOR, ""), ALL: (VIEWER, Role.VIEWER, "")}
    of |= {OWN: ("nora@example.com", Role.CLIENT_VIEWER, NORTH), OTHER: ("sam@example.com", Role.CLIENT_VIEWER, SOUTH)}
    return house.member(*of[role])


@pytest.fixture
def brought(filled):
    """The same with a run, a file and a record of each client, and what stands in addresses for those of North."""
    ids = {}
    with filled.house.db.transaction() as session:
        for client in (filled.south, filled.north):
            account = session.scalars(select(Account).where(Account.number == client.number)).one()
            about = {"spider": "bell_pdf_invoice", "portal": "bell", "report_type": "pdf_invoice"}
            run = Run(crawl="c", account_id=account.id, target=client.number, state=RunState.FINISHED, **about)
            run.outcome, run.started_at = "success", now(session)
            session.add(run)
            session.flush()
            file = StoredFile(account_id=account.id, run_id=run.id, target_key=client.number, key="invoice", **about)
            file.store, file.path, file.status = "/store", f"{client.number}.pdf", FileStatus.READY
            session.add_all((file, PoolUsage(account_id=account.id, day=date(2026, 10, 31), pool_used=1)))
            session.flush()
            ids = {"account": account.id, "run": run.id, "file": file.id}
    filled.parts = {**ids, "request": filled.north.code, "passkey": 1, "kind": "fleets", "type": "pool_usage"}
    filled.parts["sign_in"] = 1
    return filled


def test_the_table_has_every_route(api):
    assert sorted(rules(api)) == sorted(TABLE)


@pytest.mark.parametrize("role", EVERYBODY)
def test_every_route_as(role, brought):
    """0 leaks: of North's data in an answer to whoever may not see it, of a secret in any answer."""
    house, north, south = brought.house, brought.north, brought.south
    secrets = (PASSWORD, TOTP, NEW)
    of_north = (NORTH, north.number, north.username, "7788")
    seen, visitor = 0, people(house, role)
    for (method, path), allowed in TABLE.items():
        parts = {**brought.parts, "job": north.gone if path.endswith("accept") else north.parked}
        address = re.sub("<(.*?)>", lambda part: str(parts[part[1]]), path)  # noqa: B023 - used at once
        is_page = path.startswith("/room")
        given = {"data": {**visitor.hidden, **BODY}} if is_page else {"json": BODY}
        answer = visitor.client.open(address, method=method, **({} if method == "GET" else given))
        where = (method, path, role)
        if role in allowed:
            assert answer.status_code not in (401, 403), where
            leads_out = answer.headers.get("Location", "").startswith("/room/sign-in")
            assert not leads_out or path == "/room/sign-out", where
        elif role == NOBODY and is_page:
            assert (answer.status_code, answer.headers["Location"]) == (303, "/room/sign-in"), where
        else:
            assert answer.status_code == (401 if role == NOBODY or allowed == PROGRAMS else 403), where
            assert is_page or allowed == PROGRAMS or answer.mimetype == "application/problem+json", where
        text = f"{answer.text}{answer.headers}"
        assert not [secret for secret in secrets if secret in text], where
        if role in (NOBODY, USER, OTHER):
            assert not [word for word in of_north if word in text], where
        elif method == "GET" and path.endswith(LISTS):
            assert all(word in text for word in (of_north if path.endswith("inbox") else (north.number,))), where
            assert (SOUTH in text or south.number in text) == (role != OWN), where
            seen += 1
        if path.endswith("sign-out"):
            visitor = people(house, role)
    assert seen == (11 if role in (OWN, ALL, OPERATES) else 0)


@pytest.mark.parametrize("token", [GATEWAY_TOKEN, READER_TOKEN], ids=["gateway", "reader"])
def test_the_tokens_of_gateways_and_readers_open_nothing_here(house, token):
    client = house.api.client()
    for method, path in TABLE:
        if path.startswith("/api") and "sign-in" not in path:
            address = re.sub("<.*?>", "1", path)
            answer = client.open(address, method=method, json={}, headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 401, path


def test_a_role_that_was_taken_away_opens_nothing(house):
    from database.access.roles import withdraw

    visitor = house.operator()
    assert visitor.client.get("/api/v1/inbox").status_code == 200
    with house.db.transaction() as session:
        assert withdraw(session, OPERATOR)
    assert visitor.client.get("/api/v1/inbox").status_code == 401
    assert visitor.client.get("/room/inbox").headers["Location"] == "/room/sign-in"


def test_a_form_of_another_site_changes_nothing(filled):
    visitor = filled.house.operator()
    address = f"/room/inbox/jobs/{filled.north.parked}/unblock"
    assert visitor.client.post(address, data={}).status_code == 403
    answer = visitor.client.post(address, data=visitor.hidden, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    elsewhere = {"Origin": "https://elsewhere.example"}
    assert (
        visitor.client.post(f"/api/v1/inbox/jobs/{filled.north.parked}/unblock", headers=elsewhere).status_code == 403
    )
