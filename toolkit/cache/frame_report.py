"""What is said of one frame after looking into it: what it holds, how its vectors are, what is wrong with it.

Values alone; they are found out in frame_reading.py and vector_health.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Ailment = Literal[
    "unreadable",
    "missing",
    "no-vectors",
    "wrong-dimension",
    "nan",
    "zero",
    "not-unit-length",
    "duplicate-vector",
    "duplicate-row",
    "differs-from-l3",
]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with `rows` of a frame's `of` rows (None: not counted in rows). `examples` are some of them, as
    people name them; `text` says it all."""

    problem: Ailment
    text: str
    rows: int | None = None
    of: int | None = None
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """A column, and its type as Arrow calls it."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Step:
    """One concentration (µM) of a frame's series, and how many perts have it."""

    concentration: float
    perts: int


@dataclass(frozen=True, slots=True)
class VectorSummary:
    """How a frame's vectors are. `rows` were looked at; norms are of those that are whole and not all zeros.

    Each of the counts is in rows; `duplicate` rows share their vector with another row.
    """

    rows: int
    dimension: int
    norm_min: float | None
    norm_median: float | None
    norm_max: float | None
    not_unit_length: int = 0
    nan: int = 0
    zero: int = 0
    wrong_dimension: int = 0
    duplicate: int = 0


@dataclass(frozen=True)
class FrameReport:
    """A frame in one layer. What could not be found out is None, or empty; `problems` then say why.

    `perts` counts distinct perturbations by kind. Where `same_as` names a layer, this frame has the size and the
    samples of the one there, and was not read: what is said of its content is said of that one.
    """

    frame: str
    layer: str
    bytes: int | None = None
    format: str = ""
    rows: int | None = None
    columns: tuple[ColumnInfo, ...] = ()
    perts: Mapping[str, int] = field(default_factory=dict)
    concentrations: tuple[Step, ...] = ()
    experiments: int | None = None
    vectors: VectorSummary | None = None
    same_as: str = ""
    problems: tuple[Problem, ...] = ()


def share(rows: int, of: int, what: str) -> str:
    """`12 of 960,000 rows (<0.01%)`: never 0% or 100% where it is not quite."""
    if rows == of:
        return f"all {of:,} {what}"
    percent = 100 * rows / of
    if 0 < percent < 0.01:
        return f"{rows:,} of {of:,} {what} (<0.01%)"
    digits = 2 if percent < 1 or percent > 99 else 1
    return f"{rows:,} of {of:,} {what} ({min(percent, 99.99):.{digits}f}%)"


def listed(examples: tuple[str, ...], rows: int) -> str:
    """`: BRCA1, TP53 …` with dots where there are more than these."""
    return f": {', '.join(examples)}{' …' if rows > len(examples) else ''}" if examples else ""
