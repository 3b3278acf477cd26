"""A real S3 server for the tests: moto's, as a child of the test, on a port of its own; what it holds is in its memory."""

from __future__ import annotations

import hashlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3

from tests.project import free_port, wait_for

BUCKET = "invoices"
ACCESS_KEY, SECRET_KEY = "access-key-for-tests", "secret-key-for-tests"
REGION = "us-east-1"


@dataclass
class ObjectServer:
    """A bucket of our own; it can be stopped, and started again empty, in mid-run."""

    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def settings(self, folder: str = "") -> dict[str, str]:
        """Return the environment with which Latchkey stores its files here."""
        return {
            "LATCHKEY_FILES": f"s3://{BUCKET}/{folder}".rstrip("/"),
            "LATCHKEY_S3_ENDPOINT": self.url,
            "LATCHKEY_S3_ACCESS_KEY": ACCESS_KEY,
            "LATCHKEY_S3_SECRET_KEY": SECRET_KEY,
            "LATCHKEY_S3_REGION": REGION,
        }

    def start(self) -> None:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for(self.answers, seconds=40)
        self.client.create_bucket(Bucket=BUCKET)

    def answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def client(self) -> Any:
        """A client that is not ours: Amazon's own."""
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            region_name=REGION,
        )

    def objects(self, folder: str = "") -> dict[str, str]:
        """Return the hash of every object below a folder, by what comes after the folder."""
        client, prefix = self.client, f"{folder}/" if folder else ""
        keys = [found["Key"] for found in client.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", ())]
        return {
            key.removeprefix(prefix): hashlib.sha256(
                client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
            ).hexdigest()
            for key in keys
        }

    def uploads(self) -> list[str]:
        """Return the keys of uploads that are in the middle of their parts."""
        return [found["Key"] for found in self.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", ())]

    def stop(self) -> None:
        """End it at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextmanager
def object_server() -> Iterator[ObjectServer]:
    """Give a server with an empty bucket."""
    server = ObjectServer()
    server.start()
    try:
        yield server
    finally:
        server.stop()
