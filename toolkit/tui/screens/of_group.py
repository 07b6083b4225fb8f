"""What can be done with a group from every page that shows one: inspect it, draw its pictures, download it, look for a
pert."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.tui.screens.shell import Page
from toolkit.tui.wording import foreign

if TYPE_CHECKING:
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
            from toolkit.tui.screens.transfers import begin_transfer

            await begin_transfer(self, downloading.transfer(self.session, downloading.read(group, line)))

    async def action_show_download(self) -> None:
        from toolkit.tui.screens.transfers import show_transfers

        await show_transfers(self)
