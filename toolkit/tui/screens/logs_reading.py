"""A log on the screen: opening it, taking what comes, and saying how it is doing. How one gets about in it stands in
logs_moving.py, what else one can do in logs.py.
"""

from __future__ import annotations

from datetime import UTC, tzinfo
from functools import partial
from typing import Final

from textual import events, on
from textual.app import ComposeResult

from toolkit.errors import ToolkitError
from toolkit.logs.entry import Entry, Severity
from toolkit.logs.filters import Filter
from toolkit.logs.kept import Kept
from toolkit.logs.zones import known_zone, local
from toolkit.tui import background, turns
from toolkit.tui.background import as_problem, in_thread
from toolkit.tui.house import house
from toolkit.tui.log_query import Chip, LogQuery, OpenLog, wanted
from toolkit.tui.screens.shell import Page
from toolkit.tui.widgets.log_lines import Chips, Status
from toolkit.tui.widgets.log_time import Bar, LogTime
from toolkit.tui.widgets.log_view import LogView

_TICK: Final = 0.1  # seconds
_SUM_EVERY: Final = 10  # ticks
FILE_MOST: Final = 2_000_000  # a file's window bounds itself
_MOST_BARS: Final = 200


class LogReading(Page):
    """What is read, and what of it is kept."""

    DEFAULT_CSS = """
    LogsPage LogView { height: 1fr; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.query_ = LogQuery()
        self.chips: tuple[Chip, ...] = ()
        self.opened: OpenLog | None = None
        self.problem: ToolkitError | None = None
        self.kept = Kept()
        self.busy = ""  # what is being done that takes a while
        self._filter = Filter()
        self._zone = 0
        self._ticks = 0
        self._choosing = False
        self._paging = False
        self._opening = False

    def body(self) -> ComposeResult:
        yield Status()
        yield Chips()
        yield LogTime()
        yield LogView(self.kept, id="lines")

    @property
    def view(self) -> LogView:
        return self.query_one(LogView)

    @property
    def zones(self) -> list[tuple[str, tzinfo]]:
        mountain = known_zone(self.session.environment.time_zone) or known_zone("mt") or UTC
        return [("local", local()), ("UTC", UTC), ("Mountain", mountain)]

    def on_mount(self) -> None:
        super().on_mount()
        turns.short()
        self.view.look.zone = self.query_one(LogTime).zone = self.zones[0][1]
        self.set_interval(_TICK, self._tick)
        self.watch(self.app, "theme", self._restyle, init=False)

    def _restyle(self) -> None:
        self.view.restyle()

    def on_resize(self, event: events.Resize) -> None:
        del event
        if self.opened is not None and self.opened.file is None:
            self._count(self.opened)

    def on_unmount(self) -> None:
        if self.opened is not None:
            self.opened.close()

    def enter(self) -> None:
        if self.opened is None and not self._opening:
            self.read(self.query_)
            self.session.looked("logs")

    def refresh_all(self) -> None:
        self.read(self.query_)

    # Opening

    def read(self, query: LogQuery, at: int | None = None) -> None:
        """Read anew, with the chips as they are; `at` is a time to go to, in nanoseconds."""
        self.query_ = query
        self._opening = True
        if self.opened is not None:
            self.opened.close()
            self.opened = None
        self.problem, self.busy = None, "opening …"
        self.say()
        background.work_for(self, partial(self._open, query, at), group="open", exclusive=True)

    async def _open(self, query: LogQuery, at: int | None) -> None:
        chips = self.chips
        opened: OpenLog | None = None
        try:
            core = self.session.core
            opened = await in_thread(lambda: core.logs(query, chips), "open log")
            self._filter = Filter() if opened.file is not None else wanted(chips)
        except ToolkitError as error:
            self.problem = error
        except Exception as error:  # noqa: BLE001 - shown in the place of the lines
            self.problem = as_problem(error)
        finally:
            self._opening, self.busy, self._choosing, self._paging = False, "", False, False
        self.opened = opened
        view = self.view
        view.kept = self.kept = Kept(FILE_MOST) if opened is not None and opened.file is not None else Kept()
        view.look.unfolded.clear()
        view.names_origins = opened is None or opened.file is None
        view.stick = True
        self.query_one(LogTime).show((), in_bytes=False)
        if opened is not None:
            if opened.file is not None and opened.first is not None:
                opened.file.begin(self.kept, opened.first)
                background.work_for(self, partial(self._profile, opened), group="profile", exclusive=True)
            background.start(opened.watching.run, "log")
        view.redraw(whole=True)
        if at is not None:
            self.jump_to(at)
        self.say()

    async def _profile(self, opened: OpenLog) -> None:
        if opened.file is None:
            return
        most = min(max(self.size.width - 3, 10), _MOST_BARS)
        try:
            found = await in_thread(partial(opened.file.profile, most), "profile of the file")
        except ToolkitError:
            return
        if self.opened is opened:
            self.query_one(LogTime).show([Bar(*one) for one in found], in_bytes=True)

    # What comes

    def _tick(self) -> None:
        opened = self.opened
        self._ticks += 1
        if opened is None or self._choosing or self._paging:
            self.say()
            return
        came = False
        batches = opened.watching.take()
        if opened.file is not None and opened.file.end < opened.file.size and batches:
            opened.file.size = opened.file.pages.size if self._ticks % _SUM_EVERY == 0 else opened.file.size
            batches = []  # the view is elsewhere in the file, from where one comes to its end again
        for batch in batches:
            kept = batch.kept
            if batch.wanted != self._filter:
                kept = [one for one in batch.items if not isinstance(one, Entry) or self._filter.keeps(one)]
            self.kept.add(batch.items, kept)
            if opened.file is not None:
                opened.file.grew(len(batch.items))
            came = True
        if came:
            if opened.watching.problem is not None:
                self.problem = opened.watching.problem
            self.view.redraw()
        elif opened.watching.over and opened.watching.problem is not self.problem:
            self.problem = opened.watching.problem
        if self._ticks % _SUM_EVERY == 0 and opened.file is None and not house(self).screen.is_modal:
            self._count(opened)
        self.say()

    def _count(self, opened: OpenLog) -> None:
        most = min(max(self.size.width - 3, 10), _MOST_BARS)
        found = opened.watching.histogram(most)
        wide = found.seconds * 10**9
        bars = [Bar(one.start, one.start + wide, one.total, one.at_least(Severity.ERROR)) for one in found.buckets]
        self.query_one(LogTime).show(bars, in_bytes=False)
        self._mark()

    def say(self) -> None:
        """Bring what is said about the log up to date."""
        view, opened = self.view, self.opened
        if self.problem is not None:
            parts = [
                f"✗ {self.problem.message}",
                self.problem.hint,
                *self.problem.by_hand,
                "r tries again, s chooses another source",
            ]
            view.empty = "\n".join(part for part in parts if part)
        elif opened is None or (opened.finished and not opened.watching.over):
            view.empty = "reading …"
        elif opened.finished or opened.file is not None:
            view.empty = "No entry there." + (
                " x takes the last filter away." if self.chips else " s chooses a source or a time."
            )
        else:
            view.empty = "Nothing was said yet; what comes is shown here."
        if not view.items and (self.problem is not None or self._ticks % 5 == 0):
            view.redraw()
        self.query_one(Status).say(self)
        self.query_one(Chips).say(self)

    @on(LogView.Moved)
    def _mark(self) -> None:
        item = self.view.current
        self.query_one(LogTime).mark(item.time if item is not None else 0)

    def jump_to(self, at: int) -> None:
        """Go to a time, in nanoseconds."""
        raise NotImplementedError
