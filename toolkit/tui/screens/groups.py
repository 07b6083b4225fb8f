"""The groups in the cache: what of each lies in L2 and in L3, what disagrees; and what is done with the marked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual import events, on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from toolkit.errors import ToolkitError
from toolkit.figures import age
from toolkit.secret import scrub
from toolkit.tui import background
from toolkit.tui.about import About
from toolkit.tui.background import as_problem, each
from toolkit.tui.house import house
from toolkit.tui.registry import act, bindings
from toolkit.tui.screens.of_group import OfGroup
from toolkit.tui.widgets import layers
from toolkit.tui.widgets.banner import Navigation
from toolkit.tui.widgets.panel import Panel
from toolkit.tui.widgets.prose import hanging, labelled
from toolkit.tui.widgets.table import Column, Table
from toolkit.tui.wording import moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.actions.plan import Action
    from toolkit.cache.groups import Group, Overview

MARK = "◆"


class GroupsPanel(Panel["Overview"]):
    """All groups of both layers."""

    ABOUT = About(
        "The groups",
        "★ is the default group, ◆ a marked one. L2 is Redis, L3 the bucket; 8/8 are the frames that are there of "
        "those expected, ! says that some are missing. d compares two marked groups, or the marked one with that "
        "under the cursor; x deletes the marked ones from Redis, or that under the cursor.",
    )

    title = "Groups"
    same_as = "groups list"
    every = 60.0

    DEFAULT_CSS = """
    GroupsPanel { height: 1fr; }
    GroupsPanel Table { max-height: 60%; }
    GroupsPanel #about { height: 1fr; margin-top: 1; border-top: dashed $rule; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.marked: dict[str, None] = {}
        self._overview: Overview | None = None
        self._counts: dict[str, int] = {}

    def compose(self) -> ComposeResult:
        columns: list[Column[Group]] = [
            Column("#", self._rank, lambda g: "bold $text-accent" if g.default or g.name in self.marked else ""),
            Column("group", lambda g: g.name, lambda g: "bold" if g.default else "", flexible=True),
            Column("age", layers.built, right=True),
            Column("L2", lambda g: layers.figure(g.l2)[0], lambda g: layers.figure(g.l2)[1]),
            Column("bytes", lambda g: layers.weight(g.l2), right=True),
            Column("L3", lambda g: layers.figure(g.l3)[0], lambda g: layers.figure(g.l3)[1]),
            Column("bytes", lambda g: layers.weight(g.l3), right=True),
            Column("perts", self._perts, right=True, roomy=True),
            Column("built at", lambda g: moment(g.built_at), roomy=True),
            Column("disagrees", self._disagrees, lambda g: "$text-warning" if g.notes else "$text-muted", roomy=True,
                   flexible=True),
        ]  # fmt: skip
        yield Table(columns, lambda group: group.name, own=[act("groups.frames").binding()])
        yield VerticalScroll(Static("", id="group"), id="about", can_focus=False)

    @property
    def table(self) -> Table[Group]:
        return self.query_one(Table)

    @property
    def names(self) -> list[str]:
        """All groups, in the order of the table."""
        return [] if self._overview is None else [group.name for group in self._overview.groups]

    def ask(self) -> Overview:
        return self.session.core.overview()

    def answered(self, answer: Overview) -> None:
        self._overview = answer
        known = set(self.names)
        self.marked = {name: None for name in self.marked if name in known}
        self.show()
        background.work_for(self, self._count, group="counts", exclusive=True, exit_on_error=False)

    def show(self) -> None:
        """Draw what is known, with the marks there are."""
        if self._overview is not None:
            self.table.show(self._overview.groups)
            marked = f"  {MARK} {len(self.marked)} marked" if self.marked else ""
            self.heading = f"Groups  {len(self._overview.groups)}{marked}"

    def mark(self) -> None:
        """Mark the group under the cursor, or take its mark; the cursor goes on to the next."""
        group = self.table.in_focus
        if group is None:
            return
        if group.name in self.marked:
            del self.marked[group.name]
        else:
            self.marked[group.name] = None
        self.show()
        self.table.rows.action_cursor_down()

    def meant(self) -> list[str]:
        """The marked groups in the order of the table, else the one under the cursor."""
        if self.marked:
            return [name for name in self.names if name in self.marked]
        group = self.table.in_focus
        return [] if group is None else [group.name]

    async def _count(self) -> None:
        """The perts of groups whose names were read before: that costs nothing."""
        core = self.session.core
        try:
            async for name, count in each(core.pert_counts, "pert counts"):
                self._counts[name] = count
        except ToolkitError:
            return  # the groups themselves say what is wrong
        if self._counts:
            self.show()

    def _rank(self, group: Group) -> str:
        rank = layers.DEFAULT if group.default else str(group.rank or "-")
        return f"{rank}{MARK}" if group.name in self.marked else rank

    def _perts(self, group: Group) -> str:
        return f"{self._counts[group.name]:,}" if group.name in self._counts else "-"

    @staticmethod
    def _disagrees(group: Group) -> str:
        return scrub("; ".join(group.notes)) or "-"

    def on_resize(self, event: events.Resize) -> None:
        del event
        self._describe()

    @on(Table.Moved)
    def _describe(self) -> None:
        if self._overview is None:
            return
        width = max(self.content_size.width - 1, 30)
        group = self.table.in_focus
        if group is not None:
            lines = about(group, self.session.environment.time_zone, width, self._counts.get(group.name))
        else:
            lines = [Content("No group anywhere: neither in Redis nor in the bucket. A rebuild (4) makes them.")]
        lines += layers.notes(self._overview, width)
        self.query_one("#group", Static).update(Content("\n").join(lines))


def about(group: Group, zone: str, width: int, perts: int | None = None) -> list[Content]:
    """A group in words, and what is wrong with it."""
    rank = "not in the index: the app does not offer it"
    if group.rank is not None:
        rank = f"number {group.rank} of the dropdown" + (", the default" if group.default else "")
    built = "not known: only the index in Redis says when"
    if group.built_at is not None:
        built = f"{moment(group.built_at)}, {moment(group.built_at, zone)}, {age(group.built_at)}"
    lines = [
        Content.styled(group.name, "bold"),
        labelled("rank", rank, width),
        labelled("built", built, width),
    ]
    if perts is not None:
        lines.append(labelled("perts", f"{perts:,}, as its names were last read", width))
    mark, unknown = Content.styled("! ", "bold $text-warning"), Content.styled("? ", "bold $text-warning")
    for layer, presence in (("L2", group.l2), ("L3", group.l3)):
        if presence.reason:
            lines.append(hanging(unknown, f"{layer}: {scrub(presence.reason)}", width))
    return lines + [hanging(mark, scrub(note), width) for note in group.notes]


class GroupsPage(OfGroup):
    """The page on key 2."""

    BINDINGS = bindings("groups")
    AUTO_FOCUS = "Rows"

    def body(self) -> ComposeResult:
        yield GroupsPanel(id="groups")

    @property
    def panel(self) -> GroupsPanel:
        return self.query_one(GroupsPanel)

    def group_meant(self) -> str | None:
        group = self.panel.table.in_focus
        return None if group is None else group.name

    @on(Table.Chosen)
    async def action_frames(self) -> None:
        from toolkit.tui.screens.frames import FramesPage

        group = self.group_meant()
        if group is not None:
            await self.app.push_screen(FramesPage(group))

    async def action_events(self) -> None:
        from toolkit.tui.screens.events import EventsPage

        await self.app.push_screen(EventsPage())

    def action_mark(self) -> None:
        self.panel.mark()
        count = len(self.panel.marked)
        self.crumb = f"{MARK} {count} marked" if count else ""
        self.query_one(Navigation).refresh()

    async def action_diff(self) -> None:
        """The two marked groups, or the marked one and the one under the cursor; the older is what was before."""
        from toolkit.tui.screens.groups_diff import DiffPage

        here, marked = self.group_meant(), self.panel.meant() if self.panel.marked else []
        if here is None:
            return
        if not marked:
            self.notify("Mark a group (space), go to another one, and press d again.")
        elif len(marked) > 2:
            self.notify(f"{len(marked)} groups are marked; a diff is of two. space takes a mark.", severity="warning")
        elif len(marked) == 2:
            await self.app.push_screen(DiffPage(marked[1], marked[0]))
        else:
            names = self.panel.names
            now, before = sorted((here, marked[0]), key=names.index)
            await self.app.push_screen(DiffPage(before, now))

    async def action_delete(self) -> None:
        """Take the marked groups to the gate."""
        names = self.panel.meant()
        if names:
            core = self.session.core
            await self._to_the_gate(
                f"Delete {', '.join(names)} from Redis", lambda backup: core.delete_groups(names, backup)
            )

    async def action_flush(self) -> None:
        await self._to_the_gate("Empty Redis altogether", self.session.core.flush)

    async def _to_the_gate(self, title: str, action: Callable[[Path | None], Action]) -> None:
        """Ask for a backup first: without one only a rebuild brings them back."""
        from toolkit.tui.screens.ask import Ask

        async def take(line: str | None) -> None:
            if line is None:
                return
            text = line.strip()
            try:
                made = action(Path(text).expanduser() if text else None)
            except Exception as error:  # noqa: BLE001 - said, and nothing was changed
                self.notify(scrub(as_problem(error).message), title=title, severity="error")
                return
            await house(self).carry_out(made)

        hint = (
            "A new directory in which every value is saved before it goes: `toolkit groups restore` puts it back. "
            "Left empty, nothing is saved. Then comes the plan; nothing is changed before you agree to it."
        )
        await self.app.push_screen(Ask(f"{title}: save first in", hint=hint, placeholder="no backup"), take)


PAGE = GroupsPage
