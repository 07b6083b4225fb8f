"""The group auto-loader: configome's settings beside production's, and what is to be said of them. On top of the page
one came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events, on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static

from toolkit.checks.finding import Finding, Status
from toolkit.tui.about import About
from toolkit.tui.screens.findings_page import FindingsPage
from toolkit.tui.widgets.findings import FindingList
from toolkit.tui.widgets.panel import Panel
from toolkit.tui.widgets.prose import hanging, labelled
from toolkit.tui.wording import foreign

if TYPE_CHECKING:
    from toolkit.cache.loader.beside import Row

    Seen = tuple[tuple[Row, ...], tuple[Finding, ...]]

_LABEL = 18
_COMMANDS = (
    ("check a group", "toolkit loader check --group GROUP --env {}"),
    ("dry run's plan", "toolkit loader plan --env {}"),
)


class LoaderPanel(Panel["Seen"]):
    """The findings; below them the one in focus, and both sides' settings."""

    ABOUT = About(
        "The group auto-loader",
        "It makes a group of each transformation in configome; the last of the list is the first of the dropdown. A "
        "dry run is safe only if the first three rows are ✓. Nothing here runs it. Enter opens all of a finding.",
    )
    title = "Group auto-loader"

    DEFAULT_CSS = """
    LoaderPanel { height: 1fr; }
    LoaderPanel FindingList { height: auto; max-height: 6; }
    LoaderPanel #about { height: 1fr; margin-top: 1; border-top: dashed $rule; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._rows: tuple[Row, ...] = ()

    def compose(self) -> ComposeResult:
        yield FindingList()
        yield VerticalScroll(Static(Content.styled("looking …", "$text-muted"), id="said"), id="about", can_focus=False)

    def ask(self) -> Seen:
        return self.session.core.loader()

    def answered(self, answer: Seen) -> None:
        self._rows, found = answer
        listed = self.query_one(FindingList)
        listed.expect([finding.name for finding in found])
        for finding in found:
            listed.found(finding)
        wrong = next((one for one in found if one.status is not Status.OK), None)
        if wrong is not None:
            listed.point_at(wrong.name)
        self._describe()

    def on_resize(self, event: events.Resize) -> None:
        del event
        self._describe()

    @on(OptionList.OptionHighlighted)
    def _describe(self) -> None:
        finding = self.query_one(FindingList).in_focus
        if finding is None:
            return
        width = max(self.content_size.width - 1, 30)
        lines = [hanging(Content(""), foreign(finding.summary), width)]
        if finding.hint and finding.status is not Status.OK:
            lines.append(hanging(Content.styled(f"{'next':<{_LABEL}}", "bold"), foreign(finding.hint), width))
        lines.append(Content(""))
        for row in self._rows:
            lines += beside(row, width)
        name = self.session.environment.name
        lines.append(Content(""))
        lines += [
            labelled(label, command.format(name), width, "$text-accent", room=_LABEL) for label, command in _COMMANDS
        ]
        self.query_one("#said", Static).update(Content("\n").join(lines))


def beside(row: Row, width: int) -> list[Content]:
    """A setting: once where both sides say the same, else what each says."""
    own, production = foreign(row.configome), foreign(row.production)
    if own == production:
        return [labelled(row.label, own, width, room=_LABEL)]
    style = "bold $text-error" if row.differs else ""
    sign = "✗ " if row.differs else ""
    if not own or not production:
        who = "configome" if own else "production"
        return [labelled(row.label, f"{sign}{own or production}  ({who} alone)", width, style, room=_LABEL)]
    return [
        labelled(row.label, f"{sign}configome: {own}", width, style, room=_LABEL),
        labelled("", f"{sign}production: {production}", width, style, room=_LABEL),
    ]


class LoaderPage(FindingsPage):
    """On top of the page one came from."""

    def __init__(self) -> None:
        super().__init__(crumb="Auto-loader")

    def body(self) -> ComposeResult:
        yield LoaderPanel(id="loader")
