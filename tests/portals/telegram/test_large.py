"""Large channels and large files: kills and broken connections lose nothing, and fetch nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest

from jobs.warm import AnyProcess
from tests.portals.telegram.sources import Sources
from tests.project import wait_for

STEP = 1 << 19


@pytest.mark.matrix
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.figures)])
def test_kills_lose_nothing(sources: Sources, kills):
    """30,000 messages with 2,400 files: killed again and again, then to the end, then 40 new ones."""
    source = sources.add("archive", sources.sign_in())
    for number in range(1, kills + 1):
        crawl = sources.start(source)
        least = 2400 * number // (kills + 2)
        kill(crawl, partial(lambda least: stored(sources, source) >= least, least))
    sources.crawl(source, code=0, timeout=900)
    assert sources.wrong(source, "archive") == []
    row = sources.source(source)
    assert row.total_files_downloaded == len({each.document_id for each in sources.files(source)})
    assert row.total_messages_scraped == len(sources.messages(source)) >= 29_900
    counters = sources.admin.counters()
    size = {str(row["file"]): row["size"] for row in sources.server.files("archive", "none").values()}
    twice = [name for name, count in counters["file_bytes"].items() if count > size[name]]
    assert len(twice) <= kills * 2  # the one that was under way, and the one ahead of it
    since = sources.mark()
    sources.server.change("archive", post=[{"kind": "document", "count": 40, "name": "new.pdf", "size": 5000}])
    sources.crawl(source, code=0)
    asked = sources.requests(since)
    assert asked["upload.getFile"] == 40
    assert asked["messages.getHistory"] <= 3
    assert sources.wrong(source, "archive") == []
    print(f"{kills} kills: {dict(asked)}, fetched twice: {len(twice)}")


def kill(crawl: AnyProcess, when: Callable[[], bool]) -> None:
    """Kill a crawl as soon as something is so; it must not have ended before."""
    wait_for(lambda: when() or crawl.poll() is not None, 300)
    assert crawl.poll() is None
    crawl.kill()
    crawl.wait(timeout=30)


def stored(sources: Sources, source: str) -> int:
    return len(sources.files(source, state="stored"))


@pytest.mark.matrix
@pytest.mark.timeout(1500)
@pytest.mark.parametrize(
    ("size", "cuts"), [(60_000_000, 3), pytest.param(2_254_857_830, 10, marks=pytest.mark.figures)]
)
def test_a_large_file_that_is_cut_is_whole_at_the_end(sources: Sources, size, cuts):
    """Within one run, and memory does not grow with the file."""
    session = sources.sign_in("cut")
    if size < 1_000_000_000:
        sources.server.change("empty", post=[{"kind": "document", "count": 1, "name": "large.bin", "size": size}])
    word = "empty" if size < 1_000_000_000 else "large"
    source = sources.add(word, session)
    sources.admin.configure(cuts=cuts, strict_parts=True)
    crawl = sources.start(source)
    peak, least = 0, 0
    while crawl.poll() is None:
        used = memory(crawl.pid)
        if partly(sources) > 0:
            least = least or used
            peak = max(peak, used)
        wait_for(lambda: True, every=0.05)
    assert crawl.returncode == 0
    assert sources.wrong(source, word, "all") == []
    (file,) = (each for each in sources.files(source) if each.size == size)
    fetched = sources.admin.counters()["file_bytes"][str(file.document_id)]
    assert size <= fetched <= size + cuts * 1_000_000
    assert sources.admin.counters()["cuts"] == cuts
    assert peak - least <= 20_000_000
    print(f"{size} bytes, {cuts} cuts: {fetched - size} bytes twice, memory grew by {peak - least}")


@pytest.mark.matrix
@pytest.mark.timeout(600)
def test_a_large_file_goes_on_where_a_killed_crawl_has_stopped(sources: Sources):
    size = 60_000_000
    sources.server.change("empty", post=[{"kind": "document", "count": 1, "name": "large.bin", "size": size}])
    source = sources.add("empty", sources.sign_in(), filters={"min_size": size})
    for share in (0.2, 0.5, 0.8):
        crawl = sources.start(source)
        kill(crawl, partial(lambda share: partly(sources) > size * share, share))
    sources.crawl(source, code=0)
    assert sources.wrong(source, "empty") == []
    (number,) = {str(each.document_id) for each in sources.files(source) if each.state == "stored"}
    fetched = sources.admin.counters()["file_bytes"][number]
    assert size <= fetched <= size + 3 * 2 * STEP
    assert list(sources.project.data.glob("spool/kept/*/*/*.part")) == []


def partly(sources: Sources) -> int:
    """Return how many bytes of files are on the way."""
    found = 0
    for path in sources.project.data.glob("spool/kept/*/*/*.part"):
        with suppress(FileNotFoundError):  # it has come into its place meanwhile
            found += path.stat().st_size
    return found


def memory(pid: int) -> int:
    """Return the resident bytes of a process; 0 once it has ended."""
    try:
        with open(f"/proc/{pid}/status") as status:
            lines = dict(line.split(":", 1) for line in status if ":" in line)
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(lines.get("VmRSS", "0 kB").split()[0]) * 1024
