"""A database as large as an installation gets: made by the database itself, in a few statements."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import text

from database.engine import Database
from database.families.cycles import period
from database.models.base import utc_now

MONTHS = 36
HASH = "a" * 64
CARRIERS = ("bell", "telus", "rogers", "att", "tmobile", "verizon")
REPORTS = 4  # of each carrier
LINES = 50  # of each report


def crowd(db: Database, accounts: int) -> datetime:
    """
    Fill an empty SQLite database: months of three years, for each account 150 files, 5,000 records and three years of runs.

    One run in 20 has failed, and one in 400 of the invoices is not stored. The records: 12 months of four reports of 50 lines, a
    year of data pools, quarters of an hour of one meter (three years of 200 accounts), each 50th of them corrected, and usage.
    Beside them five fleets that are read each day, and prices of as many products as there are accounts.
    """
    at = utc_now()
    today = at.date()
    with db.transaction() as session:
        for table, columns, rows in _small(accounts, today):
            marks = ", ".join(f":{column}" for column in columns)
            statement = text(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})")
            session.execute(statement, [dict(zip(columns, row, strict=True)) for row in rows])
        for words in _large(accounts, at):
            session.execute(text(words))
    return at


def _small(accounts: int, today: date) -> Iterator[tuple[str, tuple[str, ...], list[tuple[Any, ...]]]]:
    clients = max(1, accounts // 10)
    yield (
        "clients",
        ("id", "name", "zip_code", "phone_number", "is_testing", "active", "managed_by_expertel"),
        [(n, f"Client {n:03d}", "", "", False, True, True) for n in range(1, clients + 1)],
    )
    yield "workspaces", ("id", "name", "client_id"), [(n, "Main", n) for n in range(1, clients + 1)]
    yield (
        "carriers",
        ("id", "name", "portal", "details"),
        [(n, word, word, "{}") for n, word in enumerate(CARRIERS, 1)],
    )
    yield (
        "carrier_reports",
        ("id", "name", "slug", "carrier_id", "details", "required"),
        [
            (carrier * 10 + n, f"Report {n}", f"report_{n}", carrier, "{}", True)
            for carrier in range(1, len(CARRIERS) + 1)
            for n in range(REPORTS)
        ],
    )
    numbers = range(1, accounts + 1)
    yield (
        "accounts",
        ("id", "number", "nickname", "workspace_id", "carrier_id", "account_type", "billing_day"),
        [
            (n, f"{500_000_000 + n}", f"Lines of {n}", n % clients + 1, n % len(CARRIERS) + 1, "corporate", 15)
            for n in numbers
        ],
    )
    months = [divmod(today.year * 12 + today.month - 1 - back, 12) for back in range(-1, MONTHS)]
    spans = [(place, *period(15, year, month + 1)) for place, (year, month) in enumerate(months)]
    yield (
        "billing_cycles",
        ("id", "start_date", "end_date", "account_id", "status"),
        [
            (account * 100 + place, begin, end, account, "open" if place < 2 else "processed")
            for account in numbers
            for place, begin, end in spans
            if begin <= today
        ],
    )
    yield (
        "schedules",
        ("id", "name", "spiders", "cron", "time_zone", "jitter", "missed", "fresh_by", "priority", "paused", "seen_until", "created_at", "changed_at"),
        [
            (n, f"morning {n}", f'["{word}"]', "30 6 * * *", "UTC", 0, "once", "08:00", 0, False, *[datetime(2026, 1, 1, tzinfo=UTC).strftime("%F %T.000000")] * 3)
            for n, word in enumerate(CARRIERS, 1)
        ],
    )  # fmt: skip


def _large(accounts: int, at: datetime) -> Iterator[str]:
    def series(count: int) -> str:
        return f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"

    def ago(days: int | str) -> str:
        return f"strftime('%Y-%m-%d %H:%M:%S.000000', '{at:%Y-%m-%d %H:%M:%S}', '-' || ({days}) || ' days')"

    spider = "CASE WHEN i % 30 THEN 'daily_usage' WHEN i % 60 THEN 'pdf_invoice' ELSE 'monthly_reports' END"
    runs = accounts * 365 * 3
    # The oldest first: each day every account is asked.
    day = f"3 * 365 - 1 - (i - 1) / {accounts}"
    place = f"MIN(({day}) / 31 + 1, {MONTHS})"
    account = f"((i - 1) % {accounts} + 1)"
    columns = "id, crawl, spider, portal, report_type, account_id, username, target, state, outcome, actor, message, started_at, finished_at"
    counts = "files, records, already, missing, missing_names, sign_ins, requests, downloads, warnings, host"
    yield f"""{series(runs)} INSERT INTO runs ({columns}, billing_cycle_id, {counts})
        SELECT i, 'crawl ' || i, 'bell_' || {spider}, 'bell', {spider}, {account}, 'ana', (500000000 + {account}) || ' month',
        'finished', CASE WHEN i % 20 THEN 'success' ELSE 'portal_down' END, 'nobody', 'The run has ended.',
        {ago(day)}, {ago(day)}, {account} * 100 + {place}, 1, 30, 0, 0, '[]', 1, 12, 1, '[]', 'here' FROM n"""
    yield f"""{series(runs)} INSERT INTO scraper_jobs (id, portal, report_type, billing_cycle_id, status, created_at,
        retry_count, max_retries, attempt, returns, priority)
        SELECT i, 'bell', {spider}, {account} * 100 + {place}, 'success', {ago(day)}, 0, 3, 1, 0, 0 FROM n"""
    file = "run_id, spider, portal, report_type, account_id, billing_cycle_id, target_key, name, path, store, sha256, size, media_type, source, status, stored_at"
    yield f"""{series(accounts * 150)} INSERT INTO files (id, {file})
        SELECT i, i, 'bell_pdf_invoice', 'bell', 'pdf_invoice', {account}, NULL, 'key ' || i, 'invoice', 'bell/' || {account} ||
        '/2026-10/bell_invoice_2026-10_' || i || '.pdf', '/store', '{HASH}', 123456, 'application/pdf',
        'https://portal.example/invoices/' || i, 'ready', {ago(0)} FROM n"""
    of_cycles = "FROM billing_cycles"
    yield f"""INSERT INTO billing_cycle_pdf_files (billing_cycle_id, pdf_type, status)
        SELECT id, 'invoice', CASE WHEN id % 400 THEN 'ready' ELSE 'to_be_fetched' END {of_cycles} WHERE id % 100 > 0"""
    yield f"""INSERT INTO billing_cycle_files (billing_cycle_id, carrier_report_id, status)
        SELECT c.id, r.id, CASE WHEN (c.id + r.id) % 50 THEN 'ready' ELSE 'to_be_fetched' END {of_cycles} c
        JOIN accounts a ON a.id = c.account_id JOIN carrier_reports r ON r.carrier_id = a.carrier_id WHERE c.id % 100 > 0"""
    yield f"""{series(28)} INSERT INTO daily_usage_files (billing_cycle_id, day, status)
        SELECT id, date(start_date, '+' || i || ' days'), 'ready' {of_cycles}, n WHERE id % 100 BETWEEN 1 AND 12"""
    yield f"""{series(accounts * 1710)} INSERT INTO usage_records (billing_cycle_id, day, row, account_number, used, run_id)
        SELECT {account} * 100 + 1, '2026-10-01', i, '500', i, 1 FROM n"""
    yield f"""{series(accounts * 365)} INSERT INTO meter_periods (contract, meter, meter_code, direction, resolution, first_day, last_day, expected, found, complete)
        SELECT 30000 + {account}, '1', '503', 'consumption', 'daily', date('{at:%Y-%m-%d}', '-' || ((i - 1) / {accounts}) || ' days'),
        date('{at:%Y-%m-%d}', '-' || ((i - 1) / {accounts}) || ' days'), 96, CASE WHEN i % 50 THEN 96 ELSE 90 END, i % 50 > 0
        FROM n WHERE i % 70 > 0"""
    yield f"""INSERT INTO invoices (billing_cycle_id, pdf_type, total, currency, run_id)
        SELECT id, 'invoice', (id % 977) + 0.01, CASE WHEN id % 3 THEN 'CAD' ELSE 'USD' END, 1 {of_cycles} WHERE id % 100 > 0"""
    yield f"""{series(LINES)} INSERT INTO report_rows (billing_cycle_id, carrier_report_id, row, account_number, phone_number, data)
        SELECT c.id, r.id, i, '500', '555-' || i, '{{}}' {of_cycles} c JOIN accounts a ON a.id = c.account_id
        JOIN carrier_reports r ON r.carrier_id = a.carrier_id, n WHERE c.id % 100 BETWEEN 1 AND 12"""
    back = f"((i - 1) / {accounts})"
    yield f"""{series(accounts * 365)} INSERT INTO pool_usage (account_id, day, pool_size, pool_used)
        SELECT {account}, date('{at:%Y-%m-%d}', '-' || {back} || ' days'), 1000000000000, i * 1000 FROM n"""
    meter = "'30001', '1', '503', 'consumption', 'daily'"
    began = at.replace(hour=0, minute=0, second=0) - timedelta(minutes=15 * accounts * 525)
    starts = f"'{began:%Y-%m-%d %H:%M:%S}', '+' || (15 * i) || ' minutes'"
    yield f"""{series(accounts * 525)} INSERT INTO meter_readings (contract, meter, meter_code, direction, resolution, starts_at, kwh)
        SELECT {meter}, strftime('%Y-%m-%d %H:%M:%S.000000', {starts}), 0.0001 * (i % 10000) FROM n"""
    key = f"""'{{"contract":"30001","direction":"consumption","meter":"1","meter_code":"503","resolution":"daily","starts_at":"'
        || strftime('%Y-%m-%dT%H:%M:%S+00:00', {starts}) || '"}}'"""
    yield f"""{series(accounts * 525)} INSERT INTO versions (table_name, key, number, row, replaced_at)
        SELECT 'meter_readings', {key}, 1, '{{"kwh": "0.5"}}', {ago(0)} FROM n WHERE i % 50 = 0"""
    yield """INSERT INTO tenants (id, portal, name, created_at) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5)
        SELECT i, 'trucktech', 'Fleet ' || i, '2023-01-01 00:00:00.000000' FROM n"""
    day = "((i - 1) / 5)"
    yield f"""{series(5 * 3 * 365)} INSERT INTO syncs (id, tenant_id, completed_at, vehicles_found, faults_found, new_faults, closed_faults, critical_faults, errors, success)
        SELECT i, (i - 1) % 5 + 1, {ago(f"3 * 365 - 1 - {day}")}, 40, 12, 2, 2, 0, '[]', i % 40 > 0 FROM n"""
    yield f"""{series(5 * 40)} INSERT INTO faults (id, tenant_id, vin, source_address, spn, fmi, description, severity, is_active, raw_text, first_synced_at, last_synced_at, active_in)
        SELECT i, (i - 1) % 5 + 1, 'VIN' || (i % 40), 0, i, 1, '', 'minor', i % 4 = 0, '', {ago(9)}, {ago(0)}, CASE WHEN i % 4 THEN NULL ELSE 5 * 3 * 365 - 5 + (i - 1) % 5 + 1 END FROM n"""
    yield """INSERT INTO fault_events (fault_id, sync_id, change) SELECT f.id, s.id, CASE WHEN s.id / 5 % 2 THEN 'closed' ELSE 'opened' END
        FROM syncs s JOIN faults f ON f.tenant_id = s.tenant_id WHERE s.success AND (f.id + s.id / 10) % 10 = 0"""
    yield "INSERT INTO users (id, email, created_at) VALUES (9000, 'watcher@example.com', '2026-01-01 00:00:00.000000')"
    yield f"""{series(accounts)} INSERT INTO watchlist_items (id, user_id, product_url, portal, product_key, threshold, is_active, rendering, alerts, armed, created_at, updated_at)
        SELECT i, 9000, 'https://shop.example/' || i, 'shop', 'p' || (i / 4), 20, 1, 'automatic', '[]', '{{}}', {ago(9)}, {ago(0)} FROM n"""
    yield f"""{series(accounts * 500)} INSERT INTO price_check_runs (watchlist_item_id, status, outcome, message, price_amount, price_currency, alerts, alert_sent, created_at)
        SELECT {account}, CASE WHEN i % 9 THEN 'success' ELSE 'error' END, 'success', '', CASE WHEN i % 9 THEN 19.99 + i % 7 END,
        CASE WHEN i % 9 THEN 'GBP' END, '[]', 0, {ago(f"((i - 1) / {accounts})")} FROM n"""


def newest_month(today: date | None = None) -> str:
    """Return the month of the newest billing cycle that has ended."""
    today = today or utc_now().date()
    first = today.replace(day=1) - timedelta(days=0 if today.day > 15 else 1)
    return f"{date(first.year, first.month, 1):%Y-%m}"
