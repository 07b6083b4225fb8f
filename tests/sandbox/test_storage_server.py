"""The sandbox's storage server, seen through Google's own client."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from bucket_fixtures import NAME, fill, server
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from toolkit.sandbox.storage.api import StorageServer

__all__ = ["server"]


@pytest.fixture
def client(server: StorageServer) -> Iterator[storage.Client]:
    client = storage.Client("p", credentials=AnonymousCredentials(), client_options={"api_endpoint": server.url})
    yield client
    client.close()


def test_the_three_ways_of_uploading_arrive(client: storage.Client, server: StorageServer) -> None:
    bucket = client.bucket(NAME)
    bucket.blob("small").upload_from_string(b"small")
    bucket.blob("stream").upload_from_file(io.BytesIO(b"s" * 9_000_000))
    chunked = bucket.blob("chunked", chunk_size=262_144)
    chunked.upload_from_string(b"c" * 600_000)
    assert server.list(NAME) == ["chunked", "small", "stream"]
    assert server.read(NAME, "chunked") == b"c" * 600_000
    assert bucket.blob("stream").download_as_bytes() == b"s" * 9_000_000


def test_any_text_can_be_a_name(client: storage.Client, server: StorageServer) -> None:
    names = ["../up", "a//b", "/root", "folder/", "ümläut 你好", "back\\slash", "a?b#c&d=e%2F", "dot/./dot"]
    for name in names:
        client.bucket(NAME).blob(name).upload_from_string(name)
    assert {blob.name for blob in client.list_blobs(NAME)} == set(names)
    for name in names:
        assert client.bucket(NAME).blob(name).download_as_bytes() == name.encode()


def test_ten_thousand_objects_come_in_pages(client: storage.Client, server: StorageServer) -> None:
    fill(server, 2500)
    server.put(NAME, "zzz", b"")
    listing = client.list_blobs(NAME, prefix="group-1/", page_size=400)
    assert sum(1 for _ in listing) == 2500
    assert server.requests["GET list"] == 7
    level = client.list_blobs(NAME, delimiter="/")
    assert [blob.name for blob in level] == ["zzz"]
    assert level.prefixes == {"group-1/"}


def test_a_page_that_ends_between_folders_goes_on_behind_them(client: storage.Client, server: StorageServer) -> None:
    for folder in "abcde":
        fill(server, 3, f"{folder}/")
    level = client.list_blobs(NAME, delimiter="/", page_size=2)
    assert list(level) == []
    assert level.prefixes == {"a/", "b/", "c/", "d/", "e/"}


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(0, 3, b"0123"), (4, None, b"456789"), (-3, None, b"789"), (8, 100, b"89"), (None, 0, b"0")],
)
def test_ranges(
    client: storage.Client, server: StorageServer, start: int | None, end: int | None, expected: bytes
) -> None:
    server.put(NAME, "digits", b"0123456789")
    assert client.bucket(NAME).blob("digits").download_as_bytes(start=start, end=end) == expected


def test_a_range_behind_the_end_is_416(client: storage.Client, server: StorageServer) -> None:
    server.put(NAME, "digits", b"0123456789")
    with pytest.raises(exceptions.RequestRangeNotSatisfiable):
        client.bucket(NAME).blob("digits").download_as_bytes(start=10)


def test_generations_are_what_conditions_are_about(client: storage.Client, server: StorageServer) -> None:
    old = server.put(NAME, "x", b"old").generation
    new = server.put(NAME, "x", b"new").generation
    bucket = client.bucket(NAME)
    with pytest.raises(exceptions.PreconditionFailed):
        bucket.delete_blob("x", if_generation_match=old)
    with pytest.raises(exceptions.NotFound):
        bucket.blob("x", generation=old).download_as_bytes()
    with pytest.raises(exceptions.PreconditionFailed):
        bucket.blob("x").upload_from_string(b"newer", if_generation_match=0)
    bucket.delete_blob("x", if_generation_match=new)
    assert not server.list(NAME)


def test_what_was_deleted_is_kept_and_comes_back_as_a_new_generation(
    client: storage.Client, server: StorageServer
) -> None:
    old = server.put(NAME, "x", b"content").generation
    server.delete(NAME, "x")
    assert [blob.generation for blob in client.list_blobs(NAME, soft_deleted=True)] == [old]
    back = client.bucket(NAME).restore_blob("x", generation=old, if_generation_match=0)
    assert back.generation > old
    assert server.read(NAME, "x") == b"content"
    with pytest.raises(exceptions.PreconditionFailed):
        client.bucket(NAME).restore_blob("x", generation=old, if_generation_match=0)


def test_without_soft_delete_nothing_is_kept(client: storage.Client, server: StorageServer) -> None:
    server.add_bucket("plain", soft_delete_seconds=0)
    generation = server.put("plain", "x", b"content").generation
    server.delete("plain", "x")
    assert list(client.list_blobs("plain", soft_deleted=True)) == []
    with pytest.raises(exceptions.NotFound):
        client.bucket("plain").restore_blob("x", generation=generation)


def test_a_batch_has_an_answer_for_each_call(client: storage.Client, server: StorageServer) -> None:
    names = fill(server, 3)
    server.faults.fail_objects(names[1], 403)
    with client.batch(raise_exception=False) as batch:
        for name in [*names, "missing"]:
            client.bucket(NAME).delete_blob(name)
    assert [answer.status_code for answer in batch._responses] == [204, 403, 204, 404]
    assert server.list(NAME) == [names[1]]


def test_a_batch_of_more_than_a_hundred_is_refused(client: storage.Client, server: StorageServer) -> None:
    names = fill(server, 101)
    batch = client.batch()
    with pytest.raises(exceptions.BadRequest), batch:
        client.bucket(NAME).delete_blobs(names)
    assert len(server.list(NAME)) == 101


def test_the_bucket_itself_cannot_be_deleted_here(client: storage.Client) -> None:
    with pytest.raises(exceptions.MethodNotImplemented):
        client.bucket(NAME).delete()


def test_contents_can_lie_in_files(tmp_path: Path) -> None:
    server = StorageServer(tmp_path / "objects")
    server.add_bucket(NAME, soft_delete_seconds=0)
    given = tmp_path / "given.bin"
    given.write_bytes(b"given")
    server.put(NAME, "written", b"written")
    server.put(NAME, "given", given)
    assert server.read(NAME, "given") == b"given"
    assert len(list((tmp_path / "objects").iterdir())) == 1
    server.delete(NAME, "written")
    server.delete(NAME, "given")
    assert not list((tmp_path / "objects").iterdir())
    assert given.exists()


def test_it_listens_on_loopback_alone_and_starts_again(server: StorageServer) -> None:
    url = server.url
    assert url.startswith("http://127.0.0.1:")
    server.stop()
    server.stop()
    server.start()
    assert server.url == url


def test_a_port_that_is_taken_is_an_error(server: StorageServer) -> None:
    with pytest.raises(OSError, match="in use"):
        StorageServer(port=int(server.url.rsplit(":", 1)[1])).start()
