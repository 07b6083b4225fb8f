"""What the tests of the bucket share: the storage server, a bucket on it, and a permit."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from toolkit.environments import model
from toolkit.permit import Permit
from toolkit.sandbox.storage.api import StorageServer
from toolkit.systems.bucket import Bucket

NAME = "rp006-l3-cache"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[StorageServer]:
    monkeypatch.setattr("toolkit.systems.bucket.connection.PAUSE", 0.02)
    server = StorageServer()
    server.start()
    server.add_bucket(NAME, "rp006-prod")
    yield server
    server.stop()


@pytest.fixture
def bucket(server: StorageServer) -> Iterator[Bucket]:
    bucket = Bucket(part(server))
    yield bucket
    bucket.close()


@pytest.fixture
def permit() -> Permit:
    return Permit("a plan")


def part(server: StorageServer, **changes: object) -> model.Bucket:
    values = {"name": NAME, "project": "rp006-prod", "endpoint": server.url, "timeout_seconds": 5.0}
    return model.Bucket(**{**values, **changes})  # type: ignore[arg-type]


def fill(server: StorageServer, count: int, folder: str = "group-1/", content: bytes = b"frame") -> list[str]:
    names = [f"{folder}frame-{number:05}.parquet" for number in range(count)]
    for name in names:
        server.put(NAME, name, content)
    return names
