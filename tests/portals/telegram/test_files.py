"""Crawls of sources: what is fetched, what is not and why, what a further run asks for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from database.models.messaging import FileState
from tests.portals.telegram.sources import Sources


def test_everything_of_a_channel_is_stored_and_a_further_run_asks_for_what_is_new(sources: Sources):
    session = sources.sign_in()
    source = sources.add("reports", session)
    sources.crawl("reports", code=0)
    assert sources.wrong(source, "reports") == []
    row = sources.source(source)
    messages = sources.messages(source)
    assert (row.outcome, row.last_message_id) == ("success", max(messages))
    assert (row.total_messages_scraped, row.total_files_downloaded) == (len(messages), 18)
    assert row.last_scraped_at is not None
    assert {each.text for each in messages.values()} == {None}
    assert sources.session(session).last_checked_at is not None

    before = sources.admin.counters()
    since = sources.mark()
    sources.crawl("reports", code=0)
    assert sources.requests(since)["upload.getFile"] == 0
    assert sources.run.requests <= 4  # the channel, known messages, what is new

    sources.server.change("reports", post=[{"kind": "document", "count": 2, "name": "new.pdf", "size": 700_000}])
    sources.crawl(source, code=0)
    assert sources.wrong(source, "reports") == []
    new = [each for each in sources.files(source) if each.name == "new.pdf"]
    assert len(new) == 2
    fetched = sources.admin.counters()["file_bytes"]
    known = {str(each.document_id) for each in new}
    assert {name: count for name, count in fetched.items() if name in known} == dict.fromkeys(known, 700_000)
    assert {name: count for name, count in fetched.items() if name not in known} == before["file_bytes"]


def test_every_kind_of_file_is_stored_under_the_path_of_its_template(sources: Sources):
    session = sources.sign_in()
    plain = {"target_path": "/archive/{tech}", "path_template": "{date}/{kind}_{message}_{name}"}
    words = ("unnamed", "albums", "forum")
    made = {word: sources.add(word, session, **plain) for word in words}
    sources.add("empty", session)
    sources.crawl("all", code=0)
    for word, source in made.items():
        assert sources.wrong(source, word) == []
        paths = {str(each.path) for each in sources.stored(source)}
        assert all(path.startswith("archive/{tech}/20") for path in paths)
    albums = sources.files(made["albums"])
    assert {each.kind.value for each in albums} >= {"photo", "document"}
    assert len({each.album_id for each in sources.messages(made["albums"]).values()}) >= 8
    assert {each.topic_id for each in sources.messages(made["forum"]).values()} == {1, 2, 3}


def test_a_document_is_stored_once_however_often_it_is_sent(sources: Sources):
    source = sources.add("twice", sources.sign_in())
    sources.crawl(source, code=0)
    assert sources.wrong(source, "twice") == []
    files = sources.files(source)
    assert len(files) == 3
    assert len({each.file_id for each in files}) == len({each.document_id for each in files}) == 2
    assert sorted(each.is_forward for each in sources.messages(source).values()) == [False, True, True]
    assert sources.admin.counters()["downloads"] == 2


def test_filters_and_what_is_asked_for_again_when_they_change(sources: Sources):
    source = sources.add("albums", sources.sign_in(), file_types=["pdf"], filters={"albums": "only"})
    sources.crawl(source, code=0)
    truth = sources.server.files("albums")
    pdfs = sum(row["name"].endswith(".pdf") if row["name"] else False for row in truth.values())
    assert sources.states(source) == {"stored": pdfs, "type": len(truth) - pdfs}
    sources.change(source, file_types=[])
    sources.crawl(source, code=0)  # nothing is new
    assert sources.states(source)["type"] == len(truth) - pdfs
    sources.crawl(source, "since=2000-01-01", code=0)
    assert sources.wrong(source, "albums") == []


def test_a_day_to_look_again_from(sources: Sources):
    source = sources.add("reports", sources.sign_in())
    sources.crawl(source, "since=2100-01-01", code=0)
    assert sources.files(source) == []
    sources.crawl(source, "since=2000-01-01", code=0)
    assert sources.wrong(source, "reports") == []


def test_texts_are_stored_only_where_that_is_asked_for_and_never_readable(sources: Sources):
    source = sources.add("reports", sources.sign_in())
    sources.server.change("reports", post=[{"kind": "text", "text": "canary-of-a-text"}])
    said = sources.crawl(source, code=0)
    assert all(each.text is None for each in sources.messages(source).values())
    said += sources.crawl(source, "since=2000-01-01", "texts=yes", code=0)
    texts = [each.text for each in sources.messages(source).values()]
    assert "canary-of-a-text" in texts
    assert "canary-of-a-text" not in said
    assert b"canary-of-a-text" not in (sources.project.data / "latchkey.db").read_bytes()
    # A run that keeps none leaves what is kept.
    sources.crawl(source, "since=2000-01-01", code=0)
    assert "canary-of-a-text" in [each.text for each in sources.messages(source).values()]


def test_edits_and_deletions_are_recorded(sources: Sources):
    source = sources.add("reports", sources.sign_in(), keeps_texts=True)
    sources.crawl(source, code=0)
    first, second, *_, last = sorted(sources.messages(source))
    sources.server.change("reports", delete=[first], edit={str(last): "an edited text"})
    before = datetime.now(UTC)
    sources.crawl(source, code=0)
    messages = sources.messages(source)
    assert (messages[first].deleted_at or before) > before
    assert messages[second].deleted_at is None
    assert messages[last].edited_at is not None
    assert messages[last].text == "an edited text"
    assert len(sources.stored(source)) == 18


def test_archives_are_unpacked_where_that_is_asked_for(sources: Sources):
    source = sources.add("archives", sources.sign_in(), unpacks=True)
    said = sources.crawl(source, code=0)
    assert sources.wrong(source, "archives") == []
    by_archive: dict[str | None, list[str]] = {}
    rows = sources.files(source)
    names = {each.document_id: each.name for each in rows if not each.member}
    for each in rows:
        if each.member:
            by_archive.setdefault(names[each.document_id], []).append(each.member)
    refused = {each.name: each.message for each in rows if each.message}
    assert "was not unpacked" in said
    assert len([members for members in by_archive.values() if members]) >= 3  # a ZIP, one with another in it, a tar
    assert any("_extracted/" in member for members in by_archive.values() for member in members)
    assert len(refused) >= 3  # one that leads out of its folder, half of one, one of zeros
    assert all((message or "").startswith("It was not unpacked. ") for message in refused.values())
    paths = [str(each.path) for each in sources.stored(source)]
    assert not any(".." in path for path in paths)
    assert len(paths) == len({each.file_id for each in rows if each.state == FileState.STORED})


def test_a_channel_that_was_renamed_is_the_same(sources: Sources):
    source = sources.add("open", sources.sign_in(), access_hash=None)
    sources.crawl(source, code=0)
    assert sources.source(source).access_hash is not None
    sources.server.change("open", title="Called Otherwise", username="sandbox_otherwise")
    said = sources.crawl(source, code=0)
    row = sources.source(source)
    assert (row.channel_title, row.username) == ("Called Otherwise", "sandbox_otherwise")
    assert "another title or user name" in said
    sources.server.change("open", title="Open to All", username="sandbox_open")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("source=nothing",), "-a source=nothing: there is no such source"),
        ((), "-a source: name a source, or all."),
        (("source=all", "since=yesterday"), "-a since: "),
    ],
)
def test_wrong_arguments_are_one_sentence(sources: Sources, arguments, sentence):
    words = [word for argument in arguments for word in ("-a", argument)]
    done = sources.project.scrapy("crawl", "telegram_files", *words)
    assert done.returncode == 2
    assert sentence in done.stderr
