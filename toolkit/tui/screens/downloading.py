"""The download of a group: how far it is, how long it still takes; at its end each file, with what its check said."""

from __future__ import annotations

from dataclasses import replace

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from toolkit.errors import UsageError
from toolkit.figures import duration, size
from toolkit.tui.about import About
from toolkit.tui.downloading import Download
from toolkit.tui.house import house
from toolkit.tui.registry import bindings
from toolkit.tui.screens.of_group import begin_download
from toolkit.tui.screens.shell import Page
from toolkit.tui.widgets import problem as problems
from toolkit.tui.widgets.prose import hanging, labelled
from toolkit.tui.wording import counted, foreign

_LAYERS = {"L2": "Redis", "L3": "the bucket"}
_STYLES = {
    "downloaded": ("✓", "$text-success"),
    "already there": ("✓", "$text-success"),
    "failed": ("✗", "bold $text-error"),
}
_OUTCOMES = {"already there": "was here"}
_WORD = "replace"
_WIDE = 100  # cells from which on checksums are written out


class DownloadView(VerticalScroll, can_focus=True):
    """The session's download, looked at five times a second."""

    ABOUT = About(
        "A download",
        "It goes on while you look at other pages; G on the groups' page shows it again. Every file is compared "
        "with the checksum (CRC32C) of where it came from. What was stopped goes on where it was.",
    )

    DEFAULT_CSS = """
    DownloadView {
        height: 1fr; padding: 0 1; border-top: solid $rule; border-title-color: $primary; border-title-style: bold;
        &:focus { border-top: solid $primary; }
    }
    """

    def compose(self) -> ComposeResult:
        yield Static("", id="download")

    def on_mount(self) -> None:
        self.set_interval(0.2, self.look)
        self.call_after_refresh(self.look)

    def on_resize(self, event: events.Resize) -> None:
        del event
        self.look()

    def look(self) -> None:
        """Draw it as it is now."""
        download = house(self).opened().download
        if download is None:
            return
        query = download.query
        self.border_title = Content(f"Download of {foreign(query.group)} from {_LAYERS[query.layer]}")
        self.query_one("#download", Static).update(
            Content("\n").join(drawn(download, max(self.content_size.width - 1, 30)))
        )
        self.screen.refresh_bindings()

    def copy_text(self) -> str:
        download = house(self).opened().download
        return "" if download is None else "\n".join(line.plain for line in drawn(download, 10_000))


def drawn(download: Download, width: int) -> list[Content]:
    """The download in words."""
    to = labelled("to", foreign(str((download.query.to / download.query.group).absolute())), width)
    if not download.over:
        return [to, Content(""), *_under_way(download, width)]
    if download.problem is not None:
        if download.stopped:
            said = [
                hanging(Content.styled("‖ stopped  ", "bold $text-warning"), foreign(download.problem.message), width)
            ]
            return [to, Content(""), *said, hanging(Content(""), "What came is kept: a goes on from there.", width)]
        return [to, Content(""), problems.drawn(download.problem, width)]
    return _ended(download, width)


def _under_way(download: Download, width: int) -> list[Content]:
    state = (
        "asked to stop: ends after the pieces that are under way" if download.stopping else download.step or "beginning"
    )
    lines = [Content.assemble(("● ", "$text-warning"), f"{state} …")]
    advanced = download.advanced
    if advanced is None or not advanced.total:
        return lines
    cells = max(10, min(50, width - 30))
    full = min(cells, int(cells * advanced.done / advanced.total))
    share = f" {advanced.done / advanced.total:4.0%}  {size(advanced.done)} of {size(advanced.total)}"
    lines.append(Content.assemble(("█" * full, "$text-success"), ("░" * (cells - full), "$text-muted"), share))
    rate, left = download.rate, download.seconds_left
    if rate is not None and left is not None:
        lines.append(Content(f"{size(round(rate))} a second, {duration(left)} left"))
    return lines


def _ended(download: Download, width: int) -> list[Content]:
    from toolkit.cache.download import words

    result = download.result
    if result is None:
        return []
    sign, style = ("✓ ", "bold $text-success") if result.well else ("! ", "bold $text-warning")
    lines = [hanging(Content.styled(sign, style), foreign(words.headline(result)), width), Content("")]
    longest = max((len(file.file or file.frame) for file in result.frames), default=0)
    for file in result.frames:
        mark, colour = _STYLES.get(file.outcome, ("·", ""))
        check = ", CRC32C agrees" if file.crc32c and not file.why else ""
        check += f" ({file.crc32c})" if check and width >= _WIDE else ""
        name = f" {foreign(file.file or file.frame):<{longest}}  {size(file.bytes):>8}  "
        said = _OUTCOMES.get(file.outcome, file.outcome)
        lines.append(hanging(Content.assemble((mark, colour), name), f"{said}{check}", width))
        if file.why:
            lines.append(hanging(Content("    "), foreign(file.why), width, "$text-error"))
    warning = Content.styled("! ", "bold $text-warning")
    lines.append(Content(""))
    lines += [hanging(warning if not well else Content("  "), text, width) for well, text in words.compared(result)]
    lines += [hanging(warning, foreign(note), width) for note in result.notes]
    differing = sum(file.differs for file in result.frames)
    if differing:
        text = (
            f"{counted(differing, 'file differs', 'files differ')} and stayed as it was here: w replaces, after asking."
        )
        lines.append(hanging(warning, text, width))
    if words.can_go_on(result):
        lines.append(hanging(warning, "a brings what is missing.", width))
    if how := words.how_to_open(result):
        lines.append(hanging(Content(""), foreign(how), width, "$text-accent"))
    return lines


class DownloadPage(Page):
    """The session's download, on top of the page of the groups."""

    page = "groups"
    SCOPE = "download"
    BINDINGS = bindings("download")
    AUTO_FOCUS = "DownloadView"

    def __init__(self) -> None:
        super().__init__(crumb="download")
        self.add_class("download")

    def body(self) -> ComposeResult:
        yield DownloadView()

    @property
    def download(self) -> Download | None:
        return self.session.download

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Which keys make sense now."""
        del parameters
        download = self.download
        if action == "stop":
            return download is not None and not download.over and not download.stopping
        if action == "again":
            well = download is not None and download.result is not None and download.result.well
            return download is not None and download.over and not well
        if action == "replace":
            return (
                download is not None and download.result is not None and any(f.differs for f in download.result.frames)
            )
        return True

    def action_stop(self) -> None:
        if self.download is not None:
            self.download.stop()
            self.query_one(DownloadView).look()

    def action_again(self) -> None:
        download = self.download
        if download is not None:
            begin_download(self, replace(download.query, overwrite=False))

    async def action_replace(self) -> None:
        """Ask first: files of the person's own may be meant."""
        from toolkit.tui.screens.ask import Ask

        download = self.download
        if download is None or download.result is None:
            return
        files = [file.file for file in download.result.frames if file.differs]
        hint = f"These are replaced in {foreign(download.result.folder)}: {foreign(', '.join(files))}"
        ask = Ask(f"Type {_WORD!r} to replace {counted(len(files), 'file')}", hint=hint, check=_agreed)
        await self.app.push_screen(ask, self._replace)

    def _replace(self, line: str | None) -> None:
        if line is not None and self.download is not None:
            begin_download(self, replace(self.download.query, overwrite=True))

    def action_command(self) -> None:
        if self.download is not None:
            house(self).copy(self.download.query.command(self.session.environment.name), "the command")


def _agreed(line: str) -> None:
    if line.strip() != _WORD:
        raise UsageError(f"{_WORD!r} has not been typed; nothing is replaced.")
