"""The sandbox's frames in each of their encodings: the same table in all of them, for our readers and for pandas."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from formats_fixtures import opened

from toolkit.cache.formats import IDENTIFYING
from toolkit.sandbox import data, encodings
from toolkit.sandbox.builds import FRAMES, BuiltGroup, Encoding, Flaw, built_groups
from toolkit.sandbox.perturbations import known_genes

NEWEST = built_groups("rp006", 6, datetime(2026, 11, 20, 1, tzinfo=UTC))[0]
FORMATS = {Encoding.FEATHER: "arrow"}


def written(group: BuiltGroup, frame: str, folder: Path) -> Path:
    file = folder / frame
    with file.open("wb") as sink:
        encodings.write(group, frame, sink)
    return file


def table(group: BuiltGroup, frame: str) -> pa.Table:
    return pa.Table.from_batches(data.record_batches(group, frame))


def matrix(vectors: pa.ChunkedArray) -> np.ndarray:
    return vectors.combine_chunks().flatten().to_numpy(zero_copy_only=False).reshape(len(vectors), -1)


@pytest.mark.parametrize("encoding", Encoding)
@pytest.mark.parametrize("frame", ["genes", "compounds_split_by_normalized"])
def test_the_same_table_whatever_it_is_written_as(encoding: Encoding, frame: str, tmp_path: Path) -> None:
    expected = table(NEWEST, frame)
    found = opened(written(dataclasses.replace(NEWEST, encoding=encoding), frame, tmp_path).read_bytes())
    assert found.format == FORMATS.get(encoding, encoding)
    assert [name for name, _ in found.columns] == expected.column_names
    assert found.rows == expected.num_rows == data.rows(NEWEST, frame)
    columns = [name for name in IDENTIFYING if name in expected.column_names]
    names = pa.Table.from_batches(found.names())
    assert names.to_pydict() == expected.select(columns).to_pydict()
    vectors = pa.Table.from_batches(found.vectors(["vector"]))["vector"]
    assert np.array_equal(matrix(vectors), matrix(expected["vector"]))
    found.close()


@pytest.mark.parametrize("frame", ["genes_split_by", "compounds"])
def test_pandas_opens_the_pickle_as_a_dataframe_of_its_own(frame: str, tmp_path: Path) -> None:
    found = pd.read_pickle(written(dataclasses.replace(NEWEST, encoding=Encoding.PICKLE), frame, tmp_path))
    expected = table(NEWEST, frame)
    assert found.dtypes.astype(str).to_dict() == {
        name: {"concentration": "float64", "replicates": "int32"}.get(name, "object") for name in expected.column_names
    }
    pd.testing.assert_frame_equal(
        found.drop(columns="vector"), expected.drop(["vector"]).to_pandas(), check_dtype=False, check_column_type=False
    )
    assert np.array_equal(np.stack(found["vector"]), matrix(expected["vector"]))
    by_pert = found.groupby("pert")["replicates"].sum()
    assert by_pert.sum() == found["replicates"].sum()
    again = found.assign(more=1).sort_values("pert").reset_index(drop=True)
    assert len(again) == expected.num_rows


@pytest.mark.parametrize("encoding", Encoding)
def test_what_was_left_out_is_in_no_frame_of_its_kind(encoding: Encoding, tmp_path: Path) -> None:
    group = dataclasses.replace(NEWEST, encoding=encoding, without=frozenset({"PALB2"}))
    found = opened(written(group, "genes_split_by", tmp_path).read_bytes())
    perts = set(pa.Table.from_batches(found.names())["pert"].to_pylist())
    found.close()
    assert perts == set(known_genes()) - {"PALB2"}
    assert group.seen_in("compounds") == dataclasses.replace(NEWEST, encoding=encoding)


def test_vectors_that_nobody_brought_back_to_length_one() -> None:
    group = dataclasses.replace(NEWEST, flaws=frozenset({Flaw.NOT_UNIT}))
    for frame in FRAMES:
        norms = np.linalg.norm(matrix(table(group, frame)["vector"]), axis=1)
        assert norms.min() > 5 if frame.endswith("_normalized") else np.allclose(norms, 1, atol=1e-5)


def test_a_plate_without_controls() -> None:
    group = dataclasses.replace(NEWEST, flaws=frozenset({Flaw.NO_CONTROLS}))
    for frame in FRAMES:
        found = table(group, frame)
        nan = np.isnan(matrix(found["vector"])).any(axis=1)
        perts = {pert for pert, bad in zip(found["pert"].to_pylist(), nan, strict=True) if bad}
        if not frame.endswith("_normalized"):
            assert not perts
        elif frame.startswith("genes"):
            assert "BRCA1" in perts
            assert nan.sum() == len(perts) == data.PLATE.stop - data.PLATE.start
        if "split_by_normalized" in frame:
            experiments = {one for one, bad in zip(found["experiment"].to_pylist(), nan, strict=True) if bad}
            assert len(experiments) == 1
