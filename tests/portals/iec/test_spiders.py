"""The company's spiders: whose contracts, what is asked again, what is kept of a correction, what is wrong with an answer."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from database.models import ScraperJob, StoredCredential
from sandbox.iec import id_number
from sandbox.iec.people import Customer
from sandbox.iec.places import CITY
from scrapers.core.jobs import ArgumentError
from scrapers.core.outcomes import OUTCOMES
from scrapers.portals.iec.account import IecAccount
from scrapers.portals.iec.invoices import IecInvoices
from scrapers.portals.iec.outages import IecOutages
from scrapers.portals.iec.tariffs import IecTariffs
from tests.crawl.test_canaries import hits
from tests.portals.iec.conftest import LABEL, Household

INVOICES = r"/api/BillingCollection/invoices/.*"


def asked(household: Household) -> dict[str, int]:
    return dict(household.admin.counters()["endpoints"])


def test_a_contract_that_is_named_is_the_only_one(household):
    """With zeros in front, or closed. The portal for customer works is asked only where the contract is not known yet."""
    household.sign_in("shared")
    own, *_ = household.active
    closed = Customer(household.number).contracts[2]
    household.crawl_all(
        ("iec_invoices", {"contract": f"000{own}"}),
        ("iec_account", {"contract": "999"}),
        ("iec_account", {"contract": closed.number}),
        ("iec_outages", {"city": CITY, "street": "רחוב סודי", "house": "1"}),
    )
    assert household.outcomes == ["success", "wrong_account", "success", "not_listed"]
    invoices, unknown, _, street = household.rows("SELECT id, target, message FROM runs ORDER BY id")
    assert invoices["target"] == f"{LABEL} {own}"
    assert household.value("SELECT group_concat(DISTINCT contract) FROM electricity_invoices") == own
    assert f"There is no contract 999; there are: {own}, " in unknown["message"]
    assert household.rows("SELECT 1 FROM electricity_customers WHERE run_id = ?", unknown["id"]) == []
    contracts = household.rows("SELECT contract, status FROM electricity_contracts")
    assert [tuple(row) for row in contracts] == [(closed.number, 2)]
    assert household.value("SELECT contract FROM electricity_devices") == closed.number
    assert (asked(household)["M3"], asked(household)["I2"]) == (1, 1)
    assert "-a street: the company lists no street of that name." in street["message"]
    assert "סודי" not in street["message"]


def test_the_second_run_asks_only_for_what_may_have_changed(household):
    """PDFs are there already; what the company corrects becomes a new version."""
    household.sign_in("ok")
    contract = household.active[0]
    with household.db.transaction() as session:
        session.add(ScraperJob(portal="iec", report_type="invoices", target={"person": LABEL, "contract": contract}))
    corrected = {"path": INVOICES, "field": "data.invoices.3.amountOrigin", "value": 77.7, "ordinals": [2]}
    household.admin.configure(edits=[corrected])
    household.crawl_all(("iec_invoices", {"contract": contract}), ("iec_invoices", {"job": "1"}))
    assert household.outcomes == ["success", "success"]
    first, second = household.rows("SELECT * FROM runs ORDER BY id")
    assert {name: asked(household)[name] for name in ("I1", "I4", "I15", "I16", "I17")} == {
        **dict.fromkeys(("I1", "I4", "I15", "I16"), 2),
        "I17": 12,
    }
    file = household.rows("SELECT name, path FROM files ORDER BY name DESC")[0]
    assert file["name"].startswith(f"{contract}/20")
    assert (household.project.data / "files" / file["path"]).read_bytes().startswith(b"%PDF-")
    assert (first["files"], first["already"]) == (12, 0)
    assert (second["job_id"], second["files"], second["records"]) == (1, 0, 1)
    assert second["already"] == first["files"] + first["records"] - 1
    versions = household.rows("SELECT * FROM versions")
    assert [row["table_name"] for row in versions] == ["electricity_invoices"]
    assert contract in versions[0]["key"]
    assert household.value("SELECT count(*) FROM electricity_invoices WHERE amount = 77.7") == 1


def test_what_hardly_ever_changes_is_asked_for_once_a_week(household):
    """
    Lists and tariffs. The page of the tariffs is read by what it says: here its tables stand elsewhere, with HTML in them.

    When it is asked again, a price is gone: it is named, and what is stored stays.
    """
    household.sign_in("ok")
    page = r"/api/content/he-IL/content/.*"
    gone = [
        {"path": page, "field": f"components.2.table.{row}.0.value", "value": "", "ordinals": [2]} for row in (0, 1)
    ]
    household.admin.configure(tariff_shifted=True, tariff_markup=True, edits=gone)
    tariffs = ("iec_tariffs", {})
    household.crawl_all(("iec_masa", {}), ("iec_masa", {}), tariffs, tariffs, ("iec_tariffs", {"again": "yes"}))
    assert household.outcomes == [*["success"] * 4, "portal_changed"]
    counted = asked(household)
    assert {counted[name] for name in ("M1", "M8", "M9", "M11", "M12")} == {1}
    assert {counted[name] for name in ("M2", "I3", "M7", "M10", "S1", "S2", "S3")} == {2}
    # The second run knows the names of the sizes from the list that the first one brought.
    assert household.value("SELECT count(*) FROM masa_equipment WHERE size IS NULL") == 0
    runs = household.rows("SELECT requests, message FROM runs ORDER BY id")
    assert [row["requests"] for row in runs[2:]] == [3, 0, 3]
    assert "The tariff page has no price of" in runs[4]["message"]
    prices = household.rows(
        "SELECT kind, phases, with_vat FROM electricity_tariffs WHERE source = 'page' ORDER BY 1, 2"
    )
    assert [tuple(row) for row in prices] == [
        ("delivery", 1, 10.62),
        ("delivery", 3, 14.75),
        ("distribution", 1, 14.16),
        ("distribution", 3, 15.93),
        ("kva", 0, 6.12),
        ("kwh", 0, 0.6402),
    ]


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("data.contracts.*.contractId", "contracts[0].contractId is missing."),
        pytest.param("data.contracts", None, marks=pytest.mark.matrix),
    ],
)
def test_what_is_missing_is_named_and_nothing_private_is_kept(household, field, said):
    household.sign_in("ok")
    household.admin.configure(edits=[{"path": r"/api/customer/contract/.*", "field": field}])
    done = household.crawl("iec_account", fresh=True)
    if said is None:  # the portal for customer works shows the contracts, too
        assert done.returncode == 0, done.stderr
        return
    assert household.outcomes == ["portal_changed"]
    run = household.rows("SELECT message, bundle FROM runs")[0]
    assert said in run["message"]
    # What the portal for customer works shows is stored all the same.
    assert household.value("SELECT count(*) FROM electricity_contracts") == 2
    with zipfile.ZipFile(io.BytesIO(Path(run["bundle"]).read_bytes())) as bundle:
        assert any("contracts" in bundle.read(name).decode() for name in bundle.namelist())
    secrets = household.admin.secrets()
    kinds = ("id_numbers", "names", "addresses", "phones", "mails", "tokens")
    (household.project.data / "said.txt").write_text(done.stdout + done.stderr)
    assert hits(household.project.data, {value for kind in kinds for value in secrets[kind] if len(value) > 5}) == []


@pytest.mark.parametrize(
    ("scenario", "outcome", "said"),
    [
        pytest.param("pdf-json", "portal_refused", "I17, HTTP 200: Code ", marks=pytest.mark.matrix),
        pytest.param("pdf-html", "unexpected_answer", "I17, HTTP 200: Code 200: OK: HTML", marks=pytest.mark.matrix),
        pytest.param("pdf-error", "portal_down", "I17, HTTP 500: Code 500: ", marks=pytest.mark.matrix),
        pytest.param(
            "pdf-empty", "unexpected_answer", "I17, HTTP 200: Code 200: OK: nothing", marks=pytest.mark.matrix
        ),
        pytest.param("pdf-truncated", "bad_file", "", marks=pytest.mark.matrix),
    ],
)
def test_what_comes_in_place_of_a_pdf_is_not_stored(household, scenario, outcome, said):
    household.sign_in(scenario)
    done = household.crawl("iec_invoices", f"contract={household.active[0]}", "visible=no")
    assert (done.returncode, household.outcomes) == (OUTCOMES[outcome].exit_code, [outcome])
    assert said in household.value("SELECT message FROM runs")
    assert household.value("SELECT count(*) FROM electricity_invoices") == 14
    assert household.value("SELECT count(*) FROM files WHERE status = 'ready'") == 0
    assert not list((household.project.data / "files").rglob("*.pdf"))


@pytest.mark.matrix
@pytest.mark.parametrize(
    "scenario", ["missing-optional", "null-optional", "extra-fields", "no-contracts", "dumb-only", "prosumer"]
)
@pytest.mark.parametrize("spider", ["iec_account", "iec_invoices", "iec_outages", "iec_masa"])
def test_what_may_be_missing_does_no_harm(household, scenario, spider):
    household.sign_in(scenario)
    done = household.crawl(spider)
    assert (done.returncode, household.outcomes) == (0, ["success"]), done.stderr


@pytest.mark.matrix
def test_an_endpoint_that_keeps_refusing_the_token_does_not_renew_it_for_ever(household):
    """401 in spite of a fresh token: few renewals, as others are served meanwhile, and a named outcome."""
    household.sign_in("ok")
    household.admin.configure(answers=[{"path": r"/api/customer/efs", "answer": "unauthorized"}])
    household.crawl("iec_account", f"contract={household.active[0]}")
    assert household.admin.counters()["refreshes"] <= 5
    assert household.outcomes == ["signed_out"]


@pytest.mark.parametrize(
    ("spider", "arguments", "said"),
    [
        (IecAccount, {"contract": "12a"}, "-a contract: give the digits of a contract number."),
        (IecOutages, {"city": "X"}, "-a arguments: an address needs city, street and house."),
        (IecOutages, {"contract": "1"}, "-a contract: this spider has no such argument"),
        (IecInvoices, {"job": "7"}, "-a job=7: there is no such job; `scrapy jobs list` shows all."),
    ],
)
def test_wrong_arguments_are_named_before_anything_is_sent(household, spider, arguments, said):
    with pytest.raises(ArgumentError) as caught, household.db.transaction() as session:
        spider.plans(session, spider.Arguments.parse(arguments))
    assert said in str(caught.value)


def test_everybody_whose_credential_is_known_is_a_job(household):
    household.give("ok")
    with household.db.transaction() as session:
        session.add(StoredCredential(kind="portal", portal="iec", username="cabin", password=id_number("ok", 1)))
    with household.db.transaction() as session:
        plans = IecAccount.plans(session, IecAccount.Arguments.parse({}))
        one = IecAccount.plans(session, IecAccount.Arguments.parse({"credential": "cabin", "contract": "0007"}))
        nobody = IecTariffs.plans(session, IecTariffs.Arguments.parse({}))
    assert [plan.key for plan in plans] == ["cabin", LABEL]
    assert [(plan.key, plan.label) for plan in one] == [("cabin", "cabin 7")]
    assert [(plan.key, plan.credential) for plan in nobody] == [("tariffs", None)]


def test_what_is_no_longer_listed_is_marked_until_it_is_again(household):
    household.sign_in("ok")
    mine = {"path": r"/api/customer/contract/.*", "field": "data.contracts", "value": [], "ordinals": [2]}
    seen = {"path": r"/api/contacts/account/0/userprofile", "value": [], "ordinals": [2]}
    seen["field"] = "connectionBetweenContactAndContract"
    over = {"path": r"/api/outages/transactions/.*", "field": "data.*.transactionsInfo", "value": [], "ordinals": [2]}
    household.admin.configure(edits=[mine, seen, over])
    account, outages = ("iec_account", {}), ("iec_outages", {})
    household.crawl_all(account, account, outages, outages)
    assert household.outcomes == ["success"] * 4
    contracts = "SELECT count(*), count(gone_at) FROM electricity_contracts"
    of_source = "SELECT source, count(*), count(gone_at) FROM electricity_outages GROUP BY source ORDER BY source"
    assert tuple(household.rows(contracts)[0]) == (3, 3)
    assert [tuple(row) for row in household.rows(of_source)] == [("account", 1, 1), ("faults", 2, 0)]
    household.crawl_all(account, outages)
    assert tuple(household.rows(contracts)[0]) == (3, 0)
    assert [tuple(row) for row in household.rows(of_source)] == [("account", 1, 0), ("faults", 2, 0)]
