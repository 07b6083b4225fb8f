"""Frames for tests: tables as MapApp's cache holds them, written in each format, and read by their ranges."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
from hypothesis import strategies as st

from toolkit.cache.formats import Frame, open_frame
from toolkit.cache.ranged import RangedReader

DIMENSIONS = 4


class InMemory:
    def __init__(self, content: bytes) -> None:
        self.content = content

    def size(self) -> int:
        return len(self.content)

    def fetch(self, start: int, end: int) -> bytes:
        return self.content[start:end]


def reader_of(content: bytes, name: str = "g1:genes") -> RangedReader:
    return RangedReader(InMemory(content), name)


def opened(content: bytes, name: str = "g1:genes") -> Frame:
    return open_frame(reader_of(content, name))


def table(rows: int, *, dimensions: int = DIMENSIONS) -> pa.Table:
    """Genes and compounds by turns, with experiments."""
    even = [row % 2 == 0 for row in range(rows)]
    values = pa.array([float(number) for number in range(rows * dimensions)], pa.float32())
    return pa.table(
        {
            "pert": [f"GENE{row}" if gene else f"REC-{row:07d}" for row, gene in enumerate(even)],
            "kind": pa.array(["gene" if gene else "compound" for gene in even]),
            "concentration": pa.array([None if gene else row / 8 for row, gene in enumerate(even)], pa.float64()),
            "experiment": pa.array([f"EXP-{row % 3}" for row in range(rows)]),
            "replicates": pa.array([row % 7 for row in range(rows)], pa.int64()),
            "vector": pa.FixedSizeListArray.from_arrays(values, dimensions),
        }
    )


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    """Any frame: names of any letters, any concentration, with or without experiments."""
    rows = draw(st.integers(0, 30))

    def column(values: st.SearchStrategy[object], kind: pa.DataType) -> pa.Array:
        return pa.array(draw(st.lists(values, min_size=rows, max_size=rows)), kind)

    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
    number = st.floats(allow_nan=False, width=32)
    columns = {
        "pert": column(text, pa.string()),
        "kind": column(st.sampled_from(["gene", "compound"]), pa.string()),
        "concentration": column(st.none() | number, pa.float64()),
        "replicates": column(st.integers(0, 1000), pa.int64()),
    }
    if draw(st.booleans()):
        columns["experiment"] = column(text, pa.string())
    vectors = draw(st.lists(number, min_size=rows * DIMENSIONS, max_size=rows * DIMENSIONS))
    columns["vector"] = pa.FixedSizeListArray.from_arrays(pa.array(vectors, pa.float32()), DIMENSIONS)
    return pa.table(columns)


def as_parquet(frame: pa.Table, **options: object) -> bytes:
    sink = io.BytesIO()
    pq.write_table(frame, sink, **({"row_group_size": 7} | options))
    return sink.getvalue()


def as_feather(frame: pa.Table, **options: object) -> bytes:
    sink = io.BytesIO()
    pyarrow.feather.write_feather(frame, sink, **({"chunksize": 7} | options))
    return sink.getvalue()


def as_arrow(frame: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, frame.schema) as writer:
        writer.write_table(frame, max_chunksize=7)
    return sink.getvalue()


def as_stream(frame: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, frame.schema) as writer:
        writer.write_table(frame, max_chunksize=7)
    return sink.getvalue()


def by_arrow(kind: str) -> Callable[[bytes], bytes]:
    def pack(content: bytes) -> bytes:
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, kind) as packing:
            packing.write(content)
        return bytes(sink.getvalue())

    return pack


FORMATS: dict[str, Callable[[pa.Table], bytes]] = {
    "parquet": as_parquet,
    "parquet by pages": lambda frame: as_parquet(
        frame, data_page_size=64, write_page_checksum=True, compression="gzip"
    ),
    "feather": as_feather,
    "feather, zstd inside": lambda frame: as_feather(frame, compression="zstd"),
    "feather, plain": lambda frame: as_feather(frame, compression="uncompressed"),
    "arrow": as_arrow,
    "arrow-stream": as_stream,
}
PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda content: gzip.compress(content, mtime=0),
    "zlib": zlib.compress,
    "zstd": by_arrow("zstd"),
    "lz4": by_arrow("lz4"),
}
