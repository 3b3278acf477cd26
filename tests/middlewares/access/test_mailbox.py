"""A mailbox at a real IMAP server: what is taken for a sign-in, what never is, and what is said when it cannot be read."""

from __future__ import annotations

import asyncio
import logging
import re
import shutil
import time
from contextlib import asynccontextmanager
from email import message_from_bytes

import pytest
from sqlalchemy import select

from database.access.codes import CodeBroker, MessageNotReceived
from database.engine import Database
from database.models import Message
from middlewares.access.mailbox import MailboxProblem, MailboxReader, MailboxRefused, MailboxWatch
from middlewares.settings import Mailbox, mailbox_settings
from tests.dovecot import PASSWORD, mail, mail_server

pytestmark = pytest.mark.imap

HERE, OTHER = "codes@example.org", "other@example.org"
SENDER = "noreply@example.com"
PATTERN = r"code ([0-9]{6})\b"


@pytest.fixture(scope="module")
def running():
    with mail_server() as server:
        yield server


@pytest.fixture
def server(running):
    """A server with one mailbox, which is empty."""
    running.forget()
    running.mailbox(HERE)
    return running


@pytest.fixture
def db(tmp_path, sqlite_with_tables, encryption_key, monkeypatch):
    monkeypatch.setenv("LATCHKEY_MAILBOX_POLL", "0.05")
    mailbox_settings.cache_clear()
    shutil.copy(sqlite_with_tables, tmp_path / "codes.db")
    db = Database(f"sqlite:///{tmp_path / 'codes.db'}")
    yield db
    db.engine.dispose()


def box(server, *addresses, **changes):
    of_server = {"host": "127.0.0.1", "port": server.tls_port, "ca_file": server.ca_file, "password": PASSWORD}
    return Mailbox(**{**of_server, "address": addresses or (HERE,), "user": HERE, **changes})


@asynccontextmanager
async def waiting(db, mailbox, receiver=HERE, senders=(SENDER,), before=lambda watch: None):
    """Give a code request and the watch that looks for it, already looking; *before* is called just before it does."""
    broker = CodeBroker(db, poll=0.02)
    opened = broker.open(
        login="acme", portal="acme", username="owner", receiver=receiver, senders=senders, pattern=PATTERN
    )
    async with opened as request:
        watch = MailboxWatch(db, mailbox, receiver, senders, "acme")
        await watch.begin()
        await asyncio.to_thread(before, watch)
        task = asyncio.ensure_future(watch.run())
        try:
            yield request, watch
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await watch.close()


def stored(db):
    with db.transaction() as session:
        return [(row.receiver, row.sender, row.portal) for row in session.scalars(select(Message).order_by(Message.id))]


@pytest.mark.parametrize("security", ["tls", "starttls", "none"])
def test_a_mailbox_is_read_and_stays_as_it_is(server, security, wait_for):
    server.deliver(HERE, mail(SENDER, HERE, "Old", "code 111111"))
    server.deliver(HERE, mail(SENDER, HERE, "Seen", "code 222222"), flags="S")
    before = server.contents(HERE)
    port = server.tls_port if security == "tls" else server.plain_port
    reader = MailboxReader(box(server, security=security, port=port), 5)
    assert reader.begin() == 2
    assert reader.new([]) == []
    server.deliver(HERE, mail(f"Acme <{SENDER}>", HERE, "New", "code 333333"))
    (found,) = reader.new([SENDER])
    assert found.mail.text == "New\ncode 333333"
    assert reader.new([SENDER]) == []
    reader.close()
    after = server.contents(HERE)
    assert {name: after[name] for name in before} == before
    assert len(after) == len(before) + 1
    wait_for(lambda: server.log().count("deleted=0 expunged=0") == 1)  # as the server sees it


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"password": "never-shown"}, ("MAILBOX_USER", "MAILBOX_PASSWORD")),
        ({"password": "jamais-montré"}, ("MAILBOX_USER", "MAILBOX_PASSWORD")),
        ({"ca_file": None}, ("certificate", "MAILBOX_CA_FILE")),
        ({"host": "localhost"}, ("certificate", "MAILBOX_HOST")),
        ({"host": "mail.invalid"}, ("does not answer", "MAILBOX_HOST")),
        ({"port": 1}, ("refused", "MAILBOX_PORT")),
        ({"port": None}, ("does not speak TLS", "MAILBOX_SECURITY")),
        ({"security": "none"}, ("nothing within 0.5 s", "MAILBOX_PORT")),
        # The server lets those wait who ask for folders that there are not.
        pytest.param({"folder": "Elsewhere"}, ("Elsewhere", "MAILBOX_FOLDER"), marks=pytest.mark.matrix),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_what_is_wrong_is_named_with_its_setting(server, change, named, caplog):
    caplog.set_level(logging.DEBUG)
    change = {**change, "port": server.plain_port} if change.get("port", 0) is None else change
    reader = MailboxReader(box(server, **change), 0.5 if "security" in change else 10)
    with pytest.raises(MailboxProblem) as caught:
        reader.begin()
    reader.close()
    assert all(word in str(caught.value) for word in named), str(caught.value)
    for secret in (PASSWORD, "never-shown", "jamais-montré"):
        assert secret not in str(caught.value) + caplog.text


def test_a_mailbox_of_the_list_is_named_so(server):
    with pytest.raises(MailboxRefused, match="`password` in LATCHKEY_MAILBOXES"):
        MailboxReader(box(server, password="wrong", numbered=2), 5).begin()


def test_only_what_came_since_from_the_sender_is_taken(server, db, caplog, monkeypatch):
    monkeypatch.setattr("middlewares.access.mailbox.LARGEST", 20_000)
    caplog.set_level(logging.DEBUG)
    server.deliver(HERE, mail(SENDER, HERE, "Before", "code 111111"))

    async def sign_in():
        async with waiting(db, box(server)) as (request, _watch):
            server.deliver(HERE, mail("evil@example.net", HERE, "Wrong sender", "code 222222"))
            server.deliver(HERE, mail(f"{SENDER}.evil.example", HERE, "Wrong host", "code 222222"))
            server.deliver(HERE, mail(SENDER, HERE, "Late", "code 333333", dated=300))
            server.deliver(HERE, mail(SENDER, HERE, "Restored", "code 444444"), age=300)
            big = mail(SENDER, HERE, "Big", "code 555555")
            big.add_attachment(b"x" * 20_000, maintype="application", subtype="octet-stream")
            server.deliver(HERE, big)
            server.deliver(HERE, mail(SENDER, HERE, "Now", "code 666666"))
            return await request.answer(60)

    assert asyncio.run(sign_in()) == "666666"
    assert stored(db) == [(HERE, SENDER, "acme")]
    assert not any(code in caplog.text for code in ("222222", "333333", "666666", PASSWORD))


def test_of_two_the_one_that_was_surely_written_since_comes_first(server, db):
    """Clocks differ, so a mail may be dated a little before the request, if there is no better one."""

    async def sign_in(*mails):
        def deliver(_watch):  # all are there before anybody looks
            for text, dated in mails:
                server.deliver(HERE, mail(SENDER, HERE, "Code", text, dated=dated))

        async with waiting(db, box(server), before=deliver) as (request, _):
            return await request.answer(60)

    assert asyncio.run(sign_in(("code 111111", 20))) == "111111"
    assert asyncio.run(sign_in(("code 222222", 20), ("code 333333", 0))) == "333333"


def test_nothing_that_fits_says_why(server, db):
    async def sign_in():
        async with waiting(db, box(server)) as (request, watch):
            server.deliver(HERE, mail(SENDER, HERE, "Late", "code 333333", dated=300))
            with pytest.raises(MessageNotReceived):
                await request.answer(2)
            return watch.trouble

    assert "LATCHKEY_MAILBOX_CLOCK_SKEW" in asyncio.run(sign_in())
    assert stored(db) == []


def test_a_mail_that_cannot_be_parsed_is_passed_over_and_counted(server, db):
    """Malformed mails, of any sender and of the right one, do not stop the watch."""
    sound = mail(SENDER, HERE, "Malformed", "code 111111").as_bytes()
    malformed = message_from_bytes(sound.replace(b'text/plain; charset="utf-8"', b"text/plain; name*"))
    assert malformed["Content-Type"] == "text/plain; name*"
    deep = mail(SENDER, HERE, "Deep", html="<div>" * 3000 + "code 222222")

    async def sign_in():
        async with waiting(db, box(server)) as (request, watch):
            server.deliver(HERE, malformed)
            server.deliver(HERE, deep)
            server.deliver(HERE, mail("evil@example.net", HERE, "Stranger", "code 333333"))
            server.deliver(HERE, mail(SENDER, HERE, "Now", "code 666666"))
            return await request.answer(60), dict(watch.passed_over)

    code, passed_over = asyncio.run(sign_in())
    assert code == "666666"
    assert passed_over == {
        "an unnamed sender: malformed": 2,
        "a mail address: not one of the senders that the login knows": 1,
    }


def test_addresses_of_one_mailbox_are_told_apart(server, db):
    """Two sign-ins at the same time, each with its own address; what names neither is nobody's."""
    mailbox = box(server, HERE, OTHER)

    async def sign_in():
        async with (
            waiting(db, mailbox, HERE) as (here, _),
            waiting(db, mailbox, OTHER) as (other, _),
        ):
            server.deliver(HERE, mail(SENDER, "third@example.org", "Third", "code 333333"))
            server.deliver(HERE, mail(SENDER, f"Other <{OTHER.upper()}>", "Other", "code 222222"))
            forwarded = mail(SENDER, "owner@example.net", "Here", "code 111111")
            forwarded["Delivered-To"] = HERE
            server.deliver(HERE, forwarded)
            return await asyncio.gather(here.answer(60), other.answer(60))

    assert asyncio.run(sign_in()) == ["111111", "222222"]


def test_one_mail_seen_by_two_is_one_message(server, db):
    async def sign_in():
        async with waiting(db, box(server)) as (request, _):
            second = MailboxWatch(db, box(server), HERE, (SENDER,), "acme")
            await second.begin()
            task = asyncio.ensure_future(second.run())
            server.deliver(HERE, mail(SENDER, HERE, "Once", "code 111111"))
            server.deliver(HERE, mail(SENDER, HERE, "Once", "code 111111"))  # and delivered twice
            code = await request.answer(60)
            while second._reader._next < 3:  # noqa: ASYNC110 - the other one has looked too
                await asyncio.sleep(0.02)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await second.close()
            return code

    assert asyncio.run(sign_in()) == "111111"
    assert len(stored(db)) == 1


def test_a_connection_that_breaks_is_made_again(server, db):
    async def sign_in():
        async with waiting(db, box(server)) as (request, watch):
            watch._reader.abort()
            while not watch.trouble and server.log().count("Login: user=") < 2:  # noqa: ASYNC110 - it has noticed
                await asyncio.sleep(0.02)
            server.deliver(HERE, mail(SENDER, HERE, "After", "code 111111"))
            return await request.answer(60)

    assert asyncio.run(sign_in()) == "111111"
    assert server.log().count("Login: user=") == 2


def test_a_server_that_numbers_anew_makes_nothing_old_new(server, db, wait_for):
    """Then the dates alone decide, without the allowance for clocks."""
    server.deliver(HERE, mail(SENDER, HERE, "Before", "code 111111", dated=20), age=20)

    def number_anew(watch):
        watch._reader.close()
        wait_for(lambda: "Disconnected" in server.log())
        shutil.rmtree(server.folder / "index" / HERE)
        (numbers,) = (server.folder / "control" / HERE).rglob("dovecot-uidlist")
        numbers.write_text(re.sub(r" V\d+ ", " V7 ", numbers.read_text(), count=1))

    async def sign_in():
        async with waiting(db, box(server), before=number_anew) as (request, watch):
            server.deliver(HERE, mail(SENDER, HERE, "After", "code 222222"))
            code = await request.answer(60)
            assert watch._reader.renumbered
            return code

    assert asyncio.run(sign_in()) == "222222"


def test_a_refusal_in_the_middle_is_not_tried_again(server, db, wait_for):
    server.mailbox(OTHER, "another")

    async def sign_in():
        mailbox = box(server, OTHER, user=OTHER, password="another")
        async with waiting(db, mailbox, OTHER, before=change) as (request, watch):
            with pytest.raises(MessageNotReceived):
                await request.answer(1.5)
            return watch.trouble

    def change(watch):
        watch._reader.close()
        server.set_password(OTHER, "a-third-one")
        second = int(time.time())
        wait_for(lambda: time.time() > second + 1.1)  # until the server looks at the password again

    assert "LATCHKEY_MAILBOX_PASSWORD" in asyncio.run(sign_in())
    assert server.log().count("auth failed") == 1
