"""Scenarios in which the cache is as it was filled, and what it was filled with is the matter: other groups, another
choice of perturbations, damaged vectors. The cache manager's last scheduled run wrote them through to both layers."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from toolkit.sandbox.places import GROUPS_IN_REDIS
from toolkit.sandbox.scenarios.scenario import SCIENTIST, Scenario, Symptom

if TYPE_CHECKING:
    from toolkit.sandbox.builds import BuiltGroup, Flaw
    from toolkit.sandbox.sites import Site

_LEFT_OUT = "PALB2"
_ON_THE_PLATE = "BRCA1"

_EMPTY = "after a FLUSHALL no group is in Redis"
_FEWER = "such a run leaves only the newest group in Redis"


def _one_more(site: Site, groups: tuple[BuiltGroup, ...]) -> tuple[BuiltGroup, ...]:
    """The auto-loader was given one more transformation: two groups were built that week, and the run kept three."""
    from toolkit.sandbox import builds

    return (builds.one_more(groups[0], site.place.groups_prefix), *groups)


def _filtered(site: Site, groups: tuple[BuiltGroup, ...]) -> tuple[BuiltGroup, ...]:
    """The newest build's filter for weak phenoprints, somewhat stricter than before, left one gene out."""
    del site
    newest, *older = groups
    return (dataclasses.replace(newest, without=newest.without | {_LEFT_OUT}), *older)


def _denormalized(site: Site, groups: tuple[BuiltGroup, ...]) -> tuple[BuiltGroup, ...]:
    """The newest build's last transformation centred and scaled its vectors; nobody brought them back to length 1."""
    del site
    from toolkit.sandbox.builds import Flaw

    return _flawed(groups, Flaw.NOT_UNIT)


def _without_controls(site: Site, groups: tuple[BuiltGroup, ...]) -> tuple[BuiltGroup, ...]:
    """A plate of the newest build's screen had no controls: to normalize its vectors was to divide zero by zero."""
    del site
    from toolkit.sandbox.builds import Flaw

    return _flawed(groups, Flaw.NO_CONTROLS)


def _flawed(groups: tuple[BuiltGroup, ...], flaw: Flaw) -> tuple[BuiltGroup, ...]:
    newest, *older = groups
    return (dataclasses.replace(newest, flaws=newest.flaws | {flaw}), *older)


GROUP_EVICTED = Scenario(
    "group-evicted",
    "Newer groups pushed one out of Redis: it is in the bucket alone.",
    lambda site: Symptom(
        SCIENTIST,
        f"Last week {site.groups[GROUPS_IN_REDIS].name} was in the Group Label dropdown. Now I cannot choose it.",
        group=site.groups[GROUPS_IN_REDIS].name,
    ),
    built=_one_more,
    against=(("redis-flushed", _EMPTY),),
)
PERT_IN_ANOTHER_GROUP = Scenario(
    "pert-in-another-group",
    "A perturbation was left out of the newest group, the app's default; older ones have it.",
    lambda _: Symptom(SCIENTIST, f"{_LEFT_OUT} is not in the map any more. It was there last week.", pert=_LEFT_OUT),
    built=_filtered,
    against=(("redis-flushed", _EMPTY), ("rebuild-failed", _FEWER), ("rebuild-running", _FEWER)),
)
VECTORS_DENORMALIZED = Scenario(
    "vectors-denormalized",
    "The newest group's normalized frames hold vectors that are not of length 1.",
    lambda site: Symptom(
        SCIENTIST,
        f"The map {site.groups[0].name} looks funny: normalized, every cell is deep red or deep blue.",
        group=site.groups[0].name,
    ),
    built=_denormalized,
)
NAN_VECTORS = Scenario(
    "nan-vectors",
    "Some vectors in the newest group's normalized frames are NaN.",
    lambda site: Symptom(
        SCIENTIST,
        f"In {site.groups[0].name} whole rows of the heatmap are blank, {_ON_THE_PLATE} among them.",
        pert=_ON_THE_PLATE,
        group=site.groups[0].name,
    ),
    built=_without_controls,
)
