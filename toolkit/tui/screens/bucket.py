"""The L3 bucket: its folders as a tree that is listed as far as it is unfolded, and counted in the background; what is
marked is deleted through the gate, or downloaded."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from textual import on
from textual.app import ComposeResult

from toolkit.tui.bucket_tree import Folder, Row, targets
from toolkit.tui.registry import bindings
from toolkit.tui.screens.bucket_info import folder_page
from toolkit.tui.screens.bucket_rows import BucketRows
from toolkit.tui.screens.text_page import TextPage
from toolkit.tui.widgets.bucket_panel import BucketPanel
from toolkit.tui.widgets.filter import Filter
from toolkit.tui.widgets.table import Table
from toolkit.tui.widgets.transfer import Transfers
from toolkit.tui.wording import foreign


class BucketPage(BucketRows):
    """The page on key 3."""

    BINDINGS = bindings("bucket")

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

    # What is done with it

    def action_info(self) -> None:
        row = self.panel.row
        if isinstance(row, Folder):
            url, environment = self.panel.url(row), self.session.environment
            self.app.push_screen(TextPage(foreign(row.path), lambda width: folder_page(row, url, environment, width)))
        elif row is not None:
            self.show_details(row)

    async def action_delete(self) -> None:
        rows = self.panel.chosen
        if rows:
            core, wanted = self.session.core, targets(rows)
            await self.take_to_the_gate(lambda: core.remove(wanted), "Nothing can be deleted")

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


PAGE = BucketPage
