"""The Telus imitation, walked by a reader without a browser in the steps of the fact sheet; one walk in a browser."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import datetime

import pypdfium2
import pytest
from playwright.sync_api import expect, sync_playwright

from middlewares.download.browser import find_browser
from sandbox import NEW_PASSWORD, PASSWORD, Admin, Running, phone, running
from sandbox.globys.invoices import LAYOUTS, Invoice, invoice_pdf
from sandbox.invented import Month, published_months
from sandbox.telus import accounts
from sandbox.telus.state import SCENARIOS, TelusState
from tests.project import wait_for
from tests.sandbox.reader import NotThere
from tests.sandbox.telus_reader import AVATAR, LOGIN, REPORT_NAME, SEARCH, TEXT_BILL, Telus

QUICK = {
    "load_ms": 5,
    "render_ms": [0, 0],
    "form_ms": 0,
    "usage_ms": 0,
    "report_ms": 0,
    "bans_ms": 0,
    "report_seconds": 0,
    "slow_seconds": 0.1,
    "interstitial_ms": 50,
}


@pytest.fixture(scope="module")
def telus(tmp_path_factory, phones) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("telus")
    with running(folder, ("telus",), sms_url=phones.url, sms_token=phones.token, **QUICK) as sandbox:
        yield sandbox


@pytest.fixture
def admin(telus) -> Admin:
    return telus.admin["telus"]


@pytest.fixture
def ann(telus) -> Telus:
    return Telus.at(telus)


@pytest.fixture
def newest() -> Month:
    return published_months(datetime.now(TelusState.zone).date())[0]


def table(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))


def accounts_of(body: bytes) -> set[str]:
    return {row["Account number"] for row in table(body)}


def text_of(pdf: bytes) -> str:
    return pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_range()


def value(month: Month) -> str:
    return f"b{month.year}{month.number:02}"


# Signing in


def test_signs_in_with_the_password_alone_and_out_again(ann, admin):
    before = admin.counters()["sign_ins"]
    ann.sign_in("ok+in")
    assert ann.url.endswith("/my-telus")
    assert "overview" in ann.title.lower()
    assert ann.said(f"{AVATAR}/button") == "ok+in"
    assert admin.counters()["sign_ins"] == before + 1
    ann.click(f"{AVATAR}/button").click(f"{AVATAR}/nav/div/ul/li[5]/a")
    ann.open("/my-telus")
    assert ann.sees(LOGIN.format("email-input"))
    assert "login" in ann.url


def test_a_wrong_password_is_refused_and_the_fifth_locks(ann, admin):
    ann.open("/my-telus")
    ann.submit("wrong-password")
    assert "incorrect" in ann.said("[role=alert]")
    ann.submit("wrong-password", NEW_PASSWORD)
    assert ann.sees(f"{AVATAR}/button")
    other = Telus()
    other.open(f"{ann.home}/my-telus")
    for _ in range(5):
        other.submit("ok+lock", "not-it")
    other.submit("ok+lock")
    assert "locked" in other.said("[role=alert]")
    assert admin.counters()["submissions"]["ok+lock"] == 6


@pytest.mark.parametrize(
    ("user", "title", "said"),
    [
        ("locked", "Log in", "locked"),
        ("nobody", "Log in", "incorrect"),
        ("captcha", "Just a moment...", "Checking if the site connection is secure"),
        ("interstitial-stays", "Just a moment...", "Checking if the site connection is secure"),
        ("mfa-push", "Confirm it's you", "Approve this sign-in"),
        ("totp", "Confirm it's you", "Enter the code"),
        ("submit-503", "Temporarily unavailable", "temporarily unavailable"),
        ("maintenance", "Temporarily unavailable", "temporarily unavailable"),
        ("policy-page", "Terms of service", "terms of service have changed"),
        ("unknown-page", "Umbrellas", "umbrellas"),
        ("cookie-banner", "Account overview", "Accept all cookies"),
        ("promo-overlay", "Account overview", "A new offer"),
        ("skip-popup", "Account overview", "Take a tour"),
        ("other-customer", "Account overview", "somebody.else@example.com"),
    ],
)
def test_what_is_seen_after_the_password(ann, user, title, said):
    ann.open("/my-telus")
    ann.submit(user)
    assert ann.title == title
    assert said in ann.said()


def test_a_code_by_text_message(ann, phones):
    ann.open("/my-telus")
    ann.submit("sms+code")
    code = wait_for(lambda: phones.codes(phone("sms+code")))[-1]
    ann.type("[name=code]", code).click("button", "Continue")
    assert ann.sees(f"{AVATAR}/button")


def test_a_check_of_the_connection_that_clears_is_met_once_on_each_origin(ann, admin):
    ann.open("/my-telus")
    ann.submit("interstitial")
    assert (ann.status, ann.title) == (403, "Just a moment...")
    assert "_cf_chl_opt" in ann.said("//script")
    ann.open(ann.url)
    assert ann.sees(f"{AVATAR}/button")
    ann.click('//*[@id="navOpen"]/li[2]/a')
    assert ann.title == "Just a moment..."
    ann.open(ann.url).accept_terms().find("#navMenuGroupReports")
    assert admin.counters()["interstitials"] >= 2


def test_the_older_form_has_ids(ann, admin):
    admin.configure(layout="b")
    try:
        ann.open("/my-telus")
        ann.find('//*[@id="login-form"]//*[@role="button"]')
        ann.sign_in("ok+older")
    finally:
        admin.configure(layout="a")


def test_a_cookie_dialog_before_the_sign_in_is_answered_once(telus, admin):
    admin.configure(cookie_banner=True)
    try:
        reader = Telus.at(telus)
        with pytest.raises(NotThere, match="is under"):
            reader.click("button", "My Telus")
        reader.click("button", "Accept all cookies").click("button", "My Telus").click("a", "My Telus Web")
        assert reader.sees(LOGIN.format("email-input"))
        assert not reader.sees("[role=dialog]")
    finally:
        admin.configure(cookie_banner=False)


def test_the_first_session_dies_midway(ann, admin):
    died = admin.counters()["sessions_died"]
    ann.sign_in("signed-out-midway")
    for _ in range(4):
        ann.overview()
    assert ann.sees(LOGIN.format("email-input"))
    assert admin.counters()["sessions_died"] == died + 1
    ann.sign_in("signed-out-midway")
    for _ in range(6):
        ann.overview()
    assert ann.sees(f"{AVATAR}/button")


def test_what_lies_under_a_dialog_cannot_be_clicked(ann):
    ann.sign_in("skip-popup+under")
    with pytest.raises(NotThere, match="is under"):
        ann.click('//*[@id="navOpen"]/li[3]/a')
    ann.click('//*[@id="skip-button"]').click('//*[@id="navOpen"]/li[3]/a')
    assert ann.title == "Usage"


# Text bills


def test_the_bundle_of_an_account_and_month(ann, newest):
    user = "multi+bundle"
    account = accounts(user)[1]
    ann.sign_in(user)
    body = ann.bundle(account, newest.name.split()[0], str(newest.year))
    members = zipfile.ZipFile(io.BytesIO(body))
    names = [name.rpartition("/")[2] for name in members.namelist()]
    assert [part for part in ("group_summary", "individual_detail", "airtime") if any(part in name for name in names)]
    detail = members.read(next(name for name in members.namelist() if "individual_detail" in name))
    assert accounts_of(detail) == {account}
    assert {row["Billing period"] for row in table(detail)} == {newest.name}
    assert f"Account #{account}" in ann.said()
    assert ann.bundle(account, newest.name.split()[0], str(newest.year)) == body


def test_the_account_is_asked_for_once_in_a_session_and_can_be_changed(ann, admin):
    user = "multi+change"
    first, second, _ = accounts(user)
    ann.sign_in(user).bill_option(TEXT_BILL)
    assert ann.sees("h1", "Find your account")
    ann.find_account(first).bill_option(TEXT_BILL)
    assert not ann.sees("h1", "Find your account")
    ann.click("a", "Change").find_account(second)
    assert f"Account #{second}" in ann.said()


def test_one_account_has_no_header(ann):
    ann.sign_in("ok+single").bill_option(TEXT_BILL)
    assert "Account #" not in ann.said()
    assert ann.sees("//div[@role='link']")


@pytest.mark.parametrize(
    ("user", "whose"),
    [("foreign-member", "member {}"), ("wrong-account-file", "wrong file {}")],
)
def test_a_bundle_with_somebody_elses_rows(ann, newest, user, whose):
    ann.sign_in(user)
    members = zipfile.ZipFile(io.BytesIO(ann.bundle(accounts(user)[0], newest.name.split()[0], str(newest.year))))
    detail = members.read(next(name for name in members.namelist() if "individual_detail" in name))
    assert accounts_of(detail) == set(TelusState.people.numbered(whose.format(user), 1))


@pytest.mark.parametrize(
    ("user", "there", "missing"),
    [
        ("unknown-members", "promotions", "nothing"),
        ("no-airtime", "individual_detail", "airtime"),
        ("member-missing", "group_summary", "individual_detail"),
    ],
)
def test_members_of_a_bundle(ann, newest, user, there, missing):
    ann.sign_in(user)
    body = ann.bundle(accounts(user)[0], newest.name.split()[0], str(newest.year))
    names = " ".join(zipfile.ZipFile(io.BytesIO(body)).namelist())
    assert there in names
    assert missing not in names


@pytest.mark.parametrize(
    ("user", "count", "has_newest"),
    [("ok+months", 13, True), ("not-published", 12, False), ("purged", 3, True), ("month-missing", 12, True)],
)
def test_which_months_are_there(ann, newest, user, count, has_newest):
    ann.sign_in(user).bill_option(TEXT_BILL)
    assert len(ann.all("//div[@role='link']")) == count
    place = f"//div[@role='link'][preceding::h2[1][contains(., '{newest.year}')]]"
    assert any(newest.name.split()[0] in each.text_content() for each in ann.all(place)) is has_newest


# Bill Analyzer


def test_a_report_of_a_set_account_and_month(ann, newest, admin):
    user = "multi+analyzer"
    account = accounts(user)[0]
    ann.sign_in(user).open_detail()
    assert ann.scope(account) == account
    assert ann.month(value(newest)) == newest.name
    body = ann.export("42", "Mobility Device")
    assert (accounts_of(body), {row["Billing period"] for row in table(body)}) == ({account}, {newest.name})
    assert ann.files[-1][0] == "Mobility Device Report.csv"
    assert admin.counters()["exports_of"]["mobility_device"] >= 1


@pytest.mark.parametrize(
    ("user", "scope_is_set", "month_is_set"),
    [
        ("filter-fails+multi", False, True),
        ("month-filter-fails+multi", True, False),
        ("wrong-account+multi", False, True),
        ("namesake-first+multi", False, True),
    ],
)
def test_filters_that_fail(ann, newest, user, scope_is_set, month_is_set):
    account = accounts(user)[0]
    ann.sign_in(user).open_detail()
    assert (ann.scope(account) == account) is scope_is_set
    assert (ann.month(value(newest)) == newest.name) is month_is_set


def test_a_search_that_lists_another_account_first(ann):
    user = "first-item-other+multi"
    ann.sign_in(user).open_detail()
    ann.click("#LevelDataDropdownButton").click("#LevelDataDropdownList_multipleaccounts")
    ann.type(SEARCH, accounts(user)[0])
    items = [each.text_content() for each in ann.all("//*[@id='scopeExpandedAccountMenu']//li")]
    assert items[0] != items[1] == accounts(user)[0]


def test_filters_that_an_export_resets(ann, newest):
    user = "filter-resets+multi"
    account = accounts(user)[0]
    ann.sign_in(user).open_detail()
    ann.scope(account)
    ann.month(value(newest))
    assert accounts_of(ann.export("42", "Mobility Device")) == {account}
    ann.click("a", "Back to reports")
    assert ann.said("#LevelDataDropdownButton") == accounts(user)[-1]
    assert ann.said("#CIDPendingDataDropdownButton") != newest.name


def test_an_account_that_is_not_listed_is_not_found(ann):
    user = "account-missing+multi"
    ann.sign_in(user).open_detail()
    ann.click("#LevelDataDropdownButton").click("#LevelDataDropdownList_multipleaccounts")
    ann.type(SEARCH, accounts(user)[0])
    assert ann.said("#scopeExpandedAccountMenu li") == "No accounts found"


@pytest.mark.parametrize("user", ["wrong-account-file", "wrong-month"])
def test_reports_that_are_not_what_the_filters_say(ann, newest, user):
    ann.sign_in(user).open_detail()
    ann.scope(accounts(user)[0])
    ann.month(value(newest))
    rows = table(ann.export("42", "Mobility Device"))
    assert (rows[0]["Account number"], rows[0]["Billing period"]) != (accounts(user)[0], newest.name)


def test_bills_and_their_documents(ann, newest):
    user = "multi+bills"
    account = accounts(user)[0]
    ann.sign_in(user).open_bills()
    assert ann.scope(account) == account
    ann.pick_month(newest.name)
    entries = ann.documents(account)
    assert f"{newest.year}/{newest.number:02}" == entries[0]
    text = text_of(ann.document(entries[0]))
    invoice = Invoice(account, newest, "CAD")
    for said in (account, invoice.number, f"${invoice.total:,.2f}", "CAD", newest.name.split()[0]):
        assert said in text
    assert invoice.number in ann.said("#DataTable")
    assert f"${invoice.total:,.2f}" in ann.said("#DataTable")


@pytest.mark.parametrize(
    ("user", "first"), [("document-other-first", False), ("document-missing", False), ("ok+doc", True)]
)
def test_the_documents_of_a_month(ann, newest, user, first):
    ann.sign_in(user).open_bills()
    entries = ann.pick_month(newest.name).documents(accounts(user)[0])
    wanted = f"{newest.year}/{newest.number:02}"
    assert (entries[0] == wanted) is first
    assert (wanted in entries) is (user != "document-missing")


def test_a_list_that_begins_with_another_account(ann, newest):
    ann.sign_in("row-other-first").open_bills()
    ann.pick_month(newest.name).find("#DataTable td")
    rows = [row[0].text_content() for row in ann.all("//*[@id='DataTable']/tbody/tr")]
    assert rows[0] != accounts("row-other-first")[0] == rows[1]


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("layout", range(1, LAYOUTS + 1))
def test_invoices_say_everything_as_text(newest, layout, language):
    invoice = Invoice("31402572", newest, "CAD", layout, language)
    text = " ".join(text_of(invoice_pdf(invoice)).replace("\N{NO-BREAK SPACE}", " ").split())
    said = [invoice.account, invoice.number, invoice.day(invoice.issued), invoice.day(invoice.due), "CAD"]
    said += [invoice.day(invoice.start), invoice.day(newest.last_day)]
    said += [invoice.money(amount).replace("\N{NO-BREAK SPACE}", " ") for amount in (*invoice.amounts, invoice.total)]
    assert [each for each in said if each not in text] == []
    assert sum(invoice.amounts) == invoice.total


# Usage, and TELUS IQ


def test_the_usage_page(ann):
    user = "multi+usage"
    account = accounts(user)[1]
    ann.sign_in(user).click('//*[@id="navOpen"]/li[3]/a').find_account(account)
    assert ann.said('//*[@data-testid="accountNumber"]') == account
    used = ann.find('//div[@data-testid="total-usage"]//*[@data-testid="usage-used"]').text_content()
    assert used.endswith("GB")
    assert len(ann.all('//*[@data-testid="usage-used"]')) > 1
    ann.click("a", "Change account").find_account(accounts(user)[0])
    assert ann.said('//*[@data-testid="accountNumber"]') == accounts(user)[0]


def test_a_usage_page_without_a_total(ann):
    ann.sign_in("no-pools").click('//*[@id="navOpen"]/li[3]/a').find('//*[@data-testid="usage-used"]')
    assert not ann.sees('//div[@data-testid="total-usage"]')


def test_a_report_of_telus_iq(ann, admin):
    user = "multi+iq"
    account = accounts(user)[0]
    ann.sign_in(user).open_iq()
    assert ann.close_dialogs() == ["Select customer", "Upcoming changes to order processing"]
    assert ann.ban(account) == account
    assert ann.find("select#select-a-ban").get("value") == ""
    ann.ask_report()
    assert wait_for(lambda: (REPORT_NAME, "Download", account) in ann.queue())
    assert accounts_of(ann.collect(REPORT_NAME, account)) == {account}
    assert admin.counters()["reports_asked"] >= 1


def test_telus_iq_is_a_session_of_its_own(ann, telus, admin):
    user = "ok+own"
    ann.sign_in(user).open_iq().close_dialogs()
    ann.overview().click(f"{AVATAR}/button").click(f"{AVATAR}/nav/div/ul/li[5]/a")
    ann.open(telus.environment["TELUS_IQ_URL"] + "/iq/manage")
    assert ann.sees('//*[@id="site-header__root"]//a[contains(@class,"site-header__header__user")]', user)
    before = admin.counters()["iq_log_outs"]
    ann.click('//*[@id="site-header__root"]//a[contains(@class,"site-header__header__user")]')
    ann.click('//a[@href="/iq/manage/logout"]')
    assert admin.counters()["iq_log_outs"] == before + 1
    ann.open(telus.environment["TELUS_IQ_URL"] + "/iq/manage")
    assert ann.sees(LOGIN.format("email-input"))


def test_telus_iq_may_ask_for_the_password(ann, admin):
    ann.sign_in("iq-login").open_iq()
    assert ann.sees(LOGIN.format("email-input"))
    ann.submit("iq-login")
    assert len(ann.close_dialogs()) == 2
    assert admin.counters()["submissions"]["iq-login"] == 2


def test_telus_iq_may_refuse_the_password_that_my_telus_took(ann):
    ann.sign_in("iq-wrong-password").open_iq()
    ann.submit("iq-wrong-password")
    assert "incorrect" in ann.said("[role=alert]")
    assert not ann.sees("select#select-a-ban")


def test_telus_iq_may_ask_for_a_code(ann, phones):
    ann.sign_in("iq-sms").open_iq()
    ann.submit("iq-sms")
    code = wait_for(lambda: phones.codes(phone("iq-sms")))[-1]
    ann.type("[name=code]", code).click("button", "Continue")
    assert len(ann.close_dialogs()) == 2


def test_a_stale_session_of_telus_iq_lasts_until_it_is_logged_out(ann, telus):
    user = "stale-iq"
    header = '//*[@id="site-header__root"]//a[contains(@class,"site-header__header__user")]'
    ann.sign_in(user).open_iq().close_dialogs()
    assert ann.said(header) == "somebody.else@example.com"
    ann.find("select#select-a-ban option:nth-child(2)")
    assert accounts(user)[0] not in ann.said("select#select-a-ban")
    ann.open(telus.environment["TELUS_IQ_URL"] + "/iq/manage/logout")
    ann.open_iq()
    assert ann.said(header) == user


def test_an_account_that_telus_iq_does_not_take(ann):
    user = "filter-fails+multi+iq"
    ann.sign_in(user).open_iq().close_dialogs()
    assert ann.ban(accounts(user)[0]) == ""


@pytest.mark.parametrize(
    ("user", "status"), [("report-never", "In Queue"), ("report-fails", "Failed"), ("slow-report", "In Queue")]
)
def test_reports_that_do_not_come(ann, user, status):
    ann.sign_in(user).open_iq().close_dialogs()
    ann.ban(accounts(user)[0])
    ann.ask_report()
    assert ann.queue() == [(REPORT_NAME, status, accounts(user)[0])]


def test_a_queue_with_reports_of_others(ann):
    user = "former-reports+multi"
    account = accounts(user)[0]
    ann.sign_in(user).open_iq().close_dialogs()
    ann.ban(account)
    ann.ask_report()
    rows = ann.queue()
    assert rows[0] == (REPORT_NAME, "Download", account)
    assert (REPORT_NAME, "Multiple") in {(name, whose) for name, _, whose in rows}
    assert len([row for row in rows if row[0] == REPORT_NAME]) == 4


def test_a_session_of_telus_iq_that_dies_is_begun_again(ann):
    user = "iq-session-lost"
    ann.sign_in(user).open_iq().close_dialogs()
    ann.ban(accounts(user)[0])
    ann.ask_report()
    assert ann.close_dialogs()
    ann.ban(accounts(user)[0])
    ann.ask_report()
    assert ann.queue() == [(REPORT_NAME, "Download", accounts(user)[0])]


# Files that are not what they should be


@pytest.mark.parametrize(
    ("user", "begins"), [("empty-file", b""), ("html-instead-of-pdf", b"<!doctype"), ("wrong-type", b"PK")]
)
def test_bad_files(ann, newest, user, begins):
    ann.sign_in(user).open_bills()
    entry = ann.pick_month(newest.name).documents(accounts(user)[0])[0]
    assert ann.document(entry)[:9].startswith(begins)
    assert bool(ann.files[-1][1]) is bool(begins)


def test_the_first_click_on_a_download_may_do_nothing(ann, newest):
    user = "download-swallowed"
    ann.sign_in(user).bill_option(TEXT_BILL)
    month = f"//div[@role='link'][preceding::h2[1][contains(., '{newest.year}')]]"
    ann.click(month, newest.name.split()[0])
    assert ann.files == []
    ann.click(month, newest.name.split()[0])
    assert ann.files[0][1].startswith(b"PK")


def test_every_scenario_lets_its_user_submit_a_password(telus, admin):
    """A scenario that no page knows would be seen here: each is an own way to go on after the form."""
    for scenario in SCENARIOS:
        if scenario in ("submit-hang", "submit-drop"):
            continue
        reader = Telus.at(telus).open("/my-telus")
        reader.submit(f"{scenario}+each")
        assert reader.status in (200, 403, 429, 503), scenario
    assert {f"{scenario}+each" for scenario in SCENARIOS} - set(admin.counters()["submissions"]) == {
        "submit-hang+each",
        "submit-drop+each",
    }


@pytest.mark.browser
def test_a_walk_in_a_browser(telus, admin, newest):
    """The page script does what the reader does: menus that leave, a list that is narrowed, a value by property, downloads."""
    user = "multi+browser"
    account = accounts(user)[0]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser())
        page = browser.new_page()
        page.set_default_timeout(20_000)
        page.goto(f"{telus.urls['telus']}/my-telus", wait_until="domcontentloaded")
        page.locator(LOGIN.format("email-input")).fill(user)
        page.locator(LOGIN.format("password-input")).fill(PASSWORD)
        page.locator(LOGIN.format("submit-button")).click()
        page.locator('xpath=//*[@id="navOpen"]/li[2]/a').click()
        page.locator("xpath=//*[@id='tandc-content']/div[3]/button").click()
        page.locator("#navMenuGroupReports").click()
        page.locator("#navMenuItem6").click()
        page.locator("#LevelDataDropdownButton").click()
        page.locator("#LevelDataDropdownList_multipleaccounts").click()
        page.locator("xpath=//*[@id='scopeExpandedAccountMenu']/div[1]/div/div[2]/input").press_sequentially(account)
        items = page.locator("#scopeExpandedAccountMenu li")
        expect(items).to_have_count(1)
        items.click()
        page.locator("xpath=//*[@id='scopeExpandedAccountMenu']/div[4]/button").click()
        expect(page.locator("#LevelDataDropdownButton")).to_have_text(account)
        page.locator("#heading42 [aria-expanded]").click()
        expect(page.locator("#heading42 [aria-expanded]")).to_have_attribute("aria-expanded", "true")
        page.locator("#collapse42 button[id*=btnSelectSummaryReport]").get_by_text(
            "Mobility Device", exact=True
        ).click()
        page.locator("#export").click()
        page.locator("#radCsvLabel").click()
        with page.expect_download() as started:
            page.locator("#hrefOK").click()
        with open(started.value.path(), "rb") as file:
            assert accounts_of(file.read()) == {account}
        page.goto(f"{telus.urls['telus']}/my-telus", wait_until="domcontentloaded")
        page.locator('[data-testid="generic-card-primary-cta"][href*="/iq/manage"]').click()
        for _ in range(2):
            page.locator("#cancel__clear__filter__button").click()
        page.locator("select#select-a-ban").select_option(account)
        page.get_by_text("View heavy data user details").click()
        assert page.locator("#confirmation__dialog1").is_hidden()
        browser.close()
