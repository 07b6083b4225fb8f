"""The bucket's folders: unfolded when asked, counted in the background, however many objects there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tui_driving import Driver, driven
from tui_stand_ins import BROKEN, NAMES, NOW, StandInCore, World

from toolkit.errors import NotAllowed, Unreachable
from toolkit.systems.bucket import Listing, ObjectInfo
from toolkit.tui.screens.bucket import BucketPage

BUSY = Unreachable("Could not list gs://rp006-l3-cache/: it still answers 503 after several tries.")


def line_of(app: Driver, text: str) -> str:
    return next(line for line in app.text.splitlines() if text in line)


def page(app: Driver) -> BucketPage:
    screen = app.app.screen
    assert isinstance(screen, BucketPage)
    return screen


def objects(prefix: str, first: int, count: int) -> tuple[ObjectInfo, ...]:
    return tuple(ObjectInfo(f"{prefix}{n:06}.parquet", 1, 10, NOW) for n in range(first, first + count))


def paged(monkeypatch: Any, pages: Any) -> None:
    """Folders below the top list as `pages(prefix)` says."""
    real = StandInCore.folder_pages
    monkeypatch.setattr(
        StandInCore, "folder_pages", lambda self, prefix: pages(self, prefix) if prefix else real(self, prefix)
    )


async def test_folders_are_counted_and_it_is_said_what_they_are_to_the_app() -> None:
    world = World(in_l3={NAMES[1]: 5})
    async with driven(world=world) as app:
        await app.press("3")
        await app.see("gs://rp006-l3-cache/", "5 folders, 37 objects, 9.8 GB in all", "newest 3d")
        assert line_of(app, NAMES[0]).split()[1:] == [f"{NAMES[0]}/", "★", "default", "8", "2.1", "GB", "3d"]
        assert "✗ 5/8 number 2" in line_of(app, NAMES[1])
        assert "left behind" in line_of(app, NAMES[4])
        await app.see("✗ 1 incomplete", "2 left behind", "Its group is not in the index: the app does not offer it.")


async def test_sizes_that_still_grow_say_so() -> None:
    world = World()
    world.hanging.add(f"size {NAMES[0]}/")
    async with driven(world=world) as app:
        await app.press("3")
        await app.see("32 objects, 8.4 GB so far, still counting 1 of 5 folders")
        world.release.set()
        await app.see("5 folders, 40 objects, 10.6 GB in all")


async def test_redis_that_is_down_leaves_the_sizes_and_says_what_is_not_known() -> None:
    world = World()
    world.broken["index"] = BROKEN
    async with driven(world=world) as app:
        await app.press("3")
        await app.see("5 folders, 40 objects, 10.6 GB in all")
        assert "default" not in line_of(app, NAMES[0])


async def test_a_folder_opens_and_closes_with_enter_and_with_the_arrows() -> None:
    async with driven() as app:
        await app.press("3")
        await app.see(NAMES[0])
        await app.press("down", "enter")
        await app.see("▾ ", "genes_split_by.parquet", "264 MB")
        await app.press("enter")
        await app.gone("genes_split_by.parquet")
        await app.press("right")
        await app.see("genes_split_by.parquet")
        await app.press("right", "down")
        await app.until(lambda: page(app).panel.row.path.endswith(".parquet"))
        await app.press("left")
        await app.until(lambda: page(app).panel.row.path == f"{NAMES[3]}/")
        await app.press("left")
        await app.gone("genes_split_by.parquet")
        assert app.world.asked.count(f"folder {NAMES[3]}/") == 1


async def test_open_folders_and_marks_stay_over_a_refresh() -> None:
    async with driven() as app:
        await app.press("3")
        await app.see(NAMES[0])
        await app.press("enter")
        await app.see("genes.parquet")
        await app.press("down", "space")
        await app.see("■ 1 object marked, 264 MB")
        await app.press("r")
        await app.until(lambda: app.world.asked.count(f"folder {NAMES[4]}/") == 2)
        await app.see("genes.parquet", "■ 1 object marked, 264 MB")


async def test_a_folder_that_cannot_be_listed_or_counted_leaves_the_others() -> None:
    world = World()
    denied = NotAllowed("You may not list gs://rp006-l3-cache.")
    world.broken |= {f"folder {NAMES[4]}/": denied, f"size {NAMES[4]}/": denied}
    async with driven(world=world) as app:
        await app.press("3")
        await app.see("not counted", "without 1 folder that cannot be counted")
        await app.press("enter")
        await app.see("✗ the listing broke after 0")
        await app.press("down")
        await app.see("You may not list gs://rp006-l3-cache.", "Enter lists it again.")
        world.broken.clear()
        await app.press("enter")
        await app.see("genes.parquet")


async def test_a_listing_that_breaks_in_the_middle_keeps_what_came_and_tries_again(monkeypatch: Any) -> None:
    broken = [True]

    def pages(_core: Any, prefix: str) -> Iterator[Listing]:
        yield Listing((), objects(prefix, 0, 1000))
        if broken[0]:
            raise BUSY
        yield Listing((), objects(prefix, 1000, 204))

    paged(monkeypatch, pages)
    async with driven() as app:
        await app.press("3")
        await app.see(NAMES[4])
        await app.press("enter")
        await app.see("000001.parquet")
        await app.until(lambda: len(page(app).panel.table.things) == 1006)
        page(app).panel.table.rows.go(1001)
        await app.see("✗ the listing broke after 1,000", "503", "Enter lists it again")
        broken[0] = False
        await app.press("enter")
        await app.until(lambda: len(page(app).panel.table.things) == 1209)
        await app.gone("the listing broke")


async def test_a_hundred_thousand_objects_are_listed_page_by_page_and_moved_through(monkeypatch: Any) -> None:
    def pages(core: Any, prefix: str) -> Iterator[Listing]:
        for number in range(100):
            if number == 12:
                core.world.ask("the thirteenth page")
            yield Listing((), objects(prefix, number * 1000, 1000))

    paged(monkeypatch, pages)
    world = World()
    world.hanging.add("the thirteenth page")
    async with driven(world=world) as app:
        app.patience = 60.0
        await app.press("3")
        await app.see(NAMES[4])
        await app.press("right")
        await app.until(lambda: len(page(app).panel.table.things) == 12_006)
        page(app).panel.table.rows.go(12_001)
        await app.see("12,000 so far …", "011999.parquet")
        await app.press("home", "down", "down")
        await app.see("000001.parquet")
        world.release.set()
        await app.until(lambda: len(page(app).panel.table.things) == 100_005)
        assert page(app).panel.row.path.endswith("000001.parquet")
        await app.press("end", "up", "up", "up", "up")
        await app.see("099999.parquet")
        await app.press("f")
        await app.type("4242")
        await app.see("filter: ", "042429.parquet", "094242.parquet")
        await app.gone("099999.parquet")
        await app.press("enter", "home")
        await app.see("004242.parquet")
        await app.press("a")
        await app.see("■ 20 objects marked, 200 B")
        await app.press("f", "escape")
        await app.see("■ 20 objects marked, 200 B")
        await app.gone("filter: ")
        await app.press("end")
        await app.see("rp006_2025w47_prox_bias_reduced")


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
    hanging = {f"size {name}/" for name in NAMES[1:]}
    world.hanging |= hanging
    async with driven(world=world) as app:
        await app.press("3")
        await app.until(lambda: hanging <= set(world.asked))
        await app.press("1")
        await app.see("nothing needs you")
        assert f"size {NAMES[0]}/" not in world.asked
        world.hanging.clear()
        await app.press("3")
        await app.see("5 folders, 40 objects")


async def test_many_are_marked_and_taken_to_the_gate() -> None:
    async with driven() as app:
        await app.press("3")
        await app.see("in all")
        await app.press("right", "down", "space", "space")
        await app.see("■ 2 objects marked, 528 MB")
        await app.press("home", "space")
        await app.see("■ 1 folder marked: 8 objects, 2.1 GB", "▪")
        await app.press("space")
        await app.see("It is marked with")
        page(app).panel.point_at(f"{NAMES[0]}/")
        await app.until(lambda: page(app).panel.row.path == f"{NAMES[0]}/")
        await app.press("space")
        await app.see("■ 2 folders marked: 16 objects, 4.2 GB")
        await app.press("x")
        await app.see("Type 'prod-cluster'")
        assert f"remove {NAMES[4]}/ {NAMES[0]}/" in app.world.asked
        await app.press("escape", "u")
        await app.gone("marked")


async def test_a_single_object_is_removed_as_that_object_alone() -> None:
    seen: list[Any] = []
    async with driven() as app:
        core = app.app.opened().core
        remove = core.remove
        core.remove = lambda targets: [seen.extend(targets), remove(targets)][1]  # type: ignore[method-assign]
        await app.press("3")
        await app.see("in all")
        await app.press("right", "down", "x")
        await app.see("Type 'prod-cluster'")
    assert [target.only for target in seen] == [True]


async def test_copying_gives_the_url_and_jumping_points_at_the_folder() -> None:
    async with driven() as app:
        await app.press("3")
        await app.see("in all")
        await app.press("down", "y")
        await app.until(lambda: app.app.clipboard == f"gs://rp006-l3-cache/{NAMES[3]}/")
        await app.press("1", "slash")
        await app.see("names shown")
        await app.type("w45")
        await app.see(f"{NAMES[2]}/")
        await app.press("down", "enter") if "folder" not in line_of(app, "w45") else await app.press("enter")
        await app.until(lambda: app.app.page == "bucket" and page(app).panel.row.path == f"{NAMES[2]}/")


async def test_an_object_and_a_folder_tell_all_that_is_known() -> None:
    async with driven(size=(120, 40)) as app:
        await app.press("3")
        await app.see("in all")
        await app.press("i")
        await app.see("gcloud storage rm 'gs://rp006-l3-cache/", "8 objects, 2.1 GB")
        await app.press("escape", "right", "down", "i")
        await app.see("1764000000000001", "264,000,000 bytes", "yZRlqg==", "XrY7u+Ae7tCTyyK7j1rNww==", "STANDARD")
        await app.see("gcloud storage objects describe gs://", "application/vnd.apache.parquet")
