"""What is known of a job looks like, in full; kept in tests/tui/snapshots."""

from __future__ import annotations

from datetime import timedelta

import tui_snapshots
from tui_snapshots import Still, still  # noqa: F401 - a fixture
from tui_stand_ins import World, environment

from toolkit.systems.cluster.events import ObjectEvent

JOB = "rp006-neuro-cache-manager-rxrx-cronjob-29370"


def _event(kind: str, name: str, reason: str, message: str, minutes: int, count: int = 1) -> ObjectEvent:
    at = tui_snapshots.NOW - timedelta(minutes=minutes)
    return ObjectEvent(kind, name, count > 1, reason, message, count, at - timedelta(minutes=count - 1), at, "kubelet")


def _world() -> World:
    world = World(environment=environment())
    world.events = [
        _event("Job", JOB, "SuccessfulCreate", f"Created pod: {JOB}-x7k0p", 57),
        _event("Pod", f"{JOB}-x7k0p", "Scheduled", f"Successfully assigned phenoapp/{JOB}-x7k0p to gke-batch-1", 57),
        _event("Pod", f"{JOB}-x7k0p", "BackOff", "Back-off pulling image europe-docker.example/phenoapp/cache-manager:"
               "2025.11.3: the registry asks for a login, which the node does not have", 3, 4),
    ]  # fmt: skip
    return world


async def test_how_a_cronjob_looks_in_full(still: Still) -> None:
    async with still.driven() as app:
        await app.see("nothing needs you", "vault 43m left")
        await app.press("4")
        await app.see("Jobs  14")
        await app.press("enter")
        await app.see("asks for")
        await still.looks(app, "jobs-details")


async def test_how_the_events_of_a_job_look(still: Still) -> None:
    async with still.driven(world=_world()) as app:
        await app.see("nothing needs you", "vault 43m left")
        await app.press("4")
        await app.see("Jobs  14")
        await app.press("down", "down", "v")
        await app.see("(4 times in 3m)", "SuccessfulCreate")
        await still.looks(app, "jobs-events")


async def test_how_yaml_looks(still: Still) -> None:
    async with still.driven() as app:
        await app.see("nothing needs you", "vault 43m left")
        await app.press("4")
        await app.see("Jobs  14")
        await app.press("Y")
        await app.see("apiVersion: batch/v1")
        await still.looks(app, "jobs-yaml")


async def test_how_an_object_of_the_bucket_looks_in_full(still: Still) -> None:
    async with still.driven() as app:
        await app.see("nothing needs you", "vault 43m left")
        await app.press("3")
        await app.see("in all")
        await app.press("right")
        await app.see("genes.parquet")
        await app.press("down", "i")
        await app.see("metageneration")
        await still.looks(app, "bucket-object")
