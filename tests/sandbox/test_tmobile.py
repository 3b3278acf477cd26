"""The T-Mobile imitation, walked by a reader without a browser in the steps of the fact sheet; three walks in a browser."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from http.client import IncompleteRead

import pypdfium2
import pytest
from lxml import etree
from playwright.sync_api import Page, expect

from sandbox import NEW_PASSWORD, PASSWORD, Admin, Running, mailbox, running, totp_code, totp_secret
from sandbox.globys.invoices import Invoice
from sandbox.invented import Month, published_months
from sandbox.tmobile import accounts
from sandbox.tmobile.state import SCENARIOS, SENDER, TmobileState
from tests.project import wait_for
from tests.sandbox.reader import NotThere, said_in
from tests.sandbox.tmobile_reader import (
    CODE_BUTTON,
    FRAME,
    HIERARCHY,
    KIND,
    LOG_OUT,
    LOG_OUT_TOO,
    PERIOD,
    REPORTING,
    REPORTS,
    ROW,
    SEARCH,
    SIGNED_IN,
    Tab,
    Tmobile,
    has,
)

QUICK = {
    "load_ms": 5,
    "render_ms": [0, 0],
    "frame_ms": 0,
    "language_ms": 0,
    "period_ms": 0,
    "tree_ms": 0,
    "confirm_ms": 0,
    "list_ms": 0,
    "late_ms": 300,
    "overlay_ms": 0,
    "report_seconds": 0,
    "slow_seconds": 0.1,
}
BILLING = [slug for slug, report in REPORTS.items() if report[0] == "Billing templates"]


@pytest.fixture(scope="module")
def tmobile(tmp_path_factory, phones, mails) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("tmobile")
    with running(folder, ("tmobile",), phones.url, phones.token, mail_url=mails.url, **QUICK) as sandbox:
        yield sandbox


@pytest.fixture
def admin(tmobile) -> Admin:
    return tmobile.admin["tmobile"]


@pytest.fixture
def ann(tmobile, mails) -> Tmobile:
    return Tmobile.at(tmobile, mails)


@pytest.fixture
def today() -> date:
    return datetime.now(TmobileState.zone).date()


@pytest.fixture
def newest(today) -> Month:
    return published_months(today)[0]


def table(body: bytes) -> list[dict[str, str]]:
    """Return the rows of a workbook by the heads of its columns."""
    with zipfile.ZipFile(io.BytesIO(body)) as file:
        sheet = etree.fromstring(file.read("xl/worksheets/sheet1.xml"))
    heads, *rows = [["".join(cell.itertext()) for cell in row.iter("{*}c")] for row in sheet.iter("{*}row")]
    return [dict(zip(heads, row, strict=True)) for row in rows]


def text_of(body: bytes) -> str:
    return str(pypdfium2.PdfDocument(body)[0].get_textpage().get_text_range())


def shown_cycle(month: Month, closing: int = 0) -> str:
    invoice = Invoice("", month, "", closing=closing)
    return f"{invoice.start:%b} {invoice.start.day} - {invoice.end:%b} {invoice.end.day}"


# Signing in


def test_signs_in_with_a_mailed_code_and_out_again(ann, admin):
    before = admin.counters()
    ann.sign_in("ok+in")
    assert ann.sees(SIGNED_IN)
    assert ann.url.endswith("/apps/tfb_billing/dashboard")
    after = admin.counters()
    counted = {name: after[name] - before[name] for name in ("sign_ins", "code_requests", "codes_sent", "codes_used")}
    assert counted == dict.fromkeys(counted, 1)
    assert ann.mails.payloads[-1]["from"] == SENDER
    assert re.fullmatch(r"\d{6,8}", ann.mailed("ok+in"))
    assert said_in(ann.find(LOG_OUT)) == "Logout"
    ann.sign_out()
    assert ann.sees("#emailOrPhoneNumberTextBox"), "the language is known, the session is over"
    ann.dashboard()
    assert ann.sees("#emailOrPhoneNumberTextBox")


def test_the_language_is_asked_for_in_a_frame_once_in_a_browser(ann, tmobile, mails, admin):
    before = admin.counters()["languages_chosen"]
    frame = ann.frame(FRAME)
    assert not frame.sees("#en"), "the frame is there before its content"
    with pytest.raises(NotThere, match="under"):
        ann.click("h1")
    frame.click("#en")
    assert ann.url.startswith(tmobile.origins["tmobile"]["identity"])
    assert ann.open(ann.home).sees("#emailOrPhoneNumberTextBox")
    assert admin.counters()["languages_chosen"] == before + 1
    admin.configure(language=False)
    try:
        assert Tmobile.at(tmobile, mails).sees("#emailOrPhoneNumberTextBox")
    finally:
        admin.configure(language=True)


def test_a_code_that_was_not_typed_is_not_a_code(ann, admin):
    ann.submit("ok+unkeyed")
    code, before = ann.mailed("ok+unkeyed"), admin.counters()
    with pytest.raises(NotThere, match="does nothing"):
        ann.type_code(code, keys=False)
    ann.find(CODE_BUTTON).attrib.pop("disabled")
    ann.click(CODE_BUTTON)
    after = admin.counters()
    assert after["codes_not_typed"] == before["codes_not_typed"] + 1
    assert (after["codes_used"], after["codes_refused"]) == (before["codes_used"], before["codes_refused"])
    ann.type_code(code)
    assert ann.sees(SIGNED_IN)


def test_a_refused_code_and_the_fourth(ann):
    ann.submit("code-refused")
    code = ann.mailed("code-refused")
    for _ in range(3):
        ann.type_code(code)
        assert "incorrect" in ann.said("[role=alert]")
        assert ann.find("#code").get("value", "") == ""
    ann.type_code(code)
    assert ann.sees("#emailOrPhoneNumberTextBox")


def test_a_code_is_good_once(ann, tmobile, mails):
    ann.sign_in("ok+replay")
    used, other = ann.mailed("ok+replay"), Tmobile.at(tmobile, mails).submit("ok+replay")
    newer = other.mailed("ok+replay", 2)
    other.type_code(used)
    assert "incorrect" in other.said("[role=alert]")
    other.type_code(newer)
    assert other.sees(SIGNED_IN)


def test_a_code_of_an_app(ann):
    ann.submit("totp+app")
    ann.type_code(totp_code(totp_secret("totp+app"), int(datetime.now(TmobileState.zone).timestamp()) // 30))
    assert ann.sees(SIGNED_IN)


def test_a_message_of_a_stranger_comes_first(ann):
    ann.submit("wrong-sender")
    wait_for(lambda: len(ann.mails.codes(mailbox("wrong-sender"))) == 2)
    senders = [mail["from"] for mail in ann.mails.payloads if mail["to"] == mailbox("wrong-sender")]
    assert senders[0] != SENDER
    assert senders[1] == SENDER
    ann.type_code(ann.mailed("wrong-sender"))
    assert ann.sees(SIGNED_IN)


def test_a_wrong_password_is_refused_and_the_fifth_locks(ann):
    ann.submit("wrong-password+no-code")
    assert "incorrect" in ann.said("[role=alert]")
    ann.type("#passwordTextBox", NEW_PASSWORD).click("#lp2-login-btn")
    assert ann.sees(SIGNED_IN)
    ann.sign_out().submit("ok+lock", "not-it")
    for _ in range(4):
        ann.type("#passwordTextBox", "not-it").click("#lp2-login-btn")
    ann.type("#passwordTextBox", PASSWORD).click("#lp2-login-btn")
    assert "locked" in ann.said("[role=alert]")


@pytest.mark.parametrize(
    ("user", "seen", "said"),
    [
        ("locked", "[role=alert]", "locked"),
        ("nobody", "[role=alert]", "incorrect"),
        ("captcha", "iframe[src*=recaptcha]", ""),
        ("blocked", "h1", "Access Denied"),
        ("submit-503", "h1", "down for maintenance"),
        ("maintenance+no-code", "h1", "down for maintenance"),
        ("policy-page+no-code", "h1", "terms of service"),
        ("unknown-page+no-code", "h1", "umbrellas"),
        ("promo-overlay+no-code", "h2", "A new offer"),
        ("other-customer+no-code", ".user-name", "somebody.else@example.com"),
        ("layout-b+no-code", "mat-list-item", "Logout"),
    ],
)
def test_what_is_seen_after_the_password(ann, user, seen, said):
    ann.submit(user)
    assert ann.sees(seen, said)


def test_a_wall_before_the_sign_in(ann, tmobile, mails, admin):
    admin.configure(blocked=True, language=False)
    try:
        wall = Tmobile.at(tmobile, mails)
    finally:
        admin.configure(blocked=False, language=True)
    assert (wall.status, wall.said("h1")) == (403, "Access Denied")


def test_the_older_layout_has_other_places_and_the_same_words(ann, admin):
    admin.configure(layout="b")
    try:
        ann.submit("layout-b+older")
        assert not ann.sees(CODE_BUTTON)
        ann.type("#code", ann.mailed("layout-b+older")).click("button", "Continue")
    finally:
        admin.configure(layout="a")
    assert not ann.sees(SIGNED_IN)
    assert not ann.sees(REPORTING)
    assert ann.open_reports().sees("[role=tab]", "Billing templates")
    assert not ann.sees(PERIOD)
    ann.sign_out()
    assert ann.sees("#emailOrPhoneNumberTextBox")


def test_a_token_that_the_identity_pages_did_not_give_changes_nothing(ann):
    ann.sign_in("ok+token+no-code")
    ann.open(ann.home + "Enter?token=not-one")
    assert ann.sees(SIGNED_IN), "the session of this browser lives on"


def test_the_first_two_documents_may_be_too_many(ann):
    ann.submit("rate-limited+no-code")
    assert ann.status == 429
    ann.dashboard().dashboard().dashboard()
    assert ann.sees(SIGNED_IN)


def test_the_first_session_dies_midway(ann):
    ann.sign_in("signed-out-midway+no-code")
    for _ in range(4):
        ann.dashboard()
    assert ann.sees("#emailOrPhoneNumberTextBox")
    ann.submit("signed-out-midway+no-code")
    for _ in range(6):
        ann.dashboard()
    assert ann.sees(SIGNED_IN)


def test_the_end_of_a_session_leads_to_the_sign_in_under_other_addresses_too(ann):
    user = "signed-out-midway+no-code+perturb-7-addresses"
    ann.sign_in(user)
    for _ in range(4):
        ann.dashboard()
    ann.find("#emailOrPhoneNumberTextBox")


def test_a_session_is_another_user_s_midway(ann):
    ann.sign_in("session-replaced+replaced-2+no-code")
    assert "session-replaced" in ann.said(".user-name")
    ann.dashboard().dashboard()
    assert "somebody.else@example.com" in ann.said(".user-name")


def test_a_session_lives_on_when_the_portal_was_killed(ann, tmobile, newest):
    user = "ok+no-code+killed"
    account = accounts(user)[0]
    ann.sign_in(user).open_reports().order("usage_detail", account, newest.name)
    tmobile.kill()
    tmobile.start()
    assert ann.open_reports().collect("usage_detail", account, newest.short).startswith(b"PK")


# Reports


@pytest.mark.parametrize("slug", REPORTS)
def test_each_report_of_set_filters(ann, newest, today, admin, slug):
    user = f"multi+no-code+{slug.replace('_', '-')}"
    account, before = accounts(user)[0], admin.counters()["reports_of_no_filter"]
    ann.sign_in(user).open_reports().order(slug, account, newest.name)
    rows = table(ann.collect(slug, account, newest.short))
    assert ({row["Account number"] for row in rows}, len(rows)) == ({account}, 30)
    assert {row["Billing period"] for row in rows} == {newest.name}
    row = ann.history()[0]
    assert row["detail"] == (f"{newest.short} | {account}" if slug in BILLING else account)
    assert row["ran"] == f"{today:%b}\N{NO-BREAK SPACE}{today.day},\N{NO-BREAK SPACE}{today.year}"
    assert admin.counters()["reports_of_no_filter"] == before


def test_the_filters_are_empty_after_every_run(ann, newest, admin):
    user = "multi+no-code+resets"
    own, before = accounts(user), admin.counters()["reports_of_no_filter"]
    ann.sign_in(user).open_reports().order("usage_detail", own[0], newest.name)
    assert ann.shown_period() == "Select billing period"
    assert said_in(ann.find(HIERARCHY)) == "Select hierarchy level"
    ann.run(*REPORTS["statement_detail"][1:3])
    assert [row["detail"] for row in ann.history()] == [
        f"{newest.before.short} | {own[-1]}",
        f"{newest.short} | {own[0]}",
    ]
    assert admin.counters()["reports_of_no_filter"] == before + 1


def test_the_filters_of_equipment_are_empty_after_every_run_too(ann, newest):
    user = "multi+no-code+resets-too"
    own = accounts(user)
    ann.sign_in(user).open_reports().order("inventory_report", own[0], "")
    ann.run(*REPORTS["equipment_installment"][1:3])
    assert [row["detail"] for row in ann.history()] == [own[-1], own[0]]


def test_a_list_that_opens_empty_opens_once(ann):
    ann.sign_in("no-code+perturb-7-further.late-lists").open_reports()
    trigger = ann.named("mat-select", "USD")
    assert ann.options(trigger) == ["USD"]
    assert not ann.sees(".cdk-overlay-backdrop")


def test_the_billing_periods_come_late(ann, admin, newest):
    ann.sign_in("period-late+no-code").open_reports()
    admin.configure(late_ms=60_000)
    try:
        ann.open_reports().click(PERIOD)
        assert not ann.sees("mat-option"), "a list without options does not open"
        admin.clock(61)
        ann.click(PERIOD)
        assert ann.sees("mat-option", newest.name)
        with pytest.raises(NotThere, match="under"):
            ann.click(HIERARCHY)
        ann.click(".cdk-overlay-backdrop").click(HIERARCHY)
    finally:
        admin.clock(0)
        admin.configure(late_ms=300)


@pytest.mark.parametrize("levels", range(1, 6))
def test_an_account_at_each_depth_of_the_tree(ann, levels, newest):
    user = f"multi+no-code+levels-{levels}"
    account = accounts(user)[0]
    ann.sign_in(user).open_reports().open_tree()
    assert next(said_in(each) for each in ann.all("mat-tree-node")).startswith("chevron_right Company")
    assert len(ann.all("mat-tree-node")) == 1
    ann.leaves()
    node = next(each for each in ann.all("mat-tree-node") if has(said_in(each), account))
    assert node.get("aria-level") == str(levels + 1)
    ann.click(".cdk-overlay-backdrop").account(account)
    assert has(said_in(ann.find(HIERARCHY)), account)


@pytest.mark.parametrize("user", ["tree-deep", "layout-b", "namesake-first"])
def test_other_trees(ann, newest, user):
    user = f"{user}+multi+no-code"
    account = accounts(user)[0]
    ann.sign_in(user).open_reports()
    leaves = [leaf.partition(" ")[0] for leaf in ann.open_tree().leaves() if leaf[0].isdigit()]
    ann.click(".cdk-overlay-backdrop")
    named = set(accounts(user))
    assert set(leaves) == named | ({f"{own}0" for own in named} if user.startswith("namesake") else set())
    ann.order("usage_detail", account, newest.name)
    assert ann.history()[0]["detail"] == f"{newest.short} | {account}"


@pytest.mark.parametrize(
    ("user", "shown", "made"),
    [
        ("filter-fails", False, lambda own: own[-1]),
        ("filter-ignored", True, lambda own: own[-1]),
        ("wrong-account", False, lambda own: own[1]),
        ("ok", True, lambda own: own[0]),
    ],
)
def test_which_account_counts_after_one_was_chosen(ann, newest, user, shown, made):
    user = f"{user}+multi+no-code+chosen"
    own = accounts(user)
    ann.sign_in(user).open_reports().period(newest.name).account(own[0])
    assert has(said_in(ann.find(HIERARCHY)), own[0]) == shown
    ann.run(*REPORTS["usage_detail"][1:3])
    assert has(ann.history()[0]["detail"], made(own))


def test_a_tree_without_the_account(ann):
    user = "account-missing+multi+no-code"
    ann.sign_in(user).open_reports()
    with pytest.raises(NotThere, match="not in the tree"):
        ann.account(accounts(user)[0])


@pytest.mark.parametrize(
    ("user", "shown", "made"),
    [
        ("month-filter-fails", lambda new: "Select billing period", lambda new: new.before),
        ("filter-ignored", lambda new: new.name, lambda new: new.before),
    ],
)
def test_which_month_counts_after_one_was_chosen(ann, newest, user, shown, made):
    user = f"{user}+no-code+month"
    ann.sign_in(user).open_reports().period(newest.name).account(accounts(user)[0])
    assert ann.shown_period() == shown(newest)
    ann.run(*REPORTS["usage_detail"][1:3])
    assert ann.history()[0]["detail"].startswith(f"{made(newest).short} | ")


@pytest.mark.parametrize(("user", "missing"), [("not-published", 0), ("month-missing", 1), ("purged", 3)])
def test_billing_periods_that_are_not_there(ann, today, user, missing):
    months = published_months(today)
    ann.sign_in(f"{user}+no-code").open_reports()
    offered = ann.options(PERIOD)
    assert offered
    assert months[missing].name not in offered
    assert shown_cycle(months[missing]) not in _cycles(ann, f"{user}+no-code")


def _cycles(ann: Tmobile, user: str) -> list[str]:
    ann.search(accounts(user)[0]).open_bill(accounts(user)[0])
    return ann.options("mat-select")


def test_a_page_under_a_dialog_or_a_menu_cannot_be_clicked(ann, newest):
    user = "ok+no-code+under"
    ann.sign_in(user).open_reports().click("mat-expansion-panel-header", "Billing & Statements")
    ann.click("div.template button")
    with pytest.raises(NotThere, match="under"):
        ann.tab("My reports")
    ann.click(".cdk-overlay-backdrop").tab("My reports")


def test_the_note_must_be_closed(ann):
    user = "ok+no-code+note"
    ann.sign_in(user).open_reports().click("mat-expansion-panel-header", "Billing & Statements")
    ann.click("div.template button").click("[role=menuitem]", "Run as is")
    with pytest.raises(NotThere, match="under 'Report requested"):
        ann.tab("My reports")


def test_a_note_that_never_comes(ann, admin):
    before = admin.counters()["reports_asked"]
    ann.sign_in("confirmation-never+no-code").open_reports()
    with pytest.raises(NotThere, match="dialog"):
        ann.run(*REPORTS["usage_detail"][1:3])
    assert admin.counters()["reports_asked"] == before + 1
    assert len(ann.history()) == 1


def test_templates_that_are_missing_or_fail(ann):
    user = "ok+no-code+missing-usage-detail+fails-statement-detail"
    ann.sign_in(user).open_reports().click("mat-expansion-panel-header", "Billing & Statements")
    names = [said_in(each) for each in ann.all(".template-name")]
    assert "Usage Detail" not in names
    assert "Statement Detail" in names
    ann.run(*REPORTS["statement_detail"][1:3])
    assert ann.history() == []


@pytest.mark.parametrize(
    ("user", "status"), [("slow-report", "In progress"), ("report-never", "In progress"), ("report-fails", "Failed")]
)
def test_a_report_that_is_not_completed(ann, newest, user, status):
    user = f"{user}+no-code"
    ann.sign_in(user).open_reports().order("usage_detail", accounts(user)[0], newest.name)
    assert [row["status"] for row in ann.history()] == [status]
    ann.click(f"{ROW} button").click("[role=menuitem]", "Download")
    assert "not ready" in ann.said("[role=alert]")


def test_a_report_that_fails_once(ann, newest):
    user = "report-fails+times-1+no-code"
    account = accounts(user)[0]
    ann.sign_in(user).open_reports()
    for slug in ("usage_detail", "usage_detail", "statement_detail"):
        ann.order(slug, account, newest.name)
    assert [row["status"] for row in ann.history()] == ["Failed", "Completed", "Failed"]


def test_a_slow_report_is_completed_later(ann, admin, newest):
    user = "slow-report+no-code+later"
    ann.sign_in(user).open_reports().order("usage_detail", accounts(user)[0], newest.name)
    admin.clock(421)
    try:
        assert [row["status"] for row in ann.history()] == ["Completed"]
    finally:
        admin.clock(0)


def test_what_was_run_outlives_the_session(ann, newest):
    user = "ok+no-code+outlives"
    ann.sign_in(user).open_reports().order("usage_detail", accounts(user)[0], newest.name)
    rows = ann.history()
    assert ann.sign_out().sign_in(user).open_reports().history() == rows


def test_reports_of_other_months_accounts_days_and_templates(ann, newest):
    user = "former-reports+no-code"
    account = accounts(user)[0]
    ann.sign_in(user).open_reports().order("usage_detail", account, newest.name)
    rows = [row for row in ann.history() if row["name"] == "Usage Detail Report"]
    own = [row for row in rows if row["detail"] == f"{newest.short} | {account}"]
    assert len(own) == 2
    assert own[0]["ran"] != own[1]["ran"]
    assert {row["detail"] for row in rows} >= {f"{newest.before.short} | {account}", f"{newest.short} | {account}0"}


def test_something_went_wrong_once_and_always(ann, newest):
    user = "went-wrong+no-code"
    ann.sign_in(user).open_reports().order("usage_detail", accounts(user)[0], newest.name)
    assert ann.history() == []
    assert ann.sees("[role=dialog] h2", "Something went wrong")
    ann.click("[role=dialog] button", "Reload reports")
    ann.find(ROW)
    assert len(ann.history()) == 1
    ann.sign_out().sign_in("went-wrong-always+no-code").open_reports().history()
    for _ in range(3):
        ann.click("[role=dialog] button", "Reload reports").find("[role=dialog] h2", "Something went wrong")


@pytest.mark.parametrize("user", ["dialog-icon", "dialog-escape", "dialog-reload"])
def test_dialogs_over_the_reports(ann, user):
    ann.sign_in(f"{user}+no-code").open_reports()
    with pytest.raises(NotThere, match="under 'Reports have a new look"):
        ann.tab("My reports")
    if user == "dialog-icon":
        ann.click("[role=dialog] button")
    else:
        assert not ann.sees("[role=dialog] button")
        ann.open_reports()
    ann.tab("My reports")


@pytest.mark.parametrize(
    ("user", "named"),
    [
        ("mixed-file", lambda own, other: {own, other}),
        ("wrong-account-file", lambda own, other: {other}),
        ("ok", lambda own, other: {own}),
    ],
)
def test_which_accounts_a_file_is_about(ann, newest, user, named):
    user = f"{user}+no-code+file"
    kind = "mixed file" if user.startswith("mixed") else "wrong file"
    own, (other,) = accounts(user)[0], TmobileState.people.numbered(f"{kind} {user}", 1)
    ann.sign_in(user).open_reports().order("usage_detail", own, newest.name)
    rows = table(ann.collect("usage_detail", own, newest.short))
    assert {row["Account number"] for row in rows} == named(own, other)


def test_a_report_of_another_month(ann, newest):
    user = "wrong-month+no-code"
    ann.sign_in(user).open_reports().order("usage_detail", accounts(user)[0], newest.name)
    rows = table(ann.collect("usage_detail", accounts(user)[0], newest.short))
    assert {row["Billing period"] for row in rows} == {newest.before.name}


@pytest.mark.parametrize(("user", "size"), [("empty-file", 0), ("truncated-file", None), ("download-swallowed", None)])
def test_files_that_are_not_whole(ann, newest, user, size):
    user = f"{user}+no-code"
    ann.sign_in(user).search(accounts(user)[0]).open_bill(accounts(user)[0])
    if user.startswith("download-swallowed"):
        with pytest.raises(IndexError):
            ann.usage()
        assert ann.usage()
        return
    if size is None:
        with pytest.raises(IncompleteRead):
            ann.usage()
    else:
        assert len(ann.usage()) == size


# Usage


def test_all_usage_and_the_history_of_an_account(ann, today):
    user = "multi+no-code+usage"
    account = accounts(user)[0]
    ann.sign_in(user).search(account).open_bill(account)
    assert account in ann.said("main p")
    ((status, told),) = ann.queries()
    history = told["presentationHints"]["recentUsageHistory"]
    assert status == 200
    assert f"{today:%Y-%m}" in [entry["date"][:7] for entry in history]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", entry["date"]) for entry in history)
    assert all(re.fullmatch(r"\d+\.\d\d", entry["data"]) for entry in history)
    rows = list(csv.DictReader(io.StringIO(ann.usage().decode("utf-8-sig"))))
    assert ({row["Account number"] for row in rows}, len(rows)) == ({account}, 30)


def test_another_kind_of_usage_is_another_file(ann, admin):
    user = "ok+no-code+part"
    ann.sign_in(user).search(accounts(user)[0]).open_bill(accounts(user)[0]).tab("Usage")
    assert said_in(ann.find(KIND)) == "Data usage"
    rows = list(csv.DictReader(io.StringIO(ann.click("button", "Download").files[-1][1].decode("utf-8-sig"))))
    assert len(rows) < 30
    ann.sign_out().sign_in("usage-filter-fails+no-code")
    ann.search(accounts("usage-filter-fails+no-code")[0]).open_bill(accounts("usage-filter-fails+no-code")[0])
    with pytest.raises(AssertionError):
        ann.usage()


def test_the_history_is_for_those_who_are_signed_in(ann, tmobile):
    user = "ok+no-code+json"
    ann.sign_in(user).search(accounts(user)[0]).open_bill(accounts(user)[0])
    place = ann.find("main").cssselect("[data-query]")[0]
    token, place.attrib["data-token"] = place.get("data-token"), "another"
    assert ann.queries()[0][0] == 403
    place.set("data-token", token)
    assert ann.queries()[0][0] == 200
    ann.person.jar.clear()
    assert ann.queries()[0][0] == 401


@pytest.mark.parametrize(
    ("user", "statuses", "data"),
    [
        ("usage-missing", [200], None),
        ("usage-unknown", [200], "Not available"),
        ("query-twice", [200, 200], r"\d+\.\d\d"),
        ("query-late", [200], r"\d+\.\d\d"),
        ("query-fails", [500], None),
    ],
)
def test_histories_that_say_less(ann, today, user, statuses, data):
    user = f"{user}+no-code"
    ann.sign_in(user).search(accounts(user)[0]).open_bill(accounts(user)[0])
    answers = ann.queries()
    assert [status for status, _ in answers] == statuses
    entries = answers[-1][1].get("presentationHints", {}).get("recentUsageHistory", [])
    found = [entry["data"] for entry in entries if entry["date"].startswith(f"{today:%Y-%m}")]
    assert (re.fullmatch(data, found[0]) is not None) if data else found == []
    if user.startswith("query-twice"):
        assert "presentationHints" not in answers[0][1]


@pytest.mark.parametrize(
    ("user", "before"),
    [
        ("row-other-first", lambda user, own: TmobileState.people.numbered(f"row {user}", 1)),
        ("namesake-first", lambda user, own: [f"{own[0]}0"]),
        ("filter-fails", lambda user, own: [own[2], own[1]]),
        ("ok", lambda user, own: []),
    ],
)
def test_what_a_search_lists_first(ann, user, before):
    user = f"{user}+multi+no-code+search"
    own = accounts(user)
    rows = [row.partition(" ")[0] for row in ann.sign_in(user).search(own[0]).rows()]
    assert rows == [*before(user, own), own[0]]


def test_without_a_search_the_first_row_is_another_account(ann):
    user = "multi+no-code+first-row"
    ann.sign_in(user).click("#billingApp").find("div.billinglist-data")
    assert has(ann.rows()[0], accounts(user)[-1])
    ann.search("123")
    assert "No accounts found" in ann.said()


@pytest.mark.parametrize(
    ("user", "opened"),
    [
        ("rows-move", lambda user, own: TmobileState.people.numbered(f"row {user}", 1)[0]),
        ("wrong-account", lambda user, own: own[1]),
    ],
)
def test_a_row_that_opens_another_account(ann, user, opened):
    user = f"{user}+multi+no-code"
    own = accounts(user)
    ann.sign_in(user).search(own[0]).open_bill(own[0])
    assert has(ann.said("main p"), opened(user, own))


# Bills


@pytest.mark.parametrize("user", ["multi", "multi+row-other-first", "multi+no-detailed-bill", "mid-month"])
def test_a_bill(ann, newest, today, user):
    user = f"{user}+no-code"
    account, closing = accounts(user)[0], 15 if user.startswith("mid-month") else 0
    month = newest.after if closing and newest.after.closes_on(closing) < today else newest
    ann.sign_in(user).search(account).open_bill(account).cycle(shown_cycle(month, closing))
    text, invoice = text_of(ann.pdf()), Invoice(account, month, "USD", closing=closing)
    for said in (account, invoice.number, f"${invoice.total:,.2f}", "USD", f"{invoice.end:%B} {invoice.end.day}"):
        assert said in text
    assert f"${invoice.total:,.2f}" in ann.said("main")


def test_periods_have_no_year_and_cross_new_year(ann, admin):
    user = "mid-month+no-code+new-year"
    now = datetime.now(TmobileState.zone)
    admin.clock((datetime(now.year + 1, 1, 20, 12, tzinfo=TmobileState.zone) - now).total_seconds())
    try:
        ann.sign_in(user)
        offered = _cycles(ann, user)
        assert offered[:3] == ["Current", "Dec 16 - Jan 15", "Nov 16 - Dec 15"]
        assert offered[-1] == "View historical"
        assert len(offered) == len(set(offered)) == 13
        text = text_of(ann.cycle("Dec 16 - Jan 15").pdf())
        assert f"December 16, {now.year} to January 15, {now.year + 1}" in text
        ann.open_reports()
        assert ann.options(PERIOD)[0] == f"January {now.year + 1}"
    finally:
        admin.clock(0)


def test_two_years_of_periods_have_labels_twice(ann):
    user = "two-years+no-code"
    offered = ann.sign_in(user) and _cycles(ann, user)
    assert len(offered) == 20
    assert len(set(offered)) < 20


def test_the_first_radio_is_not_the_detailed_bill(ann, newest, admin):
    user, before = "ok+no-code+summary", admin.counters()["files"].get("invoice_summary", 0)
    ann.sign_in(user).search(accounts(user)[0]).open_bill(accounts(user)[0]).cycle(shown_cycle(newest))
    ann.click("button", "View PDF bill").click("[role=dialog] button", "Download PDF")
    assert "Invoice number" not in text_of(ann.files[-1][1])
    assert admin.counters()["files"]["invoice_summary"] == before + 1


def test_the_current_period_has_no_bill(ann):
    user = "ok+no-code+current"
    ann.sign_in(user).search(accounts(user)[0]).open_bill(accounts(user)[0])
    assert said_in(ann.find("mat-select")) == "Current"
    ann.click("button", "View PDF bill")
    assert "not ready" in ann.said("[role=alert]")
    ann.pick("mat-select", "View historical")
    assert "older bills" in ann.said("[role=alert]")


@pytest.mark.parametrize("user", ["wrong-account-file", "wrong-month", "total-differs"])
def test_bills_that_are_not_what_the_page_says(ann, newest, user):
    user = f"{user}+no-code"
    own = accounts(user)[0]
    ann.sign_in(user).search(own).open_bill(own).cycle(shown_cycle(newest))
    text, invoice = text_of(ann.pdf()), Invoice(own, newest, "USD")
    said = (own in text, f"to {newest.last_day:%B %d, %Y}" in text, f"Total amount due: ${invoice.total:,.2f}" in text)
    assert said.count(False) >= 1
    assert said[["wrong-account-file", "wrong-month", "total-differs"].index(user.partition("+")[0])] is False


def test_every_scenario_lets_its_user_submit_a_password(tmobile, mails, admin):
    without = {"submit-hang", "submit-drop"}  # no answer
    for scenario in set(SCENARIOS) - without:
        reader = Tmobile.at(tmobile, mails).submit(f"{scenario}+each")
        assert reader.status in (200, 403, 429, 503), scenario
    submitted = set(admin.counters()["submissions"])
    assert {scenario for scenario in SCENARIOS if f"{scenario}+each" not in submitted} == without


# In a browser


@pytest.fixture
def tab(browser, tmobile) -> Iterator[Tab]:
    context = browser.new_context()
    page: Page = context.new_page()
    page.set_default_timeout(20_000)
    page.goto(tmobile.urls["tmobile"], wait_until="domcontentloaded")
    yield Tab(page)
    context.close()


@pytest.mark.browser
def test_a_language_and_a_code_in_a_browser(tab, mails):
    user = "ok+browser-code"
    tab.submit(user)
    code = wait_for(lambda: mails.codes(mailbox(user), "t-mobile.com"))[-1]
    button = tab.xpath(CODE_BUTTON)
    tab.page.locator("#code").fill(code)
    expect(button).to_be_disabled()
    tab.page.locator("#code").fill("")
    tab.page.locator("#code").press_sequentially(code)
    button.click()
    expect(tab.xpath(SIGNED_IN).first).to_be_visible()
    tab.xpath(LOG_OUT_TOO).click()
    expect(tab.page.locator("#emailOrPhoneNumberTextBox")).to_be_visible()


@pytest.mark.browser
def test_reports_in_a_browser(tab, newest):
    """Lists of options in an overlay that swallows clicks, a tree that comes branch by branch, menus and dialogs."""
    user = "multi+no-code+dialog-escape+browser"
    account = accounts(user)[0]
    tab.submit(user)
    tab.page.locator(REPORTING).click()
    expect(tab.page.locator("[role=dialog]")).to_be_visible()
    tab.page.keyboard.press("Escape")
    expect(tab.page.locator("[role=dialog]")).to_have_count(0)
    tab.pick(tab.page.locator(PERIOD), newest.name)
    tab.account(account)
    tab.run(*REPORTS["usage_detail"][1:3])
    expect(tab.page.locator(PERIOD)).to_have_text("Select billing period")
    tab.page.locator("[role=tab]", has_text="Other templates").click()
    tab.account(account)
    tab.run(*REPORTS["inventory_report"][1:3])
    tab.page.locator("[role=tab]", has_text="My reports").click()
    rows = tab.page.locator(ROW)
    expect(rows).to_have_count(2)
    for row, detail in ((0, account), (1, f"{newest.short} | {account}")):
        assert rows.nth(row).locator(".report-det").inner_text() == detail
        rows.nth(row).locator("button").click()
        tab.page.locator("[role=menuitem]", has_text="Download").click()
        body = tab.saved(tab.page.locator("[role=dialog] button", has_text="Download report"))
        assert {each["Account number"] for each in table(body)} == {account}


@pytest.mark.browser
def test_usage_and_a_bill_in_a_browser(tab, newest, today):
    user = "multi+no-code+browser"
    account = accounts(user)[0]
    tab.submit(user)
    tab.page.locator("#billingApp").click()
    expect(tab.page.locator("div.billinglist-data")).to_have_count(3)
    tab.xpath(SEARCH).fill(account)
    tab.xpath(SEARCH).press("Enter")
    expect(tab.page.locator("div.billinglist-data")).to_have_count(1)
    with tab.page.expect_response(lambda each: "britebill/documents/query" in each.url) as heard:
        tab.page.locator("div.billinglist-data").click()
    told = heard.value.json()["presentationHints"]["recentUsageHistory"]
    assert f"{today:%Y-%m}" in [entry["date"][:7] for entry in told]
    expect(tab.page.get_by_text(f"{told[0]['date']}: {told[0]['data']} GB")).to_be_visible()
    tab.page.locator("[role=tab]", has_text="Usage").click()
    tab.pick(tab.xpath(KIND), "All usage")
    body = tab.saved(tab.page.get_by_role("button", name="Download", exact=True))
    assert account in body.decode("utf-8-sig")
    tab.page.locator("[role=tab]", has_text="Bill").click()
    tab.pick(tab.page.locator("mat-select"), shown_cycle(newest))
    tab.page.get_by_text("View PDF bill").click()
    tab.page.locator("[role=dialog] input[type=radio]").nth(1).check()
    assert account in text_of(tab.saved(tab.page.get_by_text("Download PDF")))
