"""The imitation of the Enterprise Centre and of the business portal that signs in for it, seen by a real browser."""

from __future__ import annotations

import io
import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Error, expect
from python_calamine import CalamineWorkbook

from sandbox import AdminError, mailbox, running
from sandbox.bell import accounts
from sandbox.bell.data import numbered_accounts
from sandbox.invented import Month, published_months
from tests.project import wait_for
from tests.sandbox.bell_customer import content
from tests.sandbox.centre_customer import (
    LOG_OUT,
    REPORTS_LINK,
    ask_for_export,
    card,
    choose_account,
    choose_month,
    fetch,
    months,
    notifications,
    open_workbook,
    shown,
    subscriber,
)
from tests.sandbox.person import Mails, Person

pytestmark = pytest.mark.browser

SENDER = "businessportal_portailaffaires@bell.ca"


@pytest.fixture(scope="module")
def mails():
    with Mails(token="gateway-secret") as mails:
        yield mails


@pytest.fixture(scope="module")
def bell(tmp_path_factory, mails):
    quick = {"load_ms": 50, "render_ms": [1, 10], "report_seconds": 0.2, "workbook_ms": 50, "filter_ms": 30}
    with running(
        tmp_path_factory.mktemp("centre"), ("bell",), mail_url=mails.url, sms_token=mails.token, status_ms=100, **quick
    ) as sandbox:
        yield sandbox


@pytest.fixture
def sue(bell, browser, mails):
    expect.set_options(timeout=20_000)  # a machine that is busy with other tests is slow
    with subscriber(bell, browser, mails) as sue:
        yield sue


@pytest.fixture
def admin(bell):
    return bell.admin["bell"]


@pytest.fixture
def newest() -> Month:
    return published_months(datetime.now(ZoneInfo("America/Toronto")).date())[0]


def sheet(download) -> list[list]:
    return CalamineWorkbook.from_filelike(io.BytesIO(content(download))).get_sheet_by_index(0).to_python()


# Signing in


def test_signs_in_with_a_mailed_code(sue, admin):
    before = admin.counters()
    sue.submit("ok+in")
    code = sue.mailed("ok+in")
    sue.code_field.wait_for()
    assert "IG.OTP" in sue.page.url
    assert (len(code), code.isalnum()) == (8, True)
    fields = sue.page.locator("input[ng-model='password']")
    expect(fields).to_have_count(2)
    assert sue.code_field.get_attribute("name") in {f"message{number}" for number in range(4)}
    sue.type_code(code)
    expect(sue.page.get_by_test_id("signed-in-user")).to_have_text("ok+in")
    assert sue.page.url.startswith(sue.address)
    after = admin.counters()
    counted = {name: after[name] - before[name] for name in ("sign_ins", "code_requests", "codes_sent", "codes_used")}
    assert counted == dict.fromkeys(counted, 1)
    assert after["sign_ins_of"]["enterprise_centre"] == before["sign_ins_of"].get("enterprise_centre", 0) + 1
    mail = sue.mails.payloads[-1]
    assert (mail["from"], mail["to"]) == (SENDER, mailbox("ok+in"))
    assert set(mail) == {"id", "from", "to", "subject", "text", "received_at"}

    sue.page.goto(sue.address, wait_until="domcontentloaded")
    sue.page.locator(LOG_OUT).click()
    sue.page.locator("#loginBtn").wait_for()
    sue.page.goto(sue.address, wait_until="domcontentloaded")
    sue.page.locator("#loginBtn").wait_for()


def test_requests_and_responses_of_the_sign_in_are_good_once(sue, bell):
    posted = []
    sue.context.on("request", lambda request: posted.append(request) if request.method == "POST" else None)
    sue.sign_in("ok+no-code+once")
    forms = {
        name: each for each in posted for name in ("SAMLRequest", "SAMLResponse") if name in (each.post_data or "")
    }
    stranger = Person("")
    for name, request in forms.items():
        again = stranger.ask(request.url, {**request.post_data_json})
        assert (again.status, "has expired" in again.text) == (403, True), name
    assert len(forms) == 2
    made_up = stranger.ask(bell.environment["BELL_BUSINESS_PORTAL_URL"] + "/idp/SSO", {"SAMLRequest": "made-up"})
    assert made_up.status == 403


def test_a_code_that_no_key_event_typed_leads_back(sue, admin):
    sue.submit("ok+filled")
    sue.code_field.fill(sue.mailed("ok+filled"))
    sue.page.locator("#continueButton").click()
    sue.page.locator("#loginBtn").wait_for()
    assert admin.counters()["codes_not_typed"] >= 1


def test_a_wrong_code_is_refused_and_one_too_many_leads_back(sue, admin):
    admin.configure(code_tries=1)
    try:
        sue.submit("code-refused")
        sue.type_code(sue.mailed("code-refused"))
        expect(sue.page.get_by_text("incorrect or has expired")).to_be_visible()
        expect(sue.code_field).to_be_visible()
        sue.code_field.fill("")
        sue.type_code(sue.mailed("code-refused"))
        sue.page.locator("#loginBtn").wait_for()
    finally:
        admin.configure(code_tries=3)


@pytest.mark.parametrize(
    ("username", "seen"),
    [
        ("nobody", "text=username or password you entered is incorrect"),
        ("wrong-password", "text=username or password you entered is incorrect"),
        ("locked", "text=account is locked"),
        ("captcha", "iframe[src*=recaptcha]"),
        ("submit-503", "text=temporarily unavailable"),
        pytest.param("submit-drop", "#systemError", marks=pytest.mark.matrix),
        pytest.param("maintenance+no-code", "text=temporarily unavailable", marks=pytest.mark.matrix),
        pytest.param("unknown-page+no-code", "text=umbrellas", marks=pytest.mark.matrix),
        pytest.param("policy-page+no-code", "text=terms of service have changed", marks=pytest.mark.matrix),
        pytest.param("cookie-banner+no-code", "text=Accept all cookies", marks=pytest.mark.matrix),
        pytest.param("rate-limited+no-code", "text=Too many requests", marks=pytest.mark.matrix),
        ("other-customer+no-code", "text=somebody.else@example.com"),
    ],
)
def test_what_is_seen_after_the_password(sue, username, seen):
    sue.submit(username)
    expect(sue.page.locator(seen).first).to_be_visible()


def test_a_hanging_submission_is_counted(sue, admin):
    sue.submit("submit-hang+centre")
    wait_for(lambda: admin.counters()["submissions"].get("submit-hang+centre") == 1)
    expect(sue.page.locator("#loginBtn")).to_be_visible()


def test_the_focus_is_stolen_once(sue, admin):
    page = sue.page
    page.goto(sue.address, wait_until="domcontentloaded")
    page.locator("#Username").press_sequentially("focus-stolen+no-code")
    page.locator("#Password").press_sequentially("open-sesame")
    assert page.locator("#Password").input_value() == "open"
    page.locator("#Password").fill("")
    page.locator("#Password").press_sequentially("open-sesame")
    page.locator("#loginBtn").click()
    page.locator(LOG_OUT).wait_for()
    assert admin.counters()["submissions"]["focus-stolen+no-code"] == 1


@pytest.mark.parametrize(
    ("username", "key", "said"),
    [
        ("mail-html", "html", "please use this code <strong>"),
        ("mail-french", "text", "veuillez utiliser le code"),
        ("wrong-sender", "text", "please use this code"),
    ],
)
def test_mails_as_they_come(sue, username, key, said):
    sue.submit(username)
    code = sue.mailed(username, 2 if username == "wrong-sender" else 1)
    mails = [mail for mail in sue.mails.payloads if mail["to"] == mailbox(username)]
    assert said in mails[-1][key]
    assert bool(mails[-1]["text"]) is (key == "text")
    assert [mail["from"] for mail in mails[:-1]] == (["codes@stranger.example"] if username == "wrong-sender" else [])
    sue.type_code(code)
    sue.page.locator(LOG_OUT).wait_for()


# Workbooks


def test_a_workbook_is_exported_and_collected(sue, admin, newest):
    user = "ok+multi+export+no-code"
    account = accounts(user)[1]
    sue.sign_in(user)
    tab = sue.open_folder()
    expect(tab.get_by_test_id("signed-in-user")).to_have_text(user)
    card(tab, "usage overview report").click()
    card(tab, "usage overview report").wait_for()
    open_workbook(tab, "usage overview report")
    expect(shown(tab, "Account number")).to_have_text("All")
    choose_month(tab, newest.short)
    expect(tab.locator(".wb-applied")).to_contain_text(newest.before.short)
    tab.locator("#filter_apply_btn").click()
    expect(tab.locator(".wb-applied")).to_contain_text(newest.short)
    choose_account(tab, account)
    expect(shown(tab, "Account number")).to_have_text(account)
    expect(tab.locator("td.Accountnumber").first).to_have_text(account)
    ask_for_export(tab)
    entry = notifications(tab)
    expect(entry.locator("span.ng-star-inserted b").nth(1)).to_have_text("Usage Overview Report")
    expect(entry.locator(".kt-notifi-time")).to_have_text("a few seconds ago")
    expect(entry).to_contain_text(f"Account number: {account}; Invoice month: {newest.short}")
    download = fetch(entry)
    assert download.suggested_filename == "Usage Overview Report.xlsx"
    rows = sheet(download)
    assert rows[0][0] == "Usage Overview Report"
    header = next(number for number, row in enumerate(rows) if row[0] == "Account number")
    assert header == 4
    assert len(rows) == header + 1 + 40
    assert {row[0] for row in rows[header + 1 :]} == {float(account)}
    assert {row[1] for row in rows[header + 1 :]} == {newest.short}
    assert all(isinstance(row[7], date) for row in rows[header + 1 :])
    entry.locator("em.line-close").click()
    expect(entry).to_have_count(0)
    counters = admin.counters()
    assert counters["exports_of"]["usage_overview"] >= 1
    assert counters["files"]["usage_overview"] >= 1
    assert counters["dismissals"] >= 1
    assert counters["enterprise_centre_pages_open_max"] == 2

    # The filters stay with the workbook for as long as the session lasts.
    tab.locator("#breadcrumb_item_1").click()
    open_workbook(tab, "usage overview report")
    expect(shown(tab, "Invoice month")).to_have_text(newest.short)
    expect(shown(tab, "Account number")).to_have_text(account)
    tab.locator("#breadcrumb_item_1").click()
    open_workbook(tab, "cost overview report")
    expect(shown(tab, "Account number")).to_have_text("All")


@pytest.mark.parametrize("place", [2, 3, pytest.param(4, marks=pytest.mark.matrix)])
def test_my_reports_stands_in_one_of_three_places(sue, place):
    sue.sign_in(f"ok+no-code+place-{place}")
    entry = f"#ec-sidebar > div > div > div.ec-sidebar__container > ul:nth-child(1) > li:nth-child({place}) > button"
    expect(sue.page.locator(entry)).to_have_text("My Reports")


@pytest.mark.parametrize("user", ["not-published", "purged", pytest.param("ok", marks=pytest.mark.matrix)])
def test_months_that_can_be_had(sue, newest, user):
    sue.sign_in(f"{user}+no-code+months")
    tab = sue.open_folder()
    open_workbook(tab, "cost overview report")
    every = [month.short for month in published_months(newest.last_day + timedelta(days=1))]
    expected = {"ok": every, "not-published": every[1:], "purged": every[:3]}
    assert months(tab) == expected[user]


@pytest.mark.matrix
@pytest.mark.parametrize(
    "user",
    [
        "wrong-account+multi",
        "wrong-month",
        pytest.param("wrong-account", marks=pytest.mark.matrix),
        pytest.param("wrong-account-file", marks=pytest.mark.matrix),
    ],
)
def test_something_else_than_the_chosen_counts(sue, newest, user):
    user = f"{user}+no-code+auto-apply"
    account = accounts(user)[0]
    sue.sign_in(user)
    tab = sue.open_folder()
    open_workbook(tab, "invoice charge report")
    expect(tab.locator("#filter_apply_btn")).to_be_disabled()
    choose_month(tab, newest.short)
    month = newest.before if user.startswith("wrong-month") else newest
    expect(tab.locator(".wb-applied")).to_contain_text(month.short)
    if user.startswith("wrong-account"):
        choose_account(tab, account)
        is_it = expect(shown(tab, "Account number"))
        is_it.to_have_text(account) if "file" in user else is_it.not_to_have_text(re.compile(f"{account}|All"))
    ask_for_export(tab)
    rows = sheet(fetch(notifications(tab)))
    assert rows[1][1] == month.short
    assert (str(int(rows[1][0])) == account) is user.startswith("wrong-month")


def test_an_account_that_is_missing_is_not_found(sue):
    user = "account-missing+no-code"
    sue.sign_in(user)
    tab = sue.open_folder()
    open_workbook(tab, "cost overview report")
    tab.locator("th.Accountnumber span.menu-toggle-btn").click()
    tab.get_by_placeholder("Search...").fill(accounts(user)[0])
    expect(tab.locator("#columnMenu li").filter(visible=True)).to_have_count(0)


@pytest.mark.matrix
def test_workbooks_fail_one_by_one(sue, admin, newest):
    user = "ok+no-code+card-missing-cost-overview+fails-usage-overview"
    sue.sign_in(f"{user}+export-fails-enhanced-user-profile+report-fails-invoice-charge-report")
    tab = sue.open_folder()
    expect(card(tab, "report")).to_have_count(4)
    expect(card(tab, "cost overview")).to_have_count(0)
    card(tab, "usage overview").dblclick()
    expect(tab.get_by_role("alert")).to_contain_text("could not be opened")
    tab.locator("li[aria-label=Workspace]").click()
    tab.get_by_text("Shared with me").click()
    tab.locator("#ws-grid__appfolder_0").dblclick()
    open_workbook(tab, "enhanced user profile")
    ask_for_export(tab)
    expect(tab.get_by_role("status")).to_contain_text("export failed")
    tab.locator("#breadcrumb_item_1").click()
    open_workbook(tab, "invoice charge")
    ask_for_export(tab)
    entry = notifications(tab)
    expect(entry).to_contain_text("Invoice Charge Report failed")
    expect(entry.locator("em.line-download")).to_have_count(0)


# Notifications


def test_notifications_of_other_runs(sue, admin, newest):
    user = "stale-notifications+no-code"
    account = accounts(user)[0]
    sue.sign_in(user)
    entries = notifications(sue.open_reports())
    expect(entries).to_have_count(16)
    mine = entries.filter(has_text=f"Account number: {account}; Invoice month: {newest.short}")
    assert set(mine.locator(".kt-notifi-time").all_inner_texts()) == {"3 hours ago", "9 days ago"}


def test_any_list_can_be_planted(sue, admin, newest):
    user, mine = "ok+no-code+planted", {"report": "cost_overview", "account": "500000001", "month": newest.short}
    with pytest.raises(AdminError, match="needs a report"):
        admin.configure(notifications=[{"report": "cost"}])
    ages = {
        0: "a few seconds ago",
        60: "a minute ago",
        1200: "20 minutes ago",
        3000: "an hour ago",
        30 * 3600: "a day ago",
        40 * 86_400: "a month ago",
    }
    planted = [{**mine, "age": age, "user": user} for age in ages] + [{**mine, "age": 5, "user": "somebody"}]
    admin.configure(notifications=planted)
    try:
        sue.sign_in(user)
        entries = notifications(sue.open_reports())
        expect(entries).to_have_count(len(ages))
        assert entries.locator(".kt-notifi-time").all_inner_texts() == list(ages.values())
        rows = sheet(fetch(entries.nth(2)))
        assert (rows[1][0], rows[1][1]) == (500000001.0, newest.short)
        entries.nth(2).locator("em.line-close").click()
        expect(entries).to_have_count(len(ages) - 1)
        told = admin.ask("exports")[user]
        assert (told["asked"], [each[:10] for each in told["dismissed"]]) == ([], ["planted-2-"])
        admin.clock(45 * 60)
        expect(entries.first.locator(".kt-notifi-time")).to_have_text("an hour ago")
    finally:
        admin.clock(0)
        admin.configure(notifications=[])


@pytest.mark.matrix
def test_exports_and_sessions_outlive_the_portal(browser, mails, tmp_path):
    quick = {"load_ms": 50, "render_ms": [1, 10]}
    with running(tmp_path, ("bell",), **quick) as alone, subscriber(alone, browser, mails) as sue:
        alone.admin["bell"].configure(centre_codes=False)
        sue.submit("slow-report")
        sue.page.locator(LOG_OUT).wait_for()
        tab = sue.open_folder()
        open_workbook(tab, "cost overview")
        ask_for_export(tab)
        expect(tab.get_by_role("status")).to_contain_text("being prepared")
        alone.kill()
        alone.start()
        tab.goto(tab.url, wait_until="domcontentloaded")
        entries = notifications(tab)
        expect(tab.get_by_text("No notifications")).to_be_visible()
        alone.admin["bell"].clock(150)
        assert len(sheet(fetch(entries))) == 41
        counters = alone.admin["bell"].counters()
        assert (counters["exports_asked"], counters["sign_ins"], counters["code_requests"]) == (1, 1, 0)


# Trouble


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("scenario", "begins"),
    [
        ("empty-file", b""),
        ("html-instead-of-xlsx", b"<!doctype html"),
        ("truncated-file", None),
        pytest.param("wrong-type", b"%PDF-", marks=pytest.mark.matrix),
        pytest.param("slow-download", b"PK", marks=pytest.mark.matrix),
    ],
)
def test_files_that_are_not_as_they_should_be(sue, admin, newest, scenario, begins):
    user = f"{scenario}+no-code"
    entry = {"report": "cost_overview", "account": accounts(user)[0], "month": newest.short, "age": 0, "user": user}
    admin.configure(notifications=[entry])
    sue.sign_in(user)
    download = fetch(notifications(sue.open_reports()))
    if begins is None:
        assert download.failure()
    else:
        assert content(download).startswith(begins)
        assert (content(download) == b"") is (scenario == "empty-file")


@pytest.mark.matrix
def test_the_first_session_dies_midway(sue):
    user = "signed-out-midway+no-code"
    sue.sign_in(user)
    tab = sue.open_reports()
    tab.locator("li[aria-label=Workspace]").click()
    tab.locator("#loginBtn").wait_for()
    sue.sign_in(user)
    open_workbook(sue.open_folder(), "cost overview")


@pytest.mark.matrix
def test_the_tab_asks_for_a_sign_in_once(sue):
    user = "session-lost-tab+no-code"
    sue.sign_in(user)
    tab = sue.open_reports()
    tab.locator("#Username").fill(user)
    tab.locator("#Password").fill("open-sesame")
    tab.locator("#loginBtn").click()
    tab.locator("li[aria-label=Workspace]").wait_for()
    tab.close()
    open_workbook(sue.open_folder(), "cost overview")


@pytest.mark.matrix
def test_an_advertisement_swallows_clicks(sue):
    sue.sign_in("promo-overlay+no-code")
    dialog = sue.page.get_by_role("dialog")
    dialog.wait_for()
    with pytest.raises(Error, match="intercepts pointer events"):
        sue.page.get_by_role("button", name="My Reports").click(timeout=5000)
    with sue.page.expect_response("**/api/act/close-promo"):
        dialog.get_by_role("button", name="No thanks").click()
    sue.open_reports().locator("li[aria-label=Workspace]").wait_for()


@pytest.mark.matrix
def test_a_dialog_comes_late_in_the_tab(sue):
    sue.sign_in("overlay-late+no-code")
    tab = sue.open_reports()
    tab.get_by_role("dialog", name="Tell us what you think").get_by_role("button", name="No thanks").click()
    tab.locator("li[aria-label=Workspace]").click()
    tab.locator("p-treenode").first.wait_for()


@pytest.mark.matrix
def test_the_first_click_on_a_download_is_swallowed(sue, admin, newest):
    user = "download-swallowed+no-code"
    entry = {"report": "cost_overview", "account": accounts(user)[0], "month": newest.short, "age": 0, "user": user}
    admin.configure(notifications=[entry])
    sue.sign_in(user)
    entries = notifications(sue.open_reports())
    with entries.page.expect_response("**/api/act/download-export") as answered:
        entries.locator("em.line-download").click()
    assert answered.value.json() == {}
    assert len(sheet(fetch(entries))) == 41


@pytest.mark.matrix
def test_the_other_layout_fits_by_label_and_text_only(sue, admin, newest):
    user = "layout-b+b"
    admin.configure(layout="b")
    try:
        sue.page.goto(sue.address, wait_until="domcontentloaded")
        sue.page.get_by_label("Username").fill(user)
        sue.page.get_by_label("Password").fill("open-sesame")
        sue.page.get_by_role("button", name="Log in").click()
        sue.page.get_by_label("Verification code").press_sequentially(sue.mailed(user))
        sue.page.get_by_role("button", name="Continue").click()
    finally:
        sue.page.get_by_role("button", name="My Reports").wait_for()
        admin.configure(layout="a")
    assert sue.page.locator(LOG_OUT).count() == 0
    sue.page.get_by_role("button", name="My Reports").click()
    sue.page.get_by_role("link", name="Service", exact=True).click()
    assert sue.page.locator(REPORTS_LINK).count() == 0
    with sue.context.expect_page() as opened:
        sue.page.get_by_role("link", name="Enhanced Mobility Reports").click()
    tab = opened.value
    tab.get_by_role("button", name="Workspace").click()
    tab.get_by_text("Shared with me").click()
    tab.locator(".ws-grid__item").dblclick()
    card(tab, "cost overview").dblclick()
    tab.get_by_role("button", name="Filters").click()
    choose_month(tab, newest.short)
    tab.get_by_role("button", name="Apply", exact=True).click()
    expect(tab.locator(".wb-applied")).to_contain_text(newest.short)
    tab.get_by_role("button", name="Export", exact=True).click()
    tab.locator("li:has(em.line-XLSX)").click()
    tab.get_by_role("button", name="Export to Excel").click()
    assert len(sheet(fetch(notifications(tab)))) == 41


def test_one_customers_accounts_are_not_anothers(sue):
    user = "other-customer+no-code+accounts"
    sue.sign_in(user)
    open_workbook(tab := sue.open_folder(), "cost overview")
    other = numbered_accounts(f"other {user}", 1)[0]
    expect(shown(tab, "Account number")).to_have_text(other)
    assert other not in accounts(user)


@pytest.mark.matrix
def test_a_workbook_opens_while_the_list_of_notifications_looks_again(sue, admin):
    admin.configure(status_ms=10, latency_ms=50)
    try:
        sue.sign_in("ok+no-code+busy")
        tab = sue.open_folder()
        notifications(tab)
        for _ in range(2):
            open_workbook(tab, "cost overview")
            tab.locator("#breadcrumb_item_1").click()
            card(tab, "cost overview").wait_for()
    finally:
        admin.configure(status_ms=100, latency_ms=0)
