"""A download in full: how far and how fast it goes; at its end each file with its check, and what can be done still."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content

from toolkit.figures import duration, size
from toolkit.tui.transfer import Arrived, Came, Snapshot, State, Transfer
from toolkit.tui.widgets import problem as problems
from toolkit.tui.widgets.prose import hanging, labelled
from toolkit.tui.widgets.transfer import SIGNS, amount
from toolkit.tui.wording import counted, foreign

_MOST = 200  # files that are listed
_LONG = 60.0  # seconds from which on it is said how long it took
_WIDE = 100  # cells from which on checksums are written out
_OUTCOMES = {"already there": "was here"}


@dataclass(frozen=True)
class Keys:
    """The keys of what can be done, as people write them."""

    again: str
    replace: str


def in_full(transfer: Transfer, width: int, keys: Keys) -> list[Content]:
    """The download in lines of at most `width` cells."""
    to = transfer.outcome.folder if transfer.outcome is not None else str(transfer.to.absolute())
    head = [labelled("to", foreign(to), width), Content("")]
    now = transfer.snapshot()
    if not transfer.over:
        return [*head, *_under_way(now, width), *_noted(transfer, width)]
    if transfer.stopped:
        said = foreign(transfer.problem.message) if transfer.problem is not None else ""
        kept = f"What came is kept: {keys.again} goes on from there."
        stopped = Content.styled("‖ stopped  ", "bold $text-warning")
        return [*head, hanging(stopped, said, width), hanging(Content(""), kept, width)]
    if transfer.problem is not None:
        return [*head, problems.drawn(transfer.problem, width)]
    return [*head, *_ended(transfer.outcome, now, width, keys)] if transfer.outcome is not None else head


def _under_way(now: Snapshot, width: int) -> list[Content]:
    sign, style = SIGNS[now.state]
    asked = "asked to stop: ends after the pieces that are under way"
    step = asked if now.state is State.STOPPING else foreign(now.step) or "beginning"
    lines = [Content.assemble((f"{sign} ", style), f"{step.rstrip(' …')} …")]
    if now.part is None:
        return lines
    cells = max(10, min(50, width - 30))
    full = min(cells, int(cells * now.part))
    lines.append(
        Content.assemble(("█" * full, "$text-success"), ("░" * (cells - full), "$text-muted"), f" {now.part:4.0%}  ",
                         amount(now))
    )  # fmt: skip
    if now.rate > 0 and now.left is not None:
        each = size(round(now.rate)) if now.unit == "bytes" else f"{now.rate:,.0f} {now.unit}"
        lines.append(Content(f"{each} a second, {duration(now.left)} left"))
    return lines


def _noted(transfer: Transfer, width: int) -> list[Content]:
    return [Content(""), hanging(Content(""), foreign(transfer.note), width, "$text-muted")] if transfer.note else []


def _ended(outcome: Arrived, now: Snapshot, width: int, keys: Keys) -> list[Content]:
    sign, style = ("! ", "bold $text-warning") if outcome.wrong else ("✓ ", "bold $text-success")
    took = f", in {duration(now.seconds)}" if now.seconds >= _LONG else ""
    each = any(file.crc32c for file in outcome.files)  # then it stands with each file
    checked = f"; {outcome.checked}" if outcome.checked and not each else ""
    lines = [hanging(Content.styled(sign, style), foreign(f"{outcome.summary}{checked}{took}"), width), Content("")]
    listed = (
        sorted(outcome.files, key=lambda file: not file.why)[:_MOST] if len(outcome.files) > _MOST else outcome.files
    )
    longest = min(max((len(file.name) for file in listed), default=0), width // 2)
    weighed = any(file.bytes is not None for file in listed)
    for file in listed:
        lines += _file(file, longest, weighed, width)
    if (more := len(outcome.files) - len(listed)) > 0:
        lines.append(
            Content.styled(f"  … {len(listed):,} of {len(outcome.files):,} shown, {more:,} more", "$text-muted")
        )
    warning = Content.styled("! ", "bold $text-warning")
    lines.append(Content(""))
    lines += [hanging(warning, foreign(text), width) for text in outcome.warnings]
    lines += [hanging(Content("  "), foreign(text), width) for text in outcome.remarks]
    if differing := len(outcome.differing):
        text = f"{counted(differing, 'file differs', 'files differ')} and stayed as it was here"
        lines.append(hanging(warning, f"{text}: {keys.replace} replaces, after asking.", width))
    if outcome.missing:
        lines.append(hanging(warning, f"{keys.again} brings what is missing.", width))
    if outcome.how:
        lines.append(hanging(Content(""), foreign(outcome.how), width, "$text-accent"))
    return lines


def _file(file: Came, longest: int, weighed: bool, width: int) -> list[Content]:
    mark, colour = ("✗", "bold $text-error") if file.outcome == "failed" else ("✓", "$text-success")
    weight = f"  {size(file.bytes) if file.bytes is not None else '':>8}" if weighed else ""
    check = ", CRC32C agrees" if file.crc32c and not file.why else ""
    check += f" ({file.crc32c})" if check and width >= _WIDE else ""
    head = Content.assemble((mark, colour), f" {foreign(file.name):<{longest}}{weight}  ")
    lines = [hanging(head, f"{_OUTCOMES.get(file.outcome, file.outcome)}{check}", width)]
    if file.why:
        lines.append(hanging(Content("    "), foreign(file.why), width, "$text-error"))
    return lines
