"""`scrapy prices`: items from options and files, and what was found."""

from __future__ import annotations

import csv
import io
import json
import shutil
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import delete, select

from database.access.users import purge_sign_ins
from database.families.prices import CheckFailure, PriceReading, record_check
from database.models.prices import User, WatchlistItem
from jobs.settings import WorkerSettings
from sandbox.mailserver import MailServer, serving
from tests.project import Project
from tests.webhook.api.conftest import PASSWORD, PHONES, Api
from tests.webhook.api.servers import Twilio

ECHO, HALL = "https://www.shop.example/products/1001-echo", "https://www.shop.example/products/1002-hall"
ANA, BEN = "ana@example.com", "ben@example.com"


@pytest.fixture
def mail_servers():
    with serving(MailServer(PASSWORD)) as mails, serving(Twilio()) as texts:
        yield mails, texts


@pytest.fixture
def items(store):
    """Give a function that returns what is watched: (user, address, threshold)."""

    def read():
        with store.transaction() as session:
            found = select(User.email, WatchlistItem.product_url, WatchlistItem.threshold)
            found = found.join(User, User.id == WatchlistItem.user_id).order_by(WatchlistItem.id)
            return [tuple(row) for row in session.execute(found)]

    return read


def test_a_product_is_added_once_and_changed(store, command, items):
    said = command("prices", "add", ECHO, "--threshold", "19.99")
    assert (said.code, said.err) == (2, "--user: there is no user yet, so name one.\n")
    assert command("prices", "add", ECHO, "--threshold", "19.99", "--user", ANA).out == "Watched: item 1.\n"
    again = command("prices", "add", f"{ECHO}?utm_source=mail", "--threshold", "15", "--alerts", "drop,failing")
    assert (again.code, again.out) == (0, "Changed: item 1.\n")
    assert items() == [(ANA, f"{ECHO}?utm_source=mail", Decimal(15))]
    with store.transaction() as session:
        assert session.get_one(WatchlistItem, 1).alerts == ["drop", "failing"]
    # Another country is another price.
    assert command("prices", "add", ECHO, "--threshold", "15", "--country", "us").out == "Watched: item 2.\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((ECHO, "--threshold", "0"), "threshold: Input should be greater than 0"),
        ((ECHO, "--threshold", "cheap"), "threshold: Input should be a valid decimal"),
        ((ECHO, "--threshold", "1", "--country", "GBR"), "country: "),
        ((ECHO, "--threshold", "1", "--alerts", "never"), "alerts.0: "),
        (("http://127.0.0.1/p/1", "--threshold", "1"), "private network"),
        ((ECHO, "--threshold", "1", "--user", "ana"), "--user: that is no mail address"),
    ],
)
def test_what_is_wrong_is_named_in_a_sentence(store, command, items, words, sentence):
    said = command("prices", "add", "--user", ANA, *words)
    assert (said.code, said.out, len(said.err.splitlines())) == (2, "", 1)
    assert sentence in said.err
    assert items() == []


def test_a_json_file_whose_entries_say_to_whom(store, command, items, tmp_path):
    path = tmp_path / "watchlist.json"
    entries = [
        {"url": ECHO, "threshold": 20},
        {"url": HALL, "threshold": "-1"},
        "echo",
        {"url": HALL, "threshold": "9.50", "to": BEN},
        {"url": HALL, "threshold": 5, "colour": "red"},
    ]
    path.write_text(json.dumps(entries))
    said = command("prices", "watch", str(path), "--user", ANA)
    assert (said.code, said.out) == (2, "2 added, 0 changed, 0 as they were.\n")
    assert [line.split(":")[0] for line in said.err.splitlines()] == ["entry 2", "entry 3", "entry 5"]
    assert items() == [(ANA, ECHO, Decimal(20)), (BEN, HALL, Decimal("9.5"))]
    path.write_text(json.dumps([entries[0], {**entries[3], "threshold": 8}]))
    said = command("prices", "watch", str(path), "--user", ANA)
    assert (said.code, said.out, said.err) == (0, "0 added, 1 changed, 1 as they were.\n", "")


def test_a_csv_file_with_a_line_that_is_wrong(store, command, items, tmp_path):
    path = tmp_path / "watchlist.csv"
    path.write_text(f"\ufeffurl,threshold,country\n{ECHO},20,GB\n{HALL},,GB\n{HALL},30,\n{HALL},30,GB,x\n")
    said = command("prices", "watch", str(path), "--user", ANA)
    assert (said.code, said.out) == (2, "2 added, 0 changed, 0 as they were.\n")
    assert [line.split(":")[0] for line in said.err.splitlines()] == ["line 3", "line 5"]
    assert [row[1:] for row in items()] == [(ECHO, Decimal(20)), (HALL, Decimal(30))]


@pytest.mark.parametrize("text", ["", "[]", "{}", "[{", "address,price\n"])
def test_a_file_without_products(store, command, tmp_path, text):
    path = tmp_path / "watchlist"
    path.write_text(text)
    said = command("prices", "watch", str(path), "--user", ANA)
    assert (said.code, said.out, len(said.err.splitlines())) == (2, "", 1)
    assert str(path) in said.err


def test_what_was_found_is_listed_and_exported(store, command):
    assert command("prices", "list").out.startswith("Nothing is watched")
    command("prices", "add", ECHO, "--threshold", "20", "--user", ANA)
    assert command("prices", "history", "1").out == "It was not checked yet.\n"
    with store.transaction() as session:
        record_check(session, [1], PriceReading(Decimal("24.50"), "GBP", source="json_ld", title="Echo"))
        record_check(session, [1], CheckFailure("portal_down", "The shop does not answer."))
    (listed,) = json.loads(command("prices", "list", "--user", ANA, "--json").out)
    assert (listed["product"], Decimal(listed["price"]), listed["currency"]) == ("Echo", Decimal("24.5"), "GBP")
    assert (listed["active"], listed["outcome"]) == (True, "portal_down")
    newest, oldest = json.loads(command("prices", "history", "1", "--json").out)
    assert (newest["status"], newest["price"], oldest["source"]) == ("error", None, "json_ld")
    assert command("prices", "history", "1", "--since", "2999-01-01").out == "It was not checked yet.\n"
    rows = list(csv.DictReader(io.StringIO(command("prices", "export").out)))
    assert [(row["item"], row["status"], row["url"]) for row in rows] == [("1", "success", ECHO), ("1", "error", ECHO)]
    assert [row["outcome"] for row in json.loads(command("prices", "export", "--json").out)] == [
        "success",
        "portal_down",
    ]
    for words in (("history", "9"), ("history", "99999999999"), ("list", "--user", BEN)):
        said = command("prices", *words)
        assert (said.code, said.out, len(said.err.splitlines())) == (2, "", 1)


def test_a_worker_that_runs_once_sends_what_is_pending(store, command, monkeypatch):
    """By the price checker's names of settings; without mail settings an alert is skipped."""
    command("prices", "add", ECHO, "--threshold", "20", "--user", ANA)
    with store.transaction() as session:
        record_check(session, [1], PriceReading(Decimal("19.50"), "GBP"))
    monkeypatch.setenv("WORKER_RUN_ONCE", "true")
    monkeypatch.setenv("WORKER_SLEEP_SECONDS", "30")
    said = command("worker")
    assert (said.code, "has ended" in said.err) == (0, True)
    assert WorkerSettings.current().worker_poll == 30
    (check,) = json.loads(command("prices", "history", "1", "--json").out)
    assert (check["status"], check["alert"]) == ("success", "skipped")


def test_the_price_watch_is_scheduled_as_any_spider(warm, sqlite_with_tables, tmp_path):
    project = Project(tmp_path, warm)
    project.data.mkdir(mode=0o700)
    shutil.copy(sqlite_with_tables, project.data / "latchkey.db")
    done = project.scrapy("schedules", "add", "prices", "pluginboutique_prices", "shop_prices", "--cron", "0 * * * *")
    assert done.returncode == 0, done.stderr
    (listed,) = json.loads(project.scrapy("schedules", "list", "--json").stdout)
    assert (listed["name"], listed["cron"]) == ("prices", "0 * * * *")
    project.close()


def test_a_user_whom_the_command_has_made_can_register_later(store, command, mail_servers):
    """What was watched for the address is the user's, once it is verified."""
    command("prices", "add", ECHO, "--threshold", "19.99", "--user", ANA)
    api = Api(store, *mail_servers)
    registered = api.register(ANA)
    assert registered.status_code == 200
    client = api.with_token(registered.get_json()["access_token"])
    assert [item["product_url"] for item in client.get("/me/watchlist-items").get_json()] == [ECHO]
    assert command("prices", "list", "--user", ANA).code == 0


def test_a_registration_that_was_begun_for_such_a_user_and_left_keeps_the_user(store, command, mail_servers):
    command("prices", "add", ECHO, "--threshold", "19.99", "--user", ANA)
    with store.transaction() as session:
        session.scalars(select(User)).one().created_at -= timedelta(days=9)
    api = Api(store, *mail_servers)
    api.post("/auth/register/start", email=ANA, phone_number=PHONES[ANA])
    api.wait()
    api.turn(timedelta(days=3))
    with store.transaction() as session:
        session.execute(delete(WatchlistItem))
        purge_sign_ins(session)
    assert command("prices", "add", ECHO, "--threshold", "19.99", "--user", ANA).code == 0
    assert api.register(ANA).status_code == 200
