"""The index of names: what was read once is known, until the frame is another."""

from __future__ import annotations

import multiprocessing
import os
import stat
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.cache.perturbations import Pert, Perts
from toolkit.cache.search.name_index import NameIndex, entry_name, fingerprint, samples
from toolkit.cache.stored import Place

PLACE = Place("test", "L3", "newest", "genes", "bucket")
PERTS = Perts.of(
    [
        Pert("REC-0000123", "compound", (0.1, 1.0), 12, 3),
        Pert("BRCA1", "gene", (), 28, None),
        Pert("BRCA1", "control", (), None, None),
    ]
)


def place(number: int) -> Place:
    return Place("test", "L3", "newest", f"frame-{number}", "bucket")


def put(index: NameIndex, where: Place = PLACE, version: str = "1", perts: Perts = PERTS) -> Perts:
    return index.put(where, version, perts, format="parquet", rows=3, size=1000)


def some(number: int) -> Perts:
    return Perts.of(Pert(f"GENE-{number}-{row}", "gene", (), row, None) for row in range(200))


def files(home: Path, kind: str) -> list[Path]:
    return list((home / "v1" / kind).iterdir())


def test_what_was_put_is_known_to_the_next_process(tmp_path: Path) -> None:
    put(NameIndex(tmp_path))
    known = NameIndex(tmp_path).get(PLACE, "1")
    assert known is not None
    entry, perts = known
    assert (entry.format, entry.rows, entry.bytes) == ("parquet", 3, 1000)
    assert list(perts) == list(PERTS)
    assert perts.named("REC-0000123") == (Pert("REC-0000123", "compound", (0.1, 1.0), 12, 3),)
    assert [pert.kind for pert in perts.named("BRCA1")] == ["control", "gene"]
    assert perts.named("BRCA") == ()


def test_another_version_is_not_known_and_takes_the_place_of_the_first(tmp_path: Path) -> None:
    index = NameIndex(tmp_path)
    put(index)
    assert index.get(PLACE, "2") is None
    put(index, version="2", perts=some(1))
    assert index.get(PLACE, "1") is None
    assert len(files(tmp_path, "entries")) == 1


@pytest.mark.parametrize("field", ["environment", "layer", "group", "frame", "store"])
def test_another_place_is_not_known(tmp_path: Path, field: str) -> None:
    index = NameIndex(tmp_path)
    put(index)
    parts = {name: getattr(PLACE, name) for name in Place.__slots__} | {field: "another"}
    assert index.get(Place(**parts), "1") is None


def test_frames_that_hold_the_same_share_it(tmp_path: Path) -> None:
    index = NameIndex(tmp_path)
    put(index, place(1))
    put(index, place(2), perts=Perts.of(list(PERTS)))
    assert len(files(tmp_path, "perts")) == 1
    first, second = index.get(place(1), "1"), index.get(place(2), "1")
    assert first is not None
    assert second is not None
    assert first[1] is second[1]


@pytest.mark.parametrize("kind", ["entries", "perts"])
@pytest.mark.parametrize("damage", [b"", b"\xc1", b"\x93\x01\x02\x03", None])
def test_damaged_files_are_as_good_as_none(tmp_path: Path, kind: str, damage: bytes | None) -> None:
    put(NameIndex(tmp_path))
    (file,) = files(tmp_path, kind)
    file.write_bytes(file.read_bytes()[:-1] if damage is None else damage)
    index = NameIndex(tmp_path)
    assert index.get(PLACE, "1") is None
    index.tidy()
    if kind == "perts":
        file.unlink()
    put(NameIndex(tmp_path))
    assert NameIndex(tmp_path).get(PLACE, "1") is not None


def test_stays_within_its_bounds_and_keeps_what_was_used_last(tmp_path: Path) -> None:
    index = NameIndex(tmp_path, most_entries=3)
    for number in range(6):
        put(index, place(number), perts=some(number))
        (entry,) = [file for file in files(tmp_path, "entries") if file.name == entry_name(place(number))]
        os.utime(entry, (time.time() - 1000 + number,) * 2)
    index.tidy()
    fresh = NameIndex(tmp_path)
    assert [fresh.get(place(number), "1") is not None for number in range(6)] == [False] * 3 + [True] * 3


def test_bytes_are_bounded(tmp_path: Path) -> None:
    index = NameIndex(tmp_path, most_bytes=10_000)
    for number in range(10):
        put(index, place(number), perts=some(number))
    index.tidy()
    assert 0 < sum(file.stat().st_size for file in files(tmp_path, "perts")) <= 10_000


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    put(NameIndex(tmp_path))
    for file in (*files(tmp_path, "entries"), *files(tmp_path, "perts")):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "v1" / "perts").stat().st_mode) == 0o700


def test_where_nothing_can_be_written_it_says_so_and_goes_on(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    index = NameIndex(blocked)
    assert put(index) is PERTS
    assert index.get(PLACE, "1") is None
    index.tidy()
    assert "could not be kept" in index.problem


def _write_and_tidy(home: Path, seed: int) -> None:
    index = NameIndex(home, most_entries=5)
    for number in range(60):
        where = place((number + seed) % 8)
        put(index, where, perts=some((number + seed) % 8))
        known = index.get(where, "1")
        assert known is None or known[1].names[0].startswith(f"GENE-{(number + seed) % 8}-")
        index.tidy()


def test_two_processes_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write_and_tidy, args=(tmp_path, seed)) for seed in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert not [file for file in files(tmp_path, "perts") if file.name.startswith(".")]


def test_samples_lie_within_the_value() -> None:
    for length in (0, 1, 5119, 5120, 5121, 5500, 10**6, 512 * 1024**2):
        ranges = samples(length)
        assert ranges == sorted(ranges)
        assert ranges[0][0] == 0
        assert ranges[-1][1] == length
        assert sum(end - start for start, end in ranges) <= 5120
        assert all(first[1] <= second[0] for first, second in pairwise(ranges))


@given(st.binary(min_size=1, max_size=5000), st.data())
def test_fingerprint_notices_any_change_of_a_small_value(value: bytes, data: st.DataObject) -> None:
    def seen(content: bytes) -> str:
        return fingerprint(len(content), [content[start:end] for start, end in samples(len(content))])

    at = data.draw(st.integers(0, len(value) - 1))
    changed = value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :]
    assert seen(changed) != seen(value) == seen(bytes(value))
