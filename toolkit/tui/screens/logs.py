"""Logs: every source in one timeline, followed; filters, search, templates, and a histogram to go through time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError
from toolkit.logs.entry import Entry
from toolkit.logs.filters import Filter
from toolkit.logs.kept import Item
from toolkit.tui import background
from toolkit.tui.background import in_thread
from toolkit.tui.house import house
from toolkit.tui.log_query import Chip, LogQuery, OpenLog, next_level, wanted
from toolkit.tui.registry import bindings
from toolkit.tui.screens.logs_moving import LogMoving
from toolkit.tui.screens.logs_on_top import LinksPage, PatternsPage, SourceChoice
from toolkit.tui.widgets.log_time import LogTime

if TYPE_CHECKING:
    from toolkit.logs.patterns import Pattern


class LogsPage(LogMoving):
    """The page on key 5."""

    page = "logs"
    BINDINGS = bindings("logs")
    AUTO_FOCUS = "LogView"

    # Filters

    def action_level(self) -> None:
        self.filter(next_level(self.chips))

    def action_only(self, kind: str) -> None:
        title = "Only entries with" if kind == "with" else "No entries with"

        def add(text: str | None) -> None:
            if text:
                self.filter((*self.chips, Chip(kind, text)))

        self.app.push_screen(self.prompt(title), add)

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
        if opened.reread:
            current = self.view.current
            self.read(self.query_, current.time or None if current is not None and not self.view.stick else None)
            return
        self._filter = keep
        opened.watching.want(keep)
        self._choosing = True
        self.say()
        background.work_for(self, partial(self._choose, keep), group="choose", exclusive=True)

    async def _choose(self, keep: Filter) -> None:
        kept, view = self.kept, self.view
        current = view.current
        found = await in_thread(partial(kept.chosen, keep), "filter")
        if kept is not self.kept or keep != self._filter:
            return
        at = view.cursor - view.base
        number = kept.shown.numbers[at] if current is not None and 0 <= at < len(kept.shown) else 0
        kept.choose(found, all_=not keep)
        self._choosing = False
        if not view.stick:
            view.redraw(whole=True)
            view.go(kept.shown.base + kept.shown.index_of(number))
        view.redraw(whole=True)
        self._mark()
        self.say()

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


PAGE = LogsPage
