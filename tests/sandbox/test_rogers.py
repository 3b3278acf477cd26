"""The Rogers imitation, walked by a reader without a browser in the steps of the fact sheet; three walks in a browser."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime

import pypdfium2
import pytest
from playwright.sync_api import Page, expect

from sandbox import NEW_PASSWORD, PASSWORD, Admin, Running, mailbox, phone, running, totp_code, totp_secret
from sandbox.globys.invoices import Invoice
from sandbox.invented import Month, published_months
from sandbox.rogers import accounts
from sandbox.rogers.state import SCENARIOS, SENDER, RogersState, billed_on
from tests.project import wait_for
from tests.sandbox.reader import NotThere, said_in
from tests.sandbox.rogers_reader import (
    CONTINUE,
    CREDITS,
    DETAIL,
    DIALOG,
    EXTRACT,
    LOG_OUT,
    MENU,
    METHOD,
    NOTIFICATIONS,
    REPORTS,
    SIGN_IN,
    SIZE,
    USED,
    VIEW_BILLS,
    Rogers,
    digits,
)

QUICK = {
    "load_ms": 5,
    "render_ms": [0, 0],
    "bundle_ms": 0,
    "search_ms": 0,
    "report_ms": 0,
    "usage_ms": 0,
    "late_ms": 0,
    "overlay_ms": 0,
    "report_seconds": 0,
    "slow_seconds": 0.1,
}
PASSWORD_FIELD = "#input_password"
SUBMIT = "//*[@id='LoginForm']/div[4]/button"


@pytest.fixture(scope="module")
def rogers(tmp_path_factory, phones, mails) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("rogers")
    with running(folder, ("rogers",), phones.url, phones.token, mail_url=mails.url, **QUICK) as sandbox:
        yield sandbox


@pytest.fixture
def admin(rogers) -> Admin:
    return rogers.admin["rogers"]


@pytest.fixture
def ann(rogers, mails) -> Rogers:
    return Rogers.at(rogers, mails)


@pytest.fixture
def newest() -> Month:
    return published_months(datetime.now(RogersState.zone).date())[0]


def table(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode())))


def cycle(account: str, month: Month) -> str:
    return f"{billed_on(account, month):%m/%d/%Y}"


def extract(body: bytes) -> tuple[list[str], list[list[str]]]:
    """Return the lines of the header file, and the rows."""
    with zipfile.ZipFile(io.BytesIO(body)) as file:
        names = {name.rpartition(".")[2]: name for name in file.namelist()}
        header = file.read(names["txt"]).decode().splitlines() if "txt" in names else []
        return header, list(csv.reader(io.StringIO(file.read(names["csv"]).decode())))


# Signing in


def test_signs_in_with_a_mailed_code_and_out_again(ann, admin):
    before = admin.counters()
    ann.sign_in("ok+in")
    assert ann.sees("//div[contains(@class,'Welcome-Oliver-Gree')]", "Welcome")
    after = admin.counters()
    counted = {name: after[name] - before[name] for name in ("sign_ins", "code_requests", "codes_sent", "codes_used")}
    assert counted == dict.fromkeys(counted, 1)
    assert ann.mails.payloads[-1]["from"] == SENDER
    assert re.fullmatch(r"\d{6}", ann.mailed("ok+in"))
    ann.sign_out()
    assert ann.sees(SIGN_IN)


def test_the_password_is_asked_for_at_the_identity_provider(ann, rogers):
    ann.name("ok+where")
    assert ann.url.startswith(rogers.origins["rogers"]["identity"])
    ann.find(PASSWORD_FIELD)


def test_a_cold_browser_needs_the_first_steps_again(ann, rogers, mails, admin):
    before = admin.counters()["cold_starts"]
    ann.name("cold-cache+no-code").look_again()
    assert not ann.sees(PASSWORD_FIELD)
    ann.open(ann.url)
    assert ann.sees(SIGN_IN), "the password's page alone is not enough"
    ann.submit("cold-cache+no-code")
    assert ann.sees("#landing_left_pan")
    assert admin.counters()["cold_starts"] == before + 1
    other = Rogers.at(rogers, mails).name("cold-cache+no-code")
    other.look_again()
    assert not other.sees(PASSWORD_FIELD)


def test_a_late_field_comes_in_the_end(ann, admin):
    admin.configure(cold_ms=300)
    try:
        ann.submit("cold-always+no-code")
    finally:
        admin.configure(cold_ms=45_000)
    assert ann.sees("#landing_left_pan")
    ann.sign_out()
    for _ in range(2):
        ann.name("cold-always+no-code").look_again()
        assert not ann.sees(PASSWORD_FIELD)


def test_boxes_that_were_not_filled_by_keys_are_not_a_code(ann, admin):
    ann.submit("code-direct+unkeyed")
    code, before = ann.mailed("code-direct+unkeyed"), admin.counters()
    with pytest.raises(NotThere, match="does nothing"):
        ann.type_code(code, keys=False)
    ann.find("//otp-waiting-for-input//form//button").attrib.pop("disabled")
    ann.click("//otp-waiting-for-input//form//button")
    after = admin.counters()
    assert after["codes_not_typed"] == before["codes_not_typed"] + 1
    assert (after["codes_used"], after["codes_refused"]) == (before["codes_used"], before["codes_refused"])
    ann.type_code(code)
    assert ann.sees("#landing_left_pan")


def test_a_refused_code_and_the_fourth(ann):
    ann.submit("code-refused").click(METHOD)
    code = ann.mailed("code-refused")
    for _ in range(3):
        ann.type_code(code)
        assert "incorrect" in ann.said("[role=alert]")
        assert ann.all("ds-code-input input")[0].get("value", "") == ""
    ann.type_code(code)
    assert ann.sees(SIGN_IN)


def test_codes_by_text_message_and_by_an_app(ann, phones):
    ann.submit("no-mail+rogers")
    assert "mail" not in ann.said(METHOD)
    ann.click(METHOD).type_code(wait_for(lambda: phones.codes(phone("no-mail+rogers")))[-1])
    ann.sign_out().submit("totp+app")
    ann.type_code(totp_code(totp_secret("totp+app"), int(datetime.now(RogersState.zone).timestamp()) // 30))
    assert ann.sees("#landing_left_pan")


def test_the_first_method_may_be_another_one(ann):
    ann.submit("text-first")
    assert ann.said(METHOD).startswith("Text message")
    ann.click("//otp-device-list//button[contains(., 'mail')]").type_code(ann.mailed("text-first"))
    assert ann.sees("#landing_left_pan")


def test_a_wrong_password_is_refused_and_the_fifth_locks(ann):
    ann.submit("wrong-password+no-code")
    assert "incorrect" in ann.said("[role=alert]")
    ann.type(PASSWORD_FIELD, NEW_PASSWORD).click(SUBMIT)
    assert ann.sees("#landing_left_pan")
    ann.sign_out().submit("ok+lock", "not-it")
    for _ in range(4):
        ann.type(PASSWORD_FIELD, "not-it").click(SUBMIT)
    ann.type(PASSWORD_FIELD, PASSWORD).click(SUBMIT)
    assert "locked" in ann.said("[role=alert]")


@pytest.mark.parametrize(
    ("user", "seen", "said"),
    [
        ("locked", "[role=alert]", "locked"),
        ("nobody", "[role=alert]", "incorrect"),
        ("captcha", "iframe[src*=recaptcha]", ""),
        ("submit-503", "h1", "down for maintenance"),
        ("maintenance+no-code", "h1", "down for maintenance"),
        ("policy-page+no-code", "h1", "terms of service"),
        ("unknown-page+no-code", "h1", "umbrellas"),
        ("promo-overlay+no-code", "h2", "A new offer"),
        ("other-customer+no-code", "#header_greeting", "somebody.else@example.com"),
        ("layout-b+no-code", "#landing_left_pan li", "View Bills"),
    ],
)
def test_what_is_seen_after_the_password(ann, user, seen, said):
    ann.submit(user)
    assert ann.sees(seen, said)


def test_the_older_layout_has_other_places_and_the_same_words(ann, admin):
    admin.configure(layout="b")
    try:
        ann.open(ann.home)
        assert ann.sees("//*[@id='login']/div[2]/div[4]/div/input")
        ann.click(SIGN_IN).type("#ds-form-input-id-0", "layout-b+older").click("button", "Continue")
        ann.type(PASSWORD_FIELD, PASSWORD).click(SUBMIT)
    finally:
        admin.configure(layout="a")
    assert not ann.sees(METHOD)
    ann.click("otp-device-list button", "Email").type_code(ann.mailed("layout-b+older"))
    assert not ann.sees(MENU)
    ann.click("#header_menu a", "Reports")
    assert ann.sees("#categIDSelect")


def test_a_token_that_the_identity_provider_did_not_give_changes_nothing(ann, rogers):
    ann.sign_in("ok+token+no-code")
    ann.open(rogers.urls["rogers"] + "/bizonline/Enter?token=not-one")
    assert ann.sees("#landing_left_pan"), "the session of this browser lives on"


def test_the_first_two_documents_may_be_too_many(ann):
    ann.submit("rate-limited+no-code")
    assert ann.status == 429
    ann.open(ann.home).open(ann.home).open(ann.home)
    assert ann.sees("#landing_left_pan")


def test_the_first_session_dies_midway(ann, admin):
    ann.sign_in("signed-out-midway+no-code")
    for _ in range(4):
        ann.open(ann.home)
    assert ann.sees(SIGN_IN)
    ann.submit("signed-out-midway+no-code")
    for _ in range(6):
        ann.open(ann.home)
    assert ann.sees("#landing_left_pan")


def test_a_session_is_another_user_s_midway(ann):
    ann.sign_in("session-replaced+replaced-2+no-code")
    assert "session-replaced" in ann.said("#header_greeting")
    ann.open(ann.home).open(ann.home)
    assert "somebody.else@example.com" in ann.said("#header_greeting")


def test_a_browser_without_a_session_is_led_to_the_public_page(ann, rogers):
    ann.open(rogers.urls["rogers"] + "/bizonline/prm-reports.do")
    assert ann.sees(SIGN_IN)


# Reports


@pytest.mark.parametrize("slug", REPORTS)
def test_each_report_of_a_set_account_and_bill_cycle(ann, newest, slug):
    user = f"multi+no-code+{slug.replace('_', '-')}"
    account = accounts(user)[0]
    ann.sign_in(user).open_report(*REPORTS[slug]).pick(account)
    assert digits(ann.said("[data-place=account]")) == account
    ann.run().cycle(cycle(account, newest))
    assert cycle(account, newest) in ann.said()
    rows = table(ann.export())
    assert ({row["Account number"] for row in rows}, len(rows)) == ({account}, 30)
    assert {row["Billing period"] for row in rows} == {newest.name}
    assert ann.files[-1][0].endswith(".txt")


def test_a_bill_cycle_counts_when_go_was_pressed(ann, newest):
    user = "ok+no-code+go"
    account = accounts(user)[0]
    ann.sign_in(user).open_report(*REPORTS["data"]).run()
    dialog = ann.click("#changeBillCycleDate").frame(DIALOG)
    dialog.tick(f"//input[@value='{cycle(account, newest)}']").click("#submitNewBCD")
    assert cycle(account, newest) not in ann.said()
    assert {row["Billing period"] for row in table(ann.export())} == {newest.before.name}
    ann.click("#goButton")
    assert cycle(account, newest) in ann.said()
    assert {row["Billing period"] for row in table(ann.export())} == {newest.name}


@pytest.mark.parametrize(
    ("typed", "radio", "keys"), [("{}", False, True), ("{}", True, False), ("{0[0]}-{0[1]}", True, True)]
)
def test_a_search_that_is_not_made_as_the_portal_wants_it_finds_nothing(ann, typed, radio, keys):
    user = "multi+no-code+search"
    account = accounts(user)[0]
    dialog = ann.sign_in(user).open_report(*REPORTS["data"]).click("#accountNumbersLink").frame(DIALOG)
    if radio:
        dialog.tick("//*[@id='searchBox1']//input[@type='radio']")
    with pytest.raises(NotThere, match="does nothing"):
        dialog.click("#findButton1")
    dialog.type("#searchField1", typed.format(account), keys=keys).click("#findButton1")
    assert not dialog.sees("a.buttongray")


def test_a_page_under_a_dialog_cannot_be_clicked(ann):
    ann.sign_in("ok+no-code+under").open_report(*REPORTS["data"]).click("#accountNumbersLink")
    with pytest.raises(NotThere, match="under"):
        ann.run()
    ann.click("#TB_closeWindowButton").run()
    assert ann.sees("#changeBillCycleDate")


def test_a_report_of_another_category_is_not_run(ann):
    ann.sign_in("ok+no-code+category").open_report(*REPORTS["data"])
    ann.choose("#categIDSelect", CREDITS)
    ann.run()
    assert "Select a category" in ann.said("[role=alert]")


@pytest.mark.parametrize(
    ("user", "shown"),
    [
        ("filter-fails", lambda own: own[-1]),
        ("wrong-account", lambda own: own[1]),
        ("account-missing", lambda own: None),
        ("ok", lambda own: own[0]),
    ],
)
def test_which_account_counts_after_one_was_selected(ann, user, shown):
    user = f"{user}+multi+no-code"
    own = accounts(user)
    ann.sign_in(user).open_report(*REPORTS["data"])
    if shown(own) is None:
        assert ann.search(own[0]).said("li") == "No accounts found"
        return
    assert digits(ann.pick(own[0]).said("[data-place=account]")) == shown(own)


@pytest.mark.parametrize(
    ("user", "first"),
    [
        ("first-item-other", lambda user, own: RogersState.people.numbered(f"first {user}", 1)[0]),
        ("namesake-first", lambda user, own: f"{own}0"),
    ],
)
def test_the_first_entry_of_a_search_is_another_account(ann, user, first):
    user = f"{user}+multi+no-code"
    own = accounts(user)[0]
    dialog = ann.sign_in(user).open_report(*REPORTS["data"]).search(own)
    assert [digits(said_in(each)) for each in dialog.all("li strong")] == [first(user, own), own]


def test_a_dialog_that_stays_open(ann):
    user = "dialog-remains+no-code"
    dialog = ann.sign_in(user).open_report(*REPORTS["data"]).search(accounts(user)[0])
    dialog.click("a.buttongray")
    assert ann.sees("#TB_closeWindowButton")


@pytest.mark.parametrize(
    ("user", "named"),
    [
        ("filter-resets", lambda own, other: [{own[0]}, {own[-1]}]),
        ("export-resets", lambda own, other: [{own[-1]}, {own[-1]}]),
        ("account-switched", lambda own, other: [{own[-1]}, {own[-1]}]),
        ("mixed-file", lambda own, other: [{own[0], other}, {own[0], other}]),
        ("wrong-account-file", lambda own, other: [{other}, {other}]),
    ],
)
def test_exports_that_are_not_what_was_set(ann, user, named):
    user = f"{user}+multi+no-code"
    kind = "mixed file" if user.startswith("mixed") else "wrong file"
    own, (other,) = accounts(user), RogersState.people.numbered(f"{kind} {user}", 1)
    ann.sign_in(user).open_report(*REPORTS["data"]).pick(own[0]).run()
    found = [{row["Account number"] for row in table(ann.export())} for _ in range(2)]
    assert found == named(own, other)


@pytest.mark.parametrize(
    ("user", "month"), [("month-filter-fails", lambda new: new.before), ("wrong-month", lambda new: new.before)]
)
def test_an_export_of_another_month(ann, newest, user, month):
    user = f"{user}+no-code"
    ann.sign_in(user).open_report(*REPORTS["data"]).run().cycle(cycle(accounts(user)[0], newest))
    assert {row["Billing period"] for row in table(ann.export())} == {month(newest).name}


@pytest.mark.parametrize(("user", "missing"), [("not-published", 0), ("month-missing", 1), ("purged", 3)])
def test_bill_cycles_that_are_not_there(ann, user, missing):
    user = f"{user}+no-code"
    ann.sign_in(user).open_report(*REPORTS["data"]).run()
    dialog = ann.click("#changeBillCycleDate").frame(DIALOG)
    month = published_months(datetime.now(RogersState.zone).date())[missing]
    values = [each.get("value") for each in dialog.all("input[name=billCycleDate]")]
    assert values
    assert cycle(accounts(user)[0], month) not in values


def test_reports_that_are_missing_or_fail(ann):
    ann.sign_in("ok+no-code+missing-data+fails-ccc-chg").open(ann.home).click(MENU)
    ann.choose("#categIDSelect", DETAIL)
    with pytest.raises(NotThere):
        ann.choose("#reportIDSelect", REPORTS["data"][1])
    ann.open_report(*REPORTS["ccc_chg"]).run()
    assert "could not be run" in ann.said("[role=alert]")


def test_values_stand_between_the_quotes_that_were_chosen(ann):
    ann.sign_in("ok+no-code+quotes").open_report(*REPORTS["data"]).run()
    assert ann.export("D").startswith(b'"Account number","Billing period"')
    assert ann.export("S").startswith(b"'Account number','Billing period'")
    assert ann.export("N").startswith(b"Account number,Billing period")


# The extract


def test_an_extract_is_asked_for_and_collected(ann, admin, newest):
    user = "multi+no-code+bcr"
    account, before = accounts(user)[0], admin.counters()["reports_asked"]
    ann.sign_in(user).open_report(*EXTRACT).pick(account).run()
    assert "submitted" in ann.frame(DIALOG).said()
    ann.click("#TB_closeWindowButton")
    (row,) = ann.requests()
    assert (row["name"], digits(row["account"]), row["status"]) == (EXTRACT[1], account, "Completed")
    assert re.fullmatch(r"\d\d/\d\d/\d{4}", row["expiry"])
    header, rows = extract(ann.collect(account))
    assert header[0] == f"{newest.number:02}/01/{newest.year} - {newest.last_day:%m/%d/%Y}"
    assert header[1] == ""
    named = [line.rsplit(",", 2) for line in header[2:]]
    assert (named[0][0], [len(each) for each in named]) == ("Account number", [3] * len(rows[0]))
    assert ({each[0] for each in rows}, len(rows)) == ({account}, 30)
    assert admin.counters()["reports_asked"] == before + 1
    assert ann.sign_out().sign_in(user).requests() == [row], "requests outlive the session"


@pytest.mark.parametrize(
    ("user", "status"), [("slow-report", "Pending"), ("report-never", "Pending"), ("report-fails", "Failed")]
)
def test_an_extract_that_is_not_completed(ann, user, status):
    ann.sign_in(f"{user}+no-code").open_report(*EXTRACT).run().click("#TB_closeWindowButton")
    assert [row["status"] for row in ann.requests()] == [status]
    assert not ann.sees("a[href*=downloadExtractFile]")


def test_a_slow_extract_is_completed_later(ann, admin):
    ann.sign_in("slow-report+no-code+later").open_report(*EXTRACT).run().click("#TB_closeWindowButton")
    admin.clock(601)
    try:
        assert [row["status"] for row in ann.requests()] == ["Completed"]
    finally:
        admin.clock(0)


def test_an_extract_that_has_expired(ann):
    user = "report-expired+no-code"
    ann.sign_in(user).open_report(*EXTRACT).run().click("#TB_closeWindowButton")
    ann.requests()
    had = len(ann.files)
    ann.click("a[href*=downloadExtractFile]")
    assert len(ann.files) == had
    assert "no longer available" in ann.said("[role=alert]")
    ann.open_report(*EXTRACT).run().click("#TB_closeWindowButton")
    assert len({row["expiry"] for row in ann.requests()}) == 2
    assert extract(ann.collect(accounts(user)[0]))[0]


def test_requests_of_other_accounts_reports_and_days(ann):
    user = "former-reports+no-code"
    account = accounts(user)[0]
    ann.sign_in(user).open_report(*EXTRACT).run().click("#TB_closeWindowButton")
    rows = ann.requests()
    own = [place for place, row in enumerate(rows) if (row["name"], digits(row["account"])) == (EXTRACT[1], account)]
    assert own == [3, 4]
    days = ["".join(row["expiry"].split("/")[place] for place in (2, 0, 1)) for row in rows]
    assert days[4] < f"{datetime.now(RogersState.zone):%Y%m%d}" < days[3]


@pytest.mark.parametrize("user", ["header-missing", "header-differs", "foreign-extract"])
def test_extracts_that_cannot_be_believed(ann, user):
    user = f"{user}+no-code"
    account = accounts(user)[0]
    ann.sign_in(user).open_report(*EXTRACT).run().click("#TB_closeWindowButton")
    header, rows = extract(ann.collect(account))
    differs = {
        "header-missing": not header,
        "header-differs": len(header) - 2 == len(rows[0]) - 1,
        "foreign-extract": {row[0] for row in rows} != {account},
    }
    assert [word for word, holds in differs.items() if holds] == [user.partition("+")[0]]


# Usage


def test_the_usage_of_all_users(ann):
    user = "multi+no-code+usage"
    account = accounts(user)[0]
    ann.sign_in(user).open_account(account)
    size, used = ann.find(SIZE), ann.find(USED)
    assert re.fullmatch(r"[\d,]+\.\d\d GB", said_in(size))
    assert re.fullmatch(r"[\d,]+\.\d\d [GM]B", said_in(used))
    assert account in digits(ann.said())
    assert ann.select_all() == [10, 10, 5]
    rows = ann.usage()
    assert (len(rows), len({line for _, line, _ in rows})) == (25, 25)
    assert all(name and re.fullmatch(r"[\d,]+\.\d\d [GM]B", used) for name, _, used in rows)


def test_only_selected_users_are_shown(ann):
    user = "ok+no-code+some"
    ann.sign_in(user).open_account(accounts(user)[0]).click("#getCTNsPGId").click("#selectedCtnsId")
    assert "Select at least one user" in ann.said("[role=alert]")
    ann.click("#mypagination a.next").click("//*[@id='dunsSelectPage']/span")
    assert len(ann.usage()) == 10


def test_a_search_by_other_means_than_keys_suggests_nothing(ann, admin):
    user = "multi+no-code+unkeyed-search"
    before = admin.counters()["searches_not_typed"]
    ann.sign_in(user).open(ann.home).click(NOTIFICATIONS).type("#searchField", accounts(user)[0], keys=False)
    assert not ann.sees("div.ac_results li")
    assert admin.counters()["searches_not_typed"] == before + 1


@pytest.mark.parametrize(
    ("user", "opened"),
    [
        ("filter-fails", lambda own: own[-1]),
        ("wrong-account", lambda own: own[1]),
        ("namesake-first", lambda own: own[0]),
        ("first-item-other", lambda own: own[0]),
    ],
)
def test_which_account_is_opened(ann, user, opened):
    user = f"{user}+multi+no-code+duns"
    own = accounts(user)
    ann.sign_in(user).open_account(own[0])
    assert opened(own) in digits(ann.said("main p"))


def test_the_list_of_users_may_be_another_account_s(ann):
    user = "account-switched+multi+no-code+duns"
    ann.sign_in(user).open_account(accounts(user)[0]).select_all()
    ann.usage()
    assert accounts(user)[-1] in digits(ann.said("main p"))


@pytest.mark.parametrize(("user", "count"), [("selection-lost", 5), ("usage-unknown", 25)])
def test_usage_that_is_not_complete(ann, user, count):
    user = f"{user}+no-code"
    ann.sign_in(user).open_account(accounts(user)[0]).select_all()
    rows = ann.usage()
    assert len(rows) == count
    assert [said for _, _, said in rows].count("Not available") == (user.startswith("usage-unknown"))


def test_an_account_without_shared_data(ann):
    user = "no-pools+no-code"
    ann.sign_in(user).open_account(accounts(user)[0]).find("#BanUsage")
    assert not ann.sees(SIZE)
    assert not ann.sees("#spanUsage_pooled")


# Bills


def text_of(body: bytes) -> str:
    return str(pypdfium2.PdfDocument(body)[0].get_textpage().get_text_range())


@pytest.mark.parametrize("user", ["multi", "multi+viewer-nested", "multi+viewer-late", "multi+namesake-first"])
def test_a_bill(ann, newest, user):
    user = f"{user}+no-code"
    account = accounts(user)[0]
    text = text_of(ann.sign_in(user).open_bills(newest.short.replace(" ", "-")).bill(account))
    invoice = Invoice(account, newest, "CAD")
    for said in (account, invoice.number, f"${invoice.total:,.2f}", "CAD", f"{invoice.due:%B} {invoice.due.day}"):
        assert said in text


def test_a_bill_date_puts_the_view_back(ann, newest):
    ann.sign_in("ok+no-code+view").open_bills(newest.short.replace(" ", "-"))
    ann.find("#tableSorterListId")
    older = newest.before.short.replace(" ", "-")
    value = next(each.get("value") for each in ann.all("#invoice_dates option") if each.get("value").endswith(older))
    ann.choose("#invoice_dates", value)
    assert (ann.chosen("#invoiceShowTypeList"), ann.sees("#tableSorterListId")) == ("summaryView", False)


@pytest.mark.parametrize(
    "user",
    [
        *("wrong-account+multi", "rows-move", "dialog-stays+multi", "month-filter-fails"),
        *("wrong-account-file", "wrong-month"),
    ],
)
def test_bills_that_are_not_what_was_asked_for(ann, newest, user):
    user = f"{user}+no-code"
    own = accounts(user)[0]
    text = text_of(ann.sign_in(user).open_bills(newest.short.replace(" ", "-")).bill(own))
    assert not (own in text and f"to {newest.last_day:%B %d, %Y}" in text)


def test_the_list_of_bills_may_begin_with_another_account(ann, newest):
    user = "row-other-first+no-code"
    ann.sign_in(user).open_bills(newest.short.replace(" ", "-")).find("#tableSorterListId")
    shown = [digits(said_in(each)) for each in ann.all("#tableSorterListId td.textData")]
    assert [each for each in shown if each] == [*RogersState.people.numbered(f"row {user}", 1), accounts(user)[0]]


def test_an_invoice_that_differs_from_its_list(ann, newest):
    user = "total-differs+no-code"
    invoice = Invoice(accounts(user)[0], newest, "CAD")
    ann.sign_in(user).open_bills(newest.short.replace(" ", "-")).find("#tableSorterListId")
    assert f"${invoice.total:,.2f}" in ann.said("#tableSorterListId")
    assert f"${invoice.total + 10:,.2f}" in text_of(ann.bill(accounts(user)[0]))


@pytest.mark.parametrize(("user", "seen"), [("viewer-fails", "[role=alert]"), ("no-complete-bill", "#tippy-1")])
def test_a_viewer_that_has_no_bill(ann, newest, user, seen):
    user = f"{user}+no-code"
    ann.sign_in(user).open_bills(newest.short.replace(" ", "-"))
    viewer = ann.view_bill(accounts(user)[0])
    if user.startswith("no-complete"):
        viewer.click("#save_desktop")
    viewer.find(seen)
    assert not viewer.sees("span.downloadPdfEbuLink-rogers")


def test_every_scenario_lets_its_user_submit_a_password(rogers, mails, admin):
    without = {"submit-hang", "submit-drop", "cold-cache", "cold-always"}  # no answer, or no field for a password
    for scenario in set(SCENARIOS) - without:
        reader = Rogers.at(rogers, mails).submit(f"{scenario}+each")
        assert reader.status in (200, 429, 503), scenario
    submitted = set(admin.counters()["submissions"])
    assert {scenario for scenario in SCENARIOS if f"{scenario}+each" not in submitted} == without


# In a browser


@pytest.fixture
def tab(browser, rogers) -> Iterator[Page]:
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.goto(f"{rogers.urls['rogers']}/bizonline/homePage.do", wait_until="domcontentloaded")
    yield page
    context.close()


def give_password(page: Page, user: str) -> None:
    page.locator(f"xpath={SIGN_IN}").first.click()
    page.locator("#ds-form-input-id-0").fill(user)
    page.locator(f"xpath={CONTINUE}").click()
    page.locator(PASSWORD_FIELD).fill(PASSWORD)
    page.locator(f"xpath={SUBMIT}").click()


@pytest.mark.browser
def test_six_boxes_in_a_browser(tab, mails):
    user = "ok+browser-code"
    give_password(tab, user)
    tab.locator(f"xpath={METHOD}").click()
    code = wait_for(lambda: mails.codes(mailbox(user), "rogers.com"))[-1]
    boxes, verify = tab.locator("ds-code-input input"), tab.get_by_role("button", name="Verify")
    expect(boxes).to_have_count(6)
    for place in range(6):
        boxes.nth(place).fill(code[place])
    expect(verify).to_be_disabled()
    boxes.first.fill("")
    for place in range(6):
        boxes.nth(place).fill("")
    boxes.first.click()
    tab.keyboard.type(code)
    expect(verify).to_be_enabled()
    verify.click()
    expect(tab.locator("#landing_left_pan")).to_be_visible()


@pytest.mark.browser
def test_a_report_in_a_browser(tab, newest):
    """Dialogs in frames: a search by keys, a button that wakes when its field is left, Escape, a bill cycle, a text file."""
    user = "multi+no-code+browser"
    account = accounts(user)[0]
    give_password(tab, user)
    tab.locator(f"xpath={MENU}").click()
    tab.locator("#categIDSelect").select_option(CREDITS)
    tab.locator("#reportIDSelect").select_option(REPORTS["ccc_chg"][1])
    tab.locator("#accountNumbersLink").click()
    tab.frame_locator(DIALOG).locator("#searchField1").click()
    tab.keyboard.press("Escape")
    expect(tab.locator(DIALOG)).to_have_count(0)
    tab.locator("#accountNumbersLink").click()
    dialog = tab.frame_locator(DIALOG)
    dialog.locator("#searchBox1 input[type=radio]").check()
    dialog.locator("#searchField1").press_sequentially(account)
    expect(dialog.locator("#findButton1")).to_be_disabled()
    dialog.locator("#searchField1").blur()
    dialog.locator("#findButton1").click()
    dialog.locator("li a.buttongray").click()
    expect(tab.locator(DIALOG)).to_have_count(0)
    expect(tab.locator("[data-place=account]")).to_have_text(re.compile("^" + "-?".join(account) + "$"))
    tab.locator("#submitbutton").click()
    tab.locator("#changeBillCycleDate").click()
    dialog.locator(f"input[name=billCycleDate][value='{cycle(account, newest)}']").check()
    dialog.locator("#submitNewBCD").click()
    expect(tab.locator(DIALOG)).to_have_count(0)
    tab.locator("#goButton").click()
    expect(tab.locator("[data-place=cycle]")).to_have_text(cycle(account, newest))
    tab.locator("a.buttontext[href*=exportText]").click()
    dialog.locator("input[name=qualifier][value=D]").check()
    with tab.expect_download() as started:
        dialog.locator("#downloadNow").click()
    with open(started.value.path(), "rb") as file:
        rows = table(file.read())
    assert {(row["Account number"], row["Billing period"]) for row in rows} == {(account, newest.name)}


@pytest.mark.browser
def test_usage_and_a_bill_in_a_browser(tab, newest):
    user = "multi+no-code+viewer-nested+browser"
    account = accounts(user)[0]
    give_password(tab, user)
    tab.locator(f"xpath={NOTIFICATIONS}").click()
    tab.locator("#searchField").press_sequentially(account)
    tab.locator("div.ac_results li a.buttongray").click()
    tab.locator("#dunsAccountsListTableId a[onclick*=getDunsCtns]").click()
    tab.locator("#BanUsageTab").click()
    expect(tab.locator(f"xpath={SIZE}")).to_contain_text("GB")
    tab.locator("#getCTNsPGId").click()
    for place in range(3):
        expect(tab.locator("#mypagination")).to_contain_text(f"Page {place + 1}")
        tab.locator("#dunsSelectPage > span").click()
        expect(tab.get_by_text("This page is selected.")).to_be_visible()
        if place < 2:
            tab.locator("#mypagination a.next").click()
    expect(tab.locator("#mypagination span.next")).to_have_count(1)
    tab.locator("#selectedCtnsId").click()
    rows = tab.locator("tr.odd:not(.extract-table-body), tr.even:not(.extract-table-body)")
    expect(rows).to_have_count(25)
    expect(rows.last.locator("[id^=spanUsage_]")).to_contain_text("B")
    tab.goto(tab.url.partition("/bizonline")[0] + "/bizonline/homePage.do", wait_until="domcontentloaded")
    tab.locator(f"xpath={VIEW_BILLS}").click()
    dates = tab.locator("#invoice_dates")
    month = newest.short.replace(" ", "-")
    value = dates.locator(f"option[value$='{month}']").get_attribute("value")
    dates.select_option(value)
    expect(dates).to_have_value(value)
    tab.locator("#invoiceShowTypeList").select_option("accountsView")
    tab.locator("#tableSorterListId tr").nth(1).locator("#banDownloadBriteBill").click()
    wait_for(lambda: [each for each in tab.frames if each.locator("#save_desktop").count()])
    frame = next(each for each in tab.frames if each.locator("#save_desktop").count())
    frame.locator("#save_desktop").click()
    with tab.expect_download() as started:
        frame.locator("#tippy-1 span.downloadPdfEbuLink-rogers").click()
    with open(started.value.path(), "rb") as file:
        assert account in text_of(file.read())
    tab.locator(f"xpath={LOG_OUT}").click()
    expect(tab.locator(f"xpath={SIGN_IN}").first).to_be_visible()
