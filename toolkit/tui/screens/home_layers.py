"""Home's layers: each group in L1, L2 and L3, with age, size and perturbations; what disagrees, and why it matters."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual import events, on
from textual.app import ComposeResult
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from toolkit.checks.finding import Status
from toolkit.errors import ToolkitError
from toolkit.tui import background
from toolkit.tui.about import About
from toolkit.tui.background import each, in_thread
from toolkit.tui.registry import act, bindings
from toolkit.tui.screens.home_attention import Attention
from toolkit.tui.widgets import layer_rows
from toolkit.tui.widgets.layer_rows import Row
from toolkit.tui.widgets.panel import Panel
from toolkit.tui.widgets.prose import hanging
from toolkit.tui.wording import STYLES, cut, foreign

if TYPE_CHECKING:
    from toolkit.tui.standing import LayersSeen, MemorySeen

_ABOVE = 2  # lines: title and headings
_LEAST = 5  # groups in view
_TOLD = 6  # lines on what disagrees, where there is room


class LayerList(OptionList):
    """A row a group, with the cursor."""

    ABOUT = About(
        "The layers, group by group",
        "★ is the app's default group. L1: how many of the app's pods have loaded it since the last rebuild; L2, L3: "
        "how many of its frames Redis and the bucket hold (! too few). The last column names what disagrees, the line "
        "below says why that matters. Enter shows the group.",
    )
    BINDINGS = [*bindings("list"), act("home.open").binding()]  # noqa: RUF012
    DEFAULT_CSS = """
    LayerList {
        border: none; padding: 0; background: transparent; text-wrap: nowrap;
        &:focus { border: none; background: transparent; background-tint: transparent; }
        & > .option-list--option { padding: 0; }
    }
    """

    def copy_text(self) -> str:
        panel = self.parent
        found = panel.in_focus if isinstance(panel, Layers) else None
        if found is None:
            return ""
        cells = (found.group.name, found.l1, found.age, found.bytes, found.counted)
        return "\t".join([*cells, *(f"{one.word}: {one.why}" for one in found.apart)])


class Layers(Panel["LayersSeen"]):
    """L2 and L3 are its question; L1 and the counts of perturbations come beside it, and hold nothing up."""

    title = "Layers"
    same_as = "groups list"
    by_itself = True
    every = 60.0

    DEFAULT_CSS = "Layers #headings { height: 1; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._seen: LayersSeen | None = None
        self._memory: MemorySeen | None = None
        self._counts: dict[str, int | None] = {}
        self._rows: list[Row] = []
        self._stop = threading.Event()

    def compose(self) -> ComposeResult:
        yield Static(Content.styled("…", "$text-muted"), id="headings")
        yield LayerList()
        yield Static("", id="why")

    @property
    def listed(self) -> LayerList:
        return self.query_one(LayerList)

    @property
    def in_focus(self) -> Row | None:
        """The group under the cursor."""
        at = self.listed.highlighted
        return self._rows[at] if at is not None and at < len(self._rows) else None

    def load(self, *, gently: bool = False) -> None:
        super().load(gently=gently)
        background.work_for(self, self._ask_l1, group="l1", exclusive=True)

    def on_unmount(self) -> None:
        self._stop.set()

    def ask(self) -> LayersSeen:
        return self.session.core.standing.layers()

    def answered(self, answer: LayersSeen) -> None:
        self._seen = answer
        self._draw()
        self.screen.query_one(Attention).hear("layers", answer.findings)
        self._stop.set()
        self._stop = threading.Event()
        background.work_for(self, partial(self._count, self._stop), group="perts", exclusive=True)

    def broken(self, problem: ToolkitError) -> None:
        super().broken(problem)
        if isinstance(self.parent, Widget):
            self.parent.styles.grid_rows = "auto 1fr"
        self.screen.query_one(Attention).down("layers", problem)

    async def _ask_l1(self) -> None:
        attention = self.screen.query_one(Attention)
        try:
            self._memory = await in_thread(self.session.core.standing.memory, "L1")
        except ToolkitError as problem:
            attention.down("L1", problem)
            return
        attention.hear("L1", (self._memory.finding,))
        self.session.looked("app status", by_itself=True)
        self._draw()

    async def _count(self, stop: threading.Event) -> None:
        standing = self.session.core.standing
        groups = [] if self._seen is None else self._seen.overview.groups
        self._counts = {group.name: self._counts[group.name] for group in groups if group.name in self._counts}
        counted = 0
        try:
            async for name, perts in each(lambda: standing.pert_counts(stop), "perts"):
                self._counts[name] = perts
                counted += 1
                more = len(self._counts) < len(groups)
                self.heading = f"Layers  counting perts {counted}/{len(groups)}" if more else self.title
                self._draw()
        except ToolkitError:
            self._counts |= {group.name: None for group in groups if group.name not in self._counts}
            self._draw()
        self.heading = self.title

    def on_resize(self, event: events.Resize) -> None:
        del event
        self._draw()

    def _draw(self) -> None:
        if self._seen is None:
            return
        before = self.in_focus
        self._rows = layer_rows.rows(self._seen, self._memory, self._counts)
        width = max(self.content_size.width - (len(self._rows) > 5), 60)
        self.query_one("#headings", Static).update(
            layer_rows.headings(self._rows, width)
            if self._rows
            else Content.styled("No group anywhere: neither in Redis nor in the bucket.", "bold $text-warning")
        )
        listed = self.listed
        listed.display = bool(self._rows)
        listed.clear_options()
        fit = layer_rows.widths(self._rows, width)
        listed.add_options([Option(layer_rows.drawn(row, fit)) for row in self._rows])
        names = [row.group.name for row in self._rows]
        if names:
            listed.highlighted = names.index(before.group.name) if before and before.group.name in names else 0
        self._explain()

    @on(OptionList.OptionHighlighted)
    def _explain(self) -> None:
        if self._seen is None:
            return
        width = max(self.content_size.width, 60)
        told = self._told(self._seen.overview.notes)
        if self.screen.has_class("-tall"):
            lines = [hanging(Content.styled("· ", style), text, width, style) for style, text in told[:_TOLD]]
            if len(told) > _TOLD:
                lines.append(Content.styled(f"· and {len(told) - _TOLD} more", "$text-muted"))
            if self._memory is not None and self._memory.finding.status is not Status.FAIL:
                head, said = Content.styled("L1 ", "$text-muted"), foreign(self._memory.finding.summary)
                lines.append(hanging(head, said, width, "$text-muted"))
        else:
            more = f"  (+{len(told) - 1})" if len(told) > 1 else ""
            lines = [Content.styled(f"{cut(text, width - len(more))}{more}", style) for style, text in told[:1]]
        below = self.query_one("#why", Static)
        text = Content("\n").join(lines)
        below.update(text)
        self._fit(text.plain.count("\n") + 1 if lines else 0)

    def _fit(self, lines: int) -> None:
        """Give each part its height: a grid's row would measure them at the width of one column."""
        rows = self.app.size.height // 4 if self.screen.has_class("-tall") else _LEAST
        listed = min(len(self._rows), max(rows, _LEAST))
        self.listed.styles.height = listed
        self.query_one("#why").styles.height = lines
        if isinstance(self.parent, Widget):
            self.parent.styles.grid_rows = f"{_ABOVE + listed + lines + self.styles.margin.bottom} 1fr"

    def _told(self, notes: Sequence[str]) -> list[tuple[str, str]]:
        """Style and text of what there is to say: of the group under the cursor first, then of the others."""
        here = self.in_focus
        ordered = ([here] if here is not None else []) + [row for row in self._rows if row is not here]
        wrong = [
            (STYLES[one.status], f"{'' if row is here else f'{row.group.name}: '}{one.word}: {one.why}")
            for row in ordered
            for one in row.apart
            if one.status is not Status.OK
        ]
        said = [("$text-muted", foreign(note)) for note in notes]
        usual: list[tuple[str, str]] = []
        if here is not None:
            usual = [("$text-muted", one.why) for one in here.apart if one.status is Status.OK]
        return [*wrong, *said, *usual]
