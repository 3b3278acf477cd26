"""A small shop on loopback, and the project with items that are watched there."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from jobs.warm import WarmParent
from tests.portals.prices import PriceWatch, watching


@dataclass
class Answer:
    """What the shop answers: body, status and headers."""

    body: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Asked:
    """A request, as it came."""

    path: str
    headers: dict[str, str]
    at: float


class Shop:
    """A server whose answers are set by path; a path without one is 404."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[Asked] = []
        shop = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                shop.asked.append(Asked(self.path, dict(self.headers), time.monotonic()))
                answer = shop.answers.get(self.path) or Answer("<h1>Not found</h1>", 404)
                etag = answer.headers.get("ETag")
                if etag and self.headers.get("If-None-Match") == etag:
                    answer = Answer("", 304, {"ETag": etag})
                self.send_response(answer.status)
                body = answer.body.encode()
                for name, value in {"Content-Type": "text/html; charset=utf-8", **answer.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *said: Any) -> None:
                """Print nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def paths(self) -> list[str]:
        """Return the paths that were asked for, in order."""
        return [asked.path for asked in self.asked]

    def close(self) -> None:
        """End the server."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def product(name: str = "Big Hall", price: Any = "49.00", currency: str = "EUR", **node: Any) -> str:
    """Return a page with a product in JSON-LD, tied by its heading."""
    offers = {"@type": "Offer", "price": price, "priceCurrency": currency, "availability": "https://schema.org/InStock"}
    said = json.dumps({"@context": "https://schema.org", "@type": "Product", "name": name, "offers": offers, **node})
    return f"<html lang=en><head><script type=application/ld+json>{said}</script></head><body><h1>{name}</h1></body></html>"


class SmallShopWatch(PriceWatch):
    """Items that are watched at a small shop, which plays the one that a spider is for."""

    shop: Shop

    def crawl(self, spider: str, *arguments: str, **options: Any) -> str:
        """Crawl, and return what was said."""
        origin = {"PLUGINBOUTIQUE_URL": self.shop.url} if spider.startswith("pluginboutique") else {}
        return super().crawl(spider, *arguments, **origin, **options)


@pytest.fixture
def price_watch(warm: WarmParent, sqlite_with_tables: Path, tmp_path: Path) -> Iterator[SmallShopWatch]:
    shop = Shop()
    with watching(
        SmallShopWatch, tmp_path, warm, sqlite_with_tables, {"shop": shop.url, "pluginboutique": shop.url}
    ) as watch:
        watch.project.environment["LATCHKEY_RETRY_WAIT"] = "0.2"
        watch.shop = shop
        yield watch
    shop.close()
