"""Why? From a symptom to its cause: what is asked, the findings as they come, the causes with their evidence, and what
mends them one key away. On top of any page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Input, OptionList, Static

from toolkit.checks.diagnosis.cause import Asked
from toolkit.errors import ToolkitError
from toolkit.secret import scrub
from toolkit.tui import walk_start
from toolkit.tui.about import About
from toolkit.tui.background import each, in_thread
from toolkit.tui.house import house
from toolkit.tui.registry import act, bindings
from toolkit.tui.screens.findings_page import show_finding
from toolkit.tui.screens.shell import Page
from toolkit.tui.screens.text_page import TextPage
from toolkit.tui.widgets import causes, findings
from toolkit.tui.widgets.causes import CauseList
from toolkit.tui.widgets.findings import FindingList
from toolkit.tui.widgets.panel import Panel

if TYPE_CHECKING:
    from toolkit.checks.diagnosis.cause import Mend
    from toolkit.checks.diagnosis.verdict import Verdict
    from toolkit.checks.finding import Finding

_UNASKED = "Fill in what you know, and press enter; with nothing at all: is anything wrong?"


class Field(Input):
    """What is known of the symptom. Enter asks."""

    ABOUT = About("What is asked", "A pert, a group, who reports it, the map: as much as you know. Enter asks.")
    BINDINGS = [act("why-asked.ask").binding()]  # noqa: RUF012


class MapChoice(Static, can_focus=True):
    """Whether the map as a whole looks odd."""

    ABOUT = About("The map", "Space marks that the map as a whole looks odd. Enter asks.")
    BINDINGS = bindings("why-asked")

    def __init__(self, *, odd: bool) -> None:
        super().__init__(id="map")
        self.odd = odd

    def render(self) -> Content:
        return Content(f"map {'✓ odd' if self.odd else '· no'}")


class WhyPanel(Panel["Verdict"]):
    """The causes, and below them the findings they rest on."""

    same_as = "why"

    DEFAULT_CSS = """
    WhyPanel { height: 1fr; }
    WhyPanel #status { height: auto; color: $text-muted; }
    WhyPanel #findings { height: 1fr; min-height: 3; border-top: dashed $rule; }
    WhyPanel FindingList { height: auto; max-height: 100%; }
    """

    def __init__(self) -> None:
        self.asked: Asked | None = None
        self.found: dict[str, Finding] = {}
        super().__init__(id="why")
        self.heading = "Why?"

    def compose(self) -> ComposeResult:
        yield Static(_UNASKED, id="status")
        yield CauseList(id="causes")
        with VerticalScroll(id="findings", can_focus=False):
            yield FindingList()

    def load(self, *, gently: bool = False) -> None:
        if self.asked is not None:
            super().load(gently=gently)

    @property
    def settled(self) -> bool:
        return self.asked is None or super().settled

    async def fetch(self) -> Verdict:
        asked, core = self.asked or Asked(), self.session.core
        listed = self.query_one(FindingList)
        names = await in_thread(lambda: core.why_names(asked), "why: which checks")
        self.remove_class("-broken")
        self.found = {}
        listed.expect(names)
        self.query_one(CauseList).show([])
        self._judge(len(names))
        async for finding in each(lambda: core.why(asked), "why"):
            self.found[finding.name] = finding
            listed.found(finding)
            self._judge(len(names))
        return core.judge(asked, self.found)

    def answered(self, answer: Verdict) -> None:
        self._show(answer, over=True)
        if answer.causes:
            count = len(answer.causes)
            text = "The cause, with its evidence:" if count == 1 else f"{count} causes, the first explains the most:"
        elif answer.healthy:
            text = "No cause: everything could be told, and nothing is wrong."
        else:
            text = "No cause was found."
        self.query_one("#status", Static).update(text)

    def _judge(self, expected: int) -> None:
        reached = self.session.core.judge(self.asked or Asked(), self.found)
        self._show(reached, over=False)
        so_far = "; suspected so far:" if reached.causes else ""
        self.query_one("#status", Static).update(f"● {len(self.found)} of {expected} answers are there{so_far}")

    def _show(self, reached: Verdict, *, over: bool) -> None:
        told = causes.said(reached, self.found, self.session.environment.name, over=over)
        self.query_one(CauseList).show(told)
        self.screen.refresh_bindings()


class WhyPage(Page):
    """Asks about `asked` at once; without it, what is to be asked is filled in first."""

    SCOPE = "why"
    BINDINGS = bindings("why")
    ABOUT = About("Why?", "Only looks. What mends a cause is offered, and carried out only through the gate.")
    AUTO_FOCUS = ""

    DEFAULT_CSS = """
    WhyPage {
        #asked { height: 1; padding: 0 1; }
        #asked > .label { width: auto; padding: 0 1 0 0; color: $text-muted; }
        #asked Field, #asked Field:focus { width: 1fr; height: 1; border: none; padding: 0 1; margin-right: 1; }
        #asked Field { background: $panel; }
        #asked MapChoice { width: 9; padding: 0; }
        #asked #group { width: 2fr; }
        #asked MapChoice:focus { background: $primary; color: $background; text-style: bold; }
        #columns { height: 1fr; layout: vertical; }
        #about { height: 7; border-top: dashed $rule; padding: 0 1; }
        &.-tall #about { height: 14; }
        &.-tall CauseList { max-height: 12; }
        &.-wide #columns { layout: horizontal; }
        &.-wide WhyPanel { width: 1fr; height: 100%; }
        &.-wide #about { width: 1fr; height: 100%; border-top: solid $rule; }
    }
    """

    def __init__(self, page: str, asked: Asked | None) -> None:
        self.page = page
        super().__init__(crumb="why")
        self._asked = asked

    def body(self) -> ComposeResult:
        asked = self._asked or Asked()
        with Horizontal(id="asked"):
            for label, value in (("pert", asked.pert), ("group", asked.group), ("who", asked.who)):
                yield Static(label, classes="label")
                field = Field(value, id=label, select_on_focus=False)
                field.cursor_position = 0
                yield field
            yield MapChoice(odd=asked.map)
        with Horizontal(id="columns"):
            yield WhyPanel()
            yield VerticalScroll(Static("", id="details"), id="about", can_focus=False)

    def on_mount(self) -> None:
        drilling = house(self).drilling
        if self._asked is not None and not drilling.why_costs(self.session.environment.name):
            self._ask(self._asked)
        else:
            self.query_one("#pert").focus()
            if cost := drilling.why_costs(self.session.environment.name):
                said = f"{_UNASKED} In this drill that costs {cost} points, once."
                self.query_one("#status", Static).update(said)
        super().on_mount()

    def action_ask(self) -> None:
        """What is filled in."""
        values = {name: self.query_one(f"#{name}", Field).value.strip() for name in ("pert", "group", "who")}
        self._ask(Asked(values["pert"], values["group"], self.query_one(MapChoice).odd, values["who"]))

    def _ask(self, asked: Asked) -> None:
        panel = self.query_one(WhyPanel)
        panel.asked = asked
        panel.heading = scrub(asked.words)
        panel.load()
        self.query_one(CauseList).focus()

    def on_resize(self, event: events.Resize) -> None:
        del event
        self.call_after_refresh(self._describe)

    @on(OptionList.OptionHighlighted)
    @on(events.DescendantFocus)
    def _describe(self) -> None:
        """What is in focus, in full; until something is, the first cause."""
        about = self.query_one("#about", VerticalScroll)
        width = max(about.content_size.width - 1, 30)
        text = Content("")
        focused = self.focused
        if isinstance(focused, FindingList):
            if focused.in_focus is not None:
                text = findings.details(focused.in_focus, width)
        elif (told := self.query_one(CauseList).in_focus) is not None:
            text = told.details(width)
        self.query_one("#details", Static).update(text)
        about.scroll_home(animate=False)
        self.refresh_bindings()

    # What can be done

    @property
    def _mends(self) -> tuple[Mend, ...]:
        """What mends the cause in focus; nothing before all is known."""
        told = self.query_one(CauseList).in_focus
        panel = self.query_one(WhyPanel)
        return told.mends if told is not None and not panel.asking and panel.problem is None else ()

    def _mend(self, kind: str) -> Mend | None:
        return next((mend for mend in self._mends if mend.kind == kind), None)

    @property
    def _given(self) -> dict[str, str]:
        asked = self.query_one(WhyPanel).asked or Asked()
        given = {"pert": asked.pert, "group": asked.group, "who": asked.who}
        return {name: value for name, value in given.items() if value}

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Which keys make sense now; the others are not offered."""
        del parameters
        if action in ("mend", "runbook") and self.is_mounted:
            return self._mend("action" if action == "mend" else "runbook") is not None
        return True

    async def action_mend(self) -> None:
        mend = self._mend("action")
        if mend is None:
            return
        try:
            action = self.session.core.mend(mend.name, self._given)
        except ToolkitError as problem:
            self.notify(scrub(f"{problem.message} {problem.hint}"), title=mend.name, severity="error", timeout=15)
            return
        await house(self).carry_out(action)

    async def action_runbook(self) -> None:
        mend = self._mend("runbook")
        if mend is not None:
            known = self._given
            await walk_start.begin(house(self), mend.name, {"group": "", **known} if "pert" in known else known)

    def action_map(self) -> None:
        choice = self.query_one(MapChoice)
        choice.odd = not choice.odd
        choice.refresh()

    def action_change(self) -> None:
        self.query_one("#pert").focus()

    async def action_open(self) -> None:
        """All of the finding that was chosen."""
        await self.action_details()

    async def action_details(self) -> None:
        focused = self.focused
        if isinstance(focused, FindingList):
            await show_finding(self, focused.in_focus)
        elif (told := self.query_one(CauseList).in_focus) is not None:
            await self.app.push_screen(TextPage(told.name, told.details))


def about(page: str, pert: str, group: str) -> WhyPage:
    """The page that asks about these; about neither, it waits for what is filled in."""
    return WhyPage(page, Asked(pert, group) if pert or group else None)
