"""The shop of `scrapy demo`: five products are watched, a price falls, one mail comes, and a chart is drawn."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jobs.warm import WarmParent
    from sandbox import Running
    from sandbox.mailserver import MailServer

SPIDER = "pluginboutique_prices"
KINDS = ("history", "data-layer", "sale", "buy-box", "json-ld")  # the price of the first one falls
THRESHOLDS = {"history": 30}  # of all others: too low to be met
USER, SENDER, PASSWORD = "ana@example.com", "watch@example.com", "demo"
DAYS, DAY_SECONDS = 6, 86_400
WIDTH, HEIGHT, MARGIN = 640, 260, 40
BARS = "▁▂▃▄▅▆▇█"
COLUMNS = ("product", "checks", "first", "lowest", "now", "history", "alerts")


@dataclass(frozen=True, slots=True)
class Watched:
    """A product that is watched, and what its checks have found; prices in pounds, the oldest first."""

    title: str
    threshold: str
    prices: tuple[str, ...]
    alerts: int


@dataclass(frozen=True, slots=True)
class Shopping:
    """What the shop's part has brought. mails: of this run."""

    products: list[Watched]
    mails: list[str]
    chart: Path
    succeeded: bool


def watch_prices(folder: Path, environment: Mapping[str, str], running: Running) -> Shopping:
    """Watch five products for some days of the shop's clock, the first time; then look once more."""
    from jobs.warm import WarmParent
    from sandbox.mailserver import MailServer, serving

    admin, url = running.admin["pluginboutique"], running.origins["pluginboutique"][""]
    with tempfile.TemporaryDirectory(prefix="latchkey-demo-") as place, serving(MailServer(PASSWORD)) as server:
        here = {**environment, **running.environment, **mail_settings(server)}
        warm = WarmParent.start(Path(place) / "warm", here)
        try:
            listed = folder / "watchlist.json"
            listed.write_text(json.dumps(list(watchlist(url))))
            scrapy(warm, here, "prices", "watch", str(listed), "--user", USER)
            # A shop that was closed begins at its first day again; what is stored has gone further.
            for day in range(min(len(stored(folder)[0].prices), DAYS - 1), DAYS):
                admin.clock(day * DAY_SECONDS)
                print(f"scrapy crawl {SPIDER}  (day {day + 1} of the shop)", flush=True)
                scrapy(warm, here, "crawl", SPIDER, "-s", "DOWNLOAD_DELAY=0")  # the shop is ours: it needs no pauses
        finally:
            warm.close()
        mails = [str(mail["Subject"]).strip() for mail in server.mails]
    products = stored(folder)
    chart = folder / "prices.svg"
    first = products[0]
    chart.write_text(
        draw(f"{first.title}: the price at each check", list(map(Decimal, first.prices)), Decimal(first.threshold))
    )
    return Shopping(products, mails, chart, sum(each.alerts for each in products) == 1)


def scrapy(warm: WarmParent, environment: Mapping[str, str], *arguments: str) -> None:
    """Run a command of ours to its end; raise CalledProcessError when it fails."""
    done = warm.run(arguments, env=environment, capture_output=True)
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, " ".join(arguments[:2]), done.stdout, done.stderr)


def watchlist(url: str) -> Iterator[dict[str, str]]:
    """Yield the lines of the list of products."""
    from sandbox.pluginboutique import address

    for kind in KINDS:
        yield {
            "url": url + address(kind, 1),
            "threshold": str(THRESHOLDS.get(kind, 1)),
            "currency": "GBP",
            "country": "GB",
        }


def mail_settings(server: MailServer) -> dict[str, str]:
    """Return the settings by which mails go to a server."""
    given = {"SMTP_ADDRESS": "127.0.0.1", "SMTP_PORT": str(server.port), "SMTP_SECURITY": "none"}
    given |= {"EMAIL_ADDRESS": SENDER, "EMAIL_PASSWORD": PASSWORD}
    return {f"LATCHKEY_{name}": value for name, value in given.items()}


def stored(folder: Path) -> list[Watched]:
    """Return what is stored of the products, in the order in which they were listed."""
    from sqlalchemy import select

    from database.engine import Database
    from database.models.prices import PriceCheckRun, WatchlistItem

    db = Database(f"sqlite:///{folder / 'latchkey.db'}")
    found: list[Watched] = []
    with db.transaction() as session:
        for item in session.scalars(select(WatchlistItem).order_by(WatchlistItem.id)):
            of_item = select(PriceCheckRun).where(PriceCheckRun.watchlist_item_id == item.id).order_by(PriceCheckRun.id)
            checks = session.scalars(of_item).all()
            prices = tuple(f"{check.price_amount:.2f}" for check in checks if check.price_amount is not None)
            sent = sum(check.alert_sent for check in checks)
            found.append(Watched(item.title or item.product_url, f"{item.threshold:.2f}", prices, sent))
    db.engine.dispose()
    return found


def show_prices(console: Any, shopping: Shopping, root: str) -> None:
    """Print the products, the mail, and where the chart is."""
    from rich.table import Table

    table = Table(title="What the shop asked for, and what was told")
    for name in COLUMNS:
        table.add_column(name, justify="left" if name in ("product", "history") else "right")
    for each in shopping.products:
        shown = (each.prices[0], min(each.prices, key=Decimal), each.prices[-1]) if each.prices else ("", "", "")
        bars = sparkline(list(map(Decimal, each.prices)))
        table.add_row(each.title, str(len(each.prices)), *shown, bars, str(each.alerts))
    console.print(table)
    for subject in shopping.mails:
        console.print(f"Mail       to {USER}: {subject}", highlight=False)
    console.print(f"Chart      {root}/demo/{shopping.chart.name}", highlight=False)


def summary(shopping: Shopping) -> dict[str, Any]:
    """Return what the shop's part has brought, as plain data."""
    products = [asdict(each) for each in shopping.products]
    return {"products": products, "mails": shopping.mails, "succeeded": shopping.succeeded}


def sparkline(prices: Sequence[Decimal]) -> str:
    """Return prices as a line of bars; those of a price that never changes are in the middle."""
    if not prices:
        return ""
    low, high = min(prices), max(prices)
    return "".join(
        BARS[3 if low == high else int((price - low) * 7 / (high - low) + Decimal("0.5"))] for price in prices
    )


def draw(title: str, prices: Sequence[Decimal], threshold: Decimal) -> str:
    """Return the chart of a price beside its threshold as an SVG: a line of steps, because a price holds until the next check."""
    top = max(*prices, threshold) * Decimal("1.1") if prices else threshold
    step = Decimal(WIDTH - 2 * MARGIN) / max(len(prices), 1)

    def y(amount: Decimal) -> float:
        return round(float(HEIGHT - MARGIN - amount * (HEIGHT - 2 * MARGIN) / top), 1)

    points, labels = [], []
    for place, price in enumerate(prices):
        left = round(float(MARGIN + place * step), 1)
        right = round(float(MARGIN + (place + 1) * step), 1)
        points += [f"{left},{y(price)}", f"{right},{y(price)}"]
        labels.append(f'<text x="{left + 4}" y="{y(price) - 6}">{price:.2f}</text>')
        labels.append(f'<text class="quiet" x="{left + 4}" y="{HEIGHT - MARGIN + 16}">check {place + 1}</text>')
    line = f'x1="{MARGIN}" x2="{WIDTH - MARGIN}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
        "<style>text{font:12px sans-serif;fill:#222}.quiet{fill:#666}"
        "polyline{fill:none;stroke:#0b62a8;stroke-width:2.5}.limit{stroke:#b3261e;stroke-dasharray:5 4}.axis{stroke:#bbb}"
        f'</style><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/><text x="{MARGIN}" y="20">{escape(title)}</text>'
        f'<line class="axis" {line} y1="{y(Decimal(0))}" y2="{y(Decimal(0))}"/>'
        f'<line class="limit" {line} y1="{y(threshold)}" y2="{y(threshold)}"/>'
        f'<text x="{WIDTH - MARGIN - 96}" y="{y(threshold) - 6}">threshold {threshold:.2f}</text>'
        f'<polyline points="{" ".join(points)}"/>{"".join(labels)}</svg>\n'
    )
