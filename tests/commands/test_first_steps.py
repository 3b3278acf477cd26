"""The everyday commands as their user types them: processes, one after another, from an empty data folder."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys

import pytest

from tests.project import ROOT

SECRET = "orchard-gate-7731"


def test_from_an_empty_folder_to_an_account(project, tmp_path):
    """Key, tables, credential, account, cycle: no secret in any output, and each command says what it did."""
    here = project(tmp_path)
    without_key = {"LATCHKEY_ENCRYPTION_KEYS": None}
    steps = [
        (("generate-key", "--save"), None),
        (("db", "upgrade"), None),
        (("credentials", "add", "bell", "--username", "owner", "--client", "Acme", "--stdin"), f"{SECRET}\n"),
        (
            "accounts add --client Acme --workspace Depot --carrier bell --number 500100200 --username owner --billing-day 31".split(),
            None,
        ),
        (("cycles", "open", "--month", "2026-10"), None),
        (("status",), None),
    ]
    for argv, given in steps:
        said = here.scrapy(*argv, env=without_key, input=given, fresh=argv == ("status",))
        assert (said.returncode, said.stderr) == (0, "")
        assert said.stdout
        assert SECRET not in said.stdout
    said = here.scrapy("accounts", "list", "--json", env=without_key)
    (row,) = json.loads(said.stdout)
    assert (row["number"], row["username"], row["billing_day"]) == ("500100200", "owner", 31)
    for file in here.data.rglob("*"):
        assert file.is_dir() or SECRET.encode() not in file.read_bytes()


@pytest.mark.parametrize(
    ("env", "argv", "code", "words"),
    [
        ({"LATCHKEY_SIGN_IN_BUDGE": "3"}, ("status",), 1, ("LATCHKEY_SIGN_IN_BUDGE ", "LATCHKEY_SIGN_IN_BUDGET")),
        (
            {"LATCHKEY_ENCRYPTION_KEYS": None},
            ("credentials", "add", "bell", "--username", "x", "--stdin"),
            1,
            ("generate-key",),
        ),
        (
            {"LATCHKEY_ENCRYPTION_KEYS": "short"},
            ("credentials", "add", "bell", "--username", "x", "--stdin"),
            1,
            ("malformed",),
        ),
        (
            {"LATCHKEY_DATABASE_URL": "postgresql://u:hunter-2@127.0.0.1:1/x"},
            ("status",),
            1,
            ("LATCHKEY_DATABASE_URL",),
        ),
        ({}, ("status",), 1, ("scrapy db upgrade",)),
        ({}, ("cycles", "open", "--month", "2026-13"), 2, ("2026-13", "2026-10")),
    ],
)
def test_malformed_surroundings_are_one_sentence(project, tmp_path, env, argv, code, words):
    # One by itself: what a fresh process says, a child of the warm one says too (tests/jobs/test_warm.py).
    said = project(tmp_path).scrapy(*argv, env=env, input=f"{SECRET}\n", fresh="LATCHKEY_SIGN_IN_BUDGE" in env)
    assert said.returncode == code
    assert said.stdout == ""
    assert said.stderr.count("\n") == 1
    assert "Traceback" not in said.stderr
    for word in words:
        assert word in said.stderr
    for secret in (SECRET, "hunter-2"):
        assert secret not in said.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("accounts", "add", "import", "list"),
        ("credentials", "add", "list", "remove", "unblock"),
        ("cycles", "open", "list"),
        ("doctor",),
        ("export", "records", "files"),
        ("portals",),
        ("runs",),
        ("status",),
    ],
    ids=lambda words: words[0],
)
def test_every_command_and_act_answers_help(command, words):
    word, *acts = words
    assert f"scrapy {word}" in command(word, "--help").out
    for act in acts:
        said = command(word, act, "--help")
        assert (said.code, said.err, f"scrapy {word} {act}" in said.out) == (0, "", True)


def test_a_reader_that_has_seen_enough_ends_it_quietly(project, tmp_path):
    here = project(tmp_path)
    command = f"{sys.executable} -m scrapy doctor --settings | head -1"
    said = subprocess.run(["sh", "-c", command], cwd=ROOT, env=here.env(), capture_output=True, text=True, check=False)
    assert (said.stdout.split()[0], said.stderr) == ("variable", "")


def test_a_prompt_asks_for_secrets_and_does_not_echo_them(project, tmp_path, wait_for):
    here = project(tmp_path)
    assert here.scrapy("db", "upgrade").returncode == 0
    terminal, inside = pty.openpty()
    # In a session of its own it has no other terminal than this one.
    process = here.start(
        "credentials", "add", "bell", fresh=True, stdin=inside, stdout=inside, stderr=inside, start_new_session=True
    )
    os.close(inside)
    shown = ""

    def asks(question):
        nonlocal shown
        if select.select([terminal], [], [], 0)[0]:
            shown += os.read(terminal, 4096).decode()
        return question in shown

    for question, answer in (
        ("User name: ", "owner"),
        ("Password: ", SECRET),
        ("empty if there is none: ", ""),
        ("Stored: bell owner", ""),
    ):
        wait_for(lambda question=question: asks(question), seconds=60)
        os.write(terminal, f"{answer}\n".encode())
    process.wait(timeout=60)
    os.close(terminal)
    assert process.returncode == 0
    assert SECRET not in shown
