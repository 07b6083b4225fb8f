"""What was deleted from the bucket: seen, marked, taken to the gate; and buckets that keep nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tui_driving import Driver, driven
from tui_stand_ins import NAMES, NOW, StandInCore, World

from toolkit.errors import NotAllowed, Unreachable
from toolkit.systems.bucket import Listing, ObjectInfo


def kept(name: str, generation: int, hours: int, left: int = 144) -> ObjectInfo:
    deleted = NOW - timedelta(hours=hours)
    return ObjectInfo(name, generation, 264_000_000, NOW, "yZRlqg==", deleted, NOW + timedelta(hours=left, minutes=50))


def world_with(*items: ObjectInfo) -> World:
    return World(deleted=list(items))


async def opened(app: Driver) -> None:
    await app.press("3")
    await app.see("in all")
    await app.press("z")
    await app.see("Deleted from gs://rp006-l3-cache/")


async def test_what_is_kept_is_listed_the_last_deleted_first_and_taken_to_the_gate() -> None:
    first = f"{NAMES[4]}/genes.parquet"
    items = (kept(first, 11, 30), kept(first, 12, 2), kept(f"{NAMES[4]}/compounds.parquet", 13, 5, left=12))
    async with driven(world=world_with(*items)) as app:
        await opened(app)
        await app.see("The bucket keeps what is deleted for 7d. 3 objects, 792 MB")
        rows = [line for line in app.text.splitlines() if ".parquet" in line and "264 MB" in line]
        assert [row.split()[1] for row in rows] == ["2h", "5h", "1d"]
        assert rows[1].split()[-2] == "12h"
        await app.press("a")
        await app.see("■ 2 objects marked, 528 MB")
        await app.press("end", "space")
        await app.see("Another generation of it was marked")
        await app.press("z")
        await app.see("Type 'prod-cluster'")
        asked = next(text for text in app.world.asked if text.startswith("restore "))
        assert sorted(asked.split()[1:]) == [f"{NAMES[4]}/compounds.parquet#13", f"{first}#11"]


async def test_a_bucket_without_soft_delete_says_that_nothing_can_be_restored() -> None:
    world = World(soft_delete_seconds=0)
    world.broken["deleted"] = NotAllowed("Soft delete is not enabled.")
    async with driven(world=world) as app:
        await opened(app)
        await app.see("Soft delete is off in this bucket", "nothing can be restored")
        await app.press("z")
        await app.see("There is nothing to restore.")


async def test_where_the_time_has_passed_that_is_said() -> None:
    async with driven() as app:
        await opened(app)
        await app.see("nothing was deleted or written over in the last 7d", "before that is gone")


async def test_a_policy_that_cannot_be_read_leaves_the_list() -> None:
    world = world_with(kept("a/b", 1, 1))
    world.broken["bucket_info"] = NotAllowed("You have not storage.buckets.get on it.")
    async with driven(world=world) as app:
        await opened(app)
        await app.see("How long the bucket keeps what is deleted is not known", "storage.buckets.get", "a/b")


async def test_a_listing_that_breaks_keeps_what_came_and_is_retried(monkeypatch: Any) -> None:
    broken = [True]

    def pages(_core: Any, _prefix: str) -> Any:
        yield Listing((), (kept("a/b", 1, 1),))
        if broken[0]:
            raise Unreachable("Could not list: it still answers 429 after several tries.")
        yield Listing((), (kept("a/c", 2, 1),))

    monkeypatch.setattr(StandInCore, "deleted_pages", pages)
    async with driven(size=(120, 40)) as app:
        await opened(app)
        await app.see("a/b", "so far; then the listing broke (r lists again)", "429")
        broken[0] = False
        await app.press("r")
        await app.see("a/c", "2 objects")


async def test_the_filter_and_the_details() -> None:
    async with driven(world=world_with(kept("a/b", 1, 1), kept("a/c", 2, 1)), size=(120, 40)) as app:
        await opened(app)
        await app.press("f")
        await app.type("c")
        await app.gone("a/b")
        await app.press("enter", "i")
        await app.see("gcloud storage restore", "kept until", "toolkit bucket restore")
        await app.press("escape", "escape")
        await app.see("in all")
