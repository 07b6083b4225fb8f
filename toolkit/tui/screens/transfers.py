"""The downloads: how far each is, and how fast; stopped, gone on with, files that differ replaced."""

from __future__ import annotations

from textual import events, on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from toolkit.errors import UsageError
from toolkit.tui.about import About
from toolkit.tui.house import house
from toolkit.tui.registry import bindings
from toolkit.tui.screens.shell import Page
from toolkit.tui.transfer import State, Transfer
from toolkit.tui.widgets.table import Column, Table
from toolkit.tui.widgets.transfer import SIGNS, as_text, moving
from toolkit.tui.widgets.transfer_in_full import Keys, in_full
from toolkit.tui.wording import counted, foreign

_EVERY = 0.2
_NAMED = 8  # files that the question names
_WORD = "replace"


class TransferView(VerticalScroll, can_focus=True):
    """One download, in full."""

    ABOUT = About(
        "A download",
        "It goes on while you look at other pages; G on the pages of groups and bucket shows it again. Every file is "
        "compared with the checksum (CRC32C) of where it came from. What was stopped goes on where it was.",
    )

    DEFAULT_CSS = """
    TransferView {
        height: 1fr; padding: 0 1; border-top: solid $rule; border-title-color: $primary; border-title-style: bold;
        &:focus { border-top: solid $primary; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._transfer: Transfer | None = None
        self._drawn: list[Content] = []

    def compose(self) -> ComposeResult:
        yield Static("", id="download")

    def show(self, transfer: Transfer) -> None:
        """Draw it as it is now."""
        if transfer is not self._transfer:
            self._transfer = transfer
            self.scroll_home(animate=False)
        keys = Keys(house(self).key_of("download.again"), house(self).key_of("download.replace"))
        lines = in_full(transfer, max(self.content_size.width - 1, 30), keys)
        if lines != self._drawn:
            self._drawn = lines
            named = transfer.called(house(self).opened().environment.name)
            self.border_title = Content(f"Download of {foreign(named)}")
            self.query_one("#download", Static).update(Content("\n").join(lines))

    def copy_text(self) -> str:
        return "" if self._transfer is None else as_text(self._transfer)


class TransfersPage(Page):
    """The downloads, on top of the page from where one came."""

    SCOPE = "download"
    BINDINGS = bindings("download")
    AUTO_FOCUS = "TransferView"

    DEFAULT_CSS = """
    TransfersPage Table { max-height: 7; }
    TransfersPage.-one Table { display: none; }
    """

    def __init__(self, page: str) -> None:
        super().__init__(crumb="downloads")
        self.add_class("downloads")
        self.page = page
        self._listed: list[tuple[str, str]] = []
        self._state: State | None = None

    def body(self) -> ComposeResult:
        here = self.session.environment.name
        yield Table(
            [
                Column("", lambda one: SIGNS[one.snapshot().state][0], lambda one: SIGNS[one.snapshot().state][1]),
                Column("download", lambda one: foreign(one.called(here)), flexible=True),
                Column("how far", _short),
                Column("to", lambda one: foreign(str(one.to)), flexible=True, roomy=True),
            ],
            lambda one: one.key,
        )
        yield TransferView()

    def enter(self) -> None:
        super().enter()
        self.call_after_refresh(self.look)

    def on_mount(self) -> None:
        super().on_mount()
        self.set_interval(_EVERY, self.look)

    def on_resize(self, event: events.Resize) -> None:
        del event
        self.call_after_refresh(self.look)

    @property
    def table(self) -> Table[Transfer]:
        return self.query_one(Table)

    @property
    def transfer(self) -> Transfer | None:
        """The one that is chosen; else the newest."""
        known = self.session.transfers
        chosen = self.table.in_focus
        return next(
            (one for one in known if chosen is not None and one.key == chosen.key), known[-1] if known else None
        )

    def look(self) -> None:
        """Draw them as they are now; the cursor goes to the newest as it comes."""
        known = self.session.transfers
        if not self.is_current or not known:
            return
        self.set_class(len(known) == 1, "-one")
        listed = [(one.key, _short(one)) for one in known]
        if listed != self._listed:
            more, self._listed = len(listed) > len(self._listed), listed
            self.table.show([*known])
            if more:
                self.table.point_at(known[-1].key)
                if len(known) > 1:
                    self.call_after_refresh(self.table.rows.focus)
        self._look_at_one()

    @on(Table.Moved)
    def _look_at_one(self) -> None:
        transfer = self.transfer
        if transfer is None or not self.is_current:
            return
        self.query_one(TransferView).show(transfer)
        if (state := transfer.snapshot().state) is not self._state:
            self._state = state
            self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Which keys make sense now."""
        del parameters
        transfer = self.transfer if self.is_mounted else None
        if action == "stop":
            return transfer is not None and transfer.snapshot().state is State.GOING
        if action == "again":
            return transfer is not None and transfer.can_go_on
        if action == "replace":
            return transfer is not None and transfer.outcome is not None and bool(transfer.outcome.differing)
        return True

    def action_stop(self) -> None:
        if self.transfer is not None:
            self.transfer.stop()
            self.look()

    def action_again(self) -> None:
        if self.transfer is not None:
            self.session.repeat(self.transfer)
            self.look()

    async def action_replace(self) -> None:
        """Ask first: files of the person's own may be meant."""
        from toolkit.tui.screens.ask import Ask

        transfer = self.transfer
        if transfer is None or transfer.outcome is None:
            return
        files = [file.name for file in transfer.outcome.differing]
        named = ", ".join(files[:_NAMED]) + (f" … and {len(files) - _NAMED:,} more" if len(files) > _NAMED else "")
        hint = foreign(f"These are replaced in {transfer.outcome.folder}: {named}")
        ask = Ask(f"Type {_WORD!r} to replace {counted(len(files), 'file')}", hint=hint, check=_agreed)

        def go_on(line: str | None) -> None:
            if line is not None and transfer in self.session.transfers:
                self.session.repeat(transfer, overwrite=True)
                self.look()

        await self.app.push_screen(ask, go_on)

    def action_command(self) -> None:
        transfer = self.transfer
        if transfer is not None and not transfer.command:
            self.notify("So many paths fill no command: mark their folder instead.", severity="warning")
        elif transfer is not None:
            house(self).copy(transfer.command, "the command")


async def show_transfers(page: Page) -> None:
    """Show the downloads on top of `page`; where there are none yet, say so."""
    if not page.session.transfers:
        page.notify("Nothing was downloaded from here yet.")
    else:
        await page.app.push_screen(TransfersPage(page.page))


async def begin_transfer(page: Page, transfer: Transfer) -> None:
    """Begin it, and show it; it goes on whatever page is shown."""
    if page.session.begin(transfer) is not transfer:
        page.notify("This download goes on already; this is it.", severity="warning")
    await show_transfers(page)


def _short(transfer: Transfer) -> str:
    """Where it is, in a few words."""
    now = transfer.snapshot()
    if now.state in (State.WAITING, State.GOING):
        return foreign(moving(now))
    return {State.DONE: "done", State.PARTIAL: "not all came"}.get(now.state, now.state.value)


def _agreed(line: str) -> None:
    if line.strip() != _WORD:
        raise UsageError(f"{_WORD!r} has not been typed; nothing is replaced.")
