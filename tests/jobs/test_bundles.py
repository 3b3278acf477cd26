"""Reading evidence bundles: what `middlewares.evidence` packs comes back as data and text."""

from __future__ import annotations

import pytest

from database.settings import database_settings
from jobs.bundles import BundleAway, read_bundle, text_of
from middlewares.evidence import pack

PAGE = (
    "<!doctype html><html><head><title>T</title><style>p {}</style></head><body><p>One <b>two</b></p><!-- no -->"
    "<script>let a = 1</script><noscript>off</noscript><template><p>later</p></template>three</body></html>"
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LATCHKEY_DATA_DIR", str(tmp_path))
    database_settings.cache_clear()
    yield tmp_path / "evidence"
    database_settings.cache_clear()


def bundle(folder, **members):
    folder.mkdir(exist_ok=True)
    path = folder / "1-bad_file.zip"
    path.write_bytes(pack({name.replace("_", "."): content for name, content in members.items()}))
    return read_bundle(str(path))


def test_a_page_is_read_as_text_alone(folder):
    found = bundle(folder, run_json=b'{"steps": ["a"]}', requests_json=b'[{"url": "u"}]', page_html=PAGE.encode())
    assert (found.story, found.requests) == ({"steps": ["a"]}, [{"url": "u"}])
    assert found.text() == "One\ntwo\nthree"
    assert found.source() == PAGE
    with pytest.raises(BundleAway, match="no screenshot"):
        found.screenshot()


def test_an_answer_in_json_and_no_page(folder):
    assert bundle(folder, response_json=b'{"error": "locked"}').text() == '{"error": "locked"}'
    found = bundle(folder, screenshot_jpg=b"jpeg")
    assert (found.page, found.text(), found.screenshot()) == (None, "", b"jpeg")


@pytest.mark.parametrize(
    "source", ["", "   ", "<!-- nothing -->", '<?xml version="1.0" encoding="utf-8"?><p>x</p>', "\x00"]
)
def test_what_is_hardly_a_page(source):
    assert "<" not in text_of(source)


def test_what_cannot_be_read(folder, tmp_path):
    folder.mkdir()
    (folder / "torn.zip").write_bytes(b"PK")
    (tmp_path / "outside.zip").write_bytes(pack({"run.json": b"{}"}))
    with pytest.raises(BundleAway, match="damaged"):
        read_bundle(str(folder / "torn.zip"))
    with pytest.raises(BundleAway, match="not on this machine"):
        read_bundle(str(folder / "away.zip"))
    for path in (tmp_path / "outside.zip", folder / ".." / "outside.zip"):
        with pytest.raises(BundleAway, match="not in the evidence folder"):
            read_bundle(str(path))
    with pytest.raises(BundleAway, match="damaged"):
        bundle(folder, run_json=b"{")
