"""The events of new groups on the screen: followed, set against the last rebuild; and a Kafka that is silent."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import tui_stand_ins
from tui_driving import driven
from tui_stand_ins import NAMES, World, environment

from toolkit.environments.events import Kafka
from toolkit.errors import Unreachable
from toolkit.systems.kafka import Event, Notice


def event(number: int, group: str, **changes: object) -> Event:
    """Created `number` days ago."""
    at = tui_stand_ins.NOW - timedelta(days=number)
    document = {"event": "group-created", "group": group, "created_by": "group-auto-loader"}
    made = Event(at, "producer", number % 3, number, group, group, document, 120)
    return replace(made, **changes)  # type: ignore[arg-type]


def world() -> World:
    # The last good rebuild of the stand-ins began three days ago.
    kafka = Kafka(bootstrap="kafka.example.com:9093", topic="rp006.phenoservice.group-created")
    return World(
        environment=environment(kafka=kafka),
        group_events=[event(11, NAMES[1]), event(4, NAMES[0]), event(1, "rp006_2025w48_lighting_corrected")],
    )


async def test_the_latest_first_and_which_no_rebuild_has_seen(home: Path) -> None:
    async with driven(world=world()) as app:
        await app.press("2", "v")
        await app.see("2 Groups › Events", "the last 3, 1 not cached yet", "✗ not yet", "✓ yes")
        rows = [line for line in app.text.splitlines() if "✓ yes" in line or "✗ not yet" in line]
        assert rows[0].split()[1] == "rp006_2025w48_lighting_corrected"
        await app.see("toolkit cache rebuild --env rp006", "created_by")
        await app.press("down")
        await app.see("rp006.phenoservice.group-created, partition 1", "offset 4")
        await app.press("escape")
        await app.gone("Events of new groups")


async def test_what_comes_is_shown_and_a_lost_connection_too(home: Path) -> None:
    made = world()
    async with driven(world=made) as app:
        await app.press("2", "v")
        await app.see("the last 3")
        made.group_events.append(Notice("Kafka at kafka:9093 cannot be reached: Connection refused."))
        await app.see("! Kafka at kafka:9093 cannot be reached")
        made.group_events.append(Notice("Kafka at kafka:9093 answers again.", over=True))
        await app.gone("cannot be reached")
        made.group_events.append(event(0, "one_that_has_just_come\x1b[2J"))
        await app.see("the last 4, 2 not cached yet", "one_that_has_just_come")


async def test_kafka_that_is_down_has_its_reason_and_can_be_asked_again(home: Path) -> None:
    made = world()
    made.broken["group_events"] = Unreachable("Kafka at kafka:9093 cannot be reached.", hint="Is your VPN up?")
    async with driven(world=made) as app:
        await app.press("2", "v")
        await app.see("Kafka at kafka:9093 cannot be reached.", "Is your VPN up?")
        made.broken.clear()
        await app.press("r")
        await app.see("the last 3")


async def test_without_the_cluster_the_events_are_there_all_the_same(home: Path) -> None:
    made = world()
    made.broken["cache_manager"] = Unreachable("The cluster prod-cluster is silent.")
    async with driven(world=made) as app:
        await app.press("2", "v")
        await app.see("the last 3", "? unknown", "The cluster prod-cluster is silent.")


async def test_no_event_yet(home: Path) -> None:
    async with driven(world=World()) as app:
        await app.press("2", "v")
        await app.see("No event yet")
