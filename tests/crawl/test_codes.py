"""One-time codes on their whole way: many sign-ins at once, messages late, doubled, out of order and old."""

from __future__ import annotations

import http.server
import re
import threading
import urllib.error
import urllib.request
from collections import Counter, defaultdict
from contextlib import contextmanager
from itertools import pairwise
from typing import ClassVar

import pytest

from tests.crawl.conftest import GATEWAY_TOKEN

pytestmark = pytest.mark.browser

CODE_WAIT = 10  # seconds; "late" is up to 80 % of it
WAITS = {
    "LATCHKEY_CODE_WAIT": str(CODE_WAIT),
    "LATCHKEY_SIGN_IN_WAIT": str(2.2 * CODE_WAIT),
    "LATCHKEY_BUSY_WAIT": "90",
    "LATCHKEY_BROWSER_PAGES": "3",
}

# Each list is a process, the last one with a browser; all with the same `phone-<n>` share a telephone.
SAMPLE = (
    ["sms+phone-5+late-2+a", "sms+phone-5+double+b", "sms+phone-5+reorder+stale+c"],
    ["sms+send+late-3"],
    ["sms+phone-5+double+d@example.com"],
)
ALL = (
    [
        "sms+phone-5+late-8+a",
        "sms+phone-5+late-8+double+b",
        "sms+phone-5+late-8+stale+c",
        *(f"sms+late-{late}+stale" for late in (1, 3, 8)),
        "sms+reorder+double",
        "sms+send+late-8",
    ],
    [
        "sms+phone-5+late-8+reorder+d",
        "sms+phone-5+late-8+double+stale+e",
        *(f"sms+late-{late}+double" for late in (2, 5, 8)),
        "sms+late-6+stale+double",
        "sms+late-6+reorder+stale",
        "sms+send+double+phone-6",
        "code-late",
    ],
    [
        "sms+phone-6+late-8@example.com",
        "code-direct+phone-6+double+late-8@example.com",
        "mfa-pending+phone-6+stale+late-8@example.com",
    ],
)


class Gateway(http.server.BaseHTTPRequestHandler):
    """Hands messages on to the webhook, and keeps what that replies."""

    target: ClassVar[str]
    replies: ClassVar[list[bytes]]

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status, said = ask(self.target + self.path, self.headers["Authorization"], body)
        self.replies.append(said)
        self.send_response(status)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_):
        pass


@contextmanager
def gateway(target):
    class Handler(Gateway):
        replies: ClassVar[list[bytes]] = []

    Handler.target = target
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", Handler.replies
        finally:
            server.shutdown()
            thread.join()


def ask(url, authorization, body=None):
    headers = {"Authorization": authorization, "Content-Type": "application/json"}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "users", [pytest.param(SAMPLE, id="sample"), pytest.param(ALL, id="all", marks=pytest.mark.matrix)]
)
def test_every_sign_in_gets_its_own_code(crawls, plain, bell, webhook, users):
    """Sign-ins wait for a shared telephone longer than LATCHKEY_SIGN_IN_WAIT, which is for what they do themselves."""
    serving = crawls.project.started[-1]
    at_plain, at_bell = [name for group in users[:-1] for name in group], users[-1]
    for name in at_plain:
        crawls.give("plain", name)
    for name in at_bell:
        crawls.give_bell(name)
    with gateway(webhook) as (url, replies):
        for admin, names in ((plain, at_plain), (bell, at_bell)):
            admin.configure(sms_url=f"{url}/sms", late_seconds=4)
            for name in names:
                assert admin.send_former_code(name)
        running = [crawls.start("plain_documents", f"credential={','.join(group)}", **WAITS) for group in users[:-1]]
        running.append(crawls.start("bell_pdf_invoice", **WAITS))
        said = [process.communicate(timeout=250) for process in running]
        replies += [ask(webhook + path, f"Bearer {GATEWAY_TOKEN}")[1] for path in ("/status", "/health", "/code")]

    everybody = Counter(at_plain + at_bell)
    runs = crawls.rows("SELECT * FROM runs")
    assert {row["username"]: row["outcome"] for row in runs} == dict.fromkeys(everybody, "success"), said
    assert [process.returncode for process in running] == [0] * len(running)
    for admin, names in ((plain, at_plain), (bell, at_bell)):
        counters = admin.counters()
        told = {name: counters[name] for name in ("sign_ins", "code_requests", "codes_used", "codes_refused")}
        assert told == {
            "sign_ins": len(names),
            "code_requests": len(names),
            "codes_used": len(names),
            "codes_refused": 0,
        }
        assert counters["submissions"] == dict.fromkeys(names, 1)
    assert bell.counters()["codes_not_typed"] == 0

    requests = crawls.rows("SELECT * FROM code_requests ORDER BY requested_at")
    assert Counter(row["username"] for row in requests) == everybody
    assert {row["state"] for row in requests} == {"answered"}
    held = defaultdict(list)
    for row in requests:
        held[row["receiver"], row["senders"]].append(row)
    for rows in held.values():
        assert all(former["closed_at"] <= row["requested_at"] for former, row in pairwise(rows))
    assert max(map(len, held.values())) == sum("phone-5" in name for name in at_plain)
    claimed = [row["claimed_by"] for row in crawls.rows("SELECT * FROM messages WHERE claimed_at IS NOT NULL")]
    assert sorted(claimed) == sorted(row["id"] for row in requests)
    overlap = at_once(crawls.rows("SELECT started_at, finished_at FROM attempts"))
    print(f"{len(requests)} sign-ins, {overlap} at once")
    assert overlap >= len(requests) / 2

    codes = plain.secrets()["codes"] + bell.secrets()["codes"]
    assert len(codes) >= 2 * len(everybody)
    serving.terminate()
    outputs = [text for pair in (*said, serving.communicate(timeout=20)) for text in pair]
    assert not found(codes, {"replies": b"\n".join(replies), "outputs": "\n".join(outputs).encode()})
    assert not found(codes, {path: path.read_bytes() for path in crawls.project.data.rglob("*") if path.is_file()})


def at_once(attempts):
    """Return how many sign-ins were under way at the same time at most."""
    return max(
        sum(other["started_at"] <= row["started_at"] < other["finished_at"] for other in attempts) for row in attempts
    )


def found(codes, places):
    """Return the places in which one of the codes stands in clear; a longer number is none of them."""
    pattern = re.compile(rb"(?<![0-9])(?:" + "|".join(map(re.escape, codes)).encode() + rb")(?![0-9])")
    return [place for place, content in places.items() if pattern.search(content)]
