"""A crawl leads a process group: what ends the group ends its browser with it."""

from __future__ import annotations

import os
import signal

import psutil
import pytest

from tests.project import wait_for


@pytest.mark.browser
def test_the_group_of_a_crawl_ends_with_its_browser(crawls, bell):
    user = "submit-hang+group@example.com"
    crawls.give_bell(user)
    process = crawls.start("bell_pdf_invoice")
    wait_for(lambda: bell.counters()["submissions"].get(user))
    everything = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    assert len(everything) > 3  # itself, Playwright's driver, a browser of several processes

    os.killpg(process.pid, signal.SIGKILL)

    assert process.wait(60) == -signal.SIGKILL
    wait_for(lambda: not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in everything))
