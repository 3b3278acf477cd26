"""Registering, signing in and out on the pages, without JavaScript."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.webhook.api.conftest import ANA, BEN, PHONES
from tests.webhook.pages.conftest import Visitor, beside, words


def test_the_whole_way(store, visitor):
    assert words(visitor.open("/")).startswith("Sign in first. Sign in")
    done = visitor.register()
    assert done.request.path == "/prices/items"
    assert words(done).startswith("You are registered and signed in. Products")
    assert "Nothing is watched yet." in words(done)
    assert words(visitor.open("/prices/sign-in")).startswith("Products")
    assert words(visitor.open("/prices/register")).startswith("Products")
    visitor.send("/prices/sign-out")
    assert words(visitor.sign_in()).startswith("You are signed in. Products")


def test_the_pages_and_the_api_share_sign_in_and_cookie(visitor):
    visitor.register()
    assert visitor.client.get("/me").get_json()["email"] == ANA
    visitor.send("/prices/sign-out")
    assert visitor.client.get("/me").status_code == 401


def test_what_is_wrong_stands_beside_the_field(visitor):
    visitor.open("/prices/register")
    answer = visitor.send("/prices/register", email="ana@", phone_number="12")
    assert answer.status_code == 422
    assert beside(answer, "email") == "A mail address looks like ana@example.com."
    assert beside(answer, "phone_number").startswith("A phone number has its country")
    assert 'value="ana@"' in answer.text
    assert 'aria-invalid="true"' in answer.text
    visitor.open("/prices/sign-in")
    assert beside(visitor.send("/prices/sign-in", email=""), "email") == "A mail address looks like ana@example.com."


@pytest.mark.parametrize("code", ["", "12345", "abcdef", "000000"])
def test_a_wrong_code_is_told_beside_it(visitor, code):
    visitor.register()
    visitor.send("/prices/sign-out")
    visitor.send("/prices/sign-in", email=ANA)
    real = visitor.api.texted()
    answer = visitor.send("/prices/sign-in/code", code=code if code != real else "999999")
    assert answer.status_code in (400, 422)
    assert beside(answer, "code") in ("A code has six digits.", "The code is wrong or has expired.")
    assert words(visitor.send("/prices/sign-in/code", code=real)).startswith("You are signed in.")


def test_too_many_wrong_codes(make_api):
    visitor = Visitor(make_api(auth_otp_max_attempts=2))
    visitor.open("/prices/sign-in")
    visitor.send("/prices/sign-in", email=ANA)
    answers = [visitor.send("/prices/sign-in/code", code=f"00000{number}") for number in range(2)]
    assert [answer.status_code for answer in answers] == [400, 429]
    assert beside(answers[1], "code") == "Too many wrong codes: try again later."


def test_pages_do_not_tell_who_is_registered(visitor):
    Visitor(visitor.api).register()
    shown = []
    for email in (ANA, BEN):
        visitor.open("/prices/sign-in")
        shown.append(words(visitor.send("/prices/sign-in", email=email)))
        visitor.open("/prices/register")
        shown.append(words(visitor.send("/prices/register", email=email, phone_number=PHONES[BEN])))
    assert shown[:2] == shown[2:]


def test_a_sending_that_comes_too_soon(make_api):
    visitor = Visitor(make_api(auth_resend_seconds=60))
    visitor.open("/prices/sign-in")
    visitor.send("/prices/sign-in", email=ANA)
    visitor.open("/prices/sign-in")
    answer = visitor.send("/prices/sign-in", email=ANA)
    assert (answer.status_code, beside(answer, "email")) == (429, "Too many codes were asked for: try again later.")


def test_what_is_not_set_up_is_named(make_api):
    visitor = Visitor(make_api(mail={"smtp_address": ""}))
    visitor.open("/prices/register")
    answer = visitor.send("/prices/register", email=ANA, phone_number=PHONES[ANA])
    assert (answer.status_code, "Mail is not set up" in words(answer)) == (500, True)


def test_development_mode_shows_the_code_on_this_machine(make_api):
    visitor = Visitor(make_api(auth_dev_mode=True))
    visitor.open("/prices/register")
    answer = visitor.send("/prices/register", email=ANA, phone_number=PHONES[ANA])
    assert "Development mode: the code is" in words(answer)
    code = words(answer).split("the code is ")[1][:6]
    assert "text message" in words(visitor.send("/prices/register/email", code=code))
    visitor.client.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    visitor.open("/prices/register")
    answer = visitor.send("/prices/register", email=BEN, phone_number=PHONES[BEN])
    assert "Development mode" not in words(answer)


def test_a_session_that_was_put_into_a_browser_is_not_taken_on(visitor):
    attacker = visitor.api.register(BEN).get_json()["access_token"]
    visitor.client.set_cookie("pb_session", attacker)
    visitor.open("/prices/account")
    visitor.send("/prices/sign-out")
    visitor.client.set_cookie("pb_session", "A" * 43)
    visitor.register()
    token = visitor.client.get_cookie("pb_session").value
    assert token not in (attacker, "A" * 43)
    assert visitor.client.get("/me").get_json()["email"] == ANA


def test_a_sign_in_that_has_ended_leads_to_the_sign_in(ana):
    ana.api.turn(timedelta(hours=169))
    assert words(ana.open("/prices/items")).startswith("Sign in first.")
