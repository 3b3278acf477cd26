"""The same crawl into a folder, a share and a bucket; stores that are away, and crawls that are killed as they store."""

from __future__ import annotations

import hashlib
import random
import signal
import time

import pytest

from pipelines.stores.base import INCOMING
from tests.project import free_port, wait_for
from tests.s3 import BUCKET, object_server
from tests.samba import file_server

BIG = 40_000_000  # bytes
SERVED = [pytest.param("smb", marks=[pytest.mark.smb, pytest.mark.matrix]), "s3"]
SLOW = {"LATCHKEY_REQUESTS_IN_FLIGHT": "1"}


class Share:
    """Samba, as the tests of both kinds see it."""

    def __init__(self, server):
        self.server, self.settings = server, server.settings()

    def everything(self):
        """Return the hash of every file, those on their way too."""
        found = {}
        for path in self.server.files.rglob("*"):
            if path.is_file():
                found[str(path.relative_to(self.server.files))] = hashlib.sha256(path.read_bytes()).hexdigest()
        return found

    def begun(self):
        """Tell whether some of a file has arrived."""
        incoming = self.server.files / INCOMING
        return any(path.stat().st_size for path in incoming.glob("*@*"))

    def left(self):
        """Return what is on its way."""
        return [name for name in self.everything() if name.startswith(INCOMING)]


class Bucket:
    def __init__(self, server):
        self.server, self.settings = server, server.settings("bell/files")

    def everything(self):
        return self.server.objects("bell/files")

    def begun(self):
        return bool(self.server.uploads())

    def left(self):
        return self.server.uploads()


@pytest.fixture
def place(request, tmp_path):
    """Give a store of a kind, as others see it."""
    opened = []

    def make(kind):
        server = file_server(tmp_path / "samba") if kind == "smb" else object_server()
        opened.append(server)
        return Share(server.__enter__()) if kind == "smb" else Bucket(server.__enter__())

    yield make
    for server in opened:
        server.__exit__(None, None, None)


def visible(place):
    return {name: found for name, found in place.everything().items() if not name.startswith(INCOMING)}


def rows(crawls):
    """Return path and hash of every file that a row says is stored."""
    return {row["path"]: row["sha256"] for row in crawls.rows("SELECT path, sha256 FROM files WHERE status = 'ready'")}


def in_folder(crawls):
    folder = crawls.project.data / "files"
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("kinds", [pytest.param(["smb", "s3"], marks=pytest.mark.smb, id="folder, share, bucket")])
def test_every_store_gets_the_same_names_and_the_same_bytes(crawls, plain, place, kinds):
    """The last ones by `again=yes`: the rows then say where the files are now."""
    plain.configure(documents=4)
    crawls.give("plain", "ok+חשבון@example.com")
    done = crawls.run("plain_files")
    assert done.returncode == 0, done.stderr
    wanted = rows(crawls)
    assert len(wanted) == 4
    assert in_folder(crawls) == wanted
    for kind in kinds:
        here = place(kind)
        done = crawls.run("plain_files", "again=yes", **here.settings)
        assert done.returncode == 0, done.stderr
        assert visible(here) == rows(crawls) == wanted
        assert here.left() == []
        assert {row["store"] for row in crawls.rows("SELECT store FROM files")} == {here.settings["LATCHKEY_FILES"]}
    assert crawls.outcomes == ["success"] * 3


def kill(crawls, place, due):
    """Kill a crawl of one big file when it is due, if it still runs; say what is wrong after it and after the next one."""
    process = crawls.start("plain_big", f"path=/big?bytes={BIG}", "again=yes", **place.settings)
    wait_for(lambda: due() or process.poll() is not None, 60, every=0.001)
    process.kill()
    said = process.communicate()
    half = {name: found for name, found in visible(place).items() if rows(crawls).get(name, found) != found}
    shown = visible(place)
    again = crawls.run("plain_big", f"path=/big?bytes={BIG}", "again=yes", **place.settings)
    assert process.returncode in (-signal.SIGKILL, 0), said
    assert again.returncode == 0, again.stderr
    wanted = rows(crawls)
    assert len(wanted) == 1
    assert not half
    assert visible(place) == wanted
    assert shown in ({}, wanted)
    assert place.left() == []
    return process.returncode == -signal.SIGKILL, shown


@pytest.mark.parametrize(
    "kind", [pytest.param("smb", marks=pytest.mark.smb), pytest.param("s3", marks=pytest.mark.matrix)]
)
def test_a_kill_in_the_middle_of_a_file_shows_nothing_of_it(crawls, plain, place, kind):
    """And the next run leaves nothing of it behind."""
    crawls.give("plain", "ok@example.com")
    here = place(kind)
    was_killed, shown = kill(crawls, here, here.begun)
    assert was_killed
    assert shown == {}


@pytest.mark.matrix
@pytest.mark.timeout(500)
@pytest.mark.parametrize("kind", [pytest.param("smb", marks=pytest.mark.smb), "s3"])
def test_kills_at_any_instant_show_whole_files_or_none(crawls, plain, place, kind):
    crawls.give("plain", "ok@example.com")
    here, chance = place(kind), random.Random(20261120)
    began = time.monotonic()
    undisturbed = crawls.run("plain_big", f"path=/big?bytes={BIG}", "again=yes", **here.settings)
    span = time.monotonic() - began
    assert undisturbed.returncode == 0, undisturbed.stderr
    killed = 0
    for _ in range(8):
        for name in here.everything():
            remove(here, name)
        until = time.monotonic() + chance.uniform(0.1, 1.1) * span
        killed += kill(crawls, here, lambda until=until: time.monotonic() > until)[0]
    print(f"{kind}: {killed} of 8 runs were killed before they ended")
    assert killed >= 3


def remove(place, name):
    if isinstance(place, Share):
        (place.server.files / name).unlink()
    else:
        place.server.client.delete_object(Bucket=BUCKET, Key=f"bell/files/{name}")


AWAY = {
    "share": lambda: {"LATCHKEY_FILES": f"smb://127.0.0.1:{free_port()}/files", "LATCHKEY_SMB_PASSWORD": "hunter-2"},
    "bucket": lambda: {
        "LATCHKEY_FILES": "s3://invoices",
        "LATCHKEY_S3_ENDPOINT": f"http://127.0.0.1:{free_port()}",
        "LATCHKEY_S3_ACCESS_KEY": "key",
        "LATCHKEY_S3_SECRET_KEY": "hunter-2",
    },
    "folder": lambda: {"LATCHKEY_FILES": "/proc/files"},
    "full": lambda: {"LATCHKEY_FILES_FREE": str(10**18)},
}


@pytest.mark.parametrize(
    "kind", [kind if kind in ("share", "full") else pytest.param(kind, marks=pytest.mark.matrix) for kind in AWAY]
)
def test_nobody_is_visited_while_the_store_is_away(crawls, plain, kind):
    crawls.give("plain", "ok@example.com")
    crawls.give("plain", "sms@example.com")
    before = plain.counters()
    environment = AWAY[kind]()

    done = crawls.run("plain_files", "credential=ok@example.com,sms@example.com", **environment)

    assert done.returncode == 4, done.stderr
    assert crawls.outcomes == ["store_full" if kind == "full" else "store_away"] * 2
    assert plain.counters() == before
    assert crawls.value("SELECT count(*) FROM attempts") == 0
    told = done.stderr + str([tuple(row) for row in crawls.rows("SELECT message, step FROM runs")])
    assert ("LATCHKEY_FILES_FREE" if kind == "full" else "LATCHKEY_FILES") in told
    assert "hunter-2" not in told
    assert done.stderr.count("Traceback") == 0


@pytest.mark.matrix
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", SERVED)
def test_a_store_that_goes_away_in_mid_run_stops_it_and_loses_nothing(crawls, plain, place, kind):
    plain.configure(documents=30, latency_ms=200)
    crawls.give("plain", "ok@example.com")
    here = place(kind)

    process = crawls.start("plain_files", **here.settings, **SLOW)
    wait_for(lambda: len(visible(here)) >= 3 or process.poll() is not None)
    assert process.poll() is None, process.communicate()
    here.server.stop()
    said = process.communicate(timeout=60)[1]

    assert process.returncode == 4, said
    assert crawls.outcomes == ["store_away"]
    assert said.count("store_away") <= 2, said
    wait_for(lambda: plain.counters()["in_flight_now"] == 0)  # the portal ends, and counts, what the crawl has left
    fetched = plain.counters()["downloads"]
    assert 3 <= fetched < 30
    first = rows(crawls)
    assert crawls.value("SELECT count(*) FROM files WHERE status != 'ready'") == 0
    assert [path for path in (crawls.project.data / "spool").rglob("*") if path.is_file()] == []

    here.server.start()
    plain.configure(documents=30, latency_ms=0)
    done = crawls.run("plain_files", **here.settings)

    assert done.returncode == 0, done.stderr
    wanted = rows(crawls)
    assert len(wanted) == 30
    assert plain.counters()["downloads"] == fetched + 30 - len(first)
    # What was in the bucket's memory is gone with its process; what is in the share's folder is not.
    assert visible(here) == (wanted if kind == "smb" else {k: v for k, v in wanted.items() if k not in first})
    assert here.left() == []


def test_a_folder_that_is_empty_though_files_were_stored_in_it_is_not_mounted(crawls, plain, tmp_path):
    """Else they would lie below the place where the NAS will be mounted again."""
    plain.configure(documents=2)
    crawls.give("plain", "ok@example.com")
    (tmp_path / "nas").mkdir()
    mounted = {"LATCHKEY_FILES": str(tmp_path / "nas")}
    assert crawls.run("plain_files", **mounted).returncode == 0
    (tmp_path / "nas").rename(tmp_path / "away")
    (tmp_path / "nas").mkdir()
    before = plain.counters()

    done = crawls.run("plain_files", "again=yes", **mounted)

    assert (done.returncode, crawls.outcomes[-1]) == (4, "store_away"), done.stderr
    assert plain.counters() == before
    assert "mount it" in done.stderr
    assert list((tmp_path / "nas").iterdir()) == []


@pytest.mark.matrix
@pytest.mark.browser
@pytest.mark.smb
@pytest.mark.timeout(300)
def test_reports_that_were_asked_for_are_collected_once_the_store_is_back(crawls, bell, place):
    (number,) = crawls.give_bell("ok@example.com")
    here = place("smb")
    bell.configure(report_seconds=3)

    process = crawls.start("bell_ereports", f"account={number}", **here.settings)
    wait_for(lambda: bell.counters().get("reports_asked") == 3 or process.poll() is not None, 100)
    here.server.stop()
    said = process.communicate(timeout=100)[1]
    assert (process.returncode, crawls.outcomes) == (4, ["store_away"]), said
    here.server.start()
    done = crawls.run("bell_ereports", f"account={number}", **here.settings)

    assert done.returncode == 0, done.stderr
    assert bell.counters()["reports_asked"] == 3
    assert visible(here) == rows(crawls)
    assert len(rows(crawls)) == 3
