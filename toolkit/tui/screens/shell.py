"""What every screen of an open environment has: banner, navigation, footer, and panels that ask while it is shown."""

from __future__ import annotations

from typing import Any

from textual import events, on
from textual.app import ComposeResult

from toolkit.tui.house import house
from toolkit.tui.session import Session
from toolkit.tui.switching import SparingScreen
from toolkit.tui.widgets.banner import Banner, Navigation
from toolkit.tui.widgets.footer import Footer
from toolkit.tui.widgets.panel import Panel
from toolkit.tui.widgets.table import Table

_OVERLOOKED = 0.25  # seconds: a layout that Textual put off while it hid a change of pages is made then at the latest


class Page(SparingScreen):
    """A screen on a number key. `page` is its name in the registry, `crumb` what of it is
    shown where that is only a part: it stands behind the page's name, as the way one came."""

    page = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012 - Textual declares it so
    VERTICAL_BREAKPOINTS = [(0, "-short"), (32, "-tall")]  # noqa: RUF012

    def __init__(self, crumb: str = "") -> None:
        super().__init__()
        self.crumb = crumb
        self._left_with: tuple[object, ...] = ()  # where its panels were when it was left

    def compose(self) -> ComposeResult:
        yield Banner()
        yield Navigation(self.page)
        yield from self.body()
        yield Footer()

    def body(self) -> ComposeResult:
        """What stands between navigation and footer."""
        raise NotImplementedError

    @property
    def session(self) -> Session:
        """The open environment; pages exist only while there is one."""
        return house(self).opened()

    @property
    def _standings(self) -> tuple[object, ...]:
        return tuple(panel.standing for panel in self.panels)

    @property
    def panels(self) -> list[Panel[Any]]:
        return list(self.query(Panel))

    def on_mount(self) -> None:
        self.set_interval(_OVERLOOKED, self.check_idle)
        self.enter()

    @on(events.ScreenResume)
    def _keep_styles(self, event: events.ScreenResume) -> None:
        event.refresh_styles = self._left_with != self._standings  # else they hold: see toolkit.tui.switching

    def subject(self) -> tuple[str, str]:
        """The pert and the group that are looked at here, where it is one ("" where not): why? is asked about them."""
        return "", ""

    def enter(self) -> None:
        """Somebody looks at this page (again): ask what was not asked yet, or long ago."""
        for panel in self.panels:
            panel.enter()

    def leave(self) -> None:
        """Nobody looks any more."""
        self._left_with = self._standings
        for panel in self.panels:
            panel.leave()

    def point_at(self, kind: str, name: str) -> None:
        """Put the cursor on that thing (a group, a job …), as soon as this page shows it."""
        del kind
        for table in self.query(Table):
            table.point_at(name)
            table.rows.focus()

    def refresh_all(self) -> None:
        for panel in self.panels:
            panel.load()
