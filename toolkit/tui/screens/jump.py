"""Jump: a few letters of anything's name, and enter goes there. Each source answers when it can."""

from __future__ import annotations

from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from toolkit.secret import scrub
from toolkit.tui import background, jump
from toolkit.tui.about import About
from toolkit.tui.background import as_problem, in_thread
from toolkit.tui.house import house
from toolkit.tui.jump import Source, Target
from toolkit.tui.registry import act, bindings
from toolkit.tui.widgets.footer import Footer
from toolkit.tui.wording import counted, cut, elided

_KIND = 8  # cells


class Typed(Input):
    """What is looked for. Enter goes to the one under the cursor below."""

    ABOUT = About(
        "Jump to", "Parts of a name, in any order; a mistyped one is found too. ↑ ↓ choose, enter goes there."
    )

    def __init__(self) -> None:
        super().__init__(placeholder="group, folder, job, pod, runbook, pert, page", id="typed")
        self._bindings.key_to_bindings["enter"] = [act("jump.go").binding()]


class Jump(ModalScreen["Target | None"]):
    """Gives back where to go."""

    SCOPE = "jump"
    BINDINGS = bindings("jump")

    DEFAULT_CSS = """
    Jump {
        align: center top; background: $background 60%;
        #jump {
            width: 96%; max-width: 120; height: 90%; max-height: 40; margin-top: 1; background: $surface;
            border: round $primary; border-title-color: $primary; border-title-style: bold;
        }
        #typed, #typed:focus { height: 1; border: none; padding: 0 1; background: $panel; }
        #found { height: 1fr; border: none; background: transparent; padding: 0; text-wrap: nowrap; }
        #said { height: auto; padding: 0 1; border-bottom: solid $rule; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._found: dict[str, list[Target]] = {}
        self._down: dict[str, str] = {}
        self._shown: list[Target] = []

    def compose(self) -> ComposeResult:
        box = Vertical(id="jump")
        box.border_title = "Jump to"
        with box:
            yield Typed()
            found = OptionList(id="found")
            found.can_focus = False
            yield Static("", id="said")
            yield found
        yield Footer()

    def on_mount(self) -> None:
        for source in jump.SOURCES:
            background.work_for(self, partial(self._ask, source), group=source.name, exit_on_error=False)
        self._say()

    async def _ask(self, source: Source) -> None:
        core = house(self).opened().core
        try:
            self._found[source.name] = await in_thread(lambda: list(source.ask(core)), f"jump {source.name}")
        except Exception as error:  # noqa: BLE001 - one source's problem is one line; the others work on
            self._down[source.name] = as_problem(error).message
        self._say()
        self._rank()

    @on(Input.Changed)
    def _rank(self) -> None:
        background.work_for(self, self._ranking, group="rank", exclusive=True, exit_on_error=False)

    async def _ranking(self) -> None:
        typed = self.query_one(Typed).value
        found = [self._found[source.name] for source in jump.SOURCES if source.name in self._found]
        targets = await in_thread(lambda: jump.ranked(typed, found), "rank")
        listed = self.query_one("#found", OptionList)
        kept = self._at
        self._shown = targets
        listed.clear_options()
        listed.add_options([Option(self._row(target)) for target in targets])
        if targets:
            listed.highlighted = targets.index(kept) if kept in targets and not typed else 0
        self._say()

    def _row(self, target: Target) -> Content:
        room = max(self.query_one("#jump").content_size.width - _KIND - 5, 30)
        name = elided(scrub(target.name), room)
        left = room - len(name) - 2
        detail = cut(scrub(target.detail), left) if target.detail and left > 8 else ""
        return Content.assemble((f" {target.kind:<{_KIND}} ", "$text-accent"), name, (f"  {detail}", "$text-muted"))

    def _say(self) -> None:
        width = max(self.query_one("#jump").content_size.width - 2, 30)
        open_yet = [s.name for s in jump.SOURCES if s.name not in self._found and s.name not in self._down]
        lines = [
            Content.assemble(("✗ ", "bold $text-error"), cut(scrub(f"{name}: {why}"), width - 2))
            for name, why in self._down.items()
        ]
        if open_yet:
            lines.append(Content.styled(cut(f"● asking for {', '.join(open_yet)} …", width), "$text-warning"))
        elif not self._shown:
            lines.append(Content.styled("Nothing is called anything like that.", "$text-muted"))
        else:
            known = sum(len(targets) for targets in self._found.values())
            text = f"{len(self._shown)} of {counted(known, 'name')} shown"
            lines.append(Content.styled(text, "$text-muted"))
        self.query_one("#said", Static).update(Content("\n").join(lines))

    @property
    def _at(self) -> Target | None:
        at = self.query_one("#found", OptionList).highlighted
        return self._shown[at] if at is not None and at < len(self._shown) else None

    @on(OptionList.OptionSelected)
    def action_go(self) -> None:
        target = self._at
        if target is not None:
            self.dismiss(target)

    def action_move(self, by: int) -> None:
        listed = self.query_one("#found", OptionList)
        if self._shown:
            listed.highlighted = ((listed.highlighted or 0) + by) % len(self._shown)

    def action_close(self) -> None:
        self.dismiss(None)
