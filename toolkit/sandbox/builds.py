"""What phenoservice has built in an environment of the sandbox: its groups, when, how, and what went wrong in a build.

A group's rows follow from this alone (data.py makes them, encodings.py writes them).
"""

from __future__ import annotations

import dataclasses
import enum
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from toolkit.sandbox.perturbations import SMALL, Size, is_compound
from toolkit.sandbox.places import GROUPS_IN_REDIS

FRAMES = tuple(
    f"{kind}{split}{normalized}"
    for kind in ("genes", "compounds")
    for split in ("", "_split_by")
    for normalized in ("", "_normalized")
)
GROUPS = 5

# The transformations that the group auto-loader ran, the newest group's first; and as what each build wrote its frames:
# the first cache managers pickled dataframes, then packed them, and went over to Arrow's own formats.
TRANSFORMATIONS = ("prox_bias_reduced", "prox_bias_reduced", "centerscale", "prox_bias_reduced", "centerscale")


_RELEASE = re.compile(r"^.*_\d{4}w\d{2}_")


class Encoding(enum.StrEnum):
    """What a frame is written as, outermost first."""

    PARQUET = "parquet"
    FEATHER = "feather"
    PACKED_PICKLE = "zstd+pickle"
    PICKLE = "pickle"


_ENCODINGS = (Encoding.PARQUET, Encoding.PARQUET, Encoding.FEATHER, Encoding.PACKED_PICKLE, Encoding.PICKLE)


class Flaw(enum.StrEnum):
    """What went wrong in a build, and is in its frames since."""

    SHORT_VECTOR = "the build was not over yet: one vector lacks its last value"
    NOT_UNIT = "the last transformation centred and scaled the vectors, and left them at that"
    NO_CONTROLS = "a plate had no controls: to normalize it was to divide zero by zero"

    def is_in(self, frame: str) -> bool:
        """Does it show in that frame?"""
        return frame == FRAMES[5] if self is Flaw.SHORT_VECTOR else frame.endswith("_normalized")


@dataclass(frozen=True, slots=True)
class BuiltGroup:
    """A group as it was built: what the cache manager finds when it runs. Perturbations in `without` were left out."""

    name: str
    built_at: datetime
    seed: int
    size: Size = SMALL
    encoding: Encoding = Encoding.PARQUET
    without: frozenset[str] = frozenset()
    flaws: frozenset[Flaw] = frozenset()

    def seen_in(self, frame: str) -> BuiltGroup:
        """The group as far as that frame shows it: two groups of which this is equal have the same frame."""
        genes = frame.startswith("genes")
        return dataclasses.replace(
            self,
            without=frozenset(pert for pert in self.without if is_compound(pert) != genes),
            flaws=frozenset(flaw for flaw in self.flaws if flaw.is_in(frame)),
        )


def built_groups(prefix: str, seed: int, last_run: datetime, size: Size = SMALL) -> tuple[BuiltGroup, ...]:
    """Five groups, the newest first: one a week, each built some hours before that week's run of the cache manager.

    Those that Redis holds are of `size`, the older ones small.
    """
    groups = []
    for week in range(GROUPS):
        built = (last_run - timedelta(weeks=week, hours=9 + 5 * week, minutes=17 * week + 4)).astimezone(UTC)
        groups.append(
            BuiltGroup(
                _name(prefix, built, TRANSFORMATIONS[week]),
                built.replace(microsecond=0),
                seed,
                size if week < GROUPS_IN_REDIS else SMALL,
                _ENCODINGS[week],
            )
        )
    return tuple(groups)


def one_more(newest: BuiltGroup, prefix: str, transformation: str = "typicalvariation") -> BuiltGroup:
    """A group that the auto-loader built some hours after `newest`, by a transformation that was added to its list."""
    return built_at(newest, prefix, newest.built_at + timedelta(hours=3, minutes=11), transformation)


def built_at(newest: BuiltGroup, prefix: str, built: datetime, transformation: str) -> BuiltGroup:
    """A group like `newest` that was built at another time, by another transformation."""
    return dataclasses.replace(newest, name=_name(prefix, built, transformation), built_at=built)


def transformation_of(group: BuiltGroup) -> str:
    """The transformation that made it: what follows the week in its name (rp006_2026w46_prox_bias_reduced)."""
    return _RELEASE.sub("", group.name)


def _name(prefix: str, built: datetime, transformation: str) -> str:
    year, week, _ = built.isocalendar()
    return f"{prefix}_{year}w{week:02d}_{transformation}"
