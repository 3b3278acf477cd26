"""The electric company's imitation: sign-in with PKCE, tokens that are checked, every endpoint, readings, and odd answers."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from email import message_from_bytes
from functools import partial
from http.client import IncompleteRead, RemoteDisconnected
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from scrapy import Selector

import sandbox
from sandbox import AdminError, phone, running
from sandbox.iec import id_number
from sandbox.iec import people as iec_people
from tests.project import wait_for

CLIENT, REDIRECT = "0oaqf6zr7yEcQZqqt2p7", "com.iecrn:/"
SCOPE = "openid email profile offline_access"
HEADERS = {"x-iec-idt": "1", "x-iec-webview": "1"}
JERUSALEM = ZoneInfo("Asia/Jerusalem")
TODAY = datetime.now(JERUSALEM).date()
DAY = timedelta(days=1)


def newest_change(hours):
    """Return the newest day of so many hours, two days old at least."""
    for n in range(2, 400):
        begin, end = (datetime.combine(TODAY - m * DAY, clock(), JERUSALEM).astimezone(UTC) for m in (n, n - 1))
        if end - begin == timedelta(hours=hours):
            return TODAY - n * DAY
    raise AssertionError(f"No day has {hours} hours.")


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)


def send(url, body=None, form=None, **headers):
    data = json.dumps(body).encode() if body is not None else None
    given = dict(headers)
    if body is not None:
        given["Content-Type"] = "application/json"
    if form is not None:
        data = urllib.parse.urlencode(form).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, given), timeout=60) as answer:
            return Reply(answer.status, dict(answer.headers), answer.read())
    except urllib.error.HTTPError as error:
        return Reply(error.code, dict(error.headers), error.read())


@dataclass
class Resident:
    """Somebody with an ID number, and the client that they use."""

    urls: dict[str, str]
    admin: sandbox.Admin
    number: str
    tokens: dict[str, str] = field(default_factory=dict)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(64))

    @property
    def person(self):
        return iec_people.Customer(self.number)

    def okta(self, path, body=None, form=None):
        return send(f"{self.urls['okta']}{path}", body, form)

    def begin(self):
        return self.okta("/api/v1/authn", {"username": f"{self.number}@iec.co.il"})

    def verify(self, factor, state, **more):
        return self.okta(f"/api/v1/authn/factors/{factor}/verify", {"stateToken": state, **more})

    def code(self):
        return self.admin.secrets()["codes"][-1]

    def session_token(self):
        begun = self.begin().json
        factor, state = begun["_embedded"]["factors"][0]["id"], begun["stateToken"]
        assert self.verify(factor, state).json["status"] == "MFA_CHALLENGE"
        return self.verify(factor, state, passCode=self.code()).json["sessionToken"]

    def authorize(self, session_token, **changed):
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "client_id": CLIENT,
            "response_type": "id_token code",
            "response_mode": "form_post",
            "scope": SCOPE,
            "redirect_uri": REDIRECT,
            "state": "state-1",
            "nonce": "nonce-1",
            "code_challenge_method": "S256",
            "sessionToken": session_token,
            "code_challenge": challenge,
        }
        return self.okta(f"/oauth2/default/v1/authorize?{urllib.parse.urlencode(query | changed)}")

    def exchange(self, code, **changed):
        form = {"client_id": CLIENT, "code_verifier": self.verifier, "grant_type": "authorization_code"}
        return self.okta("/oauth2/default/v1/token", form=form | {"redirect_uri": REDIRECT, "code": code} | changed)

    def refresh(self, token=None):
        form = {"client_id": CLIENT, "redirect_uri": REDIRECT, "grant_type": "refresh_token", "scope": SCOPE}
        return self.okta(
            "/oauth2/default/v1/token", form=form | {"refresh_token": token or self.tokens["refresh_token"]}
        )

    def signed_in(self):
        self.tokens = self.exchange(fields(self.authorize(self.session_token()))["code"]).json
        return self

    def ask(self, path, body=None, origin="", token=None, **headers):
        given = {**HEADERS, "Authorization": f"Bearer {token or self.tokens['id_token']}", **headers}
        if origin == "masa":
            given.setdefault("portalcode", "6")
        given = {name: value for name, value in given.items() if value}
        return send(f"{self.urls[origin]}{path}", body, **given)

    def claims(self, token):
        keys = KeySet.import_key_set(self.okta("/oauth2/default/v1/keys").json)
        return jwt.decode(token, keys, algorithms=["RS256"]).claims

    def reading(self, contract, day, resolution=1, kind="Consumption", **changed):
        meter = {"meterKind": kind, "meterCode": contract.code, "meterSerial": contract.serial}
        asked = {
            "contractNumber": contract.number,
            "fromDate": day.isoformat(),
            "resolution": resolution,
            "smartMetersList": [meter],
            "lastInvoiceDate": (TODAY - 30 * DAY).isoformat(),
        }
        asked = {name: value for name, value in (asked | changed).items() if value is not None}
        return self.ask(f"/api/Consumption/RemoteReadingRange/{contract.number}", asked)

    def rows(self, contract, day, resolution=1, kind="Consumption"):
        answer = self.reading(contract, day, resolution, kind).json
        assert answer["reportStatus"] == 0
        return answer["meterList"][0]["periodConsumptions"]


def fields(page):
    """Return the hidden inputs of a page as a browser reads them."""
    inputs = Selector(text=page.text).css("form input[type=hidden]")
    return {one.attrib["name"]: one.attrib["value"] for one in inputs}


@pytest.fixture(scope="module")
def iec(tmp_path_factory, phones):
    with running(tmp_path_factory.mktemp("iec"), ("iec",), phones.url, phones.token) as running_sandbox:
        yield running_sandbox


@pytest.fixture
def admin(iec):
    admin = iec.admin["iec"]
    admin.reset()
    admin.configure(**{name: DEFAULTS[name] for name in DEFAULTS})
    return admin


DEFAULTS = {
    "users": {},
    "answers": [],
    "edits": [],
    "corrections": [],
    "incomplete_filled": False,
    "code_interval_seconds": 30,
    "refresh_rotation": True,
    "refresh_grace_seconds": 0,
    "refresh_reuse_kills": True,
    "tariff_shifted": False,
    "tariff_markup": False,
    "mail_folder": "",
    "issuer": "",
}
numbers = Counter()


@pytest.fixture
def resident(iec, admin):
    """Give a function that makes a new person of a scenario."""

    def make(scenario="ok", *tags):
        numbers[scenario] += 1
        person = Resident(iec.origins["iec"], admin, id_number(scenario, numbers[scenario]))
        if tags:
            admin.configure(users={person.number: list(tags)})
        return person

    return make


# Who there is


def test_id_numbers_have_a_right_check_digit_and_are_nobody_elses():
    everybody = {id_number(scenario, n): (scenario, n) for scenario in iec_people.SCENARIOS for n in (0, 1, 7, 99_998)}
    assert len(everybody) == 4 * len(iec_people.SCENARIOS)
    for number, who in everybody.items():
        doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(number)]
        assert sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
        assert iec_people.whose(number) == who
        assert iec_people.whose(number[:8] + str((int(number[8]) + 1) % 10)) is None
    assert iec_people.whose(id_number("short-number", 1).lstrip("0")) == ("short-number", 1)
    for stranger in ("123456782", "", "12345678x", "7000000000", "000000000", "٧٠٠٠٠٠٠٠٣"):
        assert iec_people.whose(stranger) is None
    with pytest.raises(ValueError, match="choose from ok"):
        id_number("nobody")


# Signing in


def test_a_code_by_text_message_and_pkce_give_tokens_that_are_checked(resident, phones, admin):
    me, began = resident(), int(time.time())
    begun = me.begin().json
    assert begun["status"] == "UNAUTHENTICATED"
    sms, mail = begun["_embedded"]["factors"]
    assert re.fullmatch(r"0\.\.\.\d@sns\.iec\.co\.il", sms["profile"]["email"])
    assert mail["profile"]["email"].endswith("@example.com")
    assert {one["factorType"] for one in (sms, mail)} == {"email"}
    assert me.verify(sms["id"], begun["stateToken"]).json["status"] == "MFA_CHALLENGE"
    code = wait_for(lambda: phones.codes(phone(me.number)), 60)[-1]
    assert "קוד האימות שלך הוא" in phones.payloads[-1]["text"]
    session = me.verify(sms["id"], begun["stateToken"], passCode=code).json
    assert session["status"] == "SUCCESS"
    assert me.verify(sms["id"], begun["stateToken"], passCode=code).json["errorCode"] == "E0000011"

    page = me.authorize(session["sessionToken"])
    given = fields(page)
    assert (given["state"], set(given)) == ("state-1", {"state", "code", "id_token"})
    assert "-" in given["code"]
    assert me.claims(given["id_token"])["nonce"] == "nonce-1"
    assert fields(me.authorize(session["sessionToken"]))["error"] == "login_required", "it is good once"

    answer = me.exchange(given["code"])
    assert answer.headers["Cache-Control"] == "no-store"
    tokens = answer.json
    assert set(tokens) == {"token_type", "expires_in", "access_token", "scope", "refresh_token", "id_token"}
    claims = me.claims(tokens["id_token"])
    assert claims["iss"] != f"{me.urls['okta']}/oauth2/default"
    assert claims["iss"].lower() == f"{me.urls['okta']}/oauth2/default"
    assert (claims["aud"], claims["nonce"], claims["exp"] - claims["iat"]) == (CLIENT, "nonce-1", 3600)
    assert began <= claims["iat"] <= time.time()
    assert me.number not in json.dumps(claims)
    assert me.exchange(given["code"]).json["error"] == "invalid_grant", "it is good once"
    assert me.ask("/api/customer", token=tokens["id_token"]).json["idNumber"] == me.number
    assert me.ask("/api/customer", token=tokens["access_token"]).status == 401, "the bearer is the id token"
    counted = admin.counters()
    assert (counted["code_requests"], counted["sign_ins"], counted["tokens_issued"]) == (1, 1, 1)
    assert counted["submissions"] == {me.number: 1}


def test_a_code_by_mail(resident, admin, tmp_path):
    admin.configure(mail_folder=str(tmp_path / "{mailbox}"))
    me = resident("mail-only")
    begun = me.begin().json
    (factor,) = begun["_embedded"]["factors"]
    me.verify(factor["id"], begun["stateToken"])
    folder = tmp_path / sandbox.mailbox(me.number)
    (path,) = wait_for(lambda: list(folder.glob("new/*")))
    text = message_from_bytes(path.read_bytes()).get_payload(decode=True).decode()
    (code,) = re.findall(r"קוד האימות שלך הוא (\d{6})", text)
    assert me.verify(factor["id"], begun["stateToken"], passCode=code).json["status"] == "SUCCESS"
    assert admin.counters()["code_requests_by_factor"] == {"mail": 1}


def test_what_pkce_and_its_requests_are_refused_for(resident):
    me = resident()
    code = fields(me.authorize(me.session_token()))["code"]
    wrong = me.exchange(code, code_verifier=secrets.token_urlsafe(64))
    assert (wrong.status, wrong.json["error_description"]) == (400, "PKCE verification failed.")
    assert me.exchange(code).json["error"] == "invalid_grant", "a code is gone after a wrong verifier"
    token = "unused"
    for changed, error in (
        ({"scope": "openid everything"}, "invalid_scope"),
        ({"response_type": "code"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"nonce": ""}, "invalid_request"),
        ({}, "login_required"),
    ):
        told = fields(me.authorize(token, **changed))
        assert (told["error"], told["state"]) == (error, "state-1")
        assert told["error_description"]
    for changed in ({"client_id": "somebody"}, {"redirect_uri": "https://example.com/"}):
        answer = me.authorize(token, **changed)
        assert (answer.status, fields(answer)) == (400, {}), "nothing is sent to a client that is not known"
    assert me.exchange("x", client_id="somebody").status == 401
    assert me.exchange("x", redirect_uri="https://example.com/").json["error"] == "invalid_grant"
    assert me.exchange("x", grant_type="password").json["error"] == "unsupported_grant_type"
    assert me.okta("/oauth2/default/v1/token", {"grant_type": "refresh_token"}).json["error"] == "invalid_request"


def test_what_codes_are_refused_for(resident, admin):
    me = resident()
    begun = me.begin().json
    state, (sms, mail) = begun["stateToken"], (one["id"] for one in begun["_embedded"]["factors"])
    assert me.verify(sms, state, passCode="123456").json["errorCode"] == "E0000079", "none was sent"
    before = time.time()
    me.verify(sms, state)
    asked = time.time()
    limited = me.verify(sms, state)
    assert (limited.status, limited.json["errorCode"]) == (429, "E0000047")
    assert before + 29 <= int(limited.headers["X-Rate-Limit-Reset"]) <= asked + 31, "rounded, and of two clock readings"
    assert me.verify(mail, state).status == 200, "another device has a limit of its own"
    admin.clock(31)
    assert me.verify(sms, state).status == 200
    right = me.code()
    assert me.verify(sms, state, passCode=int(right)).json["errorCode"] == "E0000001", "a number loses its zeros"
    assert me.verify("emfNobody", state, passCode=right).json["errorCode"] == "E0000007"
    wrong = f"{(int(right) + 1) % 10**6:06d}"
    for _ in range(3):
        refused = me.verify(sms, state, passCode=wrong)
        assert (refused.status, refused.json["errorCode"]) == (403, "E0000068")
        assert refused.json["errorCauses"][0]["errorSummary"]
    assert me.verify(sms, state, passCode=right).json["errorCode"] == "E0000069"
    dead = me.verify(sms, state, passCode=right)
    assert (dead.status, dead.json["errorCode"]) == (401, "E0000011")
    counted = admin.counters()
    assert (counted["code_requests"], counted["code_requests_refused"], counted["codes_refused"]) == (3, 1, 4)

    late = resident()
    begun = late.begin().json
    factor = begun["_embedded"]["factors"][0]["id"]
    late.verify(factor, begun["stateToken"])
    code = late.code()
    admin.clock(400)
    assert late.verify(factor, begun["stateToken"], passCode=code).json["errorCode"] == "E0000011"


@pytest.mark.parametrize(
    ("scenario", "status", "code"),
    [("locked", 403, "E0000069"), ("rate-limited", 429, "E0000047"), ("ok", 401, "E0000004")],
)
def test_who_is_not_let_begin(resident, scenario, status, code):
    me = resident(scenario)
    if scenario == "ok":
        me.number = me.number[:8] + str((int(me.number[8]) + 1) % 10)
    answer = me.begin()
    assert (answer.status, answer.json["errorCode"]) == (status, code)
    assert {"errorSummary", "errorLink", "errorId", "errorCauses"} < set(answer.json)
    assert me.okta("/api/v1/authn", {"username": 5}).json["errorCode"] == "E0000001"
    assert me.okta("/api/v1/authn", form={"username": "x"}).json["errorCode"] == "E0000003"


def test_factors_and_codes_by_scenario(resident, admin, phones):
    for scenario, gateways in (
        ("no-factors", []),
        ("sms-only", [True]),
        ("mail-only", [False]),
        ("mail-first", [False, True]),
    ):
        factors = resident(scenario).begin().json["_embedded"]["factors"]
        assert ["sns.iec" in one["profile"]["email"] for one in factors] == gateways
    short = resident("short-number")
    short.number = short.number.lstrip("0")
    assert short.begin().status == 200, "zeros in front may be left out"

    refused = resident("code-refused")
    begun = refused.begin().json
    factor = begun["_embedded"]["factors"][0]["id"]
    refused.verify(factor, begun["stateToken"])
    assert refused.verify(factor, begun["stateToken"], passCode=refused.code()).json["errorCode"] == "E0000068"

    always = resident("sms-always")
    begun = always.begin().json
    mail = begun["_embedded"]["factors"][1]["id"]
    always.verify(mail, begun["stateToken"])
    code = wait_for(lambda: phones.codes(phone(always.number)), 60)[-1]
    assert always.verify(mail, begun["stateToken"], passCode=code).json["status"] == "SUCCESS"
    admin.configure(late_seconds=0.1)
    never, late = resident("code-never"), resident("code-late")
    for me in (never, late):
        begun = me.begin().json
        assert me.verify(begun["_embedded"]["factors"][0]["id"], begun["stateToken"]).status == 200
    wait_for(lambda: phones.codes(phone(late.number)))
    assert phone(never.number) not in [message["receiver"] for message in admin.messages()]
    admin.configure(late_seconds=5)


@pytest.mark.parametrize("scenario", ["one-line", "entities", "script-escapes"])
def test_the_form_is_written_in_several_ways(resident, scenario):
    me = resident(scenario)
    page = me.authorize(me.session_token())
    code = fields(page)["code"]
    if scenario == "one-line":
        assert page.text.count("\n") == 1
    else:
        assert ("&#x2d;" if scenario == "entities" else r"\x2D") in page.text
    code = re.sub(r"\\x([0-9A-F]{2})", lambda found: chr(int(found[1], 16)), code)
    assert me.exchange(code).status == 200


def test_the_form_may_say_something_else(resident):
    for scenario, told in (
        ("authorize-error", {"state": "state-1", "error": "access_denied"}),
        ("authorize-page", {}),
        ("wrong-state", {"state": "not-state-1"}),
    ):
        me = resident(scenario)
        page = me.authorize(me.session_token())
        assert page.status == 200
        assert {name: value for name, value in fields(page).items() if name in told} == told
    assert "code" in fields(page)


@pytest.mark.parametrize(
    ("scenario", "wrong"),
    [
        ("bad-signature", "signature"),
        ("unknown-key", "signature"),
        ("wrong-nonce", "nonce"),
        ("wrong-audience", "aud"),
        ("wrong-issuer", "iss"),
        ("expired-id-token", "exp"),
    ],
)
def test_what_may_be_wrong_with_an_id_token(resident, scenario, wrong):
    right = resident().signed_in()
    me = resident(scenario).signed_in()
    if wrong == "signature":
        with pytest.raises((JoseError, ValueError)):
            me.claims(me.tokens["id_token"])
    else:
        good, bad = right.claims(right.tokens["id_token"]), me.claims(me.tokens["id_token"])
        same = {name for name in ("aud", "iss", "nonce") if good[name] == bad[name]}
        assert same == {"aud", "iss", "nonce"} - {wrong}
        assert (bad["exp"] < time.time()) == (wrong == "exp")
    tagged = resident("ok", scenario, "only-refresh").signed_in()
    assert tagged.claims(tagged.tokens["id_token"])["exp"] > time.time(), "right at sign-in"


def test_refresh_tokens_rotate_and_an_old_one_ends_everything(resident, admin):
    me = resident().signed_in()
    first = me.tokens
    admin.clock(3700)
    assert me.ask("/api/customer").status == 401
    me.tokens = me.refresh().json
    assert me.claims(me.tokens["id_token"])["iat"] > time.time() + 3600, "by the portal's clock"
    assert me.claims(me.tokens["id_token"])["nonce"] == "nonce-1"
    assert me.tokens["refresh_token"] != first["refresh_token"]
    assert me.ask("/api/customer").status == 200
    stale = me.refresh(first["refresh_token"])
    assert (stale.status, stale.json) == (
        400,
        {"error": "invalid_grant", "error_description": "The refresh token is invalid or expired."},
    )
    assert me.ask("/api/customer").status == 401, "whoever has the newer tokens is out as well"
    assert me.refresh().status == 400
    counted = admin.counters()
    assert (counted["refreshes"], counted["refreshes_refused"], counted["refresh_tokens_reused"]) == (1, 2, 1)
    admin.clock(0)

    admin.configure(refresh_grace_seconds=30)
    patient = resident().signed_in()
    assert patient.refresh().status == patient.refresh().status == 200
    admin.clock(31)
    assert patient.refresh().status == 400
    admin.clock(0)

    admin.configure(refresh_grace_seconds=0, refresh_reuse_kills=False)
    lucky = resident().signed_in()
    newer = lucky.refresh().json
    assert lucky.refresh().status == 400
    assert lucky.refresh(newer["refresh_token"]).status == 200

    admin.configure(refresh_rotation=False)
    steady = resident().signed_in()
    assert steady.refresh().json["refresh_token"] == steady.tokens["refresh_token"]
    admin.clock(91 * 86_400)
    assert steady.refresh().status == 400, "not used for three months"


def test_refresh_scenarios(resident):
    assert resident("refresh-dead").signed_in().refresh().json["error"] == "invalid_grant"
    quiet = resident("refresh-no-rotation").signed_in()
    assert "refresh_token" not in quiet.refresh().json
    assert quiet.refresh().status == 200, "the old one stays good"
    assert "refresh_token" not in resident("no-refresh-token").signed_in().tokens
    twice = resident("ok", "refreshes-2").signed_in()
    for status in (200, 200, 400):
        answer = twice.refresh()
        assert answer.status == status
        twice.tokens = answer.json if status == 200 else twice.tokens


def test_sessions_end_early_and_outlive_a_restart(iec, resident, admin):
    me, other = resident().signed_in(), resident().signed_in()
    iec.kill()
    iec.start()
    assert me.ask("/api/customer").status == 200
    assert me.claims(me.tokens["id_token"])["aud"] == CLIENT
    assert admin.ask(f"users/{me.number}/expire-tokens", {}) == {"tokens": 2}  # one came with the form
    assert (me.ask("/api/customer").status, other.ask("/api/customer").status) == (401, 200)
    me.tokens = me.refresh().json
    assert me.ask("/api/customer").status == 200
    old = me.claims(me.tokens["id_token"])
    admin.ask("rotate-key", {})
    assert me.claims(me.tokens["id_token"]) == old, "the old key stays published"
    me.tokens = me.refresh().json
    assert len(me.okta("/oauth2/default/v1/keys").json["keys"]) == 2
    assert me.claims(me.tokens["id_token"])["aud"] == CLIENT
    admin.sign_out(me.number)
    assert me.ask("/api/customer").json["Error"] == "Unauthorized"
    assert me.refresh().status == 400
    admin.configure(code_interval_seconds=0)
    brief = resident("signed-out-midway").signed_in()
    assert [brief.ask("/api/customer").status for _ in range(6)] == [200] * 5 + [401]
    assert brief.signed_in().ask("/api/customer").status == 200


# The APIs


def test_what_every_request_must_carry(resident, admin):
    me = resident().signed_in()
    for header in HEADERS:
        blocked = me.ask("/api/customer", **{header: ""})
        assert (blocked.status, blocked.headers["Content-Type"][:9]) == (403, "text/html")
    assert me.ask("/api/cities", origin="masa", portalcode="").status == 403
    missing = me.ask("/api/customer", Authorization="")
    assert (missing.status, missing.json) == (400, {"Error": "Token should be provide", "Code": 400})
    for token in ("nonsense", me.tokens["id_token"][:-4] + "AAAA", me.tokens["refresh_token"]):
        refused = me.ask("/api/customer", token=token)
        assert (refused.status, set(refused.json)) == (401, {"Error", "Code", "Rid"})
    assert (admin.counters()["requests_blocked"], admin.counters()["requests_unauthorized"]) == (3, 3)
    assert me.ask("//api/customer").json == me.ask("/api/customer").json == me.ask("/api//customer").json
    ours, theirs = me.person.contracts[0], resident().person.contracts[0]
    assert me.ask(f"/api/Device/{ours.padded}").json == me.ask(f"/api/Device/{ours.number}").json
    refused = me.ask(f"/api/Device/{theirs.number}")
    assert (refused.status, refused.json["Error"]) == (401, "Contract is not associated with you.")
    assert me.ask("/api/Device/house").json["Error"] == "Contract number is required"
    refused = me.ask("/api/customer/contract/0199999999")
    assert (refused.status, refused.json["Error"]) == (401, "You're not authorized to this action!")


def requests_of(me):
    """Return a request for every endpoint: id, origin, path, body, keys that its answer has."""
    who, contract = me.person, me.person.contracts[0]
    bp, ct, account = who.partners[0], contract.number, who.account(who.partners[0])
    cities = me.ask("/api/District/cities").json["data"]["dataCollection"]
    streets = me.ask(f"/api/District/streets/{cities[0]['id']}").json["data"]["streets"]
    there = {"cityCode": cities[0]["id"], "streetCode": streets[1]["id"], "houseNumber": "2"}
    masa = me.ask(f"/api/contacts/{who.contact}/contract/{contract.masa}", origin="masa").json
    shared = next(row for row in masa["connectionBetweenContactAndContract"] if row["partConnectionCode"] != 1)
    meter = {"meterCode": contract.code, "meterSerial": contract.serial}
    reading = {
        "contractNumber": ct,
        "fromDate": (TODAY - 3 * DAY).isoformat(),
        "resolution": 1,
        "smartMetersList": [meter | {"meterKind": "Consumption"}],
        "lastInvoiceDate": (TODAY - 60 * DAY).isoformat(),
    }
    invoices = me.ask(f"/api/BillingCollection/invoices/{ct}/{bp}").json["data"]["invoices"]
    pdf = {"invoiceNumber": str(invoices[1]["invoiceId"]), "contractId": ct, "bpNumber": bp.lstrip("0")}
    parts = {"contact": {"id": who.contact}, "contract": {"id": contract.masa}}
    removed = {"Id": shared["id"], "contact": shared["contact"], "contract": shared["contract"]}
    yield "I1", "", "/api/customer", None, {"bpNumber", "idNumber", "accounts", "email"}
    yield "I2", "", f"/api/customer/mobile/{ct}", None, {"customer", "contract"}
    yield "I3", "", "/api/outages/accounts", None, ["id", "accountNumber"]
    yield "I4", "", f"/api/customer/contract/{bp}", None, {"contracts", "contractAmount", "totalToPay"}
    yield "I5", "", f"/api/customer/checkContract/{ct}/6", None, {"contractNumber", "isMatam", "frequency"}
    yield "I6", "", "/api/customer/efs", {"contractNumber": ct, "processType": 1}, ["service", "subscribeTime"]
    yield "I7", "", f"/api/Device/LastMeterReading/{ct}/{bp}", None, {"contractAccount", "lastMeters"}
    yield "I8", "", f"/api/Device/{ct}", None, ["deviceNumber", "deviceCode"]
    yield "I9", "", f"/api/Device/{ct}/{contract.serial}", None, {"counterDevices", "mrType"}
    yield "I10", "", f"/api/Device/type/{bp}/{ct}/false", None, {"deviceNumber", "numberOfDevices"}
    yield "I11", "", f"/api/Tenant/Identify/{contract.serial}", None, {"devicesDetails", "privateProducer"}
    yield "I13", "", f"/api/Consumption/RemoteReadingRange/{ct}", reading, {"meterList", "taozList"}
    mail = meter | {"emailAddress": "me@example.com"}
    yield "I14", "", f"/api//Consumption/SendConsumptionReportToMail/{ct}", mail, True
    yield "I15", "", f"/api/ElectricBillsDrawers/ElectricBills/{ct}/{bp}", None, {"totalAmountToPay", "invoices"}
    yield "I16", "", f"/api/BillingCollection/invoices/{ct}/{bp}", None, {"property", "invoices"}
    yield "I17", "", "/api/BillingCollection/pdf", pdf, b"%PDF-1.4"
    yield "I18", "", f"/api/outages/transactions/{account}/2", None, ["transactionsInfo", "site"]
    yield "I19", "", f"/api/SocialDiscount/{bp}", None, {"discountExists", "discountEndDate"}
    yield "I20", "", f"/api/calculator/touz/{ct}/{bp}/compatible", None, {"status", "isCompatible"}
    yield "I21", "", f"/api/Mobility/{ct}/{contract.serial}", None, {"isMobilityRequestExist"}
    yield "D3", "", "/api/outages/transactionsByAddress", there, {"readDataTime", "transaction"}
    yield "M1", "masa", "/api/cities", None, {"dataCollection"}
    yield "M2", "masa", "/api/contacts/userprofile", None, {"governmentid", "accounts"}
    yield "M3", "masa", "/api/contacts/account/0/userprofile", None, {"connectionBetweenContactAndContract"}
    yield (
        "M5",
        "masa",
        "/api/connectionbetweencontactandcontract/remove",
        removed | {"primaryContact": parts["contact"]},
        None,
    )
    yield "M6", "masa", "/api/connectionbetweencontactandcontract/createconnectionrequest", parts, "https://"
    yield "M7", "masa_wa", f"/api/accounts/{account}/orders/titles", None, {"id", "orders"}
    yield "M8", "masa_wa", "/api/orderLookup", None, {"orderCategories"}
    yield "M9", "masa_wa", "/api/voltLevels/active", None, {"dataCollection"}
    yield "M10", "masa_wa", f"/equipments/get?accountId={account}&pageNumber=1&pageSize=10", None, {"items"}
    yield "M11", "masa_wa", "/lookup/all", None, {"connectionSizeTypes", "siteTypes", "regions"}
    yield "M12", "masa_wa", "/lookup/newConnection/buildingOptions", None, {"residenceOptions", "parkingSizeTypes"}
    yield "F1", "faults", "/api/contacts/userprofile", None, {"governmentid"}
    yield "F2", "faults", f"/api/accounts/{account}/tranzactions/2", None, {"dataCollection"}
    yield "F3", "faults", "/api/accounts/tranzactions", {"Accounts": [account], "StateCode": 0}, {"logicalName"}


def test_every_endpoint_answers_whoever_may_ask(resident, admin):
    me = resident().signed_in()
    asked = list(requests_of(me))
    for number, origin, path, body, keys in asked:
        assert me.ask(path, body, origin, Authorization="").status == 400, number
        answer = me.ask(path, body, origin)
        assert answer.status == (201 if number in ("M5", "M6") else 200), (number, answer.body)
        if isinstance(keys, bytes):
            assert answer.body.startswith(keys)
            assert answer.body.endswith(b"%%EOF\n")
            continue
        told = answer.json
        if isinstance(told, dict) and "reponseDescriptor" in told:
            assert told["reponseDescriptor"]["isSuccess"] is True
            told = told["data"]
        if isinstance(keys, set | list):
            assert set(keys) <= set(told[0] if isinstance(keys, list) else told), number
        elif isinstance(keys, str):
            assert told.startswith(keys)
            assert told != told.strip()
        else:
            assert told is keys
    captcha = me.ask(f"/api/DeviceIn/{me.person.contracts[0].number}")
    assert (captcha.status, captcha.json["Code"]) == (403, 403)
    passed = me.ask(f"/api/DeviceIn/{me.person.contracts[0].number}", RecaptchaToken="captcha-passed")
    assert passed.json["devices"][0]["meterKind"] == "Consumption"
    counted = admin.counters()
    assert set(counted["endpoints"]) == {one[0] for one in asked} | {"I12", "M4", "D1", "D2"}
    assert (counted["reports_mailed"], counted["shares_removed"], counted["invitations"]) == (1, 1, 1)
    url = f"/api/contacts/{me.person.contact}/contract/{me.person.contracts[0].masa}"
    kinds = [
        row["partConnectionCode"] for row in me.ask(url, origin="masa").json["connectionBetweenContactAndContract"]
    ]
    assert kinds == [1, 2], "one was removed and one invited"


@pytest.mark.parametrize(
    ("number", "body", "status", "text"),
    [
        ("I6", {"contractNumber": "300000007"}, 401, "Contract is not associated with you."),
        ("I6", {"processType": 2}, 500, "Something went wrong please try again!"),
        ("I6", {"serviceCode": "4"}, 500, "Something went wrong please try again!"),
        ("I13", {"contractNumber": None}, 400, "Contract number is required"),
        ("I13", {"resolution": "1"}, 500, "Something went wrong please try again!"),
        ("I13", {"fromDate": "17/01/2026"}, 500, "Something went wrong please try again!"),
        ("I13", {"smartMetersList": None, "meterSerialNumber": "1", "meterCode": "1"}, 500, "Something went wrong"),
        ("I13", {"lastInvoiceDate": (TODAY - 123 * DAY).isoformat()}, 400, "Last Invoice date older than 122"),
        ("I14", {"emailAddress": "nobody"}, 500, "Something went wrong please try again!"),
        ("I17", {"invoiceNumber": 5}, 500, "Something went wrong please try again!"),
        ("I17", {"invoiceNumber": "5"}, 400, "Invoice was not found"),
        ("D3", {"cityCode": "4000"}, 400, "City was not found"),
        ("M5", {"Id": "5"}, 400, "Connection was not found"),
        ("M5", {"primaryContact": None}, 500, "Something went wrong please try again!"),
        ("M6", {"contact": "5"}, 500, "Something went wrong please try again!"),
        ("F3", {"Accounts": []}, 500, "Something went wrong please try again!"),
        ("F3", {"Accounts": ["5"]}, 401, "You're not authorized to this action!"),
    ],
)
def test_bodies_are_checked(resident, number, body, status, text):
    me = resident().signed_in()
    _, origin, path, right, _ = next(one for one in requests_of(me) if one[0] == number)
    asked = {name: value for name, value in (right | body).items() if value is not None}
    answer = me.ask(path, asked, origin)
    assert answer.status == status
    assert answer.json["Error"].startswith(text)
    assert answer.json["Rid"]


def test_the_contracts_of_a_person(resident):
    me = resident().signed_in()
    bp = me.person.partners[0]
    told = me.ask(f"/api/customer/contract/{bp}").json["data"]
    assert [(row["status"], row["smartMeter"]) for row in told["contracts"]] == [(1, True), (1, False), (2, False)]
    assert me.ask(f"/api/customer/contract/{bp}?count=1").json["data"]["contractAmount"] == 1
    wanted = told["contracts"][1]["contractId"]
    assert wanted.startswith("000")
    (only,) = me.ask(f"/api/customer/contract/{bp}?contractNumber={wanted}").json["data"]["contracts"]
    assert only["contractId"] == wanted
    assert resident("no-contracts").signed_in().person.contracts == []
    nobody = resident("no-contracts").signed_in()
    assert nobody.ask(f"/api/customer/contract/{nobody.person.partners[0]}").json["data"]["contracts"] == []


def test_partners_shared_contracts_and_strangers(resident):
    me = resident("shared").signed_in()
    assert len(me.ask("/api/customer").json["accounts"]) == 2
    profile = me.ask("/api/contacts/account/0/userprofile", origin="masa").json
    assert profile["accounts"] == []
    rows = profile["connectionBetweenContactAndContract"]
    assert [row["partConnectionCode"] for row in rows] == [1, 1, 1, 2]
    shared = str(rows[-1]["contract"]["contractAccNumberInShoval"])
    told = me.ask(f"/api/customer/mobile/{shared}").json["customer"]
    assert "lastName" not in told
    bp = told["bpNumber"]
    assert bp.zfill(10) not in me.person.partners
    assert me.ask(f"/api/Device/LastMeterReading/{shared}/{bp}").status == 200
    assert me.ask(f"/api/customer/contract/{bp}").status == 401
    assert "lastName" in me.ask(f"/api/customer/mobile/{me.person.contracts[0].number}").json["customer"]

    other = resident("other-customer").signed_in()
    assert other.ask("/api/customer").json["idNumber"] not in (other.number, me.number)


# Readings


def test_a_year_of_readings_has_every_quarter_once_and_adds_up(resident, iec):
    me = resident().signed_in()
    contract = me.person.contracts[0]
    changes = {newest_change(23): 92, newest_change(25): 100}
    days = sorted({TODAY - n * DAY for n in range(2, 40)} | set(changes))
    totals, seen = {}, set()
    for day in days:
        rows = me.rows(contract, day)
        instants = [datetime.fromisoformat(row["interval"]) for row in rows]
        begin = datetime.combine(day, clock(), JERUSALEM).astimezone(UTC)
        assert instants == [begin + n * timedelta(minutes=15) for n in range(len(rows))]
        assert instants[0].utcoffset() == timedelta(0)
        seen.update(instants)
        assert len(rows) == changes.get(day, 96)
        totals[day] = round(sum(row["consumption"] for row in rows), 3)
    assert len(seen) == 96 * (len(days) - 2) + 92 + 100
    day = TODAY - 20 * DAY
    month = {row["interval"]: row["consumption"] for row in me.rows(contract, day, 3)}
    week = {row["interval"]: row["consumption"] for row in me.rows(contract, day, 2)}
    assert len(week) == 7
    assert (
        len(month) == ((day.replace(day=1) + 32 * DAY).replace(day=1) - day.replace(day=1)).days
        or day.month == TODAY.month
    )
    midnight = datetime.combine(day, clock(), JERUSALEM).astimezone(UTC).isoformat()
    assert week[midnight] == month[midnight] == totals[day]
    answers = [me.reading(contract, one).json["meterList"][0] for one in (day, day + DAY)]
    assert round(answers[1]["totalImport"] - answers[0]["totalImport"], 3) == totals[day + DAY]
    before = me.rows(contract, day)
    iec.kill()
    iec.start()
    assert me.rows(contract, day) == before, "the same in every process"


def test_days_without_readings(resident, admin):
    me = resident().signed_in()
    contract = me.person.contracts[0]
    start = date.fromisoformat(me.reading(contract, TODAY).json["meterList"][0]["meterStartDate"])
    assert 729 <= (TODAY - start).days <= 762
    assert len(me.rows(contract, start)) == 96
    assert me.rows(contract, start - DAY) == []
    assert me.rows(contract, TODAY) == []
    assert len(me.rows(contract, TODAY - DAY)) in (92, 96, 100)
    late = resident("data-lag").signed_in()
    assert late.rows(late.person.contracts[0], TODAY - 8 * DAY) == []
    assert late.rows(late.person.contracts[0], TODAY - 9 * DAY)
    future = me.reading(contract, TODAY + 40 * DAY, 3).json["meterList"][0]
    assert future["startDate"] == TODAY.replace(day=1).isoformat(), "the future is answered with now"
    dumb = me.person.contracts[1]
    assert me.reading(dumb, TODAY - 3 * DAY).json["reportStatus"] == 1
    assert me.reading(contract, TODAY - 3 * DAY, kind="BackStream").json["meterList"] == []

    half = resident("incomplete-day").signed_in()
    house = half.person.contracts[0]
    assert len(half.rows(house, TODAY - DAY)) in (56, 60, 64)
    assert len(half.rows(house, TODAY - 10 * DAY)) in (88, 92, 96)
    zeros = resident("status-8192").signed_in()
    rows = zeros.rows(zeros.person.contracts[0], TODAY - DAY)
    missing = [row for row in rows if row["status"] == 8192]
    assert (len(missing), {row["consumption"] for row in missing}) == (36, {0.0})
    assert {row["status"] for row in zeros.rows(zeros.person.contracts[0], TODAY)} == {8192}
    month = {row["interval"]: row["consumption"] for row in half.rows(house, TODAY - DAY, 2)}
    admin.configure(incomplete_filled=True)
    whole = half.rows(house, TODAY - DAY)
    assert len(whole) in (92, 96, 100)
    assert month[whole[0]["interval"]] == round(sum(row["consumption"] for row in whole), 3), "days are filled first"


def test_late_corrections(resident, admin):
    me = resident().signed_in()
    contract, day = me.person.contracts[0], TODAY - 5 * DAY
    before, next_day = me.rows(contract, day), me.rows(contract, day + DAY)
    admin.configure(corrections=[{"contract": contract.number, "day": day.isoformat(), "factor": 1.25}])
    after = me.rows(contract, day)
    assert [row["interval"] for row in after] == [row["interval"] for row in before]
    assert sum(row["consumption"] for row in after) == pytest.approx(
        1.25 * sum(row["consumption"] for row in before), abs=0.001
    )
    assert me.rows(contract, day + DAY) == next_day
    week = {row["interval"]: row["consumption"] for row in me.rows(contract, day, 2)}
    assert week[after[0]["interval"]] == round(sum(row["consumption"] for row in after), 3)


def test_times_are_written_in_several_ways(resident):
    summer = next(TODAY - n * DAY for n in range(2, 400) if (TODAY - n * DAY).month == 7)
    for scenario, first in (
        ("ok", f"{summer - DAY}T21:00:00+00:00"),
        ("zulu-times", f"{summer - DAY}T21:00:00Z"),
        ("local-times", f"{summer}T00:00:00+03:00"),
        ("naive-times", f"{summer}T00:00:00"),
    ):
        me = resident(scenario).signed_in()
        assert me.rows(me.person.contracts[0], summer)[0]["interval"] == first
    messy = resident("unsorted").signed_in()
    rows = [row["interval"] for row in messy.rows(messy.person.contracts[0], summer)]
    assert rows != sorted(rows)
    assert len(set(rows)) == 96


def test_a_producer(resident):
    me = resident("prosumer").signed_in()
    house, roof = me.person.contracts[:2]
    day = TODAY - 3 * DAY
    bought, sold = me.rows(house, day), me.rows(house, day, kind="BackStream")
    assert {row["backStream"] for row in bought} == {0.0}
    assert [row["consumption"] for row in sold] == [row["consumption"] for row in bought]
    assert sum(row["backStream"] for row in sold) > 5
    assert me.reading(house, day, kind="BackStream").json["meterList"][0]["meterKind"] == 2
    assert me.reading(house, day).json["meterList"][0]["futureConsumptionInfo"]["totalExport"] > 0
    refused = me.ask(f"/api/Device/{roof.number}/{roof.serial}").json
    assert (refused["data"]["counterDevices"], refused["reponseDescriptor"]["code"]) == (None, "08")
    assert refused["reponseDescriptor"]["isSuccess"] is False
    assert me.reading(roof, day).json["reportStatus"] == 1
    assert sum(row["backStream"] for row in me.rows(roof, day, kind="BackStream")) > 5


def test_forecasts(resident):
    for scenario, told in (("ok", True), ("no-forecast", None), ("forecast-unset", "0001-01-01")):
        me = resident(scenario).signed_in()
        info = me.reading(me.person.contracts[0], TODAY).json["meterList"][0]["futureConsumptionInfo"]
        if told is None:
            assert info is None
        elif told is True:
            assert info["totalImport"] > 0 < info["futureConsumption"]
        else:
            assert (info["totalImportDate"], info["totalImport"]) == (told, 0)


# Invoices


def test_invoices(resident):
    me = resident().signed_in()
    contract = me.person.contracts[0]
    path = f"/api/BillingCollection/invoices/{contract.number}/{contract.bp}"
    rows = me.ask(path).json["data"]["invoices"]
    bills = [row for row in rows if row["documentID"] == "1" and row["toDate"]]
    assert (len(rows), len(bills)) == (14, 12)
    assert next(row for row in rows if row["toDate"] is None)["lastDate"] is None
    assert min(row["amountPaid"] for row in bills) < 0
    for newer, older in pairwise(bills):
        begins, ends = (datetime.fromisoformat(one) for one in (newer["fromDate"], older["toDate"]))
        assert begins - ends == DAY
    newest = bills[0]
    first, last = (datetime.fromisoformat(newest[name]).date() for name in ("fromDate", "toDate"))
    assert (TODAY - last).days <= 122
    assert date(*(int(part) for part in reversed(newest["lastDate"].split("/")))) > last
    days = [
        row
        for month in {(first + n * 20 * DAY).replace(day=1) for n in range(5)}
        for row in me.rows(contract, month, 3)
    ]
    within = {}
    for row in days:
        day = datetime.fromisoformat(row["interval"]).astimezone(JERUSALEM).date()
        if first <= day <= last:
            within[day] = row["consumption"]
    if len(within) == newest["daysPeriod"]:
        assert newest["consumption"] == round(sum(within.values()))
    open_rows = me.ask(f"{path}?onlyOpen=true").json["data"]["invoices"]
    due = me.ask(f"/api/ElectricBillsDrawers/ElectricBills/{contract.number}/{contract.bp}").json["data"]
    assert [row["invoiceId"] for row in open_rows] == [row["invoiceId"] for row in due["invoices"]]
    assert due["totalAmountToPay"] == newest["amountToPay"] > 0


@pytest.mark.parametrize("scenario", ["ok", "pdf-html", "pdf-json", "pdf-error", "pdf-empty", "pdf-truncated"])
def test_invoices_as_files(resident, scenario):
    me = resident(scenario).signed_in()
    _, _, path, body, _ = next(one for one in requests_of(me) if one[0] == "I17")
    ask = partial(me.ask, path, body, accept="application/pdf")
    if scenario == "pdf-truncated":
        with pytest.raises(IncompleteRead):
            ask()
        return
    answer = ask()
    kind = answer.headers["Content-Type"].split(";")[0]
    assert (answer.status, kind, answer.body[:4]) == {
        "ok": (200, "application/pdf", b"%PDF"),
        "pdf-html": (200, "text/html", b"<!do"),
        "pdf-json": (200, "application/json", b'{"da'),
        "pdf-error": (500, "application/json", b'{"Er'),
        "pdf-empty": (200, "application/pdf", b""),
    }[scenario]
    assert scenario != "ok" or ask().body == answer.body


# Pages without a token


def test_tariffs_are_pages_in_hebrew(resident, admin):
    me = resident()
    page = f"{me.urls['']}/api/content/he-IL/content/tariffs/contentpages/homeelectricitytariff"
    without_token = send(page).json

    def tables(told):
        return [
            [[base64.b64decode(cell["value"]).decode() for cell in line] for line in part["table"]]
            for part in told["components"]
            if part["componentType"] == "rteTableComponent"
        ]

    assert tables(without_token)[1][2] == ["חלוקה - תלת פאזי", "13.50", "15.93"]
    assert without_token["components"][5]["table"][1][2]["columnIndex"] == 2
    admin.configure(tariff_shifted=True, tariff_markup=True)
    shifted = tables(send(page).json)
    assert ["חלוקה - תלת פאזי", "<span>13.50</span>", "<span>15.93</span>"] in [line for one in shifted for line in one]
    english = send(page.replace("he-IL", "en-US"))
    assert (english.status, english.body) == (204, b"")
    assert (
        send(f"{me.urls['']}/api/content/he-IL/calculators/period").json["period_Calculator_Rates"]["homeRate"]
        == 0.5425
    )
    assert len(send(f"{me.urls['']}/api/content/he-IL/calculators/gadget").json["electric_Devices"]) == 6


# What may be wrong with answers

ODD = {
    "data-null-success": (200, lambda told: told["data"] is None and told["reponseDescriptor"]["isSuccess"]),
    "data-null-failure": (200, lambda told: told["data"] is None and not told["reponseDescriptor"]["isSuccess"]),
    "data-empty-failure": (200, lambda told: told["data"] == [] and not told["reponseDescriptor"]["isSuccess"]),
    "data-with-failure": (200, lambda told: told["data"]["contracts"] and not told["reponseDescriptor"]["isSuccess"]),
    "envelope-missing": (200, lambda told: "contracts" in told and "data" not in told),
    "descriptor-missing": (200, lambda told: set(told) == {"data"}),
    "empty-object-200": (200, lambda told: told == {}),
    "null-200": (200, lambda told: told is None),
    "201-null": (201, lambda told: told is None),
    "201-string": (201, lambda told: isinstance(told, str)),
    "error-rid": (401, lambda told: set(told) == {"Error", "Code", "Rid"}),
    "error-not-allowed": (401, lambda told: "not authorized" in told["Error"]),
    "error-500-rid": (500, lambda told: told["Code"] == 500),
    "error-no-rid": (400, lambda told: set(told) == {"Error", "Code"}),
    "unauthorized": (401, lambda told: told["Error"] == "Unauthorized"),
    "descriptor-4xx": (400, lambda told: told["reponseDescriptor"]["code"] == "42"),
    "descriptor-5xx": (500, lambda told: told["reponseDescriptor"]["code"] == "42"),
    "okta-error": (401, lambda told: told["errorSummary"]),
    "other-json-4xx": (404, lambda told: "message" in told),
    "empty-object-4xx": (400, lambda told: told == {}),
    "empty-200": (200, None),
    "204": (204, None),
    "html-200": (200, None),
    "html-403": (403, None),
    "html-500": (500, None),
    "empty-4xx": (400, None),
    "empty-5xx": (503, None),
    "broken-json": (200, None),
}


def test_every_odd_answer_can_be_ordered(resident, admin):
    me = resident().signed_in()
    path = f"/api/customer/contract/{me.person.partners[0]}"
    for word, (status, check) in ODD.items():
        admin.configure(answers=[{"path": path, "answer": word, "user": me.number}])
        answer = me.ask(path)
        assert answer.status == status, word
        if check is not None:
            assert check(answer.json), word
        elif "html" in word:
            assert b"<h1>" in answer.body
        elif word == "broken-json":
            with pytest.raises(ValueError):
                answer.json  # noqa: B018
        else:
            assert answer.body == b"", word
    for word, error in (("drop", (RemoteDisconnected, ConnectionResetError)), ("cut", IncompleteRead)):
        admin.configure(answers=[{"path": path, "answer": word}])
        with pytest.raises(error):
            me.ask(path)
    from sandbox.iec import answers

    assert set(ODD) | {"timeout", "drop", "cut"} == set(answers.ANSWERS)


def test_orders_for_answers_and_edits_are_precise(resident, admin):
    me, other = resident().signed_in(), resident().signed_in()
    second = {
        "path": "/api/contacts/userprofile",
        "answer": "204",
        "origin": "masa",
        "ordinals": [2],
        "user": me.number,
    }
    refused = {"path": "/api/customer", "answer": "error-rid", "status": 418, "code": 7, "text": "no"}
    admin.configure(answers=[second, refused | {"user": me.number}])
    ask = partial(me.ask, "/api/contacts/userprofile")
    assert [ask(origin="masa").status for _ in range(3)] == [200, 204, 200]
    assert ask(origin="faults").status == 200
    said = me.ask("/api/customer")
    assert (said.status, said.json["Code"], said.json["Error"]) == (418, 7, "no")
    assert other.ask("/api/customer").status == 200
    admin.configure(answers=[])
    admin.configure(
        edits=[
            {"path": "/api/customer/contract/.*", "field": "data.contracts.*.dueDate", "value": None},
            {"path": "/api/customer/contract/.*", "field": "data.contracts.1.status"},
        ]
    )
    rows = me.ask(f"/api/customer/contract/{me.person.partners[0]}").json["data"]["contracts"]
    assert [row["dueDate"] for row in rows] == [None] * 3
    assert ["status" in row for row in rows] == [True, False, True]
    for wrong in ({"answers": [{"path": "x", "answer": "nothing"}]}, {"edits": [{"path": "x"}]}):
        with pytest.raises(AdminError, match="Each of"):
            admin.configure(**wrong)


def test_fields_that_are_missing_null_or_new(resident):
    told = {}
    for scenario in ("ok", "missing-optional", "null-optional", "extra-fields", "missing-required"):
        told[scenario] = resident(scenario).signed_in().ask("/api/customer").json
    assert "lastName" in told["ok"]
    assert "lastName" not in told["missing-optional"]
    assert told["null-optional"]["lastName"] is None
    assert "unknownField" in told["extra-fields"]
    assert "unknownField" in told["extra-fields"]["accounts"][0]
    assert set(told["ok"]) - set(told["missing-required"]) == {"bpNumber"}


def test_what_is_private_can_be_looked_for(resident, admin):
    me = resident().signed_in()
    me.tokens |= me.refresh().json
    secrets_given = admin.secrets()
    told = me.ask("/api/customer").json
    contract = me.ask(f"/api/customer/contract/{told['bpNumber']}").json["data"]["contracts"][0]
    for kind, value in (
        ("id_numbers", me.number),
        ("names", told["firstName"]),
        ("names", told["lastName"]),
        ("mails", told["email"]),
        ("phones", told["mobilePhone"]),
        ("addresses", contract["streetName"]),
        ("tokens", me.tokens["id_token"]),
        ("tokens", me.tokens["access_token"]),
        ("tokens", me.tokens["refresh_token"]),
        ("codes", me.code()),
    ):
        assert value in secrets_given[kind]
    guest = resident("shared").signed_in()
    shared = guest.ask(f"/api/customer/mobile/{guest.person.contracts[-1].number}").json["customer"]
    assert shared["idNumber"] in admin.secrets()["id_numbers"]
    journal = json.dumps(admin.journal())
    assert me.number in journal, "the journal says who asked"
    assert not any(token in journal for token in secrets_given["tokens"])


def test_a_request_that_is_never_answered(resident, admin):
    me = resident().signed_in()
    admin.configure(answers=[{"path": "/api/customer", "answer": "timeout"}])
    with pytest.raises(TimeoutError):
        urllib.request.urlopen(
            urllib.request.Request(
                f"{me.urls['']}/api/customer", headers=HEADERS | {"Authorization": f"Bearer {me.tokens['id_token']}"}
            ),
            timeout=0.3,
        )
