"""Truncated and bit-flipped frames: each is read, or named as unreadable; none ends the program, or goes on and on."""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from formats_fixtures import FORMATS, PACKINGS, as_parquet, opened, reader_of, table
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.cache.formats import UnreadableFrame, open_frame
from toolkit.cache.formats.parquet_footer import row_groups


def _pickled(protocol: int) -> Callable[[pa.Table], bytes]:
    def write(written: pa.Table) -> bytes:
        frame = pd.DataFrame({name: written[name].to_pylist() for name in written.column_names if name != "vector"})
        vectors = [np.array(vector, np.float32) for vector in written["vector"].to_pylist()]
        frame["vector"] = pd.Series(vectors, dtype=object)
        return pickle.dumps(frame.astype({"kind": "category"}), protocol)

    return write


_FRAME = table(40)
_WITH_DICTIONARY = _FRAME.set_column(1, "kind", _FRAME["kind"].combine_chunks().dictionary_encode())
WHOLE = (
    {kind: write(_FRAME) for kind, write in FORMATS.items()}
    | {f"{kind}, with a dictionary": write(_WITH_DICTIONARY) for kind, write in FORMATS.items()}
    | {f"pickle, protocol {protocol}": _pickled(protocol)(_FRAME) for protocol in (2, 3, 4, 5)}
    | {f"{packing} of parquet": pack(as_parquet(_FRAME)) for packing, pack in PACKINGS.items()}
    | {"gzip of a pickle": PACKINGS["gzip"](_pickled(5)(_FRAME))}
)


def _read(content: bytes) -> int:
    """The rows of a frame, all of it looked at. Raises UnreadableFrame; anything else is a bug."""
    frame = opened(content)
    try:
        names = [row for batch in frame.names() for row in batch.to_pylist()]
        for batch in frame.vectors([name for name, _ in frame.columns]):
            batch.to_pylist()
        assert len(names) == frame.rows
        return frame.rows
    finally:
        frame.close()


def _survives(content: bytes) -> None:
    try:
        _read(content)
    except UnreadableFrame as problem:
        assert problem.message.startswith("g1:genes")  # noqa: PT017
        assert problem.why  # noqa: PT017


@pytest.mark.parametrize("kind", WHOLE)
def test_a_whole_frame_is_read(kind: str) -> None:
    assert _read(WHOLE[kind]) == 40


@pytest.mark.parametrize("kind", WHOLE)
def test_a_truncated_frame_is_never_taken_for_a_whole_one(kind: str) -> None:
    """At some hundred places. An Arrow stream may end between two batches: then it is a shorter whole one."""
    whole = WHOLE[kind]
    for length in range(0, len(whole), max(1, len(whole) // 150)):
        try:
            rows = _read(whole[:length])
        except UnreadableFrame:
            continue
        assert kind.startswith("arrow-stream")
        assert rows <= 40
        assert rows % 7 == 0 or rows == 40


@pytest.mark.parametrize("kind", WHOLE)
@settings(max_examples=60)
@given(flips=st.lists(st.tuples(st.integers(0), st.integers(0, 7)), min_size=1, max_size=3))
def test_flipped_bits(kind: str, flips: list[tuple[int, int]]) -> None:
    content = bytearray(WHOLE[kind])
    for place, bit in flips:
        content[place % len(content)] ^= 1 << bit
    _survives(bytes(content))


@pytest.mark.parametrize("kind", [kind for kind in WHOLE if kind.startswith(("parquet", "feather", "arrow"))])
@settings(max_examples=80)
@given(place=st.integers(1, 1200), value=st.sampled_from([0, 1, 127, 128, 255]))
def test_a_damaged_footer(kind: str, place: int, value: int) -> None:
    content = bytearray(WHOLE[kind])
    content[-(place % len(content))] = value
    _survives(bytes(content))


@pytest.mark.parametrize("kind", WHOLE)
@settings(max_examples=30)
@given(data=st.data())
def test_a_piece_that_was_never_written(kind: str, data: st.DataObject) -> None:
    content = bytearray(WHOLE[kind])
    start = data.draw(st.integers(0, len(content) - 1))
    length = data.draw(st.integers(1, 600))
    content[start : start + length] = bytes(len(content[start : start + length]))
    _survives(bytes(content))


@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"PAR1", b"ARROW1\0\0", b"\xff\xff\xff\xff", b"\x80\x04", b"\x1f\x8b"]),
)
def test_anything_at_all(content: bytes, magic: bytes) -> None:
    _survives(magic + content)
    if magic.strip(b"\0") in (b"PAR1", b"ARROW1"):
        _survives(magic + content + magic.strip(b"\0"))


@given(st.binary(max_size=300))
def test_any_bytes_as_a_footer(content: bytes) -> None:
    with contextlib.suppress(ValueError):
        row_groups(content)


def test_a_changed_page_is_found_by_its_checksum() -> None:
    written = as_parquet(table(40), write_page_checksum=True, compression="none", use_dictionary=False)
    content = written.replace(b"\5\0\0\0GENE0", b"\5\0\0\0GENF0")
    assert content != written
    with pytest.raises(UnreadableFrame, match=r"[Cc]hecksum|CRC"):
        list(open_frame(reader_of(content)).names())
