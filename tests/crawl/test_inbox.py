"""Codes that an operator types in the inbox while sign-ins at Bell wait in a worker: two at once, a wrong one, a late one."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest

from database.access.guesses import Limits
from database.access.roles import grant
from database.access.users import open_session
from database.models.operators import Role
from sandbox.bell import accounts as bell_accounts
from tests.project import wait_for

pytestmark = pytest.mark.browser

ANA, BEN = "sms+a@example.com", "sms+b@example.com"
CODES = {ANA: ["71624538"], BEN: ["82735649", "93846750"]}  # as the portal makes them, one for each sign-in
WRONG = "10293847"
PATIENCE = 200  # seconds for a sign-in and a crawl on a busy machine


class Inbox:
    """The API of the inbox, as an operator."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token

    def ask(self, path, method="GET", body=None):
        """Return status and answer."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/api/v1/{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def entries(self, cause):
        """Return the entries of a cause by user name."""
        status, inbox = self.ask("inbox")
        assert status == 200, inbox
        found = (each for each in inbox["causes"] if each["cause"] == cause)
        return {entry["username"]: entry for each in found for entry in each["entries"]}

    def wait_for(self, cause, names):
        """Return the entries of a cause once it has those of *names*; the server's limit of requests is kept."""
        names = set(names)
        return wait_for(lambda: names <= set(found := self.entries(cause)) and found, PATIENCE, every=0.5)

    def give(self, entry, code):
        return self.ask(f"inbox/codes/{entry['id']}", "POST", {"code": code})[0]


@pytest.fixture
def olga(crawls, webhook):
    """The inbox of an operator who is signed in."""
    with crawls.db.transaction() as session:
        token = open_session(session, grant(session, "olga@example.com", Role.OPERATOR), "", Limits())
    return Inbox(webhook, token)


@pytest.mark.timeout(900)
def test_each_sign_in_gets_the_code_that_was_typed_for_it(crawls, bell, olga):
    bell.configure(sms_url="")  # no gateway: a person reads the telephones
    for name, codes in CODES.items():
        crawls.give_bell(name, numbers=bell_accounts(name)[:1])
        bell.user(name, next_codes=codes)
    made = crawls.project.scrapy("jobs", "create", "bell_pdf_invoice", "--json", timeout=PATIENCE)
    assert len(json.loads(made.stdout)["jobs"]) == 2, made.stderr
    waits = {"LATCHKEY_CODE_WAIT": str(PATIENCE), "LATCHKEY_SIGN_IN_WAIT": str(2 * PATIENCE)}
    worker = crawls.project.start(
        "worker", "--slots", "2", "--json-lines", env={**waits, "LATCHKEY_PORTAL_CRAWLS": "2"}
    )

    # Two wait at once; each is told by its user name.
    waiting = olga.wait_for("code_wanted", CODES)
    assert olga.give(waiting[BEN], WRONG) == 204
    assert olga.give(waiting[ANA], CODES[ANA][0]) == 204
    wait_for(lambda: crawls.value("SELECT count(*) FROM scraper_jobs WHERE status = 'success'") == 1, PATIENCE)
    refused = olga.wait_for("mfa_failed", [BEN])[BEN]
    assert (refused["jobs"], refused["clients"]) == (1, ["Example Ltd"])
    outcomes = {row["username"]: row["outcome"] for row in crawls.rows("SELECT username, outcome FROM runs")}
    assert outcomes == {ANA: "success", BEN: "mfa_failed"}

    # The right one comes too late for that sign-in, and is kept for no other.
    assert olga.give(waiting[BEN], CODES[BEN][0]) == 410
    assert olga.ask(f"inbox/jobs/{refused['id']}/unblock", "POST")[0] == 200
    again = olga.wait_for("code_wanted", [BEN])[BEN]
    assert again["id"] != waiting[BEN]["id"]
    assert olga.give(again, CODES[BEN][1]) == 204
    wait_for(lambda: crawls.value("SELECT count(*) FROM scraper_jobs WHERE status = 'success'") == 2, PATIENCE)
    assert olga.ask("inbox") == (200, {"causes": []})

    worker.terminate()
    said = "".join(worker.communicate(timeout=PATIENCE))
    typed = {row["typed"] for row in crawls.rows("SELECT typed FROM code_requests")}
    assert typed == {None}
    actions = [row["action"] for row in crawls.rows("SELECT action FROM audit WHERE action LIKE 'code.%'")]
    assert (actions.count("code.typed"), actions.count("code.used")) == (3, 3)
    serving = crawls.project.started[0]
    serving.terminate()
    said += "".join(serving.communicate(timeout=60))
    assert_in_clear_nowhere(crawls, said)


def assert_in_clear_nowhere(crawls, said):
    """No code is in what was logged, or in a file of the installation: database, evidence, stored files."""
    codes = [WRONG, *(code for each in CODES.values() for code in each)]
    assert not [code for code in codes if code in said]
    for path in crawls.project.data.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [code for code in codes if code.encode() in content], path
