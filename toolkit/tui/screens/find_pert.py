"""Find a pert over all groups: its name is typed, and the nearest names that there are stand below."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from toolkit.errors import ToolkitError
from toolkit.tui import background
from toolkit.tui.about import About
from toolkit.tui.background import in_thread
from toolkit.tui.house import house
from toolkit.tui.registry import act, bindings
from toolkit.tui.widgets.banner import Banner
from toolkit.tui.widgets.footer import Footer
from toolkit.tui.widgets.prose import hanging
from toolkit.tui.wording import cut, foreign

_SHOWN = 50


class PertLine(Input):
    """What is looked for."""

    ABOUT = About(
        "Find a pert",
        "A gene or compound, also at a concentration: REC-0000123 at 3. Below stand the names of the default group "
        "that hold it, or are like it: ↓ chooses one. Enter looks in every group, layer and frame.",
    )

    def __init__(self) -> None:
        super().__init__(placeholder="BRCA1, REC-0000123, REC-0000123 at 3", id="pert-line")
        self._bindings.key_to_bindings["enter"] = [act("find-pert.go").binding()]


class FindPert(ModalScreen["str | None"]):
    """Gives back what to look for."""

    SCOPE = "find-pert"
    BINDINGS = bindings("find-pert")

    DEFAULT_CSS = """
    FindPert {
        align: center top; background: $background 60%;
        Banner { dock: top; }
        #find {
            width: 96%; max-width: 100; height: 80%; max-height: 30; margin-top: 1; background: $surface;
            border: round $primary; border-title-color: $primary; border-title-style: bold;
        }
        #pert-line, #pert-line:focus { height: 1; border: none; padding: 0 1; background: $panel; }
        #names { height: 1fr; border: none; background: transparent; padding: 0; text-wrap: nowrap; }
        #said { height: auto; padding: 0 1; border-bottom: solid $rule; color: $text-muted; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._group = ""
        self._names: list[str] = []
        self._problem = ""
        self._listed: list[str] = []

    def compose(self) -> ComposeResult:
        yield Banner()
        with Vertical(id="find") as box:
            box.border_title = "Find a pert over all groups"
            yield PertLine()
            yield Static("asking for the names of the default group …", id="said")
            names = OptionList(id="names")
            names.can_focus = False
            yield names
        yield Footer()

    def on_mount(self) -> None:
        background.work_for(self, self._ask, group="ask", exit_on_error=False)

    async def _ask(self) -> None:
        core = house(self).opened().core
        try:
            self._group, self._names = await in_thread(core.pert_names, "pert names")
        except ToolkitError as problem:
            self._problem = problem.message
        self._rank()

    @on(Input.Changed)
    def _rank(self) -> None:
        background.work_for(self, self._ranking, group="rank", exclusive=True, exit_on_error=False)

    async def _ranking(self) -> None:
        typed, names = self.query_one(PertLine).value, self._names
        found, how = await in_thread(lambda: suggested(typed, names), "suggest")
        listed = self.query_one("#names", OptionList)
        self._listed = [name for name, _ in found]
        listed.clear_options()
        width = max(self.query_one("#find").content_size.width - 4, 30)
        for name, why in found:
            text = f"  {cut(why, width - len(name) - 3)}" if why else ""
            listed.add_option(Option(Content.assemble(f" {foreign(name)}", (text, "$text-muted"))))
        listed.highlighted = None
        said = how.format(group=self._group) if self._group else "asking for the names of the default group …"
        if self._problem:
            said = f"No names to suggest: {self._problem} Enter looks all the same."
        self.query_one("#said", Static).update(hanging(Content(""), foreign(said), width))

    def action_move(self, by: int) -> None:
        listed = self.query_one("#names", OptionList)
        at = (-1 if listed.highlighted is None else listed.highlighted) + by
        listed.highlighted = None if at < 0 else min(at, len(self._listed) - 1) if self._listed else None

    def action_take(self) -> None:
        at = self.query_one("#names", OptionList).highlighted
        if self._listed:
            line = self.query_one(PertLine)
            line.value = self._listed[at or 0]
            line.cursor_position = len(line.value)

    @on(OptionList.OptionSelected)
    @on(Input.Submitted)
    def action_go(self) -> None:
        at = self.query_one("#names", OptionList).highlighted
        typed = self.query_one(PertLine).value.strip()
        wanted = self._listed[at] if at is not None and at < len(self._listed) else typed
        if wanted:
            self.dismiss(wanted)

    def action_close(self) -> None:
        self.dismiss(None)


def suggested(typed: str, names: list[str]) -> tuple[list[tuple[str, str]], str]:
    """The names that what was typed may mean, each with why; and in words what they are (`{group}` to be filled in)."""
    from toolkit.cache.search import matching

    if not typed.strip():
        return [(name, "") for name in names[:_SHOWN]], f"{len(names):,} names in {{group}}, the default group"
    matcher = matching.Matcher(names)
    asked = matching.question(typed, matcher.names)
    meant = [(match.pert, "" if match.how == "exact" else f"the same but for its {match.how}")
             for match in matcher.matches(asked.name)]  # fmt: skip
    known = {name for name, _ in meant}
    part = asked.name.casefold()
    holding = [name for name in names if part in name.casefold() and name not in known]
    holding.sort(key=lambda name: (not name.casefold().startswith(part), len(name), name))
    near = [] if holding or meant else [(one.pert, one.why) for one in matcher.near(asked.name)]
    found = [*meant, *((name, "") for name in holding), *near]
    shown = found[:_SHOWN]
    if near:
        return shown, "{group} has no such name; these are like it"
    if not found:
        return [], "{group} has nothing like it; enter looks in the others, too"
    more = (
        f"{len(shown)} of {len(found):,} names"
        if len(shown) < len(found)
        else f"{len(found):,} of {len(names):,} names"
    )
    return shown, more + " in {group}"
