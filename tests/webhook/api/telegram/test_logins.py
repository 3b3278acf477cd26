"""Signing in to Telegram through the API: by a code, by a file, by a string."""

from __future__ import annotations

import base64
import os
import sqlite3
import threading
from contextlib import closing
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from sqlalchemy import func, select

from database.families.telegram.logins import sweep
from database.models.telegram import LoginKind, TelegramLogin, TelegramSession
from sandbox import PASSWORD
from sandbox.telegram import bot_token
from tests.sandbox.telegram.client import play, string_of
from tests.telegram import API_HASH, API_ID, session_file
from tests.webhook.api.conftest import ANA, BEN
from tests.webhook.api.telegram.conftest import APP

NOWHERE = "00000000-0000-4000-8000-00000000ffff"


def another(code):
    return f"{(int(code) + 1) % 10**5:05d}"


def count(api, model):
    with api.db.transaction() as session:
        return session.scalar(select(func.count()).select_from(model))


def expire(api):
    with api.db.transaction() as session:
        for row in session.scalars(select(TelegramLogin)):
            row.expires_at -= timedelta(hours=2)


# By a code


def test_a_code_makes_a_session_that_works(store, api, ana):
    number = api.server.number()
    begun = ana.post("/sessions/send-otp", json={"phone_number": number, **APP}).get_json()
    assert begun | {"temp_session_id": "", "message": ""} == {
        "temp_session_id": "",
        "phone_number": number,
        "message": "",
        "expires_in_minutes": 10.0,
    }
    answer = api.give(ana, begun["temp_session_id"], code=api.server.code(number))
    made = answer.get_json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/sessions/{made['id']}"
    assert (made["phone_number"], made["is_active"], made["api_id"]) == (number, "active", API_ID)
    assert (made["name"], made["sources"], made["is_bot"]) == (f"Session …{number[-2:]}", 0, False)
    assert ana.post(f"/sessions/{made['id']}/test").get_json()["status"] == "active"
    assert count(api, TelegramLogin) == 0


def test_a_phone_number_is_taken_in_any_spelling_and_has_one_session(store, api, ana):
    number = api.server.number()
    spelled = f"{number[1:4]} ({number[4:7]}) {number[7:]}"
    api.sign_up(ana, number, session_name="Mine")
    for spelling in (number, spelled):
        again = ana.post("/sessions/send-otp", json={"phone_number": spelling, **APP})
        assert again.status_code == 409, again.get_json()
    ben = api.user(BEN)
    api.sign_up(ben, number)  # another user's session is another one, with a key of its own
    assert len(set(api.strings())) == 2


def test_a_wrong_code_does_not_use_up_the_login(store, api, ana):
    number = api.server.number()
    login = api.begin(ana, number)
    code = api.server.code(number)
    wrong = [api.give(ana, login, code=another(code)) for _ in range(4)]
    assert [answer.status_code for answer in wrong] == [400] * 4
    assert [answer.get_json()["detail"] for answer in wrong][2:] == [
        "The code is wrong. 2 more tries.",
        "The code is wrong. 1 more try.",
    ]
    assert api.give(ana, login, code=code).status_code == 201


def test_wrong_codes_have_a_bound(store, api, ana):
    number = api.server.number()
    login = api.begin(ana, number)
    code = api.server.code(number)
    statuses = [api.give(ana, login, code=another(code)).status_code for _ in range(5)]
    assert statuses == [400, 400, 400, 400, 429]
    assert api.give(ana, login, code=code).status_code == 404
    assert count(api, TelegramLogin) == count(api, TelegramSession) == 0


def test_guesses_that_come_at_once_have_the_same_bound(store, api, ana):
    number = api.server.number("code-refused")
    login, answers, pause = api.begin(ana, number), [], threading.Event()
    before = api.server.methods().count("auth.signIn")
    clients = [api.with_token(ana.environ_base["HTTP_AUTHORIZATION"].removeprefix("Bearer ")) for _ in range(12)]

    def guess(client, code):
        while (answer := api.give(client, login, code=code)).status_code in (409, 429) and "often" not in answer.text:
            pause.wait(0.05)  # another guess is under way
        answers.append(answer.status_code)

    threads = [threading.Thread(target=guess, args=(client, f"{n:05d}")) for n, client in enumerate(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answers) == [400, 400, 400, 400, *[404] * 7, 429]
    assert api.server.methods().count("auth.signIn") == before + 5


def test_a_password_may_come_with_the_code_or_after_it(store, api, ana):
    at_once, later = api.server.number("password"), api.server.number("password")
    assert api.sign_up(ana, at_once, password=PASSWORD)["phone_number"] == at_once
    login = api.begin(ana, later)
    asked = api.give(ana, login, code=api.server.code(later))
    assert (asked.status_code, "has a password" in asked.get_json()["detail"]) == (400, True)
    wrong = api.give(ana, login, password="not it")
    assert (wrong.status_code, wrong.get_json()["detail"]) == (400, "The password is wrong. 4 more tries.")
    assert api.give(ana, login, password=PASSWORD).status_code == 201
    assert api.server.methods().count("auth.signIn") >= 2


def test_wrong_passwords_have_the_same_bound(store, api, ana):
    number = api.server.number("wrong-password")
    login = api.begin(ana, number)
    code = api.server.code(number)
    statuses = [api.give(ana, login, code=code, password=PASSWORD).status_code for _ in range(5)]
    assert statuses == [400, 400, 400, 400, 429]


@pytest.mark.parametrize(
    ("scenario", "status", "said"),
    [
        ("banned", 422, "Telegram has banned this phone number."),
        ("code-flood", 429, "It ends at "),
    ],
)
def test_what_telegram_says_of_a_number_is_told(api, ana, scenario, status, said):
    answer = ana.post("/sessions/send-otp", json={"phone_number": api.server.number(scenario), **APP})
    assert answer.status_code == status
    assert said in str(answer.get_json()["detail"])
    assert answer.content_type == "application/problem+json"
    if status == 429:
        assert 86_000 < int(answer.headers["Retry-After"]) <= 86_400
    assert count(api, TelegramLogin) == 0


def test_a_number_of_no_one_is_refused(api, ana):
    answer = ana.post("/sessions/send-otp", json={"phone_number": "+12015550100", **APP})
    assert (answer.status_code, answer.get_json()["fields"]) == (
        422,
        {"phone_number": "Telegram knows no such phone number."},
    )


@pytest.mark.parametrize(("scenario", "said"), [("code-expired", "expired"), ("unoccupied", "no account")])
def test_a_code_that_cannot_be_used_ends_the_login(api, ana, scenario, said):
    number = api.server.number(scenario)
    login = api.begin(ana, number)
    answer = api.give(ana, login, code=api.server.code(number))
    assert (answer.status_code, said in answer.get_json()["detail"]) == (400, True)
    assert api.give(ana, login, code="12345").status_code == 404


def test_a_login_that_has_expired_is_gone(store, api, ana):
    number = api.server.number()
    login = api.begin(ana, number)
    expire(api)
    answers = [api.give(ana, login, code=api.server.code(number)) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [400, 404]
    assert answers[0].get_json()["detail"] == "The login has expired: begin anew."


def test_expired_logins_are_swept(store, api, ana):
    api.begin(ana, api.server.number())
    with api.db.transaction() as session:
        assert sweep(session) == 0
    expire(api)
    api.begin(ana, api.server.number())
    with api.db.transaction() as session:
        assert sweep(session) == 1
    assert count(api, TelegramLogin) == 1


def test_an_unknown_login_is_absent(api, ana):
    assert api.give(ana, NOWHERE, code="12345").status_code == 404
    assert ana.post("/sessions/finalize", json={"temp_session_id": NOWHERE, "name": "x"}).status_code == 404
    assert ana.delete(f"/sessions/temp/{NOWHERE}").status_code == 404


def test_a_login_can_be_dropped(api, ana):
    login = api.begin(ana, api.server.number())
    answer = ana.delete(f"/sessions/temp/{login}")
    assert (answer.status_code, answer.get_json()["id"]) == (200, login)
    assert ana.delete(f"/sessions/temp/{login}").status_code == 404


def test_codes_for_a_number_are_limited_for_all_users_together(store, make_telegram_api):
    api = make_telegram_api(telegram={"code_seconds": 0, "codes_per_hour": 2})
    ana, ben, number = api.user(ANA), api.user(BEN), api.server.number()
    api.begin(ana, number)
    api.begin(ben, number)
    before = api.server.admin.counters()["code_requests"]
    for client in (ana, ben):
        answer = client.post("/sessions/send-otp", json={"phone_number": number, **APP})
        assert answer.status_code == 429
        assert 3500 < int(answer.headers["Retry-After"]) <= 3600
        assert "rest until" in answer.get_json()["detail"]
    assert api.server.admin.counters()["code_requests"] == before
    api.begin(ana, api.server.number())


def test_between_two_codes_there_is_a_pause(make_telegram_api):
    api = make_telegram_api(telegram={"code_seconds": 60})
    ana, number = api.user(ANA), api.server.number()
    api.begin(ana, number)
    answer = ana.post("/sessions/send-otp", json={"phone_number": number, **APP})
    assert (answer.status_code, 0 < int(answer.headers["Retry-After"]) <= 60) == (429, True)


# By a string


def as_json(client, fields):
    return client.post("/sessions/", json=fields)


def as_form(client, fields):
    return client.post(
        "/sessions/",
        data=urlencode({**fields, "api_id": str(fields["api_id"])}),
        content_type="application/x-www-form-urlencoded",
    )


def as_multipart(client, fields):
    """Send it as `curl -F` does."""
    return client.post(
        "/sessions/", data={**fields, "api_id": str(fields["api_id"])}, content_type="multipart/form-data"
    )


@pytest.mark.parametrize("send", [as_json, as_form, as_multipart])
def test_a_string_is_stored_after_telegram_has_named_its_account(store, api, ana, send):
    number = api.server.number()
    fields = {"name": "Main", "phone_number": number, **APP, "session_string": api.server.string(number)}
    answer = send(ana, fields)
    assert answer.status_code == 201, answer.get_json()
    made = answer.get_json()
    assert (made["name"], made["phone_number"], made["is_active"]) == ("Main", number, "active")
    assert API_HASH not in answer.text
    assert fields["session_string"] not in answer.text
    assert made["last_checked_at"] is not None


@pytest.mark.parametrize(("api_hash", "sent"), [("12345678", "12345678"), ("1e5", "1e5"), ("true", "true")])
def test_a_hash_that_looks_like_json_stays_text_in_a_form(api, ana, api_hash, sent):
    string = api.server.string(api.server.number())
    made = as_form(ana, {"name": "n", "api_id": API_ID, "api_hash": api_hash, "session_string": string}).get_json()
    assert api.row(made["id"]).api_hash == sent


def test_a_string_of_another_number_is_refused(api, ana):
    string = api.server.string(api.server.number())
    answer = api.add(ana, string, phone_number=api.server.number())
    assert (answer.status_code, list(answer.get_json()["fields"])) == (422, ["phone_number"])
    assert count(api, TelegramSession) == 0


def unknown_key(string):
    raw = base64.urlsafe_b64decode(string[1:])
    return "1" + base64.urlsafe_b64encode(raw[:-256] + os.urandom(256)).decode()


@pytest.mark.parametrize("text", ["x", "1", "2" + "A" * 352, "1" + "A" * 352, "1" + "!" * 352, "1ApWapz..."])
def test_what_is_no_session_string_is_refused_unasked(api, ana, text):
    before = len(api.server.methods())
    answer = api.add(ana, text)
    assert (answer.status_code, list(answer.get_json()["fields"])) == (422, ["session_string"])
    assert len(api.server.methods()) == before


def test_a_string_that_does_not_work_is_refused(api, ana):
    revoked, expired, banned = (api.server.number() for _ in range(3))
    strings = [api.server.string(number) for number in (revoked, expired, banned)]
    api.server.end(revoked, "SESSION_REVOKED")
    api.server.end(expired, "AUTH_KEY_UNREGISTERED")
    api.server.end(banned, "USER_DEACTIVATED_BAN")
    said = ["was ended", "no longer knows", "has banned"]
    for string, words in zip([*strings, unknown_key(strings[0])], [*said, "no longer knows"], strict=True):
        answer = api.add(ana, string)
        assert answer.status_code == 422, answer.get_json()
        assert words in answer.get_json()["fields"]["session_string"]
        assert string not in answer.text
    assert count(api, TelegramSession) == 0


def test_a_key_is_never_stored_twice_nor_asked_about_again(store, api, ana):
    ben, string = api.user(BEN), api.server.string(api.server.number())
    assert api.add(ana, string).status_code == 201
    before = len(api.server.methods())
    for client in (ana, ben):
        assert api.add(client, string).status_code == 409
        assert api.upload(client, session_file_of(string)).status_code == 409
    assert len(api.server.methods()) == before
    assert api.strings() == [string]


def session_file_of(string):
    from pathlib import Path
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        return session_file(Path(folder) / "me.session", string)


def test_an_account_has_one_session_that_works(api, ana):
    number = api.server.number()
    api.sign_up(ana, number)
    assert api.add(ana, api.server.string(number)).status_code == 409


def test_a_session_that_has_ended_is_renewed_in_its_place(store, api, ana):
    number = api.server.number()
    made = api.sign_up(ana, number, session_name="First")
    api.source(made["id"])
    api.server.end(number, "AUTH_KEY_UNREGISTERED")
    assert ana.post(f"/sessions/{made['id']}/test").get_json()["status"] == "expired"
    login = api.begin(ana, number)
    answer = api.give(ana, login, code=api.server.code(number))
    assert answer.status_code == 200
    assert {name: answer.get_json()[name] for name in ("id", "name", "is_active", "sources")} == {
        "id": made["id"],
        "name": "First",
        "is_active": "active",
        "sources": 1,
    }
    assert ana.post(f"/sessions/{made['id']}/test").get_json()["is_valid"] is True


def test_a_bots_session_is_known_as_one(api, ana):
    async def scene():
        async with api.server.client() as client:
            await client.sign_in(bot_token=bot_token(1))
            return string_of(client)

    made = api.add(ana, play(scene())).get_json()
    assert (made["is_bot"], made["phone_number"]) == (True, None)
    answer = ana.get(f"/sessions/{made['id']}/channels")
    assert (answer.status_code, "bot" in answer.get_json()["detail"]) == (409, True)


# By a file


def test_a_file_becomes_a_session_once_it_is_finalized(store, api, ana, tmp_path):
    number = api.server.number()
    string = api.server.string(number)
    answer = api.upload(ana, session_file(tmp_path / "me.session", string))
    taken = answer.get_json()
    assert (answer.status_code, taken["phone_number"], taken["expires_in_minutes"]) == (200, number, 60.0)
    assert count(api, TelegramSession) == 0
    body = {"temp_session_id": taken["temp_session_id"], "name": "From a file"}
    made = ana.post("/sessions/finalize", json=body)
    assert (made.status_code, made.get_json()["phone_number"]) == (201, number)
    assert api.strings() == [string]
    assert ana.post("/sessions/finalize", json=body).status_code == 404
    assert ana.post(f"/sessions/{made.get_json()['id']}/test").get_json()["is_valid"] is True


def test_finalize_refuses_what_was_never_verified(store, api, ana):
    login = api.begin(ana, api.server.number())
    answer = ana.post("/sessions/finalize", json={"temp_session_id": login, "name": "x"})
    assert (answer.status_code, "never verified" in answer.get_json()["detail"]) == (409, True)
    assert count(api, TelegramSession) == 0


def test_an_uploaded_login_takes_no_code_and_expires(api, ana, tmp_path):
    content = session_file(tmp_path / "me.session", api.server.string(api.server.number()))
    login = api.upload(ana, content).get_json()["temp_session_id"]
    assert api.give(ana, login, code="12345").status_code == 409
    with api.db.transaction() as session:
        assert session.get_one(TelegramLogin, login).kind is LoginKind.UPLOAD
    expire(api)
    answers = [ana.post("/sessions/finalize", json={"temp_session_id": login, "name": "x"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [400, 404]


def sqlite_of(path, *statements):
    with closing(sqlite3.connect(path)) as file:
        for statement in statements:
            file.execute(statement)
        file.commit()
    return path.read_bytes()


TABLE = "CREATE TABLE sessions (dc_id, server_address, port, auth_key)"
ENDLESS = "CREATE VIEW sessions AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x AS dc_id, x AS server_address, x AS port, zeroblob(256) AS auth_key FROM n WHERE x < 0"  # fmt: skip


@pytest.mark.parametrize(
    "statements",
    [
        (TABLE,),
        ("CREATE TABLE other (x)",),
        (TABLE, "INSERT INTO sessions VALUES (2, '127.0.0.1', 443, NULL)"),
        (TABLE, "INSERT INTO sessions VALUES (2, '127.0.0.1', 443, 'x')"),
        (TABLE, "INSERT INTO sessions VALUES (2, 'nowhere', 443, randomblob(256))"),
        (TABLE, "INSERT INTO sessions VALUES ('x', '127.0.0.1', 443, randomblob(256))"),
        (TABLE, "INSERT INTO sessions VALUES (2, '127.0.0.1', 99999, randomblob(256))"),
        (ENDLESS,),
    ],
)
def test_a_file_that_holds_no_session_is_refused(api, ana, tmp_path, statements):
    answer = api.upload(ana, sqlite_of(tmp_path / "me.session", *statements))
    assert (answer.status_code, list(answer.get_json()["fields"])) == (422, ["file"])


def test_a_file_is_refused_by_name_content_and_size(api, ana, tmp_path):
    content = session_file(tmp_path / "me.session", api.server.string(api.server.number()))
    cases = [(content, "me.txt", 422), (b"", "me.session", 422), (content[:5000], "me.session", 422)]
    cases += [(b"SQLite format 3\x00" + bytes(600_000), "me.session", 413)]
    for data, name, status in cases:
        answer = api.upload(ana, data, name)
        assert answer.status_code == status, answer.get_json()
        assert answer.content_type == "application/problem+json"
    assert api.upload(ana, content, api_id="no number").status_code == 422
    for given in ({"json": {**APP, "file": "x"}}, {"data": {**APP, "file": "x"}}):
        answer = ana.post("/sessions/upload-file", **given)
        assert (answer.status_code, list(answer.get_json()["fields"])) == (422, ["file"])
    missing = ana.post("/sessions/upload-file", data={"api_id": "1", "api_hash": "x"})
    assert (missing.status_code, list(missing.get_json()["fields"])) == (422, ["file"])


def test_a_session_of_a_private_network_is_not_asked(make_telegram_api):
    """A string names the server to connect to, and anybody may send one."""
    api = make_telegram_api()
    string = api.server.string(api.server.number())  # its server is on loopback
    from scrapers.portals.telegram.client import MalformedSession, read_string
    from scrapers.portals.telegram.settings import TelegramSettings

    with pytest.raises(MalformedSession, match="private network"):
        read_string(string, TelegramSettings(server=""))
    assert read_string(string, api.server.settings()).server_address == api.server.host


def test_a_body_of_another_type_is_refused(ana):
    answer = ana.post("/sessions/", data="hello", content_type="text/plain")
    assert (answer.status_code, answer.content_type) == (415, "application/problem+json")
