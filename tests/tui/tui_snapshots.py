"""What a screen looks like, kept as text: the rows, and which style each cell has, in every size and theme.

    async def test_how_logs_look(still: Still) -> None:
        async with still.driven() as app:
            await app.press("5")
            await app.see("the last thing that appears")
            await still.looks(app, "logs")

`UPDATE_SNAPSHOTS=1 uv run pytest tests/tui -k look` writes tests/tui/snapshots anew: read the difference. What does
not agree is written to the test's temporary folder as SVG, to be looked at.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import string
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, tzinfo
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import tui_stand_ins
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widgets import Input
from tui_driving import Driver, drawn_rows, driven, screen_text, until
from tui_stand_ins import World

import toolkit.tui

KEPT = Path(__file__).parent / "snapshots"
SIZES = ((80, 24), (120, 40), (200, 60))
THEMES = ("toolkit-dark", "toolkit-light", "ansi-dark")
NOW = datetime(2025, 11, 24, 12, 30, tzinfo=UTC)
_LETTERS = string.ascii_letters + "αβγδεζηθικλμνξοπρστυφχψω"


class _Kind(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, datetime)


class StillClock(datetime, metaclass=_Kind):
    """`datetime`, for which it is always NOW."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return NOW.astimezone(tz)


class Still:
    """The made-up world at a moment that does not pass."""

    def __init__(self, patch: pytest.MonkeyPatch, directory: Path) -> None:
        self._directory = directory
        for module in pkgutil.walk_packages(toolkit.tui.__path__, "toolkit.tui."):
            importlib.import_module(module.name)
        for name, module in list(sys.modules.items()):
            if name.startswith("toolkit.") and getattr(module, "datetime", None) is datetime:
                patch.setattr(module, "datetime", StillClock)
        patch.setattr(tui_stand_ins, "NOW", NOW)
        for module in list(sys.modules.values()):
            if getattr(module, "__name__", "").startswith("toolkit.tui.") and hasattr(module, "ticks"):
                patch.setattr(module, "ticks", lambda: 1000.0)
        for variable in ("NO_COLOR", "TOOLKIT_THEME"):
            patch.delenv(variable, raising=False)
        patch.setattr("toolkit.tui.session.whoever", lambda: "anna@desk")

    @asynccontextmanager
    async def driven(self, environment: str | None = "rp006", world: World | None = None) -> AsyncIterator[Driver]:
        """The app at 80x24, as `tui_driving.driven` gives it; without animation and toasts."""
        async with driven(environment, world=world, size=SIZES[0]) as app:
            app.app.animation_level = "none"
            yield app

    async def looks(
        self,
        app: Driver,
        name: str,
        *,
        sizes: Sequence[tuple[int, int]] = SIZES,
        themes: Sequence[str] = THEMES,
    ) -> None:
        """Fail where the screen does not look as it is kept under `name`."""
        wrong = []
        for size in sizes:
            await app.pilot.resize_terminal(*size)
            seen = [await self._text(app, size)]
            for theme in themes:
                app.app.theme = theme
                await self._text(app, size)
                seen.append(f"--- {theme}\n" + _styles(drawn_rows(app.app)))
            app.app.theme = themes[0]
            wrong += self._compare(app, f"{name}-{size[0]}x{size[1]}", "\n".join(seen) + "\n")
        await app.pilot.resize_terminal(*SIZES[0])
        assert not wrong, "\n".join(wrong)

    async def _text(self, app: Driver, size: tuple[int, int]) -> str:
        """The screen's rows, once two looks agree and nothing is asked for."""
        before: list[Strip] = []

        def quiet() -> bool:
            for field in app.app.screen.query(Input):
                field.cursor_blink = False
            strips = drawn_rows(app.app)
            still = strips == before and app.app.screen.size == size and not any("asking …" in s.text for s in strips)
            before[:] = strips
            return still

        await app.pilot.pause()
        await until(app.pilot, quiet, "a screen that stands still")
        return screen_text(app.app)

    def _compare(self, app: Driver, name: str, seen: str) -> list[str]:
        file = KEPT / f"{name}.txt"
        if os.environ.get("UPDATE_SNAPSHOTS"):
            KEPT.mkdir(exist_ok=True)
            file.write_text(seen, "utf-8")
            return []
        kept = file.read_text("utf-8") if file.exists() else ""
        if kept == seen:
            return []
        picture = self._directory / f"{name}.svg"
        picture.write_text(app.app.export_screenshot(), "utf-8")
        if not kept:
            return [f"{name} is not kept yet: UPDATE_SNAPSHOTS=1 writes it. It looks like {picture}"]
        return [f"{name} looks different: see {picture}", *_different(kept.splitlines(), seen.splitlines())]


def _different(kept: list[str], seen: list[str]) -> list[str]:
    import difflib

    return list(difflib.unified_diff(kept, seen, "kept", "seen", lineterm="", n=1))[:60]


def _styles(strips: Sequence[Any]) -> str:
    """The styles by letter, and every row as runs of them: `a12b3`; rows that follow each other and agree, as one."""
    letters: dict[str, str] = {}
    rows = []
    for strip in strips:
        runs = ((_named(segment), segment.cell_length) for segment in strip)
        joined = ((style, sum(length for _, length in run)) for style, run in groupby(runs, lambda run: run[0]))
        row = ""
        for style, length in joined:
            if style not in letters:
                letters[style] = _LETTERS[len(letters)]
            row += f"{letters[style]}{length}"
        rows.append(row)
    lines = [f"{letter} {style}" for style, letter in letters.items()]
    number = 1
    for row, same in groupby(rows):
        count = len(list(same))
        lines.append(f"{number if count == 1 else f'{number}-{number + count - 1}'}: {row}")
        number += count
    return "\n".join(lines)


def _named(segment: Segment) -> str:
    """A cell's style without what only the mouse sees; a blank has no foreground."""
    style = segment.style or Style()
    attributes = {n: getattr(style, n) or None for n in ("bold", "dim", "italic", "underline", "reverse", "strike")}
    blank = not segment.text.strip() and not attributes["reverse"]
    return str(Style(color=None if blank else style.color, bgcolor=style.bgcolor, **({} if blank else attributes)))


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Still:
    """The made-up world at a moment that does not pass, and what its screens look like. Imported where it is used."""
    return Still(monkeypatch, tmp_path)
