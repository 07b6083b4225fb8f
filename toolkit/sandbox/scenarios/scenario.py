"""What a scenario is: a state of the world, how it comes about, and what people notice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toolkit.sandbox.builds import BuiltGroup
    from toolkit.sandbox.sites import Site
    from toolkit.sandbox.world import World

SCIENTIST = "an inference scientist"
COLLEAGUE = "a colleague on call"


@dataclass(frozen=True, slots=True)
class Symptom:
    """What `who` would report, in `words`; about a perturbation or a group, where it is about one."""

    who: str
    words: str
    pert: str = ""
    group: str = ""

    def document(self) -> dict[str, Any]:
        return {key: value or None for key, value in asdict(self).items()}


def as_usual(site: Site, groups: tuple[BuiltGroup, ...]) -> tuple[BuiltGroup, ...]:
    del site
    return groups


async def _nothing(world: World, site: Site) -> None:
    del world, site


@dataclass(frozen=True, slots=True)
class Scenario:
    """A state of the world. `help` is one line.

    `built` is what had been built (instead of the groups it is given) when the cache manager last ran; `bring_about`
    is what happened since. `against` says with which other scenarios it cannot be true at once, and why.
    """

    name: str
    help: str
    symptom: Callable[[Site], Symptom]
    built: Callable[[Site, tuple[BuiltGroup, ...]], tuple[BuiltGroup, ...]] = as_usual
    bring_about: Callable[[World, Site], Awaitable[None]] = _nothing
    against: tuple[tuple[str, str], ...] = ()
