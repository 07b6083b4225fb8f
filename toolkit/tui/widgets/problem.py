"""A problem as a panel that can be read in full and copied: what failed, the next step, the commands by hand."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from toolkit.errors import NotAllowed, Refused, ToolkitError, Unreachable
from toolkit.secret import scrub
from toolkit.tui.about import About
from toolkit.tui.house import house
from toolkit.tui.widgets.prose import hanging, labelled


def kind(problem: ToolkitError) -> str:
    """In a word or two, what sort of problem it is."""
    if isinstance(problem, Unreachable):
        return "cannot be reached"
    if isinstance(problem, NotAllowed):
        return "not allowed"
    if isinstance(problem, Refused):
        return "refused"
    return "failed"


def drawn(problem: ToolkitError, width: int) -> Content:
    """The problem as text, wrapped to `width` cells; nothing of it is cut."""
    parts = [
        Content.styled(f"✗ {kind(problem)}", "bold $text-error"),
        hanging(Content(""), scrub(problem.message), width),
    ]
    if problem.hint:
        parts.append(hanging(Content.styled("next     ", "bold"), scrub(problem.hint), width))
    for number, command in enumerate(problem.by_hand):
        parts.append(labelled("by hand" if number == 0 else "", scrub(command), width, "$text-accent"))
    return Content("\n").join(parts)


def as_text(problem: ToolkitError) -> str:
    """The problem as it is copied: for a ticket, or a shell."""
    lines = [problem.message]
    if problem.hint:
        lines.append(f"next: {problem.hint}")
    lines += problem.by_hand
    return scrub("\n".join(lines))


class ProblemView(VerticalScroll, can_focus=True):
    """Shows one problem in the place of what could not be shown. It can be focused, scrolled and copied."""

    ABOUT = About(
        "A system that is down",
        "What failed, the next step, and the commands to look by hand, in the place of the figures. The "
        "other panels work on.",
    )

    DEFAULT_CSS = """
    ProblemView {
        height: auto; padding: 0 1; border-left: thick $error;
        &:focus { background: $block-cursor-blurred-background; }
    }
    """

    def __init__(self, problem: ToolkitError | None = None, *, retry: str = "r tries again, y copies this") -> None:
        super().__init__()
        self.problem = problem
        self._retry = retry
        self._text = Static("")

    def compose(self) -> ComposeResult:
        yield self._text

    def show(self, problem: ToolkitError) -> None:
        self.problem = problem
        self._text.update(self._drawn())

    def copy_text(self) -> str:
        return as_text(self.problem) if self.problem is not None else ""

    def on_resize(self, event: events.Resize) -> None:
        del event
        self._text.update(self._drawn())

    def _drawn(self) -> Content:
        if self.problem is None:
            return Content("")
        width = max(self.content_size.width - 2, 24)
        retry = self._retry
        if "vault login" in self.problem.hint:
            retry = f"{house(self).key_of('app.login')} logs in here, {retry}"
        return Content("\n").join([drawn(self.problem, width), Content.styled(retry, "$text-muted")])
