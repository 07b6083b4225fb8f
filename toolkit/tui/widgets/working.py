"""A panel whose answer takes long: it says how far it is, can be stopped, and is not asked for again by itself."""

from __future__ import annotations

from typing import Generic, TypeVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from toolkit.progress import Advanced, Event, Progress, Step
from toolkit.tui.background import in_thread
from toolkit.tui.widgets.panel import Panel
from toolkit.tui.widgets.plan_page import progress_line
from toolkit.tui.wording import cut, foreign

T = TypeVar("T")


class Working(Panel[T], Generic[T]):
    """`work` is given a Progress, and blocks. It goes on while somebody looks at another page, and is stopped where
    the panel goes."""

    DEFAULT_CSS = """
    Working { height: 1fr; }
    Working > #progress { height: auto; display: none; padding: 0 0 1 0; }
    Working.-working > #progress { display: block; }
    Working > #answer { height: 1fr; }
    """

    stops = "esc stops it; on another page it goes on"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        self._progress: Progress | None = None
        self._step = ""
        self._advanced: Advanced | None = None
        self._out = False  # whether something was changed since
        super().__init__(id=id)

    def compose(self) -> ComposeResult:
        yield Static("", id="progress")
        with Vertical(id="answer"):
            yield from self.answer()

    def answer(self) -> ComposeResult:
        """The widgets that show the answer."""
        raise NotImplementedError

    def work(self, progress: Progress) -> T:
        """Blocks; called in a thread."""
        raise NotImplementedError

    def on_mount(self) -> None:
        super().on_mount()
        self.set_interval(0.1, self._say_progress)

    def on_unmount(self) -> None:
        self.stop()

    def stop(self) -> None:
        """Ask what is under way to end soon."""
        if self._progress is not None:
            self._progress.stop.set()

    @property
    def settled(self) -> bool:
        return self.asking or self.problem is not None or self._answered_at is not None

    def outdate(self) -> None:
        """It is not asked for again by itself: that may cost much. It is said instead."""
        if self._answered_at is not None:
            self._out = True
            self._say_age()

    def load(self, *, gently: bool = False) -> None:
        self.stop()
        super().load(gently=gently)

    async def fetch(self) -> T:
        self._step, self._advanced, self._out = "", None, False
        progress = self._progress = Progress(tell=self._tell)
        self.add_class("-working")
        try:
            return await in_thread(lambda: self.work(progress), f"work {self.id or self.title}")
        finally:
            if self._progress is progress:
                self.remove_class("-working")

    def _tell(self, event: Event) -> None:
        if isinstance(event, Step):
            self._step = foreign(event.text)
        elif isinstance(event, Advanced):
            self._advanced = event

    def _say_progress(self) -> None:
        if not self.has_class("-working"):
            return
        width = max(self.content_size.width, 30)
        lines = [Content.assemble(("● ", "$text-warning"), cut(f"{self._step or 'beginning'} …", width - 2))]
        if self._advanced is not None:
            lines.append(progress_line(self._advanced, width))
        lines.append(Content.styled(self.stops, "$text-muted"))
        self.query_one("#progress", Static).update(Content("\n").join(lines))

    def _say_age(self) -> None:
        super()._say_age()
        if self._out and not self.asking:
            self.border_title = Content.assemble(
                self.heading, ("  from before the last change, r asks anew", "$text-warning")
            )
