"""Which groups the auto-loader makes of a release, and which of them are there.

Assumed: a group's name is its release and its transformation's suffix (rp006_2026w46 + _prox_bias_reduced), and a new
release has a group of each transformation, made in the order of the list: so the last is the newest, and first in the
app.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from toolkit.cache.loader.settings import LoaderSettings


@dataclass(frozen=True, slots=True)
class Release:
    """The groups of one release.

    `expected` are those that the transformations make, as the app's dropdown has them (the last first); `dropdown` is
    the part of them that Redis keeps. `missing` are in no layer; `extra` are made by no transformation of the list;
    `order` are those that are there, as Redis' index has them, where that is not the expected order (else empty).
    """

    name: str
    expected: tuple[str, ...]
    dropdown: tuple[str, ...]
    missing: tuple[str, ...]
    extra: tuple[str, ...]
    order: tuple[str, ...]


def newest(settings: LoaderSettings, index: Sequence[str], bucket: Sequence[str] | None, kept: int) -> Release | None:
    """The newest release, told by the newest group whose name ends with one of the transformations.

    `index` are the groups in Redis, the newest first (the bucket's, newest name first, where Redis is not known);
    `bucket` those in L3 (None: not known); `kept` is how many Redis keeps. None: no group's name fits.
    """
    name = release_of(settings, index) or release_of(settings, sorted(bucket or (), reverse=True))
    if not name:
        return None
    expected = made_of(settings, name)
    known = {*index, *(bucket or ())}
    there = [group for group in index if group in expected]
    wanted = [group for group in expected if group in there]
    return Release(
        name,
        expected,
        expected[:kept],
        tuple(group for group in expected if group not in known),
        tuple(sorted(group for group in known if group.startswith(f"{name}_") and group not in expected)),
        tuple(there) if there != wanted else (),
    )


def release_of(settings: LoaderSettings, groups: Sequence[str]) -> str:
    """The release of the first of the groups whose name ends with a transformation; "" where none does."""
    for group in groups:
        made_by = settings.of(group)
        if made_by is not None:
            return group.removesuffix(made_by.suffix)
    return ""


def made_of(settings: LoaderSettings, release: str) -> tuple[str, ...]:
    """The groups that the transformations make of a release, as the dropdown has them: the last first."""
    return tuple(f"{release}{one.suffix}" for one in reversed(settings.transformations))
