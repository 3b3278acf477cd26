"""Work on the database from coroutines: what waits at the same time is written together, in one transaction."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from itertools import groupby
from threading import Condition, Lock, Thread
from typing import Any, Protocol

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

MOST = 50  # pieces of work in one transaction
IDLE_SECONDS = 5.0  # a thread that has had nothing to do for so long ends
# PostgreSQL ends one of two transactions that wait for each other: SQLSTATE of a deadlock and of a failed serialisation.
COLLISIONS = ("40P01", "40001")


class Transactions(Protocol):
    """What a writer needs of its database."""

    def transaction(self) -> AbstractContextManager[Session]:
        """Give a session for one transaction."""

    def together(self) -> AbstractContextManager[Connection]:
        """Give a connection for one transaction of several pieces of work."""

    def named(self, error: BaseException) -> BaseException:
        """Return what the caller is told of an error."""


@dataclass(slots=True)
class Piece:
    """A piece of work in a transaction, and what became of it."""

    work: Callable[[Session], Any]
    due: float  # time.monotonic() up to which it may wait for others
    alone: bool
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None

    def settle(self) -> None:
        """Tell the coroutine; called in its loop."""
        if self.future.done():  # it was cancelled
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class _Undone(Exception):
    """The whole transaction is lost, not only one piece's part of it."""

    def __init__(self, cause: BaseException) -> None:
        self.cause = cause


class Writer:
    """
    Runs pieces of work in threads of its own, those that wait together in one transaction.

    A piece is told of its own end: its result after the commit, or what it raised. When one raises, the transaction is
    undone and all of its pieces are run again, each in its own savepoint: so the others are committed all the same. Where
    the transaction as a whole is lost, every piece is told that.
    """

    def __init__(self, database: Transactions, threads: int) -> None:
        self._database = database
        self._most_threads = threads
        self._threads = 0
        self._idle = 0
        self._waiting: deque[Piece] = deque()
        self._collecting = False  # one of the threads waits for further pieces of its transaction …
        self._until = 0.0  # … so long, by time.monotonic()
        lock = Lock()
        self._arrived = Condition(lock)  # for idle threads
        self._sooner = Condition(lock)  # for the one that collects

    def queue(self, work: Callable[[Session], Any], patience: float, alone: bool) -> asyncio.Future[Any]:
        """Have a piece of work done; see `Database.queue`."""
        loop = asyncio.get_running_loop()
        due = time.monotonic() + patience
        piece = Piece(work, due, alone, loop, loop.create_future())
        with self._arrived:
            self._waiting.append(piece)
            if self._collecting:
                if piece.due < self._until or len(self._waiting) >= MOST:
                    self._sooner.notify()
            else:
                self._wake()
        return piece.future

    def _wake(self) -> None:
        """Let a thread look at what waits, if one has nothing else to do; the caller holds the lock."""
        if self._idle:
            self._arrived.notify()
        elif self._threads < self._most_threads:
            self._threads += 1
            Thread(target=self._serve, name="database", daemon=True).start()

    def hurry(self) -> None:
        """Begin the transaction of what waits now: nothing is to come that it could wait for."""
        with self._arrived:
            for piece in self._waiting:
                piece.due = 0.0
            if self._collecting:
                self._sooner.notify()

    def _serve(self) -> None:
        while pieces := self._take():
            self._do(pieces)
            tell(pieces)

    def _take(self) -> list[Piece]:
        """Return the pieces of the next transaction; none when the thread is to end."""
        with self._arrived:
            while not self._waiting or self._collecting:
                self._idle += 1
                came = self._arrived.wait(IDLE_SECONDS)
                self._idle -= 1
                if not came and not self._waiting:
                    self._threads -= 1
                    return []
            self._collecting = True
            while len(self._waiting) < MOST:
                self._until = min(piece.due for piece in self._waiting)
                if (left := self._until - time.monotonic()) <= 0:
                    break
                self._sooner.wait(left)
            self._collecting = False
            pieces = [self._waiting.popleft()]
            while not pieces[0].alone and self._waiting and not self._waiting[0].alone and len(pieces) < MOST:
                pieces.append(self._waiting.popleft())
            if self._waiting:
                self._wake()
            return pieces

    def _do(self, pieces: list[Piece]) -> None:
        # As with every executor: what was cancelled before it began is not done.
        pieces = [piece for piece in pieces if not piece.future.cancelled()]
        if len(pieces) > 1:
            self._do_together(pieces)
        elif pieces:
            self._do_alone(pieces[0])
        for piece in pieces:
            if _collided(piece.error):
                piece.error = None
                self._do_alone(piece)

    def _do_together(self, pieces: list[Piece]) -> None:
        connection: Connection | None = None
        try:
            # Savepoints take as long as what most pieces do, and hardly any piece fails.
            with self._database.together() as connection:
                for piece in pieces:
                    with Session(connection, join_transaction_mode="rollback_only", expire_on_commit=False) as session:
                        piece.result = piece.work(session)
                        session.commit()  # of the session: it sends what is left to send
            return
        except BaseException as error:  # noqa: BLE001 - which piece failed is seen below, when each has its savepoint
            if connection is None or getattr(error, "connection_invalidated", False):
                self._lost(pieces, error)
                return
        try:
            with self._database.together() as connection:
                for piece in pieces:
                    self._do_in_savepoint(connection, piece)
        except _Undone as lost:
            self._lost(pieces, lost.cause)
        except BaseException as error:  # noqa: BLE001 - of the commit: every piece is told
            self._lost(pieces, error)

    def _do_alone(self, piece: Piece) -> None:
        try:
            with self._database.transaction() as session:
                piece.result = piece.work(session)
        except BaseException as error:  # noqa: BLE001 - told to the coroutine that waits
            piece.error = error

    def _do_in_savepoint(self, connection: Connection, piece: Piece) -> None:
        with Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as session:
            try:
                piece.result = piece.work(session)
                session.commit()
            except BaseException as error:
                piece.error = self._database.named(error)
                try:
                    session.rollback()
                except DBAPIError as worse:  # SQLite gives up the whole transaction when the disk is full
                    raise _Undone(error) from worse
                if connection.invalidated:  # it has ended with its server
                    raise _Undone(error) from error

    def _lost(self, pieces: Iterable[Piece], error: BaseException) -> None:
        for piece in pieces:
            # One for each, because raising it adds to its traceback; pieces that failed by themselves keep their own.
            piece.error = piece.error or self._database.named(error)


def tell(pieces: Iterable[Piece]) -> None:
    """Tell the coroutines that wait; each loop is woken once."""
    for loop, some in groupby(pieces, lambda piece: piece.loop):
        with suppress(RuntimeError):  # the loop has ended, and with it whoever waited
            loop.call_soon_threadsafe(_settle, list(some))


def _settle(pieces: list[Piece]) -> None:
    for piece in pieces:
        piece.settle()


def _collided(error: BaseException | None) -> bool:
    """Return whether PostgreSQL has ended a transaction for another one's sake: done anew, it will succeed."""
    while error is not None and not isinstance(error, DBAPIError):
        error = error.__cause__
    return error is not None and getattr(error.orig, "sqlstate", None) in COLLISIONS
