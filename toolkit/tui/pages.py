"""The pages of the open environment, and the ways between them: number keys, back, and the jump."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import TYPE_CHECKING, Any

from textual.content import Content
from textual.screen import Screen

from toolkit.secret import scrub
from toolkit.tui.registry import PAGES
from toolkit.tui.screens.environments import Environments
from toolkit.tui.screens.shell import Page
from toolkit.tui.switching import SwitchingApp

if TYPE_CHECKING:
    from toolkit.tui.jump import Target
    from toolkit.tui.operation import Operation
    from toolkit.tui.session import Session

_KEPT_WAY = 50  # pages that `back` leads through

Act = Callable[[Any], Coroutine[Any, Any, None]]


def page_class(page: str) -> type[Page]:
    """The screen behind a page of the registry; imported only now, long after the first paint."""
    module = importlib.import_module(f"toolkit.tui.screens.{page}")
    found: type[Page] = module.PAGE
    return found


def in_environment(act: Act) -> Act:
    """An action that makes sense only where an environment is open; else it says so."""

    @wraps(act)
    async def guarded(app: PagedApp) -> None:
        if app.session is None:
            app.notify("Choose an environment first.", severity="warning")
        else:
            await act(app)

    return guarded


class PagedApp(SwitchingApp):
    """An app whose pages belong to the environment that is open: `session`, None where none is.

    `operation` is the change that was last begun here, whether it goes on or not.
    """

    MODES = {"environments": Environments}  # noqa: RUF012
    DEFAULT_MODE = "environments"

    def __init__(self) -> None:
        super().__init__()
        self.session: Session | None = None
        self.operation: Operation | None = None
        self.first_page = "home"  # of the environment that is being opened
        self._been: list[str] = []

    def opened(self) -> Session:
        """The open environment. Only pages ask, and they exist only while there is one."""
        if self.session is None:
            raise RuntimeError("no environment is open")
        return self.session

    async def renew_pages(self) -> None:
        """Every page anew, for another environment."""
        self._been.clear()
        for page in PAGES:
            if page in self._modes:
                await self.remove_mode(page)
            self.add_mode(page, page_class(page))

    def crumbs(self, screen: Screen[Any]) -> list[str]:
        """The way into the shown page, down to `screen`."""
        found = []
        for below in self.screen_stack:
            if isinstance(below, Page) and below.crumb:
                found.append(below.crumb)
            if below is screen:
                break
        return found

    @property
    def page(self) -> str:
        """The page that is shown, by its name in the registry."""
        return self.current_mode

    async def action_go(self, page: str) -> None:
        """Show a page, as it was left; the one before stops asking. The next key is only taken when it stands."""
        before = self.current_mode
        await self._show_page(page)
        if self.current_mode == page != before and before in PAGES:
            self._been.append(before)
            del self._been[:-_KEPT_WAY]

    async def _show_page(self, page: str) -> None:
        if self.session is None:
            if isinstance(self.screen, Environments) and self.screen.opens:
                self.first_page = page  # shown as soon as it is open: the key was only early
            else:
                self.notify("Choose an environment first.", severity="warning")
            return
        if page == self.current_mode:
            while len(self.screen_stack) > 1:
                self.pop_screen()
            return
        self.leave_pages()
        known = page in self._screen_stacks
        await self.switch_mode(page)
        if known:
            for screen in self.screen_stack:
                if isinstance(screen, Page):
                    screen.enter()

    def leave_pages(self) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, Page):
                screen.leave()

    def outdate_pages(self) -> None:
        """Something was changed: what the pages show may not be true any more."""
        for stack in self._screen_stacks.values():
            for screen in stack:
                if isinstance(screen, Page):
                    for panel in screen.panels:
                        panel.outdate()
        for screen in self.screen_stack:
            if isinstance(screen, Page):
                screen.enter()

    async def action_environments(self) -> None:
        if self.operation is not None and self.operation.ongoing:
            self.notify("A change is being carried out here: wait for it, or stop it first (o).", severity="warning")
            return
        if self.current_mode in PAGES:
            self._been.append(self.current_mode)
        self.leave_pages()
        await self.switch_mode("environments")

    async def action_back(self) -> None:
        """One step back: out of what was opened on this page, else to the page before."""
        if len(self.screen_stack) > 1:
            self.pop_screen()
        elif self.current_mode == "environments":
            if self.session is not None:
                await self._show_page(self._been.pop() if self._been else "home")
        elif self._been:
            await self._show_page(self._been.pop())
        elif self.current_mode != "home":
            await self._show_page("home")

    def action_refresh_page(self) -> None:
        if isinstance(self.screen, Page | Environments):
            self.screen.refresh_all()

    @in_environment
    async def action_jump(self) -> None:
        """Ask where to, and go there."""
        from toolkit.tui.screens.jump import Jump

        await self.push_screen(Jump(), self._jumped)

    async def _jumped(self, target: Target | None) -> None:
        if target is None:
            return
        from toolkit.tui.jump import source_of

        page = target.name if target.kind == "page" else source_of(target).page
        if target.kind == "pert":
            from toolkit.tui.screens.pert import PertPage

            await self._go_to_top("groups")
            await self.push_screen(PertPage(target.name))
        elif page:
            await self._go_to_top(page)
            if isinstance(self.screen, Page) and target.kind != "page":
                self.screen.point_at(target.kind, target.name)
        else:
            from toolkit.tui.screens.text_page import TextPage

            text = Content(scrub(f"{target.kind} {target.name}\n\n{target.detail}"))
            await self.push_screen(TextPage(target.name, lambda _: text))

    async def _go_to_top(self, page: str) -> None:
        await self.action_go(page)
        while len(self.screen_stack) > 1:
            self.pop_screen()
