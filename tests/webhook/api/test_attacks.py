"""What an attacker can try at the routes of users, and what comes of it."""

from __future__ import annotations

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import delete, event, func, select

from database.families.prices import history
from database.models.prices import AuthCode, OtpAttempt, User
from database.settings import SettingsError
from tests.webhook.api.conftest import ANA, BEN, PHONES, PRODUCT
from tests.webhook.conftest import GATEWAY, READER

WRONG = "The code is wrong or has expired."


def another(code, by=1):
    return f"{(int(code) + by) % 10**6:06d}"


def from_address(api, address):
    client = api.client()
    client.environ_base["REMOTE_ADDR"] = address
    return client


# Brute force


def test_the_fifth_wrong_code_blocks_also_the_right_one(store, api):
    api.register()
    api.post("/auth/login/start", email=ANA)
    code = api.texted()
    answers = [api.post("/auth/login/verify", email=ANA, code=another(code, by)) for by in range(1, 6)]
    assert [answer.status_code for answer in answers] == [400, 400, 400, 400, 429]
    assert answers[0].get_json()["detail"] == WRONG
    assert int(answers[4].headers["Retry-After"]) == 1800
    assert api.post("/auth/login/verify", email=ANA, code=code).status_code == 429
    api.turn(timedelta(minutes=31))
    api.post("/auth/login/start", email=ANA)
    assert api.post("/auth/login/verify", email=ANA, code=api.texted()).status_code == 200
    with api.db.transaction() as session:  # success forgets what was counted; the codes that were sent stay counted
        assert (
            session.scalar(select(func.count()).select_from(OtpAttempt).where(OtpAttempt.blocked_until.is_not(None)))
            == 0
        )


def test_a_failure_after_the_window_is_the_first_one(make_api):
    api = make_api(auth_code_ttl_minutes=600, auth_code_guesses=100)
    api.register()
    api.post("/auth/login/start", email=ANA)
    code = api.texted()
    for _ in range(3):
        for by in range(1, 5):
            assert api.post("/auth/login/verify", email=ANA, code=another(code, by)).status_code == 400
        api.turn(timedelta(minutes=16))
    assert api.post("/auth/login/verify", email=ANA, code=code).status_code == 200


@pytest.mark.parametrize("path", ["/auth/register/verify-email", "/auth/register/verify-phone", "/auth/login/verify"])
def test_each_purpose_is_counted_alone_and_unknown_users_like_known_ones(make_api, path):
    api = make_api(auth_otp_max_attempts=2)
    api.register()
    for email in (ANA, BEN):
        statuses = [api.post(path, email=email, code=f"00000{by}").status_code for by in range(3)]
        assert statuses == [400, 429, 429]


def test_guesses_from_many_addresses_make_the_code_void(store, make_api):
    api = make_api(auth_code_guesses=6)
    api.register()
    api.post("/auth/login/start", email=ANA)
    code = api.texted()
    for number in range(6):
        client = from_address(api, f"203.0.113.{number}")
        assert api.post("/auth/login/verify", client, email=ANA, code=another(code, number + 1)).status_code == 400
    assert api.post("/auth/login/verify", email=ANA, code=code).status_code == 400


def test_addresses_of_one_ipv6_customer_are_one(make_api):
    api = make_api(auth_otp_max_attempts=3)
    statuses = []
    for number in range(3):
        client = from_address(api, f"2001:db8:1:2:{number + 1:x}::9")
        statuses.append(api.post("/auth/login/verify", client, email=ANA, code="000000").status_code)
    assert statuses == [400, 400, 429]
    elsewhere = from_address(api, "2001:db8:1:3::9")
    assert api.post("/auth/login/verify", elsewhere, email=ANA, code="000000").status_code == 400


def test_guesses_at_once_are_counted_like_guesses_in_turn(store, api):
    api.register()
    api.post("/auth/login/start", email=ANA)
    code = api.texted()
    with ThreadPoolExecutor(8) as crowd:
        guesses = [
            crowd.submit(api.post, "/auth/login/verify", email=ANA, code=another(code, by)) for by in range(1, 17)
        ]
        statuses = sorted(guess.result().status_code for guess in guesses)
    assert statuses == [400] * 4 + [429] * 12


def test_one_address_asks_only_so_often(make_api):
    api = make_api(auth_rate="5 per minute")
    statuses = [api.post("/auth/login/verify", email=f"{n}@example.com", code="000000").status_code for n in range(6)]
    assert statuses == [400] * 5 + [429]
    limited = api.post("/auth/login/start", email=ANA)
    assert limited.status_code == 429
    assert limited.mimetype == "application/problem+json"
    assert 0 < int(limited.headers["Retry-After"]) <= 61
    assert api.post("/auth/login/verify", from_address(api, "203.0.113.7"), email=ANA, code="000000").status_code == 400


# Replay


def test_a_code_is_used_once(store, api):
    api.register()
    api.post("/auth/login/start", email=ANA)
    code, begin = api.texted(), threading.Barrier(4)

    def use():
        begin.wait(10)
        return api.post("/auth/login/verify", email=ANA, code=code).status_code

    with ThreadPoolExecutor(4) as crowd:
        assert sorted(each.result() for each in [crowd.submit(use) for _ in range(4)]) == [200, 400, 400, 400]


def test_a_code_is_for_its_purpose_its_user_and_its_time(api):
    api.post("/auth/register/start", email=ANA, phone_number=PHONES[ANA])
    code = api.mailed()
    assert api.post("/auth/register/verify-phone", email=ANA, code=code).status_code == 400
    assert api.post("/auth/login/verify", email=ANA, code=code).status_code == 400
    api.post("/auth/register/start", email=BEN, phone_number=PHONES[BEN])
    if api.mailed(BEN) != code:
        assert api.post("/auth/register/verify-email", email=BEN, code=code).status_code == 400
    api.turn(timedelta(minutes=11))
    assert api.post("/auth/register/verify-email", email=ANA, code=code).status_code == 400


def test_only_the_newest_code_counts(api):
    api.register()
    codes = []
    for _ in range(2):
        api.post("/auth/login/start", email=ANA)
        codes.append(api.texted())
    if codes[0] != codes[1]:
        assert api.post("/auth/login/verify", email=ANA, code=codes[0]).status_code == 400
    assert api.post("/auth/login/verify", email=ANA, code=codes[1]).status_code == 200


def test_a_code_vouches_for_no_number_that_came_after_it(api):
    """Somebody else begins the registration anew, with a phone of theirs, before the code of the mail is used."""
    api.post("/auth/register/start", email=ANA, phone_number=PHONES[ANA])
    code = api.mailed()
    with api.db.transaction() as session:
        session.scalars(select(User).where(User.email == ANA)).one().phone_number = PHONES[BEN]
    assert api.post("/auth/register/verify-email", email=ANA, code=code).status_code == 400
    assert api.twilio.messages == []


def test_the_phone_alone_completes_no_registration(api):
    api.post("/auth/register/start", email=ANA, phone_number=PHONES[ANA])
    api.post("/auth/register/verify-email", email=ANA, code=api.mailed())
    code = api.texted()
    api.post("/auth/register/start", email=ANA, phone_number=PHONES[ANA])
    api.wait()
    assert api.post("/auth/register/verify-phone", email=ANA, code=code).status_code == 400


def test_a_deleted_user_s_token_is_worth_nothing(api):
    client = api.user()
    client.delete("/me")
    assert client.get("/me").status_code == 401


# Resend flood


@pytest.mark.parametrize("email", [ANA, BEN])
def test_codes_are_sent_only_so_often_to_known_and_unknown_addresses_alike(make_api, email):
    api = make_api(auth_resend_seconds=60, auth_resend_cap=3)
    api.register()
    statuses, waits = [], []
    for _ in range(4):
        for _ in range(2):
            answer = api.post("/auth/login/start", email=email)
            statuses.append(answer.status_code)
            waits.append(int(answer.headers.get("Retry-After", 0)))
        api.turn(timedelta(seconds=61))
    assert statuses == [200, 429, 200, 429, 200, 429, 429, 429]
    assert waits[1] == 60
    assert waits[-1] > 3000
    api.wait()
    assert len(api.twilio.messages) == (4 if email == ANA else 1)  # one of them of the registration


def test_a_registration_floods_no_phone(make_api):
    api = make_api(auth_resend_cap=2)
    statuses = []
    for name in ("a", "b", "c"):
        email = f"{name}@example.com"
        api.post("/auth/register/start", email=email, phone_number=PHONES[ANA])
        statuses.append(api.post("/auth/register/verify-email", email=email, code=api.mailed(email)).status_code)
    assert statuses == [200, 200, 429]
    assert len(api.twilio.messages) == 2
    api.turn(timedelta(hours=2))
    api.post("/auth/register/start", email=email, phone_number=PHONES[ANA])
    assert api.post("/auth/register/verify-email", email=email, code=api.mailed(email)).status_code == 200


# Enumeration


def statements(api, call):
    """Return the answer of a call and the statements that were sent to the database for it."""
    sent = []

    def note(connection, cursor, statement, *rest):
        sent.append(statement)

    event.listen(api.db.engine, "before_cursor_execute", note)
    try:
        return call(), sent
    finally:
        event.remove(api.db.engine, "before_cursor_execute", note)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/auth/register/start", {"phone_number": PHONES[ANA]}),
        ("/auth/register/verify-email", {"code": "000000"}),
        ("/auth/register/verify-phone", {"code": "000000"}),
        ("/auth/login/start", {}),
        ("/auth/login/verify", {"code": "000000"}),
    ],
)
def test_no_answer_tells_whether_an_address_is_registered(api, monkeypatch, path, body):
    """Not by status, header or body, nor by what is done before the answer: the same statements, and nothing is sent."""
    api.register()
    api.post("/auth/login/start", email=ANA)  # a code is open
    api.wait()
    put_off = []
    monkeypatch.setattr(api.sender, "later", put_off.append)
    seen = []
    for email in (ANA, "nobody@example.com"):
        with api.db.transaction() as session:
            session.execute(delete(OtpAttempt))  # whether somebody has asked before is no secret, and costs an INSERT
        answer, sent = statements(api, lambda email=email: api.post(path, email=email, **body))
        headers = {name: text for name, text in answer.headers if name != "Date"}
        seen.append((answer.status_code, headers, answer.get_json(), sent))
    assert seen[0] == seen[1]
    assert len(put_off) in (0, 2)
    assert seen[0][0] == (400 if "code" in body else 200)


def test_who_is_registered_is_told_by_mail_alone(api):
    api.register()
    before = len(api.mail_server.mails)
    api.post("/auth/register/start", email=ANA, phone_number=PHONES[BEN])
    api.wait()
    (notice,) = api.mail_server.mails[before:]
    assert "is registered already" in " ".join(notice.get_content().split())
    client = api.with_token(api.sign_in().get_json()["access_token"])
    assert client.get("/me").get_json()["phone_number"] == PHONES[ANA]
    assert client.post("/me/email/start", json={"email": ANA}).get_json() == {
        "message": "If this can be done for the address, a code is on its way to it.",
        "dev_code": None,
    }


def test_a_registration_that_was_only_begun_keeps_no_address_from_its_owner(store, api):
    client = api.user()
    api.post("/auth/register/start", email=BEN, phone_number="+12015550107")
    api.wait()  # its mail comes first
    client.post("/me/email/start", json={"email": BEN})
    assert client.post("/me/email/verify", json={"code": api.mailed(BEN)}).get_json()["email"] == BEN


def test_an_address_that_was_registered_meanwhile_is_not_taken_over(api):
    client = api.user()
    client.post("/me/email/start", json={"email": BEN})
    code = api.mailed(BEN)
    api.register(BEN)
    assert client.post("/me/email/verify", json={"code": code}).status_code == 400
    assert client.get("/me").get_json()["email"] == ANA


# Other sites, and sessions from elsewhere

OTHER_SITES = [
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://evil.localhost"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
]


@pytest.mark.parametrize("headers", OTHER_SITES, ids=lambda headers: "-".join(headers.values()))
def test_a_page_of_another_site_changes_nothing_with_the_cookie(api, headers):
    browser = api.client()
    api.register(client=browser)
    item = api.item(browser)
    for method, path in (
        ("POST", "/me/watchlist-items"),
        ("PATCH", f"/me/watchlist-items/{item}"),
        ("DELETE", f"/me/watchlist-items/{item}"),
        ("POST", f"/me/watchlist-items/{item}/check"),
        ("POST", "/me/email/start"),
        ("DELETE", "/me/sessions"),
        ("DELETE", "/me"),
        ("POST", "/auth/logout"),
        ("POST", "/auth/login/verify"),
    ):
        body = {"product_url": PRODUCT, "threshold": 1, "email": BEN, "code": "000000"}
        answer = browser.open(path, method=method, json=body, headers=headers)
        assert (answer.status_code, answer.get_json()["detail"]) == (403, "A page of another site may not do that.")
    assert browser.get("/me", headers=headers).status_code == 200
    assert "Access-Control-Allow-Origin" not in browser.get("/me", headers=headers).headers
    assert len(browser.get("/me/watchlist-items").get_json()) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://localhost"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:8000"},
    ],
)
def test_own_pages_and_clients_that_are_no_browser_change_what_they_may(api, headers):
    browser = api.client()
    api.register(client=browser)
    answer = browser.post("/me/watchlist-items", json={"product_url": PRODUCT, "threshold": 1}, headers=headers)
    assert answer.status_code == 201


def test_a_form_of_another_site_signs_nobody_in(api):
    api.register()
    api.post("/auth/login/start", email=ANA)
    body = f'{{"email": "{ANA}", "code": "{api.texted()}"}}'
    answer = api.client().post("/auth/login/verify", data=body, content_type="text/plain")
    assert answer.status_code == 422


def test_a_session_that_was_put_into_a_browser_is_not_taken_on(api):
    """Session fixation: the token after signing in is a new one, and the one that was there before ends."""
    attacker = api.register(BEN).get_json()["access_token"]
    browser = api.client()
    browser.set_cookie("pb_session", attacker)
    token = api.register(client=browser).get_json()["access_token"]
    assert token != attacker
    assert browser.get("/me").get_json()["email"] == ANA
    assert api.with_token(attacker).get("/me").status_code == 401
    made_up = api.client()
    made_up.set_cookie("pb_session", "A" * 43)
    assert api.sign_in(client=made_up).get_json()["access_token"] != "A" * 43


# Rows of others, and routes of others


def test_rows_of_others_are_as_if_they_were_not_there(store, api):
    ana, ben = api.user(), api.user(BEN)
    item = api.item(ana)
    api.fail(item)
    session_id = ana.get("/me/sessions").get_json()[0]["id"]
    for number in (item, item + 1000):
        answers = [
            ben.get(f"/me/watchlist-items/{number}"),
            ben.patch(f"/me/watchlist-items/{number}", json={"threshold": 1}),
            ben.delete(f"/me/watchlist-items/{number}"),
            ben.post(f"/me/watchlist-items/{number}/check"),
            ben.get(f"/me/watchlist-items/{number}/check/1"),
            ben.get(f"/me/watchlist-items/{number}/runs"),
        ]
        assert {answer.status_code for answer in answers} == {404}
        assert {answer.get_json()["detail"] for answer in answers} == {"There is no such item."}
    assert ben.delete(f"/me/sessions/{session_id}").status_code == 404
    assert ben.get("/me/watchlist-items").get_json() == []
    assert ana.get("/me").status_code == 200
    assert ana.get(f"/me/watchlist-items/{item}").get_json()["threshold"] == 20
    with api.db.transaction() as session:
        assert len(history(session, item)) == 1


def test_tokens_of_gateways_and_readers_are_none_of_users_and_the_other_way_round(api):
    token = {"Authorization": f"Bearer {api.register().get_json()['access_token']}"}
    for headers in (GATEWAY, READER):
        assert api.client().get("/me", headers=headers).status_code == 401
    for method, path in (("POST", "/sms"), ("GET", "/code?receiver=1"), ("GET", "/status")):
        assert api.client().open(path, method=method, headers=token, json={"key": "x"}).status_code == 401
    assert api.client().get("/docs/openapi.json", headers=token).status_code == 200
    assert api.client().get("/docs/openapi.json").status_code == 401


def test_every_route_of_users_wants_a_user(api):
    """But for those that say otherwise."""
    paths = api.app.api_doc["paths"]
    ours = [(path, method) for path, methods in paths.items() if path.startswith("/me") for method in methods]
    assert len(ours) > 15
    for path, method in ours:
        answer = api.client().open(re.sub(r"\{\w+\}", "1", path), method=method.upper(), json={})
        assert (answer.status_code, answer.get_json()["status"]) == (401, 401), path


# Development mode


@pytest.mark.parametrize(
    ("headers", "environ", "webhook"),
    [
        ({}, {"REMOTE_ADDR": "192.0.2.7"}, {}),
        ({"X-Forwarded-For": "192.0.2.7"}, {}, {}),
        ({"Forwarded": "for=192.0.2.7"}, {}, {}),
        ({"Host": "rebound.example"}, {}, {}),
        ({}, {}, {"webhook_proxies": 1}),
    ],
)
def test_development_mode_shows_codes_to_this_machine_alone(make_api, headers, environ, webhook):
    api = make_api(auth_dev_mode=True, webhook=webhook)
    client = api.client()
    client.environ_base.update(environ)
    answer = api.post("/auth/register/start", client, headers, email=ANA, phone_number=PHONES[ANA])
    assert (answer.status_code, answer.get_json()["dev_code"]) == (200, None)
    assert api.mailed()


@pytest.mark.parametrize(("setting", "named"), [("auth_dev_mode", "LATCHKEY_AUTH_DEV_MODE"), ("legacy_routes", "LATCHKEY_LEGACY_ROUTES")])  # fmt: skip
def test_what_is_for_this_machine_alone_is_not_served_to_others(make_api, setting, named):
    with pytest.raises(SettingsError, match=f"{named} is on"):
        make_api(webhook={"webhook_host": "0.0.0.0"}, **{setting: True})


def test_codes_are_counted_without_their_number_of_rows_growing(api):
    api.register()
    for _ in range(3):
        api.post("/auth/login/start", email=ANA)
    api.wait()
    with api.db.transaction() as session:
        open_ones = select(func.count()).select_from(AuthCode).where(AuthCode.consumed_at.is_(None))
        assert session.scalar(open_ones) == 1


# What no client sends

ODD = [
    "a\x00b@example.com",
    "a\ud800@example.com",
    "\ud800" * 6,
    "\x00" * 6,
    "١٢٣٤٥٦",
    "x" * 5000,
    10**400,
    -1,
    1.5,
    True,
    None,
    [],
    {},
]


def test_whatever_is_sent_no_route_breaks(store, make_api):
    """Each field of each body gets each odd value, and each query too: an answer below 500, from both databases."""
    api = make_api(legacy_routes=True, auth_resend_cap=100, user_rate="100000 per minute", check_wait=0)
    client = api.user()
    item = api.item(client)
    good = {"email": BEN, "phone_number": PHONES[BEN], "code": "000000", "product_url": PRODUCT, "threshold": 1}
    posts = ["/auth/register/start", "/auth/register/verify-email", "/auth/login/verify", "/me/email/start"]
    posts += ["/me/email/verify", "/me/watchlist-items", "/users"]
    for value in ODD:
        for field in (*good, "label", "selector", "country", "alerts", "failing_after"):
            body = json.dumps({**good, field: value}).replace("NaN", "null")
            for path in posts if field in ("email", "code", "phone_number") else ["/me/watchlist-items"]:
                answer = client.post(path, data=body, content_type="application/json")
                assert answer.status_code < 500, (path, field, value)
            answer = client.patch(f"/me/watchlist-items/{item}", data=body, content_type="application/json")
            assert answer.status_code < 500, (field, value)
    for query in ("q=%00", "q=%ED%A0%80", "q=%FF", "country=%00", "sort=%00", "limit=1e3", "below_threshold=%00"):
        assert client.get(f"/me/watchlist-items?{query}").status_code < 500, query
    for query in ("since=9999-12-31T23:59:59-12:00", "until=0001-01-01T00:00:00%2B12:00", "since=%00", "since=1e400"):
        assert client.get(f"/me/watchlist-items/{item}/runs?{query}").status_code < 500, query
    strange = {"User-Agent": "\xff\x00" * 300}
    api.post("/auth/login/start", email=ANA)
    assert api.post("/auth/login/verify", None, strange, email=ANA, code=api.texted()).status_code == 200
    for token in ("\xff", "a" * 9000, "\x00"):
        assert api.client().get("/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401
