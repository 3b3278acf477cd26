"""`scrapy credentials` and `scrapy portals`, on both databases."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select, text

from commands._terminal import WrongArgument
from commands.credentials import check_totp
from database.access.ledger import Ledger
from database.access.sessions import Sessions
from database.models import CarrierPortalCredential, StoredCredential

PASSWORD, TOTP = "orchard-gate-7731", "JBSWY3DPEHPK3PXP"
ADD = ("add", "meadow", "--username", "owner", "--stdin")


def listed(command):
    return json.loads(command("credentials", "list", "--json").out)


def test_secrets_come_from_standard_input_and_are_never_shown(store, command):
    said = command("credentials", *ADD, "--receiver", "(555) 555-0100", input=f"{PASSWORD}\njbsw y3dp ehpk 3pxp\n")
    assert (said.code, said.out.split(".")[0]) == (0, "Stored: meadow owner")
    with store.transaction() as session:
        row = session.scalars(select(StoredCredential)).one()
        assert (row.password, row.totp_secret, row.receiver) == (PASSWORD, TOTP, "+15555550100")
        clear = str(session.execute(text("select * from credentials")).all())
    shown = said.out + said.err + command("credentials", "list").out + command("credentials", "list", "--json").out
    for secret in (PASSWORD, TOTP):
        assert secret not in clear
        assert secret not in shown


def test_a_secret_that_no_key_reads_can_be_stored_anew_or_removed(store, command):
    command("credentials", *ADD, input=f"{PASSWORD}\n{TOTP}\n")
    with store.transaction() as session:
        session.execute(text("UPDATE credentials SET password = 'lost', totp_secret = 'lost'"))
    assert "credentials.password" in command("credentials", "list").err
    again = command("credentials", *ADD, input="another\n" + TOTP)
    assert (again.code, again.out.split(".")[0]) == (0, "Changed: meadow owner"), again.err
    with store.transaction() as session:
        row = session.scalars(select(StoredCredential)).one()
        assert (row.password, row.totp_secret) == ("another", TOTP)
        session.execute(text("UPDATE credentials SET password = 'lost'"))
    assert command("credentials", "remove", "meadow").code == 0
    assert listed(command) == []


def test_a_phone_and_a_mailbox_can_both_receive(store, command):
    said = command("credentials", *ADD, "--receiver", " Codes@Example.com,+1 555 555 0100 ", input=f"{PASSWORD}\n")
    assert said.code == 0
    assert [row["receiver"] for row in listed(command)] == ["+15555550100, codes@example.com"]


@pytest.mark.parametrize(
    ("receiver", "named"),
    [
        ("a@example.com,b@example.com", "only one mail address"),
        ("+15555550100,+15555550101", "only one phone number"),
        ("my phone", "neither a phone number"),
        ("a@", "no mail address"),
    ],
)
def test_a_receiver_that_gets_nothing_is_refused(store, command, receiver, named):
    said = command("credentials", *ADD, "--receiver", receiver, input=f"{PASSWORD}\n")
    assert (said.code, named in said.err, "--receiver" in said.err) == (2, True, True)
    assert listed(command) == []


def test_a_credential_is_changed_by_adding_it_again(store, command):
    command("credentials", *ADD, input=f"{PASSWORD}\n{TOTP}\n")
    assert command("credentials", *ADD, input="another\n").out.startswith("Changed")
    with store.transaction() as session:
        row = session.scalars(select(StoredCredential)).one()
        assert (row.password, row.totp_secret) == ("another", TOTP)
    command("credentials", *ADD, "--no-totp", input="another\n")
    with store.transaction() as session:
        assert session.scalars(select(StoredCredential)).one().totp_secret is None


def test_a_carriers_credential_belongs_to_a_client(store, command):
    command("credentials", "add", "bell", "--username", "owner", "--client", "Acme", "--stdin", input=f"{PASSWORD}\n")
    with store.transaction() as session:
        row = session.scalars(select(StoredCredential)).one()
        assert isinstance(row, CarrierPortalCredential)
        assert row.client_id is not None
    add = (
        "add",
        "--client",
        "Acme",
        "--workspace",
        "Depot",
        "--carrier",
        "bell",
        "--number",
        "1",
        "--username",
        "owner",
    )
    assert command("accounts", *add).code == 0
    other = [*add]
    other[2], other[8] = "Other", "2"
    assert "another client" in command("accounts", *other).err
    assert "1 links to accounts" in command("credentials", "remove", "bell").out
    assert json.loads(command("accounts", "list", "--json").out)[0]["username"] is None


@pytest.mark.parametrize(
    ("argv", "given", "word"),
    [
        (("add", "acme", "--username", "x", "--stdin"), "p\n", "acme"),
        (("add", "meadow", "--client", "A", "--username", "x", "--stdin"), "p\n", "--client"),
        (("add", "meadow", "--stdin"), "p\n", "--username"),
        (("add", "meadow", "--username", "x", "--stdin"), "\n", "password"),
        (("add", "meadow", "--username", "x", "--stdin"), "", "password"),
        (("add", "meadow", "--username", "x", "--stdin"), "p\nnot base 32!\n", "authenticator"),
        (("add", "meadow", "--username", "x", "--stdin"), "p\n\nthird\n", "two lines"),
        (("add", "meadow", "--username", "x"), "p\n", "--stdin"),
        (("remove", "meadow"), None, "meadow"),
        (("unblock", "meadow"), None, "meadow"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(store, command, argv, given, word):
    said = command("credentials", *argv, input=given)
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert word in said.err
    assert listed(command) == []


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "ABC",
        "JBSWY3DPEHPK3PX1",
        "otpauth://totp/x?secret=JBSW",
        "otpauth://hotp/x?secret=JBSWY3DPEHPK3PXP",
        "é" * 16,
    ],
)
def test_an_authenticator_secret_must_be_base32(secret):
    with pytest.raises(WrongArgument) as caught:
        check_totp(secret)
    assert not secret or secret not in str(caught.value)


def test_the_list_tells_the_last_sign_in_and_whether_it_may_be_tried(store, command):
    command("credentials", *ADD, input=f"{PASSWORD}\n")
    assert (listed(command)[0]["last_sign-in"], listed(command)[0]["state"]) == (None, "ready")
    ledger = Ledger(store)
    ledger.finish(ledger.begin("meadow", "owner", f"{PASSWORD}\n"), "bad_credentials")
    (row,) = listed(command)
    assert row["last_sign-in"].startswith("bad credentials 20")
    assert row["state"] == "blocked"
    assert command("credentials", "unblock", "meadow").out.startswith("Unblocked: meadow owner")
    assert listed(command)[0]["state"] == "ready"


def test_what_never_signed_in_cannot_be_unblocked(store, command):
    command("credentials", *ADD, input=f"{PASSWORD}\n")
    said = command("credentials", "unblock", "meadow")
    assert (said.code, "never tried" in said.err) == (1, True)


def test_a_removed_credential_takes_its_sessions_along(store, command):
    command("credentials", *ADD, input=f"{PASSWORD}\n")
    Sessions(store).save("meadow", "owner", {"cookies": []}, "agent", "owner", None)
    assert "1 sessions" in command("credentials", "remove", "meadow", "--username", "owner").out
    assert Sessions(store).load("meadow", "owner") is None
    assert listed(command) == []


def test_several_credentials_must_be_told_apart(store, command):
    for name in ("one", "two"):
        command("credentials", "add", "meadow", "--username", name, "--stdin", input="p\n")
    said = command("credentials", "remove", "meadow")
    assert (said.code, "--username" in said.err) == (2, True)


def test_a_credential_of_the_environment_is_listed(store, command, monkeypatch):
    monkeypatch.setenv("MEADOW_USERNAME", "visitor")
    monkeypatch.setenv("MEADOW_PASSWORD", PASSWORD)
    (row,) = listed(command)
    assert (row["username"], row["kept_in"], row["state"]) == ("visitor", "environment or file", "ready")


def test_portals_shows_spiders_logins_and_addresses(store, command, monkeypatch):
    (row,) = json.loads(command("portals", "--json").out)
    assert row["spiders"] == [{"spider": "meadow_invoices", "report_type": "invoices", "logins": ["meadow"]}]
    assert row["logins"] == [
        {
            "login": "meadow",
            "address": "https://meadow.example.com/sign-in",
            "set_by": "MEADOW_URL",
            "is_set": False,
            "credential": "none",
        }
    ]
    monkeypatch.setenv("MEADOW_URL", "http://127.0.0.2:8801/sign-in")
    command("credentials", *ADD, input=f"{PASSWORD}\n")
    shown = command("portals").out
    assert "http://127.0.0.2:8801/sign-in" in shown
    assert "1 stored" in shown
