"""A panel asks again by itself, gently, while somebody looks; and says how old what it shows is."""

from __future__ import annotations

import re
from typing import Any

from tui_driving import Driver, driven
from tui_stand_ins import BROKEN, NAMES, World

from toolkit.tui.widgets.panel import Panel


def panel(app: Driver, name: str) -> Panel[Any]:
    found: Panel[Any] = app.app.screen.query_one(f"#{name}", Panel)
    return found


def grow_old(shown: Panel[Any], seconds: float) -> None:
    shown._asked_at -= seconds
    if shown._answered_at is not None:
        shown._answered_at -= seconds


async def test_it_asks_again_by_itself_and_shows_the_old_answer_meanwhile() -> None:
    world = World()
    async with driven(world=world) as app:
        await app.see("nothing needs you", f"★ {NAMES[0]}")
        world.hanging.add("overview")
        world.in_l2 = 2
        grow_old(panel(app, "layers"), 61)
        await app.until(lambda: world.asked.count("overview") == 2, "a second question")
        await app.until(lambda: re.search(r"Layers  1m \ds? ?\d?s? ?ago|Layers  1m \d+s ago", app.text), "its age")
        assert "Layers  asking" not in app.text
        assert f"★ {NAMES[0]}" in app.text
        world.release.set()
        await app.see("Layers  just now", f"{NAMES[2]}       -   -   8/8")


async def test_nobody_looks_nobody_asks() -> None:
    world = World()
    async with driven(world=world) as app:
        await app.see("nothing needs you")
        home = app.app.screen
        await app.press("7")
        await app.see("7 Journal", "Nothing was changed")
        layers: Panel[Any] = home.query_one("#layers", Panel)
        grow_old(layers, 600)
        layers._tick()
        await app.pilot.pause()
        assert world.asked.count("overview") == 1


async def test_a_system_that_stays_down_is_asked_again_and_mends_itself() -> None:
    world = World()
    world.broken["overview"] = BROKEN
    async with driven(world=world, size=(120, 40)) as app:
        await app.see("Layers  down, asked")
        layers = panel(app, "layers")
        grow_old(layers, 61)
        layers._tick()
        assert not layers.asking  # not at the pace of one that answers
        grow_old(layers, 61)
        await app.until(lambda: world.asked.count("overview") == 2, "a second question")
        world.broken.clear()
        grow_old(layers, 600)
        await app.see("Layers  just now", f"★ {NAMES[0]}")


async def test_who_leafs_to_and_fro_asks_a_system_that_hangs_once() -> None:
    world = World()
    world.hanging |= {"overview", "folder "}
    async with driven(world=world) as app:
        await app.see("Layers  asking")
        for _ in range(5):
            await app.press("2", "3", "7", "1")
        await app.until(lambda: app.app.page == "home", "home")
        await app.see("Layers  asking")
        assert world.asked.count("overview") == 2, "one of Home and one of Groups"
        assert world.asked.count("folder ") == 1
        world.release.set()
        await app.see(f"★ {NAMES[0]}")
        await app.press("2")
        await app.see("number 1 of the dropdown")
        assert world.asked.count("overview") == 2


async def test_an_answer_that_comes_while_nobody_looks_is_there_when_one_comes_back() -> None:
    world = World()
    world.hanging.add("overview")
    async with driven(world=world) as app:
        await app.see("Layers  asking")
        layers = panel(app, "layers")
        await app.press("7")
        await app.see("7 Journal", "Nothing was changed")
        world.release.set()
        await app.until(lambda: not layers.asking, "the answer")
        world.broken["overview"] = BROKEN  # it would be seen if it were asked again
        await app.press("1")
        await app.see(f"★ {NAMES[0]}")


async def test_a_question_from_before_a_change_is_asked_anew() -> None:
    world = World()
    world.hanging.add("overview")
    async with driven(world=world) as app:
        await app.see("Layers  asking")
        before = world.asked.count("overview")
        app.app.outdate_pages()
        await app.until(lambda: world.asked.count("overview") > before, "a question of its own")
        world.release.set()
        await app.see(f"★ {NAMES[0]}")
