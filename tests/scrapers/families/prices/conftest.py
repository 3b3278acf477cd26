"""A small shop on loopback, and the project with items that are watched there."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from database.engine import Database
from database.models import Run
from database.models.prices import PriceCheckRun, User, WatchlistItem
from jobs.warm import WarmParent
from tests.project import Project


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


class PriceWatch:
    """The project with a database of its own, whose items are watched at a small shop."""

    def __init__(self, project: Project, db: Database, shop: Shop) -> None:
        self.project, self.db, self.shop = project, db, shop
        self.user = 0

    def watch(self, path: str, portal: str = "shop", **values: Any) -> int:
        """Let a new user watch a path of the shop; return the item's id."""
        from scrapers.families.prices.addresses import named

        url = f"{self.shop.url}{path}"
        with self.db.transaction() as session:
            self.user += 1
            user = User(email=f"user{self.user}@example.com")
            session.add(user)
            session.flush()
            found = named(url)
            item = WatchlistItem(
                user_id=user.id,
                product_url=url,
                portal=portal,
                product_key=values.pop("product_key", found.key if found else url),
                threshold=Decimal(10),
                **values,
            )
            session.add(item)
            session.flush()
            return item.id

    def crawl(self, spider: str, *arguments: str, **environment: str) -> str:
        """Crawl, and return what was said."""
        words = [word for argument in arguments for word in ("-a", argument)]
        done = self.project.scrapy("crawl", spider, *words, env=environment or None, timeout=110)
        assert "Traceback" not in done.stderr, done.stderr
        return done.stderr

    def rows(self, model: Any) -> list[Any]:
        """Return the rows of a table in the order of their ids."""
        with self.db.transaction() as session:
            found = list(session.scalars(select(model).order_by(model.id)))
            session.expunge_all()
            return found

    @property
    def outcomes(self) -> list[str | None]:
        """The outcomes of all runs."""
        return [run.outcome for run in self.rows(Run)]

    @property
    def checks(self) -> list[Any]:
        """The checks of all items."""
        return self.rows(PriceCheckRun)

    def item(self, number: int) -> Any:
        """Return an item as it stands."""
        return next(item for item in self.rows(WatchlistItem) if item.id == number)


@pytest.fixture
def price_watch(warm: WarmParent, sqlite_with_tables: Path, tmp_path: Path) -> Iterator[PriceWatch]:
    shop = Shop()
    project = Project(
        tmp_path, warm, LATCHKEY_PRICES_PRIVATE_ADDRESSES="true", PLUGINBOUTIQUE_URL=shop.url, LATCHKEY_RETRY_WAIT="0.2"
    )
    project.data.mkdir(mode=0o700)
    shutil.copy(sqlite_with_tables, project.data / "latchkey.db")
    db = Database(f"sqlite:///{project.data / 'latchkey.db'}")
    yield PriceWatch(project, db, shop)
    project.close()
    db.engine.dispose()
    shop.close()
