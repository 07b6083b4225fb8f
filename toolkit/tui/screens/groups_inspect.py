"""A group, looked into: the checklist of why a map may look funny, then every frame; each with its commands by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static

from toolkit.checks.finding import Status
from toolkit.figures import size
from toolkit.progress import Progress
from toolkit.secret import scrub
from toolkit.tui.about import About
from toolkit.tui.registry import act, bindings
from toolkit.tui.screens.findings_page import show_finding
from toolkit.tui.screens.shell import Page
from toolkit.tui.widgets.findings import FindingList
from toolkit.tui.widgets.prose import hanging, labelled
from toolkit.tui.widgets.working import Working
from toolkit.tui.wording import counted

if TYPE_CHECKING:
    from toolkit.checks.finding import Finding
    from toolkit.tui.core import Inspected


class InspectPanel(Working["Inspected"]):
    """What was found, worst to be seen at once; the one in focus in full below."""

    ABOUT = About(
        "A group, looked into",
        "First the checklist of what makes a map look funny, then every frame with what it holds. Enter opens all of a "
        "finding: evidence, and the commands to see it by hand. Nothing is changed.",
    )

    same_as = "groups inspect"

    DEFAULT_CSS = """
    InspectPanel #read { height: auto; padding: 0 0 1 0; }
    InspectPanel FindingList { max-height: 60%; }
    InspectPanel #about { height: 1fr; margin-top: 1; border-top: dashed $rule; }
    """

    def __init__(self, group: str) -> None:
        self.title = f"Inspection of {group}"
        super().__init__(id="inspection")
        self._group = group
        self.vectors, self.full = True, False
        self._answer: Inspected | None = None

    def answer(self) -> ComposeResult:
        yield Static("", id="read")
        yield InspectedList()
        yield VerticalScroll(Static("", id="finding"), id="about", can_focus=False)

    @property
    def list(self) -> FindingList:
        return self.query_one(FindingList)

    def work(self, progress: Progress) -> Inspected:
        return self.session.core.inspect(self._group, progress, vectors=self.vectors, full=self.full)

    def answered(self, answer: Inspected) -> None:
        self._answer = answer
        self.list.expect([finding.name for finding in answer.findings])
        for finding in answer.findings:
            self.list.found(finding)
        wrong = [finding for finding in answer.findings if finding.status is Status.FAIL]
        where = "Redis" if answer.layer == "L2" else "the bucket"
        how = f"names and vectors from {where}" if self.vectors else f"names only from {where}, no vectors"
        read = f"{how}; {size(answer.bytes_read)} of {size(answer.bytes_total)} read"
        sign = ("✗ ", "bold $text-error") if wrong else ("✓ ", "$text-success")
        said = f"{counted(len(wrong), 'finding')} to look at" if wrong else "nothing is wrong in what was read"
        self.query_one("#read", Static).update(Content.assemble(sign, (said, "bold"), (f"  {read}", "$text-muted")))
        if wrong:
            self.list.point_at(wrong[0].name)
        self.list.focus()
        self._describe()

    def on_resize(self) -> None:
        self._describe()

    @on(OptionList.OptionHighlighted)
    def _describe(self) -> None:
        width = max(self.content_size.width - 1, 30)
        finding = self.list.in_focus
        lines = [] if finding is None else _short(finding, width)
        for problem in self._answer.errors if self._answer is not None else ():
            lines.append(hanging(Content.styled("? ", "bold $text-warning"), scrub(problem.message), width))
        self.query_one("#finding", Static).update(Content("\n").join(lines))


def _short(finding: Finding, width: int) -> list[Content]:
    """What the row has no room for."""
    lines = [hanging(Content(""), scrub(finding.summary), width)]
    lines += [
        labelled("" if number else "evidence", scrub(text), width) for number, text in enumerate(finding.evidence)
    ]
    return lines + [
        labelled("" if number else "by hand", scrub(command), width, "$text-accent")
        for number, command in enumerate(finding.by_hand)
    ]


class InspectedList(FindingList):
    """The findings of an inspection."""

    BINDINGS = [*bindings("list"), act("groups-inspect.details").binding()]  # noqa: RUF012
    NAMED = 32


class InspectPage(Page):
    """A group looked into, on top of the page of the groups."""

    page = "groups"
    SCOPE = "groups-inspect"
    BINDINGS = bindings("groups-inspect")
    AUTO_FOCUS = "FindingList"

    def __init__(self, group: str) -> None:
        super().__init__(crumb="inspect")
        self._group = group

    def body(self) -> ComposeResult:
        yield InspectPanel(self._group)

    def action_again(self, vectors: bool, full: bool) -> None:
        panel = self.query_one(InspectPanel)
        panel.vectors, panel.full = vectors, full
        panel.load()

    @on(OptionList.OptionSelected)
    async def action_details(self) -> None:
        await show_finding(self, self.query_one(InspectPanel).list.in_focus)
