"""The mean vector of each treatment, summed up while a frame streams by: the memory it takes goes by treatments, not by
rows. That is how a frame split by experiment is held against an aggregated one, or one group against another."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from typing import TYPE_CHECKING, Final

from toolkit.cache.row_keys import Treatment, key, keys
from toolkit.cache.vector_health import norms

if TYPE_CHECKING:
    from toolkit.cache.vectors import Vectors

_AT_ONCE: Final = 8192


class Means:
    """Of the `wanted` treatments alone."""

    def __init__(self, wanted: Iterable[Treatment], dimension: int) -> None:
        import numpy as np

        self.by_key = dict(sorted((key(treatment), treatment) for treatment in wanted))
        self._keys = np.fromiter(self.by_key, dtype=np.uint64, count=len(self.by_key))
        self._sums = np.zeros((len(self._keys), dimension), dtype=np.float32)

    def add(self, part: Vectors) -> None:
        """Take the rows that are wanted, and whole and not all zeros."""
        import numpy as np

        if not self._keys.size:
            return
        found = keys(part.names)
        places = np.minimum(np.searchsorted(self._keys, found), self._keys.size - 1)
        rows = np.flatnonzero(self._keys[places] == found)
        lengths = norms(part.values[rows])
        rows = rows[np.isfinite(lengths) & (lengths > 0)]
        if rows.size:
            rows = rows[np.argsort(places[rows], kind="stable")]
            at = places[rows]
            firsts = np.flatnonzero(np.concatenate([[True], at[1:] != at[:-1]]))
            with np.errstate(over="ignore"):
                self._sums[at[firsts]] += np.add.reduceat(part.values[rows], firsts, axis=0)

    def cosines(self, other: Means) -> dict[Treatment, float]:
        """Of each treatment's mean vector here and there, dot(a, b) / (|a| |b|); without those that one side lacks."""
        import numpy as np

        _, mine, theirs = np.intersect1d(self._keys, other._keys, assume_unique=True, return_indices=True)
        treatments = list(self.by_key.values())
        found: dict[Treatment, float] = {}
        for start in range(0, len(mine), _AT_ONCE):
            here, there = mine[start : start + _AT_ONCE], theirs[start : start + _AT_ONCE]
            a, b = self._sums[here].astype(np.float64), other._sums[there].astype(np.float64)
            with np.errstate(all="ignore"):
                lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
                cosines = np.clip(np.einsum("ij,ij->i", a, b) / lengths, -1, 1)
            for place, cosine in zip(here.tolist(), cosines.tolist(), strict=True):
                if isfinite(cosine):
                    found[treatments[place]] = cosine
        return found
