"""Settings of the pipelines."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from database.settings import RoomSettings, SettingsError, database_settings
from pipelines.stores.names import safe
from scrapers.core.outcomes import StoreAway

FIELDS = {"portal", "client", "account", "period", "report", "name"}
BUCKET = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"  # what Amazon's S3 takes for a name
SHAPES = "a folder, smb://server/share/folder or s3://bucket/folder"


class PipelineSettings(RoomSettings):
    """Where files go and what they are called there."""

    files: str = Field("", description=f"File store: {SHAPES}; empty means the folder `files` in the data folder.")
    files_local: str = Field(
        "", description="Folder of the target LOCAL of a source; empty: LATCHKEY_FILES, where it is a folder."
    )
    files_nas: str = Field(
        "",
        description="Store of the target NAS: smb://server/share/folder, or the folder where it is mounted; empty: LATCHKEY_FILES, "
        "where it begins with smb://.",
    )
    nas_server: str = Field(
        "",
        pattern=r"^[A-Za-z0-9.-]*$",
        validation_alias=AliasChoices("LATCHKEY_NAS_SERVER", "NAS_SERVER"),
        description="Server of the target NAS, where LATCHKEY_FILES_NAS is empty; it goes with the share.",
    )
    nas_share: str = Field(
        "",
        pattern=r"^[^\\/:?#@]*$",
        validation_alias=AliasChoices("LATCHKEY_NAS_SHARE", "NAS_SHARE"),
        description="Share of that server.",
    )
    nas_port: int = Field(
        445,
        ge=1,
        le=65535,
        validation_alias=AliasChoices("LATCHKEY_NAS_PORT", "NAS_PORT"),
        description="Port of that server.",
    )
    files_s3: str = Field(
        "",
        validation_alias=AliasChoices("LATCHKEY_FILES_S3", "S3_BUCKET"),
        description="Store of the target S3, s3://bucket/folder or a bucket's name; empty: LATCHKEY_FILES, where it begins with s3://.",
    )
    files_path: str = Field(
        "{portal}/{account}/{period}/{name}",
        description="Path of a file below the store, from portal, client, account, period, report and name.",
    )
    files_free: int = Field(100_000_000, ge=0, description="Bytes that stay free in the file store, where it tells.")
    smb_username: str = Field(
        "",
        validation_alias=AliasChoices("LATCHKEY_SMB_USERNAME", "NAS_USERNAME"),
        description="User of the SMB share, with its domain as `user@domain` if it has one.",
    )
    smb_password: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices("LATCHKEY_SMB_PASSWORD", "NAS_PASSWORD"),
        description="Password of that user.",
    )
    s3_endpoint: str = Field(
        "",
        pattern=r"^(https?://[^/?#@]+(/[^?#@]*)?)?$",
        validation_alias=AliasChoices("LATCHKEY_S3_ENDPOINT", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
        description="Address of an S3 server other than Amazon's.",
    )
    s3_access_key: str = Field(
        "", description="Access key of S3; empty means what Amazon's own tools would use: AWS_ACCESS_KEY_ID, a profile."
    )
    s3_secret_key: SecretStr = Field(SecretStr(""), description="Secret of that access key.")
    s3_region: str = Field(
        "",
        validation_alias=AliasChoices("LATCHKEY_S3_REGION", "AWS_REGION", "AWS_DEFAULT_REGION"),
        description="Region of the bucket.",
    )

    @field_validator("files", "files_local", "files_nas", "files_s3")
    @classmethod
    def known_shape(cls, value: str) -> str:
        """Refuse an address of no store that we know, or one with a secret in it."""
        scheme, found, _ = value.partition("://")
        if not found:
            return value
        address = urlsplit(value)
        if "@" in address.netloc:
            named = (
                "LATCHKEY_S3_ACCESS_KEY and _SECRET_KEY" if scheme == "s3" else "LATCHKEY_SMB_USERNAME and _PASSWORD"
            )
            raise ValueError(f"user name and password do not belong into the address: set {named}")
        needed = {"smb": address.path.strip("/"), "s3": address.netloc}
        port = address.netloc.partition(":")[2] or "445"
        is_known = needed.get(scheme) and address.netloc and port.isdecimal() and int(port) < 65536
        if not is_known or address.query or address.fragment:
            raise ValueError(f"the store is {SHAPES}")
        return value.rstrip("/")

    @field_validator("files_path")
    @classmethod
    def known_fields(cls, value: str) -> str:
        """Refuse a template with a field that we do not fill, without the name, or with a path that is not safe."""
        parts = list(Formatter().parse(value))
        used = {field for _, field, _, _ in parts if field is not None}
        if used - FIELDS or "name" not in used or any(form or change for _, _, form, change in parts):
            raise ValueError(f"the template may use {', '.join(sorted(FIELDS))} and must use name")
        if any(safe(part) != part for part in value.format(**dict.fromkeys(FIELDS, "x")).split("/")):
            raise ValueError("a folder of the template has a name that not every file system takes")
        return value

    @field_validator("files_local")
    @classmethod
    def is_folder(cls, value: str) -> str:
        """Refuse the address of a server."""
        if "://" in value:
            raise ValueError("the target LOCAL is a folder of this machine")
        return value

    @field_validator("files_s3")
    @classmethod
    def is_bucket(cls, value: str) -> str:
        """Take a bucket's name for its address, as S3_BUCKET has it; refuse what is no bucket."""
        if re.fullmatch(BUCKET, value):
            return f"s3://{value}"
        if value and not value.startswith("s3://"):
            raise ValueError("the target S3 is s3://bucket or s3://bucket/folder")
        return value

    @classmethod
    def load(cls) -> Self:
        """Read the environment; raise SettingsError also when a server is named without a share, or a share without one."""
        settings = super().load()
        if bool(settings.nas_server) != bool(settings.nas_share):
            lone, other = ("server", "share") if settings.nas_server else ("share", "server")
            set_one, lacking = cls.given(f"nas_{lone}").variable, cls.names(f"nas_{other}")
            raise SettingsError(f"{set_one} is set without {' or '.join(lacking)}: set both, or LATCHKEY_FILES_NAS.")
        return settings

    @property
    def nas_address(self) -> str:
        """Address of the target NAS, as its own settings name it; empty: they do not."""
        if self.files_nas or not self.nas_server:
            return self.files_nas
        port = "" if self.nas_port == 445 else f":{self.nas_port}"
        return f"smb://{self.nas_server}{port}/{self.nas_share}"

    @property
    def files_address(self) -> str:
        """Address of the file store, without secrets."""
        if "://" in self.files:
            return self.files
        return str(Path(self.files) if self.files else database_settings().data_dir / "files")

    def address_of(self, target: str) -> str:
        """Return the address of a target's store, "" for LATCHKEY_FILES; raise StoreAway where no setting names one."""
        main = self.files_address
        match target:
            case "":
                return main
            case "LOCAL":
                here = main if "://" not in main else str(database_settings().data_dir / "files")
                return self.files_local or here
            case "NAS":
                found = self.nas_address or (main if main.startswith("smb://") else "")
            case "S3":
                found = self.files_s3 or (main if main.startswith("s3://") else "")
            case _:
                found = ""
        if not found:
            raise StoreAway(f"No store is set for the target {target}: set LATCHKEY_FILES_{target}.")
        return found


@cache
def pipeline_settings() -> PipelineSettings:
    """Return the settings of this process, read once."""
    settings = PipelineSettings.load()
    assert isinstance(settings, PipelineSettings)
    return settings


Days = Annotated[int | None, Field(ge=1)]


class KeepSettings(RoomSettings):
    """For how many days things are kept; empty: for ever. `scrapy retention --apply` deletes what is older."""

    keep_files: Annotated[dict[str, int], NoDecode] = Field(
        {},
        description="Days that stored files of a type are kept, by spider or report type: `daily_usage=400,bell_pdf_invoice=2600`. "
        "Their rows and records stay.",
    )
    keep_bundles: Days = Field(90, description="Days that evidence bundles of failed runs are kept.")
    keep_logs: Days = Field(30, description="Days that outputs of crawls that failed are kept.")
    keep_messages: Days = Field(30, description="Days that messages with codes, and requests for them, are kept.")
    keep_versions: Days = Field(None, description="Days that earlier versions of corrected records are kept.")
    keep_runs: Days = Field(
        400,
        description="Days that runs and jobs are kept after their end, with their bundles and what people were told of them.",
    )
    keep_audit: Days = Field(None, description="Days that the audit is kept: who changed what, and used which secret.")
    keep_daily: bool = Field(
        False, description="True lets one of the workers delete what is older once a day; else only the command does."
    )

    @field_validator(
        "keep_bundles", "keep_logs", "keep_messages", "keep_versions", "keep_runs", "keep_audit", mode="before"
    )
    @classmethod
    def for_ever(cls, value: Any) -> Any:
        """Take an empty text for no limit."""
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("keep_files", mode="before")
    @classmethod
    def by_type(cls, value: Any) -> Any:
        """Read `type=days,…`."""
        if not isinstance(value, str):
            return value
        found = {}
        for part in filter(str.strip, value.split(",")):
            word, _, days = (each.strip() for each in part.partition("="))
            if not word or not days.isascii() or not days.isdecimal() or int(days) < 1 or word in found:
                raise ValueError("it must look like daily_usage=400,pdf_invoice=2600, each type once")
            found[word] = int(days)
        return found


class UploadSettings(RoomSettings):
    """Where stored files are sent to, and with which key; without an address the upload stays off."""

    upload_url: str = Field(
        "",
        validation_alias=AliasChoices("LATCHKEY_UPLOAD_URL", "EIQ_BACKEND_API_BASE_URL"),
        description="Base address of the server that stored files are sent to; empty: they are not sent.",
    )
    upload_key: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices("LATCHKEY_UPLOAD_KEY", "EIQ_BACKEND_API_KEY"),
        description="Key that the server knows us by.",
    )
    upload_wait: float = Field(300.0, gt=0, description="Seconds that one file may take to be sent and answered.")

    @classmethod
    def load(cls) -> Self:
        """Read the environment; raise SettingsError also when address or key stands alone."""
        settings = super().load()
        if bool(settings.upload_url) != bool(settings.upload_key.get_secret_value()):
            lone, other = ("URL", "KEY") if settings.upload_url else ("KEY", "URL")
            raise SettingsError(f"LATCHKEY_UPLOAD_{lone} is set without LATCHKEY_UPLOAD_{other}: set both, or neither.")
        return settings

    @field_validator("upload_url")
    @classmethod
    def sound_address(cls, value: str) -> str:
        """Accept an address without secrets, and without TLS only one on this machine; drop its last slash."""
        if not value:
            return value
        address = urlsplit(value)
        if address.scheme not in ("http", "https") or not address.hostname or address.query or address.fragment:
            raise ValueError("it must look like https://server.example/path")
        if "@" in address.netloc:
            raise ValueError("user name and password do not belong into the address: set LATCHKEY_UPLOAD_KEY")
        is_here = address.hostname in ("localhost", "::1") or address.hostname.startswith("127.")
        if address.scheme == "http" and not is_here:
            raise ValueError("it must begin with https://, because the key goes there")
        return value.rstrip("/")

    @field_validator("upload_key")
    @classmethod
    def sound_key(cls, value: SecretStr) -> SecretStr:
        """Accept what a header can carry."""
        key = value.get_secret_value().strip()
        if not (key.isascii() and key.isprintable()) and key:
            raise ValueError("it holds characters that a header cannot carry")
        return SecretStr(key)


def upload_settings() -> UploadSettings | None:
    """Return the settings of this process; None when the upload is off."""
    settings = UploadSettings.load()
    return settings if settings.upload_url else None
