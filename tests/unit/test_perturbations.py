"""A frame's identifying columns, summed up: the same as counting by hand, however the rows come."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from toolkit.cache.perturbations import Pert, summed_up

Row = tuple[str, str, float | None, str, int]

rows = st.lists(
    st.tuples(
        st.sampled_from(["BRCA1", "TP53", "REC-0000123", "µ-ß"]),
        st.sampled_from(["gene", "compound"]),
        st.sampled_from([None, 0.1, 0.3, 1.0]),
        st.sampled_from(["GEM-1", "GEM-2", "GEM-3"]),
        st.integers(0, 9),
    ),
    max_size=40,
)


def batch(some: list[Row]) -> pa.RecordBatch:
    columns = list(zip(*some, strict=True)) or [()] * 5
    kinds = (pa.string(), pa.string(), pa.float64(), pa.string(), pa.int64())
    arrays = [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, names=["pert", "kind", "concentration", "experiment", "replicates"])


def by_hand(some: list[Row]) -> list[Pert]:
    found = []
    for name, kind in sorted({(row[0], row[1]) for row in some}):
        mine = [row for row in some if row[:2] == (name, kind)]
        concentrations = tuple(sorted({row[2] for row in mine if row[2] is not None}))
        found.append(Pert(name, kind, concentrations, sum(row[4] for row in mine), len({row[3] for row in mine})))
    return found


@given(rows, st.integers(1, 7))
def test_as_by_hand_in_batches_of_any_size(some: list[Row], size: int) -> None:
    batches = [batch(some[at : at + size]) for at in range(0, len(some), size)]
    assert list(summed_up([*batches, batch([])])) == by_hand(some)


def test_only_names() -> None:
    names = pa.RecordBatch.from_arrays([pa.array(["B", "A", None, "A", ""])], names=["pert"])
    assert list(summed_up([names])) == [Pert("A", ""), Pert("B", "")]


def test_nothing() -> None:
    assert list(summed_up([])) == []


def test_concentrations_that_went_through_float32() -> None:
    some = pa.RecordBatch.from_arrays(
        [pa.array(["x", "x"]), pa.array([0.3, 0.30000001192092896])], names=["pert", "concentration"]
    )
    (pert,) = summed_up([some])
    assert pert.concentrations == (0.3,)
