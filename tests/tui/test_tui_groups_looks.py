"""What the pages of the groups look like; kept in tests/tui/snapshots."""

from __future__ import annotations

from textual.widgets import Input
from tui_driving import Driver
from tui_snapshots import Still, still  # noqa: F401 - a fixture
from tui_stand_ins import FRAMES, NAMES, World, made_up_perts


async def _begin(app: Driver) -> None:
    await app.see("vault 43m left")
    await app.press("2")
    await app.see(NAMES[0], "perts    1,204")


async def test_how_marked_groups_look(still: Still) -> None:
    async with still.driven(world=World(in_l3={NAMES[1]: 5})) as app:
        await _begin(app)
        await app.press("down", "space")
        await app.see("◆ 1 marked")
        await still.looks(app, "groups-marked")


async def test_how_frames_look(still: Still) -> None:
    world = World()
    world.corrupt[FRAMES[2], "L2"] = "its footer is cut off after 12 bytes"
    async with still.driven(world=world) as app:
        await _begin(app)
        await app.press("enter")
        await app.see("✗ not readable", "139,840")
        await app.press("down", "down")
        await app.see("✗ Redis's cannot be read")
        await still.looks(app, "groups-frames")


async def test_how_perts_look(still: Still) -> None:
    async with still.driven(world=World(perts=made_up_perts("compound", 100_000))) as app:
        await _begin(app)
        await app.press("enter")
        await app.see("139,840")
        await app.press("end", "enter")
        await app.see("100,000 perts")
        await app.type("rec-00001")
        await app.see("of 100,000")
        await app.press("tab", "space")
        await app.see("◆ 1 marked")
        await still.looks(app, "groups-perts")


async def test_how_a_pert_that_is_nowhere_looks(still: Still) -> None:
    async with still.driven() as app:
        await _begin(app)
        await app.press("f")
        await app.see("4 names in")
        await app.type("BRAC1")
        await app.see("these are like it")
        await still.looks(app, "groups-find")
        await app.press("enter")
        await app.see("did you mean")
        await still.looks(app, "groups-pert-near")


async def test_how_an_inspection_looks(still: Still) -> None:
    async with still.driven() as app:
        await _begin(app)
        await app.press("i")
        await app.see("1 finding to look at")
        await still.looks(app, "groups-inspect")


async def test_how_a_diff_looks(still: Still) -> None:
    async with still.driven() as app:
        await _begin(app)
        await app.press("space", "d")
        await app.see("6 changes")
        await app.press("v")
        await app.see("vectors too")
        await still.looks(app, "groups-diff")


async def test_how_a_heatmap_looks(still: Still) -> None:
    async with still.driven() as app:
        await _begin(app)
        await app.press("h")
        await app.until(lambda: app.app.screen.query("#line"), "a question")
        await still.looks(app, "groups-ask")
        app.app.screen.query_one("#line", Input).value = "BRCA1 BRCA2 KRAS TP53"
        await app.press("enter")
        await app.see("similar (red)")
        await still.looks(app, "groups-heatmap")


async def test_how_a_download_looks(still: Still) -> None:
    world = World(waiting={"download"})
    async with still.driven(world=world) as app:
        await _begin(app)
        await app.press("g")
        await app.until(lambda: app.app.screen.query("#line"), "a question")
        app.app.screen.query_one("#line", Input).value = "/data"
        await app.press("enter")
        await app.see("633 MB of 2.1 GB")
        await still.looks(app, "groups-download")
        world.waiting.clear()
        await app.see("8 files downloaded")
        await still.looks(app, "groups-downloaded")
