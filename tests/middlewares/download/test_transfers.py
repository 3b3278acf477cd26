"""D2, D4: files over HTTP arrive whole, whatever the server and the connection do: never half, never of two versions."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys

import pytest
from scrapy.http import Headers

from middlewares.download.resuming import strong_validator
from scrapers.core.spool import PDF, TEXT
from tests.middlewares.download.transfers import NEW, OLD, SIZE, TABLE
from tests.project import ROOT, clean_environment

TRIES = 4  # RETRY_TIMES and the first
OLD_IS, NEW_IS, TABLE_IS = (hashlib.sha256(content).hexdigest() for content in (OLD, NEW, TABLE))
PART = "a part"


@pytest.fixture(scope="module")
def transfers(tmp_path_factory):
    """Return what a crawl of all cases saw."""
    command = [sys.executable, "-m", "tests.middlewares.download.transfers", str(tmp_path_factory.mktemp("spool"))]
    environment = {**clean_environment(), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def case(transfers):
    """Give a function that returns what one case made; a part file is what it says of itself."""

    def find(name):
        found = transfers["cases"][name]
        if found.get("told"):
            assert found["told"][0] == found["sha256"]
        return found

    return find


def kinds(found):
    """Return of each request whether it asked for a part."""
    return [each and PART for each in found["asked"]]


def check_resumed(found, size=SIZE):
    """Each request asked from where the one before ended, but for what was still on the way: most bytes came once."""
    starts = [int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0 for asked in found["asked"]]
    ends = [start + sent for start, sent in zip(starts, found["sent"], strict=True)]
    assert starts == sorted(starts)
    for start, end in zip(starts[1:], ends, strict=False):
        assert 0 < start <= end
    assert ends[-1] == size
    assert sum(found["sent"]) < size + 400_000  # from the start each time it would be 900,000 more


def test_d4_a_file_that_comes_whole_is_asked_for_once(case):
    found = case("whole")
    assert (found["sha256"], found["asked"], found["sent"]) == (OLD_IS, [None], [SIZE])
    assert found["told"][1:] == [SIZE, "file.pdf", PDF]


@pytest.mark.parametrize("name", ["resumed", "resumed by date", "resumed in chunks", "resumed after silence"])
def test_d4_a_cut_transfer_goes_on_where_it_ended(case, name):
    found = case(name)
    assert (found["sha256"], kinds(found), found["status"]) == (OLD_IS, [None, PART, PART], 200)
    check_resumed(found)


def test_d4_an_error_between_loses_nothing(case):
    found = case("resumed after an error")
    assert (found["sha256"], kinds(found), found["sent"][1]) == (OLD_IS, [None, PART, PART], 0)
    assert found["asked"][1] == found["asked"][2]
    assert sum(found["sent"]) < SIZE + 400_000


@pytest.mark.parametrize("changed", ["Fri, 31 Dec 9999 23:59:59 GMT", "Fri, 31 Dec 99999 23:59:59 GMT"])
def test_a6_a_file_changed_beyond_all_years_has_no_strong_validator(changed):
    assert strong_validator(Headers({"Last-Modified": changed, "Date": "Fri, 31 Dec 9999 23:59:59 GMT"})) is None


@pytest.mark.parametrize("name", ["weak tag", "no validator", "modified just now", "ranges refused"])
def test_d4_without_a_strong_validator_it_begins_again(case, name):
    found = case(name)
    assert (found["sha256"], found["asked"], found["sent"]) == (OLD_IS, [None] * 3, [400_000, 500_000, SIZE])


def test_d4_a_server_without_ranges_sends_it_from_the_start(case):
    found = case("ranges ignored")
    assert (found["sha256"], kinds(found)) == (OLD_IS, [None, PART, PART])
    assert found["sent"] == [400_000, 500_000, SIZE]


def test_d4_a_new_version_is_taken_from_its_start(case):
    found = case("new version")
    assert (found["sha256"], kinds(found)) == (NEW_IS, [None, PART, PART])


@pytest.mark.parametrize(
    "name",
    [
        "new version in a part",
        "new version by date in a part",
        "part of no version",
    ],
)
def test_d4_a_part_of_another_version_is_not_joined(case, name):
    found = case(name)
    assert (found["sha256"], kinds(found)) == (NEW_IS, [None, PART, None])


def test_d4_a_weak_tag_beside_a_date_counts_too(case):
    found = case("new version of a weak tag")
    assert (found["sha256"], kinds(found)) == (NEW_IS, [None, PART, None])


def test_d4_a_part_of_another_length_or_place_is_not_joined(case):
    longer = case("part of another length")
    assert kinds(longer) == [None, PART, None]
    assert longer["sha256"] == hashlib.sha256(NEW + b"\n").hexdigest()
    assert kinds(case("part from elsewhere")) == [None, PART, None]
    assert case("part from elsewhere")["sha256"] == OLD_IS


def test_d4_a_range_that_cannot_be_had_begins_again(case):
    found = case("no range that satisfies")
    assert (found["sha256"], kinds(found)) == (OLD_IS, [None, PART, None])


def test_d4_there_are_as_many_requests_as_the_settings_promise(case):
    found = case("cut for ever")
    assert found["error"] == "ResponseDataLossError"
    assert kinds(found) == [None, *[PART] * (TRIES - 1)]
    assert found["sent"] == [100_000] * TRIES


def test_d4_what_is_not_to_be_tried_again_is_not_kept(case):
    found = case("not to be tried again")
    assert (found["error"], found["asked"]) == ("ResponseDataLossError", [None])


def test_d4_few_bytes_are_not_worth_a_range(case):
    assert (case("cut early")["sha256"], case("cut early")["asked"]) == (OLD_IS, [None, None])


@pytest.mark.parametrize("seed", range(12))
def test_d4_a_file_is_never_of_two_versions(case, seed):
    found = case(f"drawn {seed}")
    assert len(found["asked"]) <= TRIES
    assert found.get("sha256") in (OLD_IS, NEW_IS) or found["error"] == "ResponseDataLossError"


def test_d4_nothing_is_left_in_the_spool(transfers):
    assert transfers["left"] == []


@pytest.mark.parametrize(
    "name", ["gzip", "deflate", "raw deflate", "br", "br, then gzip", "gzip in chunks", "gzip only by name"]
)
def test_d2_a_file_that_is_compressed_unasked_is_whole(case, name):
    found = case(name)
    assert (found["sha256"], found["asked"]) == (OLD_IS, [None])
    assert found["told"][1:] == [SIZE, "file.pdf", PDF]


@pytest.mark.parametrize("name", ["gzip of a table", "gzip in members", "br of a table"])
def test_d2_a_table_that_is_compressed_unasked_is_whole(case, name):
    assert len(TABLE) > 1 << 20
    assert (case(name)["sha256"], case(name)["told"][3]) == (TABLE_IS, TEXT)


def test_d2_a_compressed_file_that_is_cut_begins_again(case):
    assert (case("gzip, cut")["sha256"], case("gzip, cut")["asked"]) == (OLD_IS, [None, None])


@pytest.mark.parametrize("name", ["gzip without its end", "gzip, damaged"])
def test_d2_a_compressed_file_without_its_end_is_cut(case, name):
    assert (case(name)["error"], case(name)["asked"]) == ("ResponseDataLossError", [None] * TRIES)


def test_d2_a_compressed_bomb_is_refused(case):
    assert case("bomb")["error"] == "BadFile"


def test_d2_a_compressed_page_in_place_of_the_file_can_be_read(case):
    assert (case("page")["body"], case("page")["sha256"]) == ("<html><p>Sign in, Zoé</p></html>", None)
    assert case("big page")["body"].startswith("<html>0;Zoé;0")
    assert len(case("big page")["body"].encode()) <= (1 << 20) + 2  # the last character may be cut


def test_d2_a_name_in_latin_1_is_read(case):
    assert (case("named")["told"][2], case("named")["sha256"]) == ("Facture été.pdf", OLD_IS)
