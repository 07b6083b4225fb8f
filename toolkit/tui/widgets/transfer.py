"""The downloads in short, at the foot of a page: how far, how fast; then what came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from toolkit.figures import duration, size
from toolkit.secret import scrub
from toolkit.tui.house import house
from toolkit.tui.transfer import Snapshot, State, Transfer
from toolkit.tui.wording import cut, elided, foreign

if TYPE_CHECKING:
    from toolkit.tui.app import ToolkitApp

_EVERY = 0.25
_LINES = 4  # of what failed, below the summary
_BAR = 20
SIGNS = {
    State.WAITING: ("…", "$text-muted"), State.GOING: ("●", "$text-warning"), State.STOPPING: ("●", "$text-warning"),
    State.DONE: ("✓", "$text-success"), State.PARTIAL: ("!", "bold $text-warning"),
    State.STOPPED: ("‖", "$text-warning"), State.FAILED: ("✗", "bold $text-error"),
}  # fmt: skip


def amount(snapshot: Snapshot) -> str:
    """`1.2 of 2.1 GB`, `12 of 40 frames`."""
    if snapshot.unit != "bytes":
        total = f" of {snapshot.total:,}" if snapshot.total is not None else ""
        return f"{snapshot.done:,}{total} {snapshot.unit}"
    if snapshot.total is None:
        return size(snapshot.done)
    return f"{size(snapshot.done)} of {size(snapshot.total)}"


def moving(snapshot: Snapshot) -> str:
    """How far, how fast, how long still."""
    if snapshot.total is None and not snapshot.done:
        return snapshot.step or "beginning …"
    parts = [amount(snapshot)]
    if snapshot.rate > 0:
        each = size(int(snapshot.rate)) if snapshot.unit == "bytes" else f"{snapshot.rate:,.0f} {snapshot.unit}"
        parts.append(f"{each}/s")
    if snapshot.left is not None:
        parts.append(f"{duration(snapshot.left)} left")
    return ", ".join(parts)


def drawn(transfer: Transfer, width: int, stop_key: str, show_key: str, here: str = "") -> Content:
    """One transfer in a line or a few of at most `width` cells; `here` is the open environment."""
    now = transfer.snapshot()
    sign, style = SIGNS[now.state]
    name = foreign(transfer.called(here))
    to = elided(f" → {foreign(str(transfer.to))}", max(width - len(name) - 2, 20))
    head = Content.assemble((f"{sign} ", style), (name, "bold"), to)
    lines: list[Content] = [head]
    if not transfer.over:
        bar = ""
        if now.part is not None and width >= 60:
            full = round(now.part * _BAR)
            bar = "━" * full + "╌" * (_BAR - full) + f" {now.part:4.0%}  "
        told = "stopping …" if now.state is State.STOPPING else f"{moving(now)}   {stop_key} stops it"
        lines.append(Content.assemble("  ", (bar, "$primary"), cut(told, width - len(bar) - 2)))
        return Content("\n").join(lines)
    took = f" in {duration(now.seconds)}" if now.seconds >= 1 else ""
    if transfer.outcome is not None:
        checked = f"; {transfer.outcome.checked}" if transfer.outcome.checked else ""
        lines.append(Content(cut(scrub(f"  {transfer.outcome.summary}{took}{checked}"), width)))
        wrong = transfer.outcome.wrong
        lines += [Content(cut(f"  ✗ {foreign(file.name)}: {foreign(file.why)}", width)) for file in wrong[:_LINES]]
        if (more := len(wrong) - _LINES) > 0:
            lines.append(Content.styled(f"  … and {more:,} more; {show_key} shows them", "$text-muted"))
    elif transfer.problem is not None:
        lines.append(Content(cut("  " + foreign(transfer.problem.message), width)))
        hint = f"{show_key} shows it; from there it goes on where it stopped." if transfer.stopped else ""
        if hint := hint or transfer.problem.hint:
            lines.append(Content.styled(cut("  " + foreign(hint), width), "$text-muted"))
    return Content("\n").join(lines)


def as_text(transfer: Transfer) -> str:
    """A transfer as it is copied: what came, where, what failed, and the command that does the same."""
    lines = [f"{transfer.name} → {transfer.to}"]
    if transfer.outcome is not None:
        lines += [transfer.outcome.summary, transfer.outcome.checked, *transfer.outcome.warnings]
        lines += [f"{file.name}: {file.why}" for file in transfer.outcome.wrong]
    if transfer.problem is not None:
        lines += [transfer.problem.message, transfer.problem.hint]
    return scrub("\n".join(line for line in (*lines, transfer.command) if line))


class Transfers(Static):
    """The transfers that go on or ended last; not there while there are none. `stop` and `show` are the ids of the acts
    that stop the newest that goes on, and show all of them in full."""

    DEFAULT_CSS = """
    Transfers { height: auto; max-height: 8; padding: 0 1; border-top: dashed $rule; display: none; }
    Transfers.-some { display: block; }
    """

    def __init__(self, stop: str, show: str) -> None:
        super().__init__("")
        self._stop, self._show = stop, show

    @property
    def _all(self) -> list[Transfer]:
        session = house(self).session
        return session.transfers if session is not None else []

    def on_mount(self) -> None:
        self.set_interval(_EVERY, self.look)
        self.look()

    def look(self) -> None:
        """Draw how far they are."""
        going = [transfer for transfer in self._all if not transfer.over]
        shown = going or self._all[-1:]
        self.set_class(bool(shown), "-some")
        if self.screen.is_current and shown:
            width = max(self.content_size.width, 30)
            keys = house(self).key_of(self._stop), house(self).key_of(self._show)
            here = house(self).opened().environment.name
            self.update(Content("\n").join(drawn(one, width, *keys, here) for one in shown[-3:]))

    def newest_going(self) -> Transfer | None:
        return next((one for one in reversed(self._all) if not one.over), None)

    def clear(self) -> None:
        """Put away those that have ended."""
        self._all[:] = [one for one in self._all if not one.over]
        self.look()


def tell_ends(app: ToolkitApp, transfers: Sequence[Transfer]) -> None:
    """Say of each that has ended how, once; nothing where it is on the screen, or was stopped by somebody."""
    for transfer in transfers:
        if not transfer.over or transfer.told:
            continue
        transfer.told = True
        if transfer.stopped or _looked_at(app):
            continue
        name = foreign(transfer.called(app.opened().environment.name))
        said = transfer.outcome.summary if transfer.outcome is not None else ""
        if transfer.problem is not None:
            said = transfer.problem.message
        if transfer.well:
            app.notify(f"{name}\n{foreign(said)}", title="Downloaded")
        else:
            text = f"{name}\n{foreign(said)}\nG on the pages of groups and bucket shows it."
            app.notify(text, title="Not all of it came", severity="error", timeout=15)


def _looked_at(app: ToolkitApp) -> bool:
    """Whether a page that shows them is on the screen, with or without a question on top of it."""
    top, *below = reversed(app.screen_stack)
    shown = below[0] if below and isinstance(top, ModalScreen) else top
    return bool(shown.has_class("downloads"))
