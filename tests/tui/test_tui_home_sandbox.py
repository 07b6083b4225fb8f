"""Home on the sandbox: each bad day is named among what needs attention, and enter opens the runbook that leads on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_tui_sandbox import _healthy, on_sandbox, world_home  # noqa: F401 - fixtures

from toolkit.sandbox import client


@pytest.mark.parametrize(
    ("scenario", "said", "runbook", "title"),
    [
        ("rebuild-failed", "The last rebuild failed: ", "rebuild-failed", "How did it end"),
        ("l1-stale", "L1 stale: 3 of 3 pods serve the old group", "restart-the-app-after-a-rebuild", "Is no rebuild"),
        ("redis-flushed", "L2 is empty: the app has no group to offer", "reload-the-groups", "Is this the right"),
        ("image-drift", "Image v3.41.2 runs, trunk asks for v3.42.0", "is-it-the-right-image", "Compare the four"),
    ],
)
async def test_it_is_named_and_enter_walks_its_runbook(
    scenario: str,
    said: str,
    runbook: str,
    title: str,
    world_home: Path,  # noqa: F811
) -> None:
    client.apply_scenario([scenario])
    async with on_sandbox(size=(120, 40)) as app:
        await app.see(said, f"→ {runbook}")
        await app.press("v")
        await app.see("by hand", f"runbook  {runbook}")
        await app.press("escape")
        await app.press("enter")
        await app.see("6 Runbooks › ", title)
        assert app.app.session is not None
        await app.press("escape")
        await app.see("Needs attention")


async def test_perts_are_counted_and_the_second_time_nothing_is_read() -> None:
    async with on_sandbox(size=(120, 40)) as app:
        await app.see("nothing needs you")
        await app.until(lambda: re.search(r" \d{3} ✓", app.text) and re.search(r" \d{3} L3 only", app.text), "counts")
        await app.gone("counting perts")
        session = app.app.session
        assert session is not None
        session.core.standing._counts.clear()  # as a new start: what is on disk is enough
        await app.press("r")
        await app.until(lambda: re.search(r" \d{3} L3 only", app.text), "counts once more")
