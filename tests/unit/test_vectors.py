"""A frame's vectors, wherever they lie in it: all of them, or those of some rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from formats_fixtures import DIMENSIONS, FORMATS, opened, table
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.cache.formats import UnreadableFrame
from toolkit.cache.vectors import Vectors, stream

ROWS = 60
TABLE = table(ROWS)
FILES = {name: write(TABLE) for name, write in FORMATS.items()}
ALL = np.arange(ROWS * DIMENSIONS, dtype=np.float32).reshape(ROWS, DIMENSIONS)


def read(content: bytes, rows: list[int] | None = None) -> tuple[list[str], np.ndarray, list[Vectors]]:
    frame = opened(content)
    try:
        got = list(stream(frame, DIMENSIONS, rows))
    finally:
        frame.close()
    perts = [pert for part in got for pert in part.column("pert")]
    values = np.concatenate([part.values for part in got]) if got else np.empty((0, DIMENSIONS), np.float32)
    return perts, values, got


@pytest.mark.parametrize("kind", FORMATS)
@settings(max_examples=25)
@given(rows=st.sets(st.integers(0, ROWS - 1)))
def test_some_rows_are_those_rows(kind: str, rows: set[int]) -> None:
    perts, values, _ = read(FILES[kind], sorted(rows))
    assert perts == [TABLE["pert"][row].as_py() for row in sorted(rows)]
    assert np.array_equal(values, ALL[sorted(rows)])


@pytest.mark.parametrize("kind", FORMATS)
def test_all_rows(kind: str) -> None:
    perts, values, _ = read(FILES[kind])
    assert perts == TABLE["pert"].to_pylist()
    assert np.array_equal(values, ALL)


def test_a_column_for_each_value() -> None:
    wide = TABLE.drop_columns(["vector"])
    for at in range(DIMENSIONS):
        wide = wide.append_column(f"v{at}", pa.array(ALL[:, at]))
    _, values, _ = read(FORMATS["parquet"](wide))
    assert np.array_equal(values, ALL)


def test_vectors_of_another_length_are_named() -> None:
    lists = [row.tolist() for row in ALL[:5]]
    lists[1], lists[3] = lists[1][:-1], None
    short = TABLE.slice(0, 5).set_column(5, "vector", pa.array(lists, pa.list_(pa.float32())))
    _, values, (part,) = read(FORMATS["parquet"](short))
    assert part.odd == (1, 3)
    assert np.isnan(values[[1, 3]]).all()
    assert np.array_equal(values[[0, 2, 4]], ALL[[0, 2, 4]])


def test_a_missing_value_is_nan() -> None:
    lists = [row.tolist() for row in ALL[:3]]
    lists[1][2] = None
    holed = TABLE.slice(0, 3).set_column(5, "vector", pa.array(lists, pa.list_(pa.float32(), DIMENSIONS)))
    _, values, (part,) = read(FORMATS["parquet"](holed))
    assert part.odd == ()
    assert np.isnan(values[1, 2])
    assert np.isnan(values).sum() == 1


def test_no_vectors_at_all() -> None:
    with pytest.raises(UnreadableFrame, match="no column of vectors"):
        read(FORMATS["parquet"](TABLE.drop_columns(["vector"])))
