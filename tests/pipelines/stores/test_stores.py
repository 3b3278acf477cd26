"""Every kind of store keeps the same promises: whole files or none, no file replaced, and one sentence when it is away."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from database.processes import signature
from pipelines.settings import PipelineSettings
from pipelines.stores import store_of
from pipelines.stores.base import INCOMING
from scrapers.core.outcomes import StoreAway, StoreFull
from scrapers.core.spool import describe
from tests.project import ROOT, free_port, wait_for
from tests.s3 import BUCKET, object_server
from tests.samba import file_server

GOOD = b"%PDF-1.4\n1 0 obj\n<< >>\nendobj\ntrailer << >>\n%%EOF\n"
KINDS = ["folder", pytest.param("smb", marks=pytest.mark.smb), "s3"]
SERVED = KINDS[1:]


@pytest.fixture(scope="module")
def share(tmp_path_factory):
    with file_server(tmp_path_factory.mktemp("samba")) as server:
        yield server


@pytest.fixture(scope="module")
def bucket():
    with object_server() as server:
        yield server


class Kept:
    """A store, and what anybody else sees of it."""

    def __init__(self, environment, look, monkeypatch, folder=None):
        self.folder = folder  # None: it has none
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        self.look = look
        self.settings = PipelineSettings.load()
        self.store = store_of(self.settings)

    @property
    def visible(self):
        """Paths and hashes of all files that are in their places."""
        return {name: found for name, found in self.look().items() if not name.startswith(INCOMING)}

    def folders(self):
        """Paths of all folders."""
        found = self.folder.rglob("*") if self.folder else ()
        return [str(path.relative_to(self.folder)) for path in found if path.is_dir()]

    @property
    def on_their_way(self):
        return [name for name in self.look() if name.startswith(INCOMING)]


def hashes(folder):
    found = {}
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if path.is_file():
            # What is on its way may be gone before it is read.
            found[name] = "" if name.startswith(INCOMING) else hashlib.sha256(path.read_bytes()).hexdigest()
    return found


@pytest.fixture
def kept(request, tmp_path, monkeypatch):
    """Make a store of a kind, in a folder of its own that is not there yet."""

    def make(kind, **more):
        if kind == "folder":
            folder = tmp_path / "store"
            environment, look = {"LATCHKEY_FILES": str(folder)}, lambda: hashes(folder)
        else:
            server = request.getfixturevalue("share" if kind == "smb" else "bucket")
            name = f"of/{tmp_path.name}"
            environment = server.settings(name)
            folder = server.files / name if kind == "smb" else None
            look = (lambda: hashes(folder)) if folder else (lambda: server.objects(name))
        return Kept(environment | more, look, monkeypatch, folder)

    return make


@pytest.fixture
def part(tmp_path):
    """Make a part file of these bytes."""

    def make(content):
        path = tmp_path / "spool" / f"{os.urandom(4).hex()}.part"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return describe(path, "x.pdf")

    return make


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_content_is_stored_once_and_other_content_beside_it(kept, part, kind):
    here = kept(kind)
    first, again = (here.store.place(part(GOOD), "bell/1/x.pdf") for _ in range(2))
    other, third = part(GOOD + b"%%EOF"), part(b"third")
    beside, with_both = here.store.place(other, "bell/1/x.pdf"), here.store.place(third, "bell/1/x.pdf")
    assert first == again == "bell/1/x.pdf"
    assert (beside, with_both) == (f"bell/1/x~{other.sha256[:8]}.pdf", f"bell/1/x~{third.sha256[:8]}.pdf")
    assert here.visible == {
        first: hashlib.sha256(GOOD).hexdigest(), beside: other.sha256, with_both: third.sha256
    }  # fmt: skip
    assert here.on_their_way == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_stored_file_is_read_back(kept, part, kind):
    here, content = kept(kind), os.urandom(3_000_000)
    path = here.store.place(part(content), "bell/1/x.bin")
    with here.store.open(path) as file:
        assert file.read(10) + file.read() == content
    assert (here.store.size(path), here.store.exists(path)) == (len(content), True)
    for nothing in ("x.bin", "bell/2/x.bin"):
        assert (here.store.size(nothing), here.store.exists(nothing)) == (None, False)
        with pytest.raises(FileNotFoundError):
            here.store.open(nothing)


@pytest.mark.parametrize("kind", KINDS)
def test_a_stored_file_is_removed(kept, part, kind):
    here = kept(kind)
    path, other = (here.store.place(part(GOOD), f"bell/1/{name}.pdf") for name in "xy")
    assert [here.store.remove(path) for _ in range(2)] == [True, False]
    assert set(here.visible) == {other}


@pytest.mark.parametrize("kind", KINDS)
def test_folders_that_are_left_empty_are_deleted_up_to_one_that_is_not(kept, part, kind):
    """Their names may hold a client's; where a new file comes into one of them, it is made anew."""
    here = kept(kind)
    path, other = (here.store.place(part(GOOD), f"bell/{name}.pdf") for name in ("1/2026-10/x", "2/x"))
    here.store.tidy("bell/1/2026-10")
    assert set(here.visible) == {path, other}
    for _ in range(2):
        here.store.remove(path)
        here.store.tidy("bell/1/2026-10")
        assert set(here.visible) == {other}
        assert not [name for name in here.folders() if name.startswith("bell/1")]
        assert here.store.place(part(GOOD), "bell/1/2026-10/x.pdf") == path


@pytest.mark.parametrize("kind", KINDS)
def test_a_place_where_somebody_else_s_files_lie_is_not_used(kept, part, kind):
    """Not even if they have the names that ours would be given."""
    here, mine = kept(kind), part(GOOD)
    for name in ("x.pdf", f"x~{mine.sha256[:8]}.pdf", f"x~{mine.sha256[:16]}.pdf"):
        here.store.place(part(name.encode()), name)
    with pytest.raises(StoreAway, match="holds other files"):
        here.store.place(mine, "x.pdf")
    assert len(here.visible) == 3


AWKWARD = {
    "Rechnung Müller & Söhne (März) #1 100%.pdf": "é+ñ=1;2,3'4!.pdf",
    "חשבונית חשמל.pdf": "חשמל",
    "請求書 2026年10月.pdf": "~$draft~.pdf",
}


@pytest.mark.parametrize("kind", KINDS)
def test_awkward_names_are_the_same_everywhere(kept, part, kind):
    here = kept(kind)
    for number, path in enumerate(f"{folder}/{name}" for folder, name in AWKWARD.items()):
        assert here.store.place(part(f"{number}".encode()), path) == path
        assert here.store.open(path).read() == f"{number}".encode()
    assert sorted(here.visible) == sorted(f"{folder}/{name}" for folder, name in AWKWARD.items())


@pytest.mark.parametrize("kind", KINDS)
def test_many_at_once_leave_whole_files(kept, part, kind):
    """Whoever looks sees nothing or all of it, and of several contents for one place none is lost."""
    here = kept(kind)
    contents = [GOOD + bytes([number]) * 400_000 for number in range(3)]
    stop, seen = threading.Event(), set()

    def watch():
        while not stop.is_set():
            seen.update(here.visible.items())

    with ThreadPoolExecutor(7) as pool:
        watcher = pool.submit(watch)
        placed = [
            pool.submit(here.store.place, part(content), f"bell/{number}.pdf")
            for content in contents for number in range(2) for _ in range(2)
        ]  # fmt: skip
        try:
            paths = {future.result() for future in placed}
        finally:
            stop.set()
        watcher.result()
    assert set(here.visible) == paths
    assert len(paths) == 6
    assert sorted(here.visible.values()) == sorted([hashlib.sha256(content).hexdigest() for content in contents] * 2)
    assert seen <= set(here.visible.items())
    assert here.on_their_way == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_big_file_goes_in_parts(kept, part, kind):
    here, content = kept(kind), os.urandom(1 << 20) * 21
    path = here.store.place(part(content), "big.bin")
    assert here.visible == {path: hashlib.sha256(content).hexdigest()}
    assert here.store.place(part(content), "big.bin") == path


@pytest.mark.parametrize("kind", KINDS[:2])
def test_a_store_with_too_little_space_is_full(kept, part, kind):
    here = kept(kind, LATCHKEY_FILES_FREE=str(10**18))
    with pytest.raises(StoreFull, match="LATCHKEY_FILES_FREE"):
        here.store.place(part(GOOD), "x.pdf")
    with pytest.raises(StoreFull):
        here.store.check()
    assert 0 < here.store.free() < 10**18
    assert here.visible == {}


def test_s3_tells_nobody_how_much_space_it_has(kept):
    here = kept("s3", LATCHKEY_FILES_FREE=str(10**18))
    here.store.check()
    assert here.store.free() is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_look_leaves_nothing_behind(kept, kind):
    here = kept(kind)
    here.store.check()
    here.store.sweep()
    assert here.look() == {}


@pytest.mark.smb
def test_what_a_killed_process_left_on_its_way_to_a_share_is_swept(kept, share, tmp_path):
    """Of processes of this machine that have ended; a living one's, and another machine's, stay."""
    here = kept("smb")
    here.store.check()
    machine, pid, began = signature().split("+")
    folder = share.files / "of" / tmp_path.name / INCOMING
    ours, elsewhere, left = f"1@{signature()}", f"2@elsewhere+{pid}+{began}", f"3@{machine}+{pid}+1"
    for name in (ours, elsewhere, left):
        (folder / name).touch()
    here.store.sweep()
    assert {path.name for path in folder.iterdir()} == {ours, elsewhere}


def test_what_a_killed_process_left_in_the_middle_of_its_parts_is_swept(kept, bucket, tmp_path):
    here = kept("s3")
    for key in (f"of/{tmp_path.name}/x.pdf", "somebody/else.pdf"):
        bucket.client.create_multipart_upload(Bucket=BUCKET, Key=key)
    here.store.sweep()
    assert bucket.uploads() == ["somebody/else.pdf"]


def test_an_upload_of_today_may_still_be_somebody_s():
    from pipelines.stores.s3 import is_stale

    now = datetime.now(UTC)
    assert not is_stale(now - timedelta(hours=23))
    assert is_stale(now - timedelta(hours=25))


def refused(environment, monkeypatch):
    """Return what a store says that cannot be used."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StoreAway) as told:
        store_of(PipelineSettings.load()).check()
    assert told.value.detail.count(".") == told.value.detail.rstrip(".").count(".") + 1
    for name, value in environment.items():
        assert value not in told.value.detail or "PASSWORD" not in name
    return told.value.detail


@pytest.mark.smb
def test_a_share_that_cannot_be_used_says_why(share, monkeypatch):
    good = share.settings()
    wrong = refused(good | {"LATCHKEY_SMB_PASSWORD": "hunter-2"}, monkeypatch)
    assert "LATCHKEY_SMB_PASSWORD" in wrong
    nothing = refused(good | {"LATCHKEY_FILES": share.address().replace("/files", "/nothing")}, monkeypatch)
    assert "no such share" in nothing
    away = refused(good | {"LATCHKEY_FILES": f"smb://127.0.0.1:{free_port()}/files"}, monkeypatch)
    assert "does not answer" in away


def test_a_bucket_that_cannot_be_used_says_why(bucket, monkeypatch):
    good = bucket.settings()
    assert "no such bucket" in refused(good | {"LATCHKEY_FILES": "s3://nothing/x"}, monkeypatch)
    away = refused(good | {"LATCHKEY_S3_ENDPOINT": f"http://127.0.0.1:{free_port()}"}, monkeypatch)
    assert "LATCHKEY_S3_ENDPOINT" in away


def test_a_key_that_s3_refuses_is_named(bucket, monkeypatch):
    """Amazon's own rules for keys and rights, which this server keeps from the next request on."""
    import urllib.request

    def rules(begin_after):
        urllib.request.urlopen(
            urllib.request.Request(f"{bucket.url}/moto-api/reset-auth", begin_after, {"Content-Type": "text/plain"})
        ).close()

    rules(b"0")
    try:
        said = refused(bucket.settings(), monkeypatch)
    finally:
        rules(b"inf")
    assert "LATCHKEY_S3_ACCESS_KEY" in said


def test_a_folder_that_cannot_be_used_says_why(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    assert "LATCHKEY_FILES" in refused({"LATCHKEY_FILES": str(tmp_path / "file" / "store")}, monkeypatch)


@pytest.mark.smb
def test_a_server_that_was_started_anew_is_spoken_to_again(part, tmp_path, monkeypatch):
    with file_server(tmp_path / "samba") as server:
        for name, value in server.settings().items():
            monkeypatch.setenv(name, value)
        store = store_of(PipelineSettings.load())
        store.place(part(GOOD), "1.pdf")
        server.stop()
        server.start()
        store.place(part(GOOD), "2.pdf")
        assert sorted(hashes(server.files)) == ["1.pdf", "2.pdf"]
        server.stop()
        with pytest.raises(StoreAway, match="does not answer"):
            store.place(part(GOOD), "3.pdf")


@pytest.mark.parametrize(("address", "package", "module"), [
    ("smb://nas.example.com/files", "smbprotocol", "smbclient"),
    ("s3://bucket", "s3fs", "s3fs"),
])  # fmt: skip
def test_a_package_that_is_missing_is_named(monkeypatch, address, package, module):
    monkeypatch.setenv("LATCHKEY_FILES", address)
    monkeypatch.delitem(sys.modules, f"pipelines.stores.{address.partition(':')[0]}", raising=False)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(StoreAway, match=f"install {package}"):
        store_of(PipelineSettings.load())


def test_nobody_who_keeps_files_in_a_folder_waits_for_other_stores():
    look = "import sys, pipelines.files, pipelines.records; print(*{'s3fs', 'fsspec', 'botocore', 'smbclient'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", look], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


PLACE = """
import sys
from pathlib import Path
from pipelines.settings import pipeline_settings
from pipelines.stores import store_of
from scrapers.core.spool import describe
store = store_of(pipeline_settings())
store.check()
def peak():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) * 1024
def place(name):
    store.place(describe(Path(sys.argv[1]) / name, name), name)
place("small")
before = peak()
place("big")
print(peak() - before)
"""


@pytest.mark.matrix
@pytest.mark.parametrize("kind", KINDS)
def test_a_big_file_is_never_held_in_memory(kept, tmp_path, kind):
    here = kept(kind)
    (tmp_path / "small").write_bytes(b"small")
    with (tmp_path / "big").open("wb") as file:
        for _ in range(200):
            file.write(os.urandom(1 << 20))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "LATCHKEY_FILES": here.settings.files}
    done = subprocess.run(
        [sys.executable, "-c", PLACE, str(tmp_path)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    print(f"{kind}: {int(done.stdout) / (1 << 20):.0f} MB more for a file of 200 MB")
    assert int(done.stdout) < 48 << 20
    assert here.store.size("big") == 200 << 20


@pytest.mark.smb
def test_a_server_that_dies_in_the_middle_of_a_file_shows_nothing_of_it(part, tmp_path, monkeypatch):
    with file_server(tmp_path / "samba") as server, ThreadPoolExecutor(1) as pool:
        for name, value in server.settings().items():
            monkeypatch.setenv(name, value)
        store = store_of(PipelineSettings.load())
        placing = pool.submit(store.place, part(os.urandom(1 << 20) * 300), "big.bin")
        incoming = server.files / INCOMING
        wait_for(lambda: any(path.stat().st_size > 1 << 20 for path in incoming.glob("*")), 30, every=0.001)
        server.stop()
        with pytest.raises(StoreAway):
            placing.result(60)
        assert [name for name in hashes(server.files) if not name.startswith(INCOMING)] == []


@pytest.mark.matrix
@pytest.mark.smb
def test_a_server_that_says_nothing_any_more_is_away(part, tmp_path, monkeypatch):
    """Its machine is up, and its processes stand still in the middle of a file."""
    with file_server(tmp_path / "samba") as server, ThreadPoolExecutor(1) as pool:
        for name, value in server.settings().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("pipelines.stores.smb.CONNECT_WAIT", 1)
        store = store_of(PipelineSettings.load())
        store.check()
        monkeypatch.setattr("pipelines.stores.smb.SILENCE", 1.0)
        placing = pool.submit(store.place, part(os.urandom(1 << 20) * 300), "big.bin")
        incoming = server.files / INCOMING
        wait_for(lambda: any(path.stat().st_size > 1 << 20 for path in incoming.glob("*")), 30, every=0.001)
        for pid in (*server.children(), server.process.pid):
            os.kill(pid, signal.SIGSTOP)
        with pytest.raises(StoreAway):
            placing.result(60)
        assert [name for name in hashes(server.files) if not name.startswith(INCOMING)] == []


def test_an_address_is_a_path_of_this_machine_or_one_of_the_known_kinds(tmp_path):
    settings = PipelineSettings(files=str(tmp_path))
    assert store_of(settings).address == str(tmp_path)
    assert store_of(settings) is store_of(PipelineSettings(files=str(tmp_path)))
    assert store_of(settings, str(tmp_path / "old")).address == str(tmp_path / "old")
    assert Path(store_of(PipelineSettings()).address).name == "files"


@pytest.mark.parametrize("kind", SERVED)
def test_packets_are_not_told_of_in_logs(kept, part, kind, caplog):
    """They hold the file. A crawl lets every record through, and makes its text before anybody asks for it."""
    here = kept(kind)
    caplog.set_level("DEBUG")
    here.store.place(part(GOOD), "x.pdf")
    here.store.open("x.pdf").close()
    told = {record.name for record in caplog.records}
    assert told <= {"asyncio"}
