"""Runbooks by symptom, and the cases that were begun: from here a walk begins, goes on, or is read again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult

from toolkit.figures import age
from toolkit.secret import scrub
from toolkit.tui import walk_start
from toolkit.tui.about import About
from toolkit.tui.background import in_thread
from toolkit.tui.house import house
from toolkit.tui.registry import act, bindings
from toolkit.tui.screens.shell import Page
from toolkit.tui.widgets.panel import Panel
from toolkit.tui.widgets.table import Column, Table
from toolkit.tui.wording import counted

if TYPE_CHECKING:
    from toolkit.walkthrough.case import Case

SHOWN_CASES = 200


@dataclass(frozen=True, slots=True)
class Entry:
    """A runbook of the catalogue."""

    name: str
    symptom: str
    sound: bool


RUNBOOK_COLUMNS: list[Column[Entry]] = [
    Column(
        "when somebody says …",
        lambda entry: entry.symptom if entry.sound else f"✗ has a mistake: {entry.symptom}",
        lambda entry: "" if entry.sound else "bold $text-error",
        flexible=True,
        prose=True,
    ),
    Column("runbook", lambda entry: entry.name, roomy=True),
]


def standing(case: Case) -> str:
    """Where a case is, as sign and words."""
    if case.here is not None:
        return f"● {case.here[1]}"
    return {"well": "✓ all is well", "wrong": "✗ something is wrong"}.get(str(case.result), "? not all was told")


def _style(case: Case) -> str:
    if case.here is not None:
        return "bold $text-warning"
    return {"well": "$text-success", "wrong": "bold $text-error"}.get(str(case.result), "$text-warning")


CASE_COLUMNS: list[Column[Case]] = [
    Column("begun", lambda case: age(case.started).removesuffix(" ago"), right=True),
    Column("runbook", lambda case: case.runbook, flexible=True),
    Column("about", lambda case: scrub(" ".join(case.inputs.values())) or "-", flexible=True),
    Column("environment", lambda case: case.environment or "-", roomy=True),
    Column("where it is", standing, _style, flexible=True),
    Column("case", lambda case: case.id),
]


class RunbookPanel(Panel["list[Entry]"]):
    """The catalogue, by what people say."""

    title = "Runbooks"
    ABOUT = About("Runbooks", "By what people say. Enter begins a case, v only reads; tab goes to the cases.")
    DEFAULT_CSS = "RunbookPanel { height: 3fr; } RunbookPanel Table { height: 1fr; }"

    def compose(self) -> ComposeResult:
        yield Table(RUNBOOK_COLUMNS, lambda entry: entry.name, own=[act("runbooks.open").binding()])

    @property
    def table(self) -> Table[Entry]:
        return self.query_one(Table)

    def ask(self) -> list[Entry]:
        from toolkit.walkthrough.library import library, read_file

        runbooks = [read_file(file) for file in library().files().values()]
        return [Entry(one.name, one.symptom, not one.problems) for one in runbooks]

    def answered(self, answer: list[Entry]) -> None:
        self.table.show(sorted(answer, key=lambda entry: entry.symptom.lstrip('"“').lower()))
        self.heading = f"Runbooks  {len(answer)}"


class CasePanel(Panel["list[Case]"]):
    """The cases on this machine, the newest first."""

    title = "Cases"
    ABOUT = About("Cases", "Walks that were begun. Enter goes on with one that waits; p shows the report of any.")
    DEFAULT_CSS = "CasePanel { height: 2fr; } CasePanel Table { height: 1fr; }"

    walked = ""  # the case that was shown last: the cursor is on it when one comes back

    def compose(self) -> ComposeResult:
        yield Table(CASE_COLUMNS, lambda case: case.id, own=[act("runbooks.open").binding()])

    @property
    def table(self) -> Table[Case]:
        return self.query_one(Table)

    def ask(self) -> list[Case]:
        from toolkit.walkthrough.record import Record

        return Record().cases()

    def answered(self, answer: list[Case]) -> None:
        self.table.show(answer[:SHOWN_CASES])
        ids = [case.id for case in answer[:SHOWN_CASES]]
        if self.walked in ids:
            self.table.rows.go(ids.index(self.walked))
            self.walked = ""
        cut = f"  {SHOWN_CASES} of {len(answer):,} shown" if len(answer) > SHOWN_CASES else f"  {len(answer)}"
        waiting = sum(case.here is not None for case in answer)
        self.heading = f"Cases{cut}, {counted(waiting, 'waits', 'wait')}" if answer else "Cases  none yet"


class RunbooksPage(Page):
    """The page on key 6."""

    page = "runbooks"
    BINDINGS = bindings("runbooks")
    AUTO_FOCUS = "Rows"

    def body(self) -> ComposeResult:
        yield RunbookPanel(id="runbooks")
        yield CasePanel(id="cases")

    def on_screen_resume(self) -> None:
        self.query_one(CasePanel).load()

    @property
    def _case(self) -> Case | None:
        """The case in focus, where the cases have the focus."""
        panel = self.query_one(CasePanel)
        return panel.table.in_focus if panel.has_focus_within else None

    @on(Table.Chosen)
    async def action_open(self) -> None:
        entry = self.query_one(RunbookPanel).table.in_focus
        case = self._case
        if case is not None:
            await self._go_on(case)
        elif entry is not None and not self.query_one(CasePanel).has_focus_within:
            began = await walk_start.begin(house(self), entry.name)
            if began is not None:
                self.query_one(CasePanel).walked = began.id

    async def _go_on(self, case: Case) -> None:
        if case.here is None:
            await self.action_report()
        elif case.environment not in ("", self.session.environment.name):
            self.notify(
                f"Case {case.id} is about {case.environment}: open that environment (e) to go on with it.",
                severity="warning",
            )
        else:
            self.query_one(CasePanel).walked = case.id
            await walk_start.go_on(house(self), case)

    async def action_read(self) -> None:
        from toolkit.tui.screens.markdown_page import MarkdownPage
        from toolkit.walkthrough.library import library

        entry = self.query_one(RunbookPanel).table.in_focus
        if entry is not None:
            runbook = await in_thread(lambda: library().runbook(entry.name), "read a runbook")
            text = runbook.text.split("\n---", 1)[-1].lstrip("-\n")
            await self.app.push_screen(MarkdownPage(runbook.title, text))

    async def action_report(self) -> None:
        from toolkit.tui.screens.markdown_page import MarkdownPage
        from toolkit.walkthrough.record import Record
        from toolkit.walkthrough.report import report

        case = self._case
        if case is None:
            self.notify("Choose a case first (Tab).", severity="warning")
            return
        text = await in_thread(lambda: report(Record(), case), "report")
        await house(self).push_screen(MarkdownPage(f"Report of case {case.id}", text))


PAGE = RunbooksPage
