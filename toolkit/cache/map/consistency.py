"""Can a perturbation's phenoprint be trusted? Do its replicates agree, split by experiment, more than others would?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from toolkit.cache.map.chosen_vectors import Missing, Rows, health, not_there, open_frames
from toolkit.cache.map.heatmap import Cells, cells
from toolkit.cache.map.map_frames import Wanted
from toolkit.cache.map.named_frame import Phenoprint
from toolkit.cache.map.similarity import by_chance, cosines, pairs
from toolkit.progress import SILENT, Progress
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from toolkit.cache.map.similarity import Matrix
    from toolkit.systems.connections import Connections

Verdict = Literal["agree", "weak", "disagree", "unknown"]

# What the words mean. docs/map.md explains them: change them there as well.
AGREE: Final = 0.5  # a mean pairwise cosine from which replicates agree
CHANCE: Final = 0.05  # a share of chance draws at least as alike, above which replicates are no better than chance
APART: Final = 0.0  # a pair below it points in opposite directions: then they agree weakly at best

_SEED: Final = 20_240_601
_VECTORS: Final = 512  # of others, that are read to see what chance makes of an experiment's vectors
_FEWEST, _MOST = 16, 64  # of them from one experiment
_LARGE: Final = 64_000_000  # bytes of a frame of which it would cost too much to read vectors from everywhere
_NEAR: Final = 8192  # in such a frame only rows so far from those asked for are drawn: they are read with them anyway
_FEWEST_DRAWS: Final = 99  # with fewer nothing can be said about one in a hundred


@dataclass(frozen=True)
class Chance:
    """Mean pairwise cosines of different perturbations over the same experiments: `draws` of them, from the vectors of
    `others` perturbations. `p` is (1 + those at least as alike as the replicates) / (1 + draws)."""

    draws: int
    others: int
    mean: float
    p: float
    percentile: float


@dataclass(frozen=True)
class Replicates:
    """A perturbation (a compound: at one concentration) in each experiment: `matrix[a][b]` is the cosine of perts a
    and b. `mean` and `least` are over all pairs; None with fewer than two usable vectors. `apart` is the experiment
    that is least like the others."""

    pert: str
    concentration: float | None
    verdict: Verdict
    why: str
    experiments: int
    mean: float | None
    least: float | None
    apart: str | None
    chance: Chance | None
    perts: tuple[Phenoprint, ...]
    matrix: Cells

    @property
    def label(self) -> str:
        return shown(self.pert if self.concentration is None else f"{self.pert} {self.concentration:g} µM")


@dataclass(frozen=True)
class Consistency:
    group: str
    layer: str
    frames: tuple[str, ...]
    replicates: tuple[Replicates, ...]
    missing: tuple[Missing, ...]
    bytes_read: int
    bytes_total: int
    warnings: tuple[str, ...] = ()


def consistency(
    connections: Connections,
    queries: Sequence[str],
    wanted: Wanted,
    progress: Progress = SILENT,
    *,
    at: float | None = None,
) -> Consistency:
    """How alike the vectors of each of `queries` are from experiment to experiment; `wanted` must be split.

    Raises NotFound where nothing of it is there, and what open_frames and its frames raise.
    """
    with open_frames(connections, wanted, progress) as frames:
        looked = frames.look_up(queries, at)
        if not looked.rows:
            raise not_there(looked.missing)
        sampled = _sampled(looked.rows)
        prints, values = frames.read([*looked.rows, *sampled])
        count = len(prints) - sum(len(one.rows) for one in sampled)
        others = _Others(prints[count:], values[count:])
        prints, values = prints[:count], values[:count]
        found = []
        for rows in _together(prints):
            progress.check_stop()
            found.append(_replicates([prints[row] for row in rows], values[rows], others))
        return Consistency(
            shown(frames.source.group),
            frames.source.layer,
            frames.names,
            tuple(found),
            looked.missing,
            frames.bytes_read,
            frames.bytes_total,
            (*frames.source.notes, *frames.notes, *looked.notes, *health(prints)),
        )


def verdict(mean: float | None, least: float | None, p: float | None) -> tuple[Verdict, str]:
    """The word for replicates of that mean and least cosine, of which chance makes a share `p`; and why."""
    if mean is None or least is None:
        return "unknown", "fewer than two experiments have a usable vector: nothing to compare"
    if p is not None and p > CHANCE:
        return "disagree", f"no more alike than different perturbations are (p {p:.2g})"
    if mean < AGREE:
        if p is None and mean < AGREE / 2:
            return "disagree", f"mean cosine {mean:+.2f}"
        return "weak", f"mean cosine {mean:+.2f}, below {AGREE:g}"
    if least < APART:
        return "weak", f"one pair points in opposite directions ({least:+.2f})"
    return "agree", f"mean cosine {mean:+.2f}"


def _replicates(prints: Sequence[Phenoprint], values: Matrix, sampled: _Others) -> Replicates:
    import numpy as np

    matrix = cosines(values)
    alike = pairs(matrix)
    mean = float(alike.mean()) if alike.size else None
    least = float(alike.min()) if alike.size else None
    chance = None if mean is None else sampled.chance(prints, mean)
    word, why = verdict(mean, least, chance.p if chance else None)
    others = matrix.copy()
    np.fill_diagonal(others, np.nan)
    usable = [row for row in range(len(prints)) if not np.isnan(matrix[row, row])]
    apart = min(usable, key=lambda row: float(np.nansum(others[row]))) if len(usable) > 2 else None
    return Replicates(
        prints[0].pert,
        prints[0].concentration,
        word,
        why,
        len({one.experiment for one in prints}),
        None if mean is None else _short(mean),
        None if least is None else _short(least),
        None if apart is None else prints[apart].experiment,
        chance,
        tuple(prints),
        cells(matrix),
    )


def _sampled(chosen: Sequence[Rows]) -> list[Rows]:
    """Rows of each frame and experiment at random, always the same: some hundred in all.

    In a large frame they are from the neighbourhood. Where neighbours are alike that makes chance look better than it
    is, and the verdict stricter.
    """
    import numpy as np

    rng = np.random.default_rng(_SEED)
    sampled = []
    for frame in {one.frame.name: one.frame for one in chosen}.values():
        rows = [row for one in chosen if one.frame is frame for row in one.rows]
        experiments = sorted({frame.value("experiment", row) or "" for row in rows})
        each = min(_MOST, max(_FEWEST, _VECTORS // len(experiments)))
        drawn: list[int] = []
        for experiment in experiments:
            there = frame.rows_in(experiment)
            if frame.bytes > _LARGE:
                there = _near(there, rows)
            drawn += rng.choice(there, size=min(each, len(there)), replace=False).tolist()
        sampled.append(Rows(frame, "", tuple(sorted(drawn))))
    return sampled


def _near(there: NDArray[np.int64], rows: Sequence[int]) -> NDArray[np.int64]:
    """Of the row numbers `there` those at most _NEAR away from one of `rows`."""
    import numpy as np

    own = np.sort(np.asarray(rows, dtype=np.int64))
    at = np.searchsorted(own, there)
    before, after = own[np.maximum(at - 1, 0)], own[np.minimum(at, len(own) - 1)]
    away = np.minimum(np.abs(there - before), np.abs(after - there))
    near: NDArray[np.int64] = there[away <= _NEAR]
    return near


class _Others:
    """The vectors of perturbations drawn at random, by frame and experiment."""

    def __init__(self, prints: Sequence[Phenoprint], values: Matrix) -> None:
        self._prints = prints
        self._values = values

    def chance(self, replicates: Sequence[Phenoprint], mean: float) -> Chance | None:
        """What chance makes of the experiments of `replicates`, against their `mean`; None where it cannot be told."""
        pools, owners = [], []
        for own in replicates:
            if not own.length:
                continue
            rows = [
                row
                for row, other in enumerate(self._prints)
                if (other.frame, other.experiment) == (own.frame, own.experiment) and other.pert != own.pert
            ]
            pools.append(self._values[rows])
            owners.append([self._prints[row].pert for row in rows])
        means = by_chance(pools, owners, _SEED)
        if means.size < _FEWEST_DRAWS:
            return None
        count, reached = int(means.size), int((means >= mean).sum())
        return Chance(
            draws=count,
            others=len({owner for pool in owners for owner in pool}),
            mean=_short(means.mean()),
            p=round((1 + reached) / (1 + count), 4),
            percentile=round(100 * float((means < mean).mean()), 1),
        )


def _together(prints: Sequence[Phenoprint]) -> list[list[int]]:
    """The rows of each perturbation (and concentration) together."""
    rows: dict[tuple[str, str, float | None], list[int]] = {}
    for row, one in enumerate(prints):
        rows.setdefault((one.frame, one.pert, one.concentration), []).append(row)
    return list(rows.values())


def _short(value: float) -> float:
    return round(float(value), 6)
