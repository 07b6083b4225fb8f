"""The gate as a dialogue: the plan, the typed confirmation, the progress with the log, the outcome with its undo.

It is a view on an Operation: closing it while a change goes on does not end that change.
"""

from __future__ import annotations

import textwrap

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, RichLog, Static

from toolkit.actions import gate
from toolkit.actions.plan import Damage
from toolkit.figures import duration
from toolkit.tui.about import About
from toolkit.tui.house import house
from toolkit.tui.operation import Operation, Phase
from toolkit.tui.registry import act, bindings
from toolkit.tui.widgets import problem as problems
from toolkit.tui.widgets.banner import Banner
from toolkit.tui.widgets.footer import Footer
from toolkit.tui.widgets.plan_page import outcome_page, plan_page, progress_line
from toolkit.tui.wording import counted

SHOWN_LINES = 2000  # of the log; the operation keeps more
_AT_ONCE = 400  # lines drawn in one go: the keys must not wait for a chatty pod
_STEPS = 4


class Answer(Input):
    """What is typed to agree to the plan."""

    ABOUT = About(
        "The question",
        "What has to be typed grows with the damage: y for a small one, the name of the cluster or environment for a "
        "large one. Nothing is changed before that, and what is applied is exactly the plan above.",
    )

    def __init__(self) -> None:
        super().__init__(id="answer")
        self._bindings.key_to_bindings["enter"] = [act("gate.confirm").binding()]


class Gate(ModalScreen[None]):
    """The dialogue of `operation`."""

    SCOPE = "gate"
    BINDINGS = bindings("gate")
    AUTO_FOCUS = None

    DEFAULT_CSS = """
    Gate {
        align: center middle; background: $background 60%;
        Banner { dock: top; }
        #gate {
            width: 100%; max-width: 124; height: 1fr; max-height: 60; background: $surface; padding: 0 1;
            border: round $primary; border-title-color: $primary; border-title-style: bold;
        }
        &.-large #gate { border: round $error; border-title-color: $text-error; }
        #phase { height: 1; text-style: bold; color: $text-warning; }
        #plan { height: 1fr; }
        #question { height: auto; border-top: solid $rule; display: none; }
        #asked { height: auto; text-style: bold; }
        #answer { height: 1; border: none; padding: 0 1; background: $panel; width: 1fr; }
        #answer:focus { border: none; }
        #wrong { height: 1; color: $text-error; text-style: bold; }
        #steps { height: auto; max-height: 10; display: none; }
        #ended { height: auto; max-height: 70%; display: none; }
        #log { height: 1fr; min-height: 3; background: transparent; border-top: solid $rule; display: none;
               border-title-color: $text-muted; }
        &.-asking #question { display: block; }
        &.-applying #plan, &.-over #plan { display: none; }
        &.-applying #steps, &.-applying #log { display: block; }
        &.-over #ended { display: block; }
        &.-over.-logged #log { display: block; }
        &.-over.-refused #ended { max-height: 50%; }
        &.-over.-refused #plan { display: block; border-top: solid $rule; }
    }
    """

    def __init__(self, operation: Operation) -> None:
        super().__init__(classes="gate")
        self.operation = operation
        self._phase: Phase | None = None
        self._seen_lines = 0
        self._origin = ""

    def compose(self) -> ComposeResult:
        yield Banner()
        box = Vertical(id="gate")
        box.border_title = Content(f"{self.operation.name} in {self.operation.environment.name}")
        with box:
            yield Static("", id="phase")
            with VerticalScroll(id="ended"):
                yield Static("", id="outcome")
            with VerticalScroll(id="plan", can_focus=False):
                yield Static(Content.styled("…", "$text-muted"), id="plan-text")
            with Vertical(id="question"):
                yield Static("", id="asked")
                yield Answer()
                yield Static("", id="wrong")
            yield Static("", id="steps")
            log = RichLog(id="log", markup=False, highlight=False, max_lines=SHOWN_LINES, min_width=20)
            log.border_title = "log"
            yield log
        yield Footer()

    def on_mount(self) -> None:
        self.call_after_refresh(self._look)
        self.set_interval(0.1, self._look)

    def on_resize(self, event: events.Resize) -> None:
        del event
        self.call_after_refresh(self._draw)

    @property
    def _width(self) -> int:
        return max(self.query_one("#gate").content_size.width - 2, 40)

    @property
    def _lines_below(self) -> int:
        """Lines of the plan that were not scrolled to yet."""
        plan = self.query_one("#plan")
        return max(0, round(plan.max_scroll_y - plan.scroll_y))

    # Following the operation

    def _look(self) -> None:
        operation = self.operation
        if operation.phase is not self._phase:
            self._phase = operation.phase
            self._enter(operation.phase)
            self.refresh_bindings()
        self.query_one("#phase", Static).update(self._said())
        if self._phase in (Phase.APPLYING, Phase.VERIFYING) or operation.lines_seen != self._seen_lines:
            self._draw_steps()
            self._draw_log()

    def _said(self) -> Content:
        operation = self.operation
        if operation.over:
            took = f" after {duration(operation.seconds)}" if operation.started else ""
            return Content.styled(f"Ended{took}.  esc closes, y copies", "$text-muted not bold")
        took = f", {duration(operation.seconds)}" if operation.started else ""
        if operation.phase is Phase.ASKING:
            more = self._lines_below
            unread = f": {counted(more, 'more line')} below (↓ PgDn)" if more else ", then answer"
            return Content(f"Nothing was changed yet. Read the plan{unread}.")
        if operation.stopping:
            return Content(f"● asked to stop; {operation.phase}{took} …")
        return Content(f"● {operation.phase}{took} …")

    def _draw(self) -> None:
        """The pages, wrapped to the width there is now."""
        operation = self.operation
        if operation.plan is not None:
            self.query_one("#plan-text", Static).update(plan_page(operation.plan, self._width))
        if operation.over:
            self.query_one("#outcome", Static).update(self._ending())

    def _enter(self, phase: Phase) -> None:
        plan = self.operation.plan
        self._draw()
        self.set_class(phase is Phase.ASKING, "-asking")
        self.set_class(phase in (Phase.APPLYING, Phase.VERIFYING), "-applying")
        self.set_class(phase is Phase.ENDED, "-over")
        if plan is not None:
            self.set_class(plan.damage is Damage.LARGE, "-large")
        if phase is Phase.ASKING and plan is not None:
            self.query_one("#asked", Static).update(Content(gate.question(plan)))
            answer = self.query_one("#answer", Input)
            answer.value = ""
            answer.focus()
        elif phase in (Phase.APPLYING, Phase.VERIFYING):
            self.query_one("#log", RichLog).focus()
        elif phase is Phase.ENDED:
            refused = self.operation.problem is not None and self.operation.started is None
            self.set_class(refused and plan is not None, "-refused")
            self.set_class(self.operation.lines_seen > 0, "-logged")
            self._draw_log()
            self.query_one("#ended").focus()
            self.call_after_refresh(self.query_one("#log", RichLog).scroll_end, animate=False)

    def _ending(self) -> Content:
        operation = self.operation
        if operation.done is not None:
            return outcome_page(operation.done, self._width)
        if operation.problem is None:
            return Content("")
        lines = [problems.drawn(operation.problem, self._width)]
        if isinstance(operation.problem, gate.PlanMoved):
            lines.append(Content("Below is the plan as the world is now; a takes it through the gate."))
        elif operation.plan is not None and operation.started is None:
            lines.append(Content("Below is what it would do."))
        return Content("\n\n").join(lines)

    def _draw_steps(self) -> None:
        operation = self.operation
        lines = []
        steps = list(operation.steps)[-_STEPS:]
        for number, step in enumerate(steps):
            now = number == len(steps) - 1 and not operation.over
            lines.append(
                Content.assemble(("● " if now else "✓ ", "$text-warning" if now else "$text-success"), step.text)
            )
        lines += [progress_line(advanced, self._width) for advanced in list(operation.advanced.values())[-_STEPS:]]
        self.query_one("#steps", Static).update(Content("\n").join(lines))

    def _draw_log(self) -> None:
        lines, self._seen_lines = self.operation.lines_after(self._seen_lines)
        log = self.query_one("#log", RichLog)
        if lines:
            passed = len(lines) - _AT_ONCE
            if passed > 0:
                log.write(Text(f"… {passed:,} lines came faster than they can be read", style="italic"))
            for line in lines[-_AT_ONCE:]:
                if line.origin != self._origin:
                    self._origin = line.origin
                    log.write(Text(f"── {line.origin} ──", style="dim"))
                log.write(Text("\n".join(textwrap.wrap(line.text, self._width, subsequent_indent="    ") or [""])))
        log.border_title = f"log  {counted(self._seen_lines, 'line')}" if self._seen_lines else "log  no line yet"

    # What a person can do

    def action_confirm(self) -> None:
        """Answer the question with what was typed."""
        plan = self.operation.plan
        field = self.query_one(Answer)
        if plan is None or self.operation.answer(field.value.strip()):
            return
        wanted = repr(plan.confirm) if plan.damage is Damage.LARGE else "y"
        typed = field.value.strip()
        said = f"{typed!r} is not {wanted}" if typed else f"Type {wanted} to agree"
        self.query_one("#wrong", Static).update(Content(f"{said}; nothing was changed. esc leaves it so."))
        field.value = ""

    @on(Input.Changed, "#answer")
    def _typing(self, event: Input.Changed) -> None:
        if event.value:
            self.query_one("#wrong", Static).update("")

    def action_close(self) -> None:
        if self.operation.ongoing:
            self.notify(f"{self.operation.name} goes on; o shows it again.")
        elif not self.operation.over:
            self.operation.decline()
            self.notify("Not confirmed; nothing was changed.")
        self.dismiss()

    def action_stop(self) -> None:
        self.operation.stop()
        self.notify("Asked to stop at the next safe point; what was done until then is listed at the end.")

    async def action_again(self) -> None:
        self.dismiss()
        await house(self).carry_out(self.operation.action)

    def action_copy(self) -> None:
        operation = self.operation
        if operation.done is not None:
            house(self).copy(outcome_page(operation.done).plain, "the outcome")
        elif operation.problem is not None:
            house(self).copy(problems.as_text(operation.problem), "the problem")
        elif operation.plan is not None:
            house(self).copy(plan_page(operation.plan).plain, "the plan")

    def action_follow(self) -> None:
        log = self.query_one("#log", RichLog)
        log.auto_scroll = True
        log.scroll_end(animate=False)

    def action_scroll_plan(self, lines: int) -> None:
        shown = "#ended" if self.operation.over and not self.has_class("-refused") else "#plan"
        self.query_one(shown).scroll_relative(y=lines, animate=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Which keys make sense now; the others are not offered."""
        del parameters
        operation = self.operation
        match action:
            case "confirm":
                return operation.phase is Phase.ASKING
            case "stop":
                return operation.ongoing and not operation.stopping
            case "again":
                return operation.over and not (operation.done is not None and operation.done.well)
            case "follow":
                return operation.phase in (Phase.APPLYING, Phase.VERIFYING)
            case "copy":
                return operation.phase is not Phase.ASKING
            case "scroll_plan":
                return operation.phase not in (Phase.APPLYING, Phase.VERIFYING)
        return True
