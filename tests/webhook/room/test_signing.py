"""Signing in at the control room: mailed codes, links, and what neither of them lets in."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from database.access.roles import grant, make_link
from database.models.operators import Role
from database.models.prices import AuthCode, AuthSession, User
from tests.webhook.api.conftest import ANA, ORIGIN, PHONES
from tests.webhook.pages.conftest import Visitor, beside, words
from tests.webhook.room.conftest import OPERATOR, VIEWER


def link_of(house, email=OPERATOR, role=Role.OPERATOR):
    with house.db.transaction() as session:
        return make_link(session, grant(session, email, role))


@pytest.fixture
def visitor(house):
    return Visitor(house.api)


def test_a_link_signs_in_once(house, visitor):
    token = link_of(house)
    # Looking at it, as a program in front of a mailbox does, does not use it up.
    assert visitor.open(f"/room/link#{token}").status_code == 200
    assert "The link is good once" in words(visitor.open(f"/room/link#{token}"))
    assert words(visitor.send("/room/link", link=token)).startswith("You are signed in.")
    assert visitor.client.get("/api/v1/who").get_json() == {"email": OPERATOR, "role": "operator", "client_id": None}
    another = Visitor(house.api)
    another.open("/room/link")
    refused = another.send("/room/link", link=token)
    assert (refused.status_code, "The link was used" in beside(refused, "link")) == (400, True)
    assert token not in refused.text
    assert another.client.get("/room/inbox").headers["Location"] == "/room/sign-in"
    assert house.actions()[-1] == (OPERATOR, "user.signed_in")
    stored = " ".join(f"{row.code_hash}" for row in house.all(AuthCode))
    assert token not in stored


def test_a_whole_link_may_be_pasted(house, visitor):
    visitor.open("/room/link")
    assert words(visitor.send("/room/link", link=f" {ORIGIN}/room/link#{link_of(house)} ")).startswith(
        "You are signed in."
    )


def test_a_token_in_the_path_opens_nothing(house, visitor):
    """A proxy would write it into its log."""
    token = link_of(house)
    visitor.open("/room/link")
    assert visitor.send(f"/room/link/{token}").status_code == 404
    assert visitor.open(f"/room/link/{token}").status_code == 404
    assert words(visitor.send("/room/link", link=token)).startswith("You are signed in.")


def test_a_link_ends_after_ten_minutes_and_with_the_next_one(house, visitor):
    first = link_of(house)
    second = link_of(house)
    visitor.open("/room/link")
    assert visitor.send("/room/link", link=first).status_code == 400
    house.api.turn(timedelta(minutes=10))
    visitor.open("/room/link")
    assert visitor.send("/room/link", link=second).status_code == 400
    for made_up in ("", "#", "x", "x" * 43, "é", "x" * 5000):
        assert visitor.send("/room/link", link=made_up).status_code == 400


def test_a_mailed_code_signs_in(house, visitor):
    link_of(house, VIEWER, Role.VIEWER)
    visitor.open("/room/sign-in")
    assert "a mail with a code" in words(visitor.send("/room/sign-in", email=VIEWER))
    code = house.api.mailed(VIEWER)
    wrong = visitor.send("/room/sign-in/code", code=f"{(int(code) + 1) % 10**6:06d}")
    assert beside(wrong, "code") == "The code is wrong or has expired."
    assert words(visitor.send("/room/sign-in/code", code=code)).startswith("You are signed in.")
    assert words(visitor.send("/room/sign-out")).startswith("You are signed out.")
    assert visitor.client.get("/room/inbox").headers["Location"] == "/room/sign-in"


def test_a_mailed_code_signs_in_by_the_api(house):
    link_of(house)
    assert house.api.post("/api/v1/sign-in/start", email=OPERATOR).status_code == 200
    answer = house.api.post("/api/v1/sign-in/verify", email=OPERATOR, code=house.api.mailed(OPERATOR))
    client = house.api.with_token(answer.get_json()["access_token"])
    assert client.get("/api/v1/who").get_json()["role"] == "operator"
    assert client.get("/api/v1/inbox").get_json() == {"causes": []}


def test_an_address_without_a_role_is_answered_alike_and_gets_no_mail(house, visitor):
    with house.db.transaction() as session:
        session.add(User(email=ANA, phone_number=PHONES[ANA]))
    link_of(house)
    said = []
    for email in (OPERATOR, ANA, "nobody@example.com"):
        visitor.open("/room/sign-in")
        said.append(re.sub(r'value="[^"]*"', "", visitor.send("/room/sign-in", email=email).text))
    house.api.wait()
    assert len(set(said)) == 1
    assert {mail["To"] for mail in house.api.mail_server.mails} == {OPERATOR}


def test_registering_with_the_address_of_an_operator_takes_nothing(house):
    link_of(house)
    house.api.post("/auth/register/start", email=OPERATOR, phone_number="+12015550188")
    house.api.wait()
    assert "is registered already" in house.api.mail_server.mails[-1].get_content()
    user = house.one(User, email=OPERATOR)
    assert user.phone_number is None
    house.api.post("/api/v1/sign-in/start", email=OPERATOR)
    assert house.api.mailed(OPERATOR)


def test_another_role_ends_the_sign_ins(house):
    operator = house.operator()
    with house.db.transaction() as session:
        grant(session, OPERATOR, Role.VIEWER)
    assert operator.client.get("/api/v1/who").status_code == 401
    assert all(row.revoked_at is not None for row in house.all(AuthSession))


def test_what_each_role_finds_in_the_navigation(house):
    def sections(visitor):
        return re.findall(r'<li><a href="([^"]*)"', visitor.open("/room/inbox").text)

    lists = ["/room/missing", "/room/runs", "/room/files", "/room/charts", "/room/passkeys"]
    assert sections(house.operator()) == ["/room/inbox", "/room/audit", *lists]
    assert sections(house.member("nora@example.com", Role.CLIENT_VIEWER, "North Ltd")) == ["/room/inbox", *lists]
    visitor = house.member("paul@example.com", None)
    assert visitor.client.get("/").headers["Location"] == "/prices/items"
    assert house.operator().client.get("/").headers["Location"] == "/room/inbox"
