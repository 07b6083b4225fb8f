"""The states that the sandbox's world can be brought into, each as it comes about in real life.

A scenario changes the world itself, never a flag that a check reads. They can be had together; they come about in the
order of the table at the end. What they need of the world is imported when they come about: the command line reads the
table too.
"""

from __future__ import annotations

import asyncio
import dataclasses
import difflib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from toolkit.errors import UsageError

if TYPE_CHECKING:
    from toolkit.sandbox.cache_manager import Clock
    from toolkit.sandbox.sites import Site
    from toolkit.sandbox.world import World

SLOW_SECONDS = 1500.0  # a whole run of the cache manager while somebody is to find it running
_SOON = 30.0


@dataclass(frozen=True, slots=True)
class Symptom:
    """What `who` would report, in `words`; about a perturbation or a group, where it is about one."""

    who: str
    words: str
    pert: str = ""
    group: str = ""

    def document(self) -> dict[str, Any]:
        return {key: value or None for key, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Scenario:
    """A state of the world: how it comes about, and what people notice. `help` is one line."""

    name: str
    help: str
    bring_about: Callable[[World, Site], Awaitable[None]]
    symptom: Callable[[Site], Symptom]


def chosen(names: Sequence[str]) -> list[Scenario]:
    """The scenarios of these names, in the order in which they come about. Raises UsageError for an unknown one."""
    for name in names:
        if name not in SCENARIOS and name != HEALTHY:
            near = difflib.get_close_matches(name, (*SCENARIOS, HEALTHY), n=1)
            raise UsageError(
                f"No scenario is called {name!r}.",
                hint=f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join((HEALTHY, *SCENARIOS))}.",
            )
    if HEALTHY in names and len(set(names)) > 1:
        raise UsageError("healthy goes with no other scenario.", hint="Leave it out: each scenario begins healthy.")
    return [scenario for name, scenario in SCENARIOS.items() if name in names]


async def _move_cronjob(world: World, site: Site) -> None:
    """Somebody moved the CronJob to another cluster, in eng-infrastructure; Argo CD took the old one away."""
    from toolkit.sandbox import repository

    place = site.place
    site.cluster_now.delete("CronJob", place.cache_manager_namespace, place.cronjob)
    site.cluster = "rp006-prod" if place.cache_manager_cluster != "rp006-prod" else "prod-cluster"
    await asyncio.to_thread(repository.move, world.directory / "eng-infrastructure", place.manifest, site.cluster)
    site.put_cronjob(datetime.now(UTC), [])


async def _fail_rebuild(world: World, site: Site) -> None:
    """Somebody started a run while a group was still being written: it died of a vector that was too short."""
    from toolkit.sandbox.data import FRAMES

    del world
    built = site.groups
    site.groups = (built[0], dataclasses.replace(built[1], short_vector=FRAMES[5]), *built[2:])
    site.run_seconds = 0.5
    job = site.job_by_hand()
    await _until(lambda: _ended(site, job))
    site.groups, site.run_seconds = built, None  # the group is whole by now


async def _flush(world: World, site: Site) -> None:
    """Somebody wanted a clean slate, and was called away before the rebuild."""
    del world
    await asyncio.to_thread(site.redis.command, "FLUSHALL")


async def _start_rebuild(world: World, site: Site) -> None:
    """A run was started by hand and is in the middle of it."""
    from toolkit.sandbox.data import FRAMES

    del world
    begun = asyncio.Event()

    def wrote(frames: int, clock: Clock) -> None:
        if frames == len(FRAMES) + 3:
            clock.seconds = SLOW_SECONDS
            begun.set()

    site.on_wrote, site.run_seconds = wrote, 0.5
    site.job_by_hand()
    async with asyncio.timeout(_SOON):
        await begun.wait()
    site.on_wrote, site.run_seconds = None, None


async def _rotate_token(world: World, site: Site) -> None:
    """Redis was given a new password; nobody wrote it to Vault."""
    del world
    await site.rotate_password()


async def _move_proxy(world: World, site: Site) -> None:
    """The proxy's Service was made anew and got another address."""
    del world
    await site.move_proxy()


async def _seal_vault(world: World, site: Site) -> None:
    """Vault was restarted and nobody has unsealed it."""
    del site
    world.vault.seal()


def _ended(site: Site, job: dict[str, Any]) -> bool:
    now = site.cluster_now.get("Job", job["metadata"]["namespace"], job["metadata"]["name"])
    return now is None or bool(now.get("status", {}).get("conditions"))


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(_SOON):
        while not condition():
            await asyncio.sleep(0.01)


_SCIENTIST = "an inference scientist"
_COLLEAGUE = "a colleague on call"

HEALTHY = "healthy"
HEALTHY_HELP = "Everything as it should be."

# In this order they come about, where there are several: a run comes before what would keep it from running.
SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            "wrong-cluster",
            "The cache manager's CronJob was moved: it is in another cluster than configured.",
            _move_cronjob,
            lambda site: Symptom(
                _COLLEAGUE,
                f"I am to reload the groups, but I cannot find {site.place.cronjob} where it always was.",
            ),
        ),
        Scenario(
            "rebuild-failed",
            "A run dropped the groups from Redis, wrote some of them, and died.",
            _fail_rebuild,
            lambda site: Symptom(
                _SCIENTIST,
                f"{site.groups[1].name} is gone from the Group Label dropdown. This morning it was there.",
                group=site.groups[1].name,
            ),
        ),
        Scenario(
            "redis-flushed",
            "Somebody ran FLUSHALL, and no rebuild came after it.",
            _flush,
            lambda site: Symptom(
                _SCIENTIST,
                "The Group Label dropdown is empty, and BRCA1 is in none of my maps. Please reload the groups.",
                pert="BRCA1",
                group=site.groups[0].name,
            ),
        ),
        Scenario(
            "rebuild-running",
            "A run is going on now, slowly; some groups are not there yet.",
            _start_rebuild,
            lambda site: Symptom(
                _SCIENTIST,
                f"{site.groups[2].name} has just disappeared from the dropdown. Can you reload the groups?",
                group=site.groups[2].name,
            ),
        ),
        Scenario(
            "token-rotated",
            "Redis has a new password; Vault still holds the old one.",
            _rotate_token,
            lambda site: Symptom(
                _COLLEAGUE, f"redis-cli says WRONGPASS with the token from Vault ({site.place.vault_path})."
            ),
        ),
        Scenario(
            "proxy-moved",
            "The Redis proxy has another address than the configuration says.",
            _move_proxy,
            lambda site: Symptom(
                _COLLEAGUE, f"The Redis of {site.place.title} does not answer at its address any more."
            ),
        ),
        Scenario(
            "vault-sealed",
            "Vault is sealed: no token can be read.",
            _seal_vault,
            lambda _: Symptom(_COLLEAGUE, "I cannot get at the Redis token: Vault answers everything with an error."),
        ),
    )
}
