"""What the pages of the bucket share: rows that are marked and filtered, an object's details, the way to the gate."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.widgets import Input

from toolkit.errors import ToolkitError
from toolkit.secret import scrub
from toolkit.tui import background
from toolkit.tui.background import as_problem, in_thread
from toolkit.tui.house import house
from toolkit.tui.screens.bucket_info import object_page
from toolkit.tui.screens.shell import Page
from toolkit.tui.screens.text_page import TextPage
from toolkit.tui.widgets.filter import Filter
from toolkit.tui.wording import foreign

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.actions.plan import Action
    from toolkit.systems.bucket import ObjectInfo
    from toolkit.tui.screens.bucket_deleted import DeletedPanel
    from toolkit.tui.widgets.bucket_panel import BucketPanel


class BucketRows(Page):
    """A page whose `panel` has the rows; its Filter stands below."""

    page = "bucket"
    AUTO_FOCUS = "Rows"

    @property
    def panel(self) -> BucketPanel | DeletedPanel:
        raise NotImplementedError

    def action_mark(self) -> None:
        self.panel.mark()

    def action_mark_all(self) -> None:
        self.panel.mark_all()

    def action_unmark(self) -> None:
        self.panel.unmark()

    def action_filter(self) -> None:
        self.query_one(Filter).begin()

    @on(Input.Changed, "Filter")
    def _filtered(self) -> None:
        self.panel.filter(self.query_one(Filter).needle)

    @on(Filter.Taken)
    def _left(self) -> None:
        self.panel.table.rows.focus()

    def show_details(self, item: ObjectInfo) -> None:
        """All that the bucket says of an object, on a page of its own, as soon as it is known."""
        background.work_for(self, partial(self._show_details, item), group="info", exclusive=True)

    async def _show_details(self, item: ObjectInfo) -> None:
        core, environment = self.session.core, self.session.environment
        try:
            details = await in_thread(lambda: core.object_details(item), f"look at {item.path}")
        except Exception as error:  # noqa: BLE001 - said here; the list works on
            problem = as_problem(error)
            text = scrub(f"{problem.message} {problem.hint}".strip())
            self.notify(text, title=foreign(item.path), severity="error", timeout=15)
            return
        if self.is_current:
            title = foreign(item.path.rpartition("/")[2] or item.path)
            await self.app.push_screen(TextPage(title, lambda width: object_page(details, environment, width)))

    async def take_to_the_gate(self, make: Callable[[], Action], trouble: str) -> None:
        """Make an action and carry it out through the gate; what speaks against it beforehand is said."""
        try:
            action = make()
        except ToolkitError as problem:
            self.notify(scrub(f"{problem.message} {problem.hint}".strip()), title=trouble, severity="error")
            return
        await house(self).carry_out(action)
