"""The layers side by side: which group lies how complete in L2 (Redis) and L3 (the bucket)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from textual.content import Content

from toolkit.figures import duration, size
from toolkit.secret import scrub
from toolkit.tui.widgets.prose import hanging
from toolkit.tui.wording import elided

if TYPE_CHECKING:
    from toolkit.cache.groups import Group, Overview
    from toolkit.cache.presence import Presence

DEFAULT = "★"


def figure(presence: Presence) -> tuple[str, str]:
    """How much of a group a layer holds, as text that speaks without colour, and its style."""
    if presence.frames is None:
        return "?", "bold $text-warning"
    if not presence.present:
        return "-", "$text-muted"
    text = f"{presence.frames}/{presence.expected}"
    return (text, "$text-success") if presence.complete else (f"{text}!", "bold $text-warning")


def weight(presence: Presence) -> str:
    """The bytes, `-` where nothing is, `?` where nobody knows."""
    return figure(presence)[0] if not presence.present else size(presence.bytes)


def bar(presence: Presence) -> str:
    """The same as a bar of one cell a frame."""
    if presence.frames is None:
        return "?" * presence.expected
    full = min(presence.frames, presence.expected)
    return "█" * full + ("░" if presence.present else "·") * (presence.expected - full)


def built(group: Group) -> str:
    """How old a group is: 3d, or `?` where nobody knows."""
    if group.built_at is None:
        return "?"
    return duration((datetime.now(UTC) - group.built_at).total_seconds()).partition(" ")[0]


def picture(overview: Overview, width: int) -> Content:
    """Groups x layers in `width` cells, with bytes and bars where there is room for them."""
    if not overview.groups:
        lines = [Content.styled("No group anywhere: neither in Redis nor in the bucket.", "bold $text-warning")]
        return Content("\n").join(lines + notes(overview, width))
    layers = [layer for group in overview.groups for layer in (group.l2, group.l3)]
    longest = max(len(group.name) for group in overview.groups)
    short = max(3, *(len(figure(layer)[0]) for layer in layers))
    bars = max(layer.expected for layer in layers) + 1
    cell, headings, with_bars = short, ("L2", "L3"), False
    if width >= longest + 2 * (short + 10) + 8:
        cell, headings = short + 9, ("L2 Redis", "L3 bucket")
    if width >= longest + 2 * (short + bars + 10) + 8:
        cell, with_bars = short + bars + 9, True
    with_age = width >= longest + 2 * (cell + 1) + 7 or width < longest + 2 * (cell + 1) + 3
    name_width = min(max(10, width - 2 * (cell + 1) - (7 if with_age else 3)), longest)
    heads = " ".join(f"{heading:<{cell}}" for heading in headings)
    lines = [Content.styled(f"  {'group':<{name_width}} {heads}{'  age' if with_age else ''}", "$text-muted")]
    for group in overview.groups:
        mark = (DEFAULT, "bold $text-accent") if group.default else " "
        parts: list[str | tuple[str, str]] = [mark, " ", f"{elided(group.name, name_width):<{name_width}} "]
        for layer in (group.l2, group.l3):
            text, style = figure(layer)
            if cell > short and layer.present:
                text = f"{text:<{short}} {size(layer.bytes)}"
            if with_bars:
                text = f"{bar(layer)} {text}"
            parts.append((f"{text:<{cell}} ", style))
        lines.append(Content.assemble(*parts, f"{built(group):>4}" if with_age else ""))
    return Content("\n").join(lines + notes(overview, width))


def notes(overview: Overview, width: int) -> list[Content]:
    """What somebody should know about the whole."""
    return [hanging(Content.styled("· ", "$text-muted"), scrub(note), width, "$text-muted") for note in overview.notes]


def disagreements(overview: Overview, wanted: int) -> list[str]:
    """What is not as a finished rebuild leaves it, most telling first."""
    found = []
    known = [group for group in overview.groups if group.l2.frames is not None]
    indexed = [group for group in known if group.rank is not None]
    if known and not indexed:
        found.append("L2 is empty: MapApp has no group to show. A rebuild fills it (b).")
    elif 0 < len(indexed) < wanted:
        found.append(f"L2 holds {len(indexed)} of {wanted} groups.")
    return found + [f"{group.name}: {note}" for group in overview.groups for note in group.notes]
