"""What the pages look like that ask systems beyond the cache: the auto-loader's and BioHive's."""

from __future__ import annotations

from tui_snapshots import Still, still  # noqa: F401 - a fixture


async def test_how_the_loader_looks(still: Still) -> None:
    async with still.driven() as app:
        await app.see("nothing needs you", "vault 43m left")
        await app.press("A")
        await app.see("configome lacks hit_rescaled", "toolkit loader plan")
        await still.looks(app, "loader")


async def test_how_biohive_looks(still: Still) -> None:
    async with still.driven() as app:
        await app.see("nothing needs you", "vault 43m left")
        await app.press("S")
        await app.see("no toolkit there", "toolkit biohive jupyter")
        await still.looks(app, "biohive")


async def test_how_a_finding_in_full_looks(still: Still) -> None:
    async with still.driven() as app:
        await app.see("nothing needs you", "vault 43m left")
        await app.press("A")
        await app.see("configome lacks hit_rescaled", "toolkit loader plan")
        await app.press("enter")
        await app.see("look --at loader-settings")
        await still.looks(app, "finding")
