"""The sign-in as what it is: a generator that is given answers, without a network, a clock or a database."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from scrapy import Request
from scrapy.http import HtmlResponse, TextResponse

from database.access.credentials import Credential
from scrapers.core.outcomes import CredentialMalformed, MfaFailed, MfaRequired, TokenUntrusted, UnexpectedAnswer
from scrapers.logins.conversation import AskCode, Choose
from scrapers.portals.iec.errors import IdNumberRefused, IECLoginError, SlowDown, UserLocked
from scrapers.portals.iec.login import IecLogin, factor_kind, hidden_fields

ID_NUMBER = "123456782"
SMS = {"id": "first", "factorType": "email", "profile": {"email": "0...7@sns.iec.co.il"}}
MAIL = {"id": "second", "factorType": "email", "profile": {"email": "n...e@example.org"}}


def credential(number: str = ID_NUMBER, receiver: str | None = None) -> Credential:
    return Credential("iec", "home", number, receiver=receiver)


def answer(step: Any, data: object, status: int = 200) -> TextResponse:
    request: Request = step.request
    return TextResponse(request.url, status=status, body=json.dumps(data).encode(), encoding="utf-8", request=request)


def begin(*factors: object, receiver: str | None = None) -> tuple[Any, Any]:
    """Hold the conversation up to where a factor is chosen."""
    talk = IecLogin().converse(credential(receiver=receiver))
    first = next(talk)
    assert json.loads(first.request.body) == {"username": f"{ID_NUMBER}@iec.co.il"}
    assert first.submits
    return talk, talk.send(answer(first, {"stateToken": "state-token", "_embedded": {"factors": list(factors)}}))


def chosen(act: Any) -> str:
    return str(urlsplit(act.request.url).path.split("/")[-2])


@pytest.mark.parametrize("factors", [(SMS, MAIL), (MAIL, SMS)], ids=["sms first", "mail first"])
@pytest.mark.parametrize(("wish", "expected"), [("sms", "first"), ("mail", "second"), ("email", "second")])
def test_the_setting_chooses_the_factor(monkeypatch, factors, wish, expected):
    monkeypatch.setenv("IEC_FACTOR", wish)
    _, act = begin(*factors)
    assert chosen(act) == expected


def test_the_person_in_front_chooses_where_nothing_is_set():
    talk, act = begin(SMS, MAIL)
    assert act == Choose("Send the code by", ["sms", "mail"])
    sending = talk.send("mail")
    assert (chosen(sending), sending.sends_code) == ("second", "mail")


@pytest.mark.parametrize(
    ("receiver", "expected"),
    [
        (None, "first"),
        ("+15550100123", "first"),
        ("codes@example.com", "second"),
        ("+15550100123,codes@example.com", "first"),
    ],
)
def test_with_nobody_in_front_the_receiver_decides(receiver, expected):
    talk, act = begin(MAIL, SMS, receiver=receiver)
    assert isinstance(act, Choose)
    assert chosen(talk.send("")) == expected


def test_the_only_factor_is_taken():
    _, act = begin(MAIL)
    assert (chosen(act), act.sends_code) == ("second", "mail")


def test_no_factor_is_a_second_factor_that_nobody_can_answer():
    with pytest.raises(MfaRequired):
        begin()


def test_a_message_by_the_company_s_gateway_is_a_text_message():
    assert [factor_kind(SMS), factor_kind(MAIL), factor_kind({"factorType": "push"})] == ["sms", "mail", "push"]


def test_a_pasted_code_loses_its_spaces_and_keeps_its_zeros():
    talk, sending = begin(SMS)
    asked = talk.send(answer(sending, {"status": "MFA_CHALLENGE"}))
    assert asked == AskCode("sms")
    typed = talk.send(" 012 345\u00a0")
    assert json.loads(typed.request.body)["passCode"] == "012345"


def test_three_wrong_codes_and_one_request_for_a_code():
    talk, sending = begin(SMS)
    act = talk.send(answer(sending, {"status": "MFA_CHALLENGE"}))
    refused = {"errorCode": "E0000068", "errorSummary": "Invalid Passcode/Answer", "errorCauses": []}
    asked = [act]
    for _ in range(2):
        step = talk.send("123456")
        assert not step.sends_code
        asked.append(talk.send(answer(step, refused, 403)))
    step = talk.send("123456")
    with pytest.raises(MfaFailed) as failure:
        talk.send(answer(step, refused, 403))
    assert [each.again for each in asked] == [False, True, True]
    assert "E0000068: Invalid Passcode/Answer" in str(failure.value)
    assert isinstance(failure.value, IECLoginError)


def test_a_user_who_is_locked_after_a_code_is_asked_for_no_other():
    talk, sending = begin(SMS)
    talk.send(answer(sending, {"status": "MFA_CHALLENGE"}))
    step = talk.send("123456")
    with pytest.raises(UserLocked, match="LOCKED_OUT"):
        talk.send(answer(step, {"status": "LOCKED_OUT"}))


def test_a_user_who_is_locked_is_sent_no_code():
    talk = IecLogin().converse(credential())
    with pytest.raises(UserLocked):
        talk.send(answer(next(talk), {"status": "LOCKED_OUT", "_embedded": {}}))


def test_a_status_that_is_unknown_after_a_code_ends_the_sign_in():
    talk, sending = begin(SMS)
    talk.send(answer(sending, {"status": "MFA_CHALLENGE"}))
    step = talk.send("123456")
    with pytest.raises(UnexpectedAnswer, match="PASSWORD_EXPIRED"):
        talk.send(answer(step, {"status": "PASSWORD_EXPIRED"}))


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [(401, "E0000004", IdNumberRefused), (429, "E0000047", SlowDown), (403, "E0000079", IECLoginError)],
)
def test_what_okta_refuses_has_its_code_and_text(status, code, expected):
    talk = IecLogin().converse(credential())
    first = next(talk)
    with pytest.raises(expected) as failure:
        talk.send(answer(first, {"errorCode": code, "errorSummary": "Because."}, status))
    assert (failure.value.error_code, failure.value.error) == (code, "Because.")


@pytest.mark.parametrize("body", [b"", b"null", b"<html>sorry</html>", b"[]"])
def test_an_answer_that_is_none_is_named_with_its_status(body):
    talk = IecLogin().converse(credential())
    first = next(talk)
    with pytest.raises(UnexpectedAnswer, match="200"):
        talk.send(TextResponse(first.request.url, body=body, encoding="utf-8", request=first.request))


def authorize() -> tuple[Any, Any, dict[str, list[str]]]:
    """Hold the conversation up to the page that carries the code."""
    talk, sending = begin(SMS)
    step = talk.send(answer(sending, {"status": "SUCCESS", "sessionToken": "session-token"}))
    return talk, step, parse_qs(urlsplit(step.request.url).query)


def page(step: Any, fields: str, status: int = 200) -> HtmlResponse:
    body = f"<form>{fields}</form>".encode()
    return HtmlResponse(step.request.url, status=status, body=body, encoding="utf-8", request=step.request)


def test_every_sign_in_has_a_challenge_a_state_and_a_nonce_of_its_own():
    asked = [authorize()[2] for _ in range(2)]
    for name in ("state", "nonce", "code_challenge"):
        assert asked[0][name] != asked[1][name]
    assert asked[0]["code_challenge_method"] == ["S256"]
    assert asked[0]["scope"] == ["openid email profile offline_access"]


def test_the_code_is_read_from_a_page_on_one_line_with_entities_and_escapes():
    _, step, _ = authorize()
    fields = '<input type="hidden" name="code" value="ab&#x2d;c\\x2Dd"/><input type="hidden" name="state" value="x"/>'
    assert hidden_fields(page(step, fields)) == {"code": "ab-c-d", "state": "x"}


def test_another_state_is_not_trusted():
    talk, step, _ = authorize()
    with pytest.raises(TokenUntrusted):
        talk.send(
            page(step, '<input type="hidden" name="code" value="abc"><input type="hidden" name="state" value="x">')
        )


@pytest.mark.parametrize("status", [200, 400])
def test_an_error_in_the_page_is_told(status):
    talk, step, _ = authorize()
    with pytest.raises(IECLoginError, match="access_denied: No"):
        talk.send(
            page(
                step,
                '<input type="hidden" name="error" value="access_denied"><input type="hidden" name="error_description" value="No">',
                status,
            )
        )


def test_the_verifier_goes_where_the_challenge_went_before():
    talk, step, asked = authorize()
    state = asked["state"][0]
    exchange = talk.send(
        page(step, f"<input type=hidden name=code value=abc><input type=hidden name=state value={state}>")
    )
    given = parse_qs(exchange.request.body.decode())
    assert given["grant_type"] == ["authorization_code"]
    assert 43 <= len(given["code_verifier"][0]) <= 128


@pytest.mark.parametrize("number", ["123456789", "1234567890", "", "000000000", "12345678a", "١٢٣٤٥٦٧٨٢"])
def test_a_malformed_id_number_is_refused_before_anything_is_sent(number):
    with pytest.raises(CredentialMalformed) as failure:
        IecLogin().check(credential(number))
    assert not number or number not in str(failure.value)


@pytest.mark.parametrize("number", ["123456782", "26", " 000000026 "])
def test_a_right_id_number_is_taken_as_it_is_typed(number):
    IecLogin().check(credential(number))
    assert len(IecLogin().user_of(credential(number))) == 9
