"""The bucket against a storage server that nobody here wrote: gcp-storage-emulator, as it comes.

It ignores generations and pages, and its batch answers lack Content-IDs and a blank line; what does not depend on
those has to work all the same.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from toolkit.environments import model
from toolkit.errors import NotFound
from toolkit.permit import Permit
from toolkit.systems.bucket import Bucket
from toolkit.systems.bucket.names import target
from toolkit.systems.bucket.transfer import placed

emulator = pytest.importorskip("gcp_storage_emulator.server")
NAME = "rp006-l3-cache"


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = emulator.create_server("127.0.0.1", port, in_memory=True, default_bucket=NAME)
    server.start()
    options = {"api_endpoint": f"http://127.0.0.1:{port}"}
    client = storage.Client("p", credentials=AnonymousCredentials(), client_options=options)
    for group in (1, 10):
        for frame in range(120):
            client.bucket(NAME).blob(f"group-{group}/{frame:03}.parquet").upload_from_string(f"frame {frame}")
    client.close()
    bucket = Bucket(model.Bucket(name=NAME, endpoint=f"http://127.0.0.1:{port}", timeout_seconds=10))
    yield bucket
    bucket.close()
    server.stop()


def test_list_read_download_delete_restore(bucket: Bucket, tmp_path: Path) -> None:
    assert [folder.path for folder in bucket.list().folders] == ["group-1/", "group-10/"]
    assert bucket.usage("group-1/").objects == 120
    assert bucket.read("group-1/007.parquet", 2, 5) == b"ame"
    with pytest.raises(NotFound):
        bucket.read("group-1/nothing")
    meant = target("group-1", NAME)
    objects = list(bucket.meant(meant))
    wanted, refused = placed(objects, meant, tmp_path)
    assert not refused
    assert bucket.download(wanted).failed == ()
    assert (tmp_path / "group-1/119.parquet").read_bytes() == b"frame 119"
    deleted = bucket.delete(objects, Permit("plan"))
    assert (len(deleted.done), deleted.failed) == (120, ())
    assert [folder.path for folder in bucket.list().folders] == ["group-10/"]
    assert bucket.delete(objects, Permit("plan")).already_gone == 120
    restored = bucket.restore(list(bucket.soft_deleted("group-1/")), Permit("plan"))
    assert (len(restored.done), restored.failed) == (120, ())
    assert bucket.read("group-1/007.parquet") == b"frame 7"
