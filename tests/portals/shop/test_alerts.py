"""A plain crawl of prices tells its users itself: no worker has to come by."""

from __future__ import annotations

import pytest

from database.models.prices import AlertKind
from sandbox.mailserver import MailServer, serving
from tests.jobs.test_alerts import PASSWORD, mail_environment

ALERTS = {"alerts": [AlertKind.BELOW_THRESHOLD]}  # the price is 0, the threshold 10


@pytest.fixture
def mail_server():
    with serving(MailServer(PASSWORD)) as server:
        yield server


def test_a_crawl_sends_the_alerts_that_it_gives_rise_to(price_watch, mail_server):
    price_watch.watch("/item/free", **ALERTS)
    said = price_watch.crawl("shop_prices", delay=0, **mail_environment(mail_server))
    (check,) = price_watch.checks
    assert (check.alert_result, check.alert_sent) == ("sent", True)
    assert [mail["To"] for mail in mail_server.mails] == ["user1@example.com"]
    assert "alert of check 1 by mail was sent" in said
    price_watch.crawl("shop_prices", delay=0, **mail_environment(mail_server))
    assert len(mail_server.mails) == 1


def test_without_settings_they_are_skipped_and_a_server_that_is_away_fails_no_crawl(price_watch, free_port):
    price_watch.watch("/item/free", **ALERTS)
    price_watch.crawl("shop_prices", delay=0)
    assert price_watch.checks[0].alert_result == "skipped"
    price_watch.watch("/item/free", **ALERTS)
    away = {
        "LATCHKEY_SMTP_ADDRESS": "127.0.0.1",
        "LATCHKEY_SMTP_PORT": str(free_port()),
        "LATCHKEY_SMTP_SECURITY": "none",
    }
    said = price_watch.crawl("shop_prices", delay=0, **away, LATCHKEY_EMAIL_ADDRESS="watch@example.com")
    assert price_watch.checks[-1].alert_result == "pending"
    assert "Next attempt" in said
    assert price_watch.outcomes == ["success", "success"]


def test_an_address_that_is_checked_once_tells_nobody(price_watch, mail_server):
    price_watch.watch("/item/free", **ALERTS)
    url = f"url={price_watch.urls['shop']}/item/free"
    price_watch.crawl("shop_prices", url, delay=0, **mail_environment(mail_server))
    assert (price_watch.checks, mail_server.mails) == ([], [])
