"""What known.py lists is in the imitation's output, and no seed changes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import lxml.html
import pytest
from markupsafe import Markup

from sandbox.bell.data import FILTERS, REPORTS, pools
from sandbox.bell.known import NOT_SHOWN
from sandbox.bell.pages import ALIASES, render
from sandbox.bell.state import BellState
from sandbox.invented import published_months
from sandbox.known import KINDS, Known, known_of
from sandbox.markup import known_places, perturbed
from sandbox.perturb import DIMENSIONS, Perturbation
from sandbox.plain import data, pages
from sandbox.plain.app import PlainPortal
from sandbox.trucktech import fleet as trucks
from sandbox.trucktech import layouts as lists
from sandbox.trucktech import pages as screens

PORTALS = ("bell", "plain", "trucktech")  # what the electric company answers is JSON: test_iec_perturbed.py
# Said of values, of files, or of time: nothing that a page's HTML holds as such.
NOT_IN_PAGES = {"format", "wait", "sender", "message", "address"}
SELECTORS = {"own text", "visible", "labelled", "order", "first"}  # by which the layer finds what it leaves alone
MONTHS = published_months(date(2026, 11, 30))
ROW = {"name": "Cost Overview", "start": "Oct 2026", "end": "Oct 2026", "asked": "today", "id": "1", "ready": True}
ENTRY = {"report": "Cost Overview Report", "account": "512345678", "month": "Oct 2026", "age": "a minute ago"}
COLUMNS = ["Account number", "Amount"]
# Everything that Bell's templates ask for.
CONTEXT: dict[str, Any] = {
    "base": "/corporateselfserve",
    "at": lambda name: f"/corporateselfserve/{name}",
    "named": True,
    "layout": "a",
    "shown_user": "ok@example.com",
    "accounts": ["512345678", "598765432"],
    "account": "512345678",
    "masked_mail": "c***@example.com",
    "masked_phone": "(***) ***-1234",
    "filters": [(str(number), label) for number, label in enumerate(FILTERS)],
    "reports": REPORTS.items(),
    "months": MONTHS,
    "pools": pools("512345678", date(2026, 11, 30), 2),
    "rows": [ROW, ROW | {"id": "2", "ready": False}],
    "entries": [ENTRY | {"id": "1", "failed": False}],
    "month": "October 2026",
    "name": "Cost Overview",
    "start": "Oct 2026",
    "end": "Oct 2026",
    "shown": "All usage",
    "content": "",
    "header": "",
    "status": "",
    "text": "",
    "cards": [
        ("cost_overview", "Cost Overview Report"),
        ("usage_overview", "Usage Overview Report"),
        ("user_profile", "Enhanced User Profile Report"),
        ("invoice_charge", "Invoice Charge Report"),
    ],
    "shared": True,
    "search_ms": 1,
    "near": 10,
    "shown_month": "Oct 2026",
    "shown_account": "All",
    "automatic": False,
    "label": "Cost Overview Report",
    "slug": "cost_overview",
    "columns": COLUMNS,
    "chosen": ["512345678"],
    "menu_script": False,
    "sign_in": "/corporateselfserve/Login",
    "address": "/",
    "token": "t",
    "relay": "r",
    "selection": True,
    "at_once": False,
}


def bell_pages() -> Iterator[tuple[str, str]]:
    """Give every page of Bell, and every piece of one that comes by itself."""

    def drawn(template: str, **other: Any) -> Markup:
        return render(template, **(CONTEXT | other))

    header = drawn("header")
    for stage in ("choose", "code", "totp"):
        yield f"verify {stage}", drawn("verify", stage=stage)
    yield "sign_in", drawn("sign_in")
    frame = '<p class="error-desc invalid">no</p>'
    yield "refused", str(drawn("sign_in")).replace('data-place="error">', f'data-place="error">{frame}')
    labels = render("account_labels", **CONTEXT)
    search = str(render("search_account", **CONTEXT)).replace(
        'data-place="accounts">', f'data-place="accounts">{labels}'
    )
    yield "search_account", drawn("page", header=header, content=Markup(search))
    for name in ("home", "usage", "invoice", "prepare"):
        yield name, drawn("page", header=header, content=render(name, **CONTEXT))
    for selection in (True, False):
        content = render("choose_account", **(CONTEXT | {"selection": selection, "accounts": list("abcdefghijklm")}))
        yield f"choose_account {selection}", drawn("page", header=header, content=content)
    reports = render("standard_reports", **(CONTEXT | {"status": render("report_status", **CONTEXT)}))
    menu = '<span data-menu-place><a href="#">Standard reports</a></span>'
    yield "ereports", str(drawn("ereports", content=reports)).replace("<span data-menu-place></span>", menu)
    for name in ("account_labels", "account_rows", "months", "pools", "report_status", "report_preview", "usage_table"):
        yield name, drawn(name)
    yield "ready", '<button type="button" id="downloadPDFNOWBtn" data-act="download-invoice">Download PDF now</button>'
    yield "centre_sign_in", drawn("centre_sign_in")
    for field in range(4):
        yield f"centre_otp {field}", drawn("centre_otp", field=f"message{field}")
    yield (
        "centre",
        drawn("centre", entries=["Overview", "Services", "My Reports"], content=render("centre_reports", **CONTEXT)),
    )
    for name in ("analytics_folder", "analytics_workspace", "notifications"):
        content = render(name, **CONTEXT)
        page = str(drawn("analytics", content=content))
        yield name, page.replace('data-place="notifications">', f'data-place="notifications">{content}')
    yield "workbook", drawn("workbook", rows=[["512345678", "1.00"]], months=["Oct 2026"])


def plain_pages() -> Iterator[tuple[str, str]]:
    """Give every page of the plain portal."""
    rows = [data.document("700000001", number) for number in (3, 2, 1)]
    for alert in ("credentials", "locked"):
        yield f"sign_in {alert}", pages.sign_in("token", alert, "No.")
    yield "code", pages.code("token", "sms", "code", "No.")
    yield "send", pages.code("token", "sms", to_send=True)
    yield "captcha", pages.captcha()
    yield "waiting", pages.waiting()
    yield "form", pages.refused_form()
    bodies = [
        pages.listing(rows, 3, "/documents?page=2"),
        pages.detail(rows[0]),
        pages.months(["2020-01", "2020-02"], "2020-01"),
    ]
    bodies += [pages.alert(word, "No.") for word in ("account-missing", "not-published", "purged", "month-missing")]
    for number, body in enumerate(bodies):
        yield f"signed in {number}", pages.frame("Documents", "ok", ("700000001", "700000002"), "700000001", body)


def trucktech_pages() -> Iterator[tuple[str, str]]:
    """Give every page of TruckTech+."""
    screen, words = screens.Screen("token"), screens.ENGLISH
    refused = screens.sign_in(screen, words["refused"])
    yield from ((f"refused {kind}", refused.replace("alert alert-danger", kind)) for kind in ("alert-danger", "error"))
    yield "refused error-message", refused.replace("alert alert-danger", "error-message")
    for factor in ("totp", "sms", "email"):
        yield factor, screens.verification(screen, factor, "***-0001")
    yield "trust", screens.trust_device(screen)
    yield "elsewhere", screens.elsewhere(screen)
    yield "policies", screens.policies("ok", may_wait=True)
    yield "dashboard", screens.frame("Dashboard", "ok", screens.dashboard(6))
    fleet = trucks.Fleet("own", 142, trucks.default_faults("own", 142, 23))
    for layout in lists.LAYOUTS:
        look = lists.Look(layout, words)
        part = lists.Part(fleet.vehicles[:3], 1, 1, 142, True)
        yield f"vehicles {layout}", screens.frame("Vehicles", "ok", lists.vehicle_list(part, look))
        for vehicle in fleet.vehicles:
            if fleet.faults_of(vehicle):
                body = lists.fault_list(vehicle, fleet.faults_of(vehicle), look, fleet.vehicles[-1].vin)
                yield f"faults {layout} {vehicle.index}", screens.frame("Diagnostics", "ok", body)
    none = lists.Look("table", words)
    yield "no faults", lists.fault_list(fleet.vehicles[1], (), none, "")
    yield "no data", lists.vehicle_list(lists.Part((), 1, 1, 0, False), none)


PAGES = {
    "bell": [(name, str(html)) for name, html in bell_pages()],
    "plain": list(plain_pages()),
    "trucktech": list(trucktech_pages()),
}


def settled(html: str) -> str:
    """Return what a page is when all that comes late is there, and the pointer was on every menu."""
    whole = html.startswith("<!doctype")
    tree = lxml.html.document_fromstring(html if whole else f"<html><body><div>{html}</div></body></html>")
    while (template := tree.find(".//template")) is not None:
        template.drop_tag()
    for former in tree.xpath("//*[@data-former]"):
        former.drop_tree()
    root = tree if whole else tree.body[0]
    return lxml.html.tostring(root, encoding="unicode")[(0 if whole else 5) : (None if whole else -6)]


def found(html: str, known: Known) -> dict[tuple[str, str], int]:
    """Return how often each fact is in a page: elements, texts and selectors."""
    counts = {(kind, value): count for kind, value, count in known_places(html, known)}
    tree = lxml.html.document_fromstring(f"<div>{html}</div>")
    texts = [*tree.xpath("//text()"), *tree.xpath("//@placeholder | //@aria-label | //@title | //@alt | //@value")]
    seen = [" ".join(text.split()) for text in texts]
    for value in known.of("words"):
        counts["words", value] = seen.count(value)
    for value in known.of("contained"):
        counts["contained", value] = sum(value in text for text in seen)
    documents = " ".join(tree.xpath("//script[@type='application/json']/text()"))
    for kind in ("key", "optional"):
        for value in known.of(kind):
            counts[kind, value] = documents.count(f'"{value}":')
    for value in known.of("attribute"):
        name, said = re.fullmatch(r"([\w-]+)(?:\*?=(.*))?", value).groups()
        counts["attribute", value] = len(tree.xpath(f"//*[@{name} and contains(@{name}, $said)]", said=said or ""))
    for kind in SELECTORS:
        for value in known.of(kind):
            counts[kind, value] = len(tree.cssselect(value))
    return counts


@pytest.mark.parametrize("portal", PORTALS)
def test_every_fact_has_a_kind_and_a_section(portal):
    for fact in (*known_of(portal).facts, *(NOT_SHOWN if portal == "bell" else ())):
        assert fact.kind in KINDS
        assert re.fullmatch(r"[0-9]+(\.[0-9]+)*(-[0-9]+)?|pages", fact.section), fact
        assert fact.value


@pytest.mark.parametrize("portal", PORTALS)
def test_what_is_listed_is_in_the_imitation(portal):
    known = known_of(portal)
    total: dict[tuple[str, str], int] = {}
    for _, html in PAGES[portal]:
        for fact, count in found(html, known).items():
            total[fact] = total.get(fact, 0) + count
    missing = {
        (fact.kind, fact.value)
        for fact in known.facts
        if fact.kind not in NOT_IN_PAGES and not total[fact.kind, fact.value]
    }
    assert missing == set()


def test_what_is_listed_as_not_shown_is_not_in_the_imitation():
    known = Known(NOT_SHOWN)
    assert {fact.kind for fact in NOT_SHOWN} <= {"path", "address", "sender"}
    assert not any(count for _, html in PAGES["bell"] for _, _, count in known_places(html, known))
    assert BellState.mail_sender not in known.of("sender")
    assert not known.of("address") & known_of("bell").of("address")


def test_addresses_senders_and_texts_are_those_of_the_imitation():
    served = {f"/corporateselfserve/{name}" for _, name in ALIASES[""].paths} | {
        name for _, name in ALIASES["business_portal"].paths
    }
    assert known_of("bell").of("address") <= served
    assert known_of("bell").of("sender") == {BellState.mail_sender}
    assert known_of("plain").of("sender") == {PlainPortal.sender}
    assert known_of("plain").of("message") == {PlainPortal.message}


@pytest.mark.parametrize("portal", PORTALS)
@pytest.mark.parametrize("seed", range(12))
def test_no_seed_changes_what_is_known(portal, seed):
    compare(portal, Perturbation.of(seed))


@pytest.mark.parametrize("portal", PORTALS)
@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_no_dimension_changes_what_is_known(portal, dimension):
    compare(portal, Perturbation.of(5, [dimension]))


@pytest.mark.matrix
@pytest.mark.parametrize("seed", range(12, 60))
def test_no_seed_of_many_changes_what_is_known(seed):
    for portal in PORTALS:
        compare(portal, Perturbation.of(seed))


@pytest.mark.parametrize("seed", range(12))
def test_what_is_said_to_have_a_label_keeps_one(seed):
    known = known_of("bell")
    for name, html in PAGES["bell"]:
        tree = lxml.html.document_fromstring(settled(perturbed(html, Perturbation.of(seed), known, True)) or "<p>")
        for css in known.of("labelled"):
            for field in tree.cssselect(css.replace("[name=month]", "[data-name=month]")):
                own = tree.xpath("//label[@for=$id]", id=field.get("id")) or list(field.iterancestors("label"))
                assert len(own) == 1, (name, css)
        for css in known.of("own text"):
            assert all(cell.text and cell.text.strip() for cell in tree.cssselect(css)), (name, css)


def compare(portal: str, perturbation: Perturbation) -> None:
    """Perturb all pages; what is known is there as often as before, or more often beside its namesakes and copies."""
    known = known_of(portal)
    more = any(perturbation.on(name) for name in ("namesakes", "decoys", "further", "label-forms"))
    for name, html in PAGES[portal]:
        before = found(html, known)
        after = found(settled(perturbed(html, perturbation, known, portal == "bell")), known)
        for fact, count in before.items():
            if fact[0] in SELECTORS:
                continue
            held = after[fact] >= count if more and count else after[fact] == count or (more and fact[0] == "contained")
            assert held, (name, fact, count, after[fact])


def test_a_form_that_a_browser_sends_by_itself_keeps_its_names():
    html = '<form method="post" action="/SSO"><input type="hidden" name="RelayState" value="x"></form>'
    assert 'name="RelayState"' in perturbed(html, Perturbation.of(3, ["renamed"]), known_of("bell"), True)
