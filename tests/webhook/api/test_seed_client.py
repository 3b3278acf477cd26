"""A client of the price checker that knows nothing of ours: it works unchanged, from its registration to the alert."""

from __future__ import annotations

import json
import sys

import pytest

from sandbox import running
from sandbox.mailserver import MailServer, serving
from sandbox.pluginboutique import address
from tests.project import ROOT, wait_for
from tests.webhook.api.conftest import ANA, PHONES, SENDER

PASSWORD = "mail-password-for-tests"
CLIENT = ROOT / "tests/webhook/api/seed_client.py"
FIELDS = "id watchlist_item_id status message price_amount price_currency alert_sent created_at"


@pytest.mark.timeout(300)
def test_a_client_of_the_price_checker_works_unchanged(project, tmp_path):
    """With a real webhook, worker, crawl, shop and mail server, each a process or thread of its own."""
    with running(tmp_path / "sandbox", ["pluginboutique"]) as shop, serving(MailServer(PASSWORD)) as mail:
        settings = {"SMTP_ADDRESS": "127.0.0.1", "EMAIL_ADDRESS": SENDER, "EMAIL_PASSWORD": PASSWORD}
        settings |= {"LATCHKEY_SMTP_PORT": str(mail.port), "LATCHKEY_SMTP_SECURITY": "none", "AUTH_DEV_MODE": "true"}
        here = project(tmp_path, **shop.environment, **settings, LATCHKEY_WEBHOOK_TOKEN="gateway-token-for-tests")
        assert here.scrapy("db", "upgrade").returncode == 0
        ready = tmp_path / "ready.json"
        here.start("serve", "--port", "0", "--ready-file", str(ready))
        api = wait_for(lambda: ready.exists() and json.loads(ready.read_text())["url"])
        product = f"{shop.origins['pluginboutique']['']}{address('history')}"
        done = here.run(sys.executable, str(CLIENT), api, ANA, PHONES[ANA], product, "48.50", timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        said = json.loads(done.stdout)
    run = said["run"]
    assert set(FIELDS.split()) <= set(run)
    assert (run["status"], run["price_amount"], run["price_currency"], run["alert_sent"]) == (
        "success",
        49,
        "GBP",
        True,
    )
    assert said["runs"] == [run]
    assert (said["item"]["last_price"], said["item"]["last_currency"]) == (49, "GBP")
    (alert,) = mail.mails
    assert (alert["To"], alert["From"]) == (ANA, SENDER)
    assert product in alert.get_content()
    assert "49.00 GBP" in alert.get_content()
    assert "Your threshold: 49.50" in alert.get_content()
