"""Listing: 10,000 checks of a watched product over the API, a page at a time. CPU of one answer, the whole application included."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

from benchmarks.bench import Bench
from benchmarks.figures import Figure, count

CHECKS = 10_000
PAGES = (1000, 100)  # rows of an answer; the first is the most that there is
TARGET = 50.0  # ms
OFTEN = "1000000 per minute"
PLAIN = "SELECT * FROM price_check_runs WHERE watchlist_item_id = ? ORDER BY id DESC LIMIT ? OFFSET ?"


def run(bench: Bench) -> list[Figure]:
    """Page through all checks, as often as there are rounds, beside a plain SELECT and json.dumps."""
    path = bench.folder / "listing.db"
    client, item, headers = served(path)
    figures: list[Figure] = []
    wrong = 0
    for rows in PAGES:
        ours: list[float] = []
        bare: list[float] = []
        offsets = range(0, CHECKS, rows)
        for _ in range(bench.rounds):
            for offset in offsets:
                url = f"/me/watchlist-items/{item}/runs?limit={rows}&offset={offset}"
                seconds, answer = timed(partial(client.get, url, headers=headers))
                wrong += answer.status_code != 200 or len(answer.get_json()) != rows
                ours.append(1000 * seconds)
                bare.append(1000 * timed(partial(plain, path, item, rows, offset))[0])
        figures.append(
            Figure("listing", f"an answer of {rows}", median(ours), TARGET, median(ours), median(bare), "CPU ms")
        )
    return [count("listing", "answers that were not whole", 0, wrong), *figures]


def served(path: Path) -> tuple[Any, int, dict[str, str]]:
    """Return a client of the application, the item with the checks, and the headers of its user."""
    from pydantic import SecretStr
    from sqlalchemy import insert

    from database.access import users
    from database.access.guesses import Limits
    from database.engine import Database
    from database.models import all_tables
    from database.models.base import utc_now
    from database.models.prices import CheckStatus, PriceCheckRun, User, WatchlistItem
    from webhook.app import create_app
    from webhook.settings import PriceWatchSettings, WebhookSettings

    db, at = Database(f"sqlite:///{path}"), utc_now()
    all_tables().create_all(db.engine)
    price: dict[str, Any] = {"price_amount": Decimal("19.99"), "price_currency": "GBP", "list_price": Decimal(49)}
    price |= {"status": CheckStatus.SUCCESS, "outcome": "success", "message": "The price is 19.99 GBP."}
    price |= {"availability": "in_stock", "source": "data_layer", "alerts": []}
    with db.transaction() as session:
        user = User(email="ana@example.com")
        session.add(user)
        session.flush()
        facts = {"portal": "shop", "product_url": "https://shop.example/p/1", "product_key": "shop.example/p/1"}
        item = WatchlistItem(user_id=user.id, threshold=Decimal(20), **facts)
        session.add(item)
        session.flush()
        times = [at - timedelta(hours=CHECKS - number) for number in range(CHECKS)]
        rows = [{"watchlist_item_id": item.id, "created_at": moment, **price} for moment in times]
        session.execute(insert(PriceCheckRun), rows)
        token = users.open_session(session, user, "", Limits())
    gateway, reader = SecretStr("gateway-token-of-the-bench"), SecretStr("reader-token-of-the-bench")
    settings = WebhookSettings(webhook_token=gateway, code_reader_token=reader, webhook_rate=OFTEN)
    app = create_app(settings, db, {}, (), prices=PriceWatchSettings(user_rate=OFTEN))
    return app.test_client(), item.id, {"Authorization": f"Bearer {token}"}


def plain(path: Path, item: int, rows: int, offset: int) -> str:
    """Do as little as one can: a SELECT, and its rows as JSON."""
    with closing(sqlite3.connect(path)) as connection:
        return json.dumps(connection.execute(PLAIN, (item, rows, offset)).fetchall())


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds of CPU that something took, and what it returned."""
    began = process_time()
    done = work()
    return process_time() - began, done
