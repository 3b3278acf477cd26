"""Alerts as mails: each once, whatever happens to the mail server and the processes that send; both databases."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from scrapy.utils.project import get_project_settings
from sqlalchemy import select, text

from database.families import sending
from database.families.prices import CheckFailure, PriceReading, record_check
from database.models.jobs import Worker as WorkerRow
from database.models.prices import AlertChannel, AlertDelivery, AlertKind, PriceCheckRun, User, WatchlistItem
from jobs.alerts import Alerts
from jobs.clock import Clock, TurnableClock
from jobs.events import Events
from jobs.planning import Planner, Spiders
from jobs.settings import MailSettings
from jobs.worker import Worker
from sandbox.mailserver import MailServer, serving
from tests.database.crowd import a_process, crowd
from tests.jobs.test_worker import Launcher
from tests.webhook.api.servers import JsonReceiver

PASSWORD = "mail-password-for-tests"
ANA, BEN = "ana@example.com", "ben@example.com"
PRODUCT = "https://www.shop.example/products/1001-tape-echo"
SECRET = "channel-secret-for-tests"
DOWN = CheckFailure("portal_down", "The shop does not answer.")
MINUTE = timedelta(minutes=1)
SENDING = """
from io import StringIO
from jobs.alerts import Alerts
from jobs.clock import Clock
from jobs.events import Events
from jobs.settings import MailSettings
settings = MailSettings(smtp_address="127.0.0.1", smtp_port={port}, smtp_security="none", email_address="watch@example.com", email_password="{password}")
alerts = Alerts(db, Clock(), settings, Events(Clock(), to=StringIO()))
"""


@pytest.fixture
def mail_server():
    with serving(MailServer(PASSWORD)) as server:
        yield server


@pytest.fixture
def web():
    with serving(JsonReceiver()) as server:
        yield server


def mail_environment(server):
    """Return the settings by which mails go to a server."""
    given = {"LATCHKEY_SMTP_ADDRESS": "127.0.0.1", "LATCHKEY_SMTP_PORT": str(server.port)}
    given |= {"LATCHKEY_SMTP_SECURITY": "none", "LATCHKEY_EMAIL_ADDRESS": "watch@example.com"}
    return {**given, "LATCHKEY_EMAIL_PASSWORD": PASSWORD}


class Watch:
    """Items of the price watch, their checks, and what sends their alerts."""

    def __init__(self, db, port):
        self.db, self.out = db, StringIO()
        self.clock = TurnableClock(datetime.now(UTC))
        self.events = Events(self.clock, to=self.out)
        self.addresses = ()
        self.settings = MailSettings(
            smtp_address="127.0.0.1",
            smtp_port=port,
            smtp_security="none",
            email_address="watch@example.com",
            email_password=PASSWORD,
        )

    def item(self, email=ANA, **fields):
        facts = {"portal": "shop", "product_url": PRODUCT, "product_key": "1001", "threshold": 20}
        facts |= {"alerts": [AlertKind.BELOW_THRESHOLD]}
        with self.db.transaction() as session:
            user = session.scalars(select(User).where(User.email == email)).one_or_none() or User(email=email)
            session.add(user)
            session.flush()
            row = WatchlistItem(user_id=user.id, **{**facts, **fields})
            session.add(row)
            session.flush()
            return row.id

    def check(self, item, price, currency="GBP", **more):
        """Write a check that has read a price, or a failure."""
        result = price if isinstance(price, CheckFailure) else PriceReading(Decimal(price), currency, **more)
        with self.db.transaction() as session:
            number = record_check(session, [item], result)[0].id
        self.clock.turn(max(self.clock.at, datetime.now(UTC)))
        return number

    def alerts(self, settings=None):
        return Alerts(self.db, self.clock, settings or self.settings, self.events, self.addresses)

    def stored(self, number):
        with self.db.transaction() as session:
            return session.get_one(PriceCheckRun, number)

    def deliveries(self, number):
        """Return the deliveries of a check's alert, by channel."""
        with self.db.transaction() as session:
            of_check = select(AlertDelivery).where(AlertDelivery.check_id == number).order_by(AlertDelivery.id)
            return {each.channel: each for each in session.scalars(of_check)}

    def mail(self, number):
        """Return the delivery by mail, None where none was made."""
        return self.deliveries(number).get("email")


@pytest.fixture
def watch(store, mail_server):
    return Watch(store, mail_server.port)


def test_a_mail_says_what_has_happened_and_beside_what(watch, mail_server):
    number = watch.item(alerts=[AlertKind.BELOW_THRESHOLD, AlertKind.DROP], threshold_currency="GBP")
    watch.check(number, "40")
    check = watch.check(number, "17.99", list_price=Decimal(49), title="Tape\r\nBcc: eve@example.com Echo")
    assert watch.alerts().send() == 1
    (mail,) = mail_server.mails
    assert (mail["To"], mail["From"], mail["Bcc"]) == (ANA, "watch@example.com", None)
    # Folded, because it is longer than a line: the blank at its begin is the fold's.
    assert mail["Subject"].lstrip() == "The price is below your threshold: 17.99 GBP, Tape Bcc: eve@example.com Echo"
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().replace("\r\n", "\n") == (
        "The price is below your threshold.\n"
        "The price has dropped.\n"
        "\n"
        "Tape Bcc: eve@example.com Echo\n"
        f"{PRODUCT}\n"
        "\n"
        "Price: 17.99 GBP\n"
        "Previous price: 40.00 GBP (-55.0 %)\n"
        "Your threshold: 20.00 GBP\n"
        "List price: 49.00 GBP\n"
    )
    row = watch.stored(check)
    assert (row.status, row.alert_result, row.alert_sent, row.alert_due_at) == ("success", "sent", True, None)
    assert (watch.mail(check).result, watch.mail(check).due_at) == ("sent", None)
    assert row.message == "The price is 17.99 GBP. The alert was sent."
    assert (watch.alerts().send(), len(mail_server.mails)) == (0, 1)


def test_a_price_of_another_currency_is_no_previous_one(watch, mail_server):
    number = watch.item(threshold_currency="GBP")
    watch.check(number, "4000", "JPY")
    watch.check(number, "17.99")
    assert watch.alerts().send() == 1
    assert "Previous" not in mail_server.mails[0].get_content()
    assert "JPY" not in mail_server.mails[0].get_content()


def test_a_week_has_one_mail_for_each_crossing(watch, mail_server):
    """Down twice, with days below in between, an equal price, failures, and a day out of stock."""
    number = watch.item()
    days: list[list[str | CheckFailure]] = [
        ["25", "20", "19.99", "19.99"],
        ["18", DOWN, "18", "17"],
        ["17", "20", DOWN, "20"],
        ["21", DOWN, "22", "22"],
        ["15", "15", "14", "14"],
        [DOWN, DOWN, "14", "14"],
        ["30", "30", "30", "30"],
    ]
    mailed = []
    for day in days:
        for price in day:
            watch.check(number, price)
            mailed.append(watch.alerts().send())
        watch.clock.turn(watch.clock.at + timedelta(days=1))
        watch.alerts().send()
    assert [place for place, count in enumerate(mailed) if count] == [2, 16]
    assert [mail["Subject"].split(": ")[1].split(",")[0] for mail in mail_server.mails] == ["19.99 GBP", "15.00 GBP"]


def test_a_watch_that_keeps_failing_is_told_once_and_so_is_its_end(watch, mail_server):
    number = watch.item(alerts=[AlertKind.FAILING], failing_after=2, title="Tape Echo")
    checks = [watch.check(number, result) for result in ("30", DOWN, DOWN, DOWN, "31", "32")]
    assert watch.alerts().send() == 2
    assert [mail["Subject"] for mail in mail_server.mails] == [
        "2 checks in a row have read no price: Tape Echo",
        "The price can be read again: 31.00 GBP, Tape Echo",
    ]
    assert "Last check: The shop does not answer." in mail_server.mails[0].get_content()
    told = watch.stored(checks[2])
    assert (told.status, told.message) == ("error", "The shop does not answer. The alert was sent.")


def test_a_server_that_is_away_and_comes_back(watch, free_port):
    first, second = watch.item(), watch.item(BEN)
    port = free_port()
    away = MailSettings(**{**watch.settings.model_dump(), "smtp_port": port})
    checks = [watch.check(number, "19") for number in (first, second)]
    assert watch.alerts(away).send() == 0
    row, waits = (watch.stored(number) for number in checks)
    assert (row.status, row.price_amount, row.message) == ("success", Decimal(19), "The price is 19 GBP.")
    mail = watch.mail(checks[0])
    assert (row.alert_result, row.alert_sent, mail.attempts) == ("pending", False, 1)
    assert mail.due_at == watch.clock.at + MINUTE
    assert mail.error == "The mail server did not take a mail (ConnectionRefusedError)."
    assert waits.alert_result == "pending"
    assert watch.mail(checks[1]).attempts == 0  # one refusal is enough to know
    assert "Next attempt" in watch.out.getvalue()
    assert ANA not in watch.out.getvalue()
    assert watch.alerts(away).send() == 0
    assert [watch.mail(number).attempts for number in checks] == [1, 1]
    watch.clock.turn(watch.clock.at + MINUTE)
    with serving(MailServer(PASSWORD)) as server:
        back = MailSettings(**{**away.model_dump(), "smtp_port": server.port})
        assert watch.alerts(back).send() == 2
        assert sorted(mail["To"] for mail in server.mails) == [ANA, BEN]
    row, mail = watch.stored(checks[0]), watch.mail(checks[0])
    assert (row.alert_result, row.alert_sent, mail.attempts, mail.error) == ("sent", True, 2, None)


def test_a_mail_that_is_refused_keeps_no_other_back_and_is_given_up_at_last(watch, mail_server):
    checks = [watch.check(watch.item(email), "19") for email in (ANA, BEN)]
    mail_server.refuses = True
    pauses = []
    for _ in range(sending.MOST_ATTEMPTS):
        assert watch.alerts().send() == 0
        mails = [watch.mail(number) for number in checks]
        if mails[0].due_at is not None:
            pauses.append((mails[0].due_at - watch.clock.at) / MINUTE)
            assert mails[1].due_at == mails[0].due_at
            watch.clock.turn(mails[0].due_at)
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 240, 240, 240]
    for number in checks:
        row, mail = watch.stored(number), watch.mail(number)
        assert (row.status, row.alert_result, row.alert_sent, mail.due_at) == ("success", "failed", False, None)
        assert row.message.endswith(f"The alert could not be sent: {mail.error}")
    mail_server.refuses = False
    watch.clock.turn(watch.clock.at + timedelta(days=9))
    assert watch.alerts().send() == 0


def test_without_mail_settings_an_alert_is_skipped_for_good(watch, mail_server):
    check = watch.check(watch.item(), "19")
    nothing = MailSettings(smtp_address="", email_address="")
    assert watch.alerts(nothing).send() == 0
    row = watch.stored(check)
    assert (row.status, row.alert_result, row.alert_sent) == ("success", "skipped", False)
    assert row.message.startswith("The price is 19 GBP. The alert was skipped: mail is not set up")
    assert (watch.alerts().send(), mail_server.mails) == (0, [])


def test_several_processes_send_each_alert_once(watch, mail_server, database_url):
    count = 12
    checks = [watch.check(watch.item(f"user{number}@example.com"), "19") for number in range(count)]
    program = SENDING.format(port=mail_server.port, password=PASSWORD) + "print(alerts.send())"
    sent = [int(said) for said in crowd(database_url, 3, program)]
    assert sum(sent) == count
    assert sorted(mail["To"] for mail in mail_server.mails) == sorted(f"user{n}@example.com" for n in range(count))
    assert {watch.mail(number).attempts for number in checks} == {1}


def test_an_alert_of_a_process_that_was_killed_is_sent_by_another(watch, mail_server, database_url):
    """A server that accepts the connection and says nothing holds the process in the middle of sending."""
    check = watch.check(watch.item(), "19")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        port = silent.getsockname()[1]
        with a_process(database_url, SENDING.format(port=port, password=PASSWORD) + "alerts.send()") as (process, _):
            connection, _address = silent.accept()
            process.kill()
            process.wait()
            connection.close()
    watch.clock.turn(datetime.now(UTC))
    assert (watch.alerts().send(), watch.mail(check).attempts) == (0, 1)
    watch.clock.turn(watch.clock.at + sending.CLAIM)
    assert (watch.alerts().send(), len(mail_server.mails)) == (1, 1)


def test_what_another_process_has_claimed_since_is_not_written(watch, mail_server):
    check = watch.check(watch.item(), "19")
    with watch.db.transaction() as session:
        late = sending.claim(session, watch.clock.at, frozenset({sending.MAIL}))
    watch.clock.turn(watch.clock.at + sending.CLAIM)
    assert watch.alerts().send() == 1
    with watch.db.transaction() as session:
        sending.failed(session, late, "Too late.", watch.clock.at)
    mail = watch.mail(check)
    assert (watch.stored(check).alert_result, mail.error, mail.due_at) == ("sent", None, None)


@pytest.mark.parametrize("until_idle", [True, False])
def test_a_worker_sends_what_is_due(watch, mail_server, monkeypatch, wait_for, until_idle):
    """As it ends when nothing is due, or else while it runs: here it is told to stop once the mail is there."""
    check = watch.check(watch.item(), "19")
    for name, value in mail_environment(mail_server).items():
        monkeypatch.setenv(name, value)
    clock = Clock()
    worker = Worker(watch.db, clock, Planner(Spiders(get_project_settings()), clock), Launcher(), watch.events, slots=1)
    if not until_idle:
        turn = worker._turn

        def turn_until_mailed(idle):
            going_on = turn(idle)
            assert wait_for(lambda: mail_server.mails)
            return going_on and False

        monkeypatch.setattr(worker, "_turn", turn_until_mailed)
    worker.run(until_idle=until_idle)
    assert (len(mail_server.mails), watch.stored(check).alert_result) == (1, "sent")


def test_items_and_users_that_are_deleted_get_no_mail(watch, mail_server):
    number = watch.item()
    watch.check(number, "19")
    with watch.db.transaction() as session:
        session.delete(session.get_one(WatchlistItem, number))
    assert (watch.alerts().send(), mail_server.mails) == (0, [])


# Processes of which some have no settings


def test_a_process_without_mail_leaves_alerts_to_the_one_that_has_it(watch, mail_server):
    """Known by its worker's row, then by the mails that it has sent; after a day what it has left is skipped."""
    nothing = MailSettings(smtp_address="", email_address="")
    facts = {"host": "here", "pid": 1, "slots": 1, "state": "working", "sends": [sending.MAIL]}
    with watch.db.transaction() as session:
        session.add(WorkerRow(name="other", started_at=watch.clock.at, seen_at=watch.clock.at, **facts))
    number = watch.item(alerts=[AlertKind.ANY_CHANGE])
    watch.check(number, "30")
    check = watch.check(number, "19")
    assert (watch.alerts(nothing).send(), watch.stored(check).alert_result) == (0, "pending")
    assert (watch.alerts().send(), watch.stored(check).alert_result) == (1, "sent")
    with watch.db.transaction() as session:
        session.delete(session.get_one(WorkerRow, "other"))
    second = watch.check(number, "18")
    assert (watch.alerts(nothing).send(), watch.stored(second).alert_result) == (0, "pending")
    watch.clock.turn(watch.clock.at + timedelta(days=1, minutes=1))
    assert (watch.alerts(nothing).send(), watch.stored(second).alert_result) == (0, "skipped")
    assert len(mail_server.mails) == 1


def test_a_worker_says_for_what_it_has_settings(watch, mail_server, monkeypatch):
    rows = []
    for name, value in mail_environment(mail_server).items():
        monkeypatch.setenv(name, value)
    clock = Clock()
    worker = Worker(watch.db, clock, Planner(Spiders(get_project_settings()), clock), Launcher(), watch.events, slots=1)
    turn = worker._turn

    def turn_and_look(idle):
        with watch.db.transaction() as session:
            rows.extend(session.scalars(select(WorkerRow.sends)))
        return turn(idle)

    monkeypatch.setattr(worker, "_turn", turn_and_look)
    worker.run(until_idle=True)
    assert rows[0] == [sending.MAIL]


# Other channels than mail


def test_the_administrator_s_address_gets_every_alert_once(watch, mail_server, web):
    """A real receiver of Apprise's json://, which refuses twice; the mail is not sent again meanwhile."""
    check = watch.check(watch.item(title="<!here> @all Echo"), "19")
    watch.addresses = (f"json://user:{SECRET}@127.0.0.1:{web.server_port}/alerts",)
    web.status = 500
    for attempts in (1, 2):
        assert watch.alerts().send() == (attempts == 1)
        assert (len(mail_server.mails), len(web.bodies), watch.stored(check).alert_sent) == (1, attempts, True)
        other = next(each for name, each in watch.deliveries(check).items() if name.startswith("set:"))
        assert (other.result, other.attempts) == ("pending", attempts)
        assert other.error == "The service json was not reached, or did not take the message."
        watch.clock.turn(other.due_at)
    web.status = 200
    assert (watch.alerts().send(), watch.alerts().send()) == (1, 0)
    assert (len(mail_server.mails), len(web.bodies)) == (1, 3)
    assert web.bodies[-1]["title"] == "The price is below your threshold: 19.00 GBP, ‹!here› @\u200ball Echo"
    assert f"{PRODUCT}\n" in web.bodies[-1]["message"]
    row = watch.stored(check)
    assert (row.alert_result, row.message) == ("sent", "The price is 19 GBP. The alert was sent.")
    assert [each.result for each in watch.deliveries(check).values()] == ["sent", "sent"]
    for said in (watch.out.getvalue(), row.message, *map(str, watch.deliveries(check))):
        assert SECRET not in said


def test_a_channel_that_fails_for_good_is_told_beside_the_mail(watch, web):
    check = watch.check(watch.item(), "19")
    watch.addresses = (f"json://127.0.0.1:{web.server_port}/",)
    web.status = 404
    for _ in range(sending.MOST_ATTEMPTS):
        watch.alerts().send()
        watch.clock.turn(watch.clock.at + timedelta(hours=4))
    row = watch.stored(check)
    assert (row.alert_result, row.alert_sent) == ("sent", True)
    assert row.message == (
        "The price is 19 GBP. The alert was sent. The alert could not be sent by another channel: "
        "The service json was not reached, or did not take the message."
    )


def test_users_channels_are_asked_anew_whether_they_are_safe_and_end_with_them(watch, mail_server, web):
    """An address that no route would have taken is in the table: it is asked for nothing."""
    number = watch.item()
    with watch.db.transaction() as session:
        user = session.get_one(WatchlistItem, number).user_id
        address = f"json://127.0.0.1:{web.server_port}/{SECRET}"
        session.add(AlertChannel(user_id=user, service="json", address=address, fingerprint="1"))
    check = watch.check(number, "19")
    assert watch.alerts().send() == 1
    mail, own = watch.deliveries(check).values()
    assert (mail.result, own.result, web.bodies) == ("sent", "skipped", [])
    assert own.error.startswith("The services are discord, ")
    with watch.db.transaction() as session:
        stored = session.scalar(text("SELECT address FROM alert_channels"))
        assert SECRET not in stored
        assert SECRET not in repr(session.get_one(AlertChannel, own.channel_id))


def test_what_waits_for_a_channel_that_is_deleted_has_ended(watch, mail_server):
    number = watch.item()
    with watch.db.transaction() as session:
        user = session.get_one(WatchlistItem, number).user_id
        session.add(AlertChannel(user_id=user, service="ntfy", address="ntfy://topic", fingerprint="1"))
    check = watch.check(number, "19")
    with watch.db.transaction() as session:
        alert = sending.claim(session, watch.clock.at, frozenset({sending.MAIL}))
        assert alert.channel == sending.MAIL
        sending.skipped(session, alert, "Not now.", watch.clock.at)
    assert watch.stored(check).alert_result == "pending"
    with watch.db.transaction() as session:
        sending.drop_channel(session, session.scalars(select(AlertChannel)).one())
    row = watch.stored(check)
    assert (row.alert_result, list(watch.deliveries(check))) == ("skipped", [sending.MAIL])
    assert row.message == "The price is 19 GBP. The alert was skipped: Not now."
