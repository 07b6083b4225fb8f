"""Groups x L1, L2, L3 as rows, what disagrees in a word, and why that matters in a line. Drawing alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from textual.content import Content

from toolkit.checks.finding import Status
from toolkit.figures import duration, size
from toolkit.tui.widgets.layers import DEFAULT, bar, figure
from toolkit.tui.wording import STYLES, counted, elided

if TYPE_CHECKING:
    from toolkit.cache.groups import Group
    from toolkit.cache.presence import Presence
    from toolkit.tui.standing import LayersSeen, MemorySeen

COUNTING = "…"
_WORD = 11  # cells of what disagrees


@dataclass(frozen=True, slots=True)
class Apart:
    """Where a group's layers disagree: `word` for its row, `why` it matters. Status.OK: that is as it should be."""

    word: str
    why: str
    status: Status = Status.WARN


@dataclass(frozen=True)
class Row:
    """A group, with all that is known of it. `perts`: None is being counted, -1 could not be counted."""

    group: Group
    written: datetime | None
    l1: str
    apart: tuple[Apart, ...]
    perts: int | None = None

    @property
    def age(self) -> str:
        """How old it is: since it was built; `~` since it was written to the bucket, where only that is known."""
        since = self.group.built_at or self.written
        if since is None:
            return "?"
        about = "" if self.group.built_at else "~"
        return about + duration((datetime.now(UTC) - since).total_seconds()).partition(" ")[0]

    @property
    def bytes(self) -> str:
        """Its size in L3, else in L2."""
        held = next((one for one in (self.group.l3, self.group.l2) if one.present), None)
        if held is None:
            return "?" if None in (self.group.l3.present, self.group.l2.present) else "-"
        return size(held.bytes).replace(" ", "")

    @property
    def counted(self) -> str:
        if self.perts is None:
            return COUNTING
        return "?" if self.perts < 0 else f"{self.perts:,}"


def rows(seen: LayersSeen, memory: MemorySeen | None, counts: Mapping[str, int | None]) -> list[Row]:
    """A row a group. `memory` is None while the app's pods are asked; `counts` has what was counted so far."""
    made = []
    for group in seen.overview.groups:
        perts = (counts[group.name] if counts[group.name] is not None else -1) if group.name in counts else None
        apart = tuple(_apart(group, memory))
        made.append(Row(group, seen.written.get(group.name), _l1(group, memory), apart, perts))
    return made


def _l1(group: Group, memory: MemorySeen | None) -> str:
    """Of the default group, how many of the app's pods have loaded it as it is now."""
    if not group.default:
        return "-"
    if memory is None:
        return COUNTING
    if memory.memory is None or not memory.memory.told:
        return "?"
    pods = memory.memory.pods
    stale = len(memory.memory.stale)
    return f"{len(pods) - stale}/{len(pods)}{'!' if stale else ''}"


def _apart(group: Group, memory: MemorySeen | None) -> list[Apart]:
    l2, l3, found = group.l2, group.l3, []
    if group.rank is not None and l2.present is False:
        found.append(Apart("L2 empty", "the app offers it, but Redis holds none of its frames: it cannot be shown"))
    if group.rank is None and l2.present:
        found.append(Apart("no index", "its frames lie in Redis, but not its name: the app does not offer it"))
    if l2.present and not l2.complete:
        lacks = f"{l2.frames} of {l2.expected} frames are in Redis"
        found.append(Apart("L2 short", f"{lacks}: the app offers it, and some of its views fail"))
    if l3.present and not l3.complete:
        lacks = f"{l3.frames} of {l3.expected} frames are in the bucket"
        found.append(Apart("L3 short", f"{lacks}: its writing was cut short, what is read from there is not whole"))
    if group.default and memory is not None and memory.memory is not None and memory.memory.stale:
        stale, pods = len(memory.memory.stale), len(memory.memory.pods)
        found.append(
            Apart(
                "L1 old", f"{stale} of {counted(pods, 'pod')} loaded the one before it: users see that until a restart"
            )
        )
    if group.rank is not None and l3.present is False:
        found.append(Apart("not in L3", "in L2 but not in L3: after a flush it is gone for good"))
    if group.score is not None and group.built_at is None:
        found.append(Apart("no time", "its score is no time in seconds: which group is the default is chance"))
    if not found and group.rank is None and l2.present is False and l3.present:
        found.append(Apart("L3 only", "in L3 but not in L2: the app will not offer it", Status.OK))
    return found


@dataclass(frozen=True, slots=True)
class Widths:
    """Cells of the columns, the gap behind each not counted; `bars`: there is room for them."""

    name: int
    l1: int
    layer: int
    age: int
    size: int
    perts: int
    bars: bool


def widths(found: Sequence[Row], width: int) -> Widths:
    """How `found` fits into `width` cells: names give way first."""

    def widest(heading: str, texts: Sequence[str]) -> int:
        return max(len(heading), *(len(text) for text in texts)) if texts else len(heading)

    layers = [one for row in found for one in (row.group.l2, row.group.l3)]
    l1 = widest("L1", [row.l1 for row in found])
    short = widest("L2", [figure(one)[0] for one in layers])
    age, size, perts = (
        widest("age", [row.age for row in found]),
        widest("size", [row.bytes for row in found]),
        widest("perts", [row.counted for row in found]),
    )
    longest = max((len(row.group.name) for row in found), default=10)
    rest = 2 + (l1 + 1) + (age + 1) + (size + 1) + (perts + 1) + 1 + _WORD
    with_bars = short + max((one.expected for one in layers), default=8) + 1
    bars = width >= longest + 2 + rest + 2 * (with_bars + 1)
    layer = with_bars if bars else short
    name = max(10, min(longest, width - 1 - rest - 2 * (layer + 1)))
    return Widths(name, l1, layer, age, size, perts, bars)


def headings(found: Sequence[Row], width: int) -> Content:
    fit = widths(found, width)
    two = ("L2 Redis", "L3 bucket") if fit.bars else ("L2", "L3")
    text = f"  {'group':<{fit.name}} {'L1':<{fit.l1}} {two[0]:<{fit.layer}} {two[1]:<{fit.layer}} "
    text += f"{'age':>{fit.age}} {'size':>{fit.size}} {'perts':>{fit.perts}} disagrees"
    return Content.styled(text[:width], "$text-muted")


def drawn(row: Row, fit: Widths) -> Content:
    """One row."""
    group = row.group
    mark = (DEFAULT, "bold $text-accent") if group.default else " "
    name = f"{elided(group.name, fit.name):<{fit.name}} "
    parts: list[str | tuple[str, str]] = [mark, " ", name, _styled_l1(row, fit)]
    parts += [_cell(presence, fit) for presence in (group.l2, group.l3)]
    parts.append(f"{row.age:>{fit.age}} {row.bytes:>{fit.size}} ")
    parts.append((f"{row.counted:>{fit.perts}} ", "$text-muted" if row.counted in (COUNTING, "?") else ""))
    if not row.apart:
        parts.append(("✓", STYLES[Status.OK]))
    else:
        first = row.apart[0]
        words = first.word if len(row.apart) == 1 else f"{first.word} +{len(row.apart) - 1}"
        usual = first.status is Status.OK
        parts.append((words, "$text-muted") if usual else (f"! {words}", STYLES[first.status]))
    return Content.assemble(*parts)


def _styled_l1(row: Row, fit: Widths) -> tuple[str, str]:
    style = "bold $text-warning" if row.l1.endswith("!") or row.l1 == "?" else "$text-success"
    return f"{row.l1:<{fit.l1}} ", "$text-muted" if row.l1 in ("-", COUNTING) else style


def _cell(presence: Presence, fit: Widths) -> tuple[str, str]:
    text, style = figure(presence)
    return f"{f'{bar(presence)} {text}' if fit.bars else text:<{fit.layer}} ", style
