"""The Verizon imitation, walked by a reader without a browser in the steps of the fact sheet; three walks in a browser."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta

import pypdfium2
import pytest
from playwright.sync_api import Page, expect
from python_calamine import CalamineWorkbook

from sandbox import NEW_PASSWORD, PASSWORD, Admin, Running, mailbox, phone, running, totp_code, totp_secret
from sandbox.globys.invoices import Invoice
from sandbox.invented import Month, published_months
from sandbox.verizon import accounts
from sandbox.verizon.state import FOREIGN, SCENARIOS, SENDER, VerizonState
from tests.project import wait_for
from tests.sandbox.reader import NotThere, said_in
from tests.sandbox.verizon_reader import (
    ACCOUNT_MENU,
    ACTIVATION,
    ALLOW,
    ANSWER,
    DENY,
    DEVICE,
    DROPDOWN,
    ENTRIES,
    FULL,
    HUB,
    LOG_OUT,
    MENUS,
    OPTIONS,
    PASSWORD_FIELD,
    PREVIOUS,
    SUBMIT,
    SUSPENDED,
    UNBILLED,
    USER_ID,
    WELCOME,
    Verizon,
    tracked,
)

QUICK = {
    "load_ms": 5,
    "render_ms": [0, 0],
    "form_ms": 0,
    "captcha_ms": 0,
    "check_ms": 0,
    "notice_ms": 0,
    "report_ms": 0,
    "late_ms": 0,
    "overlay_ms": 0,
    "status_ms": 0,
    "slow_seconds": 0.1,
}
TABS = {DEVICE: "Others", ACTIVATION: "Others", SUSPENDED: "Others", UNBILLED: "Usage"}


@pytest.fixture(scope="module")
def verizon(tmp_path_factory, phones, mails) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("verizon")
    with running(folder, ("verizon",), phones.url, phones.token, mail_url=mails.url, **QUICK) as sandbox:
        yield sandbox


@pytest.fixture
def admin(verizon) -> Admin:
    return verizon.admin["verizon"]


@pytest.fixture
def ann(verizon, mails) -> Verizon:
    return Verizon.at(verizon, mails)


@pytest.fixture
def newest() -> Month:
    return published_months(datetime.now(VerizonState.zone).date())[0]


def table(body: bytes) -> list[dict[str, str]]:
    """Return the rows of a workbook, of a CSV file or of text with commas."""
    if not body.startswith(b"PK"):
        return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))
    head, *rows = CalamineWorkbook.from_filelike(io.BytesIO(body)).get_sheet_by_index(0).to_python()
    return [dict(zip(head, row, strict=True)) for row in rows]


def members(body: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(body)) as file:
        return {name: file.read(name) for name in file.namelist()}


def named(body: bytes) -> set[str]:
    return {row["Account number"] for row in table(body)}


def text_of(body: bytes) -> str:
    return str(pypdfium2.PdfDocument(body)[0].get_textpage().get_text_range())


def us_day(month: Month, last: bool) -> str:
    return f"{month.last_day:%m/%d/%Y}" if last else f"{month.number:02}/01/{month.year}"


# Signing in


def test_signs_in_with_a_mailed_link_and_out_again(ann, admin, verizon):
    before = admin.counters()
    ann.sign_in("ok+in")
    assert ann.url.startswith(verizon.origins["verizon"]["home"] + "/mbt/secure")
    assert ann.sees(WELCOME)
    after = admin.counters()
    names = ("sign_ins", "code_requests", "codes_sent", "codes_used", "links_opened")
    counted = {name: after[name] - before[name] for name in names}
    assert counted == dict.fromkeys(counted, 1)
    assert ann.mails.payloads[-1]["from"] == SENDER
    assert ann.mailed("ok+in").startswith(verizon.urls["verizon"] + "/")
    ann.sign_out()
    assert ann.sees(USER_ID)
    ann.open(verizon.origins["verizon"]["home"] + "/mbt/secure/overview")
    assert ann.sees(USER_ID), "the session is over at both hosts"


def test_the_sign_in_of_a_signed_in_browser_leads_to_the_portal(ann):
    ann.sign_in("ok+again").open(ann.home)
    assert ann.sees(WELCOME)


def test_the_first_tab_goes_on_only_after_the_link_was_allowed(ann):
    ann.submit("ok+wait").choose_mail()
    link = ann.mailed("ok+wait")
    ann.look_again()
    assert "Check your email" in ann.said("h1")
    tab = ann.tab(link)
    assert "allow" in tab.said(ALLOW)
    ann.look_again()
    assert "Check your email" in ann.said("h1"), "a link that was only opened is not an answer"
    tab.click(ANSWER)
    assert "Choose one" in tab.said("[role=alert]")
    ann.look_again()
    assert "Check your email" in ann.said("h1")
    tab.tick(ALLOW).click(ANSWER)
    assert ann.go_on().sees(WELCOME)


def test_a_link_may_be_opened_in_another_browser(ann, verizon, mails):
    ann.submit("ok+elsewhere").choose_mail()
    other = Verizon.at(verizon, mails).tab(ann.mailed("ok+elsewhere"))
    other.tick(ALLOW).click(ANSWER)
    assert "You allowed" in other.said()
    assert ann.go_on().sees(WELCOME)
    assert other.open(ann.home).sees(USER_ID), "who allowed it is not signed in"


def test_a_denied_link_ends_the_sign_in(ann, admin):
    before = admin.counters()
    ann.submit("ok+deny").choose_mail()
    tab = ann.tab(ann.mailed("ok+deny")).tick(DENY).click(ANSWER)
    assert "You denied" in tab.said()
    ann.find("[role=alert]", "denied")
    ann.look_again()
    assert not ann.sees("#gNavHeader")
    after = admin.counters()
    assert (after["links_denied"], after["sign_ins"]) == (before["links_denied"] + 1, before["sign_ins"])
    ann.open(ann.home)
    assert ann.sees(USER_ID)


def test_a_link_is_good_once(ann):
    ann.sign_in("ok+once")
    link = ann.mailed("ok+once")
    for tab in (ann.tab(link), ann.sign_out().tab(link)):
        assert "already been used" in tab.said("[role=alert]")
        assert not tab.sees(ANSWER)


def test_a_newer_link_takes_the_place_of_the_former_one(ann):
    ann.submit("ok+newer").choose_mail()
    former = ann.mailed("ok+newer")
    ann.click("a", "another method").choose_mail()
    link = ann.mailed("ok+newer", 2)
    assert "not valid" in ann.tab(former).said("[role=alert]")
    ann.allow(link)
    assert ann.go_on().sees(WELCOME)


def test_a_link_that_was_not_given_out_is_not_valid(ann, verizon):
    tab = ann.tab(verizon.urls["verizon"] + "/account/business/confirm?t=not-one")
    assert "not valid" in tab.said("[role=alert]")


@pytest.mark.parametrize(("user", "said"), [("link-expired", "has expired"), ("code-refused", "not valid")])
def test_links_that_cannot_be_answered(ann, user, said):
    ann.submit(user).choose_mail()
    assert said in ann.tab(ann.mailed(user)).said("[role=alert]")


def test_a_link_expires_with_the_request(ann, admin):
    ann.submit("ok+expires").choose_mail()
    link = ann.mailed("ok+expires")
    admin.clock(301)
    try:
        assert "has expired" in ann.tab(link).said("[role=alert]")
        ann.find("[role=alert]", "has expired")
    finally:
        admin.clock(0)


def test_a_link_of_another_host(ann, verizon):
    ann.submit("link-foreign").choose_mail()
    assert ann.mailed("link-foreign").startswith(FOREIGN)
    assert not ann.mailed("link-foreign").startswith(verizon.urls["verizon"])
    assert ann.mails.payloads[-1]["from"] == SENDER


def test_a_sign_in_that_is_answered_on_another_device(ann):
    ann.submit("link-denied").choose_mail()
    ann.find("[role=alert]", "denied")
    assert "already been used" in ann.tab(ann.mailed("link-denied")).said("[role=alert]")
    ann.open(ann.home).submit("link-answered").choose_mail()
    assert ann.go_on().sees(WELCOME)
    assert "already been used" in ann.tab(ann.mailed("link-answered")).said("[role=alert]")


def test_a_mail_that_never_comes_and_one_that_is_late(ann, admin):
    before = admin.counters()
    ann.submit("code-never").choose_mail()
    ann.look_again()
    assert "Check your email" in ann.said("h1")
    after = admin.counters()
    assert (after["code_requests"], after["codes_sent"]) == (before["code_requests"] + 1, before["codes_sent"])
    ann.open(ann.home).submit("ok+late-0.3").choose_mail()
    assert ann.got("ok+late-0.3") == []
    ann.allow(ann.mailed("ok+late-0.3"))
    assert ann.go_on().sees(WELCOME)


def test_forms_of_mails(ann, verizon):
    for user in ("mail-html+link", "mail-links", "ok+both"):
        ann.open(ann.home).submit(user).choose_mail().mailed(user)
    html, links, both = (
        next(each for each in ann.mails.payloads if each["to"] == mailbox(user))
        for user in ("mail-html+link", "mail-links", "ok+both")
    )
    assert (html["text"], ">Allow or deny</a>" in html["html"]) == ("", True)
    assert len(re.findall(r"https?://", links["text"])) == 3
    assert both["text"]
    assert both["html"]


def test_a_mail_of_somebody_else_comes_first(ann):
    user = "wrong-sender+link"
    ann.submit(user).choose_mail()
    ann.mailed(user, 2)
    first, second = [mail["from"] for mail in ann.mails.payloads if mail["to"] == mailbox(user)]
    assert (first != SENDER, second) == (True, SENDER)
    assert "not valid" in ann.tab(ann.got(user)[0]).said("[role=alert]")


@pytest.mark.parametrize(
    ("user", "methods"),
    [
        ("ok", ["Text message", "Email"]),
        ("mail-first", ["Email", "Text message"]),
        ("no-mail", ["Text message"]),
        ("two-mails", ["Text message", "Email", "Email"]),
        ("other-mail-first", ["Text message", "Email", "Email"]),
        ("layout-b", ["Text message", "Email"]),
    ],
)
def test_the_methods_of_a_user(ann, user, methods):
    user = f"{user}+methods"
    found = ann.submit(user).options()
    assert [method for method, _ in found] == methods
    mails = [contact for method, contact in found if method == "Email"]
    unread = ["z***@example.com"] if len(mails) == 2 else []
    own = ["c***@example.com"] if mails else []
    assert mails == (unread + own if user.startswith("other") else own + unread)


def test_a_mail_address_that_nobody_reads(ann, admin):
    before = admin.counters()
    ann.submit("two-mails").click(ann.all(OPTIONS)[2])
    ann.look_again()
    after = admin.counters()
    assert (after["code_requests"], after["codes_sent"]) == (before["code_requests"] + 1, before["codes_sent"])
    assert ann.got("two-mails") == []


def test_codes_by_text_message_and_by_an_app(ann, phones, admin):
    user = "no-mail+text"
    ann.submit(user).click(OPTIONS)
    code, before = wait_for(lambda: phones.codes(phone(user)))[-1], admin.counters()["codes_not_typed"]
    ann.type("input[name=code]", code, keys=False)
    with pytest.raises(NotThere, match="does nothing"):
        ann.click("button", "Continue")
    ann.find("button", "Continue").attrib.pop("disabled")
    ann.click("button", "Continue")
    assert admin.counters()["codes_not_typed"] == before + 1
    ann.type("input[name=code]", code).click("button", "Continue")
    assert ann.go_on().sees(WELCOME)
    ann.sign_out().submit("totp+app")
    code = totp_code(totp_secret("totp+app"), int(datetime.now(VerizonState.zone).timestamp()) // 30)
    ann.type("input[name=code]", code).click("button", "Continue")
    assert ann.go_on().sees(WELCOME)


def test_the_mail_may_be_sent_unasked(ann):
    ann.submit("code-direct")
    ann.allow(ann.mailed("code-direct"))
    assert ann.go_on().sees(WELCOME)


def test_a_link_survives_a_restart(ann, verizon):
    ann.submit("ok+restart").choose_mail()
    link = ann.mailed("ok+restart")
    verizon.kill()
    verizon.start()
    ann.allow(link)
    assert ann.go_on().sees(WELCOME)


def test_a_wrong_password_is_refused_and_the_fifth_locks(ann):
    ann.submit("wrong-password+no-code")
    assert "incorrect" in ann.said("[role=alert]")
    ann.type(PASSWORD_FIELD, NEW_PASSWORD).click(SUBMIT)
    assert ann.go_on().sees(WELCOME)
    ann.sign_out().submit("ok+lock", "not-it")
    for _ in range(4):
        ann.type(PASSWORD_FIELD, "not-it").click(SUBMIT)
    ann.type(PASSWORD_FIELD, PASSWORD).click(SUBMIT)
    assert "locked" in ann.said("[role=alert]")


def test_a_captcha_wants_the_whole_form_again(ann, admin):
    user, before = "captcha+no-code", admin.counters()
    ann.submit(user)
    assert ann.sees("#captchaImg")
    assert (ann.find(USER_ID).get("value"), ann.find(PASSWORD_FIELD).get("value")) == (None, None)
    first = ann.find("#captchaImg").get("src")
    ann.submit(user)
    assert ann.find("#captchaImg").get("src") != first, "without an answer another picture comes"
    answer = admin.secrets()["codes"][-1]
    ann.type("#captchaInput", f"{answer[:2]} {answer[2:].lower()}").submit(user)
    assert ann.go_on().sees(WELCOME)
    after = admin.counters()
    counted = {name: after[name] - before[name] for name in ("captchas_shown", "captchas_refused", "sign_ins")}
    assert counted == {"captchas_shown": 2, "captchas_refused": 1, "sign_ins": 1}
    assert after["submissions"][user] == 2, "a wrong picture is refused before the password is judged"


def test_a_captcha_that_vanishes(ann):
    ann.submit("captcha-vanishes+no-code")
    assert ann.sees("#captchaImg")
    assert ann.go_on().sees(WELCOME)


def test_a_captcha_for_everybody(ann, admin):
    admin.configure(captcha=True)
    try:
        ann.open(ann.home)
        assert ann.sees("#captchaImg")
        ann.type("#captchaInput", admin.secrets()["codes"][-1]).submit("ok+no-code+everybody")
        assert ann.go_on().sees(WELCOME)
    finally:
        admin.configure(captcha=False)


@pytest.mark.parametrize(
    ("check", "said"), [("clears", "One more step"), ("stays", "One more step"), ("blocked", "blocked")]
)
def test_a_check_before_the_sign_in(verizon, mails, admin, check, said):
    admin.configure(check=check)
    try:
        reader = Verizon.at(verizon, mails)
        assert reader.status == 403
        assert said in reader.said("h1")
        assert not reader.sees(USER_ID)
    finally:
        admin.configure(check="")


@pytest.mark.parametrize(
    ("user", "seen", "said"),
    [
        ("locked", "[role=alert]", "locked"),
        ("nobody", "[role=alert]", "incorrect"),
        ("captcha", "#captchaImg", ""),
        ("interstitial", "h1", "One more step"),
        ("interstitial-stays", "h1", "One more step"),
        ("blocked", "h1", "blocked"),
        ("submit-503", "h1", "down for maintenance"),
        ("maintenance+no-code", "h1", "down for maintenance"),
        ("policy-page+no-code", "h1", "terms of service"),
        ("unknown-page+no-code", "h1", "umbrellas"),
        ("welcome-hub+no-code", HUB, "Visit the My Business home page"),
        ("hub-capitals+no-code", HUB, "VISIT THE MY BUSINESS HOME PAGE"),
        ("promo-overlay+no-code", "//*[@id='on-landing']//button[@aria-label='No thanks']", ""),
        ("promo-modal+no-code", "//*[@aria-label='close icon']", ""),
        ("other-customer+no-code", ACCOUNT_MENU, "somebody.else@example.com"),
        ("layout-b+no-code", "#gNavHeader a", "Raw Data Download"),
    ],
)
def test_what_is_seen_after_the_password(ann, user, seen, said):
    ann.submit(user)
    assert ann.sees(seen, said)


def test_advertisements_swallow_clicks_until_they_are_closed(ann):
    ann.sign_in("promo-both+no-code")
    with pytest.raises(NotThere, match="under"):
        ann.click(f"{MENUS}/li[4]/a")
    ann.click("//*[@aria-label='close icon']")
    with pytest.raises(NotThere, match="under"):
        ann.click(f"{MENUS}/li[4]/a")
    ann.click("//*[@id='on-landing']//button[@aria-label='No thanks']").menu(4, 1)
    assert ann.sees(tracked("Others"))


def test_the_older_layout_has_other_places_and_the_same_words(ann):
    ann.sign_in("layout-b")
    assert not ann.sees(WELCOME)
    assert not ann.sees(f"{MENUS}/li[4]/a")
    ann.click("#gNavHeader a", "View bill details").click("a", "Previous bills").recent().find(".invoice-card")
    ann.click("#gNavHeader a", "Reports Home").click(tracked("Usage")).click(tracked(UNBILLED))
    ann.pick("View by", "Account number").pick("Select number", accounts("layout-b")[0])
    assert ann.shown("Select number").endswith("Northwind Traders")


def test_a_token_that_the_sign_in_did_not_give_changes_nothing(ann, verizon):
    ann.sign_in("ok+token+no-code")
    ann.open(verizon.origins["verizon"]["home"] + "/mbt/secure/Enter?token=not-one")
    assert ann.sees(WELCOME), "the session of this browser lives on"


def test_the_first_two_documents_may_be_too_many(ann, verizon):
    ann.submit("rate-limited+no-code")
    assert ann.status == 429
    home = verizon.origins["verizon"]["home"] + "/mbt/secure/overview"
    ann.open(home).open(home).open(home)
    assert ann.status == 200


def test_the_first_session_dies_midway(ann):
    user = "signed-out-midway+no-code"
    ann.sign_in(user)
    with pytest.raises(NotThere):
        ann.menu(4, 1).menu(3, 2).menu(4, 1).menu(3, 2)
    assert ann.sees(USER_ID)
    ann.submit(user).go_on().menu(4, 1).menu(3, 2).menu(4, 1).menu(3, 2).menu(4, 1)
    assert ann.sees(tracked("Others"))


def test_a_session_is_another_user_s_midway(ann):
    ann.sign_in("session-replaced+replaced-2+no-code")
    assert "session-replaced" in ann.said(ACCOUNT_MENU)
    ann.menu(4, 1).menu(3, 2)
    assert "somebody.else@example.com" in ann.said(ACCOUNT_MENU)


# Raw data


@pytest.mark.parametrize("spelled", [False, True])
def test_the_raw_data_of_a_month(ann, newest, spelled):
    user = f"{'raw-spelled' if spelled else 'ok'}+no-code+raw"
    files = members(ann.sign_in(user).open_raw().raw(newest.short))
    parts = ["account & wireless summary", "acct & wireless charges detail", "wireless usage detail"]
    if spelled:
        parts = ["account_wireless_summary", "wireless_charges_detail", "wireless_usage_detail"]
    for part in parts:
        (name,) = [each for each in files if part in each.lower()]
        rows = table(files[name])
        assert ({row["Account number"] for row in rows}, len(rows)) == ({accounts(user)[0]}, 30)
        assert {row["Billing period"] for row in rows} == {newest.name}
    assert len(files) == 5
    assert ann.files[-1][0].endswith(".zip")


def test_the_raw_data_are_about_all_accounts(ann, newest):
    user = "multi+no-code+raw"
    files = members(ann.sign_in(user).open_raw().raw(newest.short))
    assert all(named(body) == set(accounts(user)) for body in files.values())


def test_the_modal_wants_a_month_and_lies_over_the_page(ann):
    ann.sign_in("ok+no-code+modal").open_raw().click("div.Modal.is-active button", "Download")
    assert "Select a bill cycle" in ann.said("[role=alert]")
    assert ann.files == []
    with pytest.raises(NotThere, match="under"):
        ann.click(tracked("Others"))
    ann.click("div.Modal.is-active button[aria-label=Close]").click(tracked("Others"))
    assert ann.sees(tracked(SUSPENDED))


def test_the_modal_may_lie_over_any_page(ann, newest):
    ann.sign_in("raw-in-place+no-code").menu(3, 2).open_raw()
    assert ann.sees("#billing-view-bills-s")
    assert len(members(ann.raw(newest.short))) == 5


@pytest.mark.parametrize(("user", "missing"), [("not-published", 0), ("month-missing", 1), ("purged", 3)])
def test_months_that_are_not_there(ann, user, missing):
    ann.sign_in(f"{user}+no-code").open_raw()
    month = published_months(datetime.now(VerizonState.zone).date())[missing].short
    options = [said_in(each) for each in ann.all("div.Modal.is-active option")]
    assert len(options) > 2
    assert month not in options


@pytest.mark.parametrize(
    ("user", "holds"),
    [
        ("member-missing", lambda files, own: len(files) == 4 and not any("Charges" in name for name in files)),
        ("no-usage-detail", lambda files, own: len(files) == 4 and not any("Usage" in name for name in files)),
        ("zip-empty", lambda files, own: files == {}),
        ("unknown-members", lambda files, own: "promotions.pdf" in files and len(files) == 8),
        ("foreign-member", lambda files, own: [named(body) == {own} for body in files.values()].count(False) == 1),
        ("wrong-account-file", lambda files, own: not any(named(body) == {own} for body in files.values())),
        ("mixed-file", lambda files, own: all(len(named(body)) == 2 for body in files.values())),
    ],
)
def test_raw_data_that_are_not_what_was_asked_for(ann, newest, user, holds):
    user = f"{user}+no-code+zip"
    files = members(ann.sign_in(user).open_raw().raw(newest.short))
    assert holds(files, accounts(user)[0])


@pytest.mark.parametrize("user", ["wrong-month", "month-filter-fails"])
def test_raw_data_of_another_month(ann, newest, user):
    files = members(ann.sign_in(f"{user}+no-code+raw").open_raw().raw(newest.short))
    assert {row["Billing period"] for body in files.values() for row in table(body)} == {newest.before.name}


# Reports


@pytest.mark.parametrize("track", TABS)
def test_each_report_of_a_set_account(ann, newest, track):
    user = f"multi+no-code+{len(track)}"
    account = accounts(user)[0]
    ann.sign_in(user).open_report(TABS[track], track).pick_account(account)
    if track == DEVICE:
        ann.choose("#monthRangeFrom", newest.short).choose("#monthRangeTo", newest.short)
    if track == ACTIVATION:
        ann.type("#dateFrom", us_day(newest, last=False)).type("#dateTo", us_day(newest, last=True))
    ann.apply()
    assert account in ann.said("[data-place=scope]")
    assert ann.shown("Select number") == account
    rows = table(ann.download())
    assert ({row["Account number"] for row in rows}, len(rows)) == ({account}, 30)
    if track in (DEVICE, ACTIVATION):
        assert {row["Billing period"] for row in rows} == {newest.name}
    assert ("Billing period" in rows[0]) is (track != SUSPENDED)
    assert ann.files[-1][0].endswith(".xlsx")


def test_a_report_is_about_all_accounts_at_first(ann):
    user = "multi+no-code+first"
    ann.sign_in(user).open_report("Others", SUSPENDED)
    assert ann.shown("View by") == "Wireless number"
    assert "disabled" in ann.find("#apply-changes").get("class")
    assert named(ann.download()) == set(accounts(user))


def test_changes_count_when_they_were_applied(ann):
    user = "multi+no-code+apply"
    own = accounts(user)
    ann.sign_in(user).open_report("Others", SUSPENDED).pick_account(own[0])
    assert "disabled" not in ann.find("#apply-changes").get("class").split()
    assert named(ann.download()) == set(own)
    ann.apply()
    assert "disabled" in ann.find("#apply-changes").get("class").split()
    assert named(ann.download()) == {own[0]}
    ann.pick_account(own[0])
    assert "disabled" in ann.find("#apply-changes").get("class").split(), "nothing has changed"


def test_the_account_stays_when_another_report_is_opened(ann):
    user = "multi+no-code+stays"
    own = accounts(user)
    ann.sign_in(user).open_report("Others", SUSPENDED).pick_account(own[1]).apply()
    ann.click("a", "Back to reports").click(tracked("Usage")).click(tracked(UNBILLED)).find("#apply-changes")
    assert ann.shown("Select number") == own[1]
    assert named(ann.download()) == {own[1]}


def test_the_notice_comes_again_when_the_account_was_chosen(ann, admin):
    before = admin.counters()["notices_shown"]
    ann.sign_in("ok+no-code+notice").menu(4, 1).click(tracked("Others")).click(tracked(SUSPENDED)).find(
        "app-form-modal"
    )
    with pytest.raises(NotThere, match="under"):
        ann.pick("View by", "Account number").click("#apply-changes")
    ann.click("app-form-modal button", "I understand").pick("Select number", accounts("ok+no-code+notice")[0])
    with pytest.raises(NotThere, match="under"):
        ann.click("#apply-changes")
    ann.click("app-form-modal button", "I understand").click("#apply-changes")
    assert admin.counters()["notices_shown"] == before + 2


def test_offer_recovery_has_the_newest_month_only(ann, newest):
    user = "ok+no-code+history"
    ann.sign_in(user).open_report("Others", DEVICE)
    assert ann.chosen("#monthRangeFrom") != ann.chosen("#monthRangeTo") == newest.short
    ann.find("[role=status]", "no data")
    ann.choose("#monthRangeFrom", newest.before.short).choose("#monthRangeTo", newest.before.short).apply()
    ann.find("[role=status]", "no data")
    assert not ann.sees("a", FULL)
    ann.choose("#monthRangeFrom", newest.short).choose("#monthRangeTo", newest.short).apply()
    assert table(ann.download())


@pytest.mark.parametrize(
    "days", [("2026-10-01", "10/31/2026"), ("10/1/2026", "10/31/2026"), ("10/31/2026", "10/01/2026")]
)
def test_days_are_written_as_the_portal_wants_them(ann, days):
    ann.sign_in(f"ok+no-code+days{len(days[0])}{days[0][-1]}").open_report("Others", ACTIVATION)
    ann.type("#dateFrom", days[0]).type("#dateTo", days[1]).apply()
    assert "MM/DD/YYYY" in ann.said("[role=alert]")


def test_days_that_are_no_whole_month(ann, newest):
    ann.sign_in("ok+no-code+span").open_report("Others", ACTIVATION)
    last = newest.last_day - timedelta(days=3)
    ann.type("#dateFrom", us_day(newest, last=False)).type("#dateTo", f"{last:%m/%d/%Y}").apply()
    span = f"{us_day(newest, last=False)} - {last:%m/%d/%Y}"
    assert {row["Billing period"] for row in table(ann.download())} == {span}


@pytest.mark.parametrize(
    ("user", "shown", "held"),
    [
        ("wrong-account", lambda own: own[1], lambda own: {own[1]}),
        ("filter-fails", lambda own: "Select", set),
        ("apply-stays", lambda own: own[0], set),
        ("account-switched", lambda own: own[0], lambda own: {own[-1]}),
    ],
)
def test_which_account_counts_after_one_was_applied(ann, user, shown, held):
    user = f"{user}+multi+no-code"
    own = accounts(user)
    ann.sign_in(user).open_report("Others", SUSPENDED).pick_account(own[0]).apply()
    assert ann.shown("Select number") == shown(own)
    assert named(ann.download()) == held(own)


def test_an_account_that_is_not_listed(ann):
    user = "account-missing+no-code"
    ann.sign_in(user).open_report("Others", SUSPENDED).pick("View by", "Account number")
    offered = [said_in(each) for each in ann.labelled("Select number").iter("option")]
    assert len(offered) > 1
    assert accounts(user)[0] not in offered


@pytest.mark.parametrize(
    ("user", "first"),
    [
        ("first-item-other", lambda user, own: VerizonState.people.numbered(f"first {user}", 1)[0]),
        ("namesake-first", lambda user, own: f"{own}0"),
    ],
)
def test_the_first_entry_of_a_list_is_another_account(ann, user, first):
    user = f"{user}+no-code"
    own = accounts(user)[0]
    ann.sign_in(user).open_report("Others", SUSPENDED).pick("View by", "Account number")
    offered = [said_in(each) for each in ann.labelled("Select number").iter("option")]
    assert offered == ["Select", first(user, own), own]
    ann.open_bills()
    assert [said_in(each) for each in ann.all(f"{DROPDOWN}//option")] == offered[1:]


def test_filters_that_are_reset_by_a_file(ann):
    user = "filter-resets+multi+no-code"
    own = accounts(user)
    ann.sign_in(user).open_report("Others", SUSPENDED).pick_account(own[0]).apply()
    assert [named(ann.download()) for _ in range(2)] == [{own[0]}, set(own)]


def test_dates_that_change_nothing(ann, newest):
    ann.sign_in("month-filter-fails+no-code").open_report("Others", DEVICE)
    ann.choose("#monthRangeFrom", newest.short).choose("#monthRangeTo", newest.short).apply()
    assert ann.chosen("#monthRangeFrom") != newest.short


@pytest.mark.parametrize(
    ("user", "said"),
    [("reports-not-available", "not available yet"), ("fails-suspended-wireless-numbers", "could not load")],
)
def test_reports_that_have_no_file(ann, user, said):
    ann.sign_in(f"ok+{user}+no-code").open_report("Others", SUSPENDED).find("[role=status]", said)
    assert not ann.sees("a", FULL)


def test_a_report_that_is_missing(ann):
    ann.sign_in("ok+missing-device-report+no-code").menu(4, 1).click(tracked("Others"))
    assert (ann.sees(tracked(DEVICE)), ann.sees(tracked(ACTIVATION))) == (False, True)


@pytest.mark.parametrize(
    ("user", "brought"),
    [("download-swallowed", [0, 1, 2]), ("download-never", [0, 0, 0]), ("notice-at-download", [0, 1, 2])],
)
def test_clicks_that_bring_no_file(ann, user, brought):
    ann.sign_in(f"{user}+no-code").open_report("Others", SUSPENDED)
    counts = []
    for _ in range(3):
        ann.click("a", FULL).understand()
        counts.append(len(ann.files))
    assert counts == brought


def test_a_file_may_be_csv(ann):
    user = "ok+csv+no-code"
    ann.sign_in(user).open_report("Usage", UNBILLED)
    assert named(ann.download()) == {accounts(user)[0]}
    assert ann.files[-1][0].endswith(".csv")
    assert not ann.files[-1][1].startswith(b"PK")


def test_unbilled_usage_is_of_the_month_that_runs(ann):
    ann.sign_in("ok+no-code+unbilled").open_report("Usage", UNBILLED)
    assert not ann.sees("app-form-modal button")
    today = datetime.now(VerizonState.zone)
    assert {row["Billing period"] for row in table(ann.download())} == {Month(today.year, today.month).name}


def test_files_without_accounts_and_with_rows_of_another_one(ann):
    assert (
        "Account number"
        not in table(ann.sign_in("unnamed-file+no-code").open_report("Others", SUSPENDED).download())[0]
    )
    ann.sign_out().sign_in("mixed-file+no-code").open_report("Others", SUSPENDED)
    assert len(named(ann.download())) == 2


def test_account_numbers_with_a_suffix(ann):
    user = "multi+hyphens+no-code"
    own = accounts(user)
    assert all(re.fullmatch(r"\d{9}-00001", each) for each in own)
    ann.sign_in(user).open_report("Others", SUSPENDED).pick_account(own[0]).apply()
    assert named(ann.download()) == {own[0]}


# Bills


@pytest.mark.parametrize("user", ["multi", "multi+tab-resets-late", "multi+namesake-first"])
def test_a_bill(ann, newest, user):
    user = f"{user}+no-code"
    account = accounts(user)[0]
    ann.sign_in(user).open_bills().choose_account(account)
    assert ann.bill_account() == account
    if "late" in user:
        ann.look_again()
        ann.recent()
    text = text_of(ann.bill(newest.short))
    invoice = Invoice(account, newest, "USD")
    for said in (account, invoice.number, f"${invoice.total:,.2f}", "USD", f"{invoice.due:%B} {invoice.due.day}"):
        assert said in text


def test_the_tab_resets_when_an_account_is_chosen(ann):
    user = "multi+no-code+tab"
    own = accounts(user)
    ann.sign_in(user).open_bills().find(".invoice-card")
    assert ann.bill_account() == own[-1]
    ann.choose(f"{DROPDOWN}//select", own[0])
    assert (ann.bill_account(), ann.sees(".invoice-card")) == (own[0], False)
    assert said_in(ann.find("[role=tab][aria-selected=true]")) != "Recent bills"
    ann.recent().find(".invoice-card")


def test_the_tab_may_reset_a_moment_later(ann):
    user = "tab-resets-late+multi+no-code"
    ann.sign_in(user).open_bills().choose(f"{DROPDOWN}//select", accounts(user)[0]).recent()
    ann.look_again()
    ann.look_again()
    assert not ann.sees(".invoice-card")


@pytest.mark.parametrize(
    ("user", "shown"), [("wrong-account", lambda own: own[1]), ("filter-fails", lambda own: own[-1])]
)
def test_which_account_the_bills_are_of(ann, user, shown):
    user = f"{user}+multi+no-code+bills"
    ann.sign_in(user).open_bills().choose_account(accounts(user)[0])
    assert ann.bill_account() == shown(accounts(user))


@pytest.mark.parametrize(("user", "missing"), [("not-published", 0), ("month-missing", 1), ("purged", 3)])
def test_bills_that_are_not_there(ann, user, missing):
    ann.sign_in(f"{user}+no-code+bills").open_bills().find(".invoice-card")
    month = published_months(datetime.now(VerizonState.zone).date())[missing].short
    assert month not in [said_in(each) for each in ann.all(".invoice-card span.fs-20")]


@pytest.mark.parametrize("user", ["rows-move", "wrong-month", "wrong-account-file"])
def test_bills_that_are_not_what_was_asked_for(ann, newest, user):
    user = f"{user}+no-code"
    own = accounts(user)[0]
    text = text_of(ann.sign_in(user).open_bills().choose_account(own).bill(newest.short))
    assert not (own in text and f"to {newest.last_day:%B %d, %Y}" in text)


def test_an_invoice_that_differs_from_its_card(ann, newest):
    user = "total-differs+no-code"
    invoice = Invoice(accounts(user)[0], newest, "USD")
    ann.sign_in(user).open_bills().find(".invoice-card")
    assert f"${invoice.total:,.2f}" in ann.said(".invoice-card")
    assert f"${invoice.total + 10:,.2f}" in text_of(ann.bill(newest.short))


def test_every_scenario_lets_its_user_submit_a_password(verizon, mails, admin):
    without = {"submit-hang", "submit-drop"}  # no answer
    for scenario in set(SCENARIOS) - without:
        reader = Verizon.at(verizon, mails).submit(f"{scenario}+each")
        assert reader.status in (200, 403, 429, 503), scenario
    submitted = set(admin.counters()["submissions"])
    assert {scenario for scenario in SCENARIOS if f"{scenario}+each" not in submitted} == without


# In a browser


@pytest.fixture
def tab(browser, verizon) -> Iterator[Page]:
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.goto(f"{verizon.urls['verizon']}/account/business/ilogin", wait_until="domcontentloaded")
    yield page
    context.close()


def give_password(page: Page, user: str) -> None:
    page.locator(USER_ID).fill(user)
    page.locator(PASSWORD_FIELD).fill(PASSWORD)
    page.locator(SUBMIT).click()


def open_menu(page: Page, place: int, entry: int) -> None:
    page.locator(f"xpath={MENUS}/li[{place}]/a").click()
    page.locator(f"xpath={MENUS}/li[{place}]/{ENTRIES}/li[{entry}]/a").click()


def brought(page: Page, click) -> bytes:
    with page.expect_download() as started:
        click()
    with open(started.value.path(), "rb") as file:
        return file.read()


@pytest.mark.browser
def test_a_link_in_another_tab_of_a_browser(tab, mails):
    user = "welcome-hub+promo-overlay+browser"
    give_password(tab, user)
    tab.locator(OPTIONS).filter(has_text="Email").click()
    reader = Verizon()
    reader.mails = mails
    other = tab.context.new_page()
    other.goto(reader.mailed(user), wait_until="domcontentloaded")
    other.locator(f"xpath={ALLOW}").click()
    other.locator(f"xpath={ANSWER}").click()
    expect(other.get_by_text("You allowed this sign-in.")).to_be_visible()
    other.close()
    tab.get_by_role("button", name="No thanks").click()
    tab.locator(f"xpath={HUB}").click()
    expect(tab.locator(f"xpath={WELCOME}")).to_be_visible()
    tab.locator(f"xpath={ACCOUNT_MENU}").click()
    tab.locator(f"xpath={LOG_OUT}").click()
    expect(tab.locator(USER_ID)).to_be_visible()


@pytest.mark.browser
def test_reports_in_a_browser(tab, newest):
    """A modal, a ZIP, tabs, the notice twice, a button that wakes by its class, days by keys, a workbook."""
    user = "multi+no-code+promo-modal+browser"
    account = accounts(user)[0]
    give_password(tab, user)
    tab.locator("[aria-label='close icon']").click()
    open_menu(tab, 4, 4)
    modal = tab.locator("div.Modal.is-active")
    modal.locator("select").select_option(label=newest.short)
    body = brought(tab, modal.get_by_role("button", name="Download").click)
    assert len(members(body)) == 5
    modal.get_by_role("button", name="Close").click()
    tab.locator("li[data-track=Others]").click()
    tab.locator(tracked(ACTIVATION)).click()
    understand, apply = (
        tab.locator("app-form-modal").get_by_role("button", name="I understand"),
        tab.locator("#apply-changes"),
    )
    understand.click()
    expect(apply).to_have_class(re.compile(r"\bdisabled\b"))
    tab.get_by_label("View by").select_option(label="Account number")
    numbers = tab.get_by_label("Select number")
    expect(numbers.locator(f"option[value='{account}']")).to_have_count(1)
    numbers.select_option(account)
    understand.click()
    tab.locator("#dateFrom").fill(us_day(newest, last=False))
    tab.locator("#dateTo").fill("")
    tab.locator("#dateTo").press_sequentially(us_day(newest, last=True))
    expect(apply).not_to_have_class(re.compile(r"\bdisabled\b"))
    apply.click()
    expect(tab.get_by_text(f"Showing account {account}")).to_be_visible()
    expect(apply).to_have_class(re.compile(r"\bdisabled\b"))
    rows = table(brought(tab, tab.get_by_text(FULL).click))
    assert {(row["Account number"], row["Billing period"]) for row in rows} == {(account, newest.name)}
    tab.locator("#dateTo").fill(us_day(newest, last=False))
    expect(apply).not_to_have_class(re.compile(r"\bdisabled\b"))
    tab.locator("#dateTo").fill(us_day(newest, last=True))
    expect(apply).to_have_class(re.compile(r"\bdisabled\b"))


@pytest.mark.browser
def test_a_bill_in_a_browser(tab, newest):
    user = "multi+no-code+browser+bill"
    account = accounts(user)[0]
    give_password(tab, user)
    open_menu(tab, 3, 2)
    tab.locator(f"xpath={PREVIOUS}").click()
    recent, cards = tab.get_by_text("Recent bills", exact=True), tab.locator(".invoice-card")
    recent.click()
    expect(cards.first).to_be_visible()
    tab.locator(f"xpath={DROPDOWN}").locator("select").select_option(account)
    expect(cards).to_have_count(0)
    recent.click()
    card = cards.filter(has=tab.get_by_text(newest.short, exact=True))
    assert account in text_of(brought(tab, card.locator("span.Icon--download").click))
