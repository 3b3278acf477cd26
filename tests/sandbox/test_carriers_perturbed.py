"""Telus, AT&T, Rogers, T-Mobile and Verizon under seeds: what known.py lists is shown and stays, and a reader with the sheet gets every file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from sandbox import Running, running
from sandbox.att import accounts as att_accounts
from sandbox.att.known import NOT_SHOWN as ATT_NOT_SHOWN
from sandbox.att.state import SENDERS, AttState
from sandbox.invented import published_months
from sandbox.known import KINDS, Known, known_of
from sandbox.markup import perturbed
from sandbox.perturb import DIMENSIONS, Perturbation
from sandbox.rogers import accounts as rogers_accounts
from sandbox.rogers.known import NOT_SHOWN as ROGERS_NOT_SHOWN
from sandbox.rogers.state import SENDER, billed_on
from sandbox.telus import accounts as telus_accounts
from sandbox.telus.known import NOT_SHOWN as TELUS_NOT_SHOWN
from sandbox.tmobile import accounts as tmobile_accounts
from sandbox.tmobile.known import NOT_SHOWN as TMOBILE_NOT_SHOWN
from sandbox.tmobile.state import SENDER as TMOBILE_SENDER
from sandbox.verizon import accounts as verizon_accounts
from sandbox.verizon.known import NOT_SHOWN as VERIZON_NOT_SHOWN
from sandbox.verizon.state import SENDER as VERIZON_SENDER
from tests.project import wait_for
from tests.sandbox.att_reader import REPORTS, Att
from tests.sandbox.person import Mails
from tests.sandbox.reader import Reader
from tests.sandbox.rogers_reader import DIALOG, EXTRACT, Rogers
from tests.sandbox.rogers_reader import REPORTS as ROGERS_REPORTS
from tests.sandbox.telus_reader import REPORT_NAME, TEXT_BILL, Telus
from tests.sandbox.test_known import NOT_IN_PAGES, SELECTORS, found, settled
from tests.sandbox.tmobile_reader import REPORTS as TMOBILE_REPORTS
from tests.sandbox.tmobile_reader import Tmobile
from tests.sandbox.verizon_reader import ACTIVATION, DEVICE, SUSPENDED, UNBILLED, Verizon
from tests.turns import each_in_turn

PORTALS = ("telus", "att", "rogers", "tmobile", "verizon")
QUICK: dict[str, Any] = {"load_ms": 5, "render_ms": [0, 0], "form_ms": 0, "usage_ms": 0, "report_ms": 0, "bans_ms": 0}
QUICK |= {"bundle_ms": 0, "search_ms": 0, "notice_ms": 0, "overlay_ms": 0}
QUICK |= dict.fromkeys(("frame_ms", "language_ms", "period_ms", "tree_ms", "confirm_ms", "list_ms"), 0)
NOT_SHOWN = {
    "telus": TELUS_NOT_SHOWN,
    "att": ATT_NOT_SHOWN,
    "rogers": ROGERS_NOT_SHOWN,
    "tmobile": TMOBILE_NOT_SHOWN,
    "verizon": VERIZON_NOT_SHOWN,
}


@pytest.fixture(scope="module")
def carriers(tmp_path_factory, mails) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("carriers")
    with running(folder, PORTALS, mail_url=mails.url, sms_token=mails.token) as sandbox:
        for word in PORTALS:
            defaults = sandbox.admin[word].configuration()
            sandbox.admin[word].configure(**{name: value for name, value in QUICK.items() if name in defaults})
        for word in ("telus", "rogers", "tmobile"):
            sandbox.admin[word].configure(report_seconds=0)
        yield sandbox


def walk_telus(sandbox: Running, user: str, _mails: Mails) -> Reader:
    """Bring every file of Telus home, by test ids, ids and texts of the sheet."""
    account, newest = telus_accounts(user)[0], published_months(datetime.now(AttState.zone).date())[0]
    reader = Telus.at(sandbox)
    reader.closes = True
    reader.sign_in(user)
    assert reader.bundle(account, newest.name.split()[0], str(newest.year)).startswith(b"PK")
    assert f"Account #{account}" in reader.said()
    reader.open_detail()
    assert reader.scope(account) == account
    assert reader.month(f"b{newest.year}{newest.number:02}") == newest.name
    assert account.encode() in reader.export("42", "Mobility Device")
    reader.open_bills()
    assert reader.scope(account) == account
    entry = f"{newest.year}/{newest.number:02}"
    assert entry in reader.pick_month(newest.name).documents(account)
    assert reader.document(entry).startswith(b"%PDF")
    reader.overview().click('//*[@id="navOpen"]/li[3]/a').find_account(account)
    reader.find('//div[@data-testid="total-usage"]//*[@data-testid="usage-allowance"]')
    reader.open_iq().close_dialogs()
    assert reader.ban(account) == account
    reader.ask_report()
    wait_for(lambda: (REPORT_NAME, "Download", account) in reader.queue())
    assert account.encode() in reader.collect(REPORT_NAME, account)
    return reader


def walk_att(sandbox: Running, user: str, mails: Mails) -> Reader:
    """Bring every file of AT&T home."""
    account, newest = att_accounts(user)[0], published_months(datetime.now(AttState.zone).date())[0]
    reader = Att.at(sandbox, mails)
    reader.closes = True
    reader.sign_in(user).open_detail().pick(account).month(f"c{newest.year}{newest.number:02}")
    for report in REPORTS.values():
        assert account.encode() in reader.export(*report)
        assert reader.back().shown_scope() == account
    reader.open_summary()
    reader.click("#accordion .panel-title span", "Unbilled details")
    reader.click("//button[@name='ViewReport'][normalize-space()='Unbilled usage details totals (GB usage)']")
    assert account.encode() in reader.click("#export").tick("#radCsvLabel").click("#hrefOK").files[-1][1]
    assert reader.open_bills().shown_scope() == account
    assert reader.bill(newest.name).startswith(b"%PDF")
    return reader


def walk_rogers(sandbox: Running, user: str, mails: Mails) -> Reader:
    """Bring every file of Rogers home, and the usage of every user."""
    account, newest = rogers_accounts(user)[0], published_months(datetime.now(AttState.zone).date())[0]
    reader = Rogers.at(sandbox, mails)
    reader.closes = True
    reader.sign_in(user)
    for report in ROGERS_REPORTS.values():
        reader.open_report(*report).pick(account).run().cycle(f"{billed_on(account, newest):%m/%d/%Y}")
        assert account.encode() in reader.export()
    reader.open_report(*EXTRACT).pick(account).run()
    reader.frame(DIALOG)
    reader.click("#TB_closeWindowButton")
    assert reader.collect(account).startswith(b"PK")
    reader.open_account(account)
    assert reader.select_all() == [10, 10, 5]
    assert len([said for _, _, said in reader.usage() if said.endswith("B")]) == 25
    assert reader.open_bills(newest.short.replace(" ", "-")).bill(account).startswith(b"%PDF")
    return reader


def walk_verizon(sandbox: Running, user: str, mails: Mails) -> Reader:
    """Bring every file of Verizon home."""
    account, newest = verizon_accounts(user)[0], published_months(datetime.now(AttState.zone).date())[0]
    reader = Verizon.at(sandbox, mails)
    reader.closes = True
    reader.sign_in(user).open_raw()
    assert reader.raw(newest.short).startswith(b"PK")
    reader.click("div.Modal.is-active button", "×")
    for track in (DEVICE, ACTIVATION, SUSPENDED, UNBILLED):
        reader.open_report("Usage" if track == UNBILLED else "Others", track).pick_account(account)
        if track == DEVICE:
            reader.choose("#monthRangeFrom", newest.short).choose("#monthRangeTo", newest.short)
        if track == ACTIVATION:
            reader.type("#dateFrom", f"{newest.number:02}/01/{newest.year}")
            reader.type("#dateTo", f"{newest.last_day:%m/%d/%Y}")
        reader.apply()
        assert reader.shown("Select number") == account
        assert account.encode() in reader.download() or reader.files[-1][1].startswith(b"PK")
    reader.open_bills().choose_account(account)
    assert reader.bill_account() == account
    assert reader.bill(newest.short).startswith(b"%PDF")
    reader.sign_out()
    return reader


def walk_tmobile(sandbox: Running, user: str, mails: Mails) -> Reader:
    """Bring every file of T-Mobile home, and the history of usage."""
    account, newest = tmobile_accounts(user)[0], published_months(datetime.now(AttState.zone).date())[0]
    reader = Tmobile.at(sandbox, mails)
    reader.closes = True
    reader.sign_in(user).open_reports()
    for slug in TMOBILE_REPORTS:
        reader.order(slug, account, newest.name)
    for slug in TMOBILE_REPORTS:
        assert reader.collect(slug, account, newest.short)
    reader.search(account).open_bill(account)
    status, told = reader.queries()[-1]
    assert status == 200
    assert {"date", "data"} <= told["presentationHints"]["recentUsageHistory"][0].keys()
    assert account.encode() in reader.usage()
    end = newest.last_day
    assert reader.cycle(f"{end:%b} 1 - {end:%b} {end.day}").pdf().startswith(b"%PDF")
    return reader


WALKS: dict[str, Callable[[Running, str, Mails], Reader]] = {
    "telus": walk_telus,
    "att": walk_att,
    "rogers": walk_rogers,
    "verizon": walk_verizon,
    "tmobile": walk_tmobile,
}


@pytest.fixture(scope="module")
def pages(carriers, mails) -> dict[str, list[str]]:
    """The HTML that each portal has drawn on walks, and on the ways that these do not go."""
    told: dict[str, list[str]] = {}
    for word in PORTALS:
        told[word] = WALKS[word](carriers, "multi+pages", mails).pieces
    more = Telus.at(carriers).open("/my-telus").submit("skip-popup+cookie-banner")
    more.closes = True
    told["telus"] += more.pieces
    for user in ("interstitial-stays", "cookie-banner", "skip-popup+pages", "report-never", "former-reports"):
        more = Telus.at(carriers).open("/my-telus").submit(user)
        if user in ("report-never", "former-reports"):
            more.closes = True
            more.open_iq().close_dialogs()
            more.ban(telus_accounts(user)[0])
            more.ask_report()
        told["telus"] += more.pieces
    more = Telus.at(carriers)
    more.sign_in("multi+header").bill_option(TEXT_BILL).find_account(telus_accounts("multi+header")[0])
    told["telus"] += more.pieces
    states = (
        "success",
        "fail",
        "timeout",
        "expired",
        "challenge-error",
        "verifying",
    )  # of the widget in the wall's frame
    for state in states:
        told["telus"] += Telus.at(carriers).open(f"/cdn-cgi/challenge-platform/{state}").pieces
    carriers.admin["telus"].configure(layout="b")
    told["telus"] += Telus.at(carriers).open("/my-telus").pieces
    carriers.admin["telus"].configure(layout="a")
    carriers.admin["rogers"].configure(layout="b")
    told["rogers"] += Rogers.at(carriers, mails).pieces
    carriers.admin["rogers"].configure(layout="a")
    pending = Rogers.at(carriers, mails).sign_in("report-never+no-code")
    pending.open_report(*EXTRACT).run().click("#TB_closeWindowButton").requests()
    told["rogers"] += pending.pieces
    told["verizon"] += verizon_pages(carriers, mails)
    for user in ("layout-b", "feedback-overlay+no-code", "older-labels+no-code"):
        older = Att.at(carriers, mails).submit(user)
        if user == "layout-b":
            older.tick("//fieldset/div[1]/fieldset/div[2]/label").click("//fieldset/div[4]/input[3]")
        if user.startswith("older"):
            older.open_detail().click("//*[@id='thisForm']/div/div[1]/ul//a", "Charges and usage").open_summary()
        told["att"] += older.pieces
    for user in ("layout-b+no-code", "went-wrong-always+no-code", "no-code+not-there", "dialog-icon+no-code"):
        other = Tmobile.at(carriers, mails).submit(user)
        other.closes = user.startswith("dialog")
        other.open_reports().history()
        told["tmobile"] += other.pieces
    other = Tmobile.at(carriers, mails).sign_in("ok+no-code+code-page").search("no such account")
    told["tmobile"] += other.pieces
    carriers.admin["tmobile"].configure(layout="b")
    told["tmobile"] += Tmobile.at(carriers, mails).submit("ok+older-code").pieces
    carriers.admin["tmobile"].configure(layout="a")
    return {word: list(dict.fromkeys(piece for piece in pieces if piece.strip())) for word, pieces in told.items()}


def verizon_pages(sandbox: Running, mails: Mails) -> list[str]:
    """Return the HTML of what a walk through Verizon does not meet."""
    pieces = []
    for user in ("captcha", "ok+choice", "welcome-hub+no-code", "promo-overlay+no-code", "promo-modal+no-code", "totp"):
        pieces += Verizon.at(sandbox, mails).submit(user).pieces
    pieces += Verizon.at(sandbox, mails).sign_in("layout-b").pieces
    return pieces


@pytest.mark.parametrize("portal", PORTALS)
def test_every_fact_has_a_kind_and_a_section(portal):
    for fact in (*known_of(portal).facts, *NOT_SHOWN[portal]):
        assert fact.kind in KINDS
        assert re.fullmatch(r"[0-9]+(\.[0-9]+)*", fact.section), fact
        assert fact.value


@pytest.mark.parametrize("portal", PORTALS)
def test_what_is_listed_is_in_the_imitation(portal, pages):
    listed = known_of(portal)
    total: dict[tuple[str, str], int] = {}
    for html in pages[portal]:
        for fact, count in found(html, listed).items():
            total[fact] = total.get(fact, 0) + count
    missing = {
        (fact.kind, fact.value)
        for fact in listed.facts
        if fact.kind not in NOT_IN_PAGES and not total[fact.kind, fact.value]
    }
    assert missing == set()


def test_senders_are_those_of_the_imitation():
    assert known_of("att").of("sender") == set(SENDERS)
    assert known_of("rogers").of("sender") == {SENDER}
    assert known_of("verizon").of("sender") == {VERIZON_SENDER}
    assert known_of("tmobile").of("sender") == {TMOBILE_SENDER}


@pytest.mark.parametrize("portal", PORTALS)
@pytest.mark.parametrize("seed", [0, 1])
def test_no_seed_changes_what_is_known(portal, seed, pages):
    compare(portal, Perturbation.of(seed), pages)


@pytest.mark.matrix
@pytest.mark.parametrize("portal", PORTALS)
@pytest.mark.parametrize(
    "seed", [*range(2, 10), *(pytest.param(seed, marks=pytest.mark.figures) for seed in range(10, 30))]
)
def test_no_seed_of_many_changes_what_is_known(portal, seed, pages):
    compare(portal, Perturbation.of(seed), pages)


@pytest.mark.matrix
@pytest.mark.parametrize("portal", PORTALS)
@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_no_dimension_changes_what_is_known(portal, dimension, pages):
    compare(portal, Perturbation.of(5, [dimension]), pages)


def compare(portal: str, perturbation: Perturbation, pages: dict[str, list[str]]) -> None:
    """Perturb all pieces; what is known is there as often as before, or more often beside namesakes and copies."""
    listed: Known = known_of(portal)
    more = any(perturbation.on(name) for name in ("namesakes", "decoys", "further", "label-forms"))
    for html in pages[portal]:
        before = found(html, listed)
        after = found(settled(perturbed(html, perturbation, listed, scripted=True)), listed)
        for fact, count in before.items():
            if fact[0] in SELECTORS:
                continue
            held = after[fact] >= count if more and count else after[fact] == count or (more and fact[0] == "contained")
            assert held, (html[:120], fact, count, after[fact])


@pytest.mark.parametrize("seed", [3, 11, 27])
@pytest.mark.parametrize("portal", PORTALS)
def test_a_sample_of_seeds_keeps_to_the_sheet(carriers, mails, portal, seed):
    walk_perturbed(carriers, mails, portal, seed, None)


@pytest.mark.matrix
@pytest.mark.parametrize("seed", [*range(2), *(pytest.param(seed, marks=pytest.mark.figures) for seed in range(2, 40))])
@pytest.mark.parametrize("portal", PORTALS)
def test_every_seed_keeps_to_the_sheet(carriers, mails, portal, seed):
    walk_perturbed(carriers, mails, portal, seed, None)


@pytest.mark.matrix
@pytest.mark.parametrize(("portal", "dimension"), each_in_turn(PORTALS, list(DIMENSIONS)))
def test_every_dimension_keeps_to_the_sheet(carriers, mails, portal, dimension):
    walk_perturbed(carriers, mails, portal, 7, [dimension])


def walk_perturbed(sandbox: Running, mails: Mails, portal: str, seed: int, only: list[str] | None) -> None:
    """Bring all files home from a perturbed portal."""
    sandbox.admin[portal].perturb(seed, only or ())
    try:
        WALKS[portal](sandbox, f"multi+seed{seed}-{'-'.join(only or ())}", mails)
    finally:
        sandbox.admin[portal].perturb(None)
