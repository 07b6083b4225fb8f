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
    await app.see("Download gs://", str(Path.cwd())[-12:], "Nothing that is there and differs")
    app.app.screen.query_one("#line", Input).value = f"'{to}'"
    await app.press("enter")


async def test_it_goes_on_while_one_works_elsewhere_and_tells_its_end(tmp_path: Path) -> None:
    async with driven(size=(120, 40)) as app:
        await begun(app, tmp_path)
        await app.see("1.2 GB of 2.1 GB", "57%", "s Stop", f"Download of gs://rp006-l3-cache/{NAMES[4]}/")
        assert f"get {NAMES[4]}/ to {tmp_path}" in app.world.asked
        await app.press("escape")
        await app.see("in all", "1.2 GB of 2.1 GB", "s stops it", f"gs://rp006-l3-cache/{NAMES[4]}/ → ")
        await app.press("1")
        await app.see("nothing needs you")
        app.world.arrive.set()
        await app.see("Downloaded", "2 files, 2.1 GB")
        await app.press("3")
        await app.see("✓ gs://rp006-l3-cache/", "2 files, 2.1 GB", "each checked by its CRC32C")
        await app.press("G")
        await app.see("✓ a", "✓ b", "downloaded", str(tmp_path))
        await app.press("escape", "s")
        await app.gone("each checked")


async def test_one_that_is_stopped_goes_on_from_its_page(tmp_path: Path) -> None:
    async with driven(size=(120, 40)) as app:
        await begun(app, tmp_path)
        await app.see("1.2 GB of 2.1 GB")
        await app.press("escape")
        await app.see("s stops it")
        await app.press("s")
        await app.see("‖ gs://rp006-l3-cache/", "G shows it; from there it goes on where it stopped.")
        await app.press("G")
        await app.see("‖ stopped", "What came is kept", "a Again")
        app.world.arrive.set()
        await app.press("m")
        assert app.app.clipboard.startswith(f"toolkit bucket get gs://rp006-l3-cache/{NAMES[4]}/ --to {tmp_path}")
        await app.press("a")
        await app.see("2 files, 2.1 GB")


async def test_what_did_not_come_is_named_and_replaced_only_after_the_word(tmp_path: Path) -> None:
    why = "is there with other content (--overwrite replaces it)"
    world = World(not_fetched=[(SimpleNamespace(path="a/b"), why)])
    world.arrive.set()
    async with driven(world=world, size=(120, 40)) as app:
        await begun(app, tmp_path)
        await app.see(
            "! 2 files, 2.1 GB; 1 object did not come", "✗ a/b", why, "1 file differs and stayed", "w Replace"
        )
        await app.press("w")
        await app.see("Type 'replace' to replace 1 file", "a/b")
        await app.press("enter")
        await app.see("nothing is replaced")
        world.not_fetched.clear()
        app.app.screen.query_one("#line", Input).value = "replace"
        await app.press("enter")
        await app.see("✓ 2 files, 2.1 GB")
        assert f"get {NAMES[4]}/ to {tmp_path} overwriting" in world.asked


async def test_several_go_on_side_by_side_and_the_same_one_not_twice(tmp_path: Path) -> None:
    async with driven(size=(120, 40)) as app:
        await begun(app, tmp_path)
        await app.see("1.2 GB of 2.1 GB")
        await begun(app, tmp_path)
        await app.see("This download goes on already")
        assert len([text for text in app.world.asked if text.startswith("get ")]) == 1
        await app.press("3")
        await begun(app, tmp_path / "other")
        await app.see("to    ", str(tmp_path / "other"))
        await app.press("s")
        await app.see("‖ stopped")
        await app.press("up")
        await app.gone("‖ stopped")
        await app.see("1.2 GB of 2.1 GB", "stopped")
        app.world.arrive.set()
        await app.see("✓ 2 files, 2.1 GB")


async def test_quitting_while_one_goes_on_asks_and_says_that_it_goes_on_again(tmp_path: Path) -> None:
    async with driven() as app:
        await begun(app, tmp_path)
        await app.see("1.2 GB of 2.1 GB")
        await app.press("q")
        await app.see(
            "A download is going on", "1.2 GB of 2.1 GB", "What has come of a download stays", "s Stop and quit"
        )
        await app.press("escape")
        await app.gone("What has come of a download stays")
        await app.press("q")
        await app.see("What has come of a download stays")
        await app.press("s")
        await app.until(lambda: app.app.return_value == 0, "the end")


async def test_where_it_would_be_quicker_is_said(tmp_path: Path) -> None:
    world = World(said="2.1 GB at 1.0 MB/s = 35m here; on BioHive (bh) 14s at 150 MB/s")
    async with driven(world=world, size=(120, 40)) as app:
        await begun(app, tmp_path)
        await app.see("= 35m here; on BioHive (bh) 14s")


async def test_a_place_that_cannot_be_is_said_and_escape_downloads_nothing(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    async with driven(size=(200, 60)) as app:
        await begun(app, file)
        await app.see("is a file, no folder")
        await app.press("escape")
        await app.gone("is a file, no folder")
        assert not [text for text in app.world.asked if text.startswith("get ")]
