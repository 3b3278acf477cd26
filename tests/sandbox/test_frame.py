"""The frame: people, codes, text messages, faults, counters, addresses, and what outlives a kill."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pyotp
import pytest

from sandbox import PASSWORD, AdminError, SandboxError, User, phone, running, totp_code, totp_secret
from tests.project import wait_for
from tests.sandbox.person import Person


def totp_now(username: str, ahead: float = 0.0) -> str:
    return totp_code(totp_secret(username), int((time.time() + ahead) // 30))


# What a user name says


def test_a_user_name_is_a_scenario_and_tags():
    user = User.of(" SMS+phone-5+late-1.5+a@example.com ")
    assert (user.scenario, user.tags) == ("sms", ("phone-5", "late-1.5", "a"))
    assert user.says("locked", "a")
    assert not user.says("phone")
    assert user.value("phone") == "5"
    assert user.number("late") == 1.5
    assert user.number("expires", 7) == 7


def test_secret_and_telephone_come_from_the_name():
    assert totp_code(totp_secret("totp+1"), 55) == pyotp.TOTP(totp_secret("totp+1")).at(55 * 30)
    assert totp_secret("totp+1") != totp_secret("totp+2")
    assert phone("sms+phone-5+a") == phone("sms+b+phone-5@example.com") == "+15550100005"
    phones = [phone(f"sms+{number}") for number in range(40)]
    assert len(set(phones)) == 40
    assert all(len(each) == 12 for each in phones)


# Passwords and locks


def test_five_refused_passwords_lock_and_each_is_counted(visitor, admin):
    for _ in range(5):
        assert "alert--credentials" in visitor().submit("ok+lock", "wrong").text
    assert "alert--locked" in visitor().submit("ok+lock").text
    counters = admin.counters()
    assert (counters["refused"], counters["locks"], counters["sign_ins"]) == (5, 1, 0)
    assert counters["submissions"] == {"ok+lock": 6}
    admin.user("ok+lock", locked=False, failed=0)
    assert visitor().submit("ok+lock").location == "/documents"


def test_a_right_password_forgets_the_wrong_ones(visitor, admin):
    for _ in range(2):
        for _ in range(4):
            visitor().submit("ok+absent-minded", "wrong")
        assert visitor().submit("ok+absent-minded").location == "/documents"
    assert admin.counters()["locks"] == 0


def test_passwords_can_be_changed(visitor, admin):
    admin.user("ok+changed", password="mellon-7")
    assert "alert--credentials" in visitor().submit("ok+changed").text
    assert visitor().submit("ok+changed", "mellon-7").location == "/documents"
    assert "mellon-7" in admin.secrets()["passwords"]


# One-time codes


def test_an_authenticator_code_is_good_once(visitor, admin):
    first, second = visitor(), visitor()
    assert first.submit("totp+once").location == "/code"
    code = totp_now("totp+once")
    assert first.type_code(code).location == "/documents"
    second.submit("totp+once")
    assert "alert--code" in second.type_code(code).text
    counters = admin.counters()
    assert (counters["codes_used"], counters["codes_refused"], counters["sign_ins"]) == (1, 1, 1)


@pytest.mark.parametrize(("ahead", "good"), [(-30, True), (30, True), (-90, False), (90, False)])
def test_an_authenticator_may_be_one_step_off(visitor, ahead, good):
    person, username = visitor(), f"totp+off{ahead}"
    person.submit(username)
    assert ("alert--code" not in person.type_code(totp_now(username, ahead)).text) is good


def test_the_clock_can_be_turned(visitor, admin):
    admin.clock(3600)
    person = visitor()
    person.submit("totp+clock")
    assert "alert--code" in person.type_code(totp_now("totp+clock")).text
    assert person.type_code(totp_now("totp+clock", 3600)).location == "/documents"


def received(phones, username: str, count: int = 1) -> list[str]:
    return wait_for(lambda: codes if len(codes := phones.codes(phone(username))) >= count else None)


def test_a_code_by_message_is_good_once_for_its_visit_and_five_minutes(visitor, admin, phones):
    people = [visitor() for _ in range(3)]
    for number, person in enumerate(people):
        assert person.submit(f"sms+visit-{number}").location == "/code"
    codes = [received(phones, f"sms+visit-{number}")[0] for number in range(3)]
    assert "alert--code" in people[0].type_code(codes[1]).text, "the code of another visit"
    assert people[0].type_code(codes[0]).location == "/documents"
    assert people[1].type_code(codes[1]).location == "/documents"
    again = visitor()
    again.submit("sms+visit-1")
    assert "alert--code" in again.type_code(codes[1]).text, "the code of an earlier visit"
    admin.clock(301)
    assert "alert--code" in people[2].type_code(codes[2]).text, "five minutes are over"
    wait_for(lambda: admin.counters()["codes_sent"] == 4)
    counters = admin.counters()
    assert (counters["code_requests"], counters["codes_used"], counters["codes_refused"]) == (4, 2, 3)


def test_three_wrong_codes_end_the_visit(visitor):
    person = visitor()
    person.submit("sms+tries")
    for _ in range(3):
        assert "alert--code" in person.type_code("000000").text
    assert person.type_code("000000").location == "/login"
    assert person.ask("/code").location == "/login"


def test_a_message_has_the_shape_of_the_gateway(visitor, phones):
    visitor().submit("sms+shape")
    received(phones, "sms+shape")
    payload = next(each for each in phones.payloads if each["to"] == [{"phone_number": phone("sms+shape")}])
    assert payload["from"] == {"phone_number": "+15550100001"}
    assert payload["text"].startswith("Plain: your verification code is ")
    assert payload["id"]
    assert payload["received_at"]


def test_a_late_message_holds_no_page_up(visitor, admin, phones):
    assert visitor().submit("sms+late-3600").location == "/code"
    # A message that was not held back is sent before the sandbox reads the next request.
    assert phone("sms+late-3600") not in {message["receiver"] for message in admin.messages()}
    assert admin.counters()["code_requests"] == 1
    assert admin.counters()["codes_sent"] == 0
    assert visitor().submit("sms+late-0.2").location == "/code"
    received(phones, "sms+late-0.2")
    assert phones.codes(phone("sms+late-3600")) == []


def test_messages_come_doubled_reordered_and_stale(visitor, phones):
    for tag, count in (("double", 2), ("reorder", 2), ("stale", 2)):
        person, username = visitor(), f"sms+{tag}"
        person.submit(username)
        first, second = received(phones, username, count)
        assert (first == second) is (tag == "double")
        right = second if tag == "stale" else first
        if tag != "double":
            assert "alert--code" in person.type_code(second if right == first else first).text
        assert person.type_code(right).location == "/documents"
    stale, good = (
        each["received_at"] for each in phones.payloads if each["to"][0]["phone_number"] == phone("sms+stale")
    )
    assert stale < good


def test_a_message_from_before_can_be_sent(visitor, admin, phones):
    assert admin.send_former_code("sms+before")
    former = received(phones, "sms+before")[0]
    person = visitor()
    person.submit("sms+before")
    assert "alert--code" in person.type_code(former).text


def test_a_refusing_gateway_is_asked_again(visitor, phones):
    phones.refusals = 2
    visitor().submit("sms+again")
    assert len(received(phones, "sms+again")) == 1


def test_a_code_may_be_chosen_by_a_test(visitor, admin, phones):
    admin.user("sms+chosen", next_codes=["424242"])
    person = visitor()
    person.submit("sms+chosen")
    assert received(phones, "sms+chosen") == ["424242"]
    assert person.type_code("424242").location == "/documents"


# Forms


def test_a_form_token_is_good_once_for_its_visit_and_a_quarter_of_an_hour(visitor, admin):
    def submit(person: Person, token: str) -> int:
        form = {"csrf_token": token, "username": "ok+form", "password": PASSWORD}
        return person.ask("/login", form).status

    person, other = visitor(), visitor()
    old, new = person.ask("/login").token, person.ask("/login").token
    strange = other.ask("/login").token
    assert [submit(person, token) for token in ("", strange, old)] == [403, 403, 403]
    assert submit(person, new) == 302
    assert submit(visitor(), strange) == 403, "a token without the cookie of its visit"
    again = visitor()
    token = again.ask("/login").token
    form = {"csrf_token": token, "username": "sms+form", "password": PASSWORD}
    assert [again.ask("/login", form).status for _ in range(2)] == [302, 403], "a form sent twice"
    late = other.ask("/login").token
    admin.clock(901)
    assert submit(other, late) == 403
    assert admin.counters()["submissions"] == {"ok+form": 1, "sms+form": 1}


# Trouble


def test_errors_come_by_path_and_ordinal(signed_in, admin):
    person = signed_in("ok+errors")
    address = "/documents?page=1"
    admin.configure(
        errors=[
            {"path": r"/documents\?page=1", "ordinals": [2], "fault": "429", "retry_after": 3},
            {"path": r"/documents\?page=1", "ordinals": [3], "fault": "429-bare"},
            {"path": r"/documents\?page=1", "ordinals": [4], "fault": "500"},
            {"path": r"/documents\?page=1", "ordinals": [5], "fault": "html"},
        ]
    )
    answers = [person.ask(address) for _ in range(6)]
    assert [answer.status for answer in answers] == [200, 429, 429, 500, 200, 200]
    assert [answer.headers.get("Retry-After") for answer in answers[1:3]] == ["3", None]
    assert "Something went wrong" in answers[4].text
    assert "user-name" in answers[5].text


def test_answers_are_cut_dropped_and_never_come(signed_in, admin):
    person = signed_in("ok+broken")
    admin.configure(errors=[{"path": "/documents", "ordinals": [n], "fault": f} for n, f in [(1, "cut"), (2, "drop")]])
    with pytest.raises(http.client.IncompleteRead):
        person.ask("/documents")
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        person.ask("/documents")
    assert person.ask("/documents").status == 200
    admin.configure(errors=[{"path": "/documents", "fault": "hang"}])
    with pytest.raises(TimeoutError):
        person.ask("/documents", timeout=0.3)
    wait_for(lambda: admin.counters()["in_flight_now"] == 0)


def test_a_fault_plan_is_the_same_each_time(signed_in, admin):
    def statuses() -> list[list[int]]:
        admin.reset()
        person = signed_in("ok+plan")
        return [[person.ask(f"/documents?page={page}").status for _ in range(6)] for page in range(1, 21)]

    admin.configure(faults={"seed": 7, "429": 0.2, "500": 0.2, "retry_after": 0})
    first = statuses()
    assert first == statuses()
    seen = [status for page in first for status in page]
    assert {200, 429, 500} == set(seen)
    assert all(len([status for status in page if status != 200]) <= 2 for page in first)
    admin.configure(faults={"seed": 8, "429": 0.2, "500": 0.2, "retry_after": 0})
    assert statuses() != first


def test_latency_limit_and_what_is_in_flight(signed_in, admin):
    person = signed_in("ok+limit")
    for _ in range(6):
        assert person.ask("/documents").status == 200
    assert admin.counters()["in_flight_max"] == 1
    admin.configure(latency_ms=1000, limit=3)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: person.ask("/documents").status, range(6)))
    counters = admin.counters()
    assert answers == [200] * 6
    assert counters["in_flight_max"] > 3  # they could not overlap if each were answered at once
    assert counters["over_limit"] >= counters["in_flight_max"] - 3
    assert counters["connections_max"] >= counters["in_flight_max"]
    admin.configure(limit_status=429)
    with ThreadPoolExecutor(6) as pool:
        assert 429 in list(pool.map(lambda _: person.ask("/documents").status, range(6)))


# Admin


def test_the_journal_names_requests_without_secrets(signed_in, admin):
    person = signed_in("ok+journal")
    person.ask(f"/documents?page=2&token={PASSWORD}")
    entries = admin.journal()
    assert [(entry["method"], entry["path"], entry["status"]) for entry in entries] == [
        ("GET", "/login", 200),
        ("POST", "/login", 302),
        ("GET", "/documents", 200),
    ]
    assert entries[2]["query"] == {"page": "2"}
    assert entries[2]["user"] == "ok+journal"
    assert admin.journal(since=entries[1]["number"]) == [entries[2]]
    written = json.dumps(entries)
    assert PASSWORD not in written
    assert person.cookie("session") not in written
    assert person.cookie("session") in admin.secrets()["cookies"]


def test_what_cannot_be_configured_is_named(admin, plain):
    with pytest.raises(AdminError, match="latency_m"):
        admin.configure(latency_m=3)
    with pytest.raises(AdminError, match="fault, one of"):
        admin.configure(errors=[{"path": "/", "fault": "explode"}])
    with pytest.raises(AdminError, match="faults does not know 418"):
        admin.configure(faults={"418": 1})
    with pytest.raises(AdminError, match="shoe_size"):
        admin.user("ok", shoe_size=43)
    with pytest.raises(AdminError, match="offset"):
        admin.ask("clock", {"offset": "late"})
    with pytest.raises(AdminError, match="nonsense"):
        plain.configure(nonsense=1)


def test_admin_pages_are_not_counted_and_reset_forgets(signed_in, admin):
    person = signed_in("ok+reset")
    person.ask("/documents")
    assert admin.counters()["requests"] == 3
    assert admin.counters()["first_request_at"] > 0
    admin.reset()
    assert admin.counters()["requests"] == 0
    assert admin.counters()["first_request_at"] is None
    assert person.ask("/documents").location.startswith("/login")


# A process of its own


def test_a_kill_loses_nothing_that_matters(tmp_path, phones):
    with running(tmp_path, ("plain",), sms_url=phones.url, sms_token=phones.token, documents=3) as sandbox:
        url, admin = sandbox.urls["plain"], sandbox.admin["plain"]
        person, coded, waiting = Person(url), Person(url), Person(url)
        person.submit("ok+kept")
        for _ in range(5):
            Person(url).submit("ok+locked-out", "wrong")
        code = totp_now("totp+kept")
        coded.submit("totp+kept")
        coded.type_code(code)
        waiting.submit("sms+kept")
        message = received(phones, "sms+kept")[0]
        admin.user("ok+new", password="changed-1")
        assert sandbox.kill() == -9
        sandbox.start()
        assert sandbox.urls["plain"] == url, "the address is kept"
        counters = sandbox.admin["plain"].counters()
        assert (counters["sign_ins"], counters["locks"], counters["refused"]) == (2, 1, 5)
        assert counters["submissions"]["ok+locked-out"] == 5
        assert '<p id="total">3</p>' in person.ask("/documents").text, "session and configuration are kept"
        assert "alert--locked" in Person(url).submit("ok+locked-out").text
        again = Person(url)
        again.submit("totp+kept")
        assert "alert--code" in again.type_code(code).text, "a used step stays used"
        assert waiting.type_code(message).location == "/documents"
        assert Person(url).submit("ok+new", "changed-1").location == "/documents"
        assert sandbox.stop() == 0
        assert not (tmp_path / "ready.json").exists()
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for secret in (message, person.cookie("session"), "changed-1"):
        assert secret.encode() not in kept


def test_a_taken_address_and_wrong_words_are_one_sentence(tmp_path):
    with running(tmp_path / "first", ("plain",)) as sandbox:
        port = int(sandbox.urls["plain"].rpartition(":")[2])
    holder = socket.create_server(("127.0.0.2", port))
    with holder, pytest.raises(SandboxError, match=f"127.0.0.2:{port} of plain is taken: end what listens there"):
        running(tmp_path / "first", ("plain",)).__enter__()
    with pytest.raises(SandboxError, match="There is no portal plane in the sandbox: choose from"):
        running(tmp_path / "second", ("plane",)).__enter__()
    with pytest.raises(SandboxError, match="SANDBOX_SMS_TOKEN is not set"):
        running(tmp_path / "third", ("plain",), sms_url="http://127.0.0.1:9/sms").__enter__()


def test_sessions_of_two_sandboxes_side_by_side(tmp_path, plain, admin):
    with running(tmp_path, ("plain",), latency_ms=1, plain={"documents": 7}) as other:
        assert other.urls["plain"] != plain.urls["plain"]
        assert other.environment == {"PLAIN_URL": other.urls["plain"]}
        configuration = other.admin["plain"].configuration()
        assert (configuration["latency_ms"], configuration["documents"]) == (1, 7)
        assert admin.configuration()["documents"] == 20


def test_the_module_needs_a_state_folder():
    said = subprocess.run([sys.executable, "-m", "sandbox"], capture_output=True, text=True, check=False)
    assert said.returncode == 2
    assert "--state" in said.stderr


def test_counters_survive_many_at_once(visitor, admin):
    def one(number: int) -> None:
        assert visitor().submit(f"ok+crowd-{number % 5}").location == "/documents"

    threads = [threading.Thread(target=one, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counters = admin.counters()
    assert counters["sign_ins"] == counters["sessions_created"] == 20
    assert set(counters["submissions"].values()) == {4}


def test_where_all_portals_share_a_host_cookies_carry_their_word(tmp_path, free_port):
    (tmp_path / "addresses.json").write_text(json.dumps({"plain": {"host": "127.0.0.1", "port": free_port()}}))
    with running(tmp_path, ("plain",)) as sandbox:
        person = Person(sandbox.urls["plain"])
        person.submit("ok")
        assert {cookie.name for cookie in person.jar} == {"plain_session"}
        assert person.ask("/documents").status == 200
