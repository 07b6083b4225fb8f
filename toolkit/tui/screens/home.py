"""Home: what needs attention, the layers, health hop by hop, the cache manager. What one looks at first."""

from __future__ import annotations

from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.widgets import OptionList

from toolkit.tui import walk_start
from toolkit.tui.house import house
from toolkit.tui.registry import bindings
from toolkit.tui.screens.findings_page import show_finding
from toolkit.tui.screens.home_attention import LOGIN, OPERATION, Attention, AttentionList, details
from toolkit.tui.screens.home_health import Health
from toolkit.tui.screens.home_layers import LayerList, Layers
from toolkit.tui.screens.home_manager import ManagerPanel
from toolkit.tui.screens.shell import Page
from toolkit.tui.screens.text_page import TextPage
from toolkit.tui.widgets.findings import FindingList


class Home(Page):
    """The page on key 1."""

    page = "home"
    BINDINGS = bindings("home")
    AUTO_FOCUS = "AttentionList"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide"), (160, "-broad")]  # noqa: RUF012

    DEFAULT_CSS = """
    Home {
        #panels { layout: grid; grid-size: 2 2; grid-columns: 33 1fr; grid-rows: auto 1fr; height: 1fr; }
        Layers { column-span: 2; }
        Health { height: 100%; }
        ManagerPanel { height: 100%; overflow-y: auto; }
        &.-wide #panels, &.-broad #panels { grid-columns: 1fr 35; grid-gutter: 0 2; }
        &.-broad #panels { grid-columns: 3fr 2fr; }
        &.-wide Layers, &.-broad Layers { column-span: 1; }
        &.-wide Health, &.-broad Health { row-span: 2; }
        &.-tall {
            Attention, Layers { margin-bottom: 1; }
            AttentionList { max-height: 8; }
            Health FindingList { height: auto; }
        }
        &.-short Health #finding { display: none; }
    }
    """

    def body(self) -> ComposeResult:
        yield Attention(id="attention")
        with Container(id="panels"):
            yield Layers(id="layers")
            yield Health(id="health")
            yield ManagerPanel(id="manager")

    def refresh_all(self) -> None:
        self.session.core.standing.forget()
        super().refresh_all()

    @on(OptionList.OptionSelected)
    async def action_open(self) -> None:
        """The runbook of the item, the group of the row, all of the hop."""
        if isinstance(self.focused, AttentionList):
            await self._follow()
        elif isinstance(self.focused, LayerList):
            row = self.query_one(Layers).in_focus
            if row is not None:
                await self._show("groups", "group", row.group.name)
        else:
            await self.action_details()

    async def action_details(self) -> None:
        """All that was found for the row in focus."""
        if isinstance(self.focused, FindingList):
            await show_finding(self, self.focused.in_focus)
            return
        item = self.query_one(Attention).in_focus
        if item is not None:
            await self.app.push_screen(TextPage(item.name, partial(details, item)))

    async def _follow(self) -> None:
        item = self.query_one(Attention).in_focus
        if item is None:
            return
        if item.name.startswith(OPERATION):
            await self._show("journal", "operation", item.name.removeprefix(OPERATION))
        elif item.name == LOGIN:
            await house(self).action_login()
        elif item.runbook:
            await walk_start.begin(house(self), item.runbook, item.given)
        else:
            await self.action_details()

    async def _show(self, page: str, kind: str, name: str) -> None:
        """That page with the cursor on the thing, whatever was opened on top of it."""
        app = house(self)
        await app.action_go(page)
        while len(app.screen_stack) > 1:
            app.pop_screen()
        if isinstance(app.screen, Page):
            app.screen.point_at(kind, name)


PAGE = Home
