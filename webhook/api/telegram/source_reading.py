"""How sources stand, their runs, what these have kept, and their files: for the API, the pages and the command line alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound

from database.engine import Database, now
from database.families.telegram import sources
from database.models import Run
from database.models.jobs import ScraperJob
from database.models.messaging import FileState
from database.models.telegram import Source, TelegramSession
from jobs.engines.embedded import Engine
from webhook.api.telegram.source_models import FileAnswer, LogAnswer, RunDetail, SourceAnswer, SourceRunAnswer
from webhook.api.telegram.telling import file_answer, log_answers, run_answer, source_answer

NO_SOURCE, NO_RUN = "There is no such source.", "There is no such run."
BEHIND = "Its schedule is not followed yet: what starts the crawls was away when it changed. It follows as soon as it answers."


@dataclass(frozen=True)
class SourceReading:
    """What is shown of sources. One of another user is answered as one that is absent; user_id None: those of all users."""

    db: Database
    engine: Callable[[], Engine]

    def own(self, session: Session, source_id: str, user_id: int | None) -> Source:
        """Return a source; raise NotFound for one that is absent or another user's, in the same words."""
        found = sources.source_of(session, source_id, user_id)
        if found is None:
            raise NotFound(NO_SOURCE)
        return found

    def source(self, source_id: str, user_id: int | None) -> SourceAnswer:
        """Return a source."""
        return self.told(source_id, user_id, self.engine())

    def sources(self, user_id: int | None, skip: int, limit: int) -> tuple[list[SourceAnswer], int]:
        """Return the sources of one page, the oldest first, and how many there are."""
        wanted, engine = sources.all_of(user_id), self.engine()
        with self.db.transaction() as session:
            at, behind = now(session), engine.behind(session)
            found = session.scalars(wanted.offset(skip).limit(limit)).all()
            rows = [
                source_answer(each, at, BEHIND if behind and each.schedule is not None else None)
                for each in sources.standing(session, found)
            ]
            return rows, count_of(session, wanted)

    def runs(self, source_id: str, user_id: int | None, skip: int, limit: int) -> tuple[list[SourceRunAnswer], int]:
        """Return runs of a source, the newest first, and how many there are."""
        wanted = sources.runs_of(source_id)
        with self.db.transaction() as session:
            self.own(session, source_id, user_id)
            with_jobs = wanted.add_columns(ScraperJob).join(ScraperJob, ScraperJob.id == Run.job_id)
            found = session.execute(with_jobs.offset(skip).limit(limit))
            return [run_answer(run, job, source_id) for run, job in found], count_of(session, wanted)

    def run(self, run_id: int, user_id: int | None) -> RunDetail:
        """Return a run with its lines and the files that it has brought."""
        with self.db.transaction() as session:
            found = sources.run_of(session, run_id, user_id)
            if found is None:
                raise NotFound(NO_RUN)
            run, job, source = found
            brought = session.execute(sources.files_of(source.id, run_id=run.id).limit(1000))
            files = [file_answer(file, stored) for file, stored in brought]
            answer = run_answer(run, job, source.id).model_dump()
            return RunDetail(**answer, logs=log_answers(run, job), files=files)

    def logs(self, source_id: str, user_id: int | None, most: int = 20) -> list[LogAnswer]:
        """Return the lines of the newest runs of a source, the oldest first."""
        with self.db.transaction() as session:
            self.own(session, source_id, user_id)
            newest = sources.runs_of(source_id).add_columns(ScraperJob).join(ScraperJob, ScraperJob.id == Run.job_id)
            found = session.execute(newest.limit(most)).all()
            return [line for run, job in reversed(found) for line in log_answers(run, job)]

    def files(
        self, source_id: str, user_id: int | None, skip: int, limit: int, state: FileState | None = None
    ) -> tuple[list[FileAnswer], int]:
        """Return files of a source, the newest message first, and how many there are."""
        wanted = sources.files_of(source_id, state)
        with self.db.transaction() as session:
            self.own(session, source_id, user_id)
            found = session.execute(wanted.offset(skip).limit(limit))
            return [file_answer(file, stored) for file, stored in found], count_of(session, wanted)

    def sessions(self, user_id: int | None) -> Sequence[TelegramSession]:
        """Return the sessions among which a user chooses for a source."""
        wanted = select(TelegramSession).where(*sources.may_use(user_id, public=False))
        with self.db.transaction() as session:
            return session.scalars(wanted.order_by(TelegramSession.created_at, TelegramSession.id)).all()

    def told(
        self, source_id: str, user_id: int | None, engine: Engine, said: str | None = None, notes: Sequence[str] = ()
    ) -> SourceAnswer:
        """Return a source as it is answered. said: why the engine has not followed; notes: besides the usual ones."""
        with self.db.transaction() as session:
            (found,) = sources.standing(session, [self.own(session, source_id, user_id)])
            behind = said or (BEHIND if found.schedule is not None and engine.behind(session) else None)
            return source_answer(found, now(session), behind, notes)


def count_of(session: Session, wanted: Select[*tuple[Any, ...]]) -> int:
    """Return how many rows a query has."""
    return session.scalar(select(func.count()).select_from(wanted.order_by(None).subquery())) or 0
