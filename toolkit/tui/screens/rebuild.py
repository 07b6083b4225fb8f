"""The cache manager: where it is, its last runs, the next; and the way to start a rebuild, through the gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events, on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from toolkit.figures import age
from toolkit.secret import scrub
from toolkit.tui.house import house
from toolkit.tui.registry import bindings
from toolkit.tui.screens.shell import Page
from toolkit.tui.widgets import runs
from toolkit.tui.widgets.panel import Panel
from toolkit.tui.widgets.plan_page import fact_lines
from toolkit.tui.widgets.prose import hanging
from toolkit.tui.widgets.table import Column, Table
from toolkit.tui.wording import counted, moment

if TYPE_CHECKING:
    from toolkit.systems.cluster.objects import Job
    from toolkit.tui.core import Manager

COLUMNS: list[Column[Job]] = [
    Column("state", runs.sign, runs.style),
    Column("started", lambda job: age(runs.begun(job)), right=True),
    Column("took", runs.took, right=True),
    Column("how", lambda job: "by hand" if job.manual else "schedule"),
    Column("job", lambda job: job.name, flexible=True),
    Column("started at", lambda job: moment(runs.begun(job)), roomy=True),
    Column("image", lambda job: job.image.rpartition("/")[2], roomy=True),
]
_SHOWN_ABOVE = frozenset({"CronJob", "last runs", "suspended", "next run", ""})  # facts that the page says by itself


class RebuildPanel(Panel["Manager"]):
    """The CronJob, its runs, and what one should know before starting one."""

    title = "Cache manager"
    same_as = "cache status"
    every = 30.0

    DEFAULT_CSS = """
    RebuildPanel { height: 1fr; }
    RebuildPanel #manager { height: auto; margin-bottom: 1; }
    RebuildPanel Table { height: auto; max-height: 40%; }
    RebuildPanel #about { height: 1fr; margin-top: 1; border-top: dashed $rule; }
    """

    def compose(self) -> ComposeResult:
        yield Static(Content.styled("…", "$text-muted"), id="manager")
        yield Table(COLUMNS, lambda job: job.name)
        yield VerticalScroll(Static("", id="facts"), id="about")

    def on_mount(self) -> None:
        super().on_mount()
        self._manager: Manager | None = None

    @property
    def table(self) -> Table[Job]:
        return self.query_one(Table)

    def ask(self) -> Manager:
        return self.session.core.cache_manager_thoroughly()

    def answered(self, answer: Manager) -> None:
        self._manager = answer
        self._draw()
        self.table.show(answer.jobs)
        self.heading = f"Cache manager  {counted(len(answer.jobs), 'run')} kept"

    def on_resize(self, event: events.Resize) -> None:
        del event
        self._draw()
        self._describe()

    def _draw(self) -> None:
        if self._manager is not None:
            lines = [Content.styled(self._manager.cronjob.name, "bold")]
            zone = self.session.environment.time_zone
            lines += runs.summary(self._manager, zone, max(self.content_size.width, 30))
            self.query_one("#manager", Static).update(Content("\n").join(lines))

    @on(Table.Moved)
    def _describe(self) -> None:
        """What is to be known of the run in focus, where it failed; then what holds for all."""
        width = max(self.content_size.width - 1, 30)
        lines: list[Content] = []
        job = self.table.in_focus
        if job is not None and job.state == "failed":
            why = ": ".join(part for part in (job.reason, job.message) if part) or "for no stated reason"
            lines.append(hanging(Content.styled("✗ failed  ", "bold $text-error"), f"{job.name}: {scrub(why)}", width))
        facts = self._manager.facts if self._manager is not None else ()
        lines += fact_lines([fact for fact in facts if fact.label not in _SHOWN_ABOVE], width)
        self.query_one("#facts", Static).update(Content("\n").join(lines))


class RebuildPage(Page):
    """The page on key 4."""

    page = "rebuild"
    BINDINGS = bindings("rebuild")
    AUTO_FOCUS = "RowList"

    def body(self) -> ComposeResult:
        yield RebuildPanel(id="rebuild")

    async def action_rebuild(self) -> None:
        await house(self).action_rebuild()


PAGE = RebuildPage
