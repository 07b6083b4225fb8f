"""The groups in the cache, and the frames of one: what of each lies in L2 and in L3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events, on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from toolkit.figures import age, size
from toolkit.secret import scrub
from toolkit.tui.about import About
from toolkit.tui.registry import act, bindings
from toolkit.tui.screens.shell import Page
from toolkit.tui.widgets import layers
from toolkit.tui.widgets.panel import Panel
from toolkit.tui.widgets.prose import hanging, labelled
from toolkit.tui.widgets.table import Column, Table
from toolkit.tui.wording import moment

if TYPE_CHECKING:
    from toolkit.cache.groups import Frame, Group, GroupDetail, Overview


GROUP_COLUMNS: list[Column[Group]] = [
    Column("#", lambda g: layers.DEFAULT if g.default else str(g.rank or "-"), lambda _: "bold $text-accent"),
    Column("group", lambda g: g.name, lambda g: "bold" if g.default else "", flexible=True),
    Column("age", layers.built, right=True),
    Column("L2", lambda g: layers.figure(g.l2)[0], lambda g: layers.figure(g.l2)[1]),
    Column("bytes", lambda g: layers.weight(g.l2), right=True),
    Column("L3", lambda g: layers.figure(g.l3)[0], lambda g: layers.figure(g.l3)[1]),
    Column("bytes", lambda g: layers.weight(g.l3), right=True),
    Column("built at", lambda g: moment(g.built_at), roomy=True),
]


class GroupsPanel(Panel["Overview"]):
    """All groups of both layers."""

    ABOUT = About(
        "The groups",
        "★ is the default group. L2 is Redis, L3 the bucket; 8/8 are the frames that are there of those "
        "expected, ! says that some are missing.",
    )

    title = "Groups"
    same_as = "groups list"
    every = 60.0

    DEFAULT_CSS = """
    GroupsPanel { height: 1fr; }
    GroupsPanel Table { max-height: 60%; }
    GroupsPanel #about { height: 1fr; margin-top: 1; border-top: dashed $rule; }
    """

    def compose(self) -> ComposeResult:
        yield Table(GROUP_COLUMNS, lambda group: group.name, enter=act("groups.frames").binding())
        yield VerticalScroll(Static("", id="group"), id="about")

    def on_mount(self) -> None:
        super().on_mount()
        self._overview: Overview | None = None

    @property
    def table(self) -> Table[Group]:
        return self.query_one(Table)

    def ask(self) -> Overview:
        return self.session.core.overview()

    def answered(self, answer: Overview) -> None:
        self._overview = answer
        self.table.show(answer.groups)
        self.heading = f"Groups  {len(answer.groups)}"

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
            lines = about(group, self.session.environment.time_zone, width)
        else:
            lines = [Content("No group anywhere: neither in Redis nor in the bucket. A rebuild (4) makes them.")]
        lines += layers.notes(self._overview, width)
        self.query_one("#group", Static).update(Content("\n").join(lines))


def about(group: Group, zone: str, width: int) -> list[Content]:
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
    mark, unknown = Content.styled("! ", "bold $text-warning"), Content.styled("? ", "bold $text-warning")
    for layer, presence in (("L2", group.l2), ("L3", group.l3)):
        if presence.reason:
            lines.append(hanging(unknown, f"{layer}: {scrub(presence.reason)}", width))
    return lines + [hanging(mark, scrub(note), width) for note in group.notes]


class GroupsPage(Page):
    """The page on key 2."""

    page = "groups"
    BINDINGS = bindings("groups")
    AUTO_FOCUS = "RowList"

    def body(self) -> ComposeResult:
        yield GroupsPanel(id="groups")

    def subject(self) -> tuple[str, str]:
        group = self.query_one(GroupsPanel).table.in_focus
        return "", group.name if group is not None else ""

    @on(Table.Chosen)
    async def action_frames(self) -> None:
        group = self.query_one(GroupsPanel).table.in_focus
        if group is not None:
            await self.app.push_screen(FramesPage(group.name))

    async def action_events(self) -> None:
        from toolkit.tui.screens.events import EventsPage

        await self.app.push_screen(EventsPage())


FRAME_COLUMNS: list[Column[Frame]] = [
    Column("frame", lambda f: f.name, flexible=True),
    Column("L2", lambda f: _there(f.l2_bytes), lambda f: _style(f.l2_bytes)),
    Column("bytes", lambda f: "-" if f.l2_bytes is None else size(f.l2_bytes), right=True),
    Column("L3", lambda f: _there(f.l3_bytes), lambda f: _style(f.l3_bytes)),
    Column("bytes", lambda f: "-" if f.l3_bytes is None else size(f.l3_bytes), right=True),
    Column("written to L3", lambda f: moment(f.updated), roomy=True),
    Column("generation", lambda f: str(f.generation or "-"), roomy=True),
]


def _there(amount: int | None) -> str:
    return "✓ there" if amount is not None else "- absent"


def _style(amount: int | None) -> str:
    return "$text-success" if amount is not None else "bold $text-warning"


class FramesPanel(Panel["GroupDetail"]):
    """The frames of one group in both layers."""

    same_as = "groups show"
    ABOUT = About("The frames of a group", "A row a frame; below stand its key in Redis and its object in the bucket.")

    DEFAULT_CSS = """
    FramesPanel { height: 1fr; }
    FramesPanel Table { max-height: 65%; }
    FramesPanel #about { height: 1fr; margin-top: 1; border-top: dashed $rule; }
    """

    def __init__(self, group: str) -> None:
        self.title = f"Frames of {group}"
        super().__init__(id="frames")
        self._group = group
        self._notes: tuple[str, ...] = ()

    def compose(self) -> ComposeResult:
        yield Table(FRAME_COLUMNS, lambda frame: frame.name)
        yield VerticalScroll(Static("", id="frame"), id="about")

    @property
    def table(self) -> Table[Frame]:
        return self.query_one(Table)

    def ask(self) -> GroupDetail:
        return self.session.core.group(self._group)

    def answered(self, answer: GroupDetail) -> None:
        self._notes = answer.notes
        self.table.show(answer.frames)
        self.heading = f"Frames of {self._group}  {len(answer.frames):,} of {answer.group.l3.expected}"

    def on_resize(self, event: events.Resize) -> None:
        del event
        self._describe()

    @on(Table.Moved)
    def _describe(self) -> None:
        width = max(self.content_size.width - 1, 30)
        environment = self.session.environment
        frame = self.table.in_focus
        lines: list[Content] = []
        if frame is not None:
            names = {"group": self._group, "frame": frame.name}
            prefix = environment.bucket.prefix.strip("/")
            path = environment.cache.frame_object.format(**names)
            lines = [
                labelled("key", environment.cache.frame_key.format(**names), width),
                labelled("object", f"gs://{environment.bucket.name}/{prefix + '/' if prefix else ''}{path}", width),
            ]
            if frame.updated is not None:
                lines.append(labelled("written", f"{moment(frame.updated)}, {age(frame.updated)}", width))
        mark = Content.styled("! ", "bold $text-warning")
        lines += [hanging(mark, scrub(note), width) for note in self._notes]
        self.query_one("#frame", Static).update(Content("\n").join(lines))


class FramesPage(Page):
    """Drilled down from the groups: one group's frames. Escape goes back."""

    page = "groups"
    AUTO_FOCUS = "RowList"

    def __init__(self, group: str) -> None:
        super().__init__(crumb=group)
        self._group = group

    def subject(self) -> tuple[str, str]:
        return "", self._group

    def body(self) -> ComposeResult:
        yield FramesPanel(self._group)


PAGE = GroupsPage
