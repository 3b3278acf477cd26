"""The AT&T imitation, walked by a reader without a browser in the steps of the fact sheet; one walk in a browser."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime

import pypdfium2
import pytest
from playwright.sync_api import expect, sync_playwright

from middlewares.download.browser import find_browser
from sandbox import NEW_PASSWORD, PASSWORD, Admin, Running, mailbox, phone, running, totp_code, totp_secret
from sandbox.att import accounts
from sandbox.att.state import SCENARIOS, SENDERS, AttState
from sandbox.globys.invoices import Invoice
from sandbox.invented import Month, published_months
from tests.project import wait_for
from tests.sandbox.att_reader import CHARGES, LOG_OUT, PROFILE, REPORTS, SCOPE, SEARCH, SECRET, USER, Att

QUICK = {"load_ms": 5, "render_ms": [0, 0], "report_ms": 0, "overlay_ms": 0, "slow_seconds": 0.1}


@pytest.fixture(scope="module")
def att(tmp_path_factory, phones, mails) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("att")
    with running(folder, ("att",), phones.url, phones.token, mail_url=mails.url, **QUICK) as sandbox:
        yield sandbox


@pytest.fixture
def admin(att) -> Admin:
    return att.admin["att"]


@pytest.fixture
def ann(att, mails) -> Att:
    return Att.at(att, mails)


@pytest.fixture
def newest() -> Month:
    return published_months(datetime.now(AttState.zone).date())[0]


def table(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))


def value(month: Month) -> str:
    return f"c{month.year}{month.number:02}"


# Signing in


def test_signs_in_with_a_mailed_code_and_out_again(ann, admin):
    before = admin.counters()
    ann.sign_in("ok+in")
    assert ann.url.startswith(ann.home)
    after = admin.counters()
    counted = {name: after[name] - before[name] for name in ("sign_ins", "code_requests", "codes_sent", "codes_used")}
    assert counted == dict.fromkeys(counted, 1)
    assert ann.mails.payloads[-1]["from"] == SENDERS[0]
    assert 6 <= len(ann.mailed("ok+in")) <= 8
    ann.sign_out()
    assert ann.sees(f"{USER}/div[1]//input")


def test_a_trusted_browser_owes_no_code_when_its_session_has_ended(ann, admin):
    ann.sign_in("ok+trust").sign_out()
    before = admin.counters()["code_requests"]
    ann.submit("ok+trust")
    assert ann.sees(PROFILE, "My Profile")
    assert admin.counters()["code_requests"] == before
    other = ann.sign_out().submit("ok+other")
    assert other.sees("#deliveryForm"), "the browser is trusted for one user only"


def test_a_browser_that_was_not_to_be_trusted_owes_a_code(ann):
    ann.submit("ok+untrusted").choose_mail().type_code(ann.mailed("ok+untrusted"), trusted=False)
    ann.sign_out().submit("ok+untrusted")
    assert ann.sees("#deliveryForm")


def test_a_preferred_method_is_used_unasked(ann, att):
    ann.submit("ok+preferred").choose_mail(preferred=True)
    ann.type_code(ann.mailed("ok+preferred"), trusted=False).sign_out().submit("ok+preferred")
    assert not ann.sees("#deliveryForm")
    ann.type_code(ann.mailed("ok+preferred", 2))
    assert ann.sees(PROFILE)


@pytest.mark.parametrize(("user", "form"), [("mfa-pending", "#deliveryForm"), ("mfa-pending+code-direct", "#enterOtp")])
def test_a_verification_that_is_pending_stands_at_the_address_of_the_sign_in(ann, user, form):
    ann.submit(user).open(ann.home)
    assert ann.sees(form)
    if form == "#deliveryForm":
        ann.choose_mail().open(ann.home)
    ann.type_code(ann.mailed(user))
    assert ann.sees(PROFILE)


@pytest.mark.parametrize(("tag", "sender"), [(f"sender-{place}", sender) for place, sender in enumerate(SENDERS, 1)])
def test_codes_come_from_three_senders(ann, tag, sender):
    user = f"code-direct+{tag}"
    ann.submit(user)
    ann.mailed(user)
    assert [mail["from"] for mail in ann.mails.payloads if mail["to"] == mailbox(user)] == [sender]


def test_codes_by_text_message_and_by_an_app(ann, phones):
    ann.submit("no-mail+att")
    assert not ann.sees('//input[@name="selectCTN" and starts-with(@label,"Email")]')
    ann.tick('//input[@name="selectCTN"]').click("#continueButton")
    ann.type_code(wait_for(lambda: phones.codes(phone("no-mail+att")))[-1], trusted=False)
    ann.sign_out().submit("totp+app")
    ann.type_code(totp_code(totp_secret("totp+app"), int(datetime.now(AttState.zone).timestamp()) // 30))
    assert ann.sees(PROFILE)


def test_a_refused_code_and_the_fourth(ann):
    ann.submit("code-refused").choose_mail()
    code = ann.mailed("code-refused")
    for _ in range(3):
        ann.type_code(code)
        assert "isn't right" in ann.said("[role=alert]")
    ann.type_code(code)
    assert ann.sees(f"{USER}/div[1]//input")


def test_the_older_form_for_codes(ann):
    user = "layout-b+older"
    ann.submit(user)
    assert ann.said("//fieldset/div[1]/fieldset/div[1]/label").startswith("Text")
    ann.tick(EMAIL_LABEL).click("//fieldset/div[4]/input[3]")
    ann.type("//fieldset/div[1]/input[1]", ann.mailed(user)).click("//fieldset/div[4]/input[3]")
    assert ann.sees("a", "My Profile")


EMAIL_LABEL = "//fieldset/div[1]/fieldset/div[2]/label"


def test_a_user_name_is_refused_before_a_password_is_asked_for(ann, admin):
    user = f"{USER}/div[1]//input"
    ann.type(user, "user-refused").click(f"{USER}/div[3]//button")
    assert "isn't right" in ann.said("app-login-general [role=alert]")
    assert not ann.sees(f"{SECRET}/div[2]//input")
    assert "user-refused" not in admin.counters()["submissions"]
    ann.type(user, "no-code+after-user-refused").click(f"{USER}/div[3]//button")
    assert ann.sees(f"{SECRET}/div[2]//input")


def test_a_wrong_password_is_refused_and_the_fifth_locks(ann):
    ann.submit("wrong-password+no-code")
    assert "isn't right" in ann.said("[role=alert]")
    ann.type(f"{SECRET}/div[2]//input", NEW_PASSWORD).click(f"{SECRET}/div[3]//button")
    assert ann.sees(PROFILE)
    ann.sign_out().submit("ok+lock", "not-it")
    for _ in range(4):
        ann.type(f"{SECRET}/div[2]//input", "not-it").click(f"{SECRET}/div[3]//button")
    ann.type(f"{SECRET}/div[2]//input", PASSWORD).click(f"{SECRET}/div[3]//button")
    assert "locked" in ann.said("[role=alert]")


@pytest.mark.parametrize(
    ("user", "seen", "said"),
    [
        ("locked", "[role=alert]", "locked"),
        ("nobody", "[role=alert]", "isn't right"),
        ("captcha", "iframe[src*=recaptcha]", ""),
        ("submit-503", "h1", "down for maintenance"),
        ("maintenance+no-code", "h1", "down for maintenance"),
        ("policy-page+no-code", "h1", "terms of service"),
        ("unknown-page+no-code", "h1", "umbrellas"),
        ("promo-overlay+no-code", "h2", "A new offer"),
        ("other-customer+no-code", "body", "somebody.else@example.com"),
    ],
)
def test_what_is_seen_after_the_password(ann, user, seen, said):
    ann.submit(user)
    assert ann.sees(seen, said)


def test_the_first_two_documents_may_be_too_many(ann):
    ann.submit("rate-limited+no-code")
    assert ann.status == 429
    ann.open(ann.home).open(ann.home)
    assert ann.sees(PROFILE)


def test_the_invitation_to_a_survey_covers_the_page(ann):
    ann.submit("feedback-overlay+no-code")
    ann.click("//div[contains(@class,'uws-invite__button-decline')]").click(LOG_OUT)
    assert ann.sees(f"{USER}/div[1]//input")


def test_the_first_session_dies_midway(ann, admin):
    ann.sign_in("signed-out-midway")
    for _ in range(4):
        ann.open(ann.home)
    assert ann.sees(f"{USER}/div[1]//input")
    before = admin.counters()["code_requests"]
    ann.submit("signed-out-midway")
    for _ in range(6):
        ann.open(ann.home)
    assert ann.sees(PROFILE)
    assert admin.counters()["code_requests"] == before


def test_a_session_is_another_user_s_midway(ann):
    ann.sign_in("session-replaced+replaced-2+no-code")
    own = ann.said()
    ann.open(ann.home).open(ann.home)
    assert ann.sees("body", "somebody.else@example.com")
    assert "session-replaced" in own
    assert "session-replaced" not in ann.said()


# Reports


@pytest.mark.parametrize("slug", REPORTS)
def test_each_report_of_a_set_account_and_month(ann, newest, slug):
    user = f"multi+no-code+{slug.replace('_', '-')}"
    account = accounts(user)[0]
    ann.sign_in(user).open_detail().scope(account)
    assert account in ann.said(SCOPE)
    ann.month(value(newest))
    assert f"{newest.name} bills" in ann.said("//*[@id='thisForm']/div/div[2]/div[1]/div[2]")
    rows = table(ann.export(*REPORTS[slug]))
    assert ({row["Account number"] for row in rows}, len(rows)) == ({account}, 30)
    assert {row["Billing period"] for row in rows} == {newest.name}
    ann.back()
    assert ann.shown_scope() == account


def test_older_names_of_reports(ann):
    ann.sign_in("older-labels+no-code").open_detail()
    assert ann.export(CHARGES, "Billed usage", "All data export - usage details")
    assert "(GB usage)" not in ann.back().said()


def test_the_inventory_has_no_filter_of_months(ann):
    ann.sign_in("ok+no-code+inventory").open_detail().click("//*[@id='thisForm']/div/div[1]/ul//a", "Inventory")
    assert not ann.sees("select#bmtype_data")
    assert not ann.sees("//*[@id='thisForm']/div/div[2]/div[1]/div[2]")


@pytest.mark.parametrize(
    ("user", "shown"),
    [
        ("filter-fails", lambda own: own[-1]),
        ("wrong-account", lambda own: own[1]),
        ("namesake-first", lambda own: f"{own[0]}0"),
        ("ok", lambda own: own[0]),
    ],
)
def test_what_the_filter_of_accounts_shows(ann, user, shown):
    user = f"{user}+multi+no-code"
    ann.sign_in(user).open_detail().scope(accounts(user)[0])
    assert ann.shown_scope() == shown(accounts(user))


def test_a_filter_that_an_export_resets(ann):
    user = "filter-resets+multi+no-code"
    ann.sign_in(user).open_detail().scope(accounts(user)[0])
    ann.export(*REPORTS["device_installment"])
    assert ann.back().shown_scope() == accounts(user)[-1]


@pytest.mark.parametrize(
    ("user", "named"),
    [
        ("export-resets", lambda own, mixed: {own[-1]}),
        ("account-switched", lambda own, mixed: {own[-1]}),
        ("mixed-file", lambda own, mixed: {own[0], mixed}),
    ],
)
def test_an_export_that_is_not_what_the_filter_shows(ann, user, named):
    user = f"{user}+multi+no-code"
    own, (mixed,) = accounts(user), AttState.people.numbered(f"mixed file {user}", 1)
    ann.sign_in(user).open_detail().scope(own[0])
    rows = table(ann.export(*REPORTS["device_installment"]))
    assert {row["Account number"] for row in rows} == named(own, mixed)


def test_an_export_without_accounts(ann):
    ann.sign_in("unnamed-file+no-code").open_detail()
    assert "Account number" not in table(ann.export(*REPORTS["device_installment"]))[0]


def test_an_export_that_is_the_one_before(ann):
    user = "cached-file+multi+no-code"
    ann.sign_in(user).open_detail()
    files = []
    for account in accounts(user)[:2]:
        files.append(ann.pick(account).export(*REPORTS["device_installment"]))
        ann.back()
    assert files[0] == files[1]
    assert {row["Account number"] for row in table(files[1])} == {accounts(user)[0]}


def test_an_account_that_is_not_listed_is_not_found(ann):
    user = "account-missing+multi+no-code"
    ann.sign_in(user).open_detail()
    ann.click("#LevelDataDropdownButton").click("#LevelDataDropdownList_multipleaccounts").type(
        SEARCH, accounts(user)[0]
    )
    assert ann.said("#scopeExpandedAccountMenu li") == "No accounts found"


@pytest.mark.parametrize(("user", "missing"), [("not-published", 0), ("month-missing", 1), ("purged", 3)])
def test_months_that_are_not_there(ann, user, missing):
    ann.sign_in(f"{user}+no-code").open_detail()
    month = published_months(datetime.now(AttState.zone).date())[missing]
    values = [each.get("value") for each in ann.all("select#bmtype_data option")]
    assert values
    assert not [each for each in values if each.startswith(value(month))]


def test_unbilled_usage(ann):
    user = "multi+no-code+daily"
    account = accounts(user)[0]
    ann.sign_in(user).open_summary().scope(account)
    ann.click("#accordion .panel-title span", "Unbilled details")
    ann.click("//button[@name='ViewReport' and normalize-space()='Unbilled usage details totals (GB usage)']")
    rows = table(ann.click("#export").tick("#radCsvLabel").click("#hrefOK").files[-1][1])
    assert {row["Account number"] for row in rows} == {account}


def test_without_a_choice_an_export_is_a_workbook(ann):
    ann.sign_in("ok+no-code+xlsx").open_detail()
    ann.click("#accordion .panel-title span", "Bill summary").click("button[data-value='All charges']")
    name, body = ann.click("#export").click("#hrefOK").files[-1]
    assert name.endswith(".xlsx")
    assert body.startswith(b"PK")


# Bills


def test_a_bill(ann, newest):
    user = "multi+no-code+bill"
    account = accounts(user)[0]
    ann.sign_in(user).open_bills().scope(account)
    assert ann.shown_scope() == account
    text = pypdfium2.PdfDocument(ann.bill(newest.name))[0].get_textpage().get_text_range()
    invoice = Invoice(account, newest, "USD")
    for said in (account, invoice.number, f"${invoice.total:,.2f}", "USD", f"{invoice.due:%B} {invoice.due.day}"):
        assert said in text
    assert not ann.sees("#bdfModal")


@pytest.mark.parametrize(
    "user",
    [
        *("filter-fails+multi", "row-other-first", "rows-move", "dialog-stays+multi"),
        *("wrong-account-file", "wrong-month"),
    ],
)
def test_bills_that_are_not_what_was_asked_for(ann, newest, user):
    user = f"{user}+no-code"
    ann.sign_in(user).open_bills().scope(accounts(user)[0])
    text = pypdfium2.PdfDocument(ann.bill(newest.name))[0].get_textpage().get_text_range()
    assert not (accounts(user)[0] in text and f"to {newest.last_day:%B %d, %Y}" in text)


def test_an_invoice_that_differs_from_its_list(ann, newest):
    user = "total-differs+no-code"
    invoice = Invoice(accounts(user)[0], newest, "USD")
    ann.sign_in(user).open_bills()
    text = pypdfium2.PdfDocument(ann.bill(newest.name))[0].get_textpage().get_text_range()
    assert f"${invoice.total:,.2f}" in ann.said("#DataTable")
    assert f"${invoice.total + 10:,.2f}" in text


def test_every_scenario_lets_its_user_submit_a_password(att, mails, admin):
    without = {"submit-hang", "submit-drop", "user-refused", "user-locked"}  # no answer, or no page for a password
    for scenario in set(SCENARIOS) - without:
        reader = Att.at(att, mails).submit(f"{scenario}+each")
        assert reader.status in (200, 429, 503), scenario
    submitted = set(admin.counters()["submissions"])
    assert {scenario for scenario in SCENARIOS if f"{scenario}+each" not in submitted} == without


@pytest.mark.browser
def test_a_walk_in_a_browser(att, mails, newest):
    user = "multi+browser"
    account = accounts(user)[0]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser())
        page = browser.new_page()
        page.set_default_timeout(20_000)
        page.goto(f"{att.urls['att']}/premiercare/", wait_until="domcontentloaded")
        page.locator(f"xpath={USER}/div[1]//input").fill(user)
        page.locator(f"xpath={USER}/div[3]//button").click()
        page.locator(f"xpath={SECRET}/div[2]//input").fill(PASSWORD)
        page.locator(f"xpath={SECRET}/div[3]//button").click()
        page.locator("[name=selectCTN][label^=Email]").check()
        page.locator("#continueButton").click()
        page.locator("#enterOtp").press_sequentially(wait_for(lambda: mails.codes(mailbox(user), "att-mail.com"))[-1])
        page.locator("#trustedDevice").check()
        page.locator("#continue").click()
        expect(page.locator(f"xpath={PROFILE}")).to_contain_text("My Profile")
        page.locator("xpath=//*[@id='primaryNav']/li[3]/a").click()
        page.locator("#navMenuItem14").click()
        page.locator("#LevelDataDropdownButton").click()
        page.locator("#LevelDataDropdownList_multipleaccounts").click()
        page.locator(f"xpath={SEARCH}").press_sequentially(account)
        items = page.locator("#scopeExpandedAccountMenu li")
        expect(items).to_have_count(1)
        items.click()
        page.locator("xpath=//*[@id='scopeExpandedAccountMenu']/div[4]/button").click()
        expect(page.locator("#LevelDataDropdownButton")).to_have_text(account)
        page.locator("#BilledMonthYearPendingDataDropdownButton").click()
        page.locator("#BilledMonthYearPendingDataDropdownList").get_by_text(newest.name, exact=True).click()
        page.locator("#btnViewList").click()
        page.locator("button.stmtListTableLinkDocument").click()
        with page.expect_download() as started:
            page.locator("#billDocType_1").click()
        text = pypdfium2.PdfDocument(started.value.path())[0].get_textpage().get_text_range()
        assert account in text
        page.locator("#bdfModal footer button").click()
        expect(page.locator("#bdfModal")).to_have_count(0)
        browser.close()
