"""Downloads of what is marked in the bucket: asked where to, in the background, stopped, ended well and badly."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from textual.widgets import Input
from tui_driving import Driver, driven
from tui_stand_ins import NAMES, World


async def begun(app: Driver, to: Path) -> None:
    await app.press("3")
    await app.see("in all")
    await app.press("g")
    await app.see("Download to", str(Path.cwd())[-12:], "stay as they are")
    app.app.screen.query_one("#place", Input).value = str(to)
    await app.press("enter")


async def test_it_goes_on_while_one_works_elsewhere_and_tells_its_end(tmp_path: Path) -> None:
    async with driven(size=(120, 40)) as app:
        await begun(app, tmp_path)
        await app.see("1.2 GB of 2.1 GB", "57%", "s stops it", f"gs://rp006-l3-cache/{NAMES[4]}/ → ")
        assert f"get {NAMES[4]}/ to {tmp_path}" in app.world.asked
        await app.press("1")
        await app.see("nothing needs you")
        app.world.arrive.set()
        await app.see("downloaded")
        await app.press("3")
        await app.see("✓ gs://rp006-l3-cache/", "2 files, 2.1 GB", "each checked by its CRC32C")
        await app.press("s")
        await app.gone("each checked")


async def test_one_that_is_stopped_says_that_it_can_go_on(tmp_path: Path) -> None:
    async with driven(size=(120, 40)) as app:
        await begun(app, tmp_path)
        await app.see("s stops it")
        await app.press("s")
        await app.see("‖ gs://rp006-l3-cache/", "The same download again goes on where it stopped.")


async def test_what_did_not_come_is_named(tmp_path: Path) -> None:
    world = World(not_fetched=[(SimpleNamespace(path="a/b"), "is there with other content")])
    world.arrive.set()
    async with driven(world=world, size=(120, 40)) as app:
        await begun(app, tmp_path)
        await app.see("✗ gs://rp006-l3-cache/", "1 object did not come", "a/b: is there with other content")


async def test_a_place_that_cannot_be_is_said_and_escape_downloads_nothing(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    async with driven(size=(200, 60)) as app:
        await begun(app, file)
        await app.see("is a file, not a folder")
        await app.press("ctrl+o")
        await app.see("are replaced")
        await app.press("escape")
        await app.gone("Download to")
        assert not [text for text in app.world.asked if text.startswith("get ")]
