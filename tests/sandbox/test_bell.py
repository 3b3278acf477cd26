"""The Bell imitation, seen by a real browser."""

from __future__ import annotations

import io
import time
import zipfile
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pypdf
import pytest
from playwright.sync_api import Error, expect

from sandbox import NEW_PASSWORD, running, totp_code, totp_secret
from sandbox.bell import accounts
from sandbox.invented import Month, published_months
from tests.project import wait_for
from tests.sandbox.bell_customer import (
    FORM,
    HEAD,
    STANDARD,
    USER_BUTTON,
    ask_report,
    at,
    content,
    customer,
    gigabytes,
    row,
)

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)  # a machine that is busy with other tests is slow

XLSX, PDF = b"PK\x03\x04", b"%PDF-"


@pytest.fixture(scope="session")
def bell(tmp_path_factory, phones):
    folder = tmp_path_factory.mktemp("bell")
    with running(
        folder,
        ("bell",),
        phones.url,
        phones.token,
        load_ms=150,
        render_ms=[5, 40],
        pools_ms=50,
        report_seconds=0.3,
        slow_seconds=0.6,
    ) as sandbox:
        yield sandbox


@pytest.fixture
def bob(bell, browser, phones):
    with customer(bell, browser, phones) as bob:
        yield bob


@pytest.fixture
def admin(bell):
    return bell.admin["bell"]


@pytest.fixture
def newest() -> Month:
    return published_months(datetime.now(ZoneInfo("America/Toronto")).date())[0]


# Signing in


def test_signs_in_with_a_texted_code(bob, admin):
    before = admin.counters()
    bob.submit("sms+in")
    bob.choose_text_message()
    bob.code_field.wait_for()
    expect(bob.proceed).to_be_disabled()
    bob.type_code(bob.texted("sms+in"))
    expect(at(bob.page, USER_BUTTON)).to_have_text("sms+in")
    after = admin.counters()
    counted = {name: after[name] - before[name] for name in ("sign_ins", "code_requests", "codes_sent", "codes_used")}
    assert counted == dict.fromkeys(counted, 1)
    assert bob.phones.payloads[-1]["from"]["phone_number"] == "BELL"
    assert len(bob.texted("sms+in")) == 8


def test_a_code_set_by_script_leads_back_to_the_sign_in_page(bob):
    bob.submit("code-direct+script")
    bob.code_field.wait_for()
    bob.code_field.evaluate(
        "(field, code) => { field.value = code; field.dispatchEvent(new Event('input', {bubbles: true})); }",
        bob.texted("code-direct+script"),
    )
    expect(bob.proceed).to_be_disabled()
    bob.proceed.evaluate("button => { button.disabled = false; button.click(); }")
    at(bob.page, f"{FORM}/button[1]").wait_for()


def test_a_filled_code_is_no_typed_one(bob):
    bob.submit("code-direct+filled")
    bob.code_field.fill(bob.texted("code-direct+filled"))
    expect(bob.proceed).to_be_disabled()


def test_a_button_enabled_by_script_takes_a_typed_code(bob):
    bob.submit("code-direct+typed")
    bob.code_field.press_sequentially(bob.texted("code-direct+typed"))
    bob.proceed.evaluate("button => { button.disabled = false; button.click(); }")
    at(bob.page, USER_BUTTON).wait_for()


def test_a_pending_verification_shows_at_the_sign_in_address(bob):
    bob.submit("mfa-pending")
    bob.page.locator("#smsSelect").wait_for()
    assert bob.page.url == bob.login_url
    bob.page.goto(bob.login_url, wait_until="domcontentloaded")
    bob.choose_text_message()
    bob.type_code(bob.texted("mfa-pending"))
    at(bob.page, USER_BUTTON).wait_for()


def test_an_authenticator_code_is_good_once(bell, browser, phones, bob):
    code = totp_code(totp_secret("totp+once"), int(time.time() // 30))
    bob.submit("totp+once")
    bob.type_code(code)
    at(bob.page, USER_BUTTON).wait_for()
    with customer(bell, browser, phones) as second:
        second.submit("totp+once")
        second.type_code(code)
        second.page.get_by_text("incorrect or has expired").wait_for()
        expect(second.code_field).to_be_visible()


def test_a_wrong_code_is_refused_and_the_fourth_leads_back(bob):
    bob.submit("code-refused")
    bob.choose_text_message()
    code = bob.texted("code-refused")
    for _ in range(3):
        bob.code_field.fill("")
        with bob.page.expect_response("**/api/act/check-code"):
            bob.type_code(code)
        expect(bob.page.get_by_text("incorrect or has expired")).to_be_visible()
    bob.code_field.fill("")
    bob.type_code(code)
    at(bob.page, f"{FORM}/button[1]").wait_for()


def test_a_wrong_password_is_refused_inline(bob):
    bob.submit("wrong-password")
    error = bob.page.locator("#divEmailAddress p.error-desc.invalid")
    expect(error).to_contain_text("incorrect")
    assert bob.page.url == bob.login_url
    bob.page.locator("#passwordField").fill(NEW_PASSWORD)
    bob.page.locator("#submitBtn").click()
    at(bob.page, USER_BUTTON).wait_for()


def test_five_refusals_lock(bob, admin):
    bob.submit("ok+lock", "not-it")
    for _ in range(4):
        bob.page.locator("#divEmailAddress p.error-desc").wait_for()
        with bob.page.expect_response("**/api/act/sign-in"):
            bob.page.locator("#submitBtn").click()
    assert admin.counters()["submissions"]["ok+lock"] == 5
    bob.submit("ok+lock")
    bob.page.get_by_role("alert").filter(has_text="locked").wait_for()


@pytest.mark.parametrize(
    ("username", "seen"),
    [
        ("locked", "[data-place=notice] >> text=locked"),
        ("ok+lang-fr+wrong", "#divEmailAddress p.error-desc >> text=adresse courriel"),
        ("captcha", "iframe[src*=recaptcha]:not(.quiet)"),
        ("unknown-page", "text=umbrellas"),
        ("policy-page", "text=terms of service have changed"),
        ("maintenance", "text=temporarily unavailable"),
        ("rate-limited", "text=Too many requests"),
        ("submit-503", "text=temporarily unavailable"),
        ("submit-drop", "#systemError"),
        ("promo-overlay", "role=dialog[name='A new offer for your business']"),
        ("cookie-banner", "role=button[name='Accept all cookies']"),
        ("other-customer", "logout >> text=somebody.else@example.com"),
    ],
)
def test_what_is_seen_after_the_password(bob, username, seen):
    bob.submit(username, "not-it" if username.endswith("wrong") else "open-sesame")
    expect(bob.page.locator(seen).first).to_be_visible()


def test_an_invisible_captcha_frame_is_always_there(bob):
    bob.page.goto(bob.login_url, wait_until="domcontentloaded")
    frame = bob.page.locator("iframe[src*=recaptcha]")
    frame.wait_for(state="attached")
    expect(frame).to_be_hidden()


def test_a_hanging_submission_is_counted(bob, admin):
    bob.submit("submit-hang")
    wait_for(lambda: admin.counters()["submissions"].get("submit-hang") == 1)
    expect(at(bob.page, f"{FORM}/button[1]")).to_be_visible()
    assert admin.counters()["submissions"]["submit-hang"] == 1


@pytest.mark.matrix
def test_the_page_never_falls_silent(bob):
    bob.sign_in("ok+silent")
    with pytest.raises(Error, match="Timeout"):
        bob.page.wait_for_load_state("networkidle", timeout=1500)


def test_signed_in_users_skip_the_sign_in_page_and_can_log_out(bob):
    bob.sign_in("ok+out")
    bob.page.goto(bob.login_url, wait_until="domcontentloaded")
    at(bob.page, USER_BUTTON).wait_for()
    assert bob.page.url.endswith("/Home")
    at(bob.page, f"{HEAD}/div[1]/div[1]/div[1]/div[1]/a[1]").click()
    at(bob.page, USER_BUTTON).click()
    at(bob.page, f"{HEAD}/div[1]/div[2]/div[1]/logout[1]/div[1]/div[1]/div[2]/div[1]/button[1]").click()
    at(bob.page, f"{FORM}/button[1]").wait_for()
    bob.page.goto(bob.login_url.replace("Login", "Home"), wait_until="domcontentloaded")
    at(bob.page, f"{FORM}/button[1]").wait_for()


def test_a_token_in_session_storage_is_not_there_in_a_new_tab(bob):
    bob.sign_in("session-storage")
    token = bob.page.evaluate("sessionStorage.getItem('portalToken')")
    assert token
    tab = bob.context.new_page()
    tab.goto(bob.login_url.replace("Login", "Home"), wait_until="domcontentloaded")
    at(tab, f"{FORM}/button[1]").wait_for()
    tab.evaluate("token => sessionStorage.setItem('portalToken', token)", token)
    tab.goto(bob.login_url, wait_until="domcontentloaded")
    at(tab, USER_BUTTON).wait_for()
    at(bob.open_reports(), STANDARD).click()


@pytest.mark.parametrize(("username", "kept"), [("session-cookie", False), ("ok+cookie", True)])
def test_the_session_cookie_ends_with_the_browser_or_later(bob, username, kept):
    bob.sign_in(username)
    cookie = next(cookie for cookie in bob.context.cookies() if cookie["name"].endswith("session"))
    assert (cookie["expires"] > 0) is kept


@pytest.mark.matrix
def test_the_first_session_dies_midway(bob, admin):
    bob.sign_in("signed-out-midway")
    bob.open_usage()
    bob.narrow_usage()
    bob.usage_entry.click()
    at(bob.page, f"{FORM}/button[1]").wait_for()
    assert admin.counters()["sessions_died"] >= 1
    bob.sign_in("signed-out-midway")
    bob.open_usage()
    bob.narrow_usage()
    assert content(bob.fetch(bob.usage_entry)).startswith(XLSX)


def test_a_session_ends_by_the_clock(bob, admin):
    bob.sign_in("ok+clock")
    admin.configure(session_seconds=600)
    admin.clock(700)
    try:
        bob.open_usage()
        at(bob.page, f"{FORM}/button[1]").wait_for()
    finally:
        admin.clock(0)
        admin.configure(session_seconds=0)


def test_texts_are_french_for_who_speaks_french(bob):
    bob.submit("code-direct+lang-fr")
    assert f"utiliser le code {bob.texted('code-direct+lang-fr')}" in bob.phones.payloads[-1]["text"]


def test_a_stale_form_token_is_refused(bob):
    bob.sign_in("ok+csrf")
    status = bob.page.evaluate(
        "fetch('/corporateselfserve/api/act/open-ereports', "
        "{method: 'POST', body: '{}', headers: {'X-CSRF-Token': 'stale'}}).then(answer => answer.status)"
    )
    assert status == 403


# Usage


def test_usage_details_and_their_file(bob):
    bob.sign_in("ok+usage")
    bob.open_usage()
    expect(bob.page.locator("main")).to_contain_text(accounts("ok+usage")[0])
    pools = bob.pools()
    assert len(pools) == 2
    assert gigabytes(pools[0][0]) == "1,250.00"
    assert pools[0][1].endswith("GB used")
    bob.narrow_usage()
    first = bob.fetch(bob.usage_entry)
    assert first.suggested_filename.startswith("report")
    sheet = zipfile.ZipFile(io.BytesIO(content(first))).read("xl/worksheets/sheet1.xml").decode()
    assert accounts("ok+usage")[0] in sheet
    bob.open_usage()
    bob.narrow_usage()
    assert content(bob.fetch(bob.usage_entry)) == content(first)


@pytest.mark.parametrize(
    ("tag", "label"),
    [
        ("filter-medium", "Medium Business Data Share"),
        ("filter-corp", "Corp Business Data Share"),
        ("filter-na", "Corporate Share NA Data Group"),
        ("filter-unlimited", "Medium Business Unlimited Data Share"),
    ],
)
def test_some_accounts_have_one_view_only(bob, tag, label):
    bob.sign_in(f"ok+{tag}")
    bob.open_usage()
    options = bob.page.locator("filter-selection option")
    expect(options).to_have_text(["Please select", label])


def test_an_account_without_pools_or_views(bob):
    bob.sign_in("no-pools+no-filter")
    bob.open_usage()
    bob.page.get_by_text("no shared data").wait_for()
    assert bob.page.locator("#sharedAllowanceAdminContainer").count() == 0
    expect(bob.page.locator("filter-selection option")).to_have_count(1)


def test_one_of_several_accounts_is_chosen(bob, admin):
    user = "multi+choose"
    before = admin.counters().get("account_changes", 0)
    bob.sign_in(user)
    for account in accounts(user)[1:]:
        bob.open_usage()
        at(bob.page, f"//tr[.//td[@data-table-col='banId' and normalize-space(text())='{account}']]//button").click()
        expect(bob.page.locator("main")).to_contain_text(f"Billing account number: {account}")
    assert admin.counters()["account_changes"] - before == 2
    assert len(accounts(user)) == 3


def test_an_account_far_down_is_found_by_a_search(bob):
    account = accounts("multi+multi-14")[13]
    bob.sign_in("multi+multi-14")
    bob.open_usage()
    found = at(bob.page, f"//tr[.//td[@data-table-col='banId' and normalize-space(text())='{account}']]")
    bob.page.locator("#dataContainer").wait_for()
    expect(found).to_have_count(0)
    at(bob.page, "//account-search//input[@placeholder='Search by Billing account number']").fill(account)
    bob.page.locator("button[name=btn_search]").click()
    found.locator("button[aria-label*=Select]").click()
    expect(bob.page.locator("main")).to_contain_text(f"Billing account number: {account}")


@pytest.mark.parametrize("user", ["wrong-account", "wrong-account+multi"])
def test_another_account_is_opened(bob, user):
    asked = accounts(user)[0]
    bob.sign_in(user)
    bob.open_usage()
    if "multi" in user:
        bob.page.get_by_role("button", name=f"Select account {asked}").click()
    shown = bob.page.get_by_text("Billing account number:")
    expect(shown).to_be_visible()
    assert asked not in shown.inner_text()


def test_a_listed_account_is_missing(bob):
    bob.sign_in("account-missing")
    bob.open_usage()
    bob.page.locator("#dataContainer tbody tr").first.wait_for()
    assert accounts("account-missing")[0] not in bob.page.locator("#dataContainer").inner_text()


def test_accounts_can_be_set(bob, admin):
    admin.configure(accounts={"ok+set": ["500000001", "500000002"]})
    bob.sign_in("ok+set")
    expect(bob.page.get_by_role("region", name="Billing accounts")).to_contain_text("500000002")


# Invoices


@pytest.mark.matrix
def test_an_invoice_comes_after_a_wait(bob, newest):
    bob.sign_in("ok+invoice")
    bob.open_invoices()
    download = bob.fetch(bob.prepare_invoice(newest.name))
    text = pypdf.PdfReader(io.BytesIO(content(download))).pages[0].extract_text()
    assert accounts("ok+invoice")[0] in text
    assert newest.name in text
    bob.page.get_by_role("button", name="Back to my account").click()
    bob.page.get_by_role("button", name="Leave page").click()
    bob.page.get_by_text("Your billing accounts").wait_for()


def test_invoice_of_a_ticked_account(bob, newest):
    account = accounts("multi+ticked")[2]
    bob.sign_in("multi+ticked")
    bob.open_invoices()
    line = at(bob.page, f"//tr[.//td[@data-table-col='banId' and normalize-space(text())='{account}']]")
    line.locator("td[data-selection] span.input-checkbox-representation").click()
    bob.page.locator("selection-dock button").click()
    button = bob.prepare_invoice(newest.name)
    expect(bob.page.locator("main")).to_contain_text(f"Billing account number: {account}")
    assert account in bob.fetch(button).suggested_filename


@pytest.mark.matrix
def test_invoice_of_a_searched_account(bob, newest):
    account = accounts("global-search+multi")[1]
    bob.sign_in("global-search+multi")
    bob.open_invoices()
    bob.page.locator("account-selection-global-search input[type=text]").fill(account)
    bob.page.get_by_role("button", name="Search", exact=True).click()
    bob.page.locator("account-selection-global-search label").first.click()
    assert account in bob.fetch(bob.prepare_invoice(newest.name)).suggested_filename


@pytest.mark.parametrize("user", ["ok+months", "not-published", "purged", "month-missing"])
def test_months_that_can_be_had(bob, newest, user):
    bob.sign_in(user)
    bob.open_invoices()
    every = [month.name for month in published_months(datetime.now(ZoneInfo("America/Toronto")).date())]
    expected = {
        "ok+months": every,
        "not-published": every[1:],
        "purged": every[:3],
        "month-missing": every[:1] + every[2:],
    }
    assert bob.months() == expected[user]
    assert every[0] == newest.name


@pytest.mark.matrix
def test_leaving_by_the_menu_asks_too(bob, newest):
    bob.sign_in("ok+leave")
    bob.open_invoices()
    bob.prepare_invoice(newest.name).wait_for()
    bob.open_usage()
    bob.page.get_by_role("button", name="Leave page").click()
    assert bob.pools()


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("scenario", "begins", "name"),
    [
        ("zip", XLSX, "zip"),
        ("unsafe-zip", XLSX, "zip"),
        ("html-instead-of-pdf", b"<!doctype html", "pdf"),
        ("wrong-type", XLSX, "pdf"),
        ("empty-file", b"", "pdf"),
        ("slow-download", PDF, "pdf"),
        ("truncated-file", None, "pdf"),
    ],
)
def test_files_that_are_not_as_they_should_be(bob, newest, scenario, begins, name):
    bob.sign_in(f"{scenario}+file")
    bob.open_invoices()
    download = bob.fetch(bob.prepare_invoice(newest.name))
    assert download.suggested_filename.endswith(name)
    if begins is None:
        assert download.failure()
        return
    assert content(download).startswith(begins)
    assert (content(download) == b"") is (scenario == "empty-file")
    if scenario.endswith("zip"):
        members = zipfile.ZipFile(io.BytesIO(content(download))).namelist()
        assert any(".." in member for member in members) is (scenario == "unsafe-zip")


@pytest.mark.matrix
def test_a_trouble_passes_after_so_many_times(bob, newest):
    bob.sign_in("empty-file+times-1")
    bob.open_invoices()
    button = bob.prepare_invoice(newest.name)
    assert content(bob.fetch(button)) == b""
    assert content(bob.fetch(button)).startswith(PDF)


@pytest.mark.matrix
def test_the_first_click_on_a_download_is_swallowed(bob, newest, admin):
    bob.sign_in("download-swallowed")
    bob.open_invoices()
    button = bob.prepare_invoice(newest.name)
    with bob.page.expect_response("**/api/act/download-invoice") as answered:
        button.click()
    assert answered.value.json() == {}
    assert content(bob.fetch(button)).startswith(PDF)


# E-reports


def test_a_report_is_asked_for_and_collected(bob, newest, admin):
    bob.sign_in("ok+report")
    page = bob.open_reports()
    ask_report(page, "Usage Overview", newest.before.short, newest.short)
    download = bob.fetch(row(page, 1).locator("xpath=td[1]/a"))
    assert download.suggested_filename == "Usage_Overview.xlsx"
    sheet = zipfile.ZipFile(io.BytesIO(content(download))).read("xl/worksheets/sheet1.xml").decode()
    assert newest.before.short in sheet
    assert newest.short in sheet
    assert admin.counters()["reports_of"]["ok+report"] == 1


@pytest.mark.matrix
def test_reports_stay_the_newest_first(bob, newest, admin):
    bob.sign_in("slow-report+former-reports")
    page = bob.open_reports()
    ask_report(page, "Cost Overview", newest.short, newest.short)
    expect(row(page, 1)).to_contain_text("In progress")
    expect(page.locator("#reportStatusBarRequests tbody tr")).to_have_count(4)
    assert row(page, 1).locator("xpath=td[1]/a").count() == 0
    page.close()
    page = bob.open_reports()
    at(page, STANDARD).click()
    expect(row(page, 1)).to_contain_text("In progress")
    admin.clock(300)
    try:
        row(page, 1).locator("xpath=td[1]/a").wait_for()
    finally:
        admin.clock(0)
    assert admin.counters()["reports_of"]["slow-report+former-reports"] == 1


@pytest.mark.matrix
def test_reports_and_sessions_outlive_the_portal(browser, phones, tmp_path, newest):
    quick: dict[str, Any] = {"load_ms": 50, "render_ms": [5, 20], "report_seconds": 0}
    with running(tmp_path, ("bell",), **quick) as alone, customer(alone, browser, phones) as bob:
        bob.sign_in("ok")
        page = bob.open_reports()
        ask_report(page, "Cost Overview", newest.short, newest.short)
        row(page, 1).wait_for()
        alone.kill()
        alone.start()
        page.goto(page.url, wait_until="domcontentloaded")
        download = bob.fetch(row(page, 1).locator("xpath=td[1]/a"))
        assert content(download).startswith(XLSX)
        counters = alone.admin["bell"].counters()
        assert (counters["reports_asked"], counters["sign_ins"]) == (1, 1)


def test_a_handover_is_good_once(bob):
    bob.sign_in("ok+handover")
    addresses = []
    bob.context.on("request", lambda request: addresses.append(request.url))
    bob.open_reports()
    used = next(address for address in addresses if "/Enter?" in address)
    bob.context.clear_cookies()
    bob.page.goto(used, wait_until="domcontentloaded")
    bob.page.wait_for_url("**/corporateselfserve/Login")


def missing_menu(page) -> bool:
    page.wait_for_function("document.title === 'e-reports'")
    return at(page, STANDARD).count() == 0


def test_the_cache_error_and_its_cure(bell, browser, phones, bob, admin):
    user = "cache-error"
    bob.sign_in(user)
    bob.page.wait_for_function("localStorage.getItem('portalLayout') === 'stale'")
    page = bob.open_reports()
    assert missing_menu(page)
    page.reload(wait_until="domcontentloaded")
    assert missing_menu(page)

    # Another sign-in alone does not help, nor does clearing the cookies and the HTTP cache alone.
    page.close()
    bob.context.clear_cookies()
    bob.sign_in(user)
    assert missing_menu(bob.open_reports())

    # Both origins without cookies and storage and with an empty HTTP cache, and a new sign-in: the menu is back.
    with customer(bell, browser, phones) as clean:
        clean.sign_in(user)
        page = clean.open_reports()
        at(page, STANDARD).click()
        page.locator("#reportsDropDown").wait_for()
    assert admin.counters()["submissions"][user] == 3


@pytest.mark.matrix
@pytest.mark.parametrize("origin", ["self serve", "e-reports", "http cache"])
def test_each_origin_keeps_the_cache_error_alive(bob, origin):
    """Clearing all but one place does not help: the storage of either origin, or the browser's HTTP cache."""
    user = f"cache-error+{origin.replace(' ', '-')}"
    bob.sign_in(user)
    bob.page.wait_for_function("localStorage.getItem('portalLayout') === 'stale'")
    page = bob.open_reports()
    assert missing_menu(page)
    bob.context.clear_cookies()
    if origin != "self serve":
        bob.page.evaluate("localStorage.clear()")
    if origin != "e-reports":
        page.evaluate("localStorage.clear()")
    page.close()
    if origin != "http cache":
        bob.context.new_cdp_session(bob.page).send("Network.clearBrowserCache")
    bob.sign_in(user)
    assert missing_menu(bob.open_reports())


@pytest.mark.matrix
def test_clearing_everything_in_the_same_browser_cures(bob):
    bob.sign_in("cache-error+cured")
    bob.page.wait_for_function("localStorage.getItem('portalLayout') === 'stale'")
    page = bob.open_reports()
    assert missing_menu(page)
    for each in (bob.page, page):
        each.evaluate("localStorage.clear(); sessionStorage.clear()")
    page.close()
    bob.context.clear_cookies()
    bob.context.new_cdp_session(bob.page).send("Network.clearBrowserCache")
    bob.sign_in("cache-error+cured")
    at(bob.open_reports(), STANDARD).wait_for()


@pytest.mark.matrix
def test_a_cache_error_that_nothing_cures(bell, browser, phones):
    for _ in range(2):
        with customer(bell, browser, phones) as bob:
            bob.sign_in("cache-error-always")
            assert missing_menu(bob.open_reports())


# Overlays and layout


@pytest.mark.matrix
def test_a_click_under_an_overlay_does_nothing(bob):
    bob.sign_in("promo-overlay+click")
    dialog = bob.page.get_by_role("dialog")
    dialog.wait_for()
    address = bob.page.url
    logo = at(bob.page, f"{HEAD}/div[1]/div[1]/div[1]/div[1]/a[1]")
    with pytest.raises(Error, match="intercepts pointer events"):
        logo.click(timeout=5000)
    with bob.page.expect_response("**/api/act/close-promo"):
        logo.evaluate("link => link.click()")
        assert bob.page.url == address
        dialog.get_by_role("button", name="Close").click()
    bob.open_usage()
    assert bob.pools()


@pytest.mark.matrix
def test_a_dialog_comes_late(bob):
    bob.sign_in("overlay-late")
    expect(bob.page.get_by_role("dialog")).to_have_count(0)
    bob.open_usage()
    bob.pools()
    bob.page.get_by_role("dialog", name="Tell us what you think").get_by_role("button", name="No thanks").click()
    bob.narrow_usage()
    assert content(bob.fetch(bob.usage_entry)).startswith(XLSX)


@pytest.mark.matrix
def test_the_other_layout_fits_by_label_and_text_only(bob, newest):
    page = bob.page
    bob.submit("layout-b")
    page.get_by_role("button", name="layout-b").wait_for()
    assert at(page, USER_BUTTON).count() == 0
    page.get_by_role("link", name="Usage", exact=True).hover()
    page.get_by_role("link", name="Usage details").click()
    assert bob.pools()
    page.get_by_role("link", name="Billing").hover()
    page.get_by_role("link", name="Download PDF").click()
    assert content(bob.fetch(bob.prepare_invoice(newest.name))).startswith(PDF)
    page.get_by_role("button", name="Back to my account").click()
    page.get_by_role("button", name="Leave page").click()
    page.get_by_text("Your billing accounts").wait_for()
    page.get_by_role("link", name="Reports").hover()
    with bob.context.expect_page() as opened:
        page.get_by_role("link", name="e-report").click()
    opened.value.get_by_role("link", name="Standard reports").click()
    opened.value.get_by_label("Report").first.wait_for()


def test_the_sign_in_page_can_have_the_other_layout_and_a_cookie_dialog(bob, admin):
    admin.configure(layout="b", cookie_banner=True)
    try:
        bob.page.goto(bob.login_url, wait_until="domcontentloaded")
        bob.page.get_by_role("button", name="Accept all cookies").click()
        bob.page.get_by_label("Email address or username").fill("sms+b+layout-b")
        bob.page.get_by_label("Password").fill("open-sesame")
        bob.page.get_by_role("button", name="Log in").click()
        bob.page.get_by_label("Text message").check()
        bob.page.get_by_role("button", name="Send code").click()
        bob.page.get_by_label("Verification code").press_sequentially(bob.texted("sms+b+layout-b"))
        bob.page.get_by_role("button", name="Continue").click()
        bob.page.get_by_role("button", name="sms+b+layout-b").wait_for()
    finally:
        admin.configure(layout="a", cookie_banner=False)


@pytest.mark.matrix
def test_pages_open_at_once_are_counted(bell, browser, phones, tmp_path):
    with running(tmp_path, ("bell",), load_ms=50, render_ms=[5, 20]) as alone, customer(alone, browser, phones) as bob:
        counters = alone.admin["bell"].counters
        bob.sign_in("ok")
        bob.open_usage()
        bob.pools()
        wait_for(lambda: counters().get("self_serve_pages_open_max") == 1)
        second = bob.context.new_page()
        second.goto(bob.page.url, wait_until="domcontentloaded")
        wait_for(lambda: counters()["self_serve_pages_open_max"] == 2)
