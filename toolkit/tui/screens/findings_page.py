"""A page of findings on top of the page one came from: Enter opens all of the one in focus."""

from __future__ import annotations

from functools import partial

from textual import on
from textual.widgets import OptionList

from toolkit.checks.finding import Finding
from toolkit.tui.screens.shell import Page
from toolkit.tui.screens.text_page import TextPage
from toolkit.tui.widgets import findings
from toolkit.tui.widgets.findings import FindingList


async def show_finding(page: Page, finding: Finding | None) -> None:
    """All of a finding, on a page of its own; nothing where there is none yet."""
    if finding is not None:
        await page.app.push_screen(TextPage(finding.name, partial(findings.details, finding)))


class FindingsPage(Page):
    """Pushed; escape goes back."""

    page = "home"
    AUTO_FOCUS = "FindingList"

    @on(OptionList.OptionSelected)
    async def action_open(self) -> None:
        """All of the finding in focus."""
        await show_finding(self, self.query_one(FindingList).in_focus)
