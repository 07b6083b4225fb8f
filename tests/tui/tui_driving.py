"""Driving the terminal app in a test: what is on the screen as text, and waiting for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from textual._context import visible_screen_stack
from textual.pilot import Pilot
from textual.strip import Strip
from textual.widgets import Input, OptionList
from tui_stand_ins import StandInCore, StandInOpener, World

from toolkit.tui.app import ToolkitApp

PATIENCE = 12.0


@dataclass
class Driver:
    """A running app with its pilot and the made-up world behind it."""

    app: ToolkitApp
    pilot: Pilot[Any]
    world: World
    patience: float = PATIENCE

    @property
    def text(self) -> str:
        """What is on the screen now."""
        return screen_text(self.app)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        await self.pilot.press(*("space" if c == " " else "minus" if c == "-" else c for c in text))

    async def answer(self, text: str) -> None:
        """Give the gate's question this answer, as pasted."""
        self.app.screen.query_one("#answer", Input).value = text
        await self.pilot.press("enter")

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        await until(self.pilot, condition, what, self.patience)

    async def see(self, *texts: str) -> None:
        """Wait until all of these are on the screen."""
        for text in texts:
            await self.until(lambda text=text: text in self.text, text)

    async def gone(self, text: str) -> None:
        await self.until(lambda: text not in self.text, f"no {text}")


def screen_text(app: ToolkitApp) -> str:
    """The rows of the terminal as they are drawn, all layers of the screen and what lies below it included."""
    return "\n".join(strip.text.rstrip() for strip in drawn_rows(app))


def drawn_rows(app: ToolkitApp) -> list[Strip]:
    """The rows as the app draws them. Textual tells a dialogue what lies below it only while it draws by itself: one
    that happens to be drawn here for the first time would stand before nothing, and keep that."""
    visible_screen_stack.set(app._background_screens)
    return app.screen._compositor.render_strips()


async def until(pilot: Pilot[Any], condition: Callable[[], object], what: str = "", patience: float = PATIENCE) -> None:
    """Wait for a condition, letting the app go on."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain for {what or condition}; the screen was:\n{screen_text(pilot.app)}")  # type: ignore[arg-type]
        await pilot.pause(0.02)
        await asyncio.sleep(0)


@asynccontextmanager
async def driven(
    environment: str | None = "rp006", *, world: World | None = None, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[Driver]:
    """The app on a made-up world, with `environment` open (None: the list of environments)."""
    world = world or World()
    app = ToolkitApp(StandInOpener(world), environment, core=StandInCore)
    try:
        async with app.run_test(size=size, notifications=True) as pilot:
            driver = Driver(app, pilot, world)
            if environment is None:
                screen = driver.app.screen
                await driver.until(
                    lambda: screen.query_one(OptionList).option_count or screen.has_class("-broken"), "the environments"
                )
            else:
                await driver.see("Needs attention")
            yield driver
    finally:
        world.release.set()  # let hanging threads end
