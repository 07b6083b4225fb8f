"""The rows of a built group's eight frames, from its seed: as Arrow, in pieces, whatever they are written as later.

A frame is genes or compounds, aggregated or split by experiment, raw or normalized. Columns: `pert`, `kind`
(gene/compound), `concentration` (µM, null for genes), `experiment` (split frames only), `replicates`, and `vector`
(128 float32 of magnitude 1). A normalized frame is free of its experiments' batch effects; a raw one is not. A flaw of
the build is in them too.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from toolkit.sandbox.builds import BuiltGroup, Flaw
from toolkit.sandbox.perturbations import DIMENSIONS, Screen, screen, unit

PLATE = slice(48, 72)  # the perturbations that lay on the plate without controls
_WITHOUT_CONTROLS = 1  # the experiment in which it was


def schema(frame: str) -> pa.Schema:
    fields = [
        pa.field("pert", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("concentration", pa.float64()),
    ]
    if "split_by" in frame:
        fields.append(pa.field("experiment", pa.string(), nullable=False))
    fields.append(pa.field("replicates", pa.int32(), nullable=False))
    fields.append(pa.field("vector", pa.list_(pa.float32(), DIMENSIONS), nullable=False))
    return pa.schema(fields)


def record_batches(group: BuiltGroup, frame: str) -> Iterator[pa.RecordBatch]:
    """The rows of one frame, in pieces of about a row group each. Raises ArrowInvalid for a vector too short."""
    fields = schema(frame)
    for part in _parts(group, frame):
        columns = part.arrays()
        if Flaw.SHORT_VECTOR in group.flaws and Flaw.SHORT_VECTOR.is_in(frame):
            columns[-1] = _one_short(part.vectors)
        columns[-1] = columns[-1].cast(fields.field("vector").type)
        batch = pa.RecordBatch.from_arrays(columns, schema=fields)
        if group.without:
            batch = batch.filter(pc.invert(pc.is_in(batch["pert"], pa.array(sorted(group.without)))))
        yield batch


def rows(group: BuiltGroup, frame: str) -> int:
    """How many rows `record_batches` gives in all."""
    truth = screen(group.seed, group.size)
    genes = frame.startswith("genes")
    perts = truth.genes if genes else truth.compounds
    kept = sum(pert not in group.without for pert in perts) if group.without else len(perts)
    return kept * (_experiments(group, genes) if "split_by" in frame else 1)


def vector_bytes(group: BuiltGroup, frame: str) -> int:
    """The bytes of its vectors alone: nearly all of a frame."""
    return rows(group, frame) * DIMENSIONS * 4


@dataclass(frozen=True)
class _Part:
    """Some rows of a frame as columns; `vectors` is (rows, 128)."""

    perts: list[str]
    kind: str
    concentrations: NDArray[np.float64] | None
    experiments: list[str] | None
    replicates: NDArray[np.int32]
    vectors: NDArray[np.float32]

    def arrays(self) -> list[pa.Array]:
        rows = len(self.perts)
        concentration = (
            pa.nulls(rows, pa.float64()) if self.concentrations is None else pa.array(self.concentrations, pa.float64())
        )
        columns = [pa.array(self.perts), pa.array([self.kind] * rows), concentration]
        if self.experiments is not None:
            columns.append(pa.array(self.experiments))
        columns.append(pa.array(self.replicates))
        columns.append(pa.FixedSizeListArray.from_arrays(pa.array(self.vectors.reshape(-1)), DIMENSIONS))
        return columns


def _one_short(vectors: NDArray[np.float32]) -> pa.Array:
    """The vectors as lists, one of them without its last value."""
    ends = np.arange(0, vectors.size + 1, DIMENSIONS, dtype=np.int32)
    ends[len(ends) // 2 :] -= 1
    return pa.ListArray.from_arrays(pa.array(ends), pa.array(vectors.reshape(-1)[:-1]))


def _parts(group: BuiltGroup, frame: str) -> Iterator[_Part]:
    truth = screen(group.seed, group.size)
    genes = frame.startswith("genes")
    split, normalized = "split_by" in frame, frame.endswith("_normalized")
    count = len(truth.genes) if genes else len(truth.compounds)
    experiments = _experiments(group, genes)
    flaws = {flaw for flaw in group.flaws if flaw.is_in(frame)}
    # The same noise in each of a group's frames of one kind: so an aggregated vector is the mean of its split ones.
    salt = [group.seed, zlib.crc32(group.name.encode()), int(genes)]
    offsets = np.random.default_rng(salt).standard_normal((experiments, DIMENSIONS), dtype=np.float32) * 0.035
    # Rows are aggregated from all their experiments at once: fewer at a time where there are many.
    step = max(1, group.size.rows_per_row_group // (experiments if split else min(experiments, 8)))
    for start in range(0, count, step):
        rows = slice(start, min(start + step, count))
        vectors, replicates = [], []
        for experiment in range(experiments):
            noise, wells = _noise(salt, experiment, rows)
            seen = _seen(truth, genes, rows, noise, None if normalized else offsets[experiment])
            if Flaw.NO_CONTROLS in flaws and experiment == _WITHOUT_CONTROLS:
                seen[_within(PLATE, rows)] = np.nan
            vectors.append(seen)
            replicates.append(wells)
        part = _part(truth, genes, rows, np.stack(vectors, axis=1), np.stack(replicates, axis=1), split)
        if Flaw.NOT_UNIT in flaws:
            part = dataclasses.replace(part, vectors=part.vectors * _scales(group.seed))
        yield part


def _experiments(group: BuiltGroup, genes: bool) -> int:
    return group.size.gene_experiments if genes else group.size.compound_experiments


def _within(wanted: slice, rows: slice) -> slice:
    """`wanted`, counted from the first of `rows`."""
    return slice(max(0, wanted.start - rows.start), max(0, wanted.stop - rows.start))


def _scales(seed: int) -> NDArray[np.float32]:
    """One over each dimension's standard deviation, about √128 for unit vectors: (128,)."""
    return np.random.default_rng([seed, 2]).uniform(7.0, 15.0, DIMENSIONS).astype(np.float32)


_NOISE_BLOCK = 96


def _noise(salt: list[int], experiment: int, rows: slice) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """What the wells of one experiment add to the perturbations `rows`: drawn in fixed blocks, however rows are cut."""
    first, last = rows.start // _NOISE_BLOCK, (rows.stop - 1) // _NOISE_BLOCK
    blocks = [_noise_block((*salt, experiment + 1, block)) for block in range(first, last + 1)]
    wanted = slice(rows.start - first * _NOISE_BLOCK, rows.stop - first * _NOISE_BLOCK)
    return np.concatenate([noise for noise, _ in blocks])[wanted], np.concatenate([wells for _, wells in blocks])[
        wanted
    ]


@lru_cache(maxsize=64)  # the frames of one kind, one after the other, ask for the same
def _noise_block(seed: tuple[int, ...]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    rng = np.random.default_rng(seed)
    wells = rng.integers(3, 9, _NOISE_BLOCK, dtype=np.int32)
    return rng.standard_normal((_NOISE_BLOCK, DIMENSIONS), dtype=np.float32), wells


def _seen(
    truth: Screen, genes: bool, rows: slice, noise: NDArray[np.float32], offset: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    """The vectors of one experiment: the true directions, noise, and its batch effect."""
    if genes:
        vectors = truth.gene_directions[rows] + noise * (0.03 * truth.weakness[rows, None])
    else:
        effect, targets = truth.effect[rows, None], truth.targets[rows]
        toward = np.where(targets[:, None] < 0, np.float32(0), truth.gene_directions[targets])
        vectors = toward * effect + truth.compound_directions[rows] * (1 - effect) + noise * 0.03
    return unit(vectors if offset is None else vectors + offset)


def _part(
    truth: Screen,
    genes: bool,
    rows: slice,
    vectors: NDArray[np.float32],
    replicates: NDArray[np.int32],
    split: bool,
) -> _Part:
    """Rows of a frame from `vectors` (perturbations, experiments, 128) and as many `replicates`."""
    names = list((truth.genes if genes else truth.compounds)[rows])
    concentrations = None if genes else truth.concentrations[rows]
    kind = "gene" if genes else "compound"
    if not split:
        return _Part(
            names, kind, concentrations, None, replicates.sum(axis=1, dtype=np.int32), unit(vectors.mean(axis=1))
        )
    experiments = vectors.shape[1]
    labels = [f"{'GEM' if genes else 'CPD'}-{number + 101:04d}" for number in range(experiments)]
    return _Part(
        [name for name in names for _ in range(experiments)],
        kind,
        None if concentrations is None else np.repeat(concentrations, experiments),
        labels * len(names),
        replicates.reshape(-1),
        vectors.reshape(-1, DIMENSIONS),
    )
