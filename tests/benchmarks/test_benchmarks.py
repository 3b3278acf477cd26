"""The benchmarks count what they say they count."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib import import_module

import pytest

from benchmarks import against, carriers, load, speed
from benchmarks.bench import prepared
from benchmarks.figures import Figure, cells, count, markdown, ratio, table
from benchmarks.p6 import run as run_again
from benchmarks.p7 import right, written
from benchmarks.processes import ProcessFailed, measure
from tests.project import ROOT, clean_environment


@pytest.mark.matrix
def test_a_second_run_signs_in_nobody_and_fetches_nothing():
    with prepared(rounds=1) as bench:
        figures = {figure.name: figure for figure in run_again(bench, accounts=3)}
        again = bench.ours("plain_files", bench.people(1))
    hard = {name: figure.ours for name, figure in figures.items() if figure.hard}
    assert hard == {
        "files missing after the first run": 60,  # fetched; none is missing
        "sign-ins": 0,
        "requests per account": 1,
        "files fetched": 0,
    }
    assert all(figure.verdict == "ok" for figure in figures.values() if figure.hard)
    assert figures["files missing after the first run"].floor == 60
    assert figures["window"].ours > 0.05  # the portal waits that long before each answer
    # Somebody new is counted: the zeros above are no blindness.
    assert (again.sign_ins, again.downloads, again.requests) == (1, 20, 24)
    assert again.bytes > 20 * 20_000
    assert again.cost.memory > 30
    assert again.cost.cpu > 0.1


@pytest.mark.matrix
def test_rows_are_stored_right_and_an_unchanged_file_is_not_read_again():
    with prepared(rounds=1) as bench:
        me = bench.people(1)
        crawl = ["plain_usage", me, "-a", "rows=300"]
        bench.ours(*crawl)
        assert right(bench, me[0], 300)
        with closing(sqlite3.connect(bench.folder / "data" / "latchkey.db")) as connection, connection:
            connection.execute("DELETE FROM plain_usage WHERE id = 1")
        assert not right(bench, me[0], 300)  # the comparison sees what is missing
        bench.ours(*crawl)
        assert not right(bench, me[0], 300)  # the file is stored and the same: nobody read it
        bench.ours(*crawl, "-a", "again=yes")
        assert right(bench, me[0], 300)
        assert written(bench, me[0]) == 301


@pytest.mark.matrix
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "which",
    [
        *("p1", "p3", "p4", "p8", "p11", "p12", "p13", "readings", "prices", "listing"),
        *(pytest.param(which, marks=pytest.mark.figures) for which in ("p7", "p9", "warm")),
    ],
)
def test_no_hard_count_is_broken(which):
    with prepared(rounds=3 if which == "p9" else 1) as bench:
        figures = import_module(f"benchmarks.{which}").run(bench)
    assert figures
    assert [figure.name for figure in figures if figure.verdict == "broken"] == []


@pytest.mark.matrix
@pytest.mark.browser
@pytest.mark.timeout(300)
@pytest.mark.parametrize("which", ["p5", pytest.param("p10", marks=pytest.mark.figures)])
def test_no_hard_count_is_broken_in_the_browser(which):
    test_no_hard_count_is_broken(which)


@pytest.mark.matrix
@pytest.mark.browser
@pytest.mark.timeout(600)
def test_accounts_of_carriers_are_signed_in_to_once_and_stored():
    with prepared(rounds=1) as bench:
        figures = carriers.run(bench, ["att_pdf_invoice", "bell_daily_usage"], few=1, many=2)
    stored = {figure.name: figure.ours for figure in figures if figure.name.endswith((": not stored", ": sign-ins"))}
    assert list(stored.values()) == [0, 2, 0, 2]
    memory = {figure.name: figure.ours for figure in figures if figure.unit == "MB"}
    assert min(list(memory.values())[:2]) > 150, memory  # the browsers are in it


@pytest.mark.matrix
@pytest.mark.browser
@pytest.mark.figures
@pytest.mark.timeout(1800)
def test_every_spider_of_a_carrier_is_done_in_its_time_and_many_accounts_take_no_more_memory():
    """In the room for noise."""
    with prepared(rounds=1) as bench:
        figures = carriers.run(bench)
    print(table(cells(figures)))
    assert [figure.name for figure in figures if figure.verdict in ("broken", "short")] == []


@pytest.mark.matrix
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("size", "refused"),
    [
        (load.Size(people=3, workers=1, jobs=6, rate=3, seconds=3, accounts=2), ["broken"]),
        pytest.param(load.Size(), ["broken", "short", "near"], marks=[pytest.mark.figures, pytest.mark.timeout(1200)]),
    ],
    ids=["small", "whole"],
)
def test_people_workers_and_codes_at_once_meet_no_error_and_no_code_is_late(size, refused):
    """50 people, 4 workers and 20 codes a second at its whole size, by both servers; beside other tests only errors count."""
    with prepared(rounds=1) as bench:
        figures = load.run(bench, size)
    print(table(cells(figures)))
    assert [figure.name for figure in figures if figure.verdict in refused] == []
    assert all(figure.ours > 0 for figure in figures if figure.name.endswith(("pages opened", "crawls done meanwhile")))


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [
        (ratio("p", "exactly", 1.1, 1.1, 1.0), "ok"),
        (ratio("p", "noise", 1.0, 1.29, 1.0), "near"),
        (ratio("p", "slow", 1.0, 1.31, 1.0), "short"),
        (ratio("p", "for information", None, 9.0, 1.0), "-"),
        (count("p", "sign-ins", 0, 0), "ok"),
        (count("p", "in flight", 16, 17), "broken"),
    ],
)
def test_verdicts(figure: Figure, verdict: str):
    assert figure.verdict == verdict
    assert figure.as_json()["verdict"] == verdict
    assert table(cells([figure])).splitlines()[1].endswith(verdict)


@pytest.mark.parametrize(
    ("theirs", "ours", "verdict", "ratio"),
    [
        ([2.0, 4.0, 3.0], [1.0, 2.0, 1.5], "better", 0.5),
        ([2.0, 4.0, 3.0], [2.08, 4.16, 3.12], "same", 1.04),
        ([1.0, 1.0, 1.0], [1.06, 1.06, 3.0], "worse", 1.06),
        ([0.0, 0.0, 0.0], [0.0, 0.0, 0.0], "same", None),
        ([0.0, 0.0, 0.0], [0.0, 1.0, 1.0], "-", None),
    ],
)
def test_two_checkouts_are_compared_round_by_round(theirs, ours, verdict, ratio):
    pairs = [
        (Figure("p", "wall", other / 10, None, other, 10.0, "s"), Figure("p", "wall", mine / 20, None, mine, 20.0, "s"))
        for other, mine in zip(theirs, ours, strict=True)
    ]
    found = against.compared(pairs)
    assert found.verdict == verdict
    assert found.ratio == (None if ratio is None else pytest.approx(ratio))
    # The machine was half as fast beside ours, as the bare client shows.
    assert found.floor_ratio == (None if ratio is None else pytest.approx(ratio / 2))
    heading, row = against.cells("abc1234", [found])
    assert len(heading) == len(row)
    assert row[-1] == verdict
    assert markdown([heading, row]).splitlines()[1].count("---") == len(heading)


@pytest.mark.matrix
@pytest.mark.figures
@pytest.mark.timeout(600)
def test_files_of_telegram_take_little_longer_than_telethons_own_loop():
    """In the room for noise; rounds are played in turns."""
    with prepared(rounds=3) as bench:
        figures = {figure.name: figure for figure in import_module("benchmarks.telegram").run(bench)}
    print(table(cells(figures.values())))
    assert [figure.name for figure in figures.values() if figure.verdict in ("broken", "short")] == []


def test_a_commit_that_is_not_there_is_named(tmp_path):
    command = [sys.executable, "-m", "benchmarks", "p11", "--against", "no-such-commit"]
    process = subprocess.run(
        command, cwd=ROOT, env=clean_environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert process.returncode == 2
    assert "there is no commit no-such-commit" in process.stderr


@pytest.mark.matrix
@pytest.mark.figures
@pytest.mark.timeout(600)
def test_the_peers_do_the_same_work_and_ours_keeps_its_counts():
    with prepared(rounds=1) as bench:
        figures = speed.run(bench, documents=20, accounts=3, rows=500, big=3_000_000)
    assert {name for figure in figures for name in figure.peers} == {"bare_scrapy", "typical_scrapy", "ours"}
    counts = [figure.name for figure in figures if figure.verdict == "broken" and "transactions" not in figure.name]
    assert counts == []
    begun = [figure for figure in figures if "transactions" in figure.name]
    assert begun[0].ours > 3


def test_a_process_that_fails_is_not_measured():
    with pytest.raises(ProcessFailed, match="ended with 3: sorry"):
        measure([sys.executable, "-c", "print('sorry'); raise SystemExit(3)"], clean_environment())


def test_memory_is_the_processs_own():
    held = bytearray(200_000_000)  # ours: a child begins with it on its account
    cost = measure([sys.executable, "-c", "x = bytearray(50_000_000)"], clean_environment())
    assert len(held) == 200_000_000
    assert 50 < cost.memory < 100


def test_an_unknown_benchmark_is_named():
    process = subprocess.run(
        [sys.executable, "-m", "benchmarks", "p99"],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 2
    assert "there is no benchmark p99" in process.stderr


@pytest.mark.matrix
@pytest.mark.timeout(300)
def test_figures_are_printed_and_written(tmp_path):
    command = [sys.executable, "-m", "benchmarks", "p11", "--rounds", "1", "--json", str(tmp_path / "bench.json")]
    process = subprocess.run(
        command, cwd=ROOT, env=clean_environment(), capture_output=True, text=True, timeout=200, check=False
    )
    assert process.returncode == 0, process.stderr
    told = json.loads((tmp_path / "bench.json").read_text())
    assert {figure["benchmark"] for figure in told["figures"]} == {"p11"}
    assert all(figure["name"] in process.stdout for figure in told["figures"])


@pytest.mark.parametrize(
    ("command", "needless"),
    [
        ("list", {"aiohttp", "alembic", "flask", "playwright.async_api", "tldextract"}),
        ("portals", {"aiohttp", "alembic", "flask", "playwright.async_api", "tldextract"}),
        ("status", {"aiohttp", "alembic", "flask", "playwright.async_api", "scrapers.portals", "tldextract"}),
    ],
)
def test_commands_import_only_what_they_need(command, needless, project, tmp_path):
    """Start-up is mostly imports: each of these takes a tenth of a second or more."""
    process = project(tmp_path).run(sys.executable, "-X", "importtime", "-m", "scrapy", command)
    imported = {line.rpartition("|")[2].strip() for line in process.stderr.splitlines() if "|" in line}
    assert "scrapy.cmdline" in imported
    assert not needless & imported
