"""Logs: every source in one timeline, followed; filters, search, templates, and a histogram to go through time."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, tzinfo
from functools import partial
from typing import TYPE_CHECKING, Final

from textual import on
from textual.app import ComposeResult

from toolkit.errors import ToolkitError
from toolkit.logs.entry import Entry, Severity
from toolkit.logs.expressions import Expression
from toolkit.logs.filters import Filter
from toolkit.logs.kept import Item, Kept
from toolkit.logs.zones import known_zone, local
from toolkit.tui import background
from toolkit.tui.background import as_problem, in_thread
from toolkit.tui.house import house
from toolkit.tui.log_query import Chip, LogQuery, OpenLog, next_level, wanted
from toolkit.tui.registry import bindings
from toolkit.tui.screens.logs_on_top import LinksPage, PatternsPage, Prompt, SourceChoice
from toolkit.tui.screens.shell import Page
from toolkit.tui.widgets.log_lines import Chips, Status
from toolkit.tui.widgets.log_time import Bar, LogTime
from toolkit.tui.widgets.log_view import LogView

if TYPE_CHECKING:
    from toolkit.logs.file_window import Piece
    from toolkit.logs.patterns import Pattern

_TICK: Final = 0.1  # seconds
_SUM_EVERY: Final = 10  # ticks
_FILE_MOST: Final = 2_000_000  # a file's window bounds itself
_MOST_BARS: Final = 200


class LogsPage(Page):
    """The page on key 5."""

    page = "logs"
    BINDINGS = bindings("logs")
    AUTO_FOCUS = "LogView"

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
        self.view.look.zone = self.query_one(LogTime).zone = self.zones[0][1]
        self.set_interval(_TICK, self._tick)
        self.watch(self.app, "theme", self._restyle, init=False)

    def _restyle(self) -> None:
        self.view.restyle()

    def on_unmount(self) -> None:
        if self.opened is not None:
            self.opened.close()

    def enter(self) -> None:
        if self.opened is None and not self._opening:
            self.read(self.query_)

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
        self._say()
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
        view.kept = self.kept = Kept(_FILE_MOST) if opened is not None and opened.file is not None else Kept()
        view.look.unfolded.clear()
        view.look.origins = opened is None or opened.file is None
        view.stick = True
        self.query_one(LogTime).show((), in_bytes=False)
        if opened is not None:
            if opened.file is not None and opened.first is not None:
                opened.file.begin(self.kept, opened.first)
                background.work_for(self, partial(self._profile, opened), group="profile", exclusive=True)
            background.start(opened.watching.run, "log")
        view.redraw(whole=True)
        if at is not None:
            self._jump_to(at)
        self._say()

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
            self._say()
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
        self._say()

    def _count(self, opened: OpenLog) -> None:
        most = min(max(self.size.width - 3, 10), _MOST_BARS)
        found = opened.watching.histogram(most)
        wide = found.seconds * 10**9
        bars = [Bar(one.start, one.start + wide, one.total, one.at_least(Severity.ERROR)) for one in found.buckets]
        self.query_one(LogTime).show(bars, in_bytes=False)
        self._mark()

    def _say(self) -> None:
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
            self.view.kept = self.kept = Kept(_FILE_MOST)
            file.begin(self.kept, piece)
            self.view.stick = False
            self.view.redraw(whole=True)
            self._go_to_time(at) if at is not None else self.view.go(self.view.base)
        self._paging = False

    async def _piece(self, ask: object) -> Piece | None:
        try:
            return await in_thread(ask, "page of the file")  # type: ignore[arg-type]
        except ToolkitError as error:
            self.notify(error.message, severity="error")
            return None

    def _jump_to(self, at: int) -> None:
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
        self._jump_to(event.to)

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
        self.notify("No error further on." if by > 0 else "No error before.")

    # Search

    def action_search(self) -> None:
        before = self.view.look.search
        prompt = self._prompt("Search", before.text.removeprefix("(?i)") if before else "")
        self.app.push_screen(prompt, self._search)

    def _prompt(self, title: str, value: str = "") -> Prompt:
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
        places = range(start, len(items)) if by > 0 else range(start, -1, -1)
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
        if file is None or (by > 0 and file.end >= file.size) or (by < 0 and file.start <= 0):
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

    # Filters

    def action_level(self) -> None:
        self.filter(next_level(self.chips))

    def action_only(self, kind: str) -> None:
        title = "Only entries with" if kind == "with" else "No entries with"

        def add(text: str | None) -> None:
            if text:
                self.filter((*self.chips, Chip(kind, text)))

        self.app.push_screen(self._prompt(title), add)

    def action_origin(self) -> None:
        item = self.view.current
        if not isinstance(item, Entry):
            self.notify("Put the cursor on an entry first.", severity="warning")
            return
        chip = Chip("origin", item.origin)
        self.filter(tuple(c for c in self.chips if c != chip) if chip in self.chips else (*self.chips, chip))

    def action_unfilter(self) -> None:
        self.filter(self.chips[:-1])

    def action_unfilter_all(self) -> None:
        self.filter(())

    def action_drop(self, number: int) -> None:
        """Take one chip away, clicked at."""
        self.filter(tuple(chip for n, chip in enumerate(self.chips) if n != number))

    def filter(self, chips: tuple[Chip, ...]) -> None:
        """Show by these chips. What is here is looked through; a file is read anew, since most of it is not here."""
        if chips == self.chips:
            return
        try:
            keep = wanted(chips)
        except ToolkitError as error:
            self.notify(error.message, severity="error")
            return
        self.chips = chips
        opened = self.opened
        if opened is None:
            return
        local_file = (
            len(self.query_.words) == 1
            and (opened.file is not None or opened.window.until is None)
            and (not opened.finished and opened.watching.heard is None and not opened.rebuild)
        )
        if opened.file is not None or local_file:
            current = self.view.current
            self.read(self.query_, current.time or None if current is not None and not self.view.stick else None)
            return
        self._filter = keep
        opened.watching.want(keep)
        self._choosing = True
        background.work_for(self, partial(self._choose, keep), group="choose", exclusive=True)

    async def _choose(self, keep: Filter) -> None:
        kept, view = self.kept, self.view
        current = view.current
        found = await in_thread(partial(kept.chosen, keep), "filter")
        if kept is not self.kept or keep != self._filter:
            return
        at = view.cursor - view.base
        number = kept.shown.numbers[at] if current is not None and 0 <= at < len(kept.shown) else 0
        kept.choose(found)
        self._choosing = False
        if not view.stick:
            view.redraw(whole=True)
            view.go(kept.shown.base + kept.shown.index_of(number))
        view.redraw(whole=True)
        self._say()

    # The rest

    def action_unfold(self) -> None:
        if self.query_one(LogTime).has_focus:
            self.view.focus()
        else:
            self.view.action_unfold()

    def action_zone(self) -> None:
        self._zone = (self._zone + 1) % len(self.zones)
        name, zone = self.zones[self._zone]
        self.view.look.zone = self.query_one(LogTime).zone = zone
        self.query_one(LogTime).refresh()
        self.view.redraw(whole=True)
        self.notify(f"Times are in {name} time now." if name != "UTC" else "Times are in UTC now.")

    def action_wrap(self) -> None:
        self.view.look.wrap = not self.view.look.wrap
        self.view.unshift()

    def action_copy_raw(self) -> None:
        house(self).copy(self.view.raw_text(), "the entry as it was written")

    def action_source(self) -> None:
        queries = self.session.environment.logs.queries
        offered = [
            ("", "the cache manager's last run, and errors around it"),
            ("cache-manager", "the pods of the cache manager's runs"),
            ("app", "MapApp's own pods, and what Loki has of them"),
            *((name, query.help) for name, query in queries.items() if name not in ("cache-manager", "app")),
        ]

        def take(query: LogQuery | None) -> None:
            if query is not None:
                self.read(query)

        self.app.push_screen(SourceChoice(self.query_, offered), take)

    def action_link(self) -> None:
        if self.opened is not None:
            self.app.push_screen(LinksPage(self.opened.links, self.opened.problems))

    def action_patterns(self) -> None:
        opened = self.opened
        if opened is None:
            return
        items: Sequence[Item] = [*self.kept.all.items] if opened.file is not None else ()

        def take(one: Pattern | None) -> None:
            if one is not None:
                self.filter((*self.chips, Chip("with", expression_of(one.template))))

        self.app.push_screen(PatternsPage(partial(_patterns, opened, items)), take)


def _patterns(opened: OpenLog, items: Sequence[Item]) -> tuple[list[Pattern], str]:
    """The patterns, and of how much they are."""
    if items:
        from toolkit.logs.patterns import Patterns

        patterns = Patterns()
        patterns.add([one for one in items if isinstance(one, Entry)])
        return patterns.ranked(), f"of {len(items):,} entries in view, not of the whole file"
    watching = opened.watching
    of = (
        f"{watching.summed:,} of {watching.entries:,}"
        if watching.summed < watching.entries
        else f"{watching.entries:,}"
    )
    new = ", new since the last rebuild first" if opened.rebuild else ""
    return watching.patterns(opened.rebuild), f"of {of} entries{new}"


def expression_of(template: str) -> str:
    """An expression that finds what a template stands for: its words, and anything where it has gaps."""
    words: list[str] = []
    for word in re.split(r"(<[^<>\s]*>)", template.removesuffix(" …")):
        gap = re.fullmatch(r"<[^<>\s]*>", word) is not None
        words.append(".*" if gap else re.sub(r"([\\.^$*+?{}\[\]|()])", r"\\\1", word))
    return "".join(words).removeprefix(".*").removesuffix(".*") or "."


def _holds(item: Item, expression: Expression) -> bool:
    return expression.found(item.raw if isinstance(item, Entry) else item.text)


def _time(item: Item) -> int:
    return item.time


PAGE = LogsPage
