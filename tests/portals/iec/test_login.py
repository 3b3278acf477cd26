"""Signing in to the electric company as its user does: codes through the webhook, tokens, their one renewal, their end."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace

import pytest

from database.access.credentials import Credential as Typed
from database.access.sessions import Sessions
from database.models import StoredCredential
from sandbox import phone
from sandbox.iec import id_number
from scrapers.logins.conversation import Tokens
from scrapers.portals.iec import token_file
from tests.crawl.conftest import GATEWAY_TOKEN
from tests.crawl.test_canaries import hits
from tests.portals.iec.conftest import LABEL, Household, converse
from tests.project import wait_for


@pytest.fixture
def webhook(household: Household, tmp_path) -> str:
    """A webhook on the household's database, to which the company's codes go."""
    ready = tmp_path / "webhook.json"
    household.project.start(
        "serve", "--port", "0", "--ready-file", str(ready), env={"LATCHKEY_WEBHOOK_TOKEN": GATEWAY_TOKEN}
    )
    url = wait_for(lambda: ready.exists() and json.loads(ready.read_text()), seconds=40)["url"]
    household.admin.configure(sms_url=f"{url}/sms")
    return str(url)


def sign_in(household: Household, *options: str, **env: str):
    return household.project.scrapy("test-login", "iec", *options, env=env, timeout=250)


def results(household: Household) -> list[str]:
    return [row["result"] for row in household.rows("SELECT result FROM attempts ORDER BY id")]


def stored(household: Household) -> Tokens:
    saved = Sessions(household.db).load("iec", LABEL)
    assert saved is not None
    return Tokens.of(saved.state)


def test_a_code_by_text_message_signs_in_once_and_leaves_no_id_number(household, webhook, tmp_path):
    number = household.give(receiver=phone(id_number("ok")))
    first = sign_in(household, LOG_LEVEL="DEBUG")
    assert first.returncode == 0, first.stderr
    assert results(household) == ["signed_in"]
    again = sign_in(household)
    assert again.returncode == 0
    counters = household.admin.counters()
    assert (counters["code_requests"], counters["codes_used"], counters.get("refreshes", 0)) == (1, 1, 0)
    said = first.stdout + first.stderr + again.stdout + again.stderr
    (tmp_path / "said.txt").write_text(said)
    assert "the code goes by sms" in said
    secrets = household.admin.secrets()
    canaries = {number, *secrets["tokens"], *secrets["codes"]}
    assert hits(tmp_path, canaries) == []


@pytest.mark.parametrize(
    ("scenario", "outcome", "result"),
    [
        ("no-factors", "mfa_required", "error:mfa_required"),
        pytest.param("locked", "account_locked", "account_locked", marks=pytest.mark.matrix),
        pytest.param("rate-limited", "rate_limited", "not_submitted", marks=pytest.mark.matrix),
    ],
)
def test_what_okta_refuses_at_the_first_step(household, scenario, outcome, result):
    household.give(scenario, receiver="+15550100123")
    assert sign_in(household).returncode
    assert (household.outcomes, results(household)) == ([outcome], [result])
    assert household.admin.counters().get("code_requests", 0) == 0


@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param("wrong-state", marks=pytest.mark.matrix),
        pytest.param("wrong-nonce", marks=pytest.mark.matrix),
        pytest.param("wrong-audience", marks=pytest.mark.matrix),
        pytest.param("wrong-issuer", marks=pytest.mark.matrix),
        pytest.param("bad-signature", marks=pytest.mark.matrix),
        pytest.param("unknown-key", marks=pytest.mark.matrix),
        pytest.param("expired-id-token", marks=pytest.mark.matrix),
    ],
)
def test_tokens_that_cannot_be_verified_are_not_kept(household, webhook, scenario):
    household.give(scenario, receiver=phone(id_number(scenario)))
    assert sign_in(household).returncode
    assert household.outcomes == ["token_untrusted"]
    assert household.value("SELECT count(*) FROM sessions WHERE state IS NOT NULL") == 0


def test_a_malformed_id_number_is_refused_before_any_request(household):
    household.give(receiver="+15550100123")
    for number in ("123456789",):
        with household.db.transaction() as session:
            session.query(StoredCredential).one().password = number
        done = sign_in(household)
        assert done.returncode == 5
        assert "up to nine digits" in done.stderr
        assert number not in done.stderr + done.stdout
    assert set(household.outcomes) == {"credential_malformed"}
    assert results(household) == []
    assert household.admin.counters()["requests"] == 0
    typed = household.project.scrapy("credentials", "add", "iec", "--username", "h2", "--stdin", input="123456789\n")
    assert typed.returncode == 2
    assert "nine digits" in typed.stderr


def test_a_message_that_never_comes_asks_for_no_second_code(household, webhook):
    household.give("code-never", receiver=phone(id_number("code-never")))
    hasty = {"LATCHKEY_CODE_WAIT": "1", "LATCHKEY_BUSY_WAIT": "1"}
    assert sign_in(household, **hasty).returncode
    assert (household.outcomes, results(household)) == (["code_not_received"], ["error:code_not_received"])
    assert sign_in(household, **hasty).returncode
    assert household.outcomes[1] in ("credential_cooling_down", "code_not_received")
    assert household.admin.counters()["code_requests"] == 1


@pytest.mark.matrix
def test_a_refused_code_rests_the_credential(household, webhook):
    household.give("code-refused", receiver=phone(id_number("code-refused")))
    assert sign_in(household).returncode
    assert sign_in(household).returncode
    assert (household.outcomes, results(household)) == (["mfa_failed", "credential_cooling_down"], ["mfa_failed"])
    assert household.admin.counters()["code_requests"] == 1


def test_nobody_is_there_so_no_code_is_asked_for(household):
    household.give()
    assert sign_in(household).returncode == 5
    assert (household.outcomes, results(household)) == (["reauthentication_required"], [])
    assert household.admin.counters()["requests"] == 0


def test_a_dead_refresh_token_is_for_the_owner_and_no_loop(household):
    tokens = household.sign_in("refresh-dead")
    household.keep(replace(tokens, expires_at=0))
    for _ in range(2):
        assert sign_in(household).returncode == 5
    assert household.outcomes == ["reauthentication_required"] * 2
    assert household.admin.counters()["refreshes_refused"] == 1
    message = household.value("SELECT message FROM runs ORDER BY id LIMIT 1")
    assert "invalid_grant" in message


@pytest.mark.matrix
def test_an_answer_without_a_refresh_token_keeps_the_old_one(household):
    tokens = household.sign_in("refresh-no-rotation")
    household.keep(replace(tokens, expires_at=0))
    assert sign_in(household).returncode == 0
    renewed = stored(household)
    assert renewed.refresh == tokens.refresh
    assert renewed.id != tokens.id
    assert renewed.expires_at > time.time()


@pytest.mark.matrix
def test_a_rotated_refresh_token_is_kept_at_once(household):
    tokens = household.sign_in()
    household.keep(replace(tokens, expires_at=0))
    assert sign_in(household).returncode == 0
    assert stored(household).refresh != tokens.refresh


def test_the_customer_shown_must_be_the_credential_s(household):
    household.sign_in("other-customer")
    assert sign_in(household).returncode
    assert household.outcomes == ["identity_mismatch"]
    assert household.value("SELECT count(*) FROM sessions WHERE state IS NOT NULL") == 0


@pytest.mark.matrix
def test_tokens_of_somebody_else_are_found_out_by_their_subject(household):
    household.sign_in()
    assert sign_in(household).returncode == 0  # proves whose it is
    other = id_number("ok", 1)
    household.admin.user(other, next_codes=["314159"])
    household.keep(converse(Typed("iec", LABEL, other)))
    with household.db.transaction() as session:
        assert session.query(StoredCredential).one().password == household.number
    assert sign_in(household).returncode
    assert household.outcomes == ["success", "identity_mismatch"]


def test_a_session_is_not_another_id_number_s_because_the_label_is_the_same(household):
    """The owner stores somebody else's ID number under the old name: the first one's data must not be taken for hers."""
    household.sign_in()
    assert sign_in(household).returncode == 0
    with household.db.transaction() as session:
        session.query(StoredCredential).one().password = id_number("ok", 1)
    assert household.crawl("iec_masa").returncode  # does not ask for the customer by itself
    assert household.outcomes == ["success", "identity_mismatch"]
    assert household.value("SELECT count(*) FROM masa_entries") == 0
    assert household.value("SELECT count(*) FROM sessions WHERE state IS NOT NULL") == 0


def test_tokens_without_a_verified_subject_are_proved_each_time_they_are_read(household):
    """Two imports in turn, whose subjects were not verified: what the first one proved says nothing of the second."""
    mine = household.sign_in()
    household.keep(replace(mine, subject=""))
    assert household.crawl("iec_masa").returncode == 0
    other = id_number("ok", 1)
    household.admin.user(other, next_codes=["314159"])
    household.keep(replace(converse(Typed("iec", LABEL, other)), subject=""))
    stored_before = household.value("SELECT count(*) FROM masa_entries")
    assert household.crawl("iec_masa", "again=yes").returncode
    assert household.outcomes == ["success", "identity_mismatch"]
    assert household.value("SELECT count(*) FROM masa_entries") == stored_before
    assert household.value("SELECT count(*) FROM sessions WHERE state IS NOT NULL") == 0


class TestTokenFile:
    def test_out_and_in_again(self, household, tmp_path):
        tokens = household.sign_in()
        path = tmp_path / "token.json"
        done = household.project.scrapy("iec", "tokens", "export", str(path))
        assert done.returncode == 0, done.stderr
        assert path.stat().st_mode & 0o777 == 0o600
        told = json.loads(path.read_text())
        assert set(told) == {"access_token", "refresh_token", "id_token", "token_type", "expires_in", "scope"}
        assert told["refresh_token"] == tokens.refresh
        Sessions(household.db).destroy("iec", LABEL)
        done = household.project.scrapy("iec", "tokens", "import", str(path))
        assert done.returncode == 0, done.stderr
        assert sign_in(household).returncode == 0
        counters = household.admin.counters()
        assert (counters["refreshes"], counters["code_requests"]) == (1, 1)  # the one code is the fixture's

    def test_under_a_key(self, household, tmp_path, monkeypatch):
        from cryptography.fernet import Fernet

        monkeypatch.setenv(token_file.KEY, Fernet.generate_key().decode())
        tokens = Tokens("access", "id", "refresh", "subject", time.time() + 60, "openid")
        token_file.write(tmp_path / "sealed", tokens)
        assert b"refresh" not in (tmp_path / "sealed").read_bytes()
        assert token_file.read(tmp_path / "sealed") == replace(tokens, subject="", expires_at=0)

    def test_one_that_others_can_read_is_refused(self, household, tmp_path):
        household.give()
        path = tmp_path / "token.json"
        path.write_text("{}")
        os.chmod(path, 0o644)
        done = household.project.scrapy("iec", "tokens", "import", str(path))
        assert done.returncode == 2
        assert "chmod 600" in done.stderr

    def test_one_that_is_none_is_refused(self, household, tmp_path):
        household.give()
        path = tmp_path / "token.json"
        path.write_text('{"access_token": "x"}')
        os.chmod(path, 0o600)
        done = household.project.scrapy("iec", "tokens", "import", str(path))
        assert done.returncode == 2
        assert "six fields" in done.stderr


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("how", "crawls"),
    [
        ("by our clock", 4),
        pytest.param("by our clock", 10, marks=pytest.mark.matrix),
        pytest.param("by the portal's word", 10, marks=pytest.mark.matrix),
    ],
)
def test_crawls_over_four_processes_renew_expired_tokens_once(household, how, crawls):
    """Each process has requests of its own in flight when it finds the token dead; all of them end well, side by side."""
    tokens = household.sign_in()
    assert household.crawl("iec_account").returncode == 0  # whose it is, is proved
    if how == "by our clock":
        household.keep(replace(tokens, expires_at=0))
    else:
        household.admin.ask(f"users/{household.number}/expire-tokens", {})
    spiders = ["iec_account", "iec_invoices", "iec_outages", "iec_masa"]
    waiting = (spiders * 3)[:crawls]
    running = []
    while waiting or running:
        while waiting and len(running) < 4:
            running.append(household.project.start("crawl", waiting.pop(0), "-a", "again=yes"))
        wait_for(lambda: any(process.poll() is not None for process in running), seconds=100)
        for process in [each for each in running if each.poll() is not None]:
            assert process.wait() == 0, process.stderr.read()
            running.remove(process)
    assert household.outcomes == ["success"] * (crawls + 1)
    assert household.admin.counters()["refreshes"] == 1
    overlapping = household.value(
        "SELECT count(*) FROM runs a JOIN runs b ON a.id < b.id AND b.started_at < a.finished_at"
    )
    assert overlapping >= 3
