"""Nothing essential is clipped on 80x24; smaller and bigger terminals, both themes and no colour work too."""

from __future__ import annotations

import pytest
from tui_driving import Driver, driven
from tui_stand_ins import BROKEN, FRAMES, HOPS, NAMES, World

from toolkit.tui.registry import ACTS, PAGES, page_key

SIZES = ((80, 24), (120, 40), (200, 60))


async def _everywhere(app: Driver) -> None:
    """Every screen, with what must be seen there."""
    await app.see("1 Home", "2 Groups", "3 Bucket", "4 Jobs", "7 Journal", "? Help", "q Quit", "^p Find")
    hops = HOPS if app.app.size.height > 24 else HOPS[:8]  # the list scrolls, a broken one comes into view
    await app.see(*hops, *NAMES, "L1", "L2", "L3", "8/8", "runs", "✗ 4m", "MST", "UTC", "nothing needs you")
    await app.press("2")
    await app.see(*NAMES, "2.1 GB", "number 1 of the dropdown, the default")
    await app.press("enter")
    await app.see(f"Frames of {NAMES[0]}", *FRAMES, f"{NAMES[0]}/genes.parquet")
    await app.press("3")
    await app.see("gs://rp006-l3-cache/", *NAMES, "10.6 GB in all")
    await app.press("4")
    await app.see(
        "rp006-neuro-cache-manager-rxrx-cronjob", "prod-cluster/phenoapp", "by schedule", "✗ failed", "rp006-prod"
    )
    await app.press("b")
    await app.see("→ create Job rp006-neuro-cache-manager-rxrx-cronjob-manual-x7k2p9", "Type 'prod-cluster' to carry")
    await app.see("PROTECTED", "esc Close")
    await app.answer("prod-cluster")
    await app.see("✓ done", "undo     toolkit groups restore --from x", "log  30 lines")
    await app.press("escape", "7")
    await app.see("✓ done", "The Job completed after 3 s.", "v Verify")


@pytest.mark.parametrize("size", SIZES)
async def test_nothing_essential_is_clipped(size: tuple[int, int]) -> None:
    async with driven(size=size) as app:
        await _everywhere(app)


async def test_without_colour_everything_is_still_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with driven() as app:
        await _everywhere(app)


async def test_the_light_theme_and_back() -> None:
    async with driven() as app:
        dark = app.app.theme
        await app.press("t")
        assert app.app.theme != dark
        assert not app.app.current_theme.dark
        await _everywhere(app)
        await app.press("t")
        assert app.app.theme == dark


@pytest.mark.parametrize("size", [(40, 12), (20, 6), (80, 24)])
async def test_a_tiny_terminal_breaks_nothing(size: tuple[int, int]) -> None:
    world = World()
    world.broken["cache_manager"] = BROKEN
    async with driven(None, world=world, size=size) as app:
        await app.press("down", "enter")
        await app.until(lambda: app.app.session is not None)
        for key in ("2", "enter", "3", "enter", "4", "7", "question_mark", "escape", "4", "b"):
            await app.press(key)
            await app.pilot.pause()
        assert app.app.is_running


async def test_a_terminal_that_is_resized_is_drawn_anew() -> None:
    async with driven(size=(60, 20)) as app:
        await app.press("2")
        await app.see("…")
        await app.pilot.resize_terminal(160, 50)
        await app.see(*NAMES, "built at")
        await app.pilot.resize_terminal(80, 24)
        await app.see(*NAMES)
        await app.gone("built at")


@pytest.mark.parametrize("page", PAGES)
async def test_the_footer_fits_on_80_columns(page: str) -> None:
    async with driven() as app:
        await app.press(page_key(page))
        await app.see("q Quit", "^p Find")
        footer = app.text.splitlines()[-1]
        assert len(footer) <= 80
        assert footer.rstrip().endswith("q Quit"), [act.label for act in ACTS if act.footer]


async def test_a_long_name_is_cut_visibly_with_both_ends_left() -> None:
    async with driven(size=(50, 20)) as app:
        await app.press("2")
        await app.see("rp006_2025w4", "…", "ed")
