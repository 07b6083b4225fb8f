"""The answer to a drill: the causes there are, one or several of them chosen."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from toolkit.checks.diagnosis.causes import CAUSES
from toolkit.tui.about import About
from toolkit.tui.registry import act, bindings
from toolkit.tui.widgets.footer import Footer
from toolkit.tui.wording import cut

_NAME = 26  # cells


class CauseChoice(OptionList):
    """All causes, those that are marked with a sign."""

    ABOUT = About("The causes", "Enter answers with the one under the cursor; space marks several first.")

    BINDINGS = [  # noqa: RUF012
        *bindings("list"),
        act("drill-answer.give").binding(),
        act("drill-answer.mark").binding(),
    ]

    DEFAULT_CSS = """
    CauseChoice {
        height: auto; max-height: 18; border: none; padding: 0; background: transparent; text-wrap: nowrap;
        &:focus { border: none; background: transparent; background-tint: transparent; }
        & > .option-list--option { padding: 0 1; }
    }
    """


class AnswerPage(ModalScreen["tuple[str, ...] | None"]):
    """Gives back the names of the causes that are answered with; None: no answer yet. A case has `causes` of them."""

    SCOPE = "drill-answer"
    BINDINGS = bindings("drill-answer")
    AUTO_FOCUS = "CauseChoice"

    DEFAULT_CSS = """
    AnswerPage {
        align: center middle; background: $background 60%;
        Vertical {
            width: 96%; max-width: 120; height: auto; max-height: 100%; background: $surface; padding: 0 1;
            border: round $primary; border-title-color: $primary; border-title-style: bold; margin-bottom: 1;
        }
        #chosen { height: auto; padding: 0 1; color: $text-accent; }
    }
    """

    def __init__(self, causes: int) -> None:
        super().__init__()
        self._causes = causes
        self._marked: list[str] = []

    def compose(self) -> ComposeResult:
        box = Vertical(CauseChoice(), Static("", id="chosen"))
        count = "one cause" if self._causes == 1 else f"{self._causes} causes: space marks each"
        box.border_title = Content(f"What is it? This case has {count}")
        yield box
        yield Footer()

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        listed = self.query_one(CauseChoice)
        at, width = listed.highlighted or 0, max(listed.scrollable_content_region.width - 2, 40)
        listed.clear_options()
        for cause in CAUSES:
            sign = "✓" if cause.name in self._marked else "·"
            text = f" {cut(cause.title, width - _NAME - 3)}"
            name = (f"{sign} {cause.name:<{_NAME}}", "bold $text-accent" if sign == "✓" else "bold")
            listed.add_option(Option(Content.assemble(name, text), id=cause.name))
        listed.highlighted = at

    @on(OptionList.OptionHighlighted)
    def _tell(self) -> None:
        """What would be answered now, in full."""
        titles = {cause.name: cause.title for cause in CAUSES}
        text = f"→ {', '.join(self._marked)}" if self._marked else f"→ {self._in_focus}: {titles[self._in_focus]}"
        self.query_one("#chosen", Static).update(Content(text))

    @property
    def _in_focus(self) -> str:
        return CAUSES[self.query_one(CauseChoice).highlighted or 0].name

    def action_mark(self) -> None:
        name = self._in_focus
        self._marked = [one for one in self._marked if one != name] if name in self._marked else [*self._marked, name]
        self._draw()

    def action_give(self) -> None:
        self.dismiss(tuple(self._marked) or (self._in_focus,))

    def action_close(self) -> None:
        self.dismiss(None)
