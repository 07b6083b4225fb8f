"""The groups and their frames."""

from __future__ import annotations

from typing import Any

from tui_driving import driven
from tui_stand_ins import BROKEN, FRAMES, NAMES, StandInCore, World

from toolkit.cache.groups import Group, Overview
from toolkit.cache.presence import Presence


async def test_groups_show_rank_layers_bytes_and_default() -> None:
    async with driven() as app:
        await app.press("2")
        await app.see(f"★  {NAMES[0]}", f"2  {NAMES[1]}", f"-  {NAMES[4]}", "number 1 of the dropdown, the default")
        row = next(line for line in app.text.splitlines() if NAMES[0] in line)
        assert row.split() == ["★", NAMES[0], "9h", "8/8", "2.1", "GB", "8/8", "2.1", "GB"]
        await app.press("end")
        await app.see("not in the index: the app does not offer it")


async def test_enter_shows_the_frames_and_escape_goes_back() -> None:
    async with driven() as app:
        await app.press("2")
        await app.see(NAMES[1])
        await app.press("down", "enter")
        await app.see(f"Frames of {NAMES[1]}  8 of 8", *FRAMES, f"key      {NAMES[1]}:genes", "gs://rp006-l3-cache/")
        await app.press("escape")
        await app.see("number 2 of the dropdown")


async def test_an_absent_frame_is_said_in_words() -> None:
    async with driven() as app:
        await app.press("2")
        await app.see(NAMES[4])
        await app.press("end", "enter")
        await app.see("- absent")


async def test_a_row_is_copied_in_full_however_narrow_the_terminal() -> None:
    async with driven(size=(60, 24)) as app:
        await app.press("2")
        await app.see("…", "8/8")
        await app.press("y")
        assert app.app.clipboard.split("\t")[1] == NAMES[0]


async def test_a_layer_that_cannot_be_read_is_unknown_and_the_other_is_shown(monkeypatch: Any) -> None:
    unknown = Presence(None, None, None, 8, "The Redis proxy does not answer at 10.20.30.40:6379.")
    found = Group(NAMES[0], None, None, unknown, Presence(True, 8, 2_000_000_000, 8), False)
    monkeypatch.setattr(StandInCore, "overview", lambda self: Overview((found,), ("Redis (L2) could not be read.",)))
    async with driven(size=(100, 24)) as app:
        await app.press("2")
        await app.see("8/8", "? L2: The Redis proxy does not answer", "· Redis (L2) could not be read.")
        row = next(line for line in app.text.splitlines() if NAMES[0] in line)
        assert row.split()[2:5] == ["?", "?", "?"]


async def test_no_group_anywhere_is_said(monkeypatch: Any) -> None:
    monkeypatch.setattr(StandInCore, "overview", lambda self: Overview(()))
    async with driven() as app:
        await app.press("2")
        await app.see("No group anywhere")
        await app.press("enter", "y")  # nothing is under the cursor: nothing happens, nothing breaks
        await app.see("There is nothing to copy here")


async def test_both_layers_down_is_one_panel_with_a_retry() -> None:
    world = World()
    world.broken["overview"] = BROKEN
    async with driven(world=world) as app:
        await app.press("2")
        await app.see("Groups  down", "cannot be reached")
        await app.press("y")  # the problem stands in the list's place, and has its focus
        await app.until(lambda: "nc -vz 10.20.30.40 6379" in app.app.clipboard, "a copied problem")
        world.broken.clear()
        await app.press("r")
        await app.see(NAMES[0])
        await app.press("down", "y")
        await app.until(lambda: NAMES[1] in app.app.clipboard, "a copied row")


async def test_a_number_key_leaves_the_frames_for_the_list() -> None:
    async with driven() as app:
        await app.press("2")
        await app.see(NAMES[0])
        await app.press("enter")
        await app.see("Frames of")
        await app.press("2")
        await app.see("Groups  5")
