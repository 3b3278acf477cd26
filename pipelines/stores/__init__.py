"""Where files are kept: a folder, an SMB share or an S3 bucket; `store_of` chooses."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from pipelines.stores.base import Store
from pipelines.stores.folder import FolderStore
from scrapers.core.outcomes import StoreAway

if TYPE_CHECKING:
    from pipelines.settings import PipelineSettings

PACKAGES = {"smb": "smbprotocol", "s3": "s3fs"}


@cache
def store_of(settings: PipelineSettings, address: str = "") -> Store:
    """
    Return the store that LATCHKEY_FILES names, or the one of *address*, in which a file was stored before.

    Nothing is asked of it yet. Raises StoreAway when a package for it is missing.
    """
    address = address or settings.files_address
    scheme, found, _ = address.partition("://")
    try:
        if found and scheme == "smb":
            from pipelines.stores.smb import SmbStore

            return cast(Store, SmbStore(address, settings))
        if found and scheme == "s3":
            from pipelines.stores.s3 import S3Store

            return cast(Store, S3Store(address, settings))
    except ModuleNotFoundError as error:
        raise StoreAway(f"LATCHKEY_FILES names a store that needs {error.name}: install {PACKAGES[scheme]}.") from error
    return cast(Store, FolderStore(Path(address), settings.files_free))
