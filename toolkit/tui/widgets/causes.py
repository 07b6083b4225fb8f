"""A verdict as a list: what is suspected first, with its evidence and what mends it; then what was ruled out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import events
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from toolkit.checks.diagnosis.cause import Mend
from toolkit.checks.diagnosis.causes import SETTINGS
from toolkit.checks.finding import Finding, Status
from toolkit.secret import scrub
from toolkit.tui.about import About
from toolkit.tui.registry import act, bindings
from toolkit.tui.widgets.prose import ENDLESS, hanging, labelled
from toolkit.tui.wording import STYLES, cut

if TYPE_CHECKING:
    from toolkit.checks.diagnosis.verdict import Judged, Verdict

_NAME = 26  # cells for a cause's name, where there is room for its sentence too


@dataclass(frozen=True)
class Said:
    """One thing that a verdict says. `mends` are what can be done about it from here, `lines` label and text."""

    status: Status
    name: str
    sentence: str
    lines: tuple[tuple[str, str], ...] = ()
    mends: tuple[Mend, ...] = ()

    def row(self, width: int) -> Content:
        """In one line: sign, name, and as much of the sentence as fits."""
        name = cut(self.name, max(width - 2, 8))
        head = f"{self.status.sign} {name:<{_NAME if width >= 60 else 0}}"
        room = width - len(head) - 1
        text = cut(scrub(self.sentence), room) if room >= 16 else ""
        return Content.assemble((head, STYLES[self.status]), f" {text}")

    def details(self, width: int) -> Content:
        """All of it."""
        parts = [
            hanging(Content.styled(f"{self.status.sign} ", STYLES[self.status]), self.name, width, "bold"),
            hanging(Content(""), scrub(self.sentence), width),
        ]
        for label, text in self.lines:
            style = "$text-accent" if label in ("mend", "by hand") else ""
            parts.append(labelled(label, scrub(text), width, style))
        return Content("\n").join(parts)


def said(reached: Verdict, found: Mapping[str, Finding], environment: str, *, over: bool) -> list[Said]:
    """What the verdict says, what explains the others first. Until all is `over`, only what is suspected so far."""
    told = [_cause(one, reached, found, environment) for one in reached.causes]
    if not over:
        return told
    if reached.healthy:
        asks = tuple(("ask" if n == 0 else "", text) for n, text in enumerate(SETTINGS))
        text = "Nothing is wrong with the cache. Then it may be the user's own settings."
        told.append(Said(Status.OK, "healthy", text, asks))
    if reached.barred[0]:
        told.append(Said(Status.FAIL, "kept out", reached.barred[0], (("ask", reached.barred[1]),)))
    if reached.lost:
        told.append(Said(Status.WARN, "unknown name", reached.lost))
    if reached.untold:
        names = ", ".join(one.untold_for for one in reached.untold)
        hints = [(f.name, f.hint) for f in found.values() if f.status is Status.UNKNOWN and f.hint]
        lines = tuple(("next", f"{name}: {hint}") for name, hint in hints)
        told.append(Said(Status.UNKNOWN, "could not tell", names, lines))
    if reached.ruled_out:
        names = ", ".join(one.ruled_out_by for one in reached.ruled_out)
        told.append(Said(Status.SKIPPED, "ruled out", names))
    return told


def _cause(one: Judged, reached: Verdict, found: Mapping[str, Finding], environment: str) -> Said:
    cause, judgement = one.cause, one.judgement
    mends = reached.mends(cause)
    lines = [("because", f"{judgement.why} [{', '.join(judgement.checks)}]")]
    lines += [("mend", mend.ready(environment, reached.asked)) for mend in mends]
    if cause.ask:
        lines.append(("ask", cause.ask))
    for check in judgement.checks:
        finding = found.get(check)
        if finding is not None:
            lines.append(("found", f"{finding.name}: {finding.summary}"))
            lines += [("", text) for text in finding.evidence]
            lines += [("by hand", command) for command in finding.by_hand]
    name = f"{cause.name} {judgement.confidence:.0%}"
    return Said(Status.FAIL, name, cause.title, tuple(lines), mends)


class CauseList(OptionList):
    """What the verdict says, a row each."""

    ABOUT = About(
        "The causes",
        "What explains the others stands first, with how sure it is. Below them, what could not be told and what was "
        "ruled out. Enter shows the evidence, what mends it, and the commands by hand.",
    )

    BINDINGS = [*bindings("list"), act("why.details").binding()]  # noqa: RUF012

    DEFAULT_CSS = """
    CauseList {
        height: auto; max-height: 7; border: none; padding: 0; background: transparent; text-wrap: nowrap;
        &:focus { border: none; background: transparent; background-tint: transparent; }
        & > .option-list--option { padding: 0; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._said: list[Said] = []

    def show(self, told: list[Said]) -> None:
        """Show these; the cursor stays on the one it was on, by its name."""
        if told == self._said:
            return
        before, self._said = self.in_focus, told
        self._draw()
        names = [one.name for one in told]
        if told:
            self.highlighted = names.index(before.name) if before is not None and before.name in names else 0

    @property
    def in_focus(self) -> Said | None:
        at = self.highlighted
        return self._said[at] if at is not None and at < len(self._said) else None

    def copy_text(self) -> str:
        return scrub(self.in_focus.details(ENDLESS).plain) if self.in_focus else ""

    def on_resize(self, event: events.Resize) -> None:
        del event
        at = self.highlighted
        self._draw()
        self.highlighted = at

    def _draw(self) -> None:
        width = max(self.scrollable_content_region.width, 20)
        self.clear_options()
        self.add_options([Option(one.row(width)) for one in self._said])
