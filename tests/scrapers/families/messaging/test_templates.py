"""Path templates: which can be used, and what they make of a file."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipelines.stores.names import path_below
from scrapers.families.messaging.templates import (
    DEFAULT,
    FIELDS,
    below,
    check_folder,
    check_template,
    fields_of,
    folder_of,
    of_member,
)

FILE = {
    "source": "News",
    "channel": "Weekly / Reports",
    "channel_id": 1500000001,
    "message_id": 17,
    "document_id": 99,
    "sent_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    "kind": "document",
    "name": "Q1.pdf",
    "extension": "pdf",
}


def test_each_field_is_filled():
    assert set(fields_of(**FILE)) == set(FIELDS)


@pytest.mark.parametrize(
    ("template", "changes", "path"),
    [
        (DEFAULT, {}, "Weekly _ Reports/2026-01/17_Q1.pdf"),
        ("{channel_id}/{date}/{time}_{stem}.{type}", {}, "1500000001/2026-01-02/030405_Q1.pdf"),
        (DEFAULT, {"name": None, "extension": "jpg", "kind": "photo"}, "Weekly _ Reports/2026-01/17_photo_99.jpg"),
        (DEFAULT, {"name": "../../etc/passwd", "extension": ""}, "Weekly _ Reports/2026-01/17__.._etc_passwd"),
        ("{topic}/{album}/{document}", {"topic_id": 3}, "3/none/99"),
        ("{type}/{name}", {"name": "x", "extension": ""}, "other/x"),
        ("{name}", {"name": "..", "extension": ""}, "_"),
    ],
)
def test_a_path(template, changes, path):
    assert path_below(check_template(template), fields_of(**(FILE | changes))) == path


def test_a_folder_and_a_member_mean_themselves():
    template = below(folder_of("/nas/{tech}/", "News"), "{message}_{name}")
    assert path_below(template, fields_of(**FILE)) == "nas/{tech}/17_Q1.pdf"
    member = of_member(template, "a/../{b}/c.txt")
    assert path_below(member, fields_of(**FILE)) == "nas/{tech}/17_Q1.pdf_extracted/a/{b}/c.txt"
    assert folder_of(None, "a/b") == "source_a_b"


@pytest.mark.parametrize(
    "template", ["{nothing}", "{name", "{name!r}", "{name:>9}", "{channel}/{date}", "{}", "{name}\n", "{name.real}"]
)
def test_a_template_that_cannot_be_used_is_refused(template):
    with pytest.raises(ValueError, match="template"):
        check_template(template if template != "{name}\n" else "{name}\n{name}")


@pytest.mark.parametrize("folder", ["../x", "a/../../b", "C:\\x", "a\nb", "x" * 201])
def test_a_folder_that_leads_elsewhere_is_refused(folder):
    with pytest.raises(ValueError, match="target path"):
        check_folder(folder)
