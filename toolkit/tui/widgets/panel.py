"""A part of a screen that is filled by one question: its title, how old its answer is, and what stands there when the
system behind it is down. The other panels work on.

A panel with `every` asks again by itself while somebody looks, and shows the old answer until the new one is there.
A question goes on while nobody looks, and is not soon asked a second time by who comes back: however fast one leafs
through the pages, a system that is slow or hangs is not buried in questions.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from textual.containers import Vertical
from textual.content import Content
from textual.reactive import reactive

from toolkit.errors import ToolkitError
from toolkit.figures import duration
from toolkit.tui import background
from toolkit.tui.background import as_problem, in_thread
from toolkit.tui.clock import ticks
from toolkit.tui.house import house
from toolkit.tui.session import Session
from toolkit.tui.widgets.problem import ProblemView

T = TypeVar("T")

_FRESH = 60.0  # seconds after which a screen that is come back to asks anew
_OVERDUE = 10.0  # seconds after which one who comes back does not wait for a question that is still open
_RARER = 8  # a system that stays down is asked this many times rarer in the end


class Panel(Vertical, Generic[T]):
    """Asks with `ask` (in a thread; may raise ToolkitError) and shows the answer with `answered`."""

    DEFAULT_CSS = """
    Panel {
        height: auto; padding: 0 1;
        border-top: solid $rule; border-title-color: $primary; border-title-style: bold;
        &:focus-within { border-top: solid $primary; }
        & > ProblemView { display: none; }
        &.-broken > * { display: none; }
        &.-broken > ProblemView { display: block; }
    }
    """

    title = ""
    every: float | None = None  # seconds; None: only when somebody asks
    same_as = ""  # the words of the command that shows the same: in a drill, who sees this panel has "run" it
    by_itself = False  # it is shown whether somebody wants to see it or not
    asking = reactive(False)
    heading = reactive("")

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.problem: ToolkitError | None = None
        self._answered_at: float | None = None
        self._asked_at = 0.0
        self._failures = 0
        self._gently = False
        self._outdated = False  # since the open question was asked
        self._unseen: int | None = None  # the exit code of an answer that nobody has looked at yet
        self.heading = self.title

    @property
    def session(self) -> Session:
        """The open environment; panels exist only while there is one."""
        return house(self).opened()

    def ask(self) -> T:
        """Blocks; called in a thread."""
        raise NotImplementedError

    def answered(self, answer: T) -> None:
        """Show the answer."""
        raise NotImplementedError

    def on_mount(self) -> None:
        self.mount(ProblemView())
        self.set_interval(1, self._tick)

    @property
    def settled(self) -> bool:
        """Whether who comes need not ask: there is a fresh answer, or a problem in its place, or one is on its way."""
        if self.asking:
            return not self._outdated and ticks() - self._asked_at < _OVERDUE
        fresh = self._answered_at is not None and ticks() - self._answered_at < _FRESH
        return fresh or self.problem is not None

    @property
    def standing(self) -> tuple[object, ...]:
        """Changes with each answer, and with each problem."""
        return self._answered_at, self.problem, self.asking

    def outdate(self) -> None:
        """What is shown may not be true any more: it is asked for anew when somebody looks."""
        self._answered_at = self.problem = None
        self._outdated = True

    def enter(self) -> None:
        """Somebody looks (again)."""
        self._say_age()
        if not self.settled:
            self.load()
        elif self._unseen is not None:
            self._looked(self._unseen)

    def load(self, *, gently: bool = False) -> None:
        """Ask anew; a question that is still open is not waited for any more. `gently`: nobody asked for it, so
        nothing is to be seen of it before the answer."""
        self._gently = gently
        self._outdated = False
        self._asked_at = ticks()
        self.asking = True
        background.work_for(self, self._load, group="load", exclusive=True, exit_on_error=False)

    def leave(self) -> None:
        """Nobody looks any more. Overridden where a question has no end, or a costly one."""

    def let_go(self) -> None:
        """Stop waiting for any answer."""
        self.workers.cancel_node(self)
        self.asking = False

    async def _load(self) -> None:
        try:
            self.answered(await self.fetch())
        except Exception as error:  # noqa: BLE001 - also one of ours in showing it: the rest of the app works on
            problem = as_problem(error)
            self.broken(problem)
            self._looked(problem.exit_code)
        else:
            self.fresh()
            self._looked(0)

    def _looked(self, code: int) -> None:
        """Somebody sees the answer, or will when the page is shown again."""
        self._unseen = None if self.screen.is_current else code
        if self._unseen is None:
            self.session.looked(self.same_as, code, by_itself=self.by_itself)

    async def fetch(self) -> T:
        """The answer, asked in a thread. Overridden where the answer comes in pieces."""
        return await in_thread(self.ask, f"panel {self.id or self.title}")

    def fresh(self) -> None:
        """What is shown is true as of now."""
        self.problem = None
        self.asking = False
        self._failures = 0
        self._answered_at = ticks()
        if self.has_class("-broken"):
            looked_at = self._has_focus
            self.remove_class("-broken")
            if looked_at:
                self.call_after_refresh(self._focus_first)
        self._say_age()

    def broken(self, problem: ToolkitError) -> None:
        """Show `problem` in the place of the panel's figures."""
        again = self.problem is not None
        self.problem = problem
        self.asking = False
        self._failures += 1
        self.query_one(ProblemView).show(problem)
        looked_at = self._has_focus or self.screen.focused is None
        self.add_class("-broken")
        if looked_at and not again:
            self.call_after_refresh(self.query_one(ProblemView).focus)
        self._say_age()

    @property
    def _has_focus(self) -> bool:
        return self.screen.focused is not None and self in self.screen.focused.ancestors

    def _focus_first(self) -> None:
        """Focus what the problem stood in the place of."""
        for widget in self.query("OptionList, Rows"):
            widget.focus()
            return

    @property
    def gently(self) -> bool:
        """Whether the question that is open is one that nobody asked for."""
        return self.asking and self._gently

    def _tick(self) -> None:
        if not self.screen.is_current:
            return
        self._say_age()
        if self.every is None or self.asking or not self.app.app_focus:
            return
        if self._asked_at and ticks() - self._asked_at >= self._pause:
            self.load(gently=True)

    @property
    def _pause(self) -> float:
        """Seconds from one question to the next."""
        return (self.every or 0.0) * float(min(2**self._failures, _RARER))

    def watch_asking(self) -> None:
        self._say_age()

    def watch_heading(self) -> None:
        self._say_age()

    def _say_age(self) -> None:
        text = ""
        if self.asking and not (self._gently and (self.problem is not None or self._answered_at is not None)):
            text = "asking …"
        elif self.problem is not None:
            text = "down"
            if self.every is not None:
                again = max(0.0, self._pause - (ticks() - self._asked_at))
                text = f"down, asked {_ago(ticks() - self._asked_at)}, again in {duration(again)}"
        elif self._answered_at is not None:
            text = _ago(ticks() - self._answered_at)
        self.border_title = Content.assemble(self.heading, ("  " + text if text else "", "$text-muted not bold"))


def _ago(seconds: float) -> str:
    """In steps of 5 seconds: a figure that moves each second draws the eye, and the whole panel with it."""
    steps = seconds - seconds % 5
    return "just now" if steps < 5 else f"{duration(steps)} ago"
