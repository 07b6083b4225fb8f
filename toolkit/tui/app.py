"""The terminal app: which environment is open, which screen is shown, and the actions that work everywhere."""

from __future__ import annotations

import asyncio
import gc
import importlib
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from textual.widget import Widget

from toolkit.errors import ExitCode, ToolkitError
from toolkit.secret import scrub
from toolkit.tui import background, gone, in_browser, keymap, looks, theme
from toolkit.tui.about import abouts
from toolkit.tui.background import in_thread
from toolkit.tui.clock import ticks
from toolkit.tui.drilling import LOOK, Drilling
from toolkit.tui.keymap import Keymap
from toolkit.tui.opener import Choice, Opener
from toolkit.tui.pages import PagedApp, in_environment
from toolkit.tui.palette import Commands
from toolkit.tui.registry import act, bindings
from toolkit.tui.screens.shell import Page
from toolkit.tui.session import Session
from toolkit.tui.stylesheet import KeptStylesheet

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.notifications import SeverityLevel

    from toolkit.actions.plan import Action
    from toolkit.systems.connections import Connections
    from toolkit.tui.core import Core
    from toolkit.tui.operation import Operation

_TWICE = 2.0  # seconds in which a second Ctrl-C ends the app
_IMPORTED = 6.0  # seconds after which an open environment has imported what its systems need


class ToolkitApp(PagedApp):
    """The app on the environments that `opener` knows; opens `environment` at once where one is given."""

    TITLE = "MapApp toolkit"
    BINDINGS = bindings("app")
    COMMANDS = {Commands}  # noqa: RUF012
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"

    CSS = """
    Screen { background: $background; }
    * { scrollbar-size-vertical: 1; scrollbar-size-horizontal: 1; }
    Input { scrollbar-size-horizontal: 0; }  /* of one line: a bar would cover a long text */
    Input > .input--placeholder, Input > .input--suggestion { color: $text-muted; }
    Toast { max-width: 70; }
    CommandPalette > Vertical { margin-top: 1; }
    """

    def __init__(
        self,
        opener: Opener,
        environment: str | None = None,
        *,
        core: Callable[[Connections], Core] | None = None,
    ) -> None:
        super().__init__()
        self.opener = opener
        self.wanted = environment
        self.bug: Exception | None = None
        self.left = False
        self.preferred = asyncio.Event()  # set when the person's keys hold
        self._core = core or _core
        self._interrupted_at = 0.0
        self._told: Operation | None = None
        self._retired: list[Session] = []  # environments that are not open any more, for their downloads
        self._terminal_ended: Callable[[], bool] = lambda: False
        self.keys = Keymap()
        self.drilling = Drilling(self)
        for own in theme.THEMES:
            self.register_theme(own)
        self.theme = theme.DARK.name
        self.stylesheet = KeptStylesheet(variables=self.get_css_variables())

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return theme.defaults(self.current_theme)

    def on_mount(self) -> None:
        self._choose_theme(os.environ.get("TOOLKIT_THEME", ""), "TOOLKIT_THEME")
        self.call_after_refresh(self.call_after_refresh, background.work_for, self, self._prefer, group="preferences")
        self.set_interval(0.5, self._watch_operation)
        self.set_interval(0.5, self._watch_transfers)
        if self.is_web:
            self.set_interval(1, in_browser.watch_server(self))
        elif not self.is_headless and os.name != "nt":
            self._terminal_ended = gone.watch_terminal(self)
            self.set_interval(1, self._terminal_ended)
        self.set_interval(LOOK, self.drilling.watch)

    # What the person likes

    async def _prefer(self) -> None:
        """Theme and keys from the configuration. A mistake in it is said, and costs nothing else."""
        if not gc.isenabled():  # the launcher held it back until the first paint
            _keep_for_good()
            gc.enable()
        try:
            liked = await in_thread(self.opener.preferences, "preferences")
        except ToolkitError:
            self.preferred.set()
            return  # the list of environments shows what is wrong with the configuration
        if not os.environ.get("TOOLKIT_THEME"):
            self._choose_theme(liked.theme, "[tui] theme")
        self.keys, wrong = keymap.read(liked.keys)
        self.set_keymap(dict(self.keys.changed))
        self.preferred.set()
        if wrong:
            self.notify("\n".join(wrong), title="[tui.keys]", severity="warning", timeout=15)

    def _choose_theme(self, name: str, source: str) -> None:
        if name in self.available_themes:
            self.theme = name
        elif name:
            known = theme.named(name, self.available_themes)
            self.notify(f"There is no theme {name!r}. {known}", title=source, severity="warning", timeout=15)

    def key_of(self, action: str) -> str:
        """The key of the action with that id, as people write it."""
        return self.keys.written(act(action))

    # The open environment

    async def enter(self, choice: Choice, connections: Connections, *, anew: bool = False) -> None:
        """Make `choice` the open environment, and show its home. The one before is let go; its downloads go on, except
        where it is the same one, whose world has begun `anew`."""
        before = self.session
        transfers = before.transfers if before is not None else []
        self.session = Session(choice, connections, self._core(connections), transfers=transfers)
        await self.renew_pages()
        if before is not None and before.own and not anew:
            self._retired.append(before)
        elif before is not None:
            if going := sum(not one.over for one in before.own):
                text = "What has come is kept; the same download there goes on where it stopped."
                self.notify(text, title=f"{going} download{'' if going == 1 else 's'} stopped", severity="warning")
            before.close()
        self.operation = self.operation if self.operation is not None and self.operation.ongoing else None
        background.work_for(self, partial(self._ask_who, self.session), group="who", exclusive=True)
        self.set_timer(_IMPORTED, _keep_for_good)
        page, self.first_page = self.first_page, "home"
        await self.action_go(page)

    async def reopen(self) -> None:
        """Open the environment anew: the world behind it is another one now."""
        choice = self.opened().choice
        self.leave_pages()
        await self.switch_mode("environments")
        try:
            connections = await in_thread(lambda: self.opener.open(choice.name), f"open {choice.name}")
        except ToolkitError as problem:
            self.notify(scrub(f"{problem.message} {problem.hint}"), title=choice.name, severity="error", timeout=15)
        else:
            await self.enter(choice, connections, anew=True)

    @in_environment
    async def action_why(self) -> None:
        """Ask for the diagnosis, of what is looked at."""
        why = await in_thread(partial(importlib.import_module, "toolkit.tui.screens.why"), "import")
        if isinstance(self.screen, Page) and not isinstance(self.screen, why.WhyPage):
            await self.push_screen(why.about(self.page, *self.screen.subject()))

    async def action_drill(self) -> None:
        """Begin a drill, or show the one that is on."""
        if self.session is None or not self.session.sandbox:
            self.notify("Drills are in the sandbox alone: open it first (e).", severity="warning")
            return
        drill = await in_thread(partial(importlib.import_module, "toolkit.tui.screens.drill"), "import")
        if isinstance(self.screen, Page) and not isinstance(self.screen, drill.DrillPage):
            await self.push_screen(drill.DrillPage(self.page))

    async def _ask_who(self, session: Session) -> None:
        """Who we are to Vault, for the banner. Home's health says it where this fails."""
        try:
            session.token = await in_thread(session.core.token_status, "who am I")
        except ToolkitError:
            return
        session.token_at = ticks()
        session.who = session.token.display_name or session.who

    @in_environment
    async def action_login(self) -> None:
        """Log in to Vault; then everything is asked anew."""
        from toolkit.tui.screens.login import Login

        await self.push_screen(Login(), self._logged_in)

    @in_environment
    async def action_biohive(self) -> None:
        from toolkit.tui.screens.biohive import BioHivePage

        if not isinstance(self.screen, BioHivePage):
            await self.push_screen(BioHivePage())

    @in_environment
    async def action_loader(self) -> None:
        from toolkit.tui.screens.loader import LoaderPage

        if not isinstance(self.screen, LoaderPage):
            await self.push_screen(LoaderPage())

    def _logged_in(self, done: bool | None) -> None:
        if done and self.session is not None:
            background.work_for(self, partial(self._ask_who, self.session), group="who", exclusive=True)
            self.outdate_pages()

    async def action_show_help(self) -> None:
        from toolkit.tui.screens.help import Help

        scope = getattr(self.screen, "SCOPE", self.page)
        await self.push_screen(Help(scope, self.keys, abouts(self.focused)))

    def action_toggle_theme(self) -> None:
        self.theme = theme.other(self.current_theme)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """A toast. Never read as markup: what systems say may hold brackets."""
        del markup
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=False)

    # Copying

    def copy(self, text: str, what: str) -> None:
        """To the clipboard, by OSC 52: it works over ssh too. Never with a secret in it."""
        if not text:
            self.notify("There is nothing to copy here.", severity="warning")
            return
        self.copy_to_clipboard(scrub(text))
        self.notify(f"Copied {what}.")

    def action_copy_focused(self) -> None:
        node = self.focused
        while node is not None:
            copy_text = getattr(node, "copy_text", None)
            if callable(copy_text):
                self.copy(str(copy_text()), "the row in focus")
                return
            node = node.parent if isinstance(node.parent, Widget) else None
        self.copy("", "")

    # Changes

    async def carry_out(self, action: Action) -> None:
        """Take `action` to the gate. One at a time: while one goes on, its dialogue is shown instead."""
        from toolkit.tui.screens.gate import Gate

        if self.operation is not None and not (self.operation.over or self.operation.declined):
            self.notify("A change is going on; this is it.", severity="warning")
        else:
            from toolkit.actions.journal import Journal
            from toolkit.tui.operation import Operation

            session = self.opened()
            self.operation = Operation(action, session.environment, Journal(), read_only=session.read_only)
            self.operation.start()
        await self.push_screen(Gate(self.operation))

    @in_environment
    async def action_rebuild(self) -> None:
        try:
            action = self.opened().core.rebuild()
        except ToolkitError as problem:
            self.notify(scrub(problem.message), title="No rebuild", severity="error")
            return
        await self.carry_out(action)

    async def action_operation(self) -> None:
        from toolkit.tui.screens.gate import Gate

        if self.operation is None:
            self.notify("Nothing was changed from here yet.")
        elif not isinstance(self.screen, Gate):
            await self.push_screen(Gate(self.operation))

    def _watch_operation(self) -> None:
        """Say when a change ended that nobody looks at."""
        operation = self.operation
        if operation is None or not operation.over or operation is self._told:
            return
        self._told = operation
        if self.session is not None:
            looks.note_change(self.session.environment.name, operation)
        if operation.started is not None:
            self.outdate_pages()
        if operation.started is None or self.screen.has_class("gate"):
            return
        if operation.done is not None and operation.done.well:
            self.notify(scrub(operation.done.outcome.summary), title=f"{operation.name}: done (o shows it)")
        else:
            self.notify(
                "It did not go well: o shows what happened.", title=operation.name, severity="error", timeout=15
            )

    def _watch_transfers(self) -> None:
        """Say when a download ended that nobody looks at."""
        if self.session is not None and self.session.transfers:
            from toolkit.tui.widgets.transfer import tell_ends

            tell_ends(self, self.session.transfers)
        for session in [one for one in self._retired if not one.own]:
            self._retired.remove(session)
            session.close()

    # The end

    async def action_quit(self) -> None:
        operation = self.operation if self.operation is not None and self.operation.ongoing else None
        transfers = self.session.going if self.session is not None else []
        if operation is not None or transfers:
            from toolkit.tui.screens.leave import Leave

            if not isinstance(self.screen, Leave):
                await self.push_screen(Leave(operation, transfers))
            return
        self.end()

    def action_help_quit(self) -> None:
        now = time.monotonic()
        if now - self._interrupted_at < _TWICE:
            background.work_for(self, self.action_quit)
            return
        self._interrupted_at = now
        self.notify("Ctrl+C again ends the toolkit.", timeout=_TWICE)

    def end(self) -> None:
        """End the app now, whatever still hangs."""
        self.left = True
        self.leave_pages()
        if self.operation is not None and not self.operation.ongoing:
            self.operation.decline()
        for session in (*self._retired, *([self.session] if self.session is not None else [])):
            session.close()
        self.exit(ExitCode.OK)

    def panic(self, *renderables: RenderableType) -> None:
        """Textual's own, for what its threads cannot mend. A terminal that was closed is no bug, and shows nothing."""
        if not self._terminal_ended():
            super().panic(*renderables)

    def _fatal_error(self) -> None:
        """A bug in the app itself: no traceback on the screen; `run_app` writes the report."""
        self.bug = self._exception
        self._close_messages_no_wait()


def _keep_for_good() -> None:
    """What is there now (modules above all) is not looked through by the garbage collector any more: with the SDKs in
    it, each time would hold the keys up by a tenth of a second."""
    gc.freeze()


def _core(connections: Connections) -> Core:
    from toolkit.tui.core import Core  # long after the first paint

    return Core(connections)


def run_app(environment: str | None, opener: Opener) -> int:
    """Run the terminal app until it is left; gives back the exit code."""
    app = ToolkitApp(opener, environment)
    app.run()
    if not app.left and app.bug is None:  # nobody looks any more
        gone.let_end(app.operation)
    code: int = app.return_value if app.return_value is not None else ExitCode.OK
    if app.bug is not None:
        from toolkit import crash

        crash.report(app.bug, sys.argv[1:])
        code = ExitCode.BUG
    if background.busy(grace=0.3):
        # A system hangs, in a call of its SDK and maybe in threads of the SDK's own: they are not waited for.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code
