"""What `toolkit groups find` found: tables for people, rows and documents for programs."""

from __future__ import annotations

import os.path
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from toolkit import figures
from toolkit.cache.find import Absent, Answers, Found, Unreadable, Where
from toolkit.cache.matching import Near, micromolar
from toolkit.cache.stored import LAYERS
from toolkit.cli import diagnostics, output
from toolkit.cli.diagnostics import printable
from toolkit.cli.output import Column, Format

if TYPE_CHECKING:
    from rich.console import RenderableType

_MOST_LINES = 10  # about frames that could not be searched
_HOW = {"case": "other case", "space": "other spelling", "alias": "another name", "prefix": "by its number"}


def show(answers: Answers, form: Format, *, one: bool, layers: Sequence[str], most: int | None) -> None:
    """Print what was found in `layers`; `one`: it was one question.

    `most`: of hundreds of groups people are shown so many of those that have it, and of the others how many they are.
    """
    if form is Format.PLAIN:
        matches = [(found.query, match) for found in answers.found for match in found.matches]
        output.rows(matches, _plain_columns(), form)
        return
    if form is Format.TABLE:
        if one:
            output.document(answers.found[0], form, lambda: _drawn(answers.found[0], layers, most))
            if any(absent.frames + absent.unread == 0 for absent in answers.found[0].absent_from):
                diagnostics.narrate("- the layer holds none of the group's frames", "dim")
        else:
            output.rows(answers.found, _columns_of_many(layers), form)
            _tell_unreadable(answers.found[0])
        _tell_bytes(answers.found[0])
    elif one:
        output.document(answers.found[0], form, list)
    else:
        output.rows(answers.found, [], form)


@dataclass(frozen=True)
class _Row:
    """One group's line: what each layer says of it."""

    group: str
    matches: tuple[Where, ...]
    absent: tuple[Absent, ...]
    query: str

    def mark(self, layer: str) -> str:
        frames = {match.frame for match in self.matches if match.layer == layer}
        if frames:
            return "1 frame" if len(frames) == 1 else f"{len(frames)} frames"
        for absent in self.absent:
            if absent.layer == layer:
                return "unknown" if absent.unread else "no" if absent.frames else "-"
        return "unknown"


def _drawn(found: Found, layers: Sequence[str], most: int | None) -> Sequence[RenderableType]:
    from rich.text import Text

    rows = _rows(found)
    there = [row for row in rows if row.matches]
    style = "green" if found.exact else "yellow" if there else "red"
    headline = f"{found.query}: {_in_words(found, len(there), len(rows))}"
    parts: list[RenderableType] = [Text(printable(headline), style=f"bold {style}")]
    details = _details(found)
    shared = {title for title, cell in details.items() if len({cell(row) for row in there}) == 1}
    if shared:  # the same in every group: said once
        parts.append(output.pairs([(title, details[title](there[0])) for title in details if title in shared]))
    listed = rows if most is None else there[:most]
    if listed:
        columns = [Column(title, cell) for title, cell in details.items() if title not in shared]
        parts += [Text(), output.table(listed, [*_columns(layers), *columns])]
    if len(listed) < len(rows):
        parts += [Text(line, style="dim") for line in _unlisted(rows, len(there) - len(listed))]
    for line in _unequal(rows):
        parts.append(Text(f"! {line}", style="yellow"))
    parts += [Text(printable(f"! not searched: {line}"), style="yellow") for line in _unsearched(found)]
    parts += [Text(f"did you mean {_meant(near)}? ({printable(near.why)})") for near in found.near]
    return parts


def _in_words(found: Found, there: int, groups: int) -> str:
    if found.exact:
        return f"in {there} of {groups} groups"
    if there:
        names = ", ".join(dict.fromkeys(match.pert for match in found.matches))
        return f"not under this name; {names} is in {there} of {groups} groups"
    if found.unreadable:
        return f"in none of the frames that could be read ({len(found.unreadable)} could not)"
    return f"in none of the {groups} groups" if groups else "there is no group at all"


def _unlisted(rows: Sequence[_Row], with_it: int) -> Iterator[str]:
    """The groups that have no line of their own."""
    marks = [row.mark("L3") for row in rows if not row.matches]
    unknown = marks.count("unknown")
    if with_it:
        yield f"in {with_it:,} more groups (--all lists them)"
    if len(marks) > unknown:
        more = " more" if len(marks) < len(rows) else ""
        yield f"absent from {len(marks) - unknown:,}{more} groups (--all lists them)"
    if unknown:
        yield f"unknown in {unknown:,}: not all of their frames could be searched (--all lists them)"


def _rows(found: Found) -> list[_Row]:
    matches: dict[str, list[Where]] = {}
    absent: dict[str, list[Absent]] = {}
    for match in found.matches:
        matches.setdefault(match.group, []).append(match)
    for one in found.absent_from:
        absent.setdefault(one.group, []).append(one)
    named = dict.fromkeys(found.groups)
    return [_Row(name, tuple(matches.get(name, ())), tuple(absent.get(name, ())), found.query) for name in named]


def _details(found: Found) -> dict[str, Callable[[_Row], str]]:
    """What is said of each group that has it, by title."""
    if not found.matches:
        return {}
    details: dict[str, Callable[[_Row], str]] = {"in frames": lambda row: _frames({m.frame for m in row.matches})}
    if not found.exact:
        details["as"] = _names
    if any(match.concentrations for match in found.matches):
        details["at µM"] = lambda row: _concentrations(row.matches)
    return details


def _names(row: _Row) -> str:
    names = {match.pert: _HOW.get(match.how, "") for match in row.matches}
    return printable(", ".join(f"{name} ({how})" if how else name for name, how in names.items()))


def _columns_of_many(layers: Sequence[str]) -> list[Column]:
    return [
        Column("pert", lambda found: printable(found.query), style=lambda found: "" if found.exact else "bold"),
        Column(
            "groups", lambda found: f"{len({match.group for match in found.matches})}/{len(found.groups)}", right=True
        ),
        *(Column(name, partial(_groups, layer=name), right=True) for name in layers),
        Column("at µM", lambda found: _concentrations(found.matches)),
        Column("", _remark, style=lambda _: "yellow"),
    ]


def _columns(layers: Sequence[str]) -> list[Column]:
    columns = {
        "L2": Column("L2 redis", lambda row: row.mark("L2"), style=lambda row: _style(row.mark("L2"))),
        "L3": Column("L3 bucket", lambda row: row.mark("L3"), style=lambda row: _style(row.mark("L3"))),
    }
    group = Column("group", lambda row: row.group, style=lambda row: "" if row.matches else "dim")
    return [group, *(columns[layer] for layer in layers)]


def _remark(found: Found) -> str:
    if found.exact:
        return ""
    if found.matches:
        return printable(f"as {', '.join(dict.fromkeys(match.pert for match in found.matches))}")
    return f"did you mean {_meant(found.near[0])}?" if found.near else "nothing like it"


def _groups(found: Found, layer: str) -> str:
    return str(len({match.group for match in found.matches if match.layer == layer}))


def _plain_columns() -> list[Column]:
    return [
        Column("query", lambda row: row[0]),
        Column("group", lambda row: row[1].group),
        Column("layer", lambda row: row[1].layer),
        Column("frame", lambda row: row[1].frame),
        Column("pert", lambda row: row[1].pert),
        Column("kind", lambda row: row[1].kind),
        Column("concentrations", lambda row: ",".join(f"{one:g}" for one in row[1].concentrations)),
        Column("how", lambda row: row[1].how),
    ]


def _unequal(rows: Iterable[_Row]) -> Iterable[str]:
    """Where one layer has it in a frame, and the other has not, although it holds the group."""
    for row in rows:
        frames = {layer: {match.frame for match in row.matches if match.layer == layer} for layer in LAYERS}
        for layer, other in (("L2", "L3"), ("L3", "L2")):
            lacking = frames[other] - frames[layer]
            if frames[layer] and lacking:
                yield f"{row.group}: {', '.join(sorted(lacking))} has it in {LAYERS[other]}, not in {LAYERS[layer]}"


def _tell_unreadable(found: Found) -> None:
    for line in _unsearched(found):
        diagnostics.warn(printable(f"not searched: {line}"))


def _unsearched(found: Found) -> Iterator[str]:
    """One line a frame; where they are many, one a reason, and never more than can be read."""
    if len(found.unreadable) <= _MOST_LINES:
        for one in found.unreadable:
            yield f"{one.group} {one.frame} in {LAYERS[one.layer]}: {one.why}"
        return
    reasons: dict[str, list[Unreadable]] = {}
    for one in found.unreadable:
        reasons.setdefault(one.why, []).append(one)
    for why, ones in list(reasons.items())[:_MOST_LINES]:
        groups = list(dict.fromkeys(one.group for one in ones))
        few = ", ".join(groups[:3]) + (f" and {len(groups) - 3:,} more" if len(groups) > 3 else "")
        yield f"{len(ones):,} frames of {few}: {why}"
    left = sum(map(len, list(reasons.values())[_MOST_LINES:]))
    if left:
        yield f"{left:,} more frames, for {len(reasons) - _MOST_LINES:,} more reasons (-o json names each)"


def _tell_bytes(found: Found) -> None:
    share = f" ({found.bytes_read / found.bytes_total:.1%})" if found.bytes_read and found.bytes_total else ""
    known = found.frames - found.frames_read
    text = f"Read {figures.size(found.bytes_read)} of {figures.size(found.bytes_total)}{share}: {found.frames} frames"
    if known:
        text += f", {known} of them known from the last time"
    if found.bytes_checked:
        text += f"; {figures.size(found.bytes_checked)} more to see whether Redis' values are still the same"
    diagnostics.narrate(text + ".", "dim")


def _meant(near: Near) -> str:
    return printable(near.pert if near.concentration is None else f"{near.pert} at {micromolar(near.concentration)}")


def _frames(names: set[str]) -> str:
    """All of them where there is room, else what they begin with: genes* (4)."""
    ordered = sorted(names)
    if len(ordered) < 3 or not sys.stdout.isatty() or shutil.get_terminal_size().columns >= 110:
        return ", ".join(ordered)
    common = os.path.commonprefix(ordered)  # noqa: RUF071  letters, not folders
    return f"{common or ordered[0] + ', '}* ({len(ordered)})"


def _concentrations(matches: Iterable[Where]) -> str:
    return " ".join(f"{one:g}" for one in sorted({one for match in matches for one in match.concentrations}))


def _style(mark: str) -> str:
    return {"no": "red", "unknown": "yellow", "-": "dim"}.get(mark, "green")
