"""A picture of the map from a group's cached vectors: heatmap, projection, consistency. What it is made from is one
line to type; what its colours mean is said in words."""

from __future__ import annotations

import textwrap
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from toolkit.errors import ToolkitError, UsageError
from toolkit.progress import Progress
from toolkit.tui import background, picture_query
from toolkit.tui.background import in_thread
from toolkit.tui.house import house
from toolkit.tui.picture_query import TITLES, Kind, PictureQuery
from toolkit.tui.registry import bindings
from toolkit.tui.screens.shell import Page
from toolkit.tui.widgets.prose import hanging
from toolkit.tui.widgets.text_lines import TextLines
from toolkit.tui.widgets.working import Working
from toolkit.tui.wording import foreign

if TYPE_CHECKING:
    from rich.text import Text

    from toolkit.tui.map_picture import Picture

_MISSING = 6


class PicturePanel(Working["Picture"]):
    """One picture, drawn for the width there is."""

    DEFAULT_CSS = """
    PicturePanel #signs { height: auto; max-height: 50%; border-top: dashed $rule; }
    """

    def __init__(self, group: str, kind: Kind) -> None:
        self.title = f"{TITLES[kind]} of {group}"
        self.same_as = f"map {kind}"
        super().__init__(id="picture")
        self._group = group
        self.query_: PictureQuery | None = None
        self.picture: Picture | None = None

    def answer(self) -> ComposeResult:
        yield TextLines()
        yield Static("", id="signs")

    @property
    def settled(self) -> bool:
        return self.query_ is None or super().settled

    def load(self, *, gently: bool = False) -> None:
        if self.query_ is not None:
            super().load(gently=gently)

    def work(self, progress: Progress) -> Picture:
        if self.query_ is None:
            raise UsageError("Nothing was asked for.")
        return self.session.core.picture(self._group, self.query_, progress)

    def answered(self, answer: Picture) -> None:
        self.picture = answer
        self.query_one(TextLines).focus()
        self._draw_anew()

    def on_resize(self, event: events.Resize) -> None:
        del event
        self._draw_anew()

    def _draw_anew(self) -> None:
        if self.picture is not None:
            background.work_for(self, self._draw, group="draw", exclusive=True, exit_on_error=False)

    async def _draw(self) -> None:
        picture = self.picture
        if picture is None:
            return
        width = max(self.content_size.width - 3, 30)
        signs = self._signs(picture, width + 2)
        shown = self.query_one(TextLines)
        height = self.query_one("#answer").size.height - sum(1 + line.plain.count("\n") for line in signs) - 1
        command = foreign(picture.query.command(self._group, self.session.environment.name))
        try:
            lines = await in_thread(lambda: [*picture.draw(width, height), *_below(picture, command, width)], "draw")
        except ToolkitError as problem:
            self.broken(problem)
            return
        shown.show(lines)
        self.query_one("#signs", Static).update(Content("\n").join(signs))

    def _signs(self, picture: Picture, width: int) -> list[Content]:
        mark = Content.styled("! ", "bold $text-warning")
        lines = [hanging(Content(""), picture.signs, width)]
        for missing in picture.missing[:_MISSING]:
            near = f"; did you mean {missing.near[0].pert}?" if missing.near else ""
            lines.append(hanging(mark, foreign(f"{missing.query}: {missing.why}{near}"), width))
        if (more := len(picture.missing) - _MISSING) > 0:
            lines.append(hanging(mark, f"and {more:,} more that are not there", width))
        return lines + [hanging(mark, foreign(text), width) for text in picture.warnings]


def _below(picture: Picture, command: str, width: int) -> list[Text]:
    """What stands under the picture, to be scrolled to: its figures, how much was read, the command."""
    from rich.text import Text

    said = [*textwrap.wrap(picture.read, width), *textwrap.wrap(command, width, break_on_hyphens=False)]
    return [*_table(picture), Text(), *(Text(line, style="dim") for line in said)]


def _table(picture: Picture) -> list[Text]:
    """The table below the picture: the first two columns to the left, the others to the right."""
    from rich.cells import cell_len
    from rich.text import Text

    headings, rows = picture.table
    if not rows:
        return []
    widths = [max(cell_len(row[at]) for row in (headings, *rows)) for at in range(len(headings))]

    def line(row: object, style: str) -> Text:
        cells = [str(cell) for cell in row]  # type: ignore[attr-defined]
        padded = [
            cell + " " * (width - cell_len(cell))
            if at < 2 or at == len(widths) - 1
            else " " * (width - cell_len(cell)) + cell
            for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return Text("  ".join(padded).rstrip(), style=style)

    return [Text(), line(headings, "dim"), *(line(row, "") for row in rows)]


class PicturePage(Page):
    """A picture, on top of the page of the groups. What it shall show is asked for first."""

    page = "groups"
    SCOPE = "picture"
    BINDINGS = bindings("picture")
    AUTO_FOCUS = "TextLines"

    def __init__(self, group: str, kind: Kind, perts: tuple[str, ...] = ()) -> None:
        super().__init__(crumb=kind)
        self._group, self._kind, self._perts = group, kind, perts

    def body(self) -> ComposeResult:
        yield PicturePanel(self._group, self._kind)

    @property
    def panel(self) -> PicturePanel:
        return self.query_one(PicturePanel)

    def on_mount(self) -> None:
        super().on_mount()
        background.work_for(self, self._begin, group="offer", exclusive=True, exit_on_error=False)

    async def _begin(self) -> None:
        """Offer a few of the group's perts; where its names cannot be read, an empty line."""
        self.query_one("#signs", Static).update(Content.styled("● asking for the group's perts …", "$text-warning"))
        core, problem = self.session.core, ""
        try:
            there = await in_thread(lambda: core.group_perts(self._group), "perts to offer")
            line = picture_query.offered(self._kind, there, self._perts).line
        except ToolkitError as error:
            line, problem = " ".join(self._perts), f"The group's names cannot be read: {foreign(error.message)}\n"
        self.query_one("#signs", Static).update("")
        await self._ask(line, problem)

    async def _ask(self, line: str, said: str = "") -> None:
        from toolkit.tui.screens.ask import Ask

        check = partial(picture_query.read, self._kind)
        title = f"{TITLES[self._kind]} of {self._group}"
        await self.app.push_screen(
            Ask(title, line, hint=said + picture_query.HINTS[self._kind], check=check), self._take
        )

    def _take(self, line: str | None) -> None:
        panel = self.panel
        if line is None:
            if panel.query_ is None:
                self.app.call_later(self.app.run_action, "app.back")
            return
        panel.query_ = picture_query.read(self._kind, line)
        panel.load()

    async def action_ask(self) -> None:
        query = self.panel.query_
        await self._ask("" if query is None else query.line)

    async def action_save(self) -> None:
        """Ask for a file, and save it there as the command would."""
        from toolkit.tui.screens.ask import Ask

        if self.panel.picture is None:
            self.notify("There is no picture yet.", severity="warning")
            return
        hint = f"A .png or .svg file, not one that is there; {foreign(str(Path.cwd()))} is “.”."
        await self.app.push_screen(
            Ask("Save the picture as", self._free_name(), hint=hint, check=_writable), self._save
        )

    def _free_name(self) -> str:
        stem = f"{self._kind}-{self._group}".replace("/", "-")
        names = (f"{stem}{f'-{number}' if number else ''}.png" for number in range(1000))
        return next((name for name in names if not Path(name).exists()), "")

    def _save(self, line: str | None) -> None:
        picture = self.panel.picture
        if line is None or picture is None:
            return
        file = Path(line.strip()).expanduser()

        async def save() -> None:
            from toolkit.pictures import files

            try:
                await in_thread(lambda: files.save(file, picture.to_file), "save a picture")
            except ToolkitError as problem:
                self.notify(foreign(f"{problem.message} {problem.hint}"), title="Not saved", severity="error")
            else:
                self.notify(foreign(str(file.resolve())), title="Saved", timeout=10)

        background.work_for(self, save, group="save")

    def action_command(self) -> None:
        query = self.panel.query_
        if query is not None:
            house(self).copy(query.command(self._group, self.session.environment.name), "the command")


def _writable(line: str) -> None:
    """Raises UsageError where nothing can be written there."""
    from toolkit.pictures import files

    try:
        files.check(Path(line.strip()).expanduser(), overwrite=False)
    except ToolkitError as problem:
        raise UsageError(problem.message) from problem
