"""CronJobs, jobs and pods of all the environment's parts in one list, each with its cluster; what one does with them
stands in jobs_acts.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from toolkit.tui.about import About
from toolkit.tui.background import each
from toolkit.tui.registry import act, bindings
from toolkit.tui.screens.jobs_acts import JobActs
from toolkit.tui.widgets import job_details
from toolkit.tui.widgets.filter import Filter
from toolkit.tui.widgets.job_rows import COLUMNS, KINDS, Row, chosen, in_full, ordered, rows_of
from toolkit.tui.widgets.panel import Panel
from toolkit.tui.widgets.table import Table
from toolkit.tui.wording import foreign

if TYPE_CHECKING:
    from toolkit.cache.workloads import Look


class JobsPanel(Panel["list[Look]"]):
    """The list, and the row in focus in words. Clusters are asked side by side, and shown as they answer."""

    ABOUT = About(
        "CronJobs, jobs and pods",
        "Each row says its cluster. `when` is a CronJob's next run, and when the others began. …-29379 is the end of a "
        "name that begins with its CronJob's. A cluster that is down is a row of its own; ? is what it said before.",
    )

    title = "Jobs"
    same_as = "cache status"
    every = 15.0

    DEFAULT_CSS = """
    JobsPanel { height: 1fr; }
    JobsPanel #split { height: 1fr; layout: vertical; }
    JobsPanel Table { max-height: 60%; }
    JobsPanel #about { height: 1fr; border-top: dashed $rule; }
    """

    def compose(self) -> ComposeResult:
        yield Filter(placeholder="words of a name, state, kind, cluster …", id="filter")
        with Container(id="split"):
            yield Table(COLUMNS, lambda row: row.key, own=[act("jobs.details").binding()], copied=in_full)
            yield VerticalScroll(Static("", id="row"), id="about")

    def on_mount(self) -> None:
        super().on_mount()
        self.kind = KINDS[0]
        self._looks: dict[tuple[str, tuple[str, ...]], Look] = {}
        self._good: dict[tuple[str, tuple[str, ...]], Look] = {}
        self._wanted: tuple[str, str] | None = None
        self._chose = False  # whether the list was once complete, so that the cursor stays on its row

    @property
    def table(self) -> Table[Row]:
        return self.query_one(Table)

    @property
    def filter(self) -> Filter:
        return self.query_one(Filter)

    async def fetch(self) -> list[Look]:
        found: list[Look] = []
        async for look in each(self.session.core.workloads, "jobs and pods"):
            found.append(look)
            self._take(look)
            self._show()
        return found

    def answered(self, answer: list[Look]) -> None:
        seen = {_key(look) for look in answer}
        self._looks = {key: look for key, look in self._looks.items() if key in seen}
        self._show()
        self._chose = True

    def _take(self, look: Look) -> None:
        self._looks[_key(look)] = look
        if look.problem is None:
            self._good[_key(look)] = look

    @property
    def rows(self) -> list[Row]:
        """All rows; of a cluster that is down, what it said before."""
        rows: list[Row] = []
        for key, look in self._looks.items():
            rows += rows_of(look)
            if look.problem is not None and key in self._good:
                rows += rows_of(self._good[key], old=True)
        return ordered(rows)

    def _show(self) -> None:
        rows = self.rows
        if self._wanted is not None:
            self._point(rows)
        kept = chosen(rows, self.kind, self.filter.value)
        untouched = not self._chose and not self.table.rows.cursor
        self.table.show(kept)
        if untouched and kept:
            self.table.rows.go(0)  # what came first is not what one chose
        counts = [self.kind] if self.kind != KINDS[0] else []
        total = sum(row.kind != "cluster" for row in rows)
        here = sum(row.kind != "cluster" for row in kept)
        counts.append(f"{here:,} of {total:,} shown" if here != total else f"{total:,}")
        down = sum(row.kind == "cluster" for row in rows)
        trouble = sum(row.trouble and row.kind != "cluster" and not row.old for row in rows)
        counts += [f"{down} down"] if down else []
        counts += [f"{trouble} in trouble"] if trouble else []
        self.heading = f"Jobs  {', '.join(counts)}"

    def point_at(self, kind: str, name: str) -> None:
        """Put the cursor on that CronJob, job or pod, as soon as it is known."""
        self._wanted = kind, name
        self._show()
        self.table.rows.focus()

    def _point(self, rows: Sequence[Row]) -> None:
        row = next((row for row in rows if (row.kind, row.name) == self._wanted), None)
        if row is None:
            return
        self._wanted, self._chose = None, True
        if row not in chosen(rows, self.kind, self.filter.value):
            self.kind, self.filter.value = KINDS[0], ""
            self.filter.remove_class("-on")
        self.table.point_at(row.key)

    def next_kind(self) -> None:
        """All, then CronJobs only, and so on."""
        self.kind = KINDS[(KINDS.index(self.kind) + 1) % len(KINDS)]
        self._show()

    @on(Input.Changed)
    def _narrow(self, event: Input.Changed) -> None:
        event.stop()
        self._show()

    @on(Input.Submitted)
    def _take_filter(self, event: Input.Submitted) -> None:
        event.stop()
        self.filter.action_take()

    @on(Filter.Taken)
    def _to_rows(self) -> None:
        self.table.rows.focus()

    def on_resize(self, event: events.Resize) -> None:
        del event
        self.call_after_refresh(self._describe)

    @on(Table.Moved)
    def _describe(self) -> None:
        row, core = self.table.in_focus, self.session.core
        width = max(self.query_one("#about").content_size.width - 1, 30)
        if row is None:
            asked = self.asking and not self._looks
            text = Content.styled("…" if asked else self._nothing(), "$text-muted")
        else:
            text = job_details.about(row, self.session.environment.time_zone, width, core.by_hand(row))
        self.query_one("#row", Static).update(text)

    def _nothing(self) -> str:
        if self.kind == "trouble" and not self.filter.value:
            return "Nothing is in trouble."
        if self.kind != KINDS[0] or self.filter.value:
            return foreign(f"No row fits {' '.join((self.kind, self.filter.value)).strip()}. s shows others.")
        return "There is no CronJob, job or pod where this environment's parts live."


def _key(look: Look) -> tuple[str, tuple[str, ...]]:
    return look.place.cluster, look.place.parts


class JobsPage(JobActs):
    """The page on key 4."""

    page = "jobs"
    BINDINGS = bindings("jobs")
    AUTO_FOCUS = "Rows"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide"), (170, "-vast")]  # noqa: RUF012

    DEFAULT_CSS = """
    JobsPage.-vast {
        #split { layout: horizontal; }
        Table { width: 5fr; max-height: 100%; }
        #about { width: 3fr; height: 100%; border-top: none; border-left: solid $rule; padding-left: 1; }
    }
    """

    def body(self) -> ComposeResult:
        yield JobsPanel(id="jobs")

    def point_at(self, kind: str, name: str) -> None:
        self.query_one(JobsPanel).point_at(kind, name)

    @property
    def row(self) -> Row | None:
        return self.query_one(JobsPanel).table.in_focus

    def action_filter(self) -> None:
        self.query_one(Filter).begin()

    def action_kind(self) -> None:
        self.query_one(JobsPanel).next_kind()

    @on(Table.Chosen)
    async def action_details(self) -> None:
        await self.show_details()


PAGE = JobsPage
