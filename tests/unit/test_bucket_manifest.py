"""The manifest: what is written is what is read, and a damaged one is said, with its line."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolkit.actions.bucket import manifest as bucket_manifest
from toolkit.actions.bucket.manifest import Manifest
from toolkit.errors import NotFound, UsageError
from toolkit.systems.bucket import ObjectInfo

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
names = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20)
objects = st.builds(
    ObjectInfo,
    path=names,
    generation=st.integers(1, 2**62),
    bytes=st.integers(0, 2**40),
    updated=st.datetimes(timezones=st.just(UTC)),
    crc32c=st.sampled_from(["", "AAAAAA==", "yZRlqg=="]),
)


def manifest(count: int = 3) -> Manifest:
    items = tuple(ObjectInfo(f"group-1/{number}", number + 1, 10, NOW, "AAAAAA==") for number in range(count))
    return Manifest("rp006", "rp006-l3-cache", ("group-1",), items, NOW)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(objects, max_size=5), st.lists(names, max_size=3))
def test_what_is_written_is_what_is_read(items: list[ObjectInfo], paths: list[str]) -> None:
    written = Manifest("rp006", "rp006-l3-cache", tuple(paths), tuple(items), NOW)
    assert bucket_manifest.read(bucket_manifest.write(written)) == written


def test_the_order_does_not_count_in_the_digest_and_a_generation_does() -> None:
    one = manifest()
    turned = Manifest("rp006", "rp006-l3-cache", ("else",), tuple(reversed(one.objects)))
    assert one.digest == turned.digest
    newer = Manifest("rp006", "rp006-l3-cache", ("group-1",), (*one.objects[:2], ObjectInfo("group-1/2", 99, 10, NOW)))
    assert one.digest != newer.digest


def test_it_is_the_users_alone() -> None:
    file = bucket_manifest.write(manifest())
    assert file.parent.stat().st_mode & 0o077 == 0
    assert [item.name for item in file.parent.iterdir()] == [file.name]


def test_a_missing_one() -> None:
    with pytest.raises(NotFound, match="There is no manifest"):
        bucket_manifest.read(Path("nowhere.jsonl"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda lines: [], "line 1 is not JSON"),
        (lambda lines: ["{}", *lines[1:]], "is no manifest"),
        (lambda lines: ["[]"], "line 1 is no JSON object"),
        (lambda lines: lines[:-1], "is not whole: it names 2 of 3 objects"),
        (lambda lines: [*lines[:-1], lines[-1][:20]], "line 4 is not JSON"),
        (lambda lines: [*lines[:-1], "{}"], "line 4: KeyError"),
        (lambda lines: [*lines[:-1], lines[-1].replace(": 3,", ': "x",')], "line 4: ValueError"),
        (lambda lines: [lines[0].replace('"paths"', '"path"'), *lines[1:]], "line 1: KeyError"),
    ],
)
def test_a_damaged_one_is_said_with_its_line(change: object, words: str) -> None:
    file = bucket_manifest.write(manifest())
    lines = file.read_text("utf-8").splitlines()
    file.write_text("\n".join(change(lines)), "utf-8")  # type: ignore[operator]
    with pytest.raises(UsageError, match=words):
        bucket_manifest.read(file)


def test_bytes_that_are_no_text() -> None:
    file = bucket_manifest.write(manifest())
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="cannot be read: it is not UTF-8"):
        bucket_manifest.read(file)
