"""The perts of one frame: however many, filtered as one types, with their concentrations. Enter: where else it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input, Static

from toolkit.figures import size
from toolkit.progress import Progress
from toolkit.tui import background
from toolkit.tui.about import About
from toolkit.tui.background import in_thread
from toolkit.tui.registry import act, bindings
from toolkit.tui.screens.of_group import OfGroup
from toolkit.tui.widgets.prose import hanging
from toolkit.tui.widgets.table import Column, Rows, Table
from toolkit.tui.widgets.working import Working
from toolkit.tui.wording import cut, foreign

if TYPE_CHECKING:
    from toolkit.cache.perturbations import Pert
    from toolkit.cache.search.filtering import Filter, Filtered
    from toolkit.cache.search.frame_perts import FramePerts

MARK = "◆"
COLUMNS: list[Column[Pert]] = [
    Column("pert", lambda p: foreign(p.name), flexible=True),
    Column("kind", lambda p: foreign(p.kind) or "-"),
    Column("µM", lambda p: " ".join(f"{c:g}" for c in p.concentrations) or "-", flexible=True),
    Column("replicates", lambda p: "-" if p.replicates is None else f"{p.replicates:,}", right=True),
    Column("experiments", lambda p: "-" if p.experiments is None else f"{p.experiments:,}", right=True, roomy=True),
]


class FilterLine(Input):
    """What the names are filtered by."""

    ABOUT = About(
        "Filter",
        "Parts of a name in any order, or a kind (gene, compound); what is shown follows as you type. Where no name "
        "holds it, those most like it are shown. ↓ or tab goes to the list, enter opens the pert under the cursor.",
    )

    def __init__(self, value: str = "") -> None:
        super().__init__(value, placeholder="filter: part of a name", id="filter")
        self._bindings.key_to_bindings["enter"] = [act("perts.open").binding()]


class PertsPanel(Working["FramePerts"]):
    """The list with its filter."""

    ABOUT = About("The perts of a frame", "A row a pert, with the concentrations (µM) that the frame has of it.")

    same_as = "groups find"

    DEFAULT_CSS = """
    PertsPanel #filter, PertsPanel #filter:focus { height: 1; border: none; padding: 0 1; background: $panel; }
    PertsPanel #notes { height: auto; padding: 0 1; display: none; }
    PertsPanel.-noted #notes { display: block; }
    PertsPanel #count { height: 1; padding: 0 1; text-wrap: nowrap; }
    PertsPanel Table, PertsPanel Rows { height: 1fr; }
    """

    def __init__(self, group: str, frame: str, pert: str = "") -> None:
        self.title = f"Perts in {frame}"
        super().__init__(id="perts")
        self._pert = pert
        self._group, self._frame = group, frame
        self._answer: FramePerts | None = None
        self._filter: Filter | None = None
        self._shown: Filtered | None = None
        self.marked: dict[str, None] = {}

    def answer(self) -> ComposeResult:
        yield FilterLine(self._pert)
        yield Static("", id="count")
        yield Static("", id="notes")
        yield Table(COLUMNS, own=[act("perts.open").binding()], sign=self._sign)

    @property
    def table(self) -> Table[Pert]:
        return self.query_one(Table)

    def work(self, progress: Progress) -> FramePerts:
        from toolkit.cache.search.filtering import Filter

        found = self.session.core.frame_perts(self._group, self._frame, None, progress)
        self._filter = Filter(found.perts)
        return found

    def answered(self, answer: FramePerts) -> None:
        self._answer = answer
        self.refilter()

    @on(Input.Changed)
    def refilter(self) -> None:
        """Show what the line in the filter means; the newest only."""
        background.work_for(self, self._refilter, group="filter", exclusive=True, exit_on_error=False)

    async def _refilter(self) -> None:
        text, look, answer = self.query_one(FilterLine).value, self._filter, self._answer
        if look is None or answer is None:
            return
        shown = await in_thread(lambda: look(text), "filter")
        self._shown = shown
        self.table.show(shown)
        self._say()

    def _say(self) -> None:
        answer, shown = self._answer, self._shown
        if answer is None or shown is None:
            return
        total, text = len(answer.perts), foreign(self.query_one(FilterLine).value.strip())
        width = max(self.content_size.width - 2, 30)
        if shown.near:
            said = Content.assemble(
                ("! ", "bold $text-warning"), cut(f"No name holds {text!r}; {len(shown)} are like it", width)
            )
        elif not len(shown) and total:
            said = Content.styled(
                cut(f"! No name is anything like {text!r}.  0 of {total:,}", width), "bold $text-warning"
            )
        else:
            said = Content(f"{len(shown):,} of {total:,}" if text else f"{total:,} perts")
        marked = f"  {MARK} {len(self.marked)} marked" if self.marked else ""
        self.query_one("#count", Static).update(Content.assemble(said, (marked, "bold")))
        where = "Redis" if answer.layer == "L2" else "the bucket"
        read = f"{size(answer.bytes_read)} of {size(answer.bytes)} read" if answer.bytes_read else "known, nothing read"
        self.heading = f"Perts in {self._frame}  from {where}, {read}"
        notes = [hanging(Content.styled("! ", "bold $text-warning"), foreign(note), width) for note in answer.notes]
        self.set_class(bool(notes), "-noted")
        self.query_one("#notes", Static).update(Content("\n").join(notes))

    def mark(self) -> None:
        pert = self.table.in_focus
        if pert is None:
            return
        if pert.name in self.marked:
            del self.marked[pert.name]
        else:
            self.marked[pert.name] = None
        self.table.redraw()
        self.table.rows.action_cursor_down()
        self._say()

    def _sign(self, pert: Pert) -> str:
        return MARK if pert.name in self.marked else ""


class PertsPage(OfGroup):
    """The perts of a frame, on top of its group's frames."""

    SCOPE = "perts"
    BINDINGS = bindings("perts")
    AUTO_FOCUS = "FilterLine"

    def __init__(self, group: str, frame: str, pert: str = "") -> None:
        super().__init__(crumb=frame)
        self._group, self._frame, self._pert = group, frame, pert

    def body(self) -> ComposeResult:
        yield PertsPanel(self._group, self._frame, self._pert)

    @property
    def panel(self) -> PertsPanel:
        return self.query_one(PertsPanel)

    def group_meant(self) -> str | None:
        return self._group

    def perts_meant(self) -> tuple[str, ...]:
        return tuple(self.panel.marked)

    @on(Table.Chosen)
    async def action_open(self) -> None:
        from toolkit.tui.screens.pert import PertPage

        pert = self.panel.table.in_focus
        if pert is not None:
            await self.app.push_screen(PertPage(pert.name))

    def action_mark(self) -> None:
        self.panel.mark()

    def action_move(self, by: int) -> None:
        """From the filter: move the cursor of the list."""
        rows = self.panel.table.rows
        rows.go(rows.cursor + by)

    def action_page(self, by: int) -> None:
        rows = self.panel.table.rows
        rows.action_page_down() if by > 0 else rows.action_page_up()

    def action_other(self) -> None:
        """From the filter to the list, and back."""
        target = self.query_one(FilterLine) if isinstance(self.focused, Rows) else self.panel.table.rows
        target.focus()

    async def action_clear_or_back(self) -> None:
        """Empty the filter first, then go back."""
        line = self.query_one(FilterLine)
        if line.value:
            line.value = ""
        else:
            await self.app.run_action("app.back")
