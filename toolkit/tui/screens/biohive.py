"""BioHive: does ssh get me in, and is the toolkit there? On top of the page one came from."""

from __future__ import annotations

from textual import events, on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static

from toolkit.checks.finding import Finding, Status
from toolkit.tui.about import About
from toolkit.tui.background import each
from toolkit.tui.screens.findings_page import FindingsPage
from toolkit.tui.widgets import findings
from toolkit.tui.widgets.findings import FindingList
from toolkit.tui.widgets.panel import Panel
from toolkit.tui.widgets.prose import labelled

NAMES = ("biohive", "biohive-toolkit")
_COMMANDS = (
    ("run", "toolkit biohive run -- groups find BRCA1 --env {}"),
    ("notebook", "toolkit biohive jupyter --env {}"),
    ("fetch", "toolkit biohive get FOLDER --env {}"),
    ("link", "toolkit biohive status --env {}"),
)


class BioHivePanel(Panel["tuple[Finding, ...]"]):
    """Two findings, all of the one in focus, and what to type."""

    ABOUT = About(
        "BioHive",
        "Asked over ssh as you have it configured; nobody is asked for a passphrase here, so a key that needs one "
        "has to be in your ssh agent. Enter opens all of a finding.",
    )
    title = "BioHive"

    DEFAULT_CSS = """
    BioHivePanel { height: 1fr; }
    BioHivePanel FindingList { height: auto; max-height: 4; }
    BioHivePanel #about { height: 1fr; margin-top: 1; border-top: dashed $rule; }
    """

    def compose(self) -> ComposeResult:
        yield FindingList()
        yield VerticalScroll(Static("", id="finding"), id="about", can_focus=False)

    async def fetch(self) -> tuple[Finding, ...]:
        listed = self.query_one(FindingList)
        listed.expect(NAMES)
        async for finding in each(self.session.core.biohive, "biohive"):
            listed.found(finding)
            self._describe()
        return tuple(listed.findings.values())

    def answered(self, answer: tuple[Finding, ...]) -> None:
        for finding in answer:
            if finding.status is not Status.OK:
                self.query_one(FindingList).point_at(finding.name)
                break
        self._describe()

    def on_resize(self, event: events.Resize) -> None:
        del event
        self._describe()

    @on(OptionList.OptionHighlighted)
    def _describe(self) -> None:
        width = max(self.content_size.width - 1, 30)
        finding = self.query_one(FindingList).in_focus
        lines = [findings.details(finding, width), Content("")] if finding is not None else []
        name, there = self.session.environment.name, self.session.environment.biohive.host
        if there:  # what to type there makes no sense where there is none
            lines += [labelled(label, command.format(name), width, "$text-accent") for label, command in _COMMANDS]
        self.query_one("#finding", Static).update(Content("\n").join(lines))


class BioHivePage(FindingsPage):
    """On top of the page one came from."""

    def __init__(self) -> None:
        super().__init__(crumb="BioHive")

    def body(self) -> ComposeResult:
        yield BioHivePanel(id="biohive")
