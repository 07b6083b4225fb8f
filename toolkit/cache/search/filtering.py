"""Which of very many perturbations are shown while somebody types: those whose names hold it, else the nearest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.cache.perturbations import Pert, Perts
from toolkit.cache.search.matching import Matcher, Near

_NEAR = 20


@dataclass(frozen=True)
class Filtered(Sequence[Pert]):
    """The perturbations at `rows` of `perts`. `near`: none holds what was typed; these are like it, each with why."""

    perts: Perts
    rows: Sequence[int]
    near: tuple[Near, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, at: Any) -> Any:
        return [self.perts[row] for row in self.rows[at]] if isinstance(at, slice) else self.perts[self.rows[at]]


class Filter:
    """Over one frame's perturbations. Words are parts of a name or of its kind, in any order; case does not count.
    Those that begin with the first word come first."""

    def __init__(self, perts: Perts) -> None:
        self._perts = perts
        self._folded = [name.casefold() for name in perts.names]
        self._matcher: Matcher | None = None

    def __call__(self, text: str) -> Filtered:
        words = text.casefold().split()
        if not words:
            return Filtered(self._perts, range(len(self._perts)))
        found: Sequence[int] = range(len(self._folded))
        for word in words:
            kinds = {kind for kind in set(self._perts.kinds) if kind.casefold() == word}
            found = [at for at in found if word in self._folded[at] or (kinds and self._perts.kinds[at] in kinds)]
        if found:
            first = words[0]
            begin = [at for at in found if self._folded[at].startswith(first)]
            if begin and len(begin) < len(found):
                known = set(begin)
                found = [*begin, *(at for at in found if at not in known)]
            return Filtered(self._perts, found)
        self._matcher = self._matcher or Matcher(self._perts.names)
        meant = [match.pert for match in self._matcher.matches(text.strip())]
        near = () if meant else self._matcher.near(text.strip(), _NEAR)
        return Filtered(self._perts, self._rows_of([*meant, *(one.pert for one in near)]), near)

    def _rows_of(self, names: Sequence[str]) -> list[int]:
        from bisect import bisect_left

        rows = []
        for name in names:
            at = bisect_left(self._perts.names, name)
            while at < len(self._perts) and self._perts.names[at] == name:
                rows.append(at)
                at += 1
        return rows
