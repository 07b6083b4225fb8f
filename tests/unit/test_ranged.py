"""The ranged reader: whatever is read in whatever order is what slicing the bytes would give; and little is fetched."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.cache.ranged import PIECE, BucketObject, LocalFile, RangedReader, RedisValue
from toolkit.errors import Failed, Unreachable


class Remembering:
    """A source in memory that remembers what was fetched."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.asked: list[tuple[int, int]] = []

    def size(self) -> int:
        return len(self.content)

    def fetch(self, start: int, end: int) -> bytes:
        self.asked.append((start, end))
        return self.content[start:end]


CONTENT = st.binary(max_size=200)
PLACE = st.integers(0, 220)
RANGES = st.lists(st.tuples(PLACE, PLACE), max_size=12)


@given(
    CONTENT, st.lists(st.tuples(PLACE, PLACE, st.integers(0, 50)), max_size=25), st.integers(0, 80), st.integers(0, 9)
)
def test_any_sequence_of_reads_is_slicing(
    content: bytes, reads: list[tuple[int, int, int]], kept: int, gap: int
) -> None:
    reader = RangedReader(Remembering(content), kept=kept, gap=gap)
    for start, length, ahead in reads:
        assert reader.read_range(start, length, ahead=ahead) == content[start : start + length]


@given(CONTENT, st.lists(RANGES, max_size=4), st.integers(0, 80), st.integers(0, 9))
def test_many_ranges_at_once_are_slicing(
    content: bytes, rounds: list[list[tuple[int, int]]], kept: int, gap: int
) -> None:
    reader = RangedReader(Remembering(content), kept=kept, gap=gap)
    for ranges in rounds:
        assert reader.fetch_many(ranges) == [content[start:end] for start, end in ranges]


@given(CONTENT, RANGES, RANGES)
def test_no_byte_is_fetched_twice_while_there_is_room(
    content: bytes, first: list[tuple[int, int]], second: list[tuple[int, int]]
) -> None:
    source = Remembering(content)
    reader = RangedReader(source, gap=4)
    reader.fetch_many(first)
    for start, end in second:
        reader.read_range(start, max(0, end - start), ahead=7)
    taken = sorted(source.asked)
    assert all(before[1] <= after[0] for before, after in pairwise(taken))
    assert reader.bytes_read == sum(end - start for start, end in taken) <= len(content)


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("read"), st.integers(-1, 90)),
        st.tuples(st.just("seek"), st.integers(0, 220)),
        st.tuples(st.just("from the end"), st.integers(-200, 10)),
        st.tuples(st.just("onwards"), st.integers(-20, 20)),
        st.tuples(st.just("into"), st.integers(0, 60)),
    ),
    max_size=25,
)


@given(CONTENT, _STEPS, st.integers(0, 60))
def test_as_a_file_it_is_like_any_file(content: bytes, steps: list[tuple[str, int]], read_ahead: int) -> None:
    file = RangedReader(Remembering(content), kept=50).as_file(read_ahead)
    usual = io.BytesIO(content)
    for step, number in steps:
        assert _do(file, step, number) == _do(usual, step, number)
        assert file.tell() == usual.tell()


def _do(file: io.RawIOBase | io.BytesIO, step: str, number: int) -> object:
    if step == "read":
        return file.read(number)
    if step == "into":
        buffer = bytearray(number)
        return file.readinto(buffer), bytes(buffer)
    if step == "seek":
        return file.seek(number)
    whence = io.SEEK_END if step == "from the end" else io.SEEK_CUR
    place = (len(_content_of(file)) if whence == io.SEEK_END else file.tell()) + number
    if place < 0:
        number = 0
    return file.seek(number, whence)


def _content_of(file: io.RawIOBase | io.BytesIO) -> bytes:
    at = file.tell()
    file.seek(0)
    content = file.read()
    file.seek(at)
    assert content is not None
    return content


def test_near_ranges_are_one_request_and_far_ones_are_not() -> None:
    source = Remembering(bytes(1000))
    RangedReader(source, gap=10).fetch_many([(0, 5), (900, 910), (12, 20), (3, 8)])
    assert sorted(source.asked) == [(0, 20), (900, 910)]


def test_a_long_range_is_several_requests() -> None:
    source = Remembering(bytes(2 * PIECE + 5))
    assert len(RangedReader(source, kept=0).read_range(0, 2 * PIECE + 5)) == 2 * PIECE + 5
    assert sorted(source.asked) == [(0, PIECE), (PIECE, 2 * PIECE), (2 * PIECE, 2 * PIECE + 5)]


def test_reading_on_fetches_ahead_and_jumping_does_not() -> None:
    source = Remembering(bytes(1_000_000))
    file = RangedReader(source).as_file(read_ahead=100_000)
    while file.read(1000):
        pass
    assert len(source.asked) < 20
    source.asked.clear()
    jumping = RangedReader(source).as_file(read_ahead=100_000)
    for place in (500_000, 100_000, 900_000):
        jumping.seek(place)
        jumping.read(10)
    assert source.asked == [(500_000, 500_010), (100_000, 100_010), (900_000, 900_010)]


def test_requests_run_side_by_side() -> None:
    together = threading.Barrier(3, timeout=10)

    class Meeting(Remembering):
        def fetch(self, start: int, end: int) -> bytes:
            together.wait()
            return super().fetch(start, end)

    source = Meeting(bytes(range(100)))
    assert RangedReader(source, gap=0).fetch_many([(0, 1), (50, 51), (99, 100)]) == [b"\x00", b"2", b"c"]


def test_threads_may_share_a_reader() -> None:
    content = bytes(range(256)) * 100
    reader = RangedReader(Remembering(content), kept=500, gap=3)
    with ThreadPoolExecutor(4) as pool:
        for start, piece in pool.map(lambda start: (start, reader.read_range(start, 77)), range(0, 25_000, 31)):
            assert piece == content[start : start + 77]


def test_a_value_that_became_shorter_is_noticed() -> None:
    source = Remembering(bytes(100))
    reader = RangedReader(source, "genes of g1")
    assert reader.size == 100
    source.content = bytes(40)
    with pytest.raises(Failed, match="genes of g1 was replaced") as caught:
        reader.read_range(30, 30)
    assert reader.problem is caught.value


@pytest.mark.parametrize("how", [lambda r: r.read_range(5, 9), lambda r: r.fetch_many([(0, 1), (90_000, 90_001)])])
def test_an_error_of_the_source_is_handed_on(how: Callable[[RangedReader], object]) -> None:
    class Broken(Remembering):
        def fetch(self, start: int, end: int) -> bytes:
            raise Unreachable("Redis hung up.")

    reader = RangedReader(Broken(bytes(100_000)))
    with pytest.raises(Unreachable, match="hung up"):
        how(reader)
    assert isinstance(reader.problem, Unreachable)


def test_a_key_that_is_gone_is_said() -> None:
    class Empty:
        def lengths(self, keys: list[str]) -> dict[str, int | None]:
            return dict.fromkeys(keys)

    with pytest.raises(Failed, match="no key 'g:genes'"):
        _ = RangedReader(RedisValue(Empty(), "g:genes")).size  # type: ignore[arg-type]


def test_an_object_is_read_in_its_generation() -> None:
    from datetime import UTC, datetime

    from toolkit.systems.bucket import ObjectInfo

    asked = []

    class OneObject:
        def read(self, path: str, start: int, end: int, generation: int) -> bytes:
            asked.append((path, generation))
            return b"0123456789"[start:end]

    info = ObjectInfo("g/genes.parquet", 7, 10, datetime.now(UTC))
    reader = RangedReader(BucketObject(OneObject(), info))  # type: ignore[arg-type]
    assert (reader.size, reader.read_range(2, 3)) == (10, b"234")
    assert asked == [("g/genes.parquet", 7)]


def test_a_file_of_this_machine(tmp_path: Path) -> None:
    path = tmp_path / "genes.parquet"
    path.write_bytes(b"0123456789")
    reader = RangedReader(LocalFile(path))
    assert (reader.size, reader.read_range(8, 9)) == (10, b"89")


def test_a_range_before_the_beginning_is_no_range() -> None:
    with pytest.raises(ValueError, match="begins at 0"):
        RangedReader(Remembering(b"abc")).read_range(-1, 2)
