"""Which part files are believed, and how they get into the store."""

from __future__ import annotations

import errno
import os
import stat
import threading

import pytest

from pipelines.files import check
from pipelines.stores.base import INCOMING
from pipelines.stores.folder import FolderStore
from sandbox.files import pdf_pieces
from scrapers.core.outcomes import BadFile
from scrapers.core.spool import CSV, PDF, XLSX, ZIP, describe

GOOD = b"".join(pdf_pieces("Invoice", 1))  # as small as can be


def place(part, path, folder):
    return FolderStore(folder, 0).place(part, path)


@pytest.fixture
def part(tmp_path):
    """Make a part file of these bytes."""

    def make(content, name="x.pdf"):
        path = tmp_path / "spool" / f"{os.urandom(4).hex()}.part"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return describe(path, name)

    return make


def test_a_whole_pdf_is_believed(part):
    check(part(GOOD), (PDF,))
    check(part(b"a;b\n1;2"), (CSV,))


@pytest.mark.parametrize(
    ("content", "declared"),
    [
        (b"", (PDF,)),
        (b"", (CSV,)),
        (GOOD[:-7], (PDF,)),
        (GOOD + b"7 0 obj\n", (PDF,)),  # a further revision was cut
        (b"<!doctype html><html>Sorry</html>", (PDF,)),
        (b"<!doctype html><html>Sorry</html>", (CSV, XLSX)),
        (b'{"error": "gone"}', (PDF, XLSX)),
        (GOOD, (XLSX,)),
        (b"PK\x03\x04 and no more", (ZIP,)),
        (b"PK\x03\x04 [Content_Types].xml", (XLSX,)),
        (b"\x00\x01\x02", (PDF, CSV, XLSX, ZIP)),
    ],
)
def test_anything_else_is_not(part, content, declared):
    with pytest.raises(BadFile):
        check(part(content), declared)


def test_a_part_file_that_is_gone_is_not(part):
    made = part(GOOD)
    made.path.unlink()
    with pytest.raises(BadFile):
        check(made, (PDF,))


def test_the_same_content_is_stored_once_and_other_content_beside_it(part, tmp_path):
    store = tmp_path / "store"
    first = place(part(GOOD), "bell/1/x.pdf", store)
    again = place(part(GOOD), "bell/1/x.pdf", store)
    other = part(GOOD + b"%%EOF")
    beside = place(other, "bell/1/x.pdf", store)
    assert first == again == "bell/1/x.pdf"
    assert beside == f"bell/1/x~{other.sha256[:8]}.pdf"
    assert (store / first).read_bytes() == GOOD
    assert (store / beside).read_bytes() == GOOD + b"%%EOF"
    assert stat.S_IMODE((store / first).stat().st_mode) == 0o640
    assert list((store / INCOMING).iterdir()) == []


def test_a_spool_on_another_file_system_is_copied(part, tmp_path, monkeypatch):
    """Two file systems cannot be had everywhere; what the system says of them can."""
    rename = os.rename

    def refuse(source, target):
        if "spool" in str(source):
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        rename(source, target)

    monkeypatch.setattr(os, "rename", refuse)
    made = part(GOOD)
    assert (tmp_path / "store" / place(made, "x.pdf", tmp_path / "store")).read_bytes() == GOOD
    assert list((tmp_path / "store" / INCOMING).iterdir()) == []


def test_many_at_once_leave_whole_files(part, tmp_path):
    """Whoever looks sees nothing or all of it."""
    store, content = tmp_path / "store", GOOD.replace(b"\n1 0", b"\n" + b"%" * 200_000 + b"\n1 0")
    parts, stop, seen, failed = [part(content) for _ in range(20)], threading.Event(), set(), []

    def watch():
        while not stop.is_set():
            seen.update(path.stat().st_size for path in store.glob("bell/*.pdf"))

    def put(number, made):
        try:
            place(made, f"bell/{number % 5}.pdf", store)
        except Exception as error:
            failed.append(error)

    watcher = threading.Thread(target=watch)
    watcher.start()
    movers = [threading.Thread(target=put, args=pair) for pair in enumerate(parts)]
    for mover in movers:
        mover.start()
    for mover in movers:
        mover.join()
    stop.set()
    watcher.join()
    assert failed == []
    assert seen <= {len(content)}
    assert sorted(path.name for path in store.glob("bell/*")) == [f"{number}.pdf" for number in range(5)]
