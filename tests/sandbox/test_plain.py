"""The plain portal: sign-in, list, files, sessions that end, and every scenario's visible sign."""

from __future__ import annotations

import csv
import http.client
import io
import re
import stat
import time
import zipfile
from functools import partial
from hashlib import sha256

import pypdf
import pytest

from sandbox import NEW_PASSWORD, PASSWORD, phone, totp_code, totp_secret
from sandbox.plain.data import accounts
from tests.project import wait_for

FILE = re.compile(r'class="file" href="([^"]+)"')


def test_signing_in_leads_to_the_documents(visitor, admin):
    person = visitor()
    assert person.submit("ok+7@example.com").location == "/documents"
    page = person.ask("/documents").text
    assert '<span id="user-name">ok+7@example.com</span>' in page
    first, second = accounts("ok+7@example.com")
    assert f'<li data-account="{first}">' in page
    assert f'<li data-account="{second}">' in page
    assert f'<span id="account">{first}</span>' in page
    counters = admin.counters()
    assert (counters["sign_ins"], counters["sessions_created"], counters["pages"]) == (1, 1, 2)
    assert person.ask("/login").location == "/documents", "signed in already"


@pytest.mark.parametrize(
    ("username", "password", "sign"),
    [
        ("ok", "wrong", "alert--credentials"),
        ("nobody-we-know", PASSWORD, "alert--credentials"),
        ("wrong-password", PASSWORD, "alert--credentials"),
        ("locked", PASSWORD, "alert--locked"),
        ("captcha", PASSWORD, 'id="captcha"'),
    ],
)
def test_a_refused_sign_in_says_why(visitor, admin, username, password, sign):
    answer = visitor().submit(username, password)
    assert answer.status == 200
    assert sign in answer.text
    assert admin.counters()["submissions"] == {username: 1}
    assert admin.counters()["sign_ins"] == 0


def test_the_new_password_is_right(visitor):
    assert visitor().submit("wrong-password", NEW_PASSWORD).location == "/documents"


def test_codes_stand_between_password_and_documents(visitor, phones):
    for username in ("sms+gate", "totp+gate", "sms+gate+send"):
        person = visitor()
        assert person.submit(username).location == "/code"
        assert person.ask("/documents").location.startswith("/login"), "not signed in yet"
        page = person.ask("/code")
        if "send" in username:
            assert 'name="code"' not in page.text
            assert phones.codes(phone(username)) == []
            person.ask("/code/send", {"csrf_token": page.token})
        if "totp" in username:
            code = totp_code(totp_secret(username), int(time.time() // 30))
        else:
            [code] = wait_for(partial(phones.codes, phone(username)))
        assert person.type_code(code).location == "/documents"
        assert person.ask("/documents").status == 200


def test_a_link_lets_the_page_go_on_that_waits_for_it(visitor, admin):
    person = visitor()
    assert person.submit("link+gate").location == "/waiting"
    assert 'id="waiting"' in person.ask("/waiting").text
    assert person.ask("/documents").location.startswith("/login"), "not signed in yet"
    ticket = next(secret for secret in admin.secrets()["tokens"] if len(secret) == 32)
    assert visitor().ask(f"/allow/{ticket}").status == 200, "whoever has the link may open it"
    assert visitor().ask(f"/allow/{ticket}").status == 410, "once"
    assert person.ask("/waiting").location == "/documents"
    assert 'id="user-name"' in person.ask("/documents").text


def test_another_code_replaces_the_first(visitor, phones):
    person = visitor()
    person.submit("sms+resend")
    wait_for(lambda: phones.codes(phone("sms+resend")))  # two messages may overtake each other
    person.ask("/code/send", {"csrf_token": person.ask("/code").token})
    first, second = wait_for(lambda: codes if len(codes := phones.codes(phone("sms+resend"))) == 2 else None)
    assert "alert--code" in person.type_code(first).text
    assert person.type_code(second).location == "/documents"


@pytest.mark.parametrize("user", ["code-never+plain", "code-refused+plain"])
def test_codes_that_never_let_anybody_in(visitor, admin, phones, user):
    person = visitor()
    person.submit(user)
    refused = user.startswith("code-refused")
    if refused:
        [code] = wait_for(lambda: phones.codes(phone(user)))
        assert "alert--code" in person.type_code(code).text
    assert admin.counters()["code_requests"] == 1
    assert len(phones.codes(phone(user))) == refused


@pytest.mark.parametrize(
    ("scenario", "seen"),
    [
        ("submit-503", 503),
        ("submit-hang", TimeoutError),
        ("submit-drop", (http.client.RemoteDisconnected, ConnectionResetError)),
    ],
)
def test_trouble_right_after_the_password(visitor, admin, scenario, seen):
    username = f"{scenario}+times-1"
    if seen == 503:
        assert visitor().submit(username).status == 503
    else:
        with pytest.raises(seen):
            visitor().submit(username, timeout=3 if seen is TimeoutError else 60)
    wait_for(lambda: admin.counters()["submissions"] == {username: 1})
    assert admin.counters()["sign_ins"] == 0
    assert visitor().submit(username).location == "/documents", "once only"


def test_signed_out_requests_are_sent_to_the_sign_in_and_come_back(visitor, admin):
    person = visitor()
    where = person.ask("/documents?page=2").location
    assert where == "/login?next=%2Fdocuments%3Fpage%3D2"
    page = person.ask(where)
    form = {"csrf_token": page.token, "username": "ok+next", "password": PASSWORD}
    action = re.search(r'action="([^"]+)"', page.text)[1]  # type: ignore[index]
    assert person.ask(action, form).location == "/documents?page=2"
    admin.configure(signed_out_answer="page")
    answer = visitor().ask("/documents")
    assert answer.status == 200
    assert 'id="password"' in answer.text


def test_next_never_leads_away(visitor):
    person = visitor()
    page = person.ask("/login?next=//evil.example/")
    form = {"csrf_token": page.token, "username": "ok+away", "password": PASSWORD}
    assert person.ask("/login?next=//evil.example/", form).location == "/documents"


def test_a_session_is_good_for_so_many_requests(signed_in, admin):
    person = signed_in("ok+expires-13")
    assert [person.ask("/documents").status for _ in range(14)] == [200] * 13 + [302]
    assert person.submit("ok+expires-13").location == "/documents"
    assert person.ask("/documents").status == 200
    counters = admin.counters()
    assert (counters["sign_ins"], counters["sessions_died"], counters["sessions_created"]) == (2, 1, 2)


def test_session_lives_can_be_set_for_all_and_for_one(signed_in, admin):
    admin.configure(session_requests=2)
    admin.user("ok+long", session_requests=4)
    for username, good in (("ok+short", 2), ("ok+long", 4)):
        person = signed_in(username)
        assert [person.ask("/documents").status for _ in range(good + 1)] == [200] * good + [302]


def test_signed_out_midway_happens_once(signed_in):
    for good in (5, 50):
        person = signed_in("signed-out-midway")
        statuses = [person.ask("/documents").status for _ in range(50)]
        assert statuses == [200] * good + [302] * (50 - good)


def test_sessions_end_by_clock_sign_out_and_admin(signed_in, admin):
    admin.configure(session_seconds=600)
    by_clock, by_hand, by_admin = (signed_in(f"ok+end-{number}") for number in range(3))
    by_hand.ask("/logout")
    assert admin.sign_out("ok+end-2") == 1
    assert by_hand.ask("/documents").status == by_admin.ask("/documents").status == 302
    assert by_clock.ask("/documents").status == 200
    admin.clock(601)
    assert by_clock.ask("/documents").status == 302
    assert admin.counters()["sessions_died"] == 2, "signing out is no death"
    admin.configure(session_seconds=0)


def test_the_list_shows_every_document_once_newest_first(signed_in, admin):
    admin.configure(documents=95)
    person = signed_in("ok+list")
    address, rows = "/documents?per=20", []
    while address:
        page = person.ask(address).text
        rows += re.findall(r'data-id="([^"]+)"><td class="id">[^<]+</td><td class="date">([^<]+)', page)
        link = re.search(r'rel="next" href="([^"]+)"', page)
        address = link[1].replace("&amp;", "&") if link else ""
    assert len({number for number, _ in rows}) == len(rows) == 95
    assert [day for _, day in rows] == sorted((day for _, day in rows), reverse=True)
    admin.configure(documents=0)
    assert "<tbody></tbody>" in person.ask("/documents").text
    assert person.ask("/documents?page=0").status == person.ask("/documents?per=x").status == 400


def test_each_account_has_documents_of_its_own(signed_in):
    person = signed_in("ok+accounts")
    for account in accounts("ok+accounts"):
        page = person.ask(f"/documents?account={account}").text
        assert f'<span id="account">{account}</span>' in page
        assert all(address.startswith(f"/documents/{account}-") for address in FILE.findall(page))
    assert "alert--account-missing" in person.ask("/documents?account=1").text
    stranger = accounts("ok+somebody")[0]
    assert person.ask(f"/documents/{stranger}-00001/file").status == 404


def test_what_is_known_already_is_not_sent_again(signed_in, admin):
    person = signed_in("ok+etag")
    for address in ("/documents", FILE.findall(person.ask("/documents").text)[0], "/usage.csv?rows=10"):
        tag = person.ask(address).headers["ETag"]
        again = person.ask(address, If_None_Match=tag)
        assert (again.status, again.body) == (304, b"")
    admin.configure(documents=21)
    assert person.ask("/documents", If_None_Match=tag).status == 200


def test_a_file_is_the_same_valid_pdf_each_time(signed_in, admin):
    person = signed_in("ok+file")
    addresses = FILE.findall(person.ask("/documents").text)
    answer = person.ask(addresses[0])
    assert len(answer.body) == int(answer.headers["Content-Length"]) == 100_000
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{addresses[0].split("/")[2]}.pdf"'
    assert "Invoice 20 of account" in pypdf.PdfReader(io.BytesIO(answer.body), strict=True).pages[0].extract_text()
    assert person.ask(addresses[0]).body == answer.body
    assert len({sha256(person.ask(address).body).digest() for address in addresses}) == 20
    admin.configure(file_bytes=5_432)
    assert len(person.ask(addresses[0]).body) == 5_432
    counters = admin.counters()
    assert counters["downloads"] == 23
    assert counters["bytes"] > 22 * 100_000


def test_a_big_file_is_streamed(signed_in, plain, admin):
    person = signed_in("ok+big")

    def peak() -> int:
        with open(f"/proc/{plain.pid}/status") as status:
            return int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1])  # type: ignore[index]

    before = peak()
    body = person.ask("/big?bytes=60000001", timeout=60).body
    assert len(body) == 60_000_001
    assert body.startswith(b"%PDF-1.4")
    assert body.endswith(b"%%EOF\n")
    assert peak() - before < 10_000
    assert admin.counters()["bytes"] > 60_000_000
    assert person.ask("/big?bytes=5").status == 400


def test_usage_is_a_table_without_doubles(signed_in):
    person = signed_in("ok+usage")
    rows = list(csv.DictReader(io.StringIO(person.ask("/usage.csv?rows=5000").text)))
    assert len(rows) == 5_000
    assert len({(row["day"], row["line"], row["service"]) for row in rows}) == 5_000
    assert person.ask("/usage.csv?rows=5000").body == person.ask("/usage.csv?rows=5000").body


def test_archives_are_safe_or_not(signed_in):
    person = signed_in("ok+zip")
    with zipfile.ZipFile(io.BytesIO(person.ask("/bundle.zip").body)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["invoice-1.pdf", "invoice-2.pdf", "usage.csv"]
    for body in (person.ask("/unsafe.zip").body, signed_in("unsafe-zip").ask("/bundle.zip").body):
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            assert {"../../escaped.txt", "/tmp/escaped.txt"} < set(archive.namelist())
            assert stat.S_ISLNK(archive.getinfo("link").external_attr >> 16)


@pytest.mark.parametrize("scenario", ["truncated-file", "empty-file", "html-instead-of-pdf", "ok+html-instead-of-pdf"])
def test_bad_files(signed_in, scenario):
    person = signed_in(f"{scenario}+only-19+times-1")
    newest, bad, *_ = FILE.findall(person.ask("/documents").text)
    assert person.ask(newest).body.startswith(b"%PDF")
    if scenario == "truncated-file":
        with pytest.raises(http.client.IncompleteRead) as caught:
            person.ask(bad)
        assert 0 < len(caught.value.partial) < 100_000
    else:
        answer = person.ask(bad)
        assert answer.status == 200
        assert answer.body == b"" if scenario == "empty-file" else b"<!doctype html>" in answer.body
    assert person.ask(bad).body.startswith(b"%PDF"), "once only"


def test_a_page_may_call_itself_a_pdf(signed_in):
    person = signed_in("html-instead-of-pdf+mislabelled")
    answer = person.ask(FILE.findall(person.ask("/documents").text)[0])
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.body.startswith(b"<!doctype html>")


@pytest.mark.parametrize(("scenario", "retry_after"), [("rate-limited", "1"), ("rate-limited-bare", None)])
def test_rate_limits(signed_in, scenario, retry_after):
    person = signed_in(scenario)
    answers = [person.ask("/documents") for _ in range(3)]
    assert [answer.status for answer in answers] == [429, 429, 200]
    assert answers[0].headers.get("Retry-After") == retry_after
    patient = signed_in(f"{scenario}+times-1000")
    assert {patient.ask("/documents").status for _ in range(20)} == {429}


def test_another_customer_is_seen_and_served(signed_in):
    person = signed_in("other-customer")
    page = person.ask("/documents").text
    assert '<span id="user-name">other-customer' not in page
    assert accounts("other-customer")[0] not in page
    assert person.ask(FILE.findall(page)[0]).body.startswith(b"%PDF")


def test_another_account_is_opened_or_none(signed_in):
    username = "wrong-account"
    first, second = accounts(username)
    page = signed_in(username).ask(f"/documents?account={first}").text
    assert f'<span id="account">{second}</span>' in page
    assert f"/documents/{first}-" not in page
    assert "alert--account-missing" in signed_in("account-missing").ask("/documents").text


def test_the_list_may_look_different(signed_in):
    page = signed_in("layout-b").ask("/documents").text
    assert 'id="user-name"' in page
    assert 'id="documents"' not in page


@pytest.mark.parametrize(
    ("scenario", "month", "sign"),
    [
        ("ok", "2020-01", 'id="total">20<'),
        ("ok", "2020-02", "alert--not-published"),
        ("ok", "2019-12", "alert--purged"),
        ("not-published", "2020-01", "alert--not-published"),
        ("purged", "2020-01", "alert--purged"),
        ("month-missing", "2020-01", "alert--month-missing"),
        ("layout-b", "2020-01", 'class="cards"'),
    ],
)
def test_months(signed_in, scenario, month, sign):
    page = signed_in(f"{scenario}+months").ask(f"/documents?month={month}").text
    assert sign in page
    if sign.startswith("alert"):
        assert 'class="file"' not in page
