"""Crawls and commands as children of a warm parent: processes like any other, and nothing of one is left for the next."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from jobs import warm as module
from jobs.warm import WarmFailed, WarmParent
from tests.project import INTERPRETER, ROOT, TEST_KEY, clean_environment, wait_for

# A room of the project with one command, which does what a test tells it: `scrapy act CODE`.
COMMAND = """
from scrapy.commands import ScrapyCommand


class Command(ScrapyCommand):
    requires_crawler_process = False

    def short_desc(self):
        return "Act"

    def run(self, args, opts):
        exec(args[0], {"command": self})
"""
SETTINGS = """
COMMANDS_MODULE = "acting"
LOG_ENABLED = False
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: the name of a socket may have 107 characters."""
    with tempfile.TemporaryDirectory(prefix="latchkey-warm-") as name:
        yield Path(name) / "parent"


@pytest.fixture
def environment(tmp_path) -> dict[str, str]:
    """The environment of a child that knows `scrapy act`."""
    (tmp_path / "acting").mkdir()
    (tmp_path / "acting" / "__init__.py").touch()
    (tmp_path / "acting" / "act.py").write_text(COMMAND)
    (tmp_path / "act_settings.py").write_text(SETTINGS)
    return {
        **clean_environment(),
        **INTERPRETER,
        "LATCHKEY_DATA_DIR": str(tmp_path / "data"),
        "LATCHKEY_ENCRYPTION_KEYS": TEST_KEY,
        "SCRAPY_SETTINGS_MODULE": "act_settings",
    }


def python(*command, **options):
    """Run Python in a fresh process."""
    options = {"cwd": ROOT, "capture_output": True, "text": True, "timeout": 60, **options}
    return subprocess.run([sys.executable, *command], check=False, **options)


class Acting:
    """A parent, and what its children are told to do; they work in a folder where `scrapy act` is known."""

    def __init__(self, parent: WarmParent, environment: dict[str, str], cwd: Path) -> None:
        self.parent = parent
        self.environment = environment
        self.cwd = cwd

    def run(self, code, **options):
        options = {"env": self.environment, "cwd": self.cwd, "capture_output": True, "timeout": 60, **options}
        return self.parent.run(["act", code], **options)

    def popen(self, code, **options):
        options = {"env": self.environment, "cwd": self.cwd, "stdin": subprocess.DEVNULL, **options}
        return self.parent.popen(["act", code], **options)


@pytest.fixture
def acting(folder, environment, tmp_path) -> Iterator[Acting]:
    """A parent of the test's own, whose children buffer their output as a person's do."""
    del environment["PYTHONUNBUFFERED"]
    parent = WarmParent.start(folder, environment)
    yield Acting(parent, environment, tmp_path)
    parent.close()


@pytest.fixture
def acting_together(warm, environment, tmp_path) -> Acting:
    """The same by the parent of all tests, for those that do not end it."""
    return Acting(warm, environment, tmp_path)


# As `sitecustomize`, which the interpreter imports before anything else.
NEVER_READY = "import sys, threading; 'jobs.warm' in sys.orig_argv and threading.Event().wait()\n"
HANG = "import threading; print('runs', flush=True); threading.Event().wait()"


@pytest.mark.parametrize(
    ("code", "returncode"),
    [
        ("pass", 0),
        ("command.exitcode = 6", 6),
        ("import sys; sys.exit(3)", 3),
        ("import sys; sys.exit('no')", 1),
        ("raise ValueError('unforeseen')", 1),
        ("raise KeyboardInterrupt", -signal.SIGINT),
        ("import os; os._exit(77)", 77),
        ("import os; os.abort()", -signal.SIGABRT),
        ("import os; os.kill(os.getpid(), 9)", -signal.SIGKILL),
        ("import os, sys; os.close(1); os.close(0); sys.exit(4)", 4),
    ],
)
def test_a_process_ends_as_a_fresh_one_does(acting_together, code, returncode):
    here = acting_together
    fresh = python("-m", "scrapy", "act", code, cwd=here.cwd, env=here.environment)
    done = here.run(code)
    assert (done.returncode, done.stdout) == (fresh.returncode, fresh.stdout) == (returncode, "")
    assert done.stderr.splitlines()[-1:] == fresh.stderr.splitlines()[-1:]


def test_what_is_unknown_is_said_as_on_the_command_line(acting_together):
    command = ["nonsense", "-x"]
    ours = {name: value for name, value in acting_together.environment.items() if name != "SCRAPY_SETTINGS_MODULE"}
    fresh = python("-m", "scrapy", *command, env=ours)
    done = acting_together.parent.run(command, cwd=ROOT, env=ours, capture_output=True)
    assert fresh.returncode == 2
    assert (done.returncode, done.stdout, done.stderr) == (fresh.returncode, fresh.stdout, fresh.stderr)


@pytest.mark.parametrize("how", ["terminate", "kill", "interrupt"])
def test_signals_reach_the_process_and_are_told(acting_together, how):
    process = acting_together.popen(HANG, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.readline() == "runs\n"
    assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.01)
    if how == "interrupt":
        process.send_signal(signal.SIGINT)
    else:
        getattr(process, how)()
    sent = {"terminate": signal.SIGTERM, "kill": signal.SIGKILL, "interrupt": signal.SIGINT}[how]
    assert process.wait(60) == process.poll() == process.returncode == -sent
    process.kill()  # it has ended: no other process with its number gets the signal
    assert process.communicate()[0] == ""


def test_handlers_and_mask_of_signals_are_those_of_a_fresh_process(acting_together):
    here = acting_together
    code = (
        "import signal; print(signal.pthread_sigmask(signal.SIG_BLOCK, ()), signal.set_wakeup_fd(-1), "
        "{n: str(signal.getsignal(n)).split(' at ')[0] for n in signal.valid_signals() - {signal.SIGINT}})"
    )
    # A fresh process ignores SIGINT where the tests run in the background of a shell; a child never does.
    heard = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    assert here.run(heard).stdout == "True\n"
    fresh = python("-m", "scrapy", "act", code, cwd=here.cwd, env=here.environment)
    assert here.run(code).stdout == fresh.stdout != ""


def test_input_and_outputs_are_the_callers(acting_together, tmp_path):
    said = acting_together.run("import sys; print(sys.stdin.read().upper()); print('err', file=sys.stderr)", input="é")
    assert (said.stdout, said.stderr) == ("É\n", "err\n")
    much = "x" * 1_000_000  # more than a pipe holds, both ways
    assert acting_together.run("import sys; print(sys.stdin.read())", input=much).stdout == f"{much}\n"
    assert acting_together.run("import sys; sys.stdin.close()", input=much).returncode == 0
    with open(tmp_path / "both", "w") as both:
        process = acting_together.popen(
            "import sys; print('one'); print('two', file=sys.stderr)", stdout=both, stderr=subprocess.STDOUT
        )
        assert process.communicate() == (None, None)
    assert (tmp_path / "both").read_text() == "one\ntwo\n"


def test_communicate_may_be_asked_again_after_its_time(acting_together):
    process = acting_together.popen(
        "print('a', flush=True); print(input())", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    process.stdout.read(1)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.01)
    process.stdin.write("b\n")
    process.stdin.flush()
    assert process.communicate(timeout=60) == ("\nb\n", None)
    hanging = acting_together.popen(HANG, stdout=subprocess.PIPE)
    with pytest.raises(subprocess.TimeoutExpired):
        hanging.communicate(timeout=0.01)
    hanging.kill()
    assert hanging.communicate(timeout=60)[0] in ("", "runs\n")
    with pytest.raises(subprocess.TimeoutExpired):
        acting_together.run(HANG, timeout=0.01)


def test_nothing_of_one_process_is_seen_by_the_next(acting_together, tmp_path):
    here, other = acting_together, tmp_path / "elsewhere"
    other.mkdir()
    look = (
        "import logging, os, random, sys, tempfile, time; from database.settings import database_settings as s; "
        "print(s().sign_in_budget, os.getcwd(), os.environ.get('LEFT'), tempfile.gettempdir(), time.tzname[0], "
        "len(logging.root.handlers), sys.argv[1][-1], sep='|'); "
        "print(random.random(), tempfile.mktemp(), os.getpid()); "
        "os.environ['LEFT'] = 'yes'; os.chdir('/'); logging.basicConfig()"
    )
    changed = {"LATCHKEY_SIGN_IN_BUDGET": "3", "TMPDIR": str(other), "TZ": "Asia/Jerusalem"}
    first = here.run(f"{look} #", env=here.environment | changed).stdout.splitlines()
    second = here.run(look, env=here.environment | {"TZ": "UTC"}).stdout.splitlines()
    assert first[0] == f"3|{tmp_path}|None|{other}|IST|0|#"
    assert second[0] == f"6|{tmp_path}|None|{tempfile.gettempdir()}|UTC|0|)"
    # Random numbers, temporary names and process numbers repeat themselves nowhere.
    assert not set(first[1].split()) & set(second[1].split())


def test_a_setting_is_the_childs_own(acting_together):
    here = acting_together
    refused = here.parent.run(
        ["status"], cwd=ROOT, env={**here.environment, "LATCHKEY_NONSENSE": "1"}, capture_output=True
    )
    assert (refused.returncode, "LATCHKEY_NONSENSE" in refused.stderr) == (
        1,
        False,
    )  # other settings: nothing checks it
    ours = {name: value for name, value in here.environment.items() if name != "SCRAPY_SETTINGS_MODULE"}
    refused = here.parent.run(["status"], cwd=ROOT, env={**ours, "LATCHKEY_NONSENSE": "1"}, capture_output=True)
    assert (refused.returncode, "LATCHKEY_NONSENSE" in refused.stderr) == (1, True)
    assert here.parent.run(["db", "upgrade"], cwd=ROOT, env=ours, capture_output=True).returncode == 0
    assert here.parent.run(["status"], cwd=ROOT, env=ours, capture_output=True).returncode == 0


def test_a_process_leads_a_session_of_its_own_and_has_only_its_three_descriptors(acting_together):
    code = "import os; print(os.getsid(0) == os.getpgid(0) == os.getpid(), sorted(os.listdir('/proc/self/fd')))"
    listed = acting_together.run(code).stdout
    assert listed == "True ['0', '1', '2', '3']\n"  # 3 is the listing itself


def test_exit_handlers_run_and_outputs_are_flushed(acting):
    code = (
        "import atexit, sys, threading; sys.stdout.write('unflushed'); atexit.register(lambda: print(' handler', end='')); "
        "threading.Thread(target=lambda: print(' thread', end='')).start()"
    )
    assert acting.run(code).stdout == "unflushed thread handler"


def test_a_reader_that_has_gone_is_told_as_by_a_fresh_process(acting):
    """Its output is written at its end only."""
    code = "print('x')"
    reading, writing = os.pipe()
    os.close(reading)
    fresh = python(
        "-m", "scrapy", "act", code, cwd=acting.cwd, env=acting.environment, capture_output=False, stdout=writing
    )
    assert acting.run(code, capture_output=False, stdout=writing).returncode == fresh.returncode == 120
    os.close(writing)


def test_how_a_stream_buffers_is_decided_in_the_child(acting):
    terminal, inside = pty.openpty()
    code = "import sys; print([s.isatty() for s in (sys.stdin, sys.stdout)], sys.stdout.line_buffering, flush=True)"
    assert acting.run(code, stdin=inside).stdout == "[True, False] False\n"
    process = acting.popen(code, stdout=inside)
    said = b""
    while not said.endswith(b"\n"):  # a terminal hands over a line in one piece or in several
        said += os.read(terminal, 100)
    assert said == b"[False, True] True\r\n"
    assert process.wait(60) == 0
    os.close(inside)
    os.close(terminal)


def test_the_parent_has_imported_everything_and_started_nothing():
    code = (
        "import asyncio, gc, sys, threading; from jobs.warm import preload; preload(); "
        "import database.engine, sqlalchemy, logging; from database.settings import database_settings; "
        "assert 'twisted.internet.reactor' not in sys.modules; assert 'scrapers.settings' not in sys.modules; "
        "assert threading.active_count() == 1; assert not logging.root.handlers; "
        "things = gc.get_objects(); "
        "assert not [t for t in things if isinstance(t, (sqlalchemy.Engine, asyncio.AbstractEventLoop))]; "
        "assert database.engine.database.cache_info().currsize == database_settings.cache_info().currsize == 0; "
        "assert {'middlewares.auth', 'scrapers.portals.iec.tariffs', 'scrapy.commands.crawl', 'scrapy.pqueues'} <= set(sys.modules)"
    )
    done = python("-c", code, env={**clean_environment(), **INTERPRETER})
    assert done.returncode == 0, done.stderr


def test_changed_code_replaces_the_parent_and_leaves_its_children_alone(acting, monkeypatch, tmp_path):
    (tmp_path / "scrapers").mkdir()
    changed = tmp_path / "scrapers" / "changed.py"
    changed.write_text("x = 1\n")
    real = module._code()

    def code():
        return real | {(str(changed), changed.stat().st_mtime_ns, changed.stat().st_size)}

    monkeypatch.setattr(module, "_code", code)
    assert acting.run("pass").returncode == 0  # it was started before the file was there
    first = psutil.Process(acting.parent.pid)
    running = acting.popen(HANG, stdout=subprocess.PIPE)
    assert acting.parent.pid == first.pid
    changed.write_text("x = 12\n")

    assert acting.run("import os; command.exitcode = 5").returncode == 5
    assert acting.parent.pid != first.pid
    assert running.stdout.readline() == "runs\n"
    assert running.poll() is None
    running.terminate()
    assert running.wait(60) == -signal.SIGTERM
    wait_for(lambda: not first.is_running() or first.status() == psutil.STATUS_ZOMBIE)


def test_every_python_file_of_the_project_counts(tmp_path, monkeypatch):
    for room in module.ROOMS:
        (tmp_path / room).mkdir()
    file = tmp_path / "scrapers" / "some.py"
    monkeypatch.setattr(module, "ROOT", tmp_path)
    none = module._code()
    file.write_text("a = 1")
    some = module._code()
    os.utime(file, ns=(1, 1))
    assert len({none, some, module._code()}) == 3


def test_a_parent_that_has_died_is_replaced_and_its_childs_end_is_not_made_up(acting):
    running = acting.popen(HANG, stdout=subprocess.PIPE)
    assert running.stdout.readline() == "runs\n"
    os.kill(acting.parent.pid, signal.SIGKILL)
    with pytest.raises(WarmFailed, match=str(running.pid)):
        running.wait(60)
    child = psutil.Process(running.pid)
    child.kill()
    running.stdout.close()
    wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    assert acting.run("pass").returncode == 0


def test_a_parent_that_cannot_import_says_so(folder, tmp_path, monkeypatch, capfd):
    (tmp_path / "aiohttp.py").write_text("raise ImportError('broken on purpose')")
    environment = {**clean_environment(), **INTERPRETER, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    parent = WarmParent.start(folder, environment)
    with pytest.raises(WarmFailed, match="ended with 1"):
        parent.popen(["status"], env=environment)
    parent.close()
    assert "broken on purpose" in capfd.readouterr().err


@pytest.fixture
def importing(folder, tmp_path, environment) -> Iterator[WarmParent]:
    """A parent that has not imported everything, and never will."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(NEVER_READY)
    environment["PYTHONPATH"] = f"{tmp_path / 'site'}{os.pathsep}{ROOT}"
    parent = WarmParent.start(folder, environment)
    yield parent
    parent.close()


@pytest.mark.timeout(60)
def test_a_parent_that_still_imports_ends_at_once(importing):
    process = psutil.Process(importing.pid)
    importing.close()
    assert not process.is_running()
    assert list(importing.folder.iterdir()) == []


@pytest.mark.timeout(60)
def test_who_waits_for_imports_can_give_up(importing, environment):
    """As a handler of signals does, while the call waits; a later call does not wait either."""
    waiting = threading.Thread(target=lambda: (wait_for(importing._lock.locked), importing.give_up()))
    waiting.start()
    for _ in range(2):
        with pytest.raises(WarmFailed, match="told to stop while it waited for the imports"):
            importing.popen(["status"], env=environment)
    waiting.join()


def test_giving_up_ends_nothing_that_runs(acting):
    running = acting.popen(HANG, stdout=subprocess.PIPE)
    assert running.stdout.readline() == "runs\n"
    acting.parent.give_up()
    assert acting.run("command.exitcode = 5").returncode == 5
    assert running.poll() is None
    running.kill()
    running.communicate(timeout=60)


def test_close_leaves_no_process_behind(acting):
    polite = acting.popen(HANG, stdout=subprocess.PIPE)
    deaf = acting.popen(
        "import signal, subprocess, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "helper = subprocess.Popen([sys.executable, '-c', 'import sys; sys.stdin.read()'], stdin=subprocess.PIPE); "
        "print(helper.pid, flush=True); helper.wait()",
        stdout=subprocess.PIPE,
    )
    polite.stdout.readline()
    helper = psutil.Process(int(deaf.stdout.readline()))
    parent = psutil.Process(acting.parent.pid)
    everything = [parent, helper, *(psutil.Process(each.pid) for each in (polite, deaf))]
    acting.parent.close()
    assert (polite.wait(0), deaf.wait(0)) == (-signal.SIGTERM, -signal.SIGKILL)
    wait_for(lambda: not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in everything))
    assert list(acting.parent.folder.iterdir()) == []
    for process in (polite, deaf):
        process.stdout.close()


def test_it_ends_with_the_process_that_started_it(folder, environment, tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from jobs.warm import WarmParent; "
        f"parent = WarmParent.start(Path({str(folder)!r})); child = parent.popen(['act', {HANG!r}], cwd={str(tmp_path)!r}); "
        "print(parent.pid, child.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    started = python("-c", code, env=environment)
    assert started.returncode == -signal.SIGKILL
    numbers = [int(word) for word in started.stdout.split() if word.isdecimal()]
    assert len(numbers) == 2
    wait_for(lambda: not any(psutil.pid_exists(number) for number in numbers))


def test_others_cannot_enter_its_folder(folder, environment):
    folder.mkdir(mode=0o750)
    with pytest.raises(PermissionError, match="others can enter"):
        WarmParent.start(folder, environment)
    folder.rmdir()
    parent = WarmParent.start(folder, environment)
    assert folder.stat().st_mode & 0o777 == 0o700
    parent.close()


def test_a_request_that_is_none_ends_nothing(folder, environment, tmp_path, capfd):
    here = Acting(WarmParent.start(folder, environment), environment, tmp_path)
    assert here.run("pass").returncode == 0
    (path,) = folder.iterdir()
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.connect(str(path))
        stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
        stranger.shutdown(socket.SHUT_WR)
        assert stranger.recv(4) != b""
    assert here.run("pass").returncode == 0
    here.parent.close()
    assert "was not understood" in capfd.readouterr().err


def test_30_processes_in_a_row_leave_the_parent_as_it_was(acting):
    acting.run("pass")
    parent = psutil.Process(acting.parent.pid)
    before, resident = parent.num_fds(), parent.memory_info().rss
    for _ in range(30):
        assert acting.run("pass").returncode == 0
    # It closes a caller's channel after it has told the end: `before` may count that of the first process.
    wait_for(lambda: not parent.children() and parent.num_fds() <= before)
    assert parent.num_threads() == 1
    assert parent.memory_info().rss - resident < 2_000_000  # bytes


def test_threads_may_call_side_by_side(acting_together):
    codes = {}

    def call(number):
        codes[number] = acting_together.run(f"command.exitcode = {number}").returncode

    threads = [threading.Thread(target=call, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert codes == {number: number for number in range(8)}


def test_a_folder_that_is_not_there_is_refused_as_by_popen(acting_together, tmp_path):
    with pytest.raises(FileNotFoundError):
        acting_together.run("pass", cwd=tmp_path / "nowhere")
    shutil.copy(ROOT / "scrapy.cfg", tmp_path)
    with pytest.raises(NotADirectoryError):
        acting_together.run("pass", cwd=tmp_path / "scrapy.cfg")


@pytest.mark.parametrize("why", ["no fork", "another interpreter"])
def test_an_ordinary_process_where_a_fork_will_not_do(acting, monkeypatch, why):
    environment = dict(acting.environment)
    if why == "no fork":
        monkeypatch.setattr(module, "CAN_FORK", False)
    else:
        environment["PYTHONOPTIMIZE"] = "1"
    process = acting.popen(
        "import os, sys; print(sys.flags.optimize, os.getppid(), os.getsid(0) == os.getpid()); command.exitcode = 6",
        env=environment,
        stdout=subprocess.PIPE,
    )
    out, _ = process.communicate(timeout=60)
    assert out.split() == [environment.get("PYTHONOPTIMIZE", "0"), str(os.getpid()), "True"]
    assert process.returncode == 6
    assert acting.run("command.exitcode = 4", env=environment).returncode == 4


def test_coverage_measures_a_child_and_what_its_parent_has_imported(folder, tmp_path):
    """As `make test` does: by the environment that coverage's subprocess patch sets."""
    coverage = pytest.importorskip("coverage")
    (tmp_path / "coveragerc").write_text(
        f"[run]\nparallel = true\ndata_file = {tmp_path}/measured\ninclude = */database/*\n"
    )
    code = (
        "import sys; from pathlib import Path; from jobs.warm import WarmParent; "
        f"parent = WarmParent.start(Path({str(folder)!r})); done = parent.run(['status'], capture_output=True); "
        "print(done.returncode, done.stderr); parent.close()"
    )
    start = "import coverage; coverage.process_startup()\n"
    (tmp_path / "sitecustomize.py").write_text(start)
    ours = {name: value for name, value in clean_environment().items() if not name.startswith("COVERAGE_")}
    environment = {
        **ours,
        "LATCHKEY_DATA_DIR": str(tmp_path / "data"),
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}",
        "COVERAGE_PROCESS_START": str(tmp_path / "coveragerc"),
    }
    done = python("-c", code, env=environment)
    assert "scrapy db upgrade" in done.stdout, done.stderr
    measured = [coverage.CoverageData(str(file)) for file in tmp_path.glob("measured.*")]
    assert len(measured) >= 2  # the parent and the child
    for data in measured:
        data.read()
    lines = [set(data.lines(str(ROOT / "database" / "engine.py")) or ()) for data in measured]
    source = (ROOT / "database" / "engine.py").read_text().splitlines()
    imported, ran = (
        next(number for number, line in enumerate(source, 1) if text in line)
        for text in ("class Database:", "lacks our tables or has old ones")
    )
    assert any({imported, ran} <= each for each in lines)
