"""Jump: a part of any name leads there, while some sources hang or are down."""

from __future__ import annotations

import pytest
from tui_driving import driven
from tui_stand_ins import BROKEN, NAMES, World

from toolkit.tui.jump import Target, ranked


def test_what_holds_the_letters_goes_before_what_is_only_like_it() -> None:
    groups = [Target("group", name) for name in NAMES]
    perts = [Target("pert", name) for name in ("BRCA1", "BRCA2", "BRAF", "TP53")]
    assert ranked("brca1", [groups, perts])[0].name == "BRCA1"
    assert ranked("w46 prox", [groups, perts])[0].name == NAMES[1]
    assert ranked("bcra1", [groups, perts])[0].name == "BRCA1"  # mistyped
    assert ranked("zzzzqqq", [groups, perts]) == []
    assert len(ranked("", [groups, perts])) == len(groups) + len(perts)


def test_a_hundred_thousand_names_are_ranked() -> None:
    perts = [Target("pert", f"REC-{number:07d}") for number in range(100_000)]
    assert ranked("rec-0054321", [perts])[0].name == "REC-0054321"
    assert ranked("rec0054321", [perts])[0].name == "REC-0054321"


async def test_a_group_is_jumped_to_from_anywhere_and_back_leads_back() -> None:
    async with driven() as app:
        await app.press("7", "slash")
        await app.see("Jump to", "page", "group")
        await app.type("w45")
        await app.see("group    " + NAMES[2])
        await app.press("enter")
        await app.see("2 Groups", f"{NAMES[2]}", "number 3 of the dropdown")
        await app.press("escape")
        await app.see("7 Journal", "Nothing was changed")


@pytest.mark.parametrize(
    ("typed", "seen"),
    [
        ("w43 folder", ("gs://rp006-l3-cache/rp006_2025w43_centerscale/",)),
        ("cronjob-29372", ("✗ failed", "cronjob-29372")),
        ("journal", ("7 Journal", "Nothing was changed")),
        ("brca1", ("2 Groups › BRCA1", "Where BRCA1 is  1 of 5 groups", "toolkit why BRCA1 --env rp006")),
    ],
)
async def test_each_kind_leads_to_its_page(typed: str, seen: tuple[str, ...]) -> None:
    async with driven() as app:
        await app.press("slash")
        await app.until(lambda: "asking for" not in app.text and "shown" in app.text, "every source")
        await app.type(typed)
        await app.until(lambda: typed.split()[0] in app.text.splitlines()[5].lower(), "a hit on top")
        await app.press("enter")
        await app.see(*seen)


async def test_what_is_down_is_one_line_and_what_hangs_holds_up_nobody() -> None:
    world = World()
    world.broken["pert_names"] = BROKEN
    world.hanging.add("pods")
    async with driven(world=world) as app:
        await app.press("slash")
        await app.see("✗ perts: The Redis proxy does not answer", "● asking for pods …")
        await app.type("bucket")
        await app.see("page     bucket")
        await app.press("enter")
        await app.see("gs://rp006-l3-cache/")


async def test_nothing_is_called_like_that() -> None:
    async with driven() as app:
        await app.press("slash")
        await app.until(lambda: "asking for" not in app.text and "shown" in app.text, "every source")
        await app.type("zzzzqqq")
        await app.see("Nothing is called anything like that.")
        await app.press("enter", "escape")
        await app.see("1 Home", "Needs attention")
