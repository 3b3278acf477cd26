"""Registering, signing in and out, and changing what is known of a user, as a client of the price checker does it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from database.access.users import purge_sign_ins
from database.models.prices import AuthCode, AuthSession, OtpAttempt, PriceCheckRun, User, WatchlistItem
from tests.webhook.api.conftest import ANA, BEN, PHONES, SENDER

LATER = timedelta(minutes=20)


def test_the_whole_way(store, api):
    begun = api.post("/auth/register/start", email=" Ana@Example.com ", phone_number="(201) 555-0100")
    assert (begun.status_code, set(begun.get_json()), begun.get_json()["dev_code"]) == (
        200,
        {"message", "dev_code"},
        None,
    )
    verified = api.post("/auth/register/verify-email", email=ANA, code=api.mailed())
    assert (verified.status_code, set(verified.get_json())) == (200, {"message", "dev_code"})
    done = api.post("/auth/register/verify-phone", email=ANA, code=api.texted())
    body = done.get_json()
    assert (done.status_code, body["token_type"]) == (200, "bearer")
    fields = {
        "id",
        "email",
        "phone_number",
        "email_verified_at",
        "phone_verified_at",
        "two_factor_enabled",
        "created_at",
    }
    assert set(body["user"]) == fields
    assert (body["user"]["email"], body["user"]["phone_number"]) == (ANA, PHONES[ANA])
    assert body["user"]["two_factor_enabled"] is True
    assert datetime.fromisoformat(body["user"]["email_verified_at"]).utcoffset() == timedelta(0)
    me = api.client().get("/me", headers={"Authorization": f"Bearer {body['access_token']}"})
    assert (me.status_code, me.get_json()) == (200, body["user"])

    begun = api.post("/auth/login/start", email=ANA)
    assert (begun.status_code, begun.get_json()["dev_code"]) == (200, None)
    signed_in = api.post("/auth/login/verify", email=ANA, code=api.texted())
    assert signed_in.status_code == 200
    assert signed_in.get_json()["access_token"] != body["access_token"]
    assert signed_in.get_json()["user"] == body["user"]


def test_mail_and_text_message(api):
    api.register()
    (mail,) = api.mail_server.mails
    assert (mail["From"], mail["To"], mail["Auto-Submitted"]) == (SENDER, ANA, "auto-generated")
    assert "ends with 00" in mail.get_content().replace("\n", " ")
    (sms,) = api.twilio.messages
    assert (sms["From"], sms["To"]) == ("+12015550199", PHONES[ANA])
    assert api.twilio.keys[-1] == "AC123:twilio-token-for-tests"
    assert api.twilio.paths()[-1] == "/2010-04-01/Accounts/AC123/Messages.json"


def test_a_messaging_service_comes_before_a_number(make_api):
    api = make_api(twilio_messaging_service_sid="MG1")
    api.register()
    assert api.twilio.messages[0]["MessagingServiceSid"] == "MG1"
    assert "From" not in api.twilio.messages[0]


def test_cookie_and_header(api):
    browser = api.client()
    answer = api.register(client=browser)
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("pb_session=")
    assert {"HttpOnly", "SameSite=Lax", "Max-Age=604800", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert browser.get("/me").status_code == 200
    # The header counts, even where the cookie would do.
    assert browser.get("/me", headers={"Authorization": "Bearer wrong"}).status_code == 401
    gone = browser.post("/auth/logout")
    assert (gone.status_code, gone.data) == (204, b"")
    assert "Max-Age=0" in gone.headers["Set-Cookie"]
    refused = api.client().get("/me", headers={"Authorization": f"Bearer {answer.get_json()['access_token']}"})
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_logout_is_answered_with_204_whoever_asks(api):
    assert api.client().post("/auth/logout").status_code == 204
    assert api.client().post("/auth/logout", headers={"Authorization": "Bearer wrong"}).status_code == 204


def test_the_cookie_is_as_the_settings_say(make_api):
    api = make_api(auth_cookie_secure=True, auth_cookie_name="watch", auth_session_ttl_hours=1)
    cookie = api.register().headers["Set-Cookie"]
    assert cookie.startswith("watch=")
    assert {"Secure", "Max-Age=3600"} <= set(cookie.split("; "))


def test_a_session_ends_when_its_life_is_over(api):
    client = api.user()
    assert client.get("/me").status_code == 200
    api.turn(timedelta(hours=169))
    answer = client.get("/me")
    assert (answer.status_code, answer.get_json()["detail"]) == (401, "The token is invalid or has expired.")


def test_nothing_is_stored_by_which_one_could_sign_in(api):
    token = api.register().get_json()["access_token"]
    api.post("/auth/login/start", email=ANA)
    code = api.texted()
    with api.db.transaction() as session:
        texts = [row.token_hash for row in session.scalars(select(AuthSession))]
        texts += [row.code_hash for row in session.scalars(select(AuthCode))]
        subjects = [row.subject_key for row in session.scalars(select(OtpAttempt))]
    assert all(len(text) == 64 and token not in text and code not in text for text in texts)
    assert not any("@" in subject or PHONES[ANA].lstrip("+") in subject for subject in subjects)


def test_sign_ins_are_listed_and_ended_one_by_one_and_all_at_once(api):
    first = api.user()
    second = api.with_token(api.sign_in(headers={"User-Agent": "Telephone"}).get_json()["access_token"])
    rows = second.get("/me/sessions").get_json()
    assert (rows[0]["user_agent"], rows[0]["current"]) == ("Telephone", True)
    assert len(rows) == 2
    assert "token" not in str(rows)
    assert second.delete(f"/me/sessions/{rows[1]['id']}").status_code == 204
    assert first.get("/me").status_code == 401
    assert second.delete(f"/me/sessions/{rows[1]['id']}").status_code == 404
    third = api.with_token(api.sign_in().get_json()["access_token"])
    assert third.delete("/me/sessions?keep_current=true").status_code == 204
    assert (second.get("/me").status_code, third.get("/me").status_code) == (401, 200)
    assert third.delete("/me/sessions").status_code == 204
    assert third.get("/me").status_code == 401


def test_beginning_anew_replaces_number_and_code(api):
    api.post("/auth/register/start", email=ANA, phone_number=PHONES[BEN])
    before = api.mailed()
    api.post("/auth/register/start", email=ANA, phone_number=PHONES[ANA])
    code = api.mailed()
    if before != code:
        assert api.post("/auth/register/verify-email", email=ANA, code=before).status_code == 400
    assert api.post("/auth/register/verify-email", email=ANA, code=code).status_code == 200
    assert [sms["To"] for sms in api.twilio.messages] == [PHONES[ANA]]


def test_what_is_not_set_up_is_named(make_api):
    without_mail = make_api(mail={"smtp_address": ""})
    answer = without_mail.post("/auth/register/start", email=ANA, phone_number=PHONES[ANA])
    assert answer.status_code == 500
    assert "LATCHKEY_SMTP_ADDRESS" in answer.get_json()["detail"]
    without_sms = make_api(twilio_account_sid="")
    for email in (ANA, BEN):
        answer = without_sms.post("/auth/login/start", email=email)
        assert answer.status_code == 500
        assert "LATCHKEY_TWILIO_ACCOUNT_SID" in answer.get_json()["detail"]


def test_a_text_message_that_is_not_taken_is_told_without_its_number(api, caplog):
    api.post("/auth/register/start", email=ANA, phone_number=PHONES[ANA])
    api.twilio.status = 400
    answer = api.post("/auth/register/verify-email", email=ANA, code=api.mailed())
    assert answer.status_code == 502
    assert "error 21211" in caplog.text
    assert "555" not in caplog.text + answer.get_data(as_text=True)


def test_a_mail_that_is_not_taken_is_logged_without_its_address(api, caplog):
    api.mail_server.refuses = True
    assert api.post("/auth/register/start", email=ANA, phone_number=PHONES[ANA]).status_code == 200
    api.wait()
    assert "SMTPRecipientsRefused" in caplog.text
    assert "ana" not in caplog.text


def test_neither_codes_nor_addresses_are_logged(api, caplog):
    caplog.set_level("DEBUG")
    client = api.user()
    code = api.texted()
    api.post("/auth/login/verify", email=ANA, code="000000")
    client.delete("/me")
    for secret in (code, ANA, PHONES[ANA], client.environ_base["HTTP_AUTHORIZATION"][7:]):
        assert secret not in caplog.text


def test_development_mode_shows_codes_and_sends_nothing(make_api):
    api = make_api(auth_dev_mode=True, mail={"smtp_address": ""}, twilio_account_sid="")
    code = api.post("/auth/register/start", email=ANA, phone_number=PHONES[ANA]).get_json()["dev_code"]
    code = api.post("/auth/register/verify-email", email=ANA, code=code).get_json()["dev_code"]
    assert api.post("/auth/register/verify-phone", email=ANA, code=code).status_code == 200
    code = api.post("/auth/login/start", email=ANA).get_json()["dev_code"]
    assert api.post("/auth/login/verify", email=ANA, code=code).status_code == 200
    assert api.post("/auth/login/start", email=BEN).get_json()["dev_code"] is None
    assert (api.mail_server.mails, api.twilio.messages) == ([], [])


@pytest.mark.parametrize("what", ["email", "phone"])
def test_an_address_is_changed_when_the_new_one_is_verified(api, what):
    client = api.user()
    other = api.with_token(api.sign_in().get_json()["access_token"])
    new = {"email": BEN} if what == "email" else {"phone_number": PHONES[BEN]}
    assert client.post(f"/me/{what}/start", json=new).status_code == 200
    assert client.get("/me").get_json()["email"] == ANA
    code = api.mailed(BEN) if what == "email" else api.texted(PHONES[BEN])
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    assert client.post(f"/me/{what}/verify", json={"code": wrong}).status_code == 400
    changed = client.post(f"/me/{what}/verify", json={"code": code})
    assert changed.status_code == 200
    assert new.items() <= changed.get_json().items()
    assert client.post(f"/me/{what}/verify", json={"code": code}).status_code == 400
    assert (client.get("/me").status_code, other.get("/me").status_code) == (200, 401)
    api.wait()
    notice = api.mail_server.mails[-1]
    assert notice["To"] == ANA
    assert "was changed" in notice.get_content()
    api.post("/auth/login/start", email=BEN if what == "email" else ANA)
    assert api.texted(PHONES[ANA] if what == "email" else PHONES[BEN])


def test_an_old_sign_in_changes_no_address_and_deletes_nothing(api):
    client = api.user()
    api.turn(LATER)
    for call in (
        lambda: client.post("/me/email/start", json={"email": BEN}),
        lambda: client.post("/me/email/verify", json={"code": "000000"}),
        lambda: client.post("/me/phone/start", json={"phone_number": PHONES[BEN]}),
        lambda: client.post("/me/phone/verify", json={"code": "000000"}),
        lambda: client.delete("/me"),
    ):
        answer = call()
        assert (answer.status_code, answer.get_json()["detail"]) == (
            403,
            "Sign in again first: this needs a recent sign-in.",
        )
    assert client.get("/me").status_code == 200


def test_an_account_is_deleted_with_all_that_is_its_own(store, api):
    ana, ben = api.user(), api.user(BEN)
    for client in (ana, ben):
        api.fail(api.item(client))
    api.post("/auth/login/start", email=ANA)
    api.wait()
    answer = ana.delete("/me")
    assert (answer.status_code, answer.data) == (204, b"")
    assert ana.get("/me").status_code == 401
    assert ben.get("/me").status_code == 200
    with api.db.transaction() as session:
        counts = [session.scalar(select(func.count()).select_from(of)) for of in (User, WatchlistItem, PriceCheckRun)]
        assert counts == [1, 1, 1]
        assert session.scalar(select(func.count()).select_from(AuthSession)) == 1


def test_what_has_ended_is_forgotten(store, api):
    api.user()
    api.post("/auth/register/start", email=BEN, phone_number=PHONES[BEN])
    api.wait()
    with api.db.transaction() as session:
        assert purge_sign_ins(session) == 0
        session.scalars(select(User).where(User.email == BEN)).one().created_at -= timedelta(days=2)
    api.turn(timedelta(days=8))
    with api.db.transaction() as session:
        assert purge_sign_ins(session) > 3
    with api.db.transaction() as session:
        assert [user.email for user in session.scalars(select(User))] == [ANA]
        for model in (AuthCode, AuthSession, OtpAttempt):
            assert session.scalar(select(func.count()).select_from(model)) == 0
