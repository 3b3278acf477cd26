"""Which files are wanted: 60 cases, each a file, file types and filters, and why it is not fetched."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from database.models.messaging import MediaKind
from scrapers.families.messaging.filters import Filters, Seen, refusal

AT = datetime(2026, 5, 17, 13, 30, tzinfo=UTC)
FILE = {"kind": "document", "name": "Report May.PDF", "media_type": "application/pdf", "size": 2_000_000, "sent_at": AT}
PHOTO = FILE | {"kind": "photo", "name": None, "media_type": "image/jpeg"}
NAMELESS = FILE | {"name": None}
ALBUM = FILE | {"album_id": 7, "caption": "Figures of MAY, all of them"}
TOPIC = FILE | {"topic_id": 3}
SENT = FILE | {"sender_id": 42, "sender_name": "Ana_B"}

CASES = [
    # file types, white and black
    (FILE, [], {}, None),
    (FILE, ["pdf"], {}, None),
    (FILE, ["PDF"], {}, None),
    (FILE, [".pdf"], {}, None),
    (FILE, ["zip"], {}, "type"),
    (FILE, ["zip", "pdf"], {}, None),
    (FILE, [], {"types_not": ["pdf"]}, "type"),
    (FILE, [], {"types_not": [".PDF"]}, "type"),
    (FILE, ["pdf"], {"types_not": "pdf"}, "type"),
    (FILE, [], {"types_not": ["zip"]}, None),
    (FILE | {"name": "a.tar.gz"}, ["tar.gz"], {}, None),
    (FILE | {"name": "a.tar.gz"}, ["gz"], {}, None),
    (FILE | {"name": "a.gz"}, ["tar.gz"], {}, "type"),
    (FILE | {"name": "a.tar.gz"}, [], {"types_not": ["tar.gz"]}, "type"),
    (FILE | {"name": "a.pdf.exe"}, ["pdf"], {}, "type"),
    (NAMELESS, ["pdf"], {}, None),  # by its media type
    (NAMELESS | {"media_type": None}, ["pdf"], {}, "type"),
    (NAMELESS | {"media_type": None}, [], {}, None),
    (FILE | {"name": "no extension"}, ["pdf"], {}, None),
    (PHOTO, ["jpg"], {}, None),
    (PHOTO, ["pdf"], {}, "type"),
    (FILE | {"kind": "voice", "name": None, "media_type": "audio/ogg"}, ["ogg"], {}, None),
    # kinds
    (PHOTO, [], {"kinds": ["photo"]}, None),
    (FILE, [], {"kinds": "photo"}, "kind"),
    (FILE | {"kind": "video"}, [], {"kinds": ["photo", "video"]}, None),
    (FILE | {"kind": "sticker"}, [], {"kinds": ["document"]}, "kind"),
    # size
    (FILE, [], {"min_size": 2_000_000}, None),
    (FILE, [], {"min_size": "2000001"}, "size"),
    (FILE, [], {"max_size": "2 MB"}, None),
    (FILE, [], {"max_size": "1.9MB"}, "size"),
    (FILE, [], {"min_size": "1 MiB", "max_size": "1 GiB"}, None),
    (FILE | {"size": 3_000_000_000}, [], {"max_size": "2 GB"}, "size"),
    (FILE | {"size": 3_000_000_000}, [], {}, None),
    # date
    (FILE, [], {"since": "2026-05-17"}, None),
    (FILE, [], {"since": "2026-05-18"}, "date"),
    (FILE, [], {"until": "2026-05-17"}, None),
    (FILE, [], {"until": "2026-05-16"}, "date"),
    (FILE | {"sent_at": datetime(2026, 5, 17, 23, 59, 59, tzinfo=UTC)}, [], {"until": "2026-05-17"}, None),
    (FILE, [], {"since": "2026-05-01", "until": "2026-05-31"}, None),
    # name
    (FILE, [], {"name": ["*may*"]}, None),
    (FILE, [], {"name": "report ???.pdf"}, None),
    (FILE, [], {"name": ["*june*"]}, "name"),
    (FILE, [], {"name": ["*june*", "REPORT*"]}, None),
    (FILE, [], {"name": "may"}, "name"),  # as a whole
    (FILE, [], {"name_not": "*.pdf"}, "name"),
    (NAMELESS, [], {"name": "*report*"}, "name"),
    (NAMELESS, [], {"name_not": "*report*"}, None),
    # caption, of an album that of all its files
    (ALBUM, [], {"caption": "of may"}, None),
    (ALBUM, [], {"caption": ["june", "figures"]}, None),
    (ALBUM, [], {"caption": "june"}, "caption"),
    (ALBUM, [], {"caption_not": "ALL OF"}, "caption"),
    (FILE, [], {"caption": "may"}, "caption"),  # it has none
    # sender
    (SENT, [], {"senders": [42]}, None),
    (SENT, [], {"senders": "@ana_b"}, None),
    (SENT, [], {"senders": [43, "someone"]}, "sender"),
    (SENT, [], {"senders_not": "ana_b"}, "sender"),
    (FILE, [], {"senders": [42]}, "sender"),  # the channel itself
    # topic
    (TOPIC, [], {"topics": [1, 3]}, None),
    (TOPIC, [], {"topics": 1}, "topic"),
    # albums
    (ALBUM, [], {"albums": "none"}, "album"),
    (FILE, [], {"albums": "only"}, "album"),
]
# An extension is what stands behind a dot; a name without one is told by its type.


def test_there_are_sixty():
    assert len(CASES) >= 60


@pytest.mark.parametrize(("file", "types", "filters", "reason"), CASES)
def test_a_file_is_wanted_or_it_is_said_why_not(file, types, filters, reason):
    seen = Seen(**(file | {"kind": MediaKind(file["kind"])}))
    assert refusal(seen, types, Filters(**filters)) == reason


@pytest.mark.parametrize(
    "filters",
    [
        {"unknown": 1},
        {"types_not": ["p/df"]},
        {"kinds": ["hologram"]},
        {"min_size": "much"},
        {"min_size": True},
        {"min_size": 2, "max_size": 1},
        {"max_size": "99999999 TB"},
        {"since": "2026-02-30"},
        {"since": "2026-02-02", "until": "2026-02-01"},
        {"senders": ["not a name"]},
        {"topics": [0]},
        {"albums": "some"},
        {"name": [""]},
    ],
)
def test_filters_that_cannot_be_meant_are_refused(filters):
    with pytest.raises(ValidationError):
        Filters(**filters)


def test_filters_come_back_from_json_as_they_were():
    filters = Filters(kinds="photo", min_size="1 MB", senders=["@Ana", 5], since="2026-01-01", topics=3)
    assert Filters(**filters.model_dump(mode="json")) == filters
