"""
Crawls and commands as children of a process that has imported everything: their start costs a fifth of a fresh one's.

`WarmParent.start(folder)` starts the parent, `popen` and `run` do in it what `subprocess` does with `python -m scrapy`.
The parent has imported what crawls and commands import, and nothing else: no reactor, event loop, thread, database or
setting. Each call is a request over a Unix socket: arguments, environment, and the caller's own file descriptors; the
parent forks, and the child becomes `scrapy ARGS` in a session of its own.
"""

from __future__ import annotations

import array
import atexit
import errno
import functools
import gc
import io
import json
import os
import pkgutil
import select
import selectors
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

ROOT = Path(__file__).resolve().parents[1]

# By name, walked and imported without an import statement: what runs in a child stands on floors above this room.
ROOMS = ("commands", "database", "jobs", "middlewares", "pipelines", "scrapers", "webhook")
# They read the environment, or are run by Alembic, when they are imported; engines are no crawl's affair, nor is gunicorn.
NOT_BEFORE_THE_FORK = ("scrapers.settings", "database.migrations", "jobs.engines", "webhook.several")
# What Scrapy and we import only when a crawl or a command begins; those of the first line with all modules in them.
WHOLE_LIBRARIES = ("scrapy.commands", "scrapy.downloadermiddlewares", "scrapy.spidermiddlewares")
LIBRARIES = (
    "aiohttp",
    "alembic.command",
    "form2request",
    "itemadapter",
    "playwright.async_api",
    "pydantic.v1",  # itemadapter imports it at its first look at an item
    "scrapy.cmdline",
    "scrapy.core.engine",
    "scrapy.core.scheduler",
    "scrapy.dupefilters",
    "scrapy.extensions.closespider",
    "scrapy.extensions.corestats",
    "scrapy.extensions.logcount",
    "scrapy.pqueues",
    "scrapy.squeues",
    "scrapy.statscollectors",
    "scrapy_playwright.handler",
    "twisted.internet.asyncioreactor",
)
# The interpreter reads these when it starts, so that a fork cannot change them.
OF_THE_INTERPRETER = ("COVERAGE_", "LANG", "LC_", "PYTHON")
# The hash seed changes no result; PYTHONPATH and all others count.
NOT_COMPARED = ("PYTHONHASHSEED",)

REMEMBERING = type(functools.cache(len))
LENGTH, NUMBER = struct.Struct("!I"), struct.Struct("!i")
REQUEST_SECONDS = 10.0  # a caller sends its request in one go
GRACE_SECONDS = 10.0  # children that are told to end have that long before they are killed
CLOSING_SECONDS = 3 * GRACE_SECONDS  # a parent that has not ended by then is killed
UNLESS_READY = signal.SIGUSR1  # ends a parent that still imports; one that forks children ignores it
RETIRE = b"r"
GAVE_UP = "It was told to stop while it waited for the imports of the warm parent"


class WarmFailed(Exception):
    """The warm parent ended or did not answer. The text says which process is concerned."""


def _can_fork() -> bool:
    """Tell whether this system has fork and process descriptors: Linux 5.3 and newer. macOS' own libraries break in forks."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return hasattr(os, "fork")


CAN_FORK = _can_fork()


# --- The caller -------------------------------------------------------------------------------------------------------


class WarmProcess:
    """A child of the warm parent, with the methods and attributes of `subprocess.Popen` in text mode."""

    def __init__(
        self, args: list[str], channel: socket.socket, pid: int, pidfd: int, pipes: Mapping[str, IO[str]]
    ) -> None:
        self.args = args
        self.pid = pid
        self.returncode: int | None = None
        self.stdin, self.stdout, self.stderr = (pipes.get(name) for name in ("stdin", "stdout", "stderr"))
        self._lock = threading.Lock()
        self._pidfd = pidfd
        self._channel = channel.detach()
        # Not closed at the end of the process: another thread may be waiting on them.
        for descriptor in (self._pidfd, self._channel):
            weakref.finalize(self, os.close, descriptor)
        self._threads: list[threading.Thread] = []
        self._said: dict[str, str] = {}

    def fileno(self) -> int:
        """Return a descriptor that can be read from once the process has ended, for `select`."""
        return self._channel

    def poll(self) -> int | None:
        """Return the exit code, minus the number of the signal that ended it, or None while it runs."""
        with self._lock:
            if self.returncode is None and _readable(self._channel, 0):
                told = os.read(self._channel, NUMBER.size)
                if len(told) < NUMBER.size:
                    raise WarmFailed(f"The warm parent has died; how process {self.pid} ended is not known.")
                self.returncode = NUMBER.unpack(told)[0]
            return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code when it has ended; raise subprocess.TimeoutExpired after *timeout* seconds."""
        if self.returncode is None:
            _readable(self._channel, timeout)
        if (code := self.poll()) is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return code

    def communicate(self, input: str | None = None, timeout: float | None = None) -> tuple[str | None, str | None]:  # noqa: A002 - as in Popen
        """
        Send *input*, read both outputs to their end, wait; return the outputs, None for one that is no pipe.

        Raises subprocess.TimeoutExpired after *timeout* seconds; a later call goes on where this one stopped.
        """
        if not self._threads:
            outputs = {"stdout": self.stdout, "stderr": self.stderr}
            self._said = {name: "" for name, stream in outputs.items() if stream is not None}
            readers = [(self._read, (name, stream)) for name, stream in outputs.items() if stream and not stream.closed]
            if self.stdin is not None and not self.stdin.closed:
                readers.append((self._feed, (self.stdin, input)))  # type: ignore[arg-type]
            self._threads = [threading.Thread(target=work, args=given, daemon=True) for work, given in readers]
            for thread in self._threads:
                thread.start()
        deadline = None if timeout is None else time.monotonic() + timeout
        for thread in self._threads:
            thread.join(_left(deadline))
            if thread.is_alive():
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
        self.wait(_left(deadline))
        return self._said.get("stdout"), self._said.get("stderr")

    def _read(self, name: str, stream: IO[str]) -> None:
        self._said[name] = stream.read()
        stream.close()

    def _feed(self, stream: IO[str], text: str | None) -> None:
        with suppress(BrokenPipeError):  # it has ended, or reads no more
            stream.write(text or "")
        with suppress(BrokenPipeError):
            stream.close()

    def send_signal(self, number: int) -> None:
        """Send a signal to the process; nothing happens when it has ended. Its group is `os.killpg(process.pid, …)`."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> Self:
        """Give the process itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the pipes and wait for the end."""
        for stream in (self.stdout, self.stderr, self.stdin):
            if stream is not None:
                stream.close()
        self.wait()


# What a caller gets: where nothing can be forked, or the interpreter must be another one, an ordinary process.
AnyProcess = WarmProcess | subprocess.Popen[str]


@dataclass(slots=True)
class _Running:
    """A parent process, its socket, the state of the code that it has imported, and whether a child was forked from it."""

    process: subprocess.Popen[bytes]
    path: Path
    code: frozenset[tuple[str, int, int]]
    is_ready: bool = False


class WarmParent:
    """
    Starts crawls and commands as children of a process that has imported them; `close` ends it and what still runs.

    The parent also ends, and its children with it, when the process that started it has gone. It is replaced at the
    next call when a Python file of the project has changed; children of the old one run on. May be used from threads.
    """

    def __init__(self, folder: Path, env: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self._environment = dict(os.environ if env is None else env)
        self._lock = threading.Lock()
        self._running: _Running | None = None
        self._retired: list[_Running] = []
        self._started = 0
        self._has_given_up = False

    @classmethod
    def start(cls, folder: Path, env: Mapping[str, str] | None = None) -> Self:
        """
        Start the parent without waiting for its imports; the first call waits for them.

        folder: where its socket goes; made with mode 700, PermissionError when it is there and open to others.
        env: what the parent is started with; its PYTHON… and locale variables are those of all forked children.
        """
        parent = cls(folder, env)
        if CAN_FORK:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            state = folder.stat()
            if state.st_mode & 0o077 or state.st_uid != os.getuid():
                raise PermissionError(
                    errno.EPERM, "others can enter the folder of the warm parent's socket", str(folder)
                )
            parent._running = parent._spawn()
        return parent

    @property
    def pid(self) -> int | None:
        """Process id of the present parent; None where nothing is forked, and after `close`."""
        return None if self._running is None else self._running.process.pid

    def popen(
        self,
        args: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
        stdin: int | IO[Any] | None = None,
        stdout: int | IO[Any] | None = None,
        stderr: int | IO[Any] | None = None,
    ) -> AnyProcess:
        """
        Start `scrapy ARGS`, with the options of `subprocess.Popen` in text mode, in a session of its own.

        An ordinary process is started where the system cannot fork, and for an environment with other PYTHON…, locale
        or coverage variables than the parent's. Umask and limits are the parent's. Raises WarmFailed when the parent
        cannot be started, and what Popen raises for files and folders.
        """
        environment = dict(os.environ if env is None else env)
        if not CAN_FORK or _of_the_interpreter(environment) != _of_the_interpreter(self._environment):
            return subprocess.Popen(
                [sys.executable, "-m", "scrapy", *args],
                env=environment,
                cwd=cwd,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                text=True,
                start_new_session=True,
            )
        request = json.dumps({"args": list(args), "env": environment}).encode()
        folder = os.open(os.curdir if cwd is None else cwd, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with _streams(stdin, stdout, stderr) as (descriptors, pipes):
                channel, pid, pidfd = self._ask(request, [*descriptors, folder])
        finally:
            os.close(folder)
        return WarmProcess(list(args), channel, pid, pidfd, pipes)

    def run(
        self,
        args: Sequence[str],
        *,
        input: str | None = None,  # noqa: A002 - as in subprocess.run
        capture_output: bool = False,
        timeout: float | None = None,
        **options: Any,
    ) -> subprocess.CompletedProcess[str]:
        """Run `scrapy ARGS` to its end as `subprocess.run` does; kill it and raise TimeoutExpired after *timeout* seconds."""
        if input is not None:
            options["stdin"] = subprocess.PIPE
        if capture_output:
            options |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = self.popen(args, **options)
        try:
            out, err = process.communicate(input, timeout)
        except BaseException:
            process.kill()
            process.wait()
            raise
        return subprocess.CompletedProcess(list(args), process.wait(), out, err)

    def give_up(self) -> None:
        """
        Let the call that waits for the parent's imports, and each one that would have to, raise WarmFailed.

        May be called from a handler of signals, also while this thread waits.
        """
        self._has_given_up = True
        if (running := self._running) is not None:
            running.process.send_signal(UNLESS_READY)

    def close(self) -> None:
        """
        End the parent and its children: SIGTERM, after 10 seconds SIGKILL to each one's group. Returns when all have ended.

        A parent that still imports has no children and is ended at once.
        """
        with self._lock:
            for running in (*self._retired, *([self._running] if self._running else [])):
                assert running.process.stdin is not None
                running.process.stdin.close()
                running.process.send_signal(UNLESS_READY)
                try:
                    running.process.wait(CLOSING_SECONDS)
                except subprocess.TimeoutExpired:
                    running.process.kill()
                    running.process.wait()
                running.path.unlink(missing_ok=True)
            self._running, self._retired = None, []

    def _ask(self, request: bytes, descriptors: list[int]) -> tuple[socket.socket, int, int]:
        """Have a child forked; return the channel on which its exit code comes, its process id and its pidfd."""
        with self._lock, socket.socket(socket.AF_UNIX) as channel:
            running = self._current()
            if self._has_given_up and not running.is_ready:
                raise WarmFailed(f"{GAVE_UP} {running.process.pid}.")
            pidfds = array.array("i")
            try:
                channel.connect(str(running.path))
                socket.send_fds(channel, [LENGTH.pack(len(request))], descriptors)
                channel.sendall(request)
                told, ancillary, _, _ = channel.recvmsg(NUMBER.size, socket.CMSG_SPACE(pidfds.itemsize))
            except ConnectionError:
                told = b""
            if len(told) < NUMBER.size:
                code = running.process.wait()
                if self._has_given_up:
                    raise WarmFailed(f"{GAVE_UP} {running.process.pid}.")
                raise WarmFailed(f"The warm parent {running.process.pid} ended with {code}; its error output says why.")
            running.is_ready = True
            pid = NUMBER.unpack(told)[0]
            if pid < 0:
                raise OSError(-pid, os.strerror(-pid))
            pidfds.frombytes(ancillary[0][2])
            return channel.dup(), pid, pidfds[0]

    def _current(self) -> _Running:
        """Return a parent that has the code as it is now; start one where there is none."""
        running = self._running
        if running is None or running.process.poll() is not None or running.code != _code():
            if running is not None:
                self._retire(running)
            self._running = running = self._spawn()
        return running

    def _retire(self, running: _Running) -> None:
        """Let a parent end when its last child has ended."""
        assert running.process.stdin is not None
        with suppress(BrokenPipeError):  # it has ended already
            running.process.stdin.write(RETIRE)
        running.path.unlink(missing_ok=True)
        self._retired = [each for each in (*self._retired, running) if each.process.poll() is None]

    def _spawn(self) -> _Running:
        self._started += 1
        path = self.folder / f"{os.getpid()}-{self._started}"
        code = _code()  # before the imports: a change during them counts as one
        with socket.socket(socket.AF_UNIX) as listener:
            # Made here, so that a call can connect before the imports are done.
            listener.bind(str(path))
            listener.listen(64)
            process = subprocess.Popen(
                [sys.executable, "-m", "jobs.warm", str(listener.fileno())],
                cwd=ROOT,
                env=self._environment,
                bufsize=0,
                stdin=subprocess.PIPE,  # its other end closes with us, however we end
                stdout=subprocess.DEVNULL,
                pass_fds=[listener.fileno()],
                start_new_session=True,  # an interrupt at our terminal is ours
            )
        return _Running(process, path, code)


def _readable(descriptor: int, timeout: float | None) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(None if timeout is None else max(timeout, 0) * 1000))


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else max(deadline - time.monotonic(), 0)


def _of_the_interpreter(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environment.items()
        if name.startswith(OF_THE_INTERPRETER) and name not in NOT_COMPARED
    }


def _code() -> frozenset[tuple[str, int, int]]:
    """Return path, time of change and size of each Python file that a parent may have imported."""
    found = []
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            with suppress(FileNotFoundError):  # removed a moment ago
                state = path.stat()
                found.append((str(path), state.st_mtime_ns, state.st_size))
    return frozenset(found)


@contextmanager
def _streams(*wanted: int | IO[Any] | None) -> Iterator[tuple[list[int], dict[str, IO[str]]]]:
    """
    Give the three descriptors for a child and our ends of its pipes; closes the child's ends, on an error ours too.

    wanted: stdin, stdout, stderr as `subprocess.Popen` takes them.
    """
    descriptors: list[int] = []
    theirs: list[int] = []
    pipes: dict[str, IO[str]] = {}
    try:
        for number, (name, want) in enumerate(zip(("stdin", "stdout", "stderr"), wanted, strict=True)):
            if want == subprocess.PIPE:
                reading, writing = os.pipe()
                ours, given = (writing, reading) if number == 0 else (reading, writing)
                pipes[name] = open(ours, "w" if number == 0 else "r")  # in the locale's encoding, as Popen
                theirs.append(given)
            elif want == subprocess.DEVNULL:
                given = os.open(os.devnull, os.O_RDWR)
                theirs.append(given)
            elif want == subprocess.STDOUT:
                given = descriptors[1]
            elif want is None:
                given = number
            else:
                given = want if isinstance(want, int) else want.fileno()
            descriptors.append(given)
        yield descriptors, pipes
    except BaseException:
        for pipe in pipes.values():
            pipe.close()
        raise
    finally:
        for descriptor in theirs:
            os.close(descriptor)


# --- The parent -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Call:
    """What a child is to become. descriptors: stdin, stdout, stderr and the working folder."""

    args: list[str]
    env: dict[str, str]
    descriptors: list[int]


def preload() -> None:
    """
    Import what crawls and commands import.

    Raises WarmFailed when that has started something which does not survive a fork: a reactor or a thread.
    """
    for name in LIBRARIES:
        import_module(name)
    for package in (*WHOLE_LIBRARIES, *ROOMS):
        for found in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
            if not found.name.startswith(NOT_BEFORE_THE_FORK):
                import_module(found.name)
    for thing in gc.get_objects():
        if isinstance(thing, REMEMBERING) and str(thing.__module__).partition(".")[0] in ROOMS:
            thing.cache_clear()  # what was remembered here would be every child's answer, whatever its environment says
    if "twisted.internet.reactor" in sys.modules or threading.active_count() > 1:
        raise WarmFailed("An import has installed a reactor or started a thread: no child can be forked from here.")


class _Server:
    """The parent's loop: forks a child for each call, and tells its caller how it ended."""

    def __init__(self, listener: socket.socket, lifeline: int) -> None:
        self.listener = listener
        self.lifeline = lifeline
        self.selector = selectors.DefaultSelector()
        self.selector.register(listener, selectors.EVENT_READ)
        self.selector.register(lifeline, selectors.EVENT_READ)
        self.children: dict[int, tuple[int, socket.socket]] = {}  # by pidfd: process id, its caller's channel
        self.retired = False

    def serve(self) -> Call | None:
        """Return None when the parent shall end, and in each child what it is to become."""
        while not (self.retired and not self.children):
            for key, _ in self.selector.select():
                if key.fileobj is self.listener:
                    if (call := self._accept()) is not None:
                        return call
                elif key.fd != self.lifeline:
                    self._reap(key.fd)
                elif os.read(self.lifeline, 1) != RETIRE:
                    self._end_children()
                    return None
                elif not self.retired:
                    self.retired = True
                    self.selector.unregister(self.listener)
                    self.listener.close()
        return None

    def _accept(self) -> Call | None:
        """Read one request and fork; None in the parent."""
        channel, _ = self.listener.accept()
        try:
            channel.settimeout(REQUEST_SECONDS)
            call = _receive(channel)
        except (OSError, ValueError) as error:
            sys.stderr.write(f"warm: a request was not understood: {error}\n")
            with suppress(OSError):
                channel.sendall(NUMBER.pack(-errno.EBADMSG))
            channel.close()
            return None
        try:
            pid = os.fork()
            if pid == 0:
                self._leave(channel)
                return call
            try:
                pidfd = os.pidfd_open(pid)
            except OSError:
                os.kill(pid, signal.SIGKILL)  # its end could not be told
                os.waitpid(pid, 0)
                raise
            self.children[pidfd] = (pid, channel)
            self.selector.register(pidfd, selectors.EVENT_READ)
            with suppress(OSError):  # the caller has gone; the child runs on
                socket.send_fds(channel, [NUMBER.pack(pid)], [pidfd])
        except OSError as error:  # no process or descriptor to be had
            with suppress(OSError):
                channel.sendall(NUMBER.pack(-(error.errno or errno.EAGAIN)))
            channel.close()
        for descriptor in call.descriptors:
            os.close(descriptor)
        return None

    def _leave(self, channel: socket.socket) -> None:
        """Close in a child what is the parent's."""
        self.selector.close()
        self.listener.close()
        channel.close()
        for pidfd, (_, other) in self.children.items():
            os.close(pidfd)
            other.close()

    def _reap(self, pidfd: int) -> None:
        pid, channel = self.children.pop(pidfd)
        self.selector.unregister(pidfd)
        _, status = os.waitpid(pid, 0)
        os.close(pidfd)
        with suppress(OSError):  # the caller has gone
            channel.sendall(NUMBER.pack(os.waitstatus_to_exitcode(status)))
        channel.close()

    def _end_children(self) -> None:
        """Ask every child to end, then kill the groups of those that have not."""
        self.selector.unregister(self.lifeline)
        if not self.retired:
            self.selector.unregister(self.listener)
        for pidfd in self.children:
            signal.pidfd_send_signal(pidfd, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        while self.children and (left := deadline - time.monotonic()) > 0:
            for key, _ in self.selector.select(left):
                self._reap(key.fd)
        for pidfd, (pid, _) in list(self.children.items()):
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)  # itself, and a browser that it has started
            self._reap(pidfd)


def _receive(channel: socket.socket) -> Call:
    """Read one request; raise ValueError for one that is cut short."""
    head, descriptors, _, _ = socket.recv_fds(channel, LENGTH.size, 4)
    try:
        if len(head) < LENGTH.size or len(descriptors) != 4:
            raise ValueError("it has no length or lacks descriptors")
        (length,) = LENGTH.unpack(head)
        body = bytearray()
        while len(body) < length:
            part = channel.recv(length - len(body))
            if not part:
                raise ValueError("it is cut short")
            body += part
        told = json.loads(body)
        return Call(told["args"], told["env"], descriptors)
    except BaseException:
        for descriptor in descriptors:
            os.close(descriptor)
        raise


# --- The child --------------------------------------------------------------------------------------------------------

# Set in a child that ends with an ordinary exit code.
_exit_code: int | None = None


def become(call: Call) -> None:
    """Make this fork what a fresh `python -m scrapy ARGS` would be: session, streams, folder, environment, arguments."""
    os.setsid()
    # A parent that was started in the background may ignore SIGINT; its children can be asked to stop.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(UNLESS_READY, signal.SIG_DFL)
    gc.enable()
    *streams, folder = call.descriptors
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
    os.fchdir(folder)
    for descriptor in call.descriptors:
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(call.env)
    time.tzset()
    tempfile.tempdir = None  # by the environment, at its next use
    # As the interpreter makes them: what they are (terminal, pipe, file) decides how they buffer.
    sys.stdin = _stream(0, "r", sys.stdin)
    sys.stdout = _stream(1, "w", sys.stdout)
    sys.stderr = _stream(2, "w", sys.stderr)
    import scrapy.__main__

    sys.argv = [scrapy.__main__.__file__, *call.args]
    if not sys.flags.safe_path:
        sys.path[0] = os.getcwd()


def _stream(descriptor: int, mode: str, before: Any) -> io.TextIOWrapper:
    """Return a standard stream on a descriptor, with encoding and buffering by the same settings as *before*."""
    unbuffered = mode == "w" and before.write_through
    binary: Any = open(descriptor, f"{mode}b", buffering=0 if unbuffered else -1, closefd=False)
    lines = mode == "w" and (descriptor == 2 or binary.isatty())
    return io.TextIOWrapper(
        binary, encoding=before.encoding, errors=before.errors, line_buffering=lines, write_through=unbuffered
    )


def _leave_quickly() -> None:
    """End a child after all other exit handlers without taking the interpreter apart, which would copy its memory."""
    import logging

    logging.shutdown()
    if _exit_code is None or "coverage" in sys.modules:  # coverage saves in an older exit handler
        return
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return  # the interpreter says so in its own way
    os._exit(_exit_code)


def main(listener: int) -> None:
    """Be the parent; in a child, be `scrapy …` and end as it ends."""
    global _exit_code
    atexit.register(_leave_quickly)  # first, so that it runs last
    gc.disable()
    preload()
    gc.collect()
    gc.freeze()  # a collection in a child would write into, and so copy, all pages it shares with the parent
    signal.signal(UNLESS_READY, signal.SIG_IGN)
    with socket.socket(fileno=listener) as accepting:
        call = _Server(accepting, lifeline=0).serve()
    if call is None:
        return
    become(call)
    from scrapy.cmdline import execute

    try:
        execute()
    except SystemExit as end:
        code = 0 if end.code is None else end.code
        if isinstance(code, int) and 0 <= code < 256:
            _exit_code = code
        raise


if __name__ == "__main__":
    main(int(sys.argv[1]))
