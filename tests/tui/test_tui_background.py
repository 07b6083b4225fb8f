"""Questions in threads: an answer that comes while its widget is taken away finds nobody, and breaks nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.widgets import Label

from toolkit.tui.background import each, in_thread, work_for


class Slow(Label):
    """Takes its time to go."""

    async def on_unmount(self) -> None:
        await asyncio.sleep(0.3)


class Asker(Vertical):
    """Writes the answer into a label of its own."""

    def __init__(self, *, in_pieces: bool) -> None:
        super().__init__()
        self.in_pieces = in_pieces
        self.answer = threading.Event()
        self.ended: list[str] = []

    def compose(self) -> ComposeResult:
        yield Label("…", id="answer")
        yield Slow("slow")

    def on_mount(self) -> None:
        work_for(self, self._pieces if self.in_pieces else self._ask)

    async def _ask(self) -> None:
        try:
            text = await in_thread(lambda: str(self.answer.wait(10)))
            self.query_one("#answer", Label).update(text)
        finally:
            self.ended.append("asked")

    async def _pieces(self) -> None:
        def pieces() -> Iterator[str]:
            yield "first"
            yield str(self.answer.wait(10))

        try:
            async for text in each(pieces):
                self.query_one("#answer", Label).update(text)
        finally:
            self.ended.append("asked")


class Asking(App[None]):
    def __init__(self, asker: Asker) -> None:
        super().__init__()
        self.asker = asker

    def compose(self) -> ComposeResult:
        yield Vertical(self.asker, id="around")


@pytest.mark.parametrize("in_pieces", [False, True])
@pytest.mark.parametrize("taken_away", ["itself", "what is around it"])
async def test_an_answer_that_comes_while_its_widget_is_taken_away(taken_away: str, *, in_pieces: bool) -> None:
    asker = Asker(in_pieces=in_pieces)
    app = Asking(asker)
    async with app.run_test() as pilot:  # raises what a worker raised
        await pilot.pause(0.05)
        gone = asker.remove() if taken_away == "itself" else app.query_one("#around").remove()
        while asker.query("#answer"):
            await asyncio.sleep(0.01)
        assert asker.query(Slow), "the rest of it is still there"
        asker.answer.set()
        while not asker.ended:
            await asyncio.sleep(0.01)
        await gone


async def test_an_answer_for_a_widget_that_stays() -> None:
    asker = Asker(in_pieces=True)
    async with Asking(asker).run_test() as pilot:
        asker.answer.set()
        for _ in range(200):
            await pilot.pause(0.01)
            if asker.ended:
                break
        assert str(asker.query_one("#answer", Label).content) == "True"
