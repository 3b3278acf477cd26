"""Where the files of sources go: a folder, a share, a bucket, each named by a setting; and sources in the queue."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from database.models import ScraperJob
from database.models.telegram import TargetStore
from tests.portals.telegram.sources import Sources
from tests.s3 import BUCKET, object_server
from tests.samba import file_server


def digests(sources: Sources, word: str) -> Counter[str]:
    return Counter(row["sha256"] for row in sources.server.files(word).values())


def test_a_source_goes_to_a_bucket(sources: Sources):
    source = sources.add(
        "open", sources.sign_in(), target=TargetStore.S3, target_path="tech", path_template="{message}.{type}"
    )
    with object_server() as server:
        environment = server.settings("telegram")
        environment["LATCHKEY_FILES_S3"] = environment.pop("LATCHKEY_FILES")
        sources.crawl(source, code=0, **environment)
        listed = server.client.list_objects_v2(Bucket=BUCKET)["Contents"]
        bodies = [server.client.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read() for each in listed]
    assert all(each["Key"].startswith("telegram/tech/") for each in listed)
    assert Counter(hashlib.sha256(body).hexdigest() for body in bodies) == digests(sources, "open")
    assert {each.store for each in sources.stored(source)} == {f"s3://{BUCKET}/telegram"}


@pytest.mark.smb
def test_a_source_goes_to_a_share(sources: Sources, tmp_path):
    source = sources.add("open", sources.sign_in(), target=TargetStore.NAS, target_path="/nas/tech")
    with file_server(tmp_path / "share") as server:
        environment = server.settings("telegram")
        environment["LATCHKEY_FILES_NAS"] = environment.pop("LATCHKEY_FILES")
        sources.crawl(source, code=0, **environment)
        found = [path for path in (server.files / "telegram" / "nas" / "tech").rglob("*") if path.is_file()]
        assert Counter(hashlib.sha256(path.read_bytes()).hexdigest() for path in found) == digests(sources, "open")


def test_sources_of_one_crawl_have_stores_of_their_own_and_one_that_is_away_fails_its_sources_alone(
    sources: Sources, tmp_path
):
    session = sources.sign_in()
    here = sources.add("open", session, target_path="mine")
    away = sources.add("reports", session, target=TargetStore.S3)
    folder = tmp_path / "elsewhere"
    said = sources.crawl("all", code=4, LATCHKEY_FILES_LOCAL=str(folder))
    assert "set LATCHKEY_FILES_S3" in said
    assert (sources.source(here).outcome, sources.source(away).outcome) == ("success", "store_away")
    assert sources.files(away) == []
    kept = [path for path in (folder / "mine").rglob("*") if path.is_file()]
    assert Counter(hashlib.sha256(path.read_bytes()).hexdigest() for path in kept) == digests(sources, "open")


def test_sources_of_a_session_are_one_crawl_of_the_queue_and_wait_for_its_pause(sources: Sources):
    session, other = sources.sign_in("flood-long"), sources.sign_in()
    waiting = [sources.add(word, session) for word in ("reports", "albums")]
    free = sources.add("open", other)
    made = sources.project.scrapy("jobs", "create", "telegram_files")
    assert made.returncode == 0, made.stderr
    done = sources.project.scrapy("jobs", "run", timeout=110)
    assert done.returncode == 3, done.stderr
    assert sources.source(free).outcome == "success"
    with sources.db.transaction() as db:
        jobs = {(job.target or {})["source"]: job for job in db.scalars(select(ScraperJob))}
        for source in waiting:
            assert jobs[source].status == "pending"
            assert jobs[source].outcome == "flood_wait"
            assert jobs[source].exclusive == f"telegram:{session}"
            assert jobs[source].available_at - datetime.now(UTC) > timedelta(hours=1.9)
    assert sources.admin.counters().get("asked_while_waiting", 0) == 0
