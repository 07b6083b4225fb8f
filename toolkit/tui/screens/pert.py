"""A perturbation: which groups hold it, in which layer and frames, at which concentrations; and which do not."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from textual import events, on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from toolkit.secret import scrub
from toolkit.tui.about import About
from toolkit.tui.registry import act, bindings
from toolkit.tui.screens.of_group import OfGroup
from toolkit.tui.widgets.panel import Panel
from toolkit.tui.widgets.prose import hanging, labelled
from toolkit.tui.widgets.table import Column, Table
from toolkit.tui.wording import counted, foreign

if TYPE_CHECKING:
    from toolkit.cache.search.find import Found, Where
    from toolkit.cache.search.matching import Near

_ABSENT = 12  # places without it that are named

COLUMNS: list[Column[Where]] = [
    Column("group", lambda w: w.group, flexible=True),
    Column("in", lambda w: w.layer),
    Column("frame", lambda w: w.frame, flexible=True),
    Column("µM", lambda w: " ".join(f"{c:g}" for c in w.concentrations) or "-"),
    Column("replicates", lambda w: "?" if w.replicates is None else f"{w.replicates:,}", right=True),
    Column("as", lambda w: w.pert, roomy=True),
]
NEAR_COLUMNS: list[Column[Near]] = [
    Column("did you mean", lambda n: foreign(n.pert), lambda _: "bold"),
    Column("at µM", lambda n: "-" if n.concentration is None else f"{n.concentration:g}", right=True),
    Column("because", lambda n: foreign(n.why), flexible=True, prose=True),
]


class PertPanel(Panel["Found"]):
    """Where it is, and below where it is not; where it is nowhere, the names that are like it."""

    same_as = "groups find"
    ABOUT = About(
        "A perturbation",
        "A row a frame that holds it. Below: the places without it, and why not. Where no frame holds it, the nearest "
        "names stand here: enter looks for that one.",
    )

    DEFAULT_CSS = """
    PertPanel { height: 1fr; }
    PertPanel Table { max-height: 70%; }
    PertPanel #near { display: none; margin-bottom: 1; }
    PertPanel.-near #near { display: block; }
    PertPanel.-near #where { display: none; }
    PertPanel #about { height: 1fr; margin-top: 1; border-top: dashed $rule; }
    """

    def __init__(self, pert: str) -> None:
        self.title = f"Where {foreign(pert)} is"
        super().__init__(id="pert")
        self._pert = pert
        self._found: Found | None = None

    def compose(self) -> ComposeResult:
        own = [act("pert.open").binding()]
        yield Table(
            COLUMNS, lambda where: f"{where.layer}:{where.group}:{where.frame}:{where.pert}", own=own, id="where"
        )
        yield Table(NEAR_COLUMNS, lambda near: near.pert, own=own, id="near")
        yield VerticalScroll(Static(Content.styled("…", "$text-muted"), id="absent"), id="about", can_focus=False)

    @property
    def where(self) -> Where | None:
        """The frame in focus."""
        table: Table[Where] = self.query_one("#where", Table)
        return table.in_focus

    @property
    def near(self) -> Near | None:
        """The near name in focus, where the pert is nowhere."""
        table: Table[Near] = self.query_one("#near", Table)
        return table.in_focus if self.has_class("-near") else None

    def ask(self) -> Found:
        return self.session.core.find_pert(self._pert)

    def answered(self, answer: Found) -> None:
        self._found = answer
        near = bool(answer.near) and not answer.matches
        self.set_class(near, "-near")
        self.query_one("#where", Table).show(answer.matches)
        self.query_one("#near", Table).show(answer.near)
        groups = len({where.group for where in answer.matches})
        self.heading = f"Where {foreign(self._pert)} is  {groups} of {counted(len(answer.groups), 'group')}"
        self.query_one("#near" if near else "#where", Table).rows.focus()
        self._draw()

    def on_resize(self, event: events.Resize) -> None:
        del event
        self._draw()

    def _draw(self) -> None:
        found = self._found
        if found is None:
            return
        width = max(self.content_size.width - 1, 30)
        lines = []
        if not found.matches:
            said = "Not under this name in any frame that could be searched."
            lines.append(hanging(Content.styled("! ", "bold $text-warning"), said, width))
        for where in {match.pert: match for match in found.matches if not match.exact}.values():
            text = f"there as {foreign(where.pert)}: the same but for its {where.how}"
            lines.append(hanging(Content.styled("! ", "bold $text-warning"), text, width))
        for absent in found.absent_from[:_ABSENT]:
            mark = Content.styled("- ", "$text-muted")
            lines.append(hanging(mark, scrub(f"{absent.group} in {absent.layer}: {absent.why}"), width))
        if (more := len(found.absent_from) - _ABSENT) > 0:
            lines.append(Content.styled(f"  {_ABSENT} of {_ABSENT + more:,} places without it shown", "$text-muted"))
        for unread in found.unreadable:
            mark = Content.styled("? ", "bold $text-warning")
            lines.append(hanging(mark, scrub(f"{unread.group} in {unread.layer}, {unread.frame}: {unread.why}"), width))
        command = f"toolkit why {shlex.quote(self._pert)} --env {self.session.environment.name}"
        lines.append(labelled("why", foreign(command), width, "$text-accent"))
        self.query_one("#absent", Static).update(Content("\n").join(lines))


class PertPage(OfGroup):
    """One perturbation, on top of the page of the groups."""

    SCOPE = "pert"
    BINDINGS = bindings("pert")
    AUTO_FOCUS = "Rows"

    def __init__(self, pert: str) -> None:
        super().__init__(crumb=foreign(pert))
        self._pert = pert

    def subject(self) -> tuple[str, str]:
        return self._pert, ""

    def body(self) -> ComposeResult:
        yield PertPanel(self._pert)

    def group_meant(self) -> str | None:
        where = self.query_one(PertPanel).where
        return None if where is None else where.group

    def perts_meant(self) -> tuple[str, ...]:
        where = self.query_one(PertPanel).where
        return () if where is None else (where.pert,)

    @on(Table.Chosen)
    async def action_open(self) -> None:
        panel = self.query_one(PertPanel)
        if panel.near is not None:
            await self.app.push_screen(PertPage(panel.near.pert))
        elif panel.where is not None:
            from toolkit.tui.screens.perts import PertsPage

            await self.app.push_screen(PertsPage(panel.where.group, panel.where.frame, panel.where.pert))
