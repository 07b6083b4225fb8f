"""The logs screen while lines stream in: how long from a key to its repaint; and its memory after an hour at 1,000
lines a second (3.6 million entries, as fast as they can be taken). `app.py` runs both.

Keys are pressed one after the other while the stream goes on; a key counts from its press to the first drawing of the
screen after it was acted on: what is drawn for the stream's sake alone does not count.
The lines are made in the same process, in a thread, which makes it harder for the app than a server elsewhere would.
"""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tui"))

from tui_stand_ins import StandInCore, StandInOpener, World

from toolkit.logs.entry import Line, Notice, Stream
from toolkit.logs.watching import Watching
from toolkit.progress import Progress
from toolkit.tui.app import ToolkitApp
from toolkit.tui.log_query import LogQuery, OpenLog, wanted
from toolkit.tui.screens.logs import LogsPage
from toolkit.tui.widgets.log_lines import Line as TextLine
from toolkit.tui.widgets.log_view import LogView

RATE, HOUR = 50_000, 3_600_000
_PODS = 20
_KEYS = ("up", "up", "down", "pageup", "pageup", "pagedown", "f", "z", "w", "w", "enter", "enter", "l", "x", "end")
_TEXT = "INFO phenoapp.requests: GET /map/heatmap 200 in {} ms user=scientist-07 group=rp006-neuro-3 pert=BRCA{}"
_STREAMS = [Stream("pods", f"noisy/phenoapp/noisy-{pod:02d}/main", f"noisy-{pod:02d}") for pod in range(_PODS)]


def lines(first: int, count: int, at: int, apart: int) -> list[Line]:
    """One in 997 is a warning, one in 4,999 an error."""
    made = []
    for number in range(first, first + count):
        text = _TEXT.format(number % 997, number)
        text = "ERROR" + text[4:] if number % 4_999 == 0 else "WARNING" + text[4:] if number % 997 == 0 else text
        made.append(Line(at + (number - first) * apart, text, _STREAMS[number % _PODS]))
    return made


class Noise:
    """Lines at a rate, behind nothing; `written` counts them."""

    def __init__(self, rate: int) -> None:
        self.rate, self.written = rate, 0
        self.on = False

    def __call__(self, progress: Progress) -> Iterator[Sequence[Line | Notice]]:
        begun = 0.0
        while not progress.stop.wait(0.02):
            if not self.on:
                yield []
                continue
            begun = begun or time.monotonic()
            due = int((time.monotonic() - begun) * self.rate) - self.written
            if due > 0:
                yield lines(self.written, due, time.time_ns(), 10**9 // self.rate)
                self.written += due


class NoisyCore(StandInCore):
    """A core whose log is the noise."""

    noise = Noise(RATE)

    def logs(self, query: LogQuery, chips: Any = ()) -> OpenLog:
        return OpenLog(query, Watching(self.noise, wanted=wanted(chips)))


async def keys(rate: int, seconds: float) -> tuple[list[float], dict[str, Any]]:
    """Key-to-repaint in ms, and what went by meanwhile."""
    NoisyCore.noise = noise = Noise(rate)
    app = ToolkitApp(StandInOpener(World()), "rp006", core=NoisyCore)
    took: list[float] = []
    async with app.run_test(size=(80, 24)) as pilot:
        while app.current_mode != "home":
            await pilot.pause(0.05)
        painted = asyncio.Event()
        display, redraw, put, tick = app._display, LogView.redraw, TextLine.put, LogsPage._tick
        acted = ticking = False

        def seen(*arguments: Any, **more: Any) -> None:
            display(*arguments, **more)
            if acted:
                painted.set()

        def on_tick(page: LogsPage) -> None:
            nonlocal ticking
            ticking = True
            try:
                tick(page)
            finally:
                ticking = False

        def changed(own: Any) -> Any:
            def change(*arguments: Any, **more: Any) -> None:
                nonlocal acted
                acted = acted or not ticking
                own(*arguments, **more)

            return change

        app._display = seen  # type: ignore[method-assign]
        patched = [(LogView, "redraw", redraw), (TextLine, "put", put), (LogsPage, "_tick", tick)]
        LogView.redraw, TextLine.put = changed(redraw), changed(put)  # type: ignore[method-assign]
        LogsPage._tick = on_tick  # type: ignore[method-assign]
        await pilot.press("5")
        page: Any = app.screen
        while page.opened is None:
            await pilot.pause(0.02)
        noise.on = rate > 0
        begun, number = time.monotonic(), 0
        nothing: list[str] = []
        await pilot.pause(1.0)
        while time.monotonic() - begun < seconds:
            key = _KEYS[number % len(_KEYS)]
            number += 1
            at = time.perf_counter()
            acted = False
            painted.clear()
            app.simulate_key(key)
            try:
                await asyncio.wait_for(painted.wait(), 1.0)
            except TimeoutError:
                nothing.append(key)  # it had nothing to change on the screen
                continue
            took.append((time.perf_counter() - at) * 1000)
            await asyncio.sleep(0.03)
        for owner, name, own in patched:
            setattr(owner, name, own)
        page.view.stick_to_end()
        noise.on = False
        behind = noise.written - page.kept.came
        done = {
            "written": noise.written, "taken": page.kept.came, "behind": behind,
            "shown": len(page.kept.shown), "dropped from view": page.kept.dropped, "keys without effect": len(nothing),
        }  # fmt: skip
    return took, done


async def hour(total: int) -> list[tuple[int, int]]:
    """Megabytes in use after so many entries."""
    levels: list[tuple[int, int]] = []

    def read(progress: Progress) -> Iterator[Sequence[Line | Notice]]:
        start = time.time_ns() - 3600 * 10**9
        for first in range(0, total, 1_000):
            progress.check_stop()
            yield lines(first, 1_000, start + first * 10**6, 10**6)

    class Hour(StandInCore):
        def logs(self, query: LogQuery, chips: Any = ()) -> OpenLog:
            return OpenLog(query, Watching(read, wanted=wanted(chips)))

    app = ToolkitApp(StandInOpener(World()), "rp006", core=Hour)
    async with app.run_test(size=(80, 24)) as pilot:
        while app.current_mode != "home":
            await pilot.pause(0.05)
        await pilot.press("5")
        page: Any = app.screen
        step = max(total // 12, 1)
        while page.opened is None or not page.opened.watching.over or page.kept.came < total:
            await pilot.pause(0.2)
            if page.kept.came >= step * (len(levels) + 1):
                levels.append((page.kept.came, resident()))
    return levels


def resident() -> int:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1]) if Path("/proc/self/statm").exists() else 0
    used = pages * os.sysconf("SC_PAGE_SIZE") if pages else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return used // 2**20
