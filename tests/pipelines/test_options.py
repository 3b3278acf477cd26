"""The template of a file's path."""

from __future__ import annotations

import pytest

from database.settings import SettingsError
from pipelines.options import PipelineSettings


@pytest.mark.parametrize("template", ["{name}", "{portal}/{account}/{period}/{report}_{name}"])
def test_known_fields_with_the_name(monkeypatch, template):
    monkeypatch.setenv("LATCHKEY_FILES_PATH", template)
    assert PipelineSettings.load().files_path == template


@pytest.mark.parametrize("template", ["{portal}", "{colour}/{name}", "{}/{name}", "{name", "{name.__class__}"])
def test_any_other_is_refused_with_the_names_there_are(monkeypatch, template):
    monkeypatch.setenv("LATCHKEY_FILES_PATH", template)
    with pytest.raises(SettingsError, match=r"^LATCHKEY_FILES_PATH: ") as told:
        PipelineSettings.load()
    assert template not in str(told.value)
