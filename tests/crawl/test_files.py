"""Files that must not be believed, and one that must not be held in memory."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.project import wait_for

MB = 1 << 20
BIG = 300_000_000  # bytes
# Documents 1 to 3; the second one is bad.
TROUBLES = ("truncated-file", "empty-file", "html-instead-of-pdf", "html-instead-of-pdf+mislabelled")
OUTSIDE = (Path("/tmp/escaped.txt"), Path("/tmp/escaped.pdf"))


def visible(folder: Path) -> list[Path]:
    """Return every file of the store that is in its place."""
    return [path for path in folder.rglob("*") if path.is_file()]


def check_store(crawls) -> None:
    """Every row is that of a whole file, every file has a row, and the spool is empty."""
    data = crawls.project.data
    rows = crawls.rows("SELECT * FROM files")
    for row in rows:
        content = (data / "files" / row["path"]).read_bytes()
        assert (row["status"], row["size"]) == ("ready", len(content))
        assert row["sha256"] == hashlib.sha256(content).hexdigest()
    assert sorted(visible(data / "files")) == sorted(data / "files" / row["path"] for row in rows)
    assert visible(data / "spool") == []
    assert not any(path.exists() for path in OUTSIDE)


def test_a_bad_file_is_never_ready_and_good_ones_beside_it_are(crawls, plain):
    plain.configure(documents=3)
    users = [f"{trouble}+only-2@example.com" for trouble in TROUBLES]
    for user in users:
        crawls.give("plain", user)

    done = crawls.run("plain_files", f"credential={','.join(users)}")

    assert done.returncode == 4, done.stderr
    assert crawls.outcomes == ["bad_file"] * len(users), done.stderr
    for run in crawls.rows("SELECT * FROM runs"):
        numbers = [row["name"][-1] for row in crawls.rows("SELECT name FROM files WHERE run_id = ?", run["id"])]
        assert sorted(numbers) == ["1", "3"], run["target"]
        assert (run["files"], run["missing"]) == (2, 1)
    check_store(crawls)


def test_a_bad_file_is_fetched_by_the_next_run(crawls, plain):
    plain.configure(documents=2)
    crawls.give("plain", "truncated-file+only-1+times-4@example.com")  # as often as one request is tried

    first, second = crawls.run("plain_files"), crawls.run("plain_files")

    assert (first.returncode, second.returncode) == (4, 0), first.stderr + second.stderr
    assert crawls.outcomes == ["bad_file", "success"]
    assert crawls.value("SELECT count(*) FROM files") == 2
    check_store(crawls)


@pytest.mark.parametrize("path", ["/bundle.zip", pytest.param("/unsafe.zip", marks=pytest.mark.matrix)])
def test_an_unsafe_zip_is_not_stored_nor_unpacked(crawls, plain, path):
    crawls.give("plain", "unsafe-zip@example.com")

    done = crawls.run("plain_big", f"path={path}")

    assert done.returncode == 4, done.stderr
    assert crawls.outcomes == ["bad_file"]
    assert crawls.value("SELECT count(*) FROM files") == 0
    check_store(crawls)


@pytest.mark.matrix
@pytest.mark.browser
@pytest.mark.timeout(300)
@pytest.mark.parametrize("spider", ["bell_daily_usage", "bell_pdf_invoice", "bell_ereports"])
def test_bad_files_of_the_browser_are_never_ready(crawls, bell, spider):
    troubles = (*TROUBLES, "wrong-type", "unsafe-zip")
    for trouble in troubles:
        crawls.give_bell(f"{trouble}@example.com")

    done = crawls.run(spider, "account=all", timeout=280)

    assert done.returncode == 4, done.stderr
    assert crawls.outcomes == ["bad_file"] * len(troubles), done.stderr
    for table in ("files", "billing_cycle_files", "billing_cycle_pdf_files", "daily_usage_files"):
        assert crawls.value(f"SELECT count(*) FROM {table} WHERE status = 'ready'") == 0
    check_store(crawls)


def peak(crawls, spider: str, *arguments: str) -> int:
    """Run a spider for one job; return the most memory that its process held at once, in bytes."""
    process = crawls.start(spider, *arguments, fresh=True)  # a fork begins with the memory of its parent
    status, found = Path(f"/proc/{process.pid}/status"), 0

    def ended() -> bool:
        nonlocal found
        if process.poll() is None:
            line = next((line for line in status.read_text().splitlines() if line.startswith("VmHWM:")), "VmHWM: 0 kB")
            found = max(found, int(line.split()[1]) * 1024)
            return False
        return True

    wait_for(ended, seconds=100)
    assert process.returncode == 0, process.communicate()
    return found


def test_a_big_file_streams_to_the_disk(crawls, plain):
    crawls.give("plain", "ok@example.com")
    idle = peak(crawls, "plain_big", "path=/big?bytes=1000")

    most = peak(crawls, "plain_big", f"path=/big?bytes={BIG}", "again=yes")

    row = crawls.rows("SELECT size FROM files ORDER BY id DESC")[0]
    print(f"peak {most / MB:.1f} MB, idle {idle / MB:.1f} MB")
    assert row["size"] == BIG
    assert most - idle <= 15 * MB


@pytest.mark.matrix
@pytest.mark.browser
def test_a_big_file_of_the_browser_never_passes_through_our_memory(crawls, bell):
    """Of the crawl's own process; the browser, which writes the file, has its own."""
    (number,) = crawls.give_bell("ok@example.com")
    (other,) = crawls.give_bell("ok+big@example.com")
    idle = peak(crawls, "bell_pdf_invoice", f"account={number}")
    bell.configure(pdf_bytes=BIG)

    most = peak(crawls, "bell_pdf_invoice", f"account={other}")

    row = crawls.rows("SELECT size FROM files ORDER BY id DESC")[0]
    print(f"peak {most / MB:.1f} MB, idle {idle / MB:.1f} MB")
    assert row["size"] == BIG
    assert most - idle <= 60 * MB


def test_a_file_is_asked_for_as_it_is_and_not_compressed(crawls, plain):
    """What streams to the store is never unpacked on the way, so the portal must not pack it."""
    plain.configure(documents=2)
    crawls.give("plain", "ok+gzip@example.com")

    done = crawls.run("plain_files")

    assert done.returncode == 0, done.stderr
    assert crawls.stored()["files"] == 2
