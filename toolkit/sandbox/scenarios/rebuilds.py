"""Scenarios in which the cache was emptied, or a run of the cache manager did not come to its end."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from toolkit.sandbox.scenarios.scenario import SCIENTIST, Scenario, Symptom

if TYPE_CHECKING:
    from toolkit.sandbox.builds import BuiltGroup
    from toolkit.sandbox.cache_manager import Clock
    from toolkit.sandbox.sites import Site
    from toolkit.sandbox.world import World

SLOW_SECONDS = 1500.0  # a whole run of the cache manager while somebody is to find it running
_QUICK_SECONDS = 0.5
_A_WHILE = timedelta(minutes=47)
_SOON = 240.0  # groups of full size take minutes to write
_LOST = "REC-0000123"
_NEW = "FANCI"
_EVICTED = (
    "The node was low on resource: ephemeral-storage. Threshold quantity: 10Gi, available: 212Ki. Container "
    "cache-manager was using 41Gi, request is 0, has larger consumption of ephemeral-storage."
)


def _before_the_new_one(site: Site, groups: tuple[BuiltGroup, ...]) -> tuple[BuiltGroup, ...]:
    """A gene of a new screen was in no group yet when the last scheduled run came."""
    del site
    return tuple(dataclasses.replace(group, without=group.without | {_NEW}) for group in groups)


async def _rebuild_without_restart(world: World, site: Site) -> None:
    """The group with the new screen was built, somebody reloaded the groups, and nobody restarted the app after it."""
    from toolkit.sandbox import builds

    del world
    newest = site.groups[0]
    with_new = dataclasses.replace(newest, without=newest.without - {_NEW})
    site.build(builds.one_more(with_new, site.place.groups_prefix, "with_new_screen"))
    site.run_seconds = _QUICK_SECONDS
    job = site.job_by_hand()
    await _until(lambda: _ended(site, job))
    site.run_seconds = None


async def _fail_rebuild(world: World, site: Site) -> None:
    """Somebody started a run while a group was still being written: it died of a vector that was too short."""
    from toolkit.sandbox.builds import Flaw

    del world
    built = site.groups
    unfinished = dataclasses.replace(built[1], flaws=built[1].flaws | {Flaw.SHORT_VECTOR})
    site.groups, site.run_seconds = (built[0], unfinished, *built[2:]), _QUICK_SECONDS
    job = site.job_by_hand()
    await _until(lambda: _ended(site, job))
    site.groups, site.run_seconds = built, None  # the group is whole by now


async def _flush(world: World, site: Site) -> None:
    """Somebody wanted a clean slate, and was called away before the rebuild."""
    del world
    await asyncio.to_thread(site.redis.command, "FLUSHALL")


async def _start_rebuild(world: World, site: Site) -> None:
    """A run was started by hand and is in the middle of it."""
    from toolkit.sandbox.builds import FRAMES

    del world
    begun = asyncio.Event()

    def wrote(frames: int, clock: Clock) -> None:
        if frames == len(FRAMES) + 3:
            clock.seconds = SLOW_SECONDS
            begun.set()

    site.on_wrote, site.run_seconds = wrote, _QUICK_SECONDS
    site.job_by_hand()
    async with asyncio.timeout(_SOON):
        await begun.wait()
    site.on_wrote, site.run_seconds = None, None


async def _build_and_leave_it(world: World, site: Site) -> None:
    """The auto-loader ran a new transformation, and phenoservice-api told of the group. The cache manager has not run
    since: its next time is Thursday."""
    from toolkit.sandbox import builds

    del world
    now = datetime.now(UTC)
    jobs = site.cluster_now.list("Job", site.place.cache_manager_namespace)
    begun = [datetime.fromisoformat(job["metadata"]["creationTimestamp"]) for job in jobs]
    # After every run: those that other scenarios brought about have just been.
    at = now if any(one > now - _A_WHILE for one in begun) else now - _A_WHILE
    site.build(builds.built_at(site.groups[0], site.place.groups_prefix, at, "lighting_corrected"))


async def _evict_pod(world: World, site: Site) -> None:
    """Somebody deleted the bucket's folders for a clean slate, and reloaded. While the run stored the oldest group, the
    disk of its node filled up: a frame's file was cut off where the disk ended, and the pod was evicted."""
    from toolkit.sandbox.builds import FRAMES

    full_at = len(site.groups) * len(FRAMES) - 4
    bucket = site.place.bucket
    for path in site.shared.storage.list(bucket):
        site.shared.storage.delete(bucket, path)

    def wrote(frames: int, clock: Clock) -> None:
        del clock
        site.disk_full = frames >= full_at
        if frames > full_at:
            world.controller.evict(job, _EVICTED)

    site.on_wrote, site.run_seconds = wrote, _QUICK_SECONDS
    job = site.job_by_hand()
    await _until(lambda: _ended(site, job))
    site.on_wrote, site.run_seconds, site.disk_full = None, None, False


def _newest(site: Site) -> BuiltGroup:
    return (*site.built_since, *site.groups)[0]


def _ended(site: Site, job: dict[str, Any]) -> bool:
    now = site.cluster_now.get("Job", job["metadata"]["namespace"], job["metadata"]["name"])
    return now is None or bool(now.get("status", {}).get("conditions"))


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(_SOON):
        while not condition():
            await asyncio.sleep(0.01)


L1_STALE = Scenario(
    "l1-stale",
    "The groups were reloaded, and nobody restarted the app: its pods still serve the old default group.",
    lambda _: Symptom(
        SCIENTIST,
        f"{_NEW} was in last week's screen, and I was told that its group is cached. I see no {_NEW}.",
        pert=_NEW,
    ),
    built=_before_the_new_one,
    bring_about=_rebuild_without_restart,
)
HALF_WRITTEN_GROUP = Scenario(
    "half-written-group",
    "A run was cut short while it stored a group: its folder in the bucket is incomplete.",
    lambda site: Symptom(
        SCIENTIST,
        f"In {site.groups[-1].name} I find my genes, but no compound at all, not even {_LOST}.",
        pert=_LOST,
        group=site.groups[-1].name,
    ),
    bring_about=_evict_pod,
)
REBUILD_FAILED = Scenario(
    "rebuild-failed",
    "A run dropped the groups from Redis, wrote some of them, and died.",
    lambda site: Symptom(
        SCIENTIST,
        f"{site.groups[1].name} is gone from the Group Label dropdown. This morning it was there.",
        group=site.groups[1].name,
    ),
    bring_about=_fail_rebuild,
)
REDIS_FLUSHED = Scenario(
    "redis-flushed",
    "Somebody ran FLUSHALL, and no rebuild came after it.",
    lambda site: Symptom(
        SCIENTIST,
        "The Group Label dropdown is empty, and BRCA1 is in none of my maps. Please reload the groups.",
        pert="BRCA1",
        group=site.groups[0].name,
    ),
    bring_about=_flush,
    against=(("rebuild-running", "it means that no rebuild came after the FLUSHALL"),),
)
NOT_REBUILT = Scenario(
    "not-rebuilt-since-built",
    "A group was built after the last rebuild: no layer has it yet.",
    lambda site: Symptom(
        SCIENTIST,
        f"{_newest(site).name} was built today, I was told. I do not find it in the Group Label dropdown.",
        group=_newest(site).name,
    ),
    bring_about=_build_and_leave_it,
)
REBUILD_RUNNING = Scenario(
    "rebuild-running",
    "A run is going on now, slowly; some groups are not there yet.",
    lambda site: Symptom(
        SCIENTIST,
        f"{site.groups[2].name} has just disappeared from the dropdown. Can you reload the groups?",
        group=site.groups[2].name,
    ),
    bring_about=_start_rebuild,
)
