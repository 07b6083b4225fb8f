"""A page of text on top of a screen whose text has to be asked for: what is known stands there at once."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content

from toolkit.errors import ToolkitError
from toolkit.tui import background
from toolkit.tui.background import as_problem, in_thread
from toolkit.tui.screens.text_page import TextPage
from toolkit.tui.widgets.problem import drawn

Draw = Callable[[int], Content]


class AskedPage(TextPage):
    """`ask` blocks, in a thread, and gives what draws the page; until then `before` stands there, if anything."""

    def __init__(self, title: str, ask: Callable[[], Draw], before: Draw | None = None) -> None:
        self._ask = ask
        self._before = before
        super().__init__(title, self._with(Content.styled("asking …", "$text-muted")))

    def on_mount(self) -> None:
        background.work_for(self, self._load, group="ask", exclusive=True)

    async def _load(self) -> None:
        try:
            self._draw = await in_thread(self._ask, self._title)
        except ToolkitError as error:
            problem = error
            self._draw = lambda width: self._with(drawn(problem, width))(width)
        except Exception as error:  # noqa: BLE001 - shown in the place of the text
            bug = as_problem(error)
            self._draw = lambda width: self._with(drawn(bug, width))(width)
        self._fit()

    def _with(self, below: Content) -> Draw:
        before = self._before
        if before is None:
            return lambda _: below
        return lambda width: Content("\n\n").join([before(width), below])
