"""The pages in a real browser, on a telephone and a desktop, in light and dark, by keyboard alone, and without JavaScript."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from database.models.prices import AlertResult, PriceCheckRun
from middlewares.download.browser import find_browser
from sandbox.mailserver import serving
from tests.project import ROOT, wait_for
from tests.web import Answer, WebServer
from tests.webhook.api.conftest import ANA, BEN, PASSWORD, PHONES, SENDER
from tests.webhook.pages.conftest import Visitor
from webhook.api.checking import Checker, Crawls

pytestmark = pytest.mark.browser
AXE = Path(__file__).parent / "axe" / "axe.min.js"
PHONE, DESKTOP = {"width": 360, "height": 740}, {"width": 1280, "height": 800}
SCREENS = pytest.mark.parametrize("screen", [PHONE, DESKTOP], ids=["phone", "desktop"])
CRAWL = 120_000  # milliseconds that a crawl may take on a busy machine
LARGEST_PICTURE = 150_000  # bytes
SCRIPT = "<script>document.title = 'taken'</script><img src=x onerror=\"document.title = 'taken'\">"

PRODUCT_PAGE = """<!doctype html><html lang="en"><head><title>Echo</title><script type="application/ld+json">
{"@context": "https://schema.org", "@type": "Product", "name": "Tape Echo", "sku": "1001", "url": "%s",
 "offers": {"@type": "Offer", "price": "%s", "priceCurrency": "GBP", "availability": "https://schema.org/InStock"}}
</script></head><body><h1>Tape Echo</h1><p>%s GBP</p></body></html>"""


class Shop(WebServer):
    """A shop with one product. price: None while its page is gone."""

    def __init__(self):
        super().__init__()
        self.price = "12.50"

    @property
    def product(self):
        """The address of the product."""
        return f"{self.url}/products/1001-tape-echo"

    def answer(self, asked):
        if not self.price:
            return Answer("gone", 404)
        return Answer(PRODUCT_PAGE % (self.product, self.price, self.price))


class Quiet(WSGIRequestHandler):
    def log(self, *args):
        """Write nothing."""


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=find_browser())
        yield launched
        launched.close()


@pytest.fixture
def site(make_api, sqlite, tmp_path, monkeypatch, mail_server):
    """The application behind a server, with crawls of its own that ask a shop; nothing stands in the place of anything."""
    environment = {
        "PRICES_PRIVATE_ADDRESSES": "true",
        "DATABASE_URL": sqlite.engine.url.render_as_string(hide_password=False),
        "DATA_DIR": str(tmp_path / "data"),
        "SMTP_ADDRESS": "127.0.0.1",
        "SMTP_PORT": str(mail_server.port),
        "SMTP_SECURITY": "none",
        "EMAIL_ADDRESS": SENDER,
        "EMAIL_PASSWORD": PASSWORD,
    }
    for name, value in environment.items():
        monkeypatch.setenv(f"LATCHKEY_{name}", value)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(ROOT)
    crawls = Crawls()
    api = make_api(checker=Checker(sqlite, 0, start=crawls))
    server = make_server("127.0.0.1", 0, api.app, threaded=True, request_handler=Quiet)
    with serving(server), serving(Shop()) as shop:
        api.url, api.shop = f"http://127.0.0.1:{server.port}", shop
        yield api
        crawls.close()
    api.wait()


@pytest.fixture
def window(browser, site):
    """
    Give a function that opens a window; at the end no script may have failed, and the policy have refused nothing.

    refusals: what the test makes the policy refuse.
    """
    opened, wrong, expected = [], [], []

    def open_(screen, scheme="light", signed_in=False, refusals=0, **options):
        expected.append(refusals)
        context = browser.new_context(
            viewport=screen, color_scheme=scheme, base_url=site.url, locale="en-GB", **options
        )
        context.set_default_timeout(30_000)
        opened.append(context)
        if signed_in:
            site.visitor = Visitor(site).signed_in()
            token = site.visitor.client.get_cookie("pb_session").value
            context.add_cookies([{"name": "pb_session", "value": token, "url": site.url, "httpOnly": True}])
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        return page

    yield open_
    for context in opened:
        context.close()
    # That a page was refused with a status is no mistake of a script.
    said = [each for each in wrong if "Failed to load resource" not in each]
    assert len(said) == sum(expected), said


def message(page, said):
    expect(page.locator("p.message").first).to_have_text(said)


def fits(page):
    """Tell whether nothing stands out at the side."""
    return page.locator("html").evaluate("html => html.scrollWidth <= innerWidth")  # waits for a page that is coming


def register(page, site, email=ANA):
    page.goto("/prices/register")
    page.get_by_label("Mail address").fill(email)
    page.get_by_label("Phone number").fill(PHONES[email])
    page.get_by_role("button", name="Send the code").click()
    expect(page.get_by_role("heading", name="the code of the mail")).to_be_visible()
    page.get_by_label("Code", exact=True).fill(site.mailed(email))
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="the code of the text message")).to_be_visible()
    page.get_by_label("Code", exact=True).fill(site.texted(PHONES[email]))
    page.get_by_role("button", name="Continue").click()
    message(page, "You are registered and signed in.")


@SCREENS
def test_every_action(window, site, screen):
    page = window(screen)
    register(page, site)
    assert fits(page)

    # Adding, with what is wrong beside its field, and a preview of what was read.
    page.get_by_role("link", name="Add a product").click()
    page.get_by_label("Address of the product's page").fill("ftp://shop.example/p/1")
    page.get_by_role("button", name="Read the price").click()
    expect(page.locator("#product_url-problem")).to_have_text("An address begins with http:// or https://.")
    page.get_by_label("Address of the product's page").fill(site.shop.product)
    page.get_by_role("button", name="Read the price").click()
    expect(page.get_by_text("12.50 GBP")).to_be_visible(timeout=CRAWL)
    read = page.get_by_label("What was read")
    expect(read).to_contain_text("Tape Echo")
    expect(read).to_contain_text("structured data (JSON-LD)")
    page.get_by_label("Threshold", exact=True).fill("12")
    expect(page.get_by_label("Its currency")).to_have_value("GBP")
    page.get_by_label("The price changes at all").check()
    page.get_by_role("button", name="Watch this product").click()
    message(page, "The product is watched.")
    expect(page.locator("price-chart[data-ready=yes] canvas")).to_be_visible()
    assert fits(page)

    # A check now, whose end the page shows by itself.
    site.shop.price = "9.99"
    page.get_by_role("button", name="Check now").click()
    expect(page.locator("#check")).to_contain_text("The shop is being asked.")
    expect(page.locator("#check")).to_contain_text("Checked. The price is 9.99 GBP.", timeout=CRAWL)
    expect(page.locator("#standing .big")).to_contain_text("9.99 GBP Below your threshold")
    expect(page.locator(".wide tbody tr")).to_have_count(2)
    expect(page.locator("price-chart[data-ready=yes] canvas")).to_be_visible()
    # One that fails changes no price.
    site.shop.price = None
    page.get_by_role("button", name="Check now").click()
    expect(page.locator("#check")).to_contain_text("The check has failed.", timeout=CRAWL)
    expect(page.locator("#standing .big")).to_contain_text("9.99 GBP Last check failed")
    expect(page.locator("tr.failed")).to_have_count(1)

    # The alert that the second check gave rise to was mailed.
    def sent():
        page.goto("/prices/alerts")
        return page.locator(".mark.good").count()

    wait_for(sent)
    expect(page.locator("main")).to_contain_text("below the threshold, price changed")
    assert any("9.99 GBP" in mail["Subject"] for mail in site.mail_server.mails if mail["To"] == ANA)
    assert fits(page)

    # Editing, pausing, going on.
    page.get_by_role("link", name="Tape Echo").click()
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Threshold", exact=True).fill("0")
    page.get_by_role("button", name="Store the changes").click()
    expect(page.locator("#threshold-problem")).to_contain_text("Give an amount above 0")
    page.get_by_label("Threshold", exact=True).fill("8.5")
    page.get_by_label("Your name for it").fill("My echo")
    page.get_by_role("button", name="Store the changes").click()
    message(page, "The changes are stored.")
    expect(page.get_by_role("heading", name="My echo")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    message(page, "The product is paused: it is not checked until you resume it.")
    expect(page.get_by_role("button", name="Check now")).to_have_count(0)
    page.get_by_role("button", name="Resume").click()
    message(page, "The product is watched again.")
    page.get_by_role("link", name="Products", exact=True).click()
    expect(page.locator(".items li")).to_contain_text("My echo")
    expect(page.locator(".items polyline")).to_have_count(1)
    assert fits(page)
    page.get_by_label("Name or address").fill("nothing of that name")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("main")).to_contain_text("No product fits.")
    page.get_by_role("link", name="Show all").click()

    # Deleting asks first.
    page.get_by_role("link", name="My echo").click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("link", name="Keep it").click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete it").click()
    message(page, "The product and its checks are deleted.")
    expect(page.locator("main")).to_contain_text("Nothing is watched yet.")

    # Channels of alerts.
    page.get_by_role("link", name="Channels").click()
    page.get_by_label("Address").fill("ntfy://my-host.example/topic-7731")
    page.get_by_role("button", name="Add it").click()
    expect(page.locator("#address-problem")).to_contain_text("users may name none")
    page.get_by_label("Address").fill("ntfy://topic-7731")
    page.get_by_label("Name").fill("Telephone")
    page.get_by_role("button", name="Add it").click()
    message(page, "Alerts are sent there, too.")
    expect(page.locator(".items li")).to_contain_text("Telephone")
    assert "topic-7731" not in page.content()
    assert fits(page)
    page.get_by_role("button", name="Delete Telephone").click()
    message(page, "The channel is deleted.")

    # Sign-ins.
    site.sign_in(headers={"User-Agent": "Another program"})
    page.get_by_role("link", name="Sign-ins").click()
    expect(page.locator(".items li")).to_have_count(2)
    assert fits(page)
    page.locator("li", has_text="Another program").get_by_role("button").click()
    message(page, "The sign-in has ended.")
    expect(page.locator(".items li")).to_have_count(1)
    site.sign_in()
    page.reload()
    page.get_by_role("button", name="End all others").click()
    message(page, "All other sign-ins have ended.")

    # The account.
    page.get_by_role("link", name="Account").click()
    assert fits(page)
    page.get_by_label("New mail address").fill(BEN)
    page.get_by_role("button", name="Send the code by mail").click()
    page.get_by_label("Code", exact=True).fill(site.mailed(BEN))
    page.get_by_role("button", name="Change it").click()
    message(page, "The mail address is changed. All other sign-ins have ended.")
    page.get_by_label("New phone number").fill(PHONES[BEN])
    page.get_by_role("button", name="Send the code by text message").click()
    page.get_by_label("Code", exact=True).fill(site.texted(PHONES[BEN]))
    page.get_by_role("button", name="Change it").click()
    message(page, "The phone number is changed. All other sign-ins have ended.")
    page.get_by_role("button", name="Sign out").click()
    message(page, "You are signed out.")
    page.get_by_label("Mail address").fill(BEN)
    page.get_by_role("button", name="Send the code").click()
    page.get_by_label("Code", exact=True).fill(site.texted(PHONES[BEN]))
    page.get_by_role("button", name="Continue").click()
    message(page, "You are signed in.")
    page.get_by_role("link", name="Account").click()
    page.get_by_role("link", name="Delete the account").click()
    page.get_by_label("Delete my account").check()
    page.get_by_role("button", name="Delete everything").click()
    message(page, "Your account is deleted, with everything that belonged to it.")


def tab_to(page, what):
    """Press Tab until the focus is on what is meant, and return it."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if what.evaluate("each => each === document.activeElement"):
            # Whoever does not use a mouse must see where they are.
            shown = "each => { const s = getComputedStyle(each); return s.outlineStyle !== 'none' || s.boxShadow !== 'none' }"
            assert what.evaluate(shown)
            return what
    raise AssertionError(f"the keyboard does not come to {what}")


def test_the_keyboard_alone(window, site):
    """Signing in, adding, checking and pausing, with Tab, Space and Enter."""
    site.register()
    page = window(DESKTOP)
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_label("Mail address"))
    page.keyboard.type(ANA)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Code", exact=True)).to_be_focused()
    page.keyboard.type(site.texted())
    page.keyboard.press("Enter")
    message(page, "You are signed in.")
    tab_to(page, page.get_by_role("link", name="Add a product"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_label("Address of the product's page"))
    page.keyboard.type(site.shop.product)
    page.keyboard.press("Enter")
    expect(page.get_by_text("12.50 GBP")).to_be_visible(timeout=CRAWL)
    tab_to(page, page.get_by_label("Threshold", exact=True))
    page.keyboard.type("20")
    tab_to(page, page.get_by_label("The shop no longer has the product"))
    page.keyboard.press("Space")
    tab_to(page, page.get_by_role("button", name="Watch this product"))
    page.keyboard.press("Enter")
    message(page, "The product is watched.")
    tab_to(page, page.get_by_role("button", name="Check now"))
    page.keyboard.press("Enter")
    expect(page.locator("#check")).to_contain_text("Checked.", timeout=CRAWL)
    expect(page.locator(".wide tbody tr")).to_have_count(2)
    expect(page.get_by_role("button", name="Check now")).to_be_focused()
    tab_to(page, page.get_by_role("button", name="Pause"))
    page.keyboard.press("Enter")
    message(page, "The product is paused: it is not checked until you resume it.")


def test_without_javascript(window, site):
    page = window(PHONE, java_script_enabled=False)
    register(page, site)
    page.get_by_role("link", name="Add a product").click()
    page.get_by_label("Address of the product's page").fill(site.shop.product)
    page.get_by_role("button", name="Read the price").click()

    def read():
        if page.get_by_text("12.50 GBP").count():
            return True
        page.get_by_role("button", name="Look again").click()
        return False

    wait_for(read, 120, every=0.5)
    page.get_by_label("Threshold", exact=True).fill("20")
    page.get_by_role("button", name="Watch this product").click()
    message(page, "The product is watched.")
    expect(page.locator(".wide tbody tr")).to_have_count(1)


def watched(visitor):
    """Give a user products of all kinds, with a history; return the number of the one with the longest."""
    api = visitor.api
    visitor.item(product_url=f"https://www.shop.example/{'long-' * 60}", label="x" * 200, threshold=1)
    hall = visitor.item(product_url="https://www.shop.example/products/1002-hall", label="Large Hall", threshold=40)
    for amount in (49, 49, 55, 52):
        visitor.read(hall, amount, availability="in_stock", source="data_layer")
    visitor.item(product_url="https://www.other.example/p/7", label="Paused synth", threshold=99, is_active=False)
    failing = visitor.item(product_url="https://www.other.example/p/8", label="Compressor", threshold=60)
    visitor.read(failing, 80)
    api.fail(failing)
    api.fail(failing)
    echo = visitor.item(label="Tape Echo", threshold=15, country="GB", alerts=["below_threshold", "new_lowest"])
    prices = [25, 25, 19.9, 19.9, None, 25, 22, 17.5, None, 17.5, 14.99, 14.99, 19.9, 12.5]
    runs = []
    for number, found in enumerate(prices):
        stock = "out_of_stock" if number in (6, 7) else "in_stock"
        more = {"list_price": Decimal(25), "availability": stock, "source": "json_ld"}
        runs.append(api.fail(echo) if found is None else visitor.read(echo, found, **more))
    with api.db.transaction() as session:
        for age, run in enumerate(reversed(runs)):
            row = session.get_one(PriceCheckRun, run)
            row.created_at -= timedelta(days=2 * age)
            if row.alerts:
                row.alert_result, row.alert_sent, row.message = (
                    AlertResult.SENT,
                    True,
                    f"{row.message} The alert was sent.",
                )
    return echo


@pytest.mark.parametrize("scheme", ["light", "dark"])
@SCREENS
def test_axe_finds_nothing_serious(window, site, screen, scheme):
    """On every page, filled and empty: no finding that is serious or critical, and nothing stands out at the side."""
    page = window(screen, scheme, signed_in=True)
    page.context.add_init_script(path=str(AXE))
    empty = ["items", "items/new", "alerts", "items?q=nothing"]
    for path in empty:
        page.goto(f"/prices/{path}")
        assert serious(page) == [], path
    item = watched(site.visitor)
    for path in (
        "items",
        "alerts",
        "sessions",
        "account",
        "account/delete",
        "nothing",
        *(f"items/{item}{more}" for more in ("", "/edit", "/delete")),
    ):
        page.goto(f"/prices/{path}")
        assert serious(page) == [], path
        assert fits(page), path
    page.goto("/prices/items/new")
    page.get_by_label("Address of the product's page").fill(site.shop.product)
    page.get_by_role("button", name="Read the price").click()
    expect(page.get_by_text("12.50 GBP")).to_be_visible(timeout=CRAWL)
    assert serious(page) == []
    page.get_by_label("Threshold", exact=True).fill("12,5")
    page.get_by_role("button", name="Watch this product").click()
    expect(page.locator("#threshold-problem")).to_be_visible()
    assert serious(page) == []
    assert fits(page)
    page.get_by_role("button", name="Sign out").click()
    message(page, "You are signed out.")
    assert serious(page) == []
    page.get_by_label("Mail address").fill(ANA)
    page.get_by_role("button", name="Send the code").click()
    page.get_by_label("Code", exact=True).fill("000000")
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#code-problem")).to_be_visible()
    assert serious(page) == []
    page.goto("/prices/register")
    assert serious(page) == []
    assert fits(page)


def serious(page):
    """Return what axe-core finds on a page that is serious or critical: rule, and the element."""
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [
        (each["id"], node["target"], node["failureSummary"])
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


def test_a_script_in_the_name_of_a_product_is_text(window, site):
    page = window(DESKTOP, signed_in=True)
    item = site.visitor.item(label=SCRIPT)
    site.visitor.read(item, 5, title=SCRIPT, message=SCRIPT)
    for path in ("items", f"items/{item}", f"items/{item}/edit", f"items/{item}/delete", "alerts"):
        page.goto(f"/prices/{path}")
        assert page.title() != "taken"
        assert page.locator("main img, main script").count() == 0
    expect(page.locator("main")).to_contain_text("<script>")


def test_the_policy_stops_what_escaping_would_let_through(window):
    page = window(DESKTOP, signed_in=True, refusals=2)
    page.goto("/prices/items")
    page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "document.title = 'taken'";
        document.body.append(script);
        document.querySelector("main").insertAdjacentHTML("beforeend", `<img src="/x" onerror="document.title = 'taken'">`);
    }""")
    page.wait_for_function("document.querySelector('main img').complete")
    assert page.title() == "Products – Latchkey"


@SCREENS
def test_pictures(window, site, screen, tmp_path):
    """The pictures in docs/images are made like this; pytest's folder has them after a run (`--basetemp`)."""
    page = window(screen, "light" if screen is DESKTOP else "dark", signed_in=True)
    item = watched(site.visitor)
    name = "phone" if screen is PHONE else "desktop"
    for path, what in (("items", "products"), (f"items/{item}", "product")):
        page.goto(f"/prices/{path}")
        if what == "product":  # as far down as its chart
            page.set_viewport_size({**screen, "height": 1000})
            expect(page.locator("price-chart[data-ready=yes] canvas")).to_be_visible()
        picture = tmp_path / f"prices-{what}-{name}.png"
        page.screenshot(path=picture)
    pictures = sorted(tmp_path.glob("*.png"))
    assert len(pictures) == 2
    for picture in pictures:
        assert picture.stat().st_size < LARGEST_PICTURE
        assert (ROOT / "docs" / "images" / picture.name).stat().st_size < LARGEST_PICTURE
