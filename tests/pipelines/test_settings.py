"""What the pipelines can be told: where the store is, and the template of a file's path."""

from __future__ import annotations

import pytest

from database.settings import SettingsError
from pipelines.settings import PipelineSettings
from scrapers.core.outcomes import StoreAway


@pytest.mark.parametrize("template", ["{name}", "{portal}/{account}/{period}/{report}_{name}"])
def test_known_fields_with_the_name(monkeypatch, template):
    monkeypatch.setenv("LATCHKEY_FILES_PATH", template)
    assert PipelineSettings.load().files_path == template


@pytest.mark.parametrize(
    "template",
    [
        "{portal}",
        "{colour}/{name}",
        "{}/{name}",
        "{name",
        "{name.__class__}",
        "{name!r}",
        "{name:>9}",
        "../{name}",
        "/{name}",
        ".incoming/{name}",
        "a:b/{name}",
        "con/{name}",
        "{portal}//{name}",
    ],
)
def test_any_other_is_refused_with_the_names_there_are(monkeypatch, template):
    monkeypatch.setenv("LATCHKEY_FILES_PATH", template)
    with pytest.raises(SettingsError, match=r"^LATCHKEY_FILES_PATH: ") as told:
        PipelineSettings.load()
    assert template not in str(told.value)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "files",
        "/mnt/nas/files",
        "smb://nas.example.com/files",
        "smb://nas.example.com:4450/files/bell/",
        "s3://bucket/a/b",
    ],
)
def test_a_store_is_a_folder_a_share_or_a_bucket(monkeypatch, address):
    monkeypatch.setenv("LATCHKEY_FILES", address)
    assert PipelineSettings.load().files == address.removesuffix("/")


@pytest.mark.parametrize(
    "address",
    [
        "ftp://nas.example.com/files", "smb://nas.example.com", "smb:///files", "s3:///a", "s3://bucket/a?region=x",
        "smb://owner:hunter-2@nas.example.com/files", "s3://key:hunter-2@bucket", "smb://nas.example.com:many/files",
    ],
)  # fmt: skip
def test_any_other_store_is_refused_without_being_quoted(monkeypatch, address):
    monkeypatch.setenv("LATCHKEY_FILES", address)
    with pytest.raises(SettingsError, match=r"^LATCHKEY_FILES: ") as told:
        PipelineSettings.load()
    assert address not in str(told.value)
    assert "hunter-2" not in str(told.value)


def test_secrets_of_a_store_show_nowhere(monkeypatch):
    for name in ("LATCHKEY_SMB_PASSWORD", "LATCHKEY_S3_SECRET_KEY"):
        monkeypatch.setenv(name, "hunter-2")
    assert "hunter-2" not in repr(PipelineSettings.load())


@pytest.mark.parametrize("name", ["LATCHKEY_S3_ENDPOINT", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"])
def test_an_address_of_s3_that_others_know_is_known_to_us(monkeypatch, name):
    monkeypatch.setenv(name, "http://127.0.0.1:9000")
    assert PipelineSettings.load().s3_endpoint == "http://127.0.0.1:9000"
    monkeypatch.setenv(name, "http://owner:hunter-2@127.0.0.1:9000")
    with pytest.raises(SettingsError) as told:
        PipelineSettings.load()
    assert "hunter-2" not in str(told.value)


@pytest.mark.parametrize(
    ("environment", "target", "address"),
    [
        ({}, "LOCAL", "{data}/files"),
        ({"LATCHKEY_FILES": "/mnt/files"}, "LOCAL", "/mnt/files"),
        ({"LATCHKEY_FILES": "/mnt/files", "LATCHKEY_FILES_LOCAL": "/mnt/here"}, "LOCAL", "/mnt/here"),
        ({"LATCHKEY_FILES": "s3://bucket/a"}, "LOCAL", "{data}/files"),
        ({"LATCHKEY_FILES": "s3://bucket/a"}, "S3", "s3://bucket/a"),
        ({"LATCHKEY_FILES_S3": "s3://other"}, "S3", "s3://other"),
        ({"LATCHKEY_FILES": "smb://nas/share"}, "NAS", "smb://nas/share"),
        ({"LATCHKEY_FILES_NAS": "/mnt/nas"}, "NAS", "/mnt/nas"),
        ({"NAS_SERVER": "nas", "NAS_SHARE": "share"}, "NAS", "smb://nas/share"),
        ({"NAS_SERVER": "nas", "NAS_SHARE": "share", "NAS_PORT": "4450"}, "NAS", "smb://nas:4450/share"),
        ({"NAS_SERVER": "nas", "NAS_SHARE": "share", "LATCHKEY_FILES_NAS": "/mnt/nas"}, "NAS", "/mnt/nas"),
        ({"S3_BUCKET": "my.bucket-1"}, "S3", "s3://my.bucket-1"),
        ({"LATCHKEY_FILES": "/mnt/files"}, "", "/mnt/files"),
        ({"LATCHKEY_FILES": "/mnt/files"}, "NAS", None),
        ({"LATCHKEY_FILES": "smb://nas/share"}, "S3", None),
    ],
)
def test_a_target_has_a_store_of_its_own(monkeypatch, tmp_path, environment, target, address):
    monkeypatch.setenv("LATCHKEY_DATA_DIR", str(tmp_path))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = PipelineSettings.load()
    if address is None:
        with pytest.raises(StoreAway, match=f"set LATCHKEY_FILES_{target}"):
            settings.address_of(target)
    else:
        assert settings.address_of(target) == address.format(data=tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOCAL", "smb://nas/share"),
        ("LOCAL", "s3://bucket"),
        ("S3", "/mnt/files"),
        ("NAS", "smb://nas"),
        ("S3", "s3://u@b"),
        ("S3", "A bucket"),
    ],
)
def test_a_target_with_another_kind_of_store_is_refused(monkeypatch, name, value):
    monkeypatch.setenv(f"LATCHKEY_FILES_{name}", value)
    with pytest.raises(SettingsError, match=f"^LATCHKEY_FILES_{name}: "):
        PipelineSettings.load()


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"NAS_SERVER": "nas"}, "^NAS_SERVER is set without LATCHKEY_NAS_SHARE or NAS_SHARE: set both"),
        ({"LATCHKEY_NAS_SHARE": "share"}, "^LATCHKEY_NAS_SHARE is set without LATCHKEY_NAS_SERVER or NAS_SERVER"),
        ({"NAS_SERVER": "u:hunter-2@nas", "NAS_SHARE": "share"}, "^NAS_SERVER: (?!.*hunter)"),
        ({"NAS_SERVER": "nas", "NAS_SHARE": "share/folder"}, "^NAS_SHARE: "),
        ({"NAS_SERVER": "nas", "NAS_SHARE": "share", "NAS_PORT": "smb"}, "^NAS_PORT: "),
    ],
)
def test_parts_of_a_share_that_make_no_address_are_refused(monkeypatch, environment, said):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=said):
        PipelineSettings.load()
