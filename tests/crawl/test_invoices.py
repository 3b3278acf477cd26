"""Bell's invoices are read before they are stored: of another account or month, and with a total that its lines do not make."""

from __future__ import annotations

import json

import pytest

SPIDER = "bell_pdf_invoice"
NOTHING = {"files": 0, "records": 0, "in the store": 0}


@pytest.mark.browser
@pytest.mark.parametrize(
    ("tag", "outcome"), [("invoice-other-account", "wrong_account"), ("invoice-other-month", "portal_changed")]
)
def test_an_invoice_of_another_account_or_month_is_not_stored(crawls, bell, tag, outcome):
    crawls.give_bell(f"ok+{tag}@example.com")
    crawls.run(SPIDER)
    assert crawls.outcomes == [outcome]
    assert crawls.stored() == NOTHING
    assert crawls.value("SELECT count(*) FROM invoices") == 0


@pytest.mark.browser
def test_a_total_that_its_lines_do_not_make_is_noticed_once(crawls, bell):
    (account,) = crawls.give_bell("ok+total-differs@example.com")
    for again in ("no", "yes"):
        done = crawls.run(SPIDER, f"again={again}")
        assert done.returncode == 0, done.stderr
        warnings = crawls.value("SELECT warnings FROM runs ORDER BY id DESC LIMIT 1")
        (warning,) = json.loads(warnings)
        assert "as its total, where its lines sum to" in warning
        assert len(crawls.rows("SELECT * FROM files")) == 1
        (invoice,) = crawls.rows("SELECT * FROM invoices")
        assert invoice["account_number"] == account
        assert invoice["total"] is not None
        (difference,) = crawls.rows("SELECT * FROM differences")
        assert (difference["compared"], difference["stated_by"]) == ("sum_of_lines", "lines")
        assert float(difference["said"]) - float(difference["stated"]) == pytest.approx(10)
        assert difference["run_id"] == invoice["run_id"] == 1
