"""Two groups side by side: what both hold in numbers, then each pert and vector that is another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events, on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from toolkit.figures import size
from toolkit.progress import Progress
from toolkit.secret import scrub
from toolkit.tui.about import About
from toolkit.tui.registry import act, bindings
from toolkit.tui.screens.shell import Page
from toolkit.tui.widgets.prose import hanging, labelled
from toolkit.tui.widgets.table import Column, Table
from toolkit.tui.widgets.working import Working
from toolkit.tui.wording import counted, foreign

if TYPE_CHECKING:
    from toolkit.cache.inspect.changes import Change
    from toolkit.cache.inspect.comparison import Difference

_SIGNS = {
    "added": ("+ added", "$text-success"),
    "removed": ("- removed", "$text-error"),
    "moved": ("~ moved", "$text-warning"),
}
_WHERE = {"L2": "Redis", "L3": "the bucket"}

COLUMNS: list[Column[Change]] = [
    Column("change", lambda c: _SIGNS[c.change][0], lambda c: _SIGNS[c.change][1]),
    Column("pert", lambda c: foreign(c.pert), flexible=True),
    Column("kind", lambda c: foreign(c.kind) or "-"),
    Column("at µM", lambda c: "-" if c.concentration is None else f"{c.concentration:g}", right=True),
    Column("cosine", lambda c: "" if c.cosine is None else f"{c.cosine:.3f}", right=True),
    Column("frame", lambda c: foreign(c.frame), flexible=True),
]


class DiffPanel(Working["Difference"]):
    """The differences; names first, vectors only where somebody asks for them."""

    ABOUT = About(
        "Two groups side by side",
        "A is what was before, B what is now: + is in B and not in A, - the other way round, ~ a vector that points "
        "elsewhere (by its cosine). A group against itself is Redis against the bucket. Names are compared at once, "
        "from a few MB; v reads the vectors of both, too.",
    )

    same_as = "groups diff"

    DEFAULT_CSS = """
    DiffPanel #summary { height: auto; max-height: 40%; border-bottom: dashed $rule; }
    DiffPanel Table, DiffPanel Rows { height: 1fr; }
    """

    title = "Diff"

    def __init__(self, a: str, b: str) -> None:
        super().__init__(id="diff")
        self.a, self.b = a, b
        self.vectors = False
        self._found: Difference | None = None

    def answer(self) -> ComposeResult:
        yield Static("", id="summary")
        yield Table(COLUMNS, own=[act("groups-diff.open").binding()])

    @property
    def table(self) -> Table[Change]:
        return self.query_one(Table)

    def work(self, progress: Progress) -> Difference:
        return self.session.core.diff(self.a, self.b, progress, vectors=self.vectors)

    def answered(self, answer: Difference) -> None:
        from toolkit.cache.inspect.changes import changes

        self._found = answer
        every = list(changes(answer))
        self.table.show(every)
        self.heading = f"Diff  {counted(len(every), 'change')}"
        self._say()
        self.table.rows.focus()

    def on_resize(self, event: events.Resize) -> None:
        del event
        self._say()

    def _say(self) -> None:
        found = self._found
        if found is None:
            return
        width = max(self.content_size.width - 1, 30)
        lines = [
            labelled("A before", scrub(f"{found.a.group} in {_WHERE[found.a.layer]} ({found.a.layer})"), width),
            labelled("B now", scrub(f"{found.b.group} in {_WHERE[found.b.layer]} ({found.b.layer})"), width),
            *(hanging(Content.styled("! ", "bold $text-warning"), scrub(note), width) for note in _notes(found)),
        ]
        if found.same:
            what = "The same perts and concentrations"
            more = f", and no vector moved (cosine below {found.moved_below:g})." if self.vectors else "."
            lines.append(Content.styled(f"✓ {what}{more}", "$text-success"))
        else:
            moved = sum(frame.moved for frame in found.frames)
            lines.append(
                Content.assemble(
                    (f"+ {len(found.added):,} added  ", "$text-success"),
                    (f"- {len(found.removed):,} removed  ", "$text-error"),
                    f"{len(found.concentrations):,} at other µM",
                    (
                        f"  ~ {moved:,} moved (cosine < {found.moved_below:g})" if self.vectors else "",
                        "$text-warning",
                    ),
                )
            )
        how = "vectors too" if self.vectors else "names only (v: vectors)"
        compared = f"{counted(len(found.frames), 'frame')} compared, {how}"
        read = f"{size(found.bytes_read)} of {size(found.bytes_total)} read"
        lines.append(Content.styled(f"{compared}; {read}", "$text-muted"))
        self.query_one("#summary", Static).update(Content("\n").join(lines))


def _notes(found: Difference) -> list[str]:
    """What could not be compared, and what stands beside it."""
    notes = [problem.message for problem in found.errors]
    for label, frames in (("only A has", found.only_a), ("only B has", found.only_b)):
        if frames:
            notes.append(f"{label} the frames {', '.join(frames)}")
    notes += [f"{frame.frame} cannot be compared: {frame.unreadable}" for frame in found.frames if frame.unreadable]
    for frame in found.frames:
        if frame.not_comparable:
            vectors = counted(frame.not_comparable, "vector is", "vectors are")
            notes.append(f"{frame.frame}: {vectors} NaN, zero or of the wrong size on one side")
        if frame.moved > len(frame.worst):
            notes.append(f"{frame.frame}: the worst {len(frame.worst):,} of {frame.moved:,} that moved are shown")
    if not found.frames:
        notes.append("No frame is in both that could be compared.")
    return [*notes, *found.notes]


class DiffPage(Page):
    """Two groups, on top of the page of the groups."""

    page = "groups"
    SCOPE = "groups-diff"
    BINDINGS = bindings("groups-diff")
    AUTO_FOCUS = "Rows"

    def __init__(self, a: str, b: str) -> None:
        super().__init__(crumb=f"diff {a} … {b}" if a != b else f"diff {a}: Redis … bucket")
        self._a, self._b = a, b

    def body(self) -> ComposeResult:
        yield DiffPanel(self._a, self._b)

    @property
    def panel(self) -> DiffPanel:
        return self.query_one(DiffPanel)

    def action_vectors(self) -> None:
        self.panel.vectors = True
        self.panel.load()

    def action_swap(self) -> None:
        panel = self.panel
        panel.a, panel.b = panel.b, panel.a
        if panel.a != panel.b:
            panel.load()

    @on(Table.Chosen)
    async def action_open(self) -> None:
        from toolkit.tui.screens.pert import PertPage

        change = self.panel.table.in_focus
        if change is not None:
            await self.app.push_screen(PertPage(change.pert))
