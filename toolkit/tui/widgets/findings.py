"""Findings as a list: one row each with sign and word, filled as they come; the one in focus in full below."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from toolkit.checks.finding import Finding, Status
from toolkit.secret import scrub
from toolkit.tui.about import About
from toolkit.tui.registry import act, bindings
from toolkit.tui.widgets.prose import hanging, labelled
from toolkit.tui.wording import STYLES, cut, elided, state


def row(name: str, finding: Finding | None, width: int, named: int = 20) -> Content:
    """One finding in `width` cells, `named` of them for its name; the summary stands beside it where there is room."""
    if finding is None:
        return Content.styled(f"· {'…':<7} {elided(name, width - 10)}", "$text-muted")
    head = (state(finding.status), STYLES[finding.status])
    if width < 44:
        return Content.assemble(head, " ", elided(name, width - 10))
    seconds = f" {finding.seconds:6.2f} s" if width >= 72 and finding.seconds else ""
    if finding.status is Status.SKIPPED:
        seconds = " " * len(seconds)
    room = width - named - 11 - len(seconds)
    summary = f" {cut(scrub(finding.summary), room):<{room}}"
    return Content.assemble(head, f" {elided(name, named):<{named}}", summary, (seconds, "$text-muted"))


def details(finding: Finding, width: int) -> Content:
    """All of a finding: summary, hint, evidence, commands by hand."""
    lines = [
        Content.assemble((state(finding.status), STYLES[finding.status]), " ", (finding.name, "bold")),
        Content(""),
        hanging(Content(""), scrub(finding.summary), width),
    ]
    if finding.hint:
        lines += [Content(""), hanging(Content.styled("next     ", "bold"), scrub(finding.hint), width)]
    if finding.evidence or finding.by_hand:
        lines.append(Content(""))
    for number, item in enumerate(finding.evidence):
        lines.append(labelled("evidence" if number == 0 else "", scrub(item), width))
    for number, command in enumerate(finding.by_hand):
        lines.append(labelled("by hand" if number == 0 else "", scrub(command), width, "$text-accent"))
    if finding.status is not Status.SKIPPED and finding.seconds:
        lines.append(labelled("took", f"{finding.seconds:.2f} s", width))
    return Content("\n").join(lines)


def as_text(finding: Finding) -> str:
    """A finding as it is copied."""
    lines = [f"{finding.name}: {finding.status}: {finding.summary}"]
    if finding.hint:
        lines.append(f"next: {finding.hint}")
    return scrub("\n".join([*lines, *finding.evidence, *finding.by_hand]))


class FindingList(OptionList):
    """Rows for the names it was given, in their order, each filled when its finding comes."""

    ABOUT = About(
        "Findings",
        "A row a check, filled when its answer comes: sign and word, then the name. Enter opens all of "
        "it: evidence, the next step, the commands by hand.",
    )

    BINDINGS = [*bindings("list"), act("home.open").binding()]  # noqa: RUF012

    DEFAULT_CSS = """
    FindingList {
        height: auto; max-height: 100%; border: none; padding: 0; background: transparent; text-wrap: nowrap;
        &:focus { border: none; background: transparent; background-tint: transparent; }
        & > .option-list--option { padding: 0; }
    }
    """

    NAMED = 20  # cells for a name

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._names: list[str] = []
        self.findings: dict[str, Finding] = {}

    def expect(self, names: Sequence[str]) -> None:
        """Show a row for each name, still open; what was found before is forgotten."""
        kept = self.highlighted
        self._names = list(names)
        self.findings = {}
        self.clear_options()
        self.add_options([Option(row(name, None, self._width, self.NAMED), id=name) for name in names])
        if names:
            self.highlighted = min(kept or 0, len(names) - 1)

    def found(self, finding: Finding) -> None:
        """Fill that finding's row."""
        self.findings[finding.name] = finding
        if finding.name not in self._names:
            self._names.append(finding.name)
            self.add_option(Option(row(finding.name, finding, self._width, self.NAMED), id=finding.name))
        else:
            self.replace_option_prompt(finding.name, row(finding.name, finding, self._width, self.NAMED))

    @property
    def names(self) -> tuple[str, ...]:
        """The rows there are, in their order."""
        return tuple(self._names)

    def point_at(self, name: str) -> None:
        """Put the cursor on that finding's row."""
        self.highlighted = self._names.index(name)

    @property
    def in_focus(self) -> Finding | None:
        """The finding of the highlighted row, once there is one."""
        if self.highlighted is None or self.highlighted >= len(self._names):
            return None
        return self.findings.get(self._names[self.highlighted])

    def copy_text(self) -> str:
        return as_text(self.in_focus) if self.in_focus else ""

    def on_resize(self, event: events.Resize) -> None:
        del event
        for name in self._names:
            self.replace_option_prompt(name, row(name, self.findings.get(name), self._width, self.NAMED))

    @property
    def _width(self) -> int:
        return max(self.scrollable_content_region.width, 20)
