"""The bucket's folders: unfolded when asked, counted in the background."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tui_driving import driven
from tui_stand_ins import BROKEN, NAMES, NOW, StandInCore, World

from toolkit.errors import NotAllowed


async def test_folders_are_counted_in_the_background() -> None:
    async with driven() as app:
        await app.press("3")
        await app.see("gs://rp006-l3-cache/", f"▸ {NAMES[0]}/", "5 folders, 40 objects, 10.6 GB in all")
        row = next(line for line in app.text.splitlines() if NAMES[0] in line)
        assert row.split()[2:] == ["8", "2.1", "GB"]


async def test_a_folder_opens_and_closes() -> None:
    async with driven() as app:
        await app.press("3")
        await app.see(NAMES[0])
        await app.press("down", "enter")
        await app.see("▾ ", "genes_split_by.parquet", "264 MB", "3d ago")
        await app.press("enter")
        await app.gone("genes_split_by.parquet")
        assert app.world.asked.count(f"folder {NAMES[3]}/") == 1


async def test_open_folders_stay_open_over_a_refresh() -> None:
    async with driven() as app:
        await app.press("3")
        await app.see(NAMES[0])
        await app.press("enter")
        await app.see("genes.parquet")
        await app.press("r")
        await app.until(lambda: app.world.asked.count(f"folder {NAMES[4]}/") == 2)
        await app.see("genes.parquet")


async def test_a_folder_that_cannot_be_listed_or_counted_leaves_the_others() -> None:
    world = World()
    denied = NotAllowed("You may not list gs://rp006-l3-cache.")
    world.broken |= {f"folder {NAMES[4]}/": denied, f"size {NAMES[4]}/": denied}
    async with driven(world=world) as app:
        await app.press("3")
        await app.see("not counted")
        await app.press("enter")
        await app.see("cannot be listed", "You may not list")
        await app.press("down", "enter")
        await app.see("genes.parquet")


async def test_a_long_folder_says_how_much_is_shown(monkeypatch: Any) -> None:
    objects = [SimpleNamespace(path=f"{NAMES[4]}/{n:05}.parquet", bytes=1, updated=NOW) for n in range(1204)]
    real = StandInCore.folder
    monkeypatch.setattr(
        StandInCore,
        "folder",
        lambda self, prefix: SimpleNamespace(folders=(), objects=tuple(objects)) if prefix else real(self, prefix),
    )
    async with driven() as app:
        await app.press("3")
        await app.see(NAMES[4])
        await app.press("enter")
        await app.see("00001.parquet")
        await app.press("end", *["up"] * 4)
        await app.see("… 500 of 1,204 objects shown")


async def test_a_bucket_that_is_down_is_a_panel_with_a_retry() -> None:
    world = World()
    world.broken["folder "] = BROKEN
    async with driven(world=world) as app:
        await app.press("3")
        await app.see("cannot be reached", "r tries again")
        world.broken.clear()
        await app.press("r")
        await app.see(NAMES[0])


async def test_leaving_stops_the_counting_and_coming_back_goes_on() -> None:
    world = World()
    world.hanging.add(f"size {NAMES[3]}/")
    async with driven(world=world) as app:
        await app.press("3")
        await app.until(lambda: f"size {NAMES[3]}/" in world.asked)
        await app.press("1")
        await app.see("nothing needs you")
        assert f"size {NAMES[2]}/" not in world.asked
        world.hanging.clear()
        await app.press("3")
        await app.see("5 folders, 40 objects")
