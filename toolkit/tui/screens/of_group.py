"""What can be done with a group from every page that shows one: inspect it, draw its pictures, download it, look for a
pert."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.tui import background
from toolkit.tui.house import house
from toolkit.tui.screens.shell import Page
from toolkit.tui.wording import foreign

if TYPE_CHECKING:
    from toolkit.tui.downloading import DownloadQuery
    from toolkit.tui.picture_query import Kind


class OfGroup(Page):
    """A page on which one group is meant."""

    page = "groups"

    def group_meant(self) -> str | None:
        """The group that a key is about; None where there is none."""
        raise NotImplementedError

    def perts_meant(self) -> tuple[str, ...]:
        """The perts that somebody chose here, for a picture of them."""
        return ()

    def subject(self) -> tuple[str, str]:
        perts = self.perts_meant()
        return perts[0] if perts else "", self.group_meant() or ""

    async def action_inspect(self) -> None:
        from toolkit.tui.screens.groups_inspect import InspectPage

        group = self.group_meant()
        if group is not None:
            await self.app.push_screen(InspectPage(group))

    async def action_picture(self, kind: Kind) -> None:
        from toolkit.tui.screens.map_picture import PicturePage

        group = self.group_meant()
        if group is not None:
            await self.app.push_screen(PicturePage(group, kind, self.perts_meant()))

    async def action_find(self) -> None:
        """A pert over all groups."""
        from toolkit.tui.screens.find_pert import FindPert

        await self.app.push_screen(FindPert(), self._found)

    async def _found(self, pert: str | None) -> None:
        from toolkit.tui.screens.pert import PertPage

        if pert:
            await self.app.push_screen(PertPage(pert))

    async def action_download(self) -> None:
        """Ask where to, and begin."""
        from toolkit.tui import downloading
        from toolkit.tui.screens.ask import Ask

        going = self.session.download
        if going is not None and not going.over:
            self.notify("A download is going on; this is it.", severity="warning")
            await self.action_show_download()
            return
        group = self.group_meant()
        if group is None:
            return
        hint = (
            f"A folder; {foreign(str(Path.cwd()))} is “.”, and {group} is made in it. Nothing that is there and "
            "differs is replaced.  --layer l2 brings it from Redis instead of the bucket, --frame FRAME one frame only"
        )
        ask = Ask(f"Download {group} to", ".", hint=hint, check=partial(downloading.read, group))
        await self.app.push_screen(ask, partial(self._download, group))

    async def _download(self, group: str, line: str | None) -> None:
        from toolkit.tui import downloading

        if line is not None:
            begin_download(self, downloading.read(group, line))
            await self.action_show_download()

    async def action_show_download(self) -> None:
        from toolkit.tui.screens.downloading import DownloadPage

        if self.session.download is None:
            self.notify("Nothing was downloaded from here yet.")
        else:
            await self.app.push_screen(DownloadPage())


def begin_download(page: Page, query: DownloadQuery) -> None:
    """Begin it; it goes on whatever page is shown, and says when it has ended."""
    from toolkit.tui.downloading import Download

    app, session = house(page), page.session
    download = session.download = Download(query, session.core.download)

    async def run() -> None:
        await download.run()
        if app.screen.has_class("download"):
            return
        if download.result is not None and download.result.well:
            app.notify(f"{query.group} is here: {foreign(download.result.folder)}", title="Downloaded")
        elif not download.stopped:
            app.notify("G on the groups' page shows what happened.", title="The download failed", severity="error")

    background.work_for(app, run, group="download")
