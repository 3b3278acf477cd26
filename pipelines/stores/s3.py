"""The file store on S3, Amazon's or another server with the same API."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import urlsplit

import s3fs
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from pipelines.stores.base import INCOMING, AnyStore, quieten
from scrapers.core.spool import CHUNK

if TYPE_CHECKING:
    from pipelines.settings import PipelineSettings
    from scrapers.core.spool import PartFile

PIECE = 5 * CHUNK  # bytes of a part, the least that S3 takes; a file below two of them is put in one request
SIDE_BY_SIDE = 3  # parts held and sent at once
LEFT_AFTER = timedelta(days=1)  # age from which an unfinished upload counts as abandoned
CONNECT_WAIT, ANSWER_WAIT = 10, 60  # seconds


class S3Store(AnyStore):
    """
    Objects below a prefix of a bucket. An object is visible when its one request, or the end of its parts, is done.

    Its SHA-256 stands in its metadata, so that a file is compared without reading it.
    """

    failures = (OSError, BotoCoreError, ClientError)

    def __init__(self, address: str, settings: PipelineSettings) -> None:
        super().__init__(address, settings.files_free)
        quieten("aiobotocore", "botocore", "fsspec", "s3fs")
        url = urlsplit(address)
        self.bucket, prefix = url.netloc, url.path.strip("/")
        self.prefix = f"{prefix}/" if prefix else ""
        self._fs = s3fs.S3FileSystem(
            key=settings.s3_access_key or None,
            secret=settings.s3_secret_key.get_secret_value() or None,
            endpoint_url=settings.s3_endpoint or None,
            client_kwargs={"region_name": settings.s3_region} if settings.s3_region else {},
            config_kwargs={
                "connect_timeout": CONNECT_WAIT,
                "read_timeout": ANSWER_WAIT,
                "retries": {"mode": "standard", "max_attempts": 3},
            },
            use_listings_cache=False,
            skip_instance_cache=True,
        )
        self._fs.retries = 1  # of botocore's own three attempts
        self._one_big_one = threading.Lock()

    def _bring(self, part: PartFile, moving: str) -> None:
        """Do nothing: an object is not visible before it is complete."""

    def _show(self, moving: str, path: str, part: PartFile) -> None:
        # One big file at a time holds its parts in memory.
        if part.size < 2 * PIECE:
            self._upload(part, path)
        else:
            with self._one_big_one:
                self._upload(part, path)
        if (written := self._size(path)) != part.size:
            self._call("delete_object", path)
            raise OSError(f"{written} of {part.size} bytes were written")

    def _upload(self, part: PartFile, path: str) -> None:
        self._fs.put_file(
            str(part.path),
            f"{self.bucket}/{self.prefix}{path}",
            chunksize=PIECE,
            max_concurrency=SIDE_BY_SIDE,
            mode="create",  # refused with FileExistsError where there is an object already
            ContentType=part.media_type,
            Metadata={"sha256": part.sha256},
        )

    def _drop(self, moving: str) -> None:
        """Do nothing: parts of an upload that fails are aborted by who sends them, or swept."""

    def _open(self, path: str) -> BinaryIO:
        return cast(BinaryIO, self._fs.open(f"{self.bucket}/{self.prefix}{path}", "rb", block_size=CHUNK))

    def _size(self, path: str) -> int | None:
        try:
            return int(self._call("head_object", path)["ContentLength"])
        except FileNotFoundError:
            return None

    def _delete(self, path: str) -> None:
        self._call("delete_object", path)

    def _digest(self, path: str) -> str:
        told = self._call("head_object", path).get("Metadata", {}).get("sha256")
        return str(told) if told else super()._digest(path)

    def _free(self) -> int | None:
        return None

    def _try(self) -> None:
        # Needs the right to write, and leaves no object, nor a version of one, behind.
        path = f"{INCOMING}/check"
        upload = self._call("create_multipart_upload", path)["UploadId"]
        self._call("abort_multipart_upload", path, UploadId=upload)

    def _sweep(self) -> None:
        """Abort what was left in the middle of its parts. The prefix is ours alone."""
        listed = self._fs.call_s3("list_multipart_uploads", Bucket=self.bucket, Prefix=self.prefix)
        for upload in listed.get("Uploads", ()):
            if is_stale(upload["Initiated"]):
                self._fs.call_s3(
                    "abort_multipart_upload", Bucket=self.bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                )

    def _call(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        return cast("dict[str, Any]", self._fs.call_s3(method, Bucket=self.bucket, Key=f"{self.prefix}{path}", **more))

    def _explain(self, error: Exception) -> str:
        if isinstance(error, PermissionError | NoCredentialsError | PartialCredentialsError):
            return (
                f"{self.address} refused us: check LATCHKEY_S3_ACCESS_KEY, LATCHKEY_S3_SECRET_KEY and the key's rights."
            )
        if isinstance(error, FileNotFoundError):
            return f"{self.address}: there is no such bucket; make it, or set LATCHKEY_FILES to another one."
        if isinstance(error, BotoCoreError | TimeoutError):
            return (
                f"{self.address} does not answer ({type(error).__name__}): check LATCHKEY_S3_ENDPOINT and the network."
            )
        return f"{self.address} failed ({type(error).__name__}): check LATCHKEY_FILES and the server."


def is_stale(began: datetime) -> bool:
    """Tell whether an unfinished upload began longer than LEFT_AFTER ago, and so is abandoned."""
    return began < datetime.now(UTC) - LEFT_AFTER
