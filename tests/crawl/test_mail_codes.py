"""Codes by mail on their whole way, over one mailbox at a real IMAP server: each sign-in gets its own, nothing is changed."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from sandbox import mailbox
from tests.crawl.test_canaries import DEBUG, hits
from tests.dovecot import PASSWORD, mail, mail_server

MAILBOX = "codes7@example.com"
WAITS = {"LATCHKEY_CODE_WAIT": "40", "LATCHKEY_SIGN_IN_WAIT": "90", "LATCHKEY_BUSY_WAIT": "180"}
# Two processes, all over the same mailbox.
USERS = (
    [
        "sms+mail+mailbox-7+late-2+a",
        "sms+mail+mailbox-7+double+b",
        "sms+mail+mailbox-7+reorder+c",
        "sms+mail+mailbox-7+mail-html+d",
        "sms+mail+mailbox-7+wrong-sender+stale+e",
    ],
    [
        "sms+mail+mailbox-7+mail-french+f",
        "sms+mail+mailbox-7+mail-french+mail-html+reorder+stale+g",
        "sms+mail+mailbox-7+late-1.5+double+reorder+wrong-sender+h",
        "sms+mail+mailbox-7+stale+mail-html+i",
        "sms+mail+mailbox-7+send+wrong-sender+mail-french+j",
    ],
)


@pytest.fixture
def box():
    """A server's mailbox with mails of before: seen and new, with codes of this sender and of others."""
    with mail_server() as server:
        yield filled(server)


def filled(server):
    """Put the mails of before into the mailbox of a server."""
    server.mailbox(MAILBOX)
    portal, stranger = "codes@portal.example", "news@stranger.example"
    server.deliver(MAILBOX, mail(portal, MAILBOX, "Old", "please use this code 111111", dated=300), age=300, flags="S")
    server.deliver(MAILBOX, mail(portal, MAILBOX, "Unread", "please use this code 222222"))
    server.deliver(MAILBOX, mail(stranger, MAILBOX, "News", html="<p>use this code 333333</p>"), flags="FS")
    return server


def sign_in_all(crawls, plain, tmp_path, **environment):
    """Let all users sign in, by processes side by side; each gets its own code, and no code is left behind in clear."""
    names = [name for group in USERS for name in group]
    assert {mailbox(name) for name in names} == {MAILBOX}
    for name in names:
        crawls.give("plain", name)
        crawls.change(name, receiver=f"+15550100123, {MAILBOX}")
    assert plain.send_former_code(names[0], "mail")
    running = [
        crawls.project.start(
            *crawls.command("plain_mailed", f"credential={','.join(group)}"), *DEBUG, env={**environment, **WAITS}
        )
        for group in USERS
    ]
    said = [process.communicate(timeout=400) for process in running]

    runs = crawls.rows("SELECT * FROM runs")
    assert {row["username"]: row["outcome"] for row in runs} == dict.fromkeys(names, "success"), said
    counters = plain.counters()
    told = {name: counters[name] for name in ("sign_ins", "code_requests", "codes_used", "codes_refused")}
    assert told == {"sign_ins": 10, "code_requests": 10, "codes_used": 10, "codes_refused": 0}
    requests = crawls.rows("SELECT * FROM code_requests ORDER BY requested_at")
    assert Counter(row["username"] for row in requests) == Counter(names)
    assert {(row["state"], row["receiver"]) for row in requests} == {("answered", MAILBOX)}
    assert all(former["closed_at"] <= row["requested_at"] for former, row in pairwise(requests))
    claimed = [row["claimed_by"] for row in crawls.rows("SELECT * FROM messages WHERE claimed_at IS NOT NULL")]
    assert sorted(claimed) == sorted(row["id"] for row in requests)
    assert {row["sender"] for row in crawls.rows("SELECT * FROM messages")} == {"codes@portal.example"}

    for number, (out, err) in enumerate(said):
        (tmp_path / f"said-{number}").write_text(out + err)
    assert "DEBUG" in said[0][1]
    secrets = {*plain.secrets()["codes"], "111111", "222222", "333333", PASSWORD, "please use this code"}
    assert len(secrets) >= 20
    assert hits(tmp_path, secrets) == []


@pytest.mark.imap
@pytest.mark.timeout(500)
def test_every_sign_in_gets_its_own_code_and_the_mailbox_stays_as_it_is(crawls, plain, box, tmp_path):
    plain.configure(mail_folder=str(box.folder / "mail" / "{mailbox}"), documents=2)
    before = box.contents(MAILBOX)

    sign_in_all(crawls, plain, tmp_path, **box.settings(MAILBOX))

    after = box.contents(MAILBOX)
    assert {name: after.get(name) for name in before} == before
    arrived = set(after) - set(before)
    assert len(arrived) >= 20
    assert all(name.startswith("new/") for name in arrived)  # not even marked as seen
    assert box.log().count("Login: user=") == 10
    assert "expunged=0 trashed=0" in box.log()


@pytest.mark.matrix
@pytest.mark.timeout(500)
def test_every_sign_in_gets_its_own_code_through_the_webhook(crawls, plain, webhook, tmp_path):
    plain.configure(mail_url=f"{webhook}/mail", documents=2)
    sign_in_all(crawls, plain, tmp_path)


@pytest.mark.imap
@pytest.mark.matrix
def test_mails_that_only_look_like_it_are_no_code(crawls, plain, box, wait_for):
    """What is from somebody else, or too old, is never stored; the sign-in says why it found nothing."""
    name = "code-never+mail+mailbox-7"
    crawls.give("plain", name)
    crawls.change(name, receiver=MAILBOX)
    plain.configure(documents=2)
    environment = {**box.settings(MAILBOX), **WAITS, "LATCHKEY_CODE_WAIT": "4"}
    process = crawls.start("plain_mailed", f"credential={name}", **environment)
    wait_for(lambda: plain.counters()["code_requests"])
    box.deliver(MAILBOX, mail("codes@stranger.example", MAILBOX, "Yours", "please use this code 444444"))
    box.deliver(MAILBOX, mail("codes@portal.example", MAILBOX, "Late", "please use this code 555555", dated=300))
    said = process.communicate(timeout=150)
    assert crawls.outcomes == ["code_not_received"], said
    assert "LATCHKEY_MAILBOX_CLOCK_SKEW" in crawls.value("SELECT message FROM runs")
    assert crawls.rows("SELECT * FROM messages") == []


@pytest.mark.matrix
@pytest.mark.imap
@pytest.mark.browser
@pytest.mark.parametrize(
    "name",
    [
        "ok+mail-html+wrong-sender+reorder@example.com",
        "ok+mail-french+stale+double+late-2@example.com",
    ],
)
def test_the_enterprise_centres_code_comes_from_the_mailbox(crawls, bell, tmp_path, name):
    address = mailbox(name)
    crawls.give("bell", name)
    crawls.change(name, receiver=f"+15550100123,{address}")
    with mail_server() as server:
        server.mailbox(address)
        bell.configure(mail_folder=str(server.folder / "mail" / "{mailbox}"))
        before = server.contents(address)
        process = crawls.project.start(
            *crawls.command("plain_enterprise_centre", f"credential={name}"),
            *DEBUG,
            env={**server.settings(address), "LATCHKEY_CODE_WAIT": "20"},
        )
        out, err = process.communicate(timeout=100)
        after = server.contents(address)
    assert crawls.outcomes == ["success"], err
    assert [row["state"] for row in crawls.rows("SELECT state FROM code_requests")] == ["answered"]
    assert {path: after[path] for path in before} == before
    assert bell.counters()["codes_refused"] == 0
    (tmp_path / "said").write_text(out + err)
    assert hits(tmp_path, {*bell.secrets()["codes"], PASSWORD}) == []
