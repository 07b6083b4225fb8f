"""A perturbation: which groups hold it, in which layer and frames, at which concentrations; and which do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from toolkit.secret import scrub
from toolkit.tui.about import About
from toolkit.tui.screens.shell import Page
from toolkit.tui.widgets.panel import Panel
from toolkit.tui.widgets.prose import hanging, labelled
from toolkit.tui.widgets.table import Column, Table
from toolkit.tui.wording import counted

if TYPE_CHECKING:
    from toolkit.cache.search.find import Found, Where

_ABSENT = 12  # places without it that are named

COLUMNS: list[Column[Where]] = [
    Column("group", lambda w: w.group, flexible=True),
    Column("in", lambda w: w.layer),
    Column("frame", lambda w: w.frame, flexible=True),
    Column("µM", lambda w: " ".join(f"{c:g}" for c in w.concentrations) or "-"),
    Column("replicates", lambda w: "?" if w.replicates is None else f"{w.replicates:,}", right=True),
    Column("as", lambda w: w.pert, roomy=True),
]


class PertPanel(Panel["Found"]):
    """Where it is, and below where it is not."""

    same_as = "groups find"
    ABOUT = About("A perturbation", "A row a frame that holds it. Below: the places without it, and why not.")

    DEFAULT_CSS = """
    PertPanel { height: 1fr; }
    PertPanel Table { max-height: 70%; }
    PertPanel #about { height: 1fr; margin-top: 1; border-top: dashed $rule; }
    """

    def __init__(self, pert: str) -> None:
        self.title = f"Where {pert} is"
        super().__init__(id="pert")
        self._pert = pert
        self._found: Found | None = None

    def compose(self) -> ComposeResult:
        yield Table(COLUMNS, lambda where: f"{where.layer}:{where.group}:{where.frame}:{where.pert}")
        yield VerticalScroll(Static(Content.styled("…", "$text-muted"), id="absent"), id="about")

    def ask(self) -> Found:
        return self.session.core.find_pert(self._pert)

    def answered(self, answer: Found) -> None:
        self._found = answer
        self.query_one(Table).show(answer.matches)
        groups = len({where.group for where in answer.matches})
        self.heading = f"Where {self._pert} is  {groups} of {counted(len(answer.groups), 'group')}"
        self._draw()

    def on_resize(self, event: events.Resize) -> None:
        del event
        self._draw()

    def _draw(self) -> None:
        if self._found is None:
            return
        width = max(self.content_size.width - 1, 30)
        lines = []
        for absent in self._found.absent_from[:_ABSENT]:
            mark = Content.styled("- ", "$text-muted")
            lines.append(hanging(mark, scrub(f"{absent.group} in {absent.layer}: {absent.why}"), width))
        if (more := len(self._found.absent_from) - _ABSENT) > 0:
            lines.append(Content.styled(f"  {_ABSENT} of {_ABSENT + more:,} places without it shown", "$text-muted"))
        for unread in self._found.unreadable:
            mark = Content.styled("? ", "bold $text-warning")
            lines.append(hanging(mark, scrub(f"{unread.group} in {unread.layer}, {unread.frame}: {unread.why}"), width))
        environment = self.session.environment.name
        lines.append(labelled("why", f"toolkit why {self._pert} --env {environment}", width, "$text-accent"))
        self.query_one("#absent", Static).update(Content("\n").join(lines))


class PertPage(Page):
    """One perturbation, on top of the page of the groups."""

    page = "groups"
    AUTO_FOCUS = "RowList"

    def __init__(self, pert: str) -> None:
        super().__init__(crumb=pert)
        self._pert = pert

    def subject(self) -> tuple[str, str]:
        return self._pert, ""

    def body(self) -> ComposeResult:
        yield PertPanel(self._pert)
