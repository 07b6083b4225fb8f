"""A drill: begun, looked at again, helped, answered, given up, and its score. On top of any page of the sandbox."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from toolkit.drills import choice, telling
from toolkit.drills.course import Asked
from toolkit.tui import background
from toolkit.tui.about import About
from toolkit.tui.house import house
from toolkit.tui.registry import act, bindings
from toolkit.tui.screens.drill_answer import AnswerPage
from toolkit.tui.screens.shell import Page
from toolkit.tui.screens.text_page import TextPage
from toolkit.tui.widgets import drill_text, problem

if TYPE_CHECKING:
    from toolkit.drills.drill import Drill
    from toolkit.tui.drilling import Drilling

_WHAT = (
    "Something is wrong in the sandbox, somebody reports it, and you find out what it is. No real system is touched. "
    "Choose a level; enter begins."
)


class LevelList(OptionList):
    """The levels there are."""

    ABOUT = About("Levels", "How many causes a case has, and whether the diagnosis may be asked for nothing.")
    BINDINGS = [*bindings("list"), act("drill.go").binding()]  # noqa: RUF012
    DEFAULT_CSS = """
    LevelList { height: auto; border: none; padding: 0; margin: 1 0; background: transparent; }
    LevelList:focus { border: none; background: transparent; background-tint: transparent; }
    LevelList > .option-list--option { padding: 0 1; }
    """

    def __init__(self) -> None:
        super().__init__(*(Option(f"{level}  {text}") for level, text in choice.LEVELS.items()), id="levels")

    @property
    def level(self) -> int:
        return list(choice.LEVELS)[self.highlighted or 0]


class Seed(Input):
    """Which case it is to be."""

    ABOUT = About("Seed", "A number, so that several people get the same case; empty: any case.")
    BINDINGS = [act("drill.go").binding()]  # noqa: RUF012


class DrillPage(Page):
    """The drill as it stands; what can be done about it is offered below."""

    SCOPE = "drill"
    BINDINGS = bindings("drill")
    ABOUT = About("A drill", "The cause is kept back until you answer, or give up. Esc goes back to work on it.")
    AUTO_FOCUS = ""

    DEFAULT_CSS = """
    DrillPage {
        #drill { height: 1fr; padding: 1 2 0 2; }
        #drill.-reading { padding: 0 2; }
        #text { height: auto; }
        #choice { height: auto; display: none; }
        #seed-row { height: 1; }
        #seed-row Static { width: auto; padding: 0 1; color: $text-muted; }
        Seed, Seed:focus { width: 12; height: 1; border: none; padding: 0 1; margin: 0 1; background: $panel; }
        &.-choosing #choice { display: block; }
        #below { height: auto; border-top: solid $rule; padding: 0 1; }
    }
    """

    def __init__(self, page: str) -> None:
        self.page = page
        super().__init__(crumb="drill")
        self._seen = -1
        self._giving_up = False

    def body(self) -> ComposeResult:
        with VerticalScroll(id="drill"):
            yield Static("", id="text")
            with Vertical(id="choice"):
                yield LevelList()
                with Horizontal(id="seed-row"):
                    yield Static("seed")
                    yield Seed(id="seed", type="integer", max_length=9)
                    yield Static("the same seed and level pick the same case; empty: any")
        yield Static("", id="below")

    @property
    def drilling(self) -> Drilling:
        return house(self).drilling

    @property
    def drill(self) -> Drill | None:
        """The drill that somebody is at work on, here."""
        drill = self.drilling.drill
        return drill if drill is not None and not self.drilling.lost and drill.symptoms else None

    @property
    def choosing(self) -> bool:
        drilling = self.drilling
        return drilling.drill is None and not drilling.waiting and not drilling.busy and self._seen >= 0

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#text", Static).update(Content.styled("looking …", "$text-muted"))
        background.work_for(self, self._begin, group="look")

    async def _begin(self) -> None:
        if not self.drilling.busy:
            await self.drilling.look()
        self._look()
        self.set_interval(0.2, self._look)
        self.set_interval(30, self._draw)  # the time goes on

    def refresh_all(self) -> None:
        background.work_for(self, self.drilling.look, group="look", exclusive=True)

    def _look(self) -> None:
        if self.drilling.changes != self._seen:
            self._seen = self.drilling.changes
            self._draw()

    def on_resize(self, event: events.Resize) -> None:
        del event
        self.call_after_refresh(self._draw)

    # Drawing

    def _draw(self) -> None:
        if self._seen < 0:
            return
        width = max(self.query_one("#drill").content_size.width - 1, 30)
        was = self.has_class("-choosing")
        self.set_class(self.choosing, "-choosing")
        page = self.query_one("#drill", VerticalScroll)
        page.set_class(not self.choosing and not self.drilling.busy, "-reading")
        self.query_one("#text", Static).update(self._text(width))
        self.query_one("#below", Static).update(self._below(max(self.size.width - 4, 30)))
        if self.choosing and not was:
            levels = self.query_one(LevelList)
            levels.highlighted = levels.highlighted or 0
            levels.focus()
        elif not self.choosing and self.focused is not page:
            page.focus()
        self.refresh_bindings()

    def _text(self, width: int) -> Content:
        drilling = self.drilling
        if drilling.busy:
            lines = [Content.styled(f"● {drilling.busy} …", "bold $text-warning"), Content("")]
            return Content("\n").join([*lines, *(Content.styled(line, "$text-muted") for line in drilling.lines)])
        if self.drill is not None:
            tall = self.has_class("-tall")
            return drill_text.going_on(self.drill, width, house(self).key_of, tall=tall)
        if drilling.drill is not None:
            return Content(f"A drill of level {drilling.drill.level} is going on, and the sandbox is not in its case.")
        if drilling.waiting and drilling.last is not None and drilling.last.score is not None:
            return drill_text.ended(drilling.last, drilling.last.score, width)
        return Content(_WHAT)

    def _below(self, width: int) -> Content:
        drilling = self.drilling
        if drilling.busy:
            return Content.styled("It takes some seconds; esc leaves the page, and it goes on.", "$text-muted")
        if drilling.problem is not None:
            return problem.drawn(drilling.problem, width)
        if self._giving_up:
            return Content.styled("g again ends the drill, and says what it was; that costs 60 of 100 points.", "bold")
        drill = self.drill
        if drill is not None:
            if drill.answers:
                return Content.styled(f"✗ {telling.not_it(drill)}", "bold $text-warning")
            return Content.styled("esc: back to work on it. a: answer, h: hint, g: give up.", "$text-muted")
        if drilling.drill is not None:
            return Content("enter: its case is brought about (again), and the drill goes on. g: end it.")
        if drilling.waiting:
            return Content("enter: make the sandbox healthy again. k, esc: leave it as it is, to look around.")
        last = drilling.last
        if last is not None and last.score is not None:
            return Content(f"The last one: {telling.head(last, last.score)} {last.score.points} of 100. (s)")
        return Content.styled("No drill yet.", "$text-muted")

    # What can be done

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Which keys make sense now; the others are not offered."""
        del parameters
        drilling = self.drilling
        if action in ("answer", "hint"):
            return self.drill is not None and not drilling.busy
        if action == "give_up":
            return drilling.drill is not None and not drilling.busy
        if action == "go":
            return not drilling.busy and (self.drill is None)
        if action == "keep":
            return drilling.waiting and not drilling.busy
        if action == "last":
            return self.choosing and drilling.last is not None
        return True

    @on(OptionList.OptionSelected, "#levels")
    def action_go(self) -> None:
        drilling = self.drilling
        if drilling.busy or self.drill is not None:
            return
        operation = house(self).operation
        if operation is not None and operation.ongoing:
            self.notify("A change is being carried out here: wait for it, or stop it first (o).", severity="warning")
        elif drilling.drill is not None:
            drilling.begin(None)
        elif drilling.waiting:
            drilling.end(keep=False)
        else:
            typed = self.query_one(Seed).value.strip()
            seed = int(typed) if typed.isdecimal() else None
            level = self.query_one(LevelList).level
            drilling.begin(Asked(level, seed, (), self.session.environment.name))

    async def action_answer(self) -> None:
        self._stay()
        drill = self.drill
        if drill is not None:
            await self.app.push_screen(AnswerPage(choice.causes_at(drill.level)), self._answered)

    def _answered(self, named: tuple[str, ...] | None) -> None:
        if named:
            self.drilling.answer(named)

    def action_hint(self) -> None:
        self._stay()
        self.drilling.hint()

    def action_give_up(self) -> None:
        if self._giving_up:
            self._stay()
            self.drilling.give_up()
        else:
            self._giving_up = True
            self._draw()

    def _stay(self) -> None:
        self._giving_up = False

    def action_keep(self) -> None:
        self.drilling.end(keep=True)

    async def action_last(self) -> None:
        last = self.drilling.last
        if last is not None and last.score is not None:
            await self.app.push_screen(TextPage("The last drill", partial(drill_text.ended, last, last.score)))

    def action_scroll_page(self, lines: int) -> None:
        self.query_one("#drill").scroll_relative(y=lines, animate=False)

    def action_leave(self) -> None:
        """Back to work; after the end, to a sandbox that stays as it is."""
        if self.drilling.waiting:
            self.drilling.end(keep=True)
        self.dismiss()

    def copy_text(self) -> str:
        """The page, unwrapped."""
        from toolkit.tui.widgets.prose import ENDLESS

        return self._text(ENDLESS).plain
