"""The journal: every change made through the toolkit on this machine, what came of it, and whether its chain holds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from toolkit.figures import age, duration
from toolkit.secret import scrub
from toolkit.tui import background
from toolkit.tui.about import About
from toolkit.tui.background import as_problem, in_thread
from toolkit.tui.registry import act, bindings
from toolkit.tui.screens.shell import Page
from toolkit.tui.screens.text_page import TextPage
from toolkit.tui.widgets.panel import Panel
from toolkit.tui.widgets.prose import hanging, labelled
from toolkit.tui.widgets.table import Column, Table
from toolkit.tui.wording import counted, moment

if TYPE_CHECKING:
    from toolkit.actions.journal import Operation, Problem

SHOWN = 500
_PROBLEMS = 4  # places where the chain is broken that are named here
SIGNS = {"done": "✓", "partial": "!", "running": "●", "settled": "-", "interrupted": "!", "failed": "✗", "error": "✗"}
STYLES = {
    "done": "$text-success",
    "partial": "bold $text-warning",
    "running": "bold $text-warning",
    "interrupted": "bold $text-warning",
    "settled": "$text-muted",
}


def result(operation: Operation) -> str:
    """How it ended, as sign and word."""
    return f"{SIGNS.get(operation.result, '?')} {operation.result}"


COLUMNS: list[Column[Operation]] = [
    Column("ago", lambda o: age(o.started).removesuffix(" ago"), right=True),
    Column("environment", lambda o: o.environment, flexible=True),
    Column("action", lambda o: o.action),
    Column("result", result, lambda o: STYLES.get(o.result, "bold $text-error")),
    Column("what came of it", lambda o: scrub(o.summary).partition("\n")[0] or o.title, flexible=True, prose=True),
    Column("who", lambda o: o.who, roomy=True),
    Column("id", lambda o: o.operation, roomy=True),
]


def details(operation: Operation, width: int) -> Content:
    """All that the journal says of a change."""
    pairs = [
        ("operation", operation.operation),
        ("where", operation.environment),
        ("who", operation.who),
        ("started", f"{moment(operation.started)}  ({age(operation.started)})"),
    ]
    if operation.ended is not None:
        took = duration((operation.ended - operation.started).total_seconds())
        pairs.append(("ended", f"{moment(operation.ended)}  (after {took})"))
    pairs += [("plan", operation.plan), ("result", f"{result(operation)}: {operation.summary}")]
    if operation.result == "interrupted":
        text = f"Look what was done; then `toolkit journal settle {operation.operation}` takes it off the list."
        pairs.append(("next", text))
    lines = [hanging(Content(""), scrub(operation.title or operation.action), width, "bold"), Content("")]
    lines += [labelled(label, scrub(value), width, room=11) for label, value in pairs]
    for number, command in enumerate(operation.undo):
        lines.append(labelled("undo" if number == 0 else "", scrub(command), width, "$text-accent", room=11))
    if operation.left:
        lines += [Content(""), Content.styled(f"left as they were ({len(operation.left):,})", "bold")]
        lines += [hanging(Content("  "), scrub(item), width) for item in operation.left]
    return Content("\n").join(lines)


class JournalPanel(Panel["list[Operation]"]):
    """The operations, the latest first."""

    ABOUT = About(
        "The journal", "Every change made from this machine. `interrupted` is one whose process died: look at it."
    )

    title = "Journal"
    same_as = "journal list"
    every = 30.0

    DEFAULT_CSS = """
    JournalPanel { height: 1fr; }
    JournalPanel Table { height: 1fr; }
    JournalPanel #said { height: auto; max-height: 6; border-top: dashed $rule; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._empty = False
        self._verdict: list[Content] = []

    def compose(self) -> ComposeResult:
        yield Table(COLUMNS, lambda operation: operation.operation, own=[act("journal.details").binding()])
        yield Static("", id="said")

    @property
    def table(self) -> Table[Operation]:
        return self.query_one(Table)

    def ask(self) -> list[Operation]:
        return self.session.core.operations()

    def answered(self, answer: list[Operation]) -> None:
        self.table.show(answer[:SHOWN])
        shown = f"{SHOWN:,} of {len(answer):,} shown" if len(answer) > SHOWN else counted(len(answer), "change")
        self.heading = f"Journal  {shown}"
        self._empty = not answer
        self._say()

    def verify(self) -> None:
        """See whether the chain holds."""
        background.work_for(self, self._verify, group="verify", exclusive=True)

    async def _verify(self) -> None:
        self._verdict = [Content.styled("verifying …", "$text-muted")]
        self._say()
        try:
            entries, problems = await in_thread(self.session.core.verify_journal, "verify journal")
        except Exception as error:  # noqa: BLE001 - shown where the answer would be
            self._verdict = [Content.assemble(("✗ fail  ", "bold $text-error"), as_problem(error).message)]
        else:
            self._verdict = verdict(entries, problems)
        self._say()

    def _say(self) -> None:
        empty = [Content("Nothing was changed through this toolkit yet.")] if self._empty else []
        self.query_one("#said", Static).update(Content("\n").join(empty + self._verdict))


def verdict(entries: int, problems: Sequence[Problem]) -> list[Content]:
    """Whether the journal is as it was written; the first places where it is not."""
    if not problems:
        return [Content.assemble(("✓ ok  ", "$text-success"), f"{counted(entries, 'entry', 'entries')}, unbroken.")]
    lines = [Content.assemble(("✗ fail  ", "bold $text-error"), "The journal is not as it was written:")]
    lines += [Content(f"  {f'line {p.line}: ' if p.line else ''}{p.what}") for p in problems[:_PROBLEMS]]
    if len(problems) > _PROBLEMS:
        lines.append(Content(f"  {_PROBLEMS} of {len(problems):,} shown; `toolkit journal verify` names all"))
    return lines


class JournalPage(Page):
    """The page on key 7."""

    page = "journal"
    BINDINGS = bindings("journal")
    AUTO_FOCUS = "Rows"

    def body(self) -> ComposeResult:
        yield JournalPanel(id="journal")

    @on(Table.Chosen)
    async def action_details(self) -> None:
        operation = self.query_one(JournalPanel).table.in_focus
        if operation is not None:
            await self.app.push_screen(
                TextPage(f"{operation.action} {operation.operation}", partial(details, operation))
            )

    def action_verify(self) -> None:
        self.query_one(JournalPanel).verify()


PAGE = JournalPage
