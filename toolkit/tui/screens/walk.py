"""A walk through a runbook: steps with their states on the left, the page with its live findings on the right, and
below what the walk waits for.
"""

from __future__ import annotations

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Markdown, OptionList, Static
from textual.widgets.option_list import Option

from toolkit.actions.gate import Done
from toolkit.checks.finding import Finding
from toolkit.errors import ToolkitError
from toolkit.secret import scrub
from toolkit.tui.about import About
from toolkit.tui.house import house
from toolkit.tui.registry import bindings
from toolkit.tui.screens.shell import Page
from toolkit.tui.walking import Ask, Command, Decide, Item, Open, Pick, Prose, Walking
from toolkit.tui.widgets import findings, problem
from toolkit.tui.widgets.plan_page import outcome_page, progress_line
from toolkit.tui.wording import elided, foreign
from toolkit.walkthrough.page import END, NEXT
from toolkit.walkthrough.person import Decision

_SIGNS = {"open": "●", "done": "✓", "skipped": "-", "stuck": "✗"}
_STYLES = {"open": "bold $text-warning", "done": "$text-success", "skipped": "$text-muted", "stuck": "bold $text-error"}


class StepList(OptionList):
    """The runbook's steps; the cursor is where one would jump to."""

    ABOUT = About("The steps", "✓ done, - skipped, ✗ stuck, ● here, · not opened. Enter jumps to the one in focus.")

    DEFAULT_CSS = """
    StepList { width: 30; height: 1fr; border: none; padding: 0; background: transparent; text-wrap: nowrap;
               border-right: solid $rule; }
    StepList:focus { border: none; border-right: solid $primary; background: transparent; background-tint: transparent;}
    """


class WalkPage(Page):
    """Drilled down from the runbooks: one case."""

    page = "runbooks"
    BINDINGS = bindings("walk")
    ABOUT = About("A walk", "Checks answer by themselves; an action opens the gate only when enter is pressed.")
    AUTO_FOCUS = "#page"

    DEFAULT_CSS = """
    WalkPage {
        #walk { height: 1fr; }
        &.-wide StepList { width: 25%; max-width: 60; }
        #page { width: 1fr; padding: 0 1; }
        #title { height: auto; text-style: bold; margin-bottom: 1; }
        #items { height: auto; }
        #items > Static { margin-bottom: 1; }
        #items > Markdown { padding: 0; margin: 0; background: transparent; }
        #below { height: auto; border-top: solid $rule; padding: 0 1; }
        #said { height: auto; }
        #answer { height: 1; border: none; padding: 0 1; background: $panel; display: none; }
        #answer.-asked { display: block; }
    }
    """

    def __init__(self, walking: Walking) -> None:
        super().__init__(crumb=walking.case.title)
        self.walking = walking
        self._seen = -1
        self._turn = 0
        self._shown: list[Item] = []
        self._typing = ""  # the word of the decision that the text being typed belongs to
        self._gate_shown: object = None

    def body(self) -> ComposeResult:
        with Horizontal(id="walk"):
            yield StepList(id="steps")
            with VerticalScroll(id="page"):
                yield Static("", id="title")
                yield Vertical(id="items")
        with Vertical(id="below"):
            yield Static("", id="said")
            yield Input(id="answer", placeholder="type, then enter")

    def on_mount(self) -> None:
        super().on_mount()
        self.set_interval(0.1, self._look)

    def on_unmount(self) -> None:
        self.walking.leave()

    def on_resize(self, event: events.Resize) -> None:
        del event
        self.call_after_refresh(self._wrap_anew)

    def _wrap_anew(self) -> None:
        """What was wrapped to the width that there was; Markdown does so by itself."""
        for item, widget in zip(self._shown, self.query_one("#items").children, strict=False):
            if isinstance(widget, Static) and not isinstance(item, Prose):
                widget.update(self._wrapped(item))
        self._draw_steps()
        self._draw_question()

    # Following the walk

    async def _look(self) -> None:
        walking = self.walking
        if walking.operation is not None and walking.operation is not self._gate_shown and self.is_current:
            from toolkit.tui.screens.gate import Gate

            self._gate_shown = house(self).operation = walking.operation
            await self.app.push_screen(Gate(walking.operation))
        if walking.changes == self._seen:
            return
        self._seen = walking.changes
        await self._draw_items()
        self._draw_steps()
        self._draw_question()
        self.refresh_bindings()

    async def _draw_items(self) -> None:
        walking = self.walking
        box = self.query_one("#items")
        items = list(walking.items)
        if walking.turn != self._turn or items[: len(self._shown)] != self._shown:
            self._turn, self._shown = walking.turn, []
            await box.remove_children()
            self.query_one("#page").scroll_home(animate=False)
        if walking.runbook is not None and walking.step is not None:
            number = walking.runbook.steps.index(walking.step) + 1
            head = f"{number}/{len(walking.runbook.steps)}  {walking.step.title}"
            self.query_one("#title", Static).update(Content(head))
        new = items[len(self._shown) :]
        self._shown = items
        if new:
            await box.mount_all([self._widget(item) for item in new])

    def _widget(self, item: Item) -> Widget:
        if isinstance(item, Prose):
            return Markdown(foreign(item.text), open_links=False)
        return Static(self._wrapped(item))

    def _wrapped(self, item: Command | Finding | Done | ToolkitError) -> Content:
        width = max(self.query_one("#page").content_size.width - 2, 30)
        if isinstance(item, Command):
            lines = [Content.styled(f"$ {line}", "$text-accent") for line in foreign(item.text).splitlines()]
            return Content("\n").join(lines)
        if isinstance(item, Finding):
            return findings.details(item, width)
        if isinstance(item, Done):
            return outcome_page(item, width)
        return problem.drawn(item, width)

    def _draw_steps(self) -> None:
        walking = self.walking
        if walking.runbook is None:
            return
        steps = self.query_one(StepList)
        width = max(steps.size.width - 2, 16)
        here = walking.case.here
        kept = steps.highlighted
        steps.clear_options()
        at = 0
        for number, step in enumerate(walking.runbook.steps):
            record = walking.steps.get((walking.runbook.name, step.name))
            state = "" if record is None else str(record.state)
            if here == (walking.runbook.name, step.name):
                at = number
                state = state if state == "stuck" else "open"
            text = f"{_SIGNS.get(state, '·')} {elided(step.title, width - 2)}"
            steps.add_option(Option(Content.styled(text, _STYLES.get(state, "$text-muted"))))
        steps.highlighted = kept if kept is not None and steps.has_focus else at

    def _draw_question(self) -> None:
        question = self.walking.question
        answer = self.query_one("#answer", Input)
        asking = isinstance(question, Ask) or bool(self._typing)
        if asking and not answer.has_class("-asked"):
            answer.add_class("-asked")
            answer.value = ""
            answer.focus()
        elif not asking and answer.has_class("-asked"):
            answer.remove_class("-asked")
            self.query_one("#page").focus()
        self.query_one("#said", Static).update(self._said())

    def _said(self) -> Content:
        walking = self.walking
        question = walking.question
        if walking.over:
            return self._ending()
        if self._typing:
            return Content({"skip": "Why is it skipped?", "stuck": "What is in the way?"}.get(self._typing, "A note:"))
        if isinstance(question, Ask):
            asked = question.asked
            options = f" ({' / '.join(asked.options)})" if asked.options else ""
            default = f" [{asked.default}]" if asked.default else " [enter: none]" if asked.default == "" else ""
            return Content.styled(f"{foreign(question.prompt)}{options}{default}", "bold")
        if isinstance(question, Pick):
            lines = [Content("Which is it?")]
            for number, branch in enumerate(question.branches, 1):
                lines.append(Content.assemble((f" {number} ", "bold $text-accent"), foreign(branch.say)))
            return Content("\n").join([*lines, Content.styled(" 0 none of these", "$text-muted")])
        if isinstance(question, Open):
            return Content.assemble(
                ("▶ ", "bold $text-warning"),
                (question.action, "bold"),
                "  enter shows its plan; nothing is changed yet",
            )
        if isinstance(question, Decide):
            leads = "" if question.goes_to in ("", NEXT) else f"  → {self._called(question.goes_to)}"
            return Content.assemble("enter: done", (leads, "bold"))
        if walking.advanced is not None:
            return progress_line(walking.advanced, max(self.size.width - 4, 30))
        return Content.styled("● asking …", "$text-muted")

    def _called(self, goes_to: str) -> str:
        if goes_to == END:
            return "the end"
        step = self.walking.runbook.step(goes_to) if self.walking.runbook else None
        return step.title if step else f"the runbook {goes_to.removesuffix('.md')}"

    def _ending(self) -> Content:
        walking, case = self.walking, self.walking.case
        if walking.failure is not None:
            return problem.drawn(walking.failure, max(self.size.width - 4, 30))
        if case.here is not None:
            return Content(f"Case {case.id} waits here. esc goes back; it can be resumed from the list of cases.")
        said = {
            "well": ("✓ All is well.", "bold $text-success"),
            "wrong": ("✗ Something is wrong.", "bold $text-error"),
        }
        text = said.get(str(case.result), ("? A check could not be answered.", "bold $text-warning"))
        return Content.assemble(text, f"  Case {case.id} has ended: p shows its report, esc goes back.")

    # What a person can do

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Which keys make sense now; the others are not offered."""
        del parameters
        question = self.walking.question
        if action in ("again", "skip", "stuck", "go_back", "note", "jump"):
            return isinstance(question, Decide) and not self._typing
        if action == "done":
            return isinstance(question, Decide | Open) and not self._typing
        return True

    def action_done(self) -> None:
        question = self.walking.question
        if isinstance(question, Open):
            going_on = house(self).operation
            if going_on is not None and going_on.ongoing:
                self.notify(
                    f"{going_on.name} is being carried out: wait for it, or stop it first (o).", severity="warning"
                )
            else:
                self.walking.reply(True)
        elif isinstance(question, Decide):
            self.walking.reply(Decision("done"))

    def action_again(self) -> None:
        self.walking.reply(Decision("again"))

    def action_go_back(self) -> None:
        self.walking.reply(Decision("back"))

    def action_skip(self) -> None:
        self._type("skip")

    def action_stuck(self) -> None:
        self._type("stuck")

    def action_note(self) -> None:
        self._type("done")

    def action_jump(self) -> None:
        steps = self.query_one(StepList)
        if not steps.has_focus:
            steps.focus()
            self.notify("Choose a step (↑ ↓), then g or enter jumps there.")
        else:
            self._jump()

    @on(OptionList.OptionSelected)
    def _jump(self) -> None:
        steps, runbook = self.query_one(StepList), self.walking.runbook
        if runbook is None or steps.highlighted is None or not isinstance(self.walking.question, Decide):
            return
        self.query_one("#page").focus()
        self.walking.reply(Decision("jump", runbook.steps[steps.highlighted].name))

    def _type(self, word: str) -> None:
        self._typing = word
        self._draw_question()
        self.refresh_bindings()

    @on(Input.Submitted, "#answer")
    def _answered(self, event: Input.Submitted) -> None:
        typed = event.value.strip()
        event.input.value = ""
        question = self.walking.question
        if self._typing and isinstance(question, Decide):
            word, self._typing = self._typing, ""
            if typed or word == "done":
                self.walking.reply(Decision(word, typed))  # type: ignore[arg-type]
            else:
                self.notify("Say why, for the record.", severity="warning")
                self._draw_question()
        elif isinstance(question, Ask):
            self.walking.reply(typed)

    def on_key(self, event: events.Key) -> None:
        key, question = event.key, self.walking.question
        if isinstance(question, Pick) and key.isdecimal() and int(key) <= len(question.branches):
            event.stop()
            event.prevent_default()
            self.walking.reply(int(key) - 1 if int(key) else None)

    async def action_report(self) -> None:
        from toolkit.tui.background import in_thread
        from toolkit.tui.screens.markdown_page import MarkdownPage
        from toolkit.walkthrough.report import report

        case, record = self.walking.case, self.walking.record
        text = await in_thread(lambda: report(record, case), "report")
        await self.app.push_screen(MarkdownPage(f"Report of case {case.id}", text))

    def action_leave(self) -> None:
        if self._typing:
            self._typing = ""
            self._draw_question()
            self.refresh_bindings()
            return
        if not self.walking.over:
            self.notify(f"Case {self.walking.case.id} waits at this step.")
        self.app.pop_screen()

    def action_scroll_page(self, lines: int) -> None:
        self.query_one("#page").scroll_relative(y=lines, animate=False)

    def copy_text(self) -> str:
        """What the step has said, as text."""
        parts = []
        for item in self._shown:
            if isinstance(item, Prose | Command):
                parts.append(item.text)
            elif isinstance(item, Finding):
                parts.append(findings.as_text(item))
            elif isinstance(item, ToolkitError):
                parts.append(problem.as_text(item))
            else:
                parts.append(outcome_page(item).plain)
        return scrub("\n\n".join(parts))
