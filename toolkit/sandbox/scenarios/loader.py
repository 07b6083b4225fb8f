"""Scenarios in which a group was never built, because the group auto-loader was never told to."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from toolkit.sandbox.scenarios.scenario import SCIENTIST, Scenario, Symptom

if TYPE_CHECKING:
    from toolkit.sandbox.sites import Site
    from toolkit.sandbox.world import World

_ASKED_FOR = "hit_rescaled"
_DAYS_BEFORE = timedelta(days=2)


async def _ask_on_trunk_alone(world: World, site: Site) -> None:
    """A transformation was merged to production's settings two days before the newest groups were built. Nobody wrote
    it to configome, so the auto-loader ran by the old list."""
    del world
    site.asked_for = ((site.usual[0].built_at - _DAYS_BEFORE, _ASKED_FOR),)


def _never_built(site: Site) -> str:
    """What its group of the newest usual release would be called."""
    from toolkit.sandbox import builds

    newest = site.usual[0]
    return newest.name.removesuffix(builds.transformation_of(newest)) + _ASKED_FOR


TRANSFORMATION_MISSING = Scenario(
    "transformation-missing",
    "Trunk asks for one more transformation; configome's list lacks it, so its group was never built.",
    lambda site: Symptom(
        SCIENTIST,
        f"{_never_built(site)} should be in the Group Label dropdown by now, I was told. It is not.",
        group=_never_built(site),
    ),
    bring_about=_ask_on_trunk_alone,
)
