"""Part files that are gone on with."""

from __future__ import annotations

import hashlib
import os

import pytest

from scrapers.families.messaging.parts import LEFT_AFTER, STEP, KeptPart, folder_of, sweep

DATA = os.urandom(STEP * 3 + 1000)


@pytest.mark.parametrize(
    ("there", "kept"),
    [(0, 0), (STEP - 1, 0), (STEP, STEP), (2 * STEP + 5, 2 * STEP), (len(DATA), len(DATA)), (len(DATA) + 9, 3 * STEP)],
)
def test_a_part_goes_on_at_a_whole_step(tmp_path, there, kept):
    (tmp_path / "7.part").write_bytes((DATA + bytes(9))[:there])
    part = KeptPart(tmp_path, 7, len(DATA))
    assert part.open() == kept
    part.write(DATA[kept:])
    done = part.finish("a/b.bin")
    assert (done.size, done.sha256) == (len(DATA), hashlib.sha256(DATA).hexdigest())
    assert done.path.read_bytes() == DATA
    assert done.name == "b.bin"


def test_parts_of_what_is_not_wanted_are_swept(tmp_path, monkeypatch):
    monkeypatch.setenv("LATCHKEY_DATA_DIR", str(tmp_path))
    for source, document in (("mine", 1), ("mine", 2), ("other", 3), ("old", 4)):
        part = KeptPart(folder_of(source), document, 10)
        part.open()
        part.close()
    for path in (folder_of("old"), folder_of("old") / "4.part"):
        os.utime(path, (path.stat().st_mtime - LEFT_AFTER - 60,) * 2)
    sweep("mine", {2})
    assert sorted(path.stem for path in tmp_path.rglob("*.part")) == ["2", "3"]
    assert not folder_of("old").exists()
