"""Nothing secret of Telegram is anywhere in clear: not in the database, an answer, a log or a repr."""

from __future__ import annotations

import logging
import re
import sqlite3
from contextlib import closing

from database.models.telegram import TelegramLogin, TelegramSession
from sandbox import PASSWORD
from scrapers.portals.telegram.client import SessionKey
from tests.crawl.test_canaries import hits
from tests.telegram import API_ID, session_file
from tests.webhook.api.conftest import ANA
from tests.webhook.api.telegram.conftest import APP
from webhook.api.telegram.models import NewTelegramSession, OtpGiven, OtpStart

TEXTS = ("database.sql", "log", "reprs", "answers")
HASH = "feedc0defeedc0defeedc0defeedc0de"  # as long as one of Telegram


def dump(db, path):
    """Write all rows of a database, as they are stored, to a file; in fingerprints five digits may stand by chance."""
    with closing(sqlite3.connect(db.engine.url.database)) as file:
        path.write_text(re.sub(r"\b[0-9a-f]{64}\b", "", "\n".join(file.iterdump())))


def codes_in(folder, codes):
    """Return the files of text in which a code stands as a number of its own."""
    alone = [re.compile(rf"(?<![0-9A-Za-z.]){code}(?![0-9A-Za-z])") for code in codes]
    return [name for name in TEXTS if any(each.search((folder / name).read_text()) for each in alone)]


def test_no_canary_is_found_in_clear(make_telegram_api, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    api = make_telegram_api()
    ana, app = api.user(ANA), {**APP, "api_hash": HASH}
    numbers = [api.server.number(scenario) for scenario in ("password", "ok", "ok", "ok", "code-refused")]
    said = []

    def note(answer):
        said.append(answer.text)
        return answer.get_json()

    # A login with a password, wrong ones before it; one that is never finished; a string; a file; refusals of each.
    login = note(ana.post("/sessions/send-otp", json={"phone_number": numbers[0], **app}))["temp_session_id"]
    codes = [api.server.code(numbers[0])]
    note(api.give(ana, login, code="98765"))
    note(api.give(ana, login, code=codes[0]))
    note(api.give(ana, login, password="wrong-canary-password"))
    made = note(api.give(ana, login, password=PASSWORD))
    note(ana.post("/sessions/send-otp", json={"phone_number": numbers[1], **app}))
    codes.append(api.server.code(numbers[1]))
    strings = [api.server.string(numbers[2]), api.server.string(numbers[3])]
    note(ana.post("/sessions/", json={"name": "n", **app, "session_string": strings[0]}))
    note(ana.post("/sessions/", json={"name": "n", **app, "session_string": strings[0]}))
    note(ana.post("/sessions/", json={"name": "n", **app, "session_string": strings[1] + "x"}))
    note(ana.post("/sessions/", json={"name": 5, **app, "session_string": strings[1]}))
    taken = note(api.upload(ana, session_file(tmp_path / "me.session", strings[1]), api_hash=HASH))
    (tmp_path / "me.session").unlink()
    refused = note(ana.post("/sessions/send-otp", json={"phone_number": numbers[4], **app}))["temp_session_id"]
    note(api.give(ana, refused, code=api.server.code(numbers[4])))
    note(ana.get(f"/sessions/{made['id']}/channels"))
    api.server.end(numbers[0], "SESSION_REVOKED")
    note(ana.post(f"/sessions/{made['id']}/test"))
    note(ana.get("/sessions/"))
    stored = api.strings()
    assert len(stored) == 5

    with api.db.transaction() as session:
        rows = [session.get_one(TelegramSession, made["id"]), session.get_one(TelegramLogin, taken["temp_session_id"])]
        shown = [repr(row) + repr(SessionKey.of(row)) for row in rows]
        assert rows[0].api_hash == HASH
    bodies = [
        NewTelegramSession(name="n", session_string=strings[0], phone_number=numbers[0], **app),
        OtpStart(phone_number=numbers[0], **app),
        OtpGiven(temp_session_id=login, code=codes[0], password=PASSWORD),
    ]
    dump(api.db, tmp_path / "database.sql")
    (tmp_path / "log").write_text(caplog.text)
    (tmp_path / "reprs").write_text("\n".join([*shown, *map(repr, bodies)]))
    secret = {HASH, PASSWORD, "wrong-canary-password", *strings, *stored}
    everywhere = {*secret, *numbers, *(number[1:] for number in numbers)}
    assert hits(tmp_path, everywhere) == []
    (tmp_path / "answers").write_text("\n".join(said))  # an owner is shown the own phone numbers
    assert hits(tmp_path, secret) == codes_in(tmp_path, codes) == []
    # What is in clear is found.
    assert {"database.sql", "answers"} <= set(codes_in(tmp_path, [str(API_ID)]))
