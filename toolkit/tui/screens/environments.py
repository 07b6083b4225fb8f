"""Choosing an environment: what there is, what each one touches, and what its configuration still lacks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from toolkit.errors import NotFound, ToolkitError
from toolkit.tui import background
from toolkit.tui.about import About
from toolkit.tui.background import as_problem, in_thread
from toolkit.tui.house import house
from toolkit.tui.opener import Choice
from toolkit.tui.registry import act, bindings
from toolkit.tui.switching import SparingScreen
from toolkit.tui.widgets.banner import Banner
from toolkit.tui.widgets.footer import Footer
from toolkit.tui.widgets.problem import ProblemView
from toolkit.tui.wording import counted, elided


def row(choice: Choice, name_width: int) -> Content:
    """One environment on one line; what is dangerous about it is a word, not only a colour."""
    marks: list[tuple[str, str]] = []
    if choice.kind == "sandbox":
        marks.append((" SANDBOX ", "bold $text-warning"))
    if choice.protected:
        marks.append((" PROTECTED ", "bold $text-error"))
    if choice.read_only:
        marks.append((" READ-ONLY ", "bold"))
    if choice.missing:
        marks.append((f" {counted(len(choice.missing), 'open key')} ", "$text-muted"))
    return Content.assemble((f"{elided(choice.name, name_width):<{name_width}} ", "bold"), *marks)


def details(choice: Choice) -> Content:
    """What opening it means."""
    lines = [Content.assemble((choice.name, "bold"), f"  {choice.title}")]
    if choice.kind == "sandbox":
        lines.append(Content("A world in small on this machine: nothing real is touched. Opening it may take seconds."))
    else:
        where = choice.cache_manager or "not known yet"
        lines.append(Content.assemble(("cache manager in  ", "$text-muted"), (where, "bold")))
    if choice.protected:
        lines.append(Content.styled("Protected: a change needs its name typed in full.", "$text-error"))
    if choice.read_only:
        lines.append(Content("Read-only: every change is refused."))
    if choice.missing:
        lines.append(Content.assemble(("open keys  ", "$text-muted"), ", ".join(choice.missing)))
        lines.append(Content.styled("`toolkit config check` says where to fill them in.", "$text-muted"))
    return Content("\n").join(lines)


class Choices(OptionList):
    """The environments as rows."""

    ABOUT = About(
        "The environments",
        "Below stands what the one under the cursor touches, and which keys of its configuration are still open.",
    )

    BINDINGS = [*bindings("list"), act("environments.open").binding()]  # noqa: RUF012

    DEFAULT_CSS = """
    Choices { height: auto; max-height: 12; border: none; background: transparent; padding: 0 1; text-wrap: nowrap; }
    Choices:focus { border: none; background: transparent; background-tint: transparent; }
    """

    def copy_text(self) -> str:
        option = self.highlighted_option
        return option.id or "" if option is not None else ""


class Environments(SparingScreen):
    """The first screen, and the one on `e`."""

    BINDINGS = bindings("environments")
    AUTO_FOCUS = "Choices"

    DEFAULT_CSS = """
    Environments {
        #environments { height: 1fr; padding: 1 2 0 2; }
        #heading { text-style: bold; color: $primary; padding: 0 1; margin-bottom: 1; }
        #choice { height: 1fr; margin: 1 0 0 1; padding: 1 1 0 1; border-top: solid $rule; }
        #progress { height: auto; margin-left: 2; color: $text-warning; text-style: bold; display: none; }
        &.-opening #progress { display: block; }
        ProblemView { margin: 1 1 0 1; max-height: 60%; display: none; }
        &.-broken ProblemView { display: block; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._choices: dict[str, Choice] = {}
        self._opening: str | None = None
        self._shown = False
        self._begun = False  # whether the environment that the app was started with was tried

    @property
    def opens(self) -> bool:
        """Whether an environment is being opened, or will be at once."""
        return self._opening is not None or (house(self).wanted is not None and not self._begun)

    def compose(self) -> ComposeResult:
        yield Banner()
        with Vertical(id="environments"):
            yield Static("Choose an environment", id="heading")
            yield Choices(id="choices")
        yield Footer()

    @on(events.ScreenResume)
    def _keep_styles(self, event: events.ScreenResume) -> None:
        event.refresh_styles = self._shown  # when it is new, its widgets have just got theirs
        self._shown = True

    def on_mount(self) -> None:
        # The first paint does without what is empty still, and without the thread that reads the configuration.
        self.call_after_refresh(self._painted)

    def _painted(self) -> None:
        below = Static("", id="progress"), VerticalScroll(Static("", id="details"), id="choice", can_focus=False)
        self.query_one("#environments").mount(*below)
        self.call_after_refresh(background.work_for, self, self._start, group="choices", exclusive=True)

    def refresh_all(self) -> None:
        background.work_for(self, self._list, group="choices", exclusive=True)

    async def _start(self) -> None:
        await self._list()
        await house(self).preferred.wait()
        self._begun = True
        wanted = house(self).wanted
        if wanted is None or not self._choices:
            return
        if wanted in self._choices:
            listed = self.query_one(Choices)
            listed.highlighted = listed.get_option_index(wanted)
            self._open(self._choices[wanted])
        else:
            known = ", ".join(self._choices)
            await self._show(NotFound(f"No environment is called {wanted!r}.", hint=f"Choose one of these: {known}."))

    async def _list(self) -> None:
        opener = house(self).opener
        try:
            choices: Sequence[Choice] = await in_thread(opener.choices, "choices")
        except Exception as error:  # noqa: BLE001 - whatever it is, it is shown here
            await self._show(as_problem(error))
            return
        self.remove_class("-broken")
        self._choices = {choice.name: choice for choice in choices}
        listed = self.query_one(Choices)
        kept = listed.highlighted or 0
        width = max((len(choice.name) for choice in choices), default=0) + 2
        listed.clear_options()
        listed.add_options([Option(row(choice, min(width, 30)), id=choice.name) for choice in choices])
        if choices:
            listed.highlighted = min(kept, len(choices) - 1)
            listed.focus()

    @on(OptionList.OptionHighlighted)
    def _describe(self, event: OptionList.OptionHighlighted) -> None:
        choice = self._choices.get(event.option_id or "")
        if choice is not None:
            self.query_one("#details", Static).update(details(choice))

    @on(OptionList.OptionSelected)
    def action_open(self) -> None:
        option = self.query_one(Choices).highlighted_option
        if option is not None and option.id in self._choices:
            self._open(self._choices[option.id])

    def _open(self, choice: Choice) -> None:
        if self._opening == choice.name:
            return
        self._opening = choice.name
        self.remove_class("-broken")
        self.add_class("-opening")
        what = (
            "Starting the sandbox, which takes some seconds" if choice.kind == "sandbox" else f"Opening {choice.name}"
        )
        self.query_one("#progress", Static).update(Content(f"● {what} … (q quits, or choose another)"))
        background.work_for(self, partial(self._opened, choice), group="open", exclusive=True)

    async def _opened(self, choice: Choice) -> None:
        app = house(self)
        try:
            connections = await in_thread(lambda: app.opener.open(choice.name), f"open {choice.name}")
        except Exception as error:  # noqa: BLE001 - as above
            await self._show(as_problem(error))
        else:
            await app.enter(choice, connections)
        finally:
            if self._opening == choice.name:
                self._opening = None
                self.remove_class("-opening")

    async def _show(self, problem: ToolkitError) -> None:
        house(self).first_page = "home"
        if not self.query(ProblemView):
            await self.query_one("#environments").mount(ProblemView(), before="#choice")
        self.query_one(ProblemView).show(problem)
        self.add_class("-broken")
