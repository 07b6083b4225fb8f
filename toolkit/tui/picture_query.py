"""What a picture of the map is made from, as one line that reads as the command's own arguments do:
`KRAS BRAF 'REC-0000123 at 3' --at 3 --order clustered --raw --layer L3`, and for a projection `--target MTOR`.
"""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from toolkit.errors import UsageError

if TYPE_CHECKING:
    from toolkit.cache.search.frame_perts import GroupPerts

Kind = Literal["heatmap", "projection", "consistency"]
LayerName = Literal["L2", "L3"]

TITLES: Final[dict[Kind, str]] = {
    "heatmap": "Heatmap",
    "projection": "Projection/rejection",
    "consistency": "Consistency of replicates",
}
_WITH_VALUE: Final[dict[Kind, tuple[str, ...]]] = {
    "heatmap": ("--at", "--order", "--layer", "--frame"),
    "projection": ("--target", "--layer", "--frame"),
    "consistency": ("--at", "--layer", "--frame"),
}
_ALONE: Final[dict[Kind, tuple[str, ...]]] = {
    "heatmap": ("--raw", "--normalized", "--split-by", "--no-split-by"),
    "projection": ("--raw", "--normalized"),
    "consistency": ("--raw", "--normalized"),
}
HINTS: Final[dict[Kind, str]] = {
    "heatmap": "perts, 'REC-0000123 at 3' in quotes;  --at µM  --order clustered  --raw  --split-by  --layer L2|L3",
    "projection": "compounds, and --target PERT that they are seen from;  --raw  --layer L2|L3",
    "consistency": "perts, whose replicates are compared between experiments;  --at µM  --raw  --layer L2|L3",
}
_GENES, _COMPOUNDS = 8, 4


@dataclass(frozen=True)
class PictureQuery:
    """One picture of a group, as it was typed."""

    kind: Kind
    perts: tuple[str, ...]
    target: str = ""
    at: float | None = None
    order: Literal["as-typed", "clustered"] = "as-typed"
    normalized: bool = True
    split: bool = False
    layer: LayerName | None = None
    frames: tuple[str, ...] = ()

    def command(self, group: str, environment: str) -> str:
        """The command that makes the same picture."""
        return f"toolkit map {self.kind} {self.line} --group {shlex.quote(group)} --env {shlex.quote(environment)}"

    @property
    def line(self) -> str:
        """It as one types it."""
        words = list(self.perts)
        words += ["--target", self.target] if self.target else []
        words += ["--at", f"{self.at:g}"] if self.at is not None else []
        words += ["--order", self.order] if self.order != "as-typed" else []
        words += [] if self.normalized else ["--raw"]
        words += ["--split-by"] if self.split else []
        words += ["--layer", self.layer] if self.layer else []
        for frame in self.frames:
            words += ["--frame", frame]
        return shlex.join(words)


def read(kind: Kind, text: str) -> PictureQuery:
    """What a typed line asks for. Raises UsageError, which says what is wrong with it."""
    try:
        words = shlex.split(text)
    except ValueError:
        raise UsageError("A quotation mark is not closed.") from None
    perts: list[str] = []
    frames: list[str] = []
    values: dict[str, str] = {}
    alone: set[str] = set()
    rest = iter(words)
    for word in rest:
        option, given, value = word.partition("=")
        option = {"-t": "--target"}.get(option, option)
        if not option.startswith("--"):
            perts.append(word)
        elif option in _ALONE[kind] and not given:
            alone.add(option)
        elif option in _WITH_VALUE[kind]:
            value = value if given else next(rest, "")
            if not value:
                raise UsageError(f"{option} needs a value.")
            if option == "--frame":
                frames.append(value)
            else:
                values[option] = value
        else:
            known = [*_WITH_VALUE[kind], *_ALONE[kind]]
            near = difflib.get_close_matches(option, known, n=1, cutoff=0.5)
            raise UsageError(f"There is no {option} here" + (f"; did you mean {near[0]}?" if near else "."))
    if not perts:
        raise UsageError("Name the compounds." if kind == "projection" else "Name the perts.")
    if kind == "projection" and "--target" not in values:
        raise UsageError("Name what they are seen from: --target PERT.")
    order = values.get("--order", "as-typed").lower()
    if order not in ("as-typed", "clustered"):
        raise UsageError("--order is as-typed or clustered.")
    layer = values.get("--layer", "").upper()
    if layer not in ("", "L2", "L3"):
        raise UsageError("--layer is L2 (Redis) or L3 (the bucket).")
    return PictureQuery(
        kind,
        tuple(dict.fromkeys(perts)),
        values.get("--target", ""),
        _micromolar(values.get("--at")),
        "clustered" if order == "clustered" else "as-typed",
        "--raw" not in alone,
        "--split-by" in alone,
        "L2" if layer == "L2" else "L3" if layer == "L3" else None,
        tuple(frames),
    )


def offered(kind: Kind, there: GroupPerts, chosen: Sequence[str] = ()) -> PictureQuery:
    """What to begin with: the perts that somebody chose, or else a few of the group's."""
    genes, compounds = spread(there.genes, _GENES), spread(there.compounds, _COMPOUNDS)
    if kind != "projection":
        return PictureQuery(kind, tuple(chosen) or genes or compounds)
    known = set(there.compounds)
    wanted = tuple(name for name in chosen if name in known)
    target = next((name for name in chosen if name not in known), "") or next(iter(there.genes), "")
    return PictureQuery(kind, wanted or compounds, target)


def spread(names: Sequence[str], count: int) -> tuple[str, ...]:
    """So many of the names, from everywhere among them."""
    if len(names) <= count:
        return tuple(names)
    return tuple(names[number * len(names) // count] for number in range(count))


def _micromolar(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise UsageError(f"--at {text} is no concentration in µM.")
    return value
