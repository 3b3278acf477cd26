"""The TruckTech+ imitation: sign-in with all that may follow it, the fleet in three layouts, and every trouble's sign."""

from __future__ import annotations

import json
import re
import time
from functools import partial

import pytest
from playwright.sync_api import sync_playwright
from scrapy import Selector

from middlewares.download.browser import find_browser
from sandbox import NEW_PASSWORD, PASSWORD, AdminError, phone, running, totp_code, totp_secret
from sandbox.trucktech import fleet
from tests.project import wait_for
from tests.sandbox.person import Person

SEVERITIES = {"critical": "critical", "red": "critical", "warning": "major", "yellow": "major"}
SEVERITIES |= {"info": "minor", "blue": "minor"}
LEVELS = {"Critical": "critical", "Warning": "major", "Info": "minor", None: "unknown"}


class Driver(Person):
    """Somebody who reads the pages as a careful person does."""

    def submit(self, username, password=PASSWORD, timeout=60):
        form = {"csrf_token": self.ask("/login").token, "auth_key": username, "password": password}
        return self.ask("/login", form, timeout=timeout)

    def press(self, address, **form):
        return self.ask(address, {"csrf_token": self.ask(address).token, **form})

    def signed_in(self, username):
        assert self.submit(username).location == "/dashboard"
        return self

    def vehicles(self):
        """Return all vehicles as (VIN, unit, year, make, model, status), and how many pages they were on."""
        address, found, pages = "/assets", [], 0
        while address:
            page = Selector(text=self.ask(address).text)
            pages += 1
            if embedded := page.css("#assets-document::text").get():
                document = json.loads(embedded)
                names = ("vin", "unit_number", "year", "make", "model", "vmrs_asset_status")
                found += [tuple(row["attributes"][name] for name in names) for row in document["data"]]
                assert document["meta"]["total"] >= len(found)
                address = document["links"]["next"]
                continue
            for row in page.css("tr.asset-row, article.asset-card"):
                said = row.css(".year-make-model::text").get("")
                year, make, model = (*said.split(" ", 2), "")[:3] if said[:4].isdecimal() else (None, said, "")
                vin, unit = row.css(".vin *::text, a.vin::text").get(), row.css(".unit-number::text").get()
                found.append((vin, unit, year and int(year), make, model, row.css(".status::text").get()))
            address = page.css("a[rel=next]::attr(href)").get("")
        return found, pages

    def faults(self, vin):
        """Return a vehicle's faults: (source address, SPN, FMI, active, severity, text, occurrences, first, last)."""
        page = Selector(text=self.ask(f"/assets/{vin}/diagnostics").text)
        assert page.css(".asset .vin::text").get() == vin
        if text := page.css("#faults-document::text").get():
            rows = [row["attributes"] for row in json.loads(text)["data"]]
            return [
                (
                    row["source_address"],
                    int(row["spn"]),
                    int(row["fmi"]),
                    row["active"],
                    LEVELS[row["details"]["severity_level"]],
                    row["details"]["description"],
                    row["details"]["occurrences"],
                    row["first_triggered_at"],
                    row["triggered_at"],
                )
                for row in rows
            ]
        rows = page.css("tr.fault-row, article.fault-item")
        assert bool(rows) != bool(page.css(".no-faults")), "one of the two is always said"
        found = []
        for row in rows:
            classes = set(row.attrib["class"].split())
            spn, fmi = re.fullmatch(r"SPN (\d+) FMI (\d+)", row.css(".code::text").get()).groups()
            count = row.css(".occurrences::text").get()
            found.append(
                (
                    int(row.css(".source-address::text").get().split()[0]),
                    int(spn),
                    int(fmi),
                    not classes & {"inactive", "historical"},
                    next((SEVERITIES[name] for name in classes if name in SEVERITIES), "unknown"),
                    row.css(".description::text").get(),
                    int(count) if count.isdecimal() else None,
                    row.css(".first-seen time::attr(datetime)").get(),
                    row.css(".last-seen time::attr(datetime)").get(),
                )
            )
        return found


@pytest.fixture(scope="module")
def trucktech(tmp_path_factory, phones):
    with running(tmp_path_factory.mktemp("trucktech"), ("trucktech",), phones.url, phones.token) as sandbox:
        yield sandbox


@pytest.fixture
def admin(trucktech):
    admin = trucktech.admin["trucktech"]
    admin.reset()
    admin.configure(
        vehicles=142, fleet_faults=23, per_page=25, layout="table", maintenance=False, signed_out_answer="redirect"
    )
    return admin


@pytest.fixture
def driver(trucktech, admin):
    return lambda: Driver(trucktech.urls["trucktech"])


@pytest.fixture
def signed_in(driver):
    return lambda username: driver().signed_in(username)


def code_of(username, steps=0, clock=0.0):
    return totp_code(totp_secret(username), int((time.time() + clock) // 30) + steps)


# Signing in


@pytest.mark.browser
def test_signs_in_with_a_browser_and_goes_on_without_it(trucktech, admin, driver):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser())
        page = browser.new_page()
        page.goto(trucktech.urls["trucktech"] + "/dashboard")
        assert page.url.endswith("/login")
        page.locator("#auth_key").fill("totp+trust-device+elsewhere+policy-page")
        page.locator("input[type=password]").fill(PASSWORD)
        page.locator("[type=submit]").click()
        page.locator("input[name=code]").fill(code_of("totp+trust-device+elsewhere+policy-page"))
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("button", name="Trust this device").click()
        page.get_by_role("dialog").get_by_role("button", name="Continue").click()
        page.get_by_role("button", name="Remind me later").click()
        page.wait_for_url("**/dashboard")
        assert page.locator("header .user-name").inner_text() == "totp+trust-device+elsewhere+policy-page"
        cookies = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in page.context.cookies())
        browser.close()
    page = driver().ask("/assets", Cookie=cookies)
    assert (page.status, page.text.count("<tr class")) == (200, 25)
    counters = admin.counters()
    assert (counters["sign_ins"], counters["codes_used"], counters["lists_served"]) == (1, 1, 1)
    assert (counters["devices_trusted"], counters["policies_accepted"], counters["policies_postponed"]) == (1, 0, 1)


@pytest.mark.parametrize(
    ("username", "password", "sign"),
    [
        ("ok", "wrong", "Invalid user name"),
        ("nobody-we-know", PASSWORD, "Invalid user name"),
        ("wrong-password", PASSWORD, "Invalid user name"),
        ("locked", PASSWORD, "is locked"),
        ("locked+lang-fr", PASSWORD, "est verrouillé"),
    ],
)
def test_a_refused_sign_in_says_why(driver, admin, username, password, sign):
    answer = driver().submit(username, password)
    page = Selector(text=answer.text)
    assert sign in page.css(".alert-danger::text").get()
    assert page.css("#auth_key, input[type=password], [type=submit]").getall()
    assert (answer.status, admin.counters()["submissions"], admin.counters()["sign_ins"]) == (200, {username: 1}, 0)


def test_the_new_password_is_right_and_a_stale_form_is_not(driver, admin):
    bob = driver()
    token = bob.ask("/login").token
    assert bob.submit("wrong-password", NEW_PASSWORD).location == "/dashboard"
    assert driver().ask("/login", {"csrf_token": token, "auth_key": "ok", "password": PASSWORD}).status == 403
    assert driver().ask("/dashboard").location == "/login", "the probe of those who are signed out"
    assert bob.ask("/login").location == "/dashboard"
    bob.ask("/logout")
    assert bob.ask("/assets").location == "/login"
    admin.configure(signed_out_answer="page")
    assert 'id="auth_key"' in bob.ask("/assets").text


@pytest.mark.parametrize(("steps", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
@pytest.mark.parametrize("clock", [0, -3600])
def test_an_authenticators_code_may_be_one_step_off(driver, admin, steps, good, clock):
    """Seen from the portal's clock, which may be turned."""
    clock += 5 - time.time() % 30  # a step has just begun, so that it lasts
    admin.clock(clock)
    bob, username = driver(), f"totp+{steps}"
    assert bob.submit(username).location == "/verification"
    assert bob.ask("/dashboard").location == "/login", "not signed in yet"
    answer = bob.press("/verification", code=code_of(username, steps, clock))
    if good:
        assert answer.location == "/dashboard"
    else:
        assert "is not valid" in Selector(text=answer.text).css(".alert-danger::text").get()
    assert admin.counters()["codes_refused"] == (not good)


def test_an_authenticators_code_is_good_once(driver, admin):
    code = code_of("totp+once")
    for number, seen in enumerate(("/dashboard", "")):
        bob = driver()
        bob.submit("totp+once")
        assert bob.press("/verification", code=code).location == seen
        assert admin.counters()["codes_refused"] == number


def test_a_text_message_brings_the_code(driver, phones):
    bob = driver()
    assert bob.submit("sms+by-text").location == "/verification"
    page = bob.ask("/verification").text
    assert "text message" in page
    assert 'name="code"' not in page, "that one is an authenticator's"
    code = wait_for(partial(phones.codes, phone("sms+by-text")))[-1]  # a slow gateway is asked again
    assert bob.press("/verification", verification_code=code).location == "/dashboard"


def test_an_email_is_never_delivered(driver, admin, trucktech):
    bob = driver()
    bob.submit("email+gate")
    assert "an email with a verification code" in bob.ask("/verification").text
    assert admin.counters()["code_requests"] == 1
    assert not [message for message in admin.messages() if message["receiver"] == phone("email+gate")]
    code = admin.secrets()["codes"][-1]
    assert bob.press("/verification", verification_code=code).location == "/dashboard"


def test_a_factor_that_nobody_knows_has_no_field(driver):
    bob = driver()
    assert bob.submit("mfa-none-known").location == "/verification"
    page = bob.ask("/verification").text
    assert "security key" in page
    assert "<input" not in page
    assert not re.search("text message|sms|email|verification code", page, re.IGNORECASE)


def test_a_captcha_wants_a_tick_and_its_word(driver, admin):
    ana = driver()
    assert ana.submit("captcha").location == "/captcha"
    assert '<iframe title="Captcha" src="/captcha/box"' in ana.ask("/captcha").text
    for ticked, right, leads_to in (("", True, "/captcha"), ("yes", False, "/captcha"), ("yes", True, "/dashboard")):
        box = ana.ask("/captcha/box")
        word = admin.secrets()["codes"][-1]
        assert word in box.text
        answer = ana.ask("/captcha", {"csrf_token": box.token, "person": ticked, "word": word if right else "x"})
        assert answer.location == leads_to
    assert admin.counters()["captchas_refused"] == 2


def test_codes_are_tried_three_times(driver):
    bob = driver()
    bob.submit("code-refused")
    for _ in range(3):
        assert bob.press("/verification", verification_code="123456").status == 200
    assert bob.press("/verification", verification_code="123456").location == "/login"
    assert bob.ask("/verification").location == "/login"


def test_a_trusted_browser_owes_no_code(driver, admin):
    bob = driver()
    username = "totp+trust-device"
    bob.submit(username)
    assert bob.press("/verification", code=code_of(username)).location == "/trust_device"
    assert bob.ask("/dashboard").location == "/login"
    assert bob.press("/trust_device", trust="yes").location == "/dashboard"
    bob.ask("/logout")
    bob.signed_in(username)
    assert driver().submit(username).location == "/verification", "another browser does"


def test_going_on_ends_the_session_elsewhere(driver, signed_in):
    first, second = driver(), driver()
    for bob in (first, second):
        assert bob.submit("elsewhere").location == "/elsewhere"
        assert 'role="dialog"' in bob.ask("/elsewhere").text
        assert bob.press("/elsewhere").location == "/dashboard"
    assert first.ask("/assets").location == "/login"
    assert second.ask("/assets").status == 200


@pytest.mark.parametrize(("username", "choices"), [("policy-page", 2), ("policy-required", 1)])
def test_policies_stand_before_every_page(driver, admin, username, choices):
    bob = driver().signed_in(username)
    assert bob.ask("/dashboard").location == bob.ask("/assets").location == "/policies"
    assert len(Selector(text=bob.ask("/policies").text).css("[type=submit]")) == choices
    assert bob.ask("/policies", {"decision": "later"}).location == "/dashboard"
    assert bob.ask("/assets").status == (200 if choices == 2 else 302)
    assert driver().signed_in(username).ask("/assets").location == "/policies", "later is for one session"
    bob.ask("/policies", {"decision": "accept"})
    assert driver().signed_in(username).ask("/assets").status == 200, "consent is for good"
    assert (admin.counters()["policies_accepted"], admin.counters()["policies_postponed"]) == (1, choices - 1)


@pytest.mark.parametrize(("username", "where"), [("landing-home", "/home"), ("landing-odd", "/start/today")])
def test_other_first_pages(driver, username, where):
    bob = driver()
    assert bob.submit(username).location == where
    assert f'class="user-name">{username}<' in bob.ask(where).text
    assert bob.ask("/dashboard").status == 200


# The fleet


def shown(fault):
    """Return what a driver reads of a fault of the true fleet."""
    first = tuple(fault[name] for name in ("source_address", "spn", "fmi", "active"))
    last = tuple(fault[name] for name in ("description", "occurrences", "first_seen", "last_seen"))
    return (*first, fleet.CLASSES[fault["severity"]], *last)


@pytest.mark.parametrize("layout", ["table", "card", "json"])
def test_each_layout_shows_the_same_fleet(signed_in, admin, layout):
    truth = admin.ask("fleet")
    assert (len(truth["vehicles"]), len(truth["faults"]), truth["critical"]) == (142, 23, 3)
    bob = signed_in(f"ok+layout-{layout}")
    vehicles, pages = bob.vehicles()
    assert pages == 6
    names = ("vin", "unit_number", "year", "make", "model", "status")
    assert vehicles == [tuple(row[name] for name in names) for row in truth["vehicles"]]
    for row in truth["vehicles"]:
        expected = [shown(fault) for fault in truth["faults"] if fault["vin"] == row["vin"]]
        assert bob.faults(row["vin"]) == expected
    counters = admin.counters()
    assert (counters["lists_served"], counters["vehicles_served"]) == (6, 142)


def test_the_fleet_holds_what_is_hard_to_read():
    own = fleet.Fleet(fleet.OWN, 142, fleet.default_faults(fleet.OWN, 142, 23))
    faults = list(own.faults.values())
    assert len(own.vehicles) == len({vehicle.vin for vehicle in own.vehicles}) == 142
    for vin in (vehicle.vin for vehicle in own.vehicles):
        assert re.fullmatch("[A-HJ-NPR-Z0-9]{17}", vin)
        assert fleet.check_digit(vin) == vin[8]
    assert fleet.check_digit("1M8GDM9AXKP042788") == "X", "a well-known example"
    assert {vehicle.make for vehicle in own.vehicles if vehicle.year is None} >= {"Western Star", "Kenworth"}
    assert {len(str(fault.spn)) for fault in faults} == {1, 2, 3, 4, 6}
    assert max(fault.spn for fault in faults) == 524287
    assert {0, 31} <= {fault.fmi for fault in faults}
    assert {fault.source_address for fault in faults if (fault.vehicle, fault.spn, fault.fmi) == (3, 639, 9)} == {0, 3}
    inactive = [fault for fault in faults if not fault.active]
    assert len(inactive) == 5
    assert any(fault.spn in fleet.CRITICAL_SPNS and fault.severity == "red" for fault in inactive)
    assert sum(fault.critical for fault in faults) == 3
    assert {fault.severity for fault in faults} == set(fleet.CLASSES)
    assert all(re.search(r"\d{3,5}/\d\d?", fault.description) for fault in faults if fault.vehicle in (8, 50))
    earlier = {fault.key for fault in fleet.default_faults(fleet.OWN, 142, 18)}
    assert [fault.active for fault in faults if fault.key not in earlier] == [True] * 5
    many = fleet.Fleet(fleet.OWN, 2000, fleet.default_faults(fleet.OWN, 2000, 500))
    assert len(many.faults) == 500
    assert len({vehicle.vin for vehicle in many.vehicles}) == 2000


def test_faults_come_and_go(signed_in, admin):
    admin.configure(fleet_faults=18)
    bob, truth = signed_in("ok+later"), admin.ask("fleet")
    vin = truth["vehicles"][2]["vin"]
    assert len(truth["faults"]) == 18
    before = bob.faults(vin)
    admin.configure(fleet_faults=23)
    assert len(bob.faults(vin)) == len(before) + 1
    added = {"vehicle": vin, "spn": 4364, "fmi": 2, "severity": "info", "source_address": 61}
    told = admin.ask(
        "fleet",
        {
            "add": [added],
            "close": [{"vehicle": 3, "spn": 100, "fmi": 1}],
            "deactivate": [{"vehicle": 3, "spn": 110, "fmi": 16}],
        },
    )
    assert (len(told["faults"]), told["critical"]) == (23, 3), "one critical fault came, one went"
    now = {(row[0], row[1]): row[3] for row in bob.faults(vin)}
    assert now[(61, 4364)] is True
    assert now[(0, 110)] is False
    assert (0, 100) not in now
    for wrong in (
        {"add": [{"vehicle": 143, "spn": 1, "fmi": 1}]},
        {"add": [{"vehicle": 1, "spn": 524288, "fmi": 1}]},
        {"add": [{"vehicle": 1, "spn": 1, "fmi": 1, "colour": "red"}]},
        {"close": [{"vehicle": 3, "spn": 100, "fmi": 1}]},
        {"open": []},
    ):
        with pytest.raises(AdminError):
            admin.ask("fleet", wrong)
    admin.reset()
    assert len(admin.ask("fleet")["faults"]) == 23


def test_changes_outlive_the_portal(tmp_path):
    with running(tmp_path, ("trucktech",), vehicles=3, fleet_faults=0) as sandbox:
        bob = Driver(sandbox.urls["trucktech"]).signed_in("ok")
        told = sandbox.admin["trucktech"].ask("fleet", {"add": [{"vehicle": 1, "spn": 7, "fmi": None}]})
        sandbox.kill()
        sandbox.start()
        assert sandbox.admin["trucktech"].ask("fleet") == told
        page = bob.ask(f"/assets/{told['vehicles'][0]['vin']}/diagnostics").text
        assert '<td class="code">SPN 7</td>' in page, "a fault without FMI"


def test_fleets_of_other_sizes(signed_in, admin):
    assert len(signed_in("ok+vehicles-51+faults-0").vehicles()[0]) == 51
    assert signed_in("ok+vehicles-25").vehicles()[1] == 1
    for layout in ("table", "card"):
        assert "No data available" in signed_in(f"ok+vehicles-0+layout-{layout}").ask("/assets").text
    assert '"total": 0' in signed_in("ok+vehicles-0+layout-json").ask("/assets").text
    admin.configure(per_page=100)
    assert signed_in("ok").vehicles()[1] == 2
    for wrong in ({"vehicles": -1}, {"vehicles": "many"}, {"layout": "tree"}, {"per_page": 0}):
        with pytest.raises(AdminError):
            admin.configure(**wrong)


# Trouble


def test_one_vehicle_fails_always_or_a_few_times(signed_in, admin):
    vin, other = (row["vin"] for row in admin.ask("fleet")["vehicles"][2:4])
    for username, seen in (("ok+fails-3", [500] * 4), ("ok+fails-3+times-2", [500, 500, 200, 200])):
        bob = signed_in(username)
        assert [bob.ask(f"/assets/{vin}/diagnostics").status for _ in range(4)] == seen
        assert bob.ask(f"/assets/{other}/diagnostics").status == 200
    assert bob.ask("/assets/1XKAD4BY0CJ000000/diagnostics").status == 404


@pytest.mark.parametrize(
    "word", ["unknown-page", "error-page", "empty-page", "blank-page", "empty-table", "loading-page"]
)
def test_pages_that_nobody_understands(signed_in, admin, word):
    vin, other = (row["vin"] for row in admin.ask("fleet")["vehicles"][2:4])
    nothing = "tbody tr, article, script, .no-faults, .no-data"
    bob = signed_in(f"{word}+page-2")
    answer = bob.ask("/assets?page=2")
    assert (answer.status, Selector(text=answer.text or "<p>").css(nothing).getall()) == (200, [])
    assert bob.ask("/assets").text.count("asset-row") == 25
    bob = signed_in(f"ok+{word}+vehicle-3+times-1")
    answer = bob.ask(f"/assets/{vin}/diagnostics")
    assert (answer.status, Selector(text=answer.text or "<p>").css(nothing).getall()) == (200, [])
    assert len(bob.faults(vin)) == 5, "once only"
    assert bob.faults(other)
    assert bob.ask("/assets").text.count("asset-row") == 25


def test_rows_that_are_hard_to_read(signed_in, admin):
    truth = admin.ask("fleet")["vehicles"]
    pages = {
        name: signed_in(f"ok+{name}").ask(f"/assets/{truth[2]['vin']}/diagnostics").text
        for name in ("missing-fmi", "short-codes", "lang-fr", "wrong-vehicle-3")
    }
    assert pages["missing-fmi"].count(">SPN 639<") == 2
    assert pages["short-codes"].count(">639/9<") == 2
    assert "Adresse source" in pages["lang-fr"]
    assert "SPN 639 FMI 9" in pages["lang-fr"]
    assert f'<span class="vin">{truth[3]["vin"]}</span>' in pages["wrong-vehicle-3"]
    bob = signed_in("lang-fr")
    assert ">Suivant</a>" in bob.ask("/assets").text
    assert "Aucun défaut" in bob.ask(f"/assets/{truth[0]['vin']}/diagnostics").text


def test_another_customers_fleet(signed_in, admin):
    own, others = signed_in("ok").vehicles()[0], signed_in("other-customer").vehicles()[0]
    assert not {row[0] for row in own} & {row[0] for row in others}
    page = signed_in("other-customer+a").ask("/dashboard").text
    assert 'class="user-name">ok+somebody-else@example.com<' in page


def test_a_session_is_good_for_so_many_requests_or_a_day(signed_in, admin):
    bob = signed_in("ok+expires-30")
    assert [bob.ask("/dashboard").status for _ in range(31)] == [200] * 30 + [302]
    bob = signed_in("ok+day")
    admin.clock(86_399)
    assert bob.ask("/dashboard").status == 200
    admin.clock(86_460)
    assert bob.ask("/dashboard").location == "/login"


def test_too_many_requests_and_maintenance(signed_in, driver, admin):
    for username, waits in (("rate-limited", "1"), ("rate-limited-bare", None)):
        bob = signed_in(username)
        answers = [bob.ask("/assets") for _ in range(3)]
        assert [answer.status for answer in answers] == [429, 429, 200]
        assert answers[0].headers.get("Retry-After") == waits
    assert signed_in("maintenance").ask("/assets").status == 503
    bob = signed_in("unknown-landing+times-1")
    assert "Take the tour" in bob.ask("/dashboard").text
    assert bob.ask("/dashboard").status == 200
    admin.configure(maintenance=True)
    assert bob.ask("/assets").status == driver().ask("/login").status == 503
