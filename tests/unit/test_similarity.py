"""The formulas behind the map's pictures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from toolkit.cache.map.consistency import verdict
from toolkit.cache.map.similarity import by_chance, clustered, cosines, directions, lengths, pairs, project

if TYPE_CHECKING:
    from toolkit.cache.map.similarity import Matrix

DIMENSION = 8
VALUES = st.floats(-1e3, 1e3, width=32)
MATRICES = st.integers(1, 6).flatmap(lambda rows: arrays(np.float64, (rows, DIMENSION), elements=VALUES))
TARGETS = arrays(np.float64, DIMENSION, elements=VALUES).filter(lambda target: np.abs(target).max() > 1e-3)


def rotation(seed: int) -> Matrix:
    random = np.random.default_rng(seed).standard_normal((DIMENSION, DIMENSION))
    return np.linalg.qr(random)[0]


@settings(max_examples=40)
@given(vectors=MATRICES, seed=st.integers(0, 1000))
def test_cosines(vectors: Matrix, seed: int) -> None:
    matrix = cosines(vectors)
    pointing = np.abs(vectors).max(axis=1) > 0
    assert np.array_equal(matrix, matrix.T, equal_nan=True)
    assert np.diag(matrix)[pointing] == pytest.approx(1)
    assert np.isnan(matrix[~pointing]).all()
    assert np.nanmax(np.abs(matrix), initial=0) <= 1
    assert cosines(vectors @ rotation(seed)) == pytest.approx(matrix, abs=1e-9, nan_ok=True)
    assert cosines(vectors * 7.5) == pytest.approx(matrix, abs=1e-12, nan_ok=True)


@settings(max_examples=40)
@given(vectors=MATRICES, target=TARGETS, seed=st.integers(0, 1000))
def test_projection_and_rejection_are_the_sides_of_a_right_triangle(vectors: Matrix, target: Matrix, seed: int) -> None:
    seen = project(vectors, target)
    assert seen.projection**2 + seen.rejection**2 == pytest.approx(lengths(vectors) ** 2, rel=1e-9, abs=1e-12)
    assert (seen.rejection >= 0).all()
    turned = rotation(seed)
    again = project(vectors @ turned, target @ turned)
    assert again.projection == pytest.approx(seen.projection, abs=1e-7)
    assert again.rejection == pytest.approx(seen.rejection, abs=1e-5)
    assert project(vectors, target * 3).projection == pytest.approx(seen.projection, abs=1e-7)


def test_where_the_control_and_the_target_are() -> None:
    target, control = np.eye(DIMENSION)[:2]
    seen = project(np.array([control, target, -target, (target + control) / math.sqrt(2)]), target)
    assert seen.projection == pytest.approx([0, 1, -1, math.sqrt(0.5)])
    assert seen.rejection == pytest.approx([1, 0, 0, math.sqrt(0.5)])


def test_vectors_that_are_none() -> None:
    rows = np.ones((5, DIMENSION))
    rows[0, 3], rows[1, 3], rows[2] = np.nan, np.inf, 0
    rows[3] *= 1e-200
    assert lengths(rows) == pytest.approx([np.nan, np.nan, 0, 1e-200 * math.sqrt(8), math.sqrt(8)], nan_ok=True)
    assert np.isnan(directions(rows)[:3]).all()
    assert cosines(rows)[3, 4] == pytest.approx(1)
    assert pairs(cosines(rows)) == pytest.approx([1])


class TestChance:
    def test_unrelated_vectors_are_alike_by_chance_only(self) -> None:
        rng = np.random.default_rng(1)
        pools = [rng.standard_normal((40, 128)) for _ in range(4)]
        owners = [[f"G{row}" for row in range(40)]] * 4
        means = by_chance(pools, owners, seed=1)
        assert len(means) == 1000
        assert abs(means.mean()) < 0.02
        assert np.array_equal(means, by_chance(pools, owners, seed=1))

    def test_the_formula_is_the_mean_over_all_pairs(self) -> None:
        pools = [np.random.default_rng(seed).standard_normal((1, DIMENSION)) for seed in range(4)]
        (mean,) = set(by_chance(pools, [["A"], ["B"], ["C"], ["D"]], seed=1).round(12))
        assert mean == pytest.approx(pairs(cosines(np.concatenate(pools))).mean())

    def test_one_pert_is_never_drawn_twice(self) -> None:
        same = np.ones((1, DIMENSION))
        assert by_chance([same, same], [["A"], ["A"]], seed=1).size == 0
        assert by_chance([same, np.empty((0, DIMENSION))], [["A"], []], seed=1).size == 0
        assert by_chance([same], [["A"]], seed=1).size == 0


@settings(max_examples=40)
@given(vectors=MATRICES)
def test_clustering_keeps_every_row(vectors: Matrix) -> None:
    assert sorted(clustered(cosines(vectors))) == list(range(len(vectors)))


def test_clustering_brings_like_together() -> None:
    a, b, c = np.eye(DIMENSION)[:3]
    order = clustered(cosines(np.array([a, b, 0 * a, c, a + 0.1 * c, b + 0.1 * c])))
    places = {row: place for place, row in enumerate(order)}
    assert abs(places[0] - places[4]) == abs(places[1] - places[5]) == 1
    assert order[-1] == 2


@pytest.mark.parametrize(
    ("mean", "least", "p", "word"),
    [
        (0.9, 0.8, 0.001, "agree"),
        (0.9, 0.8, None, "agree"),
        (0.9, -0.1, 0.001, "weak"),
        (0.3, 0.1, 0.001, "weak"),
        (0.3, 0.1, None, "weak"),
        (0.1, 0.0, None, "disagree"),
        (0.9, 0.8, 0.2, "disagree"),
        (None, None, None, "unknown"),
    ],
)
def test_verdict(mean: float | None, least: float | None, p: float | None, word: str) -> None:
    assert verdict(mean, least, p)[0] == word
