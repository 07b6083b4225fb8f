"""Makes the pictures of the terminal app in docs/pictures, on the sandbox as it really is.

uv run python docs/make_pictures.py
"""

from __future__ import annotations

import asyncio
import getpass
import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Input

FOLDER = Path(__file__).parent / "pictures"
OWN = f"{getpass.getuser()}@{socket.gethostname()}"


def text(app: Any) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def until(pilot: Pilot[Any], condition: Callable[[], bool]) -> None:
    for _ in range(1200):
        if condition():
            await pilot.pause(0.3)
            return
        await pilot.pause(0.05)
    raise SystemExit(f"waited in vain; the screen was:\n{text(pilot.app)}")


async def main() -> None:
    from toolkit.__main__ import _Opener
    from toolkit.sandbox import client
    from toolkit.tui import walk_start
    from toolkit.tui.app import ToolkitApp

    client.start()
    client.apply_scenario(["redis-flushed"])
    app = ToolkitApp(_Opener(), "sandbox")
    async with app.run_test(size=(110, 32)) as pilot:

        async def seen(*words: str) -> None:
            await until(pilot, lambda: all(word in text(app) for word in words))

        def save(name: str) -> None:
            picture = app.export_screenshot(title="toolkit")
            # Whose machine it was made on is nobody's business; as many characters, so that nothing moves.
            for own, shown in ((os.environ["TOOLKIT_HOME"], "/home/me/toolkit"), (OWN, "me@home".ljust(len(OWN)))):
                picture = picture.replace(own, shown)
            (FOLDER / f"{name}.svg").write_text(picture, "utf-8")

        await seen("rebuild-permissions", "rp006_2026w47", "reload-the-groups")
        await until(pilot, lambda: not any(word in text(app) for word in ("looking", "counting", "asking")))
        save("home")
        await pilot.press("w")
        await seen("Fill in what you know")
        for letter in "BRCA1":
            await pilot.press(letter)
        await pilot.press("enter")
        await seen("redis-flushed 95%", "m Mend")
        save("why")
        await pilot.press("escape", "4")
        await seen("concurrency", "rp006-prod")
        save("jobs")
        await pilot.press("b")
        await seen("Type", "by hand")
        save("gate")
        app.screen.query_one("#answer", Input).value = "prod-cluster"
        await pilot.press("enter")
        await seen("Wrote")
        save("log")
        await seen("done")
        save("outcome")
        await pilot.press("escape")
        await pilot.press("2")
        await seen("8/8")
        save("groups")
        await pilot.press("enter")
        await seen("genes_split_by_normalized", "columns")
        await pilot.press("enter")
        await seen("60 perts")
        await pilot.press("R", "E", "C")
        await seen("of 60")
        save("perts")
        await pilot.press("escape", "escape", "escape")
        await seen("number 1 of the dropdown")
        await pilot.press("h")
        await until(pilot, lambda: bool(app.screen.query("#line")))
        app.screen.query_one("#line", Input).value = "BRCA1 BRCA2 PALB2 KRAS BRAF NF1 TP53 MTOR --order clustered"
        await pilot.press("enter")
        await seen("similar (red)")
        save("heatmap")
        await pilot.press("escape")
        await pilot.press("3")
        await seen("rp006_2026w43", "in all")
        await pilot.press("right")
        await seen("genes_split_by.parquet")
        await pilot.press("down", "space", "space")
        await seen("2 objects marked")
        save("bucket")
        await pilot.press("z")
        await seen("The bucket keeps what is deleted")
        save("bucket-deleted")
        await pilot.press("escape")
        await pilot.press("5")
        await seen("Done: 3 groups in Redis")
        save("logs")
        await pilot.press("6")
        await seen("reload-the-groups")
        save("runbooks")
        await walk_start.begin(app, "reload-the-groups")
        await seen("enter: done")
        save("walk")
        await pilot.press("escape")
        await pilot.press("7")
        await seen("cache.rebuild")
        save("journal")
        await pilot.press("D")
        await seen("Choose a level", "enter Go on")
        app.screen.query_one("#seed", Input).value = "7"
        await pilot.press("enter")
        await seen("reports:", "a Answer")
        save("drill")
        await pilot.press("g", "g")
        await seen("The shortest way")
        save("score")
    client.stop()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ["TOOLKIT_HOME"] = home
        asyncio.run(main())
