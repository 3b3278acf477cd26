"""Sessions that are stored: looked at, changed, tested, deleted, and the channels that they see."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from database.access.leases import Leases, holder
from database.models import Lease
from database.models.base import utc_now
from database.models.telegram import Source, TelegramSession, TelegramState
from tests.project import free_port, wait_for
from tests.webhook.api.conftest import ANA, BEN
from tests.webhook.api.telegram.conftest import TelegramApi

NOWHERE = "00000000-0000-4000-8000-00000000ffff"
FIELDS = {
    *("id", "name", "phone_number", "api_id", "is_active", "is_bot", "message", "waits_until"),
    *("created_at", "updated_at", "last_checked_at", "sources"),
}


def set_state(api, session_id, **values):
    with api.db.transaction() as session:
        session.execute(update(TelegramSession).where(TelegramSession.id == session_id).values(**values))


def with_settings(api, client, **settings):
    """Return the client of the same application on the same database with other settings of Telegram."""

    class Same(TelegramApi):
        def forget(self):
            """Leave the rows of the first application alone."""

    made = Same(api.server, api.db, api.mail_server, api.twilio, telegram=settings)
    return made.with_token(client.environ_base["HTTP_AUTHORIZATION"].removeprefix("Bearer "))


def test_sessions_are_listed_shown_and_renamed(store, api, ana):
    made = [api.sign_up(ana, api.server.number(), session_name=f"Number {n}") for n in range(3)]
    listed = ana.get("/sessions/")
    assert [each["name"] for each in listed.get_json()] == ["Number 0", "Number 1", "Number 2"]
    assert listed.headers["X-Total-Count"] == "3"
    assert [each["id"] for each in ana.get("/sessions/?skip=1&limit=1").get_json()] == [made[1]["id"]]
    path = f"/sessions/{made[0]['id']}"
    assert ana.get(path).get_json() == made[0]
    assert set(made[0]) == FIELDS
    changed = ana.put(path, json={"name": " Other "}).get_json()
    assert (changed["name"], changed["updated_at"] > made[0]["updated_at"]) == ("Other", True)
    assert ana.put(path, json={}).get_json()["name"] == "Other"
    assert ana.put(path, json={"name": "a\nb"}).status_code == 422
    assert ana.get("/sessions").status_code == 308


def test_a_session_is_switched_off_and_on(store, api, ana):
    made = api.sign_up(ana, api.server.number())
    path = f"/sessions/{made['id']}"
    assert ana.put(path, json={"is_active": "inactive"}).get_json()["is_active"] == "inactive"
    assert ana.get(f"{path}/channels").status_code == 409
    tested = ana.post(f"{path}/test").get_json()
    assert (tested["status"], tested["is_valid"], tested["is_active"]) == ("active", True, "inactive")
    assert ana.put(path, json={"is_active": "active"}).get_json()["is_active"] == "active"
    for wrong in ("expired", "on", True, 1):
        assert ana.put(path, json={"is_active": wrong}).status_code == 422
    set_state(api, made["id"], state=TelegramState.BANNED)
    for word in ("active", "inactive"):
        answer = ana.put(path, json={"is_active": word})
        assert (answer.status_code, "banned" in answer.get_json()["detail"]) == (409, True)


def test_a_session_that_sources_use_is_not_deleted(store, api, ana):
    made = api.sign_up(ana, api.server.number())
    path = f"/sessions/{made['id']}"
    for number, said in ((1, "1 source uses"), (2, "2 sources use")):
        api.source(made["id"], source_id=f"00000000-0000-4000-8000-00000000000{number}")
        assert ana.get(path).get_json()["sources"] == number
        answer = ana.delete(path)
        assert (answer.status_code, said in answer.get_json()["detail"]) == (409, True)
    with api.db.transaction() as session:
        for row in session.scalars(select(Source)):
            session.delete(row)
    gone = ana.delete(path)
    assert (gone.status_code, gone.get_json()["id"]) == (200, made["id"])
    assert [ana.get(path).status_code, ana.delete(path).status_code] == [404, 404]


def test_a_user_goes_with_sessions_and_sources(store, api, ana):
    made = api.sign_up(ana, api.server.number())
    user_id = ana.get("/me").get_json()["id"]
    api.source(made["id"], user_id)
    api.begin(ana, api.server.number())
    assert ana.delete("/me").status_code == 204
    assert api.strings() == []


# What Telegram says of them


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("AUTH_KEY_UNREGISTERED", "expired"),
        ("SESSION_EXPIRED", "expired"),
        ("SESSION_REVOKED", "revoked"),
        ("USER_DEACTIVATED_BAN", "banned"),
    ],
)
def test_a_test_says_why_a_session_has_ended(store, api, ana, error, status):
    number = api.server.number()
    made = api.sign_up(ana, number)
    path = f"/sessions/{made['id']}"
    api.server.end(number, error)
    tested = ana.post(f"{path}/test")
    said = tested.get_json()
    assert (tested.status_code, said["status"], said["is_valid"], said["is_active"]) == (200, status, False, status)
    assert said["message"]
    row = ana.get(path).get_json()
    assert (row["is_active"], row["message"], row["last_checked_at"]) == (
        status,
        said["message"],
        said["last_checked_at"],
    )
    assert ana.get(f"{path}/channels").status_code == 409


def test_a_network_error_says_nothing_of_a_session_and_a_good_test_does(store, api, ana):
    made = api.sign_up(ana, api.server.number())
    away = with_settings(api, ana, server=f"127.0.0.1:{free_port()}", connect_wait=0.5)
    path = f"/sessions/{made['id']}"
    before = ana.get(path).get_json()
    said = away.post(f"{path}/test")
    assert (said.status_code, said.get_json()["status"], said.get_json()["is_valid"]) == (200, "unreachable", False)
    assert ana.get(path).get_json() == before
    answer = away.get(f"{path}/channels")
    assert (answer.status_code, answer.content_type) == (502, "application/problem+json")
    set_state(api, made["id"], state=TelegramState.EXPIRED, message="It was.")
    assert away.post(f"{path}/test").get_json()["is_active"] == "expired"
    good = ana.post(f"{path}/test").get_json()
    assert (good["status"], good["is_active"], good["message"]) == ("active", "active", None)


def test_a_hanging_server_is_left_in_time(api, ana):
    made = api.sign_up(ana, api.server.number())
    api.server.admin.configure(errors=[{"path": "/users.getUsers", "ordinals": list(range(1, 50)), "fault": "hang"}])
    slow = with_settings(api, ana, call_wait=1.0)
    said = slow.post(f"/sessions/{made['id']}/test").get_json()
    assert (said["status"], said["is_active"]) == ("unreachable", "active")


# One process at a time


def test_a_session_in_use_is_not_used_by_another(store, api, ana):
    made = api.sign_up(ana, api.server.number())
    path, lease = f"/sessions/{made['id']}", f"run:telegram:{made['id']}"
    crawl = holder("telegram_files-20261130")
    assert Leases(api.db).acquire(lease, crawl, 60)
    before = len(api.server.methods())
    for answer in (ana.post(f"{path}/test"), ana.get(f"{path}/channels")):
        assert answer.status_code == 409
        assert "in use by a crawl since " in answer.get_json()["detail"]
        assert "telegram_files" not in answer.text
    assert len(api.server.methods()) == before
    Leases(api.db).release(lease, crawl)
    assert ana.post(f"{path}/test").get_json()["is_valid"] is True
    assert Leases(api.db).holder_of(lease) in (None, "")


def test_two_requests_at_once_use_a_session_one_after_the_other(store, api, ana):
    made = api.sign_up(ana, api.server.number())
    patient = with_settings(api, ana, busy_wait=20)
    answers, path = [], f"/sessions/{made['id']}/test"
    api.server.admin.forget_maxima()
    threads = [threading.Thread(target=lambda: answers.append(patient.post(path).get_json())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [answer["status"] for answer in answers] == ["active"] * 3
    assert api.server.admin.counters()["same_key_connections_max"] == 1


def test_a_request_that_waits_is_told_who_works_with_the_session(api, ana):
    made = api.sign_up(ana, api.server.number())
    api.server.admin.configure(errors=[{"path": "/users.getUsers", "ordinals": list(range(1, 50)), "fault": "hang"}])
    slow, path = with_settings(api, ana, call_wait=3.0), f"/sessions/{made['id']}/test"
    first = threading.Thread(target=lambda: slow.post(path))
    first.start()
    lease = Leases(api.db)
    wait_for(lambda: lease.holder_of(f"run:telegram:{made['id']}"))
    answer = ana.post(path)
    assert (answer.status_code, "in use by another request" in answer.get_json()["detail"]) == (409, True)
    first.join(60)


# Channels


def test_all_channels_are_listed_with_what_they_are(api, ana):
    made = api.sign_up(ana, api.server.number())
    answer = ana.get(f"/sessions/{made['id']}/channels")
    assert answer.status_code == 200, answer.get_json()
    found = {each["id"]: each for each in answer.get_json()}
    there = {row["id"]: row for row in api.server.channels().values() if row["joined"]}
    assert found.keys() == there.keys()
    for number, row in there.items():
        each = found[number]
        assert (each["title"], each["username"] or "") == (row["title"], row["username"] or "")
        assert (each["participants_count"], each["description"] or "") == (row["members"], row["about"] or "")
        assert (each["is_private"], each["noforwards"]) == (not row["username"], row["protected"])
        assert each["is_broadcast"] != each["is_megagroup"]
    assert [each["is_forum"] for each in found.values()].count(True) == 1


def test_every_page_of_dialogs_is_read(api, ana):
    made = api.sign_up(ana, api.server.number("many-dialogs"))
    few = ana.get(f"/sessions/{made['id']}/channels?details=false").get_json()
    assert len(few) == len({each["id"] for each in few}) == 241
    assert {each["participants_count"] for each in few} == {None}


def test_an_account_without_channels_has_none(api, ana):
    made = api.sign_up(ana, api.server.number("no-channels"))
    assert ana.get(f"/sessions/{made['id']}/channels").get_json() == []


def test_channels_that_are_closed_are_shown_as_that(api, ana):
    made = api.sign_up(ana, api.server.number("kicked"))
    found = ana.get(f"/sessions/{made['id']}/channels").get_json()
    assert {each["is_closed"] for each in found} == {True}
    assert len(found) > 5


def test_a_wait_in_the_middle_is_told_with_its_end_and_obeyed(store, api, ana):
    number = api.server.number()
    made = api.sign_up(ana, number)
    path = f"/sessions/{made['id']}"
    flood = {"method": "channels.getFullChannel", "seconds": 7200, "times": 1, "number": number}
    api.server.admin.configure(floods=[flood])
    answer = ana.get(f"{path}/channels")
    assert answer.status_code == 200
    assert 7100 < int(answer.headers["Retry-After"]) <= 7200
    assert len(answer.get_json()) > 5
    assert {each["participants_count"] for each in answer.get_json()} == {None}
    row = ana.get(path).get_json()
    assert (row["is_active"], row["waits_until"][:16]) == ("active", answer.headers["X-Waits-Until"][:16])
    before = len(api.server.methods())
    for refused in (ana.get(f"{path}/channels"), ana.post(f"{path}/test")):
        assert (refused.status_code, refused.get_json()["detail"].count("It ends at ")) == (429, 1)
        assert 7000 < int(refused.headers["Retry-After"]) <= 7200
    assert len(api.server.methods()) == before, "nothing is asked during a wait"
    set_state(api, made["id"], waits_until=utc_now() - timedelta(seconds=1))
    api.server.admin.clock(7300)
    assert ana.get(f"{path}/channels").get_json()[0]["participants_count"] is not None
    assert ana.get(path).get_json()["waits_until"] is None


def test_a_wait_before_any_channel_is_an_error_with_its_end(store, api, ana):
    number = api.server.number()
    made = api.sign_up(ana, number)
    flood = {"method": "messages.getDialogs", "seconds": 30, "times": 1, "number": number}
    api.server.admin.configure(floods=[flood])
    answer = ana.get(f"/sessions/{made['id']}/channels")
    assert (answer.status_code, 25 < int(answer.headers["Retry-After"]) <= 30) == (429, True)
    assert ana.get(f"/sessions/{made['id']}").get_json()["waits_until"] is not None


# Who may


ROUTES = [
    ("GET", "/sessions/", None),
    ("POST", "/sessions/", {}),
    ("POST", "/sessions/send-otp", {}),
    ("POST", "/sessions/verify-otp", {"temp_session_id": "{login}", "code": "12345"}),
    ("POST", "/sessions/upload-file", {}),
    ("POST", "/sessions/finalize", {"temp_session_id": "{login}", "name": "x"}),
    ("DELETE", "/sessions/temp/{login}", None),
    ("GET", "/sessions/{session}", None),
    ("PUT", "/sessions/{session}", {"name": "x"}),
    ("DELETE", "/sessions/{session}", None),
    ("GET", "/sessions/{session}/channels", None),
    ("POST", "/sessions/{session}/test", None),
]


def test_each_route_is_in_the_list(api):
    rules = [rule for rule in api.app.url_map.iter_rules() if rule.rule.startswith("/sessions")]
    there = sorted((method, rule.rule) for rule in rules for method in rule.methods - {"HEAD", "OPTIONS"})
    words = {"login": "<uuid:temp_session_id>", "session": "<uuid:session_id>"}
    assert there == sorted((method, path.format(**words)) for method, path, _ in ROUTES)


def ask_all(api, client, session_id, login):
    answers = {}
    for method, path, body in ROUTES:
        where = path.format(login=login, session=session_id)
        given = {name: str(value).format(login=login) for name, value in body.items()} if body is not None else None
        answers[method, path] = client.open(where, method=method, json=given)
    return answers


def rows_of(api):
    with api.db.transaction() as session:
        found = [*session.scalars(select(TelegramSession)), *session.scalars(select(Lease).where(Lease.holder != ""))]
        return [{name: value for name, value in vars(row).items() if not name.startswith("_")} for row in found]


def test_who_is_not_signed_in_gets_to_no_route(store, api, ana):
    made, login = api.sign_up(ana, api.server.number()), api.begin(ana, api.server.number())
    before, methods = rows_of(api), len(api.server.methods())
    for client in (api.client(), api.with_token("x" * 43)):
        answers = ask_all(api, client, made["id"], login)
        assert {answer.status_code for answer in answers.values()} == {401}
        assert {answer.content_type for answer in answers.values()} == {"application/problem+json"}
    assert (rows_of(api), len(api.server.methods())) == (before, methods)


def test_another_user_gets_to_no_row(store, api, ana):
    made, login = api.sign_up(ana, api.server.number()), api.begin(ana, api.server.number())
    ben = api.user(BEN)
    before, methods = rows_of(api), len(api.server.methods())
    answers = ask_all(api, ben, made["id"], login)
    for (method, path), answer in answers.items():
        assert made["id"] not in answer.text
        assert made["phone_number"] not in answer.text
        if "{" in path or path.endswith(("verify-otp", "finalize")):
            assert answer.status_code == 404, (method, path, answer.text)
    assert answers["GET", "/sessions/"].get_json() == []
    assert (rows_of(api), len(api.server.methods())) == (before, methods)
    assert api.give(ana, login, code="00000").status_code in (201, 400), "the login is still there"


def test_the_installations_sessions_are_no_users(api, ana):
    made = api.sign_up(ana, api.server.number())
    set_state(api, made["id"], user_id=None)
    answers = ask_all(api, ana, made["id"], NOWHERE)
    assert answers["GET", "/sessions/"].get_json() == []
    assert {answers[each].status_code for each in answers if "{session}" in each[1]} == {404}


def test_a_page_of_another_site_can_do_nothing(api, ana):
    api.sign_up(ana, api.server.number())
    token = ana.environ_base["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    browser = api.client()
    browser.set_cookie("pb_session", token)
    evil = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    for method, path, _ in ROUTES:
        if method != "GET":
            answer = browser.open(path.format(login=NOWHERE, session=NOWHERE), method=method, headers=evil)
            assert answer.status_code == 403
    assert browser.get("/sessions/").status_code == 200


def test_a_user_who_asks_too_often_is_told_when_to_go_on(make_telegram_api, telegram):
    api = make_telegram_api(telegram_rate="2 per minute")
    ana = api.user(ANA)
    made = api.add(ana, api.server.string(api.server.number())).get_json()
    assert ana.post(f"/sessions/{made['id']}/test").status_code == 200
    answer = ana.post(f"/sessions/{made['id']}/test")
    assert (answer.status_code, int(answer.headers["Retry-After"]) <= 61) == (429, True)
    assert ana.get(f"/sessions/{made['id']}").status_code == 200
