"""The L3 bucket: its folders as a tree that is listed as far as it is unfolded, and counted in the background; what is
marked is deleted through the gate, or downloaded."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from toolkit.errors import ToolkitError
from toolkit.secret import scrub
from toolkit.tui import background
from toolkit.tui.background import as_problem, in_thread
from toolkit.tui.bucket_tree import Folder, Row, targets
from toolkit.tui.house import house
from toolkit.tui.registry import bindings
from toolkit.tui.screens.bucket_info import folder_page, object_page
from toolkit.tui.screens.shell import Page
from toolkit.tui.screens.text_page import TextPage
from toolkit.tui.widgets.bucket_panel import BucketPanel
from toolkit.tui.widgets.filter import Filter
from toolkit.tui.widgets.table import Table
from toolkit.tui.widgets.transfer import Transfers
from toolkit.tui.wording import foreign

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.actions.plan import Action
    from toolkit.systems.bucket import ObjectInfo


class BucketPage(Page):
    """The page on key 3."""

    page = "bucket"
    BINDINGS = bindings("bucket")
    AUTO_FOCUS = "Rows"

    def __init__(self) -> None:
        super().__init__()
        self.add_class("downloads")  # their end stands at its foot

    def body(self) -> ComposeResult:
        yield BucketPanel(id="bucket")
        yield Filter(placeholder="a part of a name …", id="filter", select_on_focus=False)
        yield Transfers("bucket.stop", "bucket.show-download")

    @property
    def panel(self) -> BucketPanel:
        return self.query_one(BucketPanel)

    def enter(self) -> None:
        super().enter()
        self.panel.resume()

    def point_at(self, kind: str, name: str) -> None:
        del kind
        self.query_one(Filter).show_all()
        self.panel.point_at(name)

    # The tree

    @on(Table.Chosen)
    def action_unfold(self) -> None:
        self.panel.toggle()

    def action_open(self) -> None:
        self.panel.open_or_enter()

    def action_close(self) -> None:
        self.panel.close_or_leave()

    def action_mark(self) -> None:
        self.panel.mark()

    def action_mark_all(self) -> None:
        self.panel.mark_all()

    def action_unmark(self) -> None:
        self.panel.unmark()

    # The filter

    def action_filter(self) -> None:
        self.query_one(Filter).begin()

    @on(Input.Changed, "Filter")
    def _filtered(self) -> None:
        self.panel.filter(self.query_one(Filter).needle)

    @on(Filter.Taken)
    def _left(self) -> None:
        self.panel.table.rows.focus()

    # What is done with it

    def action_info(self) -> None:
        row = self.panel.row
        if isinstance(row, Folder):
            url, environment = self.panel.url(row), self.session.environment
            self.app.push_screen(TextPage(foreign(row.path), lambda width: folder_page(row, url, environment, width)))
        elif row is not None:
            background.work_for(self, partial(show_details, self, row), group="info", exclusive=True)

    async def action_delete(self) -> None:
        rows = self.panel.chosen
        if rows:
            core, wanted = self.session.core, targets(rows)
            await take_to_the_gate(self, lambda: core.remove(wanted), "Nothing can be deleted")

    async def action_deleted(self) -> None:
        from toolkit.tui.screens.bucket_deleted import DeletedPage

        await self.app.push_screen(DeletedPage(self.panel.root.path))

    async def action_download(self) -> None:
        """Ask where to, and begin."""
        from toolkit.tui import bucket_download
        from toolkit.tui.screens.ask import Ask

        rows = self.panel.chosen
        if rows:
            name = self.panel.named(rows)
            here = foreign(str(Path.cwd()))
            hint = f"A folder, made if it is not there; {here} is “.”. Nothing that is there and differs is replaced."
            ask = Ask(f"Download {foreign(name)} to", ".", hint=hint, check=bucket_download.read)
            await self.app.push_screen(ask, partial(self._download, rows, name))

    async def _download(self, rows: list[Row], name: str, line: str | None) -> None:
        from toolkit.tui import bucket_download
        from toolkit.tui.screens.transfers import begin_transfer

        if line is not None:
            to = bucket_download.read(line)
            await begin_transfer(self, bucket_download.transfer(self.session, name, targets(rows), to))

    async def action_show_download(self) -> None:
        from toolkit.tui.screens.transfers import show_transfers

        await show_transfers(self)

    def action_stop(self) -> None:
        shown = self.query_one(Transfers)
        going = shown.newest_going()
        if going is not None:
            going.stop()
        elif self.session.transfers:
            shown.clear()
        else:
            self.notify("No download goes on.")


async def show_details(page: Page, item: ObjectInfo) -> None:
    """All that the bucket says of an object, on a page of its own."""
    core, environment = page.session.core, page.session.environment
    try:
        details = await in_thread(lambda: core.object_details(item), f"look at {item.path}")
    except Exception as error:  # noqa: BLE001 - said here; the list works on
        problem = as_problem(error)
        text = scrub(f"{problem.message} {problem.hint}".strip())
        page.notify(text, title=foreign(item.path), severity="error", timeout=15)
        return
    if page.is_current:
        title = foreign(item.path.rpartition("/")[2] or item.path)
        await page.app.push_screen(TextPage(title, lambda width: object_page(details, environment, width)))


async def take_to_the_gate(page: Page, make: Callable[[], Action], trouble: str) -> None:
    """Make an action and carry it out through the gate; what speaks against it beforehand is said."""
    try:
        action = make()
    except ToolkitError as problem:
        page.notify(scrub(f"{problem.message} {problem.hint}".strip()), title=trouble, severity="error")
        return
    await house(page).carry_out(action)


PAGE = BucketPage
