"""Codes by mail: as a mail-routing service posts them, and as a mail server finds them in a Maildir."""

from __future__ import annotations

import email
import email.policy
import re
import time
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import partial
from mailbox import Maildir

import pytest

from sandbox import mailbox
from tests.project import wait_for
from tests.sandbox.person import Mails


@pytest.fixture
def mails(admin):
    """A mail-routing service to which the plain portal posts its mails."""
    with Mails(token="gateway-secret") as mails:
        admin.configure(mail_url=mails.url)
        yield mails
        admin.configure(mail_url="", mail_folder="")


def test_a_code_comes_by_mail(visitor, mails, admin):
    person, user = visitor(), "sms+mail+a"
    before = time.time()
    assert person.submit(user).location == "/code"
    code = wait_for(lambda: mails.codes(mailbox(user)))[0]
    assert person.type_code(code).location == "/documents"
    mail = mails.payloads[0]
    assert (mail["from"], mail["subject"]) == ("codes@portal.example", "Your verification code")
    assert before <= datetime.fromisoformat(mail["received_at"]).timestamp() <= time.time()
    assert admin.messages()[-1]["receiver"] == mailbox(user)
    assert admin.counters()["codes_sent"] == 1


@pytest.mark.parametrize(
    ("tags", "count", "right"),
    [
        ("double", 2, 0),
        ("reorder", 2, 0),
        ("stale", 2, 1),
        ("wrong-sender", 2, 1),
        ("wrong-sender+stale+reorder", 4, 2),
    ],
)
def test_mails_come_as_texts_do(visitor, mails, tags, count, right):
    person, user = visitor(), f"sms+mail+{tags}"
    before = time.time()
    person.submit(user)
    codes = wait_for(lambda: mails.codes(mailbox(user))[count - 1 :] and mails.codes(mailbox(user)))
    assert len(codes) == count
    assert (len(set(codes)) == 1) is (tags == "double")
    assert person.type_code(codes[right]).location == "/documents"
    strangers = [mail for mail in mails.payloads if mail["from"] != "codes@portal.example"]
    assert len(strangers) == ("wrong-sender" in tags)
    came = [datetime.fromisoformat(mail["received_at"]).timestamp() for mail in mails.payloads]
    assert sum(moment < before - 60 for moment in came) == ("stale" in tags)


def test_mails_come_late_and_one_can_be_older(visitor, mails, admin):
    person, user = visitor(), "sms+mail+late-1+mailbox-7"
    assert mailbox(user) == "codes7@example.com" != mailbox("sms+mail+late-1")
    assert admin.send_former_code(user)
    # A message that was not held back is sent before the sandbox reads the next request.
    assert visitor().submit("sms+mail+late-3600+mailbox-8").location == "/code"
    assert [message["receiver"] for message in admin.messages()][-1] == "codes7@example.com"
    person.submit(user)
    codes = wait_for(lambda: mails.codes("codes7@example.com")[1:] and mails.codes("codes7@example.com"))
    assert mails.codes("codes8@example.com") == []
    assert person.type_code(codes[0]).status == 200
    assert person.type_code(codes[1]).location == "/documents"


def test_mails_are_put_into_a_maildir(visitor, mails, admin, tmp_path):
    admin.configure(mail_url="", mail_folder=f"{tmp_path}/{{mailbox}}/Maildir")
    for user in ("sms+mail+mail-html+stale", "sms+mail+mail-french+reorder"):
        person = visitor()
        person.submit(user)
        path = tmp_path / mailbox(user) / "Maildir"
        wait_for(path.exists)
        folder = Maildir(path)
        wait_for(partial(stored_two, folder))
        stored = sorted(folder, key=lambda mail: mail.get_date())
        parsed = [email.message_from_bytes(mail.as_bytes(), policy=email.policy.default) for mail in stored]
        body = parsed[-1].get_body()
        assert body.get_content_subtype() == ("html" if "html" in user else "plain")
        assert (parsed[0]["To"], parsed[0]["From"]) == (mailbox(user), "codes@portal.example")
        assert all(mail.get_subdir() == "new" for mail in stored), "unread"
        dates = [parsedate_to_datetime(mail["Date"]).timestamp() for mail in parsed]
        arrived = [mail.get_date() for mail in stored]
        if "stale" in user:
            assert arrived[0] < arrived[1] - 60
            assert person.type_code(code_in(parsed[1])).location == "/documents"
        else:
            # The right one came first, although it is the newer one by its Date.
            codes = {code_in(mail): date for mail, date in zip(parsed, dates, strict=True)}
            assert abs(dates[0] - dates[1]) >= 4
            assert person.type_code(max(codes, key=lambda code: codes[code])).location == "/documents"


def code_in(mail) -> str:
    text = re.sub("<[^>]*>", "", mail.get_body().get_content())
    return re.search(r"(?:use this code|utiliser le code)\s+(\w+)", text)[1]  # type: ignore[index]


def stored_two(folder: Maildir) -> bool:
    return len(folder) == 2
