"""Files of many credentials and accounts: in one process, all or nothing, each bad line named, no secret shown."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import func, select

from database.models import Account, Client, StoredCredential

SECRET = "orchard-gate-7731"
HEADING = "portal,username,password,totp_secret,receiver,nickname\n"


@pytest.fixture
def imported(command, tmp_path):
    """A function that imports a file of credentials."""

    def run(text: str | bytes, mode: int = 0o600):
        path = tmp_path / "credentials.csv"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        path.chmod(mode)
        return command("credentials", "import", str(path))

    return run


def test_many_credentials_are_stored_by_one_process(store, imported, command):
    lines = [f"meadow,user {number},{SECRET}-{number},,,\n" for number in range(20)]
    said = imported(HEADING + "".join(lines))
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("Stored 20, changed 0. ")
    assert SECRET not in said.out
    with store.transaction() as session:
        stored = dict(session.execute(select(StoredCredential.username, StoredCredential.password)).all())
    assert stored == {f"user {number}": f"{SECRET}-{number}" for number in range(20)}
    assert imported(HEADING + lines[3]).out.startswith("Stored 0, changed 1. ")
    assert len(json.loads(command("credentials", "list", "--json").out)) == 20


def test_what_a_line_leaves_out_stays_as_it_is(store, imported):
    assert imported(HEADING + f"meadow,owner, {SECRET} ,jbsw y3dp ehpk 3pxp,(555) 555-0100,Farm\n").code == 0
    assert imported("portal;username;password\nmeadow;owner;another\n").code == 0
    with store.transaction() as session:
        row = session.scalars(select(StoredCredential)).one()
        assert (row.password, row.totp_secret) == ("another", "JBSWY3DPEHPK3PXP")
        assert (row.receiver, row.nickname) == ("+15555550100", "Farm")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o602])
def test_a_file_that_others_can_read_is_refused_and_why_is_said(store, imported, mode):
    said = imported(HEADING + f"meadow,owner,{SECRET},,,\n", mode)
    assert said.code == 1
    assert "can be read by others, and it holds passwords: run `chmod 600" in said.err
    with store.transaction() as session:
        assert session.scalar(select(func.count(StoredCredential.id))) == 0


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (f"meadow,,{SECRET},,,", "username is empty."),
        ("meadow,owner,,,,", "password is empty."),
        (f"nowhere,owner,{SECRET},,,", "portal: there is no portal 'nowhere'"),
        (f"meadow,owner,{SECRET},{SECRET},,", "The authenticator secret: it is not base32"),
        (f"meadow,owner,{SECRET},,home,", "--receiver: "),
        (f"meadow,5.33123E+08,{SECRET},,,", "username: it is in scientific notation"),
        (f'meadow,"=""owner""",{SECRET},,,', "username: it is a formula"),
        (f"meadow,own\u200ber,{SECRET},,,", "username: it holds a character that is not seen (U+200B)"),
        (f"meadow,first,{SECRET},,,", "meadow first stands in line 2 already."),
        (f"meadow,owner,{SECRET}", "it has not as many fields as line 1 has columns."),
        (f'meadow,owner,"{SECRET}', ""),
    ],
)
def test_a_bad_line_is_named_without_its_secret_and_nothing_is_stored(store, imported, line, sentence):
    said = imported(HEADING + f"meadow,first,{SECRET},,,\n{line}\n")
    assert said.code == 1
    assert f"Line 3: {sentence}" in said.err
    assert SECRET not in said.out + said.err
    with store.transaction() as session:
        assert session.scalar(select(func.count(StoredCredential.id))) == 0


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        ("5.33123E+08", "number: it is in scientific notation"),
        ("5,33123e8", "number: it is in scientific notation"),
        ('"=""533122907"""', "number: it is a formula"),
        ("'533122907", "number: it is a formula or begins with a quotation mark"),
        ("533122907.0", "number: it is a decimal number"),
        ("533122\u200b907", "number: it holds a character that is not seen (U+200B)"),
        ("533122\u2028907", "number: it holds a character that is not seen (U+2028)"),
        ("533122\u000b907", "number: it holds a character that is not seen (U+000B)"),
    ],
)
def test_a_number_that_a_spreadsheet_has_spoilt_is_refused_by_line(store, command, tmp_path, number, sentence):
    path = tmp_path / "accounts.csv"
    if "," in number:
        number = f'"{number}"'
    path.write_text(f"client,workspace,carrier,number\nAcme,Depot,bell,533122906\nAcme,Depot,bell,{number}\n")
    said = command("accounts", "import", str(path))
    assert (said.code, f"Line 3: {sentence}" in said.err) == (1, True), said.err
    with store.transaction() as session:
        assert session.scalar(select(func.count(Account.id))) == 0


def test_a_line_separator_inside_a_field_begins_no_line(store, command, tmp_path):
    path = tmp_path / "accounts.csv"
    names = ("Acme\u2028North", "Acme\u000bSouth", "Acme\u0085East", "Acme\u000cWest")
    lines = "".join(f"{name},Depot,bell,53312290{at}\n" for at, name in enumerate(names))
    path.write_text(f"client,workspace,carrier,number\n{lines}", newline="")
    said = command("accounts", "import", str(path))
    assert (said.code, said.out, said.err) == (0, "Added 4, brought up to date 0.\n", "")
    with store.transaction() as session:
        assert set(session.scalars(select(Client.name))) == set(names)
    path.write_text(f"client,workspace,carrier,number\n{lines}Acme,,bell,1\n", newline="")
    assert "Line 6: workspace is empty." in command("accounts", "import", str(path)).err


@pytest.mark.parametrize(
    "argv",
    [
        ("accounts", "add", "--client", "Soci\udce9t\udce9", *"--workspace Depot --carrier bell --number 7".split()),
        ("credentials", "add", "meadow", "--username", "Ren\udce9", "--stdin"),
        ("runs", "--spider", "\udce9"),
        ("export", "files", "--type", "\udce9"),
    ],
)
def test_a_latin_1_argument_is_refused_in_one_sentence(store, command, argv):
    said = command(*argv, input=f"{SECRET}\n")
    assert (said.code, "it is not UTF-8 text" in said.err) == (2, True), said.err
    assert said.err.count("\n") == 1
