"""Passkeys by the real routes, with a device in software where no browser would send what is sent here."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html import unescape

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import delete, func, select

from database.access.passkeys import MOST
from database.access.roles import grant, withdraw
from database.access.users import purge_sign_ins
from database.models import AuditEntry, Client
from database.models.base import utc_now
from database.models.operators import Grant, Passkey, PasskeyChallenge, Role
from database.models.prices import User
from tests.companies import passkey
from tests.webhook.api.conftest import make_api
from tests.webhook.pages.conftest import Visitor, beside, words
from tests.webhook.room.authenticator import PRESENT, Authenticator, encode
from tests.webhook.room.conftest import NORTH, OPERATOR, VIEWER, House
from webhook.api.room.passkeys import LATE, MISSING, NOT_ADDED, NOT_SIGNED_IN, TOO_MANY, RelyingParty

__all__ = ["make_api"]
FOREIGN = {
    "origin": {"origin": "https://elsewhere.example"},
    "port": {"origin": "http://localhost:8001"},
    "relying party": {"rp_id": "elsewhere.example"},
    "not verified": {"flags": PRESENT},
    "not present": {"flags": 0x04},
}


def options(visitor, path):
    """Ask for options as the script of the page does."""
    answer = visitor.client.post(f"/room/{path}/options", data=visitor.hidden)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def add(visitor, device, name="Laptop", **changes):
    """Add a passkey of a device; return the page that comes."""
    visitor.open("/room/passkeys")
    credential = device.create(options(visitor, "passkeys"), **changes)
    return visitor.send("/room/passkeys", passkey_name=name, credential=credential)


def sign_in(visitor, device, **changes):
    """Sign in with the passkey of a device; return the page that comes."""
    visitor.open("/room/sign-in")
    credential = device.get(options(visitor, "sign-in/passkey"), **changes)
    return visitor.send("/room/sign-in/passkey", credential=credential)


def alert(answer):
    """Return what a page says of a passkey that was refused."""
    return unescape(re.findall(r'<p class="bad" role="alert">([^<]*)</p>', answer.text)[-1])


def refusals(house):
    """Return users and reasons of refused passkeys, as the audit has them."""
    with house.db.transaction() as session:
        rows = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
        return [(row.subject, row.detail["why"]) for row in rows if row.action == "user.passkey_refused"]


@pytest.fixture
def device(house):
    """A device with a passkey of the operator."""
    device = Authenticator()
    assert words(add(house.operator(), device)).startswith("The passkey is added")
    return device


@pytest.fixture
def visitor(house):
    return Visitor(house.api)


def test_the_whole_way(store, house, visitor):
    operator, device = house.operator(), Authenticator()
    assert "You have none." in words(operator.open("/room/passkeys"))
    assert "Laptop Added" in (said := words(add(operator, device)))
    assert "not used yet" in said
    assert words(sign_in(visitor, device)).startswith("You are signed in. Inbox")
    assert visitor.client.get("/api/v1/who").get_json() == {"email": OPERATOR, "role": "operator", "client_id": None}
    assert "used last" in words(visitor.open("/room/passkeys"))
    stored = house.one(Passkey)
    assert (stored.name, stored.sign_count) == ("Laptop", 2)
    assert words(visitor.send(f"/room/passkeys/{stored.id}/remove")).startswith("The passkey is removed")
    visitor.send("/room/sign-out")
    refused = sign_in(visitor, device)
    assert (refused.status_code, alert(refused)) == (400, NOT_SIGNED_IN)
    assert visitor.client.get("/room/inbox").headers["Location"] == "/room/sign-in"
    assert house.actions()[-4:] == [
        (OPERATOR, "user.passkey_added"),
        (OPERATOR, "user.signed_in"),
        (OPERATOR, "user.passkey_removed"),
        ("nobody", "user.passkey_refused"),
    ]
    assert refusals(house) == [("", "unknown")]
    assert house.all(PasskeyChallenge) == []


def test_what_browsers_are_asked_for(house, visitor):
    """A user name is not typed, and the device makes sure who holds it."""
    operator, first = house.operator(), Authenticator()
    add(operator, first)
    new = options(operator, "passkeys")
    chosen = new["authenticatorSelection"]
    assert (new["rp"], new["user"]["name"]) == ({"id": "localhost", "name": "Latchkey"}, OPERATOR)
    assert (chosen["residentKey"], chosen["requireResidentKey"], chosen["userVerification"]) == (
        "required",
        True,
        "required",
    )
    assert [each["id"] for each in new["excludeCredentials"]] == [encode(first.id)]
    assert OPERATOR not in new["user"]["id"]
    visitor.open("/room/sign-in")
    asked = options(visitor, "sign-in/passkey")
    assert (asked["rpId"], asked["userVerification"], asked.get("allowCredentials", [])) == (
        "localhost",
        "required",
        [],
    )
    assert asked["timeout"] == new["timeout"] == 300_000


def test_the_host_header_decides_nothing(house, visitor):
    visitor.open("/room/sign-in")
    # A client of its own: that one gives the cookie to no other host.
    headers = {
        "Host": "elsewhere.example",
        "Cookie": f"pb_session_visit={visitor.client.get_cookie('pb_session_visit').value}",
    }
    client = house.api.app.test_client(use_cookies=False)
    answer = client.post("/room/sign-in/passkey/options", data=visitor.hidden, headers=headers)
    assert (answer.status_code, answer.get_json()["rpId"]) == (200, "localhost")


def test_a_viewer_has_passkeys_and_sees_only_the_own(house, device):
    viewer, phone = house.member(VIEWER, Role.VIEWER), Authenticator()
    assert "Laptop" not in words(viewer.open("/room/passkeys"))
    add(viewer, phone, "Phone")
    assert "Laptop" not in words(viewer.open("/room/passkeys"))
    others = house.one(Passkey, name="Laptop").id
    assert viewer.send(f"/room/passkeys/{others}/remove").status_code == 404
    assert words(sign_in(Visitor(house.api), device)).startswith("You are signed in.")
    answer = sign_in(viewer := Visitor(house.api), phone)
    assert words(answer).startswith("You are signed in.")
    assert viewer.client.get("/api/v1/who").get_json()["role"] == "viewer"


# What is refused when one signs in


@pytest.mark.parametrize("changes", FOREIGN.values(), ids=FOREIGN)
def test_an_answer_for_another_site_or_without_the_person_signs_nobody_in(house, device, visitor, changes):
    refused = sign_in(visitor, device, **changes)
    assert (refused.status_code, alert(refused)) == (400, NOT_SIGNED_IN)
    assert refusals(house) == [(OPERATOR, "unverified")]
    assert house.one(Passkey).last_used_at is None
    assert words(sign_in(visitor, device)).startswith("You are signed in.")


def test_a_signature_of_another_key_signs_nobody_in(house, device, visitor):
    assert alert(sign_in(visitor, device, key=ec.generate_private_key(ec.SECP256R1()))) == NOT_SIGNED_IN
    assert refusals(house) == [(OPERATOR, "unverified")]


@pytest.mark.parametrize("handle", [encode(b"x" * 32), "", None], ids=["another", "empty", "none"])
def test_a_passkey_that_names_another_user_signs_nobody_in(house, device, visitor, handle):
    assert alert(sign_in(visitor, device, handle=handle)) == NOT_SIGNED_IN
    assert refusals(house) == [(OPERATOR, "other user")]


def test_a_challenge_is_good_once(house, device, visitor):
    visitor.open("/room/sign-in")
    credential = device.get(options(visitor, "sign-in/passkey"))
    assert words(visitor.send("/room/sign-in/passkey", credential=credential)).startswith("You are signed in.")
    visitor.send("/room/sign-out")
    visitor.open("/room/sign-in")
    assert alert(visitor.send("/room/sign-in/passkey", credential=credential)) == LATE
    assert refusals(house) == [(OPERATOR, "challenge")]


def test_a_challenge_belongs_to_the_browser_that_asked(house, device, visitor):
    """What one browser has signed does not open the session of another."""
    thief = Visitor(house.api)
    visitor.open("/room/sign-in")
    thief.open("/room/sign-in")
    credential = device.get(options(visitor, "sign-in/passkey"))
    assert alert(thief.send("/room/sign-in/passkey", credential=credential)) == LATE
    assert refusals(house) == [(OPERATOR, "challenge")]
    assert words(visitor.send("/room/sign-in/passkey", credential=credential)).startswith("You are signed in.")


def test_a_challenge_lives_five_minutes(house, device, visitor):
    visitor.open("/room/sign-in")
    credential = device.get(options(visitor, "sign-in/passkey"))
    house.api.turn(timedelta(minutes=5))
    assert alert(visitor.send("/room/sign-in/passkey", credential=credential)) == LATE
    with house.db.transaction() as session:
        purge_sign_ins(session)
        assert session.scalar(select(func.count()).select_from(PasskeyChallenge)) == 0


def test_a_challenge_for_adding_signs_nobody_in(house, device):
    operator = house.operator()
    operator.open("/room/passkeys")
    asked = options(operator, "passkeys")
    refused = operator.send("/room/sign-in/passkey", credential=device.get({**asked, "rpId": "localhost"}))
    assert alert(refused) == LATE


def test_a_counter_that_goes_back_tells_of_a_copy(house, device, visitor):
    for count in (1, 0):
        assert alert(sign_in(visitor, device, count=count)) == NOT_SIGNED_IN
    assert refusals(house) == [(OPERATOR, "counter")] * 2
    assert house.one(Passkey).sign_count == 1
    assert words(sign_in(visitor, device, count=2**32 - 1)).startswith("You are signed in.")
    assert house.one(Passkey).sign_count == 2**32 - 1


def test_a_device_that_counts_nothing_signs_in_again_and_again(house, visitor):
    device = Authenticator(count=0)
    add(house.operator(), device)
    for _ in range(2):
        assert words(sign_in(visitor, device)).startswith("You are signed in.")
        visitor.send("/room/sign-out")


def test_who_has_no_role_any_more_is_refused(house, device, visitor):
    with house.db.transaction() as session:
        assert withdraw(session, OPERATOR)
    assert alert(sign_in(visitor, device)) == NOT_SIGNED_IN
    assert house.all(Passkey) == []
    with house.db.transaction() as session:
        grant(session, OPERATOR, Role.OPERATOR)
    assert alert(sign_in(visitor, device)) == NOT_SIGNED_IN
    assert refusals(house) == [("", "unknown")] * 2


def test_the_passkeys_of_a_viewer_go_with_the_client(store, house, visitor):
    device = Authenticator()
    add(house.member("nora@example.com", Role.CLIENT_VIEWER, NORTH), device)
    with house.db.transaction() as session:
        session.execute(delete(Grant).where(Grant.client_id.in_(select(Client.id).where(Client.name == NORTH))))
    assert alert(sign_in(visitor, device)) == NOT_SIGNED_IN
    assert house.all(Passkey) == []


def test_another_role_keeps_the_passkeys(house, device, visitor):
    with house.db.transaction() as session:
        grant(session, OPERATOR, Role.VIEWER)
    assert words(sign_in(visitor, device)).startswith("You are signed in.")
    assert visitor.client.get("/api/v1/who").get_json()["role"] == "viewer"


def test_too_many_refusals_block_the_client_as_wrong_codes_do(house, device, visitor):
    wrong = [sign_in(visitor, device, origin="https://elsewhere.example") for _ in range(5)]
    assert [answer.status_code for answer in wrong] == [400] * 4 + [429]
    blocked = sign_in(visitor, device)
    assert (blocked.status_code, alert(blocked)) == (429, TOO_MANY)
    assert len(refusals(house)) == 5  # a client that is blocked fills no audit
    elsewhere = Visitor(house.api)
    elsewhere.client.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    assert words(sign_in(elsewhere, device)).startswith("You are signed in.")
    house.api.turn(timedelta(minutes=30))
    assert words(sign_in(visitor, device)).startswith("You are signed in.")
    assert alert(sign_in(Visitor(house.api), device, origin="https://elsewhere.example")) == NOT_SIGNED_IN


def test_sign_ins_from_one_address_are_limited(make_api):
    api = make_api(auth_rate="3 per minute")
    visitor = Visitor(api)
    visitor.open("/room/sign-in")
    asked = [visitor.client.post("/room/sign-in/passkey/options", data=visitor.hidden) for _ in range(4)]
    assert [answer.status_code for answer in asked] == [200, 200, 200, 429]


JUNK = ("", "{}", "[]", "x", '"x"', "null", "{\"id\": 1}", "\x00", "é" * 100, "[" * 15_000, "1" * 30_000)  # fmt: skip


@pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
def test_what_is_no_answer_of_a_browser_is_refused(house, visitor, junk):
    visitor.open("/room/sign-in")
    assert alert(visitor.send("/room/sign-in/passkey", credential=junk)) == NOT_SIGNED_IN
    operator = house.operator()
    operator.open("/room/passkeys")
    assert alert(operator.send("/room/passkeys", passkey_name="x", credential=junk)) == NOT_ADDED
    assert refusals(house) == [("", "unreadable")]


PLACES = ("id", "rawId", "type", "clientDataJSON", "authenticatorData", "signature", "userHandle", "attestationObject")
SPOILT = (
    None,
    1,
    [],
    {},
    "",
    "x",
    "é",
    encode(b"{}"),
    encode(b"[]"),
    encode(b"\xff" * 40),
    encode(b"\xa1"),
    encode(b"1"),
    encode(b"[" * 20_000),
    "A" * 5000,
)


@pytest.mark.parametrize("place", PLACES)
def test_what_is_spoilt_in_an_answer_is_refused(house, device, visitor, place):
    """Each part of it in turn is nothing, of another type, not base64, or base64 of something else."""
    operator = house.operator()
    visitor.open("/room/sign-in")
    operator.open("/room/passkeys")
    for number, spoilt in enumerate(SPOILT):
        visitor.client.environ_base["REMOTE_ADDR"] = f"203.0.113.{number}"  # else the fifth is the last that is read
        for who, path, ask in (
            (visitor, "sign-in/passkey", device.get),
            (operator, "passkeys", Authenticator().create),
        ):
            answer = json.loads(ask(options(who, path)))
            part = answer if place in answer else answer["response"]
            if place not in part:
                continue
            part[place] = spoilt
            refused = who.send(f"/room/{path}", passkey_name="x", credential=json.dumps(answer))
            assert refused.status_code == 400, (place, spoilt, path)
    assert len(house.all(Passkey)) == 1


# What is refused when one is added


@pytest.mark.parametrize("changes", FOREIGN.values(), ids=FOREIGN)
def test_a_passkey_for_another_site_or_without_the_person_is_not_added(house, changes):
    refused = add(house.operator(), Authenticator(), **changes)
    assert (refused.status_code, alert(refused)) == (400, NOT_ADDED)
    assert house.all(Passkey) == []
    assert "user.passkey_added" not in dict(house.actions()).values()


def test_a_passkey_is_added_once_in_the_browser_that_asked(house):
    operator, other, device = house.operator(), house.member(VIEWER, Role.VIEWER), Authenticator()
    operator.open("/room/passkeys")
    other.open("/room/passkeys")
    credential = device.create(options(operator, "passkeys"))
    assert alert(other.send("/room/passkeys", passkey_name="x", credential=credential)) == LATE
    assert words(operator.send("/room/passkeys", passkey_name="x", credential=credential)).startswith("The passkey is")
    assert alert(operator.send("/room/passkeys", passkey_name="x", credential=credential)) == LATE
    known = device.create(options(operator, "passkeys"))
    refused = operator.send("/room/passkeys", passkey_name="x", credential=known)
    assert (refused.status_code, alert(refused)) == (409, "This passkey is known here already.")
    assert len(house.all(Passkey)) == 1


def test_adding_one_needs_a_recent_sign_in(house, device):
    """A token that was stolen makes no lasting way in."""
    operator = house.operator()
    operator.open("/room/passkeys")
    credential = Authenticator().create(options(operator, "passkeys"))
    house.api.turn(timedelta(minutes=house.api.settings.auth_recent_minutes))
    assert operator.client.post("/room/passkeys/options", data=operator.hidden).status_code == 403
    refused = operator.send("/room/passkeys", passkey_name="x", credential=credential)
    assert (refused.status_code, alert(refused)) == (403, "Sign in again first: this needs a recent sign-in.")
    assert words(operator.send(f"/room/passkeys/{house.one(Passkey).id}/remove")).startswith("The passkey is removed")


@pytest.mark.parametrize("name", ["", "  ", "x" * 101], ids=["empty", "blank", "long"])
def test_a_passkey_needs_a_name(house, name):
    refused = add(house.operator(), Authenticator(), name)
    assert (refused.status_code, beside(refused, "passkey_name")) == (
        422,
        "Give it a name of at most 100 characters, such as that of the device.",
    )


def test_a_user_has_only_so_many(house):
    operator = house.operator()
    with house.db.transaction() as session:
        user = session.scalars(select(User).where(User.email == OPERATOR)).one()
        session.add_all(passkey(user, f"{number}") for number in range(MOST))
    operator.open("/room/passkeys")
    assert operator.client.post("/room/passkeys/options", data=operator.hidden).status_code == 409
    assert len(house.all(Passkey)) == MOST


# Where there are none


@pytest.mark.parametrize("url", ["", "http://latchkey.example", "https://192.0.2.7"], ids=["none", "http", "address"])
def test_without_a_host_name_and_https_there_are_no_passkeys(make_api, url):
    house = House(make_api(webhook={"webhook_public_url": url}))
    operator, visitor = house.operator(), Visitor(house.api)
    page = operator.open("/room/passkeys")
    assert MISSING in words(page)
    assert "data-passkey" not in page.text
    assert "data-passkey" not in visitor.open("/room/sign-in").text
    for who, path in ((operator, "passkeys"), (visitor, "sign-in/passkey")):
        assert who.client.post(f"/room/{path}/options", data=who.hidden).status_code == 409
        assert who.send(f"/room/{path}", passkey_name="x", credential="{}").status_code == 409


@pytest.mark.parametrize(
    ("url", "id_", "origin"),
    [
        ("https://Latchkey.Example/", "latchkey.example", "https://latchkey.example"),
        ("https://latchkey.example:443/room", "latchkey.example", "https://latchkey.example"),
        ("https://latchkey.example:8443", "latchkey.example", "https://latchkey.example:8443"),
        ("http://localhost:8000", "localhost", "http://localhost:8000"),
        ("http://room.localhost", "room.localhost", "http://room.localhost"),
    ],
)
def test_the_relying_party_is_the_public_address(url, id_, origin):
    assert RelyingParty.of(url) == RelyingParty(id_, origin)


@pytest.mark.parametrize(
    "url",
    ["http://[::1]:8000", "https://10.0.0.1", "https://lätchkey.example", "https://x:port", "https://", "http://x"],
)
def test_an_address_without_passkeys(url):
    assert RelyingParty.of(url) is None


def test_a_passkey_shows_nothing_of_itself(house, device):
    stored = house.one(Passkey)
    assert stored.created_at <= utc_now()
    text = house.operator().open("/room/passkeys").text
    assert stored.credential_id not in text
    assert stored.public_key not in text
