"""The frames of one group: what each is, by its header alone, and where it lies. Enter goes on to its perts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events, on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from toolkit.errors import ToolkitError
from toolkit.figures import age, size
from toolkit.progress import Progress
from toolkit.secret import scrub
from toolkit.tui import background
from toolkit.tui.about import About
from toolkit.tui.background import each
from toolkit.tui.registry import act, bindings
from toolkit.tui.screens.of_group import OfGroup
from toolkit.tui.widgets.panel import Panel
from toolkit.tui.widgets.prose import hanging, labelled
from toolkit.tui.widgets.table import Column, Table
from toolkit.tui.wording import counted, moment

if TYPE_CHECKING:
    from toolkit.cache.groups import Frame, GroupDetail
    from toolkit.cache.inspect.frame_headers import FrameHeader

_COLUMNS_TOLD = 8


class FramesPanel(Panel["GroupDetail"]):
    """The frames of one group in both layers; their headers are read one after the other, and filled in."""

    ABOUT = About(
        "The frames of a group",
        "A row a frame; rows and columns are read from its header, a few kB. ✓ it is there, - it is not, ✗ it cannot "
        "be read. Below stand its key in Redis and its object in the bucket. Enter lists its perts.",
    )

    same_as = "groups show"

    DEFAULT_CSS = """
    FramesPanel { height: 1fr; }
    FramesPanel Table { max-height: 60%; }
    FramesPanel #about { height: 1fr; margin-top: 1; border-top: dashed $rule; }
    """

    def __init__(self, group: str) -> None:
        self.title = f"Frames of {group}"
        super().__init__(id="frames")
        self._group = group
        self._detail: GroupDetail | None = None
        self._headers: dict[tuple[str, str], FrameHeader] = {}
        self._unread = ""
        self._reading: Progress | None = None

    def compose(self) -> ComposeResult:
        columns: list[Column[Frame]] = [
            Column("frame", lambda f: f.name, flexible=True),
            Column("rows", lambda f: self._told(f, "rows"), right=True),
            Column("cols", lambda f: self._told(f, "columns"), right=True),
            Column("Redis", lambda f: self._there(f, "L2"), lambda f: self._style(f, "L2")),
            Column("bucket", lambda f: self._there(f, "L3"), lambda f: self._style(f, "L3")),
            Column("kind", lambda f: self._told(f, "format"), roomy=True),
            Column("written to L3", lambda f: moment(f.updated), roomy=True),
        ]
        yield Table(columns, lambda frame: frame.name, own=[act("frames.perts").binding()])
        yield VerticalScroll(Static("", id="frame"), id="about", can_focus=False)

    @property
    def table(self) -> Table[Frame]:
        return self.query_one(Table)

    def ask(self) -> GroupDetail:
        return self.session.core.group(self._group)

    def answered(self, answer: GroupDetail) -> None:
        self._detail = answer
        self._headers, self._unread = {}, ""
        self.table.show(answer.frames)
        self.heading = f"Frames of {self._group}  {len(answer.frames):,} of {answer.group.l3.expected}"
        background.work_for(self, self._read_headers, group="headers", exclusive=True, exit_on_error=False)

    def on_unmount(self) -> None:
        if self._reading is not None:
            self._reading.stop.set()

    async def _read_headers(self) -> None:
        progress = self._reading = Progress()
        core, detail = self.session.core, self._detail
        try:
            async for header in each(lambda: core.frame_headers(self._group, progress), "frame headers"):
                self._headers[header.frame, header.layer] = header
                if detail is not None and detail is self._detail:
                    self.table.show(detail.frames)
        except ToolkitError as problem:
            self._unread = problem.message
        finally:
            progress.stop.set()
        self._describe()

    def _header(self, frame: Frame) -> FrameHeader | None:
        """That of Redis, which is what the app shows, else the bucket's."""
        both = [self._headers[key] for key in ((frame.name, "L2"), (frame.name, "L3")) if key in self._headers]
        return next((header for header in both if not header.why), both[0] if both else None)

    def _told(self, frame: Frame, what: str) -> str:
        header = self._header(frame)
        if header is None:
            there = frame.l2_bytes is not None or frame.l3_bytes is not None
            return "…" if there and not self._unread else "-"
        if what == "rows":
            return "?" if header.rows is None else f"{header.rows:,}"
        if what == "columns":
            return f"{len(header.columns):,}" if header.columns else "?"
        return header.format or "?"

    def _there(self, frame: Frame, layer: str) -> str:
        amount = frame.l2_bytes if layer == "L2" else frame.l3_bytes
        header = self._headers.get((frame.name, layer))
        if header is not None and header.why:
            return "✗ not readable"
        return "- absent" if amount is None else f"✓ {size(amount)}"

    def _style(self, frame: Frame, layer: str) -> str:
        return {"✓": "$text-success", "-": "bold $text-warning", "✗": "bold $text-error"}[self._there(frame, layer)[0]]

    def on_resize(self, event: events.Resize) -> None:
        del event
        self._describe()

    @on(Table.Moved)
    def _describe(self) -> None:
        width = max(self.content_size.width - 1, 30)
        frame = self.table.in_focus
        lines = [] if frame is None else self._about(frame, width)
        mark = Content.styled("! ", "bold $text-warning")
        notes = list(self._detail.notes) if self._detail is not None else []
        if self._unread:
            notes.append(f"The headers could not be read: {self._unread}")
        lines += [hanging(mark, scrub(note), width) for note in notes]
        self.query_one("#frame", Static).update(Content("\n").join(lines))

    def _about(self, frame: Frame, width: int) -> list[Content]:
        environment = self.session.environment
        names = {"group": self._group, "frame": frame.name}
        prefix = environment.bucket.prefix.strip("/")
        path = environment.cache.frame_object.format(**names)
        lines = []
        for layer, label in (("L2", "Redis"), ("L3", "the bucket")):
            header = self._headers.get((frame.name, layer))
            if header is not None and header.why:
                mark = Content.styled("✗ ", "bold $text-error")
                lines.append(hanging(mark, scrub(f"{label}'s cannot be read: {header.why}"), width))
        lines += [
            labelled("key", environment.cache.frame_key.format(**names), width),
            labelled("object", f"gs://{environment.bucket.name}/{prefix + '/' if prefix else ''}{path}", width),
        ]
        if frame.updated is not None:
            written = f"{moment(frame.updated)}, {age(frame.updated)}, generation {frame.generation or '-'}"
            lines.append(labelled("written", written, width))
        header = self._header(frame)
        if header is not None and header.format:
            where = "Redis" if header.layer == "L2" else "the bucket"
            rows = "rows are told only by reading all of it" if header.rows is None else counted(header.rows, "row")
            lines.append(
                labelled("kind", f"{header.format}, {rows}; {size(header.bytes_read)} of {where}'s read", width)
            )
        if header is not None and header.columns:
            shown = ", ".join(f"{column.name} ({column.type})" for column in header.columns[:_COLUMNS_TOLD])
            more = len(header.columns) - _COLUMNS_TOLD
            lines.append(labelled("columns", scrub(shown + (f" and {more:,} more" if more > 0 else "")), width))
        return lines


class FramesPage(OfGroup):
    """Drilled down from the groups: one group's frames. Escape goes back."""

    SCOPE = "frames"
    BINDINGS = bindings("frames")
    AUTO_FOCUS = "Rows"

    def __init__(self, group: str) -> None:
        super().__init__(crumb=group)
        self._group = group

    def body(self) -> ComposeResult:
        yield FramesPanel(self._group)

    def group_meant(self) -> str | None:
        return self._group

    @on(Table.Chosen)
    async def action_perts(self) -> None:
        from toolkit.tui.screens.perts import PertsPage

        frame = self.query_one(FramesPanel).table.in_focus
        if frame is not None:
            await self.app.push_screen(PertsPage(self._group, frame.name))
