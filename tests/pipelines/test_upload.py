"""Uploads: each file once at the far side, whatever it answers and whoever is killed."""

from __future__ import annotations

import asyncio
import hashlib
import random
import subprocess
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from database.engine import Database
from database.models import (
    BillingCycleFile,
    PoolUsage,
    Run,
    StoredFile,
    Upload,
    UploadState,
)
from database.models.base import utc_now
from database.processes import signature
from database.settings import SettingsError, database_settings
from database.uploads import due
from pipelines.sender import STOPS_AFTER, TRIES, UNANSWERED_TRIES, Sender, addresses, read_answer, send_for
from pipelines.settings import UploadSettings, upload_settings
from scrapers.core.jobs import Job, Plan
from scrapers.core.redaction import redactor
from tests.far_side import GONE, Shelf, far_side
from tests.project import wait_for

KEY = "canary-upload-key-7431"
# Where the kind of database makes no difference.
sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
SEED = 20261120


@pytest.fixture
def far():
    with far_side() as side:
        yield side


@pytest.fixture
def settings(far, monkeypatch, tmp_path):
    monkeypatch.setenv("LATCHKEY_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("LATCHKEY_UPLOAD_URL", far.url)
    monkeypatch.setenv("LATCHKEY_UPLOAD_KEY", KEY)
    monkeypatch.setattr("scrapers.core.pace.FIRST_PAUSE", 0.01)
    database_settings.cache_clear()
    return upload_settings()


@pytest.fixture
def shelf(store, settings, tmp_path):
    return Shelf(store, tmp_path / "files")


def send(store, settings, *, again=False):
    """Send everything that is due, as one run does; return what went wrong, by outcome."""

    async def run():
        sender = Sender(store, settings)
        try:
            return [await sender.send(file, again=again) for file in await sender.due()]
        finally:
            await sender.close()

    return [failure.outcome.code if failure else None for failure in asyncio.run(run())]


def rows(store):
    with store.transaction() as session:
        return list(session.scalars(select(Upload).order_by(Upload.id)))


def test_each_type_goes_to_its_address_as_the_interface_says(store, settings, shelf, far):
    with store.transaction() as session:
        session.add(PoolUsage(account_id=shelf.account_id, day=date(2026, 10, 7), pool_size=5 * 2**30, pool_used=None))
    ids = [shelf.put("invoice"), shelf.put("usage", kind="daily"), shelf.put("costs", kind="monthly")]
    shelf.put("of no cycle", kind="none")
    far.script = [200, 201, 201]

    assert send(store, settings) == [None] * 3

    with store.transaction() as session:
        cycle = session.scalars(select(StoredFile.billing_cycle_id).where(StoredFile.id == ids[0])).one()
        of_report = session.scalars(select(BillingCycleFile.id).where(BillingCycleFile.file_id == ids[2])).one()
    start = f"/api/v1/accounts/billing-cycles/{cycle}"
    invoice, usage, costs = far.seen
    assert [one.path for one in far.seen] == [
        f"{start}/upload-pdf/",
        f"{start}/daily-usage/",
        f"{start}/files/{of_report}/upload-file/",
    ]
    assert [one.media_type for one in far.seen] == ["application/pdf", *["application/octet-stream"] * 2]
    assert [one.fields for one in far.seen] == [{}, {"pool_size": str(5 * 2**30)}, {}]  # unknown is left out, not 0
    assert [one.name for one in far.seen] == ["invoice", "usage", "costs"]
    for one in far.seen:
        assert one.headers["x-api-key"] == KEY
        assert one.headers["Accept"] == "application/json"
        assert one.headers["x-workspace-id"] == str(shelf.workspace_id)
        assert one.headers["x-client-id"] == str(shelf.client_id)
        assert one.headers["Content-Type"].startswith("multipart/form-data; boundary=")
        assert int(one.headers["Content-Length"]) > 0
    assert len({one.headers["Idempotency-Key"] for one in (invoice, usage, costs)}) == 3
    assert [(row.file_id, row.state, row.status, row.tries) for row in rows(store)] == [
        (ids[0], "stored", 200, 1),
        (ids[1], "stored", 201, 1),
        (ids[2], "stored", 201, 1),
    ]
    assert send(store, settings) == []
    assert len(far.seen) == 3


@sqlite_only
def test_two_days_with_the_same_content_are_two_files(store, settings, shelf, far):
    for month in (9, 10):
        shelf.put("usage", b"nothing used", kind="daily", month=month)
    assert send(store, settings) == [None, None]
    assert len(far.stored) == 2


def test_other_content_of_the_same_file_is_sent_too(store, settings, shelf, far, tmp_path):
    shelf.put("invoice")
    assert send(store, settings) == [None]
    with store.transaction() as session:
        file = session.scalars(select(StoredFile)).one()
        (tmp_path / "files" / file.path).write_bytes(b"corrected")
        file.sha256, file.size = hashlib.sha256(b"corrected").hexdigest(), 9
    assert send(store, settings) == [None]
    assert [one.sha256 for one in far.stored][1:] == [hashlib.sha256(b"corrected").hexdigest()]
    assert [row.state for row in rows(store)] == ["stored", "stored"]


@sqlite_only
def test_a_big_file_is_streamed(store, settings, shelf, far):
    import tracemalloc

    content = random.Random(SEED).randbytes(1 << 20) * 48
    shelf.put("invoice", content)
    expected = hashlib.sha256(content).hexdigest()
    del content
    tracemalloc.start()
    assert send(store, settings) == [None]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert far.stored[0].sha256 == expected
    assert peak < 12 << 20, f"{peak >> 20} MB"  # both sides are in this process


@sqlite_only
@pytest.mark.parametrize(
    ("script", "outcome", "state", "status", "requests"),
    [
        ([500], None, "stored", 201, 2),
        ([500] * TRIES, "upload_failed", "failed", 500, TRIES),
        ([503, 429, 408], "upload_failed", "failed", 408, TRIES),
        (["cut"], None, "stored", 201, 2),
        (["cut"] * UNANSWERED_TRIES, "upload_failed", "failed", None, UNANSWERED_TRIES),
        (["stored-cut"], None, "stored", 201, 2),
        (["stored-hang"], None, "stored", 201, 2),
        (["hang"] * UNANSWERED_TRIES, "upload_failed", "failed", None, UNANSWERED_TRIES),
        ([413], "upload_refused", "refused", 413, 1),
        (["early-413"], "upload_refused", "refused", 413, 1),
        ([400], "upload_refused", "refused", 400, 1),
        ([404], "upload_refused", "refused", 404, 1),
        ([422], "upload_refused", "refused", 422, 1),
        ([403], "upload_refused", "refused", 403, 1),
        ([202], "upload_refused", "refused", 202, 1),
        (["gone"], "upload_client_gone", "client_gone", 403, 1),
        ([401], "upload_misconfigured", "failed", 401, 1),
        ([302], "upload_misconfigured", "failed", 302, 1),
        ([307], "upload_misconfigured", "failed", 307, 1),
    ],
    ids=lambda value: "-".join(map(str, value)) if isinstance(value, list) else None,
)
def test_every_answer_has_its_meaning(
    store, settings, shelf, far, monkeypatch, script, outcome, state, status, requests
):
    shelf.put("invoice", b"%PDF" + bytes(300_000))
    waiting = UploadSettings(
        upload_url=settings.upload_url, upload_key=KEY, upload_wait=0.3 if "hang" in str(script) else 30
    )
    far.script = list(script)

    assert send(store, waiting) == [outcome]

    (row,) = rows(store)
    assert (row.state, row.status, row.tries) == (state, status, requests)
    assert len(far.seen) == requests
    assert len(far.stored) == (1 if outcome is None else 0)
    assert all(one.path.endswith("/upload-pdf/") for one in far.seen)  # a redirect was not followed
    assert KEY not in (row.message or "")

    # The next run: what is final stays so without a request; what was passing is sent.
    far.script = []
    final = state in ("refused", "client_gone")
    assert send(store, settings) == ([] if outcome is None else [outcome if final else None])
    assert len(far.seen) == requests + (outcome is not None and not final)
    if final:
        assert send(store, settings, again=True) == [None]
    assert len(far.stored) == 1
    assert rows(store)[0].state == "stored"


def test_a_client_that_is_gone_is_asked_about_once(store, settings, shelf, far, tmp_path):
    for month in (8, 9, 10):
        shelf.put("invoice", month=month)
    other = Shelf(store, tmp_path / "files", "Birch Ltd")
    other.put("invoice")
    far.script = ["gone"]

    assert send(store, settings) == ["upload_client_gone"] * 3 + [None]
    assert [row.state for row in rows(store)] == ["client_gone"] * 3 + ["stored"]
    assert len(far.seen) == 2
    assert [row.tries for row in rows(store)] == [1, 0, 0, 1]

    shelf.put("invoice", month=7)  # a later run: no request for what the server has not heard of either
    assert send(store, settings) == ["upload_client_gone"] * 4
    assert len(far.seen) == 2
    assert send(store, settings, again=True) == [None] * 4
    shelf.put("invoice", month=6)  # it is known again
    assert send(store, settings) == [None]
    assert len(far.stored) == 6


@sqlite_only
def test_a_server_in_trouble_is_left_alone(store, settings, shelf, far):
    for month in (7, 8, 9, 10):
        shelf.put("invoice", month=month)
    far.script = [500] * 100
    assert send(store, settings) == ["upload_failed"] * 4
    assert len(far.seen) == STOPS_AFTER * TRIES
    far.script, far.seen = [401], []
    assert send(store, settings) == ["upload_misconfigured"] * 4
    assert len(far.seen) == 1
    far.script, far.seen = [], []
    assert send(store, settings) == [None] * 4
    assert len(far.stored) == 4


@sqlite_only
def test_one_file_in_trouble_does_not_hold_up_the_others(store, settings, shelf, far):
    for month in (8, 9, 10):
        shelf.put("invoice", month=month)
    far.script = [500] * TRIES
    assert send(store, settings) == ["upload_failed", None, None]


def test_a_rest_that_the_server_asks_for_is_kept(store, settings, shelf, far, monkeypatch):
    shelf.put("invoice")
    far.retry_after, far.script = "0", [503, 429]
    assert send(store, settings) == [None]
    assert len(far.seen) == 3

    shelf.put("statement")
    far.retry_after, far.script, far.seen = "3600", [429], []
    assert send(store, settings) == ["upload_failed"]
    assert send(store, settings) == ["upload_failed"]  # the next run does not ask
    assert len(far.seen) == 1
    with store.transaction() as session:
        session.execute(update(Upload).values(again_at=utc_now() - timedelta(seconds=1)))
    assert send(store, settings) == [None]


@sqlite_only
def test_a_server_that_cannot_be_reached_is_no_loss(store, settings, shelf, free_port):
    shelf.put("invoice")
    away = UploadSettings(upload_url=f"http://127.0.0.1:{free_port()}", upload_key=KEY)
    assert send(store, away) == ["upload_failed"]
    assert [row.state for row in rows(store)] == ["failed"]
    assert send(store, settings) == [None]


@sqlite_only
def test_a_certificate_that_is_not_valid_is_never_accepted(store, shelf, far, tmp_path):
    import ssl
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Quiet(HTTPServer):
        def handle_error(self, *_):
            """A handshake that is broken off is what we want."""

    key, certificate = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with Quiet(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        shelf.put("invoice")
        secure = UploadSettings(upload_url=f"https://127.0.0.1:{server.server_port}", upload_key=KEY)
        assert send(store, secure) == ["upload_misconfigured"]
        server.shutdown()


def self_signed(folder):
    from datetime import UTC, datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    began = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(began)
        .not_valid_after(began + timedelta(days=2))
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return folder / "key.pem", folder / "cert.pem"


@sqlite_only
def test_a_file_that_has_gone_from_the_store_is_said(store, settings, shelf, far, tmp_path):
    shelf.put("invoice")
    (path,) = [path for path in (tmp_path / "files").rglob("invoice") if path.is_file()]
    content = path.read_bytes()
    path.write_bytes(content + b"more")
    assert send(store, settings) == ["store_away"]
    path.unlink()
    assert send(store, settings) == ["store_away"]
    assert far.seen == []
    path.write_bytes(content)
    assert send(store, settings) == [None]


def test_what_another_process_is_sending_is_left_to_it(store, settings, shelf, far):
    shelf.put("invoice")
    with store.transaction() as session:
        (file,) = due(session, settings.upload_url, addresses())
        key = {"file_id": file.file_id, "sha256": file.sha256, "endpoint": file.endpoint}
        row = Upload(**key, state=UploadState.SENDING, holder=signature(), began_at=utc_now(), tries=1)
        session.add(row)
    assert send(store, settings) == [None]
    assert far.seen == []
    long_ago = utc_now() - timedelta(seconds=settings.upload_wait + 61)
    for holder, began in ((f"{signature()}0", utc_now()), ("another-machine+1+1", long_ago)):  # both are dead
        with store.transaction() as session:
            session.execute(update(Upload).values(state=UploadState.SENDING, holder=holder, began_at=began))
        assert send(store, settings) == [None]
    with store.transaction() as session:  # one on another machine may still be alive
        dead = {"state": UploadState.SENDING, "holder": "another-machine+1+1", "began_at": utc_now()}
        session.execute(update(Upload).values(**dead))
    assert send(store, settings) == [None]
    assert len(far.seen) == 2
    assert len(far.stored) == 1


def test_one_file_at_a_time(store, settings, shelf, far):
    for month in range(1, 7):
        shelf.put("invoice", month=month)
    far.slow = 0.02

    async def run():
        sender = Sender(store, settings)
        failures = await asyncio.gather(*(sender.send(file) for file in await sender.due()))
        await sender.close()
        return failures

    assert asyncio.run(run()) == [None] * 6
    assert (far.most_at_once, len(far.stored)) == (1, 6)


@sqlite_only
def test_an_answer_that_repeats_the_key_does_not_get_it_out(store, settings, shelf, far):
    redactor.add(KEY)
    shelf.put("invoice")
    with store.transaction() as session:
        (file,) = due(session, settings.upload_url, addresses())
    long = "x" * 190 + KEY
    for text in (f"Unknown key {KEY}.", long):
        answer = read_answer(file, 400, text)
        assert KEY not in str(answer.failure)
        assert KEY[:9] not in str(answer.failure)
    assert "<" not in str(read_answer(file, 400, "<html>Bad</html>").failure)
    assert "(Bad. File.)" in str(read_answer(file, 400, "Bad.\n File.").failure)
    assert read_answer(file, 403, GONE).state == UploadState.CLIENT_GONE


@sqlite_only
def test_an_error_that_nobody_knows_fails_the_job(store, settings, shelf, far, monkeypatch):
    """At the end of a crawl Scrapy would log it, and the run would succeed."""
    shelf.put("invoice")
    plan = Plan(target=None, key=f"{shelf.account_id}/2026-10", label="l", credential=None)
    with store.transaction() as session:
        session.add(Run(id=1, crawl="0", spider="bell_pdf_invoice", portal="bell", report_type="pdf_invoice"))
    job = Job(plan, 1, "bell_pdf_invoice", None)
    monkeypatch.setattr("pipelines.sender.form", lambda file, body: 1 / 0)

    async def run():
        sender = Sender(store, settings)
        await send_for(job, sender)
        await sender.close()

    asyncio.run(run())
    assert [failure.outcome.code for failure in job.failures] == ["unexpected_error"]
    assert far.seen == []


@pytest.mark.parametrize(
    ("url", "key", "says"),
    [
        ("https://x.example", "", "LATCHKEY_UPLOAD_URL is set without LATCHKEY_UPLOAD_KEY"),
        ("", "k", "LATCHKEY_UPLOAD_KEY is set without LATCHKEY_UPLOAD_URL"),
        ("http://x.example", "k", "LATCHKEY_UPLOAD_URL: it must begin with https://"),
        ("x.example", "k", "LATCHKEY_UPLOAD_URL: it must look like"),
        ("https://x.example/?a=canary", "k", "LATCHKEY_UPLOAD_URL: it must look like"),
        ("https://me:canary@x.example", "k", "LATCHKEY_UPLOAD_URL: user name and password do not belong"),
        ("https://x.example", "canary\nkey", "LATCHKEY_UPLOAD_KEY: it holds characters"),
    ],
)
def test_settings_that_cannot_work_are_one_sentence(monkeypatch, url, key, says):
    monkeypatch.setenv("LATCHKEY_UPLOAD_URL", url)
    monkeypatch.setenv("LATCHKEY_UPLOAD_KEY", key)
    with pytest.raises(SettingsError, match=says) as caught:
        upload_settings()
    assert "canary" not in str(caught.value)


def test_the_customers_names_of_the_settings_work_too_and_there_is_no_default(monkeypatch):
    assert upload_settings() is None
    monkeypatch.setenv("EIQ_BACKEND_API_BASE_URL", "https://x.example/base/")
    monkeypatch.setenv("EIQ_BACKEND_API_KEY", KEY)
    settings = upload_settings()
    assert settings is not None
    assert (settings.upload_url, settings.upload_wait) == ("https://x.example/base", 300)
    assert KEY not in repr(settings)


# --- The command, as a process ----------------------------------------------------------------------------------------


@pytest.fixture
def here(project, tmp_path, sqlite_with_tables, encryption_key, far):
    made = project(tmp_path, LATCHKEY_UPLOAD_URL=far.url, LATCHKEY_UPLOAD_KEY=KEY)
    made.data.mkdir(mode=0o700)
    (made.data / "latchkey.db").write_bytes(sqlite_with_tables.read_bytes())
    made.db = Database(f"sqlite:///{made.data / 'latchkey.db'}")
    yield made
    made.db.engine.dispose()


def test_a_kill_between_request_and_answer_is_one_request_more(here, far):
    shelf = Shelf(here.db, here.data / "files")
    for month in (8, 9, 10):
        shelf.put("invoice", month=month)
    far.script = [201, "stored-hang"]
    process = here.start("upload")
    wait_for(lambda: len(far.stored) == 2)
    with here.db.transaction() as session:
        assert session.scalars(select(Upload.state).order_by(Upload.id)).all() == ["stored", "sending"]
    process.kill()
    process.communicate()

    second = here.scrapy("upload")
    assert (second.returncode, second.stdout) == (0, "2 of 2 files are at the server.\n"), second.stderr
    assert [one.headers["Idempotency-Key"] for one in far.seen[1:3]] == [far.seen[1].headers["Idempotency-Key"]] * 2
    assert (len(far.seen), len(far.stored)) == (4, 3)
    with here.db.transaction() as session:
        assert session.execute(select(Upload.state, Upload.tries).order_by(Upload.id)).all() == [
            ("stored", 1),
            ("stored", 2),
            ("stored", 1),
        ]


def kill_at_work(here, far, seconds):
    """Kill `scrapy upload` that long after its first request."""
    before = len(far.seen)
    process = here.start("upload")
    wait_for(lambda: len(far.seen) > before or process.poll() is not None)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def killed_again_and_again(here, far, kills):
    """Kill `scrapy upload` at random instants of its work; then let it finish, and look at the far side."""
    chance = random.Random(SEED)
    shelf = Shelf(here.db, here.data / "files")
    for month in range(1, 13):
        for name in ("invoice", "statement"):
            shelf.put(name, month=month)
    far.slow = 0.03
    for _ in range(kills):
        kill_at_work(here, far, chance.uniform(0, 24 * 0.05 / kills))
    last = here.scrapy("upload")
    assert last.returncode == 0, last.stdout + last.stderr
    with here.db.transaction() as session:
        wanted = session.scalars(select(StoredFile.sha256)).all()
        assert set(session.scalars(select(Upload.state))) == {"stored"}
    assert sorted(one.sha256 for one in far.stored) == sorted(wanted)
    assert len(far.stored) == 24
    # Never more than one request too many for each kill.
    assert len(far.seen) <= 24 + kills


@pytest.mark.matrix
@pytest.mark.timeout(600)
def test_many_kills_cost_no_file_and_double_none(here, far):
    killed_again_and_again(here, far, 25)
