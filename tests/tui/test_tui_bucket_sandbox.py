"""The bucket's page on the sandbox: open, mark many, plan, refuse, delete, restore, download, read-only."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_tui_sandbox import _healthy, on_sandbox, world_home  # noqa: F401 - fixtures
from textual.widgets import Input
from tui_driving import Driver

from toolkit.actions.journal import Journal
from toolkit.tui.screens.bucket import BucketPage


async def opened(app: Driver) -> BucketPage:
    await app.see("▞▞ SANDBOX ▞▞")
    await app.press("3")
    await app.see("5 folders, 40 objects", "in all", "★ default", "2 left behind")
    assert isinstance(app.app.screen, BucketPage)
    return app.app.screen


async def test_objects_are_marked_deleted_and_restored_through_the_gate() -> None:
    async with on_sandbox(size=(120, 40)) as app:
        page = await opened(app)
        await app.press("right")
        await app.see("compounds.parquet")
        folder = page.panel.row.path
        await app.press("down", "space", "space", "space")
        await app.see("■ 3 objects marked")
        await app.press("x")
        await app.see("Remove 3 objects from the bucket", "soft delete", "gcloud storage rm", "Type 'sandbox'")
        await app.answer("no")
        await app.see("nothing was changed")
        await app.answer("sandbox")
        await app.see("3 of 3 objects deleted", "none of the 3 objects is left", "bucket restore --manifest")
        await app.press("escape")
        await app.see("37 objects", "✗ 5/8 left behind")
        await app.gone("marked")
        await app.press("z")
        await app.see("The bucket keeps what is deleted for 7d", folder)
        await app.press("f")
        await app.type(folder)
        await app.press("enter", "a")
        await app.see("■ 3 objects marked")
        await app.press("z")
        await app.see("Restore 3 deleted objects in the bucket", "y")
        await app.answer("y")
        await app.see("3 of 3 objects are back", "with the content they had")
        await app.press("escape", "escape")
        await app.see("5 folders, 40 objects", "in all")
    assert [one.action for one in Journal().operations()][-2:] == ["bucket.remove", "bucket.restore"]


async def test_a_folder_is_downloaded_and_every_file_checked(tmp_path: Path) -> None:
    async with on_sandbox(size=(120, 40)) as app:
        page = await opened(app)
        folder = page.panel.row.path
        for expected in ("8 files, 2.9 MB", "8 files were there already"):
            await app.press("g")
            await app.see("Download gs://")
            app.app.screen.query_one("#line", Input).value = str(tmp_path)
            await app.press("enter")
            await app.see(f"✓ {expected}" if "MB" in expected else expected, "each checked by its CRC32C")
            await app.press("escape")
            await app.see("✓ gs://", expected)
            await app.press("s")
            await app.gone("each checked")
    assert len(list((tmp_path / folder).glob("*.parquet"))) == 8


async def test_read_only_refuses_a_deletion_and_shows_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOOLKIT_READ_ONLY", "1")
    async with on_sandbox(size=(120, 40)) as app:
        await opened(app)
        await app.press("x")
        await app.see("✗ refused", "is read-only here", "Remove 8 objects")


async def test_an_object_tells_what_the_bucket_says_of_it() -> None:
    async with on_sandbox(size=(120, 40)) as app:
        await opened(app)
        await app.press("right")
        await app.see("compounds.parquet")
        await app.press("down", "i")
        await app.see("generation", "crc32c", "content type", "STANDARD", "gcloud storage objects describe")
