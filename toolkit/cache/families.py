"""Which frames of a group belong together: raw and normalized, aggregated and split by experiment.

That a frame is split is told by its column `experiment`; whose split it is, only by its name. Names are read as
MapApp's frames are called (assumed): genes, genes_split_by, genes_normalized, genes_split_by_normalized.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from toolkit.cache.frame_reading import Reading

_NORMALIZED: Final = re.compile(r"[-_. ]?normali[sz]ed", re.IGNORECASE)
_SPLIT: Final = re.compile(r"[-_. ]?split([-_. ]?by)?([-_. ]?experiments?)?", re.IGNORECASE)


def normalized(name: str) -> bool:
    """Whether the name says that it is."""
    return _NORMALIZED.search(name) is not None


def subject(name: str) -> str:
    """What the frame is of: its name without what says that it is normalized or split."""
    return _SPLIT.sub("", _NORMALIZED.sub("", name))


def raw_and_normalized(readings: Iterable[Reading]) -> Iterator[tuple[Reading, Reading]]:
    """Pairs of the same subject, both split or both not."""
    known = {_place(reading): reading for reading in readings}
    for (what, split, is_normalized), reading in known.items():
        other = known.get((what, split, True))
        if not is_normalized and other is not None:
            yield reading, other


def aggregated_and_split(readings: Iterable[Reading]) -> Iterator[tuple[Reading, Reading]]:
    """Pairs of the same subject, both normalized or both not."""
    known = {_place(reading): reading for reading in readings}
    for (what, split, is_normalized), reading in known.items():
        other = known.get((what, True, is_normalized))
        if not split and other is not None:
            yield reading, other


def _place(reading: Reading) -> tuple[str, bool, bool]:
    name = reading.report.frame
    return subject(name), reading.split, normalized(name)
