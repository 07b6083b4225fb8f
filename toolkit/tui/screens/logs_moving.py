"""Getting about in a log: to its ends, through a file page by page, to a time, to an error, to what is searched for."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from textual import on

from toolkit.errors import ToolkitError
from toolkit.logs.entry import Entry, Severity
from toolkit.logs.expressions import Expression
from toolkit.logs.kept import Item, Kept
from toolkit.tui import background
from toolkit.tui.background import in_thread
from toolkit.tui.log_query import Chip, OpenLog, wanted
from toolkit.tui.screens.logs_on_top import Prompt
from toolkit.tui.screens.logs_reading import FILE_MOST, LogReading
from toolkit.tui.widgets.log_time import LogTime
from toolkit.tui.widgets.log_view import LogView

if TYPE_CHECKING:
    from toolkit.logs.file_window import Piece


class LogMoving(LogReading):
    """The cursor's ways that go beyond a row or a page."""

    # Getting about

    def action_follow(self) -> None:
        if self.opened is not None and self.opened.finished:
            self.notify("This range has an end: nothing more comes. Choose another with s, without until.")
        if self.view.stick and self.opened is not None and not self.opened.finished:
            self.view.go(self.view.cursor)
        else:
            self.action_end()

    def action_end(self) -> None:
        opened = self.opened
        if opened is not None and opened.file is not None and opened.file.end < opened.file.size:
            self.read(self.query_)
            return
        self.view.stick_to_end()

    def action_start(self) -> None:
        opened = self.opened
        if opened is not None and opened.file is not None and opened.file.start > 0:
            background.work_for(self, partial(self._load_at, opened, 0, None), group="page", exclusive=True)
            return
        self.view.go(self.view.base)

    @on(LogView.Edge)
    def _edge(self, event: LogView.Edge) -> None:
        opened = self.opened
        if opened is None or opened.file is None:
            if not event.first:
                self.view.stick_to_end()
            return
        if event.first and opened.file.start > 0 and not self._paging:
            self._paging = True
            background.work_for(self, partial(self._earlier, opened), group="page", exclusive=True)
        elif not event.first:
            if opened.file.end >= opened.file.size:
                self.view.stick_to_end()
            elif not self._paging:
                self._paging = True
                background.work_for(self, partial(self._later, opened), group="page", exclusive=True)

    async def _earlier(self, opened: OpenLog) -> None:
        file = opened.file
        piece = await self._piece(lambda: file.piece_before(file.start) if file is not None else None)
        if piece is not None and file is not None and self.opened is opened:
            file.put_before(self.kept, piece)
            self.view.go(self.view.cursor - 1)
        self._paging = False

    async def _later(self, opened: OpenLog) -> None:
        file = opened.file
        piece = await self._piece(lambda: file.piece_after(file.end) if file is not None else None)
        if piece is not None and file is not None and self.opened is opened:
            file.add(self.kept, piece)
            self.view.go(self.view.cursor + 1)
        self._paging = False

    async def _load_at(self, opened: OpenLog, offset: int, at: int | None) -> None:
        """Show the file from `offset` on; the cursor on what is of the time `at`, or the first."""
        file = opened.file
        self._paging = True
        piece = await self._piece(lambda: file.piece_after(offset) if file is not None else None)
        if piece is not None and file is not None and self.opened is opened:
            self.view.kept = self.kept = Kept(FILE_MOST)
            file.begin(self.kept, piece)
            self.view.stick = False
            self.view.redraw(whole=True)
            self._go_to_time(at) if at is not None else self.view.go(self.view.base)
        self._paging = False

    async def _piece(self, ask: Callable[[], Piece | None]) -> Piece | None:
        try:
            return await in_thread(ask, "page of the file")
        except ToolkitError as error:
            self.notify(error.message, severity="error")
            return None

    def jump_to(self, at: int) -> None:
        opened = self.opened
        if opened is None or opened.file is None:
            self._go_to_time(at)
            return

        async def jump() -> None:
            if opened.file is not None:
                offset = await in_thread(partial(opened.file.pages.at, at), "time in the file")
                await self._load_at(opened, offset, at)

        background.work_for(self, jump, group="page", exclusive=True)

    def _go_to_time(self, at: int) -> None:
        index = bisect_left(self.view.items, at, key=_time)
        if index < len(self.view.items) or not self.view.items:
            first = self.view.items[0].time if self.view.items else 0
            if index == 0 and first > at + 10**9 and self.kept.dropped:
                self.notify("What is older than this is not kept in view any more: r reads again, s chooses a time.")
            self.view.go(self.view.base + index)
        else:
            self.view.go(self.view.end - 1)

    @on(LogTime.Jump)
    def _jump(self, event: LogTime.Jump) -> None:
        self.jump_to(event.to)

    @on(LogTime.Left)
    def _back_to_lines(self) -> None:
        self.view.focus()

    def action_histogram(self) -> None:
        bars = self.query_one(LogTime)
        (self.view if bars.has_focus else bars).focus()

    def action_step(self, by: int) -> None:
        self._mark()
        self.query_one(LogTime).step(by)

    def action_error(self, by: int) -> None:
        items, base = self.view.items, self.view.base
        at = self.view.cursor - base + by
        while 0 <= at < len(items):
            one = items[at]
            if isinstance(one, Entry) and one.severity >= Severity.ERROR:
                self.view.go(base + at)
                return
            at += by
        where = " in this part of the file; l looks through all of it" if self._part_of_a_file(by) else ""
        self.notify(f"No error {'further on' if by > 0 else 'before'}{where}.")

    def _part_of_a_file(self, by: int) -> bool:
        file = self.opened.file if self.opened is not None else None
        return file is not None and (file.end < file.size if by > 0 else file.start > 0)

    # Search

    def action_search(self) -> None:
        before = self.view.look.search
        prompt = self.prompt("Search", before.text.removeprefix("(?i)") if before else "")
        self.app.push_screen(prompt, self._search)

    def prompt(self, title: str, value: str = "") -> Prompt:
        return Prompt(title, lambda text: wanted((Chip("with", text),)) if text else None, value)

    def _search(self, text: str | None) -> None:
        if text is None:
            return
        if not text:
            self.view.search_for(None)
            return
        small = text == text.lower() and not text.startswith("(?")
        self.view.search_for(Expression(f"(?i){text}" if small else text, option="search"))
        self.action_find(-1 if self.view.stick else 1, here=True)

    def action_find(self, by: int, *, here: bool = False) -> None:
        expression = self.view.look.search
        if expression is None:
            self.action_search()
            return
        background.work_for(self, partial(self._find, expression, by, here), group="find", exclusive=True)

    async def _find(self, expression: Expression, by: int, here: bool) -> None:
        view, opened = self.view, self.opened
        start = view.cursor - view.base + (0 if here else by)
        items, numbers = view.items[:], view.kept.shown.numbers[:]
        places = range(max(start, 0), len(items)) if by > 0 else range(min(start, len(items) - 1), -1, -1)
        index = await in_thread(lambda: next((n for n in places if _holds(items[n], expression)), None), "search")
        if index is not None:
            number = numbers[index]
            at = view.kept.shown.index_of(number)
            view.go(view.base + at)
            return
        if opened is not None and opened.file is not None and await self._find_in_file(opened, expression, by):
            return
        self.notify(f"{expression.text.removeprefix('(?i)')!r} is not {'further on' if by > 0 else 'before'}.")

    async def _find_in_file(self, opened: OpenLog, expression: Expression, by: int) -> bool:
        file = opened.file
        if file is None or not self._part_of_a_file(by):
            return False
        self.busy = "searching the file …"
        try:
            start = file.end if by > 0 else file.start
            place = await in_thread(partial(file.pages.find, expression, start, back=by < 0), "search file")
        finally:
            self.busy = ""
        if place is None:
            return False
        await self._load_at(opened, place, None)
        return True


def _holds(item: Item, expression: Expression) -> bool:
    return expression.found(item.raw if isinstance(item, Entry) else item.text)


def _time(item: Item) -> int:
    return item.time
