"""Whether vectors are sound, told while they stream by; and mean vectors that come out the same however they stream."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from toolkit.cache import row_keys
from toolkit.cache.frame_report import Problem, VectorSummary, share
from toolkit.cache.mean_vectors import Means
from toolkit.cache.perturbations import summed_up
from toolkit.cache.vector_health import VectorHealth, norms
from toolkit.cache.vectors import Vectors

DIMENSION = 5
AILMENTS = ("sound", "long", "nan", "inf", "zero", "odd", "same as the first")


def part(values: NDArray[np.float32], first: int = 0, odd: tuple[int, ...] = ()) -> Vectors:
    names = [f"P{first + row}" for row in range(len(values))]
    return Vectors(pa.RecordBatch.from_pydict({"pert": names}), values.astype(np.float32), odd)


def looked(
    values: NDArray[np.float32], cuts: Sequence[int] = (), odd: Sequence[int] = ()
) -> tuple[VectorSummary, dict[str, Problem]]:
    health = VectorHealth(DIMENSION)
    edges = [0, *sorted(cuts), len(values)]
    for start, end in pairwise(edges):
        health.add(part(values[start:end], start, tuple(row - start for row in odd if start <= row < end)))
    summary, problems = health.result(lambda rows: [f"P{row}" for row in rows])
    return summary, {problem.problem: problem for problem in problems}


@settings(max_examples=150)
@given(
    rows=st.lists(st.sampled_from(AILMENTS), min_size=1, max_size=40),
    cuts=st.lists(st.integers(0, 40), max_size=4),
    seed=st.integers(0, 1000),
)
def test_every_row_is_counted_under_its_ailment(rows: list[str], cuts: list[int], seed: int) -> None:
    drawn = np.random.default_rng(seed).standard_normal((len(rows) + 1, DIMENSION)).astype(np.float32)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    first, values = drawn[0], drawn[1:].copy()
    for row, ailment in enumerate(rows):
        match ailment:
            case "long":
                values[row] *= 1.01
            case "nan":
                values[row, row % DIMENSION] = np.nan
            case "inf":
                values[row, 1] = -np.inf
            case "zero":
                values[row] = 0
            case "odd":
                values[row] = np.nan
            case "same as the first":
                values[row] = first
    odd = [row for row, ailment in enumerate(rows) if ailment == "odd"]
    summary, problems = looked(values, [min(cut, len(rows)) for cut in cuts], odd)
    twice = rows.count("same as the first")
    expected = {
        "not-unit-length": rows.count("long"),
        "nan": rows.count("nan") + rows.count("inf"),
        "zero": rows.count("zero"),
        "wrong-dimension": len(odd),
        "duplicate-vector": twice if twice > 1 else 0,
    }
    assert {name: problem.rows for name, problem in problems.items()} == {k: v for k, v in expected.items() if v}
    assert all(problem.of == len(rows) and problem.examples for problem in problems.values())
    assert summary.rows == len(rows)
    for ailment, name in (("long", "not-unit-length"), ("zero", "zero"), ("odd", "wrong-dimension")):
        if name in problems:
            assert set(problems[name].examples) <= {f"P{row}" for row, what in enumerate(rows) if what == ailment}


def test_a_vector_out_of_all_proportion_is_long_and_not_infinite() -> None:
    values = np.array([[3e30, 0, 0, 0, 0], [1e-30, 0, 0, 0, 0]], np.float32)
    assert norms(values) == pytest.approx([3e30, 1e-30])
    assert looked(values)[1].keys() == {"not-unit-length"}


def test_a_share_is_never_all_or_nothing_by_rounding() -> None:
    assert share(1, 960_000, "rows") == "1 of 960,000 rows (<0.01%)"
    assert share(959_999, 960_000, "rows") == "959,999 of 960,000 rows (99.99%)"
    assert share(3, 320, "rows") == "3 of 320 rows (0.94%)"
    assert share(7, 7, "rows") == "all 7 rows"


@settings(max_examples=60)
@given(
    rows=st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from([None, 0.3, 1.0])), min_size=1, max_size=30),
    cut=st.integers(0, 30),
)
def test_mean_vectors_are_those_of_each_treatment(rows: list[tuple[str, float | None]], cut: int) -> None:
    values = np.random.default_rng(len(rows)).standard_normal((len(rows), DIMENSION)).astype(np.float32)
    names = pa.RecordBatch.from_pydict(
        {
            "pert": [pert for pert, _ in rows],
            "kind": ["gene"] * len(rows),
            "concentration": pa.array([concentration for _, concentration in rows], pa.float64()),
        }
    )
    wanted = [(pert, "gene", concentration) for pert, concentration in dict.fromkeys(rows)]
    streamed, whole = Means(wanted, DIMENSION), Means(wanted, DIMENSION)
    for batch, some in ((names[:cut], values[:cut]), (names[cut:], values[cut:])):
        streamed.add(Vectors(batch, some))
    for row in range(len(rows)):
        whole.add(Vectors(names.slice(row, 1), values[row : row + 1]))
    assert streamed.cosines(whole) == pytest.approx(dict.fromkeys(wanted, 1.0), abs=1e-5)
    known = {
        what: values[[row for row, one in enumerate(rows) if one == (what[0], what[2])]].sum(axis=0) for what in wanted
    }
    apart = Means(wanted, DIMENSION)
    direction = np.arange(1, DIMENSION + 1, dtype=np.float32)
    for pert, kind, concentration in wanted:
        alone = {"pert": [pert], "kind": [kind], "concentration": pa.array([concentration], pa.float64())}
        apart.add(Vectors(pa.RecordBatch.from_pydict(alone), direction[None, :]))
    for what, cosine in streamed.cosines(apart).items():
        mean = known[what]
        expected = mean @ direction / (np.linalg.norm(mean) * np.linalg.norm(direction))
        assert cosine == pytest.approx(float(expected), abs=1e-4)


@given(st.lists(st.tuples(st.text(max_size=4), st.none() | st.floats(0.001, 100)), max_size=30))
def test_rows_and_perts_have_the_same_keys(rows: list[tuple[str, float | None]]) -> None:
    named = [(pert or "P", concentration) for pert, concentration in rows]
    batch = pa.RecordBatch.from_pydict(
        {
            "pert": pa.array([pert for pert, _ in named], pa.string()),
            "kind": pa.array(["compound"] * len(named), pa.string()),
            "concentration": pa.array([concentration for _, concentration in named], pa.float64()),
        }
    )
    by_row = set(row_keys.keys(batch).tolist())
    by_pert = {row_keys.key(what) for what in row_keys.treatments(summed_up([batch]))}
    mixed = {pert for pert, c in named if c is None} & {pert for pert, c in named if c is not None}
    if not mixed:  # of a pert with concentrations, a row without one is left out by `summed_up`
        assert by_row == by_pert
