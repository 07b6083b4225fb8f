"""Downloading: whole or not at all, resumed where it stopped, and never outside the folder that was named."""

from __future__ import annotations

import json
import os
import shutil
from collections import namedtuple
from pathlib import Path

import google_crc32c
import pytest
from bucket_fixtures import NAME, bucket, fill, server

from toolkit.errors import Interrupted, Refused, UsageError
from toolkit.progress import Advanced, Event, Progress
from toolkit.sandbox.storage.api import StorageServer
from toolkit.systems.bucket import Bucket, DownloadResult
from toolkit.systems.bucket.names import target
from toolkit.systems.bucket.part import CHUNK
from toolkit.systems.bucket.transfer import placed

__all__ = ["bucket", "server"]

LARGE = os.urandom(1 << 20) * 20 + b"the end"


def get(
    bucket: Bucket, path: str, to: Path, progress: Progress | None = None, *, overwrite: bool = False
) -> DownloadResult:
    meant = target(path, NAME)
    wanted, failed = placed(list(bucket.meant(meant)), meant, to)
    result = bucket.download(wanted, progress or Progress(), overwrite=overwrite)
    return DownloadResult(result.done, result.already_there, (*failed, *result.failed), result.bytes)


def files(to: Path) -> list[str]:
    return sorted(str(file.relative_to(to)) for file in to.rglob("*") if file.is_file())


def test_a_folder_arrives_under_its_own_name(bucket: Bucket, server: StorageServer, tmp_path: Path) -> None:
    server.put(NAME, "cache/group-1/genes.parquet", b"genes")
    server.put(NAME, "cache/group-1/split/genes.parquet", b"split")
    server.put(NAME, "cache/group-1/", b"")
    server.put(NAME, "cache/group-1/empty", b"")
    result = get(bucket, "cache/group-1", tmp_path)
    assert files(tmp_path) == ["group-1/empty", "group-1/genes.parquet", "group-1/split/genes.parquet"]
    assert (tmp_path / "group-1/split/genes.parquet").read_bytes() == b"split"
    assert (len(result.done), result.bytes, result.failed) == (3, 10, ())


def test_one_object_and_all_of_it(bucket: Bucket, server: StorageServer, tmp_path: Path) -> None:
    server.put(NAME, "cache/group-1/genes.parquet", b"genes")
    get(bucket, "cache/group-1/genes.parquet", tmp_path / "one")
    get(bucket, "/", tmp_path / "all")
    assert files(tmp_path) == ["all/cache/group-1/genes.parquet", "one/genes.parquet"]


def test_a_large_object_comes_in_ranges_side_by_side(bucket: Bucket, server: StorageServer, tmp_path: Path) -> None:
    server.put(NAME, "frame.parquet", LARGE)
    events: list[Event] = []
    get(bucket, "frame.parquet", tmp_path, Progress(tell=events.append))
    assert (tmp_path / "frame.parquet").read_bytes() == LARGE
    assert files(tmp_path) == ["frame.parquet"]
    assert server.requests["GET download"] == 3
    assert events[-1] == Advanced("downloaded", len(LARGE), len(LARGE), "bytes")


def test_a_connection_that_is_cut_does_not_matter(bucket: Bucket, server: StorageServer, tmp_path: Path) -> None:
    server.put(NAME, "frame.parquet", LARGE)
    server.faults.cut_downloads(after=3_000_000, times=4)
    assert get(bucket, "frame.parquet", tmp_path).failed == ()
    assert (tmp_path / "frame.parquet").read_bytes() == LARGE


def test_it_goes_on_where_it_stopped(bucket: Bucket, server: StorageServer, tmp_path: Path) -> None:
    server.put(NAME, "frame.parquet", LARGE)
    server.faults.cut_downloads(after=100, times=1000)
    result = get(bucket, "frame.parquet", tmp_path)
    assert len(result.failed) == 1
    assert "cannot be reached" in result.failed[0][1]
    assert not (tmp_path / "frame.parquet").exists()
    server.faults.heal()
    part = tmp_path / "frame.parquet.part"
    note = tmp_path / "frame.parquet.part.json"
    with part.open("r+b") as file:
        file.write(LARGE[:CHUNK])
    note.write_text(json.dumps({**json.loads(note.read_text()), "done": {0: google_crc32c.value(LARGE[:CHUNK])}}))
    before = server.bytes_sent
    assert get(bucket, "frame.parquet", tmp_path).failed == ()
    assert (tmp_path / "frame.parquet").read_bytes() == LARGE
    assert server.bytes_sent - before == len(LARGE) - CHUNK
    assert files(tmp_path) == ["frame.parquet"]


def test_stopped_on_request_and_resumed(bucket: Bucket, server: StorageServer, tmp_path: Path) -> None:
    for number in range(6):
        server.put(NAME, f"group-1/{number}", LARGE)

    def tell(event: Event) -> None:
        if isinstance(event, Advanced) and event.done > 2 * CHUNK:
            progress.stop.set()

    progress = Progress(tell=tell)
    with pytest.raises(Interrupted, match="files are whole") as raised:
        get(bucket, "group-1", tmp_path, progress)
    assert "goes on where it stopped" in raised.value.hint
    for name in files(tmp_path):
        if not name.endswith((".part", ".part.json")):
            assert (tmp_path / name).read_bytes() == LARGE
    before = server.bytes_sent
    result = get(bucket, "group-1", tmp_path)
    assert result.failed == ()
    assert server.bytes_sent - before < 6 * len(LARGE) - 2 * CHUNK
    assert files(tmp_path) == [f"group-1/{number}" for number in range(6)]


def test_half_of_an_older_generation_is_not_mixed_in(bucket: Bucket, server: StorageServer, tmp_path: Path) -> None:
    server.put(NAME, "frame.parquet", LARGE)
    server.faults.cut_downloads(after=100, times=1000)
    get(bucket, "frame.parquet", tmp_path)
    server.faults.heal()
    note = tmp_path / "frame.parquet.part.json"
    note.write_text(json.dumps({**json.loads(note.read_text()), "done": {0: 1, 1: 2}}))
    newer = bytes(reversed(LARGE))
    server.put(NAME, "frame.parquet", newer)
    assert get(bucket, "frame.parquet", tmp_path).failed == ()
    assert (tmp_path / "frame.parquet").read_bytes() == newer


@pytest.mark.parametrize("note", ["", "{", "[]", '{"done": 3}', '{"done": {"x": 1, "-1": 2, "99": "y"}}', "null"])
def test_a_damaged_note_means_from_the_start(bucket: Bucket, server: StorageServer, tmp_path: Path, note: str) -> None:
    server.put(NAME, "frame.parquet", LARGE)
    (tmp_path / "frame.parquet.part").write_bytes(b"x" * len(LARGE))
    (tmp_path / "frame.parquet.part.json").write_text(note)
    assert get(bucket, "frame.parquet", tmp_path).failed == ()
    assert (tmp_path / "frame.parquet").read_bytes() == LARGE


def test_a_wrong_byte_is_found_and_nothing_wrong_is_kept(bucket: Bucket, server: StorageServer, tmp_path: Path) -> None:
    server.put(NAME, "frame.parquet", LARGE)
    server.faults.corrupt = 1
    result = get(bucket, "frame.parquet", tmp_path)
    assert [why for _, why in result.failed] == ["its checksum (CRC32C) is wrong; what had arrived was thrown away"]
    assert files(tmp_path) == []
    assert get(bucket, "frame.parquet", tmp_path).failed == ()


def test_written_anew_while_it_is_downloaded(bucket: Bucket, server: StorageServer, tmp_path: Path) -> None:
    server.put(NAME, "frame.parquet", LARGE)
    meant = target("frame.parquet", NAME)
    wanted, _ = placed(list(bucket.meant(meant)), meant, tmp_path)
    server.put(NAME, "frame.parquet", b"newer")
    result = bucket.download(wanted)
    assert [why for _, why in result.failed] == ["it was deleted or written anew while it was downloaded"]
    assert not (tmp_path / "frame.parquet").exists()


def test_a_second_time_nothing_is_downloaded(bucket: Bucket, server: StorageServer, tmp_path: Path) -> None:
    fill(server, 3)
    get(bucket, "group-1", tmp_path)
    before = server.requests["GET download"]
    result = get(bucket, "group-1", tmp_path)
    assert (len(result.done), len(result.already_there)) == (0, 3)
    assert server.requests["GET download"] == before


def test_a_file_of_ones_own_is_not_overwritten_unless_asked(
    bucket: Bucket, server: StorageServer, tmp_path: Path
) -> None:
    server.put(NAME, "frame.parquet", b"theirs")
    (tmp_path / "frame.parquet").write_bytes(b"mine!!")
    result = get(bucket, "frame.parquet", tmp_path)
    assert "--overwrite" in result.failed[0][1]
    assert (tmp_path / "frame.parquet").read_bytes() == b"mine!!"
    assert get(bucket, "frame.parquet", tmp_path, overwrite=True).failed == ()
    assert (tmp_path / "frame.parquet").read_bytes() == b"theirs"


def test_names_that_lead_out_are_refused_and_the_rest_arrives(
    bucket: Bucket, server: StorageServer, tmp_path: Path
) -> None:
    bad = ["g/../../evil", "g//etc/passwd", "g/a\\..\\b", "g/nul", "g/a\0b", "g/./x", "g/\x1b]0;x"]
    for name in [*bad, "g/good"]:
        server.put(NAME, name, b"x")
    to = tmp_path / "inner" / "to"
    result = get(bucket, "g", to)
    assert sorted(item.path for item, _ in result.failed) == sorted(bad)
    assert files(tmp_path) == ["inner/to/g/good"]


def test_a_link_that_leads_out_is_not_followed(bucket: Bucket, server: StorageServer, tmp_path: Path) -> None:
    server.put(NAME, "g/out/frame", b"x")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "to" / "g").mkdir(parents=True)
    (tmp_path / "to" / "g" / "out").symlink_to(tmp_path / "elsewhere")
    result = get(bucket, "g", tmp_path / "to")
    assert "link" in result.failed[0][1]
    assert files(tmp_path / "elsewhere") == []


def test_a_disk_that_is_too_small_is_said_before(
    bucket: Bucket, server: StorageServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(server, 3)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10, 9, 1))
    with pytest.raises(Refused, match="GB free"):
        get(bucket, "group-1", tmp_path / "new" / "folder")
    assert server.requests["GET download"] == 0
    assert files(tmp_path) == []


def test_an_object_and_a_folder_of_the_same_name_cannot_both_be_files(
    bucket: Bucket, server: StorageServer, tmp_path: Path
) -> None:
    server.put(NAME, "g/a", b"x")
    server.put(NAME, "g/a/b", b"x")
    result = get(bucket, "g", tmp_path)
    assert (len(result.done), len(result.failed)) == (1, 1)


def test_two_that_want_the_same_file_are_refused(bucket: Bucket, server: StorageServer, tmp_path: Path) -> None:
    server.put(NAME, "a/frame", b"1")
    server.put(NAME, "b/frame", b"2")
    wanted = []
    for path in ("a/frame", "b/frame"):
        meant = target(path, NAME)
        wanted += placed(list(bucket.meant(meant)), meant, tmp_path)[0]
    with pytest.raises(UsageError, match="would both become"):
        bucket.download(wanted)
