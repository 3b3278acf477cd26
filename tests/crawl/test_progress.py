"""What a person sees while a crawl works: a line that moves at a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys

from tests.project import wait_for
from tests.terminal import READY, Terminal


def test_a_line_moves_at_a_terminal(crawls, plain):
    crawls.give("plain", "ok+watched@example.com")
    plain.configure(documents=40, latency_ms=200)
    terminal = Terminal({**crawls.project.env(), "TERM": "xterm-256color"})
    try:
        wait_for(lambda: terminal.sees(READY), 30)
        terminal.type(f"{sys.executable} -m scrapy crawl plain_documents -s SPIDER_MODULES=tests.portals.plain")
        seen = set()

        def is_over() -> bool:
            if terminal.sees("0 of 1 jobs done, 0 files, "):
                seen.update(part.split(" records")[0] for part in terminal.shown.split("0 files, ")[1:])
            return terminal.sees("sign-ins 1, requests") is not None

        wait_for(is_over, 90)
        wait_for(lambda: terminal.sees(READY), 60)  # after what clears the line
    finally:
        terminal.close()
    assert len(seen) >= 2, terminal.shown  # it has moved
    assert "success (files 0, records 40" in terminal.shown


def test_elsewhere_lines_are_plain(crawls, plain):
    crawls.give("plain", "ok+watched@example.com")
    done = crawls.run("plain_documents")
    assert "\x1b" not in done.stderr
    assert [line.split(" ", 1)[1].split(" (")[0] for line in done.stderr.splitlines()] == [
        "plain_documents: signing in to plain",
        "plain_documents ok+watched@example.com: success",
    ]
