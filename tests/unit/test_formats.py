"""Frames in every format: what was written is read, little is fetched, and what cannot be read is named."""

from __future__ import annotations

import threading
import zlib

import pyarrow as pa
import pytest
from formats_fixtures import (
    FORMATS,
    PACKINGS,
    InMemory,
    as_arrow,
    as_feather,
    as_parquet,
    opened,
    reader_of,
    table,
    tables,
)
from hypothesis import given, settings

from toolkit.cache.formats import IDENTIFYING, UnreadableFrame, open_frame, packed
from toolkit.cache.ranged import RangedReader
from toolkit.errors import Interrupted, Unreachable
from toolkit.progress import Progress


def _names(content: bytes) -> pa.Table:
    frame = opened(content)
    try:
        return pa.Table.from_batches(frame.names())
    finally:
        frame.close()


def _agrees(content: bytes, written: pa.Table) -> None:
    frame = opened(content)
    try:
        there = [name for name in IDENTIFYING if name in written.column_names]
        assert frame.rows == written.num_rows
        assert [name for name, _ in frame.columns] == written.column_names
        if written.num_rows:
            assert pa.Table.from_batches(frame.names()).equals(written.select(there))
            vectors = pa.Table.from_batches(frame.vectors(["vector", "pert"]))
            assert vectors.equals(written.select(["vector", "pert"]))
        else:
            assert [batch for batch in frame.names() if batch.num_rows] == []
    finally:
        frame.close()


@pytest.mark.parametrize("kind", FORMATS)
@settings(max_examples=40)
@given(written=tables())
def test_what_was_written_is_read(kind: str, written: pa.Table) -> None:
    _agrees(FORMATS[kind](written), written)


@pytest.mark.parametrize("packing", PACKINGS)
@settings(max_examples=40)
@given(written=tables())
def test_what_was_packed_is_read(packing: str, written: pa.Table) -> None:
    _agrees(PACKINGS[packing](as_parquet(written)), written)
    _agrees(PACKINGS[packing](FORMATS["arrow-stream"](written)), written)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (as_parquet(table(3)), "parquet"),
        (as_arrow(table(3)), "arrow"),
        (as_feather(table(3)), "arrow"),
        (FORMATS["arrow-stream"](table(3)), "arrow-stream"),
        (PACKINGS["zstd"](as_arrow(table(3))), "zstd+arrow"),
        (PACKINGS["gzip"](PACKINGS["lz4"](as_parquet(table(3)))), "gzip+lz4+parquet"),
        (PACKINGS["zlib"](FORMATS["arrow-stream"](table(3))), "zlib+arrow-stream"),
    ],
)
def test_the_format_is_told_by_the_bytes(content: bytes, expected: str) -> None:
    frame = opened(content)
    frame.close()
    assert frame.format == expected


@pytest.mark.parametrize("kind", ["parquet", "feather", "arrow"])
def test_names_do_not_fetch_the_vectors(kind: str) -> None:
    written = table(5000, dimensions=128)
    write = {
        "parquet": lambda: as_parquet(written, row_group_size=1000, use_dictionary=["pert", "kind", "experiment"]),
        "feather": lambda: as_feather(written, chunksize=1000),
        "arrow": lambda: as_feather(written, chunksize=1000, compression="uncompressed"),
    }[kind]
    reader = reader_of(write())
    assert sum(batch.num_rows for batch in open_frame(reader).names()) == 5000
    assert reader.bytes_read < reader.size * 0.2
    once = reader.bytes_read
    assert sum(batch.num_rows for batch in open_frame(reader).names()) == 5000
    assert reader.bytes_read == once


def test_some_of_the_names_columns_are_enough() -> None:
    batches = list(opened(as_parquet(table(20))).names(["pert", "concentration", "nothing"]))
    assert batches[0].schema.names == ["pert", "concentration"]


def test_names_come_in_their_own_types() -> None:
    odd = pa.table(
        {
            "pert": pa.array(["A", "B", "A"]).dictionary_encode(),
            "kind": pa.array(["gene"] * 3, pa.large_string()),
            "concentration": pa.array([float("nan"), 1.0, 0.5], pa.float32()),
            "experiment": pa.array([101, 102, 103]),
            "replicates": pa.array([3.0, float("nan"), 5.0]),
        }
    )
    for write in FORMATS.values():
        names = _names(write(odd))
        assert names.schema.types == [pa.string(), pa.string(), pa.float64(), pa.string(), pa.int64()]
        assert names.to_pydict() == {
            "pert": ["A", "B", "A"],
            "kind": ["gene"] * 3,
            "concentration": [None, 1.0, 0.5],
            "experiment": ["101", "102", "103"],
            "replicates": [3, None, 5],
        }


def test_a_frame_that_names_no_perturbations_says_what_it_has() -> None:
    for write in FORMATS.values():
        frame = opened(write(table(9).rename_columns(["gene", "kind", "concentration", "experiment", "n", "vector"])))
        with pytest.raises(UnreadableFrame, match=r"g1:genes .* has no column pert \(it has: gene, kind"):
            list(frame.names())


def test_a_value_that_is_no_number_is_a_damaged_frame() -> None:
    odd = table(3).set_column(2, "concentration", pa.array(["1 uM", "2", "3"]))
    with pytest.raises(UnreadableFrame, match="1 uM"):
        list(opened(as_parquet(odd)).names())


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (bytes(100), "begins with zeros"),
        (b"<html><body>502 Bad Gateway", "no format that is known here begins with b'<html><b'"),
        (b"FEA1" + bytes(50), "Feather V1"),
        (b"BZh91AY&SY", "bzip2"),
        (b"PAR1", "cut off"),
        (as_parquet(table(30))[:-30], "cut off"),
        (as_parquet(table(30))[:-4] + b"PARE", "encrypted"),
        (as_feather(table(30))[:-3], "cut off"),
        (FORMATS["arrow-stream"](table(30))[:-300], "cut off"),
        (PACKINGS["zlib"](as_parquet(table(30)))[:-50], r"\(zlib\).*cut off"),
        (PACKINGS["zstd"](b"hello world, hello"), r"\(zstd\).*begins with"),
        (PACKINGS["gzip"](as_parquet(table(30))[:-9]), r"\(gzip\+parquet\).*cut off"),
        (PACKINGS["gzip"](as_parquet(table(30)))[:-9], r"\(gzip\).*[Tt]runcated"),
        (PACKINGS["gzip"](PACKINGS["gzip"](PACKINGS["gzip"](as_parquet(table(3))))), "packed more than 2 times"),
    ],
)
def test_what_cannot_be_read_is_named(content: bytes, why: str) -> None:
    with pytest.raises(UnreadableFrame, match=why) as caught:
        opened(content, "neuro:compounds")
    assert caught.value.frame == "neuro:compounds"
    assert caught.value.message.startswith("neuro:compounds")
    assert caught.value.hint


def test_a_bomb_is_not_unpacked() -> None:
    bomb = zlib.compress(bytes(10_000_000))
    with pytest.raises(UnreadableFrame, match="more than 1,000,000 bytes"):
        packed.unpack(reader_of(bomb), "zlib", Progress(), most=1_000_000)


@pytest.mark.parametrize(
    "content", [as_parquet(table(100)), as_feather(table(100)), FORMATS["arrow-stream"](table(100))]
)
def test_an_error_of_the_source_is_not_taken_for_damage(content: bytes) -> None:
    class Failing(InMemory):
        left = 3

        def fetch(self, start: int, end: int) -> bytes:
            self.left -= 1
            if self.left < 0:
                raise Unreachable("Redis hung up.")
            return super().fetch(start, end)

    with pytest.raises(Unreachable, match="hung up"):
        list(open_frame(RangedReader(Failing(content), "g:f", kept=0)).vectors(["vector"]))


@pytest.mark.parametrize("kind", FORMATS)
def test_reading_ends_when_asked_to(kind: str) -> None:
    stop = threading.Event()
    frame = open_frame(reader_of(FORMATS[kind](table(100))), Progress(stop=stop))
    batches = frame.vectors(["pert"])
    next(batches)
    stop.set()
    with pytest.raises(Interrupted):
        list(batches)


@pytest.mark.parametrize("compression", ["lz4", "uncompressed"])
def test_columns_of_an_arrow_file_are_fetched_together(compression: str) -> None:
    alone: list[int] = []  # requests that were waited for one after the other

    class Counting(InMemory):
        def fetch(self, start: int, end: int) -> bytes:
            if threading.current_thread() is threading.main_thread():
                alone.append(start)
            return super().fetch(start, end)

    written = table(5000, dimensions=64)
    reader = RangedReader(Counting(as_feather(written, chunksize=500, compression=compression)))
    frame = open_frame(reader)
    alone.clear()
    assert sum(batch.num_rows for batch in frame.names()) == 5000
    assert len(alone) < 2
    assert reader.bytes_read < reader.size / 2
